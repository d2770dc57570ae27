//! Measurements as text and pictures. Knows [`Findings`], and nobody who made them.
//!
//! ```text
//!   Findings ─▶ figures ─┬─▶ table   for people, on standard output
//!   (measure)            ├─▶ json    for scripts, the same numbers
//!                        │
//!                        ├─▶ hgrm    the whole distribution, for HdrHistogram's plotter
//!                        └─▶ svg     for a page of a report
//!
//!   CurvePoint of each step of a search     ─▶ curve ─┐
//!   Round of each turn of a comparison      ─▶ ratio ─┴─▶ the same forms again
//! ```
//!
//! What a mode ends with is a [`Form`]; [`Outputs`] says which of its renderings are wanted, and delivers them. Nothing
//! here reads a clock but [`live`], which shows what goes on meanwhile.

mod columns;
pub mod curve;
pub mod figures;
pub mod hgrm;
pub mod json;
pub mod live;
mod outputs;
pub mod ratio;
pub mod svg;
pub mod table;
#[cfg(test)]
mod testing;

pub use outputs::Outputs;

use crate::measure::Findings;
use crate::plan::Goal;

/// Names and values of what was asked for, in the order to be shown.
pub type Settings = [(String, String)];

/// Something that can be rendered in every way that a user may ask for.
pub trait Form {
    /// For people.
    fn table(&self) -> String;
    /// For scripts: one object, ended by a newline.
    fn json(&self) -> String;
    /// Percentile distributions, each with what is to be put before the file's extension to tell it from the others
    /// (nothing if it is the only one).
    fn hgrm(&self) -> Vec<(&'static str, String)>;
    /// As a picture.
    fn svg(&self) -> String;
}

/// One measurement with what it was made of.
#[derive(Clone, Copy, Debug)]
pub struct Report<'a> {
    /// What was done, in a few words.
    pub title: &'a str,
    /// What was asked for.
    pub settings: &'a Settings,
    /// What was found.
    pub findings: &'a Findings,
    /// A latency that was to be held; pictures show it.
    pub goal: Option<Goal>,
}

impl Form for Report<'_> {
    fn table(&self) -> String {
        table::table(self)
    }

    fn json(&self) -> String {
        json::json(self)
    }

    fn hgrm(&self) -> Vec<(&'static str, String)> {
        vec![("", hgrm::hgrm(&self.findings.counted.total().latencies))]
    }

    fn svg(&self) -> String {
        svg::measurement(self)
    }
}

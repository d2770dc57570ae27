//! Measurements as text and pictures. Knows [`Findings`](crate::measure::Findings), and nobody who made them.

pub mod hgrm;
pub mod json;
pub mod live;
pub mod svg;
pub mod table;

/// A measurement with what it was made of, as reports show it.
#[derive(Debug)]
pub struct Report<'a> {
    /// What was done, in a few words.
    pub title: &'a str,
    /// What was asked for: names and values, in the order to be shown.
    pub settings: &'a [(String, String)],
    /// What was found.
    pub findings: &'a crate::measure::Findings,
}

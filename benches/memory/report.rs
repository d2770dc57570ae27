//! What a measurement has found beside the bars that it is held against: tables for people, JSON for scripts.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// Which side of a bar is the good one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

/// A figure that has to keep a limit.
pub(crate) struct Bar {
    /// What it is, with its unit.
    pub(crate) name: String,
    /// What was found; `None` if this server does not tell.
    pub(crate) figure: Option<f64>,
    pub(crate) limit: Limit,
}

impl Bar {
    /// A bar that the figure must not go above.
    pub(crate) fn at_most(name: impl Into<String>, figure: Option<f64>, limit: f64) -> Bar {
        Bar { name: name.into(), figure, limit: Limit::AtMost(limit) }
    }

    /// A bar that the figure must reach.
    pub(crate) fn at_least(name: impl Into<String>, figure: Option<f64>, limit: f64) -> Bar {
        Bar { name: name.into(), figure, limit: Limit::AtLeast(limit) }
    }

    /// What was not measured has not held.
    pub(crate) fn holds(&self) -> bool {
        self.figure.is_some_and(|figure| match self.limit {
            Limit::AtMost(limit) => figure <= limit,
            Limit::AtLeast(limit) => figure >= limit,
        })
    }
}

/// Everything that one measurement has to say.
#[derive(Default)]
pub(crate) struct Report {
    /// Which measurement.
    pub(crate) measurement: &'static str,
    /// How it was made, in a sentence.
    pub(crate) method: String,
    /// Titles of the columns.
    pub(crate) columns: &'static [&'static str],
    /// A line of text for each row of figures.
    pub(crate) rows: Vec<Vec<String>>,
    /// The same rows, and what is too long for a table, for scripts.
    pub(crate) figures: Vec<Value>,
    pub(crate) bars: Vec<Bar>,
    /// What a reader of the figures must know.
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// Whether no bar is missed.
    pub(crate) fn holds(&self) -> bool {
        self.bars.iter().all(Bar::holds)
    }

    /// Something to know, said once.
    pub(crate) fn note(&mut self, text: String) {
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }

    /// Tables.
    pub(crate) fn text(&self, machine: &str, server: &str) -> String {
        let mut text = format!("{}: {server}\n{machine}; {}\n", self.measurement, self.method);
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text.push('\n');
        let columns: Vec<String> = self.columns.iter().map(|column| (*column).to_owned()).collect();
        table(&columns, &self.rows, &mut text);
        text.push('\n');
        let row = |bar: &Bar| {
            let limit = match bar.limit {
                Limit::AtMost(limit) => format!("<= {}", short(limit)),
                Limit::AtLeast(limit) => format!(">= {}", short(limit)),
            };
            let figure = bar.figure.map_or("not told".to_owned(), short);
            vec![bar.name.clone(), figure, limit, if bar.holds() { "holds" } else { "MISSED" }.to_owned()]
        };
        let bars: Vec<Vec<String>> = self.bars.iter().map(row).collect();
        table(&["bar", "found", "limit", ""].map(str::to_owned), &bars, &mut text);
        text
    }

    /// One object.
    pub(crate) fn json(&self, machine: &str, server: &str) -> String {
        let bar = |bar: &Bar| {
            let (side, limit) = match bar.limit {
                Limit::AtMost(limit) => ("at_most", limit),
                Limit::AtLeast(limit) => ("at_least", limit),
            };
            json!({ "name": bar.name, "figure": bar.figure, side: limit, "holds": bar.holds() })
        };
        let report = json!({
            "schema": 1,
            "measurement": self.measurement,
            "machine": machine,
            "server": server,
            "method": self.method,
            "notes": self.notes,
            "figures": self.figures,
            "bars": self.bars.iter().map(bar).collect::<Vec<_>>(),
            "holds": self.holds(),
        });
        format!("{report:#}\n")
    }
}

/// Three of five rounds must hold.
pub(crate) fn must_hold(rounds: usize) -> usize {
    (rounds * 3).div_ceil(5)
}

/// The figure that so many rounds keep to: with five of them, the third best.
pub(crate) fn held_by_most(figures: Vec<Option<f64>>) -> Option<f64> {
    let mut figures: Vec<f64> = figures.into_iter().collect::<Option<_>>()?;
    figures.sort_by(f64::total_cmp);
    figures.get(must_hold(figures.len()).checked_sub(1)?).copied()
}

/// A table of Markdown whose columns are as wide as they need to be in a terminal.
fn table(columns: &[String], rows: &[Vec<String>], text: &mut String) {
    let lines = || std::iter::once(columns).chain(rows.iter().map(Vec::as_slice));
    let width = |at: usize| lines().map(|line| line[at].chars().count()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for (number, line) in lines().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(text, "| {cell:width$} ");
        }
        text.push_str("|\n");
        if number == 0 {
            text.extend(widths.iter().map(|width| format!("|{}", "-".repeat(width + 2))));
            text.push_str("|\n");
        }
    }
}

/// A number with as many decimals as it deserves.
fn short(number: f64) -> String {
    match number.abs() {
        large if large >= 100.0 || number.fract() == 0.0 => format!("{number:.0}"),
        _ => format!("{number:.3}"),
    }
}

/// Bytes as MB of a table: 2^20 of them, as `maxmemory` counts.
pub(crate) fn mb(bytes: u64) -> String {
    format!("{:.1}", megabytes(bytes as f64))
}

/// Bytes in MB of 2^20.
pub(crate) fn megabytes(bytes: f64) -> f64 {
    bytes / f64::from(1 << 20)
}

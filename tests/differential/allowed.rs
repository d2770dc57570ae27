//! `tests/differences.toml`: the differences from redis-server that are meant.
//!
//! Each `[[difference]]` has `command`, a name as COMMAND LIST gives it, `pattern`, which describes the whole of
//! `LINE -> REDIS -> COREWISE` (`*` is any text), and `reason`. One reason may have several patterns.

use std::fmt::Write as _;

use corewise_harness::{glob_nocase, join_words};
use toml_edit::DocumentMut;

use crate::generate::Operation;
use crate::run::{Difference, name_of};

struct Row {
    command: String,
    patterns: Vec<String>,
    uses: u64,
}

/// The list, with a count of how often each row was needed.
pub(crate) struct Allowed(Vec<Row>);

impl Allowed {
    /// Reads the file; a row that is incomplete or says more than it should ends the test.
    pub(crate) fn read() -> Allowed {
        let document: DocumentMut =
            include_str!("../differences.toml").parse().expect("tests/differences.toml is TOML");
        let Some(tables) = document.get("difference").and_then(|item| item.as_array_of_tables()) else {
            return Allowed(Vec::new());
        };
        let row = |table: &toml_edit::Table| {
            let text = |name: &str| {
                let text = table.get(name).and_then(|item| item.as_str()).unwrap_or_default();
                assert!(!text.is_empty(), "tests/differences.toml: a row lacks {name}:\n{table}");
                text.to_owned()
            };
            assert_eq!(table.len(), 3, "tests/differences.toml: a row is command, pattern and reason:\n{table}");
            assert!(text("reason").len() >= 20, "tests/differences.toml: that is no reason:\n{table}");
            let patterns = match table.get("pattern").and_then(|item| item.as_array()) {
                Some(several) => several.iter().filter_map(|item| item.as_str()).map(str::to_owned).collect(),
                None => vec![text("pattern")],
            };
            assert!(!patterns.is_empty(), "tests/differences.toml: a row lacks patterns:\n{table}");
            Row { command: text("command"), patterns, uses: 0 }
        };
        Allowed(tables.iter().map(row).collect())
    }

    /// An empty list.
    pub(crate) fn none() -> Allowed {
        Allowed(Vec::new())
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a row allows this difference.
    pub(crate) fn allows(&mut self, operation: &Operation, difference: &Difference) -> bool {
        let name = name_of(operation);
        let text = format!("{} -> {} -> {}", join_words(&operation.words), difference.theirs, difference.ours);
        let describes = |row: &Row| row.patterns.iter().any(|pattern| glob_nocase(pattern, &text));
        let row = self.0.iter_mut().find(|row| glob_nocase(&row.command, &name) && describes(row));
        row.map(|row| row.uses += 1).is_some()
    }

    /// How often each row was needed.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("{} rows of tests/differences.toml:", self.0.len());
        for row in &self.0 {
            let _ = write!(text, " {} {} times,", row.command, row.uses);
        }
        text.trim_end_matches(',').to_owned()
    }
}

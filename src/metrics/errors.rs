//! Error replies by their first word: INFO errorstats.

use crate::limits::ERROR_KINDS_MAX;

/// How often each kind of error was answered. A kind is the first word of the line: `ERR`, `WRONGTYPE` ...
#[derive(Clone, Debug, Default)]
pub struct ErrorCounts {
    /// Few, so looked through in order.
    kinds: Vec<(Box<str>, u64)>,
}

impl ErrorCounts {
    /// Counts an error line (without the `-`). Kinds beyond [`ERROR_KINDS_MAX`] are not told apart: only DEBUG ERROR lets
    /// a client invent one.
    pub fn count(&mut self, line: &str) {
        self.add(line.split(' ').next().unwrap_or_default(), 1);
    }

    /// Adds what another core has counted.
    pub fn join(&mut self, other: &Self) {
        other.kinds.iter().for_each(|(kind, count)| self.add(kind, *count));
    }

    /// The kinds and their counts, by name.
    pub fn sorted(&self) -> Vec<(&str, u64)> {
        let mut kinds: Vec<_> = self.kinds.iter().map(|(kind, count)| (&**kind, *count)).collect();
        kinds.sort_unstable();
        kinds
    }

    fn add(&mut self, kind: &str, count: u64) {
        if let Some((_, known)) = self.kinds.iter_mut().find(|(known, _)| **known == *kind) {
            *known += count;
        } else if self.kinds.len() < ERROR_KINDS_MAX {
            self.kinds.push((kind.into(), count));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_first_words_and_bounded() {
        let mut counts = ErrorCounts::default();
        counts.count("ERR syntax error");
        counts.count("WRONGTYPE Operation");
        counts.count("ERR");
        let mut other = counts.clone();
        other.join(&counts);
        assert_eq!(other.sorted(), [("ERR", 4), ("WRONGTYPE", 2)]);
        for kind in 0..2 * ERROR_KINDS_MAX {
            other.count(&format!("E{kind} x"));
        }
        assert_eq!(other.sorted().len(), ERROR_KINDS_MAX);
    }
}

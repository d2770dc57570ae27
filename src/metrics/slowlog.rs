//! The commands that took longest to run lately: SLOWLOG.

use std::collections::VecDeque;

use crate::limits::{SLOWLOG_ARGUMENT_BYTES_MAX, SLOWLOG_ARGUMENTS_MAX};

/// One slow command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlowEntry {
    /// Unique in the node, and larger for later entries.
    pub id: u64,
    /// When it was recorded, in seconds since 1970.
    pub at_s: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// The arguments, trimmed.
    pub arguments: Vec<Box<[u8]>>,
    /// The client's address.
    pub address: String,
    /// The client's name; empty if it has none.
    pub name: Box<str>,
}

/// The latest slow commands of one core, newest first.
#[derive(Clone, Debug, Default)]
pub struct Slowlog {
    entries: VecDeque<SlowEntry>,
}

impl Slowlog {
    /// Adds an entry and forgets the oldest beyond `most`.
    pub fn add(&mut self, entry: SlowEntry, most: usize) {
        self.entries.push_front(entry);
        self.trim(most);
    }

    /// Forgets the oldest entries beyond `most`.
    pub fn trim(&mut self, most: usize) {
        self.entries.truncate(most);
    }

    /// Entries kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing was slow.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Copies of the newest `count` entries.
    pub fn newest(&self, count: usize) -> Vec<SlowEntry> {
        self.entries.iter().take(count).cloned().collect()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

/// The arguments of a request as the log keeps them: the first 32, the first 128 bytes of each, and how much was left out.
pub fn trimmed<'a>(count: usize, arguments: impl Iterator<Item = &'a [u8]>) -> Vec<Box<[u8]>> {
    let kept = if count > SLOWLOG_ARGUMENTS_MAX { SLOWLOG_ARGUMENTS_MAX - 1 } else { count };
    let mut trimmed: Vec<Box<[u8]>> = arguments.take(kept).map(trimmed_argument).collect();
    if kept < count {
        trimmed.push(format!("... ({} more arguments)", count - kept).into_bytes().into());
    }
    trimmed
}

fn trimmed_argument(argument: &[u8]) -> Box<[u8]> {
    match argument.len().checked_sub(SLOWLOG_ARGUMENT_BYTES_MAX) {
        None | Some(0) => argument.into(),
        Some(more) => {
            let mut kept = argument[..SLOWLOG_ARGUMENT_BYTES_MAX].to_vec();
            kept.extend_from_slice(format!("... ({more} more bytes)").as_bytes());
            kept.into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(arguments: &[&str]) -> Vec<String> {
        let trimmed = trimmed(arguments.len(), arguments.iter().map(|argument| argument.as_bytes()));
        trimmed.iter().map(|argument| String::from_utf8_lossy(argument).into_owned()).collect()
    }

    #[test]
    fn arguments_are_trimmed_as_by_redis() {
        assert_eq!(text(&["GET", "k"]), ["GET", "k"]);
        assert_eq!(text(&["a"; 32]).len(), 32);
        let many = text(&["a"; 40]);
        assert_eq!((many.len(), &*many[31]), (32, "... (9 more arguments)"));
        let (fits, long) = ("x".repeat(128), "x".repeat(130));
        assert_eq!(text(&[&fits, &long]), [fits.clone(), format!("{fits}... (2 more bytes)")]);
    }

    #[test]
    fn the_oldest_entries_go_first() {
        let mut log = Slowlog::default();
        for id in 0..5 {
            let entry = SlowEntry {
                id,
                at_s: 0,
                took_us: 0,
                arguments: Vec::new(),
                address: String::new(),
                name: Box::default(),
            };
            log.add(entry, 3);
        }
        assert_eq!(log.newest(10).iter().map(|entry| entry.id).collect::<Vec<_>>(), [4, 3, 2]);
        log.trim(1);
        assert_eq!((log.len(), log.newest(1)[0].id), (1, 4));
        log.clear();
        assert!(log.is_empty());
    }
}

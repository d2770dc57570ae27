//! One database: the table and the order in which its segments fall due.

use std::collections::BTreeSet;

use super::entry::{Deadline, Entry};
use super::table::{ScanPosition, Table};
use crate::base::{KeyHasher, Rng};

/// The keys of one database number on one shard.
#[derive(Debug)]
pub struct Database {
    pub(super) table: Table,
    /// Segments that hold a deadline, by their earliest: one element per segment instead of one per key.
    due: BTreeSet<(Deadline, u32)>,
    /// Keys with a deadline.
    volatile: usize,
    /// Bytes charged to the entries.
    pub(super) used_bytes: usize,
}

impl Database {
    pub(super) fn new(hasher: KeyHasher) -> Self {
        Self { table: Table::new(hasher), due: BTreeSet::new(), volatile: 0, used_bytes: 0 }
    }

    /// Keys, including those that are due and not yet removed.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keys with a deadline.
    pub fn volatile_len(&self) -> usize {
        self.volatile
    }

    /// The earliest moment at which a sweep may find something.
    pub(super) fn next_due(&self) -> Deadline {
        self.due.first().map_or(Deadline::NEVER, |(deadline, _)| *deadline)
    }

    pub(super) fn insert(&mut self, hash: u64, entry: Entry) {
        let deadline = entry.deadline;
        self.used_bytes += entry.charge();
        let segments_before = self.table.newest_segment();
        let segment = self.table.insert(hash, entry);
        for new in segments_before + 1..=self.table.newest_segment() {
            let earliest = self.table.segments[new].earliest;
            if earliest != Deadline::NEVER {
                self.due.insert((earliest, new as u32));
            }
        }
        if deadline != Deadline::NEVER {
            self.volatile += 1;
            self.fall_due(segment, deadline);
        }
    }

    pub(super) fn remove(&mut self, hash: u64, key: &[u8]) -> Option<Entry> {
        let entry = self.table.remove(hash, key)?;
        self.volatile -= usize::from(entry.deadline != Deadline::NEVER);
        self.used_bytes -= entry.charge();
        Some(entry)
    }

    /// Gives a present key another deadline.
    pub(super) fn set_deadline(&mut self, hash: u64, key: &[u8], deadline: Deadline) {
        let Some(place) = self.table.locate(hash, key) else { return };
        let before = std::mem::replace(&mut self.table.at_mut(place).deadline, deadline);
        self.volatile -= usize::from(before != Deadline::NEVER);
        if deadline != Deadline::NEVER {
            self.volatile += 1;
            self.fall_due(place.segment, deadline);
        }
    }

    fn fall_due(&mut self, segment: usize, deadline: Deadline) {
        let earliest = &mut self.table.segments[segment].earliest;
        if deadline < *earliest {
            if *earliest != Deadline::NEVER {
                self.due.remove(&(*earliest, segment as u32));
            }
            *earliest = deadline;
            self.due.insert((deadline, segment as u32));
        }
    }

    /// Sweeps the segment that has been due longest, if any is. True if one was swept.
    pub(super) fn sweep_one(&mut self, now_ms: u64, mut gone: impl FnMut(Entry)) -> bool {
        let Some(&(deadline, segment)) = self.due.first() else { return false };
        if !deadline.is_due(now_ms) {
            return false;
        }
        self.due.pop_first();
        let mut expired = 0;
        let mut freed = 0;
        self.table.sweep(segment as usize, now_ms, |entry| {
            expired += 1;
            freed += entry.charge();
            gone(entry);
        });
        self.volatile -= expired;
        self.used_bytes -= freed;
        let earliest = self.table.segments[segment as usize].earliest;
        if earliest != Deadline::NEVER {
            self.due.insert((earliest, segment));
        }
        true
    }

    /// See `Table::scan`; entries that are due are passed over, but count.
    pub fn scan(
        &self,
        from: ScanPosition,
        count: usize,
        now_ms: u64,
        mut visit: impl FnMut(&Entry),
    ) -> Option<ScanPosition> {
        self.table.scan(from, count, |entry| {
            if !entry.deadline.is_due(now_ms) {
                visit(entry);
            }
        })
    }

    /// Some entry that is not due, each about equally likely; `None` if the database holds none.
    pub fn random(&self, now_ms: u64, rng: &mut Rng) -> Option<&Entry> {
        const TRIES: usize = 64;
        if self.is_empty() {
            return None;
        }
        let segments = &self.table.segments;
        for _ in 0..TRIES {
            // A segment is taken by chance, then a place in it that may be empty: full segments weigh more, as they must.
            let segment = &segments[rng.usize(..segments.len())];
            let place = rng.usize(..segment.entries.capacity().max(1));
            if let Some(entry) = segment.entries.iter().nth(place)
                && !entry.deadline.is_due(now_ms)
            {
                return Some(entry);
            }
        }
        segments.iter().flat_map(|segment| segment.entries.iter()).find(|entry| !entry.deadline.is_due(now_ms))
    }

    /// Drops one piece of a database that nobody can reach any more. False when only the shell is left.
    pub(super) fn drop_some(&mut self) -> bool {
        const DUE_PER_PIECE: usize = 64;
        for _ in 0..DUE_PER_PIECE {
            self.due.pop_first();
        }
        self.table.segments.pop().is_some()
    }
}

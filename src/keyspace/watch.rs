//! Keys that somebody watches (WATCH): whether they have changed since.
//!
//! Each database number keeps a register of its watched keys only, with a version for each: a number that grows with
//! every change of that key. While nobody watches, a change costs one look at whether the register is empty. A key that
//! was deleted and made again has another version than before, and so has one that fell due or was evicted.
//!
//! The register belongs to the number, not to the keys behind it: FLUSHALL and SWAPDB put other keys behind a number and
//! change those watched keys that are there before or after.
//!
//! Invariant: a version is given out once, so whoever holds an old one never takes the key for unchanged.

use std::collections::HashMap;

use super::database::Database;
use super::shard::Shard;
use crate::base::Now;

/// What a watched key was like at some moment: two that are equal say that it has not changed in between.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Version(u64);

/// The watched keys of one database number.
#[derive(Debug, Default)]
pub(super) struct Register {
    keys: HashMap<Box<[u8]>, Watched>,
    /// The last version that was given out.
    last: u64,
}

#[derive(Debug)]
struct Watched {
    watchers: usize,
    version: Version,
}

impl Register {
    /// Whether nobody watches.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// A key has changed.
    #[cold]
    pub(super) fn changed(&mut self, key: &[u8]) {
        if let Some(watched) = self.keys.get_mut(key) {
            self.last += 1;
            watched.version = Version(self.last);
        }
    }

    /// All keys that `concerns` have changed.
    fn changed_where(&mut self, mut concerns: impl FnMut(&[u8]) -> bool) {
        for (key, watched) in &mut self.keys {
            if concerns(key) {
                self.last += 1;
                watched.version = Version(self.last);
            }
        }
    }
}

impl Database {
    /// Whether a key lies in the database, due or not.
    fn holds(&self, key: &[u8]) -> bool {
        self.find(self.position(key), key).is_some()
    }

    /// Whether a key lies in the database and is not due.
    fn has(&self, key: &[u8], now_ms: u64) -> bool {
        let found = self.find(self.position(key), key);
        found.is_some_and(|found| !self.entry(found.cell).deadline().is_due(now_ms))
    }
}

impl Shard {
    /// Begins to watch a key. Answers what it is like now.
    pub fn watch(&mut self, database: usize, key: &[u8], now: Now) -> Version {
        // What is due is not there, and its removal is no change to whoever begins to watch now.
        self.keys(database, now).peek(key);
        let register = &mut self.databases[database].watched;
        let last = &mut register.last;
        let watched = register.keys.entry(key.into()).or_insert_with(|| {
            *last += 1;
            Watched { watchers: 0, version: Version(*last) }
        });
        watched.watchers += 1;
        watched.version
    }

    /// Ends one [`Shard::watch`].
    pub fn unwatch(&mut self, database: usize, key: &[u8]) {
        let keys = &mut self.databases[database].watched.keys;
        let Some(watched) = keys.get_mut(key) else { return };
        watched.watchers -= 1;
        if watched.watchers == 0 {
            keys.remove(key);
            if keys.is_empty() {
                keys.shrink_to_fit();
            }
        }
    }

    /// Whether a watched key is as it was. One that has fallen due since is not.
    pub fn is_unchanged(&mut self, database: usize, key: &[u8], version: Version, now: Now) -> bool {
        self.keys(database, now).peek(key);
        self.databases[database].watched.keys.get(key).is_some_and(|watched| watched.version == version)
    }

    /// How many times [`Shard::watch`] was called and not ended.
    pub fn watchers(&self) -> usize {
        let registers = self.databases.iter().map(|database| &database.watched);
        registers.flat_map(|register| register.keys.values()).map(|watched| watched.watchers).sum()
    }

    /// The keys behind a number have given way to others: `old` lay there before. The register stays with the number.
    pub(super) fn replaced(&mut self, number: usize, old: &mut Database) {
        let mut register = std::mem::take(&mut old.watched);
        let (new, now_ms) = (&self.databases[number], self.common.now_ms());
        register.changed_where(|key| old.holds(key) || new.has(key, now_ms));
        self.databases[number].watched = register;
    }

    /// Two databases have changed places.
    pub(super) fn swapped(&mut self, first: usize, second: usize) {
        if first == second {
            return;
        }
        let now_ms = self.common.now_ms();
        for (number, other) in [(first, second), (second, first)] {
            // Until the registers change places as well, that of a number lies where its keys went.
            let mut register = std::mem::take(&mut self.databases[other].watched);
            let (new, old) = (&self.databases[number], &self.databases[other]);
            register.changed_where(|key| old.holds(key) || new.has(key, now_ms));
            self.databases[other].watched = register;
        }
        let register = std::mem::take(&mut self.databases[first].watched);
        let register = std::mem::replace(&mut self.databases[second].watched, register);
        self.databases[first].watched = register;
    }
}

//! The shard: what one core owns, and the handle through which commands reach its keys.

use std::ops::{Deref, DerefMut};

use bytes::Bytes;

use super::database::Database;
use super::entry::{Deadline, Entry};
use super::table::Location;
use super::value::Value;
use crate::base::{KeyHasher, Now};
use crate::limits::{LARGE_VALUE_BYTES, WARM_ENTRIES_MIN, WARM_KEYS};

/// Counters of one shard, as INFO reports them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShardStats {
    /// Reads of a key that was there.
    pub hits: u64,
    /// Reads of a key that was not there.
    pub misses: u64,
    /// Keys removed because their deadline had passed.
    pub expired: u64,
    /// Writes to keys (`rdb_changes_since_last_save`).
    pub changes: u64,
}

/// The part of the keyspace that one core owns. Moves whole from thread to thread (see `mesh`).
#[derive(Debug)]
pub struct Shard {
    databases: Vec<Database>,
    common: Common,
}

/// What all databases of a shard have in common.
#[derive(Debug)]
struct Common {
    hasher: KeyHasher,
    /// The latest time that the shard has seen: with a lease, cores with different readings take turns.
    now: Now,
    stats: ShardStats,
    /// Commands note the time of their access.
    touching: bool,
    /// Flushed databases and large values that wait to be dropped a piece at a time.
    graveyard: Vec<Remains>,
}

/// What is left of something deleted, held only to be dropped later.
#[derive(Debug)]
enum Remains {
    Database(Box<Database>),
    Value(#[expect(dead_code, reason = "held to be dropped later")] Value),
}

const _: () = {
    const fn assert_send<T: Send>() {}
    assert_send::<Shard>();
};

impl Shard {
    /// An empty shard of `databases` databases. All shards of a node share the hasher's function.
    pub fn new(databases: usize, hasher: KeyHasher) -> Self {
        Self {
            databases: (0..databases).map(|_| Database::new(hasher.clone())).collect(),
            common: Common {
                hasher,
                now: Now::default(),
                stats: ShardStats::default(),
                touching: true,
                graveyard: Vec::new(),
            },
        }
    }

    /// Takes note of the time and returns the time to use: never earlier than what the shard has seen before.
    pub fn advance(&mut self, now: Now) -> Now {
        let seen = &mut self.common.now;
        seen.unix_us = seen.unix_us.max(now.unix_us);
        seen.mono_us = seen.mono_us.max(now.mono_us);
        *seen
    }

    /// The keys of one database at one moment.
    #[inline]
    pub fn keys(&mut self, database: usize, now: Now) -> Keys<'_> {
        Keys { database: &mut self.databases[database], common: &mut self.common, now_ms: now.unix_ms() }
    }

    /// Whether the commands to come note the time of their access (CLIENT NO-TOUCH).
    #[inline]
    pub fn set_touching(&mut self, touching: bool) {
        self.common.touching = touching;
    }

    /// The databases, for counting and scanning.
    pub fn databases(&self) -> &[Database] {
        &self.databases
    }

    /// Bytes charged to entries.
    pub fn used_bytes(&self) -> usize {
        self.databases.iter().map(|database| database.used_bytes).sum()
    }

    /// The counters.
    pub fn stats(&self) -> ShardStats {
        self.common.stats
    }

    /// Sets hits, misses and expired back to zero (CONFIG RESETSTAT).
    pub fn reset_stats(&mut self) {
        self.common.stats = ShardStats { changes: self.common.stats.changes, ..ShardStats::default() };
    }

    /// The earliest moment at which [`Shard::expire_some`] may find something.
    pub fn next_due(&self) -> Deadline {
        self.databases.iter().map(Database::next_due).min().unwrap_or(Deadline::NEVER)
    }

    /// Removes the entries of at most `segments` segments that have fallen due. True if more may be due.
    pub fn expire_some(&mut self, segments: usize, now: Now) -> bool {
        let now_ms = now.unix_ms();
        let mut left = segments;
        for database in &mut self.databases {
            while left > 0 && database.sweep_one(now_ms, |entry| self.common.expired(entry)) {
                left -= 1;
            }
        }
        left == 0 && self.next_due().is_due(now_ms)
    }

    /// Empties one database, at no cost now: the entries are dropped by [`Shard::bury_some`].
    pub fn flush(&mut self, database: usize) {
        let fresh = Database::new(self.common.hasher.clone());
        let old = std::mem::replace(&mut self.databases[database], fresh);
        self.common.stats.changes += old.len() as u64;
        self.common.graveyard.push(Remains::Database(Box::new(old)));
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, first: usize, second: usize) {
        self.databases.swap(first, second);
        self.common.stats.changes += 1;
    }

    /// Whether a database is too large to lie in the cache anyway; see [`Keys::warm`].
    #[inline]
    pub fn is_worth_warming(&self, database: usize) -> bool {
        self.databases[database].len() >= WARM_ENTRIES_MIN
    }

    /// Whether something flushed or unlinked is still to be dropped.
    pub fn has_remains(&self) -> bool {
        !self.common.graveyard.is_empty()
    }

    /// Drops at most `pieces` of what was flushed or unlinked. True if more is left.
    pub fn bury_some(&mut self, pieces: usize) -> bool {
        for _ in 0..pieces {
            let finished = match self.common.graveyard.last_mut() {
                None => break,
                Some(Remains::Database(database)) => !database.drop_some(),
                Some(Remains::Value(_)) => true,
            };
            if finished {
                self.common.graveyard.pop();
            }
        }
        !self.common.graveyard.is_empty()
    }
}

impl Common {
    fn expired(&mut self, entry: Entry) {
        self.stats.expired += 1;
        self.bury(entry.value);
    }

    /// Drops a value, or puts it by if dropping it takes long.
    fn bury(&mut self, value: Value) {
        if matches!(&value, Value::Large(_) | Value::Raw(_)) && value.heap_bytes() > LARGE_VALUE_BYTES {
            self.graveyard.push(Remains::Value(value));
        }
    }
}

/// The keys of one database of a shard at one moment. An entry that is due is removed when it is met.
pub struct Keys<'s> {
    database: &'s mut Database,
    common: &'s mut Common,
    now_ms: u64,
}

impl Keys<'_> {
    /// Where the key is, if it is there and not due.
    #[inline]
    fn locate(&mut self, hash: u64, key: &[u8]) -> Option<Location> {
        let place = self.database.table.locate(hash, key)?;
        if self.database.table.at(place).deadline.is_due(self.now_ms) {
            self.expire(hash, key);
            return None;
        }
        Some(place)
    }

    #[cold]
    fn expire(&mut self, hash: u64, key: &[u8]) {
        if let Some(entry) = self.database.remove(hash, key) {
            self.common.expired(entry);
        }
    }

    /// Brings what finding these keys will need into the cache, if the database is too large to lie there anyway.
    #[inline]
    pub fn warm(&self, keys: &[&[u8]; WARM_KEYS], count: usize) {
        if self.database.len() >= WARM_ENTRIES_MIN {
            self.database.table.warm(keys, count);
        }
    }

    /// The value for a command that reads it: counts a hit or a miss and notes the access. Strings above
    /// [`LARGE_VALUE_BYTES`] come as [`Value::Large`].
    #[inline]
    pub fn read(&mut self, key: &[u8]) -> Option<&Value> {
        let place = self.meet(key)?;
        self.share_at(place);
        Some(&self.database.table.at(place).value)
    }

    /// As [`Keys::read`], for a command that answers no more than a part of a string or a figure about it: the value
    /// keeps the encoding that it has, so that reading and appending in turn does not change it to and fro.
    pub fn read_part(&mut self, key: &[u8]) -> Option<&Value> {
        let place = self.meet(key)?;
        Some(&self.database.table.at(place).value)
    }

    /// The string of a key for sharing with the network, if it is above [`LARGE_VALUE_BYTES`]: no count, no access noted.
    pub fn share(&mut self, key: &[u8]) -> Option<&Bytes> {
        let hash = self.database.table.hash(key);
        let place = self.locate(hash, key)?;
        self.share_at(place);
        match &self.database.table.at(place).value {
            Value::Large(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Makes a large string ready for sharing.
    #[inline]
    fn share_at(&mut self, place: Location) {
        let entry = self.database.table.at_mut(place);
        if matches!(&entry.value, Value::Raw(bytes) if bytes.len() > LARGE_VALUE_BYTES) {
            let before = entry.charge();
            entry.value.share();
            self.database.used_bytes = self.database.used_bytes - before + entry.charge();
        }
    }

    /// Where the key is; counts a hit or a miss and notes the access.
    #[inline]
    fn meet(&mut self, key: &[u8]) -> Option<Location> {
        let hash = self.database.table.hash(key);
        let Some(place) = self.locate(hash, key) else {
            self.common.stats.misses += 1;
            return None;
        };
        self.common.stats.hits += 1;
        if self.common.touching {
            self.database.table.at_mut(place).touch(self.now_ms);
        }
        Some(place)
    }

    /// The entry for a command that only looks at it: no count, no access noted.
    pub fn peek(&mut self, key: &[u8]) -> Option<&Entry> {
        let hash = self.database.table.hash(key);
        let place = self.locate(hash, key)?;
        Some(self.database.table.at(place))
    }

    /// A copy of an entry, for a command that runs elsewhere. Large strings are shared, not copied.
    pub fn copy(&mut self, key: &[u8]) -> Option<Entry> {
        let hash = self.database.table.hash(key);
        let place = self.locate(hash, key)?;
        let entry = self.database.table.at_mut(place);
        let before = entry.charge();
        entry.value.share();
        let copy = entry.clone();
        self.database.used_bytes = self.database.used_bytes - before + entry.charge();
        Some(copy)
    }

    /// The entry for a command that asks about the key rather than for its value: counts a hit or a miss, but notes no
    /// access.
    pub fn look(&mut self, key: &[u8]) -> Option<&Entry> {
        let hash = self.database.table.hash(key);
        let Some(place) = self.locate(hash, key) else {
            self.common.stats.misses += 1;
            return None;
        };
        self.common.stats.hits += 1;
        Some(self.database.table.at(place))
    }

    /// Notes an access (TOUCH). True if the key is there.
    pub fn touch(&mut self, key: &[u8]) -> bool {
        let Some(place) = self.meet(key) else { return false };
        self.database.table.at_mut(place).touch(self.now_ms);
        true
    }

    /// The value for a command that changes it in place; the account follows when the [`Edit`] is dropped.
    pub fn edit(&mut self, key: &[u8]) -> Option<Edit<'_>> {
        let hash = self.database.table.hash(key);
        let place = self.locate(hash, key)?;
        let entry = self.database.table.at_mut(place);
        if self.common.touching {
            entry.touch(self.now_ms);
        }
        let before = entry.charge();
        let (used_bytes, changes) = (&mut self.database.used_bytes, &mut self.common.stats.changes);
        Some(Edit { entry, used_bytes, changes, before, changed: false })
    }

    /// Sets a string. `None` keeps the deadline of a key that is there.
    #[inline]
    pub fn set_string(&mut self, key: &[u8], bytes: &[u8], deadline: Option<Deadline>) {
        let hash = self.database.table.hash(key);
        self.common.stats.changes += 1;
        let Some(place) = self.locate(hash, key) else {
            let entry = Entry::new(key, Value::string(bytes), deadline.unwrap_or(Deadline::NEVER), self.now_ms);
            return self.database.insert(hash, entry);
        };
        let entry = self.database.table.at_mut(place);
        let before = entry.value.heap_bytes();
        if before > LARGE_VALUE_BYTES {
            self.common.bury(std::mem::replace(&mut entry.value, Value::Int(0)));
        }
        entry.value.assign(bytes);
        if self.common.touching {
            entry.touch(self.now_ms);
        }
        self.database.used_bytes = self.database.used_bytes - before + entry.value.heap_bytes();
        if let Some(deadline) = deadline
            && deadline != entry.deadline
        {
            self.database.set_deadline(hash, key, deadline);
        }
    }

    /// Sets any value, whatever was there.
    pub fn set(&mut self, key: &[u8], value: Value, deadline: Deadline) {
        let hash = self.database.table.hash(key);
        self.common.stats.changes += 1;
        self.discard(hash, key);
        self.database.insert(hash, Entry::new(key, value, deadline, self.now_ms));
    }

    /// Puts an entry that came from elsewhere under `key`, whatever was there.
    pub fn put(&mut self, key: &[u8], entry: Entry) {
        self.set(key, entry.value, entry.deadline);
    }

    /// Takes a key out with everything that belongs to it.
    pub fn take(&mut self, key: &[u8]) -> Option<Entry> {
        let hash = self.database.table.hash(key);
        self.locate(hash, key)?;
        let entry = self.database.remove(hash, key)?;
        self.common.stats.changes += 1;
        Some(entry)
    }

    /// Deletes a key. True if it was there. A large value is dropped later, in slices.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        match self.take(key) {
            Some(entry) => {
                self.common.bury(entry.value);
                true
            }
            None => false,
        }
    }

    /// Gives a key another deadline. True if the key is there.
    pub fn set_deadline(&mut self, key: &[u8], deadline: Deadline) -> bool {
        let hash = self.database.table.hash(key);
        if self.locate(hash, key).is_none() {
            return false;
        }
        self.common.stats.changes += 1;
        self.database.set_deadline(hash, key, deadline);
        true
    }

    /// Dates the last access back to `idle_s` seconds ago (RESTORE with IDLETIME). True if the key is there.
    pub fn set_idle(&mut self, key: &[u8], idle_s: u64) -> bool {
        let hash = self.database.table.hash(key);
        let Some(place) = self.locate(hash, key) else { return false };
        let now_ms = self.now_ms;
        self.database.table.at_mut(place).touch(now_ms.saturating_sub(idle_s.saturating_mul(1000)));
        true
    }

    /// The time that this handle goes by, in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    fn discard(&mut self, hash: u64, key: &[u8]) {
        if let Some(old) = self.database.remove(hash, key) {
            self.common.bury(old.value);
        }
    }
}

/// A value that may be changed in place. Counts as one write if it was (if it was borrowed mutably).
pub struct Edit<'e> {
    entry: &'e mut Entry,
    used_bytes: &'e mut usize,
    changes: &'e mut u64,
    before: usize,
    changed: bool,
}

impl Deref for Edit<'_> {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.entry.value
    }
}

impl DerefMut for Edit<'_> {
    fn deref_mut(&mut self) -> &mut Value {
        self.changed = true;
        &mut self.entry.value
    }
}

impl Drop for Edit<'_> {
    fn drop(&mut self) {
        if self.changed {
            *self.used_bytes = *self.used_bytes - self.before + self.entry.charge();
            *self.changes += 1;
        }
    }
}

//! The shard: what one core owns.

use std::sync::Arc;

use super::budget::{Grant, Pool};
use super::collection::Shapes;
use super::database::Database;
use super::deadline::Deadline;
use super::events::Outbox;
use super::keys::Keys;
use super::lineup::Lineup;
use super::policy::{CandidatePool, clock};
use super::remains::Graveyard;
use super::rules::Rules;
use super::waited::Ready;
use crate::base::{KeyHasher, Now, Rng};
use crate::config::EvictionPolicy;
use crate::limits::{ARENA_BYTES_MAX, FIELDS_EXPIRED_AT_ONCE, GRANT_BYTES, GRANT_KEYS, WARM_ENTRIES_MIN};

/// Counters of one shard, as INFO reports them.
#[derive(Clone, Copy, Debug, Default)]
pub struct ShardStats {
    /// Reads of a key that was there.
    pub hits: u64,
    /// Reads of a key that was not there.
    pub misses: u64,
    /// Keys removed because their deadline had passed.
    pub expired: u64,
    /// Of those, the ones that a sweep found, not a client.
    pub swept: u64,
    /// Fields of hashes removed because their deadline had passed.
    pub expired_fields: u64,
    /// Keys removed to make room.
    pub evicted: u64,
    /// Writes to keys (`rdb_changes_since_last_save`).
    pub changes: u64,
    /// Values packed when they were written, their bytes before and after.
    pub packed: u64,
    /// See [`ShardStats::packed`].
    pub packed_bytes_before: u64,
    /// See [`ShardStats::packed`].
    pub packed_bytes_after: u64,
    /// Objects dropped in slices.
    pub buried: u64,
    /// Events that were not published because too many waited.
    pub events_dropped: u64,
}

/// What the shards of a node share: the limits that all of them together keep to.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of data (`maxmemory`).
    pub bytes: Arc<Pool>,
    /// Keys (`max-keys`).
    pub keys: Arc<Pool>,
}

impl Limits {
    /// Limits of 0, which are none, for so many shards.
    pub fn none(shards: usize) -> Self {
        Self { bytes: Pool::new(0, shards), keys: Pool::new(0, shards) }
    }
}

/// The part of the keyspace that one core owns. Moves whole from thread to thread (see `mesh`).
#[derive(Debug)]
pub struct Shard {
    pub(super) databases: Vec<Database>,
    /// Databases from this number on have never been used.
    pub(super) used_databases: usize,
    pub(super) common: Common,
    /// Which rules it goes by: later ones have a larger number.
    rules_number: u64,
}

/// What is noted of an access to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Tracking {
    /// Nothing.
    None,
    /// That there was one, up to three times.
    Hits,
    /// When it was.
    Recency,
    /// How many there were, on a logarithmic scale that decays.
    Frequency,
}

impl Tracking {
    fn of(rules: &Rules) -> Self {
        match rules.policy {
            _ if rules.counts_hits => Self::Hits,
            policy if policy.keeps_recency() => Self::Recency,
            policy if policy.keeps_frequency() => Self::Frequency,
            EvictionPolicy::AllKeysS3Fifo | EvictionPolicy::VolatileS3Fifo => Self::Hits,
            _ => Self::None,
        }
    }
}

/// What all databases of a shard have in common.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) hasher: KeyHasher,
    /// The latest time that the shard has seen: with a lease, cores with different readings take turns.
    now: Now,
    /// The same, in milliseconds since 1970.
    now_ms: u64,
    /// The same, as the stamp of an access.
    pub(super) lru_now: u32,
    /// What is noted of an access.
    pub(super) tracking: Tracking,
    pub(super) stats: ShardStats,
    /// Commands note the time of their access.
    pub(super) touching: bool,
    pub(super) rules: Rules,
    /// How collections grow.
    pub(super) shapes: Shapes,
    /// What is drawn by chance inside the shard: victims, and whether a hit counts.
    pub(super) rng: Rng,
    pub(super) bytes: Grant,
    pub(super) keys: Grant,
    pub(super) graveyard: Graveyard,
    /// Awaited keys that have changed.
    pub(super) ready: Ready,
    /// What has happened to keys and is to be published.
    pub(super) outbox: Outbox,
    /// The best victims of past samples.
    pub(super) candidates: CandidatePool,
    /// Where a value is packed.
    pub(super) packed: Vec<u8>,
    /// Where a compact collection is changed.
    pub(super) opened: Vec<u8>,
}

const _: () = {
    const fn assert_send<T: Send>() {}
    assert_send::<Shard>();
};

impl Shard {
    /// An empty shard of `databases` databases. All shards of a node share the hasher's function and the limits.
    pub fn new(databases: usize, hasher: KeyHasher, limits: &Limits) -> Self {
        let rules = Rules::default();
        let database = || Database::new(hasher.clone(), Lineup::new(rules.policy));
        Self {
            databases: (0..databases).map(|_| database()).collect(),
            used_databases: 0,
            rules_number: 0,
            common: Common {
                now: Now::default(),
                now_ms: 0,
                lru_now: 0,
                tracking: Tracking::of(&rules),
                stats: ShardStats::default(),
                touching: true,
                rng: Rng::with_seed(hasher.hash(b"shard")),
                bytes: Grant::new(limits.bytes.clone(), GRANT_BYTES),
                keys: Grant::new(limits.keys.clone(), GRANT_KEYS),
                graveyard: Graveyard::default(),
                ready: Ready::new(),
                outbox: Outbox::default(),
                candidates: CandidatePool::default(),
                packed: Vec::new(),
                opened: Vec::new(),
                shapes: Shapes { compact: rules.compact, hasher: hasher.clone() },
                hasher,
                rules,
            },
        }
    }

    /// Goes by other rules from now on. A change of policy takes effect at once, and orders what is there in slices.
    pub fn set_rules(&mut self, rules: &Rules) {
        let before = std::mem::replace(&mut self.common.rules, rules.clone());
        self.common.tracking = Tracking::of(rules);
        self.common.shapes.compact = rules.compact;
        self.common.outbox.ask(rules.events);
        if before.policy != rules.policy {
            self.common.candidates.clear();
            for database in &mut self.databases {
                let lineup =
                    if database.is_empty() { Lineup::new(rules.policy) } else { Lineup::adopting(rules.policy) };
                self.common.graveyard.bury_lineup(std::mem::replace(&mut database.lineup, lineup));
            }
        }
    }

    /// Goes by these rules from now on, unless it already goes by them or by later ones. While a shard is lent, its owner
    /// cannot tell it of a change, so whoever holds it does.
    #[inline]
    pub fn follow(&mut self, number: u64, rules: impl FnOnce() -> Rules) {
        if number > self.rules_number {
            self.rules_number = number;
            self.set_rules(&rules());
        }
    }

    /// Takes note of the time and returns the time to use: never earlier than what the shard has seen before.
    pub fn advance(&mut self, now: Now) -> Now {
        let seen = self.common.now;
        let now = Now { unix_us: seen.unix_us.max(now.unix_us), mono_us: seen.mono_us.max(now.mono_us) };
        self.common.set_now(now);
        now
    }

    /// The keys of one database at one moment.
    #[inline]
    pub fn keys(&mut self, database: usize, now: Now) -> Keys<'_> {
        self.used_databases = self.used_databases.max(database + 1);
        self.common.set_now(now);
        Keys::new(database, &mut self.databases[database], &mut self.common)
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

    /// The databases that have ever been used.
    pub(super) fn used(&self) -> &[Database] {
        &self.databases[..self.used_databases]
    }

    /// Bytes of data: entries, what they hold outside, tables, queues, and what waits to be dropped.
    #[inline]
    pub fn used_bytes(&self) -> usize {
        let databases = self.used().iter().map(|database| database.dataset_bytes() + database.overhead_bytes());
        databases.sum::<usize>() + self.common.graveyard.bytes()
    }

    /// Bytes of entries and of what they hold outside.
    pub fn dataset_bytes(&self) -> usize {
        self.used().iter().map(Database::dataset_bytes).sum()
    }

    /// Bytes of tables and queues alone.
    pub fn overhead_bytes(&self) -> usize {
        self.used().iter().map(Database::overhead_bytes).sum()
    }

    /// Bytes that the process holds for the data: those in use, and what lies empty between them.
    pub fn held_bytes(&self) -> usize {
        self.used().iter().map(Database::held_bytes).sum::<usize>() + self.common.graveyard.bytes()
    }

    /// Keys of all databases, including those that are due and not yet removed.
    #[inline]
    pub fn len(&self) -> usize {
        self.used().iter().map(Database::len).sum()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The counters.
    pub fn stats(&self) -> ShardStats {
        ShardStats { events_dropped: self.common.outbox.dropped, ..self.common.stats }
    }

    /// Sets the counters that CONFIG RESETSTAT resets back to zero.
    pub fn reset_stats(&mut self) {
        self.common.outbox.dropped = 0;
        self.common.stats = ShardStats { changes: self.common.stats.changes, ..ShardStats::default() };
    }

    /// The earliest moment at which [`Shard::expire_some`] may find something.
    pub fn next_due(&self) -> Deadline {
        self.used().iter().map(Database::next_due).min().unwrap_or(Deadline::NEVER)
    }

    /// Removes what has fallen due in at most `blocks` blocks or hashes. True if more may be due.
    pub fn expire_some(&mut self, blocks: usize, now: Now) -> bool {
        let now_ms = now.unix_ms();
        let mut left = blocks;
        for (number, database) in self.databases[..self.used_databases].iter_mut().enumerate() {
            while left > 0
                && let Some(removed) = database.sweep_one(now_ms, number, &mut self.common)
            {
                self.common.stats.expired += removed as u64;
                self.common.stats.swept += removed as u64;
                left -= 1;
            }
            while left > 0
                && let Some(fields) = database.sweep_fields(now_ms, number, FIELDS_EXPIRED_AT_ONCE, &mut self.common)
            {
                self.common.stats.expired_fields += fields as u64;
                left -= 1;
            }
        }
        left == 0 && self.next_due().is_due(now.unix_ms())
    }

    /// Empties one database, at no cost now: what it held is dropped by [`Shard::bury_some`].
    pub fn flush(&mut self, database: usize) {
        self.common.stats.changes += self.databases[database].len() as u64;
        self.give_up(database);
    }

    /// Puts an empty database in the place of one, which is dropped in slices.
    pub(super) fn give_up(&mut self, database: usize) {
        let fresh = Database::new(self.common.hasher.clone(), Lineup::new(self.common.rules.policy));
        let mut old = std::mem::replace(&mut self.databases[database], fresh);
        self.replaced(database, &mut old);
        self.common.graveyard.bury_database(old);
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, first: usize, second: usize) {
        self.databases.swap(first, second);
        self.swapped(first, second);
        self.used_databases = self.used_databases.max(first.max(second) + 1);
        self.common.candidates.clear();
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

    /// Drops a buffer that was never part of the keyspace, by [`Shard::bury_some`] if that takes long.
    pub fn bury_bytes(&mut self, bytes: Vec<u8>) {
        self.common.graveyard.bury_bytes(bytes);
    }

    /// Drops a piece of what was flushed or unlinked, and where those are small, more of them until `is_over`. True if more
    /// is left.
    pub fn bury_some(&mut self, is_over: impl FnMut() -> bool) -> bool {
        self.common.stats.buried += self.common.graveyard.drop_some(is_over);
        self.has_remains()
    }
}

impl Common {
    /// The time that commands go by, in milliseconds since 1970.
    #[inline]
    pub(super) fn now_ms(&self) -> u64 {
        self.now_ms
    }

    #[inline]
    fn set_now(&mut self, now: Now) {
        if now != self.now {
            self.now = now;
            self.now_ms = now.unix_ms();
            self.lru_now = clock::lru_stamp(self.now_ms);
        }
    }
}

const _: () = assert!(GRANT_BYTES * 1024 < ARENA_BYTES_MAX as u64);

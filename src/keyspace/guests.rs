//! Keys that a command needs on another core: how they go there and come back.
//!
//! A command whose keys lie on several cores runs on one of them, on a shard that holds nothing but those keys
//! (`engine::transact`). The keys are its guests. Whoever owns them sends their entries ([`Keys::send`]), the other shard
//! receives them ([`Shard::receive`]), and when the command has run it dismisses them ([`Shard::dismiss`]), which says what
//! their owner is to do ([`Keys::settle`]).
//!
//! No value is copied that lies outside its entry. Only entries lie in the arena of their shard; collections and large
//! strings lie on the heap of the process, so that it is enough to pass on what they hang from:
//!
//! ```text
//! the command ...       the owner keeps                         the guest is
//! reads                 the value, shared                       the value, shared
//! overwrites            the value                               a stand-in of the same type
//! changes               a stand-in, charged like the value      the value
//! ```
//!
//! A shared collection is one allocation more with a count in it, and is owned again by the next change, without a copy:
//! the other reference is gone by then, as nobody changes what a transaction reads. (But for a hash with fields that fall
//! due just then: it is copied.) Whoever lets go last buries it.
//!
//! What an owner was granted for a value goes with it ([`Outcome::share_grants`]).
//!
//! An entry whose value is away stays where it is found, counted and evicted, with its deadline, its place in the queue and
//! its versions. Only what the command has changed is written back, and what it has merely used is noted as used. If the
//! entry has gone meanwhile, the value that comes back is buried, or put there anew if the command has changed it.

use super::database::Found;
use super::entry::{Entry, Kind};
use super::keys::{Keys, New};
use super::position::Position;
use super::shard::{Shard, Tracking};
use super::value::{Object, Value};
use super::watch::Version;
use crate::base::Now;
use crate::limits::LARGE_VALUE_BYTES;

/// What a command does to a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Purpose {
    /// It reads the value.
    Read,
    /// It asks whether the key is there, and overwrites the value without looking at it.
    Overwrite,
    /// It reads the value and changes it.
    Change,
}

/// A key of another shard that has been received.
#[derive(Debug)]
pub struct Guest {
    purpose: Purpose,
    /// What it was like when it came, unless it is only read.
    version: Option<Version>,
    access: Option<u32>,
    /// Bytes of the value that came, unless it is only read.
    heap_bytes: u64,
}

/// What has become of a key, for its owner.
#[derive(Debug)]
pub struct Outcome {
    changed: bool,
    /// `None`: there is no such key now.
    entry: Option<Entry>,
    /// How many bytes the value has more than the one that came; then, what its owner takes over from the others' grants or,
    /// below zero, hands over.
    balance: i64,
}

impl Outcome {
    /// Has what was granted to the owners of values that have shrunk go to those of values that have grown: where a value
    /// has gone from one shard to another, nothing need be evicted for it.
    pub fn share_grants<'o>(outcomes: impl IntoIterator<Item = &'o mut Self>) {
        let outcomes: Vec<&mut Self> = outcomes.into_iter().collect();
        let grown: i64 = outcomes.iter().map(|outcome| outcome.balance.max(0)).sum();
        let shrunk: i64 = outcomes.iter().map(|outcome| outcome.balance.min(0)).sum();
        let moved = grown.min(-shrunk);
        // Of less, a shard has enough at hand.
        let moved = if moved < LARGE_VALUE_BYTES as i64 { 0 } else { moved };
        let (mut taken, mut handed) = (moved, moved);
        for outcome in outcomes {
            let left = if outcome.balance > 0 { &mut taken } else { &mut handed };
            outcome.balance = outcome.balance.clamp(-*left, *left);
            *left -= outcome.balance.abs();
        }
    }
}

impl Purpose {
    /// What a command does that has both purposes with the same key.
    pub fn with(self, other: Self) -> Self {
        if self == other { self } else { Purpose::Change }
    }

    /// Whether the key may be another afterwards.
    pub fn writes(self) -> bool {
        self != Purpose::Read
    }
}

/// The owner's side.
impl Keys<'_> {
    /// The entry of a key, for a command that runs elsewhere.
    pub fn send(&mut self, key: &[u8], purpose: Purpose) -> Option<Entry> {
        let position = self.database.position(key);
        let found = self.locate(position, key)?;
        let mut sent = None;
        if found.header.kind() == Kind::Object && purpose != Purpose::Overwrite {
            self.database.change_object(position, found, |object| {
                sent = Some(match purpose {
                    Purpose::Change => object.value.give_away(),
                    Purpose::Read | Purpose::Overwrite => object.value.share_out(),
                });
            });
        }
        let entry = self.database.entry(found.cell);
        let value = sent.unwrap_or_else(|| match purpose {
            Purpose::Overwrite => Value::Away(entry.value().absent()),
            Purpose::Read | Purpose::Change => entry.value().to_value(),
        });
        Some(Entry { value, deadline: entry.deadline(), access: entry.access(), hits: 0 })
    }

    /// The command has run: this has become of a key that was sent.
    pub fn settle(&mut self, key: &[u8], outcome: Outcome) {
        let position = self.database.position(key);
        let found = self.locate(position, key);
        let Outcome { changed, entry, balance } = outcome;
        let grant = &mut self.common.bytes;
        match balance.unsigned_abs() {
            0 => {}
            amount if balance > 0 => grant.take_over(amount),
            amount => grant.hand_over(amount),
        }
        match (entry, found) {
            (None, None) => {}
            (None, Some(_)) => _ = self.discard(key),
            (Some(entry), Some(found)) if !changed => {
                self.welcome(position, found, entry.value);
                self.note_use(position, found, entry.access, entry.hits);
            }
            (Some(entry), None) if !changed => self.common.graveyard.bury(Object { key: None, value: entry.value }),
            (Some(entry), Some(found)) if self.is_away(found) => {
                self.changed(key);
                let Entry { value, deadline, access, hits } = entry;
                New::with(key, value, |new| self.overwrite(position, found, key, new, Some(deadline)));
                let found = self.database.found(found.place);
                self.note_use(position, found, access, hits);
            }
            (Some(entry), _) => _ = self.put(key, entry),
        }
    }

    fn is_away(&self, found: Found) -> bool {
        self.database.object(found).is_some_and(|object| object.value.is_away())
    }

    /// A value comes back as it was.
    fn welcome(&mut self, position: Position, found: Found, value: Value) {
        if self.is_away(found) {
            self.database.change_object(position, found, |object| object.value = value);
        }
    }

    /// Notes a use as the policy does, of which another shard has kept account by the same rules.
    fn note_use(&mut self, position: Position, found: Found, access: Option<u32>, hits: u8) {
        match (self.common.tracking, access) {
            (Tracking::Hits, _) if hits > 0 => _ = self.hit(found),
            (Tracking::Recency | Tracking::Frequency, Some(stamp)) => _ = self.stamped(position, found, stamp),
            _ => {}
        }
    }
}

/// The side of the command.
impl Shard {
    /// Receives a key of another shard, or learns that it is not there.
    pub fn receive(&mut self, database: usize, key: &[u8], entry: Option<Entry>, purpose: Purpose, now: Now) -> Guest {
        let access = entry.as_ref().and_then(|entry| entry.access);
        let heap_bytes = entry.as_ref().map_or(0, |entry| entry.value.heap_bytes() as u64);
        if let Some(entry) = entry {
            self.keys(database, now).put(key, entry);
        }
        let version = purpose.writes().then(|| self.watch(database, key, now));
        Guest { purpose, version, access, heap_bytes }
    }

    /// Has a guest leave. Answers what has become of it; `None` if its owner need not know.
    pub fn dismiss(&mut self, database: usize, key: &[u8], guest: Guest, now: Now) -> Option<Outcome> {
        let Guest { purpose, version, access, heap_bytes } = guest;
        let mut changed = false;
        if let Some(version) = version {
            changed = !self.is_unchanged(database, key, version, now);
            self.unwatch(database, key);
        }
        let mut keys = self.keys(database, now);
        let Some(mut entry) = keys.take(key) else {
            return changed.then_some(Outcome { changed, entry: None, balance: -(heap_bytes as i64) });
        };
        if !changed && purpose != Purpose::Change {
            let value = std::mem::replace(&mut entry.value, Value::Int(0));
            keys.common.graveyard.bury(Object { key: None, value });
            let is_unused = entry.access == access && entry.hits == 0;
            return (!is_unused).then_some(Outcome { changed, entry: Some(entry), balance: 0 });
        }
        let balance = entry.value.heap_bytes() as i64 - heap_bytes as i64;
        Some(Outcome { changed, entry: Some(entry), balance })
    }
}

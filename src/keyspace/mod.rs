//! One shard's data: entries, value types, deadlines, eviction, memory account and scan.
//!
//! A [`Shard`] holds one [`Database`] per database number; commands reach keys through a short-lived [`Keys`] handle
//! that knows the database and the time. The room knows nothing of protocols, connections, clocks or other shards: time
//! and chance come in as arguments, and a shard is `Send`, because ownership of it moves whole between cores.
//!
//! ```text
//! Shard ── Database 0..15 ─┬─ Table     directory ──▶ blocks of up to 63 places: fingerprint and reference
//!   │                      │                                                │
//!   │                      ├─ Arena     cells of a few sizes: entries  ◀────┘   key, value, deadline
//!   │                      ├─ objects   values that are large or grow  ◀── entry
//!   │                      ├─ Wheel     which blocks have something that falls due, and when
//!   │                      └─ Lineup    queues of 40-bit names, for the policies that go by queues
//!   └─ Common: rules, counters, grants from the node's budget, graveyard
//! ```
//!
//! | file | what |
//! |------|------|
//! | `shard`, `keys`, `edit`, `changes`, `eviction` | what the engine and handlers call |
//! | `database` | one write in all structures at once |
//! | `sweep` | removing what has fallen due |
//! | `position`, `directory`, `block`, `table`, `prefetch` | finding an entry |
//! | `entry`, `value`, `packing`, `deadline` | what an entry is, byte by byte |
//! | `collection` | lists, sets, hashes and sorted sets |
//! | `arena` | where entries lie |
//! | `wheel`, `fields`, `lineup`, `policy`, `budget`, `rules` | when and why an entry goes |
//! | `remains` | what is still to be dropped |
//! | `guests` | keys that a command needs on another core |
//! | `watch`, `waited` | which keys are watched or waited for, and whether they have changed |
//! | `events` | what has happened to keys and is to be published |
//!
//! Invariants: an entry that is due is never given out; every byte of an entry is charged to the account when it comes
//! and credited when it goes; a block's earliest tick is never later than the deadline of any of its entries, and the
//! wheel has an item for it; what the policy counts is what the table holds.

mod arena;
mod block;
mod budget;
mod changes;
pub mod collection;
mod database;
mod deadline;
mod directory;
mod edit;
mod entry;
mod events;
mod eviction;
mod fields;
mod guests;
mod keys;
mod lineup;
mod packing;
pub mod policy;
mod position;
mod prefetch;
mod remains;
mod rules;
mod shard;
mod sweep;
mod table;
mod value;
mod waited;
mod watch;
mod wheel;

pub use arena::{Arena, CellRef};
pub use budget::Pool;
pub use changes::NotACollection;
pub use database::Database;
pub use deadline::Deadline;
pub use edit::Edit;
pub use entry::{Entry, EntryRef};
pub use events::{Event, KeyEvent};
pub use guests::{Guest, Outcome, Purpose};
pub use keys::{Keys, Usage};
pub use rules::Rules;
pub use shard::{Limits, Shard, ShardStats};
pub use table::ScanPosition;
pub use value::{Scratch, Value, ValueRef};
pub use watch::Version;

#[cfg(test)]
mod tests;

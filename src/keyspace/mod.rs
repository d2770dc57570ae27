//! One shard's data: entries, value types, deadlines, memory account and scan.
//!
//! A [`Shard`] holds one [`Database`] per database number; commands reach keys through a short-lived [`Keys`] handle
//! that knows the database and the time. The room knows nothing of protocols, connections, clocks or other shards: time
//! and chance come in as arguments, and a shard is `Send`, because ownership of it moves whole between cores.
//!
//! ```text
//! Shard ── Database 0..15 ── Table: directory by the top bits of the key's hash
//!                              │      [ s0 | s0 | s1 | s2 ]          2^depth places, several may name one segment
//!                              └────▶ Segment: up to 112 entries, earliest deadline
//!                                       Entry: key, value, deadline, last access
//! ```
//!
//! Invariants: an entry that is due is never given out; every byte of an entry is charged to the account when it comes
//! and credited when it goes; a segment's earliest deadline is never later than that of any of its entries.

mod database;
mod entry;
mod shard;
mod table;
mod value;

pub use database::Database;
pub use entry::{Deadline, Entry};
pub use shard::{Edit, Keys, Shard, ShardStats};
pub use table::ScanPosition;
pub use value::Value;

#[cfg(test)]
mod tests;

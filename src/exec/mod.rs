//! What a command does to a shard: one handler per command, one file per family.
//!
//! A [`Handler`] gets the shard, the arguments behind the command's name, the context and the encoder of the reply. It
//! knows nothing of connections, of other cores or of where it runs: the owner of the shard calls it, or whoever has
//! borrowed the shard, or a transaction that has assembled the keys of several shards in one. What speaks for all keys of
//! the node consists of parts that every shard does, in [`scan`] and [`node`].
//!
//! Invariant: an error is returned before anything was written to the reply and before anything was changed.

mod access;
mod big;
mod bitfield;
mod bitmap;
mod bits;
mod draw;
mod dump;
mod element;
mod expire;
mod extended;
mod handlers;
mod hash;
mod hash_expire;
mod hash_number;
mod hash_ttl;
mod hash_walk;
mod keys;
mod lcs;
mod list;
mod list_element;
pub mod node;
mod object;
mod rdb;
pub mod scan;
mod set;
mod set_combine;
mod set_walk;
pub mod sort;
mod string;
mod string_number;
mod string_range;
mod zset;

pub use handlers::{HANDLERS, run};
pub use keys::key_database;
pub use object::debug_object;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use crate::base::{Now, Rng};
use crate::command::Args;
use crate::keyspace::Shard;
use crate::resp::{Reply, ReplyError};

/// What a handler may know beside the shard and the arguments.
#[derive(Debug)]
pub struct Cx<'a> {
    /// The moment at which the command runs.
    pub now: Now,
    /// Number of the database that the client has selected.
    pub database: usize,
    /// Databases of the node.
    pub databases: usize,
    /// Longest string that a command may build (`proto-max-bulk-len`).
    pub bulk_bytes_max: usize,
    /// The core's chance.
    pub rng: &'a mut Rng,
}

/// What a command does.
pub type Handler = fn(&mut Shard, &mut Args<'_>, &mut Cx<'_>, &mut Reply<'_>) -> Result<(), ReplyError>;

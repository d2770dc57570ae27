//! One shard's part of the commands that speak for all keys of the node: DBSIZE, RANDOMKEY, FLUSHDB, FLUSHALL, SWAPDB.
//!
//! Whoever gathers the parts reads the arguments once, lets every shard do its part, and joins the results.

use crate::base::{Now, Rng};
use crate::command::Args;
use crate::keyspace::{Database, Shard};
use crate::resp::{Reply, ReplyError};

/// This shard's part of DBSIZE, to be added up: keys, including those that are due and not yet removed.
pub fn database_size(shard: &Shard, database: usize) -> usize {
    shard.databases().get(database).map_or(0, Database::len)
}

/// A key for RANDOMKEY, drawn from the shards that were asked so far.
#[derive(Clone, Debug, Default)]
pub struct RandomKey {
    key: Option<Box<[u8]>>,
    /// Keys among which it was drawn.
    among: usize,
}

impl RandomKey {
    /// Draws from one shard.
    pub fn draw(shard: &Shard, database: usize, now: Now, rng: &mut Rng) -> Self {
        let Some(database) = shard.databases().get(database) else { return Self::default() };
        match database.random(now.unix_ms(), rng) {
            None => Self::default(),
            Some(entry) => Self { key: Some(entry.key().into()), among: database.len() },
        }
    }

    /// Draws between two drawn keys, so that in the end every key of all shards is about equally likely.
    pub fn join(self, other: Self, rng: &mut Rng) -> Self {
        let among = self.among.saturating_add(other.among);
        let takes_other = other.key.is_some() && rng.usize(..among.max(1)) < other.among;
        Self { key: if takes_other { other.key } else { self.key }, among }
    }

    /// Answers the key, or null if no shard had one.
    pub fn answer(&self, reply: &mut Reply<'_>) {
        match &self.key {
            None => reply.null(),
            Some(key) => reply.bulk(key),
        }
    }
}

/// When FLUSHDB or FLUSHALL is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FlushMode {
    /// When the memory is free again. Redis's default (`lazyfree-lazy-user-flush no`).
    Sync,
    /// At once.
    Async,
}

impl FlushMode {
    /// Reads the arguments of `FLUSHDB [ASYNC | SYNC]`, or FLUSHALL's.
    pub fn parse(args: &mut Args<'_>) -> Result<Self, ReplyError> {
        let mode = match args.keyword_of(&["sync", "async"]) {
            Some(1) => FlushMode::Async,
            _ => FlushMode::Sync,
        };
        args.finish()?;
        Ok(mode)
    }
}

/// This shard's part of FLUSHDB, or of FLUSHALL where no database is named. The keys are gone at once; their memory is
/// freed by [`Shard::bury_some`], for whose end [`FlushMode::Sync`] waits.
pub fn flush(shard: &mut Shard, database: Option<usize>) {
    let all = 0..shard.databases().len();
    for index in all.filter(|&index| database.is_none_or(|database| database == index)) {
        shard.flush(index);
    }
}

/// Reads the arguments of `SWAPDB index1 index2`.
pub fn parse_swap(args: &mut Args<'_>, databases: usize) -> Result<(usize, usize), ReplyError> {
    let mut index = |error| i32::try_from(args.int_or(error)?).map_err(|_| error);
    let (first, second) = (index(ReplyError::InvalidFirstDatabase)?, index(ReplyError::InvalidSecondDatabase)?);
    let in_range = |index| usize::try_from(index).ok().filter(|&index| index < databases);
    in_range(first).zip(in_range(second)).ok_or(ReplyError::DatabaseOutOfRange)
}

/// This shard's part of SWAPDB.
pub fn swap(shard: &mut Shard, first: usize, second: usize) {
    let databases = shard.databases().len();
    if first < databases && second < databases {
        shard.swap(first, second);
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::testing::{Bench, with_args};

    #[test]
    fn sizes_count_what_is_due_and_still_there() {
        let mut bench = Bench::new();
        assert_eq!(database_size(&bench.shard, 0), 0);
        bench.check("SET k v", "+OK");
        bench.check("PEXPIRE k 5", ":1");
        bench.pass_ms(10);
        assert_eq!(database_size(&bench.shard, 0), 1);
        bench.check("GET k", "$-1");
        assert_eq!(database_size(&bench.shard, 0), 0);
        assert_eq!(database_size(&bench.shard, 16), 0);
    }

    #[test]
    fn every_key_of_every_shard_is_drawn_about_equally() {
        let mut rng = Rng::with_seed(9);
        let (mut few, mut many, empty) = (Bench::new(), Bench::new(), Bench::new());
        few.check("SET few v", "+OK");
        for key in 0..9 {
            many.check(&format!("SET many:{key} v"), "+OK");
        }
        let mut drawn_few = 0;
        for round in 0..2000 {
            let mut shards = [&few.shard, &many.shard, &empty.shard];
            shards.rotate_left(round % 3);
            let mut drawn = RandomKey::default();
            for shard in shards {
                let other = RandomKey::draw(shard, 0, few.now(), &mut rng);
                drawn = drawn.join(other, &mut rng);
            }
            assert_eq!(drawn.among, 10);
            drawn_few += usize::from(drawn.key.as_deref() == Some(b"few"));
        }
        assert!((150..250).contains(&drawn_few), "{drawn_few}");
    }

    #[test]
    fn no_key_is_drawn_where_there_is_none() {
        let mut bench = Bench::new();
        let mut rng = Rng::with_seed(9);
        bench.check("SET k v", "+OK");
        bench.check("PEXPIRE k 5", ":1");
        let draw = |bench: &mut Bench, rng: &mut Rng| {
            let drawn = RandomKey::draw(&bench.shard, 0, bench.now(), rng).join(RandomKey::default(), rng);
            bench.reply_of(|_, _, reply| {
                drawn.answer(reply);
                Ok(())
            })
        };
        assert_eq!(draw(&mut bench, &mut rng), "$1 k");
        bench.pass_ms(10);
        assert_eq!(draw(&mut bench, &mut rng), "$-1");
    }

    #[test]
    fn a_flush_takes_one_database_or_all() {
        let mut bench = Bench::new();
        for database in 0..3 {
            bench.database = database;
            bench.check("SET k v", "+OK");
        }
        flush(&mut bench.shard, Some(1));
        assert_eq!([0, 1, 2].map(|database| database_size(&bench.shard, database)), [1, 0, 1]);
        flush(&mut bench.shard, None);
        assert_eq!([0, 1, 2].map(|database| database_size(&bench.shard, database)), [0, 0, 0]);
        while bench.shard.bury_some(1) {}
        assert_eq!(bench.shard.used_bytes(), 0);
    }

    #[test]
    fn flush_modes_are_read() {
        let mode = |text: &str| with_args(text, FlushMode::parse);
        assert_eq!(mode("FLUSHDB"), Ok(FlushMode::Sync));
        assert_eq!(mode("FLUSHALL sync"), Ok(FlushMode::Sync));
        assert_eq!(mode("FLUSHALL ASYNC"), Ok(FlushMode::Async));
        for refused in ["FLUSHDB FOO", "FLUSHDB SYNC ASYNC", "FLUSHALL SYNC FOO"] {
            assert_eq!(mode(refused), Err(ReplyError::Syntax), "{refused}");
        }
    }

    #[test]
    fn databases_are_swapped() {
        let parsed = |text: &str| with_args(text, |args| parse_swap(args, 16));
        assert_eq!(parsed("SWAPDB 0 15"), Ok((0, 15)));
        assert_eq!(parsed("SWAPDB 0 0"), Ok((0, 0)));
        assert_eq!(parsed("SWAPDB 0 16"), Err(ReplyError::DatabaseOutOfRange));
        assert_eq!(parsed("SWAPDB -1 0"), Err(ReplyError::DatabaseOutOfRange));
        assert_eq!(parsed("SWAPDB x y"), Err(ReplyError::InvalidFirstDatabase));
        assert_eq!(parsed("SWAPDB 99999999999 y"), Err(ReplyError::InvalidFirstDatabase));
        assert_eq!(parsed("SWAPDB 99 y"), Err(ReplyError::InvalidSecondDatabase));
        assert_eq!(parsed("SWAPDB 0 99999999999"), Err(ReplyError::InvalidSecondDatabase));
        let mut bench = Bench::new();
        bench.check("SET k v", "+OK");
        swap(&mut bench.shard, 0, 3);
        bench.check("EXISTS k", ":0");
        bench.database = 3;
        bench.check("GET k", "$1 v");
        swap(&mut bench.shard, 3, 16);
        bench.check("GET k", "$1 v");
    }
}

//! One shard's part of the commands that speak for all keys of the node: DBSIZE, RANDOMKEY, FLUSHDB, FLUSHALL, SWAPDB.
//!
//! DBSIZE and RANDOMKEY are values that whoever gathers them adds up or draws from. The others are handlers that a
//! transaction over all shards runs on each: as every shard gets the same arguments, either all refuse or none.

use super::Cx;
use crate::base::{Now, Rng, SlotId};
use crate::command::Args;
use crate::keyspace::{Database, Shard};
use crate::resp::{Reply, ReplyError};

/// This shard's part of DBSIZE, to be added up: keys, including those that are due and not yet removed.
pub fn database_size(shard: &Shard, database: usize) -> usize {
    shard.databases().get(database).map_or(0, Database::len)
}

/// Keys of a slot, for the shard that owns it, including those that are due and not yet removed.
pub fn slot_size(shard: &Shard, database: usize, slot: SlotId) -> usize {
    shard.databases().get(database).map_or(0, |database| database.slot_len(slot))
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

/// `FLUSHDB [ASYNC | SYNC]`, one shard's part. Either way the keys are gone at once, and their memory is freed in slices by
/// [`Shard::bury_some`]: to wait for its end would hold up a client and give it nothing to see.
pub(super) fn flushdb(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    read_flush_mode(args)?;
    shard.flush(cx.database);
    reply.ok();
    Ok(())
}

/// `FLUSHALL [ASYNC | SYNC]`, one shard's part; see [`flushdb`].
pub(super) fn flushall(
    shard: &mut Shard,
    args: &mut Args<'_>,
    _: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    read_flush_mode(args)?;
    for database in 0..shard.databases().len() {
        shard.flush(database);
    }
    reply.ok();
    Ok(())
}

fn read_flush_mode(args: &mut Args<'_>) -> Result<(), ReplyError> {
    args.keyword_of(&["sync", "async"]);
    args.finish()
}

/// `SWAPDB index1 index2`, one shard's part.
pub(super) fn swapdb(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut index = |error| i32::try_from(args.int_or(error)?).map_err(|_| error);
    let (first, second) = (index(ReplyError::InvalidFirstDatabase)?, index(ReplyError::InvalidSecondDatabase)?);
    let in_range = |index| usize::try_from(index).ok().filter(|&index| index < cx.databases);
    let (first, second) = in_range(first).zip(in_range(second)).ok_or(ReplyError::DatabaseOutOfRange)?;
    shard.swap(first, second);
    reply.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::testing::Bench;

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
        let sizes = |bench: &Bench| [0, 1, 2].map(|database| database_size(&bench.shard, database));
        for refused in ["FLUSHDB FOO", "FLUSHDB SYNC ASYNC", "FLUSHALL SYNC FOO"] {
            bench.check(refused, "-ERR syntax error");
        }
        assert_eq!(sizes(&bench), [1, 1, 1]);
        bench.check("FLUSHDB", "+OK");
        assert_eq!(sizes(&bench), [1, 1, 0]);
        bench.database = 1;
        bench.check("FLUSHDB async", "+OK");
        assert_eq!(sizes(&bench), [1, 0, 0]);
        bench.check("SET k v", "+OK");
        bench.check("FLUSHALL SYNC", "+OK");
        assert_eq!(sizes(&bench), [0, 0, 0]);
        while bench.shard.bury_some(|| true) {}
        assert_eq!(bench.shard.used_bytes(), 0);
    }

    #[test]
    fn databases_are_swapped() {
        let mut bench = Bench::new();
        bench.check("SET k v", "+OK");
        bench.check("SWAPDB 0 16", "-ERR DB index is out of range");
        bench.check("SWAPDB -1 0", "-ERR DB index is out of range");
        bench.check("SWAPDB x y", "-ERR invalid first DB index");
        bench.check("SWAPDB 99999999999 y", "-ERR invalid first DB index");
        bench.check("SWAPDB 99 y", "-ERR invalid second DB index");
        bench.check("SWAPDB 0 99999999999", "-ERR invalid second DB index");
        bench.check("SWAPDB 0 0", "+OK");
        bench.check("EXISTS k", ":1");
        bench.check("SWAPDB 0 15", "+OK");
        bench.check("EXISTS k", ":0");
        bench.database = 15;
        bench.check("GET k", "$1 v");
    }
}

//! Keys of any type: whether they are there, and under which name in which database.
//!
//! RENAME and COPY have two keys, and COPY's second may lie in another database. Where the two belong to different
//! shards, a transaction has assembled them on one before the handler runs; [`key_database`] tells it where each lies.

use super::Cx;
use crate::command::{Args, CommandId};
use crate::keyspace::{Entry, Event, Keys, Shard};
use crate::resp::{Reply, ReplyError, Request};

/// `DEL key [key ...]`, `UNLINK key [key ...]`
pub(super) fn del(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(count(args, |key| keys.delete(key)));
    Ok(())
}

/// `EXISTS key [key ...]`
pub(super) fn exists(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(count(args, |key| keys.look(key).is_some()));
    Ok(())
}

/// `TOUCH key [key ...]`
pub(super) fn touch(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(count(args, |key| keys.touch(key)));
    Ok(())
}

/// `TYPE key`
pub(super) fn type_name(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.simple(keys.look(args.next()?).map_or("none", |entry| entry.value().type_name()));
    Ok(())
}

/// `RENAME key newkey`
pub(super) fn rename(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let (old, new) = (args.next()?, args.next()?);
    if keys.peek(old).is_none() {
        return Err(ReplyError::NoSuchKey);
    }
    if old != new
        && let Some(entry) = keys.take(old)
    {
        put_renamed(&mut keys, old, new, entry);
    }
    reply.ok();
    Ok(())
}

/// Puts an entry that was taken from one name under another. In Redis, whatever was there has made way before, so the name
/// counts as a new key.
fn put_renamed(keys: &mut Keys<'_>, old: &[u8], new: &[u8], entry: Entry) {
    keys.put(new, entry);
    keys.notify(Event::NEW, new);
    keys.notify(Event::RENAME_FROM, old);
    keys.notify(Event::RENAME_TO, new);
}

/// `RENAMENX key newkey`
pub(super) fn renamenx(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let (old, new) = (args.next()?, args.next()?);
    if keys.peek(old).is_none() {
        return Err(ReplyError::NoSuchKey);
    }
    // A key is in its own way, too.
    let free = keys.peek(new).is_none();
    if free && let Some(entry) = keys.take(old) {
        put_renamed(&mut keys, old, new, entry);
    }
    reply.integer(i64::from(free));
    Ok(())
}

/// `COPY source destination [DB destination-db] [REPLACE]`
pub(super) fn copy(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (source, destination) = (args.next()?, args.next()?);
    let options = CopyOptions::parse(args, cx.databases)?;
    let database = options.database.unwrap_or(cx.database);
    if database == cx.database && source == destination {
        return Err(ReplyError::SameObject);
    }
    let copied = copy_key(shard, cx, source, (database, destination), options.replace);
    reply.integer(i64::from(copied));
    Ok(())
}

fn copy_key(shard: &mut Shard, cx: &Cx<'_>, source: &[u8], destination: (usize, &[u8]), replace: bool) -> bool {
    let (database, destination) = destination;
    if !shard.keys(cx.database, cx.now).touch(source) {
        return false;
    }
    if !replace && shard.keys(database, cx.now).peek(destination).is_some() {
        return false;
    }
    let Some(entry) = shard.keys(cx.database, cx.now).copy(source) else { return false };
    let mut keys = shard.keys(database, cx.now);
    keys.put(destination, entry);
    keys.notify(Event::NEW, destination);
    keys.notify(Event::COPY_TO, destination);
    true
}

/// What may follow the two keys of COPY.
#[derive(Clone, Copy, Default)]
struct CopyOptions {
    database: Option<usize>,
    replace: bool,
}

impl CopyOptions {
    fn parse(args: &mut Args<'_>, databases: usize) -> Result<Self, ReplyError> {
        let mut options = Self::default();
        while !args.is_empty() {
            match args.keyword_of(&["replace", "db"]) {
                Some(0) => options.replace = true,
                Some(_) if !args.is_empty() => options.database = Some(database_index(args, databases)?),
                _ => return Err(ReplyError::Syntax),
            }
        }
        Ok(options)
    }
}

/// `MOVE key db`
pub(super) fn move_key(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let database = database_index(args, cx.databases)?;
    if database == cx.database {
        return Err(ReplyError::SameObject);
    }
    let free = shard.keys(database, cx.now).peek(key).is_none();
    let entry = if free { shard.keys(cx.database, cx.now).take(key) } else { None };
    reply.integer(i64::from(entry.is_some()));
    if let Some(entry) = entry {
        let mut keys = shard.keys(database, cx.now);
        keys.put(key, entry);
        keys.notify(Event::NEW, key);
        shard.keys(cx.database, cx.now).notify(Event::MOVE_FROM, key);
        shard.keys(database, cx.now).notify(Event::MOVE_TO, key);
    }
    Ok(())
}

/// The database in which the key at argument `key_index` of `request` lies: the selected one, but for the destination of
/// `COPY ... DB n`. A request that COPY would refuse names no other database. MOVE is left out, as its one key lies in two
/// databases and therefore on one shard.
pub fn key_database(
    command: CommandId,
    request: Request<'_>,
    key_index: usize,
    selected: usize,
    databases: usize,
) -> usize {
    const DESTINATION: usize = 2;
    if command != CommandId::Copy || key_index != DESTINATION {
        return selected;
    }
    let mut args = Args::new(command.command(), request);
    let options = args.next().and_then(|_| args.next()).and_then(|_| CopyOptions::parse(&mut args, databases));
    options.ok().and_then(|options| options.database).unwrap_or(selected)
}

/// The next argument as the number of a database.
fn database_index(args: &mut Args<'_>, databases: usize) -> Result<usize, ReplyError> {
    let number = i32::try_from(args.int()?).map_err(|_| ReplyError::OutOfRange32)?;
    usize::try_from(number).ok().filter(|&index| index < databases).ok_or(ReplyError::DatabaseOutOfRange)
}

/// For how many of the keys `is_one` holds, a key that stands twice counting twice.
#[inline]
fn count(args: &mut Args<'_>, mut is_one: impl FnMut(&[u8]) -> bool) -> i64 {
    let mut count = 0;
    while let Ok(key) = args.next() {
        count += i64::from(is_one(key));
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::testing::{Bench, with_request};

    #[test]
    fn keys_are_counted_as_often_as_they_stand() {
        let mut bench = Bench::new();
        bench.check("SET a 1", "+OK");
        bench.check("SET b 2", "+OK");
        bench.check("EXISTS a a b c", ":3");
        bench.check("TOUCH a a b c", ":3");
        bench.check("DEL a a c", ":1");
        bench.check("UNLINK a b", ":1");
        bench.check("EXISTS a b", ":0");
    }

    #[test]
    fn questions_about_a_key_count_as_hits_and_misses_but_are_no_access() {
        let mut bench = Bench::new();
        bench.check("SET k v", "+OK");
        bench.pass_ms(5000);
        for (command, hits) in [
            ("TYPE", 1),
            ("EXISTS", 1),
            ("TTL", 1),
            ("EXPIRETIME", 1),
            ("OBJECT ENCODING", 1),
            ("OBJECT REFCOUNT", 1),
            ("PERSIST", 0),
            ("MEMORY USAGE", 0),
        ] {
            bench.shard.reset_stats();
            bench.run_text(&format!("{command} k"));
            bench.run_text(&format!("{command} none"));
            let stats = bench.shard.stats();
            assert_eq!((stats.hits, stats.misses), (hits, hits), "{command}");
            bench.check("OBJECT IDLETIME k", ":5");
        }
        bench.check("TOUCH k", ":1");
        bench.check("OBJECT IDLETIME k", ":0");
    }

    #[test]
    fn a_type_has_a_name() {
        let mut bench = Bench::new();
        bench.check("TYPE k", "+none");
        bench.check("SET k v", "+OK");
        bench.check("TYPE k", "+string");
    }

    #[test]
    fn a_renamed_key_keeps_its_deadline_and_replaces() {
        let mut bench = Bench::new();
        bench.check("RENAME a b", "-ERR no such key");
        bench.check("RENAME a a", "-ERR no such key");
        bench.check("RENAMENX a a", "-ERR no such key");
        bench.check("SET a 1", "+OK");
        bench.check("EXPIRE a 10", ":1");
        bench.check("SET b 2", "+OK");
        bench.check("RENAMENX a b", ":0");
        bench.check("RENAME a a", "+OK");
        bench.check("RENAMENX a a", ":0");
        bench.check("RENAME a b", "+OK");
        bench.check("GET b", "$1 1");
        bench.check("TTL b", ":10");
        bench.check("EXISTS a", ":0");
        bench.check("RENAMENX b a", ":1");
        bench.check("TTL a", ":10");
        bench.check("SET c 3", "+OK");
        bench.check("RENAME c a", "+OK");
        bench.check("TTL a", ":-1");
    }

    #[test]
    fn a_key_that_is_due_is_not_there() {
        let mut bench = Bench::new();
        bench.check("SET a 1", "+OK");
        bench.check("PEXPIRE a 10", ":1");
        bench.check("SET b 2", "+OK");
        bench.pass_ms(11);
        bench.check("RENAME a c", "-ERR no such key");
        bench.check("COPY a c", ":0");
        bench.check("MOVE a 1", ":0");
        bench.check("RENAMENX b a", ":1");
        bench.check("EXISTS a", ":1");
    }

    #[test]
    fn copies_keep_value_deadline_and_encoding() {
        let mut bench = Bench::new();
        bench.check("COPY a b", ":0");
        bench.check("SET a 17", "+OK");
        bench.check("EXPIRE a 10", ":1");
        bench.check("COPY a b", ":1");
        bench.check("COPY a b", ":0");
        bench.check("TTL b", ":10");
        bench.check("OBJECT ENCODING b", "$3 int");
        bench.check("SET a x", "+OK");
        bench.check("COPY a b replace", ":1");
        bench.check("TTL b", ":-1");
        bench.check("GET b", "$1 x");
        bench.check("GET a", "$1 x");
        bench.check("COPY a a", "-ERR source and destination objects are the same");
        bench.check("COPY none none DB 0", "-ERR source and destination objects are the same");
    }

    #[test]
    fn a_large_copy_is_a_value_of_its_own() {
        let mut bench = Bench::new();
        let large = "v".repeat(100_000);
        bench.check(&format!("SET a {large}"), "+OK");
        bench.check("COPY a b", ":1");
        bench.check("DEL a", ":1");
        while bench.shard.bury_some(|| true) {}
        bench.check("GET b", &format!("$100000 {large}"));
    }

    #[test]
    fn copy_goes_to_another_database() {
        let mut bench = Bench::new();
        bench.check("SET a 1", "+OK");
        bench.check("COPY a a DB 3", ":1");
        bench.check("COPY a a DB 3", ":0");
        bench.check("COPY a b DB 9 DB 3 REPLACE", ":1");
        bench.database = 3;
        bench.check("EXISTS a b", ":2");
        bench.check("COPY a c DB -1", "-ERR DB index is out of range");
        bench.check("COPY a c DB 16 FOO", "-ERR DB index is out of range");
        bench.check("COPY a c FOO DB 16", "-ERR syntax error");
        bench.check("COPY a c DB", "-ERR syntax error");
        bench.check("COPY a c DB x", "-ERR value is not an integer or out of range");
        bench.check(
            "COPY a c DB 99999999999",
            "-ERR value is out of range, value must between -2147483648 and 2147483647",
        );
    }

    #[test]
    fn move_takes_a_key_to_another_database() {
        let mut bench = Bench::new();
        bench.check("MOVE k 1", ":0");
        bench.check("MOVE k 0", "-ERR source and destination objects are the same");
        bench.check("MOVE k 16", "-ERR DB index is out of range");
        bench.check("MOVE k x", "-ERR value is not an integer or out of range");
        bench.check("MOVE k -99999999999", "-ERR value is out of range, value must between -2147483648 and 2147483647");
        bench.check("SET k v", "+OK");
        bench.check("EXPIRE k 5", ":1");
        bench.check("MOVE k 1", ":1");
        bench.check("EXISTS k", ":0");
        bench.check("SET k w", "+OK");
        bench.check("MOVE k 1", ":0");
        bench.database = 1;
        bench.check("TTL k", ":5");
        bench.check("GET k", "$1 v");
    }

    #[test]
    fn the_database_of_a_key_follows_the_options_of_copy() {
        let database = |text: &str, key_index| {
            with_request(text, |command, request| key_database(command.id, request, key_index, 5, 16))
        };
        assert_eq!(database("COPY a b DB 3", 1), 5);
        assert_eq!(database("COPY a b DB 3", 2), 3);
        assert_eq!(database("COPY a b REPLACE DB 2 DB 4", 2), 4);
        assert_eq!(database("COPY a b", 2), 5);
        for refused in ["COPY a b DB 16", "COPY a b DB", "COPY a b DB 3 FOO", "COPY a b DB x", "RENAME a b"] {
            assert_eq!(database(refused, 2), 5, "{refused}");
        }
    }
}

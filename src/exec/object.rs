//! How a value is stored: OBJECT, MEMORY USAGE and DEBUG OBJECT.

use super::{Cx, rdb};
use crate::command::Args;
use crate::keyspace::{EntryRef, Shard, Usage, ValueRef};
use crate::resp::{Reply, ReplyError};

/// Numbers from 0 to below this are one object each in Redis, shared by all keys, and their count of references is fixed.
const SHARED_INTEGERS: i64 = 10_000;
/// The count of references that Redis shows for a shared object.
const SHARED_REFERENCES: i64 = i32::MAX as i64;

/// `OBJECT ENCODING key`
pub(super) fn encoding(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    match shard.keys(cx.database, cx.now).inspect(args.next()?) {
        None => reply.null(),
        Some(entry) => reply.bulk(entry.value().encoding_name().as_bytes()),
    }
    Ok(())
}

/// `OBJECT FREQ key`
pub(super) fn freq(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    match shard.keys(cx.database, cx.now).usage(args.next()?) {
        None => reply.null(),
        Some(Usage::Frequency(frequency)) => reply.integer(frequency.into()),
        Some(_) => return Err(ReplyError::LfuNotSelected),
    }
    Ok(())
}

/// `OBJECT IDLETIME key`
pub(super) fn idletime(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    match shard.keys(cx.database, cx.now).usage(args.next()?) {
        None => reply.null(),
        Some(Usage::Idle(idle_s)) => reply.integer(idle_s.into()),
        Some(Usage::Frequency(_)) => return Err(ReplyError::LfuSelected),
        Some(Usage::Unknown) => return Err(ReplyError::IdleTimeNotTracked),
    }
    Ok(())
}

/// `OBJECT REFCOUNT key`
pub(super) fn refcount(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    match shard.keys(cx.database, cx.now).inspect(args.next()?) {
        None => reply.null(),
        Some(entry) => reply.integer(references(entry)),
    }
    Ok(())
}

/// `MEMORY USAGE key [SAMPLES count]`
pub(super) fn memory_usage(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    while !args.is_empty() {
        // How many elements of a collection to weigh; what we charge is exact without.
        if !args.keyword("samples") || args.is_empty() || args.int()? < 0 {
            return Err(ReplyError::Syntax);
        }
    }
    match shard.keys(cx.database, cx.now).charge(key) {
        None => reply.null(),
        Some(bytes) => reply.integer(i64::try_from(bytes).unwrap_or(i64::MAX)),
    }
    Ok(())
}

/// `DEBUG OBJECT key [FAST]` on the shard of its key; `args` stands behind `OBJECT`.
pub fn debug_object(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    use std::fmt::Write;
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let idle_s = match keys.usage_uncounted(key).ok_or(ReplyError::NoSuchKey)? {
        Usage::Idle(idle_s) => idle_s,
        Usage::Frequency(_) | Usage::Unknown => 0,
    };
    let entry = keys.peek(key).ok_or(ReplyError::NoSuchKey)?;
    let now_ms = cx.now.unix_ms();
    // An address would tell a client how the process lies in memory, and nothing else.
    let mut line = format!("Value at:0x0 refcount:{} encoding:{}", references(entry), entry.value().encoding_name());
    if !args.keyword("fast") {
        _ = write!(line, " serializedlength:{}", rdb::value_bytes(entry.value()));
    }
    // Redis keeps the low 24 bits of the second of the last access.
    let accessed_s = (now_ms / 1000).saturating_sub(idle_s.into()) & 0xFF_FFFF;
    _ = write!(line, " lru:{accessed_s} lru_seconds_idle:{idle_s}");
    reply.simple(&line);
    Ok(())
}

fn references(entry: EntryRef<'_>) -> i64 {
    match entry.value() {
        ValueRef::Int(0..SHARED_INTEGERS) => SHARED_REFERENCES,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use crate::command::{Args, CommandId};
    use crate::exec::testing::{Bench, START_MS, with_request};

    #[test]
    fn a_missing_key_has_no_object() {
        let mut bench = Bench::new();
        for subcommand in ["ENCODING", "FREQ", "IDLETIME", "REFCOUNT"] {
            bench.check(&format!("OBJECT {subcommand} k"), "$-1");
        }
        bench.check("MEMORY USAGE k", "$-1");
    }

    #[test]
    fn objects_are_described_as_by_redis() {
        let mut bench = Bench::new();
        bench.check("SET k 9999", "+OK");
        bench.check("OBJECT ENCODING k", "$3 int");
        bench.check("OBJECT REFCOUNT k", ":2147483647");
        bench.check("SET k 10000", "+OK");
        bench.check("OBJECT REFCOUNT k", ":1");
        bench.check("SET k -1", "+OK");
        bench.check("OBJECT REFCOUNT k", ":1");
        bench.check("SET k abc", "+OK");
        bench.check("OBJECT ENCODING k", "$6 embstr");
        bench.check(&format!("SET k {}", "x".repeat(45)), "+OK");
        bench.check("OBJECT ENCODING k", "$3 raw");
        bench.pass_ms(3_900);
        bench.check("OBJECT IDLETIME k", ":3");
        bench.check(
            "OBJECT FREQ k",
            "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
             between policies at runtime LRU and LFU data will take some time to adjust.",
        );
    }

    #[test]
    fn memory_usage_reads_its_options_first() {
        let mut bench = Bench::new();
        bench.check("MEMORY USAGE k FOO", "-ERR syntax error");
        bench.check("MEMORY USAGE k SAMPLES", "-ERR syntax error");
        bench.check("MEMORY USAGE k SAMPLES -1", "-ERR syntax error");
        bench.check("MEMORY USAGE k SAMPLES x", "-ERR value is not an integer or out of range");
        bench.check(&format!("SET k {}", "x".repeat(1000)), "+OK");
        let answer = bench.run_text("MEMORY USAGE k samples 0 SAMPLES 5");
        let bytes: usize = answer.trim_start_matches(':').parse().expect("an integer");
        assert!(bytes <= bench.shard.used_bytes());
        assert!((1000..1200).contains(&bytes), "{bytes}");
    }

    #[test]
    fn debug_object_has_the_fields_of_redis() {
        let mut bench = Bench::new();
        let debug = |bench: &mut Bench, text: &str| {
            with_request(text, |_, request| {
                let mut args = Args::new(CommandId::Debug.command(), request);
                args.next().expect("OBJECT");
                bench.reply_of(|shard, cx, reply| super::debug_object(shard, &mut args, cx, reply))
            })
        };
        assert_eq!(debug(&mut bench, "DEBUG OBJECT k"), "-ERR no such key");
        bench.check("SET k 300", "+OK");
        bench.pass_ms(2_000);
        let accessed = (START_MS / 1000) & 0xFF_FFFF;
        assert_eq!(
            debug(&mut bench, "DEBUG OBJECT k"),
            format!(
                "+Value at:0x0 refcount:2147483647 encoding:int serializedlength:3 lru:{accessed} lru_seconds_idle:2"
            )
        );
        assert_eq!(
            debug(&mut bench, "DEBUG OBJECT k fast"),
            format!("+Value at:0x0 refcount:2147483647 encoding:int lru:{accessed} lru_seconds_idle:2")
        );
    }
}

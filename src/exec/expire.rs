//! Deadlines of keys.
//!
//! Redis reckons deadlines in milliseconds since 1970 as signed 64-bit numbers. A time that is past deletes the key at
//! once, so what is stored is never negative and never above `i64::MAX`.

use super::Cx;
use crate::command::{Args, number};
use crate::keyspace::{Deadline, EntryRef, Event, Shard};
use crate::resp::{Reply, ReplyError};

const SECOND_MS: i64 = 1000;

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub(super) fn expire(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let time = Time { unit_ms: SECOND_MS, start_ms: unix_ms(cx), name: "expire" };
    set_deadline(shard, args, cx, reply, time)
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
pub(super) fn pexpire(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let time = Time { unit_ms: 1, start_ms: unix_ms(cx), name: "pexpire" };
    set_deadline(shard, args, cx, reply, time)
}

/// `EXPIREAT key unix-time-seconds [NX | XX | GT | LT]`
pub(super) fn expireat(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    set_deadline(shard, args, cx, reply, Time { unit_ms: SECOND_MS, start_ms: 0, name: "expireat" })
}

/// `PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT]`
pub(super) fn pexpireat(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    set_deadline(shard, args, cx, reply, Time { unit_ms: 1, start_ms: 0, name: "pexpireat" })
}

/// How a command of the EXPIRE family counts time.
#[derive(Clone, Copy)]
struct Time {
    unit_ms: i64,
    /// What its argument counts from, in milliseconds since 1970.
    start_ms: i64,
    /// The command, for its error.
    name: &'static str,
}

impl Time {
    /// The moment that `text` names, in milliseconds since 1970.
    fn read(self, text: &[u8]) -> Result<i64, ReplyError> {
        let count = number::integer(text).ok_or(ReplyError::NotInteger)?;
        let ms = count.checked_mul(self.unit_ms).and_then(|ms| ms.checked_add(self.start_ms));
        ms.ok_or(ReplyError::InvalidExpire(self.name))
    }
}

fn set_deadline(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &Cx<'_>,
    reply: &mut Reply<'_>,
    time: Time,
) -> Result<(), ReplyError> {
    let (key, text) = (args.next()?, args.next()?);
    let mut condition = Condition::default();
    while !args.is_empty() {
        if !condition.take(args) {
            // Redis quotes the option as a C string.
            let option = args.next()?.split(|&byte| byte == 0).next().unwrap_or_default();
            reply.error_bytes(&[b"ERR Unsupported option ", option].concat());
            return Ok(());
        }
    }
    condition.check()?;
    let when_ms = time.read(text)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let allowed = keys.peek(key).is_some_and(|entry| condition.allows(entry.deadline(), when_ms));
    if allowed {
        match u64::try_from(when_ms) {
            Ok(when_ms) if when_ms > keys.now_ms() => {
                keys.set_deadline(key, Deadline::at(when_ms));
                keys.notify(Event::EXPIRE, key);
            }
            _ => _ = keys.delete(key),
        }
    }
    reply.integer(i64::from(allowed));
    Ok(())
}

/// When the EXPIRE family may change a deadline.
#[derive(Clone, Copy, Default)]
struct Condition {
    if_none: bool,
    if_any: bool,
    if_later: bool,
    if_earlier: bool,
}

impl Condition {
    /// Takes the next argument if it is a condition.
    fn take(&mut self, args: &mut Args<'_>) -> bool {
        match args.keyword_of(&["nx", "xx", "gt", "lt"]) {
            Some(0) => self.if_none = true,
            Some(1) => self.if_any = true,
            Some(2) => self.if_later = true,
            Some(_) => self.if_earlier = true,
            None => return false,
        }
        true
    }

    fn check(self) -> Result<(), ReplyError> {
        if self.if_none && (self.if_any || self.if_later || self.if_earlier) {
            return Err(ReplyError::ExpireOptions);
        }
        if self.if_later && self.if_earlier {
            return Err(ReplyError::ExpireGtAndLt);
        }
        Ok(())
    }

    /// Whether `current` may become `when_ms`. A key without a deadline counts as one whose deadline is never reached.
    fn allows(self, current: Deadline, when_ms: i64) -> bool {
        let (is_set, current_ms) = match current.unix_ms() {
            None => (false, i64::MAX),
            Some(ms) => (true, i64::try_from(ms).unwrap_or(i64::MAX)),
        };
        !(self.if_none && is_set
            || self.if_any && !is_set
            || self.if_later && (!is_set || when_ms <= current_ms)
            || self.if_earlier && is_set && when_ms >= current_ms)
    }
}

/// `PERSIST key`
pub(super) fn persist(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let mut keys = shard.keys(cx.database, cx.now);
    let is_set = keys.peek(key).is_some_and(|entry| entry.deadline() != Deadline::NEVER);
    if is_set {
        keys.set_deadline(key, Deadline::NEVER);
        keys.notify(Event::PERSIST, key);
    }
    reply.integer(i64::from(is_set));
    Ok(())
}

/// `TTL key`
pub(super) fn ttl(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let now_ms = cx.now.unix_ms();
    answer_deadline(shard, args, cx, reply, |deadline_ms| seconds(deadline_ms.saturating_sub(now_ms)))
}

/// `PTTL key`
pub(super) fn pttl(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let now_ms = cx.now.unix_ms();
    answer_deadline(shard, args, cx, reply, |deadline_ms| deadline_ms.saturating_sub(now_ms))
}

/// `EXPIRETIME key`
pub(super) fn expiretime(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer_deadline(shard, args, cx, reply, seconds)
}

/// `PEXPIRETIME key`
pub(super) fn pexpiretime(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer_deadline(shard, args, cx, reply, |deadline_ms| deadline_ms)
}

/// Answers what `show` makes of the key's deadline: -1 without a deadline, -2 without a key.
fn answer_deadline(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &Cx<'_>,
    reply: &mut Reply<'_>,
    show: impl Fn(u64) -> u64,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let deadline = keys.look(args.next()?).map(EntryRef::deadline);
    reply.integer(match deadline.map(Deadline::unix_ms) {
        None => -2,
        Some(None) => -1,
        Some(Some(deadline_ms)) => i64::try_from(show(deadline_ms)).unwrap_or(i64::MAX),
    });
    Ok(())
}

/// Milliseconds as seconds, to the nearest.
fn seconds(ms: u64) -> u64 {
    ms.saturating_add(500) / 1000
}

fn unix_ms(cx: &Cx<'_>) -> i64 {
    i64::try_from(cx.now.unix_ms()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use crate::exec::testing::{Bench, START_MS};

    #[test]
    fn a_key_lives_until_its_deadline() {
        let mut bench = Bench::new();
        bench.check("EXPIRE k 10", ":0");
        bench.check("TTL k", ":-2");
        bench.check("PTTL k", ":-2");
        bench.check("SET k v", "+OK");
        bench.check("TTL k", ":-1");
        bench.check("EXPIRETIME k", ":-1");
        bench.check("EXPIRE k 10", ":1");
        bench.check("TTL k", ":10");
        bench.pass_ms(9_499);
        bench.check("PTTL k", ":501");
        bench.check("TTL k", ":1");
        bench.pass_ms(2);
        bench.check("TTL k", ":0");
        bench.pass_ms(499);
        bench.check("PTTL k", ":0");
        bench.check("GET k", "$1 v");
        bench.pass_ms(1);
        bench.check("PTTL k", ":-2");
        bench.check("GET k", "$-1");
    }

    #[test]
    fn moments_are_absolute_or_from_now() {
        let mut bench = Bench::new();
        bench.check("SET k v", "+OK");
        bench.check("PEXPIRE k 1499", ":1");
        bench.check("PEXPIRETIME k", &format!(":{}", START_MS + 1499));
        bench.check("EXPIRETIME k", &format!(":{}", (START_MS + 1499 + 500) / 1000));
        bench.check(&format!("EXPIREAT k {}", START_MS / 1000 + 7), ":1");
        bench.check("EXPIRETIME k", &format!(":{}", START_MS / 1000 + 7));
        bench.check(&format!("PEXPIREAT k {}", START_MS + 7), ":1");
        bench.check("PTTL k", ":7");
        bench.check("PERSIST k", ":1");
        bench.check("PERSIST k", ":0");
        bench.check("PERSIST none", ":0");
        bench.check("TTL k", ":-1");
    }

    #[test]
    fn a_past_moment_deletes_at_once() {
        let mut bench = Bench::new();
        for command in ["EXPIRE k -1", "EXPIRE k 0", "PEXPIRE k 0", "EXPIREAT k 1", "PEXPIREAT k -9223372036854775808"]
        {
            bench.check("SET k v", "+OK");
            bench.check(command, ":1");
            assert_eq!(bench.shard.databases()[0].len(), 0, "{command}");
        }
        bench.check("SET k v", "+OK");
        bench.check("EXPIRE k 5", ":1");
        bench.check("EXPIRE k -1 GT", ":0");
        bench.check("EXPIRE k -1 LT", ":1");
        bench.check("EXISTS k", ":0");
    }

    #[test]
    fn conditions_decide() {
        let mut bench = Bench::new();
        bench.check("SET k v", "+OK");
        bench.check("EXPIRE k 10 XX", ":0");
        bench.check("EXPIRE k 10 GT", ":0");
        bench.check("EXPIRE k 10 NX", ":1");
        bench.check("EXPIRE k 20 nx NX", ":0");
        bench.check("EXPIRE k 5 GT", ":0");
        bench.check("EXPIRE k 10 GT", ":0");
        bench.check("EXPIRE k 10 LT", ":0");
        bench.check("EXPIRE k 20 XX GT", ":1");
        bench.check("TTL k", ":20");
        bench.check("EXPIRE k 30 LT", ":0");
        bench.check("EXPIRE k 10 LT XX", ":1");
        bench.check("TTL k", ":10");
        bench.check("PERSIST k", ":1");
        bench.check("EXPIRE k 10 LT XX", ":0");
        bench.check("EXPIRE k 10 LT", ":1");
    }

    #[test]
    fn mistakes_in_redis_order() {
        let mut bench = Bench::new();
        let options = "-ERR NX and XX, GT or LT options at the same time are not compatible";
        bench.check("EXPIRE k x foo", "-ERR Unsupported option foo");
        bench.check("EXPIRE k x NX XX foo\\x00bar", "-ERR Unsupported option foo");
        bench.check("EXPIRE k x NX XX", options);
        bench.check("EXPIRE k x NX GT LT", options);
        bench.check("EXPIRE k x GT LT", "-ERR GT and LT options at the same time are not compatible");
        bench.check("EXPIRE k x", "-ERR value is not an integer or out of range");
        bench.check("EXPIRE k 9223372036854775807", "-ERR invalid expire time in 'expire' command");
        bench.check("EXPIRE k 9223372036854775", "-ERR invalid expire time in 'expire' command");
        bench.check("EXPIRE k -9223372036854776", "-ERR invalid expire time in 'expire' command");
        bench.check("PEXPIRE k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command");
        bench.check("EXPIREAT k 9223372036854776", "-ERR invalid expire time in 'expireat' command");
        bench.check("PEXPIREAT k 9223372036854775808", "-ERR value is not an integer or out of range");
    }

    #[test]
    fn the_latest_moment_can_be_asked_for() {
        let mut bench = Bench::new();
        bench.check("SET k v", "+OK");
        bench.check("PEXPIREAT k 9223372036854775807", ":1");
        bench.check("PEXPIRETIME k", ":9223372036854775807");
        bench.check("EXPIRETIME k", ":9223372036854776");
        bench.check("PTTL k", &format!(":{}", i64::MAX as u64 - START_MS));
        bench.check("PEXPIREAT k 9223372036854775807 GT", ":0");
        bench.check("EXPIREAT k 9223372036854775 LT", ":1");
    }
}

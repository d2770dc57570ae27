//! Strings: whole values.

use super::{Cx, access};
use crate::command::{Args, number};
use crate::keyspace::{Deadline, Event, Scratch, Shard, ValueRef};
use crate::resp::{Reply, ReplyError};

/// `GET key`
pub(super) fn get(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    string_reply(access::read(&mut shard.keys(cx.database, cx.now), args.next()?)?, reply);
    Ok(())
}

/// `MGET key [key ...]`
pub(super) fn mget(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.array(args.remaining());
    while let Ok(key) = args.next() {
        // What is not a string is as if it were not there.
        string_reply(access::read(&mut keys, key).unwrap_or(None), reply);
    }
    Ok(())
}

/// `STRLEN key`
pub(super) fn strlen(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(access::read_part(&mut keys, args.next()?)?.map_or(0, ValueRef::string_len) as i64);
    Ok(())
}

/// `GETDEL key`
pub(super) fn getdel(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let mut keys = shard.keys(cx.database, cx.now);
    string_reply(access::read(&mut keys, key)?, reply);
    keys.delete(key);
    Ok(())
}

/// `GETSET key value`
pub(super) fn getset(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, value) = (args.next()?, args.next()?);
    let mut keys = shard.keys(cx.database, cx.now);
    string_reply(access::read(&mut keys, key)?, reply);
    keys.set_string(key, value, Some(Deadline::NEVER));
    keys.notify(Event::SET, key);
    Ok(())
}

/// `GETEX key [EX seconds | PX milliseconds | EXAT unix-seconds | PXAT unix-milliseconds | PERSIST]`
pub(super) fn getex(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let options = Options::parse(args, Verb::Getex)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let now_ms = keys.now_ms();
    let value = access::read(&mut keys, key)?;
    let deadline = match options.lifetime {
        // Redis does not look at the number before it has found the key.
        Lifetime::Until(expiry) if value.is_some() => Some(expiry.deadline(now_ms, "getex")?),
        Lifetime::Forever => Some(Deadline::NEVER),
        Lifetime::Until(_) | Lifetime::Unsaid | Lifetime::AsBefore => None,
    };
    string_reply(value, reply);
    match deadline {
        None => {}
        // A moment that has passed deletes the key at once, so that the deletion counts as a write.
        Some(deadline) if deadline <= Deadline::at(now_ms) => {
            keys.delete(key);
        }
        Some(Deadline::NEVER) => {
            let is_set = keys.peek(key).is_some_and(|entry| entry.deadline() != Deadline::NEVER);
            if is_set {
                keys.set_deadline(key, Deadline::NEVER);
                keys.notify(Event::PERSIST, key);
            }
        }
        Some(deadline) => {
            keys.set_deadline(key, deadline);
            keys.notify(Event::EXPIRE, key);
        }
    }
    Ok(())
}

/// `SET key value [NX | XX] [GET] [EX seconds | PX milliseconds | EXAT unix-seconds | PXAT unix-milliseconds | KEEPTTL]`
pub(super) fn set(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, value) = (args.next()?, args.next()?);
    if !args.is_empty() {
        return set_with_options(shard, key, value, args, cx, reply);
    }
    let mut keys = shard.keys(cx.database, cx.now);
    keys.set_string(key, value, Some(Deadline::NEVER));
    keys.notify(Event::SET, key);
    reply.ok();
    Ok(())
}

fn set_with_options(
    shard: &mut Shard,
    key: &[u8],
    value: &[u8],
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let options = Options::parse(args, Verb::Set)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let deadline = match options.lifetime {
        Lifetime::Until(expiry) => Some(expiry.deadline(keys.now_ms(), "set")?),
        Lifetime::AsBefore => None,
        Lifetime::Unsaid | Lifetime::Forever => Some(Deadline::NEVER),
    };
    if options.get {
        string_reply(access::read(&mut keys, key)?, reply);
    }
    let holds = match options.condition {
        None => true,
        Some(Condition::Absent) => keys.peek(key).is_none(),
        Some(Condition::Present) => keys.peek(key).is_some(),
    };
    if holds {
        keys.set_string(key, value, deadline);
        keys.notify(Event::SET, key);
        if matches!(options.lifetime, Lifetime::Until(_)) {
            keys.notify(Event::EXPIRE, key);
        }
    }
    match (options.get, holds) {
        (true, _) => {}
        (false, true) => reply.ok(),
        (false, false) => reply.null(),
    }
    Ok(())
}

/// `SETNX key value`
pub(super) fn setnx(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, value) = (args.next()?, args.next()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let absent = keys.peek(key).is_none();
    if absent {
        keys.set_string(key, value, Some(Deadline::NEVER));
        keys.notify(Event::SET, key);
    }
    reply.integer(absent.into());
    Ok(())
}

/// `SETEX key seconds value`
pub(super) fn setex(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    set_expiring(shard, args, cx, reply, Unit::Seconds, "setex")
}

/// `PSETEX key milliseconds value`
pub(super) fn psetex(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    set_expiring(shard, args, cx, reply, Unit::Milliseconds, "psetex")
}

fn set_expiring(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
    unit: Unit,
    command: &'static str,
) -> Result<(), ReplyError> {
    let (key, text, value) = (args.next()?, args.next()?, args.next()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let deadline = Expiry { unit, text }.deadline(keys.now_ms(), command)?;
    keys.set_string(key, value, Some(deadline));
    keys.notify(Event::SET, key);
    keys.notify(Event::EXPIRE, key);
    reply.ok();
    Ok(())
}

/// `MSET key value [key value ...]`
pub(super) fn mset(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    if !args.remaining().is_multiple_of(2) {
        return Err(ReplyError::WrongArity("mset"));
    }
    let mut keys = shard.keys(cx.database, cx.now);
    while let (Ok(key), Ok(value)) = (args.next(), args.next()) {
        keys.set_string(key, value, Some(Deadline::NEVER));
        keys.notify(Event::SET, key);
    }
    reply.ok();
    Ok(())
}

/// `MSETNX key value [key value ...]`
pub(super) fn msetnx(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    if !args.remaining().is_multiple_of(2) {
        return Err(ReplyError::WrongArity("msetnx"));
    }
    let mut keys = shard.keys(cx.database, cx.now);
    let mut ahead = *args;
    while let (Ok(key), Ok(_)) = (ahead.next(), ahead.next()) {
        if keys.peek(key).is_some() {
            reply.integer(0);
            return Ok(());
        }
    }
    while let (Ok(key), Ok(value)) = (args.next(), args.next()) {
        keys.set_string(key, value, Some(Deadline::NEVER));
        keys.notify(Event::SET, key);
    }
    reply.integer(1);
    Ok(())
}

/// Answers a string that was read, or that it is not there, in the cheapest way.
#[inline]
fn string_reply(value: Option<ValueRef<'_>>, reply: &mut Reply<'_>) {
    match value {
        None => reply.null(),
        Some(ValueRef::Int(number)) => reply.bulk_integer(number),
        Some(ValueRef::Embedded(bytes) | ValueRef::Raw(bytes)) => reply.bulk(bytes),
        Some(ValueRef::Large(bytes)) => reply.bulk_shared(bytes),
        Some(packed) => reply.bulk(packed.string_bytes(&mut Scratch::default())),
    }
}

/// Whose options are read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Set,
    Getex,
}

/// What SET and GETEX take behind their fixed arguments.
struct Options<'a> {
    condition: Option<Condition>,
    get: bool,
    lifetime: Lifetime<'a>,
}

/// What SET asks of the key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Condition {
    Absent,
    Present,
}

/// How long the key is to live.
#[derive(Clone, Copy)]
enum Lifetime<'a> {
    Unsaid,
    /// KEEPTTL
    AsBefore,
    /// PERSIST
    Forever,
    Until(Expiry<'a>),
}

impl<'a> Options<'a> {
    /// Reads all arguments that are left. An option may be repeated (the last one counts), but not contradicted.
    fn parse(args: &mut Args<'a>, verb: Verb) -> Result<Self, ReplyError> {
        let mut options = Options { condition: None, get: false, lifetime: Lifetime::Unsaid };
        while !args.is_empty() {
            let of_set = verb == Verb::Set;
            if of_set && options.condition != Some(Condition::Present) && args.keyword("nx") {
                options.condition = Some(Condition::Absent);
            } else if of_set && options.condition != Some(Condition::Absent) && args.keyword("xx") {
                options.condition = Some(Condition::Present);
            } else if of_set && args.keyword("get") {
                options.get = true;
            } else {
                options.lifetime = options.lifetime.then(args, verb)?;
            }
        }
        Ok(options)
    }
}

impl<'a> Lifetime<'a> {
    /// Reads one option, where `self` is what the ones before it said.
    fn then(self, args: &mut Args<'a>, verb: Verb) -> Result<Self, ReplyError> {
        match self {
            Lifetime::Unsaid | Lifetime::AsBefore if verb == Verb::Set && args.keyword("keepttl") => {
                return Ok(Lifetime::AsBefore);
            }
            Lifetime::Unsaid | Lifetime::Forever if verb == Verb::Getex && args.keyword("persist") => {
                return Ok(Lifetime::Forever);
            }
            Lifetime::AsBefore | Lifetime::Forever => return Err(ReplyError::Syntax),
            Lifetime::Unsaid | Lifetime::Until(_) => {}
        }
        let at = args.keyword_of(&["ex", "px", "exat", "pxat"]).ok_or(ReplyError::Syntax)?;
        let unit = [Unit::Seconds, Unit::Milliseconds, Unit::UnixSeconds, Unit::UnixMilliseconds][at];
        match self {
            Lifetime::Until(before) if before.unit != unit => Err(ReplyError::Syntax),
            _ => Ok(Lifetime::Until(Expiry { unit, text: args.next()? })),
        }
    }
}

/// A moment as a client wrote it. The number is read late: in Redis, every other mistake comes first.
#[derive(Clone, Copy)]
struct Expiry<'a> {
    unit: Unit,
    text: &'a [u8],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Seconds,
    Milliseconds,
    UnixSeconds,
    UnixMilliseconds,
}

impl Expiry<'_> {
    /// The moment as a deadline. `command` is named in the error where it lies outside what 64 bits hold.
    fn deadline(self, now_ms: u64, command: &'static str) -> Result<Deadline, ReplyError> {
        let amount = number::integer(self.text).ok_or(ReplyError::NotInteger)?;
        let milliseconds = match self.unit {
            Unit::Seconds | Unit::UnixSeconds => amount.checked_mul(1000),
            Unit::Milliseconds | Unit::UnixMilliseconds => Some(amount),
        };
        let start = match self.unit {
            Unit::Seconds | Unit::Milliseconds => i64::try_from(now_ms).unwrap_or(i64::MAX),
            Unit::UnixSeconds | Unit::UnixMilliseconds => 0,
        };
        milliseconds
            .filter(|&milliseconds| milliseconds > 0)
            .and_then(|milliseconds| milliseconds.checked_add(start))
            .and_then(|unix_ms| u64::try_from(unix_ms).ok())
            .map(Deadline::at)
            .ok_or(ReplyError::InvalidExpire(command))
    }
}

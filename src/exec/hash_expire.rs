//! Hashes: deadlines of fields.
//!
//! As Redis does, times are never negative and at most 46 bits of milliseconds. A time that is past deletes the field at
//! once.

use super::element::element_reply;
use super::{Cx, access};
use crate::command::{Args, number};
use crate::keyspace::collection::{CollectionRef, Hash, Shapes};
use crate::keyspace::{Event, Keys, Shard, ValueRef};
use crate::resp::{Reply, ReplyError};

/// Latest deadline of a field, in milliseconds since 1970.
const DEADLINE_MAX_MS: u64 = (1 << 46) - 1;
const SECOND_MS: u64 = 1000;

/// There is no such field.
const NO_FIELD: i64 = -2;
/// The condition does not hold.
const REFUSED: i64 = 0;
const SET: i64 = 1;
/// The moment has passed.
const DELETED: i64 = 2;

/// How a command counts time.
#[derive(Clone, Copy)]
struct Clock {
    unit_ms: u64,
    /// What its argument counts from, in milliseconds since 1970.
    start_ms: u64,
    /// The command, for its error.
    name: &'static str,
}

impl Clock {
    /// The moment that an argument stands for, in milliseconds since 1970.
    fn read(self, text: &[u8]) -> Result<u64, ReplyError> {
        let time = number::integer(text).ok_or(ReplyError::NotInteger)?;
        let time = u64::try_from(time).map_err(|_| ReplyError::ExpireNegative)?;
        let unix_ms = time.checked_mul(self.unit_ms).and_then(|ms| ms.checked_add(self.start_ms));
        unix_ms.filter(|unix_ms| *unix_ms <= DEADLINE_MAX_MS).ok_or(ReplyError::InvalidExpire(self.name))
    }

    /// The clock of one of the options EX, PX, EXAT and PXAT, if the next argument is one.
    fn option(args: &mut Args<'_>, cx: &Cx<'_>, name: &'static str) -> Option<Self> {
        let (unit_ms, start_ms) = match args.keyword_of(&["ex", "px", "exat", "pxat"])? {
            0 => (SECOND_MS, cx.now.unix_ms()),
            1 => (1, cx.now.unix_ms()),
            2 => (SECOND_MS, 0),
            _ => (1, 0),
        };
        Some(Self { unit_ms, start_ms, name })
    }
}

/// Whether there is a hash at a key; an error if there is something else.
pub(super) fn check_hash(keys: &mut Keys<'_>, key: &[u8]) -> Result<bool, ReplyError> {
    match keys.peek(key).map(|entry| entry.value()) {
        None => Ok(false),
        Some(ValueRef::Collection(CollectionRef::Hash(_))) => Ok(true),
        Some(_) => Err(ReplyError::WrongType),
    }
}

/// Reads `FIELDS numfields`, behind which nothing but so many fields may stand; `bad_count` is what to say of another number.
pub(super) fn fields(args: &mut Args<'_>, bad_count: ReplyError) -> Result<(), ReplyError> {
    if !args.keyword("fields") {
        return Err(ReplyError::FieldsMissing);
    }
    let count = args.next().ok().and_then(number::integer).filter(|count| *count > 0).ok_or(bad_count)?;
    let matches = usize::try_from(count).is_ok_and(|count| count == args.remaining());
    if matches { Ok(()) } else { Err(ReplyError::FieldCountMismatch) }
}

/// `HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub(super) fn hexpire(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let clock = Clock { unit_ms: SECOND_MS, start_ms: cx.now.unix_ms(), name: "hexpire" };
    set_deadlines(shard, args, cx, reply, clock)
}

/// `HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub(super) fn hpexpire(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let clock = Clock { unit_ms: 1, start_ms: cx.now.unix_ms(), name: "hpexpire" };
    set_deadlines(shard, args, cx, reply, clock)
}

/// `HEXPIREAT key unix-time-seconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub(super) fn hexpireat(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let clock = Clock { unit_ms: SECOND_MS, start_ms: 0, name: "hexpireat" };
    set_deadlines(shard, args, cx, reply, clock)
}

/// `HPEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...]`
pub(super) fn hpexpireat(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let clock = Clock { unit_ms: 1, start_ms: 0, name: "hpexpireat" };
    set_deadlines(shard, args, cx, reply, clock)
}

fn set_deadlines(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &Cx<'_>,
    reply: &mut Reply<'_>,
    clock: Clock,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let is_there = check_hash(&mut keys, key)?;
    let unix_ms = clock.read(args.next()?)?;
    let condition = Condition::parse(args);
    fields(args, ReplyError::FieldCountZero)?;
    reply.array(args.remaining());
    if !is_there {
        (0..args.remaining()).for_each(|_| reply.integer(NO_FIELD));
        return Ok(());
    }
    let now_ms = keys.now_ms();
    access::change_hash(&mut keys, key, false, |hash, shapes| {
        let mut event = None;
        while let Ok(field) = args.next() {
            let outcome = if hash.as_ref().get(field).is_none() {
                NO_FIELD
            } else if !condition.allows(hash.as_ref().deadline(field), unix_ms) {
                REFUSED
            } else {
                put_deadline(hash, field, unix_ms, now_ms, shapes)
            };
            event = event.or(event_of(outcome));
            reply.integer(outcome);
        }
        (event, ())
    })?;
    Ok(())
}

/// Gives a field that is there a deadline, or deletes it if that has passed.
fn put_deadline(hash: &mut Hash, field: &[u8], unix_ms: u64, now_ms: u64, shapes: &Shapes) -> i64 {
    if unix_ms <= now_ms {
        hash.remove(field);
        return DELETED;
    }
    hash.set_deadline(field, unix_ms, shapes);
    SET
}

/// The event that a new deadline is: all fields of a command get the same one.
fn event_of(outcome: i64) -> Option<Event> {
    match outcome {
        SET => Some(Event::HEXPIRE),
        DELETED => Some(Event::HDEL),
        _ => None,
    }
}

/// When the deadline of a field may change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Condition {
    Always,
    IfNone,
    IfAny,
    IfLater,
    IfEarlier,
}

impl Condition {
    fn parse(args: &mut Args<'_>) -> Self {
        match args.keyword_of(&["nx", "xx", "gt", "lt"]) {
            None => Condition::Always,
            Some(0) => Condition::IfNone,
            Some(1) => Condition::IfAny,
            Some(2) => Condition::IfLater,
            Some(_) => Condition::IfEarlier,
        }
    }

    /// Whether `current` may become `unix_ms`. No deadline counts as one that is never reached.
    fn allows(self, current: Option<u64>, unix_ms: u64) -> bool {
        match self {
            Condition::Always => true,
            Condition::IfNone => current.is_none(),
            Condition::IfAny => current.is_some(),
            Condition::IfLater => current.is_some_and(|current| unix_ms > current),
            Condition::IfEarlier => current.is_none_or(|current| unix_ms < current),
        }
    }
}

/// `HGETDEL key FIELDS numfields field [field ...]`
pub(super) fn hgetdel(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let is_there = check_hash(&mut keys, key)?;
    fields(args, ReplyError::FieldCountNotPositive)?;
    reply.array(args.remaining());
    if !is_there {
        (0..args.remaining()).for_each(|_| reply.null());
        return Ok(());
    }
    access::change_hash(&mut keys, key, false, |hash, _| {
        let mut changed = false;
        while let Ok(field) = args.next() {
            element_reply(hash.as_ref().get(field), reply);
            changed |= hash.remove(field);
        }
        (changed.then_some(Event::HDEL), ())
    })?;
    Ok(())
}

/// `HGETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST] FIELDS numfields field [field ...]`
pub(super) fn hgetex(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let is_there = check_hash(&mut keys, key)?;
    let deadline = match Clock::option(args, cx, "hgetex") {
        None => None,
        Some(clock) => Some(clock.read(args.next()?)?),
    };
    let persist = deadline.is_none() && args.keyword("persist");
    fields(args, ReplyError::FieldCountNotPositive)?;
    reply.array(args.remaining());
    if !is_there {
        (0..args.remaining()).for_each(|_| reply.null());
        return Ok(());
    }
    let now_ms = keys.now_ms();
    access::change_hash(&mut keys, key, false, |hash, shapes| {
        let mut event = None;
        while let Ok(field) = args.next() {
            let value = hash.as_ref().get(field);
            element_reply(value, reply);
            if value.is_none() {
                continue;
            }
            if let Some(unix_ms) = deadline {
                event = event_of(put_deadline(hash, field, unix_ms, now_ms, shapes));
            } else if persist && hash.persist(field) {
                event = Some(Event::HPERSIST);
            }
        }
        (event, ())
    })?;
    Ok(())
}

/// `HSETEX key [FNX | FXX] [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL] FIELDS numfields field value [...]`
pub(super) fn hsetex(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let Some(options) = SetOptions::parse(args, cx, reply)? else { return Ok(()) };
    let mut keys = shard.keys(cx.database, cx.now);
    let now_ms = keys.now_ms();
    let is_set = access::change_hash(&mut keys, key, true, |hash, shapes| {
        let mut pairs = *args;
        while let (Some(if_there), Ok(field), Ok(_)) = (options.if_there, pairs.next(), pairs.next()) {
            if hash.as_ref().get(field).is_some() != if_there {
                return (None, false);
            }
        }
        let mut pairs = *args;
        while let (Ok(field), Ok(value)) = (pairs.next(), pairs.next()) {
            if options.keep {
                hash.replace(field, value, shapes);
            } else {
                hash.set(field, value, shapes);
            }
        }
        (Some(Event::HSET), true)
    })?;
    let is_set = is_set.unwrap_or_default();
    if is_set && let Some(unix_ms) = options.deadline {
        // An event of its own, and another change if the fields go at once.
        access::change_hash(&mut keys, key, false, |hash, shapes| {
            let mut event = None;
            while let (Ok(field), Ok(_)) = (args.next(), args.next()) {
                if hash.as_ref().get(field).is_some() {
                    event = event_of(put_deadline(hash, field, unix_ms, now_ms, shapes));
                }
            }
            (event, ())
        })?;
    }
    reply.integer(is_set.into());
    Ok(())
}

/// What may stand between the key of HSETEX and its fields.
#[derive(Clone, Copy, Default)]
struct SetOptions {
    /// Only if all fields are there, or only if none is.
    if_there: Option<bool>,
    deadline: Option<u64>,
    /// The deadlines stay.
    keep: bool,
}

impl SetOptions {
    /// Reads them up to the first field. `None`: the error is written.
    fn parse(args: &mut Args<'_>, cx: &Cx<'_>, reply: &mut Reply<'_>) -> Result<Option<Self>, ReplyError> {
        let mut options = Self::default();
        loop {
            if args.keyword("fields") {
                if args.remaining() < 3 {
                    return Err(ReplyError::WrongArity("hsetex"));
                }
                let count = number::integer(args.next()?).filter(|count| (1..=i64::from(i32::MAX)).contains(count));
                let count = count.ok_or(ReplyError::FieldCountInvalid)?;
                let matches = usize::try_from(count).is_ok_and(|count| 2 * count == args.remaining());
                return if matches { Ok(Some(options)) } else { Err(ReplyError::WrongArity("hsetex")) };
            }
            let has_expiration = options.keep || options.deadline.is_some();
            if let Some(clock) = Clock::option(args, cx, "hsetex") {
                if has_expiration {
                    return Err(ReplyError::FieldExpirations);
                }
                let time = args.next().map_err(|_| ReplyError::ExpireMissing)?;
                options.deadline = Some(clock.read(time)?);
                continue;
            }
            match args.keyword_of(&["keepttl", "fnx", "fxx"]) {
                Some(0) if has_expiration => return Err(ReplyError::FieldExpirations),
                Some(0) => options.keep = true,
                Some(_) if options.if_there.is_some() => return Err(ReplyError::FieldConditions),
                Some(condition) => options.if_there = Some(condition == 2),
                None => {
                    // Redis quotes the argument as a C string.
                    let argument = args.next().map_err(|_| ReplyError::WrongArity("hsetex"))?;
                    let argument = argument.split(|byte| *byte == 0).next().unwrap_or_default();
                    reply.error_bytes(&[b"ERR unknown argument: ", argument].concat());
                    return Ok(None);
                }
            }
        }
    }
}

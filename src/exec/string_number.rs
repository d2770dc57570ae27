//! Strings: values that are numbers.

use super::extended::Extended;
use super::{Cx, access};
use crate::command::{Args, number};
use crate::keyspace::{Deadline, Event, Scratch, Shard, Value, ValueRef};
use crate::resp::{Reply, ReplyError};

/// `INCR key`
pub(super) fn incr(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    add(shard, args.next()?, 1, cx, reply)
}

/// `DECR key`
pub(super) fn decr(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    add(shard, args.next()?, -1, cx, reply)
}

/// `INCRBY key increment`
pub(super) fn incrby(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, increment) = (args.next()?, args.int()?);
    add(shard, key, increment, cx, reply)
}

/// `DECRBY key decrement`
pub(super) fn decrby(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, decrement) = (args.next()?, args.int()?);
    add(shard, key, decrement.checked_neg().ok_or(ReplyError::DecrementOverflow)?, cx, reply)
}

/// `INCRBYFLOAT key increment`
pub(super) fn incrbyfloat(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, increment) = (args.next()?, args.next()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let sum = if let Some(edit) = access::edit(&mut keys, key)? {
        let sum = float_sum(Some(edit.value()), increment)?;
        edit.set_text(sum.as_bytes());
        sum
    } else {
        let sum = float_sum(None, increment)?;
        keys.set(key, Value::text(sum.as_bytes()), Deadline::NEVER);
        sum
    };
    keys.notify(Event::INCRBYFLOAT, key);
    reply.bulk(sum.as_bytes());
    Ok(())
}

/// The sum of the number that a string is and of one that a client wrote, as text.
fn float_sum(value: Option<ValueRef<'_>>, increment: &[u8]) -> Result<String, ReplyError> {
    let value = match value {
        None => Some(Extended::from(0)),
        Some(ValueRef::Int(number)) => Some(Extended::from(number)),
        Some(text) => Extended::parse(text.string_bytes(&mut Scratch::default())),
    };
    let value = value.ok_or(ReplyError::NotFloat)?;
    let increment = Extended::parse(increment).ok_or(ReplyError::NotFloat)?;
    Ok(value.checked_add(&increment).ok_or(ReplyError::IncrementNotFinite)?.text())
}

/// Adds to the integer of a key, where a key that is not there holds zero.
#[inline]
fn add(
    shard: &mut Shard,
    key: &[u8],
    increment: i64,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let sum = if let Some(edit) = access::edit(&mut keys, key)? {
        let before = integer(edit.value()).ok_or(ReplyError::NotInteger)?;
        let sum = before.checked_add(increment).ok_or(ReplyError::IncrementOverflow)?;
        edit.set_number(sum);
        sum
    } else {
        keys.set(key, Value::Int(increment), Deadline::NEVER);
        increment
    };
    keys.notify(Event::INCRBY, key);
    reply.integer(sum);
    Ok(())
}

/// The integer that a string is, in whatever encoding.
#[inline]
fn integer(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Int(number) => Some(number),
        text => number::integer(text.string_bytes(&mut Scratch::default())),
    }
}

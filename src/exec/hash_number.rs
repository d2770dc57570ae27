//! Hashes: values that are numbers.

use super::extended::Extended;
use super::{Cx, access};
use crate::command::{Args, number};
use crate::keyspace::collection::pack::{Digits, Element};
use crate::keyspace::{Event, Shard};
use crate::resp::{Reply, ReplyError};

/// `HINCRBY key field increment`
pub(super) fn hincrby(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, field, increment) = (args.next()?, args.next()?, args.int()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let sum = access::change_hash(&mut keys, key, true, |hash, shapes| {
        let sum = integer_sum(hash.as_ref().get(field), increment);
        if let Ok(sum) = sum {
            hash.replace(field, Digits::new().format(sum).as_bytes(), shapes);
        }
        (sum.is_ok().then_some(Event::HINCRBY), sum)
    })?;
    reply.integer(sum.unwrap_or(Ok(0))?);
    Ok(())
}

fn integer_sum(value: Option<Element<'_>>, increment: i64) -> Result<i64, ReplyError> {
    let value = match value {
        None => 0,
        Some(Element::Int(value)) => value,
        Some(value) => number::integer(value.bytes(&mut Digits::new())).ok_or(ReplyError::HashNotInteger)?,
    };
    value.checked_add(increment).ok_or(ReplyError::IncrementOverflow)
}

/// `HINCRBYFLOAT key field increment`
pub(super) fn hincrbyfloat(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, field) = (args.next()?, args.next()?);
    let increment = Extended::parse(args.next()?).ok_or(ReplyError::NotFloat)?;
    if !increment.is_finite() {
        return Err(ReplyError::NotFinite);
    }
    let mut keys = shard.keys(cx.database, cx.now);
    let sum = access::change_hash(&mut keys, key, true, |hash, shapes| {
        let sum = float_sum(hash.as_ref().get(field), &increment);
        if let Ok(sum) = &sum {
            hash.replace(field, sum.as_bytes(), shapes);
        }
        (sum.is_ok().then_some(Event::HINCRBYFLOAT), sum)
    })?;
    reply.bulk(sum.unwrap_or(Ok(String::new()))?.as_bytes());
    Ok(())
}

fn float_sum(value: Option<Element<'_>>, increment: &Extended) -> Result<String, ReplyError> {
    let value = match value {
        None => Some(Extended::from(0)),
        Some(Element::Int(value)) => Some(Extended::from(value)),
        Some(value) => Extended::parse(value.bytes(&mut Digits::new())),
    };
    let sum = value.ok_or(ReplyError::HashNotFloat)?.checked_add(increment);
    Ok(sum.ok_or(ReplyError::IncrementNotFinite)?.text())
}

//! Strings: whole values.

use super::Cx;
use crate::command::Args;
use crate::keyspace::{Deadline, Shard, Value};
use crate::resp::{Reply, ReplyError};

/// `GET key`
pub(super) fn get(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    match shard.keys(cx.database, cx.now).read(args.next()?) {
        None => reply.null(),
        Some(value) => string_reply(value, reply),
    }
    Ok(())
}

/// `SET key value`
pub(super) fn set(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, value) = (args.next()?, args.next()?);
    args.finish()?;
    shard.keys(cx.database, cx.now).set_string(key, value, Some(Deadline::NEVER));
    reply.ok();
    Ok(())
}

/// Answers a string value in the cheapest way.
#[inline]
pub(super) fn string_reply(value: &Value, reply: &mut Reply<'_>) {
    match value {
        Value::Int(number) => reply.bulk_integer(*number),
        Value::Embedded(bytes) => reply.bulk(bytes),
        Value::Raw(bytes) => reply.bulk(bytes),
        Value::Large(bytes) => reply.bulk_shared(bytes),
    }
}

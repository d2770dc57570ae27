//! Hashes: fields and their values.

use super::element::element_reply;
use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::Shard;
use crate::resp::{Reply, ReplyError};

/// `HSET key field value [field value ...]`
pub(super) fn hset(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let added = set_fields(shard, args, cx, "hset")?;
    reply.integer(added);
    Ok(())
}

/// `HMSET key field value [field value ...]`
pub(super) fn hmset(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    set_fields(shard, args, cx, "hmset")?;
    reply.ok();
    Ok(())
}

fn set_fields(shard: &mut Shard, args: &mut Args<'_>, cx: &mut Cx<'_>, name: &'static str) -> Result<i64, ReplyError> {
    let key = args.next()?;
    if !args.remaining().is_multiple_of(2) {
        return Err(ReplyError::WrongArity(name));
    }
    let mut keys = shard.keys(cx.database, cx.now);
    let added = access::change_hash(&mut keys, key, true, |hash, shapes| {
        let mut added = 0;
        while let (Ok(field), Ok(value)) = (args.next(), args.next()) {
            added += i64::from(hash.set(field, value, shapes));
        }
        (true, added)
    })?;
    Ok(added.unwrap_or_default())
}

/// `HGET key field`
pub(super) fn hget(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let (key, field) = (args.next()?, args.next()?);
    element_reply(access::hash(&mut keys, key)?.and_then(|hash| hash.get(field)), reply);
    Ok(())
}

/// `HDEL key field [field ...]`
pub(super) fn hdel(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let removed = access::change_hash(&mut keys, key, false, |hash, _| {
        let mut removed = 0;
        while let Ok(field) = args.next() {
            removed += i64::from(hash.remove(field));
        }
        (removed > 0, removed)
    })?;
    reply.integer(removed.unwrap_or_default());
    Ok(())
}

/// `HLEN key`
pub(super) fn hlen(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(access::hash(&mut keys, args.next()?)?.map_or(0, |hash| hash.len()) as i64);
    Ok(())
}

/// `HGETALL key`
pub(super) fn hgetall(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let Some(hash) = access::hash(&mut keys, args.next()?)? else {
        reply.map(0);
        return Ok(());
    };
    reply.map(hash.len());
    for (field, value) in hash.iter() {
        element_reply(Some(field), reply);
        element_reply(Some(value), reply);
    }
    Ok(())
}

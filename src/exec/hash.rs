//! Hashes: fields and their values.

use super::element::element_reply;
use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::collection::HashRef;
use crate::keyspace::{Event, Shard};
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
        (Some(Event::HSET), added)
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
        ((removed > 0).then_some(Event::HDEL), removed)
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

/// `HMGET key field [field ...]`
pub(super) fn hmget(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let hash = access::hash(&mut keys, args.next()?)?;
    reply.array(args.remaining());
    while let Ok(field) = args.next() {
        element_reply(hash.and_then(|hash| hash.get(field)), reply);
    }
    Ok(())
}

/// `HSETNX key field value`
pub(super) fn hsetnx(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let (key, field, value) = (args.next()?, args.next()?, args.next()?);
    let is_new = access::change_hash(&mut keys, key, true, |hash, shapes| {
        let is_new = hash.as_ref().get(field).is_none();
        if is_new {
            hash.set(field, value, shapes);
        }
        (is_new.then_some(Event::HSET), is_new)
    })?;
    reply.integer(is_new.unwrap_or_default().into());
    Ok(())
}

/// `HEXISTS key field`
pub(super) fn hexists(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let (key, field) = (args.next()?, args.next()?);
    let value = access::hash(&mut keys, key)?.and_then(|hash| hash.get(field));
    reply.integer(value.is_some().into());
    Ok(())
}

/// `HSTRLEN key field`
pub(super) fn hstrlen(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let (key, field) = (args.next()?, args.next()?);
    let value = access::hash(&mut keys, key)?.and_then(|hash| hash.get(field));
    reply.integer(value.map_or(0, |value| value.len()) as i64);
    Ok(())
}

/// `HKEYS key`
pub(super) fn hkeys(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let hash = access::hash(&mut keys, args.next()?)?;
    reply.array(hash.map_or(0, HashRef::live_len));
    for (field, _) in hash.into_iter().flat_map(HashRef::iter) {
        element_reply(Some(field), reply);
    }
    Ok(())
}

/// `HVALS key`
pub(super) fn hvals(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let hash = access::hash(&mut keys, args.next()?)?;
    reply.array(hash.map_or(0, HashRef::live_len));
    for (_, value) in hash.into_iter().flat_map(HashRef::iter) {
        element_reply(Some(value), reply);
    }
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
    reply.map(hash.live_len());
    for (field, value) in hash.iter() {
        element_reply(Some(field), reply);
        element_reply(Some(value), reply);
    }
    Ok(())
}

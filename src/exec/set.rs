//! Sets: their members.

use super::element::element_reply;
use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::{Event, Shard};
use crate::resp::{Reply, ReplyError};

/// `SADD key member [member ...]`
pub(super) fn sadd(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let added = access::change_set(&mut keys, key, true, |set, shapes| {
        let mut added = 0;
        while let Ok(member) = args.next() {
            added += i64::from(set.add(member, shapes));
        }
        ((added > 0).then_some(Event::SADD), added)
    })?;
    reply.integer(added.unwrap_or_default());
    Ok(())
}

/// `SREM key member [member ...]`
pub(super) fn srem(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let removed = access::change_set(&mut keys, key, false, |set, _| {
        let mut removed = 0;
        while let Ok(member) = args.next() {
            removed += i64::from(set.remove(member));
        }
        ((removed > 0).then_some(Event::SREM), removed)
    })?;
    reply.integer(removed.unwrap_or_default());
    Ok(())
}

/// `SCARD key`
pub(super) fn scard(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(access::set(&mut keys, args.next()?)?.map_or(0, |set| set.len()) as i64);
    Ok(())
}

/// `SISMEMBER key member`
pub(super) fn sismember(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let (key, member) = (args.next()?, args.next()?);
    let set = access::set(&mut keys, key)?;
    reply.integer(set.is_some_and(|set| set.contains(member)).into());
    Ok(())
}

/// `SMISMEMBER key member [member ...]`
pub(super) fn smismember(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let set = access::set(&mut keys, args.next()?)?;
    reply.array(args.remaining());
    while let Ok(member) = args.next() {
        reply.integer(set.is_some_and(|set| set.contains(member)).into());
    }
    Ok(())
}

/// `SMEMBERS key`
pub(super) fn smembers(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let Some(set) = access::set(&mut keys, args.next()?)? else {
        reply.set(0);
        return Ok(());
    };
    reply.set(set.len());
    set.iter().for_each(|member| element_reply(Some(member), reply));
    Ok(())
}

/// `SMOVE source destination member`
pub(super) fn smove(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let (source, destination, member) = (args.next()?, args.next()?, args.next()?);
    // A source that is not there ends the matter, whatever the destination is.
    let is_member = match access::peek_set(&mut keys, source)? {
        None => false,
        Some(set) => {
            let is_member = set.contains(member);
            access::peek_set(&mut keys, destination)?;
            is_member
        }
    };
    if is_member && source != destination {
        access::change_set(&mut keys, source, false, |set, _| (set.remove(member).then_some(Event::SREM), ()))?;
        access::change_set(&mut keys, destination, true, |set, shapes| {
            (set.add(member, shapes).then_some(Event::SADD), ())
        })?;
    }
    reply.integer(is_member.into());
    Ok(())
}

//! Removing the lowest and the highest members.

use super::{member_reply, members_reply};
use crate::command::Args;
use crate::exec::element::element_reply;
use crate::exec::{Cx, access};
use crate::keyspace::collection::Collection;
use crate::keyspace::collection::pack::Element;
use crate::keyspace::collection::zset::End;
use crate::keyspace::{Event, Keys, Shard};
use crate::resp::{Reply, ReplyError};

/// Removes up to `count` members at one end of a sorted set. `announce` is told how many there are and writes what stands in
/// front of the first, `answer` one member with its score. False, and nothing is written, if the key is not there.
pub(in crate::exec) fn pop(
    keys: &mut Keys<'_>,
    key: &[u8],
    (end, count): (End, usize),
    reply: &mut Reply<'_>,
    announce: impl FnOnce(usize, &mut Reply<'_>),
    answer: impl Fn(Element<'_>, f64, &mut Reply<'_>),
) -> Result<bool, ReplyError> {
    let popped = access::change_zset(keys, key, false, |zset, _| {
        let count = count.min(zset.as_ref().len());
        announce(count, reply);
        let left_behind = zset.pop(end, count, |member, score| answer(member, score, reply));
        let event = if end == End::Lowest { Event::ZPOPMIN } else { Event::ZPOPMAX };
        ((count > 0).then_some(event), left_behind)
    })?;
    let is_there = popped.is_some();
    keys.bury_collection(popped.flatten().map(Collection::ZSet));
    Ok(is_there)
}

/// `ZPOPMIN key [count]`
pub(in crate::exec) fn zpopmin(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    pop_of_one(shard, args, cx, reply, End::Lowest)
}

/// `ZPOPMAX key [count]`
pub(in crate::exec) fn zpopmax(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    pop_of_one(shard, args, cx, reply, End::Highest)
}

fn pop_of_one(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
    end: End,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let mut keys = shard.keys(cx.database, cx.now);
    let popped = if args.is_empty() {
        // Without a count, member and score lie flat in either protocol.
        let answer = |member: Element<'_>, score, reply: &mut Reply<'_>| {
            element_reply(Some(member), reply);
            reply.double(score);
        };
        pop(&mut keys, key, (end, 1), reply, |count, reply| reply.array(2 * count), answer)?
    } else if args.remaining() == 1 {
        let count = args.int_or(ReplyError::NotPositive)?;
        let count = usize::try_from(count).map_err(|_| ReplyError::NotPositive)?;
        let announce = |count, reply: &mut Reply<'_>| members_reply(count, true, reply);
        pop(&mut keys, key, (end, count), reply, announce, |member, score, reply| {
            member_reply(member, score, true, reply);
        })?
    } else {
        return Err(ReplyError::Syntax);
    };
    if !popped {
        reply.array(0);
    }
    Ok(())
}

/// `ZMPOP numkeys key [key ...] MIN | MAX [COUNT count]`
pub(in crate::exec) fn zmpop(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    if !pop_from_first(shard, args, cx, reply)? {
        reply.null_array();
    }
    Ok(())
}

/// Pops from the first sorted set that is there, as ZMPOP says. False, and nothing is written, if none is.
pub(in crate::exec) fn pop_from_first(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<bool, ReplyError> {
    let count = args.int_or(ReplyError::KeyCountNotPositive)?;
    let numkeys = usize::try_from(count).ok().filter(|&count| count > 0).ok_or(ReplyError::KeyCountNotPositive)?;
    if numkeys >= args.remaining() {
        return Err(ReplyError::Syntax);
    }
    let mut names = *args;
    for _ in 0..numkeys {
        args.next()?;
    }
    let end = [End::Lowest, End::Highest][args.keyword_of(&["min", "max"]).ok_or(ReplyError::Syntax)?];
    let mut count = 1;
    if !args.is_empty() {
        if !args.keyword("count") || args.is_empty() {
            return Err(ReplyError::Syntax);
        }
        let given = args.int_or(ReplyError::CountNotPositive)?;
        count = usize::try_from(given).ok().filter(|&count| count > 0).ok_or(ReplyError::CountNotPositive)?;
    }
    args.finish()?;
    let mut keys = shard.keys(cx.database, cx.now);
    for _ in 0..numkeys {
        let key = names.next()?;
        let announce = |count, reply: &mut Reply<'_>| {
            reply.array(2);
            reply.bulk(key);
            reply.array(count);
        };
        let popped = pop(&mut keys, key, (end, count), reply, announce, |member, score, reply| {
            reply.array(2);
            element_reply(Some(member), reply);
            reply.double(score);
        })?;
        if popped {
            return Ok(true);
        }
    }
    Ok(false)
}

//! Sorted sets.
//!
//! | file | what |
//! |------|------|
//! | `mod` | what is asked of members: scores, ranks, counts; and removing them |
//! | `add` | ZADD and ZINCRBY |
//! | `range` | ranges by rank, score and member: answered, stored, counted, removed |
//! | `pop` | the lowest and the highest members |
//! | `walk` | ZRANDMEMBER and ZSCAN |
//! | `combine` | unions, intersections and differences, with `members`, their intermediate results |

mod add;
mod combine;
mod members;
pub(super) mod pop;
mod range;
mod walk;

pub(super) use add::{zadd, zincrby};
pub(super) use combine::{zdiff, zdiffstore, zinter, zintercard, zinterstore, zunion, zunionstore};
pub(super) use pop::{zmpop, zpopmax, zpopmin};
pub(super) use range::{zcount, zlexcount, zrange, zrangebylex, zrangebyscore, zrangestore};
pub(super) use range::{zremrangebylex, zremrangebyrank, zremrangebyscore};
pub(super) use range::{zrevrange, zrevrangebylex, zrevrangebyscore};
pub(super) use walk::{zrandmember, zscan};

use super::element::element_reply;
use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::collection::pack::Element;
use crate::keyspace::{Event, Shard};
use crate::resp::{Protocol, Reply, ReplyError};

/// `ZCARD key`
pub(super) fn zcard(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(access::zset(&mut keys, args.next()?)?.map_or(0, |zset| zset.len()) as i64);
    Ok(())
}

/// `ZSCORE key member`
pub(super) fn zscore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let (key, member) = (args.next()?, args.next()?);
    score_reply(access::zset(&mut keys, key)?.and_then(|zset| zset.score(member)), reply);
    Ok(())
}

/// `ZMSCORE key member [member ...]`
pub(super) fn zmscore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let zset = access::zset(&mut keys, args.next()?)?;
    reply.array(args.remaining());
    while let Ok(member) = args.next() {
        score_reply(zset.and_then(|zset| zset.score(member)), reply);
    }
    Ok(())
}

/// `ZRANK key member [WITHSCORE]`
pub(super) fn zrank(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    rank(shard, args, cx, reply, "zrank", |rank, _| rank)
}

/// `ZREVRANK key member [WITHSCORE]`
pub(super) fn zrevrank(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    rank(shard, args, cx, reply, "zrevrank", |rank, len| len - 1 - rank)
}

/// Answers what `count` makes of a rank and the number of members.
fn rank(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
    name: &'static str,
    count: fn(usize, usize) -> usize,
) -> Result<(), ReplyError> {
    let (key, member) = (args.next()?, args.next()?);
    if args.remaining() > 1 {
        return Err(ReplyError::WrongArity(name));
    }
    let with_score = args.keyword("withscore");
    args.finish()?;
    let mut keys = shard.keys(cx.database, cx.now);
    let zset = access::zset(&mut keys, key)?;
    let found = zset.and_then(|zset| zset.rank(member).map(|(rank, score)| (count(rank, zset.len()), score)));
    match found {
        Some((rank, score)) if with_score => {
            reply.array(2);
            reply.integer(rank as i64);
            reply.double(score);
        }
        Some((rank, _)) => reply.integer(rank as i64),
        None if with_score => reply.null_array(),
        None => reply.null(),
    }
    Ok(())
}

/// `ZREM key member [member ...]`
pub(super) fn zrem(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let removed = access::change_zset(&mut keys, key, false, |zset, _| {
        let mut removed = 0;
        while let Ok(member) = args.next() {
            removed += i64::from(zset.remove(member));
        }
        ((removed > 0).then_some(Event::ZREM), removed)
    })?;
    reply.integer(removed.unwrap_or_default());
    Ok(())
}

/// Answers a score, or null.
fn score_reply(score: Option<f64>, reply: &mut Reply<'_>) {
    match score {
        Some(score) => reply.double(score),
        None => reply.null(),
    }
}

/// Announces `count` members, each with its score or all without.
fn members_reply(count: usize, with_scores: bool, reply: &mut Reply<'_>) {
    // RESP3 makes pairs of what RESP2 has in turn.
    let flat = with_scores && reply.protocol() == Protocol::Resp2;
    reply.array(if flat { 2 * count } else { count });
}

/// Answers one of the members that [`members_reply`] has announced.
fn member_reply(member: Element<'_>, score: f64, with_scores: bool, reply: &mut Reply<'_>) {
    if with_scores && reply.protocol() == Protocol::Resp3 {
        reply.array(2);
    }
    element_reply(Some(member), reply);
    if with_scores {
        reply.double(score);
    }
}

//! Ranges of ranks, scores and members: answered, stored, counted and removed.

use std::ops::Range;

use super::members::Members;
use super::{member_reply, members_reply};
use crate::command::{Args, number};
use crate::exec::{Cx, access};
use crate::keyspace::collection::zset::{Bounds, End, Limit};
use crate::keyspace::collection::{Collection, ZSetRef};
use crate::keyspace::{Event, Shard};
use crate::resp::{Reply, ReplyError};

/// What a range is a range of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Rank,
    Score,
    Member,
}

/// The first and the last of a range.
enum Extent<'a> {
    /// Ranks from the end at which the range begins, or from the other one if negative.
    Ranks(i64, i64),
    Bounds(Bounds<'a>),
}

/// What a command of the family of ZRANGE asks for.
struct Query<'a> {
    extent: Extent<'a>,
    from: End,
    /// Members to leave out; none are left if it is negative.
    offset: i64,
    /// Members to answer at most; all if it is negative.
    limit: i64,
    with_scores: bool,
}

impl<'a> Query<'a> {
    /// Reads first, last and options. What a command's name says already (`by`, `from`) is no option of it; one that stores
    /// has no scores to answer.
    fn read(args: &mut Args<'a>, by: Option<By>, from: Option<End>, stores: bool) -> Result<Self, ReplyError> {
        let (first, last) = (args.next()?, args.next()?);
        let (mut chosen_by, mut chosen_from) = (by, from);
        let (mut offset, mut limit, mut with_scores) = (0, -1, false);
        while !args.is_empty() {
            match args.keyword_of(&["withscores", "limit", "rev", "bylex", "byscore"]) {
                Some(0) if !stores => with_scores = true,
                Some(1) if args.remaining() >= 2 => (offset, limit) = (args.int()?, args.int()?),
                Some(2) if chosen_from.is_none() => chosen_from = Some(End::Highest),
                Some(3) if chosen_by.is_none() => chosen_by = Some(By::Member),
                Some(4) if chosen_by.is_none() => chosen_by = Some(By::Score),
                _ => return Err(ReplyError::Syntax),
            }
        }
        let (by, from) = (chosen_by.unwrap_or(By::Rank), chosen_from.unwrap_or(End::Lowest));
        if limit != -1 && by == By::Rank {
            return Err(ReplyError::ZrangeLimit);
        }
        if with_scores && by == By::Member {
            return Err(ReplyError::ZrangeWithScores);
        }
        let (min, max) = if from == End::Highest { (last, first) } else { (first, last) };
        let extent = match by {
            By::Rank => Extent::Ranks(integer(first)?, integer(last)?),
            By::Score => Extent::Bounds(score_bounds(min, max)?),
            By::Member => Extent::Bounds(member_bounds(min, max)?),
        };
        Ok(Self { extent, from, offset, limit, with_scores })
    }

    fn span(&self, zset: ZSetRef<'_>) -> Range<usize> {
        match &self.extent {
            Extent::Ranks(first, last) => {
                let len = zset.len();
                let ranks = ranks(*first, *last, len);
                if self.from == End::Highest { len - ranks.end..len - ranks.start } else { ranks }
            }
            Extent::Bounds(bounds) => {
                let span = zset.span(bounds);
                let skipped = usize::try_from(self.offset).map_or(span.len(), |offset| offset.min(span.len()));
                let left = span.len() - skipped;
                let count = usize::try_from(self.limit).map_or(left, |limit| limit.min(left));
                match self.from {
                    End::Lowest => span.start + skipped..span.start + skipped + count,
                    End::Highest => span.end - skipped - count..span.end - skipped,
                }
            }
        }
    }
}

/// The ranks from `first` to `last`, which count from the end if they are negative, among `len`.
fn ranks(first: i64, last: i64, len: usize) -> Range<usize> {
    let len = len as i64;
    let from_start = |rank: i64| if rank < 0 { len.saturating_add(rank) } else { rank };
    let (start, end) = (from_start(first).max(0), from_start(last).min(len - 1));
    if start > end { 0..0 } else { start as usize..end as usize + 1 }
}

fn integer(text: &[u8]) -> Result<i64, ReplyError> {
    number::integer(text).ok_or(ReplyError::NotInteger)
}

fn score_bounds<'a>(min: &[u8], max: &[u8]) -> Result<Bounds<'a>, ReplyError> {
    let limit = |text: &[u8]| match text {
        [b'(', number @ ..] => number::limit(number).map(Limit::Open),
        number => number::limit(number).map(Limit::Closed),
    };
    let (min, max) = limit(min).zip(limit(max)).ok_or(ReplyError::NotFloatRange)?;
    Ok(Bounds::Scores(min, max))
}

fn member_bounds<'a>(min: &'a [u8], max: &'a [u8]) -> Result<Bounds<'a>, ReplyError> {
    // Redis reads the sign as a C string, which a zero byte ends.
    let limit = |text: &'a [u8]| match text {
        [b'-'] | [b'-', 0, ..] => Some(Limit::Lowest),
        [b'+'] | [b'+', 0, ..] => Some(Limit::Highest),
        [b'(', member @ ..] => Some(Limit::Open(member)),
        [b'[', member @ ..] => Some(Limit::Closed(member)),
        _ => None,
    };
    let (min, max) = limit(min).zip(limit(max)).ok_or(ReplyError::NotMemberRange)?;
    Ok(Bounds::Members(min, max))
}

/// Answers the range that the arguments ask for.
fn answer(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
    (by, from): (Option<By>, Option<End>),
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let query = Query::read(args, by, from, false)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let Some(zset) = access::zset(&mut keys, key)? else {
        reply.array(0);
        return Ok(());
    };
    let span = query.span(zset);
    members_reply(span.len(), query.with_scores, reply);
    zset.visit(span, query.from, |member, score| member_reply(member, score, query.with_scores, reply));
    Ok(())
}

/// `ZRANGE key start stop [BYSCORE | BYLEX] [REV] [LIMIT offset count] [WITHSCORES]`
pub(in crate::exec) fn zrange(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, (None, None))
}

/// `ZREVRANGE key start stop [WITHSCORES]`
pub(in crate::exec) fn zrevrange(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, (Some(By::Rank), Some(End::Highest)))
}

/// `ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count]`
pub(in crate::exec) fn zrangebyscore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, (Some(By::Score), Some(End::Lowest)))
}

/// `ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count]`
pub(in crate::exec) fn zrevrangebyscore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, (Some(By::Score), Some(End::Highest)))
}

/// `ZRANGEBYLEX key min max [LIMIT offset count]`
pub(in crate::exec) fn zrangebylex(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, (Some(By::Member), Some(End::Lowest)))
}

/// `ZREVRANGEBYLEX key max min [LIMIT offset count]`
pub(in crate::exec) fn zrevrangebylex(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, (Some(By::Member), Some(End::Highest)))
}

/// `ZRANGESTORE destination source min max [BYSCORE | BYLEX] [REV] [LIMIT offset count]`
pub(in crate::exec) fn zrangestore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (destination, source) = (args.next()?, args.next()?);
    let query = Query::read(args, None, None, true)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let mut members = Members::default();
    if let Some(zset) = access::zset(&mut keys, source)? {
        zset.visit(query.span(zset), End::Lowest, |member, score| members.push(member, score));
    }
    members.store(&mut keys, destination, Event::ZRANGESTORE);
    reply.integer(members.len() as i64);
    Ok(())
}

/// `ZCOUNT key min max`
pub(in crate::exec) fn zcount(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let bounds = score_bounds(args.next()?, args.next()?)?;
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(access::zset(&mut keys, key)?.map_or(0, |zset| zset.span(&bounds).len()) as i64);
    Ok(())
}

/// `ZLEXCOUNT key min max`
pub(in crate::exec) fn zlexcount(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let bounds = member_bounds(args.next()?, args.next()?)?;
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(access::zset(&mut keys, key)?.map_or(0, |zset| zset.span(&bounds).len()) as i64);
    Ok(())
}

/// Removes the span that `find` answers, which is `event`, and answers how many members that were.
fn remove(
    shard: &mut Shard,
    key: &[u8],
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
    event: Event,
    find: impl FnOnce(ZSetRef<'_>) -> Range<usize>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let removed = access::change_zset(&mut keys, key, false, |zset, _| {
        let span = find(zset.as_ref());
        let count = span.len();
        ((count > 0).then_some(event), (count, zset.remove_span(span)))
    })?;
    let (count, left_behind) = removed.unwrap_or_default();
    keys.bury_collection(left_behind.map(Collection::ZSet));
    reply.integer(count as i64);
    Ok(())
}

/// `ZREMRANGEBYRANK key start stop`
pub(in crate::exec) fn zremrangebyrank(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, first, last) = (args.next()?, args.int()?, args.int()?);
    remove(shard, key, cx, reply, Event::ZREMRANGEBYRANK, |zset| ranks(first, last, zset.len()))
}

/// `ZREMRANGEBYSCORE key min max`
pub(in crate::exec) fn zremrangebyscore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let bounds = score_bounds(args.next()?, args.next()?)?;
    remove(shard, key, cx, reply, Event::ZREMRANGEBYSCORE, |zset| zset.span(&bounds))
}

/// `ZREMRANGEBYLEX key min max`
pub(in crate::exec) fn zremrangebylex(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let bounds = member_bounds(args.next()?, args.next()?)?;
    remove(shard, key, cx, reply, Event::ZREMRANGEBYLEX, |zset| zset.span(&bounds))
}

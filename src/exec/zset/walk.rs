//! Members that chance selects, and walks over all of them.

use std::collections::BTreeSet;

use super::{member_reply, members_reply};
use crate::base::Rng;
use crate::command::Args;
use crate::exec::draw::Draws;
use crate::exec::element::element_reply;
use crate::exec::scan::{self, KeyList};
use crate::exec::{Cx, access};
use crate::keyspace::Shard;
use crate::keyspace::collection::ZSetRef;
use crate::keyspace::collection::pack::Digits;
use crate::keyspace::collection::zset::End;
use crate::limits::{DRAWS_MAX, SCAN_VISITS_MAX};
use crate::resp::{DoubleText, Reply, ReplyError};

/// `ZRANDMEMBER key [count [WITHSCORES]]`
pub(in crate::exec) fn zrandmember(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    if args.is_empty() {
        let mut keys = shard.keys(cx.database, cx.now);
        let drawn = access::zset(&mut keys, key)?.and_then(|zset| zset.at(cx.rng.usize(..zset.len())));
        element_reply(drawn.map(|(member, _)| member), reply);
        return Ok(());
    }
    let draws = Draws::parse(args)?;
    let with_scores = args.keyword("withscores");
    args.finish()?;
    if with_scores && draws.count() > i64::MAX as usize / 2 {
        return Err(ReplyError::OutOfRange);
    }
    let mut keys = shard.keys(cx.database, cx.now);
    let Some(zset) = access::zset(&mut keys, key)? else {
        reply.array(0);
        return Ok(());
    };
    let len = zset.len();
    // To find one member in a compact sorted set, all before it are walked over: that is done once.
    let mut walked = Vec::new();
    if let ZSetRef::Compact(_) = zset {
        zset.visit(0..len, End::Lowest, |member, score| walked.push((member, score)));
    }
    let at = |rank: usize| walked.get(rank).copied().or_else(|| zset.at(rank));
    let mut drawn = Vec::new();
    match draws {
        Draws::Distinct(count) if count >= len => zset.visit(0..len, End::Lowest, |member, score| {
            drawn.push((member, score));
        }),
        Draws::Distinct(count) => drawn.extend(distinct(count, len, cx.rng).into_iter().filter_map(at)),
        Draws::Repeated(count) if count > DRAWS_MAX => return Err(ReplyError::OutOfRange),
        Draws::Repeated(count) => {
            let mut left = cx.bulk_bytes_max;
            for next in (0..count).filter_map(|_| at(cx.rng.usize(..len))) {
                left = left.checked_sub(next.0.len()).ok_or(ReplyError::OutOfRange)?;
                drawn.push(next);
            }
        }
    }
    members_reply(drawn.len(), with_scores, reply);
    drawn.into_iter().for_each(|(member, score)| member_reply(member, score, with_scores, reply));
    Ok(())
}

/// So many different numbers below `len`, each choice of them as likely as another (Floyd's sampling, Bentley, "Programming
/// pearls: a sample of brilliance", CACM 1987).
fn distinct(count: usize, len: usize, rng: &mut Rng) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    for last in len - count..len {
        if !chosen.insert(rng.usize(..=last)) {
            chosen.insert(last);
        }
    }
    chosen
}

/// `ZSCAN key cursor [MATCH pattern] [COUNT count]`
pub(in crate::exec) fn zscan(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, cursor) = (args.next()?, args.cursor()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let mut found = KeyList::default();
    // As in Redis, options are not looked at where there is nothing to scan.
    let next = match access::zset(&mut keys, key)? {
        None => 0,
        Some(zset) => {
            let options = scan::parse_options(cursor, args, false)?;
            if options.names_only {
                return Err(ReplyError::Syntax);
            }
            // Redis writes scores in two ways here, by the form of the sorted set.
            let text = if let ZSetRef::Compact(_) = zset { DoubleText::new } else { DoubleText::exact };
            zset.scan(cursor, options.count.min(SCAN_VISITS_MAX), |member, score| {
                let mut digits = Digits::new();
                let member = member.bytes(&mut digits);
                if options.selects(member) {
                    found.push(member);
                    found.push(text(score).as_bytes());
                }
            })
        }
    };
    scan::answer_elements(next, &found, reply);
    Ok(())
}

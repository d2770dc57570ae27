//! Sets: members by chance and in steps.

use super::draw::{Draws, Urn};
use super::element::element_reply;
use super::scan::{self, KeyList};
use super::{Cx, access};
use crate::command::{Args, number};
use crate::keyspace::collection::SetRef;
use crate::keyspace::collection::pack::Digits;
use crate::keyspace::{Event, Shard};
use crate::limits::SCAN_VISITS_MAX;
use crate::resp::{Reply, ReplyError};

/// `SPOP key [count]`
pub(super) fn spop(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    if args.is_empty() {
        let popped = access::change_set(&mut keys, key, false, |set, _| {
            (set.pop(cx.rng, |member| element_reply(Some(member), reply)).then_some(Event::SPOP), ())
        })?;
        if popped.is_none() {
            reply.null();
        }
        return Ok(());
    }
    if args.remaining() > 1 {
        return Err(ReplyError::Syntax);
    }
    let count = number::integer(args.next()?).and_then(|count| usize::try_from(count).ok());
    let count = count.ok_or(ReplyError::NotPositive)?;
    match access::peek_set(&mut keys, key)? {
        None => reply.set(0),
        // The whole set goes at once, and is dropped later.
        Some(set) if count >= set.len() => {
            reply.set(set.len());
            set.iter().for_each(|member| element_reply(Some(member), reply));
            keys.notify(Event::SPOP, key);
            keys.delete(key);
        }
        Some(_) => {
            reply.set(count);
            access::change_set(&mut keys, key, false, |set, _| {
                for _ in 0..count {
                    set.pop(cx.rng, |member| element_reply(Some(member), reply));
                }
                ((count > 0).then_some(Event::SPOP), ())
            })?;
        }
    }
    Ok(())
}

/// `SRANDMEMBER key [count]`
pub(super) fn srandmember(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    if args.is_empty() {
        element_reply(access::set(&mut keys, key)?.and_then(|set| set.random(cx.rng)), reply);
        return Ok(());
    }
    if args.remaining() > 1 {
        return Err(ReplyError::Syntax);
    }
    let draws = Draws::parse(args)?;
    let Some(set) = access::set(&mut keys, key)? else {
        reply.array(0);
        return Ok(());
    };
    let drawn = urn(set).draw(draws, cx.rng, cx.bulk_bytes_max, |(member, ())| member.len())?;
    reply.array(drawn.len());
    drawn.into_iter().for_each(|(member, ())| element_reply(Some(member), reply));
    Ok(())
}

fn urn(set: SetRef<'_>) -> Urn<'_, ()> {
    Urn {
        len: set.len(),
        is_large: set.is_large(),
        all: Box::new(set.iter().map(|member| (member, ()))),
        any: Box::new(move |rng| set.random(rng).map(|member| (member, ()))),
    }
}

/// `SSCAN key cursor [MATCH pattern] [COUNT count]`
pub(super) fn sscan(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, cursor) = (args.next()?, args.cursor()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let (mut next, mut found) = (0, KeyList::default());
    if let Some(set) = access::set(&mut keys, key)? {
        let options = scan::parse_options(cursor, args, false)?;
        if options.names_only {
            return Err(ReplyError::NovaluesNotHash);
        }
        next = set.scan(cursor, options.count.min(SCAN_VISITS_MAX), |member| {
            let mut digits = Digits::new();
            let member = member.bytes(&mut digits);
            if options.selects(member) {
                found.push(member);
            }
        });
    }
    scan::answer_elements(next, &found, reply);
    Ok(())
}

//! Hashes: how long fields have to live.

use super::hash_expire::{check_hash, fields};
use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::collection::HashRef;
use crate::keyspace::{Event, Shard};
use crate::resp::{Reply, ReplyError};

/// There is no such field.
const NO_FIELD: i64 = -2;
/// The field has no deadline.
const NO_DEADLINE: i64 = -1;

/// `HTTL key FIELDS numfields field [field ...]`
pub(super) fn httl(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let now_ms = cx.now.unix_ms();
    answer_deadlines(shard, args, cx, reply, |deadline_ms| seconds(deadline_ms.saturating_sub(now_ms)))
}

/// `HPTTL key FIELDS numfields field [field ...]`
pub(super) fn hpttl(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let now_ms = cx.now.unix_ms();
    answer_deadlines(shard, args, cx, reply, |deadline_ms| deadline_ms.saturating_sub(now_ms))
}

/// `HEXPIRETIME key FIELDS numfields field [field ...]`
pub(super) fn hexpiretime(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer_deadlines(shard, args, cx, reply, seconds)
}

/// `HPEXPIRETIME key FIELDS numfields field [field ...]`
pub(super) fn hpexpiretime(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer_deadlines(shard, args, cx, reply, |deadline_ms| deadline_ms)
}

/// Milliseconds as seconds, rounded up.
fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1000)
}

/// Answers what `show` makes of the deadline of each field.
fn answer_deadlines(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &Cx<'_>,
    reply: &mut Reply<'_>,
    show: impl Fn(u64) -> u64,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let hash = access::hash(&mut keys, args.next()?)?;
    fields(args, ReplyError::FieldCountNotPositive)?;
    reply.array(args.remaining());
    while let Ok(field) = args.next() {
        reply.integer(match hash {
            Some(hash) if hash.get(field).is_some() => {
                hash.deadline(field).map_or(NO_DEADLINE, |unix_ms| i64::try_from(show(unix_ms)).unwrap_or(i64::MAX))
            }
            _ => NO_FIELD,
        });
    }
    Ok(())
}

/// `HPERSIST key FIELDS numfields field [field ...]`
pub(super) fn hpersist(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let is_there = check_hash(&mut keys, key)?;
    fields(args, ReplyError::FieldCountNotPositive)?;
    reply.array(args.remaining());
    if !is_there {
        (0..args.remaining()).for_each(|_| reply.integer(NO_FIELD));
        return Ok(());
    }
    access::change_hash(&mut keys, key, false, |hash, _| {
        let mut changed = false;
        while let Ok(field) = args.next() {
            let outcome = match hash.as_ref() {
                view if HashRef::get(view, field).is_none() => NO_FIELD,
                _ if hash.persist(field) => 1,
                _ => NO_DEADLINE,
            };
            changed |= outcome == 1;
            reply.integer(outcome);
        }
        (changed.then_some(Event::HPERSIST), ())
    })?;
    Ok(())
}

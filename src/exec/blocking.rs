//! Commands that wait for an element if there is none.
//!
//! A handler here makes the attempt: it pops from the first of its keys that has something. If there is nothing, it answers
//! that, and says so in [`Cx::nothing`]; whoever has run it may then drop the
//! answer and wait. So the command never waits where nobody knows how to: within MULTI.
//!
//! What to wait for is a function of the request ([`terms`]), and so is the request that asks for one of its keys only
//! ([`for_key`]), by which a client is served that has waited: from the key that became ready, whatever the others hold.

use std::ops::Range;

use super::element::element_reply;
use super::zset::pop;
use super::{Cx, list};
use crate::base::Now;
use crate::command::{self, Args, Command, CommandId, number};
use crate::keyspace::collection::list::End;
use crate::keyspace::collection::pack::Element;
use crate::keyspace::collection::{CollectionRef, zset};
use crate::keyspace::{Shard, ValueRef};
use crate::resp::{Reply, ReplyError, Request};

/// What somebody waits for under a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Awaited {
    /// A list.
    List,
    /// A sorted set.
    SortedSet,
}

impl Awaited {
    /// What a value is, if it is something that may be waited for.
    pub fn of(value: ValueRef<'_>) -> Option<Self> {
        match value {
            ValueRef::Collection(CollectionRef::List(_)) => Some(Self::List),
            ValueRef::Collection(CollectionRef::ZSet(_)) => Some(Self::SortedSet),
            _ => None,
        }
    }
}

/// What a request waits for if there is nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Terms {
    /// What is to come.
    pub awaited: Awaited,
    /// How long it waits, in milliseconds; `None` is for ever.
    pub timeout_ms: Option<u64>,
    /// Which arguments are the keys that it waits for.
    pub keys: Range<usize>,
}

/// What a request waits for. `None` if its arguments do not fit: then its handler refuses it, with nothing changed.
pub fn terms(command: &'static Command, request: Request<'_>, now: Now) -> Option<Terms> {
    let awaited = match command.id {
        CommandId::Bzmpop | CommandId::Bzpopmax | CommandId::Bzpopmin => Awaited::SortedSet,
        _ => Awaited::List,
    };
    let timeout = match command.id {
        CommandId::Blmpop | CommandId::Bzmpop => request.get(1),
        _ => request.get(request.len() - 1),
    };
    let first = command::keys(command, request).ok()?.next()?.index;
    let count = match command.id {
        CommandId::Blmove | CommandId::Brpoplpush => 1,
        _ => command::keys(command, request).ok()?.count(),
    };
    Some(Terms { awaited, timeout_ms: milliseconds(timeout, now).ok()?, keys: first..first + count })
}

/// The request that asks for one of the keys that `request` waits for, and would not wait for it.
pub fn for_key<'a>(command: &Command, request: Request<'a>, terms: &Terms, key: &'a [u8]) -> Vec<&'a [u8]> {
    match command.id {
        CommandId::Blmove | CommandId::Brpoplpush => request.iter().collect(),
        CommandId::Blmpop | CommandId::Bzmpop => {
            let one_key = [request.get(0), b"0", b"1", key];
            one_key.into_iter().chain(request.iter().skip(terms.keys.end)).collect()
        }
        _ => vec![request.get(0), key, b"0"],
    }
}

/// What a client is told whose time is over: the same for all commands, other than where there is nothing and none may wait.
pub fn timed_out(reply: &mut Reply<'_>) {
    reply.null_array();
}

/// A timeout in seconds, as milliseconds, rounded up; zero is for ever.
fn milliseconds(seconds: &[u8], now: Now) -> Result<Option<u64>, ReplyError> {
    let ms = number::float(seconds).ok_or(ReplyError::TimeoutNotFloat)? * 1000.0;
    if ms < 0.0 {
        return Err(ReplyError::TimeoutNegative);
    }
    // What is above that is no moment that a signed number of milliseconds can tell.
    let last_ms = i64::MAX as u64 - now.unix_ms();
    match ms.ceil() as u64 {
        ms if ms > last_ms => Err(ReplyError::TimeoutOutOfRange),
        0 => Ok(None),
        ms => Ok(Some(ms)),
    }
}

/// Takes the timeout off the end of the arguments. Answers what stands before it.
fn before_timeout<'a>(args: &Args<'a>, cx: &Cx<'_>) -> Result<impl Iterator<Item = &'a [u8]> + use<'a>, ReplyError> {
    let rest = args.rest();
    let keys = rest.len() - 1;
    milliseconds(rest.get(keys), cx.now)?;
    Ok((0..keys).map(move |index| rest.get(index)))
}

/// Ends an attempt to pop: if it has found nothing, says so.
fn answered(found: bool, cx: &mut Cx<'_>, reply: &mut Reply<'_>) {
    if !found {
        cx.nothing = true;
        reply.null_array();
    }
}

/// `BLPOP key [key ...] timeout`
pub(super) fn blpop(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    pop_element(shard, args, cx, reply, End::Left)
}

/// `BRPOP key [key ...] timeout`
pub(super) fn brpop(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    pop_element(shard, args, cx, reply, End::Right)
}

fn pop_element(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
    end: End,
) -> Result<(), ReplyError> {
    let names = before_timeout(args, cx)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let mut found = false;
    for key in names {
        let popped = list::pop(&mut keys, key, end, 1, |popped| {
            reply.array(2);
            reply.bulk(key);
            popped.elements_to(reply);
        })?;
        found = popped.is_some();
        if found {
            break;
        }
    }
    answered(found, cx, reply);
    Ok(())
}

/// `BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout`
pub(super) fn blmove(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (source, destination) = (args.next()?, args.next()?);
    let (from, to) = (list::end_of(args)?, list::end_of(args)?);
    milliseconds(args.next()?, cx.now)?;
    move_element(shard, (source, from), (destination, to), cx, reply)
}

/// `BRPOPLPUSH source destination timeout`
pub(super) fn brpoplpush(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (source, destination) = (args.next()?, args.next()?);
    milliseconds(args.next()?, cx.now)?;
    move_element(shard, (source, End::Right), (destination, End::Left), cx, reply)
}

fn move_element(
    shard: &mut Shard,
    source: (&[u8], End),
    destination: (&[u8], End),
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let element = list::move_element(&mut keys, source, destination)?;
    match &element {
        Some(element) => reply.bulk(element),
        None => {
            cx.nothing = true;
            reply.null();
        }
    }
    Ok(())
}

/// `BLMPOP timeout numkeys key [key ...] LEFT|RIGHT [COUNT count]`
pub(super) fn blmpop(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    milliseconds(args.next()?, cx.now)?;
    let found = list::pop_from_first(shard, args, cx, reply)?;
    answered(found, cx, reply);
    Ok(())
}

/// `BZPOPMIN key [key ...] timeout`
pub(super) fn bzpopmin(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    pop_member(shard, args, cx, reply, zset::End::Lowest)
}

/// `BZPOPMAX key [key ...] timeout`
pub(super) fn bzpopmax(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    pop_member(shard, args, cx, reply, zset::End::Highest)
}

fn pop_member(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
    end: zset::End,
) -> Result<(), ReplyError> {
    let names = before_timeout(args, cx)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let mut found = false;
    for key in names {
        let announce = |_, reply: &mut Reply<'_>| {
            reply.array(3);
            reply.bulk(key);
        };
        let answer = |member: Element<'_>, score, reply: &mut Reply<'_>| {
            element_reply(Some(member), reply);
            reply.double(score);
        };
        found = pop::pop(&mut keys, key, (end, 1), reply, announce, answer)?;
        if found {
            break;
        }
    }
    answered(found, cx, reply);
    Ok(())
}

/// `BZMPOP timeout numkeys key [key ...] MIN | MAX [COUNT count]`
pub(super) fn bzmpop(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    milliseconds(args.next()?, cx.now)?;
    let found = pop::pop_from_first(shard, args, cx, reply)?;
    answered(found, cx, reply);
    Ok(())
}

//! Lists: pushing and popping at their ends, and moving elements from one list to another.

use super::element::{element_reply, range_reply};
use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::collection::list::End;
use crate::keyspace::collection::{CollectionRef, ListRef};
use crate::keyspace::{Event, Keys, Shard, ValueRef};
use crate::resp::{Reply, ReplyError};

/// `LLEN key`
pub(super) fn llen(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    reply.integer(access::list(&mut keys, args.next()?)?.map_or(0, ListRef::len) as i64);
    Ok(())
}

/// `LPUSH key element [element ...]`
pub(super) fn lpush(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    push_arguments(shard, args, cx, (End::Left, true), reply)
}

/// `LPUSHX key element [element ...]`
pub(super) fn lpushx(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    push_arguments(shard, args, cx, (End::Left, false), reply)
}

/// `RPUSH key element [element ...]`
pub(super) fn rpush(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    push_arguments(shard, args, cx, (End::Right, true), reply)
}

/// `RPUSHX key element [element ...]`
pub(super) fn rpushx(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    push_arguments(shard, args, cx, (End::Right, false), reply)
}

fn push_arguments(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    (end, create): (End, bool),
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let elements = args.rest();
    let len = push(&mut keys, key, end, create, || elements.iter())?;
    reply.integer(len.unwrap_or_default() as i64);
    Ok(())
}

/// Pushes elements one after the other to one end of a list; answers its length. `create`: a list that is not there begins
/// empty, else nothing is done and nothing answered.
pub(super) fn push<'e, I: Iterator<Item = &'e [u8]>>(
    keys: &mut Keys<'_>,
    key: &[u8],
    end: End,
    create: bool,
    elements: impl Fn() -> I,
) -> Result<Option<usize>, ReplyError> {
    access::change_list(keys, key, create, |list, shapes| {
        let (count, bytes) = elements().fold((0, 0), |(count, bytes), element| (count + 1, bytes + element.len()));
        list.prepare(count, bytes, shapes);
        elements().for_each(|element| list.push(end, element));
        (Some(pushed(end)), list.len())
    })
}

/// The event that a push is.
fn pushed(end: End) -> Event {
    if end == End::Left { Event::LPUSH } else { Event::RPUSH }
}

/// The event that a pop is.
fn popped(end: End) -> Event {
    if end == End::Left { Event::LPOP } else { Event::RPOP }
}

/// `LPOP key [count]`
pub(super) fn lpop(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    pop_and_answer(shard, args, cx, (End::Left, "lpop"), reply)
}

/// `RPOP key [count]`
pub(super) fn rpop(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    pop_and_answer(shard, args, cx, (End::Right, "rpop"), reply)
}

fn pop_and_answer(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    (end, name): (End, &'static str),
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    if args.is_empty() {
        let popped = pop(&mut keys, key, end, 1, |popped| popped.elements_to(reply))?;
        if popped.is_none() {
            reply.null();
        }
        return Ok(());
    }
    if args.remaining() > 1 {
        return Err(ReplyError::WrongArity(name));
    }
    let count = args.int_or(ReplyError::NotPositive)?;
    let count = usize::try_from(count).map_err(|_| ReplyError::NotPositive)?;
    let popped = pop(&mut keys, key, end, count, |popped| popped.array_to(reply))?;
    if popped.is_none() {
        reply.null_array();
    }
    Ok(())
}

/// Elements that are about to leave a list.
#[derive(Clone, Copy)]
pub(super) struct Popped<'a> {
    list: ListRef<'a>,
    end: End,
    count: usize,
}

impl Popped<'_> {
    /// Answers the elements one after the other, in the order in which they go.
    pub(super) fn elements_to(self, reply: &mut Reply<'_>) {
        match self.end {
            End::Left => range_reply(self.list, 0..self.count, reply),
            // One needs no path to the next.
            End::Right if self.count == 1 => element_reply(self.list.get(self.list.len() - 1), reply),
            End::Right => {
                let elements = self.list.iter_back(self.list.len()).take(self.count);
                elements.for_each(|element| element_reply(Some(element), reply));
            }
        }
    }

    /// Answers an array of the elements.
    pub(super) fn array_to(self, reply: &mut Reply<'_>) {
        reply.array(self.count);
        self.elements_to(reply);
    }
}

/// Pops `count` elements from one end of a list, or as many as there are; `read` sees them before they go. Nothing is
/// answered if there is no list.
pub(super) fn pop<T>(
    keys: &mut Keys<'_>,
    key: &[u8],
    end: End,
    count: usize,
    read: impl FnOnce(Popped<'_>) -> T,
) -> Result<Option<T>, ReplyError> {
    let outcome = access::change_list(keys, key, false, |list, shapes| {
        let count = count.min(list.len());
        let answer = read(Popped { list: list.as_ref(), end, count });
        let offcut = list.pop(end, count);
        list.settle(shapes);
        ((count > 0).then_some(popped(end)), (answer, offcut))
    })?;
    let Some((answer, offcut)) = outcome else { return Ok(None) };
    keys.bury(offcut);
    Ok(Some(answer))
}

/// `LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count]`
pub(super) fn lmpop(
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

/// Pops from the first list that is there, as LMPOP says. False, and nothing is written, if none is.
pub(super) fn pop_from_first(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<bool, ReplyError> {
    let numkeys = positive(args, ReplyError::KeyCountNotPositive)?;
    if numkeys >= args.remaining() {
        return Err(ReplyError::Syntax);
    }
    let names = args.rest();
    for _ in 0..numkeys {
        args.next()?;
    }
    let end = end_of(args)?;
    let mut count = None;
    while !args.is_empty() {
        if count.is_some() || !args.keyword("count") || args.is_empty() {
            return Err(ReplyError::Syntax);
        }
        count = Some(positive(args, ReplyError::CountNotPositive)?);
    }
    let mut keys = shard.keys(cx.database, cx.now);
    for key in names.iter().take(numkeys) {
        let popped = pop(&mut keys, key, end, count.unwrap_or(1), |popped| {
            reply.array(2);
            reply.bulk(key);
            popped.array_to(reply);
        })?;
        if popped.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The next argument as a number above 0; `error` says that it is none.
fn positive(args: &mut Args<'_>, error: ReplyError) -> Result<usize, ReplyError> {
    usize::try_from(args.int_or(error)?).ok().filter(|&number| number > 0).ok_or(error)
}

/// The next argument as an end of a list.
pub(super) fn end_of(args: &mut Args<'_>) -> Result<End, ReplyError> {
    match args.keyword_of(&["left", "right"]) {
        Some(0) => Ok(End::Left),
        Some(_) => Ok(End::Right),
        None => Err(ReplyError::Syntax),
    }
}

/// `LMOVE source destination LEFT|RIGHT LEFT|RIGHT`
pub(super) fn lmove(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (source, destination) = (args.next()?, args.next()?);
    let (from, to) = (end_of(args)?, end_of(args)?);
    let mut keys = shard.keys(cx.database, cx.now);
    move_and_answer(&mut keys, (source, from), (destination, to), reply)
}

/// `RPOPLPUSH source destination`
pub(super) fn rpoplpush(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (source, destination) = (args.next()?, args.next()?);
    let mut keys = shard.keys(cx.database, cx.now);
    move_and_answer(&mut keys, (source, End::Right), (destination, End::Left), reply)
}

fn move_and_answer(
    keys: &mut Keys<'_>,
    source: (&[u8], End),
    destination: (&[u8], End),
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    match move_element(keys, source, destination)? {
        None => reply.null(),
        Some(element) => reply.bulk(&element),
    }
    Ok(())
}

/// Moves an element from an end of one list to an end of another, or of the same; answers the element, unless there is
/// none.
pub(super) fn move_element(
    keys: &mut Keys<'_>,
    (source, from): (&[u8], End),
    (destination, to): (&[u8], End),
) -> Result<Option<Vec<u8>>, ReplyError> {
    let Some(element) = look_at_list(keys, source, |list| last_at(list, from))? else { return Ok(None) };
    if source == destination {
        // In one go, so that a list of one element is not gone in between, and with it its deadline.
        access::change_list(keys, source, false, |list, shapes| {
            // An element alone cuts nothing off in whole.
            drop(list.pop(from, 1));
            list.prepare(1, element.len(), shapes);
            list.push(to, &element);
            list.settle(shapes);
            (Some(pushed(to)), ())
        })?;
        keys.notify(popped(from), source);
        return Ok(Some(element));
    }
    look_at_list(keys, destination, |_| ())?;
    // The push comes first, as in Redis, whose order of events it is.
    push(keys, destination, to, true, || std::iter::once(&element[..]))?;
    pop(keys, source, from, 1, |_| ())?;
    Ok(Some(element))
}

/// Looks at a list, if there is one; no count, no access noted. Anything else is the wrong type.
fn look_at_list<T>(
    keys: &mut Keys<'_>,
    key: &[u8],
    look: impl FnOnce(ListRef<'_>) -> T,
) -> Result<Option<T>, ReplyError> {
    match keys.peek(key).map(|entry| entry.value()) {
        None => Ok(None),
        Some(ValueRef::Collection(CollectionRef::List(list))) => Ok(Some(look(list))),
        Some(_) => Err(ReplyError::WrongType),
    }
}

/// The element at one end.
fn last_at(list: ListRef<'_>, end: End) -> Vec<u8> {
    let index = if end == End::Left { 0 } else { list.len().saturating_sub(1) };
    list.get(index).unwrap_or_default().to_vec()
}

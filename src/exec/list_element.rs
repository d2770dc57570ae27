//! Lists: elements by their number, ranges of them, and elements that are searched for.

use std::ops::Range;

use super::element::{element_reply, range_reply};
use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::collection::ListRef;
use crate::keyspace::collection::list::End;
use crate::keyspace::collection::pack::Element;
use crate::keyspace::collection::sequence::Offcut;
use crate::keyspace::{Event, Shard};
use crate::resp::{Reply, ReplyError};

/// `LINDEX key index`
pub(super) fn lindex(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let Some(list) = access::list(&mut keys, args.next()?)? else {
        reply.null();
        return Ok(());
    };
    let index = args.int()?;
    element_reply(place(index, list.len()).and_then(|index| list.get(index)), reply);
    Ok(())
}

/// `LSET key index element`
pub(super) fn lset(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let key = args.next()?;
    let set = access::change_list(&mut keys, key, false, |list, shapes| {
        let outcome = args.int().and_then(|index| {
            let index = place(index, list.len()).ok_or(ReplyError::IndexOutOfRange)?;
            let element = args.next()?;
            list.prepare(1, element.len(), shapes);
            list.replace(index, element);
            list.settle(shapes);
            Ok(())
        });
        (outcome.is_ok().then_some(Event::LSET), outcome)
    })?;
    set.ok_or(ReplyError::NoSuchKey)??;
    reply.ok();
    Ok(())
}

/// `LINSERT key BEFORE|AFTER pivot element`
pub(super) fn linsert(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let behind = args.keyword_of(&["before", "after"]).ok_or(ReplyError::Syntax)?;
    let (pivot, element) = (Element::of(args.next()?), args.next()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let len = access::change_list(&mut keys, key, false, |list, shapes| {
        let Some(index) = list.as_ref().iter(0).position(|element| element == pivot) else { return (None, -1) };
        list.prepare(1, element.len(), shapes);
        list.insert(index + behind, element);
        (Some(Event::LINSERT), list.len() as i64)
    })?;
    reply.integer(len.unwrap_or_default());
    Ok(())
}

/// `LRANGE key start stop`
pub(super) fn lrange(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, start, stop) = (args.next()?, args.int()?, args.int()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let list = access::list(&mut keys, key)?.unwrap_or_default();
    let range = range(start, stop, list.len());
    reply.array(range.len());
    range_reply(list, range, reply);
    Ok(())
}

/// `LTRIM key start stop`
pub(super) fn ltrim(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, start, stop) = (args.next()?, args.int()?, args.int()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let offcut = access::change_list(&mut keys, key, false, |list, shapes| {
        let len = list.len();
        let kept = range(start, stop, len);
        let mut offcut = list.remove_range(kept.end, len - kept.end);
        offcut.join(list.remove_range(0, kept.start));
        list.settle(shapes);
        // A change even if nothing is cut off.
        (Some(Event::LTRIM), offcut)
    })?;
    keys.bury(offcut.unwrap_or_default());
    reply.ok();
    Ok(())
}

/// Matches that LREM looks for before it removes them.
const MATCHES: usize = 4096;

/// `LREM key count element`
pub(super) fn lrem(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, count, element) = (args.next()?, args.int()?, Element::of(args.next()?));
    let end = if count < 0 { End::Right } else { End::Left };
    let mut left = match count {
        0 => usize::MAX,
        count => usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX),
    };
    let mut keys = shard.keys(cx.database, cx.now);
    let outcome = access::change_list(&mut keys, key, false, |list, shapes| {
        let (mut removed, mut offcut) = (0, Offcut::default());
        // How many elements have been passed, seen from the end where the search begins.
        let mut passed = 0;
        loop {
            let found = matches(list.as_ref(), element, end, passed, left.min(MATCHES));
            let Some(last) = found.last() else { break };
            (removed, left) = (removed + found.len(), left - found.len());
            passed = match end {
                End::Left => last + 1 - found.len(),
                End::Right => list.len() - last - found.len(),
            };
            offcut.join(list.remove_all(found));
        }
        list.settle(shapes);
        ((removed > 0).then_some(Event::LREM), (removed, offcut))
    })?;
    let (removed, offcut) = outcome.unwrap_or_default();
    keys.bury(offcut);
    reply.integer(removed as i64);
    Ok(())
}

/// The numbers of the next elements that are equal to `element`, at most `most`, in the order in which they are met behind
/// the `passed` elements at `end`.
fn matches(list: ListRef<'_>, element: Element<'_>, end: End, passed: usize, most: usize) -> Vec<usize> {
    let is_equal = |(_, other): &(usize, Element<'_>)| *other == element;
    match end {
        End::Left => {
            let found = (passed..).zip(list.iter(passed)).filter(is_equal);
            found.map(|(index, _)| index).take(most).collect()
        }
        End::Right => {
            let rest = list.len() - passed;
            let found = (0..rest).rev().zip(list.iter_back(rest)).filter(is_equal);
            found.map(|(index, _)| index).take(most).collect()
        }
    }
}

/// `LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]`
pub(super) fn lpos(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, element) = (args.next()?, Element::of(args.next()?));
    let search = Search::parse(args)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let list = access::list(&mut keys, key)?.unwrap_or_default();
    let found = search.run(list, element);
    match search.count {
        None => match found.first() {
            None => reply.null(),
            Some(index) => reply.integer(*index as i64),
        },
        Some(_) => {
            reply.array(found.len());
            found.into_iter().for_each(|index| reply.integer(index as i64));
        }
    }
    Ok(())
}

/// What LPOS looks for.
struct Search {
    end: End,
    /// Matches that are passed over.
    skip: usize,
    /// Matches that are answered, 0 for all; without, the first one and not in an array.
    count: Option<usize>,
    /// Elements that are compared.
    within: usize,
}

impl Search {
    fn parse(args: &mut Args<'_>) -> Result<Self, ReplyError> {
        let mut search = Self { end: End::Left, skip: 0, count: None, within: usize::MAX };
        let number = |args: &mut Args<'_>, error| usize::try_from(args.int_or(error)?).map_err(|_| error);
        while !args.is_empty() {
            match args.keyword_of(&["rank", "count", "maxlen"]) {
                Some(_) if args.is_empty() => return Err(ReplyError::Syntax),
                Some(0) => {
                    let rank = args.int()?;
                    if rank == i64::MIN {
                        return Err(ReplyError::OutOfRange64);
                    }
                    search.skip = rank.unsigned_abs().checked_sub(1).ok_or(ReplyError::RankZero)? as usize;
                    search.end = if rank < 0 { End::Right } else { End::Left };
                }
                Some(1) => search.count = Some(number(args, ReplyError::CountNegative)?),
                Some(_) => {
                    let within = number(args, ReplyError::MaxlenNegative)?;
                    search.within = if within == 0 { usize::MAX } else { within };
                }
                None => return Err(ReplyError::Syntax),
            }
        }
        Ok(search)
    }

    /// The numbers of the elements that match.
    fn run(&self, list: ListRef<'_>, element: Element<'_>) -> Vec<usize> {
        let most = match self.count {
            None => 1,
            Some(0) => usize::MAX,
            Some(count) => count,
        };
        let len = list.len();
        let is_equal = |(_, other): &(usize, Element<'_>)| *other == element;
        match self.end {
            End::Left => {
                let found = (0..self.within.min(len)).zip(list.iter(0)).filter(is_equal);
                found.map(|(index, _)| index).skip(self.skip).take(most).collect()
            }
            End::Right => {
                let found = (0..len).rev().take(self.within).zip(list.iter_back(len)).filter(is_equal);
                found.map(|(index, _)| index).skip(self.skip).take(most).collect()
            }
        }
    }
}

/// The number of the element that `index` means in a list of `len`: negative ones count from behind.
fn place(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index + len as i64 } else { index };
    usize::try_from(index).ok().filter(|&index| index < len)
}

/// The elements from `start` to `stop` of a list of `len`, both included. Negative ones count from behind; what lies
/// outside is left out.
pub(super) fn range(start: i64, stop: i64, len: usize) -> Range<usize> {
    let len = len as i64;
    let place = |index: i64| if index < 0 { index + len } else { index };
    let (start, stop) = (place(start).max(0), place(stop).min(len - 1));
    if start <= stop { start as usize..stop as usize + 1 } else { 0..0 }
}

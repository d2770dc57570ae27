//! Sets: what several have in common, together, or apart.
//!
//! The sets are looked at one after the other first, for their types and for the account of accesses, and then all at once.

use super::element::element_reply;
use super::{Cx, access};
use crate::command::{Args, number};
use crate::keyspace::collection::pack::{Digits, Element};
use crate::keyspace::collection::{Collection, CollectionRef, Set, SetRef, Shapes};
use crate::keyspace::{Event, Keys, Shard};
use crate::resp::{Reply, ReplyError};

/// How sets are combined.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Combination {
    Intersection,
    Union,
    Difference,
}

/// `SINTER key [key ...]`
pub(super) fn sinter(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, Combination::Intersection)
}

/// `SUNION key [key ...]`
pub(super) fn sunion(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, Combination::Union)
}

/// `SDIFF key [key ...]`
pub(super) fn sdiff(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, Combination::Difference)
}

/// `SINTERSTORE destination key [key ...]`
pub(super) fn sinterstore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    store(shard, args, cx, reply, Combination::Intersection)
}

/// `SUNIONSTORE destination key [key ...]`
pub(super) fn sunionstore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    store(shard, args, cx, reply, Combination::Union)
}

/// `SDIFFSTORE destination key [key ...]`
pub(super) fn sdiffstore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    store(shard, args, cx, reply, Combination::Difference)
}

/// `SINTERCARD numkeys key [key ...] [LIMIT limit]`
pub(super) fn sintercard(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let count = number::integer(args.next()?).filter(|count| *count > 0).ok_or(ReplyError::KeyCountNotPositive)?;
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > args.remaining() {
        return Err(ReplyError::KeyCountTooLarge);
    }
    let names = (0..count).map(|_| args.next()).collect::<Result<Vec<_>, _>>()?;
    let mut limit = 0;
    while !args.is_empty() {
        if !args.keyword("limit") || args.is_empty() {
            return Err(ReplyError::Syntax);
        }
        let read = number::integer(args.next()?).and_then(|limit| usize::try_from(limit).ok());
        limit = read.ok_or(ReplyError::LimitNegative)?;
    }
    let mut keys = shard.keys(cx.database, cx.now);
    let sets = meet(&mut keys, &names)?;
    let limit = if limit == 0 { usize::MAX } else { limit };
    reply.integer(intersection(sets).take(limit).count() as i64);
    Ok(())
}

/// Looks at all keys, in their order, and then at their sets together; `None` for a key that is not there.
fn meet<'k>(keys: &'k mut Keys<'_>, names: &[&[u8]]) -> Result<Vec<Option<SetRef<'k>>>, ReplyError> {
    for name in names {
        access::set(keys, name)?;
    }
    let set = |name: &&[u8]| match keys.collection(name) {
        Some(CollectionRef::Set(set)) => Some(set),
        _ => None,
    };
    Ok(names.iter().map(set).collect())
}

fn answer(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &Cx<'_>,
    reply: &mut Reply<'_>,
    combination: Combination,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let shapes = keys.shapes().clone();
    let sets = meet(&mut keys, &rest(args))?;
    if combination == Combination::Union {
        let union = union(sets, &shapes);
        reply.set(union.as_ref().len());
        union.as_ref().iter().for_each(|member| element_reply(Some(member), reply));
        return Ok(());
    }
    let members: Vec<Element<'_>> = match combination {
        Combination::Intersection => intersection(sets).collect(),
        _ => difference(sets, &shapes).collect(),
    };
    reply.set(members.len());
    members.into_iter().for_each(|member| element_reply(Some(member), reply));
    Ok(())
}

fn store(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &Cx<'_>,
    reply: &mut Reply<'_>,
    combination: Combination,
) -> Result<(), ReplyError> {
    let destination = args.next()?;
    let mut keys = shard.keys(cx.database, cx.now);
    let shapes = keys.shapes().clone();
    let sets = meet(&mut keys, &rest(args))?;
    let (result, event) = match combination {
        Combination::Union => (union(sets, &shapes), Event::SUNIONSTORE),
        Combination::Intersection => (gathered(intersection(sets), &shapes), Event::SINTERSTORE),
        Combination::Difference => (gathered(difference(sets, &shapes), &shapes), Event::SDIFFSTORE),
    };
    reply.integer(result.as_ref().len() as i64);
    keys.set_collection(destination, Collection::Set(result), event);
    Ok(())
}

fn rest<'a>(args: &mut Args<'a>) -> Vec<&'a [u8]> {
    std::iter::from_fn(|| args.next().ok()).collect()
}

fn gathered<'a>(members: impl Iterator<Item = Element<'a>>, shapes: &Shapes) -> Set {
    let mut set = Set::default();
    members.for_each(|member| _ = set.add(member.bytes(&mut Digits::new()), shapes));
    set
}

/// The members of the smallest set that all others have, which are asked in the order of their sizes.
fn intersection<'k>(sets: Vec<Option<SetRef<'k>>>) -> Box<dyn Iterator<Item = Element<'k>> + 'k> {
    let Some(mut sets) = sets.into_iter().collect::<Option<Vec<_>>>() else { return Box::new(std::iter::empty()) };
    sets.sort_by_key(|set| set.len());
    let Some((smallest, others)) = sets.split_first().map(|(first, others)| (*first, others.to_vec())) else {
        return Box::new(std::iter::empty());
    };
    Box::new(smallest.iter().filter(move |member| {
        let mut digits = Digits::new();
        let member = member.bytes(&mut digits);
        others.iter().all(|other| other.contains(member))
    }))
}

fn union(sets: Vec<Option<SetRef<'_>>>, shapes: &Shapes) -> Set {
    gathered(sets.into_iter().flatten().flat_map(SetRef::iter), shapes)
}

/// The members of the first set that no other has. Each member is looked for in one set after the other, the largest first,
/// as it is likeliest to be there; or where that would take more steps than the others have members, in one set that all of
/// them make up.
fn difference<'k>(sets: Vec<Option<SetRef<'k>>>, shapes: &Shapes) -> Box<dyn Iterator<Item = Element<'k>> + 'k> {
    let mut sets = sets.into_iter();
    let Some(first) = sets.next().flatten() else { return Box::new(std::iter::empty()) };
    let mut others: Vec<SetRef<'k>> = sets.flatten().collect();
    others.sort_by_key(|set| std::cmp::Reverse(set.len()));
    let members: usize = others.iter().map(|set| set.len()).sum();
    if others.len() > 1 && members < first.len().saturating_mul(others.len() - 1) {
        let all = gathered(others.into_iter().flat_map(SetRef::iter), shapes);
        return Box::new(first.iter().filter(move |member| !all.as_ref().contains(member.bytes(&mut Digits::new()))));
    }
    Box::new(first.iter().filter(move |member| {
        let mut digits = Digits::new();
        let member = member.bytes(&mut digits);
        !others.iter().any(|other| other.contains(member))
    }))
}

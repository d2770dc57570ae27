//! Unions, intersections and differences of sorted sets and sets. The members of a set have score 1.

use super::members::Members;
use super::{member_reply, members_reply};
use crate::command::Args;
use crate::exec::{Cx, access};
use crate::keyspace::collection::CollectionRef;
use crate::keyspace::collection::pack::{Digits, Element};
use crate::keyspace::collection::zset::End;
use crate::keyspace::{Event, Keys, Shard};
use crate::resp::{Reply, ReplyError};

/// How collections are combined.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Intersection,
    Difference,
}

/// What the scores of a member become.
#[derive(Clone, Copy, Default)]
enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(self, first: f64, second: f64) -> f64 {
        match self {
            Aggregate::Sum => number_or_zero(first + second),
            Aggregate::Min if second < first => second,
            Aggregate::Max if second > first => second,
            _ => first,
        }
    }
}

/// Infinities that cancel out, and an infinity times zero, come to zero.
fn number_or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// What a command of this family is asked for.
struct Query<'a> {
    names: Vec<&'a [u8]>,
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
}

impl<'a> Query<'a> {
    /// Reads the keys' names, makes sure that they are sorted sets and sets, and reads the options behind them, in this
    /// order. `name` is that of the command.
    fn read(
        keys: &mut Keys<'_>,
        args: &mut Args<'a>,
        operation: Operation,
        stores: bool,
        name: &'static str,
    ) -> Result<Self, ReplyError> {
        let names = read_names(keys, args, name)?;
        let mut weights = vec![1.0; names.len()];
        let (mut aggregate, mut with_scores) = (Aggregate::default(), false);
        let weighs = operation != Operation::Difference;
        while !args.is_empty() {
            match args.keyword_of(&["weights", "aggregate", "withscores"]) {
                Some(0) if weighs && args.remaining() >= names.len() => {
                    for weight in &mut weights {
                        *weight = args.float().map_err(|_| ReplyError::WeightNotFloat)?;
                    }
                }
                Some(1) if weighs => {
                    let found = args.keyword_of(&["sum", "min", "max"]).ok_or(ReplyError::Syntax)?;
                    aggregate = [Aggregate::Sum, Aggregate::Min, Aggregate::Max][found];
                }
                Some(2) if !stores => with_scores = true,
                _ => return Err(ReplyError::Syntax),
            }
        }
        Ok(Self { names, weights, aggregate, with_scores })
    }

    /// The result, in the order of a sorted set.
    fn run(&self, keys: &Keys<'_>, operation: Operation) -> Members {
        let mut sources: Vec<Source<'_>> = self
            .names
            .iter()
            .zip(&self.weights)
            .map(|(name, weight)| Source { value: keys.collection(name), weight: *weight })
            .collect();
        if operation != Operation::Difference {
            // What is small comes first: it is gone through, the others are asked. Sums depend on the order.
            sources.sort_by_key(Source::len);
        }
        let mut members = match operation {
            Operation::Union => self.union(&sources),
            Operation::Intersection => self.intersection(&sources),
            Operation::Difference => difference(&sources),
        };
        members.sort();
        members
    }

    fn union(&self, sources: &[Source<'_>]) -> Members {
        let mut members = Members::default();
        for source in sources {
            source.visit(|member, score| members.push(member, number_or_zero(score * source.weight)));
        }
        members.join(|first, second| self.aggregate.of(first, second));
        members
    }

    fn intersection(&self, sources: &[Source<'_>]) -> Members {
        let mut members = Members::default();
        let Some((first, others)) = sources.split_first() else { return members };
        first.visit(|member, score| {
            let first = number_or_zero(score * first.weight);
            let joined = others
                .iter()
                .try_fold(first, |joined, other| Some(self.aggregate.of(joined, other.score(member)? * other.weight)));
            if let Some(score) = joined {
                members.push(member, score);
            }
        });
        members
    }
}

/// Reads how many keys there are and their names, and makes sure of their types.
fn read_names<'a>(keys: &mut Keys<'_>, args: &mut Args<'a>, name: &'static str) -> Result<Vec<&'a [u8]>, ReplyError> {
    let count = args.int()?;
    let count = usize::try_from(count).ok().filter(|&count| count > 0).ok_or(ReplyError::InputKeysMissing(name))?;
    if count > args.remaining() {
        return Err(ReplyError::Syntax);
    }
    let names = (0..count).map(|_| args.next()).collect::<Result<Vec<_>, _>>()?;
    for name in &names {
        access::scored(keys, name)?;
    }
    Ok(names)
}

fn difference(sources: &[Source<'_>]) -> Members {
    let mut members = Members::default();
    if let Some((first, others)) = sources.split_first() {
        first.visit(|member, score| {
            if others.iter().all(|other| other.score(member).is_none()) {
                members.push(member, score);
            }
        });
    }
    members
}

/// One of the collections that are combined.
struct Source<'k> {
    value: Option<CollectionRef<'k>>,
    weight: f64,
}

impl<'k> Source<'k> {
    fn len(&self) -> usize {
        self.value.map_or(0, CollectionRef::len)
    }

    fn visit(&self, mut each: impl FnMut(Element<'k>, f64)) {
        match self.value {
            Some(CollectionRef::ZSet(zset)) => zset.visit(0..zset.len(), End::Lowest, each),
            Some(CollectionRef::Set(set)) => set.iter().for_each(|member| each(member, 1.0)),
            _ => {}
        }
    }

    fn score(&self, member: Element<'_>) -> Option<f64> {
        let mut digits = Digits::new();
        let member = member.bytes(&mut digits);
        match self.value? {
            CollectionRef::ZSet(zset) => zset.score(member),
            CollectionRef::Set(set) => set.contains(member).then_some(1.0),
            _ => None,
        }
    }
}

fn answer(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
    (operation, name): (Operation, &'static str),
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let query = Query::read(&mut keys, args, operation, false, name)?;
    let members = query.run(&keys, operation);
    members_reply(members.len(), query.with_scores, reply);
    for (member, score) in members.iter() {
        member_reply(Element::Text(member), score, query.with_scores, reply);
    }
    Ok(())
}

fn store(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
    (operation, name): (Operation, &'static str),
) -> Result<(), ReplyError> {
    let destination = args.next()?;
    let mut keys = shard.keys(cx.database, cx.now);
    let query = Query::read(&mut keys, args, operation, true, name)?;
    let members = query.run(&keys, operation);
    let event = match operation {
        Operation::Union => Event::ZUNIONSTORE,
        Operation::Intersection => Event::ZINTERSTORE,
        Operation::Difference => Event::ZDIFFSTORE,
    };
    members.store(&mut keys, destination, event);
    reply.integer(members.len() as i64);
    Ok(())
}

/// `ZUNION numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]`
pub(in crate::exec) fn zunion(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, (Operation::Union, "zunion"))
}

/// `ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]`
pub(in crate::exec) fn zunionstore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    store(shard, args, cx, reply, (Operation::Union, "zunionstore"))
}

/// `ZINTER numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]`
pub(in crate::exec) fn zinter(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, (Operation::Intersection, "zinter"))
}

/// `ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight [weight ...]] [AGGREGATE SUM | MIN | MAX]`
pub(in crate::exec) fn zinterstore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    store(shard, args, cx, reply, (Operation::Intersection, "zinterstore"))
}

/// `ZDIFF numkeys key [key ...] [WITHSCORES]`
pub(in crate::exec) fn zdiff(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    answer(shard, args, cx, reply, (Operation::Difference, "zdiff"))
}

/// `ZDIFFSTORE destination numkeys key [key ...]`
pub(in crate::exec) fn zdiffstore(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    store(shard, args, cx, reply, (Operation::Difference, "zdiffstore"))
}

/// `ZINTERCARD numkeys key [key ...] [LIMIT limit]`
pub(in crate::exec) fn zintercard(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let names = read_names(&mut keys, args, "zintercard")?;
    let mut limit = 0;
    while !args.is_empty() {
        if !args.keyword("limit") || args.is_empty() {
            return Err(ReplyError::Syntax);
        }
        limit = usize::try_from(args.int_or(ReplyError::LimitNegative)?).map_err(|_| ReplyError::LimitNegative)?;
    }
    let mut sources: Vec<_> = names.iter().map(|name| Source { value: keys.collection(name), weight: 1.0 }).collect();
    sources.sort_by_key(Source::len);
    let mut count = 0;
    if let Some((first, others)) = sources.split_first() {
        first.visit(|member, _| {
            let is_wanted = limit == 0 || count < limit;
            count += usize::from(is_wanted && others.iter().all(|other| other.score(member).is_some()));
        });
    }
    reply.integer(count as i64);
    Ok(())
}

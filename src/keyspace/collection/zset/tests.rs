//! Sorted sets of both forms against a map and a sorted vector.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::KeyHasher;
use crate::config::Config;
use crate::keyspace::collection::{Collection, CompactLimits};

/// Small enough that sorted sets are often compact, and often outgrow it.
fn shapes() -> Shapes {
    let compact = CompactLimits { zset_entries: 12, zset_value_bytes: 20, ..CompactLimits::of(&Config::default()) };
    Shapes { compact, hasher: KeyHasher::new(1) }
}

type Model = BTreeMap<Vec<u8>, f64>;

/// What a sorted set with these members looks like.
fn in_order(model: &Model) -> Vec<(Vec<u8>, f64)> {
    let mut items: Vec<_> = model.iter().map(|(member, score)| (member.clone(), *score)).collect();
    items.sort_by(|a, b| a.1.partial_cmp(&b.1).expect("numbers").then_with(|| a.0.cmp(&b.0)));
    items
}

fn visited(zset: ZSetRef<'_>, span: Range<usize>, from: End) -> Vec<(Vec<u8>, f64)> {
    let mut items = Vec::new();
    zset.visit(span, from, |member, score| items.push((member.to_vec(), score)));
    items
}

fn scanned(zset: ZSetRef<'_>) -> Model {
    let (mut found, mut cursor) = (Model::new(), 0);
    loop {
        cursor = zset.scan(cursor, 3, |member, score| {
            found.insert(member.to_vec(), score);
        });
        if cursor == 0 {
            return found;
        }
    }
}

fn check(zset: &ZSet, model: &Model) {
    let (view, expected) = (zset.as_ref(), in_order(model));
    assert_eq!((view.len(), view.is_empty()), (expected.len(), expected.is_empty()));
    assert_eq!(visited(view, 0..expected.len(), End::Lowest), expected);
    let mut back = visited(view, 0..expected.len(), End::Highest);
    back.reverse();
    assert_eq!(back, expected);
    for (rank, (member, score)) in expected.iter().enumerate() {
        assert_eq!((view.rank(member), view.score(member)), (Some((rank, *score)), Some(*score)));
        assert_eq!(view.at(rank).map(|(member, _)| member.to_vec()).as_ref(), Some(member));
    }
    assert!(view.at(expected.len()).is_none() && view.rank(b"nobody").is_none());
    assert_eq!(&scanned(view), model);
}

fn check_span(zset: &ZSet, model: &Model, min: Limit<f64>, max: Limit<f64>) {
    let inside = |score: f64| {
        let above = match min {
            Limit::Closed(limit) => score >= limit,
            Limit::Open(limit) => score > limit,
            other => other == Limit::Lowest,
        };
        let below = match max {
            Limit::Closed(limit) => score <= limit,
            Limit::Open(limit) => score < limit,
            other => other == Limit::Highest,
        };
        above && below
    };
    let span = zset.as_ref().span(&Bounds::Scores(min, max));
    let expected: Vec<_> = in_order(model).into_iter().filter(|(_, score)| inside(*score)).collect();
    assert_eq!(visited(zset.as_ref(), span, End::Lowest), expected, "{min:?} {max:?}");
}

#[derive(Clone, Debug)]
enum Step {
    Set(Vec<u8>, f64),
    Add(Vec<u8>, f64),
    Remove(Vec<u8>),
    RemoveSpan(usize, usize),
    Pop(bool, usize),
    Span(Limit<f64>, Limit<f64>),
    Copy,
}

fn members() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => (-15..15_i32).prop_map(|number| number.to_string().into_bytes()),
        8 => proptest::collection::vec(b'a'..b'd', 0..3),
        1 => (19..23_usize).prop_map(|len| vec![b'x'; len]),
    ]
}

fn scores() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-4..4_i32).prop_map(f64::from),
        2 => (-4..4_i32).prop_map(|number| f64::from(number) / 4.0),
        1 => prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(1e300), Just(-0.0), Just(1e15)],
    ]
}

fn limits() -> impl Strategy<Value = Limit<f64>> {
    prop_oneof![
        1 => Just(Limit::Lowest),
        1 => Just(Limit::Highest),
        4 => scores().prop_map(Limit::Closed),
        4 => scores().prop_map(Limit::Open),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (members(), scores()).prop_map(|(member, score)| Step::Set(member, score)),
        4 => (members(), scores()).prop_map(|(member, score)| Step::Add(member, score)),
        6 => members().prop_map(Step::Remove),
        1 => (0..30_usize, 0..6_usize).prop_map(|(start, count)| Step::RemoveSpan(start, count)),
        1 => (any::<bool>(), 0..4_usize).prop_map(|(low, count)| Step::Pop(low, count)),
        3 => (limits(), limits()).prop_map(|(min, max)| Step::Span(min, max)),
        1 => Just(Step::Copy),
    ]
}

fn run(steps: Vec<Step>) {
    let (shapes, mut zset, mut model) = (shapes(), ZSet::default(), Model::new());
    for step in steps {
        match step {
            Step::Set(member, score) => {
                let expected = model.get(&member).copied();
                zset.update(&member, &shapes, |before| {
                    assert_eq!(before, expected);
                    Some(score)
                });
                model.insert(member, score);
            }
            Step::Add(member, score) => {
                zset.update(&member, &shapes, |before| before.is_none().then_some(score));
                model.entry(member).or_insert(score);
            }
            Step::Remove(member) => assert_eq!(zset.remove(&member), model.remove(&member).is_some()),
            Step::RemoveSpan(start, count) => {
                let len = model.len();
                let span = start.min(len)..(start + count).min(len);
                in_order(&model)[span.clone()].iter().for_each(|(member, _)| {
                    model.remove(member);
                });
                drop(zset.remove_span(span));
            }
            Step::Pop(low, count) => {
                let mut expected = in_order(&model);
                if !low {
                    expected.reverse();
                }
                expected.truncate(count);
                let (mut popped, end) = (Vec::new(), if low { End::Lowest } else { End::Highest });
                drop(zset.pop(end, count, |member, score| popped.push((member.to_vec(), score))));
                assert_eq!(popped, expected);
                popped.iter().for_each(|(member, _)| {
                    model.remove(member);
                });
            }
            Step::Span(min, max) => check_span(&zset, &model, min, max),
            Step::Copy => zset = zset.as_ref().to_zset(),
        }
        if zset.as_ref().is_empty() {
            // As its key would be gone.
            zset = ZSet::default();
        }
        check(&zset, &model);
    }
}

proptest! {
    #[test]
    fn a_sorted_set_is_a_map_in_order(steps in proptest::collection::vec(steps(), 0..120)) {
        run(steps);
    }

    #[test]
    fn what_comes_in_order_is_a_sorted_set(
        model in proptest::collection::btree_map(members(), scores(), 0..40),
    ) {
        let items = in_order(&model);
        let zset = ZSet::ordered(items.iter().map(|(member, score)| (&member[..], *score)), &shapes());
        check(&zset, &model);
    }
}

fn large(members: usize) -> ZSet {
    let (shapes, mut zset) = (shapes(), ZSet::default());
    for number in 0..members {
        let member = format!("member:{number:07}");
        zset.update(member.as_bytes(), &shapes, |_| Some((number * 7919 % 10_007) as f64));
    }
    zset
}

#[test]
fn members_are_of_limits_of_alphabetical_ranges() {
    let (shapes, mut zset) = (shapes(), ZSet::default());
    for members in [5, 30] {
        (0..members).for_each(|number: u8| zset.update(&[b'a' + number], &shapes, |_| Some(0.0)));
        let span = |min, max| zset.as_ref().span(&Bounds::Members(min, max));
        assert_eq!(span(Limit::Lowest, Limit::Highest), 0..usize::from(members));
        assert_eq!(span(Limit::Closed(b"b"), Limit::Open(b"d")), 1..3);
        assert_eq!(span(Limit::Open(b"b"), Limit::Closed(b"bb")), 2..2);
        assert_eq!(span(Limit::Highest, Limit::Lowest).len(), 0);
    }
}

#[test]
fn a_large_sorted_set_is_dropped_in_slices() {
    for emptied in [false, true] {
        let mut zset = large(20_000);
        let before = Collection::ZSet(zset.clone()).heap_bytes();
        if emptied {
            assert!(zset.remove_span(0..20_000).is_none());
            assert!(zset.as_ref().is_empty(), "what nobody sees is still to be dropped");
        }
        let mut collection = Collection::ZSet(zset);
        assert!(collection.heap_bytes() > before / 2);
        let mut slices = 0;
        while collection.drop_some(10_000) {
            slices += 1;
        }
        assert!(slices > 50 && collection.heap_bytes() < 10_000, "{slices}, {}", collection.heap_bytes());
    }
}

#[test]
fn the_few_that_stay_leave_the_others_behind() {
    let mut zset = large(20_000);
    let before = visited(zset.as_ref(), 0..20_000, End::Lowest);
    // A scan that has begun goes on among those that stay.
    let cursor = zset.as_ref().scan(0, 10_000, |_, _| {});
    let seen = |zset: &ZSet, mut cursor: u64| {
        let mut seen = Vec::new();
        while cursor != 0 {
            cursor = zset.as_ref().scan(cursor, 100, |member, _| seen.push(member.to_vec()));
        }
        seen
    };
    let to_come = seen(&zset, cursor);
    let heap = Collection::ZSet(zset.clone()).heap_bytes();
    let left_behind = zset.remove_span(50..19_960).expect("most of it goes");
    let mut model: Model = before[..50].iter().cloned().collect();
    model.extend(before[19_960..].iter().cloned());
    check(&zset, &model);
    let mut expected: Vec<_> = to_come.into_iter().filter(|member| model.contains_key(member)).collect();
    let mut found = seen(&zset, cursor);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    let mut left_behind = Collection::ZSet(left_behind);
    assert!(left_behind.heap_bytes() > heap / 2 && Collection::ZSet(zset.clone()).heap_bytes() < heap / 50);
    while left_behind.drop_some(10_000) {}
    // Half of it or less is removed where it lies.
    assert!(zset.remove_span(0..45).is_none() && zset.as_ref().len() == 45);
}

/// Redis takes about 120 bytes for a member of 14 bytes: its own string, an entry of a hash table, a node of a skip list.
#[test]
fn a_member_costs_few_bytes_beyond_itself() {
    let bytes = Collection::ZSet(large(100_000)).heap_bytes() as f64 / 100_000.0;
    assert!(bytes < 60.0, "{bytes:.1} bytes a member");
}

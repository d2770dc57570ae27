//! Sets in all their forms against sets of the standard library.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::base::{KeyHasher, Rng};
use crate::config::Config;
use crate::keyspace::collection::{Collection, CompactLimits};

fn shapes(integers: usize, entries: usize, value_bytes: usize) -> Shapes {
    let compact = CompactLimits::of(&Config::default());
    let compact =
        CompactLimits { set_integers: integers, set_entries: entries, set_value_bytes: value_bytes, ..compact };
    Shapes { compact, hasher: KeyHasher::new(1) }
}

/// A member by its number: whole numbers, texts, the empty one.
fn member(number: u16) -> Vec<u8> {
    match number % 5 {
        0 | 1 => (i64::from(number) - 30).to_string().into_bytes(),
        2 => (i64::from(number) << 40).to_string().into_bytes(),
        3 => "x".repeat(usize::from(number) / 5).into_bytes(),
        _ => format!("member:{number}").into_bytes(),
    }
}

fn check(set: &Set, model: &BTreeSet<Vec<u8>>, rng: &mut Rng) {
    let view = set.as_ref();
    assert_eq!((view.len(), view.is_empty()), (model.len(), model.is_empty()));
    let members: BTreeSet<Vec<u8>> = view.iter().map(Element::to_vec).collect();
    assert_eq!(&members, model);
    let (mut scanned, mut cursor) = (BTreeSet::new(), 0);
    loop {
        cursor = view.scan(cursor, 3, |member| assert!(scanned.insert(member.to_vec()), "visited once"));
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(&scanned, model);
    assert_eq!(view.random(rng).is_none(), model.is_empty());
    assert!(view.random(rng).is_none_or(|member| model.contains(&member.to_vec())));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sets_are_sets(
        limits in (0..20_usize, 0..20_usize, 0..40_usize),
        steps in proptest::collection::vec((0..4_u8, 0..60_u16), 1..200),
        texts in any::<bool>(),
    ) {
        let shapes = shapes(limits.0, limits.1, limits.2);
        let (mut set, mut model, mut rng) = (Set::default(), BTreeSet::new(), Rng::with_seed(1));
        for (step, number) in steps {
            let name = member(if texts { number } else { number / 5 * 5 });
            match step {
                0 | 1 => prop_assert_eq!(set.add(&name, &shapes), model.insert(name)),
                2 => prop_assert_eq!(set.remove(&name), model.remove(&name)),
                _ => {
                    let mut popped = None;
                    prop_assert_eq!(set.pop(&mut rng, |member| popped = Some(member.to_vec())), !model.is_empty());
                    prop_assert!(popped.is_none_or(|popped| model.remove(&popped)));
                }
            }
            prop_assert!(model.iter().all(|name| set.as_ref().contains(name)));
            check(&set, &model, &mut rng);
            check(&set.as_ref().to_set(), &model, &mut rng);
        }
        let mut rest = Collection::Set(set);
        while rest.drop_some(100) {}
    }
}

#[test]
fn what_does_not_fit_an_entry_is_a_map() {
    let shapes = shapes(100_000, 100_000, 100_000);
    let (mut numbers, mut texts) = (Set::default(), Set::default());
    for number in 0..5000_i64 {
        assert!(numbers.add((number << 40).to_string().as_bytes(), &shapes));
        assert!(texts.add(format!("text:{number}").as_bytes(), &shapes));
        for set in [&numbers, &texts] {
            let bytes = Collection::Set(set.as_ref().to_set()).compact().map_or(0, |(_, bytes)| bytes.len());
            assert!(bytes <= COMPACT_BYTES_MAX);
        }
    }
    assert!(numbers.as_ref().is_large() && texts.as_ref().is_large());
    assert_eq!((numbers.as_ref().len(), texts.as_ref().len()), (5000, 5000));
}

#[test]
fn every_member_is_popped_about_as_often_as_any_other() {
    for (integers, entries) in [(512, 512), (0, 512), (0, 0)] {
        let shapes = shapes(integers, entries, 64);
        let (mut rng, mut counts) = (Rng::with_seed(7), [0; 20]);
        for _ in 0..4000 {
            let mut set = Set::default();
            (0..20).for_each(|number: usize| _ = set.add(number.to_string().as_bytes(), &shapes));
            set.pop(&mut rng, |member| {
                let text = String::from_utf8(member.to_vec()).expect("a number");
                counts[text.parse::<usize>().expect("a number")] += 1;
            });
        }
        assert!(counts.iter().all(|count| (130..270).contains(count)), "{counts:?}");
    }
}

//! Hashes in all their forms, with deadlines of fields, against maps of the standard library.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::base::{KeyHasher, Rng};
use crate::config::Config;
use crate::keyspace::collection::{Collection, CompactLimits};

fn shapes(entries: usize, value_bytes: usize) -> Shapes {
    let compact = CompactLimits::of(&Config::default());
    let compact = CompactLimits { hash_entries: entries, hash_value_bytes: value_bytes, ..compact };
    Shapes { compact, hasher: KeyHasher::new(1) }
}

/// Value and deadline by field.
type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

fn check(hash: &Hash, model: &Model, rng: &mut Rng) {
    let view = hash.as_ref();
    assert_eq!(view.live_len(), model.len());
    assert!(view.len() >= model.len());
    let pair = |(field, value): (Element<'_>, Element<'_>)| (field.to_vec(), value.to_vec());
    let expected: BTreeMap<Vec<u8>, Vec<u8>> =
        model.iter().map(|(field, (value, _))| (field.clone(), value.clone())).collect();
    assert_eq!(view.iter().map(pair).collect::<BTreeMap<_, _>>(), expected);
    let (mut scanned, mut cursor) = (BTreeMap::new(), 0);
    loop {
        cursor = view.scan(cursor, 3, |field, value| _ = scanned.insert(field.to_vec(), value.to_vec()));
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(scanned, expected);
    assert!(view.random(rng).map(pair).is_none_or(|(field, value)| expected[&field] == value));
    assert_eq!(view.random(rng).is_none(), model.is_empty());
    for (field, (value, deadline)) in model {
        assert_eq!(view.get(field).map(Element::to_vec).as_ref(), Some(value));
        assert_eq!(view.deadline(field), *deadline);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn hashes_are_maps(
        limits in (0..12_usize, 0..30_usize),
        steps in proptest::collection::vec((0..8_u8, 0..24_u16, 0..40_u64), 1..200),
    ) {
        let shapes = shapes(limits.0, limits.1);
        let (mut hash, mut model, mut rng, mut now_ms) = (Hash::default(), Model::new(), Rng::with_seed(1), 1000);
        for (step, number, amount) in steps {
            let field = if number % 2 == 0 { number.to_string() } else { format!("field:{number}") }.into_bytes();
            let value = "v".repeat(amount as usize).into_bytes();
            match step {
                0..=2 => {
                    let is_new = model.insert(field.clone(), (value.clone(), None)).is_none();
                    prop_assert_eq!(hash.set(&field, &value, &shapes), is_new);
                }
                3 => {
                    let deadline = model.get(&field).and_then(|(_, deadline)| *deadline);
                    let is_new = model.insert(field.clone(), (value.clone(), deadline)).is_none();
                    prop_assert_eq!(hash.replace(&field, &value, &shapes), is_new);
                }
                4 => prop_assert_eq!(hash.remove(&field), model.remove(&field).is_some()),
                5 => {
                    if let Some((_, deadline)) = model.get_mut(&field) {
                        *deadline = Some(now_ms + amount);
                        hash.set_deadline(&field, now_ms + amount, &shapes);
                    }
                }
                6 => {
                    let had_one = model.get_mut(&field).is_some_and(|(_, deadline)| deadline.take().is_some());
                    prop_assert_eq!(hash.persist(&field), had_one);
                }
                _ => {
                    now_ms += amount;
                    let count = usize::from(number % 3);
                    prop_assert!(hash.expire(now_ms, count) <= count);
                    model.retain(|_, (_, deadline)| deadline.is_none_or(|deadline| deadline >= now_ms));
                }
            }
            check(&hash, &model, &mut rng);
            check(&hash.as_ref().to_hash(), &model, &mut rng);
        }
        hash.expire(now_ms, usize::MAX);
        prop_assert_eq!(hash.as_ref().len(), model.len());
        let has_deadlines = model.values().any(|(_, deadline)| deadline.is_some());
        prop_assert_eq!(matches!(hash, Hash::Timed(_)), has_deadlines, "only hashes with deadlines pay for them");
        let mut rest = Collection::Hash(hash);
        while rest.drop_some(50) {}
        prop_assert!(matches!(rest, Collection::Hash(Hash::Compact(_))) || rest.is_empty() || rest.compact().is_none());
    }
}

#[test]
fn deadlines_are_in_the_account() {
    let shapes = shapes(512, 64);
    let mut hash = Hash::default();
    (0..200).for_each(|number: u32| _ = hash.set(number.to_string().as_bytes(), b"v", &shapes));
    let before = hash.heap_bytes();
    (0..200).for_each(|number: u64| hash.set_deadline(number.to_string().as_bytes(), 1000 + number, &shapes));
    assert!(hash.heap_bytes() > before + 200 * 36);
    assert_eq!(hash.as_ref().next_deadline(), Some(1000));
    assert_eq!(hash.expire(1100, 30), 30, "as many as asked for");
    assert_eq!((hash.as_ref().len(), hash.as_ref().live_len()), (170, 100));
    assert_eq!(hash.as_ref().get(b"99"), None, "due and not yet removed");
    assert!(hash.set(b"99", b"w", &shapes), "as if it were new");
    assert_eq!(hash.as_ref().deadline(b"99"), None);
    assert_eq!(hash.expire(1100, usize::MAX), 69);
    (0..200_u32).for_each(|number| _ = hash.persist(number.to_string().as_bytes()));
    assert!(matches!(hash, Hash::Compact(_)));
}

//! Maps against hash maps, and what they promise of scans, chance, growth and memory.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::keyspace::collection::pack::{Bare, Digits};

fn text(element: Element<'_>) -> Vec<u8> {
    element.bytes(&mut Digits::new()).to_vec()
}

/// Recounts everything that the map keeps count of, and finds every item by its string.
fn audit(map: &Map) {
    let all: Vec<&Bucket> = map.segments.iter().flatten().collect();
    assert_eq!(all.len(), map.buckets);
    assert!(map.segments.iter().rev().skip(1).all(|segment| segment.len() == SEGMENT_BUCKETS));
    assert_eq!(all.iter().map(|bucket| bucket.count()).sum::<usize>(), map.len());
    let mut fills = vec![0; all.iter().map(|bucket| bucket.count()).max().unwrap_or(0) + 1];
    all.iter().for_each(|bucket| fills[bucket.count()] += 1);
    assert_eq!(fills, map.fills);
    let mut bytes = allocation(map.fills.capacity() * 4) + allocation(map.segments.capacity() * 24);
    bytes += map.segments.iter().map(|segment| allocation(segment.capacity() * 16)).sum::<usize>();
    bytes += all.iter().map(|bucket| bucket.heap_bytes()).sum::<usize>();
    assert_eq!(bytes, map.heap_bytes());
    let mut weight = 0;
    for bucket in all {
        for (_, at) in bucket.places(map.width) {
            weight += weight_of(bucket.pack().skip(at, map.width) - at);
            assert!(map.contains(&text(bucket.pack().get(at))));
        }
    }
    assert_eq!(weight, map.weight);
}

/// A string by its number: numbers, texts, long texts.
fn key(number: u64) -> Vec<u8> {
    match number % 8 {
        0..=2 => number.to_string().into_bytes(),
        3 => format!("-{number}").into_bytes(),
        7 => format!("{number}:").repeat(number as usize % 100).into_bytes(),
        _ => format!("key:{number}").into_bytes(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_map_is_a_hash_map(
        width in 1..=2_usize,
        seed in any::<u64>(),
        steps in proptest::collection::vec((0..400_u64, 0..1000_u64, 0..10_u8), 0..800),
    ) {
        let mut map = Map::new(width, seed);
        let mut model = HashMap::new();
        for (at, (number, value, kind)) in steps.into_iter().enumerate() {
            // Times of growth and times of shrinking.
            if kind < if at / 200 % 2 == 0 { 8 } else { 2 } {
                let second = if width > 1 { Bare::element_of(&key(value)) } else { Vec::new() };
                prop_assert_eq!(map.insert(&key(number), &second), model.insert(key(number), key(value)).is_none());
            } else {
                prop_assert_eq!(map.remove(&key(number)), model.remove(&key(number)).is_some());
            }
            audit(&map);
        }
        for number in 0..400 {
            let there = model.get(&key(number));
            prop_assert_eq!(map.contains(&key(number)), there.is_some());
            let wanted = there.filter(|_| width > 1).cloned();
            prop_assert_eq!(map.get(&key(number)).map(text), wanted);
        }
        let items: BTreeMap<Vec<u8>, Option<Vec<u8>>> =
            map.iter().map(|(first, second)| (text(first), second.map(text))).collect();
        let wanted = model.into_iter().map(|(key, value)| (key, Some(value).filter(|_| width > 1))).collect();
        prop_assert_eq!(items, wanted);
        audit(&map.clone());
        let mut before = map.heap_bytes();
        while map.drop_some(500) {
            prop_assert!(map.heap_bytes() < before);
            before = map.heap_bytes();
        }
        prop_assert_eq!((map.len(), map.bucket_bytes), (0, 0));
    }
}

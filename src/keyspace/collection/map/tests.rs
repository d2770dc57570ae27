//! Maps against hash maps, and what they promise of scans, chance, growth and memory.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;

use super::*;
use crate::base::Rng;
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

fn filled(range: std::ops::Range<u64>) -> Map {
    let mut map = Map::new(1, 5);
    range.for_each(|number| assert!(map.insert(number.to_string().as_bytes(), &[])));
    map
}

fn number(item: Item<'_>) -> u64 {
    std::str::from_utf8(&text(item.0)).expect("a number").parse().expect("a number")
}

/// Items 0 to 999 are there from the beginning of each scan to its end; up to 20,000 others come, go, or both, so that
/// the table splits and unites under the scan.
#[test]
fn a_scan_visits_what_is_there_throughout_once() {
    for (seed, (from, to)) in [(1_000, 20_000), (20_000, 1_000), (1_000, 1_000)].into_iter().enumerate() {
        let mut rng = Rng::with_seed(seed as u64);
        for round in 0..8 {
            let mut map = filled(0..from);
            let (mut next, mut cursor, mut seen) = (from, 0, HashMap::new());
            loop {
                cursor = map.scan(cursor, 10, |item| *seen.entry(number(item)).or_insert(0) += 1);
                assert!(cursor < 1 << 53);
                if cursor == 0 {
                    break;
                }
                for _ in 0..rng.u64(..200) {
                    // To and fro, if it is to stay as it is.
                    let grows = if from == to { (next / 2000 + round).is_multiple_of(2) } else { from < to };
                    if grows && next < from.max(to) * 4 {
                        map.insert(next.to_string().as_bytes(), &[]);
                        next += 1;
                    } else if next > 1000 {
                        next -= 1;
                        map.remove(next.to_string().as_bytes());
                    }
                }
            }
            assert!((0..1000).all(|number| seen.get(&number) == Some(&1)), "{from} to {to}, round {round}");
            audit(&map);
        }
    }
}

#[test]
fn a_scan_is_bounded_and_takes_any_cursor() {
    let map = filled(0..10_000);
    let fullest = map.fills.len() - 1;
    let (mut cursor, mut calls, mut visited) = (0, 0, 0);
    loop {
        let mut count = 0;
        cursor = map.scan(cursor, 50, |_| count += 1);
        assert!((50..50 + fullest).contains(&count) || cursor == 0, "{count}");
        visited += count;
        calls += 1;
        if cursor == 0 {
            break;
        }
    }
    assert_eq!(visited, 10_000);
    assert!(calls <= 200);
    for cursor in [1, 12345, (1 << 48) - 1, 1 << 48, (1 << 53) - 1, u64::MAX] {
        assert!(map.scan(cursor, 10, |_| {}) >> 48 == 0);
    }
    assert_eq!(map.scan(0, 0, |_| {}), Map::new(2, 1).scan(0, 1, |_| {}) + map.scan(0, 1, |_| {}));
    // Where items are so large that many buckets are empty, empty buckets count as well.
    let mut large = Map::new(1, 5);
    (0..500).for_each(|number| assert!(large.insert(format!("{number:05000}").as_bytes(), &[])));
    let (mut cursor, mut visited) = (0, 0);
    while {
        cursor = large.scan(cursor, 7, |_| visited += 1);
        cursor != 0
    } {}
    assert_eq!(visited, 500);
}

/// The table is in the middle of a doubling, where some buckets hold twice as much as others; chi-square with 999
/// degrees of freedom is below 1150 but for one of a thousand seeds.
#[test]
fn chance_is_fair_to_every_item() {
    let map = filled(0..1000);
    let level = map.buckets.next_power_of_two();
    assert!(map.buckets > level * 5 / 8 && map.buckets < level, "{} buckets", map.buckets);
    let mut rng = Rng::with_seed(9);
    let mut drawn = [0_i64; 1000];
    (0..100_000).for_each(|_| drawn[number(map.random(&mut rng).expect("not empty")) as usize] += 1);
    let chi_square = drawn.iter().map(|count| (count - 100).pow(2)).sum::<i64>() / 100;
    assert!((850..1150).contains(&chi_square), "{chi_square}");
    assert_eq!(Map::new(1, 1).random(&mut rng), None);
}

/// One insertion or removal changes the item's bucket and, for each step of growth, two more; nothing else moves.
#[test]
fn an_operation_touches_few_buckets() {
    let changed = |before: &Map, after: &Map| {
        let buckets = |map: &Map| map.segments.iter().flatten().cloned().collect::<Vec<_>>();
        let (before, after) = (buckets(before), buckets(after));
        let bytes = |buckets: &[Bucket], at: usize| buckets.get(at).map(|bucket| bucket.pack().bytes().to_vec());
        assert!(before.len().abs_diff(after.len()) <= STEPS_MAX);
        (0..before.len().max(after.len())).filter(|&at| bytes(&before, at) != bytes(&after, at)).count()
    };
    let mut map = filled(0..16_000);
    assert!(map.segments.len() == 1, "it grows into a second segment below");
    let mut most = 0;
    for number in 16_000..16_600_u64 {
        let before = map.clone();
        map.insert(number.to_string().as_bytes(), &[]);
        most = most.max(changed(&before, &map));
    }
    assert!(map.segments.len() == 2 && most <= 3, "{most} buckets");
    for number in 0..600_u64 {
        let before = map.clone();
        map.remove(number.to_string().as_bytes());
        most = most.max(changed(&before, &map));
    }
    let huge = vec![b'x'; 5000];
    let before = map.clone();
    map.insert(&huge, &[]);
    assert!(changed(&before, &map) <= 3);
    let before = map.clone();
    map.remove(&huge);
    assert!(changed(&before, &map) <= 1 + 2 * STEPS_MAX && most <= 3, "{most} buckets");
}

/// The account, per item, beyond the bytes of its elements and the two around each.
fn overhead(width: usize, items: u64, bytes: usize) -> f64 {
    let mut map = Map::new(width, 11);
    let text = |number: u64| format!("{number:0bytes$x}.").into_bytes().split_off(1);
    for number in 0..items {
        map.insert(&text(number), &if width > 1 { Bare::element_of(&text(number)) } else { Vec::new() });
    }
    assert_eq!(map.len() as u64, items);
    map.heap_bytes() as f64 / items as f64 - (width * (bytes + 2)) as f64
}

#[test]
fn an_item_costs_few_bytes_beyond_its_elements() {
    // From the sparsest state of the table to the fullest.
    for items in [1_000_000, 90_000, 70_000, 50_000, 1000] {
        let (member, field) = (overhead(1, items, 8), overhead(2, items, 8));
        assert!(member < 7.0 && field < 7.0, "{items} items: {member:.2} and {field:.2} bytes");
    }
    let (longer, small) = (overhead(2, 100_000, 32), overhead(1, 150, 8));
    assert!(longer < 9.0 && small < 9.0, "{longer:.2} and {small:.2} bytes");
}

/// A map that has become empty, or small, is as small as one that always was.
#[test]
fn what_goes_gives_its_memory_back() {
    let mut map = filled(0..100_000);
    (100..100_000).for_each(|number: u64| assert!(map.remove(number.to_string().as_bytes())));
    audit(&map);
    assert!(map.heap_bytes() < 2 * filled(0..100).heap_bytes(), "{} bytes", map.heap_bytes());
    (0..100).for_each(|number: u64| assert!(map.remove(number.to_string().as_bytes())));
    audit(&map);
    assert!(map.is_empty() && map.buckets == 1 && map.heap_bytes() < 500, "{} bytes", map.heap_bytes());
}

#[test]
fn a_huge_element_is_dropped_in_slices() {
    let mut map = Map::new(2, 1);
    map.insert(b"field", &Bare::element_of(&vec![b'x'; 10 * BURIAL_BYTES]));
    map.insert(b"other", &Bare::element_of(b"small"));
    assert_eq!(map.get(b"field").map(Element::len), Some(10 * BURIAL_BYTES));
    let mut slices = 0;
    while map.drop_some(BURIAL_BYTES) {
        slices += 1;
    }
    assert!((9..13).contains(&slices), "{slices}");
    assert_eq!(map.bucket_bytes, 0);
}

#[test]
fn an_update_sees_what_is_there() {
    let mut map = Map::new(2, 1);
    assert!(!map.update(b"n", |now| now.map(|_| [0_u8; 0])));
    for round in 0..300_i64 {
        let is_new = map.update(b"n", |now| {
            let next = now.map_or(0, |now| if let Element::Int(number) = now { number + 1 } else { -1 });
            Some(Bare::element_of(next.to_string().as_bytes()))
        });
        assert_eq!((is_new, map.get(b"n")), (round == 0, Some(Element::Int(round))));
    }
    audit(&map);
}

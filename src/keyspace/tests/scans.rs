//! Scans and slots, through the shard.

use std::collections::BTreeSet;

use super::{at, every_seed, keys_of, unlimited};
use crate::base::{Rng, SlotId, slot};
use crate::keyspace::*;

#[test]
fn a_scan_returns_what_is_there_throughout_while_segments_split() {
    let mut rng = Rng::with_seed(7);
    let mut shard = unlimited();
    let now = at(1);
    for key in 0..500u32 {
        shard.keys(0, now).set_string(&key.to_le_bytes(), b"v", None);
    }
    let mut seen = BTreeSet::new();
    let mut position = Some(ScanPosition::default());
    let mut next = 500u32;
    while let Some(from) = position {
        position = shard.databases()[0].scan(from, 3, 1, |entry| {
            seen.insert(entry.key().to_vec());
        });
        for _ in 0..rng.u32(..if next < 20_000 { 300 } else { 1 }) {
            shard.keys(0, now).set_string(&next.to_le_bytes(), b"v", None);
            next += 1;
        }
    }
    assert!(next >= 20_000);
    assert!((0..500u32).all(|key| seen.contains(key.to_le_bytes().as_slice())));
}

/// Keys that share few hash tags, or none.
fn key(rng: &mut Rng, tags: u8) -> Vec<u8> {
    let number = rng.u16(..3000);
    if tags == 0 { format!("key:{number}").into() } else { format!("{{{}}}{number}", rng.u8(..tags)).into() }
}

#[test]
fn slots_are_counted_and_listed() {
    every_seed(12, |rng| {
        let (tags, mut shard, now) = ([0, 1, 2, 200][rng.usize(..4)], unlimited(), at(1));
        let mut model: BTreeSet<Vec<u8>> = BTreeSet::new();
        for round in 0..5 {
            for _ in 0..rng.usize(..3000) {
                let key = key(rng, tags);
                if (round + rng.usize(..3)) % 3 == 0 {
                    assert_eq!(shard.keys(0, now).delete(&key), model.remove(&key));
                } else {
                    shard.keys(0, now).set_string(&key, b"v", None);
                    model.insert(key);
                }
            }
            let database = &shard.databases()[0];
            let of_keys = model.iter().take(40).map(|key| slot(key));
            for slot_asked in of_keys.chain([SlotId(0), SlotId(16383), SlotId(rng.u16(..16384))]) {
                let expected: BTreeSet<&[u8]> =
                    model.iter().map(Vec::as_slice).filter(|key| slot(key) == slot_asked).collect();
                let mut found = BTreeSet::new();
                database.slot_keys(slot_asked, 1, |key| found.insert(key.to_vec()));
                assert!(found.iter().map(Vec::as_slice).eq(expected.iter().copied()));
                assert_eq!(database.slot_len(slot_asked), expected.len());
            }
            database.check();
            assert!(keys_of(database, 1).into_iter().collect::<BTreeSet<_>>() == model);
        }
    });
}

#[test]
fn many_keys_of_one_hash_tag_lie_below_nodes() {
    let (mut shard, now) = (unlimited(), at(1));
    let key = |number: u32| format!("{{a}}{number}").into_bytes();
    const KEYS: u32 = 200_000;
    for number in 0..KEYS {
        shard.keys(0, now).set_string(&key(number), b"v", None);
    }
    assert_eq!(shard.databases()[0].slot_len(slot(b"a")), KEYS as usize);
    for number in (0..KEYS).filter(|number| number % 40 != 0) {
        assert!(shard.keys(0, now).delete(&key(number)));
    }
    while shard.tidy() {}
    shard.databases()[0].check();
    let found: BTreeSet<Vec<u8>> = keys_of(&shard.databases()[0], 1).into_iter().collect();
    assert_eq!(found.len() as u32, KEYS / 40);
    assert!((0..KEYS).step_by(40).all(|number| found.contains(&key(number))));
}

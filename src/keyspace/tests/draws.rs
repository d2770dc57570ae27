//! Entries drawn by chance: for RANDOMKEY, and as victims.

use std::collections::BTreeSet;

use super::{at, unlimited};
use crate::base::{Rng, slot};
use crate::keyspace::*;

#[test]
fn a_random_entry_is_any_of_them() {
    let mut shard = unlimited();
    let mut rng = Rng::with_seed(1);
    assert!(shard.databases()[0].random(1, &mut rng).is_none());
    for key in 0..300u32 {
        shard.keys(0, at(1)).set_string(&key.to_le_bytes(), b"v", None);
    }
    let mut seen = BTreeSet::new();
    for _ in 0..10_000 {
        seen.insert(shard.databases()[0].random(1, &mut rng).expect("not empty").key().to_vec());
    }
    assert!(seen.len() > 290, "{}", seen.len());
}

/// How often each of `keys` was drawn, in `draws` draws.
fn drawn(keys: &[Vec<u8>], draws: usize) -> Vec<usize> {
    let mut shard = unlimited();
    for key in keys {
        shard.keys(0, at(1)).set_string(key, b"v", None);
    }
    let mut rng = Rng::with_seed(1);
    let mut counts = vec![0; keys.len()];
    for _ in 0..draws {
        let key = shard.databases()[0].random(1, &mut rng).expect("not empty").key();
        counts[keys.iter().position(|other| other == key).expect("it was set")] += 1;
    }
    counts
}

/// Only the first keys were drawn where most of the positions are empty: a core of several owns one range of slots, and
/// keys of one hash tag lie in one slot. Now an empty block leads to its neighbour, wherever that lies.
#[test]
fn draws_reach_every_key_wherever_they_lie() {
    let numbered = |text: fn(usize) -> String| (0..600).map(move |number| text(number).into_bytes());
    let one_slot: Vec<_> = numbered(|number| format!("{{a}}{number}")).collect();
    let two_slots: Vec<_> = numbered(|number| format!("{{{}}}{number}", number % 2)).collect();
    let last_core: Vec<_> =
        (0..).map(|n: u32| n.to_string().into_bytes()).filter(|key| slot(key).0 >= 16128).take(600).collect();
    let first_core: Vec<_> =
        (0..).map(|n: u32| n.to_string().into_bytes()).filter(|key| slot(key).0 < 256).take(600).collect();
    for keys in [one_slot, two_slots, last_core, first_core] {
        let counts = drawn(&keys, 12_000);
        let (least, most) = (counts.iter().min().expect("keys"), counts.iter().max().expect("keys"));
        assert!(*least > 0 && *most < 120, "20 draws for each in the mean, {least} to {most} were made");
    }
}

#[test]
fn samples_of_victims_reach_every_key_wherever_they_lie() {
    for volatile in [false, true] {
        for tagged in [false, true] {
            let mut shard = unlimited();
            let own = |key: &Vec<u8>| tagged || slot(key).0 >= 12288;
            let text = |number: u32| if tagged { format!("{{a}}{number}") } else { number.to_string() };
            let keys: Vec<Vec<u8>> = (0..).map(|number| text(number).into_bytes()).filter(own).take(2000).collect();
            for (number, key) in keys.iter().enumerate() {
                let deadline = if number % 4 == 0 { Deadline::at(1000) } else { Deadline::NEVER };
                shard.keys(0, at(1)).set_string(key, b"v", Some(deadline));
            }
            let (mut rng, mut seen) = (Rng::with_seed(1), BTreeSet::new());
            for _ in 0..6000 {
                let database = &shard.databases()[0];
                seen.extend(database.sample(5, volatile, &mut rng).into_iter().map(|cell| database.entry(cell).key()));
            }
            let wanted = if volatile { 500 } else { 2000 };
            assert!(
                seen.len() > wanted * 99 / 100 && seen.len() <= wanted,
                "{} of {wanted} (one slot: {tagged})",
                seen.len()
            );
        }
    }
}

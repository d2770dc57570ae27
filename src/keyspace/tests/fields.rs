//! Hashes with deadlines of fields, through everything that happens to keys, against a map of maps.

use std::collections::BTreeMap;

use super::*;
use crate::keyspace::Event;
use crate::keyspace::collection::{Collection, CollectionRef, Hash};

const START_MS: u64 = 1_700_000_000_000;

/// Deadlines by field, by key.
type Model = BTreeMap<(usize, Vec<u8>), BTreeMap<Vec<u8>, Option<u64>>>;

fn change_hash(shard: &mut Shard, (database, key): (usize, &[u8]), now_ms: u64, change: impl FnOnce(&mut Hash)) {
    let fresh = Some(Collection::Hash(Hash::default()));
    let outcome = shard.keys(database, at(now_ms)).change(key, fresh, |collection, _| {
        if let Collection::Hash(hash) = collection {
            change(hash);
        }
        (Some(Event::HSET), ())
    });
    assert_eq!(outcome, Ok(Some(())));
}

fn key(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..8) {
        // Too long for an entry.
        0 => "k".repeat(rng.usize(5000..5002)).into_bytes(),
        _ => format!("key:{}", rng.u8(..12)).into_bytes(),
    }
}

#[test]
fn the_index_follows_the_hashes() {
    for seed in 0..30 {
        let mut rng = Rng::with_seed(seed);
        let mut shard = Shard::new(2, KeyHasher::new(3), &Limits::none(1));
        let shapes = shard.keys(0, at(START_MS)).shapes().clone();
        let (mut model, mut now_ms) = (Model::new(), START_MS);
        for _ in 0..400 {
            let (database, name, other) = (rng.usize(..2), key(&mut rng), key(&mut rng));
            let field = format!("field:{}", rng.u8(..6)).into_bytes();
            let place = (database, name.clone());
            match rng.u8(..12) {
                0..=2 => {
                    model.entry(place).or_default().insert(field.clone(), None);
                    change_hash(&mut shard, (database, &name), now_ms, |hash| {
                        hash.set(&field, &[b'v'; 40], &shapes);
                    });
                }
                3..=5 => {
                    let deadline = now_ms + rng.u64(1..500);
                    model.entry(place).or_default().insert(field.clone(), Some(deadline));
                    change_hash(&mut shard, (database, &name), now_ms, |hash| {
                        hash.set(&field, b"v", &shapes);
                        hash.set_deadline(&field, deadline, &shapes);
                    });
                }
                6 => {
                    if let Some(fields) = model.get_mut(&place) {
                        fields.remove(&field);
                        change_hash(&mut shard, (database, &name), now_ms, |hash| _ = hash.remove(&field));
                    }
                }
                7 => {
                    model.remove(&place);
                    shard.keys(database, at(now_ms)).delete(&name);
                }
                8 => {
                    if let Some(entry) = shard.keys(database, at(now_ms)).take(&name) {
                        let fields = model.remove(&place).expect("it is there");
                        model.insert((1 - database, other.clone()), fields);
                        shard.keys(1 - database, at(now_ms)).put(&other, entry);
                    }
                }
                9 => {
                    if let Some(entry) = shard.keys(database, at(now_ms)).copy(&name) {
                        let fields = model[&place].clone();
                        model.insert((database, other.clone()), fields);
                        shard.keys(database, at(now_ms)).put(&other, entry);
                    }
                }
                10 if rng.u8(..8) == 0 => {
                    model.retain(|(number, _), _| *number != database);
                    shard.flush(database);
                }
                10 => shard.swap_all(&mut model),
                _ => {
                    now_ms += rng.u64(..200);
                    shard.advance(at(now_ms));
                    while rng.bool() && shard.expire_some(1, at(now_ms)) {}
                }
            }
            for fields in model.values_mut() {
                fields.retain(|_, deadline| deadline.is_none_or(|deadline| deadline >= now_ms));
            }
            model.retain(|_, fields| !fields.is_empty());
            shard.databases().iter().for_each(Database::check);
            let mut keys = shard.keys(database, at(now_ms));
            let seen = keys.peek(&name).and_then(|entry| entry.value().collection()).map(CollectionRef::len);
            assert_eq!(seen, model.get(&(database, name)).map(BTreeMap::len));
        }
        while shard.expire_some(1, at(now_ms)) {}
        let len = shard.databases().iter().map(Database::len).sum::<usize>();
        assert_eq!(len, model.len(), "hashes go with their last fields");
        assert!(shard.next_due().unix_ms().is_none_or(|unix_ms| unix_ms >= now_ms));
    }
}

impl Shard {
    /// Exchanges the two databases, and what the model has of them.
    fn swap_all(&mut self, model: &mut Model) {
        self.swap(0, 1);
        let swapped = std::mem::take(model).into_iter().map(|((number, key), fields)| ((1 - number, key), fields));
        *model = swapped.collect();
    }
}

#[test]
fn what_is_evicted_leaves_no_deadline_behind() {
    let mut shard = limited(1, 300_000, EvictionPolicy::AllKeysLru);
    let shapes = shard.keys(0, at(START_MS)).shapes().clone();
    for number in 0..2000_u64 {
        shard.make_room(200, 1, at(START_MS));
        let name = format!("key:{number}");
        change_hash(&mut shard, (0, name.as_bytes()), START_MS, |hash| {
            hash.set(b"field", b"value", &shapes);
            hash.set_deadline(b"field", START_MS + 1 + number, &shapes);
        });
    }
    assert!(shard.stats().evicted > 0 && shard.len() < 2000);
    shard.databases()[0].check();
}

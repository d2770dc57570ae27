//! Keys that a command needs elsewhere: nothing is copied that need not be, and whatever happens meanwhile, all structures
//! and the account agree.

use std::collections::BTreeMap;

use super::*;
use crate::keyspace::collection::list::{End, List, ListRef};
use crate::keyspace::collection::{Collection, CollectionRef, Hash};

const START_MS: u64 = 1_700_000_000_000;

/// A shard for commands on keys of others.
fn assembly() -> Shard {
    let mut shard = unlimited();
    shard.set_rules(&Rules::of_assembly(&Config::default()));
    shard
}

/// Adds elements to the end of a list.
fn push(shard: &mut Shard, key: &[u8], elements: usize) {
    let fresh = Some(Collection::List(List::default()));
    let outcome = shard.keys(0, at(START_MS)).change(key, fresh, |collection, _| {
        if let Collection::List(list) = collection {
            (0..elements).for_each(|number| list.push(End::Right, format!("element {number}").as_bytes()));
        }
        (Some(Event::RPUSH), ())
    });
    assert_eq!(outcome, Ok(Some(())));
}

/// Where a large list lies.
fn place_of(shard: &mut Shard, key: &[u8]) -> Option<usize> {
    let mut keys = shard.keys(0, at(START_MS));
    match keys.peek(key)?.value().collection()? {
        CollectionRef::List(ListRef::Large(list)) => Some(std::ptr::from_ref(list).addr()),
        _ => None,
    }
}

#[test]
fn a_large_value_goes_and_comes_without_being_copied() {
    let (mut owner, mut elsewhere) = (unlimited(), assembly());
    let now = at(START_MS);
    push(&mut owner, b"list", 20_000);
    let (place, used) = (place_of(&mut owner, b"list"), owner.used_bytes());
    assert!(place.is_some());

    let sent = owner.keys(0, now).send(b"list", Purpose::Read);
    let guest = elsewhere.receive(0, b"list", sent, Purpose::Read, now);
    assert_eq!(place_of(&mut elsewhere, b"list"), place);
    assert_eq!(place_of(&mut owner, b"list"), place, "others read it meanwhile");
    assert!(elsewhere.dismiss(0, b"list", guest, now).is_none());
    push(&mut owner, b"list", 1);
    assert_eq!(place_of(&mut owner, b"list"), place, "it is changed where it lies");
    assert!(owner.used_bytes().abs_diff(used) < 1000);

    let used = owner.used_bytes();
    for changes in [false, true] {
        let sent = owner.keys(0, now).send(b"list", Purpose::Change);
        assert_eq!((place_of(&mut owner, b"list"), owner.used_bytes()), (None, used), "it is charged while it is away");
        owner.databases().iter().for_each(Database::check);
        let guest = elsewhere.receive(0, b"list", sent, Purpose::Change, now);
        assert_eq!(place_of(&mut elsewhere, b"list"), place);
        if changes {
            push(&mut elsewhere, b"list", 1);
        }
        let outcome = elsewhere.dismiss(0, b"list", guest, now).expect("it is given back");
        owner.keys(0, now).settle(b"list", outcome);
        assert_eq!(place_of(&mut owner, b"list"), place);
    }
    owner.databases().iter().for_each(Database::check);

    let sent = owner.keys(0, now).send(b"list", Purpose::Overwrite);
    assert_eq!(sent.map(|entry| entry.value().type_name()), Some("list"));
    assert_eq!(place_of(&mut owner, b"list"), place);
    assert!(elsewhere.is_empty() && !elsewhere.has_remains());
}

#[test]
fn what_is_only_read_or_left_alone_keeps_its_version_and_its_age() {
    let (mut owner, mut elsewhere) = (unlimited(), assembly());
    for purpose in [Purpose::Read, Purpose::Overwrite, Purpose::Change] {
        for (key, elements) in [(b"short", 2), (b"large", 20_000)] {
            push(&mut owner, key, elements);
            let version = owner.watch(0, key, at(START_MS));
            let later = at(START_MS + 100_000);
            for reads in [false, true] {
                let sent = owner.keys(0, later).send(key, purpose);
                let guest = elsewhere.receive(0, key, sent, purpose, later);
                if reads {
                    elsewhere.keys(0, later).read(key);
                }
                let outcome = elsewhere.dismiss(0, key, guest, later);
                assert_eq!(outcome.is_some(), reads || purpose == Purpose::Change);
                if let Some(outcome) = outcome {
                    owner.keys(0, later).settle(key, outcome);
                }
                let idle_s = if reads { 0 } else { 100 };
                assert_eq!(owner.keys(0, later).usage(key), Some(Usage::Idle(idle_s)), "{purpose:?}");
                assert!(owner.is_unchanged(0, key, version, later));
            }
            owner.unwatch(0, key);
            owner.keys(0, later).delete(key);
        }
    }
    assert_eq!(elsewhere.watchers(), 0);
}

#[test]
fn a_use_elsewhere_is_a_hit_for_the_queues() {
    let config = Config { maxmemory_policy: EvictionPolicy::AllKeysS3Fifo, ..Config::default() };
    let (mut owner, mut elsewhere) = (unlimited(), unlimited());
    owner.set_rules(&Rules::of(&config));
    elsewhere.set_rules(&Rules::of_assembly(&config));
    let now = at(START_MS);
    owner.keys(0, now).set_string(b"k", b"v", None);
    push(&mut owner, b"list", 20_000);
    for (key, purpose) in [(&b"k"[..], Purpose::Read), (b"list", Purpose::Read), (b"list", Purpose::Change)] {
        let hits_of = |owner: &Shard| {
            let database = &owner.databases()[0];
            database.find(database.position(key), key).map(|found| found.header.hits())
        };
        let before = hits_of(&owner);
        for reads in [false, true] {
            let sent = owner.keys(0, now).send(key, purpose);
            let guest = elsewhere.receive(0, key, sent, purpose, now);
            if reads {
                elsewhere.keys(0, now).read(key);
            }
            if let Some(outcome) = elsewhere.dismiss(0, key, guest, now) {
                owner.keys(0, now).settle(key, outcome);
            }
            assert_eq!(hits_of(&owner), before.map(|hits| hits + u8::from(reads)));
        }
    }
}

/// Fields by key.
type Model = BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>>;

fn set_field(shard: &mut Shard, key: &[u8], field: &[u8], value: &[u8], deadline: Option<u64>, now: Now) {
    let outcome = shard.keys(0, now).change(key, Some(Collection::Hash(Hash::default())), |collection, shapes| {
        if let Collection::Hash(hash) = collection {
            hash.set(field, value, shapes);
            if let Some(deadline) = deadline {
                hash.set_deadline(field, deadline, shapes);
            }
        }
        (Some(Event::HSET), ())
    });
    assert_eq!(outcome, Ok(Some(())));
}

fn len_of(shard: &mut Shard, key: &[u8], now: Now) -> Option<usize> {
    shard.keys(0, now).peek(key).and_then(|entry| entry.value().collection()).map(CollectionRef::len)
}

#[test]
fn commands_elsewhere_agree_with_a_map() {
    for seed in 0..40 {
        let mut rng = Rng::with_seed(seed);
        let policy = POLICIES[rng.usize(..POLICIES.len())];
        let (mut owner, mut elsewhere) = (unlimited(), unlimited());
        owner.set_rules(&rules(policy));
        elsewhere.set_rules(&Rules::of_assembly(&Config { maxmemory_policy: policy, ..Config::default() }));
        let (mut model, now) = (Model::new(), at(START_MS));
        let name = |rng: &mut Rng| match rng.u8(..8) {
            // Too long for an entry.
            0 => "k".repeat(5000).into_bytes(),
            _ => format!("key:{}", rng.u8(..6)).into_bytes(),
        };
        for _ in 0..200 {
            let (first, second) = (name(&mut rng), name(&mut rng));
            if rng.bool() {
                let (field, value) = (format!("field:{}", rng.u8(..30)).into_bytes(), vec![b'v'; rng.usize(..120)]);
                let deadline = rng.bool().then_some(START_MS + 1000);
                set_field(&mut owner, &first, &field, &value, deadline, now);
                model.entry(first).or_default().insert(field, value);
                continue;
            }
            if first == second {
                continue;
            }
            let purposes = [Purpose::Change, [Purpose::Overwrite, Purpose::Change][rng.usize(..2)]];
            let guests: Vec<Guest> = [&first, &second]
                .iter()
                .zip(purposes)
                .map(|(key, purpose)| {
                    let sent = owner.keys(0, now).send(key, purpose);
                    elsewhere.receive(0, key, sent, purpose, now)
                })
                .collect();
            owner.databases().iter().for_each(Database::check);
            let evicted = rng.u8(..4) == 0 && owner.keys(0, now).delete(&second);
            let mut changed = [false; 2];
            match rng.u8(..3) {
                0 => {}
                1 if model.contains_key(&first) => {
                    changed = [true; 2];
                    if let Some(entry) = elsewhere.keys(0, now).take(&first) {
                        elsewhere.keys(0, now).put(&second, entry);
                    }
                    let fields = model.remove(&first).expect("it is there");
                    model.insert(second.clone(), fields);
                }
                _ => {
                    changed[0] = true;
                    set_field(&mut elsewhere, &first, b"more", b"value", None, now);
                    model.entry(first.clone()).or_default().insert(b"more".to_vec(), b"value".to_vec());
                }
            }
            if evicted && !changed[1] {
                model.remove(&second);
            }
            for (key, guest) in [&first, &second].into_iter().zip(guests) {
                if let Some(outcome) = elsewhere.dismiss(0, key, guest, now) {
                    owner.keys(0, now).settle(key, outcome);
                }
            }
            for key in [&first, &second] {
                assert_eq!(len_of(&mut owner, key, now), model.get(key).map(BTreeMap::len), "seed {seed}");
            }
            owner.databases().iter().for_each(Database::check);
            assert!(elsewhere.is_empty());
        }
        assert_eq!(owner.len(), model.len());
        while owner.bury_some(|| true) {}
        assert_eq!(owner.databases()[0].len(), model.len());
    }
}

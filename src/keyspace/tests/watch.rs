//! Watched keys: every way in which a key can go or change is seen, and nothing else is.

use super::{at, limited};
use crate::base::KeyHasher;
use crate::config::EvictionPolicy;
use crate::keyspace::*;

fn shard() -> Shard {
    Shard::new(3, KeyHasher::new(1), &Limits::none(1))
}

#[test]
fn changes_are_seen_and_looking_is_none() {
    type Act = fn(&mut Keys<'_>);
    let changes: [Act; 8] = [
        |keys| keys.set_string(b"k", b"v", None),
        |keys| keys.set(b"k", Value::Int(1), Deadline::NEVER),
        |keys| _ = keys.delete(b"k"),
        |keys| _ = keys.take(b"k"),
        |keys| _ = keys.set_deadline(b"k", Deadline::at(1 << 40)),
        |keys| keys.edit(b"k").expect("it is there").append(b"x"),
        |keys| keys.edit(b"k").expect("it is there").set_number(7),
        |keys| keys.edit(b"k").expect("it is there").set_text(b"text"),
    ];
    let others: [Act; 7] = [
        |keys| _ = keys.read(b"k").is_some(),
        |keys| _ = keys.peek(b"k").is_some(),
        |keys| _ = keys.touch(b"k"),
        |keys| _ = keys.copy(b"k"),
        |keys| _ = keys.delete(b"absent"),
        |keys| keys.set_string(b"other", b"v", None),
        |keys| _ = keys.edit(b"k").expect("it is there").value().string_len(),
    ];
    for (act, changes) in changes.map(|act| (act, true)).into_iter().chain(others.map(|act| (act, false))) {
        for policy in [EvictionPolicy::NoEviction, EvictionPolicy::AllKeysLfu, EvictionPolicy::AllKeysS3Fifo] {
            let mut shard = limited(3, 1 << 20, policy);
            shard.keys(0, at(1000)).set_string(b"k", b"value", None);
            let version = shard.watch(0, b"k", at(1000));
            let elsewhere = shard.watch(1, b"k", at(1000));
            act(&mut shard.keys(0, at(2000)));
            assert_eq!(shard.is_unchanged(0, b"k", version, at(2000)), !changes);
            assert!(shard.is_unchanged(1, b"k", elsewhere, at(2000)));
        }
    }
}

#[test]
fn what_falls_due_has_changed_whoever_finds_it() {
    let (mut met, mut swept) = (shard(), shard());
    for shard in [&mut met, &mut swept] {
        shard.keys(0, at(1000)).set_string(b"k", b"v", Some(Deadline::at(1500)));
        shard.keys(0, at(1000)).set_string(b"due", b"v", Some(Deadline::at(1100)));
    }
    let (first, second) = (met.watch(0, b"k", at(1200)), swept.watch(0, b"k", at(1200)));
    let due = swept.watch(0, b"due", at(1200));
    assert!(!met.is_unchanged(0, b"k", first, at(1501)));
    while swept.expire_some(1, at(5000)) {}
    assert!(!swept.is_unchanged(0, b"k", second, at(1200)));
    // It was not there any more when it began to be watched.
    assert!(swept.is_unchanged(0, b"due", due, at(5000)));
}

#[test]
fn what_is_evicted_has_changed_and_what_is_left_has_not() {
    for policy in [EvictionPolicy::AllKeysLru, EvictionPolicy::AllKeysS3Fifo, EvictionPolicy::AllKeysRandom] {
        let mut shard = limited(1, 256 * 1024, policy);
        let name = |number: u32| format!("key:{number}").into_bytes();
        let mut versions = Vec::new();
        for number in 0..4000 {
            assert!(shard.make_room(100, 1, at(1000)), "{policy:?}");
            shard.keys(0, at(1000)).set_string(&name(number), &[7; 100], None);
            versions.push(shard.watch(0, &name(number), at(1000)));
        }
        let left = (0..4000).filter(|number| {
            let there = shard.keys(0, at(1000)).peek(&name(*number)).is_some();
            let unchanged = shard.is_unchanged(0, &name(*number), versions[*number as usize], at(1000));
            assert_eq!(there, unchanged, "{policy:?}: key {number}");
            there
        });
        let left = left.count();
        assert!((100..3000).contains(&left), "{policy:?} keeps {left}");
    }
}

#[test]
fn the_register_stays_with_the_number() {
    let mut shard = shard();
    shard.keys(0, at(1)).set_string(b"a", b"v", None);
    shard.keys(1, at(1)).set_string(b"b", b"v", None);
    let keys: [(usize, &[u8]); 6] = [(0, b"a"), (0, b"b"), (0, b"c"), (1, b"a"), (1, b"c"), (2, b"a")];
    let versions = keys.map(|(database, key)| shard.watch(database, key, at(2)));
    shard.swap(0, 0);
    assert!(keys.iter().zip(versions).all(|((number, key), version)| shard.is_unchanged(*number, key, version, at(3))));
    shard.swap(0, 1);
    let unchanged: Vec<bool> = keys
        .iter()
        .zip(versions)
        .map(|((number, key), version)| shard.is_unchanged(*number, key, version, at(3)))
        .collect();
    assert_eq!(unchanged, [false, false, true, false, true, true]);
    let versions = keys.map(|(database, key)| shard.watch(database, key, at(2)));
    shard.flush(0);
    let unchanged: Vec<bool> = keys
        .iter()
        .zip(versions)
        .map(|((number, key), version)| shard.is_unchanged(*number, key, version, at(3)))
        .collect();
    assert_eq!(unchanged, [true, false, true, true, true, true]);
    assert_eq!(shard.watchers(), 2 * keys.len());
}

#[test]
fn an_old_version_never_comes_back() {
    let mut shard = shard();
    let first = shard.watch(0, b"k", at(1));
    assert_eq!(shard.watch(0, b"k", at(1)), first);
    shard.unwatch(0, b"k");
    assert!(shard.is_unchanged(0, b"k", first, at(1)));
    shard.unwatch(0, b"k");
    assert_eq!(shard.watchers(), 0);
    assert!(!shard.is_unchanged(0, b"k", first, at(1)), "nobody watches it");
    shard.keys(0, at(1)).set_string(b"k", b"v", None);
    assert_ne!(shard.watch(0, b"k", at(1)), first);
    shard.flush(0);
    shard.unwatch(0, b"k");
    assert_ne!(shard.watch(0, b"k", at(1)), first);
    shard.unwatch(0, b"k");
    shard.unwatch(0, b"k");
    assert_eq!(shard.watchers(), 0);
}

#[test]
fn an_awaited_key_is_ready_once_for_all_its_changes() {
    let mut shard = shard();
    let names = |ready: Vec<(usize, Box<[u8]>)>| -> Vec<(usize, Vec<u8>)> {
        ready.into_iter().map(|(database, name)| (database, name.into_vec())).collect()
    };
    shard.await_key(0, b"k");
    shard.await_key(1, b"l");
    shard.keys(0, at(1)).set_string(b"other", b"v", None);
    shard.keys(1, at(1)).set_string(b"k", b"v", None);
    assert!(shard.take_ready().is_empty());
    shard.keys(1, at(1)).set_string(b"l", b"v", None);
    for _ in 0..3 {
        shard.keys(0, at(1)).set_string(b"k", b"v", None);
    }
    assert_eq!(names(shard.take_ready()), [(1, b"l".to_vec()), (0, b"k".to_vec())]);
    assert!(shard.take_ready().is_empty());
    shard.mark_ready(0, b"k");
    shard.mark_ready(0, b"nobody");
    assert_eq!(names(shard.take_ready()), [(0, b"k".to_vec())]);
    // The names stay with their numbers.
    shard.swap(0, 1);
    assert_eq!(names(shard.take_ready()), [(0, b"k".to_vec()), (1, b"l".to_vec())]);
    shard.flush(0);
    shard.keys(0, at(2)).set_string(b"k", b"v", None);
    shard.forget_key(0, b"k");
    assert!(shard.take_ready().is_empty());
    shard.keys(0, at(2)).set_string(b"k", b"w", None);
    assert!(shard.take_ready().is_empty());
}

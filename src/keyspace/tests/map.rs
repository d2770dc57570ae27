//! The shard against a plain map, through random operations.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{at, text};
use crate::base::KeyHasher;
use crate::keyspace::*;

#[derive(Clone, Debug)]
enum Step {
    Set { key: u16, value: Vec<u8>, ttl_ms: Option<u64> },
    Append { key: u16, bytes: Vec<u8> },
    Delete { key: u16 },
    Deadline { key: u16, ttl_ms: u64 },
    Persist { key: u16 },
    Read { key: u16 },
    Advance { ms: u64 },
    Expire,
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..400u16;
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        Just(b"12345".to_vec()),
        (16_000..17_000usize).prop_map(|n| vec![7; n]),
        Just(vec![8; 50_000]),
    ];
    prop_oneof![
        8 => (key.clone(), bytes, proptest::option::of(0..500u64)).prop_map(|(key, value, ttl_ms)| Step::Set { key, value, ttl_ms }),
        2 => (key.clone(), proptest::collection::vec(any::<u8>(), 0..40)).prop_map(|(key, bytes)| Step::Append { key, bytes }),
        2 => key.clone().prop_map(|key| Step::Delete { key }),
        2 => (key.clone(), 0..500u64).prop_map(|(key, ttl_ms)| Step::Deadline { key, ttl_ms }),
        1 => key.clone().prop_map(|key| Step::Persist { key }),
        4 => key.prop_map(|key| Step::Read { key }),
        2 => (0..200u64).prop_map(|ms| Step::Advance { ms }),
        1 => Just(Step::Expire),
        1 => Just(Step::Flush),
    ]
}

fn key_text(key: u16) -> Vec<u8> {
    format!("key:{key}").into_bytes()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_shard_is_a_map(steps in proptest::collection::vec(step(), 1..600)) {
        let mut shard = Shard::new(2, KeyHasher::new(1), &Limits::none(1));
        let mut model: BTreeMap<Vec<u8>, (Vec<u8>, u64)> = BTreeMap::new();
        let mut now_ms = 1000;
        for step in steps {
            let now = at(now_ms);
            model.retain(|_, (_, deadline)| *deadline >= now_ms);
            match step {
                Step::Set { key, value, ttl_ms } => {
                    let key = key_text(key);
                    let deadline = ttl_ms.map_or(u64::MAX, |ttl| now_ms + ttl);
                    shard.keys(1, now).set_string(&key, &value, Some(ttl_ms.map_or(Deadline::NEVER, |_| Deadline::at(deadline))));
                    model.insert(key, (value, deadline));
                }
                Step::Append { key, bytes } => {
                    let key = key_text(key);
                    let edited = shard.keys(1, now).edit(&key).map(|mut value| value.append(&bytes));
                    prop_assert_eq!(edited.is_some(), model.contains_key(&key));
                    if let Some((value, _)) = model.get_mut(&key) {
                        value.extend_from_slice(&bytes);
                    }
                }
                Step::Delete { key } => {
                    let key = key_text(key);
                    prop_assert_eq!(shard.keys(1, now).delete(&key), model.remove(&key).is_some());
                }
                Step::Deadline { key, ttl_ms } => {
                    let key = key_text(key);
                    let set = shard.keys(1, now).set_deadline(&key, Deadline::at(now_ms + ttl_ms));
                    prop_assert_eq!(set, model.contains_key(&key));
                    if let Some((_, deadline)) = model.get_mut(&key) {
                        *deadline = now_ms + ttl_ms;
                    }
                }
                Step::Persist { key } => {
                    let key = key_text(key);
                    shard.keys(1, now).set_deadline(&key, Deadline::NEVER);
                    if let Some((_, deadline)) = model.get_mut(&key) {
                        *deadline = u64::MAX;
                    }
                }
                Step::Read { key } => {
                    let key = key_text(key);
                    let mut keys = shard.keys(1, now);
                    let expected = model.get(&key).map(|(value, _)| value.clone());
                    prop_assert_eq!(keys.read_part(&key).map(text), expected.clone());
                    prop_assert_eq!(keys.copy(&key).map(|copy| text(copy.value.as_ref())), expected.clone());
                    prop_assert_eq!(keys.read(&key).map(text), expected);
                }
                Step::Advance { ms } => now_ms += ms,
                Step::Expire => {
                    while shard.expire_some(1, now) {}
                    // What fell due within the last tick may be there still.
                    prop_assert!(shard.databases()[1].len() >= model.len());
                    prop_assert!(shard.next_due().unix_ms().is_none_or(|next| next >= now_ms));
                }
                Step::Flush => {
                    shard.flush(1);
                    model.clear();
                }
            }
            let mut seen = BTreeMap::new();
            let mut position = Some(ScanPosition::default());
            while let Some(from) = position {
                position = shard.databases()[1].scan(from, 7, now.unix_ms().max(at(now_ms).unix_ms()), |entry| {
                    seen.insert(entry.key().to_vec(), text(entry.value()));
                });
            }
            model.retain(|_, (_, deadline)| *deadline >= now_ms);
            prop_assert_eq!(seen, model.iter().map(|(key, (value, _))| (key.clone(), value.clone())).collect());
            shard.databases()[1].check();
        }
        while shard.bury_some(|| true) {}
    }
}

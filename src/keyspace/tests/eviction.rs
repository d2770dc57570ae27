//! Which keys go first, and which never, by policy. Figures are compared with wide margins: victims are drawn by chance.

use std::collections::BTreeSet;

use super::{POLICIES, at, keys_of, limited, rules};
use crate::base::Rng;
use crate::config::{Config, EvictionPolicy};
use crate::keyspace::*;

const LIMIT: u64 = 512 * 1024;
const VALUE: [u8; 100] = [7; 100];

fn key(number: u32) -> Vec<u8> {
    format!("key:{number:06}").into_bytes()
}

/// Sets a key as a command does. False: there was no room.
fn set(shard: &mut Shard, number: u32, deadline: Deadline, ms: u64) -> bool {
    let key = key(number);
    let made = shard.make_room(key.len() + VALUE.len(), 1, at(ms));
    if made {
        shard.keys(0, at(ms)).set_string(&key, &VALUE, Some(deadline));
    }
    made
}

/// How many of these keys are there; does not count as an access.
fn left(shard: &mut Shard, numbers: std::ops::Range<u32>, ms: u64) -> usize {
    numbers.filter(|number| shard.keys(0, at(ms)).peek(&key(*number)).is_some()).count()
}

#[test]
fn used_memory_stays_below_the_limit_under_every_policy() {
    for policy in POLICIES {
        let mut shard = limited(1, LIMIT, policy);
        let mut refused = 0;
        for number in 0..12_000u32 {
            let deadline = if number % 2 == 0 { Deadline::at(1 << 40) } else { Deadline::NEVER };
            refused += u32::from(!set(&mut shard, number, deadline, 1000));
            // A split, and the wheel's first item.
            assert!(shard.used_bytes() as u64 <= LIMIT + 16 * 1024, "{policy:?}: {}", shard.used_bytes());
            if number % 64 == 0 {
                shard.tidy();
            }
        }
        shard.databases()[0].check();
        let (plain, volatile) =
            (shard.len() - shard.databases()[0].volatile_len(), shard.databases()[0].volatile_len());
        assert!(shard.len() > 3000, "{policy:?} keeps {}", shard.len());
        match policy {
            EvictionPolicy::NoEviction => assert!(refused > 8000 && shard.stats().evicted == 0),
            policy if policy.is_volatile() => {
                assert!(volatile < 10 && refused > 0, "{policy:?}: those without a deadline push the others out");
                assert!((0..2 * plain as u32).skip(1).step_by(2).all(|number| left(
                    &mut shard,
                    number..number + 1,
                    1000
                ) == 1));
            }
            _ => assert!(refused == 0 && plain > 1000 && volatile > 1000, "{policy:?}: {refused}, {plain}, {volatile}"),
        }
    }
}

#[test]
fn lru_evicts_old_keys_before_recent_ones() {
    let mut shard = limited(1, LIMIT, EvictionPolicy::AllKeysLru);
    for number in 0..3000 {
        set(&mut shard, number, Deadline::NEVER, 1000);
    }
    // The first thousand are used again an hour later.
    for number in 0..1000 {
        assert!(shard.keys(0, at(3_601_000)).touch(&key(number)));
    }
    for number in 3000..5000 {
        assert!(set(&mut shard, number, Deadline::NEVER, 3_602_000));
    }
    let (used, unused) = (left(&mut shard, 0..1000, 3_602_000), left(&mut shard, 1000..3000, 3_602_000));
    assert!(used > 950 && unused < 1500, "{used} of those in use, {unused} of the others");
}

#[test]
fn lfu_keeps_what_is_used_often() {
    let mut shard = limited(1, LIMIT, EvictionPolicy::AllKeysLfu);
    for number in 0..500 {
        set(&mut shard, number, Deadline::NEVER, 1000);
        (0..60).for_each(|_| assert!(shard.keys(0, at(1000)).touch(&key(number))));
    }
    for number in 500..20_000 {
        assert!(set(&mut shard, number, Deadline::NEVER, 1000));
    }
    let hot = left(&mut shard, 0..500, 1000);
    assert!(hot > 480, "{hot} of 500 hot keys are left");
}

#[test]
fn ttl_prefers_what_is_due_first() {
    let mut shard = limited(1, LIMIT, EvictionPolicy::VolatileTtl);
    let mut rng = Rng::with_seed(1);
    let mut numbers: Vec<u32> = (0..3000).collect();
    rng.shuffle(&mut numbers);
    for &number in &numbers {
        assert!(set(&mut shard, number, Deadline::at(1_000_000 + u64::from(number)), 1000));
    }
    for number in 3000..5000 {
        assert!(set(&mut shard, number, Deadline::at(10_000_000), 1000));
    }
    let (near, far) = (left(&mut shard, 0..1000, 1000), left(&mut shard, 2000..3000, 1000));
    assert!(near < 450 && far > 950, "{near} of those due first, {far} of those due last");
}

#[test]
fn fifo_goes_by_age_whatever_was_read() {
    let mut shard = limited(1, LIMIT, EvictionPolicy::AllKeysFifo);
    for number in 0..20_000 {
        assert!(set(&mut shard, number, Deadline::NEVER, 1000));
        shard.keys(0, at(1000)).touch(&key(0));
        let first = number.saturating_sub(shard.len() as u32 - 1);
        assert_eq!(shard.keys(0, at(1000)).peek(&key(first)).map(|entry| entry.key().to_vec()), Some(key(first)));
        assert!(first == 0 || left(&mut shard, first - 1..first, 1000) == 0);
    }
}

#[test]
fn s3fifo_resists_a_scan() {
    for policy in [EvictionPolicy::AllKeysS3Fifo, EvictionPolicy::VolatileS3Fifo] {
        let mut shard = limited(1, LIMIT, policy);
        let mut rng = Rng::with_seed(1);
        let deadline = Deadline::at(1 << 40);
        // A thousand keys in use beside as many again that are asked for once.
        for number in 0..10_000 {
            let hot = rng.u32(..1000);
            if !shard.keys(0, at(1000)).touch(&key(hot)) {
                set(&mut shard, hot, deadline, 1000);
            }
            set(&mut shard, 100_000 + number, deadline, 1000);
        }
        assert!(left(&mut shard, 0..1000, 1000) > 950);
        for number in 0..20_000 {
            set(&mut shard, 200_000 + number, deadline, 1000);
        }
        let hot = left(&mut shard, 0..1000, 1000);
        assert!(hot > 900, "{policy:?}: {hot} of 1000 hot keys survive a scan");
    }
}

#[test]
fn what_is_due_goes_before_anything_is_evicted() {
    let mut shard = limited(1, LIMIT, EvictionPolicy::AllKeysRandom);
    for number in 0..3000 {
        let deadline = if number < 2500 { Deadline::at(2000) } else { Deadline::NEVER };
        assert!(set(&mut shard, number, deadline, 1000));
    }
    for number in 3000..5000 {
        assert!(set(&mut shard, number, Deadline::NEVER, 10_000));
    }
    assert_eq!((left(&mut shard, 2500..5000, 10_000), shard.stats().evicted), (2500, 0));
}

#[test]
fn a_new_policy_evicts_what_was_there_before() {
    for before in POLICIES {
        for after in POLICIES.into_iter().filter(|policy| policy.evicts()) {
            let mut shard = limited(1, 128 * 1024, before);
            for number in 0..600 {
                assert!(set(&mut shard, number, Deadline::at(1 << 40), 1000));
            }
            shard.set_rules(&rules(after));
            for number in 600..1600 {
                assert!(set(&mut shard, number, Deadline::at(1 << 40), 1000), "{before:?}, then {after:?}");
                if number % 50 == 0 {
                    shard.tidy();
                    shard.databases()[0].check();
                }
            }
            // LFU and S3-FIFO do not hurry to let go of what they have seen.
            assert!(left(&mut shard, 0..600, 1000) < 590, "{before:?}, then {after:?}");
        }
    }
}

/// A write that could never be served evicted everything first, and then was refused.
#[test]
fn what_cannot_fit_is_refused_at_once() {
    let mut shard = limited(1, LIMIT, EvictionPolicy::AllKeysLru);
    for number in 0..2000 {
        assert!(set(&mut shard, number, Deadline::NEVER, 1000));
    }
    assert!(!shard.make_room(LIMIT as usize + 1, 1, at(1000)));
    assert_eq!(left(&mut shard, 0..2000, 1000), 2000);
}

/// Two entries may have the same name in a queue, most easily if all keys have one hash tag. If one of them lies in the
/// small queue and the other in the main one, the name is taken for stale when it is popped from one of them. That entry
/// was never met again: when only such were left, there was nothing to evict.
#[test]
fn what_the_queues_have_lost_is_found_by_chance() {
    let mut shard = limited(1, 32 * 1024, EvictionPolicy::AllKeysS3Fifo);
    let mut number = 0;
    while shard.stats().evicted == 0 {
        assert!(set(&mut shard, number, Deadline::NEVER, 1000));
        number += 1;
    }
    while shard.databases[0].lineup.forget_oldest() {}
    for more in 0..1000 {
        assert!(set(&mut shard, number + more, Deadline::NEVER, 1000), "{more}");
    }
}

#[test]
fn memory_comes_back_when_sizes_drift() {
    let mut shard = limited(1, 24 << 20, EvictionPolicy::AllKeysLru);
    let mut rng = Rng::with_seed(5);
    for round in 0..6 {
        let size = [40, 400, 90, 2000, 60, 700][round];
        for _ in 0..(8 << 20) / (size + 60) {
            let (key, value) = (key(rng.u32(..300_000)), vec![round as u8; rng.usize(size / 2..size)]);
            assert!(shard.make_room(key.len() + value.len(), 1, at(1000)));
            shard.keys(0, at(1000)).set_string(&key, &value, None);
        }
        // What a policy has to evict is a matter of the limit; here half goes by hand.
        let keys: BTreeSet<Vec<u8>> = keys_of(&shard.databases()[0], 1000).into_iter().collect();
        keys.iter().filter(|_| rng.u8(..4) > 0).for_each(|key| assert!(shard.keys(0, at(1000)).delete(key)));
        while shard.tidy() {}
        shard.databases()[0].check();
        let (used, held) = (shard.used_bytes(), shard.held_bytes());
        assert!(held <= used + used / 8 + (10 << 20), "{held} bytes held for {used}");
    }
}

/// Values of another size at full speed: what is held stays near the limit if as much is done for that as a turn allows.
#[test]
fn what_is_held_stays_near_the_limit_while_sizes_drift() {
    const LIMIT: u64 = 48 << 20;
    // Of what a turn does for that, at most.
    const STEPS: usize = 12;
    let mut shard = limited(1, LIMIT, EvictionPolicy::AllKeysS3Fifo);
    let (mut rng, mut most, mut pressed) = (Rng::with_seed(6), 0, 0);
    for (round, size) in [100, 1000, 9000, 300, 9000, 1000].into_iter().enumerate() {
        for write in 0..2 * LIMIT as usize / (size + 60) {
            let (key, value) = (key(rng.u32(..300_000)), vec![round as u8; rng.usize(size / 2..size * 3 / 2)]);
            assert!(shard.make_room(key.len() + value.len(), 1, at(1000)));
            shard.keys(0, at(1000)).set_string(&key, &value, None);
            if write % 64 == 0 {
                let mut steps = 1;
                while shard.tidy() && shard.is_overheld() && steps < STEPS {
                    steps += 1;
                }
                pressed += usize::from(steps == STEPS);
            }
            most = most.max(shard.held_bytes());
        }
        shard.databases()[0].check();
    }
    assert!(most as u64 <= LIMIT + LIMIT / 5, "{:.3} of the limit", most as f64 / LIMIT as f64);
    assert!(pressed > 10, "nothing was pressing: the test shows nothing");
}

#[test]
fn a_default_ttl_makes_keys_evictable() {
    let mut shard = limited(1, 128 * 1024, EvictionPolicy::VolatileLru);
    let config = Config { maxmemory_policy: EvictionPolicy::VolatileLru, default_ttl_s: 60, ..Config::default() };
    shard.set_rules(&Rules::of(&config));
    assert!((0..3000).all(|number| set(&mut shard, number, Deadline::NEVER, 1000)));
    assert_eq!(shard.databases()[0].volatile_len(), shard.len());
}

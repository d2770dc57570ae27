//! Several shards on one budget, with skewed loads.

use super::{at, rules};
use crate::base::{KeyHasher, Rng};
use crate::config::EvictionPolicy;
use crate::keyspace::*;

const SHARDS: usize = 4;
const VALUE: [u8; 200] = [5; 200];

struct Node {
    shards: Vec<Shard>,
    next: u32,
    refused: u32,
}

impl Node {
    fn new(bytes: u64, keys: u64, policy: EvictionPolicy) -> Self {
        let limits = Limits::none(SHARDS);
        limits.bytes.set_limit(bytes);
        limits.keys.set_limit(keys);
        let mut shards: Vec<Shard> =
            (0..SHARDS).map(|seed| Shard::new(1, KeyHasher::new(seed as u64), &limits)).collect();
        shards.iter_mut().for_each(|shard| shard.set_rules(&rules(policy)));
        Self { shards, next: 0, refused: 0 }
    }

    /// One new key on one shard.
    fn write(&mut self, on: usize) {
        self.next += 1;
        let (key, shard) = (self.next.to_le_bytes(), &mut self.shards[on]);
        if shard.make_room(key.len() + VALUE.len(), 1, at(1000)) {
            shard.keys(0, at(1000)).set_string(&key, &VALUE, None);
        } else {
            self.refused += 1;
        }
    }

    /// A turn of each core, with so many writes.
    fn turn(&mut self, writes: [usize; SHARDS]) {
        for (on, count) in writes.into_iter().enumerate() {
            (0..count).for_each(|_| self.write(on));
            self.shards[on].tidy();
        }
    }

    fn used(&self) -> [u64; SHARDS] {
        std::array::from_fn(|at| self.shards[at].used_bytes() as u64)
    }

    fn keys(&self) -> [u64; SHARDS] {
        std::array::from_fn(|at| self.shards[at].len() as u64)
    }
}

/// Each shard may be above what it was granted by its last value, and by what that let the table and the queues grow.
const SLACK: u64 = 24 * 1024;

#[test]
fn shards_together_keep_to_the_limit() {
    const LIMIT: u64 = 4 << 20;
    for policy in [EvictionPolicy::AllKeysLru, EvictionPolicy::AllKeysS3Fifo, EvictionPolicy::AllKeysRandom] {
        let (mut node, mut rng) = (Node::new(LIMIT, 0, policy), Rng::with_seed(1));
        for _ in 0..40 {
            let writes = std::array::from_fn(|_| [0, 0, 5, 200][rng.usize(..4)]);
            for _ in 0..10 {
                node.turn(writes);
                let used: u64 = node.used().iter().sum();
                assert!(used <= LIMIT + SLACK * SHARDS as u64, "{policy:?}: {used}");
            }
        }
        let used: u64 = node.used().iter().sum();
        assert!(used > LIMIT * 3 / 4, "{policy:?}: only {used} bytes are in use");
    }
}

#[test]
fn a_hot_shard_gets_what_the_others_do_not_use() {
    const LIMIT: u64 = 4 << 20;
    let mut node = Node::new(LIMIT, 0, EvictionPolicy::AllKeysLru);
    for _ in 0..400 {
        node.turn([100, 0, 0, 0]);
    }
    assert!(node.used()[0] > LIMIT * 9 / 10, "{:?}", node.used());
    assert_eq!(node.refused, 0);
}

/// The first writes of a shard that had nothing to evict were refused while another held everything, and for as long as
/// that one slept.
#[test]
fn whoever_comes_later_gets_a_fair_share() {
    const LIMIT: u64 = 4 << 20;
    for policy in [EvictionPolicy::AllKeysLru, EvictionPolicy::AllKeysS3Fifo] {
        for hot_writes in [0, 10, 100] {
            let mut node = Node::new(LIMIT, 0, policy);
            for _ in 0..400 {
                node.turn([100, 0, 0, 0]);
            }
            for _ in 0..1000 {
                node.turn([hot_writes, 20, 20, 20]);
            }
            let used = node.used();
            let fair = LIMIT / SHARDS as u64;
            assert!(used.iter().all(|used| *used > fair * 3 / 4), "{policy:?}, {hot_writes} on the first: {used:?}");
            assert_eq!(node.refused, 0, "{policy:?}, {hot_writes} on the first");
        }
    }
}

#[test]
fn the_same_goes_for_keys() {
    const LIMIT: u64 = 8000;
    let mut node = Node::new(0, LIMIT, EvictionPolicy::AllKeysLru);
    for _ in 0..200 {
        node.turn([100, 0, 0, 0]);
        assert!(node.keys().iter().sum::<u64>() <= LIMIT);
    }
    assert!(node.keys()[0] > LIMIT * 9 / 10, "{:?}", node.keys());
    for hot_writes in [0, 100] {
        for _ in 0..1000 {
            node.turn([hot_writes, 20, 20, 20]);
            assert!(node.keys().iter().sum::<u64>() <= LIMIT);
        }
        assert!(node.keys().iter().all(|keys| *keys > LIMIT / 4 * 3 / 4), "{:?}", node.keys());
    }
}

/// A limit that was set when the shards were full took hold only of those that were written to.
#[test]
fn a_limit_takes_hold_of_shards_that_nobody_writes_to() {
    const LIMIT: u64 = 1 << 20;
    let limits = Limits::none(SHARDS);
    let mut shards: Vec<Shard> = (0..SHARDS).map(|seed| Shard::new(1, KeyHasher::new(seed as u64), &limits)).collect();
    for shard in &mut shards {
        shard.set_rules(&rules(EvictionPolicy::AllKeysRandom));
        for number in 0..4000u32 {
            shard.keys(0, at(1000)).set_string(&number.to_le_bytes(), &VALUE, None);
        }
    }
    limits.bytes.set_limit(LIMIT);
    for _ in 0..200 {
        shards.iter_mut().for_each(|shard| _ = shard.tidy());
    }
    let used: Vec<usize> = shards.iter().map(Shard::used_bytes).collect();
    assert!(used.iter().sum::<usize>() as u64 <= LIMIT, "{used:?}");
}

//! The keyspace against plain models: each file holds one part against what it promises.
//!
//! `cargo test --lib keyspace` runs few seeds; `COREWISE_FUZZ_SEEDS=10000` runs more of them, and `COREWISE_FUZZ_SEED=7`
//! runs one.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::base::{KeyHasher, Now, Rng};
use crate::config::{Config, EvictionPolicy};

mod check;
mod deadlines;
mod draws;
mod eviction;
mod fields;
mod fuzz;
mod guests;
mod map;
mod pools;
mod scans;
mod table;
mod values;
mod watch;

/// All policies.
const POLICIES: [EvictionPolicy; 11] = [
    EvictionPolicy::NoEviction,
    EvictionPolicy::AllKeysLru,
    EvictionPolicy::AllKeysLfu,
    EvictionPolicy::AllKeysRandom,
    EvictionPolicy::AllKeysFifo,
    EvictionPolicy::AllKeysS3Fifo,
    EvictionPolicy::VolatileLru,
    EvictionPolicy::VolatileLfu,
    EvictionPolicy::VolatileRandom,
    EvictionPolicy::VolatileTtl,
    EvictionPolicy::VolatileS3Fifo,
];

fn at(ms: u64) -> Now {
    Now { unix_us: ms * 1000, mono_us: ms * 1000 }
}

fn text(value: ValueRef<'_>) -> Vec<u8> {
    value.string_bytes(&mut Scratch::default()).to_vec()
}

/// The rules of a policy, everything else as it comes.
fn rules(policy: EvictionPolicy) -> Rules {
    Rules::of(&Config { maxmemory_policy: policy, ..Config::default() })
}

/// A shard of one database that has no limits.
fn unlimited() -> Shard {
    Shard::new(1, KeyHasher::new(3), &Limits::none(1))
}

/// A shard of `databases` databases under a limit of its own, in bytes.
fn limited(databases: usize, limit: u64, policy: EvictionPolicy) -> Shard {
    let limits = Limits::none(1);
    limits.bytes.set_limit(limit);
    let mut shard = Shard::new(databases, KeyHasher::new(3), &limits);
    shard.set_rules(&rules(policy));
    shard
}

/// All keys of a database that are not due.
fn keys_of(database: &Database, now_ms: u64) -> Vec<Vec<u8>> {
    let (mut keys, mut position) = (Vec::new(), Some(ScanPosition::default()));
    while let Some(from) = position {
        position = database.scan(from, 100, now_ms, |entry| keys.push(entry.key().to_vec()));
    }
    keys
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value:?}")))
}

/// Runs a scenario with every seed, or with the one that is asked for.
fn every_seed(seeds: u64, run: impl Fn(&mut Rng)) {
    if let Some(seed) = variable("COREWISE_FUZZ_SEED") {
        return run(&mut Rng::with_seed(seed));
    }
    for seed in 0..variable("COREWISE_FUZZ_SEEDS").unwrap_or(seeds) {
        let outcome = catch_unwind(AssertUnwindSafe(|| run(&mut Rng::with_seed(seed))));
        assert!(outcome.is_ok(), "seed {seed} fails, see above (replay it with COREWISE_FUZZ_SEED={seed})");
    }
}

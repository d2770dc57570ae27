//! S3-FIFO: misses against the model, the account, stale items, and what each rule says.

use super::model::Model;
use super::table::{Table, item};
use crate::base::Rng;
use crate::keyspace::policy::{Evicted, Item};

/// A seeded trace: Zipf (skew 0.9) over `keys`, with a scan of fresh keys every now and then if `scans`.
fn trace(seed: u64, keys: u64, requests: usize, scans: bool) -> Vec<u64> {
    let mut rng = Rng::with_seed(seed);
    let mut sums = Vec::with_capacity(keys as usize);
    let mut sum = 0.0;
    for rank in 1..=keys {
        sum += 1.0 / (rank as f64).powf(0.9);
        sums.push(sum);
    }
    let (mut trace, mut fresh) = (Vec::with_capacity(requests), keys);
    while trace.len() < requests {
        if scans && rng.u32(..2000) == 0 {
            trace.extend(fresh..fresh + 1500);
            fresh += 1500;
        }
        let point = rng.f64() * sum;
        trace.push(sums.partition_point(|sum| *sum < point) as u64);
    }
    trace
}

/// Bytes of a key: one, or drawn from a long tail, independent of how popular it is.
fn size(key: u64, equal: bool) -> usize {
    if equal { 1 } else { (64.0 / (1.0 - Rng::with_seed(key).f64()).powf(0.8)).min(20_000.0) as usize }
}

/// Relative difference of the misses of policy and model.
fn difference(seed: u64, scans: bool, equal: bool) -> f64 {
    let trace = trace(seed, 20_000, 120_000, scans);
    let capacity = if equal { 2_000 } else { (0..20_000).map(|key| size(key, false)).sum::<usize>() / 10 };
    let (mut table, mut model) = (Table::new(seed), Model::new(capacity, seed));
    let (mut misses, mut expected) = (0, 0);
    for key in trace {
        misses += u32::from(!table.request(key, size(key, equal), capacity));
        expected += u32::from(!model.request(key, size(key, equal)));
    }
    table.check();
    f64::from(misses) / f64::from(expected) - 1.0
}

#[test]
fn misses_are_those_of_the_model() {
    for seed in 1..=2 {
        for scans in [false, true] {
            let (equal, sized) = (difference(seed, scans, true), difference(seed, scans, false));
            assert!(equal.abs() < 0.005, "seed {seed}, scans {scans}, equal sizes: {equal:+}");
            assert!(sized.abs() < 0.02, "seed {seed}, scans {scans}, sizes with a tail: {sized:+}");
        }
    }
}

#[test]
fn the_account_is_that_of_the_entries() {
    for seed in 1..=3 {
        let (mut table, mut rng) = (Table::new(seed), Rng::with_seed(seed));
        for step in 0..150_000 {
            let key = rng.u64(..6_000).min(rng.u64(..6_000));
            match rng.u8(..16) {
                0..=5 => table.write(key, rng.usize(1..500)),
                6..=9 => {
                    table.read(key);
                }
                10..=12 => {
                    table.delete(key);
                }
                13 => {
                    if let Some(entry) = table.entries.by_item.get_mut(&item(key)) {
                        entry.is_due = true;
                    }
                }
                14 => {
                    let before = table.policy.charged_bytes();
                    let outcome = table.evict_one(rng.usize(..20));
                    let freed = if let Evicted::Freed(charge) = outcome { charge } else { 0 };
                    assert_eq!(before - table.policy.charged_bytes(), freed, "seed {seed}, step {step}");
                }
                _ => {
                    table.prune(1);
                }
            }
            if step % 5_000 == 0 {
                table.check();
            }
        }
        table.check();
        // Every entry can still be reached: pruning has dropped none that lives.
        while table.evict_one(1_000) != Evicted::Nothing {}
        assert_eq!(table.entries.by_item.len(), 0, "seed {seed}");
        assert!(table.policy.is_empty());
    }
}

#[test]
fn setting_and_deleting_one_key_keeps_the_queue_bounded() {
    let mut table = Table::new(1);
    (0..1_000).for_each(|key| table.write(key, 10));
    let mut most = 0;
    for _ in 0..200_000 {
        table.delete(5);
        table.write(5, 10);
        table.prune(1);
        most = most.max(table.policy.items());
    }
    // 1.5 x 1000 + 4096, and what comes during a pass: a key per chunk of the region.
    assert!(most < 5_750, "{most} items for 1000 entries");
    table.check();
    let order = {
        while table.evict_one(100_000) != Evicted::Nothing {}
        &table.entries.evicted
    };
    assert_eq!(order.len(), 1_000, "each once");
}

#[test]
fn a_pass_keeps_one_item_of_each_entry_while_entries_come_and_go() {
    for seed in 1..=4 {
        let (mut table, mut rng) = (Table::new(seed), Rng::with_seed(seed));
        for _ in 0..120_000 {
            let key = rng.u64(..3_000);
            match rng.u8(..10) {
                0..=3 => {
                    table.delete(key);
                }
                4..=7 => table.write(key, 1),
                8 => {
                    table.read(key);
                }
                // Slower than the queue grows, so that a pass sees much happen.
                _ if rng.u8(..40) == 0 => {
                    table.prune(1);
                }
                _ if rng.u8(..4) == 0 => {
                    table.evict_one(8);
                }
                _ => {}
            }
        }
        while table.prune(4) {}
        // Between passes an entry's mark is that of its queue, or the next pass would take its item for a duplicate.
        for entry in table.entries.by_item.values() {
            assert_eq!(entry.mark, table.policy.fresh_mark(entry.in_main), "seed {seed}");
        }
        while table.evict_one(1_000) != Evicted::Nothing {}
        assert!(table.entries.by_item.is_empty(), "seed {seed}");
    }
}

#[test]
fn one_hit_promotes_and_none_drops() {
    let mut table = Table::new(1);
    (0..10).for_each(|key| table.write(key, 1));
    table.read(0);
    assert_eq!(table.evict_one(9), Evicted::Freed(1));
    assert_eq!(table.entries.evicted, [item(1)]);
    let kept = table.entries.by_item[&item(0)];
    assert!(kept.in_main && kept.hits == 0);
    // Back from the ghost: straight into main.
    table.write(1, 1);
    assert!(table.entries.by_item[&item(1)].in_main);
    table.write(11, 1);
    assert!(!table.entries.by_item[&item(11)].in_main);
}

#[test]
fn main_is_judged_when_small_has_less_than_its_part() {
    let mut table = Table::new(1);
    (0..20).for_each(|key| table.write(key, 1));
    (0..20).for_each(|key| assert!(table.read(key)));
    // All are promoted; the oldest in main goes, for its hits were cleared.
    assert_eq!(table.evict_one(100), Evicted::Freed(1));
    assert_eq!(table.entries.evicted, [item(0)]);
    table.write(100, 1);
    table.read(1);
    // Small has 1 of 20: main is asked, passes over the hit one, and drops the next.
    assert_eq!(table.evict_one(100), Evicted::Freed(1));
    assert_eq!(table.entries.evicted[1..], [item(2)]);
    assert_eq!(table.entries.by_item[&item(1)].hits, 0);
}

#[test]
fn what_is_due_goes_whatever_its_hits_and_leaves_no_ghost() {
    let mut table = Table::new(1);
    (0..4).for_each(|key| table.write(key, 7));
    (0..4).for_each(|key| assert!(table.read(key)));
    table.entries.by_item.get_mut(&item(0)).expect("it was written").is_due = true;
    assert_eq!(table.evict_one(1), Evicted::Freed(7));
    assert_eq!(table.entries.evicted, [item(0)]);
    table.write(0, 7);
    assert!(!table.entries.by_item[&item(0)].in_main);
}

#[test]
fn the_step_budget_is_kept() {
    let mut table = Table::new(1);
    assert_eq!(table.evict_one(10), Evicted::Nothing);
    (0..100).for_each(|key| table.write(key, 1));
    (0..99).for_each(|key| assert!(table.delete(key)));
    assert_eq!(table.evict_one(50), Evicted::MoreSteps);
    assert_eq!(table.evict_one(49), Evicted::MoreSteps);
    assert_eq!(table.evict_one(1), Evicted::Freed(1));
    assert_eq!(table.evict_one(1), Evicted::Nothing);
}

#[test]
fn large_entries_need_luck_to_stay() {
    // 100 small entries and one as large as all of them, all hit once: q of the large one is about 1 / 50.
    let kept = (0..400).filter(|seed| {
        let mut table = Table::new(*seed);
        table.write(1_000, 100);
        (0..100).for_each(|key| table.write(key, 1));
        table.read(1_000);
        (0..100).for_each(|key| assert!(table.read(key)));
        table.evict_one(1);
        table.entries.by_item.contains_key(&item(1_000))
    });
    let kept = kept.count();
    assert!((1..25).contains(&kept), "{kept} of 400, about 8 expected");
}

#[test]
fn an_item_shared_by_two_entries_does_no_harm() {
    // The table holds one entry under the name; the policy was told of two.
    let mut table = Table::new(1);
    table.write(1, 10);
    let shared: Item = item(1);
    let in_main = table.policy.admit(shared, 10, &mut table.rng);
    assert!(!in_main);
    assert_eq!(table.evict_one(10), Evicted::Freed(10));
    assert_eq!(table.evict_one(10), Evicted::Nothing);
    assert_eq!(table.policy.len(), 1, "the other is never met, until it is deleted");
    table.policy.removed(false, 10);
    assert!(table.policy.is_empty());
}

//! Plain FIFO, the clocks and the candidate pool.

use super::table::{Entries, item};
use crate::base::Rng;
use crate::keyspace::policy::clock::{idle_s, lfu_frequency, lfu_fresh, lfu_touch, lru_stamp};
use crate::keyspace::policy::{CandidatePool, EntryState, Evicted, Fifo};

fn admit(fifo: &mut Fifo, entries: &mut Entries, key: u64, charge: usize) {
    fifo.admit(item(key), charge);
    let entry = EntryState { hits: 0, in_main: false, mark: fifo.fresh_mark(), is_due: false, charge };
    assert_eq!(entries.by_item.insert(item(key), entry), None);
}

#[test]
fn fifo_evicts_in_order_of_arrival() {
    let (mut fifo, mut entries) = (Fifo::new(), Entries::default());
    assert_eq!(fifo.evict_one(&mut entries, 8), Evicted::Nothing);
    (0..100).for_each(|key| admit(&mut fifo, &mut entries, key, key as usize));
    for entry in entries.by_item.values_mut() {
        entry.hits = 3;
    }
    entries.by_item.remove(&item(1));
    fifo.removed(1);
    fifo.recharge(2, 50);
    entries.by_item.get_mut(&item(2)).expect("it was admitted").charge = 50;
    assert_eq!(fifo.evict_one(&mut entries, 8), Evicted::Freed(0));
    assert_eq!(fifo.evict_one(&mut entries, 1), Evicted::MoreSteps, "the deleted one's item");
    assert_eq!(fifo.evict_one(&mut entries, 1), Evicted::Freed(50));
    while fifo.evict_one(&mut entries, 8) != Evicted::Nothing {}
    assert_eq!(entries.evicted, [0].into_iter().chain(2..100).map(item).collect::<Vec<_>>());
    assert_eq!((fifo.len(), fifo.charged_bytes()), (0, 0));
}

#[test]
fn fifo_stays_bounded_and_loses_nobody() {
    let (mut fifo, mut entries, mut rng) = (Fifo::new(), Entries::default(), Rng::with_seed(9));
    for _ in 0..100_000 {
        let key = rng.u64(..500);
        if entries.by_item.remove(&item(key)).is_some() {
            fifo.removed(1);
        } else {
            admit(&mut fifo, &mut entries, key, 1);
        }
        fifo.prune(&mut entries, 1);
        assert!(fifo.items() < 5_500 && fifo.held_bytes() < 40_000);
    }
    while fifo.evict_one(&mut entries, 100) != Evicted::Nothing {}
    assert!(entries.by_item.is_empty());
}

const MINUTE_MS: u64 = 60_000;

#[test]
fn idle_time_survives_the_wrap_of_the_clock() {
    let wrap_ms = (1u64 << 24) * 1000;
    assert_eq!(lru_stamp(wrap_ms - 1), (1 << 24) - 1);
    assert_eq!(lru_stamp(wrap_ms), 0);
    assert_eq!(idle_s(lru_stamp(5_999), 6_000), 1);
    assert_eq!(idle_s(lru_stamp(wrap_ms - 3_000), wrap_ms + 4_000), 7);
    assert_eq!(idle_s(lru_stamp(wrap_ms), 2 * wrap_ms - 1), (1 << 24) - 1);
    assert_eq!(idle_s(lru_stamp(wrap_ms), 2 * wrap_ms), 0, "194 days look like none");
}

#[test]
fn frequency_decays_by_the_minute_and_survives_the_wrap() {
    let fresh = lfu_fresh(0);
    assert_eq!(lfu_frequency(fresh, 0, 1), 5);
    assert_eq!(lfu_frequency(fresh, 3 * MINUTE_MS, 1), 2);
    assert_eq!(lfu_frequency(fresh, 3 * MINUTE_MS, 2), 4);
    assert_eq!(lfu_frequency(fresh, 3 * MINUTE_MS, 0), 5, "0: never");
    assert_eq!(lfu_frequency(fresh, 9_999 * MINUTE_MS, 1), 0);
    let late = 65_535 * MINUTE_MS;
    assert_eq!(lfu_frequency(lfu_fresh(late), late + 4 * MINUTE_MS, 1), 1);
    assert!(lfu_fresh(u64::MAX) < 1 << 24);
}

#[test]
fn frequency_grows_with_the_logarithm_of_the_hits() {
    let mut rng = Rng::with_seed(4);
    let after = |hits: u32, factor: u32, rng: &mut Rng| {
        let mut stamp = lfu_fresh(0);
        (0..hits).for_each(|_| stamp = lfu_touch(stamp, 0, factor, 1, rng));
        f64::from(lfu_frequency(stamp, 0, 1))
    };
    let mut mean = |hits, factor| (0..20).map(|_| after(hits, factor, &mut rng)).sum::<f64>() / 20.0;
    // The table of Redis's documentation: factor, hits, counter (there of one run each).
    for (factor, hits, counter) in
        [(0, 100, 104.0), (1, 100, 18.0), (1, 1000, 49.0), (10, 100, 10.0), (10, 1000, 18.0), (100, 1000, 11.0)]
    {
        let found = mean(hits, factor);
        assert!((found - counter).abs() < 2.5, "factor {factor}, {hits} hits: {found}, documented {counter}");
    }
    let mut rng = Rng::with_seed(5);
    assert!((after(1_000, 0, &mut rng) - 255.0).abs() < 0.5, "it saturates");
    let below = lfu_touch(1, 0, 10, 1, &mut rng);
    assert_eq!(lfu_frequency(below, 0, 1), 2, "below 5 every access counts");
}

#[test]
fn an_access_decays_before_it_counts() {
    let mut rng = Rng::with_seed(6);
    let stamp = lfu_touch(lfu_fresh(0), 4 * MINUTE_MS, 10, 1, &mut rng);
    assert_eq!(lfu_frequency(stamp, 4 * MINUTE_MS, 1), 2);
}

#[test]
fn the_pool_keeps_the_best_sixteen() {
    let (mut pool, mut rng) = (CandidatePool::default(), Rng::with_seed(7));
    let mut scores: Vec<u64> = (0..200).collect();
    rng.shuffle(&mut scores);
    scores.iter().for_each(|score| pool.offer(item(*score), (score % 3) as u16, *score));
    for score in (184..200).rev() {
        assert_eq!(pool.pop_best(), Some((item(score), (score % 3) as u16)));
    }
    assert_eq!(pool.pop_best(), None);
}

#[test]
fn a_candidate_is_in_the_pool_once() {
    let mut pool = CandidatePool::default();
    (0..16).for_each(|key| pool.offer(item(key), 0, 100 + key));
    pool.offer(item(15), 0, 1);
    pool.offer(item(15), 1, 500);
    assert_eq!(pool.pop_best(), Some((item(15), 1)), "another database is another key");
    (0..15).rev().for_each(|key| assert_eq!(pool.pop_best(), Some((item(key), 0))));
    assert_eq!(pool.pop_best(), None, "the oldest score of 15 was the worst of 17");
    pool.offer(item(1), 0, 1);
    pool.clear();
    assert_eq!(pool.pop_best(), None);
}

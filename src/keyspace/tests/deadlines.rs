//! Deadlines against a plain map of them: nothing goes early, and what is due goes without being asked for.

use std::collections::BTreeMap;

use super::{at, every_seed, keys_of, unlimited};
use crate::base::{Rng, slot};
use crate::keyspace::*;

const DAY_MS: u64 = 24 * 3600 * 1000;
const START_MS: u64 = 1_700_000_000_000;
/// Of the wheel, in milliseconds.
const TICK_MS: u64 = 128;

/// A shard, and the deadline of each of its keys.
struct Bench {
    shard: Shard,
    model: BTreeMap<Vec<u8>, Option<u64>>,
    now_ms: u64,
    tagged: bool,
}

impl Bench {
    fn key(&self, rng: &mut Rng) -> Vec<u8> {
        let number = rng.u16(..2500);
        if self.tagged { format!("{{a}}{number}").into() } else { format!("key:{number}").into() }
    }

    /// From now, a few milliseconds or up to 120 days ahead.
    fn deadline(&self, rng: &mut Rng) -> u64 {
        let range = [300, 5_000, 600_000, DAY_MS, 30 * DAY_MS, 120 * DAY_MS][rng.usize(..6)];
        self.now_ms + rng.u64(..range)
    }

    fn set(&mut self, key: Vec<u8>, deadline: Option<u64>) {
        let when = deadline.map_or(Deadline::NEVER, Deadline::at);
        self.shard.keys(0, at(self.now_ms)).set_string(&key, b"v", Some(when));
        self.model.insert(key, deadline);
    }

    fn set_deadline(&mut self, key: &[u8], deadline: Option<u64>) {
        let when = deadline.map_or(Deadline::NEVER, Deadline::at);
        let is_there = self.shard.keys(0, at(self.now_ms)).set_deadline(key, when);
        assert_eq!(is_there, self.model.contains_key(key));
        self.model.entry(key.to_vec()).and_modify(|there| *there = deadline);
        if !is_there {
            self.model.remove(key);
        }
    }

    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        let now_ms = self.now_ms;
        self.model.retain(|_, deadline| deadline.is_none_or(|deadline| deadline >= now_ms));
    }

    /// Sweeps until nothing is left to be swept: what was due a tick ago has gone.
    fn sweep(&mut self) {
        let mut calls = 0;
        while self.shard.expire_some(3, at(self.now_ms)) {
            calls += 1;
            assert!(calls < 20_000, "sweeping does not end");
        }
        let database = &self.shard.databases()[0];
        database.check();
        let overdue =
            |entry: EntryRef<'_>| entry.deadline().unix_ms().is_some_and(|ms| ms + 2 * TICK_MS <= self.now_ms);
        let (mut position, mut late) = (Some(ScanPosition::default()), 0);
        while let Some(from) = position {
            // As of the beginning, so that a scan passes nothing over.
            position = database.scan(from, 1000, 0, |entry| late += usize::from(overdue(entry)));
        }
        assert_eq!(late, 0, "keys that fell due more than a tick ago are still there");
        let next = database_next(&self.shard);
        assert!(next.is_none_or(|next| next >= self.now_ms), "the next sweep lies in the past");
        assert!(next.is_some() || self.model.values().all(Option::is_none), "the shard sleeps through a deadline");
    }

    fn compare(&self) {
        let mut keys = keys_of(&self.shard.databases()[0], self.now_ms);
        keys.sort_unstable();
        assert!(keys.iter().eq(self.model.keys()), "{} keys, {} in the model", keys.len(), self.model.len());
    }
}

fn database_next(shard: &Shard) -> Option<u64> {
    shard.next_due().unix_ms()
}

/// When two blocks were united and split again, the lower half took over a deadline that was known to the wheel under the
/// upper half's name only: keys that fell due later than that were forgotten.
#[test]
fn what_falls_due_goes_and_nothing_else() {
    every_seed(40, |rng| {
        let mut bench =
            Bench { shard: unlimited(), model: BTreeMap::new(), now_ms: START_MS, tagged: rng.u8(..4) == 0 };
        for _ in 0..rng.usize(5..40) {
            let volatile = rng.u8(..=100);
            match rng.u8(..10) {
                0..4 => {
                    for _ in 0..rng.usize(..1500) {
                        let (key, deadline) = (bench.key(rng), bench.deadline(rng));
                        bench.set(key, (rng.u8(..100) < volatile).then_some(deadline));
                    }
                }
                4 | 5 => {
                    for _ in 0..rng.usize(..2000) {
                        let key = bench.key(rng);
                        let deleted = bench.shard.keys(0, at(bench.now_ms)).delete(&key);
                        assert_eq!(deleted, bench.model.remove(&key).is_some());
                    }
                }
                6 => {
                    for _ in 0..rng.usize(..800) {
                        let (key, deadline) = (bench.key(rng), bench.deadline(rng));
                        bench.set_deadline(&key, (rng.u8(..100) < volatile).then_some(deadline));
                    }
                }
                7 if rng.u8(..6) == 0 => {
                    bench.shard.flush(0);
                    bench.model.clear();
                }
                _ => {
                    let range = [2, 200, 5_000, 600_000, DAY_MS, 60 * DAY_MS][rng.usize(..6)];
                    bench.pass(rng.u64(..range));
                    bench.sweep();
                }
            }
            bench.shard.databases()[0].check();
            bench.compare();
        }
        bench.pass(121 * DAY_MS);
        bench.sweep();
        bench.compare();
        assert!(bench.shard.databases()[0].volatile_len() == 0);
    });
}

/// The same, step by step.
#[test]
fn a_half_of_a_block_that_was_united_knows_what_falls_due() {
    let (mut shard, now) = (unlimited(), at(START_MS));
    let of_half = |upper: bool| {
        let numbers = (0u32..).map(|number| number.to_string().into_bytes());
        numbers.filter(move |key| (slot(key).0 >= 8192) == upper).take(60).collect::<Vec<_>>()
    };
    let (lower, upper) = (of_half(false), of_half(true));
    let set = |shard: &mut Shard, key: &[u8], ms: u64| {
        shard.keys(0, now).set_string(key, b"v", Some(Deadline::at(START_MS + ms)));
    };
    for key in lower.iter().chain(&upper) {
        shard.keys(0, now).set_string(key, b"v", None);
    }
    set(&mut shard, &upper[0], 10_000);
    for key in lower[1..].iter().chain(&upper[1..]) {
        shard.keys(0, now).delete(key);
    }
    for key in lower.iter().chain(&upper[1..]) {
        shard.keys(0, now).set_string(key, b"v", None);
    }
    set(&mut shard, &lower[0], 20_000);
    shard.databases()[0].check();
    for ms in [11_000, 21_000] {
        while shard.expire_some(8, at(START_MS + ms)) {}
        shard.databases()[0].check();
    }
    assert_eq!(shard.databases()[0].volatile_len(), 0);
    assert_eq!(shard.next_due(), Deadline::NEVER);
}

#[test]
fn near_and_far_deadlines_come_back_whole_over_a_hundred_days() {
    let mut rng = Rng::with_seed(9);
    let mut bench = Bench { shard: unlimited(), model: BTreeMap::new(), now_ms: START_MS, tagged: false };
    for _ in 0..400 {
        bench.pass(DAY_MS / 4);
        for _ in 0..30 {
            let key = bench.key(&mut rng);
            let deadline = bench.now_ms + rng.u64(..90 * DAY_MS);
            bench.set(key, Some(deadline));
        }
        bench.sweep();
        for (key, deadline) in &bench.model {
            let entry = bench.shard.keys(0, at(bench.now_ms)).peek(key).map(|entry| entry.deadline().unix_ms());
            assert_eq!(entry, Some(*deadline));
        }
    }
}

#[test]
fn refreshing_a_deadline_costs_no_memory() {
    let mut shard = unlimited();
    let mut rng = Rng::with_seed(4);
    for number in 0..1_000_000u64 {
        let now = at(START_MS + number / 100);
        let ahead = if number % 3 == 0 { 60_000 } else { rng.u64(..DAY_MS) };
        shard.keys(0, now).set_string(b"session", b"v", Some(Deadline::at(now.unix_ms() + ahead)));
        if number % 1000 == 0 {
            shard.expire_some(8, now);
        }
    }
    shard.databases()[0].check();
    assert!(shard.overhead_bytes() < 40 * 1024, "{} bytes for one key", shard.overhead_bytes());
}

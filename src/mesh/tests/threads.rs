//! Real threads on the real atomics: a small server without clients. Every core counts on random shards, under a lease or
//! by mail, and sleeps when it has nothing to do; in the end no count may be missing and nobody may sleep for ever.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Thread};

use super::super::ring::ring;
use super::*;
use crate::base::Rng;

const CORES: usize = 3;
const COUNTS_PER_CORE: usize = 20_000;
/// Requests that one core has open at most, so that cores run dry and sleep.
const OPEN_MAX: usize = 24;

#[derive(Debug, Default)]
struct Letters {
    requests: usize,
    replies: usize,
}

/// What the threads of one run share beside the mesh.
#[derive(Default)]
struct Common {
    threads: [OnceLock<Thread>; CORES],
    finished: AtomicUsize,
}

impl Common {
    fn ring(&self, core: CoreId) {
        // A core that has not entered its thread yet has not slept yet either.
        if let Some(thread) = self.threads[core.index()].get() {
            thread.unpark();
        }
    }
}

struct Core<'a> {
    port: Port<Letters, u64>,
    common: &'a Common,
    shard: Option<Box<u64>>,
    outgoing: [Box<Letters>; CORES],
    credits: [Vec<Credit>; CORES],
    /// Requests of others that came while the shard was away.
    deferred: [usize; CORES],
    rng: Rng,
    left: usize,
    open: usize,
    borrowed: usize,
    announced: bool,
}

impl Core<'_> {
    fn run(mut self) -> (u64, usize) {
        self.common.threads[self.port.core().index()].set(thread::current()).expect("set once");
        while self.common.finished.load(Ordering::SeqCst) < CORES {
            self.turn();
        }
        // Whoever had borrowed it gave it back before it finished, but this core may not have looked since.
        let shard = self.shard.or_else(|| self.port.reclaim());
        (*shard.expect("all loans have ended"), self.borrowed)
    }

    fn turn(&mut self) {
        if self.shard.is_none() {
            self.shard = self.port.reclaim();
        }
        self.read_mail();
        self.answer_deferred();
        self.count();
        for target in 0..CORES {
            let target_id = CoreId(target as u16);
            if self.outgoing[target].requests + self.outgoing[target].replies > 0 {
                let batch = std::mem::take(&mut self.outgoing[target]);
                self.outgoing[target] = match self.port.post(target_id, batch) {
                    Ok(spent) => spent.unwrap_or_default(),
                    Err(refused) => refused,
                };
            }
        }
        let common = self.common;
        self.port.bells(|core| common.ring(core));
        if self.left == 0 && self.open == 0 && !self.announced {
            self.announced = true;
            common.finished.fetch_add(1, Ordering::SeqCst);
            (0..CORES).for_each(|core| common.ring(CoreId(core as u16)));
        }
        self.rest();
    }

    fn read_mail(&mut self) {
        while let Some(mut mail) = self.port.receive() {
            let from = mail.from().index();
            let Letters { requests, replies } = std::mem::take(&mut *mail);
            self.port.finish(mail, Progress::Whole);
            self.deferred[from] += requests;
            for credit in self.credits[from].drain(..replies) {
                self.port.settle(credit);
            }
            self.open -= replies;
        }
    }

    fn answer_deferred(&mut self) {
        let Some(shard) = &mut self.shard else { return };
        for (requests, outgoing) in self.deferred.iter_mut().zip(&mut self.outgoing) {
            **shard += *requests as u64;
            outgoing.replies += std::mem::take(requests);
        }
    }

    fn count(&mut self) {
        while self.left > 0 && self.open < OPEN_MAX {
            let owner = CoreId(self.rng.u16(..CORES as u16));
            if owner == self.port.core() {
                let Some(shard) = &mut self.shard else { return };
                **shard += 1;
            } else if let Some(mut loan) = self.port.borrow(owner) {
                *loan += 1;
                self.port.give_back(loan, false);
                self.borrowed += 1;
            } else {
                let Some(credit) = self.port.reserve(owner) else { return };
                self.credits[owner.index()].push(credit);
                self.outgoing[owner.index()].requests += 1;
                self.open += 1;
            }
            self.left -= 1;
        }
    }

    fn rest(&mut self) {
        let unposted = self.outgoing.iter().any(|batch| batch.requests > 0);
        let always = self.port.lending() == LendingMode::Always;
        let idle = self.left == 0 || self.open >= OPEN_MAX || self.shard.is_none();
        if !(idle || always) || self.common.finished.load(Ordering::SeqCst) == CORES {
            return;
        }
        let lend = if unposted { None } else { self.shard.take() };
        let shard = match self.port.park(lend) {
            Park::StayAwake(shard) => shard,
            Park::Parked => {
                if idle {
                    thread::park();
                } else {
                    thread::yield_now();
                }
                self.port.unpark()
            }
        };
        self.shard = self.shard.take().or(shard);
    }
}

fn count_together(lending: LendingMode) -> usize {
    let common = Common::default();
    let ends: Vec<_> = thread::scope(|scope| {
        let ports = connect(CORES, lending);
        let running: Vec<_> = (ports.into_iter().enumerate())
            .map(|(index, port)| Core {
                port,
                common: &common,
                shard: Some(Box::new(0)),
                outgoing: Default::default(),
                credits: Default::default(),
                deferred: [0; CORES],
                rng: Rng::with_seed(index as u64),
                left: COUNTS_PER_CORE,
                open: 0,
                borrowed: 0,
                announced: false,
            })
            .map(|core| scope.spawn(move || core.run()))
            .collect();
        running.into_iter().map(|core| core.join().unwrap()).collect()
    });
    assert_eq!(ends.iter().map(|(counts, _)| counts).sum::<u64>(), (CORES * COUNTS_PER_CORE) as u64);
    ends.iter().map(|(_, borrowed)| borrowed).sum()
}

#[test]
fn no_count_is_lost_by_mail() {
    assert_eq!(count_together(LendingMode::Never), 0);
}

#[test]
fn no_count_is_lost_with_leases_as_usual() {
    count_together(LendingMode::Usual);
}

#[test]
fn no_count_is_lost_with_leases_always() {
    assert!(count_together(LendingMode::Always) > 0, "shards that are always offered are borrowed");
}

#[test]
fn a_ring_between_two_threads_keeps_order_and_loses_nothing() {
    const VALUES: u64 = 20_000;
    let (mut producer, mut consumer) = ring::<Box<u64>>(MAIL_RING_BATCHES, usize::MAX - 5);
    thread::scope(|scope| {
        scope.spawn(move || {
            let mut boxes: Vec<Box<u64>> = Vec::new();
            let mut made = 0;
            for value in 0..VALUES {
                let mut boxed = boxes.pop().unwrap_or_else(|| {
                    made += 1;
                    Box::new(0)
                });
                *boxed = value;
                while let Err(refused) = producer.push(boxed).map(|spent| boxes.extend(spent)) {
                    boxed = refused;
                    thread::yield_now();
                }
            }
            assert!(made <= MAIL_RING_BATCHES + 1, "{made} boxes for a ring of {MAIL_RING_BATCHES}");
        });
        for expected in 0..VALUES {
            let value = loop {
                match consumer.take() {
                    Some(value) => break value,
                    None => thread::yield_now(),
                }
            };
            assert_eq!(*value, expected);
            consumer.release(value);
        }
    });
}

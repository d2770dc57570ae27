//! The mesh under the loom model checker: the room's own source files, compiled against loom's atomics and against bounds
//! small enough to reach, run through the interleavings and the stale reads that the memory model allows.
//!
//! The files are included rather than linked because everything shared in them comes from `super::sync`; so the models
//! need no build of the other rooms, no special flag, and run in every `cargo test`.

#![expect(dead_code, unreachable_pub, reason = "the models use a part of what the included files offer")]

#[path = "../src/mesh/bell.rs"]
mod bell;
#[path = "../src/mesh/cores.rs"]
mod cores;
#[path = "../src/mesh/lease.rs"]
mod lease;
#[path = "../src/mesh/padded.rs"]
mod padded;
#[path = "../src/mesh/port.rs"]
mod port;
#[path = "../src/mesh/ring.rs"]
mod ring;

/// What `src/mesh/sync.rs` is in the library.
mod sync {
    pub(super) use loom::cell::UnsafeCell;
    pub(super) use loom::hint::spin_loop;
    pub(super) use loom::sync::Arc;
    pub(super) use loom::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence};
}

/// The bounds of the models.
mod limits {
    pub(crate) const CORES_MAX: usize = 3;
    pub(crate) const MAIL_RING_BATCHES: usize = 1;
    pub(crate) const MAIL_CREDITS: u32 = 2;
    pub(crate) const LEASE_RECLAIM_SPINS: u32 = 1;
}

use std::sync::atomic::{AtomicU32 as Tally, Ordering::Relaxed};

use corewise::base;
use loom::cell::UnsafeCell;
use loom::model::Builder;
use loom::sync::{Arc, Notify};
use loom::thread;

use base::CoreId;
use lease::{Lease, LendingMode, Returned};
use port::{Park, Port, Progress, connect};

const OWNER: CoreId = CoreId(0);

/// Explores all schedules, or those with at most `preemptions` switches away from a thread that could have gone on.
fn check(preemptions: Option<usize>, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = Builder::new();
    builder.preemption_bound = preemptions;
    builder.check(model);
}

/// A shard whose use by two cores at once, or without having seen the use before, loom reports; and its leak too.
struct Shard {
    commands: UnsafeCell<u32>,
    _leak: Arc<()>,
}

impl Shard {
    fn boxed() -> Box<Self> {
        Box::new(Self { commands: UnsafeCell::new(0), _leak: Arc::new(()) })
    }

    /// Runs one command and returns how many ran before it.
    fn run(&self) -> u32 {
        self.commands.with_mut(|commands| {
            // SAFETY: that nobody else reaches the cell now is what the model claims and loom checks.
            let commands = unsafe { &mut *commands };
            *commands += 1;
            *commands - 1
        })
    }

    /// How many commands ran.
    fn ran(&self) -> u32 {
        // SAFETY: as in `run`.
        self.commands.with(|commands| unsafe { *commands })
    }
}

type Batch = u32;
type Mesh = Vec<Port<Batch, Shard>>;

/// The kernel: one bell per core, and how often it was rung.
#[derive(Clone)]
struct Bells(std::sync::Arc<Vec<(Notify, Tally)>>);

impl Bells {
    fn new(cores: usize) -> Self {
        Self(std::sync::Arc::new((0..cores).map(|_| (Notify::new(), Tally::new(0))).collect()))
    }

    fn ring(&self, core: CoreId) {
        let (bell, rung) = &self.0[core.index()];
        rung.fetch_add(1, Relaxed);
        bell.notify();
    }

    /// Sleeps for ever if nobody rings, which loom reports as a deadlock.
    fn sleep(&self, core: CoreId) {
        self.0[core.index()].0.wait();
    }

    fn rung(&self, core: CoreId) -> u32 {
        self.0[core.index()].1.load(Relaxed)
    }
}

fn mesh(cores: usize) -> (Mesh, Bells) {
    (connect(cores, LendingMode::Usual), Bells::new(cores))
}

/// Ends a turn: rings, parks, sleeps if told so, and returns the shard if it is home.
fn rest(port: &mut Port<Batch, Shard>, bells: &Bells, shard: Option<Box<Shard>>) -> Option<Box<Shard>> {
    port.bells(|core| bells.ring(core));
    match port.park(shard) {
        Park::StayAwake(shard) => shard,
        Park::Parked => {
            bells.sleep(port.core());
            port.unpark()
        }
    }
}

fn post_and_ring(port: &mut Port<Batch, Shard>, bells: &Bells, target: CoreId, batch: Batch) {
    port.post(target, Box::new(batch)).expect("the models post this way into rings with room");
    port.bells(|core| bells.ring(core));
}

fn receive_all(port: &mut Port<Batch, Shard>, mut read: impl FnMut(CoreId, Batch)) {
    while let Some(batch) = port.receive() {
        read(batch.from(), *batch);
        port.finish(batch, Progress::Whole);
    }
}

#[test]
fn a_ring_keeps_order_and_recycles_while_its_indices_wrap() {
    check(Some(3), || {
        const VALUES: u32 = 5;
        let (mut producer, mut consumer) = ring::ring::<Box<u32>>(2, usize::MAX - 1);
        let producing = thread::spawn(move || {
            for value in 0..VALUES {
                let mut boxed = Box::new(value);
                let spent = loop {
                    match producer.push(boxed) {
                        Ok(spent) => break spent,
                        Err(refused) => boxed = refused,
                    }
                    thread::yield_now();
                };
                // What comes back is the value of one lap ago, as the consumer left it.
                assert_eq!(spent.map(|spent| *spent), value.checked_sub(2).map(|consumed| consumed + 100));
            }
        });
        for expected in 0..VALUES {
            let mut value = loop {
                if let Some(value) = consumer.take() {
                    break value;
                }
                thread::yield_now();
            };
            assert_eq!(*value, expected);
            *value += 100;
            consumer.release(value);
        }
        assert!(consumer.is_empty());
        producing.join().unwrap();
    });
}

#[test]
fn mail_to_a_core_that_goes_to_sleep_wakes_it() {
    check(None, || {
        let (mut ports, bells) = mesh(2);
        let mut sender = ports.pop().unwrap();
        let mut sleeper = ports.pop().unwrap();
        let sending = thread::spawn({
            let bells = bells.clone();
            move || post_and_ring(&mut sender, &bells, OWNER, 7)
        });
        let mut shard = Some(Shard::boxed());
        let mut received = None;
        while received.is_none() {
            shard = rest(&mut sleeper, &bells, shard);
            receive_all(&mut sleeper, |_, batch| received = Some(batch));
        }
        assert_eq!(received, Some(7));
        assert!(shard.is_some(), "nobody borrowed it");
        sending.join().unwrap();
    });
}

#[test]
fn two_senders_ring_a_sleeper_once_per_sleep() {
    check(Some(3), || {
        let (ports, bells) = mesh(3);
        let mut ports = ports.into_iter();
        let mut sleeper = ports.next().unwrap();
        let sending: Vec<_> = ports
            .map(|mut sender| {
                let bells = bells.clone();
                thread::spawn(move || post_and_ring(&mut sender, &bells, OWNER, 1))
            })
            .collect();
        let (mut received, mut rests) = (0, 0);
        while received < 2 {
            rest(&mut sleeper, &bells, None);
            rests += 1;
            receive_all(&mut sleeper, |_, batch| received += batch);
        }
        sending.into_iter().for_each(|sender| sender.join().unwrap());
        assert!(bells.rung(OWNER) <= rests, "{} bells for {rests} rests", bells.rung(OWNER));
    });
}

#[test]
fn a_sender_that_sleeps_on_a_refused_batch_is_rung_when_there_is_room() {
    check(Some(4), || {
        let (mut ports, bells) = mesh(2);
        let mut sender = ports.pop().unwrap();
        let mut receiver = ports.pop().unwrap();
        let receiving = thread::spawn({
            let bells = bells.clone();
            move || {
                let mut batches = Vec::new();
                while batches.len() < 2 {
                    rest(&mut receiver, &bells, None);
                    receive_all(&mut receiver, |_, batch| batches.push(batch));
                }
                receiver.bells(|core| bells.ring(core));
                assert_eq!(batches, [1, 2]);
            }
        });
        for batch in [1, 2] {
            let mut batch = Box::new(batch);
            while let Err(refused) = sender.post(OWNER, batch) {
                batch = refused;
                rest(&mut sender, &bells, None);
            }
            sender.bells(|core| bells.ring(core));
        }
        receiving.join().unwrap();
    });
}

#[test]
fn a_lost_bell_is_rung_again() {
    check(None, || {
        let (mut ports, bells) = mesh(2);
        let mut sender = ports.pop().unwrap();
        let mut sleeper = ports.pop().unwrap();
        let sending = thread::spawn({
            let bells = bells.clone();
            move || {
                sender.post(OWNER, Box::new(7)).unwrap();
                let mut lost = None;
                sender.bells(|core| lost = Some(core));
                lost.into_iter().for_each(|core| sender.bell_lost(core));
                sender.bells(|core| bells.ring(core));
            }
        });
        let mut received = None;
        while received.is_none() {
            rest(&mut sleeper, &bells, None);
            receive_all(&mut sleeper, |_, batch| received = Some(batch));
        }
        sending.join().unwrap();
    });
}

#[test]
fn a_lease_word_has_one_holder_and_wanted_reserves_the_shard() {
    check(Some(4), || {
        let lease = Arc::new(Lease::<Shard>::new());
        // Whether the owner is to be told, which it may see late, as it would a bell.
        let told = std::sync::Arc::new(Tally::new(0));
        let borrowing: Vec<_> = (0..2)
            .map(|_| {
                let (lease, told) = (lease.clone(), told.clone());
                thread::spawn(move || {
                    let Some(shard) = lease.borrow() else { return 0 };
                    shard.run();
                    if lease.give_back(shard) == Returned::Wanted {
                        told.fetch_add(1, Relaxed);
                    }
                    1
                })
            })
            .collect();
        let shard = Shard::boxed();
        shard.run();
        lease.park(shard);
        let at_once = lease.reclaim();
        let wanted = at_once.is_none();
        if let Some(shard) = &at_once {
            shard.run();
        }
        let ran: u32 = borrowing.into_iter().map(|borrower| borrower.join().unwrap()).sum();
        let shard = at_once.or_else(|| lease.poll()).expect("whoever had it has given it back");
        assert_eq!(shard.run(), 1 + ran + u32::from(!wanted), "every command ran on the one shard");
        assert!(lease.borrow().is_none(), "it is held");
        // The owner may also have found it wanted and back while it spun.
        assert!(!wanted || told.load(Relaxed) == 1, "who returns a wanted shard is told so");
    });
}

/// One owner that parks, wakes for a reason of its own and needs its shard; others that try to run one command each.
fn park_borrow_return_wake(borrowers: usize, preemptions: Option<usize>) {
    check(preemptions, move || {
        let (ports, bells) = mesh(1 + borrowers);
        let mut ports = ports.into_iter();
        let mut owner = ports.next().unwrap();
        let borrowing: Vec<_> = ports
            .map(|mut borrower| {
                let bells = bells.clone();
                thread::spawn(move || {
                    let Some(loan) = borrower.borrow(OWNER) else { return 0 };
                    loan.run();
                    borrower.give_back(loan, false);
                    borrower.bells(|core| bells.ring(core));
                    1
                })
            })
            .collect();
        let mut shard = match owner.park(Some(Shard::boxed())) {
            Park::Parked => owner.unpark(),
            Park::StayAwake(_) => unreachable!("nobody sends mail"),
        };
        // Without a bell for a wanted shard this sleeps for ever.
        while shard.is_none() {
            assert!(owner.awaits_shard());
            shard = rest(&mut owner, &bells, None);
        }
        let shard = shard.unwrap();
        shard.run();
        let ran: u32 = borrowing.into_iter().map(|borrower| borrower.join().unwrap()).sum();
        assert_eq!(shard.run(), ran + 1, "every command ran on the one shard");
    });
}

#[test]
fn a_wanted_shard_comes_back_with_a_bell() {
    park_borrow_return_wake(1, None);
}

#[test]
fn two_borrowers_and_the_owner_take_turns() {
    park_borrow_return_wake(2, Some(4));
}

#[test]
fn a_borrower_that_asks_for_it_rings_the_owner() {
    check(None, || {
        let (mut ports, bells) = mesh(2);
        let mut borrower = ports.pop().unwrap();
        let mut owner = ports.pop().unwrap();
        let borrowing = thread::spawn({
            let bells = bells.clone();
            move || {
                let loan = loop {
                    match borrower.borrow(OWNER) {
                        Some(loan) => break loan,
                        None => thread::yield_now(),
                    }
                };
                loan.run();
                borrower.give_back(loan, true);
                borrower.bells(|core| bells.ring(core));
            }
        });
        // Woken for nothing, the owner finds nothing done in its shard and lends it again.
        let mut shard = Some(Shard::boxed());
        let mut ran = 0;
        while ran == 0 {
            shard = rest(&mut owner, &bells, shard);
            ran = shard.as_ref().map_or(0, |shard| shard.ran());
        }
        borrowing.join().unwrap();
        assert_eq!(ran, 1);
    });
}

#[test]
fn several_shards_are_borrowed_together_or_not_at_all() {
    check(None, || {
        // Core 2 wants the shards of 0, which sleeps, and of 1, which sleeps, wakes, and wants that of 0 too.
        let (ports, bells) = mesh(3);
        let [mut first, mut second, mut both] = <[_; 3]>::try_from(ports).ok().unwrap();
        let Park::Parked = first.park(Some(Shard::boxed())) else { unreachable!("nobody sends mail") };
        let borrowing = thread::spawn({
            let bells = bells.clone();
            move || {
                let mut loans = Vec::new();
                let granted = both.borrow_all(&[CoreId(0), CoreId(1)], &mut loans);
                assert_eq!(loans.len(), if granted { 2 } else { 0 });
                for loan in loans {
                    loan.run();
                    both.give_back(loan, false);
                }
                both.bells(|core| bells.ring(core));
                u32::from(granted)
            }
        });
        let Park::Parked = second.park(Some(Shard::boxed())) else { unreachable!("nobody sends mail") };
        let mut own = second.unpark();
        let mut ran_first = 0;
        if let Some(loan) = second.borrow(CoreId(0)) {
            loan.run();
            ran_first += 1;
            second.give_back(loan, false);
            second.bells(|core| bells.ring(core));
        }
        while own.is_none() {
            own = rest(&mut second, &bells, None);
        }
        let granted = borrowing.join().unwrap();
        assert_eq!(own.unwrap().run(), granted);
        assert_eq!(first.unpark().expect("all was given back").run(), granted + ran_first);
    });
}

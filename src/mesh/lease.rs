//! The lease: how the shard of a sleeping core is lent, as a whole, by moving it.
//!
//! A core that sleeps leaves its shard where others can take it, because a command run by the core that received it is
//! far cheaper than two wake-ups. One word per core says where the shard is. It moves in and out as a box, so at any
//! instant exactly one core holds it or the word does, and no reference survives a move.
//!
//! ```text
//!               park                         borrow
//!   HELD ─────────────────► shard ───────────────────────► LENT
//!    ▲ ▲                    │   ▲                          │  │
//!    │ └────── reclaim ─────┘   └──────── give back ───────┘  │ reclaim: the owner is up and wants it
//!    │                                                        ▼
//!    └───── reclaim, poll ──── shard|WANTED ◄── give back ── LENT|WANTED
//!                                               (and ring the owner)
//! ```
//!
//! - park, reclaim and poll are the owner's; borrow and give back are everyone else's.
//! - WANTED forbids new leases, also after the shard came back: only the owner leaves `shard|WANTED`.
//! - Nobody waits: a borrower tries once; the owner spins [`LEASE_RECLAIM_SPINS`] hints at most, then goes on without.
//!
//! **Why it is sound.** The box goes in by a release store or exchange and out by an acquire exchange, so whoever takes it
//! sees all that its last holder did. Taking it removes it in the same atomic step, so there is no second taker. The
//! plain stores race with nobody: in HELD and `shard|WANTED` only the owner acts, in LENT|WANTED only the one borrower
//! (the owner's exchange there puts back what it found).
//!
//! WANTED and LENT are the two low bits of the word, which the alignment of a shard leaves free.
#![expect(unsafe_code, reason = "a box passes through an AtomicPtr as a raw pointer")]

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::ptr;

use super::sync::{AtomicPtr, Ordering, spin_loop};
use crate::base::CoreId;
use crate::limits::LEASE_RECLAIM_SPINS;

const WANTED: usize = 0b01;
const LENT: usize = 0b10;
const BITS: usize = WANTED | LENT;

/// Whether sleeping cores lend their shards. The whole test suite runs in every mode: what is right only when a lease
/// happens to be refused, or granted, does not stay hidden.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LendingMode {
    /// No shard is ever lent; every remote command goes by mail.
    Never,
    /// A core lends its shard while it sleeps.
    #[default]
    Usual,
    /// A core parks at the end of every turn, whether or not it has reason to sleep, and then waits a moment before it
    /// unparks: in a simulation until its next turn, in a runtime some tens of microseconds in the kernel, since the time of
    /// one system call would let hardly anyone borrow. A lease is still refused where the protocol says so (mail under
    /// way, an intent, a shard that another has borrowed).
    Always,
}

/// The shard of another core, whole, for a few microseconds. It must go back with [`Port::give_back`]; dropping it is a
/// bug, for the core that owns it would never see its keys again.
///
/// [`Port::give_back`]: super::Port::give_back
#[must_use = "a loan must be given back"]
pub struct Loan<S> {
    owner: CoreId,
    shard: Option<Box<S>>,
}

impl<S> Loan<S> {
    pub(super) fn new(owner: CoreId, shard: Box<S>) -> Self {
        Self { owner, shard: Some(shard) }
    }

    /// The core that the shard belongs to.
    pub fn owner(&self) -> CoreId {
        self.owner
    }

    pub(super) fn into_shard(mut self) -> Box<S> {
        self.shard.take().expect("a loan holds its shard until it is given back")
    }
}

impl<S> Deref for Loan<S> {
    type Target = S;

    fn deref(&self) -> &S {
        self.shard.as_ref().expect("a loan holds its shard until it is given back")
    }
}

impl<S> DerefMut for Loan<S> {
    fn deref_mut(&mut self) -> &mut S {
        self.shard.as_mut().expect("a loan holds its shard until it is given back")
    }
}

impl<S> Drop for Loan<S> {
    fn drop(&mut self) {
        let given_back = self.shard.is_none();
        assert!(given_back || std::thread::panicking(), "the shard of core {} was not given back", self.owner);
    }
}

impl<S> fmt::Debug for Loan<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan").field("owner", &self.owner).finish_non_exhaustive()
    }
}

/// Whether a shard that came back had been asked for by its owner.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "an owner that wanted its shard must be rung"]
pub(super) enum Returned {
    Quietly,
    Wanted,
}

/// One core's word. `S: Send` stands on the type itself, so that no lease of anything else can exist.
#[derive(Debug)]
pub(super) struct Lease<S: Send> {
    word: AtomicPtr<S>,
}

impl<S: Send> Lease<S> {
    pub(super) fn new() -> Self {
        const { assert!(align_of::<S>() > BITS, "the low bits of a shard's address carry the state of its lease") };
        Self { word: AtomicPtr::new(ptr::null_mut()) }
    }

    /// The owner's: leaves the shard to be borrowed. It must hold it, that is, the word is HELD.
    pub(super) fn park(&self, shard: Box<S>) {
        debug_assert!(self.word.load(Ordering::Relaxed).is_null(), "only a shard that is held can be parked");
        self.word.store(Box::into_raw(shard), Ordering::Release);
    }

    /// Anyone else's: takes the shard if it is there and not wanted. Looks before it writes, so that a try that must fail
    /// leaves the line shared.
    #[inline]
    pub(super) fn borrow(&self) -> Option<Box<S>> {
        let shard = self.word.load(Ordering::Relaxed);
        if shard.is_null() || shard.addr() & BITS != 0 {
            return None;
        }
        self.word.compare_exchange(shard, marker(LENT), Ordering::Acquire, Ordering::Relaxed).ok()?;
        // SAFETY: obligations: the pointer came from Box::into_raw, and nobody else makes a box of it.
        // 1. Without low bits and not null, the word is what `park` or `give_back` stored from a box. That the shard may
        //    have been away and back since the load does not matter: the exchange found this very pointer.
        // 2. The exchange removed it, and acquired all that its last holder did.
        Some(unsafe { Box::from_raw(shard) })
    }

    /// The borrower's: puts the shard back.
    pub(super) fn give_back(&self, shard: Box<S>) -> Returned {
        let shard = Box::into_raw(shard);
        match self.word.compare_exchange(marker(LENT), shard, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => Returned::Quietly,
            Err(found) => {
                assert_eq!(found.addr(), BITS, "a shard goes back to the core that lent it");
                self.word.store(shard.map_addr(|address| address | WANTED), Ordering::Release);
                Returned::Wanted
            }
        }
    }

    /// The owner's, once after it parked: takes the shard, or marks it wanted, waits a moment, and returns `None` if it
    /// is still away. It then comes back with a bell, and [`Lease::poll`] takes it.
    pub(super) fn reclaim(&self) -> Option<Box<S>> {
        let found = self.word.swap(marker(BITS), Ordering::Acquire);
        if found.addr() != LENT {
            return Some(self.hold(found));
        }
        for _ in 0..LEASE_RECLAIM_SPINS {
            spin_loop();
            if let Some(shard) = self.poll() {
                return Some(shard);
            }
        }
        None
    }

    /// The owner's, after `reclaim` failed: takes the shard if it is back.
    #[inline]
    pub(super) fn poll(&self) -> Option<Box<S>> {
        let found = self.word.load(Ordering::Acquire);
        (found.addr() != BITS).then(|| self.hold(found))
    }

    /// The owner's, after `reclaim` failed: whether `poll` would take the shard.
    pub(super) fn is_back(&self) -> bool {
        self.word.load(Ordering::Relaxed).addr() != BITS
    }

    /// Ends a reclaim that found the shard.
    fn hold(&self, found: *mut S) -> Box<S> {
        let shard = found.map_addr(|address| address & !WANTED);
        assert!(!shard.is_null() && shard.addr() & LENT == 0, "an owner reclaims what it has parked");
        self.word.store(ptr::null_mut(), Ordering::Relaxed);
        // SAFETY: obligations: the pointer came from Box::into_raw, and nobody else makes a box of it.
        // 1. Not null and without LENT, it is what `park` or `give_back` stored; its WANTED bit is off again, by
        //    `map_addr`, which keeps the provenance.
        // 2. `reclaim` exchanged it away, or `poll` found it with WANTED, which only the owner takes; from then on until
        //    the store above the word said LENT|WANTED or WANTED, so no borrower could take it. Both acquired what its
        //    last holder did.
        unsafe { Box::from_raw(shard) }
    }
}

impl<S: Send> Drop for Lease<S> {
    fn drop(&mut self) {
        let word = self.word.load(Ordering::Acquire);
        let shard = word.map_addr(|address| address & !WANTED);
        if !shard.is_null() && shard.addr() & LENT == 0 {
            // SAFETY: obligations as in `hold`. 1. The same test of the word. 2. `&mut self`: nobody else can reach it.
            drop(unsafe { Box::from_raw(shard) });
        }
    }
}

/// A word that says where the shard is rather than holding it.
fn marker<S>(bits: usize) -> *mut S {
    ptr::without_provenance_mut(bits)
}

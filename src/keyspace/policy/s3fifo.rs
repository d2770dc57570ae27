//! S3-FIFO with an eye on sizes: the policy behind `allkeys-s3fifo`.
//!
//! Most keys of a cache are asked for once. LRU lets each of them travel the whole queue before it goes; S3-FIFO (Yang,
//! Zhang, Qiu, Yue, Rashmi: "FIFO queues are all you need for cache eviction", SOSP 2023) lets a new key prove itself in a
//! small queue first, and needs no lists and no locks, because nothing moves on a hit: a hit is counted in two bits.
//!
//! ```text
//!                  miss                      a hit, kept by chance                     hits left, kept by chance
//! set ──┬──────────────▶ [ small, 10 % of bytes ] ─────────────────▶ [ main, the rest ] ──────┐
//!       │                            │ no hit                             ▲   │    ▲          │ one hit less
//!       │                            ▼                                    │   │    └──────────┘
//!       │                 Ghost: fingerprints                             │   ▼ no hit
//!       └─ in the ghost, by chance ───────────────────────────────────────┘  gone
//! ```
//!
//! A large entry that is kept costs the place of many small ones. So with q = mean charge of the residents / charge of the
//! entry, the tail of either queue keeps an entry that was hit with probability min(1, hits x q), and a key that comes back
//! from the ghost enters main with probability min(1, 2q), else small. With equal charges q = 1, every chance is a certainty,
//! and this is plain S3-FIFO. (`benches/policy.rs` holds it against figures on real traces.)
//!
//! Choices that the paper leaves open, measured on those traces:
//! - one hit promotes (the paper's code asks for two): keys that come back mostly do so before they come often;
//! - hits are cleared on promotion, so that main judges by what happens in main, and three are counted: counters up to seven
//!   cost up to an eighth more misses where loops succeed one another, and gain nothing elsewhere;
//! - the ghost remembers as many dropped keys as would fill 0.9 of the resident bytes, but no more than 0.9 of the residents'
//!   number. With half of that, loops a little longer than the cache are missed (up to 7 % more misses); measured in
//!   keys alone, it would be twice as long where large entries are dropped, for 2 % fewer misses at most.

use super::ghost::Ghost;
use super::line::Line;
use super::queue::Item;
use super::{Evicted, Residents};
use crate::base::Rng;

/// Hits are counted up to this.
pub const HITS_MAX: u8 = 3;
/// The small queue gives the victim while it has at least this part (one in ...) of the charged bytes.
const SMALL_PART: usize = 10;
/// Length of the ghost: dropped bytes per resident byte, and at most this many dropped keys per resident.
const GHOST_SHARE: f64 = 0.9;
/// The mean charge of dropped entries is taken over one in so many of the residents' number: about what the ghost holds. A
/// shorter mean would make the ghost's length jump with every large entry.
const DROPPED_MEAN_PART: usize = 2;

/// Small queue, main queue and ghost.
#[derive(Debug)]
pub struct S3Fifo {
    small: Line,
    main: Line,
    ghost: Ghost,
    /// Entries ever dropped from small; the first few weigh evenly in the mean.
    drops: u64,
    /// Moving mean of their charges, in bytes.
    dropped_mean: f64,
}

impl Default for S3Fifo {
    fn default() -> Self {
        Self::new()
    }
}

impl S3Fifo {
    /// A policy for an empty table. Allocates nothing.
    pub fn new() -> Self {
        Self { small: Line::new(false), main: Line::new(true), ghost: Ghost::default(), drops: 0, dropped_mean: 0.0 }
    }

    /// Live entries.
    pub fn len(&self) -> usize {
        self.small.live() + self.main.live()
    }

    /// Whether there is no live entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes charged for live entries.
    pub fn charged_bytes(&self) -> usize {
        self.small.bytes() + self.main.bytes()
    }

    /// Bytes that the policy itself takes.
    pub fn held_bytes(&self) -> usize {
        self.small.held_bytes() + self.main.held_bytes() + self.ghost.held_bytes()
    }

    /// Bytes that the process holds for the policy beyond these.
    pub fn idle_bytes(&self) -> usize {
        self.small.idle_bytes() + self.main.idle_bytes()
    }

    /// The mark of an entry that has just been admitted.
    pub fn fresh_mark(&self, in_main: bool) -> bool {
        if in_main { self.main.fresh_mark() } else { self.small.fresh_mark() }
    }

    /// A new entry of `charge` bytes. True: it belongs to main. The caller writes that into the entry, with no hits and
    /// the [`S3Fifo::fresh_mark`].
    pub fn admit(&mut self, item: Item, charge: usize, rng: &mut Rng) -> bool {
        let in_main = self.ghost.take(item) && self.chance(2, charge, rng);
        self.line(in_main).enter(item, charge);
        in_main
    }

    /// An entry has grown or shrunk, from `before` to `after` bytes.
    pub fn recharge(&mut self, in_main: bool, before: usize, after: usize) {
        self.line(in_main).recharge(before, after);
    }

    /// An entry of `charge` bytes was deleted or has expired. Its item stays behind.
    pub fn removed(&mut self, in_main: bool, charge: usize) {
        self.line(in_main).leave(charge);
    }

    /// Evicts the next victim, looking at no more than `steps` items. Entries that are due go wherever they are met.
    pub fn evict_one<R: Residents>(&mut self, residents: &mut R, rng: &mut Rng, steps: usize) -> Evicted {
        if self.is_empty() {
            return Evicted::Nothing;
        }
        for _ in 0..steps {
            let Some((item, in_main)) = self.pop_tail() else { return Evicted::Nothing };
            let Some((at, entry)) = self.line(in_main).resident(residents, item) else { continue };
            if !entry.is_due && entry.hits > 0 && self.chance(entry.hits, entry.charge, rng) {
                if in_main {
                    self.main.push_again(item);
                } else {
                    self.small.leave(entry.charge);
                    self.main.enter(item, entry.charge);
                }
                let hits = if in_main { entry.hits - 1 } else { 0 };
                residents.set_state(at, hits, true, self.main.fresh_mark());
                continue;
            }
            residents.evict(item, at);
            self.line(in_main).leave(entry.charge);
            // That a key expired says nothing about its being wanted.
            if !in_main && !entry.is_due {
                self.remember(item, entry.charge);
            }
            return Evicted::Freed(entry.charge);
        }
        Evicted::MoreSteps
    }

    /// Takes stale items out of queues that have too many, at most `chunks` chunks of each. Whether a pass is still
    /// under way.
    pub fn prune<R: Residents>(&mut self, residents: &mut R, chunks: usize) -> bool {
        self.small.prune(residents, chunks) || self.main.prune(residents, chunks)
    }

    /// Drops a piece of a policy that nobody will use again. False when none is left.
    pub fn drop_some(&mut self) -> bool {
        self.small.drop_some() || self.main.drop_some() || self.ghost.drop_segment()
    }

    /// Whether [`S3Fifo::release`] has something to do.
    pub fn has_leavings(&self) -> bool {
        self.small.has_leavings() || self.main.has_leavings()
    }

    /// Gives a piece of memory back in which nothing lies any more.
    pub fn release(&mut self) {
        self.small.release();
        self.main.release();
    }

    /// Whether [`S3Fifo::prune`] has something to do.
    pub fn needs_pruning(&self) -> bool {
        self.small.needs_pruning() || self.main.needs_pruning()
    }

    fn line(&mut self, in_main: bool) -> &mut Line {
        if in_main { &mut self.main } else { &mut self.small }
    }

    /// The item whose turn it is, and whether it comes from main.
    fn pop_tail(&mut self) -> Option<(Item, bool)> {
        let small_has_its_part = self.small.live() > 0 && self.small.bytes() * SMALL_PART >= self.charged_bytes();
        let in_main = self.main.live() > 0 && !small_has_its_part;
        if let Some(item) = self.line(in_main).pop_oldest() {
            return Some((item, in_main));
        }
        self.line(!in_main).pop_oldest().map(|item| (item, !in_main))
    }

    /// True with probability min(1, weight x q), q = mean charge / `charge`.
    fn chance(&self, weight: u8, charge: usize, rng: &mut Rng) -> bool {
        let mean = self.charged_bytes() as f64 / self.len() as f64;
        let probability = f64::from(weight) * mean / charge as f64;
        probability >= 1.0 || rng.f64() < probability
    }

    fn remember(&mut self, item: Item, charge: usize) {
        self.drops += 1;
        let window = (self.len() / DROPPED_MEAN_PART + 1).min(usize::try_from(self.drops).unwrap_or(usize::MAX));
        self.dropped_mean += (charge as f64 - self.dropped_mean) / window as f64;
        let as_heavy_as_residents = self.charged_bytes() as f64 / self.dropped_mean;
        let length = GHOST_SHARE * as_heavy_as_residents.min(self.len() as f64);
        self.ghost.remember(item, length as usize);
    }

    /// Loses the oldest item, as if it had been taken for stale. False if there is none.
    #[cfg(test)]
    pub(in crate::keyspace) fn forget_oldest(&mut self) -> bool {
        self.pop_tail().is_some()
    }

    /// Items of both queues, stale ones included.
    #[cfg(test)]
    pub(super) fn items(&self) -> usize {
        self.small.items() + self.main.items()
    }

    /// Live entries and bytes of small and of main.
    #[cfg(test)]
    pub(in crate::keyspace) fn account(&self) -> [(usize, usize); 2] {
        [(self.small.live(), self.small.bytes()), (self.main.live(), self.main.bytes())]
    }
}

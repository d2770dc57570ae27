//! First in, first out: the policy behind `allkeys-fifo`.
//!
//! The oldest entry goes, whatever was read since. It is the cheapest policy (no bit is written on a hit) and the right one
//! where the age of a key says all: logs, sessions of one length, results of a batch.
//!
//! ```text
//! set ──▶ [ newest … oldest ] ──▶ gone
//! ```
//!
//! The interface is that of `S3Fifo`, without chance and without a second queue.

use super::line::Line;
use super::queue::Item;
use super::{Evicted, Residents};

/// One queue. Its entries have `in_main` unset.
#[derive(Debug)]
pub struct Fifo {
    line: Line,
}

impl Default for Fifo {
    fn default() -> Self {
        Self::new()
    }
}

impl Fifo {
    /// A policy for an empty table. Allocates nothing.
    pub fn new() -> Self {
        Self { line: Line::new(false) }
    }

    /// Live entries.
    pub fn len(&self) -> usize {
        self.line.live()
    }

    /// Whether there is no live entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes charged for live entries.
    pub fn charged_bytes(&self) -> usize {
        self.line.bytes()
    }

    /// Bytes that the policy itself takes.
    pub fn held_bytes(&self) -> usize {
        self.line.held_bytes()
    }

    /// Bytes that the process holds for the policy beyond these.
    pub fn idle_bytes(&self) -> usize {
        self.line.idle_bytes()
    }

    /// The mark of an entry that has just been admitted.
    pub fn fresh_mark(&self) -> bool {
        self.line.fresh_mark()
    }

    /// A new entry of `charge` bytes. The caller writes the [`Fifo::fresh_mark`] into it and unsets `in_main`.
    pub fn admit(&mut self, item: Item, charge: usize) {
        self.line.enter(item, charge);
    }

    /// An entry has grown or shrunk, from `before` to `after` bytes.
    pub fn recharge(&mut self, before: usize, after: usize) {
        self.line.recharge(before, after);
    }

    /// An entry of `charge` bytes was deleted or has expired. Its item stays behind.
    pub fn removed(&mut self, charge: usize) {
        self.line.leave(charge);
    }

    /// Evicts the oldest entry, looking at no more than `steps` items.
    pub fn evict_one<R: Residents>(&mut self, residents: &mut R, steps: usize) -> Evicted {
        if self.is_empty() {
            return Evicted::Nothing;
        }
        for _ in 0..steps {
            let Some(item) = self.line.pop_oldest() else { return Evicted::Nothing };
            if let Some((at, entry)) = self.line.resident(residents, item) {
                residents.evict(item, at);
                self.line.leave(entry.charge);
                return Evicted::Freed(entry.charge);
            }
        }
        Evicted::MoreSteps
    }

    /// Drops a piece of a policy that nobody will use again. False when none is left.
    pub fn drop_some(&mut self) -> bool {
        self.line.drop_some()
    }

    /// Whether [`Fifo::release`] has something to do.
    pub fn has_leavings(&self) -> bool {
        self.line.has_leavings()
    }

    /// Gives a piece of memory back in which nothing lies any more.
    pub fn release(&mut self) {
        self.line.release();
    }

    /// Whether [`Fifo::prune`] has something to do.
    pub fn needs_pruning(&self) -> bool {
        self.line.needs_pruning()
    }

    /// Takes stale items out of the queue if it has too many, at most `chunks` chunks. Whether a pass is still under way.
    pub fn prune<R: Residents>(&mut self, residents: &mut R, chunks: usize) -> bool {
        self.line.prune(residents, chunks)
    }

    /// Items, stale ones included.
    #[cfg(test)]
    pub(super) fn items(&self) -> usize {
        self.line.items()
    }
}

//! Eviction policies: which entry goes when memory is short.
//!
//! The room is pure: chance comes in as an argument, nothing reads a clock, and nothing knows tables. A policy names an
//! entry by an [`Item`] of 40 bits and reaches it through [`Residents`], which the table implements. An item lies in its
//! queue until it is popped or pruned, however often its entry is moved, resized or deleted meanwhile; whether the entry
//! is still there is asked only then. So a write or a delete never searches a queue, and a queue costs 5 bytes per key
//! instead of the two pointers of a linked list.
//!
//! ```text
//!              admit                               evict_one
//! table ──────────────────▶ S3Fifo ─ Line small ─ Queue [ oldest … newest ]
//!   ▲                          │  └─ Line main  ─ Queue [ oldest … newest ]     Line: queue, live entries, bytes, mark
//!   │                          └──── Ghost: fingerprints of what the small queue dropped
//!   └─ Residents: find, state, set_state, evict
//!
//! Fifo: one Line.   CandidatePool: the best victims of several samplings (lru, lfu, ttl).   clock: 24 bits of recency.
//! ```
//!
//! Invariants: the live entries and bytes of the lines are those of the table; a queue holds at most 1.5 times its live
//! entries plus a constant, as long as `prune` is called now and then; every call does a bounded amount of work.

pub mod clock;
mod fifo;
mod ghost;
mod line;
mod pool;
mod queue;
mod s3fifo;

pub use fifo::Fifo;
pub use ghost::Ghost;
pub use pool::CandidatePool;
pub use queue::{Item, Queue};
pub use s3fifo::{HITS_MAX, S3Fifo};

/// What a policy sees and changes of one entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EntryState {
    /// Accesses since the entry entered its queue or was passed over there, at most [`HITS_MAX`].
    pub hits: u8,
    /// Whether the entry belongs to the main queue, not to the small one.
    pub in_main: bool,
    /// The last pruning pass that met the entry, by parity.
    pub mark: bool,
    /// Whether the entry's deadline has passed.
    pub is_due: bool,
    /// Bytes charged for the entry, as told to `admit` and `recharge`.
    pub charge: usize,
}

/// The entries that a policy chooses from.
///
/// Two entries may share an item, with a probability of about 2^-40 times the number of keys: then `find` gives either.
/// What follows is harmless (one is judged in place of the other, or is never met and stays until it is deleted or due).
pub trait Residents {
    /// A place of an entry, valid until the next call that changes the table.
    type Handle: Copy;

    /// The entry named `item`, unless it has gone.
    fn find(&self, item: Item) -> Option<Self::Handle>;

    /// Brings what finding these entries will need into the cache, if that pays.
    fn warm(&self, items: &[Item]);

    /// The entry at `at`.
    fn state(&self, at: Self::Handle) -> EntryState;

    /// Writes the policy's part of the entry at `at`.
    fn set_state(&mut self, at: Self::Handle, hits: u8, in_main: bool, mark: bool);

    /// Removes the entry and frees its memory. The policy accounts for it: `removed` is not called as well.
    fn evict(&mut self, item: Item, at: Self::Handle);
}

/// What one call of `evict_one` came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Evicted {
    /// An entry went; its charge in bytes.
    Freed(usize),
    /// No resident is queued.
    Nothing,
    /// The step budget ran out before a victim was found: call again.
    MoreSteps,
}

#[cfg(test)]
mod tests;

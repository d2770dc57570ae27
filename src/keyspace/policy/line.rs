//! A queue with the account of the live entries in it, and the marks by which a pruning pass knows duplicates.
//!
//! An entry that is deleted leaves its item behind; a key that is set and deleted again and again leaves one each time,
//! and all of them name the entry that is there now. A pass keeps the first item that meets an entry and drops the others.
//! It tells them apart by one bit of the entry, whose meaning flips with every pass, so that nothing has to be reset:
//!
//! ```text
//!                    before the pass       during                           after
//! pass mark          0                     1                                1
//! entry's mark       0                     0 not met yet, 1 met             1
//! item meets 0       -                     first item: keep, set to 1       -
//! item meets 1       -                     duplicate, or the entry came during the pass and its item lies behind
//!                                          the region: drop
//! ```

use super::queue::{Item, Queue};
use super::{EntryState, Residents};

/// Stale items that are not worth a pass: 20 KiB.
const STALE_ITEMS_MAX: usize = 4096;

/// One queue of a policy.
#[derive(Debug)]
pub(super) struct Line {
    queue: Queue,
    /// What `in_main` says of an entry that belongs here.
    is_main: bool,
    live: usize,
    bytes: usize,
    pass_mark: bool,
}

impl Line {
    pub(super) fn new(is_main: bool) -> Self {
        Self { queue: Queue::default(), is_main, live: 0, bytes: 0, pass_mark: false }
    }

    /// Entries that belong here.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// Bytes charged for them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that the queue itself takes.
    pub(super) fn held_bytes(&self) -> usize {
        self.queue.held_bytes()
    }

    /// See [`Queue::idle_bytes`].
    pub(super) fn idle_bytes(&self) -> usize {
        self.queue.idle_bytes()
    }

    /// Items, stale ones included.
    #[cfg(test)]
    pub(super) fn items(&self) -> usize {
        self.queue.len()
    }

    /// The mark of an entry whose item is pushed now.
    pub(super) fn fresh_mark(&self) -> bool {
        self.pass_mark
    }

    /// An entry comes to belong here as the newest.
    pub(super) fn enter(&mut self, item: Item, charge: usize) {
        self.live += 1;
        self.bytes += charge;
        self.queue.push(item);
    }

    /// An entry no longer belongs here. Its item has been popped or stays behind.
    pub(super) fn leave(&mut self, charge: usize) {
        debug_assert!(self.live > 0 && self.bytes >= charge, "only what entered leaves");
        self.live -= 1;
        self.bytes -= charge;
    }

    /// The charge of an entry has changed.
    pub(super) fn recharge(&mut self, before: usize, after: usize) {
        debug_assert!(self.bytes >= before, "only what was charged is credited");
        self.bytes = self.bytes - before + after;
    }

    pub(super) fn pop_oldest(&mut self) -> Option<Item> {
        self.queue.pop_oldest()
    }

    /// A popped item becomes the newest; its entry belonged here all the time.
    pub(super) fn push_again(&mut self, item: Item) {
        self.queue.push(item);
    }

    /// Where the entry of `item` lies and what it is, if it belongs here: otherwise the item is stale.
    pub(super) fn resident<R: Residents>(&self, residents: &R, item: Item) -> Option<(R::Handle, EntryState)> {
        let at = residents.find(item)?;
        let state = residents.state(at);
        (state.in_main == self.is_main).then_some((at, state))
    }

    /// See [`Queue::drop_some`].
    pub(super) fn drop_some(&mut self) -> bool {
        self.queue.drop_some()
    }

    /// See [`Queue::has_leavings`].
    #[inline]
    pub(super) fn has_leavings(&self) -> bool {
        self.queue.has_leavings()
    }

    /// See [`Queue::release`].
    pub(super) fn release(&mut self) {
        self.queue.release();
    }

    /// Whether so many items are stale that a pass is worth it, or one is under way.
    pub(super) fn needs_pruning(&self) -> bool {
        self.queue.is_pruning() || self.queue.len() > self.live + self.live / 2 + STALE_ITEMS_MAX
    }

    /// Prunes at most `chunks` chunks if there is a reason. Whether a pass is still under way.
    pub(super) fn prune<R: Residents>(&mut self, residents: &mut R, chunks: usize) -> bool {
        if !self.needs_pruning() {
            return false;
        }
        if !self.queue.is_pruning() {
            self.pass_mark = !self.pass_mark;
        }
        let (is_main, pass_mark) = (self.is_main, self.pass_mark);
        let stays = |residents: &mut R, item| {
            let Some(at) = residents.find(item) else { return false };
            let state = residents.state(at);
            if state.in_main != is_main || state.mark == pass_mark {
                return false;
            }
            residents.set_state(at, state.hits, is_main, pass_mark);
            true
        };
        let mut keep = |items: &[Item]| {
            residents.warm(items);
            let stays = items.iter().enumerate().map(|(number, &item)| u16::from(stays(residents, item)) << number);
            stays.fold(0, |stay, bit| stay | bit)
        };
        (0..chunks).all(|_| self.queue.prune_chunk(&mut keep))
    }
}

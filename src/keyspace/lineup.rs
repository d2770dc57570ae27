//! The order in which the policy looks at entries, where it keeps one: queues of a database.
//!
//! A policy may be changed while there are millions of entries. They are put into the new queues a block at a time, from
//! the first position to the last: those below the **frontier** are queued, those above are not yet, whether they were
//! there before or have come since.

use super::deadline::Form;
use super::entry::Header;
use super::policy::{Evicted, Fifo, Item, Residents, S3Fifo};
use super::position::Position;
use crate::base::Rng;
use crate::config::EvictionPolicy;

/// Bytes of a place in a queue.
const ITEM_BYTES: usize = 5;

/// The queues of one database, if the policy goes by queues.
#[derive(Debug)]
pub(super) struct Lineup {
    order: Order,
    /// Only entries with a deadline are queued.
    volatile: bool,
    /// Entries at or above this position are not queued yet; `None`: all are.
    frontier: Option<u64>,
}

#[derive(Debug)]
enum Order {
    None,
    Fifo(Box<Fifo>),
    S3Fifo(Box<S3Fifo>),
}

impl Lineup {
    /// No queues.
    pub(super) const fn none() -> Self {
        Self { order: Order::None, volatile: false, frontier: None }
    }

    /// Empty queues for an empty database.
    pub(super) fn new(policy: EvictionPolicy) -> Self {
        let order = match policy {
            EvictionPolicy::AllKeysFifo => Order::Fifo(Box::default()),
            EvictionPolicy::AllKeysS3Fifo | EvictionPolicy::VolatileS3Fifo => Order::S3Fifo(Box::default()),
            _ => Order::None,
        };
        Self { order, volatile: policy.is_volatile(), frontier: None }
    }

    /// Empty queues for a database whose entries are still to be queued.
    pub(super) fn adopting(policy: EvictionPolicy) -> Self {
        let lineup = Self::new(policy);
        let frontier = lineup.is_ordered().then_some(0);
        Self { frontier, ..lineup }
    }

    /// Whether there are queues.
    #[inline]
    pub(super) fn is_ordered(&self) -> bool {
        !matches!(self.order, Order::None)
    }

    /// Where the entries begin that are not queued yet.
    pub(super) fn frontier(&self) -> Option<u64> {
        self.frontier
    }

    pub(super) fn set_frontier(&mut self, frontier: Option<u64>) {
        self.frontier = frontier;
    }

    /// What a queue takes for an entry.
    #[inline]
    pub(super) fn item_bytes(&self) -> usize {
        if self.is_ordered() { ITEM_BYTES } else { 0 }
    }

    /// Bytes of the queues.
    #[inline]
    pub(super) fn used_bytes(&self) -> usize {
        match &self.order {
            Order::None => 0,
            Order::Fifo(fifo) => fifo.held_bytes(),
            Order::S3Fifo(fifo) => fifo.held_bytes(),
        }
    }

    /// Bytes that the process holds for the queues beyond these.
    pub(super) fn idle_bytes(&self) -> usize {
        match &self.order {
            Order::None => 0,
            Order::Fifo(fifo) => fifo.idle_bytes(),
            Order::S3Fifo(fifo) => fifo.idle_bytes(),
        }
    }

    /// Whether an entry with such a deadline is queued once its position is reached.
    #[inline]
    pub(super) fn wants(&self, form: Form) -> bool {
        self.is_ordered() && !(self.volatile && form == Form::None)
    }

    #[inline]
    fn holds(&self, position: Position, form: Form) -> bool {
        self.wants(form) && self.frontier.is_none_or(|frontier| position.bits < frontier)
    }

    /// Queues a new entry, if it is to be queued. Answers the bits for its header: in main, and mark.
    #[inline]
    pub(super) fn admit(&mut self, position: Position, charge: usize, form: Form, rng: &mut Rng) -> (bool, bool) {
        if self.holds(position, form) { self.queue(position, charge, rng) } else { (false, false) }
    }

    /// Queues an entry.
    pub(super) fn queue(&mut self, position: Position, charge: usize, rng: &mut Rng) -> (bool, bool) {
        let item = item_of(position);
        match &mut self.order {
            Order::None => (false, false),
            Order::Fifo(fifo) => {
                fifo.admit(item, charge);
                (false, fifo.fresh_mark())
            }
            Order::S3Fifo(fifo) => {
                let in_main = fifo.admit(item, charge, rng);
                (in_main, fifo.fresh_mark(in_main))
            }
        }
    }

    /// Follows an entry that takes another number of bytes.
    #[inline]
    pub(super) fn recharge(&mut self, position: Position, header: Header, before: usize, after: usize) {
        if before != after && self.holds(position, header.form()) {
            match &mut self.order {
                Order::None => {}
                Order::Fifo(fifo) => fifo.recharge(before, after),
                Order::S3Fifo(fifo) => fifo.recharge(header.in_main(), before, after),
            }
        }
    }

    /// Follows an entry that goes.
    #[inline]
    pub(super) fn removed(&mut self, position: Position, header: Header, charge: usize) {
        if self.holds(position, header.form()) {
            match &mut self.order {
                Order::None => {}
                Order::Fifo(fifo) => fifo.removed(charge),
                Order::S3Fifo(fifo) => fifo.removed(header.in_main(), charge),
            }
        }
    }

    /// Follows an entry that gets a deadline (`form` is how it will be written) or loses it. Answers the bits for its
    /// header if it is queued anew.
    pub(super) fn form_changed(
        &mut self,
        position: Position,
        charge: usize,
        header: Header,
        form: Form,
        rng: &mut Rng,
    ) -> Option<(bool, bool)> {
        if !self.volatile {
            return None;
        }
        if form == Form::None {
            self.removed(position, header, charge);
            return None;
        }
        Some(self.admit(position, charge, form, rng))
    }

    /// Evicts one entry in the policy's order.
    pub(super) fn evict_one(&mut self, residents: &mut impl Residents, rng: &mut Rng, steps: usize) -> Evicted {
        match &mut self.order {
            Order::None => Evicted::Nothing,
            Order::Fifo(fifo) => fifo.evict_one(residents, steps),
            Order::S3Fifo(fifo) => fifo.evict_one(residents, rng, steps),
        }
    }

    /// Whether [`Lineup::release`] has something to do.
    #[inline]
    pub(super) fn has_leavings(&self) -> bool {
        match &self.order {
            Order::None => false,
            Order::Fifo(fifo) => fifo.has_leavings(),
            Order::S3Fifo(fifo) => fifo.has_leavings(),
        }
    }

    /// Gives a piece of memory back in which nothing lies any more.
    pub(super) fn release(&mut self) {
        match &mut self.order {
            Order::None => {}
            Order::Fifo(fifo) => fifo.release(),
            Order::S3Fifo(fifo) => fifo.release(),
        }
    }

    /// Drops a piece of queues that nobody will use again. False when none is left.
    pub(super) fn drop_some(&mut self) -> bool {
        match &mut self.order {
            Order::None => false,
            Order::Fifo(fifo) => fifo.drop_some(),
            Order::S3Fifo(fifo) => fifo.drop_some(),
        }
    }

    /// Whether there is something to queue or to prune.
    pub(super) fn is_untidy(&self) -> bool {
        self.frontier.is_some()
            || match &self.order {
                Order::None => false,
                Order::Fifo(fifo) => fifo.needs_pruning(),
                Order::S3Fifo(fifo) => fifo.needs_pruning(),
            }
    }

    /// Loses the oldest item. False if there is none.
    #[cfg(test)]
    pub(super) fn forget_oldest(&mut self) -> bool {
        match &mut self.order {
            Order::S3Fifo(fifo) => fifo.forget_oldest(),
            _ => false,
        }
    }

    /// Holds the queues' account against entries, each with its position, its header and what it is charged.
    #[cfg(test)]
    pub(super) fn check(&self, entries: impl Iterator<Item = (Position, Header, usize)>) {
        let mut account = [(0, 0); 2];
        for (_, header, charge) in entries.filter(|(position, header, _)| self.holds(*position, header.form())) {
            let (live, bytes) = &mut account[usize::from(header.in_main())];
            (*live, *bytes) = (*live + 1, *bytes + charge);
        }
        match &self.order {
            Order::None => {}
            Order::Fifo(fifo) => assert_eq!(account, [(fifo.len(), fifo.charged_bytes()), (0, 0)]),
            Order::S3Fifo(fifo) => assert_eq!(account, fifo.account()),
        }
    }

    /// Drops items whose entries have gone, if there are many. True if more is to do.
    pub(super) fn prune(&mut self, residents: &mut impl Residents, chunks: usize) -> bool {
        match &mut self.order {
            Order::None => false,
            Order::Fifo(fifo) => fifo.prune(residents, chunks),
            Order::S3Fifo(fifo) => fifo.prune(residents, chunks),
        }
    }
}

/// What an entry at this position is called in a queue.
#[inline]
pub(super) fn item_of(position: Position) -> Item {
    Item { prefix: position.prefix(), tag: position.tag }
}

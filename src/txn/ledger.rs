//! The intents that transactions hold on one shard, and who waits behind them.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::base::KeyHasher;

/// Number of a transaction: the order in which conflicting ones run, everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TxnId(pub u64);

impl TxnId {
    /// No transaction has a number below this: those are for keys that are held ([`Ledger::hold`]), which go before all.
    pub const FIRST: Self = Self(1 << 63);
}

/// A key that a transaction touches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// The key.
    pub name: Box<[u8]>,
    /// Whether the transaction may change it. Two that only read it do not conflict.
    pub exclusive: bool,
}

/// What a transaction touches on one shard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Intents {
    /// These keys, each named once.
    Keys(Vec<Key>),
    /// The whole shard, exclusively (FLUSHALL, SWAPDB).
    Shard,
}

/// Buckets of the memory of what has run. Keys that share one are taken for the same key: that costs a needless retry at
/// worst.
const RAN_BUCKETS: usize = 1024;

/// The highest number that has run, per bucket of keys.
#[derive(Clone, Copy, Debug, Default)]
struct Ran {
    shared: u64,
    exclusive: u64,
}

/// One scheduled transaction.
#[derive(Debug)]
struct Record<K> {
    intents: Intents,
    /// What to do once it is first everywhere on this shard; absent until all cores have accepted.
    work: Option<K>,
    /// It has begun and holds its keys until it is finished.
    begun: bool,
}

/// Intents and waiters of one key.
#[derive(Debug)]
struct Queue<W> {
    /// By number: exclusive or not.
    transactions: BTreeMap<TxnId, bool>,
    waiting: VecDeque<Waiting<W>>,
}

/// When a command that waits has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// The highest number that was there. All up to it that conflict with the command go first, wherever its keys are:
    /// one of them may have run on another core already, and been seen there.
    behind: TxnId,
    /// How many had waited before it: those on the same key go first.
    place: u64,
}

#[derive(Debug)]
struct Waiting<W> {
    ticket: Ticket,
    /// Runs when the transactions up to this one have finished.
    until: TxnId,
    waiter: W,
}

/// The intents on one shard. `W` is a command that waits behind them, `K` the work of a transaction.
#[derive(Debug)]
pub struct Ledger<W, K> {
    records: BTreeMap<TxnId, Record<K>>,
    keys: HashMap<Box<[u8]>, Queue<W>>,
    /// Transactions on the whole shard.
    shard: BTreeMap<TxnId, ()>,
    /// Commands that wait behind one on the whole shard.
    waiting_for_shard: VecDeque<Waiting<W>>,
    /// Commands that have waited so far.
    waited: u64,
    /// Keys that have been held so far.
    holds: u64,
    ran: Box<[Ran; RAN_BUCKETS]>,
    /// The highest number that ran on the whole shard, and on any key.
    ran_on_shard: u64,
    ran_on_any: u64,
    hasher: KeyHasher,
}

impl<W, K> Ledger<W, K> {
    /// A ledger without intents.
    pub fn new(hasher: KeyHasher) -> Self {
        Self {
            records: BTreeMap::new(),
            keys: HashMap::new(),
            shard: BTreeMap::new(),
            waiting_for_shard: VecDeque::new(),
            waited: 0,
            holds: 0,
            ran: Box::new([Ran::default(); RAN_BUCKETS]),
            ran_on_shard: 0,
            ran_on_any: 0,
            hasher,
        }
    }

    /// Whether there is neither an intent nor a waiter: then the shard may be lent, and single commands need not ask.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.keys.is_empty() && self.waiting_for_shard.is_empty()
    }

    /// Transactions that are scheduled here.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    fn bucket(&self, key: &[u8]) -> usize {
        self.hasher.hash(key) as usize % RAN_BUCKETS
    }

    /// Leaves the intents of a transaction. False if something that conflicts and has a higher number has already run:
    /// then nothing is left, and the transaction must be withdrawn everywhere.
    pub fn schedule(&mut self, id: TxnId, intents: Intents) -> bool {
        if self.came_too_late(id, &intents) {
            return false;
        }
        match &intents {
            Intents::Shard => {
                self.shard.insert(id, ());
            }
            Intents::Keys(keys) => {
                for key in keys {
                    let queue = self
                        .keys
                        .entry(key.name.clone())
                        .or_insert_with(|| Queue { transactions: BTreeMap::new(), waiting: VecDeque::new() });
                    queue.transactions.insert(id, key.exclusive);
                }
            }
        }
        self.records.insert(id, Record { intents, work: None, begun: false });
        true
    }

    fn came_too_late(&self, id: TxnId, intents: &Intents) -> bool {
        match intents {
            Intents::Shard => self.ran_on_any > id.0 || self.ran_on_shard > id.0,
            Intents::Keys(keys) => {
                self.ran_on_shard > id.0
                    || keys.iter().any(|key| {
                        let ran = self.ran[self.bucket(&key.name)];
                        ran.exclusive > id.0 || (key.exclusive && ran.shared > id.0)
                    })
            }
        }
    }

    /// All cores have accepted: from now on the transaction runs as soon as [`Ledger::begin`] finds it first.
    pub fn assign(&mut self, id: TxnId, work: K) {
        if let Some(record) = self.records.get_mut(&id) {
            record.work = Some(work);
        }
    }

    /// The next transaction that has work and is first on all of its keys. It holds them until [`Ledger::finish`].
    pub fn begin(&mut self) -> Option<(TxnId, K)> {
        let id = *self.records.iter().find(|(id, record)| record.work.is_some() && self.is_first(**id, record))?.0;
        let record = self.records.get_mut(&id)?;
        record.begun = true;
        let work = record.work.take()?;
        match &record.intents {
            Intents::Shard => self.ran_on_shard = self.ran_on_shard.max(id.0),
            Intents::Keys(keys) => {
                self.ran_on_any = self.ran_on_any.max(id.0);
                for key in keys {
                    let ran = &mut self.ran[self.hasher.hash(&key.name) as usize % RAN_BUCKETS];
                    let last = if key.exclusive { &mut ran.exclusive } else { &mut ran.shared };
                    *last = (*last).max(id.0);
                }
            }
        }
        Some((id, work))
    }

    fn is_first(&self, id: TxnId, record: &Record<K>) -> bool {
        match &record.intents {
            Intents::Shard => self.records.keys().next() == Some(&id),
            Intents::Keys(keys) => {
                self.shard.keys().next().is_none_or(|first| *first > id)
                    && keys.iter().all(|key| {
                        self.keys.get(&key.name).is_none_or(|queue| {
                            queue.transactions.range(..id).all(|(_, exclusive)| !exclusive && !key.exclusive)
                        })
                    })
            }
        }
    }

    /// Ends a transaction that has run, or one that is withdrawn, and gives the commands that waited for it to `free`, those of
    /// one key in the order in which they came. Each may run unless [`Ledger::detains`] finds another obstacle. Other transactions
    /// may have become first: ask [`Ledger::begin`] when the commands have run.
    pub fn finish(&mut self, id: TxnId, mut free: impl FnMut(Ticket, W)) {
        let Some(record) = self.records.remove(&id) else { return };
        match record.intents {
            Intents::Shard => {
                self.shard.remove(&id);
                let lowest = self.shard.keys().next().copied();
                release(&mut self.waiting_for_shard, lowest, &mut free);
            }
            Intents::Keys(keys) => {
                for key in keys {
                    let Some(queue) = self.keys.get_mut(&key.name) else { continue };
                    queue.transactions.remove(&id);
                    let lowest = queue.transactions.keys().next().copied();
                    release(&mut queue.waiting, lowest, &mut free);
                    if queue.transactions.is_empty() && queue.waiting.is_empty() {
                        self.keys.remove(&key.name);
                    }
                }
            }
        }
    }

    /// Holds keys from now on, each named once, before every transaction that has not begun: nothing else touches them until
    /// [`Ledger::finish`]. No transaction may hold one of them already ([`Ledger::is_held`]).
    pub fn hold(&mut self, names: impl IntoIterator<Item = Box<[u8]>>) -> TxnId {
        self.holds += 1;
        let id = TxnId(self.holds);
        let keys: Vec<Key> = names.into_iter().map(|name| Key { name, exclusive: true }).collect();
        for key in &keys {
            let queue = self
                .keys
                .entry(key.name.clone())
                .or_insert_with(|| Queue { transactions: BTreeMap::new(), waiting: VecDeque::new() });
            queue.transactions.insert(id, true);
        }
        self.records.insert(id, Record { intents: Intents::Keys(keys), work: None, begun: true });
        id
    }

    /// Whether somebody holds a key: a transaction that has begun and has not finished, or [`Ledger::hold`].
    pub fn is_held(&self, name: &[u8]) -> bool {
        let has_begun = |id: &TxnId| self.records.get(id).is_some_and(|record| record.begun);
        let on_key = self.keys.get(name).into_iter().flat_map(|queue| queue.transactions.keys());
        self.shard.keys().chain(on_key).any(has_begun)
    }

    /// Whether a command that touches `key`, and has come just now, must wait.
    pub fn blocks(&self, key: &[u8], write: bool) -> bool {
        if !self.shard.is_empty() {
            return true;
        }
        self.keys.get(key).is_some_and(|queue| {
            // Whoever waits on this key already goes first.
            !queue.waiting.is_empty() || queue.transactions.values().any(|exclusive| *exclusive || write)
        })
    }

    /// The ticket of a command that comes now. Whoever keeps it asks [`Ledger::detains`] whenever something has finished.
    fn ticket(&mut self) -> Ticket {
        let behind = self.records.keys().next_back().copied().unwrap_or(TxnId(0));
        self.waited += 1;
        Ticket { behind, place: self.waited - 1 }
    }

    /// Puts a command behind the intents on `key`, which [`Ledger::blocks`] it. If it touches other keys as well, it waits
    /// on this one first.
    pub fn wait(&mut self, key: &[u8], waiter: W) {
        let ticket = self.ticket();
        let waiting = Waiting { ticket, until: ticket.behind, waiter };
        match self.keys.get_mut(key) {
            Some(queue) if self.shard.is_empty() || !queue.waiting.is_empty() => queue.waiting.push_back(waiting),
            _ => self.waiting_for_shard.push_back(waiting),
        }
    }

    /// Whether a command that was freed must still wait on `key`: for a transaction that was there before it, for one that
    /// has begun and holds the key, or for a command that came earlier and waits again.
    pub fn detains(&self, key: &[u8], write: bool, ticket: Ticket) -> bool {
        self.shard.range(..=ticket.behind).next().is_some() || self.until(key, write, ticket).is_some()
    }

    /// Puts a command that was freed behind what still [`Ledger::detains`] it on `key`.
    pub fn wait_on(&mut self, key: &[u8], write: bool, ticket: Ticket, waiter: W) {
        let until = self.until(key, write, ticket);
        let waiting = Waiting { ticket, until: until.unwrap_or(ticket.behind), waiter };
        let queue = match (until, self.keys.get_mut(key)) {
            (Some(_), Some(queue)) => &mut queue.waiting,
            _ => &mut self.waiting_for_shard,
        };
        let at = queue.partition_point(|other| other.ticket.place < ticket.place);
        queue.insert(at, waiting);
    }

    /// The last transaction that such a command must wait for on `key`.
    fn until(&self, key: &[u8], write: bool, ticket: Ticket) -> Option<TxnId> {
        let queue = self.keys.get(key)?;
        let has_begun = |id: TxnId| self.records.get(&id).is_some_and(|record| record.begun);
        let conflicting = queue.transactions.iter().rev().filter(|(_, exclusive)| **exclusive || write);
        let holder = conflicting.map(|(id, _)| *id).find(|id| *id <= ticket.behind || has_begun(*id));
        let earlier = queue.waiting.iter().any(|other| other.ticket.place < ticket.place);
        holder.map(|id| id.max(ticket.behind)).or(earlier.then_some(ticket.behind))
    }
}

/// Frees the waiters whose transactions are all below `lowest`, the lowest that is left.
fn release<W>(waiting: &mut VecDeque<Waiting<W>>, lowest: Option<TxnId>, free: &mut impl FnMut(Ticket, W)) {
    while waiting.front().is_some_and(|first| lowest.is_none_or(|lowest| first.until < lowest)) {
        if let Some(first) = waiting.pop_front() {
            free(first.ticket, first.waiter);
        }
    }
}

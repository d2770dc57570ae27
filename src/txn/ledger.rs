//! The intents that transactions hold on one shard, and who waits behind them.

use std::collections::{BTreeMap, HashMap, VecDeque};

use crate::base::KeyHasher;

/// Number of a transaction: the order in which conflicting ones run, everywhere.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TxnId(pub u64);

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

/// A command behind the transactions that were there when it came. It may only run when all of them that conflict with
/// it have finished, wherever its keys are: one of them may have run on another core already, and been seen there.
#[derive(Debug)]
struct Waiting<W> {
    /// The highest number that was there.
    behind: TxnId,
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

    /// Ends a transaction that has run, or one that is withdrawn, and gives the commands that waited for it to `free`, in
    /// the order in which they came. Each may run unless [`Ledger::detains`] finds another obstacle. Other transactions
    /// may have become first: ask [`Ledger::begin`] when the commands have run.
    pub fn finish(&mut self, id: TxnId, mut free: impl FnMut(TxnId, W)) {
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

    /// Puts a command behind the intents on `key`, which [`Ledger::blocks`] it. If it touches other keys as well, it waits
    /// on this one first.
    pub fn wait(&mut self, key: &[u8], waiter: W) {
        let behind = self.records.keys().next_back().copied().unwrap_or(TxnId(0));
        let waiting = Waiting { behind, waiter };
        match self.keys.get_mut(key) {
            // Nobody overtakes those that came before on the same key.
            Some(queue) if self.shard.is_empty() || !queue.waiting.is_empty() => queue.waiting.push_back(waiting),
            _ => self.waiting_for_shard.push_back(waiting),
        }
    }

    /// Whether a command that was freed, and had come when `behind` was the highest number, must still wait for a
    /// transaction on `key`: one that was there before it, or one that has begun and holds the key.
    pub fn detains(&self, key: &[u8], write: bool, behind: TxnId) -> bool {
        self.shard.range(..=behind).next().is_some() || self.holder(key, write, behind).is_some()
    }

    /// Puts a command that was freed behind what still [`Ledger::detains`] it on `key`.
    pub fn wait_on(&mut self, key: &[u8], write: bool, behind: TxnId, waiter: W) {
        let holder = self.holder(key, write, behind);
        match (holder, self.keys.get_mut(key)) {
            (Some(holder), Some(queue)) => {
                queue.waiting.push_back(Waiting { behind: behind.max(holder), waiter });
            }
            _ => self.waiting_for_shard.push_back(Waiting { behind, waiter }),
        }
    }

    /// The last transaction on `key` that conflicts with a command, and was there before it or has begun.
    fn holder(&self, key: &[u8], write: bool, behind: TxnId) -> Option<TxnId> {
        let queue = self.keys.get(key)?;
        let mut conflicting = queue.transactions.iter().rev().filter(|(_, exclusive)| **exclusive || write);
        conflicting
            .map(|(id, _)| *id)
            .find(|id| *id <= behind || self.records.get(id).is_some_and(|record| record.begun))
    }
}

/// Frees the waiters whose transactions are all below `lowest`, the lowest that is left.
fn release<W>(waiting: &mut VecDeque<Waiting<W>>, lowest: Option<TxnId>, free: &mut impl FnMut(TxnId, W)) {
    while waiting.front().is_some_and(|first| lowest.is_none_or(|lowest| first.behind < lowest)) {
        if let Some(first) = waiting.pop_front() {
            free(first.behind, first.waiter);
        }
    }
}

//! A table for tests: entries by key, driven like the real one.

use std::collections::HashMap;

use crate::base::Rng;
use crate::keyspace::policy::{EntryState, Evicted, HITS_MAX, Item, Residents, S3Fifo};

/// The item of a key. No two keys share one.
pub(super) fn item(key: u64) -> Item {
    let bits = key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 24;
    Item { prefix: (bits >> 8) as u32, tag: bits as u8 }
}

/// The entries, each with its generation: what is evicted or rewritten must be the entry that is there now.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) by_item: HashMap<Item, EntryState>,
    pub(super) evicted: Vec<Item>,
}

impl Residents for Entries {
    type Handle = Item;

    fn find(&self, item: Item) -> Option<Item> {
        self.by_item.contains_key(&item).then_some(item)
    }

    fn warm(&self, _: &[Item]) {}

    fn state(&self, at: Item) -> EntryState {
        self.by_item[&at]
    }

    fn set_state(&mut self, at: Item, hits: u8, in_main: bool, mark: bool) {
        assert!(hits <= HITS_MAX);
        let entry = self.by_item.get_mut(&at).expect("the policy found it");
        (entry.hits, entry.in_main, entry.mark) = (hits, in_main, mark);
    }

    fn evict(&mut self, item: Item, at: Item) {
        assert_eq!(item, at);
        self.by_item.remove(&at).expect("the policy found it");
        self.evicted.push(item);
    }
}

/// Entries and policy together.
pub(super) struct Table {
    pub(super) entries: Entries,
    pub(super) policy: S3Fifo,
    pub(super) rng: Rng,
}

impl Table {
    pub(super) fn new(seed: u64) -> Self {
        Self { entries: Entries::default(), policy: S3Fifo::new(), rng: Rng::with_seed(seed) }
    }

    /// Whether `key` is there; counts the hit.
    pub(super) fn read(&mut self, key: u64) -> bool {
        let entry = self.entries.by_item.get_mut(&item(key));
        entry.map(|entry| entry.hits = (entry.hits + 1).min(HITS_MAX)).is_some()
    }

    /// Writes `key`, which may be there.
    pub(super) fn write(&mut self, key: u64, charge: usize) {
        if let Some(entry) = self.entries.by_item.get_mut(&item(key)) {
            self.policy.recharge(entry.in_main, entry.charge, charge);
            entry.charge = charge;
            return;
        }
        let in_main = self.policy.admit(item(key), charge, &mut self.rng);
        let mark = self.policy.fresh_mark(in_main);
        self.entries.by_item.insert(item(key), EntryState { hits: 0, in_main, mark, is_due: false, charge });
    }

    pub(super) fn delete(&mut self, key: u64) -> bool {
        let entry = self.entries.by_item.remove(&item(key));
        entry.inspect(|entry| self.policy.removed(entry.in_main, entry.charge)).is_some()
    }

    pub(super) fn evict_one(&mut self, steps: usize) -> Evicted {
        self.policy.evict_one(&mut self.entries, &mut self.rng, steps)
    }

    pub(super) fn prune(&mut self, chunks: usize) -> bool {
        self.policy.prune(&mut self.entries, chunks)
    }

    /// One request of a cache of `capacity` bytes: true for a hit; a miss is followed by a write.
    pub(super) fn request(&mut self, key: u64, charge: usize, capacity: usize) -> bool {
        if self.read(key) {
            return true;
        }
        while self.policy.charged_bytes() + charge > capacity {
            assert_ne!(self.evict_one(16), Evicted::Nothing);
        }
        self.write(key, charge);
        false
    }

    /// The policy's account is that of the entries.
    pub(super) fn check(&self) {
        let mut account = [(0, 0); 2];
        for entry in self.entries.by_item.values() {
            let (live, bytes) = &mut account[usize::from(entry.in_main)];
            *live += 1;
            *bytes += entry.charge;
        }
        assert_eq!(self.policy.account(), account);
        assert_eq!(self.policy.len(), self.entries.by_item.len());
    }
}

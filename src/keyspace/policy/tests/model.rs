//! Size-aware S3-FIFO as one would write it on a whiteboard: keys in lists, an exact ghost weighed in bytes.

use std::collections::{HashMap, VecDeque};

use crate::base::Rng;

struct Object {
    hits: u32,
    charge: usize,
}

/// Keys in order, with their bytes.
#[derive(Default)]
struct List {
    keys: VecDeque<u64>,
    bytes: usize,
}

/// A cache of `capacity` bytes.
pub(super) struct Model {
    capacity: usize,
    objects: HashMap<u64, Object>,
    small: List,
    main: List,
    /// Drops by number, oldest first, and the number of the drop that counts for a key.
    ghost: VecDeque<(u64, u64)>,
    dropped: HashMap<u64, (u64, usize)>,
    dropped_bytes: usize,
    drops: u64,
    rng: Rng,
}

impl Model {
    pub(super) fn new(capacity: usize, seed: u64) -> Self {
        Self {
            capacity,
            objects: HashMap::new(),
            small: List::default(),
            main: List::default(),
            ghost: VecDeque::new(),
            dropped: HashMap::new(),
            dropped_bytes: 0,
            drops: 0,
            rng: Rng::with_seed(seed),
        }
    }

    fn bytes(&self) -> usize {
        self.small.bytes + self.main.bytes
    }

    /// min(1, weight x q) of the rule, as an outcome.
    fn luck(&mut self, weight: u32, charge: usize) -> bool {
        let q = self.bytes() as f64 / self.objects.len() as f64 / charge as f64;
        f64::from(weight) * q >= 1.0 || self.rng.f64() < f64::from(weight) * q
    }

    fn evict(&mut self) {
        let from_small = self.main.keys.is_empty() || self.small.bytes * 10 >= self.bytes();
        let list = if from_small { &mut self.small } else { &mut self.main };
        let key = list.keys.pop_front().expect("the list has bytes");
        let (hits, charge) = (self.objects[&key].hits, self.objects[&key].charge);
        if hits > 0 && self.luck(hits, charge) {
            self.objects.get_mut(&key).expect("it is resident").hits = if from_small { 0 } else { hits - 1 };
            self.main.keys.push_back(key);
            if from_small {
                self.small.bytes -= charge;
                self.main.bytes += charge;
            }
            return;
        }
        self.objects.remove(&key);
        if !from_small {
            self.main.bytes -= charge;
            return;
        }
        self.small.bytes -= charge;
        self.drops += 1;
        self.dropped_bytes += charge;
        self.dropped.insert(key, (self.drops, charge));
        self.ghost.push_back((key, self.drops));
        while self.dropped_bytes * 10 > self.bytes() * 9 {
            let (key, drop) = self.ghost.pop_front().expect("the ghost has bytes");
            if self.dropped.get(&key).is_some_and(|(counts, _)| *counts == drop) {
                self.dropped_bytes -= self.dropped.remove(&key).map_or(0, |(_, charge)| charge);
            }
        }
    }

    /// One request: true for a hit; a miss is followed by a write.
    pub(super) fn request(&mut self, key: u64, charge: usize) -> bool {
        if let Some(object) = self.objects.get_mut(&key) {
            object.hits = 3.min(object.hits + 1);
            return true;
        }
        while self.bytes() + charge > self.capacity {
            self.evict();
        }
        let dropped = self.dropped.remove(&key);
        self.dropped_bytes -= dropped.map_or(0, |(_, charge)| charge);
        let list = if dropped.is_some() && self.luck(2, charge) { &mut self.main } else { &mut self.small };
        list.keys.push_back(key);
        list.bytes += charge;
        self.objects.insert(key, Object { hits: 0, charge });
        false
    }
}

//! The names of one kind and who is subscribed to each.

use std::collections::{BTreeSet, HashMap};

use slab::Slab;

use super::Name;
use crate::base::{ConnId, CoreId, KeyHasher};

/// Places that an empty roll keeps.
const PLACES_KEPT: usize = 64;

/// One name.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Name,
    /// Subscribers of this core, in an order that a replayed run repeats.
    pub(super) here: BTreeSet<ConnId>,
    /// How many subscribers other cores have; none is named that has none.
    pub(super) elsewhere: Vec<(CoreId, u32)>,
}

impl Entry {
    /// Subscribers that this core knows of.
    pub(super) fn subscribers(&self) -> u64 {
        let elsewhere: u64 = self.elsewhere.iter().map(|(_, count)| u64::from(*count)).sum();
        self.here.len() as u64 + elsewhere
    }

    fn is_empty(&self) -> bool {
        self.here.is_empty() && self.elsewhere.is_empty()
    }
}

/// Names are found by their hash, and have places that stay, so that a walk over them can be interrupted.
#[derive(Debug)]
pub(super) struct Roll {
    places: HashMap<Name, usize, KeyHasher>,
    entries: Slab<Entry>,
}

impl Roll {
    pub(super) fn new(hasher: KeyHasher) -> Self {
        Self { places: HashMap::with_hasher(hasher), entries: Slab::new() }
    }

    pub(super) fn get(&self, name: &[u8]) -> Option<&Entry> {
        self.places.get(name).map(|place| &self.entries[*place])
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|(_, entry)| entry)
    }

    /// The names in `count` places from `start` on, and where to go on, if there are more places.
    pub(super) fn range(&self, start: usize, count: usize) -> (impl Iterator<Item = &Name>, Option<usize>) {
        let end = start.saturating_add(count);
        let next = (end < self.entries.capacity()).then_some(end);
        ((start..end).filter_map(|place| self.entries.get(place)).map(|entry| &entry.name), next)
    }

    /// Changes the entry of a name. True if the name was not listed before.
    pub(super) fn add(&mut self, name: &Name, change: impl FnOnce(&mut Entry)) -> bool {
        if let Some(place) = self.places.get(name) {
            change(&mut self.entries[*place]);
            return false;
        }
        let mut entry = Entry { name: Name::clone(name), here: BTreeSet::new(), elsewhere: Vec::new() };
        change(&mut entry);
        self.places.insert(Name::clone(name), self.entries.insert(entry));
        true
    }

    /// Changes the entry of a name, if it is listed. True if nobody is left in it, and it is gone.
    pub(super) fn remove(&mut self, name: &[u8], change: impl FnOnce(&mut Entry)) -> bool {
        let Some(place) = self.places.get(name).copied() else { return false };
        change(&mut self.entries[place]);
        let is_empty = self.entries[place].is_empty();
        if is_empty {
            self.places.remove(name);
            self.entries.remove(place);
            self.shrink();
        }
        is_empty
    }

    /// Gives back the memory of many names once the last of them is gone.
    fn shrink(&mut self) {
        if self.entries.is_empty() && self.entries.capacity() > PLACES_KEPT {
            self.entries = Slab::new();
            self.places.shrink_to(0);
        }
    }
}

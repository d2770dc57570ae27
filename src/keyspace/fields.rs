//! Which hashes have fields that fall due, and when the first of each does.
//!
//! The timing wheel knows blocks of keys; deadlines of fields are rare, and a hash says itself which of its fields is next.
//! So a database keeps one ordered index with an item for each hash that has any, which follows the hash wherever it is
//! stored, changed or dropped, because it is kept by those who do that with objects.

use std::collections::BTreeMap;

use super::value::allocation;

/// What an item takes beside its key: four words in a node that is two thirds full.
const ITEM_BYTES: usize = 48;
const NEVER_MS: u64 = u64::MAX;

/// Hashes in the order of their next deadlines.
#[derive(Debug)]
pub(super) struct FieldDeadlines {
    /// From the deadline (milliseconds since 1970) and the number of the object to the key.
    order: BTreeMap<(u64, usize), Box<[u8]>>,
    /// The first deadline of all.
    first_ms: u64,
    used_bytes: usize,
}

impl FieldDeadlines {
    pub(super) fn new() -> Self {
        Self { order: BTreeMap::new(), first_ms: NEVER_MS, used_bytes: 0 }
    }

    /// Whether any field is due.
    #[inline(always)]
    pub(super) fn has_due(&self, now_ms: u64) -> bool {
        self.first_ms < now_ms
    }

    /// The first deadline of all, if there is any.
    pub(super) fn first_ms(&self) -> Option<u64> {
        (self.first_ms != NEVER_MS).then_some(self.first_ms)
    }

    /// A key whose hash has a field that is due.
    pub(super) fn first_due(&self, now_ms: u64) -> Option<Box<[u8]>> {
        if self.has_due(now_ms) { self.order.first_key_value().map(|(_, key)| key.clone()) } else { None }
    }

    /// Takes note of the hash in an object: its next deadline was `before` and is `after`.
    #[inline]
    pub(super) fn changed(
        &mut self,
        object: usize,
        before: Option<u64>,
        after: Option<u64>,
        key: impl FnOnce() -> Box<[u8]>,
    ) {
        if before != after {
            self.replace(object, before, after, key);
        }
    }

    #[cold]
    fn replace(&mut self, object: usize, before: Option<u64>, after: Option<u64>, key: impl FnOnce() -> Box<[u8]>) {
        let old = before.and_then(|unix_ms| self.order.remove(&(unix_ms, object)));
        if let Some(key) = &old {
            self.used_bytes -= ITEM_BYTES + allocation(key.len());
        }
        if let Some(unix_ms) = after {
            let key = old.unwrap_or_else(key);
            self.used_bytes += ITEM_BYTES + allocation(key.len());
            self.order.insert((unix_ms, object), key);
        }
        self.first_ms = self.order.first_key_value().map_or(NEVER_MS, |((unix_ms, _), _)| *unix_ms);
    }

    /// Bytes of memory.
    #[inline]
    pub(super) fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    /// All items: deadline, object, key.
    #[cfg(test)]
    pub(super) fn items(&self) -> Vec<(u64, usize, Vec<u8>)> {
        self.order.iter().map(|((unix_ms, object), key)| (*unix_ms, *object, key.to_vec())).collect()
    }
}

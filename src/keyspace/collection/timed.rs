//! Hashes some of whose fields have deadlines.
//!
//! The fields lie as in any other hash; beside them stand the deadlines, by field and in the order of time. A field that is
//! due is not seen any more and is removed soon: some fields whenever the hash is looked at, the others by the shard's sweep.

use std::collections::BTreeSet;

use super::Shapes;
use super::hash::{Hash, HashRef};
use super::map::Map;
use super::pack::{Bare, Digits, Element};
use crate::keyspace::value::allocation;

/// What a place in the order takes beside the field: two words and a length in a node that is two thirds full.
const PLACE_BYTES: usize = 36;

/// A hash with deadlines of fields.
#[derive(Clone, Debug)]
pub struct Timed {
    /// Without deadlines of its own.
    fields: Hash,
    /// Field to deadline.
    deadlines: Map,
    /// Deadlines with their fields.
    order: BTreeSet<(u64, Box<[u8]>)>,
    /// Of all places in the order.
    order_bytes: usize,
    /// Until when what has fallen due is not seen, in milliseconds since 1970.
    seen_ms: u64,
}

fn place_bytes(field: &[u8]) -> usize {
    PLACE_BYTES + allocation(field.len())
}

impl Timed {
    /// The hash without any deadline yet; for the seed see [`Map::new`].
    pub(super) fn new(fields: Hash, seed: u64) -> Self {
        Self { fields, deadlines: Map::new(2, seed), order: BTreeSet::new(), order_bytes: 0, seen_ms: 0 }
    }

    /// All fields, those that are due too.
    #[inline]
    pub(super) fn fields(&self) -> HashRef<'_> {
        self.fields.as_ref()
    }

    /// The fields, which leaves none behind.
    pub(super) fn take_fields(&mut self) -> Hash {
        std::mem::take(&mut self.fields)
    }

    /// The deadline of a field, due or not.
    pub(super) fn deadline(&self, field: &[u8]) -> Option<u64> {
        match self.deadlines.get(field) {
            Some(Element::Int(unix_ms)) => u64::try_from(unix_ms).ok(),
            _ => None,
        }
    }

    /// When the next field falls due.
    #[inline]
    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.order.first().map(|(unix_ms, _)| *unix_ms)
    }

    /// Whether any field is due that was not removed yet.
    #[inline]
    pub(super) fn has_due(&self) -> bool {
        self.next_deadline().is_some_and(|unix_ms| unix_ms < self.seen_ms)
    }

    /// Fields that are due and were not removed yet.
    pub(super) fn due_len(&self) -> usize {
        self.order.iter().take_while(|(unix_ms, _)| *unix_ms < self.seen_ms).count()
    }

    /// Whether a field is due.
    #[inline]
    pub(super) fn is_due(&self, field: &[u8]) -> bool {
        self.has_due() && self.deadline(field).is_some_and(|unix_ms| unix_ms < self.seen_ms)
    }

    /// Whether a field is not due.
    pub(super) fn is_live(&self, field: Element<'_>) -> bool {
        !self.is_due(field.bytes(&mut Digits::new()))
    }

    pub(super) fn set(&mut self, field: &[u8], value: &[u8], shapes: &Shapes) -> bool {
        let was_due = self.is_due(field);
        self.persist(field);
        self.fields.set(field, value, shapes) || was_due
    }

    pub(super) fn replace(&mut self, field: &[u8], value: &[u8], shapes: &Shapes) -> bool {
        self.fields.set(field, value, shapes)
    }

    pub(super) fn remove(&mut self, field: &[u8]) -> bool {
        let was_due = self.is_due(field);
        self.persist(field);
        self.fields.remove(field) && !was_due
    }

    pub(super) fn set_deadline(&mut self, field: &[u8], unix_ms: u64) {
        self.persist(field);
        let mut written = Vec::new();
        Bare::push_int(&mut written, i64::try_from(unix_ms).unwrap_or(i64::MAX));
        self.deadlines.insert(field, &written);
        self.order.insert((unix_ms, field.into()));
        self.order_bytes += place_bytes(field);
    }

    pub(super) fn persist(&mut self, field: &[u8]) -> bool {
        let Some(unix_ms) = self.deadline(field) else { return false };
        self.deadlines.remove(field);
        self.order.remove(&(unix_ms, Box::from(field)));
        self.order_bytes -= place_bytes(field);
        true
    }

    pub(super) fn expire(&mut self, now_ms: u64, count: usize) -> usize {
        self.seen_ms = self.seen_ms.max(now_ms);
        let mut removed = 0;
        while removed < count
            && self.has_due()
            && let Some((_, field)) = self.order.pop_first()
        {
            self.order_bytes -= place_bytes(&field);
            self.deadlines.remove(&field);
            self.fields.remove(&field);
            removed += 1;
        }
        removed
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.fields.heap_bytes() + self.deadlines.heap_bytes() + self.order_bytes
    }

    pub(super) fn drop_some(&mut self, bytes: usize) -> bool {
        let end = self.order_bytes.saturating_sub(bytes.max(1));
        if self.order_bytes > 0 {
            while self.order_bytes > end
                && let Some((_, field)) = self.order.pop_last()
            {
                self.order_bytes -= place_bytes(&field);
            }
            return true;
        }
        self.deadlines.drop_some(bytes) || self.fields.drop_some(bytes)
    }
}

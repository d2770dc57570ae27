//! Members with scores that were copied from their collections: what a union, an intersection or a range comes to.

use crate::keyspace::collection::pack::{Digits, Element};
use crate::keyspace::collection::{Collection, ZSet};
use crate::keyspace::{Event, Keys};

/// Members with scores, their bytes one behind the other.
#[derive(Default)]
pub(super) struct Members {
    bytes: Vec<u8>,
    items: Vec<Item>,
}

struct Item {
    start: usize,
    len: usize,
    score: f64,
}

impl Item {
    fn member<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        &bytes[self.start..self.start + self.len]
    }
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn push(&mut self, member: Element<'_>, score: f64) {
        let mut digits = Digits::new();
        let member = member.bytes(&mut digits);
        self.items.push(Item { start: self.bytes.len(), len: member.len(), score });
        self.bytes.extend_from_slice(member);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&[u8], f64)> + Clone {
        self.items.iter().map(|item| (item.member(&self.bytes), item.score))
    }

    /// Makes one of equal members; `join` makes one of their scores, in the order in which they came.
    pub(super) fn join(&mut self, join: impl Fn(f64, f64) -> f64) {
        let bytes = &self.bytes;
        self.items.sort_by(|a, b| a.member(bytes).cmp(b.member(bytes)));
        self.items.dedup_by(|next, first| {
            let is_same = next.member(bytes) == first.member(bytes);
            if is_same {
                first.score = join(first.score, next.score);
            }
            is_same
        });
    }

    /// Puts members in the order of a sorted set.
    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes;
        self.items.sort_unstable_by(|a, b| {
            // No score is NaN, and both zeros are equal.
            a.score
                .partial_cmp(&b.score)
                .unwrap_or(std::cmp::Ordering::Equal)
                .then_with(|| a.member(bytes).cmp(b.member(bytes)))
        });
    }

    /// Makes a sorted set of the members, which are in order, whatever was there, which is `event`; the key goes if there
    /// are none.
    pub(super) fn store(&self, keys: &mut Keys<'_>, key: &[u8], event: Event) {
        let zset = ZSet::ordered(self.iter(), keys.shapes());
        keys.set_collection(key, Collection::ZSet(zset), event);
    }
}

//! A leaf of a sequence: a pack with room at its front as well as behind it.
//!
//! ```text
//! [ gap ][ element ][ element ][ element ] ... [ room ]
//! ```
//!
//! Lists grow and shrink at either end. Without the gap, whatever is put in or taken out at the front would move the whole
//! leaf; with it, a leaf moves once for every sixteenth part that it grows or shrinks by, at either end.

use std::ops::{Deref, Range};

use super::Shape;
use crate::keyspace::collection::pack::{replace, room};

/// Part of a leaf by which it grows: moved seldom enough, and little memory that is unused.
const SLACK: usize = 16;

/// The pack, to be read as a slice.
#[derive(Debug, Default)]
pub(super) struct Leaf {
    /// The gap and the pack.
    bytes: Vec<u8>,
    gap: usize,
}

impl Deref for Leaf {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes[self.gap..]
    }
}

impl From<Vec<u8>> for Leaf {
    fn from(bytes: Vec<u8>) -> Self {
        Self { bytes, gap: 0 }
    }
}

impl Leaf {
    /// A leaf of one item, with no room for more.
    pub(super) fn single(item: &[u8]) -> Self {
        Self::with_capacity(room(item.len()), item)
    }

    fn with_capacity(capacity: usize, pack: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(capacity);
        bytes.extend_from_slice(pack);
        Self::from(bytes)
    }

    /// Bytes of the allocation.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// What is allocated, for dropping it.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Puts an item in place of a range of the pack.
    pub(super) fn replace(&mut self, range: Range<usize>, item: &[u8], shape: &Shape) {
        if range.start == 0 {
            // At the front the gap takes up the difference.
            if range.is_empty() && self.gap < item.len() {
                self.widen_gap(item.len(), shape);
            }
            if let Some(gap) = (self.gap + range.end).checked_sub(item.len()) {
                self.gap = gap;
                self.bytes[gap..][..item.len()].copy_from_slice(item);
                return;
            }
        }
        self.grow(item.len().saturating_sub(range.len()), shape);
        replace(&mut self.bytes, self.gap + range.start..self.gap + range.end, item);
    }

    /// Takes a range out of the pack, and gives back room that is not needed any more.
    pub(super) fn remove(&mut self, range: Range<usize>) {
        if range.start == 0 {
            self.gap += range.end;
        } else {
            self.bytes.drain(self.gap + range.start..self.gap + range.end);
        }
        self.trim();
    }

    /// Puts another pack behind this one.
    pub(super) fn append(&mut self, pack: &[u8], shape: &Shape) {
        self.grow(pack.len(), shape);
        self.bytes.extend_from_slice(pack);
    }

    /// Splits off what lies behind the place `at`.
    pub(super) fn split_off(&mut self, at: usize) -> Self {
        let rest = &self[at..];
        let right = Self::with_capacity(with_slack(rest.len()), rest);
        self.bytes.truncate(self.gap + at);
        self.close_gap();
        self.bytes.shrink_to(with_slack(at));
        right
    }

    /// Gives back room that is more than twice what the leaf grows by.
    pub(super) fn trim(&mut self) {
        let (len, size) = (self.len(), with_slack(self.len()));
        if self.bytes.capacity() > size + len / SLACK + 32 {
            self.close_gap();
            self.bytes.shrink_to(size);
        }
    }

    /// Makes room for `more` bytes behind the front.
    fn grow(&mut self, more: usize, shape: &Shape) {
        if self.bytes.len() + more > self.bytes.capacity() {
            self.close_gap();
            self.reserve(more, shape);
        }
    }

    /// Makes the gap at least `more` bytes wide, and half of the room that there is if that is more: the leaf may grow at
    /// its other end as well.
    fn widen_gap(&mut self, more: usize, shape: &Shape) {
        self.close_gap();
        self.reserve(more, shape);
        let len = self.bytes.len();
        self.gap = more.max((self.bytes.capacity() - len) / 2);
        self.bytes.resize(len + self.gap, 0);
        self.bytes.copy_within(..len, self.gap);
    }

    /// Makes the allocation large enough for `more` bytes; there is no gap.
    fn reserve(&mut self, more: usize, shape: &Shape) {
        let needed = self.bytes.len() + more;
        if needed > self.bytes.capacity() {
            let size = with_slack(needed).min(room(shape.leaf_bytes)).max(needed);
            self.bytes.reserve_exact(size - self.bytes.len());
        }
    }

    fn close_gap(&mut self) {
        self.bytes.drain(..std::mem::take(&mut self.gap));
    }
}

/// The size of a leaf of `len` bytes that may grow.
fn with_slack(len: usize) -> usize {
    room(len + len / SLACK)
}

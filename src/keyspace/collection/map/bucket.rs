//! A bucket of a map: the pack of its items, and behind it a row with one tag of the hash of each.
//!
//! ```text
//! [ items: a pack ][ 0..127 bytes unused ][ tag n-1 ] .. [ tag 1 ][ tag 0 ][ n and unused 4 ]
//! ```
//!
//! The row is searched before the pack is walked. It lies at the end and grows toward the front, so an item is added
//! without moving what is there. An empty bucket has no allocation; any other is as large as the allocator's next size,
//! so that it moves only now and then.

use std::ops::Range;

use crate::keyspace::collection::pack::{Bare, Item, Needle, room};
use crate::keyspace::value::allocation;

/// Bytes of the word at the end.
const WORD_BYTES: usize = 4;
/// Bits of the word that say how many bytes are unused.
const UNUSED_BITS: u32 = 7;

#[derive(Clone, Debug, Default)]
pub(super) struct Bucket(Box<[u8]>);

/// An item of a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    /// How many items are in front of it.
    pub(super) index: usize,
    /// Where it begins in the pack.
    pub(super) at: usize,
}

impl Bucket {
    /// A bucket of the items of `pack`, with their tags in the same order.
    fn new(pack: &[u8], tags: &[u8]) -> Self {
        let mut bucket = Self::default();
        if !tags.is_empty() {
            bucket.resize(pack.len(), tags.len());
            bucket.0[..pack.len()].copy_from_slice(pack);
            let end = bucket.0.len() - WORD_BYTES;
            bucket.0[end - tags.len()..end].iter_mut().rev().zip(tags).for_each(|(to, tag)| *to = *tag);
        }
        bucket
    }

    #[inline]
    fn word(&self) -> u32 {
        self.0.last_chunk().map_or(0, |word| u32::from_le_bytes(*word))
    }

    /// Items.
    #[inline]
    pub(super) fn count(&self) -> usize {
        (self.word() >> UNUSED_BITS) as usize
    }

    /// Bytes of all items.
    #[inline]
    pub(super) fn used(&self) -> usize {
        let word = self.word();
        let unused = (word & ((1 << UNUSED_BITS) - 1)) as usize;
        self.0.len().saturating_sub(WORD_BYTES + (word >> UNUSED_BITS) as usize + unused)
    }

    /// Bytes on the heap.
    #[inline]
    pub(super) fn heap_bytes(&self) -> usize {
        allocation(self.0.len())
    }

    /// The items.
    #[inline]
    pub(super) fn pack(&self) -> Bare<'_> {
        Bare::new(&self.0[..self.used()])
    }

    /// The tags, the last item's first.
    #[inline]
    fn tags(&self) -> &[u8] {
        let end = self.0.len().saturating_sub(WORD_BYTES);
        &self.0[end - self.count()..end]
    }

    /// Tags and places of all items.
    pub(super) fn places(&self, width: usize) -> impl Iterator<Item = (u8, usize)> {
        let (pack, mut at) = (self.pack(), 0);
        self.tags().iter().rev().map(move |tag| {
            let here = at;
            at = pack.skip(at, width);
            (*tag, here)
        })
    }

    /// All items.
    pub(super) fn items(&self, width: usize) -> impl Iterator<Item = Item<'_>> {
        self.places(width).map(move |(_, at)| self.pack().item(at, width))
    }

    /// The item whose first element is `needle`.
    #[inline]
    pub(super) fn find(&self, tag: u8, needle: &Needle<'_>, width: usize) -> Option<Place> {
        let (pack, tags) = (self.pack(), self.tags());
        let mut place = Place { index: 0, at: 0 };
        for found in memchr::memrchr_iter(tag, tags) {
            let index = tags.len() - 1 - found;
            place = Place { index, at: pack.skip(place.at, (index - place.index) * width) };
            if pack.matches(place.at, needle) {
                return Some(place);
            }
        }
        None
    }

    /// Adds an item; answers its `len` bytes for the caller to write the elements into.
    pub(super) fn push(&mut self, tag: u8, len: usize) -> &mut [u8] {
        let (used, count) = (self.used(), self.count());
        self.resize(used + len, count + 1);
        let end = self.0.len() - WORD_BYTES;
        self.0[end - count - 1] = tag;
        &mut self.0[used..used + len]
    }

    /// Puts `new` in place of the bytes `range` of the pack.
    pub(super) fn replace(&mut self, range: Range<usize>, new: &[u8]) {
        let (used, count) = (self.used(), self.count());
        let now = used - range.len() + new.len();
        let behind = range.start + new.len();
        // What follows moves while there is room for it: after growing, before shrinking.
        if now > used {
            self.resize(now, count);
        }
        self.0.copy_within(range.end..used, behind);
        self.0[range.start..behind].copy_from_slice(new);
        if now < used {
            self.resize(now, count);
        }
    }

    /// Removes the item number `index`, which takes the bytes `range`.
    pub(super) fn remove(&mut self, index: usize, range: Range<usize>) {
        let (used, count) = (self.used(), self.count());
        if count == 1 {
            self.0 = Box::default();
            return;
        }
        self.0.copy_within(range.end..used, range.start);
        let end = self.0.len() - WORD_BYTES;
        self.0.copy_within(end - count..end - 1 - index, end - count + 1);
        self.resize(used - range.len(), count - 1);
    }

    /// Splits off the items whose first element satisfies `goes`.
    pub(super) fn split_off(&mut self, width: usize, goes: impl Fn(&[u8]) -> bool) -> Self {
        let pack = self.pack();
        let mut parts = [(Vec::with_capacity(pack.bytes().len()), Vec::new()), (Vec::new(), Vec::new())];
        for (tag, at) in self.places(width) {
            let (bytes, tags) = &mut parts[usize::from(goes(pack.hashed(at)))];
            bytes.extend_from_slice(&pack.bytes()[at..pack.skip(at, width)]);
            tags.push(tag);
        }
        let [stay, go] = parts.map(|(bytes, tags)| Self::new(&bytes, &tags));
        *self = stay;
        go
    }

    /// Takes over all items of `other`.
    pub(super) fn append(&mut self, other: Self) {
        if other.count() == 0 {
            return;
        }
        let (used, count) = (self.used(), self.count());
        let pack = other.pack().bytes();
        self.resize(used + pack.len(), count + other.count());
        self.0[used..used + pack.len()].copy_from_slice(pack);
        let row = self.0.len() - WORD_BYTES - count;
        self.0[row - other.count()..row].copy_from_slice(other.tags());
    }

    /// Cuts `bytes` bytes from the end, or all of it: a very large bucket is dropped piece by piece. What is left
    /// counts no items and must not be used.
    pub(super) fn cut(&mut self, bytes: usize) {
        let mut rest = std::mem::take(&mut self.0).into_vec();
        rest.truncate(rest.len().saturating_sub(bytes));
        rest.shrink_to_fit();
        self.0 = rest.into_boxed_slice();
        if let Some(word) = self.0.last_chunk_mut() {
            *word = [0; WORD_BYTES];
        }
    }

    /// Makes room for `count` items of `used` bytes. The tags stay at the end; what lies behind the new `used` is lost.
    fn resize(&mut self, used: usize, count: usize) {
        let (len, needed) = (self.0.len(), used + count + WORD_BYTES);
        let tail = len.min(WORD_BYTES + count.min(self.count()));
        let keeps = (needed..needed + (1 << UNUSED_BITS)).contains(&len) && allocation(len) == allocation(needed);
        if !keeps {
            // What the word cannot say is no room.
            let now = room(needed).min(needed + (1 << UNUSED_BITS) - 1);
            let mut bytes = std::mem::take(&mut self.0).into_vec();
            if now > len {
                bytes.reserve_exact(now - len);
                bytes.resize(now, 0);
            }
            bytes.copy_within(len - tail..len, now - tail);
            bytes.truncate(now);
            self.0 = bytes.into_boxed_slice();
        }
        let word = ((count as u32) << UNUSED_BITS) | (self.0.len() - needed) as u32;
        if let Some(end) = self.0.last_chunk_mut() {
            *end = word.to_le_bytes();
        }
    }
}

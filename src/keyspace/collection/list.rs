//! Lists of strings.
//!
//! A small list is a pack with the number of its elements in front, so that neither end and no length needs a walk; a large
//! one is a [`Sequence`] of packs.
//!
//! ```text
//! compact   [ elements 2 ][ element ][ element ] ...        no bytes at all if there is none
//! ```
//!
//! How much is small counts as in Redis, whose packs are written a little differently: in the bytes that the elements
//! would take there. A large list is small again when it has shrunk to half of that, so that one that grows and shrinks
//! by an element is not rewritten each time.

mod iter;
mod limit;
#[cfg(test)]
mod tests;

pub use iter::{Iter, IterBack};

use super::pack::{Element, Needle, Pack, replace};
use super::sequence::{Offcut, Sequence, Shape};
use super::{COMPACT_BYTES_MAX, Shapes};
use limit::Limit;

/// Bytes in front of the pack of a compact list.
const COUNT_BYTES: usize = 2;
/// Largest element that is written to the stack before it is put in.
const STACK_ELEMENT_BYTES: usize = 256;

// An element takes two bytes at least, so the number of those of a compact list fits its two bytes.
const _: () = assert!(COMPACT_BYTES_MAX / 2 <= u16::MAX as usize);

/// One of the two ends of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Where LPUSH and LPOP are at work: the front.
    Left,
    /// Where RPUSH and RPOP are at work: the back.
    Right,
}

/// A list.
#[derive(Clone, Debug)]
pub enum List {
    /// The number of elements, and the elements.
    Compact(Vec<u8>),
    /// Too many or too long for that.
    Large(Box<Sequence>),
}

/// A list where it lies.
#[derive(Clone, Copy, Debug)]
pub enum ListRef<'a> {
    /// Elements.
    Compact(Elements<'a>),
    /// A tree of packs.
    Large(&'a Sequence),
}

/// The elements of a compact list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Elements<'a> {
    count: usize,
    pack: Pack<'a>,
}

impl<'a> Elements<'a> {
    /// The elements in these bytes, which are those of a compact list.
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        match bytes.split_first_chunk::<COUNT_BYTES>() {
            Some((count, pack)) => Self { count: usize::from(u16::from_le_bytes(*count)), pack: Pack::new(pack) },
            None => Self::default(),
        }
    }

    /// Where the element number `index` begins, walking from the end that is nearer; the end of the pack if there are fewer.
    fn place(self, index: usize) -> usize {
        if index <= self.count / 2 {
            return self.pack.skip(0, index);
        }
        (0..self.count.saturating_sub(index)).fold(self.pack.bytes().len(), |at, _| self.pack.before(at))
    }
}

impl Default for List {
    fn default() -> Self {
        Self::Compact(Vec::new())
    }
}

impl Default for ListRef<'_> {
    fn default() -> Self {
        Self::Compact(Elements::default())
    }
}

impl<'a> ListRef<'a> {
    /// Elements.
    #[inline]
    pub fn len(self) -> usize {
        match self {
            ListRef::Compact(elements) => elements.count,
            ListRef::Large(sequence) => sequence.len(),
        }
    }

    /// Whether there is no element.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The list, owned.
    pub fn to_list(self) -> List {
        match self {
            ListRef::Compact(elements) if elements.count == 0 => List::default(),
            ListRef::Compact(elements) => {
                let mut bytes = (elements.count as u16).to_le_bytes().to_vec();
                bytes.extend_from_slice(elements.pack.bytes());
                List::Compact(bytes)
            }
            ListRef::Large(sequence) => List::Large(Box::new(sequence.clone())),
        }
    }

    /// The element number `index`.
    pub fn get(self, index: usize) -> Option<Element<'a>> {
        match self {
            ListRef::Compact(elements) => (index < elements.count).then(|| elements.pack.get(elements.place(index))),
            ListRef::Large(sequence) => sequence.get(index).map(|(element, _)| element),
        }
    }

    /// The element number `index` and those behind it that lie in one piece with it; empty if there is no such element.
    pub fn run(self, index: usize) -> Pack<'a> {
        match self {
            ListRef::Compact(elements) => {
                Pack::new(&elements.pack.bytes()[elements.place(index.min(elements.count))..])
            }
            ListRef::Large(sequence) => sequence.run(index),
        }
    }

    /// The elements from number `start` on.
    #[inline]
    pub fn iter(self, start: usize) -> Iter<'a> {
        match self {
            ListRef::Compact(elements) => Iter::compact(elements.pack, elements.place(start.min(elements.count))),
            ListRef::Large(sequence) => Iter::large(sequence.iter(start)),
        }
    }

    /// The elements in front of number `end`, the last of them first.
    #[inline]
    pub fn iter_back(self, end: usize) -> IterBack<'a> {
        match self {
            ListRef::Compact(elements) => IterBack::compact(elements.pack, elements.place(end.min(elements.count))),
            ListRef::Large(sequence) => IterBack::large(sequence.iter_back(end)),
        }
    }
}

impl List {
    /// The list as a reference.
    #[inline]
    pub fn as_ref(&self) -> ListRef<'_> {
        match self {
            List::Compact(bytes) => ListRef::Compact(Elements::new(bytes)),
            List::Large(sequence) => ListRef::Large(sequence),
        }
    }

    /// Elements.
    #[inline]
    pub fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// Whether there is no element.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gets ready for `count` more elements that have `bytes` bytes together: becomes large if it would be with them.
    pub fn prepare(&mut self, count: usize, bytes: usize, shapes: &Shapes) {
        if let ListRef::Compact(elements) = self.as_ref()
            && Limit::of(shapes.compact.list_size).is_exceeded(elements, count, bytes)
        {
            self.enlarge();
        }
    }

    /// Puts an element in at one end.
    #[inline]
    pub fn push(&mut self, end: End, element: &[u8]) {
        let index = if end == End::Left { 0 } else { self.len() };
        self.insert(index, element);
    }

    /// Puts an element in front of the one that is number `index`, or behind the last.
    pub fn insert(&mut self, index: usize, element: &[u8]) {
        let needle = Needle::new(element);
        if let List::Compact(bytes) = self {
            let more = needle.backed_len();
            if bytes.len().max(COUNT_BYTES) + more <= COMPACT_BYTES_MAX {
                let elements = Elements::new(bytes);
                let (count, at) = (elements.count, COUNT_BYTES + elements.place(index.min(elements.count)));
                let len = bytes.len().max(COUNT_BYTES);
                bytes.resize(len + more, 0);
                bytes.copy_within(at..len, at + more);
                needle.write_backed(&mut bytes[at..at + more]);
                set_count(bytes, count + 1);
                return;
            }
            self.enlarge();
        }
        if let List::Large(sequence) = self {
            with_written(&needle, |item| sequence.insert(index, item));
        }
    }

    /// Puts an element in place of the one that is number `index`, if it is there.
    pub fn replace(&mut self, index: usize, element: &[u8]) {
        if index >= self.len() {
            return;
        }
        let needle = Needle::new(element);
        if let List::Compact(bytes) = self {
            let elements = Elements::new(bytes);
            let old = elements.pack.range(elements.place(index));
            if bytes.len() - old.len() + needle.backed_len() <= COMPACT_BYTES_MAX {
                let old = COUNT_BYTES + old.start..COUNT_BYTES + old.end;
                return with_written(&needle, |item| replace(bytes, old, item));
            }
            self.enlarge();
        }
        if let List::Large(sequence) = self {
            with_written(&needle, |item| sequence.replace(index, item));
        }
    }

    /// Removes `count` elements from number `start` on, or as many as there are. What was cut off in whole is to be buried.
    #[must_use = "what is cut off is to be dropped in slices"]
    pub fn remove_range(&mut self, start: usize, count: usize) -> Offcut {
        match self {
            List::Compact(bytes) => {
                let elements = Elements::new(bytes);
                let start = start.min(elements.count);
                let count = count.min(elements.count - start);
                let left = elements.count - count;
                if left == 0 {
                    bytes.clear();
                } else if count > 0 {
                    let range = COUNT_BYTES + elements.place(start)..COUNT_BYTES + elements.place(start + count);
                    bytes.drain(range);
                    set_count(bytes, left);
                }
                Offcut::default()
            }
            List::Large(sequence) if count == 1 => {
                sequence.remove(start);
                Offcut::default()
            }
            List::Large(sequence) => sequence.remove_range(start, count),
        }
    }

    /// Removes the elements at one end, which are `count` or all.
    #[must_use = "what is cut off is to be dropped in slices"]
    pub fn pop(&mut self, end: End, count: usize) -> Offcut {
        let start = if end == End::Left { 0 } else { self.len().saturating_sub(count) };
        self.remove_range(start, count)
    }

    /// Removes the elements with these numbers, which are in order, upward or downward.
    #[must_use = "what is cut off is to be dropped in slices"]
    pub fn remove_all(&mut self, mut numbers: Vec<usize>) -> Offcut {
        // From the back, so that no number changes while it is still needed.
        if numbers.is_sorted() {
            numbers.reverse();
        }
        let mut offcut = Offcut::default();
        for run in numbers.chunk_by(|after, before| before + 1 == *after) {
            offcut.join(self.remove_range(run[run.len() - 1], run.len()));
        }
        offcut
    }

    /// Becomes compact if it is large and has shrunk far enough: to be called when elements have gone.
    #[inline]
    pub fn settle(&mut self, shapes: &Shapes) {
        self.compact_below(Limit::of(shapes.compact.list_size).halved());
    }

    /// Becomes compact if it is large and small enough: to be called for a list that was made anew.
    pub fn settle_anew(&mut self, shapes: &Shapes) {
        self.compact_below(Limit::of(shapes.compact.list_size));
    }

    fn compact_below(&mut self, limit: Limit) {
        if let List::Large(sequence) = self
            && let Some(compact) = Self::compacted(sequence, limit)
        {
            *self = compact;
        }
    }

    /// The compact form of a large list, if it may have one.
    fn compacted(sequence: &Sequence, limit: Limit) -> Option<Self> {
        // More than one leaf is more than half of the largest list that may lie in an entry.
        let leaf = sequence.only_leaf()?;
        let elements = Elements { count: sequence.len(), pack: Pack::new(leaf) };
        if COUNT_BYTES + leaf.len() > COMPACT_BYTES_MAX || limit.is_exceeded(elements, 0, 0) {
            return None;
        }
        Some(ListRef::Compact(elements).to_list())
    }

    fn enlarge(&mut self) {
        let List::Compact(bytes) = self else { return };
        let pack = Elements::new(bytes).pack;
        let mut sequence = Sequence::new(Shape::LIST);
        for (at, _) in pack.iter() {
            sequence.push_back(&pack.bytes()[pack.range(at)]);
        }
        *self = List::Large(Box::new(sequence));
    }
}

fn set_count(bytes: &mut [u8], count: usize) {
    bytes[..COUNT_BYTES].copy_from_slice(&(count as u16).to_le_bytes());
}

/// Gives `act` the bytes of an element.
fn with_written<T>(needle: &Needle<'_>, act: impl FnOnce(&[u8]) -> T) -> T {
    let len = needle.backed_len();
    if len <= STACK_ELEMENT_BYTES {
        let mut bytes = [0; STACK_ELEMENT_BYTES];
        needle.write_backed(&mut bytes[..len]);
        return act(&bytes[..len]);
    }
    let mut bytes = vec![0; len];
    needle.write_backed(&mut bytes);
    act(&bytes)
}

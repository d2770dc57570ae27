//! A sequence of items with fast access by position: large lists, and by score and member, sorted sets.
//!
//! It is a B+-tree whose nodes know how many items are below each child, and whose leaves are packs:
//!
//! ```text
//! root            [ 700 | 912 | 655 ]                   items and bytes below each of up to 64 children
//!                   ╱      │      ╲
//! inner nodes     ...  [ 130 | .. | 117 ]  ...
//!                        │
//! leaves               [ item item item ... ]           a pack of some kilobytes
//! ```
//!
//! There are no keys in the nodes: an order is what the caller gives to [`Sequence::partition_point`], which looks at
//! the first item of a child. A leaf is bounded in bytes and in items, because it is walked and moved; a large item
//! that would overfill a leaf gets one of its own. Leaves that are filled at the ends of the sequence stay full; others
//! split in halves, and neighbours that are together less than three quarters of one become one.
//!
//! Removing a range cuts whole subtrees off, which takes as long as the tree is high. What was cut off is an
//! [`Offcut`], to be dropped in slices.

mod iter;
mod leaf;
#[cfg(test)]
mod tests;
mod tree;

pub use iter::{Iter, IterBack};
use tree::{Child, Node};

use super::pack::{Item, Pack};
use crate::keyspace::value::allocation;
use crate::limits::BURIAL_BYTES;

/// What bounds the leaves of a sequence, and how many elements an item has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    /// Elements of an item, 1 or 2.
    pub width: usize,
    /// Bytes of a leaf that has more than one item.
    pub leaf_bytes: usize,
    /// Items of a leaf.
    pub leaf_items: usize,
}

impl Shape {
    /// Lists: mostly used at their ends, so that a leaf may take long to walk. An allocation of 8 KiB.
    pub const LIST: Self = Self { width: 1, leaf_bytes: 8 * 1024, leaf_items: 1024 };
    /// Sorted sets: every access walks half a leaf. An allocation of 1 KiB: some dozens of members.
    pub const SORTED: Self = Self { width: 2, leaf_bytes: 1024, leaf_items: 128 };
}

/// Items in an order, each of one or two elements.
#[derive(Clone, Debug)]
pub struct Sequence {
    shape: Shape,
    root: Child,
}

/// What was cut off from a sequence and is still to be dropped.
#[derive(Debug, Default)]
pub struct Offcut {
    parts: Vec<Child>,
    /// Of all parts.
    items: usize,
    heap: usize,
}

impl Sequence {
    /// An empty sequence.
    pub fn new(shape: Shape) -> Self {
        debug_assert!((1..=2).contains(&shape.width));
        Self { shape, root: Child::leaf(Vec::new(), 0) }
    }

    /// Items.
    #[inline]
    pub fn len(&self) -> usize {
        self.root.items
    }

    /// Whether there is no item.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.root.items == 0
    }

    /// Bytes on the heap, as the allocator rounds them.
    #[inline]
    pub fn heap_bytes(&self) -> usize {
        self.root.heap
    }

    /// The item number `index`.
    #[inline]
    pub fn get(&self, index: usize) -> Option<Item<'_>> {
        (index < self.len()).then(|| self.root.run(index, self.shape.width).item(0, self.shape.width))
    }

    /// The item number `index` and those behind it that lie in one piece with it; empty if there is no such item.
    pub fn run(&self, index: usize) -> Pack<'_> {
        if index < self.len() { self.root.run(index, self.shape.width) } else { Pack::default() }
    }

    /// The first item.
    #[inline]
    pub fn front(&self) -> Option<Item<'_>> {
        self.get(0)
    }

    /// The last item.
    #[inline]
    pub fn back(&self) -> Option<Item<'_>> {
        self.get(self.len().wrapping_sub(1))
    }

    /// Puts an item in front of the one that is number `index`, or behind the last; `item` is its elements as they are
    /// written.
    pub fn insert(&mut self, index: usize, item: &[u8]) {
        debug_assert_eq!(Pack::new(item).count(), self.shape.width);
        let index = index.min(self.len());
        loop {
            let (inserted, sibling) = self.root.insert(index, item, (true, true), &self.shape);
            if let Some(sibling) = sibling {
                let root = std::mem::replace(&mut self.root, Child::leaf(Vec::new(), 0));
                self.root = Child::inner(vec![root, sibling]);
            }
            if inserted {
                return;
            }
        }
    }

    /// Puts an item in front of all others.
    pub fn push_front(&mut self, item: &[u8]) {
        self.insert(0, item);
    }

    /// Puts an item behind all others.
    pub fn push_back(&mut self, item: &[u8]) {
        self.insert(self.len(), item);
    }

    /// Puts `item` in place of the item number `index`, if it is there.
    pub fn replace(&mut self, index: usize, item: &[u8]) {
        debug_assert_eq!(Pack::new(item).count(), self.shape.width);
        if index >= self.len() {
            return;
        }
        if !self.root.edit(index, Some(item), &self.shape) {
            self.remove(index);
            self.insert(index, item);
        }
        self.flatten();
    }

    /// Removes the item number `index`, if it is there.
    pub fn remove(&mut self, index: usize) {
        if index < self.len() {
            self.root.edit(index, None, &self.shape);
            self.flatten();
        }
    }

    /// Removes the first item, if there is one.
    pub fn pop_front(&mut self) {
        self.remove(0);
    }

    /// Removes the last item, if there is one.
    pub fn pop_back(&mut self) {
        self.remove(self.len().wrapping_sub(1));
    }

    /// Removes `count` items from number `start` on, or as many as there are.
    pub fn remove_range(&mut self, start: usize, count: usize) -> Offcut {
        let mut parts = Vec::new();
        let end = start.saturating_add(count).min(self.len());
        if start == 0 && 0 < end && end == self.len() {
            parts.push(std::mem::replace(&mut self.root, Child::leaf(Vec::new(), 0)));
        } else if start < end {
            self.root.cut(start..end, self.shape.width, &mut parts);
            self.root.mend(start, &self.shape);
            self.flatten();
        }
        let (items, heap) = parts.iter().fold((0, 0), |sum, part| (sum.0 + part.items, sum.1 + part.heap));
        Offcut { parts, items, heap }
    }

    /// The number of items that satisfy `before`, which must be true for those up to some place and false for the rest.
    pub fn partition_point(&self, mut before: impl FnMut(Item<'_>) -> bool) -> usize {
        self.root.partition_point(self.shape.width, &mut before)
    }

    /// The items from number `start` on.
    pub fn iter(&self, start: usize) -> Iter<'_> {
        Iter::new(&self.root, start, self.shape.width)
    }

    /// The items in front of number `end`, the last of them first.
    pub fn iter_back(&self, end: usize) -> IterBack<'_> {
        IterBack::new(&self.root, end, self.shape.width)
    }

    /// The pack of a sequence that has one leaf and no more.
    #[inline]
    pub fn only_leaf(&self) -> Option<&[u8]> {
        match &self.root.node {
            Node::Leaf(bytes) => Some(bytes),
            Node::Inner(_) => None,
        }
    }

    /// Takes levels off that do not branch.
    fn flatten(&mut self) {
        if self.is_empty() {
            self.root = Child::leaf(Vec::new(), 0);
        }
        while let Some(only) = self.root.only_child() {
            self.root = only;
        }
    }
}

impl From<Sequence> for Offcut {
    fn from(sequence: Sequence) -> Self {
        let Sequence { root, .. } = sequence;
        Self { items: root.items, heap: root.heap, parts: vec![root] }
    }
}

impl Offcut {
    /// Items in whole subtrees: all but those at the ends of the range, which are gone already.
    pub fn len(&self) -> usize {
        self.items
    }

    /// Whether all is dropped.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Bytes on the heap, as the allocator rounds them.
    pub fn heap_bytes(&self) -> usize {
        self.heap + allocation(self.parts.capacity() * size_of::<Child>())
    }

    /// Takes in what was cut off elsewhere.
    pub fn join(&mut self, other: Self) {
        self.items += other.items;
        self.heap += other.heap;
        self.parts.extend(other.parts);
    }

    /// Drops about `bytes` bytes. Whether something is left.
    pub fn drop_some(&mut self, bytes: usize) -> bool {
        let end = self.heap.saturating_sub(bytes.max(1));
        while self.heap > end || self.heap == 0 {
            let Some(part) = self.parts.pop() else { break };
            self.heap -= part.heap;
            self.items -= part.items;
            match part.node {
                Node::Inner(inner) => {
                    for child in inner.children {
                        self.heap += child.heap;
                        self.items += child.items;
                        self.parts.push(child);
                    }
                }
                Node::Leaf(leaf) if leaf.capacity() > BURIAL_BYTES => {
                    let mut rest = leaf.into_bytes();
                    rest.truncate(rest.capacity() - BURIAL_BYTES);
                    rest.shrink_to_fit();
                    let rest = Child::leaf(rest, 0);
                    self.heap += rest.heap;
                    self.parts.push(rest);
                }
                Node::Leaf(_) => {}
            }
        }
        if self.parts.is_empty() {
            self.parts = Vec::new();
        }
        !self.parts.is_empty()
    }
}

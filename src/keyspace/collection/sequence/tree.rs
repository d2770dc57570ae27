//! The nodes of a sequence, and every operation from a node downward.
//!
//! Invariants: all leaves are equally far from the root; the items and bytes of a child are those of everything below
//! it; no child but the root is empty.

use std::ops::Range;

use super::Shape;
use super::leaf::Leaf;
use crate::keyspace::collection::pack::{Item, Pack};
use crate::keyspace::value::allocation;

/// Children of an inner node.
const FANOUT: usize = 64;
/// Children that two neighbours have together when they become one.
const JOINED_CHILDREN: usize = FANOUT * 3 / 4;
/// Children for which an inner node grows.
const CHILDREN_STEP: usize = 8;

/// A node and what is below it.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) items: usize,
    /// Bytes on the heap.
    pub(super) heap: usize,
    pub(super) node: Node,
}

#[derive(Debug)]
pub(super) enum Node {
    Leaf(Leaf),
    Inner(Box<Inner>),
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) children: Vec<Child>,
}

impl Child {
    pub(super) fn leaf(leaf: impl Into<Leaf>, items: usize) -> Self {
        let leaf = leaf.into();
        Self { items, heap: allocation(leaf.capacity()), node: Node::Leaf(leaf) }
    }

    pub(super) fn inner(children: Vec<Child>) -> Self {
        let mut child = Self { items: 0, heap: 0, node: Node::Inner(Box::new(Inner { children })) };
        child.recount();
        child
    }

    /// Adds up what is below an inner node.
    fn recount(&mut self) {
        if let Node::Inner(inner) = &self.node {
            self.items = inner.children.iter().map(|child| child.items).sum();
            self.heap = inner.own_bytes() + inner.children.iter().map(|child| child.heap).sum::<usize>();
        }
    }

    /// The child of an inner node that is alone in it.
    pub(super) fn only_child(&mut self) -> Option<Child> {
        match &mut self.node {
            Node::Inner(inner) if inner.children.len() == 1 => inner.children.pop(),
            _ => None,
        }
    }

    /// The item number `index` and those behind it in the same leaf.
    pub(super) fn run(&self, index: usize, width: usize) -> Pack<'_> {
        let (mut node, mut index) = (self, index);
        loop {
            match &node.node {
                Node::Leaf(bytes) => return Pack::new(&bytes[place(bytes, node.items, index, width)..]),
                Node::Inner(inner) => {
                    let at = inner.seek(&mut index, node.items);
                    node = &inner.children[at];
                }
            }
        }
    }

    /// The first item. There must be one.
    fn first(&self, width: usize) -> Item<'_> {
        let mut node = self;
        loop {
            match &node.node {
                Node::Leaf(bytes) => return Pack::new(bytes).item(0, width),
                Node::Inner(inner) => node = &inner.children[0],
            }
        }
    }

    pub(super) fn partition_point(&self, width: usize, before: &mut impl FnMut(Item<'_>) -> bool) -> usize {
        let (mut node, mut index) = (self, 0);
        loop {
            match &node.node {
                Node::Leaf(bytes) => {
                    let (pack, mut at) = (Pack::new(bytes), 0);
                    while at < bytes.len() && before(pack.item(at, width)) {
                        at = pack.skip(at, width);
                        index += 1;
                    }
                    return index;
                }
                Node::Inner(inner) => {
                    // The first child that begins behind the place; the place is in the one in front of it.
                    let behind = inner.children[1..].partition_point(|child| before(child.first(width)));
                    index += inner.children[..behind].iter().map(|child| child.items).sum::<usize>();
                    node = &inner.children[behind];
                }
            }
        }
    }

    /// Inserts an item, or makes room for it by splitting: then it must be tried again. Answers whether the item is in,
    /// and the part of the node that was split off to the right. `ends` says whether the node is the first, and the
    /// last, of its level.
    pub(super) fn insert(
        &mut self,
        index: usize,
        item: &[u8],
        ends: (bool, bool),
        shape: &Shape,
    ) -> (bool, Option<Child>) {
        let items = self.items;
        let inner = match &mut self.node {
            Node::Leaf(_) => return self.insert_in_leaf(index, item, ends, shape),
            Node::Inner(inner) => inner,
        };
        let mut inside = index;
        let at = inner.seek_gap(&mut inside, items);
        let ends = (ends.0 && at == 0, ends.1 && at + 1 == inner.children.len());
        let child = &mut inner.children[at];
        let heap = child.heap;
        let (inserted, sibling) = child.insert(inside, item, ends, shape);
        self.items += usize::from(inserted);
        self.heap = self.heap - heap + child.heap;
        let Some(sibling) = sibling else { return (inserted, None) };
        inner.add(at + 1, sibling);
        let count = inner.children.len();
        let mut right = None;
        if count > FANOUT {
            // What grows at an end leaves full nodes behind.
            let middle = match ends {
                (_, true) => FANOUT,
                (true, _) => count - FANOUT,
                _ => count / 2,
            };
            right = Some(Self::inner(inner.children.split_off(middle)));
            inner.trim();
        }
        self.recount();
        (inserted, right)
    }

    fn insert_in_leaf(
        &mut self,
        index: usize,
        item: &[u8],
        ends: (bool, bool),
        shape: &Shape,
    ) -> (bool, Option<Child>) {
        let items = self.items;
        let Node::Leaf(bytes) = &mut self.node else { return (false, None) };
        let fits = items == 0 || bytes.len() + item.len() <= shape.leaf_bytes && items < shape.leaf_items;
        let at = place(bytes, items, index, shape.width);
        if fits {
            bytes.replace(at..at, item, shape);
            self.items += 1;
            self.heap = allocation(bytes.capacity());
            return (true, None);
        }
        let is_large = item.len() > shape.leaf_bytes / 2;
        let alone = is_large || items == 1;
        if index == items && (ends.1 || alone) {
            return (true, Some(Self::leaf(Leaf::single(item), 1)));
        }
        if index == 0 && (ends.0 || alone) {
            return (true, Some(std::mem::replace(self, Self::leaf(Leaf::single(item), 1))));
        }
        let (at, left) = if is_large { (at, index) } else { middle(bytes, items, shape.width) };
        let right = Self::leaf(bytes.split_off(at), items - left);
        *self = Self::leaf(std::mem::take(bytes), left);
        (false, Some(right))
    }

    /// Replaces the item number `index`, or removes it. False, and nothing is changed, if the new one does not fit.
    pub(super) fn edit(&mut self, index: usize, new: Option<&[u8]>, shape: &Shape) -> bool {
        match &mut self.node {
            Node::Leaf(bytes) => {
                let at = place(bytes, self.items, index, shape.width);
                let old = at..Pack::new(bytes).skip(at, shape.width);
                let item = new.unwrap_or_default();
                let more = item.len().saturating_sub(old.len());
                if more > 0 && self.items > 1 && bytes.len() + more > shape.leaf_bytes {
                    return false;
                }
                bytes.replace(old, item, shape);
                bytes.trim();
                self.items -= usize::from(new.is_none());
                self.heap = allocation(bytes.capacity());
                true
            }
            Node::Inner(inner) => {
                let mut inside = index;
                let at = inner.seek(&mut inside, self.items);
                let child = &mut inner.children[at];
                let heap = child.heap;
                let done = child.edit(inside, new, shape);
                self.items -= usize::from(done && new.is_none());
                self.heap = self.heap - heap + child.heap;
                if done && inner.settle(at, shape) {
                    self.recount();
                }
                done
            }
        }
    }

    /// Cuts the items of a range out, but not all; what is below whole children goes to `out`.
    pub(super) fn cut(&mut self, range: Range<usize>, width: usize, out: &mut Vec<Child>) {
        match &mut self.node {
            Node::Leaf(bytes) => {
                let places = [range.start, range.end].map(|index| place(bytes, self.items, index, width));
                bytes.remove(places[0]..places[1]);
                self.items -= range.len();
                self.heap = allocation(bytes.capacity());
            }
            Node::Inner(inner) => {
                let (mut begin, mut whole) = (0, 0..0);
                for (at, child) in inner.children.iter_mut().enumerate() {
                    let items = child.items;
                    let start = range.start.saturating_sub(begin);
                    let end = range.end.saturating_sub(begin).min(items);
                    if start == 0 && end == items {
                        whole = if whole.is_empty() { at } else { whole.start }..at + 1;
                    } else if start < end {
                        child.cut(start..end, width, out);
                    }
                    begin += items;
                }
                out.extend(inner.children.drain(whole));
                inner.trim();
                self.recount();
            }
        }
    }

    /// Joins what has become small on both sides of the place in front of item number `index`.
    pub(super) fn mend(&mut self, index: usize, shape: &Shape) {
        let items = self.items;
        let Node::Inner(inner) = &mut self.node else { return };
        // From above, so that neighbours below different nodes come together; then again, as they have become fewer.
        inner.settle(inner.seek_gap(&mut index.clone(), items), shape);
        let mut inside = index;
        let at = inner.seek_gap(&mut inside, items);
        inner.children[at].mend(inside, shape);
        if inside == inner.children[at].items && at + 1 < inner.children.len() {
            inner.children[at + 1].mend(0, shape);
        }
        if at + 1 < inner.children.len() {
            inner.settle(at + 1, shape);
        }
        inner.settle(at, shape);
        self.recount();
    }
}

impl Clone for Child {
    /// A copy without unused room, whose bytes are counted anew.
    fn clone(&self) -> Self {
        match &self.node {
            Node::Leaf(bytes) => Self::leaf(bytes.to_vec(), self.items),
            Node::Inner(inner) => Self::inner(inner.children.clone()),
        }
    }
}

impl Inner {
    fn own_bytes(&self) -> usize {
        allocation(size_of::<Self>()) + allocation(self.children.capacity() * size_of::<Child>())
    }

    /// The child with item number `index` of `items`, which becomes its number there. Looks from the end that is nearer.
    pub(super) fn seek(&self, index: &mut usize, items: usize) -> usize {
        if *index >= items / 2 {
            return self.seek_back(index, items, |start, index| start <= index);
        }
        let last = self.children.len() - 1;
        for (at, child) in self.children[..last].iter().enumerate() {
            if *index < child.items {
                return at;
            }
            *index -= child.items;
        }
        last
    }

    /// The child in which there is the gap in front of item number `index` of `items`; of two, the first.
    fn seek_gap(&self, index: &mut usize, items: usize) -> usize {
        if *index > items / 2 {
            return self.seek_back(index, items, |start, index| start < index);
        }
        let last = self.children.len() - 1;
        for (at, child) in self.children[..last].iter().enumerate() {
            if *index <= child.items {
                return at;
            }
            *index -= child.items;
        }
        last
    }

    /// The last child of which `is_before` says that it starts in front of `index`, or else the first.
    fn seek_back(&self, index: &mut usize, items: usize, is_before: impl Fn(usize, usize) -> bool) -> usize {
        let mut start = items;
        for (at, child) in self.children.iter().enumerate().skip(1).rev() {
            start -= child.items;
            if is_before(start, *index) {
                *index -= start;
                return at;
            }
        }
        0
    }

    fn add(&mut self, at: usize, child: Child) {
        if self.children.len() == self.children.capacity() {
            self.children.reserve_exact(CHILDREN_STEP);
        }
        self.children.insert(at, child);
    }

    /// Gives back room for children that is not needed.
    fn trim(&mut self) {
        if self.children.capacity() > self.children.len() + 2 * CHILDREN_STEP {
            self.children.shrink_to(self.children.len() + CHILDREN_STEP);
        }
    }

    /// Removes the child number `at` if it is empty, else joins it with neighbours if they are small. Whether the
    /// children have changed.
    fn settle(&mut self, at: usize, shape: &Shape) -> bool {
        let count = self.children.len();
        if self.children[at].items == 0 {
            self.children.remove(at);
        } else {
            self.join(at, shape);
            if at > 0 {
                self.join(at - 1, shape);
            }
        }
        self.trim();
        self.children.len() != count
    }

    /// Joins the child number `at` with the next one, if there is one and both are small.
    fn join(&mut self, at: usize, shape: &Shape) {
        let [left, right, ..] = &mut self.children[at..] else { return };
        match (&mut left.node, &mut right.node) {
            (Node::Leaf(bytes), Node::Leaf(more)) => {
                let fits = bytes.len() + more.len() <= shape.leaf_bytes / 4 * 3
                    && left.items + right.items <= shape.leaf_items / 4 * 3;
                if !fits {
                    return;
                }
                bytes.append(more, shape);
                left.heap = allocation(bytes.capacity());
                left.items += right.items;
            }
            (Node::Inner(inner), Node::Inner(more)) => {
                let missing = more.children.len();
                if inner.children.len() + missing > JOINED_CHILDREN {
                    return;
                }
                if inner.children.capacity() - inner.children.len() < missing {
                    inner.children.reserve_exact(missing);
                }
                inner.children.append(&mut more.children);
                left.recount();
            }
            _ => return,
        }
        self.children.remove(at + 1);
    }
}

/// Where item number `index` of a leaf begins, walking from the end that is nearer.
pub(super) fn place(bytes: &[u8], items: usize, index: usize, width: usize) -> usize {
    let pack = Pack::new(bytes);
    if index <= items / 2 {
        pack.skip(0, index * width)
    } else {
        (0..(items - index) * width).fold(bytes.len(), |at, _| pack.before(at))
    }
}

/// Where the item begins that is nearest behind the middle, and its number; neither the first nor behind the last.
fn middle(bytes: &[u8], items: usize, width: usize) -> (usize, usize) {
    let pack = Pack::new(bytes);
    let (mut at, mut index) = (0, 0);
    while index + 1 < items && (index == 0 || at < bytes.len() / 2) {
        at = pack.skip(at, width);
        index += 1;
    }
    (at, index)
}

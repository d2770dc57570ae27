//! Walking over the items of a sequence, in both directions.

use std::slice;

use super::tree::{Child, Node, place};
use crate::keyspace::collection::pack::{Item, Pack};

/// The items from one place on.
#[derive(Debug)]
pub struct Iter<'a> {
    /// What is still to come below each node on the way to the leaf.
    path: Vec<slice::Iter<'a, Child>>,
    leaf: Pack<'a>,
    /// Where the next item of the leaf begins.
    at: usize,
    width: usize,
}

impl<'a> Iter<'a> {
    pub(super) fn new(root: &'a Child, start: usize, width: usize) -> Self {
        let mut iter = Self { path: Vec::new(), leaf: Pack::default(), at: 0, width };
        if start < root.items {
            iter.descend(root, start);
        }
        iter
    }

    fn descend(&mut self, from: &'a Child, index: usize) {
        let (mut node, mut index) = (from, index);
        loop {
            match &node.node {
                Node::Leaf(bytes) => {
                    self.leaf = Pack::new(bytes);
                    self.at = place(bytes, node.items, index, self.width);
                    return;
                }
                Node::Inner(inner) => {
                    let at = inner.seek(&mut index, node.items);
                    self.path.push(inner.children[at + 1..].iter());
                    node = &inner.children[at];
                }
            }
        }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        while self.at == self.leaf.bytes().len() {
            match self.path.last_mut()?.next() {
                Some(next) => self.descend(next, 0),
                None => {
                    self.path.pop();
                }
            }
        }
        let here = self.at;
        self.at = self.leaf.skip(here, self.width);
        Some(self.leaf.item(here, self.width))
    }
}

/// The items in front of one place, backward.
#[derive(Debug)]
pub struct IterBack<'a> {
    /// What is still to come below each node on the way to the leaf.
    path: Vec<slice::Iter<'a, Child>>,
    leaf: Pack<'a>,
    /// Behind the next item.
    at: usize,
    width: usize,
}

impl<'a> IterBack<'a> {
    pub(super) fn new(root: &'a Child, end: usize, width: usize) -> Self {
        let mut iter = Self { path: Vec::new(), leaf: Pack::default(), at: 0, width };
        if end > 0 && root.items > 0 {
            iter.descend(root, end.min(root.items) - 1);
        }
        iter
    }

    /// Goes to the place behind item number `last`.
    fn descend(&mut self, from: &'a Child, last: usize) {
        let (mut node, mut last) = (from, last);
        loop {
            match &node.node {
                Node::Leaf(bytes) => {
                    self.leaf = Pack::new(bytes);
                    self.at = place(bytes, node.items, last + 1, self.width);
                    return;
                }
                Node::Inner(inner) => {
                    let at = inner.seek(&mut last, node.items);
                    self.path.push(inner.children[..at].iter());
                    node = &inner.children[at];
                }
            }
        }
    }
}

impl<'a> Iterator for IterBack<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        while self.at == 0 {
            match self.path.last_mut()?.next_back() {
                Some(next) => self.descend(next, next.items - 1),
                None => {
                    self.path.pop();
                }
            }
        }
        self.at = (0..self.width).fold(self.at, |at, _| self.leaf.before(at));
        Some(self.leaf.item(self.at, self.width))
    }
}

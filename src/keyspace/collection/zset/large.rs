//! Large sorted sets: a map from member to score, and the members with their scores in order.

use std::ops::Range;

use super::{End, SCORE_BYTES_MAX, is_before};
use crate::keyspace::collection::map::Map;
use crate::keyspace::collection::pack::{Bare, Digits, Element, Item, Pack};
use crate::keyspace::collection::sequence::{Offcut, Sequence, Shape};

/// A large sorted set.
#[derive(Debug)]
pub struct Large {
    scores: Map,
    order: Sequence,
    /// The order of a sorted set that is there only to be dropped.
    remains: Offcut,
}

impl Large {
    /// An empty one whose map is seeded with `seed`.
    pub(super) fn new(seed: u64) -> Self {
        Self { scores: Map::new(2, seed), order: Sequence::new(Shape::SORTED), remains: Offcut::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Bytes outside the value itself.
    pub(in crate::keyspace::collection) fn heap_bytes(&self) -> usize {
        self.scores.heap_bytes() + self.order.heap_bytes() + self.remains.heap_bytes()
    }

    /// Drops about so many bytes. False when nothing is left.
    pub(in crate::keyspace::collection) fn drop_some(&mut self, bytes: usize) -> bool {
        if !self.order.is_empty() {
            self.remains = self.order.remove_range(0, self.order.len());
        }
        self.scores.drop_some(bytes) || self.remains.drop_some(bytes)
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<f64> {
        self.scores.get(member).map(Element::score)
    }

    /// How many members come before the place of this one.
    pub(super) fn position(&self, score: f64, member: &[u8]) -> usize {
        self.order.partition_point(|item| is_before(member_of(item), score, member))
    }

    pub(super) fn partition_point(&self, mut before: impl FnMut(Element<'_>, f64) -> bool) -> usize {
        self.order.partition_point(|item| {
            let (member, score) = member_of(item);
            before(member, score)
        })
    }

    pub(super) fn visit<'a>(&'a self, span: Range<usize>, from: End, mut each: impl FnMut(Element<'a>, f64)) {
        let each = |item| {
            let (member, score) = member_of(item);
            each(member, score);
        };
        match from {
            End::Lowest => self.order.iter(span.start).take(span.len()).for_each(each),
            End::Highest => self.order.iter_back(span.end).take(span.len()).for_each(each),
        }
    }

    pub(super) fn scan(&self, cursor: u64, count: usize, mut each: impl FnMut(Element<'_>, f64)) -> u64 {
        self.scores.scan(cursor, count, |item| {
            let (member, score) = member_of(item);
            each(member, score);
        })
    }

    /// See [`ZSet::update`](super::ZSet::update).
    pub(super) fn update(&mut self, member: &[u8], change: impl FnOnce(Option<f64>) -> Option<f64>) {
        let (mut old, mut new) = (None, None);
        self.scores.update(member, |element| {
            old = element.map(Element::score);
            new = change(old).filter(|new| old != Some(*new));
            new.map(written_score)
        });
        let Some(new) = new else { return };
        let item = written(member, new);
        match old.map(|old| self.position(old, member)) {
            None => self.order.insert(self.position(new, member), &item),
            Some(before) => {
                self.order.remove(before);
                self.order.insert(self.position(new, member), &item);
            }
        }
    }

    /// Adds a member that is not there and comes behind all others.
    pub(super) fn push(&mut self, member: &[u8], score: f64) {
        self.scores.insert(member, &written_score(score));
        self.order.push_back(&written(member, score));
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> bool {
        let Some(score) = self.score(member) else { return false };
        self.order.remove(self.position(score, member));
        self.scores.remove(member)
    }

    /// Removes a span. The answer, if any, is what it leaves behind, which is to be dropped in slices.
    pub(super) fn remove_span(&mut self, span: Range<usize>) -> Option<Self> {
        if span == (0..self.len()) {
            // The members stay in the map, where nobody sees them: all is dropped in slices.
            self.remains = self.order.remove_range(0, span.len());
            return None;
        }
        if span.len() > self.len() / 2 {
            return Some(self.keep_outside(span));
        }
        for (member, _) in self.order.iter(span.start).take(span.len()) {
            self.scores.remove(member.bytes(&mut Digits::new()));
        }
        match span.len() {
            1 => self.order.remove(span.start),
            // Dropping leaves takes less than removing their members has taken.
            count => drop(self.order.remove_range(span.start, count)),
        }
        None
    }

    /// Goes on with copies of the members outside a span, and answers what it was: where few are left, that takes less than
    /// it takes to remove the others from the map.
    fn keep_outside(&mut self, span: Range<usize>) -> Self {
        let (scores, order) = (self.scores.successor(), Sequence::new(Shape::SORTED));
        let old = std::mem::replace(self, Self { scores, order, remains: Offcut::default() });
        for (member, score) in old.order.iter(0).take(span.start).chain(old.order.iter(span.end)).map(member_of) {
            self.push(member.bytes(&mut Digits::new()), score);
        }
        old
    }
}

impl Clone for Large {
    fn clone(&self) -> Self {
        Self { scores: self.scores.clone(), order: self.order.clone(), remains: Offcut::default() }
    }
}

fn member_of(item: Item<'_>) -> (Element<'_>, f64) {
    let (member, score) = item;
    (member, score.map_or(0.0, Element::score))
}

/// The score as the map holds it.
fn written_score(score: f64) -> Vec<u8> {
    let mut written = Vec::with_capacity(SCORE_BYTES_MAX);
    Bare::push_score(&mut written, score);
    written
}

/// Member and score as the order holds them.
fn written(member: &[u8], score: f64) -> Vec<u8> {
    let mut written = Vec::with_capacity(member.len() + 24);
    Pack::push(&mut written, member);
    Pack::push_score(&mut written, score);
    written
}

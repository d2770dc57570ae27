//! Small sorted sets: members and scores in turn, in order.

use std::ops::Range;

use super::{End, Pairs, is_before};
use crate::keyspace::collection::pack::{Element, Needle, replace};

/// A member where it lies.
pub(super) struct Found {
    /// The bytes of member and score.
    pub(super) range: Range<usize>,
    pub(super) score: f64,
}

pub(super) fn find(pairs: Pairs<'_>, member: &[u8]) -> Option<Found> {
    let needle = Needle::new(member);
    let mut at = 0;
    while at < pairs.bytes().len() {
        let score_at = pairs.after(at);
        let end = pairs.after(score_at);
        if pairs.matches(at, &needle) {
            return Some(Found { range: at..end, score: pairs.get(score_at).score() });
        }
        at = end;
    }
    None
}

/// Appends a member that comes behind all others.
pub(super) fn push(bytes: &mut Vec<u8>, member: &[u8], score: f64) {
    Pairs::push(bytes, member);
    // There is no negative zero in a small sorted set of Redis: it is stored as a whole number.
    Pairs::push_score(bytes, score + 0.0);
}

/// Inserts a member that is not there.
pub(super) fn insert(bytes: &mut Vec<u8>, member: &[u8], score: f64) {
    let pairs = Pairs::new(bytes);
    let mut at = 0;
    while at < bytes.len() {
        let score_at = pairs.after(at);
        if !is_before((pairs.get(at), pairs.get(score_at).score()), score, member) {
            break;
        }
        at = pairs.after(score_at);
    }
    if at == bytes.len() {
        return push(bytes, member, score);
    }
    let mut written = Vec::with_capacity(member.len() + 24);
    push(&mut written, member, score);
    replace(bytes, at..at, &written);
}

pub(super) fn remove_span(bytes: &mut Vec<u8>, span: Range<usize>) {
    let pairs = Pairs::new(bytes);
    let range = pairs.place(2 * span.start)..pairs.place(2 * span.end);
    replace(bytes, range, &[]);
}

pub(super) fn visit<'a>(pairs: Pairs<'a>, span: Range<usize>, from: End, mut each: impl FnMut(Element<'a>, f64)) {
    let mut at = pairs.place(2 * span.start);
    // Packs of this kind are read from the front.
    let mut places = Vec::new();
    for _ in span {
        let score_at = pairs.after(at);
        match from {
            End::Lowest => each(pairs.get(at), pairs.get(score_at).score()),
            End::Highest => places.push(at),
        }
        at = pairs.after(score_at);
    }
    places.into_iter().rev().for_each(|at| each(pairs.get(at), pairs.get(pairs.after(at)).score()));
}

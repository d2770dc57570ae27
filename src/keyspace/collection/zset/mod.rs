//! Sorted sets: members with scores.
//!
//! A small one is a pack of members and scores in turn, in order of score and then of member. A large one holds each member
//! twice: in a map from member to score, and in a sequence in that order, which answers ranks.
//!
//! Whatever is asked of a part of a sorted set is asked of a **span**: a range of ranks, the lowest score having rank 0.
//! [`Bounds`] of scores or members become a span by two searches.

mod bounds;
mod compact;
mod large;
#[cfg(test)]
mod tests;

use std::ops::Range;

use super::pack::{Bare, Digits, Element, replace};
use super::{Shapes, fits};

pub use bounds::{Bounds, Limit};
pub use large::Large;

type Pairs<'a> = Bare<'a>;

/// Most bytes that tag and payload of a score take.
const SCORE_BYTES_MAX: usize = 9;

/// A sorted set.
#[derive(Clone, Debug)]
pub enum ZSet {
    /// Members and scores in turn.
    Compact(Vec<u8>),
    /// Too many or too long for that.
    Large(Box<Large>),
}

/// A sorted set where it lies.
#[derive(Clone, Copy, Debug)]
pub enum ZSetRef<'a> {
    /// Members and scores in turn.
    Compact(Pairs<'a>),
    /// A map and a tree.
    Large(&'a Large),
}

/// An end of a sorted set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Where the scores are lowest.
    Lowest,
    /// Where they are highest.
    Highest,
}

impl Default for ZSet {
    fn default() -> Self {
        Self::Compact(Vec::new())
    }
}

impl<'a> ZSetRef<'a> {
    /// Members.
    pub fn len(self) -> usize {
        match self {
            ZSetRef::Compact(pairs) => pairs.count() / 2,
            ZSetRef::Large(zset) => zset.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(self) -> bool {
        match self {
            ZSetRef::Compact(pairs) => pairs.is_empty(),
            ZSetRef::Large(zset) => zset.len() == 0,
        }
    }

    /// The score of a member.
    pub fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            ZSetRef::Compact(pairs) => compact::find(pairs, member).map(|found| found.score),
            ZSetRef::Large(zset) => zset.score(member),
        }
    }

    /// The rank of a member, and its score.
    pub fn rank(self, member: &[u8]) -> Option<(usize, f64)> {
        match self {
            ZSetRef::Compact(pairs) => {
                let found = compact::find(pairs, member)?;
                Some((Pairs::new(&pairs.bytes()[..found.range.start]).count() / 2, found.score))
            }
            ZSetRef::Large(zset) => zset.score(member).map(|score| (zset.position(score, member), score)),
        }
    }

    /// The span of the members that lie within bounds. Bounds of members make sense where all scores are equal.
    pub fn span(self, bounds: &Bounds<'_>) -> Range<usize> {
        let start = self.partition_point(|member, score| bounds.is_above(member, score));
        let end = self.partition_point(|member, score| !bounds.is_below(member, score));
        start..end.max(start)
    }

    fn partition_point(self, mut before: impl FnMut(Element<'_>, f64) -> bool) -> usize {
        match self {
            ZSetRef::Compact(pairs) => {
                super::pairs(pairs).take_while(|(member, score)| before(*member, score.score())).count()
            }
            ZSetRef::Large(zset) => zset.partition_point(before),
        }
    }

    /// Visits the members of a span with their scores, beginning at one of its ends.
    pub fn visit(self, span: Range<usize>, from: End, each: impl FnMut(Element<'a>, f64)) {
        match self {
            ZSetRef::Compact(pairs) => compact::visit(pairs, span, from, each),
            ZSetRef::Large(zset) => zset.visit(span, from, each),
        }
    }

    /// Visits about `count` members with their scores and answers the cursor to go on from: 0 at the beginning and at the
    /// end. A compact sorted set is visited at once.
    pub fn scan(self, cursor: u64, count: usize, mut each: impl FnMut(Element<'_>, f64)) -> u64 {
        match self {
            ZSetRef::Compact(pairs) => {
                super::pairs(pairs).for_each(|(member, score)| each(member, score.score()));
                0
            }
            ZSetRef::Large(zset) => zset.scan(cursor, count, each),
        }
    }

    /// The member of a rank, with its score.
    pub fn at(self, rank: usize) -> Option<(Element<'a>, f64)> {
        let mut found = None;
        if rank < self.len() {
            self.visit(rank..rank + 1, End::Lowest, |member, score| found = Some((member, score)));
        }
        found
    }
}

impl ZSetRef<'_> {
    /// The sorted set, owned.
    pub fn to_zset(self) -> ZSet {
        match self {
            ZSetRef::Compact(pairs) => ZSet::Compact(pairs.bytes().to_vec()),
            ZSetRef::Large(zset) => ZSet::Large(Box::new(zset.clone())),
        }
    }
}

impl ZSet {
    /// A sorted set of members that come in its order, each of them once.
    pub fn ordered<'m>(members: impl Iterator<Item = (&'m [u8], f64)> + Clone, shapes: &Shapes) -> Self {
        let mut bytes = Vec::new();
        for (before, (member, score)) in members.clone().enumerate() {
            if !has_room(&bytes, before, member, shapes) {
                let mut zset = Box::new(Large::new(shapes.seed(member)));
                members.for_each(|(member, score)| zset.push(member, score));
                return ZSet::Large(zset);
            }
            compact::push(&mut bytes, member, score);
        }
        ZSet::Compact(bytes)
    }

    /// The sorted set as a reference.
    #[inline]
    pub fn as_ref(&self) -> ZSetRef<'_> {
        match self {
            ZSet::Compact(bytes) => ZSetRef::Compact(Bare::new(bytes)),
            ZSet::Large(zset) => ZSetRef::Large(zset),
        }
    }

    /// Changes the score of a member by what it is now (`None` if it is not there) to what `change` answers, which is a
    /// number; `None` leaves all as it is.
    pub fn update(&mut self, member: &[u8], shapes: &Shapes, change: impl FnOnce(Option<f64>) -> Option<f64>) {
        let bytes = match self {
            ZSet::Compact(bytes) => bytes,
            ZSet::Large(zset) => return zset.update(member, change),
        };
        let found = compact::find(Pairs::new(bytes), member);
        let before = found.as_ref().map(|found| found.score);
        let Some(score) = change(before) else { return };
        if before == Some(score) {
            return;
        }
        let is_room = match &found {
            Some(_) => fits(bytes, SCORE_BYTES_MAX),
            None => has_room(bytes, Pairs::new(bytes).count() / 2, member, shapes),
        };
        if is_room {
            if let Some(found) = found {
                replace(bytes, found.range, &[]);
            }
            compact::insert(bytes, member, score);
        } else {
            self.enlarged(member, shapes).update(member, |_| Some(score));
        }
    }

    /// Removes a member. True if it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            ZSet::Compact(bytes) => {
                let Some(found) = compact::find(Pairs::new(bytes), member) else { return false };
                replace(bytes, found.range, &[]);
                true
            }
            ZSet::Large(zset) => zset.remove(member),
        }
    }

    /// Removes a span. What is large takes as long as it takes to remove each member, or to copy those that stay, whichever
    /// are fewer; nothing if all go. The answer, if any, is to be buried.
    #[must_use = "what is left behind is to be dropped in slices"]
    pub fn remove_span(&mut self, span: Range<usize>) -> Option<Self> {
        match self {
            ZSet::Compact(bytes) => {
                compact::remove_span(bytes, span);
                None
            }
            ZSet::Large(zset) => zset.remove_span(span).map(|old| ZSet::Large(Box::new(old))),
        }
    }

    /// Removes `count` members at one end, or as many as there are, and visits them with their scores, the outermost first.
    /// The answer, if any, is to be buried.
    #[must_use = "what is left behind is to be dropped in slices"]
    pub fn pop(&mut self, end: End, count: usize, each: impl FnMut(Element<'_>, f64)) -> Option<Self> {
        let len = self.as_ref().len();
        let count = count.min(len);
        let span = match end {
            End::Lowest => 0..count,
            End::Highest => len - count..len,
        };
        self.as_ref().visit(span.clone(), end, each);
        self.remove_span(span)
    }

    /// Makes the sorted set large, if it is not, for a member to come.
    fn enlarged(&mut self, member: &[u8], shapes: &Shapes) -> &mut Large {
        if let ZSet::Compact(bytes) = self {
            let mut zset = Box::new(Large::new(shapes.seed(member)));
            for (member, score) in super::pairs(Pairs::new(bytes)) {
                zset.push(member.bytes(&mut Digits::new()), score.score());
            }
            *self = ZSet::Large(zset);
        }
        match self {
            ZSet::Large(zset) => zset,
            ZSet::Compact(_) => unreachable!("it has just become large"),
        }
    }
}

/// Whether a compact sorted set of so many members may have one more, this one.
fn has_room(bytes: &[u8], members: usize, member: &[u8], shapes: &Shapes) -> bool {
    let limits = &shapes.compact;
    member.len() <= limits.zset_value_bytes
        && members < limits.zset_entries
        && fits(bytes, member.len() + SCORE_BYTES_MAX)
}

/// The order: by score, then by the bytes of the member.
fn is_before(item: (Element<'_>, f64), score: f64, member: &[u8]) -> bool {
    let (own_member, own_score) = item;
    own_score < score || own_score == score && own_member.bytes(&mut Digits::new()) < member
}

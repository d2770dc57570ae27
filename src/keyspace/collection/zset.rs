//! Sorted sets: members with scores.
//!
//! A small one is a pack of members and scores in turn, in order of score and then of member. A large one holds each member
//! twice: in a [`Map`] from member to score, and in a [`Sequence`] in that order, which answers ranks.

use super::map::Map;
use super::pack::Bare;
use super::sequence::Sequence;

type Pairs<'a> = Bare<'a>;

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

/// A large sorted set.
#[derive(Clone, Debug)]
pub struct Large {
    scores: Map,
    order: Sequence,
}

impl Large {
    /// Bytes outside the value itself.
    pub(super) fn heap_bytes(&self) -> usize {
        self.scores.heap_bytes() + self.order.heap_bytes()
    }

    /// Drops about so many bytes. False when nothing is left.
    pub(super) fn drop_some(&mut self, bytes: usize) -> bool {
        self.scores.drop_some(bytes) || self.order.drop_some(bytes)
    }
}

impl Default for ZSet {
    fn default() -> Self {
        Self::Compact(Vec::new())
    }
}

impl ZSetRef<'_> {
    /// Members.
    pub fn len(self) -> usize {
        match self {
            ZSetRef::Compact(pairs) => pairs.count() / 2,
            ZSetRef::Large(zset) => zset.order.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The sorted set, owned.
    pub fn to_zset(self) -> ZSet {
        match self {
            ZSetRef::Compact(pairs) => ZSet::Compact(pairs.bytes().to_vec()),
            ZSetRef::Large(zset) => ZSet::Large(Box::new(zset.clone())),
        }
    }
}

impl ZSet {
    /// The sorted set as a reference.
    #[inline]
    pub fn as_ref(&self) -> ZSetRef<'_> {
        match self {
            ZSet::Compact(bytes) => ZSetRef::Compact(Bare::new(bytes)),
            ZSet::Large(zset) => ZSetRef::Large(zset),
        }
    }
}

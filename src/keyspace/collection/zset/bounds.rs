//! Bounds of scores, and of members.

use crate::keyspace::collection::pack::{Digits, Element};

/// One end of a range.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Limit<T> {
    /// Below everything.
    Lowest,
    /// From here on, or up to here.
    Closed(T),
    /// The same without what is equal to it.
    Open(T),
    /// Above everything.
    Highest,
}

/// What lies between two limits.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Bounds<'b> {
    /// Scores.
    Scores(Limit<f64>, Limit<f64>),
    /// Members, in the order of their bytes.
    Members(Limit<&'b [u8]>, Limit<&'b [u8]>),
}

impl<T: PartialOrd> Limit<T> {
    /// Whether `value` lies below what begins here.
    fn is_above(&self, value: T) -> bool {
        match self {
            Limit::Lowest => false,
            Limit::Closed(limit) => value < *limit,
            Limit::Open(limit) => value <= *limit,
            Limit::Highest => true,
        }
    }

    /// Whether `value` lies above what ends here.
    fn is_below(&self, value: T) -> bool {
        match self {
            Limit::Lowest => true,
            Limit::Closed(limit) => value > *limit,
            Limit::Open(limit) => value >= *limit,
            Limit::Highest => false,
        }
    }
}

impl Bounds<'_> {
    /// Whether a member lies below the bounds.
    pub(super) fn is_above(&self, member: Element<'_>, score: f64) -> bool {
        match self {
            Bounds::Scores(min, _) => min.is_above(score),
            Bounds::Members(min, _) => min.is_above(member.bytes(&mut Digits::new())),
        }
    }

    /// Whether a member lies above the bounds.
    pub(super) fn is_below(&self, member: Element<'_>, score: f64) -> bool {
        match self {
            Bounds::Scores(_, max) => max.is_below(score),
            Bounds::Members(_, max) => max.is_below(member.bytes(&mut Digits::new())),
        }
    }
}

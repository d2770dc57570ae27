//! Elements of collections drawn by chance.

use std::collections::BTreeSet;

use crate::base::Rng;
use crate::command::Args;
use crate::keyspace::collection::pack::Element;
use crate::limits::DRAWS_MAX;
use crate::resp::ReplyError;

/// How many elements to draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Draws {
    /// So many different ones, or as many as there are.
    Distinct(usize),
    /// So many, each drawn from all.
    Repeated(usize),
}

impl Draws {
    /// Reads the count of SRANDMEMBER and its like: a negative one allows repetitions.
    pub(super) fn parse(args: &mut Args<'_>) -> Result<Self, ReplyError> {
        let count = args.int()?;
        let draws = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        match count {
            i64::MIN => Err(ReplyError::OutOfRange64),
            0.. => Ok(Draws::Distinct(draws)),
            _ => Ok(Draws::Repeated(draws)),
        }
    }

    /// How many.
    pub(super) fn count(self) -> usize {
        match self {
            Draws::Distinct(count) | Draws::Repeated(count) => count,
        }
    }
}

/// An element of a collection, with what belongs to it.
type Drawn<'a, T> = (Element<'a>, T);

/// How to draw an element.
type Draw<'a, T> = Box<dyn Fn(&mut Rng) -> Option<Drawn<'a, T>> + 'a>;

/// A collection that is drawn from.
pub(super) struct Urn<'a, T> {
    /// Elements.
    pub(super) len: usize,
    /// A walk over all elements takes much longer than a few draws.
    pub(super) is_large: bool,
    /// All elements.
    pub(super) all: Box<dyn Iterator<Item = Drawn<'a, T>> + 'a>,
    /// Any of them.
    pub(super) any: Draw<'a, T>,
}

impl<'a, T: Copy> Urn<'a, T> {
    /// Draws. Repeated draws are refused where they are too many or, by `bytes` of each, too long together.
    pub(super) fn draw(
        self,
        draws: Draws,
        rng: &mut Rng,
        bytes_max: usize,
        bytes: impl Fn(Drawn<'a, T>) -> usize,
    ) -> Result<Vec<Drawn<'a, T>>, ReplyError> {
        match draws {
            Draws::Distinct(count) if count >= self.len => Ok(self.all.collect()),
            Draws::Distinct(count) if self.is_large && count < self.len / 3 => Ok(self.distinct(count, rng)),
            Draws::Distinct(count) => Ok(self.selected(count, rng)),
            Draws::Repeated(count) if count > DRAWS_MAX => Err(ReplyError::OutOfRange),
            Draws::Repeated(count) => {
                let (mut drawn, mut left) = (Vec::new(), bytes_max);
                for _ in 0..count {
                    let Some(next) = (self.any)(rng) else { break };
                    left = left.checked_sub(bytes(next)).ok_or(ReplyError::OutOfRange)?;
                    drawn.push(next);
                }
                Ok(drawn)
            }
        }
    }

    /// Draws until enough different ones have come: at least two of three draws bring a new one.
    fn distinct(self, count: usize, rng: &mut Rng) -> Vec<Drawn<'a, T>> {
        let (mut drawn, mut names) = (Vec::new(), BTreeSet::new());
        while drawn.len() < count {
            let Some(next) = (self.any)(rng) else { break };
            if names.insert(next.0.to_vec()) {
                drawn.push(next);
            }
        }
        drawn
    }

    /// Selection sampling (Knuth, "Seminumerical algorithms", 3.4.2, algorithm S): in one walk, every set of `count` elements
    /// is as likely as another.
    fn selected(self, count: usize, rng: &mut Rng) -> Vec<Drawn<'a, T>> {
        let (mut drawn, mut left) = (Vec::new(), self.len);
        for next in self.all {
            if left > 0 && rng.usize(..left) < count - drawn.len() {
                drawn.push(next);
            }
            left = left.saturating_sub(1);
        }
        drawn
    }
}

//! Walking over the elements of a list, in both directions, in either form.

use crate::keyspace::collection::pack::{Element, Pack};
use crate::keyspace::collection::sequence;

/// The elements from one place on.
#[derive(Debug)]
pub struct Iter<'a>(Forward<'a>);

#[derive(Debug)]
enum Forward<'a> {
    Compact { pack: Pack<'a>, at: usize },
    Large(sequence::Iter<'a>),
}

impl<'a> Iter<'a> {
    pub(super) fn compact(pack: Pack<'a>, at: usize) -> Self {
        Self(Forward::Compact { pack, at })
    }

    pub(super) fn large(items: sequence::Iter<'a>) -> Self {
        Self(Forward::Large(items))
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        match &mut self.0 {
            Forward::Compact { pack, at } if *at < pack.bytes().len() => {
                let here = *at;
                *at = pack.after(here);
                Some(pack.get(here))
            }
            Forward::Compact { .. } => None,
            Forward::Large(items) => items.next().map(|(element, _)| element),
        }
    }
}

/// The elements in front of one place, backward.
#[derive(Debug)]
pub struct IterBack<'a>(Backward<'a>);

#[derive(Debug)]
enum Backward<'a> {
    Compact { pack: Pack<'a>, at: usize },
    Large(sequence::IterBack<'a>),
}

impl<'a> IterBack<'a> {
    pub(super) fn compact(pack: Pack<'a>, at: usize) -> Self {
        Self(Backward::Compact { pack, at })
    }

    pub(super) fn large(items: sequence::IterBack<'a>) -> Self {
        Self(Backward::Large(items))
    }
}

impl<'a> Iterator for IterBack<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        match &mut self.0 {
            Backward::Compact { at: 0, .. } => None,
            Backward::Compact { pack, at } => {
                *at = pack.before(*at);
                Some(pack.get(*at))
            }
            Backward::Large(items) => items.next().map(|(element, _)| element),
        }
    }
}

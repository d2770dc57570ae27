//! Lists of strings.
//!
//! A small list is a pack, a large one a [`Sequence`] of packs.

use super::pack::{Bare, Element};
use super::sequence::Sequence;

type Elements<'a> = Bare<'a>;

/// A list.
#[derive(Clone, Debug)]
pub enum List {
    /// Elements.
    Compact(Vec<u8>),
    /// Too many or too long for that.
    Large(Box<Sequence>),
}

/// A list where it lies.
#[derive(Clone, Copy, Debug)]
pub enum ListRef<'a> {
    /// Elements.
    Compact(Elements<'a>),
    /// A tree of packs.
    Large(&'a Sequence),
}

impl Default for List {
    fn default() -> Self {
        Self::Compact(Vec::new())
    }
}

impl Default for ListRef<'_> {
    fn default() -> Self {
        Self::Compact(Bare::default())
    }
}

impl<'a> ListRef<'a> {
    /// Elements.
    pub fn len(self) -> usize {
        match self {
            ListRef::Compact(elements) => elements.count(),
            ListRef::Large(sequence) => sequence.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(self) -> bool {
        match self {
            ListRef::Compact(elements) => elements.is_empty(),
            ListRef::Large(sequence) => sequence.is_empty(),
        }
    }

    /// The list, owned.
    pub fn to_list(self) -> List {
        match self {
            ListRef::Compact(elements) => List::Compact(elements.bytes().to_vec()),
            ListRef::Large(sequence) => List::Large(Box::new(sequence.clone())),
        }
    }

    /// The element number `index`.
    pub fn get(self, index: usize) -> Option<Element<'a>> {
        match self {
            ListRef::Compact(elements) => {
                let at = elements.place(index);
                (at < elements.bytes().len()).then(|| elements.get(at))
            }
            ListRef::Large(sequence) => sequence.get(index).map(|(element, _)| element),
        }
    }
}

impl List {
    /// The list as a reference.
    #[inline]
    pub fn as_ref(&self) -> ListRef<'_> {
        match self {
            List::Compact(bytes) => ListRef::Compact(Bare::new(bytes)),
            List::Large(sequence) => ListRef::Large(sequence),
        }
    }
}

//! Sets of strings.
//!
//! A small set of whole numbers is an array of them in order; another small set is a pack in the order in which the members
//! came; a large one is a [`Map`].

pub(super) mod integers;

use super::map::Map;
use super::pack::{Bare, Digits, Element, Needle, replace};
use super::{COMPACT_BYTES_MAX, Shapes};
use crate::base::Rng;
use crate::keyspace::value::canonical_integer;
use integers::Integers;

type Members<'a> = Bare<'a>;

/// A set.
#[derive(Clone, Debug)]
pub enum Set {
    /// Whole numbers in order.
    Integers(Vec<u8>),
    /// Members as they came.
    Compact(Vec<u8>),
    /// Too many or too long for that.
    Large(Box<Map>),
}

/// A set where it lies.
#[derive(Clone, Copy, Debug)]
pub enum SetRef<'a> {
    /// Whole numbers in order.
    Integers(Integers<'a>),
    /// Members as they came.
    Compact(Members<'a>),
    /// A map.
    Large(&'a Map),
}

impl<'a> SetRef<'a> {
    /// Members.
    pub fn len(self) -> usize {
        match self {
            SetRef::Integers(numbers) => numbers.len(),
            SetRef::Compact(members) => members.count(),
            SetRef::Large(map) => map.len(),
        }
    }

    /// Whether there is no member.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether `member` is in it.
    pub fn contains(self, member: &[u8]) -> bool {
        match self {
            SetRef::Integers(numbers) => canonical_integer(member).is_some_and(|number| numbers.find(number).is_ok()),
            SetRef::Compact(members) => members.seek(&Needle::new(member), 1).is_some(),
            SetRef::Large(map) => map.contains(member),
        }
    }

    /// Members.
    pub fn iter(self) -> Box<dyn Iterator<Item = Element<'a>> + 'a> {
        match self {
            SetRef::Integers(numbers) => Box::new(numbers.iter().map(Element::Int)),
            SetRef::Compact(members) => Box::new(members.iter().map(|(_, member)| member)),
            SetRef::Large(map) => Box::new(map.iter().map(|(member, _)| member)),
        }
    }

    /// Any member, each as likely as another. `None` if there is none.
    pub fn random(self, rng: &mut Rng) -> Option<Element<'a>> {
        match self {
            _ if self.is_empty() => None,
            SetRef::Integers(numbers) => Some(Element::Int(numbers.get(rng.usize(..numbers.len())))),
            SetRef::Compact(members) => Some(members.get(members.place(rng.usize(..members.count())))),
            SetRef::Large(map) => map.random(rng).map(|(member, _)| member),
        }
    }

    /// Visits about `count` members from a cursor on, all of them if the set is small; answers where to go on, 0 at the
    /// end. See [`Map::scan`].
    pub fn scan(self, cursor: u64, count: usize, mut visit: impl FnMut(Element<'a>)) -> u64 {
        match self {
            SetRef::Large(map) => map.scan(cursor, count, |(member, _)| visit(member)),
            small => {
                small.iter().for_each(visit);
                0
            }
        }
    }

    /// Whether it is a map, so that a walk over it may take long.
    pub fn is_large(self) -> bool {
        matches!(self, SetRef::Large(_))
    }

    /// The set, owned.
    pub fn to_set(self) -> Set {
        match self {
            SetRef::Integers(numbers) => Set::Integers(numbers.bytes().to_vec()),
            SetRef::Compact(members) => Set::Compact(members.bytes().to_vec()),
            SetRef::Large(map) => Set::Large(Box::new(map.clone())),
        }
    }
}

impl Default for Set {
    fn default() -> Self {
        Self::Integers(Vec::new())
    }
}

impl Set {
    /// The set as a reference.
    #[inline]
    pub fn as_ref(&self) -> SetRef<'_> {
        match self {
            Set::Integers(bytes) => SetRef::Integers(Integers::new(bytes)),
            Set::Compact(bytes) => SetRef::Compact(Members::new(bytes)),
            Set::Large(map) => SetRef::Large(map),
        }
    }

    /// Adds a member. True if it is new.
    pub fn add(&mut self, member: &[u8], shapes: &Shapes) -> bool {
        let limits = &shapes.compact;
        if let Set::Integers(bytes) = self {
            let numbers = Integers::new(bytes);
            match canonical_integer(member) {
                Some(number) => match numbers.find(number) {
                    Ok(_) => return false,
                    Err(at)
                        if numbers.len() < limits.set_integers && numbers.bytes_with(number) <= COMPACT_BYTES_MAX =>
                    {
                        integers::insert(bytes, at, number);
                        return true;
                    }
                    Err(_) => self.enlarge(member, shapes),
                },
                None => {
                    let longest = member.len().max(numbers.digits_max());
                    // One more than there are has to fit, or it would have to be changed twice.
                    let fits = numbers.len() < limits.set_entries && longest <= limits.set_value_bytes;
                    if fits { self.loosen() } else { self.enlarge(member, shapes) }
                }
            }
        }
        if let Set::Compact(bytes) = self {
            let (members, needle) = (Members::new(bytes), Needle::new(member));
            if members.seek(&needle, 1).is_some() {
                return false;
            }
            let is_full = members.count() >= limits.set_entries || member.len() > limits.set_value_bytes;
            if !is_full && super::fits(bytes, member.len()) {
                needle.push(bytes);
                return true;
            }
            self.enlarge(member, shapes);
        }
        match self {
            Set::Large(map) => map.insert(member, &[]),
            _ => unreachable!("enlarged above"),
        }
    }

    /// Removes any member, each as likely as another, which `visit` has seen before. False if there was none.
    pub fn pop(&mut self, rng: &mut Rng, visit: impl FnOnce(Element<'_>)) -> bool {
        match self {
            set if set.as_ref().is_empty() => return false,
            Set::Integers(bytes) => {
                let numbers = Integers::new(bytes);
                let at = rng.usize(..numbers.len());
                visit(Element::Int(numbers.get(at)));
                integers::remove(bytes, at);
            }
            Set::Compact(bytes) => {
                let members = Members::new(bytes);
                let at = members.place(rng.usize(..members.count()));
                visit(members.get(at));
                let range = members.range(at);
                replace(bytes, range, &[]);
            }
            Set::Large(map) => return map.pop(rng, |(member, _)| visit(member)),
        }
        true
    }

    /// Removes a member. True if it was there.
    pub fn remove(&mut self, member: &[u8]) -> bool {
        match self {
            Set::Integers(bytes) => {
                let found = canonical_integer(member).map(|number| Integers::new(bytes).find(number));
                let Some(Ok(at)) = found else { return false };
                integers::remove(bytes, at);
                true
            }
            Set::Compact(bytes) => {
                let members = Members::new(bytes);
                let Some(at) = members.seek(&Needle::new(member), 1) else { return false };
                let range = members.range(at);
                replace(bytes, range, &[]);
                true
            }
            Set::Large(map) => map.remove(member),
        }
    }

    /// Makes numbers a pack.
    fn loosen(&mut self) {
        let mut bytes = Vec::new();
        self.as_ref().iter().for_each(|member| Members::push_element(&mut bytes, member));
        *self = Set::Compact(bytes);
    }

    /// Makes the set a map, because of a member that is about to be added.
    fn enlarge(&mut self, because: &[u8], shapes: &Shapes) {
        let mut map = Map::new(1, shapes.seed(because));
        for member in self.as_ref().iter() {
            map.insert(member.bytes(&mut Digits::new()), &[]);
        }
        *self = Set::Large(Box::new(map));
    }
}

#[cfg(test)]
mod tests;

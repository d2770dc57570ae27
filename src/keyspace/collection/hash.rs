//! Hashes: fields with values.
//!
//! A small hash is a pack of fields and values in turn, in the order in which the fields came; a large one is a [`Map`].

use super::map::Map;
use super::pack::{Bare, Element, replace};
use super::{Shapes, fits};

type Pairs<'a> = Bare<'a>;

/// A hash.
#[derive(Clone, Debug)]
pub enum Hash {
    /// Fields and values in turn.
    Compact(Vec<u8>),
    /// Too many or too long for that.
    Large(Box<Map>),
}

/// A hash where it lies.
#[derive(Clone, Copy, Debug)]
pub enum HashRef<'a> {
    /// Fields and values in turn.
    Compact(Pairs<'a>),
    /// A map.
    Large(&'a Map),
}

impl<'a> HashRef<'a> {
    /// Fields.
    pub fn len(self) -> usize {
        match self {
            HashRef::Compact(pairs) => pairs.count() / 2,
            HashRef::Large(map) => map.len(),
        }
    }

    /// Whether there is no field.
    pub fn is_empty(self) -> bool {
        match self {
            HashRef::Compact(pairs) => pairs.is_empty(),
            HashRef::Large(map) => map.is_empty(),
        }
    }

    /// The value of a field.
    pub fn get(self, field: &[u8]) -> Option<Element<'a>> {
        match self {
            HashRef::Compact(pairs) => {
                let at = pairs.find(&Pairs::element_of(field), 0, 2)?;
                Some(pairs.get(pairs.after(at)))
            }
            HashRef::Large(map) => map.get(field),
        }
    }

    /// Fields with their values.
    pub fn iter(self) -> Box<dyn Iterator<Item = (Element<'a>, Element<'a>)> + 'a> {
        match self {
            HashRef::Compact(pairs) => Box::new(super::pairs(pairs)),
            HashRef::Large(map) => Box::new(map.iter().map(|(field, value)| (field, value.unwrap_or_default()))),
        }
    }
}

impl HashRef<'_> {
    /// The hash, owned.
    pub fn to_hash(self) -> Hash {
        match self {
            HashRef::Compact(pairs) => Hash::Compact(pairs.bytes().to_vec()),
            HashRef::Large(map) => Hash::Large(Box::new(map.clone())),
        }
    }
}

impl Default for Hash {
    fn default() -> Self {
        Self::Compact(Vec::new())
    }
}

impl Hash {
    /// The hash as a reference.
    #[inline]
    pub fn as_ref(&self) -> HashRef<'_> {
        match self {
            Hash::Compact(bytes) => HashRef::Compact(Bare::new(bytes)),
            Hash::Large(map) => HashRef::Large(map),
        }
    }

    /// Sets a field. True if it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], shapes: &Shapes) -> bool {
        if let Hash::Compact(bytes) = self {
            let (max, limits) = (shapes.compact.hash_value_bytes, shapes.compact.hash_entries);
            let pairs = Pairs::new(bytes);
            let written = Pairs::element_of(field);
            let place = pairs.find(&written, 0, 2);
            let is_full = place.is_none() && pairs.count() / 2 >= limits;
            if field.len() <= max && value.len() <= max && !is_full && fits(bytes, field.len() + value.len()) {
                match place {
                    Some(at) => {
                        let range = pairs.range(pairs.after(at));
                        replace(bytes, range, &Pairs::element_of(value));
                    }
                    None => {
                        bytes.extend_from_slice(&written);
                        Pairs::push(bytes, value);
                    }
                }
                return place.is_none();
            }
            self.enlarge(field, shapes);
        }
        match self {
            Hash::Large(map) => map.insert(field, &Pairs::element_of(value)),
            Hash::Compact(_) => unreachable!("enlarged above"),
        }
    }

    /// Removes a field. True if it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match self {
            Hash::Compact(bytes) => {
                let pairs = Pairs::new(bytes);
                let Some(at) = pairs.find(&Pairs::element_of(field), 0, 2) else { return false };
                let end = pairs.after(pairs.after(at));
                replace(bytes, at..end, &[]);
                true
            }
            Hash::Large(map) => map.remove(field),
        }
    }

    fn enlarge(&mut self, member: &[u8], shapes: &Shapes) {
        let mut map = Map::new(2, shapes.seed(member));
        for (field, value) in self.as_ref().iter() {
            let mut written = Vec::new();
            Pairs::push_element(&mut written, value);
            map.insert(field.bytes(&mut super::pack::Digits::new()), &written);
        }
        *self = Hash::Large(Box::new(map));
    }
}

//! Hashes: fields with values.
//!
//! A small hash is a pack of fields and values in turn, in the order in which the fields came; a large one is a [`Map`]. A
//! hash some of whose fields have deadlines of their own is one of these with the deadlines beside it ([`Timed`]).

use super::map::Map;
use super::pack::{Bare, Digits, Element, Needle, replace, resize};
use super::timed::Timed;
use super::{Shapes, fits};
use crate::base::Rng;
use crate::keyspace::value::allocation;

type Pairs<'a> = Bare<'a>;

/// Draws for a field that is not due, where many are due and not yet removed, before any that is not will do.
const LIVE_DRAWS: usize = 64;

/// A hash.
#[derive(Clone, Debug)]
pub enum Hash {
    /// Fields and values in turn.
    Compact(Vec<u8>),
    /// Too many or too long for that.
    Large(Box<Map>),
    /// Either of these, with fields that have deadlines.
    Timed(Box<Timed>),
}

/// A hash where it lies.
#[derive(Clone, Copy, Debug)]
pub enum HashRef<'a> {
    /// Fields and values in turn.
    Compact(Pairs<'a>),
    /// A map.
    Large(&'a Map),
    /// Either of these, with deadlines.
    Timed(&'a Timed),
}

impl<'a> HashRef<'a> {
    /// Fields. Where many are due at once, those among them that are still to be removed count.
    pub fn len(self) -> usize {
        match self {
            HashRef::Compact(pairs) => pairs.count() / 2,
            HashRef::Large(map) => map.len(),
            HashRef::Timed(timed) => timed.fields().len(),
        }
    }

    /// Fields that are not due: what [`HashRef::iter`] goes through. Walks those that are.
    pub fn live_len(self) -> usize {
        match self {
            HashRef::Timed(timed) => timed.fields().len() - timed.due_len(),
            hash => hash.len(),
        }
    }

    /// Whether there is no field.
    pub fn is_empty(self) -> bool {
        match self {
            HashRef::Compact(pairs) => pairs.is_empty(),
            HashRef::Large(map) => map.is_empty(),
            HashRef::Timed(timed) => timed.fields().is_empty(),
        }
    }

    /// The value of a field.
    pub fn get(self, field: &[u8]) -> Option<Element<'a>> {
        match self {
            HashRef::Compact(pairs) => {
                let at = pairs.seek(&Needle::new(field), 2)?;
                Some(pairs.get(pairs.after(at)))
            }
            HashRef::Large(map) => map.get(field),
            HashRef::Timed(timed) if timed.is_due(field) => None,
            HashRef::Timed(timed) => timed.fields().get(field),
        }
    }

    /// The deadline of a field in milliseconds since 1970, if it has one.
    pub fn deadline(self, field: &[u8]) -> Option<u64> {
        match self {
            HashRef::Timed(timed) if !timed.is_due(field) => timed.deadline(field),
            _ => None,
        }
    }

    /// When the next field falls due, in milliseconds since 1970, if any has a deadline.
    #[inline]
    pub fn next_deadline(self) -> Option<u64> {
        match self {
            HashRef::Timed(timed) => timed.next_deadline(),
            _ => None,
        }
    }

    /// Fields with their values.
    pub fn iter(self) -> Box<dyn Iterator<Item = (Element<'a>, Element<'a>)> + 'a> {
        match self {
            HashRef::Compact(pairs) => Box::new(super::pairs(pairs)),
            HashRef::Large(map) => Box::new(map.iter().map(|(field, value)| (field, value.unwrap_or_default()))),
            HashRef::Timed(timed) if !timed.has_due() => timed.fields().iter(),
            HashRef::Timed(timed) => Box::new(timed.fields().iter().filter(|(field, _)| timed.is_live(*field))),
        }
    }

    /// Any field with its value, each as likely as another. `None` if there is none.
    pub fn random(self, rng: &mut Rng) -> Option<(Element<'a>, Element<'a>)> {
        match self {
            HashRef::Compact(pairs) if pairs.is_empty() => None,
            HashRef::Compact(pairs) => {
                let at = pairs.place(2 * rng.usize(..pairs.count() / 2));
                Some((pairs.get(at), pairs.get(pairs.after(at))))
            }
            HashRef::Large(map) => map.random(rng).map(|(field, value)| (field, value.unwrap_or_default())),
            HashRef::Timed(timed) if !timed.has_due() => timed.fields().random(rng),
            HashRef::Timed(timed) => (0..LIVE_DRAWS)
                .find_map(|_| timed.fields().random(rng).filter(|(field, _)| timed.is_live(*field)))
                .or_else(|| self.iter().next()),
        }
    }

    /// Visits about `count` fields from a cursor on, all of them if the hash is small; answers where to go on, 0 at the
    /// end. See [`Map::scan`].
    pub fn scan(self, cursor: u64, count: usize, mut visit: impl FnMut(Element<'a>, Element<'a>)) -> u64 {
        match self {
            HashRef::Large(map) => map.scan(cursor, count, |(field, value)| visit(field, value.unwrap_or_default())),
            HashRef::Timed(timed) => match timed.fields() {
                HashRef::Large(map) => map.scan(cursor, count, |(field, value)| {
                    if timed.is_live(field) {
                        visit(field, value.unwrap_or_default());
                    }
                }),
                _ => self.visit_all(visit),
            },
            small => small.visit_all(visit),
        }
    }

    fn visit_all(self, mut visit: impl FnMut(Element<'a>, Element<'a>)) -> u64 {
        self.iter().for_each(|(field, value)| visit(field, value));
        0
    }

    /// Whether it is a map, so that a walk over it may take long.
    pub fn is_large(self) -> bool {
        match self {
            HashRef::Compact(_) => false,
            HashRef::Large(_) => true,
            HashRef::Timed(timed) => timed.fields().is_large(),
        }
    }
}

impl HashRef<'_> {
    /// The hash, owned.
    pub fn to_hash(self) -> Hash {
        match self {
            HashRef::Compact(pairs) => Hash::Compact(pairs.bytes().to_vec()),
            HashRef::Large(map) => Hash::Large(Box::new(map.clone())),
            HashRef::Timed(timed) => Hash::Timed(Box::new(timed.clone())),
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
            Hash::Compact(bytes) => HashRef::Compact(Pairs::new(bytes)),
            Hash::Large(map) => HashRef::Large(map),
            Hash::Timed(timed) => HashRef::Timed(timed),
        }
    }

    /// Sets a field, which has no deadline from here on. True if it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], shapes: &Shapes) -> bool {
        if let Hash::Timed(timed) = self {
            let is_new = timed.set(field, value, shapes);
            self.settle();
            return is_new;
        }
        self.set_plain(field, value, shapes)
    }

    /// Sets a field, which keeps its deadline. True if it is new.
    pub fn replace(&mut self, field: &[u8], value: &[u8], shapes: &Shapes) -> bool {
        match self {
            Hash::Timed(timed) if !timed.is_due(field) => timed.replace(field, value, shapes),
            _ => self.set(field, value, shapes),
        }
    }

    /// Sets a field of a hash without deadlines.
    fn set_plain(&mut self, field: &[u8], value: &[u8], shapes: &Shapes) -> bool {
        if let Hash::Compact(bytes) = self {
            let (max, limits) = (shapes.compact.hash_value_bytes, shapes.compact.hash_entries);
            let (pairs, needle, new_value) = (Pairs::new(bytes), Needle::new(field), Needle::new(value));
            let place = pairs.seek(&needle, 2);
            let is_full = place.is_none() && pairs.count() / 2 >= limits;
            if field.len() <= max && value.len() <= max && !is_full && fits(bytes, field.len() + value.len()) {
                match place {
                    Some(at) => {
                        let range = pairs.range(pairs.after(at));
                        resize(bytes, range.clone(), new_value.element_len());
                        new_value.write(&mut bytes[range.start..][..new_value.element_len()]);
                    }
                    None => {
                        needle.push(bytes);
                        new_value.push(bytes);
                    }
                }
                return place.is_none();
            }
            self.enlarge(field, shapes);
        }
        match self {
            Hash::Large(map) => map.insert(field, &Pairs::element_of(value)),
            Hash::Compact(_) | Hash::Timed(_) => unreachable!("enlarged above, and without deadlines"),
        }
    }

    /// Removes a field. True if it was there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match self {
            Hash::Compact(bytes) => {
                let pairs = Pairs::new(bytes);
                let Some(at) = pairs.seek(&Needle::new(field), 2) else { return false };
                let end = pairs.after(pairs.after(at));
                replace(bytes, at..end, &[]);
                true
            }
            Hash::Large(map) => map.remove(field),
            Hash::Timed(timed) => {
                let removed = timed.remove(field);
                self.settle();
                removed
            }
        }
    }

    /// Gives a field, which must be there, a deadline in milliseconds since 1970.
    pub fn set_deadline(&mut self, field: &[u8], unix_ms: u64, shapes: &Shapes) {
        if !matches!(self, Hash::Timed(_)) {
            *self = Hash::Timed(Box::new(Timed::new(std::mem::take(self), shapes.seed(field))));
        }
        if let Hash::Timed(timed) = self {
            timed.set_deadline(field, unix_ms);
        }
    }

    /// Takes the deadline of a field away. True if it had one.
    pub fn persist(&mut self, field: &[u8]) -> bool {
        match self {
            Hash::Timed(timed) if !timed.is_due(field) => {
                let had_one = timed.persist(field);
                self.settle();
                had_one
            }
            _ => false,
        }
    }

    /// Removes up to `count` fields that are due; the rest of them are not seen any more. Answers how many were removed.
    pub fn expire(&mut self, now_ms: u64, count: usize) -> usize {
        let Hash::Timed(timed) = self else { return 0 };
        let removed = timed.expire(now_ms, count);
        self.settle();
        removed
    }

    /// A hash without deadlines pays nothing for them.
    fn settle(&mut self) {
        if let Hash::Timed(timed) = self
            && timed.next_deadline().is_none()
        {
            *self = timed.take_fields();
        }
    }

    /// Bytes on the heap beside a compact hash, as the allocator rounds them.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Hash::Compact(bytes) => allocation(bytes.len()),
            Hash::Large(map) => allocation(size_of::<Map>()) + map.heap_bytes(),
            Hash::Timed(timed) => allocation(size_of::<Timed>()) + timed.heap_bytes(),
        }
    }

    /// Drops about so many bytes of it. False when nothing is left that takes long to drop.
    pub(super) fn drop_some(&mut self, bytes: usize) -> bool {
        match self {
            Hash::Compact(_) => false,
            Hash::Large(map) => map.drop_some(bytes),
            Hash::Timed(timed) => timed.drop_some(bytes),
        }
    }

    /// Makes the hash a map, because of a field that is about to be set.
    fn enlarge(&mut self, because: &[u8], shapes: &Shapes) {
        let mut map = Map::new(2, shapes.seed(because));
        let mut written = Vec::new();
        for (field, value) in self.as_ref().iter() {
            written.clear();
            Pairs::push_element(&mut written, value);
            map.insert(field.bytes(&mut Digits::new()), &written);
        }
        *self = Hash::Large(Box::new(map));
    }
}

#[cfg(test)]
mod tests;

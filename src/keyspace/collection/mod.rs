//! Lists, sets, hashes and sorted sets.
//!
//! A small collection is **compact**: one run of bytes, which lies in the key's entry like a short string. A large one is a
//! structure of its own outside the entry, none of whose operations takes longer than its depth: a [`Map`](map::Map) that
//! grows bucket by bucket, a [`Sequence`](sequence::Sequence) that is a tree of packs.
//!
//! ```text
//!            compact                        large
//! list       elements                       Sequence
//! set        whole numbers in order, or     Map
//!            elements
//! hash       fields and values in turn      Map
//! sorted set members and scores in turn     Map (member to score) and Sequence (by score)
//! ```
//!
//! Once large, a collection stays so until it is gone, as in Redis (lists become compact again when they shrink). The
//! settings that say how much is still small have Redis's names ([`CompactLimits`]).
//!
//! | file | what |
//! |------|------|
//! | `list`, `set`, `hash`, `zset` | the types: one file each, with what commands ask for |
//! | `timed` | hashes whose fields have deadlines |
//! | `pack`, `integers` | runs of bytes |
//! | `map`, `sequence` | structures of large collections |

pub mod hash;
pub mod list;
pub mod map;
pub mod pack;
pub mod sequence;
pub mod set;
mod timed;
pub mod zset;

use super::value::allocation;
use crate::base::KeyHasher;
use crate::config::Config;
use pack::{Bare, Element};

pub use hash::{Hash, HashRef};
pub use list::{List, ListRef};
pub use set::{Set, SetRef};
pub use timed::Timed;
pub use zset::{ZSet, ZSetRef};

/// Bytes of a compact collection, whatever the settings say: it lies in its entry.
const COMPACT_BYTES_MAX: usize = super::entry::INLINE_VALUE_BYTES_MAX - 1;

/// How much is small: the settings of these names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CompactLimits {
    /// `hash-max-listpack-entries`
    pub hash_entries: usize,
    /// `hash-max-listpack-value`, in bytes.
    pub hash_value_bytes: usize,
    /// `set-max-intset-entries`
    pub set_integers: usize,
    /// `set-max-listpack-entries`
    pub set_entries: usize,
    /// `set-max-listpack-value`, in bytes.
    pub set_value_bytes: usize,
    /// `zset-max-listpack-entries`
    pub zset_entries: usize,
    /// `zset-max-listpack-value`, in bytes.
    pub zset_value_bytes: usize,
    /// `list-max-listpack-size`: elements if positive, a size class from -1 (4 KiB) to -5 (64 KiB) if negative.
    pub list_size: i32,
}

impl CompactLimits {
    /// What the settings say.
    pub fn of(config: &Config) -> Self {
        let count = |setting: u64| usize::try_from(setting).unwrap_or(usize::MAX);
        Self {
            hash_entries: count(config.hash_entries),
            hash_value_bytes: count(config.hash_value_bytes),
            set_integers: count(config.set_integers),
            set_entries: count(config.set_entries),
            set_value_bytes: count(config.set_value_bytes),
            zset_entries: count(config.zset_entries),
            zset_value_bytes: count(config.zset_value_bytes),
            list_size: config.list_size,
        }
    }
}

/// How collections grow.
#[derive(Clone, Debug)]
pub struct Shapes {
    /// Up to when they are compact.
    pub compact: CompactLimits,
    /// Makes the seeds of large ones.
    pub hasher: KeyHasher,
}

impl Shapes {
    /// A seed for a map that `member` made large: clients cannot know it.
    fn seed(&self, member: &[u8]) -> u64 {
        self.hasher.hash(member)
    }
}

/// A collection of any type.
#[derive(Clone, Debug)]
pub enum Collection {
    /// A list.
    List(List),
    /// A set.
    Set(Set),
    /// A hash.
    Hash(Hash),
    /// A sorted set.
    ZSet(ZSet),
}

/// A collection where it lies.
#[derive(Clone, Copy, Debug)]
pub enum CollectionRef<'a> {
    /// A list.
    List(ListRef<'a>),
    /// A set.
    Set(SetRef<'a>),
    /// A hash.
    Hash(HashRef<'a>),
    /// A sorted set.
    ZSet(ZSetRef<'a>),
}

/// What a run of bytes is that holds a compact collection: its first byte in an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Form {
    List = 1,
    Integers = 2,
    Set = 3,
    Hash = 4,
    ZSet = 5,
}

impl Form {
    fn of(byte: u8) -> Self {
        match byte {
            1 => Form::List,
            2 => Form::Integers,
            3 => Form::Set,
            4 => Form::Hash,
            _ => Form::ZSet,
        }
    }
}

impl Collection {
    /// One with nothing in it, which takes nothing, to stand where one was taken from.
    pub(super) const EMPTY: Self = Self::List(List::Compact(Vec::new()));

    /// The compact collection in the bytes of an entry, whose first byte says what it is, copied to `buffer`.
    pub(super) fn open(stored: &[u8], mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        let Some((&form, bytes)) = stored.split_first() else { return Collection::List(List::default()) };
        buffer.extend_from_slice(bytes);
        Self::of(Form::of(form), buffer)
    }

    /// The compact collection in these bytes.
    pub(super) fn of(form: Form, bytes: Vec<u8>) -> Self {
        match form {
            Form::List => Collection::List(List::Compact(bytes)),
            Form::Integers => Collection::Set(Set::Integers(bytes)),
            Form::Set => Collection::Set(Set::Compact(bytes)),
            Form::Hash => Collection::Hash(Hash::Compact(bytes)),
            Form::ZSet => Collection::ZSet(ZSet::Compact(bytes)),
        }
    }

    /// The bytes of a compact collection.
    pub(super) fn compact(&self) -> Option<(Form, &[u8])> {
        match self {
            Collection::List(List::Compact(bytes)) => Some((Form::List, bytes)),
            Collection::Set(Set::Integers(bytes)) => Some((Form::Integers, bytes)),
            Collection::Set(Set::Compact(bytes)) => Some((Form::Set, bytes)),
            Collection::Hash(Hash::Compact(bytes)) => Some((Form::Hash, bytes)),
            Collection::ZSet(ZSet::Compact(bytes)) => Some((Form::ZSet, bytes)),
            _ => None,
        }
    }

    /// The buffer of a compact collection, for the next one.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        match self {
            Collection::List(List::Compact(bytes))
            | Collection::Set(Set::Integers(bytes) | Set::Compact(bytes))
            | Collection::Hash(Hash::Compact(bytes))
            | Collection::ZSet(ZSet::Compact(bytes)) => bytes,
            _ => Vec::new(),
        }
    }

    /// The collection as a reference.
    #[inline]
    pub fn as_ref(&self) -> CollectionRef<'_> {
        match self {
            Collection::List(list) => CollectionRef::List(list.as_ref()),
            Collection::Set(set) => CollectionRef::Set(set.as_ref()),
            Collection::Hash(hash) => CollectionRef::Hash(hash.as_ref()),
            Collection::ZSet(zset) => CollectionRef::ZSet(zset.as_ref()),
        }
    }

    /// Whether nothing is in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.as_ref().is_empty()
    }

    /// Bytes outside the value itself, as the allocator rounds them.
    #[inline]
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Collection::List(List::Large(list)) => list.heap_bytes(),
            Collection::Set(Set::Large(map)) => allocation(size_of::<map::Map>()) + map.heap_bytes(),
            Collection::Hash(hash) => hash.heap_bytes(),
            Collection::ZSet(ZSet::Large(zset)) => zset.heap_bytes(),
            _ => self.compact().map_or(0, |(_, bytes)| allocation(bytes.len())),
        }
    }

    /// Drops about so many bytes of it. False when nothing is left that takes long to drop.
    pub(super) fn drop_some(&mut self, bytes: usize) -> bool {
        match self {
            Collection::Set(Set::Large(map)) => map.drop_some(bytes),
            Collection::Hash(hash) => hash.drop_some(bytes),
            Collection::ZSet(ZSet::Large(zset)) => zset.drop_some(bytes),
            _ => false,
        }
    }
}

impl<'a> CollectionRef<'a> {
    /// The compact collection in the bytes of an entry, whose first byte says what it is.
    #[inline]
    pub(super) fn read(stored: &'a [u8]) -> Self {
        let Some((&form, bytes)) = stored.split_first() else { return CollectionRef::List(ListRef::default()) };
        Self::of(Form::of(form), bytes)
    }

    /// The compact collection in these bytes.
    #[inline]
    pub(super) fn of(form: Form, bytes: &'a [u8]) -> Self {
        match form {
            Form::List => CollectionRef::List(ListRef::Compact(list::Elements::new(bytes))),
            Form::Integers => CollectionRef::Set(SetRef::Integers(set::integers::Integers::new(bytes))),
            Form::Set => CollectionRef::Set(SetRef::Compact(Bare::new(bytes))),
            Form::Hash => CollectionRef::Hash(HashRef::Compact(Bare::new(bytes))),
            Form::ZSet => CollectionRef::ZSet(ZSetRef::Compact(Bare::new(bytes))),
        }
    }

    /// The form of a compact collection of the same type.
    pub(super) fn form(self) -> Form {
        match self {
            CollectionRef::List(_) => Form::List,
            CollectionRef::Set(_) => Form::Set,
            CollectionRef::Hash(_) => Form::Hash,
            CollectionRef::ZSet(_) => Form::ZSet,
        }
    }

    /// Elements, fields or members.
    pub fn len(self) -> usize {
        match self {
            CollectionRef::List(list) => list.len(),
            CollectionRef::Set(set) => set.len(),
            CollectionRef::Hash(hash) => hash.len(),
            CollectionRef::ZSet(zset) => zset.len(),
        }
    }

    /// Whether nothing is in it.
    #[inline]
    pub fn is_empty(self) -> bool {
        match self {
            CollectionRef::List(list) => list.is_empty(),
            CollectionRef::Set(set) => set.is_empty(),
            CollectionRef::Hash(hash) => hash.is_empty(),
            CollectionRef::ZSet(zset) => zset.is_empty(),
        }
    }

    /// When the next field of a hash falls due, in milliseconds since 1970, if it is one with deadlines of fields.
    #[inline]
    pub fn next_field_deadline(self) -> Option<u64> {
        match self {
            CollectionRef::Hash(hash) => hash.next_deadline(),
            _ => None,
        }
    }

    /// The name that TYPE answers.
    pub fn type_name(self) -> &'static str {
        match self {
            CollectionRef::List(_) => "list",
            CollectionRef::Set(_) => "set",
            CollectionRef::Hash(_) => "hash",
            CollectionRef::ZSet(_) => "zset",
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(self) -> &'static str {
        match self {
            CollectionRef::List(ListRef::Large(_)) => "quicklist",
            CollectionRef::Set(SetRef::Integers(_)) => "intset",
            CollectionRef::Set(SetRef::Large(_)) => "hashtable",
            CollectionRef::Hash(hash) if hash.is_large() => "hashtable",
            CollectionRef::Hash(HashRef::Timed(_)) => "listpackex",
            CollectionRef::ZSet(ZSetRef::Large(_)) => "skiplist",
            _ => "listpack",
        }
    }

    /// The collection, owned.
    pub fn to_collection(self) -> Collection {
        match self {
            CollectionRef::List(list) => Collection::List(list.to_list()),
            CollectionRef::Set(set) => Collection::Set(set.to_set()),
            CollectionRef::Hash(hash) => Collection::Hash(hash.to_hash()),
            CollectionRef::ZSet(zset) => Collection::ZSet(zset.to_zset()),
        }
    }
}

/// Whether a compact collection may grow by an element, or two, of so many bytes.
fn fits(bytes: &[u8], more: usize) -> bool {
    // Tag and length of two elements.
    bytes.len() + more + 2 * 5 <= COMPACT_BYTES_MAX
}

/// The elements of a pack two by two.
fn pairs<'a>(pack: Bare<'a>) -> impl Iterator<Item = (Element<'a>, Element<'a>)> {
    let mut elements = pack.iter().map(|(_, element)| element);
    std::iter::from_fn(move || Some((elements.next()?, elements.next()?)))
}

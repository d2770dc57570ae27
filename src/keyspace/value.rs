//! Values: owned, on their way; as references, where they lie; and as objects, which lie outside their entries.
//!
//! The string encodings are those that Redis names in OBJECT ENCODING, chosen by the same rules: a whole number of at
//! most 20 characters is `int`, a string set in one go of at most 44 bytes is `embstr`, everything else is `raw`.

use std::sync::Arc;

use bytes::Bytes;

use super::collection::{Collection, CollectionRef, Form};
pub(super) use super::packing::Packed;
use super::packing::{Codec, unpack};
use crate::limits::LARGE_VALUE_BYTES;

/// Longest string that Redis keeps beside its header (`OBJ_ENCODING_EMBSTR_SIZE_LIMIT`).
const EMBEDDED_BYTES_MAX: usize = 44;
/// Size from which an allocation is a mapping of its own (see `os::memory`).
const MAPPED_BYTES_MIN: usize = 128 * 1024;
const PAGE_BYTES: usize = 4096;
/// What an `Arc` takes beside what it holds.
const COUNTS_BYTES: usize = 2 * size_of::<usize>();
/// Longest text of an `i64`.
const INTEGER_TEXT_MAX: usize = 20;

/// The value of one key, owned.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string that is a whole number in its shortest form.
    Int(i64),
    /// A short string that was set in one go.
    Embedded(Box<[u8]>),
    /// Any other string; grows in place.
    Raw(Vec<u8>),
    /// A string of [`LARGE_VALUE_BYTES`] or more: shared with whoever sends it.
    Large(Bytes),
    /// A list, set, hash or sorted set.
    Collection(Box<Collection>),
    /// The same, of which a command on another core reads, or has read, too (see `guests`).
    Shared(Arc<Collection>),
    /// In place of a value that is with a command on another core, or need not go there (see `guests`).
    #[doc(hidden)]
    Away(Away),
    /// A compressed string. Values of this kind do not leave the keyspace.
    #[doc(hidden)]
    Packed(PackedValue),
}

/// A compressed string too large for its entry.
#[derive(Clone, Debug)]
pub struct PackedValue {
    codec: Codec,
    original_len: u32,
    bytes: Box<[u8]>,
}

/// What stands in place of a value. It looks like one of its type with nothing in it.
#[derive(Clone, Copy, Debug)]
pub struct Away {
    /// `None`: a string.
    form: Option<Form>,
    /// Bytes outside the value itself, which are charged where it will come back to.
    heap_bytes: usize,
}

/// The value of one key where it lies.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A string that is a whole number in its shortest form.
    Int(i64),
    /// A short string that was set in one go.
    Embedded(&'a [u8]),
    /// Any other string.
    Raw(&'a [u8]),
    /// A string of [`LARGE_VALUE_BYTES`] or more, for sharing with whoever sends it.
    Large(&'a Bytes),
    /// A list, set, hash or sorted set.
    Collection(CollectionRef<'a>),
    /// A compressed string; [`ValueRef::string_bytes`] unpacks it.
    Packed(Packed<'a>),
}

/// Where a value is written out that does not lie in memory as the string that it is.
#[derive(Default)]
pub struct Scratch {
    number: itoa::Buffer,
    unpacked: Vec<u8>,
}

/// What lies outside its entry: a value that is large or grows, and a key that is too long.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) key: Option<Box<[u8]>>,
    pub(super) value: Value,
}

impl Object {
    /// Bytes outside the object itself.
    #[inline]
    pub(super) fn heap_bytes(&self) -> usize {
        self.key.as_ref().map_or(0, |key| allocation(key.len())) + self.value.heap_bytes()
    }

    /// When the next field falls due, in milliseconds since 1970, if it is a hash with deadlines of fields.
    #[inline]
    pub(super) fn next_field_deadline(&self) -> Option<u64> {
        match &self.value {
            Value::Collection(collection) => (**collection).as_ref().next_field_deadline(),
            Value::Shared(collection) => (**collection).as_ref().next_field_deadline(),
            _ => None,
        }
    }
}

impl Value {
    /// A string value in the encoding that Redis would choose for it.
    pub fn string(bytes: &[u8]) -> Self {
        match canonical_integer(bytes) {
            Some(number) => Value::Int(number),
            None => Value::text(bytes),
        }
    }

    /// A string value that is kept as text even where it is a whole number, as Redis keeps what INCRBYFLOAT answers.
    pub fn text(bytes: &[u8]) -> Self {
        if bytes.len() <= EMBEDDED_BYTES_MAX {
            Value::Embedded(bytes.into())
        } else if bytes.len() < LARGE_VALUE_BYTES {
            Value::Raw(bytes.to_vec())
        } else {
            Value::Large(Bytes::copy_from_slice(bytes))
        }
    }

    /// The value as a reference.
    #[inline]
    pub fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Value::Int(number) => ValueRef::Int(*number),
            Value::Embedded(bytes) => ValueRef::Embedded(bytes),
            Value::Raw(bytes) => ValueRef::Raw(bytes),
            Value::Large(bytes) => ValueRef::Large(bytes),
            Value::Collection(collection) => ValueRef::Collection((**collection).as_ref()),
            Value::Shared(collection) => ValueRef::Collection((**collection).as_ref()),
            Value::Away(away) => {
                away.form.map_or(ValueRef::Raw(&[]), |form| ValueRef::Collection(CollectionRef::of(form, &[])))
            }
            Value::Packed(packed) => ValueRef::Packed(packed.as_ref()),
        }
    }

    /// The string as a growable buffer; from here on its encoding is `raw`, as in Redis after APPEND or SETRANGE.
    pub(super) fn make_raw(&mut self) -> &mut Vec<u8> {
        if !matches!(self, Value::Raw(_)) {
            let bytes = match std::mem::replace(self, Value::Int(0)) {
                // Takes the buffer over where nobody else holds it, copies where a reply is still on its way.
                Value::Large(bytes) => Vec::from(bytes),
                Value::Embedded(bytes) => bytes.into_vec(),
                other => other.as_ref().string_bytes(&mut Scratch::default()).to_vec(),
            };
            *self = Value::Raw(bytes);
        }
        match self {
            Value::Raw(bytes) => bytes,
            _ => unreachable!("made raw above"),
        }
    }

    /// Makes a large string ready for sharing with the network.
    pub(super) fn share(&mut self) {
        if let Value::Raw(bytes) = self
            && bytes.len() >= LARGE_VALUE_BYTES
        {
            *self = Value::Large(Bytes::from(std::mem::take(bytes)));
        }
    }

    /// The collection, to be changed: one that was shared is copied only if somebody still has the other reference.
    pub(super) fn collection_mut(&mut self) -> Option<&mut Collection> {
        if let Value::Shared(shared) = self {
            let collection = match Arc::get_mut(shared) {
                Some(collection) => std::mem::replace(collection, Collection::EMPTY),
                None => (**shared).clone(),
            };
            *self = Value::Collection(Box::new(collection));
        }
        match self {
            Value::Collection(collection) => Some(collection),
            _ => None,
        }
    }

    /// A reference of its own to a value that is not small, for a command that reads it elsewhere; a copy of any other.
    pub(super) fn share_out(&mut self) -> Self {
        if let Value::Collection(collection) = self {
            *self = Value::Shared(Arc::new(std::mem::replace(&mut **collection, Collection::EMPTY)));
        }
        self.share();
        match self {
            Value::Shared(collection) => Value::Shared(collection.clone()),
            value => value.as_ref().to_value(),
        }
    }

    /// Gives the value away, and is charged for it as before. A compressed one stays, and gives a copy.
    pub(super) fn give_away(&mut self) -> Self {
        match self {
            Value::Packed(_) => self.as_ref().to_value(),
            _ => std::mem::replace(self, Value::Away(Away { heap_bytes: self.heap_bytes(), ..self.as_ref().absent() })),
        }
    }

    /// Whether the value is elsewhere.
    pub(super) fn is_away(&self) -> bool {
        matches!(self, Value::Away(_))
    }

    /// Bytes that the value holds outside itself, as the allocator rounds them.
    #[inline]
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Value::Int(_) => 0,
            Value::Embedded(bytes) => allocation(bytes.len()),
            Value::Raw(bytes) => allocation(bytes.capacity()),
            Value::Large(bytes) => allocation(bytes.len()),
            Value::Collection(collection) => allocation(size_of::<Collection>()) + collection.heap_bytes(),
            Value::Shared(collection) => allocation(size_of::<Collection>() + COUNTS_BYTES) + collection.heap_bytes(),
            Value::Away(away) => away.heap_bytes,
            Value::Packed(packed) => allocation(packed.bytes.len()),
        }
    }
}

impl PackedValue {
    fn as_ref(&self) -> Packed<'_> {
        Packed { codec: self.codec, original_len: self.original_len, bytes: &self.bytes }
    }
}

impl From<Packed<'_>> for PackedValue {
    fn from(packed: Packed<'_>) -> Self {
        Self { codec: packed.codec, original_len: packed.original_len, bytes: packed.bytes.into() }
    }
}

impl<'a> ValueRef<'a> {
    /// A string that was set in one go.
    #[inline]
    pub(super) fn text(bytes: &'a [u8]) -> Self {
        if bytes.len() <= EMBEDDED_BYTES_MAX { ValueRef::Embedded(bytes) } else { ValueRef::Raw(bytes) }
    }

    /// What stands in place of the value where it need not go, or has gone from.
    pub(super) fn absent(self) -> Away {
        Away { form: self.collection().map(CollectionRef::form), heap_bytes: 0 }
    }

    /// Whether the value is a string, in whatever encoding.
    #[inline]
    pub fn is_string(self) -> bool {
        match self {
            ValueRef::Int(_) | ValueRef::Embedded(_) | ValueRef::Raw(_) | ValueRef::Large(_) | ValueRef::Packed(_) => {
                true
            }
            ValueRef::Collection(_) => false,
        }
    }

    /// The collection, if the value is one.
    #[inline]
    pub fn collection(self) -> Option<CollectionRef<'a>> {
        match self {
            ValueRef::Collection(collection) => Some(collection),
            _ => None,
        }
    }

    /// The name that TYPE answers.
    pub fn type_name(self) -> &'static str {
        match self {
            ValueRef::Int(_) | ValueRef::Embedded(_) | ValueRef::Raw(_) | ValueRef::Large(_) | ValueRef::Packed(_) => {
                "string"
            }
            ValueRef::Collection(collection) => collection.type_name(),
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(self) -> &'static str {
        match self {
            ValueRef::Int(_) => "int",
            ValueRef::Embedded(_) => "embstr",
            ValueRef::Raw(_) | ValueRef::Large(_) | ValueRef::Packed(_) => "raw",
            ValueRef::Collection(collection) => collection.encoding_name(),
        }
    }

    /// The bytes of a string value (a collection has none); what does not lie in memory as it is written is written into `scratch`.
    #[inline]
    pub fn string_bytes<'s>(self, scratch: &'s mut Scratch) -> &'s [u8]
    where
        'a: 's,
    {
        match self {
            ValueRef::Int(number) => scratch.number.format(number).as_bytes(),
            ValueRef::Embedded(bytes) | ValueRef::Raw(bytes) => bytes,
            ValueRef::Large(bytes) => bytes,
            ValueRef::Packed(packed) => {
                unpack(packed, &mut scratch.unpacked);
                &scratch.unpacked
            }
            ValueRef::Collection(_) => &[],
        }
    }

    /// Length of a string value in bytes.
    pub fn string_len(self) -> usize {
        match self {
            ValueRef::Packed(packed) => packed.original_len as usize,
            value => value.string_bytes(&mut Scratch::default()).len(),
        }
    }

    /// The value, owned and unpacked. Large strings are shared, not copied.
    pub fn to_value(self) -> Value {
        match self {
            ValueRef::Int(number) => Value::Int(number),
            ValueRef::Embedded(bytes) => Value::Embedded(bytes.into()),
            ValueRef::Raw(bytes) => Value::Raw(bytes.to_vec()),
            ValueRef::Large(bytes) => Value::Large(bytes.clone()),
            ValueRef::Collection(collection) => Value::Collection(Box::new(collection.to_collection())),
            ValueRef::Packed(_) => Value::text(self.string_bytes(&mut Scratch::default())),
        }
    }
}

/// What one allocation of `size` bytes takes: up to 64 bytes a multiple of 16, above a quarter, two, three or four
/// quarters more than a power of two (the sizes of mimalloc); from 128 KiB on a mapping of its own, in whole pages, with a
/// header of 16 bytes (glibc's).
#[inline]
pub(super) fn allocation(size: usize) -> usize {
    match size {
        0..=8 => size.next_multiple_of(8),
        9..=64 => size.next_multiple_of(16),
        size if size >= MAPPED_BYTES_MIN => (size + 16).next_multiple_of(PAGE_BYTES),
        size => size.next_multiple_of(1 << ((size - 1).ilog2() - 2)),
    }
}

/// The number that `bytes` is the shortest decimal form of, if there is one: no sign but a minus, no leading zero.
#[inline]
pub(super) fn canonical_integer(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() || bytes.len() > INTEGER_TEXT_MAX {
        return None;
    }
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    let mut value: i64 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        let digit = i64::from(digit - b'0');
        // Counts downward, because the smallest number has no positive counterpart.
        value = value.checked_mul(10)?.checked_sub(digit)?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_follow_redis() {
        for (text, encoding) in [
            ("0", "int"),
            ("-1", "int"),
            ("9223372036854775807", "int"),
            ("-9223372036854775808", "int"),
            ("9223372036854775808", "embstr"),
            ("-0", "embstr"),
            ("+1", "embstr"),
            ("01", "embstr"),
            ("", "embstr"),
            ("1 ", "embstr"),
            (&"x".repeat(44), "embstr"),
            (&"x".repeat(45), "raw"),
            (&"x".repeat(20_000), "raw"),
        ] {
            let value = Value::string(text.as_bytes());
            assert_eq!(value.as_ref().encoding_name(), encoding, "{text:.50}");
            assert_eq!(value.as_ref().string_bytes(&mut Scratch::default()), text.as_bytes());
        }
    }

    #[test]
    fn a_shared_value_survives_a_change_of_the_original() {
        let mut value = Value::Raw(vec![7; 20_000]);
        value.share();
        let Value::Large(shared) = value.clone() else { panic!("shared") };
        value.make_raw().push(8);
        assert_eq!(shared.len(), 20_000);
        assert_eq!(value.as_ref().string_len(), 20_001);
        assert_eq!(value.as_ref().encoding_name(), "raw");
    }
}

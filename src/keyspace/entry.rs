//! An entry: one key with its value in one cell, drawn byte by byte.
//!
//! ```text
//! 0         1         2                   4
//! [ flags ] [ key's ] [ value's length  ] [ deadline ][ access ][ key's length ][ key ][ value ]
//!           [ length] [ 14 bits | hits 2]   0, 4 or 8   0 or 3     0 or 2 bytes
//!
//! flags   kind 3 | deadline's form 2 | access 1 | in main 1 | mark 1      never 0
//! ```
//!
//! A key of 16 bytes with a value of 64 takes 84 bytes, with a deadline of the next weeks 88: one cell of 88 either way.
//! A key length of 255 says that two bytes behind the access hold it; 65535 there, that the key stands in the object.
//!
//! | kind   | value |
//! |--------|-------|
//! | number | the bytes that a whole number needs, little-endian |
//! | text   | a string that was set in one go: `embstr` or `raw` by its length |
//! | raw    | a short string that was changed in place, which is `raw` whatever its length |
//! | packed | a compressed string: codec, length of the original (u32), the rest |
//! | object | number of an [`Object`], which holds what is large or grows (u32) |
//! | collection | a compact collection: a byte that says which, and its bytes (see `collection`) |
//!
//! **Access** is the stamp of the policies that go by recency or frequency (see `policy::clock`); under the others no
//! entry pays for it. **Hits**, **in main** and **mark** belong to the policies that go by queues.

use super::collection::{self, CollectionRef};
use super::deadline::{Deadline, Epochs, Form};
use super::value::{Object, Packed, Value, ValueRef};

/// Largest value that lies in its entry.
pub(super) const INLINE_VALUE_BYTES_MAX: usize = (1 << 14) - 1;
/// Largest key that lies in its entry.
pub(super) const INLINE_KEY_BYTES_MAX: usize = 4096;
/// Bytes in front of everything that may be missing.
const FIXED_BYTES: usize = 4;
const ACCESS_BYTES: usize = 3;
const ACCESS_MASK: u32 = (1 << (8 * ACCESS_BYTES)) - 1;
/// Key length that says that two bytes more hold it.
const LONG_KEY: u8 = u8::MAX;
/// Long key length that says that the key stands in the object.
const KEY_IN_OBJECT: u16 = u16::MAX;

const ACCESS_BIT: u8 = 1 << 5;
const MAIN_BIT: u8 = 1 << 6;
const MARK_BIT: u8 = 1 << 7;
const FORM_SHIFT: u8 = 3;
const HITS_SHIFT: u16 = 14;

/// Largest count of hits that an entry keeps.
pub(super) const HITS_MAX: u8 = 3;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Kind {
    Number = 1,
    Text = 2,
    Raw = 3,
    Packed = 4,
    Object = 5,
    Collection = 6,
}

/// The first four bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Header {
    flags: u8,
    key_len: u8,
    /// Length of the value, and hits.
    tail: u16,
}

impl Header {
    #[inline]
    pub(super) fn read(cell: &[u8]) -> Self {
        match cell.first_chunk::<FIXED_BYTES>() {
            Some(&[flags, key_len, low, high]) => Self { flags, key_len, tail: u16::from_le_bytes([low, high]) },
            None => Self::default(),
        }
    }

    #[inline]
    pub(super) fn write(self, cell: &mut [u8]) {
        let [low, high] = self.tail.to_le_bytes();
        cell[..FIXED_BYTES].copy_from_slice(&[self.flags, self.key_len, low, high]);
    }

    #[inline]
    pub(super) fn kind(self) -> Kind {
        match self.flags & 7 {
            1 => Kind::Number,
            2 => Kind::Text,
            3 => Kind::Raw,
            4 => Kind::Packed,
            6 => Kind::Collection,
            _ => Kind::Object,
        }
    }

    #[inline]
    pub(super) fn form(self) -> Form {
        Form::of_bits(self.flags >> FORM_SHIFT)
    }

    #[inline]
    pub(super) fn has_deadline(self) -> bool {
        self.flags & (3 << FORM_SHIFT) != 0
    }

    #[inline]
    pub(super) fn has_access(self) -> bool {
        self.flags & ACCESS_BIT != 0
    }

    #[inline]
    pub(super) fn in_main(self) -> bool {
        self.flags & MAIN_BIT != 0
    }

    #[inline]
    pub(super) fn mark(self) -> bool {
        self.flags & MARK_BIT != 0
    }

    #[inline]
    pub(super) fn hits(self) -> u8 {
        (self.tail >> HITS_SHIFT) as u8
    }

    #[inline]
    pub(super) fn with_hits(self, hits: u8) -> Self {
        Self { tail: self.tail & INLINE_VALUE_BYTES_MAX as u16 | u16::from(hits.min(HITS_MAX)) << HITS_SHIFT, ..self }
    }

    pub(super) fn with_queue(self, in_main: bool, mark: bool) -> Self {
        let bits = if in_main { MAIN_BIT } else { 0 } | if mark { MARK_BIT } else { 0 };
        Self { flags: self.flags & !(MAIN_BIT | MARK_BIT) | bits, ..self }
    }

    /// Whether the value is a string of this length, as it was set, and stays until it is deleted.
    #[inline]
    pub(super) fn is_text_without_deadline(self, len: usize) -> bool {
        let form_and_kind = self.flags & (3 << FORM_SHIFT | 7);
        form_and_kind == Kind::Text as u8 && self.value_len() == len
    }

    #[inline]
    fn value_len(self) -> usize {
        usize::from(self.tail) & INLINE_VALUE_BYTES_MAX
    }

    #[inline]
    fn access_at(self) -> usize {
        // By the two bits of the form.
        const BYTES: [u8; 4] = [0, 4, 4, 8];
        FIXED_BYTES + usize::from(BYTES[usize::from(self.flags >> FORM_SHIFT & 3)])
    }

    #[inline]
    fn key_at(self) -> usize {
        self.access_at() + if self.has_access() { ACCESS_BYTES } else { 0 }
    }
}

/// Where key and value lie in a cell.
#[derive(Clone, Copy)]
struct Layout {
    key_at: usize,
    value_at: usize,
    key_in_object: bool,
}

impl Layout {
    #[inline]
    fn of(header: Header, cell: &[u8]) -> Self {
        let at = header.key_at();
        if header.key_len != LONG_KEY {
            return Self { key_at: at, value_at: at + usize::from(header.key_len), key_in_object: false };
        }
        let len = u16::from_le_bytes([cell[at], cell[at + 1]]);
        let key_in_object = len == KEY_IN_OBJECT;
        let value_at = at + 2 + if key_in_object { 0 } else { usize::from(len) };
        Self { key_at: at + 2, value_at, key_in_object }
    }
}

/// The objects of a database, by number.
pub(super) type Objects = slab::Slab<Object>;

/// One key with everything that belongs to it, read where it lies.
#[derive(Clone, Copy)]
pub struct EntryRef<'a> {
    pub(super) header: Header,
    pub(super) cell: &'a [u8],
    pub(super) objects: &'a Objects,
    pub(super) epochs: &'a Epochs,
}

impl<'a> EntryRef<'a> {
    /// The key.
    #[inline]
    pub fn key(self) -> &'a [u8] {
        key(self.cell, self.objects)
    }

    /// The value.
    #[inline(always)]
    pub fn value(self) -> ValueRef<'a> {
        let layout = Layout::of(self.header, self.cell);
        let bytes = &self.cell[layout.value_at..][..self.header.value_len()];
        match self.header.kind() {
            Kind::Text => ValueRef::text(bytes),
            kind => self.other_value(kind, bytes, layout),
        }
    }

    fn other_value(self, kind: Kind, bytes: &'a [u8], layout: Layout) -> ValueRef<'a> {
        match kind {
            Kind::Number => ValueRef::Int(read_number(bytes)),
            Kind::Text => ValueRef::text(bytes),
            Kind::Raw => ValueRef::Raw(bytes),
            Kind::Packed => ValueRef::Packed(Packed::read(bytes)),
            Kind::Collection => ValueRef::Collection(CollectionRef::read(bytes)),
            Kind::Object => self.object(layout).map_or(ValueRef::Raw(&[]), |object| object.value.as_ref()),
        }
    }

    /// The deadline.
    #[inline]
    pub fn deadline(self) -> Deadline {
        self.epochs.read(self.header.form(), &self.cell[FIXED_BYTES..])
    }

    /// The stamp of the last access, if entries carry one.
    #[inline]
    pub(super) fn access(self) -> Option<u32> {
        let at = self.header.access_at();
        self.header.has_access().then(|| u32::from_le_bytes([self.cell[at], self.cell[at + 1], self.cell[at + 2], 0]))
    }

    /// The number of the object that holds the value, if one does.
    #[inline]
    pub(super) fn object_number(self) -> Option<usize> {
        (self.header.kind() == Kind::Object).then(|| self.number(Layout::of(self.header, self.cell)))
    }

    /// Bytes that the value takes outside the cell.
    pub(super) fn object_bytes(self) -> usize {
        self.object_number().and_then(|number| self.objects.get(number)).map_or(0, Object::heap_bytes)
    }

    fn object(self, layout: Layout) -> Option<&'a Object> {
        self.objects.get(self.number(layout))
    }

    #[inline]
    fn number(self, layout: Layout) -> usize {
        object_number(self.cell, layout)
    }

    /// What would be written again, to change a part of it.
    pub(super) fn draft(self) -> Draft<'a> {
        let layout = Layout::of(self.header, self.cell);
        let bytes = &self.cell[layout.value_at..][..self.header.value_len()];
        Draft {
            header: self.header,
            deadline: self.deadline(),
            access: self.access(),
            key: if layout.key_in_object { None } else { Some(self.key()) },
            value: Stored { kind: self.header.kind(), bytes: StoredBytes::Lying(bytes) },
        }
    }
}

/// A value in the form in which it goes into a cell.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    kind: Kind,
    bytes: StoredBytes<'a>,
}

#[derive(Clone, Copy)]
enum StoredBytes<'a> {
    Lying(&'a [u8]),
    Number([u8; 8], u8),
    Formed(u8, &'a [u8]),
}

impl<'a> Stored<'a> {
    /// A whole number.
    #[inline]
    pub(super) fn number(number: i64) -> Self {
        Self { kind: Kind::Number, bytes: StoredBytes::Number(number.to_le_bytes(), number_len(number) as u8) }
    }

    /// A string as it was set; at most [`INLINE_VALUE_BYTES_MAX`].
    #[inline]
    pub(super) fn text(bytes: &'a [u8]) -> Self {
        Self { kind: Kind::Text, bytes: StoredBytes::Lying(bytes) }
    }

    /// A string that was changed in place; at most [`INLINE_VALUE_BYTES_MAX`].
    pub(super) fn raw(bytes: &'a [u8]) -> Self {
        Self { kind: Kind::Raw, bytes: StoredBytes::Lying(bytes) }
    }

    /// A compressed string with its codec and length in front; at most [`INLINE_VALUE_BYTES_MAX`].
    pub(super) fn packed(bytes: &'a [u8]) -> Self {
        Self { kind: Kind::Packed, bytes: StoredBytes::Lying(bytes) }
    }

    /// A compact collection, which is what its form says; with it at most [`INLINE_VALUE_BYTES_MAX`].
    pub(super) fn collection(form: collection::Form, bytes: &'a [u8]) -> Self {
        Self { kind: Kind::Collection, bytes: StoredBytes::Formed(form as u8, bytes) }
    }

    /// The object of this number.
    pub(super) fn object(number: usize) -> Self {
        let bytes = (number as u64).to_le_bytes();
        Self { kind: Kind::Object, bytes: StoredBytes::Number(bytes, 4) }
    }

    /// Whether the value lies in an object.
    #[inline]
    pub(super) fn is_object(&self) -> bool {
        self.kind == Kind::Object
    }

    #[inline]
    fn len(&self) -> usize {
        match &self.bytes {
            StoredBytes::Lying(bytes) => bytes.len(),
            StoredBytes::Number(_, len) => usize::from(*len),
            StoredBytes::Formed(_, bytes) => 1 + bytes.len(),
        }
    }

    /// Writes the value to where it is to lie: [`Stored::len`] bytes.
    #[inline]
    fn write(&self, to: &mut [u8]) {
        match &self.bytes {
            StoredBytes::Lying(bytes) => to.copy_from_slice(bytes),
            StoredBytes::Number(bytes, len) => to.copy_from_slice(&bytes[..usize::from(*len)]),
            StoredBytes::Formed(form, bytes) => {
                to[0] = *form;
                to[1..].copy_from_slice(bytes);
            }
        }
    }
}

/// An entry that is to be written.
pub(super) struct Draft<'a> {
    /// Hits and queue bits; everything else in it follows from the other fields.
    pub(super) header: Header,
    pub(super) deadline: Deadline,
    pub(super) access: Option<u32>,
    /// `None`: it stands in the object.
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Stored<'a>,
}

impl<'a> Draft<'a> {
    /// A new entry without hits.
    #[inline]
    pub(super) fn new(key: Option<&'a [u8]>, value: Stored<'a>, deadline: Deadline, access: Option<u32>) -> Self {
        Self { header: Header::default(), deadline, access, key, value }
    }

    /// Bytes that the entry takes with a deadline of this form.
    #[inline]
    pub(super) fn bytes(&self, form: Form) -> usize {
        let key = match self.key {
            None => 2,
            Some(key) if key.len() >= usize::from(LONG_KEY) => 2 + key.len(),
            Some(key) => key.len(),
        };
        let access = if self.access.is_some() { ACCESS_BYTES } else { 0 };
        FIXED_BYTES + form.bytes() + access + key + self.value.len()
    }

    /// Writes the entry into a cell of at least [`Draft::bytes`].
    #[inline]
    pub(super) fn write(&self, form: Form, epochs: &Epochs, cell: &mut [u8]) {
        let value_len = self.value.len();
        let key_len = match self.key {
            Some(key) if key.len() < usize::from(LONG_KEY) => key.len() as u8,
            _ => LONG_KEY,
        };
        let access_bit = if self.access.is_some() { ACCESS_BIT } else { 0 };
        let queue = self.header.flags & (MAIN_BIT | MARK_BIT);
        let flags = self.value.kind as u8 | form.bits() << FORM_SHIFT | access_bit | queue;
        let header = Header { flags, key_len, tail: value_len as u16 }.with_hits(self.header.hits());
        header.write(cell);
        epochs.write(self.deadline, form, &mut cell[FIXED_BYTES..]);
        if let Some(access) = self.access {
            write_access(header, cell, access);
        }
        let mut at = header.key_at();
        if key_len == LONG_KEY {
            let len = self.key.map_or(KEY_IN_OBJECT, |key| key.len() as u16);
            cell[at..at + 2].copy_from_slice(&len.to_le_bytes());
            at += 2;
        }
        if let Some(key) = self.key {
            cell[at..at + key.len()].copy_from_slice(key);
            at += key.len();
        }
        self.value.write(&mut cell[at..at + value_len]);
    }
}

/// Whether the entry in this cell has this key.
#[inline]
pub(super) fn has_key(header: Header, cell: &[u8], name: &[u8], objects: &Objects) -> bool {
    if header.key_len == LONG_KEY {
        return *key(cell, objects) == *name;
    }
    usize::from(header.key_len) == name.len()
        && cell.get(header.key_at()..header.key_at() + name.len()).is_some_and(|found| *found == *name)
}

/// The key of the entry that lies in this cell.
#[inline]
pub(super) fn key<'a>(cell: &'a [u8], objects: &'a Objects) -> &'a [u8] {
    let layout = Layout::of(Header::read(cell), cell);
    if layout.key_in_object {
        let object = objects.get(object_number(cell, layout));
        return object.and_then(|object| object.key.as_deref()).unwrap_or_default();
    }
    &cell[layout.key_at..layout.value_at]
}

fn object_number(cell: &[u8], layout: Layout) -> usize {
    cell[layout.value_at..].first_chunk().map_or(0, |number| u32::from_le_bytes(*number) as usize)
}

/// Writes the stamp of an access into an entry, if another stands there. False: it has no room for one.
#[inline]
pub(super) fn renew_access(header: Header, cell: &mut [u8], access: u32) -> bool {
    if !header.has_access() {
        return false;
    }
    // Whatever stands in the fourth byte stays.
    if let Some(bytes) = cell.get_mut(header.access_at()..).and_then(|rest| rest.first_chunk_mut::<4>()) {
        let before = u32::from_le_bytes(*bytes);
        if (before ^ access) & ACCESS_MASK != 0 {
            *bytes = (before & !ACCESS_MASK | access & ACCESS_MASK).to_le_bytes();
        }
    }
    true
}

/// Writes a number where another stands that takes as many bytes. False, and nothing is written, if there is none.
#[inline]
pub(super) fn renew_number(header: Header, cell: &mut [u8], number: i64) -> bool {
    let len = number_len(number);
    if header.kind() != Kind::Number || header.value_len() != len {
        return false;
    }
    let at = Layout::of(header, cell).value_at;
    // Whatever stands behind the number stays.
    let Some(bytes) = cell.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<8>()) else { return false };
    let kept = (!0_u64).checked_shl(8 * len as u32).unwrap_or(0);
    *bytes = (u64::from_le_bytes(*bytes) & kept | number as u64 & !kept).to_le_bytes();
    true
}

/// Writes a compact collection where another stands that takes as many bytes. False, and nothing is written, if there is
/// none.
#[inline]
pub(super) fn renew_collection(header: Header, cell: &mut [u8], form: collection::Form, bytes: &[u8]) -> bool {
    if header.kind() != Kind::Collection || header.value_len() != 1 + bytes.len() {
        return false;
    }
    let at = Layout::of(header, cell).value_at;
    cell[at] = form as u8;
    cell[at + 1..][..bytes.len()].copy_from_slice(bytes);
    true
}

/// Writes the stamp of an access into an entry that has room for it.
#[inline]
pub(super) fn write_access(header: Header, cell: &mut [u8], access: u32) {
    let at = header.access_at();
    cell[at..at + ACCESS_BYTES].copy_from_slice(&access.to_le_bytes()[..ACCESS_BYTES]);
}

/// The bytes of a text or raw string that lies in its cell, to be changed without changing their number.
#[inline]
pub(super) fn string_mut(cell: &mut [u8]) -> &mut [u8] {
    let header = Header::read(cell);
    let layout = Layout::of(header, cell);
    &mut cell[layout.value_at..][..header.value_len()]
}

/// The bytes of a compact collection, with the one that says which; `None` if the value is something else.
#[inline]
pub(super) fn collection(header: Header, cell: &[u8]) -> Option<&[u8]> {
    let layout = Layout::of(header, cell);
    (header.kind() == Kind::Collection).then(|| &cell[layout.value_at..][..header.value_len()])
}

/// Says that a string was changed in place.
pub(super) fn mark_raw(cell: &mut [u8]) {
    cell[0] = cell[0] & !7 | Kind::Raw as u8;
}

/// Bytes that a whole number needs.
#[inline]
fn number_len(number: i64) -> usize {
    8 - (number ^ (number << 1)).leading_zeros() as usize / 8
}

#[inline]
fn read_number(bytes: &[u8]) -> i64 {
    // Most numbers are short: a few steps take less than the call that copies some bytes.
    let Some((last, rest)) = bytes.split_last() else { return 0 };
    rest.iter().rev().fold(i64::from(*last as i8), |number, byte| number << 8 | i64::from(*byte))
}

/// A key with everything that belongs to it, on its way from one place to another.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) value: Value,
    pub(super) deadline: Deadline,
    pub(super) access: Option<u32>,
    /// Hits where it was: where it comes to, it is new.
    pub(super) hits: u8,
}

impl Entry {
    /// The value.
    pub fn value(&self) -> ValueRef<'_> {
        self.value.as_ref()
    }

    /// The deadline.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }
}

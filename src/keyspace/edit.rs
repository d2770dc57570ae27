//! A string that is changed where it lies.

use super::database::Found;
use super::entry::{self, INLINE_VALUE_BYTES_MAX, Kind};
use super::keys::{Keys, New};
use super::position::Position;
use super::value::{Scratch, Value, ValueRef};
use crate::limits::STRING_SPARE_BYTES_MAX;

/// A key that is there, for a command that changes its value in place.
pub struct Edit<'e> {
    pub(super) keys: Keys<'e>,
    pub(super) key: &'e [u8],
    pub(super) position: Position,
    pub(super) found: Found,
}

impl Edit<'_> {
    /// The value as it is.
    pub fn value(&self) -> ValueRef<'_> {
        self.keys.database.entry(self.found.cell).value()
    }

    /// Whether the value is a string, in whatever encoding.
    #[inline]
    pub fn is_string(&self) -> bool {
        match self.found.header.kind() {
            Kind::Number | Kind::Text | Kind::Raw | Kind::Packed => true,
            Kind::Collection => false,
            Kind::Object => self.value().is_string(),
        }
    }

    /// Makes the value a whole number. The deadline stays.
    pub fn set_number(self, number: i64) {
        self.replace(New::Number(number));
    }

    /// Makes the value a string that is kept as text even where it is a whole number. The deadline stays.
    pub fn set_text(self, bytes: &[u8]) {
        self.replace(New::Text(bytes));
    }

    fn replace(mut self, new: New<'_>) {
        self.keys.changed(self.key);
        self.keys.overwrite(self.position, self.found, self.key, new, None);
    }

    /// Adds bytes behind a string.
    pub fn append(&mut self, more: &[u8]) {
        let len = self.value().string_len();
        self.string_mut(len + more.len())[len..].copy_from_slice(more);
    }

    /// A string to be changed in place, made at least `len` bytes long with zeroes. Its encoding is `raw` from here on,
    /// as in Redis after APPEND or SETRANGE.
    pub fn string_mut(&mut self, len: usize) -> &mut [u8] {
        self.note_change();
        self.open_mut(len)
    }

    /// Counts a change that [`Edit::open_mut`] has made possible.
    pub fn note_change(&mut self) {
        self.keys.changed(self.key);
    }

    /// As [`Edit::string_mut`], for a command that finds out only then whether it changes anything.
    pub fn open_mut(&mut self, len: usize) -> &mut [u8] {
        if !self.lies_open(len) {
            let mut scratch = Scratch::default();
            let mut bytes = self.value().string_bytes(&mut scratch).to_vec();
            if bytes.len() < len {
                reserve(&mut bytes, len);
                bytes.resize(len, 0);
            }
            let new = if bytes.len() <= INLINE_VALUE_BYTES_MAX {
                New::Open(&bytes)
            } else {
                New::OpenObject(Value::Raw(bytes))
            };
            self.keys.overwrite(self.position, self.found, self.key, new, None);
            self.found = self.keys.database.found(self.found.place);
        }
        let (found, database) = (self.found, &mut *self.keys.database);
        if found.header.kind() != Kind::Object {
            let cell = database.cells.from_mut(found.cell);
            entry::mark_raw(cell);
            return entry::string_mut(cell);
        }
        database.change_object(self.position, found, |object| {
            let bytes = object.value.make_raw();
            if bytes.len() < len {
                reserve(bytes, len);
                bytes.resize(len, 0);
            }
        });
        database.object_mut(found).map_or(&mut [], |object| object.value.make_raw())
    }

    /// Whether the value lies in memory as a string that may be changed where it is, `len` bytes long.
    fn lies_open(&self, len: usize) -> bool {
        match self.value() {
            ValueRef::Int(_) | ValueRef::Packed(_) => false,
            ValueRef::Collection(_) => false,
            value if self.found.header.kind() == Kind::Object => value.is_string(),
            value => value.string_len() >= len,
        }
    }
}

/// Makes room for `len` bytes and some more, so that growing by small pieces copies each byte a few times only.
fn reserve(bytes: &mut Vec<u8>, len: usize) {
    if len > bytes.capacity() && len > INLINE_VALUE_BYTES_MAX {
        bytes.reserve_exact(len + len.min(STRING_SPARE_BYTES_MAX) - bytes.len());
    }
}

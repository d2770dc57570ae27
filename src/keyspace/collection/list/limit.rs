//! Up to when a list is small: `list-max-listpack-size`, in the sizes that elements have in a listpack of Redis.

use super::Elements;
use crate::keyspace::collection::pack::Element;

/// Bytes of a listpack that has no element.
const EMPTY_LISTPACK_BYTES: usize = 7;
/// Bytes that a listpack may have if its elements are counted.
const COUNTED_BYTES_MAX: usize = 8192;
/// Bytes of the smallest size class; each has twice as many as the one before it.
const FIRST_CLASS_BYTES: usize = 4096;
const CLASSES: u32 = 5;

/// How much is small.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Limit {
    bytes: usize,
    elements: usize,
}

impl Limit {
    /// What the setting says: elements if it is not negative, else a size class.
    pub(super) fn of(list_size: i32) -> Self {
        match usize::try_from(list_size) {
            Ok(elements) => Self { bytes: COUNTED_BYTES_MAX, elements: elements.max(1) },
            Err(_) => {
                let class = (list_size.unsigned_abs() - 1).min(CLASSES - 1);
                Self { bytes: FIRST_CLASS_BYTES << class, elements: usize::MAX }
            }
        }
    }

    /// What a large list must have shrunk to.
    pub(super) fn halved(self) -> Self {
        match self.elements {
            usize::MAX => Self { bytes: self.bytes / 2, ..self },
            elements => Self { elements: elements / 2, ..self },
        }
    }

    /// Whether these elements are too many or too long with `count` more that have `more` bytes together.
    pub(super) fn is_exceeded(self, elements: Elements<'_>, count: usize, more: usize) -> bool {
        if elements.count + count > self.elements {
            return true;
        }
        // An element of a listpack takes between three quarters of what it takes here (a number of 13 bits) and a byte in
        // 128 more (a text of so many), so most lists need not be measured.
        let here = elements.pack.bytes().len();
        let fits = |bytes: usize| EMPTY_LISTPACK_BYTES + bytes + more <= self.bytes;
        if fits(here + here / 128) {
            return false;
        }
        !fits(here / 4 * 3) || !fits(elements.pack.iter().map(|(_, element)| listpack_bytes(element)).sum::<usize>())
    }
}

/// Bytes of an element in a listpack.
fn listpack_bytes(element: Element<'_>) -> usize {
    let front = match element {
        Element::Int(0..=127) => 1,
        Element::Int(-4096..=4095) => 2,
        Element::Int(-0x8000..=0x7FFF) => 3,
        Element::Int(-0x80_0000..=0x7F_FFFF) => 4,
        Element::Int(-0x8000_0000..=0x7FFF_FFFF) => 5,
        Element::Int(_) | Element::Score(_) => 9,
        Element::Text(text) => match text.len() {
            len @ ..64 => 1 + len,
            len @ 64..4096 => 2 + len,
            len => 5 + len,
        },
    };
    let back = match front {
        ..128 => 1,
        128..16_383 => 2,
        16_383..2_097_151 => 3,
        2_097_151..268_435_455 => 4,
        _ => 5,
    };
    front + back
}

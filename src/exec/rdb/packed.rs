//! The packs in which Redis keeps small collections, as they stand in payloads: listpacks, and the ziplists before them.
//!
//! ```text
//! listpack   [ bytes 4 ][ elements 2 ][ encoding, payload, back ] ... [ ff ]
//! ziplist    [ bytes 4 ][ last element 4 ][ elements 2 ][ length of the one before 1 or 5, encoding, payload ] ... [ ff ]
//! ```
//!
//! Lengths that lead backward are passed over: a pack is read from the front, and its end must be where it says. The
//! number of elements does not count, as it may say that it is too large to be said.

use crate::keyspace::collection::pack::Element;

const END: u8 = 0xFF;
/// A length of four bytes follows, in front of an element of a ziplist.
const LONG_PREVIOUS: u8 = 0xFE;

/// Calls `visit` with the elements of a listpack. `None` if it is not one.
pub(super) fn listpack<'a>(pack: &'a [u8], visit: &mut dyn FnMut(Element<'a>)) -> Option<()> {
    let mut cursor = Cursor::new(pack, 2)?;
    loop {
        let rest = cursor.0;
        let element = match cursor.byte()? {
            END => return cursor.end(),
            low @ ..0x80 => Element::Int(low.into()),
            low @ 0x80..0xC0 => Element::Text(cursor.take(usize::from(low & 0x3F))?),
            high @ 0xC0..0xE0 => {
                // 13 bits with their sign.
                let bits = i16::from(high & 0x1F) << 8 | i16::from(cursor.byte()?);
                Element::Int((bits << 3 >> 3).into())
            }
            high @ 0xE0..0xF0 => {
                let len = usize::from(high & 0x0F) << 8 | usize::from(cursor.byte()?);
                Element::Text(cursor.take(len)?)
            }
            0xF0 => {
                let len = u32::from_le_bytes(*cursor.array()?);
                Element::Text(cursor.take(len as usize)?)
            }
            0xF1 => cursor.integer(2)?,
            0xF2 => cursor.integer(3)?,
            0xF3 => cursor.integer(4)?,
            0xF4 => cursor.integer(8)?,
            _ => return None,
        };
        let back = match rest.len() - cursor.0.len() {
            ..128 => 1,
            128..16_383 => 2,
            16_383..2_097_151 => 3,
            2_097_151..268_435_455 => 4,
            _ => 5,
        };
        cursor.take(back)?;
        visit(element);
    }
}

/// Calls `visit` with the elements of a ziplist. `None` if it is not one.
pub(super) fn ziplist<'a>(pack: &'a [u8], visit: &mut dyn FnMut(Element<'a>)) -> Option<()> {
    let mut cursor = Cursor::new(pack, 6)?;
    loop {
        match cursor.byte()? {
            END => return cursor.end(),
            LONG_PREVIOUS => _ = cursor.take(4)?,
            _ => {}
        }
        visit(match cursor.byte()? {
            low @ ..0x40 => Element::Text(cursor.take(low.into())?),
            high @ 0x40..0x80 => {
                let len = usize::from(high & 0x3F) << 8 | usize::from(cursor.byte()?);
                Element::Text(cursor.take(len)?)
            }
            0x80 => {
                let len = u32::from_be_bytes(*cursor.array()?);
                Element::Text(cursor.take(len as usize)?)
            }
            0xC0 => cursor.integer(2)?,
            0xD0 => cursor.integer(4)?,
            0xE0 => cursor.integer(8)?,
            0xF0 => cursor.integer(3)?,
            0xFE => cursor.integer(1)?,
            small @ 0xF1..=0xFD => Element::Int(i64::from(small & 0x0F) - 1),
            _ => return None,
        });
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    /// Behind the head of a pack: its length, and `more` bytes.
    fn new(pack: &'a [u8], more: usize) -> Option<Self> {
        let mut cursor = Self(pack);
        let bytes = u32::from_le_bytes(*cursor.array()?);
        cursor.take(more)?;
        (bytes as usize == pack.len()).then_some(cursor)
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(|&[byte]| byte)
    }

    /// A number of so many bytes, little-endian and with its sign.
    fn integer(&mut self, bytes: usize) -> Option<Element<'a>> {
        let taken = self.take(bytes)?;
        let sign = if taken.last()? & 0x80 == 0 { 0 } else { u8::MAX };
        let mut wide = [sign; 8];
        wide[..bytes].copy_from_slice(taken);
        Some(Element::Int(i64::from_le_bytes(wide)))
    }

    fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

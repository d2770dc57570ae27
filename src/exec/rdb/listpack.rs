//! The packed lists of small collections: listpacks, and the ziplists that they have replaced.
//!
//! ```text
//! listpack   [ bytes 4 ][ elements 2 ] entry ... ff        entry   [ head and payload ][ its length, 1 to 5 bytes ]
//! ziplist    [ bytes 4 ][ last 4 ][ entries 2 ] entry ... ff       [ length of the one before, 1 or 5 bytes ][ head and payload ]
//! ```
//!
//! Both are walked from the front, so what serves to walk them backward is passed over unread.

use super::reader::Reader;
use crate::keyspace::collection::pack::Element;

/// What ends either.
const END: u8 = 0xFF;
/// The number of entries of a list that is too long for two bytes.
const UNCOUNTED: u16 = u16::MAX;

/// The elements of a listpack; `None` if it is none.
pub(super) fn listpack(bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut reader = Reader { rest: bytes };
    let total = u32::from_le_bytes(reader.array()?);
    let count = u16::from_le_bytes(reader.array()?);
    let elements = elements(&mut reader, |reader, head| {
        let before = reader.rest.len() + 1;
        let element = listpack_entry(reader, head)?;
        // The length counts seven bits a byte.
        let len = before - reader.rest.len();
        reader.take(match len {
            0..0x80 => 1,
            0x80..0x4000 => 2,
            0x4000..0x20_0000 => 3,
            0x20_0000..0x1000_0000 => 4,
            _ => 5,
        })?;
        Some(element)
    })?;
    (total as usize == bytes.len() && is_count(count, elements.len())).then_some(elements)
}

/// The elements of a ziplist; `None` if it is none.
pub(super) fn ziplist(bytes: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut reader = Reader { rest: bytes };
    let total = u32::from_le_bytes(reader.array()?);
    reader.take(4)?;
    let count = u16::from_le_bytes(reader.array()?);
    let elements = elements(&mut reader, |reader, before| {
        if before == 0xFE {
            reader.take(4)?;
        }
        let [head] = reader.array()?;
        ziplist_entry(reader, head)
    })?;
    (total as usize == bytes.len() && is_count(count, elements.len())).then_some(elements)
}

fn is_count(count: u16, len: usize) -> bool {
    usize::from(count) == len || count == UNCOUNTED
}

/// Reads entries, whose first byte `entry` is given, up to the end, behind which nothing may come.
fn elements<'a>(
    reader: &mut Reader<'a>,
    entry: impl Fn(&mut Reader<'a>, u8) -> Option<Element<'a>>,
) -> Option<Vec<Element<'a>>> {
    let mut elements = Vec::new();
    loop {
        let [head] = reader.array()?;
        if head == END {
            return reader.rest.is_empty().then_some(elements);
        }
        elements.push(entry(reader, head)?);
    }
}

fn listpack_entry<'a>(reader: &mut Reader<'a>, head: u8) -> Option<Element<'a>> {
    let element = match head {
        0..0x80 => Element::Int(head.into()),
        0x80..0xC0 => Element::Text(reader.take(usize::from(head & 0x3F))?),
        0xC0..0xE0 => {
            let [low] = reader.array()?;
            // Thirteen bits, the highest of which is the sign.
            let wide = i16::from_be_bytes([head & 0x1F, low]);
            Element::Int(i64::from(wide << 3 >> 3))
        }
        0xE0..0xF0 => {
            let [low] = reader.array()?;
            Element::Text(reader.take(u16::from_be_bytes([head & 0x0F, low]).into())?)
        }
        0xF0 => {
            let len = u32::from_le_bytes(reader.array()?);
            Element::Text(reader.take(len as usize)?)
        }
        0xF1 => Element::Int(i16::from_le_bytes(reader.array()?).into()),
        0xF2 => Element::Int(three_bytes(reader)?),
        0xF3 => Element::Int(i32::from_le_bytes(reader.array()?).into()),
        0xF4 => Element::Int(i64::from_le_bytes(reader.array()?)),
        _ => return None,
    };
    Some(element)
}

fn ziplist_entry<'a>(reader: &mut Reader<'a>, head: u8) -> Option<Element<'a>> {
    let element = match head {
        0..0x40 => Element::Text(reader.take(head.into())?),
        0x40..0x80 => {
            let [low] = reader.array()?;
            Element::Text(reader.take(u16::from_be_bytes([head & 0x3F, low]).into())?)
        }
        0x80 => {
            let len = u32::from_be_bytes(reader.array()?);
            Element::Text(reader.take(len as usize)?)
        }
        0xC0 => Element::Int(i16::from_le_bytes(reader.array()?).into()),
        0xD0 => Element::Int(i32::from_le_bytes(reader.array()?).into()),
        0xE0 => Element::Int(i64::from_le_bytes(reader.array()?)),
        0xF0 => Element::Int(three_bytes(reader)?),
        0xFE => Element::Int(i8::from_le_bytes(reader.array()?).into()),
        0xF1..0xFE => Element::Int(i64::from(head - 0xF1)),
        _ => return None,
    };
    Some(element)
}

fn three_bytes(reader: &mut Reader<'_>) -> Option<i64> {
    let [low, middle, high] = reader.array()?;
    Some(i64::from(i32::from_le_bytes([0, low, middle, high]) >> 8))
}

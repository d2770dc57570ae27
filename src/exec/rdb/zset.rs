//! Sorted sets: members with scores as text (type 3) or as eight bytes (type 5), or in a ziplist (12) or a listpack (17) in
//! turn. They are written in the second form, which no release of Redis since 4 refuses.

use super::listpack;
use super::reader::Reader;
use super::string;
use crate::command::number;
use crate::keyspace::collection::pack::{Digits, Element};
use crate::keyspace::collection::zset::End;
use crate::keyspace::collection::{Shapes, ZSet, ZSetRef};

pub(super) const TYPE_TEXT: u8 = 3;
pub(super) const TYPE_BINARY: u8 = 5;
pub(super) const TYPE_ZIPLIST: u8 = 12;
pub(super) const TYPE_LISTPACK: u8 = 17;

/// Appends the form of `zset` to `to`.
pub(super) fn write(zset: ZSetRef<'_>, to: &mut Vec<u8>) {
    string::write_length(zset.len(), to);
    zset.visit(0..zset.len(), End::Lowest, |member, score| {
        string::write(member.bytes(&mut Digits::new()), to);
        to.extend_from_slice(&score.to_le_bytes());
    });
}

/// How many bytes [`write()`] appends.
pub(super) fn written_bytes(zset: ZSetRef<'_>) -> usize {
    let mut bytes = string::length_bytes(zset.len());
    zset.visit(0..zset.len(), End::Lowest, |member, _| {
        bytes += string::written_bytes(member.bytes(&mut Digits::new())) + size_of::<f64>();
    });
    bytes
}

/// Reads the sorted set at the beginning of `bytes`, in the form that `kind` names; `None` if there is none, if it is empty,
/// or if a string of it is longer than `string_bytes_max`.
pub(super) fn read(kind: u8, bytes: &[u8], string_bytes_max: usize, shapes: &Shapes) -> Option<ZSet> {
    let mut reader = Reader { rest: bytes };
    let mut reading = Reading { zset: ZSet::default(), shapes };
    match kind {
        TYPE_TEXT | TYPE_BINARY => {
            for _ in 0..reader.length()? {
                let member = string::read_from(&mut reader, string_bytes_max)?;
                let score = match kind {
                    TYPE_TEXT => text_score(&mut reader)?,
                    _ => f64::from_le_bytes(reader.array()?),
                };
                reading.add(&member, score)?;
            }
        }
        _ => {
            let packed = string::read_from(&mut reader, string_bytes_max)?;
            let elements = if kind == TYPE_ZIPLIST { listpack::ziplist(&packed) } else { listpack::listpack(&packed) }?;
            let (pairs, rest) = elements.as_chunks::<2>();
            if !rest.is_empty() {
                return None;
            }
            for [member, score] in pairs {
                let score = match score {
                    Element::Text(text) => number::float(text)?,
                    score => score.score(),
                };
                reading.add(member.bytes(&mut Digits::new()), score)?;
            }
        }
    }
    (!reading.zset.as_ref().is_empty()).then_some(reading.zset)
}

/// A sorted set of which some members are read.
struct Reading<'s> {
    zset: ZSet,
    shapes: &'s Shapes,
}

impl Reading<'_> {
    /// Adds a member; `None` if it is there already, or its score is no number.
    fn add(&mut self, member: &[u8], score: f64) -> Option<()> {
        let mut is_new = false;
        self.zset.update(member, self.shapes, |before| {
            is_new = before.is_none();
            Some(score).filter(|score| is_new && !score.is_nan())
        });
        (is_new && !score.is_nan()).then_some(())
    }
}

/// A score as text behind its length, of which three stand for what has no digits.
fn text_score(reader: &mut Reader<'_>) -> Option<f64> {
    let [len] = reader.array()?;
    match len {
        255 => Some(f64::NEG_INFINITY),
        254 => Some(f64::INFINITY),
        253 => None,
        len => number::float(reader.take(len.into())?),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::KeyHasher;
    use crate::config::Config;
    use crate::keyspace::collection::CompactLimits;

    fn shapes() -> Shapes {
        Shapes { compact: CompactLimits::of(&Config::default()), hasher: KeyHasher::new(1) }
    }

    fn items(kind: u8, bytes: &[u8]) -> Option<Vec<(Vec<u8>, f64)>> {
        let zset = read(kind, bytes, 1000, &shapes())?;
        let mut items = Vec::new();
        let view = zset.as_ref();
        view.visit(0..view.len(), End::Lowest, |member, score| items.push((member.to_vec(), score)));
        Some(items)
    }

    #[track_caller]
    fn check(kind: u8, bytes: &[u8], expected: Option<&[(&str, f64)]>) {
        let expected = expected.map(|items| {
            let owned = items.iter().map(|(member, score)| (member.as_bytes().to_vec(), *score));
            owned.collect::<Vec<_>>()
        });
        assert_eq!(items(kind, bytes), expected, "{kind}: {}", bytes.escape_ascii());
    }

    #[test]
    fn every_form_is_read() {
        check(TYPE_TEXT, b"\x03\x01b\x032.5\x01a\x011\x01c\xfe", Some(&[("a", 1.0), ("b", 2.5), ("c", f64::INFINITY)]));
        check(TYPE_TEXT, b"\x01\xc0\x07\xff", Some(&[("7", f64::NEG_INFINITY)]));
        check(TYPE_BINARY, b"\x01\x01a\0\0\0\0\0\0\xf8\x3f", Some(&[("a", 1.5)]));
        let ziplist = b"\x19\x19\0\0\0\x12\0\0\0\x04\0\0\x01a\x03\xf2\x02\xfe\xf9\x03\x042.25\xff";
        check(TYPE_ZIPLIST, ziplist, Some(&[("a", 1.0), ("-7", 2.25)]));
        let listpack = b"\x15\x15\0\0\0\x04\0\x81a\x02\x01\x01\xdf\xf9\x02\x842.25\x05\xff";
        check(TYPE_LISTPACK, listpack, Some(&[("a", 1.0), ("-7", 2.25)]));
    }

    #[test]
    fn what_is_no_sorted_set_is_refused() {
        check(TYPE_TEXT, b"", None);
        check(TYPE_TEXT, b"\x00", None);
        check(TYPE_TEXT, b"\x01\x01a\xfd", None);
        check(TYPE_TEXT, b"\x01\x01a\x01x", None);
        check(TYPE_TEXT, b"\x02\x01a\x011\x01a\x012", None);
        check(TYPE_TEXT, b"\x02\x01a\x011", None);
        check(TYPE_BINARY, b"\x01\x01a\0\0\0\0\0\0\xf8", None);
        check(TYPE_BINARY, b"\x01\x01a\0\0\0\0\0\0\xf8\x7f", None);
        check(TYPE_BINARY, b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01a", None);
        check(TYPE_LISTPACK, b"\x07\x07\0\0\0\0\0\xff", None);
        check(TYPE_LISTPACK, b"\x0a\x0a\0\0\0\x01\0\x81a\x02\xff", None);
        check(TYPE_LISTPACK, b"\x0c\x0d\0\0\0\x02\0\x81a\x02\x01\x01\xff", None);
        check(TYPE_LISTPACK, b"\x0c\x0c\0\0\0\x03\0\x81a\x02\x01\x01\xff", None);
        check(TYPE_LISTPACK, b"\x0c\x0c\0\0\0\x02\0\xbfa\x02\x01\x01\xff", None);
        check(TYPE_ZIPLIST, b"\x0b\x0b\0\0\0\x0a\0\0\0\0\0\xff", None);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            model in proptest::collection::btree_map(proptest::collection::vec(any::<u8>(), 0..20), -1e9..1e9_f64, 1..200),
        ) {
            let (shapes, mut zset) = (shapes(), ZSet::default());
            model.iter().for_each(|(member, score)| zset.update(member, &shapes, |_| Some(*score)));
            let mut bytes = Vec::new();
            write(zset.as_ref(), &mut bytes);
            prop_assert_eq!(bytes.len(), written_bytes(zset.as_ref()));
            let read: std::collections::BTreeMap<_, _> =
                items(TYPE_BINARY, &bytes).expect("our own").into_iter().collect();
            prop_assert_eq!(read, model);
        }

        #[test]
        fn no_bytes_do_harm(kind in 0_usize..4, mut bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let kind = [TYPE_TEXT, TYPE_BINARY, TYPE_ZIPLIST, TYPE_LISTPACK][kind];
            _ = items(kind, &bytes);
            if kind >= TYPE_ZIPLIST && bytes.len() > 12 {
                // Far enough inside that entries are met.
                let len = bytes.len() as u8;
                bytes[..4].copy_from_slice(&u32::from(len).to_le_bytes());
                bytes[4..6].fill(0xFF);
                bytes[8..10].fill(0xFF);
                *bytes.last_mut().expect("it is long") = 0xFF;
                bytes.insert(0, len & 0x3F);
                _ = items(kind, &bytes);
            }
        }
    }
}

//! Hashes: written as a number of fields and values, which every version reads; read in every form that Redis has written.

use super::listpack::{listpack, ziplist};
use super::reader::Reader;
use super::string;
use crate::keyspace::collection::pack::Digits;
use crate::keyspace::collection::{Hash, HashRef, Shapes};

/// Fields and values in turn.
pub(super) const TYPE_STRINGS: u8 = 4;
/// A zipmap (before Redis 2.6).
pub(super) const TYPE_ZIPMAP: u8 = 9;
/// A ziplist.
pub(super) const TYPE_ZIPLIST: u8 = 13;
/// A listpack.
pub(super) const TYPE_LISTPACK: u8 = 16;

/// Appends the form of a hash to `to`; deadlines of fields have no place in it.
pub(super) fn write(hash: HashRef<'_>, to: &mut Vec<u8>) {
    string::write_length(hash.len(), to);
    for (field, value) in hash.iter() {
        string::write(field.bytes(&mut Digits::new()), to);
        string::write(value.bytes(&mut Digits::new()), to);
    }
}

/// How many bytes [`write()`] appends.
pub(super) fn written_bytes(hash: HashRef<'_>) -> usize {
    let mut bytes = string::length_bytes(hash.len());
    for (field, value) in hash.iter() {
        bytes += string::written_bytes(field.bytes(&mut Digits::new()));
        bytes += string::written_bytes(value.bytes(&mut Digits::new()));
    }
    bytes
}

/// Reads the hash at the beginning of `bytes`, in the form that `kind` names; `None` if there is none, if it is empty or has
/// a field twice, or if a string of it is longer than `bytes_max`.
pub(super) fn read(kind: u8, bytes: &[u8], bytes_max: usize, shapes: &Shapes) -> Option<Hash> {
    let mut reader = Reader { rest: bytes };
    let mut hash = Hash::default();
    let mut add = |field: &[u8], value: &[u8]| hash.set(field, value, shapes).then_some(());
    match kind {
        TYPE_STRINGS => {
            for _ in 0..reader.length()? {
                let field = string::read_from(&mut reader, bytes_max)?;
                let value = string::read_from(&mut reader, bytes_max)?;
                add(&field, &value)?;
            }
        }
        TYPE_ZIPMAP => zipmap(&string::read_from(&mut reader, bytes_max)?, &mut add)?,
        _ => {
            let packed = string::read_from(&mut reader, bytes_max)?;
            let elements = if kind == TYPE_ZIPLIST { ziplist(&packed) } else { listpack(&packed) }?;
            let (pairs, rest) = elements.as_chunks::<2>();
            if !rest.is_empty() {
                return None;
            }
            for [field, value] in pairs {
                add(field.bytes(&mut Digits::new()), value.bytes(&mut Digits::new()))?;
            }
        }
    }
    (!hash.as_ref().is_empty()).then_some(hash)
}

/// Gives the fields and values of a zipmap to `add`. A zipmap is a count, which nobody needs, and pairs up to a byte of 255:
/// length and bytes of the field, then length of the value, a number of unused bytes, the value and the unused bytes. A
/// length is one byte below 254, or 254 and four bytes.
fn zipmap(bytes: &[u8], add: &mut impl FnMut(&[u8], &[u8]) -> Option<()>) -> Option<()> {
    const END: u8 = 255;
    let mut reader = Reader { rest: bytes };
    let [_] = reader.array()?;
    loop {
        if reader.rest == [END] {
            return Some(());
        }
        let field_len = zipmap_length(&mut reader)?;
        let field = reader.take(field_len)?;
        let value_len = zipmap_length(&mut reader)?;
        let [unused] = reader.array()?;
        let value = reader.take(value_len)?;
        reader.take(unused.into())?;
        add(field, value)?;
    }
}

fn zipmap_length(reader: &mut Reader<'_>) -> Option<usize> {
    match reader.array()? {
        [255] => None,
        [254] => Some(u32::from_le_bytes(reader.array()?) as usize),
        [len] => Some(len.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::testing::{dumped, restored, shapes};
    use super::*;
    use crate::keyspace::collection::{Collection, CollectionRef};

    fn pairs(payload: &[u8]) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
        let value = restored(payload)?;
        let Some(CollectionRef::Hash(hash)) = value.as_ref().collection() else { panic!("a hash") };
        Some(hash.iter().map(|(field, value)| (field.to_vec(), value.to_vec())).collect())
    }

    fn body(kind: u8, bytes: &[u8]) -> Option<BTreeMap<Vec<u8>, Vec<u8>>> {
        pairs(&super::super::seal(&[&[kind], bytes].concat(), 10))
    }

    #[test]
    fn every_form_is_read() {
        let expected = Some(BTreeMap::from([(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"xy".to_vec())]));
        assert_eq!(body(TYPE_STRINGS, b"\x02\x01a\xc0\x01\x01b\x02xy"), expected);
        assert_eq!(body(TYPE_ZIPMAP, b"\x0e\x02\x01a\x01\x00\x31\x01b\x02\x01xy.\xff"), expected);
        let listpack = b"\x13\x13\0\0\0\x04\0\x81a\x02\x01\x01\x81b\x02\x82xy\x03\xff";
        assert_eq!(body(TYPE_LISTPACK, listpack), expected);
        let ziplist = b"\x17\x17\0\0\0\x0a\0\0\0\x04\0\0\x01a\x03\xf2\x02\x01b\x03\x02xy\xff";
        assert_eq!(body(TYPE_ZIPLIST, ziplist), expected);
    }

    #[test]
    fn what_is_no_hash_is_refused() {
        assert_eq!(body(TYPE_STRINGS, b"\x00"), None);
        assert_eq!(body(TYPE_STRINGS, b"\x02\x01a\x01x\x01a\x01y"), None, "a field twice");
        assert_eq!(body(TYPE_STRINGS, b"\x01\x01a"), None, "no value");
        assert_eq!(body(TYPE_LISTPACK, b"\x0a\x0a\0\0\0\x01\0\x81a\x02\xff"), None, "no value");
        assert_eq!(body(TYPE_ZIPMAP, b"\x05\x01\x01a\x09\x00"), None, "no end");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            pairs_in in proptest::collection::btree_map(
                proptest::collection::vec(any::<u8>(), 0..20),
                proptest::collection::vec(any::<u8>(), 0..100),
                1..200,
            ),
        ) {
            let mut hash = Hash::default();
            pairs_in.iter().for_each(|(field, value)| assert!(hash.set(field, value, &shapes())));
            prop_assert_eq!(pairs(&dumped(Collection::Hash(hash))), Some(pairs_in));
        }

        #[test]
        fn no_bytes_do_harm(kind in 0_usize..4, bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let kind = [TYPE_STRINGS, TYPE_ZIPMAP, TYPE_ZIPLIST, TYPE_LISTPACK][kind];
            _ = body(kind, &bytes);
            _ = body(kind, &[&[bytes.len() as u8][..], &bytes].concat());
        }
    }
}

//! Sets: written as a number of strings, which every version reads; read in every form that Redis has written.

use super::listpack::listpack;
use super::reader::Reader;
use super::string;
use crate::keyspace::collection::pack::Digits;
use crate::keyspace::collection::{Set, SetRef, Shapes};

/// Strings.
pub(super) const TYPE_STRINGS: u8 = 2;
/// Whole numbers in order, of one width.
pub(super) const TYPE_INTEGERS: u8 = 11;
/// A listpack (Redis 7.2).
pub(super) const TYPE_LISTPACK: u8 = 20;

/// Appends the form of a set to `to`.
pub(super) fn write(set: SetRef<'_>, to: &mut Vec<u8>) {
    string::write_length(set.len(), to);
    set.iter().for_each(|member| string::write(member.bytes(&mut Digits::new()), to));
}

/// How many bytes [`write()`] appends.
pub(super) fn written_bytes(set: SetRef<'_>) -> usize {
    let members = set.iter().map(|member| string::written_bytes(member.bytes(&mut Digits::new())));
    string::length_bytes(set.len()) + members.sum::<usize>()
}

/// Reads the set at the beginning of `bytes`, in the form that `kind` names; `None` if there is none, if it is empty or has
/// a member twice, or if one is longer than `bytes_max`.
pub(super) fn read(kind: u8, bytes: &[u8], bytes_max: usize, shapes: &Shapes) -> Option<Set> {
    let mut reader = Reader { rest: bytes };
    let mut set = Set::default();
    match kind {
        TYPE_STRINGS => {
            for _ in 0..reader.length()? {
                let member = string::read_from(&mut reader, bytes_max)?;
                set.add(&member, shapes).then_some(())?;
            }
        }
        TYPE_INTEGERS => {
            for number in integers(&string::read_from(&mut reader, bytes_max)?)? {
                set.add(itoa::Buffer::new().format(number).as_bytes(), shapes).then_some(())?;
            }
        }
        _ => {
            for member in listpack(&string::read_from(&mut reader, bytes_max)?)? {
                set.add(member.bytes(&mut Digits::new()), shapes).then_some(())?;
            }
        }
    }
    (!set.as_ref().is_empty()).then_some(set)
}

/// The numbers of an integer set: their width in bytes, how many they are, and they themselves, little-endian and in order.
fn integers(bytes: &[u8]) -> Option<Vec<i64>> {
    let mut reader = Reader { rest: bytes };
    let width = u32::from_le_bytes(reader.array()?);
    let count = u32::from_le_bytes(reader.array()?);
    let mut numbers = Vec::new();
    for _ in 0..count {
        let number = match width {
            2 => i16::from_le_bytes(reader.array()?).into(),
            4 => i32::from_le_bytes(reader.array()?).into(),
            8 => i64::from_le_bytes(reader.array()?),
            _ => return None,
        };
        if numbers.last().is_some_and(|last| *last >= number) {
            return None;
        }
        numbers.push(number);
    }
    reader.rest.is_empty().then_some(numbers)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{dumped, restored, shapes};
    use super::*;
    use crate::keyspace::collection::{Collection, CollectionRef};

    fn members(payload: &[u8]) -> Option<Vec<Vec<u8>>> {
        let value = restored(payload)?;
        let Some(CollectionRef::Set(set)) = value.as_ref().collection() else { panic!("a set") };
        let mut members: Vec<Vec<u8>> = set.iter().map(|member| member.to_vec()).collect();
        members.sort_unstable();
        Some(members)
    }

    fn body(kind: u8, bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
        members(&super::super::seal(&[&[kind], bytes].concat(), 10))
    }

    #[test]
    fn every_form_is_read() {
        let two = Some(vec![b"1".to_vec(), b"a".to_vec()]);
        assert_eq!(body(TYPE_STRINGS, b"\x02\x01a\xc0\x01"), two);
        assert_eq!(body(TYPE_LISTPACK, b"\x0c\x0c\0\0\0\x02\0\x01\x01\x81a\x02\xff"), two);
        let numbers = Some(vec![b"-3".to_vec(), b"7".to_vec()]);
        assert_eq!(body(TYPE_INTEGERS, b"\x0c\x02\0\0\0\x02\0\0\0\xfd\xff\x07\0"), numbers);
    }

    #[test]
    fn what_is_no_set_is_refused() {
        assert_eq!(body(TYPE_STRINGS, b"\x00"), None);
        assert_eq!(body(TYPE_STRINGS, b"\x02\x01a\x01a"), None, "a member twice");
        assert_eq!(body(TYPE_STRINGS, b"\x03\x01a\x01b"), None, "one is missing");
        assert_eq!(body(TYPE_INTEGERS, b"\x0c\x02\0\0\0\x02\0\0\0\x07\0\xfd\xff"), None, "not in order");
        assert_eq!(body(TYPE_INTEGERS, b"\x0c\x03\0\0\0\x02\0\0\0\x07\0\xfd\xff"), None, "no width");
        assert_eq!(body(TYPE_INTEGERS, b"\x0c\x02\0\0\0\xff\xff\xff\xff\x07\0\x08\0"), None, "too many");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            strings in proptest::collection::btree_set(proptest::collection::vec(any::<u8>(), 0..100), 1..200),
            numbers in proptest::collection::btree_set(any::<i64>(), 0..20),
        ) {
            let mut set = Set::default();
            let numbers = numbers.iter().map(|number| number.to_string().into_bytes());
            let mut all: Vec<Vec<u8>> = strings.into_iter().chain(numbers).collect();
            all.sort_unstable();
            all.dedup();
            all.iter().for_each(|member| assert!(set.add(member, &shapes())));
            prop_assert_eq!(members(&dumped(Collection::Set(set))), Some(all));
        }

        #[test]
        fn no_bytes_do_harm(kind in 0_usize..3, bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            _ = body([TYPE_STRINGS, TYPE_INTEGERS, TYPE_LISTPACK][kind], &bytes);
            _ = body([TYPE_STRINGS, TYPE_INTEGERS, TYPE_LISTPACK][kind], &[&[bytes.len() as u8][..], &bytes].concat());
        }
    }
}

//! Lists: written as a number of strings, which every version reads; read in every form that Redis has written.

use super::listpack::{listpack, ziplist};
use super::reader::Reader;
use super::string;
use crate::keyspace::Value;
use crate::keyspace::collection::list::End;
use crate::keyspace::collection::pack::{Digits, Element};
use crate::keyspace::collection::{Collection, List, ListRef, Shapes};

/// Strings.
pub(super) const TYPE_STRINGS: u8 = 1;
/// A ziplist.
const TYPE_ZIPLIST: u8 = 10;
/// Ziplists.
const TYPE_ZIPLISTS: u8 = 14;
/// Listpacks, and large elements by themselves.
const TYPE_LISTPACKS: u8 = 18;
/// What a part of that is: an element.
const PART_ELEMENT: usize = 1;
/// What a part of that is: a listpack.
const PART_LISTPACK: usize = 2;

/// Appends the form of a list to `to`.
pub(super) fn write(list: ListRef<'_>, to: &mut Vec<u8>) {
    string::write_length(list.len(), to);
    let mut digits = Digits::new();
    list.iter(0).for_each(|element| string::write(element.bytes(&mut digits), to));
}

/// How many bytes [`write()`] appends.
pub(super) fn written_bytes(list: ListRef<'_>) -> usize {
    let mut digits = Digits::new();
    let elements = list.iter(0).map(|element| string::written_bytes(element.bytes(&mut digits)));
    string::length_bytes(list.len()) + elements.sum::<usize>()
}

/// Reads a list of type `kind`; `None` if the type is another, or `bytes` do not begin with such a list, or one without
/// elements, or with one of more than `bytes_max` bytes.
pub(super) fn read(kind: u8, bytes: &[u8], bytes_max: usize, shapes: &Shapes) -> Option<Value> {
    let mut reader = Reader { rest: bytes };
    let mut list = List::default();
    let append = |list: &mut List, elements: Vec<Element<'_>>| {
        elements.iter().for_each(|element| list.push(End::Right, element.bytes(&mut Digits::new())));
    };
    match kind {
        TYPE_STRINGS => {
            for _ in 0..reader.length()? {
                list.push(End::Right, &string::read_from(&mut reader, bytes_max)?);
            }
        }
        TYPE_ZIPLIST => append(&mut list, ziplist(&string::read_from(&mut reader, bytes_max)?)?),
        TYPE_ZIPLISTS => {
            for _ in 0..reader.length()? {
                append(&mut list, ziplist(&string::read_from(&mut reader, bytes_max)?)?);
            }
        }
        TYPE_LISTPACKS => {
            for _ in 0..reader.length()? {
                match reader.length()? {
                    PART_ELEMENT => list.push(End::Right, &string::read_from(&mut reader, bytes_max)?),
                    PART_LISTPACK => append(&mut list, listpack(&string::read_from(&mut reader, bytes_max)?)?),
                    _ => return None,
                }
            }
        }
        _ => return None,
    }
    list.prepare(0, 0, shapes);
    list.settle_anew(shapes);
    (!list.is_empty()).then(|| Value::Collection(Box::new(Collection::List(list))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Corrupt, FOOTER_BYTES, deserialize, seal, serialize, value_bytes};
    use super::*;
    use crate::base::KeyHasher;
    use crate::config::Config;
    use crate::keyspace::collection::{CollectionRef, CompactLimits};

    /// What redis-server 7.0.15 answers to DUMP for the list of [`elements`], compressed and not.
    const DUMPS: [&str; 2] = [
        "120102c3404440831f830000000c000101dfff02cfa002d06002f2409c0004f200ee8504f3009435770605f4001a71180220\
         250a0983616263048001e04678e03c0008488568656c6c6f06ff0a004d99a974c4652c8c",
        "1201024083830000000c000101dfff02cfa002d06002f2409c0004f200ee8504f30094357705f4001a711802000000098361\
         6263048001e04678787878787878787878787878787878787878787878787878787878787878787878787878787878787878\
         787878787878787878787878787878787878787878787878787878488568656c6c6f06ff0a00a421471e30469c58",
    ];

    /// The same for two elements that are nodes by themselves, of 4200 and 5000 times z, and an a.
    const LARGE: &str = "120202c34041507607761000000100f0682006007ae0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff\
                         00e0ff00e0ff00e0ff00e0ff00e0ff00e0e6000220edff02c3404d539907991300000200f0882006007ae0ff00e0ff00e0ff\
                         00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ff00e0ee0005\
                         278d816102ff0a00fb169d702870704a";

    fn elements() -> Vec<Vec<u8>> {
        let numbers = ["1", "-1", "4000", "-4000", "40000", "-8000000", "2000000000", "9000000000"];
        let texts = ["abc".to_owned(), String::new(), "x".repeat(70), "hello".to_owned()];
        numbers.iter().map(|number| (*number).to_owned()).chain(texts).map(String::into_bytes).collect()
    }

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
        digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
    }

    fn restored(payload: &[u8]) -> Result<Vec<Vec<u8>>, Corrupt> {
        let shapes = Shapes { compact: CompactLimits::of(&Config::default()), hasher: KeyHasher::new(1) };
        let value = deserialize(payload, 10_000, &shapes)?;
        match value.as_ref().collection() {
            Some(CollectionRef::List(list)) => Ok(list.iter(0).map(Element::to_vec).collect()),
            _ => Ok(vec![]),
        }
    }

    fn list_of(elements: &[Vec<u8>]) -> Value {
        let mut list = List::default();
        elements.iter().for_each(|element| list.push(End::Right, element));
        Value::Collection(Box::new(Collection::List(list)))
    }

    /// A ziplist of [`elements`]: Redis 6 and before.
    fn ziplist_bytes() -> Vec<u8> {
        let encoded: [&[u8]; 12] = [
            b"\xf2",
            b"\xfe\xff",
            b"\xc0\xa0\x0f",
            b"\xc0\x60\xf0",
            b"\xf0\x40\x9c\x00",
            b"\xf0\x00\xee\x85",
            b"\xd0\x00\x94\x35\x77",
            b"\xe0\x00\x1a\x71\x18\x02\x00\x00\x00",
            b"\x03abc",
            b"\x00",
            &[b"\x40\x46", &[b'x'; 70][..]].concat(),
            b"\x80\x00\x00\x00\x05hello",
        ];
        let mut body = Vec::new();
        for (at, element) in encoded.iter().enumerate() {
            // Either form of the length of the one before, whatever it is.
            body.extend_from_slice(if at % 2 == 0 { b"\x07" } else { b"\xfe\x07\x00\x00\x00" });
            body.extend_from_slice(element);
        }
        let len = (10 + body.len() + 1) as u32;
        [&len.to_le_bytes()[..], &[0; 4], &[12, 0], &body, &[0xFF]].concat()
    }

    fn string(bytes: &[u8]) -> Vec<u8> {
        let mut written = Vec::new();
        string::write(bytes, &mut written);
        written
    }

    /// Bodies of every type, without version and footer.
    fn bodies() -> Vec<Vec<u8>> {
        let ziplist = string(&ziplist_bytes());
        let mut all: Vec<Vec<u8>> = DUMPS.map(|hex| bytes(hex)[..hex.len() / 2 - FOOTER_BYTES].to_vec()).to_vec();
        all.push([&[TYPE_ZIPLIST][..], &ziplist].concat());
        all.push([&[TYPE_ZIPLISTS, 1][..], &ziplist].concat());
        let plain = serialize(list_of(&elements()).as_ref());
        all.push(plain[..plain.len() - FOOTER_BYTES].to_vec());
        let nodes = elements().iter().flat_map(|element| [&[1][..], &string(element)].concat()).collect::<Vec<u8>>();
        all.push([&[TYPE_LISTPACKS, 12][..], &nodes].concat());
        all
    }

    #[test]
    fn every_type_is_read() {
        for hex in DUMPS {
            assert_eq!(restored(&bytes(hex)), Ok(elements()));
        }
        for body in bodies() {
            assert_eq!(restored(&seal(&body, 10)), Ok(elements()), "type {}", body[0]);
        }
        let large = restored(&bytes(LARGE)).expect("a list");
        assert_eq!(large, [vec![b'z'; 4200], vec![b'z'; 5000], b"a".to_vec()]);
    }

    #[test]
    fn a_list_of_nothing_is_none() {
        for body in
            [&b"\x01\x00"[..], b"\x0e\x00", b"\x12\x00", b"\x12\x01\x03\x01a", b"\x0a\x01a", b"\x01\xc0\x01\x01a"]
        {
            assert_eq!(restored(&seal(body, 10)), Err(Corrupt::Value), "{}", body.escape_ascii());
        }
        let empty = string(b"\x07\x00\x00\x00\x00\x00\xff");
        assert_eq!(restored(&seal(&[b"\x12\x01\x02", &empty[..]].concat(), 10)), Err(Corrupt::Value));
    }

    #[test]
    fn one_wrong_byte_under_a_good_checksum_does_no_harm() {
        for body in bodies() {
            for at in 0..body.len() {
                for wrong in 0..=255 {
                    let mut bad = body.clone();
                    bad[at] = wrong;
                    _ = restored(&seal(&bad, 10));
                }
                assert_eq!(restored(&seal(&body[..at], 10)), Err(Corrupt::Value));
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            elements in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..100),
            numbers in proptest::collection::vec(any::<i64>(), 0..20),
        ) {
            let numbers = numbers.iter().enumerate().map(|(at, number)| (number >> at).to_string().into_bytes());
            let elements: Vec<Vec<u8>> = elements.into_iter().chain(numbers).collect();
            let value = list_of(&elements);
            let payload = serialize(value.as_ref());
            prop_assert_eq!(payload.len(), 1 + value_bytes(value.as_ref()) + FOOTER_BYTES);
            prop_assert_eq!(restored(&payload), Ok(elements));
        }

        #[test]
        fn no_bytes_do_harm(kind in 0..25_u8, body in proptest::collection::vec(any::<u8>(), 0..60)) {
            _ = restored(&seal(&[&[kind], &body[..]].concat(), 10));
            _ = restored(&seal(&[&[kind, 1, 2], &string(&body)[..]].concat(), 10));
            _ = restored(&seal(&[&[kind, 1], &string(&body)[..]].concat(), 10));
        }
    }
}

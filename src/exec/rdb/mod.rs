//! Values in Redis's serialized form, as DUMP answers and RESTORE takes them.
//!
//! It knows bytes and values, no keys and no shards. A file for each type knows its forms.
//!
//! ```text
//!   | type | value ...                         | version (2) | CRC-64 of all before (8) |    integers little-endian
//!     00     03 'a' 'b' 'c'                       0a 00          d9 ac 30 3d 41 72 a2 e2
//! ```
//!
//! Invariant: any bytes are either a value or an error; what a payload claims (a length, an expansion) costs nothing
//! before the bytes bear it out.

mod hash;
mod list;
mod listpack;
mod lzf;
mod reader;
mod set;
mod string;
mod zset;

use crate::keyspace::collection::{Collection, CollectionRef, Shapes};
use crate::keyspace::{Scratch, Value, ValueRef};

/// The version written: that of Redis 7.0, so that it and all later ones can read it. Strings have not changed since.
const VERSION_WRITTEN: u16 = 10;
/// The latest version read: that of Redis 7.2.
const VERSION_READ_MAX: u16 = 11;
/// Version and checksum.
const FOOTER_BYTES: usize = 10;
const TYPE_STRING: u8 = 0;

const CRC64: crc::Crc<u64, crc::Table<16>> = crc::Crc::<u64, crc::Table<16>>::new(&crc::CRC_64_REDIS);

/// Why a payload is no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Corrupt {
    /// The footer is missing, of a later version, or does not fit what is before it.
    Footer,
    /// The footer fits, but what is before it is not understood.
    Value,
}

/// The payload that DUMP answers for `value`.
pub(super) fn serialize(value: ValueRef<'_>) -> Vec<u8> {
    let mut payload = Vec::with_capacity(1 + value_bytes(value) + FOOTER_BYTES);
    match value {
        ValueRef::Collection(CollectionRef::Set(members)) => {
            payload.push(set::TYPE_STRINGS);
            set::write(members, &mut payload);
        }
        ValueRef::Collection(CollectionRef::Hash(fields)) => {
            payload.push(hash::TYPE_STRINGS);
            hash::write(fields, &mut payload);
        }
        ValueRef::Collection(CollectionRef::List(elements)) => {
            payload.push(list::TYPE_STRINGS);
            list::write(elements, &mut payload);
        }
        ValueRef::Collection(CollectionRef::ZSet(members)) => {
            payload.push(zset::TYPE_BINARY);
            zset::write(members, &mut payload);
        }
        value => {
            payload.push(TYPE_STRING);
            string::write(value.string_bytes(&mut Scratch::default()), &mut payload);
        }
    }
    payload.extend_from_slice(&VERSION_WRITTEN.to_le_bytes());
    let checksum = CRC64.checksum(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// How many bytes a value takes in a payload, without type and footer.
pub(super) fn value_bytes(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Collection(CollectionRef::Set(members)) => set::written_bytes(members),
        ValueRef::Collection(CollectionRef::Hash(fields)) => hash::written_bytes(fields),
        ValueRef::Collection(CollectionRef::List(elements)) => list::written_bytes(elements),
        ValueRef::Collection(CollectionRef::ZSet(members)) => zset::written_bytes(members),
        value => string::written_bytes(value.string_bytes(&mut Scratch::default())),
    }
}

/// The value of a payload; its strings may be `string_bytes_max` long, and `shapes` says how a collection is kept. Bytes between value and footer are ignored, as by
/// Redis.
pub(super) fn deserialize(payload: &[u8], string_bytes_max: usize, shapes: &Shapes) -> Result<Value, Corrupt> {
    let (checked, checksum) = payload.split_last_chunk::<8>().ok_or(Corrupt::Footer)?;
    let (body, version) = checked.split_last_chunk::<2>().ok_or(Corrupt::Footer)?;
    if u16::from_le_bytes(*version) > VERSION_READ_MAX || CRC64.checksum(checked) != u64::from_le_bytes(*checksum) {
        return Err(Corrupt::Footer);
    }
    match body {
        [TYPE_STRING, string @ ..] => {
            let bytes = string::read(string, string_bytes_max).ok_or(Corrupt::Value)?;
            Ok(Value::string(&bytes))
        }
        [kind @ (zset::TYPE_TEXT | zset::TYPE_BINARY | zset::TYPE_ZIPLIST | zset::TYPE_LISTPACK), members @ ..] => {
            let zset = zset::read(*kind, members, string_bytes_max, shapes).ok_or(Corrupt::Value)?;
            Ok(Value::Collection(Box::new(Collection::ZSet(zset))))
        }
        [kind @ (set::TYPE_STRINGS | set::TYPE_INTEGERS | set::TYPE_LISTPACK), members @ ..] => {
            let set = set::read(*kind, members, string_bytes_max, shapes).ok_or(Corrupt::Value)?;
            Ok(Value::Collection(Box::new(Collection::Set(set))))
        }
        [kind @ (hash::TYPE_STRINGS | hash::TYPE_ZIPMAP | hash::TYPE_ZIPLIST | hash::TYPE_LISTPACK), fields @ ..] => {
            let hash = hash::read(*kind, fields, string_bytes_max, shapes).ok_or(Corrupt::Value)?;
            Ok(Value::Collection(Box::new(Collection::Hash(hash))))
        }
        [kind, list @ ..] => list::read(*kind, list, string_bytes_max, shapes).ok_or(Corrupt::Value),
        [] => Err(Corrupt::Value),
    }
}

/// A payload around any body, with a footer that fits.
#[cfg(test)]
pub(super) fn seal(body: &[u8], version: u16) -> Vec<u8> {
    let mut payload = [body, &version.to_le_bytes()].concat();
    let checksum = CRC64.checksum(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// What tests of the types need.
#[cfg(test)]
mod testing {
    use super::{FOOTER_BYTES, deserialize, serialize, value_bytes};
    use crate::base::KeyHasher;
    use crate::config::Config;
    use crate::keyspace::Value;
    use crate::keyspace::collection::{Collection, CompactLimits, Shapes};

    pub(super) fn shapes() -> Shapes {
        Shapes { compact: CompactLimits::of(&Config::default()), hasher: KeyHasher::new(1) }
    }

    /// The payload of a collection.
    pub(super) fn dumped(collection: Collection) -> Vec<u8> {
        let value = Value::Collection(Box::new(collection));
        let payload = serialize(value.as_ref());
        assert_eq!(payload.len(), 1 + value_bytes(value.as_ref()) + FOOTER_BYTES);
        payload
    }

    /// The value of a payload, if it has one.
    pub(super) fn restored(payload: &[u8]) -> Option<Value> {
        deserialize(payload, 10_000, &shapes()).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::KeyHasher;
    use crate::config::Config;
    use crate::keyspace::collection::CompactLimits;

    fn deserialize(payload: &[u8], string_bytes_max: usize) -> Result<Value, Corrupt> {
        let shapes = Shapes { compact: CompactLimits::of(&Config::default()), hasher: KeyHasher::new(1) };
        super::deserialize(payload, string_bytes_max, &shapes)
    }

    /// What redis-server 7.0.15 answers to DUMP where it does not compress.
    const DUMPS: &[(&str, &str)] = &[
        ("", "00000a005d9b5c400f7fa2da"),
        ("a", "0001610a00bffeef9b8f367db4"),
        ("abc", "00036162630a00d9ac303d4172a2e2"),
        ("0", "00c0000a009840a778f8500308"),
        ("-1", "00c0ff0a000c937e2485089dc5"),
        ("127", "00c07f0a000db5eb315254c514"),
        ("128", "00c180000a00eb7ab3b510cf4b65"),
        ("-128", "00c0800a009966326d2f0c5bd9"),
        ("-129", "00c17fff0a001760822854808480"),
        ("32767", "00c1ff7f0a00495a37da17f4d52b"),
        ("32768", "00c2008000000a0045d82eedd5bda910"),
        ("-32768", "00c100800a00b540064753bb1ace"),
        ("-32769", "00c2ff7fffff0a00aee34c4d06c68536"),
        ("2147483647", "00c2ffffff7f0a002c74e59ee02eada1"),
        ("2147483648", "000a323134373438333634380a00e7b129a34c1d76ee"),
        ("-2147483648", "00c2000000800a00c74f873e33558187"),
        ("-2147483649", "000b2d323134373438333634390a00c261377908f2028c"),
        ("9223372036854775807", "0013393232333337323033363835343737353830370a003a657e9481e85f22"),
        ("-9223372036854775808", "00142d393232333337323033363835343737353830380a00ede2b956eb709e81"),
        ("12345678901", "000b31323334353637383930310a00304e52d727176510"),
        ("007", "00033030370a007258e27b4c69bad9"),
        ("-0", "00022d300a00d5411fd9d6d050cc"),
        ("xxxxxxxxxxxxxxxxxxxx", "001478787878787878787878787878787878787878780a005b3c81eca58cc56b"),
        (
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "00246162636465666768696a6b6c6d6e6f707172737475767778797a303132333435363738390a00c3d18e5aec8d8f0d",
        ),
    ];

    /// What it answers where it compresses.
    const COMPRESSED: &[(&str, &str)] = &[
        ("xxxxxxxxxxxxxxxxxxxxx", "00c30615017878e00a000a00941a83676017192f"),
        (
            "abababababababababababababababababababababababababababababababababababababababab",
            "00c30a405002616261e042010161620a00949d5f0eb1dea445",
        ),
        (
            "The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy cat.",
            "00c33940591f54686520717569636b2062726f776e20666f78206a756d7073206f7665722074201e0a6c617a7920646f672e2054200d\
             e01b2c036361742e0a00a80957279a025215",
        ),
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII"));
        digits.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal")).collect()
    }

    fn text(value: &Value) -> Vec<u8> {
        value.as_ref().string_bytes(&mut Scratch::default()).to_vec()
    }

    #[test]
    fn dumps_are_those_of_redis() {
        for (string, hex) in DUMPS {
            let value = Value::string(string.as_bytes());
            assert_eq!(serialize(value.as_ref()), bytes(hex), "{string}");
            assert_eq!(value_bytes(value.as_ref()), bytes(hex).len() - 1 - FOOTER_BYTES, "{string}");
        }
    }

    #[test]
    fn dumps_of_redis_are_read() {
        for (string, hex) in DUMPS.iter().chain(COMPRESSED) {
            let value = deserialize(&bytes(hex), 100).unwrap_or_else(|_| panic!("{string}"));
            assert_eq!(text(&value), string.as_bytes());
            assert_eq!(value.as_ref().encoding_name(), Value::string(string.as_bytes()).as_ref().encoding_name());
        }
    }

    #[test]
    fn one_wrong_byte_anywhere_is_noticed() {
        for (string, hex) in DUMPS.iter().chain(COMPRESSED) {
            let good = bytes(hex);
            for at in 0..good.len() {
                for flip in [1, 0x80, 0xFF] {
                    let mut bad = good.clone();
                    bad[at] ^= flip;
                    assert_eq!(deserialize(&bad, 100).err(), Some(Corrupt::Footer), "{string} at {at}");
                }
                assert!(deserialize(&good[..at], 100).is_err());
            }
        }
    }

    #[test]
    fn one_wrong_byte_under_a_good_checksum_is_a_value_or_an_error() {
        for (_, hex) in DUMPS.iter().chain(COMPRESSED) {
            let good = bytes(hex);
            let body = &good[..good.len() - FOOTER_BYTES];
            for at in 0..body.len() {
                for wrong in 0..=255 {
                    let mut bad = body.to_vec();
                    bad[at] = wrong;
                    if let Ok(value) = deserialize(&seal(&bad, 10), 200) {
                        assert!(value.as_ref().string_len() <= 200);
                    }
                }
                // A value that lacks bytes is none.
                let short = deserialize(&seal(&body[..at], 10), 200);
                assert_eq!(short.err(), Some(Corrupt::Value));
            }
        }
    }

    #[test]
    fn versions_up_to_that_of_redis_7_2_are_read() {
        for (version, is_read) in [(0, true), (9, true), (10, true), (11, true), (12, false), (u16::MAX, false)] {
            let result = deserialize(&seal(b"\x00\x01a", version), 100);
            assert_eq!(result.is_ok(), is_read, "{version}");
        }
    }

    #[test]
    fn types_that_are_unknown_are_refused() {
        for body in [&b""[..], b"\x06\x01\x01a", b"\x15\x00", b"\xC8\x00"] {
            assert_eq!(deserialize(&seal(body, 10), 100).err(), Some(Corrupt::Value));
        }
    }

    #[test]
    fn bytes_behind_the_value_are_ignored() {
        let value = deserialize(&seal(b"\x00\x03abcJUNK", 10), 100).expect("a value");
        assert_eq!(text(&value), b"abc");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(string in proptest::collection::vec(any::<u8>(), 0..4_000)) {
            let payload = serialize(Value::string(&string).as_ref());
            let value = deserialize(&payload, string.len()).expect("our own");
            prop_assert_eq!(text(&value), &string[..]);
            if !string.is_empty() && value.as_ref().encoding_name() != "int" {
                prop_assert_eq!(deserialize(&payload, string.len() - 1).err(), Some(Corrupt::Value));
            }
        }

        #[test]
        fn numbers_survive(number in any::<i64>(), shift in 0..64) {
            let number = number >> shift;
            let value = deserialize(&serialize(ValueRef::Int(number)), 100).expect("our own");
            prop_assert_eq!(text(&value), number.to_string().into_bytes());
        }

        #[test]
        fn no_bytes_do_harm(body in proptest::collection::vec(any::<u8>(), 0..60)) {
            _ = deserialize(&body, 1000);
            _ = deserialize(&seal(&body, 10), 1000);
            _ = deserialize(&seal(&[b"\x00", &body[..]].concat(), 10), 1000);
            _ = deserialize(&seal(&[b"\x00\xC3\x28\x80\x00\x00\x01\x00", &body[..]].concat(), 10), 1000);
        }
    }
}

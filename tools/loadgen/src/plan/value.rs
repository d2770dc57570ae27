//! Values that can be checked: each says which key it belongs to and which of its versions it is, and every byte of it
//! can be told from a wrong one.
//!
//! ```text
//!   0        4        8                 16                24                       size
//!   | "CWV1" | crc32  | key             | version         | filler ...             |
//!            `---+--'                                                              `- no length: the reply has one
//!                of all other bytes    (numbers are little-endian)
//! ```
//!
//! The filler is derived from key, version and size. So the checksum finds that a value is wrong, and the filler where,
//! and a value that was cut off or put together of two is found even if its checksum were right.

use std::fmt;

use rand::RngCore;

use super::dice::{Dice, mix};

/// The smallest value that can be checked: all but the filler.
pub const MARKED_BYTES_MIN: usize = 24;

const MARK: [u8; 4] = *b"CWV1";
const CRC32: crc::Crc<u32, crc::Table<16>> = crc::Crc::<u32, crc::Table<16>>::new(&crc::CRC_32_ISO_HDLC);

/// What is wrong with a value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// It is shorter than any value of ours.
    Short {
        /// Its length.
        bytes: usize,
    },
    /// It is none of ours: it does not begin with the mark.
    Foreign,
    /// Its checksum is not that of its bytes.
    Corrupt {
        /// The key that it claims to belong to.
        key: u64,
        /// The version that it claims to be.
        version: u64,
        /// Offset of the first byte of the filler that is wrong; none if head, checksum or length are what is wrong.
        at: Option<usize>,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { bytes } => {
                write!(
                    f,
                    "a value of {bytes} bytes, which is less than the {MARKED_BYTES_MIN} of the smallest one sent"
                )
            }
            Self::Foreign => f.write_str("a value that was not sent by this program"),
            Self::Corrupt { key, version, at: Some(at) } => {
                write!(f, "a corrupt value: the first wrong byte of version {version} of key {key} is number {at}")
            }
            Self::Corrupt { key, version, at: None } => {
                write!(
                    f,
                    "a corrupt value: its head (version {version} of key {key}), its checksum or its length is wrong"
                )
            }
        }
    }
}

impl std::error::Error for Fault {}

/// Appends the value of `size` bytes (at least [`MARKED_BYTES_MIN`]) that is this version of this key.
pub fn encode_value(key: u64, version: u64, size: usize, out: &mut Vec<u8>) {
    let size = size.max(MARKED_BYTES_MIN);
    let start = out.len();
    out.reserve(size);
    out.extend_from_slice(&MARK);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&key.to_le_bytes());
    out.extend_from_slice(&version.to_le_bytes());
    out.resize(start + size, 0);
    let value = &mut out[start..];
    filler(key, version, size).fill_bytes(&mut value[MARKED_BYTES_MIN..]);
    let checksum = checksum(value);
    value[4..8].copy_from_slice(&checksum.to_le_bytes());
}

/// Key and version of a value, if every byte of it is right.
pub fn decode(value: &[u8]) -> Result<(u64, u64), Fault> {
    if value.len() < MARKED_BYTES_MIN {
        return Err(Fault::Short { bytes: value.len() });
    }
    if !value.starts_with(&MARK) {
        return Err(Fault::Foreign);
    }
    let number = |at: usize| u64::from_le_bytes(value[at..at + 8].try_into().expect("eight bytes were cut out"));
    let (key, version) = (number(8), number(16));
    if checksum(value).to_le_bytes() == value[4..8] {
        return Ok((key, version));
    }
    let mut expected = vec![0; value.len() - MARKED_BYTES_MIN];
    filler(key, version, value.len()).fill_bytes(&mut expected);
    let wrong = expected.iter().zip(&value[MARKED_BYTES_MIN..]).position(|(expected, found)| expected != found);
    // If the head was hit, the whole filler is another one: that says nothing about the place.
    let at = wrong.filter(|at| expected[at + 1..] == value[MARKED_BYTES_MIN + at + 1..] || *at >= 8);
    Err(Fault::Corrupt { key, version, at: at.map(|at| MARKED_BYTES_MIN + at) })
}

fn filler(key: u64, version: u64, size: usize) -> Dice {
    Dice::new(mix(key) ^ version, size as u64)
}

fn checksum(value: &[u8]) -> u32 {
    let mut digest = CRC32.digest();
    digest.update(&value[..4]);
    digest.update(&value[8..]);
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(key: u64, version: u64, size: usize) -> Vec<u8> {
        let mut out = Vec::new();
        encode_value(key, version, size, &mut out);
        out
    }

    #[test]
    fn sizes_are_kept_and_small_ones_raised() {
        for (asked, size) in [(0, 24), (23, 24), (24, 24), (25, 25), (64, 64), (100_000, 100_000)] {
            assert_eq!(encoded(1, 2, asked).len(), size);
        }
        let mut out = b"$24\r\n".to_vec();
        encode_value(7, 8, 24, &mut out);
        assert_eq!(decode(&out[5..]), Ok((7, 8)), "what stands before is left alone");
    }

    #[test]
    fn faults_say_what_is_wrong() {
        let value = encoded(7, 8, 64);
        assert_eq!(decode(b""), Err(Fault::Short { bytes: 0 }));
        assert_eq!(decode(&value[..23]), Err(Fault::Short { bytes: 23 }));
        assert_eq!(decode(&[b'x'; 64]), Err(Fault::Foreign));
        let mut wrong = value.clone();
        wrong[40] ^= 1;
        assert_eq!(decode(&wrong), Err(Fault::Corrupt { key: 7, version: 8, at: Some(40) }));
        let mut wrong = value.clone();
        wrong[5] ^= 1;
        assert_eq!(decode(&wrong), Err(Fault::Corrupt { key: 7, version: 8, at: None }));
        let text = decode(&value[..60]).unwrap_err().to_string();
        assert!(text.starts_with("a corrupt value"), "{text}");
    }

    #[test]
    fn every_byte_and_every_bit_of_a_value_counts() {
        let value = encoded(3, 1 << 40, 100);
        for at in 0..value.len() {
            for bit in 0..8 {
                let mut wrong = value.clone();
                wrong[at] ^= 1 << bit;
                assert!(decode(&wrong).is_err(), "byte {at}, bit {bit}");
            }
        }
    }

    proptest! {
        #[test]
        fn values_survive(key: u64, version: u64, size in 0usize..3000) {
            prop_assert_eq!(decode(&encoded(key, version, size)), Ok((key, version)));
        }

        #[test]
        fn a_wrong_byte_is_always_found(key: u64, version: u64, size in 24usize..300, place: usize, change in 1u8..) {
            let mut value = encoded(key, version, size);
            let place = place % value.len();
            value[place] ^= change;
            prop_assert!(decode(&value).is_err());
        }

        #[test]
        fn two_versions_in_one_value_are_found(key: u64, old: u64, new: u64, size in 32usize..300, cut: usize) {
            prop_assume!(old != new);
            let cut = 17 + cut % (size - 17);
            let torn = [&encoded(key, new, size)[..cut], &encoded(key, old, size)[cut..]].concat();
            prop_assume!(torn != encoded(key, new, size) && torn != encoded(key, old, size));
            prop_assert!(decode(&torn).is_err());
        }

        #[test]
        fn any_bytes_get_an_answer(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}

//! Compressed values: packed when they are stored, unpacked when they are read.
//!
//! A value is kept packed if that saves at least an eighth of it; otherwise the time to unpack it would buy nothing.
//!
//! ```text
//! [ codec 1 ][ length of the original 4 ][ packed bytes ]
//! ```

use std::fmt;

use crate::limits::PACKED_BYTES_MAX;

/// How a value was packed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Codec {
    Lz4 = 1,
    Zstd = 2,
}

/// Level of zstd: its fastest regular one, as packing holds up a core.
const ZSTD_LEVEL: i32 = 1;
const HEADER_BYTES: usize = 5;

/// A packed value where it lies.
#[derive(Clone, Copy)]
pub struct Packed<'a> {
    pub(super) codec: Codec,
    /// Bytes of the unpacked value.
    pub(super) original_len: u32,
    pub(super) bytes: &'a [u8],
}

impl fmt::Debug for Packed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {} bytes of {}", self.codec, self.bytes.len(), self.original_len)
    }
}

impl<'a> Packed<'a> {
    /// Reads what [`pack`] has written.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let codec = if bytes[0] == Codec::Zstd as u8 { Codec::Zstd } else { Codec::Lz4 };
        let original_len = u32::from_le_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
        Self { codec, original_len, bytes: &bytes[HEADER_BYTES..] }
    }
}

/// Packs `value` behind a header into `packed`. False, and `packed` is of no use, if that saves less than an eighth.
pub(super) fn pack(value: &[u8], codec: Codec, packed: &mut Vec<u8>) -> bool {
    if value.len() > PACKED_BYTES_MAX {
        return false;
    }
    let most = value.len() - value.len() / 8;
    if most <= HEADER_BYTES {
        return false;
    }
    packed.clear();
    packed.push(codec as u8);
    packed.extend_from_slice(&(value.len() as u32).to_le_bytes());
    match codec {
        Codec::Lz4 => {
            packed.resize(HEADER_BYTES + lz4_flex::block::get_maximum_output_size(value.len()), 0);
            match lz4_flex::block::compress_into(value, &mut packed[HEADER_BYTES..]) {
                Ok(len) => packed.truncate(HEADER_BYTES + len),
                Err(_) => return false,
            }
        }
        Codec::Zstd => {
            // What does not fit has not saved enough.
            packed.resize(most, 0);
            match zstd::bulk::compress_to_buffer(value, &mut packed[HEADER_BYTES..], ZSTD_LEVEL) {
                Ok(len) => packed.truncate(HEADER_BYTES + len),
                Err(_) => return false,
            }
        }
    }
    packed.len() <= most
}

/// Unpacks a value into `value`.
///
/// # Panics
/// If the bytes are not what [`pack`] wrote: memory has been corrupted.
pub(super) fn unpack(packed: Packed<'_>, value: &mut Vec<u8>) {
    let len = packed.original_len as usize;
    value.clear();
    value.resize(len, 0);
    let unpacked = match packed.codec {
        Codec::Lz4 => lz4_flex::block::decompress_into(packed.bytes, value).ok(),
        Codec::Zstd => zstd::bulk::decompress_to_buffer(packed.bytes, value).ok(),
    };
    assert_eq!(unpacked, Some(len), "a packed value was damaged in memory");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_saves_too_little_is_not_packed() {
        let mut packed = Vec::new();
        let noise: Vec<u8> = (0..4096u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for codec in [Codec::Lz4, Codec::Zstd] {
            assert!(!pack(&noise[..200], codec, &mut packed));
            assert!(pack(&[7; 200], codec, &mut packed));
            assert!(!pack(b"", codec, &mut packed));
            assert!(!pack(&vec![7; PACKED_BYTES_MAX + 1], codec, &mut packed));
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_back(piece in proptest::collection::vec(any::<u8>(), 1..60), times in 1..200usize, zstd: bool) {
            let value = piece.repeat(times);
            let codec = if zstd { Codec::Zstd } else { Codec::Lz4 };
            let (mut packed, mut back) = (Vec::new(), vec![1, 2, 3]);
            if pack(&value, codec, &mut packed) {
                prop_assert!(packed.len() <= value.len() - value.len() / 8);
                unpack(Packed::read(&packed), &mut back);
                prop_assert_eq!(back, value);
            }
        }
    }
}

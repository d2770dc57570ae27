//! Strings: a length and that many bytes, a small number, or a compressed string.
//!
//! The two highest bits of the first byte say what follows.
//!
//! ```text
//!   00 llllll                    length below 64
//!   01 llllll  llllllll          length below 16384
//!   10 000000  4 bytes           length, big-endian (80)
//!   10 000001  8 bytes           length, big-endian (81)
//!   11 000000  1 byte            number, little-endian (c0; c1: 2 bytes, c2: 4 bytes)
//!   11 000011                    compressed (c3): length compressed, length, LZF
//! ```
//!
//! Strings are written uncompressed: what LZF gives in Redis depends on what its stack held before, so that no other
//! program could answer the same bytes anyway, and a value can be dumped without holding the core up.

use std::borrow::Cow;

use super::lzf;
use super::reader::{Head, LENGTH_32, LENGTH_64, Reader};

const INT8: u8 = 0xC0;
const INT16: u8 = 0xC1;
const INT32: u8 = 0xC2;
const LZF: u8 = 0xC3;
/// Longest text that is tried as a number of 32 bits.
const INTEGER_TEXT_MAX: usize = 11;

/// Appends the form of `string` to `to`.
pub(super) fn write(string: &[u8], to: &mut Vec<u8>) {
    match small_integer(string) {
        Some(number) => {
            if let Ok(number) = i8::try_from(number) {
                to.push(INT8);
                to.extend_from_slice(&number.to_le_bytes());
            } else if let Ok(number) = i16::try_from(number) {
                to.push(INT16);
                to.extend_from_slice(&number.to_le_bytes());
            } else {
                to.push(INT32);
                to.extend_from_slice(&number.to_le_bytes());
            }
        }
        None => {
            write_length(string.len(), to);
            to.extend_from_slice(string);
        }
    }
}

/// How many bytes [`write()`] appends.
pub(super) fn written_bytes(string: &[u8]) -> usize {
    match small_integer(string) {
        Some(number) if i8::try_from(number).is_ok() => 2,
        Some(number) if i16::try_from(number).is_ok() => 3,
        Some(_) => 5,
        None => length_bytes(string.len()) + string.len(),
    }
}

/// How many bytes [`write_length`] appends.
pub(super) fn length_bytes(length: usize) -> usize {
    match length {
        0..0x40 => 1,
        0x40..0x4000 => 2,
        0x4000..=0xFFFF_FFFF => 5,
        _ => 9,
    }
}

/// Appends a length, or a number of parts.
pub(super) fn write_length(length: usize, to: &mut Vec<u8>) {
    let wide = length as u64;
    let [.., high, low] = wide.to_be_bytes();
    match length {
        0..0x40 => to.push(low),
        0x40..0x4000 => to.extend_from_slice(&[0x40 | high, low]),
        0x4000..=0xFFFF_FFFF => {
            to.push(LENGTH_32);
            to.extend_from_slice(&wide.to_be_bytes()[4..]);
        }
        _ => {
            to.push(LENGTH_64);
            to.extend_from_slice(&wide.to_be_bytes());
        }
    }
}

/// The number of 32 bits whose shortest text `string` is.
fn small_integer(string: &[u8]) -> Option<i32> {
    if string.len() > INTEGER_TEXT_MAX {
        return None;
    }
    i32::try_from(crate::command::number::integer(string)?).ok()
}

/// Reads the string at the beginning of `bytes`; `None` if there is none, or none of at most `bytes_max`.
pub(super) fn read(bytes: &[u8], bytes_max: usize) -> Option<Cow<'_, [u8]>> {
    read_from(&mut Reader { rest: bytes }, bytes_max)
}

/// Reads the string that comes next; `None` if there is none, or none of at most `bytes_max`.
pub(super) fn read_from<'a>(reader: &mut Reader<'a>, bytes_max: usize) -> Option<Cow<'a, [u8]>> {
    let string = match reader.head()? {
        Head::Length(length) => Cow::Borrowed(reader.take(length)?),
        Head::Encoding(INT8) => decimal(i8::from_le_bytes(reader.array()?).into()),
        Head::Encoding(INT16) => decimal(i16::from_le_bytes(reader.array()?).into()),
        Head::Encoding(INT32) => decimal(i32::from_le_bytes(reader.array()?)),
        Head::Encoding(LZF) => {
            let (packed, length) = (reader.length()?, reader.length()?);
            if length > bytes_max {
                return None;
            }
            Cow::Owned(lzf::decompress(reader.take(packed)?, length)?)
        }
        Head::Encoding(_) => return None,
    };
    (string.len() <= bytes_max).then_some(string)
}

fn decimal(number: i32) -> Cow<'static, [u8]> {
    Cow::Owned(itoa::Buffer::new().format(number).as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], string: Option<&[u8]>) {
        assert_eq!(read(bytes, 1000).as_deref(), string, "{}", bytes.escape_ascii());
    }

    #[test]
    fn every_form_is_read() {
        check(b"\x03abc", Some(b"abc"));
        check(b"\x40\x03abc", Some(b"abc"));
        check(b"\x80\x00\x00\x00\x03abc", Some(b"abc"));
        check(b"\x81\x00\x00\x00\x00\x00\x00\x00\x03abc", Some(b"abc"));
        check(b"\xC0\xFF", Some(b"-1"));
        check(b"\xC1\xFF\x7F", Some(b"32767"));
        check(b"\xC2\xFF\xFF\xFF\x7F", Some(b"2147483647"));
        check(b"\xC3\x04\x03\x02abc", Some(b"abc"));
        check(b"\xC3\x80\x00\x00\x00\x04\x40\x03\x02abc", Some(b"abc"));
    }

    #[test]
    fn what_has_no_form_is_refused() {
        check(b"", None);
        check(b"\x04abc", None);
        check(b"\x40", None);
        check(b"\x82\x00\x00\x00\x00\x00\x00\x00\x03abc", None);
        check(b"\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFabc", None);
        check(b"\xC2\xFF\xFF\xFF", None);
        check(b"\xC4\x03abc", None);
        check(b"\xC3\xC0\x04\x03\x02abc", None);
        check(b"\xC3\x04\x81\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02abc", None);
        check(b"\xC3", None);
    }

    #[test]
    fn lengths_are_written_as_they_are_read() {
        for length in [0, 1, 0x3F, 0x40, 0x3FFF, 0x4000, 70_000] {
            let string = vec![b'x'; length];
            let mut bytes = Vec::new();
            write(&string, &mut bytes);
            assert_eq!(bytes.len(), written_bytes(&string));
            assert_eq!(read(&bytes, length).as_deref(), Some(&string[..]));
        }
        let mut bytes = Vec::new();
        write_length(0x1_0000_0000, &mut bytes);
        assert_eq!(bytes, b"\x81\x00\x00\x00\x01\x00\x00\x00\x00");
        assert!(matches!(Reader { rest: &bytes }.head(), Some(Head::Length(0x1_0000_0000))));
    }
}

//! LZF, in which Redis compresses strings: runs of literal bytes, and references to bytes that came before.
//!
//! ```text
//!   000lllll  l + 1 bytes                    literal
//!   lllddddd  dddddddd                       the l + 2 bytes that began d + 1 bytes ago, l from 1 to 6
//!   111ddddd  llllllll  dddddddd             the same for l + 9 bytes
//! ```
//!
//! A reference may reach into what it writes itself: that is how a run of one byte is packed.

/// Most bytes that one packed byte can stand for: a long reference makes 264 bytes out of 3.
const EXPANSION_MAX: usize = 88;

/// Unpacks `packed`, which must give exactly `length` bytes.
pub(super) fn decompress(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    // Memory is only taken for what the packed bytes can bear out.
    if length > packed.len().saturating_mul(EXPANSION_MAX) {
        return None;
    }
    let mut bytes = Vec::with_capacity(length);
    let mut rest = packed;
    while let [control, behind @ ..] = rest {
        rest = match control >> 5 {
            0 => {
                let (literal, behind) = behind.split_at_checked(usize::from(*control) + 1)?;
                if literal.len() > length - bytes.len() {
                    return None;
                }
                bytes.extend_from_slice(literal);
                behind
            }
            short => {
                let (count, behind) = match (short, behind) {
                    (7, [count, behind @ ..]) => (usize::from(*count) + 9, behind),
                    (7, []) => return None,
                    _ => (usize::from(short) + 2, behind),
                };
                let (low, behind) = behind.split_first()?;
                let distance = usize::from(u16::from_be_bytes([control & 0x1F, *low])) + 1;
                if count > length - bytes.len() {
                    return None;
                }
                repeat(&mut bytes, distance, count)?;
                behind
            }
        };
    }
    (bytes.len() == length).then_some(bytes)
}

/// Appends `count` bytes, each equal to the one `distance` before it.
fn repeat(bytes: &mut Vec<u8>, distance: usize, count: usize) -> Option<()> {
    let start = bytes.len().checked_sub(distance)?;
    let mut left = count;
    while left > 0 {
        // What was appended continues the pattern, so every round can copy all that is there.
        let run = left.min(bytes.len() - start);
        bytes.extend_from_within(start..start + run);
        left -= run;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(packed: &[u8], length: usize, expected: Option<&[u8]>) {
        assert_eq!(decompress(packed, length).as_deref(), expected, "{}", packed.escape_ascii());
    }

    #[test]
    fn literals_and_references() {
        check(b"", 0, Some(b""));
        check(b"\x02abc", 3, Some(b"abc"));
        check(b"\x00a\x20\x00", 4, Some(b"aaaa"));
        check(b"\x01ab\x40\x01", 6, Some(b"ababab"));
        check(b"\x00a\xE0\x00\x00", 10, Some(b"aaaaaaaaaa"));
        check(b"\x00a\xE0\xFF\x00", 265, Some(&[b'a'; 265]));
        check(b"\x03abcd\x20\x03\x00e", 8, Some(b"abcdabce"));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        check(b"\x02ab", 3, None);
        check(b"\x02abc", 2, None);
        check(b"\x02abc", 4, None);
        check(b"\x00a\x20", 4, None);
        check(b"\x00a\xE0\x00", 10, None);
        check(b"\x00a\xE0", 10, None);
        check(b"\x00a\x20\x01", 4, None);
        check(b"\x20\x00", 3, None);
        check(b"\x00a\x20\x00", 3, None);
        check(b"\x00a\xE0\xFF\x00", usize::MAX, None);
    }
}

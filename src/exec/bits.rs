//! Arithmetic on byte strings taken as rows of bits. Bit 0 is the highest of the first byte, as Redis counts.
//!
//! ```text
//!   bit    0 1 2 3 4 5 6 7 | 8 9 ...             field of 6 bits at 5
//!   byte  [ 7 6 5 4 3 2 1 0 | 7 6 ... ]          . . . . . f f f | f f f . . .
//! ```
//!
//! Long strings are gone through in words of 64 bits; what is left at the edges goes through the same functions as
//! single bytes with the bits outside masked away.

use std::ops::Range;

/// Most bits of a field.
pub(super) const FIELD_BITS_MAX: u32 = 64;
/// Bytes that a field may touch: 64 bits that begin in the middle of a byte.
const FIELD_BYTES_MAX: usize = 9;

/// How two strings are combined bit by bit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Combination {
    And,
    Or,
    Xor,
}

/// The bit at a place; clear behind the end.
pub(super) fn bit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at / 8).is_some_and(|byte| byte & mask(at) != 0)
}

/// Sets or clears a bit that is there. Answers what it was.
pub(super) fn replace_bit(bytes: &mut [u8], at: usize, on: bool) -> bool {
    let byte = &mut bytes[at / 8];
    let before = *byte & mask(at) != 0;
    *byte = if on { *byte | mask(at) } else { *byte & !mask(at) };
    before
}

fn mask(at: usize) -> u8 {
    0x80 >> (at % 8)
}

/// How many bits of a range are set. The range must lie within the string.
pub(super) fn count_ones(bytes: &[u8], range: Range<usize>) -> u64 {
    let Some(edges) = Edges::of(bytes, range, false) else { return 0 };
    let (words, tail) = edges.middle.as_chunks();
    let words: u64 = words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    let bytes: u64 = tail.iter().chain(&[edges.first, edges.last]).map(|byte| u64::from(byte.count_ones())).sum();
    words + bytes
}

/// The first bit of a range that is `on`. The range must lie within the string.
pub(super) fn find(bytes: &[u8], range: Range<usize>, on: bool) -> Option<usize> {
    let start = range.start / 8 * 8;
    let edges = Edges::of(bytes, range, !on)?;
    // Looking for a clear bit is looking for a set one in the complement.
    let flip = if on { 0 } else { u8::MAX };
    let first_one = |byte: u8| (byte != 0).then(|| byte.leading_zeros() as usize);
    if let Some(bit) = first_one(edges.first ^ flip) {
        return Some(start + bit);
    }
    let middle = start + 8;
    let (words, tail) = edges.middle.as_chunks::<8>();
    let words_all_same =
        words.iter().take_while(|word| u64::from_ne_bytes(**word) == u64::MAX * u64::from(!on)).count();
    let rest = words.get(words_all_same).map_or(tail, |word| &word[..]);
    for (at, byte) in rest.iter().enumerate() {
        if let Some(bit) = first_one(byte ^ flip) {
            return Some(middle + 64 * words_all_same + 8 * at + bit);
        }
    }
    first_one(edges.last ^ flip).map(|bit| middle + 8 * edges.middle.len() + bit)
}

/// A range of bits as bytes: the first and the last of them with the bits outside of the range set to a filling.
struct Edges<'b> {
    first: u8,
    middle: &'b [u8],
    /// All filling if the range lies within one byte.
    last: u8,
}

impl<'b> Edges<'b> {
    fn of(bytes: &'b [u8], range: Range<usize>, filling: bool) -> Option<Self> {
        if range.is_empty() {
            return None;
        }
        let touched = bytes.get(range.start / 8..range.end.div_ceil(8))?;
        let fill = |byte: u8, outside: u8| if filling { byte | outside } else { byte & !outside };
        let before_start = !(u8::MAX >> (range.start % 8));
        let behind_end = u8::MAX.checked_shr((range.end - 1) as u32 % 8 + 1).unwrap_or(0);
        match *touched {
            [] => None,
            [only] => Some(Edges { first: fill(only, before_start | behind_end), middle: &[], last: fill(0, u8::MAX) }),
            [first, ref middle @ .., last] => {
                Some(Edges { first: fill(first, before_start), middle, last: fill(last, behind_end) })
            }
        }
    }
}

/// Combines `source` into `target`. The shorter one counts as zero bytes where the other is longer.
pub(super) fn combine(target: &mut Vec<u8>, source: &[u8], how: Combination) {
    if target.len() < source.len() {
        target.resize(source.len(), 0);
    }
    let (both, rest) = target.split_at_mut(source.len());
    // One loop each, so that each becomes a loop over vectors.
    match how {
        Combination::And => {
            both.iter_mut().zip(source).for_each(|(target, source)| *target &= source);
            rest.fill(0);
        }
        Combination::Or => both.iter_mut().zip(source).for_each(|(target, source)| *target |= source),
        Combination::Xor => both.iter_mut().zip(source).for_each(|(target, source)| *target ^= source),
    }
}

/// The `bits` bits from `at` on as a number; clear behind the end. `bits` is 1 to 64.
pub(super) fn field(bytes: &[u8], at: usize, bits: u32) -> u64 {
    let (window, _) = window(bytes, at);
    let (shift, mask) = place(at, bits);
    (window >> shift & mask) as u64
}

/// Writes the low `bits` bits of `value` from `at` on, as far as the string reaches. `bits` is 1 to 64.
pub(super) fn set_field(bytes: &mut [u8], at: usize, bits: u32, value: u64) {
    let (window, len) = window(bytes, at);
    let (shift, mask) = place(at, bits);
    let window = window & !(mask << shift) | (u128::from(value) & mask) << shift;
    bytes[at / 8..][..len].copy_from_slice(&window.to_be_bytes()[..len]);
}

/// The bytes that a field at `at` may touch, in the high bytes of a word, and how many of them are there.
fn window(bytes: &[u8], at: usize) -> (u128, usize) {
    let there = bytes.get(at / 8..).unwrap_or_default();
    let there = &there[..there.len().min(FIELD_BYTES_MAX)];
    let mut window = [0; size_of::<u128>()];
    window[..there.len()].copy_from_slice(there);
    (u128::from_be_bytes(window), there.len())
}

/// Where a field lies in its window: how far from the low end, and a mask of its width.
fn place(at: usize, bits: u32) -> (u32, u128) {
    debug_assert!((1..=FIELD_BITS_MAX).contains(&bits), "the width of a field is checked where it is read");
    (u128::BITS - (at % 8) as u32 - bits, (1 << bits) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(bytes: &[u8]) -> Vec<bool> {
        bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> (7 - bit) & 1 == 1)).collect()
    }

    /// Strings with long runs of equal bytes, as well as any.
    fn string() -> impl Strategy<Value = Vec<u8>> {
        let run = (prop_oneof![Just(0_u8), Just(255), any::<u8>()], 1..40_usize);
        proptest::collection::vec(run, 0..6)
            .prop_map(|runs| runs.into_iter().flat_map(|(byte, len)| std::iter::repeat_n(byte, len)).collect())
    }

    fn string_and_range() -> impl Strategy<Value = (Vec<u8>, Range<usize>)> {
        (string(), any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(bytes, first, second)| {
            let (first, second) = (first.index(8 * bytes.len() + 1), second.index(8 * bytes.len() + 1));
            (bytes, first.min(second)..first.max(second))
        })
    }

    proptest! {
        #[test]
        fn counting_and_finding_are_those_of_a_row_of_bits((bytes, range) in string_and_range()) {
            let row = row(&bytes);
            let ones = row[range.clone()].iter().filter(|bit| **bit).count();
            prop_assert_eq!(count_ones(&bytes, range.clone()), ones as u64);
            for on in [false, true] {
                prop_assert_eq!(find(&bytes, range.clone(), on), range.clone().find(|at| row[*at] == on));
            }
        }

        #[test]
        fn combining_is_done_bit_by_bit(first in string(), second in string()) {
            for (how, model) in [
                (Combination::And, (|a, b| a & b) as fn(u8, u8) -> u8),
                (Combination::Or, |a, b| a | b),
                (Combination::Xor, |a, b| a ^ b),
            ] {
                let mut target = first.clone();
                combine(&mut target, &second, how);
                let byte = |bytes: &[u8], at: usize| bytes.get(at).copied().unwrap_or(0);
                let len = first.len().max(second.len());
                let expected: Vec<u8> = (0..len).map(|at| model(byte(&first, at), byte(&second, at))).collect();
                prop_assert_eq!(target, expected);
            }
        }

        #[test]
        fn a_field_is_its_bits(mut bytes in string(), at in 0..600_usize, bits in 1..=64_u32, value: u64) {
            let mut row = row(&bytes);
            let mut expected = 0;
            for at in at..at + bits as usize {
                expected = expected << 1 | u64::from(row.get(at).copied().unwrap_or(false));
            }
            prop_assert_eq!(field(&bytes, at, bits), expected);
            if at / 8 < bytes.len() {
                set_field(&mut bytes, at, bits, value);
                for (digit, at) in (0..bits).rev().zip(at..) {
                    if let Some(bit) = row.get_mut(at) {
                        *bit = value >> digit & 1 == 1;
                    }
                }
                prop_assert_eq!(super::tests::row(&bytes), row);
            }
        }

        #[test]
        fn a_bit_is_replaced_alone(mut bytes in string(), at: prop::sample::Index, on: bool) {
            prop_assume!(!bytes.is_empty());
            let at = at.index(8 * bytes.len());
            let mut row = row(&bytes);
            prop_assert_eq!(bit(&bytes, at), row[at]);
            prop_assert_eq!(replace_bit(&mut bytes, at, on), std::mem::replace(&mut row[at], on));
            prop_assert_eq!(super::tests::row(&bytes), row);
            prop_assert!(!bit(&bytes, 8 * bytes.len() + at));
        }
    }
}

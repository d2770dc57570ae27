//! From a name to its row: an open-addressing table of case-folded words, built at compile time.
//!
//! A name of up to 16 bytes folds into two words, so that a probe compares two integers and never touches the row before
//! it has been found:
//!
//! ```text
//!   bytes   1..=3     low = first | middle << 8 | last << 16        high = 0
//!   bytes   4..=7     low = first four bytes                        high = last four bytes     (they overlap)
//!   bytes   8..       low = first eight bytes                       high = last eight bytes    (they overlap)
//! ```
//!
//! Together with the length the words determine a name of up to 16 bytes; a longer one is compared in full as well.

use super::{Command, TABLE};

/// Places in the table: the smallest power of two that keeps it at most a quarter full.
const PLACES: usize = (4 * TABLE.len()).next_power_of_two();

/// Names beyond this many bytes are not determined by their two words.
const WORDS_BYTES: usize = 16;

/// One place: 32 bytes, so that no place crosses a cache line.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Place {
    low: u64,
    high: u64,
    len: u32,
    row: Option<&'static Command>,
}

static PLACES_BY_NAME: [Place; PLACES] = build();

/// The row of the command called `name`, in any case. Subcommands are found by [`lookup_sub`].
#[inline]
pub fn lookup(name: &[u8]) -> Option<&'static Command> {
    if name.is_empty() {
        return None;
    }
    let (low, high) = fold(name);
    let mut at = place(low, high, name.len());
    loop {
        let found = &PLACES_BY_NAME[at];
        let row = found.row?;
        if found.low == low && found.high == high && found.len as usize == name.len() {
            return (name.len() <= WORDS_BYTES || name.eq_ignore_ascii_case(row.name.as_bytes())).then_some(row);
        }
        at = (at + 1) % PLACES;
    }
}

/// The row of the subcommand called `name` (in any case) of a container.
pub fn lookup_sub(container: &Command, name: &[u8]) -> Option<&'static Command> {
    let own_name = container.name.len() + 1;
    container.subcommands.iter().find(|sub| sub.name.as_bytes()[own_name..].eq_ignore_ascii_case(name))
}

/// The row that runs a request whose first two arguments are `name` and `second`: the command's own, or that of the
/// subcommand that `second` names. A container that got no second argument is returned itself, for its arity error.
#[inline]
pub fn resolve(name: &[u8], second: Option<&[u8]>) -> Option<&'static Command> {
    let command = lookup(name)?;
    match second {
        Some(second) if !command.subcommands.is_empty() => lookup_sub(command, second),
        _ => Some(command),
    }
}

const fn build() -> [Place; PLACES] {
    let mut places = [Place { low: 0, high: 0, len: 0, row: None }; PLACES];
    let mut i = 0;
    while i < TABLE.len() {
        let name = TABLE[i].name.as_bytes();
        let (low, high) = fold(name);
        let mut at = place(low, high, name.len());
        while places[at].row.is_some() {
            at = (at + 1) % PLACES;
        }
        places[at] = Place { low, high, len: name.len() as u32, row: Some(TABLE[i]) };
        i += 1;
    }
    places
}

/// First place to look at.
#[inline]
const fn place(low: u64, high: u64, len: usize) -> usize {
    // Fibonacci hashing; the rotation keeps equal halves of short names from cancelling out.
    let mixed = (low ^ high.rotate_left(29) ^ len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed >> 40) as usize % PLACES
}

/// The two words of a name that is not empty, in lower case.
#[inline]
const fn fold(name: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        (lower(u64::from_le_bytes(*first)), lower(u64::from_le_bytes(*last)))
    } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        (lower(u32::from_le_bytes(*first) as u64), lower(u32::from_le_bytes(*last) as u64))
    } else {
        let word = name[0] as u64 | (name[name.len() / 2] as u64) << 8 | (name[name.len() - 1] as u64) << 16;
        (lower(word), 0)
    }
}

/// ASCII lower case of eight bytes at once; other bytes stay as they are.
#[inline]
const fn lower(word: u64) -> u64 {
    const fn all(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    let ascii = word & all(0x7F);
    // Bit 7 of each byte: whether its low seven bits are at least 'A', and whether they are beyond 'Z'.
    let from_a = ascii + all(0x80 - b'A');
    let beyond_z = ascii + all(0x7F - b'Z');
    let upper = (from_a ^ beyond_z) & !word & all(0x80);
    word | upper >> 2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::command::commands;

    fn mixed_case(name: &str, seed: u64) -> Vec<u8> {
        let upper = |(i, byte): (usize, u8)| if seed >> (i % 64) & 1 == 1 { byte.to_ascii_uppercase() } else { byte };
        name.bytes().enumerate().map(upper).collect()
    }

    #[test]
    fn every_row_is_found_in_every_case() {
        for row in commands() {
            for seed in [0, u64::MAX, 0x5555_5555, 0xAAAA_AAAA, 0x1234_5678] {
                let name = mixed_case(row.name, seed);
                assert!(std::ptr::eq(lookup(&name).unwrap(), row), "{}", row.name);
                for sub in row.subcommands {
                    let own = mixed_case(sub.own_name(), seed);
                    assert!(std::ptr::eq(resolve(&name, Some(&own)).unwrap(), sub), "{}", sub.name);
                }
            }
        }
    }

    #[test]
    fn neighbours_of_names_are_not_found() {
        for row in commands() {
            let name = row.name.as_bytes();
            for i in 0..name.len() {
                for bit in (0..8).filter(|bit| *bit != 5) {
                    let mut other = name.to_vec();
                    other[i] ^= 1 << bit;
                    let expected = commands().find(|row| row.name.as_bytes().eq_ignore_ascii_case(&other));
                    assert_eq!(lookup(&other).map(|row| row.name), expected.map(|row| row.name));
                }
            }
            assert!(lookup(&[name, b"\0"].concat()).is_none());
        }
    }

    #[test]
    fn containers_resolve_to_themselves_without_a_second_argument() {
        assert_eq!(resolve(b"CLIENT", None).unwrap().name, "client");
        assert_eq!(resolve(b"command", None).unwrap().name, "command");
        assert!(resolve(b"client", Some(b"")).is_none());
        assert!(resolve(b"client|kill", None).is_none());
        assert_eq!(resolve(b"get", Some(b"kill")).unwrap().name, "get");
    }

    proptest! {
        #[test]
        fn lookup_agrees_with_a_search(name in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..24),
            "[a-zA-Z_]{1,20}".prop_map(String::into_bytes),
            (0..commands().len(), any::<u64>(), any::<u8>()).prop_map(|(row, seed, last)| {
                let mut name = mixed_case(commands().nth(row).unwrap().name, seed);
                *name.last_mut().unwrap() = last;
                name
            }),
        ]) {
            let expected = commands().find(|row| row.name.as_bytes().eq_ignore_ascii_case(&name));
            prop_assert_eq!(lookup(&name).map(|row| row.name), expected.map(|row| row.name));
        }

        #[test]
        fn folding_is_ascii_lower_case(word: [u8; 8]) {
            prop_assert_eq!(lower(u64::from_le_bytes(word)).to_le_bytes().to_vec(), word.to_ascii_lowercase());
        }
    }
}

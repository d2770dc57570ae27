//! A block: the entries whose positions share their first bits, as fingerprints and references.
//!
//! ```text
//! byte 0   BLOCK
//!      1   length: entries, 0 to 63
//!      2   capacity: places, 8 k - 1
//!      3   depth: leading bits of the position that all entries share
//!      4   prefix: first 32 bits of the first position (u32)
//!      8   earliest: tick before whose end no entry is due (u32), NEVER if none has a deadline
//!     12   fingerprints, a byte per place
//! 12 + c   references, four bytes per place
//! ```
//!
//! Places are filled from the front, in no order; an entry is found by comparing all fingerprints at once, sixteen to an
//! instruction. A block grows by eight places at a time, so that at most seven are empty, whatever the size of the table:
//! if blocks had room for all their entries from the beginning, a third of it would be empty in the mean, and half of it
//! when most have just split. With 32 to 63 entries, header and fingerprints are one or two cache lines.

use wide::u8x16;

use super::arena::CellRef;

/// Most entries of a block: what a mask of 64 bits can name, and one place less, so that a block fills its cell.
pub(super) const ENTRIES_MAX: usize = 63;
/// What stands for "no entry has a deadline".
pub(super) const NEVER: u32 = u32::MAX;
/// First byte of a block, which tells it from a node of the directory and from a free cell.
const BLOCK: u8 = 1;

const LENGTH: usize = 1;
const CAPACITY: usize = 2;
const DEPTH: usize = 3;
const FINGERPRINTS: usize = 12;
/// Bytes of a cell that a fingerprint and a reference take.
const PLACE_BYTES: usize = 5;

/// Bytes of a block that holds `entries`.
#[inline]
pub(super) const fn bytes_for(entries: usize) -> usize {
    FINGERPRINTS + PLACE_BYTES * capacity_for(entries)
}

/// Places of a block that holds `entries`: a multiple of eight, less one.
#[inline]
const fn capacity_for(entries: usize) -> usize {
    (entries + 1).next_multiple_of(8) - 1
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u32 {
    match bytes[at..].first_chunk() {
        Some(word) => u32::from_le_bytes(*word),
        None => 0,
    }
}

/// Writes an empty block into a cell of [`bytes_for`] `entries` bytes.
pub(super) fn write_empty(cell: &mut [u8], entries: usize, depth: u32, prefix: u32) {
    cell[..4].copy_from_slice(&[BLOCK, 0, capacity_for(entries) as u8, depth as u8]);
    cell[4..8].copy_from_slice(&prefix.to_le_bytes());
    cell[8..12].copy_from_slice(&NEVER.to_le_bytes());
}

/// Reads a block; the slice begins with it and may be longer.
#[derive(Clone, Copy)]
pub(super) struct Block<'a>(pub(super) &'a [u8]);

impl<'a> Block<'a> {
    #[inline]
    pub(super) fn len(self) -> usize {
        usize::from(self.0[LENGTH])
    }

    #[inline]
    pub(super) fn capacity(self) -> usize {
        usize::from(self.0[CAPACITY])
    }

    #[inline]
    pub(super) fn depth(self) -> u32 {
        u32::from(self.0[DEPTH])
    }

    /// First 32 bits of the first position that belongs here.
    #[inline]
    pub(super) fn prefix(self) -> u32 {
        word(self.0, 4)
    }

    #[inline]
    pub(super) fn earliest(self) -> u32 {
        word(self.0, 8)
    }

    #[inline]
    pub(super) fn tag(self, at: usize) -> u8 {
        self.0[FINGERPRINTS + at]
    }

    /// The entry at a place below the length.
    #[inline]
    pub(super) fn entry(self, at: usize) -> CellRef {
        let bits = word(self.0, FINGERPRINTS + self.capacity() + 4 * at);
        CellRef::from_bits(bits).expect("a place below the length is filled")
    }

    pub(super) fn entries(self) -> impl Iterator<Item = CellRef> + 'a {
        (0..self.len()).map(move |at| self.entry(at))
    }

    /// The block taken apart, for the way that every command goes.
    #[inline]
    pub(super) fn parts(self) -> Parts<'a> {
        match self.0.split_first_chunk::<FINGERPRINTS>() {
            Some((head, places)) => Parts { len: head[LENGTH], capacity: head[CAPACITY], places },
            None => Parts { len: 0, capacity: 0, places: &[] },
        }
    }

    /// The first entry that has this fingerprint.
    #[inline]
    pub(super) fn suspect(self, tag: u8) -> Option<CellRef> {
        let parts = self.parts();
        let mask = parts.matches(tag);
        if mask == 0 { None } else { parts.entry(mask.trailing_zeros() as usize) }
    }

    /// The places whose fingerprint is `tag`.
    pub(super) fn places(self, tag: u8) -> impl Iterator<Item = usize> {
        let mask = self.matches(tag);
        (0..ENTRIES_MAX).filter(move |at| mask >> at & 1 != 0)
    }

    /// The places whose fingerprint is `tag`, as a mask.
    #[inline]
    pub(super) fn matches(self, tag: u8) -> u64 {
        self.parts().matches(tag)
    }
}

/// What finding an entry needs of a block.
#[derive(Clone, Copy)]
pub(super) struct Parts<'a> {
    len: u8,
    capacity: u8,
    /// Fingerprints, references, and whatever lies behind the block.
    places: &'a [u8],
}

impl Parts<'_> {
    /// The places whose fingerprint is `tag`, as a mask.
    #[inline]
    pub(super) fn matches(self, tag: u8) -> u64 {
        let len = usize::from(self.len);
        let mut mask = 0;
        // A block is never shorter than the sixteens that its places fill: references follow the fingerprints.
        let mut rest = self.places;
        let mut at = 0;
        while at < len
            && let Some((chunk, behind)) = rest.split_first_chunk::<16>()
        {
            mask |= u64::from(equal_bytes(chunk, tag)) << at;
            (rest, at) = (behind, at + 16);
        }
        mask & ((1 << len) - 1)
    }

    /// The entry at a place below the length.
    #[inline]
    pub(super) fn entry(self, at: usize) -> Option<CellRef> {
        let bits = self.places.get(usize::from(self.capacity) + 4 * at..)?.first_chunk()?;
        CellRef::from_bits(u32::from_le_bytes(*bits))
    }
}

/// Which of sixteen bytes equal `byte`: one comparison where the processor has vectors of that size, and as many as it
/// takes where it has not.
#[inline]
fn equal_bytes(bytes: &[u8; 16], byte: u8) -> u16 {
    u8x16::new(*bytes).simd_eq(u8x16::splat(byte)).to_bitmask() as u16
}

/// Changes a block.
pub(super) struct BlockMut<'a>(pub(super) &'a mut [u8]);

impl BlockMut<'_> {
    #[inline]
    pub(super) fn read(&self) -> Block<'_> {
        Block(self.0)
    }

    #[inline]
    pub(super) fn set_earliest(&mut self, tick: u32) {
        self.0[8..12].copy_from_slice(&tick.to_le_bytes());
    }

    #[inline]
    pub(super) fn set_entry(&mut self, at: usize, entry: CellRef) {
        let start = FINGERPRINTS + self.read().capacity() + 4 * at;
        self.0[start..start + 4].copy_from_slice(&entry.to_bits().to_le_bytes());
    }

    /// Adds an entry behind the others; there must be room.
    #[inline]
    pub(super) fn push(&mut self, tag: u8, entry: CellRef) {
        let at = self.read().len();
        debug_assert!(at < self.read().capacity());
        self.0[FINGERPRINTS + at] = tag;
        self.set_entry(at, entry);
        self.0[LENGTH] += 1;
    }

    /// Takes out the entry at a place; the last one takes its place.
    pub(super) fn remove(&mut self, at: usize) {
        let last = self.read().len() - 1;
        self.0[FINGERPRINTS + at] = self.0[FINGERPRINTS + last];
        let moved = self.read().entry(last);
        self.set_entry(at, moved);
        self.0[LENGTH] -= 1;
    }

    /// Takes over all entries of `other`; there must be room.
    pub(super) fn extend(&mut self, other: Block<'_>) {
        for at in 0..other.len() {
            self.push(other.tag(at), other.entry(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn all_bytes_are_compared(bytes: [u8; 16], byte: u8, planted in proptest::collection::vec(0..16usize, 0..5)) {
            let mut bytes = bytes;
            planted.iter().for_each(|&at| bytes[at] = byte);
            let plain = (0..16).fold(0, |mask, at| mask | (u16::from(bytes[at] == byte) << at));
            prop_assert_eq!(equal_bytes(&bytes, byte), plain);
        }
    }

    #[test]
    fn a_block_fills_its_cell() {
        for entries in 0..=ENTRIES_MAX {
            assert_eq!(bytes_for(entries) % 8, 7, "one byte is lost to rounding");
            assert!(capacity_for(entries) >= entries && capacity_for(entries) < entries + 8);
            // What is compared lies inside the block.
            assert!(FINGERPRINTS + entries.next_multiple_of(16) <= bytes_for(entries));
        }
        assert_eq!(capacity_for(ENTRIES_MAX), ENTRIES_MAX);
    }
}

//! Where a key belongs: its slot first, then its hash.
//!
//! ```text
//! position  63........50 49.......................0     tag 7......0
//!           [   slot   ][ top 50 bits of the hash ]         [ low 8 bits of the hash ]
//! ```
//!
//! Ordering keys by slot first keeps those of one slot together, so that counting, listing or dropping a slot touches
//! that slot's blocks alone. The tag shares no bit with the position, so that it tells keys of one block apart.

use crate::base::{KeyHasher, SlotId, slot};
use crate::limits::SLOTS;

/// Bits of a position that are the slot.
pub(super) const SLOT_BITS: u32 = SLOTS.trailing_zeros();

/// Where a key belongs in the table, and its fingerprint there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Position {
    pub(super) bits: u64,
    pub(super) tag: u8,
}

impl Position {
    #[inline]
    pub(super) fn of(key: &[u8], hasher: &KeyHasher) -> Self {
        let hash = hasher.hash(key);
        Self { bits: start_of(slot(key)) | hash >> SLOT_BITS, tag: hash as u8 }
    }

    /// The first 32 bits: the slot and 18 bits of the hash.
    #[inline]
    pub(super) fn prefix(self) -> u32 {
        (self.bits >> 32) as u32
    }
}

/// The first position of a slot.
#[inline]
pub(super) fn start_of(slot: SlotId) -> u64 {
    u64::from(slot.0) << (u64::BITS - SLOT_BITS)
}

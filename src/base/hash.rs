//! The key hash (keyed, so that clients cannot choose collisions) and the hash slot (fixed by the cluster protocol).

use wide::u8x16;

use crate::base::SlotId;
use crate::limits::SLOTS;

/// Hashes keys for the tables of one node. The seeds are chance in production and the run's seed in a simulation.
#[derive(Clone, Debug)]
pub struct KeyHasher(ahash::RandomState);

impl KeyHasher {
    /// A hasher whose function is fixed by `seed`.
    pub fn new(seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        Self(ahash::RandomState::with_seeds(rng.u64(..), rng.u64(..), rng.u64(..), rng.u64(..)))
    }

    /// The hash of a key.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        use std::hash::{BuildHasher, Hasher};
        let mut hasher = self.0.build_hasher();
        // `write` alone, without the length prefix that `Hash for [u8]` adds: keys are hashed whole.
        hasher.write(key);
        hasher.finish()
    }
}

/// For maps of the standard library, which then are the same in every run with the same seed.
impl std::hash::BuildHasher for KeyHasher {
    type Hasher = ahash::AHasher;

    #[inline]
    fn build_hasher(&self) -> Self::Hasher {
        self.0.build_hasher()
    }
}

const CRC16: crc::Crc<u16, crc::Table<16>> = crc::Crc::<u16, crc::Table<16>>::new(&crc::CRC_16_XMODEM);

/// The slot of a key: CRC16 of the part between the first `{` and the next `}`, if that part is not empty, else of the
/// whole key (Redis Cluster specification, "Hash tags").
#[inline]
pub fn slot(key: &[u8]) -> SlotId {
    let hashed = match open_brace(key) {
        None => key,
        Some(open) => match memchr::memchr(b'}', &key[open + 1..]) {
            None | Some(0) => key,
            Some(length) => &key[open + 1..open + 1 + length],
        },
    };
    SlotId(CRC16.checksum(hashed) & (SLOTS - 1))
}

/// The first `{` of a key. Most keys are short and have none, so it is looked for without a call.
#[inline]
fn open_brace(key: &[u8]) -> Option<usize> {
    let brace = u8x16::splat(b'{');
    let (sixteens, rest) = key.as_chunks::<16>();
    for (at, bytes) in sixteens.iter().enumerate() {
        let found = u8x16::new(*bytes).simd_eq(brace).to_bitmask();
        if found != 0 {
            return Some(16 * at + found.trailing_zeros() as usize);
        }
    }
    rest.iter().position(|byte| *byte == b'{').map(|at| 16 * sixteens.len() + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_redis_cluster() {
        assert_eq!(slot(b"123456789"), SlotId(0x31C3));
        assert_eq!(slot(b"foo"), SlotId(12182));
        assert_eq!(slot(b"{user1000}.following"), slot(b"{user1000}.followers"));
        assert_eq!(slot(b"foo{}{bar}"), SlotId(CRC16.checksum(b"foo{}{bar}") % SLOTS));
        assert_eq!(slot(b"foo{{bar}}zap"), SlotId(CRC16.checksum(b"{bar") % SLOTS));
        assert_eq!(slot(b""), SlotId(0));
    }
}

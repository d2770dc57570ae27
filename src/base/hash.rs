//! The key hash (keyed, so that clients cannot choose collisions) and the hash slot (fixed by the cluster protocol).

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

const CRC16: crc::Crc<u16, crc::Table<16>> = crc::Crc::<u16, crc::Table<16>>::new(&crc::CRC_16_XMODEM);

/// The slot of a key: CRC16 of the part between the first `{` and the next `}`, if that part is not empty, else of the
/// whole key (Redis Cluster specification, "Hash tags").
#[inline]
pub fn slot(key: &[u8]) -> SlotId {
    let hashed = match memchr::memchr(b'{', key) {
        None => key,
        Some(open) => match memchr::memchr(b'}', &key[open + 1..]) {
            None | Some(0) => key,
            Some(length) => &key[open + 1..open + 1 + length],
        },
    };
    SlotId(CRC16.checksum(hashed) & (SLOTS - 1))
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

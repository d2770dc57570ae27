//! Chance that is a function of a number: what is drawn from a salt is the same each time.
//!
//! A [`Dice`] is SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014): a
//! counter that runs in steps of the golden ratio, and a mixer that makes chance of it. It has no start-up cost, so that
//! every placeholder of a template can have dice of its own, whatever stands before it.

use rand::RngCore;

/// 2^64 divided by the golden ratio, odd.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A one-to-one scrambling of 64 bits: neighbours become strangers.
#[inline]
pub(super) const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ bits >> 31
}

/// A number below `end`. The bias is below `end` / 2^64, which nobody can measure.
#[inline]
pub(super) fn below(bits: u64, end: u64) -> u64 {
    ((u128::from(bits) * u128::from(end)) >> 64) as u64
}

/// A number from 0 up to 1.
#[inline]
pub(super) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// What an operation's salt has in store for the `index`th thing that is drawn from it.
#[inline]
pub(super) fn drawn(salt: u64, index: u64) -> u64 {
    mix(salt.wrapping_add(STEP.wrapping_mul(index + 1)))
}

/// A generator of as many numbers as are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dice(u64);

impl Dice {
    /// The `index`th dice of an operation.
    #[inline]
    pub(super) fn new(salt: u64, index: u64) -> Self {
        Self(drawn(salt, index))
    }
}

impl RngCore for Dice {
    #[inline]
    fn next_u32(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }

    #[inline]
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let drawn = self.next_u64().to_le_bytes();
            chunk.copy_from_slice(&drawn[..chunk.len()]);
        }
    }
}

/// Bytes that the values of everyday sizes are cut from: small enough to stay in a core's cache.
const NOISE_BYTES: usize = 32 << 10;

/// Larger values are made afresh, so that no compression finds a repetition.
const SLICE_BYTES_MAX: usize = NOISE_BYTES / 2;

static NOISE: [u8; NOISE_BYTES] = {
    let (mut noise, mut at) = ([0; NOISE_BYTES], 0);
    while at < NOISE_BYTES {
        let bytes = mix(STEP.wrapping_mul(at as u64 + 1)).to_le_bytes();
        let mut byte = 0;
        while byte < 8 {
            noise[at + byte] = bytes[byte];
            byte += 1;
        }
        at += 8;
    }
    noise
};

/// Appends `size` bytes that cannot be compressed, chosen by `salt`.
#[inline]
pub(super) fn append_noise(salt: u64, size: usize, out: &mut Vec<u8>) {
    if size <= SLICE_BYTES_MAX {
        let start = (salt >> 32) as usize % (NOISE_BYTES - SLICE_BYTES_MAX);
        out.extend_from_slice(&NOISE[start..start + size]);
    } else {
        append_fresh_noise(salt, size, out);
    }
}

#[cold]
fn append_fresh_noise(salt: u64, size: usize, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + size, 0);
    Dice::new(salt, 0).fill_bytes(&mut out[start..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_has_its_size_and_no_repetition() {
        for size in [0, 1, 64, 1000, SLICE_BYTES_MAX, SLICE_BYTES_MAX + 1, 1_000_003] {
            let mut out = b"head".to_vec();
            append_noise(u64::MAX / 3, size, &mut out);
            assert_eq!(out.len(), 4 + size);
            let packed = zstd::bulk::compress(&out[4..], 3).unwrap();
            assert!(packed.len() >= size, "{size} bytes became {}", packed.len());
        }
    }

    #[test]
    fn numbers_are_below_their_end_and_spread_evenly() {
        let mut counts = [0u32; 7];
        (0..70_000).for_each(|index| counts[below(drawn(1, index), 7) as usize] += 1);
        assert!(counts.iter().all(|count| (9_600..10_400).contains(count)), "{counts:?}");
        assert_eq!(below(u64::MAX, 1), 0);
        assert!(unit(u64::MAX) < 1.0 && unit(0) == 0.0);
    }
}

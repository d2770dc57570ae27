//! The data set that a workload works on: which keys there are, what they are called, and which is next.
//!
//! ```text
//!   key:000000001234        prefix, and the number in 12 digits
//!   key:{0000000012}34      the same in a cluster: a hundred neighbours share a hash tag, and thus a slot
//! ```
//!
//! A name is a function of the number, so that what one workload fills another one finds. Keys of one operation are
//! drawn one by one, as its first one was; in a cluster, and where keys follow each other, they are neighbours instead.

use rand::RngCore;

use super::dice::{self, Dice};
use super::value::MARKED_BYTES_MIN;
use super::zipf::Zipf;
use super::{Operation, Sizes, Spread};

/// Keys that share a hash tag.
pub(super) const TAG_KEYS: u64 = 100;

/// Digits of a number in a name.
const DIGITS: usize = 12;

/// What a workload works on.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Records {
    pub(super) count: u64,
    /// Whether names have hash tags.
    pub(super) tags: bool,
    pub(super) sizes: Sizes,
    /// Whether values can be checked.
    pub(super) marked: bool,
    pub(super) chooser: Chooser,
}

/// How keys are chosen: a [`Spread`], prepared.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Chooser {
    Uniform,
    Sequential,
    Zipf { ranks: Zipf, scatter: Scatter },
    Hot { requests: f64, hot: u64, scatter: Scatter },
    Latest { ranks: Zipf },
}

impl Chooser {
    pub(super) fn new(spread: Spread, count: u64) -> Self {
        match spread {
            Spread::Uniform => Self::Uniform,
            Spread::Sequential => Self::Sequential,
            Spread::Zipf(exponent) => Self::Zipf { ranks: Zipf::new(count, exponent), scatter: Scatter::new(count) },
            Spread::Hot { requests, keys } => {
                let hot = ((count as f64 * keys).round() as u64).clamp(1, count);
                Self::Hot { requests, hot, scatter: Scatter::new(count) }
            }
            Spread::Latest => Self::Latest { ranks: Zipf::new(count, super::keys::ZIPF_EXPONENT) },
        }
    }
}

impl Records {
    /// A key by chance, where chance alone decides; none if keys follow each other.
    #[inline]
    pub(super) fn choose(&self, rng: &mut impl RngCore) -> Option<u64> {
        match &self.chooser {
            Chooser::Uniform => Some(dice::below(rng.next_u64(), self.count)),
            Chooser::Zipf { ranks, scatter } => Some(scatter.of(ranks.rank(rng))),
            Chooser::Hot { requests, hot, scatter } => {
                let is_hot = dice::unit(rng.next_u64()) < *requests || *hot == self.count;
                let (first, end) = if is_hot { (0, *hot) } else { (*hot, self.count) };
                Some(scatter.of(first + dice::below(rng.next_u64(), end - first)))
            }
            Chooser::Sequential | Chooser::Latest { .. } => None,
        }
    }

    /// Another key of an operation: number `index`, where 0 is its first.
    #[inline]
    pub(super) fn key(&self, operation: &Operation, index: u64) -> u64 {
        if index == 0 {
            return operation.key;
        }
        if self.tags {
            return self.neighbour(operation.key, index);
        }
        let chosen = self.choose(&mut Dice::new(operation.salt, index));
        chosen.unwrap_or_else(|| self.neighbour(operation.key, index))
    }

    /// The key `index` places behind `key`: around the end of the data set, or of those that share its hash tag.
    #[inline]
    pub(super) fn neighbour(&self, key: u64, index: u64) -> u64 {
        // Keys that were inserted behind the end have those before them for neighbours.
        let count = self.count.max(key + 1);
        if self.tags {
            let first = key - key % TAG_KEYS;
            let keys = TAG_KEYS.min(count - first);
            first + (key - first + index) % keys
        } else {
            (key + index) % count
        }
    }

    /// Bytes of a key's value.
    #[inline]
    pub(super) fn size_of(&self, key: u64) -> u32 {
        self.raised(self.sizes.of(key))
    }

    /// A size, or the smallest one that can be checked.
    #[inline]
    pub(super) fn raised(&self, size: u32) -> u32 {
        if self.marked { size.max(MARKED_BYTES_MIN as u32) } else { size }
    }

    /// Bytes of a key's name behind the prefix.
    pub(super) fn number_bytes(&self) -> usize {
        DIGITS + if self.tags { 2 } else { 0 }
    }

    /// Appends a key's name behind the prefix.
    #[inline]
    pub(super) fn append_number(&self, key: u64, out: &mut Vec<u8>) {
        let digits = digits(key);
        if self.tags { out.extend_from_slice(&tagged(&digits)) } else { out.extend_from_slice(&digits) }
    }

    /// The same into a place of [`number_bytes`](Self::number_bytes).
    #[inline]
    pub(super) fn write_number(&self, key: u64, place: &mut [u8]) {
        let digits = digits(key);
        if self.tags { place.copy_from_slice(&tagged(&digits)) } else { place.copy_from_slice(&digits) }
    }
}

/// All digits but the last two in braces.
#[inline]
fn tagged(digits: &[u8; DIGITS]) -> [u8; DIGITS + 2] {
    let mut tagged = [b'{'; DIGITS + 2];
    tagged[1..11].copy_from_slice(&digits[..10]);
    tagged[11] = b'}';
    tagged[12..].copy_from_slice(&digits[10..]);
    tagged
}

static PAIRS: [[u8; 2]; 100] = {
    let (mut pairs, mut number) = ([[0; 2]; 100], 0);
    while number < 100 {
        pairs[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    pairs
};

/// The last 12 decimal digits of a number.
#[inline]
pub(super) fn digits(number: u64) -> [u8; DIGITS] {
    let mut digits = [b'0'; DIGITS];
    let (high, low) = ((number / 100_000_000 % 10_000) as u32, (number % 100_000_000) as u32);
    let (middle, low) = (low / 10_000, low % 10_000);
    for (four, place) in [(high, 0), (middle, 4), (low, 8)] {
        digits[place..place + 2].copy_from_slice(&PAIRS[(four / 100) as usize]);
        digits[place + 2..place + 4].copy_from_slice(&PAIRS[(four % 100) as usize]);
    }
    digits
}

/// A fixed permutation of the key numbers, so that popular keys stand anywhere among them, and none stands for two.
///
/// On the numbers of just enough bits, multiplying by an odd number and folding the upper half onto the lower one can
/// both be undone, so that they permute. A result beyond the keys is permuted again until it falls among them ("cycle
/// walking": Black, Rogaway: "Ciphers with arbitrary finite domains", 2002); fewer than two rounds on average.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Scatter {
    count: u64,
    mask: u64,
    fold: u32,
}

impl Scatter {
    fn new(count: u64) -> Self {
        let bits = (u64::BITS - (count - 1).leading_zeros()).max(1);
        Self { count, mask: (1 << bits) - 1, fold: bits.div_ceil(2) }
    }

    #[inline]
    fn of(&self, number: u64) -> u64 {
        let mut place = number;
        loop {
            // Any odd numbers do; these are the mixer's of `dice`.
            place = place.wrapping_mul(0xBF58_476D_1CE4_E5B9).wrapping_add(0x5DEE_CE66D) & self.mask;
            place ^= place >> self.fold;
            place = place.wrapping_mul(0x94D0_49BB_1331_11EB) & self.mask;
            place ^= place >> self.fold;
            if place < self.count {
                return place;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(count: u64, spread: Spread, tags: bool) -> Records {
        Records { count, tags, sizes: Sizes::default(), marked: false, chooser: Chooser::new(spread, count) }
    }

    #[test]
    fn digits_are_those_of_the_number() {
        for number in [0, 7, 42, 9_999, 10_000, 12_345_678, 99_999_999, 100_000_000, 123_456_789_012, 999_999_999_999] {
            assert_eq!(String::from_utf8_lossy(&digits(number)), format!("{number:012}"));
        }
    }

    #[test]
    fn scattering_is_one_to_one() {
        for count in [1, 2, 3, 100, 1023, 1024, 1025, 100_000] {
            let scatter = Scatter::new(count);
            let mut places: Vec<u64> = (0..count).map(|number| scatter.of(number)).collect();
            places.sort_unstable();
            assert!(places.iter().copied().eq(0..count), "{count}");
        }
    }

    #[test]
    fn popular_keys_are_far_apart() {
        let scatter = Scatter::new(1_000_000);
        let mut places: Vec<u64> = (0..10).map(|number| scatter.of(number)).collect();
        places.sort_unstable();
        assert!(places.windows(2).all(|pair| pair[1] - pair[0] > 1_000), "{places:?}");
    }

    #[test]
    fn tagged_neighbours_stay_in_their_hundred() {
        let records = records(250, Spread::Uniform, true);
        let operation = Operation { key: 198, ..Operation::default() };
        let keys: Vec<u64> = (0..4).map(|index| records.key(&operation, index)).collect();
        assert_eq!(keys, [198, 199, 100, 101]);
        let operation = Operation { key: 249, ..Operation::default() };
        assert_eq!(records.key(&operation, 1), 200, "the last hundred is not full");
    }

    #[test]
    fn other_keys_are_drawn_as_the_first_one() {
        let zipf = records(1000, Spread::Zipf(0.99), false);
        let operation = |salt| Operation { salt, ..Operation::default() };
        let mut counts = vec![0u32; 1000];
        (0..20_000).for_each(|salt| counts[zipf.key(&operation(salt), 1) as usize] += 1);
        let most = counts.iter().max().copied().unwrap_or_default();
        assert!(most > 2_000, "the most popular key was drawn {most} times");
        assert_eq!(zipf.key(&operation(5), 3), zipf.key(&operation(5), 3));
        let sequential = records(10, Spread::Sequential, false);
        assert_eq!(sequential.key(&Operation { key: 9, ..Operation::default() }, 1), 0);
    }
}

//! The ghost: which keys the small queue dropped lately, at about two bytes each.
//!
//! A key that comes back soon after it was dropped deserves a place in the main queue. An exact list of such keys would
//! cost as much as the queue they were dropped from, so only fingerprints are kept, and their age is their place:
//!
//! ```text
//! hash    bbbbbbbb bbbbbbbb bbbbbbbb bbbbbbbb ........ ........ ffffffff ffffffff
//! bucket  one cache line     | length, spare | f1 f2 f3 ... f31 |     31 x u16, oldest first
//! table   segments of 2048 buckets (128 KiB), allocated when they are first written
//! ```
//!
//! A bucket is a small queue: a new fingerprint drops the oldest ones beyond the bucket's share of the ghost's length. The
//! shares add up to exactly that length, so it may change with every call. A bucket sees its share of the insertions up to
//! chance, so a fingerprint's reach is the ghost's length give or take a fifth, which is cheaper than ages beside the
//! fingerprints (half as much again) and never has to be swept. A hit takes the fingerprint out, and the place serves an
//! older one. A key is mistaken for another with probability 31 / 2^16, one in two thousand.
//!
//! When the length outgrows the buckets, or uses less than half of them, a fresh table takes the insertions. The old one is
//! consulted until as many insertions have come as it holds, and is then freed by a segment per insertion: no call copies
//! or frees more than 128 KiB.

use super::queue::Item;

/// Fingerprints of a bucket: what fits a cache line beside the count.
const PLACES: usize = 31;
/// Share of a fresh bucket. The rest lets the length grow by a tenth before there has to be another table.
const PLACES_FRESH: usize = 28;
/// With shares below this a table is twice as large as it has to be.
const PLACES_LOW: usize = 14;
/// Buckets of a segment: so many bytes that the allocator maps it by itself. Smaller ones would lie together in the heap,
/// which gives all of them back to the kernel in one long call when the last has gone.
const SEGMENT_BUCKETS: usize = 2048;

#[derive(Clone, Debug)]
#[repr(align(64))]
struct Bucket {
    length: u8,
    fingerprints: [u16; PLACES],
}

const _: () = assert!(size_of::<Bucket>() == 64);

impl Bucket {
    const EMPTY: Bucket = Bucket { length: 0, fingerprints: [0; PLACES] };

    fn held(&self) -> &[u16] {
        &self.fingerprints[..usize::from(self.length)]
    }

    /// Appends `fingerprint` and drops the oldest so that at most `share` remain.
    fn insert(&mut self, fingerprint: u16, share: usize) {
        let length = usize::from(self.length);
        let surplus = (length + 1).saturating_sub(share);
        self.fingerprints.copy_within(surplus..length, 0);
        self.fingerprints[length - surplus] = fingerprint;
        self.length = (length - surplus + 1) as u8;
    }

    fn take(&mut self, fingerprint: u16) -> bool {
        let Some(at) = self.held().iter().position(|held| *held == fingerprint) else { return false };
        self.fingerprints.copy_within(at + 1..usize::from(self.length), at);
        self.length -= 1;
        true
    }
}

/// One generation of buckets.
#[derive(Debug, Default)]
struct Table {
    /// Empty until first written.
    segments: Vec<Box<[Bucket]>>,
    buckets: usize,
    allocated_buckets: usize,
}

impl Table {
    fn for_length(length: usize) -> Self {
        let buckets = length.div_ceil(PLACES_FRESH);
        let segments = (0..buckets.div_ceil(SEGMENT_BUCKETS)).map(|_| Box::default()).collect();
        Self { segments, buckets, allocated_buckets: 0 }
    }

    /// The most fingerprints that it may be asked to hold.
    fn places(&self) -> usize {
        self.buckets * PLACES
    }

    fn held_bytes(&self) -> usize {
        self.allocated_buckets * size_of::<Bucket>() + self.segments.capacity() * size_of::<Box<[Bucket]>>()
    }

    fn bucket_of(&self, hash: u64) -> usize {
        // The top 32 bits scaled to the number of buckets, which need be no power of two.
        ((u128::from(hash >> 32) * self.buckets as u128) >> 32) as usize
    }

    fn insert(&mut self, hash: u64, length: usize) {
        let at = self.bucket_of(hash);
        // Differences of one rising line: the shares add up to the length.
        let until = |bucket: usize| (length as u128 * bucket as u128 / self.buckets as u128) as usize;
        let share = (until(at + 1) - until(at)).clamp(1, PLACES);
        let segment = &mut self.segments[at / SEGMENT_BUCKETS];
        if segment.is_empty() {
            let first = at / SEGMENT_BUCKETS * SEGMENT_BUCKETS;
            *segment = vec![Bucket::EMPTY; SEGMENT_BUCKETS.min(self.buckets - first)].into();
            self.allocated_buckets += segment.len();
        }
        segment[at % SEGMENT_BUCKETS].insert(hash as u16, share);
    }

    fn take(&mut self, hash: u64) -> bool {
        if self.buckets == 0 {
            return false;
        }
        let at = self.bucket_of(hash);
        let bucket = self.segments[at / SEGMENT_BUCKETS].get_mut(at % SEGMENT_BUCKETS);
        bucket.is_some_and(|bucket| bucket.take(hash as u16))
    }

    /// Frees one segment; false when there is none.
    fn free_segment(&mut self) -> bool {
        let segment = self.segments.pop();
        self.allocated_buckets -= segment.as_ref().map_or(0, |segment| segment.len());
        segment.is_some()
    }
}

/// Fingerprints of the items that were dropped last.
#[derive(Debug, Default)]
pub struct Ghost {
    young: Table,
    /// The table before, while it is consulted or being freed.
    old: Option<Table>,
    /// Insertions for which the old table still counts.
    old_counts_for: usize,
}

impl Ghost {
    /// Remembers that `item` was dropped. `length`: how many dropped items count at present.
    pub fn remember(&mut self, item: Item, length: usize) {
        let length = length.max(1);
        self.fit(length);
        self.young.insert(hash(item), length);
    }

    /// Whether `item` was dropped lately; it is forgotten with the question.
    pub fn take(&mut self, item: Item) -> bool {
        let hash = hash(item);
        if self.young.take(hash) {
            return true;
        }
        self.old_counts_for > 0 && self.old.as_mut().is_some_and(|old| old.take(hash))
    }

    /// Bytes allocated. Nothing is, until the first item is remembered.
    pub fn held_bytes(&self) -> usize {
        self.young.held_bytes() + self.old.as_ref().map_or(0, Table::held_bytes)
    }

    /// Frees one segment of a ghost that nobody will use again. False when none is left.
    pub fn drop_segment(&mut self) -> bool {
        self.old.as_mut().is_some_and(Table::free_segment) || self.young.free_segment()
    }

    /// Moves the change of tables on by one insertion, or begins one.
    fn fit(&mut self, length: usize) {
        if let Some(old) = &mut self.old {
            if self.old_counts_for > 0 {
                self.old_counts_for -= 1;
            } else if !old.free_segment() {
                self.old = None;
            }
        } else if length > self.young.places() || (length < self.young.buckets * PLACES_LOW && self.young.buckets > 1) {
            let fresh = Table::for_length(length);
            let before = std::mem::replace(&mut self.young, fresh);
            if before.buckets > 0 {
                self.old_counts_for = before.places().min(length);
                self.old = Some(before);
            }
        }
    }

    /// Fingerprints that count.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let held =
            |table: &Table| table.segments.iter().flatten().map(|bucket| usize::from(bucket.length)).sum::<usize>();
        held(&self.young) + self.old.as_ref().filter(|_| self.old_counts_for > 0).map_or(0, held)
    }
}

/// Spreads the 40 bits of an item over 64 (the finalizer of SplitMix64; Steele, Lea, Flood, OOPSLA 2014).
fn hash(item: Item) -> u64 {
    let mut bits = u64::from(item.prefix) << 8 | u64::from(item.tag);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

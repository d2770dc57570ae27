//! A hash map from strings to nothing or to one further element: large sets and hashes, and the members of sorted sets.
//!
//! A table that doubles moves every item at once; with a hundred million of them its core would answer nobody for
//! seconds. This is a linear hash table (Litwin, "Linear hashing: a new tool for file and table addressing", VLDB
//! 1980): it grows and shrinks by one bucket at a time, in a fixed order, whichever bucket the new item went to.
//!
//! ```text
//! buckets = 2^level + split
//!
//!   0 .. split-1      split .. 2^level-1      2^level .. 2^level+split-1
//!   level+1 bits      level bits              level+1 bits: what left 0 .. split-1
//! ```
//!
//! An item lies in the bucket that the last `level + 1` bits of its hash name, or if there is no such bucket yet, the
//! last `level` bits. How many buckets there are follows the number and, less so, the size of items: about 15 small
//! items to a bucket in the mean, up to twice as many where it has not been split yet. The hash is keyed by the map's
//! own seed, so nobody can choose what meets in one bucket, and a map that is filled in the order of another's scan
//! fills evenly.
//!
//! # Scans
//!
//! Read the bits of a hash from the last to the first, as a number. The bucket that `d` last bits name holds exactly
//! the items whose number begins with `d` given bits: one range of numbers; all buckets together cover all numbers
//! without overlap. Splitting a bucket halves its range and uniting two joins their ranges; no item changes its number.
//! A scan walks upward through the numbers, and its cursor is the number up to which everything has been visited. That
//! stays true whatever is split or united meanwhile, so an item that is there throughout is visited, and only once: a
//! bucket into whose middle the cursor points is visited from there on.

mod bucket;
#[cfg(test)]
mod tests;

use std::ops::Range;

use bucket::{Bucket, Place};

use super::pack::{Bare, Element, Item, Needle};
use crate::base::{KeyHasher, Rng};
use crate::keyspace::value::allocation;
use crate::limits::BURIAL_BYTES;

/// Buckets of a segment of the directory.
const SEGMENT_BUCKETS: usize = 1024;
/// Weight of the items of a bucket in the mean, when the table grows.
const BUCKET_WEIGHT: usize = 256;
/// The mean below which the table shrinks: distant enough that it does not go to and fro.
const SPARSE_WEIGHT: usize = BUCKET_WEIGHT * 3 / 4;
/// Weight of an item of no bytes: at most 16 items in a bucket in the mean, as they are walked.
const ITEM_WEIGHT: usize = 16;
/// Bytes that weigh as much as one of an item: larger items, fewer of them, as they are moved.
const WEIGHTLESS_BYTES: usize = 8;
/// Steps by which the table grows or shrinks at once: enough for the heaviest item to come or go.
const STEPS_MAX: usize = 2;
/// Bits of the hash that make up a cursor.
const CURSOR_BITS: u32 = 48;

const _: () = assert!(CURSOR_BITS < 53, "cursors are exact as doubles");
const _: () = assert!(STEPS_MAX * SPARSE_WEIGHT >= BUCKET_WEIGHT, "the table keeps up with its heaviest items");

/// A map whose items are of `width` elements.
#[derive(Clone, Debug)]
pub struct Map {
    hasher: KeyHasher,
    width: usize,
    len: usize,
    weight: usize,
    buckets: usize,
    /// All but the last are full.
    segments: Vec<Vec<Bucket>>,
    /// Of all buckets together.
    bucket_bytes: usize,
    /// How many buckets have so many items; ends with the fullest.
    fills: Vec<u32>,
}

impl Map {
    /// An empty map of strings alone (`width` 1) or of strings and one further element each (`width` 2). The `seed`
    /// must be unknown to clients and different for each map.
    pub fn new(width: usize, seed: u64) -> Self {
        Self::hashed_by(KeyHasher::new(seed), width)
    }

    /// An empty map to take the place of this one: what goes into both has the same hash, so that a scan goes on in it.
    pub fn successor(&self) -> Self {
        Self::hashed_by(self.hasher.clone(), self.width)
    }

    fn hashed_by(hasher: KeyHasher, width: usize) -> Self {
        debug_assert!((1..=2).contains(&width));
        Self {
            hasher,
            width,
            len: 0,
            weight: 0,
            buckets: 1,
            segments: vec![vec![Bucket::default()]],
            bucket_bytes: 0,
            fills: vec![1],
        }
    }

    /// Items.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no item.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes on the heap, as the allocator rounds them.
    pub fn heap_bytes(&self) -> usize {
        let segment = |capacity: usize| allocation(capacity * size_of::<Bucket>());
        self.bucket_bytes
            + self.segments.last().map_or(0, |last| segment(last.capacity()))
            + self.segments.len().saturating_sub(1) * segment(SEGMENT_BUCKETS)
            + allocation(self.segments.capacity() * size_of::<Vec<Bucket>>())
            + allocation(self.fills.capacity() * size_of::<u32>())
    }

    /// Whether the string is in the map.
    #[inline]
    pub fn contains(&self, key: &[u8]) -> bool {
        let needle = Needle::new(key);
        let (home, tag) = self.home(needle.hashed());
        self.bucket(home).find(tag, &needle, self.width).is_some()
    }

    /// The element that belongs to the string.
    #[inline]
    pub fn get(&self, key: &[u8]) -> Option<Element<'_>> {
        let needle = Needle::new(key);
        let (home, tag) = self.home(needle.hashed());
        let bucket = self.bucket(home);
        let place = bucket.find(tag, &needle, self.width)?;
        bucket.pack().item(place.at, self.width).1
    }

    /// Puts in a string with `second`, its further element as it is written (see [`Bare::element_of`]);
    /// it replaces the one that is there. For a map of strings alone it is empty. Whether the string is new.
    pub fn insert(&mut self, key: &[u8], second: &[u8]) -> bool {
        self.update(key, |_| Some(second))
    }

    /// Changes the further element of a string by what it is now (`None` if the string is not there) to what `change`
    /// answers, as it is written; `None` leaves all as it is. Whether the string is new.
    pub fn update<E: AsRef<[u8]>>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(Option<Element<'_>>) -> Option<E>,
    ) -> bool {
        let needle = Needle::new(key);
        let (home, tag) = self.home(needle.hashed());
        let bucket = self.bucket(home);
        let place = bucket.find(tag, &needle, self.width);
        let Some(second) = change(place.and_then(|place| bucket.pack().item(place.at, self.width).1)) else {
            return false;
        };
        let second = second.as_ref();
        debug_assert_eq!(Bare::new(second).count(), self.width - 1, "an item has one element for each column");
        match place {
            Some(place) if self.width > 1 => {
                let (at, item) = (bucket.pack().after(place.at), item_range(bucket.pack(), place, self.width));
                let after = item.len() - (item.end - at) + second.len();
                self.weight = self.weight - weight_of(item.len()) + weight_of(after);
                self.change(home, |bucket| bucket.replace(at..item.end, second));
            }
            Some(_) => {}
            None => {
                let first_len = needle.element_len();
                let len = first_len + second.len();
                self.weight += weight_of(len);
                self.len += 1;
                self.change(home, |bucket| {
                    let item = bucket.push(tag, len);
                    needle.write(&mut item[..first_len]);
                    item[first_len..].copy_from_slice(second);
                });
            }
        }
        self.adapt();
        place.is_none()
    }

    /// Removes a string. Whether it was there.
    pub fn remove(&mut self, key: &[u8]) -> bool {
        let needle = Needle::new(key);
        let (home, tag) = self.home(needle.hashed());
        let bucket = self.bucket(home);
        let Some(place) = bucket.find(tag, &needle, self.width) else {
            return false;
        };
        self.remove_at(home, place);
        true
    }

    fn remove_at(&mut self, home: usize, place: Place) {
        let item = item_range(self.bucket(home).pack(), place, self.width);
        self.weight -= weight_of(item.len());
        self.len -= 1;
        self.change(home, |bucket| bucket.remove(place.index, item));
        self.adapt();
    }

    /// All items.
    pub fn iter(&self) -> impl Iterator<Item = Item<'_>> {
        self.segments.iter().flatten().flat_map(|bucket| bucket.items(self.width))
    }

    /// Visits about `count` items, at most a bucket more, and answers the cursor to go on from. A scan starts at 0 and is
    /// at its end when the answer is 0; what is in the map from beginning to end is visited, whatever changes meanwhile.
    /// Cursors are below 2^53.
    pub fn scan<'m>(&'m self, cursor: u64, count: usize, mut visit: impl FnMut(Item<'m>)) -> u64 {
        let (mut cursor, mut visited) = (cursor, 0);
        // As many buckets as items: where items are large, many buckets are empty.
        for _ in 0..count.max(1) {
            // Above every cursor that was ever answered: there is nothing left.
            if cursor >> CURSOR_BITS != 0 {
                return 0;
            }
            let index = self.index(number_of(cursor));
            let range = self.range(index);
            let bucket = self.bucket(index);
            for (_, at) in bucket.places(self.width) {
                let pack = bucket.pack();
                if cursor == range.start || number_of(self.hasher.hash(pack.hashed(at))) >= cursor {
                    visit(pack.item(at, self.width));
                    visited += 1;
                }
            }
            cursor = range.end;
            if visited >= count {
                break;
            }
        }
        if cursor >> CURSOR_BITS == 0 { cursor } else { 0 }
    }

    /// Any item, each as likely as another. `None` if there is none.
    pub fn random(&self, rng: &mut Rng) -> Option<Item<'_>> {
        let (home, place) = self.draw(rng)?;
        Some(self.bucket(home).pack().item(place.at, self.width))
    }

    /// Removes any item, each as likely as another, which `visit` has seen before. False if there was none.
    pub fn pop(&mut self, rng: &mut Rng, visit: impl FnOnce(Item<'_>)) -> bool {
        let Some((home, place)) = self.draw(rng) else { return false };
        visit(self.bucket(home).pack().item(place.at, self.width));
        self.remove_at(home, place);
        true
    }

    /// The bucket and the place of any item.
    fn draw(&self, rng: &mut Rng) -> Option<(usize, Place)> {
        if self.is_empty() {
            return None;
        }
        let fullest = self.fills.len() - 1;
        loop {
            // A bucket is taken as often as it is full, compared with the fullest; otherwise another is drawn.
            let home = rng.usize(..self.buckets);
            let bucket = self.bucket(home);
            let index = rng.usize(..fullest);
            if index < bucket.count() {
                let at = bucket.pack().skip(0, index * self.width);
                return Some((home, Place { index, at }));
            }
        }
    }

    /// Drops about `bytes` bytes, so that a large map is freed in slices. Whether something is left. From the first
    /// call on the map is there only to be dropped; `len` and `heap_bytes` say what is left of it.
    pub fn drop_some(&mut self, bytes: usize) -> bool {
        let end = self.bucket_bytes.saturating_sub(bytes.max(1));
        // As many empty buckets as there may be others.
        for _ in 0..=bytes / BUCKET_WEIGHT {
            let Some(last) = self.segments.last_mut() else { break };
            if let Some(bucket) = last.last_mut() {
                let before = bucket.heap_bytes();
                self.len -= bucket.count();
                bucket.cut(BURIAL_BYTES);
                let after = bucket.heap_bytes();
                self.bucket_bytes -= before - after;
                if after == 0 {
                    last.pop();
                }
            }
            if last.is_empty() {
                self.segments.pop();
            }
            if self.bucket_bytes <= end {
                break;
            }
        }
        !self.segments.is_empty()
    }

    /// The bucket of a string by what is hashed of it, and the tag.
    #[inline]
    fn home(&self, hashed: &[u8]) -> (usize, u8) {
        let hash = self.hasher.hash(hashed);
        (self.index(hash), (hash >> 56) as u8)
    }

    /// The number of the bucket that holds items of this hash.
    #[inline]
    fn index(&self, hash: u64) -> usize {
        let above = self.buckets.next_power_of_two();
        let index = hash as usize & (above - 1);
        if index < self.buckets { index } else { index & (above / 2 - 1) }
    }

    #[inline]
    fn bucket(&self, index: usize) -> &Bucket {
        &self.segments[index / SEGMENT_BUCKETS][index % SEGMENT_BUCKETS]
    }

    /// The numbers (see "Scans" above) of the items that a bucket may hold.
    fn range(&self, index: usize) -> Range<u64> {
        let above = self.buckets.next_power_of_two();
        let has_other_half = index + above / 2 < self.buckets || index >= above / 2;
        let bits = above.ilog2() - u32::from(!has_other_half);
        let start = number_of(index as u64);
        start..start + (1 << (CURSOR_BITS - bits))
    }

    /// Changes one bucket, and the account of it.
    fn change(&mut self, index: usize, change: impl FnOnce(&mut Bucket)) {
        let bucket = &mut self.segments[index / SEGMENT_BUCKETS][index % SEGMENT_BUCKETS];
        let (bytes, count) = (bucket.heap_bytes(), bucket.count());
        change(bucket);
        self.bucket_bytes = self.bucket_bytes - bytes + bucket.heap_bytes();
        refill(&mut self.fills, count, bucket.count());
    }

    /// Grows or shrinks the table by a bucket or two, if it is time.
    fn adapt(&mut self) {
        for _ in 0..STEPS_MAX {
            if self.weight > self.buckets * BUCKET_WEIGHT {
                self.split();
            } else if self.buckets > 1 && self.weight < (self.buckets - 1) * SPARSE_WEIGHT {
                self.unite();
            } else {
                break;
            }
        }
    }

    /// Splits the next bucket in turn.
    fn split(&mut self) {
        let new = self.buckets;
        let bit = 1 << new.ilog2();
        let (width, hasher) = (self.width, self.hasher.clone());
        let mut other = Bucket::default();
        self.change(new - bit, |bucket| {
            other = bucket.split_off(width, |hashed| hasher.hash(hashed) as usize & bit != 0);
        });
        self.bucket_bytes += other.heap_bytes();
        refill_new(&mut self.fills, other.count());
        if new.is_multiple_of(SEGMENT_BUCKETS) {
            self.segments.push(Vec::new());
        }
        if let Some(last) = self.segments.last_mut() {
            if last.len() == last.capacity() {
                last.reserve_exact(spare(last.len()).min(SEGMENT_BUCKETS - last.len()));
            }
            last.push(other);
        }
        self.buckets += 1;
    }

    /// Unites the last bucket with the one that it was split from.
    fn unite(&mut self) {
        let last = self.buckets - 1;
        let Some(bucket) = self.pop_bucket() else { return };
        self.bucket_bytes -= bucket.heap_bytes();
        self.change(last - (1 << last.ilog2()), |parent| parent.append(bucket));
    }

    fn pop_bucket(&mut self) -> Option<Bucket> {
        let segment = self.segments.last_mut()?;
        let bucket = segment.pop()?;
        let kept = segment.len() + spare(segment.len());
        if segment.is_empty() {
            self.segments.pop();
            shrink(&mut self.segments);
        } else if segment.capacity() > kept + spare(kept) {
            segment.shrink_to(kept);
        }
        self.buckets -= 1;
        let count = bucket.count();
        self.fills[count] -= 1;
        trim(&mut self.fills);
        Some(bucket)
    }
}

/// The bytes of an item.
fn item_range(pack: Bare<'_>, place: Place, width: usize) -> Range<usize> {
    place.at..pack.skip(place.at, width)
}

/// What an item of so many bytes counts for the number of buckets; never more than one bucket.
fn weight_of(bytes: usize) -> usize {
    (ITEM_WEIGHT + bytes / WEIGHTLESS_BYTES).min(BUCKET_WEIGHT)
}

/// The number by which scans order a hash; and, as it is its own inverse, a hash of this number.
fn number_of(hash: u64) -> u64 {
    hash.reverse_bits() >> (u64::BITS - CURSOR_BITS)
}

/// Buckets by which a segment of `len` grows.
fn spare(len: usize) -> usize {
    (len / 8).max(4)
}

/// Notes in `fills` that a bucket of `before` items has `after` now.
fn refill(fills: &mut Vec<u32>, before: usize, after: usize) {
    if before != after {
        fills[before] -= 1;
        refill_new(fills, after);
        trim(fills);
    }
}

fn refill_new(fills: &mut Vec<u32>, count: usize) {
    if fills.len() <= count {
        fills.resize(count + 1, 0);
    }
    fills[count] += 1;
}

/// Ends `fills` with the fullest bucket.
fn trim(fills: &mut Vec<u32>) {
    while fills.len() > 1 && fills.last() == Some(&0) {
        fills.pop();
    }
    shrink(fills);
}

/// Gives back room of which less than a quarter is used.
fn shrink<T>(vec: &mut Vec<T>) {
    if vec.capacity() > 8 && vec.len() < vec.capacity() / 4 {
        vec.shrink_to(2 * vec.len());
    }
}

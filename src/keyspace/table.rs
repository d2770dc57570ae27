//! The table of one database: an extendible hash whose segments split one at a time.
//!
//! A table that doubles must move every entry at once, and a cache that does so answers nobody meanwhile. Extendible
//! hashing (Fagin, Nievergelt, Pippenger, Strong, "Extendible hashing: a fast access method for dynamic files", ACM TODS
//! 1979) keeps a directory indexed by the top bits of the hash; a full segment splits in two by the next bit, and nothing
//! else moves.
//!
//! ```text
//! hash   63......................0
//!        dddd|xxxx....                 d: depth of the directory, indexes it
//! segment of depth k covers the hashes that share its top k bits: 2^(depth - k) neighbouring places of the directory
//! ```
//!
//! Because a segment covers one contiguous range of hashes, a scan is a walk upward through the hash space, and its
//! cursor is a hash prefix: whatever splits meanwhile, entries below the cursor have been returned and those above have not.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry as Place;

use super::entry::{Deadline, Entry};
use crate::base::KeyHasher;
use crate::limits::WARM_KEYS;

/// Entries at which a segment splits: the fill at which hashbrown would grow a table of 128 buckets.
const SEGMENT_ENTRIES_MAX: usize = 112;
/// Bits of the hash that a scan cursor carries. 40 bits leave room for the core below 2^53.
pub(super) const SCAN_BITS: u32 = 40;
/// A directory deeper than this would mean that the hash is broken: then a segment grows instead of splitting.
const DEPTH_MAX: u32 = 28;

/// How far a scan has come: a prefix of the key hash. Every entry whose hash is below it has been returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScanPosition(pub u64);

#[derive(Debug)]
pub(super) struct Segment {
    pub(super) entries: HashTable<Entry>,
    /// Bits of the hash that all entries share.
    depth: u32,
    /// Not later than any entry's deadline.
    pub(super) earliest: Deadline,
}

/// A place in the table, valid until the table changes.
#[derive(Clone, Copy)]
pub(super) struct Location {
    pub(super) segment: usize,
    bucket: usize,
}

#[derive(Debug)]
pub(super) struct Table {
    directory: Vec<u32>,
    depth: u32,
    pub(super) segments: Vec<Segment>,
    len: usize,
    hasher: KeyHasher,
}

/// Within a segment the top bits are all alike, so hashbrown, which takes its tag from the top and its index from the
/// bottom, gets the halves exchanged.
#[inline]
fn inner(hash: u64) -> u64 {
    hash.rotate_left(32)
}

impl Table {
    pub(super) fn new(hasher: KeyHasher) -> Self {
        let root = Segment { entries: HashTable::new(), depth: 0, earliest: Deadline::NEVER };
        Self { directory: vec![0], depth: 0, segments: vec![root], len: 0, hasher }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash(key)
    }

    #[inline]
    pub(super) fn segment_of(&self, hash: u64) -> usize {
        // A shift by 64 is what depth 0 would need; two shifts avoid the special case.
        self.directory[(hash >> 1 >> (63 - self.depth)) as usize] as usize
    }

    /// Where a key is.
    #[inline]
    pub(super) fn locate(&self, hash: u64, key: &[u8]) -> Option<Location> {
        let segment = self.segment_of(hash);
        let bucket = self.segments[segment].entries.find_bucket_index(inner(hash), |entry| *entry.key == *key)?;
        Some(Location { segment, bucket })
    }

    /// Brings what finding these keys will need into the cache. Three walks, each of loads that do not depend on one
    /// another, so that the processor waits for all cache misses of a walk at once instead of one after the other.
    pub(super) fn warm(&self, keys: &[&[u8]; WARM_KEYS], count: usize) {
        let mut hashes = [0; WARM_KEYS];
        let mut places = [None; WARM_KEYS];
        let mut touched = 0;
        for (hash, key) in hashes.iter_mut().zip(&keys[..count]) {
            *hash = self.hash(key);
            touched ^= self.segments[self.segment_of(*hash)].entries.capacity();
        }
        for (place, hash) in places.iter_mut().zip(&hashes[..count]) {
            let entries = &self.segments[self.segment_of(*hash)].entries;
            // The first entry with the right tag is nearly always the right one.
            let bucket = entries.find_bucket_index(inner(*hash), |_| true);
            *place = bucket.and_then(|bucket| entries.get_bucket(bucket));
        }
        for entry in places.iter().flatten() {
            touched ^= usize::from(entry.key.first().copied().unwrap_or_default()) ^ entry.value.touch();
        }
        std::hint::black_box(touched);
    }

    /// The entry at a place found by [`Table::locate`] since the table was last changed.
    #[inline]
    pub(super) fn at(&self, place: Location) -> &Entry {
        self.segments[place.segment].entries.get_bucket(place.bucket).expect("located, and nothing was removed since")
    }

    /// See [`Table::at`].
    #[inline]
    pub(super) fn at_mut(&mut self, place: Location) -> &mut Entry {
        self.segments[place.segment]
            .entries
            .get_bucket_mut(place.bucket)
            .expect("located, and nothing was removed since")
    }

    /// Adds an entry whose key is not in the table; returns its segment.
    pub(super) fn insert(&mut self, hash: u64, entry: Entry) -> usize {
        let mut segment = self.segment_of(hash);
        while self.segments[segment].entries.len() >= SEGMENT_ENTRIES_MAX && self.split(segment) {
            segment = self.segment_of(hash);
        }
        let hasher = &self.hasher;
        let home = &mut self.segments[segment];
        home.entries.insert_unique(inner(hash), entry, |entry| inner(hasher.hash(&entry.key)));
        self.len += 1;
        segment
    }

    pub(super) fn remove(&mut self, hash: u64, key: &[u8]) -> Option<Entry> {
        let segment = self.segment_of(hash);
        let hasher = &self.hasher;
        let place = self.segments[segment].entries.entry(
            inner(hash),
            |entry| *entry.key == *key,
            |entry| inner(hasher.hash(&entry.key)),
        );
        match place {
            Place::Occupied(place) => {
                self.len -= 1;
                Some(place.remove().0)
            }
            Place::Vacant(_) => None,
        }
    }

    /// Splits a segment by the next bit of the hash. False if the directory may not deepen any more.
    fn split(&mut self, segment: usize) -> bool {
        let depth = self.segments[segment].depth;
        if depth == self.depth {
            if self.depth == DEPTH_MAX {
                return false;
            }
            self.directory = self.directory.iter().flat_map(|&place| [place, place]).collect();
            self.depth += 1;
        }
        let bit = 1u64 << (63 - depth);
        let old = &mut self.segments[segment];
        let entries = std::mem::take(&mut old.entries);
        old.depth += 1;
        let earliest = old.earliest;
        let mut halves =
            [HashTable::with_capacity(SEGMENT_ENTRIES_MAX / 2), HashTable::with_capacity(SEGMENT_ENTRIES_MAX / 2)];
        let mut prefix = 0;
        for entry in entries {
            let hash = self.hasher.hash(&entry.key);
            prefix = hash;
            let hasher = &self.hasher;
            halves[usize::from(hash & bit != 0)]
                .insert_unique(inner(hash), entry, |entry| inner(hasher.hash(&entry.key)));
        }
        let [low, high] = halves;
        self.segments[segment].entries = low;
        // Both halves keep the old bound, which may be early but never late; the next sweep makes it exact.
        let new = self.segments.len() as u32;
        self.segments.push(Segment { entries: high, depth: depth + 1, earliest });
        let first = ((prefix | bit) & !(bit - 1)) >> 1 >> (63 - self.depth);
        let places = 1usize << (self.depth - depth - 1);
        self.directory[first as usize..first as usize + places].fill(new);
        true
    }

    /// Index of the segment that was made last.
    pub(super) fn newest_segment(&self) -> usize {
        self.segments.len() - 1
    }

    /// Visits entries from `from` upward in the order of their hashes until at least `count` were visited, and returns
    /// where to go on, or `None` at the end. Whole runs of equal prefixes are visited together. A segment that has
    /// nothing to visit counts as one entry, so that a table that has been emptied costs no more than a full one.
    pub(super) fn scan(&self, from: ScanPosition, count: usize, mut visit: impl FnMut(&Entry)) -> Option<ScanPosition> {
        let mut position = from.0;
        let mut left = count.max(1);
        loop {
            let segment = &self.segments[self.segment_of(position << (64 - SCAN_BITS))];
            let mut found: Vec<(u64, &Entry)> = segment
                .entries
                .iter()
                .map(|entry| (self.hasher.hash(&entry.key) >> (64 - SCAN_BITS), entry))
                .filter(|(prefix, _)| *prefix >= position)
                .collect();
            found.sort_unstable_by_key(|(prefix, _)| *prefix);
            if found.is_empty() {
                left -= 1;
            }
            for (at, (prefix, entry)) in found.iter().enumerate() {
                visit(entry);
                left = left.saturating_sub(1);
                let next = found.get(at + 1).map(|(next, _)| *next);
                if left == 0
                    && let Some(next) = next
                    && next != *prefix
                {
                    return Some(ScanPosition(next));
                }
            }
            let size = 1u64 << SCAN_BITS.saturating_sub(segment.depth);
            position = (position & !(size - 1)) + size;
            if position >> SCAN_BITS != 0 {
                return None;
            }
            if left == 0 {
                return Some(ScanPosition(position));
            }
        }
    }

    /// Takes the due entries out of a segment, gives them to `gone`, and makes the segment's earliest deadline exact.
    pub(super) fn sweep(&mut self, segment: usize, now_ms: u64, mut gone: impl FnMut(Entry)) {
        let home = &mut self.segments[segment];
        let mut earliest = Deadline::NEVER;
        let mut removed = 0;
        for entry in home.entries.extract_if(|entry| {
            let due = entry.deadline.is_due(now_ms);
            if !due {
                earliest = earliest.min(entry.deadline);
            }
            due
        }) {
            removed += 1;
            gone(entry);
        }
        home.earliest = earliest;
        self.len -= removed;
    }
}

//! A first-in first-out queue of items at 5 bytes each.
//!
//! A linked list costs two pointers per key, a ring buffer of a power of two up to twice what it holds and a pause when it
//! grows. Chunks of a fixed number of items cost neither: a full chunk is followed by a new one, an emptied chunk is freed.
//! They lie in an arena of the queue's own, so that all of their memory returns when millions of keys have gone: in the
//! process's heap, a few small allocations among them would hold it.
//!
//! ```text
//! chunks   [ ..xxxxxx ] [ xxxxxxxx ] [ xxx..... ]        x item    . free
//!              ▲ oldest                  ▲ newest
//! chunk    512 x [ prefix 4 | tag 1 ]      start..end: the items that are left
//! ```
//!
//! Items stay when their entries go. [`Queue::prune_chunk`] takes them out, one chunk per call, from the oldest chunk to the
//! one that was the newest when the pass began; a thinned chunk is cut to its size, and joins its older neighbour if both
//! fit in one. Items pushed during a pass start a chunk of their own and lie behind the region of the pass:
//!
//! ```text
//! [ pruned ] [ pruned ] [ next ] [      ] [ sealed ] ┊ [ pushed since ]
//!                         ├──── left = 3 ─────────┤
//! ```
//!
//! When little is left of many items, it is gathered in a new arena, and the old one goes a piece at a time.

use std::collections::VecDeque;

use crate::keyspace::arena::{Arena, CellRef};

/// Items of one chunk: 2.5 KiB, so that the slack of a queue (two chunks) does not matter even to a small database.
const CHUNK_ITEMS: usize = 512;
/// Bytes of an item.
const ITEM_BYTES: usize = 5;
/// Items that are judged together, so that the cache misses of finding their entries overlap.
const GROUP_ITEMS: usize = 16;
const _: () = assert!(CHUNK_ITEMS <= u16::MAX as usize && CHUNK_ITEMS * ITEM_BYTES <= Arena::CELL_BYTES_MAX);

/// A queue of no more bytes is copied at once, in some dozen microseconds.
const GATHERED_BYTES_MAX: usize = 256 * 1024;
/// Idle bytes beside as many as are used for which a queue is copied: far more than a copy leaves, which consists of full
/// chunks.
const SCATTERED_BYTES_MIN: usize = 128 * 1024;

/// Names an entry wherever it lies and however large it is: 40 bits of its key's hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Item {
    /// The top 32 bits of the key's position in the table.
    pub prefix: u32,
    /// Eight further bits of the key's hash.
    pub tag: u8,
}

/// A run of items in a cell of the arena.
#[derive(Clone, Copy, Debug)]
struct Chunk {
    cell: CellRef,
    capacity: u16,
    start: u16,
    end: u16,
}

impl Chunk {
    fn with_capacity(items: usize, arena: &mut Arena) -> Self {
        let cell = arena.allocate(items * ITEM_BYTES).expect("a queue is far smaller than its arena");
        Self { cell, capacity: items as u16, start: 0, end: 0 }
    }

    /// The items of several chunks in one, without room for more.
    fn joined(chunks: &[Chunk], arena: &mut Arena) -> Self {
        let bytes = Self::concat(chunks.iter(), arena);
        Self::holding(&bytes, arena)
    }

    /// The items of several chunks.
    fn concat<'a>(chunks: impl Iterator<Item = &'a Chunk>, arena: &Arena) -> Vec<u8> {
        let bytes: Vec<&[u8]> = chunks.map(|chunk| chunk.bytes(arena)).collect();
        bytes.concat()
    }

    /// These items, without room for more.
    fn holding(bytes: &[u8], arena: &mut Arena) -> Self {
        let items = bytes.len() / ITEM_BYTES;
        let joined = Self::with_capacity(items, arena);
        arena.from_mut(joined.cell)[..bytes.len()].copy_from_slice(bytes);
        Self { end: items as u16, ..joined }
    }

    /// The items that are left.
    fn bytes<'a>(&self, arena: &'a Arena) -> &'a [u8] {
        &arena.from(self.cell)[usize::from(self.start) * ITEM_BYTES..usize::from(self.end) * ITEM_BYTES]
    }

    fn range(&self) -> std::ops::Range<usize> {
        usize::from(self.start)..usize::from(self.end)
    }

    fn len(&self) -> usize {
        self.range().len()
    }

    fn capacity(&self) -> usize {
        usize::from(self.capacity)
    }

    fn is_empty(&self) -> bool {
        self.start == self.end
    }

    fn is_full(&self) -> bool {
        usize::from(self.end) == self.capacity()
    }

    #[inline]
    fn item(&self, at: u16, arena: &Arena) -> Item {
        match arena.from(self.cell)[usize::from(at) * ITEM_BYTES..].first_chunk::<ITEM_BYTES>() {
            Some(&[a, b, c, d, tag]) => Item { prefix: u32::from_le_bytes([a, b, c, d]), tag },
            None => Item { prefix: 0, tag: 0 },
        }
    }

    #[inline]
    fn put(&mut self, at: u16, item: Item, arena: &mut Arena) {
        let [a, b, c, d] = item.prefix.to_le_bytes();
        arena.from_mut(self.cell)[usize::from(at) * ITEM_BYTES..][..ITEM_BYTES]
            .copy_from_slice(&[a, b, c, d, item.tag]);
    }

    /// Keeps the items that `keep` wants, in order; see [`Queue::prune_chunk`].
    fn retain(&mut self, arena: &mut Arena, mut keep: impl FnMut(&[Item]) -> u16) {
        let mut kept = self.start;
        let mut group = [Item { prefix: 0, tag: 0 }; GROUP_ITEMS];
        for first in (self.start..self.end).step_by(GROUP_ITEMS) {
            let items = &mut group[..usize::from(self.end - first).min(GROUP_ITEMS)];
            for (at, item) in (first..).zip(items.iter_mut()) {
                *item = self.item(at, arena);
            }
            let wanted = keep(items);
            for (number, &item) in items.iter().enumerate() {
                if wanted & (1 << number) != 0 {
                    self.put(kept, item, arena);
                    kept += 1;
                }
            }
        }
        self.end = kept;
    }
}

/// How far a pruning pass has come: the next chunk, and how many chunks from there on existed when the pass began.
#[derive(Clone, Copy, Debug)]
struct Pass {
    next: usize,
    left: usize,
}

/// Items in the order in which they came.
#[derive(Debug, Default)]
pub struct Queue {
    /// Oldest first. Only the first and the last may be empty.
    chunks: VecDeque<Chunk>,
    arena: Arena,
    /// What the queue lay in before it was gathered.
    left: Option<Arena>,
    len: usize,
    /// Places of all chunks together.
    capacity: usize,
    pass: Option<Pass>,
}

impl Queue {
    /// Items, stale ones included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no item.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Bytes allocated.
    pub fn held_bytes(&self) -> usize {
        self.capacity * ITEM_BYTES + self.chunks.capacity() * size_of::<Chunk>()
    }

    /// Bytes that the process holds for the queue beyond those allocated.
    pub fn idle_bytes(&self) -> usize {
        let left = self.left.as_ref().map_or(0, Arena::held_bytes);
        left + self.arena.held_bytes().saturating_sub(self.arena.used_bytes())
    }

    /// Drops a piece of a queue that nobody will use again. False when none is left.
    pub fn drop_some(&mut self) -> bool {
        self.chunks.clear();
        self.drop_left() || self.arena.drop_chunk()
    }

    /// Whether [`Queue::release`] has something to do.
    #[inline]
    pub fn has_leavings(&self) -> bool {
        self.left.is_some() || self.arena.has_leavings() || self.is_scattered()
    }

    /// Gives a piece of memory back in which no item lies any more, or makes such a piece of one in which few do.
    pub fn release(&mut self) {
        if self.drop_left() {
            return;
        }
        if self.arena.has_leavings() {
            self.arena.release();
        } else if self.is_scattered() {
            self.gather();
        }
    }

    /// Drops a piece of the arena that was left. False if there is none.
    fn drop_left(&mut self) -> bool {
        let is_left = self.left.is_some();
        if self.left.as_mut().is_some_and(|arena| !arena.drop_chunk()) {
            self.left = None;
        }
        is_left
    }

    /// Whether so little is left in so much memory that it is worth copying.
    #[inline]
    fn is_scattered(&self) -> bool {
        let used = self.arena.used_bytes();
        self.pass.is_none() && used <= GATHERED_BYTES_MAX && self.arena.held_bytes() > 2 * used + SCATTERED_BYTES_MIN
    }

    /// Copies all items to a new arena.
    fn gather(&mut self) {
        let left = std::mem::take(&mut self.arena);
        let items = Chunk::concat(self.chunks.iter(), &left);
        let full = items.chunks(CHUNK_ITEMS * ITEM_BYTES);
        self.chunks = full.map(|items| Chunk::holding(items, &mut self.arena)).collect();
        self.capacity = self.len;
        self.left = Some(left);
    }

    /// Appends the newest item.
    pub fn push(&mut self, item: Item) {
        if self.chunks.back().is_none_or(Chunk::is_full) {
            self.chunks.push_back(Chunk::with_capacity(CHUNK_ITEMS, &mut self.arena));
            self.capacity += CHUNK_ITEMS;
        }
        if let Some(chunk) = self.chunks.back_mut() {
            chunk.put(chunk.end, item, &mut self.arena);
            chunk.end += 1;
            self.len += 1;
        }
    }

    /// Takes the oldest item.
    pub fn pop_oldest(&mut self) -> Option<Item> {
        // A chunk that has become empty goes with the next pop, not with this one: `push_oldest` may need its place.
        while self.chunks.front().is_some_and(Chunk::is_empty) {
            self.remove(0);
        }
        let chunk = self.chunks.front_mut()?;
        let item = chunk.item(chunk.start, &self.arena);
        chunk.start += 1;
        self.len -= 1;
        Some(item)
    }

    /// Gives back what [`Queue::pop_oldest`] has just given out.
    pub fn push_oldest(&mut self, item: Item) {
        if self.chunks.front().is_none_or(|chunk| chunk.start == 0) {
            let mut chunk = Chunk::with_capacity(CHUNK_ITEMS, &mut self.arena);
            (chunk.start, chunk.end) = (CHUNK_ITEMS as u16, CHUNK_ITEMS as u16);
            self.chunks.push_front(chunk);
            self.capacity += CHUNK_ITEMS;
            match &mut self.pass {
                Some(pass) if pass.next == 0 => pass.left += 1,
                Some(pass) => pass.next += 1,
                None => {}
            }
        }
        if let Some(chunk) = self.chunks.front_mut() {
            chunk.start -= 1;
            chunk.put(chunk.start, item, &mut self.arena);
            self.len += 1;
        }
    }

    /// Whether a pruning pass is under way.
    pub fn is_pruning(&self) -> bool {
        self.pass.is_some()
    }

    /// Prunes one chunk, beginning a pass if none is under way: items that `keep` does not want go. It is asked about up to
    /// sixteen at a time, and answers with a bit for each that stays. Whether the pass is still under way afterwards.
    pub fn prune_chunk(&mut self, keep: impl FnMut(&[Item]) -> u16) -> bool {
        let Pass { next, left } = match self.pass {
            Some(pass) => pass,
            None => self.begin_pass(),
        };
        if left == 0 {
            self.pass = None;
            return false;
        }
        // Set before chunks are removed, so that `remove` keeps it right.
        self.pass = Some(Pass { next: next + 1, left: left - 1 });
        let chunk = &mut self.chunks[next];
        let before = chunk.len();
        chunk.retain(&mut self.arena, keep);
        let kept = chunk.len();
        self.len -= before - kept;
        if kept == 0 {
            self.remove(next);
        } else if next > 0 && self.chunks[next - 1].len() + kept <= CHUNK_ITEMS {
            let joined = Chunk::joined(&[self.chunks[next - 1], self.chunks[next]], &mut self.arena);
            self.replace(next - 1, joined);
            self.remove(next);
        } else if kept < self.chunks[next].capacity() {
            let cut = Chunk::joined(&[self.chunks[next]], &mut self.arena);
            self.replace(next, cut);
        }
        if left == 1 {
            self.pass = None;
        }
        left > 1
    }

    /// The region of a pass is all chunks there are. The newest is cut, so that what is pushed meanwhile lies elsewhere.
    fn begin_pass(&mut self) -> Pass {
        if let Some(&newest) = self.chunks.back()
            && !newest.is_full()
        {
            let cut = Chunk::joined(&[newest], &mut self.arena);
            self.replace(self.chunks.len() - 1, cut);
        }
        Pass { next: 0, left: self.chunks.len() }
    }

    fn replace(&mut self, at: usize, chunk: Chunk) {
        self.capacity = self.capacity - self.chunks[at].capacity() + chunk.capacity();
        self.arena.free(self.chunks[at].cell);
        self.chunks[at] = chunk;
    }

    fn remove(&mut self, at: usize) {
        let Some(chunk) = self.chunks.remove(at) else { return };
        self.capacity -= chunk.capacity();
        self.arena.free(chunk.cell);
        if let Some(pass) = &mut self.pass {
            if at < pass.next {
                pass.next -= 1;
            } else {
                // Only the oldest chunk is removed from outside a pass, so it was the next of the region.
                pass.left = pass.left.saturating_sub(1);
            }
        }
    }
}

//! The table of one database: blocks that split one at a time, in the order of slots.
//!
//! A table that doubles must move every entry at once, and a cache that does so answers nobody meanwhile. Here a
//! [`Block`] of 63 entries splits in two by the next bit of the position, and nothing else moves; two neighbours that
//! together are less than half full become one again. The [`Directory`] leads from a position to its block.
//!
//! Because a block covers one contiguous range of positions, a scan is a walk upward through the positions, and its
//! cursor is the first bits of one: whatever splits or unites meanwhile, entries below the cursor have been returned and
//! those above have not.

use super::arena::{Arena, CellRef};
use super::block::{self, Block, BlockMut, ENTRIES_MAX, Parts};
use super::directory::{self, Directory};
use super::position::Position;
use crate::base::Rng;

/// Entries at which two neighbouring blocks unite: less than half of a block, so that it does not split again soon.
const UNITE_ENTRIES: usize = 28;
/// A block gives up room when so many places are empty: more than it gets at a time, so that it does not go to and fro.
const SPARE_PLACES_MAX: usize = 16;
/// Bits of a position that a scan cursor carries. 40 bits leave room for the core below 2^53.
pub(super) const SCAN_BITS: u32 = 40;
/// Depth beyond which a block cannot split. It would take dozens of keys whose keyed 64-bit hashes agree but for 4 bits.
const DEPTH_MAX: u32 = 60;

/// How far a scan has come: the first bits of a position. Every entry whose position is below has been returned.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScanPosition(pub u64);

/// A place in the table, valid until the table changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place {
    pub(super) block: CellRef,
    at: u8,
}

/// Entries of a block with the same fingerprint.
pub(super) struct Candidates<'t> {
    block: Option<(CellRef, Parts<'t>)>,
    mask: u64,
}

impl Iterator for Candidates<'_> {
    type Item = (Place, CellRef);

    #[inline(always)]
    fn next(&mut self) -> Option<(Place, CellRef)> {
        let (home, parts) = self.block?;
        if self.mask == 0 {
            return None;
        }
        let at = self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some((Place::new(home, at), parts.entry(at)?))
    }
}

impl Place {
    pub(super) fn new(block: CellRef, at: usize) -> Self {
        Self { block, at: at as u8 }
    }
}

/// Finds entries by position; it does not know what they are.
#[derive(Debug)]
pub(super) struct Table {
    arena: Arena,
    directory: Directory,
    len: usize,
}

impl Table {
    /// An empty table, which takes no memory.
    pub(super) fn new() -> Self {
        Self { arena: Arena::new(), directory: Directory::empty(), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Bytes that the table takes, by what was given out for blocks and nodes.
    pub(super) fn used_bytes(&self) -> usize {
        self.arena.used_bytes() + self.directory.root_bytes()
    }

    /// Bytes that the process holds for the table.
    pub(super) fn held_bytes(&self) -> usize {
        self.arena.held_bytes() + self.directory.root_bytes()
    }

    /// The block that a position belongs to.
    #[inline]
    pub(super) fn block_of(&self, position: u64) -> CellRef {
        self.directory.block(position, &self.arena)
    }

    #[inline]
    pub(super) fn block(&self, block: CellRef) -> Block<'_> {
        Block(self.arena.from(block))
    }

    /// The entries that have the fingerprint of `position`, in its block.
    #[inline(always)]
    pub(super) fn candidates(&self, position: Position) -> Candidates<'_> {
        if self.len == 0 {
            return Candidates { block: None, mask: 0 };
        }
        let home = self.block_of(position.bits);
        let parts = self.block(home).parts();
        Candidates { block: Some((home, parts)), mask: parts.matches(position.tag) }
    }

    /// The place of the entry at `position` that is in this cell.
    pub(super) fn find(&self, position: Position, cell: CellRef) -> Option<Place> {
        self.candidates(position).find(|(_, other)| *other == cell).map(|(place, _)| place)
    }

    /// A block and what lies behind it.
    #[inline]
    pub(super) fn bytes(&self, block: CellRef) -> &[u8] {
        self.arena.from(block)
    }

    /// The entry at a place.
    #[inline]
    pub(super) fn entry(&self, place: Place) -> CellRef {
        self.block(place.block).entry(usize::from(place.at))
    }

    /// Another cell for the entry at a place.
    #[inline]
    pub(super) fn set_entry(&mut self, place: Place, entry: CellRef) {
        BlockMut(self.arena.from_mut(place.block)).set_entry(usize::from(place.at), entry);
    }

    #[inline]
    pub(super) fn set_earliest(&mut self, block: CellRef, tick: u32) {
        BlockMut(self.arena.from_mut(block)).set_earliest(tick);
    }

    /// Adds an entry that is not in the table, and returns its block. `position_of` finds the position of any entry;
    /// `split` is told of each block that comes into being by a split: its prefix and earliest tick. Of both halves, as
    /// the bound may come from a block that was united into this one, and be known under that block's prefix only.
    pub(super) fn insert(
        &mut self,
        position: Position,
        entry: CellRef,
        position_of: impl Fn(CellRef) -> Position,
        mut split: impl FnMut(u32, u32),
    ) -> CellRef {
        if self.directory.is_empty() {
            self.directory = Directory::new(new_block(&mut self.arena, 0, 0, 0));
        }
        self.len += 1;
        let mut home = self.block_of(position.bits);
        while self.block(home).len() == ENTRIES_MAX {
            let (prefixes, earliest) = self.split(position.bits, home, &position_of);
            prefixes.into_iter().for_each(|prefix| split(prefix, earliest));
            home = self.block_of(position.bits);
        }
        let len = self.block(home).len();
        if len == self.block(home).capacity() {
            home = self.resize(position.bits, home, len + 1);
        }
        BlockMut(self.arena.from_mut(home)).push(position.tag, entry);
        home
    }

    /// Takes the entry at a place out.
    pub(super) fn remove(&mut self, position: u64, place: Place) -> CellRef {
        let entry = self.entry(place);
        let mut block = BlockMut(self.arena.from_mut(place.block));
        block.remove(usize::from(place.at));
        let (len, capacity, depth) = (block.read().len(), block.read().capacity(), block.read().depth());
        self.len -= 1;
        if len <= UNITE_ENTRIES && depth > 0 && self.unite(position, place.block) {
            // What has come into being may be as small as its own neighbour, and nothing may ever be removed there again.
            while self.unite(position, self.block_of(position)) {}
            return entry;
        }
        if capacity - len > SPARE_PLACES_MAX {
            self.resize(position, place.block, len);
        }
        entry
    }

    /// Gives a block another capacity; returns where it is now.
    fn resize(&mut self, position: u64, old: CellRef, entries: usize) -> CellRef {
        let (depth, prefix) = (self.block(old).depth(), self.block(old).prefix());
        let new = new_block(&mut self.arena, entries, depth, prefix);
        self.pour(old, new);
        self.directory.lead(position, depth, new, &mut self.arena);
        new
    }

    /// Moves all entries of a block into another, which then is no less early, and frees it.
    fn pour(&mut self, old: CellRef, new: CellRef) {
        let mut copy = [0; block::bytes_for(ENTRIES_MAX)];
        let bytes = block::bytes_for(self.block(old).capacity());
        copy[..bytes].copy_from_slice(&self.arena.from(old)[..bytes]);
        let old_block = Block(&copy);
        let mut block = BlockMut(self.arena.from_mut(new));
        block.extend(old_block);
        let earliest = block.read().earliest().min(old_block.earliest());
        block.set_earliest(earliest);
        self.arena.free(old);
    }

    /// Splits a full block by the next bit. Returns the prefixes and the earliest tick of both halves.
    fn split(&mut self, position: u64, full: CellRef, position_of: impl Fn(CellRef) -> Position) -> ([u32; 2], u32) {
        let depth = self.block(full).depth();
        assert!(
            depth < DEPTH_MAX,
            "{ENTRIES_MAX} keys share {depth} bits of their hashes: the hash function is broken"
        );
        self.directory.deepen(position, depth, &mut self.arena);
        let bit = 1u64 << (63 - depth);
        let low_start = position & !(bit | (bit - 1));
        let high_start = low_start | bit;
        let block = self.block(full);
        let earliest = block.earliest();
        let mut moved = [None; ENTRIES_MAX];
        let mut high_len = 0;
        for (at, moved) in moved.iter_mut().enumerate() {
            let entry = block.entry(at);
            if position_of(entry).bits & bit != 0 {
                *moved = Some(entry);
                high_len += 1;
            }
        }
        let mut tags = [0; ENTRIES_MAX];
        tags.iter_mut().enumerate().for_each(|(at, tag)| *tag = block.tag(at));
        let entries: [CellRef; ENTRIES_MAX] = std::array::from_fn(|at| block.entry(at));
        let halves = [(ENTRIES_MAX - high_len, low_start), (high_len, high_start)];
        let [low, high] = halves.map(|(len, start)| {
            let half = new_block(&mut self.arena, len, depth + 1, (start >> 32) as u32);
            // Both halves keep the old bound, which may be early but never late; the next sweep makes it exact.
            BlockMut(self.arena.from_mut(half)).set_earliest(earliest);
            half
        });
        for ((entry, tag), moved) in entries.into_iter().zip(tags).zip(moved) {
            let half = if moved.is_some() { high } else { low };
            BlockMut(self.arena.from_mut(half)).push(tag, entry);
        }
        self.arena.free(full);
        self.directory.lead(low_start, depth + 1, low, &mut self.arena);
        self.directory.lead(high_start, depth + 1, high, &mut self.arena);
        ([low_start, high_start].map(|start| (start >> 32) as u32), earliest)
    }

    /// Unites a block with its neighbour if both are one bit apart and together small. False if they are not.
    fn unite(&mut self, position: u64, own: CellRef) -> bool {
        let depth = self.block(own).depth();
        if depth == 0 {
            return false;
        }
        let bit = 1u64 << (64 - depth);
        let other = self.block_of(position ^ bit);
        let len = self.block(own).len() + self.block(other).len();
        if self.block(other).depth() != depth || len > UNITE_ENTRIES {
            return false;
        }
        let start = position & !(bit | (bit - 1));
        let united = new_block(&mut self.arena, len, depth - 1, (start >> 32) as u32);
        self.pour(own, united);
        self.pour(other, united);
        self.directory.unite(start, depth - 1, united, &mut self.arena);
        true
    }

    /// Visits entries from `from` upward in the order of their positions until at least `count` were visited, and
    /// returns where to go on, or `None` at the end. Entries whose cursors would be equal are visited together. A block
    /// that has nothing to visit counts as one entry, so that a table that has been emptied costs no more than a full
    /// one.
    pub(super) fn scan(
        &self,
        from: ScanPosition,
        count: usize,
        position_of: impl Fn(CellRef) -> Position,
        mut visit: impl FnMut(CellRef),
    ) -> Option<ScanPosition> {
        const BELOW: u32 = u64::BITS - SCAN_BITS;
        if self.directory.is_empty() {
            return None;
        }
        let mut start = from.0 << BELOW;
        let mut left = count.max(1);
        let mut found = Vec::with_capacity(ENTRIES_MAX);
        loop {
            let block = self.block(self.block_of(start));
            found.clear();
            found.extend(block.entries().map(|entry| (position_of(entry).bits, entry)));
            found.retain(|(position, _)| *position >= start);
            found.sort_unstable_by_key(|(position, _)| *position);
            left = left.saturating_sub(usize::from(found.is_empty()));
            for (at, &(position, entry)) in found.iter().enumerate() {
                visit(entry);
                left = left.saturating_sub(1);
                if left == 0
                    && let Some((next, _)) = found.get(at + 1)
                    && next >> BELOW != position >> BELOW
                {
                    return Some(ScanPosition(next >> BELOW));
                }
            }
            start = end_of(start, block.depth())?;
            // A cursor cannot point between blocks that share all its bits.
            if left == 0 && start.trailing_zeros() >= BELOW {
                return Some(ScanPosition(start >> BELOW));
            }
        }
    }

    /// Visits the blocks that have positions from `from` up to, but not including, `to` (`None`: to the end), until
    /// `visit` says no.
    pub(super) fn blocks(&self, from: u64, to: Option<u64>, mut visit: impl FnMut(u64, CellRef, Block<'_>) -> bool) {
        let mut start = (!self.directory.is_empty()).then_some(from);
        while let Some(at) = start.filter(|&start| to.is_none_or(|to| start < to)) {
            let home = self.block_of(at);
            let block = self.block(home);
            if !visit(at, home, block) {
                return;
            }
            start = end_of(at, block.depth());
        }
    }

    #[inline]
    pub(super) fn has_leavings(&self) -> bool {
        self.arena.has_leavings()
    }

    #[inline]
    pub(super) fn release(&mut self) {
        self.arena.release();
    }

    /// Whether much of what is held is empty.
    pub(super) fn is_sparse(&self) -> bool {
        self.arena.is_sparse()
    }

    /// A position by chance whose block has entries. A block without any leads to its neighbour, which has some or is split
    /// further: neighbours of one size that are both empty have been united. So the draw is as fair where most of the
    /// positions are empty (a core of several, keys of one hash tag) as where they are not.
    pub(super) fn draw(&self, rng: &mut Rng) -> Option<u64> {
        if self.len == 0 {
            return None;
        }
        let mut position = rng.u64(..);
        for _ in 0..DEPTH_MAX {
            let block = self.block(self.block_of(position));
            if block.len() > 0 {
                return Some(position);
            }
            let bit = 1u64.checked_shl(64 - block.depth())?;
            position = (position ^ bit) & !(bit - 1) | rng.u64(..) & (bit - 1);
        }
        None
    }

    /// Moves some blocks and nodes out of the emptiest part of the arena, if much of it is empty. True if more is to do.
    pub(super) fn compact(&mut self, cells: usize) -> bool {
        for _ in 0..cells {
            // One at a time: what leads to the next is found through what leads to this one.
            let mut moved = None;
            let more = self.arena.evacuate(1, |_, old, new| moved = Some((old, new)));
            if let Some((old, new)) = moved {
                let bytes = self.arena.from(new);
                if directory::is_node(bytes) {
                    let mut header = [0; directory::HEADER_BYTES];
                    header.copy_from_slice(&bytes[..directory::HEADER_BYTES]);
                    self.directory.node_moved(&header, new, &mut self.arena);
                } else {
                    self.block_moved(old, new);
                }
            }
            if !more {
                return false;
            }
        }
        true
    }

    /// Unmaps one chunk of a table that nobody will use again; false when none is left.
    pub(super) fn drop_chunk(&mut self) -> bool {
        self.arena.drop_chunk()
    }

    fn block_moved(&mut self, old: CellRef, new: CellRef) {
        let (depth, mut start) = (self.block(new).depth(), u64::from(self.block(new).prefix()) << 32);
        // Blocks deeper than 32 bits share their prefix with others.
        loop {
            let home = self.block_of(start);
            if home == old {
                return self.directory.lead(start, depth, new, &mut self.arena);
            }
            match end_of(start, self.block(home).depth()) {
                Some(next) => start = next,
                None => return,
            }
        }
    }
}

/// Where the range of the block at `position` ends; `None` if no position lies behind it.
fn end_of(position: u64, depth: u32) -> Option<u64> {
    if depth == 0 {
        return None;
    }
    let size = 1u64 << (64 - depth);
    (position & !(size - 1)).checked_add(size)
}

fn new_block(arena: &mut Arena, entries: usize, depth: u32, prefix: u32) -> CellRef {
    let cell = arena.allocate(block::bytes_for(entries)).expect("the index is far smaller than its arena");
    block::write_empty(arena.from_mut(cell), entries, depth, prefix);
    cell
}

//! An arena: the memory of one database's entries, in cells of a few sizes.
//!
//! A general allocator cannot do three things that a cache needs. It does not say what it holds for whom, so a memory
//! limit is kept by guesswork. It cannot move what lives, so when the sizes of values drift, its pages stay resident for
//! the few small blocks left in each. And it hands out pointers of 8 bytes, where an arena's cell is named by 4. Here
//! every byte is counted where it is given out, cells may be moved by their owner's leave ([`Arena::evacuate`]), and a
//! database that is dropped goes back to the kernel chunk by chunk, whatever it held.
//!
//! ```text
//! arena  ── chunk 1 ─ chunk 2 ─ (unmapped) ─ chunk 4 ...           512 KiB each, one mapping each
//!              │
//!              └─ slab 0 │ slab 1 │ ... │ slab 7                    64 KiB each: one class, or free
//!                   │
//!                   └─ cell │ cell │ cell │ ...                     all of the class's size
//!
//! CellRef   31               16 15    13 12            0
//!         [       chunk        |  slab   | unit of 8 B   ]         chunk 0 does not exist: never zero
//! ```
//!
//! The bytes of a cell are its owner's, save for one agreement: the first byte of a live cell is not zero. That of a free
//! cell is, so an evacuation can tell them apart.
//!
//! The arena knows nothing of entries, keys or budgets. It is `Send` and moves between threads whole. It keeps 16 bytes
//! for each slab and 32 for each chunk besides, and these are not in its counts.
//!
//! Invariants: a slab has a class exactly as long as it has a live cell; a slab that has room is in the list of its class,
//! unless its chunk is closed; at most one mapped chunk is empty; used bytes are never more than held bytes.

mod chunks;
mod classes;
mod evacuation;
mod slabs;

use std::num::NonZeroU32;

use memmap2::MmapMut;

use crate::limits::ARENA_BYTES_MAX;
use chunks::{Chunk, ChunkSet};
use classes::{CLASSES, SHAPES, class_for};
use evacuation::Evacuation;
use slabs::{ClassState, NO_SLAB, Slab};

/// A unit of addressing, in bytes: the size of the smallest cell, and what all sizes are multiples of.
const UNIT_BYTES: usize = 8;
/// Bytes of a slab.
const SLAB_BYTES: usize = 64 * 1024;
/// Units of a slab.
const SLAB_UNITS: usize = SLAB_BYTES / UNIT_BYTES;
/// Bytes of a chunk: few mappings for much memory (neighbours make one for the kernel), and little that is unmapped at
/// once. The kernel takes about a microsecond for each touched page on a virtual machine: a chunk of 1 MiB was measured
/// to take 260 to 390 us of a turn.
const CHUNK_BYTES: usize = 512 * 1024;
/// Slabs of a chunk.
const CHUNK_SLABS: usize = CHUNK_BYTES / SLAB_BYTES;
/// [`Chunk::free_slabs`] of a chunk without live cells.
const ALL_SLABS: u8 = u8::MAX;
/// Highest number of a chunk.
const CHUNK_MAX: u32 = (ARENA_BYTES_MAX / CHUNK_BYTES - 1) as u32;

const _: () =
    assert!(ARENA_BYTES_MAX / UNIT_BYTES - 1 == u32::MAX as usize, "a reference is a unit's number in 32 bits");

/// The name of a cell within its arena.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CellRef(NonZeroU32);

impl CellRef {
    /// The name as a number, never 0: units of 8 bytes.
    #[inline]
    #[must_use]
    pub fn to_bits(self) -> u32 {
        self.0.get()
    }

    /// The cell of this number; `None` for 0.
    #[inline]
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<Self> {
        NonZeroU32::new(bits).map(Self)
    }

    /// The cell that starts `unit` units into `slab`.
    #[inline]
    fn of(slab: u32, unit: u16) -> Self {
        Self(NonZeroU32::new(slab * SLAB_UNITS as u32 + u32::from(unit)).expect("slab 0 gives out no cells"))
    }

    #[inline]
    fn chunk(self) -> u32 {
        self.to_bits() / (CHUNK_BYTES / UNIT_BYTES) as u32
    }

    #[inline]
    fn slab(self) -> u32 {
        self.to_bits() / SLAB_UNITS as u32
    }

    /// Units from the start of the slab.
    #[inline]
    fn unit(self) -> u16 {
        (self.to_bits() % SLAB_UNITS as u32) as u16
    }

    /// Bytes from the start of the chunk.
    #[inline]
    fn offset(self) -> usize {
        (self.to_bits() as usize * UNIT_BYTES) % CHUNK_BYTES
    }
}

/// Memory for the entries of one database. See the module.
pub struct Arena {
    /// The memory of each chunk by its number, apart from everything else that is known of it: the way to a cell's bytes.
    maps: Vec<Option<MmapMut>>,
    chunks: Vec<Chunk>,
    slabs: Vec<Slab>,
    classes: [ClassState; CLASSES],
    /// Chunks that have a free slab and are not closed, and the slabs.
    open: ChunkSet,
    free_slabs: usize,
    /// Numbers below `maps.len()` that are free to be used for a chunk.
    vacant: ChunkSet,
    /// Mapped chunks.
    mapped: usize,
    /// A mapped chunk without live cells.
    spare: Option<u32>,
    /// Chunks that have left the arena and are still to be given back.
    leaving: Vec<MmapMut>,
    /// The closed chunk.
    evacuation: Option<Evacuation>,
    /// No chunk is chosen for evacuation before `freed_bytes` has reached this.
    choose_at: u64,
    /// Bytes of all cells that were ever given out, and of all that came back.
    allocated_bytes: u64,
    freed_bytes: u64,
    held_bytes: usize,
    chunk_max: u32,
}

impl Arena {
    /// Bytes of the largest cell: a third of a slab.
    pub const CELL_BYTES_MAX: usize = classes::CELL_BYTES_MAX;

    /// An empty arena, which holds no memory.
    #[must_use]
    pub fn new() -> Self {
        Self::with_chunk_max(CHUNK_MAX)
    }

    /// An arena that has chunks up to this number.
    fn with_chunk_max(chunk_max: u32) -> Self {
        Self {
            maps: Vec::new(),
            chunks: Vec::new(),
            slabs: Vec::new(),
            classes: [ClassState { current: NO_SLAB, free_cells: 0 }; CLASSES],
            open: ChunkSet::default(),
            free_slabs: 0,
            vacant: ChunkSet::default(),
            mapped: 0,
            spare: None,
            leaving: Vec::new(),
            evacuation: None,
            choose_at: 0,
            allocated_bytes: 0,
            freed_bytes: 0,
            held_bytes: 0,
            chunk_max,
        }
    }

    /// Bytes of the smallest cell that holds `bytes`, which is what it is charged; `bytes` itself if no cell does.
    #[inline]
    #[must_use]
    pub fn cell_bytes(bytes: usize) -> usize {
        class_for(bytes).map_or(bytes, |class| SHAPES[class].bytes())
    }

    /// A cell of at least `bytes` bytes, whose content is whatever was there before. `None` if that is more than
    /// [`CELL_BYTES_MAX`](Self::CELL_BYTES_MAX), or if there is no more memory: all numbers of cells are in use, or the
    /// system refuses a mapping.
    #[inline]
    pub fn allocate(&mut self, bytes: usize) -> Option<CellRef> {
        let class = class_for(bytes)?;
        match self.place(class) {
            Some(cell) => Some(cell),
            None => self.grow(class),
        }
    }

    /// A cell of a class that has no room.
    #[cold]
    fn grow(&mut self, class: usize) -> Option<CellRef> {
        if self.evacuation.is_some() {
            // Room has become scarce: better use that of the closed chunk than map another.
            self.give_up();
            if let Some(cell) = self.place(class) {
                return Some(cell);
            }
        }
        self.map_chunk()?;
        self.place(class)
    }

    /// Takes a cell back. It must be live; what was in it is lost.
    #[inline]
    pub fn free(&mut self, cell: CellRef) {
        self.give_cell(cell);
    }

    /// The bytes from the first of `cell` to the end of its chunk: the owner knows how many are its own.
    ///
    /// # Panics
    ///
    /// If the chunk of `cell` is not mapped.
    #[inline]
    #[must_use]
    pub fn from(&self, cell: CellRef) -> &[u8] {
        match &self.maps[cell.chunk() as usize] {
            Some(map) => &map[cell.offset()..],
            None => unmapped(cell),
        }
    }

    /// The same, to be written. Bytes behind those of the cell are not the caller's.
    ///
    /// # Panics
    ///
    /// If the chunk of `cell` is not mapped.
    #[inline]
    #[must_use]
    pub fn from_mut(&mut self, cell: CellRef) -> &mut [u8] {
        match &mut self.maps[cell.chunk() as usize] {
            Some(map) => &mut map[cell.offset()..],
            None => unmapped(cell),
        }
    }

    /// Bytes of a live cell, as [`cell_bytes`](Self::cell_bytes) gave them when it was allocated.
    #[inline]
    #[must_use]
    pub fn size(&self, cell: CellRef) -> usize {
        SHAPES[usize::from(self.slabs[cell.slab() as usize].class)].bytes()
    }

    /// Bytes of all live cells, by the sizes of their classes. Exact.
    #[inline]
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        (self.allocated_bytes - self.freed_bytes) as usize
    }

    /// Bytes that the process holds for cells, live or not: pages of 4 KiB that were ever given out.
    ///
    /// It is never below the resident bytes where pages have 4 KiB (a system that gives huge pages unasked makes whole
    /// chunks resident), and above them by cells that were given out and not yet written.
    #[inline]
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Gives one of the chunks that have left the arena back to the system, or the spare one if the arena is sparse. True
    /// if there are more.
    #[inline]
    pub fn release(&mut self) -> bool {
        if self.leaving.is_empty()
            && let Some(spare) = self.surplus()
        {
            self.unmap_chunk(spare);
        }
        self.leaving.pop();
        !self.leaving.is_empty()
    }

    /// Whether [`Arena::release`] has something to do.
    #[inline]
    #[must_use]
    pub fn has_leavings(&self) -> bool {
        !self.leaving.is_empty() || self.surplus().is_some()
    }

    /// The spare chunk, if so much is idle without it that it is not worth keeping.
    #[inline]
    fn surplus(&self) -> Option<u32> {
        self.spare.filter(|_| self.evacuation.is_none() && self.is_sparse())
    }

    /// Unmaps one chunk, whatever lives in it, of an arena that nobody will use again; false when none is left. That is
    /// how a flushed database is dropped in slices.
    pub fn drop_chunk(&mut self) -> bool {
        if let Some(last) = self.maps.len().checked_sub(1) {
            self.unmap_chunk(last as u32);
        }
        self.release() || !self.maps.is_empty()
    }
}

#[cold]
#[inline(never)]
fn unmapped(cell: CellRef) -> ! {
    panic!("{cell:?} lies in a chunk that is not mapped");
}

impl std::fmt::Debug for Arena {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Arena: {} bytes used of {} held", self.used_bytes(), self.held_bytes())
    }
}

impl Default for Arena {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests;

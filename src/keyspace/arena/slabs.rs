//! Slabs: 64 KiB that belong to one class as long as they have a live cell.
//!
//! A slab hands out cells that were given back before it advances into bytes it has never used, so that pages it does not
//! need stay untouched. Cells that were given back form a chain through their own bytes:
//!
//! ```text
//! slab    [ live | free | live | free | live |  never given out  ]
//!                  ▲  │           ▲              ▲
//!                  │  └ next ─────│─▶ none       bump
//!          free ───│──────────────┘ ...
//!
//! free cell   byte 0   1     2 .. 4                  4 ..
//!           [   0    | 0 | next free cell, in units | left over ]
//! ```
//!
//! The slabs of a class that have room form a doubly linked list. Its head is the current slab. A slab that was full and
//! gets a cell back goes to the front: the next cell of this class is then the one just freed, whose line is in the cache,
//! and slabs with few live cells sink to the back, where they have time to become empty.

use super::classes::SHAPES;
use super::{ALL_SLABS, Arena, CHUNK_SLABS, CellRef, SLAB_UNITS, UNIT_BYTES};

/// `Slab::class` of a slab without live cells.
pub(super) const NO_CLASS: u8 = u8::MAX;
/// `Slab::free` of a slab in which no cell was given back.
pub(super) const NO_CELL: u16 = u16::MAX;
/// No slab: the ends of a list. Slab 0 lies in chunk 0, which is never mapped.
pub(super) const NO_SLAB: u32 = 0;

/// Pages in which touched memory is counted, in bytes. Where the kernel's pages are larger, the count is too low.
pub(super) const PAGE_BYTES: usize = 4096;

/// Bookkeeping of one slab: 16 bytes for 64 KiB.
#[derive(Clone, Copy)]
pub(super) struct Slab {
    /// Neighbours in the list of slabs of the class that have room.
    pub(super) before: u32,
    pub(super) after: u32,
    /// Live cells.
    pub(super) live: u16,
    /// First cell of the chain of free cells, in units from the start of the slab.
    pub(super) free: u16,
    /// Units that were given out at least once since the slab has its class.
    pub(super) bump: u16,
    pub(super) class: u8,
    /// Pages that count as resident. They stay so when the slab changes its class: the kernel does not get them back.
    pub(super) pages: u8,
}

impl Slab {
    pub(super) const UNTOUCHED: Self =
        Self { before: NO_SLAB, after: NO_SLAB, live: 0, free: NO_CELL, bump: 0, class: NO_CLASS, pages: 0 };
}

const _: () = assert!(size_of::<Slab>() == 16);
const _: () = assert!(SLAB_UNITS < NO_CELL as usize);

/// What is known of a class.
#[derive(Clone, Copy)]
pub(super) struct ClassState {
    /// The current slab: head of the list of slabs that have room.
    pub(super) current: u32,
    /// Cells that its slabs could still give out, those in a chunk under evacuation included.
    pub(super) free_cells: u32,
}

/// The chunk that a slab lies in.
pub(super) fn chunk_of(slab: u32) -> u32 {
    slab / CHUNK_SLABS as u32
}

impl Arena {
    /// A cell of `class` without asking the system for memory.
    #[inline]
    pub(super) fn place(&mut self, class: usize) -> Option<CellRef> {
        let slab = match self.classes[class].current {
            NO_SLAB => self.claim_slab(class)?,
            current => current,
        };
        Some(self.take_cell(slab, class))
    }

    /// The next cell of a slab that has room.
    #[inline]
    fn take_cell(&mut self, slab: u32, class: usize) -> CellRef {
        let shape = SHAPES[class];
        let chunk = chunk_of(slab);
        let state = &mut self.slabs[slab as usize];
        let unit = if state.free == NO_CELL {
            let unit = state.bump;
            state.bump += shape.units;
            let pages = (usize::from(state.bump) * UNIT_BYTES).div_ceil(PAGE_BYTES) as u8;
            if pages > state.pages {
                self.held_bytes += usize::from(pages - state.pages) * PAGE_BYTES;
                state.pages = pages;
            }
            unit
        } else {
            state.free
        };
        let cell = CellRef::of(slab, unit);
        if state.free != NO_CELL {
            let bytes = self.maps[chunk as usize].as_deref().and_then(|map| map[cell.offset()..].first_chunk());
            let &[_, _, low, high] = bytes.expect("a slab in use lies in a mapped chunk");
            state.free = u16::from_le_bytes([low, high]);
        }
        state.live += 1;
        let full = state.live == shape.cells;
        self.classes[class].free_cells -= 1;
        self.chunks[chunk as usize].used_bytes += shape.bytes() as u32;
        self.allocated_bytes += shape.bytes() as u64;
        if full {
            self.unlink(slab);
        }
        cell
    }

    /// Gives `cell` back to its slab, and the slab back to the pool if this was its last live cell.
    #[inline]
    pub(super) fn give_cell(&mut self, cell: CellRef) {
        let (slab, chunk) = (cell.slab(), cell.chunk());
        let state = &mut self.slabs[slab as usize];
        let class = usize::from(state.class);
        let shape = SHAPES[class];
        debug_assert!(cell.unit() < state.bump && cell.unit().is_multiple_of(shape.units), "no cell starts here");
        let link = (u32::from(state.free) << 16).to_le_bytes();
        let bytes = self.maps[chunk as usize].as_deref_mut().and_then(|map| map[cell.offset()..].first_chunk_mut());
        *bytes.expect("a cell lies in a mapped chunk") = link;
        state.free = cell.unit();
        let full = state.live == shape.cells;
        state.live -= 1;
        let empty = state.live == 0;
        self.classes[class].free_cells += 1;
        self.chunks[chunk as usize].used_bytes -= shape.bytes() as u32;
        self.freed_bytes += shape.bytes() as u64;
        if empty {
            self.release_slab(slab);
        } else if full && !self.is_closed(chunk) {
            self.link(slab);
        }
    }

    /// Makes a free slab of the lowest chunk that has one the current slab of `class`, so that high chunks drain.
    #[cold]
    fn claim_slab(&mut self, class: usize) -> Option<u32> {
        let chunk = self.open.first()?;
        let state = &mut self.chunks[chunk as usize];
        let place = state.free_slabs.trailing_zeros();
        state.free_slabs &= !(1 << place);
        if state.free_slabs == 0 {
            self.open.remove(chunk);
        }
        if self.spare == Some(chunk) {
            self.spare = None;
        }
        self.free_slabs -= 1;
        let slab = chunk * CHUNK_SLABS as u32 + place;
        self.slabs[slab as usize].class = class as u8;
        self.classes[class].free_cells += u32::from(SHAPES[class].cells);
        self.link(slab);
        Some(slab)
    }

    /// Takes a slab without live cells from its class.
    #[cold]
    fn release_slab(&mut self, slab: u32) {
        let chunk = chunk_of(slab);
        let closed = self.is_closed(chunk);
        if !closed {
            self.unlink(slab);
        }
        let state = &mut self.slabs[slab as usize];
        let class = usize::from(state.class);
        *state = Slab { pages: state.pages, ..Slab::UNTOUCHED };
        self.classes[class].free_cells -= u32::from(SHAPES[class].cells);
        self.chunks[chunk as usize].free_slabs |= 1 << (slab % CHUNK_SLABS as u32);
        if !closed {
            self.free_slabs += 1;
            self.open.insert(chunk);
        }
        if self.chunks[chunk as usize].free_slabs == ALL_SLABS {
            self.retire_chunk(chunk);
        }
    }

    /// Whether a slab in use has room. Such a slab is in the list of its class unless its chunk is closed.
    pub(super) fn has_room(&self, slab: u32) -> bool {
        let state = &self.slabs[slab as usize];
        state.class != NO_CLASS && state.live < SHAPES[usize::from(state.class)].cells
    }

    /// Makes a slab the current one of its class.
    pub(super) fn link(&mut self, slab: u32) {
        let current = &mut self.classes[usize::from(self.slabs[slab as usize].class)].current;
        let after = std::mem::replace(current, slab);
        self.slabs[slab as usize].before = NO_SLAB;
        self.slabs[slab as usize].after = after;
        if after != NO_SLAB {
            self.slabs[after as usize].before = slab;
        }
    }

    /// Takes a slab out of the list of its class.
    pub(super) fn unlink(&mut self, slab: u32) {
        let Slab { before, after, class, .. } = self.slabs[slab as usize];
        if before == NO_SLAB {
            self.classes[usize::from(class)].current = after;
        } else {
            self.slabs[before as usize].after = after;
        }
        if after != NO_SLAB {
            self.slabs[after as usize].before = before;
        }
    }
}

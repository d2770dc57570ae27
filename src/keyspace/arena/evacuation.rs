//! Evacuation: how an arena gives memory back while its cells live on.
//!
//! When the sizes of values drift, slabs of the old sizes keep a few live cells each, and a slab with one live cell is as
//! resident as a full one. Such memory comes back only if the cells move. The chunk with the fewest live bytes is closed:
//! it gets no new cells. Its cells are copied elsewhere, some in every slice, and when the last has left, it is unmapped.
//!
//! ```text
//!           chunk 1            chunk 2 (closed)       chunk 3
//!        [███▒|██▒▒|████]     [▒▒█▒|▒▒▒▒|█▒▒▒]     [████|██▒▒|▒▒▒▒]
//!             ▲                    │      │             ▲
//!             └────────────────────┘      └─────────────┘   same class first, then a free slab
//! ```
//!
//! A chunk is chosen if the others have room for all of its cells, class by class. Where every slab is in use there may be
//! no such chunk, however few cells live: then a chunk is thinned. Its slabs whose cells fit into other slabs of the class
//! are emptied, and the free slabs make room for the next whole chunk. When there is no such slab either, and the emptiest
//! chunk holds much more than it uses, its cells go to a new chunk: that is how the last chunk shrinks.
//!
//! That ends: an evacuated chunk is unmapped and its cells take no more slabs than before, a thinned one leaves fewer slabs
//! in use, and a new chunk holds less than the one that it replaces. If the room goes to new cells meanwhile, the choice
//! is forgotten and the chunk opened again, and nothing is chosen until a chunk's worth of cells has been freed.
//!
//! Live cells are found by their first byte, which is never zero while that of a free cell always is. Bytes beyond a
//! slab's bump position may hold anything, but no cell.

use super::chunks::slabs_of;
use super::classes::{CLASSES, SHAPES};
use super::slabs::{NO_CLASS, PAGE_BYTES, Slab};
use super::{Arena, CHUNK_BYTES, CHUNK_SLABS, CellRef, SLAB_BYTES};

/// Free cells that may be looked at in place of one move: a slab of the smallest class has 8192, and a slice should not
/// take longer because most of them are free.
const EXAMINED_PER_MOVE: usize = 16;

/// Bytes whose copying counts as another move: it takes about as long as to find out where a cell is named.
const BYTES_PER_MOVE: usize = 1024;

/// Chunks that are considered, emptiest first. More would cost time in each attempt, and a chunk with more live cells is
/// less likely to find room for them.
const CANDIDATES: usize = 8;

/// Bytes that an arena may hold idle beside a sixteenth of the used ones.
const IDLE_BYTES: usize = 2 * 1024 * 1024;

/// What an arena of which little is left may hold for so many bytes of live cells: little is to be moved there.
fn held_for_few(used: usize) -> usize {
    used + used / 2 + 2 * SLAB_BYTES
}

/// The closed chunk and how far it has been searched.
#[derive(Clone, Copy)]
pub(super) struct Evacuation {
    chunk: u32,
    /// Whether all of its cells are to leave; otherwise the chunk is thinned.
    whole: bool,
    /// The slab to go on with, and the unit in it. Before them no cell is live: none are given out meanwhile.
    slab: usize,
    unit: u16,
}

impl Arena {
    /// Whether the arena holds much more than it gave out: idle bytes (held less used) are more than a sixteenth of the
    /// used ones and 2 MiB. Below that, moving cells would cost more than it frees. An arena of which little is left is
    /// sparse earlier, when a third of what it holds is idle.
    #[must_use]
    pub fn is_sparse(&self) -> bool {
        let used = self.used_bytes();
        self.held_bytes() > (used + used / 16 + IDLE_BYTES).min(held_for_few(used))
    }

    /// Moves up to `cells` live cells, fewer if they are large, out of the emptiest chunk, which gets no new cells meanwhile,
    /// and unmaps the chunk when it has become empty. True if there is more to do. Does nothing unless the arena is sparse.
    ///
    /// `moved(bytes, old, new)` is called after each copy with the new cell's bytes; every reference to `old` must become
    /// `new`, since `old` is free when it returns. Every live cell must have a nonzero first byte.
    pub fn evacuate(&mut self, cells: usize, mut moved: impl FnMut(&mut [u8], CellRef, CellRef)) -> bool {
        if !self.is_sparse() {
            self.reopen();
            return false;
        }
        if let Some(spare) = self.surplus() {
            self.unmap_chunk(spare);
            return self.is_sparse();
        }
        if self.evacuation.is_none() {
            self.evacuation = self.choose();
        }
        let Some(Evacuation { chunk, whole, mut slab, mut unit }) = self.evacuation else { return false };
        let mut budget = cells.saturating_mul(EXAMINED_PER_MOVE);
        while slab < slabs_of(chunk).end {
            let Slab { class, bump, .. } = self.slabs[slab];
            if class == NO_CLASS || unit >= bump || (unit == 0 && !whole && !self.may_leave(chunk, slab)) {
                (slab, unit) = (slab + 1, 0);
                continue;
            }
            if budget == 0 {
                self.evacuation = Some(Evacuation { chunk, whole, slab, unit });
                return true;
            }
            let old = CellRef::of(slab as u32, unit);
            let live = self.from(old)[0] != 0;
            if live && !self.move_cell(old, usize::from(class), &mut moved) {
                self.give_up();
                return false;
            }
            if self.evacuation.is_none() {
                // That was the last cell.
                return self.is_sparse();
            }
            let shape = SHAPES[usize::from(class)];
            let moves = 1 + shape.bytes() / BYTES_PER_MOVE;
            budget = budget.saturating_sub(if live { moves * EXAMINED_PER_MOVE } else { 1 });
            unit += shape.units;
        }
        debug_assert!(!whole, "chunk {chunk} has a live cell whose first byte is zero");
        if whole {
            self.give_up();
        } else {
            self.reopen();
        }
        !whole
    }

    /// Copies a cell of the closed chunk to another chunk and frees it. False if there is no room without a new chunk.
    fn move_cell(&mut self, old: CellRef, class: usize, moved: &mut impl FnMut(&mut [u8], CellRef, CellRef)) -> bool {
        let Some(new) = self.place(class) else { return false };
        let bytes = SHAPES[class].bytes();
        let maps = self.maps.get_disjoint_mut([old.chunk() as usize, new.chunk() as usize]);
        let Ok([Some(from), Some(to)]) = maps else { unreachable!("a closed chunk gives out no cells") };
        let to = &mut to[new.offset()..][..bytes];
        to.copy_from_slice(&from[old.offset()..][..bytes]);
        moved(to, old, new);
        self.give_cell(old);
        true
    }

    /// Closes the emptiest chunk whose cells have room elsewhere.
    fn choose(&mut self) -> Option<Evacuation> {
        if self.freed_bytes < self.choose_at {
            return None;
        }
        let mut emptiest = [(u32::MAX, 0); CANDIDATES];
        for (chunk, state) in self.chunks.iter().enumerate() {
            if state.used_bytes > 0 && state.used_bytes < emptiest[CANDIDATES - 1].0 {
                emptiest[CANDIDATES - 1] = (state.used_bytes, chunk as u32);
                emptiest.sort_unstable();
            }
        }
        let chunks = emptiest.iter().filter(|(used_bytes, _)| *used_bytes < u32::MAX).map(|(_, chunk)| *chunk);
        let first = chunks.clone().next();
        let whole = chunks.clone().find(|chunk| self.others_have_room(*chunk)).map(|chunk| (chunk, true));
        let thinned = || chunks.clone().find(|chunk| slabs_of(*chunk).any(|slab| self.may_leave(*chunk, slab)));
        let chosen = whole.or_else(|| thinned().map(|chunk| (chunk, false)));
        let Some((chunk, whole)) = chosen.or_else(|| Some((self.make_room_for(first?)?, true))) else {
            self.give_up();
            return None;
        };
        for slab in slabs_of(chunk) {
            if self.has_room(slab as u32) {
                self.unlink(slab as u32);
            }
        }
        self.free_slabs -= self.chunks[chunk as usize].free_slabs.count_ones() as usize;
        self.open.remove(chunk);
        Some(Evacuation { chunk, whole, slab: slabs_of(chunk).start, unit: 0 })
    }

    /// Whether the live cells of `chunk` fit into free cells of their classes and free slabs of the other chunks.
    fn others_have_room(&self, chunk: u32) -> bool {
        let mut live = [0_u32; CLASSES];
        let mut room = [0_u32; CLASSES];
        for slab in &self.slabs[slabs_of(chunk)] {
            if slab.class != NO_CLASS {
                let class = usize::from(slab.class);
                live[class] += u32::from(slab.live);
                room[class] += u32::from(SHAPES[class].cells - slab.live);
            }
        }
        let mut slabs = self.chunks[chunk as usize].free_slabs.count_ones();
        for (class, shape) in SHAPES.iter().enumerate() {
            let elsewhere = self.classes[class].free_cells - room[class];
            slabs += live[class].saturating_sub(elsewhere).div_ceil(u32::from(shape.cells));
        }
        slabs as usize <= self.free_slabs
    }

    /// Maps a new chunk for the cells of `chunk`, if they would take much less than `chunk` holds. Returns `chunk`.
    fn make_room_for(&mut self, chunk: u32) -> Option<u32> {
        let pages: usize = self.slabs[slabs_of(chunk)].iter().map(|slab| usize::from(slab.pages)).sum();
        let used = self.chunks[chunk as usize].used_bytes as usize;
        if pages * PAGE_BYTES <= held_for_few(used) {
            return None;
        }
        self.spare = Some(self.map_chunk()?);
        Some(chunk)
    }

    /// Whether the live cells of one slab of `chunk` fit into slabs of their class in other chunks.
    fn may_leave(&self, chunk: u32, slab: usize) -> bool {
        let Slab { class, live, .. } = self.slabs[slab];
        if class == NO_CLASS {
            return false;
        }
        let own = self.slabs[slabs_of(chunk)].iter().filter(|slab| slab.class == class);
        let inside: u32 = own.map(|slab| u32::from(SHAPES[usize::from(class)].cells - slab.live)).sum();
        u32::from(live) <= self.classes[usize::from(class)].free_cells - inside
    }

    /// Forgets the chosen chunk, and chooses none until a chunk's worth of cells has been freed: before, the answer would
    /// hardly be another.
    pub(super) fn give_up(&mut self) {
        self.reopen();
        self.choose_at = self.freed_bytes + CHUNK_BYTES as u64;
    }

    /// Forgets the chosen chunk, if there is one: it gets new cells again.
    pub(super) fn reopen(&mut self) {
        let Some(Evacuation { chunk, .. }) = self.evacuation.take() else { return };
        for slab in slabs_of(chunk) {
            if self.has_room(slab as u32) {
                self.link(slab as u32);
            }
        }
        let free_slabs = self.chunks[chunk as usize].free_slabs;
        self.free_slabs += free_slabs.count_ones() as usize;
        if free_slabs != 0 {
            self.open.insert(chunk);
        }
    }

    /// Whether `chunk` is under evacuation: it gets no new cells, and its slabs are in no list.
    pub(super) fn is_closed(&self, chunk: u32) -> bool {
        self.evacuation.is_some_and(|evacuation| evacuation.chunk == chunk)
    }
}

const _: () =
    assert!(CHUNK_SLABS * SHAPES[0].cells as usize <= u32::MAX as usize, "cells of a chunk are counted in 32 bits");

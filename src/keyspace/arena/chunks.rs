//! Chunks: 512 KiB of the system's memory, mapped when no slab is free and unmapped when all of its slabs are.
//!
//! A chunk is mapped without being touched, so it costs what its cells have reached and no more. Huge pages are not asked
//! for: they would save address translations, but the first touch of one clears 2 MiB within one command. Measured in a
//! virtual machine whose host backs memory when it is touched: turns of 7 to 15 ms, below 1 ms without.
//!
//! Many chunks may become empty at once, when what came together expires together, and giving one back takes the kernel
//! some hundred microseconds. So they only leave the arena; its owner lets them go one by one ([`Arena::release`]).
//!
//! One chunk may be empty and stay mapped, the spare: without it, a cell that comes and goes at the boundary would map and
//! unmap a chunk each time.

use memmap2::MmapMut;

use super::slabs::{NO_CLASS, PAGE_BYTES, Slab};
use super::{ALL_SLABS, Arena, CHUNK_BYTES, CHUNK_SLABS};

/// Bookkeeping of one chunk.
#[derive(Clone, Copy, Default)]
pub(super) struct Chunk {
    /// One bit for each slab that has no live cell; none for a chunk that is not mapped.
    pub(super) free_slabs: u8,
    /// Bytes of live cells.
    pub(super) used_bytes: u32,
}

const _: () = assert!(CHUNK_SLABS == u8::BITS as usize, "a bit per slab");

impl Arena {
    /// Maps a chunk and returns its number. `None` if the address space of cell references is exhausted or the system
    /// refuses.
    pub(super) fn map_chunk(&mut self) -> Option<u32> {
        // Chunk 0 is never mapped, so that no reference is zero.
        let chunk = self.vacant.first().unwrap_or((self.maps.len() as u32).max(1));
        if chunk > self.chunk_max {
            return None;
        }
        let map = MmapMut::map_anon(CHUNK_BYTES).ok()?;
        self.vacant.remove(chunk);
        if chunk as usize >= self.maps.len() {
            let chunks = chunk as usize + 1;
            self.maps.resize_with(chunks, || None);
            self.chunks.resize(chunks, Chunk::default());
            self.slabs.resize(chunks * CHUNK_SLABS, Slab::UNTOUCHED);
        }
        self.maps[chunk as usize] = Some(map);
        self.chunks[chunk as usize].free_slabs = ALL_SLABS;
        self.mapped += 1;
        self.free_slabs += CHUNK_SLABS;
        self.open.insert(chunk);
        Some(chunk)
    }

    /// Decides about a chunk that has become empty: it is unmapped unless it is the first one, which stays as the spare.
    pub(super) fn retire_chunk(&mut self, chunk: u32) {
        let unmapped = match self.spare {
            _ if self.is_closed(chunk) => chunk,
            None => {
                self.spare = Some(chunk);
                return;
            }
            Some(spare) => {
                self.spare = Some(spare.min(chunk));
                spare.max(chunk)
            }
        };
        self.unmap_chunk(unmapped);
    }

    /// Takes a chunk out of the arena with whatever lives in it.
    pub(super) fn unmap_chunk(&mut self, chunk: u32) {
        if self.is_closed(chunk) {
            self.reopen();
        }
        for slab in slabs_of(chunk) {
            if self.has_room(slab as u32) {
                self.unlink(slab as u32);
            }
            let state = std::mem::replace(&mut self.slabs[slab], Slab::UNTOUCHED);
            self.held_bytes -= usize::from(state.pages) * PAGE_BYTES;
            if state.class != NO_CLASS {
                let class = usize::from(state.class);
                self.classes[class].free_cells -= u32::from(super::classes::SHAPES[class].cells - state.live);
            }
        }
        let state = std::mem::take(&mut self.chunks[chunk as usize]);
        self.free_slabs -= state.free_slabs.count_ones() as usize;
        self.freed_bytes += u64::from(state.used_bytes);
        self.open.remove(chunk);
        if self.spare == Some(chunk) {
            self.spare = None;
        }
        self.leaving.extend(self.maps[chunk as usize].take());
        self.mapped -= 1;
        self.vacant.insert(chunk);
        // The tables end with a mapped chunk, so that they shrink with the data and `drop_chunk` finds one at the end.
        while let Some(None) = self.maps.last() {
            self.maps.pop();
            self.chunks.pop();
            self.vacant.remove(self.maps.len() as u32);
        }
        self.slabs.truncate(self.maps.len() * CHUNK_SLABS);
        if self.maps.capacity() > 4 * self.maps.len() {
            let chunks = 2 * self.maps.len();
            self.maps.shrink_to(chunks);
            self.chunks.shrink_to(chunks);
            self.slabs.shrink_to(chunks * CHUNK_SLABS);
        }
    }
}

/// The numbers of the slabs of `chunk`.
pub(super) fn slabs_of(chunk: u32) -> std::ops::Range<usize> {
    chunk as usize * CHUNK_SLABS..(chunk as usize + 1) * CHUNK_SLABS
}

/// A set of chunk numbers, a bit for each; 32 GiB of cells are 1024 words, so the smallest is found in a short search.
#[derive(Default)]
pub(super) struct ChunkSet(Vec<u64>);

impl ChunkSet {
    pub(super) fn insert(&mut self, chunk: u32) {
        let word = (chunk / u64::BITS) as usize;
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (chunk % u64::BITS);
    }

    pub(super) fn remove(&mut self, chunk: u32) {
        if let Some(word) = self.0.get_mut((chunk / u64::BITS) as usize) {
            *word &= !(1 << (chunk % u64::BITS));
        }
    }

    /// The smallest number in the set.
    pub(super) fn first(&self) -> Option<u32> {
        let word = self.0.iter().position(|word| *word != 0)?;
        Some(word as u32 * u64::BITS + self.0[word].trailing_zeros())
    }
}

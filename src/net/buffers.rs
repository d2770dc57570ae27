//! The receive pool: one mapping with a ring of free buffers, which the kernel takes from, and the buffers themselves.
//!
//! ```text
//!   | entry 0 | entry 1 | ... | entry n-1 | pad | buffer 0 | buffer 1 | ... | buffer n-1 |
//!       ^ the tail lies in the reserved half-word of entry 0, and only it tells the kernel of entries given back
//! ```
//!
//! The kernel takes buffers in the order in which they came back, so it would walk through the whole pool however little is
//! received, and the pool would neither stay in the cache nor untouched. So only a **window** of buffers is in the ring,
//! and the rest is in reserve, of which the one that came last goes first. When the kernel finds the ring empty, the window
//! doubles, up to the whole pool.
//!
//! Invariant: a buffer is either the kernel's (its number is in the ring) or ours, and only ours is read. Ours are `taken`
//! or in reserve.

#![expect(unsafe_code, reason = "fence: memory that is shared with the kernel")]

use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;

/// The buffer group that receives name.
pub(super) const GROUP: u16 = 0;

const PAGE_BYTES: usize = 4096;

pub(super) struct Buffers {
    base: NonNull<u8>,
    mapped_bytes: usize,
    /// Where buffer 0 begins.
    first: usize,
    buffer_bytes: usize,
    count: u16,
    tail: u16,
    taken: Box<[bool]>,
    /// Buffers in the ring that the kernel has not handed out, as far as we have heard.
    in_ring: u16,
    /// So many are to be in the ring.
    window: u16,
    reserve: Vec<u16>,
}

impl Buffers {
    /// Maps a pool of `count` (a power of two) buffers, all free, of which the kernel gets an eighth at first. Pages cost
    /// memory once they have been used.
    pub(super) fn new(count: u16, buffer_bytes: u32) -> io::Result<Self> {
        assert!(count.is_power_of_two() && buffer_bytes > 0, "receive buffers: a power of two, not empty");
        let buffer_bytes = buffer_bytes as usize;
        let first = (usize::from(count) * size_of::<BufRingEntry>()).next_multiple_of(PAGE_BYTES);
        let mapped_bytes = first + usize::from(count) * buffer_bytes;
        // SAFETY: a new private mapping at an address of the kernel's choice touches no existing memory.
        let base = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                mapped_bytes,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                -1,
                0,
            )
        };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let base = NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        let taken = vec![false; usize::from(count)].into();
        let (window, reserve) = ((count / 8).max(1), (0..count).rev().collect());
        let mut buffers =
            Self { base, mapped_bytes, first, buffer_bytes, count, tail: 0, taken, in_ring: 0, window, reserve };
        buffers.publish();
        Ok(buffers)
    }

    /// Address of the ring, for its registration.
    pub(super) fn ring_address(&self) -> u64 {
        self.base.as_ptr() as u64
    }

    pub(super) fn count(&self) -> u16 {
        self.count
    }

    /// Notes that a completion brought us this buffer.
    #[inline]
    pub(super) fn take(&mut self, buffer: u16) {
        let taken = &mut self.taken[usize::from(buffer)];
        debug_assert!(!*taken, "the kernel handed a buffer out twice");
        *taken = true;
        self.in_ring -= 1;
    }

    /// The kernel has found no buffer: from now on it gets more of them.
    #[cold]
    pub(super) fn ran_out(&mut self) {
        self.window = (self.window * 2).min(self.count);
    }

    #[inline]
    pub(super) fn bytes(&self, buffer: u16, len: usize) -> &[u8] {
        assert!(self.taken[usize::from(buffer)] && len <= self.buffer_bytes, "a receive buffer that is not ours");
        // SAFETY: 1. In bounds: the number is below `count` (the index above) and `len` at most a buffer.
        // 2. Initialized: an anonymous mapping is zeroed. 3. Nobody writes: the buffer is ours (`taken`), the kernel
        // took its entry off the ring, and giving it back needs `&mut self`.
        unsafe { std::slice::from_raw_parts(self.buffer(buffer), len) }
    }

    /// Takes a buffer back from its reader.
    #[inline]
    pub(super) fn give_back(&mut self, buffer: u16) {
        assert!(std::mem::replace(&mut self.taken[usize::from(buffer)], false), "a buffer was given back twice");
        self.reserve.push(buffer);
    }

    /// Puts a buffer from the reserve behind the tail; the kernel sees it when the tail is stored.
    #[inline]
    fn append(&mut self, buffer: u16) {
        let address = self.buffer(buffer) as u64;
        // SAFETY: 1. In bounds and aligned: the index is masked by the count, and the mapping begins with that many
        // entries on a page boundary. 2. Exclusive: there are as many places as buffers, and this buffer was not in the
        // ring, so the place behind the tail is free and the kernel does not read it before the tail moves. The tail
        // itself, in the first entry's reserved part, is not touched by the setters.
        let entry =
            unsafe { &mut *self.base.cast::<BufRingEntry>().add(usize::from(self.tail & (self.count - 1))).as_ptr() };
        entry.set_addr(address);
        entry.set_len(self.buffer_bytes as u32);
        entry.set_bid(buffer);
        self.tail = self.tail.wrapping_add(1);
        self.in_ring += 1;
    }

    /// Fills the ring from the reserve and shows it to the kernel.
    #[inline]
    pub(super) fn publish(&mut self) {
        while self.in_ring < self.window
            && let Some(buffer) = self.reserve.pop()
        {
            self.append(buffer);
        }
        // SAFETY: the pointer is to the first entry of a mapped ring, whose reserved half-word is the tail: aligned to
        // two bytes, and written by nobody but us. Release orders the entries before it.
        let tail = unsafe { AtomicU16::from_ptr(BufRingEntry::tail(self.base.cast().as_ptr()).cast_mut()) };
        tail.store(self.tail, Ordering::Release);
    }

    fn buffer(&self, buffer: u16) -> *mut u8 {
        // SAFETY: callers pass numbers below `count` (they index `taken` with them), so the offset is in the mapping.
        unsafe { self.base.as_ptr().add(self.first + usize::from(buffer) * self.buffer_bytes) }
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: this is our own mapping, whole, and every borrow of it has ended. The kernel no longer writes to it:
        // the ring that knew it has been quieted before (see the drop of `Uring`).
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.mapped_bytes) };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, VecDeque};

    use super::*;

    #[test]
    fn buffers_do_not_overlap_and_come_back_once() {
        let mut buffers = Buffers::new(4, 100).unwrap();
        (0..3).for_each(|_| buffers.ran_out());
        buffers.publish();
        for turn in 0..1000_u16 {
            let buffer = turn % 4;
            buffers.take(buffer);
            assert_eq!(buffers.bytes(buffer, 100), [0; 100]);
            let distance = buffers.bytes(buffer, 1).as_ptr() as usize - buffers.ring_address() as usize;
            assert_eq!(distance, PAGE_BYTES + usize::from(buffer) * 100);
            buffers.give_back(buffer);
            buffers.publish();
        }
    }

    #[test]
    fn the_same_few_buffers_go_round_until_they_are_too_few() {
        const COUNT: u16 = 64;
        let mut buffers = Buffers::new(COUNT, 16).unwrap();
        // What the kernel would take next: what left the reserve, in that order.
        let mut ring: VecDeque<u16> = (0..buffers.in_ring).collect();
        let mut round = |buffers: &mut Buffers, receives: usize| {
            let taken: Vec<u16> = (0..receives).map_while(|_| ring.pop_front()).collect();
            taken.iter().for_each(|buffer| buffers.take(*buffer));
            if taken.len() < receives {
                buffers.ran_out();
            }
            taken.iter().for_each(|buffer| buffers.give_back(*buffer));
            let before = buffers.reserve.clone();
            buffers.publish();
            ring.extend(before[buffers.reserve.len()..].iter().rev());
            taken
        };
        let few: BTreeSet<u16> = (0..1000).flat_map(|_| round(&mut buffers, 3)).collect();
        assert_eq!(few.len(), usize::from(COUNT / 8));
        assert_eq!(round(&mut buffers, 64).len(), 8, "no more are there");
        assert_eq!(round(&mut buffers, 64).len(), 16, "twice as many");
        assert_eq!(round(&mut buffers, 64).len(), 32, "twice as many");
        assert_eq!(round(&mut buffers, 64).len(), 64, "all");
        assert_eq!(round(&mut buffers, 64).iter().collect::<BTreeSet<_>>().len(), 64);
    }
}

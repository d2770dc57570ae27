//! The heap of the process: mimalloc for what is small, the C library for what is large.
//!
//! A cache gives memory back while it serves, so what counts is the longest single call that frees something. glibc gives
//! a heap back when its end becomes free, up to 64 MiB in one `free`, which was measured to take 21 ms of a core's turn
//! (the nodes of a sorted set of ten million members, of which the last held all others in place). mimalloc, told not to
//! wait, gives each of its pages back as it becomes empty: 64 KiB for blocks up to some kilobytes, some dozen
//! microseconds. It is built without huge pages (`no_thp`), of which an idle server would hold four, and which would go
//! back two megabytes at a time.
//!
//! From 128 KiB on a block is a mapping of its own, which mimalloc would round up and keep, and glibc grows,
//! shrinks from its end and returns as it is asked to.

use std::alloc::{GlobalAlloc, Layout, System};

use mimalloc::MiMalloc;

/// Bytes from which an allocation is a mapping of its own: glibc's own first threshold.
const MAPPED_BYTES_MIN: usize = 128 * 1024;

/// Number of the option by which mimalloc waits before it gives pages back, in milliseconds.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// The allocator of the server's process.
#[derive(Debug)]
pub struct Heap;

#[expect(unsafe_code, reason = "an allocator is unsafe to implement")]
// SAFETY: every block is of the allocator that its size names, which is said anew with each call; both keep the contract.
// A block that grows or shrinks past the threshold is a new one with the bytes that both have.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { if is_mapped(layout.size()) { System.alloc(layout) } else { MiMalloc.alloc(layout) } }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as in `alloc`.
        unsafe { if is_mapped(layout.size()) { System.alloc_zeroed(layout) } else { MiMalloc.alloc_zeroed(layout) } }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`; the layout is that of the allocation.
        unsafe {
            if is_mapped(layout.size()) { System.dealloc(block, layout) } else { MiMalloc.dealloc(block, layout) }
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`. The new layout is valid, as the caller promises of `size`; the blocks are different, and
        // as long as is copied.
        unsafe {
            match (is_mapped(layout.size()), is_mapped(size)) {
                (true, true) => System.realloc(block, layout, size),
                (false, false) => MiMalloc.realloc(block, layout, size),
                _ => {
                    let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
                    if !moved.is_null() {
                        block.copy_to_nonoverlapping(moved, layout.size().min(size));
                        self.dealloc(block, layout);
                    }
                    moved
                }
            }
        }
    }
}

#[inline]
fn is_mapped(size: usize) -> bool {
    size >= MAPPED_BYTES_MIN
}

/// Sets the heap up for a cache; to be called once, while the process has one thread.
///
/// mimalloc gives pages back at once, where it would wait for more to be done in one go. And glibc's threshold for
/// mappings stays where it is: each freed mapping raises it to its own size, up to 32 MiB, and what is then below it comes
/// from a heap, whose holes stay in the process, so that after a while `maxmemory` would bound what is accounted for and
/// not what the process holds.
pub fn set_up() {
    #[expect(unsafe_code, reason = "options of allocators have no safe wrapper in the crates we use")]
    // SAFETY: it takes two numbers and changes an option, of which mimalloc has that many.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, 0);
    }
    #[cfg(target_env = "gnu")]
    {
        #[expect(unsafe_code, reason = "mallopt has no safe wrapper in the crates we use")]
        // SAFETY: it takes two numbers and changes a parameter of the allocator. The caller's promise of a single thread is
        // not needed for soundness: glibc takes the lock of its main arena, and other threads read a whole word.
        let accepted = unsafe { libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES_MIN as libc::c_int) };
        debug_assert_eq!(accepted, 1, "glibc takes any threshold up to 32 MiB");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "an allocator is asked directly")]
    fn blocks_keep_their_bytes_over_the_threshold() {
        let sizes =
            [1, 100, MAPPED_BYTES_MIN - 1, MAPPED_BYTES_MIN, 3 * MAPPED_BYTES_MIN, MAPPED_BYTES_MIN + 1, 5000, 8];
        let layout = |size| Layout::from_size_align(size, 8).unwrap();
        // SAFETY: each block is used within its size, and given back once with the layout that it has then.
        unsafe {
            let mut block = Heap.alloc_zeroed(layout(sizes[0]));
            for pair in sizes.windows(2) {
                block.write(7);
                block = Heap.realloc(block, layout(pair[0]), pair[1]);
                assert_eq!(block.read(), 7);
                block.add(pair[1] - 1).write(9);
            }
            Heap.dealloc(block, layout(sizes[sizes.len() - 1]));
        }
    }

    #[test]
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "an allocator is asked directly")]
    fn large_allocations_stay_mappings_of_their_own() {
        let layout = |size| Layout::from_size_align(size, 1).unwrap();
        // SAFETY: the blocks are not touched; each is given back once, with its layout.
        let allocate = |bytes: usize| unsafe { Heap.alloc(layout(bytes)) };
        // SAFETY: as above.
        let free = |block: *mut u8, bytes: usize| unsafe { Heap.dealloc(block, layout(bytes)) };
        set_up();
        // Freeing this one would raise the threshold to its size.
        free(allocate(4 << 20), 4 << 20);
        let blocks: Vec<*mut u8> = (0..128).map(|_| allocate(1 << 20)).collect();
        // Mappings begin on a page, behind a header of a few words; neighbours on the heap would each lie elsewhere in
        // theirs. Some blocks may find room in what other tests have freed.
        let page = rustix::param::page_size();
        let mapped = blocks.iter().filter(|block| block.addr() % page < 64).count();
        assert!(mapped >= blocks.len() / 2, "{mapped} of {}", blocks.len());
        blocks.into_iter().for_each(|block| free(block, 1 << 20));
    }
}

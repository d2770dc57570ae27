//! The seam between the mesh and the memory that it runs on. Everything shared between cores is made of these words;
//! `tests/loom_mesh.rs` compiles the same files against a `sync` that hands out the model checker's.

pub(super) use std::hint::spin_loop;
pub(super) use std::sync::Arc;
pub(super) use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence};

/// A cell that is entered through a closure, so that the model checker sees how long an access lasts.
#[derive(Debug)]
pub(super) struct UnsafeCell<T>(std::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    pub(super) fn new(value: T) -> Self {
        Self(std::cell::UnsafeCell::new(value))
    }

    /// Runs `access` on the content's address. Only dereferencing that address is unsafe.
    #[inline]
    pub(super) fn with_mut<R>(&self, access: impl FnOnce(*mut T) -> R) -> R {
        access(self.0.get())
    }
}

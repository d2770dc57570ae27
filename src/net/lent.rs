//! Output that the kernel may be reading: it can be looked at, but neither changed nor freed.
//!
//! A send borrows memory past the end of every Rust borrow, until the kernel is done with it. So the output *moves* into
//! a [`Lent`] before it is named in a submission and comes back only through [`Lent::settle`]; one that is dropped
//! leaks, which is the safe failure.

#![expect(unsafe_code, reason = "fence: coming back from the kernel is a promise that no type can check")]

use std::mem::ManuallyDrop;

use crate::resp::{Output, Pieces};

/// See the module. Moving a `Lent` moves the handles of its buffers and not the bytes, so their addresses are stable.
#[derive(Debug)]
pub struct Lent(ManuallyDrop<Output>);

impl Lent {
    /// Takes the output away from whoever could change it.
    pub(super) fn new(output: Output) -> Self {
        Self(ManuallyDrop::new(output))
    }

    /// Bytes in all.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the bytes lie in more than one slice.
    pub fn has_large(&self) -> bool {
        self.0.has_large()
    }

    /// The slices from an offset on.
    pub fn pieces(&self, from: usize) -> Pieces<'_> {
        self.0.pieces(from)
    }

    /// Gives the output back.
    ///
    /// # Safety
    /// The kernel is done with it: every send that was pushed with this output has been consumed by an enter that has
    /// returned, and its outcome is known.
    pub(super) unsafe fn settle(self) -> Output {
        ManuallyDrop::into_inner(self.0)
    }
}

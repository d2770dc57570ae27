//! A value alone on its cache lines.

use std::ops::Deref;

/// Two lines of 64 bytes: the processors that fetch lines in pairs would otherwise share what we keep apart.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Padded<T>(pub(super) T);

impl<T> Deref for Padded<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

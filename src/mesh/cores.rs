//! A set of cores, as one word.

use crate::base::CoreId;

/// Bit i stands for core i; `limits` asserts that every core has one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct CoreSet(u64);

impl CoreSet {
    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn insert(&mut self, core: CoreId) {
        self.0 |= 1 << core.0;
    }

    /// The set, leaving none.
    pub(super) fn take(&mut self) -> Self {
        std::mem::take(self)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The members, lowest first.
    pub(super) fn iter(self) -> impl Iterator<Item = CoreId> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let core = (left != 0).then(|| CoreId(left.trailing_zeros() as u16))?;
            left &= left - 1;
            Some(core)
        })
    }
}

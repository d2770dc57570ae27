//! Identifiers. Each is a type of its own, so that an index of one thing is never used for another.

use std::fmt;

/// A core of this node: the position of its CPU in `--cpus`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct CoreId(pub u16);

impl CoreId {
    /// The core as an index into per-core tables.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl fmt::Display for CoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A hash slot, 0 to 16383.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SlotId(pub u16);

/// One connection of one core. The index is reused; the generation tells a late event for a closed connection from one
/// for its successor.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnId {
    /// Place in the core's connection table.
    pub index: u32,
    /// How often the place has been taken.
    pub generation: u32,
}

/// What CLIENT ID answers: unique in the node for as long as it runs, and larger for later connections of one core.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ClientId(pub u64);

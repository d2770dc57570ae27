//! The words that every other room uses: identifiers, time, the seeded generator, the key hash, the hash slot and globs.
//!
//! This room knows nothing of the rest. Invariant: everything here is a plain value; nothing reads a clock or asks the
//! operating system for chance (`Now` and `Rng` come in from the shell).

mod glob;
mod hash;
mod ids;
mod time;

pub use fastrand::Rng;
pub use glob::{glob_matches, glob_matches_ignoring_case};
pub use hash::{KeyHasher, slot};
pub use ids::{ClientId, ConnId, CoreId, SlotId};
pub use time::Now;

//! The words that every other room uses: identifiers, time, the seeded generator, the key hash and the hash slot.
//!
//! This room knows nothing of the rest. Invariant: everything here is a plain value; nothing reads a clock or asks the
//! operating system for chance (`Now` and `Rng` come in from the shell).

mod hash;
mod ids;
mod time;

pub use fastrand::Rng;
pub use hash::{KeyHasher, slot};
pub use ids::{ClientId, ConnId, CoreId, SlotId};
pub use time::Now;

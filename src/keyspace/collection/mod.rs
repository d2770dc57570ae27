//! Lists, sets, hashes and sorted sets.

pub mod map;
pub mod pack;
pub mod sequence;

//! Lists, sets, hashes and sorted sets.

pub mod pack;

//! The policies against models that were written differently, and their edge cases.
//!
//! ```text
//! table   Residents over a hash map: what the real table is to a policy, plus checks of every call
//! model   S3-FIFO without items, marks and fingerprints: exact, slow and short
//! queue, ghost, s3fifo, rest   the tests
//! ```

mod ghost;
mod model;
mod queue;
mod rest;
mod s3fifo;
mod table;

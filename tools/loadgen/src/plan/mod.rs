//! What is sent: commands, keys, sizes and moments. Pure: chance comes from a seed, time from the caller.
//!
//! An [`Operation`] is drawn, small and plain; it can be encoded any number of times, with the same bytes each time, so
//! that a request can be sent again elsewhere (a cluster that moved its slot) without having been kept.
//!
//! ```text
//!   Shape + name ─ Workload::parse ─▶ Workload ─ Source::new(seed, part) ─▶ Source ─ draw ─▶ Operation
//!                                        │                                                     │
//!                                        └──────────────── encode, slot ◀──────────────────────┘
//! ```
//!
//! Within: `workload` reads a text by way of `named` (the names) and `words` (commands and their words);
//! `placeholder` says what a word can be, `template` makes bytes of it, `records` knows keys and how they are
//! chosen (`zipf`), `dice` turns a salt into chance. `value` is for values that are checked when they come back.

pub mod arrivals;
mod dice;
pub mod goal;
pub mod keys;
mod named;
mod placeholder;
pub mod quantity;
mod records;
pub mod sizes;
pub mod source;
mod template;
pub mod trace;
pub mod value;
mod words;
pub mod workload;
mod zipf;

use std::fmt;

pub use arrivals::Arrivals;
pub use goal::Goal;
pub use keys::{KeySpec, Spread};
pub use sizes::Sizes;
pub use source::Source;
pub use workload::{Kind, Protocol, Shape, Workload};

/// One operation of a workload: one request, or a few that belong together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Operation {
    /// Index into [`Workload::kinds`].
    pub kind: u8,
    /// Number of its (first) key.
    pub key: u64,
    /// The number of its keys if its kind has several (MGET), else the bytes of its value.
    pub size: u32,
    /// Everything else that was drawn: scores, fields, the bytes of the value, or its version if values are marked.
    pub salt: u64,
}

/// What is wrong with what was asked for: a sentence that names it and what would be right.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlanError(pub String);

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PlanError {}

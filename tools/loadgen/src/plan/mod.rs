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

pub mod arrivals;
pub mod goal;
pub mod keys;
pub mod sizes;
pub mod source;
pub mod template;
pub mod value;
pub mod workload;

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
    /// Bytes of its value, or the number of its keys, as its kind has it.
    pub size: u32,
    /// Everything else that was drawn: scores, fields, the bytes of the value.
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

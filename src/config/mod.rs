//! Settings: from what was written (flags, environment, file) to a value that cannot be wrong.
//!
//! ```text
//!   flag  >  environment  >  file  >  default        one table (settings.rs) names, checks and prints them all
//!     \          |           /          |
//!      `---------+----------'           |
//!                v                      v
//!             written  --check-->  Config  --CONFIG SET-->  Config  --CONFIG REWRITE-->  file
//! ```
//!
//! This room reads no file, clock or environment: their contents come in as text, how much memory there is comes in as a
//! number, and it does not know who uses a setting for what. Invariant: a [`Config`] is always valid, and a change yields another one or an error.

mod address;
mod change;
mod cpus;
mod file;
mod fixed;
pub mod flags;
mod foreign;
mod key_events;
mod load;
pub mod manual;
mod memory_limit;
mod output_limits;
mod settings;
mod text;
mod value;

pub use address::BindAddress;
pub use change::{Changed, SettingError};
pub use cpus::CpuList;
pub use file::rewrite;
pub use fixed::Fixed;
pub use key_events::{EventClass, KeyEvents};
pub use load::{LoadError, Loaded, Written, WrittenFile, load};
pub use memory_limit::MemoryLimit;
pub use output_limits::{OutputLimit, OutputLimits};
pub use settings::{
    Change, Compression, Config, DebugAccess, EvictionPolicy, Heading, Lending, LogLevel, PipelineOrder, SETTINGS,
    Setting, Supervision,
};
pub use text::Secret;
pub use value::{Arguments, Mistake, memory};

/// What the name of every environment variable of a setting begins with.
pub const VARIABLE_PREFIX: &str = "COREWISE_";

/// The environment variable that names the configuration file.
pub const CONFIG_VARIABLE: &str = "COREWISE_CONFIG";

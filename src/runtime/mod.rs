//! Boot, pin, the core loop, orderly shutdown.
//!
//! ```text
//! main thread          boots, then waits for signals and for its cores
//!   │ control socket, one per core
//! core thread 0..n     a glommio executor pinned to one CPU; its foreground task is the core loop: net ⇄ engine
//! ```
//!
//! The runtime carries things between the rooms and decides nothing about commands. Invariant: a core thread blocks only
//! in its ring's enter, between [`Engine::sleep`](crate::engine::Engine::sleep) and
//! [`Engine::wake`](crate::engine::Engine::wake), and in nothing else.

mod boot;
mod control;
mod core_loop;
mod facts;
mod log;

pub use boot::{BootError, Start, Summary, run};
pub use log::{LevelHandle, init as init_log};

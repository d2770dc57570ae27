//! What the operating system is asked for: affinity, clocks, limits, signals, sockets to listen on, and facts.
//!
//! This room knows no command, no key and no client. Invariant: a refusal of the system comes out as a sentence with
//! cause and remedy, or as the plain `io::Error` where the caller knows better; nothing here panics on what the system
//! says.

mod cgroup;
mod clock;
pub mod cpus;
pub mod files;
pub mod heap;
pub mod listen;
pub mod memory;
pub mod notify;
pub mod ping;
pub mod probe;
pub mod process;
pub mod resource;
pub mod signals;
mod unix_socket;

pub use clock::Clock;
pub use unix_socket::UnixSocket;

//! The harness: starts servers, speaks raw RESP to them, and checks transcripts of commands and replies.
//!
//! It knows the wire and the process, and nothing of the server's code: everything here runs unchanged against
//! redis-server, which is how the expectations of the tests are known to be true.
//!
//! ```text
//! Variant  one way to run a server (one core, two cores with a lending mode, redis-server)
//! Server   a running process on a free port, killed on drop
//! Client   one connection; requests as bytes, replies as `Value` with the bytes they came in
//! Transcript  `check("SET k v EX 10", "+OK")` over a fresh server of every variant
//! ```

mod client;
mod glob;
mod server;
mod transcript;
mod value;
mod variant;
mod words;

pub use client::{Client, Closed, encode};
pub use glob::{glob, glob_nocase};
pub use server::Server;
pub use transcript::{Transcript, transcript, transcript_with};
pub use value::{Decoded, Value, decode};
pub use variant::{Kind, Variant, missing, peer, program, redis_is_installed, variants};
pub use words::{join_words, quote, split_words};

/// An environment variable as a number, or `default` if it is unset. Anything else ends the test.
pub fn env_number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Err(_) => default,
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text}: a number is expected")),
    }
}

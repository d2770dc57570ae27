//! The Redis protocol: an incremental request parser, and a reply encoder into the caller's buffer.
//!
//! It does not know commands, connections or sockets: it turns bytes into arguments and answers into bytes. Requests
//! come in (RESP2 multibulk and inline lines), replies go out (RESP2 and RESP3); reply frames are never parsed here.
//!
//! ```text
//!   input      * 2 \r \n $ 3 \r \n G E T \r \n $ 1 \r \n k \r \n | next request ...
//!                                  ^---^               ^         ^
//!   parser                         spans[0] = 8 +3     [1] = 17 +1   consumed = 20
//!
//!   output     bytes:  + O K \r \n $ 1 6 3 8 5 \r \n \r \n : 1 \r \n
//!              large:                               ^ the value stands here, borrowed, not copied
//! ```
//!
//! Invariant: the answer of the parser depends on the bytes alone, never on how they were cut into reads; it never
//! reads past the request that it answers, and what a client only claims (a million arguments, a value of 512 MB)
//! costs nothing until the bytes come.

mod double;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod inline;
#[cfg(test)]
mod oracle_tests;
mod output;
mod parser;
mod protocol_error;
mod reply;
mod request;

pub use double::DoubleText;
pub use error::ReplyError;
pub use output::{Output, Pieces};
pub use parser::{ParserLimits, RequestParser};
pub use protocol_error::ProtocolError;
pub use reply::{Protocol, Reply};
pub use request::{Arguments, Request, Span};

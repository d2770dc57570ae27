//! WHAT a command is: one table of facts, lookup by name, key positions, and the cursor over arguments.
//!
//! This room does not know what a command *does*: no shard, no session, no connection.
//!
//! ```text
//!   "GeT" "k"          --find-->   &'static Command { id: Get, arity: 2, flags, keys, scope, ... }
//!   "CLIENT" "kill" x  --find-->   &'static Command { id: ClientKill, name: "client|kill", ... }
//!   "nope"             --find-->   Refusal, which writes the error
//!   request            --keys-->   argument positions:   MSET [k1] v1 [k2] v2   ->   1, 3
//!   COMMAND ...        --introspect-->  reply bytes, drawn from the same rows
//! ```
//!
//! Invariant: the table is the single source of truth. A row stands once, in the file of its group, in the order of
//! [`CommandId`] (asserted at compile time); lookup, COMMAND, the HELP texts and the arity errors all read that row.

mod args;
mod bits;
mod id;
mod introspect;
mod keys;
mod lookup;
pub mod number;
mod refusal;
mod row;
mod syntax;
mod table;
#[cfg(test)]
mod test_request;

pub use args::Args;
pub use bits::{Categories, Flags, KeyFlags};
pub use id::CommandId;
pub use introspect::{help, introspect};
pub use keys::{KeyPosition, KeyPositions, exact_flags, keys};
pub use lookup::{lookup, lookup_sub, resolve};
pub use refusal::{Refusal, find, refuse_subcommand};
pub use row::{Begin, Command, Deprecation, Find, Group, KeySpec, Scope, Spread};
pub use table::{BY_ID, TABLE, commands};

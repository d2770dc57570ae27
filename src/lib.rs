//! Corewise: a Redis-compatible cache server in which every CPU core is a small server of its own.
//!
//! A core owns a disjoint part of the keyspace, its own sockets and its own io_uring. Cores share nothing and talk by
//! message; a core that sleeps lends its shard, whole, to the core that needs it.
//!
//! ```text
//!            core 0                                     core 1
//!   clients ══▶ net ─ Input ─▶ engine ◀── mesh ──▶ engine ◀─ Input ─ net ◀══ clients
//!               net ◀ Effect ─ session   mail,     session ─ Effect ▶ net
//!                              shard     lease     shard
//! ```
//!
//! # Life of a command
//!
//! The ring completes a receive into a lent buffer (`net`). The `runtime` hands the bytes to the `engine`, which finds the
//! `session` of the connection. `resp` yields a request whose arguments still point into the receive buffer; `command`
//! finds its row and checks the arity; `route` makes a plan from its keys:
//!
//! - *this core*: `exec` runs on the core's own shard (`keyspace`) and encodes straight into the connection's output;
//! - *another core* that sleeps: the same on its shard, borrowed for a moment (`mesh`);
//! - *another core* that is awake: the arguments are copied once into this turn's batch, a place in the client's pipeline is
//!   reserved, the owner runs the command, encodes the final bytes and mails them back;
//! - *several cores*: a transaction (`txn`), to which values move without being copied (`engine::transact`), or all at once
//!   if every shard is here or can be borrowed and it will not take long;
//! - *every core* (INFO, SCAN, CLIENT LIST): a question to each, and the answers are joined;
//! - *the home of a channel* (PUBLISH): it counts the receivers, and tells every core that has some (`pubsub`);
//! - *behind MULTI*: it is queued in the session, and EXEC makes one plan for all that is queued.
//!
//! Replies leave in request order, one send per connection and turn. What has happened to keys is published by the core that
//! owns them, from an outbox of its shard.
//!
//! # Rooms
//!
//! A room imports only from rooms above it in the list below (`tests/tidy.rs` holds the list). Up to `engine` nothing reads
//! a clock, opens a file or touches a socket: time and chance are arguments, so that a node of many cores can be run and
//! replayed from one seed (`tests/sim`). Only `net`, `os` and `runtime` name what talks to the system.
//!
//! # Invariants
//!
//! 1. After boot the cores share only immutable snapshots, the mesh with its lease words, and a few counters that no
//!    single-key command touches. There is no mutex on any path of a command.
//! 2. Replies leave in request order. Commands of one client that go to one core are executed in order; single-key
//!    commands of one pipeline that go to different cores may overlap, everything else waits for what came before it and
//!    holds back what follows.
//! 3. A command on several keys is atomic and isolated across cores.
//! 4. Every queue and buffer has a bound in [`limits`] or the configuration, and a behaviour at the bound.
//! 5. Every byte of keyspace is charged where it is allocated.
//! 6. Nothing stops the world: expiry, deletion, flush and scans work in slices.
//! 7. Bad input gets one clear error and harms nobody else. Network input never panics; a bug aborts the process.
//! 8. Replies and error texts are those of Redis wherever Redis has the case.

#![deny(unsafe_code)]

// Every bound of the system, and how the bounds relate.
pub mod limits;

// Identifiers, time, chance, the key hash, the hash slot, globs.
pub mod base;

// Settings: from what was written to a value that cannot be wrong.
pub mod config;

// Plain per-core counters.
pub mod metrics;

// The Redis protocol: request parser, reply encoder.
pub mod resp;

// WHAT a command is: the table.
pub mod command;

// ONE shard's data.
pub mod keyspace;

// Slots and who owns them.
pub mod topology;

// WHAT a command does to a shard.
pub mod exec;

// WHERE a command runs.
pub mod route;

// Mail between cores, and the lease.
pub mod mesh;

// Transactions across cores.
pub mod txn;

// Who is subscribed to what.
pub mod pubsub;

// One client without a socket.
pub mod session;

// ONE core without I/O.
pub mod engine;

// The ring.
pub mod net;

// What the operating system is asked for.
pub mod os;

// Boot, the core loop, shutdown.
pub mod runtime;

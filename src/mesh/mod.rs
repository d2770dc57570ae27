//! The mesh: how the cores of a node talk, wake each other, and lend each other their shards.
//!
//! It does not know what a batch of mail says, what a shard holds, how a bell reaches a sleeping core (the caller rings),
//! or whether its ports live on one thread (the simulator) or on many.
//!
//! ```text
//!   core 0                                                              core 1
//!   ┌────────────┐  post    ┌─────────────────────────┐  receive  ┌────────────┐
//!   │            ├─────────►│ ring: at most 8 batches ├──────────►│            │
//!   │            │◄─────────┤ and their memory back   │◄──────────┤            │
//!   │   Port 0   │          └─────────────────────────┘   finish  │   Port 1   │
//!   │            │          ┌ door of core 1 ─────────┐           │            │
//!   │            │  bells   │ bell   awake or asleep  │ park      │            │
//!   │            ├─────────►│ lease  its shard        │◄──────────┤            │
//!   └────────────┘  borrow  └─────────────────────────┘ unpark    └────────────┘
//! ```
//!
//! and the same from core 1 to core 0, for every pair. A core's turn reads:
//!
//! ```text
//!   while let Some(mail) = port.receive() { handle it; port.finish(mail, Progress::Whole) }
//!   run what the sockets brought: here, under port.borrow(owner), or with port.reserve(owner) in the batch to the owner
//!   for each batch with letters { port.post(target, batch) }
//!   port.bells(|core| submit a doorbell for core)
//!   if it has nothing to do, or lending is Always {
//!       match port.park(shard or None) {
//!           Park::Parked           => { enter the kernel; shard = port.unpark() }
//!           Park::StayAwake(shard) => enter the kernel without waiting
//!       }
//!   }
//! ```
//!
//! **Batches are recycled by the ring that carried them.** A batch is read in its place and left there empty, so the sender
//! gets it back with a later post to the same core. Letting replies carry the empties home would pool nothing when
//! traffic is uneven (three batches of requests answered by one of replies), and a ring for the way back would cost
//! another line and another release per batch.
//!
//! **Nothing is unbounded and nothing is dropped.** A request takes a [`Credit`] first, which bounds the replies that can
//! ever be owed. A post that finds the ring full gives the batch back to be filled further; requests in it are bounded by
//! the sender's credits and replies by the receiver's. Receiving needs no room anywhere, so two full rings cannot hold each
//! other up. A core may sleep on a refused batch: it is rung when there is room.
//!
//! Invariants: a shard is held by exactly one core or by its lease (`lease`); a sleeping core that has news is rung, once
//! (`bell`); batches of one pair arrive in the order of their posting (`ring`). `tests/loom_mesh.rs` checks all three
//! over the interleavings of up to three cores.

mod bell;
mod cores;
mod lease;
mod padded;
mod port;
mod ring;
mod sync;

#[cfg(test)]
mod tests;

pub use lease::{LendingMode, Loan};
pub use port::{Credit, Park, Port, Progress, Received, connect};

//! The ring: accept, receive, send, doorbell.
//!
//! It knows sockets and bytes, and nothing of what they mean: no protocol, no clock, no other core beyond the number of
//! its ring. One [`Net`] belongs to one thread and is driven in turns:
//!
//! ```text
//!   wait ──── one enter: submits the turn's sends, receives, bells; waits; takes completions
//!     │
//!   next_event ── Accepted, Received (bytes lent until the next call), Ended, Stalled, Drained, Bell ... until None
//!     │
//!   send, close, pause, resume, adopt, ring ── noted, and carried out by the next wait
//! ```
//!
//! The decisions (`machine`, `connection`) are apart from the system calls (`uring`, `buffers`) by a small trait
//! ([`Kernel`]), so that tests can put a seeded, unkind kernel in its place.
//!
//! # Invariants
//!
//! 1. *At most one of a kind.* A connection has at most one receive, one send and one wait for room in the kernel, and
//!    its place is reused only when none is left; so a late completion finds its own connection or, by the generation in
//!    its token, none.
//! 2. *Sends.* Output moves into a `Lent` while the kernel may read it. A send never waits in the kernel: it is
//!    answered within the enter that consumes it, and only if it was short. So its bytes have left when that enter has
//!    returned, its submission was consumed, no completion is held back by a full queue, and none came. What did not
//!    leave waits until the socket takes bytes again. Output that comes meanwhile queues behind.
//! 3. *The receive pool* is shared by all connections. A buffer is lent until the next event is asked for, and one that
//!    waits to be made an event of is taken; whoever drives the net leaves at most a quarter of the pool so when it
//!    enters the kernel again. In one enter the kernel reads a socket at most 32 times before it turns to the next, an
//!    eighth of the pool. A receive that finds the pool empty is armed again by the next turn.
//! 4. *A bell is never lost.* One that could not be queued, or was refused, is rung again by the next turn.

mod buffers;
mod connection;
mod error;
#[cfg(test)]
mod fake;
mod kernel;
mod lent;
mod machine;
#[cfg(test)]
mod machine_tests;
mod pacing;
pub mod socket;
mod token;
mod uring;
#[cfg(test)]
mod uring_tests;

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

pub use error::NetError;
pub use kernel::{Completion, Doorbell, Enter, Kernel, Operation};
pub use lent::Lent;
pub use machine::Net;
pub use token::{Kind, Token};
pub use uring::Uring;

use crate::base::{ConnId, CoreId};
use crate::limits::{RECEIVE_BUFFER_BYTES, RECEIVE_BUFFERS, RING_COMPLETIONS, RING_SUBMISSIONS};

/// What a ring is made with.
#[derive(Clone, Debug)]
pub struct NetConfig {
    /// The core that the ring belongs to.
    pub core: CoreId,
    /// Entries of the submission queue.
    pub submissions: u32,
    /// Entries of the completion queue.
    pub completions: u32,
    /// Receive buffers, a power of two.
    pub receive_buffers: u16,
    /// Bytes of a receive buffer.
    pub receive_buffer_bytes: u32,
    /// Whether waits may gather a batch, if the kernel can (6.12).
    pub min_wait: bool,
}

impl NetConfig {
    /// The measured defaults.
    pub fn new(core: CoreId) -> Self {
        Self {
            core,
            submissions: RING_SUBMISSIONS,
            completions: RING_COMPLETIONS,
            receive_buffers: RECEIVE_BUFFERS,
            receive_buffer_bytes: RECEIVE_BUFFER_BYTES,
            min_wait: true,
        }
    }
}

/// What the kernel offers beyond the minimum, and is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Features {
    /// Waits can gather a batch (6.12).
    pub min_wait: bool,
    /// Enters name the ring by its index in the thread.
    pub registered_ring: bool,
}

/// How long a turn may wait for completions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wait {
    limit: Limit,
    gather: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Limit {
    None,
    AtMost(Duration),
    Forever,
}

impl Wait {
    /// Not at all: submit, and take what there is.
    pub const NONE: Self = Self { limit: Limit::None, gather: false };
    /// Until something happens.
    pub const FOREVER: Self = Self { limit: Limit::Forever, gather: true };

    /// Until something happens, or this long (until the next deadline).
    pub const fn at_most(time: Duration) -> Self {
        Self { limit: Limit::AtMost(time), gather: true }
    }

    /// The same, but up to the first completion and never for a batch of them: for a core that expects mail from another,
    /// as a bell would wait for the batch too.
    pub const fn promptly(self) -> Self {
        Self { gather: false, ..self }
    }
}

/// A listening socket of one ring.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ListenerId(pub u32);

/// What happened. `Descriptor` is an [`OwnedFd`] but in tests.
#[derive(Debug)]
pub enum Event<'a, Descriptor = OwnedFd> {
    /// A client came. Nothing is read from it until somebody [adopts](Net::adopt) it: this core, or another one by mail.
    Accepted {
        /// Where it came.
        listener: ListenerId,
        /// The socket.
        fd: Descriptor,
    },
    /// Clients cannot be taken in for lack of descriptors or memory. Accepting goes on by itself once a connection has
    /// closed, or after a rest.
    AcceptFailed {
        /// Where.
        listener: ListenerId,
        /// Why.
        error: io::Error,
    },
    /// Bytes came. They are lent until the next event is asked for. Some may still come after [`Net::pause`].
    Received {
        /// From whom.
        conn: ConnId,
        /// Never empty.
        bytes: &'a [u8],
    },
    /// Nothing will come any more. It is said once; the connection can still be sent to unless it was reset, and lives
    /// until it is [closed](Net::close).
    Ended {
        /// Whose.
        conn: ConnId,
        /// Why.
        why: End,
    },
    /// The socket took only a part of the output: the client reads too slowly, or the output is large.
    Stalled {
        /// Whose.
        conn: ConnId,
    },
    /// All output of a connection that had stalled has left.
    Drained {
        /// Whose.
        conn: ConnId,
    },
    /// Another core rang.
    Bell,
}

/// Why nothing more comes from a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The client has finished sending (and has possibly gone).
    PeerClosed,
    /// The connection is broken.
    Reset,
    /// Another errno of the kernel.
    Error(i32),
}

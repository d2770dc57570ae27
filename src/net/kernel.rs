//! The edge: what the state machine asks of the kernel, in as few words as io_uring needs.
//!
//! Two implementors: [`Uring`](super::Uring) in production, and in tests a seeded fake that completes, reorders,
//! shortens, resets and cancels at random.

use std::fmt::Debug;
use std::io;
use std::time::Duration;

use super::lent::Lent;
use super::token::Token;

/// One answer of the kernel.
#[derive(Clone, Copy, Debug)]
pub struct Completion {
    /// The token of the operation.
    pub token: Token,
    /// A count, a descriptor, or a negative errno.
    pub result: i32,
    /// Whether the operation goes on (multishot) and will complete again.
    pub more: bool,
    /// The receive buffer that now belongs to us.
    pub buffer: Option<u16>,
}

/// An operation that borrows nothing. (Sends do: [`Kernel::send`].)
#[derive(Debug)]
pub enum Operation<'a, Descriptor> {
    /// Accept connections until cancelled.
    Accept(&'a Descriptor),
    /// Receive into the pool until cancelled, ended or out of buffers.
    Receive(&'a Descriptor),
    /// Complete once the socket takes bytes again (or has failed).
    Writable(&'a Descriptor),
    /// End the operation of this token; it completes itself.
    Cancel(Token),
    /// Close the descriptor.
    Close(Descriptor),
    /// Complete `bell` on another core's ring.
    Ring {
        /// The other ring.
        doorbell: Doorbell,
        /// What it shall read.
        bell: Token,
    },
}

/// Where another core's ring is rung.
///
/// A plain descriptor number: the kernel refuses to register one ring with another. Should it be closed and taken by
/// something else meanwhile, the kernel refuses the bell, and nothing else happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Doorbell(pub(super) i32);

/// How an enter waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Enter {
    /// Completions to wait for; none means not to wait.
    pub want: u32,
    /// Microseconds after which one completion is enough; zero to wait for `want` in any case.
    pub min_wait_us: u32,
    /// When to give up waiting.
    pub timeout: Option<Duration>,
}

/// See the module.
pub trait Kernel {
    /// An open file that is closed when dropped.
    type Descriptor: Debug;

    /// How many operations can be pushed before the next submission.
    fn room(&self) -> usize;

    /// Queues an operation. Only with [`room`](Self::room).
    fn push(&mut self, operation: Operation<'_, Self::Descriptor>, token: Token);

    /// Queues a send of `output` from offset `from` on and says how many bytes it asks for: all, or as many as one
    /// submission takes. It never waits: it completes within the enter that consumes it, and posts a completion only
    /// if it sent less than asked. Only with [`room`](Self::room).
    fn send(&mut self, socket: &Self::Descriptor, output: &Lent, from: usize, token: Token) -> usize;

    /// Submits what is queued and waits. An error is final for the ring; interruptions, timeouts and momentary refusals
    /// are none.
    fn enter(&mut self, how: Enter) -> io::Result<()>;

    /// Operations pushed since the beginning.
    fn pushed(&self) -> u64;

    /// Operations that the kernel has consumed since the beginning, in the order of pushing.
    fn consumed(&self) -> u64;

    /// Whether completions wait in the kernel for room in the queue, so that the absence of one says nothing.
    fn overflowed(&self) -> bool;

    /// Takes all completions that have been posted.
    fn take_completions(&mut self, each: impl FnMut(Completion));

    /// The descriptor that a successful accept answered.
    fn accepted(&mut self, completion: &Completion) -> Self::Descriptor;

    /// Microseconds of a clock that only goes forward, to measure rates by.
    fn clock_us(&mut self) -> u64;

    /// The first `len` bytes of a buffer that came with a completion and has not been given back.
    fn received(&self, buffer: u16, len: usize) -> &[u8];

    /// Gives a buffer back to the pool, from the next enter on.
    fn give_back(&mut self, buffer: u16);
}

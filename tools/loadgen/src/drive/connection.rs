//! One connection: what is under way on it, and what has come of the next reply.

use std::collections::VecDeque;

use corewise::base::ConnId;
use corewise::resp::Output;

use crate::plan::Operation;

/// An operation that has been sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) operation: Operation,
    /// When it was sent, or should have been, in nanoseconds since the start.
    pub(super) since_ns: u64,
    /// Replies that are still to come.
    pub(super) replies: u16,
    /// Whether one of its replies was an error, or nothing.
    pub(super) answer: crate::measure::Answer,
}

/// One connection of a worker.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// Its place in the ring; none while it is not connected.
    pub(super) id: Option<ConnId>,
    /// Sent and not answered, oldest first.
    pub(super) pending: VecDeque<Pending>,
    /// Requests of this turn.
    pub(super) output: Output,
    /// The beginning of a reply whose end has not come.
    pub(super) rest: Vec<u8>,
}

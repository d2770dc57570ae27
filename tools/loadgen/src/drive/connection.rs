//! One connection: what is under way on it, and what has come of the next reply.

use std::collections::VecDeque;

use corewise::base::ConnId;
use corewise::resp::Output;

use crate::measure::Answer;
use crate::plan::Operation;

/// An operation that has been sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) operation: Operation,
    /// When it was sent, or should have been, in nanoseconds since the start.
    pub(super) since_ns: u64,
    /// Replies that are still to come.
    pub(super) replies: u16,
    /// Replies before its own: the one to ASKING.
    pub(super) foreign: u16,
    /// How often it has been sent elsewhere.
    pub(super) redirections: u8,
    /// Whether one of its replies was an error, or nothing.
    pub(super) answer: Answer,
}

/// An operation that waits for a connection of its server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) operation: Operation,
    pub(super) since_ns: u64,
    pub(super) redirections: u8,
    /// Announced by ASKING.
    pub(super) asking: bool,
}

/// One connection of a worker.
#[derive(Debug, Default)]
pub(super) struct Connection {
    /// Its place in the ring; none while it is not connected.
    pub(super) id: Option<ConnId>,
    /// Which server it leads to.
    pub(super) node: u32,
    /// It stands in the queue of those that may send.
    pub(super) ready: bool,
    /// Sent and not answered, oldest first.
    pub(super) pending: VecDeque<Pending>,
    /// Requests of this turn.
    pub(super) output: Output,
    /// The beginning of a reply whose end has not come.
    pub(super) rest: Vec<u8>,
}

/// One server, and who may send to it.
#[derive(Debug, Default)]
pub(super) struct Node {
    /// Connections that may send, those that have waited longest first; some may have broken meanwhile.
    pub(super) ready: VecDeque<u32>,
    /// Operations for it that no connection could take.
    pub(super) waiting: VecDeque<Waiting>,
}

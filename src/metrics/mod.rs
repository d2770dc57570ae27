//! What one core has seen of itself: plain counters, times, events and slow commands, merged only when somebody reads them.
//!
//! Each core counts for itself in ordinary integers; INFO and its like ask every core for a copy and join them. The room
//! knows nothing of how the copies travel, and reads no clock. Invariant: every table has a bound in `limits`, in the
//! configuration, or in the number of commands.

mod errors;
mod latency;
mod rate;
mod slowlog;
mod times;
mod turns;

pub use errors::ErrorCounts;
pub use latency::{Event, EventHistory, LatencyEvents, Sample};
pub use rate::{Rates, RatesPerSecond};
pub use slowlog::{SlowEntry, Slowlog, trimmed};
pub use times::{CommandTimes, Times};
pub use turns::TurnMeter;

/// What one core has counted since it started, or since CONFIG RESETSTAT.
#[derive(Clone, Debug)]
pub struct CoreStats {
    /// Connections accepted.
    pub connections: u64,
    /// Connections refused because of `maxclients`.
    pub connections_refused: u64,
    /// Commands run for clients of this core.
    pub commands: u64,
    /// Bytes received from clients.
    pub received_bytes: u64,
    /// Bytes handed to the network for clients.
    pub sent_bytes: u64,
    /// Receives that were handled.
    pub reads: u64,
    /// Sends that were handed to the network.
    pub writes: u64,
    /// Requests sent to other cores.
    pub mail_requests: u64,
    /// Commands of this core's clients run on a borrowed shard.
    pub borrowed: u64,
    /// Commands run here for other cores.
    pub served: u64,
    /// Transactions over several cores that were coordinated here.
    pub transactions: u64,
    /// Transactions that had to begin again because a core had gone ahead.
    pub transaction_retries: u64,
    /// Error replies written by this core.
    pub errors: u64,
    /// Clients closed because they did not read their replies.
    pub output_closed: u64,
    /// Clients closed because of a request above `client-query-buffer-limit`.
    pub input_closed: u64,
    /// Turns so far.
    pub turns: u64,
    /// Longest turn, in microseconds of CPU time of this core's thread (see [`TurnMeter`]).
    pub longest_turn_us: u64,
    /// How often each command was called.
    pub calls: Box<[u64]>,
    /// How often each command failed: while it ran, and before.
    pub failures: Box<[Failures]>,
}

/// How often a command ended in an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Failures {
    /// It was refused before it ran: wrong number of arguments, no authentication, no memory.
    pub rejected: u64,
    /// It ran and answered an error.
    pub failed: u64,
}

impl CoreStats {
    /// Zeros, for a table of so many commands.
    pub fn new(commands: usize) -> Self {
        Self {
            connections: 0,
            connections_refused: 0,
            commands: 0,
            received_bytes: 0,
            sent_bytes: 0,
            reads: 0,
            writes: 0,
            mail_requests: 0,
            borrowed: 0,
            served: 0,
            transactions: 0,
            transaction_retries: 0,
            errors: 0,
            output_closed: 0,
            input_closed: 0,
            turns: 0,
            longest_turn_us: 0,
            calls: vec![0; commands].into(),
            failures: vec![Failures::default(); commands].into(),
        }
    }
}

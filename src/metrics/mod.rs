//! Plain per-core counters, merged only when somebody reads them.
//!
//! Each core counts for itself in ordinary integers; INFO asks every core for a copy and adds them up. The room knows
//! nothing of how the copies travel.

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
    /// Error replies to clients of this core.
    pub errors: u64,
    /// Longest turn, in microseconds of CPU time of this core's thread.
    pub longest_turn_us: u64,
    /// How often each command was called, by its number.
    pub calls: Box<[u64]>,
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
            mail_requests: 0,
            borrowed: 0,
            served: 0,
            transactions: 0,
            transaction_retries: 0,
            errors: 0,
            longest_turn_us: 0,
            calls: vec![0; commands].into(),
        }
    }
}

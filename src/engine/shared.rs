//! The few words that the cores of a node share, none of them on the path of a single-key command.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::base::{ClientId, CoreId};
use crate::config::Config;
use crate::keyspace::Limits;
use crate::txn::TxnId;

/// See the module.
#[derive(Debug)]
pub struct Shared {
    /// The last number that a transaction has drawn.
    transactions: AtomicU64,
    /// The last number that a client was given.
    clients: AtomicU64,
    /// The last number that an entry of the slow log was given.
    slow_commands: AtomicU64,
    /// Connections, by core: whoever accepts one gives it to the core that has the fewest.
    connections: Box<[AtomicUsize]>,
    /// What the shards together may hold.
    pub(super) limits: Limits,
}

impl Shared {
    /// For a node of `cores` cores.
    pub fn new(cores: usize) -> Self {
        Self {
            transactions: AtomicU64::new(TxnId::FIRST.0),
            clients: AtomicU64::new(0),
            slow_commands: AtomicU64::new(0),
            connections: (0..cores).map(|_| AtomicUsize::new(0)).collect(),
            limits: Limits::none(cores),
        }
    }

    /// Sets the limits that a configuration names.
    pub(super) fn set_limits(&self, config: &Config) {
        self.limits.bytes.set_limit(config.maxmemory.bytes());
        self.limits.keys.set_limit(config.max_keys);
    }

    /// The next number for a transaction. The counter is the only thing that orders numbers: nothing else is published
    /// by it.
    pub(super) fn next_transaction(&self) -> TxnId {
        TxnId(self.transactions.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(super) fn next_client(&self) -> ClientId {
        ClientId(self.clients.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Numbers of the slow log begin with 0, as in Redis.
    pub(super) fn next_slow_command(&self) -> u64 {
        self.slow_commands.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn connected(&self, core: CoreId) {
        self.connections[core.index()].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn disconnected(&self, core: CoreId) {
        self.connections[core.index()].fetch_sub(1, Ordering::Relaxed);
    }

    /// Connections of the node.
    pub fn connections(&self) -> usize {
        self.connections.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    /// The core that should have a new connection which `core` has accepted: itself, unless another has fewer by more
    /// than an eighth.
    pub fn home_for_connection(&self, core: CoreId) -> CoreId {
        let own = self.connections[core.index()].load(Ordering::Relaxed);
        let counts = self.connections.iter().map(|count| count.load(Ordering::Relaxed));
        match counts.enumerate().min_by_key(|(_, count)| *count) {
            Some((fewest, count)) if own > count + count / 8 => CoreId(fewest as u16),
            _ => core,
        }
    }
}

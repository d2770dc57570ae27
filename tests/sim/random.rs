//! Random clients with random pipelines: every history must be linearizable.

use corewise::base::Rng;
use corewise::config::{Config, PipelineOrder};
use corewise::mesh::LendingMode;
use corewise::topology::Topology;

use crate::clients::Clients;
use crate::history::{History, Operation, Order};
use crate::load::{Keys, Load};
use crate::look::look;
use crate::model::{DATABASES, State};
use crate::node::{End, LAG_US, Node, Setup};
use crate::reply::Reply;

/// Commands of one round: few enough for the search, since it must take apart all that were under way at once.
const COMMANDS_PER_ROUND: usize = 32;
const ROUNDS: usize = 12;

/// What the model need not know.
const SAYS_NOTHING_OF_KEYS: [&[u8]; 2] = [b"SELECT", b"MULTI"];

/// A run of one seed.
pub(crate) struct Run {
    pub(crate) clients: Clients,
    load: Load,
    rng: Rng,
    cores: usize,
    order: Order,
    tight: bool,
    /// In how many of a hundred cases a client sends a transaction.
    transactions: u32,
    state: State,
    /// Clients that ask, and the one that looks when all is quiet.
    askers: Vec<usize>,
    observer: usize,
}

impl Run {
    pub(crate) fn new(seed: u64, traced: bool) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x5EED);
        // Every third run is a tight one: as many transactions as can be on as few keys, and letters late.
        let tight = rng.u8(..3) == 0;
        let cores = if tight { 2 } else { rng.usize(2..=4) };
        let lending = [LendingMode::Never, LendingMode::Usual, LendingMode::Always][rng.usize(..3)];
        let order = if rng.u8(..3) == 0 { Order::Strict } else { Order::Relaxed };
        let pipeline_order = if order == Order::Strict { PipelineOrder::Strict } else { PipelineOrder::Relaxed };
        let config = Config { pipeline_order, ..Config::default() };
        let lateness = if tight { 70 } else { [0, 10, 40, 70][rng.usize(..4)] };
        let mut clients = Clients::new(Node::new(&Setup { seed, cores, lending, config, lateness }));
        clients.node.trace = traced.then(Vec::new);
        clients.node.log(|| format!("{cores} cores, lending {lending:?}, order {order:?}, lateness {lateness}"));
        let mut load = Load::new(Keys::new(cores, if tight { 2 } else { rng.usize(2..=3) }));
        load.several = if tight { 85 } else { [0, 15, 50, 80][rng.usize(..4)] };
        load.whole = [0, 0, 4, 10][rng.usize(..4)];
        load.large = [0, 3, 20][rng.usize(..3)];
        let count = if tight { 6 } else { rng.usize(2..=6) };
        let askers = (0..count).map(|_| clients.connect(rng.usize(..cores))).collect();
        let observer = clients.connect(0);
        let transactions = [0, 10, 30, 60][rng.usize(..4)];
        Self { clients, load, rng, cores, order, tight, transactions, state: State::default(), askers, observer }
    }

    pub(crate) fn run(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS {
            self.round()?;
        }
        self.check_expiry()
    }

    /// When every deadline has passed, what had one is gone without anybody having asked for it.
    fn check_expiry(&mut self) -> Result<(), String> {
        const LONGEST_US: u64 = 10_000_000;
        self.clients.node.pass_us(LONGEST_US);
        self.clients.settle()?;
        for database in 0..DATABASES {
            let kept = self.state.databases[database].iter().filter(|(_, item)| item.deadline.is_none()).count();
            self.clients.ask_line(self.observer, &format!("SELECT {database}"));
            let asked = self.clients.ask_line(self.observer, "DBSIZE");
            self.clients.settle()?;
            let size = self.clients.operations[asked].reply.clone();
            if size != Some(Reply::Integer(kept as i64)) {
                return Err(format!(
                    "database {database} holds {kept} keys without a deadline, DBSIZE answers {size:?}"
                ));
            }
        }
        Ok(())
    }

    fn round(&mut self) -> Result<(), String> {
        let first = self.clients.operations.len();
        let mut left = self.rng.usize(1..=COMMANDS_PER_ROUND);
        while left > 0 {
            let asker = self.rng.usize(..self.askers.len());
            let count = self.rng.usize(1..=left.min(6));
            left -= count;
            self.pipeline(asker, count);
            for _ in 0..self.rng.usize(..if self.tight { 6 } else { 20 }) {
                self.clients.step()?;
            }
            if self.rng.u8(..100) < 3 {
                let us = self.rng.u64(..2_000_000);
                self.clients.node.pass_us(us);
                self.clients.node.log(|| format!("{us} us pass"));
            }
        }
        self.clients.settle()?;
        self.check(first)
    }

    /// Some commands at once; now and then a client leaves in the middle and another comes in its place.
    fn pipeline(&mut self, asker: usize, count: usize) {
        let client = self.askers[asker];
        for _ in 0..count {
            if self.rng.u8(..100) < 4 {
                let database = self.rng.usize(..DATABASES);
                self.clients.ask_line(client, &format!("SELECT {database}"));
            }
            if self.rng.u32(..100) < self.transactions {
                self.transaction(client);
                continue;
            }
            let words = self.load.command(&mut self.rng);
            self.clients.ask(client, words);
        }
        let leaves = match self.rng.u8(..100) {
            0..3 => Some(End::Half),
            3..5 => Some(End::Broken),
            _ => None,
        };
        if let Some(end) = leaves {
            self.clients.leave(client, end);
            self.askers[asker] = self.clients.connect(self.rng.usize(..self.cores));
        }
    }

    /// Some commands as one, most often in one packet.
    fn transaction(&mut self, client: usize) {
        let queue = (0..self.rng.usize(..5)).map(|_| self.load.command(&mut self.rng)).collect();
        let watched: Vec<String> = (0..self.rng.usize(..3)).map(|_| self.load.keys.any(&mut self.rng)).collect();
        self.clients.ask_transaction(client, &watched, queue);
    }

    /// Explains the round's commands, from the state before it.
    fn check(&mut self, first: usize) -> Result<(), String> {
        let ended = self.clients.operations.len();
        let (seen, looks) = look(&mut self.clients, self.observer, DATABASES, &self.load.keys.0)?;
        let operations = &self.clients.operations;
        let asked: Vec<&Operation> = operations[first..ended]
            .iter()
            .filter(|operation| operation.sent.is_some() && !operation.is_queued)
            .filter(|operation| !SAYS_NOTHING_OF_KEYS.contains(&operation.words[0].as_slice()))
            .collect();
        let history = History {
            operations: asked,
            // What was read in the quiet is the state at the end, whatever the order was.
            ends_with: looks.iter().map(|look| &operations[*look]).collect(),
            order: self.order,
            topology: Topology::new(self.cores),
            ended_ms: self.clients.node.now.unix_us / 1000,
            lag_ms: LAG_US.div_ceil(1000),
        };
        history.explain(&self.state)?;
        self.state = seen;
        Ok(())
    }
}

//! Everything at once: commands on keys of all types, over one core and over several, commands that wait, transactions
//! that watch, clients that leave or are unblocked. Every history must be linearizable.

use std::collections::BTreeMap;

use corewise::base::Rng;
use corewise::config::{Config, PipelineOrder};
use corewise::mesh::LendingMode;
use corewise::topology::Topology;

use crate::clients::Clients;
use crate::history::{History, OPERATIONS_MAX, Operation, Order};
use crate::look::look;
use crate::mixed_load::{LONGEST_WAIT_US, MixedLoad};
use crate::model::State;
use crate::node::{End, LAG_US, Node, Setup};
use crate::reply::{Reply, show};

const ROUNDS: usize = 10;

/// Commands of one round, those that wait from earlier ones included.
const COMMANDS_PER_ROUND: usize = OPERATIONS_MAX - 16;

/// Clients that leave in one round, and requests without an answer that one leaves behind.
const LEAVE_PER_ROUND: usize = 2;
const OUTSTANDING_MAX: usize = 4;

/// One that asks.
struct Asker {
    client: usize,
    /// The request for its number.
    id: usize,
    /// It has watched something, and is to end that before the round ends.
    watches: bool,
}

/// A run of one seed.
struct Run {
    clients: Clients,
    load: MixedLoad,
    rng: Rng,
    cores: usize,
    order: Order,
    /// In how many of a hundred cases a client sends a transaction, one that waits, and leaves.
    transactions: u32,
    waits: u32,
    leaves: u32,
    askers: Vec<Asker>,
    observer: usize,
    /// Clients that have left in this round.
    left: usize,
    /// What the keys held at the last quiet moment.
    state: State,
    /// Requests that had no reply then.
    unanswered: Vec<usize>,
    /// By the number of a request that waited then, the quiet moments before it came.
    came: BTreeMap<usize, usize>,
}

/// See the module.
pub(crate) fn mixed(seed: u64, traced: bool) -> Result<(), String> {
    let mut run = Run::new(seed, traced);
    let outcome = run.run();
    run.clients.node.print_trace();
    outcome
}

impl Run {
    fn new(seed: u64, traced: bool) -> Self {
        let mut rng = Rng::with_seed(seed ^ 0x313D);
        // Most runs are over four cores, which is where several transactions can be under way that meet in pairs.
        let cores = [4, 4, 4, 3, 2, 1][rng.usize(..6)];
        let lending = [LendingMode::Never, LendingMode::Usual, LendingMode::Always][rng.usize(..3)];
        let order = if rng.u8(..3) == 0 { Order::Strict } else { Order::Relaxed };
        let pipeline_order = if order == Order::Strict { PipelineOrder::Strict } else { PipelineOrder::Relaxed };
        let config = Config { pipeline_order, ..Config::default() };
        let lateness = [0, 20, 60, 90][rng.usize(..4)];
        let mut clients = Clients::new(Node::new(&Setup { seed, cores, lending, config, lateness }));
        clients.node.stalls = [0, 0, 3][rng.usize(..3)];
        clients.node.trace = traced.then(Vec::new);
        clients.node.log(|| format!("{cores} cores, lending {lending:?}, order {order:?}, lateness {lateness}"));
        let load = MixedLoad::new(cores, rng.usize(1..=2), &mut rng);
        let observer = clients.connect(0);
        let mut run = Self {
            clients,
            load,
            cores,
            order,
            transactions: [5, 20, 40][rng.usize(..3)],
            waits: [10, 30, 50][rng.usize(..3)],
            leaves: [0, 4, 12][rng.usize(..3)],
            askers: Vec::new(),
            observer,
            left: 0,
            state: State::default(),
            unanswered: Vec::new(),
            came: BTreeMap::new(),
            rng,
        };
        for _ in 0..run.rng.usize(2..=6) {
            let asker = run.asker();
            run.askers.push(asker);
        }
        run
    }

    /// A client comes.
    fn asker(&mut self) -> Asker {
        let client = self.clients.connect(self.rng.usize(..self.cores));
        Asker { client, id: self.clients.ask_line(client, "CLIENT ID"), watches: false }
    }

    fn run(&mut self) -> Result<(), String> {
        for round in 0..ROUNDS {
            let first = self.clients.operations.len();
            self.left = 0;
            let most = self.rng.usize(1..=COMMANDS_PER_ROUND);
            while self.commands(first) < most {
                self.pipeline();
                for _ in 0..self.rng.usize(..16) {
                    self.clients.step()?;
                }
                self.pass_time();
            }
            self.end_watches();
            self.quiet(round, first)?;
        }
        self.end_waits()
    }

    fn pass_time(&mut self) {
        if self.rng.u8(..100) < 8 {
            let us = self.rng.u64(..200_000);
            self.clients.node.pass_us(us);
            self.clients.node.log(|| format!("{us} us pass"));
        }
    }

    /// Commands that the search has to put into an order.
    fn commands(&self, first: usize) -> usize {
        let asked = self.clients.operations[first..].iter().filter(|operation| concerns_model(operation));
        self.unanswered.len() + asked.count()
    }

    /// Whether a client is known to wait.
    fn is_waiting(&self, client: usize) -> bool {
        self.clients.first_unanswered(client).is_some_and(|operation| operation.wait.is_some())
    }

    /// Some commands of one client at once.
    fn pipeline(&mut self) {
        let at = self.rng.usize(..self.askers.len());
        // What is left without an answer may have run or not: the search would have to try too much.
        let is_light =
            self.left < LEAVE_PER_ROUND && self.clients.outstanding(self.askers[at].client) <= OUTSTANDING_MAX;
        if self.rng.u32(..100) < self.leaves && is_light {
            self.left += 1;
            let end = if self.rng.bool() { End::Half } else { End::Broken };
            self.clients.leave(self.askers[at].client, end);
            self.askers[at] = self.asker();
        }
        // What is sent by one who waits only queues up.
        if self.is_waiting(self.askers[at].client) && self.rng.u8(..20) > 0 {
            return;
        }
        for _ in 0..self.rng.usize(1..=3) {
            let (client, watches) = (self.askers[at].client, self.askers[at].watches);
            match self.rng.u32(..100) {
                _ if watches => self.end_watch(at),
                roll if roll < self.transactions => self.begin_transaction(at),
                // Between WATCH and EXEC nobody waits: both belong to one round.
                roll if roll < self.transactions + self.waits => {
                    let line = self.load.wait(&mut self.rng);
                    self.clients.ask_line(client, &line);
                    return;
                }
                _ if self.rng.u8(..12) == 0 => self.unblock(client),
                _ => {
                    let line = self.load.command(&mut self.rng);
                    self.clients.ask_line(client, &line);
                }
            }
        }
    }

    fn unblock(&mut self, client: usize) {
        let target = &self.askers[self.rng.usize(..self.askers.len())];
        if let Some(Reply::Integer(id)) = self.clients.operations[target.id].reply {
            let reason = if self.rng.bool() { " ERROR" } else { "" };
            let target = target.client;
            let number = self.clients.ask_line(client, &format!("CLIENT UNBLOCK {id}{reason}"));
            self.clients.operations[number].unblocks = Some(target);
        }
    }

    /// A transaction, or a WATCH whose transaction follows later.
    fn begin_transaction(&mut self, at: usize) {
        let client = self.askers[at].client;
        let watched: Vec<String> = (0..self.rng.usize(..3)).map(|_| self.load.any_key(&mut self.rng)).collect();
        if watched.is_empty() || self.rng.u8(..4) == 0 {
            let queue = self.queue();
            self.clients.ask_transaction(client, &watched, queue);
            return;
        }
        self.clients.ask_line(client, &format!("WATCH {}", watched.join(" ")));
        self.askers[at].watches = true;
    }

    /// One who watches goes on: reads first, sends its transaction, or gives up.
    fn end_watch(&mut self, at: usize) {
        let client = self.askers[at].client;
        match self.rng.u8(..10) {
            0..3 => {
                let line = self.load.command(&mut self.rng);
                self.clients.ask_line(client, &line);
                return;
            }
            3 => drop(self.clients.ask_line(client, "UNWATCH")),
            _ => {
                let queue = self.queue();
                self.clients.ask_transaction(client, &[], queue);
            }
        }
        self.askers[at].watches = false;
    }

    fn end_watches(&mut self) {
        for at in 0..self.askers.len() {
            while self.askers[at].watches {
                self.end_watch(at);
            }
        }
    }

    /// The commands of a transaction; those that wait do not wait there.
    fn queue(&mut self) -> Vec<Vec<Vec<u8>>> {
        let mut line = || match self.rng.u8(..6) {
            0 => self.load.wait(&mut self.rng),
            _ => self.load.command(&mut self.rng),
        };
        let lines: Vec<String> = (0..4).map(|_| line()).collect();
        let count = self.rng.usize(1..=lines.len());
        lines[..count].iter().map(|line| line.split(' ').map(|word| word.as_bytes().to_vec()).collect()).collect()
    }

    /// Until nothing happens. Those who wait go on, but for those whose time would be over while the keys are looked at, so
    /// that the commands behind would be run in the middle of that.
    fn rest(&mut self) -> Result<(), String> {
        self.clients.rest()?;
        while self.askers.iter().any(|asker| self.clients.is_followed(asker.client)) {
            self.clients.node.pass_us(LONGEST_WAIT_US);
            self.clients.rest()?;
        }
        Ok(())
    }

    /// The node comes to rest: explains what was asked since the last time.
    fn quiet(&mut self, round: usize, first: usize) -> Result<(), String> {
        self.rest()?;
        let ended = self.clients.operations.len();
        let (seen, looks) = look(&mut self.clients, self.observer, 1, &self.load.keys())?;
        for asker in &self.askers {
            if let Some(operation) = self.clients.first_unanswered(asker.client)
                && operation.wait.is_none()
            {
                let words = show(&operation.words);
                return Err(format!("client {} has no reply to {words}, and the node rests", asker.client));
            }
        }
        let operations = &self.clients.operations;
        let concerned = |number: &usize| concerns_model(&operations[*number]) && operations[*number].sent.is_some();
        let numbers: Vec<usize> = self.unanswered.iter().copied().chain(first..ended).filter(concerned).collect();
        let history = History {
            operations: numbers.iter().map(|number| &operations[*number]).collect(),
            ends_with: looks.iter().map(|look| &operations[*look]).collect(),
            order: self.order,
            topology: Topology::new(self.cores),
            ended_ms: self.clients.node.now.unix_us / 1000,
            lag_ms: LAG_US.div_ceil(1000),
        };
        history.explain(&self.state)?;
        self.state = seen;
        let open = |number: &usize| operations[*number].reply.is_none() && !operations[*number].leaves;
        self.unanswered = numbers.into_iter().filter(open).collect();
        let waiting = self.askers.iter().filter_map(|asker| self.clients.first_unanswered(asker.client));
        let came = &mut self.came;
        let waiting = waiting.map(|waits| (waits, *came.entry(waits.number).or_insert(round)));
        self.state.settle(waiting);
        Ok(())
    }

    /// Whoever waits is unblocked; then nobody is left without a reply.
    fn end_waits(&mut self) -> Result<(), String> {
        for _ in 0..COMMANDS_PER_ROUND {
            let Some(asker) = self.askers.iter().find(|asker| self.is_waiting(asker.client)) else { break };
            if let Some(Reply::Integer(id)) = self.clients.operations[asker.id].reply {
                self.clients.ask_line(self.observer, &format!("CLIENT UNBLOCK {id}"));
            }
            self.clients.rest()?;
        }
        self.clients.settle()
    }
}

/// Whether the model knows the command: neither MULTI nor CLIENT ID nor what is only queued.
fn concerns_model(operation: &Operation) -> bool {
    let name = operation.words.first().map_or(&[][..], Vec::as_slice);
    !operation.is_queued && name != b"MULTI" && (name != b"CLIENT" || operation.words[1] == b"UNBLOCK")
}

//! ONE core without I/O: its sessions, its mail, and the shard that it owns, has lent or has borrowed.
//!
//! The shell (`runtime`, or the simulator) brings [`Input`]s and carries out [`Effect`]s; the engine reads no clock and
//! touches no socket, so that a node of many engines can be run, faulted and replayed from one seed.
//!
//! ```text
//! begin(now)          the clock of this turn; mail is read
//! input(..)           for each thing that happened: bytes, ends, new clients
//! finish()            waiting sessions, slices of work, expiry; shards go back, mail is posted
//! next_effect()       until there is none
//! sleep()             may the core sleep, and until when? its shard is parked
//! wake()              the shard comes back
//! ```
//!
//! A command goes one way through the files: `requests` (bytes to requests, checks) → `keyed` (here, borrowed, by mail) or
//! `transact` (several cores) or `node` (every core) or `multi` (later, with others) or `blocking` (when there is something)
//! → `exec` → the session's pipeline → an effect. `post` is where mail arrives, `publish` takes messages to subscribers, and
//! `key_events` what has happened to keys.
//!
//! Invariants: a session's replies leave in the order of its requests; every queue is bounded by a limit of `limits`;
//! after `finish` no shard of another core is held and no letter is unposted, unless the mail ring was full.

mod ahead;
mod blocking;
mod connection;
mod facts;
mod inspect;
mod key_events;
mod keyed;
mod mail;
mod multi;
mod node;
mod post;
mod publish;
mod requests;
mod room;
mod sessions;
mod shared;
#[cfg(test)]
mod testing;
mod transact;
mod turn;

use std::collections::{HashMap, VecDeque};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use slab::Slab;

pub use facts::{CpuTimes, ProcessFacts, Resident};
pub use mail::Batch;
pub use shared::Shared;
pub use turn::Sleep;

use crate::base::{ConnId, CoreId, KeyHasher, Now, Rng};
use crate::command::CommandId;
use crate::config::Config;
use crate::keyspace::{Limits, Rules, Shard};
use crate::mesh::{Credit, Loan, Port};
use crate::metrics::{CommandTimes, CoreStats, ErrorCounts, LatencyEvents, Rates, Slowlog};
use crate::pubsub::Registry;
use crate::resp::{Output, RequestParser, Span};
use crate::session::{Peer, WaitList};
use crate::topology::Topology;
use crate::txn::Ledger;

use self::blocking::Blocking;
use self::mail::Work;
use self::multi::Execution;
use self::post::{KeptRequest, Waiter};
use self::publish::{Frames, OwnMessage, Unpublished};
use self::sessions::Sessions;
use self::transact::Transaction;
use self::turn::Chore;

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A client came.
    Accepted {
        /// Its connection.
        conn: ConnId,
        /// Where it comes from.
        peer: Peer,
    },
    /// A client sent bytes.
    Received {
        /// Its connection.
        conn: ConnId,
        /// The bytes.
        bytes: &'a [u8],
    },
    /// A client will send nothing more.
    Ended {
        /// Its connection.
        conn: ConnId,
        /// It is gone altogether: nothing can be sent either.
        broken: bool,
    },
    /// A client has not taken all of its output.
    Stalled {
        /// Its connection.
        conn: ConnId,
        /// Bytes that are left.
        unsent: usize,
    },
    /// A client that had stalled has taken all of its output.
    Drained {
        /// Its connection.
        conn: ConnId,
    },
    /// The answer to [`Effect::RewriteConfig`].
    ConfigRewritten {
        /// As it was given.
        ticket: u32,
        /// What went wrong, in words.
        outcome: Result<(), String>,
    },
}

/// What the shell is to do.
#[derive(Debug)]
pub enum Effect {
    /// Send what [`Engine::take_output`] gives.
    Send(ConnId),
    /// Close the connection: when what was handed over before has left, and then this; at once, if there is none.
    Close {
        /// The connection.
        conn: ConnId,
        /// The last words to the client.
        last: Option<Output>,
    },
    /// Stop reading from a connection.
    Pause(ConnId),
    /// Read from it again.
    Resume(ConnId),
    /// Take a connection that another core has accepted.
    Adopt(OwnedFd),
    /// Ring another core.
    Ring(CoreId),
    /// Hold this core for so many microseconds (DEBUG SLEEP).
    Stall(u64),
    /// End the process (SHUTDOWN).
    Shutdown,
    /// Settings have changed (CONFIG SET). Every core says so; what concerns sockets and logs is for the shell to apply.
    Reconfigured(Arc<Config>),
    /// Write the settings into the configuration file, and answer by [`Input::ConfigRewritten`].
    RewriteConfig {
        /// To be given back.
        ticket: u32,
        /// The settings.
        config: Arc<Config>,
    },
}

/// CLIENT PAUSE in force.
#[derive(Clone, Copy, Debug)]
struct Pause {
    /// Milliseconds since 1970.
    until_ms: u64,
    /// Reads go on.
    writes_only: bool,
}

/// Where the command at hand goes on that did not end where it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deferred {
    /// It has ended.
    No,
    /// By mail, with another core or this one.
    Mail,
    /// As a question.
    Question(mail::Handle),
    /// As a transaction.
    Transaction(mail::Handle),
}

/// A shard on loan.
#[derive(Debug)]
struct OpenLoan {
    loan: Loan<Shard>,
    /// Commands run on it in this turn.
    commands: u32,
    /// The owner sleeps until this deadline, in milliseconds since 1970.
    owner_wakes_ms: u64,
}

/// One core of a node.
pub struct Engine {
    core: CoreId,
    topology: Topology,
    config: Arc<Config>,
    shared: Arc<Shared>,
    now: Now,
    started: Now,
    rng: Rng,
    /// Microseconds of a steady clock, for measuring commands; a constant in simulations.
    stopwatch: fn() -> u64,
    /// What only the shell knows.
    facts: Arc<ProcessFacts>,
    /// Number of the settings in force: CONFIG SET makes larger ones.
    config_number: u64,
    /// When the turn was first asked whether it is over, by the stopwatch.
    turn_asked_us: Option<u64>,
    /// The own shard has more to tidy up.
    untidy: bool,
    /// What the last turn has done for the shard.
    chore: Chore,

    sessions: Sessions,
    parser: RequestParser,
    /// Reads ahead in a pipeline.
    scout: RequestParser,
    spans: Vec<Span>,
    pool: Vec<Output>,
    /// Replies of commands that run for nobody who could take them now.
    scratch: Output,

    /// The own shard; `None` while it is parked or lent.
    shard: Option<Box<Shard>>,
    port: Port<Batch, Shard>,
    /// Shards of others, by core.
    loans: Vec<Option<OpenLoan>>,
    /// Letters of this turn, by core; those to this core itself are read at the end of the turn.
    #[expect(clippy::vec_box, reason = "a batch passes through the rings as a box")]
    outgoing: Vec<Box<Batch>>,
    /// Credits of requests that are under way, by core.
    credits: Vec<Vec<Credit>>,
    /// Requests behind one of the same client that waits in the ledger.
    held_back: HashMap<(CoreId, ConnId), VecDeque<KeptRequest>>,
    /// Batches whose requests wait for the own shard to come back.
    stash: VecDeque<(CoreId, Box<Batch>)>,

    ledger: Ledger<Waiter, Work>,
    transactions: Slab<Transaction>,
    executions: Slab<Box<Execution>>,
    questions: Slab<node::Question>,
    /// Work for the whole shard that goes on in slices.
    slices: VecDeque<node::Slice>,
    /// Clients that wait for an element.
    blocking: Blocking,
    /// Who is subscribed to what.
    pubsub: Registry,
    /// Messages to channels at home here that wait for credit with a core that has subscribers.
    unpublished: VecDeque<Unpublished>,
    /// Events of the own shard wait for credit.
    events_held: Option<key_events::Held>,
    /// Messages for the client whose request is being run; they follow its reply.
    own_messages: Vec<OwnMessage>,
    /// The message that is being delivered, encoded.
    frames: Frames,
    /// Where a transaction assembles the keys of several shards.
    assembly: Option<Box<Shard>>,

    /// Sessions with something to send.
    unsent: Vec<ConnId>,
    /// Sessions whose input may go on.
    runnable: WaitList,
    /// Sessions that wait for credit, by core.
    no_credit: Vec<WaitList>,
    /// Sessions that CLIENT PAUSE holds.
    paused: WaitList,
    pause: Option<Pause>,
    expire_actively: bool,
    /// Sessions whose output is above the soft limit.
    above_soft: usize,
    /// Connections checked so far in this round of idle checks, and when the next round begins.
    next_idle_check_us: u64,
    /// When the next client that speaks HTTP is worth a line in the log.
    next_attack_log_us: u64,

    effects: VecDeque<Effect>,
    stats: CoreStats,
    times: CommandTimes,
    errors: ErrorCounts,
    rates: Rates,
    slowlog: Slowlog,
    latency_events: LatencyEvents,
    /// Most bytes charged to entries so far, looked at now and then.
    data_bytes_peak: u64,
    watchers: node::Watchers,
    deferred: Deferred,
}

/// What an engine is made from.
pub struct EngineParts {
    /// Its end of the mesh, which knows its core.
    pub port: Port<Batch, Shard>,
    /// The settings, as at the start.
    pub config: Arc<Config>,
    /// What the cores of the node share.
    pub shared: Arc<Shared>,
    /// The function that hashes keys, the same on every core.
    pub hasher: KeyHasher,
    /// Seed of the core's chance.
    pub seed: u64,
    /// Microseconds of a steady clock, for measuring commands.
    pub stopwatch: fn() -> u64,
    /// What is known of the process.
    pub facts: Arc<ProcessFacts>,
    /// The time at the start.
    pub now: Now,
}

impl Engine {
    /// A core with an empty shard.
    pub fn new(parts: EngineParts) -> Self {
        let EngineParts { port, config, shared, hasher, seed, stopwatch, facts, now } = parts;
        let cores = port.cores();
        let databases = usize::from(config.databases);
        let mut rates = Rates::default();
        rates.restart(now.mono_us);
        shared.set_limits(&config);
        let mut shard = Box::new(Shard::new(databases, hasher.clone(), &shared.limits));
        shard.set_rules(&Rules::of(&config));
        let mut assembly = Box::new(Shard::new(databases, hasher.clone(), &Limits::none(1)));
        assembly.set_rules(&Rules::of_assembly(&config));
        Self {
            core: port.core(),
            topology: Topology::new(cores),
            pubsub: Registry::new(port.core(), Topology::new(cores), &hasher),
            shared,
            now,
            started: now,
            rng: Rng::with_seed(seed),
            stopwatch,
            facts,
            config_number: 0,
            untidy: false,
            chore: Chore::Tidy,
            turn_asked_us: None,
            sessions: Sessions::default(),
            parser: RequestParser::new(),
            scout: RequestParser::new(),
            spans: Vec::new(),
            pool: Vec::new(),
            scratch: Output::default(),
            shard: Some(shard),
            port,
            loans: (0..cores).map(|_| None).collect(),
            outgoing: (0..cores).map(|_| Box::default()).collect(),
            credits: (0..cores).map(|_| Vec::new()).collect(),
            held_back: HashMap::new(),
            stash: VecDeque::new(),
            unpublished: VecDeque::new(),
            events_held: None,
            own_messages: Vec::new(),
            frames: Frames::default(),
            ledger: Ledger::new(hasher),
            transactions: Slab::new(),
            executions: Slab::new(),
            questions: Slab::new(),
            slices: VecDeque::new(),
            blocking: Blocking::default(),
            assembly: Some(assembly),
            unsent: Vec::new(),
            runnable: WaitList::new(),
            no_credit: (0..cores).map(|_| WaitList::new()).collect(),
            paused: WaitList::new(),
            pause: None,
            expire_actively: true,
            above_soft: 0,
            next_idle_check_us: 0,
            next_attack_log_us: 0,
            effects: VecDeque::new(),
            stats: CoreStats::new(CommandId::COUNT),
            times: CommandTimes::default(),
            errors: ErrorCounts::default(),
            rates,
            slowlog: Slowlog::default(),
            latency_events: LatencyEvents::default(),
            data_bytes_peak: 0,
            watchers: node::Watchers::default(),
            deferred: Deferred::No,
            config,
        }
    }

    /// The core that this is.
    pub fn core(&self) -> CoreId {
        self.core
    }

    /// The settings in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes the next thing that the shell is to do.
    #[inline]
    pub fn next_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Takes what a connection is to be sent ([`Effect::Send`]).
    #[inline]
    pub fn take_output(&mut self, conn: ConnId) -> Output {
        let Some(session) = self.sessions.get_mut(conn) else { return Output::default() };
        let output = session.pipeline.take(Output::default());
        session.sent_bytes += output.len() as u64;
        self.stats.sent_bytes += output.len() as u64;
        self.stats.writes += 1;
        output
    }

    /// Gives the engine an emptied buffer to fill.
    pub fn recycle(&mut self, output: Output) {
        debug_assert!(output.is_empty(), "a buffer is emptied before it is used again");
        if self.pool.len() < crate::limits::OUTPUT_BUFFERS_POOLED {
            self.pool.push(output);
        }
    }
}

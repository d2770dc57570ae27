//! A node of several engines on one thread: who turns next, what has arrived by then, and what is late, is chance.
//!
//! An engine that sleeps is woken by its bell, by its deadline or by its clients and by nothing else. So a wake-up that
//! the engines forget is not made good by a turn that happens to come.

use std::collections::VecDeque;
use std::sync::Arc;

use corewise::base::{ConnId, CoreId, KeyHasher, Now, Rng};
use corewise::config::Config;
use corewise::engine::{Effect, Engine, EngineParts, Input, Shared, Sleep};
use corewise::mesh::{LendingMode, connect};
use corewise::resp::Output;
use corewise::session::Peer;

/// By how much a core's clock may be behind that of the world.
pub(crate) const LAG_US: u64 = 900;

/// What decides how a node behaves, beside chance.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) cores: usize,
    pub(crate) lending: LendingMode,
    pub(crate) config: Config,
    /// In how many of a hundred cases mail of one core to another, or a bell, is late.
    pub(crate) lateness: u32,
}

/// A client's end of its connection.
#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) core: usize,
    conn: ConnId,
    /// Bytes that have not reached the node.
    outgoing: VecDeque<u8>,
    /// Bytes that have, and at which event and millisecond so many had.
    delivered: u64,
    pub(crate) deliveries: Vec<(u64, (u64, u64))>,
    /// Nothing follows the outgoing bytes.
    ends: Option<End>,
    accepted: bool,
    /// The engine does not want to read.
    paused: bool,
    /// The client takes its replies a few bytes at a time.
    slow: bool,
    /// What the engine has sent and the client has not read.
    in_kernel: VecDeque<u8>,
    told_stalled: bool,
    /// What the client has read, and when the last of it came.
    pub(crate) incoming: Vec<u8>,
    pub(crate) closed: bool,
    /// The engine has closed it, and the last bytes are on their way.
    closing: bool,
    /// The client is gone and reads nothing more.
    gone: bool,
}

/// How a client leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// It has nothing more to say, and reads its replies.
    Half,
    /// It is gone.
    Broken,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rest {
    Awake,
    Asleep { until: Option<u64> },
}

struct Core {
    engine: Engine,
    rest: Rest,
    /// It is in the middle of a turn.
    turning: bool,
    /// A bell that arrives at this event.
    bell: Option<u64>,
    /// The machine gives it no time before this event.
    stalled_until: u64,
    now: Now,
    /// Generations of its connections, and the places that are free.
    generations: Vec<u32>,
    free: Vec<u32>,
}

/// The node and its clients' sockets.
pub(crate) struct Node {
    pub(crate) rng: Rng,
    pub(crate) now: Now,
    /// Counts what happens, so that of any two things one came first.
    pub(crate) event: u64,
    pub(crate) sockets: Vec<Socket>,
    cores: Vec<Core>,
    lateness: u32,
    lending: LendingMode,
    /// In how many of a hundred cases a core gets no time for long after its turn: its mail rings fill up.
    pub(crate) stalls: u32,
    /// What happened, if somebody wants to read it.
    pub(crate) trace: Option<Vec<String>>,
}

impl Node {
    pub(crate) fn new(setup: &Setup) -> Self {
        let now = Now { unix_us: 1_700_000_000_000_000, mono_us: 5_000_000 };
        let shared = Arc::new(Shared::new(setup.cores));
        let config = Arc::new(setup.config.clone());
        let hasher = KeyHasher::new(setup.seed);
        let cores = connect(setup.cores, setup.lending)
            .into_iter()
            .enumerate()
            .map(|(index, port)| Core {
                engine: Engine::new(EngineParts {
                    port,
                    config: config.clone(),
                    shared: shared.clone(),
                    hasher: hasher.clone(),
                    seed: setup.seed + index as u64,
                    stopwatch: || 0,
                    facts: Arc::new(corewise::engine::ProcessFacts::default()),
                    now,
                }),
                rest: Rest::Awake,
                turning: false,
                bell: None,
                stalled_until: 0,
                now,
                generations: Vec::new(),
                free: Vec::new(),
            })
            .collect();
        Self {
            rng: Rng::with_seed(setup.seed),
            now,
            event: 0,
            sockets: Vec::new(),
            cores,
            lateness: setup.lateness,
            lending: setup.lending,
            stalls: 0,
            trace: None,
        }
    }

    /// Whether something happens that does so in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        self.rng.u32(..100) < percent
    }

    pub(crate) fn log(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>6} {}", self.event, line()));
        }
    }

    /// Shows the schedule, if it was recorded.
    #[expect(clippy::print_stderr, reason = "the schedule is for whoever replays a seed")]
    pub(crate) fn print_trace(&self) {
        self.trace.iter().flatten().for_each(|line| eprintln!("{line}"));
    }

    /// A client comes. Its socket has this number from now on.
    pub(crate) fn connect(&mut self, core: usize) -> usize {
        let owner = &mut self.cores[core];
        let index = owner.free.pop().unwrap_or_else(|| {
            owner.generations.push(0);
            owner.generations.len() as u32 - 1
        });
        let generation = &mut owner.generations[index as usize];
        *generation += 1;
        let conn = ConnId { index, generation: *generation };
        let slow = self.rng.u8(..100) < 15;
        self.sockets.push(Socket {
            core,
            conn,
            outgoing: VecDeque::new(),
            delivered: 0,
            deliveries: Vec::new(),
            ends: None,
            accepted: false,
            paused: false,
            slow,
            in_kernel: VecDeque::new(),
            told_stalled: false,
            incoming: Vec::new(),
            closed: false,
            closing: false,
            gone: false,
        });
        self.sockets.len() - 1
    }

    /// A client sends bytes.
    pub(crate) fn send(&mut self, socket: usize, bytes: &[u8]) {
        self.sockets[socket].outgoing.extend(bytes);
    }

    /// A client leaves when what it has sent so far has arrived.
    pub(crate) fn end(&mut self, socket: usize, end: End) {
        self.sockets[socket].ends = Some(end);
    }

    /// Time passes.
    pub(crate) fn pass_us(&mut self, us: u64) {
        self.now.unix_us += us;
        self.now.mono_us += us;
    }

    /// Something happens: some core that may turn does. False if none may.
    pub(crate) fn step(&mut self) -> Result<bool, String> {
        self.event += 1;
        let us = self.rng.u64(..60);
        self.pass_us(us);
        if self.some_turn()? {
            return Ok(true);
        }
        if self.cores.iter().any(|core| core.stalled_until > self.event) {
            self.cores.iter_mut().for_each(|core| core.stalled_until = 0);
            return Ok(true);
        }
        // Nothing but late bells can be outstanding.
        let Some(core) = self.cores.iter_mut().find(|core| core.bell.is_some()) else { return Ok(false) };
        core.bell = Some(self.event);
        Ok(true)
    }

    /// A core that may turn does. False if there is none.
    fn some_turn(&mut self) -> Result<bool, String> {
        let able: Vec<usize> = (0..self.cores.len()).filter(|core| self.may_turn(*core)).collect();
        if able.is_empty() {
            return Ok(false);
        }
        let core = able[self.rng.usize(..able.len())];
        self.turn(core, self.lateness)?;
        Ok(true)
    }

    /// The state of every core, for a reader.
    pub(crate) fn describe(&self) -> String {
        let core = |core: &Core| format!("{:?} with {}", core.rest, core.engine.unfinished().unwrap_or("nothing"));
        self.cores.iter().map(core).collect::<Vec<_>>().join(", ")
    }

    /// Every core sleeps and none has a reason to wake: then nothing may be left.
    pub(crate) fn check_rest(&self) -> Result<(), String> {
        for (index, core) in self.cores.iter().enumerate() {
            if let Some(left) = core.engine.unfinished() {
                return Err(format!("core {index} sleeps, nothing will wake it, and it has {left}"));
            }
        }
        for (index, socket) in self.sockets.iter().enumerate() {
            if !socket.closed && (!socket.outgoing.is_empty() || !socket.in_kernel.is_empty()) {
                return Err(format!("client {index} is left with bytes on their way"));
            }
        }
        Ok(())
    }

    fn may_turn(&self, index: usize) -> bool {
        let core = &self.cores[index];
        if core.turning || core.stalled_until > self.event {
            return false;
        }
        let due = match core.rest {
            Rest::Awake => true,
            Rest::Asleep { until } => until.is_some_and(|until| until <= self.now.mono_us),
        };
        due || core.bell.is_some_and(|at| at <= self.event)
            || self.sockets.iter().any(|socket| socket.core == index && socket.has_news())
    }

    /// One turn of one core.
    fn turn(&mut self, index: usize, lateness: u32) -> Result<(), String> {
        let late: Vec<bool> = (0..self.cores.len()).map(|_| self.rng.u32(..100) < lateness).collect();
        let lag = self.rng.u64(..=LAG_US);
        let core = &mut self.cores[index];
        core.turning = true;
        if core.bell.is_some_and(|at| at <= self.event) {
            core.bell = None;
        }
        if core.rest != Rest::Awake {
            core.engine.wake();
        }
        core.now.unix_us = core.now.unix_us.max(self.now.unix_us - lag);
        core.now.mono_us = core.now.mono_us.max(self.now.mono_us - lag);
        let now = core.now;
        core.engine.begin_with_late_mail(now, |from| late[from.index()]);
        self.log(|| format!("core {index} turns, late: {late:?}"));
        for socket in 0..self.sockets.len() {
            if self.sockets[socket].core == index && self.sockets[socket].has_news() && self.chance(70) {
                self.deliver(socket);
            }
        }
        if self.rng.u8(..100) < 25 {
            // Other cores turn meanwhile: one whose shard is on loan here must do without it.
            self.some_turn()?;
        }
        self.cores[index].engine.finish();
        while let Some(effect) = self.cores[index].engine.next_effect() {
            self.carry_out(index, effect)?;
        }
        let core = &mut self.cores[index];
        if core.engine.holds_loan() {
            return Err(format!("core {index} ends its turn with a shard of another"));
        }
        core.turning = false;
        core.rest = match core.engine.sleep() {
            Sleep::No => Rest::Awake,
            Sleep::Until(until) => Rest::Asleep { until },
        };
        if self.stalls > 0 && self.rng.u32(..100) < self.stalls {
            core.stalled_until = self.event + self.rng.u64(..400);
        }
        let (rest, is_home, has_intents) = (core.rest, core.engine.holds_shard(), core.engine.has_intents());
        if self.lending != LendingMode::Never && !is_home && has_intents {
            return Err(format!("the shard of core {index} is away, and has intents"));
        }
        self.log(|| format!("core {index}: {rest:?}, shard at home: {is_home}, intents: {has_intents}"));
        Ok(())
    }

    /// Some of what a client has done reaches its core.
    fn deliver(&mut self, index: usize) {
        self.event += 1;
        let socket = &mut self.sockets[index];
        let engine = &mut self.cores[socket.core].engine;
        let conn = socket.conn;
        if !socket.accepted {
            socket.accepted = true;
            let peer = Peer { loopback: true, ..Peer::default() };
            engine.input(Input::Accepted { conn, peer });
            return;
        }
        if !socket.in_kernel.is_empty() {
            let count = if socket.slow { self.rng.usize(1..=socket.in_kernel.len()) } else { socket.in_kernel.len() };
            socket.incoming.extend(socket.in_kernel.drain(..count));
            if socket.in_kernel.is_empty() && socket.closing {
                socket.closed = true;
                return;
            }
            if socket.in_kernel.is_empty() && socket.told_stalled {
                socket.told_stalled = false;
                engine.input(Input::Drained { conn });
            }
        }
        if socket.closing {
            return;
        }
        if !socket.paused && !socket.outgoing.is_empty() {
            let whole = socket.outgoing.len();
            // Most packets hold whole pipelines; some end anywhere.
            let count = if self.rng.u8(..100) < 50 { whole } else { self.rng.usize(1..=whole) };
            let bytes: Vec<u8> = socket.outgoing.drain(..count).collect();
            socket.delivered += count as u64;
            socket.deliveries.push((socket.delivered, (self.event, self.now.unix_us / 1000)));
            engine.input(Input::Received { conn, bytes: &bytes });
            self.log(|| format!("client {index} delivers {}", crate::reply::show(&[bytes])));
            return;
        }
        if let Some(end) = socket.ends
            && (socket.outgoing.is_empty() || end == End::Broken)
        {
            socket.ends = None;
            if end == End::Broken {
                // Nobody reads what it had not read, nor what its core still sends before it closes.
                socket.closing = true;
                socket.gone = true;
                socket.in_kernel.clear();
            }
            engine.input(Input::Ended { conn, broken: end == End::Broken });
            self.log(|| format!("client {index} ends: {end:?}"));
        }
    }

    fn carry_out(&mut self, index: usize, effect: Effect) -> Result<(), String> {
        let socket_of = |sockets: &[Socket], conn: ConnId| {
            sockets
                .iter()
                .position(|socket| socket.core == index && socket.conn == conn && !socket.closed)
                .ok_or_else(|| format!("an effect for {conn:?}, which is closed"))
        };
        match effect {
            Effect::Send(conn) => {
                let output = self.cores[index].engine.take_output(conn);
                let socket = socket_of(&self.sockets, conn)?;
                self.sent(socket, index, output)?;
            }
            Effect::Close { conn, last } => {
                let number = socket_of(&self.sockets, conn)?;
                let after_output = last.is_some();
                if let Some(output) = last.filter(|output| !output.is_empty()) {
                    self.sent(number, index, output)?;
                }
                self.log(|| format!("client {number} is closed"));
                let socket = &mut self.sockets[number];
                if after_output && !socket.in_kernel.is_empty() && socket.slow {
                    socket.closing = true;
                } else {
                    let rest = std::mem::take(&mut socket.in_kernel);
                    if after_output {
                        socket.incoming.extend(rest);
                    }
                    socket.closed = true;
                }
                self.cores[index].free.push(conn.index);
            }
            Effect::Pause(conn) => {
                let socket = socket_of(&self.sockets, conn)?;
                self.sockets[socket].paused = true;
            }
            Effect::Resume(conn) => {
                let socket = socket_of(&self.sockets, conn)?;
                self.sockets[socket].paused = false;
            }
            Effect::Ring(CoreId(target)) => {
                let late = if self.rng.u32(..100) < self.lateness { self.rng.u64(..30) } else { 0 };
                let bell = &mut self.cores[usize::from(target)].bell;
                let at = self.event + late;
                *bell = Some(bell.map_or(at, |before| before.min(at)));
                self.log(|| format!("core {index} rings core {target}, late by {late}"));
            }
            other => return Err(format!("an effect that nobody asked for: {other:?}")),
        }
        Ok(())
    }

    /// The network takes a connection's output.
    fn sent(&mut self, index: usize, core: usize, mut output: Output) -> Result<(), String> {
        if output.is_empty() {
            return Err(format!("nothing to send to client {index}"));
        }
        self.event += 1;
        let socket = &mut self.sockets[index];
        let bytes: Vec<u8> = output.pieces(0).flatten().copied().collect();
        let conn = socket.conn;
        if socket.gone {
            // It is lost.
        } else if socket.slow {
            socket.in_kernel.extend(bytes);
            socket.told_stalled = true;
            let unsent = socket.in_kernel.len();
            self.cores[core].engine.input(Input::Stalled { conn, unsent });
        } else {
            socket.incoming.extend(bytes);
        }
        output.clear();
        self.cores[core].engine.recycle(output);
        Ok(())
    }
}

impl Socket {
    /// Whether its core would hear something from it.
    fn has_news(&self) -> bool {
        if self.closed {
            return false;
        }
        if self.closing {
            return !self.in_kernel.is_empty();
        }
        !self.accepted
            || !self.in_kernel.is_empty()
            || (!self.paused && !self.outgoing.is_empty())
            || self.ends.is_some_and(|end| end == End::Broken || self.outgoing.is_empty())
    }
}

//! A node on one thread for tests: engines joined by the mesh, a clock moved by hand, clients that read like transcripts.
//!
//! ```text
//!   let mut node = Node::new(2);
//!   let client = node.connect(0);
//!   node.check(client, "CLIENT GETNAME", "(nil)");
//! ```
//!
//! Replies are shown in one line, much as redis-cli shows them: `OK`, `(integer) 1`, `"text"`, `(nil)`, `(error) ERR ...`,
//! `[a, b]`, `{key: value}`, `push[a, b]`.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;

use super::{Batch, CpuTimes, Effect, Engine, EngineParts, Input, ProcessFacts, Resident, Shared, Sleep};
use crate::base::{ConnId, CoreId, KeyHasher, Now};
use crate::config::Config;
use crate::keyspace::Shard;
use crate::mesh::{self, LendingMode};
use crate::session::Peer;

thread_local! {
    /// What the engines' stopwatch shows: each reading takes a microsecond.
    static STOPWATCH_US: Cell<u64> = const { Cell::new(0) };
}

/// The moment at which every test begins.
pub(super) const START_S: u64 = 1_700_000_000;

/// Rounds after which a node that still has something to do is taken for one that never ends.
const ROUNDS_MAX: usize = 10_000;

/// A client of a [`Node`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Client(usize);

struct Line {
    core: usize,
    conn: ConnId,
    received: Vec<u8>,
    closed: bool,
}

/// Cores, their clients, and what the shell was asked to do.
pub(super) struct Node {
    pub(super) engines: Vec<Engine>,
    lines: Vec<Line>,
    inputs: Vec<VecDeque<(usize, Vec<u8>)>>,
    now: Now,
    /// Microseconds that each core was told to stand still.
    pub(super) stalled_us: Vec<u64>,
    pub(super) shutdown: bool,
    pub(super) reconfigured: Vec<Arc<Config>>,
    /// What the file would be told, and what becomes of that.
    pub(super) rewrite_outcome: Result<(), String>,
    pub(super) rewritten: Vec<Arc<Config>>,
}

impl Node {
    /// A node of so many cores with these changes to the default settings.
    pub(super) fn with(cores: usize, lending: LendingMode, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        let config = Arc::new(config);
        let now = Now { unix_us: START_S * 1_000_000, mono_us: 1_000_000 };
        let (shared, hasher) = (Arc::new(Shared::new(cores)), KeyHasher::new(1));
        let engine = |(index, port)| {
            Engine::new(EngineParts {
                port,
                config: config.clone(),
                shared: shared.clone(),
                hasher: hasher.clone(),
                seed: index as u64,
                stopwatch: || STOPWATCH_US.replace(STOPWATCH_US.get() + 1) + 1,
                facts: Arc::new(facts()),
                now,
            })
        };
        let ports = mesh::connect::<Batch, Shard>(cores, lending).into_iter().enumerate();
        Self {
            engines: ports.map(engine).collect(),
            lines: Vec::new(),
            inputs: (0..cores).map(|_| VecDeque::new()).collect(),
            now,
            stalled_us: vec![0; cores],
            shutdown: false,
            reconfigured: Vec::new(),
            rewrite_outcome: Ok(()),
            rewritten: Vec::new(),
        }
    }

    /// A node of so many cores.
    pub(super) fn new(cores: usize) -> Self {
        Self::with(cores, LendingMode::Usual, |_| {})
    }

    /// A client of one core, of this machine.
    pub(super) fn connect(&mut self, core: usize) -> Client {
        let port = 5000 + self.lines.len();
        let peer = Peer {
            address: format!("127.0.0.1:{port}"),
            local_address: "127.0.0.1:6379".to_owned(),
            unix: false,
            loopback: true,
            descriptor: 8,
        };
        self.connect_from(core, peer)
    }

    /// A client of one core, from anywhere.
    pub(super) fn connect_from(&mut self, core: usize, peer: Peer) -> Client {
        let conn = ConnId { index: self.lines.len() as u32, generation: 0 };
        self.lines.push(Line { core, conn, received: Vec::new(), closed: false });
        self.engines[core].wake();
        self.engines[core].begin(self.now);
        self.engines[core].input(Input::Accepted { conn, peer });
        self.engines[core].finish();
        self.settle();
        Client(self.lines.len() - 1)
    }

    /// Sends an inline request (with Redis's quoting) and lets the node come to rest.
    pub(super) fn send(&mut self, client: Client, request: &str) {
        self.queue(client, request);
        self.settle();
    }

    /// Sends an inline request that arrives with the next turn of the client's core.
    pub(super) fn queue(&mut self, client: Client, request: &str) {
        let core = self.lines[client.0].core;
        self.inputs[core].push_back((client.0, format!("{request}\r\n").into_bytes()));
    }

    /// Everything that the client has received since it last looked.
    pub(super) fn received(&mut self, client: Client) -> String {
        let bytes = self.received_bytes(client);
        let mut rest = bytes.as_slice();
        let mut shown = Vec::new();
        while !rest.is_empty() {
            shown.push(show(&mut rest));
        }
        shown.join(" ")
    }

    /// The same as it came.
    pub(super) fn received_bytes(&mut self, client: Client) -> Vec<u8> {
        std::mem::take(&mut self.lines[client.0].received)
    }

    /// Sends a request and shows what comes back.
    pub(super) fn run(&mut self, client: Client, request: &str) -> String {
        self.send(client, request);
        self.received(client)
    }

    /// Sends a request and compares what comes back.
    #[track_caller]
    pub(super) fn check(&mut self, client: Client, request: &str, reply: &str) {
        assert_eq!(self.run(client, request), reply, "{request}");
    }

    pub(super) fn is_closed(&self, client: Client) -> bool {
        self.lines[client.0].closed
    }

    /// The client goes away.
    pub(super) fn disconnect(&mut self, client: Client) {
        let Line { core, conn, .. } = self.lines[client.0];
        self.engines[core].wake();
        self.engines[core].begin(self.now);
        self.engines[core].input(Input::Ended { conn, broken: true });
        self.engines[core].finish();
        self.settle();
    }

    /// The client sends its last requests, and says with them that nothing more follows.
    pub(super) fn send_last(&mut self, client: Client, requests: &str) {
        let Line { core, conn, .. } = self.lines[client.0];
        self.engines[core].wake();
        self.engines[core].begin(self.now);
        self.engines[core].input(Input::Received { conn, bytes: requests.as_bytes() });
        self.engines[core].input(Input::Ended { conn, broken: false });
        self.engines[core].finish();
        self.settle();
    }

    /// The client has left so many bytes unread.
    pub(super) fn stall(&mut self, client: Client, unsent: usize) {
        let Line { core, conn, .. } = self.lines[client.0];
        self.engines[core].wake();
        self.engines[core].begin(self.now);
        self.engines[core].input(Input::Stalled { conn, unsent });
        self.engines[core].finish();
        self.settle();
    }

    /// Lets time pass.
    pub(super) fn pass_ms(&mut self, ms: u64) {
        self.now.unix_us += ms * 1000;
        self.now.mono_us += ms * 1000;
        self.settle();
    }

    /// Turns every core until none has anything to do.
    pub(super) fn settle(&mut self) {
        for _ in 0..ROUNDS_MAX {
            let mut busy = false;
            for core in 0..self.engines.len() {
                busy |= self.turn(core);
            }
            if !busy {
                return;
            }
        }
        panic!("the node does not come to rest");
    }

    /// One turn of the client's core in which others take all the time that clients have; `request` comes first.
    pub(super) fn turn_crowded(&mut self, client: Client, request: &[u8]) {
        let Line { core, conn, .. } = self.lines[client.0];
        let engine = &mut self.engines[core];
        engine.wake();
        engine.begin(self.now);
        if !request.is_empty() {
            engine.input(Input::Received { conn, bytes: request });
        }
        while !engine.is_turn_over() {}
        engine.finish();
        self.carry_out(core);
    }

    /// One turn of one core. True if it has more to do.
    pub(super) fn turn(&mut self, core: usize) -> bool {
        self.turn_with_late_mail(core, core)
    }

    /// The same, and the mail of another core is not there yet.
    pub(super) fn turn_with_late_mail(&mut self, core: usize, late: usize) -> bool {
        let engine = &mut self.engines[core];
        engine.wake();
        engine.begin_with_late_mail(self.now, |from| from == CoreId(late as u16));
        let mut busy = false;
        for (line, bytes) in self.inputs[core].drain(..) {
            busy = true;
            engine.input(Input::Received { conn: self.lines[line].conn, bytes: &bytes });
        }
        engine.finish();
        busy |= self.carry_out(core);
        match self.engines[core].sleep() {
            Sleep::No => true,
            Sleep::Until(Some(at_us)) => busy || at_us <= self.now.mono_us,
            Sleep::Until(None) => busy,
        }
    }

    /// Carries out what an engine wants. True if there was anything.
    fn carry_out(&mut self, core: usize) -> bool {
        let mut any = false;
        while let Some(effect) = self.engines[core].next_effect() {
            any = true;
            match effect {
                Effect::Send(conn) => {
                    let mut output = self.engines[core].take_output(conn);
                    let line = self.line(core, conn);
                    output.pieces(0).for_each(|piece| line.received.extend_from_slice(piece));
                    output.clear();
                    self.engines[core].recycle(output);
                }
                Effect::Close { conn, last } => {
                    let line = self.line(core, conn);
                    line.closed = true;
                    if let Some(output) = last {
                        output.pieces(0).for_each(|piece| line.received.extend_from_slice(piece));
                    }
                }
                Effect::Stall(us) => {
                    self.stalled_us[core] += us;
                    STOPWATCH_US.set(STOPWATCH_US.get() + us);
                    self.now.unix_us += us;
                    self.now.mono_us += us;
                }
                Effect::Shutdown => self.shutdown = true,
                Effect::Reconfigured(config) => self.reconfigured.push(config),
                Effect::RewriteConfig { ticket, config } => {
                    self.rewritten.push(config);
                    let outcome = self.rewrite_outcome.clone();
                    self.engines[core].input(Input::ConfigRewritten { ticket, outcome });
                }
                Effect::Pause(_) | Effect::Resume(_) | Effect::Adopt(_) | Effect::Ring(_) => {}
            }
        }
        any
    }

    fn line(&mut self, core: usize, conn: ConnId) -> &mut Line {
        let line = self.lines.iter_mut().find(|line| line.core == core && line.conn == conn);
        line.expect("an effect is about a connection that was made")
    }
}

fn facts() -> ProcessFacts {
    ProcessFacts {
        process_id: 77,
        run_id: "ab".repeat(20),
        config_file: "/etc/corewise.conf".to_owned(),
        total_memory_bytes: 1 << 30,
        resident: || Resident { bytes: 1 << 20, bytes_peak: 0 },
        cpu_times: || CpuTimes { process_user_us: 1_500_000, ..CpuTimes::default() },
        ..ProcessFacts::default()
    }
}

/// Shows the first reply of `rest`, and leaves what follows.
fn show(rest: &mut &[u8]) -> String {
    let end = rest.windows(2).position(|end| end == b"\r\n").expect("a reply ends with CRLF");
    let line = String::from_utf8_lossy(&rest[..end]).into_owned();
    *rest = &rest[end + 2..];
    let (marker, text) = line.split_at(1);
    let many = |rest: &mut &[u8], count: &str| -> Vec<String> {
        (0..count.parse().expect("a count")).map(|_| show(rest)).collect()
    };
    match (marker, text) {
        ("$" | "*", "-1") | ("_", "") => "(nil)".to_owned(),
        ("+", text) => text.to_owned(),
        ("-", text) => format!("(error) {text}"),
        (":", text) => format!("(integer) {text}"),
        (",", text) => format!("(double) {text}"),
        ("#", text) => format!("({})", text == "t"),
        ("(", text) => format!("(big) {text}"),
        ("$" | "=", length) => {
            let length: usize = length.parse().expect("a length");
            let shown = String::from_utf8_lossy(&rest[..length]).into_owned();
            *rest = &rest[length + 2..];
            format!("{shown:?}")
        }
        ("*", count) => format!("[{}]", many(rest, count).join(", ")),
        ("~", count) => format!("set[{}]", many(rest, count).join(", ")),
        (">", count) => format!("push[{}]", many(rest, count).join(", ")),
        ("%", pairs) => {
            let pairs: Vec<String> = (0..pairs.parse().expect("a count"))
                .map(|_| {
                    let key = show(rest);
                    format!("{key}: {}", show(rest))
                })
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        (marker, text) => panic!("{marker}{text} begins no reply"),
    }
}

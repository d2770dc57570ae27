//! Two cores on one thread and a client of the first: a pipeline's way through the engines, without kernel or runtime.
//! `turn` takes its time and `instructions` counts what it executes.
//!
//! ```text
//! Lone      core 0 turns                             one core, which owns every key
//! Here      core 0 turns                             the keys are those of core 0
//! Borrowed  core 0 turns                             they are those of core 1, which sleeps
//! Mailed    core 0 turns, core 1 turns, core 0 turns they are those of core 1, which is awake
//! ```

use std::sync::Arc;

use corewise::base::{ConnId, CoreId, KeyHasher, Now};
use corewise::config::Config;
use corewise::engine::{Effect, Engine, EngineParts, Input, ProcessFacts, Shared, Sleep};
use corewise::mesh::{LendingMode, connect};
use corewise::session::Peer;
use corewise::topology::Topology;

/// Requests of one pipeline.
pub(crate) const DEPTH: usize = 16;

const VALUE: &str = "v234567890123456789012345678901234567890123456789012345678901234";
const CLIENT: ConnId = ConnId { index: 0, generation: 1 };
/// Microseconds between two turns.
const TURN_US: u64 = 20;

/// How the core that has the client comes by the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Lone,
    Here,
    Borrowed,
    Mailed,
}

impl Way {
    pub(crate) const ALL: [Way; 4] = [Way::Lone, Way::Here, Way::Borrowed, Way::Mailed];
}

/// What the pipeline consists of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    Get,
    Set,
}

impl Verb {
    pub(crate) const ALL: [Verb; 2] = [Verb::Get, Verb::Set];
}

/// The cores, and the pipeline that the client sends again and again.
pub(crate) struct Node {
    engines: Vec<Engine>,
    way: Way,
    now: Now,
    pipeline: Vec<u8>,
    replies_bytes: usize,
}

impl Node {
    /// A node that has been sent the pipeline once, and was seen to answer it in the way that it should.
    pub(crate) fn new(way: Way, verb: Verb) -> Self {
        let cores = if way == Way::Lone { 1 } else { 2 };
        let owner = if matches!(way, Way::Lone | Way::Here) { CoreId(0) } else { CoreId(1) };
        let keys = keys(Topology::new(cores), owner);
        let sets: String =
            keys.iter().map(|key| format!("*3\r\n$3\r\nSET\r\n$16\r\n{key}\r\n$64\r\n{VALUE}\r\n")).collect();
        let gets: String = keys.iter().map(|key| format!("*2\r\n$3\r\nGET\r\n$16\r\n{key}\r\n")).collect();
        let (pipeline, reply_bytes) = match verb {
            Verb::Get => (gets, format!("$64\r\n{VALUE}\r\n").len()),
            Verb::Set => (sets.clone(), "+OK\r\n".len()),
        };
        let now = Now { unix_us: 1_700_000_000_000_000, mono_us: 5_000_000 };
        let mut node = Self {
            engines: engines(cores, now),
            way,
            now,
            pipeline: sets.into_bytes(),
            replies_bytes: DEPTH * "+OK\r\n".len(),
        };
        node.engines[0].begin(now);
        node.engines[0].input(Input::Accepted { conn: CLIENT, peer: Peer { loopback: true, ..Peer::default() } });
        node.engines[0].finish();
        if way == Way::Borrowed {
            assert!(matches!(node.engines[1].sleep(), Sleep::Until(_)), "a core without work may sleep");
        }
        node.send();
        (node.pipeline, node.replies_bytes) = (pipeline.into_bytes(), DEPTH * reply_bytes);
        node.send();
        node
    }

    /// Sends the pipeline and takes its replies.
    pub(crate) fn send(&mut self) {
        let mut replied = self.turn(0, true);
        if self.way == Way::Mailed {
            assert_eq!(replied, 0, "nothing can be answered before the owner has turned");
            self.turn(1, false);
            replied = self.turn(0, false);
        }
        assert_eq!(replied, self.replies_bytes, "every request is answered, and by now");
    }

    /// One turn of a core, from wake to sleep, as the runtime's loop makes it. Returns the bytes that the client gets.
    fn turn(&mut self, core: usize, received: bool) -> usize {
        self.now.unix_us += TURN_US;
        self.now.mono_us += TURN_US;
        let engine = &mut self.engines[core];
        engine.wake();
        engine.begin(self.now);
        if received {
            engine.input(Input::Received { conn: CLIENT, bytes: &self.pipeline });
        }
        engine.finish();
        let mut replied = 0;
        while let Some(effect) = engine.next_effect() {
            match effect {
                Effect::Send(conn) => {
                    let mut output = engine.take_output(conn);
                    replied += output.len();
                    output.clear();
                    engine.recycle(output);
                }
                Effect::Ring(_) => {}
                other => unreachable!("{other:?} follows from no GET and no SET"),
            }
        }
        // The other core is kept awake, or asleep, for as long as the node lives.
        if core == 0 {
            let _ = engine.sleep();
        }
        replied
    }
}

/// As many keys of one core as a pipeline needs.
fn keys(topology: Topology, owner: CoreId) -> Vec<String> {
    let keys = (0..).map(|number| format!("key:{number:012}"));
    keys.filter(|key| topology.core_of(key.as_bytes()) == owner).take(DEPTH).collect()
}

fn engines(cores: usize, now: Now) -> Vec<Engine> {
    let (config, shared) = (Arc::new(Config::default()), Arc::new(Shared::new(cores)));
    let engine = |port| {
        Engine::new(EngineParts {
            port,
            config: config.clone(),
            shared: shared.clone(),
            hasher: KeyHasher::new(1),
            seed: 1,
            stopwatch: || 0,
            facts: Arc::new(ProcessFacts::default),
            now,
        })
    };
    connect(cores, LendingMode::Usual).into_iter().map(engine).collect()
}

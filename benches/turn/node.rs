//! Two cores on one thread and a client of the first: a pipeline's way through the engines, without kernel or runtime.
//! `turn` takes its time and `instructions` counts what it executes.
//!
//! ```text
//! Lone      core 0 turns                             one core, which owns every key
//! Here      core 0 turns                             the keys are those of core 0
//! Borrowed  core 0 turns                             they are those of core 1, which sleeps
//! Mailed    core 0 turns, core 1 turns, core 0 turns they are those of core 1, which is awake
//! ```

use std::ops::RangeInclusive;
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

    fn cores(self) -> usize {
        if self == Way::Lone { 1 } else { 2 }
    }
}

/// What the pipeline consists of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    Get,
    Set,
}

impl Verb {
    pub(crate) const ALL: [Verb; 2] = [Verb::Get, Verb::Set];

    fn pipeline(self, keys: &[String]) -> Pipeline {
        let requests = keys.iter().map(|key| match self {
            Verb::Get => request(&["GET", key]),
            Verb::Set => request(&["SET", key, VALUE]),
        });
        let reply_bytes = match self {
            Verb::Get => format!("$64\r\n{VALUE}\r\n").len(),
            Verb::Set => "+OK\r\n".len(),
        };
        Pipeline { bytes: requests.collect::<String>().into_bytes(), reply_bytes: reply_bytes..=reply_bytes }
    }
}

/// As many requests as are sent together.
pub(crate) struct Pipeline {
    pub(crate) bytes: Vec<u8>,
    /// The shortest and the longest reply to one of them.
    pub(crate) reply_bytes: RangeInclusive<usize>,
}

/// A request as it is sent.
pub(crate) fn request(words: &[&str]) -> String {
    let arguments = words.iter().map(|word| format!("${}\r\n{word}\r\n", word.len()));
    format!("*{}\r\n{}", words.len(), arguments.collect::<String>())
}

/// The cores, and the pipeline that the client sends again and again.
pub(crate) struct Node {
    engines: Vec<Engine>,
    way: Way,
    now: Now,
    pipeline: Pipeline,
}

impl Node {
    /// A node that has been sent the pipeline once, and was seen to answer it in the way that it should.
    pub(crate) fn new(way: Way, verb: Verb) -> Self {
        let owner = if matches!(way, Way::Lone | Way::Here) { CoreId(0) } else { CoreId(1) };
        let keys = keys(Topology::new(way.cores()), owner);
        Self::prepared(way, Verb::Set.pipeline(&keys), verb.pipeline(&keys))
    }

    /// The same for any pipeline, behind one that makes what it asks for.
    pub(crate) fn prepared(way: Way, preparation: Pipeline, pipeline: Pipeline) -> Self {
        let now = Now { unix_us: 1_700_000_000_000_000, mono_us: 5_000_000 };
        let mut node = Self { engines: engines(way.cores(), now), way, now, pipeline: preparation };
        node.engines[0].begin(now);
        node.engines[0].input(Input::Accepted { conn: CLIENT, peer: Peer { loopback: true, ..Peer::default() } });
        node.engines[0].finish();
        if way == Way::Borrowed {
            assert!(matches!(node.engines[1].sleep(), Sleep::Until(_)), "a core without work may sleep");
        }
        node.send();
        node.pipeline = pipeline;
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
        let (shortest, longest) = (self.pipeline.reply_bytes.start(), self.pipeline.reply_bytes.end());
        assert!((DEPTH * shortest..=DEPTH * longest).contains(&replied), "every request is answered, and by now");
    }

    /// One turn of a core, from wake to sleep, as the runtime's loop makes it. Returns the bytes that the client gets.
    fn turn(&mut self, core: usize, received: bool) -> usize {
        self.now.unix_us += TURN_US;
        self.now.mono_us += TURN_US;
        let engine = &mut self.engines[core];
        engine.wake();
        engine.begin(self.now);
        if received {
            engine.input(Input::Received { conn: CLIENT, bytes: &self.pipeline.bytes });
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
                other => unreachable!("{other:?} follows from none of these requests"),
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
            facts: Arc::new(ProcessFacts::default()),
            now,
        })
    };
    connect(cores, LendingMode::Usual).into_iter().map(engine).collect()
}

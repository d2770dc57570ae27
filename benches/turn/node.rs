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
}

/// What the pipeline consists of: GET and SET of keys of its own, and the default tests of redis-benchmark as they are
/// without `-r`: values of 3 bytes, and `__rand_int__` stands for itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verb {
    Get,
    Set,
    PingInline,
    Ping,
    Incr,
    Lpush,
    Rpush,
    Lpop,
    Rpop,
    Sadd,
    Hset,
    Spop,
    Zadd,
    Zpopmin,
    Lrange100,
    Lrange300,
    Lrange500,
    Lrange600,
    Mset,
}

impl Verb {
    /// Those that are measured in every way.
    pub(crate) const ALL: [Verb; 2] = [Verb::Get, Verb::Set];

    /// The default tests of redis-benchmark.
    #[allow(dead_code, reason = "`turn` times those of every way alone")]
    pub(crate) const BENCHMARK: [Verb; 17] = [
        Verb::PingInline,
        Verb::Ping,
        Verb::Incr,
        Verb::Lpush,
        Verb::Rpush,
        Verb::Lpop,
        Verb::Rpop,
        Verb::Sadd,
        Verb::Hset,
        Verb::Spop,
        Verb::Zadd,
        Verb::Zpopmin,
        Verb::Lrange100,
        Verb::Lrange300,
        Verb::Lrange500,
        Verb::Lrange600,
        Verb::Mset,
    ];

    /// What is sent once, so that the pipeline finds what it asks for.
    fn preparation(self, keys: &[String]) -> Pipeline {
        match self {
            Verb::Get | Verb::Set => Verb::Set.pipeline(keys),
            Verb::Lpush | Verb::Rpush | Verb::Lpop | Verb::Rpop => list(2000, 7..=8),
            Verb::Lrange100 | Verb::Lrange300 | Verb::Lrange500 | Verb::Lrange600 => list(100, 6..=7),
            _ => Verb::Ping.pipeline(keys),
        }
    }

    fn pipeline(self, keys: &[String]) -> Pipeline {
        let of_keys = |make: &dyn Fn(&str) -> String| keys.iter().map(|key| make(key)).collect::<String>();
        let same = |words: &[&str]| request(words).repeat(DEPTH);
        let lrange = |stop: &str, count: usize| {
            let reply_bytes = format!("*{count}\r\n").len() + count * "$3\r\nxxx\r\n".len();
            (same(&["LRANGE", "mylist", "0", stop]), reply_bytes..=reply_bytes)
        };
        let element = "element:__rand_int__";
        let (bytes, reply_bytes) = match self {
            Verb::Get => (of_keys(&|key| request(&["GET", key])), 71..=71),
            Verb::Set => (of_keys(&|key| request(&["SET", key, VALUE])), 5..=5),
            Verb::PingInline => ("PING\r\n".repeat(DEPTH), 7..=7),
            Verb::Ping => (same(&["PING"]), 7..=7),
            Verb::Incr => (same(&["INCR", "counter:__rand_int__"]), 4..=8),
            Verb::Lpush => (same(&["LPUSH", "mylist", "xxx"]), 8..=9),
            Verb::Rpush => (same(&["RPUSH", "mylist", "xxx"]), 8..=9),
            Verb::Lpop => (same(&["LPOP", "mylist"]), 9..=9),
            Verb::Rpop => (same(&["RPOP", "mylist"]), 9..=9),
            Verb::Sadd => (same(&["SADD", "myset", element]), 4..=4),
            Verb::Hset => (same(&["HSET", "myhash", element, "xxx"]), 4..=4),
            Verb::Spop => (same(&["SPOP", "myset"]), 5..=5),
            Verb::Zadd => (same(&["ZADD", "myzset", "0", element]), 4..=4),
            Verb::Zpopmin => (same(&["ZPOPMIN", "myzset"]), 4..=4),
            Verb::Lrange100 => lrange("99", 100),
            Verb::Lrange300 => lrange("299", 300),
            Verb::Lrange500 => lrange("499", 500),
            Verb::Lrange600 => lrange("599", 600),
            Verb::Mset => (same(&[&["MSET"], &["key:__rand_int__", "xxx"].repeat(10)[..]].concat()), 5..=5),
        };
        Pipeline { bytes: bytes.into_bytes(), reply_bytes }
    }
}

/// Requests that are sent together.
struct Pipeline {
    bytes: Vec<u8>,
    /// The shortest and the longest reply to one of them.
    reply_bytes: RangeInclusive<usize>,
}

/// A pipeline that makes a list, so many elements with each request.
fn list(elements: usize, reply_bytes: RangeInclusive<usize>) -> Pipeline {
    let push = request(&[&["RPUSH", "mylist"], &vec!["xxx"; elements][..]].concat());
    Pipeline { bytes: push.repeat(DEPTH).into_bytes(), reply_bytes }
}

/// A request as it is sent.
fn request(words: &[&str]) -> String {
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
        let cores = if way == Way::Lone { 1 } else { 2 };
        let owner = if matches!(way, Way::Lone | Way::Here) { CoreId(0) } else { CoreId(1) };
        let keys = keys(Topology::new(cores), owner);
        let now = Now { unix_us: 1_700_000_000_000_000, mono_us: 5_000_000 };
        let mut node = Self { engines: engines(cores, now), way, now, pipeline: verb.preparation(&keys) };
        node.engines[0].begin(now);
        node.engines[0].input(Input::Accepted { conn: CLIENT, peer: Peer { loopback: true, ..Peer::default() } });
        node.engines[0].finish();
        if way == Way::Borrowed {
            assert!(matches!(node.engines[1].sleep(), Sleep::Until(_)), "a core without work may sleep");
        }
        node.send();
        node.pipeline = verb.pipeline(&keys);
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
            facts: Arc::new(ProcessFacts::default),
            now,
        })
    };
    connect(cores, LendingMode::Usual).into_iter().map(engine).collect()
}

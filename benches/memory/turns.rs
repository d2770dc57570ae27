//! `turns`: how long the turns of one core are while a table grows and shrinks, with the machine's noise taken out.
//!
//! The longest turn that a server reports is the longest of its own work or of whatever the machine did meanwhile: on a
//! virtual machine a loop that does nothing at all sees gaps of milliseconds. So here one engine runs alone on one thread,
//! without kernel or clients, and does exactly the same turns several times over. What the machine adds comes at another
//! turn each time; what the work itself takes comes again. A turn counts with the least that it ever took.

use std::sync::Arc;
use std::time::Instant;

use clap::{ArgMatches, Command};
use corewise::base::{ConnId, KeyHasher, Now};
use corewise::config::Config;
use corewise::engine::{Effect, Engine, EngineParts, Input, ProcessFacts, Shared, Sleep};
use corewise::mesh::{LendingMode, connect};
use corewise::session::Peer;
use serde_json::json;

use crate::growth::scattered;
use crate::report::{Bar, Report};
use crate::wire::{Noise, Ttl, del, set};
use crate::{Bench, count_flag, counted, say};

const VALUE_BYTES: usize = 64;

/// Commands that come in one turn: what a core does in about as much time as it takes for a turn.
const COMMANDS: u64 = 40;

/// Time between two turns, as the engine sees it.
const TURN_US: u64 = 100;

/// The longest turn, in microseconds.
const TURN_BAR_US: f64 = 500.0;

/// Time to live of the keys that expire: longer than it takes to insert them.
const TTL_S: u32 = 60;

const CLIENT: ConnId = ConnId { index: 0, generation: 1 };

pub(crate) fn command() -> Command {
    Command::new("turns").about("Turns of a core while the table grows and shrinks, without the machine's noise").args(
        [
            count_flag("keys", "10000000", "Keys to insert, and then to delete"),
            count_flag("rounds", "3", "Times that the same turns are done"),
        ],
    )
}

pub(crate) fn run(_: &Bench, matches: &ArgMatches) -> Report {
    let (keys, rounds) = (counted(matches, "keys"), counted(matches, "rounds"));
    let noise = Noise::new();
    let mut report = Report {
        measurement: "turns",
        method: format!(
            "{keys} inserts and deletes, {COMMANDS} a turn, a tenth expiring in turns without commands, the least of {rounds} rounds for each turn"
        ),
        columns: &["phase", "turns", "p50 us", "p99.9 us", "longest us", "longest of one round us"],
        ..Report::default()
    };
    let mut least: [Vec<u32>; 3] = Default::default();
    let mut noisy = [0; 3];
    for round in 1..=rounds {
        let mut core = Core::new();
        let took = [
            core.phase(keys, |out, key| set(out, key, noise.value(key, VALUE_BYTES), Ttl::None)),
            core.phase(keys, |out, at| del(out, scattered(at, keys))),
            core.expiry(keys / 10, |out, key| set(out, key, noise.value(key, VALUE_BYTES), Ttl::Seconds(TTL_S))),
        ];
        for (phase, took) in took.into_iter().enumerate() {
            noisy[phase] = took.iter().copied().max().unwrap_or_default().max(noisy[phase]);
            if round == 1 {
                least[phase] = took;
            } else {
                // The turns are the same as long as commands come; how many idle ones follow does not matter.
                least[phase].iter_mut().zip(took).for_each(|(least, took)| *least = took.min(*least));
            }
        }
        say(&format!("round {round}: longest so far {:?} us", noisy.map(|ns| ns / 1000)));
    }
    for (phase, name) in ["insert", "delete", "expire"].into_iter().enumerate() {
        let turns = &mut least[phase];
        let count = turns.len();
        turns.sort_unstable();
        let at = |share: f64| f64::from(turns[((count as f64 * share) as usize).min(count - 1)]) / 1e3;
        let (p50, p999, longest, noisy) = (at(0.5), at(0.999), at(1.0), f64::from(noisy[phase]) / 1e3);
        let us = [p50, p999, longest, noisy].map(|us| format!("{us:.0}"));
        report.rows.push([name.to_owned(), count.to_string()].into_iter().chain(us).collect());
        report.figures.push(json!({
            "phase": name, "turns": count, "p50_us": p50, "p99_9_us": p999, "longest_us": longest,
            "longest_of_one_round_us": noisy,
        }));
        report.bars.push(Bar::at_most(format!("longest turn, us, {name}"), Some(longest), TURN_BAR_US));
    }
    report
}

/// An engine with one client.
struct Core {
    engine: Engine,
    now: Now,
}

impl Core {
    fn new() -> Self {
        let now = Now { unix_us: 1_700_000_000_000_000, mono_us: 5_000_000 };
        let port = connect(1, LendingMode::Usual).remove(0);
        let mut engine = Engine::new(EngineParts {
            port,
            config: Arc::new(Config::default()),
            shared: Arc::new(Shared::new(1)),
            hasher: KeyHasher::new(1),
            seed: 1,
            stopwatch: || 0,
            facts: Arc::new(ProcessFacts::default()),
            now,
        });
        engine.begin(now);
        engine.input(Input::Accepted { conn: CLIENT, peer: Peer { loopback: true, ..Peer::default() } });
        engine.finish();
        Self { engine, now }
    }

    /// Sends commands, and then turns until nothing is left to do. Returns the nanoseconds of every turn.
    fn phase(&mut self, commands: u64, mut append: impl FnMut(&mut Vec<u8>, u64)) -> Vec<u32> {
        let mut took = Vec::new();
        let mut pipeline = Vec::new();
        for first in (0..commands).step_by(COMMANDS as usize) {
            pipeline.clear();
            (first..commands.min(first + COMMANDS)).for_each(|number| append(&mut pipeline, number));
            took.push(self.turn(&pipeline).0);
        }
        loop {
            let (ns, has_work) = self.turn(b"");
            took.push(ns);
            if !has_work {
                return took;
            }
        }
    }

    /// Inserts keys that are all due soon, and turns until the last has gone. Returns the nanoseconds of these turns.
    fn expiry(&mut self, keys: u64, append: impl FnMut(&mut Vec<u8>, u64)) -> Vec<u32> {
        self.phase(keys, append);
        let begin = self.now.mono_us;
        let mut took = Vec::new();
        while self.now.mono_us < begin + 2 * u64::from(TTL_S) * 1_000_000 {
            let (ns, has_work) = self.turn(b"");
            took.push(ns);
            if !has_work {
                // The next deadline may be so far off.
                self.now.unix_us += 1000;
                self.now.mono_us += 1000;
            }
        }
        took
    }

    /// One turn, from wake to sleep, as the runtime's loop makes it. Returns its nanoseconds and whether work is left.
    fn turn(&mut self, pipeline: &[u8]) -> (u32, bool) {
        self.now.unix_us += TURN_US;
        self.now.mono_us += TURN_US;
        let engine = &mut self.engine;
        let begin = Instant::now();
        engine.wake();
        engine.begin(self.now);
        if !pipeline.is_empty() {
            engine.input(Input::Received { conn: CLIENT, bytes: pipeline });
        }
        engine.finish();
        while let Some(effect) = engine.next_effect() {
            if let Effect::Send(conn) = effect {
                let mut output = engine.take_output(conn);
                assert!(!output.is_empty(), "a core that sends has something to say");
                output.clear();
                engine.recycle(output);
            }
        }
        let has_work = !matches!(engine.sleep(), Sleep::Until(_));
        (u32::try_from(begin.elapsed().as_nanos()).unwrap_or(u32::MAX), has_work)
    }
}

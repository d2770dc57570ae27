//! The open loop that asks for keys of its own while something else goes on: what other clients feel.
//!
//! Each request has a moment at which it is due, and latency counts from there, so that a server that stands still is
//! seen by every request that it kept waiting.

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::loadgen;
use crate::report::Report;
use crate::server::Running;
use crate::stalls::{Stall, Witnesses, calm_share, is_calm, may_be_urgent, total_ms, urgent};
use crate::turn_watch::{TurnWatch, Turns};

/// What it asks for.
const KEYS: [&str; 4] = ["--keys", "1000", "--key-prefix", "probe:"];

/// How long it runs before it counts.
const WARMUP: Duration = Duration::from_millis(500);

/// Requests that took longer are looked at one by one, in milliseconds.
const SLOW_MS: f64 = 1.0;

/// An open loop of GETs. It goes before everything else on its CPU, if that is permitted: what the load does to the
/// server is to be seen, and not what it does to the measurement.
pub(crate) struct Probe {
    /// The CPUs of the server.
    pub(crate) server_cpus: String,
    /// The CPU that it runs on.
    pub(crate) cpu: usize,
    /// GETs per second.
    pub(crate) rate: u64,
}

/// One that has been started; killed on drop.
pub(crate) struct UnderWay {
    child: Option<Child>,
    /// None if there may be none.
    witnesses: Option<Witnesses>,
    turns: Option<TurnWatch>,
}

/// What it has seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Felt {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p99_99_ms: f64,
    pub(crate) max_ms: f64,
    /// p99.99 of the time in which the machine was calm; the same if nobody may witness that.
    pub(crate) own_p99_99_ms: f64,
    /// How long the machine stood still, if that could be witnessed.
    pub(crate) stood_still_ms: Option<f64>,
    /// How long the server's turns were, if it tells.
    pub(crate) turns: Option<Turns>,
}

/// Says in a report which time the `own` figures are of.
pub(crate) fn note_witnesses(report: &mut Report) {
    report.note(if may_be_urgent() {
        "own p99.99 and own longest turn are of the time in which no CPU stood still, which urgent processes witness"
            .to_owned()
    } else {
        "no process may be urgent here (chrt --fifo): what the machine does to latencies is in all of them".to_owned()
    });
}

impl Probe {
    /// Stores the keys that will be asked for.
    pub(crate) fn fill(&self, server: &Running) -> Result<(), String> {
        loadgen::found(self.loadgen(loadgen::command(None)?, "fill", server, &[]).output()).map(drop)
    }

    /// Starts it, and returns when it begins to count, which it does for `duration`.
    pub(crate) fn start(&self, server: &Running, duration: Duration) -> Result<UnderWay, String> {
        let [duration, warmup] = [duration, WARMUP].map(|time| format!("{}ms", time.as_millis()));
        let rate = self.rate.to_string();
        let slow = format!("{}us", SLOW_MS * 1e3);
        let flags =
            ["--workload", "get", "--rate", &rate, "--duration", &duration, "--warmup", &warmup, "--slow", &slow];
        let is_urgent = may_be_urgent();
        let program = loadgen::command(is_urgent.then(|| urgent("1")))?;
        let mut command = self.loadgen(program, "run", server, &flags);
        let witnesses = if is_urgent { Some(Witnesses::call(&self.server_cpus, self.cpu)?) } else { None };
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        sleep(WARMUP);
        Ok(UnderWay { child: Some(child), witnesses, turns: Some(TurnWatch::start(server)) })
    }

    fn loadgen(&self, mut command: Command, mode: &str, server: &Running, flags: &[&str]) -> Command {
        command.args([mode, "--quiet", "--json", "--server", &server.address().to_string()]);
        command.args(["--cpus", &self.cpu.to_string(), "--connections", "10"]);
        command.args(KEYS).args(flags);
        command
    }
}

impl UnderWay {
    /// Waits for its end. The error is that of the load generator, or that the server did not answer as it should.
    pub(crate) fn felt(mut self) -> Result<Felt, String> {
        let child = self.child.take().ok_or("the open loop has been waited for")?;
        let found = loadgen::found(child.wait_with_output())?;
        let number = |path: &str| {
            let value = found.pointer(path).and_then(Value::as_f64);
            value.ok_or_else(|| format!("corewise-loadgen does not say {path}: {found}"))
        };
        if number("/errors")? > 0.0 || number("/misses")? > 0.0 {
            return Err(format!("the open loop did not find its keys, or was answered with errors: {found}"));
        }
        let stalls = self.witnesses.take().map(Witnesses::stalls).transpose()?;
        let p99_99_ms = number("/latency_ms/p99_99")?;
        Ok(Felt {
            p50_ms: number("/latency_ms/p50")?,
            p99_ms: number("/latency_ms/p99")?,
            p99_99_ms,
            max_ms: number("/latency_ms/max")?,
            own_p99_99_ms: match &stalls {
                Some(stalls) => own(&found, stalls)?.min(p99_99_ms),
                None => p99_99_ms,
            },
            stood_still_ms: stalls.as_deref().map(total_ms),
            turns: self.turns.take().and_then(|turns| turns.turns(stalls.as_deref().unwrap_or_default())),
        })
    }
}

/// p99.99 of the requests that were due and answered while the machine was calm, in milliseconds; no less than
/// [`SLOW_MS`].
fn own(found: &Value, stalls: &[Stall]) -> Result<f64, String> {
    let missing = || format!("corewise-loadgen does not say which requests were slow: {found}");
    if found["slow_missed"] != 0 {
        return Err(
            "the server is too slow for this load: more requests took long than the load generator keeps".to_owned()
        );
    }
    let mut took = Vec::new();
    for slow in found["slow"].as_array().ok_or_else(missing)? {
        let due_ms = slow["due_unix_ms"].as_f64().ok_or_else(missing)?;
        let took_ms = slow["took_ms"].as_f64().ok_or_else(missing)?;
        if is_calm(stalls, due_ms, due_ms + took_ms) {
            took.push(took_ms);
        }
    }
    let [operations, seconds] = ["operations", "elapsed_seconds"].map(|name| found[name].as_f64());
    let counted = operations.ok_or_else(missing)? * calm_share(stalls, seconds.ok_or_else(missing)? * 1e3);
    took.sort_by(f64::total_cmp);
    // One of ten thousand may take longer.
    let longer = (counted / 1e4) as usize;
    Ok(took.iter().rev().nth(longer).copied().unwrap_or(SLOW_MS))
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // One that has ended by itself needs no end.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

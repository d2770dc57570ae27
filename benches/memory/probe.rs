//! The open loop that asks for keys of its own while something else goes on: what other clients feel.
//!
//! Each request has a moment at which it is due, and latency counts from there, so that a server that stands still is
//! seen by every request that it kept waiting.

use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;

use crate::loadgen;
use crate::server::Running;

/// What it asks for.
const KEYS: [&str; 4] = ["--keys", "1000", "--key-prefix", "probe:"];

/// How long it runs before it counts.
const WARMUP: Duration = Duration::from_millis(500);

/// An open loop of GETs.
pub(crate) struct Probe {
    /// The CPU that it runs on.
    pub(crate) cpu: usize,
    /// GETs per second.
    pub(crate) rate: u64,
}

/// One that has been started; killed on drop.
pub(crate) struct UnderWay(Option<Child>);

/// What it has seen, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latency {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p99_99_ms: f64,
    pub(crate) max_ms: f64,
}

impl Probe {
    /// Stores the keys that will be asked for.
    pub(crate) fn fill(&self, server: &Running) -> Result<(), String> {
        loadgen::found(self.loadgen("fill", server, &[])?.output()).map(drop)
    }

    /// Starts it, and returns when it begins to count, which it does for `duration`.
    pub(crate) fn start(&self, server: &Running, duration: Duration) -> Result<UnderWay, String> {
        let [duration, warmup] = [duration, WARMUP].map(|time| format!("{}ms", time.as_millis()));
        let rate = self.rate.to_string();
        let flags = ["--workload", "get", "--rate", &rate, "--duration", &duration, "--warmup", &warmup];
        let mut command = self.loadgen("run", server, &flags)?;
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        sleep(WARMUP);
        Ok(UnderWay(Some(child)))
    }

    fn loadgen(&self, mode: &str, server: &Running, flags: &[&str]) -> Result<std::process::Command, String> {
        let mut command = loadgen::command()?;
        command.args([mode, "--quiet", "--json", "--server", &server.address().to_string()]);
        command.args(["--cpus", &self.cpu.to_string(), "--connections", "10"]);
        command.args(KEYS).args(flags);
        Ok(command)
    }
}

impl UnderWay {
    /// Waits for its end. The error is that of the load generator, or that the server did not answer as it should.
    pub(crate) fn latency(mut self) -> Result<Latency, String> {
        let child = self.0.take().ok_or("the open loop has been waited for")?;
        let found = loadgen::found(child.wait_with_output())?;
        let number = |path: &str| {
            let value = found.pointer(path).and_then(Value::as_f64);
            value.ok_or_else(|| format!("corewise-loadgen does not say {path}: {found}"))
        };
        if number("/errors")? > 0.0 || number("/misses")? > 0.0 {
            return Err(format!("the open loop did not find its keys, or was answered with errors: {found}"));
        }
        Ok(Latency {
            p50_ms: number("/latency_ms/p50")?,
            p99_ms: number("/latency_ms/p99")?,
            p99_99_ms: number("/latency_ms/p99_99")?,
            max_ms: number("/latency_ms/max")?,
        })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // One that has ended by itself needs no end.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

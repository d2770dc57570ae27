//! The load: `corewise-loadgen` on a CPU of its own, and what its JSON says; or redis-benchmark.

use serde::Serialize;
use serde_json::Value;

use crate::loadgen;
use crate::peers::{Protocol, Running};
use crate::redis_benchmark;

/// The loads that are run unless others are asked for.
pub(crate) const WORKLOADS: [&str; 11] =
    ["get", "set", "mixed 9:1", "incr", "mget 10", "mset 10", "ycsb-a", "ycsb-b", "ycsb-c", "ycsb-d", "ycsb-f"];

/// What drives the servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Tool {
    Loadgen,
    RedisBenchmark,
}

/// One kind of load.
pub(crate) struct Load {
    pub(crate) tool: Tool,
    pub(crate) workload: String,
    pub(crate) pipeline: usize,
    pub(crate) connections: usize,
    pub(crate) keys: u64,
    pub(crate) value_size: u32,
    pub(crate) seconds: f64,
    pub(crate) client_cpu: usize,
}

/// What one round has shown.
#[derive(Clone, Copy, Default, Serialize)]
pub(crate) struct Figures {
    /// CPU of the server per operation.
    #[serde(rename = "server_cpu_us_per_operation")]
    pub(crate) cpu_us: f64,
    #[serde(rename = "operations_per_second")]
    pub(crate) throughput: f64,
    #[serde(rename = "p50_ms")]
    pub(crate) p50: f64,
    #[serde(rename = "p99_ms")]
    pub(crate) p99: f64,
    #[serde(rename = "p99_9_ms")]
    pub(crate) p999: f64,
}

impl Figures {
    /// The middle of every figure over the rounds.
    pub(crate) fn middle(rounds: &[Figures]) -> Figures {
        let of = |figure: fn(&Figures) -> f64| {
            let mut values: Vec<f64> = rounds.iter().map(figure).collect();
            values.sort_by(f64::total_cmp);
            let half = values.len() / 2;
            if values.len() % 2 == 1 { values[half] } else { (values[half - 1] + values[half]) / 2.0 }
        };
        Figures {
            cpu_us: of(|round| round.cpu_us),
            throughput: of(|round| round.throughput),
            p50: of(|round| round.p50),
            p99: of(|round| round.p99),
            p999: of(|round| round.p999),
        }
    }
}

impl Load {
    /// Whether a server that speaks this protocol can be asked for it.
    pub(crate) fn can_be_said_in(&self, protocol: Protocol) -> bool {
        let named =
            |name: &str| self.tool == Tool::Loadgen && (self.workload == name || self.workload.starts_with("mixed"));
        protocol == Protocol::Redis || named("get") || named("set")
    }

    /// Stores every key once, so that reads find something. redis-benchmark finds nothing unless it has stored it.
    pub(crate) fn fill(&self, server: &Running) -> Result<(), String> {
        if self.tool == Tool::RedisBenchmark {
            return Ok(());
        }
        self.loadgen("fill", server, &["--pipeline", "16"]).map(|_| ())
    }

    /// Drives a server once.
    pub(crate) fn drive(&self, server: &Running) -> Result<Figures, String> {
        if self.tool == Tool::RedisBenchmark {
            return redis_benchmark::drive(self, server);
        }
        let seconds = format!("{}s", self.seconds);
        let (pipeline, connections) = (self.pipeline.to_string(), self.connections.to_string());
        let warmup = format!("{}s", self.seconds / 10.0);
        let flags = [
            ["--workload", &self.workload],
            ["--pipeline", &pipeline],
            ["--connections", &connections],
            ["--duration", &seconds],
            ["--warmup", &warmup],
            ["--server-pid", &server.pid().to_string()],
        ];
        let found = self.loadgen("run", server, flags.as_flattened())?;
        let number = |path: &str| {
            let value = found.pointer(path).and_then(Value::as_f64);
            value.ok_or_else(|| format!("corewise-loadgen does not say {path}: {found}"))
        };
        if number("/errors")? > 0.0 {
            return Err(format!("{} answered with errors: {}", server.name, found["error_replies"]));
        }
        Ok(Figures {
            cpu_us: number("/server_cpu_us_per_operation")?,
            throughput: number("/operations_per_second")?,
            p50: number("/latency_ms/p50")?,
            p99: number("/latency_ms/p99")?,
            p999: number("/latency_ms/p99_9")?,
        })
    }

    fn loadgen(&self, command: &str, server: &Running, flags: &[&str]) -> Result<Value, String> {
        let mut loadgen = loadgen::command(None)?;
        loadgen.args([command, "--json", "--server", &format!("127.0.0.1:{}", server.port)]);
        loadgen.args(["--cpus", &self.client_cpu.to_string(), "--keys", &self.keys.to_string()]);
        loadgen.args(["--value-size", &self.value_size.to_string()]);
        if server.protocol == Protocol::Memcached {
            loadgen.args(["--protocol", "memcached"]);
        }
        let found = loadgen::found(loadgen.args(flags).output());
        found.map_err(|error| format!("{} under {}: {error}", server.name, self.workload))
    }
}

//! The figures side by side: a Markdown table for each load, and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::load::Tool;
use crate::machine::Machine;
use crate::{Options, Outcome};

/// The peer that the others are measured by.
const REFERENCE: &str = "redis-server";

/// Everything that one comparison has shown.
pub(crate) struct Report<'a> {
    pub(crate) options: &'a Options,
    pub(crate) machine: &'a Machine,
    /// Names and versions of the servers.
    pub(crate) servers: &'a [(String, String)],
    pub(crate) outcomes: &'a [Outcome],
}

impl Report<'_> {
    /// A table for each load; ratios are to redis-server.
    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("{}; {}.\n", self.machine.line(), self.method());
        let servers: Vec<String> = self.servers.iter().map(|(name, version)| format!("{name} ({version})")).collect();
        let _ = writeln!(text, "Servers: {}.", servers.join(", "));
        let mut load = None;
        for outcome in self.outcomes {
            if load != Some((outcome.pipeline, outcome.connections)) {
                load = Some((outcome.pipeline, outcome.connections));
                let plural = if outcome.connections == 1 { "" } else { "s" };
                let _ =
                    writeln!(text, "\n**pipeline {}, {} connection{plural}**\n", outcome.pipeline, outcome.connections);
                text.push_str(
                    "| workload | server | CPU us/op | ratio | operations/s | ratio | p50 ms | p99 ms | p99.9 ms |\n",
                );
                text.push_str("|---|---|---|---|---|---|---|---|---|\n");
            }
            let figures = outcome.figures;
            let base = self.reference(outcome).map(|other| other.figures);
            let ratio =
                |own: f64, other: Option<f64>| other.map_or("-".to_owned(), |other| format!("{:.2}", own / other));
            let p999 = if figures.p999.is_nan() { "-".to_owned() } else { format!("{:.3}", figures.p999) };
            let _ = writeln!(
                text,
                "| {} | {} | {:.3} | {} | {:.0} | {} | {:.3} | {:.3} | {p999} |",
                outcome.workload,
                outcome.peer,
                figures.cpu_us,
                ratio(figures.cpu_us, base.map(|base| base.cpu_us)),
                figures.throughput,
                ratio(figures.throughput, base.map(|base| base.throughput)),
                figures.p50,
                figures.p99,
            );
        }
        text
    }

    /// One object, which has everything that the tables have.
    pub(crate) fn json(&self) -> String {
        let outcomes: Vec<Value> = self
            .outcomes
            .iter()
            .map(|outcome| {
                let mut object = json!(outcome.figures);
                object["server"] = outcome.peer.as_str().into();
                object["workload"] = outcome.workload.as_str().into();
                object["pipeline"] = outcome.pipeline.into();
                object["connections"] = outcome.connections.into();
                object
            })
            .collect();
        let servers: serde_json::Map<String, Value> =
            self.servers.iter().map(|(name, version)| (name.clone(), version.as_str().into())).collect();
        let report = json!({
            "schema": 1,
            "machine": self.machine.line(),
            "method": self.method(),
            "servers": servers,
            "figures": outcomes,
        });
        format!("{report:#}")
    }

    fn method(&self) -> String {
        let Options { keys, value_size, rounds, seconds, server_cpu, client_cpu, corewise_cpus, .. } = self.options;
        let data = match self.options.tool {
            Tool::Loadgen => format!("{keys} keys, values of {value_size} bytes"),
            Tool::RedisBenchmark => "redis-benchmark's tests with its own keys and values".to_owned(),
        };
        format!(
            "{data}, servers on CPU {server_cpu} (Corewise on {corewise_cpus}), the \
             load on CPU {client_cpu}, medians of {rounds} rounds of {seconds} s in turn"
        )
    }

    fn reference(&self, of: &Outcome) -> Option<&Outcome> {
        let same = |other: &&Outcome| {
            other.pipeline == of.pipeline && other.connections == of.connections && other.workload == of.workload
        };
        self.outcomes.iter().filter(same).find(|other| other.peer == REFERENCE)
    }
}

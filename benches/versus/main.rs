//! Corewise beside every peer that is installed: the same load, each server pinned alike, rounds in turn.
//!
//! ```text
//! cargo bench --bench versus -- [--peers redis-server,corewise] [--workloads 'get,mixed 9:1'] [--pipelines 1,16]
//!                               [--connections 1,50] [--rounds 3] [--seconds 2] [--keys 100000] [--value-size 64]
//!                               [--server-cpu 0] [--client-cpu 1] [--corewise-cpus 0] [--markdown FILE] [--json FILE]
//!                               [--tool loadgen|redis-benchmark]
//! ```
//!
//! The load is `corewise-loadgen`, or with `--tool redis-benchmark` each of that program's default tests. CPU per operation is what the server's process spent, which is steady on a shared
//! machine where throughput is not. Rounds alternate (A B A B), and the middle of each figure is shown with its ratio to
//! redis-server's. Two servers are never under load at once. Reads find their keys: every server is filled first.

mod load;
mod loadgen;
mod machine;
mod peers;
mod redis_benchmark;
mod report;

use std::fs;
use std::process::ExitCode;

use load::{Figures, Load, Tool, WORKLOADS};
use machine::Machine;
use peers::Running;
use report::Report;

/// What the command line asks for.
pub(crate) struct Options {
    peers: Option<Vec<String>>,
    tool: Tool,
    workloads: Option<Vec<String>>,
    pipelines: Vec<usize>,
    connections: Vec<usize>,
    rounds: usize,
    seconds: f64,
    keys: u64,
    value_size: u32,
    server_cpu: usize,
    client_cpu: usize,
    corewise_cpus: String,
    markdown: Option<String>,
    json: Option<String>,
}

impl Options {
    fn parse() -> Result<Option<Options>, String> {
        let mut options = Options {
            peers: None,
            tool: Tool::Loadgen,
            workloads: None,
            pipelines: vec![1, 16],
            connections: vec![50],
            rounds: 3,
            seconds: 2.0,
            keys: 100_000,
            value_size: 64,
            server_cpu: 0,
            client_cpu: 1,
            corewise_cpus: "0".to_owned(),
            markdown: None,
            json: None,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{flag} needs a value"));
            match flag.as_str() {
                // cargo adds this one.
                "--bench" => {}
                "--peers" => options.peers = Some(words(&value()?)),
                "--tool" => match value()?.as_str() {
                    "loadgen" => options.tool = Tool::Loadgen,
                    "redis-benchmark" => options.tool = Tool::RedisBenchmark,
                    other => return Err(format!("--tool {other}: loadgen or redis-benchmark")),
                },
                "--workloads" => options.workloads = Some(words(&value()?)),
                "--pipelines" => options.pipelines = numbers(&flag, &value()?)?,
                "--connections" => options.connections = numbers(&flag, &value()?)?,
                "--rounds" => options.rounds = number(&flag, &value()?)?,
                "--seconds" => options.seconds = number(&flag, &value()?)?,
                "--keys" => options.keys = number(&flag, &value()?)?,
                "--value-size" => options.value_size = number(&flag, &value()?)?,
                "--server-cpu" => options.server_cpu = number(&flag, &value()?)?,
                "--client-cpu" => options.client_cpu = number(&flag, &value()?)?,
                "--corewise-cpus" => options.corewise_cpus = value()?,
                "--markdown" => options.markdown = Some(value()?),
                "--json" => options.json = Some(value()?),
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("there is no flag {flag}")),
            }
        }
        if options.rounds == 0 {
            return Err("--rounds must be at least 1".to_owned());
        }
        Ok(Some(options))
    }

    /// The loads that were asked for, or those that the tool has.
    fn workloads(&self) -> Vec<String> {
        let usual: &[&str] = match self.tool {
            Tool::Loadgen => &WORKLOADS,
            Tool::RedisBenchmark => &redis_benchmark::TESTS,
        };
        self.workloads.clone().unwrap_or_else(|| usual.iter().map(|name| (*name).to_owned()).collect())
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::to_owned).collect()
}

fn number<N: std::str::FromStr>(flag: &str, text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{flag} {text}: a number is expected"))
}

fn numbers(flag: &str, text: &str) -> Result<Vec<usize>, String> {
    text.split(',').map(|part| number(flag, part)).collect()
}

const HELP: &str = "versus: [--peers A,B] [--workloads 'get,mixed 9:1'] [--pipelines 1,16] [--connections 50]
        [--rounds 3] [--seconds 2] [--keys 100000] [--value-size 64]
        [--server-cpu 0] [--client-cpu 1] [--corewise-cpus 0] [--markdown FILE] [--json FILE]
        [--tool loadgen|redis-benchmark]";

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on its terminal")]
fn main() -> ExitCode {
    let outcome = match Options::parse() {
        Ok(Some(options)) => run(&options, &mut |line| eprintln!("{line}")),
        Ok(None) => Ok(HELP.to_owned()),
        Err(error) => Err(error),
    };
    match outcome {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("versus: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The figures of one peer under one load: the middle of its rounds.
pub(crate) struct Outcome {
    peer: String,
    workload: String,
    pipeline: usize,
    connections: usize,
    figures: Figures,
}

/// Compares, writes what files were asked for, and returns the tables.
fn run(options: &Options, say: &mut dyn FnMut(&str)) -> Result<String, String> {
    loadgen::build()?;
    let servers = start(options, say)?;
    let mut outcomes = Vec::new();
    for &pipeline in &options.pipelines {
        for &connections in &options.connections {
            for workload in options.workloads() {
                let load = Load {
                    tool: options.tool,
                    workload,
                    pipeline,
                    connections,
                    keys: options.keys,
                    value_size: options.value_size,
                    seconds: options.seconds,
                    client_cpu: options.client_cpu,
                };
                outcomes.extend(compare(&load, &servers, options.rounds, say)?);
            }
        }
    }
    let versions: Vec<_> = servers.iter().map(|server| (server.name.to_owned(), server.version.clone())).collect();
    let report = Report { options, machine: &Machine::this(), servers: &versions, outcomes: &outcomes };
    let write = |file: &Option<String>, text: String| match file {
        Some(path) => fs::write(path, text).map_err(|error| format!("{path} cannot be written: {error}")),
        None => Ok(()),
    };
    write(&options.markdown, report.markdown())?;
    write(&options.json, report.json())?;
    Ok(report.markdown())
}

/// Starts every server that is wanted and there.
fn start(options: &Options, say: &mut dyn FnMut(&str)) -> Result<Vec<Running>, String> {
    let wanted = |name: &str| options.peers.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name));
    let mut servers: Vec<Running> = Vec::new();
    for peer in peers::known(&options.corewise_cpus).into_iter().filter(|peer| wanted(peer.name)) {
        match Running::start(&peer, options.server_cpu) {
            Ok(server) => servers.push(server),
            // A comparison without the server that it is about must not look like one.
            Err(reason) if peer.name == "corewise" => return Err(format!("corewise does not start: {reason}")),
            Err(reason) => say(&format!("{} is left out: {reason}", peer.name)),
        }
    }
    if servers.is_empty() {
        return Err("no server could be started".to_owned());
    }
    Ok(servers)
}

/// One load on every server that can be asked for it, in turn.
fn compare(load: &Load, servers: &[Running], rounds: usize, say: &mut dyn FnMut(&str)) -> Result<Vec<Outcome>, String> {
    let servers: Vec<&Running> = servers.iter().filter(|server| load.can_be_said_in(server.protocol)).collect();
    // The floor knows GET and SET alone.
    let servers: Vec<&Running> =
        servers.into_iter().filter(|server| server.name != "floor" || !load.workload.starts_with(['i', 'm'])).collect();
    let mut figures: Vec<Vec<Figures>> = servers.iter().map(|_| Vec::new()).collect();
    for server in &servers {
        load.fill(server)?;
    }
    for round in 1..=rounds {
        for (server, figures) in servers.iter().zip(&mut figures) {
            let figure = load.drive(server)?;
            say(&format!(
                "{}, pipeline {}, {} connections, round {round}, {}: {:.3} us, {:.0}/s",
                load.workload, load.pipeline, load.connections, server.name, figure.cpu_us, figure.throughput
            ));
            figures.push(figure);
        }
    }
    let outcome = |(server, figures): (&&Running, &Vec<Figures>)| Outcome {
        peer: server.name.to_owned(),
        workload: load.workload.clone(),
        pipeline: load.pipeline,
        connections: load.connections,
        figures: Figures::middle(figures),
    };
    Ok(servers.iter().zip(&figures).map(outcome).collect())
}

//! Corewise beside every peer that is installed: the same load, each server pinned alike, rounds in turn.
//!
//! ```text
//! cargo bench --bench versus -- [--peers redis-server,corewise] [--pipelines 1,16] [--connections 1,50] [--rounds 3]
//!                               [--scale 1.0] [--server-cpu 0] [--client-cpu 1] [--corewise-cpus 0] [--json]
//! ```
//!
//! CPU per operation is what the server's process spent (`/proc/PID/stat`), which is steady on a shared machine where
//! throughput is not. Rounds alternate (A B A B), and the middle of each figure is shown with its ratio to redis-server's.
//! Two servers are never under load at once.

mod load;
mod peers;
mod report;

use std::process::ExitCode;

use load::{Figures, Load};
use peers::{Peer, Running};

/// Operations of one test at full scale, so that each takes about two seconds and the clock tick of `/proc` (10 ms) does
/// not matter.
fn operations(pipeline: usize, connections: usize, scale: f64) -> usize {
    let full = match (pipeline, connections) {
        (1, 1) => 60_000,
        (1, _) => 300_000,
        (_, 1) => 500_000,
        _ => 2_000_000,
    };
    (full as f64 * scale) as usize
}

/// What the command line asks for.
struct Options {
    peers: Option<Vec<String>>,
    pipelines: Vec<usize>,
    connections: Vec<usize>,
    rounds: usize,
    scale: f64,
    server_cpu: usize,
    client_cpu: usize,
    corewise_cpus: String,
    json: bool,
}

impl Options {
    fn parse() -> Result<Option<Options>, String> {
        let mut options = Options {
            peers: None,
            pipelines: vec![1, 16],
            connections: vec![1, 50],
            rounds: 3,
            scale: 1.0,
            server_cpu: 0,
            client_cpu: 1,
            corewise_cpus: "0".to_owned(),
            json: false,
        };
        let mut arguments = std::env::args().skip(1);
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{flag} needs a value"));
            match flag.as_str() {
                // cargo adds this one.
                "--bench" => {}
                "--json" => options.json = true,
                "--peers" => options.peers = Some(value()?.split(',').map(str::to_owned).collect()),
                "--pipelines" => options.pipelines = numbers(&flag, &value()?)?,
                "--connections" => options.connections = numbers(&flag, &value()?)?,
                "--rounds" => options.rounds = number(&flag, &value()?)?,
                "--scale" => options.scale = number(&flag, &value()?)?,
                "--server-cpu" => options.server_cpu = number(&flag, &value()?)?,
                "--client-cpu" => options.client_cpu = number(&flag, &value()?)?,
                "--corewise-cpus" => options.corewise_cpus = value()?,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("there is no flag {flag}")),
            }
        }
        if options.rounds == 0 {
            return Err("--rounds must be at least 1".to_owned());
        }
        Ok(Some(options))
    }
}

fn number<N: std::str::FromStr>(flag: &str, text: &str) -> Result<N, String> {
    text.parse().map_err(|_| format!("{flag} {text}: a number is expected"))
}

fn numbers(flag: &str, text: &str) -> Result<Vec<usize>, String> {
    text.split(',').map(|part| number(flag, part)).collect()
}

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark reports on its terminal")]
fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("versus: [--peers A,B] [--pipelines 1,16] [--connections 1,50] [--rounds 3] [--scale 1.0]");
            println!("        [--server-cpu 0] [--client-cpu 1] [--corewise-cpus 0] [--json]");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("versus: {error}");
            return ExitCode::FAILURE;
        }
    };
    match run(&options, &mut |line| eprintln!("{line}")) {
        Ok(results) if options.json => println!("{}", report::json(&results)),
        Ok(results) => println!("{}", report::markdown(&results)),
        Err(error) => {
            eprintln!("versus: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// The figures of one peer under one load: the middle of its rounds.
pub(crate) struct Outcome {
    /// The peer.
    pub(crate) peer: String,
    /// Requests that are sent before a reply is awaited.
    pub(crate) pipeline: usize,
    /// Connections.
    pub(crate) connections: usize,
    /// The middle of each figure.
    pub(crate) figures: Figures,
}

fn run(options: &Options, say: &mut dyn FnMut(&str)) -> Result<Vec<Outcome>, String> {
    let wanted = |name: &str| options.peers.as_ref().is_none_or(|names| names.iter().any(|wanted| wanted == name));
    let mut servers: Vec<Running> = Vec::new();
    for peer in peers::known(&options.corewise_cpus).into_iter().filter(|peer| wanted(peer.name)) {
        match start(&peer, options) {
            Ok(server) => servers.push(server),
            // A comparison without the server that it is about must not look like one.
            Err(reason) if peer.name == "corewise" => return Err(format!("corewise does not start: {reason}")),
            Err(reason) => say(&format!("{} is left out: {reason}", peer.name)),
        }
    }
    if servers.is_empty() {
        return Err("no server could be started".to_owned());
    }
    let mut outcomes = Vec::new();
    for &pipeline in &options.pipelines {
        for &connections in &options.connections {
            let operations = operations(pipeline, connections, options.scale);
            let load = Load { pipeline, connections, operations, client_cpu: options.client_cpu };
            let mut rounds: Vec<Vec<Figures>> = servers.iter().map(|_| Vec::new()).collect();
            for round in 1..=options.rounds {
                for (server, figures) in servers.iter().zip(&mut rounds) {
                    let figure = load.drive(server)?;
                    say(&format!(
                        "pipeline {pipeline}, {connections} connections, round {round}, {}: {:.3} us, {:.0}/s",
                        server.name, figure.cpu_us, figure.throughput
                    ));
                    figures.push(figure);
                }
            }
            for (server, figures) in servers.iter().zip(&rounds) {
                let figures = Figures::middle(figures);
                outcomes.push(Outcome { peer: server.name.to_owned(), pipeline, connections, figures });
            }
        }
    }
    Ok(outcomes)
}

fn start(peer: &Peer, options: &Options) -> Result<Running, String> {
    if let Some(reason) = peer.why_not {
        return Err(reason.to_owned());
    }
    Running::start(peer, options.server_cpu)
}

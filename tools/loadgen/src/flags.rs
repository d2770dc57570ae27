//! The command line: what can be asked of the program, and what a load is made of.

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::drive::{Load, Pace, Target, Until};
use crate::plan::{Arrivals, KeySpec, Shape, Sizes, Workload};

/// Measures servers that speak the Redis protocol.
#[derive(Debug, Parser)]
#[command(name = "corewise-loadgen", version, about)]
pub struct Flags {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Put one load on a server, and report
    Run(RunFlags),
}

/// A load.
#[derive(Debug, Args)]
pub struct RunFlags {
    /// The server
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:6379")]
    pub server: String,
    /// Connections in all
    #[arg(long, short = 'c', default_value_t = 50)]
    pub connections: usize,
    /// Requests that a connection sends before it waits for replies
    #[arg(long, short = 'P', default_value_t = 1)]
    pub pipeline: usize,
    /// End after so many operations
    #[arg(long, short = 'n')]
    pub requests: Option<u64>,
    /// End after so many seconds
    #[arg(long, value_name = "SECONDS")]
    pub duration: Option<f64>,
    /// What to send
    #[arg(long, default_value = "get")]
    pub workload: String,
    /// How many keys there are
    #[arg(long, default_value_t = 100_000)]
    pub keys: u64,
    /// Bytes of a value
    #[arg(long, default_value_t = 64)]
    pub value_size: u32,
    /// Open loop: requests per second
    #[arg(long)]
    pub rate: Option<f64>,
    /// Process of the server, to report its CPU time
    #[arg(long)]
    pub server_pid: Option<u32>,
    /// CPUs to run on
    #[arg(long, value_delimiter = ',')]
    pub cpus: Vec<usize>,
}

impl RunFlags {
    /// The load that was asked for. The error is a sentence.
    pub fn load(&self) -> Result<Load, String> {
        let shape = Shape {
            keys: KeySpec { count: self.keys, ..KeySpec::default() },
            sizes: Sizes::Fixed(self.value_size),
            ..Shape::default()
        };
        let cpus = corewise::os::cpus::allowed().map_err(|error| error.to_string())?;
        Ok(Load {
            target: Target { server: self.server.clone(), ..Target::default() },
            connections: self.connections,
            pipeline: self.pipeline,
            cpus: if self.cpus.is_empty() {
                cpus.as_slice().iter().map(|cpu| usize::from(*cpu)).collect()
            } else {
                self.cpus.clone()
            },
            workload: Arc::new(Workload::parse(&self.workload, shape).map_err(|error| error.to_string())?),
            seed: 1,
            pace: match self.rate {
                Some(rate) => Pace::Open { rate, arrivals: Arrivals::Poisson },
                None => Pace::Closed { think: Duration::ZERO },
            },
            until: match (self.requests, self.duration) {
                (Some(requests), _) => Until::Operations(requests),
                (None, seconds) => Until::Elapsed(Duration::from_secs_f64(seconds.unwrap_or(10.0))),
            },
            warmup: Duration::ZERO,
            server_pid: self.server_pid,
            check: None,
        })
    }
}

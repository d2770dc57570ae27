//! The command line: what can be asked of the program, and what a load is made of.
//!
//! The flags of a load come in groups, so that every mode takes the same ones under the same names: [`TargetFlags`] (the
//! server), [`ClientFlags`] (connections and threads), [`WorkloadFlag`] and [`ShapeFlags`] (what is sent),
//! [`PaceFlags`] (when, and how long), [`OutputFlags`] (what is reported). [`load`] puts them together.

mod client;
mod output;
mod pace;
mod process;
mod settings;
mod shape;
mod target;

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

pub use client::ClientFlags;
pub use output::OutputFlags;
pub use pace::PaceFlags;
pub use settings::settings;
pub use shape::{ShapeFlags, WorkloadFlag};
pub use target::{Password, ServerPid, TargetFlags};

use crate::drive::{Load, Pace, Until};
use crate::modes::check::CheckFlags;
use crate::modes::compare::CompareFlags;
use crate::modes::fill::FillFlags;
use crate::modes::replay::ReplayFlags;
use crate::modes::search::SearchFlags;
use crate::plan::{Shape, Workload, quantity};

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
    /// Find the highest rate at which a server still holds a latency goal
    Search(SearchFlags),
    /// Put the same load on two servers in turn, and report the ratio
    Compare(CompareFlags),
    /// Put a load on a server and verify every reply; exit status 3 if one is wrong
    Check(CheckFlags),
    /// Replay a recorded trace with the server as its cache, for hit ratios
    Replay(ReplayFlags),
    /// Store every key once
    Fill(FillFlags),
}

/// A load.
#[derive(Clone, Debug, Args)]
pub struct RunFlags {
    /// The server.
    #[command(flatten)]
    pub target: TargetFlags,
    /// What is sent.
    #[command(flatten)]
    pub workload: WorkloadFlag,
    /// From where.
    #[command(flatten)]
    pub client: ClientFlags,
    /// Its keys and values.
    #[command(flatten)]
    pub shape: ShapeFlags,
    /// When, and how long.
    #[command(flatten)]
    pub pace: PaceFlags,
    /// What is reported.
    #[command(flatten)]
    pub output: OutputFlags,
    /// List each operation that took longer than this, with the moment at which it was due (in the JSON report; the first
    /// 100,000)
    #[arg(long, value_name = "TIME", value_parser = quantity::duration, requires = "json", help_heading = "Output")]
    pub slow: Option<Duration>,
}

impl RunFlags {
    /// The load that was asked for. The error is a sentence.
    pub fn load(&self) -> Result<Load, String> {
        let load = load(&self.target, &self.client, &self.workload.workload, &self.shape)?;
        Ok(Load { slow: self.slow, ..self.pace.apply(load) })
    }
}

/// The load that these flags ask for, with this workload, in a closed loop until it is done or for the usual time. The
/// error is a sentence.
pub fn load(target: &TargetFlags, client: &ClientFlags, workload: &str, shape: &ShapeFlags) -> Result<Load, String> {
    load_of(target, client, workload, shape.shape(target), shape.seed)
}

/// The same with a shape that flags alone do not make.
pub fn load_of(
    target: &TargetFlags,
    client: &ClientFlags,
    workload: &str,
    shape: Shape,
    seed: u64,
) -> Result<Load, String> {
    let workload = Workload::parse(workload, shape).map_err(|error| error.to_string())?;
    Ok(Load {
        target: target.target()?,
        connections: client.connections,
        pipeline: client.pipeline,
        cpus: client.cpus()?,
        until: if workload.ends() { Until::Done } else { Until::Elapsed(pace::DURATION_DEFAULT) },
        workload: Arc::new(workload),
        seed,
        pace: Pace::Closed { think: Duration::ZERO },
        warmup: Duration::ZERO,
        server_pid: target.server_pid()?,
        check: None,
        slow: None,
    })
}

#[cfg(test)]
mod tests;

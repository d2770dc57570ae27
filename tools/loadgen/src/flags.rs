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

use clap::{Args, Parser, Subcommand};

pub use client::ClientFlags;
pub use output::OutputFlags;
pub use pace::PaceFlags;
pub use settings::settings;
pub use shape::{ShapeFlags, WorkloadFlag};
pub use target::{Password, ServerPid, TargetFlags};

use crate::drive::{Load, Until};

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
}

impl RunFlags {
    /// The load that was asked for. The error is a sentence.
    pub fn load(&self) -> Result<Load, String> {
        load(&self.target, &self.client, &self.workload.workload, &self.shape, &self.pace)
    }
}

/// The load that these flags ask for, with this workload. The error is a sentence.
pub fn load(
    target: &TargetFlags,
    client: &ClientFlags,
    workload: &str,
    shape: &ShapeFlags,
    pace: &PaceFlags,
) -> Result<Load, String> {
    let workload = shape.workload(workload, target)?;
    let until = match pace.until() {
        // What has an end is done then, unless something else was asked for.
        None if workload.ends() => Until::Done,
        None => Until::Elapsed(pace::DURATION_DEFAULT),
        Some(until) => until,
    };
    Ok(Load {
        target: target.target()?,
        connections: client.connections,
        pipeline: client.pipeline,
        cpus: client.cpus()?,
        workload: Arc::new(workload),
        seed: shape.seed,
        pace: pace.pace(),
        until,
        warmup: pace.warmup,
        server_pid: target.server_pid()?,
    })
}

#[cfg(test)]
mod tests;

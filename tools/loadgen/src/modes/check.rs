//! `check`: a load whose replies are verified, for tests with faults.

use clap::Args;
use rand::rngs::SmallRng;
use rand::{RngCore, SeedableRng};

use crate::drive::{CheckSpec, Load};
use crate::flags::{ClientFlags, OutputFlags, PaceFlags, ShapeFlags, TargetFlags};
use crate::plan::{KeySpec, Shape};

/// What the names of keys begin with.
const PREFIX: &str = "check:";

/// A load whose replies are verified.
#[derive(Debug, Args)]
pub struct CheckFlags {
    #[command(flatten)]
    target: TargetFlags,
    #[command(flatten)]
    client: ClientFlags,
    /// How many GETs to how many SETs
    #[arg(long, value_name = "READS:WRITES", default_value = "1:1", help_heading = "Load")]
    mix: String,
    /// The server may have dropped a key (it evicts, or was started anew): that nothing is there is not a fault then
    #[arg(long, help_heading = "Load")]
    may_forget: bool,
    #[command(flatten)]
    shape: ShapeFlags,
    #[command(flatten)]
    pace: PaceFlags,
    #[command(flatten)]
    output: OutputFlags,
}

/// Verifies while it loads, and reports what was found. True if there was no fault.
pub fn run(flags: &CheckFlags) -> Result<bool, String> {
    let shape = flags.shape.shape(&flags.target);
    // Names of its own, as under the usual ones there may be values that nobody can check.
    let prefix = shape.keys.prefix.or_else(|| Some(PREFIX.to_owned()));
    let marked = Shape { keys: KeySpec { prefix, ..shape.keys }, marked: true, ..shape };
    let mix = format!("mixed {}", flags.mix);
    let load = crate::flags::load_of(&flags.target, &flags.client, &mix, marked, flags.shape.seed)?;
    let may_forget = flags.may_forget || load.workload.shape().ttl_s.is_some();
    let run = SmallRng::from_os_rng().next_u32();
    let load = Load { check: Some(CheckSpec { run, may_forget }), ..flags.pace.apply(load) };
    let findings = super::report("check", &load, &flags.output)?;
    Ok(findings.fault_count == 0)
}

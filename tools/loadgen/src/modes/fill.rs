//! `fill`: every key once, as fast as the server takes them.

use std::time::Duration;

use clap::Args;

use crate::drive::{Load, Pace, Until};
use crate::flags::{ClientFlags, OutputFlags, ShapeFlags, TargetFlags, load};

/// Keys to be stored.
#[derive(Debug, Args)]
pub struct FillFlags {
    #[command(flatten)]
    target: TargetFlags,
    #[command(flatten)]
    client: ClientFlags,
    #[command(flatten)]
    shape: ShapeFlags,
    #[command(flatten)]
    output: OutputFlags,
}

/// Stores every key once, and reports what was found.
pub fn run(flags: &FillFlags) -> Result<(), String> {
    let pace = Pace::Closed { think: Duration::ZERO };
    let shaped = load(&flags.target, &flags.client, "fill", &flags.shape)?;
    let load = Load { pace, until: Until::Done, ..shaped };
    let findings = super::report("fill", &load, &flags.output)?;
    match findings.counted.total().errors + findings.unanswered {
        0 => Ok(()),
        missing => Err(format!("{missing} of {} keys were not stored", load.workload.shape().keys.count)),
    }
}

//! `compare`: two servers in turn, A B A B, so that whatever the machine does meanwhile happens to both.

use clap::Args;

use crate::drive::{self, Load};
use crate::flags::{ClientFlags, OutputFlags, PaceFlags, ShapeFlags, TargetFlags, WorkloadFlag, load, settings};
use crate::measure::Findings;
use crate::report::ratio::{Comparison, Round, Side, joined};

/// Two servers, and what to do to each.
#[derive(Debug, Args)]
pub struct CompareFlags {
    #[command(flatten)]
    target: TargetFlags,
    /// The server to compare with the first; ratios are those of this one to the first
    #[arg(long, value_name = "HOST:PORT", help_heading = "Server")]
    with: String,
    /// Process of the second server, to compare CPU time (with --server-pid for the first)
    #[arg(long, value_name = "PID", help_heading = "Server")]
    with_pid: Option<u32>,
    #[command(flatten)]
    workload: WorkloadFlag,
    #[command(flatten)]
    client: ClientFlags,
    #[command(flatten)]
    shape: ShapeFlags,
    #[command(flatten)]
    pace: PaceFlags,
    /// Rounds, each with a run on the first and a run on the second server
    #[arg(long, value_name = "N", default_value_t = 5)]
    rounds: u32,
    #[command(flatten)]
    output: OutputFlags,
}

/// Compares, and reports what was found.
pub fn run(flags: &CompareFlags) -> Result<(), String> {
    if flags.rounds == 0 {
        return Err("--rounds 0: at least one round is needed".to_owned());
    }
    let outputs = super::outputs(&flags.output);
    outputs.check()?;
    let first = load(&flags.target, &flags.client, &flags.workload.workload, &flags.shape)?;
    let first = flags.pace.apply(first);
    let second = Load { target: first.target.at(&flags.with), server_pid: flags.with_pid, ..first.clone() };
    let mut bar = super::steps("comparing", u64::from(flags.rounds) * 2, &flags.output);
    let mut found = [Vec::new(), Vec::new()];
    for _ in 0..flags.rounds {
        for (load, found) in [&first, &second].into_iter().zip(&mut found) {
            found.push(drive::run(load, &mut |_| {}).map_err(|error| error.to_string())?);
            bar.iter_mut().for_each(|bar| bar.add(1));
        }
    }
    drop(bar);
    let sides = |found: &[Findings]| found.iter().map(Side::of).collect::<Vec<_>>();
    let (a, b) = (sides(&found[0]), sides(&found[1]));
    let rounds: Vec<Round> = a.into_iter().zip(b).map(|(a, b)| Round { a, b }).collect();
    let settings = settings(&first);
    let comparison = Comparison {
        title: "compare",
        settings: &settings,
        names: [&first.target.server, &second.target.server],
        rounds: &rounds,
        findings: [&joined(&found[0]), &joined(&found[1])],
    };
    outputs.deliver(&comparison, &mut std::io::stdout().lock())
}

//! `run`: one load, one report.

use std::io;

use crate::drive::{self, Load, Pace, Until};
use crate::flags::RunFlags;
use crate::plan::Arrivals;
use crate::report::live::Live;
use crate::report::{Outputs, Report};

/// Puts the load on the server and reports what was found. What is returned is left to be printed; the error is a
/// sentence.
pub fn run(flags: &RunFlags) -> Result<String, String> {
    let load = flags.load()?;
    let outputs = Outputs::default();
    outputs.check()?;
    let mut live = Live::new("run");
    let found = drive::run(&load, &mut |progress| live.watch(progress));
    live.finish();
    let findings = found.map_err(|error| error.to_string())?;
    let settings = settings(&flags.workload, &load);
    let title = format!("run: {} on {}", flags.workload, load.target.server);
    let report = Report { title: &title, settings: &settings, findings: &findings, goal: None };
    outputs.deliver(&report, &mut io::stdout().lock())?;
    Ok(String::new())
}

/// What a load was asked to be, as reports show it.
pub fn settings(workload: &str, load: &Load) -> Vec<(String, String)> {
    let shape = load.workload.shape();
    let pace = match load.pace {
        Pace::Closed { think } if think.is_zero() => "closed loop".to_owned(),
        Pace::Closed { think } => format!("closed loop, {think:?} between requests"),
        Pace::Open { rate, arrivals: Arrivals::Poisson } => format!("open loop, {rate} requests/s, Poisson"),
        Pace::Open { rate, arrivals: Arrivals::Constant } => format!("open loop, {rate} requests/s, equal gaps"),
    };
    let end = match load.until {
        Until::Operations(operations) => ("operations", operations.to_string()),
        Until::Elapsed(time) => ("duration", format!("{time:?}")),
        Until::Done => ("until", "the end of the workload".to_owned()),
    };
    let threads = load.cpus.len().min(load.connections);
    let mut settings = vec![
        ("server", load.target.server.clone()),
        ("workload", workload.to_owned()),
        ("connections", load.connections.to_string()),
        ("pipeline", load.pipeline.to_string()),
        ("threads", threads.to_string()),
        ("keys", shape.keys.count.to_string()),
        ("pace", pace),
        end,
        ("seed", load.seed.to_string()),
    ];
    if !load.warmup.is_zero() {
        settings.push(("warm-up", format!("{:?}", load.warmup)));
    }
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

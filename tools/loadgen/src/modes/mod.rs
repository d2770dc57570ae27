//! The commands of the program: who asks for what, in which order.
//!
//! A mode reads its flags, drives, and reports on the standard output. Its error is a sentence.

pub mod check;
pub mod compare;
pub mod fill;
pub mod replay;
pub mod run;
pub mod search;

use std::io;

use crate::drive::{self, Load};
use crate::flags::{OutputFlags, settings};
use crate::measure::Findings;
use crate::report::live::{Bar, Counted, Live};
use crate::report::{Outputs, Report};

/// Runs one load with a live line, and reports it.
fn report(title: &str, load: &Load, output: &OutputFlags) -> Result<Findings, String> {
    let outputs = outputs(output);
    outputs.check()?;
    let mut live = (!output.quiet).then(|| Live::new(title));
    let watch = &mut |progress: &drive::Progress| {
        if let Some(live) = &mut live {
            live.watch(progress);
        }
    };
    let found = drive::run(load, watch);
    drop(live);
    let findings = found.map_err(|error| error.to_string())?;
    let report = Report { title, settings: &settings(load), findings: &findings, goal: None };
    outputs.deliver(&report, &mut io::stdout().lock())?;
    Ok(findings)
}

/// A bar for so many steps, unless none is wanted.
fn steps(title: &str, count: u64, output: &OutputFlags) -> Option<Bar> {
    (!output.quiet).then(|| Bar::new(title, Counted::Steps, Some(count)))
}

fn outputs(flags: &OutputFlags) -> Outputs {
    Outputs { json: flags.json, hgrm: flags.hgrm.clone(), svg: flags.svg.clone() }
}

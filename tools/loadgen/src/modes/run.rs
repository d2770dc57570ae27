//! `run`: one load, one report.

use crate::drive;
use crate::flags::RunFlags;
use crate::report::{Report, table};

/// Puts the load on the server and prints what was found. The error is a sentence.
pub fn run(flags: &RunFlags) -> Result<String, String> {
    let load = flags.load()?;
    let findings = drive::run(&load, &mut |_| {}).map_err(|error| error.to_string())?;
    Ok(table::table(&Report { title: "run", settings: &[], findings: &findings }))
}

//! `run`: one load, one report.

use crate::flags::RunFlags;

/// Puts the load on the server and reports what was found.
pub fn run(flags: &RunFlags) -> Result<(), String> {
    super::report("run", &flags.load()?, &flags.output).map(drop)
}

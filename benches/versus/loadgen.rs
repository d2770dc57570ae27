//! The load generator's program: its release build, and the JSON that it prints.

use std::env;
use std::io;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// A command that runs the load generator's release build, which lies two directories above this program: directly, or as
/// the argument of a command that runs others in its own way.
pub(crate) fn command(launcher: Option<Command>) -> Result<Command, String> {
    let own = env::current_exe().map_err(|error| error.to_string())?;
    let program = own.ancestors().nth(2).map(|directory| directory.join("corewise-loadgen"));
    let program = program.ok_or_else(|| format!("{} has no directory above it", own.display()))?;
    let mut command = match launcher {
        Some(mut launcher) => {
            launcher.arg(program);
            launcher
        }
        None => Command::new(program),
    };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Ok(command)
}

/// What it has found, or what it says about why not.
pub(crate) fn found(output: io::Result<Output>) -> Result<Value, String> {
    let output = output.map_err(|error| format!("corewise-loadgen: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("corewise-loadgen's JSON: {error}"))
}

/// Builds the load generator; cargo builds only this package's own programs for a benchmark.
pub(crate) fn build() -> Result<(), String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--release", "--quiet", "--package", "corewise-loadgen"]);
    let status = build.status().map_err(|error| format!("{build:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err("corewise-loadgen cannot be built".to_owned()) }
}

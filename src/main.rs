//! The `corewise` binary: flags to configuration to boot; errors as sentences and exit codes.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use corewise::config::flags::{self, Invocation, Launch};
use corewise::config::{Loaded, Written, WrittenFile, load, manual};
use corewise::os::signals::Signals;
use corewise::os::{files, heap, memory, ping, process};
use corewise::runtime;

#[global_allocator]
static HEAP: heap::Heap = heap::Heap;

/// Everything is as it should be.
const OK: u8 = 0;
/// The server could not start, or had to stop; `ping` got no answer.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let environment = process::environment();
    let outcome = match flags::parse(std::env::args_os(), &environment) {
        Ok(Invocation::Serve(launch)) => serve(&launch, &environment),
        Ok(Invocation::CheckConfig(launch)) => check_config(&launch, &environment),
        Ok(Invocation::Ping(target)) => ping::ping(&target).map(|()| say("PONG")),
        Ok(Invocation::Completions(shell)) => print(&manual::completions(shell)),
        Ok(Invocation::Man) => print(&manual::page()),
        Err(error) => error.exit(),
    };
    match outcome {
        Ok(()) => ExitCode::from(OK),
        Err(sentence) => {
            // Nothing is left to be done if even the standard error is closed.
            let _ = writeln!(std::io::stderr(), "corewise: {sentence}");
            ExitCode::from(FAILED)
        }
    }
}

fn serve(launch: &Launch, environment: &[(String, String)]) -> Result<(), String> {
    let signals = Signals::take().map_err(|error| format!("signals cannot be received: {error}"))?;
    let Loaded { config, notices } = configuration(launch, environment)?;
    let level = runtime::init_log(config.loglevel, config.logfile.as_deref())?;
    for notice in notices {
        tracing::warn!("{notice}");
    }
    let start = runtime::Start { config, config_file: launch.config.clone(), level, signals: &signals };
    runtime::run(start, |summary| say(&summary.to_string())).map_err(|error| error.to_string())
}

fn check_config(launch: &Launch, environment: &[(String, String)]) -> Result<(), String> {
    let Loaded { config, notices } = configuration(launch, environment)?;
    for notice in notices {
        say(&format!("note: {notice}"));
    }
    for (name, value) in config.get(&[b"*"], corewise::base::glob_matches_ignoring_case) {
        say(&format!("{name} {value}"));
    }
    Ok(())
}

fn configuration(launch: &Launch, environment: &[(String, String)]) -> Result<Loaded, String> {
    let text = launch.config.as_deref().map(files::read_text).transpose()?;
    let file = launch.config.as_deref().zip(text.as_deref()).map(|(path, text)| WrittenFile { path, text });
    let written = Written { flags: &launch.flags, environment, file, memory_bytes: memory::usable_bytes() };
    load(&written).map_err(|error| error.to_string())
}

/// A line for whoever started the program.
fn say(line: &str) {
    // A closed standard output is no reason to stop serving.
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A text that was asked for, whole.
fn print(text: &[u8]) -> Result<(), String> {
    match std::io::stdout().write_all(text) {
        // Whoever reads has seen enough (`corewise man | head`).
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| format!("the standard output cannot be written: {error}")),
    }
}

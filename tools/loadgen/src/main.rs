//! `corewise-loadgen`: the load generator of Corewise.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use corewise_loadgen::flags::{Command, Flags};
use corewise_loadgen::modes;

fn main() -> ExitCode {
    let outcome = match Flags::parse().command {
        Command::Run(flags) => modes::run::run(&flags),
    };
    match outcome {
        Ok(text) => {
            // A closed standard output wants no more.
            let _ = std::io::stdout().write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(sentence) => {
            let _ = writeln!(std::io::stderr(), "corewise-loadgen: {sentence}");
            ExitCode::FAILURE
        }
    }
}

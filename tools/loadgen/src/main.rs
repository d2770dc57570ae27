//! `corewise-loadgen`: the load generator of Corewise.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use corewise_loadgen::flags::{Command, Flags};
use corewise_loadgen::modes;

/// A check found that the server answered wrongly.
const FAULTS: u8 = 3;

fn main() -> ExitCode {
    let outcome = match Flags::parse().command {
        Command::Run(flags) => modes::run::run(&flags).map(|()| true),
        Command::Search(flags) => modes::search::run(&flags).map(|()| true),
        Command::Compare(flags) => modes::compare::run(&flags).map(|()| true),
        Command::Check(flags) => modes::check::run(&flags),
        Command::Replay(flags) => modes::replay::run(&flags).map(|()| true),
        Command::Fill(flags) => modes::fill::run(&flags).map(|()| true),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(FAULTS),
        Err(sentence) => {
            // Nothing is left to be done if even the standard error is closed.
            let _ = writeln!(std::io::stderr(), "corewise-loadgen: {sentence}");
            ExitCode::FAILURE
        }
    }
}

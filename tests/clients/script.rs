//! Runs a script against a server and reads what it says of its sections.

use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use corewise_harness::Server;

use crate::Outcome;
use crate::install::Script;

/// How long a script may take: all of its sections take seconds, and one that hangs gives up after ten.
const PATIENCE: Duration = Duration::from_secs(50);

/// Carries out the script; if it ends before its last section, or not at all, that is an outcome as well.
pub(crate) fn run(script: &Script, server: &Server, protocol: u8) -> Vec<Outcome> {
    let (said, complained) = (server.directory().join("script.stdout"), server.directory().join("script.stderr"));
    let mut child = Command::new(&script.program)
        .args(&script.arguments)
        .args([server.address().port().to_string(), protocol.to_string()])
        .current_dir(server.directory())
        .stdin(Stdio::null())
        .stdout(File::create(&said).expect("a file in the server's directory"))
        .stderr(File::create(&complained).expect("a file in the server's directory"))
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", script.program.display()));
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().expect("the child is ours").is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = child.kill();
    let status = child.wait().expect("the child is ours");
    let said = fs::read_to_string(said).unwrap_or_default();
    let mut outcomes: Vec<Outcome> = said.lines().filter_map(outcome).collect();
    if said.lines().last() != Some("done") {
        let complained = fs::read_to_string(complained).unwrap_or_default();
        let failure = format!("it ended early or hung ({status}) after:\n{said}{complained}");
        outcomes.push(Outcome { section: "the script as a whole".to_owned(), failure: Some(failure) });
    }
    outcomes
}

/// Reads `ok NAME` and `FAILED NAME: WHY`.
fn outcome(line: &str) -> Option<Outcome> {
    if let Some(section) = line.strip_prefix("ok ") {
        return Some(Outcome { section: section.to_owned(), failure: None });
    }
    let (section, failure) = line.strip_prefix("FAILED ")?.split_once(": ")?;
    Some(Outcome { section: section.to_owned(), failure: Some(failure.to_owned()) })
}

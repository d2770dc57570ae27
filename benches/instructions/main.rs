//! Instructions per request, counted by callgrind: the turns of `turn`, and figures that do not depend on what else the
//! machine does. GET and SET in every way, and the default tests of redis-benchmark on one core.
//!
//! ```text
//! cargo bench --bench instructions
//! ```
//!
//! The program runs itself under valgrind, once with N pipelines and once with 2 N: start, set-up and warm-up cancel out
//! of the difference. The profiles of the longer runs stay in `target/tmp`, for `callgrind_annotate`.

#[path = "../turn/node.rs"]
mod node;
mod redis_benchmark;

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::{Command, ExitCode};

use node::{DEPTH, Node, Verb, Way};
use redis_benchmark::Test;

const PIPELINES: usize = 500;
/// Stands in the place of a way for the tests of redis-benchmark.
const TEST: &str = "Test";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        [flag, way, verb, pipelines] if flag == "--send" => send(way, verb, pipelines).map(|()| String::new()),
        _ if !is_installed() => {
            Ok("*** NOT MEASURED: valgrind is not installed; there are no instruction counts ***\n".to_owned())
        }
        _ => table(),
    };
    match outcome.and_then(|text| io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There is nowhere left to say that nobody can be told.
            let _ = writeln!(io::stderr(), "instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

fn is_installed() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// The figures side by side, and those of one core below each other.
fn table() -> Result<String, String> {
    let mut text = format!("instructions per request, pipeline of {DEPTH}\n\n|  |");
    let _ = writeln!(text, "{}", Way::ALL.map(|way| format!(" {way:?} |")).concat().to_lowercase());
    let _ = writeln!(text, "|---|{}", "---|".repeat(Way::ALL.len()));
    for verb in Verb::ALL {
        let _ = write!(text, "| {} |", format!("{verb:?}").to_uppercase());
        for way in Way::ALL {
            let _ = write!(text, " {} |", per_request(&format!("{way:?}"), &format!("{verb:?}"))?);
        }
        text.push('\n');
    }
    let _ = writeln!(text, "\n| redis-benchmark's | lone |\n|---|---|");
    for test in Test::ALL {
        let name = format!("{test:?}");
        let _ = writeln!(text, "| {} | {} |", name.to_uppercase(), per_request(TEST, &name)?);
    }
    Ok(text)
}

/// `way` is a [`Way`] and `verb` a [`Verb`], or [`TEST`] and a [`Test`].
fn per_request(way: &str, verb: &str) -> Result<u64, String> {
    let once = count(way, verb, PIPELINES)?;
    let twice = count(way, verb, 2 * PIPELINES)?;
    let spent = twice.checked_sub(once).ok_or("twice the work took fewer instructions")?;
    Ok(spent / (PIPELINES * DEPTH) as u64)
}

/// All instructions of a run of this program that sends so many pipelines.
fn count(way: &str, verb: &str, pipelines: usize) -> Result<u64, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let name = format!("callgrind-{verb}-{way}.out").to_lowercase();
    let profile = concat!(env!("CARGO_TARGET_TMPDIR"), "/").to_owned() + &name;
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", &format!("--callgrind-out-file={profile}")]).arg(own);
    command.args(["--send", way, verb, &pipelines.to_string()]);
    let output = command.output().map_err(|error| format!("valgrind: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // It ends with `==PID== Collected : 123456`.
    let collected = said.lines().find_map(|line| line.split_once("Collected :")?.1.trim().parse().ok());
    collected.filter(|_| output.status.success()).ok_or_else(|| format!("{command:?} says:\n{said}"))
}

/// What runs under valgrind.
fn send(way: &str, verb: &str, pipelines: &str) -> Result<(), String> {
    let pipelines: usize = pipelines.parse().map_err(|_| "--send takes a number of pipelines")?;
    let mut node = if way == TEST {
        Test::ALL.into_iter().find(|known| format!("{known:?}") == verb).ok_or("no such test")?.node()
    } else {
        let way = Way::ALL.into_iter().find(|known| format!("{known:?}") == way).ok_or("no such way")?;
        Node::new(way, Verb::ALL.into_iter().find(|known| format!("{known:?}") == verb).ok_or("no such verb")?)
    };
    (0..pipelines).for_each(|_| node.send());
    Ok(())
}

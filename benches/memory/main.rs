//! The measurements of the keyspace, each beside the bar that it is held against.
//!
//! ```text
//! cargo bench --bench memory -- bytes     resident bytes of a key beyond its name and value
//! cargo bench --bench memory -- collections     resident bytes of hashes, lists, sets, sorted sets, beside redis-server's
//! cargo bench --bench memory -- growth    latency of others while the table grows and shrinks; what memory comes back
//! cargo bench --bench memory -- drop      latency of others while a large collection is deleted
//! cargo bench --bench memory -- turns      length of a core's turns meanwhile, with the machine's noise taken out
//! cargo bench --bench memory -- expiry    how soon the memory of expired keys is back if nobody touches them
//! cargo bench --bench memory -- mixed     a small memory limit under values of 16 B to 1 MB, for every policy
//! cargo bench --bench memory -- traces --traces DIR     miss ratios of recorded traces, beside redis-server's
//! ```
//!
//! Without a measurement it makes a quick one of bytes. Each has flags of its own (`-- bytes --help`); all of them take
//! `--server PATH` and `--flags 'FLAGS'` for another program than the one that cargo has just built, `--server-kind
//! redis` if it takes redis-server's flags, `--json`, and `--check`, by which a missed bar becomes exit status 1. What
//! cannot be measured at all is exit status 2.
//!
//! The server has CPU 0 (or what `--cpus` says) and everything that drives it CPU 1. Memory is what the kernel says is
//! resident, not what the server accounts for: the difference between the two is half of what there is to find. Latencies
//! and turns are shown as they were, and as they were without the moments at which the machine stood still (`own`); the
//! bars are about the latter.

mod bytes;
mod collections;
mod drop;
mod expiry;
mod growth;
mod loader;
#[path = "../versus/loadgen.rs"]
mod loadgen;
#[path = "../versus/machine.rs"]
mod machine;
mod mixed;
mod probe;
mod report;
mod server;
mod stalls;
mod traces;
mod turn_watch;
mod turns;
mod wire;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use corewise::os::heap::Heap;
use corewise_harness::split_words;
use rustix::thread::{CpuSet, sched_setaffinity};

use machine::Machine;
use probe::Probe;
use report::Report;
use server::Subject;

/// That of the server, for the engines that run in this process.
#[global_allocator]
static HEAP: Heap = Heap;

/// What all measurements need to know.
pub(crate) struct Bench {
    /// The server under test.
    pub(crate) subject: Subject,
    /// The CPU of whatever drives it.
    pub(crate) client_cpu: usize,
    /// The CPUs to run it on; several ways if the measurement knows what to do with them.
    cpus: Vec<String>,
    /// Where servers listen, if it must be a certain port.
    pub(crate) port: Option<u16>,
}

impl Bench {
    fn new(matches: &ArgMatches) -> Result<Bench, String> {
        let server = matches.get_one::<PathBuf>("server").map(PathBuf::as_path);
        let flags = split_words(matches.get_one::<String>("flags").map_or("", String::as_str));
        let flags = flags.iter().map(|flag| String::from_utf8_lossy(flag).into_owned()).collect();
        let port = matches.get_one("port").copied();
        let subject = match matches.get_one::<String>("server-kind").map(String::as_str) {
            Some("redis") => Subject::redis(server, flags, port)?,
            _ => Subject::corewise(server, flags, port)?,
        };
        let cpus = matches.get_many::<String>("cpus").unwrap_or_default().cloned().collect();
        let client_cpu = matches.get_one("client-cpu").copied().unwrap_or_default();
        Ok(Bench { subject, client_cpu, cpus, port })
    }

    /// Every list of CPUs to measure on.
    pub(crate) fn cpu_lists(&self, default: &[&str]) -> Vec<String> {
        if self.cpus.is_empty() { default.iter().map(|&cpus| cpus.to_owned()).collect() } else { self.cpus.clone() }
    }

    /// An open loop of so many GETs per second, beside a server on `cpus()`.
    pub(crate) fn probe(&self, rate: u64) -> Probe {
        Probe { server_cpus: self.cpus().to_owned(), cpu: self.client_cpu, rate }
    }

    /// The CPUs to run on, for measurements that are made on one list.
    pub(crate) fn cpus(&self) -> &str {
        self.cpus.first().map_or("0", String::as_str)
    }
}

/// The command line. Flags that all measurements share may stand before or behind the measurement's name.
fn command() -> Command {
    let flag = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help).global(true)
    };
    let switch = |name, help| Arg::new(name).long(name).help(help).global(true).action(ArgAction::SetTrue);
    Command::new("memory")
        .about("Measures the keyspace, beside the bars that it is held against")
        .arg(flag("server", "PATH", "The server [default: what cargo has built]").value_parser(value_parser!(PathBuf)))
        .arg(
            flag("server-kind", "KIND", "Whose flags the server takes")
                .value_parser(["corewise", "redis"])
                .default_value("corewise"),
        )
        .arg(flag("flags", "FLAGS", "Further flags for the server").allow_hyphen_values(true))
        .arg(
            flag("cpus", "LIST", "CPUs of the server: 0 or 0,1; for `bytes` it may be given twice [default: 0]")
                .action(ArgAction::Append),
        )
        .arg(
            flag("client-cpu", "CPU", "CPU of the load")
                .value_parser(value_parser!(usize))
                .default_value(if std::thread::available_parallelism().map_or(1, usize::from) > 1 { "1" } else { "0" }),
        )
        .arg(flag("port", "PORT", "Port of the server [default: a free one]").value_parser(value_parser!(u16)))
        .arg(switch("json", "Print JSON"))
        .arg(switch("check", "Exit with 1 if a bar is missed"))
        // cargo adds this one.
        .arg(switch("bench", "").hide(true))
        .subcommands([
            bytes::command(),
            collections::command(),
            growth::command(),
            drop::command(),
            turns::command(),
            expiry::command(),
            mixed::command(),
            traces::command(),
        ])
}

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|first| first == stalls::WITNESS) {
        return stalls::witness();
    }
    let matches = command().get_matches();
    let outcome = measure(&matches).and_then(|(text, holds)| {
        io::stdout().write_all(text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(holds)
    });
    match outcome {
        Ok(holds) if holds || !matches.get_flag("check") => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            say(&format!("memory: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Makes the measurement, and returns what to print and whether all bars hold.
fn measure(matches: &ArgMatches) -> Result<(String, bool), String> {
    corewise::os::heap::set_up();
    let bench = Bench::new(matches)?;
    // Asked before the process is pinned: it would see one CPU after that.
    let machine = Machine::this().line();
    if matches!(matches.subcommand_name(), Some("drop" | "growth" | "traces")) {
        loadgen::build()?;
    }
    pin(bench.client_cpu)?;
    let report: Report = match matches.subcommand() {
        Some(("growth", matches)) => growth::run(&bench, matches)?,
        Some(("collections", matches)) => collections::run(&bench, matches)?,
        Some(("drop", matches)) => drop::run(&bench, matches)?,
        Some(("turns", matches)) => turns::run(&bench, matches),
        Some(("expiry", matches)) => expiry::run(&bench, matches)?,
        Some(("mixed", matches)) => mixed::run(&bench, matches)?,
        Some(("traces", matches)) => traces::run(&bench, matches)?,
        Some((_, matches)) => bytes::run(&bench, matches)?,
        None => bytes::quick(&bench)?,
    };
    let server = bench.subject.line();
    let text = if matches.get_flag("json") { report.json(&machine, &server) } else { report.text(&machine, &server) };
    Ok((text, report.holds()))
}

/// Keeps this process, and the load generators that it starts, on one CPU.
fn pin(cpu: usize) -> Result<(), String> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set).map_err(|error| format!("CPU {cpu} cannot be used: {error}"))
}

/// Tells people how it goes.
pub(crate) fn say(text: &str) {
    // Nobody listens if this fails.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Reads a number of things: 5000, 250k, 10m.
pub(crate) fn count(text: &str) -> Result<u64, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'k' | b'K') => (&text[..text.len() - 1], 1_000),
        Some(b'm' | b'M') => (&text[..text.len() - 1], 1_000_000),
        _ => (text, 1),
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).filter(|number| *number > 0);
    number.ok_or_else(|| "a number above zero is expected: 5000, 250k, 10m".to_owned())
}

/// A flag that takes a number of things.
pub(crate) fn count_flag(name: &'static str, default: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name("COUNT").help(help).default_value(default).value_parser(count)
}

/// The value of such a flag.
pub(crate) fn counted(matches: &ArgMatches, name: &str) -> u64 {
    matches.get_one(name).copied().unwrap_or_default()
}

//! The server that is measured: how it is started, and what is read of it.
//!
//! Any program that speaks the Redis protocol and takes flags as Corewise or as redis-server does can be put here. What
//! it says of itself comes from INFO; its resident memory comes from the kernel, which is no party to it.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use corewise_harness::{Client, Kind, Server, Value, Variant, program};

use crate::machine::version;

/// Memory limit of the measurements that are not about the limit: none of them comes near it.
const ROOMY: &str = "4gb";

/// A program and how it is started.
#[derive(Clone)]
pub(crate) struct Subject {
    /// What the tables call it.
    pub(crate) name: String,
    kind: Kind,
    program: PathBuf,
    /// Further flags, from the command line.
    flags: Vec<String>,
    /// Where it listens; a free port if none is given.
    port: Option<u16>,
}

impl Subject {
    /// Corewise: the program that is given, or else what cargo has built for this benchmark.
    pub(crate) fn corewise(given: Option<&Path>, flags: Vec<String>, port: Option<u16>) -> Result<Subject, String> {
        let program = match given {
            Some(path) => found(path)?,
            None => program(),
        };
        Ok(Subject { name: "corewise".to_owned(), kind: Kind::Corewise, program, flags, port })
    }

    /// redis-server, or a program that takes its flags: what is given, or else what is installed.
    pub(crate) fn redis(given: Option<&Path>, flags: Vec<String>, port: Option<u16>) -> Result<Subject, String> {
        let program = found(given.unwrap_or(Path::new("redis-server")))?;
        let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Subject { name, kind: Kind::Redis, program, flags, port })
    }

    /// Its name, version, and the flags that it gets beyond those of a measurement.
    pub(crate) fn line(&self) -> String {
        let flags = self.flags.iter().map(|flag| format!(" {flag}")).collect::<String>();
        format!("{} ({}){}{flags}", self.name, version(&self.program), if flags.is_empty() { "" } else { " with" })
    }

    /// The policy that evicts any key, by the order of use that the server knows best.
    pub(crate) fn policy(&self) -> &'static str {
        match self.kind {
            Kind::Corewise => "allkeys-s3fifo",
            Kind::Redis => "allkeys-lru",
        }
    }

    /// Starts it on these CPUs (`0`, `0,1`). The error is what the server says.
    pub(crate) fn start(&self, cpus: &str, flags: &[&str]) -> Result<Running, String> {
        // The server must not outlive a measurement that is killed.
        let mut launcher = Command::new("setpriv");
        launcher.args(["--pdeathsig", "KILL", "taskset", "-c", cpus]).arg(&self.program);
        let mut own = Vec::new();
        match self.kind {
            Kind::Corewise => own.extend(["--cpus", cpus].map(str::to_owned)),
            Kind::Redis => {
                own.extend(["--save", "", "--appendonly", "no", "--loglevel", "warning"].map(str::to_owned));
            }
        }
        own.extend(self.flags.iter().cloned());
        let variant = Variant { name: "server", kind: self.kind, flags: own };
        let server = match self.port {
            Some(port) => Server::spawn_command(launcher, &variant, (Ipv4Addr::LOCALHOST, port).into(), flags),
            None => Server::spawn_by(launcher, &variant, flags),
        };
        let server = server.until_it_answers().map_err(|said| format!("{} says: {}", self.name, said.trim()))?;
        let control = server.connect();
        Ok(Running { server, control })
    }

    /// Starts it with its evicting policy and a limit that is far away; if it refuses the policy, without one, and
    /// `note` gets its words.
    pub(crate) fn start_roomy(&self, cpus: &str, note: &mut dyn FnMut(String)) -> Result<Running, String> {
        let policy = self.policy();
        let refused = match self.start(cpus, &["--maxmemory", ROOMY, "--maxmemory-policy", policy]) {
            Ok(running) => return Ok(running),
            Err(said) => said,
        };
        let running = self.start(cpus, &["--maxmemory", ROOMY])?;
        note(format!("measured without {policy}, because {refused}"));
        Ok(running)
    }
}

/// The file of a program: a path as it is, a bare name from `PATH`.
fn found(program: &Path) -> Result<PathBuf, String> {
    let is_bare = program.components().count() == 1 && !program.exists();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let file = match std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file()) {
        Some(file) if is_bare => file,
        _ => program.to_owned(),
    };
    if !file.is_file() {
        return Err(format!("{} is not there", program.display()));
    }
    // A server is started in a directory of its own, where a relative path would lead nowhere. Links stay: redis-server is
    // one to a program that does other things under other names.
    std::path::absolute(&file).map_err(|error| format!("{}: {error}", program.display()))
}

/// A started server; killed on drop.
pub(crate) struct Running {
    server: Server,
    control: Client,
}

impl Running {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// A connection to it.
    pub(crate) fn connect(&self) -> Client {
        self.server.connect()
    }

    /// Resident bytes of its process.
    pub(crate) fn rss(&self) -> u64 {
        self.server.resident_bytes()
    }

    /// How long its threads were ready to run while something else had their CPU: latencies of a server that waits are not
    /// its own.
    pub(crate) fn waited(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.server.pid())).into_iter().flatten().flatten();
        // Time on the CPU, time of waiting for it, and how often; the times in nanoseconds.
        let waited = |task: std::fs::DirEntry| {
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split_ascii_whitespace().nth(1)?.parse::<u64>().ok()
        };
        Duration::from_nanos(tasks.filter_map(waited).sum())
    }

    /// Asks on a connection of its own, and takes an error for one.
    pub(crate) fn ask(&mut self, line: &str) -> Result<Value, String> {
        match self.control.ask(line) {
            Value::Error(text) => Err(format!("{line}: {}", String::from_utf8_lossy(&text))),
            value => Ok(value),
        }
    }

    /// How many keys it holds.
    pub(crate) fn keys(&mut self) -> Result<u64, String> {
        Ok(self.ask("DBSIZE")?.integer().unsigned_abs())
    }

    /// Sections of INFO.
    pub(crate) fn info(&mut self, sections: &str) -> Result<Info, String> {
        Ok(Info::parse(&self.ask(&format!("INFO {sections}"))?.text()))
    }

    /// Begins the longest turn anew.
    pub(crate) fn reset(&mut self) -> Result<(), String> {
        self.ask("CONFIG RESETSTAT").map(drop)
    }
}

/// What INFO said.
pub(crate) struct Info(HashMap<String, String>);

impl Info {
    pub(crate) fn parse(text: &str) -> Info {
        let fields = text.lines().filter_map(|line| line.trim_end().split_once(':'));
        Info(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }

    /// A field that every server has.
    pub(crate) fn number(&self, name: &str) -> Result<u64, String> {
        let number = self.0.get(name).and_then(|text| text.parse().ok());
        number.ok_or_else(|| format!("INFO has no number {name}"))
    }

    /// The longest turn of any core; only Corewise says it (section `cores`, `core0:...,longest_turn_usec=17`).
    pub(crate) fn longest_turn_us(&self) -> Option<u64> {
        let cores = self.0.iter().filter(|(name, _)| name.starts_with("core"));
        let turn =
            |line: &str| line.split(',').find_map(|field| field.strip_prefix("longest_turn_usec="))?.parse().ok();
        cores.filter_map(|(_, line)| turn(line)).max()
    }
}

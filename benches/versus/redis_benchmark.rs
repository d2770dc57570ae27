//! redis-benchmark's default tests as loads, so that the figures are those that people know.

use std::fs;
use std::process::{Command, Stdio};

use crate::load::{Figures, Load};
use crate::peers::Running;

/// What redis-benchmark runs when no test is named, each by the name that its flag takes.
pub(crate) const TESTS: [&str; 19] = [
    "ping_inline",
    "ping_mbulk",
    "set",
    "get",
    "incr",
    "lpush",
    "rpush",
    "lpop",
    "rpop",
    "sadd",
    "hset",
    "spop",
    "zadd",
    "zpopmin",
    "lrange_100",
    "lrange_300",
    "lrange_500",
    "lrange_600",
    "mset",
];

/// Requests that tell how fast a server is, before those that are counted.
const FIRST_REQUESTS: u64 = 20_000;

/// Drives a server once: as many requests as it takes for about the time that was asked for.
pub(crate) fn drive(load: &Load, server: &Running) -> Result<Figures, String> {
    // An LRANGE alone: redis-benchmark's own test of it times the LPUSHes that it begins with too.
    let range = load.workload.strip_prefix("lrange_").and_then(|count| count.parse::<u64>().ok());
    let asked = match range {
        Some(count) => {
            requests(load, server, FIRST_REQUESTS, &["-t", "lpush"])?;
            vec!["LRANGE".to_owned(), "mylist".to_owned(), "0".to_owned(), (count - 1).to_string()]
        }
        None => vec!["-t".to_owned(), load.workload.clone()],
    };
    let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    let first = requests(load, server, FIRST_REQUESTS, &asked)?;
    let count = (first.throughput * load.seconds) as u64;
    requests(load, server, count.max(FIRST_REQUESTS), &asked)
}

/// Sends so many requests of one kind.
fn requests(load: &Load, server: &Running, count: u64, asked: &[&str]) -> Result<Figures, String> {
    let mut command = Command::new("taskset");
    command.args(["-c", &load.client_cpu.to_string(), "redis-benchmark", "--csv"]);
    let numbers =
        [("-p", u64::from(server.port)), ("-c", load.connections as u64), ("-P", load.pipeline as u64), ("-n", count)];
    command.args(numbers.iter().flat_map(|(flag, number)| [(*flag).to_owned(), number.to_string()]));
    command.args(asked).stdin(Stdio::null());
    let before = spent_ns(server.pid())?;
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let spent = spent_ns(server.pid())?.saturating_sub(before);
    let text = String::from_utf8_lossy(&output.stdout);
    let failed = || {
        let complaint = String::from_utf8_lossy(&output.stderr);
        format!("{} under redis-benchmark {}: {text}{complaint}", server.name, asked.join(" "))
    };
    let line = text.lines().last().filter(|_| output.status.success()).ok_or_else(failed)?;
    let cells: Vec<f64> = line.split(',').skip(1).filter_map(|cell| cell.trim_matches('"').parse().ok()).collect();
    let &[throughput, _average, _least, p50, _p95, p99, _most] = &cells[..] else { return Err(failed()) };
    // It says nothing of the 99.9th percentile.
    Ok(Figures { cpu_us: spent as f64 / 1e3 / count as f64, throughput, p50, p99, p999: f64::NAN })
}

/// Nanoseconds that the threads of a process have run.
fn spent_ns(pid: u32) -> Result<u64, String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).map_err(|error| format!("process {pid}: {error}"))?;
    let spent = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    Ok(tasks.flatten().filter_map(spent).sum())
}

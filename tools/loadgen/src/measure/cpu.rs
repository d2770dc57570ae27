//! CPU time of processes, this one and others, from `/proc`.

use std::fs;
use std::time::Duration;

/// CPU time that a process has spent so far, user and system. The error is a sentence.
pub fn of_process(pid: u32) -> Result<Duration, String> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).map_err(|error| format!("there is no process {pid}: {path}: {error}"))?;
    // The name, in parentheses, may hold blanks; user and system time are the 12th and 13th field behind it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
    let spent = ticks(11).zip(ticks(12)).map(|(user, system)| user + system);
    // Linux counts in hundredths of a second on every platform that Corewise runs on.
    spent.map(|ticks| Duration::from_millis(ticks * 10)).ok_or_else(|| format!("{path} cannot be read: {stat}"))
}

/// CPU time that this process has spent so far.
pub fn own() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

//! When the machine stood still: what no server could have done anything about.
//!
//! A virtual machine's CPU is taken away for milliseconds now and then, and p99.99 of any open loop on it is the length of
//! two or three such moments. So a **witness** runs on each CPU that matters: a process of the highest urgency, which sleeps
//! and looks at the clock five times a millisecond. Nothing else of the system's keeps it from its CPU, neither the server
//! nor the load, so when it wakes up late, the CPU itself was not there.
//!
//! What is left is the time in which the machine was **calm**: no CPU has stood still then, nor shortly before, so that
//! what had to wait has been worked off. Which time that is does not depend on what the server does, so that what it does
//! then is a sample; only a request that takes long is more likely than others to meet a stall, and then not to count.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The hidden subcommand by which this program becomes a witness.
pub(crate) const WITNESS: &str = "witness";

/// Time between two looks.
const LOOK: Duration = Duration::from_micros(200);

/// The least lateness that is written down, which is above what an idle machine needs to wake a process.
const LATE: Duration = Duration::from_micros(100);

/// So long after a stall the machine is not calm yet, in milliseconds.
const AFTERMATH_MS: f64 = 20.0;

/// A time during which a CPU was not there, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Stall {
    begin_ms: f64,
    end_ms: f64,
}

/// Witnesses at work; killed on drop.
pub(crate) struct Witnesses(Vec<Child>);

impl Witnesses {
    /// One on each of these CPUs (`0`, `0,1`) and on `client_cpu`. The error says why there can be none: without the
    /// permission to be urgent, a witness would only see the load.
    pub(crate) fn call(cpus: &str, client_cpu: usize) -> Result<Witnesses, String> {
        let own = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut places: Vec<String> = cpus.split(',').map(str::to_owned).collect();
        places.push(client_cpu.to_string());
        places.sort();
        places.dedup();
        let mut witnesses = Witnesses(Vec::new());
        for cpu in places {
            let mut command = urgent("2");
            command.args(["taskset", "-c", &cpu]).arg(&own).arg(WITNESS);
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            witnesses.0.push(command.spawn().map_err(|error| format!("{command:?}: {error}"))?);
        }
        Ok(witnesses)
    }

    /// Ends them, and returns what they saw, in order.
    pub(crate) fn stalls(mut self) -> Result<Vec<Stall>, String> {
        let mut stalls = Vec::new();
        for witness in &mut self.0 {
            // It writes when its input ends.
            drop(witness.stdin.take());
            let mut text = String::new();
            let mut stdout = witness.stdout.take().ok_or("a witness has no output")?;
            stdout.read_to_string(&mut text).map_err(|error| format!("a witness: {error}"))?;
            let status = witness.wait().map_err(|error| format!("a witness: {error}"))?;
            if !status.success() {
                return Err(format!("a witness ended with {status}"));
            }
            for line in text.lines() {
                let (begin, end) = line.split_once(' ').ok_or_else(|| format!("a witness says {line}"))?;
                let number = |text: &str| text.parse::<f64>().map_err(|_| format!("a witness says {line}"));
                stalls.push(Stall { begin_ms: number(begin)?, end_ms: number(end)? });
            }
        }
        stalls.sort_by(|one, next| one.begin_ms.total_cmp(&next.begin_ms));
        // What both CPUs saw happened once.
        stalls.dedup_by(|next, one| {
            let overlap = next.begin_ms <= one.end_ms;
            if overlap {
                one.end_ms = one.end_ms.max(next.end_ms);
            }
            overlap
        });
        Ok(stalls)
    }
}

impl Drop for Witnesses {
    fn drop(&mut self) {
        for witness in &mut self.0 {
            // One that has ended by itself needs no end.
            let _ = witness.kill();
            let _ = witness.wait();
        }
    }
}

/// Begins a command line of a process that the system prefers to all usual ones, and that ends with this one.
pub(crate) fn urgent(priority: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "chrt", "--fifo", priority]);
    command
}

/// Whether processes may be made urgent here.
pub(crate) fn may_be_urgent() -> bool {
    urgent("2").arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// What a witness does: looks at the clock until its input ends, and then says when it was kept from it.
pub(crate) fn witness() -> ExitCode {
    let ended = std::thread::spawn(|| io::stdin().read_to_end(&mut Vec::new()));
    let mut text = String::new();
    let (mut last, mut last_unix) = (Instant::now(), SystemTime::now());
    while !ended.is_finished() {
        std::thread::sleep(LOOK);
        let (now, now_unix) = (Instant::now(), SystemTime::now());
        if now - last > LOOK + LATE {
            text.push_str(&format!("{:.3} {:.3}\n", since_1970_ms(last_unix), since_1970_ms(now_unix)));
        }
        (last, last_unix) = (now, now_unix);
    }
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Milliseconds since 1970.
pub(crate) fn unix_ms() -> f64 {
    since_1970_ms(SystemTime::now())
}

fn since_1970_ms(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64() * 1e3
}

/// How long the machine stood still in all, in milliseconds.
pub(crate) fn total_ms(stalls: &[Stall]) -> f64 {
    stalls.iter().map(|stall| stall.end_ms - stall.begin_ms).sum()
}

/// Whether the machine was calm from `begin_ms` to `end_ms`, and for some time before.
pub(crate) fn is_calm(stalls: &[Stall], begin_ms: f64, end_ms: f64) -> bool {
    !stalls.iter().any(|stall| stall.begin_ms < end_ms && stall.end_ms + AFTERMATH_MS > begin_ms)
}

/// How much of `all_ms` the machine was calm.
pub(crate) fn calm_share(stalls: &[Stall], all_ms: f64) -> f64 {
    let (mut restless_ms, mut until_ms) = (0.0, f64::NEG_INFINITY);
    for stall in stalls {
        let end_ms = stall.end_ms + AFTERMATH_MS;
        restless_ms += (end_ms - stall.begin_ms.max(until_ms)).max(0.0);
        until_ms = until_ms.max(end_ms);
    }
    (1.0 - restless_ms / all_ms).max(0.0)
}

//! Sends and receives: one thread for each CPU, each with a ring of its own and its share of the connections.
//!
//! ```text
//!   main ── Load ──▶ worker 0 ─┐
//!                    worker 1 ─┼─ an Interval each tick ──▶ main: adds up, shows, ends the run
//!                    worker 2 ─┘
//! ```
//!
//! While they run, the threads share nothing but the channel to the main thread. Time stands still within a turn of a worker: requests
//! are stamped when they are handed to the kernel, replies when the kernel has handed them over.

mod check;
mod connect;
mod connection;
mod connector;
mod dialogue;
mod incoming;
mod replies;
mod slots;
mod sum;
mod worker;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use connect::Target;
pub use dialogue::{Answer, Dialogue};

use crate::measure::{Findings, Point};
use crate::plan::{Arrivals, Workload};
use slots::SlotMap;
use sum::Sum;
use worker::{Totals, Worker, WorkerParts};

/// What to do to a server.
#[derive(Clone, Debug)]
pub struct Load {
    /// The server.
    pub target: Target,
    /// Connections in all.
    pub connections: usize,
    /// Requests that a connection may have under way.
    pub pipeline: usize,
    /// CPUs to run on, a thread on each; threads without a connection are not started.
    pub cpus: Vec<usize>,
    /// What is sent.
    pub workload: Arc<Workload>,
    /// Where chance begins.
    pub seed: u64,
    /// When it is sent.
    pub pace: Pace,
    /// How long.
    pub until: Until,
    /// How long to run before counting.
    pub warmup: Duration,
    /// Process whose CPU time is to be measured.
    pub server_pid: Option<u32>,
    /// Whether to verify the replies.
    pub check: Option<CheckSpec>,
    /// Operations that take longer are reported one by one.
    pub slow: Option<Duration>,
}

/// How replies are verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CheckSpec {
    /// Tells the values of this run from those of an earlier one.
    pub run: u32,
    /// Whether the server may have dropped a key (eviction, TTL).
    pub may_forget: bool,
}

/// When requests are sent.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Pace {
    /// Closed loop: a connection sends when its replies have come, after thinking this long.
    Closed {
        /// Pause between the last reply and the next request.
        think: Duration,
    },
    /// Open loop: requests are due at a rate, whatever the server does.
    Open {
        /// Requests per second, over all connections.
        rate: f64,
        /// How they follow each other.
        arrivals: Arrivals,
    },
}

/// When a run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Until {
    /// So many operations have been answered.
    Operations(u64),
    /// So much time has passed.
    Elapsed(Duration),
    /// The workload has come to its end.
    Done,
}

/// How far a run is.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// 0 to 1; none if the end is unknown.
    pub part: Option<f64>,
    /// Whether operations are not counted yet.
    pub warming_up: bool,
    /// The last stretch of time.
    pub point: Point,
}

/// Why a run could not be made: a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DriveError(pub String);

impl std::fmt::Display for DriveError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DriveError {}

/// Stretch of time that workers report after.
const TICK: Duration = Duration::from_millis(100);

/// How long the main thread waits for the report of a tick before it looks whether the workers are still there.
const PATIENCE: Duration = Duration::from_secs(1);

/// Puts the load on the server, telling `watch` every tick how it goes, and returns what was found.
pub fn run(load: &Load, watch: &mut dyn FnMut(&Progress)) -> Result<Findings, DriveError> {
    if load.connections == 0 || load.pipeline == 0 || load.cpus.is_empty() {
        return Err(DriveError("a load needs at least one connection, one request and one CPU".to_owned()));
    }
    if load.target.cluster && matches!(load.pace, Pace::Closed { think } if !think.is_zero()) {
        return Err(DriveError(
            "in a cluster, requests of all connections are drawn together: they cannot think".to_owned(),
        ));
    }
    // Counting begins with a tick.
    let ticks = load.warmup.as_nanos().div_ceil(TICK.as_nanos()) as u32;
    let load = &Load { warmup: TICK * ticks, ..load.clone() };
    let needed = check::keys_needed((load.connections * load.pipeline) as u64);
    if load.check.is_some() && load.workload.shape().keys.count < needed {
        return Err(DriveError(format!("a check with so many operations under way needs at least {needed} keys")));
    }
    let map = if load.target.cluster { SlotMap::read(&load.target)? } else { SlotMap::single(&load.target.server) };
    let workers = load.cpus.len().min(load.connections);
    let (reports, inbox) = mpsc::channel();
    // Everybody has connected, or failed to; the clock starts.
    let ready = Arc::new(Barrier::new(workers + 1));
    let failed = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::with_capacity(workers);
    for (index, &cpu) in load.cpus.iter().take(workers).enumerate() {
        let map = map.clone();
        let parts = WorkerParts { index, workers, cpu, load: load.clone(), map, reports: reports.clone() };
        let (ready, failed) = (ready.clone(), failed.clone());
        let body = move || {
            let made = Worker::connect(parts);
            failed.fetch_or(made.is_err(), Ordering::SeqCst);
            ready.wait();
            let started = Instant::now();
            let worker = made?;
            // One that cannot connect is the end of the run; its own error tells why.
            if failed.load(Ordering::SeqCst) { Ok(Totals::default()) } else { worker.run(started) }
        };
        let thread = thread::Builder::new().name(format!("worker-{index}")).spawn(body);
        threads.push(thread.map_err(|error| DriveError(format!("a thread cannot be started: {error}")))?);
    }
    drop(reports);
    ready.wait();
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut sum = Sum::new(load, workers, began);
    while !threads.iter().all(thread::JoinHandle::is_finished) {
        match inbox.recv_timeout(PATIENCE) {
            Ok(report) => sum.take(report, watch),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    for thread in threads {
        let totals = thread.join().map_err(|_| DriveError("a worker panicked".to_owned()))??;
        sum.add_totals(totals);
    }
    inbox.try_iter().for_each(|report| sum.take(report, watch));
    Ok(sum.finish())
}

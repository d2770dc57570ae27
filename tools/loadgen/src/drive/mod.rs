//! Sends and receives: one thread for each CPU, each with a ring of its own and its share of the connections.
//!
//! ```text
//!   main ── Load ──▶ worker 0 ─┐
//!                    worker 1 ─┼─ an Interval each tick ──▶ main: adds up, shows, ends the run
//!                    worker 2 ─┘
//! ```
//!
//! The threads share nothing but the channel to the main thread. Time stands still within a turn of a worker: requests
//! are stamped when they are handed to the kernel, replies when the kernel has handed them over.

mod connect;
mod connection;
mod replies;
mod worker;

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

pub use connect::Target;

use crate::measure::{Findings, Interval, Point, cpu};
use crate::plan::{Arrivals, Workload};
use worker::{Report, Worker, WorkerParts};

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
    let workers = load.cpus.len().min(load.connections);
    let (reports, inbox) = mpsc::channel();
    // Everybody has connected; the clock starts.
    let ready = Arc::new(Barrier::new(workers + 1));
    let mut threads = Vec::with_capacity(workers);
    for (index, &cpu) in load.cpus.iter().take(workers).enumerate() {
        let parts = WorkerParts { index, workers, cpu, load: load.clone(), reports: reports.clone() };
        let ready = ready.clone();
        let body = move || {
            let made = Worker::connect(parts);
            ready.wait();
            let started = Instant::now();
            made.and_then(|worker| worker.run(started))
        };
        let thread = thread::Builder::new().name(format!("worker-{index}")).spawn(body);
        threads.push(thread.map_err(|error| DriveError(format!("a thread cannot be started: {error}")))?);
    }
    drop(reports);
    ready.wait();
    let mut ledger = Ledger::new(load, workers);
    while !threads.iter().all(thread::JoinHandle::is_finished) {
        match inbox.recv_timeout(PATIENCE) {
            Ok(report) => ledger.take(report, watch),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    for thread in threads {
        let totals = thread.join().map_err(|_| DriveError("a worker panicked".to_owned()))??;
        ledger.findings.reconnects += totals.reconnects;
        ledger.findings.unanswered += totals.unanswered;
        ledger.add_errors(totals.errors);
    }
    inbox.try_iter().for_each(|report| ledger.take(report, watch));
    ledger.finish()
}

/// Adds up what the workers report.
struct Ledger<'a> {
    load: &'a Load,
    workers: usize,
    findings: Findings,
    /// Ticks that not all workers have reported yet, from `first_tick` on.
    open: Vec<(usize, Interval)>,
    first_tick: u64,
    started: Instant,
    /// CPU times when counting began.
    cpu_before: Option<(Duration, Option<Duration>)>,
    last_reply: Duration,
}

impl<'a> Ledger<'a> {
    fn new(load: &'a Load, workers: usize) -> Self {
        let kinds = load.workload.kinds();
        let findings = Findings {
            kinds: kinds.iter().map(|kind| kind.name.clone()).collect(),
            counted: Interval::new(kinds.len()),
            intended_rate: match load.pace {
                Pace::Open { rate, .. } => Some(rate),
                Pace::Closed { .. } => None,
            },
            ..Findings::default()
        };
        let mut ledger = Self {
            load,
            workers,
            findings,
            open: Vec::new(),
            first_tick: 0,
            started: Instant::now(),
            cpu_before: None,
            last_reply: Duration::ZERO,
        };
        if load.warmup.is_zero() {
            ledger.begin_to_count();
        }
        ledger
    }

    fn begin_to_count(&mut self) {
        self.cpu_before = Some(self.cpu_now());
    }

    fn cpu_now(&self) -> (Duration, Option<Duration>) {
        (cpu::own(), self.load.server_pid.and_then(|pid| cpu::of_process(pid).ok()))
    }

    fn take(&mut self, report: Report, watch: &mut dyn FnMut(&Progress)) {
        self.last_reply = self.last_reply.max(report.last_reply);
        // A worker's last report may come late; what it counted belongs to the newest tick then.
        let place = report.tick.saturating_sub(self.first_tick) as usize;
        while self.open.len() <= place {
            self.open.push((0, Interval::new(self.findings.kinds.len())));
        }
        let (reported, interval) = &mut self.open[place];
        *reported += 1;
        interval.add(&report.interval);
        while self.open.first().is_some_and(|(reported, _)| *reported == self.workers) {
            let (_, interval) = self.open.remove(0);
            self.first_tick += 1;
            self.end_tick(&interval, watch);
        }
    }

    fn end_tick(&mut self, interval: &Interval, watch: &mut dyn FnMut(&Progress)) {
        let end = TICK * self.first_tick as u32;
        let warming_up = end <= self.load.warmup;
        let total = interval.total();
        let ms = |percentile| total.latencies.value_at_percentile(percentile) as f64 / 1e6;
        let point = Point {
            second: end.saturating_sub(self.load.warmup).as_secs_f64(),
            rate: total.operations as f64 / TICK.as_secs_f64(),
            p50_ms: ms(50.0),
            p99_ms: ms(99.0),
            p999_ms: ms(99.9),
            max_ms: total.latencies.max() as f64 / 1e6,
            errors: total.errors,
        };
        if !warming_up {
            self.findings.counted.add(interval);
            self.findings.series.push(point);
        } else if end + TICK > self.load.warmup {
            self.begin_to_count();
        }
        let counted = end.saturating_sub(self.load.warmup).as_secs_f64();
        let part = match self.load.until {
            Until::Elapsed(time) => Some(counted / time.as_secs_f64()),
            Until::Operations(operations) => {
                let done: u64 = self.findings.counted.kinds.iter().map(|kind| kind.operations).sum();
                Some(done as f64 / operations as f64)
            }
            Until::Done => None,
        };
        watch(&Progress { part: part.map(|part| part.min(1.0)), warming_up, point });
    }

    fn add_errors(&mut self, errors: Vec<(String, u64)>) {
        for (text, count) in errors {
            match self.findings.errors.iter_mut().find(|(known, _)| *known == text) {
                Some((_, known)) => *known += count,
                None => self.findings.errors.push((text, count)),
            }
        }
    }

    fn finish(mut self) -> Result<Findings, DriveError> {
        let (own, server) = self.cpu_now();
        for (_, interval) in std::mem::take(&mut self.open) {
            self.findings.counted.add(&interval);
        }
        self.findings.elapsed = self.last_reply.saturating_sub(self.load.warmup);
        if let Some((own_before, server_before)) = self.cpu_before {
            self.findings.client_cpu = own.saturating_sub(own_before);
            self.findings.server_cpu = server.zip(server_before).map(|(after, before)| after.saturating_sub(before));
        }
        let _ = self.started;
        Ok(self.findings)
    }
}

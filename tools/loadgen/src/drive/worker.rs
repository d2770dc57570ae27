//! One thread's part of a load: its connections, driven by its ring in turns.
//!
//! ```text
//!   wait ── replies ──▶ count ──▶ who may send? ──▶ draw, encode ──▶ stamp ──▶ wait
//! ```

use std::collections::VecDeque;
use std::mem;
use std::os::fd::OwnedFd;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use corewise::base::{ConnId, CoreId};
use corewise::net::{Event, Net, NetConfig, Wait};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rustix::thread::{CpuSet, sched_setaffinity};

use super::connection::{Connection, Pending};
use super::replies::{self, Reply};
use super::{DriveError, Load, Pace, TICK, Until};
use crate::measure::{Answer, Interval};
use crate::plan::arrivals::Schedule;
use crate::plan::{Operation, Source};

/// How long answers are waited for when no more requests are sent.
const DRAIN: Duration = Duration::from_secs(5);

/// Connections that send in one turn of a closed loop. A batch leaves and is stamped as a whole, and the kernel takes some
/// 3 us to send for one connection: with few at a time, stamps are true to some microseconds, and the server gets work
/// while the rest is prepared. Measured with 50 connections at pipeline 1 (redis-server; Corewise; thousands of
/// operations per second): 2: 151, 160; 4: 151, 137; 8: 153, 108; all: 143, 96; the CPU that it costs is the same within
/// 5 %.
const SENDERS_PER_TURN: usize = 2;

/// Different error texts that are kept.
const ERRORS_KEPT: usize = 16;

/// What a worker counted in a tick.
pub(super) struct Report {
    /// Number of the tick, from zero.
    pub(super) tick: u64,
    /// What was counted.
    pub(super) interval: Interval,
    /// When the last reply came, since the start.
    pub(super) last_reply: Duration,
}

/// What a worker says at the end.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) reconnects: u64,
    pub(super) unanswered: u64,
    pub(super) errors: Vec<(String, u64)>,
}

/// What a worker is made of.
pub(super) struct WorkerParts {
    pub(super) index: usize,
    pub(super) workers: usize,
    pub(super) cpu: usize,
    pub(super) load: Load,
    pub(super) reports: Sender<Report>,
}

/// One thread's part of a load.
pub(super) struct Worker {
    load: Load,
    reports: Sender<Report>,
    net: Net,
    connections: Vec<Connection>,
    /// By index of the ring's connections: which of ours.
    places: Vec<u32>,
    source: Source,
    /// Operations that may still be drawn.
    budget: u64,
    /// Open loop: when requests are due.
    schedule: Option<(Schedule, SmallRng)>,
    /// Connections that may send: in the closed loop all of their requests have been answered, in the open loop one.
    ready: VecDeque<u32>,
    /// Connections that think, until when.
    thinking: VecDeque<(u64, u32)>,
    /// Connections with output of this turn.
    dirty: Vec<u32>,
    in_flight: u64,
    interval: Interval,
    tick: u64,
    last_reply_ns: u64,
    totals: Totals,
}

impl Worker {
    /// Pins the calling thread, makes its ring and its connections.
    pub(super) fn connect(parts: WorkerParts) -> Result<Self, DriveError> {
        let WorkerParts { index, workers, cpu, load, reports } = parts;
        let mut set = CpuSet::new();
        set.set(cpu);
        // A place of its own is better, but not necessary.
        let _ = sched_setaffinity(None, &set);
        // The default of 50 us would be added to every wait for a moment at which a request is due.
        let _ = rustix::thread::set_current_timer_slack(Some(std::num::NonZeroU64::MIN));
        let config = NetConfig { min_wait: false, ..NetConfig::new(CoreId(index as u16)) };
        let mut net = Net::new(&config).map_err(|error| DriveError(error.to_string()))?;
        let share = |all: u64| all / workers as u64 + u64::from((index as u64) < all % workers as u64);
        let addresses = load.target.resolve()?;
        let mut connections = Vec::new();
        let mut places = Vec::new();
        for place in 0..share(load.connections as u64) as u32 {
            let fd = load.target.connect(&addresses)?;
            let id = adopt(&mut net, fd, place, &mut places);
            connections.push(Connection { id: Some(id), ..Connection::default() });
        }
        let schedule = match load.pace {
            Pace::Open { rate, arrivals } => {
                let rng = SmallRng::seed_from_u64(load.seed.rotate_left(17) ^ index as u64);
                Some((Schedule::new(arrivals, rate / workers as f64), rng))
            }
            Pace::Closed { .. } => None,
        };
        let budget = match load.until {
            Until::Operations(operations) => share(operations),
            Until::Elapsed(_) | Until::Done => u64::MAX,
        };
        Ok(Self {
            source: Source::new(load.workload.clone(), load.seed, index, workers),
            interval: Interval::new(load.workload.kinds().len()),
            ready: (0..connections.len() as u32).collect(),
            load,
            reports,
            net,
            connections,
            places,
            budget,
            schedule,
            thinking: VecDeque::new(),
            dirty: Vec::new(),
            in_flight: 0,
            tick: 0,
            last_reply_ns: 0,
            totals: Totals::default(),
        })
    }

    /// Runs until the load ends.
    pub(super) fn run(mut self, started: Instant) -> Result<Totals, DriveError> {
        let end_ns = match self.load.until {
            Until::Elapsed(time) => (time + self.load.warmup).as_nanos() as u64,
            Until::Operations(_) | Until::Done => u64::MAX,
        };
        let now_ns = || started.elapsed().as_nanos() as u64;
        let mut now = 0;
        let mut drain_until = None;
        loop {
            if drain_until.is_none() {
                self.send_what_is_due(now);
                if now >= end_ns || self.budget == 0 {
                    drain_until = Some(now + DRAIN.as_nanos() as u64);
                }
            }
            if drain_until.is_some_and(|until| self.in_flight == 0 || now >= until) {
                break;
            }
            self.flush();
            let wait = self.wait(now, end_ns.min(drain_until.unwrap_or(u64::MAX)));
            self.net.wait(wait).map_err(|error| DriveError(error.to_string()))?;
            now = now_ns();
            self.take_events(now)?;
            self.report(now);
        }
        self.totals.unanswered = self.in_flight;
        self.send_report();
        Ok(self.totals)
    }

    /// How long the ring may wait: until something is due.
    fn wait(&self, now: u64, end_ns: u64) -> Wait {
        if self.schedule.is_none() && !self.ready.is_empty() && self.budget > 0 {
            return Wait::NONE;
        }
        let mut until = end_ns.min((self.tick + 1) * TICK.as_nanos() as u64);
        if let Some((schedule, _)) = &self.schedule
            && !self.ready.is_empty()
        {
            until = until.min(schedule.due_ns());
        }
        if let Some((due, _)) = self.thinking.front() {
            until = until.min(*due);
        }
        match until.saturating_sub(now) {
            0 => Wait::NONE,
            time => Wait::at_most(Duration::from_nanos(time)),
        }
    }

    // ---- what is sent ----

    fn send_what_is_due(&mut self, now: u64) {
        while self.thinking.front().is_some_and(|(due, _)| *due <= now) {
            let thought = self.thinking.pop_front();
            self.ready.extend(thought.map(|(_, place)| place));
        }
        if self.schedule.is_some() { self.send_by_schedule(now) } else { self.send_in_turn(now) }
    }

    /// Closed loop: whoever has its replies sends the next batch.
    fn send_in_turn(&mut self, now: u64) {
        for _ in 0..SENDERS_PER_TURN {
            let Some(place) = self.ready.pop_front() else { return };
            for _ in 0..self.load.pipeline {
                let Some(operation) = self.draw() else { return };
                self.send(place, operation, now);
            }
        }
    }

    /// Open loop: what is due goes out on the connection that has waited longest.
    fn send_by_schedule(&mut self, now: u64) {
        while let Some((schedule, rng)) = &mut self.schedule
            && schedule.due_ns() <= now
            && let Some(place) = self.ready.pop_front()
        {
            let due = schedule.due_ns();
            schedule.advance(rng);
            let Some(operation) = self.draw() else { return };
            self.send(place, operation, due);
            if self.connections[place as usize].pending.len() < self.load.pipeline {
                self.ready.push_back(place);
            }
        }
    }

    #[inline]
    fn draw(&mut self) -> Option<Operation> {
        if self.budget == 0 {
            return None;
        }
        self.budget -= 1;
        let operation = self.source.draw();
        if operation.is_none() {
            self.budget = 0;
        }
        operation
    }

    #[inline]
    fn send(&mut self, place: u32, operation: Operation, since_ns: u64) {
        let connection = &mut self.connections[place as usize];
        if connection.output.is_empty() {
            connection.output = self.net.spare_output();
            self.dirty.push(place);
        }
        let out = connection.output.bytes_mut();
        self.load.workload.encode(&operation, out);
        let replies = self.load.workload.kinds()[usize::from(operation.kind)].replies;
        connection.pending.push_back(Pending { operation, since_ns, replies, answer: Answer::Done });
        self.in_flight += 1;
    }

    fn flush(&mut self) {
        for place in self.dirty.drain(..) {
            let connection = &mut self.connections[place as usize];
            let output = mem::take(&mut connection.output);
            self.interval.sent_bytes += output.len() as u64;
            if let Some(id) = connection.id {
                self.net.send(id, output);
            }
        }
    }

    // ---- what comes ----

    fn take_events(&mut self, now: u64) -> Result<(), DriveError> {
        let mut ended = Vec::new();
        while let Some(event) = self.net.next_event() {
            match event {
                Event::Received { conn, bytes } => {
                    let place = self.places[conn.index as usize];
                    let connection = &mut self.connections[place as usize];
                    self.interval.received_bytes += bytes.len() as u64;
                    let mut taken = Taken {
                        kinds: self.load.workload.kinds(),
                        interval: &mut self.interval,
                        errors: &mut self.totals.errors,
                        finished: 0,
                        now,
                    };
                    let was_full = connection.pending.len() >= self.load.pipeline;
                    let outcome = if connection.rest.is_empty() {
                        let used = taken.replies(connection, bytes);
                        used.map(|used| connection.rest.extend_from_slice(&bytes[used..]))
                    } else {
                        let mut rest = mem::take(&mut connection.rest);
                        rest.extend_from_slice(bytes);
                        let used = taken.replies(connection, &rest);
                        used.map(|used| {
                            rest.drain(..used);
                            connection.rest = rest;
                        })
                    };
                    outcome.map_err(|error| DriveError(format!("{}: {error}", self.load.target.server)))?;
                    let finished = taken.finished;
                    if finished == 0 {
                        continue;
                    }
                    self.in_flight -= finished;
                    self.last_reply_ns = now;
                    let may_send = if self.schedule.is_some() { was_full } else { connection.pending.is_empty() };
                    if may_send {
                        match self.load.pace {
                            Pace::Closed { think } if !think.is_zero() => {
                                self.thinking.push_back((now + think.as_nanos() as u64, place));
                            }
                            _ => self.ready.push_back(place),
                        }
                    }
                }
                Event::Ended { conn, .. } => ended.push(conn),
                _ => {}
            }
        }
        for conn in ended {
            self.ended(conn)?;
        }
        Ok(())
    }

    fn ended(&mut self, conn: ConnId) -> Result<(), DriveError> {
        self.net.close(conn, false);
        Err(DriveError(format!("{} closed a connection", self.load.target.server)))
    }

    // ---- what is reported ----

    #[inline]
    fn report(&mut self, now: u64) {
        while now >= (self.tick + 1) * TICK.as_nanos() as u64 {
            self.send_report();
        }
    }

    fn send_report(&mut self) {
        let empty = Interval::new(self.interval.kinds.len());
        let interval = mem::replace(&mut self.interval, empty);
        let last_reply = Duration::from_nanos(self.last_reply_ns);
        // If the main thread is gone, so will this one be.
        let _ = self.reports.send(Report { tick: self.tick, interval, last_reply });
        self.tick += 1;
    }
}

/// Gives a connected socket to the ring, and notes whose it is.
fn adopt(net: &mut Net, fd: OwnedFd, place: u32, places: &mut Vec<u32>) -> ConnId {
    let id = net.adopt(fd);
    let index = id.index as usize;
    if places.len() <= index {
        places.resize(index + 1, u32::MAX);
    }
    places[index] = place;
    id
}

/// Where replies are counted.
struct Taken<'a> {
    kinds: &'a [crate::plan::Kind],
    interval: &'a mut Interval,
    errors: &'a mut Vec<(String, u64)>,
    finished: u64,
    now: u64,
}

impl Taken<'_> {
    /// Takes all replies that `bytes` has, and returns how many bytes they were. The error is a sentence.
    #[inline]
    fn replies(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<usize, String> {
        let mut used = 0;
        while used < bytes.len() {
            let next = replies::next(&bytes[used..]).map_err(|error| format!("a reply cannot be read: {error}"))?;
            let Some((reply, length)) = next else { break };
            used += length;
            self.reply(connection, reply)?;
        }
        Ok(used)
    }

    #[inline]
    fn reply(&mut self, connection: &mut Connection, reply: Reply<'_>) -> Result<(), String> {
        let Some(pending) = connection.pending.front_mut() else {
            return Err("a reply came that nothing was asked for".to_owned());
        };
        match reply {
            Reply::Error(text) => {
                pending.answer = Answer::Error;
                self.error(text);
            }
            Reply::Null if pending.answer == Answer::Done => pending.answer = Answer::Nothing,
            _ => {}
        }
        pending.replies -= 1;
        if pending.replies == 0 {
            let kind = usize::from(pending.operation.kind);
            let latency = self.now.saturating_sub(pending.since_ns);
            self.interval.kinds[kind].count(latency, pending.answer, self.kinds[kind].reads);
            connection.pending.pop_front();
            self.finished += 1;
        }
        Ok(())
    }

    fn error(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        if let Some((_, count)) = self.errors.iter_mut().find(|(known, _)| *known == text) {
            *count += 1;
        } else if self.errors.len() < ERRORS_KEPT {
            self.errors.push((text.into_owned(), 1));
        }
    }
}

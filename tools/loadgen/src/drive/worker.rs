//! One thread's part of a load: its connections, driven by its ring in turns.
//!
//! ```text
//!   wait ── replies ──▶ count ──▶ who may send? ──▶ draw, encode ──▶ stamp ──▶ wait
//! ```
//!
//! A connection may send to one server. In the closed loop on one server it sends a whole pipeline when all of its
//! replies have come, as redis-benchmark does. In an open loop, and where keys decide which server is asked, requests
//! go out one by one on the connection of their server that has waited longest, as long as there are not more under way
//! than all connections together may have.

use std::collections::VecDeque;
use std::mem;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use corewise::base::{ConnId, CoreId};
use corewise::net::{Event, Net, NetConfig, Wait};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use rustix::thread::{CpuSet, sched_setaffinity, set_current_timer_slack};

use super::check::Check;
use super::connection::{Connection, Node, Pending, Waiting};
use super::connector::{Connector, News};
use super::incoming::{Errors, Incoming};
use super::replies::Framing;
use super::slots::{Redirection, SlotMap};
use super::{DriveError, Load, Pace, TICK, Until};
use crate::measure::{Answer, Interval};
use crate::plan::arrivals::Schedule;
use crate::plan::{Operation, Source};

/// How long answers are waited for when no more requests are sent.
const DRAIN: Duration = Duration::from_secs(5);

/// How long a run that ends by counting goes on without any connection.
const GIVE_UP: Duration = Duration::from_secs(30);

/// Pause between two looks at connections that are being made.
const RECONNECT_LOOK: Duration = Duration::from_millis(2);

/// Times that an operation follows a redirection, before it counts as an error.
const REDIRECTIONS_MAX: u8 = 8;

/// Connections that send in one turn of a closed loop. A batch leaves and is stamped as a whole, and the kernel takes some
/// 3 us to send for one connection: with few at a time, stamps are true to some microseconds, and the server gets work
/// while the rest is prepared. Measured with 50 connections at pipeline 1 (redis-server; Corewise; thousands of
/// operations per second): 2: 151, 160; 4: 151, 137; 8: 153, 108; all: 143, 96; the CPU that it costs is the same within
/// 5 %.
const SENDERS_PER_TURN: usize = 2;

/// Requests that go out in one turn where they are sent one by one, for the same reason.
const REQUESTS_PER_TURN: usize = 16;

/// What a worker counted in a tick.
pub(super) struct Report {
    /// Number of the tick, from zero.
    pub(super) tick: u64,
    /// What was counted.
    pub(super) interval: Interval,
    /// When the last reply came, since the start.
    pub(super) last_reply: Duration,
    /// The worker has ended, and reports no more.
    pub(super) last: bool,
}

/// What a worker says at the end.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) reconnects: u64,
    pub(super) redirections: u64,
    pub(super) unanswered: u64,
    pub(super) errors: Vec<(String, u64)>,
    pub(super) faults: Vec<String>,
    pub(super) fault_count: u64,
}

/// What a worker is made of.
pub(super) struct WorkerParts {
    pub(super) index: usize,
    pub(super) workers: usize,
    pub(super) cpu: usize,
    pub(super) load: Load,
    pub(super) map: SlotMap,
    pub(super) reports: Sender<Report>,
}

/// One thread's part of a load.
pub(super) struct Worker {
    load: Load,
    reports: Sender<Report>,
    net: Net,
    framing: Framing,
    connections: Vec<Connection>,
    /// By index of the ring's connections: which of ours.
    places: Vec<u32>,
    nodes: Vec<Node>,
    map: SlotMap,
    connector: Connector,
    source: Source,
    check: Option<Check>,
    /// Operations that may still be drawn.
    budget: u64,
    /// Open loop: when requests are due.
    schedule: Option<(Schedule, SmallRng)>,
    /// Requests go out one by one.
    one_by_one: bool,
    /// Connections that think, until when.
    thinking: VecDeque<(u64, u32)>,
    /// Connections with output of this turn.
    dirty: Vec<u32>,
    /// Operations that have been drawn and not been answered.
    outstanding: u64,
    outstanding_max: u64,
    /// Something could have been sent, but not in this turn.
    more: bool,
    interval: Interval,
    tick: u64,
    last_reply_ns: u64,
    errors: Errors,
    totals: Totals,
}

impl Worker {
    /// Pins the calling thread, makes its ring and its connections.
    pub(super) fn connect(parts: WorkerParts) -> Result<Self, DriveError> {
        let WorkerParts { index, workers, cpu, load, map, reports } = parts;
        let mut set = CpuSet::new();
        set.set(cpu);
        // A CPU of its own is better, but not necessary.
        let _ = sched_setaffinity(None, &set);
        // The default of 50 us would be added to every wait for a moment at which a request is due.
        let _ = set_current_timer_slack(Some(NonZeroU64::MIN));
        let config = NetConfig { min_wait: false, ..NetConfig::new(CoreId(index as u16)) };
        let net = Net::new(&config).map_err(|error| DriveError(error.to_string()))?;
        let share = |all: u64| all / workers as u64 + u64::from((index as u64) < all % workers as u64);
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
        let check = load.check.map(|check| Check::new(index, workers, &load.workload, check.run, check.may_forget));
        let mut worker = Self {
            framing: Framing::of(load.workload.shape().protocol, load.target.resp3),
            source: Source::new(load.workload.clone(), load.seed, index, workers),
            interval: Interval::new(load.workload.kinds().len()),
            one_by_one: schedule.is_some() || load.target.cluster,
            connector: Connector::new(load.target.clone()),
            reports,
            net,
            connections: Vec::new(),
            places: Vec::new(),
            nodes: map.nodes.iter().map(|_| Node::default()).collect(),
            map,
            check,
            budget,
            schedule,
            thinking: VecDeque::new(),
            dirty: Vec::new(),
            outstanding: 0,
            outstanding_max: 0,
            more: false,
            tick: 0,
            last_reply_ns: 0,
            errors: Errors::default(),
            totals: Totals::default(),
            load,
        };
        // Each server gets at least one connection of each worker.
        let count = (share(worker.load.connections as u64) as usize).max(worker.nodes.len());
        for place in 0..count {
            let node = place % worker.nodes.len();
            let dialogue = worker.load.target.at(&worker.map.nodes[node]).talk()?;
            let fd = dialogue.into_socket().map_err(|error| DriveError(error.to_string()))?;
            worker.connections.push(Connection { node: node as u32, ..Connection::default() });
            worker.adopt(place as u32, fd);
        }
        worker.outstanding_max = (count * worker.load.pipeline) as u64;
        Ok(worker)
    }

    /// Runs until the load ends.
    pub(super) fn run(mut self, started: Instant) -> Result<Totals, DriveError> {
        let end_ns = match self.load.until {
            Until::Elapsed(time) => (time + self.load.warmup).as_nanos() as u64,
            Until::Operations(_) | Until::Done => u64::MAX,
        };
        let mut now = 0;
        let mut drain_until = None;
        loop {
            if drain_until.is_none() && (now >= end_ns || self.budget == 0) {
                drain_until = Some(now + DRAIN.as_nanos() as u64);
            }
            self.more = false;
            self.send_what_waits();
            if drain_until.is_none() {
                self.send_what_is_due(now);
            }
            if drain_until.is_some_and(|until| self.outstanding == 0 || now >= until) {
                break;
            }
            self.flush();
            let wait = self.wait(now, drain_until.unwrap_or(end_ns));
            self.net.wait(wait).map_err(|error| DriveError(error.to_string()))?;
            now = started.elapsed().as_nanos() as u64;
            self.take_events(now);
            self.take_news();
            self.look_after(now, end_ns)?;
            while now >= (self.tick + 1) * TICK.as_nanos() as u64 {
                self.send_report(false);
            }
        }
        self.finish()
    }

    /// How long the ring may wait: until something is due.
    fn wait(&self, now: u64, end_ns: u64) -> Wait {
        if self.more {
            return Wait::NONE;
        }
        let mut until = end_ns.min((self.tick + 1) * TICK.as_nanos() as u64);
        if let Some((schedule, _)) = &self.schedule
            && self.outstanding < self.outstanding_max
        {
            until = until.min(schedule.due_ns());
        }
        if let Some((due, _)) = self.thinking.front() {
            until = until.min(*due);
        }
        if self.connector.missing > 0 {
            until = until.min(now + RECONNECT_LOOK.as_nanos() as u64);
        }
        match until.saturating_sub(now) {
            0 => Wait::NONE,
            time => Wait::at_most(Duration::from_nanos(time)),
        }
    }

    // ---- what is sent ----

    fn send_what_is_due(&mut self, now: u64) {
        while let Some((_, place)) = self.thinking.pop_front_if(|(due, _)| *due <= now) {
            self.make_ready(place);
        }
        if self.one_by_one { self.send_one_by_one(now) } else { self.send_in_turn(now) }
    }

    /// Closed loop on one server: whoever has its replies sends the next pipeline.
    fn send_in_turn(&mut self, now: u64) {
        for _ in 0..SENDERS_PER_TURN {
            let Some(place) = self.next_ready(0) else { return };
            for _ in 0..self.load.pipeline {
                let Some(operation) = self.draw() else { return };
                self.send(place, Waiting { operation, since_ns: now, redirections: 0, asking: false });
            }
        }
        self.more = !self.nodes[0].ready.is_empty();
    }

    /// Open loop, or a cluster: what is due goes to its server, or waits for a connection to it.
    fn send_one_by_one(&mut self, now: u64) {
        for _ in 0..REQUESTS_PER_TURN {
            if self.outstanding >= self.outstanding_max {
                return;
            }
            let since_ns = match &mut self.schedule {
                Some((schedule, _)) if schedule.due_ns() > now => return,
                Some((schedule, rng)) => {
                    let due = schedule.due_ns();
                    schedule.advance(rng);
                    due
                }
                None => now,
            };
            let Some(operation) = self.draw() else { return };
            self.outstanding += 1;
            self.dispatch(Waiting { operation, since_ns, redirections: 0, asking: false }, None);
        }
        self.more = self.budget > 0;
    }

    /// Sends an operation to its server, or to `node`, or has it wait there.
    fn dispatch(&mut self, waiting: Waiting, node: Option<usize>) {
        let node = node.unwrap_or_else(|| self.map.owner(self.load.workload.slot(&waiting.operation)));
        match self.next_ready(node) {
            Some(place) => {
                // It is counted already.
                self.outstanding -= 1;
                self.send(place, waiting);
                if self.connections[place as usize].pending.len() < self.load.pipeline {
                    self.make_ready(place);
                }
            }
            None => self.nodes[node].waiting.push_back(waiting),
        }
    }

    fn send_what_waits(&mut self) {
        if !self.one_by_one {
            return;
        }
        for node in 0..self.nodes.len() {
            while !self.nodes[node].waiting.is_empty() && self.nodes[node].ready.iter().any(|place| self.is_up(*place))
            {
                let waiting = self.nodes[node].waiting.pop_front();
                waiting.into_iter().for_each(|waiting| self.dispatch(waiting, Some(node)));
            }
        }
    }

    fn is_up(&self, place: u32) -> bool {
        self.connections[place as usize].id.is_some()
    }

    /// The connection to a server that has been ready for longest.
    #[inline]
    fn next_ready(&mut self, node: usize) -> Option<u32> {
        while let Some(place) = self.nodes[node].ready.pop_front() {
            let connection = &mut self.connections[place as usize];
            connection.ready = false;
            if connection.id.is_some() {
                return Some(place);
            }
        }
        None
    }

    #[inline]
    fn make_ready(&mut self, place: u32) {
        let connection = &mut self.connections[place as usize];
        if connection.id.is_some() && !mem::replace(&mut connection.ready, true) {
            self.nodes[connection.node as usize].ready.push_back(place);
        }
    }

    #[inline]
    fn draw(&mut self) -> Option<Operation> {
        self.budget = self.budget.checked_sub(1)?;
        let drawn = self.source.draw();
        let Some(mut operation) = drawn else {
            self.budget = 0;
            return None;
        };
        if let Some(check) = &mut self.check {
            let kind = &self.load.workload.kinds()[usize::from(operation.kind)];
            check.sending(&mut operation, kind);
        }
        Some(operation)
    }

    #[inline]
    fn send(&mut self, place: u32, waiting: Waiting) {
        let Waiting { operation, since_ns, redirections, asking } = waiting;
        let connection = &mut self.connections[place as usize];
        if connection.output.is_empty() {
            connection.output = self.net.spare_output();
            self.dirty.push(place);
        }
        let out = connection.output.bytes_mut();
        if asking {
            out.extend_from_slice(b"*1\r\n$6\r\nASKING\r\n");
        }
        self.load.workload.encode(&operation, out);
        let replies = self.load.workload.kinds()[usize::from(operation.kind)].replies;
        let foreign = u16::from(asking);
        let pending = Pending { operation, since_ns, replies, foreign, redirections, answer: Answer::Done };
        connection.pending.push_back(pending);
        self.outstanding += 1;
    }

    fn flush(&mut self) {
        for place in self.dirty.drain(..) {
            let connection = &mut self.connections[place as usize];
            let output = mem::take(&mut connection.output);
            if let Some(id) = connection.id {
                self.interval.sent_bytes += output.len() as u64;
                self.net.send(id, output);
            }
        }
    }

    // ---- what comes ----

    fn take_events(&mut self, now: u64) {
        let mut broken: Vec<(ConnId, Option<String>)> = Vec::new();
        let mut redirected = Vec::new();
        while let Some(event) = self.net.next_event() {
            let (conn, bytes) = match event {
                Event::Received { conn, bytes } => (conn, bytes),
                Event::Ended { conn, .. } => {
                    broken.push((conn, None));
                    continue;
                }
                _ => continue,
            };
            let place = self.places[conn.index as usize];
            let connection = &mut self.connections[place as usize];
            if connection.id != Some(conn) {
                continue;
            }
            let mut incoming = Incoming {
                framing: self.framing,
                kinds: self.load.workload.kinds(),
                interval: &mut self.interval,
                slow_ns: self.load.slow.map_or(u64::MAX, |slow| slow.as_nanos() as u64),
                errors: &mut self.errors,
                check: self.check.as_mut(),
                redirected: match self.load.target.cluster {
                    true => Some((self.map.nodes[connection.node as usize].as_str(), &mut redirected)),
                    false => None,
                },
                finished: 0,
                now,
            };
            if let Err(why) = incoming.take(connection, bytes) {
                broken.push((conn, Some(why)));
            }
            let finished = incoming.finished;
            if finished == 0 {
                continue;
            }
            self.outstanding -= finished;
            self.last_reply_ns = now;
            if self.one_by_one {
                self.make_ready(place);
            } else if connection.pending.is_empty() {
                match self.load.pace {
                    Pace::Closed { think } if !think.is_zero() => {
                        self.thinking.push_back((now + think.as_nanos() as u64, place));
                    }
                    _ => self.make_ready(place),
                }
            }
        }
        for (conn, why) in broken {
            self.broke(conn, why, now);
        }
        for (redirection, pending) in redirected {
            self.redirect(&redirection, &pending, now);
        }
    }

    /// A connection ended, or is of no use any more: what is under way on it is lost, and it is made again.
    fn broke(&mut self, conn: ConnId, why: Option<String>, now: u64) {
        let place = self.places[conn.index as usize];
        let connection = &mut self.connections[place as usize];
        if connection.id != Some(conn) {
            return;
        }
        self.net.close(conn, false);
        connection.id = None;
        connection.rest.clear();
        connection.output.clear();
        self.dirty.retain(|other| *other != place);
        let lost = mem::take(&mut connection.pending);
        let node = connection.node as usize;
        match &why {
            Some(why) => self.errors.note(why.as_bytes()),
            None => self.errors.note(b"the connection was closed by the server"),
        }
        if let (Some(check), Some(why)) = (&mut self.check, why)
            && why != super::incoming::FAULT
        {
            check.fault(why);
        }
        self.outstanding -= lost.len() as u64;
        for pending in lost.iter().filter(|pending| pending.answer != Answer::Elsewhere) {
            self.count_lost(&pending.operation, pending.since_ns, now);
        }
        self.totals.reconnects += 1;
        self.connector.wish(place, &self.map.nodes[node]);
    }

    fn count_lost(&mut self, operation: &Operation, since_ns: u64, now: u64) {
        let kind = usize::from(operation.kind);
        if let Some(check) = &mut self.check {
            check.lost(operation, &self.load.workload.kinds()[kind], now);
        }
        self.interval.kinds[kind].count(now.saturating_sub(since_ns), Answer::Error, false);
    }

    /// Sends an operation where a server of the cluster said that it belongs.
    fn redirect(&mut self, redirection: &Redirection, pending: &Pending, now: u64) {
        self.totals.redirections += 1;
        if pending.redirections > REDIRECTIONS_MAX {
            self.errors.note(b"too many redirections");
            self.count_lost(&pending.operation, pending.since_ns, now);
            return;
        }
        let node = self.map.node(&redirection.server);
        if node == self.nodes.len() {
            self.reach_new_node(node);
        }
        if !redirection.once {
            self.map.moved(redirection.slot, node);
        }
        let Pending { operation, since_ns, redirections, .. } = *pending;
        self.outstanding += 1;
        self.dispatch(Waiting { operation, since_ns, redirections, asking: redirection.once }, Some(node));
    }

    /// A server that was not in the map gets as many connections as the others have.
    fn reach_new_node(&mut self, node: usize) {
        let count = (self.connections.len() / self.nodes.len()).max(1);
        self.nodes.push(Node::default());
        for _ in 0..count {
            let place = self.connections.len() as u32;
            self.connections.push(Connection { node: node as u32, ..Connection::default() });
            self.connector.wish(place, &self.map.nodes[node]);
        }
    }

    /// Connections that have been made again, and maps that were read meanwhile.
    fn take_news(&mut self) {
        while self.connector.missing > 0
            && let Some(news) = self.connector.news()
        {
            match news {
                News::Connected { place, fd } => self.adopt(place, fd),
                News::Map(map) => {
                    self.map.update(&map);
                    for node in self.nodes.len()..self.map.nodes.len() {
                        self.reach_new_node(node);
                    }
                    // What waited for a server that is gone may have another one.
                    for node in 0..self.nodes.len() {
                        for waiting in mem::take(&mut self.nodes[node].waiting) {
                            self.dispatch(waiting, None);
                        }
                    }
                }
            }
        }
    }

    /// Gives a connected socket to the ring, and notes whose it is.
    fn adopt(&mut self, place: u32, fd: OwnedFd) {
        let id = self.net.adopt(fd);
        let index = id.index as usize;
        if self.places.len() <= index {
            self.places.resize(index + 1, u32::MAX);
        }
        self.places[index] = place;
        self.connections[place as usize].id = Some(id);
        self.make_ready(place);
    }

    /// A run that counts operations must not wait forever for a server that is gone.
    fn look_after(&self, now: u64, end_ns: u64) -> Result<(), DriveError> {
        let silent = now.saturating_sub(self.last_reply_ns);
        let counts = end_ns == u64::MAX;
        if counts && self.connector.missing >= self.connections.len() && silent > GIVE_UP.as_nanos() as u64 {
            let server = &self.load.target.server;
            return Err(DriveError(format!("{server} has not been reachable for {} s", GIVE_UP.as_secs())));
        }
        Ok(())
    }

    // ---- what is reported ----

    fn send_report(&mut self, last: bool) {
        let empty = Interval::new(self.interval.kinds.len());
        let interval = mem::replace(&mut self.interval, empty);
        let last_reply = Duration::from_nanos(self.last_reply_ns);
        // If the main thread is gone, so will this one be.
        let _ = self.reports.send(Report { tick: self.tick, interval, last_reply, last });
        self.tick += 1;
    }

    fn finish(mut self) -> Result<Totals, DriveError> {
        self.send_report(true);
        self.totals.unanswered = self.outstanding;
        if let Some(mut check) = self.check {
            if self.outstanding > 0 {
                check.fault(format!("{} operations had no reply within {} s", self.outstanding, DRAIN.as_secs()));
            }
            self.totals.faults = check.faults;
            self.totals.fault_count = check.fault_count;
        }
        self.totals.errors = self.errors.0;
        Ok(self.totals)
    }
}

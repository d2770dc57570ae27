//! What a core tells about itself when INFO, MEMORY or LATENCY HISTOGRAM ask, and how the reports of all are read as one.

use super::info::Sections;
use super::{Ask, Gathered, Told};
use crate::base::{CoreId, Now};
use crate::command::CommandId;
use crate::engine::Engine;
use crate::engine::requests::Flow;
use crate::keyspace::{Database, Shard, ShardStats};
use crate::limits::TTL_SAMPLES;
use crate::metrics::{CommandTimes, CoreStats, ErrorCounts, RatesPerSecond};
use crate::resp::Reply;
use crate::session::Session;

/// What the reports are wanted for.
#[derive(Debug)]
pub(in crate::engine) enum Topic {
    Info(Sections),
    MemoryStats,
    MemoryDoctor,
    /// The commands that were named, or all.
    Histogram(Vec<CommandId>),
}

/// One core, as it is now.
#[derive(Debug)]
pub(in crate::engine) struct CoreReport {
    pub(super) core: CoreId,
    pub(super) stats: CoreStats,
    pub(super) times: CommandTimes,
    pub(super) errors: ErrorCounts,
    pub(super) rates: RatesPerSecond,
    pub(super) shard: ShardStats,
    pub(super) databases: Vec<DatabaseReport>,
    /// Bytes charged to entries, now and at most so far.
    pub(super) data_bytes: u64,
    pub(super) data_bytes_peak: u64,
    /// Something deleted is still to be freed.
    pub(super) has_remains: bool,
    pub(super) clients: ClientsReport,
}

/// One database of one core.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct DatabaseReport {
    pub(super) keys: u64,
    pub(super) volatile: u64,
    /// Mean time to live of a few keys drawn by chance, in milliseconds.
    pub(super) mean_ttl_ms: u64,
}

impl DatabaseReport {
    pub(super) fn join(&mut self, other: &Self) {
        let volatile = self.volatile + other.volatile;
        // Deadlines reach as far as 64 bits do, and so may their sum beyond.
        let weight = |report: &Self| u128::from(report.mean_ttl_ms) * u128::from(report.volatile);
        let mean = (weight(self) + weight(other)).checked_div(u128::from(volatile)).unwrap_or_default();
        *self = Self { keys: self.keys + other.keys, volatile, mean_ttl_ms: u64::try_from(mean).unwrap_or(u64::MAX) };
    }
}

/// The clients of one core.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct ClientsReport {
    pub(super) connected: u64,
    pub(super) monitors: u64,
    /// Largest buffers, and the sum of all, if they were asked for.
    pub(super) input_bytes_max: u64,
    pub(super) output_bytes_max: u64,
    pub(super) buffer_bytes: u64,
}

impl ClientsReport {
    fn add(&mut self, session: &Session) {
        let input = session.input.as_ref().map_or(0, |input| input.capacity()) as u64;
        let output = (session.pipeline.held_bytes() + session.unsent_bytes) as u64;
        self.input_bytes_max = self.input_bytes_max.max(input);
        self.output_bytes_max = self.output_bytes_max.max(output);
        self.buffer_bytes += size_of::<Session>() as u64 + input + output;
    }
}

/// The reports of all cores, in their order.
#[derive(Debug)]
pub(super) struct Reports(pub(super) Vec<CoreReport>);

impl Reports {
    pub(super) fn sum(&self, of: impl Fn(&CoreReport) -> u64) -> u64 {
        self.0.iter().map(of).fold(0, u64::saturating_add)
    }

    pub(super) fn most(&self, of: impl Fn(&CoreReport) -> u64) -> u64 {
        self.0.iter().map(of).max().unwrap_or_default()
    }

    /// Every database that has keys, with its number.
    pub(super) fn databases(&self) -> Vec<(usize, DatabaseReport)> {
        let count = self.0.iter().map(|core| core.databases.len()).max().unwrap_or_default();
        let mut all = vec![DatabaseReport::default(); count];
        for core in &self.0 {
            all.iter_mut().zip(&core.databases).for_each(|(sum, database)| sum.join(database));
        }
        all.into_iter().enumerate().filter(|(_, database)| database.keys > 0).collect()
    }

    pub(super) fn times(&self) -> CommandTimes {
        let mut joined = CommandTimes::default();
        self.0.iter().for_each(|core| joined.join(&core.times));
        joined
    }

    pub(super) fn errors(&self) -> ErrorCounts {
        let mut joined = ErrorCounts::default();
        self.0.iter().for_each(|core| joined.join(&core.errors));
        joined
    }

    pub(super) fn calls(&self, command: CommandId) -> u64 {
        self.sum(|core| core.stats.calls[command.index()])
    }

    /// Bytes charged to entries of all cores.
    pub(super) fn data_bytes(&self) -> u64 {
        self.sum(|core| core.data_bytes)
    }

    /// What we can account for beyond the entries: clients and their buffers.
    pub(super) fn overhead_bytes(&self) -> u64 {
        self.sum(|core| core.clients.buffer_bytes)
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.data_bytes().saturating_add(self.overhead_bytes())
    }

    /// The cores need not have held the most at the same time, so this is an upper bound.
    pub(super) fn used_bytes_peak(&self) -> u64 {
        self.sum(|core| core.data_bytes_peak.max(core.data_bytes)).saturating_add(self.overhead_bytes())
    }
}

impl Engine {
    /// Asks every core for its report. `clients`: with the sizes of all buffers, for which every session is looked at.
    pub(super) fn ask_reports(&mut self, session: &mut Session, topic: Topic, clients: bool) -> Flow {
        self.ask_all(session, Ask::Report { clients }, Gathered::Reports { topic, reports: Vec::new() })
    }

    pub(super) fn report(&mut self, clients: bool) -> Told {
        let mut report = ClientsReport {
            connected: self.sessions.len() as u64,
            monitors: self.watchers.own() as u64,
            ..ClientsReport::default()
        };
        if clients {
            self.sessions.iter().for_each(|session| report.add(session));
        }
        let stats = &self.stats;
        let rates = self.rates.per_second(self.now.mono_us, stats.commands, stats.received_bytes, stats.sent_bytes);
        let now = self.now;
        let rng = &mut self.rng;
        let databases = match &self.shard {
            Some(shard) => shard.databases().iter().map(|database| database_report(database, now, rng)).collect(),
            None => Vec::new(),
        };
        let data_bytes = self.shard.as_ref().map_or(0, |shard| shard.used_bytes() as u64);
        self.data_bytes_peak = self.data_bytes_peak.max(data_bytes);
        Told::Report(Box::new(CoreReport {
            core: self.core,
            stats: self.stats.clone(),
            times: self.times.clone(),
            errors: self.errors.clone(),
            rates,
            shard: self.shard.as_ref().map(|shard| shard.stats()).unwrap_or_default(),
            databases,
            data_bytes,
            data_bytes_peak: self.data_bytes_peak,
            has_remains: self.shard.as_ref().is_some_and(|shard| shard.has_remains()),
            clients: report,
        }))
    }

    pub(super) fn answer_reports(&mut self, topic: &Topic, mut reports: Vec<CoreReport>, reply: &mut Reply<'_>) {
        reports.sort_unstable_by_key(|report| report.core);
        let reports = Reports(reports);
        match topic {
            Topic::Info(sections) => self.answer_info(sections, &reports, reply),
            Topic::MemoryStats => self.answer_memory_stats(&reports, reply),
            Topic::MemoryDoctor => self.answer_memory_doctor(&reports, reply),
            Topic::Histogram(commands) => super::latency::answer_histogram(commands, &reports, reply),
        }
    }

    /// Forgets what CONFIG RESETSTAT resets.
    pub(super) fn reset_counters(&mut self) -> Told {
        self.stats = CoreStats::new(CommandId::COUNT);
        self.times = CommandTimes::default();
        self.errors = ErrorCounts::default();
        self.rates.restart(self.now.mono_us);
        if let Some(shard) = &mut self.shard {
            shard.reset_stats();
            self.data_bytes_peak = shard.used_bytes() as u64;
        }
        Told::Done
    }

    /// Looks at the counters now and then, so that there is something to compare them with.
    #[inline]
    pub(in crate::engine) fn sample_rates(&mut self) {
        if self.rates.is_due(self.now.mono_us) {
            let stats = &self.stats;
            self.rates.sample(self.now.mono_us, stats.commands, stats.received_bytes, stats.sent_bytes);
            let data_bytes = self.shard.as_ref().map_or(0, |shard| Shard::used_bytes(shard) as u64);
            self.data_bytes_peak = self.data_bytes_peak.max(data_bytes);
        }
    }

    /// Commands that clients of this core have sent so far.
    #[inline]
    pub fn commands(&self) -> u64 {
        self.stats.commands
    }

    /// The longest turn so far, in microseconds of CPU time.
    pub fn longest_turn_us(&self) -> u64 {
        self.stats.longest_turn_us
    }

    /// Takes note of the CPU time that a turn took, in microseconds; 0 if it is known not to be the longest.
    #[inline]
    pub fn turn_took(&mut self, cpu_us: u64) {
        self.stats.turns += 1;
        self.stats.longest_turn_us = self.stats.longest_turn_us.max(cpu_us);
    }
}

fn database_report(database: &Database, now: Now, rng: &mut crate::base::Rng) -> DatabaseReport {
    let mut report =
        DatabaseReport { keys: database.len() as u64, volatile: database.volatile_len() as u64, mean_ttl_ms: 0 };
    if report.volatile > 0 {
        let drawn = (0..TTL_SAMPLES).filter_map(|_| database.random(now.unix_ms(), rng)?.deadline().unix_ms());
        let ttls: Vec<u64> = drawn.map(|due| due.saturating_sub(now.unix_ms())).collect();
        let sum: u128 = ttls.iter().copied().map(u128::from).sum();
        let mean = sum.checked_div(ttls.len() as u128).unwrap_or_default();
        report.mean_ttl_ms = u64::try_from(mean).unwrap_or(u64::MAX);
    }
    report
}

//! What a core tells about itself when INFO, MEMORY or LATENCY HISTOGRAM ask, and how the reports of all are read as one.

use super::info::Sections;
use super::{Ask, Gathered, Told};
use crate::base::{CoreId, Now, Rng};
use crate::command::CommandId;
use crate::engine::Engine;
use crate::engine::requests::Flow;
use crate::keyspace::{Database, Shard, ShardStats};
use crate::limits::TTL_SAMPLES;
use crate::metrics::{CommandTimes, CoreStats, ErrorCounts, RatesPerSecond};
use crate::pubsub::Kind;
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
    pub(super) memory: MemoryReport,
    /// Something deleted is still to be freed.
    pub(super) has_remains: bool,
    pub(super) clients: ClientsReport,
    /// Channels and shard channels at home here that have subscribers.
    pub(super) channels: u64,
    pub(super) shard_channels: u64,
}

/// What the data of one core takes, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct MemoryReport {
    /// What `maxmemory` is compared with: entries, what they hold outside, tables, wheels, queues, and what waits to be
    /// dropped.
    pub(super) data: u64,
    /// The most that this has been when somebody looked.
    pub(super) data_peak: u64,
    /// Of it, entries and what they hold outside.
    pub(super) dataset: u64,
    /// What the process holds for the data: the cells between entries too.
    pub(super) held: u64,
}

/// One database of one core.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::engine) struct DatabaseReport {
    pub(super) keys: u64,
    pub(super) volatile: u64,
    /// Of these, how many are due and still there, going by a few drawn by chance.
    pub(super) due: u64,
    /// Mean time to live of the others that were drawn, in milliseconds.
    pub(super) mean_ttl_ms: u64,
    /// Bytes of table, wheel and queues.
    pub(super) overhead_bytes: u64,
}

impl DatabaseReport {
    pub(super) fn join(&mut self, other: &Self) {
        let volatile = self.volatile + other.volatile;
        // Deadlines reach as far as 64 bits do, and so may their sum beyond.
        let weight = |report: &Self| u128::from(report.mean_ttl_ms) * u128::from(report.volatile);
        let mean = (weight(self) + weight(other)).checked_div(u128::from(volatile)).unwrap_or_default();
        *self = Self {
            keys: self.keys + other.keys,
            volatile,
            due: self.due + other.due,
            mean_ttl_ms: u64::try_from(mean).unwrap_or(u64::MAX),
            overhead_bytes: self.overhead_bytes + other.overhead_bytes,
        };
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
        let output = session.output_bytes() as u64;
        let subscriptions = session.subscriptions.as_ref().map_or(0, |subscriptions| subscriptions.bytes()) as u64;
        self.input_bytes_max = self.input_bytes_max.max(input);
        self.output_bytes_max = self.output_bytes_max.max(output);
        let queue = session.queue.as_ref().map_or(0, |queue| queue.memory_bytes()) as u64;
        self.buffer_bytes += size_of::<Session>() as u64 + input + queue + output + subscriptions;
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

    /// What `maxmemory` is compared with.
    pub(super) fn data_bytes(&self) -> u64 {
        self.sum(|core| core.memory.data)
    }

    /// Clients and their buffers.
    pub(super) fn client_bytes(&self) -> u64 {
        self.sum(|core| core.clients.buffer_bytes)
    }

    pub(super) fn used_bytes(&self) -> u64 {
        self.data_bytes().saturating_add(self.client_bytes())
    }

    /// Entries and what they hold outside.
    pub(super) fn dataset_bytes(&self) -> u64 {
        self.sum(|core| core.memory.dataset)
    }

    /// All that is used and is no entry: tables, wheels, queues, what waits to be dropped, clients.
    pub(super) fn overhead_bytes(&self) -> u64 {
        self.used_bytes().saturating_sub(self.dataset_bytes())
    }

    /// What the process holds for what is used.
    pub(super) fn active_bytes(&self) -> u64 {
        self.sum(|core| core.memory.held).saturating_add(self.client_bytes())
    }

    /// The cores need not have held the most at the same time, so this is an upper bound.
    pub(super) fn used_bytes_peak(&self) -> u64 {
        self.sum(|core| core.memory.data_peak).saturating_add(self.client_bytes())
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
        let mut memory = self.shard.as_ref().map(|shard| memory_report(shard)).unwrap_or_default();
        self.data_bytes_peak = self.data_bytes_peak.max(memory.data);
        memory.data_peak = self.data_bytes_peak;
        Told::Report(Box::new(CoreReport {
            core: self.core,
            stats: self.stats.clone(),
            times: self.times.clone(),
            errors: self.errors.clone(),
            rates,
            shard: self.shard.as_ref().map(|shard| shard.stats()).unwrap_or_default(),
            databases,
            memory,
            has_remains: self.shard.as_ref().is_some_and(|shard| shard.has_remains()),
            clients: report,
            channels: self.pubsub.names_at_home(Kind::Channel) as u64,
            shard_channels: self.pubsub.names_at_home(Kind::Shard) as u64,
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

fn memory_report(shard: &Shard) -> MemoryReport {
    MemoryReport {
        data: shard.used_bytes() as u64,
        data_peak: 0,
        dataset: shard.dataset_bytes() as u64,
        held: shard.held_bytes() as u64,
    }
}

fn database_report(database: &Database, now: Now, rng: &mut Rng) -> DatabaseReport {
    let now_ms = now.unix_ms();
    let volatile = database.volatile_len() as u64;
    let draws = if volatile > 0 { TTL_SAMPLES } else { 0 };
    let drawn: Vec<u64> = (0..draws).filter_map(|_| database.random_deadline(rng)).collect();
    let left_ms: Vec<u64> = drawn.iter().filter_map(|due_ms| due_ms.checked_sub(now_ms)).collect();
    let sum: u128 = left_ms.iter().copied().map(u128::from).sum();
    let mean = sum.checked_div(left_ms.len() as u128).unwrap_or_default();
    let due = (volatile * (drawn.len() - left_ms.len()) as u64).checked_div(drawn.len() as u64).unwrap_or_default();
    DatabaseReport {
        keys: database.len() as u64,
        volatile,
        due,
        mean_ttl_ms: u64::try_from(mean).unwrap_or(u64::MAX),
        overhead_bytes: database.overhead_bytes() as u64,
    }
}

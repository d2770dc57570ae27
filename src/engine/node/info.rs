//! INFO: the sections and fields of Redis, and a section `cores`.
//!
//! Times in commandstats and latencystats go by a sample of the calls (`metrics::CommandTimes`). What Redis has and
//! Corewise has not (replicas, forks, scripts, defragmentation ...) is reported as it would be by a Redis that does not
//! use it, because monitoring tools look for the fields.

use std::fmt::{Display, Write};

use super::Handled;
use super::report::{Reports, Topic};
use crate::command::{Args, CommandId};
use crate::engine::{CpuTimes, Engine, ProcessFacts};
use crate::pubsub::Kind;
use crate::resp::Reply;
use crate::session::Session;

/// The level of compatibility.
pub(in crate::engine) const REDIS_VERSION: &str = "7.2.0";

/// A section of INFO.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Section {
    Server,
    Clients,
    Memory,
    Persistence,
    Stats,
    Replication,
    Cpu,
    Cores,
    Modules,
    Commandstats,
    Errorstats,
    Latencystats,
    Cluster,
    Keyspace,
}

/// The sections in their order: the name to ask for, the title, and whether plain INFO shows it.
const SECTIONS: [(Section, &str, &str, bool); 14] = [
    (Section::Server, "server", "Server", true),
    (Section::Clients, "clients", "Clients", true),
    (Section::Memory, "memory", "Memory", true),
    (Section::Persistence, "persistence", "Persistence", true),
    (Section::Stats, "stats", "Stats", true),
    (Section::Replication, "replication", "Replication", true),
    (Section::Cpu, "cpu", "CPU", true),
    (Section::Cores, "cores", "Cores", true),
    (Section::Modules, "modules", "Modules", true),
    (Section::Commandstats, "commandstats", "Commandstats", false),
    (Section::Errorstats, "errorstats", "Errorstats", true),
    (Section::Latencystats, "latencystats", "Latencystats", false),
    (Section::Cluster, "cluster", "Cluster", true),
    (Section::Keyspace, "keyspace", "Keyspace", true),
];

/// The sections that were asked for: a bit for each row of [`SECTIONS`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::engine) struct Sections(u16);

impl Sections {
    fn of(chosen: impl Fn(Section, &str, bool) -> bool) -> Self {
        let rows = SECTIONS.iter().enumerate();
        Self(rows.filter(|(_, row)| chosen(row.0, row.1, row.3)).fold(0, |set, (bit, _)| set | 1 << bit))
    }

    /// Reads the names; one that is not known names nothing.
    fn parse(args: &Args<'_>) -> Self {
        if args.is_empty() {
            return Self::of(|_, _, by_default| by_default);
        }
        args.rest().iter().fold(Self::default(), |set, name| {
            let named = match name.to_ascii_lowercase().as_slice() {
                b"default" => Self::of(|_, _, by_default| by_default),
                b"all" | b"everything" => Self::of(|_, _, _| true),
                name => Self::of(|_, known, _| known.as_bytes() == name),
            };
            Self(set.0 | named.0)
        })
    }

    fn contains(self, row: usize) -> bool {
        self.0 & 1 << row != 0
    }
}

impl Engine {
    pub(super) fn info(&mut self, session: &mut Session, args: &Args<'_>) -> Handled {
        let sections = Sections::parse(args);
        let looks_at_clients = Sections::of(|section, _, _| matches!(section, Section::Clients | Section::Memory));
        let clients = sections.0 & looks_at_clients.0 != 0;
        Ok(self.ask_reports(session, Topic::Info(sections), clients))
    }

    pub(super) fn answer_info(&self, sections: &Sections, reports: &Reports, reply: &mut Reply<'_>) {
        let mut text = Text(String::with_capacity(4096));
        for (row, (section, _, title, _)) in SECTIONS.iter().enumerate() {
            if sections.contains(row) {
                text.title(title);
                self.write_section(*section, reports, &mut text);
            }
        }
        reply.verbatim("txt", &text.0);
    }

    fn write_section(&self, section: Section, reports: &Reports, text: &mut Text) {
        match section {
            Section::Server => self.write_server(&self.facts, text),
            Section::Clients => self.write_clients(reports, text),
            Section::Memory => self.write_memory(reports, text),
            Section::Persistence => self.write_persistence(reports, text),
            Section::Stats => write_stats(reports, self.pubsub.names_at_home(Kind::Pattern), text),
            Section::Replication => write_replication(&self.facts, text),
            Section::Cpu => write_cpu((self.facts.cpu_times)(), text),
            Section::Cores => write_cores(reports, text),
            Section::Modules => {}
            Section::Commandstats => write_command_stats(reports, text),
            Section::Errorstats => {
                for (kind, count) in reports.errors().sorted() {
                    text.field(&format!("errorstat_{kind}"), format_args!("count={count}"));
                }
            }
            Section::Latencystats => write_latency_stats(reports, text),
            Section::Cluster => text.field("cluster_enabled", 0),
            Section::Keyspace => {
                for (number, database) in reports.databases() {
                    let (keys, volatile, ttl) = (database.keys, database.volatile, database.mean_ttl_ms);
                    text.field(&format!("db{number}"), format_args!("keys={keys},expires={volatile},avg_ttl={ttl}"));
                }
            }
        }
    }

    fn write_server(&self, facts: &ProcessFacts, text: &mut Text) {
        let up_s = self.now.mono_us.saturating_sub(self.started.mono_us) / 1_000_000;
        text.field("redis_version", REDIS_VERSION);
        text.field("corewise_version", env!("CARGO_PKG_VERSION"));
        text.field("redis_git_sha1", "00000000");
        text.field("redis_git_dirty", 0);
        text.field("redis_build_id", 0);
        text.field("redis_mode", "standalone");
        text.field("os", &facts.system);
        text.field("arch_bits", usize::BITS);
        text.field("monotonic_clock", "POSIX clock_gettime");
        text.field("multiplexing_api", "io_uring");
        text.field("atomicvar_api", "std");
        text.field("process_id", facts.process_id);
        text.field("process_supervised", facts.supervised);
        text.field("run_id", &facts.run_id);
        text.field("tcp_port", self.config.port);
        text.field("server_time_usec", self.now.unix_us);
        text.field("uptime_in_seconds", up_s);
        text.field("uptime_in_days", up_s / 86_400);
        text.field("hz", 10);
        text.field("configured_hz", 10);
        text.field("lru_clock", (self.now.unix_us / 1_000_000) & 0xFF_FFFF);
        text.field("executable", &facts.executable);
        text.field("config_file", &facts.config_file);
        text.field("io_threads_active", 0);
        text.field("cores", self.topology.cores());
    }

    fn write_clients(&self, reports: &Reports, text: &mut Text) {
        text.field("connected_clients", reports.sum(|core| core.clients.connected));
        text.field("cluster_connections", 0);
        text.field("maxclients", self.config.maxclients);
        text.field("client_recent_max_input_buffer", reports.most(|core| core.clients.input_bytes_max));
        text.field("client_recent_max_output_buffer", reports.most(|core| core.clients.output_bytes_max));
        text.field("blocked_clients", reports.sum(|core| core.clients.blocked));
        text.field("tracking_clients", 0);
        text.field("clients_in_timeout_table", reports.sum(|core| core.clients.with_deadline));
        text.field("total_blocking_keys", reports.sum(|core| core.clients.awaited_keys));
        text.field("total_blocking_keys_on_nokey", 0);
        text.field("monitor_clients", reports.sum(|core| core.clients.monitors));
    }

    fn write_persistence(&self, reports: &Reports, text: &mut Text) {
        for field in ["loading", "async_loading", "current_cow_peak", "current_cow_size", "current_cow_size_age"] {
            text.field(field, 0);
        }
        text.field("current_fork_perc", "0.00");
        text.field("current_save_keys_processed", 0);
        text.field("current_save_keys_total", 0);
        text.field("rdb_changes_since_last_save", reports.sum(|core| core.shard.changes));
        text.field("rdb_bgsave_in_progress", 0);
        text.field("rdb_last_save_time", self.started.unix_us / 1_000_000);
        text.field("rdb_last_bgsave_status", "ok");
        text.field("rdb_last_bgsave_time_sec", -1);
        text.field("rdb_current_bgsave_time_sec", -1);
        for field in ["rdb_saves", "rdb_last_cow_size", "rdb_last_load_keys_expired", "rdb_last_load_keys_loaded"] {
            text.field(field, 0);
        }
        text.field("aof_enabled", 0);
        text.field("aof_rewrite_in_progress", 0);
        text.field("aof_rewrite_scheduled", 0);
        text.field("aof_last_rewrite_time_sec", -1);
        text.field("aof_current_rewrite_time_sec", -1);
        text.field("aof_last_bgrewrite_status", "ok");
        text.field("aof_rewrites", 0);
        text.field("aof_rewrites_consecutive_failures", 0);
        text.field("aof_last_write_status", "ok");
        text.field("aof_last_cow_size", 0);
        text.field("module_fork_in_progress", 0);
        text.field("module_fork_last_cow_size", 0);
    }
}

fn write_stats(reports: &Reports, patterns: usize, text: &mut Text) {
    let kilobytes = |bytes: u64| Hundredths(u128::from(bytes) * 100 / 1024);
    text.field("total_connections_received", reports.sum(|core| core.stats.connections));
    text.field("total_commands_processed", reports.sum(|core| core.stats.commands));
    text.field("instantaneous_ops_per_sec", reports.sum(|core| core.rates.commands));
    text.field("total_net_input_bytes", reports.sum(|core| core.stats.received_bytes));
    text.field("total_net_output_bytes", reports.sum(|core| core.stats.sent_bytes));
    text.field("total_net_repl_input_bytes", 0);
    text.field("total_net_repl_output_bytes", 0);
    text.field("instantaneous_input_kbps", kilobytes(reports.sum(|core| core.rates.received_bytes)));
    text.field("instantaneous_output_kbps", kilobytes(reports.sum(|core| core.rates.sent_bytes)));
    text.field("instantaneous_input_repl_kbps", "0.00");
    text.field("instantaneous_output_repl_kbps", "0.00");
    text.field("rejected_connections", reports.sum(|core| core.stats.connections_refused));
    for field in ["sync_full", "sync_partial_ok", "sync_partial_err"] {
        text.field(field, 0);
    }
    text.field("expired_keys", reports.sum(|core| core.shard.expired));
    text.field("expired_subkeys", reports.sum(|core| core.shard.expired_fields));
    let databases = || reports.0.iter().flat_map(|core| &core.databases);
    let (due, volatile) =
        databases().fold((0, 0), |(due, all), database| (due + database.due, all + database.volatile));
    text.field("expired_stale_perc", percent(due, volatile));
    text.field("expired_time_cap_reached_count", 0);
    text.field("expire_cycle_cpu_milliseconds", 0);
    text.field("evicted_keys", reports.sum(|core| core.shard.evicted));
    text.field("evicted_clients", 0);
    text.field("total_eviction_exceeded_time", 0);
    text.field("current_eviction_exceeded_time", 0);
    text.field("keyspace_hits", reports.sum(|core| core.shard.hits));
    text.field("keyspace_misses", reports.sum(|core| core.shard.misses));
    text.field("pubsub_channels", reports.sum(|core| core.channels));
    text.field("pubsub_patterns", patterns);
    text.field("pubsubshard_channels", reports.sum(|core| core.shard_channels));
    text.field("keyspace_events_dropped", reports.sum(|core| core.shard.events_dropped));
    for field in [
        "latest_fork_usec",
        "total_forks",
        "migrate_cached_sockets",
        "slave_expires_tracked_keys",
        "active_defrag_hits",
        "active_defrag_misses",
        "active_defrag_key_hits",
        "active_defrag_key_misses",
        "total_active_defrag_time",
        "current_active_defrag_time",
        "tracking_total_keys",
        "tracking_total_items",
        "tracking_total_prefixes",
        "unexpected_error_replies",
    ] {
        text.field(field, 0);
    }
    text.field("total_error_replies", reports.sum(|core| core.stats.errors));
    text.field("dump_payload_sanitizations", 0);
    text.field("total_reads_processed", reports.sum(|core| core.stats.reads));
    text.field("total_writes_processed", reports.sum(|core| core.stats.writes));
    text.field("io_threaded_reads_processed", 0);
    text.field("io_threaded_writes_processed", 0);
    text.field("client_query_buffer_limit_disconnections", reports.sum(|core| core.stats.input_closed));
    text.field("client_output_buffer_limit_disconnections", reports.sum(|core| core.stats.output_closed));
    text.field("reply_buffer_shrinks", 0);
    text.field("reply_buffer_expands", 0);
    text.field("eventloop_cycles", reports.sum(|core| core.stats.turns));
}

fn write_replication(facts: &ProcessFacts, text: &mut Text) {
    text.field("role", "master");
    text.field("connected_slaves", 0);
    text.field("master_failover_state", "no-failover");
    text.field("master_replid", &facts.run_id);
    text.field("master_replid2", "0".repeat(40));
    text.field("master_repl_offset", 0);
    text.field("second_repl_offset", -1);
    text.field("repl_backlog_active", 0);
    text.field("repl_backlog_size", 0);
    text.field("repl_backlog_first_byte_offset", 0);
    text.field("repl_backlog_histlen", 0);
}

fn write_cpu(times: CpuTimes, text: &mut Text) {
    let seconds = |us: u64| format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.field("used_cpu_sys", seconds(times.process_system_us));
    text.field("used_cpu_user", seconds(times.process_user_us));
    text.field("used_cpu_sys_children", seconds(0));
    text.field("used_cpu_user_children", seconds(0));
    text.field("used_cpu_sys_main_thread", seconds(times.thread_system_us));
    text.field("used_cpu_user_main_thread", seconds(times.thread_user_us));
}

/// A line per core: what it holds, what its clients asked for, and how much of that went elsewhere.
fn write_cores(reports: &Reports, text: &mut Text) {
    for core in &reports.0 {
        let keys: u64 = core.databases.iter().map(|database| database.keys).sum();
        let (stats, shard) = (&core.stats, &core.shard);
        text.field(
            &format!("core{}", core.core),
            format_args!(
                "keys={keys},used_memory={},hits={},misses={},hit_ratio={},evicted={},expired={},connections={},\
                 commands={},mail={},served={},borrowed={},transactions={},transaction_retries={},turns={},\
                 longest_turn_usec={}",
                core.memory.data,
                shard.hits,
                shard.misses,
                ratio(shard.hits, shard.hits + shard.misses),
                shard.evicted,
                shard.expired,
                core.clients.connected,
                stats.commands,
                stats.mail_requests,
                stats.served,
                stats.borrowed,
                stats.transactions,
                stats.transaction_retries,
                stats.turns,
                stats.longest_turn_us,
            ),
        );
    }
}

fn write_command_stats(reports: &Reports, text: &mut Text) {
    let times = reports.times();
    for command in CommandId::all() {
        let calls = reports.calls(command);
        let rejected = reports.sum(|core| core.stats.failures[command.index()].rejected);
        let failed = reports.sum(|core| core.stats.failures[command.index()].failed);
        if calls + rejected + failed == 0 {
            continue;
        }
        let us = times.of(command.index()).map_or(0, |times| times.total_us_of(calls));
        let us_per_call = Hundredths((u128::from(us) * 100).checked_div(u128::from(calls)).unwrap_or_default());
        text.field(
            &format!("cmdstat_{}", command.command().name),
            format_args!(
                "calls={calls},usec={us},usec_per_call={us_per_call},rejected_calls={rejected},failed_calls={failed}"
            ),
        );
    }
}

fn write_latency_stats(reports: &Reports, text: &mut Text) {
    let times = reports.times();
    for command in CommandId::all() {
        if let Some(times) = times.of(command.index()) {
            let [p50, p99, p999] = [50.0, 99.0, 99.9].map(|percent| times.percentile_us(percent));
            text.field(
                &format!("latency_percentiles_usec_{}", command.command().name),
                format_args!("p50={p50}.000,p99={p99}.000,p99.9={p999}.000"),
            );
        }
    }
}

/// A ratio; 0 where there is nothing to compare with.
pub(super) fn ratio(part: u64, whole: u64) -> Hundredths {
    Hundredths((u128::from(part) * 100).checked_div(u128::from(whole)).unwrap_or_default())
}

/// The same in percent.
pub(super) fn percent(part: u64, whole: u64) -> Hundredths {
    Hundredths((u128::from(part) * 10_000).checked_div(u128::from(whole)).unwrap_or_default())
}

/// A number with two digits behind the point.
pub(super) struct Hundredths(pub(super) u128);

impl Display for Hundredths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// The text of INFO.
pub(super) struct Text(String);

impl Text {
    fn title(&mut self, title: &str) {
        let gap = if self.0.is_empty() { "" } else { "\r\n" };
        // Writing to a string does not fail.
        _ = write!(self.0, "{gap}# {title}\r\n");
    }

    pub(super) fn field(&mut self, name: &str, value: impl Display) {
        _ = write!(self.0, "{name}:{value}\r\n");
    }
}

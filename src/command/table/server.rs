//! The server as a whole.

use super::{access, categories, flags};
use crate::command::{Categories, Command, CommandId, Flags, Group, KeyFlags, KeySpec, Scope};

/// What the rows of this group have in common.
const SERVER: Command = Command { group: Group::Server, scope: Scope::Node, ..Command::BLANK };

pub(super) static ROWS: [Command; 20] = [
    Command {
        id: CommandId::Bgrewriteaof,
        name: "bgrewriteaof",
        arity: 1,
        flags: flags![ADMIN, NOSCRIPT, NO_ASYNC_LOADING],
        scope: Scope::Core,
        since: "1.0.0",
        summary: "Asks for a rewrite of the append-only file in the background.",
        ..SERVER
    },
    Command {
        id: CommandId::Bgsave,
        name: "bgsave",
        arity: -1,
        flags: flags![ADMIN, NOSCRIPT, NO_ASYNC_LOADING],
        scope: Scope::Core,
        since: "1.0.0",
        summary: "Asks for a snapshot in the background.",
        syntax: "[SCHEDULE]",
        ..SERVER
    },
    Command {
        id: CommandId::Command,
        name: "command",
        arity: -1,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "2.8.13",
        complexity: "O(N) with N the number of commands",
        summary: "Describes the commands of this server.",
        named_categories: categories![CONNECTION],
        tips: &["nondeterministic_output_order"],
        subcommands: &COMMAND,
        ..SERVER
    },
    Command {
        id: CommandId::Config,
        name: "config",
        arity: -2,
        scope: Scope::Session,
        since: "2.0.0",
        complexity: "Depends on the subcommand",
        summary: "Reads and changes settings.",
        subcommands: &CONFIG,
        ..SERVER
    },
    Command {
        id: CommandId::Dbsize,
        name: "dbsize",
        arity: 1,
        flags: flags![READONLY, FAST],
        since: "1.0.0",
        summary: "Counts the keys of the database.",
        named_categories: categories![KEYSPACE],
        tips: &["request_policy:all_shards", "response_policy:agg_sum"],
        ..SERVER
    },
    Command {
        id: CommandId::Debug,
        name: "debug",
        arity: -2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, PROTECTED, SYSTEM],
        since: "1.0.0",
        complexity: "Depends on the subcommand",
        summary: "Inspects and provokes the server, for tests.",
        ..SERVER
    },
    Command {
        id: CommandId::Flushall,
        name: "flushall",
        arity: -1,
        flags: flags![WRITE],
        since: "1.0.0",
        complexity: "O(N) with N the number of keys in all databases",
        summary: "Removes the keys of all databases.",
        syntax: "[flush-type=(ASYNC|SYNC)]",
        named_categories: categories![KEYSPACE, DANGEROUS],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..SERVER
    },
    Command {
        id: CommandId::Flushdb,
        name: "flushdb",
        arity: -1,
        flags: flags![WRITE],
        since: "1.0.0",
        complexity: "O(N) with N the number of keys in the database",
        summary: "Removes the keys of the database.",
        syntax: "[flush-type=(ASYNC|SYNC)]",
        named_categories: categories![KEYSPACE, DANGEROUS],
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..SERVER
    },
    Command {
        id: CommandId::Info,
        name: "info",
        arity: -1,
        flags: flags![LOADING, STALE],
        since: "1.0.0",
        summary: "Reports the state and the statistics of the server.",
        syntax: "[section...]",
        named_categories: categories![DANGEROUS],
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        ..SERVER
    },
    Command {
        id: CommandId::Lastsave,
        name: "lastsave",
        arity: 1,
        flags: flags![LOADING, STALE, FAST],
        scope: Scope::Core,
        since: "1.0.0",
        summary: "Answers when the last snapshot was taken.",
        named_categories: categories![ADMIN, DANGEROUS],
        tips: &["nondeterministic_output"],
        ..SERVER
    },
    Command {
        id: CommandId::Latency,
        name: "latency",
        arity: -2,
        scope: Scope::Session,
        since: "2.8.13",
        complexity: "Depends on the subcommand",
        summary: "Watches and explains latency.",
        subcommands: &LATENCY,
        ..SERVER
    },
    Command {
        id: CommandId::Lolwut,
        name: "lolwut",
        arity: -1,
        flags: flags![READONLY, FAST],
        scope: Scope::Core,
        since: "5.0.0",
        complexity: "",
        summary: "Shows a piece of computer art and the version.",
        syntax: "[VERSION version:integer]",
        ..SERVER
    },
    Command {
        id: CommandId::Memory,
        name: "memory",
        arity: -2,
        scope: Scope::Session,
        since: "4.0.0",
        complexity: "Depends on the subcommand",
        summary: "Inspects the use of memory.",
        subcommands: &MEMORY,
        ..SERVER
    },
    Command {
        id: CommandId::Monitor,
        name: "monitor",
        arity: 1,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "1.0.0",
        complexity: "",
        summary: "Streams every command that the server handles to the connection.",
        ..SERVER
    },
    Command {
        id: CommandId::Role,
        name: "role",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST],
        scope: Scope::Core,
        since: "2.8.12",
        summary: "Answers the part that the server plays in replication.",
        named_categories: categories![ADMIN, DANGEROUS],
        ..SERVER
    },
    Command {
        id: CommandId::Save,
        name: "save",
        arity: 1,
        flags: flags![ADMIN, NOSCRIPT, NO_ASYNC_LOADING, NO_MULTI],
        scope: Scope::Core,
        since: "1.0.0",
        complexity: "O(N) with N the number of keys in all databases",
        summary: "Asks for a snapshot at once.",
        ..SERVER
    },
    Command {
        id: CommandId::Shutdown,
        name: "shutdown",
        arity: -1,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, NO_MULTI, ALLOW_BUSY],
        since: "1.0.0",
        complexity: "O(N) with N the number of keys in all databases if they are saved, else O(1)",
        summary: "Stops the server.",
        syntax: "[save-selector=(NOSAVE|SAVE)] [NOW] [FORCE] [ABORT]",
        ..SERVER
    },
    Command {
        id: CommandId::Slowlog,
        name: "slowlog",
        arity: -2,
        scope: Scope::Session,
        since: "2.2.12",
        complexity: "Depends on the subcommand",
        summary: "Inspects the log of slow commands.",
        subcommands: &SLOWLOG,
        ..SERVER
    },
    Command {
        id: CommandId::Swapdb,
        name: "swapdb",
        arity: 3,
        flags: flags![WRITE, FAST],
        since: "4.0.0",
        complexity: "O(N) with N the number of clients that watch or wait for keys of the two",
        summary: "Exchanges the contents of two databases.",
        syntax: "index1:integer index2:integer",
        named_categories: categories![KEYSPACE, DANGEROUS],
        ..SERVER
    },
    Command {
        id: CommandId::Time,
        name: "time",
        arity: 1,
        flags: flags![LOADING, STALE, FAST],
        scope: Scope::Core,
        since: "2.6.0",
        summary: "Answers the time of the server.",
        tips: &["nondeterministic_output"],
        ..SERVER
    },
];

static COMMAND: [Command; 7] = [
    Command {
        id: CommandId::CommandCount,
        name: "command|count",
        arity: 2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "2.8.13",
        summary: "Counts the commands.",
        named_categories: categories![CONNECTION],
        ..SERVER
    },
    Command {
        id: CommandId::CommandDocs,
        name: "command|docs",
        arity: -2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "7.0.0",
        complexity: "O(N) with N the number of commands asked for",
        summary: "Documents commands.",
        syntax: "[command-name...]",
        named_categories: categories![CONNECTION],
        tips: &["nondeterministic_output_order"],
        ..SERVER
    },
    Command {
        id: CommandId::CommandGetkeys,
        name: "command|getkeys",
        arity: -3,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "2.8.13",
        complexity: "O(N) with N the number of arguments",
        summary: "Picks the keys out of a full command.",
        syntax: "command [arg...]",
        named_categories: categories![CONNECTION],
        ..SERVER
    },
    Command {
        id: CommandId::CommandGetkeysandflags,
        name: "command|getkeysandflags",
        arity: -3,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "7.0.0",
        complexity: "O(N) with N the number of arguments",
        summary: "Picks the keys out of a full command and tells what it does to each.",
        syntax: "command [arg...]",
        named_categories: categories![CONNECTION],
        ..SERVER
    },
    Command {
        id: CommandId::CommandHelp,
        name: "command|help",
        arity: 2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "5.0.0",
        summary: "Lists the subcommands.",
        named_categories: categories![CONNECTION],
        ..SERVER
    },
    Command {
        id: CommandId::CommandInfo,
        name: "command|info",
        arity: -2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "2.8.13",
        complexity: "O(N) with N the number of commands asked for",
        summary: "Describes commands, or all of them if none is named.",
        syntax: "[command-name...]",
        named_categories: categories![CONNECTION],
        tips: &["nondeterministic_output_order"],
        ..SERVER
    },
    Command {
        id: CommandId::CommandList,
        name: "command|list",
        arity: -2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "7.0.0",
        complexity: "O(N) with N the number of commands",
        summary: "Lists the names of commands.",
        syntax: "[FILTERBY filterby=(MODULE module-name|ACLCAT category|PATTERN pattern)]",
        named_categories: categories![CONNECTION],
        tips: &["nondeterministic_output_order"],
        ..SERVER
    },
];

static CONFIG: [Command; 5] = [
    Command {
        id: CommandId::ConfigGet,
        name: "config|get",
        arity: -3,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        scope: Scope::Core,
        since: "2.0.0",
        complexity: "O(N) with N the number of patterns",
        summary: "Answers the settings whose names match a pattern.",
        syntax: "parameter...",
        ..SERVER
    },
    Command {
        id: CommandId::ConfigHelp,
        name: "config|help",
        arity: 2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "5.0.0",
        summary: "Lists the subcommands.",
        ..SERVER
    },
    Command {
        id: CommandId::ConfigResetstat,
        name: "config|resetstat",
        arity: 2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "2.0.0",
        summary: "Sets the statistics back to zero.",
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..SERVER
    },
    Command {
        id: CommandId::ConfigRewrite,
        name: "config|rewrite",
        arity: 2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "2.8.0",
        summary: "Writes the settings in force to the configuration file.",
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..SERVER
    },
    Command {
        id: CommandId::ConfigSet,
        name: "config|set",
        arity: -4,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "2.0.0",
        complexity: "O(N) with N the number of settings",
        summary: "Changes settings while the server runs.",
        syntax: "data=<parameter value>...",
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..SERVER
    },
];

static LATENCY: [Command; 7] = [
    Command {
        id: CommandId::LatencyDoctor,
        name: "latency|doctor",
        arity: 2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "2.8.13",
        summary: "Explains the latency spikes that were seen.",
        tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        ..SERVER
    },
    Command {
        id: CommandId::LatencyGraph,
        name: "latency|graph",
        arity: 3,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "2.8.13",
        summary: "Draws the latency spikes of an event.",
        syntax: "event",
        tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        ..SERVER
    },
    Command {
        id: CommandId::LatencyHelp,
        name: "latency|help",
        arity: 2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "2.8.13",
        summary: "Lists the subcommands.",
        ..SERVER
    },
    Command {
        id: CommandId::LatencyHistogram,
        name: "latency|histogram",
        arity: -2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "7.0.0",
        complexity: "O(N) with N the number of commands asked for",
        summary: "Answers the distribution of command latencies.",
        syntax: "[COMMAND:string...]",
        tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        ..SERVER
    },
    Command {
        id: CommandId::LatencyHistory,
        name: "latency|history",
        arity: 3,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "2.8.13",
        summary: "Lists the latency spikes of an event.",
        syntax: "event",
        tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        ..SERVER
    },
    Command {
        id: CommandId::LatencyLatest,
        name: "latency|latest",
        arity: 2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "2.8.13",
        summary: "Answers the latest latency spike of every event.",
        tips: &["nondeterministic_output", "request_policy:all_nodes", "response_policy:special"],
        ..SERVER
    },
    Command {
        id: CommandId::LatencyReset,
        name: "latency|reset",
        arity: -2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "2.8.13",
        summary: "Forgets latency spikes.",
        syntax: "[event...]",
        tips: &["request_policy:all_nodes", "response_policy:agg_sum"],
        ..SERVER
    },
];

static MEMORY: [Command; 6] = [
    Command {
        id: CommandId::MemoryDoctor,
        name: "memory|doctor",
        arity: 2,
        since: "4.0.0",
        summary: "Explains problems with the use of memory.",
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        ..SERVER
    },
    Command {
        id: CommandId::MemoryHelp,
        name: "memory|help",
        arity: 2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "4.0.0",
        summary: "Lists the subcommands.",
        ..SERVER
    },
    Command {
        id: CommandId::MemoryMallocStats,
        name: "memory|malloc-stats",
        arity: 2,
        scope: Scope::Core,
        since: "4.0.0",
        complexity: "Depends on how much memory is allocated",
        summary: "Answers the statistics of the memory allocator.",
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        ..SERVER
    },
    Command {
        id: CommandId::MemoryPurge,
        name: "memory|purge",
        arity: 2,
        scope: Scope::Core,
        since: "4.0.0",
        complexity: "Depends on how much memory is allocated",
        summary: "Asks the memory allocator to give memory back to the system.",
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..SERVER
    },
    Command {
        id: CommandId::MemoryStats,
        name: "memory|stats",
        arity: 2,
        since: "4.0.0",
        summary: "Breaks the use of memory down.",
        tips: &["nondeterministic_output", "request_policy:all_shards", "response_policy:special"],
        ..SERVER
    },
    Command {
        id: CommandId::MemoryUsage,
        name: "memory|usage",
        arity: -3,
        flags: flags![READONLY],
        keys: &[KeySpec::at(2, access![RO])],
        scope: Scope::Shard,
        bounded: true,
        since: "4.0.0",
        complexity: "O(N) with N the number of samples",
        summary: "Estimates the memory that a key takes.",
        syntax: "key [SAMPLES count:integer]",
        ..SERVER
    },
];

static SLOWLOG: [Command; 4] = [
    Command {
        id: CommandId::SlowlogGet,
        name: "slowlog|get",
        arity: -2,
        flags: flags![ADMIN, LOADING, STALE],
        since: "2.2.12",
        complexity: "O(N) with N the number of entries",
        summary: "Lists entries of the slow log.",
        syntax: "[count:integer]",
        tips: &["request_policy:all_nodes", "nondeterministic_output"],
        ..SERVER
    },
    Command {
        id: CommandId::SlowlogHelp,
        name: "slowlog|help",
        arity: 2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "6.2.0",
        summary: "Lists the subcommands.",
        ..SERVER
    },
    Command {
        id: CommandId::SlowlogLen,
        name: "slowlog|len",
        arity: 2,
        flags: flags![ADMIN, LOADING, STALE],
        since: "2.2.12",
        summary: "Counts the entries of the slow log.",
        tips: &["request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"],
        ..SERVER
    },
    Command {
        id: CommandId::SlowlogReset,
        name: "slowlog|reset",
        arity: 2,
        flags: flags![ADMIN, LOADING, STALE],
        since: "2.2.12",
        complexity: "O(N) with N the number of entries",
        summary: "Empties the slow log.",
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..SERVER
    },
];

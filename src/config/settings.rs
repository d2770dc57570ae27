//! The table of settings: from it come the fields of [`Config`], the flags, the environment's names, what a file may
//! say, CONFIG GET / SET / REWRITE and `--help`. A setting is written down here and nowhere else.

use std::fmt;

use super::address::{Addresses, BindAddress};
use super::cpus::{CpuList, Cpus};
use super::fixed::{Fixed, NoSavePoints, OnlyNo, OnlyYes};
use super::output_limits::{ClassLimits, OutputLimits};
use super::text::{Password, Secret, SocketPath, Text};
use super::value::{Arguments, Codec, Integer, Memory, Mistake, OneOf, Permissions, Words, YesNo, list};
use crate::limits::DATABASES_MAX;

/// When a setting can change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// At any time, by CONFIG SET.
    Live,
    /// At the start only.
    AtStart,
    /// At the start only, and it is no setting for operators: `--help` and CONFIG GET with a pattern leave it out.
    Hidden,
}

/// Where a setting stands in `--help`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Heading {
    /// Sockets.
    Network,
    /// What clients may do and hold.
    Clients,
    /// Memory.
    Memory,
    /// Who may come in.
    Security,
    /// CPUs and what happens between them.
    Cores,
    /// Logs and records of slow commands.
    Observation,
    /// How the process is run.
    Process,
    /// What Redis lets one choose and Corewise does not.
    Fixed,
}

impl Heading {
    /// As it reads above its settings.
    pub fn title(self) -> &'static str {
        match self {
            Self::Network => "Network",
            Self::Clients => "Clients",
            Self::Memory => "Memory and keyspace",
            Self::Security => "Security",
            Self::Cores => "Cores",
            Self::Observation => "Logs and observation",
            Self::Process => "Process",
            Self::Fixed => "Settings of Redis that have one value here",
        }
    }
}

/// One row of the table.
pub struct Setting {
    /// Redis's name for it where Redis has it.
    pub name: &'static str,
    /// The default as one would write it.
    pub default: &'static str,
    /// When it can change.
    pub change: Change,
    /// Where `--help` shows it.
    pub heading: Heading,
    /// What it does, in a line.
    pub summary: &'static str,
    pub(super) arguments: fn() -> Arguments,
    pub(super) placeholder: fn() -> &'static str,
    pub(super) print: fn(&Config) -> String,
    pub(super) lines: fn(&Config) -> Vec<String>,
    pub(super) write: fn(&mut Config, &str) -> Result<(), Mistake>,
}

impl Setting {
    /// The setting of that name, in any case.
    pub fn named(name: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.name.eq_ignore_ascii_case(name))
    }

    /// Its environment variable: `COREWISE_TCP_KEEPALIVE` for `tcp-keepalive`.
    pub fn variable(&self) -> String {
        format!("{}{}", super::VARIABLE_PREFIX, self.name.replace('-', "_").to_ascii_uppercase())
    }
}

impl fmt::Debug for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Setting({})", self.name)
    }
}

/// Makes the struct and the table of the same rows: `field: type = "name", codec, "default", when, heading, "summary"`.
macro_rules! settings {
    ($($field:ident: $type:ty = $name:literal, $codec:expr, $default:literal, $change:ident, $heading:ident,
       $summary:literal;)*) => {
        /// Every setting, checked: a value of this type cannot be wrong. A core holds it in an `Arc` and is given
        /// another one when CONFIG SET changes something.
        #[derive(Clone, PartialEq, Debug)]
        pub struct Config {
            $(#[doc = concat!("`", $name, "`: ", $summary, ".")]
            pub $field: $type,)*
        }

        impl Default for Config {
            fn default() -> Self {
                Self { $($field: codec::$field().parse($default, None).expect("the table's defaults are valid"),)* }
            }
        }

        /// The codec of each field.
        mod codec {
            use super::*;
            $(pub(super) fn $field() -> impl Codec<Value = $type> {
                $codec
            })*
        }

        /// Every setting, in the order of `--help`.
        pub static SETTINGS: &[Setting] = &[$(Setting {
            name: $name,
            default: $default,
            change: Change::$change,
            heading: Heading::$heading,
            summary: $summary,
            arguments: || codec::$field().arguments(),
            placeholder: || codec::$field().placeholder(),
            print: |config| codec::$field().print(&config.$field),
            lines: |config| codec::$field().lines(&config.$field),
            write: |config, text| {
                config.$field = codec::$field().parse(text, Some(&config.$field))?;
                Ok(())
            },
        }),*];
    };
}

/// Names the variants of an enumeration: `Variant = "word", "what it means"`.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($variant:ident = $word:literal, $meaning:literal;)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`: ", $meaning, ".")]
            $variant,)*
        }

        impl Words for $name {
            const WORDS: &'static [(&'static str, Self)] = &[$(($word, Self::$variant)),*];
        }
    };
}

const SECONDS_MAX: i64 = i32::MAX as i64;
const MEBIBYTE: u64 = 1 << 20;
const BYTES_MAX: u64 = i64::MAX as u64;

settings! {
    port: u16 = "port", Integer::new(0, 65535), "6379", AtStart, Network,
        "TCP port that serves every key; 0 for none";
    bind: Vec<BindAddress> = "bind", Addresses, "127.0.0.1 -::1", AtStart, Network,
        "Addresses to listen on; * is every IPv4 and ::* every IPv6 address, - in front lets one be missing";
    unixsocket: Option<String> = "unixsocket", SocketPath, "", AtStart, Network,
        "Path of a Unix socket to listen on as well";
    unixsocketperm: u32 = "unixsocketperm", Permissions, "0", AtStart, Network,
        "Permissions of the Unix socket, in octal; 0 leaves them to the umask";
    tcp_backlog: i32 = "tcp-backlog", Integer::new(0, SECONDS_MAX), "511", AtStart, Network,
        "Connections that may wait to be accepted, on each listening socket";
    tcp_keepalive_s: u32 = "tcp-keepalive", Integer::new(0, SECONDS_MAX), "300", Live, Network,
        "Seconds of silence after which the kernel checks that a client is still there; 0 never checks";

    maxclients: u32 = "maxclients", Integer::new(1, u32::MAX as i64), "10000", Live, Clients,
        "Clients that may be connected at once";
    timeout_s: u32 = "timeout", Integer::new(0, SECONDS_MAX), "0", Live, Clients,
        "Seconds after which an idle client is disconnected; 0 never disconnects";
    output_limits: OutputLimits = "client-output-buffer-limit", ClassLimits,
        "normal 0 0 0 replica 256mb 64mb 60 pubsub 32mb 8mb 60", Live, Clients,
        "Unsent bytes at which a client of a class (normal, replica, pubsub) is closed: at once, or after seconds";
    query_buffer_bytes: u64 = "client-query-buffer-limit", Memory { min: MEBIBYTE, max: BYTES_MAX }, "1gb", Live, Clients,
        "Bytes of an unfinished request at which its client is closed";
    bulk_bytes: u64 = "proto-max-bulk-len", Memory { min: MEBIBYTE, max: BYTES_MAX }, "512mb", Live, Clients,
        "Bytes of the longest argument and of the longest string value";
    pipeline_order: PipelineOrder = "pipeline-order", OneOf::new("relaxed|strict"), "relaxed", Live, Clients,
        "Whether single-key commands of one pipeline that go to different cores may overlap; replies keep their order";

    maxmemory: u64 = "maxmemory", Memory { min: 0, max: u64::MAX }, "0", Live, Memory,
        "Memory that the data may take; 0 sets no limit";
    maxmemory_policy: EvictionPolicy = "maxmemory-policy", Policies, "noeviction", Live, Memory,
        "What makes room when maxmemory is reached; noeviction refuses writes";
    databases: u16 = "databases", Integer::new(1, DATABASES_MAX as i64), "16", AtStart, Memory,
        "Databases that SELECT chooses from";

    requirepass: Option<Secret> = "requirepass", Password, "", Live, Security,
        "Password that clients must give by AUTH or HELLO";
    protected_mode: bool = "protected-mode", YesNo, "yes", Live, Security,
        "Whether clients of other machines are refused while no password is set";
    enable_debug_command: DebugAccess = "enable-debug-command", OneOf::new("no|yes|local"), "no", AtStart, Security,
        "Who may use DEBUG; local is this machine's clients";

    cpus: Option<CpuList> = "cpus", Cpus, "", AtStart, Cores,
        "CPUs to use, one core each, such as 0-3,6; by default those that the process may run on, at most its cgroup's quota";
    lending: Lending = "lending", OneOf::new("never|usual|always"), "usual", Hidden, Cores,
        "When a sleeping core lends its shard";
    min_wait: bool = "min-wait", YesNo, "yes", Hidden, Cores,
        "Whether the ring waits for a batch where the kernel can";

    loglevel: LogLevel = "loglevel", OneOf::new("LEVEL"), "notice", Live, Observation,
        "Least weight of what is logged: debug, verbose, notice, warning or nothing";
    logfile: Option<String> = "logfile", Text { placeholder: "PATH" }, "", AtStart, Observation,
        "File to log to instead of the standard error";
    slowlog_slower_us: i64 = "slowlog-log-slower-than", Integer::new(-1, i64::MAX), "10000", Live, Observation,
        "Microseconds of execution above which SLOWLOG records a command; -1 records none";
    slowlog_len: u64 = "slowlog-max-len", Integer::new(0, i64::MAX), "128", Live, Observation,
        "Commands that SLOWLOG keeps";
    latency_threshold_ms: u64 = "latency-monitor-threshold", Integer::new(0, i64::MAX), "0", Live, Observation,
        "Milliseconds from which LATENCY records an event; 0 records none";

    supervised: Supervision = "supervised", OneOf::new("no|systemd|auto"), "auto", AtStart, Process,
        "Whether readiness is reported to a service manager; auto reports where NOTIFY_SOCKET is set";

    daemonize: Fixed = "daemonize", OnlyNo { reason: "it must be no, because a service manager (systemd, a container) \
        keeps the server running" }, "no", AtStart, Fixed,
        "The server stays in the foreground";
    save: Fixed = "save", NoSavePoints, "", Live, Fixed,
        "Nothing is saved: a restart empties the cache";
    appendonly: Fixed = "appendonly", OnlyNo { reason: "it must be no, because there is no persistence yet: a restart \
        empties the cache" }, "no", Live, Fixed,
        "Nothing is written to a log: a restart empties the cache";
    lazyfree_eviction: Fixed = "lazyfree-lazy-eviction", LAZY, "yes", Live, Fixed,
        "Evicted values are freed in slices";
    lazyfree_expire: Fixed = "lazyfree-lazy-expire", LAZY, "yes", Live, Fixed,
        "Expired values are freed in slices";
    lazyfree_server_del: Fixed = "lazyfree-lazy-server-del", LAZY, "yes", Live, Fixed,
        "Overwritten values are freed in slices";
    lazyfree_user_del: Fixed = "lazyfree-lazy-user-del", LAZY, "yes", Live, Fixed,
        "DEL frees large values in slices";
    lazyfree_user_flush: Fixed = "lazyfree-lazy-user-flush", LAZY, "yes", Live, Fixed,
        "FLUSHDB and FLUSHALL free in slices";
}

const LAZY: OnlyYes = OnlyYes { reason: "large values are always freed in slices" };

words! {
    /// Order of execution inside one pipeline; replies leave in request order either way.
    PipelineOrder {
        Relaxed = "relaxed", "single-key commands that go to different cores may overlap, as in a Redis Cluster pipeline";
        Strict = "strict", "each command is executed after the one before it, as in one Redis server";
    }
}

words! {
    /// Who may use DEBUG.
    DebugAccess {
        No = "no", "nobody";
        Yes = "yes", "every client";
        Local = "local", "clients of this machine";
    }
}

words! {
    /// When a sleeping core lends its shard; the two extremes are for tests.
    Lending {
        Never = "never", "every remote command goes by mail";
        Usual = "usual", "when the owner sleeps";
        Always = "always", "at every opportunity that the protocol allows";
    }
}

words! {
    /// Least weight of what is logged.
    LogLevel {
        Debug = "debug", "everything, for development";
        Verbose = "verbose", "much that is seldom useful";
        Notice = "notice", "what an operator wants to see";
        Warning = "warning", "what needs attention";
        Nothing = "nothing", "nothing at all";
    }
}

words! {
    /// Whether readiness is reported to a service manager.
    Supervision {
        No = "no", "never";
        Systemd = "systemd", "to systemd, through NOTIFY_SOCKET";
        Auto = "auto", "to systemd where NOTIFY_SOCKET is set";
    }
}

words! {
    /// What makes room when `maxmemory` is reached.
    EvictionPolicy {
        NoEviction = "noeviction", "nothing does: writes that need memory are refused";
    }
}

/// Policies that Redis has and this release does not, in Redis's order.
const POLICIES_TO_COME: &[&str] = &[
    "volatile-lru",
    "volatile-lfu",
    "volatile-random",
    "volatile-ttl",
    "allkeys-lru",
    "allkeys-lfu",
    "allkeys-random",
];

/// The policies that are honoured; those that are known and not honoured get a sentence of their own, because a cache
/// that silently refuses writes instead of evicting would be a surprise.
struct Policies;

impl Codec for Policies {
    type Value = EvictionPolicy;

    fn parse(&self, text: &str, _current: Option<&EvictionPolicy>) -> Result<EvictionPolicy, Mistake> {
        if POLICIES_TO_COME.iter().any(|policy| policy.eq_ignore_ascii_case(text)) {
            return Err(Mistake::Refused(
                "it must be noeviction, because eviction comes with a later release".to_owned(),
            ));
        }
        let words = || POLICIES_TO_COME.iter().copied().chain(EvictionPolicy::WORDS.iter().map(|(word, _)| *word));
        self.honoured().parse(text, None).map_err(|_| Mistake::NotOneOf(list(words())))
    }

    fn print(&self, value: &EvictionPolicy) -> String {
        self.honoured().print(value)
    }

    fn placeholder(&self) -> &'static str {
        "NAME"
    }
}

impl Policies {
    fn honoured(&self) -> OneOf<EvictionPolicy> {
        OneOf::new("NAME")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_variables_are_unique_and_in_the_form_of_redis() {
        for (index, setting) in SETTINGS.iter().enumerate() {
            assert!(setting.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", setting.name);
            assert!(SETTINGS[..index].iter().all(|other| other.variable() != setting.variable()), "{}", setting.name);
            assert!(!setting.summary.ends_with('.'), "{}: summaries end without a full stop", setting.name);
        }
        assert_eq!(Setting::named("TCP-KeepAlive").unwrap().variable(), "COREWISE_TCP_KEEPALIVE");
    }

    #[test]
    fn what_is_printed_is_understood_again() {
        let config = Config::default();
        for setting in SETTINGS {
            let mut copy = config.clone();
            (setting.write)(&mut copy, &(setting.print)(&config)).unwrap();
            for line in (setting.lines)(&config) {
                (setting.write)(&mut copy, &line).unwrap();
            }
            assert_eq!(copy, config, "{}", setting.name);
        }
    }

    #[test]
    fn the_defaults_are_a_working_cache() {
        let config = Config::default();
        assert_eq!((config.port, config.databases, config.maxclients), (6379, 16, 10000));
        assert_eq!(config.bulk_bytes, crate::limits::BULK_BYTES_MAX_DEFAULT as u64);
        assert_eq!(usize::from(config.databases), crate::limits::DATABASES_DEFAULT);
        assert_eq!(config.bind.iter().map(|address| address.optional).collect::<Vec<_>>(), [false, true]);
        assert!(config.protected_mode && config.requirepass.is_none() && config.cpus.is_none());
    }

    #[test]
    fn policies_to_come_are_told_from_nonsense() {
        let text = |word| Policies.parse(word, None).unwrap_err().to_string();
        assert!(text("allkeys-LRU").contains("later release"));
        assert_eq!(
            text("xx"),
            "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, \
             allkeys-lru, allkeys-lfu, allkeys-random, noeviction"
        );
        assert_eq!(Policies.parse("NoEviction", None), Ok(EvictionPolicy::NoEviction));
    }
}

//! The table of settings: from it come the fields of [`Config`], the flags, the environment's names, what a file may
//! say, CONFIG GET / SET / REWRITE and `--help`. A setting is written down here and nowhere else.

use std::fmt;

use super::address::{Addresses, BindAddress};
use super::cpus::{CpuList, Cpus};
use super::fixed::{Fixed, NoSavePoints, OnlyNo, OnlyYes};
use super::key_events::{EventLetters, KeyEvents};
use super::memory_limit::{AmountOrShare, MemoryLimit};
use super::output_limits::{ClassLimits, OutputLimits};
use super::text::{Password, Secret, SocketPath, Text};
use super::value::{Arguments, Codec, Integer, Memory, Mistake, OneOf, Permissions, Words, YesNo};
use crate::limits::{DATABASES_MAX, EVICTION_SAMPLES_MAX};

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
    pub(super) words: fn() -> Vec<&'static str>,
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
            words: || codec::$field().words(),
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

    maxmemory: MemoryLimit = "maxmemory", AmountOrShare, "0", Live, Memory,
        "Memory that the data may take, or its share (50%) of what the machine and its cgroup have; 0 sets no limit";
    maxmemory_policy: EvictionPolicy = "maxmemory-policy", OneOf::new("NAME"), "noeviction", Live, Memory,
        "What makes room when maxmemory or max-keys is reached; noeviction refuses writes";
    maxmemory_samples: u32 = "maxmemory-samples", Integer::new(1, EVICTION_SAMPLES_MAX as i64), "5", Live, Memory,
        "Keys that lru, lfu and ttl compare to find the one to evict; more find better ones and take longer";
    lfu_log_factor: u32 = "lfu-log-factor", Integer::new(0, i32::MAX as i64), "10", Live, Memory,
        "How slowly lfu's counter of a key's uses grows, which is logarithmic: its end, 255, needs more uses if this is more";
    lfu_decay_minutes: u32 = "lfu-decay-time", Integer::new(0, i32::MAX as i64), "1", Live, Memory,
        "Minutes without a use after which lfu's counter of a key goes down by one; 0 never lowers it";
    max_keys: u64 = "max-keys", Integer::new(0, i64::MAX), "0", Live, Memory,
        "Keys that the server may hold; at the limit maxmemory-policy makes room, or refuses new keys; 0 sets no limit";
    default_ttl_s: u32 = "default-ttl", Integer::new(0, SECONDS_MAX), "0", Live, Memory,
        "TTL in seconds of a key that a write creates without giving it one; 0 gives none";
    compression: Compression = "compression", OneOf::new("none|lz4|zstd"), "none", Live, Memory,
        "How values from compression-threshold on are compressed while they are kept";
    compression_threshold_bytes: u64 = "compression-threshold", Memory { min: 64, max: BYTES_MAX }, "1kb", Live, Memory,
        "Bytes from which a value is compressed";
    hash_entries: u64 = "hash-max-listpack-entries", Integer::new(0, i64::MAX), "128", Live, Memory,
        "Fields up to which a hash is one compact run of bytes";
    hash_value_bytes: u64 = "hash-max-listpack-value", Memory { min: 0, max: BYTES_MAX }, "64", Live, Memory,
        "Bytes of a field or value up to which a hash is compact";
    list_size: i32 = "list-max-listpack-size", Integer::new(i32::MIN as i64, i32::MAX as i64), "-2", Live, Memory,
        "Elements up to which a list is compact, or a size: -1 for 4 KiB, -2 for 8, to -5 for 64";
    list_compress_depth: u32 = "list-compress-depth", Integer::new(0, i32::MAX as i64), "0", Live, Memory,
        "Accepted and without effect: lists are not compressed";
    set_integers: u64 = "set-max-intset-entries", Integer::new(0, i64::MAX), "512", Live, Memory,
        "Members up to which a set of whole numbers is an ordered array";
    set_entries: u64 = "set-max-listpack-entries", Integer::new(0, i64::MAX), "128", Live, Memory,
        "Members up to which a set is one compact run of bytes";
    set_value_bytes: u64 = "set-max-listpack-value", Memory { min: 0, max: BYTES_MAX }, "64", Live, Memory,
        "Bytes of a member up to which a set is compact";
    zset_entries: u64 = "zset-max-listpack-entries", Integer::new(0, i64::MAX), "128", Live, Memory,
        "Members up to which a sorted set is one compact run of bytes";
    zset_value_bytes: u64 = "zset-max-listpack-value", Memory { min: 0, max: BYTES_MAX }, "64", Live, Memory,
        "Bytes of a member up to which a sorted set is compact";
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
        "Least weight of what is logged";
    logfile: Option<String> = "logfile", Text { placeholder: "PATH" }, "", AtStart, Observation,
        "File to log to instead of the standard error";
    slowlog_slower_us: i64 = "slowlog-log-slower-than", Integer::new(-1, i64::MAX), "10000", Live, Observation,
        "Microseconds of execution above which SLOWLOG records a command; -1 records none";
    slowlog_len: u64 = "slowlog-max-len", Integer::new(0, i64::MAX), "128", Live, Observation,
        "Commands that SLOWLOG keeps";
    key_events: KeyEvents = "notify-keyspace-events", EventLetters, "", Live, Observation,
        "Changes of keys that are published: K and E for the channels, A for all classes or g$lshzxetdnm for single ones";
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
    /// What makes room when `maxmemory` or `max-keys` is reached. Redis's own stand first and in its order, which is the
    /// order of its error text.
    EvictionPolicy {
        VolatileLru = "volatile-lru", "of a sample of keys with a TTL, the one that was used longest ago";
        VolatileLfu = "volatile-lfu", "of a sample of keys with a TTL, the one that is used least often";
        VolatileRandom = "volatile-random", "a key with a TTL, by chance";
        VolatileTtl = "volatile-ttl", "of a sample of keys with a TTL, the one that is due first";
        AllKeysLru = "allkeys-lru", "of a sample of keys, the one that was used longest ago";
        AllKeysLfu = "allkeys-lfu", "of a sample of keys, the one that is used least often";
        AllKeysRandom = "allkeys-random", "a key by chance";
        NoEviction = "noeviction", "nothing does: writes that need room are refused";
        VolatileS3Fifo = "volatile-s3fifo", "as allkeys-s3fifo, among keys with a TTL";
        AllKeysS3Fifo = "allkeys-s3fifo", "keys that were not asked for again soon after they came, large ones first";
        AllKeysFifo = "allkeys-fifo", "the key that was written first";
    }
}

impl EvictionPolicy {
    /// Whether the time of a key's last use has to be known: by LRU, and by OBJECT IDLETIME where nothing is evicted.
    #[inline]
    pub const fn keeps_recency(self) -> bool {
        matches!(self, Self::VolatileLru | Self::AllKeysLru | Self::NoEviction)
    }

    /// Whether it has to be known how often a key is used.
    #[inline]
    pub const fn keeps_frequency(self) -> bool {
        matches!(self, Self::VolatileLfu | Self::AllKeysLfu)
    }

    /// Whether keys without a TTL are never evicted; where no other key is left, writes are refused.
    #[inline]
    pub const fn is_volatile(self) -> bool {
        matches!(
            self,
            Self::VolatileLru | Self::VolatileLfu | Self::VolatileRandom | Self::VolatileTtl | Self::VolatileS3Fifo
        )
    }

    /// Whether any key is ever evicted.
    #[inline]
    pub const fn evicts(self) -> bool {
        !matches!(self, Self::NoEviction)
    }
}

words! {
    /// How values of at least `compression-threshold` are kept.
    Compression {
        None = "none", "as they came";
        Lz4 = "lz4", "in the LZ4 block format, the faster of the two";
        Zstd = "zstd", "in the Zstandard format, the smaller of the two";
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
        assert!(config.maxmemory.bytes() == 0 && config.max_keys == 0 && config.default_ttl_s == 0);
        assert!(!config.maxmemory_policy.evicts() && config.compression == Compression::None);
        assert_eq!((config.maxmemory_samples, config.lfu_log_factor, config.lfu_decay_minutes), (5, 10, 1));
        assert_eq!(config.compression_threshold_bytes, 1024);
    }

    #[test]
    fn a_wrong_policy_is_answered_in_the_form_of_redis() {
        let text = |word: &[u8]| {
            let error = Config::default().set(&[(b"maxmemory-policy", word)], 0).unwrap_err().to_string();
            error.split_once(" - ").unwrap().1.to_owned()
        };
        assert_eq!(
            text(b"xx"),
            "argument(s) must be one of the following: volatile-lru, volatile-lfu, volatile-random, volatile-ttl, \
             allkeys-lru, allkeys-lfu, allkeys-random, noeviction, volatile-s3fifo, allkeys-s3fifo, allkeys-fifo"
        );
        let changed = Config::default().set(&[(b"maxmemory-policy", b"AllKeys-S3FIFO")], 0).unwrap();
        assert_eq!(changed.config.maxmemory_policy, EvictionPolicy::AllKeysS3Fifo);
    }

    #[test]
    fn policies_are_what_their_names_say() {
        for (word, policy) in EvictionPolicy::WORDS {
            assert_eq!(policy.evicts(), *word != "noeviction", "{word}");
            assert_eq!(policy.is_volatile(), word.starts_with("volatile-"), "{word}");
            assert_eq!(policy.keeps_frequency(), word.ends_with("-lfu"), "{word}");
            assert_eq!(policy.keeps_recency(), word.ends_with("-lru") || *word == "noeviction", "{word}");
        }
    }

    #[test]
    fn bounds_of_the_keyspace_are_kept() {
        let refused = |name: &str, value: &str| {
            let changed = Config::default().set(&[(name.as_bytes(), value.as_bytes())], 0);
            changed.unwrap_err().to_string().split_once(" - ").unwrap().1.to_owned()
        };
        assert_eq!(refused("maxmemory-samples", "0"), "argument must be between 1 and 64 inclusive");
        assert_eq!(refused("maxmemory-samples", "65"), "argument must be between 1 and 64 inclusive");
        assert_eq!(refused("lfu-log-factor", "-1"), "argument must be between 0 and 2147483647 inclusive");
        assert_eq!(refused("lfu-decay-time", "x"), "argument couldn't be parsed into an integer");
        assert_eq!(refused("default-ttl", "-1"), "argument must be between 0 and 2147483647 inclusive");
        assert_eq!(refused("max-keys", "-1"), "argument must be between 0 and 9223372036854775807 inclusive");
        assert_eq!(refused("compression", "gzip"), "argument(s) must be one of the following: none, lz4, zstd");
        let least = "argument must be between 64 and 9223372036854775807 inclusive";
        assert_eq!(refused("compression-threshold", "63"), least);
    }
}

//! Settings of Redis that Corewise does not have, so that an operator's redis.conf either works or is told why not.
//!
//! Two kinds: those that tune machinery which is not here (a file may carry them; the start mentions that they are
//! passed over) and those that ask for something which a client or an operator would miss (they stop the start, unless
//! their value asks for nothing).

/// What a setting of Redis comes to here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Foreign {
    /// Tunes what is not here.
    WithoutEffect,
    /// Asks for what is not here; the text says what to do instead.
    Missing {
        /// The value that asks for nothing, as redis.conf has it.
        neutral: Option<&'static str>,
        /// Why it cannot be had.
        reason: &'static str,
    },
}

/// What `name` (in any case) comes to, if Redis has such a setting.
pub(super) fn foreign(name: &str) -> Option<Foreign> {
    let missing = MISSING.iter().find(|(other, ..)| other.eq_ignore_ascii_case(name));
    if let Some((_, neutral, reason)) = missing {
        return Some(Foreign::Missing { neutral: *neutral, reason });
    }
    let tuning = WITHOUT_EFFECT.iter().any(|other| other.eq_ignore_ascii_case(name));
    tuning.then_some(Foreign::WithoutEffect)
}

const ACL: &str = "there are no users yet: use requirepass";
const REPLICATION: &str = "there is no replication yet";
const CLUSTER: &str = "there is no cluster yet";
const TLS: &str = "there is no TLS yet";

/// Name, value that asks for nothing, reason.
const MISSING: &[(&str, Option<&str>, &str)] = &[
    ("aclfile", Some(""), ACL),
    ("bind-source-addr", Some(""), REPLICATION),
    ("cluster-enabled", Some("no"), CLUSTER),
    ("enable-module-command", Some("no"), "there are no modules"),
    ("enable-protected-configs", Some("no"), "protected settings can only be set at the start"),
    ("include", None, "one file holds the whole configuration: put the lines of the other one here"),
    ("loadmodule", None, "there are no modules"),
    ("masterauth", Some(""), REPLICATION),
    ("masteruser", Some(""), REPLICATION),
    ("maxmemory-clients", Some("0"), "there is no such limit yet: use client-output-buffer-limit and maxclients"),
    ("min-replicas-to-write", Some("0"), REPLICATION),
    ("min-slaves-to-write", Some("0"), REPLICATION),
    ("rename-command", None, "commands cannot be renamed"),
    ("replicaof", Some(""), REPLICATION),
    ("slaveof", Some(""), REPLICATION),
    ("syslog-enabled", Some("no"), "logs go to the standard error or to logfile"),
    ("tls-cluster", Some("no"), TLS),
    ("tls-port", Some("0"), TLS),
    ("tls-replication", Some("no"), TLS),
    ("user", None, ACL),
];

/// Persistence, replication, TLS and cluster details without what they detail; encodings, timers and threads of a
/// machinery that is built differently here.
const WITHOUT_EFFECT: &[&str] = &[
    "acl-pubsub-default",
    "acllog-max-len",
    "active-defrag-cycle-max",
    "active-defrag-cycle-min",
    "active-defrag-ignore-bytes",
    "active-defrag-max-scan-fields",
    "active-defrag-threshold-lower",
    "active-defrag-threshold-upper",
    "active-expire-effort",
    "activedefrag",
    "activerehashing",
    "always-show-logo",
    "aof-disable-auto-gc",
    "aof-load-truncated",
    "aof-rewrite-incremental-fsync",
    "aof-timestamp-enabled",
    "aof-use-rdb-preamble",
    "aof_rewrite_cpulist",
    "appenddirname",
    "appendfilename",
    "appendfsync",
    "auto-aof-rewrite-min-size",
    "auto-aof-rewrite-percentage",
    "bgsave_cpulist",
    "bio_cpulist",
    "busy-reply-threshold",
    "cluster-allow-pubsubshard-when-down",
    "cluster-allow-reads-when-down",
    "cluster-allow-replica-migration",
    "cluster-announce-bus-port",
    "cluster-announce-hostname",
    "cluster-announce-human-nodename",
    "cluster-announce-ip",
    "cluster-announce-port",
    "cluster-announce-tls-port",
    "cluster-config-file",
    "cluster-link-sendbuf-limit",
    "cluster-migration-barrier",
    "cluster-node-timeout",
    "cluster-port",
    "cluster-preferred-endpoint-type",
    "cluster-replica-no-failover",
    "cluster-replica-validity-factor",
    "cluster-require-full-coverage",
    "cluster-slave-no-failover",
    "cluster-slave-validity-factor",
    "crash-log-enabled",
    "crash-memcheck-enabled",
    "dbfilename",
    "dir",
    "disable-thp",
    "dynamic-hz",
    "hash-max-ziplist-entries",
    "hash-max-ziplist-value",
    "hll-sparse-max-bytes",
    "hz",
    "ignore-warnings",
    "io-threads",
    "io-threads-do-reads",
    "jemalloc-bg-thread",
    "latency-tracking",
    "latency-tracking-info-percentiles",
    "list-max-ziplist-size",
    "locale-collate",
    "lua-time-limit",
    // Eviction is bounded by the turn of a core, not by a share of the time.
    "maxmemory-eviction-tenacity",
    "min-replicas-max-lag",
    "min-slaves-max-lag",
    "no-appendfsync-on-rewrite",
    "oom-score-adj",
    "oom-score-adj-values",
    "pidfile",
    "proc-title-template",
    "propagation-error-behavior",
    "rdb-del-sync-files",
    "rdb-save-incremental-fsync",
    "rdbchecksum",
    "rdbcompression",
    "repl-backlog-size",
    "repl-backlog-ttl",
    "repl-disable-tcp-nodelay",
    "repl-diskless-load",
    "repl-diskless-sync",
    "repl-diskless-sync-delay",
    "repl-diskless-sync-max-replicas",
    "repl-ping-replica-period",
    "repl-ping-slave-period",
    "repl-timeout",
    "replica-announce-ip",
    "replica-announce-port",
    "replica-announced",
    "replica-ignore-disk-write-errors",
    "replica-ignore-maxmemory",
    "replica-lazy-flush",
    "replica-priority",
    "replica-read-only",
    "replica-serve-stale-data",
    "sanitize-dump-payload",
    "server_cpulist",
    "set-proc-title",
    "shutdown-on-sigint",
    "shutdown-on-sigterm",
    "shutdown-timeout",
    "slave-announce-ip",
    "slave-announce-port",
    "slave-ignore-maxmemory",
    "slave-lazy-flush",
    "slave-priority",
    "slave-read-only",
    "slave-serve-stale-data",
    "socket-mark-id",
    "stop-writes-on-bgsave-error",
    "stream-node-max-bytes",
    "stream-node-max-entries",
    "syslog-facility",
    "syslog-ident",
    "tls-auth-clients",
    "tls-ca-cert-dir",
    "tls-ca-cert-file",
    "tls-cert-file",
    "tls-ciphers",
    "tls-ciphersuites",
    "tls-client-cert-file",
    "tls-client-key-file",
    "tls-client-key-file-pass",
    "tls-dh-params-file",
    "tls-key-file",
    "tls-key-file-pass",
    "tls-prefer-server-ciphers",
    "tls-protocols",
    "tls-session-cache-size",
    "tls-session-cache-timeout",
    "tls-session-caching",
    "tracking-table-max-keys",
    "zset-max-ziplist-entries",
    "zset-max-ziplist-value",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Setting;

    #[test]
    fn no_name_is_told_twice() {
        let names: Vec<&str> = MISSING.iter().map(|row| row.0).chain(WITHOUT_EFFECT.iter().copied()).collect();
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "{name}");
            assert!(Setting::named(name).is_none(), "{name} is a setting");
        }
    }

    #[test]
    fn settings_of_redis_are_known_in_any_case() {
        for name in ["HZ", "tls-port", "Include", "replicaof", "user", "appendfsync", "slave-read-only"] {
            assert!(foreign(name).is_some(), "{name}");
        }
        assert_eq!(foreign("no-such-thing"), None);
    }
}

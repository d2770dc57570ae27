//! Transcripts of the commands about the server: INFO, CONFIG, COMMAND, statistics, MONITOR, and how it starts and ends.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use corewise_harness::{
    Client, Closed, Kind, Server, Transcript, Value, encode, transcript, transcript_with, variants,
};

#[test]
fn dbsize_and_flush() {
    transcript(|t| {
        for line in ["FLUSHALL", "FLUSHALL SYNC", "FLUSHALL async", "FLUSHDB", "FLUSHDB SYNC", "FLUSHDB ASYNC"] {
            t.check("DBSIZE", ":0");
            t.check("MSET a 1 b 2 c 3 d 4", "+OK");
            t.check("DBSIZE", ":4");
            t.check(line, "+OK");
            t.check("MGET a b c d", "[(nil), (nil), (nil), (nil)]");
        }
        t.check("SET k zero", "+OK");
        t.check("SELECT 1", "+OK");
        t.check("SET k one", "+OK");
        t.check("FLUSHDB", "+OK");
        t.check("DBSIZE", ":0");
        t.check("SELECT 0", "+OK");
        t.check("DBSIZE", ":1");
        t.check("SELECT 1", "+OK");
        t.check("FLUSHALL", "+OK");
        t.check("SELECT 0", "+OK");
        t.check("DBSIZE", ":0");
        t.check("FLUSHALL BAD", "-ERR syntax error");
        t.check("FLUSHDB SYNC x", "-ERR syntax error");
        t.check("DBSIZE x", "-ERR wrong number of arguments for 'dbsize' command");
    });
}

#[test]
fn time_moves() {
    transcript(|t| {
        let micros = |reply: Value| {
            let [seconds, micros] = reply.items() else { panic!("TIME answers {reply}") };
            let [seconds, micros] = [seconds, micros].map(|part| part.text().parse::<u64>().expect("a number"));
            assert!(micros < 1_000_000);
            seconds * 1_000_000 + micros
        };
        let before = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let (first, second) = (micros(t.ask("TIME")), micros(t.ask("TIME")));
        assert!(first + 1_000_000 > before.as_micros() as u64 && first <= second);
        t.check("TIME x", "-ERR wrong number of arguments for 'time' command");
    });
}

/// The field names of an INFO reply, by section.
fn info_fields(text: &str) -> Vec<(String, Vec<String>)> {
    let mut sections: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_prefix("# ") {
            sections.push((name.to_owned(), Vec::new()));
        } else {
            let (field, _) = line.split_once(':').unwrap_or_else(|| panic!("INFO line without a colon: {line}"));
            sections.last_mut().expect("a section comes first").1.push(field.to_owned());
        }
    }
    sections
}

#[test]
fn info_sections_and_fields() {
    transcript(|t| {
        let names = |t: &mut Transcript, line: &str| -> Vec<String> {
            info_fields(&t.ask(line).text()).into_iter().map(|(section, _)| section).collect()
        };
        t.check("SET k v EX 100", "+OK");
        t.check("nosuch", "-ERR unknown command 'nosuch', with args beginning with: ");
        let default = names(t, "INFO");
        for section in [
            "Server",
            "Clients",
            "Memory",
            "Persistence",
            "Stats",
            "Replication",
            "CPU",
            "Modules",
            "Errorstats",
            "Cluster",
            "Keyspace",
        ] {
            assert!(
                default.iter().any(|name| name == section),
                "{}: INFO lacks {section}: {default:?}",
                t.variant().name
            );
        }
        assert_eq!(names(t, "INFO default"), default);
        let all = names(t, "INFO everything");
        assert!(
            all.iter().any(|name| name == "Commandstats") && all.iter().any(|name| name == "Latencystats"),
            "{all:?}"
        );
        assert_eq!(names(t, "INFO server clients"), ["Server", "Clients"]);
        assert_eq!(names(t, "INFO CLIENTS"), ["Clients"]);
        t.check("INFO nosuch", r#""""#);
        t.like("INFO keyspace", r#"?# Keyspace\r\ndb0:keys=1,expires=1,avg_ttl=*\r\n""#);
        t.like("INFO errorstats", r#"?# Errorstats\r\nerrorstat_ERR:count=1\r\n""#);
        t.like(
            "INFO commandstats",
            r#"*cmdstat_set:calls=1,usec=*,usec_per_call=*,rejected_calls=0,failed_calls=0\r\n*"#,
        );
        t.like("INFO replication", r#"?# Replication\r\nrole:master\r\nconnected_slaves:0\r\n*"#);
        t.like("INFO server", r"*redis_version:7.*\r\nredis_mode:standalone\r\n*tcp_port:*uptime_in_seconds:*");
        t.check_ours("INFO server", r"*redis_version:7.2.0\r\n*");
        t.check_ours("INFO server", r"*corewise_version:*");
        t.check_ours("INFO cores", r#"?# Cores\r\n*"#);
        t.like("INFO persistence", r"*loading:0\r\n*rdb_changes_since_last_save:*aof_enabled:0\r\n*");
        t.like(
            "INFO memory",
            r"*used_memory:*used_memory_human:*used_memory_rss:*maxmemory:0\r\n*maxmemory_policy:noeviction\r\n*",
        );
        t.like("INFO stats", r"*total_connections_received:*total_commands_processed:*expired_keys:*evicted_keys:*keyspace_hits:*keyspace_misses:*");
        t.like("HELLO 3", "{*}");
        t.like("INFO clients", r#"=txt ?# Clients\r\nconnected_clients:*maxclients:*"#);
    });
}

#[test]
fn info_counts() {
    transcript(|t| {
        let field = |t: &mut Transcript, name: &str| -> u64 {
            let text = t.ask("INFO everything").text();
            let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name}:")).map(str::to_owned));
            value.unwrap_or_else(|| panic!("INFO lacks {name}")).parse().expect("a number")
        };
        let (hits, misses) = (field(t, "keyspace_hits"), field(t, "keyspace_misses"));
        t.check("SET k v", "+OK");
        t.check("MGET k k absent", "[v, v, (nil)]");
        t.check("GET absent", "(nil)");
        assert_eq!(field(t, "keyspace_hits") - hits, 2, "{}", t.variant().name);
        assert_eq!(field(t, "keyspace_misses") - misses, 2, "{}", t.variant().name);
        let clients = field(t, "connected_clients");
        let mut other = t.server.connect();
        t.check_on(&mut other, "PING", "+PONG");
        assert_eq!(field(t, "connected_clients"), clients + 1, "{}", t.variant().name);
        t.check("SET due v PX 1", "+OK");
        t.until("EXISTS due", ":0");
        assert_eq!(field(t, "expired_keys"), 1, "{}", t.variant().name);
        t.check("CONFIG RESETSTAT", "+OK");
        assert_eq!(field(t, "keyspace_hits"), 0, "{}", t.variant().name);
    });
}

#[test]
fn config() {
    transcript(|t| {
        t.check("CONFIG GET maxmemory", r#"[maxmemory, 0]"#);
        t.check_sorted("CONFIG GET maxmemory-pol* timeout", "[0, maxmemory-policy, noeviction, timeout]");
        t.check("CONFIG GET MAXMEMORY", "[MAXMEMORY, 0]");
        t.check("CONFIG GET nothing", "[]");
        t.check("CONFIG SET maxmemory 100mb", "+OK");
        t.check("CONFIG GET maxmemory", "[maxmemory, 104857600]");
        t.check("CONFIG SET maxmemory 0 maxmemory-policy noeviction timeout 300", "+OK");
        t.check("CONFIG GET maxmemory-policy", "[maxmemory-policy, noeviction]");
        t.check("CONFIG GET timeout", "[timeout, 300]");
        t.check("CONFIG SET nothing 1", "-ERR Unknown option or number of arguments for CONFIG SET - 'nothing'");
        t.check(
            "CONFIG SET maxmemory x",
            "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
        );
        t.check(
            "CONFIG SET maxmemory 100mb timeout x",
            "-ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer",
        );
        t.check("CONFIG GET maxmemory", "[maxmemory, 0]");
        t.check(
            "CONFIG SET maxmemory 100mb maxmemory 200mb",
            "-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - duplicate parameter",
        );
        t.check(
            "CONFIG SET databases 4",
            "-ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config",
        );
        t.like(
            "CONFIG SET maxmemory-policy bad",
            "-ERR CONFIG SET failed (possibly related to argument 'maxmemory-policy') - argument(s) must be one of the \
             following: *volatile-lru*allkeys-lru*noeviction*",
        );
        t.check("CONFIG GET databases", "[databases, 16]");
        t.check("CONFIG GET save", r#"[save, ""]"#);
        t.check("CONFIG GET appendonly", "[appendonly, no]");
        t.like("CONFIG GET bind", "[bind, *127.0.0.1*]");
        t.check("CONFIG GET proto-max-bulk-len", "[proto-max-bulk-len, 536870912]");
        t.check("CONFIG SET", "-ERR wrong number of arguments for 'config|set' command");
        t.check("CONFIG GET", "-ERR wrong number of arguments for 'config|get' command");
        t.check("CONFIG RESETSTAT x", "-ERR wrong number of arguments for 'config|resetstat' command");
        t.check("CONFIG REWRITE", "-ERR The server is running without a config file");
        t.check("CONFIG BAD", "-ERR unknown subcommand 'BAD'. Try CONFIG HELP.");
        t.like("HELLO 3", "{*}");
        t.check("CONFIG GET timeout", "{timeout: 300}");
    });
}

#[test]
fn command_table() {
    transcript(|t| {
        assert!(t.ask("COMMAND COUNT").integer() > 80, "{}", t.variant().name);
        let count = t.ask("COMMAND COUNT").integer();
        assert_eq!(t.ask("COMMAND").items().len() as i64, count);
        let listed = t.ask("COMMAND LIST").items().iter().filter(|name| !name.text().contains('|')).count();
        assert_eq!(listed as i64, count);
        t.like(
            "COMMAND INFO get nosuch",
            "[[get, :2, [+readonly, +fast], :1, :1, :1, [+@read, +@string, +@fast], [], [[flags, [+RO, +access], \
             begin_search, [type, index, spec, [index, :1]], find_keys, [type, range, spec, [lastkey, :0, keystep, :1, \
             limit, :0]]]], []], (nil)]",
        );
        t.like("COMMAND INFO set", "[[set, :-3, [+write, +denyoom], :1, :1, :1, [+@write, +@string, +@slow], *");
        t.like("COMMAND INFO mset", "[[mset, :-3, [+write, +denyoom], :1, :-1, :2, *");
        t.like("COMMAND INFO client|kill", "[[client|kill, :-3, [+admin, +noscript, +loading, +stale], :0, :0, :0, *");
        t.check("COMMAND GETKEYS get a", "[a]");
        t.check("COMMAND GETKEYS mset a 1 b 2", "[a, b]");
        t.check("COMMAND GETKEYS bitop and d a b", "[d, a, b]");
        t.check("COMMAND GETKEYS nosuch a", "-ERR Invalid command specified");
        t.check_7_2("COMMAND GETKEYS get", "-ERR Invalid number of arguments specified for command");
        t.check_7_2("COMMAND GETKEYS ping", "-ERR The command has no key arguments");
        t.check("COMMAND GETKEYS ping x", "-ERR The command has no key arguments");
        t.check("COMMAND GETKEYSANDFLAGS set k v", "[[k, [+OW, +update]]]");
        t.check("COMMAND GETKEYSANDFLAGS set k v GET", "[[k, [+RW, +access, +update]]]");
        t.check("COMMAND GETKEYSANDFLAGS copy a b", "[[a, [+RO, +access]], [b, [+OW, +update]]]");
        t.like("COMMAND DOCS get", "[get, [summary, *, since, 1.0.0, group, string, complexity, *, arguments, [*]]]");
        t.check("COMMAND DOCS nosuch", "[]");
        t.check_sorted("COMMAND LIST FILTERBY PATTERN getr*", "[getrange]");
        t.check("COMMAND LIST FILTERBY ACLCAT nosuch", "[]");
        t.check("COMMAND LIST FILTERBY MODULE nosuch", "[]");
        t.check("COMMAND LIST FILTERBY BAD x", "-ERR syntax error");
        t.check("COMMAND BAD", "-ERR unknown subcommand 'BAD'. Try COMMAND HELP.");
        t.check("COMMAND COUNT x", "-ERR wrong number of arguments for 'command|count' command");
        t.check("COMMAND GETKEYS", "-ERR wrong number of arguments for 'command|getkeys' command");
        let known: BTreeSet<String> = t.ask("COMMAND LIST").items().iter().map(Value::text).collect();
        let families = include_str!("families.txt").split_whitespace();
        let lacking: Vec<&str> = families.filter(|name| !known.contains(*name)).collect();
        assert!(lacking.is_empty(), "{} does not know {lacking:?}", t.variant().name);
    });
}

#[test]
fn slowlog() {
    transcript(|t| {
        t.check("SLOWLOG LEN", ":0");
        t.check("CONFIG SET slowlog-log-slower-than 0", "+OK");
        t.check("SLOWLOG RESET", "+OK");
        t.check("CLIENT SETNAME me", "+OK");
        t.check("SET k v", "+OK");
        t.like("SLOWLOG GET 1", r#"[[:*, :*, :*, [SET, k, v], "127.0.0.1:*", me]]"#);
        t.check("CONFIG SET slowlog-log-slower-than -1", "+OK");
        t.like("SLOWLOG LEN", ":?");
        t.holds("SLOWLOG GET", "newest first", |log| {
            let ids: Vec<i64> = log.items().iter().map(|entry| entry.items()[0].integer()).collect();
            ids.len() >= 3 && ids.is_sorted_by(|newer, older| newer > older)
        });
        t.holds("SLOWLOG GET -1", "every entry", |log| log.items().len() >= 3);
        t.check("SLOWLOG RESET", "+OK");
        t.check("SLOWLOG GET", "[]");
        t.check("SLOWLOG GET -2", "-ERR count should be greater than or equal to -1");
        t.check("SLOWLOG GET x", "-ERR count should be greater than or equal to -1");
        t.check("SLOWLOG BAD", "-ERR unknown subcommand 'BAD'. Try SLOWLOG HELP.");
        t.like("SLOWLOG HELP", "[+SLOWLOG <subcommand> *]");
    });
}

#[test]
fn latency() {
    transcript(|t| {
        t.check("LATENCY LATEST", "[]");
        t.check("LATENCY HISTORY command", "[]");
        t.check("LATENCY RESET", ":0");
        t.check("LATENCY RESET command", ":0");
        t.like("LATENCY DOCTOR", "\"*");
        t.check("LATENCY GRAPH command", "-ERR No samples available for event 'command'");
        t.check("SET k v", "+OK");
        t.like("LATENCY HISTOGRAM set", "[set, [calls, :1, histogram_usec, [:*, :1]]]");
        t.check("CONFIG SET latency-monitor-threshold 1", "+OK");
        t.check("DEBUG SLEEP 0.01", "+OK");
        t.like("LATENCY LATEST", "[[command, :*, :*, :*]]");
        t.like("LATENCY HISTORY command", "[[:*, :*]]");
        t.check("LATENCY RESET command", ":1");
        t.check("LATENCY BAD", "-ERR unknown subcommand 'BAD'. Try LATENCY HELP.");
        t.like("LATENCY HELP", "[+LATENCY <subcommand> *]");
    });
}

#[test]
fn memory() {
    transcript(|t| {
        t.check("SET k v", "+OK");
        t.check("MEMORY USAGE absent", "(nil)");
        t.holds("MEMORY USAGE k", "a few bytes", |usage| (10..200).contains(&usage.integer()));
        t.check("SETRANGE large 100000 x", ":100001");
        t.holds("MEMORY USAGE large", "at least the value", |usage| (100_001..200_000).contains(&usage.integer()));
        t.like("MEMORY USAGE k SAMPLES 0", ":*");
        t.check("MEMORY USAGE k SAMPLES -1", "-ERR syntax error");
        t.check("MEMORY USAGE k SAMPLES x", "-ERR value is not an integer or out of range");
        t.check("MEMORY USAGE k BAD 1", "-ERR syntax error");
        t.like("MEMORY DOCTOR", "\"*");
        t.check("MEMORY PURGE", "+OK");
        t.like("MEMORY STATS", "[peak.allocated, :*, total.allocated, :*, startup.allocated, :*keys.count, :2, *]");
        t.check("MEMORY BAD", "-ERR unknown subcommand 'BAD'. Try MEMORY HELP.");
        t.check("MEMORY USAGE", "-ERR wrong number of arguments for 'memory|usage' command");
        t.like("MEMORY HELP", "[+MEMORY <subcommand> *]");
    });
}

#[test]
fn memory_figures_agree() {
    transcript(|t| {
        for n in 0..3000 {
            t.client.command(&["SET", &format!("key:{n}"), &"x".repeat(200)]);
        }
        let text = t.ask("INFO memory").text();
        let field = |name: &str| -> i64 {
            let value = text.lines().find_map(|line| line.strip_prefix(&format!("{name}:")));
            value.unwrap_or_else(|| panic!("INFO lacks {name}")).parse().expect("a number")
        };
        let name = t.variant().name;
        assert!(field("used_memory_dataset") > 3000 * 200, "{name}: {text}");
        assert!(field("used_memory_dataset") + field("used_memory_overhead") <= field("used_memory"), "{name}: {text}");
        assert!(field("allocator_allocated") <= field("allocator_active"), "{name}: {text}");
        assert!(field("used_memory") <= field("used_memory_rss"), "{name}: {text}");
        if t.is_corewise() {
            let keys: i64 = (0..3000).map(|n| t.ask(&format!("MEMORY USAGE key:{n}")).integer()).sum();
            let data = field("used_memory") - field("mem_not_counted_for_evict");
            assert!((keys - data).abs() * 100 < data * 5, "{name}: keys say {keys}, INFO {data}");
        }
        t.check_ours("INFO memory", r"*compression_values:0\r\n*compression_ratio:0.00\r\n*");
        t.check_ours(
            "INFO cores",
            r"*core0:keys=*,hits=*,misses=*,hit_ratio=*,evicted=0,expired=0,*longest_turn_usec=*",
        );
    });
}

#[test]
fn evictions_are_counted() {
    transcript(|t| {
        t.check("CONFIG SET maxmemory 5mb maxmemory-policy allkeys-lru", "+OK");
        for n in 0..2000 {
            assert_eq!(t.client.command(&["SET", &format!("key:{n}"), &"x".repeat(5000)]).to_string(), "+OK");
        }
        // Of one moment, since the cores go on giving each other room.
        let text = t.ask("INFO everything").text();
        let field = |name: &str| -> i64 {
            let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}"));
            value.split(',').next().unwrap_or_default().parse().expect("a number")
        };
        let (evicted, left) = (field("evicted_keys:"), field("db0:keys="));
        assert!(evicted > 0 && evicted + left == 2000, "{}: {evicted} evicted, {left} left", t.variant().name);
    });
}

/// Ours alone: a redis-server that is not part of a cluster refuses them.
#[test]
fn slots() {
    transcript(|t| {
        if !t.is_corewise() {
            return t.check("CLUSTER KEYSLOT a", "-ERR This instance has cluster support disabled");
        }
        t.check("CLUSTER KEYSLOT a", ":15495");
        t.check("CLUSTER KEYSLOT {u}x", ":11826");
        t.check(r#"CLUSTER KEYSLOT """#, ":0");
        t.check("MSET {a}1 x {a}2 x {u}x x", "+OK");
        t.check("CLUSTER COUNTKEYSINSLOT 15495", ":2");
        t.check("CLUSTER COUNTKEYSINSLOT 11826", ":1");
        t.check("CLUSTER COUNTKEYSINSLOT 0", ":0");
        t.check_sorted("CLUSTER GETKEYSINSLOT 15495 10", r#"["{a}1", "{a}2"]"#);
        t.check("CLUSTER GETKEYSINSLOT 11826 1", r#"["{u}x"]"#);
        t.check("CLUSTER GETKEYSINSLOT 11826 0", "[]");
        t.check("CLUSTER GETKEYSINSLOT 0 10", "[]");
        t.check("CLUSTER COUNTKEYSINSLOT 16384", "-ERR Invalid slot");
        t.check("CLUSTER COUNTKEYSINSLOT x", "-ERR value is not an integer or out of range");
        t.check("CLUSTER GETKEYSINSLOT -1 1", "-ERR Invalid slot or number of keys");
        t.check("CLUSTER GETKEYSINSLOT 1 -1", "-ERR Invalid slot or number of keys");
        t.check("CLUSTER BAD", "-ERR unknown subcommand 'BAD'. Try CLUSTER HELP.");
        t.check("CLUSTER KEYSLOT", "-ERR wrong number of arguments for 'cluster|keyslot' command");
        t.check("CLUSTER", "-ERR wrong number of arguments for 'cluster' command");
        t.like("CLUSTER HELP", "[+CLUSTER <subcommand> *]");
    });
}

#[test]
fn debug() {
    transcript(|t| {
        t.check("DEBUG SLEEP 0", "+OK");
        t.check("DEBUG SET-ACTIVE-EXPIRE 0", "+OK");
        t.check("SET k v PX 1", "+OK");
        t.until("EXISTS k", ":0");
        t.check("DEBUG SET-ACTIVE-EXPIRE 1", "+OK");
        t.check("SET k v", "+OK");
        t.like("DEBUG OBJECT k", "+Value at:* refcount:1 encoding:embstr serializedlength:* lru:* lru_seconds_idle:*");
        t.check("DEBUG OBJECT absent", "-ERR no such key");
        t.check("DEBUG BAD", "-ERR unknown subcommand or wrong number of arguments for 'BAD'. Try DEBUG HELP.");
    });
}

#[test]
fn debug_may_be_forbidden() {
    transcript_with(&["--enable-debug-command", "no"], |t| {
        t.check(
            "DEBUG SLEEP 0",
            "-ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a \
             local connection, otherwise you need to set this option in the configuration file, and then restart the server.",
        );
    });
}

#[test]
fn a_lone_master_without_persistence() {
    transcript(|t| {
        t.check("ROLE", "[master, :0, []]");
        t.check("WAIT 0 0", ":0");
        t.check("WAIT x 0", "-ERR value is not an integer or out of range");
        t.check("WAIT 0 x", "-ERR timeout is not an integer or out of range");
        t.check("WAIT 0 -1", "-ERR timeout is negative");
        t.check("WAIT 1 10", ":0");
        t.like("LASTSAVE", ":*");
        for line in ["SAVE", "BGSAVE", "BGREWRITEAOF"] {
            t.check_ours(line, "-ERR *");
        }
        t.like("LOLWUT", "\"*");
        t.like("LOLWUT VERSION 5 1 1 1", "\"*");
        t.check("SHUTDOWN BAD", "-ERR syntax error");
        t.check("SHUTDOWN ABORT", "-ERR No shutdown in progress.");
        t.check("SHUTDOWN NOSAVE SAVE", "-ERR syntax error");
        t.check("SHUTDOWN ABORT NOW", "-ERR syntax error");
    });
}

#[test]
fn monitor_sees_every_client() {
    transcript(|t| {
        let mut monitor = t.server.connect();
        t.check_on(&mut monitor, "MONITOR", "+OK");
        let mut clients: Vec<Client> = (0..4).map(|_| t.server.connect()).collect();
        for (n, client) in clients.iter_mut().enumerate() {
            t.check_on(client, "SELECT 1", "+OK");
            assert_eq!(client.command(&["SET", &format!("k{n}"), "a \"b\"\n"]).to_string(), "+OK");
        }
        let mut seen = BTreeSet::new();
        while seen.len() < 4 {
            let line = monitor.reply().text();
            if line.contains("\"SET\"") {
                let (before, command) = line.split_once("] ").expect("time, database and address come first");
                assert!(before.contains(" [1 127.0.0.1:"), "{line}");
                assert!(command.ends_with(r#""a \"b\"\n""#), "{line}");
                seen.insert(command.to_owned());
            }
        }
        t.check("AUTH x y", "-WRONGPASS invalid username-password pair or user is disabled.");
        t.check("PING", "+PONG");
        // What is secret stays so.
        assert!(monitor.reply().text().ends_with(r#""AUTH" "(redacted)" "(redacted)""#), "MONITOR shows the password");
        assert!(monitor.reply().text().ends_with(r#""PING""#));
        monitor.send(b"RESET\r\n");
        assert_eq!(monitor.reply().to_string(), "+RESET");
        t.check_on(&mut monitor, "PING", "+PONG");
        t.check("MONITOR x", "-ERR wrong number of arguments for 'monitor' command");
    });
}

#[test]
fn idle_clients_are_closed_after_timeout() {
    transcript_with(&["--timeout", "1"], |t| {
        let mut idle = t.server.connect();
        t.check_on(&mut idle, "PING", "+PONG");
        assert_eq!(idle.try_reply(), Err(Closed), "{}", t.variant().name);
    });
}

#[test]
fn shutdown_ends_the_process() {
    for variant in variants() {
        for line in [&["SHUTDOWN"][..], &["SHUTDOWN", "NOSAVE"], &["shutdown", "now", "force"]] {
            let mut server = Server::start(&variant, &[]);
            let mut other = server.connect();
            let mut bytes = Vec::new();
            encode(line, &mut bytes);
            let mut client = server.connect();
            client.send(&bytes);
            assert!(client.until_closed().is_empty(), "{}: SHUTDOWN does not answer", variant.name);
            assert_eq!(other.try_reply(), Err(Closed));
            assert!(
                server.wait_exit(Duration::from_secs(10)).success(),
                "{}: {line:?}\n{}",
                variant.name,
                server.log()
            );
        }
    }
}

#[test]
fn sigterm_ends_the_process() {
    for variant in variants() {
        let mut server = Server::start(&variant, &[]);
        let mut client = server.connect();
        assert_eq!(client.ask("SET k v").to_string(), "+OK");
        let signalled = Command::new("kill").arg(server.pid().to_string()).status().expect("kill is everywhere");
        assert!(signalled.success());
        assert_eq!(client.try_reply(), Err(Closed));
        assert!(server.wait_exit(Duration::from_secs(10)).success(), "{}\n{}", variant.name, server.log());
    }
}

/// Starts that must fail, each with a sentence that names the cause. Ours alone: Redis words them differently.
#[test]
fn starts_that_fail_say_why() {
    for variant in variants().iter().filter(|variant| variant.kind == Kind::Corewise) {
        let cases: [(&[&str], &[&str]); 8] = [
            (&["--maxmemory", "lots"], &["maxmemory", "lots"]),
            (&["--maxmemory", "0%"], &["maxmemory", "0%", "between 1% and 100%"]),
            (&["--maxmemory-policy", "best"], &["maxmemory-policy", "best", "noeviction"]),
            (&["--appendonly", "yes"], &["appendonly", "persistence"]),
            (&["--save", "900 1"], &["save", "persistence"]),
            (&["--databases", "0"], &["databases", "0"]),
            (&["--cpus", "9999"], &["cpus", "9999"]),
            (&["--nosuch", "1"], &["nosuch"]),
        ];
        for (flags, words) in cases {
            let mut server = Server::spawn(variant, flags);
            assert!(!server.wait_exit(Duration::from_secs(10)).success(), "{flags:?} is accepted");
            let log = server.log();
            for word in words {
                assert!(log.contains(word), "{flags:?}: the reason does not name {word:?}:\n{log}");
            }
        }
        let first = Server::start(variant, &[]);
        let mut second = Server::spawn_at(variant, first.address(), &[]);
        assert!(!second.wait_exit(Duration::from_secs(10)).success(), "two servers on one address");
        assert!(second.log().to_lowercase().contains("address in use"), "{}", second.log());
    }
}

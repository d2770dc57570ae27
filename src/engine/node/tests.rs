//! Transcripts of what speaks for the whole node, each on two cores.

use proptest::prelude::*;

use crate::base::{CoreId, slot};
use crate::command::{Command, CommandId, Scope, commands};
use crate::config::DebugAccess;
use crate::engine::testing::{Node, START_S};
use crate::limits::MONITOR_OUTPUT_BYTES_MAX;
use crate::mesh::LendingMode;
use crate::session::Peer;
use crate::topology::Topology;

const BOTH: [LendingMode; 2] = [LendingMode::Never, LendingMode::Always];

fn with_debug(lending: LendingMode) -> Node {
    Node::with(2, lending, |config| config.enable_debug_command = DebugAccess::Yes)
}

/// A key of a core of two.
pub(super) fn key_of(core: u16) -> String {
    let belongs = |key: &String| Topology::new(2).core_of_slot(slot(key.as_bytes())) == CoreId(core);
    (0..).map(|number| format!("key{number}")).find(belongs).expect("a key")
}

#[test]
fn clients_of_all_cores_are_listed() {
    let mut node = Node::new(2);
    let (first, second, third) = (node.connect(0), node.connect(1), node.connect(1));
    node.check(second, "CLIENT SETNAME two", "OK");
    let list = node.run(first, "CLIENT LIST");
    let ids: Vec<&str> = list.split("\\n").filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(ids, ["\"id=1", "id=2", "id=3", "\""], "{list}");
    assert!(list.contains("name=two") && list.contains("cmd=client|setname") && list.contains("cmd=NULL"), "{list}");
    assert_eq!(node.run(third, "CLIENT LIST ID 2 99").matches("id=").count(), 1);
    node.check(third, "CLIENT LIST TYPE replica", r#""""#);
    assert_eq!(node.run(third, "CLIENT LIST TYPE normal").matches(" addr=127").count(), 3);
    node.check(first, "CLIENT LIST TYPE x", "(error) ERR Unknown client type 'x'");
    node.check(first, "CLIENT LIST ID x", "(error) ERR Invalid client ID");
    node.check(first, "CLIENT LIST ID", "(error) ERR syntax error");
}

#[test]
fn a_long_list_goes_on_in_slices() {
    let mut node = Node::new(2);
    let clients: Vec<_> = (0..700).map(|number| node.connect(number % 2)).collect();
    assert_eq!(node.run(clients[0], "CLIENT LIST").matches(" addr=127").count(), 700);
}

#[test]
fn clients_are_killed_wherever_they_are() {
    for lending in BOTH {
        let mut node = with_debug(lending);
        let clients: Vec<_> = (0..6).map(|number| node.connect(number % 2)).collect();
        node.check(clients[0], "CLIENT KILL 127.0.0.1:5001", "OK");
        assert!(node.is_closed(clients[1]));
        node.check(clients[0], "CLIENT KILL 127.0.0.1:5001", "(error) ERR No such client");
        node.check(clients[0], "CLIENT KILL ID 4", "(integer) 1");
        assert!(node.is_closed(clients[3]));
        node.check(clients[0], "CLIENT KILL ID 1", "(integer) 0");
        node.check(clients[0], "CLIENT KILL TYPE pubsub", "(integer) 0");
        node.check(clients[0], "CLIENT KILL USER nobody", "(error) ERR No such user 'nobody'");
        node.check(clients[0], "CLIENT KILL ID 0", "(error) ERR client-id should be greater than 0");
        node.check(clients[0], "CLIENT KILL SKIPME maybe", "(error) ERR syntax error");
        node.check(clients[0], "CLIENT KILL TYPE normal LADDR 127.0.0.1:6379", "(integer) 3");
        assert!(node.is_closed(clients[2]) && node.is_closed(clients[4]) && node.is_closed(clients[5]));
        // Its own end comes after its reply.
        node.check(clients[0], "CLIENT KILL ID 1 SKIPME no", "(integer) 1");
        assert!(node.is_closed(clients[0]));
        let next = node.connect(1);
        assert_eq!(node.run(next, "CLIENT LIST").matches(" addr=").count(), 1);
    }
}

#[test]
fn a_pause_holds_all_cores() {
    let mut node = Node::new(2);
    let (first, second) = (node.connect(0), node.connect(1));
    node.check(first, "CLIENT PAUSE 1000 WRITE", "OK");
    node.check(second, "GET k", "(nil)");
    node.check(second, "SET k v", "");
    node.pass_ms(500);
    assert_eq!(node.received(second), "");
    node.pass_ms(600);
    assert_eq!(node.received(second), "OK");
    node.check(first, "CLIENT PAUSE 100000 WRITE", "OK");
    node.check(second, "DEL k", "");
    node.check(first, "CLIENT UNPAUSE", "OK");
    assert_eq!(node.received(second), "(integer) 1");
    node.check(first, "CLIENT PAUSE 1000", "OK");
    node.check(second, "GET k", "");
    node.check(first, "PING", "");
    node.pass_ms(1_001);
    assert_eq!((node.received(first), node.received(second)), ("PONG".to_owned(), "(nil)".to_owned()));
    node.check(first, "CLIENT PAUSE x", "(error) ERR timeout is not an integer or out of range");
    node.check(first, "CLIENT PAUSE -1", "(error) ERR timeout is negative");
    node.check(first, "CLIENT PAUSE 9223372036854775807", "(error) ERR timeout is out of range");
    node.check(first, "CLIENT PAUSE 1 x", "(error) ERR CLIENT PAUSE mode must be WRITE or ALL");
    node.check(first, "CLIENT UNBLOCK 2 ERROR", "(integer) 0");
    node.check(first, "CLIENT UNBLOCK 2 x", "(error) ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
}

#[test]
fn settings_reach_every_core() {
    let mut node = Node::new(2);
    let (first, second) = (node.connect(0), node.connect(1));
    node.check(second, "CONFIG SET timeout 7 maxclients 99", "OK");
    node.check(first, "CONFIG GET timeout", r#"["timeout", "7"]"#);
    node.check(first, "CONFIG SET timeout 9", "OK");
    node.check(second, "CONFIG GET timeout MAXCLIENTS", r#"["timeout", "9", "MAXCLIENTS", "99"]"#);
    assert_eq!(node.reconfigured.len(), 4);
    assert!(node.engines.iter().all(|engine| engine.config().timeout_s == 9 && engine.config().maxclients == 99));
    node.check(second, "CONFIG SET timeout", "(error) ERR wrong number of arguments for 'config|set' command");
    node.check(second, "CONFIG SET timeout 1 maxclients", "(error) ERR syntax error");
    node.check(
        second,
        "CONFIG SET timeout 1 maxclients x",
        "(error) ERR CONFIG SET failed (possibly related to argument 'maxclients') - argument couldn't be parsed into an integer",
    );
    node.check(second, "CONFIG GET timeout", r#"["timeout", "9"]"#);
    node.check(second, "CONFIG REWRITE", "OK");
    assert_eq!(node.rewritten.last().map(|config| config.timeout_s), Some(9));
    node.rewrite_outcome = Err("Permission denied".to_owned());
    node.check(second, "CONFIG REWRITE", "(error) ERR Rewriting config file: Permission denied");
}

#[test]
fn maxmemory_may_be_a_share_of_what_there_is() {
    let mut node = Node::new(2);
    let client = node.connect(1);
    node.check(client, "CONFIG SET maxmemory 50%", "OK");
    node.check(client, "CONFIG GET maxmemory", r#"["maxmemory", "536870912"]"#);
    assert!(node.engines.iter().all(|engine| engine.config().maxmemory.bytes() == 1 << 29));
    assert!(node.run(client, "INFO memory").contains(r"\r\nmaxmemory:536870912\r\nmaxmemory_human:512.00M\r\n"));
    node.check(client, "CONFIG REWRITE", "OK");
    assert_eq!(node.rewritten[0].maxmemory.percent(), Some(50));
}

#[test]
fn the_slow_log_is_one_for_all_cores() {
    for lending in BOTH {
        let mut node = with_debug(lending);
        let (first, second) = (node.connect(0), node.connect(1));
        node.check(first, "CLIENT SETNAME one", "OK");
        node.check(second, "DEBUG SLEEP 0.05", "OK");
        assert_eq!(node.stalled_us, [50_000, 50_000]);
        node.check(first, "SLOWLOG LEN", "(integer) 1");
        let entry = node.run(first, "SLOWLOG GET");
        assert!(entry.contains(r#"["DEBUG", "SLEEP", "0.05"], "127.0.0.1:5001", ""]"#), "{entry}");
        assert!(entry.starts_with("[[(integer) 0, (integer) 17000000"), "{entry}");
        node.check(first, "CONFIG SET slowlog-log-slower-than 0", "OK");
        node.check(first, "SLOWLOG RESET", "OK");
        for key in [key_of(0), key_of(1)] {
            node.check(first, &format!("SET {key} v"), "OK");
        }
        node.check(second, &format!("MSET {} 1 {} 2", key_of(0), key_of(1)), "OK");
        node.check(second, "AUTH default secret", "OK");
        node.check(second, "CONFIG SET timeout 1 requirepass secret", "OK");
        node.check(second, "CONFIG SET slowlog-log-slower-than -1", "OK");
        let log = node.run(first, "SLOWLOG GET -1");
        let expected = [
            // The entry of RESET was written when it had ended.
            r#"["SLOWLOG", "RESET"], "127.0.0.1:5000", "one""#.to_owned(),
            format!(r#"["SET", "{}", "v"], "127.0.0.1:5000", "one""#, key_of(0)),
            format!(r#"["SET", "{}", "v"], "127.0.0.1:5000", "one""#, key_of(1)),
            format!(r#"["MSET", "{}", "1", "{}", "2"], "127.0.0.1:5001", """#, key_of(0), key_of(1)),
            r#"["AUTH", "(redacted)", "(redacted)"]"#.to_owned(),
            r#"["CONFIG", "SET", "timeout", "1", "requirepass", "(redacted)"]"#.to_owned(),
        ];
        let places: Vec<_> =
            expected.iter().map(|entry| log.find(entry).unwrap_or_else(|| panic!("{entry} in {log}"))).collect();
        assert!(places.is_sorted_by(|earlier, later| earlier > later), "newest first: {log}");
        assert!(!log.contains("slowlog-log-slower-than"), "{log}");
        node.check(first, "SLOWLOG GET 0", "[]");
        assert_eq!(node.run(first, "SLOWLOG GET 2").matches("127.0.0.1").count(), 2);
        node.check(first, "CONFIG SET slowlog-max-len 3", "OK");
        node.check(first, "SLOWLOG LEN", "(integer) 3");
        assert_eq!(node.run(first, "SLOWLOG GET -1").matches("127.0.0.1").count(), 3);
        node.check(first, "SLOWLOG GET -2", "(error) ERR count should be greater than or equal to -1");
        node.check(first, "SLOWLOG GET x", "(error) ERR count should be greater than or equal to -1");
    }
}

#[test]
fn latency_spikes_are_those_of_all_cores() {
    let mut node = with_debug(LendingMode::Usual);
    let (first, second) = (node.connect(0), node.connect(1));
    node.check(first, "LATENCY LATEST", "[]");
    assert!(node.run(first, "LATENCY DOCTOR").contains("not watched for"));
    node.check(first, "CONFIG SET latency-monitor-threshold 10", "OK");
    assert!(node.run(first, "LATENCY DOCTOR").contains("No latency spike"));
    node.check(first, "DEBUG SLEEP 0.02", "OK");
    node.pass_ms(2_000);
    node.check(second, "DEBUG SLEEP 0.03", "OK");
    let history = node.run(first, "LATENCY HISTORY Command");
    assert_eq!(history.matches("[(integer) 17000000").count(), 2, "{history}");
    let latest = node.run(first, "LATENCY LATEST");
    assert!(latest.starts_with(r#"[["command", (integer) 170000000"#) && latest.ends_with("]]"), "{latest}");
    assert!(node.run(second, "LATENCY GRAPH command").contains("command - high "));
    assert!(node.run(second, "LATENCY DOCTOR").contains("1. command: 2 latency spikes"));
    node.check(first, "LATENCY HISTORY nothing", "[]");
    node.check(first, "LATENCY GRAPH nothing", "(error) ERR No samples available for event 'nothing'");
    node.check(first, "LATENCY RESET nothing", "(integer) 0");
    node.check(first, "LATENCY RESET command", "(integer) 1");
    node.check(first, "LATENCY RESET", "(integer) 0");
    node.check(first, "LATENCY GRAPH command", "(error) ERR No samples available for event 'command'");
    node.check(first, "DBSIZE", "(integer) 0");
    let histogram = node.run(second, "LATENCY HISTOGRAM dbsize nosuch");
    assert!(histogram.starts_with(r#"["dbsize", ["calls", (integer) 1, "histogram_usec", [(integer) "#), "{histogram}");
    assert!(node.run(second, "LATENCY HISTOGRAM config").contains("config|set"));
    node.check(second, "LATENCY HISTOGRAM nosuch", "[]");
}

#[test]
fn monitor_shows_the_commands_of_all_cores() {
    for lending in BOTH {
        let mut node = with_debug(lending);
        let (watcher, first, second) = (node.connect(1), node.connect(0), node.connect(1));
        node.check(watcher, "MONITOR", "OK");
        node.check(first, "SET k \"a \\x01\\\"\\n\"", "OK");
        node.check(second, "SELECT 3", "OK");
        node.check(second, "CONFIG SET timeout 0", "OK");
        node.check(second, "AUTH default secret", "OK");
        node.check(first, "nonsense", "(error) ERR unknown command 'nonsense', with args beginning with: ");
        let lines = node.received(watcher);
        assert_eq!(
            lines,
            format!(
                "{START_S}.000000 [0 127.0.0.1:5001] \"SET\" \"k\" \"a \\x01\\\"\\n\" \
                 {START_S}.000000 [3 127.0.0.1:5002] \"SELECT\" \"3\" \
                 {START_S}.000000 [3 127.0.0.1:5002] \"AUTH\" \"(redacted)\" \"(redacted)\""
            )
        );
        node.check(watcher, "GET k", "(error) ERR Replica can't interact with the keyspace");
        assert!(node.run(watcher, "PING").starts_with("PONG 17"), "it sees its own commands too");
        node.check(watcher, "RESET", "RESET");
        node.check(first, "PING", "PONG");
        assert_eq!(node.received(watcher), "");
        node.check(watcher, "MONITOR", "OK");
        assert!(node.run(first, "CLIENT LIST").contains("flags=O"));
        node.disconnect(watcher);
        assert!(!node.engines.iter().any(|engine| engine.is_monitored()));
    }
}

#[test]
fn a_monitor_that_does_not_read_is_closed() {
    let mut node = Node::new(2);
    let (watcher, client) = (node.connect(0), node.connect(1));
    node.check(watcher, "MONITOR", "OK");
    node.stall(watcher, MONITOR_OUTPUT_BYTES_MAX);
    node.check(client, "PING", "PONG");
    assert!(node.is_closed(watcher));
    node.check(client, "PING", "PONG");
}

#[test]
fn info_speaks_for_all_cores() {
    let mut node = Node::new(2);
    let (first, second) = (node.connect(0), node.connect(1));
    for number in 0..100 {
        node.check(first, &format!("SET k{number} v EX 100"), "OK");
    }
    node.check(second, "SELECT 2", "OK");
    node.check(second, "SET k v", "OK");
    let info = node.run(second, "INFO");
    for line in [
        r##""# Server\r\nredis_version:7.2.0\r\ncorewise_version:"##,
        r"\r\nrun_id:abababab",
        r"\r\nprocess_id:77\r\n",
        r"\r\n\r\n# Clients\r\nconnected_clients:2\r\n",
        r"\r\nused_memory_rss:1048576\r\nused_memory_rss_human:1.00M\r\n",
        r"\r\nmaxmemory_policy:noeviction\r\n",
        r"\r\nrole:master\r\n",
        r"\r\nused_cpu_user:1.500000\r\n",
        r"\r\n# Cores\r\ncore0:keys=",
        r"\r\ncore1:keys=",
        r"\r\ntotal_connections_received:2\r\ntotal_commands_processed:103\r\n",
        r"\r\n# Keyspace\r\ndb0:keys=100,expires=100,avg_ttl=100000\r\ndb2:keys=1,expires=0,avg_ttl=0\r\n",
    ] {
        assert!(info.contains(line), "{line} in {info}");
    }
    assert!(!info.contains("Commandstats") && !info.contains("used_memory:0"), "{info}");
    node.check(second, "INFO nosuch", r#""""#);
    node.check(second, "PEXPIREAT k 9223372036854775807", "(integer) 1");
    node.check(second, "SET l v PXAT 9223372036854775807", "OK");
    node.check(second, "SET m v PXAT 9223372036854775807", "OK");
    assert!(node.run(second, "INFO keyspace").contains("db2:keys=3,expires=3,avg_ttl=922337"));
    assert_eq!(node.run(second, "INFO CPU cluster").matches('#').count(), 2);
    assert!(node.run(second, "INFO all").contains(r"\r\ncmdstat_set:calls=103,usec="));
    assert!(node.run(second, "INFO everything").contains("# Modules"));
    assert!(node.run(second, "INFO latencystats").contains("latency_percentiles_usec_info:p50="));
    node.check(second, "GET nosuch", "(nil)");
    assert!(node.run(second, "INFO stats").contains("keyspace_misses:1"));
    node.check(first, "CONFIG RESETSTAT", "OK");
    let info = node.run(first, "INFO stats commandstats");
    for line in ["keyspace_misses:0", "total_connections_received:0", "total_commands_processed:1\\r"] {
        assert!(info.contains(line), "{line} in {info}");
    }
    assert!(!info.contains("cmdstat_set"), "{info}");
}

#[test]
fn memory_is_reported() {
    let mut node = Node::new(2);
    let client = node.connect(0);
    node.check(client, "SET k v", "OK");
    let stats = node.run(client, "MEMORY STATS");
    assert!(stats.contains(r#""keys.count", (integer) 1"#) && stats.contains(r#""db.0", ["overhead"#), "{stats}");
    assert!(node.run(client, "HELLO 3").starts_with('{'));
    let typed = node.run(client, "MEMORY STATS");
    assert!(typed.starts_with('{') && typed.contains("\"fragmentation\": (double)"), "{typed}");
    assert!(node.run(client, "MEMORY DOCTOR").contains("too little data"));
}

#[test]
fn debug_serves_the_tests_of_clients() {
    for lending in BOTH {
        let mut node = with_debug(lending);
        let client = node.connect(0);
        for key in [key_of(0), key_of(1)] {
            node.check(client, &format!("SET {key} 300"), "OK");
            let object = node.run(client, &format!("DEBUG OBJECT {key}"));
            assert!(object.starts_with("Value at:0x0 refcount:2147483647 encoding:int"), "{object}");
        }
        node.check(client, "DEBUG OBJECT nosuch", "(error) ERR no such key");
        let digest = node.run(client, "DEBUG DIGEST");
        assert_eq!(digest.len(), 40);
        node.check(client, "SET k v", "OK");
        assert_ne!(node.run(client, "DEBUG DIGEST"), digest);
        node.check(client, "DEL k", "(integer) 1");
        node.check(client, "DEBUG DIGEST", &digest);
        let values = node.run(client, &format!("DEBUG DIGEST-VALUE {} {} nosuch", key_of(0), key_of(1)));
        let values: Vec<&str> = values.trim_matches(['[', ']']).split(", ").collect();
        assert_eq!((values[0] == values[1], values[2]), (true, &*"0".repeat(40)));
        node.check(client, "FLUSHALL", "OK");
        node.check(client, "DEBUG DIGEST", &"0".repeat(40));
        node.check(client, "DEBUG SET-ACTIVE-EXPIRE 0", "OK");
        node.check(client, &format!("SET {} v PX 5", key_of(1)), "OK");
        node.pass_ms(1000);
        node.check(client, "DBSIZE", "(integer) 1");
        node.check(client, "DEBUG SET-ACTIVE-EXPIRE 1", "OK");
        node.pass_ms(1);
        node.check(client, "DBSIZE", "(integer) 0");
        node.check(client, "DEBUG ERROR 'MINE x'", "(error) MINE x");
        node.check(client, "DEBUG STRINGMATCH-LEN 3 a*", "(integer) 1");
        node.check(client, "DEBUG PROTOCOL bignum", r#""1234567999999999999999999999999999999""#);
        assert!(node.run(client, "DEBUG RELOAD").contains("no persistence"));
        let unknown = "(error) ERR unknown subcommand or wrong number of arguments for 'jmap'. Try DEBUG HELP.";
        node.check(client, "DEBUG jmap", unknown);
        assert!(node.run(client, "HELLO 3").starts_with('{'));
        node.check(client, "DEBUG PROTOCOL map", "{(integer) 0: (false), (integer) 1: (true), (integer) 2: (false)}");
        node.check(client, "DEBUG PROTOCOL double", "(double) 3.141");
        node.check(
            client,
            "DEBUG PROTOCOL push",
            r#"push["server-cpu-usage", (integer) 42] "Some real reply following the push reply""#,
        );
    }
}

#[test]
fn debug_is_for_those_who_may() {
    let far = || Peer { address: "10.0.0.9:7000".to_owned(), loopback: false, ..Peer::default() };
    for (access, near_may, far_may) in
        [(DebugAccess::No, false, false), (DebugAccess::Local, true, false), (DebugAccess::Yes, true, true)]
    {
        let mut node = Node::with(2, LendingMode::Usual, |config| {
            config.enable_debug_command = access;
            config.protected_mode = false;
        });
        let (near, far) = (node.connect(0), node.connect_from(1, far()));
        for (client, may) in [(near, near_may), (far, far_may)] {
            let reply = node.run(client, "DEBUG HELP");
            assert_eq!(!reply.starts_with("(error) ERR DEBUG command not allowed."), may, "{access:?} {reply}");
        }
    }
}

#[test]
fn shutdown_ends_the_process() {
    let mut node = Node::new(2);
    let client = node.connect(1);
    node.check(client, "SHUTDOWN foo", "(error) ERR syntax error");
    node.check(client, "SHUTDOWN SAVE NOSAVE", "(error) ERR syntax error");
    node.check(client, "SHUTDOWN ABORT", "(error) ERR No shutdown in progress.");
    node.check(client, "SHUTDOWN SAVE", "(error) ERR Errors trying to SHUTDOWN. Check logs.");
    assert!(!node.shutdown);
    node.check(client, "SHUTDOWN NOSAVE NOW", "");
    assert!(node.shutdown);
}

/// Words that commands of these families look for, and some that none does.
const WORDS: &[&str] = &[
    "0",
    "1",
    "-1",
    "2",
    "99999999999999999999",
    "9223372036854775807",
    "-9223372036854775808",
    "1e300",
    "nan",
    "''",
    "id",
    "type",
    "normal",
    "addr",
    "laddr",
    "user",
    "default",
    "skipme",
    "yes",
    "no",
    "on",
    "off",
    "skip",
    "auth",
    "setname",
    "lib-name",
    "timeout",
    "maxclients",
    "requirepass",
    "slowlog-log-slower-than",
    "*",
    "[a",
    "command",
    "get",
    "object",
    "digest",
    "digest-value",
    "protocol",
    "map",
    "error",
    "log",
    "sleep",
    "stringmatch-len",
    "set-active-expire",
    "all",
    "everything",
    "cores",
    "version",
    "now",
    "force",
    "abort",
    "schedule",
    "async",
    "key0",
    "\"\\xff\\x00\\r\\n\"",
];

/// Commands that are no business of a shard, but for those after which a client may wait for long.
fn any_command() -> impl Strategy<Value = &'static Command> {
    let all = commands().flat_map(|command| std::iter::once(command).chain(command.subcommands));
    let silent = [CommandId::ClientPause, CommandId::Shutdown, CommandId::Scan];
    let served = |command: &&Command| command.scope != Scope::Shard && !silent.contains(&command.id);
    proptest::sample::select(all.filter(served).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever clients send, the node comes to rest and goes on serving.
    #[test]
    fn any_request_leaves_a_node_that_serves(
        requests in proptest::collection::vec(
            (0..4usize, any_command(), proptest::collection::vec(proptest::sample::select(WORDS), 0..6)),
            1..40,
        ),
        always in any::<bool>(),
    ) {
        let mut node = with_debug(BOTH[usize::from(always)]);
        let mut clients: Vec<_> = (0..4).map(|number| node.connect(number % 2)).collect();
        for (index, command, words) in requests {
            if node.is_closed(clients[index]) {
                clients[index] = node.connect(index % 2);
            }
            node.send(clients[index], &format!("{} {}", command.name.replace('|', " "), words.join(" ")));
        }
        let client = node.connect(1);
        node.send(client, "AUTH default 0");
        node.received(client);
        let reply = node.run(client, "PING");
        // A client may have set a limit that this one is above.
        let refused = node.is_closed(client);
        prop_assert!(refused || reply == "PONG" || reply.starts_with("(error) NOAUTH"), "{}", reply);
    }
}

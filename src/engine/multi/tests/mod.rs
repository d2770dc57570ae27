//! Transactions on one, two and four cores, with shards lent as usual, never and always.

mod bounds;
mod watched;

use crate::config::Config;
use crate::engine::testing::{Client, Node};
use crate::mesh::LendingMode;

/// Runs a test with every number of cores and manner of lending, and with each kind of client: of the first and of the
/// last core. The second client is of the first core.
fn everywhere_with(change: impl Fn(&mut Config) + Copy, test: impl Fn(&mut Node, Client, Client)) {
    for cores in [1, 2, 4] {
        for lending in [LendingMode::Usual, LendingMode::Never, LendingMode::Always] {
            for core in [0, cores - 1] {
                let mut node = Node::with(cores, lending, change);
                let (client, other) = (node.connect(core), node.connect(0));
                test(&mut node, client, other);
                assert_nothing_is_left(&mut node);
            }
        }
    }
}

fn everywhere(test: impl Fn(&mut Node, Client, Client)) {
    everywhere_with(|_| {}, test);
}

fn assert_nothing_is_left(node: &mut Node) {
    for engine in &node.engines {
        assert_eq!(engine.unfinished(), None);
    }
    assert_eq!(watchers(node), node.engines.iter().map(|engine| engine.watched_keys()).sum::<usize>());
}

/// Watches in the registers of all cores.
fn watchers(node: &mut Node) -> usize {
    let mut sum = 0;
    for engine in &mut node.engines {
        engine.wake();
        sum += engine.shard.as_ref().expect("a core that is awake has its shard").watchers();
        engine.sleep();
    }
    sum
}

/// A transcript: each line is a request and what is expected; `@` before it stands for the second client.
#[track_caller]
fn transcript(node: &mut Node, client: Client, other: Client, lines: &[(&str, &str)]) {
    for (request, reply) in lines {
        match request.strip_prefix('@') {
            Some(request) => node.check(other, request, reply),
            None => node.check(client, request, reply),
        }
    }
}

/// Queues commands and runs them.
#[track_caller]
fn exec(node: &mut Node, client: Client, commands: &[&str], reply: &str) {
    node.check(client, "MULTI", "OK");
    for command in commands {
        node.check(client, command, "QUEUED");
    }
    node.check(client, "EXEC", reply);
}

#[test]
fn commands_run_when_exec_comes() {
    everywhere(|node, client, other| {
        let lines = [
            ("MULTI", "OK"),
            ("SET a 1", "QUEUED"),
            ("INCR a", "QUEUED"),
            ("SET b x", "QUEUED"),
            ("@GET a", "(nil)"),
            ("EXEC", r#"[OK, (integer) 2, OK]"#),
            ("@MGET a b", r#"["2", "x"]"#),
        ];
        transcript(node, client, other, &lines);
        exec(node, client, &[], "[]");
        exec(node, client, &["GET a"], r#"["2"]"#);
        exec(node, client, &["GET a", "PING", "GET b", "ECHO hi", "GET c"], r#"["2", PONG, "x", "hi", (nil)]"#);
        let time = node.run(client, "TIME");
        exec(node, client, &["TIME", "CLIENT GETNAME", "PING"], &format!("[{time}, (nil), PONG]"));
    });
}

#[test]
fn commands_on_several_cores_take_their_place_in_the_queue() {
    everywhere(|node, client, _| {
        exec(node, client, &["MSET a 1 b 2 c 3 d 4", "MGET d c b a x"], r#"[OK, ["4", "3", "2", "1", (nil)]]"#);
        exec(
            node,
            client,
            &["INCR a", "RENAME a e", "GET e", "INCR e", "MGET a e", "DEL a b e", "EXISTS c d e"],
            r#"[(integer) 2, OK, "2", (integer) 3, [(nil), "3"], (integer) 2, (integer) 2]"#,
        );
        exec(
            node,
            client,
            &["BITOP OR r c d", "GET r", "MSETNX r 1 q 2", "COPY c q"],
            r#"[(integer) 1, "7", (integer) 0, (integer) 1]"#,
        );
        node.check(client, "MGET c d q r", r#"["3", "4", "3", "7"]"#);
    });
}

#[test]
fn commands_on_every_shard_take_their_place_in_the_queue() {
    everywhere(|node, client, other| {
        exec(
            node,
            client,
            &["MSET a 1 b 2 c 3", "DBSIZE", "DEL a", "DBSIZE"],
            "[OK, (integer) 3, (integer) 1, (integer) 2]",
        );
        exec(
            node,
            client,
            &["FLUSHALL", "DBSIZE", "SET k 1", "DBSIZE", "KEYS *", "RANDOMKEY"],
            r#"[OK, (integer) 0, OK, (integer) 1, ["k"], "k"]"#,
        );
        exec(node, client, &["SCAN 0 COUNT 4096"], r#"[["0", ["k"]]]"#);
        exec(
            node,
            client,
            &["SWAPDB 0 1", "EXISTS k", "SELECT 1", "GET k", "FLUSHDB", "GET k"],
            r#"[OK, (integer) 0, OK, "1", OK, (nil)]"#,
        );
        node.check(client, "SELECT 0", "OK");
        exec(node, client, &["CONFIG SET timeout 7", "CONFIG GET timeout"], r#"[OK, ["timeout", "7"]]"#);
        exec(node, client, &["CLIENT KILL ID 99", "SLOWLOG LEN", "PING"], "[(integer) 0, (integer) 0, PONG]");
        node.check(client, "MULTI", "OK");
        node.check(client, "INFO server", "QUEUED");
        assert!(node.run(client, "EXEC").contains("redis_version"));
        node.check(other, "DBSIZE", "(integer) 0");
    });
}

#[test]
fn what_is_refused_while_queueing_ends_the_transaction() {
    const ABORTED: &str = "(error) EXECABORT Transaction discarded because of previous errors.";
    everywhere(|node, client, other| {
        let refused = [
            ("nonsense", "(error) ERR unknown command 'nonsense', with args beginning with: "),
            ("GET", "(error) ERR wrong number of arguments for 'get' command"),
            ("CLIENT nonsense", "(error) ERR unknown subcommand 'nonsense'. Try CLIENT HELP."),
            ("SHUTDOWN", "(error) ERR Command not allowed inside a transaction"),
            ("SAVE", "(error) ERR Command not allowed inside a transaction"),
            ("DISCARD x", "(error) ERR wrong number of arguments for 'discard' command"),
            ("WATCH", "(error) ERR wrong number of arguments for 'watch' command"),
        ];
        for (request, error) in refused {
            let lines =
                [("MULTI", "OK"), ("SET a 1", "QUEUED"), (request, error), ("SET b 1", "QUEUED"), ("EXEC", ABORTED)];
            transcript(node, client, other, &lines);
            node.check(client, "EXISTS a b", "(integer) 0");
        }
        let wrong = "(error) EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command";
        transcript(
            node,
            client,
            other,
            &[("MULTI", "OK"), ("EXEC x", wrong), ("EXEC", "(error) ERR EXEC without MULTI"), ("EXEC x", wrong)],
        );
    });
}

#[test]
fn what_fails_while_running_stands_in_the_reply() {
    everywhere(|node, client, _| {
        let overflow = "(error) ERR value is not an integer or out of range";
        exec(
            node,
            client,
            &["SET s abc", "INCR s", "SET t 1", "SETRANGE t -1 x", "MSET a 1 b", "HELLO 9", "SELECT 99", "INCR t"],
            &format!(
                "[OK, {overflow}, OK, (error) ERR offset is out of range, (error) ERR wrong number of arguments for 'mset' command, (error) NOPROTO unsupported protocol version, (error) ERR DB index is out of range, (integer) 2]"
            ),
        );
        exec(node, client, &["INCR s", "GET t"], &format!(r#"[{overflow}, "2"]"#));
        exec(node, client, &["MONITOR", "PING"], "[(error) ERR MONITOR isn't allowed for DENY BLOCKING client, PONG]");
    });
}

#[test]
fn the_words_out_of_place() {
    everywhere(|node, client, other| {
        let lines = [
            ("EXEC", "(error) ERR EXEC without MULTI"),
            ("DISCARD", "(error) ERR DISCARD without MULTI"),
            ("UNWATCH", "OK"),
            ("MULTI", "OK"),
            ("MULTI", "(error) ERR MULTI calls can not be nested"),
            ("WATCH a", "(error) ERR WATCH inside MULTI is not allowed"),
            ("UNWATCH", "QUEUED"),
            ("EXEC", "[OK]"),
            ("MULTI", "OK"),
            ("SET a 1", "QUEUED"),
            ("DISCARD", "OK"),
            ("GET a", "(nil)"),
            ("MULTI", "OK"),
            ("RESET", "RESET"),
            ("EXEC", "(error) ERR EXEC without MULTI"),
            ("MULTI", "OK"),
            ("QUIT", "OK"),
        ];
        transcript(node, client, other, &lines);
        assert!(node.is_closed(client));
    });
}

#[test]
fn what_is_said_of_the_connection_holds_for_what_follows() {
    everywhere(|node, client, _| {
        exec(
            node,
            client,
            &["SET k 0", "SELECT 3", "SET k 3", "GET k", "MGET k a"],
            r#"[OK, OK, OK, "3", ["3", (nil)]]"#,
        );
        node.check(client, "GET k", r#""3""#);
        node.check(client, "SELECT 0", "OK");
        node.check(client, "GET k", r#""0""#);
        node.check(client, "MULTI", "OK");
        node.check(client, "GET nothing", "QUEUED");
        node.check(client, "HELLO 3 SETNAME me", "QUEUED");
        node.check(client, "GET nothing", "QUEUED");
        let reply = node.run(client, "EXEC");
        assert!(reply.starts_with("[(nil), {") && reply.ends_with("}, (nil)]"), "{reply}");
        node.check(client, "CLIENT GETNAME", r#""me""#);
        node.check(client, "WATCH k", "OK");
        node.check(client, "SET k 1", "OK");
        exec(node, client, &["PING"], "(nil)");
    });
}

#[test]
fn replies_that_nobody_wants() {
    everywhere(|node, client, other| {
        transcript(
            node,
            client,
            other,
            &[
                ("CLIENT REPLY SKIP", ""),
                ("MULTI", ""),
                ("SET a 1", "QUEUED"),
                ("GET b", "QUEUED"),
                ("EXEC", "[OK, (nil)]"),
            ],
        );
        transcript(node, client, other, &[("MULTI", "OK"), ("CLIENT REPLY SKIP", "QUEUED"), ("GET a", "QUEUED")]);
        // As in Redis, the array has room for a reply that does not come, and the command behind the EXEC has none.
        node.send(client, "EXEC");
        assert_eq!(node.received_bytes(client), b"*2\r\n$1\r\n1\r\n");
        transcript(node, client, other, &[("PING", ""), ("PING", "PONG"), ("MULTI", "OK"), ("GET a", "QUEUED")]);
        transcript(node, client, other, &[("CLIENT REPLY SKIP", "QUEUED"), ("DISCARD", "OK"), ("MULTI", "OK")]);
        transcript(
            node,
            client,
            other,
            &[("DISCARD", "OK"), ("CLIENT REPLY SKIP", ""), ("EXEC", ""), ("PING", "PONG")],
        );
        transcript(
            node,
            client,
            other,
            &[
                ("CLIENT REPLY OFF", ""),
                ("MULTI", ""),
                ("MSET a 2 b 2", ""),
                ("EXEC", ""),
                ("CLIENT REPLY ON", "OK"),
                ("MGET a b", r#"["2", "2"]"#),
            ],
        );
    });
}

#[test]
fn a_client_that_goes_in_the_middle_leaves_a_whole_transaction() {
    for cores in [1, 2, 4] {
        for lending in [LendingMode::Usual, LendingMode::Never, LendingMode::Always] {
            let mut node = Node::with(cores, lending, |_| {});
            let (client, other) = (node.connect(0), node.connect(cores - 1));
            let queue = ["MULTI", "SET a 1", "SET b 1", "DBSIZE", "MSET c 1 d 1", "EXEC", ""].join("\r\n");
            node.turn_crowded(client, queue.as_bytes());
            node.disconnect(client);
            let seen = node.run(other, "EXISTS a b c d");
            assert!(["(integer) 0", "(integer) 4"].contains(&seen.as_str()), "{seen}");
            assert!(node.is_closed(client));
            assert_nothing_is_left(&mut node);
        }
    }
}

#[test]
fn a_client_that_ends_itself_gets_its_reply() {
    everywhere(|node, client, other| {
        let id = node.run(client, "CLIENT ID").replace("(integer) ", "");
        let kill = format!("CLIENT KILL ID {id} SKIPME no");
        exec(node, client, &["SET a 1", &kill, "SET b 1"], "[OK, (integer) 1, OK]");
        assert!(node.is_closed(client));
        node.check(other, "EXISTS a b", "(integer) 2");
    });
}

//! Clients that wait, on one core and on several.

use crate::engine::testing::{Client, Node};
use crate::mesh::LendingMode;

/// Runs a test on nodes of one, two and four cores, with every way of lending.
fn everywhere(test: impl Fn(&mut Node)) {
    for cores in [1, 2, 4] {
        for lending in [LendingMode::Usual, LendingMode::Never, LendingMode::Always] {
            let mut node = Node::with(cores, lending, |_| {});
            test(&mut node);
            for (core, engine) in node.engines.iter().enumerate() {
                assert_eq!(engine.unfinished(), None, "core {core} of {cores}, {lending:?}");
            }
        }
    }
}

/// So many clients, spread over the cores.
fn clients<const N: usize>(node: &mut Node) -> [Client; N] {
    let cores = node.engines.len();
    std::array::from_fn(|number| node.connect(number % cores))
}

/// Sends requests that are not answered yet.
#[track_caller]
fn blocks(node: &mut Node, client: Client, request: &str) {
    node.check(client, request, "");
}

#[track_caller]
fn gets(node: &mut Node, client: Client, reply: &str) {
    assert_eq!(node.received(client), reply);
}

#[test]
fn what_is_there_is_answered_at_once() {
    everywhere(|node| {
        let [c, d] = clients(node);
        for client in [c, d] {
            node.check(client, "RPUSH l a b c d", "(integer) 4");
            node.check(client, "BLPOP none l 0", r#"["l", "a"]"#);
            node.check(client, "BRPOP none other l 0", r#"["l", "d"]"#);
            node.check(client, "BLMPOP 0 3 none other l LEFT COUNT 1", r#"["l", ["b"]]"#);
            node.check(client, "BLMOVE l m LEFT RIGHT 0", r#""c""#);
            node.check(client, "BRPOPLPUSH m n 0", r#""c""#);
            node.check(client, "EXISTS l m n", "(integer) 1");
            node.check(client, "ZADD z 1 a 2 b 3 c 4 d", "(integer) 4");
            node.check(client, "BZPOPMIN none z 0", r#"["z", "a", "1"]"#);
            node.check(client, "BZPOPMAX none z 0", r#"["z", "d", "4"]"#);
            node.check(client, "BZMPOP 0 2 none z MAX COUNT 2", r#"["z", [["c", "3"], ["b", "2"]]]"#);
            node.check(client, "SET s 1", "OK");
            for request in ["BLPOP none s 0", "BLMOVE s l LEFT LEFT 0", "BZPOPMIN s 0", "BLMPOP 0 2 none s LEFT"] {
                let error = "(error) WRONGTYPE Operation against a key holding the wrong kind of value";
                node.check(client, request, error);
            }
            node.check(
                client,
                "BLMOVE n s LEFT LEFT 0",
                "(error) WRONGTYPE Operation against a key holding the wrong kind of value",
            );
            node.check(client, "DEL n s", "(integer) 2");
        }
    });
}

#[test]
fn what_comes_goes_to_whoever_came_first() {
    everywhere(|node| {
        let [a, b, c, pusher] = clients(node);
        blocks(node, a, "BLPOP x l 0");
        blocks(node, b, "BRPOP l y 0");
        blocks(node, c, "BLMPOP 0 2 l z LEFT COUNT 5");
        node.check(pusher, "RPUSH l 1", "(integer) 1");
        gets(node, a, r#"["l", "1"]"#);
        node.check(pusher, "RPUSH l 2 3 4 5", "(integer) 4");
        gets(node, b, r#"["l", "5"]"#);
        gets(node, c, r#"["l", ["2", "3", "4"]]"#);
        node.check(pusher, "EXISTS l x y z", "(integer) 0");
        // Nobody waits any more.
        node.check(pusher, "RPUSH x 1", "(integer) 1");
        node.check(pusher, "RPUSH y 1", "(integer) 1");
        node.check(pusher, "DEL x y", "(integer) 2");
        blocks(node, a, "BZPOPMIN k z 0");
        blocks(node, b, "BZPOPMAX z k 0");
        blocks(node, c, "BZMPOP 0 1 z MIN");
        node.check(pusher, "ZADD z 1 a 2 b 3 c", "(integer) 3");
        gets(node, a, r#"["z", "a", "1"]"#);
        gets(node, b, r#"["z", "c", "3"]"#);
        gets(node, c, r#"["z", [["b", "2"]]]"#);
    });
}

#[test]
fn a_wait_ends_in_time() {
    everywhere(|node| {
        let [a, b, c, pusher] = clients(node);
        blocks(node, a, "BLPOP l 0.5");
        blocks(node, b, "BLMOVE l m LEFT LEFT 1.5");
        blocks(node, c, "BZPOPMIN x y z 0.0001");
        node.pass_ms(1);
        gets(node, c, "(nil)");
        node.pass_ms(498);
        gets(node, a, "");
        node.pass_ms(1);
        gets(node, a, "(nil)");
        node.pass_ms(1000);
        gets(node, b, "(nil)");
        node.check(pusher, "RPUSH l 1", "(integer) 1");
        node.check(pusher, "ZADD z 1 a", "(integer) 1");
        for client in [a, b, c] {
            gets(node, client, "");
        }
        for (timeout, error) in [
            ("-1", "timeout is negative"),
            ("x", "timeout is not a float or out of range"),
            ("nan", "timeout is not a float or out of range"),
            ("inf", "timeout is out of range"),
            ("1e300", "timeout is out of range"),
        ] {
            let error = format!("(error) ERR {error}");
            node.check(a, &format!("BLPOP l none {timeout}"), &error);
            node.check(a, &format!("BRPOPLPUSH l m {timeout}"), &error);
            node.check(a, &format!("BLMOVE l m LEFT LEFT {timeout}"), &error);
            node.check(a, &format!("BZMPOP {timeout} 1 z MIN"), &error);
            node.check(a, &format!("BLMPOP {timeout} 2 l m LEFT"), &error);
        }
        node.check(a, "BLMPOP 0 0 l LEFT", "(error) ERR numkeys should be greater than 0");
        node.check(a, "BLMPOP 0 5 l LEFT", "(error) ERR syntax error");
        node.check(a, "BZMPOP 0 1 z MIN COUNT 0", "(error) ERR count should be greater than 0");
        node.check(a, "BLMOVE l m UP LEFT 0", "(error) ERR syntax error");
    });
}

#[test]
fn clients_leave_and_cost_nothing() {
    everywhere(|node| {
        let [a, b, c, other] = clients(node);
        blocks(node, a, "BLPOP l x y z 0");
        blocks(node, b, "BLMOVE l m LEFT LEFT 0");
        blocks(node, c, "BLPOP l 0");
        node.disconnect(a);
        let list = node.run(other, "CLIENT LIST");
        assert_eq!(list.matches("flags=b").count(), 2, "{list}");
        assert!(node.run(other, "INFO clients").contains("blocked_clients:2"));
        node.check(other, "CLIENT KILL ID 2", "(integer) 1");
        assert!(node.is_closed(b));
        node.check(other, "RPUSH l 1 2", "(integer) 2");
        gets(node, c, r#"["l", "1"]"#);
        gets(node, a, "");
        node.check(other, "LRANGE l 0 -1", r#"["2"]"#);
        assert!(node.run(other, "INFO clients").contains("blocked_clients:0"));
    });
}

#[test]
fn unblock_ends_a_wait() {
    everywhere(|node| {
        let [a, b, c, other] = clients(node);
        blocks(node, a, "BLPOP l x y z 0");
        blocks(node, b, "BLMOVE l m LEFT LEFT 0");
        blocks(node, c, "BZPOPMIN z 0");
        node.check(other, "CLIENT UNBLOCK 1", "(integer) 1");
        node.check(other, "CLIENT UNBLOCK 1", "(integer) 0");
        node.check(other, "CLIENT UNBLOCK 2 TIMEOUT", "(integer) 1");
        node.check(other, "CLIENT UNBLOCK 3 error", "(integer) 1");
        node.check(other, "CLIENT UNBLOCK 4", "(integer) 0");
        node.check(other, "CLIENT UNBLOCK -4", "(integer) 0");
        gets(node, a, "(nil)");
        gets(node, b, "(nil)");
        gets(node, c, "(error) UNBLOCKED client unblocked via CLIENT UNBLOCK");
        for client in [a, b, c] {
            node.check(client, "PING", "PONG");
        }
        node.check(other, "RPUSH l 1", "(integer) 1");
    });
}

#[test]
fn a_pipeline_waits_behind_it() {
    everywhere(|node| {
        let [a, b] = clients(node);
        node.queue(a, "SET k 1");
        node.queue(a, "BLPOP x y z 0");
        node.queue(a, "INCR k");
        node.send(a, "BLPOP x 0");
        gets(node, a, "OK");
        node.check(b, "GET k", r#""1""#);
        node.check(b, "LPUSH x 1", "(integer) 1");
        gets(node, a, r#"["x", "1"] (integer) 2"#);
        node.check(b, "LPUSH x 2", "(integer) 1");
        gets(node, a, r#"["x", "2"]"#);
    });
}

#[test]
fn a_transaction_never_waits() {
    everywhere(|node| {
        let [a, b] = clients(node);
        for request in [
            "BLPOP x y 0",
            "BRPOP x 0",
            "BLMOVE x y LEFT LEFT 0",
            "BRPOPLPUSH x y 0",
            "BLMPOP 0 2 x y LEFT",
            "BZPOPMIN x y 0",
            "BZPOPMAX x 0",
            "BZMPOP 0 2 x y MIN",
            "RPUSH x 1",
            "BLPOP x y 0",
        ] {
            node.check(a, "MULTI", "OK");
            node.check(a, request, "QUEUED");
            node.check(a, "PING", "QUEUED");
            let nothing = match request {
                "RPUSH x 1" => "(integer) 1",
                "BLPOP x y 0" if node.run(b, "EXISTS x") == "(integer) 1" => r#"["x", "1"]"#,
                _ => "(nil)",
            };
            node.check(a, "EXEC", &format!("[{nothing}, PONG]"));
        }
    });
}

#[test]
fn a_unit_is_over_before_anybody_is_served() {
    everywhere(|node| {
        let [a, b, pusher] = clients(node);
        blocks(node, a, "BLPOP l m 0");
        blocks(node, b, "BLPOP m l 0");
        node.check(pusher, "MULTI", "OK");
        for request in ["RPUSH l 1", "LPUSH l 2", "LLEN l", "RPUSH m 3", "LPOP m", "DEL m"] {
            node.check(pusher, request, "QUEUED");
        }
        node.check(pusher, "EXEC", r#"[(integer) 1, (integer) 2, (integer) 2, (integer) 1, "3", (integer) 0]"#);
        gets(node, a, r#"["l", "2"]"#);
        gets(node, b, r#"["l", "1"]"#);
        // What comes and goes within a unit wakes nobody.
        blocks(node, a, "BLPOP l 0");
        node.check(pusher, "MULTI", "OK");
        node.check(pusher, "RPUSH l 1", "QUEUED");
        node.check(pusher, "DEL l", "QUEUED");
        node.check(pusher, "EXEC", "[(integer) 1, (integer) 1]");
        gets(node, a, "");
        node.check(pusher, "RPUSH l 5", "(integer) 1");
        gets(node, a, r#"["l", "5"]"#);
    });
}

#[test]
fn keys_come_in_many_ways() {
    everywhere(|node| {
        let [a, pusher] = clients(node);
        let ways: [&[&str]; 9] = [
            &["RPUSH o 1", "RENAME o l"],
            &["RPUSH o 1", "RENAMENX o l", "DEL o"],
            &["RPUSH o 1", "COPY o l", "DEL o"],
            &["SELECT 1", "RPUSH l 1", "MOVE l 0", "SELECT 0"],
            &["RPUSH o 1", "SORT o STORE l", "DEL o"],
            &["RPUSH o 1", "LMOVE o l LEFT LEFT"],
            &["RPUSH o 1", "RPOPLPUSH o l"],
            &["SELECT 1", "RPUSH l 1", "SWAPDB 0 1", "SELECT 0"],
            &["SET l 1", "DEL l", "LPUSH l 1"],
        ];
        for way in ways {
            blocks(node, a, "BLPOP none l 0");
            for request in way {
                node.run(pusher, request);
            }
            assert_eq!(node.received(a), r#"["l", "1"]"#, "{way:?}");
            node.check(pusher, "DBSIZE", "(integer) 0");
        }
        for way in [
            &["ZADD o 1 m", "ZUNIONSTORE l 1 o", "DEL o"][..],
            &["ZADD o 1 m", "ZRANGESTORE l o 0 -1", "DEL o"],
            &["ZINCRBY l 1 m"],
            &["RPUSH l 1", "DEL l", "SET l 1", "DEL l", "ZADD l 1 m"],
        ] {
            blocks(node, a, "BZPOPMAX none l 0");
            for request in way {
                node.run(pusher, request);
            }
            assert_eq!(node.received(a), r#"["l", "m", "1"]"#, "{way:?}");
        }
    });
}

#[test]
fn another_type_is_waited_out() {
    everywhere(|node| {
        let [a, b, other] = clients(node);
        blocks(node, a, "BLPOP k x 0");
        blocks(node, b, "BZPOPMIN k x 0");
        node.check(other, "SET k 1", "OK");
        node.check(other, "APPEND k 2", "(integer) 2");
        node.check(other, "DEL k", "(integer) 1");
        node.check(other, "ZADD k 1 m 2 n", "(integer) 2");
        gets(node, b, r#"["k", "m", "1"]"#);
        node.check(other, "DEL k", "(integer) 1");
        node.check(other, "RPUSH k 1", "(integer) 1");
        gets(node, a, r#"["k", "1"]"#);
    });
}

#[test]
fn moves_follow_each_other() {
    everywhere(|node| {
        let [a, b, c, d, pusher] = clients(node);
        blocks(node, d, "BLPOP four 0");
        blocks(node, a, "BLMOVE one two LEFT RIGHT 0");
        blocks(node, b, "BRPOPLPUSH two three 0");
        blocks(node, c, "BLMOVE three four RIGHT LEFT 0");
        node.check(pusher, "RPUSH one x", "(integer) 1");
        for client in [a, b, c] {
            gets(node, client, r#""x""#);
        }
        gets(node, d, r#"["four", "x"]"#);
        node.check(pusher, "DBSIZE", "(integer) 0");
        // A move whose destination is of another type has an error when its time comes, and the element stays.
        node.check(pusher, "SET two 1", "OK");
        blocks(node, a, "BLMOVE one two LEFT RIGHT 0");
        blocks(node, b, "BLPOP one 0");
        node.check(pusher, "RPUSH one x", "(integer) 1");
        gets(node, a, "(error) WRONGTYPE Operation against a key holding the wrong kind of value");
        gets(node, b, r#"["one", "x"]"#);
        // Round and round: an element that comes back serves the next in line.
        node.check(pusher, "DEL two", "(integer) 1");
        blocks(node, a, "BLMOVE one two LEFT RIGHT 0");
        blocks(node, b, "BLMOVE two one LEFT RIGHT 0");
        blocks(node, c, "BLMOVE one two LEFT RIGHT 0");
        blocks(node, d, "BLMOVE three three LEFT RIGHT 0");
        node.check(pusher, "RPUSH one x", "(integer) 1");
        for client in [a, b, c] {
            gets(node, client, r#""x""#);
        }
        node.check(pusher, "RPUSH three x", "(integer) 1");
        gets(node, d, r#""x""#);
        node.check(pusher, "LRANGE two 0 -1", r#"["x"]"#);
    });
}

#[test]
fn a_pause_holds_it_back() {
    everywhere(|node| {
        let [a, b] = clients(node);
        node.check(b, "CLIENT PAUSE 1000 WRITE", "OK");
        blocks(node, a, "BLPOP l m 0.5");
        assert!(!node.run(b, "CLIENT LIST").contains("flags=b"));
        node.check(b, "CLIENT UNPAUSE", "OK");
        assert!(node.run(b, "CLIENT LIST").contains("flags=b"));
        node.pass_ms(500);
        gets(node, a, "(nil)");
    });
}

#[test]
fn replies_that_nobody_wants_are_not_sent() {
    everywhere(|node| {
        let [a, b] = clients(node);
        node.check(a, "CLIENT REPLY OFF", "");
        blocks(node, a, "BLPOP l m 0");
        node.check(b, "RPUSH l 1 2", "(integer) 2");
        node.check(a, "CLIENT REPLY ON", "OK");
        node.check(b, "LRANGE l 0 -1", r#"["2"]"#);
    });
}

#[test]
fn one_that_has_sent_its_last_request_does_not_wait() {
    everywhere(|node| {
        let [client, pusher] = clients(node);
        // What comes first may be under way to another core when the end comes.
        node.send_last(client, "EXISTS a b c d\r\nBLPOP l m n 0\r\n");
        assert!(node.is_closed(client));
        node.check(pusher, "RPUSH l 1", "(integer) 1");
        let last = node.connect(0);
        node.send_last(last, "BLPOP m l n 0\r\n");
        gets(node, last, r#"["l", "1"]"#);
        assert!(node.is_closed(last));
    });
}

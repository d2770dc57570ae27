//! What makes EXEC fail, and what does not; how long keys are watched.

use super::{everywhere, exec, watchers};
use crate::limits::WATCHED_KEYS_MAX;

#[test]
fn a_watched_key_that_changes_makes_exec_fail() {
    everywhere(|node, client, other| {
        let changes = [
            "SET w 1",
            "SET w 1",
            "APPEND w x",
            "SETRANGE w 0 y",
            "SETBIT w 1 0",
            "EXPIRE w 100",
            "PERSIST w",
            "GETEX w EX 9",
            "DEL w",
            "MSET v 1 w 2",
            "RENAME w v",
            "RENAME v w",
            "COPY v w REPLACE",
            "GETDEL w",
            "INCR w",
            "GETSET w 5",
            "BITOP OR w v u",
            "MOVE w 1",
            "SET w 9 NX GET",
            "UNLINK w",
        ];
        node.check(other, "SET u 1", "OK");
        for change in changes {
            node.check(client, "WATCH w", "OK");
            node.run(other, change);
            let after = node.run(other, "MGET u v w");
            for request in ["MULTI", "SET w lost", "SET v lost"] {
                node.run(client, request);
            }
            assert_eq!(node.run(client, "EXEC"), "(nil)", "{change}");
            node.check(other, "MGET u v w", &after);
            node.run(other, "SET v 3");
            exec(node, client, &["PING"], "[PONG]");
        }
    });
}

#[test]
fn a_watched_key_that_does_not_change_lets_exec_run() {
    everywhere(|node, client, other| {
        node.check(other, "MSET w 1 v 2", "OK");
        let others = [
            "GET w",
            "SET w 2 NX",
            "GETEX w",
            "EXISTS w",
            "TOUCH w v",
            "SET v 9",
            "DEL x",
            "EXPIRE w 10 GT",
            "PERSIST w",
            "RENAMENX v w",
            "RENAME w w",
            "INCR nw",
            "LCS v w",
            "OBJECT FREQ w",
            "SELECT 1",
            "SET w 1",
            "DEL w",
            "SWAPDB 2 3",
            "FLUSHDB",
            "SELECT 0",
            "DUMP w",
            "SCAN 0",
            "SETBIT w 2 1",
            "BITFIELD w SET u8 0 49",
            "BITFIELD w OVERFLOW FAIL INCRBY u1 2 5",
        ];
        for command in others {
            node.check(client, "WATCH w absent", "OK");
            node.run(other, command);
            exec(node, client, &["GET w"], r#"["1"]"#);
        }
    });
}

#[test]
fn a_key_that_a_command_on_several_only_reads_or_leaves_alone_lets_exec_run() {
    everywhere(|node, client, other| {
        let large = "x".repeat(40_000);
        for request in [
            "SADD s a b c",
            "SADD t b c d",
            "RPUSH l a b c",
            "RPUSH m a",
            "ZADD z 1 a",
            "MSET v 1 w 2",
            &format!("SET large {large}"),
        ] {
            node.run(other, request);
        }
        for request in [
            "SINTER s t",
            "SUNIONSTORE d1 s t",
            "SINTERSTORE d2 s none",
            "ZUNIONSTORE d3 2 s z",
            "BITOP AND d4 v w large",
            "SORT m STORE d5",
            "SORT l BY v* GET w* STORE d5",
            "COPY s d6",
            "COPY large d7",
            "COPY s t",
            "LCS v w",
            "LMPOP 3 none l m LEFT",
            "SMOVE s t none",
            "RENAMENX v w",
            "MSETNX n 1 v 2 w 3",
            "LMOVE none m LEFT LEFT",
            "SMOVE s l a",
            "RENAME none w",
        ] {
            node.check(client, "WATCH s t m z v w large", "OK");
            node.run(other, request);
            exec(node, client, &["PING"], "[PONG]");
            assert_eq!(watchers(node), 0, "{request}");
        }
        for (request, key) in [("SMOVE s t a", "s"), ("LMOVE l m LEFT LEFT", "m"), ("RENAME v w", "w")] {
            node.check(client, &format!("WATCH {key}"), "OK");
            node.run(other, request);
            exec(node, client, &["PING"], "(nil)");
        }
    });
}

#[test]
fn what_is_behind_a_number_changes() {
    everywhere(|node, client, other| {
        let cases = [
            // Before, what happens, whether EXEC fails.
            ("SET w 1", "FLUSHALL", true),
            ("DEL w", "FLUSHALL", false),
            ("SET w 1", "FLUSHDB", true),
            ("SET w 1", "SWAPDB 0 1", true),
            ("DEL w", "SWAPDB 0 1", true),
            ("FLUSHALL", "SWAPDB 0 1", false),
            ("SET w 1", "SWAPDB 0 0", false),
        ];
        for (before, change, fails) in cases {
            node.run(other, before);
            node.check(client, "WATCH w", "OK");
            node.check(other, change, "OK");
            exec(node, client, &["PING"], if fails { "(nil)" } else { "[PONG]" });
        }
    });
}

#[test]
fn a_watched_key_that_falls_due_has_changed_and_one_that_was_due_has_not() {
    everywhere(|node, client, other| {
        node.check(other, "SET w 1 PX 50", "OK");
        node.check(client, "WATCH w", "OK");
        node.pass_ms(100);
        exec(node, client, &["PING"], "(nil)");
        node.check(other, "SET w 1 PX 50", "OK");
        node.pass_ms(100);
        node.check(client, "WATCH w", "OK");
        node.pass_ms(1000);
        exec(node, client, &["PING"], "[PONG]");
    });
}

#[test]
fn watches_end_with_the_transaction_and_with_the_client() {
    everywhere(|node, client, other| {
        for end in ["EXEC", "DISCARD", "UNWATCH", "RESET"] {
            node.check(client, "WATCH a b c d a", "OK");
            node.check(client, "WATCH a e", "OK");
            assert_eq!(watchers(node), 5);
            if end != "UNWATCH" {
                node.check(client, "MULTI", "OK");
            }
            node.run(client, end);
            assert_eq!(watchers(node), 0, "{end}");
            node.check(other, "MSET a 1 b 1 e 1", "OK");
            exec(node, client, &["GET a"], r#"["1"]"#);
        }
        node.check(client, "WATCH a b c d", "OK");
        node.disconnect(client);
        assert_eq!(watchers(node), 0);
        let killed = node.connect(0);
        node.check(killed, "WATCH a b", "OK");
        node.check(killed, "QUIT", "OK");
        assert_eq!(watchers(node), 0);
    });
}

#[test]
fn a_client_watches_so_many_keys() {
    everywhere(|node, client, _| {
        let all: Vec<String> = (0..WATCHED_KEYS_MAX).map(|key| key.to_string()).collect();
        node.check(client, &format!("WATCH {}", all.join(" ")), "OK");
        node.check(client, "WATCH 1 2 3", "OK");
        node.check(client, "WATCH one-more", "(error) ERR too many watched keys");
        assert_eq!(watchers(node), WATCHED_KEYS_MAX);
        exec(node, client, &["PING"], "[PONG]");
        node.check(client, "WATCH one-more", "OK");
    });
}

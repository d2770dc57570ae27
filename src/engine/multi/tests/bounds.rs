//! How much may be queued and run, and how a transaction shows in what the server says of itself.

use super::{everywhere, everywhere_with, exec, transcript};
use crate::config::Config;
use crate::limits::EXEC_COMMANDS_AT_ONCE;

const OOM: &str = "(error) OOM command not allowed when used memory > 'maxmemory'.";

#[test]
fn a_client_sees_its_own_queue() {
    everywhere(|node, client, _| {
        let field = |line: &str, name: &str| {
            let at = line.find(&format!(" {name}=")).expect("the field");
            line[at + name.len() + 2..].split(' ').next().expect("a value").to_owned()
        };
        let line = node.run(client, "CLIENT INFO");
        assert_eq!(
            (field(&line, "multi"), field(&line, "flags"), field(&line, "multi-mem")),
            ("-1".into(), "N".into(), "0".into())
        );
        let idle: usize = field(&line, "tot-mem").parse().expect("a number");
        node.check(client, "MULTI", "OK");
        node.check(client, "CLIENT INFO", "QUEUED");
        node.check(client, &format!("SET a {}", "x".repeat(10_000)), "QUEUED");
        let line = node.run(client, "EXEC");
        assert_eq!(
            (field(&line, "multi"), field(&line, "flags"), field(&line, "cmd")),
            ("2".into(), "x".into(), "exec".into())
        );
        let queued: usize = field(&line, "multi-mem").parse().expect("a number");
        let total: usize = field(&line, "tot-mem").parse().expect("a number");
        assert!((10_000..40_000).contains(&queued) && total >= idle + queued, "{line}");
    });
}

#[test]
fn a_queue_beyond_the_query_buffer_limit_closes_the_client() {
    everywhere_with(
        |config| config.query_buffer_bytes = 100_000,
        |node, client, other| {
            let large = format!("SET a {}", "x".repeat(10_000));
            node.check(client, "MULTI", "OK");
            for _ in 0..20 {
                if node.run(client, &large) != "QUEUED" {
                    break;
                }
            }
            assert!(node.is_closed(client));
            node.check(other, "EXISTS a", "(integer) 0");
        },
    );
}

#[test]
fn a_long_queue_is_run_in_pieces_and_seen_whole() {
    everywhere(|node, client, other| {
        let count = 2 * EXEC_COMMANDS_AT_ONCE + 7;
        node.check(client, "MULTI", "OK");
        for _ in 0..count {
            node.check(client, "INCR a", "QUEUED");
        }
        let expected: Vec<String> = (1..=count).map(|number| format!("(integer) {number}")).collect();
        node.check(client, "EXEC", &format!("[{}]", expected.join(", ")));
        node.check(other, "GET a", &format!("{:?}", count.to_string()));
    });
}

#[test]
fn without_room_nothing_runs() {
    let small = |config: &mut Config| config.max_keys = 3;
    everywhere_with(small, |node, client, other| {
        // Of one core: how much each of several may have is settled only after a while.
        node.check(other, "MSET {k}a 1 {k}b 2", "OK");
        let why = "(error) EXECABORT Transaction discarded because of: OOM command not allowed when used memory > \
                   'maxmemory'.";
        node.check(client, "WATCH {k}a x", "OK");
        node.check(client, "MULTI", "OK");
        for command in ["SET {k}a 9", "SET {k}c 1", "SET {k}d 1", "GET {k}a"] {
            node.check(client, command, "QUEUED");
        }
        node.check(client, "EXEC", why);
        node.check(client, "MGET {k}a {k}b {k}c", r#"["1", "2", (nil)]"#);
        exec(node, client, &["SET {k}a 9", "SET {k}c 9", "GET {k}a"], r#"[OK, OK, "9"]"#);
        // Where the client's core is the owner, or the only one, it need not wait for EXEC.
        node.check(client, "MULTI", "OK");
        let queued = node.run(client, "SET {k}d 1");
        assert!(["QUEUED", OOM].contains(&queued.as_str()), "{queued}");
        let aborted = "(error) EXECABORT Transaction discarded because of previous errors.";
        node.check(client, "EXEC", if queued == OOM { aborted } else { why });
        node.check(client, "EXISTS {k}a {k}d", "(integer) 1");
    });
}

#[test]
fn commands_are_counted_when_they_run() {
    everywhere(|node, client, other| {
        exec(
            node,
            client,
            &["SET a 1", "INCR a", "INCR b", "SETRANGE a -1 x"],
            "[OK, (integer) 2, (integer) 1, (error) ERR offset is out of range]",
        );
        transcript(node, client, other, &[("MULTI", "OK"), ("GET a", "QUEUED"), ("DISCARD", "OK")]);
        let info = node.run(other, "INFO commandstats");
        let calls = |name: &str| {
            let at = info.find(&format!("cmdstat_{name}:")).map(|at| &info[at..]);
            at.map(|line| line[..line.find("\\r").expect("an end")].to_owned())
        };
        assert_eq!(calls("get"), None);
        for (name, count, failed) in
            [("set", 1, 0), ("incr", 2, 0), ("setrange", 1, 1), ("exec", 1, 0), ("multi", 2, 0), ("discard", 1, 0)]
        {
            let line = calls(name).unwrap_or_default();
            assert!(line.starts_with(&format!("cmdstat_{name}:calls={count},")), "{line}");
            assert!(line.ends_with(&format!("failed_calls={failed}")), "{line}");
        }
    });
}

#[test]
fn monitor_shows_exec_behind_its_commands() {
    everywhere(|node, client, other| {
        node.check(other, "MONITOR", "OK");
        exec(node, client, &["SET a 1", "INCR b", "DBSIZE", "PING"], "[OK, (integer) 1, (integer) 2, PONG]");
        let seen = node.received(other);
        let names: Vec<&str> = ["multi", "set", "incr", "dbsize", "ping", "exec"].to_vec();
        let mut at = 0;
        for name in names {
            let found = seen[at..].to_lowercase().find(&format!("\"{name}\"")).map(|found| at + found);
            at = found.unwrap_or_else(|| panic!("{name} behind {at} in {seen}"));
        }
    });
}

#[test]
fn slowlog_has_the_commands_and_not_exec() {
    everywhere_with(
        |config| config.slowlog_slower_us = 0,
        |node, client, other| {
            exec(node, client, &["SET a 1", "INCR b"], "[OK, (integer) 1]");
            let slow = node.run(other, "SLOWLOG GET").to_lowercase();
            for name in ["multi", "set", "incr"] {
                assert!(slow.contains(&format!("[\"{name}\"")), "{name} in {slow}");
            }
            assert!(!slow.contains("\"exec\""), "{slow}");
        },
    );
}

#[test]
fn a_pause_holds_an_exec_that_writes() {
    everywhere(|node, client, other| {
        transcript(
            node,
            client,
            other,
            &[("MULTI", "OK"), ("SET a 1", "QUEUED"), ("@CLIENT PAUSE 100 WRITE", "OK"), ("EXEC", "")],
        );
        node.pass_ms(200);
        assert_eq!(node.received(client), "[OK]");
        transcript(node, client, other, &[("@CLIENT PAUSE 100 WRITE", "OK")]);
        exec(node, client, &["GET a"], r#"["1"]"#);
    });
}

//! What bounds a client and the whole server, reached on purpose: each limit has its reply or its end of the connection.

use std::time::{Duration, Instant};

use corewise_harness::{Closed, encode, transcript};

#[test]
fn a_full_server_refuses_writes_and_nothing_else() {
    transcript(|t| {
        let refusal = "-OOM command not allowed when used memory > 'maxmemory'.";
        t.check("MSET a 1 b 2 n 3", "+OK");
        t.check("CONFIG SET maxmemory 1", "+OK");
        for line in [
            "SET c 3",
            "MSET c 3 d 4",
            "APPEND a x",
            "INCR n",
            "SETRANGE a 5 x",
            "SETBIT a 7 1",
            "COPY a c",
            "GETSET a x",
        ] {
            t.check(line, refusal);
        }
        t.check("BITOP NOT c a", refusal);
        t.check("BITFIELD a SET u8 0 1", refusal);
        t.check("MGET a b c", "[1, 2, (nil)]");
        t.check("EXPIRE a 100", ":1");
        t.check("GETEX a PERSIST", "1");
        t.check("RENAME a c", "+OK");
        t.check("DEL c", ":1");
        t.check("GETDEL b", "2");
        t.check("CONFIG SET maxmemory 0", "+OK");
        t.check("SET c 3", "+OK");
    });
}

#[test]
fn a_command_over_several_cores_does_not_pass_the_limit() {
    transcript(|t| {
        t.check("CONFIG SET maxmemory 20mb", "+OK");
        let value = "x".repeat(100_000);
        let mut refused = 0;
        for n in 0..400 {
            let command = ["MSET", "small", "v", "other", "v", &format!("new:{n}"), &value];
            refused += i32::from(t.client.command(&command).to_string().starts_with("-OOM"));
        }
        assert!(refused > 150, "{}: {refused} of 400 are refused", t.variant().name);
        let size = t.ask("DBSIZE").integer();
        assert!((150..250).contains(&size), "{}: {size} keys", t.variant().name);
    });
}

#[test]
fn the_length_of_a_string_is_bounded() {
    transcript(|t| {
        t.check("CONFIG SET proto-max-bulk-len 1mb", "+OK");
        let value = "x".repeat(1 << 20);
        assert_eq!(t.client.command(&["SET", "k", &value]).to_string(), "+OK");
        t.check("APPEND k y", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        t.check("SETRANGE k 1048576 y", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        t.check("SETBIT k 8388608 1", "-ERR bit offset is not an integer or out of range");
        t.check("STRLEN k", ":1048576");
        t.client.send(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048577\r\n");
        t.reply("a longer string", "-ERR Protocol error: invalid bulk length");
        assert_eq!(t.client.try_reply(), Err(Closed), "{}", t.variant().name);
        t.reconnect();
        t.check("CONFIG SET proto-max-bulk-len 1000", CONFIG_TOO_SMALL);
    });
}

const CONFIG_TOO_SMALL: &str = "-ERR CONFIG SET failed (possibly related to argument 'proto-max-bulk-len') - argument must be \
                                between 1048576 and 9223372036854775807 inclusive";

#[test]
fn an_unfinished_request_may_only_grow_so_far() {
    transcript(|t| {
        t.check("CONFIG SET client-query-buffer-limit 1mb", "+OK");
        let mut bytes = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4000000\r\n".to_vec();
        bytes.resize(3_000_000, b'x');
        let _ = t.client.try_send(&bytes);
        assert_eq!(t.client.try_reply(), Err(Closed), "{}", t.variant().name);
        t.reconnect();
        t.check("GET k", "(nil)");
    });
}

#[test]
fn a_reader_that_falls_behind_is_closed_at_its_limit() {
    transcript(|t| {
        t.check(r#"CONFIG SET client-output-buffer-limit "normal 1mb 0 0""#, "+OK");
        assert_eq!(t.client.command(&["SET", "k", &"x".repeat(100_000)]).to_string(), "+OK");
        let mut slow = t.server.connect();
        let mut bytes = Vec::new();
        (0..400).for_each(|_| encode(&["GET", "k"], &mut bytes));
        slow.send(&bytes);
        let deadline = Instant::now() + Duration::from_secs(10);
        while t.ask("CLIENT LIST").text().lines().count() > 1 {
            assert!(Instant::now() < deadline, "{}: it is still connected", t.variant().name);
        }
        // Less than everything had been sent by then.
        assert!(slow.until_closed().len() < 400, "{}", t.variant().name);
        t.check("PING", "+PONG");
    });
}

#[test]
fn one_huge_pipeline_does_not_starve_the_others() {
    transcript(|t| {
        let mut greedy = t.server.connect();
        let mut bytes = Vec::new();
        (0..100_000).for_each(|n| encode(&["SET", &format!("greedy:{n}"), "v"], &mut bytes));
        let reader = greedy.stream().try_clone().expect("a socket can be shared");
        std::thread::scope(|scope| {
            let writer = scope.spawn(move || std::io::Write::write_all(&mut &reader, &bytes).expect("it is connected"));
            let mut longest = Duration::ZERO;
            for _ in 0..50 {
                let start = Instant::now();
                t.check("PING", "+PONG");
                longest = longest.max(start.elapsed());
            }
            for _ in 0..100_000 {
                assert_eq!(greedy.reply().to_string(), "+OK");
            }
            writer.join().expect("it wrote everything");
            assert!(longest < Duration::from_secs(2), "{}: a PING took {longest:?}", t.variant().name);
        });
        t.check("DBSIZE", ":100000");
    });
}

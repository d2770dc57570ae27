//! Transcripts of MULTI, EXEC, DISCARD, WATCH and UNWATCH over sockets, and clients that contend for watched keys.

use std::thread;

use corewise_harness::{Client, Server, Value, encode, transcript, variants};

#[test]
fn queued_and_run() {
    transcript(|t| {
        t.check("MULTI", "+OK");
        t.check("SET a 1", "+QUEUED");
        t.check("INCR a", "+QUEUED");
        t.check("MSET b 2 c 3", "+QUEUED");
        t.check("MGET a b c d", "+QUEUED");
        t.check("DBSIZE", "+QUEUED");
        t.check("EXEC", "[+OK, :2, +OK, [2, 2, 3, (nil)], :3]");
        t.check("MULTI", "+OK");
        t.check("EXEC", "[]");
        t.check("MULTI", "+OK");
        t.check("FLUSHALL", "+QUEUED");
        t.check("SELECT 2", "+QUEUED");
        t.check("SET x 1", "+QUEUED");
        t.check("SWAPDB 0 2", "+QUEUED");
        t.check("EXISTS x", "+QUEUED");
        t.check("SELECT 0", "+QUEUED");
        t.check("KEYS *", "+QUEUED");
        t.check("EXEC", "[+OK, +OK, +OK, +OK, :0, +OK, [x]]");
        t.check("MULTI", "+OK");
        t.check("SET a 1", "+QUEUED");
        t.check("DISCARD", "+OK");
        t.check("GET a", "(nil)");
    });
}

#[test]
fn errors() {
    transcript(|t| {
        t.check("EXEC", "-ERR EXEC without MULTI");
        t.check("DISCARD", "-ERR DISCARD without MULTI");
        t.check("EXEC x", "-EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command");
        t.check("MULTI x", "-ERR wrong number of arguments for 'multi' command");
        t.check("WATCH", "-ERR wrong number of arguments for 'watch' command");
        t.check("MULTI", "+OK");
        t.check("MULTI", "-ERR MULTI calls can not be nested");
        t.check("WATCH a", "-ERR WATCH inside MULTI is not allowed");
        t.check("SET s abc", "+QUEUED");
        t.check("INCR s", "+QUEUED");
        t.check("MONITOR", "+QUEUED");
        t.check("SET t 1", "+QUEUED");
        t.check(
            "EXEC",
            "[+OK, -ERR value is not an integer or out of range, -ERR MONITOR isn't allowed for DENY BLOCKING client, +OK]",
        );
        for (line, error) in [
            ("nosuch", "-ERR unknown command 'nosuch', with args beginning with: "),
            ("GET", "-ERR wrong number of arguments for 'get' command"),
            ("SHUTDOWN NOSAVE", "-ERR Command not allowed inside a transaction"),
        ] {
            t.check("MULTI", "+OK");
            t.check("SET u 1", "+QUEUED");
            t.check(line, error);
            t.check("EXEC", "-EXECABORT Transaction discarded because of previous errors.");
        }
        t.check("EXISTS t u", ":1");
        t.check("MULTI", "+OK");
        t.check("RESET", "+RESET");
        t.check("EXEC", "-ERR EXEC without MULTI");
    });
}

#[test]
fn watched() {
    transcript(|t| {
        t.check("WATCH a b", "+OK");
        t.check("SET b 1", "+OK");
        t.check("MULTI", "+OK");
        t.check("SET a lost", "+QUEUED");
        t.check("EXEC", "(nil array)");
        t.check("GET a", "(nil)");
        t.check("WATCH a b", "+OK");
        t.check("GET b", "1");
        t.check("MULTI", "+OK");
        t.check("SET a kept", "+QUEUED");
        t.check("EXEC", "[+OK]");
        t.check("WATCH a", "+OK");
        t.check("DEL a", ":1");
        t.check("SET a kept", "+OK");
        t.check("MULTI", "+OK");
        t.check("PING", "+QUEUED");
        t.check("EXEC", "(nil array)");
        t.check("WATCH a", "+OK");
        t.check("SET a 2", "+OK");
        t.check("UNWATCH", "+OK");
        t.check("MULTI", "+OK");
        t.check("PING", "+QUEUED");
        t.check("EXEC", "[+PONG]");
        t.check("SET due 1 PX 20", "+OK");
        t.check("WATCH due", "+OK");
        t.until("EXISTS due", ":0");
        t.check("MULTI", "+OK");
        t.check("PING", "+QUEUED");
        t.check("EXEC", "(nil array)");
    });
}

/// Clients add to two counters, each time what they have read while they watched. Others read both at once.
#[test]
fn no_increment_is_lost_and_none_is_seen_by_half() {
    const CLIENTS: usize = 3;
    const INCREMENTS: i64 = 60;
    for variant in variants() {
        let server = Server::start(&variant, &[]);
        server.connect().ask("MSET k1 0 k2 0 k3 0 k4 0");
        thread::scope(|scope| {
            for at in 0..CLIENTS {
                let (server, name) = (&server, variant.name);
                scope.spawn(move || {
                    let mut client = server.connect();
                    let keys = [format!("k{}", at % 2 + 1), format!("k{}", at % 2 + 3)];
                    let mut added = 0;
                    while added < INCREMENTS {
                        assert_eq!(client.ask(&format!("WATCH {} {}", keys[0], keys[1])).to_string(), "+OK");
                        let value = client.ask(&format!("GET {}", keys[0])).text().parse::<i64>().expect("a number");
                        let replies = transaction(
                            &mut client,
                            &[
                                &["SET", &keys[0], &(value + 1).to_string()],
                                &["INCR", &keys[1]],
                                &["MGET", &keys[0], &keys[1]],
                            ],
                        );
                        if !replies.is_nil() {
                            added += 1;
                            let both = replies.items()[2].items();
                            assert_eq!(both[0], both[1], "{name}: {replies}");
                        }
                        let seen = transaction(&mut client, &[&["GET", &keys[0]], &["PING"], &["GET", &keys[1]]]);
                        assert_eq!(seen.items()[0], seen.items()[2], "{name}: {seen}");
                    }
                });
            }
        });
        let left = server.connect().ask("MGET k1 k2 k3 k4").to_string();
        assert_eq!(left, "[120, 60, 120, 60]", "{}", variant.name);
    }
}

/// Sends commands between MULTI and EXEC in one packet; returns what EXEC answers.
fn transaction(client: &mut Client, commands: &[&[&str]]) -> Value {
    let mut bytes = Vec::new();
    encode(&["MULTI"], &mut bytes);
    commands.iter().for_each(|command| encode(command, &mut bytes));
    encode(&["EXEC"], &mut bytes);
    client.send(&bytes);
    assert_eq!(client.reply().to_string(), "+OK");
    commands.iter().for_each(|_| assert_eq!(client.reply().to_string(), "+QUEUED"));
    client.reply()
}

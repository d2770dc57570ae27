//! Publish and subscribe over sockets: what subscribers and publishers see, and what becomes of those who do not read.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use corewise_harness::{Client, Closed, Transcript, Value, missing, transcript, transcript_with};

/// How long nothing must come before a test says that nothing comes.
const SILENCE: Duration = Duration::from_millis(30);

fn others(t: &Transcript, count: usize) -> Vec<Client> {
    (0..count).map(|_| t.server.connect()).collect()
}

/// The next frame of a client.
fn next(client: &mut Client) -> String {
    client.try_reply().map_or("(closed)".to_owned(), |value| value.to_string())
}

#[test]
fn messages_reach_every_subscriber() {
    transcript(|t| {
        // As many that every core has some.
        let mut subscribers = others(t, 8);
        for subscriber in &mut subscribers {
            t.check_on(subscriber, "SUBSCRIBE news", "[subscribe, news, :1]");
            t.check_on(subscriber, "PSUBSCRIBE w*", "[psubscribe, \"w*\", :2]");
            t.check_on(subscriber, "SSUBSCRIBE news", "[ssubscribe, news, :1]");
        }
        t.check("PUBLISH news 1", ":8");
        t.check("PUBLISH weather 2", ":8");
        t.check("SPUBLISH news 3", ":8");
        t.check("SPUBLISH weather 4", ":0");
        t.check("PUBLISH other 5", ":0");
        for subscriber in &mut subscribers {
            assert_eq!(next(subscriber), "[message, news, 1]");
            assert_eq!(next(subscriber), "[pmessage, \"w*\", weather, 2]");
            assert_eq!(next(subscriber), "[smessage, news, 3]");
            assert_eq!(subscriber.reply_within(Duration::from_millis(1)), None);
        }
        t.check("PUBSUB CHANNELS", "[news]");
        t.check("PUBSUB CHANNELS x*", "[]");
        t.check("PUBSUB SHARDCHANNELS n*", "[news]");
        t.check("PUBSUB NUMSUB news other", "[news, :8, other, :0]");
        t.check("PUBSUB SHARDNUMSUB news", "[news, :8]");
        t.check("PUBSUB NUMPAT", ":1");
        t.like("INFO stats", "*pubsub_channels:1\\r\\npubsub_patterns:1\\r\\npubsubshard_channels:1\\r\\n*");
        t.like("CLIENT LIST TYPE pubsub", "*flags=P db=0 sub=1 psub=1 ssub=1 *");
        t.check_on(&mut subscribers[0], "UNSUBSCRIBE news", "[unsubscribe, news, :1]");
        t.check_on(&mut subscribers[0], "UNSUBSCRIBE", "[unsubscribe, (nil), :1]");
        t.check("PUBLISH news 6", ":7");
        assert_eq!(subscribers[0].reply_within(SILENCE), None, "a message after the end of the subscription");
        t.check_on(&mut subscribers[0], "RESET", "+RESET");
        t.check("PUBLISH weather 7", ":7");
        t.check("CLIENT KILL TYPE pubsub", ":7");
        assert_eq!(next(&mut subscribers[1]), "[message, news, 6]");
        t.until("PUBLISH weather 8", ":0");
        t.until("PUBSUB NUMPAT", ":0");
    });
}

#[test]
fn a_subscriber_speaks_of_nothing_else_in_resp2() {
    transcript(|t| {
        let refused = |name: &str| {
            format!(
                "-ERR Can't execute '{name}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed \
                 in this context"
            )
        };
        t.check("SUBSCRIBE a b a", "[subscribe, a, :1]");
        t.reply("SUBSCRIBE a b a", "[subscribe, b, :2]");
        t.reply("SUBSCRIBE a b a", "[subscribe, a, :2]");
        t.check("PING", r#"[pong, ""]"#);
        t.check("PING hi", "[pong, hi]");
        t.check("GET k", &refused("get"));
        t.check("CLIENT LIST", &refused("client|list"));
        t.check("GET", "-ERR wrong number of arguments for 'get' command");
        t.check("SUBSCRIBE", "-ERR wrong number of arguments for 'subscribe' command");
        t.check("SUNSUBSCRIBE", "[sunsubscribe, (nil), :0]");
        t.check("UNSUBSCRIBE b a", "[unsubscribe, b, :1]");
        t.reply("UNSUBSCRIBE b a", "[unsubscribe, a, :0]");
        t.check("GET k", "(nil)");
        t.check("SUBSCRIBE a", "[subscribe, a, :1]");
        t.check("QUIT", "+OK");
        assert_eq!(t.client.try_reply(), Err(Closed));
    });
}

#[test]
fn resp3_pushes() {
    transcript(|t| {
        let mut publisher = t.server.connect();
        t.like("HELLO 3", "{*}");
        t.check("SUBSCRIBE a", ">[subscribe, a, :1]");
        t.check("SET k v", "+OK");
        t.check("GET k", "v");
        t.check_on(&mut publisher, "PUBLISH a 1", ":1");
        t.reply("PUBLISH a 1", ">[message, a, 1]");
        t.send("CLIENT REPLY OFF");
        t.send("GET k");
        t.check("SUBSCRIBE b", ">[subscribe, b, :2]");
        t.check_on(&mut publisher, "PUBLISH b 2", ":1");
        t.reply("PUBLISH b 2", ">[message, b, 2]");
        t.check("CLIENT REPLY ON", "+OK");
        if t.is_corewise() {
            // redis-server before 7.2 sends the message before the reply.
            t.check("PUBLISH a 3", ":1");
            t.reply("PUBLISH a 3", ">[message, a, 3]");
        }
        t.check("UNSUBSCRIBE b", ">[unsubscribe, b, :1]");
    });
}

#[test]
fn messages_of_a_channel_have_one_order() {
    transcript(|t| {
        const MESSAGES: usize = 500;
        let mut subscribers = others(t, 4);
        for subscriber in &mut subscribers {
            t.check_on(subscriber, "PSUBSCRIBE *", "[psubscribe, \"*\", :1]");
        }
        let mut publishers = others(t, 4);
        for number in 0..MESSAGES {
            for (publisher, client) in publishers.iter_mut().enumerate() {
                let mut bytes = Vec::new();
                let channel = format!("channel{}", number % 3);
                corewise_harness::encode(&["PUBLISH", &channel, &format!("{publisher}:{number}")], &mut bytes);
                client.send(&bytes);
            }
        }
        for client in &mut publishers {
            assert!((0..MESSAGES).all(|_| client.reply() == Value::Integer(4)));
        }
        let mut seen: Vec<Vec<Vec<String>>> = Vec::new();
        for subscriber in &mut subscribers {
            let mut channels = vec![Vec::new(); 3];
            for _ in 0..4 * MESSAGES {
                let message = subscriber.reply();
                let [_, _, channel, text] = message.items() else { panic!("{message}") };
                let channel: usize = channel.text()["channel".len()..].parse().expect("a number");
                channels[channel].push(text.text());
            }
            seen.push(channels);
        }
        assert!(seen.iter().all(|other| *other == seen[0]), "subscribers see different orders");
    });
}

#[test]
fn a_subscriber_that_does_not_read_is_closed() {
    transcript_with(&["--client-output-buffer-limit", "pubsub 1mb 0 0"], |t| {
        let mut subscribers = others(t, 2);
        for subscriber in &mut subscribers {
            t.check_on(subscriber, "SUBSCRIBE a", "[subscribe, a, :1]");
        }
        let message = "x".repeat(100_000);
        let deadline = Instant::now() + Duration::from_secs(20);
        // What the sockets hold is the kernel's affair; the rest is above the limit soon.
        while t.ask("PUBSUB NUMSUB a").items()[1] != Value::Integer(0) {
            let received = t.client.command(&["PUBLISH", "a", &message]);
            assert!(!received.is_error() && Instant::now() < deadline, "nobody is closed: {received}");
        }
        // A field of 7.2.
        t.check_ours("INFO stats", "*client_output_buffer_limit_disconnections:2\\r\\n*");
        t.check("PING", "+PONG");
        for mut subscriber in subscribers {
            assert!(subscriber.until_closed().iter().all(|frame| frame.items()[2].bytes() == Some(message.as_bytes())));
        }
    });
}

#[test]
fn redis_cli_subscribes() {
    if Command::new("redis-cli").arg("--version").output().is_err() {
        return missing("redis-cli (apt-get install redis-tools)");
    }
    transcript(|t| {
        let port = t.server.address().port().to_string();
        let mut cli = Command::new("redis-cli")
            .args(["-p", &port, "--csv", "PSUBSCRIBE", "news*"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("redis-cli starts");
        let mut lines = BufReader::new(cli.stdout.take().expect("it is piped")).lines();
        let mut line = || {
            let mut frames = lines.by_ref().map(|line| line.expect("text")).filter(|line| line.starts_with('"'));
            frames.next().unwrap_or_default()
        };
        assert_eq!(line(), r#""psubscribe","news*",1"#);
        t.check("PUBLISH newspaper hello", ":1");
        assert_eq!(line(), r#""pmessage","news*","newspaper","hello""#);
        let _ = cli.kill();
        let _ = cli.wait();
        t.until("PUBSUB NUMPAT", ":0");
    });
}

#[test]
fn changes_of_keys_are_told() {
    transcript(|t| {
        let [mut by_key, mut by_event] = [t.server.connect(), t.server.connect()];
        t.check("CONFIG GET notify-keyspace-events", "[notify-keyspace-events, \"\"]");
        t.check_on(&mut by_key, "PSUBSCRIBE __keyspace@0__:*", "[psubscribe, \"__keyspace@0__:*\", :1]");
        t.check_on(&mut by_event, "SUBSCRIBE __keyevent@0__:del", "[subscribe, \"__keyevent@0__:del\", :1]");
        t.check("SET k v", "+OK");
        t.check("CONFIG SET notify-keyspace-events KEgl$x", "+OK");
        t.check("CONFIG GET notify-keyspace-events", "[notify-keyspace-events, \"g$lxKE\"]");
        t.check(
            "CONFIG SET notify-keyspace-events Kq",
            "-ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class \
             character. Use 'Ag$lshzxeKEtmdn'.",
        );
        let told = |client: &mut Client, key: &str, events: &[&str]| {
            for event in events {
                let expected = format!("[pmessage, \"__keyspace@0__:*\", \"__keyspace@0__:{key}\", {event}]");
                assert_eq!(next(client), expected);
            }
        };
        for key in ["a", "b", "c", "d"] {
            t.check(&format!("SET {key} v EX 10"), "+OK");
            t.check(&format!("DEL {key} x"), ":1");
            told(&mut by_key, key, &["set", "expire", "del"]);
            assert_eq!(next(&mut by_event), format!("[message, \"__keyevent@0__:del\", {key}]"));
            t.check(&format!("SET {key} v PX 20"), "+OK");
            told(&mut by_key, key, &["set", "expire", "expired"]);
            // Served behind the push, which is told first.
            let mut waiting = t.server.connect();
            let mut bytes = Vec::new();
            corewise_harness::encode(&["BLPOP", key, "0"], &mut bytes);
            waiting.send(&bytes);
            let began = Instant::now();
            while !t.ask("INFO clients").to_string().contains("blocked_clients:1\\r") {
                assert!(began.elapsed() < Duration::from_secs(10), "nobody waits");
            }
            t.check(&format!("RPUSH {key} v"), ":1");
            told(&mut by_key, key, &["rpush", "lpop", "del"]);
            assert_eq!(next(&mut by_event), format!("[message, \"__keyevent@0__:del\", {key}]"));
        }
        t.check("CONFIG SET notify-keyspace-events \"\"", "+OK");
        t.check("SET k w", "+OK");
        t.check("PUBLISH __keyspace@0__:k end", ":1");
        told(&mut by_key, "k", &["end"]);
    });
}

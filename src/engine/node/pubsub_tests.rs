//! Transcripts of publish and subscribe, on nodes of one, two and four cores that lend their shards or do not.

use std::collections::HashMap;

use crate::base::CoreId;
use crate::config::OutputLimit;
use crate::engine::testing::{Client, Node};
use crate::limits::{MAIL_CREDITS, SLICE_CHANNELS, SUBSCRIBER_OUTPUT_BYTES_MAX, SUBSCRIPTIONS_PER_SLICE};
use crate::mesh::LendingMode;
use crate::topology::Topology;

const MODES: [LendingMode; 3] = [LendingMode::Never, LendingMode::Usual, LendingMode::Always];

/// Runs a transcript on every kind of node.
fn everywhere(transcript: impl Fn(&mut Node, usize)) {
    for cores in [1, 2, 4] {
        for lending in MODES {
            transcript(&mut Node::with(cores, lending, |_| {}), cores);
        }
    }
}

/// A client of each core.
fn clients(node: &mut Node, cores: usize) -> Vec<Client> {
    (0..cores.max(2)).map(|number| node.connect(number % cores)).collect()
}

const REFUSED: &str = "only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";

#[test]
fn messages_reach_subscribers_of_every_core() {
    everywhere(|node, cores| {
        let all = clients(node, cores);
        for (number, client) in all.iter().enumerate() {
            node.check(*client, "SUBSCRIBE news", r#"["subscribe", "news", (integer) 1]"#);
            node.check(
                *client,
                &format!("SUBSCRIBE own{number}"),
                &format!(r#"["subscribe", "own{number}", (integer) 2]"#),
            );
        }
        let publisher = node.connect(0);
        node.check(publisher, "PUBLISH news hello", &format!("(integer) {}", all.len()));
        for client in &all {
            assert_eq!(node.received(*client), r#"["message", "news", "hello"]"#);
        }
        node.check(publisher, "PUBLISH own1 hello", "(integer) 1");
        assert_eq!(node.received(all[1]), r#"["message", "own1", "hello"]"#);
        assert_eq!(node.received(all[0]), "");
        node.check(publisher, "PUBLISH nobody hello", "(integer) 0");
        node.check(publisher, "SPUBLISH news hello", "(integer) 0");
        node.check(all[0], "UNSUBSCRIBE news", r#"["unsubscribe", "news", (integer) 1]"#);
        node.check(publisher, "PUBLISH news again", &format!("(integer) {}", all.len() - 1));
        assert_eq!(node.received(all[0]), "");
        node.disconnect(all[1]);
        node.check(publisher, "PUBLISH news again", &format!("(integer) {}", all.len() - 2));
        node.check(publisher, "PUBLISH own1 again", "(integer) 0");
    });
}

#[test]
fn patterns_see_channels_of_every_core() {
    everywhere(|node, cores| {
        let all = clients(node, cores);
        node.check(
            all[0],
            "PSUBSCRIBE n* *s n*",
            r#"["psubscribe", "n*", (integer) 1] ["psubscribe", "*s", (integer) 2] ["psubscribe", "n*", (integer) 2]"#,
        );
        node.check(all[1], "PSUBSCRIBE n*", r#"["psubscribe", "n*", (integer) 1]"#);
        node.check(all[1], "SUBSCRIBE news", r#"["subscribe", "news", (integer) 2]"#);
        let publisher = node.connect(cores - 1);
        node.check(publisher, "PUBLISH news 1", "(integer) 4");
        let mut seen: Vec<String> =
            node.received(all[0]).split("] ").map(|text| text.trim_end_matches(']').to_owned()).collect();
        seen.sort();
        assert_eq!(seen, [r#"["pmessage", "*s", "news", "1""#, r#"["pmessage", "n*", "news", "1""#]);
        assert_eq!(node.received(all[1]), r#"["message", "news", "1"] ["pmessage", "n*", "news", "1"]"#);
        node.check(publisher, "PUBSUB NUMPAT", "(integer) 2");
        node.check(publisher, "PUBLISH nil 1", "(integer) 2");
        node.check(publisher, "SPUBLISH news 1", "(integer) 0");
        node.check(publisher, "PUBLISH other 1", "(integer) 0");
        assert_eq!(node.received(all[0]), r#"["pmessage", "n*", "nil", "1"]"#);
        node.check(
            all[0],
            "PUNSUBSCRIBE n* x",
            r#"["punsubscribe", "n*", (integer) 1] ["punsubscribe", "x", (integer) 1]"#,
        );
        node.check(publisher, "PUBLISH nil 2", "(integer) 1");
        node.disconnect(all[1]);
        node.check(publisher, "PUBSUB NUMPAT", "(integer) 1");
        node.check(publisher, "PUBLISH news 2", "(integer) 1");
    });
}

#[test]
fn shard_channels_are_apart() {
    everywhere(|node, cores| {
        let all = clients(node, cores);
        node.check(
            all[0],
            "SSUBSCRIBE a b a",
            r#"["ssubscribe", "a", (integer) 1] ["ssubscribe", "b", (integer) 2] ["ssubscribe", "a", (integer) 2]"#,
        );
        node.check(all[0], "SUBSCRIBE a", r#"["subscribe", "a", (integer) 1]"#);
        node.check(all[1], "SPUBLISH a 1", "(integer) 1");
        node.check(all[1], "PUBLISH a 2", "(integer) 1");
        assert_eq!(node.received(all[0]), r#"["smessage", "a", "1"] ["message", "a", "2"]"#);
        node.check(all[1], "PUBSUB SHARDCHANNELS b*", r#"["b"]"#);
        node.check(all[1], "PUBSUB CHANNELS", r#"["a"]"#);
        node.check(all[1], "PUBSUB SHARDNUMSUB b x", r#"["b", (integer) 1, "x", (integer) 0]"#);
        node.check(all[0], "SUNSUBSCRIBE", r#"["sunsubscribe", "a", (integer) 1] ["sunsubscribe", "b", (integer) 0]"#);
        node.check(all[0], "SUNSUBSCRIBE", r#"["sunsubscribe", (nil), (integer) 0]"#);
        node.check(all[1], "SPUBLISH a 3", "(integer) 0");
        node.check(all[1], "PUBSUB SHARDCHANNELS", "[]");
    });
}

#[test]
fn a_subscriber_that_speaks_resp2_may_do_little_else() {
    everywhere(|node, cores| {
        let client = clients(node, cores)[1];
        for command in ["UNSUBSCRIBE", "PUNSUBSCRIBE", "SUNSUBSCRIBE"] {
            node.check(client, command, &format!("[\"{}\", (nil), (integer) 0]", command.to_lowercase()));
        }
        node.check(client, "UNSUBSCRIBE a", r#"["unsubscribe", "a", (integer) 0]"#);
        node.check(client, "PING", "PONG");
        node.check(
            client,
            "SUBSCRIBE b a b",
            r#"["subscribe", "b", (integer) 1] ["subscribe", "a", (integer) 2] ["subscribe", "b", (integer) 2]"#,
        );
        node.check(client, "PING", r#"["pong", ""]"#);
        node.check(client, "PING hi", r#"["pong", "hi"]"#);
        node.check(client, "PING a b", "(error) ERR wrong number of arguments for 'ping' command");
        for (request, name) in
            [("GET k", "get"), ("hello 3", "hello"), ("CLIENT ID", "client|id"), ("PUBLISH a b", "publish")]
        {
            node.check(client, request, &format!("(error) ERR Can't execute '{name}': {REFUSED}"));
        }
        node.check(client, "GET", "(error) ERR wrong number of arguments for 'get' command");
        node.check(client, "nosuch", "(error) ERR unknown command 'nosuch', with args beginning with: ");
        node.check(client, "UNSUBSCRIBE", r#"["unsubscribe", "a", (integer) 1] ["unsubscribe", "b", (integer) 0]"#);
        node.check(client, "GET k", "(nil)");
        node.check(client, "SSUBSCRIBE s", r#"["ssubscribe", "s", (integer) 1]"#);
        node.check(client, "GET k", &format!("(error) ERR Can't execute 'get': {REFUSED}"));
        node.check(client, "SUNSUBSCRIBE s", r#"["sunsubscribe", "s", (integer) 0]"#);
        node.check(client, "GET k", "(nil)");
        node.check(client, "SUBSCRIBE a", r#"["subscribe", "a", (integer) 1]"#);
        node.check(client, "QUIT", "OK");
        assert!(node.is_closed(client));
    });
}

#[test]
fn reset_ends_subscriptions_without_a_word() {
    everywhere(|node, cores| {
        let all = clients(node, cores);
        node.run(all[0], "SUBSCRIBE a b c d");
        node.run(all[0], "PSUBSCRIBE *");
        node.run(all[0], "SSUBSCRIBE a b c d");
        node.check(all[0], "RESET", "RESET");
        node.check(all[0], "GET k", "(nil)");
        node.check(all[1], "PUBLISH a 1", "(integer) 0");
        node.check(all[1], "SPUBLISH b 1", "(integer) 0");
        node.check(all[1], "PUBSUB CHANNELS", "[]");
        node.check(all[1], "PUBSUB NUMPAT", "(integer) 0");
        node.check(all[0], "SUBSCRIBE a", r#"["subscribe", "a", (integer) 1]"#);
    });
}

#[test]
fn resp3_has_pushes_and_no_restriction() {
    everywhere(|node, cores| {
        let all = clients(node, cores);
        node.run(all[0], "HELLO 3");
        node.check(all[0], "SUBSCRIBE a", r#"push["subscribe", "a", (integer) 1]"#);
        node.check(all[0], "PSUBSCRIBE ?", r#"push["psubscribe", "?", (integer) 2]"#);
        node.check(all[0], "PING", "PONG");
        node.check(all[0], "SET k v", "OK");
        node.check(all[1], "PUBLISH a 1", "(integer) 2");
        assert_eq!(node.received(all[0]), r#"push["message", "a", "1"] push["pmessage", "?", "a", "1"]"#);
        node.check(all[0], "PUBLISH a 2", r#"(integer) 2 push["message", "a", "2"] push["pmessage", "?", "a", "2"]"#);
        node.check(all[0], "UNSUBSCRIBE", r#"push["unsubscribe", "a", (integer) 1]"#);
        node.check(all[0], "UNSUBSCRIBE", r#"push["unsubscribe", (nil), (integer) 1]"#);
        node.run(all[0], "SUBSCRIBE a");
        assert!(node.run(all[0], "HELLO 2").starts_with(r#"["server""#));
        node.check(all[0], "GET k", &format!("(error) ERR Can't execute 'get': {REFUSED}"));
        node.check(all[1], "PUBLISH a 3", "(integer) 2");
        assert_eq!(node.received(all[0]), r#"["message", "a", "3"] ["pmessage", "?", "a", "3"]"#);
    });
}

#[test]
fn pushes_are_no_replies() {
    everywhere(|node, cores| {
        let all = clients(node, cores);
        node.run(all[0], "HELLO 3");
        node.check(all[0], "CLIENT REPLY OFF", "");
        node.check(all[0], "SUBSCRIBE a", r#"push["subscribe", "a", (integer) 1]"#);
        node.check(all[0], "PUBLISH a 1", r#"push["message", "a", "1"]"#);
        node.check(all[1], "PUBLISH a 2", "(integer) 1");
        assert_eq!(node.received(all[0]), r#"push["message", "a", "2"]"#);
        node.check(all[0], "UNSUBSCRIBE a", r#"push["unsubscribe", "a", (integer) 0]"#);
        node.check(all[0], "CLIENT REPLY ON", "OK");
        node.check(all[0], "CLIENT REPLY SKIP", "");
        node.check(all[0], "SUBSCRIBE a", r#"push["subscribe", "a", (integer) 1]"#);
        node.check(all[0], "PING", "PONG");
    });
}

#[test]
fn pipelines_keep_their_order() {
    everywhere(|node, cores| {
        let all = clients(node, cores);
        node.run(all[0], "HELLO 3");
        let pipeline = "SET {x}k 1\r\nSUBSCRIBE a b c\r\nPUBLISH b 1\r\nGET {x}k\r\n\
            PUBLISH a 2\r\nUNSUBSCRIBE b\r\nPUBLISH b 3\r\nPING";
        node.check(
            all[0],
            pipeline,
            "OK push[\"subscribe\", \"a\", (integer) 1] push[\"subscribe\", \"b\", (integer) 2] \
             push[\"subscribe\", \"c\", (integer) 3] (integer) 1 push[\"message\", \"b\", \"1\"] \"1\" (integer) 1 \
             push[\"message\", \"a\", \"2\"] push[\"unsubscribe\", \"b\", (integer) 2] (integer) 0 PONG",
        );
        // A channel for every core, and more messages than there are credits between two of them.
        node.run(all[1], "SUBSCRIBE c0 c1 c2 c3 c4 c5 c6 c7");
        let publisher = node.connect(0);
        let count = MAIL_CREDITS as usize + 100;
        let requests: Vec<String> = (0..count).map(|number| format!("PUBLISH c{} {number}", number % 8)).collect();
        node.check(publisher, &requests.join("\r\n"), &vec!["(integer) 1"; count].join(" "));
        let received = node.received(all[1]);
        for channel in 0..8 {
            let expected: Vec<String> = (0..count).filter(|n| n % 8 == channel).map(|n| n.to_string()).collect();
            let start = format!("[\"message\", \"c{channel}\", \"");
            let got: Vec<&str> =
                received.split("] ").filter_map(|text| text.strip_prefix(&start)?.split('"').next()).collect();
            assert_eq!(got, expected, "channel {channel}");
        }
    });
}

#[test]
fn each_publisher_is_heard_in_its_order() {
    everywhere(|node, cores| {
        let all = clients(node, cores);
        node.run(all[1], "SUBSCRIBE c0 c1 c2 c3 c4 c5 c6 c7");
        let count = 200;
        let publishers: Vec<Client> = (0..4 * cores).map(|number| node.connect(number % cores)).collect();
        for (publisher, client) in publishers.iter().enumerate() {
            let requests: Vec<String> =
                (0..count).map(|number| format!("PUBLISH c{} {publisher}:{number}", number % 8)).collect();
            node.queue(*client, &format!("CLIENT REPLY OFF\r\n{}\r\nCLIENT REPLY ON", requests.join("\r\n")));
        }
        let awaiting = publishers[0];
        assert!(node.run(awaiting, "PING").ends_with("PONG"));
        let received = node.received(all[1]);
        assert_eq!(received.matches("message").count(), publishers.len() * count);
        // Each publisher's messages to a channel are in its order.
        let mut last = HashMap::new();
        for message in received.split("] ") {
            let words: Vec<&str> = message.split('"').collect();
            let (publisher, number) = words[5].split_once(':').expect("publisher and number");
            let number: usize = number.parse().expect("a number");
            let before = last.insert((words[3].to_owned(), publisher.to_owned()), number);
            assert!(before.is_none_or(|before| before < number), "{message} after {before:?}");
        }
        assert!(node.engines.iter().all(|engine| engine.unfinished().is_none()));
    });
}

#[test]
fn a_message_without_credit_holds_its_publisher_back() {
    let home = CoreId(0);
    let is_at_home = |channel: &String| Topology::new(3).core_of(channel.as_bytes()) == home;
    let channel = (0..).map(|number| format!("c{number}")).find(is_at_home).expect("a channel");
    let mut node = Node::new(3);
    let (near, subscriber, far) = (node.connect(0), node.connect(1), node.connect(2));
    node.run(subscriber, &format!("SUBSCRIBE {channel}"));
    let (credits, more) = (MAIL_CREDITS as usize, 10);
    // The subscriber's core does not turn, as if it were in the middle of a long turn.
    for number in 0..credits + more {
        node.turn_crowded(near, format!("PUBLISH {channel} {number}\r\n").as_bytes());
    }
    assert_eq!(node.received(near).matches("(integer) 1").count(), credits, "the others wait with their client");
    node.turn_crowded(far, format!("PUBLISH {channel} far\r\nPING\r\n").as_bytes());
    node.turn_crowded(near, b"");
    node.turn_crowded(far, b"");
    assert_eq!((node.engines[home.index()].unpublished.len(), node.received(far).as_str()), (1, ""));
    node.check(far, "PING", "(integer) 1 PONG PONG");
    assert_eq!(node.received(near).matches("(integer) 1").count(), more);
    assert_eq!(node.received(subscriber).matches("message").count(), credits + more + 1);
    assert!(node.engines.iter().all(|engine| engine.unfinished().is_none()));
}

#[test]
fn pubsub_tells_about_channels() {
    everywhere(|node, cores| {
        let all = clients(node, cores);
        let names: Vec<String> = (0..200).map(|number| format!("channel:{number}")).collect();
        node.run(all[0], &format!("SUBSCRIBE {}", names.join(" ")));
        node.run(all[1], "SUBSCRIBE channel:7 other");
        let asker = node.connect(0);
        assert_eq!(node.run(asker, "PUBSUB CHANNELS").matches('"').count(), 2 * 201);
        assert_eq!(node.run(asker, "PUBSUB CHANNELS channel:1?").matches('"').count(), 2 * 10);
        node.check(asker, "PUBSUB CHANNELS o*", r#"["other"]"#);
        node.check(
            asker,
            "PUBSUB CHANNELS a b",
            "(error) ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.",
        );
        node.check(
            asker,
            "PUBSUB SHARDCHANNELS a b",
            "(error) ERR unknown subcommand or wrong number of arguments for 'SHARDCHANNELS'. Try PUBSUB HELP.",
        );
        node.check(asker, "PUBSUB NUMSUB", "[]");
        node.check(
            asker,
            "PUBSUB NUMSUB other x channel:7 other",
            r#"["other", (integer) 1, "x", (integer) 0, "channel:7", (integer) 2, "other", (integer) 1]"#,
        );
        node.check(asker, "PUBSUB NUMPAT x", "(error) ERR wrong number of arguments for 'pubsub|numpat' command");
        node.check(asker, "PUBSUB NOPE", "(error) ERR unknown subcommand 'NOPE'. Try PUBSUB HELP.");
        assert!(node.run(asker, "PUBSUB HELP").starts_with("[PUBSUB <subcommand>"));
        node.run(all[1], "PSUBSCRIBE a b");
        node.run(all[1], "SSUBSCRIBE a b c");
        let info = node.run(asker, "INFO stats");
        for field in ["pubsub_channels:201\\r", "pubsub_patterns:2\\r", "pubsubshard_channels:3\\r"] {
            assert!(info.contains(field), "{field} in {info}");
        }
        let list = node.run(asker, "CLIENT LIST TYPE pubsub");
        assert!(
            list.contains(" flags=P db=0 sub=2 psub=2 ssub=3 multi=-1") && list.matches("id=").count() == 2,
            "{list}"
        );
        assert!(!node.run(asker, "CLIENT LIST TYPE normal").contains("flags=P"));
        node.check(asker, "CLIENT KILL TYPE pubsub", "(integer) 2");
        assert!(node.is_closed(all[0]) && node.is_closed(all[1]));
        node.check(asker, "PUBSUB CHANNELS", "[]");
        node.check(asker, "PUBSUB NUMPAT", "(integer) 0");
    });
}

#[test]
fn many_subscriptions_end_in_slices() {
    everywhere(|node, cores| {
        let all = clients(node, cores);
        for base in 0..5 {
            let names =
                (0..SUBSCRIPTIONS_PER_SLICE).map(|number| format!("c{}", base * SUBSCRIPTIONS_PER_SLICE + number));
            node.run(all[1], &format!("SUBSCRIBE {}", names.collect::<Vec<_>>().join(" ")));
        }
        node.run(all[1], "SSUBSCRIBE s");
        let listed = node.run(all[0], "PUBSUB CHANNELS").matches('"').count() / 2;
        assert!(listed == 5 * SUBSCRIPTIONS_PER_SLICE && listed > SLICE_CHANNELS, "{listed} channels");
        node.disconnect(all[1]);
        node.check(all[0], "PUBSUB CHANNELS", "[]");
        node.check(all[0], "SPUBLISH s 1", "(integer) 0");
        assert!(node.engines.iter().all(|engine| engine.unfinished().is_none()));
    });
}

#[test]
fn a_slow_subscriber_is_closed_at_its_limit() {
    for cores in [1, 2] {
        let mut node = Node::with(cores, LendingMode::Usual, |_| {});
        let all = clients(&mut node, cores);
        node.run(all[1], "SUBSCRIBE a");
        // The default: 32mb at once, 8mb for a minute.
        node.stall(all[1], 32 << 20);
        assert!(!node.is_closed(all[1]));
        node.check(all[0], "PUBLISH a message", "(integer) 1");
        assert!(node.is_closed(all[1]), "the message is above the limit");
        node.check(all[0], "PUBLISH a message", "(integer) 0");
        let slow = node.connect(cores - 1);
        node.run(slow, "SUBSCRIBE a");
        node.stall(slow, (8 << 20) + 1);
        node.pass_ms(59_000);
        assert!(!node.is_closed(slow));
        node.pass_ms(2_000);
        assert!(node.is_closed(slow), "it was above the soft limit for a minute");
        let slow = node.connect(cores - 1);
        node.run(slow, "SUBSCRIBE a");
        node.stall(slow, (32 << 20) + 1);
        assert!(node.is_closed(slow));
        assert!(node.run(all[0], "INFO stats").contains("client_output_buffer_limit_disconnections:3"));
        // A client that has no subscription may leave as much unread as it likes.
        let normal = node.connect(cores - 1);
        node.run(normal, "SUBSCRIBE a");
        node.run(normal, "UNSUBSCRIBE a");
        node.stall(normal, 64 << 20);
        assert!(!node.is_closed(normal));
    }
}

#[test]
fn a_slow_subscriber_is_closed_without_a_limit_too() {
    let mut node = Node::with(2, LendingMode::Usual, |config| config.output_limits.pubsub = OutputLimit::default());
    let (slow, publisher) = (node.connect(0), node.connect(1));
    node.run(slow, "SUBSCRIBE a");
    node.stall(slow, SUBSCRIBER_OUTPUT_BYTES_MAX - 1000);
    node.check(publisher, "PUBLISH a message", "(integer) 1");
    assert!(!node.is_closed(slow));
    node.check(publisher, &format!("PUBLISH a {}", "x".repeat(2000)), "(integer) 1");
    assert!(node.is_closed(slow));
}

#[test]
fn a_publisher_that_drowns_itself_is_closed() {
    let mut node = Node::with(1, LendingMode::Usual, |config| config.output_limits.pubsub.hard_bytes = 1000);
    let client = node.connect(0);
    node.run(client, "HELLO 3");
    node.run(client, "SUBSCRIBE a");
    node.send(client, &format!("PUBLISH a {}", "x".repeat(2000)));
    assert!(node.is_closed(client));
}

#[test]
fn a_client_has_so_many_subscriptions() {
    let mut node = Node::new(2);
    let client = node.connect(0);
    let name = "x".repeat(60_000);
    let refused = "(error) ERR max number of subscriptions of a client reached";
    let mut refusals = 0;
    for number in 0..2300 {
        let reply = node.run(client, &format!("SUBSCRIBE {name}{number}"));
        refusals += usize::from(reply == refused);
    }
    assert!((60..80).contains(&refusals), "{refusals} of 2300 names of 60 kB are too many for 128 MiB");
    node.run(client, "UNSUBSCRIBE");
    assert!(node.run(client, "SUBSCRIBE a").starts_with("[\"subscribe\""));
}

#[test]
fn subscribers_may_be_silent_and_others_are_held_back_as_ever() {
    let mut node = Node::with(2, LendingMode::Usual, |config| config.timeout_s = 10);
    let (subscriber, idle) = (node.connect(0), node.connect(1));
    node.run(subscriber, "SUBSCRIBE a");
    node.pass_ms(12_000);
    assert!(!node.is_closed(subscriber) && node.is_closed(idle));
    let (client, other) = (node.connect(1), node.connect(1));
    node.check(client, "CLIENT PAUSE 100000 WRITE", "OK");
    node.check(other, "PUBLISH a 1", "");
    node.check(client, "CLIENT UNPAUSE", "OK");
    assert_eq!(node.received(other), "(integer) 1");
    node.check(client, "MONITOR", "OK");
    node.check(client, "PUBLISH a 1", "(error) ERR Replica can't interact with the keyspace");
    assert!(node.run(client, "SUBSCRIBE a").contains(r#"["subscribe", "a", (integer) 1]"#));
}

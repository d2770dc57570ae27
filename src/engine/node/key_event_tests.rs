//! Transcripts of keyspace notifications, on nodes of one, two and four cores that lend their shards or do not.

use crate::config::EvictionPolicy;
use crate::engine::testing::{Client, Node};
use crate::limits::MAIL_CREDITS;
use crate::mesh::LendingMode;
use crate::topology::Topology;

const MODES: [LendingMode; 3] = [LendingMode::Never, LendingMode::Usual, LendingMode::Always];

/// Runs a transcript on every kind of node, with a client of the first core and one of the last that is subscribed to the
/// events of all keys.
fn everywhere(transcript: impl Fn(&mut Node, Client, Client)) {
    for cores in [1, 2, 4] {
        for lending in MODES {
            let mut node = Node::with(cores, lending, |_| {});
            let (client, subscriber) = (node.connect(0), node.connect(cores - 1));
            node.check(client, "CONFIG SET notify-keyspace-events KA", "OK");
            node.run(subscriber, "PSUBSCRIBE __key*__:*");
            transcript(&mut node, client, subscriber);
        }
    }
}

/// The events that a subscriber has received: `name key`, by key if several keys are asked for.
fn events(node: &mut Node, subscriber: Client) -> Vec<String> {
    let received = node.received(subscriber);
    let frames = received.split("[\"pmessage\", ").skip(1);
    let show = |frame: &str| {
        let mut parts = frame.split('"').skip(3).step_by(2);
        let (channel, message) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let key = channel.split_once("__:").map_or(channel, |(_, key)| key);
        format!("{message} {key}")
    };
    frames.map(show).collect()
}

/// Runs a command and judges the events of each key that is named, in the order in which they came.
#[track_caller]
fn tells(node: &mut Node, client: Client, subscriber: Client, command: &str, expected: &[&str]) {
    let reply = node.run(client, command);
    let got = events(node, subscriber);
    let key = |event: &str| event.split_once(' ').map(|(_, key)| key.to_owned());
    // What happens to different keys is told by different cores.
    let (mut got, mut expected) = (got, expected.iter().map(|&event| event.to_owned()).collect::<Vec<_>>());
    got.sort_by_key(|event| key(event));
    expected.sort_by_key(|event| key(event));
    assert_eq!(got, expected, "{command} -> {reply}");
}

#[test]
fn events_come_from_every_core_to_every_core() {
    everywhere(|node, client, subscriber| {
        for number in 0..8 {
            let (set, gone) = (format!("set k{number}"), format!("del k{number}"));
            tells(node, client, subscriber, &format!("SET k{number} v"), &[&set]);
            tells(node, client, subscriber, &format!("DEL k{number}"), &[&gone]);
        }
        tells(node, client, subscriber, "MSET a 1 b 2 c 3 d 4", &["set a", "set b", "set c", "set d"]);
        tells(node, client, subscriber, "DEL a b c d x", &["del a", "del b", "del c", "del d"]);
    });
}

#[test]
fn both_channels_have_the_event() {
    everywhere(|node, client, subscriber| {
        node.check(client, "CONFIG SET notify-keyspace-events KEA", "OK");
        node.run(subscriber, "PUNSUBSCRIBE");
        node.run(subscriber, "SUBSCRIBE __keyspace@3__:k __keyevent@3__:set");
        node.run(client, "SELECT 3");
        node.check(client, "SET k v", "OK");
        let received = node.received(subscriber);
        let (by_key, by_event) =
            (r#"["message", "__keyspace@3__:k", "set"]"#, r#"["message", "__keyevent@3__:set", "k"]"#);
        assert!(received.contains(by_key) && received.contains(by_event), "{received}");
        assert_eq!(received.len(), by_key.len() + 1 + by_event.len());
    });
}

#[test]
fn commands_over_several_cores_tell_where_the_keys_live() {
    everywhere(|node, client, subscriber| {
        node.run(client, "CONFIG SET notify-keyspace-events KEAmn");
        node.run(subscriber, "PUNSUBSCRIBE");
        node.run(subscriber, "PSUBSCRIBE __keyspace@*__:*");
        for target in 0..6 {
            let line = |text: &str| text.replace("TARGET", &format!("t{target}"));
            let mut tells = |command: &str, expected: &[&str]| {
                let expected: Vec<String> = expected.iter().map(|event| line(event)).collect();
                let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
                tells(node, client, subscriber, &line(command), &expected);
            };
            tells("SET s v", &["new s", "set s"]);
            tells("RENAME s TARGET", &["rename_from s", "new TARGET", "rename_to TARGET"]);
            tells("COPY TARGET u DB 1", &["new u", "copy_to u"]);
            tells("DEL TARGET", &["del TARGET"]);
            tells("SADD s a b", &["new s", "sadd s"]);
            tells("SUNIONSTORE TARGET s x", &["keymiss x", "new TARGET", "sunionstore TARGET"]);
            tells("SMOVE TARGET s a", &["srem TARGET"]);
            tells("SINTERSTORE TARGET s x", &["keymiss x", "del TARGET"]);
            tells("SUNION TARGET x", &["keymiss TARGET", "keymiss x"]);
            tells("RPUSH l 1", &["new l", "rpush l"]);
            tells("LMOVE l TARGET LEFT LEFT", &["lpop l", "del l", "new TARGET", "lpush TARGET"]);
            tells("SORT TARGET BY w_*", &["keymiss w_1"]);
            tells("DEL s TARGET", &["del s", "del TARGET"]);
            node.run(client, "FLUSHALL");
        }
    });
}

#[test]
fn transactions_tell_each_key_in_order() {
    everywhere(|node, client, subscriber| {
        for number in 0..6 {
            let (key, other) = (format!("k{number}"), format!("o{number}"));
            node.run(client, "MULTI");
            for command in ["SET K 1", "INCR K", "RENAME K O", "EXPIRE O 10", "DEL O K", "PING"] {
                node.check(client, &command.replace('K', &key).replace('O', &other), "QUEUED");
            }
            let expected = [
                format!("set {key}"),
                format!("incrby {key}"),
                format!("rename_from {key}"),
                format!("rename_to {other}"),
                format!("expire {other}"),
                format!("del {other}"),
            ];
            tells(node, client, subscriber, "EXEC", &expected.each_ref().map(String::as_str));
            node.run(client, "MULTI");
            node.run(client, &format!("SET {key} 1"));
            node.run(client, &format!("DEL {key}"));
            tells(node, client, subscriber, "EXEC", &[&format!("set {key}"), &format!("del {key}")]);
        }
    });
}

#[test]
fn whoever_changes_keys_may_listen_too() {
    everywhere(|node, client, _| {
        node.run(client, "HELLO 3");
        node.run(client, "PSUBSCRIBE __keyspace@0__:*");
        for number in 0..6 {
            let key = format!("k{number}");
            let push =
                |event: &str| format!(r#"push["pmessage", "__keyspace@0__:*", "__keyspace@0__:{key}", "{event}"]"#);
            let received = node.run(client, &format!("SET {key} v"));
            assert!(received.contains("OK") && received.contains(&push("set")), "{received}");
            node.run(client, "MULTI");
            node.run(client, &format!("INCR {key}1"));
            node.run(client, &format!("DEL {key}"));
            node.run(client, &format!("GET {key}2"));
            let received = node.run(client, "EXEC");
            assert!(received.contains("[(integer) 1, (integer) 1, (nil)]"), "{received}");
            assert!(received.contains(&push("del")), "{received}");
            assert_eq!(node.run(client, "PING"), "PONG");
        }
    });
}

#[test]
fn a_message_never_comes_into_the_middle_of_an_exec() {
    everywhere(|node, client, _| {
        node.run(client, "HELLO 3");
        node.run(client, "SUBSCRIBE a");
        node.run(client, "MULTI");
        node.run(client, "SET k v");
        node.run(client, "PUBLISH a 1");
        node.run(client, "GET k");
        node.check(client, "EXEC", r#"[OK, (integer) 1, "v"] push["message", "a", "1"]"#);
    });
}

#[test]
fn those_who_wait_are_served_behind_the_push() {
    everywhere(|node, client, subscriber| {
        let waiting = node.connect(0);
        for number in 0..4 {
            let (list, other) = (format!("l{number}"), format!("m{number}"));
            node.check(waiting, &format!("BLPOP {list} 0"), "");
            let expected = [format!("rpush {list}"), format!("lpop {list}"), format!("del {list}")];
            tells(node, client, subscriber, &format!("RPUSH {list} a"), &expected.each_ref().map(String::as_str));
            node.received(waiting);
            node.check(waiting, &format!("BLMOVE {list} {other} LEFT RIGHT 0"), "");
            let expected = [&expected[..], &[format!("rpush {other}")]].concat();
            let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
            tells(node, client, subscriber, &format!("RPUSH {list} a"), &expected);
            node.received(waiting);
        }
    });
}

#[test]
fn what_falls_due_is_told_though_nobody_asks() {
    everywhere(|node, client, subscriber| {
        for number in 0..4 {
            node.check(client, &format!("SET k{number} v PX 100"), "OK");
        }
        events(node, subscriber);
        node.pass_ms(1000);
        node.pass_ms(1000);
        let mut told = events(node, subscriber);
        told.sort();
        assert_eq!(told, ["expired k0", "expired k1", "expired k2", "expired k3"]);
    });
}

#[test]
fn what_is_evicted_is_told() {
    for cores in [1, 2] {
        let mut node = Node::with(cores, LendingMode::Usual, |config| {
            config.max_keys = 4;
            config.maxmemory_policy = EvictionPolicy::AllKeysFifo;
        });
        let (client, subscriber) = (node.connect(0), node.connect(cores - 1));
        node.check(client, "CONFIG SET notify-keyspace-events Ke", "OK");
        node.run(subscriber, "PSUBSCRIBE __key*__:*");
        for number in 0..50 {
            node.run(client, &format!("SET k{number} v"));
        }
        let told = events(&mut node, subscriber);
        let stats = node.run(client, "INFO stats");
        let count = stats.split("evicted_keys:").nth(1).and_then(|text| text.split('\\').next());
        let evicted: usize = count.and_then(|count| count.parse().ok()).expect("a number");
        assert!(told.iter().all(|event| event.starts_with("evicted k")), "{told:?}");
        assert_eq!((told.len(), evicted > 0), (evicted, true), "{told:?}");
    }
}

/// More events than there is credit for are held, and so are clients with more commands; nothing is lost or turned around.
#[test]
fn events_wait_for_credit() {
    for lending in MODES {
        let mut node = Node::with(2, lending, |_| {});
        let (client, subscriber) = (node.connect(0), node.connect(1));
        node.check(client, "CONFIG SET notify-keyspace-events KEA", "OK");
        node.run(subscriber, "PSUBSCRIBE __keyevent@0__:*");
        // Events of a key are told by its own core; the channel is at home on the other.
        let topology = Topology::new(2);
        let home = topology.core_of(b"__keyevent@0__:del");
        let tag = (0..).find(|tag| topology.core_of(format!("{{{tag}}}").as_bytes()) != home).expect("a tag");
        let own = node.connect(topology.core_of(format!("{{{tag}}}").as_bytes()).index());
        let count = 3 * MAIL_CREDITS as usize;
        let names: Vec<String> = (0..count).map(|number| format!("{{{tag}}}{number}")).collect();
        let pairs: Vec<String> = names.iter().map(|name| format!("{name} v")).collect();
        node.check(own, &format!("MSET {}", pairs.join(" ")), "OK");
        node.received(subscriber);
        let [first, second] = [&names[..count / 2], &names[count / 2..]].map(|names| names.join(" "));
        node.turn_crowded(own, format!("DEL {first}\r\nGET {{{tag}}}0\r\n").as_bytes());
        assert!(node.engines[1 - home.index()].events_held.is_some());
        let replies = node.run(own, &format!("DEL {second}"));
        assert_eq!(replies, format!("(integer) {0} (nil) (integer) {0}", count / 2));
        let received = node.received(subscriber);
        let told: Vec<&str> =
            received.split("__keyevent@0__:del\", \"").skip(1).filter_map(|text| text.split('"').next()).collect();
        assert_eq!(told, names);
        assert!(node.run(client, "INFO stats").contains(r"\r\nkeyspace_events_dropped:0\r\n"));
    }
}

#[test]
fn settings_take_effect_at_once() {
    everywhere(|node, client, subscriber| {
        node.check(client, "CONFIG GET notify-keyspace-events", r#"["notify-keyspace-events", "AK"]"#);
        node.check(
            client,
            "CONFIG SET notify-keyspace-events KQ",
            "(error) ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class \
             character. Use 'Ag$lshzxeKEtmdn'.",
        );
        node.run(client, "CONFIG SET notify-keyspace-events gxK");
        node.check(client, "CONFIG GET notify-keyspace-events", r#"["notify-keyspace-events", "gxK"]"#);
        for number in 0..6 {
            let gone = format!("del k{number}");
            tells(node, client, subscriber, &format!("SET k{number} v"), &[]);
            tells(node, client, subscriber, &format!("DEL k{number}"), &[&gone]);
        }
        node.run(client, "CONFIG SET notify-keyspace-events \"\"");
        for number in 0..6 {
            tells(node, client, subscriber, &format!("SET k{number} v"), &[]);
        }
    });
}

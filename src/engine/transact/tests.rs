//! Commands over several cores.

use crate::base::CoreId;
use crate::config::{Config, EvictionPolicy};
use crate::engine::testing::{Client, Node};
use crate::keyspace::collection::{CollectionRef, ListRef};
use crate::mesh::LendingMode;

const LENDINGS: [LendingMode; 3] = [LendingMode::Never, LendingMode::Usual, LendingMode::Always];

/// Asks the same of a node of one core and of one of three, from each of its cores, with every way of lending.
fn as_on_one_core(requests: &[&str]) {
    as_on_one_core_with(|_| {}, requests);
}

/// The same with other settings. Before each request a second passes.
fn as_on_one_core_with(change: impl Fn(&mut Config) + Copy, requests: &[&str]) {
    for lending in LENDINGS {
        for core in 0..3 {
            let mut one = Node::with(1, lending, change);
            let mut three = Node::with(3, lending, change);
            let (alone, client) = (one.connect(0), three.connect(core));
            for request in requests {
                one.pass_ms(1000);
                three.pass_ms(1000);
                let expected = one.run(alone, request);
                three.check(client, request, &expected);
            }
            three.engines.iter().for_each(|engine| assert_eq!(engine.unfinished(), None));
        }
    }
}

/// A key that lies on this core.
fn key_on(node: &Node, core: usize, prefix: &str) -> String {
    let on_core = |key: &String| node.engines[0].topology.core_of(key.as_bytes()) == CoreId(core as u16);
    (0..).map(|number| format!("{prefix}{number}")).find(on_core).expect("every core has keys")
}

/// Adds so many elements to the end of a list.
fn fill(node: &mut Node, client: Client, key: &str, elements: usize) {
    for _ in 0..elements / 1000 {
        node.send(client, &format!("RPUSH {key} {}", "element ".repeat(1000)));
        node.received(client);
    }
}

/// Where a large list lies in memory, and its length.
fn place_of(node: &mut Node, key: &str) -> Option<(usize, usize)> {
    let engine = &mut node.engines[0];
    let core = engine.topology.core_of(key.as_bytes()).index();
    let engine = &mut node.engines[core];
    engine.wake();
    let now = engine.now;
    let shard = engine.shard.as_mut().expect("a core that is awake has its shard");
    let place = match shard.keys(0, now).peek(key.as_bytes())?.value().collection()? {
        CollectionRef::List(ListRef::Large(list)) => Some((std::ptr::from_ref(list).addr(), list.len())),
        _ => None,
    };
    engine.sleep();
    place
}

#[test]
fn no_command_copies_a_large_list_whose_elements_it_leaves_alone() {
    for lending in LENDINGS {
        let mut node = Node::with(2, lending, |_| {});
        let client = node.connect(0);
        let (here, there) = (key_on(&node, 0, "list"), key_on(&node, 1, "list"));
        let (other, unused) = (key_on(&node, 1, "other"), key_on(&node, 0, "unused"));
        fill(&mut node, client, &here, 20_000);
        fill(&mut node, client, &there, 20_000);
        let (one, two) = (place_of(&mut node, &here).expect("large").0, place_of(&mut node, &there).expect("large").0);
        for from_right in ["LEFT LEFT", "RIGHT LEFT", "LEFT RIGHT"] {
            node.check(client, &format!("LMOVE {here} {there} {from_right}"), "\"element\"");
            node.check(client, &format!("BLMOVE {there} {here} {from_right} 0"), "\"element\"");
        }
        node.check(client, &format!("LMPOP 3 {unused} {here} {there} LEFT"), &format!("[{here:?}, [\"element\"]]"));
        assert_eq!(place_of(&mut node, &here), Some((one, 19_999)));
        assert_eq!(place_of(&mut node, &there), Some((two, 20_000)));
        node.check(client, &format!("RENAME {here} {other}"), "OK");
        assert_eq!(place_of(&mut node, &other), Some((one, 19_999)));
        node.check(client, &format!("RENAME {other} {here}"), "OK");
        assert_eq!(place_of(&mut node, &here), Some((one, 19_999)));
        node.check(client, "MULTI", "OK");
        node.check(client, &format!("RENAME {here} {other}"), "QUEUED");
        node.check(client, &format!("LMOVE {other} {unused} LEFT LEFT"), "QUEUED");
        node.check(client, &format!("RENAME {other} {here}"), "QUEUED");
        node.check(client, "EXEC", "[OK, \"element\", OK]");
        assert_eq!(place_of(&mut node, &here), Some((one, 19_998)));
        // Neither what is read nor what is overwritten goes anywhere.
        node.check(client, &format!("SORT {here} BY nosort LIMIT 0 1 STORE {unused}"), "(integer) 1");
        node.check(client, &format!("COPY {unused} {there}"), "(integer) 0");
        assert_eq!(place_of(&mut node, &here), Some((one, 19_998)));
        assert_eq!(place_of(&mut node, &there), Some((two, 20_000)));
    }
}

#[test]
fn what_is_used_is_as_old_as_on_one_core() {
    let requests = [
        "RPUSH l a b c",
        "RPUSH m a",
        "SADD s a b",
        "SADD t b c",
        "ZADD z 1 a",
        "SET x 1",
        "SET y 2",
        "SET w x",
        "LMPOP 3 none l m LEFT",
        "SINTER s t",
        "RENAMENX x y",
        "MSETNX y 5 v 6",
        "SUNIONSTORE u s z",
        "SUNIONSTORE u s t",
        "COPY x y",
        "SMOVE s t none",
        "OBJECT IDLETIME l",
        "OBJECT IDLETIME m",
        "OBJECT IDLETIME s",
        "OBJECT IDLETIME t",
        "OBJECT IDLETIME z",
        "OBJECT IDLETIME x",
        "OBJECT IDLETIME y",
        "OBJECT IDLETIME w",
        "OBJECT IDLETIME u",
        "OBJECT FREQ l",
        "OBJECT FREQ m",
        "OBJECT FREQ s",
        "OBJECT FREQ t",
        "OBJECT FREQ x",
        "OBJECT FREQ y",
        "RENAME x xx",
        "LMOVE l m LEFT RIGHT",
        "CLIENT NO-TOUCH on",
        "SINTERSTORE v s t",
        "CLIENT NO-TOUCH off",
        "OBJECT IDLETIME xx",
        "OBJECT IDLETIME l",
        "OBJECT IDLETIME m",
        "OBJECT IDLETIME s",
        "OBJECT FREQ xx",
        "OBJECT FREQ m",
        "OBJECT FREQ s",
    ];
    for policy in [EvictionPolicy::NoEviction, EvictionPolicy::AllKeysLru, EvictionPolicy::AllKeysLfu] {
        let change = |config: &mut Config| {
            config.maxmemory_policy = policy;
            // Every use counts.
            config.lfu_log_factor = 0;
        };
        as_on_one_core_with(change, &requests);
    }
}

#[test]
fn keys_apart_are_like_keys_together() {
    as_on_one_core(&[
        "RPUSH l 3 1 2",
        "SADD s a b c",
        "SADD t b c d",
        "ZADD z 1 a 2 b",
        "HSET h f v",
        "SET str value PX 100000",
        "SET num 17",
        "LMOVE l m LEFT RIGHT",
        "LMOVE l m RIGHT LEFT",
        "LMOVE l m LEFT LEFT",
        "LMOVE l m LEFT LEFT",
        "EXISTS l",
        "LRANGE m 0 -1",
        "LMOVE m s LEFT LEFT",
        "LRANGE m 0 -1",
        "RENAME h hh",
        "HGETALL hh",
        "RENAME hh s",
        "TYPE s",
        "SMOVE t u b",
        "SMOVE t u none",
        "SMOVE t str c",
        "SMEMBERS u",
        "SUNIONSTORE t t u",
        "SCARD t",
        "SINTERSTORE m t u",
        "TYPE m",
        "SDIFFSTORE t t t u",
        "SCARD t",
        "ZUNIONSTORE w 2 z t",
        "ZRANGE w 0 -1 WITHSCORES",
        "ZINTERSTORE z 2 z w",
        "ZRANGE z 0 -1 WITHSCORES",
        "ZRANGESTORE num z 0 -1",
        "ZCARD num",
        "ZMPOP 3 none z num MIN COUNT 2",
        "EXISTS z",
        "SETRANGE big 20000 x",
        "BITOP OR str str big",
        "STRLEN str",
        "TTL str",
        "BITOP NOT big str",
        "STRLEN big",
        "COPY big copy",
        "COPY big copy",
        "COPY str copy REPLACE",
        "STRLEN copy",
        "COPY copy copy DB 3",
        "MSETNX a 1 b 2 c 3",
        "MSETNX a 1 d 2 e 3",
        "MGET a b c d e",
        "RENAMENX a b",
        "RENAMENX a d",
        "RENAME none d",
        "LCS d b",
        "SORT u STORE d",
        "SORT u ALPHA STORE d",
        "LRANGE d 0 -1",
        "RPOPLPUSH d none",
        "EXISTS d",
        "DBSIZE",
    ]);
}

#[test]
fn who_watches_behind_an_answer_sees_what_was_answered() {
    let mut node = Node::with(3, LendingMode::Never, |_| {});
    let (client, watcher) = (node.connect(0), node.connect(2));
    let (old, new) = (key_on(&node, 1, "old"), key_on(&node, 2, "new"));
    node.check(client, &format!("SET {old} v"), "OK");
    node.queue(client, &format!("RENAME {old} {new}"));
    let mut answer = String::new();
    while answer.is_empty() {
        // The outcome is on its way to the second core as soon as the client has its answer.
        node.turn(1);
        node.turn(2);
        node.turn(0);
        answer = node.received(client);
    }
    assert_eq!(answer, "OK");
    node.queue(watcher, &format!("WATCH {old}"));
    for _ in 0..3 {
        node.turn(2);
        node.turn_with_late_mail(1, 0);
    }
    assert_eq!(node.received(watcher), "", "it waits for the outcome");
    node.settle();
    assert_eq!(node.received(watcher), "OK");
    node.check(watcher, "MULTI", "OK");
    node.check(watcher, &format!("EXISTS {old} {new}"), "QUEUED");
    node.check(watcher, "EXEC", "[(integer) 1]");
    node.engines.iter().for_each(|engine| assert_eq!(engine.unfinished(), None));
}

#[test]
fn sort_reads_keys_of_every_core() {
    as_on_one_core(&[
        "RPUSH l 1 2 3 4 5 6 7 8 9",
        "MSET w_1 5 w_2 3 w_3 8 w_5 1 w_6 9 w_7 2 w_8 7 w_9 6",
        "HSET h_1 f one",
        "HSET h_2 f two g 2",
        "HSET h_3 f three",
        "SORT l BY w_*",
        "SORT l BY w_* DESC GET # GET h_*->f LIMIT 0 5",
        "SORT_RO l BY h_*->f ALPHA GET #",
        "SORT l GET w_* STORE m",
        "LRANGE m 0 -1",
        "SORT l BY w_* GET # GET h_*->g STORE l",
        "LRANGE l 0 -1",
        "SORT none BY w_* GET h_*",
        "SORT none GET w_* STORE l",
        "EXISTS l m w_1 h_1",
        "SORT w_1 GET w_*",
        "RPUSH k 1 1 x",
        "SORT k BY w_* GET w_* GET k*",
        "SORT k BY x_* GET x_*->x",
        "SORT k GET w_*",
        "LRANGE k 0 -1",
        "MGET w_1 w_2 w_3 w_4",
        "DBSIZE",
    ]);
}

#[test]
fn sort_by_pattern_waits_for_its_turn() {
    for lending in [LendingMode::Never, LendingMode::Always] {
        let mut node = Node::with(2, lending, |_| {});
        let (first, second) = (node.connect(0), node.connect(1));
        node.check(first, "RPUSH l a b c d e f", "(integer) 6");
        node.check(second, "MSET w_a 6 w_b 5 w_c 4 w_d 3 w_e 2 w_f 1", "OK");
        for _ in 0..10 {
            node.send(first, "SORT l BY w_*");
            node.send(second, "SORT l BY w_* GET w_*");
            node.send(first, "MSET w_a 6 w_b 5");
            assert_eq!(node.received(second), r#"["1", "2", "3", "4", "5", "6"]"#);
            assert_eq!(node.received(first), r#"["f", "e", "d", "c", "b", "a"] OK"#);
        }
        assert!(node.engines.iter().all(|engine| engine.ledger.is_empty()));
    }
}

#[test]
fn a_value_that_moves_needs_no_room() {
    for lending in LENDINGS {
        let mut node = Node::with(2, lending, |config| config.maxmemory_policy = EvictionPolicy::AllKeysLru);
        let (client, far) = (node.connect(0), node.connect(1));
        node.check(client, "CONFIG SET maxmemory 4mb", "OK");
        let (here, there) = (key_on(&node, 0, "list"), key_on(&node, 1, "other"));
        // More than half of the limit lies under one name, and something beside it on both cores.
        fill(&mut node, client, &here, 320_000);
        for number in 0..200 {
            node.check(client, &format!("SET key{number} {}", "v".repeat(100)), "OK");
        }
        for _ in 0..4 {
            node.check(client, &format!("RENAME {here} {there}"), "OK");
            node.pass_ms(10);
            node.check(far, &format!("RENAME {there} {here}"), "OK");
            node.pass_ms(10);
        }
        node.check(client, "DBSIZE", "(integer) 201");
        node.check(client, &format!("LLEN {here}"), "(integer) 320000");
    }
}

//! What INFO says about memory and keys against what the keys themselves say; and the limits of a whole node.

use crate::base::{CoreId, slot};
use crate::config::{Compression, EvictionPolicy};
use crate::engine::testing::{Client, Node};
use crate::mesh::LendingMode;
use crate::topology::Topology;

const OOM: &str = "(error) OOM command not allowed when used memory > 'maxmemory'.";
const BOTH: [LendingMode; 2] = [LendingMode::Never, LendingMode::Always];

/// A field of INFO as it is written.
fn text(node: &mut Node, client: Client, name: &str) -> String {
    let info = node.run(client, "INFO everything");
    let start = format!(r"\r\n{name}:");
    let at = info.find(&start).unwrap_or_else(|| panic!("no {name} in {info}")) + start.len();
    info[at..].split(r"\r\n").next().unwrap_or_default().to_owned()
}

/// A field of INFO that is a whole number.
fn number(node: &mut Node, client: Client, name: &str) -> i64 {
    text(node, client, name).parse().unwrap_or_else(|_| panic!("{name} is no whole number"))
}

/// The sum of MEMORY USAGE of keys.
fn usage(node: &mut Node, client: Client, keys: &[String]) -> i64 {
    let usage = |key: &String| node.run(client, &format!("MEMORY USAGE {key}"));
    keys.iter().map(usage).map(|reply| reply["(integer) ".len()..].parse::<i64>().expect("a whole number")).sum()
}

/// `count` keys of a core of two.
fn keys_of(core: u16, count: usize) -> Vec<String> {
    let belongs = |key: &String| Topology::new(2).core_of_slot(slot(key.as_bytes())) == CoreId(core);
    (0..).map(|number| format!("key:{number}")).filter(belongs).take(count).collect()
}

#[test]
fn the_parts_of_used_memory_add_up() {
    for policy in [EvictionPolicy::NoEviction, EvictionPolicy::AllKeysLfu, EvictionPolicy::AllKeysS3Fifo] {
        let mut node = Node::with(2, LendingMode::Usual, |config| config.maxmemory_policy = policy);
        let client = node.connect(0);
        let mut keys = Vec::new();
        for number in 0..6_000 {
            // Short and long, in the entry and outside, with and without a deadline.
            let length = [3, 20, 100, 1_000][number % 4] + if number % 500 == 0 { 30_000 } else { 0 };
            let ttl = if number % 3 == 0 { " EX 100000" } else { "" };
            keys.push(format!("key:{number}"));
            node.check(client, &format!("SET key:{number} {}{ttl}", "x".repeat(length)), "OK");
        }
        let mut field = |name: &str| number(&mut node, client, name);
        let (used, dataset, overhead) =
            (field("used_memory"), field("used_memory_dataset"), field("used_memory_overhead"));
        let (clients, active) = (field("mem_not_counted_for_evict"), field("allocator_active"));
        assert_eq!(used, dataset + overhead);
        assert_eq!(used, field("allocator_allocated"));
        assert_eq!(clients, field("mem_clients_normal"));
        assert_eq!(active - used, field("allocator_frag_bytes"));
        assert_eq!(field("used_memory_rss") - active, field("allocator_rss_bytes"));
        assert_eq!(field("used_memory_rss") - used, field("mem_fragmentation_bytes"));
        assert!(clients > 0 && clients < overhead && active >= used, "{clients} {overhead} {active} {used}");
        // Of 6000 keys with 350 bytes each in the mean.
        assert!((6_000 * 350..6_000 * 420).contains(&dataset), "{dataset}");
        let usage = usage(&mut node, client, &keys);
        let data = used - clients;
        assert!((usage - data).abs() * 100 < data * 4, "{policy:?}: keys say {usage}, the node {data}");
        let stats = node.run(client, "MEMORY STATS");
        let tables = overhead - clients;
        assert!(stats.contains(&format!(r#""db.0", ["overhead.hashtable.main", (integer) {tables}"#)), "{stats}");
        assert!(stats.contains(&format!(r#""dataset.bytes", (integer) {dataset}"#)), "{stats}");
    }
}

#[test]
fn memory_comes_back() {
    let mut node = Node::new(2);
    let client = node.connect(0);
    for number in 0..500 {
        node.check(client, &format!("SET key:{number} {}", "x".repeat(20_000)), "OK");
    }
    assert!(number(&mut node, client, "used_memory_dataset") > 500 * 20_000);
    node.check(client, "FLUSHALL", "OK");
    node.pass_ms(10);
    assert_eq!(number(&mut node, client, "used_memory_dataset"), 0);
    assert!(number(&mut node, client, "lazyfreed_objects") >= 500);
    assert_eq!(number(&mut node, client, "lazyfree_pending_objects"), 0);
    assert!(number(&mut node, client, "used_memory_peak") > 500 * 20_000);
}

#[test]
fn compression_says_what_it_saves() {
    let mut node = Node::with(2, LendingMode::Usual, |config| {
        config.compression = Compression::Lz4;
        config.compression_threshold_bytes = 100;
    });
    let client = node.connect(0);
    assert_eq!(text(&mut node, client, "compression_ratio"), "0.00");
    for number in 0..10 {
        node.check(client, &format!("SET key:{number} {}", "abcdefgh".repeat(100)), "OK");
    }
    assert_eq!(number(&mut node, client, "compression_values"), 10);
    assert_eq!(number(&mut node, client, "compression_bytes_before"), 8_000);
    assert!((1..2_000).contains(&number(&mut node, client, "compression_bytes_after")));
    assert!(text(&mut node, client, "compression_ratio").parse::<f64>().expect("a ratio") > 4.0);
}

#[test]
fn keys_that_are_due_and_still_there_are_estimated() {
    let mut node = Node::with(2, LendingMode::Usual, |config| {
        config.enable_debug_command = crate::config::DebugAccess::Yes;
    });
    let client = node.connect(0);
    node.check(client, "DEBUG SET-ACTIVE-EXPIRE 0", "OK");
    for number in 0..1_000 {
        node.check(client, &format!("SET key:{number} v PX {}", if number % 2 == 0 { 5 } else { 100_000 }), "OK");
    }
    assert_eq!(text(&mut node, client, "expired_stale_perc"), "0.00");
    node.pass_ms(1_000);
    let stale: f64 = text(&mut node, client, "expired_stale_perc").parse().expect("a number");
    assert!((15.0..85.0).contains(&stale), "{stale}");
    assert!(text(&mut node, client, "db0").starts_with("keys=1000,expires=1000,avg_ttl=99000"));
    node.check(client, "DEBUG SET-ACTIVE-EXPIRE 1", "OK");
    node.pass_ms(1_000);
    assert_eq!(text(&mut node, client, "expired_stale_perc"), "0.00");
    assert_eq!(number(&mut node, client, "expired_keys"), 500);
    assert!(text(&mut node, client, "db0").starts_with("keys=500,expires=500,avg_ttl=98000"));
}

#[test]
fn each_core_reports_its_hits() {
    let mut node = Node::new(2);
    let client = node.connect(0);
    let key = &keys_of(1, 1)[0];
    node.check(client, &format!("SET {key} v"), "OK");
    for _ in 0..3 {
        node.check(client, &format!("GET {key}"), "\"v\"");
    }
    node.check(client, "GET {key:0}none", "(nil)");
    let of_one = text(&mut node, client, "core1");
    assert!(of_one.starts_with("keys=1,used_memory=") && of_one.contains(",evicted=0,expired=0,"), "{of_one}");
    let both = text(&mut node, client, "core0") + &of_one;
    assert!(both.contains("hits=3,") && both.contains("misses=1,"), "{both}");
    assert!(both.contains("hit_ratio=1.00") || both.contains("hit_ratio=0.75"), "{both}");
}

#[test]
fn as_many_keys_as_are_allowed_and_no_more() {
    let mut node = Node::with(1, LendingMode::Usual, |config| config.max_keys = 10);
    let client = node.connect(0);
    for number in 0..10 {
        node.check(client, &format!("SET key:{number} 1"), "OK");
    }
    for line in [
        "SET new v",
        "SETNX new v",
        "INCR new",
        "APPEND new x",
        "SETRANGE new 1 x",
        "SETBIT new 1 1",
        "MSET key:1 1 new v",
        "MSETNX new v",
        "GETSET new v",
        "COPY key:1 new",
        "BITOP NOT new key:1",
    ] {
        node.check(client, line, OOM);
    }
    node.check(client, "DBSIZE", "(integer) 10");
    node.check(client, "SET key:1 2", "OK");
    node.check(client, "INCR key:1", "(integer) 3");
    node.check(client, "MSET key:1 1 key:2 2", "OK");
    node.check(client, "APPEND key:3 x", "(integer) 2");
    node.check(client, "COPY key:1 key:2 REPLACE", "(integer) 1");
    node.check(client, "BITOP OR key:4 key:1 absent none", "(integer) 1");
    // What brings no key is not refused, nor is what makes room.
    node.check(client, "RENAME key:1 new", "OK");
    node.check(client, "GET key:1", "(nil)");
    node.check(client, "SET key:1 v", OOM);
    node.check(client, "DEL new", "(integer) 1");
    node.check(client, "SET key:1 v", "OK");
    node.check(client, "SET another v", OOM);
    node.check(client, "PEXPIRE key:1 5", "(integer) 1");
    // What is due counts until it is swept, a fraction of a second later.
    node.pass_ms(300);
    node.check(client, "SET another v", "OK");
    node.check(client, "CONFIG SET max-keys 11", "OK");
    node.check(client, "SET one-more v", "OK");
    node.check(client, "SET two-more v", OOM);
    node.check(client, "CONFIG SET max-keys 0", "OK");
    node.check(client, "SET two-more v", "OK");
}

#[test]
fn keys_of_several_cores_count_together() {
    for lending in BOTH {
        let mut node = Node::with(2, lending, |config| config.max_keys = 1_000);
        let clients = [node.connect(0), node.connect(1)];
        let mut written = 0;
        for number in 0..1_500 {
            let reply = node.run(clients[number % 2], &format!("SET key:{number} v"));
            written += i64::from(reply == "OK");
            assert!(reply == "OK" || reply == OOM, "{reply}");
        }
        // What one core was granted and has not used, another cannot have.
        assert!((960..=1_000).contains(&written), "{written}");
        node.check(clients[0], "DBSIZE", &format!("(integer) {written}"));
        node.check(clients[1], "SET key:3 w", "OK");
    }
}

#[test]
fn a_command_over_several_cores_is_refused_if_any_lacks_room() {
    for lending in BOTH {
        let mut node = Node::with(2, lending, |config| config.max_keys = 4);
        let client = node.connect(0);
        let [mine, other] = [keys_of(0, 4), keys_of(1, 4)];
        for key in mine[..2].iter().chain(&other[..2]) {
            node.check(client, &format!("SET {key} 1"), "OK");
        }
        node.check(client, &format!("MSET {} 2 {} 2", mine[0], other[0]), "OK");
        node.check(client, &format!("MSET {} 3 {} 3", mine[0], other[2]), OOM);
        node.check(client, &format!("MSET {} 3 {} 3", mine[2], other[0]), OOM);
        node.check(client, &format!("MSETNX {} 3 {} 3", mine[2], other[2]), OOM);
        node.check(client, &format!("BITOP NOT {} {}", other[2], mine[0]), OOM);
        node.check(client, &format!("COPY {} {}", mine[0], other[2]), OOM);
        node.check(client, &format!("MGET {} {}", mine[0], other[0]), r#"["2", "2"]"#);
        node.check(client, &format!("BITOP OR {} {} {}", other[1], mine[0], other[0]), "(integer) 1");
        node.check(client, &format!("RENAME {} {}", mine[0], other[2]), "OK");
        node.check(client, "DBSIZE", "(integer) 4");
        node.check(client, &format!("DEL {} {}", mine[1], other[1]), "(integer) 2");
        node.check(client, &format!("MSET {} 3 {} 3", mine[0], other[0]), "OK");
    }
}

#[test]
fn under_a_policy_that_evicts_new_keys_take_the_place_of_old_ones() {
    for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random", "allkeys-fifo", "allkeys-s3fifo"] {
        for (cores, lending) in [(1, LendingMode::Usual), (2, LendingMode::Never), (2, LendingMode::Always)] {
            let mut node = Node::with(cores, lending, |config| config.max_keys = 500);
            let client = node.connect(0);
            node.check(client, &format!("CONFIG SET maxmemory-policy {policy}"), "OK");
            for number in 0..2_000 {
                node.check(client, &format!("SET key:{number} v"), "OK");
                if number % 10 == 0 {
                    node.check(client, &format!("MSET a:{number} v b:{number} v c:{number} v"), "OK");
                }
            }
            let keys = node.run(client, "DBSIZE")["(integer) ".len()..].parse::<i64>().expect("a whole number");
            assert!((400..=500).contains(&keys), "{policy} on {cores}: {keys}");
            assert_eq!(number(&mut node, client, "evicted_keys"), 2_600 - keys, "{policy} on {cores}");
        }
    }
}

#[test]
fn what_others_write_beside_their_grant_is_made_good() {
    for lending in BOTH {
        let mut node = Node::with(2, lending, |config| config.maxmemory_policy = EvictionPolicy::AllKeysLru);
        let client = node.connect(0);
        node.check(client, "CONFIG SET maxmemory 4mb", "OK");
        for number in 0..3_400 {
            node.check(client, &format!("SET key:{number} {}", "x".repeat(1_000)), "OK");
        }
        // It asks for the memory of a few bytes and takes a mebibyte. By then all others have been idle for long.
        node.pass_ms(10_000);
        node.check(client, "SETRANGE grown 1000000 x", "(integer) 1000001");
        node.pass_ms(10);
        let data = number(&mut node, client, "used_memory") - number(&mut node, client, "mem_not_counted_for_evict");
        assert!(data <= 4 << 20, "{data}");
        node.check(client, "STRLEN grown", "(integer) 1000001");
    }
}

#[test]
fn the_default_ttl_holds_for_keys_of_several_cores() {
    for lending in BOTH {
        for policy in [EvictionPolicy::NoEviction, EvictionPolicy::AllKeysLfu, EvictionPolicy::VolatileS3Fifo] {
            let mut node = Node::with(2, lending, |config| {
                config.default_ttl_s = 100;
                config.maxmemory_policy = policy;
            });
            let client = node.connect(0);
            let [mine, other] = [keys_of(0, 4), keys_of(1, 4)];
            node.check(client, &format!("MSET {} 1 {} 1", mine[0], other[0]), "OK");
            node.check(client, &format!("MSETNX {} 1 {} 1", mine[1], other[1]), "(integer) 1");
            node.check(client, &format!("BITOP NOT {} {}", other[2], mine[0]), "(integer) 1");
            for key in [&mine[0], &other[0], &mine[1], &other[1], &other[2]] {
                node.check(client, &format!("PTTL {key}"), "(integer) 100000");
            }
            node.check(client, &format!("PERSIST {}", mine[0]), "(integer) 1");
            node.check(client, &format!("COPY {} {}", mine[0], other[3]), "(integer) 1");
            node.check(client, &format!("PTTL {}", other[3]), "(integer) -1");
            node.check(client, &format!("RENAME {} {}", other[3], mine[2]), "OK");
            node.check(client, &format!("PTTL {}", mine[2]), "(integer) -1");
        }
    }
}

#[test]
fn what_is_known_of_an_access_moves_between_cores() {
    for lending in BOTH {
        let mut node = Node::with(2, lending, |config| {
            config.maxmemory_policy = EvictionPolicy::AllKeysLfu;
            config.lfu_log_factor = 0;
        });
        let client = node.connect(0);
        let (mine, other) = (&keys_of(0, 1)[0], &keys_of(1, 1)[0]);
        node.check(client, &format!("SET {mine} v"), "OK");
        for _ in 0..20 {
            node.check(client, &format!("GET {mine}"), "\"v\"");
        }
        node.check(client, &format!("OBJECT FREQ {mine}"), "(integer) 25");
        node.check(client, &format!("RENAME {mine} {other}"), "OK");
        node.check(client, &format!("OBJECT FREQ {other}"), "(integer) 25");
    }
}

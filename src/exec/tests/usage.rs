//! OBJECT IDLETIME and OBJECT FREQ under each policy, and when the policy changes while keys are there.

use super::Client;
use crate::config::EvictionPolicy;

const LFU_NOT_SELECTED: &str = "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note \
    that when switching between policies at runtime LRU and LFU data will take some time to adjust.";
const LFU_SELECTED: &str = "-ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when \
    switching between policies at runtime LRU and LFU data will take some time to adjust.";
const NOT_TRACKED: &str = "-ERR The maxmemory policy does not keep idle times. Policies that do are noeviction and those \
    that end in -lru.";

fn with_policy(policy: EvictionPolicy) -> Client {
    let mut client = Client::new();
    choose(&mut client, policy);
    client
}

fn choose(client: &mut Client, policy: EvictionPolicy) {
    client.configure(|config| config.maxmemory_policy = policy);
}

/// What OBJECT FREQ says.
fn frequency(client: &mut Client, key: &str) -> u32 {
    client.ask(&format!("OBJECT FREQ {key}"))[1..].parse().expect("an integer")
}

#[test]
fn idle_times_where_recency_is_kept() {
    for policy in [EvictionPolicy::NoEviction, EvictionPolicy::AllKeysLru, EvictionPolicy::VolatileLru] {
        let mut client = with_policy(policy);
        client.check("SET k v EX 100", "+OK");
        client.check("OBJECT IDLETIME k", ":0");
        client.pass_ms(7_000);
        client.check("OBJECT IDLETIME k", ":7");
        // What asks about a key does not use it.
        for line in ["OBJECT ENCODING k", "TTL k", "EXISTS k", "TYPE k", "MEMORY USAGE k", "EXPIRE k 200"] {
            client.ask(line);
        }
        client.check("OBJECT IDLETIME k", ":7");
        client.check("GET k", "v");
        client.check("OBJECT IDLETIME k", ":0");
        for line in ["TOUCH k", "STRLEN k", "APPEND k x", "GETRANGE k 0 1", "SET k v", "GETBIT k 1"] {
            client.pass_ms(3_000);
            client.ask(line);
            client.check("OBJECT IDLETIME k", ":0");
        }
        client.pass_ms(5_000);
        client.check("RENAME k l", "+OK");
        client.check("OBJECT IDLETIME l", ":5");
        client.check("OBJECT FREQ l", LFU_NOT_SELECTED);
    }
}

#[test]
fn frequencies_where_they_are_kept() {
    for policy in [EvictionPolicy::AllKeysLfu, EvictionPolicy::VolatileLfu] {
        let mut client = with_policy(policy);
        client.configure(|config| config.lfu_log_factor = 0);
        client.check("SET k v EX 10000", "+OK");
        let fresh = frequency(&mut client, "k");
        assert_eq!(fresh, 5, "what Redis begins with");
        client.check("GET k", "v");
        client.check("GET k", "v");
        assert_eq!(frequency(&mut client, "k"), fresh + 2);
        client.check("OBJECT IDLETIME k", LFU_SELECTED);
        // One less for each lfu-decay-time, a minute.
        client.pass_ms(180_000);
        assert_eq!(frequency(&mut client, "k"), fresh - 1);
        client.configure(|config| config.lfu_decay_minutes = 0);
        client.pass_ms(1_800_000);
        assert!(frequency(&mut client, "k") <= fresh + 2);
    }
}

#[test]
fn neither_where_the_policy_asks_for_neither() {
    for policy in [
        EvictionPolicy::AllKeysRandom,
        EvictionPolicy::VolatileRandom,
        EvictionPolicy::VolatileTtl,
        EvictionPolicy::AllKeysFifo,
        EvictionPolicy::AllKeysS3Fifo,
        EvictionPolicy::VolatileS3Fifo,
    ] {
        let mut client = with_policy(policy);
        client.check("SET k v EX 100", "+OK");
        client.check("GET k", "v");
        client.check("OBJECT FREQ k", LFU_NOT_SELECTED);
        client.check("OBJECT IDLETIME k", NOT_TRACKED);
        client.check("OBJECT IDLETIME none", "(nil)");
        client.check("OBJECT FREQ none", "(nil)");
    }
}

#[test]
fn the_policy_changes_while_keys_are_there() {
    let mut client = with_policy(EvictionPolicy::AllKeysLru);
    client.configure(|config| config.lfu_log_factor = 0);
    client.check("MSET a 1 b 2 c 3", "+OK");
    client.pass_ms(10_000);
    client.check("OBJECT IDLETIME a", ":10");

    choose(&mut client, EvictionPolicy::AllKeysLfu);
    client.check("OBJECT IDLETIME a", LFU_SELECTED);
    for _ in 0..3 {
        client.check("GET a", "1");
    }
    client.check("SET d 4", "+OK");
    client.check("GET d", "4");
    assert_eq!(frequency(&mut client, "d"), 6);

    // The entries that come now have no field for the access, and those from before keep theirs.
    choose(&mut client, EvictionPolicy::AllKeysS3Fifo);
    client.check("OBJECT IDLETIME a", NOT_TRACKED);
    client.check("OBJECT FREQ a", LFU_NOT_SELECTED);
    client.check("MSET e 5 f 6", "+OK");
    client.check("GET b", "2");
    while client.shard.tidy() {}

    choose(&mut client, EvictionPolicy::AllKeysLru);
    client.pass_ms(10_000);
    // Not known since when: as if it had been used now.
    client.check("OBJECT IDLETIME e", ":0");
    client.check("GET e", "5");
    client.pass_ms(4_000);
    client.check("OBJECT IDLETIME e", ":4");
    client.check("OBJECT IDLETIME f", ":0");
    client.check("GET a", "1");
    client.pass_ms(2_000);
    client.check("OBJECT IDLETIME a", ":2");

    choose(&mut client, EvictionPolicy::VolatileLfu);
    assert!(frequency(&mut client, "f") <= 5);
    client.check("GET f", "6");
    assert_eq!(frequency(&mut client, "f"), 6);
    choose(&mut client, EvictionPolicy::NoEviction);
    client.check("MGET a b c d e f", "[1, 2, 3, 4, 5, 6]");
    client.check("OBJECT IDLETIME a", ":0");
    client.pass_ms(1_000);
    client.check("OBJECT IDLETIME a", ":1");
}

#[test]
fn what_restore_brings_along() {
    let mut client = with_policy(EvictionPolicy::AllKeysLru);
    client.check("SET k v", "+OK");
    let dump = client.run(&[b"DUMP", b"k"]);
    let start = dump.windows(2).position(|end| end == b"\r\n").expect("a line") + 2;
    let payload = dump[start..dump.len() - 2].to_vec();
    let restore = |client: &mut Client, option: &[u8], value: &[u8]| {
        assert_eq!(client.command(&[b"RESTORE", b"r", b"0", &payload, b"REPLACE", option, value]), "+OK");
    };
    restore(&mut client, b"IDLETIME", b"1000");
    client.check("OBJECT IDLETIME r", ":1000");
    restore(&mut client, b"FREQ", b"77");
    client.check("OBJECT IDLETIME r", ":0");
    choose(&mut client, EvictionPolicy::AllKeysLfu);
    restore(&mut client, b"FREQ", b"77");
    assert_eq!(frequency(&mut client, "r"), 77);
    choose(&mut client, EvictionPolicy::AllKeysS3Fifo);
    restore(&mut client, b"IDLETIME", b"5");
    client.check("GET r", "v");
}

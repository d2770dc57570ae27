//! `default-ttl`: keys that a write creates without saying a TTL get one.

use super::Client;

fn with_default_ttl(seconds: u32) -> Client {
    let mut client = Client::new();
    client.configure(|config| config.default_ttl_s = seconds);
    client
}

#[test]
fn every_write_that_creates_a_key_gives_it_the_default() {
    let mut client = with_default_ttl(100);
    for (line, reply) in [
        ("SET k v", "+OK"),
        ("SET k v NX", "+OK"),
        ("SET k v KEEPTTL", "+OK"),
        ("SET k v GET", "(nil)"),
        ("SETNX k v", ":1"),
        ("MSET k v", "+OK"),
        ("MSETNX k v", ":1"),
        ("GETSET k v", "(nil)"),
        ("APPEND k v", ":1"),
        ("SETRANGE k 3 v", ":4"),
        ("SETBIT k 7 1", ":0"),
        ("BITFIELD k SET u8 0 1", "[:0]"),
        ("INCR k", ":1"),
        ("DECRBY k 5", ":-5"),
        ("INCRBYFLOAT k 1.5", "1.5"),
    ] {
        client.check(line, reply);
        client.check_ttl_ms("k", Some(100_000));
        client.check("DEL k", ":1");
    }
    client.check("SET a v", "+OK");
    client.check("BITOP NOT k a", ":1");
    client.check_ttl_ms("k", Some(100_000));
    client.pass_ms(100_001);
    client.check("MGET a k", "[(nil), (nil)]");
}

#[test]
fn what_a_write_says_goes_first() {
    let mut client = with_default_ttl(100);
    client.check("SET k v EX 7", "+OK");
    client.check_ttl_ms("k", Some(7_000));
    client.check("SETEX k 1000 v", "+OK");
    client.check_ttl_ms("k", Some(1_000_000));
    client.check("SET k w KEEPTTL", "+OK");
    client.check_ttl_ms("k", Some(1_000_000));
    client.check("SET k w", "+OK");
    client.check_ttl_ms("k", Some(100_000));
    client.check("EXPIRE k 5", ":1");
    client.check_ttl_ms("k", Some(5_000));
    client.check("EXPIRE k 50 GT", ":1");
    client.check_ttl_ms("k", Some(50_000));
    client.check("GETEX k PX 9", "v".replace('v', "w").as_str());
    client.check_ttl_ms("k", Some(9));
}

#[test]
fn a_change_in_place_keeps_the_ttl() {
    let mut client = with_default_ttl(100);
    client.check("SET n 1", "+OK");
    client.check("SET s v", "+OK");
    client.pass_ms(1_000);
    for line in ["INCR n", "INCRBYFLOAT n 1.5", "APPEND s x", "SETRANGE s 1 y", "SETBIT s 7 1"] {
        client.ask(line);
    }
    client.check_ttl_ms("n", Some(99_000));
    client.check_ttl_ms("s", Some(99_000));
    client.check("GETSET s v", "\"wy\"".trim_matches('"'));
    client.check_ttl_ms("s", Some(100_000));
}

#[test]
fn persist_means_for_ever() {
    let mut client = with_default_ttl(100);
    client.check("SET k 1", "+OK");
    client.check("PERSIST k", ":1");
    client.check_ttl_ms("k", None);
    for line in ["INCR k", "APPEND k 0", "SETRANGE k 0 2", "SET k 3 KEEPTTL"] {
        client.ask(line);
        client.check_ttl_ms("k", None);
    }
    client.check("GETEX k PERSIST", "3");
    client.check_ttl_ms("k", None);
    client.check("RENAME k l", "+OK");
    client.check_ttl_ms("l", None);
    client.check("COPY l k", ":1");
    client.check_ttl_ms("k", None);
}

#[test]
fn keys_from_before_the_setting_keep_what_they_have() {
    let mut client = Client::new();
    client.check("SET k 1", "+OK");
    client.configure(|config| config.default_ttl_s = 100);
    client.check_ttl_ms("k", None);
    client.check("INCR k", ":2");
    client.check_ttl_ms("k", None);
    client.check("SET k 1", "+OK");
    client.check_ttl_ms("k", Some(100_000));
    client.configure(|config| config.default_ttl_s = 0);
    client.check_ttl_ms("k", Some(100_000));
    client.check("SET k 1", "+OK");
    client.check_ttl_ms("k", None);
}

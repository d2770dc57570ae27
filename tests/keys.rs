//! Transcripts of the commands that work on keys of any type: every option and every error that Redis has for them.

use std::collections::BTreeSet;

use corewise_harness::{Client, Value, transcript};

#[test]
fn del_unlink_exists_touch_type() {
    transcript(|t| {
        t.check("MSET a 1 b 2 c 3 d 4 e 5 f 6", "+OK");
        t.check("EXISTS a b c absent", ":3");
        t.check("EXISTS a a a", ":3");
        t.check("TOUCH a b absent", ":2");
        t.check("DEL a b absent", ":2");
        t.check("DEL a", ":0");
        t.check("DEL c c", ":1");
        t.check("UNLINK d absent", ":1");
        t.check("UNLINK d", ":0");
        t.check("TYPE e", "+string");
        t.check("TYPE absent", "+none");
        t.check("DBSIZE", ":2");
        for name in ["del", "unlink", "exists", "touch", "type"] {
            t.check(name, &format!("-ERR wrong number of arguments for '{name}' command"));
        }
        t.check("TYPE a b", "-ERR wrong number of arguments for 'type' command");
    });
}

#[test]
fn expire_in_its_four_forms() {
    transcript(|t| {
        t.check("SET k v", "+OK");
        t.check("TTL k", ":-1");
        t.check("PTTL k", ":-1");
        t.check("EXPIRETIME k", ":-1");
        t.check("PEXPIRETIME k", ":-1");
        t.check("EXPIRE k 100", ":1");
        t.near("TTL k", 100, 1);
        t.check("PEXPIRE k 200000", ":1");
        t.near("PTTL k", 200_000, 2000);
        t.check("EXPIREAT k 33177117420", ":1");
        t.check("EXPIRETIME k", ":33177117420");
        t.check("PEXPIREAT k 33177117420123", ":1");
        t.check("PEXPIRETIME k", ":33177117420123");
        t.check("EXPIRETIME k", ":33177117420");
        t.check("PERSIST k", ":1");
        t.check("PERSIST k", ":0");
        t.check("TTL k", ":-1");
        for line in ["TTL", "PTTL", "EXPIRETIME", "PEXPIRETIME"] {
            t.check(&format!("{line} absent"), ":-2");
        }
        for line in
            ["EXPIRE absent 10", "PEXPIRE absent 10", "EXPIREAT absent 10", "PEXPIREAT absent 10", "PERSIST absent"]
        {
            t.check(line, ":0");
        }
        for name in ["expire", "pexpire", "expireat", "pexpireat"] {
            t.check(&format!("{name} k ten"), "-ERR value is not an integer or out of range");
            t.check(&format!("{name} k"), &format!("-ERR wrong number of arguments for '{name}' command"));
        }
        t.check("EXPIRE k 9223372036854775807", "-ERR invalid expire time in 'expire' command");
        t.check("EXPIRE k -9223372036854775808", "-ERR invalid expire time in 'expire' command");
        t.check("PEXPIRE k 9223372036854775807", "-ERR invalid expire time in 'pexpire' command");
        t.check("EXPIREAT k 9223372036854775807", "-ERR invalid expire time in 'expireat' command");
        t.check("PEXPIREAT k 9223372036854775807", ":1");
        t.check("PEXPIRETIME k", ":9223372036854775807");
    });
}

#[test]
fn expire_conditions() {
    transcript(|t| {
        t.check("SET k v", "+OK");
        t.check("EXPIRE k 100 XX", ":0");
        t.check("EXPIRE k 100 GT", ":0");
        t.check("EXPIRE k 100 LT", ":1");
        t.check("EXPIRE k 200 NX", ":0");
        t.near("TTL k", 100, 1);
        t.check("EXPIRE k 50 GT", ":0");
        t.check("EXPIRE k 200 GT", ":1");
        t.check("EXPIRE k 300 LT", ":0");
        t.check("EXPIRE k 150 LT", ":1");
        t.check("EXPIRE k 500 xx gt", ":1");
        t.check("EXPIRE k 400 XX LT", ":1");
        t.near("TTL k", 400, 1);
        t.check("PERSIST k", ":1");
        t.check("PEXPIRE k 100000 NX", ":1");
        t.check("EXPIREAT k 33177117420 GT", ":1");
        t.check("PEXPIREAT k 1 GT", ":0");
        t.check("EXPIRE k 10 NX XX", "-ERR NX and XX, GT or LT options at the same time are not compatible");
        t.check("EXPIRE k 10 nx gt", "-ERR NX and XX, GT or LT options at the same time are not compatible");
        t.check("EXPIRE k 10 NX LT", "-ERR NX and XX, GT or LT options at the same time are not compatible");
        t.check("EXPIRE k 10 GT LT", "-ERR GT and LT options at the same time are not compatible");
        t.check("EXPIRE k 10 BAD", "-ERR Unsupported option BAD");
        t.check("EXPIRE absent 10 NX", ":0");
    });
}

#[test]
fn what_is_due_is_gone() {
    transcript(|t| {
        for line in ["EXPIRE k 0", "EXPIRE k -1", "PEXPIRE k -100", "EXPIREAT k 1", "PEXPIREAT k 0", "EXPIREAT k -5"] {
            t.check("SET k v", "+OK");
            t.check(line, ":1");
            t.check("GET k", "(nil)");
            t.check("DBSIZE", ":0");
        }
        t.check("SET k v PX 5", "+OK");
        t.until("GET k", "(nil)");
        t.check("TTL k", ":-2");
        t.check("SET k v PX 5", "+OK");
        // Nobody touches the key: the server finds it by itself.
        t.until("DBSIZE", ":0");
        t.check("SET k v PX 5", "+OK");
        t.until("EXISTS k", ":0");
        t.check("SETNX k w", ":1");
        t.check("TTL k", ":-1");
    });
}

#[test]
fn rename_and_copy() {
    transcript(|t| {
        t.check("SET a 1 EX 100", "+OK");
        t.check("RENAME a b", "+OK");
        t.check("GET b", "1");
        t.near("TTL b", 100, 1);
        t.check("EXISTS a", ":0");
        t.check("SET c 3", "+OK");
        t.check("RENAME c b", "+OK");
        t.check("GET b", "3");
        t.check("TTL b", ":-1");
        t.check("RENAME b b", "+OK");
        t.check("RENAME absent b", "-ERR no such key");
        t.check("RENAMENX absent b", "-ERR no such key");
        t.check("SET d 4", "+OK");
        t.check("RENAMENX b d", ":0");
        t.check("RENAMENX b e", ":1");
        t.check("RENAMENX e e", ":0");
        t.check("MGET b d e", "[(nil), 4, 3]");
        t.check("COPY d e", ":0");
        t.check("COPY d e REPLACE", ":1");
        t.check("GET e", "4");
        t.check("EXPIRE d 100", ":1");
        t.check("COPY d fresh", ":1");
        t.near("TTL fresh", 100, 1);
        t.check("COPY absent x", ":0");
        t.check("COPY d d DB 1", ":1");
        t.check("COPY d d DB 1", ":0");
        t.check("COPY d d DB 1 REPLACE", ":1");
        t.check("COPY d d", "-ERR source and destination objects are the same");
        t.check("COPY d d DB 0", "-ERR source and destination objects are the same");
        t.check("COPY d x DB 99", "-ERR DB index is out of range");
        t.check("COPY d x DB b", "-ERR value is not an integer or out of range");
        t.check("COPY d x BAD", "-ERR syntax error");
        t.check("COPY d x DB", "-ERR syntax error");
        t.check("COPY d", "-ERR wrong number of arguments for 'copy' command");
        t.check("RENAME d", "-ERR wrong number of arguments for 'rename' command");
        t.check("RENAMENX d", "-ERR wrong number of arguments for 'renamenx' command");
    });
}

#[test]
fn move_and_swapdb() {
    transcript(|t| {
        t.check("SET a zero EX 100", "+OK");
        t.check("MOVE a 1", ":1");
        t.check("MOVE a 1", ":0");
        t.check("SET a again", "+OK");
        t.check("MOVE a 1", ":0");
        t.check("SELECT 1", "+OK");
        t.check("GET a", "zero");
        t.near("TTL a", 100, 1);
        t.check("MOVE a 1", "-ERR source and destination objects are the same");
        t.check("MOVE a 99", "-ERR DB index is out of range");
        t.check("MOVE a x", "-ERR value is not an integer or out of range");
        t.check("SWAPDB 0 1", "+OK");
        t.check("GET a", "again");
        t.check("SELECT 0", "+OK");
        t.check("GET a", "zero");
        t.check("SWAPDB 0 0", "+OK");
        t.check("GET a", "zero");
        t.check("SWAPDB 0 99", "-ERR DB index is out of range");
        t.check("SWAPDB a 1", "-ERR invalid first DB index");
        t.check("SWAPDB 0 b", "-ERR invalid second DB index");
        t.check("SWAPDB 0", "-ERR wrong number of arguments for 'swapdb' command");
        t.check("MOVE a", "-ERR wrong number of arguments for 'move' command");
    });
}

#[test]
fn keys_and_patterns() {
    transcript(|t| {
        t.check("MSET hello 1 hallo 2 hxllo 3 hllo 4 heello 5 h*llo 6 world 7", "+OK");
        t.check_sorted("KEYS h?llo", r#"["h*llo", hallo, hello, hxllo]"#);
        t.check_sorted("KEYS h*llo", r#"["h*llo", hallo, heello, hello, hllo, hxllo]"#);
        t.check_sorted("KEYS h[ae]llo", "[hallo, hello]");
        t.check_sorted("KEYS h[^e]llo", r#"["h*llo", hallo, hxllo]"#);
        t.check_sorted("KEYS h[a-b]llo", "[hallo]");
        t.check_sorted("KEYS h[b-a]llo", "[hallo]");
        t.check_sorted(r"KEYS h\*llo", r#"["h*llo"]"#);
        t.check_sorted("KEYS world", "[world]");
        t.check_sorted("KEYS WORLD", "[]");
        t.check_sorted(r#"KEYS """#, "[]");
        t.check_sorted("KEYS h[llo", "[]");
        t.check("SET gone v EXAT 1", "+OK");
        t.check_sorted("KEYS gone", "[]");
        t.check("KEYS", "-ERR wrong number of arguments for 'keys' command");
    });
}

/// Follows the cursor to its end.
fn scan_all(client: &mut Client, options: &str) -> Vec<String> {
    let (mut cursor, mut found) = ("0".to_owned(), Vec::new());
    loop {
        let reply = client.ask(&format!("SCAN {cursor} {options}"));
        let [next, keys] = reply.items() else { panic!("SCAN answers {reply}") };
        found.extend(keys.items().iter().map(Value::text));
        cursor = next.text();
        let number: u64 = cursor.parse().expect("a cursor is a number");
        if number == 0 {
            return found;
        }
    }
}

#[test]
fn scan_finds_every_key() {
    transcript(|t| {
        let all: BTreeSet<String> = (0..1000).map(|n| format!("key:{n}")).collect();
        for key in &all {
            t.client.command(&["SET", key, "v"]);
        }
        for options in
            ["", "COUNT 1", "COUNT 7", "COUNT 100000", "TYPE string", "MATCH *", "count 50 match key:* type STRING"]
        {
            let found: BTreeSet<String> = scan_all(&mut t.client, options).into_iter().collect();
            assert_eq!(found.len(), all.len(), "{}: SCAN {options}", t.variant().name);
            assert_eq!(found, all);
        }
        let tens: BTreeSet<String> = scan_all(&mut t.client, "MATCH key:1? COUNT 30").into_iter().collect();
        assert_eq!(tens, (10..20).map(|n| format!("key:{n}")).collect());
        assert!(scan_all(&mut t.client, "TYPE list").is_empty());
        assert!(scan_all(&mut t.client, "MATCH nothing").is_empty());
        t.check("SCAN x", "-ERR invalid cursor");
        t.check("SCAN 18446744073709551616", "-ERR invalid cursor");
        t.check("SCAN 0 COUNT 0", "-ERR syntax error");
        t.check("SCAN 0 COUNT x", "-ERR value is not an integer or out of range");
        t.check("SCAN 0 MATCH", "-ERR syntax error");
        t.check("SCAN 0 BAD x", "-ERR syntax error");
        t.check("SCAN", "-ERR wrong number of arguments for 'scan' command");
    });
}

#[test]
fn scan_keeps_its_guarantee_while_keys_come_and_go() {
    transcript(|t| {
        let stays: BTreeSet<String> = (0..500).map(|n| format!("stays:{n}")).collect();
        for key in &stays {
            t.client.command(&["SET", key, "v"]);
        }
        let (mut cursor, mut found, mut turn) = ("0".to_owned(), BTreeSet::new(), 0);
        loop {
            let reply = t.ask(&format!("SCAN {cursor} COUNT 10"));
            found.extend(reply.items()[1].items().iter().map(Value::text));
            for n in 0..40 {
                t.client.command(&["SET", &format!("comes:{turn}:{n}"), "v"]);
                t.client.command(&["DEL", &format!("comes:{}:{n}", turn - 3)]);
            }
            turn += 1;
            cursor = reply.items()[0].text();
            if cursor == "0" {
                break;
            }
            assert!(turn < 100_000, "SCAN does not come to an end");
        }
        assert!(found.is_superset(&stays), "{}: SCAN missed keys that were there all along", t.variant().name);
    });
}

#[test]
fn randomkey() {
    transcript(|t| {
        t.check("RANDOMKEY", "(nil)");
        t.check("MSET a 1 b 2 c 3", "+OK");
        let mut seen = BTreeSet::new();
        for _ in 0..500 {
            seen.insert(t.ask("RANDOMKEY").text());
        }
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), ["a", "b", "c"], "{}", t.variant().name);
        t.check("RANDOMKEY x", "-ERR wrong number of arguments for 'randomkey' command");
    });
}

#[test]
fn object() {
    transcript(|t| {
        t.check("MSET int 12 short hello", "+OK");
        t.check("SET long 012345678901234567890123456789012345678901234", "+OK");
        t.check("SET edge 01234567890123456789012345678901234567890123", "+OK");
        t.check("OBJECT ENCODING int", "int");
        t.check("OBJECT ENCODING short", "embstr");
        t.check("OBJECT ENCODING edge", "embstr");
        t.check("OBJECT ENCODING long", "raw");
        t.check("APPEND short x", ":6");
        t.check("OBJECT ENCODING short", "raw");
        t.check("SET neg -9223372036854775808", "+OK");
        t.check("OBJECT ENCODING neg", "int");
        t.check("SET beyond 9223372036854775808", "+OK");
        t.check("OBJECT ENCODING beyond", "embstr");
        t.check("OBJECT ENCODING absent", "(nil)");
        t.check("OBJECT REFCOUNT long", ":1");
        t.check("OBJECT REFCOUNT absent", "(nil)");
        t.near("OBJECT IDLETIME long", 1, 1);
        t.check("OBJECT IDLETIME absent", "(nil)");
        t.check(
            "OBJECT FREQ long",
            "-ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching \
             between policies at runtime LRU and LFU data will take some time to adjust.",
        );
        t.check("OBJECT FREQ absent", "(nil)");
        t.check("OBJECT BAD long", "-ERR unknown subcommand 'BAD'. Try OBJECT HELP.");
        t.check("OBJECT ENCODING", "-ERR wrong number of arguments for 'object|encoding' command");
        t.check("OBJECT", "-ERR wrong number of arguments for 'object' command");
        t.like("OBJECT HELP", "[+OBJECT <subcommand> *]");
    });
}

#[test]
fn dump_and_restore() {
    transcript(|t| {
        // Written by redis-server 7.0, which is version 10 of the format.
        let ten = r#""\x00\xc0\n\n\x00n\x9fWE\x0e\xaec\xbb""#;
        t.check(&format!("RESTORE n 0 {ten}"), "+OK");
        t.check("GET n", "10");
        t.check("TTL n", ":-1");
        t.check(&format!("RESTORE n 0 {ten}"), "-BUSYKEY Target key name already exists.");
        t.check(&format!("RESTORE n 100000 {ten} REPLACE"), "+OK");
        t.near("PTTL n", 100_000, 2000);
        t.check(&format!("RESTORE n 33177117420000 {ten} REPLACE ABSTTL"), "+OK");
        t.check("PEXPIRETIME n", ":33177117420000");
        t.check(&format!("RESTORE n 1 {ten} REPLACE ABSTTL"), "+OK");
        t.check("EXISTS n", ":0");
        t.check(&format!("RESTORE n 0 {ten} IDLETIME 100"), "+OK");
        t.near("OBJECT IDLETIME n", 101, 1);
        t.check(&format!("RESTORE n 0 {ten} REPLACE FREQ 10"), "+OK");
        t.check("DUMP absent", "(nil)");
        // What is dumped comes back: short, integer, compressible, large, empty, binary.
        let large = vec![b'x'; 100_000];
        let values: [&[u8]; 8] =
            [b"hello", b"-77", b"123456", b"9223372036854775807", &large[..50], &large, b"", b"\x00\xff\r\n"];
        for value in values {
            t.client.command(&[b"SET", &b"from"[..], value]);
            let payload = t.client.command(&["DUMP", "from"]).bytes().expect("DUMP answers a string").to_vec();
            let reply = t.client.command(&[b"RESTORE", &b"to"[..], b"0", &payload, b"REPLACE"]);
            assert_eq!(reply.to_string(), "+OK", "{}", t.variant().name);
            assert!(t.client.command(&["GET", "to"]).bytes() == Some(value));
            let mut broken = payload.clone();
            broken[0] ^= 1;
            let reply = t.client.command(&[b"RESTORE", &b"to"[..], b"0", &broken, b"REPLACE"]);
            assert_eq!(reply.to_string(), "-ERR DUMP payload version or checksum are wrong", "{}", t.variant().name);
        }
        t.check("RESTORE r -1 x", "-ERR Invalid TTL value, must be >= 0");
        t.check("RESTORE r 0 x", "-ERR DUMP payload version or checksum are wrong");
        t.check("RESTORE r 0 x IDLETIME -1", "-ERR Invalid IDLETIME value, must be >= 0");
        t.check("RESTORE r 0 x FREQ 256", "-ERR Invalid FREQ value, must be >= 0 and <= 255");
        t.check("RESTORE r 0 x FREQ 1 IDLETIME 1", "-ERR syntax error");
        t.check("RESTORE r x x", "-ERR value is not an integer or out of range");
        t.check("RESTORE r 0 x BAD", "-ERR syntax error");
        t.check("RESTORE r 0", "-ERR wrong number of arguments for 'restore' command");
    });
}

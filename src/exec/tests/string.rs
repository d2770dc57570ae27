//! Whole values.

use super::transcript;
use crate::exec::testing::START_MS;
use crate::resp::Protocol;

#[test]
fn set_and_get() {
    transcript(|t| {
        t.check("GET k", "(nil)");
        t.check("SET k v", "+OK");
        t.check("GET k", "v");
        t.check(r#"SET k "bin\x00\x0d\x0aary""#, "+OK");
        t.check("GET k", r#""bin\x00\r\nary""#);
        t.check(r#"SET "" "a b""#, "+OK");
        t.check(r#"GET """#, r#""a b""#);
        t.check("SET k 12", "+OK");
        t.check("GET k", "12");
    });
}

#[test]
fn set_on_a_condition() {
    transcript(|t| {
        t.check("SET k a XX", "(nil)");
        t.check_absent("k");
        t.check("SET k a NX", "+OK");
        t.check("SET k b nX", "(nil)");
        t.check("SET k b XX", "+OK");
        t.check("GET k", "b");
        t.check("SET k c NX NX", "(nil)");
        t.check("SET k c NX XX", "-ERR syntax error");
        t.check("SET k c XX NX", "-ERR syntax error");
        t.check("SET k c IFEQ", "-ERR syntax error");
        t.check("SETNX k c", ":0");
        t.check("SETNX l c", ":1");
        t.check("MGET k l", "[b, c]");
    });
}

#[test]
fn set_answers_what_was_there() {
    transcript(|t| {
        t.check("SET k a GET", "(nil)");
        t.check("SET k b get", "a");
        t.check("SET k c NX GET", "b");
        t.check("SET k c XX GET EX 10", "b");
        t.check_ttl_ms("k", Some(10_000));
        t.check("SET l c XX GET", "(nil)");
        t.check_absent("l");
        t.check("SET l c NX GET", "(nil)");
        t.check("GET l", "c");
        t.check("SET l d GET EX 0", "-ERR invalid expire time in 'set' command");
        t.check("GETSET k d", "c");
        t.check_ttl_ms("k", None);
        t.check("GETSET m 1", "(nil)");
        t.check("GETSET m 2", "1");
    });
}

#[test]
fn set_with_a_deadline() {
    transcript(|t| {
        t.check("SET k v EX 10", "+OK");
        t.check_ttl_ms("k", Some(10_000));
        t.check("SET k v PX 10", "+OK");
        t.check_ttl_ms("k", Some(10));
        t.check("SET k w KEEPTTL", "+OK");
        t.check_ttl_ms("k", Some(10));
        t.check("SET k w keepttl KEEPTTL XX", "+OK");
        t.pass_ms(10);
        t.check("GET k", "w");
        t.pass_ms(1);
        t.check("GET k", "(nil)");
        t.check("SET k v KEEPTTL", "+OK");
        t.check_ttl_ms("k", None);
        t.check(&format!("SET k v PXAT {}", START_MS + 5000), "+OK");
        t.check_ttl_ms("k", Some(4989));
        t.check(&format!("SET k v EXAT {}", START_MS / 1000 + 5), "+OK");
        t.check_ttl_ms("k", Some(4989));
        t.check("SET k v EX 5 EX 6", "+OK");
        t.check_ttl_ms("k", Some(6000));
        t.check("SET k v", "+OK");
        t.check_ttl_ms("k", None);
        t.check("SET k v EXAT 1", "+OK");
        t.check("GET k", "(nil)");
        t.check("SETEX k 7 v", "+OK");
        t.check_ttl_ms("k", Some(7000));
        t.check("PSETEX k 7 v", "+OK");
        t.check_ttl_ms("k", Some(7));
        t.check("MSET k w", "+OK");
        t.check_ttl_ms("k", None);
    });
}

#[test]
fn deadlines_have_bounds() {
    let expire = |command: &str| format!("-ERR invalid expire time in '{command}' command");
    let latest = i64::MAX - START_MS as i64;
    transcript(|t| {
        for amount in ["0", "-1", "9223372036854775807", "-9223372036854775808", "9223372036854776"] {
            t.check(&format!("SET k v EX {amount}"), &expire("set"));
            t.check(&format!("SET k v EXAT {amount}"), &expire("set"));
            t.check(&format!("SETEX k {amount} v"), &expire("setex"));
        }
        t.check("SET k v PX 0", &expire("set"));
        t.check(&format!("SET k v PX {}", latest + 1), &expire("set"));
        t.check(&format!("PSETEX k {} v", latest + 1), &expire("psetex"));
        t.check_absent("k");
        t.check(&format!("SET k v PX {latest}"), "+OK");
        t.check_ttl_ms("k", Some(latest as u64));
        t.check("SET k v PXAT 9223372036854775807", "+OK");
        t.check("GETEX k EXAT 9223372036854775", "v");
        t.check("GETEX k EX 9223372036854775", &expire("getex"));
        for amount in ["x", "1.0", "01", "9223372036854775808"] {
            t.check(&format!("SET k v PX {amount}"), "-ERR value is not an integer or out of range");
            t.check(&format!("SETEX k {amount} v"), "-ERR value is not an integer or out of range");
            t.check(&format!("GETEX k EX {amount}"), "-ERR value is not an integer or out of range");
        }
    });
}

#[test]
fn options_that_contradict_each_other() {
    transcript(|t| {
        t.check("SET k v", "+OK");
        for options in [
            "EX",
            "EX 1 PX 1",
            "EX 1 EXAT 1",
            "PXAT 1 PX 1",
            "KEEPTTL EX 1",
            "EX 1 KEEPTTL",
            "PERSIST",
            "EX x PX 1",
            "x",
        ] {
            t.check(&format!("SET k v {options}"), "-ERR syntax error");
        }
        for options in
            ["EX", "EX 1 PX 1", "PERSIST EX 1", "EX 1 PERSIST", "KEEPTTL", "NX", "GET", "PERSIST x", "EX x PX 1"]
        {
            t.check(&format!("GETEX k {options}"), "-ERR syntax error");
        }
    });
}

#[test]
fn getex_and_getdel() {
    transcript(|t| {
        t.check("GETEX k EX x", "(nil)");
        t.check("GETEX k EX x y", "-ERR syntax error");
        t.check("SET k v", "+OK");
        t.check("GETEX k EX 10", "v");
        t.check_ttl_ms("k", Some(10_000));
        t.check("GETEX k", "v");
        t.check_ttl_ms("k", Some(10_000));
        t.check("GETEX k PERSIST persist", "v");
        t.check_ttl_ms("k", None);
        t.check(&format!("GETEX k PXAT {}", START_MS + 1), "v");
        t.check_ttl_ms("k", Some(1));
        t.check(&format!("GETEX k PXAT {START_MS}"), "v");
        t.check_absent("k");
        t.check("SET k v", "+OK");
        t.check("GETDEL k", "v");
        t.check("GETDEL k", "(nil)");
        t.check_absent("k");
    });
}

#[test]
fn several_keys() {
    transcript(|t| {
        t.check("MSET a 1 b two a 3", "+OK");
        t.check("MGET a b c a", "[3, two, (nil), 3]");
        t.check("MSETNX c 1 b 2", ":0");
        t.check_absent("c");
        t.check("MSETNX c 1 c 2", ":1");
        t.check("GET c", "2");
        t.check("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command");
        t.check("MSETNX d 1 e", "-ERR wrong number of arguments for 'msetnx' command");
        t.check_absent("d");
    });
}

#[test]
fn lengths_and_encodings() {
    transcript(|t| {
        t.check("STRLEN k", ":0");
        t.check("SET k -120", "+OK");
        t.check("STRLEN k", ":4");
        t.check_encoding("k", "int");
        t.check("GETSET k abc", "-120");
        t.check("STRLEN k", ":3");
        t.check_encoding("k", "embstr");
    });
}

#[test]
fn large_values_come_back_whole() {
    transcript(|t| {
        let value: Vec<u8> = (0..100_000_u32).map(|at| (at >> 3) as u8).collect();
        let bulk = [b"$100000\r\n", &value[..], b"\r\n"].concat();
        assert_eq!(t.command(&[b"SET", b"k", &value]), "+OK");
        assert!(t.run(&[b"GET", b"k"]) == bulk);
        assert!(t.run(&[b"GETEX", b"k", b"EX", b"9"]) == bulk);
        assert!(t.run(&[b"SET", b"k", &value[1..], b"GET"]) == bulk);
        t.check("APPEND k x", ":100000");
        t.check("STRLEN k", ":100000");
        assert!(t.run(&[b"GETDEL", b"k"]) == [b"$100000\r\n", &value[1..], b"x\r\n"].concat());
        t.check_absent("k");
    });
}

#[test]
fn what_resp3_says_differently() {
    transcript(|t| {
        t.protocol = Protocol::Resp3;
        t.check("GET k", "(null)");
        t.check("SET k v XX", "(null)");
        t.check("SET k v GET", "(null)");
        t.check("MGET k l", "[v, (null)]");
        t.check("BITFIELD b OVERFLOW FAIL SET u1 0 2", "[(null)]");
    });
}

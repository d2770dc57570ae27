//! Transcripts of the string commands: every option and every error that Redis has for them.

use corewise_harness::transcript;

#[test]
fn set_and_get() {
    transcript(|t| {
        t.check("GET k", "(nil)");
        t.check("SET k v", "+OK");
        t.check("GET k", "v");
        t.check("get k", "v");
        t.check(r#"SET k """#, "+OK");
        t.check("GET k", r#""""#);
        t.check(r#"SET "\x00\xff key" "bin\x00\r\nary""#, "+OK");
        t.check(r#"GET "\x00\xff key""#, r#""bin\x00\r\nary""#);
        t.check(r#"SET "" empty"#, "+OK");
        t.check(r#"GET """#, "empty");
        t.check("GET", "-ERR wrong number of arguments for 'get' command");
        t.check("GET a b", "-ERR wrong number of arguments for 'get' command");
        t.check("SET k", "-ERR wrong number of arguments for 'set' command");
        t.check("SET k v BAD", "-ERR syntax error");
        t.check("SET k v NX XX", "-ERR syntax error");
        t.check("SET k v XX NX", "-ERR syntax error");
    });
}

#[test]
fn set_conditions() {
    transcript(|t| {
        t.check("SET k v XX", "(nil)");
        t.check("EXISTS k", ":0");
        t.check("SET k v NX", "+OK");
        t.check("SET k w nx", "(nil)");
        t.check("GET k", "v");
        t.check("SET k w XX", "+OK");
        t.check("SET k x GET", "w");
        t.check("SET k y NX GET", "x");
        t.check("GET k", "x");
        t.check("SET absent z GET", "(nil)");
        t.check("GET absent", "z");
        t.check("SET other z NX GET", "(nil)");
        t.check("GET other", "z");
        t.check("SET third z XX GET", "(nil)");
        t.check("EXISTS third", ":0");
        t.check("SET k w GET XX EX 100", "x");
        t.near("TTL k", 100, 1);
    });
}

#[test]
fn set_deadlines() {
    transcript(|t| {
        t.check("SET k v EX 10", "+OK");
        t.near("TTL k", 10, 1);
        t.check("SET k v PX 100000", "+OK");
        t.near("PTTL k", 100_000, 2000);
        t.check("SET k v EXAT 33177117420", "+OK");
        t.check("EXPIRETIME k", ":33177117420");
        t.check("SET k v PXAT 33177117420000", "+OK");
        t.check("PEXPIRETIME k", ":33177117420000");
        t.check("SET k w KEEPTTL", "+OK");
        t.check("PEXPIRETIME k", ":33177117420000");
        t.check("SET k w", "+OK");
        t.check("TTL k", ":-1");
        t.check("SET k v EXAT 1", "+OK");
        t.check("GET k", "(nil)");
        t.check("SET k v PXAT 1", "+OK");
        t.check("EXISTS k", ":0");
        t.check("SET k v EX 0", "-ERR invalid expire time in 'set' command");
        t.check("SET k v PX -1", "-ERR invalid expire time in 'set' command");
        t.check("SET k v EXAT 0", "-ERR invalid expire time in 'set' command");
        t.check("SET k v EX 9223372036854775807", "-ERR invalid expire time in 'set' command");
        t.check("SET k v PX 9223372036854775807", "-ERR invalid expire time in 'set' command");
        t.check("SET k v EXAT 9223372036854775807", "-ERR invalid expire time in 'set' command");
        t.check("SET k v EX ten", "-ERR value is not an integer or out of range");
        t.check("SET k v EX 1.5", "-ERR value is not an integer or out of range");
        t.check("SET k v EX", "-ERR syntax error");
        t.check("SET k v EX 10 PX 10", "-ERR syntax error");
        t.check("SET k v KEEPTTL EX 10", "-ERR syntax error");
        t.check("SET k v EX 10 KEEPTTL", "-ERR syntax error");
        t.check("EXISTS k", ":0");
    });
}

#[test]
fn setnx_setex_psetex() {
    transcript(|t| {
        t.check("SETNX k v", ":1");
        t.check("SETNX k w", ":0");
        t.check("GET k", "v");
        t.check("SETNX k", "-ERR wrong number of arguments for 'setnx' command");
        t.check("SETEX k 10 x", "+OK");
        t.near("TTL k", 10, 1);
        t.check("PSETEX k 100000 y", "+OK");
        t.near("PTTL k", 100_000, 2000);
        t.check("GET k", "y");
        t.check("SETEX k 0 x", "-ERR invalid expire time in 'setex' command");
        t.check("SETEX k -5 x", "-ERR invalid expire time in 'setex' command");
        t.check("SETEX k 9223372036854775807 x", "-ERR invalid expire time in 'setex' command");
        t.check("PSETEX k 0 x", "-ERR invalid expire time in 'psetex' command");
        t.check("SETEX k x x", "-ERR value is not an integer or out of range");
        t.check("SETEX k 10", "-ERR wrong number of arguments for 'setex' command");
    });
}

#[test]
fn getset_getdel_getex() {
    transcript(|t| {
        t.check("GETSET k a", "(nil)");
        t.check("GETSET k b", "a");
        t.check("EXPIRE k 100", ":1");
        t.check("GETSET k c", "b");
        t.check("TTL k", ":-1");
        t.check("GETDEL k", "c");
        t.check("GETDEL k", "(nil)");
        t.check("EXISTS k", ":0");
        t.check("GETDEL", "-ERR wrong number of arguments for 'getdel' command");
        t.check("GETEX k", "(nil)");
        t.check("GETEX k EX 10", "(nil)");
        t.check("SET k v", "+OK");
        t.check("GETEX k", "v");
        t.check("TTL k", ":-1");
        t.check("GETEX k EX 10", "v");
        t.near("TTL k", 10, 1);
        t.check("GETEX k", "v");
        t.near("TTL k", 10, 1);
        t.check("GETEX k PX 100000", "v");
        t.near("PTTL k", 100_000, 2000);
        t.check("GETEX k EXAT 33177117420", "v");
        t.check("EXPIRETIME k", ":33177117420");
        t.check("GETEX k PXAT 33177117420001", "v");
        t.check("PEXPIRETIME k", ":33177117420001");
        t.check("GETEX k PERSIST", "v");
        t.check("TTL k", ":-1");
        t.check("GETEX k EX 0", "-ERR invalid expire time in 'getex' command");
        t.check("GETEX k EX 10 PERSIST", "-ERR syntax error");
        t.check("GETEX k EX", "-ERR syntax error");
        t.check("GETEX k KEEPTTL", "-ERR syntax error");
        t.check("GETEX k BAD", "-ERR syntax error");
        t.check("GETEX k EX x", "-ERR value is not an integer or out of range");
        t.check("GETEX k PXAT 1", "v");
        t.check("EXISTS k", ":0");
    });
}

#[test]
fn many_keys_at_once() {
    transcript(|t| {
        t.check("MSET a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8", "+OK");
        t.check("MGET a b c d e f g h", "[1, 2, 3, 4, 5, 6, 7, 8]");
        t.check("MGET h absent a h", "[8, (nil), 1, 8]");
        t.check("MGET a", "[1]");
        t.check("MSET a x a y", "+OK");
        t.check("GET a", "y");
        t.check("MSET", "-ERR wrong number of arguments for 'mset' command");
        t.check("MSET a", "-ERR wrong number of arguments for 'mset' command");
        t.check("MSET a 1 b", "-ERR wrong number of arguments for 'mset' command");
        t.check("MGET", "-ERR wrong number of arguments for 'mget' command");
        t.check("MSETNX x 1 y 2", ":1");
        t.check("MSETNX y 3 z 3", ":0");
        t.check("MGET x y z", "[1, 2, (nil)]");
        t.check("MSETNX z 1 z 2", ":1");
        t.check("GET z", "2");
        t.check("MSETNX x", "-ERR wrong number of arguments for 'msetnx' command");
        t.check("MSETNX x 1 y", "-ERR wrong number of arguments for 'msetnx' command");
        t.check("EXPIRE a 100", ":1");
        t.check("MSET a 1", "+OK");
        t.check("TTL a", ":-1");
    });
}

#[test]
fn append_and_strlen() {
    transcript(|t| {
        t.check("STRLEN k", ":0");
        t.check("APPEND k Hello", ":5");
        t.check(r#"APPEND k " World""#, ":11");
        t.check("GET k", r#""Hello World""#);
        t.check("STRLEN k", ":11");
        t.check(r#"APPEND fresh """#, ":0");
        t.check("EXISTS fresh", ":1");
        t.check("SET n 12", "+OK");
        t.check("APPEND n 3", ":3");
        t.check("INCR n", ":124");
        t.check("EXPIRE k 100", ":1");
        t.check("APPEND k x", ":12");
        t.near("TTL k", 100, 1);
        t.check("APPEND k", "-ERR wrong number of arguments for 'append' command");
        t.check("STRLEN", "-ERR wrong number of arguments for 'strlen' command");
    });
}

#[test]
fn ranges() {
    transcript(|t| {
        t.check(r#"SET k "This is a string""#, "+OK");
        t.check("GETRANGE k 0 3", "This");
        t.check("GETRANGE k -3 -1", "ing");
        t.check("GETRANGE k 0 -1", r#""This is a string""#);
        t.check("GETRANGE k 10 100", "string");
        t.check("GETRANGE k 100 200", r#""""#);
        t.check("GETRANGE k 5 3", r#""""#);
        t.check("GETRANGE k -1 -3", r#""""#);
        t.check("GETRANGE k -100 3", "This");
        t.check("GETRANGE k -100 -99", "T");
        t.check("GETRANGE k -9223372036854775808 9223372036854775807", r#""This is a string""#);
        t.check("GETRANGE absent 0 -1", r#""""#);
        t.check("SUBSTR k 0 3", "This");
        t.check("GETRANGE k a 3", "-ERR value is not an integer or out of range");
        t.check("GETRANGE k 0", "-ERR wrong number of arguments for 'getrange' command");
        t.check("SUBSTR k 0", "-ERR wrong number of arguments for 'substr' command");
        t.check("SET n 12345", "+OK");
        t.check("GETRANGE n 1 2", "23");
        t.check("SETRANGE k 10 STRING", ":16");
        t.check("GET k", r#""This is a STRING""#);
        t.check("SETRANGE fresh 3 x", ":4");
        t.check("GET fresh", r#""\x00\x00\x00x""#);
        t.check(r#"SETRANGE none 5 """#, ":0");
        t.check("EXISTS none", ":0");
        t.check(r#"SETRANGE k 100 """#, ":16");
        t.check("SETRANGE n 5 6", ":6");
        t.check("GET n", "123456");
        t.check("SETRANGE k -1 x", "-ERR offset is out of range");
        t.check("SETRANGE k x x", "-ERR value is not an integer or out of range");
        t.check("SETRANGE k 536870912 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        t.check("SETRANGE k 9223372036854775807 x", "-ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        t.check("SETRANGE k 1", "-ERR wrong number of arguments for 'setrange' command");
    });
}

#[test]
fn counters() {
    transcript(|t| {
        t.check("INCR n", ":1");
        t.check("INCRBY n 41", ":42");
        t.check("DECR n", ":41");
        t.check("DECRBY n 42", ":-1");
        t.check("GET n", "-1");
        t.check("DECR fresh", ":-1");
        t.check("EXPIRE n 100", ":1");
        t.check("INCR n", ":0");
        t.near("TTL n", 100, 1);
        t.check("SET n 9223372036854775806", "+OK");
        t.check("INCR n", ":9223372036854775807");
        t.check("INCR n", "-ERR increment or decrement would overflow");
        t.check("SET n -9223372036854775808", "+OK");
        t.check("DECR n", "-ERR increment or decrement would overflow");
        t.check("INCRBY n -1", "-ERR increment or decrement would overflow");
        t.check("DECRBY n -9223372036854775808", "-ERR decrement would overflow");
        t.check("INCRBY n 9223372036854775807", ":-1");
        for text in ["abc", "1.0", "\" 1\"", "\"1 \"", "01", "+1", "9223372036854775808", "\"\"", "-0", "1e3"] {
            t.check(&format!("SET s {text}"), "+OK");
            t.check("INCR s", "-ERR value is not an integer or out of range");
            t.check(&format!("INCRBY n {text}"), "-ERR value is not an integer or out of range");
        }
        t.check("INCRBY n", "-ERR wrong number of arguments for 'incrby' command");
        t.check("INCR", "-ERR wrong number of arguments for 'incr' command");
    });
}

#[test]
fn float_counters() {
    transcript(|t| {
        t.check("SET f 10.50", "+OK");
        t.check("INCRBYFLOAT f 0.1", "10.6");
        t.check("INCRBYFLOAT f -5", "5.6");
        t.check("GET f", "5.6");
        t.check("SET f 5.0e3", "+OK");
        t.check("INCRBYFLOAT f 2.0e2", "5200");
        t.check("INCRBYFLOAT fresh 3.0", "3");
        t.check("INCRBYFLOAT fresh 1e-5", "3.00001");
        t.check("SET f 3", "+OK");
        t.check("INCRBYFLOAT f 1.1", "4.1");
        t.check("INCRBYFLOAT f abc", "-ERR value is not a valid float");
        t.check("INCRBYFLOAT f nan", "-ERR value is not a valid float");
        t.check(r#"INCRBYFLOAT f " 1""#, "-ERR value is not a valid float");
        t.check(r#"INCRBYFLOAT f """#, "-ERR value is not a valid float");
        t.check("INCRBYFLOAT f +inf", "-ERR increment would produce NaN or Infinity");
        t.check("SET s text", "+OK");
        t.check("INCRBYFLOAT s 1", "-ERR value is not a valid float");
        t.check("EXPIRE f 100", ":1");
        t.check("INCRBYFLOAT f 1", "5.1");
        t.near("TTL f", 100, 1);
        t.check("INCRBYFLOAT f", "-ERR wrong number of arguments for 'incrbyfloat' command");
    });
}

#[test]
fn longest_common_subsequence() {
    transcript(|t| {
        t.check("MSET a ohmytext b mynewtext", "+OK");
        t.check("LCS a b", "mytext");
        t.check("LCS a b LEN", ":6");
        t.check("LCS a b IDX", "[matches, [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], len, :6]");
        t.check("LCS a b IDX MINMATCHLEN 4", "[matches, [[[:4, :7], [:5, :8]]], len, :6]");
        t.check("LCS a b IDX WITHMATCHLEN", "[matches, [[[:4, :7], [:5, :8], :4], [[:2, :3], [:0, :1], :2]], len, :6]");
        t.check("LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN", "[matches, [[[:4, :7], [:5, :8], :4]], len, :6]");
        t.check("LCS a b IDX MINMATCHLEN -1", "[matches, [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], len, :6]");
        t.check("LCS a absent", r#""""#);
        t.check("LCS a absent LEN", ":0");
        t.check("LCS a absent IDX", "[matches, [], len, :0]");
        t.check("LCS a a", "ohmytext");
        t.check("LCS a b IDX LEN", "-ERR If you want both the length and indexes, please just use IDX.");
        t.check("LCS a b BAD", "-ERR syntax error");
        t.check("LCS a b MINMATCHLEN", "-ERR syntax error");
        t.check("LCS a b MINMATCHLEN x", "-ERR value is not an integer or out of range");
        t.check("LCS a", "-ERR wrong number of arguments for 'lcs' command");
        t.check("SETRANGE big1 30000 x", ":30001");
        t.check("COPY big1 big2", ":1");
        t.check("LCS big1 big2", "-ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
        t.like("HELLO 3", "*");
        t.check("LCS a b IDX", "{matches: [[[:4, :7], [:5, :8]], [[:2, :3], [:0, :1]]], len: :6}");
    });
}

#[test]
fn large_values_come_back_whole() {
    transcript(|t| {
        for length in [100, 16 * 1024, 16 * 1024 + 1, 1 << 20, 5 << 20] {
            let value: Vec<u8> = (0..length).map(|at: u32| (at.wrapping_mul(31) >> 3) as u8).collect();
            assert_eq!(t.client.command(&[b"SET", &b"big"[..], &value]).to_string(), "+OK");
            assert!(t.client.command(&["GET", "big"]).bytes() == Some(&value), "GET of {length} bytes");
            t.check("STRLEN big", &format!(":{length}"));
            assert!(t.client.command(&["GETRANGE", "big", "1", "-2"]).bytes() == Some(&value[1..value.len() - 1]));
            t.check("APPEND big tail", &format!(":{}", length + 4));
            t.check(
                "GETRANGE big -5 -1",
                &corewise_harness::Value::Bulk([&value[value.len() - 1..], b"tail"].concat()).to_string(),
            );
        }
    });
}

#[test]
fn resp3_nulls() {
    transcript(|t| {
        t.like(
            "HELLO 3",
            "{server: redis, version: *, proto: :3, id: :*, mode: standalone, role: master, modules: []}",
        );
        t.check("GET k", "(null)");
        t.check("SET k v XX", "(null)");
        t.check("SET k v GET", "(null)");
        t.check("MGET k absent", "[v, (null)]");
        t.check("GETDEL k", "v");
        t.check("GETDEL k", "(null)");
        t.check("GETEX k", "(null)");
        t.check("GETSET k v", "(null)");
        t.check("INCRBYFLOAT f 1.5", "1.5");
    });
}

//! SORT and SORT_RO.

use super::transcript;
use crate::resp::Protocol;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_NUMBER: &str = "-ERR One or more scores can't be converted into double";
const SYNTAX: &str = "-ERR syntax error";

#[test]
fn numbers_and_texts_are_sorted() {
    transcript(|t| {
        t.check("SORT k", "[]");
        t.check("RPUSH k 10 9 -1 2.5 1e1 +3", ":6");
        t.check("SORT k", "[-1, 2.5, +3, 9, 10, 1e1]");
        t.check("SORT k DESC", "[1e1, 10, 9, +3, 2.5, -1]");
        t.check("SORT k DESC ASC ALPHA", "[+3, -1, 10, 1e1, 2.5, 9]");
        t.check("SORT_RO k alpha desc", "[9, 2.5, 1e1, 10, -1, +3]");
        t.check("LRANGE k 0 -1", "[10, 9, -1, 2.5, 1e1, +3]");
        t.check("RPUSH k x", ":7");
        t.check("SORT k", NOT_NUMBER);
        t.check("SORT k STORE l", NOT_NUMBER);
        t.check("SORT k ALPHA LIMIT 0 2", "[+3, -1]");
        t.check("SET s v", "+OK");
        t.check("SORT s", WRONG_TYPE);
        t.check("HSET h f v", ":1");
        t.check("SORT h ALPHA", WRONG_TYPE);
    });
}

#[test]
fn numbers_are_read_as_by_c() {
    for (text, ok) in [
        ("\"\"", true),
        ("\" 1\"", true),
        ("\"\\x0b1\"", true),
        ("1\\x00x", true),
        ("0x10", true),
        ("-inf", true),
        ("\" \"", false),
        ("\"1 \"", false),
        ("nan", false),
        ("1e400", false),
        ("1e-400", false),
        ("1e-320", false),
        ("1_0", false),
    ] {
        transcript(|t| {
            t.check(&format!("RPUSH k {text}"), ":1");
            let sorted = t.ask("SORT k");
            assert_eq!(sorted != NOT_NUMBER, ok, "{text}: {sorted}");
        });
    }
}

#[test]
fn limits_cut_what_is_sorted() {
    transcript(|t| {
        t.check("RPUSH k 3 1 2 5 4", ":5");
        t.check("SORT k LIMIT 1 2", "[2, 3]");
        t.check("SORT k LIMIT 3 10", "[4, 5]");
        t.check("SORT k LIMIT 5 1", "[]");
        t.check("SORT k LIMIT -3 1", "[1]");
        t.check("SORT k LIMIT 1 0", "[]");
        t.check("SORT k LIMIT 1 -1", "[2, 3, 4, 5]");
        t.check("SORT k LIMIT 0 1 LIMIT 1 2", "[2, 3]");
        t.check("SORT k LIMIT 9223372036854775807 9223372036854775807", "[]");
        t.check("SORT k LIMIT x 1", "-ERR value is not an integer or out of range");
        t.check("SORT k LIMIT 1", SYNTAX);
        t.check("SORT k BY nosort LIMIT 1 2", "[1, 2]");
        t.check("SORT k BY nosort DESC", "[4, 5, 2, 1, 3]");
        t.check("SORT k BY nosort DESC LIMIT 1 2", "[5, 2]");
        t.check("SORT k BY nosort DESC LIMIT 4 9", "[3]");
    });
}

#[test]
fn other_keys_say_the_order_and_the_answer() {
    transcript(|t| {
        t.check("RPUSH k 1 2 3", ":3");
        t.check("MSET w_1 30 w_2 20 o_1 one o_3 three", "+OK");
        t.check("HSET h_1 f b g x", ":2");
        t.check("HSET h_2 f c", ":1");
        t.check("HSET h_3 f a g 7", ":2");
        t.check("SORT k BY w_*", "[3, 2, 1]");
        t.check("SORT k BY w_* DESC", "[1, 2, 3]");
        t.check("SORT k BY h_*->f ALPHA", "[3, 1, 2]");
        t.check("SORT k BY h_*->g ALPHA DESC", "[1, 3, 2]");
        t.check("SORT k BY h_*->f", NOT_NUMBER);
        t.check("SORT k BY nosort GET o_*", "[one, (nil), three]");
        t.check(
            "SORT k GET # GET h_*->f GET h_*->none GET plain",
            "[1, b, (nil), (nil), 2, c, (nil), (nil), 3, a, (nil), (nil)]",
        );
        t.check(
            "SORT k GET h_* GET w_*->f GET h_*->",
            "[(nil), (nil), (nil), (nil), (nil), (nil), (nil), (nil), (nil)]",
        );
        t.check("SORT k BY nothing_* GET #", "[1, 2, 3]");
        t.check("SORT k BY w_* LIMIT 1 1 GET o_* GET #", "[(nil), 2]");
        t.check("SORT k BY x BY w_*", "[1, 2, 3]");
        t.protocol = Protocol::Resp3;
        t.check("SORT_RO k BY w_* GET o_*", "[three, (null), one]");
    });
}

#[test]
fn sorted_sets_have_an_order_of_their_own() {
    for entries in [128, 0] {
        transcript(|t| {
            t.configure(|config| config.zset_entries = entries);
            t.check("ZADD z 3 7 1 9 2 8 0 10", ":4");
            t.check("SORT z", "[7, 8, 9, 10]");
            t.check("SORT z ALPHA DESC LIMIT 0 2", "[9, 8]");
            t.check("SORT z BY nosort", "[10, 9, 8, 7]");
            t.check("SORT z BY nosort LIMIT 1 2", "[9, 8]");
            t.check("SORT z BY nosort DESC", "[7, 8, 9, 10]");
            t.check("SORT z BY nosort DESC LIMIT 1 2", "[8, 9]");
            t.check("SORT z BY nosort DESC LIMIT 4 2", "[]");
            t.check("SORT z BY nosort LIMIT 3 10 GET # STORE l", ":1");
            t.check("LRANGE l 0 -1", "[7]");
        });
    }
}

#[test]
fn what_is_sorted_can_be_stored() {
    transcript(|t| {
        t.check("RPUSH k 2 1 3", ":3");
        t.check("SET o_1 one", "+OK");
        t.check("SET l x", "+OK");
        t.check("PEXPIRE l 1000", ":1");
        t.check("SORT k STORE l", ":3");
        t.check("LRANGE l 0 -1", "[1, 2, 3]");
        t.check_ttl_ms("l", None);
        t.check_encoding("l", "listpack");
        t.check("SORT k DESC GET # GET o_* STORE k", ":6");
        t.check("LRANGE k 0 -1", "[3, \"\", 2, \"\", 1, one]");
        t.check("SORT k ALPHA LIMIT 10 1 STORE l", ":0");
        t.check_absent("l");
        t.check("SORT none STORE k", ":0");
        t.check_absent("k");
        t.check("SORT_RO k STORE l", SYNTAX);
        t.check("SORT k STORE", SYNTAX);
        t.check("SORT k BY", SYNTAX);
        t.check("SORT k GET", SYNTAX);
        t.check("SORT k BAD", SYNTAX);
        t.configure(|config| config.list_size = 2);
        t.check("RPUSH k 2 1 3", ":3");
        t.check("SORT k STORE l", ":3");
        t.check_encoding("l", "quicklist");
        t.check("SORT k LIMIT 0 2 STORE l", ":2");
        t.check_encoding("l", "listpack");
    });
}

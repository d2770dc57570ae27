//! Sets of strings.

use std::collections::BTreeSet;

use super::{Client, transcript};
use crate::resp::Protocol;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";

/// The members of a set, sorted.
fn members(t: &mut Client, line: &str) -> BTreeSet<String> {
    let answer = t.ask(line);
    let inside = answer.trim_start_matches('~').trim_matches(['[', ']']);
    inside.split(", ").filter(|member| !member.is_empty()).map(str::to_owned).collect()
}

#[track_caller]
fn check_members(t: &mut Client, line: &str, expected: &str) {
    let expected: BTreeSet<String> = expected.split_whitespace().map(str::to_owned).collect();
    assert_eq!(members(t, line), expected, "{line}");
}

#[test]
fn what_is_not_there_is_empty() {
    transcript(|t| {
        t.check("SCARD k", ":0");
        t.check("SMEMBERS k", "[]");
        t.check("SISMEMBER k a", ":0");
        t.check("SMISMEMBER k a b", "[:0, :0]");
        t.check("SREM k a", ":0");
        t.check("SPOP k", "(nil)");
        t.check("SPOP k 3", "[]");
        t.check("SRANDMEMBER k", "(nil)");
        t.check("SRANDMEMBER k -3", "[]");
        t.check("SMOVE k l a", ":0");
        t.check("SSCAN k 0", "[0, []]");
        t.check("SINTER k l", "[]");
        t.check("SUNION k l", "[]");
        t.check("SDIFF k l", "[]");
        t.check("SINTERCARD 2 k l", ":0");
        t.check_absent("k");
    });
}

#[test]
fn members_come_and_go() {
    transcript(|t| {
        t.check("SADD s a b a", ":2");
        t.check("SADD s b 7", ":1");
        t.check("SCARD s", ":3");
        t.check("SISMEMBER s 7", ":1");
        t.check("SISMEMBER s 07", ":0");
        t.check("SMISMEMBER s a x b", "[:1, :0, :1]");
        check_members(t, "SMEMBERS s", "a b 7");
        t.check("SREM s a x b", ":2");
        t.check("SREM s 7", ":1");
        t.check_absent("s");
        t.check("SET k v", "+OK");
        for command in [
            "SADD k a",
            "SREM k a",
            "SCARD k",
            "SMEMBERS k",
            "SISMEMBER k a",
            "SMISMEMBER k a",
            "SPOP k",
            "SPOP k 0",
            "SRANDMEMBER k",
            "SRANDMEMBER k 1",
            "SSCAN k 0 FOO",
            "SINTER none k",
            "SUNION none k",
            "SDIFF none k",
            "SINTERSTORE d none k",
            "SINTERCARD 1 k",
        ] {
            t.check(command, WRONG_TYPE);
        }
    });
}

#[test]
fn encodings_follow_the_settings() {
    transcript(|t| {
        t.check("SADD s 1 2 3", ":3");
        t.check_encoding("s", "intset");
        t.check("SADD s a", ":1");
        t.check_encoding("s", "listpack");
        t.check(&format!("SADD s {}", "x".repeat(65)), ":1");
        t.check_encoding("s", "hashtable");
        for number in 0..512 {
            t.check(&format!("SADD n {number}"), ":1");
        }
        t.check_encoding("n", "intset");
        t.check("SADD n 512", ":1");
        t.check_encoding("n", "hashtable");
        for number in 0..128 {
            t.check(&format!("SADD m m{number}"), ":1");
        }
        t.check_encoding("m", "listpack");
        t.check("SADD m 7", ":1");
        t.check_encoding("m", "hashtable");
        t.configure(|config| (config.set_integers, config.set_entries, config.set_value_bytes) = (2, 3, 4));
        t.check("SADD a 1 2 3", ":3");
        t.check_encoding("a", "hashtable");
        t.check("SADD b 1 x y z", ":4");
        t.check_encoding("b", "hashtable");
        t.check("SADD c 12345 x", ":2");
        t.check_encoding("c", "hashtable");
        t.check("COPY n o", ":1");
        t.check("SCARD o", ":513");
        t.check("RENAME o p", "+OK");
        t.check("SISMEMBER p 512", ":1");
    });
}

#[test]
fn members_are_moved() {
    transcript(|t| {
        t.check("SADD a 1 2", ":2");
        t.check("SADD b x", ":1");
        t.check("SET s v", "+OK");
        t.check("SMOVE none s 1", ":0");
        t.check("SMOVE a s 9", WRONG_TYPE);
        t.check("SMOVE s a 1", WRONG_TYPE);
        t.check("SMOVE a b 9", ":0");
        t.check("SMOVE a a 1", ":1");
        t.check("SMOVE a a 9", ":0");
        t.check("SMOVE a b 1", ":1");
        t.check("SMOVE a c 2", ":1");
        t.check_absent("a");
        check_members(t, "SMEMBERS b", "x 1");
        t.check("SMEMBERS c", "[2]");
    });
}

#[test]
fn sets_are_combined() {
    for entries in [0, 128] {
        transcript(|t| {
            t.configure(|config| (config.set_integers, config.set_entries) = (entries, entries));
            t.check("SADD a 1 2 3 x y", ":5");
            t.check("SADD b 2 3 4 y", ":4");
            t.check("SADD c 3 y z", ":3");
            check_members(t, "SINTER a b c", "3 y");
            check_members(t, "SINTER a", "1 2 3 x y");
            t.check("SINTER a none b", "[]");
            check_members(t, "SUNION a b c", "1 2 3 4 x y z");
            check_members(t, "SDIFF a b c", "1 x");
            check_members(t, "SDIFF a none", "1 2 3 x y");
            t.check("SDIFF a a", "[]");
            t.check("SDIFF none a", "[]");
            t.check("SINTERCARD 3 a b c", ":2");
            t.check("SINTERCARD 3 a b c LIMIT 1", ":1");
            t.check("SINTERCARD 2 a b LIMIT 1 limit 0", ":3");
            t.check("SINTERSTORE d a b", ":3");
            check_members(t, "SMEMBERS d", "2 3 y");
            t.check("SUNIONSTORE d d c", ":4");
            check_members(t, "SMEMBERS d", "2 3 y z");
            t.check("SET s v", "+OK");
            t.check("EXPIRE s 100", ":1");
            t.check("SDIFFSTORE s a b", ":2");
            t.check("TTL s", ":-1");
            check_members(t, "SMEMBERS s", "1 x");
            t.check("SINTERSTORE s a none", ":0");
            t.check_absent("s");
            t.check("SDIFFSTORE d none", ":0");
            t.check_absent("d");
        });
    }
}

#[test]
fn one_large_set_loses_what_many_small_ones_have() {
    transcript(|t| {
        for number in 0..1000 {
            t.check(&format!("SADD large m{number}"), ":1");
        }
        for number in 0..20 {
            t.check(&format!("SADD small{number} m{number} x{number}"), ":2");
        }
        let small: Vec<String> = (0..20).map(|number| format!("small{number}")).collect();
        t.check(&format!("SDIFFSTORE d large {}", small.join(" ")), ":980");
        t.check("SMISMEMBER d m19 m20 x1", "[:0, :1, :0]");
    });
}

#[test]
fn mistakes_of_intersections() {
    transcript(|t| {
        t.check("SADD a 1", ":1");
        t.check("SINTERCARD 0 a", "-ERR numkeys should be greater than 0");
        t.check("SINTERCARD x a", "-ERR numkeys should be greater than 0");
        t.check("SINTERCARD 2 a", "-ERR Number of keys can't be greater than number of args");
        t.check("SINTERCARD 1 a LIMIT", "-ERR syntax error");
        t.check("SINTERCARD 1 a FOO", "-ERR syntax error");
        t.check("SINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative");
        t.check("SINTERCARD 1 a LIMIT x", "-ERR LIMIT can't be negative");
    });
}

#[test]
fn members_are_drawn() {
    for entries in [0, 512] {
        transcript(|t| {
            t.configure(|config| (config.set_integers, config.set_entries) = (entries, entries));
            for number in 0..100 {
                t.check(&format!("SADD s {number}"), ":1");
            }
            let all = members(t, "SMEMBERS s");
            assert!(all.contains(&t.ask("SRANDMEMBER s")));
            t.check("SRANDMEMBER s 0", "[]");
            for count in [1, 20, 60, 99] {
                let drawn = members(t, &format!("SRANDMEMBER s {count}"));
                assert!(drawn.len() == count && drawn.is_subset(&all), "different ones");
            }
            assert_eq!(members(t, "SRANDMEMBER s 1000"), all);
            let drawn = t.ask("SRANDMEMBER s -1000");
            assert_eq!(drawn.split(", ").count(), 1000);
            let popped = members(t, "SPOP s 40");
            assert!(popped.len() == 40 && popped.is_subset(&all));
            let popped = t.ask("SPOP s");
            t.check(&format!("SISMEMBER s {popped}"), ":0");
            t.check("SCARD s", ":59");
            assert_eq!(members(t, "SPOP s 1000").len(), 59);
            t.check_absent("s");
        });
    }
}

#[test]
fn mistakes_of_draws() {
    transcript(|t| {
        t.check("SET k v", "+OK");
        t.check("SADD s a", ":1");
        t.check("SPOP k -1", "-ERR value is out of range, must be positive");
        t.check("SPOP s x", "-ERR value is out of range, must be positive");
        t.check("SPOP s 1 2", "-ERR syntax error");
        t.check("SRANDMEMBER k x", "-ERR value is not an integer or out of range");
        t.check("SRANDMEMBER s 1 2", "-ERR syntax error");
        let range = "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807";
        t.check("SRANDMEMBER s -9223372036854775808", range);
        t.check("SRANDMEMBER s -9223372036854775807", "-ERR value is out of range");
        t.check("SRANDMEMBER s -1048577", "-ERR value is out of range");
        t.bulk_bytes_max = 10;
        t.check("SRANDMEMBER s -10", "[a, a, a, a, a, a, a, a, a, a]");
        t.check("SRANDMEMBER s -11", "-ERR value is out of range");
    });
}

#[test]
fn a_scan_finds_every_member() {
    for entries in [0, 512] {
        transcript(|t| {
            t.configure(|config| config.set_entries = entries);
            for number in 0..300 {
                t.run_text(&format!("SADD s m{number}"));
            }
            let (mut cursor, mut found) = ("0".to_owned(), BTreeSet::new());
            loop {
                let answer = t.ask(&format!("SSCAN s {cursor} COUNT 20"));
                let (next, rest) = answer[1..].split_once(", ").expect("cursor and members");
                let rest = rest.trim_matches(['[', ']']).split(", ").filter(|member| !member.is_empty());
                found.extend(rest.map(str::to_owned));
                cursor = next.to_owned();
                if cursor == "0" {
                    break;
                }
            }
            assert_eq!(found.len(), 300);
            t.check("SADD few a1 b1 a2", ":3");
            t.configure(|config| config.set_entries = 512);
            t.check("SADD few2 a1 b1", ":2");
            t.check("SSCAN few2 0 MATCH a*", "[0, [a1]]");
        });
    }
}

#[test]
fn mistakes_of_scans() {
    transcript(|t| {
        t.check("SADD s a", ":1");
        t.check("SSCAN none x", "-ERR invalid cursor");
        t.check("SSCAN none 0 FOO", "[0, []]");
        t.check("SSCAN s 0 FOO", "-ERR syntax error");
        t.check("SSCAN s 0 COUNT 0", "-ERR syntax error");
        t.check("SSCAN s 0 COUNT x", "-ERR value is not an integer or out of range");
        t.check("SSCAN s 0 TYPE string", "-ERR syntax error");
        t.check("SSCAN s 0 NOVALUES", "-ERR NOVALUES option can only be used in HSCAN");
    });
}

#[test]
fn resp3_has_sets() {
    transcript(|t| {
        t.protocol = Protocol::Resp3;
        t.check("SADD s 1 2", ":2");
        t.check("SMEMBERS s", "~[1, 2]");
        t.check("SINTER s s", "~[1, 2]");
        t.check("SUNION s", "~[1, 2]");
        t.check("SDIFF s", "~[1, 2]");
        t.check("SRANDMEMBER s 5", "[1, 2]");
        t.check("SMISMEMBER s 1", "[:1]");
        t.check("SPOP s 5", "~[1, 2]");
        t.check("SPOP s 5", "~[]");
        t.check("SPOP s", "(null)");
        t.check("SRANDMEMBER s", "(null)");
        t.check("SMEMBERS s", "~[]");
    });
}

#[test]
fn writes_say_whether_they_changed_anything() {
    transcript(|t| {
        let mut changes = |line: &str| {
            let before = t.shard.stats().changes;
            t.run_text(line);
            t.shard.stats().changes - before
        };
        for (line, expected) in [
            ("SADD s a", 1),
            ("SADD s a", 0),
            ("SREM s x", 0),
            ("SMOVE s t x", 0),
            ("SMOVE s t a", 2),
            ("SPOP none", 0),
            ("SPOP t 0", 0),
            ("SPOP t", 1),
            ("SINTERSTORE d none", 0),
        ] {
            assert_eq!(changes(line), expected, "{line}");
        }
    });
}

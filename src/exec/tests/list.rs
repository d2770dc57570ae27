//! Lists of strings.

use super::transcript;
use crate::resp::Protocol;

const WRONG_TYPE: &str = "-WRONGTYPE Operation against a key holding the wrong kind of value";
const NOT_INTEGER: &str = "-ERR value is not an integer or out of range";
const SYNTAX: &str = "-ERR syntax error";

/// Runs a transcript with lists in their compact form, and again with large ones from three elements on.
fn in_both_forms(body: impl Fn(&mut super::Client)) {
    transcript(&body);
    transcript(|t| {
        t.configure(|config| config.list_size = 2);
        body(t);
    });
}

#[test]
fn what_is_not_there_is_empty() {
    transcript(|t| {
        t.check("LLEN k", ":0");
        t.check("LRANGE k 0 -1", "[]");
        t.check("LINDEX k 0", "(nil)");
        t.check("LINDEX k x", "(nil)");
        t.check("LPUSHX k a", ":0");
        t.check("RPUSHX k a", ":0");
        t.check("LPOP k", "(nil)");
        t.check("RPOP k 1", "(nil array)");
        t.check("LREM k 0 a", ":0");
        t.check("LTRIM k 0 1", "+OK");
        t.check("LINSERT k BEFORE a b", ":0");
        t.check("LSET k 0 a", "-ERR no such key");
        t.check("LPOS k a", "(nil)");
        t.check("LPOS k a COUNT 0", "[]");
        t.check("LMOVE k l LEFT LEFT", "(nil)");
        t.check("RPOPLPUSH k l", "(nil)");
        t.check("LMPOP 2 k l LEFT", "(nil array)");
        t.check_absent("k");
        t.check_absent("l");
    });
}

#[test]
fn resp3_has_one_null() {
    transcript(|t| {
        t.protocol = Protocol::Resp3;
        t.check("LPOP k", "(null)");
        t.check("LPOP k 2", "(null)");
        t.check("LMPOP 1 k LEFT", "(null)");
        t.check("LMOVE k k LEFT LEFT", "(null)");
        t.check("RPUSH k 1", ":1");
        t.check("LMPOP 1 k LEFT", "[k, [1]]");
    });
}

#[test]
fn every_command_refuses_another_type() {
    transcript(|t| {
        t.check("SET s v", "+OK");
        for command in [
            "LLEN s",
            "LPUSH s a",
            "RPUSH s a",
            "LPUSHX s a",
            "RPUSHX s a",
            "LPOP s",
            "RPOP s 0",
            "LINDEX s 0",
            "LSET s 0 a",
            "LINSERT s BEFORE a b",
            "LREM s 0 a",
            "LRANGE s 0 1",
            "LTRIM s 0 1",
            "LPOS s a",
            "LMOVE s l LEFT LEFT",
            "RPOPLPUSH s l",
            "LMPOP 2 k s LEFT",
        ] {
            t.check(command, WRONG_TYPE);
        }
        t.check("RPUSH l a", ":1");
        t.check("LMOVE l s LEFT LEFT", WRONG_TYPE);
        t.check("LRANGE l 0 -1", "[a]");
        t.check("LMOVE k s LEFT LEFT", "(nil)");
        t.check("GET l", WRONG_TYPE);
    });
}

#[test]
fn elements_are_pushed_and_popped_at_both_ends() {
    in_both_forms(|t| {
        t.check("RPUSH l a b", ":2");
        t.check("LPUSH l 1 2 3", ":5");
        t.check("RPUSHX l x", ":6");
        t.check("LPUSHX l y z", ":8");
        t.check("LRANGE l 0 -1", "[z, y, 3, 2, 1, a, b, x]");
        t.check("LLEN l", ":8");
        t.check("LPOP l", "z");
        t.check("RPOP l", "x");
        t.check("LPOP l 2", "[y, 3]");
        t.check("RPOP l 2", "[b, a]");
        t.check("LPOP l 0", "[]");
        t.check("RPOP l 10", "[1, 2]");
        t.check_absent("l");
        t.check("LPOP l 0", "(nil array)");
        t.check("RPUSH l \"\" -12 007", ":3");
        t.check("RPOP l 3", "[007, -12, \"\"]");
        t.check("LPOP l 1 2", "-ERR wrong number of arguments for 'lpop' command");
        t.check("RPOP l 1 2", "-ERR wrong number of arguments for 'rpop' command");
        t.check("LPOP l x", "-ERR value is out of range, must be positive");
        t.check("LPOP l -1", "-ERR value is out of range, must be positive");
    });
}

#[test]
fn ranges_are_read_and_kept() {
    in_both_forms(|t| {
        t.check("RPUSH l a b c d e", ":5");
        t.check("LRANGE l 1 2", "[b, c]");
        t.check("LRANGE l -2 -1", "[d, e]");
        t.check("LRANGE l -100 0", "[a]");
        t.check("LRANGE l 0 -100", "[]");
        t.check("LRANGE l 4 100", "[e]");
        t.check("LRANGE l 5 100", "[]");
        t.check("LRANGE l 3 1", "[]");
        t.check("LRANGE l x 1", NOT_INTEGER);
        t.check("LRANGE k 1 x", NOT_INTEGER);
        t.check("LRANGE l -9223372036854775808 9223372036854775807", "[a, b, c, d, e]");
        t.check("LTRIM l x 1", NOT_INTEGER);
        t.check("LTRIM l 0 -1", "+OK");
        t.check("LTRIM l 1 -2", "+OK");
        t.check("LRANGE l 0 -1", "[b, c, d]");
        t.check("LTRIM l -1 -1", "+OK");
        t.check("LRANGE l 0 -1", "[d]");
        t.check("LTRIM l 1 0", "+OK");
        t.check_absent("l");
    });
}

#[test]
fn elements_are_reached_by_their_index() {
    in_both_forms(|t| {
        t.check("RPUSH l a b c", ":3");
        t.check("LINDEX l 0", "a");
        t.check("LINDEX l -1", "c");
        t.check("LINDEX l 3", "(nil)");
        t.check("LINDEX l -4", "(nil)");
        t.check("LINDEX l x", NOT_INTEGER);
        t.check("LSET l 1 17", "+OK");
        t.check("LSET l -1 long-long-long", "+OK");
        t.check("LSET l 3 x", "-ERR index out of range");
        t.check("LSET l -4 x", "-ERR index out of range");
        t.check("LSET l x x", NOT_INTEGER);
        t.check("LSET k x x", "-ERR no such key");
        t.check("LRANGE l 0 -1", "[a, 17, long-long-long]");
    });
}

#[test]
fn elements_are_inserted_beside_others() {
    in_both_forms(|t| {
        t.check("RPUSH l a 12 a", ":3");
        t.check("LINSERT l BEFORE a x", ":4");
        t.check("LINSERT l after 12 y", ":5");
        t.check("LINSERT l AFTER z y", ":-1");
        t.check("LRANGE l 0 -1", "[x, a, 12, y, a]");
        t.check("LINSERT l BESIDE a x", SYNTAX);
        t.check("LINSERT k BESIDE a x", SYNTAX);
    });
}

#[test]
fn equal_elements_are_removed_from_either_end() {
    in_both_forms(|t| {
        t.check("RPUSH l a b a a c a", ":6");
        t.check("LREM l 1 a", ":1");
        t.check("LRANGE l 0 -1", "[b, a, a, c, a]");
        t.check("LREM l -2 a", ":2");
        t.check("LRANGE l 0 -1", "[b, a, c]");
        t.check("LREM l 0 x", ":0");
        t.check("LREM l x a", NOT_INTEGER);
        t.check("LREM l -9223372036854775808 a", ":1");
        t.check("LREM l 0 b", ":1");
        t.check("LREM l 5 c", ":1");
        t.check_absent("l");
    });
}

#[test]
fn as_many_equal_elements_as_there_are_go() {
    for count in ["0", "9000", "-9000", "100000"] {
        transcript(|t| {
            for _ in 0..1000 {
                t.ask("RPUSH l a a b a a a c a a a");
            }
            t.check_encoding("l", "quicklist");
            t.check(&format!("LREM l {count} a"), ":8000");
            t.check("LLEN l", ":2000");
            t.check("LREM l 0 a", ":0");
            t.check("LRANGE l 0 3", "[b, c, b, c]");
        });
    }
    transcript(|t| {
        (0..1000).for_each(|_| drop(t.ask("RPUSH l a a b a a a c a a a")));
        t.check("LREM l -7996 a", ":7996");
        t.check("LRANGE l 0 7", "[a, a, b, a, a, c, b, c]");
        t.check("LREM l 3 a", ":3");
        t.check("LRANGE l 0 3", "[b, a, c, b]");
    });
}

#[test]
fn positions_are_found() {
    in_both_forms(|t| {
        t.check("RPUSH l a b c 1 2 3 c c", ":8");
        t.check("LPOS l c", ":2");
        t.check("LPOS l x", "(nil)");
        t.check("LPOS l c RANK 2", ":6");
        t.check("LPOS l c RANK -1", ":7");
        t.check("LPOS l c RANK 4", "(nil)");
        t.check("LPOS l c COUNT 2", "[:2, :6]");
        t.check("LPOS l c COUNT 0", "[:2, :6, :7]");
        t.check("LPOS l c RANK -2 COUNT 0", "[:6, :2]");
        t.check("LPOS l c COUNT 0 MAXLEN 7", "[:2, :6]");
        t.check("LPOS l c RANK -1 COUNT 0 MAXLEN 2", "[:7, :6]");
        t.check("LPOS l c MAXLEN 2", "(nil)");
        t.check("LPOS l x COUNT 1", "[]");
        t.check("LPOS l 3 maxlen 0", ":5");
        t.check(
            "LPOS l c RANK 0",
            "-ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start \
             from the end of the list",
        );
        t.check("LPOS l c RANK x", NOT_INTEGER);
        t.check(
            "LPOS l c RANK -9223372036854775808",
            "-ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807",
        );
        t.check("LPOS l c COUNT -1", "-ERR COUNT can't be negative");
        t.check("LPOS l c COUNT x", "-ERR COUNT can't be negative");
        t.check("LPOS l c MAXLEN -1", "-ERR MAXLEN can't be negative");
        t.check("LPOS l c RANK", SYNTAX);
        t.check("LPOS k c BAD", SYNTAX);
    });
}

#[test]
fn elements_move_between_lists() {
    in_both_forms(|t| {
        t.check("RPUSH l a b c d", ":4");
        t.check("LMOVE l m LEFT RIGHT", "a");
        t.check("LMOVE l m right left", "d");
        t.check("RPOPLPUSH l m", "c");
        t.check("LRANGE m 0 -1", "[c, d, a]");
        t.check("LMOVE m m LEFT RIGHT", "c");
        t.check("LRANGE m 0 -1", "[d, a, c]");
        t.check("RPOPLPUSH l m", "b");
        t.check_absent("l");
        t.check("LMOVE m m LEFT DOWN", SYNTAX);
        t.check("LMOVE m m DOWN LEFT", SYNTAX);
    });
}

#[test]
fn a_list_that_turns_on_itself_keeps_its_deadline() {
    transcript(|t| {
        t.check("RPUSH l a", ":1");
        t.check("PEXPIRE l 1000", ":1");
        t.check("LMOVE l l LEFT RIGHT", "a");
        t.check_ttl_ms("l", Some(1000));
        t.check("RPUSH l b", ":2");
        t.check_ttl_ms("l", Some(1000));
        t.check("LPOP l 2", "[a, b]");
        t.check("RPUSH l a", ":1");
        t.check_ttl_ms("l", None);
    });
}

#[test]
fn the_first_list_that_has_elements_is_popped() {
    in_both_forms(|t| {
        t.check("RPUSH l a b c", ":3");
        t.check("RPUSH m 1 2", ":2");
        t.check("LMPOP 3 k l m LEFT", "[l, [a]]");
        t.check("LMPOP 2 l m RIGHT COUNT 10", "[l, [c, b]]");
        t.check("LMPOP 2 l m LEFT COUNT 2", "[m, [1, 2]]");
        t.check("LMPOP 2 l m LEFT", "(nil array)");
        t.check("LMPOP 0 l LEFT", "-ERR numkeys should be greater than 0");
        t.check("LMPOP x l LEFT", "-ERR numkeys should be greater than 0");
        t.check("LMPOP 2 l LEFT", SYNTAX);
        t.check("LMPOP 3 l LEFT", SYNTAX);
        t.check("LMPOP 1 l UP", SYNTAX);
        t.check("LMPOP 1 l LEFT COUNT 0", "-ERR count should be greater than 0");
        t.check("LMPOP 1 l LEFT COUNT x", "-ERR count should be greater than 0");
        t.check("LMPOP 1 l LEFT COUNT 1 COUNT 1", SYNTAX);
        t.check("LMPOP 1 l LEFT COUNT", SYNTAX);
        t.check("LMPOP 1 l LEFT BAD", SYNTAX);
        t.check("LMPOP 9223372036854775807 l LEFT", SYNTAX);
    });
}

#[test]
fn lists_are_compact_up_to_a_size() {
    transcript(|t| {
        t.check("RPUSH l a", ":1");
        t.check_encoding("l", "listpack");
        t.check("TYPE l", "+list");
        let long = "x".repeat(8180);
        t.check(&format!("RPUSH l {long}"), ":2");
        t.check_encoding("l", "listpack");
        t.check("RPUSH l b", ":3");
        t.check_encoding("l", "quicklist");
        t.check("LINDEX l 1", &long);
        t.check("LSET l 1 y", "+OK");
        t.check_encoding("l", "listpack");
        t.check("LRANGE l 0 -1", "[a, y, b]");
        t.check(&format!("RPUSH m {}", "x".repeat(8193)), ":1");
        t.check_encoding("m", "quicklist");
        t.check("LPOP m", &"x".repeat(8193));
        t.check_absent("m");
        t.configure(|config| config.list_size = 3);
        t.check("LSET l 0 0", "+OK");
        t.check_encoding("l", "quicklist");
        t.check("COPY l m", ":1");
        t.check_encoding("m", "quicklist");
        t.check("RENAME m n", "+OK");
        t.check("LPOP n 2", "[0, y]");
        t.check_encoding("n", "listpack");
        t.check("LRANGE l 0 -1", "[0, y, b]");
    });
}

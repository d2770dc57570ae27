//! Ranges of sorted sets.

use super::zset::both_forms;
use crate::resp::Protocol;

#[test]
fn ranges_of_ranks() {
    both_forms(|t| {
        t.check("ZADD z 1 a 2 b 2 c 3 d 4 e", ":5");
        t.check("ZRANGE z 0 -1", "[a, b, c, d, e]");
        t.check("ZRANGE z 1 2", "[b, c]");
        t.check("ZRANGE z -2 -1", "[d, e]");
        t.check("ZRANGE z -100 1", "[a, b]");
        t.check("ZRANGE z 3 100", "[d, e]");
        t.check("ZRANGE z 3 2", "[]");
        t.check("ZRANGE z 5 6", "[]");
        t.check("ZRANGE z -100 -50", "[]");
        t.check("ZRANGE z 0 -6", "[]");
        t.check("ZRANGE z 1 2 WITHSCORES", "[b, 2, c, 2]");
        t.check("ZRANGE z 0 1 REV", "[e, d]");
        t.check("ZRANGE z -2 -1 REV WITHSCORES", "[b, 2, a, 1]");
        t.check("ZRANGE z 9223372036854775807 9223372036854775807", "[]");
        t.check("ZRANGE z -9223372036854775808 9223372036854775807", "[a, b, c, d, e]");
        t.check("ZREVRANGE z 0 -1", "[e, d, c, b, a]");
        t.check("ZREVRANGE z 1 1", "[d]");
        t.check("ZREVRANGE z 0 1 WITHSCORES", "[e, 4, d, 3]");
        t.check("ZREVRANGE z 4 10", "[a]");
        t.check("ZREVRANGE z 5 10", "[]");
        t.check("ZRANGE x 0 -1", "[]");
        t.check("ZREVRANGE x 0 -1", "[]");
        t.check("ZRANGE z 0 -1 LIMIT 0 -1", "[a, b, c, d, e]");
        t.check(
            "ZRANGE z 0 1 LIMIT 0 1",
            "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        );
        t.check(
            "ZREVRANGE z 0 1 LIMIT 0 1",
            "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        );
        t.check("ZREVRANGE z 0 1 REV", "-ERR syntax error");
        t.check("ZRANGE z 0 1 BAD", "-ERR syntax error");
        t.check("ZRANGE z 0 x", "-ERR value is not an integer or out of range");
        t.check("ZRANGE z x 0", "-ERR value is not an integer or out of range");
        t.check("ZRANGE z 0 1 LIMIT 1", "-ERR syntax error");
        t.check("ZRANGE z 0 1 LIMIT x 1", "-ERR value is not an integer or out of range");
        t.check("ZRANGE z 0 1 BYLEX BYSCORE", "-ERR syntax error");
        t.check("ZRANGE z 0 1 REV REV", "-ERR syntax error");
        t.protocol = Protocol::Resp3;
        t.check("ZRANGE z 0 1", "[a, b]");
        t.check("ZRANGE z 0 1 WITHSCORES", "[[a, ,1], [b, ,2]]");
        t.check("ZREVRANGE z 0 1 WITHSCORES", "[[e, ,4], [d, ,3]]");
    });
}

#[test]
fn ranges_of_scores() {
    both_forms(|t| {
        t.check("ZADD z 1 a 2 b 2 c 3 d 4.5 e -inf f inf g", ":7");
        t.check("ZRANGEBYSCORE z 2 3", "[b, c, d]");
        t.check("ZRANGEBYSCORE z (2 3", "[d]");
        t.check("ZRANGEBYSCORE z 2 (3", "[b, c]");
        t.check("ZRANGEBYSCORE z (2 (3", "[]");
        t.check("ZRANGEBYSCORE z -inf +inf", "[f, a, b, c, d, e, g]");
        t.check("ZRANGEBYSCORE z (-inf (inf WITHSCORES", "[a, 1, b, 2, c, 2, d, 3, e, 4.5]");
        t.check("ZRANGEBYSCORE z 3 2", "[]");
        t.check("ZRANGEBYSCORE z (2 2", "[]");
        t.check("ZRANGEBYSCORE z 100 200", "[]");
        t.check("ZRANGEBYSCORE z -inf inf LIMIT 1 3", "[a, b, c]");
        t.check("ZRANGEBYSCORE z -inf inf LIMIT 2 -1", "[b, c, d, e, g]");
        t.check("ZRANGEBYSCORE z -inf inf LIMIT 9 -1", "[]");
        t.check("ZRANGEBYSCORE z -inf inf LIMIT -1 2", "[]");
        t.check("ZRANGEBYSCORE z -inf inf LIMIT 0 0", "[]");
        t.check("ZRANGEBYSCORE z -inf inf LIMIT 1 2 WITHSCORES LIMIT 0 1", "[f, -inf]");
        t.check("ZREVRANGEBYSCORE z 3 2", "[d, c, b]");
        t.check("ZREVRANGEBYSCORE z (3 2 WITHSCORES", "[c, 2, b, 2]");
        t.check("ZREVRANGEBYSCORE z 2 3", "[]");
        t.check("ZREVRANGEBYSCORE z inf -inf LIMIT 1 2", "[e, d]");
        t.check("ZREVRANGEBYSCORE z inf -inf LIMIT 6 5", "[f]");
        t.check("ZRANGE z 2 3 BYSCORE", "[b, c, d]");
        t.check("ZRANGE z 3 2 BYSCORE REV", "[d, c, b]");
        t.check("ZRANGE z 3 (2 byscore rev LIMIT 0 1 withscores", "[d, 3]");
        t.check("ZRANGEBYSCORE z \"\" ( LIMIT 0 1", "[]");
        t.check("ZRANGEBYSCORE z \" 1\" 0x2", "[a, b, c]");
        t.check("ZRANGEBYSCORE z -1e400 1e400", "[f, a, b, c, d, e, g]");
        t.check("ZRANGEBYSCORE x 0 1", "[]");
        t.check("ZCOUNT z 2 3", ":3");
        t.check("ZCOUNT z (2 3", ":1");
        t.check("ZCOUNT z -inf inf", ":7");
        t.check("ZCOUNT z 3 2", ":0");
        t.check("ZCOUNT x 3 2", ":0");
        t.check("ZCOUNT z 1 x", "-ERR min or max is not a float");
        t.check("ZCOUNT z nan 1", "-ERR min or max is not a float");
        t.check("ZCOUNT x 1 x", "-ERR min or max is not a float");
        t.check("ZCOUNT z \"1 \" 2", "-ERR min or max is not a float");
        t.check("ZRANGEBYSCORE z x 1", "-ERR min or max is not a float");
        t.check("ZRANGEBYSCORE z 1 x BAD", "-ERR syntax error");
        t.check("ZRANGEBYSCORE z 1 2 BYSCORE", "-ERR syntax error");
        t.check("ZRANGEBYSCORE z 1 2 REV", "-ERR syntax error");
        t.check("ZRANGEBYSCORE z 1 2 LIMIT x 1", "-ERR value is not an integer or out of range");
        t.check("ZRANGEBYSCORE z 1 2 LIMIT 1", "-ERR syntax error");
        t.protocol = Protocol::Resp3;
        t.check("ZRANGEBYSCORE z 2 3 WITHSCORES", "[[b, ,2], [c, ,2], [d, ,3]]");
        t.check("ZRANGEBYSCORE z 2 3", "[b, c, d]");
    });
}

#[test]
fn ranges_of_members() {
    both_forms(|t| {
        t.check("ZADD z 0 a 0 b 0 c 0 10 0 9 0 \"\" 0 bb 0 \\xff", ":8");
        t.check("ZRANGEBYLEX z - +", "[\"\", 10, 9, a, b, bb, c, \"\\xff\"]");
        t.check("ZRANGEBYLEX z [b [c", "[b, bb, c]");
        t.check("ZRANGEBYLEX z (b [c", "[bb, c]");
        t.check("ZRANGEBYLEX z (b (c", "[bb]");
        t.check("ZRANGEBYLEX z [ (b", "[\"\", 10, 9, a]");
        t.check("ZRANGEBYLEX z ( (a", "[10, 9]");
        t.check("ZRANGEBYLEX z [10 [9", "[10, 9]");
        t.check("ZRANGEBYLEX z - [aaa", "[\"\", 10, 9, a]");
        t.check("ZRANGEBYLEX z [x +", "[\"\\xff\"]");
        t.check("ZRANGEBYLEX z + -", "[]");
        t.check("ZRANGEBYLEX z [c [b", "[]");
        t.check("ZRANGEBYLEX z - -", "[]");
        t.check("ZRANGEBYLEX z - + LIMIT 1 2", "[10, 9]");
        t.check("ZRANGEBYLEX z - + LIMIT -1 2", "[]");
        t.check("ZREVRANGEBYLEX z + -", "[\"\\xff\", c, bb, b, a, 9, 10, \"\"]");
        t.check("ZREVRANGEBYLEX z [c (b", "[c, bb]");
        t.check("ZREVRANGEBYLEX z + - LIMIT 2 2", "[bb, b]");
        t.check("ZRANGE z [b + BYLEX", "[b, bb, c, \"\\xff\"]");
        t.check("ZRANGE z + [b BYLEX REV", "[\"\\xff\", c, bb, b]");
        t.check("ZRANGE z + [b BYLEX REV LIMIT 1 1", "[c]");
        t.check("ZLEXCOUNT z - +", ":8");
        t.check("ZLEXCOUNT z [b (c", ":2");
        t.check("ZLEXCOUNT z [c [b", ":0");
        t.check("ZLEXCOUNT x - +", ":0");
        t.check("ZLEXCOUNT z x +", "-ERR min or max not valid string range item");
        t.check("ZLEXCOUNT z - \"\"", "-ERR min or max not valid string range item");
        t.check("ZLEXCOUNT x - y", "-ERR min or max not valid string range item");
        t.check("ZRANGEBYLEX z -x +", "-ERR min or max not valid string range item");
        t.check("ZRANGEBYLEX z -\\x00x +\\x00", "[\"\", 10, 9, a, b, bb, c, \"\\xff\"]");
        t.check("ZRANGEBYLEX z a b", "-ERR min or max not valid string range item");
        t.check("ZRANGEBYLEX z 1 2", "-ERR min or max not valid string range item");
        t.check(
            "ZRANGEBYLEX z - + WITHSCORES",
            "-ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        );
        t.check(
            "ZRANGE z - + BYLEX WITHSCORES",
            "-ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        );
        t.check(
            "ZRANGE z 0 1 BYLEX WITHSCORES",
            "-ERR syntax error, WITHSCORES not supported in combination with BYLEX",
        );
        t.check("ZRANGE z 0 1 BYLEX", "-ERR min or max not valid string range item");
        t.check("ZRANGEBYLEX z - + REV", "-ERR syntax error");
    });
}

#[test]
fn ranges_are_stored() {
    both_forms(|t| {
        t.check("ZADD z 1 a 2 b 3 c 4 d", ":4");
        t.check("ZRANGESTORE d z 1 2", ":2");
        t.check("ZRANGE d 0 -1 WITHSCORES", "[b, 2, c, 3]");
        t.check("ZRANGESTORE d z 0 1 REV", ":2");
        t.check("ZRANGE d 0 -1 WITHSCORES", "[c, 3, d, 4]");
        t.check("ZRANGESTORE d z 2 +inf BYSCORE LIMIT 1 1", ":1");
        t.check("ZRANGE d 0 -1 WITHSCORES", "[c, 3]");
        t.check("ZRANGESTORE d z +inf 2 BYSCORE REV LIMIT 0 1", ":1");
        t.check("ZRANGE d 0 -1 WITHSCORES", "[d, 4]");
        t.check("ZRANGESTORE d z [a [c BYLEX", ":3");
        t.check("ZCARD d", ":3");
        t.check("EXPIRE d 100", ":1");
        t.check("ZRANGESTORE d z 0 0", ":1");
        t.check("TTL d", ":-1");
        t.check("ZRANGESTORE d z 7 8", ":0");
        t.check("EXISTS d", ":0");
        t.check("SET d v", "+OK");
        t.check("ZRANGESTORE d x 0 1", ":0");
        t.check("EXISTS d", ":0");
        t.check("SET d v", "+OK");
        t.check("ZRANGESTORE d z 0 1", ":2");
        t.check("TYPE d", "+zset");
        t.check("ZRANGESTORE z z 1 1", ":1");
        t.check("ZRANGE z 0 -1", "[b]");
        t.check("ZRANGESTORE d z 0 1 WITHSCORES", "-ERR syntax error");
        t.check(
            "ZRANGESTORE d z 0 1 LIMIT 0 1",
            "-ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
        );
        t.check("ZRANGESTORE d z x 1", "-ERR value is not an integer or out of range");
    });
}

#[test]
fn ranges_are_removed() {
    both_forms(|t| {
        t.check("ZADD z 1 a 2 b 2 c 3 d 4 e 5 f 6 g 7 h 8 i", ":9");
        t.check("ZREMRANGEBYRANK z 0 1", ":2");
        t.check("ZREMRANGEBYRANK z -1 -1", ":1");
        t.check("ZREMRANGEBYRANK z 5 4", ":0");
        t.check("ZREMRANGEBYRANK z 50 60", ":0");
        t.check("ZRANGE z 0 -1", "[c, d, e, f, g, h]");
        t.check("ZREMRANGEBYSCORE z (2 (4", ":1");
        t.check("ZREMRANGEBYSCORE z 50 60", ":0");
        t.check("ZRANGE z 0 -1", "[c, e, f, g, h]");
        t.check("ZSCORE z d", "(nil)");
        t.check("ZSCORE z e", "4");
        t.check("ZRANK z h", ":4");
        t.check("ZREMRANGEBYSCORE z -inf inf", ":5");
        t.check("EXISTS z", ":0");
        t.check("ZADD z 0 a 0 b 0 c 0 d 0 e", ":5");
        t.check("ZREMRANGEBYLEX z [b (d", ":2");
        t.check("ZREMRANGEBYLEX z (x +", ":0");
        t.check("ZRANGE z 0 -1", "[a, d, e]");
        t.check("ZREMRANGEBYLEX z - +", ":3");
        t.check("EXISTS z", ":0");
        t.check("ZREMRANGEBYRANK z 0 1", ":0");
        t.check("ZREMRANGEBYSCORE z 0 1", ":0");
        t.check("ZREMRANGEBYLEX z - +", ":0");
        t.check("ZREMRANGEBYRANK z 0 x", "-ERR value is not an integer or out of range");
        t.check("ZREMRANGEBYSCORE z 0 x", "-ERR min or max is not a float");
        t.check("ZREMRANGEBYLEX z 0 x", "-ERR min or max not valid string range item");
    });
}

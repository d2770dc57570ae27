//! Unions, intersections and differences of sorted sets.

use super::Client;
use super::transcript;
use super::zset::both_forms;
use crate::keyspace::Event;
use crate::keyspace::collection::{Collection, Set};
use crate::resp::Protocol;

/// Sets are another family: this one is made without its commands.
fn add_set(t: &mut Client, key: &str, members: &[&str]) {
    let now = t.now();
    let mut keys = t.shard.keys(0, now);
    let mut set = Set::default();
    members.iter().for_each(|member| {
        set.add(member.as_bytes(), keys.shapes());
    });
    keys.set_collection(key.as_bytes(), Collection::Set(set), Event::SADD);
}

#[test]
fn unions() {
    both_forms(|t| {
        t.check("ZADD a 1 x 2 y 3 10", ":3");
        t.check("ZADD b 10 x 20 z 30 10", ":3");
        t.check("ZUNION 2 a b", "[y, x, z, 10]");
        t.check("ZUNION 2 a b WITHSCORES", "[y, 2, x, 11, z, 20, 10, 33]");
        t.check("ZUNION 3 a b nokey AGGREGATE MIN WITHSCORES", "[x, 1, y, 2, 10, 3, z, 20]");
        t.check("ZUNION 2 a b WITHSCORES aggregate max weights 2 0.5", "[y, 4, x, 5, z, 10, 10, 15]");
        t.check("ZUNION 2 a a WITHSCORES", "[x, 2, y, 4, 10, 6]");
        t.check("ZUNION 1 nokey", "[]");
        t.check("ZUNIONSTORE d 2 a b", ":4");
        t.check("ZRANGE d 0 -1 WITHSCORES", "[y, 2, x, 11, z, 20, 10, 33]");
        t.check("ZUNIONSTORE d 2 a b WEIGHTS -1 1 AGGREGATE SUM", ":4");
        t.check("ZRANGE d 0 -1 WITHSCORES", "[y, -2, x, 9, z, 20, 10, 27]");
        t.check("ZUNIONSTORE a 2 a b AGGREGATE MIN", ":4");
        t.check("ZRANGE a 0 -1 WITHSCORES", "[x, 1, y, 2, 10, 3, z, 20]");
        t.check("EXPIRE d 100", ":1");
        t.check("ZUNIONSTORE d 1 b", ":3");
        t.check("TTL d", ":-1");
        t.check("ZUNIONSTORE d 1 nokey", ":0");
        t.check("EXISTS d", ":0");
        t.check("ZADD i inf x -inf y", ":2");
        t.check("ZADD j -inf x -inf y 0 z", ":3");
        t.check("ZUNION 2 i j WITHSCORES", "[y, -inf, x, 0, z, 0]");
        t.check("ZUNION 2 i j WEIGHTS 0 1 WITHSCORES", "[x, -inf, y, -inf, z, 0]");
        t.check("ZUNION 2 i j WEIGHTS inf -inf WITHSCORES", "[y, 0, z, 0, x, inf]");
        t.check("ZUNION 2 i j AGGREGATE MAX WEIGHTS 1 -1 WITHSCORES", "[z, -0, x, inf, y, inf]");
        t.protocol = Protocol::Resp3;
        t.check("ZUNION 2 b j", "[x, y, z, 10]");
        t.check("ZUNION 2 b j WITHSCORES", "[[x, ,-inf], [y, ,-inf], [z, ,20], [10, ,30]]");
    });
}

#[test]
fn intersections() {
    both_forms(|t| {
        t.check("ZADD a 1 x 2 y 3 10", ":3");
        t.check("ZADD b 10 x 20 z 30 10", ":3");
        t.check("ZINTER 2 a b", "[x, 10]");
        t.check("ZINTER 2 a b WITHSCORES", "[x, 11, 10, 33]");
        t.check("ZINTER 2 a b WITHSCORES WEIGHTS 2 3 AGGREGATE MAX", "[x, 30, 10, 90]");
        t.check("ZINTER 2 a nokey", "[]");
        t.check("ZINTER 1 a WEIGHTS 2 WITHSCORES", "[x, 2, y, 4, 10, 6]");
        t.check("ZINTER 2 a a WEIGHTS 2 3 WITHSCORES", "[x, 5, y, 10, 10, 15]");
        t.check("ZINTERSTORE d 2 a b WEIGHTS 1 -1", ":2");
        t.check("ZRANGE d 0 -1 WITHSCORES", "[10, -27, x, -9]");
        t.check("ZINTERSTORE d 2 a nokey", ":0");
        t.check("EXISTS d", ":0");
        t.check("ZINTERCARD 2 a b", ":2");
        t.check("ZINTERCARD 2 a b LIMIT 1", ":1");
        t.check("ZINTERCARD 2 a b LIMIT 0", ":2");
        t.check("ZINTERCARD 2 a b limit 5", ":2");
        t.check("ZINTERCARD 2 a nokey", ":0");
        t.check("ZINTERCARD 1 a", ":3");
        t.check("ZINTERCARD 0 a", "-ERR at least 1 input key is needed for 'zintercard' command");
        t.check("ZINTERCARD 2 a", "-ERR syntax error");
        t.check("ZINTERCARD 1 a LIMIT", "-ERR syntax error");
        t.check("ZINTERCARD 1 a LIMIT -1", "-ERR LIMIT can't be negative");
        t.check("ZINTERCARD 1 a LIMIT x", "-ERR LIMIT can't be negative");
        t.check("ZINTERCARD 1 a BAD 1", "-ERR syntax error");
        t.check("ZINTERCARD 1 a WITHSCORES", "-ERR syntax error");
        t.protocol = Protocol::Resp3;
        t.check("ZINTER 2 a b WITHSCORES", "[[x, ,11], [10, ,33]]");
    });
}

#[test]
fn differences() {
    both_forms(|t| {
        t.check("ZADD a 1 x 2 y 3 10 4 w", ":4");
        t.check("ZADD b 10 x 20 z 30 10", ":3");
        t.check("ZDIFF 2 a b", "[y, w]");
        t.check("ZDIFF 2 a b WITHSCORES", "[y, 2, w, 4]");
        t.check("ZDIFF 1 a", "[x, y, 10, w]");
        t.check("ZDIFF 2 a a", "[]");
        t.check("ZDIFF 2 nokey a", "[]");
        t.check("ZDIFF 3 a nokey b", "[y, w]");
        t.check("ZDIFFSTORE d 2 a b", ":2");
        t.check("ZRANGE d 0 -1 WITHSCORES", "[y, 2, w, 4]");
        t.check("ZDIFFSTORE d 2 a a", ":0");
        t.check("EXISTS d", ":0");
        t.check("ZDIFF 1 a WEIGHTS 1", "-ERR syntax error");
        t.check("ZDIFF 1 a AGGREGATE MIN", "-ERR syntax error");
        t.check("ZDIFFSTORE d 1 a WITHSCORES", "-ERR syntax error");
        t.protocol = Protocol::Resp3;
        t.check("ZDIFF 2 a b WITHSCORES", "[[y, ,2], [w, ,4]]");
    });
}

#[test]
fn what_combinations_refuse() {
    transcript(|t| {
        t.check("ZUNION 0 a", "-ERR at least 1 input key is needed for 'zunion' command");
        t.check("ZINTER 0 a", "-ERR at least 1 input key is needed for 'zinter' command");
        t.check("ZDIFF -1 a", "-ERR at least 1 input key is needed for 'zdiff' command");
        t.check("ZUNIONSTORE d 0 a", "-ERR at least 1 input key is needed for 'zunionstore' command");
        t.check("ZINTERSTORE d 0 a", "-ERR at least 1 input key is needed for 'zinterstore' command");
        t.check("ZDIFFSTORE d 0 a", "-ERR at least 1 input key is needed for 'zdiffstore' command");
        t.check("ZUNION x a", "-ERR value is not an integer or out of range");
        t.check("ZUNION 2 a", "-ERR syntax error");
        t.check("ZUNIONSTORE d 2 a", "-ERR syntax error");
        t.check("ZUNION 1 a WEIGHTS", "-ERR syntax error");
        t.check("ZUNION 2 a b WEIGHTS 1", "-ERR syntax error");
        t.check("ZUNION 1 a WEIGHTS x", "-ERR weight value is not a float");
        t.check("ZUNION 1 a WEIGHTS nan", "-ERR weight value is not a float");
        t.check("ZUNION 1 a AGGREGATE", "-ERR syntax error");
        t.check("ZUNION 1 a AGGREGATE avg", "-ERR syntax error");
        t.check("ZUNION 1 a LIMIT 1", "-ERR syntax error");
        t.check("ZUNIONSTORE d 1 a WITHSCORES", "-ERR syntax error");
        t.check("ZUNION 1 a b", "-ERR syntax error");
    });
}

#[test]
fn sets_are_sorted_sets_of_score_one() {
    both_forms(|t| {
        add_set(t, "s", &["a", "b", "1", "2"]);
        t.check("ZADD z 5 a 6 c", ":2");
        t.check("ZUNION 2 s z WITHSCORES", "[1, 1, 2, 1, b, 1, a, 6, c, 6]");
        t.check("ZINTER 2 s z WITHSCORES", "[a, 6]");
        t.check("ZINTER 2 z s WITHSCORES WEIGHTS 1 10", "[a, 15]");
        t.check("ZDIFF 2 s z WITHSCORES", "[1, 1, 2, 1, b, 1]");
        t.check("ZDIFF 2 z s WITHSCORES", "[c, 6]");
        t.check("ZINTERCARD 2 z s", ":1");
        t.check("ZUNIONSTORE s 2 s z", ":5");
        t.check("TYPE s", "+zset");
    });
}

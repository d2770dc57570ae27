//! What commands tell subscribers (keyspace notifications): a command, and the events that it is, in Redis's order.

use super::{Client, transcript};
use crate::config::Config;
use crate::exec::rdb;
use crate::exec::testing::START_MS;
use crate::keyspace::KeyEvent;
use crate::limits::{FIELDS_EXPIRED_AT_ONCE, KEY_EVENTS_BYTES_MAX};

impl Client {
    /// Has the events of these classes told.
    fn listen(&mut self, classes: &str) {
        let changed = Config::default().set(&[(b"notify-keyspace-events", classes.as_bytes())], 0);
        let asked = changed.expect("valid letters").config.key_events;
        self.configure(|config| config.key_events = asked);
    }

    /// The events since this was last asked: `name key`, with the number of the database if it is not 0.
    fn events(&mut self) -> String {
        let show = |event: KeyEvent| {
            let database = if event.database == 0 { String::new() } else { format!("@{}", event.database) };
            format!("{} {}{database}", event.event.name(), event.key.escape_ascii())
        };
        self.shard.take_events().into_iter().map(show).collect::<Vec<_>>().join(", ")
    }

    /// Runs a line and judges what it tells.
    #[track_caller]
    fn tells(&mut self, line: &str, events: &str) {
        let reply = self.ask(line);
        assert_eq!(self.events(), events, "{line} -> {reply}");
    }
}

/// Runs `body` against a fresh shard that tells all classes but `n` and `m`.
fn listening(body: impl FnOnce(&mut Client)) {
    transcript(|t| {
        t.listen("KEA");
        body(t);
    });
}

/// What RESTORE makes a string of.
fn payload() -> String {
    rdb::seal(b"\x00\x01v", 11).iter().map(|byte| format!("\\x{byte:02x}")).collect()
}

#[test]
fn strings() {
    listening(|t| {
        t.tells("SET k v", "set k");
        t.tells("SET k v NX", "");
        t.tells("SET k v EX 10", "set k, expire k");
        t.tells("SET k v KEEPTTL GET", "set k");
        t.tells("SETNX k v", "");
        t.tells("SETNX j v", "set j");
        t.tells("SETEX k 10 v", "set k, expire k");
        t.tells("PSETEX k 10000 v", "set k, expire k");
        t.tells("GETSET k v", "set k");
        t.tells("GET k", "");
        t.tells("GETEX k", "");
        t.tells("GETEX k PERSIST", "");
        t.tells("GETEX k EX 5", "expire k");
        t.tells("GETEX k PERSIST", "persist k");
        t.tells("GETEX k PXAT 1", "del k");
        t.tells("GETDEL k", "");
        t.tells("GETDEL j", "del j");
        t.tells("MSET a 1 b 2 a 3", "set a, set b, set a");
        t.tells("MSETNX a 1 c 2", "");
        t.tells("MSETNX c 1 d 2", "set c, set d");
        t.tells("APPEND s ab", "append s");
        t.tells("APPEND s c", "append s");
        t.tells("SETRANGE s 1 x", "setrange s");
        t.tells("SETRANGE s 1 \"\"", "");
        t.tells("INCR a", "incrby a");
        t.tells("DECRBY a 2", "incrby a");
        t.tells("INCRBYFLOAT a 0.5", "incrbyfloat a");
        t.tells("INCR s", "");
        t.tells("SETBIT s 1 1", "");
        t.tells("SETBIT s 0 1", "setbit s");
        t.tells("BITFIELD s GET u8 0", "");
        t.tells("BITFIELD s SET u8 0 1 INCRBY u8 0 1", "setbit s");
        t.tells("BITFIELD s SET u8 0 2", "");
        t.tells("BITFIELD s SET u8 800 0", "setbit s");
        t.tells("BITFIELD s OVERFLOW FAIL INCRBY u2 0 9", "");
        t.tells("BITFIELD s OVERFLOW FAIL INCRBY u2 1000 9", "");
        t.tells("BITOP AND t s s", "set t");
        t.tells("BITOP AND t nothing", "del t");
        t.tells("BITOP AND t nothing", "");
    });
}

#[test]
fn keys() {
    listening(|t| {
        t.tells("MSET a 1 b 2 c 3", "set a, set b, set c");
        t.tells("DEL a x a", "del a");
        t.tells("UNLINK b c", "del b, del c");
        t.tells("SET a 1", "set a");
        t.tells("EXPIRE a 10", "expire a");
        t.tells("EXPIRE a 5 GT", "");
        t.tells("PEXPIREAT a 1", "del a");
        t.tells("PERSIST a", "");
        t.tells("SET a 1 EX 10", "set a, expire a");
        t.tells("PERSIST a", "persist a");
        t.tells("RENAME a b", "rename_from a, rename_to b");
        t.tells("RENAME b b", "");
        t.tells("RENAMENX b a", "rename_from b, rename_to a");
        t.tells("COPY a b", "copy_to b");
        t.tells("COPY a b", "");
        t.tells("COPY a b DB 2", "copy_to b@2");
        t.tells("MOVE a 3", "move_from a, move_to a@3");
        t.tells("MOVE a 3", "");
        t.tells(&format!("RESTORE k 0 {}", payload()), "restore k");
        t.tells(&format!("RESTORE k 1 {} REPLACE ABSTTL", payload()), "del k");
        t.tells("RPUSH l 2 1", "rpush l");
        t.tells("SORT l STORE m", "sortstore m");
        t.tells("SORT nothing STORE m", "del m");
        t.tells("SWAPDB 0 1", "");
        t.tells("FLUSHALL", "");
    });
}

#[test]
fn lists() {
    listening(|t| {
        t.tells("LPUSHX l a", "");
        t.tells("LPUSH l a b c", "lpush l");
        t.tells("RPUSHX l d e", "rpush l");
        t.tells("LINSERT l BEFORE a x", "linsert l");
        t.tells("LINSERT l BEFORE nothing x", "");
        t.tells("LSET l 0 z", "lset l");
        t.tells("LSET l 99 z", "");
        t.tells("LREM l 0 x", "lrem l");
        t.tells("LREM l 0 x", "");
        t.tells("LPOP l", "lpop l");
        t.tells("LPOP l 0", "");
        t.tells("RPOP l 1", "rpop l");
        t.tells("LTRIM l 0 -1", "ltrim l");
        t.tells("LMOVE l m LEFT RIGHT", "rpush m, lpop l");
        t.tells("LMOVE m m LEFT RIGHT", "rpush m, lpop m");
        t.tells("RPOPLPUSH m l", "lpush l, rpop m, del m");
        t.tells("LMPOP 2 m l RIGHT COUNT 2", "rpop l");
        t.tells("BLPOP m l 0", "lpop l, del l");
        t.tells("BLPOP m l 0", "");
        t.tells("RPUSH l a", "rpush l");
        t.tells("BLMOVE l m LEFT LEFT 0", "lpush m, lpop l, del l");
        t.tells("LTRIM m 1 0", "ltrim m, del m");
        t.tells("LTRIM m 1 0", "");
        t.tells("RPUSH l a a", "rpush l");
        t.tells("LREM l 0 a", "lrem l, del l");
    });
}

#[test]
fn sets() {
    listening(|t| {
        t.tells("SADD s a b c", "sadd s");
        t.tells("SADD s a", "");
        t.tells("SREM s a x", "srem s");
        t.tells("SREM s x", "");
        t.tells("SMOVE s d b", "srem s, sadd d");
        t.tells("SMOVE s d x", "");
        t.tells("SMOVE s s c", "");
        t.tells("SADD d c", "sadd d");
        t.tells("SMOVE s d c", "srem s, del s");
        t.tells("SUNIONSTORE s d", "sunionstore s");
        t.tells("SINTERSTORE i s d", "sinterstore i");
        t.tells("SDIFFSTORE i s x", "sdiffstore i");
        t.tells("SDIFFSTORE i s d", "del i");
        t.tells("SDIFFSTORE i s d", "");
        t.tells("SPOP s", "spop s");
        t.tells("SPOP s 0", "");
        t.tells("SPOP s", "spop s, del s");
        t.tells("SPOP d 1", "spop d");
        t.tells("SPOP d 9", "spop d, del d");
        t.tells("SPOP d 9", "");
    });
}

#[test]
fn hashes() {
    listening(|t| {
        t.tells("HSET h a 1 b 2", "hset h");
        t.tells("HSET h a 1", "hset h");
        t.tells("HMSET h a 1 b 2", "hset h");
        t.tells("HSETNX h a 2", "");
        t.tells("HSETNX h c 3", "hset h");
        t.tells("HINCRBY h a 1", "hincrby h");
        t.tells("HINCRBYFLOAT h a 1.5", "hincrbyfloat h");
        t.tells("HDEL h a x", "hdel h");
        t.tells("HDEL h a x", "");
        t.tells("HDEL h b c", "hdel h, del h");
    });
}

#[test]
fn deadlines_of_fields() {
    listening(|t| {
        t.tells("HSET h a 1 b 2 c 3 d 4", "hset h");
        t.tells("HEXPIRE h 10 FIELDS 2 a x", "hexpire h");
        t.tells("HPEXPIRE h 10000 GT FIELDS 1 a", "");
        t.tells("HPERSIST h FIELDS 2 a b", "hpersist h");
        t.tells("HPERSIST h FIELDS 2 a b", "");
        t.tells("HPEXPIREAT h 1 FIELDS 2 a b", "hdel h");
        t.tells("HGETEX h EX 10 FIELDS 2 c x", "hexpire h");
        t.tells("HGETEX h PERSIST FIELDS 1 c", "hpersist h");
        t.tells("HGETEX h PXAT 1 FIELDS 1 c", "hdel h");
        t.tells("HGETDEL h FIELDS 2 d x", "hdel h, del h");
        t.tells("HSETEX h FIELDS 1 a 1", "hset h");
        t.tells("HSETEX h FNX FIELDS 1 a 1", "");
        t.tells("HSETEX h EX 10 FIELDS 2 a 1 b 2", "hset h, hexpire h");
        t.tells("HSETEX h PXAT 1 FIELDS 1 a 1", "hset h, hdel h");
        t.tells("HSETEX h PXAT 1 FIELDS 2 b 1 b 2", "hset h, hdel h, del h");
        t.tells("HSETEX h PX 5 FIELDS 2 a 1 b 2", "hset h, hexpire h");
        t.tells("HPERSIST h FIELDS 1 a", "hpersist h");
        t.pass_ms(6);
        t.tells("HGET h b", "hexpired h");
        t.tells("HPEXPIRE h 5 FIELDS 1 a", "hexpire h");
        t.pass_ms(6);
        t.tells("HGET h a", "hexpired h, del h");
        // What nobody looks at is swept, a slice at a time.
        for field in 0..=FIELDS_EXPIRED_AT_ONCE {
            t.ask(&format!("HSETEX h PX 5 FIELDS 1 {field} v"));
        }
        t.events();
        t.pass_ms(6);
        let now = t.now();
        while t.shard.expire_some(1, now) {}
        assert_eq!(t.events(), "hexpired h, hexpired h, del h");
    });
}

#[test]
fn sorted_sets() {
    listening(|t| {
        t.tells("ZADD z 1 a 2 b 3 c 4 d", "zadd z");
        t.tells("ZADD z 1 a", "");
        t.tells("ZADD z XX CH 5 a", "zadd z");
        t.tells("ZADD z INCR 1 a", "zincr z");
        t.tells("ZADD z NX INCR 1 a", "");
        t.tells("ZINCRBY z 1 a", "zincr z");
        t.tells("ZREM z a x", "zrem z");
        t.tells("ZREM z x", "");
        t.tells("ZRANGESTORE y z 0 -1", "zrangestore y");
        t.tells("ZUNIONSTORE y 1 z", "zunionstore y");
        t.tells("ZINTERSTORE y 2 z z", "zinterstore y");
        t.tells("ZDIFFSTORE y 2 z x", "zdiffstore y");
        t.tells("ZDIFFSTORE y 2 z z", "del y");
        t.tells("ZPOPMIN z", "zpopmin z");
        t.tells("ZPOPMAX z 0", "");
        t.tells("ZMPOP 2 y z MAX", "zpopmax z");
        t.tells("BZPOPMIN y z 0", "zpopmin z, del z");
        t.tells("BZMPOP 0 1 z MAX", "");
        t.tells("ZADD z 1 a 2 b 3 c", "zadd z");
        t.tells("ZREMRANGEBYSCORE z 9 9", "");
        t.tells("ZREMRANGEBYSCORE z 1 1", "zremrangebyscore z");
        t.tells("ZREMRANGEBYRANK z 0 0", "zremrangebyrank z");
        t.tells("ZREMRANGEBYLEX z - +", "zremrangebylex z, del z");
        t.tells("ZRANGESTORE y z 0 -1", "");
    });
}

#[test]
fn keys_that_are_new_and_keys_that_are_not_there() {
    transcript(|t| {
        t.listen("KEAnm");
        t.tells("SET k v", "new k, set k");
        t.tells("SET k w", "set k");
        t.tells("GET x", "keymiss x");
        t.tells("MGET k x y", "keymiss x, keymiss y");
        t.tells("EXISTS x", "keymiss x");
        t.tells("TTL x", "keymiss x");
        t.tells("TYPE x", "keymiss x");
        t.tells("OBJECT ENCODING x", "");
        t.tells("OBJECT FREQ x", "");
        t.tells("DEL x", "");
        t.tells("GETSET x v", "keymiss x, new x, set x");
        t.tells("RENAME x k", "new k, rename_from x, rename_to k");
        t.tells("COPY k j", "new j, copy_to j");
        t.tells("COPY k j REPLACE", "new j, copy_to j");
        t.tells("MOVE j 1", "new j@1, move_from j, move_to j@1");
        t.tells("LMOVE x y LEFT LEFT", "");
        t.tells("RPUSH l a", "new l, rpush l");
        t.tells("LMOVE l m LEFT LEFT", "new m, lpush m, lpop l, del l");
        t.tells("SADD s a", "new s, sadd s");
        t.tells("SMOVE s d a", "srem s, del s, new d, sadd d");
        t.tells("SUNIONSTORE s d", "new s, sunionstore s");
        t.tells("SUNIONSTORE s d", "sunionstore s");
        t.tells("LCS d x", "keymiss x");
        t.tells("BITFIELD b OVERFLOW FAIL INCRBY u2 0 9", "new b");
        t.tells("SORT l BY w_* GET w_*", "keymiss l");
        t.tells(&format!("RESTORE r 0 {}", payload()), "new r, restore r");
        t.tells(&format!("RESTORE r 0 {} REPLACE", payload()), "new r, restore r");
    });
}

#[test]
fn keys_that_fall_due() {
    transcript(|t| {
        t.listen("KEAnm");
        t.tells("SET k v PX 10", "new k, set k, expire k");
        t.pass_ms(11);
        t.tells("GET k", "expired k, keymiss k");
        t.tells("SET k v PX 10", "new k, set k, expire k");
        t.pass_ms(11);
        t.tells("SET k v", "expired k, new k, set k");
        t.database = 5;
        t.tells("SET j v PX 10", "new j@5, set j@5, expire j@5");
        t.pass_ms(1000);
        let now = t.now();
        while t.shard.expire_some(1, now) {}
        assert_eq!(t.events(), "expired j@5");
        t.tells(&format!("SET j v PXAT {}", START_MS - 1), "new j@5, set j@5, expire j@5");
        t.tells("DEL j", "expired j@5");
    });
}

#[test]
fn only_what_is_asked_for_is_told() {
    transcript(|t| {
        t.tells("SET k v EX 10", "");
        t.listen("A");
        t.tells("SET k v EX 10", "");
        t.listen("Kg");
        t.tells("SET k v EX 10", "expire k");
        t.listen("E$");
        t.tells("SET k v EX 10", "set k");
        t.listen("Ez");
        t.tells("SET k v EX 10", "");
        t.listen("");
        t.tells("ZADD z 1 a", "");
    });
}

#[test]
fn what_is_not_taken_out_is_bounded() {
    listening(|t| {
        let key = vec![b'k'; 1 << 20];
        let fitting = KEY_EVENTS_BYTES_MAX / (key.len() + size_of::<KeyEvent>());
        for _ in 0..fitting + 3 {
            t.run(&[b"SET", &key, b"v"]);
        }
        assert_eq!(t.shard.stats().events_dropped, 3);
        t.shard.pop_event();
        t.run(&[b"SET", &key, b"v"]);
        assert_eq!(t.shard.stats().events_dropped, 3);
        assert_eq!(t.shard.take_events().len(), fitting);
        t.tells("SET k v", "set k");
        t.shard.reset_stats();
        assert_eq!(t.shard.stats().events_dropped, 0);
    });
}

//! Deadlines of fields of hashes.

use super::{Client, transcript};
use crate::exec::testing::START_MS;
use crate::keyspace::Deadline;
use crate::limits::FIELDS_EXPIRED_AT_ONCE;

/// Both forms of the fields beside the deadlines.
fn both_forms(body: impl Fn(&mut Client)) {
    for entries in [0, 128] {
        transcript(|t| {
            t.configure(|config| config.hash_entries = entries);
            body(t);
        });
    }
}

#[test]
fn fields_live_until_their_deadlines() {
    both_forms(|t| {
        t.check("HSET h a 1 b 2 c 3", ":3");
        t.check("HPEXPIRE h 10 FIELDS 2 a x", "[:1, :-2]");
        t.check("HEXPIRE h 5 FIELDS 1 b", "[:1]");
        t.check("HPTTL h FIELDS 4 a b c x", "[:10, :5000, :-1, :-2]");
        t.check("HTTL h FIELDS 3 a b c", "[:1, :5, :-1]");
        t.check("HPEXPIRETIME h FIELDS 1 a", &format!("[:{}]", START_MS + 10));
        t.check("HEXPIRETIME h FIELDS 1 a", &format!("[:{}]", (START_MS + 10).div_ceil(1000)));
        t.pass_ms(10);
        t.check("HGET h a", "1");
        t.pass_ms(1);
        t.check("HGET h a", "(nil)");
        t.check("HLEN h", ":2");
        t.check("HEXISTS h a", ":0");
        t.check("HMGET h a b", "[(nil), 2]");
        t.check("HPTTL h FIELDS 1 a", "[:-2]");
        t.pass_ms(5000);
        t.check("HGETALL h", "[c, 3]");
        t.check("HPEXPIRE h 1 FIELDS 1 c", "[:1]");
        t.pass_ms(2);
        t.check("EXISTS h", ":0");
        t.check("TYPE h", "+none");
        t.check("HPTTL h FIELDS 1 c", "[:-2]");
    });
}

#[test]
fn only_hashes_with_deadlines_pay_for_them() {
    transcript(|t| {
        t.check("HSET h a 1 b 2", ":2");
        t.check_encoding("h", "listpack");
        t.check("HEXPIRE h 10 FIELDS 2 a b", "[:1, :1]");
        t.check_encoding("h", "listpackex");
        t.check("DUMP h", "-ERR a hash with deadlines of fields cannot be dumped");
        t.check("HPERSIST h FIELDS 3 a a x", "[:1, :-1, :-2]");
        t.check("HPERSIST none FIELDS 1 a", "[:-2]");
        t.check_encoding("h", "listpackex");
        t.check("HSET h b 3", ":0");
        t.check_encoding("h", "listpack");
        t.check("HTTL h FIELDS 2 a b", "[:-1, :-1]");
        t.check("HEXPIRE h 10 FIELDS 1 a", "[:1]");
        t.check("HINCRBY h a 1", ":2");
        t.check("HINCRBYFLOAT h a 1.5", "3.5");
        t.check("HTTL h FIELDS 1 a", "[:10]");
        t.check("HDEL h a", ":1");
        t.check_encoding("h", "listpack");
        t.configure(|config| config.hash_entries = 1);
        t.check("HEXPIRE h 10 FIELDS 1 b", "[:1]");
        t.check("HSET h c 1", ":1");
        t.check_encoding("h", "hashtable");
        t.check("HTTL h FIELDS 2 b c", "[:10, :-1]");
    });
}

#[test]
fn conditions_decide() {
    both_forms(|t| {
        t.check("HSET h a 1 b 2", ":2");
        t.check("HEXPIRE h 10 XX FIELDS 1 a", "[:0]");
        t.check("HEXPIRE h 10 GT FIELDS 1 a", "[:0]");
        t.check("HEXPIRE h 10 nx FIELDS 2 a x", "[:1, :-2]");
        t.check("HEXPIRE h 20 NX FIELDS 2 a b", "[:0, :1]");
        t.check("HEXPIRE h 10 GT FIELDS 1 a", "[:0]");
        t.check("HEXPIRE h 15 GT FIELDS 1 a", "[:1]");
        t.check("HEXPIRE h 15 LT FIELDS 1 a", "[:0]");
        t.check("HEXPIRE h 12 LT FIELDS 1 a", "[:1]");
        t.check("HEXPIRE h 13 XX FIELDS 1 a", "[:1]");
        t.check("HPERSIST h FIELDS 1 a", "[:1]");
        t.check("HEXPIRE h 30 LT FIELDS 1 a", "[:1]");
        t.check("HTTL h FIELDS 2 a b", "[:30, :20]");
        t.check("HEXPIRE h 0 GT FIELDS 1 a", "[:0]");
        t.check("HEXPIRE h 0 FIELDS 2 a a", "[:2, :-2]");
        t.check("HPEXPIREAT h 1 FIELDS 1 b", "[:2]");
        t.check_absent("h");
        t.check("HEXPIRE h 10 FIELDS 2 a b", "[:-2, :-2]");
        t.check_absent("h");
    });
}

#[test]
fn moments_are_absolute_or_from_now() {
    both_forms(|t| {
        t.check("HSET h a 1", ":1");
        t.check(&format!("HEXPIREAT h {} FIELDS 1 a", START_MS / 1000 + 7), "[:1]");
        t.check("HEXPIRETIME h FIELDS 1 a", &format!("[:{}]", START_MS / 1000 + 7));
        t.check(&format!("HPEXPIREAT h {} FIELDS 1 a", START_MS + 7), "[:1]");
        t.check("HPTTL h FIELDS 1 a", "[:7]");
        t.check("HTTL h FIELDS 1 a", "[:1]");
        t.check("HPEXPIREAT h 70368744177663 FIELDS 1 a", "[:1]");
        t.check("HPEXPIRETIME h FIELDS 1 a", "[:70368744177663]");
    });
}

#[test]
fn mistakes_in_redis_order() {
    transcript(|t| {
        let missing = "-ERR Mandatory argument FIELDS is missing or not at the right position";
        let mismatch = "-ERR The `numfields` parameter must match the number of arguments";
        t.check("HEXPIRE h x y z u", "-ERR value is not an integer or out of range");
        t.check("HEXPIRE h -1 y z u", "-ERR invalid expire time, must be >= 0");
        t.check("HEXPIRE h 70368744178 y z u", "-ERR invalid expire time in 'hexpire' command");
        t.check("HPEXPIRE h 70368744177663 y z u", "-ERR invalid expire time in 'hpexpire' command");
        t.check("HEXPIREAT h 9223372036854775807 y z u", "-ERR invalid expire time in 'hexpireat' command");
        t.check("HPEXPIREAT h 70368744177664 y z u", "-ERR invalid expire time in 'hpexpireat' command");
        t.check("HEXPIRE h 1 y z u", missing);
        t.check("HEXPIRE h 1 NX XX FIELDS 1 a", missing);
        t.check("HEXPIRE h 1 FIELDS 0 a", "-ERR Parameter `numFields` should be greater than 0");
        t.check("HEXPIRE h 1 FIELDS x a", "-ERR Parameter `numFields` should be greater than 0");
        t.check("HEXPIRE h 1 FIELDS 2 a", mismatch);
        t.check("HEXPIRE h 1 NX FIELDS 1", mismatch);
        t.check("HEXPIRE h 1 FIELDS 9223372036854775807 a", mismatch);
        for command in ["HTTL", "HPTTL", "HEXPIRETIME", "HPEXPIRETIME", "HPERSIST", "HGETDEL", "HGETEX"] {
            t.check(&format!("{command} h y z u"), missing);
            t.check(&format!("{command} h FIELDS 0 a"), "-ERR Number of fields must be a positive integer");
            t.check(&format!("{command} h FIELDS 2 a"), mismatch);
            t.check(&format!("{command} h FIELDS 1 a b"), mismatch);
        }
        t.check("HGETEX h EX -1 FIELDS 1 a", "-ERR invalid expire time, must be >= 0");
        t.check("HGETEX h EX x FIELDS 1 a", "-ERR value is not an integer or out of range");
        t.check("HGETEX h PERSIST EX 1 FIELDS 1 a", missing);
        t.check("HSETEX h FOO FIELDS 1 a b", "-ERR unknown argument: FOO");
        t.check("HSETEX h FNX FXX FIELDS 1 a b", "-ERR Only one of FXX or FNX arguments can be specified");
        let one = "-ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified";
        t.check("HSETEX h EX 1 KEEPTTL FIELDS 1 a b", one);
        t.check("HSETEX h KEEPTTL PX 1 FIELDS 1 a b", one);
        t.check("HSETEX h FNX EX 1 PX", one);
        t.check("HSETEX h FNX KEEPTTL FOO FIELDS", "-ERR unknown argument: FOO");
        t.check("HSETEX h FNX FIELDS 1 EX", "-ERR wrong number of arguments for 'hsetex' command");
        t.check("HSETEX h FIELDS x a b", "-ERR invalid number of fields");
        t.check("HSETEX h FIELDS 2 a b", "-ERR wrong number of arguments for 'hsetex' command");
        t.check("HSETEX h FIELDS 1 a b c", "-ERR wrong number of arguments for 'hsetex' command");
        t.check("HSETEX h FNX FNX a PX", "-ERR Only one of FXX or FNX arguments can be specified");
        t.check("HSETEX h FNX KEEPTTL a EX", "-ERR unknown argument: a");
        t.check_absent("h");
    });
}

#[test]
fn values_are_taken_away_with_their_fields() {
    both_forms(|t| {
        t.check("HGETDEL h FIELDS 2 a b", "[(nil), (nil)]");
        t.check("HSET h a 1 b 2", ":2");
        t.check("HEXPIRE h 10 FIELDS 1 a", "[:1]");
        t.check("HGETDEL h FIELDS 3 a a x", "[1, (nil), (nil)]");
        t.check("HGETALL h", "[b, 2]");
        t.check("HGETDEL h fields 1 b", "[2]");
        t.check_absent("h");
    });
}

#[test]
fn values_are_read_with_a_new_deadline() {
    both_forms(|t| {
        t.check("HGETEX h EX 10 FIELDS 2 a b", "[(nil), (nil)]");
        t.check("HSET h a 1 b 2 c 3", ":3");
        t.check("HGETEX h FIELDS 2 a x", "[1, (nil)]");
        t.check("HTTL h FIELDS 1 a", "[:-1]");
        t.check("HGETEX h EX 10 FIELDS 2 a x", "[1, (nil)]");
        t.check("HGETEX h PX 20 FIELDS 1 b", "[2]");
        t.check("HPTTL h FIELDS 2 a b", "[:10000, :20]");
        t.check(&format!("HGETEX h PXAT {} FIELDS 1 b", START_MS + 9), "[2]");
        t.check(&format!("HGETEX h EXAT {} FIELDS 1 c", START_MS / 1000 + 9), "[3]");
        t.check("HPTTL h FIELDS 2 b c", "[:9, :9000]");
        t.check("HGETEX h PERSIST FIELDS 2 a b", "[1, 2]");
        t.check("HTTL h FIELDS 2 a b", "[:-1, :-1]");
        t.check("HGETEX h EX 0 FIELDS 3 a b c", "[1, 2, 3]");
        t.check_absent("h");
    });
}

#[test]
fn fields_are_set_with_a_deadline() {
    both_forms(|t| {
        t.check("HSETEX h FXX FIELDS 1 a 1", ":0");
        t.check_absent("h");
        t.check("HSETEX h EX 10 FIELDS 2 a 1 b 2", ":1");
        t.check("HTTL h FIELDS 2 a b", "[:10, :10]");
        t.check("HSETEX h FNX FIELDS 2 c 1 a 2", ":0");
        t.check("HSETEX h FXX FIELDS 2 c 1 a 2", ":0");
        t.check("HSETEX h FXX KEEPTTL FIELDS 1 a 2", ":1");
        t.check("HTTL h FIELDS 1 a", "[:10]");
        t.check("HSETEX h FIELDS 1 a 3", ":1");
        t.check("HTTL h FIELDS 1 a", "[:-1]");
        t.check("HSETEX h PX 7 FNX FIELDS 1 c 1", ":1");
        t.check("HPTTL h FIELDS 1 c", "[:7]");
        t.check("HSETEX h PXAT 1 FIELDS 3 a 1 b 1 c 1", ":1");
        t.check_absent("h");
        t.check("HSETEX h PXAT 1 FIELDS 1 a 1", ":1");
        t.check_absent("h");
    });
}

#[test]
fn deadlines_of_fields_go_wherever_the_hash_goes() {
    both_forms(|t| {
        t.check("HSET h a 1 b 2", ":2");
        t.check("HPEXPIRE h 100 FIELDS 1 a", "[:1]");
        t.check("COPY h copied", ":1");
        t.check("RENAME h renamed", "+OK");
        t.check("COPY copied away DB 1", ":1");
        t.check("COPY copied overwritten", ":1");
        t.check("SET overwritten v", "+OK");
        t.check("COPY copied deleted", ":1");
        t.check("DEL deleted", ":1");
        t.check(&format!("COPY copied {}", "k".repeat(5000)), ":1");
        t.pass_ms(101);
        t.check("HGETALL copied", "[b, 2]");
        t.check("HGETALL renamed", "[b, 2]");
        t.check(&format!("HLEN {}", "k".repeat(5000)), ":1");
        t.check("GET overwritten", "v");
        t.database = 1;
        t.check("HLEN away", ":1");
        let now = t.now();
        while t.shard.expire_some(1, now) {}
        assert_eq!(t.shard.next_due(), Deadline::NEVER, "no index has anything left");
        assert_eq!(t.shard.stats().expired_fields, 4);
    });
}

#[test]
fn what_is_due_goes_without_anyone_asking() {
    both_forms(|t| {
        let fields = 10 * FIELDS_EXPIRED_AT_ONCE;
        for number in 0..fields {
            t.check(&format!("HSETEX h PX {} FIELDS 1 f{number} v", 100 + number), ":1");
        }
        t.check("HSETEX other PX 50 FIELDS 1 f v", ":1");
        assert_eq!(t.shard.next_due(), Deadline::at(START_MS + 50), "the shard wakes for it");
        t.pass_ms(51);
        let now = t.now();
        t.shard.expire_some(1, now);
        assert_eq!(t.shard.databases()[0].len(), 1, "a hash goes with its last field");
        assert_eq!(t.shard.next_due(), Deadline::at(START_MS + 100));
        t.pass_ms(10_000);
        let (mut turns, now) = (0, t.now());
        while t.shard.next_due().is_due(now.unix_ms()) {
            t.shard.expire_some(2, now);
            turns += 1;
        }
        assert_eq!(turns, 5, "so many fields of two hashes in each");
        assert_eq!(t.shard.databases()[0].len(), 0);
        assert_eq!(t.shard.next_due(), Deadline::NEVER);
    });
}

#[test]
fn what_is_due_is_not_seen_before_it_goes() {
    both_forms(|t| {
        for number in 0..3 * FIELDS_EXPIRED_AT_ONCE {
            t.check(&format!("HSETEX h PX 10 FIELDS 1 f{number} v"), ":1");
        }
        t.check("HSET h stays 1", ":1");
        t.pass_ms(11);
        t.check("HGETALL h", "[stays, 1]");
        t.check("HKEYS h", "[stays]");
        t.check("HRANDFIELD h", "stays");
        t.check("HRANDFIELD h 3", "[stays]");
        t.check("HLEN h", ":1");
    });
}

#[test]
fn flushed_and_swapped_databases_take_their_deadlines_along() {
    transcript(|t| {
        t.check("HSETEX h PX 10 FIELDS 1 f v", ":1");
        t.shard.swap(0, 1);
        t.pass_ms(11);
        t.check("EXISTS h", ":0");
        t.database = 1;
        t.check("EXISTS h", ":0");
        t.check("HSETEX h PX 10 FIELDS 1 f v", ":1");
        t.shard.flush(1);
        assert_eq!(t.shard.next_due(), Deadline::NEVER);
    });
}

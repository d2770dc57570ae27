//! What keys hold: every type, expiry, scans, and bytes of every kind.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use redis::{
    CopyOptions, Direction, ExistenceCheck, Expiry, IntegerReplyOrNoOp, LposOptions, RedisResult, ScanOptions,
    SetExpiry, SetOptions, TypedCommands, cmd,
};

use super::{PATIENCE, Target, ask};

pub(super) fn strings(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    let absent = || SetOptions::default().conditional_set(ExistenceCheck::NX);
    assert_eq!(c.set_options("key", "value", absent())?.as_deref(), Some("OK"));
    assert_eq!(c.set_options("key", "other", absent())?, None);
    let present = SetOptions::default().conditional_set(ExistenceCheck::XX).get(true);
    assert_eq!(c.set_options("key", "other", present)?.as_deref(), Some("value"));
    assert_eq!((c.append("key", " words")?, c.strlen("key")?), (11, 11));
    assert_eq!((c.getrange("key", 0, 4)?, c.setrange("key", 6, "W")?), ("other".to_owned(), 11));
    assert_eq!(c.get_del("key")?.as_deref(), Some("other Words"));
    c.mset(&[("a", 1), ("b", 2)])?;
    assert_eq!(c.mget(&["a", "nobody", "b"])?, [Some("1".to_owned()), None, Some("2".to_owned())]);
    assert_eq!((c.mset_nx(&[("b", 1), ("c", 1)])?, c.incr("a", 10)?, c.decr("a", 1)?), (false, 11, 10));
    assert!(!c.setbit("bits", 7, true)? && c.getbit("bits", 7)? && c.bitcount("bits")? == 1);
    Ok(())
}

pub(super) fn keys(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    c.mset(&[("a", 1), ("b", 2), ("c", 3)])?;
    assert_eq!((c.exists("a")?, c.exists("nobody")?, c.rename_nx("a", "b")?), (true, false, false));
    c.rename("a", "d")?;
    assert!(c.copy("b", "e", CopyOptions::default())?);
    assert_eq!((c.del(&["b", "nobody"])?, c.unlink(&["c", "d"])?, c.keys("*")?), (1, 2, vec!["e".to_owned()]));
    assert_eq!(c.object_encoding("e")?.as_deref(), Some("int"));
    c.flushdb()?;
    assert_eq!(ask::<i64>(c, "DBSIZE")?, 0);
    Ok(())
}

pub(super) fn expiry(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    c.set_options("key", "value", SetOptions::default().with_expiration(SetExpiry::EX(100)))?;
    assert!(matches!(c.ttl("key")?, IntegerReplyOrNoOp::IntegerReply(99..=100)));
    assert!(c.persist("key")?);
    assert_eq!(
        (c.ttl("key")?, c.ttl("nobody")?),
        (IntegerReplyOrNoOp::ExistsButNotRelevant, IntegerReplyOrNoOp::NotExists)
    );
    assert!(c.expire_at("key", 4_102_444_800)?);
    assert_eq!(c.expire_time("key")?, IntegerReplyOrNoOp::IntegerReply(4_102_444_800));
    assert_eq!(c.get_ex("key", Expiry::PX(100))?.as_deref(), Some("value"));
    let deadline = Instant::now() + PATIENCE;
    while c.get("key")?.is_some() {
        assert!(Instant::now() < deadline, "the key lives on");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

pub(super) fn hashes(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    c.hset_multiple("hash", &[("name", "Ada"), ("born", "1815")])?;
    assert_eq!((c.hget("hash", "name")?.as_deref(), c.hget("hash", "nobody")?), (Some("Ada"), None));
    assert_eq!((c.hincr("hash", "born", 5)?, c.hset_nx("hash", "name", "Eve")?, c.hlen("hash")?), (1820.0, false, 2));
    let all =
        HashMap::from([("name", "Ada"), ("born", "1820")].map(|(field, value)| (field.to_owned(), value.to_owned())));
    assert_eq!(c.hgetall("hash")?, all);
    assert_eq!(c.hkeys("hash")?.into_iter().collect::<BTreeSet<_>>(), all.keys().cloned().collect());
    assert_eq!(
        (c.hexists("hash", "born")?, c.hdel("hash", &["name", "born", "x"])?, c.exists("hash")?),
        (true, 2, false)
    );
    Ok(())
}

pub(super) fn lists(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    assert_eq!((c.rpush("list", &["b", "c"])?, c.lpush("list", "a")?, c.rpush_exists("nobody", "a")?), (2, 3, 0));
    assert_eq!((c.lrange("list", 0, -1)?.join(" "), c.llen("list")?), ("a b c".to_owned(), 3));
    assert_eq!((c.linsert_before("list", "b", "x")?, c.lindex("list", -1)?.as_deref()), (4, Some("c")));
    c.lset("list", 0, "A")?;
    assert_eq!(c.lpos::<Option<i64>, _, _>("list", "c", LposOptions::default())?, Some(3));
    assert_eq!(c.lrem("list", 0, "x")?, 1);
    c.ltrim("list", 0, 1)?;
    assert_eq!(c.lmove("list", "other", Direction::Left, Direction::Right)?, "A");
    assert_eq!(c.rpoplpush("list", "other")?.as_deref(), Some("b"));
    assert_eq!(c.lpop::<Vec<String>, _>("other", NonZeroUsize::new(2))?, ["b", "A"]);
    assert_eq!(c.rpop::<Option<String>, _>("other", None)?, None);
    c.rpush("list", &[3, 1, 2])?;
    let popped = c.lmpop(2, &["nobody", "list"], Direction::Left, 2)?;
    assert_eq!(popped, Some(("list".to_owned(), vec!["3".to_owned(), "1".to_owned()])));
    Ok(())
}

fn set_of(members: &str) -> HashSet<String> {
    members.split(' ').map(str::to_owned).collect()
}

pub(super) fn sets(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    assert_eq!((c.sadd("a", &[1, 2, 3])?, c.sadd("a", 3)?, c.sadd("b", &[2, 3, 4])?), (3, 0, 3));
    assert_eq!((c.smembers("a")?, c.scard("a")?, c.sismember("a", 1)?), (set_of("1 2 3"), 3, true));
    assert_eq!(c.smismember("a", &[1, 9])?, [true, false]);
    assert_eq!((c.sinter(&["a", "b"])?, c.sdiff(&["a", "b"])?), (set_of("2 3"), set_of("1")));
    assert_eq!((c.sunion(&["a", "b"])?, c.sinterstore("c", &["a", "b"])?), (set_of("1 2 3 4"), 2));
    assert_eq!((c.smove("a", "b", 1)?, c.srem("a", &[2, 9])?), (true, 1));
    assert_eq!((c.spop::<Option<String>, _>("a")?.as_deref(), c.exists("a")?), (Some("3"), false));
    assert!(c.srandmember("b")?.is_some_and(|member| set_of("1 2 3 4").contains(&member)));
    Ok(())
}

pub(super) fn sorted_sets(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    assert_eq!(c.zadd_multiple("board", &[(3.0, "ada"), (1.0, "bob"), (2.5, "eve")])?, 3);
    assert_eq!((c.zincr("board", "bob", 1)?, c.zcard("board")?, c.zadd("board", "ada", 4)?), (2.0, 3, 0));
    let all = [("bob", 2.0), ("eve", 2.5), ("ada", 4.0)].map(|(member, score)| (member.to_owned(), score));
    assert_eq!(c.zrange_withscores("board", 0, -1)?, all);
    assert_eq!((c.zscore("board", "eve")?, c.zscore("board", "nobody")?), (Some(2.5), None));
    assert_eq!((c.zrank("board", "ada")?, c.zrevrank("board", "ada")?), (Some(2), Some(0)));
    assert_eq!(
        (c.zrangebyscore("board", "(2", "+inf")?.join(" "), c.zcount("board", 2, 2.5)?),
        ("eve ada".to_owned(), 2)
    );
    c.zadd_multiple("other", &[(10.0, "bob"), (f64::INFINITY, "zoe")])?;
    assert_eq!((c.zunionstore("sum", &["board", "other"])?, c.zscore("sum", "zoe")?), (4, Some(f64::INFINITY)));
    c.zadd_multiple("words", &[(0, "a"), (0, "b"), (0, "c")])?;
    assert_eq!((c.zrangebylex("words", "[b", "+")?.join(" "), c.zrem("words", &["b", "x"])?), ("b c".to_owned(), 1));
    assert_eq!(c.zmpop_min(&["board"], 1)?, Some(("board".to_owned(), vec![("bob".to_owned(), 2.0)])));
    Ok(())
}

fn names(prefix: &str, count: usize) -> BTreeSet<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

pub(super) fn scans(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    for (prefix, count) in [("key:", 500), ("other:", 20)] {
        c.mset(&names(prefix, count).into_iter().map(|name| (name, 1)).collect::<Vec<_>>())?;
    }
    let options = ScanOptions::default().with_pattern("key:*").with_count(37);
    let found = c.scan_options::<String>(options)?.collect::<RedisResult<BTreeSet<String>>>()?;
    assert_eq!(found, names("key:", 500));
    assert_eq!(c.scan::<String>()?.collect::<RedisResult<BTreeSet<String>>>()?.len(), 520);
    Ok(())
}

pub(super) fn scans_of_collections(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    let members: Vec<String> = names("member:", 700).into_iter().collect();
    c.hset_multiple("hash", &members.iter().map(|name| (name, 1)).collect::<Vec<_>>())?;
    c.sadd("set", &members)?;
    c.zadd_multiple("zset", &members.iter().map(|name| (0.5, name)).collect::<Vec<_>>())?;
    assert_eq!(c.hscan::<_, (String, i64)>("hash")?.collect::<RedisResult<BTreeMap<_, _>>>()?.len(), 700);
    assert_eq!(c.sscan::<_, String>("set")?.collect::<RedisResult<BTreeSet<_>>>()?, names("member:", 700));
    let scores = c.zscan::<_, (String, f64)>("zset")?.collect::<RedisResult<Vec<_>>>()?;
    assert!(scores.len() >= 700 && scores.iter().all(|(_, score)| *score == 0.5));
    assert_eq!(c.hscan_match::<_, _, (String, i64)>("hash", "member:6?")?.count(), 10);
    assert_eq!(c.sscan_match::<_, _, String>("set", "member:6?")?.count(), 10);
    assert_eq!(c.zscan_match::<_, _, (String, f64)>("zset", "member:6?")?.count(), 10);
    Ok(())
}

pub(super) fn binary_values(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    let every: Vec<u8> = (0..=255).collect();
    let large = b"\x00\r\n\xff".repeat(500_000);
    let (key, value) = (every.as_slice(), large.as_slice());
    c.set(key, value)?;
    c.set("", "")?;
    c.hset("hash", key, key)?;
    let read: Vec<Vec<u8>> = cmd("MGET").arg(key).arg("").query(c)?;
    assert!(read == [large.clone(), Vec::new()], "2 MB come back as they were");
    let hash: HashMap<Vec<u8>, Vec<u8>> = cmd("HGETALL").arg("hash").query(c)?;
    assert_eq!(hash, HashMap::from([(every.clone(), every.clone())]));
    Ok(())
}

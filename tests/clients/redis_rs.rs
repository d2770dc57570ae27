//! The redis crate against one server, over its blocking connections.
//!
//! It has no connections that reconnect by themselves and no sharded channels outside its asynchronous half, and its
//! pools are other crates.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use corewise_harness::Server;
use redis::{
    Client, Connection, ConnectionLike, CopyOptions, Direction, ExistenceCheck, Expiry, IntegerReplyOrNoOp,
    LposOptions, Msg, PushInfo, RedisResult, ScanOptions, SetExpiry, SetOptions, TypedCommands, Value, cmd, pipe,
};

use crate::Outcome;

/// Far above any real reply, far below the patience of the test.
const PATIENCE: Duration = Duration::from_secs(5);

/// The server and the protocol version that a section uses.
#[derive(Clone)]
struct Target {
    port: u16,
    protocol: u8,
}

impl Target {
    fn client(&self, database: u8) -> RedisResult<Client> {
        Client::open(format!("redis://127.0.0.1:{}/{database}?protocol=resp{}", self.port, self.protocol))
    }

    fn connect(&self) -> RedisResult<Connection> {
        let connection = self.client(0)?.get_connection_with_timeout(PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        Ok(connection)
    }
}

type Section = (&'static str, fn(&Target) -> RedisResult<()>);

const SECTIONS: &[Section] = &[
    ("connecting", connecting),
    ("strings", strings),
    ("keys", keys),
    ("expiry", expiry),
    ("hashes", hashes),
    ("lists", lists),
    ("sets", sets),
    ("sorted sets", sorted_sets),
    ("pipelines", pipelines),
    ("transactions", transactions),
    ("watch", watch),
    ("aborted transaction", aborted_transaction),
    ("publish and subscribe", publish_and_subscribe),
    ("patterns", patterns),
    ("pushed messages", pushed_messages),
    ("blocking on lists", blocking_on_lists),
    ("blocking on sorted sets", blocking_on_sorted_sets),
    ("scans", scans),
    ("scans of collections", scans_of_collections),
    ("errors", errors),
    ("administration", administration),
    ("a closed connection", a_closed_connection),
    ("binary values", binary_values),
];

/// Carries out every section, each on an empty server and on a thread of its own, so that a failed comparison ends no
/// more than the section.
pub(crate) fn run(server: &Server, protocol: u8) -> Vec<Outcome> {
    let target = Target { port: server.address().port(), protocol };
    let outcome = |(section, body): &Section| {
        let (target, body) = (target.clone(), *body);
        let section_thread = std::thread::spawn(move || {
            target.connect()?.flushall()?;
            body(&target)
        });
        let failure = match section_thread.join() {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(panic) => Some(panic.downcast_ref::<String>().map_or("it panicked", String::as_str).to_owned()),
        };
        Outcome { section: (*section).to_owned(), failure }
    };
    SECTIONS.iter().map(outcome).collect()
}

/// A command whose reply is read as whatever the caller expects.
fn ask<T: redis::FromRedisValue>(connection: &mut Connection, line: &str) -> RedisResult<T> {
    let (name, arguments) = line.split_once(' ').unwrap_or((line, ""));
    cmd(name).arg(arguments.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>()).query(connection)
}

/// Fails unless the reply is an error whose text holds `text`.
#[track_caller]
fn refused<T: std::fmt::Debug>(text: &str, reply: RedisResult<T>) {
    let error = reply.expect_err(text).to_string();
    assert!(error.contains(text), "expected an error with {text:?}, found {error}");
}

fn connecting(target: &Target) -> RedisResult<()> {
    let mut third = target.client(3)?.get_connection()?;
    third.set("key", "of database 3")?;
    assert_eq!((third.ping()?, third.is_open(), third.get_db()), ("PONG".to_owned(), true, 3));
    let mut first = target.connect()?;
    assert_eq!(first.get("key")?, None);
    first.client_setname("transcript")?;
    assert_eq!(first.client_getname()?.as_deref(), Some("transcript"));
    assert!(first.client_id()? > 0);
    let hello: HashMap<String, Value> = ask(&mut first, "HELLO")?;
    assert_eq!(hello["proto"], Value::Int(i64::from(target.protocol)));
    Ok(())
}

fn strings(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    let absent = SetOptions::default().conditional_set(ExistenceCheck::NX);
    assert_eq!(c.set_options("key", "value", absent)?.as_deref(), Some("OK"));
    assert_eq!(c.set_options("key", "other", absent)?, None);
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

fn keys(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    c.mset(&[("a", 1), ("b", 2), ("c", 3)])?;
    assert_eq!((c.exists("a")?, c.exists("nobody")?, c.rename_nx("a", "b")?), (true, false, false));
    c.rename("a", "d")?;
    assert!(c.copy("b", "e", CopyOptions::<String>::default())?);
    assert_eq!((c.del(&["b", "nobody"])?, c.unlink(&["c", "d"])?, c.keys("*")?), (1, 2, vec!["e".to_owned()]));
    assert_eq!(c.object_encoding("e")?.as_deref(), Some("int"));
    c.flushdb()?;
    assert_eq!(ask::<i64>(c, "DBSIZE")?, 0);
    Ok(())
}

fn expiry(target: &Target) -> RedisResult<()> {
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

fn hashes(target: &Target) -> RedisResult<()> {
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

fn lists(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    assert_eq!((c.rpush("list", &["b", "c"])?, c.lpush("list", "a")?, c.rpush_exists("nobody", "a")?), (2, 3, 0));
    assert_eq!((c.lrange("list", 0, -1)?.join(" "), c.llen("list")?), ("a b c".to_owned(), 3));
    assert_eq!((c.linsert_before("list", "b", "x")?, c.lindex("list", -1)?.as_deref()), (4, Some("c")));
    c.lset("list", 0, "A")?;
    assert_eq!(c.lpos::<_, _, Option<i64>>("list", "c", LposOptions::default())?, Some(3));
    assert_eq!(c.lrem("list", 0, "x")?, 1);
    c.ltrim("list", 0, 1)?;
    assert_eq!(c.lmove("list", "other", Direction::Left, Direction::Right)?, "A");
    assert_eq!(c.rpoplpush("list", "other")?.as_deref(), Some("b"));
    assert_eq!(c.lpop::<_, Vec<String>>("other", NonZeroUsize::new(2))?, ["b", "A"]);
    assert_eq!(c.rpop::<_, Option<String>>("other", None)?, None);
    c.rpush("list", &[3, 1, 2])?;
    let popped = c.lmpop(2, &["nobody", "list"], Direction::Left, 2)?;
    assert_eq!(popped, Some(("list".to_owned(), vec!["3".to_owned(), "1".to_owned()])));
    Ok(())
}

fn set_of(members: &str) -> HashSet<String> {
    members.split(' ').map(str::to_owned).collect()
}

fn sets(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    assert_eq!((c.sadd("a", &[1, 2, 3])?, c.sadd("a", 3)?, c.sadd("b", &[2, 3, 4])?), (3, 0, 3));
    assert_eq!((c.smembers("a")?, c.scard("a")?, c.sismember("a", 1)?), (set_of("1 2 3"), 3, true));
    assert_eq!(c.smismember("a", &[1, 9])?, [true, false]);
    assert_eq!((c.sinter(&["a", "b"])?, c.sdiff(&["a", "b"])?), (set_of("2 3"), set_of("1")));
    assert_eq!((c.sunion(&["a", "b"])?, c.sinterstore("c", &["a", "b"])?), (set_of("1 2 3 4"), 2));
    assert_eq!((c.smove("a", "b", 1)?, c.srem("a", &[2, 9])?), (true, 1));
    assert_eq!((c.spop::<_, Option<String>>("a")?.as_deref(), c.exists("a")?), (Some("3"), false));
    assert!(c.srandmember::<_, String>("b").is_ok_and(|member| set_of("1 2 3 4").contains(&member)));
    Ok(())
}

fn sorted_sets(target: &Target) -> RedisResult<()> {
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

fn pipelines(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    let mut pipeline = pipe();
    for number in 0..1000 {
        pipeline.set(format!("key:{number}"), number).ignore().incr("counter", 1);
    }
    assert_eq!(pipeline.query::<Vec<i64>>(c)?, (1..=1000).collect::<Vec<i64>>());
    let mut pipeline = pipe();
    refused("not an integer", pipeline.set("word", "x").incr("word", 1).get("key:7").query::<Vec<Value>>(c));
    assert_eq!(c.get("key:8")?.as_deref(), Some("8"));
    Ok(())
}

fn transactions(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    let mut transaction = pipe();
    transaction.atomic().set("a", 1).ignore().set("b", 2).ignore().incr("a", 1).mget(&["a", "b"]);
    assert_eq!(transaction.query::<(i64, Vec<i64>)>(c)?, (2, vec![2, 2]));
    let mut transaction = pipe();
    transaction.atomic().set("word", "x").incr("word", 1).set("after", 1);
    refused("not an integer", transaction.query::<Vec<Value>>(c));
    assert_eq!(c.get("after")?.as_deref(), Some("1"));
    for (line, reply) in [("MULTI", "OK"), ("INCR a", "QUEUED"), ("DISCARD", "OK")] {
        assert_eq!(ask::<String>(c, line)?, reply);
    }
    assert_eq!(c.get("a")?.as_deref(), Some("2"));
    Ok(())
}

fn watch(target: &Target) -> RedisResult<()> {
    let (mut c, mut other) = (target.connect()?, target.connect()?);
    c.set("stock", 6)?;
    let mut attempts = Vec::new();
    let (after,): (i64,) = redis::transaction(&mut c, &["stock"], |c, transaction| {
        let left: i64 = redis::Commands::get(c, "stock")?;
        if attempts.len() < 2 {
            other.incr("stock", 1)?;
        }
        attempts.push(left);
        transaction.set("stock", left - 1).ignore().incr("stock", 0).query(c)
    })?;
    assert_eq!((after, attempts), (7, vec![6, 7, 8]));
    Ok(())
}

fn aborted_transaction(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    let mut transaction = pipe();
    refused("unknown command 'NOBODY'", transaction.atomic().set("key", 1).cmd("NOBODY").query::<Vec<Value>>(c));
    assert_eq!(ask::<String>(c, "MULTI")?, "OK");
    refused("wrong number of arguments", ask::<Value>(c, "GET"));
    refused("Transaction discarded because of previous errors", ask::<Value>(c, "EXEC"));
    assert!(!c.exists("key")?);
    Ok(())
}

fn parts(message: &Msg) -> (Option<String>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (message.get_pattern().ok(), message.get_channel_name().to_owned(), text(message.get_payload_bytes()))
}

fn publish_and_subscribe(target: &Target) -> RedisResult<()> {
    let (mut c, mut subscriber) = (target.connect()?, target.connect()?);
    let mut subscription = subscriber.as_pubsub();
    subscription.subscribe(&["news", "sport"])?;
    assert_eq!((c.publish("news", "one")?, c.publish("nobody", "two")?), (1, 0));
    assert_eq!(parts(&subscription.get_message()?), (None, "news".to_owned(), "one".to_owned()));
    assert_eq!(ask::<(String, i64)>(&mut c, "PUBSUB NUMSUB news")?, ("news".to_owned(), 1));
    subscription.unsubscribe("news")?;
    assert_eq!((c.publish("news", "three")?, c.publish("sport", "four")?), (0, 1));
    assert_eq!(parts(&subscription.get_message()?), (None, "sport".to_owned(), "four".to_owned()));
    drop(subscription);
    assert_eq!((subscriber.get("key")?, c.publish("sport", "five")?), (None, 0));
    Ok(())
}

fn patterns(target: &Target) -> RedisResult<()> {
    let (mut c, mut subscriber) = (target.connect()?, target.connect()?);
    let mut subscription = subscriber.as_pubsub();
    subscription.psubscribe("n[ae]ws.*")?;
    subscription.subscribe("news.today")?;
    assert_eq!(c.publish("news.today", "twice")?, 2);
    let both =
        [None, Some("n[ae]ws.*".to_owned())].map(|pattern| (pattern, "news.today".to_owned(), "twice".to_owned()));
    assert_eq!([parts(&subscription.get_message()?), parts(&subscription.get_message()?)], both);
    subscription.punsubscribe("n[ae]ws.*")?;
    assert_eq!(c.publish("naws.", "nobody")?, 0);
    Ok(())
}

/// RESP3 alone has them: messages between the replies of a connection that goes on asking.
fn pushed_messages(target: &Target) -> RedisResult<()> {
    let mut c = target.connect()?;
    if target.protocol == 2 {
        refused("", c.subscribe_resp3("news"));
        return Ok(());
    }
    let (sender, pushes) = mpsc::channel::<PushInfo>();
    c.set_push_sender(sender);
    c.subscribe_resp3("news")?;
    assert_eq!(target.connect()?.publish("news", "one")?, 1);
    assert_eq!(c.get("key")?, None);
    let message = loop {
        let push = pushes.recv_timeout(PATIENCE).expect("a message comes");
        if let Some(message) = Msg::from_push_info(push) {
            break message;
        }
    };
    assert_eq!(parts(&message), (None, "news".to_owned(), "one".to_owned()));
    Ok(())
}

/// What the blocking call `block` on a connection of its own returns when `wake` is called while it blocks.
fn woken<T: Send>(
    target: &Target,
    block: impl FnOnce(&mut Connection) -> RedisResult<T> + Send,
    wake: impl FnOnce(&mut Connection) -> RedisResult<()>,
) -> RedisResult<T> {
    let (mut c, mut blocked) = (target.connect()?, target.connect()?);
    std::thread::scope(|scope| {
        let blocking = scope.spawn(move || block(&mut blocked));
        let deadline = Instant::now() + PATIENCE;
        while !blocking.is_finished() && !ask::<String>(&mut c, "INFO clients")?.contains("blocked_clients:1\r\n") {
            assert!(Instant::now() < deadline, "it does not block");
            std::thread::sleep(Duration::from_millis(2));
        }
        wake(&mut c)?;
        blocking.join().expect("it does not panic")
    })
}

fn blocking_on_lists(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    let pair = |key: &str, value: &str| Some([key.to_owned(), value.to_owned()]);
    c.rpush("b", &[1, 2, 3])?;
    assert_eq!((c.blpop(&["a", "b"], 1.0)?, c.brpop("b", 1.0)?), (pair("b", "1"), pair("b", "3")));
    assert_eq!(c.blmove("b", "c", Direction::Left, Direction::Right, 1.0)?.as_deref(), Some("2"));
    let began = Instant::now();
    assert_eq!(c.blpop(&["a", "b"], 0.1)?, None);
    assert!(began.elapsed() >= Duration::from_millis(90));
    let popped = woken(target, |c| c.blpop(&["a", "b"], 0.0), |c| c.rpush("b", &["x", "y"]).map(drop))?;
    assert_eq!(popped, pair("b", "x"));
    assert_eq!(c.lrange("b", 0, -1)?, ["y"]);
    Ok(())
}

fn blocking_on_sorted_sets(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    let entry = |member: &str, score| Some(("b".to_owned(), member.to_owned(), score));
    c.zadd_multiple("b", &[(1, "one"), (2, "two"), (3, "three")])?;
    assert_eq!((c.bzpopmin(&["a", "b"], 1.0)?, c.bzpopmax("b", 1.0)?), (entry("one", 1.0), entry("three", 3.0)));
    assert_eq!(c.bzmpop_min(1.0, &["b"], 1)?, Some(("b".to_owned(), vec![("two".to_owned(), 2.0)])));
    assert_eq!(c.bzpopmin("b", 0.05)?, None);
    let popped = woken(target, |c| c.bzpopmin(&["a", "b"], 0.0), |c| c.zadd("b", "x", 5).map(drop))?;
    assert_eq!(popped, entry("x", 5.0));
    Ok(())
}

fn names(prefix: &str, count: usize) -> BTreeSet<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

fn scans(target: &Target) -> RedisResult<()> {
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

fn scans_of_collections(target: &Target) -> RedisResult<()> {
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

fn errors(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    c.hset("hash", "field", 1)?;
    c.set("word", "x")?;
    let wrong = c.get("hash").expect_err("a hash is no string");
    assert_eq!(
        (wrong.code(), wrong.detail()),
        (Some("WRONGTYPE"), Some("Operation against a key holding the wrong kind of value"))
    );
    refused("unknown command 'NOBODY', with args beginning with: 'a'", ask::<Value>(c, "NOBODY a"));
    refused("wrong number of arguments for 'get' command", ask::<Value>(c, "GET"));
    refused("value is not an integer or out of range", c.incr("word", 1));
    refused("DB index is out of range", ask::<Value>(c, "SELECT 99999"));
    assert_eq!(c.get("word")?.as_deref(), Some("x"));
    Ok(())
}

fn administration(target: &Target) -> RedisResult<()> {
    let c = &mut target.connect()?;
    c.set("key", 1)?;
    let info: redis::InfoDict = ask(c, "INFO")?;
    assert_eq!(info.get::<u16>("tcp_port"), Some(target.port));
    assert!(info.get::<String>("redis_version").is_some_and(|version| version.starts_with("7.")));
    assert!(info.get::<String>("db0").is_some_and(|text| text.starts_with("keys=1,")));
    let policy: HashMap<String, String> = ask(c, "CONFIG GET maxmemory-policy")?;
    assert_eq!(policy["maxmemory-policy"], "noeviction");
    assert!(ask::<i64>(c, "COMMAND COUNT")? > 100);
    assert_eq!(ask::<Vec<String>>(c, "COMMAND GETKEYS MSET a 1 b 2")?, ["a", "b"]);
    assert!(ask::<String>(c, "CLIENT LIST")?.contains(&format!("id={} ", c.client_id()?)));
    Ok(())
}

fn a_closed_connection(target: &Target) -> RedisResult<()> {
    let (mut c, mut other) = (target.connect()?, target.connect()?);
    other.set("key", "value")?;
    let id = c.client_id()?;
    assert_eq!(ask::<i64>(&mut other, &format!("CLIENT KILL ID {id}"))?, 1);
    let error = c.get("key").expect_err("the server has closed it");
    assert!(error.is_connection_dropped() && !c.is_open(), "{error}");
    assert_eq!(target.connect()?.get("key")?.as_deref(), Some("value"));
    Ok(())
}

fn binary_values(target: &Target) -> RedisResult<()> {
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

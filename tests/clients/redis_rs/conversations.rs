//! How a client talks to the server: connections, pipelines, transactions, messages, waiting, errors.

use std::collections::HashMap;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use redis::{Connection, ConnectionLike, Direction, Msg, PushInfo, RedisResult, TypedCommands, Value, pipe};

use super::{PATIENCE, Target, ask, refused};

pub(super) fn connecting(target: &Target) -> RedisResult<()> {
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

pub(super) fn pipelines(target: &Target) -> RedisResult<()> {
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

pub(super) fn transactions(target: &Target) -> RedisResult<()> {
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

pub(super) fn watch(target: &Target) -> RedisResult<()> {
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

pub(super) fn aborted_transaction(target: &Target) -> RedisResult<()> {
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

pub(super) fn publish_and_subscribe(target: &Target) -> RedisResult<()> {
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

pub(super) fn patterns(target: &Target) -> RedisResult<()> {
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
pub(super) fn pushed_messages(target: &Target) -> RedisResult<()> {
    let mut c = target.connect()?;
    if target.protocol == 2 {
        refused("", c.subscribe_resp3("news"));
        return Ok(());
    }
    let (sender, pushes) = mpsc::channel::<PushInfo>();
    c.set_push_sender(sender);
    c.subscribe_resp3("news")?;
    // The subscription is only sent by now; the reply to what follows it says that it was carried out.
    assert_eq!(c.get("key")?, None);
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

pub(super) fn blocking_on_lists(target: &Target) -> RedisResult<()> {
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

pub(super) fn blocking_on_sorted_sets(target: &Target) -> RedisResult<()> {
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

pub(super) fn errors(target: &Target) -> RedisResult<()> {
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

pub(super) fn administration(target: &Target) -> RedisResult<()> {
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

pub(super) fn a_closed_connection(target: &Target) -> RedisResult<()> {
    let (mut c, mut other) = (target.connect()?, target.connect()?);
    other.set("key", "value")?;
    let id = c.client_id()?;
    assert_eq!(ask::<i64>(&mut other, &format!("CLIENT KILL ID {id}"))?, 1);
    let error = c.get("key").expect_err("the server has closed it");
    assert!(error.is_connection_dropped() && !c.is_open(), "{error}");
    assert_eq!(target.connect()?.get("key")?.as_deref(), Some("value"));
    Ok(())
}

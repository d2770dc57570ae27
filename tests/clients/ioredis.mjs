// ioredis against one server: `node ioredis.mjs PORT 2`; this version of the library speaks RESP2 alone.

import Redis from "ioredis";

import { Inbox, check, names, patienceMs, port, refused, run, section, until, woken } from "./sections.mjs";

const open = [];

/** A client that is closed when its section ends. */
function connect(options = {}) {
  const client = new Redis({ port, commandTimeout: patienceMs, retryStrategy: () => 5, ...options });
  client.on("error", () => {});
  open.push(client);
  return client;
}

/** Fields and values, or members and scores, in turn as a list of pairs. */
function pairs(flat) {
  return flat.flatMap((item, at) => (at % 2 ? [] : [[item, flat[at + 1]]]));
}

/** Everything that a stream of a scan yields, without repetitions. */
async function gather(stream, step) {
  const seen = new Map();
  for await (const items of stream) {
    for (let at = 0; at < items.length; at += step) {
      seen.set(items[at], items[at + step - 1]);
    }
  }
  return seen;
}

section("connecting", async () => {
  const client = connect({ connectionName: "transcript", db: 3 });
  check([await client.ping(), await client.echo("hello")], ["PONG", "hello"]);
  check([await client.client("GETNAME"), client.status], ["transcript", "ready"]);
  await client.set("key", "of database 3");
  check(await connect().get("key"), null);
  const url = new Redis(`redis://127.0.0.1:${port}/3`);
  open.push(url);
  check(await url.get("key"), "of database 3");
  const lazy = connect({ lazyConnect: true, enableReadyCheck: false });
  check(lazy.status, "wait");
  await lazy.connect();
  check(await lazy.hello(2).then((reply) => pairs(reply)[2]), ["proto", 2]);
});

section("strings", async () => {
  const client = connect();
  check([await client.set("key", "value", "NX"), await client.set("key", "other", "NX")], ["OK", null]);
  check([await client.set("key", "other", "XX", "GET"), await client.append("key", " words")], ["value", 11]);
  check([await client.strlen("key"), await client.getrange("key", 0, 4)], [11, "other"]);
  check([await client.setrange("key", 6, "W"), await client.getdel("key")], [11, "other Words"]);
  check([await client.mset({ a: 1, b: 2 }), await client.mget("a", "nobody", "b")], ["OK", ["1", null, "2"]]);
  check([await client.msetnx("b", 1, "c", 1), await client.msetnx(new Map([["c", 1]]))], [0, 1]);
  check([await client.incrby("a", 10), await client.decr("a")], [11, 10]);
  check(await client.incrbyfloat("a", 0.5), "10.5");
  check([await client.setbit("bits", 7, 1), await client.getbit("bits", 7), await client.bitcount("bits")], [0, 1, 1]);
});

section("keys", async () => {
  const client = connect();
  await client.mset("a", 1, "b", 2, "c", 3);
  check([await client.exists("a", "b", "nobody"), await client.type("a")], [2, "string"]);
  check([await client.rename("a", "d"), await client.renamenx("d", "b"), await client.copy("b", "e")], ["OK", 0, 1]);
  check([await client.del("b", "nobody"), await client.unlink("c", "d"), await client.keys("*")], [1, 2, ["e"]]);
  check([await client.restore("f", 0, await client.dumpBuffer("e")), await client.get("f")], ["OK", "2"]);
  check([await client.move("f", 5), await client.dbsize(), await client.randomkey()], [1, 1, "e"]);
  const prefixed = connect({ keyPrefix: "app:" });
  await prefixed.mset("x", 1, "y", 2);
  check([await prefixed.mget("x", "y"), await client.get("app:y")], [["1", "2"], "2"]);
});

section("expiry", async () => {
  const client = connect();
  await client.set("key", "value", "EX", 100);
  const left = await client.ttl("key");
  check(98 < left && left <= 100, true);
  check([await client.persist("key"), await client.ttl("key"), await client.ttl("nobody")], [1, -1, -2]);
  check([await client.expire("key", 50, "NX"), await client.expire("key", 20, "GT")], [1, 0]);
  check([await client.expireat("key", 4102444800), await client.expiretime("key")], [1, 4102444800]);
  check(await client.getex("key", "PX", 100), "value");
  check(await client.setex("other", 100, "value"), "OK");
  await until(async () => (await client.get("key")) === null);
  check(await client.exists("key", "other"), 1);
});

section("hashes", async () => {
  const client = connect();
  check(await client.hset("hash", { name: "Ada", born: 1815 }), 2);
  check([await client.hget("hash", "name"), await client.hget("hash", "nobody")], ["Ada", null]);
  check([await client.hmget("hash", "born", "nobody"), await client.hexists("hash", "born")], [["1815", null], 1]);
  check([await client.hincrby("hash", "born", 5), await client.hincrbyfloat("hash", "half", 0.5)], [1820, "0.5"]);
  check([await client.hsetnx("hash", "name", "Eve"), await client.hlen("hash")], [0, 3]);
  check(await client.hgetall("hash"), { name: "Ada", born: "1820", half: "0.5" });
  check((await client.hkeys("hash")).sort(), ["born", "half", "name"]);
  check((await client.hrandfield("hash", 2, "WITHVALUES")).length, 4);
  check([await client.hdel("hash", "half", "x"), await client.hdel("hash", "name", "born")], [1, 2]);
  check(await client.hgetall("hash"), {});
});

section("lists", async () => {
  const client = connect();
  check([await client.rpush("list", "b", "c"), await client.lpush("list", "a")], [2, 3]);
  check([await client.lrange("list", 0, -1), await client.lindex("list", -1)], [["a", "b", "c"], "c"]);
  check([await client.linsert("list", "BEFORE", "b", "x"), await client.lset("list", 0, "A")], [4, "OK"]);
  check([await client.lpos("list", "c"), await client.lrem("list", 0, "x")], [3, 1]);
  check([await client.ltrim("list", 0, 1), await client.llen("list")], ["OK", 2]);
  check([await client.lmove("list", "other", "LEFT", "RIGHT"), await client.rpoplpush("list", "other")], ["A", "b"]);
  check([await client.lpop("other"), await client.lpop("other", 2), await client.rpop("other")], ["b", ["A"], null]);
  await client.rpush("list", 3, 1, 2);
  check(await client.lmpop(2, "nobody", "list", "LEFT", "COUNT", 2), ["list", ["3", "1"]]);
});

section("sort", async () => {
  const client = connect();
  await client.rpush("list", 3, 1, 2);
  await client.mset("weight:1", 30, "weight:2", 10, "weight:3", 20);
  check(await client.sort("list", "LIMIT", 0, 2, "DESC"), ["3", "2"]);
  check(await client.sort("list", "BY", "weight:*", "GET", "#", "GET", "weight:*"), ["2", "10", "3", "20", "1", "30"]);
});

section("sets", async () => {
  const client = connect();
  check([await client.sadd("a", 1, 2, 3), await client.sadd("a", 3), await client.sadd("b", 2, 3, 4)], [3, 0, 3]);
  check([(await client.smembers("a")).sort(), await client.scard("a")], [["1", "2", "3"], 3]);
  check([await client.sismember("a", 1), await client.smismember("a", 1, 9)], [1, [1, 0]]);
  check([(await client.sinter("a", "b")).sort(), await client.sdiff("a", "b")], [["2", "3"], ["1"]]);
  check([(await client.sunion("a", "b")).length, await client.sintercard(2, "a", "b", "LIMIT", 1)], [4, 1]);
  check([await client.sinterstore("c", "a", "b"), await client.sunionstore("d", "a", "b")], [2, 4]);
  check([await client.smove("a", "b", 1), await client.srem("a", 2, 9), await client.spop("a")], [1, 1, "3"]);
  check((await client.srandmember("b", -20)).length, 20);
});

section("sorted sets", async () => {
  const client = connect();
  check(await client.zadd("board", 3, "ada", 1, "bob", 2.5, "eve"), 3);
  check([await client.zadd("board", "GT", "CH", 4, "ada"), await client.zincrby("board", 1, "bob")], [1, "2"]);
  check(await client.zrange("board", 0, -1, "WITHSCORES"), ["bob", "2", "eve", "2.5", "ada", "4"]);
  check([await client.zscore("board", "eve"), await client.zscore("board", "nobody")], ["2.5", null]);
  check([await client.zrank("board", "ada"), await client.zrevrank("board", "ada")], [2, 0]);
  check(await client.zmscore("board", "bob", "x"), ["2", null]);
  check([await client.zrangebyscore("board", "(2", "+inf"), await client.zcount("board", 2, 2.5)], [["eve", "ada"], 2]);
  await client.zadd("other", 10, "bob", "+inf", "zoe");
  check([await client.zunionstore("sum", 2, "board", "other"), await client.zscore("sum", "zoe")], [4, "inf"]);
  check(await client.zinter(2, "board", "other", "WITHSCORES"), ["bob", "12"]);
  await client.zadd("words", 0, "a", 0, "b", 0, "c");
  check([await client.zrangebylex("words", "[b", "+"), await client.zlexcount("words", "-", "(c")], [["b", "c"], 2]);
  check([await client.zremrangebyrank("words", 0, 0), await client.zrem("words", "b", "x")], [1, 1]);
  check(
    [await client.zpopmin("board"), await client.zpopmax("board", 1)],
    [
      ["bob", "2"],
      ["ada", "4"],
    ],
  );
  check(await client.zmpop(1, "board", "MIN"), ["board", [["eve", "2.5"]]]);
});

section("pipelines", async () => {
  const client = connect();
  const pipe = client.pipeline();
  names("", 1000).forEach((number) => pipe.set(`key:${number}`, number).incr("counter"));
  const replies = await pipe.exec();
  check([replies.length, replies[1999], replies.every(([error]) => error === null)], [2000, [null, 1000], true]);
  const mixed = await client
    .pipeline([
      ["set", "word", "x"],
      ["incr", "word"],
      ["get", "key:7"],
    ])
    .exec();
  check([mixed[0], mixed[1][0].message.slice(0, 3), mixed[2]], [[null, "OK"], "ERR", [null, "7"]]);
  const automatic = connect({ enableAutoPipelining: true });
  const counts = await Promise.all(names("", 100).map(() => automatic.incr("counter")));
  check(counts, names("", 100, 1001).map(Number));
});

section("transactions", async () => {
  const client = connect();
  const replies = await client.multi().set("a", 1).set("b", 2).incr("a").mget("a", "b").exec();
  check(replies, [
    [null, "OK"],
    [null, "OK"],
    [null, 2],
    [null, ["2", "2"]],
  ]);
  const failing = await client.multi().set("word", "x").incr("word").set("after", 1).exec();
  check([failing[1][0].message.includes("not an integer"), await client.get("after")], [true, "1"]);
  await client.multi({ pipeline: false });
  check(
    [await client.set("c", 1), await client.get("c"), await client.exec()],
    [
      "QUEUED",
      "QUEUED",
      [
        [null, "OK"],
        [null, "1"],
      ],
    ],
  );
  check(
    [await client.call("MULTI"), await client.call("INCR", "c"), await client.call("DISCARD")],
    ["OK", "QUEUED", "OK"],
  );
  check(await client.get("c"), "1");
});

section("watch", async () => {
  const [client, other] = [connect(), connect()];
  await client.set("stock", 10);
  await client.watch("stock");
  await other.set("stock", 5);
  check(await client.multi().set("stock", 9).exec(), null);
  check([await client.watch("stock"), await client.unwatch()], ["OK", "OK"]);
  await other.set("stock", 6);
  check(await client.multi().get("stock").exec(), [[null, "6"]]);
  const attempts = [];
  for (let done = null; done === null;) {
    await client.watch("stock");
    const left = Number(await client.get("stock"));
    if (attempts.length < 2) {
      await other.incr("stock");
    }
    attempts.push(left);
    done = await client
      .multi()
      .set("stock", left - 1)
      .exec();
  }
  check([attempts, await client.get("stock")], [[6, 7, 8], "7"]);
});

section("aborted transaction", async () => {
  const client = connect();
  await refused(
    "EXECABORT Transaction discarded because of previous errors",
    client.multi().set("key", 1).call("NOBODY").exec(),
  );
  await refused("EXECABORT", client.multi().set("key", 1).call("GET").exec());
  check(await client.exists("key"), 0);
});

section("publish and subscribe", async () => {
  const [client, subscriber, inbox] = [connect(), connect(), new Inbox()];
  subscriber.on("message", (...message) => inbox.add(...message));
  subscriber.on("messageBuffer", (...message) => inbox.add(...message));
  check([await subscriber.subscribe("news", "sport"), await subscriber.ping()], [2, ["pong", ""]]);
  check([await client.publish("news", "one"), await client.publish("nobody", "two")], [1, 0]);
  check(
    [await inbox.next(), await inbox.next()],
    [
      ["news", "one"],
      ["news", "one"],
    ],
  );
  check(
    [(await client.pubsub("CHANNELS")).sort(), await client.pubsub("NUMSUB", "news")],
    [
      ["news", "sport"],
      ["news", 1],
    ],
  );
  await refused("subscriber mode", subscriber.get("key"));
  check([await subscriber.unsubscribe("news"), await client.publish("news", "three")], [1, 0]);
  check([await subscriber.unsubscribe(), await subscriber.get("key")], [0, null]);
});

section("patterns", async () => {
  const [client, subscriber, inbox] = [connect(), connect(), new Inbox()];
  subscriber.on("message", (...message) => inbox.add(...message));
  subscriber.on("pmessage", (...message) => inbox.add(...message));
  check([await subscriber.psubscribe("n[ae]ws.*"), await subscriber.subscribe("news.today")], [1, 2]);
  check([await client.publish("news.today", "twice"), await client.pubsub("NUMPAT")], [2, 1]);
  check(
    [await inbox.next(), await inbox.next()],
    [
      ["news.today", "twice"],
      ["n[ae]ws.*", "news.today", "twice"],
    ],
  );
  check([await subscriber.punsubscribe("n[ae]ws.*"), await client.publish("naws.", "nobody")], [1, 0]);
});

section("sharded channels", async () => {
  const [client, subscriber, inbox] = [connect(), connect(), new Inbox()];
  subscriber.on("smessage", (...message) => inbox.add(...message));
  check(await subscriber.ssubscribe("shard"), 1);
  check([await client.spublish("shard", "one"), await client.publish("shard", "two")], [1, 0]);
  check([await inbox.next(), await client.pubsub("SHARDCHANNELS")], [["shard", "one"], ["shard"]]);
  check(await subscriber.sunsubscribe("shard"), 0);
});

section("blocking on lists", async () => {
  const [client, other] = [connect(), connect()];
  const info = () => client.info("clients");
  await client.rpush("b", 1, 2, 3);
  check(
    [await client.blpop("a", "b", 1), await client.brpop("b", 1)],
    [
      ["b", "1"],
      ["b", "3"],
    ],
  );
  check([await client.blmove("b", "c", "LEFT", "RIGHT", 1), await client.brpoplpush("a", "c", 0.05)], ["2", null]);
  check(await client.blmpop(1, 2, "a", "c", "LEFT"), ["c", ["2"]]);
  const began = Date.now();
  check(await client.blpop("a", "b", 0.1), null);
  check(Date.now() - began >= 90, true);
  check(await woken(info, other.blpop("a", "b", 0), () => client.rpush("b", "x", "y")), ["b", "x"]);
  check(await woken(info, other.blmove("z", "b", "LEFT", "LEFT", 0), () => client.lpush("z", "m")), "m");
  check(await client.lrange("b", 0, -1), ["m", "y"]);
});

section("blocking on sorted sets", async () => {
  const [client, other] = [connect(), connect()];
  await client.zadd("b", 1, "one", 2, "two", 3, "three");
  check(
    [await client.bzpopmin("a", "b", 1), await client.bzpopmax("b", 1)],
    [
      ["b", "one", "1"],
      ["b", "three", "3"],
    ],
  );
  check([await client.bzmpop(1, 1, "b", "MIN"), await client.bzpopmin("b", 0.05)], [["b", [["two", "2"]]], null]);
  const wake = () => client.zadd("b", 5, "x");
  check(await woken(() => client.info("clients"), other.bzpopmin("a", "b", 0), wake), ["b", "x", "5"]);
});

section("scans", async () => {
  const client = connect();
  await client.mset(...names("key:", 500).flatMap((name) => [name, 1]));
  await client.mset(...names("other:", 20).flatMap((name) => [name, 1]));
  const matching = await gather(client.scanStream({ match: "key:*", count: 37 }), 1);
  check([...matching.keys()].sort(), names("key:", 500).sort());
  check(
    [
      (await gather(client.scanStream({ type: "string" }), 1)).size,
      (await gather(client.scanStream({ type: "list" }), 1)).size,
    ],
    [520, 0],
  );
});

section("scans of hashes", async () => {
  const client = connect();
  await client.hset("hash", Object.fromEntries(names("field:", 700).map((name, at) => [name, at])));
  const all = await gather(client.hscanStream("hash", { count: 50 }), 2);
  check([all.size, all.get("field:123")], [700, "123"]);
  check((await gather(client.hscanStream("hash", { match: "field:6?" }), 2)).size, 10);
});

section("scans of sets", async () => {
  const client = connect();
  await client.sadd("set", names("member:", 700));
  check((await gather(client.sscanStream("set", { count: 50 }), 1)).size, 700);
  check((await gather(client.sscanStream("set", { match: "member:6?" }), 1)).size, 10);
});

section("scans of sorted sets", async () => {
  const client = connect();
  await client.zadd("zset", ...names("member:", 700).flatMap((name, at) => [at + 0.5, name]));
  const all = await gather(client.zscanStream("zset", { count: 50 }), 2);
  check([all.size, all.get("member:123")], [700, "123.5"]);
  check((await gather(client.zscanStream("zset", { match: "member:6?" }), 2)).size, 10);
});

section("errors", async () => {
  const client = connect();
  await client.hset("hash", "field", 1);
  await client.set("word", "x");
  await refused("WRONGTYPE Operation against a key holding the wrong kind of value", client.get("hash"));
  await refused("ERR unknown command 'NOBODY', with args beginning with: 'a'", client.call("NOBODY", "a"));
  await refused("ERR wrong number of arguments for 'get' command", client.call("GET"));
  await refused("ERR value is not an integer or out of range", client.incr("word"));
  await refused("ERR syntax error", client.set("a", "b", "NOBODY"));
  await refused("ERR DB index is out of range", client.select(99999));
  check(await client.get("word"), "x");
});

section("administration", async () => {
  const [client, other] = [connect({ connectionName: "first" }), connect({ connectionName: "second" })];
  const id = await other.client("ID");
  const list = await client.client("LIST");
  check([list.includes("name=first"), list.includes(`id=${id} `), list.includes("name=second")], [true, true, true]);
  check(await client.client("KILL", "ID", id), 1);
  check(
    [await client.config("SET", "maxmemory-policy", "allkeys-lru"), await client.config("GET", "maxmemory-p*")],
    ["OK", ["maxmemory-policy", "allkeys-lru"]],
  );
  await client.config("SET", "maxmemory-policy", "noeviction");
  await client.set("key", 1);
  const info = await client.info();
  check([info.includes(`tcp_port:${port}\r\n`), info.includes("redis_mode:standalone\r\n")], [true, true]);
  check([info.includes("role:master\r\n"), /^db0:keys=1,/m.test(info)], [true, true]);
  check([/^redis_version:7\./m.test(info), (await client.role())[0]], [true, "master"]);
  check([(await client.command("INFO", "GET"))[0][0], (await client.command("COUNT")) > 100], ["get", true]);
  check([(await client.memory("USAGE", "key")) > 0, (await client.time()).length], [true, 2]);
  check(
    [await client.slowlog("RESET"), Array.isArray(await client.slowlog("GET")), await client.wait(0, 10)],
    ["OK", true, 0],
  );
});

section("monitor", async () => {
  const client = connect();
  // ioredis takes a line that comes in one packet with the reply to MONITOR for the reply to another command, so that
  // its own INFO of a new connection must be over.
  await client.ping();
  const monitor = await client.monitor();
  open.push(monitor);
  const seen = new Promise((resolve) => {
    monitor.on("monitor", (_, words, source, database) => words[0] === "set" && resolve([...words, database]));
  });
  await client.set("key", 'a "value"');
  check(await seen, ["set", "key", 'a "value"', "0"]);
});

section("reconnection", async () => {
  const [client, other] = [connect(), connect()];
  await client.set("key", "value");
  for (let round = 0; round < 3; round += 1) {
    const again = new Promise((resolve) => client.once("ready", resolve));
    check(await other.client("KILL", "ID", await client.client("ID")), 1);
    await again;
    check(await client.get("key"), "value");
  }
  const ended = new Promise((resolve) => client.once("end", resolve));
  check(await client.quit(), "OK");
  await ended;
  await refused("Connection is closed", client.get("key"));
  await client.connect();
  check(await client.get("key"), "value");
});

section("reconnection of a subscriber", async () => {
  const [client, subscriber, inbox] = [connect(), connect(), new Inbox()];
  subscriber.on("message", (...message) => inbox.add(...message));
  subscriber.on("pmessage", (...message) => inbox.add(...message));
  await subscriber.subscribe("news");
  await subscriber.psubscribe("n?ws");
  check(await client.client("KILL", "TYPE", "pubsub"), 1);
  await until(async () => (await client.pubsub("NUMPAT")) === 1 && (await client.pubsub("NUMSUB", "news"))[1] === 1);
  check(await client.publish("news", "again"), 2);
  check(
    [await inbox.next(), await inbox.next()],
    [
      ["news", "again"],
      ["n?ws", "news", "again"],
    ],
  );
});

section("binary values", async () => {
  const client = connect();
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const large = Buffer.alloc(2_000_000, Buffer.from([0, 13, 10, 255]));
  check([await client.set(every, every), (await client.getBuffer(every)).equals(every)], ["OK", true]);
  check([await client.set("large", large), (await client.getBuffer("large")).equals(large)], ["OK", true]);
  check([await client.set("", ""), await client.get(""), await client.strlen(every)], ["OK", "", 256]);
  await client.hset("hash", every, every);
  check((await client.hgetallBuffer("hash"))[every.toString()].equals(every), true);
});

await run(
  () => connect().flushall(),
  () => open.splice(0).forEach((client) => client.disconnect()),
);

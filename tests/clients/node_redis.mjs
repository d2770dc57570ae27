// node-redis (the npm package `redis`) against one server: `node node_redis.mjs PORT PROTOCOL`.

import { RESP_TYPES, WatchError, createClient, createClientPool } from "redis";

import { Inbox, check, names, patienceMs, port, protocol, refused, run, section, until, woken } from "./sections.mjs";

const open = [];

/** How every connection is made. */
function options(more = {}) {
  return { socket: { port, reconnectStrategy: () => 5 }, RESP: protocol, commandsQueueMaxLength: 100_000, ...more };
}

/** A connected client that is closed when its section ends. */
async function connect(more) {
  const client = createClient(options(more));
  client.on("error", () => {});
  open.push(client);
  return client.connect();
}

/** Everything that an iterator of a scan yields, without repetitions, by `key` of each item. */
async function gather(iterator, key = (item) => item) {
  const seen = new Map();
  for await (const items of iterator) {
    items.forEach((item) => seen.set(key(item), item));
  }
  return seen;
}

section("connecting", async () => {
  const client = await connect({ name: "transcript", database: 3 });
  check([await client.ping(), await client.echo("hello"), client.isReady], ["PONG", "hello", true]);
  check(await client.clientGetName(), "transcript");
  const { db, name, resp } = await client.clientInfo();
  check([db, name, resp ?? protocol], [3, "transcript", protocol]);
  await client.set("key", "of database 3");
  check(await (await connect()).get("key"), null);
  const url = await connect({ socket: undefined, url: `redis://127.0.0.1:${port}/3` });
  check(await url.get("key"), "of database 3");
  const hello = await client.hello(protocol);
  check([hello.server, hello.proto, hello.mode], ["redis", protocol, "standalone"]);
});

section("connection pool", async () => {
  const pool = await createClientPool(options(), { minimum: 1, maximum: 4 }).connect();
  pool.on("error", () => {});
  open.push(pool);
  await Promise.all(names("", 200).map(() => pool.incr("counter")));
  check(await pool.get("counter"), "200");
  check(await pool.execute(async (client) => client.incrBy("counter", 2)), 202);
  check(pool.totalClients <= 4, true);
});

section("strings", async () => {
  const client = await connect();
  check(await client.set("key", "value", { condition: "NX" }), "OK");
  check(await client.set("key", "other", { condition: "NX" }), null);
  check(await client.set("key", "other", { condition: "XX", GET: true }), "value");
  check([await client.append("key", " words"), await client.strLen("key")], [11, 11]);
  check([await client.getRange("key", 0, 4), await client.setRange("key", 6, "W")], ["other", 11]);
  check([await client.getDel("key"), await client.get("key")], ["other Words", null]);
  check([await client.mSet({ a: "1", b: "2" }), await client.mGet(["a", "nobody", "b"])], ["OK", ["1", null, "2"]]);
  check([await client.mSetNX({ b: "1", c: "1" }), await client.mSetNX([["c", "1"]])], [0, 1]);
  check([await client.incrBy("a", 10), await client.decr("a"), await client.incrByFloat("a", 0.5)], [11, 10, "10.5"]);
  check([await client.setBit("bits", 7, 1), await client.getBit("bits", 7), await client.bitCount("bits")], [0, 1, 1]);
});

section("keys", async () => {
  const client = await connect();
  await client.mSet({ a: "1", b: "2", c: "3" });
  check([await client.exists(["a", "b", "nobody"]), await client.type("a")], [2, "string"]);
  check([await client.rename("a", "d"), await client.renameNX("d", "b"), await client.copy("b", "e")], ["OK", 0, 1]);
  check([await client.del(["b", "nobody"]), await client.unlink(["c", "d"]), await client.keys("*")], [1, 2, ["e"]]);
  check([await client.move("e", 5), await client.dbSize(), await client.randomKey()], [1, 0, null]);
  check([await client.select(5), await client.get("e"), await client.flushDb()], [undefined, "2", "OK"]);
});

section("expiry", async () => {
  const client = await connect();
  await client.set("key", "value", { expiration: { type: "EX", value: 100 } });
  const left = await client.ttl("key");
  check(98 < left && left <= 100, true);
  check([await client.persist("key"), await client.ttl("key"), await client.ttl("nobody")], [1, -1, -2]);
  check([await client.expire("key", 50, "NX"), await client.expire("key", 20, "GT")], [1, 0]);
  check([await client.expireAt("key", new Date(4102444800000)), await client.expireTime("key")], [1, 4102444800]);
  check(await client.getEx("key", { type: "PX", value: 100 }), "value");
  check(await client.setEx("other", 100, "value"), "OK");
  await until(async () => (await client.get("key")) === null);
  check(await client.exists(["key", "other"]), 1);
});

section("hashes", async () => {
  const client = await connect();
  check(await client.hSet("hash", { name: "Ada", born: 1815 }), 2);
  check([await client.hGet("hash", "name"), await client.hGet("hash", "nobody")], ["Ada", null]);
  check([await client.hmGet("hash", ["born", "nobody"]), await client.hExists("hash", "born")], [["1815", null], 1]);
  check([await client.hIncrBy("hash", "born", 5), await client.hIncrByFloat("hash", "half", 0.5)], [1820, "0.5"]);
  check([await client.hSetNX("hash", "name", "Eve"), await client.hLen("hash")], [0, 3]);
  check({ ...(await client.hGetAll("hash")) }, { name: "Ada", born: "1820", half: "0.5" });
  check([(await client.hKeys("hash")).sort(), (await client.hVals("hash")).length], [["born", "half", "name"], 3]);
  const random = await client.hRandFieldCountWithValues("hash", 2);
  check([random.length, Object.keys(random[0]).sort()], [2, ["field", "value"]]);
  check([await client.hDel("hash", ["half", "x"]), await client.hDel("hash", ["name", "born"])], [1, 2]);
});

section("lists", async () => {
  const client = await connect();
  check([await client.rPush("list", ["b", "c"]), await client.lPush("list", "a")], [2, 3]);
  check([await client.lRange("list", 0, -1), await client.lIndex("list", -1)], [["a", "b", "c"], "c"]);
  check([await client.lInsert("list", "BEFORE", "b", "x"), await client.lSet("list", 0, "A")], [4, "OK"]);
  check([await client.lPos("list", "c"), await client.lRem("list", 0, "x")], [3, 1]);
  check([await client.lTrim("list", 0, 1), await client.lLen("list")], ["OK", 2]);
  check([await client.lMove("list", "other", "LEFT", "RIGHT"), await client.rPopLPush("list", "other")], ["A", "b"]);
  check(
    [await client.lPop("other"), await client.lPopCount("other", 2), await client.rPop("other")],
    ["b", ["A"], null],
  );
  await client.rPush("list", ["3", "1", "2"]);
  check(await client.lmPop(["nobody", "list"], "LEFT", { COUNT: 2 }), ["list", ["3", "1"]]);
});

section("sort", async () => {
  const client = await connect();
  await client.rPush("list", ["3", "1", "2"]);
  await client.mSet({ "weight:1": "30", "weight:2": "10", "weight:3": "20" });
  check(await client.sort("list", { DIRECTION: "DESC", LIMIT: { offset: 0, count: 2 } }), ["3", "2"]);
  check(await client.sort("list", { BY: "weight:*", GET: ["#"] }), ["2", "3", "1"]);
  check([await client.sortStore("list", "sorted"), await client.sortRo("sorted")], [3, ["1", "2", "3"]]);
});

section("sets", async () => {
  const client = await connect();
  check([await client.sAdd("a", ["1", "2", "3"]), await client.sAdd("a", "3")], [3, 0]);
  check([await client.sAdd("b", ["2", "3", "4"]), await client.sCard("a")], [3, 3]);
  check([...(await client.sMembers("a"))].sort(), ["1", "2", "3"]);
  check([await client.sIsMember("a", "1"), await client.smIsMember("a", ["1", "9"])], [1, [1, 0]]);
  check([[...(await client.sInter(["a", "b"]))].sort(), [...(await client.sDiff(["a", "b"]))]], [["2", "3"], ["1"]]);
  check([[...(await client.sUnion(["a", "b"]))].length, await client.sInterCard(["a", "b"], 1)], [4, 1]);
  check([await client.sInterStore("c", ["a", "b"]), await client.sUnionStore("d", ["a", "b"])], [2, 4]);
  check([await client.sMove("a", "b", "1"), await client.sRem("a", ["2", "9"]), await client.sPop("a")], [1, 1, "3"]);
  check((await client.sRandMemberCount("b", -20)).length, 20);
});

section("sorted sets", async () => {
  const client = await connect();
  const board = [
    ["ada", 3],
    ["bob", 1],
    ["eve", 2.5],
  ].map(([value, score]) => ({ value, score }));
  check(await client.zAdd("board", board), 3);
  check(await client.zAdd("board", { value: "ada", score: 4 }, { comparison: "GT", CH: true }), 1);
  check([await client.zIncrBy("board", 1, "bob"), await client.zScore("board", "nobody")], [2, null]);
  const all = await client.zRangeWithScores("board", 0, -1);
  check(
    all.map(({ value, score }) => [value, score]),
    [
      ["bob", 2],
      ["eve", 2.5],
      ["ada", 4],
    ],
  );
  check([await client.zRank("board", "ada"), await client.zRevRank("board", "ada")], [2, 0]);
  check([await client.zmScore("board", ["bob", "x"]), await client.zCount("board", 2, 2.5)], [[2, null], 2]);
  check(await client.zRange("board", "(2", "+inf", { BY: "SCORE" }), ["eve", "ada"]);
  check(await client.zRange("board", 0, 0, { REV: true }), ["ada"]);
  await client.zAdd("other", [
    { value: "bob", score: 10 },
    { value: "zoe", score: Infinity },
  ]);
  check([await client.zUnionStore("sum", ["board", "other"]), await client.zScore("sum", "zoe")], [4, Infinity]);
  check([...(await client.zInter(["board", "other"]))], ["bob"]);
  await client.zAdd(
    "words",
    ["a", "b", "c"].map((value) => ({ value, score: 0 })),
  );
  check([await client.zRangeByLex("words", "[b", "+"), await client.zLexCount("words", "-", "(c")], [["b", "c"], 2]);
  check([await client.zRemRangeByRank("words", 0, 0), await client.zRem("words", ["b", "x"])], [1, 1]);
  check({ ...(await client.zPopMin("board")) }, { value: "bob", score: 2 });
  check(
    (await client.zmPop(["board"], "MAX")).members.map((member) => ({ ...member })),
    [{ value: "ada", score: 4 }],
  );
  check(await client.zCard("board"), 1);
});

section("pipelines", async () => {
  const client = await connect();
  const counts = await Promise.all(names("key:", 1000).map((key) => client.set(key, key) && client.incr("counter")));
  check(counts, names("", 1000, 1).map(Number));
  check(await client.multi().set("word", "x").get("key:7").execAsPipeline(), ["OK", "key:7"]);
  const mixed = await Promise.allSettled([client.get("word"), client.incr("word"), client.get("key:8")]);
  check(
    mixed.map(({ status, value }) => value ?? status),
    ["x", "rejected", "key:8"],
  );
});

section("transactions", async () => {
  const client = await connect();
  check(await client.multi().set("a", "1").set("b", "2").incr("a").mGet(["a", "b"]).exec(), [
    "OK",
    "OK",
    2,
    ["2", "2"],
  ]);
  await refused("1 commands failed", client.multi().set("word", "x").incr("word").set("after", "1").exec());
  check(await client.get("after"), "1");
  check(await client.sendCommand(["MULTI"]), "OK");
  check([await client.sendCommand(["INCR", "a"]), await client.sendCommand(["DISCARD"])], ["QUEUED", "OK"]);
  check(await client.get("a"), "2");
});

section("watch", async () => {
  const [client, other] = [await connect(), await connect()];
  await client.set("stock", "10");
  await client.watch("stock");
  await other.set("stock", "5");
  await refused("One (or more) of the watched keys has been changed", client.multi().set("stock", "9").exec());
  check([await client.watch("stock"), await client.unwatch()], ["OK", "OK"]);
  await other.set("stock", "6");
  check(await client.multi().get("stock").exec(), ["6"]);
  const attempts = [];
  for (let done = false; !done;) {
    await client.watch(["stock"]);
    const left = Number(await client.get("stock"));
    if (attempts.length < 2) {
      await other.incr("stock");
    }
    attempts.push(left);
    try {
      await client
        .multi()
        .set("stock", left - 1)
        .exec();
      done = true;
    } catch (error) {
      check(error instanceof WatchError, true);
    }
  }
  check([attempts, await client.get("stock")], [[6, 7, 8], "7"]);
});

section("aborted transaction", async () => {
  const client = await connect();
  await refused("ERR unknown command 'NOBODY'", client.multi().set("key", "1").addCommand(["NOBODY"]).exec());
  await refused("ERR wrong number of arguments", client.multi().set("key", "1").addCommand(["GET"]).exec());
  await client.sendCommand(["MULTI"]);
  await refused("ERR unknown command 'NOBODY'", client.sendCommand(["NOBODY"]));
  await refused("EXECABORT Transaction discarded because of previous errors", client.sendCommand(["EXEC"]));
  check(await client.exists("key"), 0);
});

section("publish and subscribe", async () => {
  const [client, subscriber, inbox] = [await connect(), await connect(), new Inbox()];
  const listener = (data, channel) => inbox.add(channel, data);
  await subscriber.subscribe(["news", "sport"], listener);
  await subscriber.subscribe("news", listener, true);
  check([await client.publish("news", "one"), await client.publish("nobody", "two")], [1, 0]);
  check(
    [await inbox.next(), await inbox.next()],
    [
      ["news", "one"],
      ["news", "one"],
    ],
  );
  check((await client.pubSubChannels()).sort(), ["news", "sport"]);
  check({ ...(await client.pubSubNumSub(["news"])) }, { news: 1 });
  check((await subscriber.ping()).toUpperCase(), "PONG");
  if (protocol === 3) {
    check(await subscriber.get("key"), null);
  }
  await subscriber.unsubscribe("news");
  check([await client.publish("news", "three"), await client.publish("sport", "four")], [0, 1]);
  check(await inbox.next(), ["sport", "four"]);
  await subscriber.unsubscribe();
  check([await client.publish("sport", "five"), await subscriber.get("key")], [0, null]);
});

section("patterns", async () => {
  const [client, subscriber, inbox] = [await connect(), await connect(), new Inbox()];
  await subscriber.pSubscribe("n[ae]ws.*", (data, channel) => inbox.add("pattern", channel, data));
  await subscriber.subscribe("news.today", (data, channel) => inbox.add("channel", channel, data));
  check([await client.publish("news.today", "twice"), await client.pubSubNumPat()], [2, 1]);
  const both = [await inbox.next(), await inbox.next()];
  check(both, [
    ["channel", "news.today", "twice"],
    ["pattern", "news.today", "twice"],
  ]);
  await subscriber.pUnsubscribe("n[ae]ws.*");
  check(await client.publish("naws.", "nobody"), 0);
});

section("sharded channels", async () => {
  const [client, subscriber, inbox] = [await connect(), await connect(), new Inbox()];
  await subscriber.sSubscribe("shard", (data, channel) => inbox.add(channel, data));
  check([await client.sPublish("shard", "one"), await client.publish("shard", "two")], [1, 0]);
  check([await inbox.next(), await client.pubSubShardChannels()], [["shard", "one"], ["shard"]]);
  await subscriber.sUnsubscribe("shard");
  check(await client.sPublish("shard", "nobody"), 0);
});

section("blocking on lists", async () => {
  const [client, other] = [await connect(), await connect()];
  const info = () => client.info("clients");
  await client.rPush("b", ["1", "2", "3"]);
  check({ ...(await client.blPop(["a", "b"], 1)) }, { key: "b", element: "1" });
  check({ ...(await client.brPop("b", 1)) }, { key: "b", element: "3" });
  check([await client.blMove("b", "c", "LEFT", "RIGHT", 1), await client.brPopLPush("a", "c", 0.05)], ["2", null]);
  check(await client.blmPop(1, ["a", "c"], "LEFT"), ["c", ["2"]]);
  const began = Date.now();
  check(await client.blPop(["a", "b"], 0.1), null);
  check(Date.now() - began >= 90, true);
  const pushed = await woken(info, other.blPop(["a", "b"], 0), () => client.rPush("b", ["x", "y"]));
  check({ ...pushed }, { key: "b", element: "x" });
  check(await woken(info, other.blMove("z", "b", "LEFT", "LEFT", 0), () => client.lPush("z", "m")), "m");
  check(await client.lRange("b", 0, -1), ["m", "y"]);
});

section("blocking on sorted sets", async () => {
  const [client, other] = [await connect(), await connect()];
  await client.zAdd("b", [
    { value: "one", score: 1 },
    { value: "two", score: 2 },
    { value: "three", score: 3 },
  ]);
  check({ ...(await client.bzPopMin(["a", "b"], 1)) }, { key: "b", value: "one", score: 1 });
  check({ ...(await client.bzPopMax("b", 1)) }, { key: "b", value: "three", score: 3 });
  check([(await client.bzmPop(1, "b", "MIN")).key, await client.bzPopMin("b", 0.05)], ["b", null]);
  const wake = () => client.zAdd("b", { value: "x", score: 5 });
  const added = await woken(() => client.info("clients"), other.bzPopMin(["a", "b"], 0), wake);
  check({ ...added }, { key: "b", value: "x", score: 5 });
});

section("scans", async () => {
  const client = await connect();
  await client.mSet(names("key:", 500).map((name) => [name, "1"]));
  await client.mSet(names("other:", 20).map((name) => [name, "1"]));
  const matching = await gather(client.scanIterator({ MATCH: "key:*", COUNT: 37 }));
  check([...matching.keys()].sort(), names("key:", 500).sort());
  check((await gather(client.scanIterator({ TYPE: "string" }))).size, 520);
  check((await gather(client.scanIterator({ TYPE: "list" }))).size, 0);
});

section("scans of hashes", async () => {
  const client = await connect();
  await client.hSet("hash", Object.fromEntries(names("field:", 700).map((name, at) => [name, at])));
  const all = await gather(client.hScanIterator("hash", { COUNT: 50 }), ({ field }) => field);
  check([all.size, all.get("field:123").value], [700, "123"]);
  check((await gather(client.hScanIterator("hash", { MATCH: "field:6?" }), ({ field }) => field)).size, 10);
});

section("scans of sets", async () => {
  const client = await connect();
  await client.sAdd("set", names("member:", 700));
  check((await gather(client.sScanIterator("set", { COUNT: 50 }))).size, 700);
  check((await gather(client.sScanIterator("set", { MATCH: "member:6?" }))).size, 10);
});

section("scans of sorted sets", async () => {
  const client = await connect();
  await client.zAdd(
    "zset",
    names("member:", 700).map((value, at) => ({ value, score: at + 0.5 })),
  );
  const all = await gather(client.zScanIterator("zset", { COUNT: 50 }), ({ value }) => value);
  check([all.size, all.get("member:123").score], [700, 123.5]);
  check((await gather(client.zScanIterator("zset", { MATCH: "member:6?" }), ({ value }) => value)).size, 10);
});

section("errors", async () => {
  const client = await connect();
  await client.hSet("hash", "field", "1");
  await client.set("word", "x");
  await refused("WRONGTYPE Operation against a key holding the wrong kind of value", client.get("hash"));
  await refused("ERR unknown command 'NOBODY', with args beginning with: 'a'", client.sendCommand(["NOBODY", "a"]));
  await refused("ERR wrong number of arguments for 'get' command", client.sendCommand(["GET"]));
  await refused("ERR value is not an integer or out of range", client.incr("word"));
  await refused("ERR syntax error", client.sendCommand(["SET", "a", "b", "NOBODY"]));
  await refused("ERR DB index is out of range", client.select(99999));
  check(await client.get("word"), "x");
});

section("administration", async () => {
  const [client, other] = [await connect({ name: "first" }), await connect({ name: "second" })];
  const id = await other.clientId();
  const list = await client.clientList();
  check([list.some(({ name }) => name === "first"), list.find((line) => line.id === id)?.name], [true, "second"]);
  check(await client.clientKill({ filter: "ID", id }), 1);
  check([await client.clientNoEvict(true), await client.clientUnpause()], ["OK", "OK"]);
  check(await client.configSet("maxmemory-policy", "allkeys-lru"), "OK");
  check({ ...(await client.configGet("maxmemory-p*")) }, { "maxmemory-policy": "allkeys-lru" });
  await client.configSet("maxmemory-policy", "noeviction");
  await client.set("key", "1");
  const info = await client.info();
  check([info.includes(`tcp_port:${port}\r\n`), info.includes("redis_mode:standalone\r\n")], [true, true]);
  check([/^redis_version:7\./m.test(info), /^db0:keys=1,/m.test(info)], [true, true]);
  const [get] = await client.commandInfo(["GET"]);
  check([get.name, get.arity, [...get.flags].sort()], ["get", 2, ["fast", "readonly"]]);
  check([(await client.commandCount()) > 100, (await client.role()).role], [true, "master"]);
  check([(await client.memoryUsage("key")) > 0, (await client.time()).length], [true, 2]);
  check([await client.commandGetKeys(["MSET", "a", "1", "b", "2"]), await client.wait(0, 10)], [["a", "b"], 0]);
});

section("monitor", async () => {
  const [client, watcher, inbox] = [await connect(), await connect(), new Inbox()];
  await watcher.monitor((line) => line.includes('"SET"') && inbox.add(line.replace(/^\S+ \[(\d+) \S+\]/, "$1")));
  await client.set("key", 'a "value"');
  check(await inbox.next(), ['0 "SET" "key" "a \\"value\\""']);
});

section("reconnection", async () => {
  const [client, other] = [await connect(), await connect()];
  await client.set("key", "value");
  for (let round = 0; round < 3; round += 1) {
    const again = new Promise((resolve) => client.once("ready", resolve));
    check(await other.clientKill({ filter: "ID", id: await client.clientId() }), 1);
    await again;
    check(await client.get("key"), "value");
  }
  await client.close();
  await refused("The client is closed", client.get("key"));
  await client.connect();
  check(await client.get("key"), "value");
});

section("reconnection of a subscriber", async () => {
  const [client, subscriber, inbox] = [await connect(), await connect(), new Inbox()];
  await subscriber.subscribe("news", (data, channel) => inbox.add("channel", channel, data));
  await subscriber.pSubscribe("n?ws", (data, channel) => inbox.add("pattern", channel, data));
  check(await client.clientKill({ filter: "TYPE", type: "pubsub" }), 1);
  await until(async () => (await client.pubSubNumPat()) === 1 && (await client.pubSubNumSub(["news"])).news === 1);
  check(await client.publish("news", "again"), 2);
  check(
    [await inbox.next(), await inbox.next()],
    [
      ["channel", "news", "again"],
      ["pattern", "news", "again"],
    ],
  );
});

section("time limits", async () => {
  const client = await connect();
  await client.set("key", "value");
  const hasty = client.withCommandOptions({ timeout: 50 });
  const sleeping = (await connect()).sendCommand(["DEBUG", "SLEEP", "0.2"]);
  await until(
    async () =>
      (await Promise.race([sleeping.then(() => "late"), hasty.get("key").catch(() => "timed out")])) !== "value",
  );
  check([await sleeping, await client.get("key")], ["OK", "value"]);
});

section("binary values", async () => {
  const client = (await connect()).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  const every = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const large = Buffer.alloc(2_000_000, Buffer.from([0, 13, 10, 255]));
  check([await client.set(every, every), (await client.get(every)).equals(every)], ["OK", true]);
  check([await client.set("large", large), (await client.get("large")).equals(large)], ["OK", true]);
  check([await client.set("", ""), (await client.get("")).length, await client.strLen(every)], ["OK", 0, 256]);
  await client.hSet("hash", every, every);
  check((await client.hGet("hash", every)).equals(every), true);
});

await run(
  async () => (await connect()).flushAll(),
  () => open.splice(0).forEach((client) => client.destroy()),
);

"""redis-py against one server: `redis_py.py PORT PROTOCOL`."""

import asyncio
import threading
import time

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.exceptions import ExecAbortError, ResponseError, TimeoutError, WatchError
from redis.retry import Retry

from sections import OPEN, PATIENCE_SECONDS, PORT, PROTOCOL
from sections import answers, check, connect, message, options, refused, run, section, until, woken


@section("connecting")
def _():
    client = connect(client_name="transcript", db=3)
    check(client.ping(), True)
    check(client.echo("hello"), "hello")
    check(client.client_getname(), "transcript")
    check(int(client.client_info()["db"]), 3)
    hello = client.execute_command("HELLO")
    hello = hello if PROTOCOL == 3 else dict(zip(hello[::2], hello[1::2]))
    check([hello["server"], hello["proto"], hello["mode"]], ["redis", PROTOCOL, "standalone"])
    check(client.set("key", "of database 3"), True)
    check(connect().get("key"), None)
    url = f"redis://127.0.0.1:{PORT}/3?protocol={PROTOCOL}&decode_responses=True"
    with redis.from_url(url) as from_url:
        check(from_url.get("key"), "of database 3")


@section("connection pool")
def _():
    pool = redis.BlockingConnectionPool(**options(max_connections=4, timeout=PATIENCE_SECONDS))
    client = redis.Redis(connection_pool=pool)
    OPEN.append(client)

    def count():
        for _ in range(100):
            client.incr("counter")

    threads = [threading.Thread(target=count, daemon=True) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join(PATIENCE_SECONDS) for thread in threads]
    check(client.get("counter"), "800")
    check(len(client.client_list()) <= 6, True)
    pool.disconnect()
    check(client.get("counter"), "800")


@section("asyncio")
def _():
    async def run():
        async with redis.asyncio.Redis(**options()) as client:
            await client.set("key", 1)
            counts = await asyncio.gather(*(client.incr("key") for _ in range(20)))
            check(sorted(counts), list(range(2, 22)))
            async with client.pipeline(transaction=False) as pipe:
                check(await pipe.get("key").exists("key", "nobody").execute(), ["21", 1])

    asyncio.run(asyncio.wait_for(run(), PATIENCE_SECONDS))


@section("strings")
def _():
    client = connect()
    check(client.set("key", "value", nx=True), True)
    check(client.set("key", "other", nx=True), None)
    check(client.set("key", "other", xx=True, get=True), "value")
    check(client.append("key", " words"), 11)
    check([client.strlen("key"), client.getrange("key", 0, 4), client.setrange("key", 6, "W")], [11, "other", 11])
    check(client.getdel("key"), "other Words")
    check(client.get("key"), None)
    check(client.mset({"a": 1, "b": 2}), True)
    check(client.mget("a", "nobody", "b"), ["1", None, "2"])
    check([client.msetnx({"b": 1, "c": 1}), client.msetnx({"c": 1, "d": 1})], [False, True])
    check([client.incr("a", 10), client.decr("a"), client.incrbyfloat("a", 0.5)], [11, 10, 10.5])
    check([client.setbit("bits", 7, 1), client.getbit("bits", 7), client.bitcount("bits")], [0, 1, 1])
    check(client.bitfield("bits").set("u8", 8, 200).incrby("u8", 8, 100, "SAT").execute(), [0, 255])
    check(client.lcs("a", "b"), "")


@section("keys")
def _():
    client = connect()
    client.mset({"a": 1, "b": 2, "c": 3})
    check([client.exists("a", "b", "nobody"), client.touch("a", "nobody"), client.type("a")], [2, 1, "string"])
    check([client.rename("a", "d"), client.renamenx("d", "b"), client.copy("b", "e")], [True, False, True])
    check([client.delete("b", "nobody"), client.unlink("c", "d")], [1, 2])
    check([client.dbsize(), client.keys("*"), client.randomkey()], [1, ["e"], "e"])
    raw = connect(decode_responses=False)
    check([raw.restore("f", 0, raw.dump("e")), raw.get("f")], [b"OK", b"2"])
    check([client.move("f", 5), client.exists("f"), client.object("encoding", "e")], [True, 0, "int"])
    check([client.flushdb(), client.dbsize()], [True, 0])


@section("expiry")
def _():
    client = connect()
    client.set("key", "value", ex=100)
    check(98 < client.ttl("key") <= 100, True)
    check([client.persist("key"), client.ttl("key"), client.ttl("nobody")], [True, -1, -2])
    check([client.expire("key", 50, nx=True), client.expire("key", 20, gt=True)], [True, False])
    check([client.expireat("key", 4102444800), client.expiretime("key")], [True, 4102444800])
    check(client.getex("key", px=100), "value")
    check(0 < client.pttl("key") <= 100, True)
    check(client.set("other", "value", px=100_000), True)
    until(lambda: client.get("key") is None)
    check(client.exists("key", "other"), 1)


@section("hashes")
def _():
    client = connect()
    check(client.hset("hash", mapping={"name": "Ada", "born": 1815}), 2)
    check([client.hget("hash", "name"), client.hget("hash", "nobody")], ["Ada", None])
    check([client.hmget("hash", "born", "nobody"), client.hexists("hash", "born")], [["1815", None], True])
    check([client.hincrby("hash", "born", 5), client.hincrbyfloat("hash", "half", 0.5)], [1820, 0.5])
    check([client.hsetnx("hash", "name", "Eve"), client.hlen("hash"), client.hstrlen("hash", "name")], [0, 3, 3])
    check(client.hgetall("hash"), {"name": "Ada", "born": "1820", "half": "0.5"})
    check(
        [sorted(client.hkeys("hash")), sorted(client.hvals("hash"))], [["born", "half", "name"], ["0.5", "1820", "Ada"]]
    )
    check(client.hrandfield("hash") in ("born", "half", "name"), True)
    check(
        [client.hdel("hash", "half", "nobody"), client.hdel("hash", "name", "born"), client.exists("hash")], [1, 2, 0]
    )


@section("lists")
def _():
    client = connect()
    check([client.rpush("list", "b", "c"), client.lpush("list", "a"), client.rpushx("nobody", "a")], [2, 3, 0])
    check([client.lrange("list", 0, -1), client.llen("list"), client.lindex("list", -1)], [["a", "b", "c"], 3, "c"])
    check(
        [client.linsert("list", "BEFORE", "b", "x"), client.lset("list", 0, "A"), client.lpos("list", "c")],
        [4, True, 3],
    )
    check(
        [client.lrem("list", 0, "x"), client.ltrim("list", 0, 1), client.lrange("list", 0, -1)], [1, True, ["A", "b"]]
    )
    check([client.lmove("list", "other", "LEFT", "RIGHT"), client.rpoplpush("list", "other")], ["A", "b"])
    check([client.rpop("other"), client.lpop("other", 2), client.lpop("other")], ["A", ["b"], None])
    client.rpush("list", 3, 1, 2)
    check(client.lmpop(2, "nobody", "list", direction="LEFT", count=2), ["list", ["3", "1"]])


@section("sort")
def _():
    client = connect()
    client.rpush("list", 3, 1, 2)
    client.mset({"weight:1": 30, "weight:2": 10, "weight:3": 20})
    check([client.sort("list"), client.sort("list", desc=True, start=0, num=2)], [["1", "2", "3"], ["3", "2"]])
    check(client.sort("list", by="weight:*", get=["#", "weight:*"]), ["2", "10", "3", "20", "1", "30"])
    check([client.sort("list", alpha=True, store="sorted"), client.lrange("sorted", 0, -1)], [3, ["1", "2", "3"]])


@section("sets")
def _():
    client = connect()
    check([client.sadd("a", 1, 2, 3), client.sadd("a", 3), client.sadd("b", 2, 3, 4)], [3, 0, 3])
    check([set(client.smembers("a")), client.scard("a")], [{"1", "2", "3"}, 3])
    check([client.sismember("a", 1), client.smismember("a", [1, 9])], [1, [1, 0]])
    check([set(client.sinter("a", "b")), set(client.sdiff("a", "b"))], [{"2", "3"}, {"1"}])
    check([set(client.sunion("a", "b")), client.sintercard(2, ["a", "b"], limit=1)], [{"1", "2", "3", "4"}, 1])
    check(
        [client.sinterstore("c", "a", "b"), client.sunionstore("d", "a", "b"), client.sdiffstore("e", "a", "b")],
        [2, 4, 1],
    )
    check([client.smove("a", "b", 1), client.srem("a", 2, 9), client.spop("a"), client.exists("a")], [1, 1, "3", 0])
    check([client.srandmember("e"), client.srandmember("e", -2)], ["1", ["1", "1"]])


@section("sorted sets")
def _():
    client = connect()
    check(client.zadd("board", {"ada": 3, "bob": 1, "eve": 2.5}), 3)
    check([client.zadd("board", {"ada": 4}, gt=True, ch=True), client.zadd("board", {"bob": 1}, incr=True)], [1, 2.0])
    check(client.zrange("board", 0, -1, withscores=True), [["bob", 2.0], ["eve", 2.5], ["ada", 4.0]])
    check(
        [client.zrevrange("board", 0, 0), client.zscore("board", "eve"), client.zscore("board", "nobody")],
        [["ada"], 2.5, None],
    )
    check(
        [client.zrank("board", "ada"), client.zrevrank("board", "ada"), client.zmscore("board", ["bob", "x"])],
        [2, 0, [2.0, None]],
    )
    check([client.zrangebyscore("board", "(2", "+inf"), client.zcount("board", 2, 2.5)], [["eve", "ada"], 2])
    check([client.zincrby("board", 1.5, "bob"), client.zcard("board"), client.zrem("board", "ada", "x")], [3.5, 3, 1])
    client.zadd("other", {"bob": 10, "zoe": float("inf")})
    check([client.zunionstore("sum", ["board", "other"]), client.zinter(["board", "other"])], [3, ["bob"]])
    check(
        [client.zscore("sum", "bob"), client.zscore("sum", "zoe"), client.zdiff(["board", "other"])],
        [13.5, float("inf"), ["eve"]],
    )
    client.zadd("words", {"a": 0, "b": 0, "c": 0})
    check([client.zrangebylex("words", "[b", "+"), client.zlexcount("words", "-", "(c")], [["b", "c"], 2])
    check([client.zrangestore("copy", "words", 0, 1), client.zremrangebyrank("words", 0, 0)], [2, 1])
    popped = client.zpopmin("board")
    check(popped if PROTOCOL == 3 else popped[0], ["eve", 2.5])
    check(client.zmpop(1, ["copy"], max=True)[0], "copy")
    check(client.zrandmember("copy"), "a")


@section("pipelines")
def _():
    client = connect()
    pipe = client.pipeline(transaction=False)
    for number in range(1000):
        pipe.set(f"key:{number}", number).incr("counter")
    replies = pipe.execute()
    check([replies[0::2], replies[1::2]], [[True] * 1000, list(range(1, 1001))])
    pipe.get("key:7").incr("counter").incr("a word").get("key:8")
    pipe.set("a word", "x").incr("a word")
    replies = pipe.execute(raise_on_error=False)
    check(replies[:5], ["7", 1001, 1, "8", True])
    check(isinstance(replies[5], ResponseError), True)


@section("transactions")
def _():
    client = connect()
    pipe = client.pipeline(transaction=True)
    check(pipe.set("a", 1).set("b", 2).incr("a").mget("a", "b").execute(), [True, True, 2, ["2", "2"]])
    pipe.set("word", "x").incr("word").set("after", 1)
    replies = pipe.execute(raise_on_error=False)
    check([replies[0], isinstance(replies[1], ResponseError), replies[2]], [True, True, True])
    check(client.get("after"), "1")
    raw = connect(single_connection_client=True)
    check([raw.execute_command("MULTI"), raw.execute_command("DISCARD")], ["OK", "OK"])


@section("watch")
def _():
    client, other = connect(), connect()
    client.set("stock", 10)
    with client.pipeline() as pipe:
        pipe.watch("stock")
        left = int(pipe.get("stock"))
        other.set("stock", 5)
        pipe.multi()
        pipe.set("stock", left - 1)
        refused(WatchError, "", pipe.execute)
        pipe.watch("stock")
        pipe.unwatch()
        other.set("stock", 6)
        pipe.multi()
        check(pipe.get("stock").execute(), ["6"])
    attempts = []

    def take(pipe):
        left = int(pipe.get("stock"))
        if len(attempts) < 2:
            other.incr("stock")
        attempts.append(left)
        pipe.multi()
        pipe.set("stock", left - 1)

    check(client.transaction(take, "stock"), [True])
    check([attempts, client.get("stock")], [[6, 7, 8], "7"])


@section("aborted transaction")
def _():
    client = connect()
    pipe = client.pipeline(transaction=True)
    pipe.set("key", 1).execute_command("GET")
    refused((ExecAbortError, ResponseError), "wrong number of arguments", pipe.execute)
    raw = connect(single_connection_client=True)
    raw.execute_command("MULTI")
    refused(ResponseError, "unknown command", raw.execute_command, "NOBODY")
    refused(ExecAbortError, "Transaction discarded because of previous errors", raw.execute_command, "EXEC")
    check(client.exists("key"), 0)


@section("publish and subscribe")
def _():
    client, subscriber = connect(), connect().pubsub()
    subscriber.subscribe("news", "sport")
    check(message(subscriber), ["subscribe", None, "news", 1])
    check(message(subscriber), ["subscribe", None, "sport", 2])
    check([client.publish("news", "one"), client.publish("nobody", "two")], [1, 0])
    check(message(subscriber), ["message", None, "news", "one"])
    check([sorted(client.pubsub_channels()), client.pubsub_numsub("news")], [["news", "sport"], [["news", 1]]])
    if PROTOCOL == 2:  # With RESP3 redis-py takes the reply for a message and its letters for the parts.
        subscriber.ping()
        check(message(subscriber)[0], "pong")
    subscriber.unsubscribe("news")
    check(message(subscriber), ["unsubscribe", None, "news", 1])
    check(client.publish("news", "three"), 0)
    subscriber.unsubscribe()
    check(message(subscriber), ["unsubscribe", None, "sport", 0])
    heard = []
    subscriber.subscribe(news=lambda found: heard.append(found["data"]))
    thread = subscriber.run_in_thread(sleep_time=0.01, daemon=True)
    until(lambda: client.publish("news", "four"))
    until(lambda: "four" in heard)
    thread.stop()
    thread.join(PATIENCE_SECONDS)


@section("patterns")
def _():
    client, subscriber = connect(), connect().pubsub()
    subscriber.psubscribe("n[ae]ws.*")
    check(message(subscriber), ["psubscribe", None, "n[ae]ws.*", 1])
    subscriber.subscribe("news.today")
    check(message(subscriber), ["subscribe", None, "news.today", 2])
    check([client.publish("news.today", "twice"), client.pubsub_numpat()], [2, 1])
    check(message(subscriber), ["message", None, "news.today", "twice"])
    check(message(subscriber), ["pmessage", "n[ae]ws.*", "news.today", "twice"])
    subscriber.punsubscribe()
    check(message(subscriber), ["punsubscribe", None, "n[ae]ws.*", 1])
    check(client.publish("naws.", "nobody"), 0)


@section("sharded channels")
def _():
    client, subscriber = connect(), connect().pubsub()
    subscriber.ssubscribe("shard")
    check(message(subscriber), ["ssubscribe", None, "shard", 1])
    check([client.spublish("shard", "one"), client.publish("shard", "two")], [1, 0])
    check(message(subscriber), ["smessage", None, "shard", "one"])
    check([client.pubsub_shardchannels(), client.pubsub_shardnumsub("shard")], [["shard"], [["shard", 1]]])
    subscriber.sunsubscribe("shard")
    check(message(subscriber), ["sunsubscribe", None, "shard", 0])


@section("blocking on lists")
def _():
    client = connect()
    client.rpush("b", 1, 2, 3)
    check(
        [client.blpop(["a", "b"], 1), client.brpop("b", 1), client.blmove("b", "c", 1)], [["b", "1"], ["b", "3"], "2"]
    )
    check([client.blmpop(1, 2, "a", "c", direction="LEFT"), client.brpoplpush("a", "c", 0.05)], [["c", ["2"]], None])
    began = time.monotonic()
    check(client.blpop(["a", "b"], 0.1), None)
    check(0.09 < time.monotonic() - began < 2, True)
    check(woken(client, lambda other: other.blpop(["a", "b"]), lambda: client.rpush("b", "x", "y")), ["b", "x"])
    check(woken(client, lambda other: other.blmove("z", "b", 0), lambda: client.lpush("z", "m")), "m")
    check(client.lrange("b", 0, -1), ["y", "m"])


@section("blocking on sorted sets")
def _():
    client = connect()
    client.zadd("b", {"one": 1, "two": 2, "three": 3})
    check([client.bzpopmin(["a", "b"], 1), client.bzpopmax("b", 1)], [["b", "one", 1.0], ["b", "three", 3.0]])
    check([client.bzmpop(1, 1, ["b"], min=True)[0], client.bzpopmin("b", 0.05)], ["b", None])
    check(woken(client, lambda other: other.bzpopmin(["a", "b"]), lambda: client.zadd("b", {"x": 5})), ["b", "x", 5.0])


@section("scans")
def _():
    client = connect()
    client.mset({f"key:{number}": number for number in range(500)})
    client.mset({f"other:{number}": number for number in range(20)})
    check(set(client.scan_iter(match="key:*", count=37)), {f"key:{number}" for number in range(500)})
    check(len(set(client.scan_iter(_type="string"))), 520)
    check(list(client.scan_iter(_type="list")), [])


@section("scans of hashes")
def _():
    client = connect()
    client.hset("hash", mapping={f"field:{number}": number for number in range(700)})
    check(dict(client.hscan_iter("hash", count=50)), {f"field:{number}": str(number) for number in range(700)})
    check(
        dict(client.hscan_iter("hash", match="field:6?")), {f"field:{number}": str(number) for number in range(60, 70)}
    )


@section("scans of sets")
def _():
    client = connect()
    client.sadd("set", *(f"member:{number}" for number in range(700)))
    check(set(client.sscan_iter("set", count=50)), {f"member:{number}" for number in range(700)})
    check(set(client.sscan_iter("set", match="member:6?")), {f"member:{number}" for number in range(60, 70)})


@section("scans of sorted sets")
def _():
    client = connect()
    client.zadd("zset", {f"member:{number}": number + 0.5 for number in range(700)})
    check(dict(client.zscan_iter("zset", count=50)), {f"member:{number}": number + 0.5 for number in range(700)})
    check(len(list(client.zscan_iter("zset", match="member:6?"))), 10)


@section("errors")
def _():
    client = connect()
    client.hset("hash", "field", 1)
    client.set("word", "x")
    refused(ResponseError, "WRONGTYPE Operation against a key holding the wrong kind of value", client.get, "hash")
    refused(
        ResponseError, "unknown command 'NOBODY', with args beginning with: 'a'", client.execute_command, "NOBODY", "a"
    )
    refused(ResponseError, "wrong number of arguments for 'get' command", client.execute_command, "GET")
    refused(ResponseError, "value is not an integer or out of range", client.incr, "word")
    refused(ResponseError, "syntax error", client.execute_command, "SET", "a", "b", "NOBODY")
    refused(ResponseError, "DB index is out of range", client.execute_command, "SELECT", 99999)
    check(client.get("word"), "x")


@section("administration")
def _():
    client, other = connect(client_name="first"), connect(client_name="second")
    other.ping()
    client.ping()
    check({"first", "second"} <= {line["name"] for line in client.client_list()}, True)
    check([client.client_id() > 0, client.client_kill_filter(_id=other.client_id())], [True, 1])
    check([client.client_pause(1), client.client_unpause(), client.client_no_evict("ON")], [True, "OK", "OK"])
    info = client.info()
    check([info["redis_mode"], info["tcp_port"], "db0" in info], ["standalone", PORT, False])
    client.set("key", 1)
    check([client.info("keyspace")["db0"]["keys"], client.info("server")["redis_version"][:2]], [1, "7."])
    check(client.info("clients")["connected_clients"] >= 1, True)
    check(
        [client.config_set("maxmemory-policy", "allkeys-lru"), client.config_get("maxmemory-p*")],
        [True, {"maxmemory-policy": "allkeys-lru"}],
    )
    client.config_set("maxmemory-policy", "noeviction")
    check([client.command_count() > 100, "get" in client.command(), client.role()[0]], [True, True, "master"])
    check([client.memory_usage("key") > 0, abs(client.time()[0] - time.time()) < 60], [True, True])
    check([client.slowlog_reset(), isinstance(client.slowlog_get(), list), client.lastsave() is not None], [True] * 3)
    check([client.command_getkeys("MSET", "a", 1, "b", 2), client.wait(0, 10)], [["a", "b"], 0])


@section("monitor")
def _():
    client = connect()
    with connect().monitor() as monitor:
        client.set("key", 'a "value"')
        while (seen := monitor.next_command())["command"].split()[0] != "SET":
            pass
        check([seen["command"], seen["db"]], ['SET key a "value"', 0])


@section("reconnection")
def _():
    client, other = connect(), connect()
    client.set("key", "value")
    for _ in range(3):
        check(other.client_kill_filter(_id=client.client_id()), 1)
        check(client.get("key"), "value")
    impatient = connect(retry=Retry(NoBackoff(), 0), single_connection_client=True)
    check(other.client_kill_filter(_id=impatient.client_id()), 1)
    refused(redis.ConnectionError, "", impatient.ping)
    check(impatient.ping(), True)
    check([client.execute_command("QUIT"), client.get("key")], [True, "value"])


@section("reconnection of a subscriber")
def _():
    client, subscriber = connect(), connect().pubsub()
    subscriber.subscribe("news")
    subscriber.psubscribe("n?ws")
    check([message(subscriber)[3], message(subscriber)[3]], [1, 2])
    check(client.client_kill_filter(_type="pubsub"), 1)
    check({message(subscriber)[0], message(subscriber)[0]}, {"subscribe", "psubscribe"})
    check(client.publish("news", "again"), 2)
    check({message(subscriber)[0], message(subscriber)[0]}, {"message", "pmessage"})


@section("time limits")
def _():
    client = connect(socket_timeout=0.1, retry=Retry(NoBackoff(), 0))
    client.set("key", "value")
    refused(TimeoutError, "", client.execute_command, "DEBUG", "SLEEP", "0.3")
    until(lambda: answers(client))
    check(client.get("key"), "value")


@section("binary values")
def _():
    client = connect(decode_responses=False)
    every, large = bytes(range(256)), b"\x00\r\n\xff" * 500_000
    check([client.set(every, every), client.get(every), client.strlen(every)], [True, every, 256])
    check([client.set("large", large), client.get("large") == large, client.set("", "")], [True, True, True])
    check([client.getrange("large", -4, -1), client.get("")], [b"\x00\r\n\xff", b""])
    client.hset("hash", mapping={every: every, b"\r\n": b""})
    check(client.hgetall("hash"), {every: every, b"\r\n": b""})
    check(client.mget("large", every)[0] == large, True)


run()

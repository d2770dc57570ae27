//! What is sent: one row per form of a command, with its weight and the way in which its replies are compared.

use crate::compare::Compare;

/// One form of a command.
pub(crate) struct Row {
    /// How often, relative to the others.
    pub(crate) weight: u32,
    /// See `template`.
    pub(crate) template: &'static str,
    /// How the two replies are compared.
    pub(crate) compare: Compare,
    /// Whether arguments may be damaged at random. Not where a damaged argument could block the client, make a value of
    /// gigabytes, or set a deadline that passes while the test runs.
    pub(crate) damage: bool,
    /// The row sets a deadline of a millisecond: nothing is sent until both servers have seen it pass.
    pub(crate) settles: bool,
}

const fn row(weight: u32, template: &'static str) -> Row {
    Row { weight, template, compare: Compare::Exact, damage: true, settles: false }
}

const fn fixed(weight: u32, template: &'static str) -> Row {
    Row { weight, template, compare: Compare::Exact, damage: false, settles: false }
}

const fn by(weight: u32, template: &'static str, compare: Compare) -> Row {
    Row { weight, template, compare, damage: true, settles: false }
}

const fn fixed_by(weight: u32, template: &'static str, compare: Compare) -> Row {
    Row { weight, template, compare, damage: false, settles: false }
}

const fn settles(weight: u32, template: &'static str) -> Row {
    Row { weight, template, compare: Compare::Exact, damage: false, settles: true }
}

/// Every form that is sent.
pub(crate) const TABLE: &[&[Row]] =
    &[STRINGS, BITMAPS, LISTS, SORTED_SETS, SETS, HASHES, KEYS, CONNECTION, PUBSUB, SERVER, TRANSACTIONS, COMMANDS];

const STRINGS: &[Row] = &[
    row(60, "GET {k}"),
    row(40, "SET {k} {v}"),
    row(25, "SET {k} {v} [NX|XX] [GET] [EX {sec}|PX {msec}|EXAT {at}|PXAT {atms}|KEEPTTL]"),
    row(6, "SET {k} {v} (EX|PX|EXAT|PXAT) {badtime}"),
    row(4, "SET {k} {v} <(NX|XX|GET|KEEPTTL|EX {sec}|PX {msec})>"),
    settles(1, "SET {k} {v} (PX 1|PX 2) [NX|XX]"),
    settles(1, "PSETEX {k} 1 {v}"),
    row(10, "GETSET {k} {v}"),
    row(10, "GETDEL {k}"),
    row(12, "GETEX {k} [EX {sec}|PX {msec}|EXAT {at}|PXAT {atms}|PERSIST]"),
    row(3, "GETEX {k} (EX|PX|EXAT|PXAT) {badtime}"),
    settles(1, "GETEX {k} PX 1"),
    row(20, "MGET <{k}>"),
    row(15, "MSET <{k} {v}>"),
    row(10, "MSETNX <{k} {v}>"),
    row(10, "SETNX {k} {v}"),
    row(8, "SETEX {k} {sec} {v}"),
    row(8, "PSETEX {k} {msec} {v}"),
    row(3, "(SETEX|PSETEX) {k} {badtime} {v}"),
    row(15, "APPEND {k} {v}"),
    row(15, "STRLEN {k}"),
    row(20, "(GETRANGE|SUBSTR) {k} {index} {index}"),
    fixed(15, "SETRANGE {k} {offset} {v}"),
    fixed(3, "SETRANGE {k} (-1|536870912|9223372036854775807|x|1.5) {v}"),
    row(25, "(INCR|DECR) {k}"),
    row(25, "(INCRBY|DECRBY) {k} {int}"),
    row(15, "INCRBYFLOAT {k} {float}"),
    row(12, "LCS {k} {k} [LEN] [IDX] [MINMATCHLEN {small}] [WITHMATCHLEN]"),
    fixed(3, "SET {big} {bigvalue}"),
    fixed(2, "(GET|STRLEN|BITCOUNT|GETDEL) {big}"),
    fixed(2, "MGET {big} {k} {big}"),
    fixed(1, "APPEND {big} {v}"),
    fixed(1, "SETRANGE {big} 20000 {v}"),
    fixed(1, "GETRANGE {big} {index} {index}"),
    fixed(1, "COPY {big} {big} [REPLACE]"),
    fixed(1, "RENAME {big} {big}"),
];

const BITMAPS: &[Row] = &[
    fixed(15, "SETBIT {k} {bitoffset} (0|1)"),
    fixed(3, "SETBIT {k} (-1|4294967296|x|1) (0|1|2|x)"),
    row(15, "GETBIT {k} {bitoffset}"),
    row(15, "BITCOUNT {k} [{index} {index} [BYTE|BIT]]"),
    row(15, "BITPOS {k} (0|1) [{index} [{index} [BYTE|BIT]]]"),
    row(12, "BITOP (AND|OR|XOR|NOT) {k} <{k}>"),
    fixed(
        20,
        "BITFIELD {k} <(GET {bits} {bitplace}|SET {bits} {bitplace} {int}|INCRBY {bits} {bitplace} {int}|OVERFLOW (WRAP|SAT|FAIL))>",
    ),
    fixed(6, "BITFIELD_RO {k} <GET {bits} {bitplace}>"),
    fixed(3, "(BITFIELD|BITFIELD_RO) {k} [GET|SET|INCRBY|OVERFLOW] [{bits}|x8|u64|i65] [{bitplace}|-1|#-1] [{int}|x]"),
];

// Scores are such that Redis 7.0, which writes seventeen digits, writes them as 7.2 does, and are not damaged. `z:lex` has members
// of one score alone, as ranges of members make no sense elsewhere; `z:few` stays small, as walks have an order of their own
// elsewhere.
const SORTED_SETS: &[Row] = &[
    fixed(40, "ZADD {zset} <{score} {member}>"),
    fixed(25, "ZADD {zset} [NX|XX] [GT|LT] [CH] [INCR] {score} {member}"),
    fixed(10, "ZADD {zset} <(NX|XX|GT|LT|CH|INCR)> <{score} {member}>"),
    fixed(4, "ZADD {zset} [NX] [{score}] [{member}] [x] [{member}]"),
    fixed(15, "ZINCRBY {zset} {score} {member}"),
    fixed(20, "ZADD z:lex <0 {letters}>"),
    fixed(6, "ZADD z:few <{score} (a|bb|c|1|2)>"),
    row(8, "ZREM ({zset} <{member}>|z:lex <{letters}>|z:few <(a|bb|c|1|2)>)"),
    row(6, "ZCARD {zset}"),
    row(10, "ZSCORE {zset} {member}"),
    row(6, "ZMSCORE {zset} <{member}>"),
    fixed(10, "(ZRANK|ZREVRANK) {zset} {member}"),
    row(10, "ZCOUNT {zset} {limit} {limit}"),
    row(10, "ZLEXCOUNT z:lex {lexlimit} {lexlimit}"),
    row(20, "ZRANGE {zset} {index} {index} [REV] [WITHSCORES] [LIMIT {small} {small}]"),
    row(20, "ZRANGE {zset} {limit} {limit} BYSCORE [REV] [WITHSCORES] [LIMIT {small} {index}]"),
    row(10, "ZRANGE z:lex {lexlimit} {lexlimit} BYLEX [REV] [LIMIT {small} {index}] [WITHSCORES]"),
    row(10, "ZREVRANGE {zset} {index} {index} [WITHSCORES]"),
    row(10, "(ZRANGEBYSCORE|ZREVRANGEBYSCORE) {zset} {limit} {limit} [WITHSCORES] [LIMIT {index} {index}]"),
    row(10, "(ZRANGEBYLEX|ZREVRANGEBYLEX) z:lex {lexlimit} {lexlimit} [LIMIT {index} {index}]"),
    row(8, "ZRANGESTORE {zstore} {zset} {index} {index} [REV]"),
    row(8, "ZRANGESTORE {zstore} {zset} {limit} {limit} BYSCORE [REV] [LIMIT {small} {index}]"),
    row(4, "ZREMRANGEBYRANK {zset} {index} {index}"),
    row(4, "ZREMRANGEBYSCORE {zset} {limit} {limit}"),
    row(4, "ZREMRANGEBYLEX z:lex {lexlimit} {lexlimit}"),
    row(8, "(ZPOPMIN|ZPOPMAX) {zset} [{small}]"),
    fixed(3, "(BZPOPMIN|BZPOPMAX) {zset} {zset} (0.001|-1|x)"),
    fixed(2, "BZMPOP 0.001 (1 {zset}|2 {zset} {zset}) (MIN|MAX) [COUNT {small}]"),
    row(6, "ZMPOP (1 {zset}|2 {zset} {zset}) (MIN|MAX) [COUNT {small}]"),
    fixed_by(8, "ZRANDMEMBER {zset} [({small}|-{small}|100|x) [WITHSCORES]]", Compare::Shape),
    by(6, "ZSCAN {zset} 0 [MATCH {pattern}] [COUNT {small}]", Compare::Shape),
    row(6, "ZSCAN z:few 0 [MATCH {pattern}] [COUNT {small}]"),
    fixed(
        12,
        "(ZUNION|ZINTER) (1 {zset}|2 {zset} {zset} [WEIGHTS {weight} {weight}]) [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]",
    ),
    fixed(
        12,
        "(ZUNIONSTORE|ZINTERSTORE) {zstore} 2 {zset} {zsource} [WEIGHTS {weight} {weight}] [AGGREGATE (SUM|MIN|MAX)]",
    ),
    row(6, "ZDIFF (1 {zset}|2 {zset} {zset}) [WITHSCORES]"),
    row(6, "ZDIFFSTORE {zstore} 2 {zset} {zset}"),
    row(6, "ZINTERCARD (1 {zset}|2 {zset} {zset}) [LIMIT {small}]"),
    row(8, "(TYPE|OBJECT ENCODING|EXISTS|PERSIST|GET|TTL) {zset}"),
    row(3, "(COPY|RENAME|RENAMENX) {zset} {zstore}"),
    row(2, "DEL {zset}"),
];

const SETS: &[Row] = &[
    row(40, "SADD {k} <{v}>"),
    row(15, "SADD {k} <{int}>"),
    row(15, "SREM {k} <{v}>"),
    row(10, "SCARD {k}"),
    row(10, "SISMEMBER {k} {v}"),
    row(10, "SMISMEMBER {k} <{v}>"),
    by(10, "SMEMBERS {k}", Compare::Unordered),
    // All of them, or the two servers would go on with different sets.
    fixed_by(4, "SPOP {k} 1000000", Compare::Unordered),
    fixed(2, "SPOP {k} (0|-1|x|1 2)"),
    fixed_by(8, "SRANDMEMBER {k} [0|1|3|-3]", Compare::Shape),
    fixed_by(3, "SRANDMEMBER {k} 1000000", Compare::Unordered),
    fixed(2, "SRANDMEMBER {k} (x|1 2|-9223372036854775808)"),
    row(10, "SMOVE {k} {k} {v}"),
    by(15, "(SINTER|SUNION|SDIFF) <{k}>", Compare::Unordered),
    row(15, "(SINTERSTORE|SUNIONSTORE|SDIFFSTORE) {k} <{k}>"),
    row(6, "SINTERCARD 2 {k} {k} [LIMIT {small}]"),
    fixed(3, "SINTERCARD (0|-1|x|3) {k} [{k}] [LIMIT|BAD] [{int}]"),
    fixed_by(6, "SSCAN {k} 0 COUNT 1000 [MATCH {pattern}]", Compare::Nested),
    fixed(3, "SSCAN {k} (x|0 COUNT 0|0 COUNT x|0 MATCH|0 BAD 1|0 TYPE set)"),
];

const HASHES: &[Row] = &[
    row(40, "HSET {k} <{v} {v}>"),
    row(4, "HSET {k} <{v}>"),
    row(6, "HMSET {k} <{v} {v}>"),
    row(10, "HSETNX {k} {v} {v}"),
    row(15, "HGET {k} {v}"),
    row(10, "HMGET {k} <{v}>"),
    by(10, "HGETALL {k}", Compare::Settings),
    by(8, "(HKEYS|HVALS) {k}", Compare::Unordered),
    row(8, "HLEN {k}"),
    row(8, "(HEXISTS|HSTRLEN) {k} {v}"),
    row(15, "HDEL {k} <{v}>"),
    row(15, "HINCRBY {k} {v} {int}"),
    row(10, "HINCRBYFLOAT {k} {v} {float}"),
    fixed_by(6, "HRANDFIELD {k} [0|1|3|-3]", Compare::Shape),
    fixed_by(3, "HRANDFIELD {k} (1|3|-3) WITHVALUES", Compare::Shape),
    fixed_by(3, "HRANDFIELD {k} 1000000", Compare::Unordered),
    fixed(2, "HRANDFIELD {k} (x|1 BAD|1 WITHVALUES 2|-9223372036854775808|4611686018427387904 WITHVALUES)"),
    fixed_by(6, "HSCAN {k} 0 COUNT 1000 [MATCH {pattern}]", Compare::Nested),
    fixed(3, "HSCAN {k} (x|0 COUNT 0|0 COUNT x|0 MATCH|0 BAD 1)"),
];

const LISTS: &[Row] = &[
    row(30, "(LPUSH|RPUSH) {l} <{e}>"),
    row(6, "(LPUSHX|RPUSHX) {l} <{e}>"),
    row(2, "(LPUSH|RPUSH) {l} <{v}>"),
    row(12, "(LPOP|RPOP) {l}"),
    row(8, "(LPOP|RPOP) {l} {small}"),
    row(2, "(LPOP|RPOP) {l} (-1|x|100|0|1 2)"),
    row(8, "LLEN {l}"),
    row(4, "(DEL|UNLINK|EXISTS|TYPE|TTL|OBJECT ENCODING) {l}"),
    row(4, "(COPY|RENAME) {l} {l}"),
    row(8, "LINDEX {l} {index}"),
    row(8, "LSET {l} {index} {e}"),
    row(8, "LINSERT {l} (BEFORE|AFTER) {e} {e}"),
    row(8, "LREM {l} (0|1|2|-1|-2|{int}) {e}"),
    row(20, "LRANGE {l} {index} {index}"),
    row(8, "LRANGE {l} 0 -1"),
    row(4, "LTRIM {l} (0|1|2|{index}) (-1|-2|{index})"),
    row(10, "LPOS {l} {e} [RANK (1|-1|2|-2|0|5)] [COUNT (0|1|2|-1)] [MAXLEN (0|1|5|-1)]"),
    row(8, "LMOVE {l} {l} (LEFT|RIGHT) (LEFT|RIGHT)"),
    row(6, "RPOPLPUSH {l} {l}"),
    fixed(3, "(BLPOP|BRPOP) {l} {l} (0.001|-1|x)"),
    fixed(2, "BLMPOP 0.001 (2 {l}|1|x) {l} (LEFT|RIGHT|UP) [COUNT (0|1|3|x)]"),
    fixed(2, "BLMOVE {l} {l} (LEFT|RIGHT) (LEFT|RIGHT|UP) (0.001|-1|x)"),
    fixed(2, "BRPOPLPUSH {l} {l} (0.001|-1|x)"),
    row(6, "LMPOP 2 {l} {l} (LEFT|RIGHT) [COUNT (0|1|3|x)]"),
    row(2, "LMPOP (0|1|3|x) {l} {l} (LEFT|RIGHT) [COUNT 1]"),
    fixed(4, "SET w_{e} {int}"),
    fixed(4, "HSET h_{e} f {e} g {int}"),
    row(10, "(SORT|SORT_RO) {l} [LIMIT {index} {index}] [ASC|DESC] [ALPHA]"),
    row(
        10,
        "SORT {l} [BY (w_*|h_*->g|h_*->f|nosort|w_*->f)] [LIMIT {index} {index}] [ASC|DESC] [<GET (#|w_*|h_*->f|h_*->|x)>]",
    ),
    row(4, "SORT_RO {l} BY (w_*|h_*->f|nosort) [LIMIT 0 3] GET # GET (w_*|h_*->g)"),
    // Redis orders equal texts as it happens where it sorts a part alone, so no LIMIT by text; and members of a set whose
    // texts are equal as they lie in it.
    row(6, "SORT {l} [BY nosort] [DESC] ALPHA [<GET (#|w_*)>] STORE {l}"),
    fixed_by(4, "SORT {l} BY w_* [DESC] ALPHA [<GET (#|w_*)>]", Compare::Unordered),
    row(3, "SORT {l} [LIMIT {index} {index}] ALPHA [GET w_*] STORE {l}"),
    row(2, "(SORT|SORT_RO) {l} <(BY|GET|LIMIT|STORE|ASC|{e})>"),
];

const KEYS: &[Row] = &[
    row(20, "(DEL|UNLINK) <{k}>"),
    row(15, "(EXISTS|TOUCH) <{k}>"),
    row(8, "TYPE {k}"),
    row(20, "EXPIRE {k} {sec} [NX|XX|GT|LT]"),
    row(20, "PEXPIRE {k} {msec} [NX|XX|GT|LT]"),
    row(12, "EXPIREAT {k} {at} [NX|XX|GT|LT]"),
    row(12, "PEXPIREAT {k} {atms} [NX|XX|GT|LT]"),
    row(4, "(EXPIRE|PEXPIRE|EXPIREAT|PEXPIREAT) {k} {sec} <(NX|XX|GT|LT|BAD)>"),
    row(5, "(EXPIRE|PEXPIRE|EXPIREAT|PEXPIREAT) {k} {badtime} [NX|XX|GT|LT]"),
    settles(1, "PEXPIRE {k} 1"),
    by(12, "TTL {k}", Compare::Near(3)),
    by(12, "PTTL {k}", Compare::Near(3000)),
    by(8, "EXPIRETIME {k}", Compare::Near(3)),
    by(8, "PEXPIRETIME {k}", Compare::Near(3000)),
    row(10, "PERSIST {k}"),
    row(10, "(RENAME|RENAMENX) {k} {k}"),
    row(15, "COPY {k} {k} [DB {db}] [REPLACE]"),
    row(8, "MOVE {k} {db}"),
    row(3, "SWAPDB {db} {db}"),
    fixed_by(8, "KEYS {pattern}", Compare::Unordered),
    fixed_by(6, "SCAN [MATCH {pattern}] [COUNT (1|3|10|1000)] [TYPE (string|list|set|hash)]", Compare::ScanAll),
    fixed(3, "SCAN (x|18446744073709551616|0 COUNT 0|0 COUNT x|0 MATCH|0 BAD 1)"),
    fixed_by(5, "RANDOMKEY", Compare::RandomKey),
    row(20, "OBJECT ENCODING {k}"),
    by(3, "OBJECT REFCOUNT {k}", Compare::Shape),
    by(3, "OBJECT IDLETIME {k}", Compare::Near(3)),
    row(2, "OBJECT FREQ {k}"),
    // Strings are not compressed, and sets and hashes come in the order that chance gave them; `tests/dump.rs` restores each
    // on the other.
    fixed_by(6, "DUMP {k}", Compare::Shape),
    fixed(10, "RESTORE {k} (0|0|{msec}) {payload} [REPLACE]"),
    fixed(3, "RESTORE {k} {atms} {payload} REPLACE ABSTTL"),
    fixed(3, "RESTORE {k} (0|-1|x) ({payload}|{v}) [REPLACE] [IDLETIME (0|100|-1)] [FREQ (1|256|-1)] [BAD]"),
];

const CONNECTION: &[Row] = &[
    row(5, "PING [{v}]"),
    row(5, "ECHO {v}"),
    row(10, "SELECT {db}"),
    fixed(2, "SELECT (16|-1|x|{empty})"),
    fixed_by(3, "HELLO [2|3]", Compare::Hello),
    fixed_by(2, "HELLO (2|3) [SETNAME {name}] [AUTH default {v}]", Compare::Hello),
    fixed_by(2, "HELLO (1|4|x|2 BAD|3 SETNAME|3 AUTH a|3 AUTH a b)", Compare::Hello),
    row(2, "AUTH {v} [{v}]"),
    fixed(1, "AUTH default x"),
    fixed(1, "RESET"),
    fixed_by(2, "CLIENT ID", Compare::Shape),
    fixed_by(2, "CLIENT INFO", Compare::Clients),
    fixed_by(1, "CLIENT LIST [TYPE (normal|pubsub|replica|master)]", Compare::Clients),
    fixed(1, "CLIENT LIST (TYPE bad|ID x|ID 99999999|BAD)"),
    row(3, "CLIENT GETNAME"),
    row(3, "CLIENT SETNAME {name}"),
    fixed(1, "CLIENT SETINFO (LIB-NAME|LIB-VER) {name}"),
    fixed(1, "CLIENT (NO-EVICT (ON|OFF|BAD)|NO-TOUCH OFF)"),
    fixed(1, "CLIENT KILL (1.2.3.4:5|ID 99999999|ID x|TYPE bad|TYPE pubsub|USER nobody|SKIPME maybe|ADDR 1.2.3.4:5)"),
    fixed(1, "CLIENT UNBLOCK (99999999|x) [TIMEOUT|ERROR|BAD]"),
    fixed(1, "CLIENT (UNPAUSE|PAUSE x|PAUSE -1|PAUSE 1 BAD|REPLY BAD|REPLY ON|BAD)"),
    fixed_by(1, "(CLIENT|CONFIG|OBJECT|MEMORY|PUBSUB|SLOWLOG|LATENCY|COMMAND|DEBUG) HELP", Compare::Shape),
    row(3, "{junkname} <{v}>"),
    fixed(1, "(CLIENT|CONFIG|OBJECT|MEMORY|PUBSUB|SLOWLOG|LATENCY) [{junkname}] [{name}]"),
];

// A subscriber may ask for little else and gets what nobody awaits: who gets what is for `tests/pubsub.rs`.
const PUBSUB: &[Row] = &[
    row(2, "(PUBLISH|SPUBLISH) {v} {v}"),
    row(1, "PUBSUB (NUMSUB|SHARDNUMSUB) [{v}] [{v}]"),
    row(1, "PUBSUB (CHANNELS|SHARDCHANNELS) [{v}]"),
    fixed(1, "PUBSUB (NUMPAT|NUMPAT x|CHANNELS a b|BAD|HELP x)"),
    fixed(1, "(SUBSCRIBE|PSUBSCRIBE|SSUBSCRIBE|PUBLISH {v}|SPUBLISH {v}|PUBLISH a b c|PUBSUB)"),
];

const SERVER: &[Row] = &[
    row(6, "DBSIZE"),
    row(2, "(FLUSHDB|FLUSHALL) [SYNC|ASYNC]"),
    by(2, "TIME", Compare::Shape),
    fixed_by(
        2,
        "INFO [server|clients|memory|persistence|stats|replication|cpu|keyspace|errorstats|all|everything|default]",
        Compare::Info,
    ),
    fixed(2, "CONFIG GET {setting}"),
    fixed_by(1, "CONFIG GET (nothing|maxmemory-policy timeout)", Compare::Settings),
    fixed(2, "CONFIG SET (timeout 3600|tcp-keepalive 200|slowlog-max-len 64|maxmemory 0)"),
    fixed(
        1,
        "CONFIG SET (maxmemory 1gb maxmemory-policy noeviction|maxmemory 0 timeout 0|latency-monitor-threshold 0)",
    ),
    fixed(
        1,
        "CONFIG SET (maxmemory x|timeout x|timeout -1|databases 4|nothing 1|maxmemory 1gb maxmemory 2gb|appendonly maybe)",
    ),
    fixed(1, "CONFIG (RESETSTAT|REWRITE|BAD|SET maxmemory|GET)"),
    fixed_by(1, "SLOWLOG (LEN|GET|GET 3|GET -1)", Compare::Shape),
    fixed(1, "SLOWLOG (RESET|GET -2|GET x|BAD)"),
    fixed_by(1, "LATENCY (LATEST|HISTORY command|RESET|RESET command|DOCTOR|HISTOGRAM set|HISTOGRAM)", Compare::Shape),
    fixed(1, "LATENCY (GRAPH nothing|BAD|HISTOGRAM nosuch)"),
    by(3, "MEMORY USAGE {k} [SAMPLES 0]", Compare::Shape),
    fixed_by(1, "MEMORY (DOCTOR|PURGE)", Compare::Shape),
    fixed_by(1, "MEMORY STATS", Compare::Pairs),
    fixed(1, "MEMORY (USAGE {k} SAMPLES -1|USAGE {k} SAMPLES x|USAGE {k} BAD 1|BAD)"),
    fixed_by(1, "LOLWUT [VERSION 5 1 1 1]", Compare::Shape),
    fixed_by(1, "LASTSAVE", Compare::Shape),
    fixed(1, "(ROLE|WAIT 0 0|WAIT x 0|WAIT 0 x|WAIT 0 -1)"),
    fixed(1, "SHUTDOWN (BAD|ABORT|NOSAVE SAVE|ABORT NOW)"),
    fixed(1, "DEBUG (SLEEP 0|SET-ACTIVE-EXPIRE 1|BAD|OBJECT nosuchkey)"),
    fixed_by(1, "DEBUG OBJECT {k}", Compare::Shape),
    fixed(1, "MONITOR x"),
];

/// Where they are out of place; the generator makes up those that are in place.
const TRANSACTIONS: &[Row] = &[row(1, "(EXEC|DISCARD)"), row(1, "UNWATCH"), row(1, "WATCH <{k}>")];

const COMMANDS: &[Row] = &[
    fixed_by(4, "COMMAND INFO <{command}>", Compare::CommandInfo),
    fixed(1, "COMMAND INFO nosuch"),
    fixed_by(2, "COMMAND DOCS {command}", Compare::Docs),
    fixed(1, "COMMAND (DOCS nosuch|BAD|COUNT x|LIST FILTERBY BAD x|LIST FILTERBY ACLCAT nosuch|GETKEYS nosuch a)"),
    fixed(6, "COMMAND (GETKEYS|GETKEYSANDFLAGS) {another}"),
    fixed_by(1, "COMMAND COUNT", Compare::Shape),
    fixed_by(
        1,
        "COMMAND LIST FILTERBY (PATTERN (get*|*bit*|client*|*)|ACLCAT (string|bitmap|keyspace|connection|transaction))",
        Compare::Commands,
    ),
];

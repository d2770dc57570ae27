//! The seeded generator: few keys, so that types, lengths and deadlines meet; values at the edges of what Redis accepts.

use fastrand::Rng;

use crate::compare::Compare;
use crate::table::{Row, TABLE};
use crate::template::expand;

/// Connections that take turns.
pub(crate) const CLIENTS: usize = 3;

/// One command on its way to both servers.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Which connection sends it.
    pub(crate) client: usize,
    /// Its words. For `Compare::ScanAll` the options alone.
    pub(crate) words: Vec<Vec<u8>>,
    /// How the replies are compared.
    pub(crate) compare: Compare,
    /// It sets a short deadline: wait until it has passed on both servers.
    pub(crate) settles: bool,
    /// CLIENT REPLY keeps the server from answering.
    pub(crate) silent: bool,
    /// Sent as an inline command.
    pub(crate) inline: bool,
}

impl Operation {
    fn plain(client: usize, words: &[&str]) -> Operation {
        let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        Operation { client, words, compare: Compare::Exact, settles: false, silent: false, inline: false }
    }

    /// HELLO of a version.
    pub(crate) fn hello(client: usize, version: &str) -> Operation {
        Operation { compare: Compare::Hello, ..Self::plain(client, &["HELLO", version]) }
    }

    /// The fault of the test's own test: a write that only the tested server sees.
    pub(crate) fn planted() -> Operation {
        let words = ["MSET", "a", "planted", "b", "planted", "c", "planted", "d", "planted"];
        Operation { compare: Compare::Planted, ..Self::plain(0, &words) }
    }

    /// The keys it names.
    pub(crate) fn keys(&self) -> Vec<&[u8]> {
        let named = [&KEYS[..], &BIG_KEYS, &SORTED_SETS, &LIST_KEYS];
        let is_key = |word: &&[u8]| named.iter().any(|keys| keys.contains(word));
        self.words.iter().map(Vec::as_slice).filter(is_key).collect()
    }

    /// Whether it can matter to commands on any key.
    pub(crate) fn is_global(&self) -> bool {
        let name = self.words.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
        matches!(
            &name[..],
            b"SELECT"
                | b"SWAPDB"
                | b"FLUSHALL"
                | b"FLUSHDB"
                | b"RESET"
                | b"HELLO"
                | b"CONFIG"
                | b"CLIENT"
                | b"MULTI"
                | b"EXEC"
                | b"DISCARD"
                | b"WATCH"
                | b"UNWATCH"
        )
    }
}

const KEYS: [&[u8]; 12] = [
    b"a",
    b"b",
    b"c",
    b"d",
    b"key:1",
    b"key:2",
    b"{tag}1",
    b"{tag}2",
    b"",
    b"\x00\xff\r\n",
    b"spa ce",
    b"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk",
];
/// Keys that mostly hold lists.
const LIST_KEYS: [&[u8]; 5] = [b"l1", b"l2", b"{l}3", b"{l}4", b"l5"];
const BIG_KEYS: [&[u8]; 2] = [b"big:1", b"big:2"];

/// Sorted sets, mostly: those that are sources of unions and those that are also their destinations, so that scores do not
/// grow out of bounds; and those of which the table of commands says more.
const SORTED_SETS: [&[u8]; 7] = [b"z:1", b"z:2", b"z:3", b"z:4", b"z:5", b"z:lex", b"z:few"];

const EDGES: [&str; 24] = [
    "0",
    "-1",
    "1",
    "-0",
    "+1",
    "01",
    " 1",
    "1 ",
    "9999",
    "10000",
    "2147483647",
    "2147483648",
    "-2147483649",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "1e3",
    "0x10",
    "nan",
    "inf",
    "99999999999999999999999",
];

const FLOATS: [&str; 20] = [
    "1.5",
    "-0.1",
    "0.1",
    "3.0",
    "1e5",
    "1e-5",
    "1e300",
    "-1e300",
    "5.0e3",
    "inf",
    "-inf",
    "nan",
    "0",
    "-0.0",
    "1.7976931348623157e308",
    "100000000000000000000",
    "0.000000000000000001",
    "1.",
    ".5",
    "12345.678901234567",
];

const PATTERNS: [&str; 14] =
    ["*", "?", "a*", "key:*", "key:?", "[ab]", "[^ab]", "[a-c]", "{tag}*", "*e*", "\\*", "", "[a", "k*k"];

const SETTINGS: [&str; 13] = [
    "maxmemory",
    "maxmemory-policy",
    "timeout",
    "tcp-keepalive",
    "databases",
    "maxclients",
    "proto-max-bulk-len",
    "slowlog-log-slower-than",
    "slowlog-max-len",
    "latency-monitor-threshold",
    "appendonly",
    "save",
    "requirepass",
];

/// What a damaged argument becomes. As a deadline each of these is past, refused, or far away.
const DAMAGE: [&str; 10] = [
    "",
    "x",
    "0",
    "-1",
    "1.5",
    "12345678",
    "9999999999",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
];

/// A stream of operations, fixed by its seed.
pub(crate) struct Generator {
    rng: Rng,
    total: u32,
    /// Payloads that the reference server has dumped.
    payloads: Vec<Vec<u8>>,
    /// Counts deadlines, so that no two are equal: with GT and LT a tie would depend on the millisecond.
    deadlines: u64,
    client: usize,
    pending: Vec<Operation>,
}

/// Whether SET gets a moment long ago: redis-server then counts the key in DBSIZE until it happens to look at it.
fn has_past_deadline(words: &[Vec<u8>]) -> bool {
    words.windows(2).any(|pair| {
        let is_moment = pair[0].eq_ignore_ascii_case(b"PXAT") || pair[0].eq_ignore_ascii_case(b"EXAT");
        let number = std::str::from_utf8(&pair[1]).ok().and_then(|text| text.parse::<i64>().ok());
        is_moment && number.is_some_and(|number| number < 1_000_000_000)
    })
}

impl Generator {
    /// The stream of `seed`.
    pub(crate) fn new(seed: u64, payloads: Vec<Vec<u8>>) -> Generator {
        let total = TABLE.iter().flat_map(|rows| rows.iter()).map(|row| row.weight).sum();
        Generator { rng: Rng::with_seed(seed), total, payloads, deadlines: 0, client: 0, pending: Vec::new() }
    }

    /// The operation that `next` will give.
    pub(crate) fn peek(&mut self) -> &Operation {
        if self.pending.is_empty() {
            let next = self.next();
            self.pending.push(next);
        }
        self.pending.last().expect("one was pushed")
    }

    /// Drops what was begun with CLIENT REPLY: the connections are new.
    pub(crate) fn forget_pending(&mut self) {
        self.pending.clear();
    }

    /// The next operation.
    pub(crate) fn next(&mut self) -> Operation {
        if let Some(operation) = self.pending.pop() {
            return operation;
        }
        if self.rng.u8(..20) == 0 {
            self.client = self.rng.usize(..CLIENTS);
        }
        if self.rng.u16(..500) == 0 {
            self.silence();
        }
        if self.pending.is_empty() && self.rng.u8(..50) == 0 {
            self.transaction();
        }
        self.pending.pop().unwrap_or_else(|| self.one())
    }

    /// Queues a run of commands that are not answered, last first.
    fn silence(&mut self) {
        let quiet = |operation: Operation| Operation { silent: true, settles: false, ..operation };
        let client = self.client;
        if self.rng.bool() {
            let inside = quiet(self.answerable());
            self.pending.extend([inside, quiet(Operation::plain(client, &["CLIENT", "REPLY", "SKIP"]))]);
        } else {
            self.pending.push(Operation::plain(client, &["CLIENT", "REPLY", "ON"]));
            for _ in 0..self.rng.usize(1..5) {
                let inside = quiet(self.answerable());
                self.pending.push(inside);
            }
            self.pending.push(quiet(Operation::plain(client, &["CLIENT", "REPLY", "OFF"])));
        }
    }

    /// Queues a transaction, last first: keys may be watched before it, and anybody may change them.
    fn transaction(&mut self) {
        let client = self.client;
        let end = if self.rng.u8(..10) == 0 { "DISCARD" } else { "EXEC" };
        self.pending.push(Operation::plain(client, &[end]));
        for _ in 0..self.rng.usize(0..8) {
            let queued = self.queueable();
            self.pending.push(queued);
        }
        if self.rng.u8(..20) == 0 {
            let nested = [["MULTI"].as_slice(), &["WATCH", "a"], &["UNWATCH"], &["DISCARD", "x"]];
            self.pending.push(Operation::plain(client, nested[self.rng.usize(..nested.len())]));
        }
        self.pending.push(Operation::plain(client, &["MULTI"]));
        if self.rng.bool() {
            for _ in 0..self.rng.usize(0..3) {
                let change = self.queueable();
                self.pending.push(Operation { client: self.rng.usize(..CLIENTS), ..change });
            }
            let mut words = vec![b"WATCH".to_vec()];
            words.extend((0..self.rng.usize(1..4)).map(|_| pick(&mut self.rng, &KEYS).to_vec()));
            self.pending.push(Operation { words, ..Operation::plain(client, &[]) });
        }
    }

    /// A command whose reply is the same to the byte on both servers, wherever it stands, and which leaves the connection
    /// as it is.
    fn queueable(&mut self) -> Operation {
        loop {
            let operation = self.one();
            let name = operation.words.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
            let of_the_program = matches!(
                &name[..],
                b"AUTH"
                    | b"CLIENT"
                    | b"COMMAND"
                    | b"CONFIG"
                    | b"DEBUG"
                    | b"DUMP"
                    | b"HELLO"
                    | b"OBJECT"
                    | b"QUIT"
                    | b"RESET"
            );
            if operation.compare == Compare::Exact && !operation.settles && !of_the_program {
                return operation;
            }
        }
    }

    /// A command whose reply may be left out: one that says nothing about replies itself, and sets no short deadline.
    fn answerable(&mut self) -> Operation {
        loop {
            let operation = self.one();
            let name = operation.words.first().map(|name| name.to_ascii_uppercase()).unwrap_or_default();
            let plain = !matches!(operation.compare, Compare::ScanAll | Compare::RandomKey);
            if plain && !operation.settles && !matches!(&name[..], b"CLIENT" | b"RESET" | b"HELLO") {
                return operation;
            }
        }
    }

    fn row(&mut self) -> &'static Row {
        let mut at = self.rng.u32(..self.total);
        for row in TABLE.iter().flat_map(|rows| rows.iter()) {
            if at < row.weight {
                return row;
            }
            at -= row.weight;
        }
        unreachable!("weights add up to the total");
    }

    fn one(&mut self) -> Operation {
        let row = self.row();
        let mut words = self.words(row);
        if words.last().is_some_and(|word| word == ANOTHER) {
            words.pop();
            let another = loop {
                let row = self.row();
                if row.compare != Compare::ScanAll && !row.template.contains("{another}") {
                    break row;
                }
            };
            words.extend(self.words(another));
            // COMMAND GETKEYS needs an argument behind the name.
            if words.len() < 4 {
                words.push(b"a".to_vec());
            }
        }
        if row.damage && self.rng.u8(..16) == 0 {
            self.damage(&mut words);
        }
        let simple = |word: &Vec<u8>| !word.is_empty() && word.iter().all(|byte| byte.is_ascii_alphanumeric());
        let inline = row.compare != Compare::ScanAll && self.rng.u8(..32) == 0 && words.iter().all(simple);
        let settles = row.settles || has_past_deadline(&words);
        Operation { client: self.client, words, compare: row.compare, settles, silent: false, inline }
    }

    fn words(&mut self, row: &Row) -> Vec<Vec<u8>> {
        let (payloads, deadlines) = (&self.payloads, &mut self.deadlines);
        let mut words = expand(row.template, &mut self.rng, &mut |rng, name| fill(rng, name, payloads, deadlines));
        if row.compare == Compare::ScanAll {
            words.remove(0);
        }
        words
    }

    fn damage(&mut self, words: &mut Vec<Vec<u8>>) {
        let junk = DAMAGE[self.rng.usize(..DAMAGE.len())].as_bytes().to_vec();
        match self.rng.u8(..4) {
            0 if words.len() > 1 => words.truncate(self.rng.usize(1..words.len())),
            1 => words.push(junk),
            _ if words.len() > 1 => {
                let at = self.rng.usize(1..words.len());
                words[at] = junk;
            }
            _ => words.push(junk),
        }
    }
}

/// Stands for the words of another row, which `fill` cannot give because it gives one argument.
const ANOTHER: &[u8] = b"\x00another row\x00";

fn pick<'a, T: ?Sized>(rng: &mut Rng, from: &[&'a T]) -> &'a T {
    from[rng.usize(..from.len())]
}

fn fill(rng: &mut Rng, name: &str, payloads: &[Vec<u8>], deadlines: &mut u64) -> Vec<u8> {
    // Distinct, and in no order: 100,003 is prime.
    let mut deadline = || {
        *deadlines += 1;
        10_000 + *deadlines * 7919 % 100_003
    };
    let number = |number: i64| number.to_string().into_bytes();
    match name {
        "k" => pick(rng, &KEYS).to_vec(),
        "big" => pick(rng, &BIG_KEYS).to_vec(),
        "l" => match rng.u8(..16) {
            0 => pick(rng, &KEYS).to_vec(),
            _ => pick(rng, &LIST_KEYS).to_vec(),
        },
        "e" => match rng.u8(..8) {
            0 => vec![rng.u8(b'a'..=b'c')],
            _ => number(rng.i64(0..12)),
        },
        "v" => value(rng),
        "bigvalue" => (0..rng.usize(16_000..40_000)).map(|_| rng.u8(b'a'..=b'c')).collect(),
        "int" => match rng.u8(..8) {
            0 => pick(rng, &EDGES).as_bytes().to_vec(),
            _ => number(rng.i64(-1000..1000)),
        },
        "float" => match rng.u8(..3) {
            0 => pick(rng, &FLOATS).as_bytes().to_vec(),
            1 => number(rng.i64(-100..100)),
            _ => format!("{}.{}", rng.i32(-1000..1000), rng.u32(..100_000)).into_bytes(),
        },
        "small" => number(rng.i64(0..10)),
        "index" => match rng.u8(..16) {
            0 => pick(rng, &EDGES).as_bytes().to_vec(),
            _ => number(rng.i64(-20..60)),
        },
        "offset" => number(rng.i64(0..300)),
        "bitoffset" => number(rng.i64(0..800)),
        "bits" => match rng.bool() {
            true => format!("u{}", rng.u8(1..64)).into_bytes(),
            false => format!("i{}", rng.u8(1..65)).into_bytes(),
        },
        "bitplace" => match rng.u8(..3) {
            0 => format!("#{}", rng.u8(..12)).into_bytes(),
            _ => number(rng.i64(0..300)),
        },
        "sec" => number(deadline() as i64),
        "msec" => number((deadline() * 1000 + 7) as i64),
        // The year 2100 and later.
        "at" => number((4_102_444_800 + deadline()) as i64),
        "atms" => number((4_102_444_800_000 + deadline() * 1003) as i64),
        "badtime" => pick(
            rng,
            &["0", "-1", "-100", "x", "1.5", "", "9223372036854775807", "-9223372036854775808", "9223372036854775"],
        )
        .as_bytes()
        .to_vec(),
        "db" => number(rng.i64(0..3)),
        "pattern" => pick(rng, &PATTERNS).as_bytes().to_vec(),
        "payload" => payloads[rng.usize(..payloads.len())].clone(),
        "zset" => match rng.u8(..12) {
            0 => pick(rng, &KEYS).to_vec(),
            _ => pick(rng, &SORTED_SETS[..5]).to_vec(),
        },
        "zsource" => pick(rng, &SORTED_SETS[..3]).to_vec(),
        "zstore" => pick(rng, &SORTED_SETS[3..5]).to_vec(),
        "score" => match rng.u8(..16) {
            0 => pick(rng, &["inf", "-inf", "+inf", "nan", "", "1e3", "0x10", " 1", "1e400"]).as_bytes().to_vec(),
            1..5 => format!("{}.{}", rng.i32(-20..20), pick(rng, &["5", "25", "75", "125"])).into_bytes(),
            _ => number(rng.i64(-5..20)),
        },
        "weight" => pick(rng, &["0", "1", "2", "-1", "0.5"]).as_bytes().to_vec(),
        "limit" => match rng.u8(..8) {
            0 => pick(rng, &["-inf", "+inf", "(inf", "(", "", "nan", "x", "(x", " 1"]).as_bytes().to_vec(),
            1..3 => format!("({}", rng.i32(-10..25)).into_bytes(),
            _ => number(rng.i64(-10..25)),
        },
        "member" => match rng.u8(..16) {
            0 => value(rng),
            1..4 => number(rng.i64(-60..60)),
            _ => (0..rng.usize(1..4)).map(|_| rng.u8(b'a'..=b'f')).collect(),
        },
        "letters" => (0..rng.usize(1..4)).map(|_| rng.u8(b'a'..=b'f')).collect(),
        "lexlimit" => match rng.u8(..8) {
            0 => pick(rng, &["-", "+", "", "a", "[", "(", "-x", "++"]).as_bytes().to_vec(),
            1..3 => pick(rng, &["-", "+"]).as_bytes().to_vec(),
            _ => {
                let mut limit = pick(rng, &["[", "("]).as_bytes().to_vec();
                limit.extend((0..rng.usize(1..3)).map(|_| rng.u8(b'a'..=b'f')));
                limit
            }
        },
        "name" => pick(rng, &["me", "you", "", "a b", "line\n", "x".repeat(50).as_str()]).as_bytes().to_vec(),
        "junkname" => {
            pick(rng, &["nosuch", "GETT", "se", "\r\n", "'quoted'", "x".repeat(200).as_str()]).as_bytes().to_vec()
        }
        "setting" => pick(rng, &SETTINGS).as_bytes().to_vec(),
        "command" => pick(rng, &crate::compare::families()).as_bytes().to_vec(),
        "empty" => Vec::new(),
        "another" => ANOTHER.to_vec(),
        other => panic!("template: there is no {{{other}}}"),
    }
}

fn value(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..100) {
        0..30 => rng.i32(-100..100).to_string().into_bytes(),
        30..40 => pick(rng, &EDGES).as_bytes().to_vec(),
        40..48 => pick(rng, &FLOATS).as_bytes().to_vec(),
        48..53 => Vec::new(),
        53..63 => (0..rng.usize(1..40)).map(|_| rng.u8(..)).collect(),
        // Around the 44 bytes where Redis changes the encoding.
        63..68 => vec![b'e'; rng.usize(43..47)],
        68..71 => (0..rng.usize(100..600)).map(|_| rng.u8(b'a'..=b'd')).collect(),
        _ => (0..rng.usize(1..12)).map(|_| rng.u8(b'a'..=b'e')).collect(),
    }
}

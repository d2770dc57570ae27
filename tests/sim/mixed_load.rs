//! Random commands on strings, lists, sets and sorted sets over few keys, and requests that wait for an element.

use corewise::base::Rng;

use crate::load::Keys;

/// What keys of a kind begin with; most commands are about keys of one kind.
const KINDS: [char; 4] = ['s', 'l', 't', 'z'];

/// Elements that one request takes at most.
const TAKES_MAX: usize = 2;

/// The longest time, beside for ever, that a request waits.
pub(crate) const LONGEST_WAIT_US: u64 = 150_000;

/// Makes up commands. Values and elements are numbered, so that a reply tells which command they come from.
#[derive(Clone, Debug)]
pub(crate) struct MixedLoad {
    /// What keys end with.
    names: Vec<String>,
    made: usize,
    /// In how many of a hundred cases a key is of another kind than its command.
    mistakes: u32,
}

impl MixedLoad {
    pub(crate) fn new(cores: usize, per_core: usize, rng: &mut Rng) -> Self {
        Self { names: Keys::new(cores, per_core).0, made: 0, mistakes: [0, 0, 2, 10][rng.usize(..4)] }
    }

    /// All keys that commands may be about.
    pub(crate) fn keys(&self) -> Vec<String> {
        KINDS.iter().flat_map(|kind| self.names.iter().map(move |name| format!("{kind}{name}"))).collect()
    }

    pub(crate) fn any_key(&self, rng: &mut Rng) -> String {
        // Lists are what commands that wait are about.
        let kind = ['s', 'l', 'l', 't', 'z'][rng.usize(..5)];
        self.key(kind, rng)
    }

    fn key(&self, kind: char, rng: &mut Rng) -> String {
        let kind = if rng.u32(..100) < self.mistakes { KINDS[rng.usize(..KINDS.len())] } else { kind };
        format!("{kind}{}", self.names[rng.usize(..self.names.len())])
    }

    /// Two keys of a kind, not the same one if there are two.
    fn two(&self, kind: char, rng: &mut Rng) -> [String; 2] {
        let at = rng.usize(..self.names.len());
        let other = (at + rng.usize(1..self.names.len().max(2))) % self.names.len();
        [at, other].map(|at| format!("{kind}{}", self.names[at]))
    }

    fn made(&mut self) -> usize {
        self.made += 1;
        self.made
    }

    /// A command that does not wait.
    pub(crate) fn command(&mut self, rng: &mut Rng) -> String {
        match rng.u8(..20) {
            0..5 => self.on_strings(rng),
            5..11 => self.on_lists(rng),
            11..14 => self.on_sets(rng),
            14..17 => self.on_sorted_sets(rng),
            _ => self.on_any(rng),
        }
    }

    fn on_strings(&mut self, rng: &mut Rng) -> String {
        let (key, value) = (self.key('s', rng), self.made());
        let [first, second] = self.two('s', rng);
        match rng.u8(..9) {
            0..2 => format!("GET {key}"),
            2 => format!("SET {key} {value}"),
            3 => format!("SET {key} v{value} PX {}", rng.u16(1..400)),
            4 | 5 => format!("INCR {key}"),
            6 | 7 if first != second => format!("MSET {first} {value} {second} {value}"),
            _ => format!("MGET {first} {second}"),
        }
    }

    fn on_lists(&mut self, rng: &mut Rng) -> String {
        let key = self.key('l', rng);
        let [first, second] = self.two('l', rng);
        let [from, to] = [["LEFT", "RIGHT"][rng.usize(..2)], ["LEFT", "RIGHT"][rng.usize(..2)]];
        match rng.u8(..12) {
            0..3 => format!("RPUSH {key} e{}", self.made()),
            3 => format!("LPUSH {key} e{} e{}", self.made(), self.made()),
            4 => format!("LPOP {key}"),
            5 => format!("LLEN {key}"),
            6 => format!("LRANGE {key} 0 -1"),
            7 | 8 => format!("LMOVE {first} {second} {from} {to}"),
            9 => format!("LMPOP 2 {first} {second} {from} COUNT {TAKES_MAX}"),
            _ => format!("RPUSH {key} e{} e{}", self.made(), self.made()),
        }
    }

    fn on_sets(&mut self, rng: &mut Rng) -> String {
        let (key, member) = (self.key('t', rng), rng.u8(1..5));
        let [first, second] = self.two('t', rng);
        match rng.u8(..9) {
            0..3 => format!("SADD {key} m{member} m{}", rng.u8(1..5)),
            3 => format!("SREM {key} m{member}"),
            4 => format!("SMEMBERS {key}"),
            5 | 6 => format!("SMOVE {first} {second} m{member}"),
            7 => format!("SINTERSTORE {key} {first} {second}"),
            _ => format!("SUNIONSTORE {key} {first} {second}"),
        }
    }

    fn on_sorted_sets(&mut self, rng: &mut Rng) -> String {
        let (key, score) = (self.key('z', rng), rng.u8(1..5));
        let [first, second] = self.two('z', rng);
        match rng.u8(..8) {
            0..3 => format!("ZADD {key} {score} e{}", self.made()),
            3 => format!("ZADD {key} {score} e{} 3 e{}", self.made(), self.made()),
            4 => format!("ZPOPMIN {key}"),
            5 => format!("ZRANGE {key} 0 -1 WITHSCORES"),
            6 => format!("ZMPOP 2 {first} {second} MAX COUNT {TAKES_MAX}"),
            _ => format!("ZCARD {key}"),
        }
    }

    fn on_any(&mut self, rng: &mut Rng) -> String {
        let (key, other) = (self.any_key(rng), self.any_key(rng));
        let [first, second] = self.two(KINDS[rng.usize(..KINDS.len())], rng);
        match rng.u8(..10) {
            0..2 => format!("DEL {key}"),
            2 => format!("DEL {key} {other}"),
            3 => format!("EXISTS {key} {other}"),
            4..6 => format!("RENAME {first} {second}"),
            6 => format!("RENAMENX {first} {second}"),
            7 => format!("COPY {first} {second} REPLACE"),
            8 => format!("PEXPIRE {key} {}", rng.u16(1..400)),
            _ => format!("PERSIST {key}"),
        }
    }

    /// A request that waits if there is nothing.
    pub(crate) fn wait(&mut self, rng: &mut Rng) -> String {
        let timeout = ["0", "0", "0.02", "0.15"][rng.usize(..4)];
        let (list, zset) = (self.key('l', rng), self.key('z', rng));
        let [first, second] = self.two('l', rng);
        let [low, high] = self.two('z', rng);
        match rng.u8(..14) {
            0 | 1 => format!("BLPOP {list} {timeout}"),
            2 | 3 => format!("BLPOP {first} {second} {timeout}"),
            4 => format!("BRPOP {first} {second} {timeout}"),
            5 => format!("BLMPOP {timeout} 2 {first} {second} RIGHT COUNT {TAKES_MAX}"),
            6..9 => format!("BLMOVE {first} {second} LEFT RIGHT {timeout}"),
            9 => format!("BRPOPLPUSH {list} {second} {timeout}"),
            10 => format!("BZPOPMIN {zset} {timeout}"),
            11 => format!("BZPOPMAX {low} {high} {timeout}"),
            12 => format!("BZPOPMIN {low} {high} {timeout}"),
            _ => format!("BZMPOP {timeout} 2 {low} {high} MAX COUNT {TAKES_MAX}"),
        }
    }
}

//! Random commands over few keys, on purpose spread over the cores.

use corewise::base::Rng;
use corewise::command;
use corewise::exec::HANDLERS;
use corewise::topology::Topology;

/// The keys of a run: for every core some that share a slot, so that several can be named in one command there.
#[derive(Clone, Debug)]
pub(crate) struct Keys(pub(crate) Vec<String>);

impl Keys {
    pub(crate) fn new(cores: usize, per_core: usize) -> Self {
        let topology = Topology::new(cores);
        let mut keys = Vec::new();
        for core in topology.all() {
            let tag = (b'a'..=b'z').map(char::from).find(|tag| topology.core_of(&[*tag as u8]) == core).expect("a tag");
            keys.extend((1..=per_core).map(|number| format!("{{{tag}}}{number}")));
        }
        Self(keys)
    }

    pub(crate) fn any(&self, rng: &mut Rng) -> String {
        self.0[rng.usize(..self.0.len())].clone()
    }

    /// Some keys, none named twice; now and then of one core only.
    fn several(&self, rng: &mut Rng) -> Vec<String> {
        let mut keys = self.0.clone();
        rng.shuffle(&mut keys);
        if rng.u8(..5) < 2 {
            let tag = keys[0].as_bytes()[1];
            keys.retain(|key| key.as_bytes()[1] == tag);
        }
        keys.truncate(rng.usize(2..=keys.len().min(4)));
        keys
    }
}

/// Makes up commands. Values are numbered, so that a reply tells which command it comes from.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    pub(crate) keys: Keys,
    values: u64,
    /// In how many of a hundred cases a value is large.
    pub(crate) large: u32,
    /// In how many of a hundred cases a command names several keys, and concerns every shard.
    pub(crate) several: u32,
    pub(crate) whole: u32,
}

impl Load {
    pub(crate) fn new(keys: Keys) -> Self {
        Self { keys, values: 0, large: 3, several: 40, whole: 4 }
    }

    fn value(&mut self, rng: &mut Rng) -> String {
        const LARGE_BYTES: usize = 17_000;
        self.values += 1;
        let value = match rng.u8(..4) {
            0 => self.values.to_string(),
            _ => format!("v{}", self.values),
        };
        if rng.u32(..100) < self.large { format!("{value:x<LARGE_BYTES$}") } else { value }
    }

    /// A command that this node can run.
    pub(crate) fn command(&mut self, rng: &mut Rng) -> Vec<Vec<u8>> {
        loop {
            let line = match rng.u32(..100) {
                roll if roll < self.whole => self.on_every_shard(rng),
                roll if roll < self.whole + self.several => self.on_several_keys(rng),
                _ => self.on_one_key(rng),
            };
            let command = command::lookup(line[0].as_bytes()).expect("a command");
            if HANDLERS[command.id.index()].is_some() {
                return line.into_iter().map(String::into_bytes).collect();
            }
        }
    }

    fn on_one_key(&mut self, rng: &mut Rng) -> Vec<String> {
        let key = self.keys.any(rng);
        let value = self.value(rng);
        let (seconds, milliseconds) = (rng.u8(1..4).to_string(), rng.u16(1..2500).to_string());
        let words: Vec<&str> = match rng.u8(..34) {
            0..6 => vec!["GET", &key],
            6..10 => vec!["SET", &key, &value],
            10 => vec!["SET", &key, &value, "NX"],
            11 => vec!["SET", &key, &value, "XX", "KEEPTTL"],
            12 => vec!["SET", &key, &value, "GET", "PX", &milliseconds],
            13 => vec!["SET", &key, &value, "EX", &seconds],
            14 => vec!["SET", &key, "7"],
            15 | 16 => vec!["INCR", &key],
            17 => vec!["DECR", &key],
            18 | 19 => vec!["APPEND", &key, &value],
            20 | 21 => vec!["DEL", &key],
            22 => vec!["EXISTS", &key],
            23 => vec!["SETRANGE", &key, "2", &value],
            24 => vec!["PEXPIRE", &key, &milliseconds],
            25 => vec!["EXPIRE", &key, &seconds],
            26 => vec!["PERSIST", &key],
            27 => vec!["PTTL", &key],
            28 => vec!["TTL", &key],
            29 => vec!["GETDEL", &key],
            30 => vec!["STRLEN", &key],
            31 => vec!["TYPE", &key],
            32 => vec!["SETNX", &key, &value],
            _ => vec!["MOVE", &key, "1"],
        };
        words.into_iter().map(String::from).collect()
    }

    fn on_several_keys(&mut self, rng: &mut Rng) -> Vec<String> {
        let keys = self.keys.several(rng);
        let name =
            ["MGET", "MGET", "MSET", "MSET", "MSETNX", "DEL", "EXISTS", "RENAME", "RENAMENX", "COPY", "BITOP", "TOUCH"]
                [rng.usize(..12)];
        let mut words = vec![name.to_string()];
        match name {
            "MSET" | "MSETNX" => {
                for key in keys {
                    words.push(key);
                    words.push(self.value(rng));
                }
            }
            "RENAME" | "RENAMENX" | "COPY" => {
                words.extend(keys.into_iter().take(2));
                if name == "COPY" {
                    if rng.bool() {
                        words.extend(["DB".into(), rng.u8(..2).to_string()]);
                    }
                    if rng.bool() {
                        words.push("REPLACE".into());
                    }
                }
            }
            "BITOP" => {
                words.push(if rng.bool() { "OR" } else { "XOR" }.into());
                words.extend(keys);
            }
            _ => words.extend(keys),
        }
        words
    }

    fn on_every_shard(&mut self, rng: &mut Rng) -> Vec<String> {
        let line: &[&str] = match rng.u8(..4) {
            0 => &["FLUSHALL"],
            1 => &["FLUSHDB"],
            _ => &["SWAPDB", "0", "1"],
        };
        line.iter().map(|word| (*word).into()).collect()
    }
}

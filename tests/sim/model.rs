//! What the node must look like from outside: one plain map, one command at a time.
//!
//! Time is known only as far as a client knows it: a command ran at some moment between its first and its last. So a
//! deadline is an interval, a key whose interval has begun and not ended may be there or not, and a reply that speaks of
//! time must lie in a range.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::history::Operation;
use crate::reply::Reply;

/// Databases that the clients use.
pub(crate) const DATABASES: usize = 2;

/// An interval of milliseconds since 1970, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Window {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Window {
    fn ahead(self, ms: i64) -> Self {
        let shift = |at: u64| at.saturating_add_signed(ms);
        Self { from: shift(self.from), to: shift(self.to) }
    }
}

/// One key's value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Item {
    pub(crate) value: Rc<[u8]>,
    pub(crate) deadline: Option<Window>,
}

type Database = BTreeMap<Vec<u8>, Item>;

/// All keys.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct State {
    pub(crate) databases: [Database; DATABASES],
}

/// What a command may answer.
enum Expected {
    Exactly(Reply),
    /// An integer within these bounds.
    Between(i64, i64),
    /// One of the keys of the database, or null if there is none.
    SomeKey,
    /// All keys of the database, in any order.
    AllKeys,
}

impl State {
    /// The states that an operation may lead to if it answered what it did (or may have answered anything) and ran in
    /// `window`. None: the reply is wrong for this state.
    pub(crate) fn after(&self, operation: &Operation, window: Window) -> Vec<State> {
        let (database, reply) = (operation.database, operation.reply.as_ref());
        if operation.words[0] != b"EXEC" {
            return self.after_one(database, &operation.words, reply, window);
        }
        let replies = match reply {
            None => None,
            Some(Reply::Null) if operation.watches => return vec![self.clone()],
            Some(Reply::Array(replies)) if replies.len() == operation.queue.len() => Some(replies),
            Some(_) => return Vec::new(),
        };
        let mut states = vec![self.clone()];
        for (at, words) in operation.queue.iter().enumerate() {
            let reply = replies.map(|replies| &replies[at]);
            states = states.iter().flat_map(|state| state.after_one(database, words, reply, window)).collect();
            states.dedup();
        }
        states
    }

    /// The same for one command.
    fn after_one(&self, database: usize, words: &[Vec<u8>], reply: Option<&Reply>, window: Window) -> Vec<State> {
        let mut states = Vec::new();
        for mut state in self.expiries(window) {
            let expected = state.run(database, words, reply, window);
            if reply.is_none_or(|reply| state.fits(database, &expected, reply)) {
                states.push(state);
            }
        }
        states
    }

    /// Every way in which keys may have expired by the time of a command that ran in `window`.
    fn expiries(&self, window: Window) -> Vec<State> {
        let mut states = vec![self.clone()];
        for (index, database) in self.databases.iter().enumerate() {
            for (key, item) in database {
                let Some(deadline) = item.deadline else { continue };
                let (may, must) = (deadline.from < window.to, deadline.to < window.from);
                if must {
                    states.iter_mut().for_each(|state| drop(state.databases[index].remove(key)));
                } else if may {
                    let mut gone = states.clone();
                    gone.iter_mut().for_each(|state| drop(state.databases[index].remove(key)));
                    states.append(&mut gone);
                }
            }
        }
        states
    }

    fn fits(&self, database: usize, expected: &Expected, reply: &Reply) -> bool {
        match (expected, reply) {
            (Expected::Exactly(expected), reply) => expected == reply,
            (Expected::Between(from, to), Reply::Integer(number)) => (from..=to).contains(&number),
            (Expected::AllKeys, Reply::Array(found)) => {
                let keys = &self.databases[database];
                found.len() == keys.len() && keys.keys().all(|key| found.contains(&Reply::bulk(key)))
            }
            (Expected::SomeKey, Reply::Null) => self.databases[database].is_empty(),
            (Expected::SomeKey, Reply::Bulk(key)) => self.databases[database].contains_key(key),
            _ => false,
        }
    }

    /// Runs one command. `reply` is what it answered in truth, of use only to learn a deadline more exactly.
    fn run(&mut self, database: usize, words: &[Vec<u8>], reply: Option<&Reply>, window: Window) -> Expected {
        let name = String::from_utf8_lossy(&words[0]).to_ascii_uppercase();
        let number = |at: usize| String::from_utf8_lossy(&words[at]).parse::<i64>().expect("a number");
        let keys = &mut self.databases[database];
        let key = words.get(1).cloned().unwrap_or_default();
        let count = |count: usize| Expected::Exactly(Reply::Integer(count as i64));
        let flag = |set: bool| Expected::Exactly(Reply::Integer(i64::from(set)));
        let value = |item: Option<&Item>| item.map_or(Reply::Null, |item| Reply::bulk(&item.value));
        match name.as_str() {
            "GET" => Expected::Exactly(value(keys.get(&key))),
            "SET" => Expected::Exactly(set(keys, words, window)),
            "SETNX" | "MSETNX" => {
                let free = words[1..].chunks(2).all(|pair| !keys.contains_key(&pair[0]));
                if free {
                    set_all(keys, &words[1..]);
                }
                flag(free)
            }
            "MSET" => {
                set_all(keys, &words[1..]);
                Expected::Exactly(Reply::ok())
            }
            "MGET" => Expected::Exactly(Reply::Array(words[1..].iter().map(|key| value(keys.get(key))).collect())),
            "GETSET" => {
                let before = value(keys.get(&key));
                put(keys, &key, words[2].clone(), None);
                Expected::Exactly(before)
            }
            "GETDEL" => {
                let before = value(keys.get(&key));
                keys.remove(&key);
                Expected::Exactly(before)
            }
            "INCR" | "DECR" | "INCRBY" => {
                let by = match name.as_str() {
                    "INCR" => 1,
                    "DECR" => -1,
                    _ => number(2),
                };
                Expected::Exactly(add(keys, &key, by))
            }
            "APPEND" => {
                let mut bytes = keys.get(&key).map_or(Vec::new(), |item| item.value.to_vec());
                bytes.extend_from_slice(&words[2]);
                let len = bytes.len();
                change(keys, &key, bytes);
                count(len)
            }
            "SETRANGE" => {
                let offset = number(2) as usize;
                let mut bytes = keys.get(&key).map_or(Vec::new(), |item| item.value.to_vec());
                let end = offset + words[3].len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[offset..end].copy_from_slice(&words[3]);
                let len = bytes.len();
                change(keys, &key, bytes);
                count(len)
            }
            "STRLEN" => count(keys.get(&key).map_or(0, |item| item.value.len())),
            "DEL" | "UNLINK" => count(words[1..].iter().filter(|key| keys.remove(*key).is_some()).count()),
            "EXISTS" | "TOUCH" => count(words[1..].iter().filter(|key| keys.contains_key(*key)).count()),
            "TYPE" => Expected::Exactly(Reply::Simple(if keys.contains_key(&key) { "string" } else { "none" }.into())),
            "RENAME" | "RENAMENX" => {
                let Some(item) = keys.get(&key).cloned() else {
                    return Expected::Exactly(Reply::Error("ERR no such key".into()));
                };
                if name == "RENAMENX" && keys.contains_key(&words[2]) {
                    return flag(false);
                }
                keys.remove(&key);
                keys.insert(words[2].clone(), item);
                if name == "RENAME" { Expected::Exactly(Reply::ok()) } else { flag(true) }
            }
            "COPY" => self.copy(database, words),
            "MOVE" => {
                let target = number(2) as usize;
                if target == database {
                    return Expected::Exactly(Reply::Error("ERR source and destination objects are the same".into()));
                }
                let Some(item) = keys.get(&key).cloned() else { return flag(false) };
                if self.databases[target].contains_key(&key) {
                    return flag(false);
                }
                self.databases[database].remove(&key);
                self.databases[target].insert(key, item);
                flag(true)
            }
            "BITOP" => {
                let result = bit_or_xor(&words[1], words[3..].iter().map(|key| keys.get(key)));
                let len = result.len();
                keys.remove(&words[2]);
                if len > 0 {
                    put(keys, &words[2], result, None);
                }
                count(len)
            }
            "EXPIRE" | "PEXPIRE" => {
                let ms = number(2) * if name == "EXPIRE" { 1000 } else { 1 };
                let there = keys.contains_key(&key);
                if ms <= 0 {
                    keys.remove(&key);
                } else if let Some(item) = keys.get_mut(&key) {
                    item.deadline = Some(window.ahead(ms));
                }
                flag(there)
            }
            "PERSIST" => flag(keys.get_mut(&key).is_some_and(|item| item.deadline.take().is_some())),
            "TTL" | "PTTL" => remaining(keys.get_mut(&key), name == "TTL", reply, window),
            "FLUSHALL" => {
                self.databases = Default::default();
                Expected::Exactly(Reply::ok())
            }
            "FLUSHDB" => {
                keys.clear();
                Expected::Exactly(Reply::ok())
            }
            "SWAPDB" => {
                self.databases.swap(number(1) as usize, number(2) as usize);
                Expected::Exactly(Reply::ok())
            }
            // Asked of one core after the other: exact only if nothing else happens.
            "RANDOMKEY" => Expected::SomeKey,
            "KEYS" => Expected::AllKeys,
            // Keys that are due and not yet removed count.
            "DBSIZE" => Expected::Between(keys.len() as i64, i64::MAX),
            _ => panic!("the model does not know {name}"),
        }
    }

    fn copy(&mut self, database: usize, words: &[Vec<u8>]) -> Expected {
        let (mut target, mut replace, mut at) = (database, false, 3);
        while at < words.len() {
            if words[at] == b"REPLACE" {
                replace = true;
            } else {
                at += 1;
                target = usize::from(words[at][0] - b'0');
            }
            at += 1;
        }
        if target == database && words[1] == words[2] {
            return Expected::Exactly(Reply::Error("ERR source and destination objects are the same".into()));
        }
        let Some(item) = self.databases[database].get(&words[1]).cloned() else {
            return Expected::Exactly(Reply::Integer(0));
        };
        if !replace && self.databases[target].contains_key(&words[2]) {
            return Expected::Exactly(Reply::Integer(0));
        }
        self.databases[target].insert(words[2].clone(), item);
        Expected::Exactly(Reply::Integer(1))
    }
}

fn put(keys: &mut Database, key: &[u8], value: Vec<u8>, deadline: Option<Window>) {
    keys.insert(key.to_vec(), Item { value: value.into(), deadline });
}

/// Another value with the deadline that there is.
fn change(keys: &mut Database, key: &[u8], value: Vec<u8>) {
    let deadline = keys.get(key).and_then(|item| item.deadline);
    put(keys, key, value, deadline);
}

fn set_all(keys: &mut Database, pairs: &[Vec<u8>]) {
    for pair in pairs.chunks(2) {
        put(keys, &pair[0], pair[1].clone(), None);
    }
}

/// `SET key value [NX | XX] [GET] [EX s | PX ms | KEEPTTL]`
fn set(keys: &mut Database, words: &[Vec<u8>], window: Window) -> Reply {
    let (mut wanted, mut get, mut keep, mut deadline) = (None, false, false, None);
    let mut at = 3;
    while at < words.len() {
        match words[at].as_slice() {
            b"NX" => wanted = Some(false),
            b"XX" => wanted = Some(true),
            b"GET" => get = true,
            b"KEEPTTL" => keep = true,
            unit => {
                at += 1;
                let time: i64 = String::from_utf8_lossy(&words[at]).parse().expect("a time");
                deadline = Some(window.ahead(if unit == b"EX" { time * 1000 } else { time }));
            }
        }
        at += 1;
    }
    let before = keys.get(&words[1]).cloned();
    let sets = wanted.is_none_or(|there| there == before.is_some());
    if sets {
        let kept = before.as_ref().and_then(|item| item.deadline).filter(|_| keep);
        put(keys, &words[1], words[2].clone(), deadline.or(kept));
    }
    match before {
        Some(item) if get => Reply::bulk(&item.value),
        None if get => Reply::Null,
        _ if sets => Reply::ok(),
        _ => Reply::Null,
    }
}

fn add(keys: &mut Database, key: &[u8], by: i64) -> Reply {
    let before = match keys.get(key) {
        None => Some(0),
        // As Redis has it: no leading zero, no plus.
        Some(item) => std::str::from_utf8(&item.value)
            .ok()
            .and_then(|text| text.parse::<i64>().ok().filter(|number| number.to_string() == text)),
    };
    let Some(before) = before else {
        return Reply::Error("ERR value is not an integer or out of range".into());
    };
    change(keys, key, (before + by).to_string().into_bytes());
    Reply::Integer(before + by)
}

fn bit_or_xor<'a>(operation: &[u8], sources: impl Iterator<Item = Option<&'a Item>>) -> Vec<u8> {
    let mut result: Vec<u8> = Vec::new();
    for item in sources.flatten() {
        if result.len() < item.value.len() {
            result.resize(item.value.len(), 0);
        }
        for (into, byte) in result.iter_mut().zip(item.value.iter()) {
            *into = if operation == b"OR" { *into | byte } else { *into ^ byte };
        }
    }
    result
}

/// TTL and PTTL. The answer says when the deadline is, to the millisecond and to the second.
fn remaining(item: Option<&mut Item>, seconds: bool, reply: Option<&Reply>, window: Window) -> Expected {
    let Some(item) = item else { return Expected::Exactly(Reply::Integer(-2)) };
    let Some(deadline) = &mut item.deadline else { return Expected::Exactly(Reply::Integer(-1)) };
    let (least, most) = (deadline.from as i64 - window.to as i64, deadline.to as i64 - window.from as i64);
    if seconds {
        return Expected::Between((least.max(0) + 499) / 1000, (most.max(0) + 500) / 1000);
    }
    if let Some(Reply::Integer(left)) = reply {
        let seen = window.ahead(*left);
        let narrowed = Window { from: deadline.from.max(seen.from), to: deadline.to.min(seen.to) };
        if narrowed.from <= narrowed.to {
            *deadline = narrowed;
        }
    }
    Expected::Between(least.max(0), most.max(0))
}

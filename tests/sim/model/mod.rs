//! What the node must look like from outside: one plain map, one command at a time.
//!
//! Time is known only as far as a client knows it: a command ran at some moment between its first and its last. So a
//! deadline is an interval, a key whose interval has begun and not ended may be there or not, and a reply that speaks of
//! time must lie in a range.
//!
//! Beside the keys the state knows who watches what (`watches`) and who waits for an element (`waits`). `strings` and
//! `collections` hold the commands.

mod collections;
mod strings;
mod values;
mod waits;
mod watches;

use std::collections::BTreeMap;
use std::rc::Rc;

use corewise::topology::Topology;

pub(crate) use self::values::{Database, Value};
pub(crate) use self::waits::Wait;
use self::waits::Waiter;
use self::waits::is_blocking;
use self::watches::Watch;
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

/// Where and when a command ran.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setting {
    pub(crate) window: Window,
    pub(crate) topology: Topology,
}

/// All that the node knows.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct State {
    pub(crate) databases: [Database; DATABASES],
    /// By client, what it watches.
    watches: BTreeMap<usize, Watch>,
    /// By the number of the request, who waits.
    waiting: BTreeMap<usize, Waiter>,
}

/// What a command may answer.
enum Expected {
    Exactly(Reply),
    /// An integer within these bounds.
    Between(i64, i64),
    /// These elements, in any order.
    Members(Vec<Reply>),
    /// One of the keys of the database, or null if there is none.
    SomeKey,
    /// All keys of the database, in any order.
    AllKeys,
}

impl Expected {
    fn integer(number: usize) -> Self {
        Self::Exactly(Reply::Integer(number as i64))
    }

    fn flag(set: bool) -> Self {
        Self::integer(usize::from(set))
    }

    fn error(text: &str) -> Self {
        Self::Exactly(Reply::Error(text.into()))
    }
}

/// A key holds another type than the command is for.
struct WrongType;

type Outcome = Result<Expected, WrongType>;

impl State {
    /// There is a list in the first database.
    pub(crate) fn put_list(&mut self, key: &str, elements: &[&str]) {
        let list = elements.iter().map(|element| element.as_bytes().to_vec()).collect();
        self.databases[0].keep(key.as_bytes(), Value::List(Rc::new(list)));
        self.forget_changes();
    }

    /// The states that an operation may lead to if it answered what it did (or may have answered anything). None: the
    /// reply is wrong for this state, or the operation must come later.
    ///
    /// After one of them a request that waits may not have ended: [`State::waits`].
    pub(crate) fn after(&self, operation: &Operation, setting: Setting) -> Vec<State> {
        if operation.touches.iter().any(|key| self.is_kept_for_others(key, operation)) {
            return Vec::new();
        }
        match operation.words[0].as_slice() {
            b"EXEC" => self.after_exec(operation, setting),
            b"WATCH" => self.after_watch(operation, setting),
            b"UNWATCH" | b"DISCARD" => self.after_unwatch(operation),
            b"CLIENT" => self.after_unblock(operation),
            name if is_blocking(name) => self.after_wait(operation, setting),
            _ => self.after_one(operation, &operation.words, operation.reply.as_ref(), setting),
        }
    }

    /// The same for one command, alone or of an EXEC: one that waits does not wait.
    fn after_one(
        &self,
        operation: &Operation,
        words: &[Vec<u8>],
        reply: Option<&Reply>,
        setting: Setting,
    ) -> Vec<State> {
        let database = operation.database;
        let mut states = Vec::new();
        for mut state in self.expiries(setting.window) {
            let expected = state.run(database, words, reply, setting.window);
            let expected = expected
                .unwrap_or(Expected::error("WRONGTYPE Operation against a key holding the wrong kind of value"));
            if reply.is_none_or(|reply| state.fits(database, &expected, reply)) {
                state.note_changes(words, database, setting.topology);
                states.push(state);
            }
        }
        states
    }

    /// Whether no key can have expired by the time of a command that ran in `window`.
    pub(crate) fn keeps_all(&self, window: Window) -> bool {
        let items = self.databases.iter().flat_map(|database| database.iter().map(|(_, item)| item));
        items.filter_map(|item| item.deadline).all(|deadline| deadline.from >= window.to)
    }

    /// Every way in which keys may have expired by the time of a command that ran in `window`.
    fn expiries(&self, window: Window) -> Vec<State> {
        let mut states = vec![self.clone()];
        for (index, database) in self.databases.iter().enumerate() {
            for (key, item) in database.iter() {
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
        states.iter_mut().for_each(State::note_exact_changes);
        states
    }

    fn fits(&self, database: usize, expected: &Expected, reply: &Reply) -> bool {
        match (expected, reply) {
            (Expected::Exactly(expected), reply) => expected == reply,
            (Expected::Between(from, to), Reply::Integer(number)) => (from..=to).contains(&number),
            (Expected::Members(members), Reply::Array(found)) => {
                found.len() == members.len() && members.iter().all(|member| found.contains(member))
            }
            (Expected::AllKeys, Reply::Array(found)) => {
                let keys = &self.databases[database];
                found.len() == keys.iter().count() && keys.iter().all(|(key, _)| found.contains(&Reply::bulk(key)))
            }
            (Expected::SomeKey, Reply::Null) => self.databases[database].is_empty(),
            (Expected::SomeKey, Reply::Bulk(key)) => self.databases[database].get(key).is_some(),
            _ => false,
        }
    }

    /// Runs one command. `reply` is what it answered in truth, of use only to learn a deadline more exactly.
    fn run(&mut self, database: usize, words: &[Vec<u8>], reply: Option<&Reply>, window: Window) -> Outcome {
        let name = std::str::from_utf8(&words[0]).unwrap_or_default();
        let number = |at: usize| String::from_utf8_lossy(&words[at]).parse::<i64>().expect("a number");
        let keys = &mut self.databases[database];
        if let Some(outcome) = strings::run(keys, name, words, window) {
            return outcome;
        }
        if let Some(outcome) = collections::run(keys, name, words) {
            return outcome;
        }
        let key = words.get(1).cloned().unwrap_or_default();
        Ok(match name {
            "DEL" | "UNLINK" => Expected::integer(words[1..].iter().filter(|key| keys.remove(key).is_some()).count()),
            "EXISTS" | "TOUCH" => Expected::integer(words[1..].iter().filter(|key| keys.get(key).is_some()).count()),
            "TYPE" => {
                let name = keys.get(&key).map_or("none", |item| item.value.type_name());
                Expected::Exactly(Reply::Simple(name.into()))
            }
            "RENAME" | "RENAMENX" => {
                let Some(item) = keys.get(&key).cloned() else { return Ok(Expected::error("ERR no such key")) };
                if name == "RENAMENX" && keys.get(&words[2]).is_some() {
                    return Ok(Expected::flag(false));
                }
                if key != words[2] {
                    keys.remove(&key);
                    keys.put(&words[2], item.value, item.deadline);
                }
                if name == "RENAME" { Expected::Exactly(Reply::ok()) } else { Expected::flag(true) }
            }
            "COPY" => self.copy(database, words),
            "MOVE" => {
                let target = number(2) as usize;
                if target == database {
                    return Ok(Expected::error("ERR source and destination objects are the same"));
                }
                let Some(item) = keys.get(&key).cloned() else { return Ok(Expected::flag(false)) };
                if self.databases[target].get(&key).is_some() {
                    return Ok(Expected::flag(false));
                }
                self.databases[database].remove(&key);
                self.databases[target].put(&key, item.value, item.deadline);
                Expected::flag(true)
            }
            "EXPIRE" | "PEXPIRE" => {
                let ms = number(2) * if name == "EXPIRE" { 1000 } else { 1 };
                let there = keys.get(&key).is_some();
                if ms <= 0 {
                    keys.remove(&key);
                } else {
                    keys.set_deadline(&key, Some(window.ahead(ms)));
                }
                Expected::flag(there)
            }
            "PERSIST" => {
                let had = keys.get(&key).is_some_and(|item| item.deadline.is_some());
                if had {
                    keys.set_deadline(&key, None);
                }
                Expected::flag(had)
            }
            "TTL" | "PTTL" => remaining(keys, &key, name == "TTL", reply, window),
            "FLUSHALL" => {
                self.databases.iter_mut().for_each(Database::clear);
                Expected::Exactly(Reply::ok())
            }
            "FLUSHDB" => {
                keys.clear();
                Expected::Exactly(Reply::ok())
            }
            "SWAPDB" => {
                let (first, second) = (number(1) as usize, number(2) as usize);
                if let Ok([first, second]) = self.databases.get_disjoint_mut([first, second]) {
                    first.swap(second);
                }
                Expected::Exactly(Reply::ok())
            }
            // Asked of one core after the other: exact only if nothing else happens.
            "RANDOMKEY" => Expected::SomeKey,
            "KEYS" => Expected::AllKeys,
            // Keys that are due and not yet removed count.
            "DBSIZE" => Expected::Between(keys.iter().count() as i64, i64::MAX),
            _ => panic!("the model does not know {name}"),
        })
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
            return Expected::error("ERR source and destination objects are the same");
        }
        let Some(item) = self.databases[database].get(&words[1]).cloned() else { return Expected::flag(false) };
        if !replace && self.databases[target].get(&words[2]).is_some() {
            return Expected::flag(false);
        }
        self.databases[target].put(&words[2], item.value, item.deadline);
        Expected::flag(true)
    }
}

/// TTL and PTTL. The answer says when the deadline is, to the millisecond and to the second.
fn remaining(keys: &mut Database, key: &[u8], seconds: bool, reply: Option<&Reply>, window: Window) -> Expected {
    let Some(item) = keys.get(key) else { return Expected::Exactly(Reply::Integer(-2)) };
    let Some(deadline) = item.deadline else { return Expected::Exactly(Reply::Integer(-1)) };
    let (least, most) = (deadline.from as i64 - window.to as i64, deadline.to as i64 - window.from as i64);
    if seconds {
        return Expected::Between((least.max(0) + 499) / 1000, (most.max(0) + 500) / 1000);
    }
    if let Some(Reply::Integer(left)) = reply {
        let seen = window.ahead(*left);
        let narrowed = Window { from: deadline.from.max(seen.from), to: deadline.to.min(seen.to) };
        if narrowed.from <= narrowed.to {
            keys.know_deadline(key, narrowed);
        }
    }
    Expected::Between(least.max(0), most.max(0))
}

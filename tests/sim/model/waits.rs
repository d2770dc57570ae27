//! Commands that wait for an element: BLPOP and its like, and CLIENT UNBLOCK.
//!
//! Such a request has one effect, at one moment between its sending and its reply. If it finds an element when it comes, it
//! takes it from the first of its keys that has one. Else it waits: all of its keys held nothing at some moment behind its
//! sending, and what it takes later may come from any of them. One that ends without an element has waited, and was
//! unblocked or its time was over.
//!
//! Which of two clients came to wait first is known for sure only if the node was quiet in between. Of a client that is
//! *settled*, one that has waited since before the last quiet moment, more is required:
//!
//! - what comes under its key is kept for it: no other command touches the key until it has been served or has gone;
//! - nobody is served from its key who has waited for less long, as far as that is known;
//! - it does not wait, when the node is quiet, for a key that holds something.
//!
//! One whose element goes on to another key (BLMOVE) keeps its place before others that wait, but nothing is kept for it,
//! nor for those who may stand behind it: the other key may not be free.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Database, Setting, State, Value};
use crate::history::Operation;
use crate::reply::Reply;

/// Whether a command waits if there is nothing.
pub(crate) fn is_blocking(name: &[u8]) -> bool {
    matches!(name, b"BLPOP" | b"BRPOP" | b"BLMOVE" | b"BRPOPLPUSH" | b"BLMPOP" | b"BZPOPMIN" | b"BZPOPMAX" | b"BZMPOP")
}

/// What a request waits for, and until when.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wait {
    /// The keys that it pops from.
    keys: Vec<Vec<u8>>,
    /// Of the sorted set rather than the list kind.
    is_sorted_set: bool,
    /// Its element goes on to this key.
    goes_to: Option<Vec<u8>>,
    /// Milliseconds; zero is for ever.
    pub(crate) timeout_ms: u64,
}

impl Wait {
    /// What a request waits for, if it is one that does.
    pub(crate) fn of(words: &[Vec<u8>], keys: &[Vec<u8>]) -> Option<Rc<Self>> {
        let name = words[0].as_slice();
        if !is_blocking(name) {
            return None;
        }
        let moves = matches!(name, b"BLMOVE" | b"BRPOPLPUSH");
        let timeout = if matches!(name, b"BLMPOP" | b"BZMPOP") { &words[1] } else { &words[words.len() - 1] };
        let seconds: f64 = String::from_utf8_lossy(timeout).parse().expect("a timeout");
        Some(Rc::new(Self {
            keys: if moves { keys[..1].to_vec() } else { keys.to_vec() },
            is_sorted_set: name.starts_with(b"BZ"),
            goes_to: moves.then(|| keys[1].clone()),
            timeout_ms: (seconds * 1000.0).ceil() as u64,
        }))
    }

    fn is_for(&self, database: &Database, key: &[u8]) -> bool {
        match database.get(key).map(|item| &item.value) {
            Some(Value::List(_)) => !self.is_sorted_set,
            Some(Value::SortedSet(_)) => self.is_sorted_set,
            _ => false,
        }
    }

    fn moves_on(&self) -> bool {
        self.goes_to.as_ref().is_some_and(|to| *to != self.keys[0])
    }

    /// The request that asks for one of the keys.
    fn for_key(words: &[Vec<u8>], key: &[u8]) -> Vec<Vec<u8>> {
        let word = |text: &[u8]| text.to_vec();
        match words[0].as_slice() {
            b"BLMOVE" | b"BRPOPLPUSH" => words.to_vec(),
            b"BLMPOP" | b"BZMPOP" => {
                let end = words.iter().position(|word| matches!(word.as_slice(), b"LEFT" | b"RIGHT" | b"MIN" | b"MAX"));
                let rest = end.map_or(&[][..], |end| &words[end..]);
                [&[words[0].clone(), word(b"0"), word(b"1"), word(key)][..], rest].concat()
            }
            _ => vec![words[0].clone(), word(key), word(b"0")],
        }
    }
}

/// How CLIENT UNBLOCK ends a wait.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Ending {
    Nothing,
    Error,
}

/// One that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Waiter {
    client: usize,
    database: usize,
    wait: Rc<Wait>,
    /// Quiet moments that had been when it came.
    came: usize,
    /// It has waited since before the last quiet moment.
    is_settled: bool,
    /// What comes is kept for it.
    is_kept_for: bool,
    ending: Option<Ending>,
}

impl std::hash::Hash for Waiter {
    fn hash<H: std::hash::Hasher>(&self, hasher: &mut H) {
        // The rest follows from the number of the request.
        self.ending.hash(hasher);
    }
}

impl Waiter {
    fn is_in_line_for(&self, key: &[u8]) -> bool {
        self.is_settled && self.ending.is_none() && self.wait.keys.iter().any(|name| name == key)
    }
}

impl State {
    /// Whether a request waits, or is still to be told that it does no more.
    pub(crate) fn waits(&self, operation: &Operation) -> bool {
        self.waiting.contains_key(&operation.number)
    }

    /// Whether a request waits, and nobody has ended that.
    pub(crate) fn goes_on_waiting(&self, operation: &Operation) -> bool {
        self.waiting.get(&operation.number).is_some_and(|waiter| waiter.ending.is_none())
    }

    /// These wait while the node is quiet, each with how many quiet moments there had been when it came.
    pub(crate) fn settle<'o>(&mut self, waiting: impl Iterator<Item = (&'o Operation, usize)>) {
        let waiters: BTreeMap<usize, Waiter> = waiting
            .filter_map(|(operation, came)| {
                let waiter = Self::waiter(operation)?;
                Some((operation.number, Waiter { came, is_settled: true, ..waiter }))
            })
            .collect();
        let is_kept_for = |waiter: &Waiter| {
            !waiters.values().any(|other| {
                other.wait.moves_on()
                    && other.came <= waiter.came
                    && other.wait.keys.iter().any(|key| waiter.is_in_line_for(key))
            })
        };
        self.waiting = waiters
            .iter()
            .map(|(number, waiter)| (*number, Waiter { is_kept_for: is_kept_for(waiter), ..waiter.clone() }))
            .collect();
    }

    /// Whether a request waits for something that is there.
    pub(crate) fn waits_in_vain(&self, operation: &Operation) -> bool {
        self.waiting.get(&operation.number).is_some_and(|waiter| {
            let database = &self.databases[waiter.database];
            waiter.wait.keys.iter().any(|key| waiter.wait.is_for(database, key))
        })
    }

    /// Whether a request may as well have come to wait now, or given up waiting, if that leads from here to `after`: the keys
    /// hold what they held, and nobody else's turn depends on it. Not so for one that somebody may unblock.
    pub(crate) fn may_as_well_wait(&self, operation: &Operation, after: &State) -> bool {
        let Some(wait) = &operation.wait else { return false };
        let gives_up = self.waits(operation) && operation.reply == Some(Reply::Null);
        // An error would have been its answer before it came to wait.
        let is_refused = matches!(operation.reply, Some(Reply::Error(_)));
        let comes = !self.waits(operation) && after.waits(operation) && !is_refused;
        let is_behind = || self.waiting.values().any(|waiter| wait.keys.iter().any(|key| waiter.is_in_line_for(key)));
        self.databases == after.databases && (gives_up || (comes && !is_behind()))
    }

    fn waiter(operation: &Operation) -> Option<Waiter> {
        let wait = operation.wait.clone()?;
        Some(Waiter {
            client: operation.client,
            database: operation.database,
            wait,
            came: usize::MAX,
            is_settled: false,
            is_kept_for: false,
            ending: None,
        })
    }

    /// Whether what a key holds is for somebody who waits, and not for this command.
    pub(super) fn is_kept_for_others(&self, key: &[u8], operation: &Operation) -> bool {
        !self.waiting.contains_key(&operation.number)
            && self.waiting.values().any(|waiter| {
                waiter.is_in_line_for(key)
                    && waiter.is_kept_for
                    && waiter.wait.is_for(&self.databases[waiter.database], key)
            })
    }

    /// The states that one who waits, or comes to wait, may lead to.
    pub(super) fn after_wait(&self, operation: &Operation, setting: Setting) -> Vec<State> {
        let Some(wait) = &operation.wait else { return Vec::new() };
        let reply = operation.reply.as_ref();
        let Some(waiter) = self.waiting.get(&operation.number) else {
            return self.after_attempt(operation, wait, setting);
        };
        if reply.is_none() && !operation.leaves {
            // It waits to the end.
            return Vec::new();
        }
        let mut without = self.clone();
        without.waiting.remove(&operation.number);
        let mut states = Vec::new();
        let unblocked = Reply::Error("UNBLOCKED client unblocked via CLIENT UNBLOCK".into());
        let is_late = wait.timeout_ms > 0 && setting.window.to >= setting.window.from + wait.timeout_ms;
        let ends = match (waiter.ending, reply) {
            (_, None) => operation.leaves,
            (Some(Ending::Nothing), Some(reply)) => *reply == Reply::Null,
            (Some(Ending::Error), Some(reply)) => *reply == unblocked,
            (None, Some(reply)) => *reply == Reply::Null && is_late,
        };
        if ends {
            states.push(without.clone());
        }
        if waiter.ending.is_some() || reply == Some(&Reply::Null) {
            return states;
        }
        for key in &wait.keys {
            let others = without.waiting.values();
            let mut earlier = others.filter(|other| {
                other.is_in_line_for(key)
                    && other.wait.is_sorted_set == wait.is_sorted_set
                    && other.database == waiter.database
                    && other.came < waiter.came
            });
            if earlier.next().is_none() && wait.is_for(&self.databases[waiter.database], key) {
                let words = Wait::for_key(&operation.words, key);
                states.extend(without.after_one(operation, &words, reply, setting));
            }
        }
        states
    }

    /// A request comes that waits if there is nothing.
    fn after_attempt(&self, operation: &Operation, wait: &Wait, setting: Setting) -> Vec<State> {
        let mut states = Vec::new();
        for state in self.expiries(setting.window) {
            let nothing = wait.keys.iter().all(|key| state.databases[operation.database].get(key).is_none());
            if !nothing {
                states.extend(state.after_one(operation, &operation.words, operation.reply.as_ref(), setting));
            } else if let Some(waiter) = Self::waiter(operation) {
                let mut state = state;
                state.waiting.insert(operation.number, waiter);
                states.push(state);
            }
        }
        states
    }

    /// `CLIENT UNBLOCK`: one means that the client waited and does so no more, zero that it did not wait.
    pub(super) fn after_unblock(&self, operation: &Operation) -> Vec<State> {
        let waiting = self.waiting.iter();
        let waits = waiting
            .filter(|(_, waiter)| Some(waiter.client) == operation.unblocks && waiter.ending.is_none())
            .map(|(number, _)| *number)
            .next();
        let ending =
            if operation.words.last().is_some_and(|word| word == b"ERROR") { Ending::Error } else { Ending::Nothing };
        let unblocked = waits.map(|number| {
            let mut state = self.clone();
            if let Some(waiter) = state.waiting.get_mut(&number) {
                waiter.ending = Some(ending);
            }
            state
        });
        match operation.reply {
            Some(Reply::Integer(1)) => unblocked.into_iter().collect(),
            Some(Reply::Integer(0)) if waits.is_none() => vec![self.clone()],
            None => unblocked.into_iter().chain([self.clone()]).collect(),
            _ => Vec::new(),
        }
    }
}

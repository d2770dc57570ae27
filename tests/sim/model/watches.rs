//! WATCH and EXEC: a transaction runs whole, and only if no watched key has changed.

use std::collections::BTreeSet;

use corewise::topology::Topology;

use super::{Setting, State};
use crate::clients::keys_of;
use crate::history::Operation;
use crate::reply::Reply;

/// Whether a watched key has changed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
enum Changed {
    #[default]
    No,
    /// It may count as changed or not.
    Perhaps,
    Yes,
}

/// What one client watches.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(super) struct Watch {
    keys: BTreeSet<(usize, Vec<u8>)>,
    changed: Changed,
}

impl State {
    /// The keys that have changed have changed for those who watch them.
    pub(super) fn note_exact_changes(&mut self) {
        for (number, database) in self.databases.iter_mut().enumerate() {
            for name in database.take_changed() {
                let key = (number, name);
                let watches = self.watches.values_mut().filter(|watch| watch.keys.contains(&key));
                watches.for_each(|watch| watch.changed = Changed::Yes);
            }
        }
    }

    /// What has changed so far is nobody's business.
    pub(crate) fn forget_changes(&mut self) {
        self.databases.iter_mut().for_each(|database| drop(database.take_changed()));
    }

    /// The same as above after a command. One that moves or pops elements over several cores stores all of its keys if it
    /// has changed one: the others may count as changed.
    pub(super) fn note_changes(&mut self, words: &[Vec<u8>], database: usize, topology: Topology) {
        let changes = self.databases.iter().any(|database| !database.is_unchanged());
        self.note_exact_changes();
        if !changes || self.watches.is_empty() || !(words[0] == b"SMOVE" || is_pop(&words[0])) {
            return;
        }
        let names = keys_of(words);
        let spans = names.iter().any(|name| topology.core_of(name) != topology.core_of(&names[0]));
        for name in names.into_iter().filter(|name| spans && self.databases[database].get(name).is_some()) {
            let key = (database, name);
            let watches = self.watches.values_mut().filter(|watch| watch.keys.contains(&key));
            watches.for_each(|watch| watch.changed = watch.changed.max(Changed::Perhaps));
        }
    }

    /// Whether a client other than this one watches one of these keys.
    pub(crate) fn is_watched(&self, client: usize, keys: &[Vec<u8>]) -> bool {
        let mut watches = self.watches.iter().filter(|(watcher, _)| **watcher != client).map(|(_, watch)| watch);
        watches.any(|watch| watch.keys.iter().any(|(_, key)| keys.contains(key)))
    }

    pub(super) fn after_watch(&self, operation: &Operation, setting: Setting) -> Vec<State> {
        let mut states = self.expiries(setting.window);
        for state in &mut states {
            let watch = state.watches.entry(operation.client).or_default();
            watch.keys.extend(operation.words[1..].iter().map(|name| (operation.database, name.clone())));
        }
        states
    }

    pub(super) fn after_unwatch(&self, operation: &Operation) -> Vec<State> {
        let mut state = self.clone();
        state.watches.remove(&operation.client);
        vec![state]
    }

    pub(super) fn after_exec(&self, operation: &Operation, setting: Setting) -> Vec<State> {
        let (mut refused, mut run) = (Vec::new(), Vec::new());
        for mut state in self.expiries(setting.window) {
            let changed = state.watches.remove(&operation.client).map_or(Changed::No, |watch| watch.changed);
            if changed != Changed::No {
                refused.push(state.clone());
            }
            if changed != Changed::Yes {
                run.push(state);
            }
        }
        let replies = match &operation.reply {
            Some(Reply::Null) => return refused,
            Some(Reply::Array(replies)) if replies.len() == operation.queue.len() => Some(replies),
            Some(_) => return Vec::new(),
            None => None,
        };
        for (at, words) in operation.queue.iter().enumerate() {
            let reply = replies.map(|replies| &replies[at]);
            run = run.iter().flat_map(|state| state.after_one(operation, words, reply, setting)).collect();
            run.dedup();
        }
        if operation.reply.is_none() {
            run.append(&mut refused);
        }
        run
    }
}

/// Whether a command pops from one of several keys.
fn is_pop(name: &[u8]) -> bool {
    name.ends_with(b"POP") || name.ends_with(b"POPMIN") || name.ends_with(b"POPMAX")
}

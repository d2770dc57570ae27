//! Keys that somebody waits for (BLPOP and its like), and those of them that have changed since somebody looked.
//!
//! The names lie in the register of the database number, beside the watched ones: while nobody waits or watches, a change
//! costs one look at whether the register is empty. A name that is waited for goes to the shard's list of ready ones with
//! every change of its key; whether there is something to pop is for whoever takes the list to see. As with watched keys,
//! the names belong to the number: SWAPDB makes all of them ready.
//!
//! Invariant: a name stands in the list once at most, so the list is never longer than the names that are waited for.

use std::collections::HashMap;

use super::shard::Shard;

/// The awaited names of one database number, each with whether it is in the list of ready ones.
#[derive(Debug, Default)]
pub(super) struct Awaited {
    number: usize,
    names: HashMap<Box<[u8]>, bool>,
}

/// Names that are awaited and have changed, each with its database, the first that changed first.
pub(super) type Ready = Vec<(usize, Box<[u8]>)>;

impl Awaited {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// A key has changed.
    pub(super) fn changed(&mut self, name: &[u8], ready: &mut Ready) {
        if let Some(is_listed) = self.names.get_mut(name)
            && !*is_listed
        {
            *is_listed = true;
            ready.push((self.number, name.into()));
        }
    }

    /// All keys may have changed.
    pub(super) fn all_changed(&mut self, ready: &mut Ready) {
        for (name, is_listed) in &mut self.names {
            if !*is_listed {
                *is_listed = true;
                ready.push((self.number, name.clone()));
            }
        }
    }
}

impl Shard {
    /// Somebody waits for a key from now on.
    pub fn await_key(&mut self, database: usize, name: &[u8]) {
        let awaited = &mut self.databases[database].watched.awaited;
        awaited.number = database;
        awaited.names.entry(name.into()).or_default();
    }

    /// Nobody waits for a key any more.
    pub fn forget_key(&mut self, database: usize, name: &[u8]) {
        let names = &mut self.databases[database].watched.awaited.names;
        if names.remove(name) == Some(true) {
            self.common.ready.retain(|(number, ready)| (*number, &**ready) != (database, name));
        }
        if names.is_empty() {
            names.shrink_to_fit();
        }
    }

    /// Has an awaited key looked at as if it had changed.
    pub fn mark_ready(&mut self, database: usize, name: &[u8]) {
        self.databases[database].watched.awaited.changed(name, &mut self.common.ready);
    }

    /// Takes the list of names that are ready: awaited, and changed since they were last taken.
    pub fn take_ready(&mut self) -> Vec<(usize, Box<[u8]>)> {
        let ready = std::mem::take(&mut self.common.ready);
        for (database, name) in &ready {
            if let Some(is_listed) = self.databases[*database].watched.awaited.names.get_mut(name) {
                *is_listed = false;
            }
        }
        ready
    }
}

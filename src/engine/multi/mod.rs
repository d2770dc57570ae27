//! Transactions of the client's own: MULTI queues, EXEC runs what is queued as one, WATCH makes EXEC depend on keys.
//!
//! The queue lies in the session. A request that is refused while it grows makes EXEC fail, with nothing run; one that
//! fails while it runs has its error in the reply, and the rest runs. EXEC finds out who has to do with the queue
//! (`plan`), and runs it in one of three manners (`exec`):
//!
//! ```text
//! here    every key is on this core, and nothing lies on it      at once, within the request
//! apart   each command has its keys on one core                  each core runs its own when the intents come first
//!                                                                there; the replies are put in order
//! held    anything else                                          all cores come first and say whether watched keys are
//!                                                                unchanged; then they hold, and the commands run one
//!                                                                after the other as if the client had sent them
//! ```
//!
//! Held, the cores carry out what comes from this EXEC and nothing else on those keys, so the commands are isolated; what
//! speaks for the node has all shards held. Time goes on meanwhile: a key may fall due between two commands.
//!
//! Keys are watched by their owner (`keyspace::watch`), which says at WATCH what they are like. Whether they are still
//! like that is asked once all cores hold the keys, watched ones included, and before anything has run.
//!
//! A queue takes memory as a client's other input does: together they are held to `client-query-buffer-limit`, and a
//! client beyond it is closed. Its replies are not held back for a client that does not read, since others wait for the
//! keys.

mod exec;
mod plan;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

pub(super) use self::exec::Execution;
use super::Engine;
use super::mail::{Handle, Rare, StoredKey, WatchedKey};
use super::node::{Ask, Gathered, Handled, Told};
use super::requests::Flow;
use super::room::has_room;
use crate::base::{ConnId, CoreId};
use crate::command::{Command, CommandId, Flags};
use crate::keyspace::Version;
use crate::limits::WATCHED_KEYS_MAX;
use crate::resp::{ReplyError, Request};
use crate::route::{self, Plan};
use crate::session::Session;
use crate::txn::Ticket;

/// A WATCH that waits for the keys of this core.
#[derive(Debug)]
pub(super) struct LateWatch {
    ticket: Ticket,
    from: CoreId,
    handle: Handle,
    keys: Vec<StoredKey>,
}

/// Queues.
impl Engine {
    pub(super) fn multi(&mut self, session: &mut Session) -> Handled {
        if session.queue.is_some() {
            return Err(ReplyError::NestedMulti.into());
        }
        session.queue = Some(Box::default());
        Ok(self.answer(session, |_, reply| reply.ok()))
    }

    pub(super) fn discard(&mut self, session: &mut Session) -> Handled {
        if session.queue.take().is_none() {
            return Err(ReplyError::DiscardWithoutMulti.into());
        }
        self.unwatch(session);
        Ok(self.answer(session, |_, reply| reply.ok()))
    }

    /// Queues a request of a client that is in MULTI, or refuses it. `None` if it is one of those that are run at once.
    #[cold]
    pub(super) fn enqueue(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
    ) -> Option<Flow> {
        if let CommandId::Discard
        | CommandId::Exec
        | CommandId::Multi
        | CommandId::Quit
        | CommandId::Reset
        | CommandId::Watch = command.id
        {
            return None;
        }
        if command.flags.contains(Flags::NO_MULTI) {
            return Some(self.reject(session, command, ReplyError::NotInMulti));
        }
        if command.flags.contains(Flags::DENYOOM) && !self.may_have_room(session, command, request) {
            return Some(self.reject(session, command, ReplyError::OutOfMemory));
        }
        session.last_command = Some(command.id);
        session.queue.as_mut()?.push(command, request);
        Some(self.answer(session, |_, reply| reply.simple("QUEUED")))
    }

    /// Whether there is room for what a command brings, as far as this core can tell: what others lack shows at EXEC.
    fn may_have_room(&mut self, session: &Session, command: &'static Command, request: Request<'_>) -> bool {
        let is_here = match route::plan(self.topology, self.core, command, request) {
            Plan::Core { core, .. } => core == self.core,
            Plan::Several => false,
        };
        match &mut self.shard {
            Some(shard) if is_here => has_room(shard, command, request, self.now, session.database),
            _ => true,
        }
    }

    /// EXEC is refused: ends the transaction, and answers why.
    #[cold]
    pub(super) fn abort(&mut self, session: &mut Session, why: &str) -> Flow {
        session.queue = None;
        self.unwatch(session);
        let line = format!("EXECABORT Transaction discarded because of: {why}");
        self.count_error(&line);
        self.answer(session, |_, reply| reply.error_text(&line))
    }
}

/// Watches.
impl Engine {
    /// A key that is watched already stays as it was first seen.
    pub(super) fn watch_keys(&mut self, session: &mut Session, request: Request<'_>) -> Handled {
        if session.queue.is_some() {
            return Err(ReplyError::WatchInMulti.into());
        }
        let database = session.database;
        let mut by_core: BTreeMap<CoreId, Vec<StoredKey>> = BTreeMap::new();
        let mut count = session.watched.len();
        for name in request.iter().skip(1) {
            let key = (database, Box::from(name));
            if !session.watched.contains_key(&key) {
                count += 1;
                if count > WATCHED_KEYS_MAX {
                    return Err(ReplyError::TooManyWatched.into());
                }
                let (database, name) = key;
                by_core.entry(self.topology.core_of(&name)).or_default().push(StoredKey { database, name });
            }
        }
        let elsewhere = by_core.keys().any(|core| *core != self.core);
        // What lies on keys here may be about to change them though it has been seen elsewhere: the letter waits for that.
        let is_free = self.shard.is_some() && self.stash.is_empty() && self.ledger.is_empty();
        if elsewhere || !is_free {
            let handle = self.question(session, by_core.len(), Gathered::Watching(Vec::new()));
            for (core, keys) in by_core {
                self.write(core, Rare::Ask { handle, ask: Ask::WatchKeys(keys) });
            }
            return Ok(Flow::Next);
        }
        for keys in by_core.into_values() {
            for watched in self.watch_here(keys) {
                self.note_watched(&mut session.watched, watched);
            }
        }
        Ok(self.answer(session, |_, reply| reply.ok()))
    }

    /// Watches keys of this core for a client.
    pub(super) fn watch_here(&mut self, keys: Vec<StoredKey>) -> Vec<WatchedKey> {
        let now = self.now;
        let Some(shard) = &mut self.shard else { return Vec::new() };
        let watch = |key: StoredKey| {
            let version = shard.watch(usize::from(key.database), &key.name, now);
            WatchedKey { key, version }
        };
        keys.into_iter().map(watch).collect()
    }

    /// The same for a client of any core. `None` while an intent lies on one of the keys: what it is for may have been seen
    /// already, on another core or by its own client, and is no change to whoever begins to watch behind that. The asker is
    /// told when the keys are free.
    pub(super) fn watch_when_free(&mut self, (from, handle): (CoreId, Handle), keys: Vec<StoredKey>) -> Option<Told> {
        if keys.iter().any(|key| self.ledger.blocks(&key.name, false)) {
            let ticket = self.ledger.ticket();
            self.late_watches.push(LateWatch { ticket, from, handle, keys });
            return None;
        }
        Some(Told::Watching(self.watch_here(keys)))
    }

    /// Intents have gone: keys are watched that nothing lies on any more which was there before.
    pub(super) fn watch_released(&mut self) {
        let ledger = &self.ledger;
        let is_detained = |key: &StoredKey, ticket| ledger.detains(&key.name, false, ticket);
        let released =
            self.late_watches.extract_if(.., |late| !late.keys.iter().any(|key| is_detained(key, late.ticket)));
        for LateWatch { from, handle, keys, .. } in released.collect::<Vec<LateWatch>>() {
            let told = Told::Watching(self.watch_here(keys));
            self.write(from, Rare::Told { handle, told });
        }
    }

    /// A client's keys are watched from now on, if it is still there.
    pub(super) fn now_watches(&mut self, conn: ConnId, watched: Vec<WatchedKey>) {
        let mut known = self.sessions.get_mut(conn).map(|session| std::mem::take(&mut session.watched));
        for key in watched {
            match &mut known {
                Some(known) => self.note_watched(known, key),
                None => self.unwatch_key(key.key),
            }
        }
        if let (Some(session), Some(known)) = (self.sessions.get_mut(conn), known) {
            session.watched = known;
        }
    }

    /// A key that one WATCH names twice is watched once.
    fn note_watched(&mut self, known: &mut BTreeMap<(u16, Box<[u8]>), Version>, watched: WatchedKey) {
        let WatchedKey { key, version } = watched;
        if known.contains_key(&(key.database, key.name.clone())) {
            return self.unwatch_key(key);
        }
        known.insert((key.database, key.name), version);
    }

    fn unwatch_key(&mut self, key: StoredKey) {
        self.write(self.topology.core_of(&key.name), Rare::Unwatch(vec![key]));
    }

    /// A client watches nothing more.
    pub(super) fn unwatch(&mut self, session: &mut Session) {
        if !session.watched.is_empty() {
            let watched = std::mem::take(&mut session.watched);
            self.unwatch_keys(&watched);
        }
    }

    /// Tells the owners of keys that a client watches them no more.
    pub(super) fn unwatch_keys(&mut self, watched: &BTreeMap<(u16, Box<[u8]>), Version>) {
        let mut by_core: BTreeMap<CoreId, Vec<StoredKey>> = BTreeMap::new();
        for (database, name) in watched.keys() {
            let key = StoredKey { database: *database, name: name.clone() };
            by_core.entry(self.topology.core_of(name)).or_default().push(key);
        }
        for (core, keys) in by_core {
            self.write(core, Rare::Unwatch(keys));
        }
    }

    /// Clients of any core watch these keys of this one no more.
    pub(super) fn unwatch_here(&mut self, keys: &[StoredKey]) {
        if let Some(shard) = &mut self.shard {
            keys.iter().for_each(|key| shard.unwatch(usize::from(key.database), &key.name));
        }
    }

    /// Whether watched keys of this core are what they were.
    pub(super) fn are_unchanged(&mut self, watched: &[WatchedKey]) -> bool {
        let now = self.now;
        let Some(shard) = &mut self.shard else { return false };
        watched.iter().all(|watched| {
            shard.is_unchanged(usize::from(watched.key.database), &watched.key.name, watched.version, now)
        })
    }
}

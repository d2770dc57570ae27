//! Commands over several cores: this core as coordinator, and as one of those concerned. See `txn` for the protocol.
//!
//! A command is *split* where its parts can be run apart and their replies joined (MGET, MSET, DEL: the table's
//! [`Spread`]), and FLUSHALL and its like, which every core runs whole. Any other is *assembled*: its keys come to the
//! coordinator, its ordinary handler runs on a shard that holds just them, and what became of each key is settled where it
//! lives. So a command need not know that its keys are apart.
//!
//! # How keys come and go
//!
//! Values are not copied. A key that is read is shared; one that is changed gives its value away, and has it back when the
//! command has run; of one that is overwritten nothing goes but that it is there (`keyspace::guests`). That costs the same
//! however large the values are: LMOVE between two lists of a million elements, which copied both there and back, took 84 ms
//! on two cores in an unoptimized build, and takes 0.06 ms.
//!
//! It was chosen over the two other ways to spare the copies. To run a command where its largest value lies spares one value
//! and not the other, and somebody must ask for the sizes first. To make a step on each core of every such command (pop
//! here, push there) is a second implementation of each, with errors to be found before the first step.
//!
//! Only what has changed is written: the assembled shard watches its keys as a client would (WATCH), and a key that has the
//! version with which it came goes back as it was. Of keys that were merely used, their owner learns by how much, and only
//! if the policy keeps account of that.
//!
//! If every shard concerned is here or can be borrowed, and the command will not take long, all this happens at once, with
//! no letter written: the shards are held together, so nobody sees a part of it (`at_once`).
//!
//! This file coordinates; `part` holds what each core has to do, `share` is the side of the cores that take part.

mod at_once;
mod part;
mod share;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use self::part::concerns_all;
use self::part::{Manner, Part, PartKey, derives_keys, join, manner, part_request};
use super::mail::{Asker, Handle, Outcomes, OwnedRequest, PartReply, Place, Rare, StoredKey, Task, Wanted, Work};
use super::requests::Flow;
use super::{Deferred, Engine};
use crate::base::{ConnId, CoreId};
use crate::command::{self, Command, Spread};
use crate::exec::{self, sort};
use crate::keyspace::{Entry, Guest, KeyEvent, Outcome, Purpose};
use crate::resp::{Output, Protocol, Reply, ReplyError, Request};
use crate::session::{Selected, Session, State};
use crate::txn::TxnId;

/// A command over several cores that is under way.
#[derive(Debug)]
pub(super) struct Transaction {
    client: Place,
    command: &'static Command,
    selected: Selected,
    protocol: Protocol,
    request: OwnedRequest,
    id: TxnId,
    /// The wait that it is run for, whose client need not be told if there is nothing.
    wait: Option<u32>,
    /// It is part of an EXEC, whose number it has and which holds the keys.
    within_exec: bool,
    parts: Vec<Part>,
    /// Which keys it reads beside its own follows from what they hold, and is still to be seen.
    follows: bool,
    /// Answers that are still to come in this phase.
    awaiting: usize,
    /// The worst answer so far to the letters that schedule it.
    outcome: Scheduling,
    /// When it began, by the stopwatch, if it is measured.
    began_us: Option<u64>,
}

/// What a core says to intents, the worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Scheduling {
    /// They are left.
    Accepted,
    /// It has gone ahead of their number: another number is to be tried.
    Overtaken,
    /// It has no room for what the command brings.
    NoRoom,
}

/// Begins.
impl Engine {
    /// A command whose keys lie on several cores, or that concerns every shard (one without keys).
    pub(super) fn on_several_shards(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
    ) -> Flow {
        if command.spread == Spread::All && request.len().is_multiple_of(2) {
            // A key without a value: the handler's words, before anything is split.
            return self.refuse(session, ReplyError::WrongArity(command.name));
        }
        let parts = self.parts(command, request, session.database);
        let holder = session.executing.and_then(|executing| executing.holder);
        if holder.is_none() && self.holds_for(command, request, &parts) {
            if !parts.iter().all(|part| self.has_room_at(part.core, part.room(command, request, self.counts_keys()))) {
                return self.reject(session, command, ReplyError::OutOfMemory);
            }
            self.run_at_once(session, command, request, parts);
            self.follow_up();
            return Flow::Next;
        }
        let place = session.reserve_place();
        session.state = State::Busy;
        let handle = self.transactions.insert(Transaction {
            client: Place { conn: session.conn, place },
            command,
            selected: session.selected(),
            protocol: session.protocol,
            request: OwnedRequest::new(request.iter()),
            id: holder.unwrap_or(TxnId(0)),
            wait: None,
            within_exec: holder.is_some(),
            parts,
            follows: derives_keys(command, request),
            awaiting: 0,
            outcome: Scheduling::Accepted,
            began_us: None,
        });
        self.stats.transactions += 1;
        let handle = Handle(handle as u32);
        self.deferred = Deferred::Transaction(handle);
        match holder {
            None => self.schedule(handle),
            Some(_) => self.execute_parts(handle),
        }
        Flow::Next
    }

    /// A command that waits, whose keys lie on several cores.
    pub(super) fn transact_for_wait(
        &mut self,
        number: u32,
        command: &'static Command,
        request: OwnedRequest,
        selected: Selected,
        protocol: Protocol,
    ) {
        let parts = self.parts(command, request.request(), selected.database);
        let handle = self.transactions.insert(Transaction {
            client: Place::NOBODY,
            command,
            selected,
            protocol,
            request,
            id: TxnId(0),
            wait: Some(number),
            within_exec: false,
            parts,
            follows: false,
            awaiting: 0,
            outcome: Scheduling::Accepted,
            began_us: None,
        });
        self.stats.transactions += 1;
        self.schedule(Handle(handle as u32));
    }

    /// Who has to do with the command: the cores of its keys, in the order of their first key; all of them if it has none.
    fn parts(&self, command: &'static Command, request: Request<'_>, database: u16) -> Vec<Part> {
        let Ok(keys) = command::keys(command, request) else { return Vec::new() };
        let mut parts: Vec<Part> = Vec::new();
        if concerns_all(command, request) {
            parts.extend(self.topology.all().map(|core| Part { core, ..Part::default() }));
        }
        for key in keys {
            let core = self.topology.core_of(request.get(key.index));
            let part_key = PartKey {
                index: key.index,
                database: exec::key_database(
                    command.id,
                    request,
                    key.index,
                    usize::from(database),
                    usize::from(self.config.databases),
                ) as u16,
                purpose: part::purpose(key.flags),
            };
            match parts.iter_mut().find(|part| part.core == core) {
                Some(part) => part.keys.push(part_key),
                None => parts.push(Part { core, keys: vec![part_key], ..Part::default() }),
            }
        }
        parts
    }
}

/// Coordinates.
impl Engine {
    /// Draws a number and asks every core concerned to leave intents.
    fn schedule(&mut self, handle: Handle) {
        let counts_keys = self.counts_keys();
        let Some(transaction) = self.transactions.get_mut(handle.0 as usize) else { return };
        transaction.id = self.shared.next_transaction();
        transaction.awaiting = transaction.parts.len();
        transaction.outcome = Scheduling::Accepted;
        let request = transaction.request.request();
        let letters: Vec<(CoreId, Rare)> = transaction
            .parts
            .iter()
            .map(|part| {
                let intents = part.intents(transaction.command, request);
                let room = part.room(transaction.command, request, counts_keys);
                let asker = Asker::Command(handle);
                (part.core, Rare::Schedule { id: transaction.id, asker, intents, room, work: None })
            })
            .collect();
        for (core, letter) in letters {
            self.write(core, letter);
        }
    }

    /// A core has left its intents, or refused to.
    pub(super) fn scheduled(&mut self, handle: Handle, outcome: Scheduling) {
        let Some(transaction) = self.transactions.get_mut(handle.0 as usize) else { return };
        transaction.outcome = transaction.outcome.max(outcome);
        transaction.awaiting -= 1;
        if transaction.awaiting > 0 {
            return;
        }
        if transaction.outcome != Scheduling::Accepted {
            let (id, outcome) = (transaction.id, transaction.outcome);
            let cores: Vec<CoreId> = transaction.parts.iter().map(|part| part.core).collect();
            for core in cores {
                self.write(core, Rare::Withdraw { id });
            }
            if outcome == Scheduling::NoRoom {
                return self.reject_transaction(handle);
            }
            self.stats.transaction_retries += 1;
            return self.schedule(handle);
        }
        self.execute_parts(handle);
    }

    /// Has every core do its part.
    fn execute_parts(&mut self, handle: Handle) {
        let Some(transaction) = self.transactions.get_mut(handle.0 as usize) else { return };
        transaction.awaiting = transaction.parts.len();
        let within_exec = transaction.within_exec;
        let id = transaction.id;
        if manner(transaction.command) == Manner::Assembled {
            let Transaction { parts, command, request, .. } = transaction;
            parts.iter_mut().for_each(|part| part.wanted = part.wants(command, request.request()));
        }
        let works: Vec<(CoreId, Work)> = transaction
            .parts
            .iter()
            .enumerate()
            .map(|(index, part)| {
                let task = task(transaction, part);
                (part.core, Work { coordinator: self.core, handle, part: index, task })
            })
            .collect();
        for (core, work) in works {
            let work = Box::new(work);
            self.write(core, if within_exec { Rare::Perform(work) } else { Rare::Execute { id, work } });
        }
    }

    /// A core has no room for its part: answers so, and nothing has run.
    fn reject_transaction(&mut self, handle: Handle) {
        let Transaction { client, command, protocol, request, wait, began_us, .. } =
            self.transactions.remove(handle.0 as usize);
        self.stats.failures[command.id.index()].rejected += 1;
        self.count_error(&ReplyError::OutOfMemory.text());
        let mut out = std::mem::take(&mut self.scratch);
        Reply::new(&mut out, protocol).error(ReplyError::OutOfMemory);
        if let Some(began_us) = began_us {
            self.observe_end_of(client.conn, command, request.request(), began_us);
        }
        self.conclude_for(wait, client, false, out);
    }

    /// A part of a split command has run.
    pub(super) fn part_executed(&mut self, handle: Handle, part: usize, reply: PartReply) {
        let Some(transaction) = self.transactions.get_mut(handle.0 as usize) else { return };
        transaction.parts[part].reply = reply;
        transaction.awaiting -= 1;
        if transaction.awaiting > 0 {
            return;
        }
        let transaction = self.transactions.remove(handle.0 as usize);
        if !transaction.within_exec {
            // All have done their part: they may let go.
            let id = transaction.id;
            transaction.parts.iter().for_each(|part| self.write(part.core, Rare::Withdraw { id }));
        }
        let mut out = std::mem::take(&mut self.scratch);
        let mut reply = Reply::new(&mut out, transaction.protocol);
        join(transaction.command, transaction.request.request(), &transaction.parts, &mut reply);
        if let Some(began_us) = transaction.began_us {
            let (command, request) = (transaction.command, transaction.request.request());
            self.observe_end_of(transaction.client.conn, command, request, began_us);
        }
        self.conclude(transaction.client, out);
    }

    /// The entries of one core have come for an assembled command.
    pub(super) fn part_fetched(&mut self, handle: Handle, part: usize, entries: Vec<Option<Entry>>) {
        let Some(transaction) = self.transactions.get_mut(handle.0 as usize) else { return };
        transaction.parts[part].entries.extend(entries);
        transaction.awaiting -= 1;
        if transaction.awaiting > 0 || self.follow_values(handle) {
            return;
        }
        let Transaction {
            client, command, selected, protocol, request, id, wait, within_exec, parts, began_us, ..
        } = self.transactions.remove(handle.0 as usize);
        let mut out = std::mem::take(&mut self.scratch);
        let mut reply = Reply::new(&mut out, protocol);
        // The intents stay until the outcome is settled, so the reply may leave at once: nobody can look at the keys before.
        let runs = !self.is_called_off(wait);
        let (nothing, outcomes) =
            self.run_assembled(command, selected, runs.then(|| request.request()), parts, &mut reply);
        for (core, outcomes) in outcomes {
            if within_exec && core == self.core {
                // The next command of the EXEC runs here at once, and would pass a letter.
                self.with_held(core, |engine, shard| engine.apply(shard, outcomes));
            } else {
                self.write(core, Rare::Settle { ends: (!within_exec).then_some(id), outcomes });
            }
        }
        if let Some(began_us) = began_us {
            self.observe_end_of(client.conn, command, request.request(), began_us);
        }
        self.conclude_for(wait, client, nothing, out);
    }

    /// Asks for the entries of the keys that follow from those that have come (SORT by pattern). False if there are none,
    /// or they have come.
    fn follow_values(&mut self, handle: Handle) -> bool {
        let Some(transaction) = self.transactions.get_mut(handle.0 as usize) else { return false };
        if !std::mem::take(&mut transaction.follows) {
            return false;
        }
        let (command, request, database) =
            (transaction.command.id, transaction.request.request(), transaction.selected.database);
        // The first key of the command is the one whose value says what follows.
        let first = StoredKey { database, name: request.get(FIRST_KEY).into() };
        let sorted = transaction.parts.iter().find_map(|part| part.entries.get(part.place_of(&first)?)?.as_ref());
        let mut names = BTreeSet::new();
        if let Some(entry) = sorted {
            sort::named_keys(command, request, entry.value(), |name| {
                if !names.contains(name) {
                    names.insert(Box::<[u8]>::from(name));
                }
            });
        }
        let mut derived: BTreeMap<CoreId, Vec<Wanted>> = BTreeMap::new();
        for name in names {
            let core = self.topology.core_of(&name);
            derived.entry(core).or_default().push(Wanted { key: StoredKey { database, name }, purpose: Purpose::Read });
        }
        let mut letters: Vec<(CoreId, Rare)> = Vec::new();
        for (index, part) in transaction.parts.iter_mut().enumerate() {
            let mut keys = derived.remove(&part.core).unwrap_or_default();
            // What the command names is here already.
            keys.retain(|wanted| part.place_of(&wanted.key).is_none());
            if !keys.is_empty() {
                part.wanted.extend_from_slice(&keys);
                letters.push((part.core, Rare::Follow { handle, part: index, keys }));
            }
        }
        transaction.awaiting = letters.len();
        let follows = !letters.is_empty();
        for (core, letter) in letters {
            self.write(core, letter);
        }
        follows
    }

    /// A transaction is measured from this moment on.
    pub(super) fn transaction_began(&mut self, handle: Handle, began_us: u64) {
        if let Some(transaction) = self.transactions.get_mut(handle.0 as usize) {
            transaction.began_us = Some(began_us);
        }
    }

    /// As [`Engine::conclude`]; or tells the wait that it was run for, and whether there was nothing.
    fn conclude_for(&mut self, wait: Option<u32>, client: Place, nothing: bool, mut reply: Output) {
        match wait {
            None => self.conclude(client, reply),
            Some(number) => {
                self.tried_on_several(number, nothing, &reply);
                reply.clear();
                self.scratch = reply;
            }
        }
    }

    /// Sends the reply, and lets the client go on.
    pub(super) fn conclude(&mut self, client: Place, mut reply: Output) {
        self.fill(client, &reply, 0, reply.len());
        reply.clear();
        self.scratch = reply;
        self.release_session(client.conn);
    }

    /// Lets a session go on whose request over several cores has been answered.
    pub(super) fn release_session(&mut self, conn: ConnId) {
        let Some(session) = self.sessions.get_mut(conn) else { return };
        if session.state == State::Busy {
            session.state = if session.executing.is_some() { State::Executing } else { State::Ready };
            if !session.runnable {
                session.runnable = true;
                self.runnable.push_back(conn);
            }
        }
    }

    /// Runs a command on a shard that holds just its keys, unless it was called off (no request). Returns whether it is one that waits and there was nothing, and,
    /// by core, what has become of its keys (every core is named, since its intents end with this), and what has happened
    /// to them.
    fn run_assembled(
        &mut self,
        command: &'static Command,
        selected: Selected,
        request: Option<Request<'_>>,
        parts: Vec<Part>,
        reply: &mut Reply<'_>,
    ) -> (bool, Vec<(CoreId, Outcomes)>) {
        let Some(mut assembly) = self.assembly.take() else { return (false, Vec::new()) };
        let now = assembly.advance(self.now);
        let mut places = Vec::with_capacity(parts.len());
        for Part { core, wanted, entries, .. } in parts {
            let receive = |(Wanted { key, purpose }, entry)| {
                let guest = assembly.receive(usize::from(key.database), &key.name, entry, purpose, now);
                (key, guest)
            };
            let guests: Vec<(StoredKey, Guest)> = wanted.into_iter().zip(entries).map(receive).collect();
            places.push((core, guests));
        }
        let nothing = request.is_none_or(|request| self.execute(&mut assembly, now, selected, command, request, reply));
        let mut dismiss = |(key, guest): (StoredKey, Guest)| {
            let outcome = assembly.dismiss(usize::from(key.database), &key.name, guest, now)?;
            Some((key, outcome))
        };
        let mut outcomes: Vec<(CoreId, Outcomes)> = Vec::with_capacity(places.len());
        for (core, guests) in places {
            let keys = guests.into_iter().filter_map(&mut dismiss).collect();
            outcomes.push((core, Outcomes { keys, events: Vec::new() }));
        }
        let of_keys = outcomes.iter_mut().flat_map(|(_, outcomes)| &mut outcomes.keys).map(|(_, outcome)| outcome);
        Outcome::share_grants(of_keys);
        let mut events = Vec::from(assembly.take_events());
        for (core, outcomes) in &mut outcomes {
            let own = |event: &mut KeyEvent| self.topology.core_of(&event.key) == *core;
            outcomes.events.extend(events.extract_if(.., own));
        }
        self.assembly = Some(assembly);
        (nothing, outcomes)
    }
}

/// Which argument the first key of a command is whose values say what keys follow.
const FIRST_KEY: usize = 1;

/// What one core is to do once all have accepted.
fn task(transaction: &Transaction, part: &Part) -> Task {
    let request = transaction.request.request();
    match manner(transaction.command) {
        Manner::Assembled => Task::Fetch { keys: part.wanted.clone() },
        Manner::Split => Task::Run {
            command: transaction.command.id,
            selected: transaction.selected,
            protocol: transaction.protocol,
            request: part_request(transaction.command, request, part),
            per_key: transaction.command.spread == Spread::PerKey,
        },
    }
}

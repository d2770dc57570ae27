//! Where mail arrives: requests of other cores run on the own shard, replies go to their places.

use std::collections::VecDeque;

use super::mail::{self, Asker, Batch, Handle, Letter, Manner, Place, Rare, Run, StoredKey};
use super::node::Told;
use super::transact::Scheduling;
use super::{Effect, Engine};
use crate::base::{ConnId, CoreId};
use crate::mesh::Progress;
use crate::resp::{Output, Reply, Request};
use crate::session::NO_PLACE;
use crate::txn::Ticket;

/// Who waits behind an intent on one of its keys.
#[derive(Debug)]
pub(super) enum Waiter {
    /// A command.
    Request(KeptRequest),
    /// A question what keys are like (WATCH): what is intended may have been answered already.
    Watch { from: CoreId, handle: Handle, keys: Vec<StoredKey> },
}

/// A command that is run later.
#[derive(Debug)]
pub(super) struct KeptRequest {
    from: CoreId,
    run: Run,
    bytes: Vec<u8>,
}

impl Engine {
    /// Reads what other cores have sent.
    pub(super) fn read_mail(&mut self) {
        if self.topology.cores() == 1 {
            return;
        }
        while let Some(mut received) = self.port.receive() {
            let from = received.from();
            self.read_batch(from, &mut received);
            self.port.finish(received, Progress::Whole);
        }
    }

    /// Requests that waited for the shard come before those that came later.
    pub(super) fn read_stash(&mut self) {
        while self.shard.is_some()
            && let Some((from, mut batch)) = self.stash.pop_front()
        {
            self.read_letters(from, &mut batch);
        }
    }

    /// Reads what this core has left for itself. Reading may leave more, which waits for the next turn.
    pub(super) fn read_own_mail(&mut self) {
        self.read_stash();
        let own = self.core.index();
        if !self.outgoing[own].is_empty() {
            let mut batch = std::mem::take(&mut self.outgoing[own]);
            self.read_batch(self.core, &mut batch);
            if self.outgoing[own].is_empty() {
                self.outgoing[own] = batch;
            }
        }
    }

    /// Reads a batch, or its replies only if the shard that its requests are for is away.
    pub(super) fn read_batch(&mut self, from: CoreId, batch: &mut Batch) {
        if self.shard.is_some() && self.stash.is_empty() {
            return self.read_letters(from, batch);
        }
        let (replies, requests): (Vec<Letter>, Vec<Letter>) =
            batch.letters.drain(..).partition(|letter| matches!(letter, Letter::Reply { .. }));
        batch.letters = replies;
        let bytes = std::mem::take(&mut batch.bytes);
        self.read_letters(from, batch);
        if !requests.is_empty() {
            let stashed = Batch { letters: requests, bytes, replies: Output::default() };
            self.stash.push_back((from, Box::new(stashed)));
        }
    }

    fn read_letters(&mut self, from: CoreId, batch: &mut Batch) {
        let mut letters = std::mem::take(&mut batch.letters);
        if letters.len() > 1 {
            self.look_ahead_in_mail(&letters, &batch.bytes);
        }
        for letter in letters.drain(..) {
            match letter {
                Letter::Run(run) => self.run_for(from, run, &batch.bytes),
                Letter::Reply { place, start, len } => self.take_reply(from, place, &batch.replies, start, len),
                Letter::Rare(rare) => self.read_rare(from, *rare),
            }
        }
        batch.letters = letters;
        batch.clear();
    }

    /// Runs a request of another core, or of this one when its time has come.
    pub(super) fn run_for(&mut self, from: CoreId, run: Run, bytes: &[u8]) {
        let mut spans = std::mem::take(&mut self.spans);
        let request = mail::unpack(bytes, run.start, run.arguments, &mut spans);
        if run.manner == Manner::InTransaction || !self.must_wait(from, run, request) {
            self.run_timed(from, run, request);
        }
        self.spans = spans;
    }

    /// Puts a request aside if an intent lies on its keys, or if an earlier one of the same client waits already: those of
    /// one client are executed in their order. True if it was.
    pub(super) fn must_wait(&mut self, from: CoreId, run: Run, request: Request<'_>) -> bool {
        if self.ledger.is_empty() {
            return false;
        }
        let client = (from, run.reply_to.conn);
        let behind_own = self.held_back.contains_key(&client);
        let key = if behind_own { None } else { self.blocking_key(run.command.command(), request) };
        if !behind_own && key.is_none() {
            return false;
        }
        let mut bytes = Vec::new();
        let start = mail::pack(&mut bytes, request);
        let kept = KeptRequest { from, run: Run { start, ..run }, bytes };
        match key {
            Some(key) => {
                self.ledger.wait(key, Waiter::Request(kept));
                self.held_back.insert(client, VecDeque::new());
            }
            None => self.held_back.entry(client).or_default().push_back(kept),
        }
        true
    }

    /// A request of this client that waited has run: those that it held back follow, until one of them must wait itself.
    fn release_held_back(&mut self, client: (CoreId, ConnId)) {
        let mut kept = self.held_back.remove(&client).unwrap_or_default();
        while let Some(KeptRequest { from, run, bytes }) = kept.pop_front() {
            self.run_for(from, run, &bytes);
            if let Some(behind) = self.held_back.get_mut(&client) {
                behind.append(&mut kept);
            }
        }
    }

    /// Answers what keys are like, once nothing lies on them.
    pub(super) fn watch_for(&mut self, from: CoreId, handle: Handle, keys: Vec<StoredKey>) {
        match keys.iter().position(|key| self.ledger.blocks(&key.name, false)) {
            Some(blocked) => {
                let name = keys[blocked].name.clone();
                self.ledger.wait(&name, Waiter::Watch { from, handle, keys });
            }
            None => self.tell_watched(from, handle, keys),
        }
    }

    fn tell_watched(&mut self, from: CoreId, handle: Handle, keys: Vec<StoredKey>) {
        let told = Told::Watching(self.watch_here(keys));
        self.write(from, Rare::Told { handle, told });
    }

    /// Lets somebody go on who has waited, unless something is still in his way.
    pub(super) fn run_waiter(&mut self, ticket: Ticket, waiter: Waiter) {
        match waiter {
            Waiter::Request(kept) => self.run_kept(ticket, kept),
            Waiter::Watch { from, handle, keys } => {
                match keys.iter().position(|key| self.ledger.detains(&key.name, false, ticket)) {
                    Some(detained) => {
                        let name = keys[detained].name.clone();
                        self.ledger.wait_on(&name, false, ticket, Waiter::Watch { from, handle, keys });
                    }
                    None => self.tell_watched(from, handle, keys),
                }
            }
        }
    }

    fn run_kept(&mut self, ticket: Ticket, kept: KeptRequest) {
        let KeptRequest { from, run, bytes } = &kept;
        let command = run.command.command();
        let mut spans = std::mem::take(&mut self.spans);
        let request = mail::unpack(bytes, run.start, run.arguments, &mut spans);
        let detained = crate::command::keys(command, request).ok().and_then(|keys| {
            let mut names = keys.map(|key| request.get(key.index));
            names.find(|name| self.ledger.detains(name, command.is_write(), ticket)).map(Box::<[u8]>::from)
        });
        if let Some(key) = detained {
            self.spans = spans;
            return self.ledger.wait_on(&key, command.is_write(), ticket, Waiter::Request(kept));
        }
        self.run_timed(*from, *run, request);
        self.spans = spans;
        self.release_held_back((*from, run.reply_to.conn));
    }

    /// Runs a request whose time has come, and replies.
    fn run_timed(&mut self, from: CoreId, run: Run, request: Request<'_>) {
        let command = run.command.command();
        let before = if self.times.knows(command.id.index()) { self.stats.served } else { 0 };
        let timed = self.is_timed(command, request, before);
        self.stats.served += 1;
        if run.manner == Manner::Attempt {
            self.attempt_for(from, run, request);
        } else {
            self.reply_to(from, run.reply_to, |engine, out| {
                let Some(mut shard) = engine.shard.take() else { return };
                let (now, reply) = (engine.now, &mut Reply::new(out, run.protocol));
                if run.manner == Manner::InTransaction {
                    engine.execute(&mut shard, now, run.selected, command, request, reply);
                } else {
                    engine.execute_if_room(&mut shard, now, run.selected, command, request, reply);
                }
                engine.shard = Some(shard);
            });
        }
        if let Some(began_us) = timed {
            self.observe_for(from, run.reply_to.conn, command, request, began_us);
        }
        if run.manner != Manner::InTransaction {
            self.follow_up();
        }
    }

    /// Lets `write` encode the reply to a request of `core`: into its batch, or into the session's pipeline if it is this
    /// core's.
    pub(super) fn reply_to(&mut self, core: CoreId, place: Place, write: impl FnOnce(&mut Self, &mut Output)) {
        if core == self.core {
            let mut out = std::mem::take(&mut self.scratch);
            write(self, &mut out);
            self.fill(place, &out, 0, out.len());
            out.clear();
            self.scratch = out;
        } else {
            let index = core.index();
            let mut replies = std::mem::take(&mut self.outgoing[index].replies);
            let start = replies.len();
            write(self, &mut replies);
            let len = replies.len() - start;
            let batch = &mut self.outgoing[index];
            batch.replies = replies;
            batch.letters.push(Letter::Reply { place, start, len });
        }
    }

    /// A reply has come from the core that owed it.
    fn take_reply(&mut self, from: CoreId, place: Place, replies: &Output, start: usize, len: usize) {
        if let Some(credit) = self.credits[from.index()].pop() {
            self.port.settle(credit);
        }
        if !self.unpublished.is_empty() {
            self.publish_waiting();
        }
        if self.events_held.is_some() {
            self.publish_events();
        }
        while let Some(conn) = self.no_credit[from.index()].pop_front() {
            self.runnable.push_back(conn);
        }
        self.fill(place, replies, start, len);
    }

    /// Puts a reply in its place, if the client is still there.
    pub(super) fn fill(&mut self, place: Place, replies: &Output, start: usize, len: usize) {
        if place.place == NO_PLACE {
            return;
        }
        if let Some(session) = self.sessions.get_mut(place.conn) {
            session.pipeline.provide(|| Self::spare_output(&mut self.pool));
            session.pipeline.fill(place.place, replies, start, len);
            self.filled(place.conn);
        }
    }

    fn read_rare(&mut self, from: CoreId, rare: Rare) {
        match rare {
            Rare::Schedule { id, asker, intents, room, work } => {
                let outcome = self.take_intents(id, intents, room);
                self.write(from, Rare::Scheduled { asker, outcome });
                if let Some(work) = work.filter(|_| outcome == Scheduling::Accepted) {
                    self.ledger.assign(id, *work);
                    self.run_transactions();
                }
            }
            Rare::Scheduled { asker: Asker::Command(handle), outcome } => self.scheduled(handle, outcome),
            Rare::Scheduled { asker: Asker::Exec(handle), outcome } => self.exec_scheduled(handle, outcome),
            Rare::Withdraw { id } => self.finish_transaction(id),
            Rare::Execute { id, work } => {
                self.ledger.assign(id, *work);
                self.run_transactions();
            }
            Rare::Perform(work) => self.perform(*work, None),
            Rare::Held { handle, unchanged } => self.exec_held(handle, unchanged),
            Rare::Ran { handle, part, reply } => self.exec_ran(handle, part, reply),
            Rare::Executed { handle, part, reply } => self.part_executed(handle, part, reply),
            Rare::Follow { handle, part, keys } => self.follow(from, handle, part, &keys),
            Rare::Fetched { handle, part, entries } => self.part_fetched(handle, part, entries),
            Rare::Settle { ends, outcomes } => self.settle(ends, outcomes),
            Rare::Unwatch(keys) => self.unwatch_here(&keys),
            Rare::Ask { handle, ask } => self.asked(from, handle, ask),
            Rare::Told { handle, told } => self.told(from, handle, told),
            Rare::Slow(slow) => self.was_slow(slow),
            Rare::Seen(line) => self.seen(&line),
            Rare::Unwatched => self.unwatched(from),
            Rare::Publish { reply_to, message } => self.publish_for(from, reply_to, message),
            Rare::Message(message) => {
                self.deliver(&message);
                self.reply_to(from, Place::NOBODY, |_, _| {});
            }
            Rare::Unsubscribed(change) => self.take_change(from, &change),
            Rare::Wait(notice) => self.noticed(from, notice),
            Rare::Adopt(descriptor) => self.effects.push_back(Effect::Adopt(descriptor)),
        }
    }

    /// Writes an uncommon letter to a core, which may be this one.
    pub(super) fn write(&mut self, to: CoreId, rare: Rare) {
        self.outgoing[to.index()].letters.push(Letter::Rare(Box::new(rare)));
    }

    /// Posts what this turn has written, and rings whoever sleeps.
    pub(super) fn post_mail(&mut self) {
        if self.topology.cores() == 1 {
            return;
        }
        for core in self.topology.all() {
            let index = core.index();
            if core == self.core || self.outgoing[index].is_empty() {
                continue;
            }
            match self.port.post(core, std::mem::take(&mut self.outgoing[index])) {
                Ok(Some(empty)) => self.outgoing[index] = empty,
                Ok(None) => {}
                // The ring is full: the batch goes on filling and is posted by a later turn.
                Err(batch) => self.outgoing[index] = batch,
            }
        }
        let effects = &mut self.effects;
        self.port.bells(|core| effects.push_back(Effect::Ring(core)));
    }
}

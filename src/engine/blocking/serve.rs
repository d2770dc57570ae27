//! The owner's side of a wait: who is in line for its keys, and who gets what has come.

use super::super::mail::{self, Run};
use super::{Destination, Engine, Notice, Sought, WaitId};
use crate::base::CoreId;
use crate::exec::blocking::{self, Awaited};
use crate::resp::{Output, Request};
use crate::txn::TxnId;

/// In line.
impl Engine {
    /// Puts a client in line. What is there already counts as if it came now.
    pub(super) fn stand_in_line(
        &mut self,
        wait: WaitId,
        (database, awaited): (u16, Awaited),
        names: Vec<Box<[u8]>>,
        destination: Destination,
    ) {
        let Some(shard) = &mut self.shard else { return };
        for name in &names {
            shard.await_key(usize::from(database), name);
            shard.mark_ready(usize::from(database), name);
        }
        let sought = names.into_iter().map(|name| Sought { database, name, awaited }).collect();
        self.blocking.lines.enter(wait, sought, destination);
        self.follow_up();
    }

    /// Has a client leave every line.
    pub(super) fn leave_lines(&mut self, wait: WaitId) {
        let was_trying = self.blocking.trying.remove(&wait);
        let left = self.blocking.lines.leave(wait);
        let Some(shard) = &mut self.shard else { return };
        for sought in left {
            let others = [Awaited::List, Awaited::SortedSet].map(|awaited| Sought { awaited, ..sought.clone() });
            if others.iter().all(|other| !self.blocking.lines.has(other)) {
                shard.forget_key(usize::from(sought.database), &sought.name);
            } else if was_trying {
                shard.mark_ready(usize::from(sought.database), &sought.name);
            }
        }
        if was_trying {
            self.follow_up();
        }
    }
}

/// Serves.
impl Engine {
    /// Does what follows from a change: gives what has come to those who wait for it, and tells subscribers what has
    /// happened. To be called whenever the own shard may have changed, before anything else runs on it.
    #[inline]
    pub(in crate::engine) fn follow_up(&mut self) {
        if self.blocking.is_awaited() {
            self.serve_those_in_line();
        }
        self.publish_events();
    }

    #[cold]
    fn serve_those_in_line(&mut self) {
        // Whoever is served may push to another key (BLMOVE).
        while let Some(shard) = &mut self.shard {
            let ready = shard.take_ready();
            if ready.is_empty() {
                return;
            }
            for (database, name) in ready {
                self.serve_key(database, name);
            }
        }
    }

    /// Goes along the line for a key for as long as there is something.
    fn serve_key(&mut self, database: usize, name: Box<[u8]>) {
        loop {
            if self.ledger.is_held(&name) {
                self.blocking.held.insert((database, name));
                return;
            }
            let now = self.now;
            let Some(shard) = &mut self.shard else { return };
            let mut keys = shard.keys(database, now);
            let Some(awaited) = keys.peek(&name).and_then(|entry| Awaited::of(entry.value())) else { return };
            let sought = Sought { database: database as u16, name: name.clone(), awaited };
            let Some((wait, destination)) = self.blocking.lines.first(&sought) else { return };
            let pushed_to = match destination {
                Destination::Client => None,
                // Whoever holds the other key may be about to store what it has read there.
                Destination::Key(other) if self.ledger.is_held(other) => {
                    self.blocking.held.insert((database, name));
                    return;
                }
                Destination::Key(other) => Some(other.clone()),
                Destination::OtherCore => {
                    if self.blocking.trying.insert(wait) {
                        self.notify(wait.home, Notice::Try { number: wait.number });
                    }
                    return;
                }
            };
            if wait.home != self.core || !self.is_open(wait.number) {
                return self.offer(wait, database, name, pushed_to);
            }
            if !self.serve_own(wait, &name) {
                return;
            }
        }
    }

    /// Serves a client of this core. False if there is nothing after all.
    fn serve_own(&mut self, wait: WaitId, name: &[u8]) -> bool {
        let Some((command, request)) = self.request_here(wait.number, name) else { return false };
        let Some((selected, protocol)) = self.manners_of(wait.number) else { return false };
        let mut out = Output::default();
        if self.attempt(selected, protocol, command, request.request(), &mut out) {
            return false;
        }
        self.leave_lines(wait);
        self.finish_wait(wait.number, Some(self.core), &out);
        true
    }

    /// Holds a key for the first in line, and the one that it pushes to, and asks its home.
    fn offer(&mut self, wait: WaitId, database: usize, name: Box<[u8]>, pushed_to: Option<Box<[u8]>>) {
        let other = pushed_to.filter(|other| *other != name);
        let hold = self.ledger.hold(std::iter::once(name.clone()).chain(other));
        self.blocking.offers.insert(hold, wait);
        self.blocking.held.insert((database, name.clone()));
        let number = wait.number;
        if wait.home == self.core {
            // Its client is about to get something elsewhere.
            self.offered(number, (self.core, hold, name));
        } else {
            self.notify(wait.home, Notice::Offer { number, hold, name });
        }
    }

    /// An offer is accepted: runs the command that asks for its key.
    pub(super) fn accepted_offer(&mut self, from: CoreId, hold: TxnId, run: Run, bytes: &[u8]) {
        let mut spans = std::mem::take(&mut self.spans);
        let request = mail::unpack(bytes, run.start, run.arguments, &mut spans);
        self.attempt_for(from, run, request);
        self.spans = spans;
        self.end_offer(hold);
    }

    /// Gives up a hold. What is there goes to the next in line, before anybody else gets at the key.
    pub(super) fn end_offer(&mut self, hold: TxnId) {
        self.blocking.offers.remove(&hold);
        self.finish_transaction(hold);
    }

    /// Somebody who held keys has let go: those for which somebody waits are looked at again.
    pub(in crate::engine) fn serve_released(&mut self) {
        if !self.blocking.held.is_empty()
            && let Some(shard) = &mut self.shard
        {
            for (database, name) in self.blocking.held.drain() {
                shard.mark_ready(database, &name);
            }
        }
        self.follow_up();
    }

    /// A client has tried to no avail, and keeps its place.
    pub(super) fn has_tried(&mut self, wait: WaitId) {
        if self.blocking.trying.remove(&wait)
            && let Some(shard) = &mut self.shard
        {
            for sought in self.blocking.lines.names_of(wait) {
                shard.mark_ready(usize::from(sought.database), &sought.name);
            }
            self.follow_up();
        }
    }

    /// Makes an attempt for a client of any core, and tells its home. If there is nothing, the client is in line.
    pub(in crate::engine) fn attempt_for(&mut self, from: CoreId, run: Run, request: Request<'_>) {
        let (command, number) = (run.command.command(), run.reply_to.place);
        let wait = WaitId { home: from, number };
        let mut reply = Output::default();
        if !self.attempt(run.selected, run.protocol, command, request, &mut reply) {
            self.leave_lines(wait);
            return self.notify(from, Notice::Served { number, reply });
        }
        self.notify(from, Notice::Nothing { number });
        if !self.blocking.lines.contains(wait)
            && let Some(terms) = blocking::terms(command, request, self.now)
        {
            let names = terms.keys.map(|index| request.get(index).into()).collect();
            let destination = self.destination(command, request);
            self.stand_in_line(wait, (run.selected.database, terms.awaited), names, destination);
        }
    }
}

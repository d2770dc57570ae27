//! Taking part in a command over several cores: intents, a part of the work, entries that go and come back.

use super::super::Engine;
use super::super::mail::{Handle, Outcomes, OwnedRequest, PartReply, Rare, Task, Wanted, Work};
use super::super::room::Room;
use super::Scheduling;
use crate::base::CoreId;
use crate::command::Command;
use crate::keyspace::{Entry, Shard};
use crate::resp::{Output, Protocol, Reply, Request};
use crate::session::Selected;
use crate::txn::{Intents, TxnId};

/// Length of the head of an array of one element.
const ARRAY_OF_ONE: usize = "*1\r\n".len();

/// Takes part.
impl Engine {
    /// Leaves intents, and looks whether there is room for what is intended.
    pub(in crate::engine) fn take_intents(&mut self, id: TxnId, intents: Intents, room: Option<Room>) -> Scheduling {
        if !self.ledger.schedule(id, intents) {
            return Scheduling::Overtaken;
        }
        if self.has_room_at(self.core, room) { Scheduling::Accepted } else { Scheduling::NoRoom }
    }

    /// Runs the transactions whose turn has come.
    pub(in crate::engine) fn run_transactions(&mut self) {
        while let Some((id, work)) = self.ledger.begin() {
            self.perform(work, Some(id));
        }
    }

    /// Does what a transaction wants of this core; `id` is its number, unless this is one of the commands of an EXEC
    /// that goes on.
    pub(in crate::engine) fn perform(&mut self, work: Work, id: Option<TxnId>) {
        let Work { coordinator, handle, part, task } = work;
        match task {
            Task::Run { command, selected, protocol, request, per_key } => {
                let reply = self.with_held(self.core, |engine, shard| {
                    engine.run_part(shard, command.command(), selected, protocol, request.request(), per_key)
                });
                // The keys are held until all cores have done their part.
                self.write(coordinator, Rare::Executed { handle, part, reply: reply.unwrap_or_default() });
            }
            Task::Fetch { keys } => {
                let entries = self.with_held(self.core, |engine, shard| engine.send_entries(shard, &keys));
                self.write(coordinator, Rare::Fetched { handle, part, entries: entries.unwrap_or_default() });
            }
            Task::Hold { watched } => {
                let unchanged = self.are_unchanged(&watched);
                self.write(coordinator, Rare::Held { handle, unchanged });
            }
            Task::Queue { queue, conn, selected, protocol, watched, is_alone } => {
                let unchanged = self.are_unchanged(&watched);
                let reply = unchanged.then(|| self.run_queue(&queue, (coordinator, conn), selected, protocol));
                self.write(coordinator, Rare::Ran { handle, part, reply });
                if let Some(id) = id.filter(|_| is_alone) {
                    self.end_intents(id);
                }
            }
        }
    }

    /// Sends entries of which the coordinator has learned only now. The transaction holds the whole shard.
    pub(in crate::engine) fn follow(&mut self, coordinator: CoreId, handle: Handle, part: usize, keys: &[Wanted]) {
        let entries = self.with_held(self.core, |engine, shard| engine.send_entries(shard, keys));
        self.write(coordinator, Rare::Fetched { handle, part, entries: entries.unwrap_or_default() });
    }

    /// The outcome of an assembled command has come.
    pub(in crate::engine) fn settle(&mut self, ends: Option<TxnId>, outcomes: Outcomes) {
        self.with_held(self.core, |engine, shard| engine.apply(shard, outcomes));
        if let Some(id) = ends {
            self.finish_transaction(id);
        }
    }

    /// Ends a transaction here and runs what waited for it.
    pub(in crate::engine) fn finish_transaction(&mut self, id: TxnId) {
        self.end_intents(id);
        self.run_transactions();
    }

    fn end_intents(&mut self, id: TxnId) {
        let mut freed = Vec::new();
        self.ledger.finish(id, |ticket, waiter| freed.push((ticket, waiter)));
        // Those who wait for an element come before those who wait for the transaction: they were here first.
        self.serve_released();
        for (ticket, waiter) in freed {
            self.run_waiter(ticket, waiter);
        }
    }

    pub(super) fn send_entries(&mut self, shard: &mut Shard, keys: &[Wanted]) -> Vec<Option<Entry>> {
        let now = self.now;
        let send =
            |Wanted { key, purpose }: &Wanted| shard.keys(usize::from(key.database), now).send(&key.name, *purpose);
        keys.iter().map(send).collect()
    }

    pub(super) fn apply(&mut self, shard: &mut Shard, outcomes: Outcomes) {
        let now = self.now;
        for (key, outcome) in outcomes.keys {
            shard.keys(usize::from(key.database), now).settle(&key.name, outcome);
        }
        shard.add_events(outcomes.events);
    }

    /// Runs a part of a split command. `per_key`: key by key, noting where the reply of each ends.
    pub(super) fn run_part(
        &mut self,
        shard: &mut Shard,
        command: &'static Command,
        selected: Selected,
        protocol: Protocol,
        request: Request<'_>,
        per_key: bool,
    ) -> PartReply {
        let now = self.now;
        let mut reply = PartReply::default();
        if !per_key {
            let mut encoder = Reply::new(&mut reply.bytes, protocol);
            self.execute(shard, now, selected, command, request, &mut encoder);
            return reply;
        }
        let mut one = Output::default();
        for key in request.iter().skip(1) {
            let single = OwnedRequest::new([request.get(0), key]);
            self.execute(shard, now, selected, command, single.request(), &mut Reply::new(&mut one, protocol));
            // The reply to one key is an array of one: its element stands behind `*1` and CRLF.
            reply.bytes.append_range(&one, ARRAY_OF_ONE, one.len().saturating_sub(ARRAY_OF_ONE));
            reply.ends.push(reply.bytes.len());
            one.clear();
        }
        reply
    }
}

//! Commands on keys: here, on a borrowed shard, or by mail to the core that owns them.

use super::mail::{Letter, Manner, Place, Run};
use super::requests::Flow;
use super::room::has_room;
use super::{Deferred, Engine, OpenLoan};
use crate::base::{CoreId, Now};
use crate::command::{Command, Flags};
use crate::config::PipelineOrder;
use crate::exec::{self, Cx};
use crate::keyspace::{Deadline, Rules, Shard};
use crate::limits::{LARGE_VALUE_BYTES, LOAN_COMMANDS};
use crate::resp::{Protocol, Reply, ReplyError, Request};
use crate::route::{self, Plan};
use crate::session::{Selected, Session, State};

/// Where a command on one core ended up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outcome {
    /// It has run and was answered.
    Done,
    /// It is under way; its place is reserved.
    Mailed,
    /// The core owes as many replies as it may.
    NoCredit(CoreId),
}

impl Engine {
    /// Runs a command on keys, wherever they are.
    #[inline]
    pub(super) fn keyed(&mut self, session: &mut Session, command: &'static Command, request: Request<'_>) -> Flow {
        if command.flags.contains(Flags::BLOCKING)
            && let Some(terms) = exec::blocking::terms(command, request, self.now)
        {
            return self.block(session, command, request, terms);
        }
        if self.topology.cores() == 1 && self.ledger.is_empty() {
            // One core: every key is here. (A shard lent to nobody is always at home.)
            self.run_here(session, command, request);
            return Flow::Next;
        }
        match route::plan(self.topology, self.core, command, request) {
            Plan::Core { core, several_keys } => {
                let alone = several_keys || self.config.pipeline_order == PipelineOrder::Strict;
                if alone && !self.is_alone(session) {
                    return Flow::Hold;
                }
                let outcome = if core == self.core {
                    self.on_own_shard(session, command, request)
                } else {
                    self.on_other_shard(core, session, command, request)
                };
                if several_keys && outcome == Outcome::Mailed && !session.pipeline.is_settled() {
                    // What follows could run elsewhere, or pass it where it waits behind an intent.
                    session.state = State::Draining;
                }
                self.after(session, outcome)
            }
            Plan::Several => {
                if !self.is_alone(session) {
                    return Flow::Hold;
                }
                self.on_several_shards(session, command, request)
            }
        }
    }

    /// Runs a command on the own shard, which is here.
    #[inline]
    pub(super) fn run_here(&mut self, session: &mut Session, command: &'static Command, request: Request<'_>) {
        let now = self.now;
        let selected = session.selected();
        self.answer(session, |engine, reply| {
            let Some(mut shard) = engine.shard.take() else { return };
            engine.execute_if_room(&mut shard, now, selected, command, request, reply);
            engine.shard = Some(shard);
        });
        self.follow_up();
    }

    /// Runs a command on a shard that this core holds, unless it needs memory and there is none. True if it is one that
    /// waits, and there was nothing.
    #[inline(always)]
    pub(super) fn execute_if_room(
        &mut self,
        shard: &mut Shard,
        now: Now,
        selected: Selected,
        command: &'static Command,
        request: Request<'_>,
        reply: &mut Reply<'_>,
    ) -> bool {
        if has_room(shard, command, request, now, selected.database) {
            return self.execute(shard, now, selected, command, request, reply);
        }
        self.out_of_memory(command, reply);
        false
    }

    #[cold]
    fn out_of_memory(&mut self, command: &Command, reply: &mut Reply<'_>) {
        self.stats.failures[command.id.index()].rejected += 1;
        self.count_error(&ReplyError::OutOfMemory.text());
        reply.error(ReplyError::OutOfMemory);
    }

    /// Runs a command on a shard that this core holds. True if it is one that waits, and there was nothing.
    #[inline]
    pub(super) fn execute(
        &mut self,
        shard: &mut Shard,
        now: Now,
        selected: Selected,
        command: &'static Command,
        request: Request<'_>,
        reply: &mut Reply<'_>,
    ) -> bool {
        shard.set_touching(!selected.no_touch);
        let mut cx = self.cx(now, selected.database);
        let outcome = exec::run(command, request, shard, &mut cx, reply);
        let nothing = cx.nothing;
        if let Err(error) = outcome {
            self.failed(command, error, reply);
        }
        nothing
    }

    /// What a handler may know.
    #[inline]
    pub(super) fn cx(&mut self, now: Now, database: u16) -> Cx<'_> {
        Cx {
            now,
            database: usize::from(database),
            databases: usize::from(self.config.databases),
            bulk_bytes_max: self.config.bulk_bytes as usize,
            rng: &mut self.rng,
            nothing: false,
        }
    }

    #[cold]
    fn failed(&mut self, command: &Command, error: ReplyError, reply: &mut Reply<'_>) {
        self.stats.failures[command.id.index()].failed += 1;
        self.count_error(&error.text());
        reply.error(error);
    }

    /// Runs a command on the own shard if it is here and nothing lies on the keys; else leaves it to be run later.
    fn on_own_shard(&mut self, session: &mut Session, command: &'static Command, request: Request<'_>) -> Outcome {
        if self.shard.is_none() || !self.stash.is_empty() {
            self.mail(self.core, session, command, request);
            return Outcome::Mailed;
        }
        if let Some(held) = self.events_held {
            return Outcome::NoCredit(held.core);
        }
        if self.ledger.is_empty() {
            self.run_here(session, command, request);
            return Outcome::Done;
        }
        let blocked =
            self.held_back.contains_key(&(self.core, session.conn)) || self.blocking_key(command, request).is_some();
        if !blocked {
            self.run_here(session, command, request);
            return Outcome::Done;
        }
        // It waits from now on: in a letter it would be passed by a read that the intent lets through.
        let run = order(session, command, request);
        let waits = self.must_wait(self.core, run, request);
        debug_assert!(waits, "nothing has changed since it was looked at");
        Outcome::Mailed
    }

    /// The first key of the request that has an intent on it.
    pub(super) fn blocking_key<'r>(&self, command: &'static Command, request: Request<'r>) -> Option<&'r [u8]> {
        let keys = crate::command::keys(command, request).ok()?;
        keys.map(|key| request.get(key.index)).find(|key| self.ledger.blocks(key, command.is_write()))
    }

    /// Runs a command on another core's shard if that core sleeps; else sends it there.
    #[inline]
    fn on_other_shard(
        &mut self,
        core: CoreId,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
    ) -> Outcome {
        if command.is_bounded(request) && request.data().len() <= LARGE_VALUE_BYTES && self.borrow(core) {
            self.run_borrowed(core, session, command, request);
            return Outcome::Done;
        }
        let Some(credit) = self.port.reserve(core) else { return Outcome::NoCredit(core) };
        self.credits[core.index()].push(credit);
        self.stats.mail_requests += 1;
        self.mail(core, session, command, request);
        Outcome::Mailed
    }

    fn run_borrowed(&mut self, core: CoreId, session: &mut Session, command: &'static Command, request: Request<'_>) {
        let Some(mut open) = self.loans[core.index()].take() else { return };
        self.stats.borrowed += 1;
        open.commands += 1;
        let now = open.loan.advance(self.now);
        let selected = session.selected();
        self.answer(session, |engine, reply| {
            engine.execute_if_room(&mut open.loan, now, selected, command, request, reply);
        });
        self.loans[core.index()] = Some(open);
    }

    /// Holds the shard of `core`, from now until the end of the turn or the budget. False: the request goes by mail.
    #[inline]
    pub(super) fn borrow(&mut self, core: CoreId) -> bool {
        // A letter that has not left yet would be overtaken, as would one under way (the port knows those).
        let overtakes = !self.outgoing[core.index()].is_empty();
        match &self.loans[core.index()] {
            Some(open) if open.commands < LOAN_COMMANDS && !overtakes => true,
            Some(_) => {
                self.return_loan(core);
                false
            }
            None if overtakes => false,
            None => {
                let Some(mut loan) = self.port.borrow(core) else { return false };
                if loan.has_events() {
                    // Its owner publishes them before there are more.
                    self.port.give_back(loan, true);
                    return false;
                }
                // Its owner may sleep since before the last change.
                loan.follow(self.config_number, || Rules::of(&self.config));
                // The latest time that any of the shards at hand has seen is the time for all of them.
                self.now = loan.advance(self.now);
                if let Some(shard) = &mut self.shard {
                    shard.advance(self.now);
                }
                let owner_wakes_ms = loan.next_due().unix_ms().unwrap_or(u64::MAX);
                self.loans[core.index()] = Some(OpenLoan { loan, commands: 0, owner_wakes_ms });
                true
            }
        }
    }

    /// Gives a shard back. Its owner is rung if it must now wake earlier than it knows.
    pub(super) fn return_loan(&mut self, core: CoreId) {
        if let Some(open) = self.loans[core.index()].take() {
            let earlier = open.loan.next_due() < Deadline::at(open.owner_wakes_ms);
            let ring_owner = earlier || open.loan.has_remains() || open.loan.is_untidy() || open.loan.has_events();
            self.port.give_back(open.loan, ring_owner);
        }
    }

    /// Gives all shards back.
    pub(super) fn return_loans(&mut self) {
        for core in self.topology.all() {
            self.return_loan(core);
        }
    }

    /// Puts a request into the batch for `core`, and reserves the place of its reply.
    #[inline]
    pub(super) fn mail(
        &mut self,
        core: CoreId,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
    ) {
        self.deferred = Deferred::Mail;
        let run = order(session, command, request);
        let batch = &mut self.outgoing[core.index()];
        let start = batch.pack(request);
        batch.letters.push(Letter::Run(Run { start, ..run }));
    }
}

/// The order to run a request, whose arguments are still to be packed; the place of its reply is reserved.
#[inline]
fn order(session: &mut Session, command: &'static Command, request: Request<'_>) -> Run {
    let reply_to = Place { conn: session.conn, place: session.reserve_place() };
    let manner = if session.executing.is_some() { Manner::InTransaction } else { Manner::Usual };
    Run { manner, ..run_order(reply_to, command, session.selected(), session.protocol, request) }
}

/// The order to run a request in the usual manner.
#[inline]
pub(super) fn run_order(
    reply_to: Place,
    command: &Command,
    selected: Selected,
    protocol: Protocol,
    request: Request<'_>,
) -> Run {
    Run {
        reply_to,
        command: command.id,
        selected,
        protocol,
        arguments: request.len() as u32,
        start: 0,
        manner: Manner::Usual,
    }
}

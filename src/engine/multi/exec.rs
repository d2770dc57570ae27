//! EXEC, from the request to the end of the reply.

use std::collections::BTreeMap;

use super::super::keyed::Outcome;
use super::super::mail::{Asker, Handle, OwnedRequest, PartReply, Rare, Task, Work};
use super::super::node::Handled;
use super::super::requests::Flow;
use super::super::transact::Scheduling;
use super::super::{Deferred, Engine};
use super::plan::{Manner, Plan, Share};
use crate::base::{ConnId, CoreId};
use crate::command::{Command, CommandId};
use crate::limits::REQUESTS_PER_TURN;
use crate::resp::{Protocol, Reply, ReplyError, Request};
use crate::route;
use crate::session::{Closing, Executing, Queue, ReplyMode, Selected, Session, State};
use crate::txn::TxnId;

/// An EXEC that is under way.
#[derive(Debug)]
pub(in crate::engine) struct Execution {
    conn: ConnId,
    queue: Queue,
    /// The command to be run next.
    next: usize,
    manner: Manner,
    shares: BTreeMap<CoreId, Share>,
    id: TxnId,
    /// Answers that are still to come in this phase.
    awaiting: usize,
    /// The worst answer so far to the letters that schedule it.
    scheduling: Scheduling,
    verdict: Verdict,
    /// By core, what its commands have answered, and how many of them are in the reply.
    replies: BTreeMap<CoreId, (PartReply, usize)>,
    /// The client wants no reply to this EXEC (CLIENT REPLY SKIP before it), or to the command behind it (SKIP inside).
    is_silent: bool,
    silences_next: bool,
    began_us: u64,
}

/// Whether it may run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Verdict {
    Runs,
    /// A watched key has changed.
    Changed,
    /// A core lacks room for what the commands bring.
    NoRoom,
}

impl Execution {
    fn work(&self, coordinator: CoreId, handle: Handle, session: &Session, part: usize) -> Option<(CoreId, Work)> {
        let (core, share) = self.shares.iter().nth(part)?;
        let watched = share.watched.clone();
        let task = match self.manner {
            Manner::Apart => Task::Queue {
                queue: share.queue.clone(),
                conn: self.conn,
                selected: session.selected(),
                protocol: session.protocol,
                watched,
                is_alone: self.shares.len() == 1,
            },
            Manner::Here | Manner::Held => Task::Hold { watched },
        };
        Some((*core, Work { coordinator, handle, part, task }))
    }
}

/// Begins.
impl Engine {
    /// Everything before it has been answered.
    pub(in crate::engine) fn exec(&mut self, session: &mut Session) -> Handled {
        let Some(queue) = session.queue.take() else { return Err(ReplyError::ExecWithoutMulti.into()) };
        if queue.is_refused() {
            self.unwatch(session);
            return Err(ReplyError::ExecAborted.into());
        }
        let Plan { manner, shares } = self.plan_exec(session, &queue);
        let entry = self.executions.vacant_entry();
        let number = entry.key() as u32;
        session.executing = Some(Executing {
            number,
            holder: None,
            commands: queue.len(),
            memory_bytes: queue.memory_bytes(),
            closes: None,
        });
        let is_alone = manner == Manner::Here || shares.is_empty();
        entry.insert(Box::new(Execution {
            conn: session.conn,
            queue: *queue,
            next: 0,
            manner,
            shares,
            id: TxnId(0),
            awaiting: 0,
            scheduling: Scheduling::Accepted,
            verdict: Verdict::Runs,
            replies: BTreeMap::new(),
            is_silent: session.reply_mode == ReplyMode::Skip,
            silences_next: false,
            began_us: (self.stopwatch)(),
        }));
        // It is measured when it ends.
        self.deferred = Deferred::Mail;
        session.state = if is_alone { State::Executing } else { State::Busy };
        if !is_alone {
            self.stats.transactions += 1;
            self.schedule_exec(Handle(number), session);
        }
        Ok(Flow::Next)
    }

    /// Draws a number and asks every core concerned to leave intents. If it is one core, nobody else need accept, and the
    /// work goes with the question.
    fn schedule_exec(&mut self, handle: Handle, session: &Session) {
        let id = self.shared.next_transaction();
        let Some(execution) = self.executions.get_mut(handle.0 as usize) else { return };
        execution.id = id;
        execution.awaiting = execution.shares.len();
        execution.scheduling = Scheduling::Accepted;
        let is_one = execution.shares.len() == 1;
        let work = if is_one { execution.work(self.core, handle, session, 0) } else { None };
        let mut work = work.map(|(_, work)| Box::new(work));
        let letters: Vec<(CoreId, Rare)> = execution
            .shares
            .iter()
            .map(|(core, share)| {
                let (intents, room, asker) = (share.intents(), share.room(), Asker::Exec(handle));
                (*core, Rare::Schedule { id, asker, intents, room, work: work.take() })
            })
            .collect();
        for (core, letter) in letters {
            self.write(core, letter);
        }
    }

    /// A core has left its intents, or refused to.
    pub(in crate::engine) fn exec_scheduled(&mut self, handle: Handle, outcome: Scheduling) {
        let Some(execution) = self.executions.get_mut(handle.0 as usize) else { return };
        execution.scheduling = execution.scheduling.max(outcome);
        execution.awaiting -= 1;
        if execution.awaiting > 0 {
            return;
        }
        let (scheduling, cores, conn) = (execution.scheduling, execution.shares.len(), execution.conn);
        if scheduling == Scheduling::NoRoom {
            execution.verdict = Verdict::NoRoom;
            self.withdraw_exec(handle);
            return self.go_on_with_exec(handle);
        }
        if scheduling == Scheduling::Overtaken {
            self.stats.transaction_retries += 1;
            self.withdraw_exec(handle);
        }
        let Some(session) = self.sessions.take(conn) else { return };
        if scheduling == Scheduling::Overtaken {
            self.schedule_exec(handle, &session);
        } else if let Some(execution) = self.executions.get_mut(handle.0 as usize) {
            execution.awaiting = cores;
            let works = (0..cores).filter(|_| cores > 1);
            let works: Vec<(CoreId, Work)> =
                works.filter_map(|part| execution.work(self.core, handle, &session, part)).collect();
            let id = execution.id;
            for (core, work) in works {
                self.write(core, Rare::Execute { id, work: Box::new(work) });
            }
        }
        self.sessions.put(session);
    }

    /// Has every core forget the intents.
    fn withdraw_exec(&mut self, handle: Handle) {
        let Some(execution) = self.executions.get(handle.0 as usize) else { return };
        let (id, cores) = (execution.id, execution.shares.keys().copied().collect::<Vec<CoreId>>());
        for core in cores {
            self.write(core, Rare::Withdraw { id });
        }
    }

    /// A core has come to it, and holds its keys.
    pub(in crate::engine) fn exec_held(&mut self, handle: Handle, unchanged: bool) {
        let Some(execution) = self.executions.get_mut(handle.0 as usize) else { return };
        execution.awaiting -= 1;
        if !unchanged {
            execution.verdict = Verdict::Changed;
        }
        if execution.awaiting == 0 {
            let (conn, id) = (execution.conn, execution.id);
            if let Some(session) = self.sessions.get_mut(conn)
                && let Some(executing) = &mut session.executing
            {
                executing.holder = Some(id);
            }
            self.go_on_with_exec(handle);
        }
    }

    /// A core has run its commands, unless a watched key has changed.
    pub(in crate::engine) fn exec_ran(&mut self, handle: Handle, part: usize, reply: Option<PartReply>) {
        let Some(execution) = self.executions.get_mut(handle.0 as usize) else { return };
        let core = execution.shares.keys().nth(part).copied();
        match (core, reply) {
            (Some(core), Some(reply)) => {
                execution.replies.insert(core, (reply, 0));
            }
            _ => execution.verdict = Verdict::Changed,
        }
        execution.awaiting -= 1;
        if execution.awaiting == 0 {
            if execution.shares.len() > 1 {
                // All have run theirs: they may let go.
                self.withdraw_exec(handle);
            }
            self.go_on_with_exec(handle);
        }
    }

    /// The session may go on with its EXEC.
    fn go_on_with_exec(&mut self, handle: Handle) {
        if let Some(execution) = self.executions.get(handle.0 as usize) {
            self.release_session(execution.conn);
        }
    }
}

/// Runs.
impl Engine {
    /// Goes on with the EXEC of a session as far as it can. True if it has ended, and the session may go on with what came
    /// behind it.
    pub(in crate::engine) fn go_on_executing(&mut self, session: &mut Session) -> bool {
        let Some(executing) = session.executing else { return true };
        session.state = State::Executing;
        let Some(execution) = self.executions.try_remove(executing.number as usize) else { return true };
        let mut execution = execution;
        if execution.manner == Manner::Here {
            self.judge(&mut execution);
        }
        if execution.verdict != Verdict::Runs {
            self.refuse_exec(session, &execution);
            return self.end_exec(session, *execution);
        }
        if execution.is_silent {
            session.reply_mode = ReplyMode::Off;
        }
        if execution.next == 0 {
            let commands = execution.queue.len();
            session.pipeline.open();
            self.answer(session, |_, reply| reply.array(commands));
        }
        if self.run_queued(session, &mut execution) {
            if execution.is_silent {
                session.reply_mode = ReplyMode::On;
            }
            return self.end_exec(session, *execution);
        }
        let number = self.executions.insert(execution) as u32;
        session.executing = Some(Executing { number, ..session.executing.unwrap_or(executing) });
        false
    }

    /// Whether what is to be run here at once may run.
    fn judge(&mut self, execution: &mut Execution) {
        let Some(share) = execution.shares.get(&self.core) else { return };
        if !self.are_unchanged(&share.watched) {
            execution.verdict = Verdict::Changed;
        } else if !self.has_room_at(self.core, share.room()) {
            execution.verdict = Verdict::NoRoom;
        }
    }

    /// Nothing runs: answers why.
    fn refuse_exec(&mut self, session: &mut Session, execution: &Execution) {
        match execution.verdict {
            Verdict::NoRoom => {
                self.stats.failures[CommandId::Exec.index()].rejected += 1;
                self.abort(session, &ReplyError::OutOfMemory.text());
            }
            _ => {
                self.answer(session, |_, reply| reply.null_array());
            }
        }
        if let Some(id) = session.executing.and_then(|executing| executing.holder) {
            execution.shares.keys().for_each(|core| self.write(*core, Rare::Withdraw { id }));
        }
    }

    /// Runs commands of the queue, one after the other. False if one must be waited for, or if it is enough for this turn.
    fn run_queued(&mut self, session: &mut Session, execution: &mut Execution) -> bool {
        for number in 0.. {
            let Some((command, request)) = execution.queue.get(execution.next) else { break };
            if number == REQUESTS_PER_TURN {
                self.make_runnable(session);
                return false;
            }
            let replies = &mut execution.replies;
            let flow = match execution.manner {
                Manner::Apart => self.dispatch(session, command, request, |engine, session, command, request| {
                    engine.answer_from(replies, session, command, request)
                }),
                Manner::Here | Manner::Held => self.dispatch(session, command, request, Self::keyed_in_exec),
            };
            if flow == Flow::Hold {
                return false;
            }
            session.last_command = Some(CommandId::Exec);
            execution.next += 1;
            if session.reply_mode == ReplyMode::Skip {
                session.reply_mode = ReplyMode::On;
                execution.silences_next = true;
            }
            if session.state != State::Executing {
                return false;
            }
        }
        if let Some(id) = session.executing.and_then(|executing| executing.holder) {
            // Everything is written to those who hold, in order: they may let go behind it.
            execution.shares.keys().for_each(|core| self.write(*core, Rare::Withdraw { id }));
        }
        true
    }

    /// Answers a command that its core has run already.
    fn answer_from(
        &mut self,
        replies: &mut BTreeMap<CoreId, (PartReply, usize)>,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
    ) -> Flow {
        let core = match route::plan(self.topology, self.core, command, request) {
            route::Plan::Core { core, .. } => core,
            route::Plan::Several => self.core,
        };
        // It was measured where it ran.
        self.deferred = Deferred::Mail;
        let Some((reply, used)) = replies.get_mut(&core) else { return Flow::Next };
        let (start, end) = (used.checked_sub(1).map_or(0, |before| reply.ends[before]), reply.ends[*used]);
        *used += 1;
        self.answer(session, |_, out| out.raw_range(&reply.bytes, start, end - start))
    }

    /// Runs a command on keys which are held, or on which nothing lies: neither intents nor room are asked.
    fn keyed_in_exec(&mut self, session: &mut Session, command: &'static Command, request: Request<'_>) -> Flow {
        let core = match route::plan(self.topology, self.core, command, request) {
            route::Plan::Core { core, .. } => core,
            route::Plan::Several => return self.on_several_shards(session, command, request),
        };
        if core == self.core && self.shard.is_some() && self.stash.is_empty() {
            let (now, selected) = (self.now, session.selected());
            return self.answer(session, |engine, reply| {
                let Some(mut shard) = engine.shard.take() else { return };
                engine.execute(&mut shard, now, selected, command, request, reply);
                engine.shard = Some(shard);
            });
        }
        let mut outcome = Outcome::Mailed;
        if core != self.core {
            match self.port.reserve(core) {
                Some(credit) => self.credits[core.index()].push(credit),
                None => outcome = Outcome::NoCredit(core),
            }
        }
        if outcome == Outcome::Mailed {
            self.mail(core, session, command, request);
        }
        self.after(session, outcome)
    }

    /// The EXEC has ended, but for replies that are under way.
    fn end_exec(&mut self, session: &mut Session, execution: Execution) -> bool {
        let closes = session.executing.take().and_then(|executing| executing.closes);
        self.unwatch(session);
        // What it has pushed here at once goes to those who wait only now; on keys that are held, when they are let go.
        self.follow_up();
        if !self.own_messages.is_empty() {
            self.take_own_messages(session);
        }
        session.pipeline.close();
        if execution.silences_next {
            session.reply_mode = ReplyMode::Skip;
        }
        let (command, name) = (CommandId::Exec.command(), OwnedRequest::new([&b"exec"[..]]));
        self.observe_end_of(session.conn, command, name.request(), execution.began_us);
        if self.is_monitored() {
            self.show(session, command, name.request());
        }
        session.state = match closes {
            None if session.pipeline.is_settled() => State::Ready,
            None => State::Draining,
            Some(Closing::AfterOutput | Closing::Now) => State::Closing,
        };
        session.state == State::Ready
    }
}

/// Takes part.
impl Engine {
    /// Runs the commands of an EXEC that have their keys here, for a client of some core.
    pub(in crate::engine) fn run_queue(
        &mut self,
        queue: &Queue,
        (core, conn): (CoreId, ConnId),
        selected: Selected,
        protocol: Protocol,
    ) -> PartReply {
        let mut reply = PartReply::default();
        let Some(mut shard) = self.shard.take() else { return reply };
        for (command, request) in queue.iter() {
            let before = if self.times.knows(command.id.index()) { self.stats.served } else { 0 };
            let timed = self.is_timed(command, request, before);
            self.stats.served += 1;
            let (now, encoder) = (self.now, &mut Reply::new(&mut reply.bytes, protocol));
            self.execute(&mut shard, now, selected, command, request, encoder);
            reply.ends.push(reply.bytes.len());
            if let Some(began_us) = timed {
                self.observe_for(core, conn, command, request, began_us);
            }
        }
        self.shard = Some(shard);
        reply
    }
}

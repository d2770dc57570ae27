//! From bytes to requests, and from a request to whoever runs it.

use super::keyed::Outcome;
use super::node::{Refused, WATCHER_REFUSED, is_for_subscribers};
use super::{Deferred, Engine};
use crate::base::ConnId;
use crate::command::{self, Command, CommandId, Flags, Scope};
use crate::limits::{BOUNDED_COMMAND_US, REQUESTS_PER_TURN, TIMED_ONE_IN};
use crate::resp::{ParserLimits, Protocol, Reply, ReplyError, Request, RequestParser};
use crate::session::{Input, ReplyMode, Session, State};

/// Whether a request was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Flow {
    /// It was answered, or its place is reserved: on to the next.
    Next,
    /// It stays at the head of the input; the session's state says what it waits for.
    Hold,
}

impl Engine {
    /// Bytes from a client: runs the whole requests in them, keeps the rest.
    pub(super) fn received(&mut self, conn: ConnId, bytes: &[u8]) {
        let Some(mut session) = self.sessions.take(conn) else { return };
        session.received_bytes += bytes.len() as u64;
        self.stats.received_bytes += bytes.len() as u64;
        self.stats.reads += 1;
        if session.state == State::Closing {
            return self.sessions.put(session);
        }
        if let Some(mut input) = session.input.take() {
            let missing = input.parser.missing(input.len());
            input.push(bytes, missing);
            if session.state == State::Ready {
                self.run_waiting_input(&mut session, &mut input);
            }
            self.keep_input(&mut session, input);
        } else if session.state == State::Ready {
            let mut parser = std::mem::take(&mut self.parser);
            let consumed = self.run_requests(&mut session, bytes, &mut parser);
            if consumed < bytes.len() && session.state != State::Closing {
                let mut input = Box::<Input>::default();
                input.push(&bytes[consumed..], parser.missing(bytes.len() - consumed));
                input.parser = std::mem::take(&mut parser);
                session.input = Some(input);
            }
            self.parser = parser;
        } else {
            let mut input = Box::<Input>::default();
            input.push(bytes, 0);
            session.input = Some(input);
        }
        self.leave(session);
    }

    /// A session whose obstacle may be gone: runs what waits in its input.
    pub(super) fn go_on(&mut self, conn: ConnId) {
        let Some(mut session) = self.sessions.take(conn) else { return };
        session.runnable = false;
        let free = match session.state {
            State::Ready | State::NoCredit | State::Paused | State::Executing => true,
            State::Draining => session.pipeline.is_settled(),
            State::Stuffed => {
                self.has_output_limit(&session) || session.unsent_bytes <= self.output_bytes_max(&session) / 2
            }
            State::Busy | State::Closing => false,
        };
        let free = free && (session.executing.is_none() || self.go_on_executing(&mut session));
        if free {
            session.state = if session.ended && session.input.is_none() { State::Closing } else { State::Ready };
            if let Some(mut input) = session.input.take() {
                self.run_waiting_input(&mut session, &mut input);
                self.keep_input(&mut session, input);
            }
        }
        self.leave(session);
    }

    fn run_waiting_input(&mut self, session: &mut Session, input: &mut Input) {
        let mut parser = std::mem::take(&mut input.parser);
        let consumed = self.run_requests(session, input.bytes(), &mut parser);
        input.parser = parser;
        input.consume(consumed);
    }

    /// Gives a session what is left of its input, if anything is.
    fn keep_input(&mut self, session: &mut Session, input: Box<Input>) {
        let is_empty = input.is_empty();
        session.input = Some(input);
        if is_empty {
            self.drop_input(session);
        }
    }

    /// Drops the input of a session: in slices if it has been a large one, beside what assembled commands leave.
    #[inline]
    pub(super) fn drop_input(&mut self, session: &mut Session) {
        if let Some(input) = session.input.take()
            && let Some(assembly) = &mut self.assembly
        {
            assembly.bury_bytes(input.into_buffer());
        }
    }

    /// Puts a session back that has run what it could.
    fn leave(&mut self, mut session: Box<Session>) {
        if session.ended && session.state == State::Ready && !session.runnable {
            // What is left in the input will never be a whole request.
            session.state = State::Closing;
        }
        if session.state == State::Closing {
            self.drop_input(&mut session);
        } else if session.waiting_bytes() as u64 > self.config.query_buffer_bytes {
            tracing::warn!(
                client = session.id.0,
                bytes = session.waiting_bytes(),
                "a client is closed: its requests are above client-query-buffer-limit"
            );
            self.stats.input_closed += 1;
            session.state = State::Closing;
            self.drop_input(&mut session);
        }
        self.regulate(&mut session);
        if !session.listed && (session.pipeline.ready_bytes() > 0 || session.state == State::Closing) {
            session.listed = true;
            self.unsent.push(session.conn);
        }
        let (conn, waits) = (session.conn, self.waits_for_nobody(&session));
        self.sessions.put(session);
        if waits {
            self.close(conn, true);
        }
    }

    /// Runs the requests at the head of `bytes` and returns how many bytes they were. `parser` has seen the beginning of
    /// `bytes` already, if it is not fresh.
    fn run_requests(&mut self, session: &mut Session, bytes: &[u8], parser: &mut RequestParser) -> usize {
        session.active_us = self.now.unix_us;
        session.pipeline.provide(|| Self::spare_output(&mut self.pool));
        let mut consumed = 0;
        // The first request is run at once: most often there is no other.
        let mut looked_at = 1;
        for number in 0..REQUESTS_PER_TURN {
            let rest = &bytes[consumed..];
            if number == looked_at && !rest.is_empty() {
                if self.is_turn_over() {
                    break;
                }
                looked_at += self.look_ahead(session.database, rest).max(1);
            }
            let limits = if session.authenticated {
                ParserLimits { bulk_bytes_max: self.config.bulk_bytes as usize, ..ParserLimits::default() }
            } else {
                ParserLimits::UNAUTHENTICATED
            };
            let length = match parser.parse(rest, &limits) {
                Ok(None) => return consumed,
                Ok(Some(length)) => length,
                Err(error) => {
                    session.pipeline.reply(|out| Reply::new(out, session.protocol).protocol_error(error));
                    session.state = State::Closing;
                    *parser = RequestParser::new();
                    return bytes.len();
                }
            };
            let request = parser.request(rest);
            if !request.is_empty() && self.request(session, request) == Flow::Hold {
                *parser = RequestParser::new();
                return consumed;
            }
            consumed += length;
            let goes_on = match session.state {
                State::Ready => true,
                State::Executing => self.go_on_executing(session),
                _ => false,
            };
            if !goes_on {
                return consumed;
            }
        }
        self.make_runnable(session);
        consumed
    }

    /// Puts a session on the list of those whose input goes on.
    pub(super) fn make_runnable(&mut self, session: &mut Session) {
        if !session.runnable {
            session.runnable = true;
            self.runnable.push_back(session.conn);
        }
    }

    /// Checks one request and gives it to whoever runs it.
    #[inline]
    fn request(&mut self, session: &mut Session, request: Request<'_>) -> Flow {
        let command = match command::find(request) {
            Ok(command) => command,
            Err(refusal) => return self.refuse_unknown(session, refusal, request),
        };
        if !session.authenticated && !command.flags.contains(Flags::NO_AUTH) {
            return self.reject(session, command, ReplyError::NoAuth);
        }
        if session.is_subscriber() && session.protocol == Protocol::Resp2 && !is_for_subscribers(command) {
            return self.refuse_subscriber(session, command);
        }
        if self.pause.is_some() && self.is_paused(session, command) {
            session.state = State::Paused;
            self.paused.push_back(session.conn);
            return Flow::Hold;
        }
        if session.output_bytes() > self.output_bytes_max(session) {
            session.state = State::Stuffed;
            if session.unsent_bytes == 0 {
                // The network has not been asked yet: if it takes all, the session goes on with the next turn.
                self.make_runnable(session);
            }
            return Flow::Hold;
        }
        if self.is_monitored() && self.refuses_watcher(session, command) {
            session.refuse_queue();
            return self.refuse_for(session, Refused::Text(WATCHER_REFUSED.to_owned()), request);
        }
        if session.queue.is_some()
            && let Some(flow) = self.enqueue(session, command, request)
        {
            return flow;
        }
        self.dispatch(session, command, request, Self::keyed)
    }

    /// Gives a request that may run to whoever runs it: `keyed`, if it is about keys.
    #[inline(always)]
    pub(super) fn dispatch(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
        keyed: impl FnOnce(&mut Self, &mut Session, &'static Command, Request<'_>) -> Flow,
    ) -> Flow {
        let timed = self.is_timed(command, request, self.stats.calls[command.id.index()]);
        if timed.is_some() {
            self.deferred = Deferred::No;
        }
        let flow = match command.scope {
            Scope::Shard => keyed(self, session, command, request),
            Scope::Session | Scope::Core => self.counting_failures(session, command, request, Self::unkeyed),
            Scope::Node => self.counting_failures(session, command, request, Self::node_wide),
        };
        if !self.own_messages.is_empty() {
            self.take_own_messages(session);
        }
        if flow == Flow::Next {
            session.last_command = Some(command.id);
            session.commands += 1;
            self.stats.commands += 1;
            self.stats.calls[command.id.index()] += 1;
            if let Some(began) = timed {
                self.observe(session, command, request, began);
            }
            // An EXEC that has begun is shown behind its commands.
            if self.is_monitored() && !(command.id == CommandId::Exec && session.executing.is_some()) {
                self.show(session, command, request);
            }
        }
        flow
    }

    /// When a command that is measured began: those of bounded cost are measured by sample, the first and then one of so many
    /// going by how many there were `before`, unless SLOWLOG asks for what takes next to nothing.
    #[inline]
    pub(super) fn is_timed(&self, command: &Command, request: Request<'_>, before: u64) -> Option<u64> {
        let is_sample = before.is_multiple_of(TIMED_ONE_IN);
        (!command.is_bounded(request) || is_sample || (self.config.slowlog_slower_us as u64) < BOUNDED_COMMAND_US)
            .then(self.stopwatch)
    }

    /// Runs a command that is no business of a shard, and counts it if it fails.
    fn counting_failures(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
        run: fn(&mut Self, &mut Session, &'static Command, Request<'_>) -> Flow,
    ) -> Flow {
        let errors = self.stats.errors;
        let flow = run(self, session, command, request);
        self.stats.failures[command.id.index()].failed += u64::from(self.stats.errors > errors);
        flow
    }

    /// Lets `write` answer the request in the order of the pipeline.
    #[inline]
    pub(super) fn answer(&mut self, session: &mut Session, write: impl FnOnce(&mut Self, &mut Reply<'_>)) -> Flow {
        if session.reply_mode == ReplyMode::On {
            let protocol = session.protocol;
            session.pipeline.reply(|out| write(self, &mut Reply::new(out, protocol)));
        } else {
            self.answer_nobody(session, write);
        }
        Flow::Next
    }

    #[cold]
    fn answer_nobody(&mut self, session: &mut Session, write: impl FnOnce(&mut Self, &mut Reply<'_>)) {
        let mut scratch = std::mem::take(&mut self.scratch);
        write(self, &mut Reply::new(&mut scratch, session.protocol));
        scratch.clear();
        self.scratch = scratch;
        if session.reply_mode == ReplyMode::Skip {
            session.reply_mode = ReplyMode::On;
        }
    }

    /// A request that may neither overtake nor be overtaken: true if everything before it has been answered; else the
    /// session waits for that.
    pub(super) fn is_alone(&mut self, session: &mut Session) -> bool {
        if !session.pipeline.is_settled() {
            session.state = State::Draining;
        }
        session.pipeline.is_settled()
    }

    /// Wakes a session whose pipeline has got a reply.
    pub(super) fn filled(&mut self, conn: ConnId) {
        let Some(session) = self.sessions.get_mut(conn) else { return };
        let settled = session.pipeline.is_settled();
        if settled && matches!(session.state, State::Draining) && !session.runnable {
            session.runnable = true;
            self.runnable.push_back(conn);
        }
        if session.pipeline.ready_bytes() > 0 || session.state == State::Closing {
            self.list_unsent(conn);
        }
    }

    /// A command under a lease, here or by mail: what keyed commands share.
    #[inline]
    pub(super) fn after(&mut self, session: &mut Session, outcome: Outcome) -> Flow {
        match outcome {
            Outcome::Done | Outcome::Mailed => Flow::Next,
            Outcome::NoCredit(core) => {
                session.state = State::NoCredit;
                self.no_credit[core.index()].push_back(session.conn);
                Flow::Hold
            }
        }
    }
}

//! How long commands took: what is measured, what is kept, and SLOWLOG.
//!
//! A command is measured where it runs. One that runs here for a client of another core is reported to that core if it
//! was slow, because only there the client's name is known. A command that speaks for the node, or whose keys lie on
//! several cores, counts from the request to the reply.

use super::{Ask, Gathered, Handled, Refused};
use crate::base::{ConnId, CoreId};
use crate::command::{Args, Command, CommandId, Flags};
use crate::engine::mail::{Handle, Rare};
use crate::engine::{Deferred, Engine};
use crate::metrics::{self, Event, Sample, SlowEntry};
use crate::resp::{Reply, ReplyError, Request};
use crate::session::Session;

/// Entries that SLOWLOG GET answers unless it is told.
const ENTRIES_BY_DEFAULT: i64 = 10;

/// What stands in the place of an argument that is a secret.
const REDACTED: &[u8] = b"(redacted)";

/// A command that is measured and has not ended.
#[derive(Debug)]
pub(in crate::engine) struct Begun {
    pub(in crate::engine) command: &'static Command,
    pub(in crate::engine) at_us: u64,
    arguments: Vec<Box<[u8]>>,
}

/// A slow command, on its way to the core that has its client.
#[derive(Debug)]
pub(in crate::engine) struct Slow {
    conn: ConnId,
    took_us: u64,
    arguments: Vec<Box<[u8]>>,
}

/// Measures.
impl Engine {
    /// Takes note of how long a command took, or that it has not ended yet.
    pub(in crate::engine) fn observe(
        &mut self,
        session: &Session,
        command: &'static Command,
        request: Request<'_>,
        began_us: u64,
    ) {
        match self.deferred {
            Deferred::No => {
                let took_us = (self.stopwatch)().saturating_sub(began_us);
                if self.measured(command, took_us) {
                    let arguments = kept_arguments(command, request);
                    self.log_slow(Some(session), session.conn, took_us, arguments);
                }
            }
            Deferred::Question(Handle(handle)) => {
                let arguments = kept_arguments(command, request);
                if let Some(question) = self.questions.get_mut(handle as usize) {
                    question.begun = Some(Box::new(Begun { command, at_us: began_us, arguments }));
                }
            }
            Deferred::Transaction(handle) => self.transaction_began(handle, began_us),
            Deferred::Mail => {}
        }
    }

    /// Takes note of how long a command took that did not end where it began.
    pub(in crate::engine) fn observe_end(&mut self, conn: ConnId, begun: Begun) {
        let took_us = (self.stopwatch)().saturating_sub(begun.at_us);
        if self.measured(begun.command, took_us) {
            self.log_slow(None, conn, took_us, begun.arguments);
        }
    }

    /// The same for a request that is still at hand.
    pub(in crate::engine) fn observe_end_of(
        &mut self,
        conn: ConnId,
        command: &'static Command,
        request: Request<'_>,
        began_us: u64,
    ) {
        let took_us = (self.stopwatch)().saturating_sub(began_us);
        if self.measured(command, took_us) {
            self.log_slow(None, conn, took_us, kept_arguments(command, request));
        }
    }

    /// Takes note of how long a command took that ran here for a client of `core`.
    pub(in crate::engine) fn observe_for(
        &mut self,
        core: CoreId,
        conn: ConnId,
        command: &'static Command,
        request: Request<'_>,
        began_us: u64,
    ) {
        let took_us = (self.stopwatch)().saturating_sub(began_us);
        if self.measured(command, took_us) {
            self.write(core, Rare::Slow(Slow { conn, took_us, arguments: kept_arguments(command, request) }));
        }
    }

    /// A command of a client of this core was slow elsewhere.
    pub(in crate::engine) fn was_slow(&mut self, slow: Slow) {
        self.log_slow(None, slow.conn, slow.took_us, slow.arguments);
    }

    /// Counts a time. True if the command belongs in the slow log.
    fn measured(&mut self, command: &'static Command, took_us: u64) -> bool {
        self.times.record(command.id.index(), took_us);
        let threshold_ms = self.config.latency_threshold_ms;
        if threshold_ms > 0 && took_us / 1000 >= threshold_ms {
            let event = if command.flags.contains(Flags::FAST) { Event::FastCommand } else { Event::Command };
            let at_s = self.now.unix_us / 1_000_000;
            self.latency_events.add(event, Sample { at_s, latency_ms: took_us / 1000 });
        }
        u64::try_from(self.config.slowlog_slower_us).is_ok_and(|threshold_us| took_us >= threshold_us)
            && !command.flags.contains(Flags::SKIP_SLOWLOG)
    }

    /// `session` is given if it is not in its place.
    fn log_slow(&mut self, session: Option<&Session>, conn: ConnId, took_us: u64, arguments: Vec<Box<[u8]>>) {
        let Some(session) = session.or(self.sessions.get_mut(conn).map(|session| &*session)) else { return };
        let entry = SlowEntry {
            id: self.shared.next_slow_command(),
            at_s: self.now.unix_us / 1_000_000,
            took_us,
            arguments,
            address: session.peer.address.clone(),
            name: session.name.clone().unwrap_or_default(),
        };
        self.slowlog.add(entry, usize::try_from(self.config.slowlog_len).unwrap_or(usize::MAX));
    }
}

/// Answers.
impl Engine {
    /// Entries that the logs of all cores may show together.
    pub(super) fn slowlog_max(&self) -> usize {
        usize::try_from(self.config.slowlog_len).unwrap_or(usize::MAX)
    }

    pub(super) fn slowlog_get(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        if args.remaining() > 1 {
            return Err(Refused::Subcommand);
        }
        let count = if args.is_empty() { ENTRIES_BY_DEFAULT } else { args.int_or(ReplyError::SlowlogCount)? };
        let count = match count {
            -1 => self.slowlog_max(),
            count => usize::try_from(count).map_err(|_| ReplyError::SlowlogCount)?.min(self.slowlog_max()),
        };
        let gathered = Gathered::SlowEntries { entries: Vec::new(), count };
        Ok(self.ask_all(session, Ask::SlowEntries { count }, gathered))
    }
}

pub(super) fn answer(mut entries: Vec<SlowEntry>, count: usize, reply: &mut Reply<'_>) {
    entries.sort_unstable_by_key(|entry| std::cmp::Reverse(entry.id));
    entries.truncate(count);
    reply.array(entries.len());
    for entry in &entries {
        reply.array(6);
        reply.integer(entry.id as i64);
        reply.integer(entry.at_s as i64);
        reply.integer(entry.took_us as i64);
        reply.array(entry.arguments.len());
        entry.arguments.iter().for_each(|argument| reply.bulk(argument));
        reply.bulk(entry.address.as_bytes());
        reply.bulk(entry.name.as_bytes());
    }
}

/// The arguments as the slow log keeps them.
fn kept_arguments(command: &Command, request: Request<'_>) -> Vec<Box<[u8]>> {
    metrics::trimmed(request.len(), shown(command, request))
}

/// The arguments as others may see them: without passwords.
pub(super) fn shown<'r>(command: &Command, request: Request<'r>) -> impl Iterator<Item = &'r [u8]> {
    let id = command.id;
    let at = move |index: usize| if index < request.len() { request.get(index) } else { b"" };
    request.iter().enumerate().map(move |(index, argument)| {
        let secret = match id {
            CommandId::Auth => index > 0,
            CommandId::Hello => {
                // HELLO version AUTH user password
                let behind_auth =
                    |distance: usize| index >= 2 + distance && at(index - distance).eq_ignore_ascii_case(b"auth");
                behind_auth(1) || behind_auth(2)
            }
            CommandId::ConfigSet => index > 2 && index % 2 == 1 && at(index - 1).eq_ignore_ascii_case(b"requirepass"),
            _ => false,
        };
        if secret { REDACTED } else { argument }
    })
}

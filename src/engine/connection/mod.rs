//! Commands that need no key and no other core: the session's own, and those about this core.
//!
//! Here stand PING, ECHO, SELECT, QUIT and the table of the others; `hello` has what makes a session known, `client` what
//! CLIENT says of the asking connection, `lone` what a server without replicas and files answers.

mod client;
mod hello;
mod lone;

use super::Engine;
use super::node::{Handled, Refused};
use super::requests::Flow;
use crate::base::{glob_matches_ignoring_case, slot};
use crate::command::{self, Args, Command, CommandId, Refusal};
use crate::limits::ATTACK_LOG_INTERVAL_US;
use crate::resp::{Protocol, ReplyError, Request};
use crate::session::{Session, State};

impl Engine {
    /// A command that needs no key.
    pub(super) fn unkeyed(&mut self, session: &mut Session, command: &'static Command, request: Request<'_>) -> Flow {
        let args = &mut Args::new(command, request);
        let handled = match command.id {
            CommandId::Ping => self.ping(session, args),
            CommandId::Echo => {
                args.next().map_err(Into::into).map(|text| self.answer(session, |_, reply| reply.bulk(text)))
            }
            CommandId::Select => self.select(session, args),
            CommandId::Quit => {
                let flow = self.answer(session, |_, reply| reply.ok());
                session.state = State::Closing;
                Ok(flow)
            }
            CommandId::Auth => self.auth(session, args),
            CommandId::Hello => self.hello(session, args),
            CommandId::Reset => self.reset(session),
            CommandId::ClientGetname => self.client_getname(session),
            CommandId::ClientId => self.client_id(session),
            CommandId::ClientInfo => self.client_info(session, command),
            CommandId::ClientNoEvict => self.client_no_evict(session, args),
            CommandId::ClientNoTouch => self.client_no_touch(session, args),
            CommandId::ClientReply => self.client_reply(session, args),
            CommandId::ClientSetinfo => self.client_setinfo(session, args),
            CommandId::ClientSetname => self.client_setname(session, args),
            CommandId::Multi => self.multi(session),
            CommandId::Discard => self.discard(session),
            CommandId::Unwatch => {
                self.unwatch(session);
                Ok(self.answer(session, |_, reply| reply.ok()))
            }
            CommandId::ClusterKeyslot => args.next().map_err(Into::into).map(|key| {
                let slot = i64::from(slot(key).0);
                self.answer(session, |_, reply| reply.integer(slot))
            }),
            CommandId::ConfigGet => self.config_get(session, args),
            CommandId::Bgrewriteaof => self.no_persistence(),
            CommandId::Bgsave => self.bgsave(args),
            CommandId::Lastsave => self.lastsave(session),
            CommandId::Lolwut => self.lolwut(session, args),
            // The allocator gives memory back by itself, and keeps no books for us.
            CommandId::MemoryPurge => Ok(self.answer(session, |_, reply| reply.ok())),
            CommandId::MemoryMallocStats => Ok(self.answer(session, |_, reply| {
                reply.verbatim("txt", "Stats not supported for the current allocator");
            })),
            CommandId::Role => self.role(session),
            CommandId::Save => self.no_persistence(),
            CommandId::Time => self.time(session),
            CommandId::Wait => self.wait(session, args),
            _ => self.introspect(session, command, args),
        };
        handled.unwrap_or_else(|refused| self.refuse_for(session, refused, request))
    }

    fn ping(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        if args.remaining() > 1 {
            return Err(ReplyError::WrongArity("ping").into());
        }
        if session.is_subscriber() && session.protocol == Protocol::Resp2 {
            return Ok(self.answer(session, |_, reply| {
                reply.array(2);
                reply.bulk(b"pong");
                reply.bulk(args.next().unwrap_or_default());
            }));
        }
        Ok(self.answer(session, |_, reply| match args.next() {
            Ok(text) => reply.bulk(text),
            Err(_) => reply.simple("PONG"),
        }))
    }

    fn select(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let database = i32::try_from(args.int()?).map_err(|_| ReplyError::OutOfRange32)?;
        let database = u16::try_from(database).map_err(|_| ReplyError::DatabaseOutOfRange)?;
        if database >= self.config.databases {
            return Err(ReplyError::DatabaseOutOfRange.into());
        }
        session.database = database;
        Ok(self.answer(session, |_, reply| reply.ok()))
    }

    fn config_get(&mut self, session: &mut Session, args: &Args<'_>) -> Handled {
        let patterns: Vec<&[u8]> = args.rest().iter().collect();
        let found = self.config.get(&patterns, glob_matches_ignoring_case);
        Ok(self.answer(session, |_, reply| {
            reply.map(found.len());
            for (name, value) in &found {
                reply.bulk(name.as_bytes());
                reply.bulk(value.as_bytes());
            }
        }))
    }

    /// COMMAND and the HELP of every container.
    fn introspect(&mut self, session: &mut Session, command: &'static Command, args: &mut Args<'_>) -> Handled {
        let mut outcome = Ok(());
        let flow = self.answer(session, |engine, reply| {
            outcome = command::introspect(command, args, reply);
            if let Err(error) = outcome {
                engine.count_error(&error.text());
                reply.error(error);
            }
        });
        Ok(flow)
    }
}

/// Whether a line with this first word belongs to an HTTP request that may carry commands behind it.
fn is_http(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"post") || name.eq_ignore_ascii_case(b"host:")
}

/// Errors.
impl Engine {
    /// Answers with an error of whatever kind.
    #[cold]
    pub(super) fn refuse_for(&mut self, session: &mut Session, refused: Refused, request: Request<'_>) -> Flow {
        match refused {
            Refused::Error(error) => self.refuse(session, error),
            Refused::Subcommand => {
                self.count_error("ERR");
                self.answer(session, |_, reply| command::refuse_subcommand(request, reply))
            }
            Refused::Text(text) => {
                self.count_error(&text);
                self.answer(session, |_, reply| reply.error_text(&text))
            }
        }
    }

    /// Answers with an error.
    #[cold]
    pub(super) fn refuse(&mut self, session: &mut Session, error: ReplyError) -> Flow {
        self.count_error(&error.text());
        self.answer(session, |_, reply| reply.error(error))
    }

    /// Refuses a command that has not run, and counts it as such.
    #[cold]
    pub(super) fn reject(&mut self, session: &mut Session, command: &'static Command, error: ReplyError) -> Flow {
        self.stats.failures[command.id.index()].rejected += 1;
        if command.id == CommandId::Exec {
            return self.abort(session, &error.text());
        }
        session.refuse_queue();
        self.refuse(session, error)
    }

    /// Refuses a command to a client that has subscriptions and speaks RESP2.
    #[cold]
    pub(super) fn refuse_subscriber(&mut self, session: &mut Session, command: &'static Command) -> Flow {
        self.stats.failures[command.id.index()].rejected += 1;
        let text = format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this \
             context",
            command.name
        );
        self.count_error(&text);
        self.answer(session, |_, reply| reply.error_text(&text))
    }

    /// Refuses a request that is no command.
    #[cold]
    pub(super) fn refuse_unknown(&mut self, session: &mut Session, refusal: Refusal, request: Request<'_>) -> Flow {
        if is_http(request.get(0)) {
            self.show_the_door(session);
            return Flow::Next;
        }
        if let Refusal::WrongArity(command) = refusal {
            self.stats.failures[command.id.index()].rejected += 1;
            if command.id == CommandId::Exec {
                let error = ReplyError::WrongArity(command.name).text();
                return self.abort(session, error.trim_start_matches("ERR "));
            }
        }
        session.refuse_queue();
        self.count_error("ERR");
        self.answer(session, |_, reply| refusal.write(request, reply))
    }

    /// Closes a connection that speaks HTTP: a browser that a hostile page has sent here takes every line of its request
    /// for nothing, and one of them may be a command. What came before is answered, and nothing after it is read.
    #[cold]
    fn show_the_door(&mut self, session: &mut Session) {
        session.state = State::Closing;
        if self.now.mono_us >= self.next_attack_log_us {
            self.next_attack_log_us = self.now.mono_us + ATTACK_LOG_INTERVAL_US;
            tracing::warn!(
                client = session.peer.address,
                "Possible SECURITY ATTACK detected: a client sent POST or Host:, which are words of HTTP, as a web page \
                 does that makes a browser talk to this server. Its connection is closed."
            );
        }
    }

    /// Counts an error reply by its line.
    #[cold]
    pub(super) fn count_error(&mut self, line: &str) {
        self.stats.errors += 1;
        self.errors.count(line);
    }
}

#[cfg(test)]
mod tests;

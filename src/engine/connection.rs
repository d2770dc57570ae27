//! Commands that need no key: the session's own, and those about this core.

use super::Engine;
use super::requests::Flow;
use crate::command::{self, Args, Command, CommandId};
use crate::resp::{ReplyError, Request};
use crate::session::{Session, State};

impl Engine {
    /// A command that needs no key.
    pub(super) fn unkeyed(&mut self, session: &mut Session, command: &'static Command, request: Request<'_>) -> Flow {
        let mut args = Args::new(command, request);
        match command.id {
            CommandId::Ping => self.answer(session, |_, reply| match args.next() {
                Ok(text) => reply.bulk(text),
                Err(_) => reply.simple("PONG"),
            }),
            CommandId::Echo => self.answer(session, |_, reply| reply.bulk(args.next().unwrap_or_default())),
            CommandId::Select => match args.int().map(u16::try_from) {
                Ok(Ok(database)) if database < self.config.databases => {
                    session.database = database;
                    self.answer(session, |_, reply| reply.ok())
                }
                Ok(_) => self.refuse(session, ReplyError::DatabaseOutOfRange),
                Err(error) => self.refuse(session, error),
            },
            CommandId::Quit => {
                let flow = self.answer(session, |_, reply| reply.ok());
                session.state = State::Closing;
                flow
            }
            CommandId::ConfigGet => self.answer(session, |engine, reply| {
                let patterns: Vec<&[u8]> = request.iter().skip(2).collect();
                let found = engine.config.get(&patterns, crate::base::glob_matches_ignoring_case);
                reply.map(found.len());
                for (name, value) in found {
                    reply.bulk(name.as_bytes());
                    reply.bulk(value.as_bytes());
                }
            }),
            _ if !command.name.starts_with("command") => self.refuse(session, ReplyError::Syntax),
            _ => self.answer(session, |_, reply| {
                if let Err(error) = command::introspect(command, &mut args, reply) {
                    reply.error(error);
                }
            }),
        }
    }

    /// A command about the whole node that is no question about keys.
    pub(super) fn administer(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        _request: Request<'_>,
    ) -> Flow {
        tracing::debug!(command = command.name, "not served yet");
        self.refuse(session, ReplyError::Syntax)
    }

    /// Whether CLIENT PAUSE holds a command.
    pub(super) fn is_paused(&self, _command: &Command) -> bool {
        false
    }

    /// Ends a CLIENT PAUSE whose time is over.
    pub(super) fn check_pause(&mut self) {}

    /// Whether some client of the node watches by MONITOR.
    pub(super) fn is_monitored(&self) -> bool {
        false
    }

    /// Shows a command to those who watch.
    pub(super) fn monitor(&mut self, _session: &Session, _command: &Command, _request: Request<'_>) {}

    /// A client that watched has left.
    pub(super) fn monitor_left(&mut self) {}

    /// Takes note of how long a command took.
    pub(super) fn observe(&mut self, _session: &Session, _command: &Command, _request: Request<'_>, _began: u64) {}
}

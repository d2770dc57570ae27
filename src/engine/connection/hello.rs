//! HELLO, AUTH and RESET: who the client is and which protocol it speaks.
//!
//! There is one user, `default`, whose password is `requirepass`; without one, any password is right for it.

use crate::command::{Args, number};
use crate::engine::Engine;
use crate::engine::node::{Handled, REDIS_VERSION, Refused};
use crate::engine::requests::Flow;
use crate::resp::{Protocol, ReplyError};
use crate::session::Session;

impl Engine {
    pub(super) fn auth(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let first = args.next()?;
        let (user, password) = match args.remaining() {
            0 if self.config.requirepass.is_none() => return Err(ReplyError::NoPasswordSet.into()),
            0 => (&b"default"[..], first),
            1 => (first, args.next()?),
            _ => return Err(ReplyError::Syntax.into()),
        };
        self.authenticate(session, user, password)?;
        Ok(self.answer(session, |_, reply| reply.ok()))
    }

    fn authenticate(&self, session: &mut Session, user: &[u8], password: &[u8]) -> Result<(), ReplyError> {
        let right = self.config.requirepass.as_ref().is_none_or(|secret| secret.matches(password));
        if user != b"default" || !right {
            return Err(ReplyError::WrongPassword);
        }
        session.authenticated = true;
        Ok(())
    }

    /// `HELLO [version [AUTH user password] [SETNAME name]]`
    pub(super) fn hello(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let protocol = match args.next() {
            Err(_) => None,
            Ok(version) => match number::integer(version).ok_or(ReplyError::ProtocolNotInteger)? {
                2 => Some(Protocol::Resp2),
                3 => Some(Protocol::Resp3),
                _ => return Err(ReplyError::ProtocolUnsupported.into()),
            },
        };
        let (mut credentials, mut name) = (None, None);
        while let Ok(option) = args.next() {
            if option.eq_ignore_ascii_case(b"auth") && args.remaining() >= 2 {
                credentials = Some((args.next()?, args.next()?));
            } else if option.eq_ignore_ascii_case(b"setname") && !args.is_empty() {
                name = Some(client_name(args.next()?)?);
            } else {
                let option = String::from_utf8_lossy(option);
                return Err(Refused::Text(format!("ERR Syntax error in HELLO option '{option}'")));
            }
        }
        if let Some((user, password)) = credentials {
            self.authenticate(session, user, password)?;
        }
        if !session.authenticated {
            return Err(ReplyError::HelloNoAuth.into());
        }
        if let Some(name) = name {
            session.name = name;
        }
        session.protocol = protocol.unwrap_or(session.protocol);
        let id = session.id.0;
        Ok(self.answer(session, |_, reply| {
            reply.map(7);
            reply.bulk(b"server");
            reply.bulk(b"redis");
            reply.bulk(b"version");
            reply.bulk(REDIS_VERSION.as_bytes());
            reply.bulk(b"proto");
            reply.integer(if reply.protocol() == Protocol::Resp3 { 3 } else { 2 });
            reply.bulk(b"id");
            reply.integer(id as i64);
            reply.bulk(b"mode");
            reply.bulk(b"standalone");
            reply.bulk(b"role");
            reply.bulk(b"master");
            reply.bulk(b"modules");
            reply.array(0);
        }))
    }

    pub(super) fn reset(&mut self, session: &mut Session) -> Handled {
        if session.is_subscriber() && !self.is_alone(session) {
            return Ok(Flow::Hold);
        }
        if session.monitoring {
            self.monitor_left(session.conn);
        }
        self.unwatch(session);
        session.reset(self.config.requirepass.is_none());
        if session.is_subscriber() {
            return Ok(self.reset_subscriber(session));
        }
        Ok(self.answer(session, |_, reply| reply.simple("RESET")))
    }
}

/// A name for a connection: printable and without spaces. The empty one takes the name away.
pub(super) fn client_name(name: &[u8]) -> Result<Option<Box<str>>, ReplyError> {
    let text = printable(name).ok_or(ReplyError::ClientName)?;
    Ok((!text.is_empty()).then(|| text.into()))
}

/// The text, if it can stand in a line of CLIENT LIST.
pub(super) fn printable(text: &[u8]) -> Option<&str> {
    let printable = text.iter().all(|byte| (b'!'..=b'~').contains(byte));
    if printable { std::str::from_utf8(text).ok() } else { None }
}

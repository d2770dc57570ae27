//! What CLIENT says of the asking connection, and sets for it.

use super::hello::{client_name, printable};
use crate::command::{Args, Command};
use crate::engine::Engine;
use crate::engine::node::{Handled, Refused, describe};
use crate::engine::requests::Flow;
use crate::resp::ReplyError;
use crate::session::{ReplyMode, Session};

impl Engine {
    pub(super) fn client_id(&mut self, session: &mut Session) -> Handled {
        let id = session.id.0;
        Ok(self.answer(session, |_, reply| reply.integer(id as i64)))
    }

    pub(super) fn client_getname(&mut self, session: &mut Session) -> Handled {
        let name = session.name.clone();
        Ok(self.answer(session, |_, reply| match &name {
            Some(name) => reply.bulk(name.as_bytes()),
            None => reply.null(),
        }))
    }

    pub(super) fn client_setname(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        session.name = client_name(args.next()?)?;
        Ok(self.answer(session, |_, reply| reply.ok()))
    }

    pub(super) fn client_setinfo(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let option = args.next()?;
        let (name, attribute) = match option.to_ascii_lowercase().as_slice() {
            b"lib-name" => ("lib-name", &mut session.library_name),
            b"lib-ver" => ("lib-ver", &mut session.library_version),
            _ => return Err(Refused::Text(format!("ERR Unrecognized option '{}'", String::from_utf8_lossy(option)))),
        };
        let text = printable(args.next()?).ok_or(ReplyError::ClientAttribute(name))?;
        *attribute = (!text.is_empty()).then(|| text.into());
        Ok(self.answer(session, |_, reply| reply.ok()))
    }

    pub(super) fn client_info(&mut self, session: &mut Session, command: &Command) -> Handled {
        if session.executing.is_none() {
            session.last_command = Some(command.id);
        }
        let line = describe(session, self.now);
        Ok(self.answer(session, |_, reply| reply.verbatim("txt", &(line + "\n"))))
    }

    pub(super) fn client_no_evict(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        session.no_evict = on_or_off(args)?;
        Ok(self.answer(session, |_, reply| reply.ok()))
    }

    pub(super) fn client_no_touch(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        session.no_touch = on_or_off(args)?;
        Ok(self.answer(session, |_, reply| reply.ok()))
    }

    /// ON is answered, OFF and SKIP are not.
    pub(super) fn client_reply(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        match args.keyword_of(&["on", "off", "skip"]) {
            Some(0) => {
                session.reply_mode = ReplyMode::On;
                Ok(self.answer(session, |_, reply| reply.ok()))
            }
            Some(1) => {
                session.reply_mode = ReplyMode::Off;
                Ok(Flow::Next)
            }
            Some(_) => {
                if session.reply_mode != ReplyMode::Off {
                    session.reply_mode = ReplyMode::Skip;
                }
                Ok(Flow::Next)
            }
            None => Err(ReplyError::Syntax.into()),
        }
    }
}

fn on_or_off(args: &mut Args<'_>) -> Result<bool, ReplyError> {
    args.keyword_of(&["on", "off"]).map(|word| word == 0).ok_or(ReplyError::Syntax)
}

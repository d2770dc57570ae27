//! SHUTDOWN.

use super::Handled;
use crate::command::Args;
use crate::engine::requests::Flow;
use crate::engine::{Effect, Engine};
use crate::resp::ReplyError;
use crate::session::{Session, State};

impl Engine {
    /// `SHUTDOWN [NOSAVE | SAVE] [NOW] [FORCE] [ABORT]`: the shell ends the process, and the client gets no reply.
    pub(super) fn shutdown(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let (mut nosave, mut save, mut force, mut abort, mut options) = (false, false, false, false, 0);
        while !args.is_empty() {
            match args.keyword_of(&["nosave", "save", "now", "force", "abort"]).ok_or(ReplyError::Syntax)? {
                0 => nosave = true,
                1 => save = true,
                2 => {}
                3 => force = true,
                _ => abort = true,
            }
            options += 1;
        }
        if save && nosave || abort && options > 1 {
            return Err(ReplyError::Syntax.into());
        }
        if abort {
            // Ours begins at once and cannot be called off.
            return Err(ReplyError::NoShutdown.into());
        }
        if save && !force {
            tracing::warn!(
                "SHUTDOWN SAVE is refused: there is no persistence; use NOSAVE, or FORCE to stop all the same"
            );
            return Err(ReplyError::ShutdownFailed.into());
        }
        session.state = State::Busy;
        self.effects.push_back(Effect::Shutdown);
        Ok(Flow::Next)
    }
}

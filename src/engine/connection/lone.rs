//! What a server answers that keeps everything in memory and has no replicas: ROLE, WAIT, LASTSAVE, SAVE and its like; and
//! TIME and LOLWUT.

use crate::command::{Args, number};
use crate::engine::Engine;
use crate::engine::node::{Handled, REDIS_VERSION, Refused};
use crate::resp::ReplyError;
use crate::session::Session;

impl Engine {
    pub(super) fn role(&mut self, session: &mut Session) -> Handled {
        Ok(self.answer(session, |_, reply| {
            reply.array(3);
            reply.bulk(b"master");
            reply.integer(0);
            reply.array(0);
        }))
    }

    /// `WAIT numreplicas timeout`: no replica will ever come, so there is nothing to wait for.
    pub(super) fn wait(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        args.int()?;
        let timeout = args.int_or(ReplyError::TimeoutNotInteger)?;
        if timeout < 0 {
            return Err(ReplyError::TimeoutNegative.into());
        }
        Ok(self.answer(session, |_, reply| reply.integer(0)))
    }

    pub(super) fn bgsave(&mut self, args: &mut Args<'_>) -> Handled {
        args.keyword("schedule");
        args.finish()?;
        self.no_persistence()
    }

    pub(super) fn no_persistence(&mut self) -> Handled {
        let text = "ERR There is no persistence yet: everything is kept in memory, and a restart empties the cache";
        Err(Refused::Text(text.to_owned()))
    }

    /// As Redis does before its first snapshot: when the server started.
    pub(super) fn lastsave(&mut self, session: &mut Session) -> Handled {
        let started_s = self.started.unix_us / 1_000_000;
        Ok(self.answer(session, |_, reply| reply.integer(started_s as i64)))
    }

    pub(super) fn time(&mut self, session: &mut Session) -> Handled {
        let now_us = self.now.unix_us;
        Ok(self.answer(session, |_, reply| {
            reply.array(2);
            reply.bulk_integer((now_us / 1_000_000) as i64);
            reply.bulk_integer((now_us % 1_000_000) as i64);
        }))
    }

    /// `LOLWUT [VERSION version [arg ...]]`: a skyline by chance, a column for each of a few towers.
    pub(super) fn lolwut(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        const COLUMNS: usize = 12;
        const FLOORS: usize = 8;
        if args.remaining() > 1 && args.keyword("version") {
            number::integer(args.next()?).ok_or(ReplyError::NotInteger)?;
        }
        let heights: Vec<usize> = (0..COLUMNS).map(|_| self.rng.usize(1..=FLOORS)).collect();
        let mut art = String::new();
        for floor in (1..=FLOORS).rev() {
            for height in &heights {
                art.push_str(match *height {
                    height if height > floor => {
                        if self.rng.bool() {
                            "|o |"
                        } else {
                            "| o|"
                        }
                    }
                    height if height == floor => " __ ",
                    _ => "    ",
                });
            }
            art.push('\n');
        }
        let text = format!("{art}{}\nEvery core a tower. Redis ver. {REDIS_VERSION}\n", "=".repeat(4 * COLUMNS));
        Ok(self.answer(session, |_, reply| reply.verbatim("txt", &text)))
    }
}

//! What replies mean: an operation is finished, must be sent elsewhere, or was answered wrongly.

use super::check::Check;
use super::connection::{Connection, Pending};
use super::replies::{self, Framing, Reply};
use super::slots::Redirection;
use crate::measure::{Answer, Interval, Slow};
use crate::plan::Kind;

/// Different error texts that are kept.
const ERRORS_KEPT: usize = 16;

/// Longest error text that is kept, in bytes.
const ERROR_BYTES_MAX: usize = 160;

/// Why a connection is given up after a fault, which has been noted by then.
pub(super) const FAULT: &str = "a check found a fault";

/// Error replies: their texts, and how often each came.
#[derive(Debug, Default)]
pub(super) struct Errors(pub(super) Vec<(String, u64)>);

impl Errors {
    pub(super) fn note(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(&text[..text.len().min(ERROR_BYTES_MAX)]);
        if let Some((_, count)) = self.0.iter_mut().find(|(known, _)| *known == text) {
            *count += 1;
        } else if self.0.len() < ERRORS_KEPT {
            self.0.push((text.into_owned(), 1));
        }
    }
}

/// Where replies go.
pub(super) struct Incoming<'a> {
    pub(super) framing: Framing,
    pub(super) kinds: &'a [Kind],
    pub(super) interval: &'a mut Interval,
    /// Operations that took longer are noted.
    pub(super) slow_ns: u64,
    pub(super) errors: &'a mut Errors,
    pub(super) check: Option<&'a mut Check>,
    /// The server that the connection leads to, and where redirections go, if it is a cluster.
    pub(super) redirected: Option<(&'a str, &'a mut Vec<(Redirection, Pending)>)>,
    /// Operations that are no longer under way on this connection.
    pub(super) finished: u64,
    pub(super) now: u64,
}

impl Incoming<'_> {
    /// Takes what came on a connection. The error is a sentence: the connection is of no use any more.
    #[inline]
    pub(super) fn take(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<(), String> {
        self.interval.received_bytes += bytes.len() as u64;
        if connection.rest.is_empty() {
            let used = self.replies(connection, bytes)?;
            connection.rest.extend_from_slice(&bytes[used..]);
            return Ok(());
        }
        let mut rest = std::mem::take(&mut connection.rest);
        rest.extend_from_slice(bytes);
        let used = self.replies(connection, &rest)?;
        rest.drain(..used);
        connection.rest = rest;
        Ok(())
    }

    #[inline]
    fn replies(&mut self, connection: &mut Connection, bytes: &[u8]) -> Result<usize, String> {
        let mut used = 0;
        while used < bytes.len() {
            let Some((reply, length)) = replies::next(self.framing, &bytes[used..])? else { break };
            used += length;
            self.reply(connection, reply)?;
        }
        Ok(used)
    }

    #[inline]
    fn reply(&mut self, connection: &mut Connection, reply: Reply<'_>) -> Result<(), String> {
        if reply == Reply::Push {
            return Ok(());
        }
        let Some(pending) = connection.pending.front_mut() else {
            return Err("a reply came that nothing was asked for".to_owned());
        };
        if pending.foreign > 0 {
            pending.foreign -= 1;
            return Ok(());
        }
        let kind = &self.kinds[usize::from(pending.operation.kind)];
        match reply {
            Reply::Error(text) => {
                if let Some((asked, redirected)) = &mut self.redirected
                    && let Some(redirection) = Redirection::of(text, asked)
                {
                    pending.redirections += 1;
                    // The first one counts, and is taken when all replies are there.
                    if pending.answer != Answer::Elsewhere {
                        pending.answer = Answer::Elsewhere;
                        redirected.push((redirection, *pending));
                    }
                } else {
                    pending.answer = Answer::Error;
                    self.errors.note(text);
                }
            }
            Reply::Null if pending.answer == Answer::Done => pending.answer = Answer::Nothing,
            _ => {}
        }
        if pending.answer != Answer::Elsewhere
            && let Some(check) = &mut self.check
            && !check.judge(&pending.operation, kind, reply, self.now)
        {
            return Err(FAULT.to_owned());
        }
        pending.replies -= 1;
        if pending.replies == 0 {
            if pending.answer != Answer::Elsewhere {
                let latency = self.now.saturating_sub(pending.since_ns);
                let kind = usize::from(pending.operation.kind);
                self.interval.kinds[kind].count(latency, pending.answer, self.kinds[kind].reads);
                if latency > self.slow_ns {
                    self.interval.note(Slow { kind, since_ns: pending.since_ns, latency_ns: latency });
                }
            }
            connection.pending.pop_front();
            self.finished += 1;
        }
        Ok(())
    }
}

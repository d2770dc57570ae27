//! What only simulations ask of an engine: what it still has to do, and mail that is late.

use super::Engine;
use crate::base::{CoreId, Now};
use crate::limits::MAIL_CREDITS;
use crate::mesh::Progress;
use crate::session::State;

impl Engine {
    /// As [`Engine::begin`], but the mail of some cores is not there yet.
    #[doc(hidden)]
    pub fn begin_with_late_mail(&mut self, now: Now, is_late: impl Fn(CoreId) -> bool) {
        self.begin_turn(now);
        let own = self.core;
        for from in self.topology.all().filter(|from| *from != own) {
            while !is_late(from)
                && let Some(mut received) = self.port.receive_from(from)
            {
                self.read_batch(from, &mut received);
                self.port.finish(received, Progress::Whole);
            }
        }
    }

    /// Something that is not finished, if there is anything: a core that has served every request has nothing left.
    #[doc(hidden)]
    pub fn unfinished(&self) -> Option<&'static str> {
        let of_others = |core: &CoreId| *core != self.core;
        let checks = [
            (!self.ledger.is_empty(), "intents"),
            (!self.transactions.is_empty(), "transactions"),
            (!self.executions.is_empty(), "queues that are executed"),
            (!self.blocking.is_idle(), "clients that wait for an element"),
            (!self.questions.is_empty(), "questions"),
            (!self.slices.is_empty(), "slices"),
            (!self.held_back.is_empty(), "requests held back by one that waits"),
            (!self.late_watches.is_empty(), "keys to be watched"),
            (!self.stash.is_empty(), "requests that wait for the shard"),
            (self.outgoing.iter().any(|batch| !batch.is_empty()), "letters that were not posted"),
            (self.topology.all().filter(of_others).any(|core| self.port.credits(core) != MAIL_CREDITS), "credits"),
            (self.credits.iter().any(|credits| !credits.is_empty()), "credits of requests under way"),
            (self.holds_loan(), "a loan"),
            (!self.unpublished.is_empty(), "messages that were not published"),
            (!self.own_messages.is_empty(), "messages to the client at work"),
            (!self.runnable.is_empty(), "sessions that may go on"),
            (self.no_credit.iter().any(|list| !list.is_empty()), "sessions that wait for credit"),
            (!self.unsent.is_empty(), "sessions with output"),
            (self.sessions.iter().any(|session| session.state != State::Ready), "sessions that wait"),
            (self.sessions.iter().any(|session| !session.pipeline.is_settled()), "reserved places"),
            (self.sessions.iter().any(|session| session.pipeline.held_bytes() > 0), "replies that did not leave"),
            (self.assembly.as_ref().is_none_or(|shard| !shard.is_empty()), "keys of an assembled command"),
        ];
        checks.into_iter().find(|(left, _)| *left).map(|(_, what)| what)
    }

    /// Whether the own shard is with the engine, neither parked nor lent.
    #[doc(hidden)]
    pub fn holds_shard(&self) -> bool {
        self.shard.is_some()
    }

    /// Whether a shard of another core is with the engine.
    #[doc(hidden)]
    pub fn holds_loan(&self) -> bool {
        self.loans.iter().any(Option::is_some)
    }

    /// Keys that clients of this core watch.
    #[doc(hidden)]
    pub fn watched_keys(&self) -> usize {
        self.sessions.iter().map(|session| session.watched.len()).sum()
    }

    /// Whether a transaction has left an intent here.
    #[doc(hidden)]
    pub fn has_intents(&self) -> bool {
        !self.ledger.is_empty()
    }
}

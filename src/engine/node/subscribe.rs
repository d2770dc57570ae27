//! SUBSCRIBE and its like: a client's subscriptions, and what the other cores are told of them.
//!
//! The home of the channel (for a pattern: every core) is told of a subscription, and the client gets its confirmation
//! when all have acknowledged. So a SUBSCRIBE is a question to those cores, and its client waits for it like for any
//! other; leaving goes the same way. With one core nobody is asked, and the confirmation is immediate.
//!
//! ```text
//!   SUBSCRIBE   ├─ listed here ──────────────────────────────────┤   UNSUBSCRIBE
//!                    ├─ counted at home ────────────────────┤
//!                         ├─ confirmed ──────────┤ asked to leave
//! ```
//!
//! A letter that joins or leaves, its acknowledgement and the messages of one home keep their order, so whatever a home
//! has counted a client for finds it listed: PUBLISH never answers a receiver who does not get the message before he is
//! told that he has left. (He may get one that was published while his SUBSCRIBE was under way and did not count him.)
//!
//! Redis takes confirmations for pushes, not replies: CLIENT REPLY OFF does not suppress them.

use std::sync::Arc;

use super::{Ask, Gathered, Handled, Slice};
use crate::base::{ConnId, CoreId};
use crate::command::{Args, Command, CommandId};
use crate::engine::Engine;
use crate::engine::mail::Rare;
use crate::engine::requests::Flow;
use crate::limits::SUBSCRIPTIONS_PER_SLICE;
use crate::pubsub::{Kind, Name, Subscriptions, confirm};
use crate::resp::{Output, Reply, ReplyError};
use crate::session::{ReplyMode, Session};

/// Clients of one core have subscribed to these names, or are subscribed no longer: one client for each name.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Change {
    kind: Kind,
    joined: bool,
    names: Arc<[Name]>,
}

/// Which names a command is about.
pub(super) fn kind(command: CommandId) -> Kind {
    match command {
        CommandId::Psubscribe | CommandId::Punsubscribe | CommandId::PubsubNumpat => Kind::Pattern,
        CommandId::Ssubscribe
        | CommandId::Sunsubscribe
        | CommandId::PubsubShardchannels
        | CommandId::PubsubShardnumsub => Kind::Shard,
        _ => Kind::Channel,
    }
}

/// Whether a subscriber may use a command though it speaks RESP2, in which it could not tell replies from messages.
pub(in crate::engine) fn is_for_subscribers(command: &Command) -> bool {
    matches!(
        command.id,
        CommandId::Subscribe
            | CommandId::Unsubscribe
            | CommandId::Psubscribe
            | CommandId::Punsubscribe
            | CommandId::Ssubscribe
            | CommandId::Sunsubscribe
            | CommandId::Ping
            | CommandId::Quit
            | CommandId::Reset
    )
}

/// Joining and leaving.
impl Engine {
    /// SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE.
    pub(super) fn subscribe(&mut self, session: &mut Session, command: &Command, args: &Args<'_>) -> Handled {
        let (kind, wanted, protocol) = (kind(command.id), args.rest(), session.protocol);
        let mut subscriptions = session.subscriptions.take().unwrap_or_default();
        if !subscriptions.has_room(kind, wanted.iter()) {
            session.subscriptions = Some(subscriptions).filter(|subscriptions| !subscriptions.is_empty());
            return Err(ReplyError::TooManySubscriptions.into());
        }
        let (mut new, mut out) = (Vec::new(), std::mem::take(&mut self.scratch));
        for name in wanted {
            if let Some(name) = subscriptions.insert(kind, name) {
                self.pubsub.subscribe(kind, &name, session.conn);
                new.push(name);
            }
            confirm(kind, true, Some(name), subscriptions.confirmed(kind), &mut Reply::new(&mut out, protocol));
        }
        session.subscriptions = Some(subscriptions);
        let changes = self.changes(kind, true, &mut new);
        Ok(self.confirmed(session, changes, out, None))
    }

    /// UNSUBSCRIBE, PUNSUBSCRIBE, SUNSUBSCRIBE.
    pub(super) fn unsubscribe(&mut self, session: &mut Session, command: &Command, args: &Args<'_>) -> Handled {
        let (kind, protocol) = (kind(command.id), session.protocol);
        let mut subscriptions = session.subscriptions.take().unwrap_or_default();
        let (mut gone, mut out) = (Vec::new(), std::mem::take(&mut self.scratch));
        let reply = &mut Reply::new(&mut out, protocol);
        for name in args.rest() {
            gone.extend(subscriptions.remove(kind, name));
            confirm(kind, false, Some(name), subscriptions.confirmed(kind), reply);
        }
        if args.is_empty() {
            if subscriptions.count(kind) == 0 {
                confirm(kind, false, None, subscriptions.confirmed(kind), reply);
            }
            while let Some(name) = subscriptions.pop(kind) {
                confirm(kind, false, Some(&name), subscriptions.confirmed(kind), reply);
                gone.push(name);
            }
        }
        session.subscriptions = Some(subscriptions).filter(|subscriptions| !subscriptions.is_empty());
        let changes = self.changes(kind, false, &mut gone);
        Ok(self.confirmed(session, changes, out, Some((kind, gone))))
    }

    /// RESET of a client that has subscriptions: they end without a word about them.
    pub(in crate::engine) fn reset_subscriber(&mut self, session: &mut Session) -> Flow {
        let mut out = std::mem::take(&mut self.scratch);
        Reply::new(&mut out, session.protocol).simple("RESET");
        let mut changes = Vec::new();
        if let Some(mut subscriptions) = session.subscriptions.take() {
            for kind in Kind::ALL {
                changes.extend(self.forget(session.conn, &mut subscriptions, kind, usize::MAX));
            }
        }
        self.confirmed(session, changes, out, None)
    }

    /// What other cores are to be told of names that a client has joined or left.
    fn changes(&self, kind: Kind, joined: bool, names: &mut [Name]) -> Vec<(CoreId, Change)> {
        if self.topology.cores() == 1 || names.is_empty() {
            return Vec::new();
        }
        if kind == Kind::Pattern {
            let change = Change { kind, joined, names: (&*names).into() };
            return self.pubsub.informed(kind, b"").map(|core| (core, change.clone())).collect();
        }
        names.sort_by_cached_key(|name| self.topology.core_of(name));
        let by_home = names.chunk_by(|one, other| self.topology.core_of(one) == self.topology.core_of(other));
        by_home
            .filter_map(|names| {
                let home = self.pubsub.informed(kind, &names[0]).next()?;
                Some((home, Change { kind, joined, names: names.into() }))
            })
            .collect()
    }

    /// Tells the cores concerned of changes, and gives the client its confirmations when all have heard. `leaving`: the
    /// names by which it gets messages until then.
    fn confirmed(
        &mut self,
        session: &mut Session,
        changes: Vec<(CoreId, Change)>,
        mut confirmations: Output,
        leaving: Option<(Kind, Vec<Name>)>,
    ) -> Flow {
        if session.reply_mode == ReplyMode::Skip {
            session.reply_mode = ReplyMode::On;
        }
        if changes.is_empty() {
            leaving.into_iter().for_each(|(kind, names)| self.unlist(session.conn, kind, &names));
            session.pipeline.reply(|out| out.append(&mut confirmations));
            self.scratch = confirmations;
            return Flow::Next;
        }
        let place = match leaving {
            // What is still on its way comes in front.
            Some(_) => session.pipeline.reserve(),
            None => session.pipeline.reserve_confirmation(),
        };
        let gathered = Gathered::Confirmations { encoded: confirmations, leaving };
        let handle = self.open_question(session, place, changes.len(), gathered);
        for (core, change) in changes {
            self.write(core, Rare::Ask { handle, ask: Ask::Change(change) });
        }
        Flow::Next
    }

    /// Clients of another core have joined or left.
    pub(in crate::engine) fn take_change(&mut self, from: CoreId, change: &Change) {
        for name in change.names.iter() {
            match change.joined {
                true => self.pubsub.joined(change.kind, name, from),
                false => self.pubsub.left(change.kind, name, from),
            }
        }
    }

    /// A client of this core gets no messages by these names any more.
    pub(super) fn unlist(&mut self, conn: ConnId, kind: Kind, names: &[Name]) {
        names.iter().for_each(|name| self.pubsub.unsubscribe(kind, name, conn));
    }

    /// Ends at most `most` subscriptions of one kind here; returns what other cores are to be told.
    fn forget(
        &mut self,
        conn: ConnId,
        subscriptions: &mut Subscriptions,
        kind: Kind,
        most: usize,
    ) -> Vec<(CoreId, Change)> {
        let mut gone: Vec<Name> = std::iter::from_fn(|| subscriptions.pop(kind)).take(most).collect();
        self.unlist(conn, kind, &gone);
        self.changes(kind, false, &mut gone)
    }

    /// A client is gone: its subscriptions end, some now, and the others in slices.
    pub(in crate::engine) fn subscriber_left(&mut self, conn: ConnId, subscriptions: Box<Subscriptions>) {
        let mut leaving = Leaving { conn, subscriptions };
        if !self.go_on_leaving(&mut leaving) {
            self.slices.push_back(Slice::Leaving(leaving));
        }
    }

    /// True when it is finished.
    pub(super) fn go_on_leaving(&mut self, leaving: &mut Leaving) -> bool {
        let mut left = SUBSCRIPTIONS_PER_SLICE;
        for kind in Kind::ALL {
            let before = leaving.subscriptions.count(kind);
            for (core, change) in self.forget(leaving.conn, &mut leaving.subscriptions, kind, left) {
                self.write(core, Rare::Unsubscribed(change));
            }
            left -= before - leaving.subscriptions.count(kind);
        }
        leaving.subscriptions.is_empty()
    }
}

/// A client that is gone, and what it is still listed for.
#[derive(Debug)]
pub(in crate::engine) struct Leaving {
    conn: ConnId,
    subscriptions: Box<Subscriptions>,
}

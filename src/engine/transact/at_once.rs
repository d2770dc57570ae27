//! A command over several cores at once: every shard concerned is here or can be borrowed.

use super::super::room::Room;
use super::super::{Engine, OpenLoan};
use super::part::{Manner, Part, derives_keys, join, manner, part_request};
use crate::base::CoreId;
use crate::command::{Command, Spread};
use crate::keyspace::Shard;
use crate::limits::LARGE_VALUE_BYTES;
use crate::resp::{Reply, ReplyError, Request};
use crate::session::{Selected, Session};

/// At once, under leases.
impl Engine {
    /// Whether a command can be run at once: every shard concerned is held from now on, and it will not take long.
    pub(super) fn holds_for(&mut self, command: &'static Command, request: Request<'_>, parts: &[Part]) -> bool {
        request.data().len() <= LARGE_VALUE_BYTES
            && !derives_keys(command, request)
            && self.hold_all(parts)
            && (command.is_bounded(request) || self.weighs_little(request, parts))
    }

    /// Whether the values of all keys together are small, on shards that are held.
    fn weighs_little(&mut self, request: Request<'_>, parts: &[Part]) -> bool {
        let mut left = LARGE_VALUE_BYTES;
        parts.iter().all(|part| {
            let weigh = |engine: &mut Self, shard: &mut Shard| {
                part.keys.iter().all(|key| {
                    let charge = shard.keys(usize::from(key.database), engine.now).charge(request.get(key.index));
                    let rest = left.checked_sub(charge.unwrap_or(0));
                    left = rest.unwrap_or(0);
                    rest.is_some()
                })
            };
            self.with_held(part.core, weigh).unwrap_or(false)
        })
    }

    /// Holds every shard concerned, or none.
    fn hold_all(&mut self, parts: &[Part]) -> bool {
        if self.shard.is_none() || !self.ledger.is_empty() || !self.stash.is_empty() {
            return false;
        }
        parts.iter().all(|part| part.core == self.core || self.borrow(part.core))
    }

    /// Takes a shard that is held; see [`Engine::put_held`].
    fn take_held(&mut self, core: CoreId) -> Option<HeldShard> {
        if core == self.core {
            self.shard.take().map(HeldShard::Own)
        } else {
            self.loans[core.index()].take().map(HeldShard::Borrowed)
        }
    }

    fn put_held(&mut self, core: CoreId, held: HeldShard) {
        match held {
            HeldShard::Own(shard) => self.shard = Some(shard),
            HeldShard::Borrowed(open) => self.loans[core.index()] = Some(open),
        }
    }

    pub(super) fn with_held<T>(&mut self, core: CoreId, act: impl FnOnce(&mut Self, &mut Shard) -> T) -> Option<T> {
        let mut held = self.take_held(core)?;
        held.shard().advance(self.now);
        let result = act(self, held.shard());
        self.put_held(core, held);
        Some(result)
    }

    /// Whether a shard that is held has room for this, after it has made some.
    pub(in crate::engine) fn has_room_at(&mut self, core: CoreId, room: Option<Room>) -> bool {
        let Some(room) = room else { return true };
        self.with_held(core, |engine, shard| room.is_in(shard, engine.now)).unwrap_or(true)
    }

    pub(in crate::engine) fn counts_keys(&self) -> bool {
        self.config.max_keys > 0
    }

    pub(super) fn run_at_once(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
        mut parts: Vec<Part>,
    ) {
        let (selected, protocol) = (session.selected(), session.protocol);
        self.stats.borrowed += 1;
        if manner(command) == Manner::Split {
            for part in &mut parts {
                let own = part_request(command, request, part);
                let reply = self.with_held(part.core, |engine, shard| {
                    engine.run_part(shard, command, selected, protocol, own.request(), command.spread == Spread::PerKey)
                });
                part.reply = reply.unwrap_or_default();
            }
            self.answer(session, |_, reply| join(command, request, &parts, reply));
            return;
        }
        self.answer(session, |engine, reply| {
            engine.assemble_held(command, selected, request, parts, reply);
        });
    }

    /// Runs an assembled command on shards that are held. True if it is one that waits, and there was nothing.
    fn assemble_held(
        &mut self,
        command: &'static Command,
        selected: Selected,
        request: Request<'_>,
        mut parts: Vec<Part>,
        reply: &mut Reply<'_>,
    ) -> bool {
        for part in &mut parts {
            part.wanted = part.wants(command, request);
            let entries = self.with_held(part.core, |engine, shard| engine.send_entries(shard, &part.wanted));
            part.entries = entries.unwrap_or_default();
        }
        let (nothing, outcomes) = self.run_assembled(command, selected, Some(request), parts, reply);
        for (core, outcomes) in outcomes {
            self.with_held(core, |engine, shard| engine.apply(shard, outcomes));
        }
        nothing
    }

    /// Makes the attempt of a command that waits, if every shard concerned can be held. Answers whether there was nothing,
    /// or that one of the shards has no room.
    pub(in crate::engine) fn attempt_at_once(
        &mut self,
        command: &'static Command,
        request: Request<'_>,
        selected: Selected,
        reply: &mut Reply<'_>,
    ) -> Option<Result<bool, ReplyError>> {
        let parts = self.parts(command, request, selected.database);
        if !self.holds_for(command, request, &parts) {
            return None;
        }
        if !parts.iter().all(|part| self.has_room_at(part.core, part.room(command, request, self.counts_keys()))) {
            return Some(Err(ReplyError::OutOfMemory));
        }
        self.stats.borrowed += 1;
        Some(Ok(self.assemble_held(command, selected, request, parts, reply)))
    }
}

/// A shard that is held: the own one, or one on loan.
enum HeldShard {
    Own(Box<Shard>),
    Borrowed(OpenLoan),
}

impl HeldShard {
    fn shard(&mut self) -> &mut Shard {
        match self {
            HeldShard::Own(shard) => shard,
            HeldShard::Borrowed(open) => &mut open.loan,
        }
    }
}

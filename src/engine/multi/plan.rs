//! Who has to do with a queue, and how it can be run: a function of its keys, the watched ones, and the topology.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Engine;
use super::super::mail::{StoredKey, WatchedKey};
use super::super::room::Room;
use super::super::transact::concerns_all;
use crate::base::CoreId;
use crate::command::{self, Command, CommandId, Flags, KeyFlags, Scope};
use crate::limits::{ENTRY_OVERHEAD_BYTES, EXEC_COMMANDS_AT_ONCE};
use crate::resp::Request;
use crate::route;
use crate::session::{Queue, Session};
use crate::txn::{Intents, Key};

/// How a queue is run; see `multi`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    /// At once, on the own shard.
    Here,
    /// Each core runs its commands.
    Apart,
    /// The keys are held while the commands run one after the other.
    Held,
}

/// What one core has to do with a queue.
#[derive(Debug, Default)]
pub(super) struct Share {
    /// Keys that are read or watched, and those that may change.
    keys: BTreeMap<Box<[u8]>, bool>,
    /// The queue concerns the whole shard.
    whole: bool,
    /// The commands that the core runs, if each runs its own.
    pub(super) queue: Queue,
    pub(super) watched: Vec<WatchedKey>,
    /// What the commands bring.
    room_bytes: usize,
    room_keys: BTreeSet<(u16, Box<[u8]>)>,
}

impl Share {
    pub(super) fn intents(&self) -> Intents {
        if self.whole {
            return Intents::Shard;
        }
        let keys = self.keys.iter().map(|(name, exclusive)| Key { name: name.clone(), exclusive: *exclusive });
        Intents::Keys(keys.collect())
    }

    /// What its core needs room for, if there must be some.
    pub(super) fn room(&self) -> Option<Room> {
        let stored = |(database, name): &(u16, Box<[u8]>)| StoredKey { database: *database, name: name.clone() };
        (self.room_bytes > 0)
            .then(|| Room { bytes: self.room_bytes, keys: self.room_keys.iter().map(stored).collect() })
    }
}

/// Who has to do with a queue, and how it is run.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) manner: Manner,
    pub(super) shares: BTreeMap<CoreId, Share>,
}

/// Whether a command that speaks for the node speaks of its data. The others are about clients, settings and figures.
fn concerns_data(command: &Command) -> bool {
    let family = command.name.split_once('|').map_or(command.name, |(container, _)| container);
    !matches!(family, "client" | "config" | "latency" | "slowlog")
}

/// Whether a command of the session's decides how those behind it meet the keyspace or are answered.
fn decides_for_others(command: &Command) -> bool {
    matches!(command.id, CommandId::Select | CommandId::Hello | CommandId::ClientNoTouch)
}

impl Engine {
    /// Plans an EXEC.
    pub(super) fn plan_exec(&self, session: &Session, queue: &Queue) -> Plan {
        // On one core that nothing lies on, the keys need not be known unless the queue takes more than one go.
        let is_free = self.topology.cores() == 1 && self.ledger.is_empty();
        let mut shares =
            Shares { engine: self, database: session.database, names_keys: !is_free, by_core: BTreeMap::new() };
        let mut manner = shares.add(session, queue);
        if manner != Manner::Here && is_free {
            shares = Shares { names_keys: true, by_core: BTreeMap::new(), ..shares };
            manner = shares.add(session, queue);
        }
        let mut shares = shares.by_core;
        if manner == Manner::Apart {
            for (command, request) in queue.iter().filter(|(command, _)| command.scope == Scope::Shard) {
                if let route::Plan::Core { core, .. } = route::plan(self.topology, self.core, command, request) {
                    shares.entry(core).or_default().queue.push(command, request);
                }
            }
        }
        Plan { manner, shares }
    }

    /// Whether the own shard is here, if there is something to do on it, and nothing lies on these keys.
    fn is_free(&self, share: Option<&Share>) -> bool {
        let Some(share) = share else { return true };
        let is_here = self.shard.is_some() && self.stash.is_empty();
        is_here
            && (self.ledger.is_empty()
                || share.keys.iter().all(|(name, exclusive)| !self.ledger.blocks(name, *exclusive)))
    }
}

/// The shares of a queue while they are gathered.
struct Shares<'e> {
    engine: &'e Engine,
    database: u16,
    /// The keys are to be named, so that intents can be left on them.
    names_keys: bool,
    by_core: BTreeMap<CoreId, Share>,
}

impl Shares<'_> {
    /// Adds a queue, and says how it can be run.
    fn add(&mut self, session: &Session, queue: &Queue) -> Manner {
        let topology = self.engine.topology;
        let (mut speaks_for_node, mut spans_cores, mut decides) = (false, false, false);
        for (command, request) in queue.iter() {
            match command.scope {
                Scope::Shard => {
                    spans_cores |= self.add_keyed(command, request);
                    if topology.cores() > 1 && concerns_all(command, request) {
                        topology.all().for_each(|core| self.by_core.entry(core).or_default().whole = true);
                        spans_cores = true;
                    }
                }
                Scope::Node => {
                    speaks_for_node = true;
                    if concerns_data(command) {
                        topology.all().for_each(|core| self.by_core.entry(core).or_default().whole = true);
                    }
                }
                Scope::Session | Scope::Core => decides |= decides_for_others(command),
            }
        }
        for ((database, name), version) in &session.watched {
            let share = self.by_core.entry(topology.core_of(name)).or_default();
            share.keys.entry(name.clone()).or_default();
            let key = StoredKey { database: *database, name: name.clone() };
            share.watched.push(WatchedKey { key, version: *version });
        }
        let one_by_one = speaks_for_node || spans_cores || queue.len() > EXEC_COMMANDS_AT_ONCE;
        let own = self.engine.core;
        let is_here = self.by_core.keys().all(|core| *core == own) && self.engine.is_free(self.by_core.get(&own));
        // Whether to run anything is for one core alone to say, or for none.
        let one_decides = self.by_core.len() <= 1 || session.watched.is_empty();
        match () {
            () if !one_by_one && is_here => Manner::Here,
            () if !one_by_one && one_decides && !decides => Manner::Apart,
            () => Manner::Held,
        }
    }

    /// Adds a command on keys. True if its keys are on several cores.
    fn add_keyed(&mut self, command: &'static Command, request: Request<'_>) -> bool {
        let Engine { topology, core: own, .. } = self.engine;
        let plan = route::plan(*topology, *own, command, request);
        if let route::Plan::Core { core, .. } = plan {
            // Even one whose keys cannot be found is run there, and refused.
            self.by_core.entry(core).or_default();
        }
        let brings = command.flags.contains(Flags::DENYOOM);
        if !self.names_keys && !brings {
            return false;
        }
        let mut cores: Vec<CoreId> = Vec::new();
        for key in command::keys(command, request).into_iter().flatten() {
            let (name, is_written) = (request.get(key.index), !key.flags.contains(KeyFlags::RO));
            let core = topology.core_of(name);
            let share = self.by_core.entry(core).or_default();
            if self.names_keys {
                *share.keys.entry(name.into()).or_default() |= is_written;
            }
            if brings && is_written {
                if !cores.contains(&core) {
                    cores.push(core);
                    share.room_bytes += request.data().len() + ENTRY_OVERHEAD_BYTES;
                }
                if self.engine.counts_keys() {
                    share.room_keys.insert((self.database, name.into()));
                }
            }
        }
        plan == route::Plan::Several
    }
}

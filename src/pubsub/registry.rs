//! Whom a message is for: subscribers of this core by connection, those of others by core and number.

use super::roll::{Entry, Roll};
use super::{Kind, Name};
use crate::base::{ConnId, CoreId, KeyHasher, glob_matches};
use crate::topology::Topology;

/// Whom a message is for, as its home sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Audience {
    /// How often it will be received: by every subscriber of its channel, and by every one of a pattern that matches.
    pub receivers: u64,
    /// Bit i: core i, which is another one, has subscribers.
    others: u64,
}

impl Audience {
    /// The other cores that have subscribers.
    pub fn others(self) -> impl Iterator<Item = CoreId> {
        (0..u64::BITS as u16).filter(move |core| self.others & 1 << core != 0).map(CoreId)
    }

    fn add(&mut self, entry: &Entry) {
        self.receivers += entry.subscribers();
        self.others |= entry.elsewhere.iter().fold(0, |cores, (core, _)| cores | 1 << core.0);
    }
}

/// The subscribers that one core knows of.
#[derive(Debug)]
pub struct Registry {
    core: CoreId,
    topology: Topology,
    /// By kind.
    rolls: [Roll; 3],
    /// Names of each kind whose home is this core.
    at_home: [usize; 3],
}

impl Registry {
    /// For a core that knows of nobody yet.
    pub fn new(core: CoreId, topology: Topology, hasher: &KeyHasher) -> Self {
        Self { core, topology, rolls: Kind::ALL.map(|_| Roll::new(hasher.clone())), at_home: [0; 3] }
    }

    /// Whether this core is the home of a name. Patterns are at home everywhere.
    fn is_home(&self, kind: Kind, name: &[u8]) -> bool {
        kind == Kind::Pattern || self.topology.core_of(name) == self.core
    }

    /// The other cores that are to know of subscribers of this one.
    pub fn informed(&self, kind: Kind, name: &[u8]) -> impl Iterator<Item = CoreId> + use<> {
        let (own, home) = (self.core, self.topology.core_of(name));
        self.topology.all().filter(move |core| *core != own && (kind == Kind::Pattern || *core == home))
    }

    /// A client of this core subscribes.
    pub fn subscribe(&mut self, kind: Kind, name: &Name, conn: ConnId) {
        self.add(kind, name, |entry| _ = entry.here.insert(conn));
    }

    /// A client of this core is subscribed no longer.
    pub fn unsubscribe(&mut self, kind: Kind, name: &[u8], conn: ConnId) {
        self.remove(kind, name, |entry| _ = entry.here.remove(&conn));
    }

    /// A client of another core has subscribed to what is at home here.
    pub fn joined(&mut self, kind: Kind, name: &Name, core: CoreId) {
        self.add(kind, name, |entry| match entry.elsewhere.iter_mut().find(|(other, _)| *other == core) {
            Some((_, count)) => *count += 1,
            None => entry.elsewhere.push((core, 1)),
        });
    }

    /// A client of another core is subscribed no longer.
    pub fn left(&mut self, kind: Kind, name: &[u8], core: CoreId) {
        self.remove(kind, name, |entry| {
            let Some(at) = entry.elsewhere.iter().position(|(other, _)| *other == core) else { return };
            entry.elsewhere[at].1 -= 1;
            if entry.elsewhere[at].1 == 0 {
                entry.elsewhere.swap_remove(at);
            }
        });
    }

    fn add(&mut self, kind: Kind, name: &Name, change: impl FnOnce(&mut Entry)) {
        if self.rolls[kind.index()].add(name, change) && self.is_home(kind, name) {
            self.at_home[kind.index()] += 1;
        }
    }

    fn remove(&mut self, kind: Kind, name: &[u8], change: impl FnOnce(&mut Entry)) {
        if self.rolls[kind.index()].remove(name, change) && self.is_home(kind, name) {
            self.at_home[kind.index()] -= 1;
        }
    }

    /// Whom a message to a channel is for. Asked of the channel's home.
    pub fn audience(&self, kind: Kind, channel: &[u8]) -> Audience {
        let mut audience = Audience::default();
        self.rolls[kind.index()].get(channel).into_iter().for_each(|entry| audience.add(entry));
        if kind == Kind::Channel {
            let patterns = self.rolls[Kind::Pattern.index()].entries();
            patterns.filter(|entry| glob_matches(&entry.name, channel)).for_each(|entry| audience.add(entry));
        }
        audience
    }

    /// The connections of this core that a message to a channel is for, each beside the pattern that matched, if any:
    /// subscribers of the channel first, then those of each pattern together.
    pub fn receivers(&self, kind: Kind, channel: &[u8]) -> impl Iterator<Item = (Option<&Name>, ConnId)> {
        let plain = self.rolls[kind.index()].get(channel).into_iter().map(|entry| (None, entry));
        let patterns = self.rolls[Kind::Pattern.index()].entries();
        let seen = patterns.filter(move |entry| kind == Kind::Channel && !entry.here.is_empty());
        let matching = seen.filter(move |entry| glob_matches(&entry.name, channel));
        plain
            .chain(matching.map(|entry| (Some(&entry.name), entry)))
            .flat_map(|(pattern, entry)| entry.here.iter().map(move |conn| (pattern, *conn)))
    }

    /// Subscribers of a name that is at home here; none if it is not.
    pub fn subscribers(&self, kind: Kind, name: &[u8]) -> u64 {
        let entry = self.rolls[kind.index()].get(name).filter(|_| self.is_home(kind, name));
        entry.map_or(0, Entry::subscribers)
    }

    /// Names of a kind that are at home here and have subscribers.
    pub fn names_at_home(&self, kind: Kind) -> usize {
        self.at_home[kind.index()]
    }

    /// Those of them in `count` places from `start` on, and where to go on, if there are more places.
    pub fn range_at_home(
        &self,
        kind: Kind,
        start: usize,
        count: usize,
    ) -> (impl Iterator<Item = &Name>, Option<usize>) {
        let (names, next) = self.rolls[kind.index()].range(start, count);
        (names.filter(move |name| self.is_home(kind, name)), next)
    }

    /// Whether nobody is listed.
    pub fn is_empty(&self) -> bool {
        self.rolls.iter().all(|roll| roll.len() == 0)
    }
}

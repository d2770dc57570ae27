//! What one client is subscribed to.

use std::collections::BTreeSet;

use super::{Kind, Name};
use crate::limits::{SUBSCRIPTION_BYTES, SUBSCRIPTION_BYTES_PER_CLIENT_MAX};

/// The subscriptions of one client, each kind in the order of its names: what leaves all of them does so in an order that a
/// replayed run repeats.
#[derive(Debug, Default)]
pub struct Subscriptions {
    names: [BTreeSet<Name>; 3],
    bytes: usize,
}

impl Subscriptions {
    /// Adds a subscription. `None` if the client had it already.
    pub fn insert(&mut self, kind: Kind, name: &[u8]) -> Option<Name> {
        if self.names[kind.index()].contains(name) {
            return None;
        }
        let name = Name::from(name);
        self.bytes += name.len() + SUBSCRIPTION_BYTES;
        self.names[kind.index()].insert(Name::clone(&name));
        Some(name)
    }

    /// Removes a subscription, if the client has it.
    pub fn remove(&mut self, kind: Kind, name: &[u8]) -> Option<Name> {
        let name = self.names[kind.index()].take(name)?;
        self.bytes -= name.len() + SUBSCRIPTION_BYTES;
        Some(name)
    }

    /// Removes the first subscription of a kind, if there is one.
    pub fn pop(&mut self, kind: Kind) -> Option<Name> {
        let name = self.names[kind.index()].pop_first()?;
        self.bytes -= name.len() + SUBSCRIPTION_BYTES;
        Some(name)
    }

    /// Subscriptions of one kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.names[kind.index()].len()
    }

    /// The count that goes with a confirmation: channels and patterns together, shard channels by themselves.
    pub fn confirmed(&self, kind: Kind) -> usize {
        match kind {
            Kind::Shard => self.count(Kind::Shard),
            Kind::Channel | Kind::Pattern => self.count(Kind::Channel) + self.count(Kind::Pattern),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(BTreeSet::is_empty)
    }

    /// About how many bytes of memory they take, here and where subscribers are listed.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the client may add subscriptions to these names, which are counted as often as they are named.
    pub fn has_room<'n>(&self, kind: Kind, names: impl Iterator<Item = &'n [u8]>) -> bool {
        let new = names.filter(|name| !self.names[kind.index()].contains(*name));
        let bytes: usize = new.map(|name| name.len() + SUBSCRIPTION_BYTES).sum();
        self.bytes + bytes <= SUBSCRIPTION_BYTES_PER_CLIENT_MAX
    }
}

//! Keyspace notifications: events of the own shard on their way to subscribers.
//!
//! ```text
//! a command, here        ─┐
//! a borrower's command   ─┤            the owner                the channel's home
//! expiry and eviction    ─┼─▶ outbox ─▶ publishes, in order ──▶ counts, and sends it on (see `publish`)
//! what became of copies  ─┘  of the
//!   of a key elsewhere       shard
//! ```
//!
//! An event is published by the core that owns its key and by nobody else, so that events of a key are seen in their
//! order, whoever has changed it. A borrower leaves them in the outbox and rings the owner; until that has been there, the
//! shard is not lent again. A command over several cores that runs on copies of its keys (`transact`) sends the events
//! home with what became of the keys.
//!
//! The owner publishes when a command has run, before the next: behind a whole EXEC or a whole batch of a transaction, as
//! its clients cannot look in between. Where there is no mail credit, events wait in the outbox until there is, and clients
//! of this core with commands on its keys wait with them, as publishers do. Mail of other cores does not wait, because what
//! brings the credits back must not; it is bounded by their own credits. What is above the bound of the outbox nevertheless
//! is dropped, and counted (`keyspace_events_dropped` in INFO).

use super::Engine;
use super::mail::Place;
use crate::base::CoreId;
use crate::keyspace::KeyEvent;
use crate::pubsub::{Kind, Message};

/// How far the first event of the outbox is, if it could not be published at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Held {
    /// The core that owes too many replies.
    pub(super) core: CoreId,
    /// The channel of the key has it already.
    is_halfway: bool,
}

impl Engine {
    /// Publishes what the own shard has to tell, as far as there is credit. To be called whenever the shard may have
    /// changed, before anything else runs on it.
    #[inline]
    pub(super) fn publish_events(&mut self) {
        if self.shard.as_ref().is_some_and(|shard| shard.has_events()) {
            self.publish_outbox();
        }
    }

    #[cold]
    fn publish_outbox(&mut self) {
        let asked = self.config.key_events;
        let mut is_halfway = self.events_held.take().is_some_and(|held| held.is_halfway);
        while let Some(event) = self.shard.as_ref().and_then(|shard| shard.first_event()) {
            let by_key = (asked.by_key() && !is_halfway).then(|| message_by_key(event));
            let by_event = asked.by_event().then(|| message_by_event(event));
            for message in by_key.into_iter().chain(by_event) {
                if let Err(core) = self.publish(&message, || Place::NOBODY) {
                    self.events_held = Some(Held { core, is_halfway });
                    return;
                }
                is_halfway = true;
            }
            is_halfway = false;
            if let Some(shard) = &mut self.shard {
                shard.pop_event();
            }
        }
    }
}

/// To the channel of the key: the name of the event.
fn message_by_key(event: &KeyEvent) -> Message {
    let channel = [format!("__keyspace@{}__:", event.database).as_bytes(), &event.key].concat();
    Message::new(Kind::Channel, &channel, event.event.name().as_bytes())
}

/// To the channel of the event: the name of the key.
fn message_by_event(event: &KeyEvent) -> Message {
    let channel = format!("__keyevent@{}__:{}", event.database, event.event.name());
    Message::new(Kind::Channel, channel.as_bytes(), &event.key)
}

//! Who is subscribed to what on this core, and how many subscribers the other cores have.
//!
//! A channel has a *home*: the core that owns the slot of its name. Whatever is published to it goes there first, so that
//! all subscribers see one order, and the home knows at once how many there are.
//!
//! ```text
//!   name      here                       elsewhere
//!   "news"    connections of this core   (core 1, 3 clients) (core 2, 1 client)     at home: all of them
//!   "chat"    connections of this core                                              not at home: its own alone
//!   "n*"      connections of this core   (core 1, 1 client)                         a pattern: every core knows all
//! ```
//!
//! The room knows no session and writes no letter: the engine tells it who comes and goes, and asks whom a message is
//! for. Invariant: a name is listed as long as somebody is subscribed to it that this core knows of, and no longer.

mod confirmation;
mod message;
mod registry;
mod roll;
mod subscriptions;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use confirmation::confirm;
pub use message::Message;
pub use registry::{Audience, Registry};
pub use subscriptions::Subscriptions;

/// The name of a channel, or a pattern; shared by all who list it.
pub type Name = Arc<[u8]>;

/// What one can be subscribed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A channel (SUBSCRIBE, PUBLISH).
    Channel,
    /// A shard channel (SSUBSCRIBE, SPUBLISH): a space of names of its own, which patterns do not see.
    Shard,
    /// A pattern that names channels (PSUBSCRIBE).
    Pattern,
}

impl Kind {
    /// Each of them, in the order of [`Kind::index`].
    pub const ALL: [Self; 3] = [Self::Channel, Self::Shard, Self::Pattern];

    /// Its place in tables.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }
}

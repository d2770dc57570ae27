//! What happens to keys, for subscribers (keyspace notifications).
//!
//! Whoever changes a key names the [`Event`], behind the change and in Redis's order. If the operator asks for its class,
//! it goes to the *outbox* of the shard; if not, that costs one look at a word. The room publishes nothing: whoever owns
//! the shard takes the events out, the oldest first, and publishes them. So it does not matter who has run the command,
//! and the events of a key have the order of its changes, whether the shard was at home, lent, or swept.
//!
//! What handlers say of keys that are copies (a command over several shards, see `engine::transact`) is taken out at once
//! and brought to the shards where the keys live.
//!
//! Bounds: the outbox holds [`KEY_EVENTS_BYTES_MAX`] bytes, which are no part of `maxmemory`, as what clients are sent is
//! none. What does not fit is dropped, and counted.

use std::collections::VecDeque;

use super::shard::Shard;
use crate::config::{EventClass, KeyEvents};
use crate::limits::{KEY_EVENTS_BYTES_MAX, KEY_EVENTS_KEPT};

/// Something that can happen to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Event {
    class: EventClass,
    name: &'static str,
}

/// Makes constants of events: `NAME = Class "name";`.
macro_rules! events {
    ($($constant:ident = $class:ident $name:literal;)*) => {
        impl Event {
            $(#[doc = concat!("`", $name, "`")]
            pub const $constant: Self = Self { class: EventClass::$class, name: $name };)*
        }
    };
}

events! {
    COPY_TO = Generic "copy_to";
    DEL = Generic "del";
    EXPIRE = Generic "expire";
    MOVE_FROM = Generic "move_from";
    MOVE_TO = Generic "move_to";
    PERSIST = Generic "persist";
    RENAME_FROM = Generic "rename_from";
    RENAME_TO = Generic "rename_to";
    RESTORE = Generic "restore";

    APPEND = String "append";
    INCRBY = String "incrby";
    INCRBYFLOAT = String "incrbyfloat";
    SET = String "set";
    SETBIT = String "setbit";
    SETRANGE = String "setrange";

    LINSERT = List "linsert";
    LPOP = List "lpop";
    LPUSH = List "lpush";
    LREM = List "lrem";
    LSET = List "lset";
    LTRIM = List "ltrim";
    RPOP = List "rpop";
    RPUSH = List "rpush";
    SORTSTORE = List "sortstore";

    SADD = Set "sadd";
    SDIFFSTORE = Set "sdiffstore";
    SINTERSTORE = Set "sinterstore";
    SPOP = Set "spop";
    SREM = Set "srem";
    SUNIONSTORE = Set "sunionstore";

    HDEL = Hash "hdel";
    HEXPIRE = Hash "hexpire";
    HEXPIRED = Hash "hexpired";
    HINCRBY = Hash "hincrby";
    HINCRBYFLOAT = Hash "hincrbyfloat";
    HPERSIST = Hash "hpersist";
    HSET = Hash "hset";

    ZADD = SortedSet "zadd";
    ZDIFFSTORE = SortedSet "zdiffstore";
    ZINCR = SortedSet "zincr";
    ZINTERSTORE = SortedSet "zinterstore";
    ZPOPMAX = SortedSet "zpopmax";
    ZPOPMIN = SortedSet "zpopmin";
    ZRANGESTORE = SortedSet "zrangestore";
    ZREM = SortedSet "zrem";
    ZREMRANGEBYLEX = SortedSet "zremrangebylex";
    ZREMRANGEBYRANK = SortedSet "zremrangebyrank";
    ZREMRANGEBYSCORE = SortedSet "zremrangebyscore";
    ZUNIONSTORE = SortedSet "zunionstore";

    EVICTED = Evicted "evicted";
    EXPIRED = Expired "expired";
    KEYMISS = Miss "keymiss";
    NEW = New "new";
}

impl Event {
    /// Its name, as subscribers see it.
    pub fn name(self) -> &'static str {
        self.name
    }
}

/// An event, and what it has happened to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyEvent {
    /// What has happened.
    pub event: Event,
    /// The number of the database, as it was then.
    pub database: usize,
    /// The key.
    pub key: Box<[u8]>,
}

impl KeyEvent {
    /// What it takes in the outbox, in bytes.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.key.len()
    }
}

/// Events that are still to be published.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// What the operator asks for.
    asked: KeyEvents,
    events: VecDeque<KeyEvent>,
    bytes: usize,
    /// Events that did not fit.
    pub(super) dropped: u64,
}

impl Outbox {
    /// Takes these classes from now on.
    pub(super) fn ask(&mut self, asked: KeyEvents) {
        self.asked = asked;
    }

    /// Whether an event is asked for.
    #[inline]
    pub(super) fn wants(&self, event: Event) -> bool {
        self.asked.has(event.class)
    }

    /// Takes an event, if it is asked for.
    #[inline]
    pub(super) fn note(&mut self, event: Event, database: usize, key: &[u8]) {
        if self.wants(event) {
            self.push(KeyEvent { event, database, key: key.into() });
        }
    }

    #[cold]
    fn push(&mut self, event: KeyEvent) {
        let bytes = self.bytes + event.bytes();
        if bytes > KEY_EVENTS_BYTES_MAX {
            self.dropped += 1;
            return;
        }
        self.bytes = bytes;
        self.events.push_back(event);
    }
}

/// Taking events out.
impl Shard {
    /// Whether there is something to publish.
    #[inline]
    pub fn has_events(&self) -> bool {
        !self.common.outbox.events.is_empty()
    }

    /// The oldest event that is to be published.
    pub fn first_event(&self) -> Option<&KeyEvent> {
        self.common.outbox.events.front()
    }

    /// Forgets the oldest event.
    pub fn pop_event(&mut self) {
        let outbox = &mut self.common.outbox;
        if let Some(event) = outbox.events.pop_front() {
            outbox.bytes -= event.bytes();
        }
        if outbox.events.is_empty() {
            outbox.events.shrink_to(KEY_EVENTS_KEPT);
        }
    }

    /// Takes all events that are to be published, the oldest first.
    pub fn take_events(&mut self) -> VecDeque<KeyEvent> {
        self.common.outbox.bytes = 0;
        std::mem::take(&mut self.common.outbox.events)
    }

    /// Adds events that keys of this shard have had elsewhere, as copies.
    pub fn add_events(&mut self, events: impl IntoIterator<Item = KeyEvent>) {
        events.into_iter().for_each(|event| self.common.outbox.push(event));
    }
}

//! Small sets of named bits: command flags, key access flags and ACL categories, in the order in which Redis names them.

/// Declares a set of named bits, its constants, and the names that replies show (`None` for those that stay hidden).
macro_rules! bit_set {
    ($(#[$doc:meta])* $set:ident: $word:ty { $($(#[$bit_doc:meta])* $bit:ident = $position:literal, $name:expr;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $set($word);

        impl $set {
            $($(#[$bit_doc])* pub const $bit: Self = Self(1 << $position);)+

            const NAMES: &'static [(Self, Option<&'static str>)] = &[$((Self::$bit, $name)),+];

            /// No bits.
            pub const NONE: Self = Self(0);

            /// The union of `sets`.
            pub const fn of(sets: &[Self]) -> Self {
                let (mut union, mut i) = (0, 0);
                while i < sets.len() {
                    union |= sets[i].0;
                    i += 1;
                }
                Self(union)
            }

            /// This set and `other` together.
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// Whether every bit of `other` is set.
            #[inline]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any bit of `other` is set.
            #[inline]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }

            /// The names of the bits that are set, as replies show them.
            pub fn names(self) -> impl Iterator<Item = &'static str> + Clone {
                Self::NAMES.iter().filter(move |(bit, _)| self.contains(*bit)).filter_map(|(_, name)| *name)
            }
        }
    };
}

bit_set! {
    /// What COMMAND INFO calls the flags of a command.
    Flags: u32 {
        /// May change the keyspace.
        WRITE = 0, Some("write");
        /// Reads keys and never changes them.
        READONLY = 1, Some("readonly");
        /// Refused when memory is used up.
        DENYOOM = 2, Some("denyoom");
        /// For administrators.
        ADMIN = 3, Some("admin");
        /// Publish and subscribe.
        PUBSUB = 4, Some("pubsub");
        /// Not from scripts.
        NOSCRIPT = 5, Some("noscript");
        /// May block the client.
        BLOCKING = 6, Some("blocking");
        /// Allowed while a data set is being loaded.
        LOADING = 7, Some("loading");
        /// Allowed on a replica whose data is stale.
        STALE = 8, Some("stale");
        /// Not shown to MONITOR.
        SKIP_MONITOR = 9, Some("skip_monitor");
        /// Not kept in the slow log.
        SKIP_SLOWLOG = 10, Some("skip_slowlog");
        /// Implies ASKING in a cluster.
        ASKING = 11, Some("asking");
        /// Constant or logarithmic time.
        FAST = 12, Some("fast");
        /// Allowed before AUTH.
        NO_AUTH = 13, Some("no_auth");
        /// Has key arguments that may all be absent.
        NO_MANDATORY_KEYS = 14, Some("no_mandatory_keys");
        /// Refused while a data set is loaded asynchronously.
        NO_ASYNC_LOADING = 15, Some("no_async_loading");
        /// Not inside MULTI.
        NO_MULTI = 16, Some("no_multi");
        /// Key positions do not follow from the first, last and step numbers alone.
        MOVABLEKEYS = 17, Some("movablekeys");
        /// Allowed while a script holds the server.
        ALLOW_BUSY = 18, Some("allow_busy");
        /// Needs `enable-debug-command` or its like. Redis does not show it.
        PROTECTED = 19, None;
        /// Touches keys that are not among its arguments. Redis does not show it.
        ARBITRARY_KEYS = 20, None;
        /// For the developers of the server: shown among the flags of its documentation alone.
        SYSTEM = 21, None;
        /// Replicas would see it as they see writes, and so it is held back with them. Redis does not show it.
        MAY_REPLICATE = 22, None;
    }
}

bit_set! {
    /// What a command does to the keys of one key specification.
    KeyFlags: u16 {
        /// Reads the value.
        RO = 0, Some("RO");
        /// Reads and changes the value.
        RW = 1, Some("RW");
        /// Overwrites the value without reading it.
        OW = 2, Some("OW");
        /// Removes the key.
        RM = 3, Some("RM");
        /// Returns or copies user data of the key.
        ACCESS = 4, Some("access");
        /// Changes user data of the key.
        UPDATE = 5, Some("update");
        /// Adds data and never changes or deletes what is there.
        INSERT = 6, Some("insert");
        /// Deletes data of the key.
        DELETE = 7, Some("delete");
        /// Routed as a key, but not one.
        NOT_KEY = 8, Some("not_key");
        /// The specification may miss keys.
        INCOMPLETE = 9, Some("incomplete");
        /// The arguments decide which of the flags hold.
        VARIABLE_FLAGS = 10, Some("variable_flags");
    }
}

bit_set! {
    /// ACL categories.
    Categories: u32 {
        /// Type-agnostic commands on keys.
        KEYSPACE = 0, Some("@keyspace");
        /// Reads keys.
        READ = 1, Some("@read");
        /// Changes keys.
        WRITE = 2, Some("@write");
        /// Sets.
        SET = 3, Some("@set");
        /// Sorted sets.
        SORTEDSET = 4, Some("@sortedset");
        /// Lists.
        LIST = 5, Some("@list");
        /// Hashes.
        HASH = 6, Some("@hash");
        /// Strings.
        STRING = 7, Some("@string");
        /// Bitmaps.
        BITMAP = 8, Some("@bitmap");
        /// HyperLogLogs.
        HYPERLOGLOG = 9, Some("@hyperloglog");
        /// Geospatial indexes.
        GEO = 10, Some("@geo");
        /// Streams.
        STREAM = 11, Some("@stream");
        /// Publish and subscribe.
        PUBSUB = 12, Some("@pubsub");
        /// For administrators.
        ADMIN = 13, Some("@admin");
        /// Constant or logarithmic time.
        FAST = 14, Some("@fast");
        /// Everything that is not fast.
        SLOW = 15, Some("@slow");
        /// May block the client.
        BLOCKING = 16, Some("@blocking");
        /// Needs care.
        DANGEROUS = 17, Some("@dangerous");
        /// Connections.
        CONNECTION = 18, Some("@connection");
        /// MULTI and its like.
        TRANSACTION = 19, Some("@transaction");
        /// Scripts.
        SCRIPTING = 20, Some("@scripting");
    }
}

impl Categories {
    /// The category called `name` (without the `@`), in any case.
    pub fn by_name(name: &[u8]) -> Option<Self> {
        let named = |text: &str| text.as_bytes()[1..].eq_ignore_ascii_case(name);
        Self::NAMES.iter().find(|(_, text)| text.is_some_and(named)).map(|(bit, _)| *bit)
    }

    /// The categories that follow from a command's flags, added to those that its row names.
    pub(super) const fn implied(self, flags: Flags) -> Self {
        let mut all = self;
        if flags.contains(Flags::WRITE) {
            all = all.with(Self::WRITE);
        }
        if flags.contains(Flags::READONLY) && !self.contains(Self::SCRIPTING) {
            all = all.with(Self::READ);
        }
        if flags.contains(Flags::ADMIN) {
            all = all.with(Self::ADMIN).with(Self::DANGEROUS);
        }
        if flags.contains(Flags::PUBSUB) {
            all = all.with(Self::PUBSUB);
        }
        if flags.contains(Flags::BLOCKING) {
            all = all.with(Self::BLOCKING);
        }
        all.with(if flags.contains(Flags::FAST) { Self::FAST } else { Self::SLOW })
    }
}

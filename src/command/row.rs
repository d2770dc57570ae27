//! One row of the table: the facts about a command.

use super::{Categories, CommandId, Flags, KeyFlags};
use crate::resp::Request;

/// Everything that is known about a command before it runs.
///
/// A subcommand is a row of its own (`client|kill`), held by its container; what it does not share with the container is
/// its own scope, arity, flags and keys, so callers look at the subcommand's row alone. What the path of a request reads
/// stands first and in one cache line; the rest is for COMMAND.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Command {
    /// Dense number of the command, for tables of handlers and counters.
    pub id: CommandId,
    /// Arguments including the name (and the subcommand's): exactly this many, or at least `-arity` if negative.
    pub arity: i16,
    /// Command flags.
    pub flags: Flags,
    /// What the command needs to be answered.
    pub scope: Scope,
    /// How it is run when its keys lie on several cores.
    pub spread: Spread,
    /// Whether it may run under a lease: constant time per key as long as no argument and no value exceeds
    /// `limits::LARGE_VALUE_BYTES`, which whoever holds the lease checks first. How long such a command takes is measured
    /// by sample.
    pub bounded: bool,
    /// Whether an argument may say how many elements it is about: then it takes as long as there are elements.
    pub counts: bool,
    /// Documentation group.
    pub group: Group,
    /// Where the keys are. Empty for commands without keys.
    pub keys: &'static [KeySpec],
    /// Rows of the subcommands, sorted by name; empty for a plain command.
    pub subcommands: &'static [Command],
    /// Lowercase name; subcommands carry their container's: `client|kill`.
    pub name: &'static str,
    /// Redis release that introduced it.
    pub since: &'static str,
    /// Cost in O notation; empty where Redis gives none.
    pub complexity: &'static str,
    /// One sentence on what it does.
    pub summary: &'static str,
    /// Its arguments in the notation of `command::syntax`, from which COMMAND DOCS draws the argument tree.
    pub syntax: &'static str,
    /// ACL categories beyond those that follow from the flags; see [`Command::categories`].
    pub named_categories: Categories,
    /// Hints for clients and proxies (`request_policy:...`).
    pub tips: &'static [&'static str],
    /// Set if new code should use something else.
    pub deprecated: Option<Deprecation>,
}

const _: () = assert!(std::mem::offset_of!(Command, since) == 64, "the hot part of a row is one cache line");

impl Command {
    /// What rows leave unsaid.
    pub(super) const BLANK: Self = Self {
        id: CommandId::Append,
        name: "",
        arity: 0,
        flags: Flags::NONE,
        keys: &[],
        scope: Scope::Shard,
        spread: Spread::One,
        bounded: false,
        counts: false,
        group: Group::Generic,
        since: "1.0.0",
        complexity: "O(1)",
        summary: "",
        syntax: "",
        named_categories: Categories::NONE,
        tips: &[],
        deprecated: None,
        subcommands: &[],
    };

    /// Whether `arguments` (including the name) are as many as the command takes.
    #[inline]
    pub const fn accepts(&self, arguments: usize) -> bool {
        let least = self.arity.unsigned_abs() as usize;
        arguments == least || self.arity < 0 && arguments > least
    }

    /// Whether `request` may run under a lease; see [`Command::bounded`].
    #[inline]
    pub fn is_bounded(&self, request: Request<'_>) -> bool {
        self.bounded && !(self.counts && self.has_count(request))
    }

    /// Whether a number of elements is among the arguments.
    fn has_count(&self, request: Request<'_>) -> bool {
        match self.id {
            // Behind the keys and the end at which they lie. A key of this name at this place costs its command a letter.
            CommandId::Lmpop | CommandId::Zmpop | CommandId::Blmpop | CommandId::Bzmpop => {
                let last_but_one = request.len().checked_sub(2).map(|index| request.get(index));
                last_but_one.is_some_and(|argument| argument.eq_ignore_ascii_case(b"count"))
            }
            _ => request.len() > 2,
        }
    }

    /// Whether the command only holds subcommands.
    #[inline]
    pub const fn is_container(&self) -> bool {
        !self.subcommands.is_empty()
    }

    /// How many arguments name the command: two for a subcommand.
    #[inline]
    pub fn name_arguments(&self) -> usize {
        usize::from(super::table::NAME_ARGUMENTS[self.id.index()])
    }

    /// The name without the container's: `kill` for `client|kill`.
    pub fn own_name(&self) -> &'static str {
        self.name.split_once('|').map_or(self.name, |(_, own)| own)
    }

    /// Whether the command may change the keyspace.
    #[inline]
    pub const fn is_write(&self) -> bool {
        self.flags.contains(Flags::WRITE)
    }

    /// ACL categories: those that the row names and those that follow from its flags.
    pub const fn categories(&self) -> Categories {
        self.named_categories.implied(self.flags)
    }
}

/// What a command needs to be answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The session alone: the state of the asking client and immutable facts.
    Session,
    /// This core: its clock, its configuration, its chance; no keys.
    Core,
    /// The shards that own its keys.
    Shard,
    /// Every core: it speaks for the whole node.
    Node,
}

/// How a command whose keys lie on several cores is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spread {
    /// Its keys must be assembled on one core; values travel.
    One,
    /// Each core answers for its keys; replies are put back in argument order (MGET).
    PerKey,
    /// Each core answers an integer; they are added (DEL, UNLINK, EXISTS, TOUCH).
    Sum,
    /// Every part answers OK (MSET).
    All,
    /// As [`Spread::One`], but keys that no specification names may follow from the values of its keys (SORT).
    Derived,
}

/// Documentation group of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// Bits of strings.
    Bitmap,
    /// Cluster.
    Cluster,
    /// Connections.
    Connection,
    /// Keys of any type.
    Generic,
    /// Hashes.
    Hash,
    /// Lists.
    List,
    /// Publish and subscribe.
    Pubsub,
    /// The server.
    Server,
    /// Sets.
    Set,
    /// Sorted sets.
    SortedSet,
    /// Strings.
    String,
    /// MULTI and its like.
    Transactions,
}

impl Group {
    /// The name in COMMAND DOCS.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bitmap => "bitmap",
            Self::Cluster => "cluster",
            Self::Connection => "connection",
            Self::Generic => "generic",
            Self::Hash => "hash",
            Self::List => "list",
            Self::Pubsub => "pubsub",
            Self::Server => "server",
            Self::Set => "set",
            Self::SortedSet => "sorted-set",
            Self::String => "string",
            Self::Transactions => "transactions",
        }
    }
}

/// Since when, and by what, a command is superseded.
#[derive(Clone, Copy, Debug)]
pub struct Deprecation {
    /// Redis release that deprecated it.
    pub since: &'static str,
    /// What to use instead.
    pub replaced_by: &'static str,
}

/// Where some of a command's keys are, and what happens to them.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// How the search begins.
    pub begin: Begin,
    /// How the keys follow from there.
    pub find: Find,
    /// What the command does to them.
    pub flags: KeyFlags,
    /// Remark for readers of COMMAND INFO; usually empty.
    pub notes: &'static str,
}

/// How the search for keys begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begin {
    /// At this argument.
    Index(u8),
    /// Behind a keyword, searched from an argument onwards (or, if negative, from the end backwards).
    Keyword {
        /// The keyword, in capitals.
        word: &'static str,
        /// Argument to start from; `-1` is the last one.
        start_from: i8,
    },
    /// Behind the last STORE of SORT, which may stand anywhere among its options.
    Store,
    /// Nowhere: the keys follow from values.
    Values,
}

/// How the keys follow from where the search began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Find {
    /// A range of arguments.
    Range {
        /// Last key relative to the first; `-1` the last argument, `-2` the one before it.
        last: i8,
        /// Distance between keys.
        step: u8,
        /// If not 0 (and `last` is -1), keys end after the remaining arguments divided by this.
        limit: u8,
    },
    /// An argument holds the number of keys.
    Count {
        /// Where the number is, relative to the beginning.
        count_at: u8,
        /// Where the first key is, relative to the beginning.
        first: u8,
        /// Distance between keys.
        step: u8,
    },
    /// It is the one where the search began.
    Found,
}

impl KeySpec {
    /// One key at argument `index`.
    pub(super) const fn at(index: u8, flags: KeyFlags) -> Self {
        Self::range(index, 0, 1, flags)
    }

    /// Keys from argument `index` to the end, every `step` arguments.
    pub(super) const fn from(index: u8, step: u8, flags: KeyFlags) -> Self {
        Self::range(index, -1, step, flags)
    }

    /// Keys from argument `index` to `last`, every `step` arguments.
    pub(super) const fn range(index: u8, last: i8, step: u8, flags: KeyFlags) -> Self {
        let find = Find::Range { last, step, limit: 0 };
        Self { begin: Begin::Index(index), find, flags, notes: "" }
    }

    /// As many keys as argument `index` says, behind it.
    pub(super) const fn counted(index: u8, flags: KeyFlags) -> Self {
        let find = Find::Count { count_at: 0, first: 1, step: 1 };
        Self { begin: Begin::Index(index), find, flags, notes: "" }
    }

    /// Keys that clients cannot find by a rule.
    pub(super) const fn unknown(begin: Begin, flags: KeyFlags) -> Self {
        Self { begin, find: Find::Found, flags, notes: "" }
    }

    /// The same with a remark.
    pub(super) const fn noting(self, notes: &'static str) -> Self {
        Self { notes, ..self }
    }
}

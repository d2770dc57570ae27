//! Transactions: commands queued and run together.

use super::{access, categories, flags};
use crate::command::{Categories, Command, CommandId, Flags, Group, KeyFlags, KeySpec, Scope};

/// What the rows of this group have in common.
const TRANSACTIONS: Command = Command {
    group: Group::Transactions,
    scope: Scope::Session,
    named_categories: categories![TRANSACTION],
    ..Command::BLANK
};

pub(super) static ROWS: [Command; 5] = [
    Command {
        id: CommandId::Discard,
        name: "discard",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY],
        since: "2.0.0",
        complexity: "O(N) with N the number of queued commands",
        summary: "Forgets the queued commands and ends the transaction.",
        ..TRANSACTIONS
    },
    Command {
        id: CommandId::Exec,
        name: "exec",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, SKIP_SLOWLOG],
        scope: Scope::Node,
        since: "1.2.0",
        complexity: "Depends on the queued commands",
        summary: "Runs the queued commands as one, unless a watched key has changed.",
        ..TRANSACTIONS
    },
    Command {
        id: CommandId::Multi,
        name: "multi",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY],
        since: "1.2.0",
        summary: "Begins a transaction: the commands that follow are queued.",
        ..TRANSACTIONS
    },
    Command {
        id: CommandId::Unwatch,
        name: "unwatch",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY],
        since: "2.2.0",
        summary: "Forgets all watched keys.",
        ..TRANSACTIONS
    },
    Command {
        id: CommandId::Watch,
        name: "watch",
        arity: -2,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, ALLOW_BUSY],
        keys: &[KeySpec::from(1, 1, access![RO])],
        scope: Scope::Node,
        since: "2.2.0",
        complexity: "O(1) per key",
        summary: "Has the next EXEC fail if one of these keys changes until then.",
        syntax: "key...",
        ..TRANSACTIONS
    },
];

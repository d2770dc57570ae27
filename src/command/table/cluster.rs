//! Slots, and which keys belong to them.

use super::flags;
use crate::command::{Command, CommandId, Flags, Group, Scope};

/// What the rows of this group have in common.
const CLUSTER: Command = Command { group: Group::Cluster, scope: Scope::Node, ..Command::BLANK };

pub(super) static ROWS: [Command; 1] = [Command {
    id: CommandId::Cluster,
    name: "cluster",
    arity: -2,
    scope: Scope::Session,
    since: "3.0.0",
    complexity: "Depends on the subcommand",
    summary: "Answers questions about slots.",
    subcommands: &SUBCOMMANDS,
    ..CLUSTER
}];

static SUBCOMMANDS: [Command; 4] = [
    Command {
        id: CommandId::ClusterCountkeysinslot,
        name: "cluster|countkeysinslot",
        arity: 3,
        flags: flags![STALE],
        since: "3.0.0",
        complexity: "O(N) with N the number of keys in the slot, divided by about fifty",
        summary: "Counts the keys of a slot.",
        syntax: "slot:integer",
        ..CLUSTER
    },
    Command {
        id: CommandId::ClusterGetkeysinslot,
        name: "cluster|getkeysinslot",
        arity: 4,
        flags: flags![STALE],
        since: "3.0.0",
        complexity: "O(N) with N the number of keys asked for",
        summary: "Lists keys of a slot, at most 4096 of them.",
        syntax: "slot:integer count:integer",
        tips: &["nondeterministic_output"],
        ..CLUSTER
    },
    Command {
        id: CommandId::ClusterHelp,
        name: "cluster|help",
        arity: 2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "5.0.0",
        summary: "Lists the subcommands.",
        ..CLUSTER
    },
    Command {
        id: CommandId::ClusterKeyslot,
        name: "cluster|keyslot",
        arity: 3,
        flags: flags![STALE],
        scope: Scope::Session,
        since: "3.0.0",
        complexity: "O(N) with N the number of bytes in the key",
        summary: "Answers the slot that a key belongs to.",
        syntax: "key:string",
        ..CLUSTER
    },
];

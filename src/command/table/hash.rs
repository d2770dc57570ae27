//! Hashes.

use super::{access, categories, flags};
use crate::command::{Categories, Command, CommandId, Deprecation, Flags, Group, KeyFlags, KeySpec};

/// What the rows of this group have in common.
const HASH: Command = Command { group: Group::Hash, named_categories: categories![HASH], ..Command::BLANK };

pub(super) static ROWS: [Command; 6] = [
    Command {
        id: CommandId::Hdel,
        name: "hdel",
        arity: -3,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, DELETE])],
        bounded: true,
        since: "2.0.0",
        summary: "Deletes fields of a hash, and the hash with its last field.",
        syntax: "key field...",
        ..HASH
    },
    Command {
        id: CommandId::Hget,
        name: "hget",
        arity: 3,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "2.0.0",
        summary: "Answers the value of a field of a hash.",
        syntax: "key field",
        ..HASH
    },
    Command {
        id: CommandId::Hgetall,
        name: "hgetall",
        arity: 2,
        flags: flags![READONLY],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        since: "2.0.0",
        summary: "Answers all fields of a hash with their values.",
        syntax: "key",
        ..HASH
    },
    Command {
        id: CommandId::Hlen,
        name: "hlen",
        arity: 2,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO])],
        bounded: true,
        since: "2.0.0",
        summary: "Answers how many fields a hash has.",
        syntax: "key",
        ..HASH
    },
    Command {
        id: CommandId::Hmset,
        name: "hmset",
        arity: -4,
        flags: flags![WRITE, DENYOOM, FAST],
        keys: &[KeySpec::at(1, access![RW, UPDATE])],
        bounded: true,
        since: "2.0.0",
        deprecated: Some(Deprecation { since: "4.0.0", replaced_by: "`HSET` with multiple field-value pairs" }),
        summary: "Sets the values of fields of a hash.",
        syntax: "key data=<field value>...",
        ..HASH
    },
    Command {
        id: CommandId::Hset,
        name: "hset",
        arity: -4,
        flags: flags![WRITE, DENYOOM, FAST],
        keys: &[KeySpec::at(1, access![RW, UPDATE])],
        bounded: true,
        since: "2.0.0",
        summary: "Sets the values of fields of a hash, and answers how many fields are new.",
        syntax: "key data=<field value>...",
        ..HASH
    },
];

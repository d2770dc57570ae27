//! Sets of strings.

use super::{access, categories, flags};
use crate::command::{Categories, Command, CommandId, Flags, Group, KeyFlags, KeySpec};

/// What the rows of this group have in common.
const SET: Command = Command { group: Group::Set, named_categories: categories![SET], ..Command::BLANK };

pub(super) static ROWS: [Command; 17] = [
    Command {
        id: CommandId::Sadd,
        name: "sadd",
        arity: -3,
        flags: flags![WRITE, DENYOOM, FAST],
        keys: &[KeySpec::at(1, access![RW, INSERT])],
        bounded: true,
        since: "1.0.0",
        complexity: "O(1) for each member",
        summary: "Adds members to a set, and answers how many are new.",
        syntax: "key member...",
        ..SET
    },
    Command {
        id: CommandId::Scard,
        name: "scard",
        arity: 2,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO])],
        bounded: true,
        since: "1.0.0",
        summary: "Answers how many members a set has.",
        syntax: "key",
        ..SET
    },
    Command {
        id: CommandId::Sdiff,
        name: "sdiff",
        arity: -2,
        flags: flags![READONLY],
        keys: &[KeySpec::from(1, 1, access![RO, ACCESS])],
        since: "1.0.0",
        complexity: "O(N) with N the members of all sets",
        summary: "Answers the members of the first set that are in none of the others.",
        syntax: "key...",
        tips: &["nondeterministic_output_order"],
        ..SET
    },
    Command {
        id: CommandId::Sdiffstore,
        name: "sdiffstore",
        arity: -3,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![OW, UPDATE]), KeySpec::from(2, 1, access![RO, ACCESS])],
        since: "1.0.0",
        complexity: "O(N) with N the members of all sets",
        summary: "Stores the members of the first set that are in none of the others, and answers how many there are.",
        syntax: "destination:key key...",
        ..SET
    },
    Command {
        id: CommandId::Sinter,
        name: "sinter",
        arity: -2,
        flags: flags![READONLY],
        keys: &[KeySpec::from(1, 1, access![RO, ACCESS])],
        since: "1.0.0",
        complexity: "O(N*M) with N the members of the smallest set and M the sets",
        summary: "Answers the members that all sets have in common.",
        syntax: "key...",
        tips: &["nondeterministic_output_order"],
        ..SET
    },
    Command {
        id: CommandId::Sintercard,
        name: "sintercard",
        arity: -3,
        flags: flags![READONLY, MOVABLEKEYS],
        keys: &[KeySpec::counted(1, access![RO, ACCESS])],
        since: "7.0.0",
        complexity: "O(N*M) with N the members of the smallest set and M the sets",
        summary: "Answers how many members all sets have in common.",
        syntax: "numkeys:integer key... [LIMIT limit:integer]",
        ..SET
    },
    Command {
        id: CommandId::Sinterstore,
        name: "sinterstore",
        arity: -3,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![RW, UPDATE]), KeySpec::from(2, 1, access![RO, ACCESS])],
        since: "1.0.0",
        complexity: "O(N*M) with N the members of the smallest set and M the sets",
        summary: "Stores the members that all sets have in common, and answers how many there are.",
        syntax: "destination:key key...",
        ..SET
    },
    Command {
        id: CommandId::Sismember,
        name: "sismember",
        arity: 3,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO])],
        bounded: true,
        since: "1.0.0",
        summary: "Answers whether a set has a member.",
        syntax: "key member",
        ..SET
    },
    Command {
        id: CommandId::Smembers,
        name: "smembers",
        arity: 2,
        flags: flags![READONLY],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        since: "1.0.0",
        complexity: "O(N) with N the members",
        summary: "Answers all members of a set.",
        syntax: "key",
        tips: &["nondeterministic_output_order"],
        ..SET
    },
    Command {
        id: CommandId::Smismember,
        name: "smismember",
        arity: -3,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "6.2.0",
        complexity: "O(1) for each member",
        summary: "Answers which of some members a set has.",
        syntax: "key member...",
        ..SET
    },
    Command {
        id: CommandId::Smove,
        name: "smove",
        arity: 4,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, ACCESS, DELETE]), KeySpec::at(2, access![RW, INSERT])],
        bounded: true,
        since: "1.0.0",
        summary: "Moves a member from one set to another.",
        syntax: "source:key destination:key member",
        ..SET
    },
    Command {
        id: CommandId::Spop,
        name: "spop",
        arity: -2,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, ACCESS, DELETE])],
        since: "1.0.0",
        complexity: "O(1) for each member",
        summary: "Removes members of a set by chance and answers them.",
        syntax: "key [count:integer]",
        tips: &["nondeterministic_output"],
        ..SET
    },
    Command {
        id: CommandId::Srandmember,
        name: "srandmember",
        arity: -2,
        flags: flags![READONLY],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        since: "1.0.0",
        complexity: "O(1) for each member",
        summary: "Answers members of a set by chance.",
        syntax: "key [count:integer]",
        tips: &["nondeterministic_output"],
        ..SET
    },
    Command {
        id: CommandId::Srem,
        name: "srem",
        arity: -3,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, DELETE])],
        bounded: true,
        since: "1.0.0",
        complexity: "O(1) for each member",
        summary: "Removes members from a set, and the set with its last member.",
        syntax: "key member...",
        ..SET
    },
    Command {
        id: CommandId::Sscan,
        name: "sscan",
        arity: -3,
        flags: flags![READONLY],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        since: "2.8.0",
        complexity: "O(1) for each call, O(N) for all of them together",
        summary: "Walks over the members of a set in steps.",
        syntax: "key cursor:integer [MATCH pattern] [COUNT count:integer]",
        tips: &["nondeterministic_output"],
        ..SET
    },
    Command {
        id: CommandId::Sunion,
        name: "sunion",
        arity: -2,
        flags: flags![READONLY],
        keys: &[KeySpec::from(1, 1, access![RO, ACCESS])],
        since: "1.0.0",
        complexity: "O(N) with N the members of all sets",
        summary: "Answers the members that any of the sets has.",
        syntax: "key...",
        tips: &["nondeterministic_output_order"],
        ..SET
    },
    Command {
        id: CommandId::Sunionstore,
        name: "sunionstore",
        arity: -3,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![OW, UPDATE]), KeySpec::from(2, 1, access![RO, ACCESS])],
        since: "1.0.0",
        complexity: "O(N) with N the members of all sets",
        summary: "Stores the members that any of the sets has, and answers how many there are.",
        syntax: "destination:key key...",
        ..SET
    },
];

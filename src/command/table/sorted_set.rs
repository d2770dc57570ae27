//! Sorted sets.

use super::{access, categories, flags};
use crate::command::{Categories, Command, CommandId, Flags, Group, KeyFlags, KeySpec};

/// What the rows of this group have in common.
const SORTED_SET: Command =
    Command { group: Group::SortedSet, named_categories: categories![SORTEDSET], ..Command::BLANK };

pub(super) static ROWS: [Command; 1] = [Command {
    id: CommandId::Zcard,
    name: "zcard",
    arity: 2,
    flags: flags![READONLY, FAST],
    keys: &[KeySpec::at(1, access![RO])],
    bounded: true,
    since: "1.2.0",
    summary: "Answers how many members a sorted set has.",
    syntax: "key",
    ..SORTED_SET
}];

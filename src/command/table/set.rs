//! Sets.

use super::{access, categories, flags};
use crate::command::{Categories, Command, CommandId, Flags, Group, KeyFlags, KeySpec};

/// What the rows of this group have in common.
const SET: Command = Command { group: Group::Set, named_categories: categories![SET], ..Command::BLANK };

pub(super) static ROWS: [Command; 1] = [Command {
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
}];

//! Lists.

use super::{access, categories, flags};
use crate::command::{Categories, Command, CommandId, Flags, Group, KeyFlags, KeySpec};

/// What the rows of this group have in common.
const LIST: Command = Command { group: Group::List, named_categories: categories![LIST], ..Command::BLANK };

pub(super) static ROWS: [Command; 1] = [Command {
    id: CommandId::Llen,
    name: "llen",
    arity: 2,
    flags: flags![READONLY, FAST],
    keys: &[KeySpec::at(1, access![RO])],
    bounded: true,
    since: "1.0.0",
    summary: "Answers how many elements a list has.",
    syntax: "key",
    ..LIST
}];

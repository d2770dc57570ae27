//! The rows, a file per group, and the two orders in which they are read: all of them by id, and the top-level ones.

mod bitmap;
mod cluster;
mod connection;
mod generic;
mod hash;
mod list;
mod pubsub;
mod server;
mod set;
mod sorted_set;
mod string;
mod transactions;

#[cfg(test)]
mod tests;

use super::{Command, CommandId};

/// The groups in the order of [`CommandId`].
const GROUPS: [&[Command]; 12] = [
    &string::ROWS,
    &bitmap::ROWS,
    &generic::ROWS,
    &hash::ROWS,
    &list::ROWS,
    &set::ROWS,
    &sorted_set::ROWS,
    &connection::ROWS,
    &server::ROWS,
    &cluster::ROWS,
    &pubsub::ROWS,
    &transactions::ROWS,
];

/// Commands without their subcommands.
const COMMANDS: usize = {
    let (mut count, mut group) = (0, 0);
    while group < GROUPS.len() {
        count += GROUPS[group].len();
        group += 1;
    }
    count
};

/// Every command, without subcommands, in the order of the table.
pub static TABLE: [&Command; COMMANDS] = {
    let mut rows = [&GROUPS[0][0]; COMMANDS];
    let (mut at, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut i = 0;
        while i < GROUPS[group].len() {
            rows[at] = &GROUPS[group][i];
            at += 1;
            i += 1;
        }
        group += 1;
    }
    rows
};

/// Every command and subcommand, indexed by its id.
pub static BY_ID: [&Command; CommandId::COUNT] = {
    let mut rows = [TABLE[0]; CommandId::COUNT];
    let (mut at, mut i) = (0, 0);
    while i < TABLE.len() {
        rows[at] = TABLE[i];
        assert!(rows[at].id as usize == at, "rows must stand in the order of CommandId");
        at += 1;
        let subcommands = TABLE[i].subcommands;
        let mut sub = 0;
        while sub < subcommands.len() {
            rows[at] = &subcommands[sub];
            assert!(rows[at].id as usize == at, "subcommands must follow their container in CommandId");
            at += 1;
            sub += 1;
        }
        i += 1;
    }
    assert!(at == CommandId::COUNT, "every CommandId needs a row");
    rows
};

/// How many arguments name each command: 1, or 2 for a subcommand.
pub(super) static NAME_ARGUMENTS: [u8; CommandId::COUNT] = {
    let mut counts = [1; CommandId::COUNT];
    let mut i = 0;
    while i < TABLE.len() {
        let mut sub = 0;
        while sub < TABLE[i].subcommands.len() {
            counts[TABLE[i].subcommands[sub].id as usize] = 2;
            sub += 1;
        }
        i += 1;
    }
    counts
};

/// Every command, without subcommands, in the order of the table.
pub fn commands() -> impl ExactSizeIterator<Item = &'static Command> {
    TABLE.iter().copied()
}

/// The union of the named command flags.
macro_rules! flags {
    ($($flag:ident),+) => { Flags::of(&[$(Flags::$flag),+]) };
}

/// The union of the named key flags.
macro_rules! access {
    ($($flag:ident),+) => { KeyFlags::of(&[$(KeyFlags::$flag),+]) };
}

/// The union of the named ACL categories.
macro_rules! categories {
    ($($category:ident),+) => { Categories::of(&[$(Categories::$category),+]) };
}

use {access, categories, flags};

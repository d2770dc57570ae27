//! Strings taken as arrays of bits.

use super::{access, categories, flags};
use crate::command::{Categories, Command, CommandId, Flags, Group, KeyFlags, KeySpec};

/// What the rows of this group have in common.
const BITMAP: Command = Command { group: Group::Bitmap, named_categories: categories![BITMAP], ..Command::BLANK };

pub(super) static ROWS: [Command; 7] = [
    Command {
        id: CommandId::Bitcount,
        name: "bitcount",
        arity: -2,
        flags: flags![READONLY],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "2.6.0",
        complexity: "O(N)",
        summary: "Counts the bits that are set in a string or in a part of it.",
        syntax: "key [range=<start:integer end:integer [unit=(BYTE|BIT)]>]",
        ..BITMAP
    },
    Command {
        id: CommandId::Bitfield,
        name: "bitfield",
        arity: -2,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![RW, ACCESS, UPDATE, VARIABLE_FLAGS])
            .noting("reads or changes the key, as its operations say")],
        since: "3.2.0",
        complexity: "O(1) for each operation",
        summary: "Reads, writes and increments integers of any width inside a string.",
        syntax: "key [operation=(GET get-block=<encoding offset:integer>|write=<[OVERFLOW overflow-block=(WRAP|SAT|FAIL)] write-operation=(SET set-block=<encoding offset:integer value:integer>|INCRBY incrby-block=<encoding offset:integer increment:integer>)>)...]",
        ..BITMAP
    },
    Command {
        id: CommandId::BitfieldRo,
        name: "bitfield_ro",
        arity: -2,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "6.0.0",
        complexity: "O(1) for each operation",
        summary: "Reads integers of any width inside a string.",
        syntax: "key [GET get-block=<encoding offset:integer>...+]",
        ..BITMAP
    },
    Command {
        id: CommandId::Bitop,
        name: "bitop",
        arity: -4,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(2, access![OW, UPDATE]), KeySpec::from(3, 1, access![RO, ACCESS])],
        since: "2.6.0",
        complexity: "O(N)",
        summary: "Combines strings bit by bit and stores the result.",
        syntax: "operation=(AND|OR|XOR|NOT) destkey:key key...",
        ..BITMAP
    },
    Command {
        id: CommandId::Bitpos,
        name: "bitpos",
        arity: -3,
        flags: flags![READONLY],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "2.8.7",
        complexity: "O(N)",
        summary: "Finds the first bit of a string that is set, or the first that is clear.",
        syntax: "key bit:integer [range=<start:integer [end-unit-block=<end:integer [unit=(BYTE|BIT)]>]>]",
        ..BITMAP
    },
    Command {
        id: CommandId::Getbit,
        name: "getbit",
        arity: 3,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "2.2.0",
        summary: "Answers one bit of a string.",
        syntax: "key offset:integer",
        ..BITMAP
    },
    Command {
        id: CommandId::Setbit,
        name: "setbit",
        arity: 4,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![RW, ACCESS, UPDATE])],
        since: "2.2.0",
        summary: "Sets or clears one bit of a string, growing the string as needed.",
        syntax: "key offset:integer value:integer",
        ..BITMAP
    },
];

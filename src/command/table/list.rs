//! Lists of strings.

use super::{access, categories, flags};
use crate::command::{Categories, Command, CommandId, Deprecation, Flags, Group, KeyFlags, KeySpec};

/// What the rows of this group have in common.
const LIST: Command = Command { group: Group::List, named_categories: categories![LIST], ..Command::BLANK };

pub(super) static ROWS: [Command; 22] = [
    Command {
        id: CommandId::Blmove,
        name: "blmove",
        arity: 6,
        flags: flags![WRITE, DENYOOM, NOSCRIPT, BLOCKING],
        keys: &[KeySpec::at(1, access![RW, ACCESS, DELETE]), KeySpec::at(2, access![RW, INSERT])],
        bounded: true,
        since: "6.2.0",
        summary: "Moves an element from an end of one list to an end of another, and answers it; waits if there is none.",
        syntax: "source:key destination:key wherefrom=(LEFT|RIGHT) whereto=(LEFT|RIGHT) timeout:double",
        ..LIST
    },
    Command {
        id: CommandId::Blmpop,
        name: "blmpop",
        arity: -5,
        flags: flags![WRITE, BLOCKING, MOVABLEKEYS],
        keys: &[KeySpec::counted(2, access![RW, ACCESS, DELETE])],
        since: "7.0.0",
        complexity: "O(N+M)",
        summary: "Removes elements from an end of the first of several lists that has any; waits if none has.",
        syntax: "timeout:double numkeys:integer key... where=(LEFT|RIGHT) [COUNT count:integer]",
        ..LIST
    },
    Command {
        id: CommandId::Blpop,
        name: "blpop",
        arity: -3,
        flags: flags![WRITE, NOSCRIPT, BLOCKING],
        keys: &[KeySpec::range(1, -2, 1, access![RW, ACCESS, DELETE])],
        bounded: true,
        since: "2.0.0",
        complexity: "O(N)",
        summary: "Removes the first element of the first of several lists that has any; waits if none has.",
        syntax: "key... timeout:double",
        ..LIST
    },
    Command {
        id: CommandId::Brpop,
        name: "brpop",
        arity: -3,
        flags: flags![WRITE, NOSCRIPT, BLOCKING],
        keys: &[KeySpec::range(1, -2, 1, access![RW, ACCESS, DELETE])],
        bounded: true,
        since: "2.0.0",
        complexity: "O(N)",
        summary: "Removes the last element of the first of several lists that has any; waits if none has.",
        syntax: "key... timeout:double",
        ..LIST
    },
    Command {
        id: CommandId::Brpoplpush,
        name: "brpoplpush",
        arity: 4,
        flags: flags![WRITE, DENYOOM, NOSCRIPT, BLOCKING],
        keys: &[KeySpec::at(1, access![RW, ACCESS, DELETE]), KeySpec::at(2, access![RW, INSERT])],
        bounded: true,
        since: "2.2.0",
        deprecated: Some(Deprecation { since: "6.2.0", replaced_by: "`BLMOVE` with the `RIGHT` and `LEFT` arguments" }),
        summary: "Moves the last element of a list to the front of another, and answers it; waits if there is none.",
        syntax: "source:key destination:key timeout:double",
        ..LIST
    },
    Command {
        id: CommandId::Lindex,
        name: "lindex",
        arity: 3,
        flags: flags![READONLY],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "1.0.0",
        summary: "Answers the element of a list at an index.",
        syntax: "key index:integer",
        ..LIST
    },
    Command {
        id: CommandId::Linsert,
        name: "linsert",
        arity: 5,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![RW, INSERT])],
        since: "2.2.0",
        summary: "Inserts an element into a list, before or behind another one.",
        syntax: "key where=(BEFORE|AFTER) pivot element",
        ..LIST
    },
    Command {
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
    },
    Command {
        id: CommandId::Lmove,
        name: "lmove",
        arity: 5,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![RW, ACCESS, DELETE]), KeySpec::at(2, access![RW, INSERT])],
        bounded: true,
        since: "6.2.0",
        summary: "Moves an element from an end of one list to an end of another, and answers it.",
        syntax: "source:key destination:key wherefrom=(LEFT|RIGHT) whereto=(LEFT|RIGHT)",
        ..LIST
    },
    Command {
        id: CommandId::Lmpop,
        name: "lmpop",
        arity: -4,
        flags: flags![WRITE, MOVABLEKEYS],
        keys: &[KeySpec::counted(1, access![RW, ACCESS, DELETE])],
        since: "7.0.0",
        summary: "Removes elements from an end of the first of several lists that has any, and answers them.",
        syntax: "numkeys:integer key... where=(LEFT|RIGHT) [COUNT count:integer]",
        ..LIST
    },
    Command {
        id: CommandId::Lpop,
        name: "lpop",
        arity: -2,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, ACCESS, DELETE])],
        bounded: true,
        since: "1.0.0",
        summary: "Removes elements from the front of a list, and answers them.",
        syntax: "key [count:integer]",
        ..LIST
    },
    Command {
        id: CommandId::Lpos,
        name: "lpos",
        arity: -3,
        flags: flags![READONLY],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        since: "6.0.6",
        summary: "Answers the index of elements of a list that are equal to a value.",
        syntax: "key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]",
        ..LIST
    },
    Command {
        id: CommandId::Lpush,
        name: "lpush",
        arity: -3,
        flags: flags![WRITE, DENYOOM, FAST],
        keys: &[KeySpec::at(1, access![RW, INSERT])],
        bounded: true,
        since: "1.0.0",
        summary: "Puts elements in front of a list, which is created if it is not there.",
        syntax: "key element...",
        ..LIST
    },
    Command {
        id: CommandId::Lpushx,
        name: "lpushx",
        arity: -3,
        flags: flags![WRITE, DENYOOM, FAST],
        keys: &[KeySpec::at(1, access![RW, INSERT])],
        bounded: true,
        since: "2.2.0",
        summary: "Puts elements in front of a list if it is there.",
        syntax: "key element...",
        ..LIST
    },
    Command {
        id: CommandId::Lrange,
        name: "lrange",
        arity: 4,
        flags: flags![READONLY],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        since: "1.0.0",
        summary: "Answers a range of elements of a list.",
        syntax: "key start:integer stop:integer",
        ..LIST
    },
    Command {
        id: CommandId::Lrem,
        name: "lrem",
        arity: 4,
        flags: flags![WRITE],
        keys: &[KeySpec::at(1, access![RW, DELETE])],
        since: "1.0.0",
        summary: "Removes elements from a list that are equal to a value.",
        syntax: "key count:integer element",
        ..LIST
    },
    Command {
        id: CommandId::Lset,
        name: "lset",
        arity: 4,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![RW, UPDATE])],
        bounded: true,
        since: "1.0.0",
        summary: "Sets the element of a list at an index.",
        syntax: "key index:integer element",
        ..LIST
    },
    Command {
        id: CommandId::Ltrim,
        name: "ltrim",
        arity: 4,
        flags: flags![WRITE],
        keys: &[KeySpec::at(1, access![RW, DELETE])],
        bounded: true,
        since: "1.0.0",
        summary: "Removes the elements of a list that are not in a range.",
        syntax: "key start:integer stop:integer",
        ..LIST
    },
    Command {
        id: CommandId::Rpop,
        name: "rpop",
        arity: -2,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, ACCESS, DELETE])],
        bounded: true,
        since: "1.0.0",
        summary: "Removes elements from the back of a list, and answers them.",
        syntax: "key [count:integer]",
        ..LIST
    },
    Command {
        id: CommandId::Rpoplpush,
        name: "rpoplpush",
        arity: 3,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![RW, ACCESS, DELETE]), KeySpec::at(2, access![RW, INSERT])],
        bounded: true,
        since: "1.2.0",
        deprecated: Some(Deprecation { since: "6.2.0", replaced_by: "`LMOVE` with the `RIGHT` and `LEFT` arguments" }),
        summary: "Moves the last element of a list to the front of another, and answers it.",
        syntax: "source:key destination:key",
        ..LIST
    },
    Command {
        id: CommandId::Rpush,
        name: "rpush",
        arity: -3,
        flags: flags![WRITE, DENYOOM, FAST],
        keys: &[KeySpec::at(1, access![RW, INSERT])],
        bounded: true,
        since: "1.0.0",
        summary: "Puts elements at the back of a list, which is created if it is not there.",
        syntax: "key element...",
        ..LIST
    },
    Command {
        id: CommandId::Rpushx,
        name: "rpushx",
        arity: -3,
        flags: flags![WRITE, DENYOOM, FAST],
        keys: &[KeySpec::at(1, access![RW, INSERT])],
        bounded: true,
        since: "2.2.0",
        summary: "Puts elements at the back of a list if it is there.",
        syntax: "key element...",
        ..LIST
    },
];

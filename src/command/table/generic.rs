//! Keys of any type.

use super::{access, categories, flags};
use crate::command::{Begin, Categories, Command, CommandId, Flags, Group, KeyFlags, KeySpec, Scope, Spread};

/// What the rows of this group have in common.
const GENERIC: Command = Command { group: Group::Generic, named_categories: categories![KEYSPACE], ..Command::BLANK };

/// The types that SORT takes.
const SORTED_TYPES: Categories = categories![SET, SORTEDSET, LIST, DANGEROUS];
/// On the keys that the patterns of SORT name.
const BY_AND_GET: &str = "The keys that BY and GET name. They follow from the elements of the key that is sorted.";

pub(super) static ROWS: [Command; 27] = [
    Command {
        id: CommandId::Copy,
        name: "copy",
        arity: -3,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![RO, ACCESS]), KeySpec::at(2, access![OW, UPDATE])],
        since: "6.2.0",
        complexity: "O(1) for strings, O(N) for collections with N the number of nested items",
        summary: "Copies the value and deadline of a key to another key.",
        syntax: "source:key destination:key [DB destination-db:integer] [REPLACE]",
        ..GENERIC
    },
    Command {
        id: CommandId::Del,
        name: "del",
        arity: -2,
        flags: flags![WRITE],
        keys: &[KeySpec::from(1, 1, access![RM, DELETE])],
        spread: Spread::Sum,
        bounded: true,
        since: "1.0.0",
        complexity: "O(N) with N the number of keys, and O(M) for each collection of M elements",
        summary: "Removes keys.",
        syntax: "key...",
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..GENERIC
    },
    Command {
        id: CommandId::Dump,
        name: "dump",
        arity: 2,
        flags: flags![READONLY],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        since: "2.6.0",
        complexity: "O(1) to find the key and O(N*M) to serialize N parts of mean size M",
        summary: "Answers the value of a key in serialized form.",
        syntax: "key",
        tips: &["nondeterministic_output"],
        ..GENERIC
    },
    Command {
        id: CommandId::Exists,
        name: "exists",
        arity: -2,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::from(1, 1, access![RO])],
        spread: Spread::Sum,
        bounded: true,
        since: "1.0.0",
        complexity: "O(N) with N the number of keys",
        summary: "Counts how many of the given keys exist.",
        syntax: "key...",
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..GENERIC
    },
    Command {
        id: CommandId::Expire,
        name: "expire",
        arity: -3,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, UPDATE])],
        bounded: true,
        since: "1.0.0",
        summary: "Sets the deadline of a key, in seconds from now.",
        syntax: "key seconds:integer [condition=(NX|XX|GT|LT)]",
        ..GENERIC
    },
    Command {
        id: CommandId::Expireat,
        name: "expireat",
        arity: -3,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, UPDATE])],
        bounded: true,
        since: "1.2.0",
        summary: "Sets the deadline of a key, in seconds since 1970.",
        syntax: "key unix-time-seconds:unix-time [condition=(NX|XX|GT|LT)]",
        ..GENERIC
    },
    Command {
        id: CommandId::Expiretime,
        name: "expiretime",
        arity: 2,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "7.0.0",
        summary: "Answers the deadline of a key, in seconds since 1970.",
        syntax: "key",
        ..GENERIC
    },
    Command {
        id: CommandId::Keys,
        name: "keys",
        arity: 2,
        flags: flags![READONLY],
        scope: Scope::Node,
        since: "1.0.0",
        complexity: "O(N) with N the number of keys in the database",
        summary: "Lists the keys whose names match a pattern.",
        syntax: "pattern",
        named_categories: categories![KEYSPACE, DANGEROUS],
        tips: &["request_policy:all_shards", "nondeterministic_output_order"],
        ..GENERIC
    },
    Command {
        id: CommandId::Move,
        name: "move",
        arity: 3,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, ACCESS, UPDATE])],
        bounded: true,
        since: "1.0.0",
        summary: "Takes a key out of this database and puts it into another.",
        syntax: "key db:integer",
        ..GENERIC
    },
    Command {
        id: CommandId::Object,
        name: "object",
        arity: -2,
        scope: Scope::Session,
        since: "2.2.3",
        complexity: "Depends on the subcommand",
        summary: "Inspects how a value is stored.",
        named_categories: Categories::NONE,
        subcommands: &OBJECT,
        ..GENERIC
    },
    Command {
        id: CommandId::Persist,
        name: "persist",
        arity: 2,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, UPDATE])],
        bounded: true,
        since: "2.2.0",
        summary: "Removes the deadline of a key.",
        syntax: "key",
        ..GENERIC
    },
    Command {
        id: CommandId::Pexpire,
        name: "pexpire",
        arity: -3,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, UPDATE])],
        bounded: true,
        since: "2.6.0",
        summary: "Sets the deadline of a key, in milliseconds from now.",
        syntax: "key milliseconds:integer [condition=(NX|XX|GT|LT)]",
        ..GENERIC
    },
    Command {
        id: CommandId::Pexpireat,
        name: "pexpireat",
        arity: -3,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, UPDATE])],
        bounded: true,
        since: "2.6.0",
        summary: "Sets the deadline of a key, in milliseconds since 1970.",
        syntax: "key unix-time-milliseconds:unix-time [condition=(NX|XX|GT|LT)]",
        ..GENERIC
    },
    Command {
        id: CommandId::Pexpiretime,
        name: "pexpiretime",
        arity: 2,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "7.0.0",
        summary: "Answers the deadline of a key, in milliseconds since 1970.",
        syntax: "key",
        ..GENERIC
    },
    Command {
        id: CommandId::Pttl,
        name: "pttl",
        arity: 2,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "2.6.0",
        summary: "Answers how many milliseconds a key has left.",
        syntax: "key",
        tips: &["nondeterministic_output"],
        ..GENERIC
    },
    Command {
        id: CommandId::Randomkey,
        name: "randomkey",
        arity: 1,
        flags: flags![READONLY, ARBITRARY_KEYS],
        scope: Scope::Node,
        since: "1.0.0",
        summary: "Answers the name of a key chosen at random.",
        tips: &["request_policy:all_shards", "response_policy:special", "nondeterministic_output"],
        ..GENERIC
    },
    Command {
        id: CommandId::Rename,
        name: "rename",
        arity: 3,
        flags: flags![WRITE],
        keys: &[KeySpec::at(1, access![RW, ACCESS, DELETE]), KeySpec::at(2, access![OW, UPDATE])],
        bounded: true,
        since: "1.0.0",
        summary: "Gives a key another name, replacing what that name held.",
        syntax: "key newkey:key",
        ..GENERIC
    },
    Command {
        id: CommandId::Renamenx,
        name: "renamenx",
        arity: 3,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::at(1, access![RW, ACCESS, DELETE]), KeySpec::at(2, access![OW, INSERT])],
        bounded: true,
        since: "1.0.0",
        summary: "Gives a key another name unless that name is taken.",
        syntax: "key newkey:key",
        ..GENERIC
    },
    Command {
        id: CommandId::Restore,
        name: "restore",
        arity: -4,
        flags: flags![WRITE, DENYOOM],
        keys: &[KeySpec::at(1, access![OW, UPDATE])],
        since: "2.6.0",
        complexity: "O(1) to create the key and O(N*M) to rebuild N parts of mean size M, times log(N) for sorted sets",
        summary: "Creates a key from the serialized form that DUMP answered.",
        syntax: "key ttl:integer serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds:integer] [FREQ frequency:integer]",
        named_categories: categories![KEYSPACE, DANGEROUS],
        ..GENERIC
    },
    Command {
        id: CommandId::Scan,
        name: "scan",
        arity: -2,
        flags: flags![READONLY, ARBITRARY_KEYS],
        scope: Scope::Node,
        since: "2.8.0",
        complexity: "O(1) for a step, O(N) for the whole walk with N the number of keys",
        summary: "Walks the keys of a database in steps.",
        syntax: "cursor:integer [MATCH pattern] [COUNT count:integer] [TYPE type]",
        tips: &["nondeterministic_output", "request_policy:special", "response_policy:special"],
        ..GENERIC
    },
    Command {
        id: CommandId::Sort,
        name: "sort",
        arity: -2,
        flags: flags![WRITE, DENYOOM, MOVABLEKEYS],
        keys: &[
            KeySpec::at(1, access![RO, ACCESS]),
            KeySpec::unknown(Begin::Values, access![RO, ACCESS]).noting(BY_AND_GET),
            KeySpec::unknown(Begin::Store, access![OW, UPDATE])
                .noting("The key behind STORE. STORE may stand anywhere among the options."),
        ],
        spread: Spread::Derived,
        since: "1.0.0",
        summary: "Sorts the elements of a list, set or sorted set, and answers or stores them.",
        syntax: "key [BY by-pattern'pattern':pattern] [LIMIT limit=<offset:integer count:integer>] [GET get-pattern'pattern':pattern...+] \
            [order=(ASC|DESC)] [sorting=ALPHA] [STORE destination:key]",
        named_categories: SORTED_TYPES,
        ..GENERIC
    },
    Command {
        id: CommandId::SortRo,
        name: "sort_ro",
        arity: -2,
        flags: flags![READONLY, MOVABLEKEYS],
        keys: &[
            KeySpec::at(1, access![RO, ACCESS]),
            KeySpec::unknown(Begin::Values, access![RO, ACCESS]).noting(BY_AND_GET),
        ],
        spread: Spread::Derived,
        since: "7.0.0",
        summary: "Sorts the elements of a list, set or sorted set, and answers them.",
        syntax: "key [BY by-pattern'pattern':pattern] [LIMIT limit=<offset:integer count:integer>] [GET get-pattern'pattern':pattern...+] \
            [order=(ASC|DESC)] [sorting=ALPHA]",
        named_categories: SORTED_TYPES,
        ..GENERIC
    },
    Command {
        id: CommandId::Touch,
        name: "touch",
        arity: -2,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::from(1, 1, access![RO])],
        spread: Spread::Sum,
        bounded: true,
        since: "3.2.1",
        complexity: "O(N) with N the number of keys",
        summary: "Marks keys as just used and counts those that exist.",
        syntax: "key...",
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..GENERIC
    },
    Command {
        id: CommandId::Ttl,
        name: "ttl",
        arity: 2,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO, ACCESS])],
        bounded: true,
        since: "1.0.0",
        summary: "Answers how many seconds a key has left.",
        syntax: "key",
        tips: &["nondeterministic_output"],
        ..GENERIC
    },
    Command {
        id: CommandId::Type,
        name: "type",
        arity: 2,
        flags: flags![READONLY, FAST],
        keys: &[KeySpec::at(1, access![RO])],
        bounded: true,
        since: "1.0.0",
        summary: "Names the type of the value at a key.",
        syntax: "key",
        ..GENERIC
    },
    Command {
        id: CommandId::Unlink,
        name: "unlink",
        arity: -2,
        flags: flags![WRITE, FAST],
        keys: &[KeySpec::from(1, 1, access![RM, DELETE])],
        spread: Spread::Sum,
        bounded: true,
        since: "4.0.0",
        complexity: "O(1) for each key, and O(N) behind the scenes with N the number of allocations freed",
        summary: "Removes keys and frees their memory in the background.",
        syntax: "key...",
        tips: &["request_policy:multi_shard", "response_policy:agg_sum"],
        ..GENERIC
    },
    Command {
        id: CommandId::Wait,
        name: "wait",
        arity: 3,
        scope: Scope::Core,
        since: "3.0.0",
        summary: "Waits until replicas have acknowledged the writes of this connection.",
        syntax: "numreplicas:integer timeout:integer",
        named_categories: categories![CONNECTION],
        tips: &["request_policy:all_shards", "response_policy:agg_min"],
        ..GENERIC
    },
];

static OBJECT: [Command; 5] = [
    Command {
        id: CommandId::ObjectEncoding,
        name: "object|encoding",
        arity: 3,
        flags: flags![READONLY],
        keys: &[KeySpec::at(2, access![RO])],
        bounded: true,
        since: "2.2.3",
        summary: "Names the internal encoding of a value.",
        syntax: "key",
        tips: &["nondeterministic_output"],
        ..GENERIC
    },
    Command {
        id: CommandId::ObjectFreq,
        name: "object|freq",
        arity: 3,
        flags: flags![READONLY],
        keys: &[KeySpec::at(2, access![RO])],
        bounded: true,
        since: "4.0.0",
        summary: "Answers how often a key is used, on a logarithmic scale.",
        syntax: "key",
        tips: &["nondeterministic_output"],
        ..GENERIC
    },
    Command {
        id: CommandId::ObjectHelp,
        name: "object|help",
        arity: 2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "6.2.0",
        summary: "Lists the subcommands.",
        ..GENERIC
    },
    Command {
        id: CommandId::ObjectIdletime,
        name: "object|idletime",
        arity: 3,
        flags: flags![READONLY],
        keys: &[KeySpec::at(2, access![RO])],
        bounded: true,
        since: "2.2.3",
        summary: "Answers for how many seconds a key has not been used.",
        syntax: "key",
        tips: &["nondeterministic_output"],
        ..GENERIC
    },
    Command {
        id: CommandId::ObjectRefcount,
        name: "object|refcount",
        arity: 3,
        flags: flags![READONLY],
        keys: &[KeySpec::at(2, access![RO])],
        bounded: true,
        since: "2.2.3",
        summary: "Answers how many references there are to a value.",
        syntax: "key",
        tips: &["nondeterministic_output"],
        ..GENERIC
    },
];

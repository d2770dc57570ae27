//! The connection itself and other connections.

use super::{categories, flags};
use crate::command::{Categories, Command, CommandId, Deprecation, Flags, Group, Scope};

/// What the rows of this group have in common.
const CONNECTION: Command = Command {
    group: Group::Connection,
    scope: Scope::Session,
    named_categories: categories![CONNECTION],
    ..Command::BLANK
};

pub(super) static ROWS: [Command; 8] = [
    Command {
        id: CommandId::Auth,
        name: "auth",
        arity: -2,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY],
        since: "1.0.0",
        complexity: "O(N) with N the number of passwords of the user",
        summary: "Proves to the server who the client is.",
        syntax: "[username] password",
        ..CONNECTION
    },
    Command {
        id: CommandId::Client,
        name: "client",
        arity: -2,
        since: "2.4.0",
        complexity: "Depends on the subcommand",
        summary: "Inspects and controls client connections.",
        named_categories: Categories::NONE,
        subcommands: &CLIENT,
        ..CONNECTION
    },
    Command {
        id: CommandId::Echo,
        name: "echo",
        arity: 2,
        flags: flags![LOADING, STALE, FAST],
        bounded: true,
        since: "1.0.0",
        summary: "Answers its argument.",
        syntax: "message",
        ..CONNECTION
    },
    Command {
        id: CommandId::Hello,
        name: "hello",
        arity: -1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY],
        since: "6.0.0",
        summary: "Chooses the protocol version, and can authenticate and name the connection.",
        syntax: "[arguments=<protover:integer [AUTH auth=<username password>] [SETNAME clientname]>]",
        ..CONNECTION
    },
    Command {
        id: CommandId::Ping,
        name: "ping",
        arity: -1,
        flags: flags![FAST],
        bounded: true,
        since: "1.0.0",
        summary: "Answers PONG, or its argument.",
        syntax: "[message]",
        tips: &["request_policy:all_shards", "response_policy:all_succeeded"],
        ..CONNECTION
    },
    Command {
        id: CommandId::Quit,
        name: "quit",
        arity: -1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY],
        since: "1.0.0",
        summary: "Closes the connection once its replies are sent.",
        deprecated: Some(Deprecation { since: "7.2.0", replaced_by: "closing the connection" }),
        ..CONNECTION
    },
    Command {
        id: CommandId::Reset,
        name: "reset",
        arity: 1,
        flags: flags![NOSCRIPT, LOADING, STALE, FAST, NO_AUTH, ALLOW_BUSY],
        since: "6.2.0",
        summary: "Puts the connection back into the state of a new one.",
        ..CONNECTION
    },
    Command {
        id: CommandId::Select,
        name: "select",
        arity: 2,
        flags: flags![LOADING, STALE, FAST],
        since: "1.0.0",
        summary: "Chooses the database of the connection.",
        syntax: "index:integer",
        ..CONNECTION
    },
];

static CLIENT: [Command; 14] = [
    Command {
        id: CommandId::ClientGetname,
        name: "client|getname",
        arity: 2,
        flags: flags![NOSCRIPT, LOADING, STALE],
        since: "2.6.9",
        summary: "Answers the name of the connection.",
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientHelp,
        name: "client|help",
        arity: 2,
        flags: flags![LOADING, STALE],
        since: "5.0.0",
        summary: "Lists the subcommands.",
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientId,
        name: "client|id",
        arity: 2,
        flags: flags![NOSCRIPT, LOADING, STALE],
        since: "5.0.0",
        summary: "Answers the number of the connection.",
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientInfo,
        name: "client|info",
        arity: 2,
        flags: flags![NOSCRIPT, LOADING, STALE],
        scope: Scope::Core,
        since: "6.2.0",
        summary: "Describes the connection.",
        tips: &["nondeterministic_output"],
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientKill,
        name: "client|kill",
        arity: -3,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        scope: Scope::Node,
        since: "2.4.0",
        complexity: "O(N) with N the number of connections",
        summary: "Closes connections.",
        syntax: "filter=(old-format'ip:port'|new-format=([ID client-id:integer]|[TYPE client-type=('normal'|'master'|'slave'|'replica'|'pubsub')]|[USER username]|[ADDR addr'ip:port']|[LADDR laddr'ip:port']|[SKIPME skipme=(YES|NO)])...)",
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientList,
        name: "client|list",
        arity: -2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        scope: Scope::Node,
        since: "2.4.0",
        complexity: "O(N) with N the number of connections",
        summary: "Describes all connections.",
        syntax: "[TYPE client-type=('normal'|'master'|'replica'|'pubsub')] [ID client-id:integer...]",
        tips: &["nondeterministic_output"],
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientNoEvict,
        name: "client|no-evict",
        arity: 3,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        since: "7.0.0",
        summary: "Exempts the connection from being closed when client memory is short, or ends the exemption.",
        syntax: "enabled=(ON|OFF)",
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientNoTouch,
        name: "client|no-touch",
        arity: 3,
        flags: flags![NOSCRIPT, LOADING, STALE],
        since: "7.2.0",
        summary: "Lets the commands of the connection leave the usage of keys unchanged, or ends that.",
        syntax: "enabled=(ON|OFF)",
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientPause,
        name: "client|pause",
        arity: -3,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        scope: Scope::Node,
        since: "3.0.0",
        summary: "Holds back the commands of all clients for a time.",
        syntax: "timeout:integer [mode=(WRITE|ALL)]",
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientReply,
        name: "client|reply",
        arity: 3,
        flags: flags![NOSCRIPT, LOADING, STALE],
        since: "3.2.0",
        summary: "Switches replies to the connection on or off, or drops the next one.",
        syntax: "action=(ON|OFF|SKIP)",
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientSetinfo,
        name: "client|setinfo",
        arity: 4,
        flags: flags![NOSCRIPT, LOADING, STALE],
        since: "7.2.0",
        summary: "Records the name or the version of the client library.",
        syntax: "attr=('lib-name' libname|'lib-ver' libver)",
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientSetname,
        name: "client|setname",
        arity: 3,
        flags: flags![NOSCRIPT, LOADING, STALE],
        since: "2.6.9",
        summary: "Names the connection.",
        syntax: "connection-name",
        tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientUnblock,
        name: "client|unblock",
        arity: -3,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        scope: Scope::Node,
        since: "5.0.0",
        complexity: "O(log N) with N the number of connections",
        summary: "Wakes a connection that waits in a blocking command.",
        syntax: "client-id:integer [unblock-type=(TIMEOUT|ERROR)]",
        ..CONNECTION
    },
    Command {
        id: CommandId::ClientUnpause,
        name: "client|unpause",
        arity: 2,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE],
        scope: Scope::Node,
        since: "6.2.0",
        complexity: "O(N) with N the number of paused clients",
        summary: "Ends a pause of all clients.",
        ..CONNECTION
    },
];

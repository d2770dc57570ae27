//! Publish and subscribe.

use super::{access, flags};
use crate::command::{Command, CommandId, Flags, Group, KeyFlags, KeySpec, Scope};

/// What the rows of this group have in common.
const PUBSUB: Command = Command { group: Group::Pubsub, scope: Scope::Node, ..Command::BLANK };

/// Shard channels have slots as keys do, and clients route by them.
const SHARD_CHANNELS: &[KeySpec] = &[KeySpec::from(1, 1, access![NOT_KEY])];
const SHARD_CHANNEL: &[KeySpec] = &[KeySpec::at(1, access![NOT_KEY])];

pub(super) static ROWS: [Command; 9] = [
    Command {
        id: CommandId::Psubscribe,
        name: "psubscribe",
        arity: -2,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE],
        since: "2.0.0",
        complexity: "O(N log M) with N the number of patterns and M the number that the client has",
        summary: "Subscribes the connection to every channel whose name matches a pattern.",
        syntax: "pattern=<pattern>...",
        ..PUBSUB
    },
    Command {
        id: CommandId::Publish,
        name: "publish",
        arity: 3,
        flags: flags![PUBSUB, LOADING, STALE, FAST, MAY_REPLICATE],
        since: "2.0.0",
        complexity: "O(N+M) with N the number of subscribers and M the number of patterns",
        summary: "Sends a message to the subscribers of a channel.",
        syntax: "channel message",
        ..PUBSUB
    },
    Command {
        id: CommandId::Pubsub,
        name: "pubsub",
        arity: -2,
        scope: Scope::Session,
        since: "2.8.0",
        complexity: "Depends on the subcommand",
        summary: "Tells about channels and their subscribers.",
        subcommands: &SUBCOMMANDS,
        ..PUBSUB
    },
    Command {
        id: CommandId::Punsubscribe,
        name: "punsubscribe",
        arity: -1,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE],
        since: "2.0.0",
        complexity: "O(N log M) with N the number of patterns and M the number that the client has",
        summary: "Ends subscriptions to patterns.",
        syntax: "[pattern...]",
        ..PUBSUB
    },
    Command {
        id: CommandId::Spublish,
        name: "spublish",
        arity: 3,
        flags: flags![PUBSUB, LOADING, STALE, FAST, MAY_REPLICATE],
        keys: SHARD_CHANNEL,
        since: "7.0.0",
        complexity: "O(N) with N the number of subscribers",
        summary: "Sends a message to the subscribers of a shard channel.",
        syntax: "shardchannel message",
        ..PUBSUB
    },
    Command {
        id: CommandId::Ssubscribe,
        name: "ssubscribe",
        arity: -2,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE],
        keys: SHARD_CHANNELS,
        since: "7.0.0",
        complexity: "O(N log M) with N the number of channels and M the number that the client has",
        summary: "Subscribes the connection to shard channels.",
        syntax: "shardchannel...",
        ..PUBSUB
    },
    Command {
        id: CommandId::Subscribe,
        name: "subscribe",
        arity: -2,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE],
        since: "2.0.0",
        complexity: "O(N log M) with N the number of channels and M the number that the client has",
        summary: "Subscribes the connection to channels.",
        syntax: "channel...",
        ..PUBSUB
    },
    Command {
        id: CommandId::Sunsubscribe,
        name: "sunsubscribe",
        arity: -1,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE],
        keys: SHARD_CHANNELS,
        since: "7.0.0",
        complexity: "O(N log M) with N the number of channels and M the number that the client has",
        summary: "Ends subscriptions to shard channels.",
        syntax: "[shardchannel...]",
        ..PUBSUB
    },
    Command {
        id: CommandId::Unsubscribe,
        name: "unsubscribe",
        arity: -1,
        flags: flags![PUBSUB, NOSCRIPT, LOADING, STALE],
        since: "2.0.0",
        complexity: "O(N log M) with N the number of channels and M the number that the client has",
        summary: "Ends subscriptions to channels.",
        syntax: "[channel...]",
        ..PUBSUB
    },
];

static SUBCOMMANDS: [Command; 6] = [
    Command {
        id: CommandId::PubsubChannels,
        name: "pubsub|channels",
        arity: -2,
        flags: flags![PUBSUB, LOADING, STALE],
        since: "2.8.0",
        complexity: "O(N) with N the number of channels that have subscribers",
        summary: "Lists the channels that have subscribers.",
        syntax: "[pattern]",
        ..PUBSUB
    },
    Command {
        id: CommandId::PubsubHelp,
        name: "pubsub|help",
        arity: 2,
        flags: flags![LOADING, STALE],
        scope: Scope::Session,
        since: "6.2.0",
        summary: "Lists the subcommands.",
        ..PUBSUB
    },
    Command {
        id: CommandId::PubsubNumpat,
        name: "pubsub|numpat",
        arity: 2,
        flags: flags![PUBSUB, LOADING, STALE],
        since: "2.8.0",
        summary: "Counts the patterns that have subscribers.",
        ..PUBSUB
    },
    Command {
        id: CommandId::PubsubNumsub,
        name: "pubsub|numsub",
        arity: -2,
        flags: flags![PUBSUB, LOADING, STALE],
        since: "2.8.0",
        complexity: "O(N) with N the number of channels that are named",
        summary: "Counts the subscribers of channels, without those of patterns.",
        syntax: "[channel...]",
        ..PUBSUB
    },
    Command {
        id: CommandId::PubsubShardchannels,
        name: "pubsub|shardchannels",
        arity: -2,
        flags: flags![PUBSUB, LOADING, STALE],
        since: "7.0.0",
        complexity: "O(N) with N the number of shard channels that have subscribers",
        summary: "Lists the shard channels that have subscribers.",
        syntax: "[pattern]",
        ..PUBSUB
    },
    Command {
        id: CommandId::PubsubShardnumsub,
        name: "pubsub|shardnumsub",
        arity: -2,
        flags: flags![PUBSUB, LOADING, STALE],
        since: "7.0.0",
        complexity: "O(N) with N the number of shard channels that are named",
        summary: "Counts the subscribers of shard channels.",
        syntax: "[shardchannel...]",
        ..PUBSUB
    },
];

//! What a client is told of its subscriptions.

use super::Kind;
use crate::resp::Reply;

/// Writes that a client has joined or left `name`, and how many subscriptions it has now. `None`: it was to leave all, and
/// there was nothing to leave.
pub fn confirm(kind: Kind, joined: bool, name: Option<&[u8]>, count: usize, reply: &mut Reply<'_>) {
    reply.push(3);
    reply.bulk(match (kind, joined) {
        (Kind::Channel, true) => b"subscribe",
        (Kind::Channel, false) => b"unsubscribe",
        (Kind::Shard, true) => b"ssubscribe",
        (Kind::Shard, false) => b"sunsubscribe",
        (Kind::Pattern, true) => b"psubscribe",
        (Kind::Pattern, false) => b"punsubscribe",
    });
    match name {
        Some(name) => reply.bulk(name),
        None => reply.null(),
    }
    reply.integer(count as i64);
}

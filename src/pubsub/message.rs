//! A message on its way to subscribers.

use bytes::Bytes;

use super::Kind;
use crate::limits::LARGE_VALUE_BYTES;
use crate::resp::Reply;

/// A message and its channel, copied once: cores and outputs share the bytes.
///
/// ```text
///   bytes   [ channel | payload ]
///                     ^ channel_len
/// ```
#[derive(Clone, Debug)]
pub struct Message {
    kind: Kind,
    channel_len: usize,
    bytes: Bytes,
}

impl Message {
    /// A message to a channel or a shard channel; nothing is published to a pattern.
    pub fn new(kind: Kind, channel: &[u8], payload: &[u8]) -> Self {
        debug_assert_ne!(kind, Kind::Pattern, "a message has a channel");
        Self { kind, channel_len: channel.len(), bytes: [channel, payload].concat().into() }
    }

    /// Which kind of channel it was published to.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The channel.
    pub fn channel(&self) -> &[u8] {
        &self.bytes[..self.channel_len]
    }

    /// Writes it as subscribers get it: those of its channel, or those of a pattern that the channel matches.
    pub fn write(&self, pattern: Option<&[u8]>, reply: &mut Reply<'_>) {
        reply.push(if pattern.is_some() { 4 } else { 3 });
        match (pattern, self.kind) {
            (Some(pattern), _) => {
                reply.bulk(b"pmessage");
                reply.bulk(pattern);
            }
            (None, Kind::Shard) => reply.bulk(b"smessage"),
            (None, _) => reply.bulk(b"message"),
        }
        reply.bulk(self.channel());
        if self.bytes.len() - self.channel_len > LARGE_VALUE_BYTES {
            reply.bulk_shared(&self.bytes.slice(self.channel_len..));
        } else {
            reply.bulk(&self.bytes[self.channel_len..]);
        }
    }
}

//! Replies as they come: cut out of the stream by the redis-protocol crate, without copying them.

use redis_protocol::error::RedisProtocolError;
use redis_protocol::resp2;
use redis_protocol::resp2::types::RangeFrame;

/// A reply in the buffer that it came in.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Reply<'a> {
    /// `+OK`.
    Status(&'a [u8]),
    /// `-ERR ...`, without the sign.
    Error(&'a [u8]),
    /// A number.
    Integer(i64),
    /// A string.
    Bulk(&'a [u8]),
    /// Nothing.
    Null,
    /// Several replies.
    Array(usize),
}

/// The next reply of `bytes` and its length; none if it is not all there.
#[inline]
pub(super) fn next(bytes: &[u8]) -> Result<Option<(Reply<'_>, usize)>, RedisProtocolError> {
    let Some((frame, length)) = resp2::decode::decode_range(bytes)? else { return Ok(None) };
    let reply = match frame {
        RangeFrame::SimpleString((from, to)) => Reply::Status(&bytes[from..to]),
        RangeFrame::Error((from, to)) => Reply::Error(&bytes[from..to]),
        RangeFrame::Integer(number) => Reply::Integer(number),
        RangeFrame::BulkString((from, to)) => Reply::Bulk(&bytes[from..to]),
        RangeFrame::Array(frames) => Reply::Array(frames.len()),
        RangeFrame::Null => Reply::Null,
    };
    Ok(Some((reply, length)))
}

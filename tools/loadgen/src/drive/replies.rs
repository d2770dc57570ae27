//! Replies as they come: cut out of the stream by the redis-protocol crate, without copying them.

use redis_protocol::{resp2, resp3};

use crate::plan::Protocol;
use crate::plan::quantity::VALUE_BYTES_MAX;

/// What stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Framing {
    Resp2,
    Resp3,
    Memcached,
}

impl Framing {
    pub(super) fn of(protocol: Protocol, resp3: bool) -> Self {
        match protocol {
            Protocol::Memcached => Framing::Memcached,
            Protocol::Redis if resp3 => Framing::Resp3,
            Protocol::Redis => Framing::Resp2,
        }
    }
}

/// A reply in the buffer that it came in.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Reply<'a> {
    /// `+OK`.
    Status,
    /// `-ERR ...`, without the sign.
    Error(&'a [u8]),
    /// A string.
    Bulk(&'a [u8]),
    /// Nothing, or several replies with nothing among them.
    Null,
    /// Something else: a number, or several replies.
    Other,
    /// Not a reply: something that the server tells unasked.
    Push,
}

/// The next reply of `bytes` and its length; none if it is not all there. The error is a sentence.
#[inline]
pub(super) fn next(framing: Framing, bytes: &[u8]) -> Result<Option<(Reply<'_>, usize)>, String> {
    match framing {
        Framing::Resp2 => resp2_next(bytes),
        Framing::Resp3 => resp3_next(bytes),
        Framing::Memcached => memcached_next(bytes),
    }
}

#[inline]
fn resp2_next(bytes: &[u8]) -> Result<Option<(Reply<'_>, usize)>, String> {
    use resp2::types::RangeFrame;
    let decoded = resp2::decode::decode_range(bytes).map_err(|error| unreadable(&error, bytes))?;
    let Some((frame, length)) = decoded else { return Ok(None) };
    let reply = match frame {
        RangeFrame::SimpleString(_) => Reply::Status,
        RangeFrame::Error((from, to)) => Reply::Error(&bytes[from..to]),
        RangeFrame::BulkString((from, to)) => Reply::Bulk(&bytes[from..to]),
        RangeFrame::Null => Reply::Null,
        RangeFrame::Array(frames) if frames.contains(&RangeFrame::Null) => Reply::Null,
        RangeFrame::Integer(_) | RangeFrame::Array(_) => Reply::Other,
    };
    Ok(Some((reply, length)))
}

fn resp3_next(bytes: &[u8]) -> Result<Option<(Reply<'_>, usize)>, String> {
    use resp3::types::RangeFrame;
    let decoded = resp3::decode::complete::decode_range(bytes).map_err(|error| unreadable(&error, bytes))?;
    let Some((frame, length)) = decoded else { return Ok(None) };
    let reply = match frame {
        RangeFrame::SimpleString { .. } => Reply::Status,
        RangeFrame::SimpleError { data: (from, to), .. } | RangeFrame::BlobError { data: (from, to), .. } => {
            Reply::Error(&bytes[from..to])
        }
        RangeFrame::BlobString { data: (from, to), .. } => Reply::Bulk(&bytes[from..to]),
        RangeFrame::Null => Reply::Null,
        RangeFrame::Array { data, .. } if data.contains(&RangeFrame::Null) => Reply::Null,
        RangeFrame::Push { .. } => Reply::Push,
        _ => Reply::Other,
    };
    Ok(Some((reply, length)))
}

/// The replies of memcached's text protocol to `get` of one key and to `set` (protocol.txt of memcached).
fn memcached_next(bytes: &[u8]) -> Result<Option<(Reply<'_>, usize)>, String> {
    let Some(line_end) = bytes.windows(2).position(|window| window == b"\r\n") else { return Ok(None) };
    let (line, after) = (&bytes[..line_end], line_end + 2);
    if line == b"STORED" {
        return Ok(Some((Reply::Status, after)));
    }
    if line == b"END" {
        return Ok(Some((Reply::Null, after)));
    }
    let Some(value) = line.strip_prefix(b"VALUE ") else { return Ok(Some((Reply::Error(line), after))) };
    let length = value.split(|byte| *byte == b' ').nth(2).and_then(|field| std::str::from_utf8(field).ok());
    let length = length.and_then(|length| length.parse::<usize>().ok());
    let Some(length) = length.filter(|length| *length <= VALUE_BYTES_MAX as usize) else {
        return Err(format!("a reply cannot be read: {}", line.escape_ascii()));
    };
    let end = after + length;
    match bytes.get(end..end + 7) {
        None => Ok(None),
        Some(b"\r\nEND\r\n") => Ok(Some((Reply::Bulk(&bytes[after..end]), end + 7))),
        Some(_) => Err("a value of memcached has no end".to_owned()),
    }
}

fn unreadable(error: &dyn std::fmt::Display, bytes: &[u8]) -> String {
    format!("a reply cannot be read ({error}): {}", bytes[..bytes.len().min(32)].escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(framing: Framing, bytes: &[u8]) -> Vec<Reply<'_>> {
        let (mut replies, mut at) = (Vec::new(), 0);
        while let Some((reply, length)) = next(framing, &bytes[at..]).unwrap() {
            replies.push(reply);
            at += length;
        }
        assert_eq!(at, bytes.len());
        replies
    }

    #[test]
    fn replies_are_told_apart() {
        let (ok, value, error) = (Reply::Status, Reply::Bulk(b"abc"), Reply::Error(b"ERR no"));
        let resp2 = b"+OK\r\n$3\r\nabc\r\n-ERR no\r\n*2\r\n:1\r\n$-1\r\n:1\r\n*1\r\n$1\r\nx\r\n";
        assert_eq!(all(Framing::Resp2, resp2), [ok, value, error, Reply::Null, Reply::Other, Reply::Other]);
        let resp3 = b"+OK\r\n$3\r\nabc\r\n-ERR no\r\n_\r\n,1.5\r\n%1\r\n+a\r\n:1\r\n>1\r\n+x\r\n";
        let others = [Reply::Other, Reply::Other, Reply::Push];
        assert_eq!(all(Framing::Resp3, resp3), [&[ok, value, error, Reply::Null][..], &others].concat());
        let memcached = b"STORED\r\nVALUE k 0 3\r\nabc\r\nEND\r\nEND\r\nSERVER_ERROR out\r\n";
        assert_eq!(all(Framing::Memcached, memcached), [ok, value, Reply::Null, Reply::Error(b"SERVER_ERROR out")]);
    }

    #[test]
    fn a_part_of_a_reply_is_not_a_reply() {
        for (framing, whole) in [
            (Framing::Resp2, &b"$3\r\nabc\r\n"[..]),
            (Framing::Resp3, b"*2\r\n:1\r\n_\r\n"),
            (Framing::Memcached, b"VALUE k 0 3\r\nabc\r\nEND\r\n"),
        ] {
            for end in 0..whole.len() {
                assert_eq!(next(framing, &whole[..end]), Ok(None), "{}", whole[..end].escape_ascii());
            }
        }
        assert!(next(Framing::Resp2, b"?\r\n").is_err());
        assert!(next(Framing::Memcached, b"VALUE k 0 x\r\n").is_err());
    }
}

//! Strings: parts of values.

use std::ops::Range;

use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::{Deadline, Event, Scratch, Shard, ValueRef};
use crate::limits::LARGE_VALUE_BYTES;
use crate::resp::{Reply, ReplyError};

/// `APPEND key value`
pub(super) fn append(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, more) = (args.next()?, args.next()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let len = if let Some(mut value) = access::edit(&mut keys, key)? {
        let len = access::grown_len(value.value().string_len(), more.len(), cx)?;
        value.append(more);
        len
    } else {
        keys.set_string(key, more, Some(Deadline::NEVER));
        more.len()
    };
    keys.notify(Event::APPEND, key);
    reply.integer(len as i64);
    Ok(())
}

/// `SETRANGE key offset value`
pub(super) fn setrange(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, offset, part) = (args.next()?, args.int()?, args.next()?);
    let offset = usize::try_from(offset).map_err(|_| ReplyError::OffsetOutOfRange)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let len = if part.is_empty() {
        // Nothing to write: the string is neither padded nor created.
        access::edit(&mut keys, key)?.map_or(0, |edit| edit.value().string_len())
    } else {
        // The type of the key is a graver mistake than the length.
        access::edit(&mut keys, key)?;
        let end = access::grown_len(offset, part.len(), cx)?;
        access::edit_grown(&mut keys, key, end, |bytes, _| {
            bytes[offset..end].copy_from_slice(part);
            // What is written counts as a change even if it is what was there.
            (Some(Event::SETRANGE), bytes.len())
        })?
    };
    reply.integer(len as i64);
    Ok(())
}

/// `GETRANGE key start end`, `SUBSTR key start end`
pub(super) fn getrange(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, start, end) = (args.next()?, args.int()?, args.int()?);
    let mut keys = shard.keys(cx.database, cx.now);
    let mut scratch = Scratch::default();
    let Some(value) = access::read_part(&mut keys, key)? else {
        reply.bulk(b"");
        return Ok(());
    };
    let bytes = value.string_bytes(&mut scratch);
    let range = range_in_order(start, end, bytes.len());
    if range.len() <= LARGE_VALUE_BYTES || matches!(value, ValueRef::Packed(_)) {
        reply.bulk(&bytes[range]);
        return Ok(());
    }
    // A large part leaves from where it lies, as a large value does.
    if let Some(shared) = keys.share(key) {
        reply.bulk_shared(&shared.slice(range));
    }
    Ok(())
}

/// The places from `start` to `end` in a sequence of `len`, both included. Negative ones count from behind; what lies
/// outside is left out, but an `end` before the first place stands for the first place, as in Redis.
pub(super) fn range(start: i64, end: i64, len: usize) -> Range<usize> {
    let len = len as i64;
    let place = |index: i64| if index < 0 { index.saturating_add(len).max(0) } else { index };
    let (start, end) = (place(start), place(end).saturating_add(1).min(len));
    if start < end { start as usize..end as usize } else { 0..0 }
}

/// As [`range`], but nothing where both places count from behind and `end` comes first (outside of the sequence, both
/// would stand for its first place).
pub(super) fn range_in_order(start: i64, end: i64, len: usize) -> Range<usize> {
    if end < start && start < 0 { 0..0 } else { range(start, end, len) }
}

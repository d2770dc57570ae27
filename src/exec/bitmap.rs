//! Bitmaps: strings as rows of bits.

use super::bits::{self, Combination};
use super::string_range::range;
use super::{Cx, access};
use crate::command::{Args, number};
use crate::keyspace::{Deadline, Event, Scratch, Shard, Value};
use crate::resp::{Reply, ReplyError};

/// `SETBIT key offset value`
pub(super) fn setbit(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, offset) = (args.next()?, bit_offset(args.next()?, cx)?);
    let on = match args.int_or(ReplyError::BitNotInteger)? {
        0 => false,
        1 => true,
        _ => return Err(ReplyError::BitNotInteger),
    };
    let mut keys = shard.keys(cx.database, cx.now);
    let before = access::edit_grown(&mut keys, key, offset / 8 + 1, |bytes, grew| {
        let before = bits::replace_bit(bytes, offset, on);
        ((grew || before != on).then_some(Event::SETBIT), before)
    })?;
    reply.integer(before.into());
    Ok(())
}

/// `GETBIT key offset`
pub(super) fn getbit(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let (key, offset) = (args.next()?, bit_offset(args.next()?, cx)?);
    let mut keys = shard.keys(cx.database, cx.now);
    let bit = access::read_part(&mut keys, key)?
        .is_some_and(|value| bits::bit(value.string_bytes(&mut Scratch::default()), offset));
    reply.integer(bit.into());
    Ok(())
}

/// `BITCOUNT key [start end [BYTE | BIT]]`
pub(super) fn bitcount(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    // As in Redis up to 7.2, what stands behind a key that is not there is not looked at.
    let Some(value) = access::read_part(&mut keys, args.next()?)? else {
        reply.integer(0);
        return Ok(());
    };
    let mut scratch = Scratch::default();
    let bytes = value.string_bytes(&mut scratch);
    let range = match args.remaining() {
        0 => 0..8 * bytes.len(),
        2 | 3 => {
            let (start, end) = (args.int()?, args.int()?);
            if end < start && start < 0 {
                // As in Redis up to 7.2, the unit of what is no range is not looked at.
                reply.integer(0);
                return Ok(());
            }
            let unit = unit_bits(args)?;
            let range = range(start, end, 8 / unit * bytes.len());
            range.start * unit..range.end * unit
        }
        _ => return Err(ReplyError::Syntax),
    };
    reply.integer(bits::count_ones(bytes, range) as i64);
    Ok(())
}

/// `BITPOS key bit [start [end [BYTE | BIT]]]`
pub(super) fn bitpos(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let on = match args.int()? {
        0 => false,
        1 => true,
        _ => return Err(ReplyError::BitNotZeroOrOne),
    };
    let mut keys = shard.keys(cx.database, cx.now);
    let Some(value) = access::read_part(&mut keys, key)? else {
        // No end of clear bits. As in Redis up to 7.2, the range is not looked at.
        reply.integer(if on { -1 } else { 0 });
        return Ok(());
    };
    let mut scratch = Scratch::default();
    let bytes = value.string_bytes(&mut scratch);
    let (start, end, unit) = match args.remaining() {
        0 => (0, None, 8),
        1 => (args.int()?, None, 8),
        2 | 3 => {
            let start = args.int()?;
            // Redis looks at the unit before it looks at the end.
            let end = args.next()?;
            let unit = unit_bits(args)?;
            (start, Some(number::integer(end).ok_or(ReplyError::NotInteger)?), unit)
        }
        _ => return Err(ReplyError::Syntax),
    };
    let range = range(start, end.unwrap_or(-1), 8 / unit * bytes.len());
    let found = match bits::find(bytes, range.start * unit..range.end * unit, on) {
        // Where no end is given, clear bits follow the last byte.
        None if !on && end.is_none() && !range.is_empty() => Some(8 * bytes.len()),
        found => found,
    };
    reply.integer(found.map_or(-1, |at| at as i64));
    Ok(())
}

/// `BITOP AND | OR | XOR | NOT destination key [key ...]`
pub(super) fn bitop(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let operation = args.keyword_of(&["and", "or", "xor", "not"]).ok_or(ReplyError::Syntax)?;
    let how = [Some(Combination::And), Some(Combination::Or), Some(Combination::Xor), None][operation];
    let (destination, first) = (args.next()?, args.next()?);
    if how.is_none() && !args.is_empty() {
        return Err(ReplyError::BitopNotSources);
    }
    let mut keys = shard.keys(cx.database, cx.now);
    let mut scratch = Scratch::default();
    let mut result = match access::read_part(&mut keys, first)? {
        Some(source) => source.string_bytes(&mut scratch).to_vec(),
        None => Vec::new(),
    };
    match how {
        None => result.iter_mut().for_each(|byte| *byte = !*byte),
        Some(how) => {
            while let Ok(key) = args.next() {
                match access::read_part(&mut keys, key)? {
                    Some(source) => bits::combine(&mut result, source.string_bytes(&mut scratch), how),
                    None => bits::combine(&mut result, b"", how),
                }
            }
        }
    }
    let len = result.len();
    if result.is_empty() {
        keys.delete(destination);
    } else {
        keys.set(destination, Value::Raw(result), Deadline::NEVER);
        keys.notify(Event::SET, destination);
    }
    reply.integer(len as i64);
    Ok(())
}

/// The place of a bit that a command may set.
pub(super) fn bit_offset(text: &[u8], cx: &Cx<'_>) -> Result<usize, ReplyError> {
    number::integer(text).and_then(|offset| checked_offset(offset, cx)).ok_or(ReplyError::BitOffsetNotInteger)
}

/// A place whose byte lies within the longest string.
pub(super) fn checked_offset(offset: i64, cx: &Cx<'_>) -> Option<usize> {
    usize::try_from(offset).ok().filter(|offset| offset / 8 < access::bytes_max(cx))
}

/// Bits of the unit that a range is counted in: the last argument, if there is one more.
fn unit_bits(args: &mut Args<'_>) -> Result<usize, ReplyError> {
    match args.keyword_of(&["byte", "bit"]) {
        Some(0) => Ok(8),
        Some(_) => Ok(1),
        None if args.is_empty() => Ok(8),
        None => Err(ReplyError::Syntax),
    }
}

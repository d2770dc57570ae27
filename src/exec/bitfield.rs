//! Bitfields: integers of any width inside a string.

use super::bitmap::{bit_offset, checked_offset};
use super::bits::{self, FIELD_BITS_MAX};
use super::{Cx, access};
use crate::command::{Args, number};
use crate::keyspace::{Event, Scratch, Shard};
use crate::resp::{Reply, ReplyError};

/// `BITFIELD key [GET type offset | [OVERFLOW WRAP | SAT | FAIL] (SET type offset value | INCRBY type offset increment)]...`
pub(super) fn bitfield(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let operations = operations(args, cx)?;
    let Some(len) = bytes_written(&operations) else {
        return read(shard, key, &operations, cx, reply);
    };
    // The string grows to the farthest field that is written, even if an overflow then keeps it from being written.
    access::edit_grown(&mut shard.keys(cx.database, cx.now), key, len, |bytes, grew| {
        reply.array(operations.len());
        let mut changes = false;
        for operation in &operations {
            match operation.run(bytes, grew, &mut changes) {
                Some(answer) => reply.integer(answer),
                None => reply.null(),
            }
        }
        (changes.then_some(Event::SETBIT), ())
    })
}

/// `BITFIELD_RO key [GET type offset]...`
pub(super) fn bitfield_ro(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let operations = operations(args, cx)?;
    if bytes_written(&operations).is_some() {
        return Err(ReplyError::BitfieldReadOnly);
    }
    read(shard, key, &operations, cx, reply)
}

/// Runs operations that are all GET.
fn read(
    shard: &mut Shard,
    key: &[u8],
    operations: &[Operation],
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let value = access::read_part(&mut keys, key)?;
    let mut scratch = Scratch::default();
    let bytes = value.map_or(&b""[..], |value| value.string_bytes(&mut scratch));
    reply.array(operations.len());
    for operation in operations {
        reply.integer(operation.field.read(bytes));
    }
    Ok(())
}

/// Reads all arguments that are left.
fn operations(args: &mut Args<'_>, cx: &Cx<'_>) -> Result<Vec<Operation>, ReplyError> {
    const OPERATION_ARGUMENTS_MIN: usize = 3;
    let mut operations = Vec::with_capacity(args.remaining() / OPERATION_ARGUMENTS_MIN);
    let mut overflow = Overflow::Wrap;
    while !args.is_empty() {
        let verb = args.keyword_of(&["get", "set", "incrby", "overflow"]).ok_or(ReplyError::Syntax)?;
        // Whether the arguments of an operation are all there is asked before any of them is read.
        if args.remaining() < [2, 3, 3, 1][verb] {
            return Err(ReplyError::Syntax);
        }
        if verb == 3 {
            let at = args.keyword_of(&["wrap", "sat", "fail"]).ok_or(ReplyError::BitfieldOverflow)?;
            overflow = [Overflow::Wrap, Overflow::Saturate, Overflow::Fail][at];
            continue;
        }
        let field = Field::parse(args, cx)?;
        let action = match verb {
            0 => Action::Get,
            1 => Action::Set(args.int()?),
            _ => Action::Increment(args.int()?),
        };
        operations.push(Operation { field, action, overflow });
    }
    Ok(operations)
}

/// How long the string must be for all fields that are written; `None` if none is.
fn bytes_written(operations: &[Operation]) -> Option<usize> {
    let writes = operations.iter().filter(|operation| operation.action != Action::Get);
    writes.map(|operation| (operation.field.at + operation.field.bits as usize).div_ceil(8)).max()
}

#[derive(Clone, Copy, Debug)]
struct Operation {
    field: Field,
    action: Action,
    overflow: Overflow,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    Get,
    Set(i64),
    Increment(i64),
}

/// What becomes of a number that its field cannot hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Overflow {
    /// Its low bits are kept.
    Wrap,
    /// The nearest number that the field can hold takes its place.
    Saturate,
    /// Nothing is written.
    Fail,
}

impl Operation {
    /// Does what is asked to a string that reaches as far as the field, and notes whether that is a change: the field holds
    /// another number now, or is written in a string that has grown. `None` if that failed by overflow.
    fn run(&self, bytes: &mut [u8], grew: bool, changes: &mut bool) -> Option<i64> {
        let before = self.field.read(bytes);
        let wanted = match self.action {
            Action::Get => return Some(before),
            Action::Set(value) => self.field.meant_by(i128::from(value)),
            Action::Increment(increment) => i128::from(before) + i128::from(increment),
        };
        let after = self.field.fit(wanted, self.overflow)?;
        *changes |= grew || after != before;
        bits::set_field(bytes, self.field.at, self.field.bits, after.cast_unsigned());
        Some(if matches!(self.action, Action::Set(_)) { before } else { after })
    }
}

/// A place in a string and the type of the integer there.
#[derive(Clone, Copy, Debug)]
struct Field {
    signed: bool,
    /// 1 to 64, or to 63 if unsigned: so that any value is an `i64`.
    bits: u32,
    at: usize,
}

impl Field {
    /// `i16 100`; `i16 #3` stands for the fourth of a row of such fields.
    fn parse(args: &mut Args<'_>, cx: &Cx<'_>) -> Result<Self, ReplyError> {
        let (kind, offset) = (args.next()?, args.next()?);
        let (signed, digits) = match kind {
            [b'i', digits @ ..] => (true, digits),
            [b'u', digits @ ..] => (false, digits),
            _ => return Err(ReplyError::BitfieldType),
        };
        let bits_max = if signed { FIELD_BITS_MAX } else { FIELD_BITS_MAX - 1 };
        let bits = number::integer(digits)
            .and_then(|bits| u32::try_from(bits).ok())
            .filter(|bits| (1..=bits_max).contains(bits))
            .ok_or(ReplyError::BitfieldType)?;
        let at = match offset {
            [b'#', index @ ..] => number::integer(index)
                .and_then(|index| checked_offset(index.checked_mul(i64::from(bits))?, cx))
                .ok_or(ReplyError::BitOffsetNotInteger)?,
            offset => bit_offset(offset, cx)?,
        };
        Ok(Field { signed, bits, at })
    }

    fn read(&self, bytes: &[u8]) -> i64 {
        self.wrap(bits::field(bytes, self.at, self.bits))
    }

    /// The value of the low bits of a number.
    fn wrap(&self, low: u64) -> i64 {
        let unused = FIELD_BITS_MAX - self.bits;
        if self.signed { (low << unused).cast_signed() >> unused } else { (low << unused >> unused).cast_signed() }
    }

    /// What SET takes a number for. To an unsigned field, a negative one is far too large; and so is to a signed field,
    /// in Redis, one so far below it that the distance to the largest number that fits takes more than 64 bits.
    fn meant_by(&self, value: i128) -> i128 {
        let (min, max) = self.bounds();
        let too_large = value < min && (!self.signed || max - value > i128::from(i64::MAX));
        // The low 64 bits, which are all that wrapping looks at, stay the same.
        if too_large { value + (1 << 64) } else { value }
    }

    /// The value to be written for `wanted`.
    fn fit(&self, wanted: i128, overflow: Overflow) -> Option<i64> {
        let (min, max) = self.bounds();
        match overflow {
            // Fits 64 bits once it is no longer than the field.
            _ if (min..=max).contains(&wanted) => Some(wanted as i64),
            Overflow::Wrap => Some(self.wrap(wanted as u64)),
            Overflow::Saturate => Some(wanted.clamp(min, max) as i64),
            Overflow::Fail => None,
        }
    }

    /// The smallest and the largest number that the field holds.
    fn bounds(&self) -> (i128, i128) {
        if self.signed { (-1 << (self.bits - 1), (1 << (self.bits - 1)) - 1) } else { (0, (1 << self.bits) - 1) }
    }
}

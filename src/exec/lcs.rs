//! LCS: the longest subsequence that two strings have in common.
//!
//! The textbook fills a table with the length L(i, j) for the first i bytes of one string and the first j of the other,
//! and Redis does that with four bytes a cell. Here a row of the table is a row of bits, because two cells that are
//! neighbours in a row differ by at most one: bit j of row i is *clear* where L(i, j + 1) is one more than L(i, j). A
//! row follows from the one above it by an addition that ripples through 64 cells at a time (Hyyrö, "Bit-parallel
//! LCS-length computation revisited", 2004):
//!
//! ```text
//!   u      = row & matches[a[i]]           bit j of matches[c] says whether b[j] is c
//!   row'   = (row + u) | (row - u)         (the difference never borrows: it is row & !u)
//! ```
//!
//! The way back through the table must turn as that of Redis does, as there is often more than one longest
//! subsequence: where two bytes differ, it gives up the one of the first string if L(i - 1, j) > L(i, j - 1), else that
//! of the second. As the larger of the two is L(i, j), the bit of the cell alone says which.

use std::ops::Range;

use super::{Cx, access};
use crate::command::Args;
use crate::keyspace::{Keys, Scratch, Shard, ValueRef};
use crate::resp::{Reply, ReplyError};

/// Bytes of one cell of the table that Redis would fill; what it cannot have is refused here too.
const CELL_BYTES: usize = size_of::<u32>();
/// Strings from this length on are refused, as in Redis.
const LENGTH_MAX: usize = u32::MAX as usize - 1;

/// `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]`
pub(super) fn lcs(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let mut keys = shard.keys(cx.database, cx.now);
    let (first, second) = (args.next()?, args.next()?);
    // Both are looked up before either is judged: that one is not there is an event.
    let lengths = (string_len(&mut keys, first), string_len(&mut keys, second));
    let (first_len, second_len) = (lengths.0?, lengths.1?);
    let options = Options::parse(args)?;
    if first_len.max(second_len) >= LENGTH_MAX {
        return Err(ReplyError::LcsStringTooLong);
    }
    let table_bytes = (first_len + 1).checked_mul(second_len + 1).and_then(|cells| cells.checked_mul(CELL_BYTES));
    if table_bytes.is_none_or(|bytes| bytes > cx.bulk_bytes_max) {
        return Err(ReplyError::LcsOutOfMemory);
    }
    let (first, second) = (copy(&mut keys, first), copy(&mut keys, second));
    let table = Table::fill(&first, &second, !options.length || options.indexes);
    if options.indexes {
        let mut runs = table.runs(&first, &second);
        runs.retain(|run| options.run_min <= run.first.len());
        reply_runs(&runs, table.length(), options.run_lengths, reply);
    } else if options.length {
        reply.integer(table.length() as i64);
    } else {
        let mut common = Vec::with_capacity(table.length());
        table.runs(&first, &second).iter().rev().for_each(|run| common.extend_from_slice(&first[run.first.clone()]));
        reply.bulk(&common);
    }
    Ok(())
}

fn reply_runs(runs: &[Run], length: usize, with_lengths: bool, reply: &mut Reply<'_>) {
    reply.map(2);
    reply.bulk(b"matches");
    reply.array(runs.len());
    for run in runs {
        reply.array(2 + usize::from(with_lengths));
        for range in [&run.first, &run.second] {
            reply.array(2);
            reply.integer(range.start as i64);
            reply.integer(range.end as i64 - 1);
        }
        if with_lengths {
            reply.integer(run.first.len() as i64);
        }
    }
    reply.bulk(b"len");
    reply.integer(length as i64);
}

/// The length of a string. The error has a text of its own.
fn string_len(keys: &mut Keys<'_>, key: &[u8]) -> Result<usize, ReplyError> {
    let value = access::read_part(keys, key).map_err(|_| ReplyError::LcsNotStrings)?;
    Ok(value.map_or(0, ValueRef::string_len))
}

/// A copy of what is known to be a string, or of nothing: two of them are needed at once.
fn copy(keys: &mut Keys<'_>, key: &[u8]) -> Vec<u8> {
    keys.peek(key).map_or(Vec::new(), |entry| entry.value().string_bytes(&mut Scratch::default()).to_vec())
}

struct Options {
    length: bool,
    indexes: bool,
    /// Shortest run that is answered.
    run_min: usize,
    run_lengths: bool,
}

impl Options {
    fn parse(args: &mut Args<'_>) -> Result<Self, ReplyError> {
        let mut options = Options { length: false, indexes: false, run_min: 0, run_lengths: false };
        while !args.is_empty() {
            if args.keyword("idx") {
                options.indexes = true;
            } else if args.keyword("len") {
                options.length = true;
            } else if args.keyword("withmatchlen") {
                options.run_lengths = true;
            } else if args.keyword("minmatchlen") {
                options.run_min = usize::try_from(args.int()?.max(0)).unwrap_or(usize::MAX);
            } else {
                return Err(ReplyError::Syntax);
            }
        }
        if options.length && options.indexes {
            return Err(ReplyError::LcsLengthAndIndexes);
        }
        Ok(options)
    }
}

/// Bytes that follow each other in the subsequence and in both strings.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Run {
    first: Range<usize>,
    second: Range<usize>,
}

/// The table of lengths, a row of bits for each byte of the first string.
struct Table {
    /// Words of a row.
    words: usize,
    /// Rows 0 to the last, or the last alone.
    rows: Vec<u64>,
}

impl Table {
    /// Fills the table. Unless `all` rows are kept, it is good for the length only.
    fn fill(first: &[u8], second: &[u8], all: bool) -> Self {
        let words = second.len().div_ceil(64);
        let matches = Matches::new(first, second, words);
        // Row 0 is all set: nothing has anything in common with the empty string.
        let mut rows = Vec::with_capacity(if all { words * (first.len() + 1) } else { words });
        rows.resize(words, u64::MAX);
        let mut last = 0;
        for &byte in first {
            if all {
                rows.extend_from_within(last..);
                last += words;
            }
            let mut carry = false;
            for (word, matching) in rows[last..].iter_mut().zip(matches.of(byte)) {
                let both = *word & matching;
                let sum;
                (sum, carry) = word.carrying_add(both, carry);
                *word = sum | (*word & !both);
            }
        }
        Table { words, rows }
    }

    /// The length of the longest subsequence.
    fn length(&self) -> usize {
        let last = self.rows.len() - self.words;
        self.rows[last..].iter().map(|word| word.count_zeros() as usize).sum()
    }

    /// Whether L(row, column) is one more than L(row, column - 1).
    fn steps(&self, row: usize, column: usize) -> bool {
        self.rows[row * self.words + (column - 1) / 64] >> ((column - 1) % 64) & 1 == 0
    }

    /// The runs of the subsequence that Redis finds, the last one first.
    fn runs(&self, first: &[u8], second: &[u8]) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        let (mut row, mut column) = (first.len(), second.len());
        while row > 0 && column > 0 {
            if first[row - 1] != second[column - 1] {
                if self.steps(row, column) {
                    row -= 1;
                } else {
                    column -= 1;
                }
                continue;
            }
            match runs.last_mut() {
                Some(run) if run.first.start == row && run.second.start == column => {
                    run.first.start -= 1;
                    run.second.start -= 1;
                }
                _ => runs.push(Run { first: row - 1..row, second: column - 1..column }),
            }
            (row, column) = (row - 1, column - 1);
        }
        runs
    }
}

/// For each byte of the first string, where it stands in the second.
struct Matches {
    words: usize,
    /// Which row of bits is a byte's; all that do not occur share the first, which is clear.
    row: [u16; 256],
    bits: Vec<u64>,
}

impl Matches {
    fn new(first: &[u8], second: &[u8], words: usize) -> Self {
        let mut matches = Matches { words, row: [0; 256], bits: vec![0; words] };
        if words == 0 {
            return matches;
        }
        for &byte in first {
            let row = &mut matches.row[usize::from(byte)];
            if *row == 0 {
                *row = (matches.bits.len() / words) as u16;
                matches.bits.resize(matches.bits.len() + words, 0);
            }
        }
        for (at, &byte) in second.iter().enumerate() {
            let row = usize::from(matches.row[usize::from(byte)]);
            // The first row stays clear.
            matches.bits[row * words + at / 64] |= u64::from(row > 0) << (at % 64);
        }
        matches
    }

    fn of(&self, byte: u8) -> &[u64] {
        &self.bits[usize::from(self.row[usize::from(byte)]) * self.words..][..self.words]
    }
}

//! From a request to the positions of its keys, without allocating.
//!
//! ```text
//!   MSET k v k v        Index(1), Range { last: -1, step: 2 }        MSET [k] v [k] v
//!   BITOP AND d a b     two specifications                           BITOP AND [d] [a] [b]
//!   EVAL s 2 a b x      Index(2), Count { count_at: 0, first: 1 }    EVAL s 2 [a] [b] x
//! ```

use super::{Begin, Command, Find, KeyFlags, KeySpec};
use crate::resp::{ReplyError, Request};

/// One key of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyPosition {
    /// Which argument it is.
    pub index: usize,
    /// What the command does to it.
    pub flags: KeyFlags,
}

/// The keys of one request, in the order of the command's key specifications.
#[derive(Clone, Debug)]
pub struct KeyPositions<'a> {
    request: Request<'a>,
    specs: &'static [KeySpec],
    current: Run,
    flags: KeyFlags,
}

/// Arguments `next`, `next + step` and so on below `end`.
#[derive(Clone, Copy, Debug)]
struct Run {
    next: usize,
    end: usize,
    step: usize,
}

/// Finds the keys of `request`, which must have passed the arity check of `command`.
///
/// The error says that the arguments do not fit the command's specification (a number of keys that is no number, or more
/// keys than arguments); the command itself would refuse them with a text of its own.
#[inline]
pub fn keys<'a>(command: &'static Command, request: Request<'a>) -> Result<KeyPositions<'a>, ReplyError> {
    let empty = Run { next: 0, end: 0, step: 1 };
    let Some((first, rest)) = command.keys.split_first() else {
        return Ok(KeyPositions { request, specs: &[], current: empty, flags: KeyFlags::NONE });
    };
    let current = first.run(request)?.unwrap_or(empty);
    for spec in rest {
        spec.run(request)?;
    }
    Ok(KeyPositions { request, specs: rest, current, flags: first.flags })
}

impl Iterator for KeyPositions<'_> {
    type Item = KeyPosition;

    #[inline]
    fn next(&mut self) -> Option<KeyPosition> {
        while self.current.next >= self.current.end {
            let (spec, rest) = self.specs.split_first()?;
            self.specs = rest;
            self.flags = spec.flags;
            // Every specification was checked by `keys`.
            if let Ok(Some(run)) = spec.run(self.request) {
                self.current = run;
            }
        }
        let index = self.current.next;
        self.current.next += self.current.step;
        Some(KeyPosition { index, flags: self.flags })
    }
}

impl KeySpec {
    /// The arguments that this specification selects; `None` if its keyword is absent.
    fn run(&self, request: Request<'_>) -> Result<Option<Run>, ReplyError> {
        let arguments = request.len();
        let begin = match self.begin {
            Begin::Index(index) => usize::from(index),
            Begin::Keyword { word, start_from } => match behind_keyword(request, word, start_from) {
                None => return Ok(None),
                Some(begin) => begin,
            },
        };
        let run = match self.find {
            Find::Range { last: 0, step, .. } => Run { next: begin, end: begin + 1, step: usize::from(step) },
            Find::Range { last, step, limit } => {
                let last = match (last, limit) {
                    (0.., _) => begin.checked_add_signed(isize::from(last)),
                    (_, 0) => arguments.checked_add_signed(isize::from(last)),
                    _ => (begin + arguments.saturating_sub(begin) / usize::from(limit))
                        .checked_add_signed(isize::from(last)),
                };
                Run { next: begin, end: last.ok_or(ReplyError::Syntax)? + 1, step: usize::from(step) }
            }
            Find::Count { count_at, first, step } => {
                let at = begin + usize::from(count_at);
                if at >= arguments {
                    return Err(ReplyError::Syntax);
                }
                let count = super::number::integer(request.get(at)).ok_or(ReplyError::Syntax)?;
                let count = usize::try_from(count).map_err(|_| ReplyError::Syntax)?;
                let next = begin + usize::from(first);
                Run { next, end: next.saturating_add(count), step: usize::from(step) }
            }
        };
        if run.end > arguments || run.end <= run.next {
            return Err(ReplyError::Syntax);
        }
        Ok(Some(run))
    }
}

/// The argument behind `word`, searched from `start_from` onwards, or backwards if that is negative.
fn behind_keyword(request: Request<'_>, word: &str, start_from: i8) -> Option<usize> {
    let is_word = |&index: &usize| request.get(index).eq_ignore_ascii_case(word.as_bytes());
    let found = match usize::try_from(start_from) {
        Ok(start) => (start..request.len()).find(is_word),
        Err(_) => {
            let start = request.len().checked_add_signed(isize::from(start_from))?;
            (1..=start).rev().find(is_word)
        }
    };
    found.map(|index| index + 1)
}

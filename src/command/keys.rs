//! From a request to the positions of its keys, without allocating.
//!
//! ```text
//!   MSET k v k v        Index(1), Range { last: -1, step: 2 }        MSET [k] v [k] v
//!   BITOP AND d a b     two specifications                           BITOP AND [d] [a] [b]
//!   EVAL s 2 a b x      Index(2), Count { count_at: 0, first: 1 }    EVAL s 2 [a] [b] x
//! ```

use super::{Begin, Command, CommandId, Find, KeyFlags, KeySpec};
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

/// What `request` does to a key whose specification has the given flags, where the arguments decide
/// ([`KeyFlags::VARIABLE_FLAGS`]): SET reads only with GET, BITFIELD writes only with SET or INCRBY.
pub fn exact_flags(command: &Command, request: Request<'_>, flags: KeyFlags) -> KeyFlags {
    const CHANGED: KeyFlags = KeyFlags::of(&[KeyFlags::RW, KeyFlags::ACCESS, KeyFlags::UPDATE]);
    const OVERWRITTEN: KeyFlags = KeyFlags::of(&[KeyFlags::OW, KeyFlags::UPDATE]);
    const READ: KeyFlags = KeyFlags::of(&[KeyFlags::RO, KeyFlags::ACCESS]);
    match command.id {
        CommandId::Set if request.iter().skip(3).any(|option| option.eq_ignore_ascii_case(b"get")) => CHANGED,
        CommandId::Set => OVERWRITTEN,
        CommandId::Bitfield if bitfield_only_reads(request) => READ,
        CommandId::Bitfield => CHANGED,
        _ => flags,
    }
}

/// Whether a BITFIELD has GET operations alone; one that makes no sense is taken for a write.
fn bitfield_only_reads(request: Request<'_>) -> bool {
    let mut at = 2;
    while at < request.len() {
        let operation = request.get(at);
        let operands = request.len() - at - 1;
        if operation.eq_ignore_ascii_case(b"get") && operands >= 2 {
            at += 3;
        } else if operation.eq_ignore_ascii_case(b"overflow") && operands >= 1 {
            at += 2;
        } else {
            return false;
        }
    }
    true
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
    /// The arguments that this specification selects; `None` if its keyword is absent or its number of keys is zero.
    fn run(&self, request: Request<'_>) -> Result<Option<Run>, ReplyError> {
        let arguments = request.len();
        let begin = match self.begin {
            Begin::Index(index) => usize::from(index),
            Begin::Keyword { word, start_from } => match behind_keyword(request, word, start_from) {
                None => return Ok(None),
                Some(begin) => begin,
            },
            Begin::Store => match behind_store(request) {
                None => return Ok(None),
                Some(begin) => begin,
            },
            Begin::Values => return Ok(None),
        };
        let run = match self.find {
            Find::Found => Run { next: begin, end: begin + 1, step: 1 },
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
                if count == 0 {
                    return Ok(None);
                }
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

/// The argument behind the last STORE of a SORT: the key that it writes, and so the one that decides where it runs. Redis
/// takes a key of the name STORE for one more option here. What SORT does not know is passed over by itself.
fn behind_store(request: Request<'_>) -> Option<usize> {
    let (mut at, mut found) = (2, None);
    while at < request.len() {
        let is = |word: &str| request.get(at).eq_ignore_ascii_case(word.as_bytes());
        if is("store") && at + 1 < request.len() {
            found = Some(at + 1);
        }
        at += match () {
            () if is("limit") => 3,
            () if is("get") || is("by") || is("store") => 2,
            () => 1,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::lookup::resolve;
    use crate::command::test_request::with_request;

    #[track_caller]
    fn check(line: &str, expected: &[usize]) {
        let arguments: Vec<&str> = line.split(' ').collect();
        with_request(&arguments, |request| {
            let second = (request.len() > 1).then(|| request.get(1));
            let command = resolve(request.get(0), second).unwrap();
            let found: Vec<usize> = keys(command, request).unwrap().map(|key| key.index).collect();
            assert_eq!(found, expected, "{line}");
        });
    }

    #[test]
    fn keys_of_the_table() {
        check("GET k", &[1]);
        check("SET k v EX 1", &[1]);
        check("DEL a", &[1]);
        check("DEL a b c", &[1, 2, 3]);
        check("MSET a 1 b 2", &[1, 3]);
        check("MSET a 1 b", &[1, 3]);
        check("BITOP AND d a b", &[2, 3, 4]);
        check("RENAME a b", &[1, 2]);
        check("COPY a b DB 1", &[1, 2]);
        check("LCS a b IDX", &[1, 2]);
        check("OBJECT ENCODING k", &[2]);
        check("MEMORY USAGE k SAMPLES 5", &[2]);
        check("SORT k", &[1]);
        check("SORT k LIMIT 0 STORE BY STORE GET STORE STORE a ASC STORE b", &[1, 13]);
        check("SORT k STORE", &[1]);
        check("SORT k STORE STORE ASC", &[1, 3]);
        check("SORT_RO k STORE b", &[1]);
        check("LMPOP 2 a b LEFT COUNT 1", &[2, 3]);
        check("PING", &[]);
        check("CLIENT KILL x", &[]);
    }

    /// What `specs` find in `arguments`; `None` if they do not fit.
    fn positions(specs: &'static [KeySpec], arguments: &[&str]) -> Option<Vec<usize>> {
        let command: &'static Command = Box::leak(Box::new(Command { keys: specs, ..Command::BLANK }));
        with_request(arguments, |request| Some(keys(command, request).ok()?.map(|key| key.index).collect()))
    }

    const fn spec(begin: Begin, find: Find) -> KeySpec {
        KeySpec { begin, find, flags: KeyFlags::RO, notes: "" }
    }

    #[test]
    fn counted_keys() {
        static EVAL: [KeySpec; 1] = [spec(Begin::Index(2), Find::Count { count_at: 0, first: 1, step: 1 })];
        assert_eq!(positions(&EVAL, &["eval", "s", "2", "a", "b", "x"]), Some(vec![3, 4]));
        assert_eq!(positions(&EVAL, &["eval", "s", "0", "x"]), Some(vec![]));
        assert_eq!(positions(&EVAL, &["eval", "s", "3", "a", "b"]), None);
        assert_eq!(positions(&EVAL, &["eval", "s", "-1", "a"]), None);
        assert_eq!(positions(&EVAL, &["eval", "s", "x", "a"]), None);
        assert_eq!(positions(&EVAL, &["eval", "s", "9223372036854775807", "a"]), None);
        assert_eq!(positions(&EVAL, &["eval", "s"]), None);
    }

    #[test]
    fn keys_behind_a_keyword() {
        let streams = Begin::Keyword { word: "STREAMS", start_from: 1 };
        static XREAD: [KeySpec; 1] =
            [spec(Begin::Keyword { word: "STREAMS", start_from: 1 }, Find::Range { last: -1, step: 1, limit: 2 })];
        assert_eq!(XREAD[0].begin, streams);
        assert_eq!(positions(&XREAD, &["xread", "count", "1", "streams", "a", "b", "0", "0"]), Some(vec![4, 5]));
        assert_eq!(positions(&XREAD, &["xread", "count", "1"]), Some(vec![]));
        assert_eq!(positions(&XREAD, &["xread", "streams"]), None);
        static MIGRATE: [KeySpec; 2] = [
            spec(Begin::Index(3), Find::Range { last: 0, step: 1, limit: 0 }),
            spec(Begin::Keyword { word: "KEYS", start_from: -2 }, Find::Range { last: -1, step: 1, limit: 0 }),
        ];
        assert_eq!(positions(&MIGRATE, &["migrate", "h", "p", "", "0", "9", "KEYS", "a", "b"]), Some(vec![3, 7, 8]));
        assert_eq!(positions(&MIGRATE, &["migrate", "h", "p", "k", "0", "9"]), Some(vec![3]));
    }

    #[test]
    fn specifications_that_do_not_fit_are_refused_before_the_first_key() {
        static BITOP: [KeySpec; 2] = [
            spec(Begin::Index(2), Find::Range { last: 0, step: 1, limit: 0 }),
            spec(Begin::Index(3), Find::Range { last: -1, step: 1, limit: 0 }),
        ];
        assert_eq!(positions(&BITOP, &["bitop", "and", "d"]), None);
        assert_eq!(positions(&BITOP, &["bitop"]), None);
    }

    #[test]
    fn variable_flags_follow_the_arguments() {
        let flags = |arguments: &[&str]| {
            with_request(arguments, |request| {
                let command = resolve(request.get(0), None).unwrap();
                let key = keys(command, request).unwrap().next().unwrap();
                exact_flags(command, request, key.flags).names().collect::<Vec<_>>().join(" ")
            })
        };
        assert_eq!(flags(&["set", "get", "get"]), "OW update");
        assert_eq!(flags(&["set", "k", "v", "GeT"]), "RW access update");
        assert_eq!(flags(&["bitfield", "k", "get", "u8", "0", "overflow", "sat"]), "RO access");
        assert_eq!(flags(&["bitfield", "k", "get", "u8", "0", "incrby", "u8", "0", "1"]), "RW access update");
        assert_eq!(flags(&["bitfield", "k", "get", "u8"]), "RW access update");
        assert_eq!(flags(&["strlen", "k"]), "RO");
    }
}

//! The cursor over the arguments of one request.

use super::{Command, number};
use crate::resp::{ReplyError, Request};

/// Reads the arguments of a request one after the other, behind the name (and the subcommand's).
///
/// Running out of arguments is a syntax error, as everywhere in Redis behind the arity check.
#[derive(Clone, Copy, Debug)]
pub struct Args<'a> {
    request: Request<'a>,
    next: usize,
}

impl<'a> Args<'a> {
    /// The arguments of `request`, which must have passed the arity check of `command`.
    #[inline]
    pub fn new(command: &Command, request: Request<'a>) -> Self {
        Self { request, next: command.name_arguments() }
    }

    /// The next argument.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "the end is an error here, not the end of an iteration")]
    pub fn next(&mut self) -> Result<&'a [u8], ReplyError> {
        let argument = self.peek().ok_or(ReplyError::Syntax)?;
        self.next += 1;
        Ok(argument)
    }

    /// The next argument, left where it is.
    #[inline]
    pub fn peek(&self) -> Option<&'a [u8]> {
        (self.next < self.request.len()).then(|| self.request.get(self.next))
    }

    /// How many arguments are left.
    #[inline]
    pub fn remaining(&self) -> usize {
        self.request.len() - self.next
    }

    /// Whether no argument is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// The end of the arguments; a syntax error if there is one left.
    #[inline]
    pub fn finish(&self) -> Result<(), ReplyError> {
        if self.is_empty() { Ok(()) } else { Err(ReplyError::Syntax) }
    }

    /// The next argument as an integer.
    #[inline]
    pub fn int(&mut self) -> Result<i64, ReplyError> {
        self.int_or(ReplyError::NotInteger)
    }

    /// The next argument as an integer, with an error text of the command's own.
    #[inline]
    pub fn int_or(&mut self, error: ReplyError) -> Result<i64, ReplyError> {
        number::integer(self.next()?).ok_or(error)
    }

    /// The next argument as a decimal number.
    pub fn float(&mut self) -> Result<f64, ReplyError> {
        number::float(self.next()?).ok_or(ReplyError::NotFloat)
    }

    /// The next argument as a cursor of SCAN and its like.
    pub fn cursor(&mut self) -> Result<u64, ReplyError> {
        number::cursor(self.next()?).ok_or(ReplyError::InvalidCursor)
    }

    /// Takes the next argument if it is `word`, in any case.
    #[inline]
    pub fn keyword(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|argument| argument.eq_ignore_ascii_case(word.as_bytes()));
        self.next += usize::from(found);
        found
    }

    /// Takes the next argument if it is one of `words`, in any case, and says which.
    #[inline]
    pub fn keyword_of(&mut self, words: &[&str]) -> Option<usize> {
        let argument = self.peek()?;
        let found = words.iter().position(|word| argument.eq_ignore_ascii_case(word.as_bytes()))?;
        self.next += 1;
        Some(found)
    }

    /// The arguments that are left, as a request.
    #[inline]
    pub fn rest(&self) -> Request<'a> {
        self.request.slice_from(self.next)
    }

    /// The whole request, name included.
    #[inline]
    pub fn request(&self) -> Request<'a> {
        self.request
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::lookup::resolve;
    use crate::command::test_request::with_request;

    #[test]
    fn the_cursor_starts_behind_the_name() {
        with_request(&["SET", "k", "v", "eX", "10", "Nx"], |request| {
            let mut args = Args::new(resolve(b"set", None).unwrap(), request);
            assert_eq!((args.remaining(), args.next(), args.peek()), (5, Ok(&b"k"[..]), Some(&b"v"[..])));
            assert_eq!(args.next(), Ok(&b"v"[..]));
            assert!(!args.keyword("PX") && args.keyword("EX"));
            assert_eq!(args.int(), Ok(10));
            assert_eq!(args.rest().len(), 1);
            assert_eq!(args.finish(), Err(ReplyError::Syntax));
            assert_eq!((args.keyword_of(&["XX", "NX"]), args.keyword_of(&["XX"])), (Some(1), None));
            assert!(args.is_empty() && args.finish().is_ok() && args.rest().is_empty());
            assert_eq!((args.next(), args.int()), (Err(ReplyError::Syntax), Err(ReplyError::Syntax)));
            assert_eq!(args.request().len(), 6);
        });
    }

    #[test]
    fn subcommands_have_two_names() {
        with_request(&["config", "set", "a", "b"], |request| {
            let mut args = Args::new(resolve(b"config", Some(b"set")).unwrap(), request);
            assert_eq!(args.next(), Ok(&b"a"[..]));
        });
    }

    #[test]
    fn numbers_have_errors_of_their_own() {
        with_request(&["incrby", "1.5", "x", "-", "7"], |request| {
            let mut args = Args::new(resolve(b"incrby", None).unwrap(), request);
            assert_eq!(args.clone().int(), Err(ReplyError::NotInteger));
            assert_eq!(args.clone().int_or(ReplyError::OutOfRange), Err(ReplyError::OutOfRange));
            assert_eq!((args.float(), args.float()), (Ok(1.5), Err(ReplyError::NotFloat)));
            assert_eq!((args.cursor(), args.cursor()), (Err(ReplyError::InvalidCursor), Ok(7)));
        });
    }
}

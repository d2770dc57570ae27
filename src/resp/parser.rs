//! The incremental request parser of one connection.
//!
//! ```text
//!   * 2 \r \n $ 3 \r \n G E T \r \n $ 1 0 \r \n k e y : 0 0
//!                                   ^          ^             ^ end of input: Ok(None)
//!                                   |          cursor, stage = Body(10): goes on here when there is more
//!                                   header of the second argument, never read again
//! ```
//!
//! Redis's leniency is kept, as clients and proxies in the field rely on it: a header ends at CR and the byte behind it
//! is not looked at, nor are the two bytes behind an argument. Its strictness too: numbers have no sign `+`, no leading
//! zeros and no blanks.
//!
//! Nearly every header is one to three digits, so those forms are matched whole, without a loop and without searching
//! for the line end; whatever does not match (longer numbers, incomplete or malformed lines) goes a cold way that knows
//! every rule.

use crate::limits::{
    ARGUMENTS_MAX, BULK_BYTES_MAX_DEFAULT, CLAIM_BYTES_MAX, INLINE_BYTES_MAX, REQUEST_BYTES_MAX, SPANS_KEPT_MAX,
    UNAUTHENTICATED_ARGUMENTS_MAX, UNAUTHENTICATED_BULK_BYTES_MAX, UNQUOTED_KEPT_MAX,
};
use crate::resp::{ProtocolError, Request, Span, inline};

/// What one request may claim: [`Default`] is Redis's for everyone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ParserLimits {
    /// Bytes of one argument (`proto-max-bulk-len`).
    pub bulk_bytes_max: usize,
    /// Arguments of one request.
    pub arguments_max: usize,
}

impl ParserLimits {
    /// For a client that has yet to authenticate.
    pub const UNAUTHENTICATED: Self =
        Self { bulk_bytes_max: UNAUTHENTICATED_BULK_BYTES_MAX, arguments_max: UNAUTHENTICATED_ARGUMENTS_MAX };

    /// Which words a refusal has: only who has yet to authenticate is held to fewer arguments than Redis allows.
    fn authenticated(&self) -> bool {
        self.arguments_max >= ARGUMENTS_MAX
    }
}

impl Default for ParserLimits {
    fn default() -> Self {
        Self { bulk_bytes_max: BULK_BYTES_MAX_DEFAULT, arguments_max: ARGUMENTS_MAX }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The first line of a request is not complete.
    Start,
    /// The header of an argument is not complete; it begins at the cursor.
    Header,
    /// An argument of this many bytes is not complete; it begins at the cursor.
    Body(u32),
    /// The spans are a request, of the input.
    Complete,
    /// The spans are a request, of the text that the line was unquoted to.
    CompleteInline,
}

/// Finds requests in the bytes of one connection, however they are cut.
///
/// Fresh it owns no memory; later it keeps at most [`SPANS_KEPT_MAX`] argument places and [`UNQUOTED_KEPT_MAX`] bytes
/// between requests.
#[derive(Debug)]
pub struct RequestParser {
    spans: Vec<Span>,
    /// The arguments of an inline request without their quotes.
    unquoted: Vec<u8>,
    /// Where in the input the unfinished element begins.
    cursor: u32,
    /// Up to where the input holds no end of the unfinished line, so that it is not searched again. A line never ends
    /// before this, so the value is merely outdated, not wrong, once the cursor has passed it.
    scanned: u32,
    /// Arguments to come, the unfinished one included.
    remaining: u32,
    stage: Stage,
}

// One per connection.
const _: () = assert!(size_of::<RequestParser>() <= 72);

impl Default for RequestParser {
    fn default() -> Self {
        Self::new()
    }
}

impl RequestParser {
    /// A parser before the first byte.
    pub const fn new() -> Self {
        Self { spans: Vec::new(), unquoted: Vec::new(), cursor: 0, scanned: 0, remaining: 0, stage: Stage::Start }
    }

    /// Reads one request from the beginning of `input`, and says how many bytes it was; its arguments are those of
    /// [`request`](Self::request) until the next call.
    ///
    /// `None` asks for more: the next call must begin with the same bytes, and goes on where this one stopped, so that
    /// a request costs O(n) in total even if it comes byte by byte. After an error the connection is beyond repair.
    #[inline]
    pub fn parse(&mut self, input: &[u8], limits: &ParserLimits) -> Result<Option<usize>, ProtocolError> {
        let input = &input[..input.len().min(REQUEST_BYTES_MAX)];
        if matches!(self.stage, Stage::Complete | Stage::CompleteInline) {
            self.restart();
        }
        if self.stage == Stage::Start {
            let (count, header_len) = match short_number(b'*', input) {
                Some((count @ 1.., len)) if count <= limits.arguments_max => (count, len),
                _ => match self.first_line(input, limits)? {
                    FirstLine::Incomplete => return Ok(None),
                    FirstLine::Complete(consumed) => return Ok(Some(consumed)),
                    FirstLine::Count(count, header_len) => (count, header_len),
                },
            };
            // A claim costs at most what the parser keeps anyway.
            self.spans.reserve(count.min(SPANS_KEPT_MAX));
            self.remaining = count as u32;
            self.cursor = header_len as u32;
            self.stage = Stage::Header;
        }
        self.arguments(input, limits)
    }

    /// The request that the last [`parse`](Self::parse) completed, where `input` begins with the same bytes. It is
    /// empty for a blank line and for a count of zero or less: Redis answers nothing to those.
    #[inline]
    pub fn request<'a>(&'a self, input: &'a [u8]) -> Request<'a> {
        debug_assert!(matches!(self.stage, Stage::Complete | Stage::CompleteInline), "no request is complete");
        match self.stage {
            Stage::CompleteInline => Request::new(&self.unquoted, &self.spans),
            _ => Request::new(input, &self.spans),
        }
    }

    /// How many more bytes the unfinished argument needs, to make room for a large value at once; 0 if that is not
    /// known because a line is unfinished.
    ///
    /// What a client claims is not trusted: the answer is never above [`CLAIM_BYTES_MAX`] or what has already come,
    /// whichever is more. So a claim of 512 MB alone costs 64 KiB, and a buffer that grows by the answer doubles until
    /// the value fits, which copies each byte at most once on average.
    #[inline]
    pub fn missing(&self, input_len: usize) -> usize {
        match self.stage {
            Stage::Body(len) => {
                let end = self.cursor as usize + len as usize + 2;
                end.saturating_sub(input_len).min(input_len.max(CLAIM_BYTES_MAX))
            }
            _ => 0,
        }
    }

    /// Forgets the completed request.
    #[inline]
    fn restart(&mut self) {
        (self.cursor, self.scanned, self.stage) = (0, 0, Stage::Start);
        self.spans.clear();
        self.unquoted.clear();
        if self.spans.capacity() > SPANS_KEPT_MAX || self.unquoted.capacity() > UNQUOTED_KEPT_MAX {
            self.release();
        }
    }

    #[cold]
    fn release(&mut self) {
        self.spans.shrink_to(SPANS_KEPT_MAX);
        self.unquoted = Vec::new();
    }

    /// The arguments of a multibulk request, from the cursor on.
    fn arguments(&mut self, input: &[u8], limits: &ParserLimits) -> Result<Option<usize>, ProtocolError> {
        let mut cursor = self.cursor as usize;
        let mut resumed = match self.stage {
            Stage::Body(len) => Some(len as usize),
            _ => None,
        };
        let mut remaining = self.remaining;
        while remaining > 0 {
            let (start, len) = match resumed.take() {
                Some(len) => (cursor, len),
                None => match short_number(b'$', &input[cursor..]) {
                    Some((len, header_len)) if len <= limits.bulk_bytes_max => (cursor + header_len, len),
                    _ => {
                        (self.cursor, self.remaining, self.stage) = (cursor as u32, remaining, Stage::Header);
                        match self.argument_header(input, limits)? {
                            Some((len, header_len)) => (cursor + header_len, len),
                            None => return Ok(None),
                        }
                    }
                },
            };
            let end = start + len + 2;
            if end > input.len() {
                if end > REQUEST_BYTES_MAX {
                    return Err(ProtocolError::InvalidBulkLength);
                }
                (self.cursor, self.remaining, self.stage) = (start as u32, remaining, Stage::Body(len as u32));
                return Ok(None);
            }
            self.spans.push(Span { start: start as u32, len: len as u32 });
            cursor = end;
            remaining -= 1;
        }
        self.stage = Stage::Complete;
        Ok(Some(cursor))
    }

    /// The first line by all rules: a count, an inline request, or less than that.
    #[cold]
    fn first_line(&mut self, input: &[u8], limits: &ParserLimits) -> Result<FirstLine, ProtocolError> {
        match input.first() {
            None => return Ok(FirstLine::Incomplete),
            Some(b'*') => {}
            Some(_) => return self.inline(input),
        }
        let Some(line) = self.header(input, ProtocolError::MultibulkLineTooLong)? else {
            return Ok(FirstLine::Incomplete);
        };
        let header_len = line.len() + 2;
        let count = strict_integer(&line[1..]).ok_or(ProtocolError::InvalidMultibulkLength)?;
        let Ok(count @ 1..) = usize::try_from(count) else {
            self.stage = Stage::Complete;
            return Ok(FirstLine::Complete(header_len));
        };
        if count > limits.arguments_max {
            let anyone = count > ARGUMENTS_MAX || limits.authenticated();
            return Err(match anyone {
                true => ProtocolError::InvalidMultibulkLength,
                false => ProtocolError::UnauthenticatedMultibulkLength,
            });
        }
        Ok(FirstLine::Count(count, header_len))
    }

    fn inline(&mut self, input: &[u8]) -> Result<FirstLine, ProtocolError> {
        let Some(line) = self.line(input, b'\n', ProtocolError::InlineTooLong)? else {
            return Ok(FirstLine::Incomplete);
        };
        self.unquoted.reserve(line.len());
        inline::split(line.strip_suffix(b"\r").unwrap_or(line), &mut self.unquoted, &mut self.spans)?;
        self.stage = Stage::CompleteInline;
        Ok(FirstLine::Complete(line.len() + 1))
    }

    /// The header of the argument at the cursor by all rules: the length of the argument and that of the header.
    #[cold]
    fn argument_header(
        &mut self,
        input: &[u8],
        limits: &ParserLimits,
    ) -> Result<Option<(usize, usize)>, ProtocolError> {
        let Some(line) = self.header(input, ProtocolError::BulkLineTooLong)? else {
            return Ok(None);
        };
        // The CR that ends the line is all there is of an empty one.
        let marker = input[self.cursor as usize];
        if marker != b'$' {
            return Err(ProtocolError::ExpectedDollar(marker));
        }
        let len = strict_integer(&line[1..]).and_then(|len| usize::try_from(len).ok());
        let len = len.ok_or(ProtocolError::InvalidBulkLength)?;
        if len > limits.bulk_bytes_max {
            // Before authentication the setting is not known here; its default stands in for it.
            let anyone = len > BULK_BYTES_MAX_DEFAULT || limits.authenticated();
            return Err(match anyone {
                true => ProtocolError::InvalidBulkLength,
                false => ProtocolError::UnauthenticatedBulkLength,
            });
        }
        Ok(Some((len, line.len() + 2)))
    }

    /// The header that begins at the cursor, without the CR that ends it and the byte behind that, which must be there.
    fn header<'a>(&mut self, input: &'a [u8], too_long: ProtocolError) -> Result<Option<&'a [u8]>, ProtocolError> {
        let Some(line) = self.line(input, b'\r', too_long)? else {
            return Ok(None);
        };
        match self.cursor as usize + line.len() + 2 {
            end if end <= input.len() => Ok(Some(line)),
            end if end > REQUEST_BYTES_MAX => Err(too_long),
            _ => Ok(None),
        }
    }

    /// The line that begins at the cursor, without the byte `end` that ends it.
    fn line<'a>(
        &mut self,
        input: &'a [u8],
        end: u8,
        too_long: ProtocolError,
    ) -> Result<Option<&'a [u8]>, ProtocolError> {
        let cursor = self.cursor as usize;
        // The end may come right behind the longest line.
        let bound = input.len().min(cursor + INLINE_BYTES_MAX + 1);
        let scanned = cursor.max(self.scanned as usize);
        match memchr::memchr(end, &input[scanned..bound]) {
            Some(found) => {
                self.scanned = (scanned + found) as u32;
                Ok(Some(&input[cursor..scanned + found]))
            }
            None if bound - cursor > INLINE_BYTES_MAX || bound == REQUEST_BYTES_MAX => Err(too_long),
            None => {
                self.scanned = bound as u32;
                Ok(None)
            }
        }
    }
}

enum FirstLine {
    Incomplete,
    /// A whole request of this many bytes.
    Complete(usize),
    /// So many arguments follow a header of so many bytes.
    Count(usize, usize),
}

/// A complete header of one to three digits: its number, and its length with CR and the byte behind it. A whole argument has
/// six bytes at least from its header on, so one comparison does for all forms; what is shorter goes the cold way.
#[inline]
fn short_number(marker: u8, input: &[u8]) -> Option<(usize, usize)> {
    let &[first, a, b, c, d, _] = input.first_chunk()?;
    let [a, tens, ones] = [a, b, c].map(|byte| usize::from(byte.wrapping_sub(b'0')));
    if first != marker || a > 9 {
        return None;
    }
    if b == b'\r' {
        return Some((a, 4));
    }
    if a == 0 || tens > 9 {
        return None;
    }
    match (c, d) {
        (b'\r', _) => Some((a * 10 + tens, 5)),
        (_, b'\r') if ones <= 9 => Some((a * 100 + tens * 10 + ones, 6)),
        _ => None,
    }
}

/// A decimal integer in its one canonical form: no `+`, no `-0`, no leading zeros, no blanks, nothing beyond 64 bits.
fn strict_integer(text: &[u8]) -> Option<i64> {
    let canonical = matches!(text, b"0" | [b'1'..=b'9', ..] | [b'-', b'1'..=b'9', ..]);
    if !canonical {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::fuzz;

    const PING: &[u8] = b"*1\r\n$4\r\nPING\r\n";

    /// Checks what a connection's bytes mean, whole and cut everywhere; requests are written with blanks between their
    /// arguments.
    #[track_caller]
    fn check(data: &[u8], requests: &[&str], error: Option<ProtocolError>) {
        check_with(&ParserLimits::default(), data, requests, error);
    }

    #[track_caller]
    fn check_with(limits: &ParserLimits, data: &[u8], requests: &[&str], error: Option<ProtocolError>) {
        let outcome = fuzz::requests(data, &[], limits);
        let joined: Vec<_> = outcome.requests.iter().map(|arguments| arguments.join(&b' ')).collect();
        let expected: Vec<_> = requests.iter().map(|request| request.as_bytes()).collect();
        let shown = &data[..data.len().min(60)];
        assert_eq!(
            (joined, outcome.error),
            (expected.iter().map(|e| e.to_vec()).collect(), error),
            "{}",
            shown.escape_ascii()
        );
    }

    #[test]
    fn requests() {
        check(b"", &[], None);
        check(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", &["GET k"], None);
        check(b"*3\r\n$3\r\nSET\r\n$12\r\n123456789012\r\n$0\r\n\r\n", &["SET 123456789012 "], None);
        check(&[PING, b"*0\r\n*-1\r\n*-7\r\n", PING].concat(), &["PING", "", "", "", "PING"], None);
        check(
            &[b"\r\n\n  \r\nGET k\n", PING, b"ECHO 'a b'\r\n"].concat(),
            &["", "", "", "GET k", "PING", "ECHO a b"],
            None,
        );
        // The byte behind CR, and the two behind an argument, are not looked at.
        check(&[b"*1\rX$4\rYPING--", PING].concat(), &["PING", "PING"], None);
        check(b"$4\r\n", &["$4"], None);
    }

    #[test]
    fn long_arguments_and_many() {
        for len in [99, 100, 999, 1000, 70_000] {
            let value = "v".repeat(len);
            check_large(&format!("*2\r\n$3\r\nGET\r\n${len}\r\n{value}\r\n"), 2, len);
        }
        for count in [9, 10, 99, 100, 999, 1000, 5000] {
            check_large(&format!("*{count}\r\n{}", "$1\r\na\r\n".repeat(count)), count, 1);
        }
    }

    fn check_large(data: &str, count: usize, last_len: usize) {
        let mut parser = RequestParser::new();
        assert_eq!(parser.parse(&data.as_bytes()[..data.len() - 1], &ParserLimits::default()), Ok(None));
        assert_eq!(parser.parse(data.as_bytes(), &ParserLimits::default()), Ok(Some(data.len())));
        let request = parser.request(data.as_bytes());
        assert_eq!((request.len(), request.get(count - 1).len()), (count, last_len));
    }

    #[test]
    fn what_breaks_framing() {
        use ProtocolError::*;
        for count in ["x", "3x", "", " 1", "+1", "01", "00", "-0", "-x", "1048577", "99999999999999999999"] {
            check(format!("*{count}\r\n").as_bytes(), &[], Some(InvalidMultibulkLength));
        }
        for len in ["x", "", "-1", "-0", "04", "4 ", "536870913", "99999999999999999999"] {
            check(&[PING, format!("*1\r\n${len}\r\n").as_bytes()].concat(), &["PING"], Some(InvalidBulkLength));
        }
        check(b"*1\r\nx4\r\n", &[], Some(ExpectedDollar(b'x')));
        check(b"*1\r\n*4\r\n", &[], Some(ExpectedDollar(b'*')));
        check(b"*1\r\n\r\n", &[], Some(ExpectedDollar(b'\r')));
        check(b"*1\r\n\n\r\n", &[], Some(ExpectedDollar(b'\n')));
        check(b"*2\r\n$1\r\nab\r\n$1\r\n", &[], Some(ExpectedDollar(b'\n')));
        check(b"ECHO \"a\r\n", &[], Some(UnbalancedQuotes));
        // Redis too waits for the line end before it complains.
        check(b"*1\r\nx4\r", &[], None);
        check(b"*x", &[], None);
    }

    #[test]
    fn claims_up_to_the_limit_are_waited_for() {
        check(b"*1048576\r\n", &[], None);
        check(b"*1\r\n$536870912\r\n", &[], None);
        let limits = ParserLimits::UNAUTHENTICATED;
        check_with(&limits, b"*10\r\n", &[], None);
        check_with(&limits, b"*11\r\n", &[], Some(ProtocolError::UnauthenticatedMultibulkLength));
        check_with(&limits, b"*1048577\r\n", &[], Some(ProtocolError::InvalidMultibulkLength));
        check_with(&limits, b"*1\r\n$16384\r\n", &[], None);
        check_with(&limits, b"*1\r\n$16385\r\n", &[], Some(ProtocolError::UnauthenticatedBulkLength));
        check_with(&limits, b"*1\r\n$536870913\r\n", &[], Some(ProtocolError::InvalidBulkLength));
        let limits = ParserLimits { bulk_bytes_max: 5, ..Default::default() };
        check_with(&limits, b"*1\r\n$5\r\nHELLO\r\n", &["HELLO"], None);
        check_with(&limits, b"*1\r\n$6\r\nCLIENT\r\n", &[], Some(ProtocolError::InvalidBulkLength));
    }

    #[test]
    fn no_claim_reaches_past_32_bits() {
        let limits = ParserLimits { bulk_bytes_max: usize::MAX, ..Default::default() };
        let header = "*1\r\n$4294967295\r\n";
        let largest = REQUEST_BYTES_MAX - header.len() - 2;
        check_with(&limits, format!("*1\r\n${largest}\r\n").as_bytes(), &[], None);
        for len in [largest + 1, REQUEST_BYTES_MAX, i64::MAX as usize] {
            let error = Some(ProtocolError::InvalidBulkLength);
            check_with(&limits, format!("*1\r\n${len}\r\n").as_bytes(), &[], error);
        }
    }

    #[test]
    fn lines_up_to_the_limit_are_waited_for() {
        use ProtocolError::*;
        for (before, byte, error) in
            [("", "x", InlineTooLong), ("", "*", MultibulkLineTooLong), ("*1\r\n", "$", BulkLineTooLong)]
        {
            let line = [before, &byte.repeat(INLINE_BYTES_MAX)].concat();
            let limits = ParserLimits::default();
            let parse = |more: &str| {
                let mut parser = RequestParser::new();
                assert_eq!(parser.parse(line.as_bytes(), &limits), Ok(None));
                // Nothing is searched twice.
                assert_eq!(parser.scanned as usize, line.len());
                let data = [&line, more].concat();
                let resumed = parser.parse(data.as_bytes(), &limits);
                assert_eq!(RequestParser::new().parse(data.as_bytes(), &limits), resumed);
                resumed
            };
            assert_eq!(parse(byte), Err(error));
            assert_eq!(parse(&[byte, "\r\n"].concat()), Err(error));
            assert_ne!(parse(if error == InlineTooLong { "\n" } else { "\r\n" }), Err(error));
        }
    }

    /// Resumes with bytes that changed behind the parser's back, which no caller may do: it does not notice.
    #[test]
    fn nothing_is_read_twice() {
        let limits = ParserLimits::default();
        for (seen, changed, answer) in [
            (&b"PING PING"[..], &b"PING\nPING"[..], None),
            (b"*11111", b"*1\r\n11", None),
            (b"*1\r\n$11111", b"*1\r\n$1\r\n11", None),
            (b"*1\r\n$4\r\nPI", b"????????PING\r\n", Some(14)),
            (b"*2\r\n$1\r\na\r\n$1", b"???????????$1\r\nb\r\n", Some(18)),
        ] {
            let mut parser = RequestParser::new();
            assert_eq!(parser.parse(seen, &limits), Ok(None));
            assert_eq!(parser.parse(changed, &limits), Ok(answer), "{}", seen.escape_ascii());
        }
    }

    #[test]
    fn a_claim_costs_nothing() {
        let mut parser = RequestParser::new();
        let limits = ParserLimits::default();
        assert_eq!(parser.parse(b"*1048576\r\n", &limits), Ok(None));
        assert!(parser.spans.capacity() <= SPANS_KEPT_MAX);
        let data = b"*1048576\r\n$536870912\r\nab";
        assert_eq!(parser.parse(data, &limits), Ok(None));
        assert_eq!(parser.missing(data.len()), CLAIM_BYTES_MAX);
        assert_eq!(parser.missing(1 << 20), 1 << 20);
        assert_eq!(parser.missing(24 + (512 << 20)), 0);
        assert_eq!(parser.missing(data.len() + (512 << 20) - 10), 10);
    }

    #[test]
    fn a_large_request_leaves_no_memory_behind() {
        let mut parser = RequestParser::new();
        let limits = ParserLimits::default();
        let many = format!("*5000\r\n{}", "$1\r\na\r\n".repeat(5000));
        let inline = format!("ECHO {}\r\n", "x".repeat(1000));
        for data in [many.as_bytes(), inline.as_bytes(), b"ECHO inline\r\n"] {
            assert_eq!(parser.parse(data, &limits), Ok(Some(data.len())));
            assert_eq!(parser.parse(b"", &limits), Ok(None));
            assert!(parser.spans.capacity() <= SPANS_KEPT_MAX && parser.unquoted.capacity() <= UNQUOTED_KEPT_MAX);
        }
    }
}

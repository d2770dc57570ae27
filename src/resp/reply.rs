//! Encodes replies, in the protocol version that the client chose, straight into its output.
//!
//! A reply is written front to back and never patched: aggregates announce their length first. Short lines are put
//! together in a register-sized array and appended in one fixed-size copy of which the tail is cut off again, because
//! a copy of unknown length is a call, and most replies are shorter than the call.
//!
//! | | RESP2 | RESP3 |
//! |---|---|---|
//! | null, null array | `$-1`, `*-1` | `_` |
//! | map of n pairs, set, push | array (of 2n, n, n) | `%n`, `~n`, `>n` |
//! | double, big number, verbatim | bulk string | `,1.5`, `(123`, `=7 txt:abc` |
//! | boolean | `:1`, `:0` | `#t`, `#f` |

use bytes::Bytes;

use crate::limits::LARGE_VALUE_BYTES;
use crate::resp::double::DoubleText;
use crate::resp::{Output, ProtocolError, ReplyError};

/// The version of the protocol that a client speaks: RESP2 until it says `HELLO 3`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Protocol {
    /// RESP2, what every client speaks.
    #[default]
    Resp2,
    /// RESP3: typed nulls, maps, sets, doubles, pushes.
    Resp3,
}

/// Room for a marker, twenty digits and a sign, CRLF, and the CRLF behind a bulk string.
const LINE_BYTES_MAX: usize = 32;

/// What stands around a bulk string of so many bytes, with zeroes where the string itself stands.
const WORD_FRAMES: [u128; 9] = {
    let mut frames = [0; 9];
    let mut len = 0;
    while len < frames.len() {
        let header = u32::from_le_bytes([b'$', b'0' + len as u8, b'\r', b'\n']);
        let end = u16::from_le_bytes(*b"\r\n");
        frames[len] = header as u128 | (end as u128) << (32 + 8 * len);
        len += 1;
    }
    frames
};

/// At most eight bytes as a word, the first lowest. Put together from parts that overlap, because a copy of unknown length
/// is a call.
#[inline]
fn short_word(bytes: &[u8]) -> Option<u64> {
    if bytes.len() > 8 {
        return None;
    }
    let word = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let last = u64::from(u32::from_le_bytes(*last)) << (8 * (bytes.len() - 4));
        u64::from(u32::from_le_bytes(*first)) | last
    } else {
        bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
    };
    Some(word)
}

/// Encodes the replies of one client into its [`Output`].
pub struct Reply<'a> {
    output: &'a mut Output,
    protocol: Protocol,
}

impl<'a> Reply<'a> {
    /// Replies at the end of `output`.
    #[inline]
    pub fn new(output: &'a mut Output, protocol: Protocol) -> Self {
        Self { output, protocol }
    }

    /// The version that is written.
    #[inline]
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.raw(b"+OK\r\n");
    }

    /// A simple string: one line, known to have no CR or LF in it.
    #[inline]
    pub fn simple(&mut self, text: &str) {
        debug_assert!(!text.contains(['\r', '\n']), "a simple string is one line");
        self.line(b'+', text.as_bytes());
    }

    /// An error.
    #[cold]
    pub fn error(&mut self, error: ReplyError) {
        let [first, second, third] = error.parts();
        let bytes = self.output.bytes_mut();
        bytes.reserve(1 + first.len() + second.len() + third.len() + 2);
        bytes.push(b'-');
        bytes.extend_from_slice(first.as_bytes());
        bytes.extend_from_slice(second.as_bytes());
        bytes.extend_from_slice(third.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }

    /// An error of which the caller gives the whole line, prefix included (`ERR unknown command 'x'`). What it quotes
    /// may come from the client, so CR and LF become spaces.
    pub fn error_text(&mut self, line: &str) {
        self.error_bytes(line.as_bytes());
    }

    /// As [`error_text`](Self::error_text), where what is quoted need not be UTF-8.
    #[cold]
    pub fn error_bytes(&mut self, line: &[u8]) {
        let bytes = self.output.bytes_mut();
        bytes.reserve(1 + line.len() + 2);
        bytes.push(b'-');
        bytes.extend(line.iter().map(|&byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { byte }));
        bytes.extend_from_slice(b"\r\n");
    }

    /// The last words before the connection is closed for broken framing.
    #[cold]
    pub fn protocol_error(&mut self, error: ProtocolError) {
        match error {
            // Quoted as it came, whether or not it is text.
            ProtocolError::ExpectedDollar(byte) => {
                self.error_bytes(&[b"ERR Protocol error: expected '$', got '", &[byte][..], b"'"].concat());
            }
            error => self.error_text(&format!("ERR {error}")),
        }
    }

    /// An integer.
    #[inline]
    pub fn integer(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(value) => self.header(b':', value),
            Err(_) => self.line(b':', itoa::Buffer::new().format(value).as_bytes()),
        }
    }

    /// A bulk string.
    #[inline]
    pub fn bulk(&mut self, value: &[u8]) {
        if let Some(word) = short_word(value) {
            return self.bulk_word(word, value.len());
        }
        self.output.bytes_mut().reserve(value.len() + LINE_BYTES_MAX);
        self.header(b'$', value.len() as u64);
        let bytes = self.output.bytes_mut();
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }

    /// A bulk string of `len` bytes, at most eight, that lie in a word: the first lowest, and zeroes behind the last. Answers
    /// with many short elements spend most of their time here.
    #[inline]
    pub fn bulk_word(&mut self, word: u64, len: usize) {
        let line = WORD_FRAMES[len] | u128::from(word) << 32;
        // As in `header`: one move, and the length.
        let bytes = self.output.bytes_mut();
        let end = bytes.len() + len + 6;
        bytes.extend_from_slice(&line.to_le_bytes());
        bytes.truncate(end);
    }

    /// A bulk string that is spliced into the output if it is large, so that it leaves from where it lies.
    #[inline]
    pub fn bulk_shared(&mut self, value: &Bytes) {
        if value.len() <= LARGE_VALUE_BYTES {
            return self.bulk(value);
        }
        self.header(b'$', value.len() as u64);
        self.output.push_shared(value.clone());
        self.raw(b"\r\n");
    }

    /// A bulk string that is the decimal form of `value`.
    pub fn bulk_integer(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// No value.
    #[inline]
    pub fn null(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.raw(b"$-1\r\n"),
            Protocol::Resp3 => self.raw(b"_\r\n"),
        }
    }

    /// No array: what a command that answers with an array says when there is none.
    #[inline]
    pub fn null_array(&mut self) {
        match self.protocol {
            Protocol::Resp2 => self.raw(b"*-1\r\n"),
            Protocol::Resp3 => self.raw(b"_\r\n"),
        }
    }

    /// Announces an array: the next `len` replies are its elements.
    #[inline]
    pub fn array(&mut self, len: usize) {
        self.header(b'*', len as u64);
    }

    /// Announces a map: the next `pairs` times two replies are its keys and values in turn.
    pub fn map(&mut self, pairs: usize) {
        match self.protocol {
            Protocol::Resp2 => self.header(b'*', 2 * pairs as u64),
            Protocol::Resp3 => self.header(b'%', pairs as u64),
        }
    }

    /// Announces a set: the next `len` replies are its members.
    pub fn set(&mut self, len: usize) {
        self.aggregate(b'~', len);
    }

    /// Announces a push (a message that answers no request): the next `len` replies are its elements.
    pub fn push(&mut self, len: usize) {
        self.aggregate(b'>', len);
    }

    /// A floating-point number in the layout of Redis 7.2: the shortest digits that read back the same.
    pub fn double(&mut self, value: f64) {
        let text = DoubleText::new(value);
        self.typed(b',', text.as_bytes());
    }

    /// A truth value.
    pub fn boolean(&mut self, value: bool) {
        match (self.protocol, value) {
            (Protocol::Resp2, true) => self.raw(b":1\r\n"),
            (Protocol::Resp2, false) => self.raw(b":0\r\n"),
            (Protocol::Resp3, true) => self.raw(b"#t\r\n"),
            (Protocol::Resp3, false) => self.raw(b"#f\r\n"),
        }
    }

    /// Text to be shown as it is; `format` has three letters (`txt`, `mkd`).
    pub fn verbatim(&mut self, format: &str, text: &str) {
        debug_assert_eq!(format.len(), 3, "the format of a verbatim string has three letters");
        match self.protocol {
            Protocol::Resp2 => self.bulk(text.as_bytes()),
            Protocol::Resp3 => {
                self.header(b'=', (format.len() + 1 + text.len()) as u64);
                self.raw(format.as_bytes());
                self.raw(b":");
                self.raw(text.as_bytes());
                self.raw(b"\r\n");
            }
        }
    }

    /// An integer of any size, in decimal digits.
    pub fn big_number(&mut self, digits: &str) {
        self.typed(b'(', digits.as_bytes());
    }

    /// Bytes that are encoded already: `len` bytes of `from`, beginning at `start`.
    pub fn raw_range(&mut self, from: &Output, start: usize, len: usize) {
        self.output.append_range(from, start, len);
    }

    /// Bytes that are encoded already, in this protocol version.
    #[inline]
    pub fn raw(&mut self, encoded: &[u8]) {
        self.output.bytes_mut().extend_from_slice(encoded);
    }

    /// One line in RESP3, a bulk string in RESP2.
    fn typed(&mut self, marker: u8, text: &[u8]) {
        match self.protocol {
            Protocol::Resp2 => self.bulk(text),
            Protocol::Resp3 => self.line(marker, text),
        }
    }

    fn aggregate(&mut self, marker: u8, len: usize) {
        let marker = if self.protocol == Protocol::Resp3 { marker } else { b'*' };
        self.header(marker, len as u64);
    }

    #[inline]
    fn line(&mut self, marker: u8, text: &[u8]) {
        let bytes = self.output.bytes_mut();
        bytes.reserve(text.len() + LINE_BYTES_MAX);
        bytes.push(marker);
        bytes.extend_from_slice(text);
        bytes.extend_from_slice(b"\r\n");
    }

    /// A marker, a number, and CRLF.
    #[inline]
    fn header(&mut self, marker: u8, value: u64) {
        // What is written digit by digit is below a thousand.
        let low = value as u32;
        let digit = |number: u32| b'0' + number as u8;
        let (line, len) = match value {
            0..10 => ([marker, digit(low), b'\r', b'\n', 0, 0, 0, 0], 4),
            10..100 => ([marker, digit(low / 10), digit(low % 10), b'\r', b'\n', 0, 0, 0], 5),
            100..1000 => ([marker, digit(low / 100), digit(low / 10 % 10), digit(low % 10), b'\r', b'\n', 0, 0], 6),
            _ => return self.line(marker, itoa::Buffer::new().format(value).as_bytes()),
        };
        // The copy is of a fixed length, one move; the cut is one store of the length.
        let bytes = self.output.bytes_mut();
        let end = bytes.len() + len;
        bytes.extend_from_slice(&line);
        bytes.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(protocol: Protocol, write: impl Fn(&mut Reply<'_>)) -> String {
        let mut output = Output::new();
        write(&mut Reply::new(&mut output, protocol));
        String::from_utf8(output.pieces(0).collect::<Vec<_>>().concat()).unwrap()
    }

    /// Checks both forms of a reply.
    fn check(write: impl Fn(&mut Reply<'_>), resp2: &str, resp3: &str) {
        assert_eq!(encode(Protocol::Resp2, &write), resp2);
        assert_eq!(encode(Protocol::Resp3, &write), resp3);
    }

    fn check_same(write: impl Fn(&mut Reply<'_>), both: &str) {
        check(write, both, both);
    }

    #[test]
    fn what_both_versions_share() {
        check_same(|reply| reply.ok(), "+OK\r\n");
        check_same(|reply| reply.simple("PONG"), "+PONG\r\n");
        check_same(|reply| reply.error(ReplyError::Syntax), "-ERR syntax error\r\n");
        check_same(
            |reply| reply.error(ReplyError::WrongArity("get")),
            "-ERR wrong number of arguments for 'get' command\r\n",
        );
        check_same(|reply| reply.error_text("ERR no 'a\r\nb'"), "-ERR no 'a  b'\r\n");
        check_same(
            |reply| reply.protocol_error(ProtocolError::ExpectedDollar(b'\n')),
            "-ERR Protocol error: expected '$', got ' '\r\n",
        );
        check_same(
            |reply| reply.protocol_error(ProtocolError::InvalidBulkLength),
            "-ERR Protocol error: invalid bulk length\r\n",
        );
        check_same(|reply| reply.bulk(b""), "$0\r\n\r\n");
        check_same(|reply| reply.bulk(b"a\r\nb"), "$4\r\na\r\nb\r\n");
        check_same(|reply| reply.bulk_integer(-12), "$3\r\n-12\r\n");
        check_same(|reply| reply.array(0), "*0\r\n");
        check_same(|reply| reply.raw(b":1\r\n"), ":1\r\n");
    }

    #[test]
    fn integers_of_every_length() {
        for value in (0..19).flat_map(|power| [10_i64.pow(power) - 1, 10_i64.pow(power), -(10_i64.pow(power))]) {
            check_same(|reply| reply.integer(value), &format!(":{value}\r\n"));
        }
        check_same(|reply| reply.integer(i64::MIN), ":-9223372036854775808\r\n");
        check_same(|reply| reply.integer(i64::MAX), ":9223372036854775807\r\n");
    }

    #[test]
    fn bulk_strings_of_every_length() {
        for len in (0..12).chain([99, 100, 999, 1000, 123_456]) {
            let value: String = ('a'..='z').cycle().take(len).collect();
            check_same(|reply| reply.bulk(value.as_bytes()), &format!("${len}\r\n{value}\r\n"));
        }
    }

    #[test]
    fn what_resp3_types() {
        check(|reply| reply.null(), "$-1\r\n", "_\r\n");
        check(|reply| reply.null_array(), "*-1\r\n", "_\r\n");
        check(|reply| reply.map(2), "*4\r\n", "%2\r\n");
        check(|reply| reply.set(3), "*3\r\n", "~3\r\n");
        check(|reply| reply.push(3), "*3\r\n", ">3\r\n");
        check(|reply| reply.boolean(true), ":1\r\n", "#t\r\n");
        check(|reply| reply.boolean(false), ":0\r\n", "#f\r\n");
        check(|reply| reply.double(0.1), "$3\r\n0.1\r\n", ",0.1\r\n");
        check(|reply| reply.double(f64::NEG_INFINITY), "$4\r\n-inf\r\n", ",-inf\r\n");
        check(|reply| reply.verbatim("txt", "abc"), "$3\r\nabc\r\n", "=7\r\ntxt:abc\r\n");
        check(|reply| reply.big_number("-123"), "$4\r\n-123\r\n", "(-123\r\n");
    }

    #[test]
    fn only_large_values_are_spliced() {
        for (len, large) in [(LARGE_VALUE_BYTES, false), (LARGE_VALUE_BYTES + 1, true)] {
            let value = Bytes::from(vec![b'v'; len]);
            let mut output = Output::new();
            let mut reply = Reply::new(&mut output, Protocol::Resp2);
            reply.bulk_shared(&value);
            reply.ok();
            assert_eq!(output.has_large(), large);
            let expected = [format!("${len}\r\n").as_bytes(), &value, b"\r\n+OK\r\n"].concat();
            assert_eq!(output.len(), expected.len());
            assert_eq!(output.pieces(0).collect::<Vec<_>>().concat(), expected);
        }
    }
}

//! Replies: a strict decoder that keeps what RESP distinguishes, and the notation that transcripts are written in.
//!
//! ```text
//! +OK  -ERR text  :1  word  "two words"  ""  (nil)=$-1  (nil array)=*-1  [a, :1, [b]]
//! RESP3: (null)=_  #t  ,1.5  (123  {key: value}  ~[a, b]  >[a, b]  =txt "text"
//! ```
//!
//! A bulk string stands bare when it could be nothing else, and in double quotes with escapes otherwise.
//! Every decoded reply is also decoded by the redis-protocol crate, which must agree on where it ends: so neither
//! decoder can hide a malformed reply.

use std::fmt;

use bytes::Bytes;

use crate::words::escape;

/// One reply.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Value {
    /// `+text`
    Simple(Vec<u8>),
    /// `-text`
    Error(Vec<u8>),
    /// `:number`
    Integer(i64),
    /// `$length`
    Bulk(Vec<u8>),
    /// `$-1`
    Nil,
    /// `*-1`
    NilArray,
    /// `*length`
    Array(Vec<Value>),
    /// `_`
    Null,
    /// `#t` or `#f`
    Boolean(bool),
    /// `,number`, as text
    Double(Vec<u8>),
    /// `(number`, as text
    BigNumber(Vec<u8>),
    /// `=length`, with its three-letter format
    Verbatim(Vec<u8>, Vec<u8>),
    /// `%pairs`
    Map(Vec<(Value, Value)>),
    /// `~length`
    Set(Vec<Value>),
    /// `>length`
    Push(Vec<Value>),
}

/// What the decoder found at the start of some bytes.
#[derive(Debug)]
pub enum Decoded {
    /// A reply, and how many bytes it took.
    Complete(Value, usize),
    /// The reply has at least this many bytes, more than there are.
    Incomplete(usize),
    /// Not RESP; the text says where and why.
    Malformed(String),
}

enum Stop {
    Incomplete(usize),
    Malformed(String),
}

/// Decodes the reply at the start of `input`.
pub fn decode(input: &[u8]) -> Decoded {
    let mut cursor = Cursor { input, at: 0 };
    match cursor.value(0) {
        Ok(value) => match has_second_opinion(&value) && !second_opinion(&input[..cursor.at]) {
            false => Decoded::Complete(value, cursor.at),
            true => Decoded::Malformed(format!("redis-protocol reads {value} differently")),
        },
        Err(Stop::Incomplete(length)) => Decoded::Incomplete(length),
        Err(Stop::Malformed(text)) => Decoded::Malformed(format!("byte {}: {text}", cursor.at)),
    }
}

/// Whether the redis-protocol crate can hold the value: it wants lines in UTF-8, and nothing nested in sets or keys.
fn has_second_opinion(value: &Value) -> bool {
    let scalar = |item: &Value| !matches!(item.mark(), '*' | '%' | '~' | '>') && has_second_opinion(item);
    match value {
        Value::Simple(text) | Value::Error(text) => std::str::from_utf8(text).is_ok(),
        Value::Array(items) | Value::Push(items) => items.iter().all(has_second_opinion),
        Value::Set(items) => items.iter().all(scalar),
        Value::Map(pairs) => pairs.iter().all(|(name, value)| scalar(name) && has_second_opinion(value)),
        _ => true,
    }
}

/// Whether the redis-protocol crate reads `reply` as exactly one frame. Its RESP3 decoder speaks both versions but for
/// `$-1` and `*-1`, which only its RESP2 decoder knows. Large replies say nothing new about framing.
fn second_opinion(reply: &[u8]) -> bool {
    use redis_protocol::{resp2, resp3};
    if reply.len() > 4096 {
        return true;
    }
    let bytes = Bytes::copy_from_slice(reply);
    let second = resp2::decode::decode_bytes(&bytes).ok().flatten().map(|(_, used)| used);
    let third = || resp3::decode::complete::decode_bytes(&bytes).ok().flatten().map(|(_, used)| used);
    second == Some(reply.len()) || third() == Some(reply.len())
}

struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn line(&mut self) -> Result<&'a [u8], Stop> {
        let rest = &self.input[self.at..];
        let end = rest.iter().position(|&byte| byte == b'\n').ok_or(Stop::Incomplete(self.input.len() + 1))?;
        if end == 0 || rest[end - 1] != b'\r' {
            return Err(Stop::Malformed("a line ends in LF without CR".to_owned()));
        }
        self.at += end + 1;
        Ok(&rest[..end - 1])
    }

    fn blob(&mut self, length: i64) -> Result<&'a [u8], Stop> {
        let length = usize::try_from(length).map_err(|_| Stop::Malformed(format!("length {length}")))?;
        let rest = &self.input[self.at..];
        if rest.len() < length + 2 {
            return Err(Stop::Incomplete(self.at + length + 2));
        }
        if &rest[length..length + 2] != b"\r\n" {
            return Err(Stop::Malformed("a bulk string does not end in CRLF".to_owned()));
        }
        self.at += length + 2;
        Ok(&rest[..length])
    }

    fn values(&mut self, count: i64, depth: usize) -> Result<Vec<Value>, Stop> {
        if count < 0 {
            return Err(Stop::Malformed(format!("length {count}")));
        }
        // The shortest value has three bytes: what is still to come is known to be at least that long.
        let wait_for_rest = |at: i64, stop: Stop| match stop {
            Stop::Incomplete(length) => Stop::Incomplete(length + 3 * (count - at - 1) as usize),
            malformed => malformed,
        };
        (0..count).map(|at| self.value(depth + 1).map_err(|stop| wait_for_rest(at, stop))).collect()
    }

    fn value(&mut self, depth: usize) -> Result<Value, Stop> {
        if depth > 64 {
            return Err(Stop::Malformed("nested deeper than any reply of Redis".to_owned()));
        }
        let line = self.line()?;
        let Some((&mark, text)) = line.split_first() else {
            return Err(Stop::Malformed("an empty line".to_owned()));
        };
        let number = || {
            let digits = std::str::from_utf8(text).ok().and_then(|text| text.parse::<i64>().ok());
            digits.ok_or_else(|| Stop::Malformed(format!("{} is no number", escape(text))))
        };
        Ok(match mark {
            b'+' => Value::Simple(text.to_vec()),
            b'-' => Value::Error(text.to_vec()),
            b':' => Value::Integer(number()?),
            b'$' if text == b"-1" => Value::Nil,
            b'$' => Value::Bulk(self.blob(number()?)?.to_vec()),
            b'*' if text == b"-1" => Value::NilArray,
            b'*' => Value::Array(self.values(number()?, depth)?),
            b'_' if text.is_empty() => Value::Null,
            b'#' if text == b"t" || text == b"f" => Value::Boolean(text == b"t"),
            b',' => Value::Double(text.to_vec()),
            b'(' => Value::BigNumber(text.to_vec()),
            b'=' => match self.blob(number()?)?.split_at_checked(4) {
                Some((format, text)) if format[3] == b':' => Value::Verbatim(format[..3].to_vec(), text.to_vec()),
                _ => return Err(Stop::Malformed("a verbatim string without a format".to_owned())),
            },
            b'%' => {
                let flat = self.values(number()?.saturating_mul(2), depth)?;
                Value::Map(flat.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect())
            }
            b'~' => Value::Set(self.values(number()?, depth)?),
            b'>' => Value::Push(self.values(number()?, depth)?),
            other => return Err(Stop::Malformed(format!("a reply starts with {}", escape(&[other])))),
        })
    }
}

impl Value {
    /// The bytes of a string of any kind.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Simple(text) | Value::Bulk(text) | Value::Verbatim(_, text) => Some(text),
            _ => None,
        }
    }

    /// The text of a string of any kind; panics for anything else.
    pub fn text(&self) -> String {
        let bytes = self.bytes().unwrap_or_else(|| panic!("a string is expected, not {self}"));
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// The integer; panics for anything else.
    pub fn integer(&self) -> i64 {
        match self {
            Value::Integer(integer) => *integer,
            other => panic!("an integer is expected, not {other}"),
        }
    }

    /// The elements of an array, set or push; panics for anything else.
    pub fn items(&self) -> &[Value] {
        match self {
            Value::Array(items) | Value::Set(items) | Value::Push(items) => items,
            other => panic!("an array is expected, not {other}"),
        }
    }

    /// The pairs of a map, or of a flat array as RESP2 sends maps; panics for anything else.
    pub fn pairs(&self) -> Vec<(Value, Value)> {
        match self {
            Value::Map(pairs) => pairs.clone(),
            Value::Array(items) => items.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect(),
            other => panic!("a map is expected, not {other}"),
        }
    }

    /// Whether this is an error.
    pub fn is_error(&self) -> bool {
        matches!(self, Value::Error(_))
    }

    /// Whether this is one of the ways to say that there is nothing.
    pub fn is_nil(&self) -> bool {
        matches!(self, Value::Nil | Value::NilArray | Value::Null)
    }

    /// The kind of the value as its first byte on the wire.
    pub fn mark(&self) -> char {
        match self {
            Value::Simple(_) => '+',
            Value::Error(_) => '-',
            Value::Integer(_) => ':',
            Value::Bulk(_) | Value::Nil => '$',
            Value::NilArray | Value::Array(_) => '*',
            Value::Null => '_',
            Value::Boolean(_) => '#',
            Value::Double(_) => ',',
            Value::BigNumber(_) => '(',
            Value::Verbatim(..) => '=',
            Value::Map(_) => '%',
            Value::Set(_) => '~',
            Value::Push(_) => '>',
        }
    }
}

/// Whether a bulk string can stand bare: it must not look like any other kind of reply.
fn stands_bare(text: &[u8]) -> bool {
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/' | b'+' | b'|' | b'@');
    let first = text.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@'));
    let number = text.first() == Some(&b'-') && text.get(1).is_some_and(u8::is_ascii_digit);
    (first || number) && text.iter().all(plain)
}

fn list(f: &mut fmt::Formatter<'_>, open: &str, items: &[Value]) -> fmt::Result {
    f.write_str(open)?;
    for (at, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if at > 0 { ", " } else { "" })?;
    }
    f.write_str("]")
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Simple(text) => write!(f, "+{}", String::from_utf8_lossy(text)),
            Value::Error(text) => write!(f, "-{}", String::from_utf8_lossy(text)),
            Value::Integer(integer) => write!(f, ":{integer}"),
            Value::Bulk(text) if stands_bare(text) => f.write_str(&String::from_utf8_lossy(text)),
            Value::Bulk(text) => f.write_str(&escape(text)),
            Value::Nil => f.write_str("(nil)"),
            Value::NilArray => f.write_str("(nil array)"),
            Value::Array(items) => list(f, "[", items),
            Value::Null => f.write_str("(null)"),
            Value::Boolean(truth) => f.write_str(if *truth { "#t" } else { "#f" }),
            Value::Double(text) => write!(f, ",{}", String::from_utf8_lossy(text)),
            Value::BigNumber(text) => write!(f, "({}", String::from_utf8_lossy(text)),
            Value::Verbatim(format, text) => write!(f, "={} {}", String::from_utf8_lossy(format), escape(text)),
            Value::Map(pairs) => {
                f.write_str("{")?;
                for (at, (key, value)) in pairs.iter().enumerate() {
                    write!(f, "{}{key}: {value}", if at > 0 { ", " } else { "" })?;
                }
                f.write_str("}")
            }
            Value::Set(items) => list(f, "~[", items),
            Value::Push(items) => list(f, ">[", items),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notation(input: &[u8]) -> String {
        match decode(input) {
            Decoded::Complete(value, used) if used == input.len() => value.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn every_kind_has_its_notation() {
        assert_eq!(
            notation(b"*5\r\n+OK\r\n:-1\r\n$5\r\na b\r\n\r\n$-1\r\n*0\r\n"),
            r#"[+OK, :-1, "a b\r\n", (nil), []]"#
        );
        assert_eq!(notation(b"$2\r\n-1\r\n"), "-1");
        assert_eq!(notation(b"*-1\r\n"), "(nil array)");
        assert_eq!(notation(b"%1\r\n$1\r\nk\r\n,1.5\r\n"), "{k: ,1.5}");
        assert_eq!(notation(b"~2\r\n#t\r\n_\r\n"), "~[#t, (null)]");
        assert_eq!(notation(b"=6\r\ntxt:hi\r\n"), r#"=txt "hi""#);
    }

    #[test]
    fn malformed_replies_are_not_read() {
        for input in [&b"+OK\n"[..], b"$2\r\nabc\r\n", b"!x\r\n", b":1x\r\n", b"*-2\r\n", b"$-2\r\n"] {
            assert!(matches!(decode(input), Decoded::Malformed(_)), "{}", escape(input));
        }
        assert!(matches!(decode(b"*2\r\n:1\r\n"), Decoded::Incomplete(9)));
        assert!(matches!(decode(b"*5\r\n:1\r\n"), Decoded::Incomplete(18)));
        assert!(matches!(decode(b"$9\r\n"), Decoded::Incomplete(15)));
    }
}

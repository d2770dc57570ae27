//! Inline requests: a line as a human types it, split into arguments with Redis's quoting.
//!
//! ```text
//!   SET  key "a b\x41\n"  'it\'s'       ->  SET | key | a bA<LF> | it's
//! ```
//!
//! Arguments are separated by blanks. Within `"` a backslash escapes: `\xHH`, `\n`, `\r`, `\t`, `\b`, `\a`, and any
//! other character stands for itself. Within `'` only `\'` is special. A quote may open in the middle of an argument,
//! but behind a closing one must come a blank or the end.

use crate::resp::{ProtocolError, Span};

/// Splits `line` (without its line end), appending the bytes of the arguments to `text` and their places to `spans`.
pub(super) fn split(line: &[u8], text: &mut Vec<u8>, spans: &mut Vec<Span>) -> Result<(), ProtocolError> {
    let mut rest = skip_blanks(line);
    while !rest.is_empty() {
        let start = text.len();
        rest = argument(rest, text).ok_or(ProtocolError::UnbalancedQuotes)?;
        spans.push(Span { start: start as u32, len: (text.len() - start) as u32 });
        rest = skip_blanks(rest);
    }
    Ok(())
}

/// Appends the argument at the beginning of `rest`, and returns what is behind it.
fn argument<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        match rest {
            [] | [b' ' | b'\t' | b'\r', ..] => return Some(rest),
            [b'"', quoted @ ..] => return double_quoted(quoted, text),
            [b'\'', quoted @ ..] => return single_quoted(quoted, text),
            [byte, behind @ ..] => {
                text.push(*byte);
                rest = behind;
            }
        }
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, behind) = match rest {
            [] => return None,
            [b'"', behind @ ..] => return closed(behind),
            [b'\\', b'x', high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex(*high) << 4 | hex(*low), behind)
            }
            [b'\\', escaped, behind @ ..] => (unescape(*escaped), behind),
            [byte, behind @ ..] => (*byte, behind),
        };
        text.push(byte);
        rest = behind;
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> Option<&'a [u8]> {
    loop {
        let (byte, behind) = match rest {
            [] => return None,
            [b'\'', behind @ ..] => return closed(behind),
            [b'\\', b'\'', behind @ ..] => (b'\'', behind),
            [byte, behind @ ..] => (*byte, behind),
        };
        text.push(byte);
        rest = behind;
    }
}

/// What is behind a closing quote, if the argument ends there.
fn closed(behind: &[u8]) -> Option<&[u8]> {
    behind.first().is_none_or(|&byte| is_blank(byte)).then_some(behind)
}

fn skip_blanks(line: &[u8]) -> &[u8] {
    let blanks = line.iter().take_while(|&&byte| is_blank(byte)).count();
    &line[blanks..]
}

/// What C calls space. Vertical tab and form feed are skipped between arguments, but do not end one.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn unescape(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::resp::Request;

    fn arguments(line: &[u8]) -> Result<Vec<Vec<u8>>, ProtocolError> {
        let (mut text, mut spans) = (Vec::new(), Vec::new());
        split(line, &mut text, &mut spans)?;
        Ok(Request::new(&text, &spans).iter().map(<[u8]>::to_vec).collect())
    }

    #[track_caller]
    fn check(line: &[u8], expected: &[&[u8]]) {
        assert_eq!(arguments(line).unwrap(), expected, "{}", line.escape_ascii());
    }

    #[test]
    fn arguments_and_quotes() {
        check(b"", &[]);
        check(b" \t ", &[]);
        check(b"PING", &[b"PING"]);
        check(b"  SET  k\tv\r", &[b"SET", b"k", b"v"]);
        check(br#"ECHO "a b\x41\n\t\r\b\a\q\"" "#, &[b"ECHO", b"a bA\n\t\r\x08\x07q\""]);
        check(br"ECHO 'a\'b\n'", &[b"ECHO", br"a'b\n"]);
        check(br#"ECHO a"b c""#, &[b"ECHO", b"ab c"]);
        check(br#"ECHO "\x4" "\xZZ" "\x""#, &[b"ECHO", b"x4", b"xZZ", b"x"]);
        check(br#"ECHO "" ''"#, &[b"ECHO", b"", b""]);
        check(br"ECHO a\nb", &[b"ECHO", br"a\nb"]);
        check(b"\x0b\x0cECHO \x0ba\x0c", &[b"ECHO", b"a\x0c"]);
        check(b"ECHO \"a\"\x0bb", &[b"ECHO", b"a", b"b"]);
        check(b"ECHO \xff\xfe", &[b"ECHO", b"\xff\xfe"]);
    }

    #[test]
    fn unbalanced_quotes() {
        for line in [r#""a"#, "'a", r#""a"b"#, "'a'b", r#""a""b""#, r#"a'b c'"d""#, r#""a\"#, r#""a\""#, r"'a\'"] {
            assert_eq!(arguments(line.as_bytes()), Err(ProtocolError::UnbalancedQuotes), "{line}");
        }
    }

    proptest! {
        #[test]
        fn what_is_quoted_comes_back(sent in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 0..5)) {
            let quoted = |argument: &Vec<u8>| {
                let bytes: String = argument.iter().map(|byte| format!("\\x{byte:02X}")).collect();
                format!("\"{bytes}\"")
            };
            let line = sent.iter().map(quoted).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(arguments(line.as_bytes()).unwrap(), sent);
        }
    }
}

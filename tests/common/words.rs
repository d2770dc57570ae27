//! Command lines in redis-cli's quoting, both ways.

/// Splits a command line as redis-cli does: blanks separate, double quotes know `\n \r \t \b \a \xHH`, single quotes
/// only `\'`. A malformed line is a mistake in the test and panics.
pub fn split_words(line: &str) -> Vec<Vec<u8>> {
    let bytes = line.as_bytes();
    let (mut words, mut at) = (Vec::new(), 0);
    loop {
        while bytes.get(at).is_some_and(u8::is_ascii_whitespace) {
            at += 1;
        }
        match bytes.get(at) {
            None => return words,
            Some(&mark @ (b'"' | b'\'')) => {
                let (word, end) = quoted(bytes, at + 1, mark).unwrap_or_else(|| panic!("unbalanced quotes: {line}"));
                assert!(bytes.get(end).is_none_or(u8::is_ascii_whitespace), "text behind a closing quote: {line}");
                words.push(word);
                at = end;
            }
            Some(_) => {
                let start = at;
                while bytes.get(at).is_some_and(|byte| !byte.is_ascii_whitespace()) {
                    at += 1;
                }
                words.push(bytes[start..at].to_vec());
            }
        }
    }
}

/// The content of a quoted word that starts at `at`, and the position behind its closing quote.
fn quoted(bytes: &[u8], mut at: usize, mark: u8) -> Option<(Vec<u8>, usize)> {
    let mut word = Vec::new();
    loop {
        let byte = *bytes.get(at)?;
        at += 1;
        if byte == mark {
            return Some((word, at));
        }
        if byte != b'\\' || (mark == b'\'' && bytes.get(at) != Some(&b'\'')) {
            word.push(byte);
            continue;
        }
        let escaped = *bytes.get(at)?;
        at += 1;
        word.push(match escaped {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 8,
            b'a' => 7,
            b'x' => {
                let digits = std::str::from_utf8(bytes.get(at..at + 2)?).ok()?;
                at += 2;
                u8::from_str_radix(digits, 16).ok()?
            }
            other => other,
        });
    }
}

/// A word that `split_words` reads back: bare if it can be, else in double quotes.
pub fn quote(word: &[u8]) -> String {
    let bare = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.iter().all(bare) { String::from_utf8_lossy(word).into_owned() } else { escape(word) }
}

/// A word in double quotes with escapes for whatever is not printable ASCII.
pub(crate) fn escape(word: &[u8]) -> String {
    let mut text = String::from("\"");
    for &byte in word {
        match byte {
            b'"' => text.push_str("\\\""),
            b'\\' => text.push_str("\\\\"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text.push('"');
    text
}

/// A whole command line in redis-cli's quoting; words above 200 bytes are cut, with their length.
pub fn join_words<W: AsRef<[u8]>>(words: &[W]) -> String {
    let word = |word: &W| match word.as_ref() {
        long if long.len() > 200 => format!("{}...({} bytes)", quote(&long[..40]), long.len()),
        short => quote(short),
    };
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_both_ways() {
        let words: Vec<Vec<u8>> =
            vec![b"SET".to_vec(), b"".to_vec(), b"a \"b'\\\r\n\xff\x00".to_vec(), b"it's".to_vec()];
        assert_eq!(split_words(&join_words(&words)), words);
        assert_eq!(split_words(r"  GET 'a\'b\n'  "), vec![b"GET".to_vec(), br"a'b\n".to_vec()]);
    }
}

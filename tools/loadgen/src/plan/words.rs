//! From the text of a workload to the words of its commands.
//!
//! ```text
//!   9: GET __key__ | 1: MULTI; INCR "a key"; EXEC
//!   `------------'   `--------------------------'   items, with their weights
//!                       `---'  `----------'  `--'   commands
//!                              INCR, `a key`        words, quoted as in redis-cli
//! ```
//!
//! What stands in quotes separates nothing. The words are split by the server's own parser of inline requests.

use corewise::resp::{ParserLimits, RequestParser};

use super::{PlanError, quantity};

/// The words of one command.
pub(super) type Command = Vec<Vec<u8>>;

/// A part of a workload's text, with its weight among the others.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Item<'a> {
    pub(super) weight: f64,
    pub(super) text: &'a str,
}

/// Cuts a workload's text at each `|`.
pub(super) fn items(text: &str) -> Result<Vec<Item<'_>>, PlanError> {
    let item = |part: &'_ str| -> Result<(f64, usize), PlanError> {
        let Some((front, _)) = part.split_once(':') else { return Ok((1.0, 0)) };
        match quantity::decimal(front) {
            Some(weight) if weight > 0.0 && weight.is_finite() => Ok((weight, front.len() + 1)),
            Some(_) => Err(PlanError(format!("the weight of {part:?} must be above zero"))),
            None => Ok((1.0, 0)),
        }
    };
    let mut items = Vec::new();
    for part in cut(text, b'|') {
        let part = part.trim();
        let (weight, front) = item(part)?;
        let text = part[front..].trim();
        if text.is_empty() {
            return Err(PlanError("the workload has an empty part".to_owned()));
        }
        items.push(Item { weight, text });
    }
    Ok(items)
}

/// Cuts an item at each `;`, and its commands into words.
pub(super) fn commands(text: &str) -> Result<Vec<Command>, PlanError> {
    let mut parts = cut(text, b';');
    // A semicolon may stand at the end too.
    if parts.len() > 1 && parts.last().is_some_and(|last| last.trim().is_empty()) {
        parts.pop();
    }
    parts.into_iter().map(command).collect()
}

fn command(text: &str) -> Result<Command, PlanError> {
    let text = text.trim();
    let wrong = |what: &str| Err(PlanError(format!("the command {text:?} {what}")));
    if text.is_empty() {
        return Err(PlanError("there is no command before a semicolon".to_owned()));
    }
    if text.starts_with('*') {
        return wrong("cannot begin with *");
    }
    if text.contains(['\r', '\n']) {
        return wrong("must be one line: a line end is written \"\\n\"");
    }
    let line = format!("{text}\r\n");
    let mut parser = RequestParser::new();
    match parser.parse(line.as_bytes(), &ParserLimits::default()) {
        Ok(Some(_)) => {}
        Ok(None) => return wrong("is not complete"),
        Err(error) => return wrong(&format!("cannot be split into words: {error}")),
    }
    let words: Command = parser.request(line.as_bytes()).iter().map(<[u8]>::to_vec).collect();
    match words.first() {
        Some(name) if !name.is_empty() => Ok(words),
        _ => wrong("has no name"),
    }
}

/// The parts between marks that stand outside of quotes.
fn cut(text: &str, mark: u8) -> Vec<&str> {
    let (mut parts, mut start, mut quote, mut escaped) = (Vec::new(), 0, None, false);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            _ if escaped => escaped = false,
            // Within `'` a backslash is nothing special, unless before another `'`.
            (Some(open), b'\\') => escaped = open == b'"' || text.as_bytes().get(at + 1) == Some(&b'\''),
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, _) if byte == mark => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&[&str]]) {
        let expected: Vec<Command> =
            expected.iter().map(|words| words.iter().map(|word| word.as_bytes().to_vec()).collect()).collect();
        assert_eq!(commands(text).unwrap(), expected, "{text}");
    }

    #[test]
    fn commands_and_words() {
        check("PING", &[&["PING"]]);
        check("MULTI; INCR __key__; EXEC", &[&["MULTI"], &["INCR", "__key__"], &["EXEC"]]);
        check("MULTI;EXEC;", &[&["MULTI"], &["EXEC"]]);
        check(r#"SET "a;b" 'c|d'"#, &[&["SET", "a;b", "c|d"]]);
        check(r#"ECHO "\";\"" ; PING"#, &[&["ECHO", "\";\""], &["PING"]]);
        check(
            r#"EVAL "return redis.call('get', KEYS[1])" 1 k"#,
            &[&["EVAL", "return redis.call('get', KEYS[1])", "1", "k"]],
        );
        check(
            r"ECHO 'a\b;' ; ECHO 'it\'s;' ; ECHO '\\';'",
            &[&["ECHO", r"a\b;"], &["ECHO", "it's;"], &["ECHO", r"\';"]],
        );
        check(r#"SET k """#, &[&["SET", "k", ""]]);
    }

    #[test]
    fn what_is_no_command_is_told_why() {
        let error = |text: &str| commands(text).unwrap_err().0;
        assert!(error(";PING").contains("before a semicolon"));
        assert!(error("PING;;PING").contains("before a semicolon"));
        assert!(error("").contains("no command"));
        assert!(error("SET \"a").contains("unbalanced quotes"), "{}", error("SET \"a"));
        assert!(error("*1").contains("begin with *"));
        assert!(error("SET a\nb").contains("one line"));
        assert!(error("'' a").contains("no name"));
    }

    #[test]
    fn items_have_weights() {
        let item = |weight, text| Item { weight, text };
        assert_eq!(items("get"), Ok(vec![item(1.0, "get")]));
        assert_eq!(items("9: GET a | 1.5:SET b 'x|y'"), Ok(vec![item(9.0, "GET a"), item(1.5, "SET b 'x|y'")]));
        assert_eq!(items("mixed 9:1"), Ok(vec![item(1.0, "mixed 9:1")]));
        assert_eq!(items("GET a:b"), Ok(vec![item(1.0, "GET a:b")]));
        assert!(items("get | ").unwrap_err().0.contains("empty part"));
        assert!(items("0: get").unwrap_err().0.contains("above zero"));
        assert!(items("").is_err());
    }
}

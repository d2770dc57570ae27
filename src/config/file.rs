//! The configuration file: lines of a setting's name and its value, as in redis.conf, with Redis's quoting.
//!
//! ```text
//! # a comment                                 lines of their own only, as in Redis
//! maxmemory 1gb
//! requirepass "with \"quotes\", \x41 and \n"  'or with \' alone'
//! client-output-buffer-limit pubsub 32mb 8mb 60
//! ```
//!
//! Knows text alone, not where it lies. Invariant: a file that was rewritten yields the configuration that it was
//! rewritten for, and keeps every comment and every line that already said the same.

use std::fmt::Write as _;

use super::settings::{Change, Config, SETTINGS, Setting};
use super::value::Arguments;

/// Stands above the lines that CONFIG REWRITE added.
const MARKER: &str = "# Written by CONFIG REWRITE";

/// A line that says something.
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: usize,
    /// The name and the words of the value, or why they cannot be told apart.
    pub(super) words: Result<Vec<String>, &'static str>,
}

/// The lines that say something.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line> + '_ {
    let numbered = text.lines().zip(1..).map(|(line, number)| (number, split(line)));
    numbered.filter(|(_, words)| words != &Ok(Vec::new())).map(|(number, words)| Line { number, words })
}

/// The value that the words behind a setting's name come to, if their number is right.
pub(super) fn value(setting: &Setting, words: &[String]) -> Option<String> {
    match ((setting.arguments)(), words) {
        (Arguments::One | Arguments::Optional, [value]) => Some(value.clone()),
        (Arguments::Optional, []) => Some("yes".to_owned()),
        (Arguments::One | Arguments::Optional, _) => None,
        (Arguments::Several | Arguments::Repeated, words) => Some(words.join(" ")),
    }
}

/// The words of a line; none for a comment and a blank line.
fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut rest = line.trim_ascii().as_bytes();
    let mut words = Vec::new();
    if rest.first() == Some(&b'#') {
        return Ok(words);
    }
    while !rest.is_empty() {
        let mut word = Vec::new();
        rest = take_word(rest, &mut word)?.trim_ascii_start();
        words.push(String::from_utf8(word).map_err(|_| "its escapes are no valid UTF-8")?);
    }
    Ok(words)
}

/// Moves the first word of `rest` to `word` and returns what follows it.
fn take_word<'a>(mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], &'static str> {
    loop {
        rest = match rest {
            [] => return Ok(rest),
            [blank, ..] if blank.is_ascii_whitespace() => return Ok(rest),
            [quote @ (b'"' | b'\''), inside @ ..] => {
                let behind = take_quoted(*quote, inside, word)?;
                return match behind {
                    [next, ..] if !next.is_ascii_whitespace() => Err("a closing quote must end a word"),
                    _ => Ok(behind),
                };
            }
            [byte, behind @ ..] => {
                word.push(*byte);
                behind
            }
        };
    }
}

/// Moves what stands before the closing quote to `word` and returns what follows the quote.
fn take_quoted<'a>(quote: u8, mut rest: &'a [u8], word: &mut Vec<u8>) -> Result<&'a [u8], &'static str> {
    loop {
        let byte;
        (byte, rest) = match rest {
            [] => return Err("a quote is not closed"),
            [first, behind @ ..] if *first == quote => return Ok(behind),
            [b'\\', b'\'', behind @ ..] if quote == b'\'' => (b'\'', behind),
            [b'\\', b'x', high, low, behind @ ..] if quote == b'"' && hex(*high, *low).is_some() => {
                (hex(*high, *low).unwrap_or_default(), behind)
            }
            [b'\\', escaped, behind @ ..] if quote == b'"' => (unescape(*escaped), behind),
            [first, behind @ ..] => (*first, behind),
        };
        word.push(byte);
    }
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn unescape(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'a' => 7,
        other => other,
    }
}

/// `word` so that [`split`] reads it as one word.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"\"'".contains(&byte) || !byte.is_ascii();
    if !word.is_empty() && word.bytes().all(plain) {
        return word.to_owned();
    }
    let mut text = String::from("\"");
    for char in word.chars() {
        match char {
            '"' | '\\' => text.extend(['\\', char]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control.is_ascii_control() => {
                let _ = write!(text, "\\x{:02x}", u32::from(control));
            }
            _ => text.push(char),
        }
    }
    text.push('"');
    text
}

/// The lines of a file that give `setting` the value that it has in `config`.
fn written(setting: &Setting, config: &Config) -> Vec<String> {
    let word = |value: String| match (setting.arguments)() {
        Arguments::One | Arguments::Optional => quoted(&value),
        // Their words have no need of quotes; only no word at all does.
        Arguments::Several | Arguments::Repeated if value.is_empty() => quoted(&value),
        Arguments::Several | Arguments::Repeated => value,
    };
    (setting.lines)(config).into_iter().map(|value| format!("{} {}", setting.name, word(value))).collect()
}

/// The text of the file with the settings of `config`. Lines that already say the same stay as they are, one that does
/// not is replaced where it stands, and what differs from the default and stands nowhere is added at the end.
pub fn rewrite(config: &Config, text: &str) -> String {
    let names: Vec<Option<&'static Setting>> = text.lines().map(setting_of_line).collect();
    let mut result = String::with_capacity(text.len());
    let mut put = |line: &str| {
        result.push_str(line);
        result.push('\n');
    };
    for (index, line) in text.lines().enumerate() {
        match names[index] {
            Some(setting) if !says(text, setting, config) => {
                let first = !names[..index].iter().flatten().any(|other| other.name == setting.name);
                if first {
                    written(setting, config).iter().for_each(|line| put(line));
                }
            }
            _ => put(line),
        }
    }
    let standard = Config::default();
    let mut marked = text.lines().any(|line| line.trim_ascii() == MARKER);
    for setting in SETTINGS.iter().filter(|setting| setting.change != Change::Hidden) {
        let stands = names.iter().flatten().any(|other| other.name == setting.name);
        if !stands && (setting.lines)(config) != (setting.lines)(&standard) {
            if !marked {
                put(if text.is_empty() { MARKER } else { "\n# Written by CONFIG REWRITE" });
                marked = true;
            }
            written(setting, config).iter().for_each(|line| put(line));
        }
    }
    result
}

fn setting_of_line(line: &str) -> Option<&'static Setting> {
    Setting::named(split(line).ok()?.first()?)
}

/// Whether the lines of `text` alone, without one too many, give `setting` the value that it has in `config`.
fn says(text: &str, setting: &Setting, config: &Config) -> bool {
    let mut result = Config::default();
    let mut count = 0;
    for words in lines(text).filter_map(|line| line.words.ok()).filter(|words| same(setting, words)) {
        let Some(value) = value(setting, &words[1..]) else { return false };
        if (setting.write)(&mut result, &value).is_err() {
            return false;
        }
        count += 1;
    }
    let tidy = count == 1 || (setting.arguments)() == Arguments::Repeated;
    tidy && (setting.lines)(&result) == (setting.lines)(config)
}

fn same(setting: &Setting, words: &[String]) -> bool {
    words.first().is_some_and(|name| setting.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MemoryLimit;
    use proptest::prelude::*;

    #[test]
    fn words_are_split_as_in_redis() {
        let check = |line: &str, words: &[&str]| assert_eq!(split(line).unwrap(), words, "{line}");
        check("  # comment", &[]);
        check(" \t", &[]);
        check(" timeout\t 3 # foo\r", &["timeout", "3", "#", "foo"]);
        check(r#"save """#, &["save", ""]);
        check(r#"requirepass "a \"b\\ \x41\n""#, &["requirepass", "a \"b\\ A\n"]);
        check(r"requirepass 'a\'b\n'", &["requirepass", r"a'b\n"]);
        check(r"requirepass a\b", &["requirepass", r"a\b"]);
        check(r#"requirepass "\xzz""#, &["requirepass", "xzz"]);
        for wrong in [r#"requirepass "a"#, r#"requirepass "a"b"#, "requirepass 'a", r#"requirepass "\xff""#] {
            assert!(split(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rewrite_keeps_what_is_right_and_replaces_the_rest() {
        let text =
            "# mine\nTIMEOUT 5\n\n# sep\nmaxmemory 1024mb\ntimeout 7\nclient-output-buffer-limit normal 0 0 0\n#end";
        let mut config = Config::default();
        (config.timeout_s, config.maxmemory, config.maxclients) = (7, MemoryLimit::of_bytes(1 << 30), 77);
        let rewritten = rewrite(&config, text);
        assert_eq!(
            rewritten,
            "# mine\ntimeout 7\n\n# sep\nmaxmemory 1024mb\nclient-output-buffer-limit normal 0 0 0\n#end\n\n\
             # Written by CONFIG REWRITE\nmaxclients 77\n"
        );
        config.output_limits.pubsub.soft_s = 61;
        config.maxclients = 10000;
        assert_eq!(
            rewrite(&config, &rewritten),
            "# mine\ntimeout 7\n\n# sep\nmaxmemory 1024mb\nclient-output-buffer-limit normal 0 0 0\n\
             client-output-buffer-limit replica 256mb 64mb 60\nclient-output-buffer-limit pubsub 32mb 8mb 61\n#end\n\n\
             # Written by CONFIG REWRITE\nmaxclients 10000\n"
        );
        assert_eq!(rewrite(&Config::default(), ""), "");
    }

    /// What percentages are of.
    const MEMORY_BYTES: u64 = 2 << 30;

    /// A configuration by random changes of live settings, as a client would make them.
    fn config() -> impl Strategy<Value = Config> {
        let memory = prop_oneof![Just("0"), Just("17"), Just("1gb"), Just("1000mb"), Just("50%")];
        (0u32..3, memory, ".*", any::<bool>(), 0u32..4).prop_map(
            |(timeout, maxmemory, password, protected, seconds)| {
                let mut config = Config { timeout_s: timeout, protected_mode: protected, ..Config::default() };
                config.output_limits.normal.soft_s = seconds;
                let set = config
                    .set(&[(b"requirepass", password.as_bytes()), (b"maxmemory", maxmemory.as_bytes())], MEMORY_BYTES);
                set.unwrap().config
            },
        )
    }

    fn text() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            Just("# a comment".to_owned()),
            Just(String::new()),
            Just("\ttimeout 2 ".to_owned()),
            Just("Protected-Mode no".to_owned()),
            Just("requirepass 'x y'".to_owned()),
            Just("maxmemory 1gb".to_owned()),
            Just("MAXMEMORY 50%".to_owned()),
            Just("client-output-buffer-limit normal 0 0 2".to_owned()),
            Just("client-output-buffer-limit pubsub 0 0 2".to_owned()),
            Just("bind".to_owned()),
        ];
        proptest::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn a_rewritten_file_yields_its_configuration(config in config(), text in text()) {
            // `bind` in the text says something else than the configuration, which a rewrite puts right.
            let rewritten = rewrite(&config, &text);
            let mut read = Config::default();
            for line in lines(&rewritten) {
                let words = line.words.unwrap();
                let setting = Setting::named(&words[0]).unwrap();
                (setting.write)(&mut read, &value(setting, &words[1..]).unwrap()).unwrap();
            }
            read.resolve(MEMORY_BYTES).unwrap();
            prop_assert_eq!(&read, &config, "{}", rewritten);
            prop_assert_eq!(rewrite(&config, &rewritten), rewritten.clone(), "a second rewrite changes nothing");
            let comments = |text: &str| text.lines().filter(|line| *line == "# a comment").count();
            prop_assert_eq!(comments(&rewritten), comments(&text));
        }

        #[test]
        fn a_quoted_word_is_one_word(word: String) {
            prop_assert_eq!(split(&format!("name {}", quoted(&word))), Ok(vec!["name".to_owned(), word]));
        }

        #[test]
        fn any_text_is_read_and_rewritten(text: String) {
            lines(&text).for_each(drop);
            rewrite(&Config::default(), &text);
        }
    }
}

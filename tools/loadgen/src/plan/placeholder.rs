//! The placeholders of a command template, and the parts that a word is made of.
//!
//! | placeholder | what is sent instead |
//! |---|---|
//! | `__key__` | the key of the operation, the same wherever it stands |
//! | `__key2__` ... `__key9__` | other keys of the same operation, chosen alike |
//! | `__keys:N__`, `__keys:A-B__` | N words, or A to B of them: several keys, the operation's first |
//! | `__range:N__`, `__range:A-B__` | the same with keys that follow each other |
//! | `__pairs:N__`, `__pairs:A-B__` | N keys, each with a value |
//! | `__value__` (`__data__`) | a value of the key's size that cannot be compressed |
//! | `__score__` | a number from 0 up to 1000 with three decimals |
//! | `__int__`, `__int:A-B__` | a whole number from 0 to 999999, or from A to B |
//! | `__rand_int__` | a number below that of the keys in 12 digits, as redis-benchmark has it |
//! | `__field__`, `__field:N__` | `field:` and one of 100 (N) numbers |
//! | `__member__`, `__member:N__` | `member:` and one of 1000 (N) numbers |
//! | `__seq__` | a number that no other operation of the run has, rising |
//!
//! All but the keys may stand in the middle of a word (`user:__int__:name`), `__key__` and `__key2__` too. Everything is
//! drawn anew for each place, but for the keys and the value, of which an operation has one.

use super::dice::{drawn, unit};
use super::records::{Records, TAG_KEYS};
use super::{Operation, PlanError, dice, quantity, value};

/// Most keys of one operation.
pub(super) const OPERATION_KEYS_MAX: u32 = 100_000;

/// What every error about placeholders ends with.
const KNOWN: &str = "there are __key__, __key2__ to __key9__, __keys:N__, __range:N__, __pairs:N__, __value__, \
                     __score__, __int__, __int:A-B__, __rand_int__, __field__, __field:N__, __member__, __member:N__ \
                     and __seq__";

/// Tells the value from everything else that is drawn from a salt; places have small numbers.
const VALUE: u64 = 1 << 32;

/// A part of a word.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Part {
    /// What it says.
    Text(Box<[u8]>),
    /// A key without its prefix: the operation's (0), or another one.
    Key(u64),
    /// The value of the operation's key.
    Value,
    /// A whole number.
    Number { least: u64, count: u64, place: u64 },
    /// A number with three decimals.
    Score { place: u64 },
    /// A number below that of the keys, in 12 digits.
    Digits { place: u64 },
    /// The salt itself.
    Sequence,
}

/// A word of a command.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Word {
    /// One word in all operations.
    Parts(Vec<Part>),
    /// As many words as there are keys.
    Keys(Keys),
}

/// The keys of an operation that has several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Keys {
    pub(super) least: u32,
    pub(super) most: u32,
    /// Whether they follow each other.
    pub(super) range: bool,
    /// Whether each has a value behind it.
    pub(super) values: bool,
}

/// An operation in the moment of its encoding.
pub(super) struct Drawn<'a> {
    pub(super) operation: &'a Operation,
    pub(super) records: &'a Records,
    /// Bytes of the value.
    pub(super) size: u32,
}

impl Part {
    /// How many bytes it will be.
    #[inline]
    pub(super) fn bytes(&self, drawn: &Drawn<'_>) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Key(_) => drawn.records.number_bytes(),
            Self::Value => drawn.size as usize,
            Self::Number { .. } | Self::Score { .. } | Self::Sequence => self.number(drawn, |digits| digits.len()),
            Self::Digits { .. } => 12,
        }
    }

    /// How many bytes it is in every operation, if it is alike in all.
    pub(super) fn fixed_bytes(&self, records: &Records) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.len()),
            Self::Key(_) => Some(records.number_bytes()),
            Self::Digits { .. } => Some(12),
            Self::Value | Self::Number { .. } | Self::Score { .. } | Self::Sequence => None,
        }
    }

    /// Appends it.
    #[inline]
    pub(super) fn append(&self, drawn: &Drawn<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => out.extend_from_slice(text),
            Self::Key(index) => drawn.records.append_number(drawn.records.key(drawn.operation, *index), out),
            Self::Value => append_value(drawn.records, drawn.operation, 0, drawn.size, out),
            Self::Number { .. } | Self::Score { .. } | Self::Sequence => {
                self.number(drawn, |digits| out.extend_from_slice(digits));
            }
            Self::Digits { place } => {
                let number = dice::below(dice::drawn(drawn.operation.salt, *place), drawn.records.count);
                out.extend_from_slice(&super::records::digits(number));
            }
        }
    }

    fn number<T>(&self, drawn: &Drawn<'_>, with: impl FnOnce(&[u8]) -> T) -> T {
        let salt = drawn.operation.salt;
        let mut buffer = itoa::Buffer::new();
        match self {
            Self::Number { least, count, place } => {
                let number = least + dice::below(dice::drawn(salt, *place), *count);
                with(buffer.format(number).as_bytes())
            }
            Self::Score { place } => {
                let thousandths = (unit(dice::drawn(salt, *place)) * 1e6) as u32;
                let mut text = [0; 8];
                let whole = buffer.format(thousandths / 1000).as_bytes();
                text[..whole.len()].copy_from_slice(whole);
                let decimals = super::records::digits(u64::from(thousandths % 1000));
                text[whole.len()] = b'.';
                text[whole.len() + 1..whole.len() + 4].copy_from_slice(&decimals[9..]);
                with(&text[..whole.len() + 4])
            }
            _ => with(buffer.format(salt).as_bytes()),
        }
    }
}

/// Appends the value of the operation's `index`th key.
#[inline]
pub(super) fn append_value(records: &Records, operation: &Operation, index: u64, size: u32, out: &mut Vec<u8>) {
    if records.marked {
        value::encode_value(records.key(operation, index), operation.salt, size as usize, out);
    } else {
        dice::append_noise(drawn(operation.salt, VALUE + index), size as usize, out);
    }
}

/// Reads words, and numbers the places of what is drawn.
pub(super) struct Reader<'a> {
    /// What the names of keys begin with.
    pub(super) prefix: &'a str,
    pub(super) records: &'a Records,
    /// Places before it. Other keys of the operation have the first ones.
    pub(super) place: u64,
}

impl<'a> Reader<'a> {
    /// One for a template whose keys have this prefix.
    pub(super) fn new(prefix: &'a str, records: &'a Records) -> Self {
        Self { prefix, records, place: u64::from(OPERATION_KEYS_MAX) }
    }

    /// Reads a word.
    pub(super) fn word(&mut self, word: &[u8]) -> Result<Word, PlanError> {
        let mut parts = Vec::new();
        let mut rest = word;
        while let Some((before, name, behind)) = next_placeholder(rest) {
            text(&mut parts, before);
            rest = behind;
            let (name, argument) = match name.split_once(':') {
                Some((name, argument)) => (name, Some(argument)),
                None => (name, None),
            };
            if matches!(name, "keys" | "range" | "pairs") {
                if !parts.is_empty() || !rest.is_empty() {
                    return Err(PlanError(format!("__{name}__ stands for several words, and must stand alone")));
                }
                return self.keys(name, argument).map(Word::Keys);
            }
            self.placeholder(name, argument, &mut parts)?;
        }
        text(&mut parts, rest);
        Ok(Word::Parts(parts))
    }

    fn placeholder(&mut self, name: &str, argument: Option<&str>, parts: &mut Vec<Part>) -> Result<(), PlanError> {
        self.place += 1;
        let place = self.place;
        let wrong = |what: &str| {
            let argument = argument.unwrap_or_default();
            PlanError(format!("__{name}:{argument}__ is not understood: {what}"))
        };
        let one_of = |default| match argument {
            None => Ok(default),
            Some(count) => match quantity::count(count) {
                Ok(count @ 1..) => Ok(count),
                _ => Err(wrong("behind the colon must stand how many there are")),
            },
        };
        match (name, argument) {
            ("key", None) => self.key(0, parts),
            ("value" | "data", None) => parts.push(Part::Value),
            ("score", None) => parts.push(Part::Score { place }),
            ("rand_int", None) => parts.push(Part::Digits { place }),
            ("seq", None) => parts.push(Part::Sequence),
            ("int", None) => parts.push(Part::Number { least: 0, count: 1_000_000, place }),
            ("int", Some(range)) => {
                let range = whole_range(range).ok_or_else(|| wrong("it must be as in __int:1-100__"));
                let (least, most) = range?;
                parts.push(Part::Number { least, count: (most - least).saturating_add(1), place });
            }
            ("field", _) => {
                text(parts, b"field:");
                parts.push(Part::Number { least: 0, count: one_of(100)?, place });
            }
            ("member", _) => {
                text(parts, b"member:");
                parts.push(Part::Number { least: 0, count: one_of(1000)?, place });
            }
            _ => match name.strip_prefix("key").and_then(quantity::unsigned) {
                Some(number @ 2..=9) if argument.is_none() => self.key(number - 1, parts),
                _ => {
                    let written = argument.map_or(name.to_owned(), |argument| format!("{name}:{argument}"));
                    return Err(PlanError(format!("__{written}__ is no placeholder: {KNOWN}")));
                }
            },
        }
        Ok(())
    }

    fn key(&self, index: u64, parts: &mut Vec<Part>) {
        text(parts, self.prefix.as_bytes());
        parts.push(Part::Key(index));
    }

    fn keys(&self, name: &str, argument: Option<&str>) -> Result<Keys, PlanError> {
        let range = argument.unwrap_or("10");
        let number = quantity::count(range).ok().map(|number| (number, number));
        let most = if self.records.tags { TAG_KEYS } else { u64::from(OPERATION_KEYS_MAX) };
        match number.or_else(|| whole_range(range)) {
            Some((least @ 1.., last)) if last <= most => {
                Ok(Keys { least: least as u32, most: last as u32, range: name == "range", values: name == "pairs" })
            }
            Some((1.., last)) if self.records.tags && last <= u64::from(OPERATION_KEYS_MAX) => {
                Err(PlanError(format!("{last} keys in one operation are more than the {most} that share a hash tag")))
            }
            _ => Err(PlanError(format!(
                "__{name}:{range}__ is not understood: behind the colon must stand how many keys, 1 to {most}, or a \
                 range such as 1-100"
            ))),
        }
    }
}

/// Appends text, to the last part if that is text too.
fn text(parts: &mut Vec<Part>, more: &[u8]) {
    match parts.last_mut() {
        _ if more.is_empty() => {}
        Some(Part::Text(text)) => *text = [text, more].concat().into(),
        _ => parts.push(Part::Text(more.into())),
    }
}

/// What stands before the first placeholder, its name, and what stands behind it.
fn next_placeholder(word: &[u8]) -> Option<(&[u8], &str, &[u8])> {
    let is_name = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b':' | b'-');
    let mut from = 0;
    loop {
        let open = from + word[from..].windows(2).position(|pair| pair == b"__")?;
        let inside = &word[open + 2..];
        let length = inside.windows(2).position(|pair| pair == b"__")?;
        let name = &inside[..length];
        if length > 0 && name.iter().all(is_name) {
            let name = std::str::from_utf8(name).ok()?;
            return Some((&word[..open], name, &inside[length + 2..]));
        }
        // These underscores open nothing; the next ones may.
        from = open + 1;
    }
}

/// `A-B`.
fn whole_range(text: &str) -> Option<(u64, u64)> {
    let (least, most) = text.split_once('-')?;
    let (least, most) = (quantity::count(least).ok()?, quantity::count(most).ok()?);
    (least <= most).then_some((least, most))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Sizes, Spread, records::Chooser};

    fn records(tags: bool) -> Records {
        let chooser = Chooser::new(Spread::Uniform, 1000);
        Records { count: 1000, tags, sizes: Sizes::Fixed(8), marked: false, chooser }
    }

    fn word(text: &str) -> Result<Word, PlanError> {
        Reader::new("k:", &records(false)).word(text.as_bytes())
    }

    fn rendered(text: &str, operation: Operation) -> String {
        let records = records(false);
        let Word::Parts(parts) = Reader::new("k:", &records).word(text.as_bytes()).unwrap() else { panic!("{text}") };
        let drawn = Drawn { operation: &operation, records: &records, size: operation.size };
        let mut out = Vec::new();
        parts.iter().for_each(|part| part.append(&drawn, &mut out));
        assert_eq!(out.len(), parts.iter().map(|part| part.bytes(&drawn)).sum::<usize>(), "{text}");
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn words_are_rendered() {
        let operation = Operation { kind: 0, key: 42, size: 8, salt: 77 };
        assert_eq!(rendered("plain", operation), "plain");
        assert_eq!(rendered("__key__", operation), "k:000000000042");
        assert_eq!(rendered("a__key__b", operation), "ak:000000000042b");
        assert_eq!(rendered("__seq__", operation), "77");
        assert_eq!(rendered("a__b", operation), "a__b");
        assert_eq!(rendered("____", operation), "____");
        assert_eq!(rendered("__KEY__", operation), "__KEY__");
        assert_eq!(rendered("__A__seq__", operation), "__A77");
        assert!(rendered("__field:1__", operation) == "field:0");
        let (first, second) = (rendered("__key__,__key2__", operation), rendered("__key__,__key3__", operation));
        assert!(first.starts_with("k:000000000042,k:") && second != first);
    }

    #[test]
    fn numbers_have_their_ranges() {
        let numbers = |text: &str| -> Vec<f64> {
            let at = |salt| rendered(text, Operation { salt, ..Operation::default() });
            (0..2_000).map(|salt| at(salt).trim_start_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()).collect()
        };
        for (text, least, most) in [
            ("__int__", 0.0, 999_999.0),
            ("__int:5-7__", 5.0, 7.0),
            ("__score__", 0.0, 999.999),
            ("__field__", 0.0, 99.0),
            ("__member:10__", 0.0, 9.0),
            ("__rand_int__", 0.0, 999.0),
        ] {
            let numbers = numbers(text);
            assert!(numbers.iter().all(|number| (least..=most).contains(number)), "{text}");
            let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
            assert!((mean - (least + most) / 2.0).abs() < (most - least) * 0.05, "{text}: {mean}");
        }
        let operation = Operation { salt: 9, ..Operation::default() };
        assert_ne!(rendered("__int__", operation), rendered("__score__", operation));
        let twice = rendered("__int__ __int__", operation);
        let (first, second) = twice.split_once(' ').unwrap();
        assert_ne!(first, second, "each place has its own chance");
    }

    #[test]
    fn several_keys_are_a_word_of_their_own() {
        let keys = |least, most, range, values| Ok(Word::Keys(Keys { least, most, range, values }));
        assert_eq!(word("__keys__"), keys(10, 10, false, false));
        assert_eq!(word("__keys:3__"), keys(3, 3, false, false));
        assert_eq!(word("__range:1-100__"), keys(1, 100, true, false));
        assert_eq!(word("__pairs:2__"), keys(2, 2, false, true));
        assert!(word("a__keys__").unwrap_err().0.contains("stand alone"));
        assert!(word("__keys__,").unwrap_err().0.contains("stand alone"));
        for wrong in ["__keys:0__", "__keys:5-3__", "__keys:x__", "__keys:1000000__", "__keys:__"] {
            assert!(word(wrong).unwrap_err().0.contains("how many keys"), "{wrong}");
        }
        let tagged = Reader::new("k:", &records(true)).word(b"__keys:101__");
        assert!(tagged.unwrap_err().0.contains("share a hash tag"));
    }

    #[test]
    fn unknown_placeholders_are_named() {
        for wrong in ["__kye__", "__key1__", "__key10__", "__key:5__", "__value:8__", "__x:y__"] {
            let error = word(wrong).unwrap_err().0;
            assert!(error.starts_with(wrong) && error.contains("there are __key__"), "{error}");
        }
        assert!(word("__int:9__").unwrap_err().0.contains("__int:1-100__"));
        assert!(word("__field:0__").unwrap_err().0.contains("how many there are"));
    }
}

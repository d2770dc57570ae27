//! Kinds of values: how each is written, checked and printed, with Redis's own words for what is wrong.
//!
//! A codec knows one kind of value and nothing of the setting that carries it. Invariant: what a codec puts into a file's
//! lines, it parses back to the same value; what it prints, to one with the same effect.

use std::fmt;
use std::marker::PhantomData;

/// How one kind of value is read and written.
pub(super) trait Codec {
    /// The checked value.
    type Value;

    /// Checks `text`. `current` is the value that it amends, for kinds that may name a part of themselves only.
    fn parse(&self, text: &str, current: Option<&Self::Value>) -> Result<Self::Value, Mistake>;

    /// The value as CONFIG GET prints it.
    fn print(&self, value: &Self::Value) -> String;

    /// What stands behind the setting's name in a configuration file, one entry for each line.
    fn lines(&self, value: &Self::Value) -> Vec<String> {
        vec![self.print(value)]
    }

    /// What `--help` shows in the place of the value.
    fn placeholder(&self) -> &'static str;

    /// The words that the value is one of; none for other kinds.
    fn words(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// How many words the value has.
    fn arguments(&self) -> Arguments {
        Arguments::One
    }
}

/// How many words a setting's value has, on the command line and in a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arguments {
    /// Exactly one.
    One,
    /// One, and a flag without any means yes.
    Optional,
    /// Any number.
    Several,
    /// Any number, and the setting may be written several times, each time for a part of itself.
    Repeated,
}

/// Why a value was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mistake {
    /// Not a whole number.
    NotInteger {
        /// Smallest valid number, as printed.
        min: String,
        /// Largest valid number, as printed.
        max: String,
    },
    /// A number, or an amount of memory, outside its bounds.
    OutOfRange {
        /// Smallest valid number, as printed.
        min: String,
        /// Largest valid number, as printed.
        max: String,
    },
    /// Not an amount of memory.
    NotMemory,
    /// Neither an amount of memory nor a percentage.
    NotMemoryLimit,
    /// Neither yes nor no.
    NotYesNo,
    /// None of the words that are valid.
    NotOneOf(String),
    /// Understood, and not possible; the text says why and what is.
    Refused(String),
    /// Understood, and makes no difference here: a file may say it (the start mentions it), CONFIG SET may not.
    Immaterial(&'static str),
}

impl Mistake {
    /// What would be valid, to follow "it must be ...".
    pub(super) fn remedy(&self) -> String {
        match self {
            Self::NotInteger { min, max } | Self::OutOfRange { min, max } => {
                format!("it must be a whole number between {min} and {max}")
            }
            Self::NotMemory => "it must be an amount of memory, such as 1048576, 100mb or 1gb".to_owned(),
            Self::NotMemoryLimit => {
                "it must be an amount of memory, such as 100mb or 1gb, or a percentage of what there is, \
                such as 50%"
                    .to_owned()
            }
            Self::NotYesNo => "it must be yes or no".to_owned(),
            Self::NotOneOf(words) => format!("it must be one of {words}"),
            Self::Refused(reason) => reason.clone(),
            Self::Immaterial(reason) => (*reason).to_owned(),
        }
    }
}

/// Redis's text, as it stands in the error of CONFIG SET.
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInteger { .. } => f.write_str("argument couldn't be parsed into an integer"),
            Self::OutOfRange { min, max } => write!(f, "argument must be between {min} and {max} inclusive"),
            Self::NotMemory | Self::NotMemoryLimit => f.write_str("argument must be a memory value"),
            Self::NotYesNo => f.write_str("argument must be 'yes' or 'no'"),
            Self::NotOneOf(words) => write!(f, "argument(s) must be one of the following: {words}"),
            Self::Refused(reason) => f.write_str(reason),
            Self::Immaterial(reason) => f.write_str(reason),
        }
    }
}

/// Whole numbers within bounds; the bounds must fit `T`.
pub(super) struct Integer<T> {
    min: i64,
    max: i64,
    number: PhantomData<T>,
}

impl<T> Integer<T> {
    pub(super) const fn new(min: i64, max: i64) -> Self {
        Self { min, max, number: PhantomData }
    }
}

impl<T: TryFrom<i64> + ToString> Codec for Integer<T> {
    type Value = T;

    fn parse(&self, text: &str, _current: Option<&T>) -> Result<T, Mistake> {
        let (min, max) = (self.min.to_string(), self.max.to_string());
        let number = match text.parse::<i64>() {
            // One spelling for each number, as Redis has it: no sign, blank or zero in front.
            Ok(number) if number.to_string() == text => number,
            _ => return Err(Mistake::NotInteger { min, max }),
        };
        if !(self.min..=self.max).contains(&number) {
            return Err(Mistake::OutOfRange { min, max });
        }
        T::try_from(number).map_err(|_| Mistake::OutOfRange { min, max })
    }

    fn print(&self, value: &T) -> String {
        value.to_string()
    }

    fn placeholder(&self) -> &'static str {
        "NUMBER"
    }
}

/// File permissions in octal; 0 leaves them to the umask.
pub(super) struct Permissions;

impl Codec for Permissions {
    type Value = u32;

    fn parse(&self, text: &str, _current: Option<&u32>) -> Result<u32, Mistake> {
        let (min, max) = ("0".to_owned(), "777".to_owned());
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match u32::from_str_radix(text, 8) {
            Ok(mode) if digits && mode <= 0o777 => Ok(mode),
            Ok(_) if digits => Err(Mistake::OutOfRange { min, max }),
            _ => Err(Mistake::NotInteger { min, max }),
        }
    }

    fn print(&self, value: &u32) -> String {
        format!("{value:o}")
    }

    fn placeholder(&self) -> &'static str {
        "OCTAL"
    }
}

/// Amounts of memory in bytes, with the units of Redis: k, m, g are powers of 1000 and kb, mb, gb powers of 1024.
pub(super) struct Memory {
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Codec for Memory {
    type Value = u64;

    fn parse(&self, text: &str, _current: Option<&u64>) -> Result<u64, Mistake> {
        let bytes = memory(text).ok_or(Mistake::NotMemory)?;
        if (self.min..=self.max).contains(&bytes) {
            Ok(bytes)
        } else {
            Err(Mistake::OutOfRange { min: self.min.to_string(), max: self.max.to_string() })
        }
    }

    fn print(&self, value: &u64) -> String {
        value.to_string()
    }

    fn lines(&self, value: &u64) -> Vec<String> {
        vec![memory_in_words(*value)]
    }

    fn placeholder(&self) -> &'static str {
        "BYTES"
    }
}

/// Bytes that `text` stands for; nothing at all stands for 0, as in Redis.
pub fn memory(text: &str) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit: u64 = match text[digits..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" => 1000,
        "kb" => 1 << 10,
        "m" => 1_000_000,
        "mb" => 1 << 20,
        "g" => 1_000_000_000,
        "gb" => 1 << 30,
        _ => return None,
    };
    match &text[..digits] {
        "" if text.is_empty() => Some(0),
        "" => None,
        number => number.parse::<u64>().ok()?.checked_mul(unit),
    }
}

/// `bytes` with the largest unit that loses nothing.
pub(super) fn memory_in_words(bytes: u64) -> String {
    match bytes {
        0 => "0".to_owned(),
        _ if bytes.is_multiple_of(1 << 30) => format!("{}gb", bytes >> 30),
        _ if bytes.is_multiple_of(1 << 20) => format!("{}mb", bytes >> 20),
        _ if bytes.is_multiple_of(1 << 10) => format!("{}kb", bytes >> 10),
        _ => bytes.to_string(),
    }
}

/// yes or no, in any case.
pub(super) struct YesNo;

impl Codec for YesNo {
    type Value = bool;

    fn parse(&self, text: &str, _current: Option<&bool>) -> Result<bool, Mistake> {
        yes_or_no(text).ok_or(Mistake::NotYesNo)
    }

    fn print(&self, value: &bool) -> String {
        if *value { "yes" } else { "no" }.to_owned()
    }

    fn placeholder(&self) -> &'static str {
        "yes|no"
    }

    fn arguments(&self) -> Arguments {
        Arguments::Optional
    }
}

pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match () {
        () if text.eq_ignore_ascii_case("yes") => Some(true),
        () if text.eq_ignore_ascii_case("no") => Some(false),
        () => None,
    }
}

/// An enumeration whose variants have names in the configuration.
pub(super) trait Words: Copy + PartialEq + 'static {
    /// Every variant with its name.
    const WORDS: &'static [(&'static str, Self)];
}

/// One word of an enumeration, in any case.
pub(super) struct OneOf<T> {
    placeholder: &'static str,
    word: PhantomData<T>,
}

impl<T> OneOf<T> {
    pub(super) const fn new(placeholder: &'static str) -> Self {
        Self { placeholder, word: PhantomData }
    }
}

impl<T: Words> Codec for OneOf<T> {
    type Value = T;

    fn parse(&self, text: &str, _current: Option<&T>) -> Result<T, Mistake> {
        let found = T::WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        found.map(|(_, value)| *value).ok_or_else(|| Mistake::NotOneOf(self.words().join(", ")))
    }

    fn print(&self, value: &T) -> String {
        let found = T::WORDS.iter().find(|(_, other)| other == value);
        found.map_or_else(String::new, |(word, _)| (*word).to_owned())
    }

    fn placeholder(&self) -> &'static str {
        self.placeholder
    }

    fn words(&self) -> Vec<&'static str> {
        T::WORDS.iter().map(|(word, _)| *word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn memory_has_the_units_of_redis() {
        let check = |text, bytes| assert_eq!(memory(text), bytes, "{text:?}");
        check("", Some(0));
        check("010", Some(10));
        check("1b", Some(1));
        check("1k", Some(1000));
        check("1KB", Some(1024));
        check("100mb", Some(100 << 20));
        check("3g", Some(3_000_000_000));
        check("1Gb", Some(1 << 30));
        check("18446744073709551615", Some(u64::MAX));
        for wrong in
            ["-1", "1.5gb", "50%", "1 kb", "1e", "kb", "10eb", "18446744073709551616", "18446744073709551615kb"]
        {
            check(wrong, None);
        }
    }

    #[test]
    fn integers_have_one_spelling() {
        let codec = Integer::<i32>::new(-1, 100);
        assert_eq!(codec.parse("-1", None), Ok(-1));
        assert_eq!(codec.parse("100", None), Ok(100));
        for wrong in ["", " 5", "5 ", "+5", "05", "-0", "1k", "abc", "99999999999999999999", "٣"] {
            assert!(matches!(codec.parse(wrong, None), Err(Mistake::NotInteger { .. })), "{wrong:?}");
        }
        for wrong in ["-2", "101"] {
            assert!(matches!(codec.parse(wrong, None), Err(Mistake::OutOfRange { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn permissions_are_octal() {
        assert_eq!(Permissions.parse("700", None), Ok(0o700));
        assert_eq!(Permissions.print(&0o660), "660");
        assert!(matches!(Permissions.parse("1000", None), Err(Mistake::OutOfRange { .. })));
        for wrong in ["", "888", "+7", "rwx"] {
            assert!(matches!(Permissions.parse(wrong, None), Err(Mistake::NotInteger { .. })), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn memory_survives_printing(bytes: u64, shift in 0u32..64) {
            let bytes = bytes.checked_shl(shift).unwrap_or(bytes);
            prop_assert_eq!(memory(&memory_in_words(bytes)), Some(bytes));
            prop_assert_eq!(memory(&bytes.to_string()), Some(bytes));
        }

        #[test]
        fn any_text_gets_an_answer(text: String) {
            let _ = memory(&text);
            let _ = Integer::<u16>::new(0, 65535).parse(&text, None);
            let _ = Permissions.parse(&text, None);
        }
    }
}

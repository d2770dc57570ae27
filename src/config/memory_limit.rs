//! `maxmemory`: an amount of memory, or a share of what the process may use.
//!
//! ```text
//!   written    the engine, INFO, CONFIG GET    CONFIG REWRITE
//!   1gb        1073741824                      1gb
//!   50%        half of what there is           50%
//! ```
//!
//! How much there is comes in from outside, at the start and with every CONFIG SET. A share becomes bytes once, when it
//! is set: a limit that moved under a running server would evict, or refuse writes, without anybody's doing. Invariant:
//! a limit that leaves this room has its bytes.

use std::cmp::Ordering;

use super::settings::Config;
use super::value::{Codec, Mistake, memory, memory_in_words};

/// The most memory that the data may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MemoryLimit {
    /// 0 is no limit; with a share, 0 until it is resolved.
    bytes: u64,
    /// The share that was written, 1 to 100.
    percent: Option<u8>,
}

impl MemoryLimit {
    /// A limit that was written as an amount; 0 is no limit.
    pub const fn of_bytes(bytes: u64) -> Self {
        Self { bytes, percent: None }
    }

    /// The limit in bytes; 0 is no limit.
    #[inline]
    pub const fn bytes(self) -> u64 {
        self.bytes
    }

    /// The share of all memory that was written, if it was written as one: 1 to 100.
    pub const fn percent(self) -> Option<u8> {
        self.percent
    }

    /// Makes bytes of a share of `memory_bytes`, 0 where nobody knows how much there is. What has its bytes keeps them.
    pub(super) fn resolved(self, memory_bytes: u64) -> Result<Self, Mistake> {
        match self {
            Self { bytes: 0, percent: Some(_) } if memory_bytes == 0 => Err(Mistake::Refused(
                "it must be an amount, such as 1gb, because the system does not tell how much memory there is"
                    .to_owned(),
            )),
            Self { bytes: 0, percent: Some(percent) } => {
                let bytes = u128::from(memory_bytes) * u128::from(percent) / 100;
                // No share is so small that it should turn the limit off.
                Ok(Self { bytes: u64::try_from(bytes).unwrap_or(u64::MAX).max(1), ..self })
            }
            _ => Ok(self),
        }
    }
}

/// A limit compares as its bytes do; 0 is no limit here as well.
impl PartialEq<u64> for MemoryLimit {
    fn eq(&self, bytes: &u64) -> bool {
        self.bytes == *bytes
    }
}

impl PartialOrd<u64> for MemoryLimit {
    #[inline]
    fn partial_cmp(&self, bytes: &u64) -> Option<Ordering> {
        self.bytes.partial_cmp(bytes)
    }
}

impl Config {
    /// Turns shares of the memory into bytes; an error is about `maxmemory`.
    pub(super) fn resolve(&mut self, memory_bytes: u64) -> Result<(), Mistake> {
        self.maxmemory = self.maxmemory.resolved(memory_bytes)?;
        Ok(())
    }

    /// What an operator should know about `maxmemory` where the process may use `memory_bytes` (0: nobody knows).
    pub fn memory_notice(&self, memory_bytes: u64) -> Option<String> {
        let bytes = self.maxmemory.bytes();
        (memory_bytes > 0 && bytes > memory_bytes).then(|| {
            format!(
                "maxmemory is {bytes} bytes and this machine or its control group has {memory_bytes}: the system would \
                 end the server before it is full; lower it, or set a percentage, such as 75%"
            )
        })
    }
}

/// An amount with its unit, or a whole percentage.
pub(super) struct AmountOrShare;

impl Codec for AmountOrShare {
    type Value = MemoryLimit;

    fn parse(&self, text: &str, _current: Option<&MemoryLimit>) -> Result<MemoryLimit, Mistake> {
        let Some(number) = text.strip_suffix('%') else {
            return memory(text).map(MemoryLimit::of_bytes).ok_or(Mistake::NotMemoryLimit);
        };
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let percent = number.parse().ok().filter(|percent| digits && (1..=100).contains(percent));
        let refusal = || {
            let range =
                "it must be a whole percentage between 1% and 100% of the memory that there is, or 0 for no limit";
            Mistake::Refused(range.to_owned())
        };
        percent.map(|percent| MemoryLimit { bytes: 0, percent: Some(percent) }).ok_or_else(refusal)
    }

    /// Bytes, because clients read them as a number.
    fn print(&self, value: &MemoryLimit) -> String {
        value.bytes.to_string()
    }

    fn lines(&self, value: &MemoryLimit) -> Vec<String> {
        vec![value.percent.map_or_else(|| memory_in_words(value.bytes), |percent| format!("{percent}%"))]
    }

    fn placeholder(&self) -> &'static str {
        "BYTES"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Loaded, Written, WrittenFile, load, rewrite};
    use proptest::prelude::*;

    const GIB: u64 = 1 << 30;

    /// What is loaded where there are 8 GiB.
    fn loaded(flags: &[(&str, &str)], environment: &[(&str, &str)], text: &str) -> Result<Loaded, Vec<String>> {
        let own = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let file = Some(WrittenFile { path: "a.conf", text });
        let (flags, environment) = (own(flags), own(environment));
        load(&Written { flags: &flags, environment: &environment, file, memory_bytes: 8 * GIB })
            .map_err(|error| error.mistakes)
    }

    fn set(config: &Config, value: &str, memory_bytes: u64) -> Result<Config, String> {
        let changed = config.set(&[(b"maxmemory", value.as_bytes())], memory_bytes);
        changed.map(|changed| changed.config).map_err(|error| error.to_string())
    }

    #[test]
    fn a_share_may_be_written_wherever_an_amount_may() {
        for loaded in [
            loaded(&[("maxmemory", "50%")], &[("COREWISE_MAXMEMORY", "1gb")], "maxmemory 2gb"),
            loaded(&[], &[("COREWISE_MAXMEMORY", "50%")], "maxmemory 1gb"),
            loaded(&[], &[], "maxmemory 1gb\nmaxmemory 50%"),
        ] {
            let limit = loaded.unwrap().config.maxmemory;
            assert_eq!((limit.bytes(), limit.percent()), (4 * GIB, Some(50)));
        }
        let config = set(&Config::default(), "25%", 8 * GIB).unwrap();
        assert_eq!(config.maxmemory.bytes(), 2 * GIB);
        let config = set(&config, "1gb", 8 * GIB).unwrap();
        assert_eq!(config.maxmemory, MemoryLimit::of_bytes(GIB));
    }

    #[test]
    fn clients_read_bytes_and_the_file_keeps_the_share() {
        let config = set(&Config::default(), "25%", 8 * GIB).unwrap();
        assert_eq!(config.value("maxmemory").unwrap(), "2147483648");
        assert_eq!(rewrite(&config, "# mine\nmaxmemory 2gb\n"), "# mine\nmaxmemory 25%\n");
        assert_eq!(rewrite(&config, "maxmemory \"25%\" \n"), "maxmemory \"25%\" \n", "it says so already");
        assert_eq!(rewrite(&config, ""), "# Written by CONFIG REWRITE\nmaxmemory 25%\n");
        let amount = set(&config, "2147483648", 8 * GIB).unwrap();
        assert_eq!(rewrite(&amount, "maxmemory 25%\n"), "maxmemory 2gb\n");
    }

    #[test]
    fn a_share_keeps_its_bytes_until_it_is_set_again() {
        let config = set(&Config::default(), "50%", 8 * GIB).unwrap();
        let other = config.set(&[(b"timeout", b"9")], 2 * GIB).unwrap().config;
        assert_eq!(other.maxmemory, config.maxmemory);
        assert_eq!(set(&config, "50%", 2 * GIB).unwrap().maxmemory.bytes(), GIB);
    }

    #[test]
    fn shares_are_whole_and_between_1_and_100() {
        let config = Config::default();
        assert_eq!(set(&config, "0", GIB).unwrap().maxmemory, 0);
        assert_eq!(set(&config, "", GIB).unwrap().maxmemory, 0);
        assert_eq!(set(&config, "1%", 200).unwrap().maxmemory, 2);
        assert_eq!(set(&config, "1%", 10).unwrap().maxmemory, 1, "the least share is a limit still");
        assert_eq!(set(&config, "100%", u64::MAX).unwrap().maxmemory, u64::MAX);
        for wrong in ["0%", "101%", "256%", "-1%", "+5%", "1.5%", "5 %", "%", "5%%", "1gb%"] {
            let error = set(&config, wrong, GIB).unwrap_err();
            assert!(error.ends_with("between 1% and 100% of the memory that there is, or 0 for no limit"), "{error}");
        }
        for wrong in ["x", "%5", "5%x", "-1", "1.5gb"] {
            let error = set(&config, wrong, GIB).unwrap_err();
            assert!(error.ends_with("- argument must be a memory value"), "{error}");
        }
        assert_eq!(
            loaded(&[("maxmemory", "0%")], &[], "").unwrap_err(),
            ["maxmemory cannot be \"0%\": it must be a whole percentage between 1% and 100% of the memory that there \
              is, or 0 for no limit (flag --maxmemory)"]
        );
    }

    #[test]
    fn a_share_of_nobody_knows_what_is_refused() {
        let error = set(&Config::default(), "50%", 0).unwrap_err();
        assert!(error.contains("'maxmemory') - it must be an amount"), "{error}");
        let flags = [("maxmemory".to_owned(), "50%".to_owned())];
        let error = load(&Written { flags: &flags, ..Written::default() }).unwrap_err();
        assert_eq!(
            error.to_string(),
            "maxmemory cannot be a percentage: it must be an amount, such as 1gb, because the system does not tell how \
             much memory there is"
        );
    }

    #[test]
    fn more_than_there_is_is_said() {
        let notices = |value| loaded(&[("maxmemory", value)], &[], "").unwrap().notices;
        assert_eq!(notices("100%"), [""; 0]);
        assert_eq!(notices("8gb"), [""; 0]);
        let [notice] = &notices("8589934593")[..] else { panic!("one notice") };
        assert!(
            notice.starts_with("maxmemory is 8589934593 bytes and this machine or its control group has 8589934592")
        );
        assert_eq!(set(&Config::default(), "1gb", 0).unwrap().memory_notice(0), None);
    }

    #[test]
    fn a_limit_reckons_as_its_bytes() {
        let limit = MemoryLimit::of_bytes(100);
        assert!(limit == 100 && limit > 99 && limit < 101);
    }

    proptest! {
        #[test]
        fn limits_survive_being_written(bytes: u64, percent in 1u8..=100, share: bool, memory_bytes in 1u64..) {
            let limit = if share { MemoryLimit { bytes: 0, percent: Some(percent) } } else { MemoryLimit::of_bytes(bytes) };
            let limit = limit.resolved(memory_bytes).unwrap();
            prop_assert!(!share || (1..=memory_bytes).contains(&limit.bytes()));
            let again = AmountOrShare.parse(&AmountOrShare.lines(&limit)[0], None).unwrap();
            prop_assert_eq!(again.resolved(memory_bytes), Ok(limit));
        }

        #[test]
        fn any_text_gets_an_answer(text in "[0-9]{0,20}%|.*") {
            let _ = AmountOrShare.parse(&text, None);
        }
    }
}

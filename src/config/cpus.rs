//! CPU lists: `0-3,6` names CPUs 0, 1, 2, 3 and 6, one core of the server each. The kernel writes its lists alike.

use std::fmt;

use super::value::{Codec, Mistake};
use crate::limits::{CORES_MAX, CPU_NUMBER_MAX};

/// CPUs in the order in which they were named, each at most once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CpuList(Vec<u16>);

impl CpuList {
    /// Reads a list of any length, the empty one too; an error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut cpus = Vec::new();
        for part in text.trim().split(',').filter(|_| !text.trim().is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (Some(first), Some(last)) = (number(first), number(last)) else {
                return Err(format!("{part:?} is no CPU and no range of CPUs: it must be a list such as 0-3,6"));
            };
            if first > last {
                return Err(format!("the range {part} ends before it begins"));
            }
            if last > CPU_NUMBER_MAX {
                return Err(format!("CPU {last} is beyond {CPU_NUMBER_MAX}, the last that is supported"));
            }
            cpus.extend(first..=last);
        }
        Self::new(cpus)
    }

    /// The list of these numbers, in their order.
    pub fn new(cpus: Vec<u16>) -> Result<Self, String> {
        let mut sorted = cpus.clone();
        sorted.sort_unstable();
        match sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(format!("CPU {} stands in it twice", pair[0])),
            None => Ok(Self(cpus)),
        }
    }

    /// The CPUs' numbers; the index of each is the `CoreId` of the core that runs on it.
    pub fn as_slice(&self) -> &[u16] {
        &self.0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first `count` of them.
    pub fn first(&self, count: usize) -> Self {
        Self(self.0.iter().copied().take(count).collect())
    }
}

fn number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse::<u32>().ok()).flatten().map(|number| u16::try_from(number).unwrap_or(u16::MAX))
}

/// The shortest spelling: neighbours that rise by one become a range.
impl fmt::Display for CpuList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, run) in self.0.chunk_by(|left, right| left + 1 == *right).enumerate() {
            f.write_str(if index == 0 { "" } else { "," })?;
            match run {
                [cpu] => cpu.fmt(f)?,
                _ => write!(f, "{}-{}", run[0], run[run.len() - 1])?,
            }
        }
        Ok(())
    }
}

/// The setting: empty leaves the choice to the start.
pub(super) struct Cpus;

impl Codec for Cpus {
    type Value = Option<CpuList>;

    fn parse(&self, text: &str, _current: Option<&Self::Value>) -> Result<Self::Value, Mistake> {
        let cpus = CpuList::parse(text).map_err(Mistake::Refused)?;
        match cpus.len() {
            0 => Ok(None),
            1..=CORES_MAX => Ok(Some(cpus)),
            count => {
                Err(Mistake::Refused(format!("it names {count} CPUs, and one server has at most {CORES_MAX} cores")))
            }
        }
    }

    fn print(&self, value: &Self::Value) -> String {
        value.as_ref().map(CpuList::to_string).unwrap_or_default()
    }

    fn placeholder(&self) -> &'static str {
        "LIST"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_and_ranges_keep_their_order() {
        assert_eq!(CpuList::parse("0-3,6").unwrap().as_slice(), [0, 1, 2, 3, 6]);
        assert_eq!(CpuList::parse("6,0-1\n").unwrap().as_slice(), [6, 0, 1]);
        assert_eq!(CpuList::parse("1,2,3,7,6").unwrap().to_string(), "1-3,7,6");
        assert!(CpuList::parse("").unwrap().is_empty());
        assert_eq!(CpuList::parse("0-3,6").unwrap().first(2).to_string(), "0-1");
    }

    #[test]
    fn nonsense_is_named() {
        for wrong in
            ["a", "1-", "-1", "1--2", ",", "0,,1", "+1", "1 2", "0x1", "3-1", "0-3,2", "4096", "70000", "99999999"]
        {
            assert!(CpuList::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Cpus.parse("0-64", None).unwrap_err().to_string().contains("at most 64 cores"));
        assert!(Cpus.parse("0-63", None).is_ok());
    }

    proptest! {
        #[test]
        fn lists_survive_printing(cpus in proptest::collection::hash_set(0..=CPU_NUMBER_MAX, 0..40)) {
            let list = CpuList(cpus.into_iter().collect());
            prop_assert_eq!(CpuList::parse(&list.to_string()), Ok(list));
        }

        #[test]
        fn any_text_gets_an_answer(text in "[-0-9, a]{0,20}|.*") {
            let _ = CpuList::parse(&text);
        }
    }
}

//! How large values are.
//!
//! A value's size is a function of its key's number, and of nothing else: filling a server with two seeds, or setting
//! a key a second time, gives each key the size that it had, so that a data set weighs the same in every run.

use std::fmt;
use std::str::FromStr;

use super::{PlanError, dice, quantity};

/// Tells the sizes from everything else that is derived from a key's number.
const SIZES: u64 = 0x51_2E5;

/// The sizes of values, in bytes.
#[derive(Clone, PartialEq, Debug)]
pub enum Sizes {
    /// All alike.
    Fixed(u32),
    /// Any in this range, both ends included.
    Range(u32, u32),
    /// Sizes with weights, as read from a file: cumulative weights, rising, the last is 1.
    Table(Vec<(f64, u32)>),
}

impl Default for Sizes {
    fn default() -> Self {
        Self::Fixed(64)
    }
}

impl Sizes {
    /// Reads the lines of a file: each a size and, behind a blank or a comma, its weight (1 if there is none). Empty
    /// lines and what follows a `#` do not count.
    pub fn from_lines(text: &str) -> Result<Self, PlanError> {
        let mut table = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default();
            let mut words = line.split([' ', '\t', ',', '\r']).filter(|word| !word.is_empty());
            let Some(size) = words.next() else { continue };
            let wrong = |what: &str| PlanError(format!("line {}: {what}", index + 1));
            let size = quantity::bytes(size).map_err(|error| wrong(&error.0))?;
            let weight = words.next().map_or(Some(1.0), quantity::decimal);
            let weight =
                weight.ok_or_else(|| wrong("the weight behind the size must be a number such as 12 or 0.5"))?;
            if words.next().is_some() {
                return Err(wrong("there is more than a size and its weight"));
            }
            table.push((weight, size));
        }
        let total: f64 = table.iter().map(|(weight, _)| weight).sum();
        if total <= 0.0 || !total.is_finite() {
            return Err(PlanError("there is no size with a weight above zero".to_owned()));
        }
        table.retain(|(weight, _)| *weight > 0.0);
        table.sort_by_key(|(_, size)| *size);
        let mut cumulative = 0.0;
        for (weight, _) in &mut table {
            cumulative += *weight / total;
            *weight = cumulative;
        }
        // Rounding must not leave a gap at the end.
        if let Some((last, _)) = table.last_mut() {
            *last = 1.0;
        }
        Ok(Self::Table(table))
    }

    /// The size of the value of key number `key`.
    #[inline]
    pub fn of(&self, key: u64) -> u32 {
        match self {
            Self::Fixed(size) => *size,
            Self::Range(least, most) => {
                least + dice::below(dice::drawn(key, SIZES), u64::from(most - least) + 1) as u32
            }
            Self::Table(table) => {
                let place = dice::unit(dice::drawn(key, SIZES));
                let index = table.partition_point(|(cumulative, _)| *cumulative <= place);
                table[index.min(table.len() - 1)].1
            }
        }
    }

    /// The size of an average value.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Fixed(size) => f64::from(*size),
            Self::Range(least, most) => (f64::from(*least) + f64::from(*most)) / 2.0,
            Self::Table(table) => {
                let mut before = 0.0;
                let share = |(cumulative, size): &(f64, u32)| {
                    (cumulative - std::mem::replace(&mut before, *cumulative)) * f64::from(*size)
                };
                table.iter().map(share).sum()
            }
        }
    }
}

/// `64`, `1kb`, `16-1024`. A file is for the caller to read: see [`Sizes::from_lines`].
impl FromStr for Sizes {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let Some((least, most)) = text.split_once('-') else { return quantity::bytes(text).map(Self::Fixed) };
        let (least, most) = (quantity::bytes(least)?, quantity::bytes(most)?);
        if least > most {
            return Err(PlanError(format!("the range {text} ends before it begins")));
        }
        Ok(Self::Range(least, most))
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{size} bytes"),
            Self::Range(least, most) => write!(f, "{least} to {most} bytes"),
            Self::Table(table) => write!(f, "{} sizes, {:.0} bytes on average", table.len(), self.mean()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean_of(sizes: &Sizes) -> f64 {
        (0..100_000).map(|key| f64::from(sizes.of(key))).sum::<f64>() / 100_000.0
    }

    #[test]
    fn sizes_are_read() {
        assert_eq!("64".parse(), Ok(Sizes::Fixed(64)));
        assert_eq!("0".parse(), Ok(Sizes::Fixed(0)));
        assert_eq!("16-1kb".parse(), Ok(Sizes::Range(16, 1024)));
        assert!("16-8".parse::<Sizes>().unwrap_err().0.contains("ends before"));
        assert!("1gb".parse::<Sizes>().unwrap_err().0.contains("512mb"));
        for wrong in ["", "-", "16-", "-16", "16-32-64", "big"] {
            assert!(wrong.parse::<Sizes>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn tables_are_read() {
        let sizes = Sizes::from_lines("# bytes weight\n100 3\r\n\n1kb, 1  # large\n").unwrap();
        assert_eq!(sizes, Sizes::Table(vec![(0.75, 100), (1.0, 1024)]));
        assert_eq!(Sizes::from_lines("300\n100\n"), Ok(Sizes::Table(vec![(0.5, 100), (1.0, 300)])));
        let error = |text: &str| Sizes::from_lines(text).unwrap_err().0;
        assert!(error("").contains("no size"));
        assert!(error("100 0").contains("no size"));
        assert!(error("100\nx 1").starts_with("line 2: \"x\" is no size"));
        assert!(error("100 -1").starts_with("line 1: the weight"));
        assert!(error("100 1 1").contains("more than"));
    }

    #[test]
    fn a_key_has_one_size_and_the_sizes_have_their_distribution() {
        for sizes in [
            Sizes::Range(16, 1024),
            Sizes::Range(7, 7),
            Sizes::from_lines("100 90\n1000 9\n10000 1").unwrap(),
            Sizes::Fixed(64),
        ] {
            let (found, expected) = (mean_of(&sizes), sizes.mean());
            assert!((found / expected - 1.0).abs() < 0.02, "{sizes}: {found} instead of {expected}");
            assert_eq!(sizes.of(5), sizes.clone().of(5));
        }
        let range = Sizes::Range(3, 5);
        let mut seen: Vec<u32> = (0..100).map(|key| range.of(key)).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, [3, 4, 5], "both ends are included");
    }
}

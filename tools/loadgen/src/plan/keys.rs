//! Which keys: how many, how they are called, and how often each is chosen.

use std::fmt;
use std::str::FromStr;

use super::{PlanError, quantity};

/// Most keys that a workload can have: their numbers have 12 digits.
pub const KEYS_MAX: u64 = 1_000_000_000_000;

/// What the names of keys begin with if nothing else is said.
pub const PREFIX: &str = "key:";

/// The exponent of YCSB's Zipf distribution.
pub const ZIPF_EXPONENT: f64 = 0.99;

/// The keys of a workload.
#[derive(Clone, PartialEq, Debug)]
pub struct KeySpec {
    /// How many there are; key numbers run from zero.
    pub count: u64,
    /// How they are chosen; none leaves it to the workload (YCSB has its own, the others are uniform).
    pub spread: Option<Spread>,
    /// What their names begin with; the number follows, in 12 digits. None leaves it to the workload (`key:`, and
    /// `counter:` for `incr`, which must not meet values).
    pub prefix: Option<String>,
}

/// How keys are chosen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Spread {
    /// Each as often as the others.
    Uniform,
    /// One after the other, each worker its own part, and again from the beginning.
    Sequential,
    /// By popularity, with this exponent; popular keys are scattered over the numbers.
    Zipf(f64),
    /// A share of the requests goes to a share of the keys, which are scattered over the numbers: `hot:0.9:0.1`.
    Hot {
        /// Share of the requests, 0 to 1.
        requests: f64,
        /// Share of the keys, above 0 and below 1.
        keys: f64,
    },
    /// The newest keys most often (with YCSB's exponent); those that the workload inserts are newer than all others.
    Latest,
}

impl Default for KeySpec {
    fn default() -> Self {
        Self { count: 100_000, spread: None, prefix: None }
    }
}

/// `uniform`, `sequential`, `zipf`, `zipf:1.2`, `hot:0.9:0.1`, `latest`.
impl FromStr for Spread {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let mut words = text.split(':');
        let name = words.next().unwrap_or_default();
        let numbers: Vec<&str> = words.collect();
        match (name, numbers.as_slice()) {
            ("uniform", []) => Ok(Self::Uniform),
            ("sequential", []) => Ok(Self::Sequential),
            ("latest", []) => Ok(Self::Latest),
            ("zipf", []) => Ok(Self::Zipf(ZIPF_EXPONENT)),
            ("zipf", [exponent]) => match quantity::decimal(exponent) {
                Some(exponent) if exponent > 0.0 && exponent <= 10.0 => Ok(Self::Zipf(exponent)),
                _ => Err(PlanError(format!("the exponent of {text} must be a number above 0 and up to 10"))),
            },
            ("hot", [requests, keys]) => match (quantity::decimal(requests), quantity::decimal(keys)) {
                (Some(requests), Some(keys)) if requests <= 1.0 && keys > 0.0 && keys < 1.0 => {
                    Ok(Self::Hot { requests, keys })
                }
                _ => Err(PlanError(format!(
                    "the shares of {text} must be numbers between 0 and 1, as in hot:0.9:0.1 \
                     (90 % of the requests go to 10 % of the keys)"
                ))),
            },
            _ => Err(PlanError(format!(
                "{text:?} is no way to choose keys: there are uniform, sequential, zipf, zipf:EXPONENT, \
                 hot:REQUESTS:KEYS and latest"
            ))),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform => f.write_str("uniform"),
            Self::Sequential => f.write_str("sequential"),
            Self::Zipf(exponent) => write!(f, "zipf:{exponent}"),
            Self::Hot { requests, keys } => write!(f, "hot:{requests}:{keys}"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_survive_printing() {
        for spread in [
            Spread::Uniform,
            Spread::Sequential,
            Spread::Zipf(1.2),
            Spread::Hot { requests: 0.9, keys: 0.1 },
            Spread::Latest,
        ] {
            assert_eq!(spread.to_string().parse(), Ok(spread));
        }
        assert_eq!("zipf".parse(), Ok(Spread::Zipf(0.99)));
    }

    #[test]
    fn what_is_no_spread_is_told_why() {
        let error = |text: &str| text.parse::<Spread>().unwrap_err().0;
        for wrong in ["", "normal", "uniform:1", "hot", "hot:1", "zipf:1:2", "latest:"] {
            assert!(error(wrong).contains("there are uniform"), "{wrong}");
        }
        for wrong in ["zipf:0", "zipf:x", "zipf:", "zipf:11", "zipf:-1"] {
            assert!(error(wrong).contains("exponent"), "{wrong}");
        }
        for wrong in ["hot:1.1:0.5", "hot:0.5:0", "hot:0.5:1", "hot:a:b", "hot::"] {
            assert!(error(wrong).contains("between 0 and 1"), "{wrong}");
        }
    }
}

//! A latency goal such as `p99.9<1ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::PlanError;

/// "At this percentile, no more than this".
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Goal {
    /// 0 to 100.
    pub percentile: f64,
    /// The most that is allowed there.
    pub limit: Duration,
}

impl FromStr for Goal {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        Err(PlanError(format!("{text}: not read yet")))
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}<{:?}", self.percentile, self.limit)
    }
}

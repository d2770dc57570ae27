//! A latency goal such as `p99.9<1ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::{PlanError, quantity};

/// "At this percentile, no more than this".
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Goal {
    /// Above 0, up to 100.
    pub percentile: f64,
    /// The most that is allowed there.
    pub limit: Duration,
}

/// `p99<500us`, `p99.9<=1ms` (the same), `p50<1s`, `max<10ms` (which is p100).
impl FromStr for Goal {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        let wrong = |what: String| PlanError(format!("{text:?} is no goal: {what}, as in p99.9<1ms or max<10ms"));
        let (place, limit) =
            text.split_once('<').ok_or_else(|| wrong("it must be a percentile, < and a time".to_owned()))?;
        let (place, limit) = (place.trim(), limit.strip_prefix('=').unwrap_or(limit).trim());
        let percentile = match place.strip_prefix('p') {
            Some(number) => quantity::decimal(number).filter(|number| *number > 0.0 && *number <= 100.0),
            None => (place == "max").then_some(100.0),
        };
        let percentile = percentile
            .ok_or_else(|| wrong(format!("{place:?} must be p with a number above 0 and up to 100, or max")))?;
        // A number alone could be meant as seconds or as milliseconds.
        let bare = limit.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let limit = quantity::duration(limit).ok().filter(|limit| !bare && !limit.is_zero());
        let limit = limit.ok_or_else(|| wrong("the time needs a number above 0 and ns, us, ms or s".to_owned()))?;
        Ok(Self { percentile, limit })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let limit = quantity::duration_text(self.limit);
        if self.percentile == 100.0 { write!(f, "max<{limit}") } else { write!(f, "p{}<{limit}", self.percentile) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_read_and_printed() {
        for (text, percentile, limit) in [
            ("p99.9<1ms", 99.9, Duration::from_millis(1)),
            ("p99<500us", 99.0, Duration::from_micros(500)),
            ("p50<1s", 50.0, Duration::from_secs(1)),
            ("max<10ms", 100.0, Duration::from_millis(10)),
            ("p99.99<800ns", 99.99, Duration::from_nanos(800)),
        ] {
            let goal: Goal = text.parse().unwrap();
            assert_eq!(goal, Goal { percentile, limit });
            assert_eq!(goal.to_string(), text);
        }
        assert_eq!("p100<1ms".parse::<Goal>(), "max <= 1.0ms".parse());
    }

    #[test]
    fn what_is_no_goal_is_told_why() {
        let error = |text: &str| text.parse::<Goal>().unwrap_err().0;
        assert!(error("p99").contains("< and a time"));
        assert!(error("99<1ms").contains("\"99\" must be p with a number"));
        assert!(error("p0<1ms").contains("above 0"));
        assert!(error("p101<1ms").contains("up to 100"));
        assert!(error("p-5<1ms").contains("above 0"));
        assert!(error("p99<1").contains("ns, us, ms or s"));
        assert!(error("p99<0ms").contains("above 0"));
        assert!(error("p99<soon").contains("the time needs"));
    }
}

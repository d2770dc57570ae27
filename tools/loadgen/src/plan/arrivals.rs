//! When the requests of an open loop are due.

use std::fmt;
use std::str::FromStr;

use rand::Rng;
use rand::rngs::SmallRng;

use super::PlanError;

/// How requests follow each other at a given rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Arrivals {
    /// As independent clients send them: exponential gaps.
    #[default]
    Poisson,
    /// Equal gaps.
    Constant,
}

impl FromStr for Arrivals {
    type Err = PlanError;

    fn from_str(text: &str) -> Result<Self, PlanError> {
        match text {
            "poisson" => Ok(Self::Poisson),
            "constant" => Ok(Self::Constant),
            _ => Err(PlanError(format!("arrivals are poisson (independent clients) or constant, not {text:?}"))),
        }
    }
}

impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Poisson => "poisson",
            Self::Constant => "constant",
        })
    }
}

/// The moments at which requests are due, in nanoseconds since the start.
#[derive(Debug)]
pub struct Schedule {
    arrivals: Arrivals,
    gap_ns: f64,
    due_ns: f64,
}

impl Schedule {
    /// `rate` requests per second.
    pub fn new(arrivals: Arrivals, rate: f64) -> Self {
        Self { arrivals, gap_ns: 1e9 / rate, due_ns: 0.0 }
    }

    /// When the next request is due.
    #[inline]
    pub fn due_ns(&self) -> u64 {
        self.due_ns as u64
    }

    /// Goes on to the request after it.
    #[inline]
    pub fn advance(&mut self, rng: &mut SmallRng) {
        self.due_ns += match self.arrivals {
            Arrivals::Constant => self.gap_ns,
            // The inverse of the distribution function; 1 - u is never zero.
            Arrivals::Poisson => -(1.0 - rng.random::<f64>()).ln() * self.gap_ns,
        };
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn gaps(arrivals: Arrivals, rate: f64, count: usize) -> Vec<f64> {
        let (mut schedule, mut rng) = (Schedule::new(arrivals, rate), SmallRng::seed_from_u64(7));
        let mut last = schedule.due_ns;
        let gap = |_| {
            schedule.advance(&mut rng);
            schedule.due_ns - std::mem::replace(&mut last, schedule.due_ns)
        };
        (0..count).map(gap).collect()
    }

    #[test]
    fn names_survive_printing() {
        for arrivals in [Arrivals::Poisson, Arrivals::Constant] {
            assert_eq!(arrivals.to_string().parse(), Ok(arrivals));
        }
        assert!("uniform".parse::<Arrivals>().unwrap_err().0.contains("poisson"));
    }

    #[test]
    fn constant_gaps_are_equal_and_do_not_drift() {
        let mut schedule = Schedule::new(Arrivals::Constant, 3.0);
        let mut rng = SmallRng::seed_from_u64(1);
        (0..3_000_000).for_each(|_| schedule.advance(&mut rng));
        assert!(schedule.due_ns().abs_diff(1_000_000_000_000_000) < 1_000_000, "{}", schedule.due_ns());
        assert!(gaps(Arrivals::Constant, 1000.0, 100).iter().all(|gap| (gap - 1e6).abs() < 1e-3));
    }

    #[test]
    fn poisson_gaps_have_the_mean_and_the_variance_of_the_exponential() {
        let gaps = gaps(Arrivals::Poisson, 100_000.0, 200_000);
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64;
        assert!((mean / 10_000.0 - 1.0).abs() < 0.01, "mean {mean} ns");
        // The standard deviation is the mean.
        assert!((variance.sqrt() / 10_000.0 - 1.0).abs() < 0.02, "deviation {} ns", variance.sqrt());
        // One in e lasts longer than the mean.
        let longer = gaps.iter().filter(|gap| **gap > 10_000.0).count() as f64 / gaps.len() as f64;
        assert!((longer - (-1f64).exp()).abs() < 0.005, "{longer}");
        assert!(gaps.iter().all(|gap| *gap >= 0.0));
    }
}

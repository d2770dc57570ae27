//! How long commands take: INFO commandstats and latencystats, LATENCY HISTOGRAM.
//!
//! Reading the clock twice costs more than many a command, so those of bounded cost are timed by sample (one in
//! `limits::TIMED_ONE_IN`) and all others always. A sample stands for the calls around it: sums and distributions are
//! scaled to the number of calls.

use hdrhistogram::Histogram;

use crate::limits::TIMED_COMMAND_US_MAX;

/// The times of one command.
#[derive(Clone, Debug)]
pub struct Times {
    /// Sum of the times measured, in microseconds.
    pub total_us: u64,
    /// Their distribution, to two digits.
    histogram: Histogram<u32>,
}

impl Times {
    fn new() -> Option<Self> {
        let histogram = Histogram::new_with_bounds(1, TIMED_COMMAND_US_MAX, 2).ok()?;
        Some(Self { total_us: 0, histogram })
    }

    /// Times measured.
    pub fn samples(&self) -> u64 {
        self.histogram.len()
    }

    /// The sum of the times of `calls` calls, going by those measured.
    pub fn total_us_of(&self, calls: u64) -> u64 {
        scale(self.total_us, calls, self.samples())
    }

    /// The time that `percent` of the calls did not exceed, in microseconds.
    pub fn percentile_us(&self, percent: f64) -> u64 {
        self.histogram.value_at_percentile(percent)
    }

    /// How many of `calls` calls took at most a power of two of microseconds, for every power at which the number grows.
    pub fn by_powers_of_two(&self, calls: u64) -> Vec<(u64, u64)> {
        let mut rising = Vec::new();
        let mut before = 0;
        for power in 0..=u64::BITS - 1 {
            let upto = 1u64 << power;
            let count =
                if upto > TIMED_COMMAND_US_MAX { self.samples() } else { self.histogram.count_between(0, upto) };
            if count > before {
                rising.push((upto, scale(calls, count, self.samples())));
                before = count;
            }
            if count == self.samples() {
                break;
            }
        }
        rising
    }
}

/// `amount * part / whole`, without overflow.
fn scale(amount: u64, part: u64, whole: u64) -> u64 {
    let scaled = u128::from(amount) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(scaled).unwrap_or(u64::MAX)
}

/// The times of every command that was measured.
#[derive(Clone, Debug, Default)]
pub struct CommandTimes {
    /// By the command's number, up to the highest that was measured.
    by_command: Vec<Option<Box<Times>>>,
}

impl CommandTimes {
    /// Takes note of a time of the command of this number.
    pub fn record(&mut self, command: usize, us: u64) {
        if command >= self.by_command.len() {
            self.by_command.resize(command + 1, None);
        }
        let place = &mut self.by_command[command];
        if place.is_none() {
            *place = Times::new().map(Box::new);
        }
        if let Some(times) = place {
            times.total_us = times.total_us.saturating_add(us);
            times.histogram.saturating_record(us);
        }
    }

    /// Whether the command of this number was measured at all.
    #[inline]
    pub fn knows(&self, command: usize) -> bool {
        self.by_command.get(command).is_some_and(Option::is_some)
    }

    /// Adds what another core has measured.
    pub fn join(&mut self, other: &Self) {
        self.by_command.resize(self.by_command.len().max(other.by_command.len()), None);
        for (own, other) in self.by_command.iter_mut().zip(&*other.by_command) {
            match (own, other) {
                (Some(own), Some(other)) => {
                    own.total_us = own.total_us.saturating_add(other.total_us);
                    // Both have the same bounds, so nothing can fall outside.
                    _ = own.histogram.add(&other.histogram);
                }
                (own @ None, Some(_)) => own.clone_from(other),
                (_, None) => {}
            }
        }
    }

    /// The times of the command of this number, if any were measured.
    pub fn of(&self, command: usize) -> Option<&Times> {
        self.by_command.get(command)?.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: usize = 3;
    const SET: usize = 16;

    #[test]
    fn a_sample_stands_for_all_calls() {
        let mut times = CommandTimes::default();
        times.record(GET, 1);
        times.record(GET, 3);
        let mut other = CommandTimes::default();
        other.record(GET, 100);
        other.record(SET, u64::MAX);
        times.join(&other);
        let get = times.of(GET).unwrap();
        assert_eq!((get.samples(), get.total_us_of(30)), (3, 1040));
        assert_eq!(get.by_powers_of_two(30), [(1, 10), (4, 20), (128, 30)]);
        assert_eq!(get.percentile_us(50.0), 3);
        let set = times.of(SET).unwrap();
        assert_eq!(set.by_powers_of_two(7).last(), Some(&(TIMED_COMMAND_US_MAX, 7)));
        assert!(times.of(SET + 1).is_none());
    }
}

//! How much happens per second: INFO's instantaneous figures, over the last one and a half seconds.

/// Samples kept, and the time between two.
const SAMPLES: usize = 16;
const INTERVAL_US: u64 = 100_000;

/// Counters at one moment.
#[derive(Clone, Copy, Debug, Default)]
struct Moment {
    at_us: u64,
    commands: u64,
    received_bytes: u64,
    sent_bytes: u64,
}

/// Counters at the latest moments. An idle core takes no samples: what is read then is the mean since its last one.
#[derive(Clone, Debug, Default)]
pub struct Rates {
    moments: [Moment; SAMPLES],
    next: usize,
    due_us: u64,
}

/// What happened per second.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RatesPerSecond {
    /// Commands run.
    pub commands: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Bytes sent.
    pub sent_bytes: u64,
}

impl Rates {
    /// Whether it is time for a sample. Asked every turn.
    #[inline]
    pub fn is_due(&self, now_us: u64) -> bool {
        now_us >= self.due_us
    }

    /// Takes a sample of the counters.
    pub fn sample(&mut self, now_us: u64, commands: u64, received_bytes: u64, sent_bytes: u64) {
        self.moments[self.next] = Moment { at_us: now_us, commands, received_bytes, sent_bytes };
        self.next = (self.next + 1) % SAMPLES;
        self.due_us = now_us + INTERVAL_US;
    }

    /// The mean since the oldest sample that is kept, given the counters now.
    pub fn per_second(&self, now_us: u64, commands: u64, received_bytes: u64, sent_bytes: u64) -> RatesPerSecond {
        let oldest = self.moments[self.next];
        // Before all places are taken, the oldest is the start, at which nothing had happened.
        let us = now_us.saturating_sub(oldest.at_us).max(INTERVAL_US);
        let rate = |now: u64, then: u64| {
            u64::try_from(u128::from(now.saturating_sub(then)) * 1_000_000 / u128::from(us)).unwrap_or(u64::MAX)
        };
        RatesPerSecond {
            commands: rate(commands, oldest.commands),
            received_bytes: rate(received_bytes, oldest.received_bytes),
            sent_bytes: rate(sent_bytes, oldest.sent_bytes),
        }
    }

    /// Begins anew at a moment at which all counters are zero.
    pub fn restart(&mut self, now_us: u64) {
        *self = Self { moments: [Moment { at_us: now_us, ..Moment::default() }; SAMPLES], next: 0, due_us: now_us };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_follows_the_latest_samples() {
        let mut rates = Rates::default();
        rates.restart(1_000);
        for step in 1..=40 {
            assert!(rates.is_due(1_000 + step * INTERVAL_US));
            rates.sample(1_000 + step * INTERVAL_US, step * 10, step * 1000, 0);
        }
        let now = 1_000 + 40 * INTERVAL_US;
        assert!(!rates.is_due(now));
        let expected = RatesPerSecond { commands: 100, received_bytes: 10_000, sent_bytes: 0 };
        assert_eq!(rates.per_second(now, 400, 40_000, 0), expected);
        assert_eq!(rates.per_second(now + 600_000_000, 400, 40_000, 0).commands, 0);
    }
}

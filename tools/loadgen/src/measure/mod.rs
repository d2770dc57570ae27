//! What was found: plain counts and histograms that are filled by one worker and added up by the main thread.

pub mod cpu;

use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest latency that is told apart; what is longer counts as this long.
pub const LATENCY_NS_MAX: u64 = 3_600_000_000_000;

/// Decimal digits that a histogram keeps.
const DIGITS: u8 = 3;

/// An empty histogram of nanoseconds.
pub fn latencies() -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1_000, LATENCY_NS_MAX, DIGITS).expect("the bounds are constant");
    histogram.auto(false);
    histogram
}

/// What a reply said, as far as counts are concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A value, or that something was done.
    Done,
    /// Nothing was there.
    Nothing,
    /// An error.
    Error,
    /// That another server has to be asked.
    Elsewhere,
}

/// The operations of one kind.
#[derive(Clone, Debug)]
pub struct Tally {
    /// From sending (or from when it should have been sent) to the reply, in nanoseconds.
    pub latencies: Histogram<u64>,
    /// Operations that were answered, errors included.
    pub operations: u64,
    /// Answers that were errors.
    pub errors: u64,
    /// Reads that found something.
    pub hits: u64,
    /// Reads that found nothing.
    pub misses: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self { latencies: latencies(), operations: 0, errors: 0, hits: 0, misses: 0 }
    }
}

impl Tally {
    /// Counts one operation.
    #[inline]
    pub fn count(&mut self, latency_ns: u64, answer: Answer, reads: bool) {
        self.latencies.saturating_record(latency_ns);
        self.operations += 1;
        match answer {
            Answer::Error => self.errors += 1,
            Answer::Nothing if reads => self.misses += 1,
            Answer::Done if reads => self.hits += 1,
            _ => {}
        }
    }

    /// Adds what another worker or interval counted.
    pub fn add(&mut self, other: &Tally) {
        self.latencies.add(&other.latencies).expect("all histograms have the same bounds");
        self.operations += other.operations;
        self.errors += other.errors;
        self.hits += other.hits;
        self.misses += other.misses;
    }
}

/// Slow operations that are kept, in a stretch of time or a whole run.
pub const SLOW_MAX: usize = 100_000;

/// One operation that took long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slow {
    /// Index of its kind.
    pub kind: usize,
    /// The moment from which its latency counts, since the run began.
    pub since_ns: u64,
    /// How long it took.
    pub latency_ns: u64,
}

/// What one worker counted in a stretch of time.
#[derive(Clone, Debug, Default)]
pub struct Interval {
    /// By kind of operation.
    pub kinds: Vec<Tally>,
    /// Bytes handed to the kernel.
    pub sent_bytes: u64,
    /// Bytes taken from it.
    pub received_bytes: u64,
    /// Operations that took longer than was asked for; the first [`SLOW_MAX`].
    pub slow: Vec<Slow>,
    /// Further ones, which were not kept.
    pub slow_missed: u64,
}

impl Interval {
    /// An empty one.
    pub fn new(kinds: usize) -> Self {
        Self { kinds: (0..kinds).map(|_| Tally::default()).collect(), ..Self::default() }
    }

    /// Adds another one of the same kinds.
    pub fn add(&mut self, other: &Interval) {
        self.kinds.iter_mut().zip(&other.kinds).for_each(|(own, other)| own.add(other));
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.slow_missed += other.slow_missed;
        other.slow.iter().for_each(|slow| self.note(*slow));
    }

    /// Keeps a slow operation, if there is room.
    pub fn note(&mut self, slow: Slow) {
        if self.slow.len() < SLOW_MAX { self.slow.push(slow) } else { self.slow_missed += 1 }
    }

    /// All kinds in one.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.kinds.iter().for_each(|kind| total.add(kind));
        total
    }
}

/// One point of the curve over time.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct Point {
    /// Its end, in seconds since the measurement began (warm-up excluded).
    pub second: f64,
    /// Operations per second in it.
    pub rate: f64,
    /// Median latency in it, in milliseconds.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// 99.9th percentile.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// Errors in it.
    pub errors: u64,
}

/// Everything that one measurement found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// Names of the kinds of operation, as [`Interval::kinds`] has them.
    pub kinds: Vec<String>,
    /// Everything counted, warm-up excluded.
    pub counted: Interval,
    /// Over time.
    pub series: Vec<Point>,
    /// When the run began, warm-up included: time since 1970.
    pub began: Duration,
    /// How long was measured.
    pub elapsed: Duration,
    /// Operations per second that were asked for, in an open loop.
    pub intended_rate: Option<f64>,
    /// CPU time that this program spent meanwhile.
    pub client_cpu: Duration,
    /// CPU time that the server spent meanwhile, if its process is known.
    pub server_cpu: Option<Duration>,
    /// The first error replies that came, each kind once, with how often it came.
    pub errors: Vec<(String, u64)>,
    /// Connections that broke and were made again.
    pub reconnects: u64,
    /// Operations that a cluster's server sent elsewhere.
    pub redirections: u64,
    /// Operations that had no answer when the run was given up.
    pub unanswered: u64,
    /// What a check found wrong, as sentences; only the first are kept.
    pub faults: Vec<String>,
    /// How many faults there were in all.
    pub fault_count: u64,
}

impl Findings {
    /// Operations per second.
    pub fn rate(&self) -> f64 {
        self.counted.kinds.iter().map(|kind| kind.operations).sum::<u64>() as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }

    /// CPU time of the server per operation in microseconds, if its process is known.
    pub fn server_cpu_us(&self) -> Option<f64> {
        self.server_cpu.map(|cpu| self.per_operation_us(cpu))
    }

    /// CPU time of this program per operation in microseconds.
    pub fn client_cpu_us(&self) -> f64 {
        self.per_operation_us(self.client_cpu)
    }

    fn per_operation_us(&self, cpu: Duration) -> f64 {
        let operations = self.counted.kinds.iter().map(|kind| kind.operations).sum::<u64>();
        cpu.as_secs_f64() * 1e6 / (operations as f64).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_operations_are_kept_up_to_a_bound_and_counted_beyond_it() {
        let slow = Slow { kind: 0, since_ns: 1, latency_ns: 2 };
        let mut one = Interval::new(1);
        (0..SLOW_MAX).for_each(|_| one.note(slow));
        assert_eq!((one.slow.len(), one.slow_missed), (SLOW_MAX, 0));
        let mut both = Interval::new(1);
        both.note(slow);
        both.add(&one);
        both.add(&one);
        assert_eq!((both.slow.len() as u64, both.slow_missed), (SLOW_MAX as u64, SLOW_MAX as u64 + 1));
    }
}

//! The numbers of a report, worked out once: the table prints them, and the JSON names them as they are named here.

use serde::Serialize;

use crate::measure::{Findings, Point, Slow, Tally};

/// An open loop that reaches less than this part of its rate could not keep up.
const KEPT_UP_RATIO: f64 = 0.99;

/// Part of a point of the series that may lie behind the last reply.
const MISSING_MAX: f64 = 0.1;

/// Latencies in milliseconds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct LatencyMs {
    /// The shortest.
    pub min: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The median.
    pub p50: f64,
    /// 90 of 100 were no longer than this.
    pub p90: f64,
    /// 99 of 100.
    pub p99: f64,
    /// 999 of 1,000.
    pub p99_9: f64,
    /// 9,999 of 10,000.
    pub p99_99: f64,
    /// The longest.
    pub max: f64,
}

/// The operations of one kind, or all of them.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Row {
    /// Operations that were answered, errors included.
    pub operations: u64,
    /// The same in each second.
    pub operations_per_second: f64,
    /// Answers that were errors.
    pub errors: u64,
    /// Reads that found something.
    pub hits: u64,
    /// Reads that found nothing.
    pub misses: u64,
    /// Part of the reads that found something, 0 to 1; none if nothing was read.
    pub hit_ratio: Option<f64>,
    /// None if there was no operation.
    pub latency_ms: Option<LatencyMs>,
}

/// A row with the name of its kind.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct KindRow {
    /// What the workload calls it.
    pub name: String,
    /// Its numbers.
    #[serde(flatten)]
    pub row: Row,
}

/// An error reply, and how often it came.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ErrorReply {
    /// What the server said.
    pub text: String,
    /// How often.
    pub count: u64,
}

/// Everything that a report says in numbers, except its series.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Figures {
    /// How long was measured.
    pub elapsed_seconds: f64,
    /// All operations.
    #[serde(flatten)]
    pub total: Row,
    /// The rate of an open loop.
    pub intended_operations_per_second: Option<f64>,
    /// The rate that was reached as a part of the one that was intended.
    pub achieved_ratio: Option<f64>,
    /// Bytes sent.
    pub sent_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Millions of bytes sent in each second.
    pub sent_megabytes_per_second: f64,
    /// Millions of bytes received in each second.
    pub received_megabytes_per_second: f64,
    /// CPU time that this program took for an operation, in microseconds.
    pub client_cpu_us_per_operation: f64,
    /// CPUs that this program kept busy.
    pub client_cpu_cores: f64,
    /// CPU time that the server took for an operation, in microseconds, if its process is known.
    pub server_cpu_us_per_operation: Option<f64>,
    /// CPUs that the server kept busy.
    pub server_cpu_cores: Option<f64>,
    /// Operations that had no answer at the end.
    pub unanswered: u64,
    /// Connections that broke and were made again.
    pub reconnects: u64,
    /// Error replies.
    pub error_replies: Vec<ErrorReply>,
    /// What a check found wrong; the first ones only.
    pub faults: Vec<String>,
    /// How much it found wrong in all.
    pub fault_count: u64,
    /// By kind of operation.
    pub kinds: Vec<KindRow>,
}

/// A point of the series as scripts see it.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct SeriesPoint {
    /// Its end, in seconds since the measurement began.
    pub second: f64,
    /// Operations in each second of it.
    pub operations_per_second: f64,
    /// Median latency.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// 99.9th percentile.
    pub p99_9_ms: f64,
    /// The longest.
    pub max_ms: f64,
    /// Errors in it.
    pub errors: u64,
}

/// A slow operation as scripts see it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SlowOperation {
    /// Its kind.
    pub name: String,
    /// The moment from which its latency counts: milliseconds since 1970.
    pub due_unix_ms: f64,
    /// How long it took.
    pub took_ms: f64,
}

impl SlowOperation {
    /// All that were kept.
    pub fn all(findings: &Findings) -> Vec<Self> {
        let began_ms = findings.began.as_secs_f64() * 1e3;
        let of = |slow: &Slow| Self {
            name: findings.kinds[slow.kind].clone(),
            due_unix_ms: began_ms + slow.since_ns as f64 / 1e6,
            took_ms: slow.latency_ns as f64 / 1e6,
        };
        findings.counted.slow.iter().map(of).collect()
    }
}

impl LatencyMs {
    /// None if nothing was counted.
    pub fn of(tally: &Tally) -> Option<Self> {
        let latencies = &tally.latencies;
        if latencies.is_empty() {
            return None;
        }
        let at = |percentile| latencies.value_at_percentile(percentile) as f64 / 1e6;
        Some(Self {
            min: latencies.min() as f64 / 1e6,
            mean: latencies.mean() / 1e6,
            p50: at(50.0),
            p90: at(90.0),
            p99: at(99.0),
            p99_9: at(99.9),
            p99_99: at(99.99),
            max: latencies.max() as f64 / 1e6,
        })
    }
}

impl Row {
    /// What was counted in so many seconds.
    pub fn of(tally: &Tally, elapsed_s: f64) -> Self {
        let reads = tally.hits + tally.misses;
        Self {
            operations: tally.operations,
            operations_per_second: per(tally.operations as f64, elapsed_s),
            errors: tally.errors,
            hits: tally.hits,
            misses: tally.misses,
            hit_ratio: (reads > 0).then(|| tally.hits as f64 / reads as f64),
            latency_ms: LatencyMs::of(tally),
        }
    }
}

impl Figures {
    /// The numbers of what was found.
    pub fn of(findings: &Findings) -> Self {
        let elapsed_s = findings.elapsed.as_secs_f64();
        let counted = &findings.counted;
        let total = Row::of(&counted.total(), elapsed_s);
        let named = findings.kinds.iter().zip(&counted.kinds);
        let kinds = named.map(|(name, tally)| KindRow { name: name.clone(), row: Row::of(tally, elapsed_s) }).collect();
        let intended = findings.intended_rate.filter(|rate| *rate > 0.0);
        Self {
            elapsed_seconds: elapsed_s,
            intended_operations_per_second: intended,
            achieved_ratio: intended.map(|rate| total.operations_per_second / rate),
            sent_bytes: counted.sent_bytes,
            received_bytes: counted.received_bytes,
            sent_megabytes_per_second: per(counted.sent_bytes as f64 / 1e6, elapsed_s),
            received_megabytes_per_second: per(counted.received_bytes as f64 / 1e6, elapsed_s),
            client_cpu_us_per_operation: findings.client_cpu_us(),
            client_cpu_cores: per(findings.client_cpu.as_secs_f64(), elapsed_s),
            server_cpu_us_per_operation: findings.server_cpu_us(),
            server_cpu_cores: findings.server_cpu.map(|cpu| per(cpu.as_secs_f64(), elapsed_s)),
            unanswered: findings.unanswered,
            reconnects: findings.reconnects,
            error_replies: findings
                .errors
                .iter()
                .map(|(text, count)| ErrorReply { text: text.clone(), count: *count })
                .collect(),
            faults: findings.faults.clone(),
            fault_count: findings.fault_count,
            total,
            kinds,
        }
    }

    /// Whether the rate that was asked for was reached, if one was.
    pub fn kept_up(&self) -> bool {
        self.achieved_ratio.is_none_or(|ratio| ratio >= KEPT_UP_RATIO)
    }
}

impl From<&Point> for SeriesPoint {
    fn from(point: &Point) -> Self {
        Self {
            second: point.second,
            operations_per_second: point.rate,
            p50_ms: point.p50_ms,
            p99_ms: point.p99_ms,
            p99_9_ms: point.p999_ms,
            max_ms: point.max_ms,
            errors: point.errors,
        }
    }
}

/// The series without its last point if the measurement ended within it: its rate would count time that did not pass.
pub(super) fn whole_points(findings: &Findings) -> &[Point] {
    match &findings.series[..] {
        [before @ .., last_but_one, last] => {
            let tick_s = last.second - last_but_one.second;
            let missing_s = last.second - findings.elapsed.as_secs_f64();
            let is_whole = missing_s < tick_s * MISSING_MAX;
            &findings.series[..before.len() + 1 + usize::from(is_whole)]
        }
        few => few,
    }
}

/// `amount` in each of `seconds`; nothing happens in no time.
fn per(amount: f64, seconds: f64) -> f64 {
    if seconds > 0.0 { amount / seconds } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::report::testing::{busy, idle, single};

    #[test]
    fn nothing_measured_is_no_latency_and_no_rate() {
        let figures = Figures::of(&idle());
        assert_eq!(figures.total.latency_ms, None);
        assert_eq!(figures.total.hit_ratio, None);
        assert_eq!(figures.total.operations_per_second, 0.0);
        assert!(figures.kept_up());
    }

    #[test]
    fn the_kinds_add_up_to_the_total() {
        let figures = Figures::of(&busy());
        assert_eq!(figures.kinds.iter().map(|kind| kind.row.operations).sum::<u64>(), figures.total.operations);
        let rates: f64 = figures.kinds.iter().map(|kind| kind.row.operations_per_second).sum();
        assert!((rates - figures.total.operations_per_second).abs() < 1e-6);
    }

    #[test]
    fn a_point_that_was_cut_short_does_not_count() {
        let mut findings = busy();
        for (elapsed_ms, points) in [(10_000, 100), (9_995, 100), (9_950, 99), (1, 99), (20_000, 100)] {
            findings.elapsed = Duration::from_millis(elapsed_ms);
            assert_eq!(whole_points(&findings).len(), points, "{elapsed_ms}");
        }
        assert_eq!((whole_points(&idle()).len(), whole_points(&single()).len()), (0, 1));
    }

    #[test]
    fn an_open_loop_keeps_up_within_a_hundredth() {
        let mut findings = busy();
        let rate = findings.rate();
        findings.intended_rate = Some(rate / 0.995);
        assert!(Figures::of(&findings).kept_up());
        findings.intended_rate = Some(rate / 0.98);
        assert!(!Figures::of(&findings).kept_up());
        findings.intended_rate = Some(0.0);
        assert_eq!(Figures::of(&findings).achieved_ratio, None);
    }
}

//! A distribution in the text form of HdrHistogram, which its plotter and others read. Values are milliseconds.
//!
//! ```text
//!        Value     Percentile TotalCount 1/(1-Percentile)
//!
//!        0.123 0.000000000000          1           1.00       value %12.3f, part %2.12f, count %10d, %14.2f
//!        ...
//!        9.876 1.000000000000      20000                      the last line has no fourth column
//! #[Mean    =        0.234, StdDeviation   =        0.345]
//! #[Max     =        9.876, Total count    =        20000]
//! #[Buckets =           22, SubBuckets     =         2048]
//! ```
//!
//! The lines stand closer the nearer they come to 100 %: five for each halving of what is left.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

/// Lines for each halving of the distance to 100 %; what the plotter's own examples have.
pub(super) const TICKS_PER_HALF_DISTANCE: u32 = 5;

/// Nanoseconds in the unit that is written.
const NS_PER_MS: f64 = 1e6;

/// The distribution of nanoseconds as text.
pub fn hgrm(latencies: &Histogram<u64>) -> String {
    let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
    let mut counted = 0;
    for step in latencies.iter_quantiles(TICKS_PER_HALF_DISTANCE) {
        counted += step.count_since_last_iteration();
        let value = step.value_iterated_to() as f64 / NS_PER_MS;
        let part = step.quantile_iterated_to();
        let _ = write!(text, "{value:12.3} {part:2.12} {counted:10}");
        if part < 1.0 {
            let _ = write!(text, " {:14.2}", 1.0 / (1.0 - part));
        }
        text.push('\n');
    }
    let (mean, deviation) =
        if latencies.is_empty() { (0.0, 0.0) } else { (latencies.mean() / NS_PER_MS, latencies.stdev() / NS_PER_MS) };
    let _ = writeln!(text, "#[Mean    = {mean:12.3}, StdDeviation   = {deviation:12.3}]");
    let max = latencies.max() as f64 / NS_PER_MS;
    let _ = writeln!(text, "#[Max     = {max:12.3}, Total count    = {:12}]", latencies.len());
    let _ = writeln!(text, "#[Buckets = {:12}, SubBuckets     = {:12}]", latencies.buckets(), sub_buckets(latencies));
    text
}

/// Values that are told apart within one bucket: the power of two that keeps the digits asked for.
fn sub_buckets(latencies: &Histogram<u64>) -> u64 {
    (2 * 10_u64.pow(u32::from(latencies.sigfig()))).next_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure;
    use crate::report::testing::{busy, tail_ns};

    /// Reads the lines as HdrHistogram's plotter does: what has four columns and no `#` is a point.
    fn points(text: &str) -> Vec<(f64, f64)> {
        let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_whitespace().collect());
        rows.filter(|columns: &Vec<&str>| columns.len() == 4)
            .filter_map(|columns| Some((columns[3].parse().ok()?, columns[0].parse().ok()?)))
            .collect()
    }

    #[test]
    fn it_reads_back_as_the_same_distribution() {
        let mut latencies = measure::latencies();
        (0..100_000).for_each(|number| latencies.saturating_record(tail_ns(number, 100_000)));
        let text = hgrm(&latencies);
        let points = points(&text);
        assert!(points.len() > 60, "{text}");
        assert!(points.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1), "{text}");
        for (inverse, value) in &points {
            // The fourth column has two digits behind the point; the quantile is known as well as that.
            let quantile = 1.0 - 1.0 / inverse;
            let slack = 0.01 / (inverse * inverse) + 2e-5;
            let least = latencies.value_at_quantile((quantile - slack).max(0.0)) as f64 / 1e6;
            let most = latencies.value_at_quantile((quantile + slack).min(1.0)) as f64 / 1e6;
            assert!((least - 0.001..=most + 0.001).contains(value), "{quantile}: {least} {value} {most}");
        }
        let last = text.lines().rfind(|line| !line.starts_with('#')).unwrap_or_default();
        let last: Vec<&str> = last.split_whitespace().collect();
        assert_eq!(last[1..], ["1.000000000000", "100000"]);
    }

    #[test]
    fn its_lines_are_the_ones_of_the_original() {
        let mut latencies = measure::latencies();
        [1, 2, 2, 3].iter().for_each(|ms| latencies.saturating_record(ms * 100_000_000));
        let text = hgrm(&latencies);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "       Value     Percentile TotalCount 1/(1-Percentile)");
        assert_eq!(lines[1], "");
        assert_eq!(lines[2], "     100.008 0.000000000000          1           1.00");
        assert_eq!(lines[3], "     100.008 0.100000000000          1           1.11");
        let tail = &lines[lines.len() - 4..];
        assert_eq!(tail[0], "     300.155 1.000000000000          4");
        assert_eq!(tail[1], "#[Mean    =      199.975, StdDeviation   =       70.728]");
        assert_eq!(tail[2], "#[Max     =      300.155, Total count    =            4]");
        assert_eq!(tail[3], "#[Buckets =           23, SubBuckets     =         2048]");
    }

    #[test]
    fn nothing_measured_is_written_without_odd_numbers() {
        let text = hgrm(&measure::latencies());
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        assert!(text.contains("Total count    =            0]"));
        assert!(!hgrm(&busy().counted.total().latencies).contains("inf"));
    }
}

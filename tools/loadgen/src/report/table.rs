//! A measurement as a table for people.

use std::fmt::Write as _;

use super::Report;

/// The table that ends a run.
pub fn table(report: &Report<'_>) -> String {
    let mut text = String::new();
    let findings = report.findings;
    let total = findings.counted.total();
    let ms = |percentile: f64| total.latencies.value_at_percentile(percentile) as f64 / 1e6;
    let _ = writeln!(
        text,
        "{:.0} operations/s, p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms, {} errors, client CPU {:.3} us/op, server CPU {:.3} us/op",
        findings.rate(),
        ms(50.0),
        ms(99.0),
        ms(99.9),
        total.errors,
        findings.client_cpu_us(),
        findings.server_cpu_us().unwrap_or(f64::NAN),
    );
    text
}

//! Synthetic findings for the tests of this room.

use std::time::Duration;

use crate::measure::{Answer, Findings, Interval, Point, Slow};

/// Nothing was measured.
pub(super) fn idle() -> Findings {
    Findings { kinds: vec!["GET".to_owned()], counted: Interval::new(1), ..Findings::default() }
}

/// One operation, all in all.
pub(super) fn single() -> Findings {
    let mut findings = Findings { elapsed: Duration::from_millis(1), ..idle() };
    findings.counted.kinds[0].count(123_456, Answer::Done, true);
    findings.series.push(Point {
        second: 0.1,
        rate: 10.0,
        p50_ms: 0.1,
        p99_ms: 0.1,
        p999_ms: 0.1,
        max_ms: 0.1,
        errors: 0,
    });
    findings
}

/// Ten seconds of two kinds: latencies with a long tail, a few misses, a few errors.
pub(super) fn busy() -> Findings {
    let mut findings = Findings {
        kinds: vec!["GET".to_owned(), "SET".to_owned()],
        counted: Interval::new(2),
        elapsed: Duration::from_secs(10),
        client_cpu: Duration::from_millis(15_000),
        server_cpu: Some(Duration::from_millis(9_000)),
        errors: vec![("OOM command not allowed when used memory > 'maxmemory'".to_owned(), 5)],
        ..Findings::default()
    };
    for number in 0..20_000_u64 {
        let kind = usize::from(number % 4 == 3);
        let answer = match number {
            _ if kind == 1 && number < 20 => Answer::Error,
            _ if number % 50 == 0 => Answer::Nothing,
            _ => Answer::Done,
        };
        findings.counted.kinds[kind].count(tail_ns(number, 20_000) * (kind as u64 + 1), answer, kind == 0);
    }
    findings.began = Duration::from_secs(1_700_000_000);
    findings.counted.note(Slow { kind: 1, since_ns: 2_500_000, latency_ns: 1_250_000 });
    findings.counted.sent_bytes = 12_345_678;
    findings.counted.received_bytes = 234_567_890;
    findings.series = (1..=100).map(|tick| point(tick, 2_000.0)).collect();
    findings
}

/// A point of a series around a rate, the same each time it is asked for.
pub(super) fn point(tick: u32, rate: f64) -> Point {
    let wave = (f64::from(tick) / 7.0).sin();
    Point {
        second: f64::from(tick) / 10.0,
        rate: rate * (1.0 + 0.05 * wave),
        p50_ms: 0.1 + 0.01 * wave,
        p99_ms: 0.4 + 0.1 * wave,
        p999_ms: 1.2 + 0.5 * wave,
        max_ms: 5.0 + wave,
        errors: u64::from(tick == 42),
    }
}

/// The latency at the place `number` of `count`: an exponential distribution upon 50 us, drawn by its inverse.
pub(super) fn tail_ns(number: u64, count: u64) -> u64 {
    let left = 1.0 - (number as f64 + 0.5) / count as f64;
    (50_000.0 - left.ln() * 120_000.0 + (0.002 / left) * 100_000.0) as u64
}

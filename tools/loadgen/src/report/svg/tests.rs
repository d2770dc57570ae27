//! Pictures are well-formed XML with the lines that they should have, whatever the findings are.

use std::time::Duration;

use super::*;
use crate::measure::Point;
use crate::report::curve::CurvePoint;
use crate::report::testing::{busy, idle, point, single, tail_ns};

const GOAL: Goal = Goal { percentile: 99.9, limit: Duration::from_millis(1) };

fn settings() -> Vec<(String, String)> {
    [("server", "127.0.0.1:6379"), ("workload", "<mixed> & \"3:1\""), ("connections", "50"), ("pipeline", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

fn picture(findings: &Findings, goal: Option<Goal>) -> String {
    checked(measurement(&Report { title: "run <&'\"\x07>", settings: &settings(), findings, goal }))
}

/// The picture, if every element is closed, every attribute is quoted, and every number in it is one and on the page.
fn checked(svg: String) -> String {
    let mut open = Vec::new();
    let mut rest = svg.as_str();
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "a stray bracket before {}", &rest[start..]);
        let end = start + rest[start..].find('>').expect("every bracket is closed");
        let element = &rest[start + 1..end];
        if let Some(name) = element.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{svg}");
        } else {
            assert_eq!(element.matches('"').count() % 2, 0, "{element}");
            let name = element.split([' ', '/']).next().expect("an element has a name");
            if !element.ends_with('/') {
                open.push(name);
            }
            numbers_on_page(element);
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(!svg.contains("NaN") && !svg.contains("inf") && !svg.contains("script"), "{svg}");
    let entities = ["&amp;", "&lt;", "&gt;", "&quot;", "&apos;"];
    assert_eq!(svg.matches('&').count(), entities.iter().map(|entity| svg.matches(entity).count()).sum::<usize>());
    svg
}

fn numbers_on_page(element: &str) {
    let mut attributes = element.split('"');
    while let (Some(name), Some(value)) = (attributes.next(), attributes.next()) {
        let name = name.trim().trim_end_matches('=').rsplit(' ').next().unwrap_or_default();
        if !["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "d", "points"].contains(&name) {
            continue;
        }
        for number in value.split(['M', 'L', ' ', ',']).filter(|number| !number.is_empty()) {
            let number: f64 = number.parse().unwrap_or_else(|_| panic!("{number} in {element}"));
            assert!((0.0..=1_200.0).contains(&number), "{number} in {element}");
        }
    }
}

fn count(svg: &str, element: &str) -> usize {
    svg.matches(&format!("<{element} ")).count()
}

#[test]
fn a_run_has_a_line_for_each_kind_and_two_over_time() {
    let svg = picture(&busy(), None);
    // GET, SET and all of them; throughput and p99.
    assert_eq!(count(&svg, "path"), 3 + 2, "{svg}");
    for label in ["99.9 %", "latency (ms)", "operations/s", "p99 (ms)", "time (s)", "all operations", "errors were"] {
        assert!(svg.contains(label), "{label}");
    }
    assert!(svg.contains("&lt;mixed&gt; &amp; &quot;3:1&quot;"));
    let mut findings = busy();
    findings.kinds.pop();
    findings.counted.kinds.pop();
    let svg = picture(&findings, Some(GOAL));
    assert_eq!(count(&svg, "path"), 1 + 2);
    assert!(svg.contains("goal: p99.9 &lt;= 1 ms"));
}

#[test]
fn many_kinds_leave_the_rare_ones_out() {
    let mut findings = busy();
    for number in 0..20 {
        findings.kinds.push(format!("KIND{number}"));
        findings.counted.kinds.push(findings.counted.kinds[number % 2].clone());
    }
    assert_eq!(count(&picture(&findings, None), "path"), 1 + KINDS_MAX + 2);
}

#[test]
fn a_comparison_has_a_line_for_each_run() {
    let (a, b, c) = (busy(), busy(), single());
    let svg = checked(comparison("compare", &settings(), None, &[("redis", &a), ("corewise", &b), ("other", &c)]));
    // The single operation is too short for a line: it is a dot.
    assert_eq!(count(&svg, "path"), 2 * 3);
    assert!(svg.contains(">redis<") && svg.contains(">corewise<"));
    assert_eq!(count(&checked(comparison("compare", &[], None, &[])), "path"), 0);
}

#[test]
fn a_search_is_a_curve_of_each_percentile() {
    let points: Vec<CurvePoint> = (1..=8).map(|step| rate_point(f64::from(step) * 20_000.0)).collect();
    let svg = checked(curves("search", &settings(), Some(&GOAL), &[("", &points)]));
    assert_eq!((count(&svg, "path"), count(&svg, "circle")), (3, 3 * 8 + 3));
    let svg = checked(curves("search", &settings(), Some(&GOAL), &[("a", &points), ("b", &points[..4]), ("c", &[])]));
    assert_eq!(count(&svg, "path"), 2 * 2);
    assert!(svg.contains("a p99.9") && svg.contains("holds up to"));
    assert!(checked(curves("search", &[], None, &[("", &[])])).contains("nothing was measured"));
    let odd = [CurvePoint { p50_ms: f64::NAN, p99_ms: f64::INFINITY, rate: f64::NAN, ..points[0] }];
    checked(curves("search", &[], None, &[("", &odd)]));
}

fn rate_point(rate: f64) -> CurvePoint {
    let load = rate / 170_000.0;
    let ms = 0.05 / (1.0 - load.min(0.97));
    CurvePoint {
        intended_rate: rate,
        rate: rate.min(155_000.0),
        p50_ms: ms,
        p99_ms: ms * 4.0,
        p99_9_ms: ms * 9.0,
        errors: 0,
        server_cpu_us_per_operation: None,
        holds: ms * 9.0 < 1.0,
    }
}

#[test]
fn extremes_are_drawn_without_odd_numbers() {
    picture(&Findings::default(), Some(GOAL));
    picture(&idle(), None);
    assert!(picture(&idle(), None).contains("nothing was measured"));
    picture(&single(), Some(Goal { percentile: 100.0, limit: Duration::ZERO }));
    let mut same = idle();
    (0..1_000).for_each(|_| same.counted.kinds[0].count(1_000_000, crate::measure::Answer::Done, true));
    same.elapsed = Duration::from_secs(1);
    picture(&same, None);
    let mut huge = busy();
    huge.elapsed = Duration::from_nanos(1);
    huge.intended_rate = Some(1e9);
    for kind in &mut huge.counted.kinds {
        kind.latencies.saturating_record_n(u64::MAX, 1_000_000_000_000);
        kind.latencies.saturating_record_n(0, 1_000_000_000);
        kind.operations = u64::MAX / 4;
    }
    huge.series = (1..=5_000).map(|tick| point(tick, 1e9)).collect();
    let odd = Point { rate: f64::NAN, p99_ms: f64::INFINITY, ..huge.series[0] };
    huge.series.push(odd);
    picture(&huge, Some(Goal { percentile: 50.0, limit: Duration::from_secs(1_000_000) }));
}

#[test]
fn long_runs_keep_their_picture_small() {
    let mut findings = busy();
    findings.series = (1..=36_000).map(|tick| point(tick, 1e6)).collect();
    let svg = picture(&findings, None);
    assert!(svg.len() < 64_000, "{}", svg.len());
    assert!(svg.contains("a point is 12 s: the mean, and the range of each 100 ms"));
    assert_eq!(count(&svg, "polygon"), 1);
}

#[test]
fn times_are_written_with_their_unit() {
    assert_eq!(goal_text(&GOAL), "p99.9 <= 1 ms");
    assert_eq!(goal_text(&Goal { percentile: 99.0, limit: Duration::from_micros(250) }), "p99 <= 250 us");
    assert_eq!(goal_text(&Goal { percentile: 50.0, limit: Duration::from_millis(1_500) }), "p50 <= 1.5 s");
    assert_eq!((span(0.1), span(12.0), span(0.0)), ("100 ms".into(), "12 s".into(), "0 ms".into()));
}

/// Pictures as there are in practice. To look at them, name a directory: `COREWISE_PICTURES=pictures cargo test`.
#[test]
fn pictures_as_in_practice() {
    let directory = std::env::var_os("COREWISE_PICTURES").map(std::path::PathBuf::from);
    let look = |name: &str, svg: String| {
        let svg = checked(svg);
        assert!(count(&svg, "path") > 2);
        if let Some(directory) = &directory {
            std::fs::write(directory.join(name), svg).expect("the directory is writable");
        }
    };
    let (fast, slow) = (millions(1, 200_000.0, 100), millions(3, 140_000.0, 100));
    look("run.svg", picture(&fast, Some(GOAL)));
    let mut only = millions(1, 200_000.0, 3_000);
    only.kinds.pop();
    only.counted.kinds.pop();
    only.intended_rate = Some(210_000.0);
    look("single.svg", picture(&only, None));
    look("compare.svg", comparison("compare", &settings(), None, &[("corewise", &fast), ("redis 7.2", &slow)]));
    let points: Vec<CurvePoint> = (1..=9).map(|step| rate_point(f64::from(step) * 20_000.0)).collect();
    look("search.svg", curves("search", &settings(), Some(&GOAL), &[("", &points)]));
    let less: Vec<CurvePoint> = points.iter().map(|point| CurvePoint { rate: point.rate * 0.7, ..*point }).collect();
    let both: [(&str, &[CurvePoint]); 2] = [("corewise", &points), ("redis 7.2", &less)];
    look("searches.svg", curves("search", &settings(), Some(&GOAL), &both));
}

/// Half a million operations, so and so many times as slow as they could be.
fn millions(slowness: u64, rate: f64, ticks: u32) -> Findings {
    let mut findings = busy();
    for number in 0..500_000_u64 {
        let kind = usize::from(number % 4 == 3);
        let latency_ns = tail_ns(number, 500_000) * (2 + kind as u64) * slowness / 2;
        findings.counted.kinds[kind].count(latency_ns, crate::measure::Answer::Done, kind == 0);
    }
    findings.elapsed = Duration::from_millis(u64::from(ticks) * 100);
    findings.series = (1..=ticks).map(|tick| point(tick, rate)).collect();
    let longer = |point: Point| Point { p99_ms: point.p99_ms * slowness as f64, ..point };
    findings.series.iter_mut().for_each(|point| *point = longer(*point));
    findings
}

//! The curve of rate against latency that a search found: one row for each rate that was tried.

use std::fmt::Write as _;

use serde::Serialize;

use super::columns::{NONE, aligned, decimals_ms, fixed, grouped, heading, rate, settings};
use super::figures::Figures;
use super::json::{Head, pretty};
use super::{Form, Settings, svg};
use crate::measure::Findings;
use crate::plan::Goal;

/// What one rate led to.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct CurvePoint {
    /// Operations per second that were asked for.
    #[serde(rename = "intended_operations_per_second")]
    pub intended_rate: f64,
    /// Operations per second that there were.
    #[serde(rename = "operations_per_second")]
    pub rate: f64,
    /// Median latency.
    pub p50_ms: f64,
    /// 99th percentile.
    pub p99_ms: f64,
    /// 99.9th percentile.
    pub p99_9_ms: f64,
    /// Answers that were errors.
    pub errors: u64,
    /// CPU time of the server, if its process is known.
    pub server_cpu_us_per_operation: Option<f64>,
    /// Whether the rate was reached within the goal.
    pub holds: bool,
}

impl CurvePoint {
    /// A point of what was found at a rate; whether it holds the goal is the search's to say. No latency is shown for
    /// a rate at which nothing was answered.
    pub fn of(findings: &Findings, holds: bool) -> Self {
        let figures = Figures::of(findings);
        let latency =
            |pick: fn(&super::figures::LatencyMs) -> f64| figures.total.latency_ms.as_ref().map_or(f64::NAN, pick);
        Self {
            intended_rate: findings.intended_rate.unwrap_or(figures.total.operations_per_second),
            rate: figures.total.operations_per_second,
            p50_ms: latency(|ms| ms.p50),
            p99_ms: latency(|ms| ms.p99),
            p99_9_ms: latency(|ms| ms.p99_9),
            errors: figures.total.errors,
            server_cpu_us_per_operation: figures.server_cpu_us_per_operation,
            holds,
        }
    }
}

/// What a search found.
#[derive(Clone, Copy, Debug)]
pub struct Curve<'a> {
    /// What was done, in a few words.
    pub title: &'a str,
    /// What was asked for.
    pub settings: &'a Settings,
    /// What was to be held.
    pub goal: Option<Goal>,
    /// The rates that were tried, in any order.
    pub points: &'a [CurvePoint],
    /// The distributions at the best rate, if they are to be had.
    pub best: Option<&'a Findings>,
}

impl Curve<'_> {
    /// The point of the highest rate that holds the goal.
    pub fn best_point(&self) -> Option<&CurvePoint> {
        best(self.points)
    }

    fn sorted(&self) -> Vec<CurvePoint> {
        let mut points = self.points.to_vec();
        points.sort_by(|one, other| one.intended_rate.total_cmp(&other.intended_rate));
        points
    }
}

/// The point of the highest rate that holds the goal.
pub(super) fn best(points: &[CurvePoint]) -> Option<&CurvePoint> {
    points.iter().filter(|point| point.holds).max_by(|one, other| one.rate.total_cmp(&other.rate))
}

/// A search as an object.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    goal: Option<String>,
    best_operations_per_second: Option<f64>,
    /// By the rate that was asked for.
    curve: Vec<CurvePoint>,
}

impl Form for Curve<'_> {
    fn table(&self) -> String {
        let mut text = format!("{}\n{}\n", self.title, settings(self.settings));
        let points = self.sorted();
        let most = points.iter().map(|point| point.p99_9_ms).filter(|ms| ms.is_finite()).fold(0.0, f64::max);
        let names = ["intended/s", "achieved/s", "errors", "server us/op", "p50", "p99", "p99.9", "holds"];
        let mut rows = vec![names.map(str::to_owned).to_vec()];
        for point in &points {
            let ms = |ms| fixed(ms, decimals_ms(most));
            rows.push(vec![
                rate(point.intended_rate),
                rate(point.rate),
                grouped(point.errors),
                point.server_cpu_us_per_operation.map_or(NONE.to_owned(), |us| fixed(us, 3)),
                ms(point.p50_ms),
                ms(point.p99_ms),
                ms(point.p99_9_ms),
                if point.holds { "yes" } else { "no" }.to_owned(),
            ]);
        }
        // The first column is one of numbers, too.
        rows.iter_mut().for_each(|row| row.insert(0, String::new()));
        // The heading stands above the latencies, not above the answer behind them.
        let latencies: Vec<Vec<String>> = rows.iter().map(|row| row[..row.len() - 1].to_vec()).collect();
        text.push_str(&heading(&latencies, 5, "latency, ms"));
        text.push_str(&aligned(&rows));
        let goal = self.goal.map_or("the goal".to_owned(), |goal| svg::goal_text(&goal));
        let _ = match self.best_point() {
            Some(best) => writeln!(text, "\n{goal} holds up to {} ops/s", rate(best.rate)),
            None => writeln!(text, "\nWARNING: {goal} did not hold at any rate that was tried"),
        };
        text
    }

    fn json(&self) -> String {
        pretty(&Document {
            head: Head::new(self.title, self.settings),
            goal: self.goal.map(|goal| goal.to_string()),
            best_operations_per_second: self.best_point().map(|point| point.rate),
            curve: self.sorted(),
        })
    }

    fn hgrm(&self) -> Vec<(&'static str, String)> {
        self.best.iter().map(|best| ("", super::hgrm::hgrm(&best.counted.total().latencies))).collect()
    }

    fn svg(&self) -> String {
        svg::curves(self.title, self.settings, self.goal.as_ref(), &[("", &self.sorted())])
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::report::testing::{busy, idle};

    fn points() -> Vec<CurvePoint> {
        let point = |rate: f64, ms: f64, holds| CurvePoint {
            intended_rate: rate,
            rate: rate.min(180_000.0),
            p50_ms: ms / 10.0,
            p99_ms: ms / 2.0,
            p99_9_ms: ms,
            errors: 0,
            server_cpu_us_per_operation: Some(1.25),
            holds,
        };
        vec![point(200_000.0, 812.3456, false), point(100_000.0, 0.5, true), point(150_000.0, 0.9, true)]
    }

    const GOAL: Goal = Goal { percentile: 99.9, limit: Duration::from_millis(1) };

    #[test]
    fn the_table_goes_up_the_rates() {
        let points = points();
        let curve = Curve { title: "search", settings: &[], goal: Some(GOAL), points: &points, best: None };
        let golden = "\
search

                                                ----- latency, ms ------
  intended/s  achieved/s  errors  server us/op     p50      p99    p99.9  holds
     100,000     100,000       0         1.250   0.050    0.250    0.500    yes
     150,000     150,000       0         1.250   0.090    0.450    0.900    yes
     200,000     180,000       0         1.250  81.235  406.173  812.346     no

p99.9 <= 1 ms holds up to 150,000 ops/s
";
        assert_eq!(curve.table(), golden, "{}", curve.table());
        assert!(curve.hgrm().is_empty());
    }

    #[test]
    fn the_json_has_the_same_numbers() {
        let points = points();
        let curve = Curve { title: "search", settings: &[], goal: Some(GOAL), points: &points, best: Some(&busy()) };
        let value: Value = serde_json::from_str(&curve.json()).expect("it is JSON");
        assert_eq!(value["schema"], 1);
        assert_eq!(value["best_operations_per_second"], 150_000.0);
        assert_eq!(value["curve"][2]["intended_operations_per_second"], 200_000.0);
        assert_eq!(value["curve"][2]["p99_9_ms"], 812.3456);
        assert_eq!(value["curve"][2]["holds"], false);
        assert_eq!(curve.hgrm().len(), 1);
    }

    #[test]
    fn a_search_that_found_nothing_says_so() {
        let curve = Curve { title: "search", settings: &[], goal: None, points: &[], best: None };
        assert!(curve.table().contains("WARNING: the goal did not hold"), "{}", curve.table());
        let points = [CurvePoint::of(&idle(), false)];
        let curve = Curve { points: &points, ..curve };
        assert!(!curve.table().contains("NaN"), "{}", curve.table());
        let value: Value = serde_json::from_str(&curve.json()).expect("it is JSON");
        assert_eq!(value["curve"][0]["p99_ms"], Value::Null);
    }

    #[test]
    fn a_point_is_what_was_found() {
        let mut findings = busy();
        findings.intended_rate = Some(2_500.0);
        let point = CurvePoint::of(&findings, false);
        assert_eq!((point.intended_rate, point.rate), (2_500.0, 2_000.0));
        assert_eq!(point.server_cpu_us_per_operation, Some(450.0));
        assert!(point.p50_ms < point.p99_ms && point.p99_ms < point.p99_9_ms);
    }
}

//! Two servers measured in turn, A B A B: what each round found, and how the second compares with the first.
//!
//! The ratio is taken within each round, since what disturbs a machine lasts longer than a round and touches both sides
//! of it; the median over the rounds stands for the comparison, and the least and the greatest say how much it is worth.

use std::fmt::Write as _;

use serde::Serialize;

use super::columns::{NONE, aligned, decimals_ms, fixed, heading, printable, rate, settings, shortened};
use super::figures::{Figures, whole_points};
use super::json::{Head, pretty};
use super::{Form, Settings, hgrm, svg};
use crate::measure::{Findings, Interval, Point};

/// Characters of a server's name that the table shows.
const NAME_MAX: usize = 24;

/// What one server did in one round.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Side {
    /// Operations in each second.
    pub operations_per_second: f64,
    /// Median latency; none if nothing was answered.
    pub p50_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// CPU time of the server, if its process is known.
    pub server_cpu_us_per_operation: Option<f64>,
    /// Answers that were errors.
    pub errors: u64,
}

impl Side {
    /// What was found in a round.
    pub fn of(findings: &Findings) -> Self {
        let figures = Figures::of(findings);
        Self {
            operations_per_second: figures.total.operations_per_second,
            p50_ms: figures.total.latency_ms.map(|ms| ms.p50),
            p99_ms: figures.total.latency_ms.map(|ms| ms.p99),
            server_cpu_us_per_operation: figures.server_cpu_us_per_operation,
            errors: figures.total.errors,
        }
    }
}

/// Both servers, one after the other.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Round {
    /// The first one.
    pub a: Side,
    /// The second one.
    pub b: Side,
}

/// B divided by A, over the rounds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Ratio {
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Ratio {
    /// The ratios of all rounds that have both sides and a first one that can be divided by.
    pub fn of(rounds: &[Round], pick: impl Fn(&Side) -> Option<f64>) -> Option<Self> {
        let pairs = rounds.iter().filter_map(|round| Some((pick(&round.a)?, pick(&round.b)?)));
        let mut ratios: Vec<f64> = pairs.map(|(a, b)| b / a).filter(|ratio| ratio.is_finite()).collect();
        ratios.sort_by(f64::total_cmp);
        let (min, max) = (*ratios.first()?, *ratios.last()?);
        let middle = ratios.len() / 2;
        let median = match ratios.len() % 2 {
            0 => f64::midpoint(ratios[middle - 1], ratios[middle]),
            _ => ratios[middle],
        };
        Some(Self { median, min, max })
    }

    /// Whether all rounds agree which side is greater.
    pub fn is_clear(&self) -> bool {
        self.min > 1.0 || self.max < 1.0
    }
}

/// B / A of everything that is compared.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Ratios {
    /// More is better.
    pub operations_per_second: Option<Ratio>,
    /// Less is better, as with the others.
    pub p50_ms: Option<Ratio>,
    /// 99th percentile.
    pub p99_ms: Option<Ratio>,
    /// CPU time of the servers, if both processes are known.
    pub server_cpu_us_per_operation: Option<Ratio>,
}

impl Ratios {
    /// The ratios of these rounds.
    pub fn of(rounds: &[Round]) -> Self {
        Self {
            operations_per_second: Ratio::of(rounds, |side| Some(side.operations_per_second)),
            p50_ms: Ratio::of(rounds, |side| side.p50_ms),
            p99_ms: Ratio::of(rounds, |side| side.p99_ms),
            server_cpu_us_per_operation: Ratio::of(rounds, |side| side.server_cpu_us_per_operation),
        }
    }
}

/// What a comparison found.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// What was done, in a few words.
    pub title: &'a str,
    /// What was asked for.
    pub settings: &'a Settings,
    /// What the two servers are called.
    pub names: [&'a str; 2],
    /// The rounds in their order.
    pub rounds: &'a [Round],
    /// What each server did in all rounds together: see [`joined`].
    pub findings: [&'a Findings; 2],
}

/// A comparison as an object.
#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    names: [&'a str; 2],
    rounds: &'a [Round],
    ratios: Ratios,
    /// Both servers over all rounds.
    joined: [Figures; 2],
}

impl Form for Comparison<'_> {
    fn table(&self) -> String {
        let mut text = format!("{}\n{}\n", self.title, settings(self.settings));
        text.push_str(&rounds(self));
        text.push('\n');
        text.push_str(&ratios(self));
        text
    }

    fn json(&self) -> String {
        pretty(&Document {
            head: Head::new(self.title, self.settings),
            names: self.names,
            rounds: self.rounds,
            ratios: Ratios::of(self.rounds),
            joined: self.findings.map(Figures::of),
        })
    }

    fn hgrm(&self) -> Vec<(&'static str, String)> {
        let of = |findings: &Findings| hgrm::hgrm(&findings.counted.total().latencies);
        vec![("a", of(self.findings[0])), ("b", of(self.findings[1]))]
    }

    fn svg(&self) -> String {
        let runs = [(self.names[0], self.findings[0]), (self.names[1], self.findings[1])];
        svg::comparison(self.title, self.settings, None, &runs)
    }
}

/// A row for each round and server.
fn rounds(comparison: &Comparison<'_>) -> String {
    let names = ["round", "server", "ops/s", "errors", "server us/op", "p50", "p99"];
    let mut rows = vec![names.map(str::to_owned).to_vec()];
    let sides = comparison.rounds.iter().flat_map(|round| [round.a, round.b]);
    let most = sides.filter_map(|side| side.p99_ms).fold(0.0, f64::max);
    for (number, round) in comparison.rounds.iter().enumerate() {
        for (place, side) in [round.a, round.b].iter().enumerate() {
            let ms = |ms: Option<f64>| ms.map_or(NONE.to_owned(), |ms| fixed(ms, decimals_ms(most)));
            rows.push(vec![
                if place == 0 { (number + 1).to_string() } else { String::new() },
                format!("{} {}", ["A", "B"][place], shortened(comparison.names[place], NAME_MAX)),
                rate(side.operations_per_second),
                super::columns::grouped(side.errors),
                side.server_cpu_us_per_operation.map_or(NONE.to_owned(), |us| fixed(us, 3)),
                ms(side.p50_ms),
                ms(side.p99_ms),
            ]);
        }
    }
    // Names start below each other.
    let width = rows.iter().map(|row| row[1].chars().count()).max().unwrap_or(0);
    rows.iter_mut().for_each(|row| row[1] = format!("{:<width$}", row[1]));
    heading(&rows, 5, "latency, ms") + &aligned(&rows)
}

/// A row for each quantity, and what they come to.
fn ratios(comparison: &Comparison<'_>) -> String {
    let found = Ratios::of(comparison.rounds);
    let quantities = [
        ("throughput", found.operations_per_second),
        ("p50", found.p50_ms),
        ("p99", found.p99_ms),
        ("server CPU/op", found.server_cpu_us_per_operation),
    ];
    let mut rows = vec![["B / A", "median", "min", "max", ""].map(str::to_owned).to_vec()];
    for (name, ratio) in quantities {
        let mut row = vec![name.to_owned()];
        match ratio {
            Some(ratio) => {
                row.extend([ratio.median, ratio.min, ratio.max].map(|ratio| fixed(ratio, 3)));
                row.push(if ratio.is_clear() { "" } else { "(no clear difference)" }.to_owned());
            }
            None => row.extend([NONE; 3].map(str::to_owned)),
        }
        rows.push(row);
    }
    let mut text = aligned(&rows);
    if let Some(ratio) = found.operations_per_second {
        let [a, b] = comparison.names.map(printable);
        let (median, count) = (fixed(ratio.median, 3), comparison.rounds.len());
        let plural = if count == 1 { "" } else { "s" };
        let _ = writeln!(
            text,
            "\n{b} does {median} times the operations per second of {a} (median of {count} round{plural})"
        );
    }
    text
}

/// What one server did in all of its rounds, as if they had followed each other without a pause.
pub fn joined(rounds: &[Findings]) -> Findings {
    let Some((first, rest)) = rounds.split_first() else { return Findings::default() };
    let mut whole = first.clone();
    whole.series.truncate(whole_points(first).len());
    for round in rest {
        let before = whole.elapsed.as_secs_f64();
        if whole.counted.kinds.len() < round.counted.kinds.len() {
            whole.kinds.clone_from(&round.kinds);
            let mut wider = Interval::new(round.counted.kinds.len());
            wider.add(&whole.counted);
            whole.counted = wider;
        }
        whole.counted.add(&round.counted);
        let points = whole_points(round).iter();
        whole.series.extend(points.map(|point| Point { second: point.second + before, ..*point }));
        whole.elapsed += round.elapsed;
        whole.client_cpu += round.client_cpu;
        whole.server_cpu = whole.server_cpu.zip(round.server_cpu).map(|(one, other)| one + other);
        for (text, count) in &round.errors {
            match whole.errors.iter_mut().find(|(known, _)| known == text) {
                Some((_, known)) => *known += count,
                None => whole.errors.push((text.clone(), *count)),
            }
        }
        whole.reconnects += round.reconnects;
        whole.unanswered += round.unanswered;
        whole.faults.extend(round.faults.iter().cloned());
        whole.fault_count += round.fault_count;
    }
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::testing::{busy, idle};

    fn side(rate: f64, ms: f64, cpu: Option<f64>) -> Side {
        Side {
            operations_per_second: rate,
            p50_ms: Some(ms),
            p99_ms: Some(ms * 4.0),
            server_cpu_us_per_operation: cpu,
            errors: 0,
        }
    }

    fn rounds() -> Vec<Round> {
        [(100_000.0, 120_000.0), (100_000.0, 126_000.0), (90_000.0, 117_000.0)]
            .map(|(a, b)| Round { a: side(a, 0.25, Some(4.0)), b: side(b, 0.25, None) })
            .to_vec()
    }

    #[test]
    fn the_ratio_is_the_median_with_its_spread() {
        let ratios = Ratios::of(&rounds());
        let throughput = ratios.operations_per_second.expect("both sides have one");
        assert!((throughput.median - 1.26).abs() < 1e-9 && (throughput.max - 1.3).abs() < 1e-9);
        assert!((throughput.min - 1.2).abs() < 1e-9 && throughput.is_clear());
        assert!(!ratios.p50_ms.expect("both sides have one").is_clear());
        assert_eq!(ratios.server_cpu_us_per_operation, None);
        let even = Ratios::of(&rounds()[..2]).operations_per_second.expect("both sides have one");
        assert!((even.median - 1.23).abs() < 1e-9);
    }

    #[test]
    fn the_table_has_rounds_and_ratios() {
        let (a, b) = (busy(), busy());
        let rounds = rounds();
        let names = ["redis", "corewise"];
        let findings = [&a, &b];
        let comparison = Comparison { title: "compare", settings: &[], names, rounds: &rounds, findings };
        let golden = "\
compare

                                                   latency, ms
round  server        ops/s  errors  server us/op    p50    p99
1      A redis     100,000       0         4.000  0.250  1.000
       B corewise  120,000       0             -  0.250  1.000
2      A redis     100,000       0         4.000  0.250  1.000
       B corewise  126,000       0             -  0.250  1.000
3      A redis      90,000       0         4.000  0.250  1.000
       B corewise  117,000       0             -  0.250  1.000

B / A          median    min    max
throughput      1.260  1.200  1.300
p50             1.000  1.000  1.000  (no clear difference)
p99             1.000  1.000  1.000  (no clear difference)
server CPU/op       -      -      -

corewise does 1.260 times the operations per second of redis (median of 3 rounds)
";
        assert_eq!(comparison.table(), golden, "{}", comparison.table());
        let value: Value = serde_json::from_str(&comparison.json()).expect("it is JSON");
        assert_eq!(value["names"][1], "corewise");
        assert_eq!(value["rounds"][1]["b"]["operations_per_second"], 126_000.0);
        assert_eq!(value["ratios"]["operations_per_second"]["median"], 1.26);
        assert_eq!(value["joined"][0]["operations"], 20_000);
        let marks: Vec<&str> = comparison.hgrm().iter().map(|(mark, _)| *mark).collect();
        assert_eq!(marks, ["a", "b"]);
    }

    #[test]
    fn nothing_compared_is_no_ratio() {
        let idle = idle();
        let round = Round { a: Side::of(&idle), b: Side::of(&busy()) };
        for rounds in [&[][..], &[round][..]] {
            assert_eq!(Ratios::of(rounds).operations_per_second, None);
            let names = ["a", "b"];
            let comparison = Comparison { title: "compare", settings: &[], names, rounds, findings: [&idle, &idle] };
            assert!(!comparison.table().contains("NaN"), "{}", comparison.table());
        }
    }

    #[test]
    fn rounds_join_as_if_they_followed_each_other() {
        let whole = joined(&[busy(), busy()]);
        assert_eq!(whole.counted.total().operations, 40_000);
        assert_eq!(whole.rate(), busy().rate());
        assert_eq!(whole.series.len(), 200);
        assert!(whole.series.is_sorted_by(|one, next| one.second < next.second));
        assert_eq!(whole.errors, [(busy().errors[0].0.clone(), 10)]);
        assert_eq!(joined(&[]).series.len(), 0);
        assert_eq!(joined(&[Findings::default(), busy()]).counted.total().operations, 20_000);
    }
}

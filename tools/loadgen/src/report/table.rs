//! A measurement as a table for people.
//!
//! ```text
//! run
//!   server 127.0.0.1:6379, workload mixed 3:1, connections 50
//!
//!                                             ---------------------- latency, ms ----------------------
//!        operations  ops/s  hits %  errors   mean    p50    p90    p99  p99.9  p99.99    max
//! GET        15,000  1,500   98.00       0  ...
//! SET         5,000    500       -       5  ...
//! total      20,000  2,000   98.00       5  ...
//!
//! measured    10.00 s
//! client CPU  ...
//! ```

use std::fmt::Write as _;

use super::Report;
use super::columns::{NONE, WIDTH, aligned, fixed, grouped, heading, line_width, rate, settings, shortened, widths};
use super::figures::{Figures, LatencyMs, Row};

/// Characters of a kind's name that are shown in any case.
const NAME_MIN: usize = 8;

/// Digits of a latency behind the point: of a millisecond, more would not be true.
const DECIMALS_MAX: usize = 3;

/// What is said of latencies.
const LATENCY_NAMES: [&str; 7] = ["mean", "p50", "p90", "p99", "p99.9", "p99.99", "max"];

/// Error texts and faults that are listed.
const LISTED_MAX: usize = 10;

/// The table that ends a run.
pub fn table(report: &Report<'_>) -> String {
    let figures = Figures::of(report.findings);
    let mut text = format!("{}\n{}\n", report.title, settings(report.settings));
    text.push_str(&kinds(&figures));
    text.push('\n');
    text.push_str(&facts(&figures));
    text.push_str(&warnings(&figures));
    text
}

/// How latencies are written: one unit for all of them, so that they can be compared at a glance.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Unit {
    name: &'static str,
    per_ms: f64,
    decimals: usize,
}

impl Unit {
    /// Microseconds if nearly all are shorter than a millisecond. With as many digits behind the point as are given, or
    /// as mean something.
    fn for_latencies(latency: Option<&LatencyMs>, decimals: usize) -> Self {
        match latency.is_some_and(|latency| latency.p99_9 < 1.0) {
            true => Self { name: "us", per_ms: 1e3, decimals: decimals.min(1) },
            false => Self { name: "ms", per_ms: 1.0, decimals },
        }
    }

    fn cells(self, latency: Option<&LatencyMs>) -> [String; LATENCY_NAMES.len()] {
        let Some(own) = latency else { return std::array::from_fn(|_| NONE.to_owned()) };
        [own.mean, own.p50, own.p90, own.p99, own.p99_9, own.p99_99, own.max]
            .map(|ms| fixed(ms * self.per_ms, self.decimals))
    }
}

/// A row for each kind of operation, and one for all of them if there are several.
fn kinds(figures: &Figures) -> String {
    let unit = |decimals| Unit::for_latencies(figures.total.latency_ms.as_ref(), decimals);
    let fits = |rows: &Vec<Vec<String>>| line_width(&widths(rows)[1..]) + 2 + NAME_MIN <= WIDTH;
    // As many digits as the page has room for.
    let decimals = (1..=DECIMALS_MAX).rev().find(|decimals| fits(&rows(figures, unit(*decimals)))).unwrap_or(0);
    let unit = unit(decimals);
    let mut rows = rows(figures, unit);
    // Long names give way to the numbers.
    let others = line_width(&widths(&rows)[1..]) + 2;
    let name_max = WIDTH.saturating_sub(others).max(NAME_MIN);
    rows.iter_mut().for_each(|row| row[0] = shortened(&row[0], name_max));
    let latencies_from = rows[0].len() - LATENCY_NAMES.len();
    heading(&rows, latencies_from, &format!("latency, {}", unit.name)) + &aligned(&rows)
}

/// The cells of the table.
fn rows(figures: &Figures, unit: Unit) -> Vec<Vec<String>> {
    let reads = figures.total.hit_ratio.is_some();
    let row = |name: &str, row: &Row| {
        let mut cells = vec![name.to_owned(), grouped(row.operations), rate(row.operations_per_second)];
        if reads {
            cells.push(row.hit_ratio.map_or(NONE.to_owned(), |ratio| fixed(ratio * 100.0, 2)));
        }
        cells.push(grouped(row.errors));
        cells.extend(unit.cells(row.latency_ms.as_ref()));
        cells
    };
    let mut names = vec!["", "operations", "ops/s"];
    names.extend(reads.then_some("hits %"));
    names.push("errors");
    names.extend(LATENCY_NAMES);
    let mut rows = vec![names.into_iter().map(str::to_owned).collect()];
    rows.extend(figures.kinds.iter().map(|kind| row(&kind.name, &kind.row)));
    if figures.kinds.len() != 1 {
        rows.push(row("total", &figures.total));
    }
    rows
}

/// What does not belong to one kind: a line each, and lists below each other.
fn facts(figures: &Figures) -> String {
    let mut facts: Vec<(&str, String)> = vec![("measured", format!("{} s", fixed(figures.elapsed_seconds, 2)))];
    if let (Some(intended), Some(ratio)) = (figures.intended_operations_per_second, figures.achieved_ratio) {
        let reached = rate(figures.total.operations_per_second);
        facts.push(("rate", format!("{reached} of {} ops/s intended ({} %)", rate(intended), fixed(ratio * 100.0, 1))));
    }
    let (sent, received) = (figures.sent_megabytes_per_second, figures.received_megabytes_per_second);
    facts.push(("throughput", format!("{} MB/s sent, {} MB/s received", fixed(sent, 2), fixed(received, 2))));
    let cpu = |us, cores| format!("{} us/op, {} cores busy", fixed(us, 3), fixed(cores, 2));
    facts.push(("client CPU", cpu(figures.client_cpu_us_per_operation, figures.client_cpu_cores)));
    if let (Some(us), Some(cores)) = (figures.server_cpu_us_per_operation, figures.server_cpu_cores) {
        facts.push(("server CPU", cpu(us, cores)));
    }
    if figures.unanswered > 0 {
        facts.push(("unanswered", format!("{} operations", grouped(figures.unanswered))));
    }
    if figures.reconnects > 0 {
        facts.push(("reconnects", grouped(figures.reconnects)));
    }
    let replies = figures.error_replies.iter().take(LISTED_MAX);
    facts.extend(listed("errors", replies.map(|error| format!("{} x {}", grouped(error.count), error.text))));
    if let Some(more) = figures.error_replies.len().checked_sub(LISTED_MAX + 1) {
        facts.push(("", format!("... and {} other error texts", grouped(more as u64 + 1))));
    }
    facts.extend(listed("faults", figures.faults.iter().take(LISTED_MAX).cloned()));
    let shown = figures.faults.len().min(LISTED_MAX) as u64;
    if figures.fault_count > shown {
        facts.push((if shown == 0 { "faults" } else { "" }, format!("{} more", grouped(figures.fault_count - shown))));
    }
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 2;
    facts.iter().fold(String::new(), |mut text, (name, fact)| {
        let _ = writeln!(text, "{name:<width$}{}", shortened(fact, WIDTH - width));
        text
    })
}

/// Facts of which only the first has the name before it.
fn listed<'a>(name: &'a str, facts: impl Iterator<Item = String> + 'a) -> impl Iterator<Item = (&'a str, String)> + 'a {
    facts.enumerate().map(move |(place, fact)| (if place == 0 { name } else { "" }, fact))
}

/// What a reader must know before believing the numbers.
fn warnings(figures: &Figures) -> String {
    let mut warnings = Vec::new();
    if !figures.kept_up() {
        warnings.push(
            "the intended rate was not reached: latencies count from when each request should have been\n\
             sent, and grow for as long as the run lasts. Ask for less; if the client CPUs are all busy, add some.",
        );
    }
    if figures.total.operations == 0 {
        warnings.push("nothing was answered, so there is nothing to report.");
    }
    if figures.fault_count > 0 {
        warnings.push("the server gave answers that no order of the requests explains (see faults).");
    }
    warnings.iter().fold(String::new(), |mut text, warning| {
        let _ = writeln!(text, "\nWARNING: {}", warning.replace('\n', "\n         "));
        text
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::Value;

    use super::*;
    use crate::measure::Findings;
    use crate::report::testing::{busy, idle, single};

    fn table_of(findings: &Findings) -> String {
        let settings =
            [("server".to_owned(), "127.0.0.1:6379".to_owned()), ("connections".to_owned(), "50".to_owned())];
        let text = table(&Report { title: "run", settings: &settings, findings, goal: None });
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        text
    }

    #[test]
    fn it_reads_well() {
        let golden = "\
run
  server 127.0.0.1:6379, connections 50

                                          ------------------ latency, ms ------------------
       operations  ops/s  hits %  errors   mean    p50    p90    p99  p99.9  p99.99     max
GET        15,000  1,500   97.33       0  0.172  0.134  0.329  0.622  1.087   2.730   3.858
SET         5,000    500       -       5  0.347  0.267  0.657  1.245  2.290  18.645  18.645
total      20,000  2,000   97.33       5  0.216  0.159  0.423  0.919  1.630   3.858  18.645

measured    10.00 s
throughput  1.23 MB/s sent, 23.46 MB/s received
client CPU  750.000 us/op, 1.50 cores busy
server CPU  450.000 us/op, 0.90 cores busy
errors      5 x OOM command not allowed when used memory > 'maxmemory'
";
        let text = table_of(&busy());
        assert_eq!(text, golden, "{text}");
    }

    #[test]
    fn every_number_is_the_one_of_the_json() {
        let findings = busy();
        let report = Report { title: "run", settings: &[], findings: &findings, goal: None };
        let json: Value = serde_json::from_str(&crate::report::json::json(&report)).expect("it is JSON");
        let text = table(&report);
        let cells = |name: &str| -> Vec<String> {
            let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name}: {text}"));
            line.split_whitespace().map(str::to_owned).collect()
        };
        let same = |cell: &str, value: &Value, scale: f64| {
            let plain = cell.replace(',', "");
            let decimals = plain.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            let value = value.as_f64().unwrap_or_else(|| panic!("{cell} is not in the JSON"));
            assert_eq!(plain, format!("{:.decimals$}", value * scale), "{text}");
        };
        for (name, object) in [("GET", &json["kinds"][0]), ("SET", &json["kinds"][1]), ("total", &json)] {
            let row = cells(name);
            assert_eq!(row.len(), 12, "{text}");
            same(&row[1], &object["operations"], 1.0);
            same(&row[2], &object["operations_per_second"], 1.0);
            match object["hit_ratio"] {
                Value::Null => assert_eq!(row[3], "-"),
                ref ratio => same(&row[3], ratio, 100.0),
            }
            same(&row[4], &object["errors"], 1.0);
            let names = ["mean", "p50", "p90", "p99", "p99_9", "p99_99", "max"];
            names.iter().zip(&row[5..]).for_each(|(name, cell)| same(cell, &object["latency_ms"][name], 1.0));
        }
        same(&cells("measured")[1], &json["elapsed_seconds"], 1.0);
        same(&cells("throughput")[1], &json["sent_megabytes_per_second"], 1.0);
        same(&cells("throughput")[4], &json["received_megabytes_per_second"], 1.0);
        for (name, side) in [("client CPU", "client"), ("server CPU", "server")] {
            same(&cells(name)[2], &json[format!("{side}_cpu_us_per_operation")], 1.0);
            same(&cells(name)[4], &json[format!("{side}_cpu_cores")], 1.0);
        }
        same(&cells("errors")[1], &json["error_replies"][0]["count"], 1.0);
    }

    #[test]
    fn a_rate_that_was_not_reached_is_said_aloud() {
        let mut findings = busy();
        findings.intended_rate = Some(2_000.0);
        let text = table_of(&findings);
        assert!(
            text.contains("rate        2,000 of 2,000 ops/s intended (100.0 %)") && !text.contains("WARN"),
            "{text}"
        );
        findings.intended_rate = Some(2_500.0);
        let text = table_of(&findings);
        assert!(text.contains("2,000 of 2,500 ops/s intended (80.0 %)"), "{text}");
        assert!(text.contains("WARNING: the intended rate was not reached"), "{text}");
    }

    #[test]
    fn faults_and_losses_are_listed() {
        let mut findings = busy();
        findings.unanswered = 3;
        findings.reconnects = 1_234;
        findings.faults = vec!["key 17 has the value of key 18".to_owned(); 12];
        findings.fault_count = 5_012;
        findings.errors = (0..13).map(|number| (format!("ERR \x1b number {number} {}", "x".repeat(200)), 7)).collect();
        let text = table_of(&findings);
        for piece in
            ["unanswered  3 operations", "reconnects  1,234", "faults      key 17", "5,002 more", "3 other error"]
        {
            assert!(text.contains(piece), "{piece}: {text}");
        }
        assert!(text.contains("WARNING: the server gave answers"), "{text}");
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn extremes_stay_within_the_page() {
        assert!(table_of(&idle()).contains("nothing was answered"));
        assert!(table_of(&Findings::default()).contains("total"));
        assert!(table_of(&single()).contains("latency, us"));
        let mut findings = busy();
        findings.kinds[0] = "EVALSHA of a script with a long name".to_owned();
        findings.elapsed = Duration::from_secs(3_600);
        for kind in &mut findings.counted.kinds {
            kind.operations = 9_999_999_999;
            kind.errors = 1_000_000;
            kind.latencies.saturating_record(u64::MAX);
        }
        table_of(&findings);
    }
}

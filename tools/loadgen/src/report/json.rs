//! A measurement for scripts: one JSON object. Units stand in the names, and names keep their meaning within a schema.
//!
//! ```text
//! { "schema": 1, "program": "corewise-loadgen", "version": "0.1.0", "title": "run",
//!   "settings": { "server": "127.0.0.1:6379", ... },      as the table shows them, all of them strings
//!   "elapsed_seconds": 10.0,
//!   "operations": 20000, "operations_per_second": 2000.0, "errors": 0,
//!   "hits": ..., "misses": ..., "hit_ratio": 0.98,        the ratio is null if nothing was read
//!   "latency_ms": { "min", "mean", "p50", "p90", "p99", "p99_9", "p99_99", "max" },   null without operations
//!   "intended_operations_per_second": null, "achieved_ratio": null,    numbers in an open loop
//!   "sent_bytes", "received_bytes", "sent_megabytes_per_second", "received_megabytes_per_second",
//!   "client_cpu_us_per_operation", "client_cpu_cores",
//!   "server_cpu_us_per_operation", "server_cpu_cores",    null unless the server's process is known
//!   "unanswered", "reconnects", "error_replies": [ { "text", "count" } ], "faults": [ "..." ], "fault_count",
//!   "kinds": [ { "name": "GET", "operations", ..., "latency_ms": { ... } } ],         as the total above
//!   "series": [ { "second", "operations_per_second", "p50_ms", "p99_ms", "p99_9_ms", "max_ms", "errors" } ],
//!   "slow": [ { "name", "due_unix_ms", "took_ms" } ], "slow_missed" }            operations beyond `--slow`, if it was given
//! ```
//!
//! Fields may be added within a schema; one that goes, or changes its meaning, makes a new schema.

use serde::{Serialize, Serializer};

use super::figures::{Figures, SeriesPoint, SlowOperation, whole_points};
use super::{Report, Settings};

/// Number of the shape of what is written here.
pub const SCHEMA: u32 = 1;

/// What every object that the program prints begins with.
#[derive(Debug, Serialize)]
pub(super) struct Head<'a> {
    schema: u32,
    program: &'static str,
    version: &'static str,
    title: &'a str,
    #[serde(serialize_with = "as_object")]
    settings: &'a Settings,
}

impl<'a> Head<'a> {
    pub(super) fn new(title: &'a str, settings: &'a Settings) -> Self {
        Self { schema: SCHEMA, program: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION"), title, settings }
    }
}

/// A measurement as an object.
#[derive(Debug, Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    #[serde(flatten)]
    figures: Figures,
    series: Vec<SeriesPoint>,
    slow: Vec<SlowOperation>,
    slow_missed: u64,
}

/// The object of a measurement, ended by a newline.
pub fn json(report: &Report<'_>) -> String {
    let series = whole_points(report.findings).iter().map(SeriesPoint::from).collect();
    let head = Head::new(report.title, report.settings);
    let (slow, slow_missed) = (SlowOperation::all(report.findings), report.findings.counted.slow_missed);
    pretty(&Document { head, figures: Figures::of(report.findings), series, slow, slow_missed })
}

/// An object with a field in each line, ended by a newline.
pub(super) fn pretty(document: &impl Serialize) -> String {
    // Only maps with other keys than strings are refused, and there is none; a number that is not finite becomes null.
    let mut text = serde_json::to_string_pretty(document).unwrap_or_else(|_| "null".to_owned());
    text.push('\n');
    text
}

/// Settings in their order, which a map would lose.
fn as_object<S: Serializer>(settings: &Settings, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(settings.iter().map(|(name, value)| (name, value)))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::measure::Findings;
    use crate::report::testing::{busy, idle};

    fn parsed(findings: &Findings) -> Value {
        let settings = [("server".to_owned(), "a \"b\"".to_owned()), ("connections".to_owned(), "50".to_owned())];
        let text = json(&Report { title: "run", settings: &settings, findings, goal: None });
        assert!(text.ends_with("}\n"));
        assert!(text.find("\"server\"") < text.find("\"connections\""), "settings keep their order");
        serde_json::from_str(&text).expect("it is JSON")
    }

    #[test]
    fn every_documented_field_is_there() {
        let value = parsed(&busy());
        assert_eq!(value["schema"], 1);
        assert_eq!(value["program"], "corewise-loadgen");
        assert_eq!(value["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(value["settings"]["server"], "a \"b\"");
        assert_eq!(value["operations"], 20_000);
        assert_eq!(value["operations_per_second"], 2_000.0);
        assert_eq!(value["server_cpu_us_per_operation"], 450.0);
        assert_eq!(value["server_cpu_cores"], 0.9);
        assert_eq!(value["intended_operations_per_second"], Value::Null);
        assert_eq!(value["error_replies"][0]["count"], 5);
        assert_eq!(value["kinds"][1]["name"], "SET");
        assert_eq!(value["kinds"][1]["hit_ratio"], Value::Null);
        assert_eq!(value["kinds"][0]["hit_ratio"].as_f64().map(|ratio| ratio > 0.9), Some(true));
        assert_eq!(value["series"].as_array().map(Vec::len), Some(100));
        let slow = &value["slow"][0];
        assert_eq!((&slow["name"], &slow["took_ms"]), (&"SET".into(), &1.25.into()));
        assert_eq!(slow["due_unix_ms"], 1_700_000_000_002.5);
        assert_eq!(value["slow_missed"], 0);
        // What the header of this file promises is there, and nothing else is.
        let promised: Vec<String> = header_names();
        let mut names: Vec<&String> = value.as_object().into_iter().flatten().map(|(name, _)| name).collect();
        names.extend(value["latency_ms"].as_object().into_iter().flatten().map(|(name, _)| name));
        for list in ["series", "slow"] {
            names.extend(value[list][0].as_object().into_iter().flatten().map(|(name, _)| name));
        }
        assert!(names.len() > 30);
        for name in names {
            assert!(promised.contains(name), "{name} is not documented");
        }
    }

    /// Everything that stands in quotation marks in the header of this file.
    fn header_names() -> Vec<String> {
        let header = include_str!("json.rs").lines().take_while(|line| line.starts_with("//!"));
        header.flat_map(|line| line.split('"').skip(1).step_by(2)).map(str::to_owned).collect()
    }

    #[test]
    fn nothing_measured_is_null_and_not_an_odd_number() {
        let value = parsed(&idle());
        assert_eq!(value["latency_ms"], Value::Null);
        assert_eq!(value["operations_per_second"], 0.0);
        assert_eq!(value["series"].as_array().map(Vec::len), Some(0));
    }
}

//! The figures side by side: a Markdown table for each load, or JSON.

use std::fmt::Write as _;

use crate::Outcome;

/// The peer that the others are measured by.
const REFERENCE: &str = "redis-server";

fn reference<'a>(outcomes: &'a [Outcome], of: &Outcome) -> Option<&'a Outcome> {
    let same = |other: &&Outcome| other.pipeline == of.pipeline && other.connections == of.connections;
    outcomes.iter().filter(same).find(|other| other.peer == REFERENCE)
}

/// A table for each load; ratios are to redis-server.
pub(crate) fn markdown(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    let mut load = None;
    for outcome in outcomes {
        if load != Some((outcome.pipeline, outcome.connections)) {
            load = Some((outcome.pipeline, outcome.connections));
            let _ = writeln!(text, "\n**pipeline {}, {} connections**\n", outcome.pipeline, outcome.connections);
            text.push_str("| server | CPU us/op | ratio | operations/s | ratio | p50 ms | p99 ms | p99.9 ms |\n");
            text.push_str("|---|---|---|---|---|---|---|---|\n");
        }
        let figures = outcome.figures;
        let base = reference(outcomes, outcome).map(|other| other.figures);
        let ratio = |own: f64, other: Option<f64>| other.map_or("-".to_owned(), |other| format!("{:.2}", own / other));
        let _ = writeln!(
            text,
            "| {} | {:.3} | {} | {:.0} | {} | {:.3} | {:.3} | {:.3} |",
            outcome.peer,
            figures.cpu_us,
            ratio(figures.cpu_us, base.map(|base| base.cpu_us)),
            figures.throughput,
            ratio(figures.throughput, base.map(|base| base.throughput)),
            figures.p50,
            figures.p99,
            figures.p999,
        );
    }
    text
}

/// An array with one object for each peer and load.
pub(crate) fn json(outcomes: &[Outcome]) -> String {
    let object = |outcome: &Outcome| {
        let figures = outcome.figures;
        format!(
            r#"  {{"server": "{}", "pipeline": {}, "connections": {}, "cpu_us_per_operation": {:.4}, "operations_per_second": {:.0}, "p50_ms": {:.3}, "p99_ms": {:.3}, "p999_ms": {:.3}}}"#,
            outcome.peer,
            outcome.pipeline,
            outcome.connections,
            figures.cpu_us,
            figures.throughput,
            figures.p50,
            figures.p99,
            figures.p999,
        )
    };
    format!("[\n{}\n]", outcomes.iter().map(object).collect::<Vec<_>>().join(",\n"))
}

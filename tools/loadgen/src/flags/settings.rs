//! What was asked for, as reports show it.

use crate::drive::{Load, Pace, Until};
use crate::plan::Protocol;
use crate::plan::quantity::{duration_text, grouped};

/// A load in names and values, in the order to be shown. What is as usual is left out.
pub fn settings(load: &Load) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut row = |name: &str, value: String| rows.push((name.to_owned(), value));
    let (target, shape) = (&load.target, load.workload.shape());
    row("server", target.server.clone());
    let speech = [
        (target.cluster, "cluster".to_owned()),
        (target.resp3, "RESP3".to_owned()),
        (shape.protocol == Protocol::Memcached, "memcached".to_owned()),
        (target.database > 0, format!("database {}", target.database)),
    ];
    let speech: Vec<String> = speech.into_iter().filter(|(said, _)| *said).map(|(_, text)| text).collect();
    if !speech.is_empty() {
        row("protocol", speech.join(", "));
    }
    row("workload", load.workload.text().to_owned());
    let spread = shape.keys.spread.map(|spread| format!(", {spread}")).unwrap_or_default();
    row("keys", format!("{}{spread}", grouped(shape.keys.count)));
    row("values", shape.sizes.as_ref().map(ToString::to_string).unwrap_or_default());
    if let Some(seconds) = shape.ttl_s {
        row("time to live", format!("{seconds}s"));
    }
    row("connections", format!("{} with {} under way each", load.connections, load.pipeline));
    row("threads", load.cpus.len().min(load.connections).to_string());
    row(
        "pace",
        match load.pace {
            Pace::Open { rate, arrivals } => format!("open loop, {rate} a second, {arrivals}"),
            Pace::Closed { think } if think.is_zero() => "closed loop".to_owned(),
            Pace::Closed { think } => format!("closed loop, thinking {}", duration_text(think)),
        },
    );
    let until = match load.until {
        Until::Operations(count) => format!("{} operations", grouped(count)),
        Until::Elapsed(time) => duration_text(time),
        Until::Done => "until done".to_owned(),
    };
    let warmup = if load.warmup.is_zero() { String::new() } else { format!(" after {}", duration_text(load.warmup)) };
    row("length", format!("{until}{warmup}"));
    row("seed", load.seed.to_string());
    rows
}

//! `search`: the highest rate at which a server still holds a latency goal.
//!
//! A closed loop first finds what the server can do at most; then the open loop is run at rates between nothing and that,
//! halving the interval around the answer. A rate holds if the goal is met and the rate was in fact achieved. One that
//! does not hold gets a second chance, as a hiccup of the machine would else decide the half that all further steps are
//! taken in.

use std::time::Duration;

use clap::Args;

use crate::drive::{self, Load, Pace, Until};
use crate::flags::{ClientFlags, OutputFlags, ShapeFlags, TargetFlags, WorkloadFlag, load, settings};
use crate::measure::Findings;
use crate::plan::{Arrivals, Goal, quantity};
use crate::report::curve::{Curve, CurvePoint};

/// Share of the intended rate that must be achieved.
const ACHIEVED_MIN: f64 = 0.99;

/// Where the interval begins, as a share of what the closed loop does: an open loop can get a little further.
const TOP: f64 = 1.1;

/// What to search for.
#[derive(Debug, Args)]
pub struct SearchFlags {
    #[command(flatten)]
    target: TargetFlags,
    #[command(flatten)]
    workload: WorkloadFlag,
    #[command(flatten)]
    client: ClientFlags,
    #[command(flatten)]
    shape: ShapeFlags,
    /// The goal: p50<1ms, p99.9<500us, max<10ms
    #[arg(long, value_name = "GOAL", default_value = "p99<1ms")]
    slo: Goal,
    /// Seconds at each rate
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = quantity::duration)]
    probe: Duration,
    /// How near to come, in per cent of the server's capacity
    #[arg(long, value_name = "PERCENT", default_value_t = 2.0)]
    precision: f64,
    /// How requests follow each other
    #[arg(long, default_value = "poisson")]
    arrivals: Arrivals,
    #[command(flatten)]
    output: OutputFlags,
}

/// A rate that was tried, whether it holds, and what was found.
type Tried<T> = (f64, bool, T);

/// Finds the highest rate below `top` that holds, to within `precision` of `top`, and returns all that were tried. `probe`
/// runs a rate, and says whether it holds and what was found.
///
/// Searching by halves supposes that a rate below one that holds would hold as well.
pub fn bisect<T, E>(
    top: f64,
    precision: f64,
    probe: &mut dyn FnMut(f64) -> Result<(bool, T), E>,
) -> Result<Vec<Tried<T>>, E> {
    let mut tried = Vec::new();
    let (mut low, mut high) = (0.0, top);
    while high - low > top * precision {
        let rate = (low + high) / 2.0;
        let mut outcome = probe(rate)?;
        if !outcome.0 {
            let second = probe(rate)?;
            outcome = if second.0 { second } else { outcome };
        }
        *if outcome.0 { &mut low } else { &mut high } = rate;
        tried.push((rate, outcome.0, outcome.1));
    }
    Ok(tried)
}

/// Whether the findings of a run at this rate hold the goal.
pub fn holds(findings: &Findings, rate: f64, goal: &Goal) -> bool {
    let latencies = findings.counted.total().latencies;
    let at_goal = Duration::from_nanos(latencies.value_at_percentile(goal.percentile));
    at_goal < goal.limit && findings.rate() >= ACHIEVED_MIN * rate && findings.unanswered == 0
}

/// Searches, and reports what was found.
pub fn run(flags: &SearchFlags) -> Result<(), String> {
    if !(0.1..=50.0).contains(&flags.precision) {
        return Err(format!("--precision {}: 0.1 to 50 per cent is expected", flags.precision));
    }
    let outputs = super::outputs(&flags.output);
    outputs.check()?;
    let precision = flags.precision / 100.0;
    let base = Load {
        pace: Pace::Closed { think: Duration::ZERO },
        until: Until::Elapsed(flags.probe),
        warmup: flags.probe / 5,
        ..load(&flags.target, &flags.client, &flags.workload.workload, &flags.shape)?
    };
    let say = |error: drive::DriveError| error.to_string();
    let steps = (TOP / precision).log2().ceil() as u64 + 1;
    let mut bar = super::steps("searching", steps, &flags.output);
    let capacity = drive::run(&base, &mut |_| {}).map_err(say)?.rate();
    bar.iter_mut().for_each(|bar| bar.add(1));
    let mut probe = |rate: f64| {
        bar.iter_mut().for_each(|bar| bar.note(&format!("trying {rate:.0}/s")));
        let load = Load { pace: Pace::Open { rate, arrivals: flags.arrivals }, ..base.clone() };
        let findings = drive::run(&load, &mut |_| {})?;
        bar.iter_mut().for_each(|bar| bar.add(1));
        Ok((holds(&findings, rate, &flags.slo), findings))
    };
    let tried = bisect(capacity * TOP, precision, &mut probe).map_err(say)?;
    drop(bar);
    let points: Vec<CurvePoint> = tried.iter().map(|(_, holds, findings)| CurvePoint::of(findings, *holds)).collect();
    let best = tried.iter().filter(|(_, holds, _)| *holds).max_by(|one, other| one.0.total_cmp(&other.0));
    // The closed loop only told where to begin.
    let mut settings = settings(&base);
    settings.retain(|(name, _)| name != "pace");
    let best = best.map(|(_, _, findings)| findings);
    let curve = Curve { title: "search", settings: &settings, goal: Some(flags.slo), points: &points, best };
    outputs.deliver(&curve, &mut std::io::stdout().lock())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Searches on a server that holds up to `limit`; the highest rate that held, and the number of probes.
    fn search(limit: f64, precision: f64) -> (f64, usize) {
        let mut probes = 0;
        let mut probe = |rate: f64| {
            probes += 1;
            Ok::<_, ()>((rate <= limit, ()))
        };
        let tried = bisect(100_000.0, precision, &mut probe).unwrap();
        let held = tried.iter().filter(|(_, holds, ())| *holds).map(|(rate, _, ())| *rate);
        (held.fold(0.0, f64::max), probes)
    }

    #[test]
    fn the_answer_is_found_to_the_precision_asked_for() {
        for limit in [3_000.0, 25_000.0, 50_000.0, 77_777.0, 99_000.0] {
            let (best, probes) = search(limit, 0.01);
            assert!(best <= limit && limit - best <= 1_000.0, "{limit}: {best}");
            assert!(probes <= 14, "{probes}");
        }
    }

    #[test]
    fn a_goal_that_is_never_met_is_said_so() {
        assert_eq!(search(0.0, 0.05).0, 0.0);
    }

    #[test]
    fn one_hiccup_does_not_decide() {
        let mut hiccup = true;
        let mut probe = |_| Ok::<_, ()>((!std::mem::take(&mut hiccup), ()));
        let tried = bisect(100.0, 0.1, &mut probe).unwrap();
        assert!(tried.iter().all(|(_, holds, ())| *holds) && tried.last().unwrap().0 > 90.0);
    }
}

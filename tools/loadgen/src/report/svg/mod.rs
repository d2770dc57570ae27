//! Measurements as pictures that can be put into a report: latency by percentile, throughput and p99 over time; and for
//! a search, latency by rate.
//!
//! ```text
//!   title, settings
//!   ── one   ops/s  p50  p99  p99.9  max      the legend, with the numbers that readers look for
//!   ┌──────────────────────────────────┐
//!   │ latency by percentile            │      1 / (1 - percentile), logarithmic: a nine is as wide as the next
//!   ├──────────────────────────────────┤
//!   │ operations/s over time           │
//!   ├──────────────────────────────────┤
//!   │ p99 over time                    │
//!   └──────────────────────────────────┘
//! ```
//!
//! Drawn by hand, since the percentile axis is no plotting library's own, and the rest is lines and text. Pure: the same
//! findings give the same picture. Nothing in it is a script, a link or a font to load.

mod canvas;
mod panel;
mod rates;
mod scale;
mod series;

use std::time::Duration;

use canvas::{ALARM, Anchor, Canvas, Hand, INK, PALE_INK, Stroke, text_width};
use panel::Panel;
pub use rates::curves;
use scale::Scale;
use series::{Stretch, points_per_stretch, stretches, tick_s};

use super::columns::{NONE, decimals_ms, fixed, rate, shortened};
use super::figures::{LatencyMs, whole_points};
use super::{Report, Settings};
use crate::measure::{Findings, Tally};
use crate::plan::Goal;

/// Size of the page, in units that are pixels unless it is scaled.
const PAGE_WIDTH: f64 = 960.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 28.0;
const PLOT_WIDTH: f64 = PAGE_WIDTH - LEFT - RIGHT;

/// Heights of the panels.
const PERCENTILES_HEIGHT: f64 = 320.0;
const RATE_HEIGHT: f64 = 150.0;
const P99_HEIGHT: f64 = 110.0;

/// Room below a panel: for the numbers and the name of its axis, or only a gap.
const AXIS_ROOM: f64 = 68.0;
const GAP: f64 = 26.0;

/// Kinds of operation that have a line of their own.
const KINDS_MAX: usize = 5;

/// Characters of a name in a legend.
const NAME_MAX: usize = 32;

/// Right end of the legend's column of the server's CPU time, which is there only if it is known.
const LEGEND_CPU_COLUMN: f64 = PAGE_WIDTH - 480.0;

/// Right ends of the other columns.
const LEGEND_COLUMNS: [f64; 5] =
    [PAGE_WIDTH - 384.0, PAGE_WIDTH - 300.0, PAGE_WIDTH - 212.0, PAGE_WIDTH - 120.0, PAGE_WIDTH - RIGHT];

/// One line in the percentile panel.
struct Curve<'a> {
    name: String,
    stroke: Stroke,
    tally: std::borrow::Cow<'a, Tally>,
    /// Operations in each second.
    rate: f64,
    /// CPU time of the server for an operation, where it can be told.
    server_cpu_us: Option<f64>,
}

/// One line over time.
struct History<'a> {
    findings: &'a Findings,
    stroke: Stroke,
}

/// The picture of one measurement: a line for each kind of operation, and one for all of them.
pub fn measurement(report: &Report<'_>) -> String {
    let findings = report.findings;
    let several = findings.kinds.len() > 1;
    let total = Curve {
        name: if several { "all operations".to_owned() } else { findings.kinds.first().cloned().unwrap_or_default() },
        stroke: if several { Stroke::main() } else { Stroke { width: 2.2, ..Stroke::numbered(0) } },
        tally: std::borrow::Cow::Owned(findings.counted.total()),
        rate: findings.rate(),
        server_cpu_us: findings.server_cpu_us(),
    };
    let history = [History { findings, stroke: Stroke { width: 1.4, ..total.stroke } }];
    let mut lines = vec![total];
    if several {
        lines.extend(most_frequent_kinds(findings));
    }
    page(report.title, report.settings, report.goal.as_ref(), &lines, &history)
}

/// The kinds that came most often, in the order of the workload.
fn most_frequent_kinds(findings: &Findings) -> impl Iterator<Item = Curve<'_>> {
    let kinds = &findings.counted.kinds;
    let mut by_count: Vec<usize> = (0..kinds.len().min(findings.kinds.len())).collect();
    by_count.sort_by_key(|kind| std::cmp::Reverse(kinds[*kind].operations));
    by_count.truncate(KINDS_MAX);
    by_count.sort_unstable();
    by_count.into_iter().enumerate().map(|(place, kind)| Curve {
        name: findings.kinds[kind].clone(),
        stroke: Stroke {
            width: 1.5,
            dash: canvas::DASHES[(place + 1) % canvas::DASHES.len()],
            ..Stroke::numbered(place)
        },
        tally: std::borrow::Cow::Borrowed(&kinds[kind]),
        rate: kinds[kind].operations as f64 / findings.elapsed.as_secs_f64().max(1e-9),
        server_cpu_us: None,
    })
}

/// Several measurements in one picture, each a line by its name.
pub fn comparison(title: &str, settings: &Settings, goal: Option<&Goal>, runs: &[(&str, &Findings)]) -> String {
    let numbered = || runs.iter().enumerate().map(|(place, run)| (Stroke::numbered(place), run));
    let line = |(stroke, (name, findings)): (Stroke, &(&str, &Findings))| Curve {
        name: (*name).to_owned(),
        stroke,
        tally: std::borrow::Cow::Owned(findings.counted.total()),
        rate: findings.rate(),
        server_cpu_us: findings.server_cpu_us(),
    };
    let lines: Vec<Curve<'_>> = numbered().map(line).collect();
    let histories =
        numbered().map(|(stroke, (_, findings))| History { findings, stroke: Stroke { width: 1.4, ..stroke } });
    page(title, settings, goal, &lines, &histories.collect::<Vec<_>>())
}

fn page(
    title: &str,
    settings: &Settings,
    goal: Option<&Goal>,
    lines: &[Curve<'_>],
    histories: &[History<'_>],
) -> String {
    let mut canvas = Canvas::default();
    let mut top = heading(&mut canvas, title, settings);
    top = legend(&mut canvas, top, lines) + 16.0;
    top = percentiles(&mut canvas, top, goal, lines) + AXIS_ROOM;
    top = over_time(&mut canvas, top, histories) + AXIS_ROOM - 14.0;
    canvas.finish(PAGE_WIDTH, top, title)
}

/// Title and settings; returns where it ends.
fn heading(canvas: &mut Canvas, title: &str, settings: &Settings) -> f64 {
    canvas.text(LEFT, 36.0, &shortened(title, 90), Hand { bold: true, ..Hand::new(18.0, INK, Anchor::Start) });
    let hand = Hand::new(11.5, PALE_INK, Anchor::Start);
    let mut y = 40.0;
    for line in wrapped(settings, hand.size) {
        y += 16.0;
        canvas.text(LEFT, y, &line, hand);
    }
    y
}

/// Settings in lines as long as the plots are wide.
fn wrapped(settings: &Settings, size: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (name, value) in settings {
        let item = format!("{name} {}", shortened(value, 120));
        match lines.last_mut() {
            Some(line) if text_width(line, size) + text_width(&item, size) < PLOT_WIDTH => {
                line.push_str(" · ");
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    lines
}

/// Which line is which, and its numbers; returns where it ends.
fn legend(canvas: &mut Canvas, top: f64, lines: &[Curve<'_>]) -> f64 {
    let mut y = top + 26.0;
    let small = Hand::new(11.0, PALE_INK, Anchor::End);
    let names = ["operations/s", "p50 (ms)", "p99 (ms)", "p99.9 (ms)", "max (ms)"];
    names.iter().zip(LEGEND_COLUMNS).for_each(|(name, x)| canvas.text(x, y, name, small));
    if lines.iter().any(|line| line.server_cpu_us.is_some()) {
        canvas.text(LEGEND_CPU_COLUMN, y, "server CPU (us/op)", small);
    }
    canvas.line((LEFT, y + 5.0), (PAGE_WIDTH - RIGHT, y + 5.0), Stroke::solid(canvas::GRID, 1.0));
    let latencies: Vec<Option<LatencyMs>> = lines.iter().map(|line| LatencyMs::of(&line.tally)).collect();
    let decimals = decimals_ms(latencies.iter().flatten().map(|latency| latency.max).fold(0.0, f64::max));
    y += 4.0;
    for (line, latency) in lines.iter().zip(latencies) {
        y += 18.0;
        canvas.line((LEFT, y - 4.0), (LEFT + 34.0, y - 4.0), Stroke { width: 2.2, ..line.stroke });
        canvas.text(LEFT + 44.0, y, &shortened(&line.name, NAME_MAX), Hand::new(12.5, INK, Anchor::Start));
        let ms = |pick: fn(&LatencyMs) -> f64| latency.as_ref().map_or(NONE.to_owned(), |ms| fixed(pick(ms), decimals));
        let cells = [rate(line.rate), ms(|ms| ms.p50), ms(|ms| ms.p99), ms(|ms| ms.p99_9), ms(|ms| ms.max)];
        let figure = Hand::new(12.5, INK, Anchor::End);
        cells.iter().zip(LEGEND_COLUMNS).for_each(|(cell, x)| canvas.text(x, y, cell, figure));
        if let Some(us) = line.server_cpu_us {
            canvas.text(LEGEND_CPU_COLUMN, y, &fixed(us, 3), figure);
        }
    }
    y
}

/// The latency by percentile; returns where its axis is.
fn percentiles(canvas: &mut Canvas, top: f64, goal: Option<&Goal>, lines: &[Curve<'_>]) -> f64 {
    let curves: Vec<Vec<(f64, f64)>> = lines.iter().map(|line| distribution(&line.tally)).collect();
    let goal_ms = goal.map(|goal| goal.limit.as_secs_f64() * 1e3);
    let samples = lines.iter().map(|line| line.tally.latencies.len()).max().unwrap_or(0);
    let panel = Panel {
        left: LEFT,
        top: top + 10.0,
        width: PLOT_WIDTH,
        height: PERCENTILES_HEIGHT,
        x: Scale::for_percentiles(samples),
        y: Scale::for_latencies(curves.iter().flatten().map(|(_, ms)| *ms).chain(goal_ms)),
    };
    panel.frame(canvas, "percentile of operations", "latency (ms)");
    if let Some((goal, ms)) = goal.zip(goal_ms) {
        panel.level(canvas, ms, &format!("goal: {}", goal_text(goal)), Anchor::End);
        canvas.dot(panel.at(goal.percentile / 100.0, ms), 4.0, PALE_INK, false);
    }
    if samples == 0 {
        panel.empty(canvas);
    }
    // The first line is the one that matters most; it lies on top.
    for (line, curve) in lines.iter().zip(&curves).rev() {
        panel.plot(canvas, curve.iter().copied(), line.stroke);
    }
    if let [line] = lines {
        name_points(canvas, &panel, line);
    }
    panel.bottom()
}

/// Parts of all samples with the latency in milliseconds that they do not exceed. The last sample of n stands at 1 - 1/n,
/// because a logarithmic axis has no place for the whole.
fn distribution(tally: &Tally) -> Vec<(f64, f64)> {
    let samples = tally.latencies.len() as f64;
    let steps = tally.latencies.iter_quantiles(super::hgrm::TICKS_PER_HALF_DISTANCE);
    let points =
        steps.map(|step| (step.quantile_iterated_to().min(1.0 - 1.0 / samples), step.value_iterated_to() as f64 / 1e6));
    let mut points: Vec<(f64, f64)> = points.collect();
    points.dedup_by(|next, one| next.0 <= one.0 && next.1 <= one.1);
    points
}

/// The usual percentiles of an only line, with their values.
fn name_points(canvas: &mut Canvas, panel: &Panel, line: &Curve<'_>) {
    let Some(latency) = LatencyMs::of(&line.tally) else { return };
    let decimals = decimals_ms(latency.max);
    let samples = line.tally.latencies.len() as f64;
    let named = [(0.5, latency.p50), (0.99, latency.p99), (0.999, latency.p99_9), (0.9999, latency.p99_99)];
    for (part, ms) in named.into_iter().filter(|(part, _)| 1.0 / (1.0 - part) < samples) {
        let (x, y) = panel.at(part, ms);
        canvas.dot((x, y), 3.0, line.stroke.colour, true);
        canvas.text(x - 6.0, y - 7.0, &fixed(ms, decimals), Hand::new(11.5, INK, Anchor::End));
    }
}

/// Throughput and p99 over time; returns where their axis is.
fn over_time(canvas: &mut Canvas, top: f64, histories: &[History<'_>]) -> f64 {
    let longest = histories.iter().map(|history| whole_points(history.findings).len()).max().unwrap_or(0);
    let joined = points_per_stretch(longest);
    let drawn: Vec<Vec<Stretch>> =
        histories.iter().map(|history| stretches(whole_points(history.findings), joined)).collect();
    let all = || drawn.iter().flatten();
    let end = histories
        .iter()
        .filter_map(|history| whole_points(history.findings).last())
        .map(|point| point.second)
        .fold(0.0, f64::max);
    let intended = intended_rate(histories);
    let time = Scale::Linear { low: 0.0, high: if end > 0.0 { end } else { 1.0 } };
    let rates = Panel {
        left: LEFT,
        top,
        width: PLOT_WIDTH,
        height: RATE_HEIGHT,
        x: time,
        y: Scale::from_zero(all().map(|stretch| stretch.rate_max).chain(intended)),
    };
    let p99s = Panel {
        top: rates.bottom() + GAP,
        height: P99_HEIGHT,
        y: Scale::for_latencies(all().map(|stretch| stretch.p99_ms)),
        ..rates
    };
    rates.frame(canvas, "", "operations/s");
    p99s.frame(canvas, "time (s)", "p99 (ms)");
    if longest == 0 {
        rates.empty(canvas);
        return p99s.bottom();
    }
    if let Some(intended) = intended {
        rates.level(canvas, intended, &format!("intended: {}/s", rate(intended)), Anchor::End);
    }
    for (history, stretches) in histories.iter().zip(&drawn).rev() {
        if joined > 1 {
            let upper = stretches.iter().map(|stretch| rates.at(stretch.second, stretch.rate_max));
            let lower = stretches.iter().rev().map(|stretch| rates.at(stretch.second, stretch.rate_min));
            canvas.area(&upper.chain(lower).collect::<Vec<_>>(), history.stroke.colour, 0.15);
        }
        rates.plot(canvas, stretches.iter().map(|stretch| (stretch.second, stretch.rate)), history.stroke);
        p99s.plot(canvas, stretches.iter().map(|stretch| (stretch.second, stretch.p99_ms)), history.stroke);
    }
    let tick = histories.iter().map(|history| tick_s(whole_points(history.findings))).fold(0.0, f64::max);
    let point = span(tick * joined as f64);
    match joined {
        1 => rates.remark(canvas, &format!("a point is {point}")),
        _ => {
            rates.remark(canvas, &format!("a point is {point}: the mean, and the range of each {}", span(tick)));
            p99s.remark(canvas, &format!("the highest of each {} within {point}", span(tick)));
        }
    }
    error_marks(canvas, &rates, all());
    p99s.bottom()
}

/// The rate that was asked for, if all were asked for the same.
fn intended_rate(histories: &[History<'_>]) -> Option<f64> {
    let (first, rest) = histories.split_first()?;
    let rate = first.findings.intended_rate.filter(|rate| rate.is_finite())?;
    rest.iter().all(|history| history.findings.intended_rate == Some(rate)).then_some(rate)
}

/// Small strokes on the axis where errors came.
fn error_marks<'a>(canvas: &mut Canvas, panel: &Panel, stretches: impl Iterator<Item = &'a Stretch>) {
    let mut any = false;
    for stretch in stretches.filter(|stretch| stretch.errors > 0) {
        let (x, y) = panel.at(stretch.second, 0.0);
        canvas.line((x, y), (x, y - 9.0), Stroke::solid(ALARM, 1.6));
        any = true;
    }
    if any {
        let hand = Hand::new(11.0, ALARM, Anchor::Start);
        canvas.text(panel.left + 6.0, panel.top - 5.0, "red strokes: errors were answered", hand);
    }
}

/// A goal as people write it: `p99.9 <= 1 ms`.
pub(super) fn goal_text(goal: &Goal) -> String {
    format!("p{} <= {}", goal.percentile, duration_text(goal.limit))
}

fn duration_text(time: Duration) -> String {
    match time {
        time if time < Duration::from_millis(1) => format!("{} us", time.as_nanos() as f64 / 1e3),
        time if time < Duration::from_secs(1) => format!("{} ms", time.as_nanos() as f64 / 1e6),
        time => format!("{} s", time.as_secs_f64()),
    }
}

/// A length of time on a line of text, as long as a few ticks.
fn span(seconds: f64) -> String {
    let millis = (seconds * 1e3).round().max(0.0) as u64;
    if millis < 1_000 { format!("{millis} ms") } else { format!("{} s", (millis as f64 / 100.0).round() / 10.0) }
}

#[cfg(test)]
mod tests;

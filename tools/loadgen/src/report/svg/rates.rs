//! Latency by rate, as a search finds it: a line for each percentile, or two for each of several servers.

use super::canvas::{Anchor, Canvas, DASHES, GRID, Hand, INK, PALE_INK, Stroke};
use super::panel::Panel;
use super::scale::Scale;
use super::{AXIS_ROOM, LEFT, NAME_MAX, PAGE_WIDTH, PLOT_WIDTH, RIGHT, goal_text, heading};
use crate::plan::Goal;
use crate::report::Settings;
use crate::report::columns::{NONE, rate, shortened};
use crate::report::curve::{CurvePoint, best};

const HEIGHT: f64 = 360.0;

/// Which latency of a point.
type Pick = fn(&CurvePoint) -> f64;

const P50: (&str, Pick) = ("p50", |point| point.p50_ms);
const P99: (&str, Pick) = ("p99", |point| point.p99_ms);
const P99_9: (&str, Pick) = ("p99.9", |point| point.p99_9_ms);

/// One line.
struct Line<'a> {
    name: String,
    stroke: Stroke,
    points: &'a [CurvePoint],
    pick: Pick,
}

/// The picture of curves, each by its name; the points go up the rates that were asked for. A single curve needs no name.
pub fn curves(title: &str, settings: &Settings, goal: Option<&Goal>, curves: &[(&str, &[CurvePoint])]) -> String {
    let lines = lines(goal, curves);
    let mut canvas = Canvas::default();
    let top = heading(&mut canvas, title, settings);
    let top = legend(&mut canvas, top, goal, curves, &lines) + 28.0;
    let panel = panel(top, goal, &lines);
    panel.frame(&mut canvas, "operations/s achieved", "latency (ms)");
    if let Some(goal) = goal {
        panel.level(&mut canvas, goal.limit.as_secs_f64() * 1e3, &format!("goal: {}", goal_text(goal)), Anchor::Start);
    }
    if lines.iter().all(|line| line.points.is_empty()) {
        panel.empty(&mut canvas);
    }
    for line in lines.iter().rev() {
        draw(&mut canvas, &panel, line);
    }
    canvas.finish(PAGE_WIDTH, panel.bottom() + AXIS_ROOM - 14.0, title)
}

/// All percentiles of one server, or the median and the tail that the goal speaks of for each of several.
fn lines<'a>(goal: Option<&Goal>, curves: &[(&'a str, &'a [CurvePoint])]) -> Vec<Line<'a>> {
    if let [(_, points)] = curves {
        let percentiles = [P99_9, P99, P50].into_iter().enumerate();
        let line = |(place, (name, pick)): (usize, (&str, Pick))| Line {
            name: name.to_owned(),
            stroke: Stroke::numbered(place),
            points,
            pick,
        };
        return percentiles.map(line).collect();
    }
    let tail = if goal.is_some_and(|goal| goal.percentile <= 99.0) { P99 } else { P99_9 };
    let mut lines = Vec::new();
    for (place, (name, points)) in curves.iter().enumerate() {
        for ((percentile, pick), dash) in [(tail, DASHES[0]), (P50, DASHES[1])] {
            let name = format!("{} {percentile}", shortened(name, NAME_MAX));
            lines.push(Line { name, stroke: Stroke { dash, ..Stroke::numbered(place) }, points, pick });
        }
    }
    lines
}

fn panel(top: f64, goal: Option<&Goal>, lines: &[Line<'_>]) -> Panel {
    let points = || lines.iter().flat_map(|line| line.points.iter().map(|point| (point.rate, (line.pick)(point))));
    let goal_ms = goal.map(|goal| goal.limit.as_secs_f64() * 1e3);
    Panel {
        left: LEFT,
        top,
        width: PLOT_WIDTH,
        height: HEIGHT,
        x: Scale::just_beyond(points().map(|(rate, _)| rate)),
        y: Scale::for_latencies(points().map(|(_, ms)| ms).chain(goal_ms)),
    }
}

/// A line with a mark at each rate that was tried: a full one where the goal held.
fn draw(canvas: &mut Canvas, panel: &Panel, line: &Line<'_>) {
    let known = || line.points.iter().filter(|point| (line.pick)(point).is_finite());
    panel.plot(canvas, known().map(|point| (point.rate, (line.pick)(point))), line.stroke);
    for point in known() {
        canvas.dot(panel.at(point.rate, (line.pick)(point)), 3.4, line.stroke.colour, point.holds);
    }
}

/// Which line is which in a row, and up to which rate each curve holds below it; returns where it ends.
fn legend(
    canvas: &mut Canvas,
    top: f64,
    goal: Option<&Goal>,
    curves: &[(&str, &[CurvePoint])],
    lines: &[Line<'_>],
) -> f64 {
    let mut y = top + 26.0;
    let text = Hand::new(12.5, INK, Anchor::Start);
    let widest = lines.iter().map(|line| super::text_width(&line.name, text.size)).fold(64.0, f64::max);
    // Lines of one curve stand beside each other.
    let in_row = lines.len() / curves.len().max(1);
    for row in lines.chunks(in_row.max(1)) {
        let mut x = LEFT;
        for line in row {
            canvas.line((x, y - 4.0), (x + 34.0, y - 4.0), Stroke { width: 2.2, ..line.stroke });
            canvas.dot((x + 17.0, y - 4.0), 3.4, line.stroke.colour, true);
            canvas.text(x + 42.0, y, &line.name, text);
            x += 42.0 + widest + 26.0;
        }
        if let Some(point) = row.first().map(|line| best(line.points)) {
            let held = point.map_or(NONE.to_owned(), |point| format!("{} operations/s", rate(point.rate)));
            let goal = goal.map_or("holds up to".to_owned(), |goal| format!("{} holds up to", goal_text(goal)));
            let hand = Hand { anchor: Anchor::End, ..text };
            canvas.text(PAGE_WIDTH - RIGHT, y, &format!("{goal} {held}"), hand);
        }
        y += 19.0;
    }
    canvas.line((LEFT, y - 8.0), (PAGE_WIDTH - RIGHT, y - 8.0), Stroke::solid(GRID, 1.0));
    y += 7.0;
    canvas.text(
        LEFT,
        y,
        "full marks: the goal held; hollow marks: it did not",
        Hand::new(11.0, PALE_INK, Anchor::Start),
    );
    y
}

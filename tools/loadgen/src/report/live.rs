//! What goes on meanwhile, on standard error: a line that is redrawn on a terminal, a line now and then elsewhere.
//!
//! The main thread calls; nothing here has a thread of its own, and workers never come here, so that showing a number
//! cannot change it.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::columns::{fixed, grouped, printable, rate};
use crate::drive::Progress;
use crate::measure::Point;

/// Time between two drawings on a terminal.
const REDRAW: Duration = Duration::from_millis(200);

/// Time between two lines elsewhere.
const PLAIN: Duration = Duration::from_secs(10);

/// Counted work that lasts no longer than this is not worth a bar.
const PATIENCE: Duration = Duration::from_secs(2);

/// Points that the numbers of the line are made of: a second of ticks.
const SMOOTHED: usize = 10;

/// Characters of a bar. With it, the line of a load fits into 80 columns.
const BAR_WIDTH: usize = 10;

/// What turns while the end is unknown.
const SPINNER: [char; 4] = ['-', '\\', '|', '/'];

/// The line of a load that is being put on a server. It is gone when this is dropped.
#[derive(Debug)]
pub struct Live {
    line: Line,
    recent: Recent,
}

impl Live {
    /// A line that begins with a few words.
    pub fn new(title: &str) -> Self {
        Self { line: Line::new(title, Duration::ZERO), recent: Recent::default() }
    }

    /// Takes what a tick brought, and shows it if it is time to.
    pub fn watch(&mut self, progress: &Progress) {
        self.recent.take(progress);
        if self.line.is_due(Instant::now()) {
            let part = progress.part.filter(|_| !progress.warming_up);
            // The part counts from the end of the warm-up, as the seconds do.
            let remaining = part.and_then(|part| remaining(part, progress.point.second));
            self.line.draw(part, remaining, &self.recent.text());
        }
    }

    /// Takes the line away.
    pub fn finish(self) {}
}

/// What is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counted {
    /// Operations.
    Operations,
    /// Bytes.
    Bytes,
    /// Steps of something.
    Steps,
}

/// A bar for work that is counted. It appears after two seconds, and is gone when this is dropped.
#[derive(Debug)]
pub struct Bar {
    line: Line,
    counted: Counted,
    total: Option<u64>,
    done: u64,
    note: String,
}

impl Bar {
    /// A bar that begins with a few words; without a total, its end is unknown.
    pub fn new(title: &str, counted: Counted, total: Option<u64>) -> Self {
        Self { line: Line::new(title, PATIENCE), counted, total, done: 0, note: String::new() }
    }

    /// So much is done.
    pub fn set(&mut self, done: u64) {
        self.done = done;
        let now = Instant::now();
        if self.line.is_due(now) {
            let elapsed_s = now.duration_since(self.line.started).as_secs_f64();
            let part = self.total.map(|total| self.done as f64 / total.max(1) as f64);
            let text = counted_text(self.counted, self.done, self.total, elapsed_s, &self.note);
            self.line.draw(part, part.and_then(|part| remaining(part, elapsed_s)), &text);
        }
    }

    /// So much more is done.
    pub fn add(&mut self, more: u64) {
        self.set(self.done.saturating_add(more));
    }

    /// What is shown behind the numbers from now on.
    pub fn note(&mut self, note: &str) {
        self.note = printable(note);
        self.set(self.done);
    }

    /// Takes the bar away.
    pub fn finish(self) {}
}

/// A place on standard error.
#[derive(Debug)]
struct Line {
    title: String,
    started: Instant,
    /// When it may be drawn next.
    due: Instant,
    /// How often it was drawn.
    drawn: usize,
    /// Cuts what is too long for the terminal, and clears it. None: standard error is not a terminal.
    terminal: Option<ProgressBar>,
}

impl Line {
    fn new(title: &str, patience: Duration) -> Self {
        let started = Instant::now();
        let target = ProgressDrawTarget::stderr();
        let terminal =
            (!target.is_hidden()).then(|| ProgressBar::with_draw_target(None, target).with_style(whole_line()));
        let due = started + if terminal.is_some() { patience } else { PLAIN };
        Self { title: printable(title), started, due, drawn: 0, terminal }
    }

    fn is_due(&self, now: Instant) -> bool {
        now >= self.due
    }

    fn draw(&mut self, part: Option<f64>, remaining: Option<Duration>, text: &str) {
        let ahead = ahead(part, remaining);
        if let Some(terminal) = &self.terminal {
            terminal.set_message(format!("{} {} {ahead}{text}", self.title, gauge(part, self.drawn)));
            self.due = Instant::now() + REDRAW;
        } else {
            // Nobody may be reading; that must not end a measurement.
            let _ = writeln!(io::stderr(), "{}: {ahead}{text}", self.title);
            self.due = Instant::now() + PLAIN;
        }
        self.drawn += 1;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(terminal) = &self.terminal {
            terminal.finish_and_clear();
        }
    }
}

/// One message that is cut at the end of the line. Position, speed and time are worked out here, so that one call draws
/// all of them once.
fn whole_line() -> ProgressStyle {
    // The template is tested; should it be wrong nevertheless, the crate's own shows the message, too.
    ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner())
}

/// How far it is as a picture.
fn gauge(part: Option<f64>, drawn: usize) -> String {
    let Some(part) = part else { return SPINNER[drawn % SPINNER.len()].to_string() };
    let full = ((part.clamp(0.0, 1.0) * BAR_WIDTH as f64) as usize).min(BAR_WIDTH);
    let head = if full < BAR_WIDTH { ">" } else { "" };
    format!("[{:<BAR_WIDTH$}]", format!("{}{head}", "=".repeat(full)))
}

/// The last second of points.
#[derive(Debug, Default)]
struct Recent {
    points: VecDeque<Point>,
    warming_up: bool,
    errors: u64,
}

impl Recent {
    fn take(&mut self, progress: &Progress) {
        self.warming_up = progress.warming_up;
        if !progress.warming_up {
            self.errors += progress.point.errors;
        }
        if self.points.len() == SMOOTHED {
            self.points.pop_front();
        }
        self.points.push_back(progress.point);
    }

    /// Rate and latencies. Percentiles of ticks cannot be added up; their mean, each tick counting as much as it has
    /// operations, moves as the percentile of the second does. The report at the end has the true ones.
    fn text(&self) -> String {
        let rates: f64 = self.points.iter().map(|point| point.rate).sum();
        let mean = |pick: fn(&Point) -> f64| {
            let sum: f64 = self.points.iter().map(|point| point.rate * pick(point)).sum();
            sum / rates
        };
        let mut text = if self.warming_up { "warming up  ".to_owned() } else { String::new() };
        text += &format!("{} ops/s", rate(rates / (self.points.len() as f64).max(1.0)));
        // Before the latencies: what is too long is cut at its end.
        match self.errors {
            0 => {}
            1 => text += "  1 error",
            errors => text += &format!("  {} errors", grouped(errors)),
        }
        let [p50, p99, p999] =
            [mean(|point| point.p50_ms), mean(|point| point.p99_ms), mean(|point| point.p999_ms)].map(short_ms);
        text += &format!("  p50 {p50}  p99 {p99}  p99.9 {p999} ms");
        text
    }
}

/// How long it will take if it goes on as it went in so many seconds; none at the very beginning.
fn remaining(part: f64, elapsed_s: f64) -> Option<Duration> {
    let left_s = elapsed_s * (1.0 - part) / part;
    if part > 0.0 { Duration::try_from_secs_f64(left_s.max(0.0)).ok() } else { None }
}

/// Milliseconds with three digits that mean something.
fn short_ms(ms: f64) -> String {
    let decimals = match ms {
        ms if ms < 1.0 => 3,
        ms if ms < 10.0 => 2,
        ms if ms < 100.0 => 1,
        _ => 0,
    };
    fixed(ms, decimals)
}

/// How far it is, and how long it will take: ` 42 % 1:23  `.
fn ahead(part: Option<f64>, remaining: Option<Duration>) -> String {
    match (part, remaining) {
        (None, _) => String::new(),
        (Some(part), None) => format!("{:3.0} %  ", part * 100.0),
        (Some(part), Some(left)) => format!("{:3.0} % {}  ", part * 100.0, clock(left)),
    }
}

/// `1:02:03`, `2:03` or `0:03`, rounded up: what is nearly over is not yet over.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs_f64().ceil() as u64;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

fn counted_text(counted: Counted, done: u64, total: Option<u64>, elapsed_s: f64, note: &str) -> String {
    let speed = done as f64 / elapsed_s.max(1e-3);
    let amount = |number: u64| match counted {
        Counted::Bytes => fixed(number as f64 / 1e6, 1),
        Counted::Operations | Counted::Steps => grouped(number),
    };
    let unit = if counted == Counted::Bytes { " MB" } else { "" };
    let mut text = amount(done);
    if let Some(total) = total {
        text += &format!(" of {}", amount(total));
    }
    text += unit;
    match counted {
        Counted::Operations => text += &format!("  {} ops/s", rate(speed)),
        Counted::Bytes => text += &format!("  {} MB/s", fixed(speed / 1e6, 1)),
        // Steps are too few to have a speed.
        Counted::Steps => {}
    }
    if !note.is_empty() {
        text += &format!("  {note}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::point;

    fn tick(tick: u32, rate: f64) -> Progress {
        Progress { part: Some(f64::from(tick) / 100.0), warming_up: tick == 0, point: point(tick, rate) }
    }

    #[test]
    fn the_line_shows_the_last_second() {
        let mut recent = Recent::default();
        assert_eq!(recent.text(), "0.0 ops/s  p50 -  p99 -  p99.9 - ms");
        recent.take(&tick(0, 2_000.0));
        assert_eq!(recent.text(), "warming up  2,000 ops/s  p50 0.100  p99 0.400  p99.9 1.20 ms");
        (1..=30).for_each(|number| recent.take(&tick(number, 2_000.0)));
        assert_eq!(recent.points.len(), SMOOTHED);
        // A stall has no operations, and no latencies that would count.
        (31..=35).for_each(|number| {
            recent.take(&Progress { point: Point { errors: 0, ..point(number, 0.0) }, ..tick(number, 0.0) })
        });
        let text = recent.text();
        assert!(text.starts_with("9") && text.contains("p50 0.0"), "{text}");
        (36..=45).for_each(|number| recent.take(&tick(number, 1e6)));
        assert!(recent.text().starts_with("978,099 ops/s  1 error  p50 "), "{}", recent.text());
    }

    #[test]
    fn what_is_left_follows_from_what_was_done() {
        assert_eq!(remaining(0.0, 5.0), None);
        assert_eq!(remaining(0.25, 5.0), Some(Duration::from_secs(15)));
        assert_eq!(remaining(1.0, 5.0), Some(Duration::ZERO));
        assert_eq!(remaining(f64::NAN, 5.0), None);
        assert_eq!(remaining(1e-300, 1e300), None);
        assert_eq!(ahead(None, None), "");
        assert_eq!(ahead(Some(0.0), None), "  0 %  ");
        assert_eq!(ahead(Some(0.25), Some(Duration::from_millis(83_400))), " 25 % 1:24  ");
        assert_eq!(clock(Duration::from_secs(3_723)), "1:02:03");
    }

    #[test]
    fn counted_work_says_how_much_and_how_fast() {
        let text = |counted, done, total| counted_text(counted, done, total, 2.0, "");
        assert_eq!(text(Counted::Operations, 5_000, Some(10_000)), "5,000 of 10,000  2,500 ops/s");
        assert_eq!(text(Counted::Bytes, 5_000_000, None), "5.0 MB  2.5 MB/s");
        assert_eq!(text(Counted::Steps, 3, Some(12)), "3 of 12");
        assert_eq!(counted_text(Counted::Steps, 3, None, 0.0, "120,000 ops/s"), "3  120,000 ops/s");
    }

    #[test]
    fn the_line_fits_into_80_columns() {
        assert!(ProgressStyle::with_template("{wide_msg}").is_ok());
        let mut recent = Recent::default();
        recent.take(&tick(5, 123_456.0));
        let ahead = ahead(Some(0.5), Some(Duration::from_secs(83)));
        let line = format!("run {} {ahead}{}", gauge(Some(0.5), 0), recent.text());
        assert_eq!(line, "run [=====>    ]  50 % 1:23  127,500 ops/s  p50 0.107  p99 0.466  p99.9 1.53 ms");
        assert!(line.len() <= 80);
    }

    #[test]
    fn the_gauge_is_always_as_wide() {
        for part in [0.0, 0.1, 0.999, 1.0, 2.0, -1.0, f64::NAN] {
            assert_eq!(gauge(Some(part), 0).len(), BAR_WIDTH + 2, "{part}");
        }
        assert_eq!((gauge(None, 0), gauge(None, 5)), ("-".to_owned(), "\\".to_owned()));
    }

    #[test]
    fn short_work_shows_no_bar() {
        let mut bar = Bar::new("fill", Counted::Operations, Some(10));
        assert!(!bar.line.is_due(bar.line.started + PATIENCE / 2));
        assert!(bar.line.is_due(bar.line.started + PLAIN));
        bar.add(3);
        bar.note("half\x1b");
        assert_eq!((bar.done, bar.note.as_str()), (3, "half?"));
        bar.finish();
    }
}

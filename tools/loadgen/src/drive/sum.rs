//! Adds up what the workers report, tick by tick.

use std::time::Duration;

use super::worker::{Report, Totals};
use super::{Load, Pace, Progress, TICK, Until};
use crate::measure::{Findings, Interval, Point, cpu};

/// Adds up what the workers report.
pub(super) struct Sum<'a> {
    load: &'a Load,
    workers: usize,
    findings: Findings,
    /// Ticks that not all workers have reported yet, from `first_tick` on.
    open: Vec<(usize, Interval)>,
    first_tick: u64,
    /// The last ticks of workers that have ended.
    ended: Vec<u64>,
    /// CPU times when counting began.
    cpu_before: Option<(Duration, Option<Duration>)>,
    last_reply: Duration,
}

impl<'a> Sum<'a> {
    /// Of a run that began at `began`, time since 1970.
    pub(super) fn new(load: &'a Load, workers: usize, began: Duration) -> Self {
        let kinds = load.workload.kinds();
        let findings = Findings {
            kinds: kinds.iter().map(|kind| kind.name.clone()).collect(),
            counted: Interval::new(kinds.len()),
            intended_rate: match load.pace {
                Pace::Open { rate, .. } => Some(rate),
                Pace::Closed { .. } => None,
            },
            began,
            ..Findings::default()
        };
        let mut sum = Self {
            load,
            workers,
            findings,
            open: Vec::new(),
            first_tick: 0,
            ended: Vec::new(),
            cpu_before: None,
            last_reply: Duration::ZERO,
        };
        if load.warmup.is_zero() {
            sum.begin_to_count();
        }
        sum
    }

    fn begin_to_count(&mut self) {
        self.cpu_before = Some(self.cpu_now());
    }

    fn cpu_now(&self) -> (Duration, Option<Duration>) {
        (cpu::own(), self.load.server_pid.and_then(|pid| cpu::of_process(pid).ok()))
    }

    pub(super) fn take(&mut self, report: Report, watch: &mut dyn FnMut(&Progress)) {
        self.last_reply = self.last_reply.max(report.last_reply);
        // Workers are not in step: a tick stays open until all of them have reported it.
        let place = report.tick.saturating_sub(self.first_tick) as usize;
        while self.open.len() <= place {
            self.open.push((0, Interval::new(self.findings.kinds.len())));
        }
        let (reported, interval) = &mut self.open[place];
        *reported += 1;
        interval.add(&report.interval);
        if report.last {
            self.ended.push(report.tick);
        }
        while self.open.first().is_some_and(|(reported, _)| *reported == self.reporting()) {
            let (_, interval) = self.open.remove(0);
            self.first_tick += 1;
            self.end_tick(&interval, watch);
        }
    }

    /// Workers that report on the first open tick.
    fn reporting(&self) -> usize {
        self.workers - self.ended.iter().filter(|last| **last < self.first_tick).count()
    }

    fn end_tick(&mut self, interval: &Interval, watch: &mut dyn FnMut(&Progress)) {
        let end = TICK * self.first_tick as u32;
        let warming_up = end <= self.load.warmup;
        let total = interval.total();
        let ms = |percentile| total.latencies.value_at_percentile(percentile) as f64 / 1e6;
        let point = Point {
            second: end.saturating_sub(self.load.warmup).as_secs_f64(),
            rate: total.operations as f64 / TICK.as_secs_f64(),
            p50_ms: ms(50.0),
            p99_ms: ms(99.0),
            p999_ms: ms(99.9),
            max_ms: total.latencies.max() as f64 / 1e6,
            errors: total.errors,
        };
        if !warming_up {
            self.findings.counted.add(interval);
            self.findings.series.push(point);
        } else if end == self.load.warmup {
            self.begin_to_count();
        }
        let counted = end.saturating_sub(self.load.warmup).as_secs_f64();
        let part = match self.load.until {
            Until::Elapsed(time) => Some(counted / time.as_secs_f64()),
            Until::Operations(operations) => {
                let done: u64 = self.findings.counted.kinds.iter().map(|kind| kind.operations).sum();
                Some(done as f64 / operations as f64)
            }
            Until::Done => None,
        };
        watch(&Progress { part: part.map(|part| part.min(1.0)), warming_up, point });
    }

    /// Adds what a worker says at its end.
    pub(super) fn add_totals(&mut self, totals: Totals) {
        let findings = &mut self.findings;
        findings.reconnects += totals.reconnects;
        findings.redirections += totals.redirections;
        findings.unanswered += totals.unanswered;
        findings.faults.extend(totals.faults);
        findings.fault_count += totals.fault_count;
        self.add_errors(totals.errors);
    }

    fn add_errors(&mut self, errors: Vec<(String, u64)>) {
        for (text, count) in errors {
            match self.findings.errors.iter_mut().find(|(known, _)| *known == text) {
                Some((_, known)) => *known += count,
                None => self.findings.errors.push((text, count)),
            }
        }
    }

    pub(super) fn finish(mut self) -> Findings {
        let (own, server) = self.cpu_now();
        for (_, interval) in std::mem::take(&mut self.open) {
            self.findings.counted.add(&interval);
        }
        self.findings.elapsed = self.last_reply.saturating_sub(self.load.warmup);
        if let Some((own_before, server_before)) = self.cpu_before {
            self.findings.client_cpu = own.saturating_sub(own_before);
            self.findings.server_cpu = server.zip(server_before).map(|(after, before)| after.saturating_sub(before));
        }
        self.findings
    }
}

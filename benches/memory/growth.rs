//! `growth`: what others feel while a table grows tenfold and more and shrinks again, and what memory comes back.
//!
//! A loader stores millions of keys on one connection and deletes them again, in another order than they came. Beside it,
//! an open loop asks for keys of its own: each request has a moment at which it is due, and latency counts from there, so
//! that a server that stands still is seen by every request that it kept waiting. The same is done with a table that does
//! not grow (the same rate of overwriting, then of deleting and setting again, within a fixed set). The difference
//! between the two is the price of growing. The loader keeps to a rate that leaves the core some air: on a core that is
//! full, an open loop measures the length of its own queue. What the machine does meanwhile is told from what the server
//! does (`stalls`, `turn_watch`). What other processes take of the server's CPU is in the latencies: `waited` shows how
//! much that was.
//!
//! RSS at the start is that of a server that has served: the pages of the program that a first few writes and deletes
//! touch are not memory that growing took.

use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::{ArgMatches, Command};
use serde_json::json;

use crate::loader::load;
use crate::probe::{Felt, note_witnesses};
use crate::report::{Bar, Report, held_by_most, mb, must_hold};
use crate::server::Running;
use crate::turn_watch::Turns;
use crate::wire::{Noise, Ttl, del, set};
use crate::{Bench, count_flag, counted, say};

const VALUE_BYTES: usize = 64;

/// Keys that are set and deleted before anything is counted.
const FIRST_KEYS: u64 = 100_000;

/// How long the server has to give memory back after the last key is deleted.
const SETTLE: Duration = Duration::from_secs(5);

/// p99.99 with a growing table may be so much above that with a fixed one, in milliseconds.
const LATENCY_BAR_MS: f64 = 2.0;

/// The longest turn, in microseconds.
const TURN_BAR_US: f64 = 500.0;

/// RSS at the end may be so many percent above that at the start.
const RSS_BAR_PERCENT: f64 = 15.0;

pub(crate) fn command() -> Command {
    Command::new("growth")
        .about("Latency of others while the table grows and shrinks, and what memory comes back")
        .args([
            count_flag("keys", "10000000", "Keys to insert, and then to delete"),
            count_flag("fixed-keys", "1000000", "Keys of the table that does not grow"),
            count_flag("insert-rate", "100k", "Commands of the loader per second"),
            count_flag("get-rate", "10k", "GETs of the open loop per second"),
            count_flag("rounds", "5", "Rounds; three of five must hold"),
        ])
}

/// What the loader does to the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Table {
    Grows,
    IsFixed,
}

/// How much of it.
struct Plan<'a> {
    bench: &'a Bench,
    noise: Noise,
    keys: u64,
    fixed_keys: u64,
    insert_rate: f64,
    get_rate: u64,
}

/// What one round with one kind of table has shown.
struct Phase {
    felt: Felt,
    rss_start: u64,
    rss_full: u64,
    rss_end: u64,
    /// Commands of the loader per second.
    rate: f64,
}

impl Phase {
    fn rss_growth_percent(&self) -> f64 {
        (self.rss_end as f64 / self.rss_start as f64 - 1.0) * 100.0
    }
}

pub(crate) fn run(bench: &Bench, matches: &ArgMatches) -> Result<Report, String> {
    let of = |name| counted(matches, name);
    let plan = Plan {
        bench,
        noise: Noise::new(),
        keys: of("keys"),
        fixed_keys: of("fixed-keys"),
        insert_rate: of("insert-rate") as f64,
        get_rate: of("get-rate"),
    };
    let mut report = Report {
        measurement: "growth",
        method: format!(
            "{} inserts and deletes at {}/s, a fixed table of {} keys, GETs at {}/s in an open loop",
            plan.keys, plan.insert_rate, plan.fixed_keys, plan.get_rate
        ),
        columns: &[
            "round",
            "table",
            "p50 ms",
            "p99 ms",
            "p99.99 ms",
            "own p99.99 ms",
            "max ms",
            "longest turn us",
            "own longest us",
            "RSS start MB",
            "full MB",
            "end MB",
            "end %",
            "loader/s",
            "waited ms",
            "stood still ms",
        ],
        ..Report::default()
    };
    note_witnesses(&mut report);
    let mut rounds = Vec::new();
    for round in 1..=of("rounds") {
        let fixed = plan.phase(Table::IsFixed, round, &mut report)?;
        let grows = plan.phase(Table::Grows, round, &mut report)?;
        rounds.push((grows, fixed));
    }
    let all = |figure: &dyn Fn(&(Phase, Phase)) -> Option<f64>| held_by_most(rounds.iter().map(figure).collect());
    let how = format!("held in {} of {} rounds", must_hold(rounds.len()), rounds.len());
    let difference = all(&|(grows, fixed)| Some(grows.felt.own_p99_99_ms - fixed.felt.own_p99_99_ms));
    let turn = all(&|(grows, _)| grows.felt.turns.map(|turns| turns.own_longest_us as f64));
    let rss = all(&|(grows, _)| Some(grows.rss_growth_percent()));
    report.bars.push(Bar::at_most(
        format!("p99.99 above that of a fixed table, ms, {how}"),
        difference,
        LATENCY_BAR_MS,
    ));
    report.bars.push(Bar::at_most(format!("longest turn, us, {how}"), turn, TURN_BAR_US));
    report.bars.push(Bar::at_most(format!("RSS at the end above the start, %, {how}"), rss, RSS_BAR_PERCENT));
    Ok(report)
}

impl Plan<'_> {
    /// One round with one kind of table, which becomes a row.
    fn phase(&self, table: Table, round: u64, report: &mut Report) -> Result<Phase, String> {
        let server = self.bench.subject.start_roomy(self.bench.cpus(), &mut |note| report.note(note))?;
        let probe = self.bench.probe(self.get_rate);
        probe.fill(&server)?;
        self.load(&server, None, 0..FIRST_KEYS, |out, key| self.set(out, key))?;
        self.load(&server, None, 0..FIRST_KEYS, del)?;
        if table == Table::IsFixed {
            self.load(&server, None, 0..self.fixed_keys, |out, key| self.set(out, key))?;
        }
        let under_way = probe.start(&server, Duration::from_secs_f64(2.0 * self.keys as f64 / self.insert_rate))?;
        let waited = server.waited();
        let loaded = self.drive(&server, table);
        let ([rss_start, rss_full, rss_end], rate) = loaded?;
        let felt = under_way.felt()?;
        let waited_ms = server.waited().saturating_sub(waited).as_secs_f64() * 1e3;
        let phase = Phase { felt, rss_start, rss_full, rss_end, rate };
        let percent = phase.rss_growth_percent();
        let named = if table == Table::Grows { "grows" } else { "fixed" };
        say(&format!("round {round}, {named}: p99.99 {:.3} ms, {:.0} commands/s", felt.own_p99_99_ms, phase.rate));
        if phase.rate < 0.98 * self.insert_rate {
            report
                .note("the loader fell behind its rate: the open loop went on without it for the last GETs".to_owned());
        }
        let Felt { p50_ms, p99_ms, p99_99_ms, max_ms, own_p99_99_ms, stood_still_ms, turns } = felt;
        let mut row = vec![round.to_string(), named.to_owned()];
        row.extend([p50_ms, p99_ms, p99_99_ms, own_p99_99_ms, max_ms].map(|ms| format!("{ms:.3}")));
        row.extend(Turns::columns(turns));
        row.extend([phase.rss_start, phase.rss_full, phase.rss_end].map(mb));
        row.extend([format!("{percent:+.1}"), format!("{:.0}", phase.rate), format!("{waited_ms:.0}")]);
        row.push(stood_still_ms.map_or("-".to_owned(), |ms| format!("{ms:.0}")));
        report.rows.push(row);
        report.figures.push(json!({
            "round": round, "table": named, "p50_ms": p50_ms, "p99_ms": p99_ms,
            "p99_99_ms": p99_99_ms, "max_ms": max_ms, "longest_turn_us": turns.map(|turns| turns.longest_us),
            "own_longest_turn_us": turns.map(|turns| turns.own_longest_us),
            "own_turns_share": turns.map(|turns| turns.own_share),
            "rss_start_bytes": phase.rss_start, "rss_full_bytes": phase.rss_full, "rss_end_bytes": phase.rss_end,
            "rss_growth_percent": percent, "commands_per_second": phase.rate,
            "waited_for_cpu_ms": waited_ms, "own_p99_99_ms": own_p99_99_ms,
            "machine_stood_still_ms": stood_still_ms,
        }));
        Ok(phase)
    }

    /// Fills and empties the table. Returns RSS at the start, when it is full and at the end, and the rate.
    fn drive(&self, server: &Running, table: Table) -> Result<([u64; 3], f64), String> {
        let (keys, fixed) = (self.keys, self.fixed_keys);
        let rate = Some(self.insert_rate);
        let start = server.rss();
        let began = Instant::now();
        match table {
            Table::Grows => self.load(server, rate, 0..keys, |out, key| self.set(out, key))?,
            Table::IsFixed => self.load(server, rate, 0..keys, |out, at| self.set(out, scattered(at, fixed)))?,
        }
        let full = server.rss();
        match table {
            Table::Grows => self.load(server, rate, 0..keys, |out, at| del(out, scattered(at, keys)))?,
            Table::IsFixed => self.load(server, rate, 0..keys, |out, at| match scattered(at / 2, fixed) {
                key if at % 2 == 0 => del(out, key),
                key => self.set(out, key),
            })?,
        }
        let achieved = 2.0 * keys as f64 / began.elapsed().as_secs_f64();
        let settled = Instant::now() + SETTLE;
        let mut end = server.rss();
        while table == Table::Grows
            && end as f64 > start as f64 * (1.0 + RSS_BAR_PERCENT / 100.0)
            && Instant::now() < settled
        {
            sleep(Duration::from_millis(50));
            end = server.rss();
        }
        Ok(([start, full, end], achieved))
    }

    fn load(
        &self,
        server: &Running,
        rate: Option<f64>,
        mut numbers: std::ops::Range<u64>,
        mut append: impl FnMut(&mut Vec<u8>, u64),
    ) -> Result<(), String> {
        let loaded = load(server.address(), rate, &mut |out| {
            let Some(number) = numbers.next() else { return false };
            append(out, number);
            true
        });
        loaded?.without_errors().map(drop)
    }

    fn set(&self, out: &mut Vec<u8>, key: u64) {
        set(out, key, self.noise.value(key, VALUE_BYTES), Ttl::None);
    }
}

/// The numbers below `count` in another order, each once: neighbours in time are far apart in it, so that pages empty
/// late and not one after the other. Steps of a prime visit every number unless the prime divides the count.
pub(crate) fn scattered(at: u64, count: u64) -> u64 {
    const STEPS: [u64; 2] = [7_368_787, 15_485_863];
    let step = if count.is_multiple_of(STEPS[0]) { STEPS[1] } else { STEPS[0] };
    (at % count) * step % count
}

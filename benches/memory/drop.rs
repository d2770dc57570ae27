//! `drop`: what others feel while one collection of millions is deleted, in each way in which a key can go.
//!
//! A loader fills one sorted set or hash. An open loop asks for keys of its own, first with nothing else to do, then while
//! the collection goes: the difference between the two is the price of deleting it. What the machine does meanwhile is told
//! from what the server does (`stalls`, `turn_watch`), and what other processes take of the server's CPU is shown
//! (`waited`).

use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::growth::scattered;
use crate::loader::load;
use crate::probe::{Felt, Probe, note_witnesses};
use crate::report::{Bar, Report, held_by_most, must_hold};
use crate::server::Running;
use crate::turn_watch::Turns;
use crate::wire::request;
use crate::{Bench, count_flag, counted, say};

/// Members that one command brings.
const MEMBERS_A_COMMAND: u64 = 100;

/// How long the open loop counts before the collection is deleted, and again from then on.
const COUNTED: Duration = Duration::from_secs(4);

/// How long the server has to free the rest of it afterwards.
const SETTLE: Duration = Duration::from_secs(30);

/// p99.99 while a collection is deleted may be so much above the usual, in milliseconds.
const LATENCY_BAR_MS: f64 = 2.0;

/// The longest turn, in microseconds.
const TURN_BAR_US: f64 = 500.0;

/// The collections: how each is filled.
const COLLECTIONS: [(&str, Append); 2] = [("sorted set", zadd), ("hash", hset)];

/// The ways to go: the command that begins it.
const WAYS: [(&str, &str); 4] =
    [("del", "DEL large"), ("unlink", "UNLINK large"), ("set", "SET large small"), ("expire", "PEXPIRE large 1")];

type Append = fn(&mut Vec<u8>, first: u64, members: u64);

/// What one round of one collection and one way has shown.
struct Seen {
    usual: Felt,
    dropping: Felt,
}

pub(crate) fn command() -> Command {
    let ways = Arg::new("ways").long("ways").value_name("WAYS").help("How the collection goes, several with commas");
    Command::new("drop").about("Latency of others while a large collection is deleted").args([
        count_flag("members", "10000000", "Members of the sorted set, fields of the hash"),
        count_flag("get-rate", "10k", "GETs of the open loop per second"),
        count_flag("rounds", "5", "Rounds; three of five must hold"),
        ways.value_delimiter(',').value_parser(WAYS.map(|(name, _)| name)).default_value("del,unlink,set,expire"),
    ])
}

pub(crate) fn run(bench: &Bench, matches: &ArgMatches) -> Result<Report, String> {
    let [members, rate, rounds] = ["members", "get-rate", "rounds"].map(|name| counted(matches, name));
    let asked: Vec<&str> = matches.get_many::<String>("ways").unwrap_or_default().map(String::as_str).collect();
    let probe = bench.probe(rate);
    let mut report = Report {
        measurement: "drop",
        method: format!("one collection of {members} is deleted, GETs at {rate}/s in an open loop"),
        columns: &[
            "round",
            "collection",
            "way",
            "usual own p99.99 ms",
            "p50 ms",
            "p99 ms",
            "p99.99 ms",
            "own p99.99 ms",
            "max ms",
            "longest turn us",
            "own longest us",
            "freed after ms",
            "waited ms",
            "stood still ms",
        ],
        ..Report::default()
    };
    note_witnesses(&mut report);
    let how = format!("held in {} of {rounds} rounds", must_hold(rounds as usize));
    for (way, line) in WAYS.into_iter().filter(|(way, _)| asked.contains(way)) {
        for (collection, append) in COLLECTIONS {
            let mut seen = Vec::new();
            for round in 1..=rounds {
                let named = [round.to_string(), collection.to_owned(), way.to_owned()];
                let mut server = bench.subject.start_roomy(bench.cpus(), &mut |note| report.note(note))?;
                fill(&server, members, append)?;
                seen.push(delete(&mut server, &probe, line, named, &mut report)?);
            }
            let difference = held_by_most(
                seen.iter().map(|seen| Some(seen.dropping.own_p99_99_ms - seen.usual.own_p99_99_ms)).collect(),
            );
            let turn = held_by_most(
                seen.iter().map(|seen| seen.dropping.turns.map(|turns| turns.own_longest_us as f64)).collect(),
            );
            let bars = &mut report.bars;
            bars.push(Bar::at_most(
                format!("{collection}, {way}: p99.99 above the usual, ms, {how}"),
                difference,
                LATENCY_BAR_MS,
            ));
            bars.push(Bar::at_most(format!("{collection}, {way}: longest turn, us, {how}"), turn, TURN_BAR_US));
        }
    }
    Ok(report)
}

/// Fills the collection.
fn fill(server: &Running, members: u64, append: Append) -> Result<(), String> {
    let mut firsts = (0..members).step_by(MEMBERS_A_COMMAND as usize);
    let loaded = load(server.address(), None, &mut |out| {
        let Some(first) = firsts.next() else { return false };
        append(out, first, members);
        true
    });
    loaded?.without_errors().map(drop)
}

/// Deletes it by `line` while the open loop goes on, which becomes a row.
fn delete(
    server: &mut Running,
    probe: &Probe,
    line: &str,
    named: [String; 3],
    report: &mut Report,
) -> Result<Seen, String> {
    probe.fill(server)?;
    let usual = probe.start(server, COUNTED)?.felt()?;
    let under_way = probe.start(server, COUNTED)?;
    let waited = server.waited();
    let began = Instant::now();
    server.ask(line)?;
    let mut freed = None;
    while freed.is_none() && began.elapsed() < SETTLE {
        // The key that expires goes a moment later, and what is freed is looked at less often than it would be felt.
        sleep(Duration::from_millis(20));
        freed = is_freed(server)?.then(|| began.elapsed());
    }
    let dropping = under_way.felt()?;
    let waited_ms = server.waited().saturating_sub(waited).as_secs_f64() * 1e3;
    if freed.is_none_or(|freed| freed > COUNTED) {
        report.note("some collections were not freed before the open loop ended".to_owned());
    }
    let [round, collection, way] = &named;
    say(&format!("{collection}, {way}, round {round}: p99.99 {:.3} ms", dropping.own_p99_99_ms));
    let Felt { p50_ms, p99_ms, p99_99_ms, max_ms, own_p99_99_ms, stood_still_ms, turns } = dropping;
    let freed_ms = freed.map(|freed| freed.as_secs_f64() * 1e3);
    report.figures.push(json!({
        "round": round, "collection": collection, "way": way, "usual_p99_99_ms": usual.p99_99_ms,
        "p50_ms": p50_ms, "p99_ms": p99_ms, "p99_99_ms": p99_99_ms, "max_ms": max_ms,
        "own_p99_99_ms": own_p99_99_ms, "usual_own_p99_99_ms": usual.own_p99_99_ms,
        "machine_stood_still_ms": stood_still_ms, "longest_turn_us": turns.map(|turns| turns.longest_us),
        "own_longest_turn_us": turns.map(|turns| turns.own_longest_us), "freed_after_ms": freed_ms, "waited_for_cpu_ms": waited_ms,
    }));
    let mut row = Vec::from(named);
    row.extend([usual.own_p99_99_ms, p50_ms, p99_ms, p99_99_ms, own_p99_99_ms, max_ms].map(|ms| format!("{ms:.3}")));
    row.extend(Turns::columns(turns));
    row.extend([freed_ms.map_or("-".to_owned(), |ms| format!("{ms:.0}")), format!("{waited_ms:.0}")]);
    row.push(stood_still_ms.map_or("-".to_owned(), |ms| format!("{ms:.0}")));
    report.rows.push(row);
    Ok(Seen { usual, dropping })
}

/// Whether the collection is gone and the server has nothing left to free.
fn is_freed(server: &mut Running) -> Result<bool, String> {
    let is_gone = !matches!(server.ask("TYPE large")?.text().as_str(), "zset" | "hash");
    Ok(is_gone && server.info("memory")?.number("lazyfree_pending_objects")? == 0)
}

fn zadd(out: &mut Vec<u8>, first: u64, members: u64) {
    let mut words = vec![b"ZADD".to_vec(), b"large".to_vec()];
    for number in first..members.min(first + MEMBERS_A_COMMAND) {
        words.push(scattered(number, members).to_string().into_bytes());
        words.push(format!("member:{number:08}").into_bytes());
    }
    request(out, &words);
}

fn hset(out: &mut Vec<u8>, first: u64, members: u64) {
    let mut words = vec![b"HSET".to_vec(), b"large".to_vec()];
    for number in first..members.min(first + MEMBERS_A_COMMAND) {
        words.push(format!("field:{number:08}").into_bytes());
        words.push(format!("value:{:010}", scattered(number, members)).into_bytes());
    }
    request(out, &words);
}

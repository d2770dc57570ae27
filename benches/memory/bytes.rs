//! `bytes`: what a key costs beyond its own bytes.
//!
//! Keys of 16 bytes with random values of 64 are stored in an empty server; the growth of its resident memory, divided by
//! the keys, less 80, is the overhead of a key: entry, table, allocator, and whatever was rounded up. A table that doubles
//! costs most right after it did, so there are several counts, and the worst of them counts.

use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

use crate::loader::load;
use crate::report::{Bar, Report, mb};
use crate::server::Subject;
use crate::wire::{KEY_BYTES, Noise, Ttl, set};
use crate::{Bench, count, say};

/// Bytes of a value.
const VALUE_BYTES: usize = 64;

/// Overhead of a key that stays, and of one that expires, in bytes.
const BARS: [(Ttl, f64); 2] = [(Ttl::None, 24.0), (Ttl::Seconds(86_400), 32.0)];

/// Keys of the quick measurement: enough that the tables' fixed costs do not show.
const QUICK_KEYS: u64 = 1_000_000;

pub(crate) fn command() -> Command {
    let keys =
        Arg::new("keys").long("keys").value_name("COUNTS").help("How many keys are stored, each in a new server");
    let keys = keys.value_delimiter(',').value_parser(count).default_value("3000000,4000000,5500000");
    let peer = Arg::new("peer").long("peer").help("Measure redis-server too").action(ArgAction::SetTrue);
    Command::new("bytes").about("Resident bytes of a key beyond its name and value").args([keys, peer])
}

/// Every count of keys, with and without TTL, on every list of CPUs.
pub(crate) fn run(bench: &Bench, matches: &ArgMatches) -> Result<Report, String> {
    let counts: Vec<u64> = matches.get_many("keys").unwrap_or_default().copied().collect();
    let mut report = measure(bench, &bench.cpu_lists(&["0", "0,1"]), &counts)?;
    if matches.get_flag("peer") {
        let peer = Subject::redis(None, Vec::new(), bench.port)?;
        for (ttl, _) in BARS {
            worst(&peer, bench.cpus(), &counts, ttl, &mut report)?;
        }
    }
    Ok(report)
}

/// One count of keys on one list of CPUs.
pub(crate) fn quick(bench: &Bench) -> Result<Report, String> {
    measure(bench, &[bench.cpus().to_owned()], &[QUICK_KEYS])
}

fn measure(bench: &Bench, cpu_lists: &[String], counts: &[u64]) -> Result<Report, String> {
    let mut report = Report {
        measurement: "bytes",
        method: format!("keys of {KEY_BYTES} bytes, random values of {VALUE_BYTES}"),
        columns: &["server", "CPUs", "TTL", "keys", "held", "RSS before MB", "RSS after MB", "overhead B"],
        ..Report::default()
    };
    for cpus in cpu_lists {
        for (ttl, bar) in BARS {
            let worst = worst(&bench.subject, cpus, counts, ttl, &mut report)?;
            let name = format!("overhead of a key, CPUs {cpus}, {}: worst, B", named(ttl));
            report.bars.push(Bar::at_most(name, Some(worst), bar));
        }
    }
    Ok(report)
}

/// The largest overhead among the counts of keys, each of which becomes a row.
fn worst(subject: &Subject, cpus: &str, counts: &[u64], ttl: Ttl, report: &mut Report) -> Result<f64, String> {
    let noise = Noise::new();
    let mut worst = f64::NEG_INFINITY;
    for &keys in counts {
        let mut server = subject.start_roomy(cpus, &mut |note| report.note(note))?;
        let before = server.rss();
        let mut numbers = 0..keys;
        let loaded = load(server.address(), None, &mut |out| {
            let Some(key) = numbers.next() else { return false };
            set(out, key, noise.value(key, VALUE_BYTES), ttl);
            true
        });
        loaded?.without_errors()?;
        let after = server.rss();
        let held = server.keys()?;
        let grown = after.saturating_sub(before);
        let overhead = grown as f64 / held.max(1) as f64 - (KEY_BYTES + VALUE_BYTES) as f64;
        worst = worst.max(overhead);
        say(&format!("{} on CPUs {cpus}, {keys} keys, {}: {overhead:.1} B", subject.name, named(ttl)));
        let row = [&subject.name, cpus, named(ttl), &keys.to_string(), &held.to_string(), &mb(before), &mb(after)];
        let row = row.into_iter().map(str::to_owned).chain([format!("{overhead:.1}")]);
        report.rows.push(row.collect());
        report.figures.push(json!({
            "server": subject.name, "cpus": cpus, "ttl": ttl != Ttl::None, "keys": keys, "held": held,
            "rss_before_bytes": before, "rss_after_bytes": after, "overhead_bytes": overhead,
        }));
    }
    Ok(worst)
}

fn named(ttl: Ttl) -> &'static str {
    if ttl == Ttl::None { "no TTL" } else { "TTL" }
}

//! `traces`: miss ratios of recorded traces, beside those of redis-server with the same memory.
//!
//! Each trace is replayed as a cache would see it (GET, and SET after a miss) with room for 5, 10 and 20 % of its bytes.
//! Room is `maxmemory` above what the server uses when it is empty, so that neither pays for its own size; what a key costs
//! beyond its bytes counts, because it is memory that holds no object. Objects of a trace that is small are made larger
//! in proportion: in a few megabytes, buffers and tables would decide, not the policy.
//!
//! Servers count the buffers of their clients as memory or not. redis-server does, and where room is scarce it evicts for
//! them what it was to keep, or refuses a SET outright; so the columns of refused SETs belong to the miss ratios, and
//! `--batch 1` shows them without most of the buffers.
//!
//! A trace is a file of lines `t,key,size,ttl`, compressed (`NAME.csv.zst`).

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use serde_json::{Value, json};

use crate::report::{Bar, Report, mb, megabytes};
use crate::server::Subject;
use crate::{Bench, count, loadgen, say};

/// Footprint that smaller traces are brought to: `60mb` of the load generator's flag.
const FOOTPRINT_BYTES_MIN: u64 = 60 << 20;

/// Geometric means of the ratios to redis-server's miss ratios, and the worst of them.
const OBJECT_MEAN_BAR: f64 = 0.87;
const BYTE_MEAN_BAR: f64 = 1.0;
const OBJECT_WORST_BAR: f64 = 1.03;

/// Resident memory of an empty server, in MB.
const EMPTY_BAR_MB: f64 = 8.0;

pub(crate) fn command() -> Command {
    let flag = |name: &'static str, value: &'static str| Arg::new(name).long(name).value_name(value);
    let percents = flag("percents", "PERCENTS").help("Room for objects, in % of the footprint").value_parser(count);
    Command::new("traces").about("Miss ratios of recorded traces, beside redis-server's").args([
        flag("traces", "DIR")
            .help("Where the traces are: *.csv.zst")
            .required(true)
            .value_parser(value_parser!(PathBuf)),
        flag("only", "TEXT").help("Only traces whose name contains this"),
        flag("requests", "COUNT").help("Only so many requests of each").value_parser(count),
        flag("batch", "COUNT")
            .help("Requests under way at most [default: what the load generator does]")
            .value_parser(count),
        percents.value_delimiter(',').default_value("5,10,20"),
    ])
}

/// What one server has missed.
struct Missed {
    objects: f64,
    bytes: f64,
    rss_empty: u64,
    /// SETs that were refused.
    refused: u64,
}

pub(crate) fn run(bench: &Bench, matches: &ArgMatches) -> Result<Report, String> {
    let directory: &PathBuf = matches.get_one("traces").ok_or("--traces is needed")?;
    let only = matches.get_one::<String>("only").map_or("", String::as_str);
    let requests = matches.get_one::<u64>("requests").copied();
    let batch = matches.get_one::<u64>("batch").copied();
    let mut report = Report {
        measurement: "traces",
        method: format!("footprint of at least {} MB, TTLs of the trace", mb(FOOTPRINT_BYTES_MIN)),
        columns: &[
            "trace",
            "room %",
            "room MB",
            "object miss %",
            "redis %",
            "ratio",
            "byte miss %",
            "redis %",
            "ratio",
            "refused",
            "redis",
        ],
        ..Report::default()
    };
    let peer = Subject::redis(None, Vec::new(), bench.port)?;
    let (mut objects, mut bytes, mut rss_empty) = (Vec::new(), Vec::new(), 0);
    for trace in traces(directory, only)? {
        let footprint = footprint(&trace, requests)?;
        let replay = Replay { bench, trace: &trace, requests, batch, scaled: footprint < FOOTPRINT_BYTES_MIN };
        let footprint = footprint.max(FOOTPRINT_BYTES_MIN);
        for &percent in matches.get_many::<u64>("percents").unwrap_or_default() {
            let room = footprint * percent / 100;
            let own = replay.on(&bench.subject, room, &mut report)?;
            let other = replay.on(&peer, room, &mut report)?;
            let (object, byte) = (own.objects / other.objects, own.bytes / other.bytes);
            let name = replay.name();
            say(&format!("{name} at {percent} %: objects {object:.3}, bytes {byte:.3} of {}'s", peer.name));
            let as_percent = |ratio: f64| format!("{:.2}", 100.0 * ratio);
            let mut row = vec![name.clone(), percent.to_string(), mb(room)];
            row.extend([as_percent(own.objects), as_percent(other.objects), format!("{object:.3}")]);
            row.extend([as_percent(own.bytes), as_percent(other.bytes), format!("{byte:.3}"), own.refused.to_string()]);
            row.push(other.refused.to_string());
            report.rows.push(row);
            report.figures.push(json!({
                "trace": name, "room_percent": percent, "room_bytes": room, "footprint_bytes": footprint,
                "object_miss_ratio": own.objects, "redis_object_miss_ratio": other.objects, "object_ratio": object,
                "byte_miss_ratio": own.bytes, "redis_byte_miss_ratio": other.bytes, "byte_ratio": byte,
                "refused": own.refused, "redis_refused": other.refused, "rss_empty_bytes": own.rss_empty,
            }));
            objects.push(object);
            bytes.push(byte);
            rss_empty = rss_empty.max(own.rss_empty);
        }
    }
    if objects.is_empty() {
        return Err(format!("{} has no file *{only}*.csv.zst", directory.display()));
    }
    let worst = objects.iter().copied().reduce(f64::max);
    let bars = &mut report.bars;
    bars.push(Bar::at_most(
        "object miss ratio to redis-server's, geometric mean",
        geometric_mean(&objects),
        OBJECT_MEAN_BAR,
    ));
    bars.push(Bar::at_most("byte miss ratio to redis-server's, geometric mean", geometric_mean(&bytes), BYTE_MEAN_BAR));
    bars.push(Bar::at_most("object miss ratio to redis-server's, worst", worst, OBJECT_WORST_BAR));
    bars.push(Bar::at_most("RSS of the empty server, MB", Some(megabytes(rss_empty as f64)), EMPTY_BAR_MB));
    Ok(report)
}

/// The traces of a directory, by name.
fn traces(directory: &Path, only: &str) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("{}: {error}", directory.display());
    let entries = fs::read_dir(directory).map_err(failed)?.flatten();
    let wanted = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(".csv.zst") && name.contains(only)
    };
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(wanted).collect();
    found.sort();
    Ok(found)
}

/// Bytes of all objects of a trace, each counted once, with the size that it had first.
fn footprint(trace: &Path, requests: Option<u64>) -> Result<u64, String> {
    let failed = |error| format!("{}: {error}", trace.display());
    let lines = BufReader::new(zstd::Decoder::new(File::open(trace).map_err(failed)?).map_err(failed)?).lines();
    let mut seen = HashSet::new();
    let mut bytes = 0;
    for line in lines.take(requests.map_or(usize::MAX, |count| count as usize)) {
        let line = line.map_err(failed)?;
        let mut fields = line.split(',').skip(1).map(str::parse::<u64>);
        let (Some(Ok(key)), Some(Ok(size))) = (fields.next(), fields.next()) else {
            return Err(format!("{}: {line:?} is not t,key,size,ttl", trace.display()));
        };
        if seen.insert(key) {
            bytes += size;
        }
    }
    Ok(bytes)
}

/// One trace.
struct Replay<'a> {
    bench: &'a Bench,
    trace: &'a Path,
    requests: Option<u64>,
    batch: Option<u64>,
    /// Whether its objects have to be made larger.
    scaled: bool,
}

impl Replay<'_> {
    fn name(&self) -> String {
        let name = self.trace.file_name().unwrap_or_default().to_string_lossy();
        name.trim_end_matches(".csv.zst").to_owned()
    }

    /// Replays it on a new server that has so much room above what it uses when it is empty.
    fn on(&self, subject: &Subject, room: u64, report: &mut Report) -> Result<Missed, String> {
        let mut server = subject.start_roomy(self.bench.cpus(), &mut |note| report.note(note))?;
        let rss_empty = server.rss();
        let limit = server.info("memory")?.number("used_memory")? + room;
        server.ask(&format!("CONFIG SET maxmemory {limit}"))?;
        let mut command = loadgen::command(None)?;
        command.args(["replay", "--json", "--server", &server.address().to_string(), "--trace"]).arg(self.trace);
        if self.scaled {
            command.args(["--footprint", &FOOTPRINT_BYTES_MIN.to_string()]);
        }
        if let Some(count) = self.requests {
            command.args(["--requests", &count.to_string()]);
        }
        if let Some(count) = self.batch {
            command.args(["--batch", &count.to_string()]);
        }
        let found = loadgen::found(command.output())?;
        let number = |name: &str| {
            let value = found.get(name).and_then(Value::as_f64);
            value.ok_or_else(|| format!("corewise-loadgen does not say {name}: {found}"))
        };
        let (objects, bytes) = (number("object_miss_ratio")?, number("byte_miss_ratio")?);
        Ok(Missed { objects, bytes, rss_empty, refused: number("refused")? as u64 })
    }
}

/// The mean of ratios: half as many and twice as many balance each other.
fn geometric_mean(ratios: &[f64]) -> Option<f64> {
    let sum: f64 = ratios.iter().map(|ratio| ratio.ln()).sum();
    (!ratios.is_empty()).then(|| (sum / ratios.len() as f64).exp())
}

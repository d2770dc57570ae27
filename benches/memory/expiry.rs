//! `expiry`: how soon memory is back when keys expire that nobody asks for again.
//!
//! A server that only notices an expired key when it is asked for keeps the memory of all the others; one that deletes
//! them all at once stands still meanwhile. So there are two bars: the time from the last key's deadline until
//! `used_memory` is what it was before, and the longest turn of a core. The last key's deadline is taken to be its time to
//! live after the last reply of the load. Nobody touches a key: everything is read from INFO, and RSS from the kernel.

use std::time::{Duration, Instant};

use clap::{ArgMatches, Command};
use serde_json::json;

use crate::loader::load;
use crate::report::{Bar, Report, mb};
use crate::server::Running;
use crate::wire::{Noise, Ttl, set};
use crate::{Bench, count_flag, counted, say};

const VALUE_BYTES: usize = 64;

/// Time between two samples.
const SAMPLE: Duration = Duration::from_millis(50);

/// What may be missing at the end: a hundredth of what was used at the start, but no less than this, which is less than a
/// thousandth of what the keys take. An empty server may use so little that a hundredth of it is one table's rounding.
const SLACK_BYTES_MIN: u64 = 64 << 10;

/// From the last deadline until memory is back, in seconds.
const BACK_BAR_S: f64 = 1.0;

/// The longest turn, in microseconds.
const TURN_BAR_US: f64 = 500.0;

pub(crate) fn command() -> Command {
    Command::new("expiry").about("How soon the memory of expired keys is back if nobody touches them").args([
        count_flag("keys", "1000000", "Keys to store"),
        count_flag("px", "2000", "Time to live of each, in milliseconds"),
        count_flag("patience", "60", "Seconds after which it is given up"),
    ])
}

/// What was seen at one moment.
struct Sample {
    /// Since the load began.
    seconds: f64,
    /// `used_memory` without the buffers of clients, which come and go with the load.
    used: u64,
    rss: u64,
    expired: u64,
}

fn sample(server: &mut Running, began: Instant) -> Result<Sample, String> {
    let info = server.info("memory stats")?;
    let used = info.number("used_memory")?.saturating_sub(info.number("mem_clients_normal")?);
    let expired = info.number("expired_keys")?;
    Ok(Sample { seconds: began.elapsed().as_secs_f64(), used, rss: server.rss(), expired })
}

pub(crate) fn run(bench: &Bench, matches: &ArgMatches) -> Result<Report, String> {
    let (keys, px) = (counted(matches, "keys"), counted(matches, "px"));
    let ttl = u32::try_from(px).map_err(|_| "--px: too long".to_owned())?;
    let mut report = Report {
        measurement: "expiry",
        method: format!("{keys} keys with values of {VALUE_BYTES} bytes that expire after {px} ms, untouched"),
        columns: &["when", "seconds", "used_memory MB", "RSS MB", "expired keys"],
        ..Report::default()
    };
    let mut server = bench.subject.start_roomy(bench.cpus(), &mut |note| report.note(note))?;
    server.reset()?;
    // The first INFO makes buffers that the next ones use again.
    sample(&mut server, Instant::now())?;
    let began = Instant::now();
    let start = sample(&mut server, began)?;

    let noise = Noise::new();
    let mut numbers = 0..keys;
    let address = server.address();
    let (mut samples, loaded, deadline) = std::thread::scope(|scope| {
        let loader = scope.spawn(|| {
            let loaded = load(address, None, &mut |out| {
                let Some(key) = numbers.next() else { return false };
                set(out, key, noise.value(key, VALUE_BYTES), Ttl::Millis(ttl));
                true
            });
            (loaded, began.elapsed().as_secs_f64() + px as f64 / 1e3)
        });
        let mut samples = Vec::new();
        while !loader.is_finished() {
            std::thread::sleep(SAMPLE);
            samples.push(sample(&mut server, began)?);
        }
        let (loaded, deadline) = loader.join().map_err(|_| "the loader panicked".to_owned())?;
        Ok::<_, String>((samples, loaded?.without_errors()?, deadline))
    })?;
    say(&format!("{keys} keys stored in {:.2} s", loaded.seconds));

    let slack = (start.used / 100).max(SLACK_BYTES_MIN);
    let patience = deadline + counted(matches, "patience") as f64;
    // Samples before the deadline are only for the curve: while none has expired, nothing can be back.
    let back = loop {
        std::thread::sleep(SAMPLE);
        let now = sample(&mut server, began)?;
        let (used, seconds) = (now.used, now.seconds);
        samples.push(now);
        if used <= start.used + slack {
            break Some(seconds - deadline);
        }
        if seconds > patience {
            break None;
        }
    };
    let turn = server.info("cores")?.longest_turn_us();

    let row = |when: &str, sample: &Sample| {
        let Sample { seconds, used, rss, expired } = sample;
        vec![when.to_owned(), format!("{seconds:.2}"), mb(*used), mb(*rss), expired.to_string()]
    };
    report.rows.push(row("start", &start));
    report.rows.extend(samples.iter().max_by_key(|sample| sample.used).map(|sample| row("most used", sample)));
    report.rows.extend(samples.iter().find(|sample| sample.seconds >= deadline).map(|at| row("last deadline", at)));
    report.rows.extend(samples.last().map(|sample| row(if back.is_some() { "back" } else { "given up" }, sample)));
    let figure = |sample: &Sample| {
        let Sample { seconds, used, rss, expired } = sample;
        json!({ "seconds": seconds, "used_bytes": used, "rss_bytes": rss, "expired_keys": expired })
    };
    report.figures.push(json!({
        "keys": keys, "px": px, "load_seconds": loaded.seconds, "last_deadline_seconds": deadline,
        "back_seconds_after_deadline": back, "slack_bytes": slack, "longest_turn_us": turn, "start": figure(&start),
        "samples": samples.iter().map(figure).collect::<Vec<_>>(),
    }));
    report.note(format!(
        "back is used_memory without client buffers within {slack} B of the start; sampled each {SAMPLE:?}"
    ));
    if keys != samples.last().map_or(0, |sample| sample.expired) {
        report.note("expired_keys is not the number of keys".to_owned());
    }
    report.bars.push(Bar::at_most("last deadline until memory is back, s", back, BACK_BAR_S));
    report.bars.push(Bar::at_most("longest turn, us", turn.map(|us| us as f64), TURN_BAR_US));
    Ok(report)
}

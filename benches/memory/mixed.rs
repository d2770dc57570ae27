//! `mixed`: a small memory limit, values from 16 bytes to 1 MB, as fast as it goes, under every policy.
//!
//! Sizes are drawn anew for each SET, evenly on a logarithmic scale: most values are small, most bytes are in large ones,
//! and what a small one leaves behind never fits the next large one. An allocator that fragments shows it here as resident
//! memory above the limit. A quarter of the commands are GETs of keys that were set not long ago, so that policies that
//! count hits have something to count. Under a volatile policy every key has a TTL, because a key that may not be
//! evicted would make an OOM legitimate.

use std::time::{Duration, Instant};

use clap::{Arg, ArgMatches, Command};
use serde_json::json;

use crate::loader::{Loaded, load};
use crate::report::{Bar, Report, mb, megabytes};
use crate::server::Running;
use crate::wire::{Noise, Ttl, VALUE_BYTES_MAX, get, set};
use crate::{Bench, count_flag, counted, say};

/// The limit, as the server's flag has it, and in bytes.
const LIMIT: (&str, u64) = ("200mb", 200 << 20);

/// The smallest value.
const VALUE_BYTES_MIN: usize = 16;

/// GETs ask for one of so many keys that were set last.
const RECENT: usize = 4096;

const SAMPLE: Duration = Duration::from_millis(100);

/// RSS may be a tenth above the limit, and the program itself needs this.
const PROGRAM_BYTES: u64 = 30 << 20;

/// Every policy of Redis, and two of Corewise's own.
const POLICIES: &str = "noeviction,allkeys-s3fifo,allkeys-lru,allkeys-lfu,allkeys-random,allkeys-fifo,volatile-lru,\
                        volatile-lfu,volatile-ttl,volatile-random,volatile-s3fifo";

pub(crate) fn command() -> Command {
    let policies = Arg::new("policies").long("policies").value_name("NAMES").help("Policies, each in a new server");
    Command::new("mixed").about("A small memory limit under values of 16 B to 1 MB, for every policy").args([
        policies.value_delimiter(',').default_value(POLICIES),
        count_flag("seconds", "60", "How long each"),
        count_flag("keys", "1m", "Keys that are drawn from"),
    ])
}

/// The most that was seen after the first tenth of the time.
#[derive(Default)]
struct Most {
    rss: u64,
    used: u64,
    /// The same without the buffers of clients at that moment, which no policy can evict.
    rss_without_clients: u64,
    used_without_clients: u64,
    clients: u64,
}

impl Most {
    fn look(&mut self, server: &mut Running) -> Result<(), String> {
        let info = server.info("memory")?;
        let (used, clients) = (info.number("used_memory")?, info.number("mem_clients_normal")?);
        let rss = server.rss();
        self.rss = self.rss.max(rss);
        self.used = self.used.max(used);
        self.clients = self.clients.max(clients);
        self.rss_without_clients = self.rss_without_clients.max(rss.saturating_sub(clients));
        self.used_without_clients = self.used_without_clients.max(used.saturating_sub(clients));
        Ok(())
    }
}

pub(crate) fn run(bench: &Bench, matches: &ArgMatches) -> Result<Report, String> {
    let (seconds, keys) = (counted(matches, "seconds"), counted(matches, "keys"));
    let mut report = Report {
        measurement: "mixed",
        method: format!(
            "maxmemory {}, values of {VALUE_BYTES_MIN} B to 1 MB, 3 SETs to 1 GET, {keys} keys, {seconds} s each",
            LIMIT.0
        ),
        columns: &[
            "policy",
            "RSS MB",
            "less clients MB",
            "used_memory MB",
            "less clients MB",
            "clients MB",
            "commands/s",
            "hits %",
            "OOM",
            "errors",
        ],
        ..Report::default()
    };
    let noise = Noise::new();
    for policy in matches.get_many::<String>("policies").unwrap_or_default() {
        let flags = ["--maxmemory", LIMIT.0, "--maxmemory-policy", policy];
        match bench.subject.start(bench.cpus(), &flags) {
            Ok(mut server) => {
                let (most, loaded) = drive(&mut server, policy, Duration::from_secs(seconds), keys, &noise)?;
                judge(policy, &most, &loaded, &mut report);
            }
            Err(said) => {
                say(&format!("{policy}: {said}"));
                report.note(format!("{policy} was not measured: {said}"));
                report.bars.push(Bar::at_least(format!("{policy}: the server starts"), Some(0.0), 1.0));
            }
        }
    }
    Ok(report)
}

/// Loads the server and looks at it meanwhile.
fn drive(
    server: &mut Running,
    policy: &str,
    time: Duration,
    keys: u64,
    noise: &Noise,
) -> Result<(Most, Loaded), String> {
    let address = server.address();
    let began = Instant::now();
    let volatile = policy.starts_with("volatile");
    std::thread::scope(|scope| {
        let loader = scope.spawn(move || {
            let mut rng = fastrand::Rng::with_seed(1);
            let mut recent = [0; RECENT];
            load(address, None, &mut |out| {
                if began.elapsed() >= time {
                    return false;
                }
                let at = rng.usize(..RECENT);
                if rng.u8(..4) == 0 {
                    get(out, recent[at]);
                    return true;
                }
                let (key, length) = (rng.u64(..keys), size(&mut rng));
                recent[at] = key;
                // Long enough that none of them expires before it is evicted, and of many lengths for volatile-ttl.
                let ttl = if volatile { Ttl::Seconds(rng.u32(3_600..36_000)) } else { Ttl::None };
                set(out, key, noise.value(rng.u64(..), length), ttl);
                true
            })
        });
        let mut most = Most::default();
        while !loader.is_finished() {
            std::thread::sleep(SAMPLE);
            if began.elapsed() > time / 10 {
                most.look(server)?;
            }
        }
        let loaded = loader.join().map_err(|_| "the loader panicked".to_owned())?;
        Ok((most, loaded?))
    })
}

/// Bytes of a value, evenly on a logarithmic scale.
fn size(rng: &mut fastrand::Rng) -> usize {
    let (low, high) = ((VALUE_BYTES_MIN as f64).ln(), (VALUE_BYTES_MAX as f64).ln());
    let drawn = (low + rng.f64() * (high - low)).exp();
    (drawn as usize).clamp(VALUE_BYTES_MIN, VALUE_BYTES_MAX)
}

/// Makes a row and the bars of one policy.
fn judge(policy: &str, most: &Most, loaded: &Loaded, report: &mut Report) {
    let tally = &loaded.tally;
    let hits = 100.0 * tally.hits as f64 / (tally.hits + tally.misses).max(1) as f64;
    say(&format!("{policy}: RSS {} MB, {:.0} commands/s, {} OOM", mb(most.rss), loaded.rate(), tally.oom));
    let sizes = [most.rss, most.rss_without_clients, most.used, most.used_without_clients, most.clients];
    let mut row = vec![policy.to_owned()];
    row.extend(sizes.map(mb));
    row.extend([
        format!("{:.0}", loaded.rate()),
        format!("{hits:.1}"),
        tally.oom.to_string(),
        tally.errors.to_string(),
    ]);
    report.rows.push(row);
    report.figures.push(json!({
        "policy": policy, "rss_bytes": most.rss, "rss_without_clients_bytes": most.rss_without_clients,
        "used_bytes": most.used, "used_without_clients_bytes": most.used_without_clients,
        "clients_bytes": most.clients, "commands_per_second": loaded.rate(), "hit_percent": hits,
        "oom_errors": tally.oom, "other_errors": tally.errors, "first_error": tally.first_error,
    }));
    if let Some(text) = &tally.first_error {
        report.note(format!("{policy}: the first error that is no OOM: {text}"));
    }
    let in_mb = |bytes: u64| megabytes(bytes as f64);
    let rss_max = in_mb(LIMIT.1) * 1.1 + in_mb(PROGRAM_BYTES);
    let used_max = in_mb(LIMIT.1 + VALUE_BYTES_MAX as u64);
    let bars = &mut report.bars;
    bars.push(Bar::at_most(format!("{policy}: RSS less clients, MB"), Some(in_mb(most.rss_without_clients)), rss_max));
    let used = Some(in_mb(most.used_without_clients));
    bars.push(Bar::at_most(format!("{policy}: used_memory less clients, MB"), used, used_max));
    let oom = Some(tally.oom as f64);
    bars.push(match policy {
        "noeviction" => Bar::at_least(format!("{policy}: OOM errors, which must be there"), oom, 1.0),
        _ => Bar::at_most(format!("{policy}: OOM errors"), oom, 0.0),
    });
    bars.push(Bar::at_most(format!("{policy}: other errors"), Some(tally.errors as f64), 0.0));
}

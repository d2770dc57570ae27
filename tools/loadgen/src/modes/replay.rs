//! `replay`: a recorded trace against a server as its cache, for hit ratios.
//!
//! Each request is a GET; a miss is followed by a SET with the object's size and TTL, as an application would do. Requests
//! go out in batches on one connection, and a batch ends before a key that is in it already, so that every GET sees what
//! the requests before it have stored: the hit ratio is that of one request after the other.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use crate::drive::{Answer, Dialogue, Target};
use crate::flags::TargetFlags;
use crate::plan::quantity;
use crate::plan::trace::{self, Request};
use crate::report::live::{Bar, Counted};

/// Bytes of values that are sent before replies are awaited.
const BATCH_BYTES: usize = 1 << 20;

/// A trace and the server to replay it on.
#[derive(Debug, Args)]
pub struct ReplayFlags {
    #[command(flatten)]
    target: TargetFlags,
    /// The trace: lines of t,key,size,ttl; compressed if its name ends in .zst
    #[arg(long, value_name = "FILE")]
    trace: PathBuf,
    /// Make all objects larger by this factor
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, conflicts_with = "footprint")]
    scale: f64,
    /// Make all objects larger or smaller, so that they are this many bytes in all (60mb)
    #[arg(long, value_name = "BYTES", value_parser = memory)]
    footprint: Option<u64>,
    /// Replay only so many requests
    #[arg(long, short = 'n', value_name = "N", value_parser = quantity::count)]
    requests: Option<u64>,
    /// Requests that are sent before their replies are awaited, at most. A server that counts the buffers of its clients
    /// as memory has the less of it for objects, the more is under way: use few where memory is scarce
    #[arg(long, value_name = "COUNT", default_value = "128")]
    batch: NonZeroUsize,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn memory(text: &str) -> Result<u64, String> {
    let bytes = corewise::config::memory(text).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "a size such as 60mb is expected".to_owned())
}

/// What a replay found.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Replayed {
    /// GETs.
    pub requests: u64,
    /// GETs that found nothing.
    pub misses: u64,
    /// Bytes of the objects that were asked for.
    pub bytes: u64,
    /// Bytes of those that were not there.
    pub missed_bytes: u64,
    /// SETs that the server refused.
    pub refused: u64,
    /// Bytes of all objects, each counted once.
    pub footprint_bytes: u64,
    /// Objects.
    pub objects: u64,
    /// How long it took.
    pub seconds: f64,
}

impl Replayed {
    /// Misses per request.
    pub fn object_miss_ratio(&self) -> f64 {
        self.misses as f64 / (self.requests as f64).max(1.0)
    }

    /// Bytes missed per byte asked for.
    pub fn byte_miss_ratio(&self) -> f64 {
        self.missed_bytes as f64 / (self.bytes as f64).max(1.0)
    }
}

/// Replays the trace and reports what was found.
pub fn run(flags: &ReplayFlags) -> Result<(), String> {
    let mut requests = read(&flags.trace)?;
    if let Some(count) = flags.requests {
        requests.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    }
    let footprint = trace::footprint(&requests);
    let factor = flags.footprint.map_or(flags.scale, |bytes| bytes as f64 / footprint.max(1) as f64);
    if !(factor.is_finite() && factor > 0.0) {
        return Err(format!("--scale {factor}: a factor above zero is expected"));
    }
    trace::scale(&mut requests, factor);
    let mut bar = Bar::new("replaying", Counted::Operations, Some(requests.len() as u64));
    let replayed = replay(&flags.target.target()?, &requests, flags.batch, &mut |done| bar.set(done));
    bar.finish();
    let replayed = replayed.map_err(|error| format!("the replay ended early: {error}"))?;
    let text = if flags.json { json(&replayed)? } else { text(&replayed) };
    // Whoever has closed the pipe wants to see no more.
    let _ = io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn json(replayed: &Replayed) -> Result<String, String> {
    let mut value = serde_json::to_value(replayed).map_err(|error| error.to_string())?;
    value["object_miss_ratio"] = replayed.object_miss_ratio().into();
    value["byte_miss_ratio"] = replayed.byte_miss_ratio().into();
    Ok(format!("{value:#}\n"))
}

fn text(replayed: &Replayed) -> String {
    let mb = |bytes: u64| bytes as f64 / 1e6;
    let mut text = format!(
        "{} requests of {} objects ({:.1} MB) in {:.1} s\n",
        replayed.requests,
        replayed.objects,
        mb(replayed.footprint_bytes),
        replayed.seconds
    );
    text.push_str(&format!(
        "object miss ratio  {:.4}  ({} of {})\n",
        replayed.object_miss_ratio(),
        replayed.misses,
        replayed.requests
    ));
    text.push_str(&format!(
        "byte miss ratio    {:.4}  ({:.1} of {:.1} MB)\n",
        replayed.byte_miss_ratio(),
        mb(replayed.missed_bytes),
        mb(replayed.bytes)
    ));
    if replayed.refused > 0 {
        text.push_str(&format!("{} SETs were refused: the server is full and does not evict\n", replayed.refused));
    }
    text
}

/// Reads a trace file, compressed or not.
fn read(path: &Path) -> Result<Vec<Request>, String> {
    let failed = |error: io::Error| format!("{} cannot be read: {error}", path.display());
    let file = File::open(path).map_err(failed)?;
    let mut text = String::new();
    if path.extension().is_some_and(|extension| extension == "zst") {
        zstd::Decoder::new(file).map_err(failed)?.read_to_string(&mut text).map_err(failed)?;
    } else {
        io::BufReader::new(file).read_to_string(&mut text).map_err(failed)?;
    }
    trace::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Replays requests on a server, at most `batch_max` of them at once, telling `progress` how many are done.
pub fn replay(
    target: &Target,
    requests: &[Request],
    batch_max: NonZeroUsize,
    progress: &mut dyn FnMut(u64),
) -> Result<Replayed, String> {
    let mut server = target.talk().map_err(|error| error.to_string())?;
    let noise = noise(requests.iter().map(|request| request.size).max().unwrap_or_default() as usize);
    let mut replayed = Replayed { footprint_bytes: trace::footprint(requests), ..Replayed::default() };
    let started = Instant::now();
    let (mut seen, mut in_batch) = (HashSet::new(), HashSet::new());
    let mut rest = requests;
    while !rest.is_empty() {
        in_batch.clear();
        let batch = rest.iter().take(batch_max.get()).take_while(|request| in_batch.insert(request.key)).count();
        let (batch, later) = rest.split_at(batch);
        rest = later;
        let missed = look_up(&mut server, batch).map_err(|error| error.to_string())?;
        for request in batch {
            replayed.objects += u64::from(seen.insert(request.key));
            replayed.bytes += u64::from(request.size);
        }
        replayed.requests += batch.len() as u64;
        replayed.misses += missed.len() as u64;
        replayed.missed_bytes += missed.iter().map(|request| u64::from(request.size)).sum::<u64>();
        replayed.refused += store(&mut server, &missed, &noise).map_err(|error| error.to_string())?;
        progress(replayed.requests);
    }
    replayed.seconds = started.elapsed().max(Duration::from_nanos(1)).as_secs_f64();
    Ok(replayed)
}

/// Asks for all of a batch, and returns those that were not there.
fn look_up(server: &mut Dialogue, batch: &[Request]) -> io::Result<Vec<Request>> {
    for request in batch {
        server.queue(&[b"GET", request.key.to_string().as_bytes()]);
    }
    server.send()?;
    let mut missed = Vec::new();
    for request in batch {
        match server.answer()? {
            Answer::Nothing => missed.push(*request),
            Answer::Done => {}
            answer => return Err(io::Error::other(format!("GET {} was answered with {answer:?}", request.key))),
        }
    }
    Ok(missed)
}

/// Stores what was missed, and returns how many the server refused.
fn store(server: &mut Dialogue, missed: &[Request], noise: &[u8]) -> io::Result<u64> {
    let mut refused = 0;
    let mut rest = missed;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = |request: &&Request| {
            let before = bytes;
            bytes += request.size as usize;
            before < BATCH_BYTES
        };
        let (batch, later) = rest.split_at(rest.iter().take_while(fits).count());
        rest = later;
        for request in batch {
            let key = request.key.to_string();
            let value = &noise[..request.size as usize];
            if request.ttl_s == 0 {
                server.queue(&[b"SET", key.as_bytes(), value]);
            } else {
                server.queue(&[b"SET", key.as_bytes(), value, b"EX", request.ttl_s.to_string().as_bytes()]);
            }
        }
        server.send()?;
        for _ in batch {
            refused += u64::from(server.answer()? != Answer::Done);
        }
    }
    Ok(refused)
}

/// Bytes that do not compress, always the same.
fn noise(length: usize) -> Vec<u8> {
    use rand::{RngCore, SeedableRng};
    let mut noise = vec![0; length];
    rand::rngs::SmallRng::seed_from_u64(1).fill_bytes(&mut noise);
    noise
}

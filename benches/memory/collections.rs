//! `collections`: resident bytes of hashes, lists, sets and sorted sets, beside redis-server's in the same run.
//!
//! What a collection costs beyond its elements is a matter of taste (an element's length is part of it); what counts is the
//! whole, as a share of what a server that people have today takes for the same.

use std::ops::Range;

use clap::{ArgMatches, Command};
use serde_json::json;

use crate::loader::load;
use crate::report::{Bar, Report, mb};
use crate::server::{Running, Subject};
use crate::wire::request;
use crate::{Bench, count_flag, counted, say};

/// Elements of a list, set or sorted set of medium size.
const ELEMENTS: u64 = 100;

/// Members that one command brings to the large sorted set.
const MEMBERS_A_COMMAND: u64 = 100;

/// Commands that a server has seen before its memory is looked at.
const FIRST_COMMANDS: u64 = 10;

/// Scores of medium sorted sets lie below this.
const SCORES: u64 = 1000;

pub(crate) fn command() -> Command {
    Command::new("collections").about("Resident bytes of collections, beside redis-server's").args([
        count_flag("hashes", "1000000", "Hashes of 5 fields of 4 to 8 bytes"),
        count_flag(
            "mediums",
            "100000",
            "Lists, sets and sorted sets of 100 random members of 8 bytes, of each so many",
        ),
        count_flag("members", "1000000", "Members of one sorted set with random scores"),
    ])
}

/// A load of one kind.
struct Load {
    name: &'static str,
    /// Its share of redis-server's memory may be so much.
    bar: f64,
    commands: u64,
    append: fn(&mut Vec<u8>, u64),
}

pub(crate) fn run(bench: &Bench, matches: &ArgMatches) -> Result<Report, String> {
    let of = |name| counted(matches, name);
    let loads = [
        Load { name: "hashes", bar: 0.75, commands: of("hashes"), append: hash },
        Load { name: "lists", bar: 0.85, commands: of("mediums"), append: |out, key| medium(out, "RPUSH", key) },
        Load { name: "sets", bar: 0.85, commands: of("mediums"), append: |out, key| medium(out, "SADD", key) },
        Load { name: "sorted sets", bar: 0.85, commands: of("mediums"), append: |out, key| medium(out, "ZADD", key) },
        Load { name: "large sorted set", bar: 0.65, commands: of("members") / MEMBERS_A_COMMAND, append: large },
    ];
    let mut report = Report {
        measurement: "collections",
        method: "growth of resident memory, one server after the other".to_owned(),
        columns: &["load", "commands", "corewise MB", "redis MB", "share"],
        ..Report::default()
    };
    let peer = Subject::redis(None, Vec::new(), bench.port)?;
    for Load { name, bar, commands, append } in loads {
        let [own, other] = [&bench.subject, &peer].map(|subject| grown(subject, bench, commands, append, &mut report));
        let (own, other) = (own?, other?);
        let share = own as f64 / other.max(1) as f64;
        say(&format!("{name}: {} of {} MB, {share:.3}", mb(own), mb(other)));
        report.rows.push(vec![name.to_owned(), commands.to_string(), mb(own), mb(other), format!("{share:.3}")]);
        report.figures.push(json!({ "load": name, "commands": commands, "bytes": own, "peer_bytes": other }));
        report.bars.push(Bar::at_most(format!("{name}: share of redis-server's memory"), Some(share), bar));
    }
    Ok(report)
}

/// By how much a load makes a server grow that has seen a few commands of it: the pages of the program that they touch
/// are no collection's memory.
fn grown(
    subject: &Subject,
    bench: &Bench,
    commands: u64,
    append: fn(&mut Vec<u8>, u64),
    report: &mut Report,
) -> Result<u64, String> {
    let mut server = subject.start_roomy(bench.cpus(), &mut |note| report.note(note))?;
    let send = |server: &Running, mut numbers: Range<u64>| {
        let loaded = load(server.address(), None, &mut |out| {
            let Some(number) = numbers.next() else { return false };
            append(out, number);
            true
        });
        loaded?.without_errors()
    };
    send(&server, 0..FIRST_COMMANDS.min(commands))?;
    server.ask("FLUSHALL")?;
    let before = server.rss();
    send(&server, 0..commands)?;
    Ok(server.rss().saturating_sub(before))
}

fn hash(out: &mut Vec<u8>, key: u64) {
    let mut rng = fastrand::Rng::with_seed(key);
    let mut words = vec![b"HSET".to_vec(), format!("hash:{key:011}").into_bytes()];
    for field in 0..5 {
        words.push(format!("f{field}{}", &"abcdef"[..rng.usize(2..=6)]).into_bytes());
        words.push(member(&mut rng, 4, 8));
    }
    request(out, &words);
}

fn medium(out: &mut Vec<u8>, verb: &str, key: u64) {
    let mut rng = fastrand::Rng::with_seed(key);
    let mut words = vec![verb.as_bytes().to_vec(), format!("some:{key:011}").into_bytes()];
    for _ in 0..ELEMENTS {
        if verb == "ZADD" {
            words.push(rng.u64(..SCORES).to_string().into_bytes());
        }
        words.push(member(&mut rng, 8, 8));
    }
    request(out, &words);
}

fn large(out: &mut Vec<u8>, number: u64) {
    let mut rng = fastrand::Rng::with_seed(number);
    let mut words = vec![b"ZADD".to_vec(), b"large".to_vec()];
    for _ in 0..MEMBERS_A_COMMAND {
        words.push(rng.f64().to_string().into_bytes());
        words.push(member(&mut rng, 8, 8));
    }
    request(out, &words);
}

/// Random letters and digits.
fn member(rng: &mut fastrand::Rng, min: usize, max: usize) -> Vec<u8> {
    (0..rng.usize(min..=max)).map(|_| rng.alphanumeric() as u8).collect()
}

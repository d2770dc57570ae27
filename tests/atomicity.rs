//! Multi-key commands are atomic and isolated across cores: no client ever sees a part of one.
//!
//! `ATOMICITY_SECONDS` sets how long each variant is watched (default 1).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use corewise_harness::{Client, Server, Value, encode, env_number, variants};

/// Enough keys that with two cores they lie on both in all but one of 128 cases; the names are fixed, so it is not that one.
const KEYS: [&str; 8] = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"];

/// Requests that are under way on one connection: enough that commands of several clients meet in a core's turn.
const PIPELINE: usize = 4;

/// Runs `writers` and `readers` against each variant until the time is over. A reader gives each reply's verdict.
#[expect(clippy::print_stdout, reason = "how much was watched belongs into the report of the run")]
fn contend(writers: &[&(dyn Fn(u64) -> Vec<String> + Sync)], read: &[&str], right: impl Fn(&Value) -> bool + Sync) {
    let duration = Duration::from_secs(env_number("ATOMICITY_SECONDS", 1));
    for variant in variants() {
        let server = Server::start(&variant, &[]);
        first_write(&server, writers[0]);
        let deadline = Instant::now() + duration;
        let (failed, writes, reads) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        let more = || Instant::now() < deadline && !failed.load(Ordering::Relaxed);
        thread::scope(|scope| {
            for (at, writer) in writers.iter().enumerate() {
                let (server, writes, more) = (&server, &writes, &more);
                scope.spawn(move || {
                    let mut client = server.connect();
                    let mut number = at as u64;
                    while more() {
                        let commands: Vec<Vec<String>> =
                            (0..PIPELINE as u64).map(|step| writer(number + step * writers.len() as u64)).collect();
                        number += (PIPELINE * writers.len()) as u64;
                        pipeline(&mut client, &commands, |reply| {
                            assert!(!reply.is_error() || reply.to_string() == "-ERR no such key", "{reply}")
                        });
                        writes.fetch_add(PIPELINE as u64, Ordering::Relaxed);
                    }
                });
            }
            for _ in 0..2 {
                let (server, failed, reads, more, right, name) =
                    (&server, &failed, &reads, &more, &right, variant.name);
                scope.spawn(move || {
                    let mut client = server.connect();
                    let command: Vec<String> = read.iter().map(|word| (*word).to_owned()).collect();
                    let commands = vec![command; PIPELINE];
                    while more() {
                        pipeline(&mut client, &commands, |reply| {
                            if !right(reply) {
                                failed.store(true, Ordering::Relaxed);
                                panic!("{name}: {} saw a part of a write: {reply}", read.join(" "));
                            }
                        });
                        reads.fetch_add(PIPELINE as u64, Ordering::Relaxed);
                    }
                });
            }
        });
        let (writes, reads) = (writes.into_inner(), reads.into_inner());
        println!("{}: {reads} answers to {} beside {writes} writes, none mixed", variant.name, read[0]);
        assert!(writes > 20 && reads > 20, "{}: {writes} writes and {reads} reads in {duration:?}", variant.name);
    }
}

fn first_write(server: &Server, writer: &dyn Fn(u64) -> Vec<String>) {
    let reply = server.connect().command(&writer(0));
    assert!(!reply.is_error(), "{reply}");
}

fn pipeline(client: &mut Client, commands: &[Vec<String>], mut judge: impl FnMut(&Value)) {
    let mut bytes = Vec::new();
    commands.iter().for_each(|command| encode(command, &mut bytes));
    client.send(&bytes);
    commands.iter().for_each(|_| judge(&client.reply()));
}

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn mset(number: u64) -> Vec<String> {
    words("MSET").into_iter().chain(KEYS.iter().flat_map(|key| [(*key).to_owned(), number.to_string()])).collect()
}

fn all_equal(reply: &Value) -> bool {
    let items = reply.items();
    items.len() == KEYS.len() && items.iter().all(|item| *item == items[0])
}

fn every_key(command: &'static str) -> Vec<&'static str> {
    std::iter::once(command).chain(KEYS).collect()
}

#[test]
fn mget_sees_whole_msets() {
    contend(&[&mset, &mset], &every_key("MGET"), all_equal);
}

#[test]
fn mget_sees_whole_dels() {
    let del = |_: u64| every_key("DEL").into_iter().map(str::to_owned).collect();
    contend(&[&mset, &del], &every_key("MGET"), all_equal);
}

#[test]
fn exists_sees_whole_msetnx_and_unlink() {
    let msetnx = |number: u64| [vec!["MSETNX".to_owned()], mset(number)[1..].to_vec()].concat();
    let unlink = |_: u64| every_key("UNLINK").into_iter().map(str::to_owned).collect();
    contend(&[&msetnx, &unlink], &every_key("EXISTS"), |reply| matches!(reply.integer(), 0 | 8));
}

#[test]
fn a_renamed_key_is_never_missing_and_never_twice_there() {
    let there = |number: u64| match number {
        0 => words("SET k1 v"),
        number if number.is_multiple_of(2) => words("RENAME k1 k2"),
        _ => words("RENAME k2 k1"),
    };
    contend(&[&there, &there], &["EXISTS", "k1", "k2"], |reply| reply.integer() == 1);
}

#[test]
fn bitop_reads_its_sources_at_once() {
    // The exclusive or of keys that are always equal is nothing but zeros.
    let both = |number: u64| match number % 2 {
        0 => mset(1_000_000 + number),
        _ => words("BITOP XOR sum k1 k2 k3 k4 k5 k6 k7 k8"),
    };
    contend(&[&both, &both], &["BITCOUNT", "sum"], |reply| reply.integer() == 0);
}

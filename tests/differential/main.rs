//! The differential test: a seeded stream of random commands goes to redis-server and to every variant of Corewise, and
//! the replies are compared.
//!
//! What may differ stands in `tests/differences.toml`. A difference is reported with the seed, the command and the
//! smallest sequence that still shows it.
//!
//! ```text
//! DIFFERENTIAL_COMMANDS   commands in all, over the variants and over RESP2 and RESP3 (default 20,000)
//! DIFFERENTIAL_EVENTS     commands whose keyspace notifications are compared as well (default 6,000)
//! DIFFERENTIAL_SEED       default: from the clock
//! TEST_VARIANTS           as everywhere; `redis` compares redis-server with itself
//! ```

mod allowed;
mod compare;
mod events;
mod generate;
mod run;
mod shrink;
mod table;
mod template;

use std::fmt::Write as _;

use corewise_harness::{Kind, env_number, join_words, peer, variants};

use crate::allowed::Allowed;
use crate::generate::{Generator, Operation};
use crate::run::{Difference, Pair};

/// Commands that are sent together.
const BATCH_MAX: usize = 40;

/// Differences that are gathered before the comparison ends: enough to see a pattern, few enough to read.
const DIFFERENCES_MAX: usize = 12;

fn seed() -> u64 {
    let clock =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |now| now.as_millis() as u64);
    env_number("DIFFERENTIAL_SEED", clock % 1_000_000_007)
}

/// Sends `count` commands to both servers of `pair`, half of them in each protocol version, and describes every
/// difference that is not allowed. After a difference both start anew, so that one does not cause the next.
#[expect(clippy::print_stdout, reason = "differences are what the test reports")]
fn compare(pair: &mut Pair, allowed: &mut Allowed, seed: u64, count: u64, mut plant_at: Option<u64>) -> Vec<String> {
    let mut reports: Vec<String> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for version in ["2", "3"] {
        pair.restart();
        let mut generator = Generator::new(seed + version.len() as u64 + u64::from(version == "3"), pair.payloads());
        let mut history: Vec<Operation> = hellos(version);
        pair.run(&history).expect("HELLO on fresh connections");
        let mut sent = 0;
        while sent < count / 2 {
            if plant_at.take_if(|at| sent >= *at).is_some() {
                history.push(Operation::planted());
                pair.compare(&[Operation::planted()]);
            }
            // What is told of a command shows which one it was only if it is alone.
            let batch_max = if pair.listens() { 1 } else { BATCH_MAX };
            let batch = next_batch(&mut generator, &mut history, batch_max);
            sent += batch.len() as u64;
            let start = history.len() - batch.len();
            for difference in pair.compare(&batch) {
                let operation = &batch[difference.at];
                if allowed.allows(operation, &difference) {
                    continue;
                }
                let name = run::name_of(operation);
                if !names.contains(&name) {
                    let report = describe(pair, &history[..=start + difference.at], &difference, version, seed);
                    // At once: should the harness itself fail later, this is not lost.
                    println!("{report}");
                    reports.push(report);
                    names.push(name);
                }
                pair.restart();
                generator.forget_pending();
                history = hellos(version);
                pair.run(&history).expect("HELLO on fresh connections");
                break;
            }
            if reports.len() >= DIFFERENCES_MAX {
                return reports;
            }
        }
        if let Some(text) = pair.compare_contents() {
            let report = format!("\nRESP{version}, seed {seed}: what is left in the databases differs: {text}\n");
            println!("{report}");
            reports.push(report);
        }
    }
    reports
}

fn hellos(version: &str) -> Vec<Operation> {
    (0..generate::CLIENTS).map(|client| Operation::hello(client, version)).collect()
}

/// Takes operations of one connection up to the next one that needs to be looked at before anything else is sent.
fn next_batch(generator: &mut Generator, history: &mut Vec<Operation>, batch_max: usize) -> Vec<Operation> {
    let mut batch = vec![generator.next()];
    let mut bytes = 0;
    while !run::is_alone(&batch[batch.len() - 1]) && batch.len() < batch_max && bytes < 128 * 1024 {
        let next = generator.peek();
        if run::is_alone(next) || next.client != batch[0].client {
            break;
        }
        bytes += next.words.iter().map(Vec::len).sum::<usize>();
        batch.push(generator.next());
    }
    history.extend(batch.iter().cloned());
    batch
}

fn describe(pair: &mut Pair, history: &[Operation], difference: &Difference, version: &str, seed: u64) -> String {
    let mut text = String::new();
    let last = history.last().expect("the history ends with the command that differs");
    let _ = writeln!(
        text,
        "\nRESP{version}, DIFFERENTIAL_SEED={seed}, after {} commands on {}:",
        history.len(),
        pair.name()
    );
    let _ = writeln!(text, "    {}", join_words(&last.words));
    let _ = writeln!(text, "      redis-server {}", run::cut(&difference.theirs));
    let _ = writeln!(text, "      corewise     {}", run::cut(&difference.ours));
    match shrink::shrink(pair, history) {
        Some(shortest) => {
            let _ = writeln!(text, "    the shortest sequence that shows a difference in it:");
            for operation in shortest {
                let _ = writeln!(text, "      {}> {}", operation.client, join_words(&operation.words));
            }
        }
        None => {
            let _ = writeln!(
                text,
                "    it does not show when the commands are sent one by one; those before it on its keys:"
            );
            let relevant = shrink::relevant(history);
            for operation in &relevant[relevant.len().saturating_sub(20)..] {
                let _ = writeln!(text, "      {}> {}", operation.client, join_words(&operation.words));
            }
        }
    }
    text
}

#[test]
fn random_commands_are_answered_as_redis_answers_them() {
    compare_variants(env_number("DIFFERENTIAL_COMMANDS", 20_000), false);
}

#[test]
fn random_commands_tell_subscribers_what_redis_tells_them() {
    compare_variants(env_number("DIFFERENTIAL_EVENTS", 6_000), true);
}

/// Compares every variant with redis-server, with `count` commands in all.
#[expect(clippy::print_stdout, reason = "what was compared is what the test reports")]
fn compare_variants(count: u64, listens: bool) {
    let Some(reference) = peer() else { return };
    let seed = seed();
    let tested: Vec<_> = match std::env::var("TEST_VARIANTS").is_ok_and(|names| names == "redis") {
        true => variants(),
        false => variants().into_iter().filter(|variant| variant.kind == Kind::Corewise).collect(),
    };
    let mut allowed = Allowed::read();
    let mut reports = Vec::new();
    for (at, variant) in tested.iter().enumerate() {
        let mut pair = Pair::start(&reference, variant, listens);
        let share = count / tested.len() as u64;
        reports.extend(compare(&mut pair, &mut allowed, seed + 10 * at as u64, share, None));
        println!("{}: {share} commands compared", variant.name);
    }
    println!("{}", allowed.summary());
    assert!(reports.is_empty(), "{} differences, described above (DIFFERENTIAL_SEED={seed})", reports.len());
}

/// The test of the test: redis-server beside redis-server agrees, and one planted write is found and shrunk.
#[test]
fn a_planted_difference_is_found() {
    let Some(reference) = peer() else { return };
    let mut pair = Pair::start(&reference, &reference, false);
    let mut allowed = Allowed::none();
    let reports = compare(&mut pair, &mut allowed, 1, 2000, None);
    assert!(reports.is_empty(), "redis-server differs from itself:\n{}", reports.concat());
    let reports = compare(&mut pair, &mut allowed, 1, 2000, Some(0));
    assert!(!reports.is_empty(), "a write that only one server has seen was not noticed");
    let lines = reports[0].lines().filter(|line| line.contains("> ")).count();
    assert!(reports[0].contains("> MSET a planted") && lines <= 3, "it was not shrunk:\n{}", reports[0]);
}

#[test]
fn the_list_of_differences_is_short_and_reasoned() {
    let allowed = Allowed::read();
    assert!(allowed.len() <= 20, "tests/differences.toml has {} rows; 20 are allowed", allowed.len());
}

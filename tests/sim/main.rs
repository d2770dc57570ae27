//! The simulator: several engines joined by the real mesh on one thread, a clock moved by hand, and one seed that decides
//! everything else, so that whatever goes wrong can be replayed.
//!
//! `cargo test --test sim` runs some hundred seeds. `COREWISE_SIM_SEEDS=10000` runs more of them (with `--release`, that
//! takes minutes), and `COREWISE_SIM_SEED=1234` runs one and prints its schedule.

mod checker;
mod clients;
mod crowd;
mod forgetful;
mod history;
mod load;
mod look;
mod mixed;
mod mixed_load;
mod model;
mod node;
mod pubsub;
mod queues;
mod random;
mod reply;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Seeds of an ordinary run.
const SEEDS: u64 = 480;

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number, not {value:?}")))
}

/// Runs a scenario with every seed, or with the one that is asked for.
fn every_seed(scenario: &str, seeds: u64, run: impl Fn(u64, bool) -> Result<(), String>) {
    if let Some(seed) = variable("COREWISE_SIM_SEED") {
        return run(seed, true).unwrap_or_else(|failure| panic!("{scenario} fails with seed {seed}:\n{failure}"));
    }
    for seed in 0..variable("COREWISE_SIM_SEEDS").unwrap_or(seeds) {
        let outcome = catch_unwind(AssertUnwindSafe(|| run(seed, false)))
            .unwrap_or_else(|_| Err("a panic, see above".to_owned()));
        if let Err(failure) = outcome {
            panic!("{scenario} fails with seed {seed} (replay it with COREWISE_SIM_SEED={seed}):\n{failure}");
        }
    }
}

#[test]
fn histories_are_linearizable() {
    every_seed("random clients", SEEDS, |seed, traced| {
        let mut run = random::Run::new(seed, traced);
        let outcome = run.run();
        run.clients.node.print_trace();
        outcome
    });
}

#[test]
fn histories_of_everything_at_once_are_linearizable() {
    every_seed("a mixed load", SEEDS / 2, mixed::mixed);
}

#[test]
fn nobody_sees_half_of_a_command() {
    every_seed("halves", SEEDS / 5, crowd::halves);
}

#[test]
fn what_is_moved_while_watched_is_neither_lost_nor_seen_on_its_way() {
    every_seed("transfers", SEEDS / 5, crowd::transfers);
}

#[test]
fn what_only_one_may_take_only_one_takes() {
    every_seed("takers", SEEDS / 5, crowd::takers);
}

#[test]
fn credits_run_out_and_nothing_is_lost() {
    every_seed("counters", SEEDS / 16, crowd::counters);
}

#[test]
fn walks_find_what_stays() {
    every_seed("walks", SEEDS / 5, crowd::walks);
}

#[test]
fn channels_have_one_order_and_lose_nothing() {
    every_seed("channels", SEEDS / 4, pubsub::channels);
}

#[test]
fn queues_lose_nothing_and_keep_nobody_waiting() {
    every_seed("queues", SEEDS / 2, queues::queues);
}

#[test]
fn what_is_forgotten_stays_forgotten_and_nothing_is_stale() {
    every_seed("too little memory", SEEDS / 8, forgetful::forgetful);
}

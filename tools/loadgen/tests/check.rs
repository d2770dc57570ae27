//! `check` finds every misdeed of a server that misbehaves once, and none of one that does not.

mod double;

use std::sync::Arc;
use std::time::Duration;

use corewise_harness::{Server, peer};
use corewise_loadgen::drive::{self, CheckSpec, Load, Pace, Target, Until};
use corewise_loadgen::measure::Findings;
use corewise_loadgen::plan::{KeySpec, Shape, Workload};
use double::{Double, Misdeed};

fn check(server: String, pipeline: usize, operations: u64) -> Findings {
    let shape = Shape { keys: KeySpec { count: 600, ..KeySpec::default() }, marked: true, ..Shape::default() };
    let load = Load {
        target: Target { server, ..Target::default() },
        connections: 4,
        pipeline,
        cpus: vec![0, 1],
        workload: Arc::new(Workload::parse("mixed 1:1", shape).unwrap()),
        seed: 7,
        pace: Pace::Closed { think: Duration::ZERO },
        until: Until::Operations(operations),
        warmup: Duration::ZERO,
        server_pid: None,
        check: Some(CheckSpec { run: pipeline as u32, may_forget: false }),
        slow: None,
    };
    drive::run(&load, &mut |_| {}).unwrap()
}

/// The misdeed is reported, in these words.
#[track_caller]
fn found(misdeed: Misdeed, pipeline: usize, words: &[&str]) {
    let double = Double::start(misdeed, 3000);
    let findings = check(double.address.to_string(), pipeline, 20_000);
    assert!(double.has_misbehaved(), "{misdeed:?} did not happen");
    assert!(findings.fault_count > 0, "{misdeed:?} was not found");
    let told = findings.faults.join("\n");
    assert!(words.iter().any(|word| told.contains(word)), "{misdeed:?}: {told}");
}

#[test]
fn a_server_that_behaves_has_no_faults() {
    let double = Double::start(Misdeed::None, 0);
    for pipeline in [1, 16] {
        let findings = check(double.address.to_string(), pipeline, 20_000);
        assert_eq!((findings.fault_count, findings.faults), (0, Vec::new()), "pipeline {pipeline}");
    }
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    assert_eq!(check(server.address().to_string(), 16, 50_000).faults, Vec::<String>::new());
}

#[test]
fn a_reply_that_is_not_sent_is_found() {
    found(Misdeed::Drop, 8, &["mixed up", "out of order", "had no reply"]);
    found(Misdeed::Drop, 1, &["had no reply"]);
}

#[test]
fn replies_in_another_order_are_found() {
    found(Misdeed::Reorder, 8, &["mixed up", "out of order"]);
}

#[test]
fn a_damaged_value_is_found() {
    found(Misdeed::Corrupt, 8, &["corrupt"]);
    found(Misdeed::Corrupt, 1, &["corrupt"]);
}

#[test]
fn an_old_value_is_found() {
    found(Misdeed::Stale, 8, &["stale"]);
}

#[test]
fn another_keys_value_is_found() {
    found(Misdeed::WrongKey, 1, &["value of key"]);
}

#[test]
fn a_forgotten_write_is_found() {
    found(Misdeed::LoseWrite, 4, &["lost", "stale"]);
}

#[test]
fn a_reply_too_many_is_found() {
    found(Misdeed::Repeat, 1, &["nothing was asked for", "mixed up", "out of order"]);
    found(Misdeed::Repeat, 8, &["nothing was asked for", "mixed up", "out of order"]);
}

#[test]
fn a_connection_that_falls_silent_is_found() {
    found(Misdeed::Silence, 8, &["had no reply"]);
}

#[test]
fn the_program_exits_with_its_own_status_when_a_reply_is_wrong() {
    let run = |double: &Double| {
        let server = double.address.to_string();
        let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_corewise-loadgen"));
        program.args(["check", "-q", "-c", "4", "-P", "4", "--keys", "600", "-n", "10k", "--server", &server]);
        program.env_remove("REDISCLI_AUTH").output().unwrap()
    };
    assert_eq!(run(&Double::start(Misdeed::None, 0)).status.code(), Some(0));
    let output = run(&Double::start(Misdeed::Corrupt, 1000));
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stdout).contains("corrupt"));
}

//! The program as people run it: each mode once, what it prints, and how it exits.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use corewise_harness::{Server, peer};
use serde_json::Value;

/// Runs the program with a line of arguments, words apart by blanks.
fn loadgen(line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_corewise-loadgen"));
    command.args(line.split(' ')).env_remove("REDISCLI_AUTH");
    command.output().unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The JSON that a run prints which ends well.
#[track_caller]
fn found(line: &str) -> Value {
    let output = loadgen(&format!("{line} --json"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{line}: {} {said}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// A file in the directory for temporary files, removed on drop.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("corewise-loadgen-{}-{name}", std::process::id()));
        fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn fill_stores_every_key_and_run_finds_them() {
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    let port = server.address().port();
    assert_eq!(found(&format!("fill -q -p {port} --keys 5000 -P 8"))["operations"], 5000);
    assert_eq!(server.connect().ask("DBSIZE").integer(), 5000);
    let (svg, hgrm) = (Scratch::new("svg", b""), Scratch::new("hgrm", b""));
    let files = format!("--svg {} --hgrm {}", svg.path(), hgrm.path());
    let read = found(&format!("run -q -p {port} -w get --keys 5000 -n 3000 --server-pid auto {files}"));
    assert_eq!((&read["hits"], &read["misses"], &read["errors"]), (&3000.into(), &0.into(), &0.into()));
    assert!(read["server_cpu_us_per_operation"].is_number(), "{read}");
    assert!(fs::read_to_string(svg.path()).unwrap().starts_with("<svg"));
    assert!(fs::read_to_string(hgrm.path()).unwrap().contains("Percentile"));
    let table = loadgen(&format!("run -q -p {port} -w ycsb-a --keys 5000 -n 2000"));
    let table = String::from_utf8_lossy(&table.stdout).into_owned();
    assert!(table.contains("p99.9") && table.contains("total"), "{table}");
}

#[test]
fn check_leaves_the_keys_of_others_alone() {
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    let port = server.address().port();
    found(&format!("fill -q -p {port} --keys 1000"));
    // The second run finds the values of the first.
    for _ in 0..2 {
        assert_eq!(found(&format!("check -q -p {port} --keys 1000 -n 5000"))["fault_count"], 0);
    }
    assert_eq!(server.connect().ask("STRLEN key:000000000007").integer(), 64);
}

#[test]
fn a_null_among_several_is_a_miss() {
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    let port = server.address().port();
    let read = found(&format!("run -q -p {port} -n 100 -w mget"));
    assert_eq!((&read["hits"], &read["misses"]), (&0.into(), &100.into()));
}

#[test]
fn search_and_compare_say_what_they_found() {
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    let port = server.address().port();
    let searched = found(&format!("search -q -p {port} -w ping --probe 200ms --precision 40 --slo p50<10s"));
    assert!(searched["curve"].as_array().is_some_and(|curve| !curve.is_empty()), "{searched}");
    let compared = found(&format!("compare -q -p {port} --with 127.0.0.1:{port} -n 2000 --rounds 2"));
    assert_eq!(compared["rounds"].as_array().map(Vec::len), Some(2), "{compared}");
}

#[test]
fn replay_counts_what_a_cache_would_miss() {
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    let port = server.address().port();
    // Three objects; the second request of each is a hit, also within one batch.
    let trace = "0,1,100,0\n0,1,100,0\n1,2,300,0\n2,3,100,60\n3,2,300,0\n4,3,100,60\n";
    let plain = Scratch::new("trace.csv", trace.as_bytes());
    let packed = Scratch::new("trace.csv.zst", &zstd::encode_all(trace.as_bytes(), 3).unwrap());
    for (file, scale, bytes) in [(&plain, "--scale 2 --batch 1", 2000), (&packed, "--footprint 50kb", 102_400)] {
        server.connect().ask("FLUSHALL");
        let found = found(&format!("replay -p {port} --trace {} {scale}", file.path()));
        assert_eq!((&found["requests"], &found["misses"], &found["objects"]), (&6.into(), &3.into(), &3.into()));
        assert_eq!(found["object_miss_ratio"], 0.5);
        assert_eq!(found["bytes"], bytes);
    }
    assert!((1..=60).contains(&server.connect().ask("TTL 3").integer()));
    assert_eq!(server.connect().ask("STRLEN 2").integer(), 30_720);
}

#[test]
fn what_cannot_be_done_is_a_sentence() {
    for (line, status, why) in [
        ("run -q -s 127.0.0.1:1", 1, "cannot be connected to"),
        ("run -q -w nonsense", 1, "nonsense"),
        ("run --conections 3", 2, "--connections"),
        ("replay --trace /nowhere", 1, "/nowhere cannot be read"),
        ("search -q --precision 99", 1, "0.1 to 50"),
        ("check -q -c 100 -P 100 --keys 10", 1, "needs at least"),
    ] {
        let output = loadgen(line);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(status), "{line}: {said}");
        assert!(said.contains(why), "{line}: {said}");
    }
}

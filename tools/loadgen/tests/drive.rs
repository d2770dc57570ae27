//! Loads on real servers: what is counted, what happens when a server stops, goes away, or is a cluster.

mod cluster;

use std::sync::Arc;
use std::time::Duration;

use corewise_harness::{Server, peer};
use corewise_loadgen::drive::{self, Load, Pace, Target, Until};
use corewise_loadgen::measure::Findings;
use corewise_loadgen::plan::{Arrivals, KeySpec, Shape, Workload};

/// A load of a workload on a server, on one CPU, with 8 connections.
fn load(server: &Server, workload: &str, until: Until) -> Load {
    let shape = Shape { keys: KeySpec { count: 1000, ..KeySpec::default() }, ..Shape::default() };
    Load {
        target: Target { server: server.address().to_string(), ..Target::default() },
        connections: 8,
        pipeline: 1,
        cpus: vec![0],
        workload: Arc::new(Workload::parse(workload, shape).unwrap()),
        seed: 1,
        pace: Pace::Closed { think: Duration::ZERO },
        until,
        warmup: Duration::ZERO,
        server_pid: Some(server.pid()),
        check: None,
        slow: None,
    }
}

fn run(load: &Load) -> Findings {
    drive::run(load, &mut |_| {}).unwrap()
}

fn operations(findings: &Findings) -> u64 {
    findings.counted.kinds.iter().map(|kind| kind.operations).sum()
}

#[test]
fn as_many_operations_as_were_asked_for_reach_the_server() {
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    for (pipeline, cpus) in [(1, vec![0]), (16, vec![0]), (7, vec![0, 1])] {
        server.connect().ask("CONFIG RESETSTAT");
        let load = Load { pipeline, cpus, ..load(&server, "set", Until::Operations(10_007)) };
        let findings = run(&load);
        assert_eq!((operations(&findings), findings.unanswered), (10_007, 0));
        assert_eq!(findings.counted.total().errors, 0);
        let stats = server.connect().ask("INFO commandstats").text();
        assert!(stats.contains("cmdstat_set:calls=10007,"), "{stats}");
    }
}

#[test]
fn hits_misses_and_errors_are_told_apart() {
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    let misses = run(&load(&server, "get", Until::Operations(1000))).counted.total();
    assert_eq!((misses.hits, misses.misses, misses.errors), (0, 1000, 0));
    run(&load(&server, "set", Until::Operations(20_000)));
    for resp3 in [false, true] {
        let mut reads = load(&server, "get", Until::Operations(1000));
        reads.target.resp3 = resp3;
        let hits = run(&reads).counted.total();
        assert_eq!((hits.hits, hits.misses, hits.errors), (1000, 0, 0));
    }
    server.connect().ask("CONFIG SET requirepass secret");
    let mut refused = load(&server, "get", Until::Operations(100));
    let findings = run(&refused);
    assert_eq!((findings.counted.total().errors, findings.errors[0].1), (100, 100));
    assert!(findings.errors[0].0.starts_with("NOAUTH"), "{:?}", findings.errors);
    refused.target.auth = Some((String::new(), "secret".to_owned()));
    assert_eq!(run(&refused).counted.total().hits, 100);
    refused.target.auth = Some((String::new(), "wrong".to_owned()));
    let error = drive::run(&refused, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("WRONGPASS"), "{error}");
}

#[test]
fn an_open_loop_keeps_its_rate_and_counts_from_when_requests_were_due() {
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    let pid = rustix::process::Pid::from_raw(server.pid() as i32).unwrap();
    let stall = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(1000));
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        std::thread::sleep(Duration::from_millis(200));
        rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    });
    for arrivals in [Arrivals::Poisson, Arrivals::Constant] {
        let pace = Pace::Open { rate: 2000.0, arrivals };
        let slow = Some(Duration::from_millis(20));
        let findings = run(&Load { pace, slow, ..load(&server, "get", Until::Elapsed(Duration::from_secs(2))) });
        let count = operations(&findings);
        assert!((3500..4500).contains(&count), "{count}");
        let latencies = findings.counted.total().latencies;
        if arrivals == Arrivals::Poisson {
            // About 400 of 4000 requests were due in the stall, and waited for what was left of it.
            let late = Duration::from_nanos(latencies.value_at_percentile(97.0));
            assert!(late > Duration::from_millis(100), "{late:?}");
            // They were all due within the time that it was stopped, and answered after it.
            let slow = findings.counted.slow.iter().filter(|slow| slow.latency_ns > 100_000_000);
            let (begin, end) =
                slow.fold((u64::MAX, 0), |(begin, end), slow| (begin.min(slow.since_ns), end.max(slow.since_ns)));
            assert!(begin < end && end - begin < 250_000_000, "from {begin} to {end}");
            assert!(findings.counted.slow.iter().all(|slow| slow.latency_ns > 20_000_000));
        }
    }
    stall.join().unwrap();
}

#[test]
fn connections_that_break_are_made_again() {
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    let (address, variant) = (server.address(), server.variant.clone());
    let load = load(&server, "set", Until::Elapsed(Duration::from_secs(3)));
    let restart = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(500));
        drop(server);
        std::thread::sleep(Duration::from_millis(300));
        let again = Server::spawn_at(&variant, address, &[]);
        std::thread::sleep(Duration::from_millis(3500));
        drop(again);
    });
    let findings = run(&load);
    restart.join().unwrap();
    assert!(findings.reconnects >= 8, "{}", findings.reconnects);
    let last: f64 = findings.series.iter().rev().take(5).map(|point| point.rate).sum();
    assert!(last > 0.0, "nothing was answered after the restart");
    assert!(findings.errors.iter().any(|(text, _)| text.contains("closed by the server")), "{:?}", findings.errors);
}

#[test]
fn a_server_that_is_not_there_is_a_sentence() {
    let target = Target { server: "127.0.0.1:1".to_owned(), ..Target::default() };
    let error = target.talk().unwrap_err().to_string();
    assert!(error.starts_with("127.0.0.1:1 cannot be connected to: "), "{error}");
    let error = Target { server: "nowhere".to_owned(), ..Target::default() }.talk().unwrap_err().to_string();
    assert!(error.contains("HOST:PORT"), "{error}");
}

#[test]
fn a_cluster_is_asked_where_keys_are_and_followed_when_they_move() {
    let Some(redis) = peer() else { return };
    let cluster = cluster::Cluster::start(&redis, 3);
    let until = Until::Elapsed(Duration::from_secs(2));
    let mut load = load(&cluster.servers[0], "mixed 1:1", until);
    load.target.cluster = true;
    load.connections = 6;
    let quiet = run(&load);
    assert_eq!((quiet.redirections, quiet.counted.total().errors), (0, 0), "{:?}", quiet.errors);
    for server in &cluster.servers {
        let size = server.connect().ask("DBSIZE").integer();
        assert!(size > 100, "{size}");
    }
    let moves = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        (0..40).for_each(|slot| cluster.move_slot(slot, 0, 1));
        cluster
    });
    let findings = run(&load);
    let cluster = moves.join().unwrap();
    assert!(findings.redirections > 0, "nothing was redirected");
    assert_eq!(findings.counted.total().errors, 0, "{:?}", findings.errors);
    drop(cluster);
}

#[test]
fn in_a_cluster_an_open_loop_keeps_its_rate() {
    let Some(redis) = peer() else { return };
    let cluster = cluster::Cluster::start(&redis, 3);
    let pace = Pace::Open { rate: 3000.0, arrivals: Arrivals::Poisson };
    let mut load = Load { pace, ..load(&cluster.servers[1], "set", Until::Elapsed(Duration::from_secs(1))) };
    load.target.cluster = true;
    let findings = run(&load);
    let count = operations(&findings);
    assert!((2500..3500).contains(&count), "{count}");
    assert_eq!((findings.counted.total().errors, findings.unanswered), (0, 0), "{:?}", findings.errors);
}

#[test]
fn what_warms_up_is_not_counted_but_cpu_time_is_from_then_on() {
    let Some(redis) = peer() else { return };
    let server = Server::start(&redis, &[]);
    let pace = Pace::Open { rate: 1000.0, arrivals: Arrivals::Constant };
    let until = Until::Elapsed(Duration::from_millis(500));
    // Not a whole number of ticks.
    let warmup = Duration::from_millis(250);
    let findings = run(&Load { pace, warmup, ..load(&server, "get", until) });
    let count = operations(&findings);
    assert!((400..600).contains(&count), "{count}");
    assert!(findings.elapsed < Duration::from_millis(700), "{:?}", findings.elapsed);
    assert!(findings.client_cpu > Duration::ZERO && findings.server_cpu.is_some());
}

#[test]
fn one_worker_that_cannot_connect_ends_the_run_at_once() {
    let Some(redis) = peer() else { return };
    // The first thread gets all connections that there are, more or less.
    let server = Server::start(&redis, &["--maxclients", "10"]);
    let mut load = load(&server, "get", Until::Elapsed(Duration::from_secs(60)));
    (load.connections, load.cpus, load.target.resp3) = (40, vec![0, 1], true);
    let started = std::time::Instant::now();
    let error = drive::run(&load, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("max number of clients"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(30));
}

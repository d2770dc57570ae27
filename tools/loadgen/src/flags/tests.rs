//! The command line as people type it.

use std::time::Duration;

use clap::CommandFactory;

use super::*;
use crate::drive::Pace;
use crate::plan::{Arrivals, Protocol, Sizes, Spread};

fn parse(line: &str) -> Result<RunFlags, String> {
    let words = line.split_ascii_whitespace();
    let flags = Flags::try_parse_from(["corewise-loadgen", "run"].into_iter().chain(words));
    match flags.map_err(|error| error.to_string())?.command {
        Command::Run(flags) => Ok(flags),
        other => panic!("{other:?} is not a run"),
    }
}

fn loaded(line: &str) -> Load {
    parse(line).and_then(|flags| flags.load()).unwrap_or_else(|error| panic!("{line}: {error}"))
}

#[track_caller]
fn refused(line: &str, why: &str) {
    let error = parse(line).and_then(|flags| flags.load()).expect_err(line);
    assert!(error.contains(why), "{line}: {error}");
}

#[test]
fn the_definition_is_consistent() {
    Flags::command().debug_assert();
}

#[test]
fn no_flag_at_all_is_a_load() {
    let load = loaded("");
    assert_eq!(load.target.server, "127.0.0.1:6379");
    assert_eq!((load.connections, load.pipeline, load.seed), (50, 1, 1));
    assert_eq!(load.pace, Pace::Closed { think: Duration::ZERO });
    assert_eq!(load.until, Until::Elapsed(Duration::from_secs(10)));
    assert_eq!(load.workload.text(), "mixed 9:1");
    assert!(!load.cpus.is_empty() && load.server_pid.is_none() && load.warmup.is_zero());
}

#[test]
fn flags_become_a_load() {
    let load = loaded(
        "--server db:7000 -c 100 -P 16 -n 1.5m -w get -r 1m --key-prefix k: --key-spread zipf:1.1 -d 16-1kb \
         --warmup 500ms --seed 7 --resp3 --db 3 --server-pid 12",
    );
    assert_eq!((load.target.server.as_str(), load.target.database, load.target.resp3), ("db:7000", 3, true));
    assert_eq!((load.connections, load.pipeline, load.seed, load.server_pid), (100, 16, 7, Some(12)));
    assert_eq!(load.until, Until::Operations(1_500_000));
    assert_eq!(load.warmup, Duration::from_millis(500));
    let shape = load.workload.shape();
    assert_eq!((shape.keys.count, shape.keys.spread), (1_000_000, Some(Spread::Zipf(1.1))));
    assert_eq!(shape.sizes, Some(Sizes::Range(16, 1024)));
    assert_eq!(
        loaded("--rate 100k --arrivals constant").pace,
        Pace::Open { rate: 100_000.0, arrivals: Arrivals::Constant }
    );
    assert_eq!(loaded("-w set --ttl 5m").workload.shape().ttl_s, Some(300));
    assert_eq!(loaded("--think 1ms").pace, Pace::Closed { think: Duration::from_millis(1) });
    assert_eq!(loaded("-t 2m").until, Until::Elapsed(Duration::from_secs(120)));
    assert_eq!(loaded("-w fill").until, Until::Done);
    assert_eq!(loaded("-w fill -n 5").until, Until::Operations(5));
    assert_eq!(loaded("--protocol memcached").workload.shape().protocol, Protocol::Memcached);
    let cluster = loaded("--cluster");
    assert!(cluster.target.cluster && cluster.workload.shape().hash_tags);
    assert!(!loaded("--shared").target.cluster);
    assert_eq!(loaded("--threads 1").cpus.len(), 1);
    let first = loaded("").cpus[0];
    assert_eq!(loaded(&format!("--cpus {first}")).cpus, [first]);
}

#[test]
fn servers_are_named_in_many_ways() {
    let server = |line: &str| loaded(line).target.server;
    assert_eq!(server("-s cache.example"), "cache.example:6379");
    assert_eq!(server("--host cache.example -p 7000"), "cache.example:7000");
    assert_eq!(server("-p 7000"), "127.0.0.1:7000");
    assert_eq!(server("-s db:7000 -p 7000"), "db:7000");
    assert_eq!(server("-s [::1]:7000"), "[::1]:7000");
    assert_eq!(server("-s [::1]"), "[::1]:6379");
    assert_eq!(server("-s ::1 -p 7000"), "[::1]:7000");
    refused("-s db:7000 -p 7001", "--server names port 7000");
    refused("-s db:port", "expected is HOST:PORT");
    refused("-s :7000", "expected is HOST:PORT");
    refused("-s db:", "expected is HOST:PORT");
}

#[test]
fn passwords_are_used_and_not_printed() {
    let flags = parse("-a sesame --user ali").unwrap();
    assert_eq!(flags.load().unwrap().target.auth, Some(("ali".to_owned(), "sesame".to_owned())));
    assert!(!format!("{flags:?}").contains("sesame"));
    refused("--user ali", "--password");
}

#[test]
fn contradictions_are_refused() {
    refused("-n 5 -t 5", "cannot be used with");
    refused("--rate 5 --think 1ms", "cannot be used with");
    refused("--arrivals constant", "--rate");
    refused("--cluster --shared", "cannot be used with");
    refused("--cluster --db 1", "cannot be used with");
    refused("--threads 1 --cpus 0", "cannot be used with");
    refused("--protocol memcached --resp3", "memcached has no");
    refused("--protocol memcached -w incr", "memcached");
    refused("-w get --ttl 5", "time to live");
    refused("--threads 100k", "is more than");
    refused("--cpus 1023", "may run on");
    refused("-c 0", "at least 1");
    refused("-t 0", "above zero");
    refused("--ttl 500ms", "whole number of seconds");
    refused("-d 1gb", "512mb");
    refused("-d file:/no/such/file", "cannot be read");
    refused("--server-pid me", "or auto");
    refused("--key-spread normal", "there are uniform");
    refused("-w gte", "there is no workload");
}

#[test]
fn sizes_come_from_a_file() {
    let path = std::env::temp_dir().join(format!("corewise-loadgen-sizes-{}", std::process::id()));
    std::fs::write(&path, "100 9\n1000 1\n").unwrap();
    let sizes = parse(&format!("-d file:{}", path.display())).map(|flags| flags.shape.value_size);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(sizes, Ok(Some(Sizes::Table(vec![(0.9, 100), (1.0, 1000)]))));
}

#[test]
fn settings_say_what_was_asked_for() {
    let rows = settings(&loaded("-w ycsb-b --rate 100k --warmup 2s -c 10 -P 4 --threads 1 --resp3 --ttl 1h"));
    let rows: Vec<String> = rows.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        rows,
        [
            "server: 127.0.0.1:6379",
            "protocol: RESP3",
            "workload: ycsb-b",
            "keys: 100 000, zipf:0.99",
            "values: 1000 bytes",
            "time to live: 3600s",
            "connections: 10 with 4 under way each",
            "threads: 1",
            "pace: open loop, 100000 a second, poisson",
            "length: 10s after 2s",
            "seed: 1",
        ]
    );
}

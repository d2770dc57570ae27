//! Unmodified client libraries against real servers: redis-py, ioredis, node-redis and the redis crate.
//!
//! Each library has a transcript in named sections, which is carried out in every protocol version that the library
//! speaks against every variant of the server and against redis-server, so that what it expects is known to be what
//! Redis does. A failure names the sections.
//!
//! ```text
//! redis_py.py              Python, with sections.py
//! ioredis.mjs              JavaScript, with sections.mjs
//! node_redis.mjs           JavaScript, with sections.mjs
//! redis_rs/                Rust
//! requirements.txt         the exact versions for Python, with their hashes
//! package-lock.json        the exact versions for JavaScript; the newest that run with Debian's Node 18
//! ```

mod install;
mod redis_rs;
mod script;

use std::collections::BTreeSet;

use corewise_harness::{Kind, Server, Variant, variants};

/// The sections that Corewise cannot pass yet, by the name of the library, because commands are missing. One that
/// passes makes the test fail, so that the list holds no more than what is still to come.
const STILL_TO_COME: &[(&str, &[&str])] = &[];

/// How one section went.
pub(crate) struct Outcome {
    /// Its name.
    pub(crate) section: String,
    /// Why it failed, if it did.
    pub(crate) failure: Option<String>,
}

/// Carries out a library's transcript against every variant at the same time, and fails with all complaints.
#[track_caller]
fn check(library: &str, protocols: &[u8], transcript: impl Fn(&Server, u8) -> Vec<Outcome> + Sync) {
    let complaints: Vec<String> = std::thread::scope(|scope| {
        let one = |variant: Variant| {
            let transcript = &transcript;
            scope.spawn(move || {
                let server = Server::start(&variant, &[]);
                let judged = protocols.iter().flat_map(|protocol| {
                    let run = format!("{library}, RESP{protocol}, {}", variant.name);
                    judge(&run, still_to_come(library, variant.kind), &transcript(&server, *protocol))
                });
                judged.collect::<Vec<String>>()
            })
        };
        let threads: Vec<_> = variants().into_iter().map(one).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a server that starts")).collect()
    });
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn still_to_come(library: &str, kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Corewise => STILL_TO_COME.iter().find(|(name, _)| *name == library).map_or(&[], |(_, sections)| sections),
        Kind::Redis => &[],
    }
}

/// What is wrong with the outcomes of one run.
fn judge(run: &str, still_to_come: &[&str], outcomes: &[Outcome]) -> Vec<String> {
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    for Outcome { section, failure } in outcomes {
        seen.insert(section.as_str());
        match (failure, still_to_come.contains(&section.as_str())) {
            (Some(failure), false) => complaints.push(format!("{run}: {section}: {failure}")),
            (None, true) => complaints.push(format!("{run}: {section} passes: take it off the list STILL_TO_COME")),
            (Some(_), true) | (None, false) => {}
        }
    }
    let unknown = still_to_come.iter().filter(|section| !seen.contains(*section));
    complaints.extend(unknown.map(|section| format!("{run}: STILL_TO_COME has {section}, which did not run")));
    complaints
}

#[test]
fn redis_py() {
    let Some(python) = install::python() else { return };
    check("redis-py", &[2, 3], |server, protocol| script::run(&python, server, protocol));
}

#[test]
fn ioredis() {
    let Some(node) = install::node("ioredis.mjs") else { return };
    check("ioredis", &[2], |server, protocol| script::run(&node, server, protocol));
}

#[test]
fn node_redis() {
    let Some(node) = install::node("node_redis.mjs") else { return };
    check("node-redis", &[2, 3], |server, protocol| script::run(&node, server, protocol));
}

#[test]
fn redis_rs() {
    check("redis-rs", &[2, 3], redis_rs::run);
}

/// The test of the test: what fails, what passes too soon, and what is listed but unknown.
#[test]
fn the_judge_sees_both_kinds_of_surprise() {
    let outcome = |section: &str, failure: Option<&str>| Outcome {
        section: section.to_owned(),
        failure: failure.map(str::to_owned),
    };
    let outcomes =
        [outcome("lists", Some("no")), outcome("sets", Some("no")), outcome("keys", None), outcome("scans", None)];
    assert_eq!(judge("run", &["sets"], &outcomes), ["run: lists: no"]);
    assert_eq!(
        judge("run", &["lists", "sets", "keys", "bits"], &outcomes),
        ["run: keys passes: take it off the list STILL_TO_COME", "run: STILL_TO_COME has bits, which did not run",]
    );
}

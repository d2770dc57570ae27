//! The ways in which a server is run by every test: one core, two cores with each lending mode, and redis-server.
//!
//! `TEST_VARIANTS=one,two-always` narrows the list. redis-server stands in it to prove that the expectations of
//! the tests are those of Redis.

use std::path::{Path, PathBuf};

/// Which program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// The server under test.
    Corewise,
    /// The reference.
    Redis,
}

/// One way to run one program.
#[derive(Clone, Debug)]
pub struct Variant {
    /// What `TEST_VARIANTS` and failures call it.
    pub name: &'static str,
    /// The program.
    pub kind: Kind,
    /// Its flags beyond those that every server of the harness gets.
    pub flags: Vec<String>,
}

impl Variant {
    fn cores(name: &'static str, cpus: &[usize], lending: Option<&str>) -> Variant {
        let list: Vec<String> = cpus.iter().map(usize::to_string).collect();
        let mut flags = vec!["--cpus".to_owned(), list.join(",")];
        if let Some(mode) = lending {
            flags.extend(["--lending".to_owned(), mode.to_owned()]);
        }
        Variant { name, kind: Kind::Corewise, flags }
    }

    /// Whether the server holds its keys on more than one core.
    pub fn is_multicore(&self) -> bool {
        self.name.starts_with("two")
    }
}

/// redis-server as a variant: the reference of the differential test. `None` where it is not installed and that is
/// tolerable (see `redis_is_installed`).
pub fn peer() -> Option<Variant> {
    redis_is_installed().then(|| Variant { name: "redis", kind: Kind::Redis, flags: Vec::new() })
}

/// The variants that this run is about, the reference last.
pub fn variants() -> Vec<Variant> {
    let cpus = allowed_cpus();
    let mut all = vec![Variant::cores("one", &cpus[..1], None)];
    if cpus.len() > 1 {
        all.push(Variant::cores("two-never", &cpus[..2], Some("never")));
        all.push(Variant::cores("two-usual", &cpus[..2], Some("usual")));
        all.push(Variant::cores("two-always", &cpus[..2], Some("always")));
    } else {
        missing("a second CPU (the two-core variants)");
    }
    let wanted = std::env::var("TEST_VARIANTS").unwrap_or_default();
    let names: Vec<&str> = wanted.split(',').filter(|name| !name.is_empty()).collect();
    for name in &names {
        let known = *name == "redis" || all.iter().any(|variant| variant.name == *name);
        assert!(known, "TEST_VARIANTS: there is no variant {name}");
    }
    all.retain(|variant| names.is_empty() || names.contains(&variant.name));
    if names.is_empty() || names.contains(&"redis") {
        all.extend(peer());
    }
    assert!(!all.is_empty(), "no variant is left to test");
    all
}

/// Whether redis-server can be started. Where it is missing, a developer's machine goes on without it and says so;
/// under CI that is a failure, because a comparison that did not run must not look like one that passed.
pub fn redis_is_installed() -> bool {
    let installed = redis_server().is_some();
    if !installed {
        missing("redis-server (apt-get install redis-server)");
    }
    installed
}

/// The program `redis-server` of `PATH`.
pub(crate) fn redis_server() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join("redis-server")).find(|file| file.is_file())
}

/// The server under test: what cargo built for this test, or the program that `SERVER_UNDER_TEST` names (a release
/// build, an older version).
pub fn program() -> PathBuf {
    let program = std::env::var_os("SERVER_UNDER_TEST").or_else(|| std::env::var_os("CARGO_BIN_EXE_corewise"));
    let program = PathBuf::from(program.expect("run by cargo, which sets CARGO_BIN_EXE_corewise"));
    // Servers are started in directories of their own, where a relative path would lead nowhere.
    std::fs::canonicalize(&program).unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

/// Says what could not be tested because the machine lacks `what`; in CI that is a failure.
#[expect(clippy::print_stderr, reason = "a test that is skipped must say so even when it passes")]
pub fn missing(what: &str) {
    assert!(std::env::var_os("CI").is_none(), "CI needs {what}");
    eprintln!("\n*** NOT TESTED: {what} is missing ***\n");
}

/// The CPUs that this process may run on.
fn allowed_cpus() -> Vec<usize> {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or("0").trim();
    let mut cpus = Vec::new();
    for part in list.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let bounds = first.parse::<usize>().and_then(|first| Ok((first, last.parse::<usize>()?)));
        let (first, last) = bounds.unwrap_or_else(|_| panic!("/proc/self/status: Cpus_allowed_list is {list}"));
        cpus.extend(first..=last);
    }
    cpus
}

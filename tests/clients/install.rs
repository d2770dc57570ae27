//! Installs the libraries below `target/`, in the exact versions that the lists beside this file name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use corewise_harness::missing;

/// The list for Python.
const REQUIREMENTS: (&str, &str) = ("requirements.txt", include_str!("requirements.txt"));

/// The lists and scripts for JavaScript. A script finds its libraries in the directory where it lies, so that the
/// scripts are put beside the libraries.
const NODE_FILES: [(&str, &str); 5] = [
    ("package.json", include_str!("package.json")),
    ("package-lock.json", include_str!("package-lock.json")),
    ("sections.mjs", include_str!("sections.mjs")),
    ("ioredis.mjs", include_str!("ioredis.mjs")),
    ("node_redis.mjs", include_str!("node_redis.mjs")),
];

/// A script and the program that runs it.
pub(crate) struct Script {
    /// The interpreter.
    pub(crate) program: PathBuf,
    /// Its arguments before the port and the protocol version; the last is the script.
    pub(crate) arguments: Vec<PathBuf>,
}

/// redis-py in an environment of its own; `None` where it cannot be installed and that is tolerable (see `missing`).
pub(crate) fn python() -> Option<Script> {
    let version = version_of("python3", "python3 (apt-get install python3-venv)")?;
    let install = |directory: &Path| {
        succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(directory.join("venv")))?;
        let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--retries", "1", "--only-binary", ":all:"];
        let list = ["--require-hashes", "--requirement", "requirements.txt"];
        succeed(Command::new(directory.join("venv/bin/python")).args(pip).args(list).current_dir(directory))
    };
    let directory = directory("python", &version, &[REQUIREMENTS], install)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/redis_py.py");
    // The developer's own packages and settings stay out (-E, -s), and so does compiled code from the sources (-B).
    Some(Script { program: directory.join("venv/bin/python"), arguments: vec!["-EsB".into(), script] })
}

/// One of the scripts in JavaScript, with both libraries installed beside it.
pub(crate) fn node(script: &str) -> Option<Script> {
    let version = version_of("node", "node (apt-get install nodejs npm)")?;
    let install = |directory: &Path| {
        let quiet = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1"];
        succeed(Command::new("npm").args(quiet).current_dir(directory))
    };
    let directory = directory("node", &version, &NODE_FILES, install)?;
    Some(Script { program: "node".into(), arguments: vec![directory.join(script)] })
}

/// What the interpreter calls its version.
fn version_of(program: &str, what: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    match output {
        Ok(output) if output.status.success() => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        _ => {
            missing(what);
            None
        }
    }
}

/// A directory that holds `files` and what `install` has added to them. It is made anew when any of them or the
/// interpreter has changed, or when the last attempt was cut short.
fn directory(
    name: &str,
    version: &str,
    files: &[(&str, &str)],
    install: impl Fn(&Path) -> Result<(), String>,
) -> Option<PathBuf> {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("clients");
    fs::create_dir_all(&parent).unwrap_or_else(|error| panic!("{}: {error}", parent.display()));
    let directory = parent.join(name);
    // Two tests need the same directory, and two runs of the tests may share it.
    let lock = File::create(directory.with_extension("lock")).expect("a file below target/");
    lock.lock().expect("a lock on a file of our own");
    let stamp = files.iter().fold(version.to_owned(), |stamp, (_, text)| stamp + text);
    let installed = directory.join("installed");
    if fs::read_to_string(&installed).is_ok_and(|known| known == stamp) {
        return Some(directory);
    }
    if directory.exists() {
        fs::remove_dir_all(&directory).expect("a directory of our own");
    }
    fs::create_dir(&directory).expect("a directory of our own");
    for (file, text) in files {
        fs::write(directory.join(file), text).expect("a file below target/");
    }
    if let Err(error) = install(&directory) {
        missing(&format!("a client library that could not be installed ({error})"));
        return None;
    }
    fs::write(&installed, stamp).expect("a file below target/");
    Some(directory)
}

/// Runs an installer; the error is what it said last.
fn succeed(command: &mut Command) -> Result<(), String> {
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().collect();
    Err(format!("{command:?}: {}: {}", output.status, lines[lines.len().saturating_sub(6)..].join("; ")))
}

//! What the figures were measured on: the machine, and the versions of programs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// A machine, as far as figures depend on it.
pub(crate) struct Machine {
    processor: String,
    cpus: usize,
    kernel: String,
}

impl Machine {
    /// This one.
    pub(crate) fn this() -> Machine {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let info = read("/proc/cpuinfo");
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
        Machine {
            processor: model.map_or("an unknown processor".to_owned(), |model| model.trim().to_owned()),
            cpus: thread::available_parallelism().map_or(0, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }

    /// In one line.
    pub(crate) fn line(&self) -> String {
        format!("{} CPUs of {}, Linux {}", self.cpus, self.processor, self.kernel)
    }
}

/// The first line that a program prints about its version.
pub(crate) fn version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let line = line.split(" sha=").next().unwrap_or_default();
    line.trim().to_owned()
}

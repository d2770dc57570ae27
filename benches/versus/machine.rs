//! What the figures were measured on.

use std::fs;
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

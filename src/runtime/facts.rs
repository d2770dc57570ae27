//! What only the system knows of the process, for INFO and its like.

use crate::engine::{CpuTimes, Facts, ProcessFacts};
use crate::os::{memory, process};

/// Asks the system each time but for what cannot change.
pub(super) fn facts(config_file: Option<&str>, run_id: String) -> Facts {
    let config_file = config_file.map(absolute).unwrap_or_default();
    let (system, executable) = (process::system(), process::executable());
    let total_memory_bytes = memory::usable_bytes();
    let supervised = if std::env::var_os(crate::os::notify::SOCKET_VARIABLE).is_some() { "systemd" } else { "no" };
    std::sync::Arc::new(move || {
        let (whole, thread) = (process::cpu_time(process::Whose::Process), process::cpu_time(process::Whose::Thread));
        ProcessFacts {
            process_id: process::id(),
            run_id: run_id.clone(),
            system: system.clone(),
            executable: executable.clone(),
            config_file: config_file.clone(),
            supervised,
            allocator: "libc",
            resident_bytes: memory::Resident::open().and_then(|resident| resident.bytes()).unwrap_or(0),
            resident_bytes_peak: memory::resident_peak_bytes(),
            total_memory_bytes,
            cpu: CpuTimes {
                process_user_us: whole.user_us,
                process_system_us: whole.system_us,
                thread_user_us: thread.user_us,
                thread_system_us: thread.system_us,
            },
        }
    })
}

/// The path as it is called from anywhere.
fn absolute(path: &str) -> String {
    std::path::absolute(path).map(|path| path.display().to_string()).unwrap_or_else(|_| path.to_owned())
}

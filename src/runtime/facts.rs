//! What only the system knows of the process, for INFO and its like.

use crate::engine::{CpuTimes, ProcessFacts, Resident};
use crate::os::{memory, process};

/// Asks for what cannot change, and says whom to ask for what does.
pub(super) fn facts(config_file: Option<&str>, run_id: String) -> ProcessFacts {
    ProcessFacts {
        process_id: process::id(),
        run_id,
        system: process::system(),
        executable: process::executable(),
        config_file: config_file.map(absolute).unwrap_or_default(),
        supervised: if std::env::var_os(crate::os::notify::SOCKET_VARIABLE).is_some() { "systemd" } else { "no" },
        allocator: "mimalloc",
        total_memory_bytes: memory::usable_bytes(),
        resident,
        cpu_times,
    }
}

fn resident() -> Resident {
    let now = memory::Resident::open().and_then(|resident| resident.bytes());
    Resident { bytes: now.unwrap_or(0), bytes_peak: memory::resident_peak_bytes() }
}

fn cpu_times() -> CpuTimes {
    let (whole, thread) = (process::cpu_time(process::Whose::Process), process::cpu_time(process::Whose::Thread));
    CpuTimes {
        process_user_us: whole.user_us,
        process_system_us: whole.system_us,
        thread_user_us: thread.user_us,
        thread_system_us: thread.system_us,
    }
}

/// The path as it is called from anywhere.
fn absolute(path: &str) -> String {
    std::path::absolute(path).map(|path| path.display().to_string()).unwrap_or_else(|_| path.to_owned())
}

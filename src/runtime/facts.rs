//! What the engines want to know about the process, and what they want done with it.

use std::sync::Arc;

use crate::base::Rng;
use crate::config::{Config, Supervision, rewrite};
use crate::engine::{CpuTimes, Facts, ProcessFacts};
use crate::os::memory::{self, Resident};
use crate::os::{files, notify, process, resource};

/// Whoever asks gets what holds at that moment.
pub(super) fn of_process(config: &Config, config_file: Option<&str>, seed: u64) -> Facts {
    let resident = Resident::open().ok();
    let managed = match config.supervised {
        Supervision::No => false,
        Supervision::Systemd => true,
        Supervision::Auto => std::env::var_os(notify::SOCKET_VARIABLE).is_some(),
    };
    let mut rng = Rng::with_seed(!seed);
    let constant = ProcessFacts {
        process_id: process::id(),
        run_id: (0..40).map(|_| char::from_digit(rng.u32(..16), 16).unwrap_or('0')).collect(),
        system: process::system(),
        executable: process::executable(),
        config_file: config_file.unwrap_or_default().to_owned(),
        supervised: if managed { "systemd" } else { "no" },
        allocator: "libc",
        total_memory_bytes: memory::cgroup_limit_bytes().unwrap_or(u64::MAX).min(memory::total_bytes()),
        ..ProcessFacts::default()
    };
    Arc::new(move || {
        let (of_process, of_thread) =
            (process::cpu_time(process::Whose::Process), process::cpu_time(process::Whose::Thread));
        ProcessFacts {
            resident_bytes: resident.as_ref().and_then(|resident| resident.bytes().ok()).unwrap_or(0),
            resident_bytes_peak: memory::peak_bytes(),
            cpu: CpuTimes {
                process_user_us: of_process.user_us,
                process_system_us: of_process.system_us,
                thread_user_us: of_thread.user_us,
                thread_system_us: of_thread.system_us,
            },
            ..constant.clone()
        }
    })
}

/// Writes the settings into the configuration file.
pub(super) fn rewrite_config(config: &Config, path: &str) -> Result<(), String> {
    let text = files::read_text(path)?;
    files::replace_text(path, &rewrite(config, &text)).map_err(|error| error.to_string())
}

/// Raises the limit of open files if `maxclients` has grown.
pub(super) fn make_room_for(config: &Config) {
    let wanted = resource::files_for(config.maxclients, 1);
    let files = resource::raise_open_files(wanted);
    if files < wanted {
        tracing::warn!(maxclients = config.maxclients, files, "the limit of open files is too low for maxclients");
    }
}

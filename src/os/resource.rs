//! Limits that the system sets on the process: open files and locked memory.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::limits::{FILES_OF_PROCESS, FILES_PER_CORE};

/// Open files that `clients` on `cores` need in all.
pub fn files_for(clients: u32, cores: usize) -> u64 {
    u64::from(clients) + files_beside_clients(cores)
}

/// Clients that `files` are enough for on `cores`.
pub fn clients_within(files: u64, cores: usize) -> u32 {
    u32::try_from(files.saturating_sub(files_beside_clients(cores))).unwrap_or(u32::MAX)
}

fn files_beside_clients(cores: usize) -> u64 {
    FILES_OF_PROCESS + FILES_PER_CORE * cores as u64
}

/// Raises the limit of open files to `wanted` if it is lower, as far as the system lets it, and returns what the
/// process has then. It never lowers the limit.
pub fn raise_open_files(wanted: u64) -> u64 {
    raise(Resource::Nofile, wanted)
}

/// Raises what may be locked in memory to `wanted` if it is lower, and returns what the process has then.
pub fn raise_locked_memory(wanted: u64) -> u64 {
    raise(Resource::Memlock, wanted)
}

fn raise(resource: Resource, wanted: u64) -> u64 {
    let unlimited = u64::MAX;
    let limit = getrlimit(resource);
    let (soft, hard) = (limit.current.unwrap_or(unlimited), limit.maximum.unwrap_or(unlimited));
    if soft >= wanted {
        return soft;
    }
    // Beyond the hard limit only a privileged process gets; then as far as the hard limit goes.
    let tries = [(wanted, hard.max(wanted)), (hard.min(wanted), hard)];
    for (current, maximum) in tries {
        let maximum = (maximum != unlimited).then_some(maximum);
        if setrlimit(resource, Rlimit { current: Some(current), maximum }).is_ok() {
            return current;
        }
    }
    soft
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_clients_are_inverse() {
        assert_eq!(clients_within(files_for(10_000, 4), 4), 10_000);
        assert_eq!(clients_within(10, 4), 0);
        assert_eq!(clients_within(u64::MAX, 4), u32::MAX);
    }

    #[test]
    fn limits_are_never_lowered() {
        let before = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert_eq!(raise_open_files(1), before);
        let maximum = getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX);
        assert_eq!(raise_open_files(maximum.min(before.saturating_add(1))), maximum.min(before.saturating_add(1)));
    }
}

//! Memory: what the process holds, what the machine has, and what the control group grants.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use super::cgroup::{Version, groups};

/// Reads the resident set size again and again without opening a file each time.
#[derive(Debug)]
pub struct Resident {
    statm: File,
    page_bytes: u64,
}

impl Resident {
    /// Opens what the kernel tells about this process.
    pub fn open() -> io::Result<Self> {
        Ok(Self { statm: File::open("/proc/self/statm")?, page_bytes: rustix::param::page_size() as u64 })
    }

    /// Bytes of memory that the process holds now.
    pub fn bytes(&self) -> io::Result<u64> {
        let mut text = [0; 128];
        let length = self.statm.read_at(&mut text, 0)?;
        resident_pages(&text[..length]).map(|pages| pages * self.page_bytes).ok_or(io::ErrorKind::InvalidData.into())
    }
}

/// Bytes of memory that the process has held at most so far; 0 if it cannot be told.
pub fn resident_peak_bytes() -> u64 {
    fs::read_to_string("/proc/self/status").ok().and_then(|text| kibibytes_in(&text, "VmHWM:")).unwrap_or(0)
}

/// The second number of `statm`.
fn resident_pages(statm: &[u8]) -> Option<u64> {
    std::str::from_utf8(statm).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// Bytes of memory that the process may use: those of the machine, or what its control groups grant if that is less; 0
/// if neither can be told.
pub fn usable_bytes() -> u64 {
    [total_bytes(), cgroup_limit_bytes().unwrap_or(0)].into_iter().filter(|bytes| *bytes > 0).min().unwrap_or(0)
}

/// Bytes of memory that the machine has; 0 if it cannot be told.
pub fn total_bytes() -> u64 {
    let told = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kibibytes_in(&text, "MemTotal:"));
    told.unwrap_or_else(|| {
        // A service manager may hide the file (ProcSubset=pid); the call says the same, but for containers whose own
        // file stands in the place of the machine's.
        let machine = rustix::system::sysinfo();
        machine.totalram.saturating_mul(machine.mem_unit.into())
    })
}

/// The bytes in a line `name: 12 kB`.
fn kibibytes_in(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// Bytes of memory that the control group grants; `None` without a limit.
pub fn cgroup_limit_bytes() -> Option<u64> {
    let limit = |group: &super::cgroup::Group| {
        let file = match group.version {
            Version::V1 => "memory.limit_in_bytes",
            Version::V2 => "memory.max",
        };
        limit_in(&group.read(file)?)
    };
    groups("memory").iter().filter_map(limit).min()
}

/// `max` is no limit, and so is the largest multiple of a page, by which version 1 says the same.
fn limit_in(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|bytes| *bytes < 1 << 62)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_is_resident() {
        let held = std::hint::black_box(vec![1u8; 64 << 20]);
        let resident = Resident::open().unwrap();
        for _ in 0..2 {
            let bytes = resident.bytes().unwrap();
            assert!(bytes >= held.len() as u64 && bytes <= total_bytes(), "{bytes}");
        }
        assert!(cgroup_limit_bytes().is_none_or(|limit| limit > 0));
    }

    #[test]
    fn what_may_be_used_is_the_least_of_what_is_known() {
        let (usable, total) = (usable_bytes(), total_bytes());
        assert!(usable > 0 && usable <= total);
        assert_eq!(usable, cgroup_limit_bytes().map_or(total, |limit| limit.min(total)));
    }

    #[test]
    fn the_kernels_texts_are_read() {
        assert_eq!(resident_pages(b"5000 1234 300 1 0 600 0\n"), Some(1234));
        assert_eq!(resident_pages(b""), None);
        assert_eq!(kibibytes_in("MemFree: 5 kB\nMemTotal:       16315408 kB\n", "MemTotal:"), Some(16_315_408 * 1024));
        assert_eq!(kibibytes_in("MemTotal: many\n", "MemTotal:"), None);
        assert_eq!(limit_in("max"), None);
        assert_eq!(limit_in("9223372036854771712"), None);
        assert_eq!(limit_in("1073741824"), Some(1 << 30));
    }
}

//! Whether the kernel gives us the ring that we need, and if not, why and what to do about it.

use std::fmt;
use std::fs;
use std::io;

use io_uring::IoUring;
use rustix::io::Errno;

use super::resource::raise_locked_memory;
use crate::limits::LOCKED_MEMORY_BYTES_MIN;

/// Oldest kernel that has everything that the ring needs: deferred task work came last.
const KERNEL_MIN: (u32, u32) = (6, 1);

/// What the kernel can do; prints for the line at the start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kernel {
    /// Its release, as `uname -r` prints it.
    pub release: String,
    /// Whether a wait can last for a batch of completions (6.12).
    pub min_wait: bool,
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Linux {}, io_uring {} min-wait", self.release, if self.min_wait { "with" } else { "without" })
    }
}

/// Sets up a small ring of the kind that every core has, and throws it away. The error is a sentence.
pub fn kernel() -> Result<Kernel, String> {
    let locked = raise_locked_memory(LOCKED_MEMORY_BYTES_MIN);
    if locked < LOCKED_MEMORY_BYTES_MIN {
        return Err(too_little_locked_memory(locked));
    }
    let ring: io::Result<IoUring> = IoUring::builder().setup_single_issuer().setup_defer_taskrun().build(8);
    match ring {
        Ok(ring) => Ok(Kernel { release: release(), min_wait: ring.params().is_feature_min_timeout() }),
        Err(error) => Err(why_refused(&error)),
    }
}

/// Why the set-up of a ring failed with `error`, and what to do about it.
pub fn why_refused(error: &io::Error) -> String {
    explain(error, &Circumstances::of_this_process())
}

/// What decides whether a process may have a ring.
struct Circumstances {
    release: String,
    /// The sysctl `kernel.io_uring_disabled`, of kernels that have it (6.6).
    disabled: Option<u8>,
    /// Whether system calls are filtered, as in most containers.
    filtered: bool,
    locked_bytes_max: u64,
}

impl Circumstances {
    fn of_this_process() -> Self {
        let disabled = fs::read_to_string("/proc/sys/kernel/io_uring_disabled");
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            release: release(),
            disabled: disabled.ok().and_then(|text| text.trim().parse().ok()),
            filtered: is_filtered(&status),
            locked_bytes_max: raise_locked_memory(0),
        }
    }
}

/// Mode 2 of seccomp is a filter.
fn is_filtered(status: &str) -> bool {
    status.lines().filter_map(|line| line.strip_prefix("Seccomp:")).any(|mode| mode.trim() == "2")
}

fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// The first two numbers of a release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|char: char| !char.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn too_little_locked_memory(bytes: u64) -> String {
    format!(
        "the process may lock {} KiB of memory, and io_uring needs {} KiB: raise the limit (ulimit -l, LimitMEMLOCK= of \
         systemd, --ulimit memlock=-1 of Docker)",
        bytes >> 10,
        LOCKED_MEMORY_BYTES_MIN >> 10
    )
}

fn explain(error: &io::Error, circumstances: &Circumstances) -> String {
    let errno = Errno::from_io_error(error);
    let old = version(&circumstances.release).is_some_and(|version| version < KERNEL_MIN);
    let (major, minor) = KERNEL_MIN;
    let refused = "the kernel refuses io_uring";
    match errno {
        _ if old => {
            format!(
                "this kernel is Linux {}, and Corewise needs {major}.{minor} or later for io_uring: run a newer kernel",
                circumstances.release
            )
        }
        _ if circumstances.disabled == Some(2) => {
            format!("{refused}: kernel.io_uring_disabled is 2; allow it with sysctl kernel.io_uring_disabled=0")
        }
        Some(Errno::PERM) if circumstances.disabled == Some(1) => format!(
            "{refused}: kernel.io_uring_disabled is 1, which leaves it to one group; allow it with sysctl \
             kernel.io_uring_disabled=0, or run as a member of the group in kernel.io_uring_group"
        ),
        // A filter answers with either, as its author liked.
        Some(Errno::PERM | Errno::ACCESS | Errno::NOSYS) if circumstances.filtered => format!(
            "{refused}: a seccomp filter blocks it, as the default profile of most container engines does; start the \
             container with a profile that allows it (docker run --security-opt seccomp=docker/seccomp.json \
             corewise; the file is in Corewise's repository and, as /seccomp.json, in its image; \
             securityContext.seccompProfile of Kubernetes)"
        ),
        Some(Errno::PERM | Errno::ACCESS) => {
            format!("{refused}: {error}; look for a security module (SELinux, AppArmor) that denies it")
        }
        Some(Errno::NOSYS) => {
            format!(
                "{refused}: it was built without it (CONFIG_IO_URING), or a sandbox such as gVisor stands in for it"
            )
        }
        Some(Errno::NOMEM) => too_little_locked_memory(circumstances.locked_bytes_max),
        Some(Errno::MFILE | Errno::NFILE) => {
            format!("{refused}: {error}; raise the limit of open files (ulimit -n, LimitNOFILE= of systemd)")
        }
        _ => format!("{refused}: {error}, on Linux {}", circumstances.release),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(errno: Errno, release: &str, disabled: Option<u8>, filtered: bool) -> String {
        let circumstances =
            Circumstances { release: release.to_owned(), disabled, filtered, locked_bytes_max: 64 * 1024 };
        explain(&errno.into(), &circumstances)
    }

    #[test]
    fn every_refusal_names_its_cause_and_remedy() {
        let check = |errno, release, disabled, filtered, parts: [&str; 2]| {
            let text = explained(errno, release, disabled, filtered);
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        };
        check(Errno::INVAL, "5.15.0-91-generic", None, false, ["Linux 5.15.0-91-generic", "needs 6.1"]);
        check(Errno::NOSYS, "4.19.0", None, true, ["Linux 4.19.0", "newer kernel"]);
        check(Errno::PERM, "6.8.0", Some(2), true, ["io_uring_disabled is 2", "sysctl"]);
        check(Errno::PERM, "6.8.0", Some(1), false, ["io_uring_disabled is 1", "io_uring_group"]);
        check(Errno::PERM, "6.8.0", Some(0), true, ["seccomp filter", "--security-opt"]);
        check(Errno::NOSYS, "6.8.0", None, true, ["seccomp filter", "profile"]);
        check(Errno::ACCESS, "6.8.0", Some(0), false, ["SELinux", "denies"]);
        check(Errno::NOSYS, "6.8.0", None, false, ["CONFIG_IO_URING", "gVisor"]);
        check(Errno::NOMEM, "6.8.0", Some(0), false, ["64 KiB", "ulimit -l"]);
        check(Errno::MFILE, "6.8.0", Some(0), false, ["open files", "ulimit -n"]);
        check(Errno::IO, "6.8.0", Some(0), false, ["refuses io_uring", "6.8.0"]);
    }

    #[test]
    fn releases_and_filters_are_read() {
        assert_eq!(version("6.18.44-fc-v657"), Some((6, 18)));
        assert_eq!(version("6.1"), Some((6, 1)));
        assert_eq!(version("6.10-rc1"), Some((6, 10)));
        assert_eq!(version("unknown"), None);
        assert!(is_filtered("Name:\tx\nSeccomp:\t2\nSeccomp_filters:\t1\n"));
        assert!(!is_filtered("Seccomp:\t0\nSeccomp_filters:\t2\n"));
    }

    #[test]
    fn the_answer_for_this_machine_is_a_kernel_or_a_sentence() {
        match kernel() {
            Ok(kernel) => assert!(version(&kernel.release).unwrap() >= KERNEL_MIN, "{kernel}"),
            Err(sentence) => assert!(sentence.contains("io_uring"), "{sentence}"),
        }
    }
}

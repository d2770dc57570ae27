//! Why a ring could not be made, or stopped working: the operating system's refusal, typed by its cause.

use std::{fmt, io};

/// A refusal of the operating system. [`fmt::Display`] says cause and remedy in one sentence.
#[derive(Debug)]
pub enum NetError {
    /// The kernel was built without io_uring, or a sandbox hides it (ENOSYS).
    Missing,
    /// `kernel.io_uring_disabled` or a seccomp profile forbids it (EPERM, EACCES).
    Forbidden {
        /// What `kernel.io_uring_disabled` says: 0 allows everybody, 1 a group, 2 nobody; `None` if unreadable.
        sysctl: Option<u8>,
    },
    /// RLIMIT_MEMLOCK is too small for the ring (ENOMEM).
    MemoryLocked {
        /// The soft limit in bytes; `None` for no limit.
        limit_bytes: Option<u64>,
    },
    /// No descriptor is left (EMFILE, ENFILE).
    Descriptors,
    /// The kernel lacks what the ring needs.
    KernelTooOld {
        /// The feature that was refused.
        feature: &'static str,
        /// The first version of Linux that has it.
        needs: &'static str,
    },
    /// Anything else, with the step that failed.
    Io {
        /// What was being done.
        step: &'static str,
        /// What the kernel answered.
        error: io::Error,
    },
}

impl NetError {
    /// Types the refusal of `step`; `feature` and `needs` name what an EINVAL there means.
    pub(super) fn of(step: &'static str, feature: &'static str, needs: &'static str, error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOSYS) => Self::Missing,
            Some(libc::EPERM | libc::EACCES) => Self::Forbidden { sysctl: io_uring_disabled() },
            Some(libc::ENOMEM) => Self::MemoryLocked { limit_bytes: super::socket::memlock_limit() },
            Some(libc::EMFILE | libc::ENFILE) => Self::Descriptors,
            Some(libc::EINVAL) => Self::KernelTooOld { feature, needs },
            _ => Self::Io { step, error },
        }
    }
}

fn io_uring_disabled() -> Option<u8> {
    std::fs::read_to_string("/proc/sys/kernel/io_uring_disabled").ok()?.trim().parse().ok()
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(
                f,
                "io_uring is not available (ENOSYS): the kernel was built without it or a sandbox hides it; run on \
                 Linux 6.1 or later with CONFIG_IO_URING, outside of gVisor and the like"
            ),
            Self::Forbidden { sysctl: Some(value @ 1..) } => write!(
                f,
                "io_uring is forbidden: the sysctl kernel.io_uring_disabled is {value}; allow it with `sysctl -w \
                 kernel.io_uring_disabled=0`"
            ),
            Self::Forbidden { .. } => write!(
                f,
                "io_uring is forbidden (EPERM): a seccomp profile blocks it, as the default one of Docker and containerd \
                 does; start the container with a profile that allows io_uring_setup, io_uring_enter and \
                 io_uring_register, or with `--security-opt seccomp=unconfined`"
            ),
            Self::MemoryLocked { limit_bytes: Some(bytes) } => write!(
                f,
                "the kernel refused memory for an io_uring: RLIMIT_MEMLOCK is {bytes} bytes; raise it with `ulimit -l`, \
                 LimitMEMLOCK= of systemd or `--ulimit memlock` of Docker"
            ),
            Self::MemoryLocked { limit_bytes: None } => {
                write!(
                    f,
                    "the kernel refused memory for an io_uring, although RLIMIT_MEMLOCK is unlimited: free memory"
                )
            }
            Self::Descriptors => {
                write!(f, "no file descriptor is left for an io_uring: raise `ulimit -n` or the sysctl fs.file-max")
            }
            Self::KernelTooOld { feature, needs } => {
                write!(f, "the kernel is too old: {feature} needs Linux {needs} or later")
            }
            Self::Io { step, error } => write!(f, "{step}: {error}"),
        }
    }
}

impl std::error::Error for NetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_apart() {
        let of = |code| NetError::of("setup", "DEFER_TASKRUN", "6.1", io::Error::from_raw_os_error(code)).to_string();
        assert!(of(libc::ENOSYS).contains("CONFIG_IO_URING"));
        assert!(of(libc::EPERM).contains("io_uring"));
        assert!(of(libc::ENOMEM).contains("MEMLOCK"));
        assert!(of(libc::EMFILE).contains("ulimit -n"));
        assert_eq!(of(libc::EINVAL), "the kernel is too old: DEFER_TASKRUN needs Linux 6.1 or later");
        assert!(of(libc::EFAULT).starts_with("setup: "));
        assert!(NetError::Forbidden { sysctl: Some(2) }.to_string().contains("io_uring_disabled is 2"));
        assert!(NetError::Forbidden { sysctl: Some(0) }.to_string().contains("seccomp"));
    }
}

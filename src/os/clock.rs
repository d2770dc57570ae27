//! The clocks, read without entering the kernel.

use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::base::Now;

/// Reads the clocks; inner rooms are handed what it read.
pub struct Clock;

impl Clock {
    /// The wall clock and the monotonic clock.
    #[inline]
    pub fn now() -> Now {
        Now { unix_us: microseconds(ClockId::Realtime), mono_us: microseconds(ClockId::Monotonic) }
    }

    /// The monotonic clock alone.
    #[inline]
    pub fn mono_us() -> u64 {
        microseconds(ClockId::Monotonic)
    }

    /// The monotonic clock alone, in microseconds.
    #[inline]
    pub fn monotonic_us() -> u64 {
        microseconds(ClockId::Monotonic)
    }

    /// CPU time that this thread has used, in microseconds. This one enters the kernel.
    pub fn thread_cpu_us() -> u64 {
        microseconds(ClockId::ThreadCPUTime)
    }
}

#[inline]
fn microseconds(clock: ClockId) -> u64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(clock);
    // Negative only on a machine whose wall clock stands before 1970.
    u64::try_from(tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(tv_nsec).unwrap_or(0) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_go_forward_and_agree_with_the_standard_library() {
        let (first, second) = (Clock::now(), Clock::now());
        assert!(second.mono_us >= first.mono_us && first.mono_us > 0);
        let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        let difference = u64::try_from(unix.as_micros()).unwrap().abs_diff(first.unix_us);
        assert!(difference < 60_000_000, "{difference} microseconds apart");
        let before = Clock::thread_cpu_us();
        while Clock::thread_cpu_us() == before {
            std::hint::spin_loop();
        }
    }
}

//! Facts about the process, for INFO, and chance for its seeds.

#![expect(unsafe_code, reason = "getrusage has no safe wrapper in the crates we use")]

use std::io;
use std::mem::MaybeUninit;

/// CPU time used so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CpuTime {
    /// In our code, microseconds.
    pub user_us: u64,
    /// In the kernel on our behalf, microseconds.
    pub system_us: u64,
}

/// Whose CPU time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// Of all threads together.
    Process,
    /// Of the calling thread.
    Thread,
}

/// CPU time used so far.
pub fn cpu_time(whose: Whose) -> CpuTime {
    let who = match whose {
        Whose::Process => libc::RUSAGE_SELF,
        Whose::Thread => libc::RUSAGE_THREAD,
    };
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is valid for a write of the whole structure. Zeroes are a valid value of it, so that it is
    // initialised even if the call, which cannot fail with these arguments, did.
    let usage = unsafe {
        libc::getrusage(who, usage.as_mut_ptr());
        usage.assume_init()
    };
    let microseconds = |time: libc::timeval| {
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000 + u64::try_from(time.tv_usec).unwrap_or(0)
    };
    CpuTime { user_us: microseconds(usage.ru_utime), system_us: microseconds(usage.ru_stime) }
}

/// The process's number.
pub fn id() -> u32 {
    std::process::id()
}

/// Path of the program; empty if it cannot be told.
pub fn executable() -> String {
    std::env::current_exe().map(|path| path.display().to_string()).unwrap_or_default()
}

/// The environment. What is no UTF-8 comes with replacement characters, so that a setting that it was meant for is
/// refused with a sentence.
pub fn environment() -> Vec<(String, String)> {
    let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
    std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect()
}

/// Name, release and architecture of the system, as INFO has them in `os`.
pub fn system() -> String {
    let name = rustix::system::uname();
    let parts = [name.sysname(), name.release(), name.machine()];
    parts.map(|part| part.to_string_lossy()).join(" ")
}

/// A number by chance, to seed what must not be guessed.
pub fn seed() -> io::Result<u64> {
    let mut bytes = [0; 8];
    // Up to 256 bytes come whole and without interruption once the kernel's pool is ready.
    rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())?;
    Ok(u64::from_ne_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_grows_with_work() {
        let (process, thread) = (cpu_time(Whose::Process), cpu_time(Whose::Thread));
        let total = |time: CpuTime| time.user_us + time.system_us;
        while total(cpu_time(Whose::Thread)) == total(thread) {
            std::hint::spin_loop();
        }
        assert!(total(cpu_time(Whose::Process)) > total(process));
    }

    #[test]
    fn the_facts_are_there() {
        assert!(system().starts_with("Linux "));
        assert!(executable().contains("corewise"));
        assert_ne!(seed().unwrap(), seed().unwrap());
    }
}

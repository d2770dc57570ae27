//! Signals as a readable file descriptor, which the ring can wait for beside the sockets.
//!
//! SIGTERM and SIGINT are blocked before any other thread is there (threads inherit the mask) and read from a signalfd.
//! SIGPIPE and SIGHUP are ignored: a send to a closed socket is an error of that send, and a lost terminal is no reason
//! to lose a cache.

#![expect(unsafe_code, reason = "signal masks and signalfd have no safe wrapper in the crates we use")]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// A request to stop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// SIGTERM: of a service manager.
    Terminate,
    /// SIGINT: of somebody at the terminal.
    Interrupt,
}

/// The descriptor that becomes readable when a signal is there. To be polled, then read with [`Signals::next`].
#[derive(Debug)]
pub struct Signals(OwnedFd);

impl Signals {
    /// Takes over the signals of the process. Call it first, on the only thread.
    pub fn take() -> io::Result<Self> {
        for signal in [libc::SIGPIPE, libc::SIGHUP] {
            // SAFETY: SIG_IGN runs no code of ours, and the signals are valid and may be ignored.
            if unsafe { libc::signal(signal, libc::SIG_IGN) } == libc::SIG_ERR {
                return Err(io::Error::last_os_error());
            }
        }
        let set = signal_set(&[libc::SIGTERM, libc::SIGINT]);
        mask(libc::SIG_BLOCK, &set)?;
        // SAFETY: the set is initialised and outlives the call; -1 asks for a new descriptor.
        let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call succeeded, so this is a new descriptor that nobody else owns.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// The next signal, or `None` if there is none now.
    pub fn next(&self) -> io::Result<Option<Signal>> {
        let mut record = [0u8; size_of::<libc::signalfd_siginfo>()];
        match rustix::io::read(&self.0, &mut record) {
            // The record begins with the signal's number, 32 bits wide.
            Ok(_) => match u32::from_ne_bytes([record[0], record[1], record[2], record[3]]) as i32 {
                libc::SIGINT => Ok(Some(Signal::Interrupt)),
                _ => Ok(Some(Signal::Terminate)),
            },
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// From now on another SIGINT ends the process at once, by the kernel's hand: even a core that hangs cannot keep it
    /// alive. To be called by the thread that got the first one.
    pub fn let_interrupt_kill(&self) -> io::Result<()> {
        // Never ignored or handled by anybody here, SIGINT still has its default action; it was only blocked.
        mask(libc::SIG_UNBLOCK, &signal_set(&[libc::SIGINT]))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Signals {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

fn signal_set(signals: &[libc::c_int]) -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset initialises the whole set; sigaddset gets an initialised one and valid signals.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for signal in signals {
            libc::sigaddset(set.as_mut_ptr(), *signal);
        }
        set.assume_init()
    }
}

fn mask(how: libc::c_int, set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: the set is initialised and outlives the call; the old mask is not asked for.
    match unsafe { libc::pthread_sigmask(how, set, std::ptr::null_mut()) } {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_and_not_suffered() {
        // The mask is this thread's own and the signals are sent to this thread, so that no other test sees them.
        let signals = Signals::take().unwrap();
        assert_eq!(signals.next().unwrap(), None);
        for (number, signal) in [(libc::SIGTERM, Signal::Terminate), (libc::SIGINT, Signal::Interrupt)] {
            // SAFETY: sends a signal that is blocked to this very thread.
            assert_eq!(unsafe { libc::raise(number) }, 0);
            assert_eq!(signals.next().unwrap(), Some(signal));
        }
        for number in [libc::SIGPIPE, libc::SIGHUP] {
            // SAFETY: sends a signal that is ignored to this very thread.
            assert_eq!(unsafe { libc::raise(number) }, 0);
        }
        assert_eq!(signals.next().unwrap(), None);
    }
}

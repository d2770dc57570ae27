//! Options and addresses of sockets.
//!
//! Accepted sockets inherit TCP_NODELAY and keepalive from their listener, so setting them there once costs a
//! connection nothing.

#![expect(unsafe_code, reason = "fence: setsockopt, fcntl and getrlimit have no safe form in std")]

use std::io;
use std::mem::ManuallyDrop;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd};
use std::time::Duration;

/// Sends small segments at once (TCP_NODELAY).
pub fn set_no_delay(fd: BorrowedFd<'_>) -> io::Result<()> {
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)
}

/// Probes a silent peer after `idle`, then three times within the same span again, as Redis does; `None` turns probing
/// off.
pub fn set_keepalive(fd: BorrowedFd<'_>, idle: Option<Duration>) -> io::Result<()> {
    let Some(idle) = idle else { return set_option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 0) };
    let idle_s = i32::try_from(idle.as_secs()).unwrap_or(i32::MAX).max(1);
    set_option(fd, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1)?;
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, idle_s)?;
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, (idle_s / 3).max(1))?;
    set_option(fd, libc::IPPROTO_TCP, libc::TCP_KEEPCNT, 3)
}

/// Chooses the congestion control of a TCP socket by its name in the kernel, such as `reno`, which is always there.
pub fn set_congestion_control(fd: BorrowedFd<'_>, name: &str) -> io::Result<()> {
    set_bytes(fd, libc::IPPROTO_TCP, libc::TCP_CONGESTION, name.as_bytes())
}

/// The other end of a TCP connection; an error for a Unix socket or one that is gone.
pub fn peer_address(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    as_stream(fd).peer_addr()
}

/// Our end of a TCP connection; an error for a Unix socket.
pub fn local_address(fd: BorrowedFd<'_>) -> io::Result<SocketAddr> {
    as_stream(fd).local_addr()
}

/// io_uring answers EAGAIN on a non-blocking descriptor where it would otherwise wait, so listeners must block.
pub(super) fn set_blocking(fd: BorrowedFd<'_>) -> io::Result<()> {
    as_stream(fd).set_nonblocking(false)
}

/// The soft limit of locked memory in bytes; `None` if there is none (or none can be read).
pub(super) fn memlock_limit() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a live, writable rlimit, which is all that the call asks for.
    let answer = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &mut limit) };
    (answer == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

fn as_stream(fd: BorrowedFd<'_>) -> ManuallyDrop<TcpStream> {
    // SAFETY: the descriptor is open for as long as `fd` is borrowed, which the callers outlive; `ManuallyDrop` keeps
    // the stream from closing it. The calls made on it are socket calls, valid (if refused) for every descriptor.
    ManuallyDrop::new(unsafe { TcpStream::from_raw_fd(fd.as_raw_fd()) })
}

fn set_option(fd: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> io::Result<()> {
    set_bytes(fd, level, name, &value.to_ne_bytes())
}

fn set_bytes(fd: BorrowedFd<'_>, level: i32, name: i32, value: &[u8]) -> io::Result<()> {
    let len = value.len() as libc::socklen_t;
    // SAFETY: the pointer and the length describe a live slice, which the kernel only reads.
    let answer = unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value.as_ptr().cast(), len) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

//! What the main thread and the cores say to each other: single bytes over a socket pair per core.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// To a core: take no more clients, let the others go.
pub(super) const STOP: u8 = b's';
/// To a core: end.
pub(super) const EXIT: u8 = b'x';
/// From a core: a client asked for shutdown.
pub(super) const SHUTDOWN: u8 = b'S';
/// From a core: all of its clients are gone.
pub(super) const DRAINED: u8 = b'D';

/// A core's end.
#[derive(Debug)]
pub(super) struct CoreEnd(UnixStream);

impl CoreEnd {
    /// The socket to receive from, for the ring.
    pub(super) fn receiver(&self) -> io::Result<OwnedFd> {
        Ok(self.0.try_clone()?.into())
    }

    /// Tells the main thread. It always reads, so this does not block for long.
    pub(super) fn tell(&self, word: u8) {
        if let Err(error) = (&self.0).write_all(&[word]) {
            tracing::error!(%error, "the main thread cannot be told");
        }
    }
}

/// The main thread's end: the sockets of all cores.
#[derive(Debug)]
pub(super) struct MainEnd(Vec<UnixStream>);

/// What the main thread has been waiting for.
#[derive(Debug)]
pub(super) enum Wakened {
    /// A signal can be read.
    Signal,
    /// A core said this.
    Said(u8),
    /// A core has ended.
    Ended(usize),
    /// The time is over.
    Late,
}

/// Socket pairs for so many cores.
pub(super) fn pairs(cores: usize) -> io::Result<(MainEnd, Vec<CoreEnd>)> {
    let pairs: io::Result<Vec<_>> = (0..cores).map(|_| UnixStream::pair()).collect();
    let (main, core) = pairs?.into_iter().map(|(main, core)| (main, CoreEnd(core))).unzip();
    Ok((MainEnd(main), core))
}

impl MainEnd {
    /// Tells every core.
    pub(super) fn tell_all(&self, word: u8) {
        for mut stream in &self.0 {
            // A core that has ended does not listen, and need not.
            let _ = stream.write_all(&[word]);
        }
    }

    /// Waits for a signal, a word, or the deadline.
    pub(super) fn wait(&self, signals: impl AsFd, deadline: Option<Instant>) -> io::Result<Wakened> {
        let mut fds = vec![PollFd::new(&signals, PollFlags::IN)];
        fds.extend(self.0.iter().map(|stream| PollFd::new(stream, PollFlags::IN)));
        let timeout = deadline.map(|deadline| timespec(deadline.saturating_duration_since(Instant::now())));
        match poll(&mut fds, timeout.as_ref()) {
            Ok(0) => return Ok(Wakened::Late),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Wakened::Signal),
            Err(error) => return Err(error.into()),
        }
        if !fds[0].revents().is_empty() {
            return Ok(Wakened::Signal);
        }
        let ready = fds[1..].iter().position(|fd| !fd.revents().is_empty()).unwrap_or(0);
        let mut word = [0];
        match (&self.0[ready]).read(&mut word) {
            Ok(1) => Ok(Wakened::Said(word[0])),
            Ok(_) => Ok(Wakened::Ended(ready)),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Wakened::Ended(ready)),
            Err(error) => Err(error),
        }
    }
}

fn timespec(duration: Duration) -> Timespec {
    Timespec { tv_sec: duration.as_secs() as i64, tv_nsec: i64::from(duration.subsec_nanos()) }
}

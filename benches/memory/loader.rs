//! The loader: one connection, many commands under way, as fast as the server takes them or at a given rate.
//!
//! Two threads, because one that writes to a server that is waiting for its replies to be read would wait forever: the
//! writer sends batches, the reader counts replies. A channel of few places between them bounds what is under way.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::wire::{Replies, Tally};

/// Commands of a batch. At the rate of `growth` this makes a batch every quarter of a millisecond: small enough that the
/// loader's own bursts are no part of the latencies that are measured beside it.
const BATCH: u64 = 64;

/// Bytes that end a batch early.
const BATCH_BYTES: usize = 256 << 10;

/// Batches that may be under way.
const BATCHES_UNDER_WAY: usize = 8;

/// How far behind its rate a loader may fall and still catch up. Whatever it is late beyond that is forgiven: a burst
/// that follows a stall would be a second stall, caused by the measurement.
const LATENESS_MAX: Duration = Duration::from_millis(5);

/// How long a server may neither take bytes nor answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a load has done.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded {
    /// Commands that were sent, all of them answered.
    pub(crate) commands: u64,
    /// From the first byte that was sent to the last reply.
    pub(crate) seconds: f64,
    /// The replies.
    pub(crate) tally: Tally,
}

impl Loaded {
    /// Commands per second.
    pub(crate) fn rate(&self) -> f64 {
        self.commands as f64 / self.seconds.max(1e-9)
    }

    /// The same, if nothing was answered with an error.
    pub(crate) fn without_errors(self) -> Result<Loaded, String> {
        match &self.tally {
            Tally { oom: 1.., .. } => Err("the server refused a write because its memory is full".to_owned()),
            Tally { first_error: Some(text), .. } => Err(format!("the server answered with an error: {text}")),
            _ => Ok(self),
        }
    }
}

/// Sends what `next` appends to the buffer, one command per call, until it says `false` without having appended one;
/// no faster than `rate` commands per second.
pub(crate) fn load(
    address: SocketAddr,
    rate: Option<f64>,
    next: &mut dyn FnMut(&mut Vec<u8>) -> bool,
) -> Result<Loaded, String> {
    let stream = connect(address).map_err(|error| format!("{address}: {error}"))?;
    let reading = stream.try_clone().map_err(|error| error.to_string())?;
    let (batches, expected) = sync_channel(BATCHES_UNDER_WAY);
    let started = Instant::now();
    thread::scope(|scope| {
        let reader = scope.spawn(move || read(reading, &expected));
        let written = write(stream, rate, next, &mut |batch| batches.send(batch).is_ok());
        // The reader ends when it has seen the replies of all batches.
        drop(batches);
        let tally = reader.join().map_err(|_| "the reader of the replies panicked".to_owned())?;
        let commands = written?;
        Ok(Loaded { commands, seconds: started.elapsed().as_secs_f64(), tally: tally? })
    })
}

fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Writes batches, telling `announce` how large each is before it is sent; `announce` says `false` if nobody reads.
fn write(
    mut stream: TcpStream,
    rate: Option<f64>,
    next: &mut dyn FnMut(&mut Vec<u8>) -> bool,
    announce: &mut dyn FnMut(u64) -> bool,
) -> Result<u64, String> {
    let mut buffer = Vec::with_capacity(2 * BATCH_BYTES);
    let (mut sent, mut more) = (0, true);
    let mut due = Instant::now();
    while more {
        buffer.clear();
        let mut batch = 0;
        while batch < BATCH && buffer.len() < BATCH_BYTES {
            more = next(&mut buffer);
            if !more {
                break;
            }
            batch += 1;
        }
        if batch == 0 {
            break;
        }
        if let Some(rate) = rate {
            due = wait_until(due) + Duration::from_secs_f64(batch as f64 / rate);
        }
        if !announce(batch) {
            break;
        }
        stream.write_all(&buffer).map_err(|error| format!("the server takes no more commands: {error}"))?;
        sent += batch;
    }
    Ok(sent)
}

/// Sleeps until a batch is due, and says from when the next one counts.
fn wait_until(due: Instant) -> Instant {
    let now = Instant::now();
    thread::sleep(due.saturating_duration_since(now));
    due.max(now.checked_sub(LATENESS_MAX).unwrap_or(due))
}

/// Counts replies until there are as many as commands were announced.
fn read(mut stream: TcpStream, batches: &Receiver<u64>) -> Result<Tally, String> {
    let mut replies = Replies::default();
    let mut chunk = vec![0; 256 << 10];
    let mut expected = 0;
    for batch in batches {
        expected += batch;
        while replies.tally.replies < expected {
            match stream.read(&mut chunk) {
                Ok(0) => return Err("the server closed the connection of the load".to_owned()),
                Ok(count) => replies.feed(&chunk[..count])?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("the server stopped answering: {error}")),
            }
        }
    }
    Ok(replies.tally)
}

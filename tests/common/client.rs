//! One connection: requests as raw bytes, replies as values beside the very bytes they came in.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::ops::Range;
use std::time::{Duration, Instant};

use crate::value::{Decoded, Value, decode};
use crate::words::split_words;

/// How long a reply may take before the test fails: far above any real reply, far below a stuck test run.
const PATIENCE: Duration = Duration::from_secs(20);

/// The server has closed the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed;

/// A connection to a server.
pub struct Client {
    stream: TcpStream,
    input: Vec<u8>,
    /// Start of what has not been decoded yet.
    at: usize,
}

/// Encodes a request as an array of bulk strings.
pub fn encode<A: AsRef<[u8]>>(arguments: &[A], into: &mut Vec<u8>) {
    into.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
    for argument in arguments {
        let argument = argument.as_ref();
        into.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
        into.extend_from_slice(argument);
        into.extend_from_slice(b"\r\n");
    }
}

impl Client {
    /// Connects; panics if nobody listens.
    pub fn connect(address: SocketAddr) -> Client {
        Self::try_connect(address).unwrap_or_else(|error| panic!("cannot connect to {address}: {error}"))
    }

    /// Connects, or says why not.
    pub fn try_connect(address: SocketAddr) -> std::io::Result<Client> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Client { stream, input: Vec::new(), at: 0 })
    }

    /// The socket itself, for tests that misbehave on it.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends one command line in redis-cli's quoting and waits for its reply.
    pub fn ask(&mut self, line: &str) -> Value {
        self.command(&split_words(line))
    }

    /// Sends one request and waits for its reply.
    pub fn command<A: AsRef<[u8]>>(&mut self, arguments: &[A]) -> Value {
        let mut bytes = Vec::new();
        encode(arguments, &mut bytes);
        self.send(&bytes);
        self.reply()
    }

    /// Sends bytes as they are; panics if the server has closed.
    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap_or_else(|error| panic!("cannot send: {error}"));
    }

    /// Sends bytes as they are; the server may have closed already.
    pub fn try_send(&mut self, bytes: &[u8]) -> Result<(), Closed> {
        self.stream.write_all(bytes).map_err(|_| Closed)
    }

    /// No more requests will come.
    pub fn finish_sending(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// The next reply; panics if the server closes, is silent for too long, or does not speak RESP.
    pub fn reply(&mut self) -> Value {
        self.try_reply().unwrap_or_else(|Closed| panic!("the server closed the connection instead of replying"))
    }

    /// The next reply, or that the server has closed.
    pub fn try_reply(&mut self) -> Result<Value, Closed> {
        let (value, _) = self.try_reply_raw()?;
        Ok(value)
    }

    /// The next reply and the bytes it came in.
    pub fn try_reply_raw(&mut self) -> Result<(Value, Vec<u8>), Closed> {
        let (value, range) = self.next(PATIENCE)?.unwrap_or_else(|| panic!("no reply for {PATIENCE:?}"));
        Ok((value, self.input[range].to_vec()))
    }

    /// The next reply if it comes within `patience`.
    pub fn reply_within(&mut self, patience: Duration) -> Option<Value> {
        self.next(patience).unwrap_or_else(|Closed| panic!("the server closed the connection")).map(|(value, _)| value)
    }

    /// The next reply, `None` if none comes within `patience`, or that the server has closed.
    pub fn try_reply_within(&mut self, patience: Duration) -> Result<Option<Value>, Closed> {
        Ok(self.next(patience)?.map(|(value, _)| value))
    }

    /// Reads until the server closes, and gives the replies that came before that.
    pub fn until_closed(&mut self) -> Vec<Value> {
        let mut replies = Vec::new();
        while let Ok(reply) = self.try_reply() {
            replies.push(reply);
        }
        replies
    }

    /// Decodes the next reply, reading as long as it is incomplete and `patience` lasts.
    fn next(&mut self, patience: Duration) -> Result<Option<(Value, Range<usize>)>, Closed> {
        let deadline = Instant::now() + patience;
        // A large string arrives in many pieces: decode again only when as much is there as it is known to need.
        let mut needed = 1;
        loop {
            if self.input.len() - self.at >= needed {
                match decode(&self.input[self.at..]) {
                    Decoded::Complete(value, used) => {
                        let range = self.at..self.at + used;
                        self.at += used;
                        return Ok(Some((value, range)));
                    }
                    Decoded::Incomplete(length) => needed = length,
                    Decoded::Malformed(text) => panic!("malformed reply: {text}"),
                }
            }
            if self.at > 0 {
                self.input.drain(..self.at);
                self.at = 0;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let _ = self.stream.set_read_timeout(Some(left));
            let mut chunk = [0; 64 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(Closed),
                Ok(count) => self.input.extend_from_slice(&chunk[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Closed),
            }
        }
    }
}

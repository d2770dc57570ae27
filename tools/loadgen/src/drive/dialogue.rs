//! A blocking conversation with a server: greetings, questions beside the load, and pipelines where order is everything.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use redis_protocol::resp3::decode::complete::decode;
use redis_protocol::resp3::types::OwnedFrame;

use super::replies::{self, Framing, Reply};

/// How long a server may take to accept a connection and to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Longest answer to a question, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// What came of a command, for who only counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A value, or that it was done.
    Done,
    /// Nothing was there.
    Nothing,
    /// An error, with its text.
    Error(String),
}

/// A connection that asks and waits for the answers.
#[derive(Debug)]
pub struct Dialogue {
    stream: TcpStream,
    out: Vec<u8>,
    /// What came, of which `taken` bytes have been taken.
    came: Vec<u8>,
    taken: usize,
    framing: Framing,
}

impl Dialogue {
    /// Connects.
    pub fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, out: Vec::new(), came: Vec::new(), taken: 0, framing: Framing::Resp2 })
    }

    /// From now on replies are those of RESP3.
    pub fn hello3(&mut self) -> io::Result<()> {
        self.ask(&["HELLO", "3"])?;
        self.framing = Framing::Resp3;
        Ok(())
    }

    /// Sends a command and returns its reply, whole. An error reply is an error.
    pub fn ask(&mut self, words: &[&str]) -> io::Result<OwnedFrame> {
        let bytes: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        self.queue(&bytes);
        self.send()?;
        loop {
            let reply = &self.came[self.taken..];
            // RESP2's nulls are not part of RESP3, which the rest of RESP2 is.
            if reply.starts_with(b"$-1\r\n") || reply.starts_with(b"*-1\r\n") {
                self.taken += 5;
                return Ok(OwnedFrame::Null);
            }
            match decode(reply).map_err(|error| invalid(error.to_string()))? {
                Some((OwnedFrame::SimpleError { data, .. }, length)) => {
                    self.taken += length;
                    return Err(io::Error::other(format!("{} was answered with: {data}", words[0])));
                }
                Some((frame, length)) => {
                    self.taken += length;
                    return Ok(frame);
                }
                None if reply.len() > ANSWER_BYTES_MAX => return Err(invalid("the answer is too long".to_owned())),
                None => self.read()?,
            }
        }
    }

    /// Adds a command to those that [`send`](Self::send) sends.
    pub fn queue(&mut self, words: &[&[u8]]) {
        self.out.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
        for word in words {
            self.out.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            self.out.extend_from_slice(word);
            self.out.extend_from_slice(b"\r\n");
        }
    }

    /// Sends what was queued.
    pub fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// What came of the oldest command that has not been answered yet.
    pub fn answer(&mut self) -> io::Result<Answer> {
        loop {
            if let Some((reply, length)) = replies::next(self.framing, &self.came[self.taken..]).map_err(invalid)? {
                self.taken += length;
                return Ok(match reply {
                    Reply::Error(text) => Answer::Error(String::from_utf8_lossy(text).into_owned()),
                    Reply::Null => Answer::Nothing,
                    Reply::Push => continue,
                    Reply::Status | Reply::Bulk(_) | Reply::Other => Answer::Done,
                });
            }
            self.read()?;
        }
    }

    /// The socket, for a ring.
    pub fn into_socket(self) -> io::Result<OwnedFd> {
        self.stream.set_read_timeout(None)?;
        self.stream.set_write_timeout(None)?;
        Ok(self.stream.into())
    }

    fn read(&mut self) -> io::Result<()> {
        self.came.drain(..self.taken);
        self.taken = 0;
        let before = self.came.len();
        // A large value is read in few pieces, as each one is looked at from its beginning.
        self.came.resize(before + CHUNK.max(before), 0);
        let read = self.stream.read(&mut self.came[before..]);
        self.came.truncate(before + read.as_ref().map_or(0, |read| *read));
        match read? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")),
            _ => Ok(()),
        }
    }
}

fn invalid(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

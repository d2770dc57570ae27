//! How a connection is made: resolved, connected, and greeted, before it belongs to a ring.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::OwnedFd;
use std::time::Duration;

use super::DriveError;

/// How long a server may take to accept a connection and to answer its greeting.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server, and how to introduce oneself.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// `host:port`.
    pub server: String,
    /// Name and password for AUTH; the name may be empty.
    pub auth: Option<(String, String)>,
    /// Database to select.
    pub database: u32,
    /// Whether to say HELLO 3.
    pub resp3: bool,
    /// Whether it is a cluster, whose nodes are to be asked for what is theirs.
    pub cluster: bool,
}

impl Target {
    /// Its addresses.
    pub fn resolve(&self) -> Result<Vec<SocketAddr>, DriveError> {
        let found = self.server.to_socket_addrs();
        let addresses: Vec<SocketAddr> =
            found.map_err(|error| DriveError(format!("{}: {error}; expected is HOST:PORT", self.server)))?.collect();
        if addresses.is_empty() {
            return Err(DriveError(format!("{} has no address", self.server)));
        }
        Ok(addresses)
    }

    /// A connection that has been greeted.
    pub fn connect(&self, addresses: &[SocketAddr]) -> Result<OwnedFd, DriveError> {
        let mut last = None;
        for address in addresses {
            match self.try_connect(*address) {
                Ok(stream) => return Ok(stream.into()),
                Err(error) => last = Some(error),
            }
        }
        let error = last.map_or("no address".to_owned(), |error| error.to_string());
        Err(DriveError(format!("{} cannot be connected to: {error}", self.server)))
    }

    fn try_connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        if let Some((user, password)) = &self.auth {
            let user = if user.is_empty() { "default" } else { user };
            ask(&mut stream, &["AUTH", user, password])?;
        }
        if self.resp3 {
            ask(&mut stream, &["HELLO", "3"])?;
        }
        if self.database > 0 {
            ask(&mut stream, &["SELECT", &self.database.to_string()])?;
        }
        stream.set_read_timeout(None)?;
        Ok(stream)
    }
}

/// Sends a command and reads its reply; an error reply is an error.
fn ask(stream: &mut TcpStream, words: &[&str]) -> io::Result<Vec<u8>> {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(request.as_bytes())?;
    let mut reply = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        reply.extend_from_slice(&chunk[..read]);
        let decoded = redis_protocol::resp3::decode::complete::decode_range(&reply)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        if decoded.is_some() {
            break;
        }
    }
    if reply.starts_with(b"-") {
        let text = String::from_utf8_lossy(&reply[1..]).trim_end().to_owned();
        return Err(io::Error::other(format!("{} was answered with: {text}", words[0])));
    }
    Ok(reply)
}

//! Which server, and how a connection to it is made: resolved, connected and greeted, before it belongs to a ring.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use super::DriveError;
use super::dialogue::Dialogue;

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
    /// Whether it is a cluster, whose map is to be read and followed.
    pub cluster: bool,
}

impl Target {
    /// The same for another server of its cluster.
    pub fn at(&self, server: &str) -> Self {
        Self { server: server.to_owned(), ..self.clone() }
    }

    /// Its addresses, IPv4 and IPv6.
    pub fn resolve(&self) -> Result<Vec<SocketAddr>, DriveError> {
        let found = self
            .server
            .to_socket_addrs()
            .map_err(|error| DriveError(format!("{}: {error}; expected is HOST:PORT", self.server)))?;
        let addresses: Vec<SocketAddr> = found.collect();
        if addresses.is_empty() {
            return Err(DriveError(format!("{} has no address", self.server)));
        }
        Ok(addresses)
    }

    /// A conversation with it, greeted.
    pub fn talk(&self) -> Result<Dialogue, DriveError> {
        let mut last = None;
        for address in self.resolve()? {
            match self.greet(address) {
                Ok(dialogue) => return Ok(dialogue),
                Err(error) => last = Some(error),
            }
        }
        let error = last.map_or("no address".to_owned(), |error| error.to_string());
        Err(DriveError(format!("{} cannot be connected to: {error}", self.server)))
    }

    fn greet(&self, address: SocketAddr) -> io::Result<Dialogue> {
        let mut dialogue = Dialogue::connect(address)?;
        if let Some((user, password)) = &self.auth {
            let user = if user.is_empty() { "default" } else { user };
            // With the name only if it is needed: servers before Redis 6 do not take one.
            if user == "default" {
                dialogue.ask(&["AUTH", password])?;
            } else {
                dialogue.ask(&["AUTH", user, password])?;
            }
        }
        if self.resp3 {
            dialogue.hello3()?;
        }
        if self.database > 0 {
            dialogue.ask(&["SELECT", &self.database.to_string()])?;
        }
        Ok(dialogue)
    }
}

//! The flags that say which server is meant.

use std::fmt;
use std::str::FromStr;

use clap::Args;

use super::process;
use super::shape::ProtocolName;
use crate::drive::Target;

/// Port of Redis.
const PORT: u16 = 6379;

/// The server.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Server")]
pub struct TargetFlags {
    /// The server; without a port, 6379
    #[arg(long, short = 's', visible_alias = "host", value_name = "HOST:PORT", default_value = "127.0.0.1")]
    pub server: String,
    /// Its port, if --server does not name it
    #[arg(long, short = 'p', value_name = "PORT")]
    pub port: Option<u16>,
    /// Password
    #[arg(long, short = 'a', value_name = "TEXT", env = "REDISCLI_AUTH", hide_env_values = true)]
    pub password: Option<Password>,
    /// User that the password is for [default: the default user]
    #[arg(long, value_name = "NAME", requires = "password")]
    pub user: Option<String>,
    /// Database to select
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    pub db: u32,
    /// Speak RESP3
    #[arg(long)]
    pub resp3: bool,
    /// What the server speaks
    #[arg(long, value_enum, value_name = "NAME", default_value_t, hide_possible_values = false)]
    pub protocol: ProtocolName,
    /// The server is a node of a cluster: ask each node for what is its own. A hundred keys share a hash tag then
    #[arg(long, conflicts_with_all = ["shared", "db"])]
    pub cluster: bool,
    /// The server answers for all keys, whatever stands behind it (as without --cluster)
    #[arg(long)]
    pub shared: bool,
    /// Process of the server, to report its CPU time; `auto` finds it if it runs on this machine
    #[arg(long, value_name = "PID")]
    pub server_pid: Option<ServerPid>,
}

/// A password, which is not for printing.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(pub String);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(...)")
    }
}

/// The server's process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ServerPid {
    /// This one.
    Known(u32),
    /// The one that listens on the port.
    Auto,
}

impl FromStr for ServerPid {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(pid @ 1..)) => Ok(Self::Known(pid)),
            _ => Err("it must be the number of a process, or auto".to_owned()),
        }
    }
}

impl TargetFlags {
    /// The server and how to greet it. The error is a sentence.
    pub fn target(&self) -> Result<Target, String> {
        if self.protocol == ProtocolName::Memcached
            && (self.resp3 || self.db > 0 || self.password.is_some() || self.cluster)
        {
            return Err("memcached has no --resp3, no --db, no --password and no --cluster".to_owned());
        }
        let user = self.user.clone().unwrap_or_default();
        Ok(Target {
            server: self.address()?,
            auth: self.password.as_ref().map(|password| (user, password.0.clone())),
            database: self.db,
            resp3: self.resp3,
            cluster: self.cluster,
        })
    }

    /// The server's process, if it was asked for. The error is a sentence.
    pub fn server_pid(&self) -> Result<Option<u32>, String> {
        match self.server_pid {
            None => Ok(None),
            Some(ServerPid::Known(pid)) => Ok(Some(pid)),
            Some(ServerPid::Auto) => process::listening_on(&self.address()?).map(Some),
        }
    }

    /// `host:port`.
    fn address(&self) -> Result<String, String> {
        let server = self.server.as_str();
        let (host, port) = match server.rsplit_once(':') {
            // An IPv6 address in brackets, or without them and thus without a port.
            Some((host, port)) if host.starts_with('[') && host.ends_with(']') => (host.to_owned(), Some(port)),
            Some((host, _)) if host.contains(':') || server.starts_with('[') => match server.starts_with('[') {
                true => (server.to_owned(), None),
                false => (format!("[{server}]"), None),
            },
            Some((host, port)) => (host.to_owned(), Some(port)),
            None => (server.to_owned(), None),
        };
        let named = match port.map(str::parse::<u16>) {
            Some(Ok(port)) if !host.is_empty() => Some(port),
            None if !host.is_empty() => None,
            _ => return Err(format!("--server {server} is not understood: expected is HOST:PORT")),
        };
        match (named, self.port) {
            (Some(named), Some(port)) if named != port => {
                Err(format!("--server names port {named}, and --port names {port}"))
            }
            (named, port) => Ok(format!("{host}:{}", named.or(port).unwrap_or(PORT))),
        }
    }
}

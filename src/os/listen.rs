//! TCP sockets to listen on: one for each core and address, none shared with another server.
//!
//! With SO_REUSEPORT each core has a listening socket of its own on the same port, and the kernel spreads connections
//! over them. The danger is a second server of the same user: it would join the group and take half of the
//! connections. So the first socket of an address does without:
//!
//! ```text
//! first:   bind, listen          exclusive: fails while anybody listens there, whatever the addresses' overlap
//!          SO_REUSEPORT          from now on others may join ...
//! others:  SO_REUSEPORT, bind, listen
//! ```
//!
//! A second server begins with its own exclusive bind, which fails as long as one socket of ours listens. Two that
//! start at the same time may both bind, but `listen` checks again, so at most one gets the address. The kernel itself is
//! the lock: it is held from the first `listen` to the last close, covers overlapping addresses, and leaves nothing behind.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, sockopt};

use crate::config::BindAddress;
use crate::limits::LISTEN_PATIENCE_MS;

/// The sockets that listen on one address.
#[derive(Debug)]
pub struct TcpListeners {
    /// The address, with the port that the kernel chose where 0 was asked for.
    pub address: SocketAddr,
    /// One for each core, listening.
    pub sockets: Vec<OwnedFd>,
}

/// Why an address cannot be listened on; prints as a sentence.
#[derive(Debug)]
pub struct ListenError {
    pub(super) address: String,
    pub(super) cause: io::Error,
}

impl ListenError {
    /// What the system said.
    pub fn cause(&self) -> &io::Error {
        &self.cause
    }

    /// Whether this machine does not have the address or its family at all.
    fn is_missing_address(&self) -> bool {
        let missing = [
            Errno::ADDRNOTAVAIL,
            Errno::AFNOSUPPORT,
            Errno::PFNOSUPPORT,
            Errno::PROTONOSUPPORT,
            Errno::SOCKTNOSUPPORT,
            Errno::NOPROTOOPT,
        ];
        Errno::from_io_error(&self.cause).is_some_and(|errno| missing.contains(&errno))
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remedy = match self.cause.kind() {
            io::ErrorKind::AddrInUse => "address in use; stop the server that listens there, or choose another address",
            io::ErrorKind::AddrNotAvailable => {
                "this machine does not have the address; write - in front of it if it may be missing"
            }
            io::ErrorKind::PermissionDenied => {
                "permission denied; ports below 1024 need CAP_NET_BIND_SERVICE, a Unix socket a directory that can be written to"
            }
            _ => return write!(f, "cannot listen on {}: {}", self.address, self.cause),
        };
        write!(f, "cannot listen on {}: {remedy}", self.address)
    }
}

impl std::error::Error for ListenError {}

/// Listens on every address of `bind` that this machine has; one that it lacks is an error unless it is optional.
pub fn tcp_all(bind: &[BindAddress], port: u16, cores: usize, backlog: i32) -> Result<Vec<TcpListeners>, ListenError> {
    let mut all = Vec::with_capacity(bind.len());
    for address in bind {
        match tcp(SocketAddr::new(address.ip, port), cores, backlog) {
            Ok(listeners) => all.push(listeners),
            Err(error) if address.optional && error.is_missing_address() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Listens on one address with one socket for each of `cores`.
///
/// The kernel takes a ring apart some time after its process has ended, and until then the sockets that it accepts from
/// still listen. So an address in use is tried again for [`LISTEN_PATIENCE_MS`] before it counts as another server's.
pub fn tcp(address: SocketAddr, cores: usize, backlog: i32) -> Result<TcpListeners, ListenError> {
    let patience = Instant::now() + Duration::from_millis(LISTEN_PATIENCE_MS);
    loop {
        match tcp_sockets(address, cores, backlog) {
            Err(Errno::ADDRINUSE) if Instant::now() < patience => thread::sleep(Duration::from_millis(10)),
            result => {
                return result.map_err(|cause| ListenError { address: address.to_string(), cause: cause.into() });
            }
        }
    }
}

fn tcp_sockets(mut address: SocketAddr, cores: usize, backlog: i32) -> Result<TcpListeners, Errno> {
    let mut sockets = Vec::with_capacity(cores);
    for core in 0..cores {
        let socket = tcp_socket(address.ip())?;
        if core > 0 {
            sockopt::set_socket_reuseport(&socket, true)?;
        }
        rustix::net::bind(&socket, &address)?;
        rustix::net::listen(&socket, backlog)?;
        if core == 0 {
            sockopt::set_socket_reuseport(&socket, true)?;
            address = SocketAddr::try_from(rustix::net::getsockname(&socket)?)?;
        }
        sockets.push(socket);
    }
    Ok(TcpListeners { address, sockets })
}

/// A socket with what its connections inherit, so that accepting one takes no further call. It blocks: io_uring would
/// answer EAGAIN at once for one that does not, instead of waiting.
fn tcp_socket(ip: IpAddr) -> Result<OwnedFd, Errno> {
    let family = if ip.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, Some(ipproto::TCP))?;
    // Lets a restarted server bind while connections of the last one linger in TIME_WAIT.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    if ip.is_ipv6() {
        // `*` and `::*` are two addresses.
        sockopt::set_ipv6_v6only(&socket, true)?;
    }
    Ok(socket)
}

/// Has the kernel check on a silent peer after `seconds` (0: never), three times before it gives up. On a listening
/// socket it holds for the connections to come.
pub fn set_keepalive(socket: impl AsFd, seconds: u32) -> io::Result<()> {
    let socket = socket.as_fd();
    sockopt::set_socket_keepalive(socket, seconds != 0)?;
    if seconds != 0 {
        // The kernel takes at most 32767 for either.
        let idle = u64::from(seconds).min(32767);
        sockopt::set_tcp_keepidle(socket, Duration::from_secs(idle))?;
        sockopt::set_tcp_keepintvl(socket, Duration::from_secs((idle / 3).max(1)))?;
        sockopt::set_tcp_keepcnt(socket, 3)?;
    }
    Ok(())
}

/// A sentence if the kernel grants fewer waiting connections than `backlog`.
pub fn backlog_notice(backlog: i32) -> Option<String> {
    let granted: i32 = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?.trim().parse().ok()?;
    (granted < backlog).then(|| {
        format!("tcp-backlog is {backlog}, but the kernel grants {granted}; to have it, set sysctl net.core.somaxconn={backlog}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};

    const LOCALHOST: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    fn in_use(address: SocketAddr, cores: usize) {
        // Without the patience for a server that is going down.
        assert_eq!(tcp_sockets(address, cores, 16).unwrap_err(), Errno::ADDRINUSE, "{address}");
    }

    #[test]
    fn a_server_that_stays_is_told_of_in_the_end() {
        let first = tcp(LOCALHOST, 1, 16).unwrap();
        let error = tcp(first.address, 1, 16).unwrap_err();
        assert_eq!(error.cause().kind(), io::ErrorKind::AddrInUse, "{error}");
        assert!(error.to_string().contains("address in use"), "{error}");
    }

    #[test]
    fn every_core_gets_connections() {
        let TcpListeners { address, sockets } = tcp(LOCALHOST, 3, 128).unwrap();
        let clients: Vec<_> = (0..64).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut accepted = 0;
        for socket in sockets {
            let listener = TcpListener::from(socket);
            listener.set_nonblocking(true).unwrap();
            let own = std::iter::from_fn(|| listener.accept().ok()).count();
            assert!(own > 0, "a socket got no connection");
            accepted += own;
        }
        assert_eq!(accepted, clients.len());
    }

    #[test]
    fn a_second_server_is_refused_whatever_the_overlap() {
        let first = tcp(LOCALHOST, 2, 16).unwrap();
        let port = first.address.port();
        in_use(first.address, 1);
        in_use(first.address, 2);
        in_use(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port), 2);
        drop(first);
        let wildcard = tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port), 2, 16).unwrap();
        in_use(SocketAddr::new(LOCALHOST.ip(), port), 2);
        drop(wildcard);
        assert!(tcp(SocketAddr::new(LOCALHOST.ip(), port), 2, 16).is_ok(), "nothing stays behind");
    }

    #[test]
    fn of_two_servers_that_start_together_one_gets_the_address() {
        for _ in 0..50 {
            // Without the patience that the loser would have with a server that is going down.
            let port = tcp(LOCALHOST, 1, 16).unwrap().address.port();
            let address = SocketAddr::new(LOCALHOST.ip(), port);
            let barrier = std::sync::Barrier::new(2);
            let start = || {
                barrier.wait();
                tcp_sockets(address, 2, 16)
            };
            let (left, right) = std::thread::scope(|scope| {
                let left = scope.spawn(start);
                let right = start();
                (left.join().unwrap(), right)
            });
            assert!(left.is_err() || right.is_err(), "both listen on {address}");
        }
    }

    #[test]
    fn a_restart_need_not_wait_for_old_connections() {
        let first = tcp(LOCALHOST, 2, 16).unwrap();
        let address = first.address;
        let client = TcpStream::connect(address).unwrap();
        for socket in first.sockets {
            // Whichever socket has the connection closes it first, which leaves TIME_WAIT on the server's side.
            let listener = TcpListener::from(socket);
            listener.set_nonblocking(true).unwrap();
            drop(listener.accept());
        }
        drop(client);
        assert!(tcp(address, 2, 16).is_ok());
    }

    #[test]
    fn connections_inherit_what_their_listener_has() {
        let listeners = tcp(LOCALHOST, 1, 16).unwrap();
        set_keepalive(&listeners.sockets[0], 90).unwrap();
        let _client = TcpStream::connect(listeners.address).unwrap();
        let listener = TcpListener::from(listeners.sockets.into_iter().next().unwrap());
        let (connection, _) = listener.accept().unwrap();
        assert!(connection.nodelay().unwrap());
        assert!(sockopt::socket_keepalive(&connection).unwrap());
        assert_eq!(sockopt::tcp_keepidle(&connection).unwrap(), Duration::from_secs(90));
        assert_eq!(sockopt::tcp_keepintvl(&connection).unwrap(), Duration::from_secs(30));
        set_keepalive(&connection, 0).unwrap();
        assert!(!sockopt::socket_keepalive(&connection).unwrap());
        set_keepalive(&connection, u32::MAX).unwrap();
    }

    #[test]
    fn optional_addresses_may_be_missing_and_others_may_not() {
        // 192.0.2.0/24 is reserved for documentation: no machine has it.
        let address = |ip: [u8; 4], optional| BindAddress { ip: IpAddr::from(ip), optional };
        let bind = [address([127, 0, 0, 1], false), address([192, 0, 2, 1], true)];
        assert_eq!(tcp_all(&bind, 0, 1, 16).unwrap().len(), 1);
        let error = tcp_all(&[address([192, 0, 2, 1], false)], 0, 1, 16).unwrap_err();
        assert!(error.to_string().contains("192.0.2.1:0: this machine does not have the address"), "{error}");
    }

    #[test]
    fn both_families_share_a_port() {
        let any = |ip| BindAddress { ip, optional: true };
        let v4 = tcp(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0), 1, 16).unwrap();
        let both = tcp_all(&[any(IpAddr::V6(Ipv6Addr::UNSPECIFIED))], v4.address.port(), 1, 16);
        assert!(both.is_ok(), "{both:?}");
    }
}

//! Readiness for a service manager: a line to the datagram socket that it named, as sd_notify does.

use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The environment variable by which a service manager names its socket.
pub const SOCKET_VARIABLE: &str = "NOTIFY_SOCKET";

/// What a service manager is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Clients are served from now on.
    Ready,
    /// An orderly stop has begun.
    Stopping,
}

/// Tells the service manager whose socket is `target` (a path, or a name in the abstract namespace behind `@`).
pub fn notify(target: &str, state: State) -> io::Result<()> {
    let address = match target.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(target)?,
    };
    let line: &[u8] = match state {
        State::Ready => b"READY=1",
        State::Stopping => b"STOPPING=1",
    };
    let socket = UnixDatagram::unbound()?;
    // A manager that does not read must not hold up the server.
    socket.set_nonblocking(true)?;
    socket.send_to_addr(line, &address).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_socket_are_told() {
        let name = format!("corewise-notify-{}", std::process::id());
        let path = std::env::temp_dir().join(format!("{name}.sock"));
        let _ = std::fs::remove_file(&path);
        let receivers = [
            (format!("@{name}"), UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap()),
            (path.to_str().unwrap().to_owned(), UnixDatagram::bind(&path).unwrap()),
        ];
        for (target, receiver) in receivers {
            let mut line = [0; 32];
            for (state, text) in [(State::Ready, &b"READY=1"[..]), (State::Stopping, b"STOPPING=1")] {
                notify(&target, state).unwrap();
                let length = receiver.recv(&mut line).unwrap();
                assert_eq!(&line[..length], text);
            }
        }
        std::fs::remove_file(&path).unwrap();
        assert!(notify(path.to_str().unwrap(), State::Ready).is_err());
    }
}

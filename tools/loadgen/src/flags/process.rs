//! Finds the process that listens on a port of this machine: the socket in the kernel's table, and whoever has it open.

use std::fs;
use std::net::ToSocketAddrs;

/// The state LISTEN in the kernel's table.
const LISTEN: &str = "0A";

/// The process that listens on `address`. The error is a sentence.
pub(super) fn listening_on(address: &str) -> Result<u32, String> {
    let addresses = address.to_socket_addrs().map_err(|error| format!("{address}: {error}"))?;
    let Some(local) = addresses.into_iter().find(|address| address.ip().is_loopback()) else {
        return Err(format!("--server-pid auto finds a server at a loopback address only, and {address} is none"));
    };
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    let sockets: Vec<String> = tables.iter().flat_map(|table| listeners(table, local.port())).collect();
    let found = processes().find(|pid| has_open(*pid, &sockets));
    found.ok_or_else(|| format!("no process of yours listens on port {}: give --server-pid its number", local.port()))
}

/// The sockets of a table that listen on this port, as links of open files name them.
fn listeners(table: &str, port: u16) -> Vec<String> {
    let port = format!("{port:04X}");
    let socket = |line: &str| {
        let columns: Vec<&str> = line.split_ascii_whitespace().collect();
        let (local, state, inode) = (columns.get(1)?, columns.get(3)?, columns.get(9)?);
        let listens = *state == LISTEN && local.rsplit_once(':')?.1 == port;
        listens.then(|| format!("socket:[{inode}]"))
    };
    table.lines().skip(1).filter_map(socket).collect()
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn has_open(pid: u32, sockets: &[String]) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    files.filter_map(|file| fs::read_link(file.path()).ok()).any(|link| {
        let link = link.to_string_lossy();
        sockets.iter().any(|socket| *socket == link)
    })
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_listener_of_this_process_is_found() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let address = listener.local_addr().unwrap().to_string();
            assert_eq!(listening_on(&address), Ok(std::process::id()));
        }
        assert!(listening_on("192.0.2.1:6379").unwrap_err().contains("loopback"));
    }

    #[test]
    fn only_listeners_on_the_port_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                     \x20  0: 0100007F:18EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1\n\
                     \x20  1: 0100007F:18EB 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 222 1\n\
                     \x20  2: 0100007F:18EC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1\n";
        assert_eq!(listeners(table, 6379), ["socket:[111]"]);
        assert!(listeners("", 6379).is_empty());
    }
}

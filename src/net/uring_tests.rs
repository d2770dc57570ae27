//! The ring on a real kernel: slow readers, storms of resets, many connections, a tiny pool, two rings.
//!
//! Clients live on the same thread and are driven by turns, so nothing here waits for a clock.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use bytes::Bytes;

use super::{End, Event, Net, NetConfig, Wait, socket};
use crate::base::{ConnId, CoreId};
use crate::resp::Output;

/// Long enough that only a turn that is stuck lasts as long.
const STUCK: Wait = Wait::at_most(Duration::from_secs(10));

/// What the events of a turn were.
#[derive(Default)]
struct Turn {
    accepted: Vec<ConnId>,
    received: Vec<(ConnId, Vec<u8>)>,
    ended: Vec<(ConnId, End)>,
    stalled: usize,
    drained: usize,
    bells: usize,
}

fn turn(net: &mut Net, wait: Wait) -> Turn {
    net.wait(wait).unwrap();
    let mut turn = Turn::default();
    let mut fds = Vec::new();
    while let Some(event) = net.next_event() {
        match event {
            Event::Accepted { fd, .. } => fds.push(fd),
            Event::AcceptFailed { error, .. } => panic!("{error}"),
            Event::Received { conn, bytes } => turn.received.push((conn, bytes.to_vec())),
            Event::Ended { conn, why } => turn.ended.push((conn, why)),
            Event::Stalled { .. } => turn.stalled += 1,
            Event::Drained { .. } => turn.drained += 1,
            Event::Bell => turn.bells += 1,
        }
    }
    turn.accepted = fds.into_iter().map(|fd| net.adopt(fd)).collect();
    turn
}

fn config() -> NetConfig {
    NetConfig { receive_buffers: 64, receive_buffer_bytes: 4096, ..NetConfig::new(CoreId(0)) }
}

fn serving(config: &NetConfig) -> (Net, SocketAddr) {
    let mut net = Net::new(config).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // A listener in the wrong mode is put right.
    listener.set_nonblocking(true).unwrap();
    socket::set_no_delay(listener.as_fd()).unwrap();
    socket::set_keepalive(listener.as_fd(), Some(Duration::from_secs(300))).unwrap();
    net.listen(listener.into()).unwrap();
    (net, address)
}

fn connected(net: &mut Net, address: SocketAddr) -> (TcpStream, ConnId) {
    let client = TcpStream::connect(address).unwrap();
    client.set_nonblocking(true).unwrap();
    loop {
        if let Some(&conn) = turn(net, STUCK).accepted.first() {
            return (client, conn);
        }
    }
}

fn flat(bytes: &[u8]) -> Output {
    let mut output = Output::new();
    output.bytes_mut().extend_from_slice(bytes);
    output
}

/// Reads what there is; None at the end.
fn read_some(client: &mut impl Read, into: &mut Vec<u8>) -> Option<usize> {
    let mut buffer = [0; 65536];
    match client.read(&mut buffer) {
        Ok(0) => None,
        Ok(len) => {
            into.extend_from_slice(&buffer[..len]);
            Some(len)
        }
        Err(error) if error.kind() == ErrorKind::WouldBlock => Some(0),
        Err(error) => panic!("{error}"),
    }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len as u32 / 4).flat_map(|word| word.wrapping_mul(0x9E37_79B1).to_le_bytes()).collect()
}

#[test]
fn a_reader_that_pauses_gets_all_64_mib() {
    for large in [false, true] {
        let (mut net, address) = serving(&config());
        let (mut client, conn) = connected(&mut net, address);
        let expected = pattern(64 << 20);
        let mut output = Output::new();
        if large {
            for piece in expected.chunks(300_000) {
                output.bytes_mut().extend_from_slice(&piece[..100]);
                output.push_shared(Bytes::copy_from_slice(&piece[100..]));
            }
        } else {
            output.bytes_mut().extend_from_slice(&expected);
        }
        net.send(conn, output);
        // The reader pauses until the server has noticed, again and again.
        let (mut stalled, mut drained) = (0, 0);
        while stalled == 0 {
            stalled += turn(&mut net, STUCK).stalled;
        }
        let mut got = Vec::with_capacity(expected.len());
        while drained == 0 {
            for _ in 0..100 {
                read_some(&mut client, &mut got).unwrap();
            }
            let turn = turn(&mut net, Wait::NONE);
            drained += turn.drained;
            stalled += turn.stalled;
        }
        assert_eq!((stalled, drained, net.unsent_bytes(conn)), (1, 1, 0));
        while got.len() < expected.len() {
            read_some(&mut client, &mut got).unwrap();
        }
        assert!(got == expected, "bytes were lost or changed");
    }
}

#[test]
fn sixty_four_connections_echo() {
    const MESSAGES: usize = 50;
    for min_wait in [false, true] {
        let (mut net, address) = serving(&NetConfig { min_wait, ..config() });
        let mut clients: Vec<_> = (0..64).map(|_| connected(&mut net, address).0).collect();
        let message = |client: usize, number: usize| format!("client {client} message {number};").into_bytes();
        for number in 0..MESSAGES {
            for (index, client) in clients.iter_mut().enumerate() {
                client.write_all(&message(index, number)).unwrap();
            }
            let expected: usize = (0..64).map(|index| message(index, number).len()).sum();
            let mut echoed = 0;
            while echoed < expected {
                for (conn, bytes) in turn(&mut net, STUCK).received {
                    echoed += bytes.len();
                    net.send(conn, flat(&bytes));
                }
            }
        }
        net.wait(Wait::NONE).unwrap();
        for (index, mut client) in clients.into_iter().enumerate() {
            let expected: Vec<u8> = (0..MESSAGES).flat_map(|number| message(index, number)).collect();
            let mut got = Vec::new();
            while got.len() < expected.len() {
                read_some(&mut client, &mut got).unwrap();
            }
            assert!(got == expected);
        }
    }
}

#[test]
fn a_storm_of_resets_leaves_nothing_behind() {
    let (mut net, address) = serving(&config());
    for _ in 0..10 {
        let clients: Vec<_> = (0..20).map(|_| connected(&mut net, address)).collect();
        for (client, conn) in &clients {
            (&*client).write_all(b"PING\r\n").unwrap();
            net.send(*conn, flat(&[b'x'; 1000]));
        }
        net.wait(Wait::NONE).unwrap();
        // Closing with unread bytes resets the connection; half of the servers learn of it by sending.
        let conns: Vec<_> = clients.into_iter().map(|(_, conn)| conn).collect();
        for conn in conns.iter().step_by(2) {
            net.send(*conn, flat(&vec![b'y'; 1 << 20]));
        }
        let mut ended = 0;
        while ended < conns.len() {
            for (conn, why) in turn(&mut net, STUCK).ended {
                assert_eq!(why, End::Reset);
                net.close(conn, false);
                ended += 1;
            }
        }
    }
    while net.connections() > 0 {
        turn(&mut net, Wait::NONE);
    }
}

#[test]
fn a_half_closed_client_still_gets_its_answer() {
    let (mut net, address) = serving(&config());
    let (mut client, conn) = connected(&mut net, address);
    client.write_all(b"PING\r\n").unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut ended = Vec::new();
    while ended.is_empty() {
        let turn = turn(&mut net, STUCK);
        for (conn, _) in turn.received {
            net.send(conn, flat(b"+PONG\r\n"));
        }
        ended = turn.ended;
    }
    assert_eq!(ended, [(conn, End::PeerClosed)]);
    net.close(conn, true);
    while net.connections() > 0 {
        turn(&mut net, Wait::NONE);
    }
    let mut got = Vec::new();
    while read_some(&mut client, &mut got).is_some() {}
    assert_eq!(got, b"+PONG\r\n");
}

#[test]
fn an_exhausted_pool_only_delays() {
    let (mut net, address) = serving(&NetConfig { receive_buffers: 2, receive_buffer_bytes: 64, ..config() });
    let mut clients: Vec<_> = (0..8).map(|_| connected(&mut net, address)).collect();
    let sent = pattern(40_000);
    for (client, _) in &mut clients {
        client.write_all(&sent).unwrap();
    }
    let mut got: Vec<Vec<u8>> = vec![Vec::new(); clients.len()];
    while got.iter().any(|got| got.len() < sent.len()) {
        for (conn, bytes) in turn(&mut net, STUCK).received {
            let place = clients.iter().position(|(_, known)| *known == conn).unwrap();
            got[place].extend(bytes);
        }
    }
    assert!(got.iter().all(|got| *got == sent));
}

#[test]
fn a_paused_connection_is_not_read() {
    let (mut net, address) = serving(&config());
    let (mut client, conn) = connected(&mut net, address);
    turn(&mut net, Wait::NONE);
    net.pause(conn);
    turn(&mut net, Wait::NONE);
    turn(&mut net, Wait::NONE);
    client.write_all(b"unheard").unwrap();
    assert!((0..10).all(|_| turn(&mut net, Wait::NONE).received.is_empty()));
    net.resume(conn);
    let mut received = Vec::new();
    while received.is_empty() {
        received = turn(&mut net, STUCK).received;
    }
    assert_eq!(received, [(conn, b"unheard".to_vec())]);
}

#[test]
fn a_bell_reaches_the_other_ring_and_a_dead_one_is_forgotten() {
    let mut here = Net::new(&config()).unwrap();
    let mut there = Net::new(&NetConfig { core: CoreId(1), ..config() }).unwrap();
    here.set_doorbells(vec![None, Some(there.doorbell())]);
    for _ in 0..3 {
        here.ring(CoreId(1));
        here.ring(CoreId(1));
        assert_eq!(turn(&mut here, Wait::NONE).bells, 0);
        assert_eq!(turn(&mut there, STUCK).bells, 1);
        assert_eq!(turn(&mut there, Wait::NONE).bells, 0);
    }
    drop(there);
    here.ring(CoreId(1));
    assert!((0..3).all(|_| turn(&mut here, Wait::NONE).bells == 0));
}

#[test]
fn unix_clients_are_served_and_a_listener_can_go() {
    let directory = std::env::temp_dir().join(format!("corewise-net-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("socket");
    let mut net = Net::new(&config()).unwrap();
    let listener = net.listen(OwnedFd::from(UnixListener::bind(&path).unwrap())).unwrap();
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"over unix").unwrap();
    let mut received = Vec::new();
    while received.is_empty() {
        received = turn(&mut net, STUCK).received;
    }
    assert_eq!(received[0].1, b"over unix");
    net.send(received[0].0, flat(b"back"));
    net.wait(Wait::NONE).unwrap();
    let mut got = [0; 4];
    client.read_exact(&mut got).unwrap();
    assert_eq!(&got, b"back");
    net.unlisten(listener);
    for _ in 0..3 {
        turn(&mut net, Wait::NONE);
    }
    assert_eq!(UnixStream::connect(&path).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn addresses_and_timeouts() {
    let (mut net, address) = serving(&config());
    let (client, conn) = connected(&mut net, address);
    let fd = net.descriptor(conn).unwrap();
    assert_eq!(socket::peer_address(fd.as_fd()).unwrap(), client.local_addr().unwrap());
    assert_eq!(socket::local_address(fd.as_fd()).unwrap(), address);
    // Nothing happens, so only the time can end this.
    turn(&mut net, Wait::NONE);
    let turn = turn(&mut net, Wait::at_most(Duration::from_micros(500)));
    assert!(turn.received.is_empty() && turn.ended.is_empty());
}

#[test]
fn a_connection_can_move_to_another_ring() {
    let (mut here, address) = serving(&config());
    let mut there = Net::new(&NetConfig { core: CoreId(1), ..config() }).unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    here.wait(STUCK).unwrap();
    let Some(Event::Accepted { fd, .. }) = here.next_event() else { panic!("nobody came") };
    let conn = there.adopt(fd);
    client.write_all(b"moved").unwrap();
    let mut received = Vec::new();
    while received.is_empty() {
        received = turn(&mut there, STUCK).received;
    }
    assert_eq!(received, [(conn, b"moved".to_vec())]);
    assert_eq!((here.connections(), there.connections()), (0, 1));
}

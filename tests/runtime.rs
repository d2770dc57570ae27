//! The process as its operator meets it: where it listens, how it ends, and what it costs while nothing happens.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use corewise_harness::{Client, Kind, Server, Variant, variants};

fn corewise() -> impl Iterator<Item = Variant> {
    variants().into_iter().filter(|variant| variant.kind == Kind::Corewise)
}

fn signal(server: &Server, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), server.pid().to_string()]).status();
    assert!(sent.expect("kill is everywhere").success());
}

#[test]
fn it_says_where_it_listens() {
    for variant in corewise() {
        let server = Server::start(&variant, &[]);
        let address = server.address().to_string();
        let deadline = Instant::now() + Duration::from_secs(10);
        // The cores serve at once; the line is written when all of them do.
        let line = loop {
            if let Some(line) = server.log().lines().find(|line| line.contains(&address)) {
                break line.to_owned();
            }
            assert!(Instant::now() < deadline, "{}: no line names {address}:\n{}", variant.name, server.log());
        };
        assert!(line.contains("core"), "{}: the line does not say how many cores: {line}", variant.name);
    }
}

#[test]
fn it_listens_on_a_unix_socket() {
    for variant in variants() {
        let path = std::env::temp_dir().join(format!("corewise-{}-{}.sock", variant.name, std::process::id()));
        let text = path.to_str().expect("a temporary path is text");
        let server = Server::start(&variant, &["--unixsocket", text]);
        let mut stream = UnixStream::connect(&path).unwrap_or_else(|error| panic!("{}: {text}: {error}", variant.name));
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a socket can be set so");
        stream.write_all(b"SET k unix\r\n").expect("it is connected");
        let mut reply = [0; 5];
        stream.read_exact(&mut reply).expect("a reply comes");
        assert_eq!(&reply, b"+OK\r\n", "{}", variant.name);
        assert_eq!(server.connect().ask("GET k").to_string(), "unix", "{}", variant.name);
        let _ = std::fs::remove_file(&path);
    }
}

#[test]
fn it_listens_on_ipv6() {
    let free = || TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    for variant in variants() {
        let Ok(address) = free() else {
            // Containers without IPv6 exist; CI has it.
            assert!(std::env::var_os("CI").is_none(), "CI needs IPv6 on the loopback interface");
            return;
        };
        let server = Server::spawn_at(&variant, address, &[]);
        assert_eq!(first_client(&server).ask("PING").to_string(), "+PONG", "{}", variant.name);
    }
}

/// Connects to a server that is about to listen. Until the kernel has taken the ring of its predecessor apart, that one's
/// sockets still listen, and whoever they take in is let go without an answer.
fn first_client(server: &Server) -> Client {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        if let Ok(mut client) = Client::try_connect(server.address())
            && client.try_send(b"PING\r\n").is_ok()
            && let Ok(Some(_)) = client.try_reply_within(Duration::from_secs(1))
        {
            return client;
        }
        assert!(Instant::now() < deadline, "{}: nobody answers\n{}", server.variant.name, server.log());
    }
}

#[test]
fn it_can_be_restarted_at_once() {
    for variant in variants() {
        for kill in ["TERM", "KILL"] {
            let mut first = Server::start(&variant, &[]);
            // Connections that the server closes are what the kernel keeps the address busy with.
            let clients: Vec<Client> = (0..5).map(|_| first.connect()).collect();
            signal(&first, kill);
            first.wait_exit(Duration::from_secs(10));
            let second = Server::spawn_at(&variant, first.address(), &[]);
            assert_eq!(first_client(&second).ask("PING").to_string(), "+PONG", "{} after {kill}", variant.name);
            drop(clients);
        }
    }
}

#[test]
fn two_interrupts_end_it_at_once() {
    for variant in corewise() {
        let mut server = Server::start(&variant, &[]);
        // Somebody keeps it from draining.
        let mut busy = server.connect();
        busy.send(b"*2\r\n$3\r\nGET\r\n$100\r\nhalf a request");
        signal(&server, "INT");
        signal(&server, "INT");
        server.wait_exit(Duration::from_secs(5));
    }
}

#[test]
fn an_empty_server_is_small_and_still() {
    for variant in corewise() {
        let server = Server::start(&variant, &[]);
        assert_eq!(server.connect().ask("SET k v").to_string(), "+OK");
        let resident = server.resident_bytes() >> 20;
        assert!(resident < 30, "{}: {resident} MiB without data", variant.name);
        let before = cpu_ticks(&server);
        // Stillness has no event to wait for: this is the time it is watched.
        std::thread::sleep(Duration::from_secs(1));
        let spent = cpu_ticks(&server) - before;
        assert!(spent <= 1, "{}: {spent} ticks of CPU in a second of nothing", variant.name);
    }
}

/// User and system time in ticks of 10 ms.
fn cpu_ticks(server: &Server) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.pid())).expect("the server runs");
    let fields: Vec<&str> = stat.rsplit(')').next().expect("one part at least").split_whitespace().collect();
    [11, 12].into_iter().map(|at| fields[at].parse::<u64>().expect("ticks")).sum()
}

/// Idle connections to measure by: many, so that what is paid once does not count, if the limit of open files allows.
fn idle_connections() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("Linux says what is allowed");
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).expect("open files are limited");
    let soft: u64 = line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(1024);
    (soft.saturating_sub(200) * 9 / 10).min(5000)
}

#[test]
fn an_idle_connection_costs_less_than_a_kibibyte() {
    let count = idle_connections();
    for variant in corewise() {
        let server = Server::start(&variant, &[]);
        let talk = |count: u64| -> Vec<Client> {
            let mut clients: Vec<Client> = (0..count).map(|_| server.connect()).collect();
            clients.iter_mut().for_each(|client| assert_eq!(client.ask("PING").to_string(), "+PONG"));
            clients
        };
        let first = talk(count / 10);
        let before = server.resident_bytes();
        let clients = talk(count);
        let each = server.resident_bytes().saturating_sub(before) / count;
        assert!(each < 1024, "{}: each of {count} idle connections costs {each} bytes", variant.name);
        drop((first, clients));
    }
}

#[test]
fn connections_are_spread_evenly_over_the_cores() {
    const CLIENTS: usize = 64;
    for variant in corewise().filter(Variant::is_multicore) {
        let server = Server::start(&variant, &[]);
        let mut clients: Vec<Client> = (0..CLIENTS)
            .map(|_| {
                let mut client = server.connect();
                assert_eq!(client.ask("PING").to_string(), "+PONG");
                client
            })
            .collect();
        let info = clients[0].ask("INFO cores").to_string();
        let counts: Vec<usize> = info
            .split("connections=")
            .skip(1)
            .filter_map(|rest| rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok())
            .collect();
        assert_eq!(counts.len(), 2, "{}: {info}", variant.name);
        assert!(counts.iter().sum::<usize>() >= CLIENTS, "{}: {counts:?}", variant.name);
        let (least, most) = (counts.iter().min().expect("two"), counts.iter().max().expect("two"));
        assert!(most - least <= CLIENTS / 8 + 1, "{}: {counts:?}", variant.name);
    }
}

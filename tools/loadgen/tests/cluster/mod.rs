//! A cluster of redis-servers on this machine.

use std::net::{Ipv4Addr, TcpListener};
use std::time::{Duration, Instant};

use corewise_harness::{Server, Variant};

/// How long a cluster may take to agree.
const PATIENCE: Duration = Duration::from_secs(30);

/// Running servers that know each other; the slots are shared out evenly.
pub(crate) struct Cluster {
    /// Its servers.
    pub(crate) servers: Vec<Server>,
}

impl Cluster {
    /// Starts `count` servers and waits until all of them call the cluster ok.
    pub(crate) fn start(redis: &Variant, count: usize) -> Cluster {
        let mut servers = Vec::new();
        let mut buses = Vec::new();
        for _ in 0..count {
            // The usual bus port, 10,000 above, may be beyond the last one.
            let bus = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
            let bus_text = bus.to_string();
            let flags = ["--cluster-enabled", "yes", "--cluster-port", &bus_text];
            servers.push(Server::start(redis, &flags));
            buses.push(bus);
        }
        let share = 16384usize.div_ceil(count);
        for (index, server) in servers.iter().enumerate() {
            let (first, last) = (index * share, ((index + 1) * share).min(16384) - 1);
            ask(server, &format!("CLUSTER ADDSLOTSRANGE {first} {last}"), "OK");
        }
        for (server, bus) in servers.iter().zip(&buses).skip(1) {
            ask(&servers[0], &format!("CLUSTER MEET 127.0.0.1 {} {bus}", server.address().port()), "OK");
        }
        let deadline = Instant::now() + PATIENCE;
        let agrees = |server: &Server| {
            let info = server.connect().ask("CLUSTER INFO").text();
            info.contains("cluster_state:ok") && info.contains(&format!("cluster_size:{count}"))
        };
        while !servers.iter().all(agrees) {
            assert!(Instant::now() < deadline, "the cluster does not agree");
            std::thread::sleep(Duration::from_millis(20));
        }
        Cluster { servers }
    }

    /// Moves a slot with its keys from one server to another.
    pub(crate) fn move_slot(&self, slot: u16, from: usize, to: usize) {
        let id = |index: usize| self.servers[index].connect().ask("CLUSTER MYID").text();
        let (from_id, to_id) = (id(from), id(to));
        let (from, to) = (&self.servers[from], &self.servers[to]);
        ask(to, &format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}"), "OK");
        ask(from, &format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}"), "OK");
        loop {
            let keys = from.connect().ask(&format!("CLUSTER GETKEYSINSLOT {slot} 10"));
            let keys: Vec<String> = keys.items().iter().map(|key| key.text()).collect();
            if keys.is_empty() {
                break;
            }
            let port = to.address().port();
            from.connect().ask(&format!("MIGRATE 127.0.0.1 {port} \"\" 0 5000 KEYS {}", keys.join(" ")));
        }
        for server in [to, from] {
            ask(server, &format!("CLUSTER SETSLOT {slot} NODE {to_id}"), "OK");
        }
    }
}

fn ask(server: &Server, line: &str, expected: &str) {
    let reply = server.connect().ask(line).text();
    assert!(reply.contains(expected), "{line}: {reply}");
}

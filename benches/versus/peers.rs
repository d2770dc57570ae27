//! The servers to compare: where they are found, how they are started alike, and what they are.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use corewise_harness::Client;

use crate::machine::version;

/// How long a server may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// What a server speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Redis,
    Memcached,
}

/// A server that may be on this machine.
pub(crate) struct Peer {
    /// What the report calls it.
    pub(crate) name: &'static str,
    protocol: Protocol,
    /// Where it is, if it is.
    program: Option<PathBuf>,
    /// Its flags; `PORT` stands for the port.
    flags: String,
}

/// Every server that is worth a comparison, redis-server first, because the others are measured by it. Each runs one
/// thread for commands and writes nothing to disk.
pub(crate) fn known(corewise_cpus: &str) -> Vec<Peer> {
    let peer = |name, program: &str, flags: &str| Peer {
        name,
        protocol: Protocol::Redis,
        program: on_path(program),
        flags: flags.to_owned(),
    };
    let redis = "--port PORT --bind 127.0.0.1 --save '' --appendonly no";
    vec![
        peer("redis-server", "redis-server", redis),
        peer("valkey-server", "valkey-server", redis),
        peer("keydb-server", "keydb-server", &format!("{redis} --server-threads 1")),
        peer("dragonfly", "dragonfly", "--port PORT --bind 127.0.0.1 --proactor_threads 1 --dbfilename ''"),
        peer("garnet", "garnet-server", "--port PORT --bind 127.0.0.1"),
        peer("kevy", "kevy", "--port PORT --bind 127.0.0.1"),
        peer("pogocache", "pogocache", "-p PORT -h 127.0.0.1 --threads=1"),
        Peer {
            protocol: Protocol::Memcached,
            ..peer("memcached", "memcached", "-p PORT -l 127.0.0.1 -U 0 -t 1 -m 1024 -u nobody")
        },
        Peer {
            program: Some(corewise_harness::program()),
            ..peer("corewise", "corewise", &format!("--port PORT --bind 127.0.0.1 --cpus {corewise_cpus}"))
        },
        Peer { program: floor(), ..peer("floor", "floor", "--port PORT") },
    ]
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// The newest build of `benches/floor`, which lies beside this program.
fn floor() -> Option<PathBuf> {
    let own = env::current_exe().ok()?;
    let entries = fs::read_dir(own.parent()?).ok()?.flatten();
    let builds = entries.map(|entry| entry.path()).filter(|path| {
        path.extension().is_none() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("floor-"))
    });
    builds.max_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).ok())
}

/// A started server; killed on drop.
pub(crate) struct Running {
    /// What the report calls it.
    pub(crate) name: &'static str,
    /// What it speaks.
    pub(crate) protocol: Protocol,
    /// Where it listens.
    pub(crate) port: u16,
    /// What it says of its version.
    pub(crate) version: String,
    child: Child,
}

impl Running {
    /// Starts a peer, pinned to one CPU unless it pins itself to several.
    pub(crate) fn start(peer: &Peer, cpu: usize) -> Result<Running, String> {
        let program = peer.program.as_ref().ok_or(match peer.name {
            "floor" => "it is not built; `cargo bench --bench floor --no-run` does that",
            _ => "it is not installed",
        })?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        drop(listener);
        let several = peer.name == "corewise" && peer.flags.contains([',', '-']) && !peer.flags.ends_with("--cpus 0");
        let mut command = if several {
            Command::new(program)
        } else {
            let mut pinned = Command::new("taskset");
            pinned.arg("-c").arg(cpu.to_string()).arg(program);
            pinned
        };
        let flags = peer.flags.split(' ').map(|flag| flag.trim_matches('\'').replace("PORT", &port.to_string()));
        command.args(flags).current_dir(env::temp_dir());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let version = version(program);
        let mut running = Running { name: peer.name, protocol: peer.protocol, port, version, child };
        running.wait_ready().map(|()| running)
    }

    fn wait_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("it ended at once: {status}"));
            }
            if let Ok(mut client) = Client::try_connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))) {
                // memcached's answer to its own question begins with a letter that RESP does not know.
                let answers = match self.protocol {
                    Protocol::Redis => {
                        client.try_send(b"*2\r\n$3\r\nGET\r\n$5\r\nready\r\n").is_ok() && client.try_reply().is_ok()
                    }
                    Protocol::Memcached => client.try_send(b"version\r\n").is_ok(),
                };
                if answers {
                    return Ok(());
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(format!("it does not answer on port {} within {START_PATIENCE:?}", self.port))
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

//! The servers to compare: where they are found, how they are started alike, and what they have spent.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use corewise_harness::Client;

/// How long a server may take until it answers.
const START_PATIENCE: Duration = Duration::from_secs(10);

/// A server that may be on this machine.
pub(crate) struct Peer {
    /// What the report calls it.
    pub(crate) name: &'static str,
    /// Where it is, if it is.
    program: Option<PathBuf>,
    /// Its flags, without the port.
    flags: Vec<String>,
    /// Why it cannot be driven, although it may be there.
    pub(crate) why_not: Option<&'static str>,
}

/// Every server that is worth a comparison, redis-server first, because the others are measured by it.
pub(crate) fn known(corewise_cpus: &str) -> Vec<Peer> {
    let flags = |line: &str| line.split(' ').map(|flag| flag.trim_matches('\'').to_owned()).collect::<Vec<_>>();
    let peer = |name, program, flags| Peer { name, program, flags, why_not: None };
    let redis_like = "--save '' --appendonly no --bind 127.0.0.1";
    vec![
        peer("redis-server", on_path("redis-server"), flags(redis_like)),
        peer("valkey-server", on_path("valkey-server"), flags(redis_like)),
        peer("keydb-server", on_path("keydb-server"), flags(&format!("{redis_like} --server-threads 1"))),
        Peer {
            why_not: Some("it speaks another protocol, and redis-benchmark drives the others"),
            ..peer("memcached", on_path("memcached"), Vec::new())
        },
        peer("corewise", Some(corewise_harness::program()), flags(&format!("--cpus {corewise_cpus} --bind 127.0.0.1"))),
        peer("floor", floor(), Vec::new()),
    ]
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(name)).find(|file| file.is_file())
}

/// The newest build of `benches/floor`, which lies beside this program.
fn floor() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
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
    /// Where it listens.
    pub(crate) port: u16,
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
        let several = peer.flags.iter().any(|flag| flag.contains(',') || flag.contains("0-"));
        let mut command = if several {
            Command::new(program)
        } else {
            let mut pinned = Command::new("taskset");
            pinned.arg("-c").arg(cpu.to_string()).arg(program);
            pinned
        };
        command.args(["--port", &port.to_string()]).args(&peer.flags).current_dir(std::env::temp_dir());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let mut running = Running { name: peer.name, port, child };
        running.wait_ready().map(|()| running)
    }

    fn wait_ready(&mut self) -> Result<(), String> {
        let deadline = Instant::now() + START_PATIENCE;
        while Instant::now() < deadline {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(format!("it ended at once: {status}"));
            }
            if let Ok(mut client) = Client::try_connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))) {
                let asked = client.try_send(b"*2\r\n$3\r\nGET\r\n$5\r\nready\r\n");
                if asked.is_ok() && client.try_reply().is_ok() {
                    return Ok(());
                }
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(format!("it does not answer on port {} within {START_PATIENCE:?}", self.port))
    }

    /// CPU time that the process has spent so far, user and system, in microseconds.
    pub(crate) fn cpu_us(&self) -> Result<f64, String> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))
            .map_err(|_| format!("{} went away", self.name))?;
        // The name, in parentheses, may hold blanks; user and system time are the 12th and 13th field behind it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
        let spent = ticks(11).zip(ticks(12)).map(|(user, system)| user + system);
        // Linux counts in hundredths of a second on every platform that Corewise runs on.
        spent.map(|ticks| ticks * 10_000.0).ok_or_else(|| format!("/proc/PID/stat reads {stat}"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

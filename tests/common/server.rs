//! A server process: started on a free port in a directory of its own, killed and cleaned up on drop.

use std::collections::VecDeque;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::variant::{Kind, Variant, program, redis_server};

/// How long a server may take until it answers its first PING.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// Pause between two looks at something that another process is about to do.
const POLL: Duration = Duration::from_millis(2);

/// A running server.
pub struct Server {
    child: Child,
    address: SocketAddr,
    directory: PathBuf,
    /// The variant it was started as.
    pub variant: Variant,
}

impl Server {
    /// Starts a server of this variant with further flags, and waits until it answers.
    pub fn start(variant: &Variant, flags: &[&str]) -> Server {
        // Between finding a free port and the server binding it somebody else may take it: try again elsewhere.
        for _ in 0..3 {
            match Self::try_start(variant, flags) {
                Ok(server) => return server,
                Err(log) if log.to_lowercase().contains("address") && log.to_lowercase().contains("in use") => {}
                Err(log) => panic!("{} did not start with {flags:?}:\n{log}", variant.name),
            }
        }
        panic!("{}: no free port in three attempts", variant.name);
    }

    /// The same with the server's output as the error if it ends before it answers.
    pub fn try_start(variant: &Variant, flags: &[&str]) -> Result<Server, String> {
        Self::spawn(variant, flags).until_it_answers()
    }

    /// Waits until the server answers; the error is its output if it ends before that.
    pub fn until_it_answers(self) -> Result<Server, String> {
        let mut server = self;
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            if let Ok(mut client) = Client::try_connect(server.address) {
                // With requirepass the answer is an error, which is an answer. A server that took another's port
                // does not get here: its child has ended by then.
                client.send(b"PING\r\n");
                let answered = client.try_reply().is_ok();
                if answered && server.exit_status().is_none() {
                    return Ok(server);
                }
            }
            if let Some(status) = server.exit_status() {
                return Err(format!("{status}\n{}", server.log()));
            }
            if Instant::now() > deadline {
                return Err(format!("no answer on {} for {START_PATIENCE:?}\n{}", server.address, server.log()));
            }
            std::thread::sleep(POLL);
        }
    }

    /// Starts the process without waiting for it to answer: for starts that are meant to fail.
    pub fn spawn(variant: &Variant, flags: &[&str]) -> Server {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        Self::spawn_at(variant, address, flags)
    }

    /// The same at a given address.
    pub fn spawn_at(variant: &Variant, address: SocketAddr, flags: &[&str]) -> Server {
        let command = match variant.kind {
            Kind::Corewise => Command::new(program()),
            Kind::Redis => {
                let mut command = Command::new(redis_server().expect("redis-server is installed"));
                command.args(["--save", "", "--appendonly", "no", "--loglevel", "warning"]);
                command
            }
        };
        Self::spawn_command(command, variant, address, flags)
    }

    /// The same by a command that becomes the server and takes its flags.
    pub fn spawn_by(launcher: Command, variant: &Variant, flags: &[&str]) -> Server {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        Self::spawn_command(launcher, variant, address, flags)
    }

    /// The same at a given address.
    pub fn spawn_command(mut command: Command, variant: &Variant, address: SocketAddr, flags: &[&str]) -> Server {
        let directory = new_directory();
        // Settings in the environment of the developer must not reach the server.
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COREWISE_")) {
            command.env_remove(name);
        }
        let log = |name: &str| File::create(directory.join(name)).expect("a file in a new directory");
        command
            .args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()])
            .args(["--enable-debug-command", "yes"])
            .args(&variant.flags)
            .args(flags)
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(log("stdout"))
            .stderr(log("stderr"));
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Server { child, address, directory, variant: variant.clone() }
    }

    /// A new connection.
    pub fn connect(&self) -> Client {
        Client::connect(self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its working directory, which holds `stdout` and `stderr`.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// How it ended, if it has.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the child is ours")
    }

    /// Waits until it has ended by itself; panics after `patience`.
    pub fn wait_exit(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.exit_status() {
                return status;
            }
            assert!(Instant::now() < deadline, "the server still runs after {patience:?}\n{}", self.log());
            std::thread::sleep(POLL);
        }
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        let read = |name: &str| std::fs::read(self.directory.join(name)).unwrap_or_default();
        let bytes = [read("stdout"), read("stderr")].concat();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Resident memory in bytes.
    pub fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the server runs");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("kilobytes") * 1024
    }
}

impl Drop for Server {
    #[expect(clippy::print_stderr, reason = "the server's last words explain a failing test")]
    fn drop(&mut self) {
        let status = self.child.try_wait().ok().flatten();
        let _ = self.child.kill();
        let _ = self.child.wait();
        // What redis-server says is only of interest if it went away.
        if std::thread::panicking() && (self.variant.kind == Kind::Corewise || status.is_some()) {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let tail = lines[lines.len().saturating_sub(8)..].join("\n");
            let state = status.map_or("was running".to_owned(), |status| format!("had ended: {status}"));
            eprintln!("--- {} {state}; its last words:\n{tail}\n---", self.variant.name);
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// Ports that are not given out again until so many others were: more than the servers that start at a time.
const RECENT_PORTS: usize = 256;

/// A TCP port of the loopback address that nobody listens on, and that no other test of this process has just been
/// given: its server would answer for ours while ours is still finding out that the port is taken.
fn free_port() -> u16 {
    static RECENT: Mutex<VecDeque<u16>> = Mutex::new(VecDeque::new());
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("the loopback address has free ports");
        let port = listener.local_addr().expect("it is bound").port();
        let mut recent = RECENT.lock().expect("nothing panics while it is held");
        if !recent.contains(&port) {
            recent.truncate(RECENT_PORTS - 1);
            recent.push_front(port);
            return port;
        }
    }
}

fn new_directory() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("corewise-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let directory = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    directory
}

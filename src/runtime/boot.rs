//! From a checked configuration to a node that serves, and back to nothing in order.

use std::fmt;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Barrier, Mutex, OnceLock};
use std::time::{Duration, Instant};

use glommio::{ExecutorJoinHandle, LocalExecutorBuilder, Placement};

use super::control::{self, CoreEnd, MainEnd, Wakened};
use super::core_loop::CoreLoop;
use super::facts::facts;
use super::log::{self, LevelHandle};
use crate::base::{CoreId, KeyHasher, Rng};
use crate::config::{Config, Lending};
use crate::engine::{Batch, Engine, EngineParts, ProcessFacts, Shared};
use crate::keyspace::Shard;
use crate::limits::{DRAIN_MS, EXECUTOR_IO_MEMORY, EXECUTOR_RING_DEPTH};
use crate::mesh::{self, LendingMode, Port};
use crate::net::{Doorbell, Net, NetConfig};
use crate::os::signals::Signals;
use crate::os::{Clock, UnixSocket, cpus, files, heap, listen, notify, probe, process, resource};

/// Why the server does not start or had to stop: a sentence.
#[derive(Debug)]
pub struct BootError(String);

impl fmt::Display for BootError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BootError {}

impl BootError {
    fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }
}

/// What a node is started with.
pub struct Start<'a> {
    /// The settings.
    pub config: Config,
    /// Where they were read from, for CONFIG REWRITE.
    pub config_file: Option<String>,
    /// Changes the log's level.
    pub level: LevelHandle,
    /// The signals of the process.
    pub signals: &'a Signals,
}

/// What is listening where; prints as the line at the start.
#[derive(Debug)]
pub struct Summary {
    /// TCP addresses.
    pub addresses: Vec<SocketAddr>,
    /// Path of the Unix socket.
    pub unixsocket: Option<String>,
    /// CPUs, a core on each.
    pub cpus: Vec<usize>,
    /// What the kernel offers.
    pub kernel: probe::Kernel,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut places: Vec<String> = self.addresses.iter().map(SocketAddr::to_string).collect();
        places.extend(self.unixsocket.clone());
        let cpus: Vec<String> = self.cpus.iter().map(usize::to_string).collect();
        let cores = if cpus.len() == 1 { "core" } else { "cores" };
        write!(
            f,
            "Corewise {} listens on {} with {} {cores} (CPU {}), {}",
            env!("CARGO_PKG_VERSION"),
            places.join(", "),
            cpus.len(),
            cpus.join(","),
            self.kernel
        )
    }
}

/// What one core thread is given.
struct CoreParts {
    core: CoreId,
    port: Port<Batch, Shard>,
    listeners: Vec<OwnedFd>,
    control: CoreEnd,
    node: Arc<Node>,
}

/// What the core threads share while they start.
pub(super) struct Node {
    config: Arc<Config>,
    config_file: Option<String>,
    level: LevelHandle,
    facts: Arc<ProcessFacts>,
    shared: Arc<Shared>,
    hasher: KeyHasher,
    doorbells: Vec<OnceLock<Doorbell>>,
    /// All rings are there.
    rings: Barrier,
    failure: Mutex<Option<String>>,
}

/// Starts a node, calls `ready` when it serves, and returns when it has stopped in order.
pub fn run(start: Start<'_>, ready: impl FnOnce(&Summary)) -> Result<(), BootError> {
    let Start { config, config_file, level, signals } = start;
    heap::set_up();
    let kernel = probe::kernel().map_err(BootError::new)?;
    let allowed =
        cpus::allowed().map_err(|error| BootError(format!("the CPUs of this process are unknown: {error}")))?;
    let cpus = cpus::choose(config.cpus.as_ref(), &allowed, cpus::quota()).map_err(BootError::new)?;
    let cores = cpus.len();
    make_room_for_clients(&config, cores);
    let mut addresses = Vec::new();
    let mut listeners: Vec<Vec<OwnedFd>> = (0..cores).map(|_| Vec::new()).collect();
    if config.port > 0 {
        let all = listen::tcp_all(&config.bind, config.port, cores, config.tcp_backlog).map_err(BootError::new)?;
        for of_address in all {
            addresses.push(of_address.address);
            of_address.sockets.into_iter().zip(&mut listeners).for_each(|(socket, of_core)| of_core.push(socket));
        }
    }
    let unix = match &config.unixsocket {
        Some(path) => {
            let socket = UnixSocket::listen(path, config.unixsocketperm, config.tcp_backlog).map_err(BootError::new)?;
            listeners[0].push(socket.as_fd().try_clone_to_owned().map_err(BootError::new)?);
            Some(socket)
        }
        None => None,
    };
    if addresses.is_empty() && unix.is_none() {
        return Err(BootError::new(
            "there is nothing to listen on: port is 0 and unixsocket is not set, or no address of bind exists here",
        ));
    }
    let (main_end, core_ends) = control::pairs(cores).map_err(BootError::new)?;
    let lending = match config.lending {
        Lending::Never => LendingMode::Never,
        Lending::Usual => LendingMode::Usual,
        Lending::Always => LendingMode::Always,
    };
    let seed = chance()?;
    let summary = Summary {
        addresses,
        unixsocket: config.unixsocket.clone(),
        cpus: cpus.as_slice().iter().map(|cpu| usize::from(*cpu)).collect(),
        kernel,
    };
    let node = Arc::new(Node {
        config: Arc::new(config),
        facts: Arc::new(facts(config_file.as_deref(), run_id()?)),
        config_file,
        level,
        shared: Arc::new(Shared::new(cores)),
        hasher: KeyHasher::new(seed),
        doorbells: (0..cores).map(|_| OnceLock::new()).collect(),
        rings: Barrier::new(cores + 1),
        failure: Mutex::new(None),
    });
    let ports = mesh::connect::<Batch, Shard>(cores, lending);
    let mut threads = Vec::with_capacity(cores);
    for (((port, listeners), control), cpu) in ports.into_iter().zip(listeners).zip(core_ends).zip(cpus.as_slice()) {
        let core = port.core();
        threads.push(start_core(usize::from(*cpu), CoreParts { core, port, listeners, control, node: node.clone() })?);
    }
    node.rings.wait();
    if let Some(failure) = node.failure() {
        return Err(BootError(failure));
    }
    ready(&summary);
    tell_manager(notify::State::Ready);
    let outcome = attend(&main_end, signals, cores);
    for thread in threads {
        if let Err(error) = thread.join() {
            tracing::error!(%error, "a core thread did not end in order");
        }
    }
    drop(unix);
    outcome.and_then(|()| node.failure().map_or(Ok(()), |failure| Err(BootError(failure))))
}

/// A number by chance.
fn chance() -> Result<u64, BootError> {
    process::seed().map_err(|error| BootError(format!("the system gives no random numbers: {error}")))
}

/// 40 hexadecimal digits by chance: which run of the server this is.
fn run_id() -> Result<String, BootError> {
    let mut rng = Rng::with_seed(chance()?);
    Ok((0..40).filter_map(|_| char::from_digit(rng.u32(..16), 16)).collect())
}

impl Node {
    fn failure(&self) -> Option<String> {
        self.failure.lock().ok().and_then(|failure| failure.clone())
    }

    /// Applies changed settings that are no core's own.
    pub(super) fn reconfigure(&self, config: &Config) {
        if let Err(error) = self.level.modify(|level| *level = log::filter(config.loglevel)) {
            tracing::warn!(%error, "the log level cannot be changed");
        }
        make_room_for_clients(config, self.doorbells.len());
    }

    /// Writes the settings into the file that they came from.
    pub(super) fn rewrite(&self, config: &Config) -> Result<(), String> {
        let Some(path) = &self.config_file else { return Err("there is no configuration file".to_owned()) };
        let text = files::read_text(path)?;
        files::replace_text(path, &crate::config::rewrite(config, &text)).map_err(|error| error.to_string())
    }

    fn fail(&self, why: String) {
        if let Ok(mut failure) = self.failure.lock() {
            failure.get_or_insert(why);
        }
    }
}

/// Raises the limit of open files to what `maxclients` needs, and says so if it cannot.
fn make_room_for_clients(config: &Config, cores: usize) {
    let wanted = resource::files_for(config.maxclients, cores);
    let files = resource::raise_open_files(wanted);
    if files < wanted {
        let clients = resource::clients_within(files, cores);
        tracing::warn!(
            maxclients = config.maxclients,
            files,
            "the limit of open files is enough for {clients} clients only; raise it (ulimit -n {wanted}, LimitNOFILE) or \
             lower maxclients"
        );
    }
    if let Some(notice) = listen::backlog_notice(config.tcp_backlog) {
        tracing::warn!("{notice}");
    }
}

/// Starts the executor of one core, pinned to `cpu`.
fn start_core(cpu: usize, parts: CoreParts) -> Result<ExecutorJoinHandle<()>, BootError> {
    let core = parts.core;
    LocalExecutorBuilder::new(Placement::Fixed(cpu))
        .name(&format!("corewise-{core}"))
        .io_memory(EXECUTOR_IO_MEMORY)
        .ring_depth(EXECUTOR_RING_DEPTH)
        .spawn(move || async move {
            let node = parts.node.clone();
            if let Err(why) = serve(parts) {
                node.fail(why);
            }
        })
        .map_err(|error| {
            BootError(format!("the executor of core {core} cannot start on CPU {cpu}: {error}; check --cpus and the limit of locked memory"))
        })
}

/// The life of a core thread.
fn serve(parts: CoreParts) -> Result<(), String> {
    let CoreParts { core, port, listeners, control, node } = parts;
    let net = Net::new(&NetConfig { min_wait: node.config.min_wait, ..NetConfig::new(core) });
    if let Ok(net) = &net {
        let _ = node.doorbells[core.index()].set(net.doorbell());
    } else if let Err(error) = &net {
        node.fail(format!("the ring of core {core} cannot be made: {error}"));
    }
    node.rings.wait();
    let mut net = net.map_err(|error| error.to_string())?;
    if node.failure().is_some() {
        return Ok(());
    }
    let doorbells = node.doorbells.iter().enumerate();
    net.set_doorbells(doorbells.map(|(index, bell)| bell.get().copied().filter(|_| index != core.index())).collect());
    let engine = Engine::new(EngineParts {
        port,
        config: node.config.clone(),
        shared: node.shared.clone(),
        hasher: node.hasher.clone(),
        seed: process::seed().map_err(|error| error.to_string())?,
        stopwatch: Clock::mono_us,
        facts: node.facts.clone(),
        now: Clock::now(),
    });
    let mut core_loop = CoreLoop::new(net, engine, control, node.clone()).map_err(|error| error.to_string())?;
    for listener in listeners {
        core_loop.listen(listener).map_err(|error| format!("core {core} cannot listen: {error}"))?;
    }
    core_loop.run().map_err(|error| format!("core {core} had to stop: {error}"))
}

/// The life of the main thread: until a signal, a client or a broken core ends it.
fn attend(cores: &MainEnd, signals: &Signals, count: usize) -> Result<(), BootError> {
    let mut drained = 0;
    let mut deadline: Option<Instant> = None;
    loop {
        let begin_to_stop = match cores.wait(signals, deadline).map_err(BootError::new)? {
            Wakened::Signal => match signals.next().map_err(BootError::new)? {
                Some(signal) => {
                    tracing::info!(
                        ?signal,
                        "stopping: no new clients, output still leaves; a second SIGINT stops at once"
                    );
                    signals.let_interrupt_kill().map_err(BootError::new)?;
                    true
                }
                None => false,
            },
            Wakened::Said(control::SHUTDOWN) => {
                tracing::info!("stopping: a client asked for it (SHUTDOWN)");
                true
            }
            Wakened::Said(_) => {
                drained += 1;
                false
            }
            Wakened::Ended(core) => {
                tracing::error!(core, "a core has ended: the node stops");
                drained = count;
                false
            }
            Wakened::Late => {
                drained = count;
                false
            }
        };
        if begin_to_stop && deadline.is_none() {
            tell_manager(notify::State::Stopping);
            deadline = Some(Instant::now() + Duration::from_millis(DRAIN_MS));
            cores.tell_all(control::STOP);
        }
        if drained >= count {
            cores.tell_all(control::EXIT);
            return Ok(());
        }
    }
}

fn tell_manager(state: notify::State) {
    let Ok(target) = std::env::var(notify::SOCKET_VARIABLE) else { return };
    if let Err(error) = notify::notify(&target, state) {
        tracing::warn!(%error, target, "the service manager cannot be told");
    }
}

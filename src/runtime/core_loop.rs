//! The loop of one core: what the ring brings goes into the engine, what the engine wants goes to the ring.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use super::boot::Node;
use super::control::{self, CoreEnd};
use crate::base::{ConnId, CoreId};
use crate::engine::{Effect, Engine, Input, Sleep};
use crate::limits::{EVENTS_LEFT_MAX, TURN_COMMANDS_MIN, TURN_EVENTS};
use crate::metrics::TurnMeter;
use crate::net::{self, End, Event, ListenerId, Net, NetError, Wait};
use crate::os::{Clock, listen};
use crate::session::Peer;

/// One core at work.
pub(super) struct CoreLoop {
    net: Net,
    engine: Engine,
    control: CoreEnd,
    node: Arc<Node>,
    /// The connection over which the main thread speaks.
    control_conn: ConnId,
    listeners: Vec<ListenerId>,
    stopping: Stopping,
    /// When the last turn ended, on the monotonic clock.
    turn_end_us: u64,
    meter: TurnMeter,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stopping {
    No,
    /// Clients are being let go.
    Draining,
    /// The main thread knows that they are gone.
    Drained,
    /// The loop ends.
    Exit,
}

impl CoreLoop {
    pub(super) fn new(mut net: Net, engine: Engine, control: CoreEnd, node: Arc<Node>) -> io::Result<Self> {
        let control_conn = net.adopt(control.receiver()?);
        Ok(Self {
            net,
            engine,
            control,
            node,
            control_conn,
            listeners: Vec::new(),
            stopping: Stopping::No,
            turn_end_us: 0,
            meter: TurnMeter::default(),
        })
    }

    pub(super) fn listen(&mut self, socket: OwnedFd) -> io::Result<()> {
        self.listeners.push(self.net.listen(socket)?);
        Ok(())
    }

    /// Turns until the main thread says that it is enough.
    pub(super) fn run(&mut self) -> Result<(), NetError> {
        self.engine.begin(Clock::now());
        self.engine.finish();
        while self.stopping != Stopping::Exit {
            self.carry_out();
            let wait = if self.net.backlog() > 0 { Wait::NONE } else { self.sleep() };
            let waited = self.net.wait(wait);
            self.engine.wake();
            waited?;
            self.turn();
            // What is left holds buffers of the pool: above a limit it is worked off before the kernel may bring more.
            while self.net.backlog() > EVENTS_LEFT_MAX {
                self.carry_out();
                self.turn();
            }
            self.drain();
        }
        Ok(())
    }

    /// Parks the shard if nothing is to be done, and says for how long.
    fn sleep(&mut self) -> Wait {
        let wait = match self.engine.sleep() {
            Sleep::No => Wait::NONE,
            Sleep::Until(None) => Wait::FOREVER,
            Sleep::Until(Some(deadline_us)) => {
                Wait::at_most(Duration::from_micros(deadline_us.saturating_sub(self.turn_end_us)))
            }
        };
        if self.engine.expects_mail() { wait.promptly() } else { wait }
    }

    /// One turn of the engine, and a look at how long it took.
    fn turn(&mut self) {
        self.meter.begin(Clock::thread_cpu_us);
        let now = Clock::now();
        self.engine.begin(now);
        self.take_events();
        self.engine.finish();
        self.turn_end_us = Clock::monotonic_us();
        let wall_us = self.turn_end_us - now.mono_us;
        let took_us = self.meter.end(wall_us, self.engine.longest_turn_us(), Clock::thread_cpu_us);
        self.engine.turn_took(took_us);
    }

    /// Takes events until there are no more, or enough for one turn: so many, or such as take so long.
    fn take_events(&mut self) {
        let mut taken = 0;
        let before = self.engine.commands();
        while taken < TURN_EVENTS
            && !(self.engine.commands() - before > TURN_COMMANDS_MIN && self.engine.is_turn_over())
            && let Some(event) = self.net.next_event()
        {
            taken += 1;
            match event {
                Event::Received { conn, bytes } if conn == self.control_conn => {
                    let last = bytes.last().copied();
                    self.hear(last);
                }
                Event::Received { conn, bytes } => self.engine.input(Input::Received { conn, bytes }),
                Event::Accepted { fd, .. } => self.accepted(fd),
                Event::AcceptFailed { error, .. } => {
                    tracing::warn!(%error, "a client cannot be taken in; raise the limit of open files if there are too few");
                }
                Event::Ended { conn, .. } if conn == self.control_conn => self.stopping = Stopping::Exit,
                Event::Ended { conn, why } => {
                    let broken = !matches!(why, End::PeerClosed);
                    self.engine.input(Input::Ended { conn, broken });
                }
                Event::Stalled { conn } => {
                    let unsent = self.net.unsent_bytes(conn);
                    self.engine.input(Input::Stalled { conn, unsent });
                }
                Event::Drained { conn } => self.engine.input(Input::Drained { conn }),
                Event::Bell => {}
            }
        }
    }

    /// A client has come: here, or to a core that has fewer.
    fn accepted(&mut self, fd: OwnedFd) {
        let home = self.engine.home_for_connection();
        if home == self.engine.core() {
            self.adopt(fd);
        } else {
            self.engine.hand_over(home, fd);
        }
    }

    fn adopt(&mut self, fd: OwnedFd) {
        let peer = peer(&fd);
        if !peer.unix
            && let Err(error) = listen::set_keepalive(&fd, self.engine.config().tcp_keepalive_s)
        {
            tracing::debug!(%error, client = peer.address, "keep-alive cannot be set");
        }
        let conn = self.net.adopt(fd);
        self.engine.input(Input::Accepted { conn, peer });
    }

    fn carry_out(&mut self) {
        while let Some(effect) = self.engine.next_effect() {
            match effect {
                Effect::Send(conn) => {
                    let output = self.engine.take_output(conn);
                    self.net.send(conn, output);
                    // Only then will it be told of the end; what merely waits for its turn leaves without a word.
                    if self.net.is_stalled(conn) {
                        let unsent = self.net.unsent_bytes(conn);
                        self.engine.input(Input::Stalled { conn, unsent });
                    }
                    self.engine.recycle(self.net.spare_output());
                }
                Effect::Close { conn, last: None } => self.net.close(conn, false),
                Effect::Close { conn, last: Some(output) } => {
                    self.net.send(conn, output);
                    self.net.close(conn, true);
                }
                Effect::Pause(conn) => self.net.pause(conn),
                Effect::Resume(conn) => self.net.resume(conn),
                Effect::Adopt(fd) => self.adopt(fd),
                Effect::Ring(core) => self.net.ring(core),
                Effect::Stall(us) => std::thread::sleep(Duration::from_micros(us)),
                Effect::Reconfigured(config) => {
                    if self.engine.core() == CoreId(0) {
                        self.node.reconfigure(&config);
                    }
                }
                Effect::RewriteConfig { ticket, config } => {
                    let outcome = self.node.rewrite(&config);
                    self.engine.input(Input::ConfigRewritten { ticket, outcome });
                }
                Effect::Shutdown => self.control.tell(control::SHUTDOWN),
            }
        }
    }

    /// The main thread has spoken.
    fn hear(&mut self, word: Option<u8>) {
        match word {
            Some(control::STOP) if self.stopping == Stopping::No => {
                self.stopping = Stopping::Draining;
                self.listeners.drain(..).for_each(|listener| self.net.unlisten(listener));
                self.engine.stop();
            }
            Some(control::EXIT) => self.stopping = Stopping::Exit,
            _ => {}
        }
    }

    /// Tells the main thread when all clients are gone.
    fn drain(&mut self) {
        const CONTROL_ONLY: usize = 1;
        if self.stopping == Stopping::Draining && self.engine.clients() == 0 && self.net.connections() <= CONTROL_ONLY {
            self.stopping = Stopping::Drained;
            self.control.tell(control::DRAINED);
        }
    }
}

/// Where a client comes from.
fn peer(fd: &OwnedFd) -> Peer {
    let descriptor = fd.as_raw_fd();
    match (net::socket::peer_address(fd.as_fd()), net::socket::local_address(fd.as_fd())) {
        (Ok(address), Ok(local)) => Peer {
            address: canonical(address).to_string(),
            local_address: canonical(local).to_string(),
            unix: false,
            loopback: canonical(address).ip().is_loopback(),
            descriptor,
        },
        _ => Peer { address: String::new(), local_address: String::new(), unix: true, loopback: true, descriptor },
    }
}

fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

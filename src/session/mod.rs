//! One client without a socket: what it has negotiated, what it has sent and not yet been answered, and its replies.
//!
//! A session does not know how bytes arrive or leave, and it runs no command itself: the engine feeds it and asks it
//! where the next reply goes ([`Pipeline`]). Invariant: replies leave in the order of the requests, wherever and whenever
//! each was answered.

mod input;
mod pipeline;
mod queue;

use std::collections::{BTreeMap, VecDeque};

pub use input::Input;
pub use pipeline::Pipeline;
pub use queue::Queue;

use crate::base::{ClientId, ConnId};
use crate::command::CommandId;
use crate::keyspace::Version;
use crate::pubsub::{Kind, Subscriptions};
use crate::resp::Protocol;
use crate::txn::TxnId;

/// Where a client comes from, as CLIENT LIST shows it.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// Its address: `127.0.0.1:5000`, `[::1]:5000`, or the socket's path and `:0`.
    pub address: String,
    /// The address that it connected to.
    pub local_address: String,
    /// The connection came over a Unix socket.
    pub unix: bool,
    /// The connection came from this machine.
    pub loopback: bool,
    /// Descriptor, for CLIENT LIST.
    pub descriptor: i32,
}

/// Which replies a client wants (CLIENT REPLY).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplyMode {
    /// All.
    On,
    /// None.
    Off,
    /// Not that of the next command.
    Skip,
}

/// Why a session does not go on with its next request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// It goes on.
    Ready,
    /// A request that needs all cores, or several, is under way; nothing may overtake it.
    Busy,
    /// The next queued command of an EXEC is to be run.
    Executing,
    /// The next request waits until all earlier ones are answered.
    Draining,
    /// The core that owns the next key owes too many replies.
    NoCredit,
    /// CLIENT PAUSE holds its next request.
    Paused,
    /// The client does not read its replies.
    Stuffed,
    /// No further request is run; the connection closes when its output has left.
    Closing,
}

/// The place of a reply that nobody wants (CLIENT REPLY OFF).
pub const NO_PLACE: u32 = u32::MAX;

/// What a client has said of how its commands are to meet the keyspace; it travels with each of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Selected {
    /// SELECT.
    pub database: u16,
    /// CLIENT NO-TOUCH: commands leave the time of the last access as it is.
    pub no_touch: bool,
}

/// An EXEC that is under way.
#[derive(Clone, Copy, Debug)]
pub struct Executing {
    /// Its number in the engine's books.
    pub number: u32,
    /// The transaction that holds its keys, once it does.
    pub holder: Option<TxnId>,
    /// Commands that were queued, and the bytes that they take.
    pub commands: usize,
    /// See [`Executing::commands`].
    pub memory_bytes: usize,
    /// The connection is to be closed when it has ended: when what the client is owed has left, or at once.
    pub closes: Option<Closing>,
}

/// How a connection is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Closing {
    /// When the output has left.
    AfterOutput,
    /// At once.
    Now,
}

/// One client.
#[derive(Debug)]
pub struct Session {
    /// CLIENT ID.
    pub id: ClientId,
    /// Its connection on this core.
    pub conn: ConnId,
    /// Where it comes from.
    pub peer: Box<Peer>,
    /// Negotiated by HELLO.
    pub protocol: Protocol,
    /// Selected database.
    pub database: u16,
    /// It has given the password, or none is needed.
    pub authenticated: bool,
    /// CLIENT REPLY.
    pub reply_mode: ReplyMode,
    /// CLIENT NO-EVICT.
    pub no_evict: bool,
    /// CLIENT NO-TOUCH.
    pub no_touch: bool,
    /// The client is fed by MONITOR.
    pub monitoring: bool,
    /// What it is subscribed to; `None` if to nothing.
    pub subscriptions: Option<Box<Subscriptions>>,
    /// CLIENT SETNAME.
    pub name: Option<Box<str>>,
    /// CLIENT SETINFO LIB-NAME.
    pub library_name: Option<Box<str>>,
    /// CLIENT SETINFO LIB-VER.
    pub library_version: Option<Box<str>>,
    /// When it came, in microseconds since 1970.
    pub connected_us: u64,
    /// When it last sent a request, in microseconds since 1970.
    pub active_us: u64,
    /// Its last command.
    pub last_command: Option<CommandId>,
    /// Requests run so far.
    pub commands: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Bytes handed to the network.
    pub sent_bytes: u64,
    /// What it has queued since MULTI.
    pub queue: Option<Box<Queue>>,
    /// Keys that it watches, each with its database and what it was like.
    pub watched: BTreeMap<(u16, Box<[u8]>), Version>,
    /// Its EXEC.
    pub executing: Option<Executing>,
    /// Whether it goes on.
    pub state: State,
    /// Bytes that are not yet a whole request, or that wait for their turn.
    pub input: Option<Box<Input>>,
    /// Its replies.
    pub pipeline: Pipeline,
    /// Handed to the network and not yet taken by the client, when last asked.
    pub unsent_bytes: usize,
    /// Since when that has been above the soft limit, on the monotonic clock.
    pub above_soft_since_us: Option<u64>,
    /// It holds more output than it may, and is closed at the end of the turn.
    pub overfull: bool,
    /// Reading from its socket is suspended.
    pub reading_paused: bool,
    /// Its peer sends nothing more.
    pub ended: bool,
    /// In the engine's list of sessions with something to send.
    pub listed: bool,
    /// In the engine's list of sessions whose input goes on.
    pub runnable: bool,
}

impl Session {
    /// A client that has just come.
    pub fn new(id: ClientId, conn: ConnId, peer: Peer, authenticated: bool, now_us: u64) -> Self {
        Self {
            id,
            conn,
            peer: Box::new(peer),
            protocol: Protocol::Resp2,
            database: 0,
            authenticated,
            reply_mode: ReplyMode::On,
            no_evict: false,
            no_touch: false,
            monitoring: false,
            subscriptions: None,
            name: None,
            library_name: None,
            library_version: None,
            connected_us: now_us,
            active_us: now_us,
            last_command: None,
            commands: 0,
            received_bytes: 0,
            sent_bytes: 0,
            queue: None,
            watched: BTreeMap::new(),
            executing: None,
            state: State::Ready,
            input: None,
            pipeline: Pipeline::default(),
            unsent_bytes: 0,
            above_soft_since_us: None,
            overfull: false,
            reading_paused: false,
            ended: false,
            listed: false,
            runnable: false,
        }
    }

    /// Back to how it came (RESET), but for its identity and its subscriptions, which others know of.
    pub fn reset(&mut self, authenticated: bool) {
        self.protocol = Protocol::Resp2;
        self.database = 0;
        self.authenticated = authenticated;
        self.reply_mode = ReplyMode::On;
        self.no_evict = false;
        self.no_touch = false;
        self.monitoring = false;
        self.name = None;
        self.queue = None;
    }

    /// Reserves the place of a reply that comes later, or [`NO_PLACE`] if the client does not want this one.
    #[inline]
    pub fn reserve_place(&mut self) -> u32 {
        if self.reply_mode == ReplyMode::On {
            return self.pipeline.reserve();
        }
        if self.reply_mode == ReplyMode::Skip {
            self.reply_mode = ReplyMode::On;
        }
        NO_PLACE
    }

    /// Whether it has a subscription.
    #[inline]
    pub fn is_subscriber(&self) -> bool {
        self.subscriptions.is_some()
    }

    /// Its subscriptions of one kind.
    pub fn subscribed(&self, kind: Kind) -> usize {
        self.subscriptions.as_ref().map_or(0, |subscriptions| subscriptions.count(kind))
    }

    /// Bytes that it holds in memory for its client: replies and messages, in its own hands and in those of the network.
    #[inline]
    pub fn output_bytes(&self) -> usize {
        self.pipeline.held_bytes() + self.unsent_bytes
    }

    /// How its next command meets the keyspace.
    #[inline]
    pub fn selected(&self) -> Selected {
        Selected { database: self.database, no_touch: self.no_touch }
    }

    /// A request was refused: what is queued, if anything is, will not run.
    pub fn refuse_queue(&mut self) {
        if let Some(queue) = &mut self.queue {
            queue.refuse();
        }
    }

    /// Has the connection closed once the EXEC that is under way has ended. False if there is none.
    pub fn closes_after_exec(&mut self, how: Closing) -> bool {
        match &mut self.executing {
            Some(executing) if executing.closes != Some(Closing::Now) => executing.closes = Some(how),
            _ => {}
        }
        self.executing.is_some()
    }

    /// Whether the client is gone, and its EXEC is not.
    pub fn is_broken(&self) -> bool {
        self.executing.is_some_and(|executing| executing.closes == Some(Closing::Now))
    }

    /// Bytes of commands that wait in it: sent and not yet looked at, and queued.
    pub fn waiting_bytes(&self) -> usize {
        self.input_bytes() + self.queue.as_ref().map_or(0, |queue| queue.memory_bytes())
    }

    /// Bytes that wait in it for being run.
    pub fn input_bytes(&self) -> usize {
        self.input.as_ref().map_or(0, |input| input.len())
    }
}

/// Sessions that wait for something, first come first served.
pub type WaitList = VecDeque<ConnId>;

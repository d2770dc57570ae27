//! The clients of all cores: CLIENT LIST, KILL, PAUSE, UNPAUSE, UNBLOCK.

use std::fmt::Write;
use std::sync::Arc;

use super::{Ask, Gathered, Handled, Refused, Told};
use crate::base::{ClientId, ConnId, CoreId, Now};
use crate::command::{Args, Command, CommandId, Flags, number};
use crate::engine::mail::{Handle, Rare};
use crate::engine::{Engine, Pause};
use crate::keyspace::Version;
use crate::limits::SLICE_SESSIONS;
use crate::pubsub::Kind;
use crate::resp::{Protocol, Reply, ReplyError};
use crate::session::{Closing, Session, State};

/// Which clients are meant. What is not named leaves the choice open.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(in crate::engine) struct ClientFilter {
    ids: Vec<u64>,
    kind: Option<ClientKind>,
    address: Option<Box<[u8]>>,
    local_address: Option<Box<[u8]>>,
    /// The asking client is not meant.
    skip: Option<ClientId>,
}

/// What CLIENT LIST TYPE tells apart. There are neither replicas nor masters yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ClientKind {
    Normal,
    Subscriber,
    Other,
}

impl ClientKind {
    fn parse(name: &[u8]) -> Result<Self, Refused> {
        match name.to_ascii_lowercase().as_slice() {
            b"normal" => Ok(Self::Normal),
            b"pubsub" => Ok(Self::Subscriber),
            b"master" | b"slave" | b"replica" => Ok(Self::Other),
            _ => Err(format!("ERR Unknown client type '{}'", String::from_utf8_lossy(name)).into()),
        }
    }
}

impl ClientKind {
    fn of(session: &Session) -> Self {
        if session.is_subscriber() { Self::Subscriber } else { Self::Normal }
    }
}

impl ClientFilter {
    /// Reads the arguments of `CLIENT LIST [TYPE type | ID id [id ...]]`.
    fn parse_list(args: &mut Args<'_>) -> Result<Self, Refused> {
        let mut filter = Self::default();
        match args.keyword_of(&["type", "id"]) {
            None if args.is_empty() => {}
            Some(0) if args.remaining() == 1 => filter.kind = Some(ClientKind::parse(args.next()?)?),
            Some(1) if !args.is_empty() => {
                while !args.is_empty() {
                    let id = args.int_or(ReplyError::InvalidClientId)?;
                    // No client has a number that is not positive; zero stands for it.
                    filter.ids.push(u64::try_from(id).unwrap_or(0));
                }
            }
            _ => return Err(ReplyError::Syntax.into()),
        }
        Ok(filter)
    }

    /// Reads the arguments of `CLIENT KILL filter value [filter value ...]`.
    fn parse_kill(args: &mut Args<'_>, asker: ClientId) -> Result<Self, Refused> {
        let mut filter = Self { skip: Some(asker), ..Self::default() };
        while !args.is_empty() {
            let keyword = args.keyword_of(&["id", "type", "addr", "laddr", "user", "skipme"]);
            let value = args.next()?;
            match keyword {
                Some(0) => {
                    let id = number::integer(value).and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0);
                    filter.ids = vec![id.ok_or(ReplyError::ClientIdNotPositive)?];
                }
                Some(1) => filter.kind = Some(ClientKind::parse(value)?),
                Some(2) => filter.address = Some(value.into()),
                Some(3) => filter.local_address = Some(value.into()),
                Some(4) if value == b"default" => {}
                Some(4) => return Err(format!("ERR No such user '{}'", String::from_utf8_lossy(value)).into()),
                Some(5) if value.eq_ignore_ascii_case(b"yes") => filter.skip = Some(asker),
                Some(5) if value.eq_ignore_ascii_case(b"no") => filter.skip = None,
                _ => return Err(ReplyError::Syntax.into()),
            }
        }
        Ok(filter)
    }

    fn lets_through(&self, session: &Session) -> bool {
        (self.ids.is_empty() || self.ids.contains(&session.id.0))
            && self.kind.is_none_or(|kind| kind == ClientKind::of(session))
            && self.address.as_deref().is_none_or(|address| *address == *session.peer.address.as_bytes())
            && self.local_address.as_deref().is_none_or(|address| *address == *session.peer.local_address.as_bytes())
            && self.skip.is_none_or(|skip| skip != session.id)
    }
}

/// A client as CLIENT LIST and CLIENT INFO show it, in a line without its end.
pub(in crate::engine) fn describe(session: &Session, now: Now) -> String {
    let seconds_since = |us: u64| now.unix_us.saturating_sub(us) / 1_000_000;
    let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    let (input_used, input_room) = session
        .input
        .as_ref()
        .map_or((0, 0), |input| (input.len(), input.capacity() - input.len().min(input.capacity())));
    let (ready, held) = (session.pipeline.ready_bytes(), session.pipeline.held_bytes());
    let unsent = session.output_bytes();
    let subscriptions = session.subscriptions.as_ref().map_or(0, |subscriptions| subscriptions.bytes());
    let queued = queued(session);
    let queue_bytes = queued.map_or(0, |(_, bytes)| bytes) + watched_bytes(session);
    let memory = size_of::<Session>() + input_used + input_room + queue_bytes + unsent + subscriptions;
    let mut line = String::with_capacity(320);
    // Writing to a string does not fail.
    _ = write!(
        line,
        "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={} qbuf={} \
         qbuf-free={} argv-mem=0 multi-mem={} rbs={} rbp={} obl={} oll={} omem={} tot-mem={} events={} cmd={} \
         user=default redir=-1 resp={} lib-name={} lib-ver={}",
        session.id.0,
        session.peer.address,
        session.peer.local_address,
        session.peer.descriptor,
        text(&session.name),
        seconds_since(session.connected_us),
        seconds_since(session.active_us),
        flags(session),
        session.database,
        session.subscribed(Kind::Channel),
        session.subscribed(Kind::Pattern),
        session.subscribed(Kind::Shard),
        queued.map_or(-1, |(commands, _)| commands as i64),
        input_used,
        input_room,
        queue_bytes,
        held,
        held,
        ready,
        usize::from(session.unsent_bytes > 0),
        unsent,
        memory,
        if session.unsent_bytes > 0 { "rw" } else { "r" },
        session.last_command.map_or("NULL", |command| command.command().name),
        if session.protocol == Protocol::Resp3 { 3 } else { 2 },
        text(&session.library_name),
        text(&session.library_version),
    );
    line
}

/// Commands that wait for EXEC or are run by it, and the bytes that they take.
fn queued(session: &Session) -> Option<(usize, usize)> {
    let executing = session.executing.map(|executing| (executing.commands, executing.memory_bytes));
    executing.or_else(|| session.queue.as_ref().map(|queue| (queue.len(), queue.memory_bytes())))
}

/// Bytes that the names of watched keys take.
fn watched_bytes(session: &Session) -> usize {
    session.watched.iter().map(|((_, name), _)| name.len() + size_of::<((u16, Box<[u8]>), Version)>()).sum()
}

fn flags(session: &Session) -> String {
    let all = [
        ('O', session.monitoring),
        ('P', session.is_subscriber()),
        ('x', queued(session).is_some()),
        ('c', session.state == State::Closing),
        ('U', session.peer.unix),
        ('e', session.no_evict),
        ('T', session.no_touch),
    ];
    let set: String = all.into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag).collect();
    if set.is_empty() { "N".to_owned() } else { set }
}

/// A CLIENT LIST for one core that is under way.
#[derive(Debug)]
pub(in crate::engine) struct ClientsWalk {
    from: CoreId,
    handle: Handle,
    filter: Arc<ClientFilter>,
    next: usize,
    found: Vec<(ClientId, String)>,
}

impl ClientsWalk {
    pub(super) fn new(from: CoreId, handle: Handle, filter: Arc<ClientFilter>) -> Self {
        Self { from, handle, filter, next: 0, found: Vec::new() }
    }
}

/// The lines of all cores, in the order in which the clients came.
pub(super) fn answer(mut clients: Vec<(ClientId, String)>, reply: &mut Reply<'_>) {
    clients.sort_unstable();
    let mut lines = String::with_capacity(clients.iter().map(|(_, line)| line.len() + 1).sum());
    for (_, line) in &clients {
        lines.push_str(line);
        lines.push('\n');
    }
    reply.verbatim("txt", &lines);
}

pub(super) fn answer_killed(count: usize, by_address: bool, reply: &mut Reply<'_>) {
    match (by_address, count) {
        (true, 0) => reply.error(ReplyError::NoSuchClient),
        (true, _) => reply.ok(),
        (false, count) => reply.integer(count as i64),
    }
}

/// Asks.
impl Engine {
    pub(super) fn client_list(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let filter = Arc::new(ClientFilter::parse_list(args)?);
        Ok(self.ask_all(session, Ask::Clients(filter), Gathered::Clients(Vec::new())))
    }

    pub(super) fn client_kill(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let by_address = args.remaining() == 1;
        let filter = if by_address {
            ClientFilter { address: Some(args.next()?.into()), ..ClientFilter::default() }
        } else {
            ClientFilter::parse_kill(args, session.id)?
        };
        let ask = Ask::Kill { filter: Arc::new(filter), asker: session.id };
        Ok(self.ask_all(session, ask, Gathered::Killed { count: 0, asker: false, by_address }))
    }

    pub(super) fn client_pause(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        if args.remaining() > 2 {
            return Err(Refused::Subcommand);
        }
        let timeout = args.next()?;
        let writes_only = match args.keyword_of(&["write", "all"]) {
            Some(mode) => mode == 0,
            None if args.is_empty() => false,
            None => return Err(ReplyError::PauseMode.into()),
        };
        let timeout_ms = number::integer(timeout).ok_or(ReplyError::TimeoutNotInteger)?;
        let timeout_ms = u64::try_from(timeout_ms).map_err(|_| ReplyError::TimeoutNegative)?;
        let until_ms = self.now.unix_ms().saturating_add(timeout_ms);
        if i64::try_from(until_ms).is_err() {
            return Err(Refused::Text("ERR timeout is out of range".to_owned()));
        }
        Ok(self.ask_for_ok(session, Ask::Pause(Pause { until_ms, writes_only })))
    }

    /// No command blocks yet, so there is nobody to unblock.
    pub(super) fn client_unblock(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        if args.remaining() > 2 {
            return Err(Refused::Subcommand);
        }
        let id = args.next()?;
        if args.keyword_of(&["timeout", "error"]).is_none() && !args.is_empty() {
            return Err(ReplyError::UnblockReason.into());
        }
        number::integer(id).ok_or(ReplyError::NotInteger)?;
        Ok(self.answer(session, |_, reply| reply.integer(0)))
    }
}

/// Answers.
impl Engine {
    /// True when it is finished.
    pub(super) fn walk_clients(&mut self, walk: &mut ClientsWalk) -> bool {
        let now = self.now;
        let (sessions, next) = self.sessions.range(walk.next, SLICE_SESSIONS);
        let chosen = sessions.filter(|session| walk.filter.lets_through(session));
        walk.found.extend(chosen.map(|session| (session.id, describe(session, now))));
        if let Some(next) = next {
            walk.next = next;
            return false;
        }
        let told = Told::Clients(std::mem::take(&mut walk.found));
        self.write(walk.from, Rare::Told { handle: walk.handle, told });
        true
    }

    /// Closes clients. One that asks for its own end gets its reply first.
    pub(super) fn kill(&mut self, filter: &ClientFilter, asker: ClientId) -> Told {
        let chosen = self.sessions.iter().filter(|session| filter.lets_through(session));
        let chosen: Vec<(ClientId, ConnId)> = chosen.map(|session| (session.id, session.conn)).collect();
        let mut asks_itself = false;
        for (id, conn) in &chosen {
            if *id == asker {
                asks_itself = true;
            } else {
                self.close(*conn, false);
            }
        }
        Told::Killed { count: chosen.len(), asker: asks_itself }
    }

    /// Closes a connection once what it is owed has left.
    pub(super) fn close_after_reply(&mut self, conn: ConnId) {
        if let Some(session) = self.sessions.get_mut(conn) {
            if !session.closes_after_exec(Closing::AfterOutput) {
                session.state = State::Closing;
            }
            self.list_unsent(conn);
        }
    }

    /// A pause that holds everything back is not softened by one that holds writes back; the later end counts.
    pub(super) fn begin_pause(&mut self, pause: Pause) -> Told {
        let holds_all = self.pause.is_some_and(|before| !before.writes_only);
        self.pause = Some(Pause { writes_only: pause.writes_only && !holds_all, ..pause });
        Told::Done
    }

    /// Lets everything go on.
    pub(super) fn end_pause(&mut self) -> Told {
        self.pause = None;
        for conn in std::mem::take(&mut self.paused) {
            if let Some(session) = self.sessions.get_mut(conn)
                && session.state == State::Paused
                && !session.runnable
            {
                session.runnable = true;
                self.runnable.push_back(conn);
            }
        }
        Told::Done
    }

    /// Whether CLIENT PAUSE holds a command.
    pub(in crate::engine) fn is_paused(&self, session: &Session, command: &Command) -> bool {
        let queue = session.queue.as_ref().filter(|_| command.id == CommandId::Exec);
        let writes = command.flags.intersects(Flags::WRITE.with(Flags::MAY_REPLICATE));
        let is_write = writes || queue.is_some_and(|queue| queue.is_write());
        self.pause.is_some_and(|pause| !pause.writes_only || is_write)
    }

    /// Ends a CLIENT PAUSE whose time is over.
    pub(in crate::engine) fn check_pause(&mut self) {
        if self.pause.is_some_and(|pause| pause.until_ms < self.now.unix_ms()) {
            self.end_pause();
        }
    }
}

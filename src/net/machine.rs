//! The state machine: what is asked of the kernel in each turn, and what each of its answers means.

#![expect(unsafe_code, reason = "fence: one block, where output comes back from the kernel")]

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use slab::Slab;

use super::connection::{Closing, Connection, InKernel, Outgoing, Settled};
use super::kernel::{Completion, Doorbell, Enter, Kernel, Operation};
use super::lent::Lent;
use super::pacing::Pacing;
use super::token::{Kind, Token};
use super::uring::Uring;
use super::{End, Event, Features, Limit, ListenerId, NetConfig, NetError, Wait, socket};
use crate::base::{ConnId, CoreId};
use crate::limits::{
    ACCEPT_REST_MS, ACCEPT_REST_TURNS, CONNECTIONS_MAX, EVENTS_LEFT_MAX, SPARE_OUTPUT_BYTES_MAX, SPARE_OUTPUTS_MAX,
};
use crate::resp::Output;

/// Operations that one connection may need in one turn: a send, a receive or its cancel, a wait for room or its cancel.
const OPERATIONS_PER_CONNECTION: usize = 4;

/// The sockets of one core. See the [module](super) for how it is driven.
pub struct Net<K: Kernel = Uring> {
    kernel: K,
    core: CoreId,
    connections: Slab<Connection<K::Descriptor>>,
    /// Generation of the next connection.
    generation: u32,
    listeners: Vec<Option<Listener<K::Descriptor>>>,
    /// Connections whose wishes and kernel state may differ.
    dirty: Vec<u32>,
    /// Sends whose outcome is not known yet, in the order of pushing: what the kernel will have consumed by then, and
    /// the connection.
    sends: VecDeque<(u64, u32)>,
    /// A send of this turn has a sequel: the rest of its output, or the end of its connection. No completion announces
    /// that it can follow, so the turn must not wait for one.
    sequel: bool,
    /// Completions to be turned into events, from `next_completion` on.
    completions: Vec<Completion>,
    next_completion: usize,
    /// Events that no completion of this list stands for.
    notices: VecDeque<Notice>,
    bell_rang: bool,
    /// The receive buffer that the last event lent.
    lent_buffer: Option<u16>,
    spare: Vec<Output>,
    doorbells: Vec<Option<Doorbell>>,
    /// Cores to ring, one bit each.
    bells: u64,
    pacing: Pacing,
    min_wait: bool,
    /// A listener rests, and may go on since a connection has closed.
    rested: bool,
}

#[derive(Debug)]
struct Listener<Descriptor> {
    fd: Descriptor,
    accept: InKernel,
    open: bool,
    /// Turns that accepting rests for, as it failed for lack of something that only time or a closing connection gives
    /// back.
    rest_turns: u16,
}

#[derive(Debug)]
enum Notice {
    Ended(ConnId, End),
    Stalled(ConnId),
    Drained(ConnId),
}

impl Net<Uring> {
    /// Makes the ring of a core, on the thread that will drive it.
    pub fn new(config: &NetConfig) -> Result<Self, NetError> {
        let kernel = Uring::new(config)?;
        let min_wait = kernel.features().min_wait;
        Ok(Self::with_kernel(kernel, config.core, min_wait))
    }

    /// What the kernel offers and is in use.
    pub fn features(&self) -> Features {
        self.kernel.features()
    }

    /// Where other cores ring this one.
    pub fn doorbell(&self) -> Doorbell {
        self.kernel.doorbell()
    }

    /// Accepts connections from a listening socket (TCP or Unix) until [`unlisten`](Self::unlisten).
    pub fn listen(&mut self, fd: OwnedFd) -> io::Result<ListenerId> {
        socket::set_blocking(fd.as_fd())?;
        Ok(self.listen_on(fd))
    }
}

impl<K: Kernel> Net<K> {
    /// A net on this edge. `min_wait`: whether it can gather a batch.
    pub fn with_kernel(kernel: K, core: CoreId, min_wait: bool) -> Self {
        Self {
            kernel,
            core,
            connections: Slab::new(),
            generation: 0,
            listeners: Vec::new(),
            dirty: Vec::new(),
            sends: VecDeque::new(),
            sequel: false,
            completions: Vec::new(),
            next_completion: 0,
            notices: VecDeque::new(),
            bell_rang: false,
            lent_buffer: None,
            spare: Vec::new(),
            doorbells: Vec::new(),
            bells: 0,
            pacing: Pacing::default(),
            min_wait,
            rested: false,
        }
    }

    /// The other cores' doorbells, by core.
    pub fn set_doorbells(&mut self, doorbells: Vec<Option<Doorbell>>) {
        assert!(doorbells.len() <= u64::BITS as usize, "more cores than bits");
        self.doorbells = doorbells;
    }

    /// Accepts from a listener that is in blocking mode already.
    pub fn listen_on(&mut self, fd: K::Descriptor) -> ListenerId {
        let listener = Listener { fd, accept: InKernel::No, open: true, rest_turns: 0 };
        let place = self.listeners.iter().position(Option::is_none).unwrap_or(self.listeners.len());
        if place == self.listeners.len() {
            self.listeners.push(None);
        }
        self.listeners[place] = Some(listener);
        ListenerId(place as u32)
    }

    /// Stops accepting and closes the listener. Clients that were accepted already may still be announced.
    pub fn unlisten(&mut self, listener: ListenerId) {
        if let Some(Some(listener)) = self.listeners.get_mut(listener.0 as usize) {
            listener.open = false;
        }
    }

    /// Takes a connected socket (in blocking mode, as accepted sockets are) and reads from it from the next turn on.
    pub fn adopt(&mut self, fd: K::Descriptor) -> ConnId {
        assert!(self.connections.len() < CONNECTIONS_MAX, "connections of one core");
        self.generation = self.generation.wrapping_add(1);
        let index = self.connections.insert(Connection::new(fd, self.generation)) as u32;
        mark(&mut self.dirty, &mut self.connections[index as usize], index);
        ConnId { index, generation: self.generation }
    }

    /// Connections that have not been closed yet, those that are about to be included.
    pub fn connections(&self) -> usize {
        self.connections.len()
    }

    /// The socket of a connection, for its options and addresses.
    pub fn descriptor(&self, conn: ConnId) -> Option<&K::Descriptor> {
        self.connection(conn).map(|connection| &connection.fd)
    }

    /// Bytes that were handed over and have not left. Zero for a connection that is gone.
    pub fn unsent_bytes(&self, conn: ConnId) -> usize {
        self.connection(conn).map_or(0, Connection::unsent_bytes)
    }

    /// Whether the owner has been told of a short send ([`Event::Stalled`]) whose end is still to come.
    pub fn is_stalled(&self, conn: ConnId) -> bool {
        self.connection(conn).is_some_and(|connection| connection.stalled)
    }

    /// An empty output, from the pool of those that have been sent.
    pub fn spare_output(&mut self) -> Output {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes an output that was not sent into the pool.
    pub fn keep_output(&mut self, output: Output) {
        keep(&mut self.spare, output);
    }

    /// Sends `output` behind everything that was handed over before. All of a turn leaves by one send. Output for a
    /// connection that is gone or broken is dropped.
    pub fn send(&mut self, conn: ConnId, mut output: Output) {
        match lookup(&mut self.connections, conn) {
            Some(connection) if !connection.broken && connection.closing == Closing::Open => {
                if connection.queued.is_empty() {
                    mem::swap(&mut connection.queued, &mut output);
                } else {
                    connection.queued.append(&mut output);
                }
                mark(&mut self.dirty, connection, conn.index);
            }
            _ => {}
        }
        keep(&mut self.spare, output);
    }

    /// Closes a connection: at once, or when all output has left, which the caller may cut short by closing again. No
    /// event tells of it any more.
    pub fn close(&mut self, conn: ConnId, after_output: bool) {
        let Some(connection) = lookup(&mut self.connections, conn) else { return };
        if connection.closing != Closing::Now {
            connection.closing = if after_output { Closing::AfterOutput } else { Closing::Now };
            mark(&mut self.dirty, connection, conn.index);
        }
    }

    /// Stops reading. What the kernel has received already still comes.
    pub fn pause(&mut self, conn: ConnId) {
        self.set_reading(conn, false);
    }

    /// Reads again.
    pub fn resume(&mut self, conn: ConnId) {
        self.set_reading(conn, true);
    }

    fn set_reading(&mut self, conn: ConnId, reading: bool) {
        let Some(connection) = lookup(&mut self.connections, conn) else { return };
        if connection.reading != reading {
            connection.reading = reading;
            mark(&mut self.dirty, connection, conn.index);
        }
    }

    /// Rings another core, with this turn's enter. Once per turn, however often it is asked for.
    pub fn ring(&mut self, core: CoreId) {
        debug_assert!(self.doorbells.get(core.index()).is_some(), "no doorbell of core {core}");
        self.bells |= 1 << core.index();
    }

    /// One turn of the kernel: submits what the last turn wished for, waits as told, and takes the completions. Does not
    /// wait if events are left; of these there may be at most [`EVENTS_LEFT_MAX`]. An error is final.
    pub fn wait(&mut self, wait: Wait) -> Result<(), NetError> {
        self.return_buffer();
        debug_assert!(self.backlog() <= EVENTS_LEFT_MAX, "events that are left hold buffers of the pool");
        let everything_queued = self.queue_wishes()?;
        let how = self.how_to_enter(wait, everything_queued);
        self.enter(how)?;
        self.take_completions();
        self.pacing.turn(self.kernel.clock_us());
        self.settle_sends();
        Ok(())
    }

    /// The next thing that happened, until the turn has no more. Ends the loan of the last event's bytes.
    #[inline]
    pub fn next_event(&mut self) -> Option<Event<'_, K::Descriptor>> {
        self.return_buffer();
        while let Some(notice) = self.notices.pop_front() {
            let (conn, event) = match notice {
                Notice::Ended(conn, why) => (conn, Event::Ended { conn, why }),
                Notice::Stalled(conn) => (conn, Event::Stalled { conn }),
                Notice::Drained(conn) => (conn, Event::Drained { conn }),
            };
            // Whoever closed it meanwhile wants to hear no more of it.
            if self.connection(conn).is_some_and(|connection| connection.closing == Closing::Open) {
                return Some(event);
            }
        }
        if mem::take(&mut self.bell_rang) {
            return Some(Event::Bell);
        }
        while let Some(&completion) = self.completions.get(self.next_completion) {
            self.next_completion += 1;
            if completion.token.kind() == Some(Kind::Receive) {
                match self.receive_completed(&completion) {
                    Some(Got::Bytes(conn, buffer, len)) => {
                        let bytes = self.kernel.received(buffer, len);
                        return Some(Event::Received { conn, bytes });
                    }
                    Some(Got::End(conn, why)) => return Some(Event::Ended { conn, why }),
                    None => {}
                }
            } else if let Some(event) = self.accept_completed(&completion) {
                // Rebuilt, as it borrows nothing.
                return Some(match event {
                    Ok((listener, fd)) => Event::Accepted { listener, fd },
                    Err((listener, error)) => Event::AcceptFailed { listener, error },
                });
            }
        }
        None
    }

    #[cfg(test)]
    pub(super) fn kernel(&self) -> &K {
        &self.kernel
    }

    /// Completions that have not been made events of.
    pub fn backlog(&self) -> usize {
        self.completions.len() - self.next_completion
    }

    fn has_events(&self) -> bool {
        self.backlog() > 0 || !self.notices.is_empty() || self.bell_rang
    }

    #[inline]
    fn return_buffer(&mut self) {
        if let Some(buffer) = self.lent_buffer.take() {
            self.kernel.give_back(buffer);
        }
    }

    fn connection(&self, conn: ConnId) -> Option<&Connection<K::Descriptor>> {
        self.connections.get(conn.index as usize).filter(|connection| connection.generation == conn.generation)
    }

    // ---- before the enter ----

    /// Queues what connections, listeners and bells wish for. False if something had to stay behind.
    fn queue_wishes(&mut self) -> Result<bool, NetError> {
        // Sends that the last enter left open are settled by this one at the earliest.
        self.sequel = !self.sends.is_empty();
        self.queue_accepts()?;
        let dirty = mem::take(&mut self.dirty);
        for (looked_at, &index) in dirty.iter().enumerate() {
            if !self.make_room(OPERATIONS_PER_CONNECTION)? {
                self.dirty.extend_from_slice(&dirty[looked_at..]);
                return Ok(false);
            }
            self.reconcile(index);
        }
        if self.dirty.is_empty() {
            self.dirty = dirty;
            self.dirty.clear();
        }
        self.queue_bells()
    }

    /// Makes room for that many operations, by an early submission if need be. False if the kernel does not take any
    /// now.
    #[inline]
    fn make_room(&mut self, operations: usize) -> Result<bool, NetError> {
        if self.kernel.room() >= operations {
            return Ok(true);
        }
        self.enter(Enter { want: 0, min_wait_us: 0, timeout: None })?;
        Ok(self.kernel.room() >= operations)
    }

    /// Brings what a connection has in the kernel in line with what it should have.
    fn reconcile(&mut self, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        connection.dirty = false;
        let generation = connection.generation;
        let token = |kind| Token::new(kind, index, generation);
        if connection.broken || connection.closing == Closing::Now {
            drop_output(connection, &mut self.spare);
        }
        match mem::replace(&mut connection.outgoing, Outgoing::Idle) {
            Outgoing::Idle if !connection.queued.is_empty() => {
                let output = mem::take(&mut connection.queued);
                self.sends.push_back((push_send(&mut self.kernel, connection, output, 0, token(Kind::Send)), index));
                self.sequel |= connection.has_sequel();
            }
            Outgoing::Rest { output, sent } if !connection.full => {
                self.sends.push_back((push_send(&mut self.kernel, connection, output, sent, token(Kind::Send)), index));
                self.sequel |= connection.has_sequel();
            }
            Outgoing::Rest { output, sent } => {
                if connection.writable == InKernel::No {
                    self.kernel.push(Operation::Writable(&connection.fd), token(Kind::Writable));
                    connection.writable = InKernel::Yes;
                }
                connection.outgoing = Outgoing::Rest { output, sent };
            }
            other => connection.outgoing = other,
        }
        match (connection.receive, connection.wants_receive()) {
            (InKernel::No, true) => {
                self.kernel.push(Operation::Receive(&connection.fd), token(Kind::Receive));
                connection.receive = InKernel::Yes;
            }
            (InKernel::Yes, false) => {
                self.kernel.push(Operation::Cancel(token(Kind::Receive)), token(Kind::Cancel));
                connection.receive = InKernel::Ending;
            }
            _ => {}
        }
        if !connection.is_leaving() {
            return;
        }
        if connection.writable == InKernel::Yes {
            self.kernel.push(Operation::Cancel(token(Kind::Writable)), token(Kind::Cancel));
            connection.writable = InKernel::Ending;
        }
        if connection.is_quiet() {
            let token = token(Kind::Close);
            let connection = self.connections.remove(index as usize);
            self.kernel.push(Operation::Close(connection.fd), token);
            self.rested = true;
        }
    }

    fn queue_accepts(&mut self) -> Result<(), NetError> {
        let rested = mem::take(&mut self.rested);
        for place in 0..self.listeners.len() {
            let Some(listener) = &mut self.listeners[place] else { continue };
            listener.rest_turns = if rested { 0 } else { listener.rest_turns.saturating_sub(1) };
            match (listener.accept, listener.open) {
                (InKernel::No, true) if listener.rest_turns == 0 => {}
                (InKernel::Yes, false) => {}
                (InKernel::No, false) => {
                    self.listeners[place] = None;
                    continue;
                }
                _ => continue,
            }
            if !self.make_room(1)? {
                continue;
            }
            let Some(listener) = &mut self.listeners[place] else { continue };
            let token = Token::new(Kind::Accept, place as u32, 0);
            if listener.open {
                self.kernel.push(Operation::Accept(&listener.fd), token);
                listener.accept = InKernel::Yes;
            } else {
                self.kernel.push(Operation::Cancel(token), Token::new(Kind::Cancel, place as u32, 0));
                listener.accept = InKernel::Ending;
            }
        }
        Ok(())
    }

    fn queue_bells(&mut self) -> Result<bool, NetError> {
        while self.bells != 0 {
            if !self.make_room(1)? {
                return Ok(false);
            }
            let core = self.bells.trailing_zeros();
            self.bells &= self.bells - 1;
            if let Some(&Some(doorbell)) = self.doorbells.get(core as usize) {
                let bell = Token::new(Kind::Bell, u32::from(self.core.0), 0);
                self.kernel.push(Operation::Ring { doorbell, bell }, Token::new(Kind::Ring, core, 0));
            }
        }
        Ok(true)
    }

    fn how_to_enter(&self, wait: Wait, everything_queued: bool) -> Enter {
        let rest = self.resting().then_some(Duration::from_millis(ACCEPT_REST_MS));
        let timeout = match wait.limit {
            _ if !everything_queued || self.sequel || self.has_events() => Some(Duration::ZERO),
            Limit::None => Some(Duration::ZERO),
            Limit::AtMost(time) => Some(rest.map_or(time, |rest| rest.min(time))),
            Limit::Forever => rest,
        };
        if timeout == Some(Duration::ZERO) {
            return Enter { want: 0, min_wait_us: 0, timeout: None };
        }
        let (want, wait_us) = if wait.gather { self.pacing.want() } else { (1, 0) };
        if want == 1 || self.min_wait {
            return Enter { want, min_wait_us: wait_us, timeout };
        }
        // An older kernel gathers by a plain timeout. It may end with nothing, and the turn that follows is empty; the
        // pacing sees to it that this is rare.
        let gather = Duration::from_micros(u64::from(wait_us));
        Enter { want, min_wait_us: 0, timeout: Some(timeout.map_or(gather, |timeout| timeout.min(gather))) }
    }

    fn resting(&self) -> bool {
        self.listeners.iter().flatten().any(|listener| listener.rest_turns > 0)
    }

    fn enter(&mut self, how: Enter) -> Result<(), NetError> {
        self.kernel.enter(how).map_err(|error| NetError::Io { step: "io_uring_enter", error })
    }

    // ---- after the enter ----

    /// Takes what was posted: answers about output and bells at once, everything else to be made events of.
    fn take_completions(&mut self) {
        self.completions.drain(..self.next_completion);
        self.next_completion = 0;
        let Self { kernel, connections, dirty, completions, doorbells, bells, bell_rang, pacing, .. } = self;
        let mut taken = 0;
        kernel.take_completions(|completion| {
            taken += 1;
            let Completion { token, result, .. } = completion;
            let conn = ConnId { index: token.index(), generation: token.generation() };
            match token.kind() {
                Some(Kind::Receive) => {
                    if let Some(connection) = lookup(connections, conn) {
                        pacing.heard(&mut connection.window);
                    }
                    completions.push(completion);
                }
                Some(Kind::Accept) => completions.push(completion),
                Some(Kind::Send) => {
                    if let Some(connection) = lookup(connections, conn) {
                        connection.outcome = Some(result);
                    }
                }
                Some(Kind::Writable) => {
                    if let Some(connection) = lookup(connections, conn) {
                        connection.writable = InKernel::No;
                        connection.full = false;
                        mark(dirty, connection, conn.index);
                    }
                }
                Some(Kind::Bell) => *bell_rang = true,
                Some(Kind::Ring) => match -result {
                    // There is no such ring any more.
                    libc::EBADF | libc::EBADFD | libc::EOWNERDEAD => doorbells[token.index() as usize] = None,
                    _ => *bells |= 1 << token.index(),
                },
                // A cancel that missed its target: the target's own completion is on its way. A close that failed has
                // closed nevertheless.
                Some(Kind::Cancel | Kind::Close) | None => {}
            }
        });
        if taken == 0 && self.resting() {
            // The rest was as long as the wait, or the server is idle.
            self.rested = true;
        }
    }

    /// Ends the sends whose outcome is known: those that were consumed, unless completions are held back.
    fn settle_sends(&mut self) {
        if self.sends.is_empty() || self.kernel.overflowed() {
            return;
        }
        let consumed = self.kernel.consumed();
        while let Some(&(position, index)) = self.sends.front() {
            if position > consumed {
                break;
            }
            self.sends.pop_front();
            self.settle_send(index);
        }
    }

    fn settle_send(&mut self, index: u32) {
        let Some(connection) = self.connections.get_mut(index as usize) else { return };
        let conn = ConnId { index, generation: connection.generation };
        match settle(connection, &mut self.spare) {
            Settled::All => {
                if !connection.queued.is_empty() || connection.closing != Closing::Open {
                    mark(&mut self.dirty, connection, index);
                } else if mem::take(&mut connection.stalled) {
                    self.notices.push_back(Notice::Drained(conn));
                }
            }
            Settled::Part => mark(&mut self.dirty, connection, index),
            Settled::Full => {
                mark(&mut self.dirty, connection, index);
                if !mem::replace(&mut connection.stalled, true) && connection.closing == Closing::Open {
                    self.notices.push_back(Notice::Stalled(conn));
                }
            }
            Settled::Broken(why) => {
                connection.broken = true;
                mark(&mut self.dirty, connection, index);
                if !mem::replace(&mut connection.ended, true) && connection.closing == Closing::Open {
                    self.notices.push_back(Notice::Ended(conn, why));
                }
            }
        }
    }

    /// What a receive brought, if its connection still wants to hear of it.
    #[inline]
    fn receive_completed(&mut self, completion: &Completion) -> Option<Got> {
        // Whatever happens to the bytes, the buffer goes back when the next event is asked for.
        self.lent_buffer = completion.buffer;
        let conn = ConnId { index: completion.token.index(), generation: completion.token.generation() };
        let Some(connection) = lookup(&mut self.connections, conn) else {
            self.return_buffer();
            return None;
        };
        if !completion.more {
            connection.receive = InKernel::No;
            mark(&mut self.dirty, connection, conn.index);
        }
        let silent = connection.ended || connection.closing != Closing::Open;
        if let (Some(buffer), 1..) = (completion.buffer, completion.result)
            && !silent
        {
            return Some(Got::Bytes(conn, buffer, completion.result as usize));
        }
        self.return_buffer();
        let connection = lookup(&mut self.connections, conn)?;
        let why = if completion.more { None } else { Connection::<K::Descriptor>::end_of(completion.result) }?;
        connection.broken |= why != End::PeerClosed;
        connection.ended = true;
        (!silent).then_some(Got::End(conn, why))
    }

    fn accept_completed(&mut self, completion: &Completion) -> Option<Result<(ListenerId, K::Descriptor), Refused>> {
        let id = ListenerId(completion.token.index());
        let listener = self.listeners.get_mut(id.0 as usize)?.as_mut()?;
        if !completion.more {
            listener.accept = InKernel::No;
        }
        if completion.result >= 0 {
            return Some(Ok((id, self.kernel.accepted(completion))));
        }
        match -completion.result {
            // A client that gave up while it waited, or our own cancel.
            libc::ECONNABORTED | libc::EPROTO | libc::EINTR | libc::EAGAIN | libc::ECANCELED => None,
            code => {
                listener.rest_turns = ACCEPT_REST_TURNS;
                Some(Err((id, io::Error::from_raw_os_error(code))))
            }
        }
    }
}

impl<K: Kernel> Drop for Net<K> {
    fn drop(&mut self) {
        // Accepted sockets that nobody asked for yet are closed with their events.
        while self.next_event().is_some() {}
    }
}

type Refused = (ListenerId, io::Error);

/// What a receive brought, by number instead of by reference.
enum Got {
    Bytes(ConnId, u16, usize),
    End(ConnId, End),
}

#[inline]
fn lookup<D>(connections: &mut Slab<Connection<D>>, conn: ConnId) -> Option<&mut Connection<D>> {
    connections.get_mut(conn.index as usize).filter(|connection| connection.generation == conn.generation)
}

/// Notes that a connection must be looked at before the next enter.
#[inline]
fn mark<D>(dirty: &mut Vec<u32>, connection: &mut Connection<D>, index: u32) {
    if !mem::replace(&mut connection.dirty, true) {
        dirty.push(index);
    }
}

/// Keeps an output's buffer for reuse, unless there are enough or it is large.
#[inline]
fn keep(spare: &mut Vec<Output>, mut output: Output) {
    if output.capacity() > 0 && output.capacity() <= SPARE_OUTPUT_BYTES_MAX && spare.len() < SPARE_OUTPUTS_MAX {
        output.clear();
        spare.push(output);
    }
}

/// Forgets what has not been handed to the kernel.
fn drop_output<D>(connection: &mut Connection<D>, spare: &mut Vec<Output>) {
    keep(spare, mem::take(&mut connection.queued));
    connection.outgoing = match mem::replace(&mut connection.outgoing, Outgoing::Idle) {
        Outgoing::Rest { output, .. } => {
            keep(spare, output);
            Outgoing::Idle
        }
        other => other,
    };
}

/// Pushes a send and answers what the kernel will have consumed with it.
#[inline]
fn push_send<K: Kernel>(
    kernel: &mut K,
    connection: &mut Connection<K::Descriptor>,
    output: Output,
    sent: usize,
    token: Token,
) -> u64 {
    let output = Lent::new(output);
    let asked = kernel.send(&connection.fd, &output, sent, token);
    connection.outcome = None;
    connection.outgoing = Outgoing::Lent { output, sent, asked };
    kernel.pushed()
}

/// Takes the output of a send back, whose outcome is known.
fn settle<D>(connection: &mut Connection<D>, spare: &mut Vec<Output>) -> Settled {
    let Outgoing::Lent { output, sent, asked } = mem::replace(&mut connection.outgoing, Outgoing::Idle) else {
        unreachable!("a send of a connection that has none")
    };
    // SAFETY: called by `settle_sends` alone, for the send that `push_send` noted with this output. 1. Consumed: its
    // position is not above what the kernel consumed, and the enter that did so has returned. 2. Outcome known: sends
    // do not wait in the kernel (MSG_DONTWAIT), so the answer was posted by then; posted answers have been taken, and
    // none is held back (`overflowed`). No answer means that all was sent. There is no other send with this output.
    let output = unsafe { output.settle() };
    let (sent, verdict) = match connection.outcome.take().unwrap_or(asked as i32) {
        count @ 0.. if count as usize >= asked => (sent + asked, Settled::Part),
        count @ 0.. => (sent + count as usize, Settled::Full),
        code => (
            sent,
            match -code {
                libc::EAGAIN => Settled::Full,
                libc::EINTR | libc::ENOBUFS | libc::ENOMEM | libc::ECANCELED => Settled::Part,
                libc::EPIPE | libc::ECONNRESET | libc::ENOTCONN => Settled::Broken(End::Reset),
                code => Settled::Broken(End::Error(code)),
            },
        ),
    };
    if sent == output.len() || matches!(verdict, Settled::Broken(_)) {
        keep(spare, output);
        return if matches!(verdict, Settled::Broken(_)) { verdict } else { Settled::All };
    }
    connection.full = verdict == Settled::Full;
    connection.outgoing = Outgoing::Rest { output, sent };
    verdict
}

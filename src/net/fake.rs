//! A kernel that keeps io_uring's promises and no others: it completes late, in any order, in part, with full queues,
//! without buffers, and fails what may fail, all by one seed.
//!
//! It checks its caller as it goes: a place for every push, one operation of a kind per socket, no operation on a
//! closed socket, no close before the last completion, and that bytes handed over do not change before they are sent.

#![expect(unsafe_code, reason = "the fake reads the memory that submissions name, as the kernel does")]

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::rc::Rc;

use super::kernel::{Completion, Enter, Kernel, Operation};
use super::lent::Lent;
use super::token::{Kind, Token};
use crate::base::Rng;

pub(super) const BUFFERS: u16 = 8;
pub(super) const BUFFER_BYTES: usize = 16;
const SUBMISSIONS: usize = 8;
const COMPLETIONS: usize = 6;

/// What lies on the other side of the sockets.
#[derive(Default)]
pub(super) struct World {
    pub(super) sockets: BTreeMap<i32, Socket>,
    /// Clients that nobody has accepted.
    pub(super) waiting: VecDeque<i32>,
    /// Bells that have arrived at the other core.
    pub(super) bells: usize,
    /// Enters that would not have returned until something came from outside.
    pub(super) slept: usize,
    /// Whether the kernel still takes liberties; without, it only does what it must.
    pub(super) kind: bool,
}

#[derive(Default)]
pub(super) struct Socket {
    /// Sent by the client and not yet received.
    pub(super) inbound: VecDeque<u8>,
    /// The client has finished sending.
    pub(super) finished: bool,
    pub(super) reset: bool,
    /// What the client has got.
    pub(super) outbound: Vec<u8>,
    /// Bytes that the socket still takes.
    pub(super) room: usize,
    pub(super) closed: bool,
}

/// A descriptor of the fake: closing twice would be noticed by the type system, closing never by the test.
#[derive(Debug)]
pub(super) struct FakeFd {
    id: i32,
    world: Rc<RefCell<World>>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World({} sockets)", self.sockets.len())
    }
}

impl FakeFd {
    pub(super) fn new(id: i32, world: &Rc<RefCell<World>>) -> Self {
        Self { id, world: Rc::clone(world) }
    }

    pub(super) fn id(&self) -> i32 {
        self.id
    }
}

impl Drop for FakeFd {
    fn drop(&mut self) {
        if let Some(socket) = self.world.borrow_mut().sockets.get_mut(&self.id) {
            socket.closed = true;
        }
    }
}

enum Queued {
    Arm(Kind, i32),
    Send { fd: i32, pieces: Vec<(*const u8, usize)>, copy: Vec<u8> },
    Cancel(Token),
    Close(FakeFd),
    Ring,
}

/// An operation that waits for something.
struct Pending {
    kind: Kind,
    fd: i32,
    token: Token,
}

pub(super) struct FakeKernel {
    world: Rc<RefCell<World>>,
    rng: Rng,
    queue: VecDeque<(Queued, Token)>,
    pending: Vec<Pending>,
    completions: VecDeque<Completion>,
    held_back: VecDeque<Completion>,
    buffers: Vec<Vec<u8>>,
    free: VecDeque<u16>,
    pushed: u64,
}

impl FakeKernel {
    pub(super) fn new(world: Rc<RefCell<World>>, seed: u64) -> Self {
        Self {
            world,
            rng: Rng::with_seed(seed),
            queue: VecDeque::new(),
            pending: Vec::new(),
            completions: VecDeque::new(),
            held_back: VecDeque::new(),
            buffers: vec![Vec::new(); BUFFERS.into()],
            free: (0..BUFFERS).collect(),
            pushed: 0,
        }
    }

    /// Buffers in the pool; operations that have not ended.
    pub(super) fn holdings(&self) -> (usize, usize) {
        (self.free.len(), self.pending.len() + self.queue.len())
    }

    /// One time in `n`, as long as liberties are taken.
    fn whim(&mut self, n: u32) -> bool {
        !self.world.borrow().kind && self.rng.u32(..n) == 0
    }

    fn post(&mut self, token: Token, result: i32, more: bool, buffer: Option<u16>) {
        let completion = Completion { token, result, more, buffer };
        if self.held_back.is_empty() && self.completions.len() < COMPLETIONS {
            self.completions.push_back(completion);
        } else {
            self.held_back.push_back(completion);
        }
    }

    fn flush(&mut self) {
        while self.completions.len() < COMPLETIONS {
            let Some(completion) = self.held_back.pop_front() else { break };
            self.completions.push_back(completion);
        }
    }

    fn execute(&mut self, queued: Queued, token: Token) {
        match queued {
            Queued::Arm(kind, fd) => {
                self.check_open(fd);
                assert!(!self.pending.iter().any(|op| op.fd == fd && op.kind == kind), "{kind:?} twice");
                self.pending.push(Pending { kind, fd, token });
            }
            Queued::Send { fd, pieces, copy } => self.send_now(fd, &pieces, &copy, token),
            Queued::Cancel(target) => match self.pending.iter().position(|op| op.token == target) {
                Some(place) => {
                    self.pending.swap_remove(place);
                    self.post(target, -libc::ECANCELED, false, None);
                }
                None => self.post(token, -libc::ENOENT, false, None),
            },
            Queued::Close(fd) => {
                self.check_open(fd.id);
                assert!(!self.pending.iter().any(|op| op.fd == fd.id), "closed under an operation");
            }
            Queued::Ring => match self.whim(4) {
                true => self.post(token, -libc::ENOMEM, false, None),
                false => self.world.borrow_mut().bells += 1,
            },
        }
    }

    fn send_now(&mut self, fd: i32, pieces: &[(*const u8, usize)], copy: &[u8], token: Token) {
        self.check_open(fd);
        let mut bytes = Vec::new();
        for &(start, len) in pieces {
            // SAFETY: the memory belongs to an output that is lent until this send is settled, which is after this.
            bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(start, len) });
        }
        assert_eq!(bytes, copy, "lent bytes have changed");
        let failure = match self.rng.u32(..3) {
            0 => -libc::EINTR,
            1 => -libc::ENOBUFS,
            _ => -libc::EAGAIN,
        };
        if self.whim(12) {
            return self.post(token, failure, false, None);
        }
        let short = if self.whim(5) { self.rng.usize(..=bytes.len()) } else { usize::MAX };
        let sent = {
            let mut world = self.world.borrow_mut();
            let socket = world.sockets.get_mut(&fd).unwrap();
            match socket.reset {
                true => None,
                false => {
                    let sent = bytes.len().min(socket.room).min(short);
                    socket.room -= sent;
                    socket.outbound.extend_from_slice(&bytes[..sent]);
                    Some(sent)
                }
            }
        };
        match sent {
            None => self.post(token, -libc::EPIPE, false, None),
            Some(0) => self.post(token, -libc::EAGAIN, false, None),
            Some(sent) if sent < bytes.len() => self.post(token, sent as i32, false, None),
            // All of it: nothing is said.
            Some(_) => {}
        }
    }

    fn check_open(&self, fd: i32) {
        if let Some(socket) = self.world.borrow().sockets.get(&fd) {
            assert!(!socket.closed, "operation on a closed socket");
        }
    }

    /// Lets one pending operation go as far as it likes. True if it goes on.
    fn advance(&mut self, op: &Pending) -> bool {
        match op.kind {
            Kind::Accept => self.advance_accept(op),
            Kind::Receive => self.advance_receive(op),
            _ => {
                let ready = {
                    let world = self.world.borrow();
                    let socket = &world.sockets[&op.fd];
                    socket.room > 0 || socket.reset
                };
                if ready {
                    self.post(op.token, i32::from(libc::POLLOUT), false, None);
                }
                !ready
            }
        }
    }

    fn advance_accept(&mut self, op: &Pending) -> bool {
        if self.whim(20) {
            let code = [libc::EMFILE, libc::ECONNABORTED][self.rng.usize(..2)];
            self.post(op.token, -code, false, None);
            return false;
        }
        let Some(client) = self.world.borrow_mut().waiting.pop_front() else { return true };
        let more = !self.whim(4);
        self.post(op.token, client, more, None);
        more
    }

    fn advance_receive(&mut self, op: &Pending) -> bool {
        let (available, finished, reset) = {
            let world = self.world.borrow();
            let socket = &world.sockets[&op.fd];
            (socket.inbound.len(), socket.finished, socket.reset)
        };
        if reset {
            self.post(op.token, -libc::ECONNRESET, false, None);
            return false;
        }
        if available == 0 {
            if finished {
                self.post(op.token, 0, false, None);
            }
            return !finished;
        }
        if self.whim(10) || self.free.is_empty() {
            self.post(op.token, -libc::ENOBUFS, false, None);
            return false;
        }
        let Some(buffer) = self.free.pop_front() else { return true };
        let len = self.rng.usize(1..=available.min(BUFFER_BYTES));
        self.buffers[usize::from(buffer)] =
            self.world.borrow_mut().sockets.get_mut(&op.fd).unwrap().inbound.drain(..len).collect();
        let more = !self.whim(6);
        self.post(op.token, len as i32, more, Some(buffer));
        more
    }
}

impl Kernel for FakeKernel {
    type Descriptor = FakeFd;

    fn room(&self) -> usize {
        SUBMISSIONS - self.queue.len()
    }

    fn push(&mut self, operation: Operation<'_, FakeFd>, token: Token) {
        assert!(self.room() > 0, "push without room");
        self.pushed += 1;
        let queued = match operation {
            Operation::Accept(fd) => Queued::Arm(Kind::Accept, fd.id),
            Operation::Receive(fd) => Queued::Arm(Kind::Receive, fd.id),
            Operation::Writable(fd) => Queued::Arm(Kind::Writable, fd.id),
            Operation::Cancel(target) => Queued::Cancel(target),
            Operation::Close(fd) => Queued::Close(fd),
            Operation::Ring { .. } => Queued::Ring,
        };
        self.queue.push_back((queued, token));
    }

    fn send(&mut self, socket: &FakeFd, output: &Lent, from: usize, token: Token) -> usize {
        assert!(self.room() > 0, "push without room");
        self.pushed += 1;
        // As few pieces per send as makes vectored sends go on by themselves.
        let pieces: Vec<&[u8]> = output.pieces(from).take(2).collect();
        let copy = pieces.concat();
        let asked = copy.len();
        assert!(asked > 0, "a send of nothing");
        let pieces = pieces.iter().map(|piece| (piece.as_ptr(), piece.len())).collect();
        self.queue.push_back((Queued::Send { fd: socket.id, pieces, copy }, token));
        asked
    }

    fn enter(&mut self, how: Enter) -> io::Result<()> {
        let consume = if self.whim(6) { self.rng.usize(..=self.queue.len()) } else { self.queue.len() };
        for _ in 0..consume {
            let (queued, token) = self.queue.pop_front().unwrap();
            self.execute(queued, token);
        }
        // A full queue of completions is only emptied by its owner: what does not fit is held back.
        self.flush();
        let mut pending = std::mem::take(&mut self.pending);
        self.rng.shuffle(&mut pending);
        for op in pending {
            let goes_on = self.whim(3) || self.advance(&op);
            if goes_on {
                self.pending.push(op);
            }
        }
        if how.want > 0 && how.timeout.is_none() && self.completions.is_empty() {
            self.world.borrow_mut().slept += 1;
        }
        Ok(())
    }

    fn pushed(&self) -> u64 {
        self.pushed
    }

    fn consumed(&self) -> u64 {
        self.pushed - self.queue.len() as u64
    }

    fn overflowed(&self) -> bool {
        !self.held_back.is_empty()
    }

    fn take_completions(&mut self, each: impl FnMut(Completion)) {
        self.completions.drain(..).for_each(each);
    }

    fn accepted(&mut self, completion: &Completion) -> FakeFd {
        FakeFd::new(completion.result, &self.world)
    }

    fn clock_us(&mut self) -> u64 {
        self.pushed
    }

    fn received(&self, buffer: u16, len: usize) -> &[u8] {
        assert!(!self.free.contains(&buffer), "a buffer that is not ours");
        &self.buffers[usize::from(buffer)][..len]
    }

    fn give_back(&mut self, buffer: u16) {
        assert!(!self.free.contains(&buffer), "given back twice");
        // Whoever still looked at it would see this.
        self.buffers[usize::from(buffer)].fill(0xEE);
        self.free.push_back(buffer);
    }
}

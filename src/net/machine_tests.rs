//! The state machine against the unkind kernel: every byte arrives once and in order, and closing leaks nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;

use super::fake::{BUFFERS, FakeFd, FakeKernel, Socket, World};
use super::kernel::{Doorbell, Kernel};
use super::{End, Event, Net, Wait};
use crate::base::{ConnId, CoreId, Rng};
use crate::resp::Output;

const CLIENTS: i32 = 12;
const STEPS: usize = 400;

/// What the server and the client of one socket have done, by the plain model.
#[derive(Default)]
struct Story {
    /// Written by the client, and how much of it the server has seen.
    written: Vec<u8>,
    seen: usize,
    /// Sent by the server.
    sent: Vec<u8>,
    conn: Option<ConnId>,
    ended: bool,
    /// Closed by the server, and whether it gave output the time to leave.
    closed: Option<bool>,
}

struct Run {
    seed: u64,
    rng: Rng,
    world: Rc<RefCell<World>>,
    net: Net<FakeKernel>,
    stories: BTreeMap<i32, Story>,
    /// Which socket a connection is.
    sockets: Vec<(ConnId, i32)>,
    /// Bells that had arrived when the last one was asked for.
    bells_before: Option<usize>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let world = Rc::new(RefCell::new(World::default()));
        let mut net = Net::with_kernel(FakeKernel::new(Rc::clone(&world), seed), CoreId(0), true);
        net.set_doorbells(vec![None, Some(Doorbell(0))]);
        net.listen_on(FakeFd::new(-1, &world));
        let mut run = Self {
            seed,
            rng: Rng::with_seed(seed ^ 0xC0DE),
            world,
            net,
            stories: BTreeMap::new(),
            sockets: Vec::new(),
            bells_before: None,
        };
        for id in 0..CLIENTS {
            run.connect(id);
        }
        run
    }

    fn connect(&mut self, id: i32) {
        let mut world = self.world.borrow_mut();
        world.sockets.insert(id, Socket::default());
        world.waiting.push_back(id);
        self.stories.insert(id, Story::default());
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.rng.u8(..)).collect()
    }

    fn client_acts(&mut self) {
        let id = self.rng.i32(0..CLIENTS);
        let len = self.rng.usize(1..100);
        let bytes = self.bytes(len);
        let mut world = self.world.borrow_mut();
        let socket = world.sockets.get_mut(&id).unwrap();
        match self.rng.u32(..20) {
            0 => socket.finished = true,
            1 if self.rng.u32(..3) == 0 => socket.reset = true,
            2..10 if !socket.finished && !socket.reset => {
                socket.inbound.extend(&bytes);
                self.stories.get_mut(&id).unwrap().written.extend(&bytes);
            }
            _ => socket.room += len,
        }
    }

    fn server_acts(&mut self) {
        let Some(&(conn, id)) = self.rng.choice(&self.sockets) else { return };
        match self.rng.u32(..16) {
            0 => self.net.pause(conn),
            1..4 => self.net.resume(conn),
            4 => self.close(conn, id, true),
            5 if self.rng.bool() => self.close(conn, id, false),
            6 => {
                self.net.ring(CoreId(1));
                self.bells_before = Some(self.world.borrow().bells);
            }
            _ => self.send(conn, id),
        }
    }

    fn close(&mut self, conn: ConnId, id: i32, after_output: bool) {
        self.net.close(conn, after_output);
        let closed = &mut self.stories.get_mut(&id).unwrap().closed;
        *closed = Some(closed.unwrap_or(true) && after_output);
    }

    fn send(&mut self, conn: ConnId, id: i32) {
        let mut output = self.net.spare_output();
        assert!(output.is_empty(), "a spare output that is not empty");
        for _ in 0..self.rng.usize(1..5) {
            let len = self.rng.usize(1..40);
            let bytes = self.bytes(len);
            match self.rng.bool() {
                true => output.bytes_mut().extend(&bytes),
                false => output.push_shared(Bytes::from(bytes)),
            }
        }
        let story = self.stories.get_mut(&id).unwrap();
        if story.closed.is_none() {
            story.sent.extend(content(&output));
        }
        self.net.send(conn, output);
    }

    fn turn(&mut self) {
        let wait = if self.rng.bool() { Wait::NONE } else { Wait::FOREVER };
        self.net.wait(wait).unwrap();
        let mut budget = if self.rng.u32(..4) == 0 { self.rng.usize(..4) } else { usize::MAX };
        let mut accepted = Vec::new();
        while budget > 0 {
            budget -= 1;
            match self.net.next_event() {
                None => break,
                Some(Event::Accepted { fd, .. }) => accepted.push(fd),
                Some(Event::AcceptFailed { .. } | Event::Bell) => {}
                Some(Event::Received { conn, bytes }) => {
                    let story = story(&mut self.stories, &self.sockets, conn);
                    assert!(!story.ended && story.closed.is_none(), "bytes after the end");
                    assert_eq!(bytes, &story.written[story.seen..][..bytes.len()], "seed {}", self.seed);
                    story.seen += bytes.len();
                }
                Some(Event::Ended { conn, why }) => {
                    let story = story(&mut self.stories, &self.sockets, conn);
                    assert!(!story.ended && story.closed.is_none(), "ended twice, or after close");
                    assert!(
                        why != End::PeerClosed || story.seen == story.written.len(),
                        "the end before the last byte"
                    );
                    story.ended = true;
                }
                Some(Event::Stalled { conn } | Event::Drained { conn }) => {
                    story(&mut self.stories, &self.sockets, conn);
                }
            }
        }
        for fd in accepted {
            let id = self.stories.iter().find(|(id, story)| story.conn.is_none() && is(&fd, **id)).map(|(id, _)| *id);
            let id = id.expect("a client that is accepted twice");
            let conn = self.net.adopt(fd);
            self.stories.get_mut(&id).unwrap().conn = Some(conn);
            self.sockets.push((conn, id));
        }
        self.check_prefixes();
    }

    fn check_prefixes(&self) {
        for (id, socket) in &self.world.borrow().sockets {
            assert!(self.stories[id].sent.starts_with(&socket.outbound), "seed {}, socket {id}", self.seed);
        }
    }

    /// Everybody becomes reasonable; then everything must come to its end.
    fn finish(mut self) {
        self.world.borrow_mut().kind = true;
        for socket in self.world.borrow_mut().sockets.values_mut() {
            socket.room = usize::MAX;
        }
        for _ in 0..200 {
            self.turn();
            for &(conn, _) in &self.sockets {
                self.net.resume(conn);
            }
        }
        assert!(Some(self.world.borrow().bells) > self.bells_before, "seed {}: a bell was lost", self.seed);
        for (id, socket) in &self.world.borrow().sockets {
            let story = &self.stories[id];
            let conn = story.conn.expect("a client that was never accepted");
            if socket.reset || story.closed == Some(false) {
                continue;
            }
            assert_eq!(socket.outbound.len(), story.sent.len(), "seed {}, socket {id}: output is stuck", self.seed);
            assert_eq!(self.net.unsent_bytes(conn), 0);
            if story.closed.is_none() {
                assert_eq!(story.seen, story.written.len(), "seed {}, socket {id}: input is stuck", self.seed);
                assert_eq!(story.ended, socket.finished, "seed {}, socket {id}", self.seed);
            }
        }
        for (conn, _) in self.sockets.clone() {
            self.net.close(conn, false);
        }
        for _ in 0..20 {
            self.turn();
        }
        assert_eq!(self.net.connections(), 0, "seed {}: connections were kept", self.seed);
        // The accept is all that is left in the kernel, and all buffers are back.
        assert_eq!(self.net.kernel().holdings(), (BUFFERS.into(), 1), "seed {}", self.seed);
        assert!(self.world.borrow().sockets.values().all(|socket| socket.closed), "seed {}: a leak", self.seed);
    }
}

fn is(fd: &FakeFd, id: i32) -> bool {
    fd.id() == id
}

fn content(output: &Output) -> Vec<u8> {
    output.pieces(0).collect::<Vec<_>>().concat()
}

fn story<'a>(stories: &'a mut BTreeMap<i32, Story>, sockets: &[(ConnId, i32)], conn: ConnId) -> &'a mut Story {
    let (_, id) = sockets.iter().find(|(known, _)| *known == conn).expect("an event for an unknown connection");
    stories.get_mut(id).unwrap()
}

#[test]
fn every_byte_arrives_once_and_in_order() {
    for seed in 0..400 {
        let mut run = Run::new(seed);
        for _ in 0..STEPS {
            match run.rng.u32(..5) {
                0 | 1 => run.client_acts(),
                2 | 3 => run.server_acts(),
                _ => run.turn(),
            }
        }
        run.finish();
    }
}

/// A net with one connection whose kernel takes no liberties.
fn one_connection() -> (Rc<RefCell<World>>, Net<FakeKernel>, ConnId) {
    let world = Rc::new(RefCell::new(World { kind: true, ..World::default() }));
    world.borrow_mut().sockets.insert(0, Socket::default());
    let mut net = Net::with_kernel(FakeKernel::new(Rc::clone(&world), 1), CoreId(0), true);
    let conn = net.adopt(FakeFd::new(0, &world));
    (world, net, conn)
}

/// Turns enough for anything, without events.
fn turns(net: &mut Net<FakeKernel>) {
    for _ in 0..5 {
        net.wait(Wait::NONE).unwrap();
        while let Some(event) = net.next_event() {
            assert!(matches!(event, Event::Stalled { .. } | Event::Drained { .. }), "{event:?}");
        }
    }
}

fn text(bytes: &str) -> Output {
    let mut output = Output::new();
    output.bytes_mut().extend_from_slice(bytes.as_bytes());
    output
}

#[test]
fn a_full_socket_is_told_of_once_and_so_is_its_end() {
    let (world, mut net, conn) = one_connection();
    net.send(conn, text("0123456789"));
    for room in [0, 3, 3, 3, 3] {
        world.borrow_mut().sockets.get_mut(&0).unwrap().room += room;
        net.wait(Wait::NONE).unwrap();
        if room == 0 {
            assert!(matches!(net.next_event(), Some(Event::Stalled { .. })));
        }
        while net.unsent_bytes(conn) > 0 && net.next_event().is_some() {}
        net.wait(Wait::NONE).unwrap();
    }
    assert!(matches!(net.next_event(), Some(Event::Drained { .. })));
    assert!(net.next_event().is_none());
    assert_eq!(world.borrow().sockets[&0].outbound, b"0123456789");
}

#[test]
fn what_follows_a_send_is_not_slept_on() {
    let (world, mut net, conn) = one_connection();
    {
        let mut world = world.borrow_mut();
        let socket = world.sockets.get_mut(&0).unwrap();
        (socket.room, socket.finished) = (1 << 20, true);
    }
    net.wait(Wait::NONE).unwrap();
    while net.next_event().is_some() {}
    // More pieces than one send of this kernel takes, and then the end; a send that succeeds announces neither.
    let mut output = Output::default();
    (0..5).for_each(|_| output.push_shared(Bytes::from(vec![b'x'; 20_000])));
    net.send(conn, output);
    net.close(conn, true);
    for _ in 0..10 {
        net.wait(Wait::FOREVER).unwrap();
        if world.borrow().sockets[&0].closed {
            assert_eq!(world.borrow().sockets[&0].outbound.len(), 100_000);
            return;
        }
        assert_eq!(world.borrow().slept, 0, "nobody would wake it");
    }
    panic!("it is not closed");
}

#[test]
fn the_end_of_a_short_send_is_not_slept_on() {
    let (world, mut net, conn) = one_connection();
    net.send(conn, text("0123456789"));
    net.wait(Wait::FOREVER).unwrap();
    assert!(matches!(net.next_event(), Some(Event::Stalled { .. })));
    world.borrow_mut().sockets.get_mut(&0).unwrap().room = 100;
    for _ in 0..10 {
        net.wait(Wait::FOREVER).unwrap();
        if let Some(event) = net.next_event() {
            assert!(matches!(event, Event::Drained { .. }), "{event:?}");
            return;
        }
        assert_eq!(world.borrow().slept, 0, "nobody would wake it");
    }
    panic!("it is told of no end");
}

#[test]
fn output_of_one_turn_leaves_by_one_send() {
    let (world, mut net, conn) = one_connection();
    world.borrow_mut().sockets.get_mut(&0).unwrap().room = 100;
    for _ in 0..3 {
        net.send(conn, text("+OK\r\n"));
    }
    assert_eq!(net.unsent_bytes(conn), 15);
    net.wait(Wait::NONE).unwrap();
    // The receive and the send.
    assert_eq!(net.kernel().pushed(), 2);
    assert_eq!((net.unsent_bytes(conn), world.borrow().sockets[&0].outbound.len()), (0, 15));
}

#[test]
fn a_pause_that_is_taken_back_costs_nothing() {
    let (_world, mut net, conn) = one_connection();
    net.wait(Wait::NONE).unwrap();
    net.pause(conn);
    net.resume(conn);
    net.wait(Wait::NONE).unwrap();
    assert_eq!(net.kernel().pushed(), 1);
}

#[test]
fn closing_after_output_waits_for_it_and_closing_again_does_not() {
    for again in [false, true] {
        let (world, mut net, conn) = one_connection();
        net.wait(Wait::NONE).unwrap();
        net.send(conn, text("bye"));
        net.close(conn, true);
        turns(&mut net);
        assert_eq!(net.connections(), 1);
        match again {
            true => net.close(conn, false),
            false => world.borrow_mut().sockets.get_mut(&0).unwrap().room = 3,
        }
        turns(&mut net);
        assert_eq!(net.connections(), 0);
        assert_eq!(world.borrow().sockets[&0].outbound, if again { &b""[..] } else { b"bye" });
        assert!(world.borrow().sockets[&0].closed);
    }
}

#[test]
fn commands_for_a_former_tenant_are_ignored() {
    let (world, mut net, old) = one_connection();
    net.close(old, false);
    turns(&mut net);
    world.borrow_mut().sockets.insert(1, Socket { room: 10, ..Socket::default() });
    let new = net.adopt(FakeFd::new(1, &world));
    assert_eq!((new.index, new == old), (old.index, false));
    net.send(old, text("stale"));
    net.close(old, false);
    net.pause(old);
    turns(&mut net);
    assert_eq!((net.connections(), net.kernel().holdings().1), (1, 1));
    assert!(world.borrow().sockets[&1].outbound.is_empty());
}

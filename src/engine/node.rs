//! Commands that speak for the whole node: a question goes to every core, and the answers are joined.
//!
//! ```text
//! coordinator      every core, this one too
//!   ── Ask ───────▶ answers from its shard or its sessions, at once or in slices
//!   ◀─ Told ───────
//!   joins the answers; when the last has come, replies and lets the client go on
//! ```
//!
//! FLUSHALL, FLUSHDB and SWAPDB change every shard in one step, so they are transactions (`transact`).

use super::Engine;
use super::keyed::NO_PLACE;
use super::mail::{Handle, Place, Rare};
use super::requests::Flow;
use crate::base::CoreId;
use crate::command::{Args, Command, CommandId};
use crate::exec::node::{RandomKey, database_size};
use crate::exec::scan::{self, KeyList, KeysScan, ScanCursor};
use crate::keyspace::ScanPosition;
use crate::limits::{SCAN_VISITS_MAX, SLICE_ENTRIES};
use crate::resp::{Protocol, Reply, ReplyError, Request};
use crate::session::{ReplyMode, Session, State};

/// A question to a core.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// How many keys? (DBSIZE)
    Size { database: usize },
    /// Draw a key. (RANDOMKEY)
    RandomKey { database: usize },
    /// Which keys match? (KEYS)
    Keys { database: usize, pattern: Box<[u8]> },
    /// Walk on from here. (SCAN)
    Scan(Box<ScanAsk>),
}

/// A SCAN's arguments, on their way to the core whose turn it is.
#[derive(Clone, Debug)]
pub(super) struct ScanAsk {
    database: usize,
    position: ScanPosition,
    count: usize,
    pattern: Option<Box<[u8]>>,
    type_name: Option<Box<[u8]>>,
}

/// An answer.
#[derive(Debug)]
pub(super) enum Told {
    /// To `Size`.
    Size(usize),
    /// To `RandomKey`.
    RandomKey(RandomKey),
    /// To `Keys`.
    Keys(KeyList),
    /// To `Scan`: what was found, where to go on, and how many visits are left.
    Scan { found: KeyList, next: Option<ScanPosition>, left: usize },
}

/// A question that is under way, and what the cores have answered so far.
#[derive(Debug)]
pub(super) struct Question {
    client: Place,
    protocol: Protocol,
    awaiting: usize,
    gathered: Gathered,
}

#[derive(Debug)]
enum Gathered {
    Size(usize),
    RandomKey(RandomKey),
    Keys(KeyList),
    Scan { cursor: ScanCursor, ask: Box<ScanAsk>, found: KeyList },
}

/// Work on the whole shard that goes on in slices.
#[derive(Debug)]
pub(super) enum Slice {
    /// A KEYS for this core.
    Keys { from: CoreId, handle: Handle, scan: KeysScan },
}

/// Asks.
impl Engine {
    /// A command that speaks for the whole node.
    pub(super) fn node_wide(&mut self, session: &mut Session, command: &'static Command, request: Request<'_>) -> Flow {
        if !self.is_alone(session) {
            return Flow::Hold;
        }
        let database = usize::from(session.database);
        let mut args = Args::new(command, request);
        match command.id {
            CommandId::Flushall | CommandId::Flushdb | CommandId::Swapdb => {
                self.on_several_shards(session, command, request)
            }
            CommandId::Dbsize => self.ask_all(session, Ask::Size { database }, Gathered::Size(0)),
            CommandId::Randomkey => {
                self.ask_all(session, Ask::RandomKey { database }, Gathered::RandomKey(RandomKey::default()))
            }
            CommandId::Keys => {
                let pattern = args.next().unwrap_or_default().into();
                self.ask_all(session, Ask::Keys { database, pattern }, Gathered::Keys(KeyList::default()))
            }
            CommandId::Scan => self.scan(session, &mut args),
            _ => self.administer(session, command, request),
        }
    }

    /// Asks every core; the session is busy until all have answered.
    fn ask_all(&mut self, session: &mut Session, ask: Ask, gathered: Gathered) -> Flow {
        let handle = self.question(session, self.topology.cores(), gathered);
        for core in self.topology.all() {
            self.write(core, Rare::Ask { handle, ask: ask.clone() });
        }
        Flow::Next
    }

    /// Opens a question whose answer is the reply to the current request.
    fn question(&mut self, session: &mut Session, awaiting: usize, gathered: Gathered) -> Handle {
        let place = if session.reply_mode == ReplyMode::On { session.pipeline.reserve() } else { NO_PLACE };
        if session.reply_mode == ReplyMode::Skip {
            session.reply_mode = ReplyMode::On;
        }
        session.state = State::Busy;
        let client = Place { conn: session.conn, place };
        Handle(self.questions.insert(Question { client, protocol: session.protocol, awaiting, gathered }) as u32)
    }

    fn scan(&mut self, session: &mut Session, args: &mut Args<'_>) -> Flow {
        let options = match scan::parse(args) {
            Ok(options) => options,
            Err(error) => return self.refuse(session, error),
        };
        let Some(cursor) = ScanCursor::unpack(options.cursor, self.topology.cores()) else {
            return self.answer(session, |_, reply| scan::answer(None, &KeyList::default(), reply));
        };
        let ask = Box::new(ScanAsk {
            database: usize::from(session.database),
            position: cursor.position,
            count: options.count.min(SCAN_VISITS_MAX),
            pattern: options.pattern.map(Into::into),
            type_name: options.type_name.map(Into::into),
        });
        let gathered = Gathered::Scan { cursor, ask: ask.clone(), found: KeyList::default() };
        let handle = self.question(session, 1, gathered);
        self.write(cursor.core, Rare::Ask { handle, ask: Ask::Scan(ask) });
        Flow::Next
    }
}

/// Answers and joins.
impl Engine {
    /// A question has come.
    pub(super) fn asked(&mut self, from: CoreId, handle: Handle, ask: Ask) {
        let Some(shard) = &mut self.shard else { return };
        let told = match ask {
            Ask::Size { database } => Told::Size(database_size(shard, database)),
            Ask::RandomKey { database } => Told::RandomKey(RandomKey::draw(shard, database, self.now, &mut self.rng)),
            Ask::Keys { database, pattern } => {
                let scan = KeysScan::new(database, &pattern);
                return self.slices.push_back(Slice::Keys { from, handle, scan });
            }
            Ask::Scan(ask) => {
                let options = scan::ScanOptions {
                    cursor: 0,
                    count: ask.count,
                    pattern: ask.pattern.as_deref(),
                    type_name: ask.type_name.as_deref(),
                };
                let (mut found, mut left) = (KeyList::default(), ask.count);
                let next = scan::part(shard, ask.database, self.now, ask.position, &options, &mut left, &mut found);
                Told::Scan { found, next, left }
            }
        };
        self.write(from, Rare::Told { handle, told });
    }

    /// An answer has come.
    pub(super) fn told(&mut self, _from: CoreId, handle: Handle, told: Told) {
        let Some(question) = self.questions.get_mut(handle.0 as usize) else { return };
        question.awaiting -= 1;
        match (&mut question.gathered, told) {
            (Gathered::Size(sum), Told::Size(size)) => *sum += size,
            (Gathered::RandomKey(drawn), Told::RandomKey(other)) => {
                *drawn = std::mem::take(drawn).join(other, &mut self.rng);
            }
            (Gathered::Keys(keys), Told::Keys(other)) => keys.append(&other),
            (Gathered::Scan { cursor, ask, found }, Told::Scan { found: more, next, left }) => {
                found.append(&more);
                match cursor.advance(next, self.topology.cores()) {
                    Some(on) if left > 0 => {
                        *cursor = on;
                        ask.count = left;
                        ask.position = on.position;
                        question.awaiting = 1;
                        let ask = Ask::Scan(ask.clone());
                        self.write(on.core, Rare::Ask { handle, ask });
                        return;
                    }
                    on => {
                        let (found, client, protocol) = (std::mem::take(found), question.client, question.protocol);
                        self.questions.remove(handle.0 as usize);
                        return self.conclude_with(client, protocol, |reply| scan::answer(on, &found, reply));
                    }
                }
            }
            (gathered, told) => debug_assert!(false, "{told:?} does not answer {gathered:?}"),
        }
        if question.awaiting == 0 {
            let Question { client, protocol, gathered, .. } = self.questions.remove(handle.0 as usize);
            self.conclude_with(client, protocol, |reply| match gathered {
                Gathered::Size(size) => reply.integer(size as i64),
                Gathered::RandomKey(drawn) => drawn.answer(reply),
                Gathered::Keys(keys) => keys.answer(reply),
                Gathered::Scan { .. } => reply.error(ReplyError::Syntax),
            });
        }
    }

    fn conclude_with(&mut self, client: Place, protocol: Protocol, write: impl FnOnce(&mut Reply<'_>)) {
        let mut out = std::mem::take(&mut self.scratch);
        write(&mut Reply::new(&mut out, protocol));
        self.conclude(client, out);
    }

    /// Goes on with work on the whole shard, a bounded piece per turn.
    pub(super) fn work_in_slices(&mut self) {
        let Some(shard) = &self.shard else { return };
        let Some(slice) = self.slices.front_mut() else { return };
        let Slice::Keys { from, handle, scan } = slice;
        if !scan.step(shard, self.now, SLICE_ENTRIES) {
            // Others get a slice before this one's next.
            return self.slices.rotate_left(1);
        }
        let (from, handle) = (*from, *handle);
        if let Some(Slice::Keys { scan, .. }) = self.slices.pop_front() {
            self.write(from, Rare::Told { handle, told: Told::Keys(scan.into_found()) });
        }
    }
}

//! Commands over several cores: this core as coordinator, and as one of those concerned. See `txn` for the protocol.
//!
//! A command is *split* where its parts can be run apart and their replies joined (MGET, MSET, DEL: the table's
//! [`Spread`]), and FLUSHALL and its like, which every core runs whole. Any other is *assembled*: copies of its keys come
//! to the coordinator, its ordinary handler runs on a shard that holds just them, and what became of the keys is stored
//! where they live. So a command need not know that its keys are apart.
//!
//! If every shard concerned is here or can be borrowed, all this happens at once, with no letter written: the shards are
//! held together, so nobody sees a part of it.

use super::mail::{Handle, OwnedRequest, PartReply, Place, Rare, StoredKey, Task, Work, Writes};
use super::requests::Flow;
use super::room::Room;
use super::{Deferred, Engine};
use crate::base::{ConnId, CoreId};
use crate::command::{self, Command, Flags, KeyFlags, Spread};
use crate::exec;
use crate::keyspace::{Entry, Shard};
use crate::limits::LARGE_VALUE_BYTES;
use crate::resp::{Output, Protocol, Reply, ReplyError, Request};
use crate::session::{Selected, Session, State};
use crate::txn::{Intents, Key, TxnId};

/// A command over several cores that is under way.
#[derive(Debug)]
pub(super) struct Transaction {
    client: Place,
    command: &'static Command,
    selected: Selected,
    protocol: Protocol,
    request: OwnedRequest,
    id: TxnId,
    parts: Vec<Part>,
    /// Answers that are still to come in this phase.
    awaiting: usize,
    /// The worst answer so far to the letters that schedule it.
    outcome: Scheduling,
    /// When it began, by the stopwatch, if it is measured.
    began_us: Option<u64>,
}

/// What a core says to intents, the worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Scheduling {
    /// They are left.
    Accepted,
    /// It has gone ahead of their number: another number is to be tried.
    Overtaken,
    /// It has no room for what the command brings.
    NoRoom,
}

/// What one core has to do with it.
#[derive(Debug, Default)]
struct Part {
    core: CoreId,
    /// Its keys.
    keys: Vec<PartKey>,
    reply: PartReply,
    entries: Vec<Option<Entry>>,
}

/// One key of a part.
#[derive(Clone, Copy, Debug)]
struct PartKey {
    /// Which argument of the request it is.
    index: usize,
    database: u16,
    write: bool,
}

impl Part {
    fn intents(&self, command: &Command, request: Request<'_>) -> Intents {
        if command.keys.is_empty() {
            return Intents::Shard;
        }
        // Sorted to find what is named twice: a request may have a million keys.
        let mut keys: Vec<(&[u8], bool)> = self.keys.iter().map(|key| (request.get(key.index), key.write)).collect();
        keys.sort_unstable();
        keys.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            kept.1 |= same && later.1;
            same
        });
        Intents::Keys(keys.into_iter().map(|(name, exclusive)| Key { name: name.into(), exclusive }).collect())
    }

    /// What its core needs room for. `counts_keys`: it matters whether keys are there.
    fn room(&self, command: &Command, request: Request<'_>, counts_keys: bool) -> Option<Room> {
        let mut written = self.keys.iter().filter(|key| key.write).peekable();
        if !command.flags.contains(Flags::DENYOOM) || written.peek().is_none() {
            return None;
        }
        let bytes = match command.spread {
            Spread::All => {
                self.keys.iter().map(|key| request.get(key.index).len() + request.get(key.index + 1).len()).sum()
            }
            _ => request.data().len(),
        };
        let stored = |key: &PartKey| StoredKey { database: key.database, name: request.get(key.index).into() };
        Some(Room { bytes, keys: if counts_keys { written.map(stored).collect() } else { Vec::new() } })
    }

    fn stored_keys<'a>(&'a self, request: Request<'a>) -> impl Iterator<Item = StoredKey> + 'a {
        self.keys.iter().map(move |key| StoredKey { database: key.database, name: request.get(key.index).into() })
    }
}

/// How a command over several cores is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Manner {
    /// Parts by key, or the whole of it on every core.
    Split,
    /// On copies of its keys.
    Assembled,
}

fn manner(command: &Command) -> Manner {
    if command.spread == Spread::One && !command.keys.is_empty() { Manner::Assembled } else { Manner::Split }
}

/// Begins.
impl Engine {
    /// A command whose keys lie on several cores, or that concerns every shard (one without keys).
    pub(super) fn on_several_shards(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
    ) -> Flow {
        if command.spread == Spread::All && request.len().is_multiple_of(2) {
            // A key without a value: the handler's words, before anything is split.
            return self.refuse(session, ReplyError::WrongArity(command.name));
        }
        let parts = self.parts(command, request, session.database);
        if request.data().len() <= LARGE_VALUE_BYTES && self.hold_all(&parts) {
            if !parts.iter().all(|part| self.has_room_at(part.core, part.room(command, request, self.counts_keys()))) {
                return self.reject(session, command, ReplyError::OutOfMemory);
            }
            self.run_at_once(session, command, request, parts);
            return Flow::Next;
        }
        let place = session.reserve_place();
        session.state = State::Busy;
        let handle = self.transactions.insert(Transaction {
            client: Place { conn: session.conn, place },
            command,
            selected: session.selected(),
            protocol: session.protocol,
            request: OwnedRequest::new(request.iter()),
            id: TxnId(0),
            parts,
            awaiting: 0,
            outcome: Scheduling::Accepted,
            began_us: None,
        });
        self.stats.transactions += 1;
        self.deferred = Deferred::Transaction(Handle(handle as u32));
        self.schedule(Handle(handle as u32));
        Flow::Next
    }

    /// Who has to do with the command: the cores of its keys, in the order of their first key; all of them if it has none.
    fn parts(&self, command: &'static Command, request: Request<'_>, database: u16) -> Vec<Part> {
        let Ok(keys) = command::keys(command, request) else { return Vec::new() };
        if command.keys.is_empty() {
            return self.topology.all().map(|core| Part { core, ..Part::default() }).collect();
        }
        let mut parts: Vec<Part> = Vec::new();
        for key in keys {
            let core = self.topology.core_of(request.get(key.index));
            let part_key = PartKey {
                index: key.index,
                database: exec::key_database(
                    command.id,
                    request,
                    key.index,
                    usize::from(database),
                    usize::from(self.config.databases),
                ) as u16,
                write: !key.flags.contains(KeyFlags::RO),
            };
            match parts.iter_mut().find(|part| part.core == core) {
                Some(part) => part.keys.push(part_key),
                None => parts.push(Part { core, keys: vec![part_key], ..Part::default() }),
            }
        }
        parts
    }
}

/// At once, under leases.
impl Engine {
    /// Holds every shard concerned, or none.
    fn hold_all(&mut self, parts: &[Part]) -> bool {
        if self.shard.is_none() || !self.ledger.is_empty() || !self.stash.is_empty() {
            return false;
        }
        parts.iter().all(|part| part.core == self.core || self.borrow(part.core))
    }

    /// Takes a shard that is held; see [`Engine::put_held`].
    fn take_held(&mut self, core: CoreId) -> Option<HeldShard> {
        if core == self.core {
            self.shard.take().map(HeldShard::Own)
        } else {
            self.loans[core.index()].take().map(HeldShard::Borrowed)
        }
    }

    fn put_held(&mut self, core: CoreId, held: HeldShard) {
        match held {
            HeldShard::Own(shard) => self.shard = Some(shard),
            HeldShard::Borrowed(open) => self.loans[core.index()] = Some(open),
        }
    }

    fn with_held<T>(&mut self, core: CoreId, act: impl FnOnce(&mut Self, &mut Shard) -> T) -> Option<T> {
        let mut held = self.take_held(core)?;
        held.shard().advance(self.now);
        let result = act(self, held.shard());
        self.put_held(core, held);
        Some(result)
    }

    /// Whether a shard that is held has room for this, after it has made some.
    fn has_room_at(&mut self, core: CoreId, room: Option<Room>) -> bool {
        let Some(room) = room else { return true };
        self.with_held(core, |engine, shard| room.is_in(shard, engine.now)).unwrap_or(true)
    }

    fn counts_keys(&self) -> bool {
        self.config.max_keys > 0
    }

    fn run_at_once(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
        mut parts: Vec<Part>,
    ) {
        let (selected, protocol) = (session.selected(), session.protocol);
        self.stats.borrowed += 1;
        if manner(command) == Manner::Split {
            for part in &mut parts {
                let own = part_request(command, request, part);
                let reply = self.with_held(part.core, |engine, shard| {
                    engine.run_part(shard, command, selected, protocol, own.request(), command.spread == Spread::PerKey)
                });
                part.reply = reply.unwrap_or_default();
            }
            self.answer(session, |_, reply| join(command, request, &parts, reply));
            return;
        }
        for part in &mut parts {
            let keys: Vec<StoredKey> = part.stored_keys(request).collect();
            let entries = self.with_held(part.core, |engine, shard| engine.copies(shard, &keys));
            part.entries = entries.unwrap_or_default();
        }
        let mut writes = Vec::new();
        self.answer(session, |engine, reply| writes = engine.run_assembled(command, selected, request, parts, reply));
        for (core, writes) in writes {
            self.with_held(core, |engine, shard| engine.apply(shard, writes));
        }
    }
}

/// A shard that is held: the own one, or one on loan.
enum HeldShard {
    Own(Box<Shard>),
    Borrowed(super::OpenLoan),
}

impl HeldShard {
    fn shard(&mut self) -> &mut Shard {
        match self {
            HeldShard::Own(shard) => shard,
            HeldShard::Borrowed(open) => &mut open.loan,
        }
    }
}

/// Coordinates.
impl Engine {
    /// Draws a number and asks every core concerned to leave intents.
    fn schedule(&mut self, handle: Handle) {
        let counts_keys = self.counts_keys();
        let Some(transaction) = self.transactions.get_mut(handle.0 as usize) else { return };
        transaction.id = self.shared.next_transaction();
        transaction.awaiting = transaction.parts.len();
        transaction.outcome = Scheduling::Accepted;
        let request = transaction.request.request();
        let letters: Vec<(CoreId, Rare)> = transaction
            .parts
            .iter()
            .map(|part| {
                let intents = part.intents(transaction.command, request);
                let room = part.room(transaction.command, request, counts_keys);
                (part.core, Rare::Schedule { id: transaction.id, handle, intents, room })
            })
            .collect();
        for (core, letter) in letters {
            self.write(core, letter);
        }
    }

    /// A core has left its intents, or refused to.
    pub(super) fn scheduled(&mut self, handle: Handle, outcome: Scheduling) {
        let Some(transaction) = self.transactions.get_mut(handle.0 as usize) else { return };
        transaction.outcome = transaction.outcome.max(outcome);
        transaction.awaiting -= 1;
        if transaction.awaiting > 0 {
            return;
        }
        if transaction.outcome != Scheduling::Accepted {
            let (id, outcome) = (transaction.id, transaction.outcome);
            let cores: Vec<CoreId> = transaction.parts.iter().map(|part| part.core).collect();
            for core in cores {
                self.write(core, Rare::Withdraw { id });
            }
            if outcome == Scheduling::NoRoom {
                return self.reject_transaction(handle);
            }
            self.stats.transaction_retries += 1;
            return self.schedule(handle);
        }
        transaction.awaiting = transaction.parts.len();
        let id = transaction.id;
        let works: Vec<(CoreId, Work)> = transaction
            .parts
            .iter()
            .enumerate()
            .map(|(index, part)| {
                let task = task(transaction, part);
                (part.core, Work { coordinator: self.core, handle, part: index, task })
            })
            .collect();
        for (core, work) in works {
            self.write(core, Rare::Execute { id, work: Box::new(work) });
        }
    }

    /// A core has no room for its part: answers so, and nothing has run.
    fn reject_transaction(&mut self, handle: Handle) {
        let Transaction { client, command, protocol, request, began_us, .. } =
            self.transactions.remove(handle.0 as usize);
        self.stats.failures[command.id.index()].rejected += 1;
        self.count_error(&ReplyError::OutOfMemory.text());
        let mut out = std::mem::take(&mut self.scratch);
        Reply::new(&mut out, protocol).error(ReplyError::OutOfMemory);
        if let Some(began_us) = began_us {
            self.observe_end_of(client.conn, command, request.request(), began_us);
        }
        self.conclude(client, out);
    }

    /// A part of a split command has run.
    pub(super) fn part_executed(&mut self, handle: Handle, part: usize, reply: PartReply) {
        let Some(transaction) = self.transactions.get_mut(handle.0 as usize) else { return };
        transaction.parts[part].reply = reply;
        transaction.awaiting -= 1;
        if transaction.awaiting > 0 {
            return;
        }
        let transaction = self.transactions.remove(handle.0 as usize);
        let mut out = std::mem::take(&mut self.scratch);
        let mut reply = Reply::new(&mut out, transaction.protocol);
        join(transaction.command, transaction.request.request(), &transaction.parts, &mut reply);
        if let Some(began_us) = transaction.began_us {
            let (command, request) = (transaction.command, transaction.request.request());
            self.observe_end_of(transaction.client.conn, command, request, began_us);
        }
        self.conclude(transaction.client, out);
    }

    /// The entries of one core have come for an assembled command.
    pub(super) fn part_fetched(&mut self, handle: Handle, part: usize, entries: Vec<Option<Entry>>) {
        let Some(transaction) = self.transactions.get_mut(handle.0 as usize) else { return };
        transaction.parts[part].entries = entries;
        transaction.awaiting -= 1;
        if transaction.awaiting > 0 {
            return;
        }
        let Transaction { client, command, selected, protocol, request, id, parts, began_us, .. } =
            self.transactions.remove(handle.0 as usize);
        let mut out = std::mem::take(&mut self.scratch);
        let mut reply = Reply::new(&mut out, protocol);
        // The intents stay until the outcome is stored, so the reply may leave at once: nobody can look at the keys before.
        let outcome = self.run_assembled(command, selected, request.request(), parts, &mut reply);
        for (core, writes) in outcome {
            self.write(core, Rare::Store { id, writes });
        }
        if let Some(began_us) = began_us {
            self.observe_end_of(client.conn, command, request.request(), began_us);
        }
        self.conclude(client, out);
    }

    /// A transaction is measured from this moment on.
    pub(super) fn transaction_began(&mut self, handle: Handle, began_us: u64) {
        if let Some(transaction) = self.transactions.get_mut(handle.0 as usize) {
            transaction.began_us = Some(began_us);
        }
    }

    /// Sends the reply, and lets the client go on.
    pub(super) fn conclude(&mut self, client: Place, mut reply: Output) {
        self.fill(client, &reply, 0, reply.len());
        reply.clear();
        self.scratch = reply;
        self.release_session(client.conn);
    }

    /// Lets a session go on whose request over several cores has been answered.
    pub(super) fn release_session(&mut self, conn: ConnId) {
        let Some(session) = self.sessions.get_mut(conn) else { return };
        if session.state == State::Busy {
            session.state = State::Ready;
            if !session.runnable {
                session.runnable = true;
                self.runnable.push_back(conn);
            }
        }
    }

    /// Runs a command on a shard that holds just its keys. Returns, by core, what is to be stored; nothing if the command
    /// has changed nothing (but every core is named, since its intents end with this).
    fn run_assembled(
        &mut self,
        command: &'static Command,
        selected: Selected,
        request: Request<'_>,
        parts: Vec<Part>,
        reply: &mut Reply<'_>,
    ) -> Vec<(CoreId, Writes)> {
        let Some(mut assembly) = self.assembly.take() else { return Vec::new() };
        let now = assembly.advance(self.now);
        let mut places = Vec::with_capacity(parts.len());
        for Part { core, keys, entries, .. } in parts {
            for (key, entry) in keys.iter().zip(entries) {
                if let Some(entry) = entry {
                    assembly.keys(usize::from(key.database), now).put(request.get(key.index), entry);
                }
            }
            places.push((core, keys));
        }
        let before = assembly.stats().changes;
        self.execute(&mut assembly, now, selected, command, request, reply);
        let changed = assembly.stats().changes != before;
        let mut outcome = Vec::with_capacity(places.len());
        for (core, keys) in &places {
            let mut writes = Vec::new();
            for key in keys.iter().filter(|key| changed && key.write) {
                let name = request.get(key.index);
                let entry = assembly.keys(usize::from(key.database), now).copy(name);
                writes.push((StoredKey { database: key.database, name: name.into() }, entry));
            }
            outcome.push((*core, writes));
        }
        for key in places.iter().flat_map(|(_, keys)| keys) {
            assembly.keys(usize::from(key.database), now).take(request.get(key.index));
        }
        self.assembly = Some(assembly);
        outcome
    }
}

/// Takes part.
impl Engine {
    /// Leaves intents, and looks whether there is room for what is intended.
    pub(super) fn take_intents(&mut self, id: TxnId, intents: Intents, room: Option<Room>) -> Scheduling {
        if !self.ledger.schedule(id, intents) {
            return Scheduling::Overtaken;
        }
        if self.has_room_at(self.core, room) { Scheduling::Accepted } else { Scheduling::NoRoom }
    }

    /// Runs the transactions whose turn has come.
    pub(super) fn run_transactions(&mut self) {
        while let Some((id, work)) = self.ledger.begin() {
            let Work { coordinator, handle, part, task } = work;
            match task {
                Task::Run { command, selected, protocol, request, per_key } => {
                    let reply = self.with_held(self.core, |engine, shard| {
                        engine.run_part(shard, command.command(), selected, protocol, request.request(), per_key)
                    });
                    self.write(coordinator, Rare::Executed { handle, part, reply: reply.unwrap_or_default() });
                    self.end_intents(id);
                }
                Task::Fetch { keys } => {
                    let entries = self.with_held(self.core, |engine, shard| engine.copies(shard, &keys));
                    self.write(coordinator, Rare::Fetched { handle, part, entries: entries.unwrap_or_default() });
                }
            }
        }
    }

    /// The outcome of an assembled command has come.
    pub(super) fn store(&mut self, id: TxnId, writes: Writes) {
        self.with_held(self.core, |engine, shard| engine.apply(shard, writes));
        self.finish_transaction(id);
    }

    /// Ends a transaction here and runs what waited for it.
    pub(super) fn finish_transaction(&mut self, id: TxnId) {
        self.end_intents(id);
        self.run_transactions();
    }

    fn end_intents(&mut self, id: TxnId) {
        let mut freed = Vec::new();
        self.ledger.finish(id, |ticket, waiter| freed.push((ticket, waiter)));
        for (ticket, waiter) in freed {
            self.run_waiter(ticket, waiter);
        }
    }

    fn copies(&mut self, shard: &mut Shard, keys: &[StoredKey]) -> Vec<Option<Entry>> {
        let now = self.now;
        keys.iter().map(|key| shard.keys(usize::from(key.database), now).copy(&key.name)).collect()
    }

    fn apply(&mut self, shard: &mut Shard, writes: Writes) {
        let now = self.now;
        for (key, entry) in writes {
            let mut keys = shard.keys(usize::from(key.database), now);
            match entry {
                Some(entry) => keys.put(&key.name, entry),
                None => {
                    keys.delete(&key.name);
                }
            }
        }
    }

    /// Runs a part of a split command. `per_key`: key by key, noting where the reply of each ends.
    fn run_part(
        &mut self,
        shard: &mut Shard,
        command: &'static Command,
        selected: Selected,
        protocol: Protocol,
        request: Request<'_>,
        per_key: bool,
    ) -> PartReply {
        let now = self.now;
        let mut reply = PartReply::default();
        if !per_key {
            let mut encoder = Reply::new(&mut reply.bytes, protocol);
            self.execute(shard, now, selected, command, request, &mut encoder);
            return reply;
        }
        let mut one = Output::default();
        for key in request.iter().skip(1) {
            let single = OwnedRequest::new([request.get(0), key]);
            self.execute(shard, now, selected, command, single.request(), &mut Reply::new(&mut one, protocol));
            // The reply to one key is an array of one: its element stands behind `*1` and CRLF.
            reply.bytes.append_range(&one, ARRAY_OF_ONE, one.len().saturating_sub(ARRAY_OF_ONE));
            reply.ends.push(reply.bytes.len());
            one.clear();
        }
        reply
    }
}

/// Length of the head of an array of one element.
const ARRAY_OF_ONE: usize = "*1\r\n".len();

/// What one core is to do once all have accepted.
fn task(transaction: &Transaction, part: &Part) -> Task {
    let request = transaction.request.request();
    match manner(transaction.command) {
        Manner::Assembled => Task::Fetch { keys: part.stored_keys(request).collect() },
        Manner::Split => Task::Run {
            command: transaction.command.id,
            selected: transaction.selected,
            protocol: transaction.protocol,
            request: part_request(transaction.command, request, part),
            per_key: transaction.command.spread == Spread::PerKey,
        },
    }
}

/// The request that one core gets of a split command: the name, then each of its keys with what stands behind it (the
/// value of MSET). The whole of it if the command has no keys.
fn part_request(command: &Command, request: Request<'_>, part: &Part) -> OwnedRequest {
    if command.keys.is_empty() {
        return OwnedRequest::new(request.iter());
    }
    let per_key = if command.spread == Spread::All { 2 } else { 1 };
    let arguments = part.keys.iter().flat_map(|key| (key.index..key.index + per_key).map(|at| request.get(at)));
    OwnedRequest::new(std::iter::once(request.get(0)).chain(arguments))
}

/// Joins the replies of the parts of a split command.
fn join(command: &Command, request: Request<'_>, parts: &[Part], reply: &mut Reply<'_>) {
    let flat = |part: &Part| part.reply.bytes.pieces(0).next().map_or_else(Vec::new, <[u8]>::to_vec);
    if command.spread == Spread::PerKey {
        return join_by_key(request, parts, reply);
    }
    if let Some(error) = parts.iter().map(flat).find(|text| text.first() == Some(&b'-')) {
        return reply.raw(&error);
    }
    match command.spread {
        Spread::Sum => reply.integer(parts.iter().filter_map(|part| integer(&flat(part))).sum()),
        _ => reply.raw(&parts.first().map(flat).unwrap_or_default()),
    }
}

/// Puts the replies of single keys back into the order of the arguments.
fn join_by_key(request: Request<'_>, parts: &[Part], reply: &mut Reply<'_>) {
    reply.array(request.len() - 1);
    let mut by_index: Vec<(usize, &PartReply, usize)> = Vec::with_capacity(request.len() - 1);
    for part in parts {
        by_index.extend(part.keys.iter().enumerate().map(|(at, key)| (key.index, &part.reply, at)));
    }
    by_index.sort_unstable_by_key(|(index, ..)| *index);
    for (_, part, at) in by_index {
        let start = at.checked_sub(1).map_or(0, |before| part.ends[before]);
        reply.raw_range(&part.bytes, start, part.ends[at] - start);
    }
}

/// The number of an integer reply.
fn integer(reply: &[u8]) -> Option<i64> {
    let digits = reply.strip_prefix(b":")?.strip_suffix(b"\r\n")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

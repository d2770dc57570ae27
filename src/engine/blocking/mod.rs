//! Commands that wait for an element: BLPOP and its like.
//!
//! Such a command first makes an *attempt*, like any other command: on the core that owns its keys, or as a transaction if
//! several do. If there is nothing, its client waits. The *home* of the wait is the client's core: it knows the request, the
//! place of the reply and the deadline, and nobody else ends the wait. Each core that owns a key keeps the client in its
//! *line* for that key, in the order of arrival, until the home has it leave.
//!
//! ```text
//! home                           owner of a key
//!   ── Attempt ─────────────────▶  runs it; nothing: the client is in line from this moment
//!   ◀─ Served | Nothing ────────
//!   (several owners: the attempt is a transaction, and then:)
//!   ── Await ───────────────────▶  the client is in line; what is there already counts as if it came now
//!                                  something comes, and the client is first in line:
//!   ◀─ Offer ───────────────────   the key is held: commands of others wait
//!   ── Accept | Decline ────────▶  pops, or asks the next in line
//!   ◀─ Served | Nothing ────────
//!   ── Leave ───────────────────▶  (to every core where it is in line, when the wait has ended otherwise)
//! ```
//!
//! An owner looks at what has come after every command, or after a whole transaction or EXEC, before anything else runs on
//! the key, so a waiting client is served as if it had sent its command then. One whose home is the owner itself is served
//! at once. The key that BLMOVE pushes to is held as well. Where it cannot be, nothing is, and the client keeps its place if
//! others are faster: if a transaction holds it, the owner looks again when that has let go (to hold the one key and wait
//! for the other could wait for ever); if it is on another core, the home tries the whole command as a transaction (*Try*).
//!
//! Who is told by CLIENT UNBLOCK that a client waits no more can rely on it: a *Try* is called off, and where an owner is
//! about to run the command the answer waits for the outcome.
//!
//! A wait takes at most one offer at a time. Offers that come meanwhile are answered when it is decided: a wait that has
//! ended declines them.
//!
//! Bounds: a client waits once, so there are no more waits than clients, and no more places in line than the keys that
//! their requests name; each wait has at most one letter under way to each core, one offer for each of its keys, and takes
//! no mail credit. A shard on which somebody waits is not lent.
//!
//! `wait` is the home's side, `serve` the owner's.

mod serve;
#[cfg(test)]
mod tests;
mod wait;

use std::collections::{BTreeSet, HashMap, HashSet};

pub(super) use self::wait::Ending;
use self::wait::Wait;
use super::keyed::run_order;
use super::mail::{self, Manner, Place, Run};
use super::requests::Flow;
use super::{Deferred, Engine};
use crate::base::CoreId;
use crate::command::{Command, CommandId};
use crate::exec::blocking::{Awaited, Terms};
use crate::limits::LARGE_VALUE_BYTES;
use crate::resp::{Output, Protocol, Reply, Request};
use crate::route::{self, Plan};
use crate::session::{Selected, Session};
use crate::txn::{Lines, TxnId};

/// Which argument of BLMOVE and BRPOPLPUSH the key is that they push to.
const DESTINATION: usize = 2;

/// A wait, as other cores know it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct WaitId {
    home: CoreId,
    number: u32,
}

/// What somebody stands in line for.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Sought {
    database: u16,
    name: Box<[u8]>,
    awaited: Awaited,
}

/// What a core knows of one that stands in line: where its element goes.
#[derive(Clone, Debug)]
pub(super) enum Destination {
    Client,
    /// On to a key of the same core.
    Key(Box<[u8]>),
    /// On to another core, so its home runs the command.
    OtherCore,
}

/// What cores write to each other about waits. The number is the home's.
#[derive(Debug)]
pub(super) enum Notice {
    /// Run this, and put the client in line if there is nothing. Its `reply_to` names the wait.
    Attempt { run: Run, bytes: Vec<u8> },
    /// Put the client in line.
    Await { number: u32, database: u16, awaited: Awaited, names: Vec<Box<[u8]>>, destination: Destination },
    /// The client waits no more.
    Leave { number: u32 },
    /// Something has come under this name, and is held.
    Offer { number: u32, hold: TxnId, name: Box<[u8]> },
    /// Run this, and give up the hold.
    Accept { hold: TxnId, run: Run, bytes: Vec<u8> },
    /// Give up the hold.
    Decline { hold: TxnId },
    /// Something has come: try.
    Try { number: u32 },
    /// Others were faster.
    Tried { number: u32 },
    /// The reply.
    Served { number: u32, reply: Output },
    /// There was nothing; the client is in line.
    Nothing { number: u32 },
}

/// All that a core has to do with waiting.
#[derive(Debug, Default)]
pub(super) struct Blocking {
    /// Who waits for keys of this core.
    lines: Lines<Sought, WaitId, Destination>,
    /// Keys that are held for whoever they were offered to.
    offers: HashMap<TxnId, WaitId>,
    /// Those that try: the line behind them stands still.
    trying: HashSet<WaitId>,
    /// Keys that are to be looked at again when whoever holds them lets go.
    held: HashSet<(usize, Box<[u8]>)>,
    /// The waits of clients of this core.
    waits: HashMap<u32, Wait>,
    /// By moment of the monotonic clock, the waits that end then.
    deadlines: BTreeSet<(u64, u32)>,
    /// The number of the last wait.
    last: u32,
}

impl Blocking {
    /// Whether somebody waits for a key of this core: then its shard is not lent.
    pub(super) fn is_awaited(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Whether nothing is left to do, and nobody waits.
    pub(super) fn is_idle(&self) -> bool {
        self.lines.is_empty()
            && self.offers.is_empty()
            && self.trying.is_empty()
            && self.held.is_empty()
            && self.waits.is_empty()
            && self.deadlines.is_empty()
    }

    /// Whether an answer of another core is still to come.
    pub(super) fn expects_mail(&self) -> bool {
        !self.offers.is_empty() || self.waits.values().any(Wait::is_running)
    }

    /// Clients of this core that wait.
    pub(super) fn clients(&self) -> usize {
        self.waits.values().filter(|wait| wait.is_in_line()).count()
    }

    /// Those of them that do not wait for ever.
    pub(super) fn clients_with_deadline(&self) -> usize {
        self.deadlines.len()
    }

    /// Keys of this core that somebody waits for.
    pub(super) fn awaited_keys(&self) -> usize {
        self.lines.names()
    }

    /// The earliest moment at which a wait ends by itself.
    pub(super) fn next_deadline_us(&self) -> Option<u64> {
        self.deadlines.first().map(|(deadline_us, _)| *deadline_us)
    }
}

/// Attempts.
impl Engine {
    /// Runs a command that waits if there is nothing.
    pub(super) fn block(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
        terms: Terms,
    ) -> Flow {
        if !self.is_alone(session) {
            return Flow::Hold;
        }
        let selected = session.selected();
        let core = match route::plan(self.topology, self.core, command, request) {
            Plan::Core { core, .. } => core,
            Plan::Several => return self.attempt_on_several(session, command, request, terms),
        };
        if core != self.core {
            let is_light = command.is_bounded(request) && request.data().len() <= LARGE_VALUE_BYTES;
            if is_light && self.borrow(core) {
                let mut out = std::mem::take(&mut self.scratch);
                let nothing = self.attempt_borrowed(core, session, command, request, &mut out);
                return self.attempted(session, command, request, terms, nothing, out);
            }
            return self.attempt_by_mail(core, session, command, request, terms);
        }
        if self.shard.is_none() || !self.stash.is_empty() {
            return self.attempt_by_mail(core, session, command, request, terms);
        }
        if !self.ledger.is_empty()
            && (self.held_back.contains_key(&(core, session.conn)) || self.blocking_key(command, request).is_some())
        {
            let number = self.begin_wait(session, command, request, terms);
            self.deferred = Deferred::Mail;
            let run = Run { manner: Manner::Attempt, ..order_of(session, number, command, request) };
            let waits = self.must_wait(core, run, request);
            debug_assert!(waits, "nothing has changed since it was looked at");
            return Flow::Next;
        }
        let mut out = std::mem::take(&mut self.scratch);
        let nothing = self.attempt(selected, session.protocol, command, request, &mut out);
        let flow = self.attempted(session, command, request, terms, nothing, out);
        self.follow_up();
        flow
    }

    /// Runs a command on a borrowed shard. True if there was nothing.
    fn attempt_borrowed(
        &mut self,
        core: CoreId,
        session: &Session,
        command: &'static Command,
        request: Request<'_>,
        out: &mut Output,
    ) -> bool {
        let Some(mut open) = self.loans[core.index()].take() else { return false };
        self.stats.borrowed += 1;
        open.commands += 1;
        let now = open.loan.advance(self.now);
        let reply = &mut Reply::new(out, session.protocol);
        let nothing = self.execute_if_room(&mut open.loan, now, session.selected(), command, request, reply);
        self.loans[core.index()] = Some(open);
        nothing
    }

    /// An attempt has been made within the request: answers, or lets the client wait.
    fn attempted(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
        terms: Terms,
        nothing: bool,
        mut out: Output,
    ) -> Flow {
        if nothing {
            let number = self.begin_wait(session, command, request, terms);
            self.join_lines(number);
        } else {
            self.answer(session, |_, reply| reply.raw_range(&out, 0, out.len()));
        }
        out.clear();
        self.scratch = out;
        Flow::Next
    }

    fn attempt_by_mail(
        &mut self,
        core: CoreId,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
        terms: Terms,
    ) -> Flow {
        let number = self.begin_wait(session, command, request, terms);
        self.deferred = Deferred::Mail;
        let mut bytes = Vec::new();
        let start = mail::pack(&mut bytes, request);
        let run = Run { manner: Manner::Attempt, start, ..order_of(session, number, command, request) };
        self.notify(core, Notice::Attempt { run, bytes });
        Flow::Next
    }

    /// A command whose keys lie on several cores.
    fn attempt_on_several(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
        terms: Terms,
    ) -> Flow {
        let mut out = std::mem::take(&mut self.scratch);
        let reply = &mut Reply::new(&mut out, session.protocol);
        match self.attempt_at_once(command, request, session.selected(), reply) {
            Some(Ok(nothing)) => {
                let flow = self.attempted(session, command, request, terms, nothing, out);
                self.follow_up();
                return flow;
            }
            Some(Err(error)) => {
                self.scratch = out;
                return self.reject(session, command, error);
            }
            None => self.scratch = out,
        }
        let number = self.begin_wait(session, command, request, terms);
        self.deferred = Deferred::Mail;
        self.try_on_several(number);
        Flow::Next
    }

    /// Runs a command on the own shard, which is here. True if there was nothing.
    fn attempt(
        &mut self,
        selected: Selected,
        protocol: Protocol,
        command: &'static Command,
        request: Request<'_>,
        out: &mut Output,
    ) -> bool {
        let Some(mut shard) = self.shard.take() else { return false };
        let now = self.now;
        let nothing = self.execute_if_room(&mut shard, now, selected, command, request, &mut Reply::new(out, protocol));
        self.shard = Some(shard);
        nothing
    }

    /// Where the element goes that a request asks for.
    fn destination(&self, command: &'static Command, request: Request<'_>) -> Destination {
        if !matches!(command.id, CommandId::Blmove | CommandId::Brpoplpush) {
            return Destination::Client;
        }
        match route::plan(self.topology, self.core, command, request) {
            Plan::Core { .. } => Destination::Key(request.get(DESTINATION).into()),
            Plan::Several => Destination::OtherCore,
        }
    }

    fn notify(&mut self, core: CoreId, notice: Notice) {
        self.write(core, mail::Rare::Wait(notice));
    }

    /// A letter about a wait has come.
    pub(super) fn noticed(&mut self, from: CoreId, notice: Notice) {
        match notice {
            Notice::Attempt { run, bytes } => self.run_for(from, run, &bytes),
            Notice::Await { number, database, awaited, names, destination } => {
                self.stand_in_line(WaitId { home: from, number }, (database, awaited), names, destination);
            }
            Notice::Leave { number } => self.leave_lines(WaitId { home: from, number }),
            Notice::Offer { number, hold, name } => self.offered(number, (from, hold, name)),
            Notice::Accept { hold, run, bytes } => self.accepted_offer(from, hold, run, &bytes),
            Notice::Decline { hold } => self.end_offer(hold),
            Notice::Try { number } => self.asked_to_try(from, number),
            Notice::Tried { number } => self.has_tried(WaitId { home: from, number }),
            Notice::Served { number, reply } => self.was_served(from, number, &reply),
            Notice::Nothing { number } => self.found_nothing(from, number),
        }
    }
}

/// The order to make the attempt of a wait.
fn order_of(session: &Session, number: u32, command: &Command, request: Request<'_>) -> Run {
    let reply_to = Place { conn: session.conn, place: number };
    run_order(reply_to, command, session.selected(), session.protocol, request)
}

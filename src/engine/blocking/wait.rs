//! The home's side of a wait: from the request to the reply.

use super::super::keyed::run_order;
use super::super::mail::{self, Handle, Manner, OwnedRequest, Place, Rare, Run};
use super::super::node::Told;
use super::{Engine, Notice, WaitId};
use crate::base::{ClientId, CoreId};
use crate::command::Command;
use crate::exec::blocking::{self, Terms};
use crate::resp::{Output, Protocol, Reply, ReplyError, Request};
use crate::session::{NO_PLACE, Selected, Session, State};
use crate::txn::TxnId;

/// Something that has come under a name: the core that holds it, and by what number.
pub(super) type Offer = (CoreId, TxnId, Box<[u8]>);

/// How a wait ends without an element.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine) enum Ending {
    /// Its time is over, or CLIENT UNBLOCK says so.
    TimedOut,
    /// CLIENT UNBLOCK ERROR.
    Unblocked,
}

/// One that has asked by CLIENT UNBLOCK for the end of a wait which is about to end otherwise.
#[derive(Debug)]
struct Unblocker {
    core: CoreId,
    handle: Handle,
    /// The wait ends for this one's sake, if it ends without an element.
    is_first: bool,
}

/// A client of this core that waits.
#[derive(Debug)]
pub(super) struct Wait {
    client: Place,
    command: &'static Command,
    selected: Selected,
    protocol: Protocol,
    request: OwnedRequest,
    terms: Terms,
    /// When it ends by itself, on the monotonic clock.
    deadline_us: Option<u64>,
    /// The command is being run somewhere, whole or for one key: only its outcome decides how this goes on.
    is_running: bool,
    /// That is a transaction of this core, which can be called off.
    is_trying: bool,
    /// It is to end if that comes to nothing.
    ending: Option<Ending>,
    /// Who has asked for that by CLIENT UNBLOCK meanwhile, and waits for the answer.
    unblockers: Vec<Unblocker>,
    /// The cores where the client is in line; none before the first attempt is over.
    cores: Vec<CoreId>,
    /// Offers that wait for the outcome.
    offers: Vec<Offer>,
}

impl Wait {
    pub(super) fn is_running(&self) -> bool {
        self.is_running
    }

    pub(super) fn is_in_line(&self) -> bool {
        !self.cores.is_empty()
    }

    /// Whether an owner is about to serve its client, which nobody can call off.
    fn is_being_served(&self) -> bool {
        self.is_running && !self.is_trying
    }
}

/// Begins and ends.
impl Engine {
    /// Lets a client wait, whose request is about to be run. Answers the number of the wait.
    pub(super) fn begin_wait(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        request: Request<'_>,
        terms: Terms,
    ) -> u32 {
        let client = Place { conn: session.conn, place: session.reserve_place() };
        session.state = State::Busy;
        let waits = &mut self.blocking.waits;
        let number = std::iter::successors(Some(self.blocking.last.wrapping_add(1)), |last| Some(last.wrapping_add(1)))
            .find(|number| *number != NO_PLACE && !waits.contains_key(number))
            .unwrap_or(NO_PLACE);
        self.blocking.last = number;
        session.waiting = Some(number);
        let wait = Wait {
            client,
            command,
            selected: session.selected(),
            protocol: session.protocol,
            request: OwnedRequest::new(request.iter()),
            deadline_us: terms.timeout_ms.map(|ms| self.now.mono_us.saturating_add(ms.saturating_mul(1000))),
            terms,
            is_running: true,
            is_trying: false,
            ending: None,
            unblockers: Vec::new(),
            cores: Vec::new(),
            offers: Vec::new(),
        };
        waits.insert(number, wait);
        number
    }

    /// The first attempt has found nothing, and no core knows of the client yet: it gets in line everywhere.
    pub(super) fn join_lines(&mut self, number: u32) {
        let Some(wait) = self.blocking.waits.get(&number) else { return };
        let request = wait.request.request();
        let mut by_core: Vec<(CoreId, Vec<Box<[u8]>>)> = Vec::new();
        for index in wait.terms.keys.clone() {
            let name = request.get(index);
            let core = self.topology.core_of(name);
            match by_core.iter_mut().find(|(other, _)| *other == core) {
                Some((_, names)) => names.push(name.into()),
                None => by_core.push((core, vec![name.into()])),
            }
        }
        let (database, awaited) = (wait.selected.database, wait.terms.awaited);
        let destination = self.destination(wait.command, request);
        let cores = by_core.iter().map(|(core, _)| *core).collect();
        for (core, names) in by_core {
            // The own shard may be away, so a letter goes there too, unless nothing has happened since the attempt.
            if core == self.core && self.shard.is_some() && self.stash.is_empty() {
                self.stand_in_line(WaitId { home: core, number }, (database, awaited), names, destination.clone());
            } else {
                let destination = destination.clone();
                self.notify(core, Notice::Await { number, database, awaited, names, destination });
            }
        }
        self.waits_in_line(number, cores);
    }

    /// A client is in line from now on: its time runs.
    fn waits_in_line(&mut self, number: u32, cores: Vec<CoreId>) {
        let Some(wait) = self.blocking.waits.get_mut(&number) else { return };
        wait.cores = cores;
        if let Some(deadline_us) = wait.deadline_us {
            self.blocking.deadlines.insert((deadline_us, number));
        }
        self.goes_on(number);
    }

    /// What was run has come to nothing: the client goes on waiting, unless it is to end or something else was offered.
    fn goes_on(&mut self, number: u32) {
        let Some(wait) = self.blocking.waits.get_mut(&number) else { return };
        (wait.is_running, wait.is_trying) = (false, false);
        if let Some(ending) = wait.ending {
            return self.end_wait(number, ending);
        }
        let conn = wait.client.conn;
        if !wait.offers.is_empty() {
            let offer = wait.offers.remove(0);
            self.accept(number, offer);
        } else if self.sessions.get_mut(conn).is_some_and(|session| session.ended) {
            self.close(conn, true);
        }
    }

    /// Whether a client will send nothing more and waits: it is taken for one that is gone. What is being run for it comes
    /// to an end first.
    pub(in crate::engine) fn waits_for_nobody(&self, session: &Session) -> bool {
        session.ended && session.waiting.is_some_and(|number| self.is_open(number))
    }

    /// Ends a wait with a reply, and has the client leave every line but those of `server`, where it has left.
    pub(super) fn finish_wait(&mut self, number: u32, server: Option<CoreId>, reply: &Output) {
        let Some(wait) = self.forget_wait(number, server) else { return };
        debug_assert!(!self.sessions.is_out(wait.client.conn), "a client is not served within its own request");
        if let Some(session) = self.sessions.get_mut(wait.client.conn) {
            session.waiting = None;
        }
        self.fill(wait.client, reply, 0, reply.len());
        self.release_session(wait.client.conn);
    }

    /// Ends a wait without an element.
    fn end_wait(&mut self, number: u32, ending: Ending) {
        let Some(wait) = self.blocking.waits.get_mut(&number) else { return };
        let (command, protocol) = (wait.command, wait.protocol);
        for Unblocker { core, handle, is_first } in std::mem::take(&mut wait.unblockers) {
            self.write(core, Rare::Told { handle, told: Told::Count(usize::from(is_first)) });
        }
        let mut out = Output::default();
        let reply = &mut Reply::new(&mut out, protocol);
        match ending {
            Ending::TimedOut => blocking::timed_out(reply),
            Ending::Unblocked => {
                self.stats.failures[command.id.index()].failed += 1;
                self.count_error(&ReplyError::Unblocked.text());
                reply.error(ReplyError::Unblocked);
            }
        }
        self.finish_wait(number, None, &out);
    }

    /// Ends the wait of a client that is gone.
    pub(in crate::engine) fn abandon_wait(&mut self, session: &mut Session) {
        if let Some(number) = session.waiting.take() {
            self.forget_wait(number, None);
        }
    }

    fn forget_wait(&mut self, number: u32, server: Option<CoreId>) -> Option<Wait> {
        let wait = self.blocking.waits.remove(&number)?;
        if let Some(deadline_us) = wait.deadline_us {
            self.blocking.deadlines.remove(&(deadline_us, number));
        }
        for core in wait.cores.iter().filter(|core| Some(**core) != server) {
            self.notify(*core, Notice::Leave { number });
        }
        for (core, hold, _) in &wait.offers {
            self.notify(*core, Notice::Decline { hold: *hold });
        }
        for Unblocker { core, handle, .. } in &wait.unblockers {
            self.write(*core, Rare::Told { handle: *handle, told: Told::Count(0) });
        }
        Some(wait)
    }

    /// Ends the waits whose time is over.
    pub(in crate::engine) fn end_late_waits(&mut self) {
        while let Some((deadline_us, number)) = self.blocking.deadlines.first().copied()
            && deadline_us <= self.now.mono_us
        {
            self.blocking.deadlines.pop_first();
            self.stop_waiting(number, Ending::TimedOut);
        }
    }

    /// Ends a wait now, or when an owner that is about to serve its client has nothing after all.
    fn stop_waiting(&mut self, number: u32, ending: Ending) {
        match self.blocking.waits.get_mut(&number) {
            Some(wait) if wait.is_being_served() => {
                wait.ending.get_or_insert(ending);
            }
            Some(_) => self.end_wait(number, ending),
            None => {}
        }
    }

    /// CLIENT UNBLOCK: one if the client waited and does so no more, zero if it does not wait or is none of this core.
    /// `None` if only what an owner is about to do decides that: the asker is told then.
    pub(in crate::engine) fn unblock(
        &mut self,
        (core, handle): (CoreId, Handle),
        client: ClientId,
        ending: Ending,
    ) -> Option<Told> {
        let number = self.sessions.iter().find(|session| session.id == client).and_then(|session| session.waiting);
        let wait = number.and_then(|number| self.blocking.waits.get_mut(&number)).filter(|wait| wait.is_in_line());
        let (Some(number), Some(wait)) = (number, wait) else { return Some(Told::Count(0)) };
        if wait.is_being_served() {
            wait.unblockers.push(Unblocker { core, handle, is_first: wait.ending.is_none() });
            wait.ending.get_or_insert(ending);
            return None;
        }
        self.end_wait(number, ending);
        Some(Told::Count(1))
    }

    /// Whether a transaction is to be called off that is run for this wait: it has ended.
    pub(in crate::engine) fn is_called_off(&self, wait: Option<u32>) -> bool {
        wait.is_some_and(|number| !self.blocking.waits.contains_key(&number))
    }
}

/// Hears from others.
impl Engine {
    /// Something has come for a client, and is held for it.
    pub(super) fn offered(&mut self, number: u32, offer: Offer) {
        match self.blocking.waits.get_mut(&number) {
            None => self.notify(offer.0, Notice::Decline { hold: offer.1 }),
            Some(wait) if wait.is_running => wait.offers.push(offer),
            Some(_) => self.accept(number, offer),
        }
    }

    fn accept(&mut self, number: u32, (core, hold, name): Offer) {
        let Some(wait) = self.blocking.waits.get_mut(&number) else { return };
        wait.is_running = true;
        let (run, bytes) = wait.order(number, &name);
        self.notify(core, Notice::Accept { hold, run, bytes });
    }

    /// Something has come for a client whose command concerns several cores.
    pub(super) fn asked_to_try(&mut self, from: CoreId, number: u32) {
        match self.blocking.waits.get_mut(&number) {
            // Its `Leave` is under way.
            None => {}
            Some(wait) if wait.is_running => self.notify(from, Notice::Tried { number }),
            Some(wait) => {
                (wait.is_running, wait.is_trying) = (true, true);
                self.try_on_several(number);
            }
        }
    }

    /// Runs the command of a wait as a transaction.
    pub(super) fn try_on_several(&mut self, number: u32) {
        let Some(wait) = self.blocking.waits.get(&number) else { return };
        let (command, selected, protocol) = (wait.command, wait.selected, wait.protocol);
        let request = wait.request.clone();
        self.transact_for_wait(number, command, request, selected, protocol);
    }

    /// Such a transaction has run.
    pub(in crate::engine) fn tried_on_several(&mut self, number: u32, nothing: bool, reply: &Output) {
        let Some(wait) = self.blocking.waits.get(&number) else { return };
        if !nothing {
            return self.finish_wait(number, None, reply);
        }
        if !wait.is_in_line() {
            return self.join_lines(number);
        }
        // It waits for one key.
        let owner = wait.cores[0];
        self.notify(owner, Notice::Tried { number });
        self.goes_on(number);
    }

    /// A core has run the command, or a part of it, and has had the client leave its lines.
    pub(super) fn was_served(&mut self, from: CoreId, number: u32, reply: &Output) {
        self.finish_wait(number, Some(from), reply);
    }

    /// A core has run the command, or a part of it, to no avail. The client is in line there.
    pub(super) fn found_nothing(&mut self, from: CoreId, number: u32) {
        match self.blocking.waits.get(&number) {
            None => self.notify(from, Notice::Leave { number }),
            Some(wait) if wait.is_in_line() => self.goes_on(number),
            Some(_) => self.waits_in_line(number, vec![from]),
        }
    }

    /// Whether a client of this core can be served at once.
    pub(super) fn is_open(&self, number: u32) -> bool {
        self.blocking.waits.get(&number).is_some_and(|wait| !wait.is_running)
    }

    /// What is to be run for a client of this core, under one name.
    pub(super) fn request_here(&self, number: u32, name: &[u8]) -> Option<(&'static Command, OwnedRequest)> {
        let wait = self.blocking.waits.get(&number)?;
        Some((wait.command, wait.for_key(name)))
    }

    /// How the replies to a wait of this core are encoded, and how its command meets the keyspace.
    pub(super) fn manners_of(&self, number: u32) -> Option<(Selected, Protocol)> {
        self.blocking.waits.get(&number).map(|wait| (wait.selected, wait.protocol))
    }
}

impl Wait {
    /// The request that asks for one key.
    fn for_key(&self, name: &[u8]) -> OwnedRequest {
        OwnedRequest::new(blocking::for_key(self.command, self.request.request(), &self.terms, name))
    }

    /// The order to run that, and its packed arguments.
    fn order(&self, number: u32, name: &[u8]) -> (Run, Vec<u8>) {
        let request = self.for_key(name);
        let mut bytes = Vec::new();
        let start = mail::pack(&mut bytes, request.request());
        let reply_to = Place { conn: self.client.conn, place: number };
        let run = run_order(reply_to, self.command, self.selected, self.protocol, request.request());
        (Run { manner: Manner::Attempt, start, ..run }, bytes)
    }
}

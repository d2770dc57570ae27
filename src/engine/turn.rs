//! The turn of a core: its beginning, what comes in, its end, and sleep.

use std::os::fd::OwnedFd;

use super::mail::{Letter, Rare};
use super::{Effect, Engine, Input};
use crate::base::{ConnId, CoreId, Now};
use crate::config::OutputLimit;
use crate::keyspace::Rules;
use crate::limits::{
    EXPIRY_BLOCKS_PER_TURN, IDLE_CHECK_INTERVAL_US, INPUT_PAUSE_BYTES, OUTPUT_PAUSE_BYTES, SESSIONS_PER_TURN, TURN_US,
    UNSWEPT_MS,
};
use crate::mesh::{LendingMode, Park};
use crate::resp::{Output, Reply};
use crate::session::{Closing, Peer, Session, State};

/// Until when what has fallen due is swept. With sweeping off (`DEBUG SET-ACTIVE-EXPIRE`), what has been due for long goes
/// nevertheless.
fn swept_until(now: Now, sweeping: bool) -> Now {
    let unix_us = if sweeping { now.unix_us } else { now.unix_us.saturating_sub(UNSWEPT_MS * 1000) };
    Now { unix_us, ..now }
}

/// What a core does for its shard at the end of a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Chore {
    /// Removes what has fallen due.
    Sweep,
    /// Drops what was deleted.
    Bury,
    /// Keeps to the limit, and memory together.
    Tidy,
}

impl Chore {
    fn next(self) -> Self {
        match self {
            Chore::Sweep => Chore::Bury,
            Chore::Bury => Chore::Tidy,
            Chore::Tidy => Chore::Sweep,
        }
    }
}

/// What a core may do when a turn is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sleep {
    /// There is more to do: look at the sockets without waiting.
    No,
    /// Nothing to do: wait for sockets, the bell, or this moment of the monotonic clock (microseconds), if any. The core
    /// counts as asleep until [`Engine::wake`].
    Until(Option<u64>),
}

impl Engine {
    /// Begins a turn.
    pub fn begin(&mut self, now: Now) {
        self.begin_turn(now);
        self.read_mail();
    }

    /// What comes before the mail of others is read: the time, the own shard if it is back, and what waited for it.
    pub(super) fn begin_turn(&mut self, now: Now) {
        if self.shard.is_none()
            && let Some(shard) = self.port.reclaim()
        {
            self.shard = Some(shard);
        }
        // Whoever had borrowed the shard may have read a later time.
        self.now = match &mut self.shard {
            Some(shard) => shard.advance(now),
            None => now,
        };
        self.apply_rules();
        self.turn_asked_us = None;
        self.publish_events();
        self.read_stash();
    }

    /// Tells the own shard what the operator has changed, if it is here and does not know yet.
    #[inline]
    pub(super) fn apply_rules(&mut self) {
        if let Some(shard) = &mut self.shard {
            shard.follow(self.config_number, || Rules::of(&self.config));
        }
    }

    /// Takes in what has happened.
    pub fn input(&mut self, input: Input<'_>) {
        match input {
            Input::Received { conn, bytes } => self.received(conn, bytes),
            Input::Accepted { conn, peer } => self.accepted(conn, peer),
            Input::Ended { conn, broken } => self.ended(conn, broken),
            Input::Stalled { conn, unsent } => self.stalled(conn, unsent),
            Input::Drained { conn } => self.drained(conn),
            Input::ConfigRewritten { ticket, outcome } => self.config_rewritten(ticket, outcome),
        }
    }

    /// Whether clients' commands have had enough of this turn. The time counts from when this is first asked, which is
    /// after some commands: a short turn does not look at the clock at all.
    #[inline]
    pub fn is_turn_over(&mut self) -> bool {
        let now_us = (self.stopwatch)();
        now_us.saturating_sub(*self.turn_asked_us.get_or_insert(now_us)) >= TURN_US
    }

    /// Ends a turn: what waits goes on as far as the budget reaches, shards go back, mail is posted.
    pub fn finish(&mut self) {
        self.check_pause();
        self.end_late_waits();
        // Those that have waited since the last turn have a time of their own: what has just come shall not starve them.
        self.turn_asked_us = None;
        for _ in 0..self.runnable.len().min(SESSIONS_PER_TURN) {
            if self.is_turn_over() {
                break;
            }
            if let Some(conn) = self.runnable.pop_front() {
                self.go_on(conn);
            }
        }
        self.read_own_mail();
        self.work_in_slices();
        self.tend_shard();
        self.publish_events();
        self.check_idle_clients();
        self.sample_rates();
        self.return_loans();
        // Whoever is closed may have something to tell other cores, so mail is posted behind this.
        for conn in std::mem::take(&mut self.unsent) {
            if let Some(session) = self.sessions.get_mut(conn) {
                session.listed = false;
                if session.overfull {
                    self.close_overfull(conn);
                } else if session.state == State::Closing && session.pipeline.is_settled() {
                    self.close(conn, true);
                } else if session.pipeline.ready_bytes() > 0 && !session.is_broken() {
                    self.effects.push_back(Effect::Send(conn));
                }
            }
        }
        self.post_mail();
    }

    /// Expires and frees what is due, a bounded piece at a time.
    fn tend_shard(&mut self) {
        let (stopwatch, mut began_us) = (self.stopwatch, None);
        let mut is_over = || {
            let now_us = stopwatch();
            now_us.saturating_sub(*began_us.get_or_insert(now_us)) >= TURN_US
        };
        if let Some(assembly) = self.assembly.as_mut().filter(|assembly| assembly.has_remains()) {
            assembly.bury_some(&mut is_over);
        }
        let Some(shard) = &mut self.shard else { return };
        let until = swept_until(self.now, self.expire_actively);
        // One chore in a turn; the next turn begins with the one behind it.
        loop {
            self.chore = self.chore.next();
            match self.chore {
                Chore::Sweep if shard.next_due().is_due(until.unix_ms()) => {
                    shard.expire_some(EXPIRY_BLOCKS_PER_TURN, until);
                }
                Chore::Bury if shard.has_remains() => {
                    shard.bury_some(&mut is_over);
                }
                Chore::Tidy => {
                    self.untidy = shard.tidy();
                    while self.untidy && shard.is_overheld() && !is_over() {
                        self.untidy = shard.tidy();
                    }
                }
                Chore::Sweep | Chore::Bury => continue,
            }
            break;
        }
    }

    /// Whether something is left that needs no news from outside.
    fn has_work(&self) -> bool {
        !self.runnable.is_empty()
            || !self.slices.is_empty()
            || self.untidy
            || !self.outgoing[self.core.index()].is_empty()
            || self.assembly.as_ref().is_some_and(|assembly| assembly.has_remains())
            || self.shard.as_ref().is_some_and(|shard| {
                shard.has_remains() || shard.next_due().is_due(swept_until(self.now, self.expire_actively).unix_ms())
            })
    }

    /// After all effects have been carried out: may the core sleep? If so, its shard is parked, to be lent.
    pub fn sleep(&mut self) -> Sleep {
        let busy = self.has_work();
        if busy && self.port.lending() != LendingMode::Always {
            return Sleep::No;
        }
        let is_quiet = self.shard.as_ref().is_none_or(|shard| !shard.has_events());
        let lendable = is_quiet
            && self.ledger.is_empty()
            && self.stash.is_empty()
            && self.slices.is_empty()
            && !self.blocking.is_awaited();
        let deadline = self.next_deadline_us();
        let shard = if lendable { self.shard.take() } else { None };
        let had_shard = shard.is_some();
        match self.port.park(shard) {
            Park::Parked if busy => Sleep::Until(Some(self.now.mono_us)),
            Park::Parked => Sleep::Until(deadline),
            Park::StayAwake(shard) => {
                debug_assert!(shard.is_some() || !had_shard, "the mesh gives back what it was given");
                if let Some(shard) = shard {
                    self.shard = Some(shard);
                }
                Sleep::No
            }
        }
    }

    /// The first thing after sleep.
    pub fn wake(&mut self) {
        if let Some(shard) = self.port.unpark() {
            self.shard = Some(shard);
        }
    }

    /// When the core must look again though nothing has happened, on the monotonic clock.
    fn next_deadline_us(&self) -> Option<u64> {
        let from_unix_ms = |unix_ms: u64| {
            let ahead_us = (unix_ms.saturating_add(1)).saturating_mul(1000).saturating_sub(self.now.unix_us);
            self.now.mono_us.saturating_add(ahead_us)
        };
        let left_ms = if self.expire_actively { 0 } else { UNSWEPT_MS };
        let due = match &self.shard {
            Some(shard) => shard.next_due().unix_ms().map(|due| from_unix_ms(due.saturating_add(left_ms))),
            None => None,
        };
        let pause = self.pause.as_ref().map(|pause| from_unix_ms(pause.until_ms));
        let idle = (self.needs_idle_checks() && self.sessions.len() > 0).then_some(self.next_idle_check_us);
        [due, pause, idle, self.blocking.next_deadline_us()].into_iter().flatten().min()
    }

    fn accepted(&mut self, conn: ConnId, peer: Peer) {
        let id = self.shared.next_client();
        let refusal = self.refusal(&peer);
        self.shared.connected(self.core);
        self.stats.connections += 1;
        let mut session = Session::new(id, conn, peer, self.config.requirepass.is_none(), self.now.unix_us);
        if let Some(line) = refusal {
            self.stats.connections_refused += 1;
            session.pipeline.reply(|out| Reply::new(out, session.protocol).error_text(line));
            session.state = State::Closing;
            session.listed = true;
            self.unsent.push(conn);
        }
        self.sessions.insert(Box::new(session));
    }

    /// Why a new client is turned away, if it is.
    fn refusal(&self, peer: &Peer) -> Option<&'static str> {
        if self.shared.connections() >= self.config.maxclients as usize {
            return Some("ERR max number of clients reached");
        }
        let exposed = self.config.protected_mode && self.config.requirepass.is_none();
        (exposed && !peer.loopback && !peer.unix).then_some(
            "DENIED Corewise is running in protected mode because no password is set, and so it answers only clients \
             of its own machine. To admit others, set a password (requirepass), or switch the mode off \
             (protected-mode no) if nothing but trusted clients can reach this address.",
        )
    }

    fn ended(&mut self, conn: ConnId, broken: bool) {
        if broken {
            return self.close(conn, false);
        }
        if let Some(mut session) = self.sessions.take(conn) {
            session.ended = true;
            let waits = self.waits_for_nobody(&session);
            self.sessions.put(session);
            if waits {
                return self.close(conn, true);
            }
        }
        if let Some(session) = self.sessions.get_mut(conn) {
            if session.state == State::Ready && !session.runnable {
                session.state = State::Closing;
            }
            self.list_unsent(conn);
        }
    }

    /// The limits of a client's class.
    #[inline]
    pub(super) fn output_limit(&self, session: &Session) -> OutputLimit {
        let limits = &self.config.output_limits;
        if session.is_subscriber() { limits.pubsub } else { limits.normal }
    }

    /// Output of one client at which its requests are no longer run: it is closed there if the operator has set a limit,
    /// else it waits until the client has read.
    #[inline]
    pub(super) fn output_bytes_max(&self, session: &Session) -> usize {
        match self.output_limit(session).hard_bytes {
            0 => OUTPUT_PAUSE_BYTES,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        }
    }

    /// Whether the operator wants clients closed that do not read, rather than waited for. Then requests go on, a few in
    /// each turn, until what the network has not taken is above the limit.
    pub(super) fn has_output_limit(&self, session: &Session) -> bool {
        self.output_limit(session).hard_bytes > 0
    }

    fn stalled(&mut self, conn: ConnId, unsent: usize) {
        let Some(mut session) = self.sessions.take(conn) else { return };
        let (now_us, output_max) = (self.now.mono_us, self.output_bytes_max(&session));
        let OutputLimit { hard_bytes, soft_bytes, soft_s } = self.output_limit(&session);
        session.unsent_bytes = unsent;
        let above_soft = soft_bytes > 0 && unsent as u64 > soft_bytes;
        self.above_soft -= usize::from(session.above_soft_since_us.is_some());
        self.above_soft += usize::from(above_soft);
        session.above_soft_since_us = above_soft.then(|| session.above_soft_since_us.unwrap_or(now_us));
        let too_long = session.above_soft_since_us.is_some_and(|since| now_us - since > u64::from(soft_s) * 1_000_000);
        if too_long || (hard_bytes > 0 && unsent as u64 > hard_bytes) {
            self.sessions.put(session);
            return self.close_overfull(conn);
        }
        if unsent > output_max && session.state == State::Ready {
            session.state = State::Stuffed;
        } else if (hard_bytes > 0 || unsent <= output_max / 2) && session.state == State::Stuffed && !session.runnable {
            session.runnable = true;
            self.runnable.push_back(conn);
        }
        self.sessions.put(session);
    }

    /// Closes a client that holds more output than its class may.
    fn close_overfull(&mut self, conn: ConnId) {
        if let Some(session) = self.sessions.get_mut(conn) {
            let (client, bytes) = (session.id.0, session.output_bytes());
            tracing::warn!(client, bytes, "a client is closed: its output is above client-output-buffer-limit");
            self.stats.output_closed += 1;
            self.close(conn, false);
        }
    }

    fn drained(&mut self, conn: ConnId) {
        let Some(session) = self.sessions.get_mut(conn) else { return };
        session.unsent_bytes = 0;
        self.above_soft -= usize::from(session.above_soft_since_us.take().is_some());
        if session.state == State::Stuffed && !session.runnable {
            session.runnable = true;
            self.runnable.push_back(conn);
        }
    }

    /// Pauses reading from a session that has more input than it may hold, and resumes one that has room again.
    pub(super) fn regulate(&mut self, session: &mut Session) {
        let waiting = session.state != State::Ready || session.runnable;
        let full = waiting && session.input_bytes() >= INPUT_PAUSE_BYTES;
        if full != session.reading_paused {
            session.reading_paused = full;
            self.effects.push_back(if full { Effect::Pause(session.conn) } else { Effect::Resume(session.conn) });
        }
    }

    /// Puts a session on the list of those that have something to send.
    #[inline]
    pub(super) fn list_unsent(&mut self, conn: ConnId) {
        if let Some(session) = self.sessions.get_mut(conn)
            && !session.listed
        {
            session.listed = true;
            self.unsent.push(conn);
        }
    }

    /// Ends a session. Replies that are still under way to it are dropped when they come.
    /// An EXEC that has begun is carried out nevertheless, and its client's place stays taken until then.
    pub(super) fn close(&mut self, conn: ConnId, after_output: bool) {
        let how = if after_output { Closing::AfterOutput } else { Closing::Now };
        if self.sessions.get_mut(conn).is_some_and(|session| session.closes_after_exec(how)) {
            return;
        }
        if let Some(mut session) = self.sessions.take(conn) {
            self.sessions.forget();
            self.forget_session(&mut session);
            let last = after_output.then(|| session.pipeline.take(Output::default()));
            self.effects.push_back(Effect::Close { conn, last });
        }
    }

    /// Undoes what a session that is gone has left elsewhere.
    pub(super) fn forget_session(&mut self, session: &mut Session) {
        self.shared.disconnected(self.core);
        self.drop_input(session);
        self.unwatch_keys(&session.watched);
        self.abandon_wait(session);
        if session.monitoring {
            self.monitor_left(session.conn);
        }
        self.above_soft -= usize::from(session.above_soft_since_us.is_some());
        if let Some(subscriptions) = session.subscriptions.take() {
            self.subscriber_left(session.conn, subscriptions);
        }
    }

    /// The buffer for the next replies of a session that has none.
    #[inline]
    pub(super) fn spare_output(pool: &mut Vec<Output>) -> Output {
        pool.pop().unwrap_or_default()
    }

    fn needs_idle_checks(&self) -> bool {
        self.config.timeout_s > 0 || self.above_soft > 0
    }

    /// Closes clients that have been idle for longer than `timeout`.
    fn check_idle_clients(&mut self) {
        if !self.needs_idle_checks() || self.now.mono_us < self.next_idle_check_us {
            return;
        }
        self.next_idle_check_us = self.now.mono_us + IDLE_CHECK_INTERVAL_US;
        let above: Vec<(ConnId, usize)> = self
            .sessions
            .iter()
            .filter(|session| session.above_soft_since_us.is_some())
            .map(|session| (session.conn, session.unsent_bytes))
            .collect();
        above.into_iter().for_each(|(conn, unsent)| self.stalled(conn, unsent));
        if self.config.timeout_s == 0 {
            return;
        }
        let oldest = self.now.unix_us.saturating_sub(u64::from(self.config.timeout_s) * 1_000_000);
        let idle = |session: &&Session| {
            session.active_us < oldest
                && session.state == State::Ready
                && !session.monitoring
                && !session.is_subscriber()
        };
        let idle: Vec<ConnId> = self.sessions.iter().filter(idle).map(|session| session.conn).collect();
        for conn in idle {
            self.close(conn, true);
        }
    }

    /// Lets every client go once it has been answered (SHUTDOWN, SIGTERM).
    pub fn stop(&mut self) {
        let conns: Vec<ConnId> = self.sessions.iter().map(|session| session.conn).collect();
        for conn in conns {
            if self.sessions.get_mut(conn).is_some_and(|session| session.waiting.is_some()) {
                self.close(conn, true);
            }
            if let Some(session) = self.sessions.get_mut(conn) {
                session.input = None;
                if !session.closes_after_exec(Closing::AfterOutput) {
                    session.state = State::Closing;
                }
            }
            self.list_unsent(conn);
        }
    }

    /// Clients of this core.
    pub fn clients(&self) -> usize {
        self.sessions.len()
    }

    /// Whether another core owes this one an answer: then a bell should be heard at once.
    pub fn expects_mail(&self) -> bool {
        self.credits.iter().any(|credits| !credits.is_empty())
            || !self.transactions.is_empty()
            || !self.executions.is_empty()
            || !self.questions.is_empty()
            || self.blocking.expects_mail()
    }

    /// Which core should have a connection that this one has accepted.
    pub fn home_for_connection(&self) -> CoreId {
        self.shared.home_for_connection(self.core)
    }

    /// Sends an accepted connection to the core that is to serve it.
    pub fn hand_over(&mut self, core: CoreId, descriptor: OwnedFd) {
        self.outgoing[core.index()].letters.push(Letter::Rare(Box::new(Rare::Adopt(descriptor))));
    }
}

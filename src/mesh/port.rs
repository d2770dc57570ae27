//! One core's place in the mesh: its rings to and from every other core, its credits with them, its door.

use std::ops::{Deref, DerefMut};

use super::bell::{Doorbell, News};
use super::cores::CoreSet;
use super::lease::{Lease, LendingMode, Loan, Returned};
use super::padded::Padded;
use super::ring::{Consumer, Producer, ring};
use super::sync::{Arc, Ordering, fence};
use crate::base::CoreId;
use crate::limits::{CORES_MAX, MAIL_CREDITS, MAIL_RING_BATCHES};

/// What others meet when they come to a core: its bell, and its shard while it sleeps. On one line, because whoever
/// looks at one looks at the other next.
struct Door<S: Send> {
    bell: Doorbell,
    lease: Lease<S>,
}

struct Doors<S: Send>(Box<[Padded<Door<S>>]>);

/// What this core has with one other.
struct Peer<M> {
    outbound: Producer<Box<M>>,
    inbound: Consumer<Box<M>>,
    credits: u32,
    /// The last post found the ring full.
    stalled: bool,
}

/// Where the shard of this core is, as far as its lease is concerned.
enum Home<S> {
    /// Not parked: with the engine, or there is none.
    Held,
    /// Parked for its time asleep with lending switched off.
    Kept(Box<S>),
    /// In the lease.
    Parked,
    /// Lent when this core woke, and wanted back.
    Awaited,
}

/// Room for the reply to one request, taken before the request is written into a batch and settled when the reply has
/// come. It cannot be copied, so a request has exactly one.
#[must_use = "a credit is settled when the reply has come"]
#[derive(Debug)]
pub struct Credit(CoreId);

impl Credit {
    /// The core that owes the reply.
    pub fn core(&self) -> CoreId {
        self.0
    }
}

/// A batch that has arrived, lent by the ring; it must go back with [`Port::finish`].
#[must_use = "a received batch must be finished"]
#[derive(Debug)]
pub struct Received<M> {
    from: CoreId,
    batch: Box<M>,
}

impl<M> Received<M> {
    /// The core that posted it.
    pub fn from(&self) -> CoreId {
        self.from
    }
}

impl<M> Deref for Received<M> {
    type Target = M;

    fn deref(&self) -> &M {
        &self.batch
    }
}

impl<M> DerefMut for Received<M> {
    fn deref_mut(&mut self) -> &mut M {
        &mut self.batch
    }
}

/// How far a core got with a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// All was read; the emptied batch goes back to its sender to be filled again.
    Whole,
    /// The turn's budget is used up. What is left of the batch comes first in the next round.
    Part,
}

/// The outcome of [`Port::park`].
#[derive(Debug)]
#[must_use = "a core that was told to stay awake must not sleep"]
pub enum Park<S> {
    /// The core may block until its deadline or its bell.
    Parked,
    /// Something came in: mail, room for a batch that was refused, or the shard that had been lent. The shard is the one
    /// passed to `park` or the one that came back.
    StayAwake(Option<Box<S>>),
}

/// A round of `receive` over the peers.
struct Round {
    /// Steps from `start`, wrapping at the number of cores.
    step: usize,
    /// The peer that this round began with; the next begins with its neighbour, so that nobody is always first.
    start: usize,
    /// Batches received from the current peer.
    taken: usize,
}

impl Round {
    /// The index of the peer that is being visited.
    fn peer(&self, cores: usize) -> usize {
        let index = self.start + self.step;
        if index < cores { index } else { index - cores }
    }
}

/// One core's end of the mesh. `M` is a batch of mail, `S` a shard.
pub struct Port<M, S: Send> {
    core: CoreId,
    lending: LendingMode,
    doors: Arc<Doors<S>>,
    /// By core; none for this one.
    peers: Vec<Option<Peer<M>>>,
    round: Round,
    home: Home<S>,
    /// Shards of others that this core holds.
    loans: u32,
    /// Cores that got news from this one since `bells` was last asked.
    told: CoreSet,
    /// Cores whose mail this one consumed since then.
    relieved: CoreSet,
}

/// The ports of a mesh of `cores` cores, in their order. Each goes to the thread of its core.
pub fn connect<M: Send, S: Send>(cores: usize, lending: LendingMode) -> Vec<Port<M, S>> {
    assert!((1..=CORES_MAX).contains(&cores), "a node has 1 to {CORES_MAX} cores, not {cores}");
    let doors = (0..cores).map(|_| Padded(Door { bell: Doorbell::new(), lease: Lease::new() })).collect();
    let doors = Arc::new(Doors(doors));
    let mut outbound: Vec<Vec<Option<Producer<Box<M>>>>> = Vec::new();
    let mut inbound: Vec<Vec<Option<Consumer<Box<M>>>>> = (0..cores).map(|_| Vec::new()).collect();
    for from in 0..cores {
        let (producers, consumers): (Vec<_>, Vec<_>) =
            (0..cores).map(|to| (from != to).then(|| ring(MAIL_RING_BATCHES, 0)).unzip()).unzip();
        outbound.push(producers);
        consumers.into_iter().zip(&mut inbound).for_each(|(consumer, inbound)| inbound.push(consumer));
    }
    let ends = outbound.into_iter().zip(inbound).enumerate();
    ends.map(|(index, (producers, consumers))| Port {
        core: CoreId(u16::try_from(index).expect("CORES_MAX fits a core id")),
        lending,
        doors: doors.clone(),
        peers: producers.into_iter().zip(consumers).map(|(out, inb)| Some(Peer::new(out?, inb?))).collect(),
        round: Round { step: 0, start: 0, taken: 0 },
        home: Home::Held,
        loans: 0,
        told: CoreSet::default(),
        relieved: CoreSet::default(),
    })
    .collect()
}

impl<M> Peer<M> {
    fn new(outbound: Producer<Box<M>>, inbound: Consumer<Box<M>>) -> Self {
        Self { outbound, inbound, credits: MAIL_CREDITS, stalled: false }
    }
}

/// Mail.
impl<M: Send, S: Send> Port<M, S> {
    /// The core that this port belongs to.
    pub fn core(&self) -> CoreId {
        self.core
    }

    /// Cores in the mesh, this one included.
    pub fn cores(&self) -> usize {
        self.peers.len()
    }

    /// Room for the reply to one more request to `target`, or none: then the caller reads no more requests from the
    /// client in question until replies of `target` have been settled.
    #[inline]
    pub fn reserve(&mut self, target: CoreId) -> Option<Credit> {
        let peer = self.peer(target);
        peer.credits = peer.credits.checked_sub(1)?;
        Some(Credit(target))
    }

    /// The reply for which `credit` kept room has come.
    #[inline]
    pub fn settle(&mut self, credit: Credit) {
        let peer = self.peer(credit.core());
        peer.credits += 1;
        debug_assert!(peer.credits <= MAIL_CREDITS, "more credits settled than reserved");
    }

    /// Credits left with `target`; none with this core itself.
    pub fn credits(&self, target: CoreId) -> u32 {
        self.peers[target.index()].as_ref().map_or(0, |peer| peer.credits)
    }

    /// Sends `batch` and returns the memory of one that `target` has emptied, if there is any yet. If the ring is full the
    /// batch comes back: the caller goes on filling it (credits bound its requests, the peer's credits its replies) and
    /// posts it in a later turn; `park` and `bells` see to it that there is one.
    #[inline]
    pub fn post(&mut self, target: CoreId, batch: Box<M>) -> Result<Option<Box<M>>, Box<M>> {
        let peer = self.peer(target);
        let posted = peer.outbound.push(batch);
        peer.stalled = posted.is_err();
        if posted.is_ok() {
            self.told.insert(target);
        }
        posted
    }

    /// The next batch of this round, which visits every peer once and takes at most one ring's worth from each. `None` ends
    /// the round; the call after it begins another.
    #[inline]
    pub fn receive(&mut self) -> Option<Received<M>> {
        while self.round.step < self.peers.len() {
            let from = self.round.peer(self.peers.len());
            if self.round.taken < MAIL_RING_BATCHES
                && let Some(peer) = &mut self.peers[from]
                && let Some(batch) = peer.inbound.take()
            {
                self.round.taken += 1;
                return Some(Received { from: CoreId(from as u16), batch });
            }
            self.round.step += 1;
            self.round.taken = 0;
        }
        self.round = Round { step: 0, start: (self.round.start + 1) % self.peers.len(), taken: 0 };
        None
    }

    /// The next batch of one peer, outside of any round: for a simulation that decides what arrives when.
    pub fn receive_from(&mut self, from: CoreId) -> Option<Received<M>> {
        self.peer(from).inbound.take().map(|batch| Received { from, batch })
    }

    /// Gives a batch back to its ring. One that was read whole must be empty: its sender fills it again.
    #[inline]
    pub fn finish(&mut self, received: Received<M>, progress: Progress) {
        let Received { from, batch } = received;
        let inbound = &mut self.peer(from).inbound;
        match progress {
            Progress::Whole => {
                inbound.release(batch);
                self.relieved.insert(from);
            }
            Progress::Part => {
                inbound.restore(batch);
                // This peer's share of the round is over, or `receive` would hand out the same batch for ever.
                if self.round.peer(self.peers.len()) == from.index() {
                    self.round.taken = MAIL_RING_BATCHES;
                }
            }
        }
    }

    /// Whether mail waits here. Without a fence: a hint while awake, not a reason to sleep.
    pub fn has_mail(&mut self) -> bool {
        self.peers.iter_mut().flatten().any(|peer| !peer.inbound.is_empty())
    }

    #[inline]
    fn peer(&mut self, core: CoreId) -> &mut Peer<M> {
        self.peers[core.index()].as_mut().expect("a core has no mail with itself")
    }

    fn door(&self, core: CoreId) -> &Door<S> {
        &self.doors.0[core.index()]
    }
}

/// Sleep.
impl<M: Send, S: Send> Port<M, S> {
    /// Calls `ring` for every core that must be woken for what this one did since the last call: mail posted, a wanted
    /// shard returned, room made in a full ring. Asked once per turn, after the last post and before the kernel is entered.
    #[inline]
    pub fn bells(&mut self, mut ring: impl FnMut(CoreId)) {
        let told = self.told.take();
        // Whoever has mail is told so; that there is room in its ring is then no news.
        let relieved = self.relieved.take().without(told);
        if told.is_empty() && relieved.is_empty() {
            return;
        }
        fence(Ordering::SeqCst);
        for (cores, news) in [(told, News::Mail), (relieved, News::Room)] {
            cores.iter().filter(|core| self.door(*core).bell.claim(news)).for_each(&mut ring);
        }
    }

    /// A bell for `target` could not be sent, or its completion reported an error. The next `bells` names the core again
    /// if it still sleeps.
    pub fn bell_lost(&mut self, target: CoreId) {
        self.door(target).bell.lost();
        self.told.insert(target);
    }

    /// The last act before the kernel is entered. `shard` is lent for the time asleep; pass `None` to keep it (an intent, a
    /// deferred command, a half-finished slice) or if it is away.
    ///
    /// The shard leaves only when the second look has found nothing, so a core that stays awake still has it; nobody can
    /// have borrowed it in between.
    pub fn park(&mut self, shard: Option<Box<S>>) -> Park<S> {
        assert!(self.loans == 0, "core {} would sleep with the shard of another", self.core);
        assert!(self.told.is_empty() && self.relieved.is_empty(), "core {} would sleep with bells unrung", self.core);
        assert!(shard.is_none() || matches!(self.home, Home::Held), "core {} parks its shard twice", self.core);
        let stalled = self.peers.iter().flatten().any(|peer| peer.stalled);
        self.door(self.core).bell.lie_down(stalled);
        if self.has_reason_to_stay() {
            self.door(self.core).bell.get_up();
            return Park::StayAwake(shard.or_else(|| self.reclaim()));
        }
        if let Some(shard) = shard {
            self.home = match self.lending {
                LendingMode::Never => Home::Kept(shard),
                LendingMode::Usual | LendingMode::Always => {
                    self.door(self.core).lease.park(shard);
                    Home::Parked
                }
            };
        }
        Park::Parked
    }

    /// The first act after the kernel was entered. Returns the shard that `park` took, or one lent earlier that has come
    /// back; `None` if there was none to take or if another core still has it: then the core goes on without it, asks
    /// [`Port::reclaim`] once per turn, and is rung when it comes.
    pub fn unpark(&mut self) -> Option<Box<S>> {
        self.door(self.core).bell.get_up();
        self.reclaim()
    }

    /// The shard that was lent, if it is back.
    #[inline]
    pub fn reclaim(&mut self) -> Option<Box<S>> {
        if matches!(self.home, Home::Held) {
            return None;
        }
        let (shard, home) = match std::mem::replace(&mut self.home, Home::Held) {
            Home::Held => (None, Home::Held),
            Home::Kept(shard) => (Some(shard), Home::Held),
            Home::Parked => (self.door(self.core).lease.reclaim(), Home::Awaited),
            Home::Awaited => (self.door(self.core).lease.poll(), Home::Awaited),
        };
        self.home = if shard.is_some() { Home::Held } else { home };
        shard
    }

    /// Whether this core's shard is away, lent and wanted back.
    pub fn awaits_shard(&self) -> bool {
        matches!(self.home, Home::Awaited)
    }

    /// The second look: everything that rings a core, in the order of its likelihood.
    fn has_reason_to_stay(&mut self) -> bool {
        self.has_mail()
            || self.peers.iter_mut().flatten().any(|peer| peer.stalled && peer.outbound.has_room())
            || (self.awaits_shard() && self.door(self.core).lease.is_back())
    }
}

/// Lending.
impl<M: Send, S: Send> Port<M, S> {
    /// The mode of this mesh. Under [`LendingMode::Always`] the caller parks after every turn.
    pub fn lending(&self) -> LendingMode {
        self.lending
    }

    /// The shard of `owner`, if it sleeps, nobody else has borrowed it, and no request of this core is under way to it
    /// (which would be overtaken). Never waits: on `None` the request goes by mail. A core does not borrow from itself.
    #[inline]
    pub fn borrow(&mut self, owner: CoreId) -> Option<Loan<S>> {
        if self.lending == LendingMode::Never || self.credits(owner) != MAIL_CREDITS {
            return None;
        }
        let shard = self.door(owner).lease.borrow()?;
        self.loans += 1;
        Some(Loan::new(owner, shard))
    }

    /// Borrows from each of `owners` and appends the loans in their order, or gives all back and appends nothing. An
    /// owner named twice is refused.
    pub fn borrow_all(&mut self, owners: &[CoreId], loans: &mut Vec<Loan<S>>) -> bool {
        let before = loans.len();
        for owner in owners {
            let Some(loan) = self.borrow(*owner) else {
                while loans.len() > before {
                    let untouched = loans.pop().expect("there are more than before");
                    self.give_back(untouched, false);
                }
                return false;
            };
            loans.push(loan);
        }
        true
    }

    /// Ends a loan. The next `bells` names the owner if it is asleep and wants the shard or if `ring_owner` says that the
    /// batch left something for it: effects in the shard's outbox, a deadline earlier than its sleep.
    #[inline]
    pub fn give_back(&mut self, loan: Loan<S>, ring_owner: bool) {
        let owner = loan.owner();
        let returned = self.door(owner).lease.give_back(loan.into_shard());
        self.loans -= 1;
        if ring_owner || returned == Returned::Wanted {
            self.told.insert(owner);
        }
    }
}

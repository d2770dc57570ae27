//! Making room: what is due goes first, then what the policy chooses.
//!
//! A write that needs memory asks for room before it runs ([`Shard::make_room`]), so that used memory does not pass the
//! limit and come back: it stays below. What a write could not know (a string that grows far) is made good at the end of
//! the turn ([`Shard::tidy`]), as is what others ask this shard to give up.

use super::arena::CellRef;
use super::database::{Database, Found};
use super::deadline::Form;
use super::entry::Header;
use super::events::Event;
use super::lineup::{Lineup, item_of};
use super::policy::{EntryState, Evicted, Item, Residents, clock};
use super::position::Position;
use super::shard::{Common, Shard};
use super::table::Place;
use crate::base::Now;
use crate::config::EvictionPolicy;
use crate::limits::{
    ADOPTED_BLOCKS_PER_TURN, ARENA_BYTES_MAX, COMPACTED_CELLS_PER_TURN, EMPTY_HELD_BYTES_MAX,
    EVICTION_SEARCHES_PER_WRITE, EVICTION_STEPS, EVICTIONS_PER_TURN, EVICTIONS_PER_WRITE,
};

/// Bytes of one database's entries at which a shard counts as full whatever the limit: what lies between is room for
/// what may grow without asking.
const CELLS_BYTES_MAX: usize = ARENA_BYTES_MAX - ARENA_BYTES_MAX / 32;

impl Shard {
    /// Makes room for a write that needs about so many bytes and brings so many new keys. False: there is none, and
    /// nothing that may be evicted for it.
    #[inline]
    pub fn make_room(&mut self, bytes: usize, new_keys: usize, now: Now) -> bool {
        (self.has_room(bytes) && self.has_room_for_keys(new_keys)) || self.evict_for(bytes, new_keys, now)
    }

    #[inline]
    fn has_room(&mut self, bytes: usize) -> bool {
        if !self.common.bytes.is_limited() {
            return self.used().iter().all(|database| database.cells.used_bytes() < CELLS_BYTES_MAX);
        }
        let used = self.limited_bytes();
        self.common.bytes.covers((used + bytes) as u64)
    }

    /// The bytes that the limit is about: what waits to be dropped goes without anything being evicted for it. Nor does
    /// what lies empty between cells count: eviction would make more of it; it is up to compaction to make it less.
    #[inline]
    fn limited_bytes(&self) -> usize {
        self.used().iter().map(|database| database.dataset_bytes() + database.overhead_bytes()).sum()
    }

    #[inline]
    fn has_room_for_keys(&mut self, new_keys: usize) -> bool {
        new_keys == 0 || !self.common.keys.is_limited() || {
            let keys = self.len();
            self.common.keys.covers((keys + new_keys) as u64)
        }
    }

    /// Whether `max-keys` is set, so that a write has to say how many keys it brings.
    #[inline]
    pub fn counts_keys(&self) -> bool {
        self.common.keys.is_limited()
    }

    #[cold]
    fn evict_for(&mut self, bytes: usize, new_keys: usize, now: Now) -> bool {
        if !self.common.bytes.is_possible(bytes as u64) || !self.common.keys.is_possible(new_keys as u64) {
            // Nobody else shall lose anything for it.
            return false;
        }
        let mut searches = 0;
        for _ in 0..EVICTIONS_PER_WRITE {
            if self.has_room(bytes) && self.has_room_for_keys(new_keys) {
                return true;
            }
            if self.next_due().is_due(now.unix_ms()) {
                self.expire_some(1, now);
                continue;
            }
            match self.evict_one() {
                Evicted::Freed(_) => {}
                Evicted::Nothing => return false,
                Evicted::MoreSteps => searches += 1,
            }
            if searches >= EVICTION_SEARCHES_PER_WRITE && !self.evict_after_search() {
                return false;
            }
        }
        // So many small entries went that what is still missing can only be for one huge value: it is made good in
        // slices.
        self.has_room(0)
    }

    /// What a write does that has looked for a victim long enough: where every entry may go (all of them are wanted often),
    /// chance decides. The few volatile ones among many others the next write goes on looking for.
    fn evict_after_search(&mut self) -> bool {
        let policy = self.common.rules.policy;
        match self.draw_database(policy) {
            Some(number) if !policy.is_volatile() => matches!(self.evict_random(number), Evicted::Freed(_)),
            _ => false,
        }
    }

    /// Evicts one entry, if the policy allows any to be.
    fn evict_one(&mut self) -> Evicted {
        let policy = self.common.rules.policy;
        let Some(number) = self.draw_database(policy) else { return Evicted::Nothing };
        match policy {
            EvictionPolicy::AllKeysFifo | EvictionPolicy::AllKeysS3Fifo | EvictionPolicy::VolatileS3Fifo => {
                self.evict_in_order(number)
            }
            EvictionPolicy::AllKeysRandom | EvictionPolicy::VolatileRandom => self.evict_random(number),
            _ => self.evict_sampled(number),
        }
    }

    /// A database that has something to evict, by chance: each as often as it has entries that may go.
    fn draw_database(&mut self, policy: EvictionPolicy) -> Option<usize> {
        let candidates = |database: &Database| match policy {
            policy if !policy.evicts() => 0,
            policy if policy.is_volatile() => database.volatile_len(),
            _ => database.len(),
        };
        let all: usize = self.used().iter().map(candidates).sum();
        let mut left = if all == 0 { return None } else { self.common.rng.usize(..all) };
        self.used().iter().position(|database| {
            let here = candidates(database);
            let found = left < here;
            left = left.saturating_sub(here);
            found
        })
    }

    fn evict_in_order(&mut self, number: usize) -> Evicted {
        let evicted = self.with_lineup(number, |lineup, tenants, rng| lineup.evict_one(tenants, rng, EVICTION_STEPS));
        match evicted {
            // What is not queued yet can be found by chance, and so can what the queues have lost: of two entries with the
            // same name one may be met in place of the other.
            Evicted::Nothing => self.evict_random(number),
            evicted => evicted,
        }
    }

    /// Takes the queues out of a database for a moment, as they look at its entries.
    fn with_lineup<T>(
        &mut self,
        number: usize,
        act: impl FnOnce(&mut Lineup, &mut Tenants<'_>, &mut crate::base::Rng) -> T,
    ) -> T {
        let volatile = self.common.rules.policy.is_volatile();
        let database = &mut self.databases[number];
        let mut lineup = std::mem::replace(&mut database.lineup, Lineup::none());
        let mut rng = self.common.rng.fork();
        let result = act(&mut lineup, &mut Tenants { number, database, common: &mut self.common, volatile }, &mut rng);
        self.databases[number].lineup = lineup;
        result
    }

    fn evict_random(&mut self, number: usize) -> Evicted {
        let volatile = self.common.rules.policy.is_volatile();
        let drawn = self.databases[number].sample(1, volatile, &mut self.common.rng);
        match drawn.first() {
            Some(&cell) => self.evict_cell(number, cell),
            None => Evicted::MoreSteps,
        }
    }

    /// Evicts the best victim of a sample and of those before it.
    fn evict_sampled(&mut self, number: usize) -> Evicted {
        let (now_ms, rules) = (self.common.now_ms(), &self.common.rules);
        let (policy, decay) = (rules.policy, rules.lfu_decay_minutes);
        let database = &self.databases[number];
        for cell in database.sample(rules.samples, policy.is_volatile(), &mut self.common.rng) {
            let entry = database.entry(cell);
            let score = match (policy, entry.access()) {
                (EvictionPolicy::VolatileTtl, _) => u64::MAX - entry.deadline().unix_ms().unwrap_or(u64::MAX),
                // What the policy has not seen used since it was chosen goes first.
                (_, None) => u64::from(u32::MAX),
                (policy, Some(stamp)) if policy.keeps_frequency() => {
                    u64::from(u8::MAX - clock::lfu_frequency(stamp, now_ms, decay))
                }
                (_, Some(stamp)) => clock::idle_s(stamp, now_ms).into(),
            };
            let item = item_of(database.position(entry.key()));
            self.common.candidates.offer(item, number as u16, score);
        }
        while let Some((item, number)) = self.common.candidates.pop_best() {
            let volatile = policy.is_volatile();
            let number = usize::from(number);
            let Some(database) = self.databases.get_mut(number) else { continue };
            let found = Tenants { number, database, common: &mut self.common, volatile }.find(item);
            if let Some(found) = found {
                return self.evict_cell(number, found.cell);
            }
        }
        Evicted::MoreSteps
    }

    fn evict_cell(&mut self, number: usize, cell: CellRef) -> Evicted {
        let database = &mut self.databases[number];
        let position = database.position(database.entry(cell).key());
        let Some(place) = database.table.find(position, cell) else { return Evicted::MoreSteps };
        let (charge, found) = (database.charge(cell), database.found(place));
        Tenants { number, database, common: &mut self.common, volatile: false }.remove(position, found);
        Evicted::Freed(charge)
    }

    /// What is done a little in every turn, one thing at a time: evicts what is above the limit or wanted by other shards,
    /// gives up what an emptied database still holds, queues entries after a change of policy, and moves together what has
    /// become sparse. True if more is to do.
    pub fn tidy(&mut self) -> bool {
        self.evict_surplus() || (0..self.used_databases).any(|number| self.tidy_database(number))
    }

    fn tidy_database(&mut self, number: usize) -> bool {
        let database = &mut self.databases[number];
        if database.release() {
            return true;
        }
        if database.is_empty() && database.held_bytes() > EMPTY_HELD_BYTES_MAX {
            self.give_up(number);
            return false;
        }
        if database.lineup.is_untidy() {
            let adopted = self.adopt(number);
            if !adopted {
                self.with_lineup(number, |lineup, tenants, _| lineup.prune(tenants, 1));
            }
            let database = &self.databases[number];
            return adopted || database.lineup.is_untidy() || database.is_sparse();
        }
        database.compact(COMPACTED_CELLS_PER_TURN)
    }

    /// Whether [`Shard::tidy`] has much to do: whoever has borrowed the shard wakes its owner for that.
    pub fn is_untidy(&self) -> bool {
        self.used().iter().any(|database| database.lineup.is_untidy() || database.is_sparse())
    }

    /// Whether so much lies empty between entries that the process holds more than the limit is, by more than is left
    /// alone: then moving it together is as pressing as the commands that made it so.
    pub fn is_overheld(&self) -> bool {
        let share = self.common.bytes.share();
        self.common.bytes.is_limited() && self.held_bytes() as u64 > share + share / 16
    }

    fn evict_surplus(&mut self) -> bool {
        if self.common.bytes.is_idle() && self.common.keys.is_idle() {
            return false;
        }
        for _ in 0..EVICTIONS_PER_TURN {
            let used = self.limited_bytes();
            let keys = self.len();
            let bytes_above = self.common.bytes.settle(used as u64);
            let keys_above = self.common.keys.settle(keys as u64);
            if bytes_above == 0 && keys_above == 0 || self.evict_one() == Evicted::Nothing {
                return false;
            }
        }
        true
    }

    /// Queues the entries of some blocks that were there before the policy was chosen.
    fn adopt(&mut self, number: usize) -> bool {
        let database = &mut self.databases[number];
        let Some(frontier) = database.lineup.frontier() else { return false };
        let (mut blocks, mut entries, mut next) = (0, Vec::new(), None);
        database.table.blocks(frontier, None, |start, _, block| {
            next = Some(start);
            blocks += 1;
            if blocks <= ADOPTED_BLOCKS_PER_TURN {
                entries.extend(block.entries());
                next = None;
            }
            blocks <= ADOPTED_BLOCKS_PER_TURN
        });
        for cell in entries {
            let header = Header::read(database.cells.from(cell));
            let position = database.position(database.entry(cell).key());
            if position.bits >= frontier && database.lineup.wants(header.form()) {
                let charge = database.charge(cell);
                let (in_main, mark) = database.lineup.queue(position, charge, &mut self.common.rng);
                header.with_queue(in_main, mark).write(database.cells.from_mut(cell));
            }
        }
        database.lineup.set_frontier(next);
        next.is_some()
    }
}

/// The entries of a database, as a policy sees them.
struct Tenants<'d> {
    /// The number of the database.
    number: usize,
    database: &'d mut Database,
    common: &'d mut Common,
    /// Only entries with a deadline may go.
    volatile: bool,
}

impl Residents for Tenants<'_> {
    type Handle = Found;

    fn find(&self, item: Item) -> Option<Found> {
        let start = u64::from(item.prefix) << 32;
        let mut found = None;
        // Usually one block; blocks deeper than 32 bits share a prefix.
        self.database.table.blocks(start, start.checked_add(1 << 32), |_, home, block| {
            let places = block.places(item.tag).map(|at| Place::new(home, at));
            found = places.map(|place| self.database.found(place)).find(|found| {
                let position = self.database.position(self.database.entry(found.cell).key());
                position.prefix() == item.prefix && !(self.volatile && found.header.form() == Form::None)
            });
            found.is_none()
        });
        found
    }

    fn warm(&self, items: &[Item]) {
        self.database.warm(items.iter().map(|item| (u64::from(item.prefix) << 32, item.tag)));
    }

    fn state(&self, at: Found) -> EntryState {
        EntryState {
            hits: at.header.hits(),
            in_main: at.header.in_main(),
            mark: at.header.mark(),
            is_due: self.database.entry(at.cell).deadline().is_due(self.common.now_ms()),
            charge: self.database.charge(at.cell),
        }
    }

    fn set_state(&mut self, at: Found, hits: u8, in_main: bool, mark: bool) {
        at.header.with_hits(hits).with_queue(in_main, mark).write(self.database.cells.from_mut(at.cell));
    }

    fn evict(&mut self, _item: Item, at: Found) {
        let position = self.database.position(self.database.entry(at.cell).key());
        self.remove(position, at);
    }
}

impl Tenants<'_> {
    /// Removes an entry, which counts as expired if it was due anyway.
    fn remove(&mut self, position: Position, found: Found) {
        let entry = self.database.entry(found.cell);
        let event = if entry.deadline().is_due(self.common.now_ms()) {
            self.common.stats.expired += 1;
            Event::EXPIRED
        } else {
            self.common.stats.evicted += 1;
            Event::EVICTED
        };
        self.common.outbox.note(event, self.number, entry.key());
        if let Some(object) = self.database.remove(position, found) {
            self.common.graveyard.bury(object);
        }
    }
}

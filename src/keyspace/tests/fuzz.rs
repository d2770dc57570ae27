//! Everything at once in very little memory: eviction, expiry, splits and unites, compaction, changes of policy and limit,
//! flushes and swaps, against a model that knows which keys may have vanished.

use std::collections::BTreeMap;

use super::{POLICIES, at, every_seed, text};
use crate::base::{KeyHasher, Rng};
use crate::config::{Compression, Config, EvictionPolicy};
use crate::keyspace::*;

const DATABASES: usize = 2;
const STEPS: u64 = 4000;

/// What a key must hold if it is there.
struct Item {
    value: Vec<u8>,
    deadline: Option<u64>,
    /// The last step at which it was certainly there.
    seen: u64,
    /// Whether it has had a deadline since then.
    was_volatile: bool,
}

type Model = BTreeMap<Vec<u8>, Item>;

/// One shard with its model, and the last steps at which keys may have been evicted.
struct Part {
    shard: Shard,
    models: [Model; DATABASES],
    evicted_any: u64,
    evicted_volatile: u64,
    /// The limits were changed, and it has not come down to them yet.
    is_above: bool,
}

/// Shards on one budget.
struct World {
    parts: Vec<Part>,
    limits: Limits,
    policy: EvictionPolicy,
    now_ms: u64,
    step: u64,
    /// Of the keys: 0 spreads them over all slots, otherwise they share so many.
    tags: u16,
    keys: u16,
}

impl Part {
    /// Whether a key that is missing may be.
    fn may_be_gone(&self, item: &Item) -> bool {
        self.evicted_any > item.seen || self.evicted_volatile > item.seen && item.was_volatile
    }

    /// Takes note of whether a key is there.
    fn observe(&mut self, database: usize, key: &[u8], is_there: bool, step: u64) {
        let Some(item) = self.models[database].get_mut(key) else {
            return assert!(!is_there, "a key that was never set, or is due");
        };
        if is_there {
            (item.seen, item.was_volatile) = (step, item.deadline.is_some());
        } else {
            let item = self.models[database].remove(key).expect("found above");
            assert!(self.may_be_gone(&item), "{} is gone without a reason", key.escape_ascii());
        }
    }

    /// What the limit is about.
    fn used(&self) -> usize {
        self.shard.used_bytes() - self.shard.common.graveyard.bytes()
    }

    fn volatile_len(&self) -> usize {
        self.shard.databases().iter().map(Database::volatile_len).sum()
    }

    /// Whether the policy finds something to evict.
    fn has_victims(&self, policy: EvictionPolicy) -> bool {
        policy.evicts() && if policy.is_volatile() { self.volatile_len() > 0 } else { !self.shard.is_empty() }
    }
}

impl World {
    fn new(rng: &mut Rng) -> Self {
        let shards = if rng.bool() { 1 } else { rng.usize(2..4) };
        let limits = Limits::none(shards);
        let part = |_| Part {
            shard: Shard::new(DATABASES, KeyHasher::new(rng.u64(..)), &limits),
            models: Default::default(),
            evicted_any: 0,
            evicted_volatile: 0,
            is_above: false,
        };
        let parts = (0..shards).map(part).collect();
        let (tags, keys) = ([0, 0, 1, 2, 50][rng.usize(..5)], rng.u16(20..3000));
        let mut world =
            Self { parts, limits, policy: EvictionPolicy::NoEviction, now_ms: 1_000_000, step: 0, tags, keys };
        world.change_limits(rng);
        world.change_rules(rng);
        world
    }

    fn change_limits(&mut self, rng: &mut Rng) {
        let bytes = if rng.u8(..6) == 0 { 0 } else { rng.u64(1..=16) * 64 * 1024 };
        self.limits.bytes.set_limit(bytes);
        self.limits.keys.set_limit(if rng.u8(..3) == 0 { rng.u64(1..1500) } else { 0 });
        self.parts.iter_mut().for_each(|part| part.is_above = true);
    }

    fn change_rules(&mut self, rng: &mut Rng) {
        self.policy = POLICIES[rng.usize(..POLICIES.len())];
        let rules = Rules::of(&Config {
            maxmemory_policy: self.policy,
            compression: [Compression::None, Compression::None, Compression::Lz4][rng.usize(..3)],
            compression_threshold_bytes: 64,
            maxmemory_samples: rng.u32(1..12),
            ..Config::default()
        });
        self.parts.iter_mut().for_each(|part| part.shard.set_rules(&rules));
    }

    fn key(&self, rng: &mut Rng) -> Vec<u8> {
        let number = rng.u16(..self.keys);
        if self.tags == 0 {
            format!("key:{number}").into()
        } else {
            format!("{{{}}}{number}", number % self.tags).into()
        }
    }

    fn value(&self, rng: &mut Rng) -> Vec<u8> {
        let len = match rng.u8(..40) {
            0 => rng.usize(..30_000),
            1..4 => rng.usize(..2000),
            _ => rng.usize(..120),
        };
        if rng.u8(..4) == 0 { rng.u32(..).to_string().into() } else { vec![rng.u8(..); len] }
    }

    fn deadline(&self, rng: &mut Rng) -> Option<u64> {
        let range = [100, 5_000, 1_000_000][rng.usize(..3)];
        rng.bool().then(|| self.now_ms + rng.u64(..range))
    }

    /// Keys may go from now on, as far as the policy says so.
    fn open_season(&mut self, at: usize) {
        let part = &mut self.parts[at];
        if self.policy.evicts() {
            let season = if self.policy.is_volatile() { &mut part.evicted_volatile } else { &mut part.evicted_any };
            *season = self.step;
        }
    }

    /// Asks for room as a command does, and judges the answer.
    fn make_room(&mut self, at_part: usize, database: usize, key: &[u8], bytes: usize) -> bool {
        self.open_season(at_part);
        let (policy, alone, now) = (self.policy, self.parts.len() == 1, at(self.now_ms));
        let (limit, keys_limit) = (self.limits.bytes.limit(), self.limits.keys.limit());
        let part = &mut self.parts[at_part];
        let is_new = part.shard.keys(database, now).peek(key).is_none();
        self.open_season(at_part);
        let part = &mut self.parts[at_part];
        let made = part.shard.make_room(bytes, usize::from(is_new), now);
        let alone = alone && !part.is_above;
        if made && limit > 0 && alone {
            assert!((part.used() + bytes) as u64 <= limit, "{} and {bytes} bytes of {limit}", part.used());
        }
        if made && keys_limit > 0 && alone && is_new {
            assert!(((part.shard.len() + 1) as u64) <= keys_limit, "{} keys of {keys_limit}", part.shard.len());
        }
        let hopeless = limit > 0 && bytes as u64 > limit;
        assert!(made || hopeless || !part.has_victims(policy), "{policy:?} finds nothing to evict");
        made
    }

    fn step(&mut self, rng: &mut Rng) {
        self.step += 1;
        let (at_part, database, step) = (rng.usize(..self.parts.len()), rng.usize(..DATABASES), self.step);
        let (key, now) = (self.key(rng), at(self.now_ms));
        match rng.u16(..1000) {
            0..400 => {
                let (value, deadline) = (self.value(rng), self.deadline(rng));
                if self.make_room(at_part, database, &key, key.len() + value.len()) {
                    let when = deadline.map_or(Deadline::NEVER, Deadline::at);
                    let part = &mut self.parts[at_part];
                    part.shard.keys(database, now).set_string(&key, &value, Some(when));
                    let item = Item { value, deadline, seen: step, was_volatile: deadline.is_some() };
                    part.models[database].insert(key, item);
                }
            }
            400..600 => {
                let part = &mut self.parts[at_part];
                let read = part.shard.keys(database, now).read(&key).map(text);
                part.observe(database, &key, read.is_some(), step);
                assert_eq!(read.as_ref(), part.models[database].get(&key).map(|item| &item.value));
            }
            600..680 => {
                let part = &mut self.parts[at_part];
                let deleted = part.shard.keys(database, now).delete(&key);
                part.observe(database, &key, deleted, step);
                part.models[database].remove(&key);
            }
            680..740 => {
                let deadline = self.deadline(rng);
                let part = &mut self.parts[at_part];
                let when = deadline.map_or(Deadline::NEVER, Deadline::at);
                let changed = part.shard.keys(database, now).set_deadline(&key, when);
                part.observe(database, &key, changed, step);
                if let Some(item) = part.models[database].get_mut(&key) {
                    item.deadline = deadline;
                    item.was_volatile |= deadline.is_some();
                }
            }
            740..790 => {
                // A string may grow without asking for room: that is made good afterwards.
                let len_max = if rng.u8(..10) == 0 { 30_000 } else { 100 };
                let more = vec![rng.u8(..); rng.usize(..len_max)];
                let part = &mut self.parts[at_part];
                let edited = part.shard.keys(database, now).edit(&key).map(|mut edit| edit.append(&more)).is_some();
                part.observe(database, &key, edited, step);
                if let Some(item) = part.models[database].get_mut(&key) {
                    item.value.extend(more);
                }
            }
            790..850 => {
                let range = [5, 300, 20_000][rng.usize(..3)];
                self.pass(rng.u64(..range));
            }
            850..900 => _ = self.parts[at_part].shard.expire_some(rng.usize(1..10), now),
            900..970 => {
                self.tidy(at_part);
                self.parts[at_part].shard.bury_some(|| true);
            }
            970..973 => self.change_rules(rng),
            973..975 => self.change_limits(rng),
            975 => {
                self.parts[at_part].shard.flush(database);
                self.parts[at_part].models[database].clear();
            }
            976..978 => {
                self.parts[at_part].shard.swap(0, 1);
                self.parts[at_part].models.swap(0, 1);
            }
            978..984 => self.compare(at_part),
            984..986 => self.come_to_rest(),
            _ => {
                // Many keys go at once, so that blocks unite.
                let share = rng.u8(2..10);
                let part = &mut self.parts[at_part];
                let keys: Vec<Vec<u8>> =
                    part.models[database].keys().filter(|_| rng.u8(..share) > 0).cloned().collect();
                if keys.len() > 200 || rng.u8(..8) > 0 {
                    return;
                }
                for key in keys {
                    let deleted = part.shard.keys(database, now).delete(&key);
                    part.observe(database, &key, deleted, step);
                    part.models[database].remove(&key);
                }
            }
        }
    }

    fn tidy(&mut self, at_part: usize) {
        self.open_season(at_part);
        let (bytes, keys) = (self.limits.bytes.limit(), self.limits.keys.limit());
        let part = &mut self.parts[at_part];
        part.shard.tidy();
        part.is_above &= (bytes > 0 && part.used() as u64 > bytes) || (keys > 0 && part.shard.len() as u64 > keys);
    }

    fn pass(&mut self, ms: u64) {
        self.now_ms += ms;
        for model in self.parts.iter_mut().flat_map(|part| &mut part.models) {
            model.retain(|_, item| item.deadline.is_none_or(|deadline| deadline >= self.now_ms));
        }
    }

    /// Holds one shard against its model.
    fn compare(&mut self, at_part: usize) {
        let part = &mut self.parts[at_part];
        for number in 0..DATABASES {
            let database = &part.shard.databases()[number];
            database.check();
            let (mut found, mut position) = (BTreeMap::new(), Some(ScanPosition::default()));
            while let Some(from) = position {
                position = database.scan(from, 50, self.now_ms, |entry| {
                    found.insert(entry.key().to_vec(), (text(entry.value()), entry.deadline().unix_ms()));
                });
            }
            for (key, (value, deadline)) in &found {
                let item = part.models[number].get(key).expect("a key that was never set, or is due");
                assert!(item.value == *value && item.deadline == *deadline, "{} is stale", key.escape_ascii());
            }
            let keys: Vec<Vec<u8>> = part.models[number].keys().cloned().collect();
            for key in keys {
                part.observe(number, &key, found.contains_key(&key), self.step);
            }
        }
    }

    /// When every shard has tidied up for as long as it wanted to, all of them together keep to the limits.
    fn come_to_rest(&mut self) {
        for _ in 0..400 {
            self.step += 1;
            for at_part in 0..self.parts.len() {
                self.tidy(at_part);
                while self.parts[at_part].shard.bury_some(|| true) {}
            }
        }
        if self.parts.iter().any(|part| part.has_victims(self.policy)) {
            let (bytes, keys) = (self.limits.bytes.limit(), self.limits.keys.limit());
            let used: usize = self.parts.iter().map(Part::used).sum();
            let len: usize = self.parts.iter().map(|part| part.shard.len()).sum();
            // A shard whose last victim has gone may be above what it has been granted.
            let stuck = self.parts.iter().any(|part| !part.has_victims(self.policy));
            assert!(stuck || bytes == 0 || used as u64 <= bytes, "{used} of {bytes} bytes: {:?}", self.policy);
            assert!(stuck || keys == 0 || len as u64 <= keys, "{len} of {keys} keys: {:?}", self.policy);
        }
    }
}

#[test]
fn little_memory_and_much_to_do() {
    every_seed(60, |rng| {
        let mut world = World::new(rng);
        (0..STEPS).for_each(|_| world.step(rng));
        (0..world.parts.len()).for_each(|part| world.compare(part));
        world.come_to_rest();
        for part in &mut world.parts {
            (0..DATABASES).for_each(|database| part.shard.flush(database));
            while part.shard.bury_some(|| true) {}
            assert_eq!((part.shard.len(), part.used()), (0, 0), "nothing is charged for nothing");
        }
    });
}

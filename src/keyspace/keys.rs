//! The keys of one database at one moment: how commands reach them.

use bytes::Bytes;

use super::collection::{Collection, Form};
use super::database::{Database, Found};
use super::deadline::Deadline;
use super::edit::Edit;
use super::entry::{self, Draft, Entry, EntryRef, INLINE_KEY_BYTES_MAX, INLINE_VALUE_BYTES_MAX, Kind, Stored};
use super::events::Event;
use super::packing::{Packed, pack};
use super::policy::clock;
use super::position::Position;
use super::shard::{Common, Tracking};
use super::value::{Object, Value, ValueRef, canonical_integer};
use crate::limits::{LARGE_VALUE_BYTES, WARM_KEYS};

/// How much a key is used, as far as the policy keeps account of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usage {
    /// Seconds since the last access, under the policies that go by recency, and under noeviction.
    Idle(u32),
    /// The logarithmic counter of Redis's LFU.
    Frequency(u8),
    /// The policy keeps no account that Redis has a name for.
    Unknown,
}

/// The keys of one database of a shard at one moment. An entry that is due is removed when it is met.
pub struct Keys<'s> {
    /// The number of the database.
    pub(super) number: usize,
    pub(super) database: &'s mut Database,
    pub(super) common: &'s mut Common,
}

impl<'s> Keys<'s> {
    #[inline]
    pub(super) fn new(number: usize, database: &'s mut Database, common: &'s mut Common) -> Self {
        Self { number, database, common }
    }

    /// Where the key is, if it is there and not due.
    #[inline(always)]
    pub(super) fn locate(&mut self, position: Position, key: &[u8]) -> Option<Found> {
        let found = self.database.find(position, key)?;
        if found.header.has_deadline() && self.database.entry(found.cell).deadline().is_due(self.common.now_ms()) {
            self.expire(position, found);
            return None;
        }
        if self.database.fields.has_due(self.common.now_ms()) && found.header.kind() == Kind::Object {
            return self.expire_fields(position, found, key);
        }
        Some(found)
    }

    #[cold]
    fn expire(&mut self, position: Position, found: Found) {
        self.common.stats.expired += 1;
        self.common.outbox.note(Event::EXPIRED, self.number, self.database.entry(found.cell).key());
        self.remove(position, found);
    }

    /// Says what has happened to a key, for those who subscribe to that. The change itself comes first.
    #[inline]
    pub fn notify(&mut self, event: Event, key: &[u8]) {
        self.common.outbox.note(event, self.number, key);
    }

    /// Counts a change of a key, and tells those who watch it or wait for it. Every change of a value or of its deadline is reported
    /// here; removals report themselves.
    #[inline]
    pub(super) fn changed(&mut self, key: &[u8]) {
        self.common.stats.changes += 1;
        if !self.database.watched.is_empty() {
            self.database.watched.changed(key);
            self.database.watched.awaited.changed(key, &mut self.common.ready);
        }
    }

    pub(super) fn remove(&mut self, position: Position, found: Found) {
        if let Some(object) = self.database.remove(position, found) {
            self.common.graveyard.bury(object);
        }
    }

    /// Brings what finding these keys will need into the cache, all blocks first and then all entries.
    pub fn warm(&self, keys: &[&[u8]; WARM_KEYS], count: usize) {
        self.database.warm(keys[..count].iter().map(|key| {
            let position = self.database.position(key);
            (position.bits, position.tag)
        }));
    }

    /// The value for a command that reads it: counts a hit or a miss and notes the access. Strings of
    /// [`LARGE_VALUE_BYTES`] or more come as [`ValueRef::Large`].
    #[inline]
    pub fn read(&mut self, key: &[u8]) -> Option<ValueRef<'_>> {
        let (position, found) = self.meet(key)?;
        if found.header.kind() == Kind::Object {
            self.share_at(position, found);
        }
        Some(self.database.entry(found.cell).value())
    }

    /// As [`Keys::read`], for a command that answers no more than a part of a string or a figure about it: the value
    /// keeps the encoding that it has, so that reading and appending in turn does not change it to and fro.
    pub fn read_part(&mut self, key: &[u8]) -> Option<ValueRef<'_>> {
        let (_, found) = self.meet(key)?;
        Some(self.database.entry(found.cell).value())
    }

    /// The string of a key for sharing with the network, if it is large enough: no count, no access noted.
    pub fn share(&mut self, key: &[u8]) -> Option<&Bytes> {
        let position = self.database.position(key);
        let found = self.locate(position, key)?;
        self.share_at(position, found);
        match self.database.entry(found.cell).value() {
            ValueRef::Large(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Makes a large string ready for sharing.
    fn share_at(&mut self, position: Position, found: Found) {
        if matches!(self.database.object(found), Some(Object { value: Value::Raw(_), .. })) {
            self.database.change_object(position, found, |object| object.value.share());
        }
    }

    /// Where the key is; counts a hit or a miss and notes the access.
    #[inline(always)]
    fn meet(&mut self, key: &[u8]) -> Option<(Position, Found)> {
        let position = self.database.position(key);
        let Some(found) = self.locate(position, key) else {
            self.common.stats.misses += 1;
            self.notify(Event::KEYMISS, key);
            return None;
        };
        self.common.stats.hits += 1;
        Some((position, self.touched(position, found)))
    }

    /// Notes an access, in the form that the policy goes by.
    #[inline(always)]
    pub(super) fn touched(&mut self, position: Position, found: Found) -> Found {
        if !self.common.touching {
            return found;
        }
        match self.common.tracking {
            Tracking::None => found,
            Tracking::Hits => self.hit(found),
            Tracking::Recency => self.stamped(position, found, self.common.lru_now),
            Tracking::Frequency => {
                let before = self.database.entry(found.cell).access();
                let stamp = self.common.next_frequency(before);
                self.stamped(position, found, stamp)
            }
        }
    }

    #[inline(always)]
    pub(super) fn hit(&mut self, found: Found) -> Found {
        let hits = found.header.hits();
        if hits == entry::HITS_MAX {
            return found;
        }
        let header = found.header.with_hits(hits + 1);
        header.write(self.database.cells.from_mut(found.cell));
        Found { header, ..found }
    }

    #[inline(always)]
    pub(super) fn stamped(&mut self, position: Position, found: Found, stamp: u32) -> Found {
        if entry::renew_access(found.header, self.database.cells.from_mut(found.cell), stamp) {
            return found;
        }
        self.widened(position, found, stamp)
    }

    /// Notes the first access in an entry that has no room for one: it was written under another policy.
    #[cold]
    fn widened(&mut self, position: Position, found: Found, stamp: u32) -> Found {
        self.database.reshape(position, found, |draft| draft.access = Some(stamp), self.common)
    }

    /// The entry for a command that only looks at it: no count, no access noted.
    pub fn peek(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        let found = self.locate(self.database.position(key), key)?;
        Some(self.database.entry(found.cell))
    }

    /// The entry for a command that asks about the key rather than for its value: counts a hit or a miss, but notes no
    /// access.
    pub fn look(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        if self.common.outbox.wants(Event::KEYMISS) && self.locate(self.database.position(key), key).is_none() {
            self.notify(Event::KEYMISS, key);
        }
        self.inspect(key)
    }

    /// As [`Keys::look`], for a command about how the key is kept (OBJECT): that it is not there is no event.
    pub fn inspect(&mut self, key: &[u8]) -> Option<EntryRef<'_>> {
        let Some(found) = self.locate(self.database.position(key), key) else {
            self.common.stats.misses += 1;
            return None;
        };
        self.common.stats.hits += 1;
        Some(self.database.entry(found.cell))
    }

    /// Notes an access (TOUCH). True if the key is there.
    pub fn touch(&mut self, key: &[u8]) -> bool {
        self.meet(key).is_some()
    }

    /// How much a key is used: counts a hit or a miss, but notes no access.
    pub fn usage(&mut self, key: &[u8]) -> Option<Usage> {
        let access = self.inspect(key)?.access();
        Some(self.usage_of(access))
    }

    /// How much a key is used, for a command that only looks at it: no count, no access noted.
    pub fn usage_uncounted(&mut self, key: &[u8]) -> Option<Usage> {
        let access = self.peek(key)?.access();
        Some(self.usage_of(access))
    }

    fn usage_of(&self, access: Option<u32>) -> Usage {
        let (now_ms, rules) = (self.common.now_ms(), &self.common.rules);
        match access {
            _ if rules.policy.keeps_frequency() => {
                let stamp = access.unwrap_or_else(|| clock::lfu_fresh(now_ms));
                Usage::Frequency(clock::lfu_frequency(stamp, now_ms, rules.lfu_decay_minutes))
            }
            _ if rules.policy.keeps_recency() => Usage::Idle(access.map_or(0, |stamp| clock::idle_s(stamp, now_ms))),
            _ => Usage::Unknown,
        }
    }

    /// Dates the last access back to `idle_s` seconds ago, or sets the counter of accesses (RESTORE), if the policy goes
    /// by that.
    pub fn set_usage(&mut self, key: &[u8], usage: Usage) {
        let (now_ms, policy) = (self.common.now_ms(), self.common.rules.policy);
        let stamp = match usage {
            Usage::Idle(idle_s) if policy.keeps_recency() => {
                clock::lru_stamp(now_ms.saturating_sub(u64::from(idle_s.min((1 << clock::STAMP_BITS) - 1)) * 1000))
            }
            Usage::Frequency(frequency) if policy.keeps_frequency() => clock::lfu_stamp(now_ms, frequency),
            _ => return,
        };
        let position = self.database.position(key);
        let Some(found) = self.locate(position, key) else { return };
        if found.header.has_access() {
            entry::write_access(found.header, self.database.cells.from_mut(found.cell), stamp);
        } else {
            self.widened(position, found, stamp);
        }
    }

    /// What a key costs in bytes, with its places in table and queue.
    pub fn charge(&mut self, key: &[u8]) -> Option<usize> {
        let found = self.locate(self.database.position(key), key)?;
        Some(self.database.charge(found.cell) + self.database.lineup.item_bytes())
    }

    /// A copy of an entry. Large strings are shared, not copied.
    pub fn copy(&mut self, key: &[u8]) -> Option<Entry> {
        let position = self.database.position(key);
        let found = self.locate(position, key)?;
        self.share_at(position, found);
        let entry = self.database.entry(found.cell);
        let (deadline, access) = (entry.deadline(), entry.access());
        Some(Entry { value: entry.value().to_value(), deadline, access, hits: found.header.hits() })
    }

    /// The value for a command that changes it in place; notes the access.
    pub fn edit<'k>(&'k mut self, key: &'k [u8]) -> Option<Edit<'k>> {
        let position = self.database.position(key);
        let found = self.locate(position, key)?;
        let found = self.touched(position, found);
        Some(Edit { keys: Keys::new(self.number, self.database, self.common), key, position, found })
    }

    /// Sets a string. `None` keeps the deadline of a key that is there.
    #[inline]
    pub fn set_string(&mut self, key: &[u8], bytes: &[u8], deadline: Option<Deadline>) {
        let position = self.database.position(key);
        self.changed(key);
        let new = canonical_integer(bytes).map_or(New::Text(bytes), New::Number);
        match self.locate(position, key) {
            None => {
                let deadline = self.common.or_default(deadline.unwrap_or(Deadline::NEVER));
                self.insert(position, key, new, deadline, None);
                self.notify(Event::NEW, key);
            }
            Some(found) => {
                let found = self.touched(position, found);
                let deadline = deadline.map(|deadline| self.common.or_default(deadline));
                // Most often one string follows another of the same length, and nothing else changes.
                if let New::Text(bytes) = new
                    && found.header.is_text_without_deadline(bytes.len())
                    && deadline.is_none_or(|deadline| deadline == Deadline::NEVER)
                    && self.common.rules.packing.is_none()
                {
                    return entry::string_mut(self.database.cells.from_mut(found.cell)).copy_from_slice(bytes);
                }
                self.overwrite(position, found, key, new, deadline);
            }
        }
    }

    /// Sets any value, whatever was there.
    pub fn set(&mut self, key: &[u8], value: Value, deadline: Deadline) {
        let deadline = self.common.or_default(deadline);
        if self.put(key, Entry { value, deadline, access: None, hits: 0 }) {
            self.notify(Event::NEW, key);
        }
    }

    /// Puts an entry that came from elsewhere under `key`, whatever was there. True if nothing was; what event that is, is
    /// for the caller to say.
    pub fn put(&mut self, key: &[u8], entry: Entry) -> bool {
        let position = self.database.position(key);
        self.changed(key);
        let old = self.locate(position, key);
        if let Some(old) = old {
            self.remove(position, old);
        }
        let Entry { value, deadline, access, .. } = entry;
        New::with(key, value, |new| self.insert(position, key, new, deadline, access));
        old.is_none()
    }

    /// Adds a key that is not there.
    #[inline]
    pub(super) fn insert(
        &mut self,
        position: Position,
        key: &[u8],
        new: New<'_>,
        deadline: Deadline,
        access: Option<u32>,
    ) {
        let access = self.common.first_access(access);
        let mut packed = std::mem::take(&mut self.common.packed);
        let (key, value) = self.stored(key, new, &mut packed);
        self.database.insert(position, Draft::new(key, value, deadline, access), self.common);
        self.common.keep_packed(packed);
    }

    /// Gives a key that is there another value; `None` keeps the deadline.
    #[inline]
    pub(super) fn overwrite(
        &mut self,
        position: Position,
        found: Found,
        key: &[u8],
        new: New<'_>,
        deadline: Option<Deadline>,
    ) {
        // Most often a counter or a collection takes as many bytes as before: then nothing else changes.
        let cell = self.database.cells.from_mut(found.cell);
        let is_renewed = deadline.is_none()
            && match new {
                New::Number(number) => entry::renew_number(found.header, cell, number),
                New::Collection(form, bytes) => entry::renew_collection(found.header, cell, form, bytes),
                _ => false,
            };
        if is_renewed {
            return;
        }
        let old = self.database.entry(found.cell);
        let (deadline, access) = (deadline.unwrap_or_else(|| old.deadline()), old.access());
        let mut packed = std::mem::take(&mut self.common.packed);
        let (key, value) = self.stored(key, new, &mut packed);
        let draft = Draft { header: found.header, ..Draft::new(key, value, deadline, access) };
        if let Some(object) = self.database.rewrite(position, found, draft, false, self.common).1 {
            self.common.graveyard.bury(object);
        }
        self.common.keep_packed(packed);
    }

    /// Brings a new value into the form in which it goes into an entry, and the key if that goes there too.
    #[inline]
    fn stored<'v>(&mut self, key: &'v [u8], new: New<'v>, packed: &'v mut Vec<u8>) -> (Option<&'v [u8]>, Stored<'v>) {
        let key_in_entry = (key.len() <= INLINE_KEY_BYTES_MAX).then_some(key);
        let value = match new {
            new if self.common.packs(&new, packed) => {
                if key_in_entry.is_some() && packed.len() <= INLINE_VALUE_BYTES_MAX {
                    return (key_in_entry, Stored::packed(packed));
                }
                Value::Packed(Packed::read(packed).into())
            }
            New::Number(number) if key_in_entry.is_some() => return (key_in_entry, Stored::number(number)),
            New::Text(bytes) if key_in_entry.is_some() && bytes.len() <= INLINE_VALUE_BYTES_MAX => {
                return (key_in_entry, Stored::text(bytes));
            }
            New::Raw(bytes) | New::Open(bytes) if key_in_entry.is_some() && bytes.len() <= INLINE_VALUE_BYTES_MAX => {
                return (key_in_entry, Stored::raw(bytes));
            }
            New::Collection(form, bytes) if key_in_entry.is_some() => {
                return (key_in_entry, Stored::collection(form, bytes));
            }
            New::Collection(form, bytes) => Value::Collection(Box::new(Collection::of(form, bytes.to_vec()))),
            New::Number(number) => Value::Int(number),
            New::Text(bytes) => Value::text(bytes),
            New::Raw(bytes) | New::Open(bytes) => Value::Raw(bytes.to_vec()),
            New::Object(value) | New::OpenObject(value) => value,
        };
        let key_in_object = if key_in_entry.is_none() { Some(key.into()) } else { None };
        (key_in_entry, self.database.keep_object(key, Object { key: key_in_object, value }))
    }

    /// Takes a key out with everything that belongs to it; what event that is, is for the caller to say.
    pub fn take(&mut self, key: &[u8]) -> Option<Entry> {
        let position = self.database.position(key);
        let found = self.locate(position, key)?;
        let entry = self.database.entry(found.cell);
        let (deadline, access) = (entry.deadline(), entry.access());
        let inline = (entry.object_number().is_none()).then(|| entry.value().to_value());
        let object = self.database.remove(position, found);
        self.changed(key);
        let value = inline.or_else(|| object.map(|object| object.value)).unwrap_or(Value::Int(0));
        let value = if let Value::Packed(_) = value { value.as_ref().to_value() } else { value };
        Some(Entry { value, deadline, access, hits: found.header.hits() })
    }

    /// Deletes a key, which is an event. True if it was there. A large value is dropped later, in slices.
    pub fn delete(&mut self, key: &[u8]) -> bool {
        let was_there = self.discard(key);
        if was_there {
            self.notify(Event::DEL, key);
        }
        was_there
    }

    /// As [`Keys::delete`]; what event that is, is for the caller to say.
    pub fn discard(&mut self, key: &[u8]) -> bool {
        let position = self.database.position(key);
        let Some(found) = self.locate(position, key) else { return false };
        self.changed(key);
        self.remove(position, found);
        true
    }

    /// Gives a key another deadline. True if the key is there.
    pub fn set_deadline(&mut self, key: &[u8], deadline: Deadline) -> bool {
        let position = self.database.position(key);
        let Some(found) = self.locate(position, key) else { return false };
        self.changed(key);
        self.database.reshape(position, found, |draft| draft.deadline = deadline, self.common);
        true
    }

    /// The time that this handle goes by, in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.common.now_ms()
    }
}

/// A value that is to be stored.
pub(super) enum New<'v> {
    Number(i64),
    /// A compact collection.
    Collection(Form, &'v [u8]),
    /// Set in one go.
    Text(&'v [u8]),
    /// Changed in place.
    Raw(&'v [u8]),
    /// Anything else; lies outside its entry.
    Object(Value),
    /// About to be changed where it lies: not to be packed, whatever the rules say.
    Open(&'v [u8]),
    /// The same, outside its entry.
    OpenObject(Value),
}

impl New<'_> {
    /// Brings a value of any kind into the form in which it is stored under `key`.
    pub(super) fn with<T>(key: &[u8], value: Value, store: impl FnOnce(New<'_>) -> T) -> T {
        match &value {
            Value::Int(number) => store(New::Number(*number)),
            Value::Embedded(bytes) => store(New::Text(bytes)),
            Value::Raw(bytes) if bytes.len() <= INLINE_VALUE_BYTES_MAX => store(New::Raw(bytes)),
            Value::Collection(collection)
                if key.len() <= INLINE_KEY_BYTES_MAX
                    && let Some((form, bytes)) = collection.compact() =>
            {
                store(New::Collection(form, bytes))
            }
            _ => store(New::Object(value)),
        }
    }

    /// The string, if it is one that may be packed.
    fn string(&self) -> Option<&[u8]> {
        match self {
            New::Number(_) | New::Collection(..) => None,
            New::Text(bytes) | New::Raw(bytes) => Some(bytes),
            New::Object(Value::Raw(bytes)) => Some(bytes),
            New::Object(Value::Large(bytes)) => Some(bytes),
            New::Object(_) | New::Open(_) | New::OpenObject(_) => None,
        }
    }
}

impl Common {
    /// Packs a new value, if the rules say so and it is worth it.
    #[inline]
    fn packs(&mut self, new: &New<'_>, packed: &mut Vec<u8>) -> bool {
        let Some((codec, threshold)) = self.rules.packing else { return false };
        let Some(string) = new.string().filter(|string| string.len() >= threshold) else { return false };
        let is_packed = pack(string, codec, packed);
        if is_packed {
            self.stats.packed += 1;
            self.stats.packed_bytes_before += string.len() as u64;
            self.stats.packed_bytes_after += packed.len() as u64;
        }
        is_packed
    }

    /// Keeps the buffer in which values are packed, unless it has become large.
    #[inline]
    fn keep_packed(&mut self, packed: Vec<u8>) {
        if packed.capacity() <= LARGE_VALUE_BYTES {
            self.packed = packed;
        }
    }

    /// The deadline of a key that a write creates.
    #[inline]
    pub(super) fn or_default(&self, deadline: Deadline) -> Deadline {
        match self.rules.default_ttl_ms {
            ttl_ms if ttl_ms > 0 && deadline == Deadline::NEVER => Deadline::at(self.now_ms().saturating_add(ttl_ms)),
            _ => deadline,
        }
    }

    /// The stamp of a new entry, where the policy wants one; `access` is what it brings along.
    #[inline]
    fn first_access(&self, access: Option<u32>) -> Option<u32> {
        match self.tracking {
            Tracking::None | Tracking::Hits => None,
            Tracking::Recency => Some(access.unwrap_or(self.lru_now)),
            Tracking::Frequency => Some(access.unwrap_or_else(|| clock::lfu_fresh(self.now_ms()))),
        }
    }

    /// The stamp of an access by frequency, after one that left the stamp `before`.
    fn next_frequency(&mut self, before: Option<u32>) -> u32 {
        let now_ms = self.now_ms();
        let before = before.unwrap_or_else(|| clock::lfu_fresh(now_ms));
        clock::lfu_touch(before, now_ms, self.rules.lfu_log_factor, self.rules.lfu_decay_minutes, &mut self.rng)
    }
}

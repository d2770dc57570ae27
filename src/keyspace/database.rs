//! One database: table, cells and objects, kept in step with deadlines, queues and the account.

use super::arena::{Arena, CellRef};
use super::block::NEVER;
use super::deadline::{Deadline, Epochs, Form};
use super::entry::{self, Draft, EntryRef, Header, Kind, Objects, Stored};
use super::fields::FieldDeadlines;
use super::lineup::Lineup;
use super::position::{Position, start_of};
use super::prefetch::prefetch;
use super::shard::Common;
use super::table::{Place, ScanPosition, Table};
use super::value::Object;
use super::watch::Register;
use super::wheel::Wheel;
use crate::base::{KeyHasher, Rng, SlotId};
use crate::limits::{SLOTS, WARM_ENTRIES_MIN, WARM_KEYS};

/// Milliseconds of one tick of the wheel: expired memory waits up to that long, and what falls due in one tick costs its
/// block one visit.
pub(super) const TICK_MS: u64 = 128;
/// Blocks looked at for one sample.
const BLOCKS_PER_DRAW: usize = 64;
/// Cache lines of a block of the usual size.
const BLOCK_LINES: usize = 5;
/// Cache lines of an entry of the usual size; the processor fetches what follows by itself once they are read.
const ENTRY_LINES: usize = 3;
/// What an entry's place in the table takes, in bytes: five, and seven empty places for every fifty filled.
const PLACE_BYTES: usize = 6;

/// The keys of one database number on one shard.
#[derive(Debug)]
pub struct Database {
    hasher: KeyHasher,
    pub(super) table: Table,
    pub(super) cells: Arena,
    pub(super) objects: Objects,
    pub(super) epochs: Epochs,
    pub(super) wheel: Wheel,
    /// Where ticks count from, in milliseconds since 1970: when the first deadline was set.
    pub(super) wheel_start_ms: Option<u64>,
    /// Hashes with fields that fall due.
    pub(super) fields: FieldDeadlines,
    /// Keys with a deadline.
    pub(super) volatile: usize,
    /// Bytes that objects take outside their entries.
    pub(super) object_bytes: usize,
    /// The order in which the policy looks at entries, if it keeps one.
    pub(super) lineup: Lineup,
    /// Keys that somebody watches.
    pub(super) watched: Register,
}

/// An entry that has been found.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) cell: CellRef,
    pub(super) header: Header,
}

impl Database {
    pub(super) fn new(hasher: KeyHasher, lineup: Lineup) -> Self {
        Self {
            hasher,
            table: Table::new(),
            cells: Arena::new(),
            objects: Objects::new(),
            epochs: Epochs::default(),
            wheel: Wheel::new(),
            wheel_start_ms: None,
            fields: FieldDeadlines::new(),
            volatile: 0,
            object_bytes: 0,
            lineup,
            watched: Register::default(),
        }
    }

    /// Keys, including those that are due and not yet removed.
    #[inline]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keys with a deadline.
    pub fn volatile_len(&self) -> usize {
        self.volatile
    }

    /// Bytes of entries and of what they hold outside.
    #[inline]
    pub fn dataset_bytes(&self) -> usize {
        self.cells.used_bytes() + self.object_bytes
    }

    /// Bytes of the table, the wheel, the index of fields and the queues.
    #[inline]
    pub fn overhead_bytes(&self) -> usize {
        let objects = self.objects.capacity() * size_of::<Object>();
        self.table.used_bytes()
            + objects
            + self.wheel.used_bytes()
            + self.fields.used_bytes()
            + self.lineup.used_bytes()
    }

    /// Bytes that the process holds for this database: those in use, and what lies between them.
    pub fn held_bytes(&self) -> usize {
        let idle = self.cells.held_bytes().saturating_sub(self.cells.used_bytes());
        self.dataset_bytes()
            + self.overhead_bytes()
            + idle
            + self.table.held_bytes().saturating_sub(self.table.used_bytes())
            + self.lineup.idle_bytes()
    }

    #[inline]
    pub(super) fn position(&self, key: &[u8]) -> Position {
        Position::of(key, &self.hasher)
    }

    #[inline]
    pub(super) fn entry(&self, cell: CellRef) -> EntryRef<'_> {
        let bytes = self.cells.from(cell);
        EntryRef { header: Header::read(bytes), cell: bytes, objects: &self.objects, epochs: &self.epochs }
    }

    /// Where a key is, due or not.
    #[inline(always)]
    pub(super) fn find(&self, position: Position, key: &[u8]) -> Option<Found> {
        for (place, cell) in self.table.candidates(position) {
            let bytes = self.cells.from(cell);
            let header = Header::read(bytes);
            if entry::has_key(header, bytes, key, &self.objects) {
                return Some(Found { place, cell, header });
            }
        }
        None
    }

    /// What an entry costs in bytes: its cell, its place in the table, and what it holds outside.
    pub(super) fn charge(&self, cell: CellRef) -> usize {
        self.cells.size(cell) + PLACE_BYTES + self.entry(cell).object_bytes()
    }

    /// Adds an entry whose key is not in the database.
    pub(super) fn insert(&mut self, position: Position, draft: Draft<'_>, common: &mut Common) {
        let form = self.epochs.form(draft.deadline, common.now_ms());
        let bytes = draft.bytes(form);
        let cell = self.allocate(bytes);
        draft.write(form, &self.epochs, self.cells.from_mut(cell));
        if self.lineup.is_ordered() {
            let charge = self.charge(cell);
            let (in_main, mark) = self.lineup.admit(position, charge, form, &mut common.rng);
            let header = Header::read(self.cells.from(cell)).with_queue(in_main, mark);
            header.write(self.cells.from_mut(cell));
        }
        self.epochs.wrote(form);
        let (cells, objects, hasher) = (&self.cells, &self.objects, &self.hasher);
        let mut splits = Vec::new();
        let block = self.table.insert(
            position,
            cell,
            |cell| Position::of(entry::key(cells.from(cell), objects), hasher),
            |prefix, earliest| splits.push((prefix, earliest)),
        );
        for (prefix, earliest) in splits.into_iter().filter(|(_, earliest)| *earliest != NEVER) {
            self.wheel.add(earliest, prefix);
        }
        self.volatile += usize::from(form != Form::None);
        self.fall_due(block, draft.deadline, common.now_ms());
    }

    /// Writes an entry anew. Answers where it is now, and what it held outside and no longer does.
    #[inline]
    pub(super) fn rewrite(
        &mut self,
        position: Position,
        found: Found,
        draft: Draft<'_>,
        keep_object: bool,
        common: &mut Common,
    ) -> (Found, Option<Object>) {
        // Most often one string follows another of the same length, without a deadline: then nothing else changes.
        let is_plain = found.header.form() == Form::None && draft.deadline == Deadline::NEVER;
        if is_plain && found.header.kind() != Kind::Object && !draft.value.is_object() {
            let bytes = draft.bytes(Form::None);
            if Arena::cell_bytes(bytes) == self.cells.size(found.cell) {
                let cell = self.cells.from_mut(found.cell);
                draft.write(Form::None, &self.epochs, cell);
                return (Found { header: Header::read(cell), ..found }, None);
            }
        }
        self.move_entry(position, found, draft, keep_object, common)
    }

    /// Writes an entry anew, wherever that leads.
    fn move_entry(
        &mut self,
        position: Position,
        found: Found,
        mut draft: Draft<'_>,
        keep_object: bool,
        common: &mut Common,
    ) -> (Found, Option<Object>) {
        let (now_ms, old_form) = (common.now_ms(), found.header.form());
        let old_object = if keep_object { None } else { self.entry(found.cell).object_number() };
        let before = self.charge(found.cell);
        let old_size = self.cells.size(found.cell);
        self.epochs.dropped(old_form);
        let form = self.epochs.form(draft.deadline, now_ms);
        self.epochs.wrote(form);
        if (form == Form::None) != (old_form == Form::None) {
            self.volatile = self.volatile + usize::from(form != Form::None) - usize::from(old_form != Form::None);
            if let Some((in_main, mark)) =
                self.lineup.form_changed(position, before, found.header, form, &mut common.rng)
            {
                draft.header = draft.header.with_queue(in_main, mark);
            }
        }
        let bytes = draft.bytes(form);
        let mut cell = found.cell;
        if Arena::cell_bytes(bytes) != old_size {
            cell = self.allocate(bytes);
            self.table.set_entry(found.place, cell);
            self.cells.free(found.cell);
        }
        draft.write(form, &self.epochs, self.cells.from_mut(cell));
        let gone = old_object.map(|number| self.drop_object(number));
        let now = self.found(found.place);
        let after = self.charge(cell);
        self.lineup.recharge(position, now.header, before, after);
        self.fall_due(found.place.block, draft.deadline, now_ms);
        (now, gone)
    }

    /// Writes an entry anew after a change of what stands beside its value. Answers where it is now.
    pub(super) fn reshape(
        &mut self,
        position: Position,
        found: Found,
        change: impl FnOnce(&mut Draft<'_>),
        common: &mut Common,
    ) -> Found {
        let bytes = self.cells.from(found.cell)[..self.cells.size(found.cell)].to_vec();
        let (objects, epochs) = (Objects::new(), self.epochs);
        let mut draft = EntryRef { header: found.header, cell: &bytes, objects: &objects, epochs: &epochs }.draft();
        change(&mut draft);
        self.rewrite(position, found, draft, true, common).0
    }

    /// Takes an entry out. Returns what it held outside.
    pub(super) fn remove(&mut self, position: Position, found: Found) -> Option<Object> {
        if !self.watched.is_empty() {
            let key: Box<[u8]> = self.entry(found.cell).key().into();
            self.watched.changed(&key);
        }
        let form = found.header.form();
        let charge = self.charge(found.cell);
        self.lineup.removed(position, found.header, charge);
        let object = self.entry(found.cell).object_number();
        self.table.remove(position.bits, found.place);
        self.cells.free(found.cell);
        self.epochs.dropped(form);
        self.volatile -= usize::from(form != Form::None);
        object.map(|number| self.drop_object(number))
    }

    /// Puts the value of a key by that is to lie outside its entry; returns what goes into the entry.
    pub(super) fn keep_object(&mut self, key: &[u8], object: Object) -> Stored<'static> {
        self.object_bytes += object.heap_bytes();
        let next = object.next_field_deadline();
        let number = self.objects.insert(object);
        self.fields.changed(number, None, next, || key.into());
        Stored::object(number)
    }

    fn drop_object(&mut self, number: usize) -> Object {
        let object = self.objects.remove(number);
        self.object_bytes -= object.heap_bytes();
        self.fields.changed(number, object.next_field_deadline(), None, Box::default);
        object
    }

    /// The object of an entry, if it has one.
    pub(super) fn object(&self, found: Found) -> Option<&Object> {
        self.objects.get(self.entry(found.cell).object_number()?)
    }

    /// The object of an entry, for a change that does not change what it takes.
    pub(super) fn object_mut(&mut self, found: Found) -> Option<&mut Object> {
        let number = self.entry(found.cell).object_number()?;
        self.objects.get_mut(number)
    }

    /// Changes the object of an entry in place; the account and the index of fields follow.
    pub(super) fn change_object(&mut self, position: Position, found: Found, change: impl FnOnce(&mut Object)) {
        let Some(number) = self.entry(found.cell).object_number() else { return };
        let Some(object) = self.objects.get_mut(number) else { return };
        let (before, due_before) = (object.heap_bytes(), object.next_field_deadline());
        change(object);
        let (after, due_after) = (object.heap_bytes(), object.next_field_deadline());
        self.object_bytes = self.object_bytes - before + after;
        let (cells, objects) = (&self.cells, &self.objects);
        self.fields.changed(number, due_before, due_after, || entry::key(cells.from(found.cell), objects).into());
        self.lineup.recharge(position, found.header, before, after);
    }

    /// The entry at a place.
    pub(super) fn found(&self, place: Place) -> Found {
        let cell = self.table.entry(place);
        Found { place, cell, header: Header::read(self.cells.from(cell)) }
    }

    /// Brings what finding keys will need into the cache, if the database is too large to lie there anyway: first all
    /// blocks, then all entries that they suggest, so that the cache misses of a walk overlap. A key is given by the bits
    /// of its position and its tag; only the first [`WARM_KEYS`] count.
    pub(super) fn warm(&self, keys: impl Iterator<Item = (u64, u8)>) {
        if self.len() < WARM_ENTRIES_MIN {
            return;
        }
        let mut homes = [None; WARM_KEYS];
        for (home, (bits, tag)) in homes.iter_mut().zip(keys) {
            let block = self.table.block_of(bits);
            prefetch(self.table.bytes(block), BLOCK_LINES);
            *home = Some((block, tag));
        }
        for (block, tag) in homes.into_iter().flatten() {
            // The first entry with the right fingerprint is nearly always the right one.
            if let Some(cell) = self.table.block(block).suspect(tag) {
                prefetch(self.cells.from(cell), ENTRY_LINES);
            }
        }
    }

    fn allocate(&mut self, bytes: usize) -> CellRef {
        self.cells.allocate(bytes).expect("entries fit a cell, and a shard refuses data before its cells run out")
    }

    /// The earliest moment at which a sweep may find something.
    pub(super) fn next_due(&self) -> Deadline {
        let keys = match (self.wheel.next_tick(), self.wheel_start_ms) {
            (Some(tick), Some(start_ms)) => Deadline::at(start_ms + (u64::from(tick) + 1) * TICK_MS - 1),
            _ => Deadline::NEVER,
        };
        self.fields.first_ms().map_or(keys, |unix_ms| keys.min(Deadline::at(unix_ms)))
    }

    pub(super) fn tick(&mut self, deadline: Deadline, now_ms: u64) -> u32 {
        let start_ms = *self.wheel_start_ms.get_or_insert(now_ms);
        match deadline.unix_ms() {
            None => NEVER,
            // A deadline beyond the last tick is looked at there and put in again.
            Some(unix_ms) => ((unix_ms.saturating_sub(start_ms)) / TICK_MS).min(u64::from(NEVER - 1)) as u32,
        }
    }

    fn fall_due(&mut self, block: CellRef, deadline: Deadline, now_ms: u64) {
        if deadline == Deadline::NEVER {
            return;
        }
        let tick = self.tick(deadline, now_ms);
        let (earliest, prefix) = (self.table.block(block).earliest(), self.table.block(block).prefix());
        if tick < earliest {
            self.table.set_earliest(block, tick);
            if earliest == NEVER || !self.wheel.is_same_slot(tick, earliest) {
                self.wheel.add(tick, prefix);
            }
        }
    }

    /// Visits entries from a cursor upward, at least `count` of them, and returns where to go on. Those that are due are
    /// passed over, but count.
    pub fn scan(
        &self,
        from: ScanPosition,
        count: usize,
        now_ms: u64,
        mut visit: impl FnMut(EntryRef<'_>),
    ) -> Option<ScanPosition> {
        let position_of = |cell| self.position(self.entry(cell).key());
        self.table.scan(from, count, position_of, |cell| {
            let entry = self.entry(cell);
            if !entry.deadline().is_due(now_ms) {
                visit(entry);
            }
        })
    }

    /// Keys of a slot, including those that are due and not yet removed. Touches the blocks of that slot only.
    pub fn slot_len(&self, slot: SlotId) -> usize {
        let mut count = 0;
        self.slot_blocks(slot, |entries, all| {
            count += if all { entries.len() } else { entries.iter().filter(|cell| self.is_in(**cell, slot)).count() };
            true
        });
        count
    }

    /// Visits keys of a slot until `visit` says no.
    pub fn slot_keys(&self, slot: SlotId, now_ms: u64, mut visit: impl FnMut(&[u8]) -> bool) {
        self.slot_blocks(slot, |entries, all| {
            let mut of_slot =
                entries.iter().filter(|cell| all || self.is_in(**cell, slot)).map(|cell| self.entry(*cell));
            of_slot.all(|entry| entry.deadline().is_due(now_ms) || visit(entry.key()))
        });
    }

    fn is_in(&self, cell: CellRef, slot: SlotId) -> bool {
        crate::base::slot(self.entry(cell).key()) == slot
    }

    /// Visits the blocks of a slot with their entries, and whether all of them belong to it.
    fn slot_blocks(&self, slot: SlotId, mut visit: impl FnMut(&[CellRef], bool) -> bool) {
        let end = if slot.0 + 1 < SLOTS { Some(start_of(SlotId(slot.0 + 1))) } else { None };
        let mut entries = Vec::new();
        self.table.blocks(start_of(slot), end, |_, _, block| {
            entries.clear();
            entries.extend(block.entries());
            visit(&entries, block.depth() >= super::position::SLOT_BITS)
        });
    }

    /// Some entry that is not due, each about equally likely; `None` if the database holds none.
    pub fn random(&self, now_ms: u64, rng: &mut Rng) -> Option<EntryRef<'_>> {
        const TRIES: usize = 64;
        if self.is_empty() {
            return None;
        }
        for attempt in 0..2 * TRIES {
            // Where blocks are nearly empty a fair draw often finds none: then any place of a block will do.
            if let Some(cell) = self.random_cell(attempt < TRIES, rng)
                && let entry = self.entry(cell)
                && !entry.deadline().is_due(now_ms)
            {
                return Some(entry);
            }
        }
        let mut found = None;
        self.table.blocks(0, None, |_, _, block| {
            found = block.entries().find(|cell| !self.entry(*cell).deadline().is_due(now_ms));
            found.is_none()
        });
        found.map(|cell| self.entry(cell))
    }

    /// Some entry: a block by chance, which for blocks of one depth is fair, then one of its places by chance. If the draw
    /// is to be fair, the place may be empty.
    fn random_cell(&self, fair: bool, rng: &mut Rng) -> Option<CellRef> {
        let block = self.table.block(self.table.block_of(self.table.draw(rng)?));
        let at = rng.usize(..if fair { super::block::ENTRIES_MAX } else { block.len() });
        (at < block.len()).then(|| block.entry(at))
    }

    /// A deadline drawn by chance from those that are set, in milliseconds since 1970; it may have passed. `None` if none
    /// was met.
    pub fn random_deadline(&self, rng: &mut Rng) -> Option<u64> {
        let cell = *self.sample(1, true, rng).first()?;
        self.entry(cell).deadline().unix_ms()
    }

    /// Up to `count` neighbouring entries of some block, drawn by chance; if `volatile`, only such as have a deadline. May
    /// be none: then another draw is worth it.
    pub(super) fn sample(&self, count: usize, volatile: bool, rng: &mut Rng) -> Vec<CellRef> {
        let mut sample = Vec::with_capacity(count);
        let mut visited = 0;
        let Some(start) = self.table.draw(rng) else { return sample };
        // A block without a deadline says so, and so does one without entries; the ones behind it are looked at instead.
        self.table.blocks(start, None, |_, _, block| {
            visited += 1;
            if block.len() > 0 && !(volatile && block.earliest() == NEVER) {
                let start = rng.usize(..block.len());
                let places = (start..block.len()).chain(0..start).map(|at| block.entry(at));
                let wanted = |cell: &CellRef| !volatile || Header::read(self.cells.from(*cell)).form() != Form::None;
                sample.extend(places.filter(wanted).take(count));
            }
            sample.is_empty() && visited < BLOCKS_PER_DRAW
        });
        sample
    }

    /// Gives a piece of memory back that nothing lies in any more. True if it did.
    #[inline]
    pub(super) fn release(&mut self) -> bool {
        if self.cells.has_leavings() {
            self.cells.release();
        } else if self.table.has_leavings() {
            self.table.release();
        } else if self.lineup.has_leavings() {
            self.lineup.release();
        } else {
            return false;
        }
        true
    }

    /// Whether much of what is held for cells or for the table is empty.
    pub(super) fn is_sparse(&self) -> bool {
        self.cells.has_leavings() || self.lineup.has_leavings() || self.cells.is_sparse() || self.table.is_sparse()
    }

    /// Moves up to `cells` cells together if much of what is held is empty. True if more is to do.
    pub(super) fn compact(&mut self, cells: usize) -> bool {
        if self.table.compact(cells) {
            return true;
        }
        if !self.cells.is_sparse() {
            return false;
        }
        let (table, objects, hasher) = (&mut self.table, &self.objects, &self.hasher);
        self.cells.evacuate(cells, |bytes, old, new| {
            let position = Position::of(entry::key(bytes, objects), hasher);
            if let Some(place) = table.find(position, old) {
                table.set_entry(place, new);
            }
        })
    }

    /// Drops one chunk of a database that nobody can reach any more. False when only the shell is left.
    pub(super) fn drop_some(&mut self) -> bool {
        self.cells.drop_chunk() || self.table.drop_chunk()
    }
}

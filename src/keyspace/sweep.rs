//! Removing what has fallen due: keys, and fields of hashes.

use super::arena::CellRef;
use super::block::NEVER;
use super::collection::Collection;
use super::database::{Database, Found, TICK_MS};
use super::events::Event;
use super::position::Position;
use super::shard::Common;
use super::value::Object;

impl Database {
    /// Removes up to `count` fields that are due from the hash of an entry, if it is one. Answers how many, and whether
    /// none is left.
    pub(super) fn expire_fields(
        &mut self,
        position: Position,
        found: Found,
        now_ms: u64,
        count: usize,
    ) -> (usize, bool) {
        let next = self.object(found).and_then(Object::next_field_deadline);
        let (mut removed, mut is_empty) = (0, false);
        if next.is_some_and(|unix_ms| unix_ms < now_ms) {
            self.change_object(position, found, |object| {
                if let Some(Collection::Hash(hash)) = object.value.collection_mut() {
                    removed = hash.expire(now_ms, count);
                    is_empty = hash.as_ref().is_empty();
                }
            });
        }
        (removed, is_empty)
    }

    /// Removes up to `count` fields that are due from some hash, and the key with its last field. Answers how many; `None`
    /// when there is nothing to do. `number` is that of the database.
    pub(super) fn sweep_fields(
        &mut self,
        now_ms: u64,
        number: usize,
        count: usize,
        common: &mut Common,
    ) -> Option<usize> {
        let key = self.fields.first_due(now_ms)?;
        let position = self.position(&key);
        let found = self.find(position, &key)?;
        let (removed, is_empty) = self.expire_fields(position, found, now_ms, count);
        if removed > 0 {
            common.outbox.note(Event::HEXPIRED, number, &key);
        }
        if is_empty {
            self.remove(position, found).into_iter().for_each(|object| common.graveyard.bury(object));
            common.outbox.note(Event::DEL, number, &key);
        }
        Some(removed)
    }

    /// Sweeps a block that has something due, if any has. Returns how many entries were removed; `None` when there is
    /// nothing to do. `number` is that of the database.
    pub(super) fn sweep_one(&mut self, now_ms: u64, number: usize, common: &mut Common) -> Option<usize> {
        // The tick that now_ms lies in is not over yet.
        let until = (now_ms.saturating_sub(self.wheel_start_ms?) / TICK_MS).checked_sub(1)?;
        let until = u32::try_from(until).unwrap_or(NEVER - 1);
        let (prefix, end) = self.wheel.pop(until)?;
        let start = u64::from(prefix) << 32;
        let mut due = Vec::new();
        let mut again = Vec::new();
        // Usually one block; blocks deeper than 32 bits share a prefix.
        self.table.blocks(start, start.checked_add(1 << 32), |start, _, block| {
            match block.earliest() {
                earliest if earliest <= until => due.push(start),
                earliest if u64::from(earliest) < end => again.push((earliest, block.prefix())),
                _ => {}
            }
            true
        });
        again.into_iter().for_each(|(tick, prefix)| self.wheel.add(tick, prefix));
        let mut removed = 0;
        for start in due {
            // By position: what is removed from one block may unite it with the next.
            let home = self.table.block_of(start);
            let mut earliest = NEVER;
            let mut expired: Vec<CellRef> = Vec::new();
            let entries: Vec<CellRef> = self.table.block(home).entries().collect();
            for cell in entries {
                let deadline = self.entry(cell).deadline();
                if deadline.is_due(now_ms) {
                    expired.push(cell)
                } else {
                    earliest = earliest.min(self.tick(deadline, now_ms))
                }
            }
            let prefix = self.table.block(home).prefix();
            self.table.set_earliest(home, earliest);
            if earliest != NEVER {
                self.wheel.add(earliest, prefix);
            }
            removed += expired.len();
            for cell in expired {
                let position = self.position(self.entry(cell).key());
                if let Some(place) = self.table.find(position, cell) {
                    let found = Found { place, cell, header: self.entry(cell).header };
                    common.outbox.note(Event::EXPIRED, number, self.entry(cell).key());
                    self.remove(position, found).into_iter().for_each(|object| common.graveyard.bury(object));
                }
            }
        }
        Some(removed)
    }
}

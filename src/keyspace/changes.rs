//! Changes of collections.
//!
//! A compact collection is opened (copied to a buffer of the shard), changed, and written back if it is another; a large one
//! is changed where it lies. Whoever changes it sees no difference. What has become empty goes with its key.

use super::collection::sequence::Offcut;
use super::collection::{Collection, CollectionRef, Shapes};
use super::database::Found;
use super::deadline::Deadline;
use super::entry::{self, INLINE_KEY_BYTES_MAX, Kind};
use super::events::Event;
use super::keys::{Keys, New};
use super::position::Position;
use super::value::{Object, Value};
use crate::limits::{FIELDS_EXPIRED_AT_ONCE, LARGE_VALUE_BYTES};

/// The key holds a string.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotACollection;

impl Keys<'_> {
    /// Changes a collection; notes the access. A key that is not there begins with what `fresh` says, which must be empty,
    /// and with `None` nothing is changed and nothing answered. `change` answers what has happened, if it has changed
    /// anything, and what is passed on. It is given whatever collection there is, and must leave one of another type than it
    /// wants as it is.
    pub fn change<T>(
        &mut self,
        key: &[u8],
        fresh: Option<Collection>,
        change: impl FnOnce(&mut Collection, &Shapes) -> (Option<Event>, T),
    ) -> Result<Option<T>, NotACollection> {
        let position = self.database.position(key);
        let Some(found) = self.locate(position, key) else {
            let Some(mut collection) = fresh else { return Ok(None) };
            let (event, answer) = change(&mut collection, &self.common.shapes);
            if !collection.is_empty() {
                self.changed(key);
                self.insert_collection(key, collection);
                self.notify(Event::NEW, key);
                event.into_iter().for_each(|event| self.notify(event, key));
            }
            return Ok(Some(answer));
        };
        let found = self.touched(position, found);
        if found.header.kind() == Kind::Object {
            let (mut outcome, mut is_empty) = (None, false);
            let shapes = &self.common.shapes;
            self.database.change_object(position, found, |object| {
                if let Some(collection) = object.value.collection_mut() {
                    outcome = Some(change(collection, shapes));
                    is_empty = collection.is_empty();
                }
            });
            let Some((event, answer)) = outcome else { return Err(NotACollection) };
            if let Some(event) = event {
                self.changed(key);
                self.notify(event, key);
            }
            if is_empty {
                self.remove(position, found);
                self.notify(Event::DEL, key);
            }
            return Ok(Some(answer));
        }
        let stored = entry::collection(found.header, self.database.cells.from(found.cell)).ok_or(NotACollection)?;
        let mut collection = Collection::open(stored, std::mem::take(&mut self.common.opened));
        let (event, answer) = change(&mut collection, &self.common.shapes);
        if let Some(event) = event {
            self.changed(key);
            self.notify(event, key);
        }
        if event.is_some() && collection.is_empty() {
            self.remove(position, found);
            self.notify(Event::DEL, key);
        } else if event.is_some()
            && let Some((form, bytes)) = collection.compact()
        {
            self.overwrite(position, found, key, New::Collection(form, bytes), None);
        } else if event.is_some() {
            let value = std::mem::replace(&mut collection, Collection::EMPTY);
            self.overwrite(position, found, key, New::Object(Value::Collection(Box::new(value))), None);
        }
        let buffer = collection.into_buffer();
        if buffer.capacity() <= LARGE_VALUE_BYTES {
            self.common.opened = buffer;
        }
        Ok(Some(answer))
    }

    /// Sets a collection, whatever was there, which is `event`; an empty one deletes the key.
    pub fn set_collection(&mut self, key: &[u8], collection: Collection, event: Event) {
        if collection.is_empty() {
            self.delete(key);
        } else {
            self.set(key, Value::Collection(Box::new(collection)), Deadline::NEVER);
            self.notify(event, key);
        }
    }

    /// Drops what was cut off from a collection, in slices if that takes long.
    pub fn bury(&mut self, offcut: Offcut) {
        self.common.graveyard.bury_offcut(offcut);
    }

    /// Drops what a collection was before another took its place, in slices if that takes long.
    pub fn bury_collection(&mut self, collection: Option<Collection>) {
        if let Some(collection) = collection {
            let value = Value::Collection(Box::new(collection));
            self.common.graveyard.bury(Object { key: None, value });
        }
    }

    /// How collections grow.
    pub fn shapes(&self) -> &Shapes {
        &self.common.shapes
    }

    /// The collection of a key that the command has met before, so that it can look at several at once: no count, no access
    /// noted, nothing removed.
    pub fn collection(&self, key: &[u8]) -> Option<CollectionRef<'_>> {
        let found = self.database.find(self.database.position(key), key)?;
        self.database.entry(found.cell).value().collection()
    }

    /// Removes fields that are due from a hash that is about to be looked at, and the key with its last field.
    #[cold]
    pub(super) fn expire_fields(&mut self, position: Position, found: Found, key: &[u8]) -> Option<Found> {
        let now_ms = self.common.now_ms();
        let (removed, is_empty) = self.database.expire_fields(position, found, now_ms, FIELDS_EXPIRED_AT_ONCE);
        self.common.stats.expired_fields += removed as u64;
        if removed > 0 {
            self.notify(Event::HEXPIRED, key);
        }
        if is_empty {
            self.remove(position, found);
            self.notify(Event::DEL, key);
            return None;
        }
        Some(found)
    }

    fn insert_collection(&mut self, key: &[u8], collection: Collection) {
        let position = self.database.position(key);
        let deadline = self.common.or_default(Deadline::NEVER);
        match collection.compact() {
            Some((form, bytes)) if key.len() <= INLINE_KEY_BYTES_MAX => {
                self.insert(position, key, New::Collection(form, bytes), deadline, None);
            }
            _ => {
                let value = Value::Collection(Box::new(collection));
                self.insert(position, key, New::Object(value), deadline, None);
            }
        }
    }
}

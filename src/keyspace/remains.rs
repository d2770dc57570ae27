//! What has been deleted and is still to be dropped: flushed databases, and values too large to be dropped at once.
//!
//! Giving half a gibibyte back to the kernel takes some hundred milliseconds, and a core that does it in one go answers
//! nobody meanwhile. So a large value is cut down a piece at a time from its end, a large collection loses some of its parts
//! at a time, and a database is dropped a chunk at a time. What waits here is still in the account.

use std::collections::VecDeque;
use std::sync::Arc;

use super::collection::Collection;
use super::collection::sequence::Offcut;
use super::database::Database;
use super::lineup::Lineup;
use super::value::{Object, Value};
use crate::limits::{BURIAL_BYTES, LARGE_VALUE_BYTES};

/// What waits to be dropped.
#[derive(Debug, Default)]
pub(super) struct Graveyard {
    waiting: VecDeque<Remains>,
    bytes: usize,
}

#[derive(Debug)]
enum Remains {
    Database(Box<Database>),
    Lineup(Lineup),
    Objects(slab::IntoIter<Object>),
    Bytes(Vec<u8>),
    Collection(Box<Collection>),
    Offcut(Offcut),
}

impl Graveyard {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Bytes that wait to be freed.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops what an entry held outside, or puts it by if dropping it takes long.
    pub(super) fn bury(&mut self, object: Object) {
        let bytes = match object.value {
            Value::Raw(bytes) => bytes,
            // A reply that is still on its way holds the bytes; whoever lets go last frees them.
            Value::Large(bytes) if bytes.is_unique() => Vec::from(bytes),
            Value::Collection(collection) => return self.bury_collection(collection),
            // Of those who let go at once, one gets it.
            Value::Shared(collection) => {
                return Arc::into_inner(collection).into_iter().for_each(|last| self.bury_collection(Box::new(last)));
            }
            _ => return,
        };
        self.bury_bytes(bytes);
    }

    /// Drops a buffer, or puts it by if dropping it takes long.
    pub(super) fn bury_bytes(&mut self, bytes: Vec<u8>) {
        if bytes.capacity() > BURIAL_BYTES {
            self.bytes += bytes.capacity();
            self.waiting.push_back(Remains::Bytes(bytes));
        }
    }

    fn bury_collection(&mut self, collection: Box<Collection>) {
        let bytes = collection.heap_bytes();
        if bytes > BURIAL_BYTES {
            self.bytes += bytes;
            self.waiting.push_back(Remains::Collection(collection));
        }
    }

    /// Drops what was cut off from a collection, or puts it by if dropping it takes long.
    pub(super) fn bury_offcut(&mut self, offcut: Offcut) {
        let bytes = offcut.heap_bytes();
        if bytes > BURIAL_BYTES {
            self.bytes += bytes;
            self.waiting.push_back(Remains::Offcut(offcut));
        }
    }

    pub(super) fn bury_lineup(&mut self, lineup: Lineup) {
        if lineup.is_ordered() {
            self.waiting.push_back(Remains::Lineup(lineup));
        }
    }

    pub(super) fn bury_database(&mut self, mut database: Database) {
        self.bytes += database.dataset_bytes() + database.overhead_bytes();
        let objects = std::mem::take(&mut database.objects);
        self.bury_lineup(std::mem::replace(&mut database.lineup, Lineup::none()));
        self.waiting.push_back(Remains::Objects(objects.into_iter()));
        self.waiting.push_back(Remains::Database(Box::new(database)));
    }

    /// Drops at most so many pieces; answers how many objects and databases are gone for good.
    pub(super) fn drop_some(&mut self, pieces: usize) -> u64 {
        /// What a piece of many objects comes to: a few dozen calls of the allocator.
        const OBJECTS: usize = BURIAL_BYTES / LARGE_VALUE_BYTES;
        let mut gone = 0;
        for _ in 0..pieces {
            let finished = match self.waiting.front_mut() {
                None => break,
                Some(Remains::Database(database)) => !database.drop_some(),
                Some(Remains::Lineup(lineup)) => !lineup.drop_some(),
                Some(Remains::Objects(objects)) => {
                    let dropped: Vec<Object> = objects.by_ref().map(|(_, object)| object).take(OBJECTS).collect();
                    gone += dropped.len() as u64;
                    let finished = dropped.is_empty();
                    dropped.into_iter().for_each(|object| self.bury(object));
                    finished
                }
                Some(Remains::Bytes(bytes)) => {
                    let left = bytes.capacity().saturating_sub(BURIAL_BYTES);
                    bytes.truncate(left);
                    // Cuts a mapping down from its end, without moving what is in front.
                    bytes.shrink_to(left);
                    left == 0
                }
                Some(Remains::Collection(collection)) => !collection.drop_some(BURIAL_BYTES),
                Some(Remains::Offcut(offcut)) => !offcut.drop_some(BURIAL_BYTES),
            };
            if finished {
                gone += u64::from(matches!(
                    self.waiting.pop_front(),
                    Some(Remains::Bytes(_) | Remains::Collection(_) | Remains::Database(_))
                ));
            }
        }
        self.recount();
        gone
    }

    fn recount(&mut self) {
        self.bytes = self
            .waiting
            .iter()
            .map(|remains| match remains {
                Remains::Database(database) => database.dataset_bytes() + database.overhead_bytes(),
                Remains::Objects(_) => 0,
                Remains::Lineup(lineup) => lineup.used_bytes(),
                Remains::Bytes(bytes) => bytes.capacity(),
                Remains::Collection(collection) => collection.heap_bytes(),
                Remains::Offcut(offcut) => offcut.heap_bytes(),
            })
            .sum();
    }
}

//! What has been deleted and is still to be dropped: flushed databases, and values too large to be dropped at once.
//!
//! Giving half a gibibyte back to the kernel takes some hundred milliseconds, and a core that does it in one go answers
//! nobody meanwhile. So a large value is cut down a piece at a time from its end, a large collection loses some of its parts
//! at a time, and a database is dropped a chunk at a time. What waits here is still in the account.
//!
//! How long the parts of a collection take cannot be told by their bytes. They lie where chance has put them, so that most
//! pages of the heap become empty with the last few of a million parts, and each page that does is given back at once.
//! Hence few are dropped between two looks at the clock.

use std::collections::VecDeque;
use std::sync::Arc;

use super::collection::Collection;
use super::collection::list::List;
use super::collection::sequence::Offcut;
use super::database::Database;
use super::lineup::Lineup;
use super::value::{Object, Value};
use crate::limits::{BURIAL_BYTES, BURIAL_NODE_BYTES, BURIED_NODES_BYTES_MIN, LARGE_VALUE_BYTES};

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
            self.put_by(Remains::Bytes(bytes));
        }
    }

    fn bury_collection(&mut self, mut collection: Box<Collection>) {
        if let Collection::List(List::Large(list)) = &mut *collection {
            return self.bury_offcut(list.remove_range(0, list.len()));
        }
        let bytes = collection.heap_bytes();
        if bytes > BURIED_NODES_BYTES_MIN {
            self.put_by(Remains::Collection(collection));
        }
    }

    /// Drops what was cut off from a collection, or puts it by if dropping it takes long.
    pub(super) fn bury_offcut(&mut self, offcut: Offcut) {
        let bytes = offcut.heap_bytes();
        if bytes > BURIED_NODES_BYTES_MIN {
            self.put_by(Remains::Offcut(offcut));
        }
    }

    pub(super) fn bury_lineup(&mut self, lineup: Lineup) {
        if lineup.is_ordered() {
            self.put_by(Remains::Lineup(lineup));
        }
    }

    pub(super) fn bury_database(&mut self, mut database: Database) {
        let objects = std::mem::take(&mut database.objects);
        self.bury_lineup(std::mem::replace(&mut database.lineup, Lineup::none()));
        self.put_by(Remains::Objects(objects.into_iter()));
        self.put_by(Remains::Database(Box::new(database)));
    }

    fn put_by(&mut self, remains: Remains) {
        self.bytes += remains.bytes();
        self.waiting.push_back(remains);
    }

    /// Drops a piece, and if those are small, more of them until `is_over` says that it has taken long enough; answers how
    /// many objects and databases are gone for good.
    pub(super) fn drop_some(&mut self, mut is_over: impl FnMut() -> bool) -> u64 {
        let mut gone = 0;
        for _ in 0..BURIAL_BYTES / BURIAL_NODE_BYTES {
            let Some(first) = self.waiting.front() else { break };
            let is_small = matches!(first, Remains::Collection(_) | Remains::Offcut(_));
            let before = first.bytes();
            gone += self.drop_piece(before);
            if !is_small || is_over() {
                break;
            }
        }
        gone
    }

    /// Drops a piece of what comes first, which has so many bytes.
    fn drop_piece(&mut self, before: usize) -> u64 {
        /// What a piece of many objects comes to: a few dozen calls of the allocator.
        const OBJECTS: usize = BURIAL_BYTES / LARGE_VALUE_BYTES;
        let mut gone = 0;
        let finished = match self.waiting.front_mut() {
            None => return 0,
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
            Some(Remains::Collection(collection)) => !collection.drop_some(BURIAL_NODE_BYTES),
            Some(Remains::Offcut(offcut)) => !offcut.drop_some(BURIAL_NODE_BYTES),
        };
        let after = if finished { 0 } else { self.waiting.front().map_or(0, Remains::bytes) };
        self.bytes -= before - after.min(before);
        if finished {
            let ended = self.waiting.pop_front();
            gone += u64::from(matches!(ended, Some(Remains::Bytes(_) | Remains::Collection(_) | Remains::Database(_))));
        }
        gone
    }
}

impl Remains {
    /// Bytes that it still takes.
    fn bytes(&self) -> usize {
        match self {
            Remains::Database(database) => database.dataset_bytes() + database.overhead_bytes(),
            Remains::Objects(_) => 0,
            Remains::Lineup(lineup) => lineup.used_bytes(),
            Remains::Bytes(bytes) => bytes.capacity(),
            Remains::Collection(collection) => collection.heap_bytes(),
            Remains::Offcut(offcut) => offcut.heap_bytes(),
        }
    }
}

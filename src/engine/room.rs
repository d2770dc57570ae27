//! Whether there is room for what a command brings: asked before it runs, of every shard that it writes to.
//!
//! A command on one shard asks and runs at once. One over several cores asks all of them before any part runs, because a
//! part that has run cannot be taken back: it is refused as a whole if one of them lacks room. Between asking and running
//! others may take the room; what is written nevertheless is made good at the end of the turn (`Shard::tidy`).

use super::mail::StoredKey;
use crate::base::Now;
use crate::command::{Command, Flags, KeyFlags};
use crate::keyspace::Shard;
use crate::resp::Request;

/// Whether a shard has room for what a command brings, after it has made some.
#[inline(always)]
pub(super) fn has_room(
    shard: &mut Shard,
    command: &'static Command,
    request: Request<'_>,
    now: Now,
    database: u16,
) -> bool {
    !command.flags.contains(Flags::DENYOOM) || makes_room(shard, command, request, now, database)
}

fn makes_room(shard: &mut Shard, command: &'static Command, request: Request<'_>, now: Now, database: u16) -> bool {
    let new_keys = if shard.counts_keys() { absent_keys(shard, command, request, now, database) } else { 0 };
    shard.make_room(request.data().len(), new_keys, now)
}

/// How many of the keys that a request writes are not there.
#[cold]
fn absent_keys(shard: &mut Shard, command: &'static Command, request: Request<'_>, now: Now, database: u16) -> usize {
    let Ok(found) = crate::command::keys(command, request) else { return 0 };
    let mut keys = shard.keys(usize::from(database), now);
    let written = found.filter(|key| !key.flags.contains(KeyFlags::RO));
    written.filter(|key| keys.peek(request.get(key.index)).is_none()).count()
}

/// What one shard is asked to have room for, as part of a command over several.
#[derive(Debug)]
pub(super) struct Room {
    /// About so many bytes.
    pub(super) bytes: usize,
    /// Keys that will be written, if it matters whether they are there.
    pub(super) keys: Vec<StoredKey>,
}

impl Room {
    /// Whether a shard has it, after it has made some.
    pub(super) fn is_in(&self, shard: &mut Shard, now: Now) -> bool {
        let mut absent = |key: &&StoredKey| shard.keys(usize::from(key.database), now).peek(&key.name).is_none();
        let new_keys = self.keys.iter().filter(|key| absent(key)).count();
        shard.make_room(self.bytes, new_keys, now)
    }
}

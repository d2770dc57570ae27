//! The parts of a command over several cores: what each core has to do with it, and how the replies of parts are joined.

use super::super::mail::{OwnedRequest, PartReply, StoredKey};
use super::super::room::Room;
use crate::base::CoreId;
use crate::command::{Command, Flags, Spread};
use crate::exec::sort;
use crate::keyspace::Entry;
use crate::resp::{Reply, Request};
use crate::txn::{Intents, Key};

/// What one core has to do with it.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) core: CoreId,
    /// Its keys.
    pub(super) keys: Vec<PartKey>,
    pub(super) reply: PartReply,
    pub(super) entries: Vec<Option<Entry>>,
    /// Keys that follow from values, only to be read, and what they hold.
    pub(super) derived: Vec<StoredKey>,
    pub(super) derived_entries: Vec<Option<Entry>>,
}

/// One key of a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartKey {
    /// Which argument of the request it is.
    pub(super) index: usize,
    pub(super) database: u16,
    pub(super) write: bool,
}

impl Part {
    pub(super) fn intents(&self, command: &Command, request: Request<'_>) -> Intents {
        if concerns_all(command, request) {
            return Intents::Shard;
        }
        // Sorted to find what is named twice: a request may have a million keys.
        let mut keys: Vec<(&[u8], bool)> = self.keys.iter().map(|key| (request.get(key.index), key.write)).collect();
        keys.sort_unstable();
        keys.dedup_by(|later, kept| {
            let same = later.0 == kept.0;
            kept.1 |= same && later.1;
            same
        });
        Intents::Keys(keys.into_iter().map(|(name, exclusive)| Key { name: name.into(), exclusive }).collect())
    }

    /// What its core needs room for. `counts_keys`: it matters whether keys are there.
    pub(super) fn room(&self, command: &Command, request: Request<'_>, counts_keys: bool) -> Option<Room> {
        let mut written = self.keys.iter().filter(|key| key.write).peekable();
        if !command.flags.contains(Flags::DENYOOM) || written.peek().is_none() {
            return None;
        }
        let bytes = match command.spread {
            Spread::All => {
                self.keys.iter().map(|key| request.get(key.index).len() + request.get(key.index + 1).len()).sum()
            }
            _ => request.data().len(),
        };
        let stored = |key: &PartKey| StoredKey { database: key.database, name: request.get(key.index).into() };
        Some(Room { bytes, keys: if counts_keys { written.map(stored).collect() } else { Vec::new() } })
    }

    pub(super) fn stored_keys<'a>(&'a self, request: Request<'a>) -> impl Iterator<Item = StoredKey> + 'a {
        self.keys.iter().map(move |key| StoredKey { database: key.database, name: request.get(key.index).into() })
    }
}

/// How a command over several cores is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    /// Parts by key, or the whole of it on every core.
    Split,
    /// On copies of its keys.
    Assembled,
}

pub(super) fn manner(command: &Command) -> Manner {
    let is_whole = matches!(command.spread, Spread::One | Spread::Derived);
    if is_whole && !command.keys.is_empty() { Manner::Assembled } else { Manner::Split }
}

/// Whether every core has to do with it: it has no keys, or which keys it reads follows from values.
pub(in crate::engine) fn concerns_all(command: &Command, request: Request<'_>) -> bool {
    command.keys.is_empty() || derives_keys(command, request)
}

/// Whether which keys it reads follows from values.
pub(super) fn derives_keys(command: &Command, request: Request<'_>) -> bool {
    command.spread == Spread::Derived && sort::reads_by_pattern(command.id, request)
}

/// The request that one core gets of a split command: the name, then each of its keys with what stands behind it (the
/// value of MSET). The whole of it if the command has no keys.
pub(super) fn part_request(command: &Command, request: Request<'_>, part: &Part) -> OwnedRequest {
    if command.keys.is_empty() {
        return OwnedRequest::new(request.iter());
    }
    let per_key = if command.spread == Spread::All { 2 } else { 1 };
    let arguments = part.keys.iter().flat_map(|key| (key.index..key.index + per_key).map(|at| request.get(at)));
    OwnedRequest::new(std::iter::once(request.get(0)).chain(arguments))
}

/// Joins the replies of the parts of a split command.
pub(super) fn join(command: &Command, request: Request<'_>, parts: &[Part], reply: &mut Reply<'_>) {
    let flat = |part: &Part| part.reply.bytes.pieces(0).next().map_or_else(Vec::new, <[u8]>::to_vec);
    if command.spread == Spread::PerKey {
        return join_by_key(request, parts, reply);
    }
    if let Some(error) = parts.iter().map(flat).find(|text| text.first() == Some(&b'-')) {
        return reply.raw(&error);
    }
    match command.spread {
        Spread::Sum => reply.integer(parts.iter().filter_map(|part| integer(&flat(part))).sum()),
        _ => reply.raw(&parts.first().map(flat).unwrap_or_default()),
    }
}

/// Puts the replies of single keys back into the order of the arguments.
fn join_by_key(request: Request<'_>, parts: &[Part], reply: &mut Reply<'_>) {
    reply.array(request.len() - 1);
    let mut by_index: Vec<(usize, &PartReply, usize)> = Vec::with_capacity(request.len() - 1);
    for part in parts {
        by_index.extend(part.keys.iter().enumerate().map(|(at, key)| (key.index, &part.reply, at)));
    }
    by_index.sort_unstable_by_key(|(index, ..)| *index);
    for (_, part, at) in by_index {
        let start = at.checked_sub(1).map_or(0, |before| part.ends[before]);
        reply.raw_range(&part.bytes, start, part.ends[at] - start);
    }
}

/// The number of an integer reply.
fn integer(reply: &[u8]) -> Option<i64> {
    let digits = reply.strip_prefix(b":")?.strip_suffix(b"\r\n")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

//! The parts of a command over several cores: what each core has to do with it, and how the replies of parts are joined.

use super::super::mail::{OwnedRequest, PartReply, StoredKey, Wanted};
use super::super::room::Room;
use crate::base::CoreId;
use crate::command::{Command, Flags, KeyFlags, Spread};
use crate::exec::sort;
use crate::keyspace::{Entry, Purpose};
use crate::resp::{Reply, Request};
use crate::txn::{Intents, Key};

/// What one core has to do with it.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) core: CoreId,
    /// Its keys.
    pub(super) keys: Vec<PartKey>,
    pub(super) reply: PartReply,
    /// If the command is assembled, what is wanted of its keys and then of those that follow from values, and the entries
    /// as far as they have come.
    pub(super) wanted: Vec<Wanted>,
    pub(super) entries: Vec<Option<Entry>>,
}

/// One key of a part.
#[derive(Clone, Copy, Debug)]
pub(super) struct PartKey {
    /// Which argument of the request it is.
    pub(super) index: usize,
    pub(super) database: u16,
    pub(super) purpose: Purpose,
}

/// What a command does to a key whose specification says this.
pub(super) fn purpose(flags: KeyFlags) -> Purpose {
    match flags {
        flags if flags.contains(KeyFlags::RO) => Purpose::Read,
        flags if flags.contains(KeyFlags::OW) => Purpose::Overwrite,
        _ => Purpose::Change,
    }
}

impl Part {
    pub(super) fn intents(&self, command: &Command, request: Request<'_>) -> Intents {
        if concerns_all(command, request) {
            return Intents::Shard;
        }
        // Sorted to find what is named twice: a request may have a million keys.
        let mut keys: Vec<(&[u8], bool)> =
            self.keys.iter().map(|key| (request.get(key.index), key.purpose.writes())).collect();
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
        let mut written = self.keys.iter().filter(|key| key.purpose.writes()).peekable();
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

    /// What is wanted of each of its keys, by name.
    pub(super) fn wants(&self, command: &Command, request: Request<'_>) -> Vec<Wanted> {
        let follows = derives_keys(command, request);
        let wanted = |key: &PartKey| {
            // What is overwritten may be one of those that follow, and be read.
            let purpose = if follows && key.purpose.writes() { Purpose::Change } else { key.purpose };
            Wanted { key: StoredKey { database: key.database, name: request.get(key.index).into() }, purpose }
        };
        let mut wanted: Vec<Wanted> = self.keys.iter().map(wanted).collect();
        wanted.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        wanted.dedup_by(|later, kept| {
            let same = later.key == kept.key;
            if same {
                kept.purpose = kept.purpose.with(later.purpose);
            }
            same
        });
        wanted
    }

    /// Where one of its keys stands in what it [`Part::wants`].
    pub(super) fn place_of(&self, key: &StoredKey) -> Option<usize> {
        self.wanted.binary_search_by(|wanted| wanted.key.cmp(key)).ok()
    }
}

/// How a command over several cores is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    /// Parts by key, or the whole of it on every core.
    Split,
    /// On a shard that holds its keys alone.
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

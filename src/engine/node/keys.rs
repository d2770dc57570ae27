//! Questions about all keys: DBSIZE, RANDOMKEY, KEYS, SCAN.

use super::{Ask, Gathered, Handled, Told};
use crate::base::CoreId;
use crate::command::Args;
use crate::engine::Engine;
use crate::engine::mail::{Handle, Rare};
use crate::engine::requests::Flow;
use crate::exec::node::{RandomKey, database_size};
use crate::exec::scan::{self, KeyList, KeysScan, ScanCursor};
use crate::keyspace::ScanPosition;
use crate::limits::{SCAN_VISITS_MAX, SLICE_ENTRIES};
use crate::session::Session;

/// A SCAN's arguments, on their way to the core whose turn it is.
#[derive(Clone, Debug)]
pub(in crate::engine) struct ScanAsk {
    database: usize,
    position: ScanPosition,
    /// Visits that are left.
    count: usize,
    pattern: Option<Box<[u8]>>,
    type_name: Option<Box<[u8]>>,
    /// There is more behind `position`.
    more: bool,
}

impl ScanAsk {
    /// Whether the client is to come back for more.
    pub(super) fn goes_on(&self) -> bool {
        self.more
    }
}

/// A KEYS for one core that is under way.
#[derive(Debug)]
pub(in crate::engine) struct KeysWalk {
    from: CoreId,
    handle: Handle,
    scan: KeysScan,
}

impl KeysWalk {
    pub(super) fn new(from: CoreId, handle: Handle, database: usize, pattern: &[u8]) -> Self {
        Self { from, handle, scan: KeysScan::new(database, pattern) }
    }
}

/// Notes what a core has found, and returns the core that goes on, if any does.
pub(super) fn scan_further(
    cursor: &mut ScanCursor,
    ask: &mut ScanAsk,
    next: Option<ScanPosition>,
    left: usize,
    cores: usize,
) -> Option<CoreId> {
    let on = cursor.advance(next, cores);
    ask.more = on.is_some();
    *cursor = on?;
    ask.count = left;
    ask.position = cursor.position;
    (left > 0).then_some(cursor.core)
}

impl Engine {
    pub(super) fn scan(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let options = scan::parse(args)?;
        let Some(cursor) = ScanCursor::unpack(options.cursor, self.topology.cores()) else {
            return Ok(self.answer(session, |_, reply| scan::answer(None, &KeyList::default(), reply)));
        };
        let ask = Box::new(ScanAsk {
            database: usize::from(session.database),
            position: cursor.position,
            count: options.count.min(SCAN_VISITS_MAX),
            pattern: options.pattern.map(Into::into),
            type_name: options.type_name.map(Into::into),
            more: true,
        });
        let gathered = Gathered::Scan { cursor, ask: ask.clone(), found: KeyList::default() };
        let handle = self.question(session, 1, gathered);
        self.write(cursor.core, Rare::Ask { handle, ask: Ask::Scan(ask) });
        Ok(Flow::Next)
    }

    pub(super) fn size(&self, database: usize) -> Told {
        Told::Count(self.shard.as_ref().map_or(0, |shard| database_size(shard, database)))
    }

    pub(super) fn draw_key(&mut self, database: usize) -> Told {
        let Some(shard) = &self.shard else { return Told::RandomKey(RandomKey::default()) };
        Told::RandomKey(RandomKey::draw(shard, database, self.now, &mut self.rng))
    }

    pub(super) fn scan_on(&self, ask: &ScanAsk) -> Told {
        let (mut found, mut left) = (KeyList::default(), ask.count);
        let options = scan::ScanOptions {
            cursor: 0,
            count: ask.count,
            pattern: ask.pattern.as_deref(),
            type_name: ask.type_name.as_deref(),
            names_only: false,
        };
        let next = self
            .shard
            .as_ref()
            .and_then(|shard| scan::part(shard, ask.database, self.now, ask.position, &options, &mut left, &mut found));
        Told::Scan { found, next, left }
    }

    /// True when it is finished.
    pub(super) fn walk_keys(&mut self, walk: &mut KeysWalk) -> bool {
        let Some(shard) = &self.shard else { return false };
        let finished = walk.scan.step(shard, self.now, SLICE_ENTRIES);
        if finished {
            let empty = KeysScan::new(0, b"");
            let found = std::mem::replace(&mut walk.scan, empty).into_found();
            self.write(walk.from, Rare::Told { handle: walk.handle, told: Told::Keys(found) });
        }
        finished
    }
}

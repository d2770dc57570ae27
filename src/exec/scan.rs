//! One shard's part of the commands that walk all keys of the node: SCAN and KEYS.
//!
//! Whoever gathers the parts asks one core after the other. The cursor that the client holds in between names the core
//! and the position within its keys, and stays below 2^53, because JavaScript clients read it as a double.
//!
//! ```text
//!   bit 63    46  45 .. 40  39 .................. 0
//!       0 .....0 |  core   |  position: hash prefix |       0 begins at the first core, and as an answer means the end
//! ```
//!
//! A part is bounded: SCAN ends after COUNT entries, KEYS goes on in slices between which the core serves others. Keys
//! that are there from beginning to end are found once; keys that come or go meanwhile may or may not be.
//!
//! What was found is kept as encoded bulk strings, which are the same in both protocols: a part is mailed and joined by
//! moving bytes.

use crate::base::{CoreId, Now, glob_matches};
use crate::command::Args;
use crate::keyspace::{Entry, ScanPosition, Shard};
use crate::limits::CORES_MAX;
use crate::resp::{Reply, ReplyError};

/// Bits of the cursor that hold the position.
const POSITION_BITS: u32 = 40;
/// COUNT of a SCAN that does not say.
const COUNT_DEFAULT: usize = 10;

const _: () = assert!(POSITION_BITS + CORES_MAX.ilog2() < 53, "cursors are exact as doubles");

/// Where a walk over the keys of the node stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ScanCursor {
    /// The core to ask next.
    pub core: CoreId,
    /// Where to go on among its keys.
    pub position: ScanPosition,
}

impl ScanCursor {
    /// The cursor as the client sees it.
    pub fn pack(self) -> u64 {
        u64::from(self.core.0) << POSITION_BITS | self.position.0
    }

    /// The cursor that a client sent; `None` if it points behind the last of `cores`: such a walk is at its end.
    pub fn unpack(cursor: u64, cores: usize) -> Option<Self> {
        let core = u16::try_from(cursor >> POSITION_BITS).ok().map(CoreId).filter(|core| core.index() < cores)?;
        Some(Self { core, position: ScanPosition(cursor & ((1 << POSITION_BITS) - 1)) })
    }

    /// Where the walk goes on when this core's part ended with `next`: there, at the beginning of the next core, or
    /// nowhere.
    pub fn advance(self, next: Option<ScanPosition>, cores: usize) -> Option<Self> {
        match next {
            Some(position) => Some(Self { position, ..self }),
            None => {
                let core = CoreId(self.core.0 + 1);
                (core.index() < cores).then_some(Self { core, position: ScanPosition::default() })
            }
        }
    }
}

/// What a SCAN looks for.
#[derive(Clone, Copy, Debug)]
pub struct ScanOptions<'a> {
    /// The cursor as the client sent it.
    pub cursor: u64,
    /// How many entries to visit (COUNT).
    pub count: usize,
    /// Only keys that match (MATCH).
    pub pattern: Option<&'a [u8]>,
    /// Only values of this type, in any case (TYPE). An unknown type finds nothing.
    pub type_name: Option<&'a [u8]>,
}

impl ScanOptions<'_> {
    fn select(&self, entry: &Entry) -> bool {
        self.type_name.is_none_or(|name| name.eq_ignore_ascii_case(entry.value().type_name().as_bytes()))
            && self.pattern.is_none_or(|pattern| matches(pattern, entry.key()))
    }
}

/// Reads the arguments of `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`.
pub fn parse<'a>(args: &mut Args<'a>) -> Result<ScanOptions<'a>, ReplyError> {
    let mut options = ScanOptions { cursor: args.cursor()?, count: COUNT_DEFAULT, pattern: None, type_name: None };
    while !args.is_empty() {
        let option = args.keyword_of(&["match", "count", "type"]);
        if args.is_empty() {
            return Err(ReplyError::Syntax);
        }
        match option {
            Some(0) => options.pattern = Some(args.next()?),
            Some(1) => {
                let count = usize::try_from(args.int()?).map_err(|_| ReplyError::Syntax)?;
                options.count = if count == 0 { return Err(ReplyError::Syntax) } else { count };
            }
            Some(_) => options.type_name = Some(args.next()?),
            None => return Err(ReplyError::Syntax),
        }
    }
    Ok(options)
}

/// Visits up to `budget` entries of a shard from `position` on, and adds those that `options` select to `found`. Returns
/// where to go on, with nothing left of `budget`; or `None` at the end of the shard, with what is left for the next one.
pub fn part(
    shard: &Shard,
    database: usize,
    now: Now,
    position: ScanPosition,
    options: &ScanOptions<'_>,
    budget: &mut usize,
    found: &mut KeyList,
) -> Option<ScanPosition> {
    let mut visited = 0;
    let next = shard.databases().get(database)?.scan(position, *budget, now.unix_ms(), |entry| {
        visited += 1;
        if options.select(entry) {
            found.push(entry.key());
        }
    });
    *budget = if next.is_some() { 0 } else { budget.saturating_sub(visited) };
    next
}

/// Answers a SCAN: where the walk stands, and what was found on the way.
pub fn answer(cursor: Option<ScanCursor>, found: &KeyList, reply: &mut Reply<'_>) {
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(cursor.map_or(0, ScanCursor::pack)).as_bytes());
    found.answer(reply);
}

/// One shard's part of `KEYS pattern`, under way.
#[derive(Debug)]
pub struct KeysScan {
    database: usize,
    pattern: Box<[u8]>,
    /// Where to go on; `None` at the end.
    position: Option<ScanPosition>,
    found: KeyList,
}

impl KeysScan {
    /// A walk over the keys of `database` that match `pattern`.
    pub fn new(database: usize, pattern: &[u8]) -> Self {
        let position = Some(ScanPosition::default());
        Self { database, pattern: pattern.into(), position, found: KeyList::default() }
    }

    /// Visits about `budget` entries more. True when the walk is at its end.
    pub fn step(&mut self, shard: &Shard, now: Now, budget: usize) -> bool {
        let (Some(from), Some(database)) = (self.position, shard.databases().get(self.database)) else { return true };
        self.position = database.scan(from, budget, now.unix_ms(), |entry| {
            if matches(&self.pattern, entry.key()) {
                self.found.push(entry.key());
            }
        });
        self.position.is_none()
    }

    /// What was found.
    pub fn into_found(self) -> KeyList {
        self.found
    }
}

/// Redis asks for no match where the pattern is a lone star; its matcher would leave the empty key out.
#[inline]
fn matches(pattern: &[u8], key: &[u8]) -> bool {
    pattern == b"*" || glob_matches(pattern, key)
}

/// Keys in the form in which they are answered: bulk strings, one after the other.
#[derive(Clone, Debug, Default)]
pub struct KeyList {
    encoded: Vec<u8>,
    len: usize,
}

impl KeyList {
    /// How many keys.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds the keys of another part.
    pub fn append(&mut self, other: &KeyList) {
        self.encoded.extend_from_slice(&other.encoded);
        self.len += other.len;
    }

    /// Answers the keys as an array.
    pub fn answer(&self, reply: &mut Reply<'_>) {
        reply.array(self.len);
        reply.raw(&self.encoded);
    }

    fn push(&mut self, key: &[u8]) {
        self.encoded.push(b'$');
        self.encoded.extend_from_slice(itoa::Buffer::new().format(key.len()).as_bytes());
        self.encoded.extend_from_slice(b"\r\n");
        self.encoded.extend_from_slice(key);
        self.encoded.extend_from_slice(b"\r\n");
        self.len += 1;
    }
}

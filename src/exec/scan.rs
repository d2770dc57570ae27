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

use crate::base::{CoreId, Now, SlotId, glob_matches};
use crate::command::Args;
use crate::keyspace::{EntryRef, ScanPosition, Shard};
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
    /// Without the values that belong to the names (NOVALUES), which only hashes have.
    pub names_only: bool,
}

impl ScanOptions<'_> {
    fn select(&self, entry: EntryRef<'_>) -> bool {
        self.type_name.is_none_or(|name| name.eq_ignore_ascii_case(entry.value().type_name().as_bytes()))
            && self.selects(entry.key())
    }

    /// Whether a key, or an element of a collection, is one that is looked for by its name.
    pub(super) fn selects(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| matches(pattern, name))
    }
}

/// Reads the arguments of `SCAN cursor [MATCH pattern] [COUNT count] [TYPE type]`.
pub fn parse<'a>(args: &mut Args<'a>) -> Result<ScanOptions<'a>, ReplyError> {
    let cursor = args.cursor()?;
    let options = parse_options(cursor, args, true)?;
    if options.names_only { Err(ReplyError::Syntax) } else { Ok(options) }
}

/// Reads the options behind a cursor; `has_types`: TYPE is one of them.
pub(super) fn parse_options<'a>(
    cursor: u64,
    args: &mut Args<'a>,
    has_types: bool,
) -> Result<ScanOptions<'a>, ReplyError> {
    let mut options = ScanOptions { cursor, count: COUNT_DEFAULT, pattern: None, type_name: None, names_only: false };
    while !args.is_empty() {
        if args.keyword("novalues") {
            options.names_only = true;
            continue;
        }
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
            Some(_) if has_types => options.type_name = Some(args.next()?),
            _ => return Err(ReplyError::Syntax),
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

/// Answers a SSCAN, HSCAN or ZSCAN.
pub(super) fn answer_elements(cursor: u64, found: &KeyList, reply: &mut Reply<'_>) {
    reply.array(2);
    reply.bulk(itoa::Buffer::new().format(cursor).as_bytes());
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

    /// Adds a key.
    pub fn push(&mut self, key: &[u8]) {
        self.encoded.push(b'$');
        self.encoded.extend_from_slice(itoa::Buffer::new().format(key.len()).as_bytes());
        self.encoded.extend_from_slice(b"\r\n");
        self.encoded.extend_from_slice(key);
        self.encoded.extend_from_slice(b"\r\n");
        self.len += 1;
    }
}

/// Keys of a slot that are there, at most `count` of them.
pub fn slot_keys(shard: &Shard, database: usize, slot: SlotId, count: usize, now: Now) -> KeyList {
    let mut found = KeyList::default();
    if let Some(database) = shard.databases().get(database).filter(|_| count > 0) {
        database.slot_keys(slot, now.unix_ms(), |key| {
            found.push(key);
            found.len < count
        });
    }
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::{KeyHasher, Rng};
    use crate::exec::testing::{Bench, START_MS, show, with_args};
    use crate::keyspace::{Deadline, Limits};
    use crate::resp::{Output, Protocol};

    const NOW: Now = Now { unix_us: START_MS * 1000, mono_us: 0 };

    fn answered(write: impl FnOnce(&mut Reply<'_>)) -> String {
        let mut output = Output::new();
        write(&mut Reply::new(&mut output, Protocol::Resp3));
        show(&output.pieces(0).collect::<Vec<_>>().concat())
    }

    fn keys(list: &KeyList) -> Vec<String> {
        let mut fields = std::str::from_utf8(&list.encoded).expect("ASCII keys").split("\r\n");
        let mut keys = Vec::new();
        while let (Some(_), Some(key)) = (fields.next(), fields.next()) {
            keys.push(key.to_owned());
        }
        assert_eq!(keys.len(), list.len());
        keys
    }

    /// A whole SCAN over several shards as the node gathers it.
    fn scan(shards: &[Shard], text: &str) -> (u64, Vec<String>) {
        with_args(text, |args| {
            let options = parse(args).expect("correct options");
            let (mut left, mut found) = (options.count, KeyList::default());
            let mut cursor = ScanCursor::unpack(options.cursor, shards.len());
            while let Some(at) = cursor
                && left > 0
            {
                let next = part(&shards[at.core.index()], 0, NOW, at.position, &options, &mut left, &mut found);
                cursor = at.advance(next, shards.len());
            }
            (cursor.map_or(0, ScanCursor::pack), keys(&found))
        })
    }

    fn shards(cores: usize, keys: usize) -> Vec<Shard> {
        let hasher = KeyHasher::new(5);
        let mut shards: Vec<Shard> = (0..cores).map(|_| Shard::new(2, hasher.clone(), &Limits::none(1))).collect();
        for key in 0..keys {
            shards[key % cores].keys(0, NOW).set_string(format!("key:{key}").as_bytes(), b"v", None);
        }
        shards
    }

    #[test]
    fn cursors_survive_packing_and_are_exact_as_doubles() {
        let last = ScanPosition((1 << POSITION_BITS) - 1);
        for core in [0, 1, CORES_MAX as u16 - 1] {
            for position in [ScanPosition(0), ScanPosition(1), last] {
                let cursor = ScanCursor { core: CoreId(core), position };
                assert_eq!(ScanCursor::unpack(cursor.pack(), CORES_MAX), Some(cursor));
                assert!(cursor.pack() < 1 << 53);
                assert_eq!(cursor.pack() == 0, cursor == ScanCursor::default());
            }
        }
        for beyond in [1 << POSITION_BITS, u64::from(u16::MAX) << POSITION_BITS, 1 << 56, u64::MAX] {
            assert_eq!(ScanCursor::unpack(beyond, 1), None);
        }
    }

    #[test]
    fn a_cursor_goes_from_core_to_core() {
        let cursor = ScanCursor { core: CoreId(1), position: ScanPosition(7) };
        let further = cursor.advance(Some(ScanPosition(9)), 3);
        assert_eq!(further, Some(ScanCursor { core: CoreId(1), position: ScanPosition(9) }));
        assert_eq!(cursor.advance(None, 3), Some(ScanCursor { core: CoreId(2), position: ScanPosition(0) }));
        assert_eq!(cursor.advance(None, 2), None);
    }

    #[test]
    fn options_and_mistakes_are_those_of_redis() {
        let error = |text: &str| with_args(text, |args| parse(args).err());
        assert_eq!(error("SCAN abc COUNT 0"), Some(ReplyError::InvalidCursor));
        assert_eq!(error("SCAN 0 COUNT 0"), Some(ReplyError::Syntax));
        assert_eq!(error("SCAN 0 COUNT -5"), Some(ReplyError::Syntax));
        assert_eq!(error("SCAN 0 COUNT x"), Some(ReplyError::NotInteger));
        for short in ["SCAN 0 COUNT", "SCAN 0 MATCH", "SCAN 0 TYPE", "SCAN 0 FOO", "SCAN 0 FOO bar"] {
            assert_eq!(error(short), Some(ReplyError::Syntax), "{short}");
        }
        assert_eq!(error("SCAN -1 count 9223372036854775807 match * match a TYPE nope"), None);
    }

    #[test]
    fn a_walk_finds_every_key_once() {
        for (cores, count) in [(1, 1), (1, 10), (3, 7), (3, 1000), (5, 100)] {
            let shards = shards(cores, 2000);
            let (mut seen, mut cursor) = (BTreeSet::new(), 0);
            loop {
                let (next, found) = scan(&shards, &format!("SCAN {cursor} COUNT {count}"));
                assert!(found.len() <= count);
                for key in found {
                    assert!(seen.insert(key));
                }
                if next == 0 {
                    break;
                }
                assert!(next > cursor);
                cursor = next;
            }
            assert_eq!(seen.len(), 2000);
        }
    }

    #[test]
    fn a_few_keys_on_several_cores_take_one_call() {
        let (cursor, found) = scan(&shards(4, 9), "SCAN 0");
        assert_eq!((cursor, found.len()), (0, 9));
        assert_eq!(scan(&shards(4, 9), "SCAN 99999999999999"), (0, vec![]));
        assert_eq!(scan(&shards(4, 9), "SCAN -1"), (0, vec![]));
    }

    #[test]
    fn keys_are_selected_by_name_and_type() {
        let shards = shards(2, 100);
        let found = |text: &str| {
            let mut keys = scan(&shards, text).1;
            keys.sort_unstable();
            keys
        };
        assert_eq!(found("SCAN 0 COUNT 1000 MATCH key:1[23]"), ["key:12", "key:13"]);
        assert_eq!(found("SCAN 0 COUNT 1000 MATCH nope MATCH key:7"), ["key:7"]);
        assert_eq!(found("SCAN 0 COUNT 1000 TYPE String").len(), 100);
        assert_eq!(found("SCAN 0 COUNT 1000 TYPE hash").len(), 0);
        assert_eq!(found("SCAN 0 COUNT 1000 TYPE nonsense").len(), 0);
    }

    #[test]
    fn what_is_due_is_not_found() {
        let mut shards = shards(1, 2);
        shards[0].keys(0, NOW).set_deadline(b"key:0", Deadline::at(START_MS - 1));
        assert_eq!(scan(&shards, "SCAN 0").1, ["key:1"]);
        let mut walk = KeysScan::new(0, b"*");
        assert!(walk.step(&shards[0], NOW, 10));
        assert_eq!(keys(&walk.into_found()), ["key:1"]);
    }

    #[test]
    fn an_emptied_table_costs_no_more_than_a_full_one() {
        let mut shards = shards(1, 20_000);
        for key in 0..20_000 {
            shards[0].keys(0, NOW).delete(format!("key:{key}").as_bytes());
        }
        let (mut calls, mut cursor) = (0, 0);
        loop {
            cursor = scan(&shards, &format!("SCAN {cursor}")).0;
            calls += 1;
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(calls, 1, "its blocks have united");
    }

    #[test]
    fn keys_come_in_slices_while_the_shard_changes() {
        let mut bench = Bench::new();
        let mut rng = Rng::with_seed(3);
        for key in 0..3000 {
            bench.check(&format!("SET stay:{key} v"), "+OK");
        }
        let mut walk = KeysScan::new(0, b"stay:*");
        let mut slices = 1;
        while !walk.step(&bench.shard, bench.now(), 100) {
            slices += 1;
            for _ in 0..50 {
                let key = rng.u32(..500);
                bench.check(&format!("SET come:{key} v"), "+OK");
                bench.run_text(&format!("DEL come:{}", rng.u32(..500)));
            }
        }
        assert!((30..60).contains(&slices), "{slices}");
        let found: BTreeSet<String> = keys(&walk.into_found()).into_iter().collect();
        assert_eq!(found.len(), 3000);
    }

    #[test]
    fn a_lone_star_finds_the_empty_key_too() {
        let mut bench = Bench::new();
        bench.check("SET \"\" v", "+OK");
        for (pattern, found) in [(&b"*"[..], 1), (b"", 1), (b"**", 0)] {
            let mut walk = KeysScan::new(0, pattern);
            assert!(walk.step(&bench.shard, NOW, 10));
            assert_eq!(walk.into_found().len(), found);
        }
    }

    #[test]
    fn parts_are_joined_and_answered() {
        let shards = shards(2, 2);
        let mut all = KeyList::default();
        assert!(all.is_empty());
        for shard in &shards {
            let mut walk = KeysScan::new(0, b"*");
            assert!(walk.step(shard, NOW, 10));
            all.append(&walk.into_found());
        }
        assert_eq!(answered(|reply| all.answer(reply)), "*2 $5 key:0 $5 key:1");
        let at = ScanCursor { core: CoreId(1), position: ScanPosition(2) };
        assert_eq!(answered(|reply| answer(Some(at), &all, reply)), "*2 $13 1099511627778 *2 $5 key:0 $5 key:1");
        assert_eq!(answered(|reply| answer(None, &KeyList::default(), reply)), "*2 $1 0 *0");
    }
}

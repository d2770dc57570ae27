//! The directory: from a position to its block, as a shallow tree of small tables.
//!
//! ```text
//! position   [ 0 to 14 bits ][ 1 to 8 bits ][ 1 to 8 bits ] ...
//!                root             node           node
//!
//! root  [ b0 | b0 | n1 | b2 ]      n1  0 NODE                           4 first position of its range (u64)
//!           |         |                1 bits: how many it looks at    12 places, four bytes each
//!         block      node              2 first bit that it looks at
//! ```
//!
//! A block of depth k has all positions that share its first k bits, hence several neighbouring places of a table that
//! looks further. What splits is one block; if it fills its table's last bit, that table alone is doubled, at most to 1
//! KiB (the root to 64 KiB): beyond that, a place becomes a node. One directory as in plain extendible hashing (Fagin,
//! Nievergelt, Pippenger, Strong, ACM TODS 1979) would double as a whole, and a slot with more keys than the others (hash
//! tags) would double it many times.

use super::arena::{Arena, CellRef};
use super::position::SLOT_BITS;

/// Bits that the root may look at: all slots.
const ROOT_BITS_MAX: u32 = SLOT_BITS;
/// Bits that a node may look at.
const NODE_BITS_MAX: u32 = 8;
/// Marks the place that leads to a node.
const IS_NODE: u32 = 1 << 31;
/// First byte of a node, which tells it from a block and from a free cell.
const NODE: u8 = 2;
const PLACES: usize = HEADER_BYTES;
/// Bytes of a node in front of its places.
pub(super) const HEADER_BYTES: usize = 12;

/// The tree's root; nodes lie in the arena of the blocks.
#[derive(Debug)]
pub(super) struct Directory {
    root: Vec<u32>,
    bits: u32,
}

/// A table on the way to a block.
#[derive(Clone, Copy)]
enum Level {
    Root,
    Node(CellRef),
}

/// The table that leads to a block, and the one above it with the place that leads to that table.
struct Path {
    level: Level,
    /// First bit that the table looks at, and how many.
    base: u32,
    bits: u32,
    above: Option<(Level, usize)>,
}

impl Directory {
    /// A directory that leads nowhere yet.
    pub(super) const fn empty() -> Self {
        Self { root: Vec::new(), bits: 0 }
    }

    /// A directory that leads everything to one block.
    pub(super) fn new(block: CellRef) -> Self {
        Self { root: vec![place_of(block, false)], bits: 0 }
    }

    /// Whether it leads nowhere.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// The block that a position belongs to.
    #[inline]
    pub(super) fn block(&self, position: u64, arena: &Arena) -> CellRef {
        // A shift by 64 is what no bits would need; two shifts avoid the special case.
        let mut place = self.root[(position >> 1 >> (63 - self.bits)) as usize];
        let mut base = self.bits;
        while place & IS_NODE != 0 {
            let node = arena.from(target(place));
            let bits = u32::from(node[1]);
            place = read_place(node, index_in(position, base, bits));
            base += bits;
        }
        target(place)
    }

    /// Bytes of the root.
    pub(super) fn root_bytes(&self) -> usize {
        self.root.capacity() * size_of::<u32>()
    }

    /// Leads all positions that share the first `depth` bits of `position` to `block`. The tables above look so far.
    pub(super) fn lead(&mut self, position: u64, depth: u32, block: CellRef, arena: &mut Arena) {
        let path = self.path(position, depth, arena);
        self.fill(&path, position, depth, place_of(block, false), arena);
    }

    /// Makes room for blocks one bit deeper than the one of `depth` that `position` leads to.
    pub(super) fn deepen(&mut self, position: u64, depth: u32, arena: &mut Arena) {
        let path = self.path(position, depth, arena);
        if depth < path.base + path.bits {
            return;
        }
        match path.level {
            Level::Root if self.bits < ROOT_BITS_MAX => {
                self.root = self.root.iter().flat_map(|&place| [place, place]).collect();
                self.bits += 1;
            }
            Level::Node(node) if path.bits < NODE_BITS_MAX => {
                let doubled = double(node, arena);
                if let Some((level, at)) = path.above {
                    self.set(level, at, place_of(doubled, true), arena);
                }
            }
            level => {
                let at = index_in(position, path.base, path.bits);
                let block = self.place(level, at, arena);
                let node = new_node(1, depth, position, arena);
                let places = arena.from_mut(node);
                write_place(places, 0, block);
                write_place(places, 1, block);
                self.set(level, at, place_of(node, true), arena);
            }
        }
    }

    /// Leads the range of `depth` at `position` to one `block`, where two blocks one bit deeper were, and gives up the
    /// node whose only block this is.
    pub(super) fn unite(&mut self, position: u64, depth: u32, block: CellRef, arena: &mut Arena) {
        let path = self.path(position, depth + 1, arena);
        match path {
            Path { level: Level::Node(node), base, above: Some((level, at)), .. } if base == depth => {
                self.set(level, at, place_of(block, false), arena);
                arena.free(node);
            }
            Path { level: Level::Root, .. } if depth == 0 => *self = Self::new(block),
            path => self.fill(&path, position, depth, place_of(block, false), arena),
        }
    }

    /// Follows a node that was moved: changes the place that leads to it.
    pub(super) fn node_moved(&mut self, bytes: &[u8], to: CellRef, arena: &mut Arena) {
        let (base, position) = (u32::from(bytes[2]), first_position(bytes));
        let path = self.path(position, base, arena);
        let at = index_in(position, path.base, path.bits);
        self.set(path.level, at, place_of(to, true), arena);
    }

    /// The table that leads to what has this depth at this position.
    fn path(&self, position: u64, depth: u32, arena: &Arena) -> Path {
        let mut path = Path { level: Level::Root, base: 0, bits: self.bits, above: None };
        while depth > path.base + path.bits {
            let at = index_in(position, path.base, path.bits);
            let place = self.place(path.level, at, arena);
            if place & IS_NODE == 0 {
                break;
            }
            let node = target(place);
            let above = Some((path.level, at));
            path = Path {
                level: Level::Node(node),
                base: path.base + path.bits,
                bits: u32::from(arena.from(node)[1]),
                above,
            };
        }
        path
    }

    fn fill(&mut self, path: &Path, position: u64, depth: u32, place: u32, arena: &mut Arena) {
        let count = 1usize << (path.base + path.bits - depth);
        let first = index_in(position, path.base, path.bits) & !(count - 1);
        for at in first..first + count {
            self.set(path.level, at, place, arena);
        }
    }

    fn place(&self, level: Level, at: usize, arena: &Arena) -> u32 {
        match level {
            Level::Root => self.root[at],
            Level::Node(node) => read_place(arena.from(node), at),
        }
    }

    fn set(&mut self, level: Level, at: usize, place: u32, arena: &mut Arena) {
        match level {
            Level::Root => self.root[at] = place,
            Level::Node(node) => write_place(arena.from_mut(node), at, place),
        }
    }
}

/// Whether the cell that begins here holds a node, not a block.
pub(super) fn is_node(bytes: &[u8]) -> bool {
    bytes[0] == NODE
}

/// The place of a table that looks at `bits` bits from bit `base` on.
#[inline]
fn index_in(position: u64, base: u32, bits: u32) -> usize {
    ((position << base) >> 1 >> (63 - bits)) as usize
}

fn place_of(cell: CellRef, node: bool) -> u32 {
    let bits = cell.to_bits();
    assert!(bits & IS_NODE == 0, "an index of more than 16 GiB");
    if node { bits | IS_NODE } else { bits }
}

#[inline]
fn target(place: u32) -> CellRef {
    CellRef::from_bits(place & !IS_NODE).expect("every place leads somewhere")
}

#[inline]
fn read_place(node: &[u8], at: usize) -> u32 {
    let start = PLACES + 4 * at;
    match node[start..].first_chunk() {
        Some(place) => u32::from_le_bytes(*place),
        None => 0,
    }
}

fn write_place(node: &mut [u8], at: usize, place: u32) {
    node[PLACES + 4 * at..][..4].copy_from_slice(&place.to_le_bytes());
}

fn first_position(node: &[u8]) -> u64 {
    node[4..].first_chunk().map_or(0, |position| u64::from_le_bytes(*position))
}

fn new_node(bits: u32, base: u32, position: u64, arena: &mut Arena) -> CellRef {
    let node = arena.allocate(PLACES + (4 << bits)).expect("the index is far smaller than its arena");
    let bytes = arena.from_mut(node);
    bytes[..4].copy_from_slice(&[NODE, bits as u8, base as u8, 0]);
    let first = position & !(u64::MAX >> base);
    bytes[4..PLACES].copy_from_slice(&first.to_le_bytes());
    node
}

/// A node that looks at one bit more and leads where the old one did, which is freed.
fn double(node: CellRef, arena: &mut Arena) -> CellRef {
    let old = arena.from(node);
    let (bits, base, position) = (u32::from(old[1]), u32::from(old[2]), first_position(old));
    let places: Vec<u32> = (0..1usize << bits).map(|at| read_place(old, at)).collect();
    let doubled = new_node(bits + 1, base, position, arena);
    let bytes = arena.from_mut(doubled);
    for (at, place) in places.iter().enumerate() {
        write_place(bytes, 2 * at, *place);
        write_place(bytes, 2 * at + 1, *place);
    }
    arena.free(node);
    doubled
}

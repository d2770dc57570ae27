//! The table alone, with positions that no hash function would give: all in one slot, in order, or agreeing in more bits
//! than a cursor carries.

use std::collections::BTreeMap;

use super::every_seed;
use crate::base::Rng;
use crate::keyspace::arena::CellRef;
use crate::keyspace::position::Position;
use crate::keyspace::table::{SCAN_BITS, ScanPosition, Table};

/// How positions are distributed.
#[derive(Clone, Copy, Debug)]
enum Spread {
    Uniform,
    /// The first so many bits are the same for all.
    Shared(u32),
    /// Two ranges far apart, each of which shares so many bits.
    Two(u32),
    /// One after the other, so far apart.
    Sequential(u32),
}

impl Spread {
    fn position(self, number: usize, rng: &mut Rng) -> Position {
        const PATTERN: u64 = 0xA5C3_F00D_1234_5678;
        let within = |pattern: u64, bits: u32, free: u64| pattern & !(u64::MAX >> bits) | free >> bits;
        let free = rng.u64(..);
        let bits = match self {
            Spread::Uniform => free,
            Spread::Shared(bits) => within(PATTERN, bits, free),
            Spread::Two(bits) => within(if rng.bool() { PATTERN } else { !PATTERN }, bits, free),
            Spread::Sequential(apart) => (number as u64) << apart,
        };
        Position { bits, tag: rng.u8(..) }
    }

    /// One that a table of so many entries can take: a block splits at most 60 times.
    fn any(rng: &mut Rng) -> Self {
        match rng.u8(..6) {
            0 => Spread::Uniform,
            1 => Spread::Shared(14),
            2 => Spread::Shared(rng.u32(1..44)),
            3 => Spread::Two(14),
            4 => Spread::Two(rng.u32(1..44)),
            _ => Spread::Sequential(rng.u32(12..44)),
        }
    }
}

/// A table, and what it holds: an entry is a number, its position is remembered.
struct Bench {
    table: Table,
    positions: Vec<Position>,
    live: BTreeMap<(u64, usize), ()>,
}

fn number_of(cell: CellRef) -> usize {
    cell.to_bits() as usize - 1
}

fn cell_of(number: usize) -> CellRef {
    CellRef::from_bits(number as u32 + 1).expect("not zero")
}

impl Bench {
    fn new() -> Self {
        Self { table: Table::new(), positions: Vec::new(), live: BTreeMap::new() }
    }

    fn insert(&mut self, spread: Spread, rng: &mut Rng) {
        let number = self.positions.len();
        let position = spread.position(number, rng);
        self.positions.push(position);
        let positions = &self.positions;
        self.table.insert(position, cell_of(number), |cell| positions[number_of(cell)], |_, _| ());
        self.live.insert((position.bits, number), ());
    }

    fn remove(&mut self, number: usize) {
        let position = self.positions[number];
        let place = self.table.find(position, cell_of(number)).expect("it is there");
        assert_eq!(self.table.remove(position.bits, place), cell_of(number));
        self.live.remove(&(position.bits, number));
    }

    /// The first live entry at or behind a random one's position.
    fn any(&self, rng: &mut Rng) -> Option<usize> {
        let position = self.positions.get(rng.usize(..self.positions.len().max(1)))?;
        let behind = self.live.range((position.bits, 0)..).next();
        behind.or_else(|| self.live.first_key_value()).map(|((_, number), ())| *number)
    }

    fn check(&self) {
        let (mut found, mut next, mut before) = (Vec::new(), Some(0), None);
        self.table.blocks(0, None, |start, home, block| {
            assert_eq!(Some(start), next, "blocks lie side by side");
            assert_eq!(u64::from(block.prefix()), start >> 32);
            assert_eq!(self.table.block_of(start), home);
            let size = 1u128 << (64 - block.depth());
            next = u64::try_from(u128::from(start) + size).ok();
            assert!(next.is_none_or(|next| self.table.block_of(next - 1) == home));
            for (at, cell) in block.entries().enumerate() {
                let position = self.positions[number_of(cell)];
                assert!(position.bits >= start && next.is_none_or(|next| position.bits < next));
                assert_eq!(position.tag, block.tag(at));
                found.push((position.bits, number_of(cell)));
            }
            if let Some((depth, len)) = before
                && depth == block.depth()
                && depth > 0
                && u128::from(start) & size != 0
            {
                assert!(len + block.len() > 28, "neighbours of {len} and {} entries stay apart", block.len());
            }
            before = Some((block.depth(), block.len()));
            true
        });
        assert_eq!(next, None, "blocks cover all positions");
        found.sort_unstable();
        assert!(found.iter().eq(self.live.keys()));
        assert_eq!(found.len(), self.table.len());
    }

    fn depth_max(&self) -> u32 {
        let mut depth_max = 0;
        self.table.blocks(0, None, |_, _, block| {
            depth_max = block.depth().max(depth_max);
            true
        });
        depth_max
    }
}

#[test]
fn blocks_cover_all_positions_whatever_comes_and_goes() {
    every_seed(40, |rng| {
        let (spread, mut bench) = (Spread::any(rng), Bench::new());
        for _ in 0..rng.usize(2..6) {
            // Grows for a while, or shrinks.
            let (inserts, steps) = (rng.u32(..=100), rng.usize(1..2500));
            for step in 0..steps {
                if rng.u32(..100) < inserts {
                    bench.insert(spread, rng);
                } else if let Some(number) = bench.any(rng) {
                    bench.remove(number);
                }
                if step % 500 == 0 && bench.table.used_bytes() > 0 {
                    bench.check();
                }
            }
            if bench.table.used_bytes() > 0 {
                bench.check();
            }
        }
    });
}

/// Two neighbours were united by the last removal, and the result could have been united with its own neighbour; with no
/// further removal there, empty blocks stayed for good.
#[test]
fn a_table_that_is_emptied_is_one_block_again() {
    every_seed(6, |rng| {
        let spread = Spread::any(rng);
        let mut bench = Bench::new();
        for _ in 0..2 {
            (0..rng.usize(1..20_000)).for_each(|_| bench.insert(spread, rng));
            bench.check();
            let in_order = rng.bool();
            while !bench.live.is_empty() {
                let number = if in_order {
                    bench.live.first_key_value().map(|((_, number), ())| *number)
                } else {
                    bench.any(rng)
                };
                bench.remove(number.expect("not empty"));
            }
            bench.check();
            assert_eq!(bench.depth_max(), 0, "{spread:?}");
            assert!(bench.table.used_bytes() <= 128, "{spread:?}: {} bytes", bench.table.used_bytes());
        }
    });
}

#[test]
fn memory_follows_what_is_there() {
    let mut rng = Rng::with_seed(1);
    for spread in [Spread::Uniform, Spread::Shared(14), Spread::Two(14), Spread::Sequential(40), Spread::Shared(38)] {
        let mut bench = Bench::new();
        (0..100_000).for_each(|_| bench.insert(spread, &mut rng));
        let full = bench.table.used_bytes();
        assert!(full < 100_000 * 8 + 66_000, "{spread:?}: {full} bytes for 100,000 entries");
        while bench.live.len() > 50 {
            let number = bench.any(&mut rng).expect("not empty");
            bench.remove(number);
        }
        while bench.table.compact(256) {}
        bench.check();
        // The root and the nodes stay as long as there is more than one block.
        let (used, held) = (bench.table.used_bytes(), bench.table.held_bytes());
        assert!(used < 96 * 1024, "{spread:?}: {used} bytes for 50 entries");
        assert!(held < 5 * 1024 * 1024, "{spread:?}: {held} bytes held for 50 entries");
    }
}

#[test]
fn deep_blocks_and_nested_nodes_move() {
    let mut rng = Rng::with_seed(2);
    // Below 35 shared bits every block shares its prefix of 32 bits with all others.
    let spread = Spread::Shared(35);
    let mut bench = Bench::new();
    (0..1_300_000).for_each(|_| bench.insert(spread, &mut rng));
    assert!(bench.depth_max() > 48);
    let held = bench.table.held_bytes();
    for number in 0..1_300_000 {
        if number % 16 != 0 {
            bench.remove(number);
        }
    }
    while bench.table.compact(256) {}
    bench.check();
    assert!(bench.table.held_bytes() < held * 2 / 3, "{} of {held} bytes are held", bench.table.held_bytes());
}

#[test]
fn a_scan_meets_what_stays_while_all_else_comes_and_goes() {
    every_seed(30, |rng| {
        let (spread, mut bench) = (Spread::any(rng), Bench::new());
        (0..rng.usize(1..4000)).for_each(|_| bench.insert(spread, rng));
        let stays = |number: usize| number.is_multiple_of(7);
        let throughout: Vec<usize> = (0..bench.positions.len()).filter(|number| stays(*number)).collect();
        let (mut position, mut met, mut calls) = (Some(ScanPosition::default()), Vec::new(), 0);
        let mut grows = rng.bool();
        while let Some(from) = position {
            assert!(from.0 < 1 << SCAN_BITS);
            let positions = &bench.positions;
            position = bench.table.scan(
                from,
                rng.usize(1..30),
                |cell| positions[number_of(cell)],
                |cell| met.push(number_of(cell)),
            );
            assert!(position.is_none_or(|next| next.0 > from.0), "a cursor goes forward");
            calls += 1;
            if rng.u8(..10) == 0 {
                grows = !grows;
            }
            for _ in 0..rng.usize(..if calls < 500 { 200 } else { 1 }) {
                if grows {
                    bench.insert(spread, rng);
                } else if let Some(number) = bench.any(rng).filter(|number| !stays(*number)) {
                    bench.remove(number);
                }
            }
        }
        met.sort_unstable();
        assert!(throughout.iter().all(|number| met.binary_search(number).is_ok()), "{spread:?}");
        bench.check();
    });
}

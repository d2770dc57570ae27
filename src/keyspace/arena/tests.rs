//! The arena against a model, over a day of drifting sizes, and at the end of its address space.

use std::collections::BTreeMap;

use super::chunks::slabs_of;
use super::slabs::{NO_CLASS, PAGE_BYTES, chunk_of};
use super::*;

const MIB: usize = 1024 * 1024;

/// What an owner knows of its cells: how many bytes it asked for, and what it wrote to all of them.
#[derive(Default)]
struct Owner {
    arena: Arena,
    cells: BTreeMap<CellRef, (usize, u8)>,
    moves: usize,
}

impl Owner {
    fn allocate(&mut self, bytes: usize, pattern: u8) {
        let cell = self.arena.allocate(bytes).expect("there is room");
        assert_eq!(self.arena.size(cell), Arena::cell_bytes(bytes), "{bytes} bytes");
        self.arena.from_mut(cell)[..bytes].fill(pattern);
        assert_eq!(self.cells.insert(cell, (bytes, pattern)), None, "{cell:?} was given out twice");
    }

    fn free(&mut self, cell: CellRef) {
        let (bytes, pattern) = self.cells.remove(&cell).expect("a live cell");
        let content = &self.arena.from(cell)[..bytes];
        assert!(content.iter().all(|byte| *byte == pattern), "{cell:?} of {bytes} bytes lost its content");
        self.arena.free(cell);
    }

    fn free_all(&mut self) {
        while let Some((&cell, _)) = self.cells.first_key_value() {
            self.free(cell);
        }
    }

    /// The cell at or after a random place.
    fn any_cell(&self, rng: &mut fastrand::Rng) -> Option<CellRef> {
        let (first, last) = (*self.cells.first_key_value()?.0, *self.cells.last_key_value()?.0);
        let from = CellRef::from_bits(rng.u32(first.to_bits()..=last.to_bits()))?;
        self.cells.range(from..).next().map(|(cell, _)| *cell)
    }

    fn evacuate(&mut self, cells: usize) -> bool {
        let Self { arena, cells: known, moves } = self;
        let before = *moves;
        let more = arena.evacuate(cells, |bytes, old, new| {
            let (len, pattern) = known.remove(&old).expect("only live cells move");
            assert_eq!(bytes.len(), Arena::cell_bytes(len));
            assert!(bytes[..len].iter().all(|byte| *byte == pattern), "{old:?} changed on its way to {new:?}");
            assert_eq!(known.insert(new, (len, pattern)), None, "{new:?} was live already");
            *moves += 1;
        });
        assert!(*moves - before <= cells, "a slice of {cells} cells moved {}", *moves - before);
        more
    }

    /// Compares every count with what it stands for.
    #[track_caller]
    fn check(&self) {
        let arena = &self.arena;
        let used: usize = self.cells.values().map(|(bytes, _)| Arena::cell_bytes(*bytes)).sum();
        assert_eq!(arena.used_bytes(), used);
        assert!(arena.held_bytes() >= used, "{} bytes held, {used} used", arena.held_bytes());
        let pages: usize = arena.slabs.iter().map(|slab| usize::from(slab.pages)).sum();
        assert_eq!(arena.held_bytes(), pages * PAGE_BYTES);
        assert!(arena.held_bytes() <= arena.mapped * CHUNK_BYTES);
        assert_eq!(arena.maps.iter().flatten().count(), arena.mapped);
        self.check_chunks();
        self.check_lists();
    }

    fn check_chunks(&self) {
        let arena = &self.arena;
        let mut free_slabs = 0;
        for (chunk, state) in arena.chunks.iter().enumerate() {
            let number = chunk as u32;
            let slabs = &arena.slabs[slabs_of(number)];
            let used = slabs.iter().filter(|slab| slab.class != NO_CLASS);
            let bytes: usize = used.map(|slab| usize::from(slab.live) * SHAPES[usize::from(slab.class)].bytes()).sum();
            assert_eq!(state.used_bytes as usize, bytes, "chunk {chunk}");
            let mapped = arena.maps[chunk].is_some();
            assert_eq!(mapped && state.used_bytes == 0, arena.spare == Some(number), "chunk {chunk}");
            if !arena.is_closed(number) {
                free_slabs += state.free_slabs.count_ones() as usize;
            }
            for (place, slab) in slabs.iter().enumerate() {
                assert_eq!(
                    mapped && slab.class == NO_CLASS,
                    state.free_slabs & 1 << place != 0,
                    "chunk {chunk}, {place}"
                );
                assert_eq!(slab.class == NO_CLASS, slab.live == 0, "chunk {chunk}, slab {place}");
            }
        }
        assert_eq!(arena.free_slabs, free_slabs);
    }

    fn check_lists(&self) {
        let arena = &self.arena;
        for (class, state) in arena.classes.iter().enumerate() {
            let own = |slab: &usize| usize::from(arena.slabs[*slab].class) == class;
            let cells: u32 = (0..arena.slabs.len())
                .filter(own)
                .map(|slab| u32::from(SHAPES[class].cells - arena.slabs[slab].live))
                .sum();
            assert_eq!(state.free_cells, cells, "class {class}");
            let open = |slab: &u32| arena.has_room(*slab) && !arena.is_closed(chunk_of(*slab));
            let mut expected: Vec<u32> =
                (0..arena.slabs.len()).filter(own).map(|slab| slab as u32).filter(open).collect();
            let mut listed = Vec::new();
            let mut slab = state.current;
            while slab != NO_SLAB {
                assert_eq!(arena.slabs[slab as usize].before, listed.last().copied().unwrap_or(NO_SLAB));
                listed.push(slab);
                slab = arena.slabs[slab as usize].after;
            }
            listed.sort_unstable();
            expected.sort_unstable();
            assert_eq!(listed, expected, "class {class}");
        }
    }
}

/// A request: mostly an entry of a cache, sometimes anything.
fn bytes_around(mean: usize, rng: &mut fastrand::Rng) -> usize {
    match rng.u32(0..100) {
        0 => rng.usize(1..=Arena::CELL_BYTES_MAX),
        1..10 => rng.usize(1..=2048),
        _ => rng.usize(mean / 2..=mean * 3 / 2),
    }
}

#[test]
fn an_arena_moves_between_threads() {
    fn check<T: Send>() {}
    check::<Arena>();
}

#[test]
fn classes_waste_seven_bytes_at_most_up_to_a_kibibyte_and_a_quarter_above() {
    assert_eq!(Arena::CELL_BYTES_MAX, 21840);
    assert_eq!(Arena::cell_bytes(0), 8);
    for bytes in 1..=Arena::CELL_BYTES_MAX {
        let cell = Arena::cell_bytes(bytes);
        assert!(cell >= bytes && cell.is_multiple_of(8));
        let class = class_for(bytes).expect("not above the largest");
        assert!(class == 0 || SHAPES[class - 1].bytes() < bytes, "{bytes} bytes fit a smaller class than {cell}");
        // One cell more in a slab would not hold the request; the rest is rounding to 8 bytes.
        let waste = if bytes <= 1024 { 7 } else { cell / (usize::from(SHAPES[class].cells) + 1) + 8 };
        assert!(cell - bytes <= waste, "{bytes} bytes in a cell of {cell}");
    }
    assert_eq!(Arena::cell_bytes(Arena::CELL_BYTES_MAX + 1), Arena::CELL_BYTES_MAX + 1);
    for (class, shape) in SHAPES.iter().enumerate() {
        assert_eq!(class_for(shape.bytes()), Some(class));
        assert!(SLAB_BYTES - shape.bytes() * usize::from(shape.cells) < shape.bytes());
        let end = SLAB_BYTES - shape.bytes() * usize::from(shape.cells);
        assert!(class < 128 || end < 8 * usize::from(shape.cells), "class {class} wastes {end} bytes of a slab");
    }
}

#[test]
fn a_cell_is_named_by_a_number_that_is_not_zero() {
    assert_eq!(CellRef::from_bits(0), None);
    let mut arena = Arena::new();
    let cell = arena.allocate(100).expect("there is room");
    assert_eq!(CellRef::from_bits(cell.to_bits()), Some(cell));
    assert_eq!(arena.from(cell).len(), CHUNK_BYTES, "the first cell starts its chunk");
    let next = arena.allocate(100).expect("there is room");
    assert_eq!(arena.from(next).len(), CHUNK_BYTES - 104);
}

#[test]
fn an_arena_holds_the_pages_it_has_reached() {
    let mut owner = Owner::default();
    assert_eq!((owner.arena.used_bytes(), owner.arena.held_bytes()), (0, 0));
    assert_eq!(owner.arena.allocate(Arena::CELL_BYTES_MAX + 1), None);
    owner.allocate(100, 1);
    assert_eq!((owner.arena.used_bytes(), owner.arena.held_bytes()), (104, 4096));
    for _ in 0..3 * SLAB_BYTES / 104 {
        owner.allocate(100, 1);
    }
    owner.check();
    assert!(owner.arena.held_bytes() - owner.arena.used_bytes() < 2 * 4096);
    owner.free_all();
    owner.check();
    assert!(owner.arena.held_bytes() <= 4 * SLAB_BYTES, "one empty chunk is kept with the pages it has reached");
}

#[test]
fn cells_keep_their_content_whatever_happens() {
    for seed in 0..12 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut owner = Owner::default();
        let mut mean = 60;
        // Sizes wander while the number of cells swings, so that there is always something sparse.
        for step in 0..30_000 {
            mean = (mean + rng.usize(0..3)).saturating_sub(1).clamp(20, 600);
            let growing = (step / 5000) % 2 == 0;
            match rng.u32(0..100) {
                0..2 => _ = owner.evacuate(rng.usize(0..200)),
                2..70 if growing => owner.allocate(bytes_around(mean, &mut rng), rng.u8(1..)),
                2..50 => owner.allocate(bytes_around(mean, &mut rng), rng.u8(1..)),
                _ => {
                    if let Some(cell) = owner.any_cell(&mut rng) {
                        owner.free(cell);
                    }
                }
            }
            if step % 1000 == 0 {
                owner.check();
            }
        }
        assert!(!owner.cells.is_empty(), "seed {seed}");
        owner.check();
        owner.free_all();
        owner.check();
        assert!(owner.arena.held_bytes() <= CHUNK_BYTES && owner.arena.mapped <= 1, "seed {seed}");
    }
}

#[test]
fn memory_comes_back_from_a_database_of_which_little_is_left() {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut owner = Owner::default();
    for _ in 0..150_000 {
        owner.allocate(rng.usize(40..400), rng.u8(1..));
    }
    let full = owner.arena.held_bytes();
    assert!(!owner.arena.is_sparse() && !owner.evacuate(1000), "a full arena is left alone");
    // One cell in twenty stays, so that every slab keeps some.
    let doomed: Vec<CellRef> = owner.cells.keys().copied().filter(|_| rng.u32(0..20) > 0).collect();
    for cell in doomed {
        owner.free(cell);
    }
    assert!(owner.arena.held_bytes() > full * 9 / 10, "freeing alone gives little back");
    let mut slices = 0;
    while owner.evacuate(64) {
        slices += 1;
        if slices % 16 == 0 {
            owner.check();
        }
    }
    owner.check();
    assert!(!owner.arena.is_sparse(), "{} of {} bytes", owner.arena.used_bytes(), owner.arena.held_bytes());
    assert!(owner.moves <= 150_000 / 20 * 2, "{} cells moved", owner.moves);
    owner.free_all();
    owner.check();
}

#[test]
fn the_last_cells_leave_even_the_last_chunk() {
    for (cells, survivors) in [(20_000, 100), (200_000, 1_000), (100_000, 1)] {
        let mut rng = fastrand::Rng::with_seed(cells as u64);
        let mut owner = Owner::default();
        for _ in 0..cells {
            owner.allocate(rng.usize(60..120), rng.u8(1..));
        }
        let all: Vec<CellRef> = owner.cells.keys().copied().collect();
        for (at, cell) in all.into_iter().enumerate() {
            if at % (cells / survivors) != 0 {
                owner.free(cell);
            }
        }
        for slice in 0.. {
            assert!(slice < cells, "it ends");
            if !owner.evacuate(64) {
                break;
            }
            owner.check();
        }
        let (used, held) = (owner.arena.used_bytes(), owner.arena.held_bytes());
        assert!(!owner.arena.is_sparse(), "{survivors} of {cells}: {used} of {held} bytes");
        assert!(held <= used + used / 2 + 2 * SLAB_BYTES, "{survivors} of {cells}: {used} of {held} bytes");
        assert_eq!(owner.arena.mapped, 1, "{survivors} of {cells}");
    }
}

#[test]
fn an_evacuation_gives_way_to_new_cells() {
    let mut rng = fastrand::Rng::with_seed(2);
    let mut owner = Owner::default();
    for _ in 0..100_000 {
        owner.allocate(200, 1);
    }
    let doomed: Vec<CellRef> = owner.cells.keys().copied().filter(|_| rng.bool()).collect();
    for cell in doomed {
        owner.free(cell);
    }
    let chunks = owner.arena.mapped;
    assert!(owner.evacuate(10) && owner.arena.evacuation.is_some());
    // As many cells as were freed: they need the room of the closed chunk as well.
    while owner.cells.len() < 100_000 {
        owner.allocate(200, 2);
    }
    owner.check();
    assert!(owner.arena.evacuation.is_none(), "the choice is forgotten");
    assert_eq!(owner.arena.mapped, chunks, "no chunk was mapped instead");
    assert!(!owner.evacuate(10));
}

#[test]
fn an_evacuation_ends_with_the_cells_that_it_was_to_move() {
    let mut owner = Owner::default();
    for _ in 0..100_000 {
        owner.allocate(200, 1);
    }
    let doomed: Vec<CellRef> = owner.cells.keys().copied().step_by(2).collect();
    for cell in doomed {
        owner.free(cell);
    }
    assert!(owner.evacuate(1));
    let closed = (1..owner.arena.maps.len() as u32).find(|chunk| owner.arena.is_closed(*chunk)).expect("one is closed");
    let inside: Vec<CellRef> = owner.cells.keys().copied().filter(|cell| cell.chunk() == closed).collect();
    for cell in inside {
        owner.free(cell);
    }
    owner.check();
    assert!(owner.arena.evacuation.is_none() && owner.arena.maps.get(closed as usize).is_none_or(Option::is_none));
}

#[test]
fn sparse_slabs_of_many_classes_are_left_alone_when_nothing_can_move() {
    let mut owner = Owner::default();
    // One cell of every class holds as many slabs as there are classes: no cell has room elsewhere.
    for shape in &SHAPES {
        owner.allocate(shape.bytes(), 1);
    }
    for _ in 0..3 {
        assert!(!owner.evacuate(1000));
    }
    assert_eq!(owner.moves, 0);
    owner.check();
}

#[test]
fn a_day_of_drifting_sizes_leaves_little_idle() {
    const LIVE_BYTES: usize = 96 * MIB;
    const STEPS: usize = 200_000;
    let mut rng = fastrand::Rng::with_seed(3);
    let mut owner = Owner::default();
    let mut peak = 0.0_f64;
    for step in 0..STEPS {
        // From 100 bytes to 400 and back.
        let hour = step.min(STEPS - step) as f64 / (STEPS / 2) as f64;
        let mean = 100 + (hour * 300.0) as usize;
        while owner.arena.used_bytes() > LIVE_BYTES {
            let cell = owner.any_cell(&mut rng).expect("there is one");
            owner.free(cell);
        }
        for _ in 0..if owner.arena.used_bytes() < LIVE_BYTES - MIB { 16 } else { 3 } {
            owner.allocate(rng.usize(mean / 2..mean * 3 / 2), rng.u8(1..));
        }
        owner.evacuate(8);
        if owner.arena.used_bytes() > LIVE_BYTES - MIB {
            let idle = owner.arena.held_bytes() - owner.arena.used_bytes();
            peak = peak.max(idle as f64 / owner.arena.used_bytes() as f64);
        }
        if step % 20_000 == 0 {
            owner.check();
        }
    }
    owner.check();
    // A sixteenth of the used bytes and 2 MiB are what an arena of 96 MiB may have before it is called sparse: 8.3 %.
    // What is freed while a chunk is emptied comes to a few more.
    assert!(peak < 0.12, "{:.1} % idle at the worst", peak * 100.0);
    assert!(owner.moves > 1000, "nothing was sparse: the test shows nothing");
}

#[test]
fn no_cell_is_given_out_beyond_the_address_space() {
    let mut arena = Arena::with_chunk_max(3);
    let mut cells: Vec<CellRef> = std::iter::from_fn(|| arena.allocate(Arena::CELL_BYTES_MAX)).collect();
    assert_eq!(cells.len(), 3 * CHUNK_SLABS * 3);
    assert_eq!(arena.allocate(1), None);
    let cell = cells.pop().expect("there are cells");
    arena.free(cell);
    assert_eq!(arena.allocate(1), None, "the slab still has its class");
    assert_eq!(arena.allocate(20_000), Some(cell));
    // A chunk that was unmapped gives its number to the next.
    cells.push(cell);
    let (gone, kept): (Vec<CellRef>, Vec<CellRef>) = cells.into_iter().partition(|cell| cell.chunk() == 2);
    for cell in gone {
        arena.free(cell);
    }
    while arena.mapped == 3 {
        arena.unmap_chunk(arena.spare.expect("chunk 2 is empty"));
    }
    let again = arena.allocate(8).expect("there is room");
    assert_eq!(again.chunk(), 2);
    assert!(!kept.contains(&again));
    assert_eq!(usize::from(CHUNK_MAX as u16), CHUNK_MAX as usize, "a chunk's number fits what is left of 32 bits");
}

#[test]
fn a_dropped_arena_leaves_chunk_by_chunk() {
    let mut owner = Owner::default();
    for _ in 0..100_000 {
        owner.allocate(100, 1);
    }
    let chunks = owner.arena.mapped;
    assert_eq!(chunks, 100_000 * 104 / CHUNK_BYTES + 1);
    let mut calls = 1;
    while owner.arena.drop_chunk() {
        calls += 1;
    }
    assert_eq!(calls, chunks);
    assert!(!owner.arena.drop_chunk());
    owner.cells.clear();
    owner.check();
    assert_eq!((owner.arena.used_bytes(), owner.arena.held_bytes()), (0, 0));
    owner.allocate(100, 1);
    owner.check();
}

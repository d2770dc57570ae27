//! What keeping entries costs in memory and time: the keyspace's arena, and two general allocators.
//!
//! ```text
//! cargo bench --bench allocators [-- --json]
//!
//! case    live cells                                    measured
//! small   2,000,000 of 84 bytes                         resident bytes beyond the request, per cell
//! mixed   2,000,000 of 40 to 600 bytes                  the same
//! churn   200 MB whose mean size goes from 100 bytes    resident over requested bytes: at worst, and after a rest of
//!         to 400 and back in 20,000,000 replacements    some seconds at noon and at midnight; CPU time of a replacement
//! ```
//!
//! Each case runs in a process of its own, which this program starts with itself, so that nobody inherits another's pages.
//! Everything else that a case needs is allocated and written before the resident bytes are first read. A cell gets a
//! label of 8 bytes and no more: that touches every page and leaves the time to the allocator.
//!
//! A replacement looks at the label of a random cell, as a command looks at the key, frees the cell and allocates another.
//! The arena is given a slice of evacuation between replacements, as a core would between commands; its time counts.
//! General allocators run with their defaults, which give pages back some seconds after they were freed. A day in ten
//! seconds is unfair to that: therefore the rests, during which a few replacements go on.
//!
//! What to expect in `churn` of an allocator that keeps sizes apart and cannot move: with sizes spread evenly over m/2 to
//! 3m/2, those near c have a share of c/m² of the bytes, most when m is c/1.5, namely 2.25/c. As m rises they thin out
//! ninefold, but hardly a page of theirs becomes empty. Held are the highest shares of all sizes in use:
//!
//! ```text
//! ∫ 2.25/c dc  from m/2 to 3m/2  =  2.25 ln 3  =  2.47 times the live bytes
//! ```
//!
//! jemalloc was measured too (2026-11: 13.2 and 37.1 bytes beyond the request, 2.48 times the live bytes in churn) and is not
//! here, since building it needs more than Rust and a C compiler.
//!
//! Time in the kernel is told apart: it is mostly the clearing of new pages, and under a hypervisor that takes back free
//! memory, huge pages cost more than they would elsewhere.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{self, Write};
use std::process::{Command, ExitCode, Stdio};
use std::ptr::NonNull;
use std::time::Duration;
use std::{env, fs, thread};

use corewise::keyspace::{Arena, CellRef};
use mimalloc::MiMalloc;
use serde::{Deserialize, Serialize};

const ALLOCATORS: [&str; 3] = ["arena", "glibc", "mimalloc"];
const CASES: [&str; 3] = ["small", "mixed", "churn"];

/// Cells of the cases that only fill.
const CELLS: usize = 2_000_000;
/// Bytes requested and live at any time of `churn`.
const LIVE_BYTES: usize = 200_000_000;
const REPLACEMENTS: usize = 20_000_000;
/// Replacements between two looks at the clock and at the resident bytes. A tick of the clock is 10 ms.
const STRETCH: usize = 500_000;
/// A rest, in seconds: longer than the ten after which some allocators have given back what was freed. And the replacements that
/// go on in each second, since general allocators give pages back only when they are called.
const REST_S: usize = 12;
const RESTING: usize = 50_000;
/// Replacements between two slices of evacuation, and the cells that a slice may move.
const SLICE_EVERY: usize = 32;
const SLICE_CELLS: usize = 64;

/// What a case yields.
#[derive(Serialize, Deserialize)]
struct Figures {
    allocator: String,
    case: String,
    /// Requested bytes that are live at the end, and cells.
    live_bytes: usize,
    cells: usize,
    /// Resident at the end beyond what the process had before.
    resident_bytes: usize,
    /// Resident over live bytes at the worst of all looks, and after the rest at noon.
    worst_ratio: f64,
    noon_ratio: f64,
    /// CPU time of a replacement, or of an allocation in the cases that only fill, in nanoseconds.
    user_ns: f64,
    system_ns: f64,
    /// What the arena says that it holds.
    held_bytes: Option<usize>,
}

impl Figures {
    fn beyond_request(&self) -> f64 {
        (self.resident_bytes as f64 - self.live_bytes as f64) / self.cells as f64
    }

    fn ratio(&self) -> f64 {
        self.resident_bytes as f64 / self.live_bytes as f64
    }
}

/// An allocator as an owner of many cells sees it.
trait Cells {
    type Name: Copy;

    /// A cell of `bytes`, labelled with the owner's place for it.
    fn allocate(&mut self, bytes: usize, place: u32) -> Self::Name;

    fn free(&mut self, cell: Self::Name, bytes: usize);

    /// The first bytes of a cell.
    fn label(&self, cell: Self::Name) -> [u8; 8];

    /// Lets the allocator tidy up a little and change the owner's names.
    fn tidy(&mut self, _cells: &mut [(Self::Name, u32)]) {}

    fn held_bytes(&self) -> Option<usize> {
        None
    }
}

impl Cells for Arena {
    type Name = CellRef;

    fn allocate(&mut self, bytes: usize, place: u32) -> CellRef {
        let cell = Arena::allocate(self, bytes).expect("there is memory");
        self.from_mut(cell)[..8].copy_from_slice(&label(place));
        cell
    }

    fn free(&mut self, cell: CellRef, _bytes: usize) {
        Arena::free(self, cell);
    }

    fn label(&self, cell: CellRef) -> [u8; 8] {
        *self.from(cell).first_chunk().expect("a labelled cell")
    }

    fn tidy(&mut self, cells: &mut [(CellRef, u32)]) {
        if self.is_sparse() {
            self.evacuate(SLICE_CELLS, |bytes, _, new| {
                let place = bytes[4..].first_chunk().expect("a labelled cell");
                cells[u32::from_le_bytes(*place) as usize].0 = new;
            });
        }
    }

    fn held_bytes(&self) -> Option<usize> {
        Some(Arena::held_bytes(self))
    }
}

/// An allocator that hands out pointers.
struct General<A>(A);

impl<A: GlobalAlloc> Cells for General<A> {
    type Name = NonNull<u8>;

    fn allocate(&mut self, bytes: usize, place: u32) -> NonNull<u8> {
        let layout = layout(bytes);
        // SAFETY: the layout has a size that is not zero, since cells are at least as large as their label.
        let cell = NonNull::new(unsafe { self.0.alloc(layout) }).expect("there is memory");
        // SAFETY: the allocator gave out at least 8 bytes here, aligned to 8, and nobody else knows them.
        unsafe { cell.cast().write(label(place)) };
        cell
    }

    fn free(&mut self, cell: NonNull<u8>, bytes: usize) {
        // SAFETY: the owner names a cell that it got from this allocator for as many bytes, and forgets the name.
        unsafe { self.0.dealloc(cell.as_ptr(), layout(bytes)) };
    }

    fn label(&self, cell: NonNull<u8>) -> [u8; 8] {
        // SAFETY: the owner names a live cell, and 8 bytes were written to it when it was allocated.
        unsafe { cell.cast().read() }
    }
}

fn layout(bytes: usize) -> Layout {
    Layout::from_size_align(bytes.max(8), 8).expect("a small size")
}

/// What is written into a cell: a first byte that is not zero, as the arena wants it, and the owner's place for the cell.
fn label(place: u32) -> [u8; 8] {
    let [a, b, c, d] = place.to_le_bytes();
    [1, 0, 0, 0, a, b, c, d]
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--measure", allocator, case] => measure(allocator, case).and_then(|figures| print_json(&figures)),
        // What else there may be is from `cargo bench`.
        ref other => compare(other.contains(&"--json")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => writeln!(io::stderr(), "allocators: {error}").map_or(ExitCode::FAILURE, |()| ExitCode::FAILURE),
    }
}

/// Runs every case with every allocator and prints what came out.
fn compare(json: bool) -> io::Result<()> {
    let program = env::current_exe()?;
    let mut all = Vec::new();
    for allocator in ALLOCATORS {
        for case in CASES {
            let child =
                Command::new(&program).args(["--measure", allocator, case]).stderr(Stdio::inherit()).output()?;
            if !child.status.success() {
                return Err(io::Error::other(format!("{allocator}, {case}: {}", child.status)));
            }
            let figures: Figures = serde_json::from_slice(&child.stdout)?;
            if json {
                print_json(&figures)?;
            }
            all.push(figures);
        }
    }
    if json { Ok(()) } else { print_table(&all) }
}

fn print_json(figures: &Figures) -> io::Result<()> {
    writeln!(io::stdout(), "{}", serde_json::to_string(figures)?)
}

fn print_table(all: &[Figures]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "           bytes beyond request   resident / live in churn   ns per replacement")?;
    writeln!(out, "           84 bytes  40..600      worst    noon  midnight       user   system")?;
    for figures in all.chunks(CASES.len()) {
        let [small, mixed, churn] = figures else { continue };
        let Figures { allocator, worst_ratio, noon_ratio, user_ns, system_ns, .. } = churn;
        let (small, mixed, midnight_ratio) = (small.beyond_request(), mixed.beyond_request(), churn.ratio());
        writeln!(
            out,
            "{allocator:10} {small:8.1} {mixed:8.1} {worst_ratio:10.3} {noon_ratio:7.3} {midnight_ratio:9.3} {user_ns:10.0} {system_ns:8.0}",
        )?;
        if let Some(held) = churn.held_bytes {
            let share = held as f64 / churn.resident_bytes as f64;
            writeln!(out, "           (by its own count it holds {share:.3} of what is resident after the churn)")?;
        }
    }
    Ok(())
}

fn measure(allocator: &str, case: &str) -> io::Result<Figures> {
    let figures = match allocator {
        "arena" => run(Arena::new(), case),
        "glibc" => run(General(System), case),
        "mimalloc" => run(General(MiMalloc), case),
        _ => return Err(io::Error::other("no such allocator")),
    }?;
    Ok(Figures { allocator: allocator.to_owned(), ..figures })
}

fn run(cells: impl Cells, case: &str) -> io::Result<Figures> {
    match case {
        "small" => fill(cells, case, |_| 84),
        "mixed" => fill(cells, case, |rng| rng.usize(40..=600)),
        "churn" => churn(cells, case),
        _ => Err(io::Error::other("no such case")),
    }
}

/// The cells of an owner: names and requested bytes by place.
type Places<C> = Vec<(<C as Cells>::Name, u32)>;

/// Room for `cells` cells that is resident already.
fn places<C: Cells>(allocator: &mut C, cells: usize) -> Places<C> {
    let cell = allocator.allocate(64, 0);
    let mut places = vec![(cell, 64); cells];
    places.clear();
    allocator.free(cell, 64);
    places
}

fn fill<C: Cells>(mut allocator: C, case: &str, size: impl Fn(&mut fastrand::Rng) -> usize) -> io::Result<Figures> {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut places = places(&mut allocator, CELLS);
    let before = resident_bytes()?;
    let clock = Clock::start()?;
    for place in 0..CELLS {
        let bytes = size(&mut rng);
        places.push((allocator.allocate(bytes, place as u32), bytes as u32));
    }
    let took = clock.elapsed()?;
    let live_bytes = places.iter().map(|(_, bytes)| *bytes as usize).sum();
    let resident_bytes = resident_bytes()? - before;
    let ratio = resident_bytes as f64 / live_bytes as f64;
    Ok(Figures {
        allocator: String::new(),
        case: case.to_owned(),
        live_bytes,
        cells: CELLS,
        resident_bytes,
        worst_ratio: ratio,
        noon_ratio: ratio,
        user_ns: took.user.as_nanos() as f64 / CELLS as f64,
        system_ns: took.system.as_nanos() as f64 / CELLS as f64,
        held_bytes: allocator.held_bytes(),
    })
}

/// The owner of `churn`: it keeps the live bytes constant by the number of its cells.
struct Churn<C: Cells> {
    allocator: C,
    places: Places<C>,
    /// Most cells that there is room for, and resident bytes without any cell.
    most: usize,
    resident_before: usize,
    live_bytes: usize,
    rng: fastrand::Rng,
}

impl<C: Cells> Churn<C> {
    fn size_around(&mut self, mean: usize) -> usize {
        self.rng.usize(mean / 2..mean * 3 / 2)
    }

    fn push(&mut self, mean: usize) {
        let bytes = self.size_around(mean);
        let cell = self.allocator.allocate(bytes, self.places.len() as u32);
        self.places.push((cell, bytes as u32));
        self.live_bytes += bytes;
    }

    fn pop(&mut self) {
        let (cell, bytes) = self.places.pop().expect("there are cells");
        self.allocator.free(cell, bytes as usize);
        self.live_bytes -= bytes as usize;
    }

    fn replace(&mut self, place: usize, mean: usize) {
        let bytes = self.size_around(mean);
        let (cell, old) = self.places[place];
        assert_eq!(self.allocator.label(cell), label(place as u32), "somebody else wrote to this cell");
        self.allocator.free(cell, old as usize);
        self.places[place] = (self.allocator.allocate(bytes, place as u32), bytes as u32);
        self.live_bytes = self.live_bytes + bytes - old as usize;
    }

    /// Replaces a number of cells, drops or adds some to keep the live bytes constant, and tidies up.
    fn work(&mut self, replacements: usize, mean: usize) {
        for step in 0..replacements {
            let place = self.rng.usize(0..self.places.len());
            self.replace(place, mean);
            while self.live_bytes > LIVE_BYTES {
                self.pop();
            }
            while self.live_bytes < LIVE_BYTES - 600 && self.places.len() < self.most {
                self.push(mean);
            }
            if step % SLICE_EVERY == 0 {
                self.allocator.tidy(&mut self.places);
            }
        }
    }

    /// Gives the allocator time to give pages back; resident over live bytes afterwards.
    fn rest(&mut self, mean: usize) -> io::Result<f64> {
        for _ in 0..REST_S {
            thread::sleep(Duration::from_secs(1));
            self.work(RESTING, mean);
        }
        self.ratio()
    }

    fn ratio(&self) -> io::Result<f64> {
        Ok((resident_bytes()? - self.resident_before) as f64 / self.live_bytes as f64)
    }
}

fn churn<C: Cells>(mut allocator: C, case: &str) -> io::Result<Figures> {
    let most = LIVE_BYTES / 80;
    let places = places(&mut allocator, most);
    let rng = fastrand::Rng::with_seed(1);
    let mut owner = Churn { allocator, places, most, resident_before: resident_bytes()?, live_bytes: 0, rng };
    while owner.live_bytes < LIVE_BYTES {
        owner.push(100);
    }
    // Neighbours in memory shall not be neighbours in the table, from whose end cells are dropped.
    owner.work(2 * owner.places.len(), 100);
    let (mut worst_ratio, mut noon_ratio) = (0.0_f64, 0.0);
    let mut took = Clock::default();
    for start in (0..REPLACEMENTS).step_by(STRETCH) {
        if start == REPLACEMENTS / 2 {
            noon_ratio = owner.rest(400)?;
        }
        let clock = Clock::start()?;
        for step in (start..start + STRETCH).step_by(1000) {
            // The mean rises until noon and falls until midnight.
            owner.work(1000, 100 + 300 * step.min(REPLACEMENTS - step) / (REPLACEMENTS / 2));
        }
        let stretch = clock.elapsed()?;
        took = Clock { user: took.user + stretch.user, system: took.system + stretch.system };
        worst_ratio = worst_ratio.max(owner.ratio()?);
    }
    owner.rest(100)?;
    Ok(Figures {
        allocator: String::new(),
        case: case.to_owned(),
        live_bytes: owner.live_bytes,
        cells: owner.places.len(),
        resident_bytes: resident_bytes()? - owner.resident_before,
        worst_ratio,
        noon_ratio,
        user_ns: took.user.as_nanos() as f64 / REPLACEMENTS as f64,
        system_ns: took.system.as_nanos() as f64 / REPLACEMENTS as f64,
        held_bytes: owner.allocator.held_bytes(),
    })
}

/// CPU time of this process, which other users of the machine do not lengthen: a reading, or the time between two.
#[derive(Clone, Copy, Default)]
struct Clock {
    user: Duration,
    system: Duration,
}

impl Clock {
    fn start() -> io::Result<Self> {
        let stat = fs::read_to_string("/proc/self/stat")?;
        // Times are the 14th and 15th field, in ticks of 10 ms. The 2nd is a name that may hold anything, up to the last ')'.
        let fields = stat.rsplit_once(')').map(|(_, fields)| fields);
        let mut ticks = fields.into_iter().flat_map(str::split_whitespace).skip(11).map(str::parse::<u64>);
        match (ticks.next(), ticks.next()) {
            (Some(Ok(user)), Some(Ok(system))) => {
                Ok(Self { user: Duration::from_millis(user * 10), system: Duration::from_millis(system * 10) })
            }
            _ => Err(io::Error::other("/proc/self/stat has no times")),
        }
    }

    fn elapsed(self) -> io::Result<Self> {
        let now = Self::start()?;
        Ok(Self { user: now.user.saturating_sub(self.user), system: now.system.saturating_sub(self.system) })
    }
}

/// Bytes of this process that are in memory, counted exactly by a walk over its pages.
fn resident_bytes() -> io::Result<usize> {
    let rollup = fs::read_to_string("/proc/self/smaps_rollup")?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Rss:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<usize>().ok());
    kib.map(|kib| kib * 1024).ok_or_else(|| io::Error::other("/proc/self/smaps_rollup has no Rss"))
}

//! What reaching a key in a shard costs, without protocol or engine: small tables lie in the caches, a million keys do
//! not, and a deadline adds the bookkeeping of its segment. Keys come in random order; time is per key.

use std::hint::black_box;
use std::time::{Duration, Instant};

use corewise::base::{KeyHasher, Now, Rng};
use corewise::keyspace::{Deadline, Keys, Limits, Shard};
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main, measurement::WallTime};

const VALUE: [u8; 64] = [b'v'; 64];
const OTHER_VALUE: [u8; 64] = [b'w'; 64];
const NOW: Now = Now { unix_us: 1_700_000_000_000_000, mono_us: 5_000_000 };
const HOUR_MS: u64 = 3_600_000;
/// Keys that are inserted or deleted between two looks at the clock.
const CHUNK: usize = 100;

type Name = [u8; 16];

/// A shard, the keys in it, and as many that are not; both in random order.
struct Fixture {
    shard: Shard,
    present: Vec<Name>,
    absent: Vec<Name>,
    deadline: Deadline,
}

impl Fixture {
    fn new(entries: usize, has_deadline: bool) -> Self {
        let mut rng = Rng::with_seed(entries as u64);
        let mut names = |prefix: &str| {
            let name = |number| format!("{prefix}:{number:012}").into_bytes().try_into().expect("16 bytes");
            let mut names: Vec<Name> = (0..entries).map(name).collect();
            rng.shuffle(&mut names);
            names
        };
        let (present, absent) = (names("key"), names("not"));
        let deadline = if has_deadline { Deadline::at(NOW.unix_ms() + HOUR_MS) } else { Deadline::NEVER };
        let mut shard = Shard::new(1, KeyHasher::new(1), &Limits::none(1));
        let mut keys = shard.keys(0, NOW);
        present.iter().for_each(|name| keys.set_string(name, &VALUE, Some(deadline)));
        Self { shard, present, absent, deadline }
    }
}

/// The time of `work` on one key after the other; every chunk is undone outside of the measurement.
fn chunks(
    rounds: u64,
    shard: &mut Shard,
    names: &[Name],
    work: impl Fn(&mut Keys<'_>, &Name),
    undo: impl Fn(&mut Keys<'_>, &Name),
) -> Duration {
    let mut spent = Duration::ZERO;
    let mut left = rounds as usize;
    for chunk in names.chunks(CHUNK).cycle() {
        let chunk = &chunk[..chunk.len().min(left)];
        let begin = Instant::now();
        chunk.iter().for_each(|name| work(&mut shard.keys(0, NOW), name));
        spent += begin.elapsed();
        chunk.iter().for_each(|name| undo(&mut shard.keys(0, NOW), name));
        left -= chunk.len();
        if left == 0 {
            break;
        }
    }
    spent
}

fn operations(group: &mut BenchmarkGroup<'_, WallTime>, size: &str, fixture: &mut Fixture) {
    let Fixture { shard, present, absent, deadline } = fixture;
    let set = |keys: &mut Keys<'_>, name: &Name| keys.set_string(name, &VALUE, Some(*deadline));
    let delete = |keys: &mut Keys<'_>, name: &Name| assert!(keys.delete(name));
    for (name, names, hit) in [("get, hit", &*present, true), ("get, miss", absent, false)] {
        let mut names = names.iter().cycle();
        group.bench_function(format!("{name}, {size}"), |bencher| {
            bencher.iter(|| {
                let name = names.next().expect("a cycle");
                assert_eq!(shard.keys(0, NOW).read(black_box(name)).is_some(), hit);
            });
        });
    }
    let mut names = present.iter().cycle();
    group.bench_function(format!("overwrite, {size}"), |bencher| {
        bencher.iter(|| {
            let name = names.next().expect("a cycle");
            shard.keys(0, NOW).set_string(black_box(name), black_box(&OTHER_VALUE), Some(*deadline));
        });
    });
    group.bench_function(format!("insert, {size}"), |bencher| {
        bencher.iter_custom(|rounds| chunks(rounds, shard, absent, set, delete));
    });
    group.bench_function(format!("delete, {size}"), |bencher| {
        bencher.iter_custom(|rounds| chunks(rounds, shard, present, delete, set));
    });
}

fn table(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("table");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for (entries, size) in [(1_000, "1e3"), (100_000, "1e5"), (1_000_000, "1e6")] {
        operations(&mut group, &format!("{size} keys"), &mut Fixture::new(entries, false));
        operations(&mut group, &format!("{size} keys with deadline"), &mut Fixture::new(entries, true));
    }
    group.finish();
}

criterion_group!(benches, table);
criterion_main!(benches);

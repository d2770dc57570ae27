//! What the structures of large collections cost: finding, adding and removing members by hash, and items by place and
//! by order. A thousand lie in the caches, a million do not. Members come in random order; time is per member.

use std::hint::black_box;
use std::time::{Duration, Instant};

use corewise::base::Rng;
use corewise::keyspace::collection::map::Map;
use corewise::keyspace::collection::pack::{Bare, Element, element_of, push_score};
use corewise::keyspace::collection::sequence::{Sequence, Shape};
use criterion::{Criterion, criterion_group, criterion_main};

const SIZES: [(usize, &str); 2] = [(1_000, "1e3"), (1_000_000, "1e6")];
/// Members that are added or removed between two looks at the clock.
const CHUNK: usize = 100;

/// Names of `count` members in random order.
fn names(prefix: &str, count: usize) -> Vec<Vec<u8>> {
    let mut names: Vec<Vec<u8>> = (0..count).map(|number| format!("{prefix}:{number:08}").into_bytes()).collect();
    Rng::with_seed(count as u64).shuffle(&mut names);
    names
}

/// The time of `work` on one item after the other; every chunk is undone outside of the measurement.
fn chunks<S, I>(
    rounds: u64,
    of: &mut S,
    items: &[I],
    work: impl Fn(&mut S, &I),
    undo: impl Fn(&mut S, &I),
) -> Duration {
    let (mut spent, mut left) = (Duration::ZERO, rounds as usize);
    for chunk in items.chunks(CHUNK).cycle() {
        let chunk = &chunk[..chunk.len().min(left)];
        let begin = Instant::now();
        chunk.iter().for_each(|item| work(of, black_box(item)));
        spent += begin.elapsed();
        chunk.iter().rev().for_each(|item| undo(of, item));
        left -= chunk.len();
        if left == 0 {
            break;
        }
    }
    spent
}

fn maps(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("map");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for (count, size) in SIZES {
        let (present, absent, value) = (names("member", count), names("absent", count), Bare::element_of(b"value"));
        let mut map = Map::new(2, 1);
        present.iter().for_each(|name| assert!(map.insert(name, &value)));
        for (what, names, hit) in [("get, hit", &present, true), ("get, miss", &absent, false)] {
            let mut names = names.iter().cycle();
            group.bench_function(format!("{what}, {size}"), |bencher| {
                bencher.iter(|| assert_eq!(map.get(black_box(names.next().expect("a cycle"))).is_some(), hit));
            });
        }
        let insert = |map: &mut Map, name: &Vec<u8>| assert!(map.insert(name, &value));
        let remove = |map: &mut Map, name: &Vec<u8>| assert!(map.remove(name));
        group.bench_function(format!("insert, {size}"), |bencher| {
            bencher.iter_custom(|rounds| chunks(rounds, &mut map, &absent, insert, remove));
        });
        group.bench_function(format!("remove, {size}"), |bencher| {
            bencher.iter_custom(|rounds| chunks(rounds, &mut map, &present, remove, insert));
        });
    }
    group.finish();
}

/// How many members have a lower score.
fn rank(sequence: &Sequence, score: f64) -> usize {
    sequence.partition_point(|item| item.1.map_or(0.0, Element::score) < score)
}

fn sequences(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sequence");
    group.sample_size(20).warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    for (count, size) in SIZES {
        let members: Vec<(f64, Vec<u8>)> = names("member", 2 * count)
            .into_iter()
            .enumerate()
            .map(|(score, name)| {
                let mut item = element_of(&name);
                push_score(&mut item, score as f64);
                (score as f64, item)
            })
            .collect();
        // Every other score is there; the rest are inserted between them.
        let (mut present, mut absent): (Vec<_>, Vec<_>) =
            members.into_iter().partition(|(score, _)| score % 2.0 == 0.0);
        let mut rng = Rng::with_seed(count as u64);
        rng.shuffle(&mut present);
        rng.shuffle(&mut absent);
        let insert = |sequence: &mut Sequence, (score, item): &(f64, Vec<u8>)| {
            let place = rank(sequence, *score);
            sequence.insert(place, item);
        };
        let remove = |sequence: &mut Sequence, (score, _): &(f64, Vec<u8>)| {
            let place = rank(sequence, *score);
            sequence.remove(place);
        };
        let mut sorted = Sequence::new(Shape::SORTED);
        present.iter().for_each(|member| insert(&mut sorted, member));
        let mut members = present.iter().cycle();
        group.bench_function(format!("rank, {size}"), |bencher| {
            bencher.iter(|| rank(&sorted, black_box(members.next().expect("a cycle").0)));
        });
        group.bench_function(format!("insert in order, {size}"), |bencher| {
            bencher.iter_custom(|rounds| chunks(rounds, &mut sorted, &absent, insert, remove));
        });
        let items: Vec<Vec<u8>> = names("item", count).iter().map(|name| element_of(name)).collect();
        let mut list = Sequence::new(Shape::LIST);
        items.iter().for_each(|item| list.push_back(item));
        let push = |list: &mut Sequence, item: &Vec<u8>| list.push_front(item);
        let pop = |list: &mut Sequence, _: &Vec<u8>| list.pop_back();
        group.bench_function(format!("push at the front, {size}"), |bencher| {
            bencher.iter_custom(|rounds| chunks(rounds, &mut list, &items, push, pop));
        });
        group.bench_function(format!("pop at the back, {size}"), |bencher| {
            bencher.iter_custom(|rounds| chunks(rounds, &mut list, &items, pop, push));
        });
    }
    group.finish();
}

criterion_group!(benches, maps, sequences);
criterion_main!(benches);

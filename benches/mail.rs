//! Mail and the lease without a kernel: what a batch and a loan cost beside the work that they carry.
//!
//! One thread plays both cores, so lines do not travel and the figures are instruction costs. `between two threads` adds
//! the travel, a batch there and one back with both sides polling; believe it only on a machine that is otherwise idle.

use std::hint::black_box;
use std::thread;

use corewise::base::CoreId;
use corewise::mesh::{LendingMode, Park, Port, Progress, connect};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// Letters of one batch: a pipeline of 16, half of it remote.
const LETTERS: usize = 8;
const A: CoreId = CoreId(0);
const B: CoreId = CoreId(1);

type Batch = Vec<u64>;
type Shard = [u64; 8];

fn pair() -> (Port<Batch, Shard>, Port<Batch, Shard>) {
    let mut ports = connect(2, LendingMode::Usual).into_iter();
    (ports.next().expect("two ports"), ports.next().expect("two ports"))
}

/// Posts `batch`, filled, and returns the empty one for the next.
fn post(port: &mut Port<Batch, Shard>, target: CoreId, mut batch: Box<Batch>) -> Box<Batch> {
    batch.extend(0..LETTERS as u64);
    let spent = port.post(target, batch).expect("the other side keeps up");
    port.bells(|core| {
        black_box(core);
    });
    spent.unwrap_or_default()
}

/// Reads the next batch, if there is one.
fn read(port: &mut Port<Batch, Shard>) -> bool {
    let Some(mut batch) = port.receive() else { return false };
    batch.drain(..).for_each(|letter| {
        black_box(letter);
    });
    port.finish(batch, Progress::Whole);
    true
}

fn mail(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mail");
    group.bench_function("post, ring and receive a batch of 8", |bencher| {
        let (mut a, mut b) = pair();
        let mut batch = Box::default();
        bencher.iter(|| {
            batch = post(&mut a, B, std::mem::take(&mut batch));
            while read(&mut b) {}
            b.bells(|core| {
                black_box(core);
            });
        });
    });
    for cores in [2, 16, 64] {
        group.bench_function(format!("a round without mail, {cores} cores"), |bencher| {
            let mut ports = connect::<Batch, Shard>(cores, LendingMode::Usual);
            bencher.iter(|| black_box(ports[0].receive().is_none()));
        });
    }
    group.bench_function("there and back between two threads", |bencher| {
        bencher.iter_custom(|rounds| {
            let (mut a, mut b) = pair();
            thread::scope(|scope| {
                scope.spawn(move || {
                    let mut batch = Box::default();
                    for _ in 0..rounds {
                        while !read(&mut b) {
                            thread::yield_now();
                        }
                        batch = post(&mut b, A, batch);
                    }
                });
                let mut batch = Box::default();
                let begin = std::time::Instant::now();
                for _ in 0..rounds {
                    batch = post(&mut a, B, batch);
                    while !read(&mut a) {
                        thread::yield_now();
                    }
                }
                begin.elapsed()
            })
        });
    });
    group.finish();
}

fn lease(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lease");
    group.bench_function("borrow, write and give back", |bencher| {
        let (mut a, mut b) = pair();
        assert!(matches!(a.park(Some(Box::default())), Park::Parked));
        bencher.iter(|| {
            let mut loan = b.borrow(A).expect("its owner sleeps");
            loan[0] += 1;
            b.give_back(loan, false);
        });
    });
    group.bench_function("a borrow refused", |bencher| {
        let (_a, mut b) = pair();
        bencher.iter(|| black_box(b.borrow(A).is_none()));
    });
    group.bench_function("park and unpark", |bencher| {
        let (mut a, _b) = pair();
        let mut shard = Some(Box::<Shard>::default());
        bencher.iter(|| {
            assert!(matches!(a.park(shard.take()), Park::Parked));
            shard = a.unpark();
        });
    });
    group.bench_function("a credit reserved and settled", |bencher| {
        let (mut a, _b) = pair();
        bencher.iter(|| {
            let credit = a.reserve(black_box(B)).expect("all are left");
            a.settle(credit);
        });
    });
    group.bench_function("a mesh of 64 cores", |bencher| {
        bencher.iter_batched(|| (), |()| connect::<Batch, Shard>(64, LendingMode::Usual), BatchSize::PerIteration);
    });
    group.finish();
}

criterion_group!(benches, mail, lease);
criterion_main!(benches);

//! What an operation costs before it is sent: drawing it, and making bytes of it.

use std::hint::black_box;
use std::sync::Arc;

use corewise_loadgen::plan::{KeySpec, Shape, Sizes, Source, Spread, Workload};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

/// Operations per iteration, so that the buffer grows as in a turn of a worker.
const BATCH: u64 = 64;

fn workload(text: &str, spread: Spread, sizes: Sizes) -> Arc<Workload> {
    let keys = KeySpec { count: 1_000_000, spread: Some(spread), prefix: None };
    let shape = Shape { keys, sizes: Some(sizes), ..Shape::default() };
    Arc::new(Workload::parse(text, shape).expect("the workloads of the benchmark are right"))
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("operation");
    group.throughput(Throughput::Elements(BATCH));
    for (spread, name) in [
        (Spread::Uniform, "uniform"),
        (Spread::Zipf(0.99), "zipf"),
        (Spread::Hot { requests: 0.9, keys: 0.1 }, "hot"),
        (Spread::Latest, "latest"),
    ] {
        let mut source = Source::new(workload("get", spread, Sizes::default()), 1, 0, 1);
        group.bench_function(format!("draw/{name}"), |bencher| {
            bencher.iter(|| (0..BATCH).filter_map(|_| black_box(source.draw())).count());
        });
    }
    for (text, sizes, name) in [
        ("get", Sizes::Fixed(64), "get"),
        ("set", Sizes::Fixed(64), "set 64"),
        ("set", Sizes::Range(16, 1024), "set 16-1024"),
        ("set", Sizes::Fixed(4096), "set 4096"),
        ("mixed 9:1", Sizes::Fixed(64), "mixed"),
        ("mget 10", Sizes::Fixed(64), "mget 10"),
        ("ZADD board __score__ __member__", Sizes::Fixed(64), "zadd"),
    ] {
        let workload = workload(text, Spread::Uniform, sizes);
        let mut source = Source::new(workload.clone(), 1, 0, 1);
        let operations: Vec<_> = (0..BATCH).filter_map(|_| source.draw()).collect();
        let mut out = Vec::with_capacity(1 << 20);
        group.bench_function(format!("encode/{name}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                operations.iter().for_each(|operation| workload.encode(operation, &mut out));
                black_box(out.len())
            });
        });
        group.bench_function(format!("both/{name}"), |bencher| {
            bencher.iter(|| {
                out.clear();
                for _ in 0..BATCH {
                    source.draw().iter().for_each(|operation| workload.encode(operation, &mut out));
                }
                black_box(out.len())
            });
        });
        group.bench_function(format!("slot/{name}"), |bencher| {
            bencher.iter(|| operations.iter().filter_map(|operation| black_box(workload.slot(operation))).count());
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);

//! What finding a command costs: names of every length, in capitals as most clients send them.

use std::hint::black_box;

use corewise::command::{find, lookup};
use corewise::resp::{Request, Span};
use criterion::{Criterion, criterion_group, criterion_main};

fn names(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lookup");
    for name in ["GET", "set", "MGET", "PEXPIRE", "INCRBYFLOAT", "BGREWRITEAOF", "unknown"] {
        group.bench_function(name, |bencher| bencher.iter(|| lookup(black_box(name.as_bytes()))));
    }
    group.finish();
}

fn requests(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("find");
    for (name, data, lens) in [("get", "GETk", &[3, 1][..]), ("client|info", "CLIENTINFO", &[6, 4])] {
        let mut start = 0;
        let spans: Vec<Span> = lens
            .iter()
            .map(|&len| {
                let span = Span { start, len };
                start += len;
                span
            })
            .collect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| find(black_box(Request::new(data.as_bytes(), &spans))).map(|command| command.id));
        });
    }
    group.finish();
}

criterion_group!(benches, names, requests);
criterion_main!(benches);

//! One turn of an engine with a pipeline of 16 requests: on the shard that is here, on one that is borrowed, and by mail,
//! which takes a turn of the other core and a second one of this as well. Criterion prints time per pipeline and requests
//! per second; `instructions` counts the same turns exactly.

mod node;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use node::{DEPTH, Node, Verb, Way};

fn turn(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("turn");
    group.throughput(Throughput::Elements(DEPTH as u64));
    for verb in Verb::ALL {
        for way in Way::ALL {
            let mut node = Node::new(way, verb);
            group.bench_function(format!("{verb:?}, {way:?}").to_lowercase(), |bencher| bencher.iter(|| node.send()));
        }
    }
    group.finish();
}

criterion_group!(benches, turn);
criterion_main!(benches);

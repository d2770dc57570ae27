//! What the protocol costs: parsing pipelines, and encoding their replies. Criterion prints time per pipeline and
//! requests per second; a request costs the inverse of the latter.

use std::hint::black_box;

use corewise::resp::{Output, ParserLimits, Protocol, Reply, ReplyError, RequestParser};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const DEPTH: usize = 16;
const VALUE: [u8; 64] = [b'v'; 64];

fn pipeline(request: impl Fn(usize) -> Vec<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for index in 0..DEPTH {
        let arguments = request(index);
        bytes.extend_from_slice(format!("*{}\r\n", arguments.len()).as_bytes());
        for argument in arguments {
            bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
            bytes.extend_from_slice(&argument);
            bytes.extend_from_slice(b"\r\n");
        }
    }
    bytes
}

fn key(index: usize) -> Vec<u8> {
    format!("key:{:012}", index * 7919).into_bytes()
}

/// Parses a whole pipeline and looks at every argument's first byte, as a lookup would.
fn parse(parser: &mut RequestParser, pipeline: &[u8], limits: &ParserLimits) -> usize {
    let (mut input, mut sum) = (pipeline, 0);
    while let Ok(Some(consumed)) = parser.parse(input, limits) {
        let request = parser.request(input);
        sum += request.iter().map(|argument| usize::from(argument[0])).sum::<usize>();
        input = &input[consumed..];
    }
    assert!(input.is_empty());
    sum
}

fn parsing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    group.throughput(Throughput::Elements(DEPTH as u64));
    let limits = ParserLimits::default();
    let cases = [
        ("get", pipeline(|index| vec![b"GET".to_vec(), key(index)])),
        ("set 64 bytes", pipeline(|index| vec![b"SET".to_vec(), key(index), VALUE.to_vec()])),
        ("set of any length", pipeline(|index| vec![b"SET".to_vec(), key(index), vec![b'v'; 1 + index * 797 % 1500]])),
        ("get, inline", (0..DEPTH).flat_map(|index| [&b"GET "[..], &key(index), b"\r\n"].concat()).collect()),
    ];
    for (name, pipeline) in &cases {
        let mut parser = RequestParser::new();
        group.bench_function(*name, |bencher| bencher.iter(|| parse(&mut parser, black_box(pipeline), &limits)));
    }
    group.finish();
}

type Write = fn(&mut Reply<'_>);

fn encoding(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    group.throughput(Throughput::Elements(DEPTH as u64));
    let cases: [(&str, Write); 7] = [
        ("ok", |reply| reply.ok()),
        ("integer 1", |reply| reply.integer(black_box(1))),
        ("integer 1234567", |reply| reply.integer(black_box(1_234_567))),
        ("bulk of 64 bytes", |reply| reply.bulk(black_box(&VALUE))),
        ("null", |reply| reply.null()),
        ("double", |reply| reply.double(black_box(0.1))),
        ("error", |reply| reply.error(black_box(ReplyError::WrongType))),
    ];
    for (name, write) in cases {
        let mut output = Output::with_capacity(16 * 1024);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                output.clear();
                let mut reply = Reply::new(&mut output, Protocol::Resp2);
                (0..DEPTH).for_each(|_| write(&mut reply));
                black_box(&output);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, parsing, encoding);
criterion_main!(benches);

//! The parser and the encoder against the redis-protocol crate, and against random bytes.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use redis_protocol::resp2::types::{BytesFrame, OwnedFrame as Frame2};
use redis_protocol::resp3::types::{OwnedFrame as Frame3, VerbatimStringFormat};
use redis_protocol::{resp2, resp3};

use crate::limits::LARGE_VALUE_BYTES;
use crate::resp::double::DoubleText;
use crate::resp::fuzz::{self, Outcome};
use crate::resp::{Output, ParserLimits, Protocol, Reply};

type Pipeline = Vec<Vec<Vec<u8>>>;

fn pipeline() -> impl Strategy<Value = Pipeline> {
    let argument = prop_oneof![
        8 => prop::collection::vec(any::<u8>(), 0..24),
        1 => prop::collection::vec(any::<u8>(), 90..130),
        1 => prop::collection::vec(any::<u8>(), 990..1030),
    ];
    prop::collection::vec(prop::collection::vec(argument, 1..14), 0..5)
}

fn encode(pipeline: &[Vec<Vec<u8>>]) -> BytesMut {
    let mut encoded = BytesMut::new();
    for request in pipeline {
        let arguments = request.iter().cloned().map(|argument| BytesFrame::BulkString(argument.into()));
        let frame = BytesFrame::Array(arguments.collect());
        resp2::encode::extend_encode(&mut encoded, &frame, false).unwrap();
    }
    encoded
}

/// Bytes that look like requests, and break in every way.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            &b"*1\r\n$4\r\nPING\r\n"[..], b"*2\r\n", b"*0\r\n", b"*-1\r\n", b"*00\r\n", b"*11\r\n", b"*2000000\r\n",
            b"*", b"$", b"$1\r\na\r\n", b"$10\r\n0123456789\r\n", b"$0\r\n\r\n", b"$-1\r\n", b"$20000\r\n",
            b"$999999999999\r\n", b"\r\n", b"\r", b"\n", b"PING\r\n", b"SET k \"v\\x41\"\n", b"\"", b"'", b"\\", b" ",
            b"0", b"17",
        ]).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn limits() -> impl Strategy<Value = ParserLimits> {
    prop_oneof![Just(ParserLimits::default()), Just(ParserLimits::UNAUTHENTICATED)]
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(any::<usize>(), 0..6)
}

/// How many of the requests lie whole in the first `end` bytes.
fn whole(requests: &Pipeline, end: usize) -> usize {
    let ends_before = |count: &usize| encode(&requests[..*count]).len() <= end;
    (0..=requests.len()).take_while(ends_before).count() - 1
}

proptest! {
    #[test]
    fn whatever_the_oracle_writes_is_read(requests in pipeline(), cuts in cuts()) {
        let encoded = encode(&requests);
        let outcome = fuzz::requests(&encoded, &cuts, &ParserLimits::default());
        prop_assert_eq!(outcome, Outcome { requests, consumed: encoded.len(), error: None });
    }

    #[test]
    fn a_truncated_pipeline_gives_its_whole_requests(requests in pipeline(), end in any::<prop::sample::Index>()) {
        let encoded = encode(&requests);
        let end = end.index(encoded.len() + 1);
        let outcome = fuzz::requests(&encoded[..end], &[], &ParserLimits::default());
        prop_assert_eq!(&outcome.requests, &requests[..whole(&requests, end)]);
        prop_assert_eq!(outcome.error, None);
    }

    #[test]
    fn a_flipped_byte_breaks_nothing_before_it(requests in pipeline(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut encoded = encode(&requests);
        prop_assume!(!encoded.is_empty());
        let at = at.index(encoded.len());
        encoded[at] = byte;
        let outcome = fuzz::requests(&encoded, &[at], &ParserLimits::default());
        let untouched = whole(&requests, at);
        prop_assert_eq!(&outcome.requests[..untouched], &requests[..untouched]);
    }

    #[test]
    fn nearly_requests_are_survived(data in nearly(), cuts in cuts(), limits in limits()) {
        fuzz::requests(&data, &cuts, &limits);
    }

    #[test]
    fn random_bytes_are_survived(data in prop::collection::vec(any::<u8>(), 0..256), limits in limits()) {
        fuzz::requests(&data, &[], &limits);
    }
}

/// What a test replies with.
#[derive(Clone, Debug)]
enum Shape {
    Simple(String),
    Error(String),
    Integer(i64),
    Bulk(Vec<u8>),
    Shared(usize),
    BulkInteger(i64),
    Null,
    NullArray,
    Double(f64),
    Boolean(bool),
    Verbatim(String),
    BigNumber(String),
    Array(Vec<Shape>),
    Map(Vec<Shape>),
    Set(usize),
    Push(Vec<Shape>),
}

impl Shape {
    fn any() -> impl Strategy<Value = Shape> {
        let leaf = prop_oneof![
            "[ -~]{0,20}".prop_map(Shape::Simple),
            "ERR [ -~]{1,20}".prop_map(Shape::Error),
            any::<i64>().prop_map(Shape::Integer),
            (-1000_i64..1000).prop_map(Shape::Integer),
            prop::collection::vec(any::<u8>(), 0..1100).prop_map(Shape::Bulk),
            (LARGE_VALUE_BYTES - 2..LARGE_VALUE_BYTES + 3).prop_map(Shape::Shared),
            any::<i64>().prop_map(Shape::BulkInteger),
            Just(Shape::Null),
            Just(Shape::NullArray),
            any::<f64>().prop_map(Shape::Double),
            any::<bool>().prop_map(Shape::Boolean),
            "\\PC{0,20}".prop_map(Shape::Verbatim),
            "-?[1-9][0-9]{20,40}".prop_map(Shape::BigNumber),
            (0_usize..12).prop_map(Shape::Set),
        ];
        leaf.prop_recursive(3, 24, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Shape::Array),
                prop::collection::vec(inner, 0..6).prop_map(Shape::Map),
            ]
        })
    }

    fn write(&self, reply: &mut Reply<'_>) {
        match self {
            Shape::Simple(text) => reply.simple(text),
            Shape::Error(line) => reply.error_text(line),
            Shape::Integer(value) => reply.integer(*value),
            Shape::Bulk(value) => reply.bulk(value),
            Shape::Shared(len) => reply.bulk_shared(&Bytes::from(vec![b'v'; *len])),
            Shape::BulkInteger(value) => reply.bulk_integer(*value),
            Shape::Null => reply.null(),
            Shape::NullArray => reply.null_array(),
            Shape::Double(value) => reply.double(*value),
            Shape::Boolean(value) => reply.boolean(*value),
            Shape::Verbatim(text) => reply.verbatim("txt", text),
            Shape::BigNumber(digits) => reply.big_number(digits),
            Shape::Array(elements) => {
                reply.array(elements.len());
                elements.iter().for_each(|element| element.write(reply));
            }
            // Keys are their positions.
            Shape::Map(values) => {
                reply.map(values.len());
                for (key, value) in values.iter().enumerate() {
                    reply.integer(key as i64);
                    value.write(reply);
                }
            }
            Shape::Set(len) => {
                reply.set(*len);
                (0..*len).for_each(|member| reply.integer(member as i64));
            }
            Shape::Push(elements) => {
                reply.push(elements.len());
                elements.iter().for_each(|element| element.write(reply));
            }
        }
    }

    fn resp2(&self) -> Frame2 {
        let bulk = |text: String| Frame2::BulkString(text.into_bytes());
        match self {
            Shape::Simple(text) => Frame2::SimpleString(text.clone().into_bytes()),
            Shape::Error(line) => Frame2::Error(line.clone()),
            Shape::Integer(value) => Frame2::Integer(*value),
            Shape::Bulk(value) => Frame2::BulkString(value.clone()),
            Shape::Shared(len) => Frame2::BulkString(vec![b'v'; *len]),
            Shape::BulkInteger(value) => bulk(value.to_string()),
            Shape::Null | Shape::NullArray => Frame2::Null,
            Shape::Double(value) => Frame2::BulkString(DoubleText::new(*value).as_bytes().to_vec()),
            Shape::Boolean(value) => Frame2::Integer((*value).into()),
            Shape::Verbatim(text) | Shape::BigNumber(text) => bulk(text.clone()),
            Shape::Array(elements) | Shape::Push(elements) => {
                Frame2::Array(elements.iter().map(Shape::resp2).collect())
            }
            Shape::Map(values) => {
                let pairs = values.iter().enumerate();
                Frame2::Array(pairs.flat_map(|(key, value)| [Frame2::Integer(key as i64), value.resp2()]).collect())
            }
            Shape::Set(len) => Frame2::Array((0..*len).map(|member| Frame2::Integer(member as i64)).collect()),
        }
    }

    fn resp3(&self) -> Frame3 {
        let attributes = None;
        let number = |data: usize| Frame3::Number { data: data as i64, attributes: None };
        match self {
            Shape::Simple(text) => Frame3::SimpleString { data: text.clone().into_bytes(), attributes },
            Shape::Error(line) => Frame3::SimpleError { data: line.clone(), attributes },
            Shape::Integer(data) => Frame3::Number { data: *data, attributes },
            Shape::Bulk(value) => Frame3::BlobString { data: value.clone(), attributes },
            Shape::Shared(len) => Frame3::BlobString { data: vec![b'v'; *len], attributes },
            Shape::BulkInteger(value) => Frame3::BlobString { data: value.to_string().into_bytes(), attributes },
            Shape::Null | Shape::NullArray => Frame3::Null,
            Shape::Double(data) => Frame3::Double { data: *data, attributes },
            Shape::Boolean(data) => Frame3::Boolean { data: *data, attributes },
            Shape::Verbatim(text) => Frame3::VerbatimString {
                data: text.clone().into_bytes(),
                format: VerbatimStringFormat::Text,
                attributes,
            },
            Shape::BigNumber(digits) => Frame3::BigNumber { data: digits.clone().into_bytes(), attributes },
            Shape::Array(elements) => Frame3::Array { data: elements.iter().map(Shape::resp3).collect(), attributes },
            Shape::Map(values) => {
                let pairs = values.iter().enumerate().map(|(key, value)| (number(key), value.resp3()));
                Frame3::Map { data: pairs.collect(), attributes }
            }
            Shape::Set(len) => Frame3::Set { data: (0..*len).map(number).collect(), attributes },
            Shape::Push(elements) => Frame3::Push { data: elements.iter().map(Shape::resp3).collect(), attributes },
        }
    }
}

/// The bytes of one reply.
fn encoded(shape: &Shape, protocol: Protocol) -> Vec<u8> {
    let mut output = Output::new();
    shape.write(&mut Reply::new(&mut output, protocol));
    let bytes = output.pieces(0).collect::<Vec<_>>().concat();
    assert_eq!(bytes.len(), output.len());
    bytes
}

fn check(shape: &Shape) {
    let bytes = encoded(shape, Protocol::Resp2);
    let (frame, len) = resp2::decode::decode(&bytes).unwrap().expect("a whole frame");
    assert_eq!((frame, len), (shape.resp2(), bytes.len()));
    let bytes = encoded(shape, Protocol::Resp3);
    let (frame, len) = resp3::decode::complete::decode(&bytes).unwrap().expect("a whole frame");
    assert_eq!((frame, len), (shape.resp3(), bytes.len()));
}

proptest! {
    #[test]
    fn every_reply_is_what_the_oracle_reads(shape in Shape::any()) {
        check(&shape);
    }

    #[test]
    fn every_push_is_what_the_oracle_reads(shapes in prop::collection::vec(Shape::any(), 1..5)) {
        check(&Shape::Push(shapes));
    }
}

#[test]
fn infinities_are_what_the_oracle_reads() {
    check(&Shape::Double(f64::INFINITY));
    check(&Shape::Double(f64::NEG_INFINITY));
}

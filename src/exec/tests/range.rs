//! Parts of values.

use proptest::prelude::*;

use super::{Client, transcript};
use crate::limits::LARGE_VALUE_BYTES;

#[test]
fn append() {
    transcript(|t| {
        t.check("APPEND k 12", ":2");
        t.check_encoding("k", "int");
        t.check(r#"APPEND k """#, ":2");
        t.check_encoding("k", "raw");
        t.check("APPEND k 3", ":3");
        t.check("INCR k", ":124");
        t.check("SETEX k 10 a", "+OK");
        t.check(r#"APPEND k " b""#, ":3");
        t.check("GET k", r#""a b""#);
        t.check_ttl_ms("k", Some(10_000));
    });
}

#[test]
fn getrange() {
    transcript(|t| {
        t.check("SET k abcdef", "+OK");
        for command in ["GETRANGE", "SUBSTR"] {
            for (range, part) in [
                ("0 2", "abc"),
                ("0 -1", "abcdef"),
                ("-3 -2", "de"),
                ("4 100", "ef"),
                ("6 7", "\"\""),
                ("3 2", "\"\""),
                ("-1 -2", "\"\""),
                ("-100 -99", "a"),
                ("-99 -100", "\"\""),
                ("0 -100", "a"),
                ("1 -100", "\"\""),
                ("-9223372036854775808 9223372036854775807", "abcdef"),
                ("9223372036854775807 -9223372036854775808", "\"\""),
            ] {
                t.check(&format!("{command} k {range}"), part);
            }
        }
        t.check("GETRANGE missing 0 -1", "\"\"");
        t.check("GETRANGE missing 0 x", "-ERR value is not an integer or out of range");
        t.check("SET k 12345", "+OK");
        t.check("GETRANGE k 1 3", "234");
    });
}

#[test]
fn setrange() {
    transcript(|t| {
        t.check("SETRANGE k 2 ab", ":4");
        t.check("GET k", r#""\x00\x00ab""#);
        t.check_encoding("k", "raw");
        t.check("SETRANGE k 0 xy", ":4");
        t.check("GET k", "xyab");
        t.check(r#"SETRANGE k 100 """#, ":4");
        t.check(r#"SETRANGE l 100 """#, ":0");
        t.check_absent("l");
        t.check("SETEX n 10 12345", "+OK");
        t.check("SETRANGE n 6 7", ":7");
        t.check("GET n", r#""12345\x007""#);
        t.check_ttl_ms("n", Some(10_000));
        t.check("SETRANGE k -1 x", "-ERR offset is out of range");
        t.check("SETRANGE k 1.0 x", "-ERR value is not an integer or out of range");
    });
}

#[test]
fn strings_do_not_outgrow_the_limit() {
    let too_long = "-ERR string exceeds maximum allowed size (proto-max-bulk-len)";
    transcript(|t| {
        t.bulk_bytes_max = 10;
        t.check("SETRANGE k 8 abc", too_long);
        t.check("SETRANGE k 9223372036854775807 abc", too_long);
        t.check_absent("k");
        t.check("SETRANGE k 7 abc", ":10");
        t.check("APPEND k x", too_long);
        t.check(r#"APPEND k """#, ":10");
        t.check("SETBIT k 79 1", ":1");
        t.check("SETBIT k 80 1", "-ERR bit offset is not an integer or out of range");
        t.bulk_bytes_max = usize::MAX;
        t.check("SETRANGE k 9223372036854775807 abc", too_long);
        t.check("SETBIT k 9223372036854775807 1", "-ERR bit offset is not an integer or out of range");
    });
}

#[derive(Clone, Debug)]
enum Step {
    Set(Vec<u8>),
    Append(Vec<u8>),
    Setrange(usize, Vec<u8>),
    Getrange(i64, i64),
    Get,
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || {
        prop_oneof![
            4 => proptest::collection::vec(any::<u8>(), 0..40),
            1 => Just(b"1234".to_vec()),
            1 => (LARGE_VALUE_BYTES - 5..LARGE_VALUE_BYTES + 50).prop_map(|len| vec![7; len]),
        ]
    };
    let place = || prop_oneof![-60..60_i64, -50_000..50_000_i64, any::<i64>()];
    prop_oneof![
        1 => bytes().prop_map(Step::Set),
        3 => bytes().prop_map(Step::Append),
        3 => (prop_oneof![0..60_usize, 0..40_000_usize], bytes()).prop_map(|(at, bytes)| Step::Setrange(at, bytes)),
        4 => (place(), place()).prop_map(|(start, end)| Step::Getrange(start, end)),
        1 => Just(Step::Get),
    ]
}

/// The range as the documentation of Redis tells it, one place after the other.
fn model_range(value: &[u8], start: i64, end: i64) -> Vec<u8> {
    let len = value.len() as i128;
    let (start, end) = (i128::from(start), i128::from(end));
    if start < 0 && end < 0 && start > end {
        return Vec::new();
    }
    let place = |at: i128| if at < 0 { (at + len).max(0) } else { at };
    (0..len).filter(|at| (place(start)..=place(end)).contains(at)).map(|at| value[at as usize]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_string_is_a_vector(steps in proptest::collection::vec(step(), 1..40)) {
        let mut client = Client::new();
        let mut model = Vec::new();
        let bulk = |bytes: &[u8]| [format!("${}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
        client.command(&[b"SET", b"k", b""]);
        for step in steps {
            let (reply, expected) = match step {
                Step::Set(bytes) => {
                    model = bytes;
                    (client.run(&[b"SET", b"k", &model]), b"+OK\r\n".to_vec())
                }
                Step::Append(bytes) => {
                    model.extend_from_slice(&bytes);
                    let expected = format!(":{}\r\n", model.len()).into_bytes();
                    (client.run(&[b"APPEND", b"k", &bytes]), expected)
                }
                Step::Setrange(at, bytes) => {
                    if !bytes.is_empty() {
                        model.resize(model.len().max(at + bytes.len()), 0);
                        model[at..at + bytes.len()].copy_from_slice(&bytes);
                    }
                    let expected = format!(":{}\r\n", model.len()).into_bytes();
                    (client.run(&[b"SETRANGE", b"k", at.to_string().as_bytes(), &bytes]), expected)
                }
                Step::Getrange(start, end) => {
                    let (from, to) = (start.to_string(), end.to_string());
                    let reply = client.run(&[b"GETRANGE", b"k", from.as_bytes(), to.as_bytes()]);
                    (reply, bulk(&model_range(&model, start, end)))
                }
                Step::Get => (client.run(&[b"GET", b"k"]), bulk(&model)),
            };
            prop_assert_eq!(reply, expected);
        }
    }
}

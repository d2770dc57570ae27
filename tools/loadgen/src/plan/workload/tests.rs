//! Workloads as bytes: what each name and template sends, that servers can read it, and where it belongs in a cluster.

use corewise::base;
use corewise::resp::{ParserLimits, RequestParser};
use proptest::prelude::*;

use super::*;
use crate::plan::{Source, value};

fn workload(text: &str) -> Workload {
    Workload::parse(text, Shape::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str, shape: Shape) -> String {
    Workload::parse(text, shape).unwrap_err().0
}

fn encoded(workload: &Workload, operation: Operation) -> Vec<u8> {
    let (mut once, mut twice) = (Vec::new(), b"before".to_vec());
    workload.encode(&operation, &mut once);
    workload.encode(&operation, &mut twice);
    assert_eq!(twice[6..], once, "the same bytes each time, behind what is there");
    once
}

/// The words of each request, as the server's own parser reads them.
fn requests(mut bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let (mut parser, mut requests) = (RequestParser::new(), Vec::new());
    while !bytes.is_empty() {
        let used = parser.parse(bytes, &ParserLimits::default()).unwrap().expect("a whole request");
        requests.push(parser.request(bytes).iter().map(<[u8]>::to_vec).collect());
        bytes = &bytes[used..];
    }
    requests
}

/// Compares the bytes of operation (kind, key 42, size, salt 7); `~` in the expectation stands for noise.
#[track_caller]
fn check_with(text: &str, shape: Shape, kind: u8, size: u32, expected: &str) {
    let workload = Workload::parse(text, shape).unwrap();
    let found = encoded(&workload, Operation { kind, key: 42, size, salt: 7 });
    let same = |(found, expected): (&u8, u8)| expected == b'~' || *found == expected;
    let text_found = String::from_utf8_lossy(&found);
    assert_eq!(found.len(), expected.len(), "{text}: {text_found:?}");
    assert!(found.iter().zip(expected.bytes()).all(same), "{text}: {text_found:?}");
}

#[track_caller]
fn check(text: &str, size: u32, expected: &str) {
    check_with(text, Shape::default(), 0, size, expected);
}

const KEY: &str = "$16\r\nkey:000000000042\r\n";

#[test]
fn names_as_bytes() {
    let set = format!("*3\r\n$3\r\nSET\r\n{KEY}$5\r\n~~~~~\r\n");
    let get = format!("*2\r\n$3\r\nGET\r\n{KEY}");
    check("get", 64, &get);
    check("set", 5, &set);
    check("set", 0, &format!("*3\r\n$3\r\nSET\r\n{KEY}$0\r\n\r\n"));
    check("fill", 5, &set);
    check("mixed 9:1", 5, &get);
    check_with("mixed 9:1", Shape::default(), 1, 5, &set);
    check("ping", 0, "*1\r\n$4\r\nPING\r\n");
    check("incr", 0, "*2\r\n$4\r\nINCR\r\n$20\r\ncounter:000000000042\r\n");
    check("mget 2", 2, &format!("*3\r\n$4\r\nMGET\r\n{KEY}$16\r\nkey:~~~~~~~~~~~~\r\n"));
    let value = "~".repeat(64);
    check(
        "mset 2",
        2,
        &format!("*5\r\n$4\r\nMSET\r\n{KEY}$64\r\n{value}\r\n$16\r\nkey:~~~~~~~~~~~~\r\n$64\r\n{value}\r\n"),
    );
    let expiring = Shape { ttl_s: Some(60), ..Shape::default() };
    check_with("set", expiring, 0, 5, &format!("*5\r\n$3\r\nSET\r\n{KEY}$5\r\n~~~~~\r\n$2\r\nEX\r\n$2\r\n60\r\n"));
    for (size, header) in [(9, "$9"), (10, "$10"), (99, "$99"), (100, "$100"), (1000, "$1000"), (20_000, "$20000")] {
        let value = "~".repeat(size as usize);
        check("set", size, &format!("*3\r\n$3\r\nSET\r\n{KEY}{header}\r\n{value}\r\n"));
    }
}

#[test]
fn ycsb_as_bytes() {
    let set = format!("*3\r\n$3\r\nSET\r\n{KEY}$5\r\n~~~~~\r\n");
    let get = format!("*2\r\n$3\r\nGET\r\n{KEY}");
    for (name, kind, expected) in [
        ("ycsb-a", 0, &get),
        ("ycsb-a", 1, &set),
        ("ycsb-b", 1, &set),
        ("ycsb-c", 0, &get),
        ("ycsb-d", 1, &set),
        ("ycsb-e", 1, &set),
        ("ycsb-f", 0, &get),
        ("ycsb-f", 1, &format!("{get}{set}")),
    ] {
        check_with(name, Shape::default(), kind, 5, expected);
    }
    let scan = "*4\r\n$4\r\nMGET\r\n$16\r\nkey:000000000042\r\n$16\r\nkey:000000000043\r\n$16\r\nkey:000000000044\r\n";
    check("ycsb-e", 3, scan);
    let kinds = workload("ycsb-f").kinds().to_vec();
    assert_eq!(kinds[1], Kind { name: "READ-MODIFY-WRITE".to_owned(), share: 0.5, replies: 2, reads: true });
    assert_eq!(kinds[0].replies, 1);
}

#[test]
fn templates_as_bytes() {
    check("ZADD board 1 __key__", 0, &format!("*4\r\n$4\r\nZADD\r\n$5\r\nboard\r\n$1\r\n1\r\n{KEY}"));
    check("LPUSH list __seq__", 0, "*3\r\n$5\r\nLPUSH\r\n$4\r\nlist\r\n$1\r\n7\r\n");
    check("SET __key__ <__value__>", 3, &format!("*3\r\n$3\r\nSET\r\n{KEY}$5\r\n<~~~>\r\n"));
    check("SET a:__key__:b \"x y\"", 0, "*3\r\n$3\r\nSET\r\n$20\r\na:key:000000000042:b\r\n$3\r\nx y\r\n");
    check("SMOVE __key__ __key2__ __key__", 0, &format!("*4\r\n$5\r\nSMOVE\r\n{KEY}$16\r\nkey:~~~~~~~~~~~~\r\n{KEY}"));
    check("GETBIT __key__ __int:5-5__", 0, &format!("*3\r\n$6\r\nGETBIT\r\n{KEY}$1\r\n5\r\n"));
    check("HGET __key__ __field:1__", 0, &format!("*3\r\n$4\r\nHGET\r\n{KEY}$7\r\nfield:0\r\n"));
    check("SET __rand_int__ __data__", 2, "*3\r\n$3\r\nSET\r\n$12\r\n~~~~~~~~~~~~\r\n$2\r\n~~\r\n");
    let transaction = format!("*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n{KEY}*1\r\n$4\r\nEXEC\r\n");
    check("MULTI; INCR __key__; EXEC", 0, &transaction);
    let kind = workload("MULTI; INCR __key__; EXEC").kinds()[0].clone();
    assert_eq!((kind.name.as_str(), kind.replies, kind.reads), ("MULTI+INCR+EXEC", 3, false));
    assert!(workload("hget __key__ __field__").kinds()[0].reads);
}

#[test]
fn several_items_have_their_shares_and_names_of_their_own() {
    let kinds = workload("6: get | 3: GET other:__key__ | 1: mixed 1:1").kinds().to_vec();
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name.as_str()).collect();
    assert_eq!(names, ["GET", "GET-2", "GET-3", "SET"]);
    let shares: Vec<f64> = kinds.iter().map(|kind| (kind.share * 100.0).round()).collect();
    assert_eq!(shares, [60.0, 30.0, 5.0, 5.0]);
}

#[test]
fn what_is_left_open_is_the_workloads_choice() {
    let resolved = |text: &str| {
        let shape = workload(text).shape().clone();
        (shape.keys.spread.unwrap(), shape.sizes.unwrap())
    };
    assert_eq!(resolved("get"), (Spread::Uniform, Sizes::Fixed(64)));
    assert_eq!(resolved("ycsb-a"), (Spread::Zipf(0.99), Sizes::Fixed(1000)));
    assert_eq!(resolved("ycsb-d"), (Spread::Latest, Sizes::Fixed(1000)));
    let keys = KeySpec { spread: Some(Spread::Uniform), prefix: Some("k".to_owned()), ..KeySpec::default() };
    let asked = Shape { keys, sizes: Some(Sizes::Fixed(10)), ..Shape::default() };
    let shape = Workload::parse("ycsb-a", asked.clone()).unwrap().shape().clone();
    assert_eq!((shape.keys.spread, shape.sizes), (Some(Spread::Uniform), Some(Sizes::Fixed(10))));
    let incr = Workload::parse("incr", asked).unwrap();
    assert_eq!(requests(&encoded(&incr, Operation::default()))[0][1], b"k000000000000");
}

#[test]
fn memcached_as_bytes() {
    let shape = || Shape { protocol: Protocol::Memcached, ..Shape::default() };
    check_with("get", shape(), 0, 5, "get key:000000000042\r\n");
    check_with("set", shape(), 0, 5, "set key:000000000042 0 0 5\r\n~~~~~\r\n");
    check_with("set", Shape { ttl_s: Some(60), ..shape() }, 0, 5, "set key:000000000042 0 60 5\r\n~~~~~\r\n");
    check_with("mixed 1:1", shape(), 1, 5, "set key:000000000042 0 0 5\r\n~~~~~\r\n");
    check_with("ycsb-f", shape(), 1, 5, "get key:000000000042\r\nset key:000000000042 0 0 5\r\n~~~~~\r\n");
    for text in ["mget 2", "incr", "ping", "GET a__key__", "GET plain", "SET __key__ __value__ NX", "SET __key__ x"] {
        assert!(error(text, shape()).contains("memcached"), "{text}");
    }
    assert!(error("set", Shape { ttl_s: Some(40 * 86_400), ..shape() }).contains("30 days"));
    let keys = |prefix: &str| KeySpec { prefix: Some(prefix.to_owned()), ..KeySpec::default() };
    assert!(error("get", Shape { keys: keys("a b"), ..shape() }).contains("no blanks"));
    assert!(error("get", Shape { keys: keys(&"a".repeat(240)), ..shape() }).contains("250 bytes"));
    check_with("get", Shape { keys: keys(""), ..shape() }, 0, 5, "get 000000000042\r\n");
}

#[test]
fn wrong_workloads_are_told_why() {
    let plain = |text: &str| error(text, Shape::default());
    assert!(plain("gte").contains("there is no workload \"gte\""));
    assert!(plain("GET __kye__").contains("__kye__ is no placeholder: there are __key__"));
    assert!(plain("SUBSCRIBE news").contains("cannot be measured"));
    assert!(plain("client reply off").contains("cannot be measured"));
    assert!(plain("MGET __keys:3__ __keys:4__").contains("equally many"));
    assert!(plain("fill | get").contains("cannot be mixed"));
    assert!(plain("").contains("empty part"));
    let shape = |ttl_s| Shape { ttl_s, ..Shape::default() };
    assert!(error("get", shape(Some(5))).contains("time to live"));
    assert!(error("SET __key__ x", shape(Some(5))).contains("a template says it itself"));
    assert!(error("set", shape(Some(0))).contains("at least a second"));
    let keys = |count| Shape { keys: KeySpec { count, ..KeySpec::default() }, ..Shape::default() };
    assert!(error("get", keys(0)).contains("between 1 and"));
    assert!(error("get", keys(KEYS_MAX + 1)).contains("between 1 and"));
}

#[test]
fn slots_are_those_of_the_key() {
    let operation = Operation { key: 42, size: 3, salt: 9, ..Operation::default() };
    let slot = |name: &str| Some(base::slot(name.as_bytes()).0);
    for text in ["get", "set", "mget 3", "GET __key__", "MULTI; INCR __key__; EXEC", "ycsb-e", "EVAL x 1 __key__"] {
        assert_eq!(workload(text).slot(&operation), slot("key:000000000042"), "{text}");
    }
    assert_eq!(workload("GET a:__key__:b").slot(&operation), slot("a:key:000000000042:b"));
    assert_eq!(workload("ZADD board 1 __member__").slot(&operation), slot("board"));
    assert_eq!(workload("LPUSH __seq__ x").slot(&operation), slot("9"));
    assert_eq!(workload("ping").slot(&operation), None);
    let prefix = "p".repeat(300);
    let keys = KeySpec { prefix: Some(prefix.clone()), ..KeySpec::default() };
    let long = Workload::parse("get", Shape { keys, ..Shape::default() }).unwrap();
    assert_eq!(long.slot(&operation), slot(&format!("{prefix}000000000042")));
}

#[test]
fn keys_of_one_operation_share_a_slot_in_a_cluster() {
    let shape = || Shape { hash_tags: true, ..Shape::default() };
    check_with("get", shape(), 0, 0, "*2\r\n$3\r\nGET\r\n$18\r\nkey:{0000000000}42\r\n");
    for text in ["mget 100", "ycsb-e", "mset 7", "SMOVE __key__ __key2__ x"] {
        let workload = std::sync::Arc::new(Workload::parse(text, shape()).unwrap());
        let mut source = Source::new(workload.clone(), 1, 0, 1);
        for operation in (0..200).map_while(|_| source.draw()) {
            let slot = workload.slot(&operation);
            for request in requests(&encoded(&workload, operation)) {
                let keys = request.iter().filter(|word| word.starts_with(b"key:{"));
                assert!(keys.clone().count() > 0 && keys.clone().all(|key| Some(base::slot(key).0) == slot), "{text}");
            }
        }
    }
    assert!(error("mget 101", shape()).contains("share a hash tag"));
    let keys = KeySpec { prefix: Some("{all}:".to_owned()), ..KeySpec::default() };
    check_with("get", Shape { keys, ..shape() }, 0, 0, "*2\r\n$3\r\nGET\r\n$18\r\n{all}:000000000042\r\n");
}

#[test]
fn marked_values_come_back_with_key_and_version() {
    let shape = || Shape { marked: true, sizes: Some(Sizes::Range(1, 100)), ..Shape::default() };
    let set = Workload::parse("set", shape()).unwrap();
    for (key, version) in [(0, 0), (42, 1), (99_999, u64::MAX)] {
        let operation = Operation { kind: 0, key, size: set.size_of(key), salt: version };
        assert!(operation.size >= 24);
        let request = &requests(&encoded(&set, operation))[0];
        assert_eq!(request[1], set.key_name(key));
        assert_eq!(value::decode(&request[2]), Ok((key, version)));
    }
    let mset = Workload::parse("mset 3", shape()).unwrap();
    let request = &requests(&encoded(&mset, Operation { kind: 0, key: 5, size: 3, salt: 6 }))[0];
    for pair in request[1..].chunks(2) {
        let (key, version) = value::decode(&pair[1]).unwrap();
        assert_eq!((pair[0].clone(), version), (mset.key_name(key), 6));
    }
}

#[test]
fn keys_of_one_operation_are_drawn_one_by_one() {
    let several = workload("mget 5");
    let names = |salt| requests(&encoded(&several, Operation { kind: 0, key: 1, size: 5, salt }))[0][1..].to_vec();
    assert_eq!(names(1)[0], b"key:000000000001");
    assert_ne!(names(1)[1..], names(2)[1..]);
    assert_ne!(names(1)[1], names(1)[2]);
}

#[test]
fn every_value_has_its_own_bytes() {
    let set = workload("set");
    let value = |salt| requests(&encoded(&set, Operation { kind: 0, key: 1, size: 64, salt }))[0][2].clone();
    let values: std::collections::HashSet<Vec<u8>> = (0..100).map(value).collect();
    assert!(values.len() > 95, "{}", values.len());
}

proptest! {
    /// Whatever is drawn, the server's parser reads what was meant, with as many requests as replies are awaited.
    #[test]
    fn servers_can_read_what_is_sent(
        text in prop::sample::select(vec![
            "get", "set", "mixed 1:1", "mget 7", "mset 3", "incr", "ping", "ycsb-a", "ycsb-d", "ycsb-e", "ycsb-f",
            "ZADD board __score__ __member__", "HSET __key__ __field__ __value__ __field__ x__int__",
            "MULTI; INCRBY __key__ __int:0-99__; EXEC", "LPUSH __key2__ __seq__-__value__", "DEL __keys:1-9__",
            "3: MSET __pairs:1-4__ | GET __key__", "SET \"a b\" ''",
        ]),
        seed: u64, count in 1u64..5000, least in 0u32..300, more in 0u32..40_000, tags: bool, marked: bool,
    ) {
        let keys = KeySpec { count, ..KeySpec::default() };
        let sizes = Some(Sizes::Range(least, least + more));
        let shape = Shape { keys, sizes, hash_tags: tags, marked, ..Shape::default() };
        let workload = std::sync::Arc::new(Workload::parse(text, shape).unwrap());
        let mut source = Source::new(workload.clone(), seed, 0, 1);
        for operation in (0..20).map_while(|_| source.draw()) {
            let kind = &workload.kinds()[usize::from(operation.kind)];
            let requests = requests(&encoded(&workload, operation));
            prop_assert_eq!(requests.len(), usize::from(kind.replies));
            if matches!(kind.name.as_str(), "SET" | "UPDATE" | "INSERT") && text != "SET \"a b\" ''" {
                prop_assert_eq!(requests[0][2].len(), operation.size as usize);
                prop_assert_eq!(requests[0][1].clone(), workload.key_name(operation.key));
            }
            if kind.name == "SCAN" {
                prop_assert_eq!(requests[0].len(), 1 + operation.size as usize);
            }
        }
    }

    #[test]
    fn any_text_gets_an_answer(text in "(__[a-z0-9:-]{0,9}__|[A-Za-z ;|:'\"0-9]){0,12}|.*") {
        if let Ok(workload) = Workload::parse(&text, Shape::default()) {
            let operation = Operation { kind: 0, key: 1, size: 3, salt: 4 };
            prop_assert_eq!(requests(&encoded(&workload, operation)).len(), usize::from(workload.kinds()[0].replies));
            let _ = workload.slot(&operation);
        }
    }
}

//! Commands over several cores whose keys follow from values.

use crate::engine::testing::Node;
use crate::mesh::LendingMode;

/// Asks the same of a node of one core and of one of three, from each of its cores, with every way of lending.
fn as_on_one_core(requests: &[&str]) {
    for lending in [LendingMode::Never, LendingMode::Usual, LendingMode::Always] {
        for core in 0..3 {
            let mut one = Node::new(1);
            let mut three = Node::with(3, lending, |_| {});
            let (alone, client) = (one.connect(0), three.connect(core));
            for request in requests {
                let expected = one.run(alone, request);
                three.check(client, request, &expected);
            }
        }
    }
}

#[test]
fn sort_reads_keys_of_every_core() {
    as_on_one_core(&[
        "RPUSH l 1 2 3 4 5 6 7 8 9",
        "MSET w_1 5 w_2 3 w_3 8 w_5 1 w_6 9 w_7 2 w_8 7 w_9 6",
        "HSET h_1 f one",
        "HSET h_2 f two g 2",
        "HSET h_3 f three",
        "SORT l BY w_*",
        "SORT l BY w_* DESC GET # GET h_*->f LIMIT 0 5",
        "SORT_RO l BY h_*->f ALPHA GET #",
        "SORT l GET w_* STORE m",
        "LRANGE m 0 -1",
        "SORT l BY w_* GET # GET h_*->g STORE l",
        "LRANGE l 0 -1",
        "SORT none BY w_* GET h_*",
        "SORT none GET w_* STORE l",
        "EXISTS l m w_1 h_1",
        "SORT w_1 GET w_*",
        "RPUSH k 1 1 x",
        "SORT k BY w_* GET w_* GET k*",
        "SORT k BY x_* GET x_*->x",
        "SORT k GET w_*",
        "LRANGE k 0 -1",
        "MGET w_1 w_2 w_3 w_4",
        "DBSIZE",
    ]);
}

#[test]
fn sort_by_pattern_waits_for_its_turn() {
    for lending in [LendingMode::Never, LendingMode::Always] {
        let mut node = Node::with(2, lending, |_| {});
        let (first, second) = (node.connect(0), node.connect(1));
        node.check(first, "RPUSH l a b c d e f", "(integer) 6");
        node.check(second, "MSET w_a 6 w_b 5 w_c 4 w_d 3 w_e 2 w_f 1", "OK");
        for _ in 0..10 {
            node.send(first, "SORT l BY w_*");
            node.send(second, "SORT l BY w_* GET w_*");
            node.send(first, "MSET w_a 6 w_b 5");
            assert_eq!(node.received(second), r#"["1", "2", "3", "4", "5", "6"]"#);
            assert_eq!(node.received(first), r#"["f", "e", "d", "c", "b", "a"] OK"#);
        }
        assert!(node.engines.iter().all(|engine| engine.ledger.is_empty()));
    }
}

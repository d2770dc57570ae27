//! Collections whose keys lie on several cores, and fields that fall due while their cores sleep.

use super::tests::key_of;
use crate::engine::testing::Node;
use crate::mesh::LendingMode;

const ALL: [LendingMode; 3] = [LendingMode::Never, LendingMode::Usual, LendingMode::Always];

#[test]
fn fields_fall_due_on_cores_that_nobody_asks() {
    for lending in ALL {
        let mut node = Node::with(2, lending, |_| {});
        let client = node.connect(0);
        for core in 0..2 {
            node.check(client, &format!("HSETEX {} PX 50 FIELDS 2 a 1 b 2", key_of(core)), "(integer) 1");
        }
        node.check(client, "DBSIZE", "(integer) 2");
        node.pass_ms(40);
        node.check(client, "DBSIZE", "(integer) 2");
        node.pass_ms(11);
        node.check(client, "DBSIZE", "(integer) 0");
        assert!(node.run(client, "INFO stats").contains("expired_subkeys:4"));
    }
}

#[test]
fn deadlines_of_fields_travel_between_cores() {
    for lending in ALL {
        let mut node = Node::with(2, lending, |_| {});
        let client = node.connect(0);
        let (here, there) = (key_of(0), key_of(1));
        node.check(client, &format!("HSET {here} a 1 b 2"), "(integer) 2");
        node.check(client, &format!("COPY {here} {there}"), "(integer) 1");
        assert!(node.run(client, &format!("HPEXPIRE {here} 50 FIELDS 1 a")).contains("(integer) 1"));
        node.check(client, &format!("RENAME {here} {there}"), "OK");
        assert!(node.run(client, &format!("HPTTL {there} FIELDS 1 a")).contains("(integer) 50"));
        node.check(client, &format!("COPY {there} {here}"), "(integer) 1");
        node.pass_ms(51);
        for key in [&here, &there] {
            node.check(client, &format!("HLEN {key}"), "(integer) 1");
            assert!(node.run(client, &format!("HPTTL {key} FIELDS 2 a b")).contains("(integer) -1"));
        }
        assert!(node.run(client, "INFO stats").contains("expired_subkeys:2"), "on the cores that have them");
    }
}

#[test]
fn sets_of_several_cores_are_combined() {
    for lending in ALL {
        let mut node = Node::with(2, lending, |_| {});
        let client = node.connect(0);
        let (here, there) = (key_of(0), key_of(1));
        node.check(client, &format!("SADD {here} 1 2 3"), "(integer) 3");
        node.check(client, &format!("SADD {there} 2 3 4"), "(integer) 3");
        node.check(client, &format!("SINTERCARD 2 {here} {there}"), "(integer) 2");
        node.check(client, &format!("SMOVE {here} {there} 1"), "(integer) 1");
        node.check(client, &format!("SDIFFSTORE result {there} {here}"), "(integer) 2");
        node.check(client, "SISMEMBER result 4", "(integer) 1");
        node.check(client, &format!("SINTERSTORE {there} {here} {there}"), "(integer) 2");
        node.check(client, &format!("SUNIONSTORE {here} {here} result"), "(integer) 4");
        node.check(client, &format!("SCARD {there}"), "(integer) 2");
    }
}

//! The default tests of redis-benchmark, as they are without `-r`: values of 3 bytes, and `__rand_int__` stands for itself.
//! So SADD finds its member, and SPOP and ZPOPMIN find nothing. Lists are as long as the pushes before have made them.

use std::ops::RangeInclusive;

use crate::node::{DEPTH, Node, Pipeline, Way, request};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Test {
    PingInline,
    Ping,
    Incr,
    Lpush,
    Rpush,
    Lpop,
    Rpop,
    Sadd,
    Hset,
    Spop,
    Zadd,
    Zpopmin,
    Lrange100,
    Lrange300,
    Lrange500,
    Lrange600,
    Mset,
}

impl Test {
    pub(crate) const ALL: [Test; 17] = [
        Test::PingInline,
        Test::Ping,
        Test::Incr,
        Test::Lpush,
        Test::Rpush,
        Test::Lpop,
        Test::Rpop,
        Test::Sadd,
        Test::Hset,
        Test::Spop,
        Test::Zadd,
        Test::Zpopmin,
        Test::Lrange100,
        Test::Lrange300,
        Test::Lrange500,
        Test::Lrange600,
        Test::Mset,
    ];

    /// A node of one core that has been sent the test's pipeline once.
    pub(crate) fn node(self) -> Node {
        Node::prepared(Way::Lone, self.preparation(), self.pipeline())
    }

    /// What makes that the pipeline finds what it asks for.
    fn preparation(self) -> Pipeline {
        match self {
            Test::Lpush | Test::Rpush | Test::Lpop | Test::Rpop => list(2000, 7..=8),
            Test::Lrange100 | Test::Lrange300 | Test::Lrange500 | Test::Lrange600 => list(100, 6..=7),
            _ => Test::Ping.pipeline(),
        }
    }

    fn pipeline(self) -> Pipeline {
        let element = "element:__rand_int__";
        match self {
            Test::PingInline => Pipeline { bytes: "PING\r\n".repeat(DEPTH).into_bytes(), reply_bytes: 7..=7 },
            Test::Ping => same(&["PING"], 7..=7),
            Test::Incr => same(&["INCR", "counter:__rand_int__"], 4..=8),
            Test::Lpush => same(&["LPUSH", "mylist", "xxx"], 8..=9),
            Test::Rpush => same(&["RPUSH", "mylist", "xxx"], 8..=9),
            Test::Lpop => same(&["LPOP", "mylist"], 9..=9),
            Test::Rpop => same(&["RPOP", "mylist"], 9..=9),
            Test::Sadd => same(&["SADD", "myset", element], 4..=4),
            Test::Hset => same(&["HSET", "myhash", element, "xxx"], 4..=4),
            Test::Spop => same(&["SPOP", "myset"], 5..=5),
            Test::Zadd => same(&["ZADD", "myzset", "0", element], 4..=4),
            Test::Zpopmin => same(&["ZPOPMIN", "myzset"], 4..=4),
            Test::Lrange100 => range("99", 100),
            Test::Lrange300 => range("299", 300),
            Test::Lrange500 => range("499", 500),
            Test::Lrange600 => range("599", 600),
            Test::Mset => same(&[&["MSET"], &["key:__rand_int__", "xxx"].repeat(10)[..]].concat(), 5..=5),
        }
    }
}

/// The same request again and again.
fn same(words: &[&str], reply_bytes: RangeInclusive<usize>) -> Pipeline {
    Pipeline { bytes: request(words).repeat(DEPTH).into_bytes(), reply_bytes }
}

/// A list, so many elements with each request.
fn list(elements: usize, reply_bytes: RangeInclusive<usize>) -> Pipeline {
    same(&[&["RPUSH", "mylist"], &vec!["xxx"; elements][..]].concat(), reply_bytes)
}

/// The front of the list, up to the element number `stop`.
fn range(stop: &str, count: usize) -> Pipeline {
    let reply_bytes = format!("*{count}\r\n").len() + count * "$3\r\nxxx\r\n".len();
    same(&["LRANGE", "mylist", "0", stop], reply_bytes..=reply_bytes)
}

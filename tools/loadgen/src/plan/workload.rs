//! Workloads by name, and how an operation becomes bytes.

use super::{KeySpec, Operation, PlanError, Sizes};

/// What a workload is made with.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Shape {
    /// Its keys.
    pub keys: KeySpec,
    /// Its values.
    pub sizes: Sizes,
    /// Seconds that what is set lives; none: forever.
    pub ttl_s: Option<u64>,
    /// The protocol that the server speaks.
    pub protocol: Protocol,
    /// Keys of one operation get one hash tag, so that a cluster takes them.
    pub hash_tags: bool,
}

/// What is spoken on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Protocol {
    /// RESP2, and RESP3 after HELLO.
    #[default]
    Redis,
    /// The text protocol of memcached (get and set).
    Memcached,
}

/// One kind of operation in a workload.
#[derive(Clone, PartialEq, Debug)]
pub struct Kind {
    /// What reports call it: `GET`.
    pub name: String,
    /// Its share of the operations, 0 to 1.
    pub share: f64,
    /// Replies that an operation of this kind gets.
    pub replies: u16,
    /// Whether a null reply is a miss (and any other a hit).
    pub reads: bool,
}

/// What is sent.
#[derive(Clone, PartialEq, Debug)]
pub struct Workload {
    kinds: Vec<Kind>,
    shape: Shape,
}

impl Workload {
    /// Reads a name (`get`, `mixed 9:1`, `ycsb-a`) or a command template (`ZADD board __score__ __key__`).
    pub fn parse(text: &str, shape: Shape) -> Result<Self, PlanError> {
        let kind = |name: &str, reads| Kind { name: name.to_owned(), share: 1.0, replies: 1, reads };
        match text {
            "get" => Ok(Self { kinds: vec![kind("GET", true)], shape }),
            "set" => Ok(Self { kinds: vec![kind("SET", false)], shape }),
            _ => Err(PlanError(format!("{text}: there is no such workload"))),
        }
    }

    /// Its kinds of operation, by [`Operation::kind`].
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// What it was made with.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Appends the request (or requests) of an operation.
    pub fn encode(&self, operation: &Operation, out: &mut Vec<u8>) {
        const NOISE: [u8; 4096] = [b'x'; 4096];
        let key = format!("{}{:012}", self.shape.keys.prefix, operation.key);
        let head: &[u8] = if self.kinds[0].reads { b"*2\r\n$3\r\nGET\r\n$" } else { b"*3\r\n$3\r\nSET\r\n$" };
        out.extend_from_slice(head);
        out.extend_from_slice(key.len().to_string().as_bytes());
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(key.as_bytes());
        out.extend_from_slice(b"\r\n");
        if !self.kinds[0].reads {
            out.extend_from_slice(b"$");
            out.extend_from_slice(operation.size.to_string().as_bytes());
            out.extend_from_slice(b"\r\n");
            out.extend_from_slice(&NOISE[..operation.size as usize]);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// The hash slot of an operation's key; none if it has no key.
    pub fn slot(&self, _operation: &Operation) -> Option<u16> {
        None
    }
}

//! Framing and the map: the least that a GET and a SET need.
//!
//! Keys are looked up in two passes over a few requests: the first only touches their entries, so that the cache misses
//! of a pipeline overlap instead of queueing behind each other. A limit that left that out would be none.

use std::hint::black_box;

use hashbrown::HashTable;

/// Requests that are looked up together.
const TOGETHER: usize = 16;

/// All data of the floor.
#[derive(Default)]
pub(crate) struct Store {
    table: HashTable<Entry>,
    hasher: ahash::RandomState,
}

/// Key and value in one allocation.
struct Entry {
    bytes: Box<[u8]>,
    key_len: usize,
}

/// The first arguments of a request (the floor needs no more), and the hash of its key.
#[derive(Clone, Copy, Default)]
struct Request<'a> {
    arguments: [&'a [u8]; 3],
    count: usize,
    hash: u64,
}

impl Entry {
    fn new(key: &[u8], value: &[u8]) -> Self {
        Self { bytes: [key, value].concat().into(), key_len: key.len() }
    }

    fn key(&self) -> &[u8] {
        &self.bytes[..self.key_len]
    }

    fn value(&mut self) -> &mut [u8] {
        &mut self.bytes[self.key_len..]
    }
}

impl Store {
    /// Answers every complete request at the head of `input` and says how many bytes they were.
    pub(crate) fn answer(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let mut used = 0;
        let mut requests = [Request::default(); TOGETHER];
        loop {
            let mut framed = 0;
            for request in &mut requests {
                let Some(len) = frame(&input[used..], request) else { break };
                request.hash = self.hasher.hash_one(request.arguments[1]);
                used += len;
                framed += 1;
            }
            if framed > 1 {
                self.touch(&requests[..framed]);
            }
            requests[..framed].iter().for_each(|request| self.run(request, out));
            if framed < TOGETHER {
                return used;
            }
        }
    }

    fn touch(&self, requests: &[Request<'_>]) {
        let mut touched = 0;
        for request in requests {
            self.table.find(request.hash, |entry| {
                touched ^= entry.bytes.last().copied().unwrap_or(0) ^ entry.bytes.first().copied().unwrap_or(0);
                true
            });
        }
        black_box(touched);
    }

    fn run(&mut self, request: &Request<'_>, out: &mut Vec<u8>) {
        let hash = request.hash;
        match request.arguments[..request.count.min(3)] {
            [name, key] if name.eq_ignore_ascii_case(b"get") => {
                match self.table.find_mut(hash, |entry| entry.key() == key) {
                    Some(entry) => bulk(out, entry.value()),
                    None => out.extend_from_slice(b"$-1\r\n"),
                }
            }
            [name, key, value] if name.eq_ignore_ascii_case(b"set") => {
                match self.table.find_mut(hash, |entry| entry.key() == key) {
                    Some(entry) if entry.bytes.len() == key.len() + value.len() => entry.value().copy_from_slice(value),
                    Some(entry) => *entry = Entry::new(key, value),
                    None => {
                        let hasher = &self.hasher;
                        self.table.insert_unique(hash, Entry::new(key, value), |entry| hasher.hash_one(entry.key()));
                    }
                }
                out.extend_from_slice(b"+OK\r\n");
            }
            [name] if name.eq_ignore_ascii_case(b"ping") => out.extend_from_slice(b"+PONG\r\n"),
            [name, ..] if name.eq_ignore_ascii_case(b"config") => out.extend_from_slice(b"*2\r\n$0\r\n\r\n$0\r\n\r\n"),
            _ => out.extend_from_slice(b"-ERR unknown command\r\n"),
        }
    }
}

fn bulk(out: &mut Vec<u8>, value: &[u8]) {
    out.reserve(value.len() + 32);
    out.push(b'$');
    out.extend_from_slice(itoa::Buffer::new().format(value.len()).as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The request at the head of `input` and how many bytes it has. None if it is not complete. The floor trusts its
/// clients; a line without an asterisk is a command without arguments.
fn frame<'a>(input: &'a [u8], request: &mut Request<'a>) -> Option<usize> {
    let first = *input.first()?;
    if first != b'*' {
        let end = memchr::memchr(b'\n', input)?;
        (request.arguments[0], request.count) = (input[..end].trim_ascii(), 1);
        return Some(end + 1);
    }
    let (count, mut at) = number(input, 1)?;
    for index in 0..count {
        let (len, start) = number(input, at + 1)?;
        at = start + len + 2;
        if at > input.len() {
            return None;
        }
        if let Some(argument) = request.arguments.get_mut(index) {
            *argument = &input[start..start + len];
        }
    }
    request.count = count;
    Some(at)
}

/// The decimal number from `at` on, and where the line behind it begins.
fn number(input: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    loop {
        match *input.get(at)? {
            b'\r' => break,
            digit => value = value * 10 + usize::from(digit & 15),
        }
        at += 1;
    }
    (at + 2 <= input.len()).then_some((value, at + 2))
}

//! What a client has sent beyond its last whole request.

use crate::resp::RequestParser;

/// Bytes that could not be run when they came: the beginning of a request, or requests that wait for their turn.
///
/// ```text
///   [ run already | unfinished or waiting ]
///                 ^ start                 ^ end
/// ```
#[derive(Debug, Default)]
pub struct Input {
    bytes: Vec<u8>,
    start: usize,
    /// How far the first of the waiting requests has been parsed.
    pub parser: RequestParser,
}

impl Input {
    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Whether none wait.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory held.
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// The bytes that wait.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Adds what has come. `missing` is how much the first request is known to need at least: room for it is made at
    /// once, but never for more than has come already, so that a claim alone costs nothing.
    pub fn push(&mut self, bytes: &[u8], missing: usize) {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        let likely = missing.min(self.bytes.len() + bytes.len());
        self.bytes.reserve(bytes.len().max(likely));
        self.bytes.extend_from_slice(bytes);
    }

    /// The buffer, to be dropped.
    pub fn into_buffer(self) -> Vec<u8> {
        self.bytes
    }

    /// Takes note that the first `count` bytes have been run.
    pub fn consume(&mut self, count: usize) {
        self.start += count;
        debug_assert!(self.start <= self.bytes.len());
    }
}

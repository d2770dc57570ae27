//! One key with its value, its deadline and its last access.

use super::value::{Value, allocation};

/// The moment after which a key is gone, in milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Deadline(u64);

impl Deadline {
    /// The deadline of a key that stays.
    pub const NEVER: Deadline = Deadline(u64::MAX);

    /// A deadline at `unix_ms`.
    pub fn at(unix_ms: u64) -> Self {
        Deadline(unix_ms.min(u64::MAX - 1))
    }

    /// The moment in milliseconds since 1970, if there is one.
    pub fn unix_ms(self) -> Option<u64> {
        (self != Self::NEVER).then_some(self.0)
    }

    /// Whether the moment has passed. As in Redis, a key still lives in the millisecond of its deadline.
    #[inline]
    pub fn is_due(self, now_ms: u64) -> bool {
        self.0 < now_ms
    }
}

/// One key with everything that belongs to it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) key: Box<[u8]>,
    pub(super) value: Value,
    pub(super) deadline: Deadline,
    /// Second of the last access (seconds since 1970, low 32 bits), for OBJECT IDLETIME.
    pub(super) accessed_s: u32,
}

const _: () = assert!(size_of::<Entry>() <= 56);

impl Entry {
    pub(super) fn new(key: &[u8], value: Value, deadline: Deadline, now_ms: u64) -> Self {
        Self { key: key.into(), value, deadline, accessed_s: seconds(now_ms) }
    }

    /// The key.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The value.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The deadline.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Seconds since the last access.
    pub fn idle_s(&self, now_ms: u64) -> u32 {
        seconds(now_ms).wrapping_sub(self.accessed_s)
    }

    /// What the entry costs in bytes: its place in the table (at the mean fill of a splitting table), key and value.
    pub fn charge(&self) -> usize {
        // Segments split in half when full, so a place is filled ln 2 of the time.
        size_of::<Entry>() * 145 / 100 + allocation(self.key.len()) + self.value.heap_bytes()
    }

    pub(super) fn touch(&mut self, now_ms: u64) {
        let now = seconds(now_ms);
        if self.accessed_s != now {
            self.accessed_s = now;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the low 32 bits are what is kept; differences wrap")]
fn seconds(unix_ms: u64) -> u32 {
    (unix_ms / 1000) as u32
}

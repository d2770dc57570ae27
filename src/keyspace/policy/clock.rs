//! Recency and frequency of an entry in 24 bits, with the meaning that Redis gives to OBJECT IDLETIME and OBJECT FREQ.
//!
//! The policies that sample (`lru`, `lfu`) need one small stamp per entry. Which of the two forms it has depends on the
//! policy in force; both are described in Redis's documentation ("Key eviction"):
//!
//! ```text
//!        23                8 7        0
//! LRU   [ seconds, modulo 2^24        ]     wraps after 194 days
//! LFU   [ minutes mod 2^16 | counter  ]     minutes of the last access, wrap after 45 days
//! ```
//!
//! The LFU counter is logarithmic (Morris, "Counting large numbers of events in small registers", CACM 1978): the higher it
//! stands, the less likely an access is to raise it, so that 8 bits tell apart keys of a hundred and of a million hits. A new
//! key starts at 5, because at 0 it would be the next victim before it could be asked for. The counter decays by one per
//! `lfu-decay-time` minutes in which the key was not accessed.
//!
//! An idle time beyond the range looks like a short one, as in Redis: a stamp says where the clock stood, not how often
//! it has wrapped since.

use crate::base::Rng;

/// Bits of a stamp.
pub const STAMP_BITS: u32 = 24;
const STAMP_MASK: u32 = (1 << STAMP_BITS) - 1;

/// The counter of a key that was never asked for.
const COUNTER_FRESH: u8 = 5;
const COUNTER_BITS: u32 = 8;

/// The LRU stamp of an access at `now_ms` (milliseconds since 1970).
pub fn lru_stamp(now_ms: u64) -> u32 {
    (now_ms / 1000) as u32 & STAMP_MASK
}

/// Seconds since the access that left `stamp`, modulo 2^24.
pub fn idle_s(stamp: u32, now_ms: u64) -> u32 {
    lru_stamp(now_ms).wrapping_sub(stamp) & STAMP_MASK
}

/// The LFU stamp of a new key at `now_ms` (milliseconds since 1970).
pub fn lfu_fresh(now_ms: u64) -> u32 {
    lfu_stamp(now_ms, COUNTER_FRESH)
}

/// The LFU stamp after an access at `now_ms`: the counter decays for the time since the last access, then grows by one with
/// probability 1 / ((counter - 5) x `log_factor` + 1).
pub fn lfu_touch(stamp: u32, now_ms: u64, log_factor: u32, decay_minutes: u32, rng: &mut Rng) -> u32 {
    let counter = lfu_frequency(stamp, now_ms, decay_minutes);
    let above = counter.saturating_sub(COUNTER_FRESH);
    let odds = f64::from(above) * f64::from(log_factor) + 1.0;
    let grows = counter < u8::MAX && rng.f64() * odds < 1.0;
    lfu_stamp(now_ms, counter + u8::from(grows))
}

/// The counter of `stamp` as it stands at `now_ms`. With `decay_minutes` = 0 it never decays.
pub fn lfu_frequency(stamp: u32, now_ms: u64, decay_minutes: u32) -> u8 {
    let counter = stamp as u8;
    let accessed = (stamp >> COUNTER_BITS) as u16;
    let elapsed = minutes(now_ms).wrapping_sub(accessed);
    let periods = u32::from(elapsed).checked_div(decay_minutes).unwrap_or(0);
    counter.saturating_sub(u8::try_from(periods).unwrap_or(u8::MAX))
}

/// The stamp of an entry whose counter is `counter`.
pub fn lfu_stamp(now_ms: u64, counter: u8) -> u32 {
    u32::from(minutes(now_ms)) << COUNTER_BITS | u32::from(counter)
}

fn minutes(now_ms: u64) -> u16 {
    (now_ms / 60_000) as u16
}

//! The timing wheel: which blocks have something that falls due, and when.
//!
//! A hierarchical timing wheel (Varghese and Lauck, "Hashed and hierarchical timing wheels", SOSP 1987) of blocks
//! instead of keys: a block knows its earliest deadline, and is named here once for dozens of keys.
//!
//! ```text
//! tick   31 30 | 29.....24 | 23.....18 | 17.....12 | 11......6 | 5.......0      a tick is 128 ms
//! level    5   |     4     |     3     |     2     |     1     |     0          64 slots each
//! ```
//!
//! An item lies on the level of the highest digit in which its tick differs from the present one, in the slot of that
//! digit. When the present reaches a slot, its items are given out with the end of the slot: what is not yet due is put
//! in again and comes to lie lower. An item is only a hint. It is **valid** if its block's earliest tick lies before the
//! slot's end, else **stale**, because the block has another item further on; who takes items out drops the stale ones.

use std::mem;

/// Bits of a digit.
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
const LEVELS: usize = u32::BITS.div_ceil(DIGIT_BITS) as usize;

/// Items by the tick at which they fall due.
#[derive(Debug)]
pub(super) struct Wheel {
    levels: Vec<Level>,
    /// Everything before this tick has been given out or lies in `ready`.
    now: u32,
    ready: Vec<u32>,
    /// The tick behind the slot that `ready` came from.
    ready_end: u64,
    /// Items of all slots and of `ready`.
    items: usize,
}

#[derive(Debug)]
struct Level {
    /// Which slots hold something.
    occupied: u64,
    slots: [Vec<u32>; SLOTS],
}

impl Wheel {
    /// An empty wheel, which takes no memory.
    pub(super) fn new() -> Self {
        Self { levels: Vec::new(), now: 0, ready: Vec::new(), ready_end: 0, items: 0 }
    }

    /// Puts an item in, to be given out when `tick` has begun, or earlier.
    pub(super) fn add(&mut self, tick: u32, item: u32) {
        if self.levels.is_empty() {
            let level = || Level { occupied: 0, slots: [const { Vec::new() }; SLOTS] };
            self.levels = (0..LEVELS).map(|_| level()).collect();
        }
        let (level, slot) = self.place(tick);
        let level = &mut self.levels[level];
        level.occupied |= 1 << slot;
        level.slots[slot].push(item);
        self.items += 1;
    }

    /// Whether items of both ticks lie in the same slot.
    pub(super) fn is_same_slot(&self, one: u32, other: u32) -> bool {
        self.place(one) == self.place(other)
    }

    /// An item of a slot that begins no later than `until`, with the tick behind that slot.
    pub(super) fn pop(&mut self, until: u32) -> Option<(u32, u64)> {
        loop {
            if let Some(item) = self.ready.pop() {
                self.items -= 1;
                return Some((item, self.ready_end));
            }
            let next = self.next();
            match next {
                Some((level, slot, start)) if start <= until => {
                    self.now = self.now.max(start);
                    let digit = DIGIT_BITS * level as u32;
                    let level = &mut self.levels[level];
                    level.occupied &= !(1 << slot);
                    self.ready = mem::take(&mut level.slots[slot]);
                    self.ready_end = u64::from(start) + (1 << digit);
                }
                _ => {
                    self.now = self.now.max(until);
                    return None;
                }
            }
        }
    }

    /// A tick before which nothing falls due, if there is any item.
    pub(super) fn next_tick(&self) -> Option<u32> {
        if self.ready.is_empty() { self.next().map(|(.., start)| start) } else { Some(self.now) }
    }

    /// Bytes of memory, if the lists of the slots are half again as large as their items.
    #[inline]
    pub(super) fn used_bytes(&self) -> usize {
        self.levels.capacity() * size_of::<Level>() + self.items * (size_of::<u32>() + size_of::<u16>())
    }

    /// All items, each with the tick at which it is given out.
    #[cfg(test)]
    pub(super) fn items(&self) -> Vec<(u32, u32)> {
        let mut items: Vec<(u32, u32)> = self.ready.iter().map(|item| (self.now, *item)).collect();
        for (at, level) in self.levels.iter().enumerate() {
            let digit = DIGIT_BITS * at as u32;
            let above = u64::from(self.now) >> digit >> DIGIT_BITS << DIGIT_BITS;
            for (slot, waiting) in level.slots.iter().enumerate() {
                let start = u32::try_from((above | slot as u64) << digit).unwrap_or(u32::MAX);
                items.extend(waiting.iter().map(|item| (start, *item)));
            }
        }
        items
    }

    /// The present tick.
    #[cfg(test)]
    pub(super) fn now(&self) -> u32 {
        self.now
    }

    fn place(&self, tick: u32) -> (usize, usize) {
        let tick = tick.max(self.now);
        let level = (tick ^ self.now).checked_ilog2().unwrap_or(0) / DIGIT_BITS;
        (level as usize, (tick >> (DIGIT_BITS * level)) as usize % SLOTS)
    }

    /// The occupied slot that begins first: level, slot and its first tick.
    fn next(&self) -> Option<(usize, usize, u32)> {
        // Whatever lies on a lower level comes before all that lies on a higher one.
        self.levels.iter().enumerate().find(|(_, level)| level.occupied != 0).map(|(at, level)| {
            let slot = level.occupied.trailing_zeros();
            let digit = DIGIT_BITS * at as u32;
            let above = u64::from(self.now) >> digit >> DIGIT_BITS << DIGIT_BITS;
            let start = (above | u64::from(slot)) << digit;
            (at, slot as usize, u32::try_from(start).unwrap_or(u32::MAX))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::Rng;

    /// Items with their exact ticks, put in again while they are not yet due.
    fn drain(wheel: &mut Wheel, ticks: &BTreeMap<u32, u32>, until: u32) -> Vec<u32> {
        let mut due = Vec::new();
        while let Some((item, end)) = wheel.pop(until) {
            let tick = ticks[&item];
            assert!(u64::from(tick) < end, "{item} at {tick} was forgotten until {end}");
            if tick <= until { due.push(item) } else { wheel.add(tick, item) }
        }
        due.sort_unstable();
        due
    }

    #[test]
    fn every_item_comes_out_in_its_tick() {
        let mut rng = Rng::with_seed(3);
        for _ in 0..50 {
            let (mut wheel, mut ticks, mut now, mut next) = (Wheel::new(), BTreeMap::new(), 0u32, 0);
            for _ in 0..300 {
                for _ in 0..rng.u32(..4) {
                    let tick = now.saturating_add(rng.u32(..) >> rng.u32(..32));
                    wheel.add(tick, next);
                    ticks.insert(next, tick);
                    next += 1;
                }
                now = now.saturating_add(rng.u32(..) >> rng.u32(5..32));
                let bound = wheel.next_tick();
                let due = drain(&mut wheel, &ticks, now);
                let expected: Vec<u32> =
                    ticks.iter().filter(|(_, tick)| **tick <= now).map(|(item, _)| *item).collect();
                let first = ticks.values().min();
                assert!(first.is_none_or(|first| bound.is_some_and(|bound| bound <= (*first).max(bound))));
                assert_eq!(due, expected);
                ticks.retain(|_, tick| *tick > now);
                let left = ticks.values().min().copied();
                assert!(left.is_none_or(|left| wheel.next_tick().is_some_and(|bound| bound <= left)));
                assert_eq!(left.is_none(), wheel.next_tick().is_none());
            }
        }
    }

    #[test]
    fn the_past_is_due_at_once_and_the_last_tick_too() {
        let mut wheel = Wheel::new();
        assert_eq!(wheel.pop(100), None);
        wheel.add(3, 7);
        assert_eq!(wheel.next_tick(), Some(100));
        assert_eq!(wheel.pop(100).map(|(item, _)| item), Some(7));
        let last = BTreeMap::from([(8, u32::MAX)]);
        wheel.add(u32::MAX, 8);
        assert_eq!(drain(&mut wheel, &last, u32::MAX - 1), []);
        assert_eq!(drain(&mut wheel, &last, u32::MAX), [8]);
    }
}

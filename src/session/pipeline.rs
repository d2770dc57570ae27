//! The replies of one client, in the order of its requests.
//!
//! ```text
//! request   1      2 (core 1)   3      4 (core 1)   5
//! out       :1
//! held             waiting #0   ready  waiting #1   ready       ready: a range of `later`
//! ```
//!
//! A reply that nothing precedes is encoded straight into `out`. Behind a reserved place, replies gather in `later`, and
//! move to `out` when the place is filled.

use std::collections::VecDeque;

use crate::resp::Output;

/// Buffers above this go back to the allocator once they are empty.
const LATER_BYTES_KEPT: usize = 16 * 1024;

#[derive(Clone, Copy, Debug)]
enum Held {
    Waiting { place: u32 },
    Ready { start: usize, len: usize },
}

/// Replies on their way out and the places of those that are still to come.
#[derive(Debug, Default)]
pub struct Pipeline {
    out: Output,
    held: VecDeque<Held>,
    later: Output,
    next_place: u32,
}

impl Pipeline {
    /// Whether every request so far has been answered.
    #[inline]
    pub fn is_settled(&self) -> bool {
        self.held.is_empty()
    }

    /// Places that wait for a reply.
    pub fn waiting(&self) -> usize {
        self.held.iter().filter(|held| matches!(held, Held::Waiting { .. })).count()
    }

    /// Bytes that are ready to leave.
    #[inline]
    pub fn ready_bytes(&self) -> usize {
        self.out.len()
    }

    /// Bytes held in memory: ready ones, and those behind places that are still to be filled.
    pub fn held_bytes(&self) -> usize {
        self.out.len() + self.later.len()
    }

    /// Lets `write` encode the next reply.
    #[inline]
    pub fn reply<T>(&mut self, write: impl FnOnce(&mut Output) -> T) -> T {
        if self.held.is_empty() {
            return write(&mut self.out);
        }
        let start = self.later.len();
        let result = write(&mut self.later);
        self.hold(start);
        result
    }

    /// Notes that `later` has grown from `start` on.
    fn hold(&mut self, start: usize) {
        let len = self.later.len() - start;
        match self.held.back_mut() {
            Some(Held::Ready { start: first, len: before }) if *first + *before == start => *before += len,
            _ => self.held.push_back(Held::Ready { start, len }),
        }
    }

    /// Reserves the place of a reply that comes later; see [`Pipeline::fill`].
    pub fn reserve(&mut self) -> u32 {
        let place = self.next_place;
        self.next_place = self.next_place.wrapping_add(1);
        self.held.push_back(Held::Waiting { place });
        place
    }

    /// Puts a reply, `len` bytes of `from` beginning at `start`, in its place. True if bytes became ready to leave.
    pub fn fill(&mut self, place: u32, from: &Output, start: usize, len: usize) -> bool {
        let found = self.held.iter().position(|held| matches!(held, Held::Waiting { place: at } if *at == place));
        let Some(index) = found else {
            debug_assert!(false, "a reply for a place that was not reserved");
            return false;
        };
        if index > 0 {
            let kept = self.later.len();
            self.later.append_range(from, start, len);
            self.held[index] = Held::Ready { start: kept, len };
            return false;
        }
        self.held.pop_front();
        self.out.append_range(from, start, len);
        while let Some(Held::Ready { start, len }) = self.held.front().copied() {
            self.out.append_range(&self.later, start, len);
            self.held.pop_front();
        }
        if self.held.is_empty() {
            self.later.clear();
            self.later.shrink_to(LATER_BYTES_KEPT);
        }
        true
    }

    /// Takes what is ready to leave, and gives `empty` to be filled in its place.
    #[inline]
    pub fn take(&mut self, empty: Output) -> Output {
        std::mem::replace(&mut self.out, empty)
    }

    /// Provides a buffer for the next replies, if there is none. Gives back what was not needed.
    #[inline]
    pub fn provide(&mut self, buffer: impl FnOnce() -> Output) {
        if self.out.capacity() == 0 {
            self.out = buffer();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(output: &Output) -> Vec<u8> {
        output.pieces(0).flatten().copied().collect()
    }

    proptest! {
        /// Whatever the order in which places are filled, replies leave in the order of the requests.
        #[test]
        fn replies_leave_in_order(
            requests in proptest::collection::vec(any::<bool>(), 1..60),
            order in any::<u64>(),
        ) {
            let mut rng = fastrand::Rng::with_seed(order);
            let mut pipeline = Pipeline::default();
            let mut places = Vec::new();
            let mut expected = Vec::new();
            let mut left = Vec::new();
            for (number, here) in requests.iter().enumerate() {
                let reply = format!("[{number}]").into_bytes();
                expected.extend_from_slice(&reply);
                if *here {
                    pipeline.reply(|out| out.bytes_mut().extend_from_slice(&reply));
                } else {
                    places.push((pipeline.reserve(), reply));
                }
                if rng.u8(..) < 64 && !places.is_empty() {
                    fill(&mut pipeline, places.swap_remove(rng.usize(..places.len())));
                }
                if rng.u8(..) < 64 {
                    left.extend(text(&pipeline.take(Output::default())));
                }
            }
            while !places.is_empty() {
                prop_assert_eq!(pipeline.waiting(), places.len());
                fill(&mut pipeline, places.swap_remove(rng.usize(..places.len())));
            }
            left.extend(text(&pipeline.take(Output::default())));
            prop_assert!(pipeline.is_settled());
            prop_assert_eq!(left, expected);
        }
    }

    fn fill(pipeline: &mut Pipeline, (place, reply): (u32, Vec<u8>)) {
        let mut from = Output::default();
        from.bytes_mut().extend_from_slice(b"..");
        from.bytes_mut().extend_from_slice(&reply);
        pipeline.fill(place, &from, 2, reply.len());
    }
}

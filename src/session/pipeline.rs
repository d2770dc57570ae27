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
//!
//! A *push* (a message to a subscriber) answers no request, so it waits for no reply: it goes to the end of `out`, where
//! only whole replies stand, in front of all that are awaited. A client that waits long for a reply still gets its
//! messages at once, and pushes keep their order among each other. The one exception is a place that is reserved for the
//! confirmation of a subscription: its first message may come before the last core has acknowledged it, so pushes go
//! behind that place. They are not held up by anything else there: whoever changes its subscriptions has had every earlier
//! reply, and its next request waits for the confirmation.
//!
//! A reply that is written piece by piece (EXEC) is *open* until its last piece is there; pushes wait apart until then.

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
    /// The place that pushes must not overtake.
    confirmation: Option<u32>,
    open: Open,
    /// Pushes that wait for the end of the open reply.
    pushes: Output,
}

/// Whether a reply is being written piece by piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Open {
    #[default]
    No,
    /// More pieces follow.
    Yes,
    /// All pieces are written or have their places.
    Ending,
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
        self.out.len() + self.later.len() + self.pushes.len()
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

    /// Reserves the place of a reply that no push may overtake.
    pub fn reserve_confirmation(&mut self) -> u32 {
        debug_assert!(self.is_settled(), "pushes would wait for more than the confirmation");
        let place = self.reserve();
        self.confirmation = Some(place);
        place
    }

    /// Lets `write` encode a push. See the module for where it goes.
    pub fn push(&mut self, write: impl FnOnce(&mut Output)) {
        if self.open != Open::No {
            write(&mut self.pushes);
        } else if self.confirmation.is_some() {
            self.reply(write);
        } else {
            write(&mut self.out);
        }
    }

    /// A reply begins that is written piece by piece; everything before it has been answered.
    pub fn open(&mut self) {
        debug_assert!(self.is_settled(), "pushes would wait for more than this reply");
        self.open = Open::Yes;
    }

    /// The open reply has all its pieces, or places for them.
    pub fn close(&mut self) {
        if self.open == Open::Yes {
            self.open = Open::Ending;
            self.release_pushes();
        }
    }

    /// Once the reply that was open is complete, lets the pushes follow that have come meanwhile.
    fn release_pushes(&mut self) {
        if self.open == Open::Ending && self.held.is_empty() {
            self.open = Open::No;
            let pushes = std::mem::take(&mut self.pushes);
            self.out.append_range(&pushes, 0, pushes.len());
        }
    }

    /// Puts a reply, `len` bytes of `from` beginning at `start`, in its place. True if bytes became ready to leave.
    pub fn fill(&mut self, place: u32, from: &Output, start: usize, len: usize) -> bool {
        let found = self.held.iter().position(|held| matches!(held, Held::Waiting { place: at } if *at == place));
        let Some(index) = found else {
            debug_assert!(false, "a reply for a place that was not reserved");
            return false;
        };
        self.confirmation.take_if(|confirmation| *confirmation == place);
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
            self.release_pushes();
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

    #[test]
    fn pushes_wait_for_no_reply_but_a_confirmation() {
        let mut pipeline = Pipeline::default();
        let say = |text: &'static str| move |out: &mut Output| out.bytes_mut().extend_from_slice(text.as_bytes());
        let awaited = pipeline.reserve();
        pipeline.push(say("push1 "));
        pipeline.reply(say("reply2 "));
        pipeline.push(say("push2 "));
        fill(&mut pipeline, (awaited, b"reply1 ".to_vec()));
        pipeline.push(say("push3 "));
        let confirmation = pipeline.reserve_confirmation();
        pipeline.push(say("push4 "));
        assert_eq!(text(&pipeline.take(Output::default())), b"push1 push2 reply1 reply2 push3 ");
        pipeline.push(say("push5 "));
        fill(&mut pipeline, (confirmation, b"confirmed ".to_vec()));
        pipeline.push(say("push6 "));
        assert_eq!(text(&pipeline.take(Output::default())), b"confirmed push4 push5 push6 ");
        assert!(pipeline.is_settled());
    }

    #[test]
    fn pushes_follow_a_reply_that_is_written_piece_by_piece() {
        let mut pipeline = Pipeline::default();
        let say = |text: &'static str| move |out: &mut Output| out.bytes_mut().extend_from_slice(text.as_bytes());
        pipeline.open();
        pipeline.push(say("push1 "));
        pipeline.reply(say("[ "));
        let [first, second] = [pipeline.reserve(), pipeline.reserve()];
        fill(&mut pipeline, (first, b"one ".to_vec()));
        pipeline.push(say("push2 "));
        pipeline.close();
        pipeline.push(say("push3 "));
        assert_eq!(text(&pipeline.take(Output::default())), b"[ one ");
        fill(&mut pipeline, (second, b"two ] ".to_vec()));
        pipeline.push(say("push4 "));
        assert_eq!(text(&pipeline.take(Output::default())), b"two ] push1 push2 push3 push4 ");
        pipeline.open();
        pipeline.reply(say("[ ] "));
        pipeline.push(say("push5 "));
        assert_eq!(pipeline.held_bytes(), 10);
        pipeline.close();
        assert_eq!(text(&pipeline.take(Output::default())), b"[ ] push5 ");
    }

    fn fill(pipeline: &mut Pipeline, (place, reply): (u32, Vec<u8>)) {
        let mut from = Output::default();
        from.bytes_mut().extend_from_slice(b"..");
        from.bytes_mut().extend_from_slice(&reply);
        pipeline.fill(place, &from, 2, reply.len());
    }
}

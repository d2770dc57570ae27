//! How many completions to wait for: batching that few or slow clients do not pay for.
//!
//! A loop that wakes for every single completion answers in small batches, spends a system call on each, and makes its
//! clients work harder too. Waiting a moment for all who are about to ask gives that work back to requests. Who that is
//! is measured over windows of about a millisecond:
//!
//! - by the rate: as long as a good batch takes to come, within bounds; not at all, if even the longest wait would bring
//!   but a few;
//! - by the clients: nobody, unless many were heard of in the window, as going to sleep and waking cost as much as some
//!   ten requests; and two thirds of them, as clients that are all waited for have nothing to do meanwhile;
//! - by their haste: nobody, unless they ask again as soon as they are answered. At a rate of their own the core is not
//!   what holds them up, and waiting would only make their answers late.
//!
//! The obvious measure, the mean of completions per turn, has two stable states: once client and server have fallen
//! into step at one request a turn, it says that there is nothing to gather, and keeps them there.

use crate::limits::{
    BATCH_CLIENTS_MIN, BATCH_CYCLE_US_MAX, BATCH_EXPECTED, BATCH_EXPECTED_MIN, BATCH_WAIT_US_MAX, BATCH_WAIT_US_MIN,
    BATCH_WANT_MAX, BATCH_WINDOW_US,
};

/// What the last window saw, and what the current one has seen.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    /// Number of the window; connections note the one they were last heard of in.
    window: u32,
    started_us: u64,
    completions: u32,
    clients: u32,
    want: u32,
    wait_us: u32,
}

impl Pacing {
    /// Notes a completion of the client that was last heard of in `window`.
    #[inline]
    pub(super) fn heard(&mut self, window: &mut u32) {
        self.completions += 1;
        if *window != self.window {
            *window = self.window;
            self.clients += 1;
        }
    }

    /// Ends the window if it is long enough.
    #[inline]
    pub(super) fn turn(&mut self, now_us: u64) {
        let elapsed_us = now_us.saturating_sub(self.started_us);
        if elapsed_us < BATCH_WINDOW_US {
            return;
        }
        let gap_us = elapsed_us / u64::from(self.completions.max(1));
        let brisk = u64::from(BATCH_EXPECTED_MIN) * gap_us < BATCH_WAIT_US_MAX;
        let good_batch_us = u64::from(BATCH_EXPECTED) * elapsed_us / u64::from(self.completions.max(1));
        self.wait_us = good_batch_us.clamp(BATCH_WAIT_US_MIN, BATCH_WAIT_US_MAX) as u32;
        let many = self.clients > BATCH_CLIENTS_MIN;
        let asked = u64::from(self.completions) * BATCH_CYCLE_US_MAX;
        let hasty = asked >= u64::from(self.clients) * elapsed_us;
        self.want = if brisk && many && hasty { (self.clients * 2 / 3).min(BATCH_WANT_MAX) } else { 1 };
        // Zero is the window of connections that were never heard of.
        self.window = self.window.wrapping_add(1).max(1);
        (self.started_us, self.completions, self.clients) = (now_us, 0, 0);
    }

    /// Completions to wait for, and for how many microseconds before one is enough. Zero means: do not wait for more
    /// than one.
    #[inline]
    pub(super) fn want(&self) -> (u32, u32) {
        if self.want > 1 { (self.want, self.wait_us) } else { (1, 0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wanted after some windows in which `clients` in turn sent one request every `gap_us`.
    fn want(clients: usize, gap_us: u64) -> (u32, u32) {
        let mut pacing = Pacing::default();
        let mut windows = vec![0; clients];
        for request in 0..(5 * BATCH_WINDOW_US / gap_us).max(20) {
            pacing.heard(&mut windows[request as usize % clients]);
            pacing.turn(request * gap_us);
        }
        pacing.want()
    }

    #[test]
    fn few_clients_are_not_waited_for() {
        assert_eq!(Pacing::default().want(), (1, 0));
        for clients in [1, 2, 3, 8, 16] {
            assert_eq!(want(clients, 5), (1, 0), "{clients} clients");
        }
    }

    #[test]
    fn slow_clients_are_not_waited_for() {
        assert_eq!(want(50, 100), (1, 0));
        assert_eq!(want(50, 5000), (1, 0));
    }

    #[test]
    fn clients_that_take_their_time_are_not_waited_for() {
        assert_eq!(want(50, 25), (1, 0));
        assert_eq!(want(500, 5), (1, 0));
        assert!(want(50, 15).0 > 1);
    }

    #[test]
    fn in_step_at_one_request_a_turn_there_is_a_batch_to_gather() {
        assert_eq!(want(50, 5), (BATCH_WANT_MAX, 60));
    }

    #[test]
    fn the_wait_is_as_long_as_a_good_batch_takes() {
        assert_eq!(want(50, 1).1, BATCH_WAIT_US_MIN as u32);
        assert_eq!(want(50, 10).1, 120);
        assert_eq!(want(20, 40).1, BATCH_WAIT_US_MAX as u32);
    }

    #[test]
    fn not_all_clients_are_waited_for() {
        assert_eq!(want(18, 5).0, 12);
        assert_eq!(want(30, 5).0, 20);
        assert_eq!(want(500, 1).0, BATCH_WANT_MAX);
    }
}

//! How many completions to wait for: batching that a lone connection does not pay for.
//!
//! A loop that wakes for every single completion answers in small batches, spends a system call on each, and makes its
//! clients work harder too. Waiting a moment for about as many as lately came per turn, doubled so that the batch can
//! grow, gives the work of a turn back to requests. The wait is bounded by [`BATCH_WAIT_US`], and does not happen at all
//! while the mean says that there is hardly anybody to wait for.

use crate::limits::{BATCH_MEAN_MIN, BATCH_WAIT_US, BATCH_WANT_MAX};

/// Fractional bits of the mean.
const FRACTION: u32 = 8;
/// The mean moves by this power of two of the distance, so it forgets within some sixteen turns.
const SHIFT: u32 = 4;

/// The running mean of completions per turn.
#[derive(Debug, Default)]
pub(super) struct Pacing {
    mean: u32,
}

impl Pacing {
    /// Notes a turn with this many completions.
    #[inline]
    pub(super) fn record(&mut self, completions: usize) {
        let sample = (completions.min(1 << 16) as u32) << FRACTION;
        // Rounded up on the way up, so that a constant stream is reached and not only approached.
        self.mean = match sample >= self.mean {
            true => self.mean + (sample - self.mean).div_ceil(1 << SHIFT),
            false => self.mean - (self.mean - sample).div_ceil(1 << SHIFT),
        };
    }

    /// Completions to wait for, and for how many microseconds before one is enough. Zero means: do not wait for more
    /// than one.
    #[inline]
    pub(super) fn want(&self) -> (u32, u32) {
        if self.mean <= BATCH_MEAN_MIN << FRACTION {
            return (1, 0);
        }
        ((self.mean >> (FRACTION - 1)).min(BATCH_WANT_MAX), BATCH_WAIT_US)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(turns: &[(usize, usize)]) -> (u32, u32) {
        let mut pacing = Pacing::default();
        for &(completions, times) in turns {
            (0..times).for_each(|_| pacing.record(completions));
        }
        pacing.want()
    }

    #[test]
    fn few_completions_are_never_waited_for() {
        assert_eq!(after(&[]), (1, 0));
        assert_eq!(after(&[(1, 1000)]), (1, 0));
        assert_eq!(after(&[(3, 1000)]), (1, 0));
    }

    #[test]
    fn twice_the_mean_is_wanted_up_to_the_limit() {
        assert_eq!(after(&[(4, 1000)]), (8, BATCH_WAIT_US));
        assert_eq!(after(&[(10, 1000)]), (20, BATCH_WAIT_US));
        assert_eq!(after(&[(1000, 1000)]), (BATCH_WANT_MAX, BATCH_WAIT_US));
    }

    #[test]
    fn a_crowd_that_left_is_forgotten() {
        assert_eq!(after(&[(100, 1000), (1, 80)]), (1, 0));
    }
}

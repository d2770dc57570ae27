//! How long the longest turn of a core was, in CPU time of its thread, without asking for that time each turn.
//!
//! The wall clock is read twice in every turn anyway, but counts what other threads took of the CPU. The thread's CPU
//! clock does not, but costs more than a microsecond to read, a tenth of a common turn. So it is read only where it can
//! make a difference: at the end of a turn that took longer by the wall clock than the longest that is known. What the
//! thread has used since the clock was last read is then an upper bound of what the turn used, and so is the wall time;
//! the lesser of the two is kept.
//!
//! ```text
//! turns     ──▭▭──▭──▭▭▭▭──▭──▭▭▭▭▭▭▭▭▭──▭──▭──
//! readings     ▲            │          ▲
//!              └── bound ───┼──────────┘        min(wall time of the turn, CPU time since the reading before)
//!                           └── wall ──┘
//! ```
//!
//! Invariant: the figure is never below the CPU time of any turn. It may be above it where wall time was lost within the
//! turn and the reading before lies some time back: by no more than the CPU time between the two. To keep that small, the
//! clock is also read at the beginning of a turn, once for so much busy time, and for a while after a turn that was
//! really long in every turn, whose bound is then exact.

use crate::limits::{LONG_TURN_US, TURN_READING_BUSY_US, TURNS_MEASURED};

/// Decides when the CPU clock is read, and what a turn took at most. Times are in microseconds.
#[derive(Clone, Debug)]
pub struct TurnMeter {
    /// What the CPU clock showed when it was last read.
    read_us: u64,
    /// Wall time of turns since then.
    busy_us: u64,
    /// Turns that are still to be measured exactly.
    exact: u32,
}

impl Default for TurnMeter {
    /// The first turns of a core are measured exactly.
    fn default() -> Self {
        Self { read_us: 0, busy_us: 0, exact: TURNS_MEASURED }
    }
}

impl TurnMeter {
    /// A turn begins. `cpu_us` reads the CPU time that the thread has used so far.
    #[inline]
    pub fn begin(&mut self, cpu_us: impl FnOnce() -> u64) {
        if self.exact > 0 || self.busy_us >= TURN_READING_BUSY_US {
            self.exact = self.exact.saturating_sub(1);
            self.read(cpu_us());
        }
    }

    /// A turn has ended that took `wall_us` by the wall clock, where `longest_us` is the longest that is known. Answers an
    /// upper bound of its CPU time; 0 if it cannot be longer than that.
    #[inline]
    #[must_use]
    pub fn end(&mut self, wall_us: u64, longest_us: u64, cpu_us: impl FnOnce() -> u64) -> u64 {
        self.busy_us += wall_us;
        if wall_us <= longest_us {
            return 0;
        }
        if wall_us > LONG_TURN_US {
            self.exact = TURNS_MEASURED;
        }
        let before_us = self.read_us;
        self.read(cpu_us());
        wall_us.min(self.read_us.saturating_sub(before_us))
    }

    fn read(&mut self, cpu_us: u64) {
        self.read_us = cpu_us;
        self.busy_us = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::base::Rng;

    /// A thread with its CPU clock, which counts how often it is read.
    #[derive(Default)]
    struct Thread {
        cpu_us: Cell<u64>,
        readings: Cell<u64>,
        meter: TurnMeter,
        longest_us: u64,
    }

    impl Thread {
        /// A turn that used `cpu_us` while `lost_us` more passed, and what else the thread did before it.
        fn turn(&mut self, between_us: u64, cpu_us: u64, lost_us: u64) {
            let read = || {
                self.readings.set(self.readings.get() + 1);
                self.cpu_us.get()
            };
            self.cpu_us.set(self.cpu_us.get() + between_us);
            self.meter.begin(read);
            self.cpu_us.set(self.cpu_us.get() + cpu_us);
            let took_us = self.meter.end(cpu_us + lost_us, self.longest_us, read);
            self.longest_us = self.longest_us.max(took_us);
        }

        /// A thread that has done small turns until none is measured exactly any more.
        fn settled() -> Self {
            let mut thread = Self::default();
            (0..TURNS_MEASURED).for_each(|_| thread.turn(5, 20, 0));
            thread.turn(5, 20, 0);
            thread
        }
    }

    #[test]
    fn one_long_turn_among_short_ones_is_seen() {
        let mut thread = Thread::settled();
        (0..1_000).for_each(|_| thread.turn(5, 20, 0));
        assert_eq!(thread.longest_us, 20);
        thread.turn(5, 3_000, 0);
        assert_eq!(thread.longest_us, 3_000);
        (0..1_000).for_each(|_| thread.turn(5, 20, 0));
        assert_eq!(thread.longest_us, 3_000);
    }

    #[test]
    fn time_that_others_took_does_not_count_much() {
        let mut thread = Thread::settled();
        (0..10_000).for_each(|_| thread.turn(5, 20, 0));
        thread.turn(5, 20, 50_000);
        let slack_us = TURN_READING_BUSY_US + TURN_READING_BUSY_US / 20 * 5 + 25;
        assert!((20..=20 + slack_us).contains(&thread.longest_us), "{}", thread.longest_us);
        // From here on turns are measured exactly.
        let longest_us = thread.longest_us;
        (0..100).for_each(|_| thread.turn(5, 20, 50_000));
        assert_eq!(thread.longest_us, longest_us);
    }

    #[test]
    fn turns_of_a_noisy_start_are_measured_exactly() {
        let mut thread = Thread::default();
        (0..1_000).for_each(|_| thread.turn(500, 20, 4_000));
        assert_eq!(thread.longest_us, 20);
    }

    #[test]
    fn the_clock_is_seldom_read_where_all_is_quiet() {
        let mut thread = Thread::settled();
        let before = thread.readings.get();
        (0..100_000).for_each(|_| thread.turn(5, 20, 0));
        assert_eq!(thread.readings.get() - before, 100_000 * 20 / TURN_READING_BUSY_US);
    }

    #[test]
    fn the_figure_is_never_below_the_longest_turn() {
        for seed in 0..50 {
            let mut rng = Rng::with_seed(seed);
            let mut thread = Thread::default();
            let mut longest_us = 0;
            for _ in 0..30_000 {
                let below_us = if rng.u8(..) == 0 { 20_000 } else { 60 };
                let cpu_us = rng.u64(..below_us);
                let lost_us = if rng.u8(..) < 3 { rng.u64(..10_000) } else { 0 };
                thread.turn(rng.u64(..20), cpu_us, lost_us);
                longest_us = longest_us.max(cpu_us);
                assert!(thread.longest_us >= longest_us, "seed {seed}: {} < {longest_us}", thread.longest_us);
                if rng.u32(..10_000) == 0 {
                    // CONFIG RESETSTAT.
                    (thread.longest_us, longest_us) = (0, 0);
                }
            }
        }
    }
}

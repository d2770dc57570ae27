//! Time as an argument: the shell reads the clocks once per turn and hands the result inward.

/// One reading of both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Now {
    /// Wall clock, microseconds since 1970: deadlines, TIME, idle times.
    pub unix_us: u64,
    /// Monotonic clock, microseconds since an arbitrary start: durations and wake-ups.
    pub mono_us: u64,
}

impl Now {
    /// Wall clock, milliseconds since 1970.
    pub fn unix_ms(self) -> u64 {
        self.unix_us / 1000
    }
}

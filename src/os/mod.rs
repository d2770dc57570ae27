//! What the operating system is asked for: affinity, clocks, limits, signals.

//! A measurement as live.

//! A measurement as svg.

//! One core without I/O.

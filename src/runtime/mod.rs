//! Boot, pin, the core loop, orderly shutdown.

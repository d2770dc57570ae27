//! The Redis protocol: an incremental request parser and a reply encoder.

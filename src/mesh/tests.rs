//! The mesh on the real atomics and against plain models; `tests/loom_mesh.rs` is about its interleavings.

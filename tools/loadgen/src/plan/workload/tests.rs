//! Workloads as bytes.

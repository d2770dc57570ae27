//! `corewise-loadgen`: the load generator of Corewise.

fn main() {}

//! Mail and the lease without a kernel.

fn main() {}

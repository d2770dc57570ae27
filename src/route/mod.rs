//! Where a command runs: a pure function from its keys to a plan.

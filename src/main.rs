//! The `corewise` binary: flags to configuration to boot; errors as sentences and exit codes.

fn main() {}

//! Settings: from what was written (flags, environment, file) to a value that cannot be wrong.

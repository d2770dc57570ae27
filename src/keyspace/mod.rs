//! One shard's data: entries, value types, deadlines, memory account and scan.

//! What a command does to a shard.

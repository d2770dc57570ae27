//! Mail between cores: batches, rings, doorbell flags and the lease.

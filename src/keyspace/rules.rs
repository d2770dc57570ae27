//! What the operator has said about memory, as a shard needs it.

use super::collection::CompactLimits;
use super::packing::Codec;
use crate::config::{Compression, Config, EventClass, EvictionPolicy, KeyEvents};

/// The settings that a shard goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// `maxmemory-policy`
    pub policy: EvictionPolicy,
    /// `maxmemory-samples`
    pub samples: usize,
    /// `lfu-log-factor`
    pub lfu_log_factor: u32,
    /// `lfu-decay-time`, in minutes.
    pub lfu_decay_minutes: u32,
    /// `default-ttl`, in milliseconds; 0 for none.
    pub default_ttl_ms: u64,
    /// Up to when collections are compact.
    pub compact: CompactLimits,
    /// `notify-keyspace-events`
    pub events: KeyEvents,
    /// How values of so many bytes or more are packed.
    pub(super) packing: Option<(Codec, usize)>,
    /// Hits are counted whatever the policy.
    pub(super) counts_hits: bool,
}

impl Rules {
    /// The rules of a shard that holds keys of others while a command runs on them (see `guests`): they are as old and as
    /// much used as where they live, but none is queued or packed for that time. That a key has fallen due is told where
    /// it lives.
    pub fn of_assembly(config: &Config) -> Self {
        let policy = config.maxmemory_policy;
        let keeps_access = policy.keeps_recency() || policy.keeps_frequency();
        let policy = if keeps_access { policy } else { EvictionPolicy::AllKeysRandom };
        let events = config.key_events.without(EventClass::Expired);
        Self { policy, packing: None, counts_hits: !keeps_access, events, ..Self::of(config) }
    }

    /// The rules that a configuration makes.
    pub fn of(config: &Config) -> Self {
        let threshold = usize::try_from(config.compression_threshold_bytes).unwrap_or(usize::MAX);
        Self {
            policy: config.maxmemory_policy,
            samples: config.maxmemory_samples as usize,
            lfu_log_factor: config.lfu_log_factor,
            lfu_decay_minutes: config.lfu_decay_minutes,
            default_ttl_ms: u64::from(config.default_ttl_s) * 1000,
            compact: CompactLimits::of(config),
            events: config.key_events,
            packing: match config.compression {
                Compression::None => None,
                Compression::Lz4 => Some((Codec::Lz4, threshold)),
                Compression::Zstd => Some((Codec::Zstd, threshold)),
            },
            counts_hits: false,
        }
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self::of(&Config::default())
    }
}

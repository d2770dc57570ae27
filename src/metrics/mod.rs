//! Plain per-core counters and histograms, merged only when somebody reads them.

//! Memory: its section of INFO, MEMORY STATS and MEMORY DOCTOR.
//!
//! Every byte of data is charged where it is allocated, so the figures are counted, not measured:
//!
//! ```text
//! used_memory ─┬─ data, which maxmemory bounds ─┬─ used_memory_dataset    entries, and what they hold outside
//!              │                                └─┐
//!              │                                  ├ used_memory_overhead  tables, wheels, queues, what waits to be dropped
//!              └─ clients, not counted for evict ─┘                       sessions and their buffers
//!
//! allocator_allocated = used_memory
//!   allocator_frag     what lies empty between entries: cells and places that are held and not used
//! allocator_active
//!   allocator_rss      code, stacks, rings, receive buffers, what the allocator keeps; less what was never touched
//! allocator_resident = used_memory_rss
//! ```

use super::info::{Hundredths, Text, percent, ratio};
use super::report::Reports;
use crate::engine::{Engine, Resident};
use crate::resp::Reply;

impl Engine {
    pub(super) fn write_memory(&self, reports: &Reports, text: &mut Text) {
        let Resident { bytes: resident, bytes_peak: resident_peak } = (self.facts.resident)();
        let (used, peak) = (reports.used_bytes(), reports.used_bytes_peak());
        let (dataset, overhead, clients) = (reports.dataset_bytes(), reports.overhead_bytes(), reports.client_bytes());
        let active = reports.active_bytes();
        let both = |text: &mut Text, name: &str, bytes: u64| {
            text.field(name, bytes);
            text.field(&format!("{name}_human"), human(bytes));
        };
        both(text, "used_memory", used);
        both(text, "used_memory_rss", resident);
        both(text, "used_memory_peak", peak);
        text.field("used_memory_peak_perc", format_args!("{}%", percent(used, peak)));
        text.field("used_memory_overhead", overhead);
        text.field("used_memory_startup", 0);
        text.field("used_memory_dataset", dataset);
        text.field("used_memory_dataset_perc", format_args!("{}%", percent(dataset, used)));
        text.field("allocator_allocated", used);
        text.field("allocator_active", active);
        text.field("allocator_resident", resident);
        both(text, "total_system_memory", self.facts.total_memory_bytes);
        text.field("used_memory_lua", 0);
        text.field("used_memory_vm_eval", 0);
        text.field("used_memory_lua_human", human(0));
        for field in [
            "used_memory_scripts_eval",
            "number_of_cached_scripts",
            "number_of_functions",
            "number_of_libraries",
            "used_memory_vm_functions",
            "used_memory_vm_total",
        ] {
            text.field(field, 0);
        }
        text.field("used_memory_vm_total_human", human(0));
        text.field("used_memory_functions", 0);
        both(text, "used_memory_scripts", 0);
        both(text, "maxmemory", self.config.maxmemory.bytes());
        text.field("maxmemory_policy", self.config.value("maxmemory-policy").unwrap_or_default());
        text.field("allocator_frag_ratio", ratio(active, used));
        text.field("allocator_frag_bytes", difference(active, used));
        text.field("allocator_rss_ratio", ratio(resident, active));
        text.field("allocator_rss_bytes", difference(resident, active));
        text.field("rss_overhead_ratio", ratio(resident, resident));
        text.field("rss_overhead_bytes", 0);
        text.field("mem_fragmentation_ratio", ratio(resident, used));
        text.field("mem_fragmentation_bytes", difference(resident, used));
        text.field("mem_not_counted_for_evict", clients);
        text.field("mem_replication_backlog", 0);
        text.field("mem_total_replication_buffers", 0);
        text.field("mem_clients_slaves", 0);
        text.field("mem_clients_normal", clients);
        text.field("mem_cluster_links", 0);
        text.field("mem_aof_buffer", 0);
        text.field("mem_allocator", self.facts.allocator);
        text.field("active_defrag_running", 0);
        text.field("lazyfree_pending_objects", reports.sum(|core| u64::from(core.has_remains)));
        text.field("lazyfreed_objects", reports.sum(|core| core.shard.buried));
        text.field("used_memory_rss_peak", resident_peak);
        // Of values as they were written, since the start or CONFIG RESETSTAT.
        let (before, after) =
            (reports.sum(|core| core.shard.packed_bytes_before), reports.sum(|core| core.shard.packed_bytes_after));
        text.field("compression_values", reports.sum(|core| core.shard.packed));
        text.field("compression_bytes_before", before);
        text.field("compression_bytes_after", after);
        text.field("compression_ratio", ratio(before, after));
    }

    pub(super) fn answer_memory_stats(&self, reports: &Reports, reply: &mut Reply<'_>) {
        let (used, peak) = (reports.used_bytes(), reports.used_bytes_peak());
        let (dataset, overhead, clients) = (reports.dataset_bytes(), reports.overhead_bytes(), reports.client_bytes());
        let (active, resident) = (reports.active_bytes(), (self.facts.resident)().bytes);
        let databases = reports.databases();
        let keys: u64 = databases.iter().map(|(_, database)| database.keys).sum();
        let percentage = |part: u64, whole: u64| 100.0 * fraction(part, whole);
        let before: &[(&str, u64)] = &[
            ("peak.allocated", peak),
            ("total.allocated", used),
            ("startup.allocated", 0),
            ("replication.backlog", 0),
            ("clients.slaves", 0),
            ("clients.normal", clients),
            ("cluster.links", 0),
            ("aof.buffer", 0),
            ("lua.caches", 0),
            ("functions.caches", 0),
        ];
        reply.map(before.len() + databases.len() + 17);
        before.iter().for_each(|(name, value)| integer(name, *value, reply));
        for (number, database) in &databases {
            reply.bulk(format!("db.{number}").as_bytes());
            reply.map(3);
            // One table serves for everything: it is in the order of slots, and deadlines stand in the entries.
            integer("overhead.hashtable.main", database.overhead_bytes, reply);
            integer("overhead.hashtable.expires", 0, reply);
            integer("overhead.hashtable.slot-to-keys", 0, reply);
        }
        integer("overhead.total", overhead, reply);
        integer("keys.count", keys, reply);
        integer("keys.bytes-per-key", reports.data_bytes().checked_div(keys).unwrap_or_default(), reply);
        integer("dataset.bytes", dataset, reply);
        double("dataset.percentage", percentage(dataset, used), reply);
        double("peak.percentage", percentage(used, peak), reply);
        integer("allocator.allocated", used, reply);
        integer("allocator.active", active, reply);
        integer("allocator.resident", resident, reply);
        double("allocator-fragmentation.ratio", fraction(active, used), reply);
        integer("allocator-fragmentation.bytes", difference(active, used), reply);
        double("allocator-rss.ratio", fraction(resident, active), reply);
        integer("allocator-rss.bytes", difference(resident, active), reply);
        double("rss-overhead.ratio", fraction(resident, resident), reply);
        integer("rss-overhead.bytes", 0, reply);
        double("fragmentation", fraction(resident, used), reply);
        integer("fragmentation.bytes", difference(resident, used), reply);
    }

    pub(super) fn answer_memory_doctor(&self, reports: &Reports, reply: &mut Reply<'_>) {
        /// Below this nothing can be concluded.
        const BYTES_TO_JUDGE_BY: u64 = 5 * 1024 * 1024;
        /// What a core takes beside data and clients, at most: stacks, rings, receive buffers, its part of the code.
        const BYTES_BESIDE: u64 = 32 * 1024 * 1024;
        let (used, peak, active) = (reports.used_bytes(), reports.used_bytes_peak(), reports.active_bytes());
        let clients = reports.sum(|core| core.clients.connected).max(1);
        let beside = BYTES_BESIDE * reports.0.len() as u64;
        let mut findings = Vec::new();
        if used < BYTES_TO_JUDGE_BY {
            return reply.verbatim("txt", "There is too little data to say anything about the use of memory.\n");
        }
        if peak / 2 > used {
            findings.push(
                "More than half of the memory that was once used is free now, and the process may still hold it. It \
                 will be used again when the data grows.",
            );
        }
        if active > used.saturating_mul(2) {
            findings.push(
                "More than half of the memory that is held for data lies empty between entries (allocator_frag_bytes): \
                 the data has shrunk, or the sizes of values have changed. It is being moved together, and what \
                 becomes free is given back.",
            );
        }
        if (self.facts.resident)().bytes > active.saturating_mul(2).saturating_add(beside) {
            findings.push(
                "The process holds more than twice the memory that is accounted for (allocator_rss_bytes): look for \
                 large values that come and go, and for replies that wait to be sent.",
            );
        }
        if reports.client_bytes() / clients > 200 * 1024 {
            findings.push(
                "Clients hold more than 200 kB each on average: look in CLIENT LIST for those that do not read their \
                 replies, and consider client-output-buffer-limit.",
            );
        }
        if findings.is_empty() {
            return reply.verbatim("txt", "The use of memory looks healthy.\n");
        }
        reply.verbatim("txt", &(findings.join("\n\n") + "\n"));
    }
}

fn integer(name: &str, value: impl TryInto<i64>, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.integer(value.try_into().unwrap_or(i64::MAX));
}

fn double(name: &str, value: f64, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.double(value);
}

fn fraction(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// How much more the first is, or less.
fn difference(this: u64, that: u64) -> i128 {
    i128::from(this) - i128::from(that)
}

/// Bytes as Redis shows them to people: `919.08K`.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["K", "M", "G", "T"];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let step = (bytes.ilog2() / 10).min(UNITS.len() as u32);
    let unit = u128::from(1u64 << (10 * step));
    format!("{}{}", Hundredths((u128::from(bytes) * 100 + unit / 2) / unit), UNITS[step as usize - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_people() {
        assert_eq!(human(0), "0B");
        assert_eq!(human(1023), "1023B");
        assert_eq!(human(941_136), "919.08K");
        assert_eq!(human(25_276_510_208), "23.54G");
        assert_eq!(human(u64::MAX), "16777216.00T");
    }
}

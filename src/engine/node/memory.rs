//! Memory: its section of INFO, MEMORY STATS and MEMORY DOCTOR.
//!
//! `used_memory` is what we account for: bytes charged to entries, clients and their buffers. The table's empty places,
//! the code and the rings are not in it; the difference to the resident memory shows them.

use super::info::{Hundredths, Text};
use super::report::Reports;
use crate::engine::{Engine, ProcessFacts};
use crate::resp::Reply;

impl Engine {
    pub(super) fn write_memory(&self, reports: &Reports, facts: &ProcessFacts, text: &mut Text) {
        let (used, peak) = (reports.used_bytes(), reports.used_bytes_peak());
        let (data, overhead) = (reports.data_bytes(), reports.overhead_bytes());
        let resident = facts.resident_bytes;
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
        text.field("used_memory_dataset", data);
        text.field("used_memory_dataset_perc", format_args!("{}%", percent(data, used)));
        text.field("allocator_allocated", used);
        text.field("allocator_active", resident);
        text.field("allocator_resident", resident);
        both(text, "total_system_memory", facts.total_memory_bytes);
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
        text.field("allocator_frag_ratio", ratio(resident, used));
        text.field("allocator_frag_bytes", resident.saturating_sub(used));
        text.field("allocator_rss_ratio", ratio(resident, resident));
        text.field("allocator_rss_bytes", 0);
        text.field("rss_overhead_ratio", ratio(resident, resident));
        text.field("rss_overhead_bytes", 0);
        text.field("mem_fragmentation_ratio", ratio(resident, used));
        text.field("mem_fragmentation_bytes", resident.saturating_sub(used));
        text.field("mem_not_counted_for_evict", overhead);
        text.field("mem_replication_backlog", 0);
        text.field("mem_total_replication_buffers", 0);
        text.field("mem_clients_slaves", 0);
        text.field("mem_clients_normal", overhead);
        text.field("mem_cluster_links", 0);
        text.field("mem_aof_buffer", 0);
        text.field("mem_allocator", facts.allocator);
        text.field("active_defrag_running", 0);
        text.field("lazyfree_pending_objects", reports.sum(|core| u64::from(core.has_remains)));
        text.field("lazyfreed_objects", 0);
        text.field("used_memory_rss_peak", facts.resident_bytes_peak);
    }

    pub(super) fn answer_memory_stats(&self, reports: &Reports, reply: &mut Reply<'_>) {
        let facts = (self.facts)();
        let (used, peak) = (reports.used_bytes(), reports.used_bytes_peak());
        let (data, overhead, resident) = (reports.data_bytes(), reports.overhead_bytes(), facts.resident_bytes);
        let databases = reports.databases();
        let keys: u64 = databases.iter().map(|(_, database)| database.keys).sum();
        let percentage = |part: u64, whole: u64| 100.0 * fraction(part, whole);
        let before: &[(&str, u64)] = &[
            ("peak.allocated", peak),
            ("total.allocated", used),
            ("startup.allocated", 0),
            ("replication.backlog", 0),
            ("clients.slaves", 0),
            ("clients.normal", overhead),
            ("cluster.links", 0),
            ("aof.buffer", 0),
            ("lua.caches", 0),
            ("functions.caches", 0),
        ];
        reply.map(before.len() + databases.len() + 17);
        before.iter().for_each(|(name, value)| integer(name, *value, reply));
        for (number, _) in &databases {
            // A database's table holds deadlines and slots itself, and what it takes is charged to its entries.
            reply.bulk(format!("db.{number}").as_bytes());
            reply.map(3);
            for table in ["main", "expires", "slot-to-keys"] {
                integer(&format!("overhead.hashtable.{table}"), 0, reply);
            }
        }
        integer("overhead.total", overhead, reply);
        integer("keys.count", keys, reply);
        integer("keys.bytes-per-key", data.checked_div(keys).unwrap_or_default(), reply);
        integer("dataset.bytes", data, reply);
        double("dataset.percentage", percentage(data, used), reply);
        double("peak.percentage", percentage(used, peak), reply);
        integer("allocator.allocated", used, reply);
        integer("allocator.active", resident, reply);
        integer("allocator.resident", resident, reply);
        double("allocator-fragmentation.ratio", fraction(resident, used), reply);
        integer("allocator-fragmentation.bytes", resident.saturating_sub(used), reply);
        double("allocator-rss.ratio", fraction(resident, resident), reply);
        integer("allocator-rss.bytes", 0, reply);
        double("rss-overhead.ratio", fraction(resident, resident), reply);
        integer("rss-overhead.bytes", 0, reply);
        double("fragmentation", fraction(resident, used), reply);
        integer("fragmentation.bytes", resident.saturating_sub(used), reply);
    }

    pub(super) fn answer_memory_doctor(&self, reports: &Reports, reply: &mut Reply<'_>) {
        /// Below this nothing can be concluded.
        const BYTES_TO_JUDGE_BY: u64 = 5 * 1024 * 1024;
        let facts = (self.facts)();
        let (used, peak) = (reports.used_bytes(), reports.used_bytes_peak());
        let clients = reports.sum(|core| core.clients.connected).max(1);
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
        if facts.resident_bytes > used.saturating_mul(2) {
            findings.push(
                "The process holds more than twice the memory that is accounted for: look for a data set that has \
                 shrunk, and for values whose sizes keep changing.",
            );
        }
        if reports.overhead_bytes() / clients > 200 * 1024 {
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

fn integer(name: &str, value: u64, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.integer(i64::try_from(value).unwrap_or(i64::MAX));
}

fn double(name: &str, value: f64, reply: &mut Reply<'_>) {
    reply.bulk(name.as_bytes());
    reply.double(value);
}

fn fraction(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn ratio(part: u64, whole: u64) -> Hundredths {
    Hundredths((u128::from(part) * 100).checked_div(u128::from(whole)).unwrap_or_default())
}

fn percent(part: u64, whole: u64) -> Hundredths {
    Hundredths((u128::from(part) * 10_000).checked_div(u128::from(whole)).unwrap_or_default())
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

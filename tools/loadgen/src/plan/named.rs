//! The workloads that have names.
//!
//! YCSB's are those of "Benchmarking cloud serving systems with YCSB" (Cooper, Silberstein, Tam, Ramakrishnan, Sears;
//! SoCC 2010), as far as a store of strings goes: a record is one value of 1000 bytes (YCSB's ten fields of 100), an
//! update writes it whole, and a scan, for which there is no order of keys, is an MGET of keys that follow each other.

use super::keys::ZIPF_EXPONENT;
use super::{PlanError, Sizes, Spread, quantity};

/// What errors say of the names.
const NAMES: &str = "get, set, mixed READS:WRITES, mget N, mset N, incr, ping, fill and ycsb-a to ycsb-f";

/// Bytes of YCSB's records.
const YCSB_BYTES: u32 = 1000;

/// Where the keys of a kind of operation come from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Choice {
    /// As the spread has it.
    Drawn,
    /// Each is a new one, behind all others.
    Insert,
    /// Each of the data set, once.
    Once,
}

/// A kind of operation: a template with what a name says beyond it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    pub(super) name: &'static str,
    pub(super) weight: f64,
    pub(super) commands: String,
    pub(super) choice: Choice,
    /// What its keys begin with, if they must not meet others.
    pub(super) prefix: Option<&'static str>,
}

/// A named workload, with its own idea of keys and sizes.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Named {
    pub(super) entries: Vec<Entry>,
    pub(super) spread: Option<Spread>,
    pub(super) sizes: Option<Sizes>,
    /// Whether it sets values that may live for a time.
    pub(super) sets: bool,
}

/// The workload of this name; none if it is no name, but a template.
pub(super) fn named(text: &str, ttl_s: Option<u64>) -> Result<Option<Named>, PlanError> {
    let lower = text.to_ascii_lowercase();
    let words: Vec<&str> = lower.split_ascii_whitespace().collect();
    let ttl = ttl_s.map(|seconds| format!(" EX {seconds}")).unwrap_or_default();
    let get = || entry("GET", 1.0, "GET __key__");
    let set = || entry("SET", 1.0, &format!("SET __key__ __value__{ttl}"));
    let plain = |entries: Vec<Entry>| {
        let sets = entries.iter().any(|entry| entry.name == "SET");
        Ok(Some(Named { entries, spread: None, sizes: None, sets }))
    };
    match words.as_slice() {
        ["get"] => plain(vec![get()]),
        ["set"] => plain(vec![set()]),
        ["mixed"] => plain(mixed("9:1", get(), set())?),
        ["mixed", ratio] => plain(mixed(ratio, get(), set())?),
        ["fill"] => plain(vec![Entry { choice: Choice::Once, ..set() }]),
        ["ping"] => plain(vec![entry("PING", 1.0, "PING")]),
        ["incr"] => plain(vec![Entry { prefix: Some("counter:"), ..entry("INCR", 1.0, "INCR __key__") }]),
        ["mget"] => plain(vec![entry("MGET", 1.0, "MGET __keys:10__")]),
        ["mset"] => plain(vec![entry("MSET", 1.0, "MSET __pairs:10__")]),
        ["mget", keys] if is_number(keys) => plain(vec![entry("MGET", 1.0, &format!("MGET __keys:{keys}__"))]),
        ["mset", keys] if is_number(keys) => plain(vec![entry("MSET", 1.0, &format!("MSET __pairs:{keys}__"))]),
        [name] if name.starts_with("ycsb-") => ycsb(&name["ycsb-".len()..], &ttl).map(Some),
        // A command of one word may be meant, but then in capitals: a misspelt name must not be sent to a server.
        [_] if text == lower && !text.contains("__") => {
            let hint = "a command of one word is written in capitals";
            Err(PlanError(format!(
                "there is no workload {text:?}: there are {NAMES}, and commands with placeholders ({hint})"
            )))
        }
        _ => Ok(None),
    }
}

fn entry(name: &'static str, weight: f64, commands: &str) -> Entry {
    Entry { name, weight, commands: commands.to_owned(), choice: Choice::Drawn, prefix: None }
}

fn is_number(text: &str) -> bool {
    quantity::unsigned(text).is_some()
}

fn mixed(ratio: &str, get: Entry, set: Entry) -> Result<Vec<Entry>, PlanError> {
    let parts = ratio.split_once(':').and_then(|(reads, writes)| {
        let (reads, writes) = (quantity::decimal(reads)?, quantity::decimal(writes)?);
        (reads + writes > 0.0 && (reads + writes).is_finite()).then_some((reads, writes))
    });
    let Some((reads, writes)) = parts else {
        return Err(PlanError(format!(
            "mixed {ratio} is not understood: it must be as mixed 9:1, nine reads to a write"
        )));
    };
    let entries = [Entry { weight: reads, ..get }, Entry { weight: writes, ..set }];
    Ok(entries.into_iter().filter(|entry| entry.weight > 0.0).collect())
}

fn ycsb(letter: &str, ttl: &str) -> Result<Named, PlanError> {
    let set = format!("SET __key__ __value__{ttl}");
    let read = |percent| entry("READ", percent, "GET __key__");
    let update = |percent| entry("UPDATE", percent, &set);
    let insert = |percent| Entry { choice: Choice::Insert, ..entry("INSERT", percent, &set) };
    let zipf = Spread::Zipf(ZIPF_EXPONENT);
    let (entries, spread) = match letter {
        "a" => (vec![read(50.0), update(50.0)], zipf),
        "b" => (vec![read(95.0), update(5.0)], zipf),
        "c" => (vec![read(100.0)], zipf),
        "d" => (vec![read(95.0), insert(5.0)], Spread::Latest),
        "e" => (vec![entry("SCAN", 95.0, "MGET __range:1-100__"), insert(5.0)], zipf),
        "f" => {
            let both = entry("READ-MODIFY-WRITE", 50.0, &format!("GET __key__; {set}"));
            (vec![read(50.0), both], zipf)
        }
        _ => return Err(PlanError(format!("there is no ycsb-{letter}: YCSB's workloads are ycsb-a to ycsb-f"))),
    };
    Ok(Named { entries, spread: Some(spread), sizes: Some(Sizes::Fixed(YCSB_BYTES)), sets: letter != "c" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(String, f64, String)> {
        let named = named(text, None).unwrap().unwrap();
        named.entries.into_iter().map(|entry| (entry.name.to_owned(), entry.weight, entry.commands)).collect()
    }

    #[test]
    fn names_stand_for_commands() {
        let one = |name: &str, commands: &str| vec![(name.to_owned(), 1.0, commands.to_owned())];
        assert_eq!(entries("get"), one("GET", "GET __key__"));
        assert_eq!(entries("GET"), one("GET", "GET __key__"));
        assert_eq!(entries("mget"), one("MGET", "MGET __keys:10__"));
        assert_eq!(entries("mset 3"), one("MSET", "MSET __pairs:3__"));
        assert_eq!(entries("mixed"), entries("mixed 9:1"));
        assert_eq!(entries("mixed 0:1"), entries("set"));
        assert_eq!(entries("mixed 0.5:1.5").iter().map(|entry| entry.1).collect::<Vec<_>>(), [0.5, 1.5]);
        let set = named("set", Some(60)).unwrap().unwrap();
        assert_eq!(set.entries[0].commands, "SET __key__ __value__ EX 60");
    }

    #[test]
    fn ycsb_has_its_shares() {
        for letter in ["a", "b", "c", "d", "e", "f"] {
            let named = named(&format!("ycsb-{letter}"), None).unwrap().unwrap();
            assert_eq!(named.entries.iter().map(|entry| entry.weight).sum::<f64>(), 100.0);
            assert_eq!(named.sizes, Some(Sizes::Fixed(1000)));
            assert_eq!(named.spread == Some(Spread::Latest), letter == "d");
            assert_eq!(named.sets, letter != "c");
        }
    }

    #[test]
    fn templates_are_no_names_and_misspelt_names_are_no_templates() {
        for template in ["GET __key__", "DBSIZE", "mget a b", "ping hello", "__key__", "LPUSH l __value__"] {
            assert_eq!(named(template, None), Ok(None), "{template}");
        }
        let error = |text: &str| named(text, None).unwrap_err().0;
        assert!(error("gte").contains("there are get, set"));
        assert!(error("ycsb-g").contains("ycsb-a to ycsb-f"));
        assert!(error("mixed 9-1").contains("mixed 9:1"));
        assert!(error("mixed 0:0").contains("mixed 9:1"));
    }
}

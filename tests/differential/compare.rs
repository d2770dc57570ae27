//! How two replies to the same command are compared: exactly, unless time, chance or the program itself speaks in them.

use std::collections::BTreeSet;

use corewise_harness::Value;

/// What must agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Compare {
    /// Every byte.
    Exact,
    /// Numbers above zero by at most this much, anything else exactly.
    Near(i64),
    /// The same elements in any order.
    Unordered,
    /// The same elements in any order, in the lists inside too.
    Nested,
    /// The kind of reply; errors exactly.
    Shape,
    /// The names of a map: ours has those of Redis.
    Pairs,
    /// The sections and fields of INFO: ours has those of Redis; the keyspace counts exactly.
    Info,
    /// The fields of CLIENT LIST: ours has those of Redis in each line; the number of lines exactly.
    Clients,
    /// HELLO: all but version and id exactly.
    Hello,
    /// Rows of COMMAND INFO: exactly, with flags, categories and tips in any order.
    CommandInfo,
    /// COMMAND DOCS: names, group and since; the words are ours.
    Docs,
    /// Lists of command names: the same ones of the families that exist.
    Commands,
    /// Not one reply but a whole SCAN, as a set.
    ScanAll,
    /// RANDOMKEY: nil or not, and a key that is there.
    RandomKey,
    /// A map whose pairs may come in any order.
    Settings,
    /// Nothing: sent to the tested server alone, as the fault of the test's own test.
    Planted,
}

/// The commands of the families that are compared.
pub(crate) fn families() -> Vec<&'static str> {
    include_str!("../families.txt").split_whitespace().collect()
}

/// Whether `ours` is right where Redis says `theirs`.
pub(crate) fn agree(compare: Compare, theirs: &Value, ours: &Value) -> bool {
    if theirs == ours {
        return true;
    }
    if compare == Compare::Exact || theirs.is_error() || ours.is_error() || theirs.mark() != ours.mark() {
        return false;
    }
    match compare {
        Compare::Exact | Compare::Planted => false,
        Compare::Settings => {
            let pairs = |value: &Value| value.pairs().into_iter().collect::<BTreeSet<_>>();
            pairs(theirs) == pairs(ours)
        }
        Compare::Near(tolerance) => match (theirs, ours) {
            (Value::Integer(a), Value::Integer(b)) => *a >= 0 && *b >= 0 && a.abs_diff(*b) <= tolerance as u64,
            _ => false,
        },
        Compare::Shape | Compare::RandomKey => theirs.is_nil() == ours.is_nil(),
        Compare::Unordered | Compare::ScanAll => sorted(theirs) == sorted(ours),
        Compare::Pairs => {
            let names = |value: &Value| value.pairs().into_iter().map(|(name, _)| name).collect::<BTreeSet<_>>();
            // The statistics of each database and of Redis's own allocator are named by what happens to exist.
            let own = |name: &Value| name.text().starts_with("db.") || name.text().starts_with("allocator");
            names(theirs).difference(&names(ours)).all(own)
        }
        Compare::Info => info_lacks(&theirs.text(), &ours.text()).is_empty(),
        Compare::Clients => clients_agree(&theirs.text(), &ours.text()),
        Compare::Hello => masked(theirs) == masked(ours),
        Compare::CommandInfo | Compare::Nested => normal(theirs) == normal(ours),
        Compare::Docs => docs(theirs) == docs(ours),
        Compare::Commands => family_names(theirs) == family_names(ours),
    }
}

fn sorted(value: &Value) -> Vec<Value> {
    let mut items = match value {
        Value::Array(items) | Value::Set(items) => items.clone(),
        other => vec![other.clone()],
    };
    items.sort();
    items
}

/// What Redis's INFO names and ours does not. Names that hold a number or depend on what ran are left out.
pub(crate) fn info_lacks(theirs: &str, ours: &str) -> Vec<String> {
    let dynamic = ["cmdstat_", "errorstat_", "latency_percentiles_", "allocator_", "gcc_version", "module"];
    let name = |line: &str| line.split(':').next().unwrap_or_default().to_owned();
    let names: BTreeSet<String> = ours.lines().map(name).collect();
    let mut lacks = Vec::new();
    for line in theirs.lines().filter(|line| !line.is_empty()) {
        let field = name(line);
        let keyspace = line.starts_with("db") && line.contains("keys=");
        let counts = |line: &str| line.split(",avg_ttl").next().unwrap_or_default().to_owned();
        if keyspace && !ours.lines().any(|our| counts(our) == counts(line)) {
            lacks.push(counts(line));
        } else if !dynamic.iter().any(|prefix| field.starts_with(prefix)) && !names.contains(&field) {
            lacks.push(field);
        }
    }
    lacks
}

fn clients_agree(theirs: &str, ours: &str) -> bool {
    let names = |line: &str| {
        line.split_whitespace().filter_map(|f| f.split('=').next().map(str::to_owned)).collect::<BTreeSet<_>>()
    };
    let expected = theirs.lines().next().map(names).unwrap_or_default();
    theirs.lines().count() == ours.lines().count() && ours.lines().all(|line| names(line).is_superset(&expected))
}

fn masked(hello: &Value) -> Vec<(Value, Value)> {
    let mut pairs = hello.pairs();
    for (name, value) in &mut pairs {
        if matches!(name.bytes(), Some(b"version" | b"id")) {
            *value = Value::Nil;
        }
    }
    pairs
}

/// Sorts the elements of every list of simple strings, which stand for sets.
fn normal(value: &Value) -> Value {
    match value {
        Value::Array(items) | Value::Set(items) => {
            let mut items: Vec<Value> = items.iter().map(normal).collect();
            if items.iter().all(|item| matches!(item, Value::Simple(_) | Value::Bulk(_))) {
                items.sort();
            }
            // Subcommands, the tenth element of a row, come in the order of a hash table.
            if items.len() == 10
                && let Some(Value::Array(subcommands)) = items.last_mut()
            {
                subcommands.sort();
            }
            Value::Array(items)
        }
        Value::Map(pairs) => Value::Map(pairs.iter().map(|(name, value)| (name.clone(), normal(value))).collect()),
        other => other.clone(),
    }
}

fn docs(value: &Value) -> Vec<(Value, Option<Value>, Option<Value>)> {
    let find =
        |doc: &Value, name: &str| doc.pairs().into_iter().find(|(key, _)| key.text() == name).map(|(_, value)| value);
    value.pairs().iter().map(|(name, doc)| (name.clone(), find(doc, "group"), find(doc, "since"))).collect()
}

fn family_names(value: &Value) -> BTreeSet<String> {
    let families = families();
    let known = |name: &String| families.contains(&name.as_str());
    value.items().iter().map(Value::text).filter(known).collect()
}

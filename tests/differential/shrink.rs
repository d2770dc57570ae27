//! From a long history to the few commands that matter: by key first, then by leaving out whatever is not needed.

use std::time::{Duration, Instant};

use crate::generate::Operation;
use crate::run::Pair;

/// How long to look for a shorter sequence.
const PATIENCE: Duration = Duration::from_secs(10);

/// How far back to look: what came before is seldom to blame, and replaying it is slow.
const HISTORY_MAX: usize = 5000;

/// The operations that can have led to the last one: those on its keys, on keys that met those, and those on all keys.
pub(crate) fn relevant(history: &[Operation]) -> Vec<Operation> {
    let Some((last, before)) = history.split_last() else { return Vec::new() };
    let before = &before[before.len().saturating_sub(HISTORY_MAX)..];
    let mut keys: Vec<&[u8]> = last.keys();
    let mut kept: Vec<Operation> = vec![last.clone()];
    for operation in before.iter().rev() {
        let own = operation.keys();
        let touches = own.iter().any(|key| keys.contains(key));
        if touches || operation.is_global() || operation.silent || last.keys().is_empty() {
            keys.extend(own);
            kept.push(operation.clone());
        }
    }
    kept.reverse();
    kept
}

/// The shortest sequence found whose last command is answered differently; `None` if it is not when sent one by one.
pub(crate) fn shrink(pair: &mut Pair, history: &[Operation]) -> Option<Vec<Operation>> {
    let mut kept = relevant(history);
    if !differs(pair, &kept) {
        return None;
    }
    let deadline = Instant::now() + PATIENCE;
    let mut chunk = kept.len() / 2;
    while chunk > 0 {
        let mut start = 0;
        while start + 1 < kept.len() {
            if Instant::now() > deadline {
                return Some(kept);
            }
            let end = (start + chunk).min(kept.len() - 1);
            let shorter = [&kept[..start], &kept[end..]].concat();
            if differs(pair, &shorter) {
                kept = shorter;
            } else {
                start = end;
            }
        }
        chunk /= 2;
    }
    Some(kept)
}

/// Whether the last operation is answered differently after the others, from empty servers.
fn differs(pair: &mut Pair, operations: &[Operation]) -> bool {
    // An operation that is answered only because of its neighbours would leave the connections out of step.
    let torn = |operation: &Operation| {
        operation.silent
            || operation.words.first().is_some_and(|word| {
                word.eq_ignore_ascii_case(b"CLIENT")
                    && operation.words.get(1).is_some_and(|word| word.eq_ignore_ascii_case(b"REPLY"))
            })
    };
    let operations: Vec<Operation> = operations
        .iter()
        .map(|operation| Operation { silent: false, ..operation.clone() })
        .filter(|operation| !torn(operation))
        .collect();
    let Some((last, before)) = operations.split_last() else { return false };
    pair.restart();
    pair.run(before).is_some() && !pair.compare(std::slice::from_ref(last)).is_empty()
}

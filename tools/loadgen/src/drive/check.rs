//! Verifies replies: what a key may answer, given what this worker has written and been told.
//!
//! Every worker has keys of its own, and writes each with rising versions; a value carries its key and version. So when
//! a GET is sent, the version that it must at least see is known (`floor`: the highest that was acknowledged or seen
//! before), and when it is answered, the highest that it can see (`issued`). Anything else is a fault: another key's value
//! means replies in the wrong order or mixed up, a lower version means a lost or late write, and a damaged value does not
//! decode. A key is written by one request at a time, as the order of two would be the server's to choose. A write
//! without an answer leaves both possibilities open, and may still be carried out a little later.
//!
//! ```text
//!   issued    v5 ─ sent, may or may not be there ┐
//!             v4 ─ sent, connection lost         ├ a GET that is sent now may see any of these
//!   floor     v3 ─ acknowledged, or seen         ┘
//!             v2 ─ stale
//! ```

use std::collections::HashMap;

use super::replies::Reply;
use crate::plan::value;
use crate::plan::{Kind, Operation, Workload};

/// Faults that are told in words; the others are only counted.
const FAULTS_KEPT: usize = 20;

/// How long a write whose connection broke may still be carried out: the server may have received it and be busy.
const DOUBT_NS: u64 = 10_000_000_000;

/// Keys of a worker for each operation that it may have under way, so that a key to write is always found.
const KEYS_PER_OPERATION: u64 = 4;

/// What is known of a key.
#[derive(Clone, Copy, Debug, Default)]
struct Key {
    /// Highest version that was sent.
    issued: u32,
    /// Highest version that was acknowledged or seen.
    floor: u32,
    /// A write is under way.
    writing: bool,
}

/// A write whose connection broke.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    version: u32,
    since_ns: u64,
}

/// What one worker knows of its keys.
#[derive(Debug)]
pub(super) struct Check {
    index: u64,
    workers: u64,
    keys: u64,
    /// Tells the values of this run from those of an earlier one.
    run: u32,
    /// Whether the server may have dropped a key (eviction, TTL).
    may_forget: bool,
    known: HashMap<u64, Key, ahash::RandomState>,
    doubts: HashMap<u64, Doubt, ahash::RandomState>,
    pub(super) faults: Vec<String>,
    pub(super) fault_count: u64,
}

impl Check {
    /// What one of several workers checks.
    pub(super) fn new(index: usize, workers: usize, workload: &Workload, run: u32, may_forget: bool) -> Self {
        Self {
            index: index as u64,
            workers: workers as u64,
            keys: workload.shape().keys.count,
            run,
            may_forget,
            known: HashMap::default(),
            doubts: HashMap::default(),
            faults: Vec::new(),
            fault_count: 0,
        }
    }

    /// Makes a drawn operation one of this worker's keys, and notes it as sent. The operation's salt is, for a write, the
    /// version to write, and for a read, the lowest that may be answered.
    pub(super) fn sending(&mut self, operation: &mut Operation, kind: &Kind) {
        let row = operation.key / self.workers * self.workers;
        operation.key = self.own(row + self.index);
        if !kind.reads {
            while self.known.get(&operation.key).is_some_and(|key| key.writing) {
                operation.key = self.own(operation.key + self.workers);
            }
        }
        let key = self.known.entry(operation.key).or_default();
        if kind.reads {
            operation.salt = u64::from(key.floor);
        } else {
            key.issued += 1;
            key.writing = true;
            operation.salt = u64::from(self.run) << 32 | u64::from(key.issued);
        }
    }

    /// The key itself, or the first of this worker's if there is no such key.
    fn own(&self, key: u64) -> u64 {
        if key < self.keys { key } else { self.index }
    }

    /// Notes that an operation will not be answered.
    pub(super) fn lost(&mut self, operation: &Operation, kind: &Kind, now_ns: u64) {
        if kind.reads {
            return;
        }
        self.known.entry(operation.key).or_default().writing = false;
        let version = operation.salt as u32;
        let doubt = self.doubts.entry(operation.key).or_insert(Doubt { version, since_ns: now_ns });
        doubt.since_ns = now_ns;
    }

    /// Judges a reply. False if it is a fault, after which the connection cannot be trusted.
    pub(super) fn judge(&mut self, operation: &Operation, kind: &Kind, reply: Reply<'_>, now_ns: u64) -> bool {
        let verdict =
            if kind.reads { self.judge_read(operation, reply, now_ns) } else { self.judge_write(operation, reply) };
        match verdict {
            Ok(()) => true,
            Err(what) => {
                self.fault(format!("{} of key {}: {what}", kind.name, operation.key));
                false
            }
        }
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, what: String) {
        self.fault_count += 1;
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push(what);
        }
    }

    /// Whether a lost write may have brought this version back.
    fn is_in_doubt(&mut self, key: u64, version: u32, now_ns: u64) -> bool {
        let Some(doubt) = self.doubts.get(&key) else { return false };
        if now_ns > doubt.since_ns + DOUBT_NS {
            self.doubts.remove(&key);
            return false;
        }
        version >= doubt.version
    }

    fn judge_write(&mut self, operation: &Operation, reply: Reply<'_>) -> Result<(), String> {
        let key = self.known.entry(operation.key).or_default();
        key.writing = false;
        match reply {
            Reply::Status => {
                key.floor = key.floor.max(operation.salt as u32);
                Ok(())
            }
            // Refused: neither a fault nor a promise.
            Reply::Error(_) => Ok(()),
            other => Err(format!("answered with {}, not with OK: replies are mixed up", name(other))),
        }
    }

    fn judge_read(&mut self, operation: &Operation, reply: Reply<'_>, now_ns: u64) -> Result<(), String> {
        let floor = operation.salt as u32;
        let (key, version) = match reply {
            Reply::Error(_) => return Ok(()),
            Reply::Null if floor == 0 || self.may_forget => return Ok(()),
            Reply::Null => return Err(format!("nothing is there, but version {floor} was acknowledged or seen: lost")),
            Reply::Bulk(bytes) => value::decode(bytes).map_err(|fault| format!("answered with {fault}"))?,
            other => return Err(format!("answered with {}, not with a value: replies are mixed up", name(other))),
        };
        if key != operation.key {
            return Err(format!("answered with the value of key {key}: wrong or out of order"));
        }
        let (run, number) = ((version >> 32) as u32, version as u32);
        if run != self.run {
            let stale = format!("answered with a value of an earlier run, but version {floor} was acknowledged: stale");
            return if floor == 0 { Ok(()) } else { Err(stale) };
        }
        if number < floor && !self.is_in_doubt(operation.key, number, now_ns) {
            return Err(format!("answered with version {number}, but version {floor} was acknowledged or seen: stale"));
        }
        let known = self.known.entry(operation.key).or_default();
        if number > known.issued {
            return Err(format!("answered with version {number}, but only {} were written", known.issued));
        }
        known.floor = known.floor.max(number);
        Ok(())
    }
}

/// Keys that a check needs for so many operations under way.
pub(super) fn keys_needed(outstanding: u64) -> u64 {
    outstanding * KEYS_PER_OPERATION
}

fn name(reply: Reply<'_>) -> &'static str {
    match reply {
        Reply::Status => "OK",
        Reply::Error(_) => "an error",
        Reply::Bulk(_) => "a value",
        Reply::Null => "nothing",
        Reply::Other | Reply::Push => "something else",
    }
}

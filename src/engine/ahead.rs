//! Looking ahead: the cache misses of several commands at once.
//!
//! A command on a key of a large table spends most of its time on three cache misses: bucket, key, value. Those of a whole
//! pipeline, or of a batch of mail, can be waited for together, before the first command runs. That the first argument is
//! the key is a guess; if it is wrong, nothing but a little time is lost.

use super::Engine;
use super::mail::{self, Letter};
use crate::base::CoreId;
use crate::keyspace::Shard;
use crate::limits::WARM_KEYS;
use crate::resp::{ParserLimits, Request, RequestParser};

/// Keys to be looked for together.
struct Ahead<'k> {
    keys: [&'k [u8]; WARM_KEYS],
    count: usize,
}

impl<'k> Ahead<'k> {
    fn new() -> Self {
        Self { keys: [&[]; WARM_KEYS], count: 0 }
    }

    fn push(&mut self, key: &'k [u8]) {
        if self.count < WARM_KEYS {
            self.keys[self.count] = key;
            self.count += 1;
        }
    }
}

impl Engine {
    /// Warms the cache for the requests at the head of `bytes`; returns how many it has looked at.
    pub(super) fn look_ahead(&mut self, database: u16, bytes: &[u8]) -> usize {
        if self.shard.as_ref().is_some_and(|shard| !shard.is_worth_warming(usize::from(database))) {
            return WARM_KEYS;
        }
        let limits = ParserLimits::default();
        let (mut here, mut there) = (Ahead::new(), Ahead::new());
        let mut other: Option<CoreId> = None;
        let (mut at, mut requests) = (0, 0);
        while requests < WARM_KEYS && at < bytes.len() {
            let rest = &bytes[at..];
            let Ok(Some(length)) = self.scout.parse(rest, &limits) else {
                self.scout = RequestParser::new();
                break;
            };
            let request = self.scout.request(rest);
            // The arguments of an inline request stand elsewhere.
            if request.len() > 1 && std::ptr::eq(request.data(), rest) {
                let key = first_argument(rest, request);
                let core = self.topology.core_of(key);
                if core == self.core {
                    here.push(key);
                } else if *other.get_or_insert(core) == core {
                    there.push(key);
                }
            }
            at += length;
            requests += 1;
        }
        if let Some(mut shard) = self.shard.take() {
            self.warm(&mut shard, database, &here);
            self.shard = Some(shard);
        }
        if let Some(core) = other
            && there.count > 1
            && self.borrow(core)
            && let Some(mut open) = self.loans[core.index()].take()
        {
            self.warm(&mut open.loan, database, &there);
            self.loans[core.index()] = Some(open);
        }
        requests
    }

    /// Warms the cache for the requests among `letters`, whose arguments are packed in `bytes`.
    pub(super) fn look_ahead_in_mail(&mut self, letters: &[Letter], bytes: &[u8]) {
        let Some(mut shard) = self.shard.take() else { return };
        let mut runs = letters.iter().filter_map(|letter| match letter {
            Letter::Run(run) => Some(run),
            _ => None,
        });
        while let Some(first) = runs.next() {
            let mut ahead = Ahead::new();
            let batch = std::iter::once(first).chain(runs.by_ref().take(WARM_KEYS - 1));
            batch.filter_map(|run| mail::packed_argument(bytes, run, 1)).for_each(|key| ahead.push(key));
            self.warm(&mut shard, first.selected.database, &ahead);
        }
        self.shard = Some(shard);
    }

    fn warm(&self, shard: &mut Shard, database: u16, ahead: &Ahead<'_>) {
        if ahead.count > 1 {
            shard.keys(usize::from(database), self.now).warm(&ahead.keys, ahead.count);
        }
    }
}

/// The first argument of a request whose bytes are `data`, for as long as those live.
fn first_argument<'b>(data: &'b [u8], request: Request<'_>) -> &'b [u8] {
    let span = request.spans()[1];
    &data[span.start as usize..][..span.len as usize]
}

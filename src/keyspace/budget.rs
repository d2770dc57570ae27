//! The node's budget of memory and keys, from which its shards are granted what they use.
//!
//! A fixed share for each core would evict on the one that holds more while memory stands free on the others. So all
//! cores draw on one pool: a shard holds a **grant**, uses it without asking anybody, asks for more when it is used up,
//! and gives back what it has not used for a while. The grants together are never more than the limit.
//!
//! When the pool is empty, a shard that has less than its fair share (limit / cores) says so, and those that have more
//! evict a little and give it back, until everybody who wants it has a fair share.
//!
//! A sixteenth of the fair share is not granted: it belongs to each shard from the beginning (its **floor**). Otherwise the
//! first write of a core that has nothing to evict would be refused while another holds everything.
//!
//! The pool is four words, touched once for many writes; a core that works within its grant touches none of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One in so many parts of a fair share is a shard's floor.
const FLOOR_PART: u64 = 16;

/// What the shards of a node draw on: bytes, or keys.
#[derive(Debug)]
pub struct Pool {
    /// All that may be used; 0 is no limit.
    limit: AtomicU64,
    /// What every shard may use without a grant.
    floor: AtomicU64,
    /// Beside the limit, which every write reads, so on a line of its own.
    granted: Apart<AtomicU64>,
    /// What shards below their fair share have asked for in vain.
    wanted: AtomicU64,
    shards: u64,
}

/// Something on a cache line of its own.
#[derive(Debug)]
#[repr(align(64))]
struct Apart<T>(T);

impl Pool {
    /// A pool for so many shards; a limit of 0 is none.
    pub fn new(limit: u64, shards: usize) -> Arc<Self> {
        let shards = shards.max(1) as u64;
        let pool = Self { limit: 0.into(), floor: 0.into(), granted: Apart(0.into()), wanted: 0.into(), shards };
        pool.set_limit(limit);
        Arc::new(pool)
    }

    /// Changes the limit; shards find out when they next ask, or at the end of their turn.
    pub fn set_limit(&self, limit: u64) {
        self.limit.store(limit, Relaxed);
        self.floor.store(limit / self.shards / FLOOR_PART, Relaxed);
        if limit == 0 {
            self.wanted.store(0, Relaxed);
        }
    }

    /// The limit; 0 is none.
    #[inline]
    pub fn limit(&self) -> u64 {
        self.limit.load(Relaxed)
    }

    #[inline]
    fn floor(&self) -> u64 {
        self.floor.load(Relaxed)
    }

    /// All that may be granted.
    fn grantable(&self) -> u64 {
        self.limit().saturating_sub(self.floor() * self.shards)
    }

    fn fair(&self) -> u64 {
        self.grantable() / self.shards
    }
}

/// What one shard has been granted.
#[derive(Debug)]
pub(super) struct Grant {
    pool: Arc<Pool>,
    /// Beyond the floor.
    held: u64,
    /// What is asked for or kept at a time, beyond what is needed.
    step: u64,
}

impl Grant {
    /// No grant yet. `step_max`: what is asked for at a time.
    pub(super) fn new(pool: Arc<Pool>, step_max: u64) -> Self {
        Self { pool, held: 0, step: step_max }
    }

    /// Whether there is a limit at all.
    #[inline]
    pub(super) fn is_limited(&self) -> bool {
        self.pool.limit() != 0
    }

    /// Whether there is no limit and nothing to give back.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.held == 0 && !self.is_limited()
    }

    /// What it has of the limit: its fair share, or its grant if that is more.
    pub(super) fn share(&self) -> u64 {
        self.held.max(self.pool.fair()) + self.pool.floor()
    }

    /// Whether so much may be used, asking the pool if need be. False: something must go first.
    #[inline]
    pub(super) fn covers(&mut self, used: u64) -> bool {
        let limit = self.pool.limit();
        // The grant may be above a limit that was lowered, until the next time that accounts are settled.
        limit == 0
            || used <= limit
                && (used <= self.held + self.pool.floor() || self.ask(used.saturating_sub(self.pool.floor())))
    }

    /// Whether so much may ever be used.
    pub(super) fn is_possible(&self, used: u64) -> bool {
        !self.is_limited() || used <= self.pool.limit()
    }

    /// Whether so much may be used beyond the floor.
    #[cold]
    fn ask(&mut self, used: u64) -> bool {
        let limit = self.pool.grantable();
        let missing = used.saturating_sub(self.held);
        if !self.is_limited() || missing == 0 {
            return true;
        }
        let step = self.step.min(limit / self.pool.shards / 16);
        let mut got = 0;
        // An update that fails was overtaken by another core's; it is tried again on what that left.
        _ = self.pool.granted.0.fetch_update(Relaxed, Relaxed, |granted| {
            let free = limit.saturating_sub(granted);
            got = if free < missing { 0 } else { free.min(missing + step) };
            (got > 0).then(|| granted + got)
        });
        self.held += got;
        if got == 0 && self.held < self.pool.fair() {
            self.pool.wanted.fetch_max(missing + step, Relaxed);
        }
        got > 0
    }

    /// Called now and then: gives back what is not used. Returns what this shard should evict because others want it, or
    /// because the grants are more than the limit: it was lowered, or somebody has used more than he was granted.
    pub(super) fn settle(&mut self, used: u64) -> u64 {
        if !self.is_limited() {
            self.give_back(self.held);
            return 0;
        }
        let (limit, used) = (self.pool.grantable(), used.saturating_sub(self.pool.floor()));
        if used > self.held {
            // A write could not know how much it would need. What it took is taken from the pool, so that the others come
            // down too, or are refused more.
            self.pool.granted.0.fetch_add(used - self.held, Relaxed);
            self.held = used;
        }
        let (granted, fair) = (self.pool.granted.0.load(Relaxed), self.pool.fair());
        if granted > limit {
            // Everybody comes down in proportion.
            let target = (u128::from(self.held) * u128::from(limit) / u128::from(granted)) as u64;
            self.give_back(self.held - target.max(used.min(self.held)));
            return used.saturating_sub(target);
        }
        let wanted = self.pool.wanted.load(Relaxed);
        let step = self.step.min(limit / self.pool.shards / 16);
        if wanted > 0 && self.held > fair {
            let target = self.held - wanted.min(self.held - fair);
            let gift = self.held - target.max(used.min(self.held));
            if gift > 0 {
                self.give_back(gift);
                _ = self.pool.wanted.fetch_update(Relaxed, Relaxed, |wanted| Some(wanted.saturating_sub(gift)));
            }
            return used.saturating_sub(target);
        }
        let unused = self.held.saturating_sub(used);
        if unused > 2 * step {
            self.give_back(unused - step);
        }
        0
    }

    /// What uses so much has gone to another shard, which takes it over ([`Grant::take_over`]): the pool has granted no more
    /// and no less than before.
    pub(super) fn hand_over(&mut self, amount: u64) {
        let missing = amount.saturating_sub(self.held);
        if missing > 0 {
            // It lay within the floor, or was given back already.
            self.pool.granted.0.fetch_add(missing, Relaxed);
        }
        self.held -= amount - missing;
    }

    /// What uses so much has come from another shard, which hands it over.
    pub(super) fn take_over(&mut self, amount: u64) {
        self.held += amount;
    }

    fn give_back(&mut self, amount: u64) {
        if amount > 0 {
            self.held -= amount;
            self.pool.granted.0.fetch_sub(amount, Relaxed);
        }
    }
}

impl Drop for Grant {
    fn drop(&mut self) {
        self.give_back(self.held);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    #[test]
    fn grants_together_never_exceed_the_limit() {
        let mut rng = Rng::with_seed(5);
        for _ in 0..200 {
            let shards = rng.usize(1..5);
            let pool = Pool::new(rng.u64(1..100_000), shards);
            let mut grants: Vec<(Grant, u64)> = (0..shards).map(|_| (Grant::new(pool.clone(), 1000), 0)).collect();
            for _ in 0..500 {
                let (grant, used) = &mut grants[rng.usize(..shards)];
                match rng.u8(..5) {
                    4 => {
                        let moved = rng.u64(..=*used);
                        *used -= moved;
                        grant.hand_over(moved);
                        let (grant, used) = &mut grants[rng.usize(..shards)];
                        grant.take_over(moved);
                        *used += moved;
                        let granted = pool.granted.0.load(Relaxed);
                        assert_eq!(granted, grants.iter().map(|(grant, _)| grant.held).sum::<u64>());
                        // What was in the floor is granted now, until accounts are settled.
                        for (grant, used) in &mut grants {
                            *used -= grant.settle(*used).min(*used);
                            grant.settle(*used);
                        }
                    }
                    0 | 1 => {
                        let more = *used + rng.u64(..3000);
                        if grant.covers(more) {
                            *used = more;
                        }
                    }
                    2 => *used -= rng.u64(..=*used),
                    _ => {
                        let evict = grant.settle(*used);
                        *used -= evict.min(*used);
                    }
                }
                let held: u64 = grants.iter().map(|(grant, _)| grant.held).sum();
                assert_eq!(held, pool.granted.0.load(Relaxed));
                assert!(held <= pool.limit());
                assert!(grants.iter().all(|(grant, used)| *used <= grant.held + pool.floor()));
                assert!(grants.iter().map(|(_, used)| used).sum::<u64>() <= pool.limit());
            }
        }
    }

    #[test]
    fn what_one_does_not_use_another_may() {
        let pool = Pool::new(1000, 2);
        let (mut one, mut other) = (Grant::new(pool.clone(), 10), Grant::new(pool, 10));
        assert!(one.covers(900));
        assert!(other.covers(50));
        assert!(!other.covers(200), "900 and 200 are too many");
        // The one above its fair share is asked to give some up, and does.
        let used = 900 - one.settle(900);
        assert!(used < 900);
        one.settle(used);
        assert!(other.covers(200));
    }

    #[test]
    fn a_lowered_limit_takes_from_everybody() {
        let pool = Pool::new(1000, 2);
        let (mut one, mut other) = (Grant::new(pool.clone(), 10), Grant::new(pool.clone(), 10));
        assert!(one.covers(600) && other.covers(300));
        pool.set_limit(450);
        let mut used = [600, 300];
        for _ in 0..20 {
            used[0] -= one.settle(used[0]);
            used[1] -= other.settle(used[1]);
        }
        one.settle(used[0]);
        other.settle(used[1]);
        assert!(pool.granted.0.load(Relaxed) <= 450, "{used:?}");
        assert!(used[0] > used[1] && used[1] > 0, "{used:?}");
        pool.set_limit(0);
        assert!(one.covers(u64::MAX));
    }
}

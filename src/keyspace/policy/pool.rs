//! The candidate pool of the sampled policies: `lru`, `lfu` and `ttl`.
//!
//! To know the least recently used key exactly one needs a list of all keys. Redis's documentation ("Approximated LRU
//! algorithm") describes the cheap way: sample a few keys and evict the best victim among them. A pool improves on that:
//! what was sampled before and not evicted stays a candidate, so that the victim is the best of many samplings.
//!
//! ```text
//! offer ──▶ [ worst … best ]  16 candidates by score     a better one pushes the worst out
//!                       └──▶ pop_best
//! ```
//!
//! The pool knows nothing of what a score means. Candidates may have gone, or have been accessed, since they were offered:
//! the caller looks each up again before it evicts.

use super::queue::Item;

/// Candidates kept, as in Redis.
const CANDIDATES: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Candidate {
    score: u64,
    item: Item,
    database: u16,
}

/// The best victims of the samplings so far.
#[derive(Debug, Default)]
pub struct CandidatePool {
    /// Worst first; never more than [`CANDIDATES`].
    candidates: Vec<Candidate>,
}

impl CandidatePool {
    /// Offers a victim from `database`; the higher the score, the better. A candidate that is offered again has the new
    /// score.
    pub fn offer(&mut self, item: Item, database: u16, score: u64) {
        self.candidates.retain(|known| (known.item, known.database) != (item, database));
        if self.candidates.len() == CANDIDATES {
            if self.candidates[0].score >= score {
                return;
            }
            self.candidates.remove(0);
        }
        let at = self.candidates.partition_point(|known| known.score < score);
        self.candidates.insert(at, Candidate { score, item, database });
    }

    /// Takes the best victim and the database that it is in.
    pub fn pop_best(&mut self) -> Option<(Item, u16)> {
        self.candidates.pop().map(|best| (best.item, best.database))
    }

    /// Forgets all candidates: their scores meant something else (the policy was changed) or they have gone (a flush).
    pub fn clear(&mut self) {
        self.candidates.clear();
    }
}

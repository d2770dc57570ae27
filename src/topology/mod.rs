//! Slots and who owns them: which core of this node a key belongs to.
//!
//! A pure function of the slot and the number of cores. It knows nothing of connections or load. Invariant: cores own
//! contiguous ranges of slots that differ in length by at most one, so that a core can be shown to cluster clients as a
//! shard with one range.

use crate::base::{CoreId, SlotId, slot};
use crate::limits::{CORES_MAX, SLOTS};

/// How the slots of a node lie on its cores.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Topology {
    cores: u16,
}

impl Topology {
    /// A node of `cores` cores that owns every slot.
    ///
    /// # Panics
    /// If there is no core, or more than [`CORES_MAX`].
    pub fn new(cores: usize) -> Self {
        assert!((1..=CORES_MAX).contains(&cores), "a node has 1 to {CORES_MAX} cores, not {cores}");
        Self { cores: cores as u16 }
    }

    /// Cores of the node.
    #[inline]
    pub fn cores(self) -> usize {
        usize::from(self.cores)
    }

    /// All cores, in order.
    pub fn all(self) -> impl Iterator<Item = CoreId> {
        (0..self.cores).map(CoreId)
    }

    /// The core that owns a slot.
    #[inline]
    pub fn core_of_slot(self, slot: SlotId) -> CoreId {
        CoreId((u32::from(slot.0) * u32::from(self.cores) / u32::from(SLOTS)) as u16)
    }

    /// The core that owns a key.
    #[inline]
    pub fn core_of(self, key: &[u8]) -> CoreId {
        if self.cores == 1 { CoreId(0) } else { self.core_of_slot(slot(key)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_core_owns_one_contiguous_fair_range() {
        for cores in 1..=CORES_MAX {
            let topology = Topology::new(cores);
            let mut counts = vec![0usize; cores];
            let mut last = 0;
            for slot in 0..SLOTS {
                let core = topology.core_of_slot(SlotId(slot)).index();
                assert!(core == last || core == last + 1, "slots of a core are contiguous");
                counts[core] += 1;
                last = core;
            }
            let (least, most) = (counts.iter().min().expect("cores"), counts.iter().max().expect("cores"));
            assert!(most - least <= 1, "{cores} cores: {least} to {most} slots");
        }
    }
}

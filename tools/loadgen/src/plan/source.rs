//! Draws the operations of a workload, for one of several workers.

use std::ops::Range;
use std::sync::Arc;

use rand::rngs::SmallRng;
use rand::{RngCore, SeedableRng};

use super::dice::{below, drawn};
use super::named::Choice;
use super::records::Chooser;
use super::{Operation, Workload};

/// Draws operations: the same seed and part, the same operations.
///
/// What must not be done twice is dealt out to the parts: the keys of `fill` and of the sequential spread in stretches,
/// new keys and the numbers of `__seq__` in turn, like cards.
#[derive(Debug)]
pub struct Source {
    workload: Arc<Workload>,
    rng: SmallRng,
    share: Share,
}

/// What one part has for itself.
#[derive(Debug)]
struct Share {
    part: u64,
    parts: u64,
    /// Keys of the workload.
    count: u64,
    /// The keys that this part takes one after the other, and the next of them.
    stretch: Range<u64>,
    next: u64,
    /// Keys that it has inserted.
    inserted: u64,
    /// Operations that it has numbered.
    numbered: u64,
}

impl Source {
    /// The operations of worker `part` of `parts`.
    pub fn new(workload: Arc<Workload>, seed: u64, part: usize, parts: usize) -> Self {
        let (part, parts, count) = (part as u64, parts.max(1) as u64, workload.records.count);
        let bound = |part: u64| (u128::from(count) * u128::from(part) / u128::from(parts)) as u64;
        let mut stretch = bound(part)..bound(part + 1);
        // More workers than keys: those without a key go through all of them, but fill none.
        if stretch.is_empty() && !workload.ends() {
            stretch = 0..count;
        }
        let rng = SmallRng::seed_from_u64(drawn(seed, part));
        let share = Share { part, parts, count, next: stretch.start, stretch, inserted: 0, numbered: 0 };
        Self { workload, rng, share }
    }

    /// The next operation; none if the workload has an end (`fill`) and this part has reached it.
    #[inline]
    pub fn draw(&mut self) -> Option<Operation> {
        let Self { workload, rng, share } = self;
        let (kind, recipe) = match workload.recipes() {
            [recipe] => (0, recipe),
            recipes => {
                let place = u64::from(rng.next_u32());
                let kind = recipes.iter().position(|recipe| place < recipe.until).unwrap_or_default();
                (kind as u8, &recipes[kind])
            }
        };
        let records = &workload.records;
        let keys = match recipe.template.keys {
            None => None,
            Some((least, most)) if least == most => Some(most),
            Some((least, most)) => Some(least + below(rng.next_u64(), u64::from(most - least) + 1) as u32),
        };
        let key = match recipe.choice {
            Choice::Drawn => match (&records.chooser, records.choose(rng)) {
                (_, Some(key)) => key,
                (Chooser::Latest { ranks }, None) => share.latest(ranks.rank(rng)),
                (_, None) => share.in_order(u64::from(keys.unwrap_or(1))),
            },
            Choice::Insert => share.insert(),
            Choice::Once if share.next < share.stretch.end => {
                share.next += 1;
                share.next - 1
            }
            Choice::Once => return None,
        };
        let salt = if recipe.template.counts { share.number() } else { rng.next_u64() };
        Some(Operation { kind, key, size: keys.unwrap_or_else(|| records.size_of(key)), salt })
    }
}

impl Share {
    /// The next key of the stretch, and past those that an operation of several keys takes with it.
    fn in_order(&mut self, keys: u64) -> u64 {
        let key = self.next;
        self.next += keys;
        if self.next >= self.stretch.end {
            self.next = self.stretch.start;
        }
        key
    }

    fn insert(&mut self) -> u64 {
        self.inserted += 1;
        self.count + (self.inserted - 1) * self.parts + self.part
    }

    fn number(&mut self) -> u64 {
        self.numbered += 1;
        (self.numbered - 1) * self.parts + self.part
    }

    /// The key that `rank` others are newer than. This part knows only of the keys that it inserted itself, and takes
    /// each of them for as many as there are parts, since the others insert as many.
    fn latest(&self, rank: u64) -> u64 {
        let inserted = self.inserted * self.parts;
        if rank < inserted {
            self.count + (self.inserted - 1 - rank / self.parts) * self.parts + self.part
        } else {
            // There are as many ranks as keys before the first is inserted, so this cannot fall below zero.
            self.count - 1 - (rank - inserted)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::plan::{KeySpec, Shape, Sizes, Spread};

    fn workload(text: &str, count: u64, spread: Option<Spread>) -> Arc<Workload> {
        let keys = KeySpec { count, spread, ..KeySpec::default() };
        Arc::new(Workload::parse(text, Shape { keys, ..Shape::default() }).unwrap())
    }

    fn draw(workload: &Arc<Workload>, seed: u64, part: usize, parts: usize, count: usize) -> Vec<Operation> {
        let mut source = Source::new(workload.clone(), seed, part, parts);
        (0..count).map_while(|_| source.draw()).collect()
    }

    #[test]
    fn a_seed_and_a_part_have_their_operations() {
        for text in ["get", "ycsb-a", "ycsb-d", "ycsb-e", "mget 5", "LPUSH __key__ __seq__"] {
            let workload = workload(text, 1000, None);
            let first = draw(&workload, 1, 0, 2, 200);
            assert_eq!(first, draw(&workload, 1, 0, 2, 200), "{text}");
            assert_ne!(first, draw(&workload, 2, 0, 2, 200), "{text}");
            assert_ne!(first, draw(&workload, 1, 1, 2, 200), "{text}");
        }
    }

    #[test]
    fn parts_of_a_fill_cover_all_keys_once() {
        for (count, parts) in [(1000, 1), (1000, 3), (7, 16), (1, 1)] {
            let workload = workload("fill", count, Some(Spread::Zipf(0.99)));
            assert!(workload.ends());
            let mut keys: Vec<u64> = (0..parts)
                .flat_map(|part| draw(&workload, 1, part, parts, 2000))
                .map(|operation| operation.key)
                .collect();
            keys.sort_unstable();
            assert!(keys.iter().copied().eq(0..count), "{count} keys, {parts} parts");
        }
    }

    #[test]
    fn sequential_parts_do_not_meet_and_begin_again() {
        let workload = workload("get", 10, Some(Spread::Sequential));
        let keys = |part| draw(&workload, 1, part, 3, 8).iter().map(|operation| operation.key).collect::<Vec<_>>();
        assert_eq!(keys(0), [0, 1, 2, 0, 1, 2, 0, 1]);
        assert_eq!(keys(1), [3, 4, 5, 3, 4, 5, 3, 4]);
        assert_eq!(keys(2), [6, 7, 8, 9, 6, 7, 8, 9]);
        let several = self::workload("mget 4", 10, Some(Spread::Sequential));
        let keys: Vec<u64> = draw(&several, 1, 0, 1, 4).iter().map(|operation| operation.key).collect();
        assert_eq!(keys, [0, 4, 8, 0]);
    }

    #[test]
    fn inserts_and_sequences_do_not_collide() {
        let ycsb = workload("ycsb-d", 100, None);
        let seq = workload("LPUSH l __seq__", 100, None);
        let (mut inserted, mut numbers) = (HashSet::new(), HashSet::new());
        for part in 0..3 {
            for operation in draw(&ycsb, 1, part, 3, 2000).iter().filter(|operation| operation.kind == 1) {
                assert!(operation.key >= 100 && inserted.insert(operation.key), "{operation:?}");
            }
            assert!(draw(&seq, 1, part, 3, 2000).iter().all(|operation| numbers.insert(operation.salt)));
        }
        assert!(inserted.len() > 200);
    }

    #[test]
    fn latest_reads_only_what_is_there_and_the_newest_most() {
        let workload = workload("ycsb-d", 1000, None);
        let mut source = Source::new(workload, 1, 1, 4);
        let (mut there, mut reads, mut newest_hundred) = (HashSet::new(), 0, 0);
        for _ in 0..50_000 {
            let operation = source.draw().unwrap();
            if operation.kind == 1 {
                there.insert(operation.key);
                continue;
            }
            assert!(operation.key < 1000 || there.contains(&operation.key), "{operation:?}");
            reads += 1;
            newest_hundred += u64::from(operation.key + 100 > 1000 + source.share.inserted * 4);
        }
        // Of a thousand ranks, the first hundred have 69 % of the requests.
        let share = newest_hundred as f64 / f64::from(reads);
        assert!((share - 0.69).abs() < 0.02, "{share}");
    }

    #[test]
    fn shares_are_kept() {
        let shares = |text: &str| {
            let workload = workload(text, 1000, None);
            let mut counts = vec![0.0; workload.kinds().len()];
            draw(&workload, 1, 0, 1, 100_000).iter().for_each(|operation| counts[usize::from(operation.kind)] += 1e-5);
            let kinds = workload.kinds();
            assert!((kinds.iter().map(|kind| kind.share).sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(kinds.iter().zip(&counts).all(|(kind, found)| (kind.share - found).abs() < 0.01), "{counts:?}");
            counts
        };
        assert!((shares("mixed 9:1")[0] - 0.9).abs() < 0.01);
        assert!((shares("ycsb-b")[1] - 0.05).abs() < 0.005);
        assert_eq!(shares("2: GET __key__ | 1: SET __key__ x | 1: mixed 1:1").len(), 4);
    }

    #[test]
    fn spreads_have_their_shares() {
        let counts = |spread| {
            let workload = workload("get", 1000, Some(spread));
            let mut counts = vec![0u32; 1000];
            draw(&workload, 1, 0, 1, 200_000).iter().for_each(|operation| counts[operation.key as usize] += 1);
            counts.sort_unstable_by(|left, right| right.cmp(left));
            counts.iter().map(|count| f64::from(*count) / 200_000.0).collect::<Vec<_>>()
        };
        let uniform = counts(Spread::Uniform);
        assert!(uniform[0] < 0.0015 && uniform[999] > 0.0006, "{} {}", uniform[0], uniform[999]);
        let hot = counts(Spread::Hot { requests: 0.9, keys: 0.1 });
        assert!((hot[..100].iter().sum::<f64>() - 0.9).abs() < 0.005);
        let zipf = counts(Spread::Zipf(0.99));
        let law = 1.0 / (1..=1000).map(|k| f64::from(k).powf(-0.99)).sum::<f64>();
        assert!((zipf[0] - law).abs() < 0.005, "{} instead of {law}", zipf[0]);
    }

    #[test]
    fn scans_have_one_to_a_hundred_keys_and_values_their_sizes() {
        let scans = workload("ycsb-e", 1000, None);
        let sizes: Vec<u32> =
            draw(&scans, 1, 0, 1, 20_000).iter().filter(|scan| scan.kind == 0).map(|scan| scan.size).collect();
        assert_eq!((sizes.iter().min(), sizes.iter().max()), (Some(&1), Some(&100)));
        let mean = sizes.iter().map(|size| f64::from(*size)).sum::<f64>() / sizes.len() as f64;
        assert!((mean - 50.5).abs() < 1.0, "{mean}");
        let shape = Shape { sizes: Some(Sizes::Range(16, 1024)), ..Shape::default() };
        let sets = Arc::new(Workload::parse("set", shape).unwrap());
        assert!(draw(&sets, 1, 0, 1, 1000).iter().all(|set| set.size == sets.size_of(set.key)));
    }
}

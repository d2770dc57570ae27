//! Who waits for something to come under a name, in the order of arrival.
//!
//! A waiter may stand in the lines of several names; it has one number, given when it comes, so it has the same place
//! relative to others in all of them. It leaves all lines at once.
//!
//! Entering, leaving and finding the first take time logarithmic in the length of a line, for each name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;

/// The lines of one shard. `N` is a name that is waited for, `I` identifies a waiter, `W` is what is known of it.
#[derive(Debug)]
pub struct Lines<N, I, W> {
    /// The numbers of those who wait for a name.
    names: HashMap<N, BTreeSet<u64>>,
    waiters: BTreeMap<u64, Waiter<N, I, W>>,
    numbers: HashMap<I, u64>,
    /// Waiters that have come so far.
    came: u64,
}

#[derive(Debug)]
struct Waiter<N, I, W> {
    id: I,
    names: Vec<N>,
    what: W,
}

impl<N, I, W> Default for Lines<N, I, W> {
    fn default() -> Self {
        Self { names: HashMap::new(), waiters: BTreeMap::new(), numbers: HashMap::new(), came: 0 }
    }
}

impl<N: Hash + Eq + Clone, I: Hash + Eq + Copy, W> Lines<N, I, W> {
    /// Whether nobody waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    /// Waiters.
    pub fn len(&self) -> usize {
        self.waiters.len()
    }

    /// Names that somebody waits for.
    pub fn names(&self) -> usize {
        self.names.len()
    }

    /// Whether somebody waits for a name.
    pub fn has(&self, name: &N) -> bool {
        self.names.contains_key(name)
    }

    /// Lets a waiter come, who must not be there already, and waits for these names; one that is named twice counts once.
    pub fn enter(&mut self, id: I, names: Vec<N>, what: W) {
        debug_assert!(!self.numbers.contains_key(&id), "a waiter comes once");
        self.came += 1;
        for name in &names {
            self.names.entry(name.clone()).or_default().insert(self.came);
        }
        self.numbers.insert(id, self.came);
        self.waiters.insert(self.came, Waiter { id, names, what });
    }

    /// Lets a waiter leave. Answers the names that it waited for; none if it is not there.
    pub fn leave(&mut self, id: I) -> Vec<N> {
        let waiter = self.numbers.remove(&id).and_then(|number| Some((number, self.waiters.remove(&number)?)));
        let Some((number, waiter)) = waiter else { return Vec::new() };
        for name in &waiter.names {
            if let Some(line) = self.names.get_mut(name) {
                line.remove(&number);
                if line.is_empty() {
                    self.names.remove(name);
                }
            }
        }
        waiter.names
    }

    /// Whether a waiter is there.
    pub fn contains(&self, id: I) -> bool {
        self.numbers.contains_key(&id)
    }

    /// The names that a waiter waits for; none if it is not there.
    pub fn names_of(&self, id: I) -> &[N] {
        let waiter = self.numbers.get(&id).and_then(|number| self.waiters.get(number));
        waiter.map_or(&[], |waiter| &waiter.names)
    }

    /// The first of those who wait for a name.
    pub fn first(&self, name: &N) -> Option<(I, &W)> {
        let waiter = self.waiters.get(self.names.get(name)?.first()?)?;
        Some((waiter.id, &waiter.what))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn first_come_first_served_under_every_name() {
        let mut lines = Lines::default();
        lines.enter('x', vec!["a", "b"], 1);
        lines.enter('y', vec!["b", "a", "b"], 2);
        lines.enter('z', vec!["b"], 3);
        assert_eq!((lines.first(&"a"), lines.first(&"b"), lines.first(&"c")), (Some(('x', &1)), Some(('x', &1)), None));
        assert_eq!(lines.leave('x'), ["a", "b"]);
        assert_eq!((lines.first(&"a"), lines.first(&"b")), (Some(('y', &2)), Some(('y', &2))));
        assert_eq!((lines.leave('x').len(), lines.leave('y').len()), (0, 3));
        assert!(!lines.has(&"a") && lines.has(&"b") && lines.len() == 1);
        assert_eq!(lines.leave('z'), ["b"]);
        assert!(lines.is_empty() && lines.names.is_empty() && lines.numbers.is_empty());
    }

    proptest! {
        /// Whoever comes and leaves, the first under a name is the one that a plain list of the present finds.
        #[test]
        fn lines_agree_with_a_list(steps in proptest::collection::vec((any::<bool>(), 0_u8..12, 0_u8..16), 1..200)) {
            let mut lines: Lines<u8, u8, ()> = Lines::default();
            let mut list: Vec<(u8, u8)> = Vec::new();
            for (comes, id, names) in steps {
                let position = list.iter().position(|(other, _)| *other == id);
                match position {
                    None if comes => {
                        lines.enter(id, (0..4).filter(|name| names & (1 << name) != 0).collect(), ());
                        list.push((id, names));
                    }
                    Some(position) if !comes => {
                        let left = lines.leave(id).iter().fold(0, |names, name| names | (1 << name));
                        prop_assert_eq!(left, list.remove(position).1);
                    }
                    _ => {}
                }
                for name in 0..4_u8 {
                    let first = list.iter().find(|(_, names)| names & (1 << name) != 0).map(|(id, _)| *id);
                    prop_assert_eq!(lines.first(&name).map(|(id, ())| id), first);
                    prop_assert_eq!(lines.has(&name), first.is_some());
                }
                prop_assert_eq!(lines.len(), list.len());
            }
        }
    }
}

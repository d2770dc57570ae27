//! All structures of a database held against each other; what the invariants of the room say, entry by entry.

use std::collections::HashMap;

use crate::keyspace::collection::CollectionRef;
use crate::keyspace::database::TICK_MS;
use crate::keyspace::value::allocation;
use crate::keyspace::{Database, Deadline};

impl Database {
    /// The time up to which the wheel has given out its items, in milliseconds since 1970.
    fn wheel_ms(&self) -> u64 {
        self.wheel_start_ms.map_or(0, |start_ms| start_ms + u64::from(self.wheel.now()) * TICK_MS)
    }

    /// The index of fields has an item for every hash with deadlines, and no other.
    fn check_fields(&self) {
        let mut expected = Vec::new();
        self.table.blocks(0, None, |_, _, block| {
            for entry in block.entries().map(|cell| self.entry(cell)) {
                let next = entry.value().collection().and_then(CollectionRef::next_field_deadline);
                let object = entry.object_number();
                expected.extend(next.zip(object).map(|(unix_ms, object)| (unix_ms, object, entry.key().to_vec())));
            }
            true
        });
        expected.sort_unstable();
        assert_eq!(self.fields.items(), expected);
        assert_eq!(self.fields.first_ms(), expected.first().map(|(unix_ms, ..)| *unix_ms));
        let bytes = expected.iter().map(|(.., key)| 48 + allocation(key.len())).sum::<usize>();
        assert_eq!(self.fields.used_bytes(), bytes);
    }

    /// Holds all structures against each other.
    pub(in crate::keyspace) fn check(&self) {
        let (mut len, mut volatile, mut cells, mut object_bytes, mut objects) = (0, 0, 0, 0, 0);
        // When the wheel visits each block first.
        let mut visits = HashMap::new();
        for (tick, item) in self.wheel.items() {
            let start = u64::from(item) << 32;
            self.table.blocks(start, start.checked_add(1 << 32), |_, home, _| {
                visits.entry(home).and_modify(|first: &mut u32| *first = tick.min(*first)).or_insert(tick);
                true
            });
        }
        self.table.blocks(0, None, |start, home, block| {
            assert_eq!(u64::from(block.prefix()), start >> 32);
            assert_eq!(self.table.block_of(start), home);
            let mut earliest = Deadline::NEVER;
            for (at, cell) in block.entries().enumerate() {
                let entry = self.entry(cell);
                let position = self.position(entry.key());
                assert_eq!(
                    position.bits.checked_shr(64 - block.depth()).unwrap_or(0),
                    start.checked_shr(64 - block.depth()).unwrap_or(0)
                );
                assert_eq!(position.tag, block.tag(at));
                assert_eq!(self.find(position, entry.key()).map(|found| found.cell), Some(cell), "one place for a key");
                len += 1;
                cells += self.cells.size(cell);
                object_bytes += entry.object_bytes();
                objects += usize::from(entry.object_number().is_some());
                volatile += usize::from(entry.deadline() != Deadline::NEVER);
                earliest = earliest.min(entry.deadline());
            }
            if earliest != Deadline::NEVER {
                let start_ms = self.wheel_start_ms.expect("a deadline was set");
                let first_ms = start_ms + u64::from(block.earliest()) * TICK_MS;
                assert!(block.earliest() == 0 || first_ms <= earliest.unix_ms().expect("set"), "early, never late");
                let visit_ms = start_ms + u64::from(*visits.get(&home).expect("the wheel knows the block")) * TICK_MS;
                let due_ms = earliest.unix_ms().expect("set").max(start_ms).max(self.wheel_ms());
                assert!(visit_ms <= due_ms, "the wheel visits a block too late");
            }
            true
        });
        assert_eq!((len, volatile, cells), (self.len(), self.volatile, self.cells.used_bytes()));
        assert_eq!((objects, object_bytes), (self.objects.len(), self.object_bytes));
        self.check_fields();
        // What the policy counts is what the table holds.
        let mut entries = Vec::new();
        self.table.blocks(0, None, |_, _, block| {
            entries.extend(
                block
                    .entries()
                    .map(|cell| (self.position(self.entry(cell).key()), self.entry(cell).header, self.charge(cell))),
            );
            true
        });
        self.lineup.check(entries.into_iter());
    }
}

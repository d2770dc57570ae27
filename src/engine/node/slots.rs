//! Questions about one slot: CLUSTER COUNTKEYSINSLOT and CLUSTER GETKEYSINSLOT, of the core that owns it.
//!
//! A Redis Cluster has one database; here the questions are about the one that the client has selected.

use super::{Ask, Gathered, Handled, Told};
use crate::base::SlotId;
use crate::command::Args;
use crate::engine::Engine;
use crate::exec::node::slot_size;
use crate::exec::scan::{KeyList, slot_keys};
use crate::limits::{SLOT_KEYS_MAX, SLOTS};
use crate::resp::ReplyError;
use crate::session::Session;

const _: () = assert!(SLOT_KEYS_MAX == 4096, "the table of commands and the README say so");

/// The slot of this number, if there is one.
fn slot_of(number: i64) -> Option<SlotId> {
    u16::try_from(number).ok().filter(|number| *number < SLOTS).map(SlotId)
}

impl Engine {
    /// `CLUSTER COUNTKEYSINSLOT slot`
    pub(super) fn count_keys_in_slot(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let slot = slot_of(args.int()?).ok_or(ReplyError::InvalidSlot)?;
        let ask = Ask::SlotSize { database: usize::from(session.database), slot };
        let gathered = Gathered::Sum { sum: 0, most: usize::MAX };
        Ok(self.ask_one(session, self.topology.core_of_slot(slot), ask, gathered))
    }

    /// `CLUSTER GETKEYSINSLOT slot count`
    pub(super) fn get_keys_in_slot(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let (slot, count) = (args.int()?, args.int()?);
        let count = usize::try_from(count).map_err(|_| ReplyError::InvalidSlotOrCount)?.min(SLOT_KEYS_MAX);
        let slot = slot_of(slot).ok_or(ReplyError::InvalidSlotOrCount)?;
        let ask = Ask::SlotKeys { database: usize::from(session.database), slot, count };
        Ok(self.ask_one(session, self.topology.core_of_slot(slot), ask, Gathered::Keys(KeyList::default())))
    }

    pub(super) fn slot_size(&self, database: usize, slot: SlotId) -> Told {
        Told::Count(self.shard.as_ref().map_or(0, |shard| slot_size(shard, database, slot)))
    }

    pub(super) fn slot_keys(&self, database: usize, slot: SlotId, count: usize) -> Told {
        let keys = self.shard.as_ref().map(|shard| slot_keys(shard, database, slot, count, self.now));
        Told::Keys(keys.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::base::slot;
    use crate::engine::testing::Node;
    use crate::limits::SLOT_KEYS_MAX;
    use crate::mesh::LendingMode;

    /// The strings in a reply that is a list of them.
    fn strings(reply: &str) -> BTreeSet<String> {
        let inside = reply.trim_matches(['[', ']']);
        inside.split(", ").filter(|item| !item.is_empty()).map(|item| item.trim_matches('"').to_owned()).collect()
    }

    #[test]
    fn the_owner_of_a_slot_knows_its_keys() {
        for lending in [LendingMode::Never, LendingMode::Always] {
            let mut node = Node::with(2, lending, |_| {});
            let clients = [node.connect(0), node.connect(1)];
            // A tag for a slot of each core.
            for tag in ["a", "b", "c", "d"] {
                let number = slot(tag.as_bytes()).0;
                let keys: BTreeSet<String> = (0..20).map(|key| format!("{{{tag}}}:{key}")).collect();
                keys.iter().for_each(|key| node.check(clients[0], &format!("SET {key} v"), "OK"));
                for client in clients {
                    node.check(client, &format!("CLUSTER KEYSLOT {{{tag}}}:x"), &format!("(integer) {number}"));
                    node.check(client, &format!("CLUSTER COUNTKEYSINSLOT {number}"), "(integer) 20");
                    let all = node.run(client, &format!("CLUSTER GETKEYSINSLOT {number} 9223372036854775807"));
                    assert_eq!(strings(&all), keys);
                    let some = strings(&node.run(client, &format!("CLUSTER GETKEYSINSLOT {number} 7")));
                    assert!(some.len() == 7 && some.is_subset(&keys), "{some:?}");
                    node.check(client, &format!("CLUSTER GETKEYSINSLOT {number} 0"), "[]");
                    node.check(client, &format!("CLUSTER COUNTKEYSINSLOT {}", number + 1), "(integer) 0");
                }
                node.check(clients[1], "SELECT 1", "OK");
                node.check(clients[1], &format!("CLUSTER COUNTKEYSINSLOT {number}"), "(integer) 0");
                node.check(clients[1], &format!("CLUSTER GETKEYSINSLOT {number} 9"), "[]");
                node.check(clients[1], "SELECT 0", "OK");
            }
        }
    }

    #[test]
    fn keys_that_are_due_are_not_listed() {
        let mut node = Node::new(2);
        let client = node.connect(0);
        node.check(client, "SET a v PX 5", "OK");
        node.check(client, "SET {a}b v", "OK");
        node.pass_ms(6);
        node.check(client, &format!("CLUSTER GETKEYSINSLOT {} 9", slot(b"a").0), r#"["{a}b"]"#);
    }

    #[test]
    fn a_huge_slot_is_listed_in_part() {
        let mut node = Node::new(1);
        let client = node.connect(0);
        for first in (0..5000).step_by(100) {
            let pairs: Vec<String> = (first..first + 100).map(|key| format!("{{a}}{key} v")).collect();
            node.check(client, &format!("MSET {}", pairs.join(" ")), "OK");
        }
        let number = slot(b"a").0;
        node.check(client, &format!("CLUSTER COUNTKEYSINSLOT {number}"), "(integer) 5000");
        let listed = node.run(client, &format!("CLUSTER GETKEYSINSLOT {number} 5000"));
        assert_eq!(strings(&listed).len(), SLOT_KEYS_MAX);
    }

    #[test]
    fn what_is_no_slot_is_refused() {
        let mut node = Node::new(2);
        let client = node.connect(0);
        let not_integer = "(error) ERR value is not an integer or out of range";
        for number in ["-1", "16384", "65536", "9223372036854775807"] {
            node.check(client, &format!("CLUSTER COUNTKEYSINSLOT {number}"), "(error) ERR Invalid slot");
            let refusal = "(error) ERR Invalid slot or number of keys";
            node.check(client, &format!("CLUSTER GETKEYSINSLOT {number} 1"), refusal);
        }
        node.check(client, "CLUSTER GETKEYSINSLOT 0 -1", "(error) ERR Invalid slot or number of keys");
        node.check(client, "CLUSTER COUNTKEYSINSLOT x", not_integer);
        node.check(client, "CLUSTER GETKEYSINSLOT x 1", not_integer);
        node.check(client, "CLUSTER GETKEYSINSLOT 1 x", not_integer);
        node.check(client, "CLUSTER INFO", "(error) ERR unknown subcommand 'INFO'. Try CLUSTER HELP.");
    }
}

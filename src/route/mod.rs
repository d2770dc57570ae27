//! Where a command runs: a pure function from its keys and the topology to a [`Plan`].
//!
//! The choice between here, another core and several stands in this room and nowhere else. It knows no shard, no message
//! and no connection.

use crate::base::CoreId;
use crate::command::{self, Command, Spread};
use crate::exec::sort;
use crate::resp::Request;
use crate::topology::Topology;

/// Where a command of scope shard runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plan {
    /// All of its keys belong to this core.
    Core {
        /// The owner of every key.
        core: CoreId,
        /// Whether it names more than one key: then it waits for what came before it and holds back what follows.
        several_keys: bool,
    },
    /// Its keys belong to more than one core.
    Several,
}

/// The plan for a request whose arity fits `command`. A request without keys, or whose arguments do not fit the key
/// specification (the handler will say so in its own words), runs on `here`.
#[inline]
pub fn plan(topology: Topology, here: CoreId, command: &'static Command, request: Request<'_>) -> Plan {
    let nowhere = Plan::Core { core: here, several_keys: false };
    if command.spread == Spread::All && request.len().is_multiple_of(2) {
        // A key without a value: there is nothing to split, and the handler refuses it.
        return nowhere;
    }
    let Ok(mut keys) = command::keys(command, request) else { return nowhere };
    let Some(first) = keys.next() else { return nowhere };
    let core = topology.core_of(request.get(first.index));
    if command.spread == Spread::Derived
        && topology.cores() > 1
        && sort::reads_elsewhere(command.id, request, core, |key| topology.core_of(key))
    {
        return Plan::Several;
    }
    let mut several_keys = false;
    for key in keys {
        several_keys = true;
        if topology.core_of(request.get(key.index)) != core {
            return Plan::Several;
        }
    }
    Plan::Core { core, several_keys }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resp::Span;

    fn plan_of(words: &[&str], cores: usize) -> Plan {
        let data = words.concat();
        let mut start = 0;
        let spans: Vec<Span> = words
            .iter()
            .map(|word| {
                let span = Span { start, len: word.len() as u32 };
                start += span.len;
                span
            })
            .collect();
        let command = command::lookup(words[0].as_bytes()).expect("known");
        plan(Topology::new(cores), CoreId(1), command, Request::new(data.as_bytes(), &spans))
    }

    #[test]
    fn keys_decide() {
        let one = |core, several_keys| Plan::Core { core: CoreId(core), several_keys };
        assert_eq!(plan_of(&["GET", "foo"], 2), one(1, false)); // slot 12182
        assert_eq!(plan_of(&["GET", "bar"], 2), one(0, false)); // slot 5061
        assert_eq!(plan_of(&["MGET", "foo", "bar"], 2), Plan::Several);
        assert_eq!(plan_of(&["MGET", "{foo}1", "{foo}2"], 2), one(1, true));
        assert_eq!(plan_of(&["MSET", "foo", "1", "bar", "2"], 2), Plan::Several);
        assert_eq!(plan_of(&["MSET", "foo", "1", "bar", "2"], 1), one(0, true));
        assert_eq!(plan_of(&["MSET", "foo", "1", "bar"], 2), one(1, false));
        assert_eq!(plan_of(&["PING"], 2), one(1, false));
    }

    #[test]
    fn patterns_decide_too() {
        let here = Plan::Core { core: CoreId(1), several_keys: false };
        assert_eq!(plan_of(&["SORT", "foo"], 2), here);
        assert_eq!(plan_of(&["SORT", "foo", "BY", "nosort", "GET", "#"], 2), here);
        assert_eq!(plan_of(&["SORT", "foo", "BY", "w_*"], 2), Plan::Several);
        assert_eq!(plan_of(&["SORT_RO", "foo", "GET", "*->f"], 2), Plan::Several);
        assert_eq!(plan_of(&["SORT", "foo", "BY", "w_*"], 1), Plan::Core { core: CoreId(0), several_keys: false });
        assert_eq!(plan_of(&["SORT", "foo", "BY", "w{foo}*", "GET", "{foo}_*->f"], 2), here);
        assert_eq!(plan_of(&["SORT", "foo", "BY", "w{bar}*"], 2), Plan::Several);
        assert_eq!(plan_of(&["SORT", "foo", "BY", "*{foo}"], 2), Plan::Several);
        assert_eq!(plan_of(&["SORT", "foo", "STORE", "bar"], 2), Plan::Several);
        assert_eq!(plan_of(&["SORT", "foo", "BY", "w_*", "BAD"], 2), here);
    }
}

//! The registry and the subscriptions against a model.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::{Kind, Message, Name, Registry, Subscriptions};
use crate::base::{ConnId, CoreId, KeyHasher, glob_matches};
use crate::limits::{SUBSCRIPTION_BYTES, SUBSCRIPTION_BYTES_PER_CLIENT_MAX};
use crate::resp::{Output, Protocol, Reply};
use crate::topology::Topology;

const CORES: u16 = 3;

/// Something that happens to a node: a client of a core joins or leaves a name.
type Step = (u16, u32, usize, usize, bool);

const NAMES: [&[u8]; 6] = [b"a", b"ab", b"news", b"{a}b", b"", b"zz"];
const PATTERNS: [&[u8]; 6] = [b"a*", b"*", b"n?ws", b"[a-z]", b"", b"zz"];

fn name(kind: Kind, index: usize) -> &'static [u8] {
    if kind == Kind::Pattern { PATTERNS[index] } else { NAMES[index] }
}

/// Registries of a node whose letters arrive at once.
struct Node {
    registries: Vec<Registry>,
    clients: BTreeMap<(u16, u32), Subscriptions>,
}

impl Node {
    fn new() -> Self {
        let (topology, hasher) = (Topology::new(usize::from(CORES)), KeyHasher::new(7));
        let registries = (0..CORES).map(|core| Registry::new(CoreId(core), topology, &hasher)).collect();
        Self { registries, clients: BTreeMap::new() }
    }

    fn step(&mut self, (core, client, kind, index, joins): Step) {
        let (kind, conn) = (Kind::ALL[kind], ConnId { index: client, generation: 0 });
        let wanted = name(kind, index);
        let subscriptions = self.clients.entry((core, client)).or_default();
        let own = usize::from(core);
        let informed: Vec<CoreId> = self.registries[own].informed(kind, wanted).collect();
        if joins && let Some(new) = subscriptions.insert(kind, wanted) {
            self.registries[own].subscribe(kind, &new, conn);
            informed.iter().for_each(|other| self.registries[other.index()].joined(kind, &new, CoreId(core)));
        } else if !joins && let Some(gone) = subscriptions.remove(kind, wanted) {
            self.registries[own].unsubscribe(kind, &gone, conn);
            informed.iter().for_each(|other| self.registries[other.index()].left(kind, &gone, CoreId(core)));
        }
    }
}

/// Who has which name, by kind.
type Model = BTreeSet<(usize, usize, u16, u32)>;

fn holders(model: &Model, kind: Kind, index: usize) -> impl Iterator<Item = (u16, u32)> {
    let of = move |(of, name, ..): &&(usize, usize, u16, u32)| *of == kind.index() && *name == index;
    model.iter().filter(of).map(|(_, _, core, client)| (*core, *client))
}

fn check(node: &Node, model: &Model) -> Result<(), TestCaseError> {
    let topology = Topology::new(usize::from(CORES));
    for kind in [Kind::Channel, Kind::Shard] {
        for (index, channel) in NAMES.iter().enumerate() {
            let matching = (0..PATTERNS.len())
                .filter(|pattern| kind == Kind::Channel && glob_matches(PATTERNS[*pattern], channel));
            let mut expected: Vec<(u16, u32)> = holders(model, kind, index).collect();
            let plain = expected.len();
            matching.for_each(|pattern| expected.extend(holders(model, Kind::Pattern, pattern)));
            let home = topology.core_of(channel);
            let registry = &node.registries[home.index()];
            let audience = registry.audience(kind, channel);
            prop_assert_eq!(audience.receivers, expected.len() as u64);
            prop_assert_eq!(registry.subscribers(kind, channel), plain as u64);
            let others: BTreeSet<u16> = expected.iter().map(|(core, _)| *core).filter(|core| *core != home.0).collect();
            prop_assert_eq!(audience.others().map(|core| core.0).collect::<BTreeSet<_>>(), others);
            let mut received = Vec::new();
            for (core, registry) in (0..).zip(&node.registries) {
                received.extend(registry.receivers(kind, channel).map(|(_, conn)| (core, conn.index)));
                prop_assert!(core == home.0 || registry.subscribers(kind, channel) == 0);
            }
            received.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(received, expected);
        }
    }
    for kind in Kind::ALL {
        let names: BTreeSet<usize> =
            model.iter().filter(|(of, ..)| *of == kind.index()).map(|(_, name, ..)| *name).collect();
        let mut listed: Vec<Vec<u8>> = Vec::new();
        for registry in &node.registries {
            let (mut next, before) = (Some(0), listed.len());
            while let Some(start) = next {
                let (found, more) = registry.range_at_home(kind, start, 2);
                listed.extend(found.map(|name| name.to_vec()));
                next = more;
            }
            prop_assert_eq!(registry.names_at_home(kind), listed.len() - before);
        }
        let copies = if kind == Kind::Pattern { usize::from(CORES) } else { 1 };
        prop_assert_eq!(listed.len(), names.len() * copies);
        prop_assert!(listed.iter().all(|listed| names.iter().any(|index| name(kind, *index) == &**listed)));
    }
    prop_assert_eq!(model.is_empty(), node.registries.iter().all(Registry::is_empty));
    Ok(())
}

proptest! {
    #[test]
    fn agrees_with_the_model(
        steps in proptest::collection::vec((0..CORES, 0_u32..3, 0_usize..3, 0_usize..6, any::<bool>()), 0..80),
    ) {
        let (mut node, mut model) = (Node::new(), Model::new());
        for step in steps {
            node.step(step);
            let (core, client, kind, index, joins) = step;
            let held = (kind, index, core, client);
            if joins { model.insert(held); } else { model.remove(&held); }
            check(&node, &model)?;
        }
        for (kind, index, core, client) in std::mem::take(&mut model) {
            node.step((core, client, kind, index, false));
        }
        check(&node, &model)?;
        prop_assert!(node.clients.values().all(|left| left.is_empty() && left.bytes() == 0));
    }
}

#[test]
fn confirmations_count_channels_and_patterns_together() {
    let mut subscriptions = Subscriptions::default();
    assert!(subscriptions.insert(Kind::Channel, b"b").is_some() && subscriptions.insert(Kind::Channel, b"b").is_none());
    subscriptions.insert(Kind::Channel, b"a");
    subscriptions.insert(Kind::Pattern, b"b");
    subscriptions.insert(Kind::Shard, b"b");
    let confirmed = Kind::ALL.map(|kind| subscriptions.confirmed(kind));
    assert_eq!(confirmed, [3, 1, 3]);
    assert_eq!(subscriptions.pop(Kind::Channel), Some(Name::from(&b"a"[..])));
    assert_eq!(subscriptions.remove(Kind::Shard, b"a"), None);
    assert_eq!(subscriptions.bytes(), 3 * (1 + SUBSCRIPTION_BYTES));
}

#[test]
fn a_client_has_room_for_so_many_bytes() {
    let mut subscriptions = Subscriptions::default();
    let long = vec![b'x'; SUBSCRIPTION_BYTES_PER_CLIENT_MAX - SUBSCRIPTION_BYTES];
    assert!(!subscriptions.has_room(Kind::Channel, [&long[..], b""].into_iter()));
    assert!(subscriptions.has_room(Kind::Channel, [&long[..]].into_iter()));
    subscriptions.insert(Kind::Channel, &long);
    assert!(subscriptions.has_room(Kind::Channel, [&long[..]].into_iter()), "what it has costs nothing more");
    assert!(!subscriptions.has_room(Kind::Shard, [&b""[..]].into_iter()));
}

#[test]
fn messages_are_shown_by_channel_and_by_pattern() {
    let show = |message: &Message, pattern: Option<&[u8]>, protocol| {
        let mut out = Output::default();
        message.write(pattern, &mut Reply::new(&mut out, protocol));
        String::from_utf8(out.pieces(0).collect::<Vec<_>>().concat()).expect("text")
    };
    let message = Message::new(Kind::Channel, b"news", b"hi");
    assert_eq!(show(&message, None, Protocol::Resp2), "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
    let by_pattern = ">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n";
    assert_eq!(show(&message, Some(b"n*"), Protocol::Resp3), by_pattern);
    let message = Message::new(Kind::Shard, b"", b"");
    assert_eq!(show(&message, None, Protocol::Resp3), ">3\r\n$8\r\nsmessage\r\n$0\r\n\r\n$0\r\n\r\n");
}

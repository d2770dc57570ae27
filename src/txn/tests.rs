//! Several ledgers under random schedules: letters between cores are late by chance, in order within a pair only.

use std::collections::{HashMap, VecDeque};

use proptest::prelude::*;

use super::{Intents, Key, Ledger, Ticket, TxnId};
use crate::base::{KeyHasher, Rng};

const KEYS: [&[u8]; 3] = [b"a", b"b", b"c"];

/// A command on some keys of one core, which came as the `number`th.
#[derive(Clone, Debug)]
struct Single {
    number: usize,
    keys: Vec<&'static [u8]>,
    write: bool,
}

/// What is under way from one party to another. Parties are the cores, and one coordinator per transaction.
#[derive(Clone, Debug)]
enum Letter {
    Schedule { id: TxnId, txn: usize, intents: Intents },
    Scheduled { txn: usize, accepted: bool },
    Withdraw { id: TxnId },
    Execute { id: TxnId, txn: usize },
    Begun { txn: usize },
    Finish { id: TxnId },
}

#[derive(Debug)]
struct Txn {
    parts: Vec<(usize, Intents)>,
    id: TxnId,
    awaiting: usize,
    refused: bool,
    /// It holds its keys until all cores have begun it.
    holds: bool,
    done: bool,
}

struct Core {
    ledger: Ledger<Single, usize>,
    /// Transactions that have begun, in order.
    begun: Vec<TxnId>,
    /// Those that hold their keys.
    holding: Vec<TxnId>,
    intents: HashMap<TxnId, Intents>,
    /// Single commands in the order in which they ran.
    ran: Vec<Single>,
}

struct World {
    rng: Rng,
    cores: Vec<Core>,
    txns: Vec<Txn>,
    /// By sender and receiver: cores first, then coordinators.
    mail: HashMap<(usize, usize), VecDeque<Letter>>,
    last_id: u64,
    singles: usize,
    waiting: usize,
    refusals: usize,
}

fn touches(intents: &Intents, key: &[u8], write: bool) -> bool {
    match intents {
        Intents::Shard => true,
        Intents::Keys(keys) => keys.iter().any(|of| *of.name == *key && (of.exclusive || write)),
    }
}

fn conflict(a: &Intents, b: &Intents) -> bool {
    match (a, b) {
        (Intents::Shard, _) | (_, Intents::Shard) => true,
        (Intents::Keys(keys), _) => keys.iter().any(|key| touches(b, &key.name, key.exclusive)),
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let cores = rng.usize(1..=3);
        let core = |_| Core {
            ledger: Ledger::new(KeyHasher::new(seed)),
            begun: Vec::new(),
            holding: Vec::new(),
            intents: HashMap::new(),
            ran: Vec::new(),
        };
        Self {
            rng,
            cores: (0..cores).map(core).collect(),
            txns: Vec::new(),
            mail: HashMap::new(),
            last_id: 0,
            singles: 0,
            waiting: 0,
            refusals: 0,
        }
    }

    fn some_keys(&mut self) -> Vec<&'static [u8]> {
        let mut keys = KEYS.to_vec();
        self.rng.shuffle(&mut keys);
        keys.truncate(self.rng.usize(1..=2));
        keys
    }

    fn post(&mut self, from: usize, to: usize, letter: Letter) {
        self.mail.entry((from, to)).or_default().push_back(letter);
    }

    /// A transaction comes.
    fn start(&mut self) {
        let whole = self.rng.u8(..10) == 0;
        let mut parts = Vec::new();
        for core in 0..self.cores.len() {
            if whole {
                parts.push((core, Intents::Shard));
            } else if self.rng.u8(..4) > 0 {
                let exclusive = self.rng.bool();
                let keys = self.some_keys().into_iter().map(|name| Key { name: name.into(), exclusive }).collect();
                parts.push((core, Intents::Keys(keys)));
            }
        }
        let holds = self.rng.bool();
        self.txns.push(Txn { parts, id: TxnId(0), awaiting: 0, refused: false, holds, done: false });
        self.schedule(self.txns.len() - 1);
    }

    fn schedule(&mut self, txn: usize) {
        self.last_id += 1;
        let id = TxnId(self.last_id);
        let coordinator = self.cores.len() + txn;
        let parts = self.txns[txn].parts.clone();
        let of = &mut self.txns[txn];
        (of.id, of.awaiting, of.refused, of.done) = (id, parts.len(), false, parts.is_empty());
        for (core, intents) in parts {
            self.post(coordinator, core, Letter::Schedule { id, txn, intents });
        }
    }

    /// A single command comes to a core.
    fn single(&mut self) {
        let core = self.rng.usize(..self.cores.len());
        let single = Single { number: self.singles, keys: self.some_keys(), write: self.rng.bool() };
        self.singles += 1;
        let ledger = &mut self.cores[core].ledger;
        let blocking = single.keys.iter().find(|key| ledger.blocks(key, single.write)).copied();
        match blocking {
            None => self.run_single(core, single),
            Some(key) => {
                ledger.wait(key, single);
                self.waiting += 1;
            }
        }
    }

    fn run_single(&mut self, core: usize, single: Single) {
        let core = &mut self.cores[core];
        for id in &core.holding {
            let held = single.keys.iter().any(|key| touches(&core.intents[id], key, single.write));
            assert!(!held, "{single:?} runs while {id:?} holds its key");
        }
        let overtaken = core.ran.iter().any(|earlier| {
            earlier.number > single.number
                && earlier.keys.len() == 1
                && earlier.keys == single.keys
                && (earlier.write || single.write)
        });
        assert!(!overtaken || single.keys.len() > 1, "{single:?} was overtaken on its key");
        core.ran.push(single);
    }

    fn free(&mut self, core: usize, ticket: Ticket, single: Single) {
        let ledger = &mut self.cores[core].ledger;
        if let Some(key) = single.keys.iter().find(|key| ledger.detains(key, single.write, ticket)).copied() {
            let write = single.write;
            return ledger.wait_on(key, write, ticket, single);
        }
        self.waiting -= 1;
        self.run_single(core, single);
    }

    fn finish(&mut self, core: usize, id: TxnId) {
        self.cores[core].holding.retain(|held| *held != id);
        let mut freed = Vec::new();
        self.cores[core].ledger.finish(id, |ticket, single| freed.push((ticket, single)));
        for (ticket, single) in freed {
            self.free(core, ticket, single);
        }
        self.begin(core);
    }

    fn begin(&mut self, index: usize) {
        while let Some((id, txn)) = self.cores[index].ledger.begin() {
            let core = &mut self.cores[index];
            for earlier in &core.begun {
                let conflicts = conflict(&core.intents[earlier], &core.intents[&id]);
                assert!(!conflicts || *earlier < id, "{earlier:?} ran before {id:?}, which conflicts");
            }
            for held in &core.holding {
                assert!(!conflict(&core.intents[held], &core.intents[&id]), "{id:?} begins while {held:?} holds");
            }
            core.begun.push(id);
            if self.txns[txn].holds {
                core.holding.push(id);
            } else {
                let mut freed = Vec::new();
                core.ledger.finish(id, |ticket, single| freed.push((ticket, single)));
                for (ticket, single) in freed {
                    self.free(index, ticket, single);
                }
            }
            let coordinator = self.cores.len() + txn;
            self.post(index, coordinator, Letter::Begun { txn });
        }
    }

    /// One letter arrives. False if none is under way.
    fn deliver(&mut self) -> bool {
        let mut pairs: Vec<(usize, usize)> =
            self.mail.iter().filter(|(_, letters)| !letters.is_empty()).map(|(pair, _)| *pair).collect();
        if pairs.is_empty() {
            return false;
        }
        pairs.sort_unstable();
        let pair = pairs[self.rng.usize(..pairs.len())];
        let letter = self.mail.get_mut(&pair).and_then(VecDeque::pop_front).expect("a letter");
        let (from, to) = pair;
        match letter {
            Letter::Schedule { id, txn, intents } => {
                let core = &mut self.cores[to];
                core.intents.insert(id, intents.clone());
                let accepted = core.ledger.schedule(id, intents);
                self.post(to, from, Letter::Scheduled { txn, accepted });
            }
            Letter::Scheduled { txn, accepted } => self.scheduled(txn, accepted),
            Letter::Withdraw { id } | Letter::Finish { id } => self.finish(to, id),
            Letter::Execute { id, txn } => {
                self.cores[to].ledger.assign(id, txn);
                self.begin(to);
            }
            Letter::Begun { txn } => {
                self.txns[txn].awaiting -= 1;
                if self.txns[txn].awaiting == 0 {
                    self.txns[txn].done = true;
                    if self.txns[txn].holds {
                        self.tell_all(txn, |id| Letter::Finish { id });
                    }
                }
            }
        }
        true
    }

    fn scheduled(&mut self, txn: usize, accepted: bool) {
        let of = &mut self.txns[txn];
        of.refused |= !accepted;
        of.awaiting -= 1;
        if of.awaiting > 0 {
            return;
        }
        if of.refused {
            self.refusals += 1;
            self.tell_all(txn, |id| Letter::Withdraw { id });
            return self.schedule(txn);
        }
        of.awaiting = of.parts.len();
        self.tell_all(txn, |id| Letter::Execute { id, txn });
    }

    fn tell_all(&mut self, txn: usize, letter: impl Fn(TxnId) -> Letter) {
        let coordinator = self.cores.len() + txn;
        let id = self.txns[txn].id;
        for core in self.txns[txn].parts.iter().map(|(core, _)| *core).collect::<Vec<_>>() {
            self.post(coordinator, core, letter(id));
        }
    }

    fn run(&mut self) {
        for _ in 0..150 {
            match self.rng.u8(..10) {
                0 | 3 => self.start(),
                1 | 2 => self.single(),
                _ => drop(self.deliver()),
            }
        }
        let mut letters = 0;
        while self.deliver() {
            letters += 1;
            assert!(letters < 100_000, "transactions refuse each other for ever");
        }
        assert!(self.txns.iter().all(|txn| txn.done), "a transaction waits for ever");
        assert_eq!(self.waiting, 0, "a command waits for ever");
        assert!(self.cores.iter().all(|core| core.ledger.is_empty() && core.holding.is_empty()));
        let mut numbers: Vec<usize> =
            self.cores.iter().flat_map(|core| &core.ran).map(|single| single.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..self.singles).collect::<Vec<_>>(), "every command runs once");
        // Those that conflict began in the order of their numbers, on each core: `begin` has looked.
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn cores_agree_on_one_order(seed: u64) {
        World::new(seed).run();
    }
}

#[test]
fn some_schedules_are_refused() {
    let refusals: usize = (0..200)
        .map(|seed| {
            let mut world = World::new(seed);
            world.run();
            world.refusals
        })
        .sum();
    assert!(refusals > 20, "the property would not show much after {refusals} refusals");
}

fn ledger() -> Ledger<&'static str, ()> {
    Ledger::new(KeyHasher::new(1))
}

fn on(names: &[&str], exclusive: bool) -> Intents {
    Intents::Keys(names.iter().map(|name| Key { name: name.as_bytes().into(), exclusive }).collect())
}

fn finish(ledger: &mut Ledger<&'static str, ()>, id: u64) -> Vec<(Ticket, &'static str)> {
    let mut freed = Vec::new();
    ledger.finish(TxnId(id), |ticket, waiter| freed.push((ticket, waiter)));
    freed
}

fn names(freed: &[(Ticket, &'static str)]) -> Vec<&'static str> {
    freed.iter().map(|(_, waiter)| *waiter).collect()
}

#[test]
fn a_number_that_comes_too_late_is_refused() {
    let mut ledger = ledger();
    assert!(ledger.schedule(TxnId(8), on(&["k"], true)));
    ledger.assign(TxnId(8), ());
    assert_eq!(ledger.begin(), Some((TxnId(8), ())));
    assert!(!ledger.schedule(TxnId(7), on(&["k"], false)), "8 holds the key");
    finish(&mut ledger, 8);
    assert!(!ledger.schedule(TxnId(7), on(&["k"], false)), "8 has run");
    assert!(!ledger.schedule(TxnId(6), Intents::Shard));
    assert!(ledger.schedule(TxnId(9), on(&["k"], true)));
}

#[test]
fn readers_share_and_lower_numbers_go_first() {
    let mut ledger = ledger();
    for (id, exclusive) in [(3, false), (2, false), (5, true), (4, false)] {
        assert!(ledger.schedule(TxnId(id), on(&["k"], exclusive)));
        ledger.assign(TxnId(id), ());
    }
    let begun: Vec<u64> = std::iter::from_fn(|| ledger.begin().map(|(id, ())| id.0)).collect();
    assert_eq!(begun, [2, 3, 4]);
    for id in [3, 4] {
        finish(&mut ledger, id);
        assert_eq!(ledger.begin(), None);
    }
    finish(&mut ledger, 2);
    assert_eq!(ledger.begin(), Some((TxnId(5), ())));
}

#[test]
fn a_freed_command_looks_at_its_other_keys() {
    let mut ledger = ledger();
    assert!(ledger.schedule(TxnId(1), on(&["a"], true)) && ledger.schedule(TxnId(2), on(&["b"], true)));
    ledger.wait(b"a", "on a and b");
    let freed = finish(&mut ledger, 1);
    assert_eq!(names(&freed), ["on a and b"]);
    let (ticket, waiter) = freed[0];
    assert!(!ledger.detains(b"a", true, ticket) && ledger.detains(b"b", true, ticket));
    ledger.wait_on(b"b", true, ticket, waiter);
    assert_eq!(names(&finish(&mut ledger, 2)), ["on a and b"]);
    assert!(ledger.is_empty());
}

#[test]
fn what_is_held_goes_before_all_that_has_not_begun() {
    let mut ledger = ledger();
    let [first, second] = [1, 2].map(|number| TxnId::FIRST.0 + number);
    assert!(ledger.schedule(TxnId(first), on(&["a", "b"], true)));
    assert!(!ledger.is_held(b"a"), "it has not begun");
    let hold = ledger.hold([Box::from(&b"a"[..])]);
    assert!(hold < TxnId::FIRST && ledger.is_held(b"a") && !ledger.is_held(b"b"));
    ledger.assign(TxnId(first), ());
    assert_eq!(ledger.begin(), None);
    assert!(ledger.blocks(b"a", false));
    ledger.wait(b"a", "a read");
    assert_eq!(names(&finish(&mut ledger, hold.0)), [] as [&str; 0], "the transaction was there before it");
    assert_eq!(ledger.begin(), Some((TxnId(first), ())));
    assert!(ledger.is_held(b"a") && ledger.is_held(b"b"));
    let freed = finish(&mut ledger, first);
    assert_eq!(names(&freed), ["a read"]);
    // Another hold, left before what was freed could run, detains it.
    let hold = ledger.hold([Box::from(&b"a"[..])]);
    assert!(ledger.detains(b"a", false, freed[0].0));
    ledger.wait_on(b"a", false, freed[0].0, freed[0].1);
    assert!(ledger.schedule(TxnId(second), Intents::Shard));
    ledger.assign(TxnId(second), ());
    assert_eq!(ledger.begin(), None);
    assert_eq!(names(&finish(&mut ledger, hold.0)), ["a read"]);
    assert_eq!(ledger.begin(), Some((TxnId(second), ())));
    assert!(ledger.is_held(b"anything"));
    finish(&mut ledger, second);
    assert!(ledger.is_empty());
}

#[test]
fn a_withdrawn_flush_does_not_free_what_another_holds() {
    let mut ledger = ledger();
    assert!(ledger.schedule(TxnId(3), on(&["k"], false)) && ledger.schedule(TxnId(5), Intents::Shard));
    ledger.assign(TxnId(3), ());
    assert_eq!(ledger.begin(), Some((TxnId(3), ())));
    ledger.wait(b"k", "a write");
    ledger.wait(b"k", "a read");
    let freed = finish(&mut ledger, 5);
    assert_eq!(names(&freed), ["a write", "a read"]);
    for (ticket, waiter) in freed {
        assert!(ledger.detains(b"k", waiter == "a write", ticket));
        ledger.wait_on(b"k", waiter == "a write", ticket, waiter);
    }
    assert_eq!(names(&finish(&mut ledger, 3)), ["a write", "a read"]);
}

#[test]
fn what_is_held_together_is_let_go_together() {
    let mut ledger = ledger();
    let hold = ledger.hold([b"a", b"b"].map(|name| Box::from(&name[..])));
    assert!(ledger.is_held(b"a") && ledger.is_held(b"b") && !ledger.is_held(b"c"));
    assert!(ledger.blocks(b"b", false));
    ledger.finish(hold, |_, _| ());
    assert!(!ledger.is_held(b"a") && !ledger.is_held(b"b") && ledger.is_empty());
}

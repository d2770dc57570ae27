//! More clients and commands at once than a search could take apart, on loads whose replies can be judged one by one.

use std::collections::{BTreeSet, HashMap};

use corewise::base::Rng;
use corewise::config::Config;
use corewise::mesh::LendingMode;

use crate::clients::Clients;
use crate::load::Keys;
use crate::node::{Node, Setup};
use crate::reply::{Reply, show_reply};

/// A node with clients on every core, and chance.
fn crowd(seed: u64, clients_per_core: usize, traced: bool) -> (Clients, Vec<usize>, Rng, usize) {
    let mut rng = Rng::with_seed(seed ^ 0xC0DE);
    let cores = rng.usize(2..=4);
    let lending = [LendingMode::Never, LendingMode::Usual, LendingMode::Always][rng.usize(..3)];
    let lateness = [0, 20, 60][rng.usize(..3)];
    let mut clients = Clients::new(Node::new(&Setup { seed, cores, lending, config: Config::default(), lateness }));
    clients.node.trace = traced.then(Vec::new);
    clients.node.log(|| format!("{cores} cores, lending {lending:?}, lateness {lateness}"));
    let all = (0..cores * clients_per_core).map(|number| clients.connect(number % cores)).collect();
    (clients, all, rng, cores)
}

fn reply(clients: &Clients, operation: usize) -> Result<&Reply, String> {
    clients.operations[operation].reply.as_ref().ok_or_else(|| "a command has no reply".into())
}

/// Writers set all keys to one value, readers read all of them: never a mixed answer.
pub(crate) fn halves(seed: u64, traced: bool) -> Result<(), String> {
    let (mut clients, all, mut rng, cores) = crowd(seed, 2, traced);
    let keys = Keys::new(cores, 2).0;
    let mut reads = Vec::new();
    for value in 0..200 {
        let client = all[rng.usize(..all.len())];
        match rng.u8(..8) {
            0..3 => {
                let pairs: Vec<String> = keys.iter().map(|key| format!("{key} {value}")).collect();
                clients.ask_line(client, &format!("MSET {}", pairs.join(" ")));
            }
            3 => drop(clients.ask_line(client, &format!("DEL {}", keys.join(" ")))),
            _ => reads.push(clients.ask_line(client, &format!("MGET {}", keys.join(" ")))),
        }
        for _ in 0..rng.usize(..4) {
            clients.step()?;
        }
    }
    clients.settle()?;
    for read in reads {
        let reply = reply(&clients, read)?;
        let Reply::Array(values) = reply else { return Err(format!("MGET answers {}", show_reply(reply))) };
        if values.len() != keys.len() || values.iter().any(|value| *value != values[0]) {
            return Err(format!("MGET sees a part of an MSET: {}", show_reply(reply)));
        }
    }
    Ok(())
}

/// Pipelines of increments far beyond the credits between two cores: every one counts once, in the client's order.
pub(crate) fn counters(seed: u64, traced: bool) -> Result<(), String> {
    let (mut clients, all, mut rng, cores) = crowd(seed, 1, traced);
    let keys = Keys::new(cores, 1).0;
    let mut asked: Vec<(usize, usize, usize)> = Vec::new();
    for client in &all {
        let key_of_all = rng.usize(..keys.len());
        for _ in 0..rng.usize(500..2500) {
            let key = if rng.u8(..10) == 0 { rng.usize(..keys.len()) } else { key_of_all };
            asked.push((*client, key, clients.ask_line(*client, &format!("INCR {}", keys[key]))));
        }
        clients.step()?;
    }
    clients.settle()?;
    let mut last: HashMap<(usize, usize), i64> = HashMap::new();
    let mut seen: Vec<BTreeSet<i64>> = vec![BTreeSet::new(); keys.len()];
    for (client, key, operation) in asked {
        let reply = reply(&clients, operation)?;
        let Reply::Integer(number) = *reply else { return Err(format!("INCR answers {}", show_reply(reply))) };
        let before = last.insert((client, key), number).unwrap_or(0);
        if number <= before || !seen[key].insert(number) {
            return Err(format!("client {client} counts {} from {before} to {number}", keys[key]));
        }
    }
    match seen.iter().position(|numbers| numbers.last().is_some_and(|last| *last != numbers.len() as i64)) {
        None => Ok(()),
        Some(key) => Err(format!("increments of {} were lost", keys[key])),
    }
}

/// What a client of [`transfers`] does next.
#[derive(Clone, Copy, Debug)]
enum Transfer {
    /// It is to watch two accounts and read them.
    Idle,
    /// It has asked for both, in one command or in two.
    Reads { from: usize, to: usize, read: usize },
    /// It has asked to move one unit.
    Moves { exec: usize },
    /// It has asked for all accounts.
    Audits { exec: usize },
}

/// Clients move units between accounts on several cores, each time from what they have read while they watched; others
/// read all accounts in one transaction. No unit is made or lost, and nobody sees one on its way.
pub(crate) fn transfers(seed: u64, traced: bool) -> Result<(), String> {
    const UNITS: i64 = 100;
    let (mut clients, all, mut rng, cores) = crowd(seed, 2, traced);
    let accounts = Keys::new(cores, 1).0;
    let total = UNITS * accounts.len() as i64;
    for account in &accounts {
        clients.ask_line(all[0], &format!("SET {account} {UNITS}"));
    }
    clients.settle()?;
    let words = |line: String| -> Vec<Vec<u8>> { line.split(' ').map(|word| word.as_bytes().to_vec()).collect() };
    let mut doing = vec![Transfer::Idle; all.len()];
    let (mut moved, mut failed, mut turns) = (0, 0, 0);
    while moved < 150 {
        turns += 1;
        if turns > 40_000 {
            return Err(format!("after {turns} turns {moved} moves were made and {failed} failed"));
        }
        clients.step()?;
        let number = rng.usize(..all.len());
        let client = all[number];
        let answer = |operation: usize| clients.operations[operation].reply.clone();
        doing[number] = match doing[number] {
            Transfer::Idle if rng.u8(..4) == 0 => {
                let queue = match rng.bool() {
                    true => accounts.iter().map(|account| words(format!("GET {account}"))).collect(),
                    false => vec![words(format!("MGET {}", accounts.join(" ")))],
                };
                Transfer::Audits { exec: clients.ask_transaction(client, &[], queue) }
            }
            Transfer::Idle => {
                let from = rng.usize(..accounts.len());
                let to = (from + rng.usize(1..accounts.len())) % accounts.len();
                clients.ask_line(client, &format!("WATCH {} {}", accounts[from], accounts[to]));
                clients.ask_line(client, &format!("GET {}", accounts[from]));
                Transfer::Reads { from, to, read: clients.ask_line(client, &format!("GET {}", accounts[to])) }
            }
            Transfer::Reads { from, to, read } => match (answer(read - 1), answer(read)) {
                (Some(Reply::Bulk(source)), Some(Reply::Bulk(target))) => {
                    let amount = |text: &[u8]| String::from_utf8_lossy(text).parse::<i64>().expect("an amount");
                    let (source, target) = (amount(&source) - 1, amount(&target) + 1);
                    let queue = match rng.u8(..3) {
                        0 => vec![words(format!("MSET {} {source} {} {target}", accounts[from], accounts[to]))],
                        _ => vec![
                            words(format!("SET {} {source}", accounts[from])),
                            words(format!("SET {} {target}", accounts[to])),
                        ],
                    };
                    Transfer::Moves { exec: clients.ask_transaction(client, &[], queue) }
                }
                _ => Transfer::Reads { from, to, read },
            },
            Transfer::Moves { exec } => match answer(exec) {
                None => Transfer::Moves { exec },
                Some(Reply::Null) => {
                    failed += 1;
                    Transfer::Idle
                }
                Some(Reply::Array(_)) => {
                    moved += 1;
                    Transfer::Idle
                }
                Some(other) => return Err(format!("EXEC answers {}", show_reply(&other))),
            },
            Transfer::Audits { exec } => match answer(exec) {
                None => Transfer::Audits { exec },
                Some(seen) if sum(&seen) == total => Transfer::Idle,
                Some(seen) => return Err(format!("of {total} units {} are seen: {}", sum(&seen), show_reply(&seen))),
            },
        };
    }
    clients.settle()?;
    let last = clients.ask_line(all[0], &format!("MGET {}", accounts.join(" ")));
    clients.settle()?;
    let left = reply(&clients, last)?;
    if sum(left) != total {
        return Err(format!("of {total} units these are left: {}", show_reply(left)));
    }
    Ok(())
}

/// Several accounts hold one unit together, and whoever has seen it while it watched all of them takes it, from any of
/// them. Only one does, although what each writes is not what the others write.
pub(crate) fn takers(seed: u64, traced: bool) -> Result<(), String> {
    const ROUNDS: usize = 12;
    let (mut clients, all, mut rng, cores) = crowd(seed, 1, traced);
    let accounts = Keys::new(cores, 1).0;
    for _ in 0..ROUNDS {
        let filled = rng.usize(..accounts.len());
        for (at, account) in accounts.iter().enumerate() {
            clients.ask_line(all[0], &format!("SET {account} {}", u8::from(at == filled)));
        }
        clients.settle()?;
        let mut looks = Vec::new();
        for client in &all {
            clients.ask_line(*client, &format!("WATCH {}", accounts.join(" ")));
            looks.push((*client, clients.ask_line(*client, &format!("MGET {}", accounts.join(" ")))));
        }
        let mut takes = Vec::new();
        while !looks.is_empty() {
            clients.step()?;
            let (seen, unseen): (Vec<_>, Vec<_>) =
                looks.into_iter().partition(|(_, look)| clients.operations[*look].reply.is_some());
            looks = unseen;
            for (client, look) in seen {
                let sees = sum(reply(&clients, look)?);
                let account = accounts[rng.usize(..accounts.len())].as_bytes().to_vec();
                let queue = if sees > 0 { vec![vec![b"DECR".to_vec(), account]] } else { Vec::new() };
                takes.push((sees, clients.ask_transaction(client, &[], queue)));
            }
        }
        clients.settle()?;
        let mut taken = 0;
        for (sees, exec) in takes {
            taken += i64::from(sees > 0 && matches!(reply(&clients, exec)?, Reply::Array(_)));
        }
        let left = clients.ask_line(all[0], &format!("MGET {}", accounts.join(" ")));
        clients.settle()?;
        let left = reply(&clients, left)?;
        if taken != 1 || sum(left) != 0 {
            return Err(format!("one unit was taken {taken} times: {}", show_reply(left)));
        }
    }
    Ok(())
}

/// The sum of all numbers in a reply.
fn sum(reply: &Reply) -> i64 {
    match reply {
        Reply::Bulk(text) => String::from_utf8_lossy(text).parse().unwrap_or(0),
        Reply::Array(elements) => elements.iter().map(sum).sum(),
        _ => 0,
    }
}

/// Walks over all keys while others come and go: what is there throughout is found.
pub(crate) fn walks(seed: u64, traced: bool) -> Result<(), String> {
    let (mut clients, all, mut rng, cores) = crowd(seed, 2, traced);
    let stable: BTreeSet<Vec<u8>> =
        (0..rng.usize(10..300)).map(|number| format!("stable:{number}").into_bytes()).collect();
    for key in &stable {
        clients.ask_line(all[0], &format!("SET {} v", String::from_utf8_lossy(key)));
    }
    clients.settle()?;
    let passing = Keys::new(cores, 3).0;
    let walker = all[1];
    let (mut walk, mut found, mut walks) = (clients.ask_line(walker, "SCAN 0"), BTreeSet::new(), 0);
    let (mut questions, mut turns) = (Vec::new(), 0);
    while walks < 2 {
        turns += 1;
        if turns > 20_000 {
            return Err("a walk does not end".into());
        }
        let client = all[2 + rng.usize(..all.len() - 2)];
        let (key, other) = (&passing[rng.usize(..passing.len())], &passing[rng.usize(..passing.len())]);
        match rng.u8(..30) {
            0 => drop(clients.ask_line(client, &format!("SET {key} v PX {}", rng.u8(1..)))),
            1 => drop(clients.ask_line(client, &format!("MSET {key} v {other} v"))),
            2 => drop(clients.ask_line(client, &format!("DEL {key} {other}"))),
            3 => drop(clients.ask_line(client, &format!("RENAME {key} {other}"))),
            4 => questions.push(clients.ask_line(client, ["KEYS *", "DBSIZE", "RANDOMKEY"][rng.usize(..3)])),
            _ => {}
        }
        clients.step()?;
        let Some(Reply::Array(parts)) = clients.operations[walk].reply.clone() else { continue };
        let [Reply::Bulk(cursor), Reply::Array(keys)] = parts.as_slice() else {
            return Err(format!("SCAN answers {}", show_reply(&Reply::Array(parts))));
        };
        add_keys(&mut found, keys);
        let cursor = String::from_utf8_lossy(cursor).into_owned();
        if cursor == "0" {
            if !found.is_superset(&stable) {
                return Err(format!("SCAN finds {} keys and misses some of {}", found.len(), stable.len()));
            }
            found.clear();
            walks += 1;
        }
        walk = clients.ask_line(walker, &format!("SCAN {cursor} COUNT {}", rng.usize(1..40)));
    }
    clients.settle()?;
    for question in questions {
        let words = &clients.operations[question].words;
        match reply(&clients, question)? {
            Reply::Array(keys) => {
                let mut found = BTreeSet::new();
                add_keys(&mut found, keys);
                if !found.is_superset(&stable) {
                    return Err(format!("KEYS finds {} keys and misses some of {}", found.len(), stable.len()));
                }
            }
            Reply::Integer(size) => {
                let most = stable.len() + passing.len();
                // A key that is renamed across cores may be counted on both.
                if !(stable.len()..=most + passing.len()).contains(&(*size as usize)) {
                    return Err(format!("DBSIZE answers {size} of {} to {most} keys", stable.len()));
                }
            }
            Reply::Bulk(key) if stable.contains(key) || passing.iter().any(|other| other.as_bytes() == key) => {}
            other => return Err(format!("{words:?} answers {}", show_reply(other))),
        }
    }
    Ok(())
}

fn add_keys(found: &mut BTreeSet<Vec<u8>>, keys: &[Reply]) {
    found.extend(keys.iter().filter_map(|key| match key {
        Reply::Bulk(key) => Some(key.clone()),
        _ => None,
    }));
}

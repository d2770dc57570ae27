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

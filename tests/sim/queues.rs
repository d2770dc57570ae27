//! Queues: clients wait for elements that others push. Each element is taken once at most and lost never, and nobody waits
//! while there is something.

use std::collections::BTreeMap;

use corewise::base::Rng;
use corewise::config::Config;
use corewise::mesh::LendingMode;

use crate::clients::Clients;
use crate::load::Keys;
use crate::node::{End, Node, Setup};
use crate::reply::{Reply, show, show_reply};

const ROUNDS: usize = 8;
const REQUESTS_PER_ROUND: usize = 30;

/// Elements that one request takes at most.
const TAKES_MAX: usize = 2;

/// A run of one seed.
struct Run {
    clients: Clients,
    rng: Rng,
    cores: usize,
    keys: Vec<String>,
    /// Those that push and pop, each with the number of its last request.
    all: Vec<(usize, Option<usize>)>,
    observer: usize,
    /// In how many of a hundred cases one that waits leaves.
    leaving: u8,
    /// Clients that have come so far: their ids are 1 and on.
    came: usize,
    /// Requests of clients that have left before they were answered.
    open: usize,
    pushed: usize,
}

/// See the module.
pub(crate) fn queues(seed: u64, traced: bool) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed ^ 0x0E0E);
    let cores = rng.usize(1..=4);
    let lending = [LendingMode::Never, LendingMode::Usual, LendingMode::Always][rng.usize(..3)];
    let lateness = [0, 20, 60][rng.usize(..3)];
    let mut clients = Clients::new(Node::new(&Setup { seed, cores, lending, config: Config::default(), lateness }));
    clients.node.trace = traced.then(Vec::new);
    clients.node.log(|| format!("{cores} cores, lending {lending:?}, lateness {lateness}"));
    let observer = clients.connect(0);
    let count = rng.usize(3..=8);
    let all = (0..count).map(|number| (clients.connect(number % cores), None)).collect();
    let keys = Keys::new(cores, rng.usize(1..=2)).0;
    let leaving = [0, 6, 20][rng.usize(..3)];
    let mut run = Run { clients, rng, cores, keys, all, observer, leaving, came: count + 1, open: 0, pushed: 0 };
    let outcome = run.run();
    run.clients.node.print_trace();
    outcome
}

impl Run {
    fn run(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS {
            for _ in 0..self.rng.usize(1..=REQUESTS_PER_ROUND) {
                self.request();
                for _ in 0..self.rng.usize(..6) {
                    self.clients.step()?;
                }
                if self.rng.u8(..100) < 5 {
                    let us = self.rng.u64(..1_000_000);
                    self.clients.node.pass_us(us);
                }
            }
            self.clients.rest()?;
            self.check_those_who_wait()?;
        }
        for id in 1..=self.came {
            self.clients.ask_line(self.observer, &format!("CLIENT UNBLOCK {id}"));
        }
        self.clients.settle()?;
        self.count()
    }

    fn is_answered(&self, request: Option<usize>) -> bool {
        request.is_none_or(|request| self.clients.operations[request].reply.is_some())
    }

    /// Some client asks for something; one that waits leaves now and then.
    fn request(&mut self) {
        let at = self.rng.usize(..self.all.len());
        let (client, last) = self.all[at];
        if !self.is_answered(last) {
            if self.rng.u8(..100) < self.leaving {
                self.clients.leave(client, End::Broken);
                self.open += 1;
                self.came += 1;
                self.all[at] = (self.clients.connect(self.rng.usize(..self.cores)), None);
            }
            return;
        }
        let (key, other) = (self.rng.usize(..self.keys.len()), self.rng.usize(..self.keys.len()));
        let (key, other) = (self.keys[key].clone(), self.keys[other].clone());
        let timeout = ["0", "0", "0.05", "0.3"][self.rng.usize(..4)];
        let request = match self.rng.u8(..20) {
            0..3 => format!("BLPOP {key} {other} {timeout}"),
            3 => format!("BRPOP {key} {timeout}"),
            4 => format!("BLMPOP {timeout} 2 {key} {other} RIGHT COUNT {TAKES_MAX}"),
            5 => format!("BLMOVE {key} {other} LEFT RIGHT {timeout}"),
            6 => format!("BRPOPLPUSH {key} {other} {timeout}"),
            7 => format!("BZPOPMIN z{key} z{other} {timeout}"),
            8 => format!("BZMPOP {timeout} 2 z{key} z{other} MAX COUNT {TAKES_MAX}"),
            9 => format!("LPOP {key}"),
            10 => format!("RENAMENX {key} {other}"),
            11 => format!("LMOVE {key} {other} LEFT RIGHT"),
            12 => format!("CLIENT UNBLOCK {} ERROR", self.rng.usize(1..=self.came)),
            13 => format!("ZADD z{key} 1 {} 2 {}", self.element(), self.element()),
            14 => {
                let push = format!("RPUSH {key} {}", self.element());
                let more = format!("RPUSH {other} {} {}", self.element(), self.element());
                let queue = [push, more, format!("LPOP {key}"), format!("BLPOP {other} {key} 0")];
                let words = |line: &String| line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
                let exec = self.clients.ask_transaction(client, &[], queue.iter().map(words).collect());
                self.all[at].1 = Some(exec);
                return;
            }
            _ => format!("RPUSH {key} {}", self.element()),
        };
        self.all[at].1 = Some(self.clients.ask_line(client, &request));
    }

    fn element(&mut self) -> String {
        self.pushed += 1;
        format!("e{}", self.pushed)
    }

    /// Nobody waits for a key that holds something.
    fn check_those_who_wait(&mut self) -> Result<(), String> {
        let mut sizes = BTreeMap::new();
        for key in self.keys.clone() {
            let list = self.clients.ask_line(self.observer, &format!("LLEN {key}"));
            let zset = self.clients.ask_line(self.observer, &format!("ZCARD z{key}"));
            sizes.insert(key.clone(), list);
            sizes.insert(format!("z{key}"), zset);
        }
        // Those who wait until some moment do not run out of time meanwhile: only what has happened already goes on.
        self.clients.rest()?;
        for (_, request) in &self.all {
            let Some(request) = request.filter(|_| !self.is_answered(*request)) else { continue };
            let words = &self.clients.operations[request].words;
            // What is moved on goes from its first key.
            let moves = matches!(words[0].as_slice(), b"BLMOVE" | b"BRPOPLPUSH");
            let keys = self.clients.operations[request].keys.iter();
            for key in keys.take(if moves { 1 } else { usize::MAX }) {
                let name = String::from_utf8_lossy(key).into_owned();
                let size = sizes.get(&name).and_then(|size| self.clients.operations[*size].reply.clone());
                if size != Some(Reply::Integer(0)) {
                    return Err(format!("{} waits, and {name} holds {size:?}", show(words)));
                }
            }
        }
        Ok(())
    }

    /// Every element was taken once, or is still there; those whose taker has left may be gone.
    fn count(&mut self) -> Result<(), String> {
        let looks: Vec<usize> = self
            .keys
            .clone()
            .iter()
            .flat_map(|key| [format!("LRANGE {key} 0 -1"), format!("ZRANGE z{key} 0 -1")])
            .map(|line| self.clients.ask_line(self.observer, &line))
            .collect();
        self.clients.settle()?;
        let mut seen: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for (number, operation) in self.clients.operations.iter().enumerate() {
            let takes = match operation.words[0].as_slice() {
                b"LMOVE" | b"BLMOVE" | b"BRPOPLPUSH" => false,
                _ => !operation.is_queued,
            };
            if let Some(reply) = operation.reply.as_ref().filter(|_| takes || looks.contains(&number)) {
                elements(reply, &mut |element| *seen.entry(element.to_vec()).or_default() += 1);
            }
            if let Some(Reply::Error(error)) = &operation.reply
                && !error.starts_with("UNBLOCKED")
                && error != "ERR no such key"
            {
                return Err(format!("{} fails: {error}", show(&operation.words)));
            }
        }
        if let Some((element, count)) = seen.iter().find(|(_, count)| **count > 1) {
            return Err(format!("{} was seen {count} times", show(std::slice::from_ref(element))));
        }
        // A push of a client that has left may not have run, too.
        let lost = self.pushed - seen.len();
        let most = self.open * (TAKES_MAX + 3);
        if lost > most {
            let left: Vec<String> = looks
                .iter()
                .map(|look| self.clients.operations[*look].reply.as_ref().map_or(String::new(), show_reply))
                .collect();
            return Err(format!("{lost} of {} elements are lost, at most {most} may be: {left:?}", self.pushed));
        }
        Ok(())
    }
}

/// The elements in a reply, which begin with `e`.
fn elements(reply: &Reply, see: &mut impl FnMut(&[u8])) {
    match reply {
        Reply::Bulk(bytes) if bytes.starts_with(b"e") => see(bytes),
        Reply::Array(parts) => parts.iter().for_each(|part| elements(part, see)),
        _ => {}
    }
}

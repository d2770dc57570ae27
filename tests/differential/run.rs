//! Two servers side by side: sends the same bytes to both and reads both answers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use corewise_harness::{Client, Closed, Server, Value, Variant, encode};

use crate::compare::{Compare, agree};
use crate::events::{self, Listeners};
use crate::generate::{CLIENTS, Operation};

/// How long a reply may take until it counts as missing.
const REPLY_PATIENCE: Duration = Duration::from_secs(5);

/// Undoes what the stream may have set.
const DEFAULTS: [&str; 8] = [
    "FLUSHALL",
    "CONFIG SET maxmemory 0",
    "CONFIG SET maxmemory-policy noeviction",
    "CONFIG SET timeout 0",
    "CONFIG SET tcp-keepalive 300",
    "CONFIG SET slowlog-max-len 128",
    "CONFIG SET latency-monitor-threshold 0",
    "CONFIG SET notify-keyspace-events \"\"",
];

/// The reference and the server under test, with the same connections to both.
pub(crate) struct Pair {
    servers: [Server; 2],
    clients: Vec<[Client; 2]>,
    /// Whether what the servers tell of changes is compared too.
    listens: bool,
    listeners: Option<Listeners>,
    payloads: Vec<Vec<u8>>,
}

/// Two replies that should agree and do not.
pub(crate) struct Difference {
    /// Position of the command in its batch.
    pub(crate) at: usize,
    /// The reference's reply, in the notation of transcripts.
    pub(crate) theirs: String,
    /// The other's.
    pub(crate) ours: String,
}

/// The name of a command as COMMAND LIST gives it.
pub(crate) fn name_of(operation: &Operation) -> String {
    let lower = |at: usize| String::from_utf8_lossy(&operation.words[at]).to_ascii_lowercase();
    if operation.compare == Compare::ScanAll {
        return "scan".to_owned();
    }
    let name = lower(0);
    let containers = ["client", "config", "object", "memory", "slowlog", "latency", "command", "debug"];
    if containers.contains(&name.as_str()) && operation.words.len() > 1 { format!("{name}|{}", lower(1)) } else { name }
}

/// Whether an operation must be looked at before the next one is sent.
pub(crate) fn is_alone(operation: &Operation) -> bool {
    operation.settles || matches!(operation.compare, Compare::ScanAll | Compare::RandomKey)
}

/// A reply for reading: long ones in their middle are cut.
pub(crate) fn cut(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= 1200 {
        return text.to_owned();
    }
    let part = |letters: &[char]| letters.iter().collect::<String>();
    format!("{} ... {} ({} characters)", part(&letters[..500]), part(&letters[letters.len() - 500..]), letters.len())
}

impl Pair {
    /// Starts both. `listens`: what they tell of changes of keys is compared too.
    pub(crate) fn start(reference: &Variant, tested: &Variant, listens: bool) -> Pair {
        let servers = [Server::start(reference, &[]), Server::start(tested, &[])];
        let payloads = dump_payloads(&mut servers[0].connect());
        let mut pair = Pair { servers, clients: Vec::new(), listens, listeners: None, payloads };
        pair.restart();
        pair
    }

    /// Whether what the servers tell of changes is compared too.
    pub(crate) fn listens(&self) -> bool {
        self.listens
    }

    /// What the tested server is called.
    pub(crate) fn name(&self) -> &'static str {
        self.servers[1].variant.name
    }

    /// Payloads of DUMP as the reference writes them.
    pub(crate) fn payloads(&self) -> Vec<Vec<u8>> {
        self.payloads.clone()
    }

    /// Empties both servers and connects anew; a server that went down is started again.
    #[expect(clippy::print_stdout, reason = "why a server went down is part of the report")]
    pub(crate) fn restart(&mut self) {
        self.clients.clear();
        self.listeners = None;
        for server in &mut self.servers {
            if let Some(status) = server.exit_status() {
                println!("{} had ended: {status}; its last words:\n{}", server.variant.name, server.log());
                let variant = server.variant.clone();
                *server = Server::start(&variant, &[]);
            }
            let mut client = server.connect();
            // What a server answers to these is judged in the stream, not here.
            for line in DEFAULTS {
                client.ask(line);
            }
            // Closed connections must be gone before CLIENT LIST can be compared.
            wait_for_clients(&mut client, server, 1);
        }
        self.clients = (0..CLIENTS).map(|_| [self.servers[0].connect(), self.servers[1].connect()]).collect();
        self.listeners = self.listens.then(|| Listeners::new(&self.servers));
        let connections = CLIENTS + self.listeners.iter().len() * events::CONNECTIONS;
        for server in &self.servers {
            wait_for_clients(&mut server.connect(), server, connections + 1);
        }
    }

    /// Sends operations one by one, ignoring what they answer; `None` if a connection was closed.
    pub(crate) fn run(&mut self, operations: &[Operation]) -> Option<()> {
        for operation in operations {
            if operation.compare == Compare::Planted {
                self.clients[operation.client][1].command(&operation.words);
                continue;
            }
            let replies = self.exchange(std::slice::from_ref(operation));
            replies.iter().all(|[theirs, ours]| theirs.is_ok() && ours.is_ok()).then_some(())?;
            self.settle(operation);
        }
        // What differs here is not asked for.
        let _ = self.listeners.as_mut().map(Listeners::compare);
        Some(())
    }

    /// Sends a batch of one connection to both servers at once, and gives what differs.
    pub(crate) fn compare(&mut self, batch: &[Operation]) -> Vec<Difference> {
        if batch[0].compare == Compare::Planted {
            self.run(batch);
            return Vec::new();
        }
        if let [operation] = batch
            && operation.compare == Compare::ScanAll
        {
            return self.compare_scans(operation).into_iter().collect();
        }
        let replies = self.exchange(batch);
        let mut replies = replies.into_iter();
        let mut differences = Vec::new();
        for (at, operation) in batch.iter().enumerate().filter(|(_, operation)| !operation.silent) {
            let (theirs, ours) = match replies.next() {
                Some([Ok(theirs), Ok(ours)]) => (theirs, ours),
                Some([theirs, ours]) => {
                    let show = |reply: Result<Value, &str>| reply.map_or_else(str::to_owned, |value| value.to_string());
                    differences.push(Difference { at, theirs: show(theirs), ours: show(ours) });
                    return differences;
                }
                None => return differences,
            };
            if !agree(operation.compare, &theirs, &ours) {
                differences.push(difference(operation, at, &theirs, &ours));
            }
            if operation.compare == Compare::RandomKey {
                self.check_random_key(operation, at, [&theirs, &ours], &mut differences);
            }
        }
        if let Some(last) = batch.last() {
            self.settle(last);
        }
        if let Some([theirs, ours]) = self.listeners.as_mut().and_then(Listeners::compare) {
            differences.push(Difference { at: batch.len() - 1, theirs, ours });
        }
        differences
    }

    /// Sends a batch to both and reads as many replies as are due; a closed connection ends the list.
    fn exchange(&mut self, batch: &[Operation]) -> Vec<[Result<Value, &'static str>; 2]> {
        let Some(first) = batch.first() else { return Vec::new() };
        let mut bytes = Vec::new();
        for operation in batch {
            assert_eq!(operation.client, first.client, "a batch goes through one connection");
            if operation.inline {
                bytes.extend_from_slice(&operation.words.join(&b' '));
                bytes.extend_from_slice(b"\r\n");
            } else {
                encode(&operation.words, &mut bytes);
            }
        }
        let clients = &mut self.clients[first.client];
        for client in clients.iter_mut() {
            let _ = client.try_send(&bytes);
        }
        let mut replies = Vec::new();
        for _ in batch.iter().filter(|operation| !operation.silent) {
            let [theirs, ours] = clients;
            let pair = [reply_of(theirs), reply_of(ours)];
            let closed = pair.iter().any(Result::is_err);
            replies.push(pair);
            if closed {
                break;
            }
        }
        replies
    }

    /// After an operation that sets a short deadline: waits until it has passed, or was not set.
    fn settle(&mut self, operation: &Operation) {
        let Some(key) = operation.keys().first().filter(|_| operation.settles).map(|key| key.to_vec()) else { return };
        let deadline = Instant::now() + Duration::from_secs(10);
        for (side, server) in self.servers.iter().enumerate() {
            let client = &mut self.clients[operation.client][side];
            loop {
                let left = client.command(&[&b"PTTL"[..], &key]).integer();
                if !(0..5000).contains(&left) {
                    break;
                }
                assert!(Instant::now() < deadline, "{}: a deadline passes and the key stays", server.variant.name);
            }
        }
    }

    fn check_random_key(
        &mut self,
        operation: &Operation,
        at: usize,
        replies: [&Value; 2],
        differences: &mut Vec<Difference>,
    ) {
        for (side, reply) in replies.into_iter().enumerate() {
            let keys = self.clients[operation.client][side].ask("KEYS *");
            if !reply.is_nil() && !keys.items().contains(reply) {
                let [theirs, ours] = replies.map(Value::to_string);
                differences.push(Difference { at, theirs, ours: format!("{ours}, which is not one of {keys}") });
            }
        }
    }

    /// Runs a whole SCAN on both and compares what was found.
    fn compare_scans(&mut self, operation: &Operation) -> Option<Difference> {
        let mut found: [BTreeSet<Value>; 2] = Default::default();
        for (side, keys) in found.iter_mut().enumerate() {
            let client = &mut self.clients[operation.client][side];
            let mut cursor = b"0".to_vec();
            for turn in 0.. {
                assert!(turn < 100_000, "{}: SCAN does not come to an end", self.servers[side].variant.name);
                let mut words = vec![b"SCAN".to_vec(), cursor];
                words.extend(operation.words.iter().cloned());
                let reply = client.command(&words);
                let (Value::Array(parts), false) = (&reply, reply.is_error()) else {
                    return Some(Difference { at: 0, theirs: "an array".to_owned(), ours: reply.to_string() });
                };
                keys.extend(parts[1].items().iter().cloned());
                cursor = parts[0].bytes().expect("a cursor is a string").to_vec();
                if cursor == b"0" {
                    break;
                }
            }
        }
        let [theirs, ours] = found.map(|keys| Value::Array(keys.into_iter().collect()));
        (theirs != ours).then(|| Difference { at: 0, theirs: theirs.to_string(), ours: ours.to_string() })
    }

    /// Compares every key of the databases that the stream uses: value, encoding and deadline.
    pub(crate) fn compare_contents(&mut self) -> Option<String> {
        let [mut theirs, mut ours] = [self.servers[0].connect(), self.servers[1].connect()];
        let mut both = |words: &[&[u8]]| (theirs.command(words), ours.command(words));
        for database in ["0", "1", "2"] {
            both(&[b"SELECT", database.as_bytes()]);
            let (their_keys, our_keys) = both(&[b"KEYS", b"*"]);
            if !agree(Compare::Unordered, &their_keys, &our_keys) {
                return Some(format!("database {database} has {their_keys} on redis-server, {our_keys} here"));
            }
            for key in their_keys.items() {
                let bytes = key.bytes().expect("a key is a string");
                for (line, compare) in
                    [("GET", Compare::Exact), ("PTTL", Compare::Near(5000)), ("TYPE", Compare::Exact)]
                {
                    let (a, b) = both(&[line.as_bytes(), bytes]);
                    if !agree(compare, &a, &b) {
                        return Some(format!(
                            "{line} {key} in database {database}: {} / {}",
                            cut(&a.to_string()),
                            cut(&b.to_string())
                        ));
                    }
                }
            }
        }
        None
    }
}

/// Waits until CLIENT LIST has `count` lines, if the server knows CLIENT LIST.
fn wait_for_clients(client: &mut Client, server: &Server, count: usize) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let list = client.ask("CLIENT LIST");
        if list.is_error() || list.text().lines().count() == count {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{}: {count} connections are open, CLIENT LIST: {list}",
            server.variant.name
        );
    }
}

fn reply_of(client: &mut Client) -> Result<Value, &'static str> {
    match client.try_reply_within(REPLY_PATIENCE) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err("(no reply)"),
        Err(Closed) => Err("(closed)"),
    }
}

/// Describes a difference, for INFO by what is lacking.
fn difference(operation: &Operation, at: usize, theirs: &Value, ours: &Value) -> Difference {
    if operation.compare == Compare::Info && !theirs.is_error() && !ours.is_error() {
        let lacks = crate::compare::info_lacks(&theirs.text(), &ours.text());
        return Difference { at, theirs: format!("has {}", lacks.join(", ")), ours: "lacks them".to_owned() };
    }
    Difference { at, theirs: theirs.to_string(), ours: ours.to_string() }
}

/// Values of every encoding as the reference dumps them, and broken copies.
fn dump_payloads(reference: &mut Client) -> Vec<Vec<u8>> {
    let compressible = "abcd".repeat(60);
    let values =
        ["1", "-5", "300", "70000", "9999999999", "text", "", "12345678901234567890123", compressible.as_str()];
    let mut payloads = Vec::new();
    for value in values {
        reference.command(&["SET", "dumped", value]);
        payloads.push(reference.command(&["DUMP", "dumped"]).bytes().expect("DUMP answers a string").to_vec());
    }
    let long = "ab".repeat(40);
    for members in [["1", "a", "-2.5", "7"], ["inf", long.as_str(), "0", "b"]] {
        reference.command(&["DEL", "dumped"]);
        reference.command(&[&["ZADD", "dumped"][..], &members].concat());
        payloads.push(reference.command(&["DUMP", "dumped"]).bytes().expect("DUMP answers a string").to_vec());
    }
    let mut broken = payloads[5].clone();
    broken[1] ^= 1;
    payloads.push(broken);
    payloads.push(payloads[5][..6].to_vec());
    reference.command(&["DEL", "dumped"]);
    payloads
}

//! Clients: they send pipelines of commands, cut anywhere, and read the replies in the order of their requests.

use std::collections::VecDeque;
use std::rc::Rc;

use corewise::command;
use corewise::resp::{Request, Span};

use crate::history::Operation;
use crate::model::Wait;
use crate::node::{End, Node};
use crate::reply::{Reply, show, show_reply};

/// Turns in which the node must come to rest when its clients have fallen silent.
const TURNS_TO_REST: usize = 20_000;

/// One client.
struct Client {
    socket: usize,
    database: usize,
    /// Bytes sent in all.
    sent: u64,
    /// Its commands that have not wholly reached the node, each with where it ends.
    on_the_way: VecDeque<(u64, usize)>,
    /// Its commands that have no reply yet, in order.
    unanswered: VecDeque<usize>,
    /// It has left or will, in which way.
    leaving: Option<End>,
}

/// All clients of a node, and what they have asked.
pub(crate) struct Clients {
    pub(crate) node: Node,
    clients: Vec<Client>,
    pub(crate) operations: Vec<Operation>,
}

impl Clients {
    pub(crate) fn new(node: Node) -> Self {
        Self { node, clients: Vec::new(), operations: Vec::new() }
    }

    /// A client comes to a core.
    pub(crate) fn connect(&mut self, core: usize) -> usize {
        let socket = self.node.connect(core);
        let client = Client {
            socket,
            database: 0,
            sent: 0,
            on_the_way: VecDeque::new(),
            unanswered: VecDeque::new(),
            leaving: None,
        };
        self.clients.push(client);
        self.clients.len() - 1
    }

    /// A client sends a command. Returns its number.
    pub(crate) fn ask(&mut self, client: usize, words: Vec<Vec<u8>>) -> usize {
        let number = self.operations.len();
        let asker = &mut self.clients[client];
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in &words {
            bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(b"\r\n");
        }
        asker.sent += bytes.len() as u64;
        asker.on_the_way.push_back((asker.sent, number));
        let leaves = asker.leaving.is_some();
        self.operations.push(Operation { leaves, ..Operation::new(number, client, asker.database, words) });
        if self.operations[number].words[0] == b"SELECT" {
            asker.database = usize::from(self.operations[number].words[1][0] - b'0');
        }
        self.node.send(asker.socket, &bytes);
        number
    }

    /// A client sends a command given as a line of words.
    pub(crate) fn ask_line(&mut self, client: usize, line: &str) -> usize {
        self.ask(client, line.split(' ').map(|word| word.as_bytes().to_vec()).collect())
    }

    /// A client sends a transaction. Returns the number of its EXEC.
    pub(crate) fn ask_transaction(&mut self, client: usize, watched: &[String], queue: Vec<Vec<Vec<u8>>>) -> usize {
        if !watched.is_empty() {
            self.ask_line(client, &format!("WATCH {}", watched.join(" ")));
        }
        self.ask_line(client, "MULTI");
        for words in &queue {
            let number = self.ask(client, words.clone());
            self.operations[number].is_queued = true;
        }
        let number = self.ask_line(client, "EXEC");
        self.operations[number].run(queue);
        number
    }

    /// A client leaves.
    pub(crate) fn leave(&mut self, client: usize, end: End) {
        for operation in self.operations.iter_mut().filter(|operation| operation.client == client) {
            operation.leaves = true;
        }
        self.clients[client].leaving = Some(end);
        self.node.end(self.clients[client].socket, end);
    }

    /// One thing happens. False if nothing can.
    pub(crate) fn step(&mut self) -> Result<bool, String> {
        let goes_on = self.node.step()?;
        self.read()?;
        Ok(goes_on)
    }

    /// Until nothing happens by itself. Clients may wait then.
    pub(crate) fn rest(&mut self) -> Result<(), String> {
        for _ in 0..TURNS_TO_REST {
            if !self.step()? {
                return Ok(());
            }
        }
        Err(format!("the node does not come to rest: {}", self.node.describe()))
    }

    /// The request that a client has no reply to and has sent before all others, if there is one.
    pub(crate) fn first_unanswered(&self, client: usize) -> Option<&Operation> {
        self.clients[client].unanswered.front().map(|number| &self.operations[*number])
    }

    /// Requests of a client that have no reply yet.
    pub(crate) fn outstanding(&self, client: usize) -> usize {
        self.clients[client].on_the_way.len() + self.clients[client].unanswered.len()
    }

    /// Whether a client waits, but not for ever, and has sent something behind that.
    pub(crate) fn is_followed(&self, client: usize) -> bool {
        let has_timeout = |wait: &Rc<Wait>| wait.timeout_ms > 0;
        self.clients[client].unanswered.len() > 1
            && self.first_unanswered(client).is_some_and(|first| first.wait.as_ref().is_some_and(has_timeout))
    }

    /// Until the node rests; every client that has stayed must have its replies then.
    pub(crate) fn settle(&mut self) -> Result<(), String> {
        self.rest()?;
        self.node.check_rest()?;
        for (number, client) in self.clients.iter().enumerate() {
            if client.leaving != Some(End::Broken)
                && let Some(operation) = self.first_unanswered(number)
                // One that waits, and will send nothing more, is taken for one that is gone.
                && !(operation.wait.is_some() && self.node.sockets[client.socket].closed)
            {
                let words = show(&operation.words);
                return Err(format!("client {number} has no reply to {words}, and the node rests"));
            }
        }
        Ok(())
    }

    /// Takes note of what has reached the node and of what has come back.
    fn read(&mut self) -> Result<(), String> {
        for (number, client) in self.clients.iter_mut().enumerate() {
            let socket = &mut self.node.sockets[client.socket];
            let now = (self.node.event, self.node.now.unix_us / 1000);
            for (delivered, then) in socket.deliveries.drain(..) {
                while let Some((end, operation)) = client.on_the_way.front().copied()
                    && end <= delivered
                {
                    client.on_the_way.pop_front();
                    client.unanswered.push_back(operation);
                    self.operations[operation].sent = Some(then);
                }
            }
            let mut at = 0;
            while let Some((reply, len)) = Reply::read(&socket.incoming[at..])? {
                at += len;
                let Some(operation) = client.unanswered.pop_front() else {
                    return Err(format!("client {number} gets a reply too many: {}", show_reply(&reply)));
                };
                self.operations[operation].reply = Some(reply);
                self.operations[operation].answered = Some(now);
            }
            socket.incoming.drain(..at);
            if socket.closed && client.leaving.is_none() {
                return Err(format!("client {number} was cut off"));
            }
        }
        Ok(())
    }
}

/// The keys of a command that runs on shards.
pub(crate) fn keys_of(words: &[Vec<u8>]) -> Vec<Vec<u8>> {
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
    let request = Request::new(&data, &spans);
    let Some(command) = command::lookup(&words[0]) else { return Vec::new() };
    let Ok(keys) = command::keys(command, request) else { return Vec::new() };
    keys.map(|key| request.get(key.index).to_vec()).collect()
}

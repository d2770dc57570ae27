//! Whether what the clients saw can be explained by one command after the other.
//!
//! A history is *linearizable* if its commands can be put into one order that respects real time (a command that was
//! answered before another was sent comes first), respects the promises about one client's pipeline, and gives every
//! reply when the plain model runs it (Herlihy and Wing, 1990). The search is that of Wing and Gong with Lowe's memory: it
//! takes any command that nothing unexplained must precede, tries it on the model, and never visits the same set of
//! commands with the same state twice.
//!
//! Histories are kept short by cutting them where the node was quiet: the next one begins with the state in which the
//! last one ended. What a command without an answer did is open: it may have run or not. One that waits for an element
//! (BLPOP and its like) may come at one moment and end at another, and may be waiting when the node is quiet; who does then
//! is part of the state.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use corewise::topology::Topology;

use crate::clients::keys_of;
use crate::model::{Setting, State, Wait, Window};
use crate::reply::{Reply, show, show_reply};

/// Commands of one history: they are bits of a word.
pub(crate) const OPERATIONS_MAX: usize = 64;

/// One command of one client.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    /// Tells it from all others.
    pub(crate) number: usize,
    pub(crate) client: usize,
    pub(crate) database: usize,
    pub(crate) words: Vec<Vec<u8>>,
    /// Of an EXEC, the commands that it runs.
    pub(crate) queue: Vec<Vec<Vec<u8>>>,
    /// It is not run but queued.
    pub(crate) is_queued: bool,
    /// Keys that decide where it runs; none for commands on the whole node.
    pub(crate) keys: Vec<Vec<u8>>,
    /// Those, or of an EXEC the keys of all that it runs; none if one of these has none, which concerns all keys.
    pub(crate) touches: Vec<Vec<u8>>,
    /// What it waits for if there is nothing.
    pub(crate) wait: Option<Rc<Wait>>,
    /// Of a CLIENT UNBLOCK, the client that shall wait no more.
    pub(crate) unblocks: Option<usize>,
    /// Its client has left or is about to: it may be answered or not.
    pub(crate) leaves: bool,
    /// When its last byte reached the node, in events and in milliseconds.
    pub(crate) sent: Option<(u64, u64)>,
    /// When its whole reply had left, likewise.
    pub(crate) answered: Option<(u64, u64)>,
    pub(crate) reply: Option<Reply>,
}

impl Operation {
    /// A command that nothing is known of but that it was asked.
    pub(crate) fn new(number: usize, client: usize, database: usize, words: Vec<Vec<u8>>) -> Self {
        let keys = keys_of(&words);
        Self {
            number,
            client,
            database,
            queue: Vec::new(),
            is_queued: false,
            touches: keys.clone(),
            wait: Wait::of(&words, &keys),
            unblocks: None,
            leaves: false,
            words,
            keys,
            sent: None,
            answered: None,
            reply: None,
        }
    }

    /// It is an EXEC that runs these.
    pub(crate) fn run(&mut self, queue: Vec<Vec<Vec<u8>>>) {
        let keys: Vec<Vec<Vec<u8>>> = queue.iter().map(|words| keys_of(words)).collect();
        self.touches = if keys.iter().any(Vec::is_empty) { Vec::new() } else { keys.concat() };
        self.queue = queue;
    }

    fn shown(&self) -> String {
        let queue: Vec<String> = self.queue.iter().map(|words| show(words)).collect();
        if queue.is_empty() { show(&self.words) } else { format!("EXEC {{{}}}", queue.join("; ")) }
    }

    /// Whether its reply says that it has changed nothing for others, wherever in the history it stands.
    fn changed_nothing(&self) -> bool {
        match (self.words[0].as_slice(), &self.reply) {
            (_, None) => false,
            (b"GET" | b"MGET" | b"STRLEN" | b"EXISTS" | b"TOUCH" | b"TYPE" | b"TTL" | b"PTTL", _) => true,
            (b"LLEN" | b"LRANGE" | b"SCARD" | b"SMEMBERS" | b"ZCARD" | b"ZRANGE", _) => true,
            (_, Some(Reply::Error(_))) | (b"EXEC", Some(Reply::Null)) => self.wait.is_none(),
            (
                b"DEL" | b"UNLINK" | b"SETNX" | b"MSETNX" | b"RENAMENX" | b"COPY" | b"MOVE" | b"EXPIRE" | b"PEXPIRE"
                | b"PERSIST",
                Some(Reply::Integer(0)),
            ) => true,
            (b"SREM" | b"SMOVE" | b"CLIENT", Some(Reply::Integer(0))) => true,
            (b"GETDEL" | b"LPOP" | b"RPOP" | b"LMOVE" | b"LMPOP" | b"ZMPOP", Some(Reply::Null)) => true,
            _ => false,
        }
    }
}

/// How a client's pipeline is ordered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// Single-key commands for different cores may overlap; all else is in order.
    Relaxed,
    /// As sent.
    Strict,
}

/// Commands between two moments at which the node was quiet.
pub(crate) struct History<'a> {
    pub(crate) operations: Vec<&'a Operation>,
    /// Commands that were run one after the other behind all these, to see the state at the end.
    pub(crate) ends_with: Vec<&'a Operation>,
    pub(crate) order: Order,
    pub(crate) topology: Topology,
    /// The time at the end, for commands without an answer.
    pub(crate) ended_ms: u64,
    /// By how much a core's clock may be behind.
    pub(crate) lag_ms: u64,
}

impl History<'_> {
    /// The state after some order that explains the history from `state` on, or a description of why there is none.
    pub(crate) fn explain(&self, state: &State) -> Result<(), String> {
        let count = self.operations.len();
        assert!(count <= OPERATIONS_MAX, "{count} commands are too many for one history");
        let before: Vec<u64> = (0..count).map(|later| self.predecessors(later)).collect();
        let required: u64 =
            (0..count).filter(|at| self.operations[*at].reply.is_some()).fold(0, |set, at| set | 1 << at);
        let waiting = (0..count).filter(|at| self.must_wait(*at)).collect();
        let related = (0..count).map(|at| self.related(at)).collect();
        let mut search = Search {
            history: self,
            before,
            related,
            required,
            waiting,
            seen: HashSet::new(),
            longest: (0, state.clone()),
        };
        match search.go_on(0, state.clone()) {
            true => Ok(()),
            false => Err(self.describe(state, search.longest)),
        }
    }

    fn predecessors(&self, later: usize) -> u64 {
        (0..self.operations.len()).filter(|earlier| self.precedes(*earlier, later)).fold(0, |set, at| set | 1 << at)
    }

    /// The commands whose order to that at `at` may matter, unless somebody watches its keys: those with a key in common. All
    /// of them, if it or the other has none.
    fn related(&self, at: usize) -> u64 {
        let own = &self.operations[at].touches;
        let are_related = |other: &usize| {
            let keys = &self.operations[*other].touches;
            *other != at && (own.is_empty() || keys.is_empty() || keys.iter().any(|key| own.contains(key)))
        };
        (0..self.operations.len()).filter(are_related).fold(0, |set, at| set | 1 << at)
    }

    /// Whether somebody tries to unblock a client.
    fn is_unblocked(&self, client: usize) -> bool {
        self.operations.iter().any(|operation| operation.unblocks == Some(client))
    }

    /// Whether the command at `first` must come before that at `second`.
    fn precedes(&self, first: usize, second: usize) -> bool {
        let (a, b) = (self.operations[first], self.operations[second]);
        let in_time = match (a.answered, b.sent) {
            (Some((answered, _)), Some((sent, _))) => answered < sent,
            _ => false,
        };
        in_time || (a.client == b.client && first < second && self.is_ordered(a, b))
    }

    fn is_ordered(&self, a: &Operation, b: &Operation) -> bool {
        let is_single = |one: &Operation| one.keys.len() == 1 && one.wait.is_none() && one.words[0] != b"WATCH";
        self.order == Order::Strict || !is_single(a) || !is_single(b) || a.keys == b.keys
    }

    fn setting(&self, operation: &Operation) -> Setting {
        let from = operation.sent.map_or(0, |(_, ms)| ms.saturating_sub(self.lag_ms));
        let window = Window { from, to: operation.answered.map_or(self.ended_ms, |(_, ms)| ms) };
        Setting { window, topology: self.topology }
    }

    /// Whether a request must be waiting at the end: it has come, it has no reply, and its client stays.
    fn must_wait(&self, at: usize) -> bool {
        let operation = self.operations[at];
        let mut before = self.operations[..at].iter().filter(|other| other.client == operation.client);
        operation.wait.is_some()
            && operation.reply.is_none()
            && !operation.leaves
            && before.all(|other| other.reply.is_some())
    }

    fn describe(&self, state: &State, (explained, reached): (u64, State)) -> String {
        let mut lines = vec![format!("no order of these commands explains their replies ({:?})", self.order)];
        lines.push(format!("  before: {}", show_state(state)));
        let mut by_time: Vec<usize> = (0..self.operations.len()).collect();
        by_time.sort_by_key(|at| self.operations[*at].sent);
        for at in by_time {
            let operation = self.operations[at];
            let mark = if explained & 1 << at == 0 { "?" } else { " " };
            let cores: Vec<String> = operation.keys.iter().map(|key| self.topology.core_of(key).to_string()).collect();
            let (sent, answered) = (operation.sent.map(|(event, _)| event), operation.answered.map(|(event, _)| event));
            lines.push(format!(
                "{mark} client {} db {} [{:>5} .. {:>5}] cores {:<4} {:<40} -> {}",
                operation.client,
                operation.database,
                sent.map_or("-".into(), |event| event.to_string()),
                answered.map_or("-".into(), |event| event.to_string()),
                cores.join(","),
                operation.shown(),
                operation.reply.as_ref().map_or("(no reply)".into(), show_reply),
            ));
        }
        let mut states = vec![reached.clone()];
        for operation in &self.ends_with {
            states = states.iter().flat_map(|state| state.after(operation, self.setting(operation))).collect();
            let mark = if states.is_empty() { "?" } else { " " };
            let reply = operation.reply.as_ref().map_or("(no reply)".into(), show_reply);
            lines.push(format!(
                "{mark} at the end, db {} {:<40} -> {reply}",
                operation.database,
                show(&operation.words)
            ));
        }
        lines.push(format!(
            "  the longest order that explains some leaves out those marked ?, with: {}",
            show_state(&reached)
        ));
        lines.join("\n")
    }
}

struct Search<'h> {
    history: &'h History<'h>,
    before: Vec<u64>,
    /// For each command those whose order to it may matter.
    related: Vec<u64>,
    required: u64,
    /// Commands that must be waiting at the end.
    waiting: Vec<usize>,
    /// Sets of commands with the state that they led to, by hash: a clash would at worst call a good history bad.
    seen: HashSet<u64>,
    /// The largest set explained so far.
    longest: (u64, State),
}

impl Search<'_> {
    /// Whether this may be the end: who must wait does so, for nothing that is there, and what was read at the end fits.
    fn is_end(&self, state: &State) -> bool {
        let waiting = || self.waiting.iter().map(|at| self.history.operations[*at]);
        if !waiting().all(|operation| state.goes_on_waiting(operation)) {
            return false;
        }
        let mut states = vec![state.clone()];
        for operation in &self.history.ends_with {
            let setting = self.history.setting(operation);
            states = states.iter().flat_map(|state| state.after(operation, setting)).collect();
            states.dedup();
        }
        states.iter().any(|state| !waiting().any(|operation| state.waits_in_vain(operation)))
    }

    /// Whether it makes no difference to the others that a command comes now, which leads from `state` to `after`.
    fn may_come_now(&self, at: usize, done: u64, state: &State, after: &State) -> bool {
        let operation = self.history.operations[at];
        if operation.wait.is_some() {
            return !self.history.is_unblocked(operation.client) && state.may_as_well_wait(operation, after);
        }
        let changes_nothing = || operation.changed_nothing() && after.databases == state.databases;
        let is_alone = || {
            operation.reply.is_some()
                && self.related[at] & !done == 0
                && !state.is_watched(operation.client, &operation.touches)
                && state.keeps_all(self.history.setting(operation).window)
        };
        changes_nothing() || is_alone()
    }

    fn go_on(&mut self, done: u64, state: State) -> bool {
        if done & self.required == self.required && self.is_end(&state) {
            return true;
        }
        let mut hasher = DefaultHasher::new();
        (done, &state).hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return false;
        }
        if done.count_ones() > self.longest.0.count_ones() {
            self.longest = (done, state.clone());
        }
        let mut branches = Vec::new();
        for at in 0..self.before.len() {
            if done & 1 << at != 0 || self.before[at] & !done != 0 {
                continue;
            }
            let operation = self.history.operations[at];
            let after = state.after(operation, self.history.setting(operation));
            if let [only] = after.as_slice()
                && self.may_come_now(at, done, &state, only)
            {
                // It may come now and matters to nobody: then it may as well, and no other order need be tried.
                let done = if only.waits(operation) { done } else { done | 1 << at };
                return self.go_on(done, only.clone());
            }
            // One that has come to wait has not ended.
            branches.extend(after.into_iter().map(|state| match state.waits(operation) {
                true => (operation.sent, done, state),
                false => (operation.answered, done | 1 << at, state),
            }));
        }
        // What was answered first has most likely run first.
        branches.sort_by_key(|(event, ..)| event.map_or(u64::MAX, |(event, _)| event));
        branches.into_iter().any(|(_, done, state)| self.go_on(done, state))
    }
}

fn show_state(state: &State) -> String {
    let databases = state.databases.iter().enumerate().map(|(index, database)| {
        let keys = database.iter().map(|(key, item)| {
            let deadline =
                item.deadline.map_or(String::new(), |window| format!(" until {}..{}", window.from, window.to));
            format!("{} {}{deadline}", show(&[key.to_vec()]), item.value.shown())
        });
        format!("db {index} {{{}}}", keys.collect::<Vec<_>>().join(", "))
    });
    databases.collect::<Vec<_>>().join(" ")
}

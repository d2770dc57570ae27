//! Whether what the clients saw can be explained by one command after the other.
//!
//! A history is *linearizable* if its commands can be put into one order that respects real time (a command that was
//! answered before another was sent comes first), respects the promises about one client's pipeline, and gives every
//! reply when the plain model runs it (Herlihy and Wing, 1990). The search is that of Wing and Gong with Lowe's memory: it
//! takes any command that nothing unexplained must precede, tries it on the model, and never visits the same set of
//! commands with the same state twice.
//!
//! Histories are kept short by cutting them where the node was quiet: the next one begins with the state in which the
//! last one ended. What a command without an answer did is open: it may have run or not.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use corewise::topology::Topology;

use crate::model::{State, Window};
use crate::reply::{Reply, show, show_reply};

/// Commands of one history: they are bits of a word.
pub(crate) const OPERATIONS_MAX: usize = 64;

/// One command of one client.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) client: usize,
    pub(crate) database: usize,
    pub(crate) words: Vec<Vec<u8>>,
    /// Of an EXEC, the commands that it runs.
    pub(crate) queue: Vec<Vec<Vec<u8>>>,
    /// Of an EXEC, whether keys were watched, so that it may run nothing.
    pub(crate) watches: bool,
    /// It is not run but queued.
    pub(crate) is_queued: bool,
    /// Keys that decide where it runs; none for commands on the whole node.
    pub(crate) keys: Vec<Vec<u8>>,
    /// When its last byte reached the node, in events and in milliseconds.
    pub(crate) sent: Option<(u64, u64)>,
    /// When its whole reply had left, likewise.
    pub(crate) answered: Option<(u64, u64)>,
    pub(crate) reply: Option<Reply>,
}

impl Operation {
    fn shown(&self) -> String {
        let queue: Vec<String> = self.queue.iter().map(|words| show(words)).collect();
        let watches = if self.watches { " (watching)" } else { "" };
        if queue.is_empty() { show(&self.words) } else { format!("EXEC{watches} {{{}}}", queue.join("; ")) }
    }

    /// Whether its reply says that it has changed nothing, wherever in the history it stands.
    fn changed_nothing(&self) -> bool {
        match (self.words[0].as_slice(), &self.reply) {
            (_, None) => false,
            (b"GET" | b"MGET" | b"STRLEN" | b"EXISTS" | b"TOUCH" | b"TYPE" | b"TTL" | b"PTTL", _) => true,
            (_, Some(Reply::Error(_))) | (b"EXEC", Some(Reply::Null)) => true,
            (
                b"DEL" | b"UNLINK" | b"SETNX" | b"MSETNX" | b"RENAMENX" | b"COPY" | b"MOVE" | b"EXPIRE" | b"PEXPIRE"
                | b"PERSIST",
                Some(Reply::Integer(0)),
            ) => true,
            (b"GETDEL", Some(Reply::Null)) => true,
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
        let mut search = Search { history: self, before, required, seen: HashSet::new(), longest: (0, state.clone()) };
        match search.go_on(0, state.clone()) {
            Some(_) => Ok(()),
            None => Err(self.describe(state, search.longest)),
        }
    }

    fn predecessors(&self, later: usize) -> u64 {
        (0..self.operations.len()).filter(|earlier| self.precedes(*earlier, later)).fold(0, |set, at| set | 1 << at)
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
        if self.order == Order::Strict || a.keys.len() != 1 || b.keys.len() != 1 {
            return true;
        }
        a.keys == b.keys
    }

    fn window(&self, operation: &Operation) -> Window {
        let from = operation.sent.map_or(0, |(_, ms)| ms.saturating_sub(self.lag_ms));
        Window { from, to: operation.answered.map_or(self.ended_ms, |(_, ms)| ms) }
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
        for operation in &self.ends_with {
            let reply = operation.reply.as_ref().map_or("(no reply)".into(), show_reply);
            lines.push(format!("  at the end, db {} {:<40} -> {reply}", operation.database, show(&operation.words)));
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
    required: u64,
    /// Sets of commands with the state that they led to, by hash: a clash would at worst call a good history bad.
    seen: HashSet<u64>,
    /// The largest set explained so far.
    longest: (u64, State),
}

impl Search<'_> {
    /// The state after the commands at the end, if they fit.
    fn end(&self, state: &State) -> Option<State> {
        let mut states = vec![state.clone()];
        for operation in &self.history.ends_with {
            let window = self.history.window(operation);
            states = states.iter().flat_map(|state| state.after(operation, window)).collect();
            states.dedup();
        }
        states.into_iter().next()
    }

    fn go_on(&mut self, done: u64, state: State) -> Option<State> {
        if done & self.required == self.required
            && let Some(last) = self.end(&state)
        {
            return Some(last);
        }
        let mut hasher = DefaultHasher::new();
        (done, &state).hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return None;
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
            let window = self.history.window(operation);
            let after = state.after(operation, window);
            if let [only] = after.as_slice()
                && *only == state
                && operation.changed_nothing()
            {
                // It may come now and matters to nobody: then it may as well, and no other order need be tried.
                return self.go_on(done | 1 << at, state);
            }
            branches.extend(after.into_iter().map(|state| (at, state)));
        }
        // What was answered first has most likely run first.
        branches.sort_by_key(|(at, _)| self.history.operations[*at].answered.map_or(u64::MAX, |(event, _)| event));
        branches.into_iter().find_map(|(at, state)| self.go_on(done | 1 << at, state))
    }
}

fn show_state(state: &State) -> String {
    let databases = state.databases.iter().enumerate().map(|(index, database)| {
        let keys = database.iter().map(|(key, item)| {
            let deadline =
                item.deadline.map_or(String::new(), |window| format!(" until {}..{}", window.from, window.to));
            format!("{}{deadline}", show(&[key.clone(), item.value.to_vec()]))
        });
        format!("db {index} {{{}}}", keys.collect::<Vec<_>>().join(", "))
    });
    databases.collect::<Vec<_>>().join(" ")
}

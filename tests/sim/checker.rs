//! Whether the checker finds what is wrong: stories that no order explains, each beside one that differs little and is
//! fine.

use corewise::topology::Topology;

use crate::history::{History, Operation, Order};
use crate::model::State;
use crate::reply::Reply;

/// What clients asked and were answered. An event is a millisecond, too.
#[derive(Default)]
struct Story {
    /// Lists that are there at the beginning.
    lists: Vec<(&'static str, &'static [&'static str])>,
    /// Those of the requests that wait, with the quiet moments before they came.
    waiting: Vec<(usize, usize)>,
    operations: Vec<Operation>,
}

fn words(line: &str) -> Vec<Vec<u8>> {
    line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
}

fn bulks(elements: &[&str]) -> Reply {
    Reply::Array(elements.iter().map(|element| Reply::bulk(element.as_bytes())).collect())
}

fn one() -> Reply {
    Reply::Integer(1)
}

impl Story {
    fn starting_with(key: &'static str, elements: &'static [&'static str]) -> Self {
        Self { lists: vec![(key, elements)], ..Self::default() }
    }

    /// A client asks at `sent`, and is answered at `answered`.
    fn asks(mut self, client: usize, (sent, answered): (u64, u64), line: &str, reply: Reply) -> Self {
        let number = self.operations.len();
        let operation = Operation::new(number, client, 0, words(line));
        let (sent, answered) = (Some((sent, sent)), Some((answered, answered)));
        self.operations.push(Operation { sent, answered, reply: Some(reply), ..operation });
        self
    }

    /// The same for an EXEC.
    fn executes(self, client: usize, span: (u64, u64), queue: &[&str], reply: Reply) -> Self {
        let mut story = self.asks(client, span, "EXEC", reply);
        if let Some(exec) = story.operations.last_mut() {
            exec.run(queue.iter().map(|line| words(line)).collect());
        }
        story
    }

    /// A client has waited since before the last quiet moment, since there had been `came` of them; the next call says what
    /// for.
    fn waits(mut self, came: usize) -> Self {
        self.waiting.push((self.operations.len(), came));
        self
    }

    /// A client that is not answered.
    fn unanswered(mut self) -> Self {
        if let Some(last) = self.operations.last_mut() {
            (last.reply, last.answered) = (None, None);
        }
        self
    }

    /// The last request is a CLIENT UNBLOCK of this client.
    fn unblocks(mut self, client: usize) -> Self {
        if let Some(last) = self.operations.last_mut() {
            last.unblocks = Some(client);
        }
        self
    }

    #[track_caller]
    fn is(self, explained: bool) {
        let mut state = State::default();
        for (key, elements) in &self.lists {
            state.put_list(key, elements);
        }
        let waiting = self.waiting.iter().map(|(number, came)| (&self.operations[*number], *came));
        state.settle(waiting);
        let history = History {
            operations: self.operations.iter().collect(),
            ends_with: Vec::new(),
            order: Order::Relaxed,
            topology: Topology::new(1),
            ended_ms: 1000,
            lag_ms: 0,
        };
        let outcome = history.explain(&state);
        assert_eq!(outcome.is_ok(), explained, "{}", outcome.err().unwrap_or_default());
    }
}

#[test]
fn an_element_is_taken_once() {
    let story = |second| {
        Story::default()
            .asks(0, (0, 30), "BLPOP l 0", bulks(&["l", "a"]))
            .asks(1, (0, 30), "BLPOP l 0", bulks(&["l", second]))
            .asks(2, (10, 20), "RPUSH l a b", Reply::Integer(2))
    };
    story("b").is(true);
    story("a").is(false);
    // What was answered before the element came cannot have taken it.
    let early = |answered| {
        Story::default().asks(0, (0, answered), "BRPOP k l 0", bulks(&["l", "a"])).asks(2, (10, 20), "RPUSH l a", one())
    };
    early(15).is(true);
    early(5).is(false);
}

#[test]
fn nobody_is_told_that_there_is_nothing_where_something_was_all_the_time() {
    let story = |elements| Story::starting_with("l", elements).asks(0, (0, 80), "BLPOP k l 0.05", Reply::Null);
    story(&[]).is(true);
    story(&["a"]).is(false);
    // Nor before its time.
    Story::default().asks(0, (0, 49), "BLPOP k l 0.05", Reply::Null).is(false);
    Story::default().asks(0, (0, 1000), "BLPOP k l 0", Reply::Null).is(false);
    // Nor does anybody wait for what is there.
    Story::default().asks(0, (0, 0), "BLPOP l 0", Reply::Null).unanswered().is(true);
    let waits = Story::default().asks(0, (0, 0), "BLPOP l 0", Reply::Null).unanswered();
    waits.asks(1, (10, 20), "RPUSH l a", one()).is(false);
}

#[test]
fn an_element_is_moved_in_one_step() {
    let story = |first, second| {
        Story::default()
            .asks(0, (0, 50), "BLMOVE l m LEFT RIGHT 0", Reply::bulk(b"a"))
            .asks(1, (10, 20), "RPUSH l a", one())
            .executes(
                2,
                (15, 30),
                &["LLEN l", "LLEN m"],
                Reply::Array(vec![Reply::Integer(first), Reply::Integer(second)]),
            )
    };
    story(1, 0).is(true);
    story(0, 1).is(true);
    story(1, 1).is(false);
}

#[test]
fn whoever_waits_longer_is_served_first() {
    let story = |first, second| {
        Story::default()
            .waits(first)
            .asks(0, (0, 90), "BLPOP l 0", bulks(&["l", "b"]))
            .waits(second)
            .asks(1, (0, 90), "BLPOP l 0", bulks(&["l", "a"]))
            .asks(2, (10, 20), "RPUSH l a b", Reply::Integer(2))
    };
    story(2, 1).is(true);
    // They came between the same quiet moments: either may have been first.
    story(1, 1).is(true);
    story(1, 2).is(false);
}

#[test]
fn what_comes_is_kept_for_those_who_wait() {
    let story = |pops: (u64, u64)| {
        Story::default()
            .waits(1)
            .asks(0, (0, 90), "BLPOP l 0", bulks(&["l", "b"]))
            .asks(1, (10, 20), "RPUSH l a", one())
            .asks(2, pops, "LPOP l", Reply::bulk(b"a"))
            .asks(1, (40, 50), "RPUSH l b", one())
    };
    story((5, 30)).is(false);
    story((30, 35)).is(false);
    let popped = Story::starting_with("l", &["a"]).asks(0, (0, 90), "BLPOP l 0", bulks(&["l", "b"]));
    let popped = popped.asks(1, (0, 10), "LPOP l", Reply::bulk(b"a"));
    popped.asks(1, (40, 50), "RPUSH l b", one()).is(true);
}

#[test]
fn whoever_is_unblocked_takes_nothing() {
    let unblocked = Reply::Error("UNBLOCKED client unblocked via CLIENT UNBLOCK".into());
    let story = |reason: &str, unblocks: i64, reply: Reply| {
        Story::default()
            .waits(1)
            .asks(0, (0, 90), "BLPOP l 0", reply)
            .asks(1, (10, 20), &format!("CLIENT UNBLOCK 7{reason}"), Reply::Integer(unblocks))
            .unblocks(0)
            .asks(2, (15, 30), "RPUSH l a", one())
    };
    story(" ERROR", 1, unblocked.clone()).is(true);
    story("", 1, Reply::Null).is(true);
    story("", 0, bulks(&["l", "a"])).is(true);
    story(" ERROR", 1, Reply::Null).is(false);
    story("", 1, unblocked.clone()).is(false);
    story("", 1, bulks(&["l", "a"])).is(false);
    story(" ERROR", 0, unblocked).is(false);
}

#[test]
fn a_transaction_is_seen_whole_or_not_at_all() {
    let done = || Reply::Array(vec![Reply::ok(), Reply::ok()]);
    let story =
        |first: Reply, second: Reply| {
            Story::default()
                .executes(0, (0, 90), &["SET a 1", "SET b 1"], done())
                .asks(1, (10, 20), "GET a", first)
                .asks(1, (30, 40), "GET b", second)
        };
    story(Reply::Null, Reply::Null).is(true);
    story(Reply::Null, Reply::bulk(b"1")).is(true);
    story(Reply::bulk(b"1"), Reply::Null).is(false);
    // Nothing comes between two of its commands.
    let torn = |number: i64| {
        let replies = Reply::Array(vec![Reply::Integer(1), Reply::Integer(number)]);
        Story::default().executes(0, (0, 90), &["INCR a", "INCR a"], replies).asks(
            1,
            (10, 20),
            "INCR a",
            Reply::Integer(5 - number),
        )
    };
    torn(2).is(true);
    torn(3).is(false);
}

#[test]
fn a_transaction_depends_on_what_it_watches() {
    let story = |writes: (u64, u64), line: &str, written: Reply, reply: Reply| {
        Story::default().asks(0, (10, 20), "WATCH a", Reply::ok()).asks(1, writes, line, written).executes(
            0,
            (50, 60),
            &["GET b"],
            reply,
        )
    };
    let (runs, null) = (|| Reply::Array(vec![Reply::Null]), || Reply::Null);
    // Before, at the same time as WATCH, in between, at the same time as EXEC, and behind.
    for (writes, may_run, may_fail) in [
        ((0, 5), true, false),
        ((5, 15), true, true),
        ((30, 40), false, true),
        ((40, 55), true, true),
        ((70, 80), true, false),
    ] {
        story(writes, "SET a 1", Reply::ok(), runs()).is(may_run);
        story(writes, "SET a 1", Reply::ok(), null()).is(may_fail);
    }
    // What changes nothing, or another key, is no reason.
    story((30, 40), "DEL a", Reply::Integer(0), null()).is(false);
    story((30, 40), "SET c 1", Reply::ok(), null()).is(false);
    story((30, 40), "DEL a", Reply::Integer(0), runs()).is(true);
}

#[test]
fn within_a_transaction_nobody_waits() {
    let story = |reply| Story::default().executes(0, (0, 10), &["BLPOP l 0", "RPUSH l a", "BLPOP l 0"], reply);
    story(Reply::Array(vec![Reply::Null, one(), bulks(&["l", "a"])])).is(true);
    story(Reply::Array(vec![bulks(&["l", "a"]), one(), Reply::Null])).is(false);
    story(Reply::Null).is(false);
}

//! The queue against a `VecDeque`.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::table::item;
use crate::base::Rng;
use crate::keyspace::policy::{Item, Queue};

const CHUNK_BYTES: usize = 1024 * 5;

/// What a pruning pass asks of groups, by an answer for each item.
fn each(mut keep: impl FnMut(Item) -> bool) -> impl FnMut(&[Item]) -> u16 {
    move |items| (0..).zip(items).fold(0, |stay, (number, &item)| stay | u16::from(keep(item)) << number)
}

#[derive(Clone, Debug)]
enum Step {
    Push {
        items: usize,
    },
    Pop {
        items: usize,
    },
    GiveBack,
    /// Items whose tag is below `keep` stay.
    Prune {
        keep: u8,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..3000usize).prop_map(|items| Step::Push { items }),
        4 => (1..2500usize).prop_map(|items| Step::Pop { items }),
        2 => Just(Step::GiveBack),
        8 => (0..=255u8).prop_map(|keep| Step::Prune { keep }),
    ]
}

/// What a pass does to the model: item by item from the oldest, `seen` says how many it has passed.
fn run(steps: Vec<Step>) {
    let (mut queue, mut model, mut next) = (Queue::default(), VecDeque::<Item>::new(), 0);
    for step in steps {
        match step {
            Step::Push { items } => {
                for _ in 0..items {
                    queue.push(item(next));
                    model.push_back(item(next));
                    next += 1;
                }
            }
            Step::Pop { items } => {
                for _ in 0..items {
                    assert_eq!(queue.pop_oldest(), model.pop_front());
                }
            }
            Step::GiveBack => {
                if let Some(oldest) = queue.pop_oldest() {
                    queue.push_oldest(oldest);
                }
            }
            Step::Prune { keep } => {
                // The chunk is the queue's business: what it asked about is one run, and only that may change.
                let mut asked = Vec::new();
                queue.prune_chunk(each(|item| {
                    asked.push(item);
                    item.tag < keep
                }));
                if let Some(first) = asked.first() {
                    let at = model.iter().position(|item| item == first).expect("it was pushed");
                    assert!(model.iter().skip(at).zip(&asked).all(|(model, asked)| model == asked));
                    let mut nth = 0;
                    model.retain(|item| {
                        nth += 1;
                        nth <= at || nth > at + asked.len() || item.tag < keep
                    });
                }
            }
        }
        assert_eq!(queue.len(), model.len());
    }
    while let Some(item) = queue.pop_oldest() {
        assert_eq!(Some(item), model.pop_front());
    }
    assert!(model.is_empty() && queue.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_queue_keeps_order(steps in proptest::collection::vec(step(), 1..60)) {
        run(steps);
    }
}

#[test]
fn five_bytes_an_item() {
    let mut queue = Queue::default();
    assert_eq!(queue.held_bytes(), 0);
    for key in 0..1_000_000 {
        queue.push(item(key));
    }
    assert!(queue.held_bytes() < 1_000_000 * 5 + 2 * CHUNK_BYTES + 100_000, "{}", queue.held_bytes());
    while queue.len() > 100 {
        queue.pop_oldest();
    }
    assert!(queue.held_bytes() < 100_000, "{}: emptied chunks are freed", queue.held_bytes());
}

#[test]
fn the_memory_of_millions_returns_when_some_hundred_are_left() {
    let mut queue = Queue::default();
    (0..1_000_000).for_each(|key| queue.push(item(key)));
    assert!(!queue.has_leavings());
    // One in a thousand stays, among them the last, whose chunk is not full.
    let mut at = 0;
    while queue.prune_chunk(each(|_| {
        at += 1;
        at % 1000 == 0
    })) {}
    let mut steps = 0;
    while queue.has_leavings() {
        queue.release();
        steps += 1;
        assert!(steps < 20, "it ends");
    }
    assert!(steps > 1, "there was something to give back");
    assert_eq!(queue.len(), 1000);
    assert!(queue.idle_bytes() < 16 * 1024, "{} bytes lie idle", queue.idle_bytes());
    queue.push(item(7));
    for key in (999..1_000_000).step_by(1000) {
        assert_eq!(queue.pop_oldest(), Some(item(key)));
    }
    assert_eq!((queue.pop_oldest(), queue.pop_oldest()), (Some(item(7)), None));
}

#[test]
fn a_pass_visits_what_was_there_when_it_began() {
    let (mut queue, mut rng) = (Queue::default(), Rng::with_seed(3));
    (0..10_000).for_each(|key| queue.push(item(key)));
    let (mut asked, mut pushed) = (0, 10_000);
    while queue.prune_chunk(each(|_| {
        asked += 1;
        rng.u8(..) < 64
    })) {
        (0..300).for_each(|key| queue.push(item(pushed + key)));
        pushed += 300;
    }
    assert_eq!(asked, 10_000, "each once, and none of the later ones");
    assert!(!queue.is_pruning());
    let thin = queue.len();
    assert!((thin as u64).abs_diff(pushed - 10_000 + 2_500) < 200);
    // Thin neighbours have joined.
    assert!(queue.held_bytes() < thin * 10 + 3 * CHUNK_BYTES, "{thin} items in {} bytes", queue.held_bytes());
}

#[test]
fn a_pass_ends_when_its_region_is_popped() {
    let mut queue = Queue::default();
    (0..5_000).for_each(|key| queue.push(item(key)));
    assert!(queue.prune_chunk(each(|_| true)));
    (0..5_000).for_each(|_| assert!(queue.pop_oldest().is_some()));
    (0..5_000).for_each(|key| queue.push(item(key)));
    let mut asked = 0;
    while queue.prune_chunk(each(|_| {
        asked += 1;
        true
    })) {}
    assert_eq!(asked, 0, "what came since lies behind the region");
    assert_eq!(queue.len(), 5_000);
}

#[test]
fn what_is_given_back_comes_next() {
    let mut queue = Queue::default();
    (0..2_048).for_each(|key| queue.push(item(key)));
    for key in 0..2_048 {
        let oldest = queue.pop_oldest().expect("it was pushed");
        queue.push_oldest(oldest);
        assert_eq!(queue.len() as u64, 2_048 - key);
        assert_eq!(queue.pop_oldest(), Some(item(key)));
    }
    queue.push_oldest(item(7));
    queue.push(item(8));
    assert_eq!((queue.pop_oldest(), queue.pop_oldest(), queue.pop_oldest()), (Some(item(7)), Some(item(8)), None));
}

//! The mesh on the real atomics, at its limits, and when it is dropped. `tests/loom_mesh.rs` is about its interleavings,
//! `model` about long histories on one thread.

mod model;
mod threads;

use std::sync::Arc;

use super::*;
use crate::base::CoreId;
use crate::limits::{MAIL_CREDITS, MAIL_RING_BATCHES};

const A: CoreId = CoreId(0);
const B: CoreId = CoreId(1);

/// Counts its copies: how many the mesh still holds is the strong count less the test's own.
type Counted = Arc<u64>;

fn pair(lending: LendingMode) -> (Port<Vec<Counted>, Counted>, Port<Vec<Counted>, Counted>) {
    let mut ports = connect(2, lending).into_iter();
    (ports.next().unwrap(), ports.next().unwrap())
}

fn parked<S: std::fmt::Debug>(park: Park<S>) {
    assert!(matches!(park, Park::Parked), "{park:?}");
}

fn bells<M: Send, S: Send>(port: &mut Port<M, S>) -> Vec<CoreId> {
    let mut rung = Vec::new();
    port.bells(|core| rung.push(core));
    rung
}

#[test]
fn a_port_moves_to_its_thread() {
    fn is_send<T: Send>() {}
    // A cell is Send and not Sync: the mesh asks no more than that.
    is_send::<Port<std::cell::Cell<u64>, std::cell::Cell<u64>>>();
}

#[test]
fn a_full_ring_refuses_and_then_recycles_in_order() {
    let (mut a, mut b) = pair(LendingMode::Usual);
    for count in 0..MAIL_RING_BATCHES {
        assert!(a.post(B, Box::new(Vec::with_capacity(count + 1))).unwrap().is_none(), "nothing to recycle yet");
    }
    let refused = a.post(B, Box::new(Vec::with_capacity(100))).unwrap_err();
    assert_eq!(refused.capacity(), 100);
    let first = b.receive().unwrap();
    assert_eq!((first.from(), first.capacity()), (A, 1));
    b.finish(first, Progress::Whole);
    assert_eq!(a.post(B, refused).unwrap().unwrap().capacity(), 1, "the memory of the batch that was read");
}

#[test]
fn credits_bound_what_is_under_way() {
    let (mut a, _b) = pair(LendingMode::Usual);
    let mut under_way: Vec<_> = (0..MAIL_CREDITS).map(|_| a.reserve(B).expect("a credit is left")).collect();
    assert!(a.reserve(B).is_none());
    a.settle(under_way.pop().unwrap());
    assert_eq!(a.credits(B), 1);
    assert_eq!(a.reserve(B).expect("the one settled").core(), B);
}

#[test]
fn nothing_is_borrowed_past_a_request_under_way() {
    let (mut a, mut b) = pair(LendingMode::Usual);
    parked(b.park(Some(Box::new(Counted::default()))));
    let credit = a.reserve(B).unwrap();
    assert!(a.borrow(B).is_none());
    a.settle(credit);
    let loan = a.borrow(B).unwrap();
    a.give_back(loan, false);
    assert!(bells(&mut a).is_empty(), "nobody asked for it");
}

#[test]
fn a_batch_read_in_part_comes_first_in_the_next_round() {
    let (mut a, mut b) = pair(LendingMode::Usual);
    for value in 0..2 {
        a.post(B, Box::new(vec![Arc::new(value), Arc::new(value)])).unwrap();
    }
    let mut received = b.receive().unwrap();
    assert_eq!(received.remove(0), Arc::new(0));
    b.finish(received, Progress::Part);
    assert!(b.receive().is_none(), "this peer's share of the round is over");
    assert!(b.has_mail());
    let lengths: Vec<_> = std::iter::from_fn(|| {
        let received = b.receive()?;
        let length = received.len();
        b.finish(received, Progress::Whole);
        Some(length)
    })
    .collect();
    assert_eq!(lengths, [1, 2]);
}

#[test]
fn a_round_takes_a_ring_from_each_peer_and_begins_with_another_next_time() {
    let mut ports = connect::<u64, u64>(3, LendingMode::Usual);
    let [a, b, c] = &mut ports[..] else { unreachable!("three ports") };
    for _ in 0..MAIL_RING_BATCHES {
        b.post(A, Box::new(0)).unwrap();
        c.post(A, Box::new(0)).unwrap();
    }
    let mut order = Vec::new();
    while let Some(received) = a.receive() {
        let from = received.from();
        order.push(from);
        a.finish(received, Progress::Whole);
        // A peer that posts as fast as it is read does not hold up the round.
        let _ = if from == B { b.post(A, Box::new(0)) } else { c.post(A, Box::new(0)) };
    }
    assert_eq!(order, [[B; MAIL_RING_BATCHES], [CoreId(2); MAIL_RING_BATCHES]].concat());
    assert!(a.receive().is_some_and(|first| first.from() == B));
}

#[test]
fn mail_keeps_a_core_awake_with_its_shard() {
    let (mut a, mut b) = pair(LendingMode::Usual);
    a.post(B, Box::default()).unwrap();
    assert!(bells(&mut a).is_empty(), "an awake core is not rung");
    let shard = Counted::new(7);
    match b.park(Some(Box::new(shard.clone()))) {
        Park::StayAwake(Some(back)) => assert_eq!(*back, shard),
        other => panic!("{other:?}"),
    }
    assert!(a.borrow(B).is_none());
}

#[test]
fn a_sleeper_is_rung_once_and_a_lost_bell_again() {
    let (mut a, mut b) = pair(LendingMode::Usual);
    parked(b.park(None));
    a.post(B, Box::default()).unwrap();
    assert_eq!(bells(&mut a), [B]);
    a.post(B, Box::default()).unwrap();
    assert!(bells(&mut a).is_empty());
    a.bell_lost(B);
    assert_eq!(bells(&mut a), [B]);
    assert!(b.unpark().is_none());
    a.bell_lost(B);
    assert!(bells(&mut a).is_empty(), "it woke by itself");
}

#[test]
fn a_wanted_shard_is_reserved_for_its_owner_and_rings_it() {
    let mut ports = connect::<u64, u64>(3, LendingMode::Usual);
    let [a, b, c] = &mut ports[..] else { unreachable!("three ports") };
    parked(a.park(Some(Box::new(1))));
    let mut loan = b.borrow(A).unwrap();
    assert_eq!(loan.owner(), A);
    *loan += 1;
    assert!(c.borrow(A).is_none(), "it is lent");
    assert!(a.unpark().is_none(), "the owner does not wait");
    assert!(a.awaits_shard());
    parked(a.park(None));
    b.give_back(loan, false);
    assert!(c.borrow(A).is_none(), "it is wanted");
    assert_eq!(bells(b), [A]);
    assert_eq!(a.unpark().as_deref(), Some(&2));
    assert!(!a.awaits_shard());
}

#[test]
fn several_are_borrowed_together_or_not_at_all() {
    let mut ports = connect::<u64, u64>(3, LendingMode::Usual);
    let [a, b, c] = &mut ports[..] else { unreachable!("three ports") };
    let mut loans = Vec::new();
    parked(a.park(Some(Box::new(1))));
    assert!(!c.borrow_all(&[A, B], &mut loans), "core 1 is awake");
    assert!(!c.borrow_all(&[A, A], &mut loans), "there is only one");
    assert!(loans.is_empty());
    parked(b.park(Some(Box::new(2))));
    assert!(c.borrow_all(&[B, A], &mut loans));
    assert_eq!(loans.iter().map(|loan| **loan).collect::<Vec<_>>(), [2, 1]);
    loans.into_iter().for_each(|loan| c.give_back(loan, true));
    assert_eq!(bells(c), [A, B], "effects were left in them");
    assert_eq!((a.unpark().as_deref(), b.unpark().as_deref()), (Some(&1), Some(&2)));
}

#[test]
fn lending_switched_off_keeps_the_shard_at_home() {
    let (mut a, mut b) = pair(LendingMode::Never);
    parked(b.park(Some(Box::new(Counted::new(3)))));
    assert!(a.borrow(B).is_none());
    assert_eq!(b.unpark().as_deref(), Some(&Counted::new(3)));
}

#[test]
fn whatever_the_mesh_holds_is_dropped_with_it() {
    let counted = Counted::default();
    for lending in [LendingMode::Never, LendingMode::Usual] {
        let (mut a, mut b) = pair(lending);
        // Batches: read in part, unread, and (the recycled one) read whole but never collected.
        for _ in 0..3 {
            a.post(B, Box::new(vec![counted.clone(); 2])).unwrap();
        }
        for progress in [Progress::Whole, Progress::Part] {
            let received = b.receive_from(A).unwrap();
            b.finish(received, progress);
        }
        bells(&mut a);
        bells(&mut b);
        parked(a.park(Some(Box::new(counted.clone()))));
        assert_eq!(Arc::strong_count(&counted), 1 + 6 + 1);
        drop((a, b));
        assert_eq!(Arc::strong_count(&counted), 1, "{lending:?}");
    }
}

#[test]
fn a_wanted_shard_that_nobody_reclaims_is_dropped_with_the_mesh() {
    let counted = Counted::default();
    let (mut a, mut b) = pair(LendingMode::Usual);
    parked(a.park(Some(Box::new(counted.clone()))));
    let loan = b.borrow(A).unwrap();
    assert!(a.unpark().is_none());
    b.give_back(loan, false);
    assert_eq!(Arc::strong_count(&counted), 2);
    drop((a, b));
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
#[should_panic(expected = "the shard of core 0 was not given back")]
fn a_dropped_loan_is_a_bug() {
    let (mut a, mut b) = pair(LendingMode::Usual);
    parked(a.park(Some(Box::new(Counted::default()))));
    drop(b.borrow(A));
}

#[test]
#[should_panic(expected = "would sleep with bells unrung")]
fn sleeping_before_ringing_is_a_bug() {
    let (mut a, _b) = pair(LendingMode::Usual);
    a.post(B, Box::default()).unwrap();
    let _ = a.park(None);
}

#[test]
#[should_panic(expected = "would sleep with the shard of another")]
fn sleeping_with_a_loan_is_a_bug() {
    let (mut a, mut b) = pair(LendingMode::Usual);
    parked(a.park(Some(Box::new(Counted::default()))));
    let loan = b.borrow(A).unwrap();
    let _ = b.park(None);
    b.give_back(loan, false);
}

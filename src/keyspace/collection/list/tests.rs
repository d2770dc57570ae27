//! A list is a deque of strings, whatever its form.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::base::KeyHasher;
use crate::config::Config;
use crate::keyspace::collection::{CompactLimits, Shapes};

/// What is done to a list. Indices stand for places in it, whatever its length.
#[derive(Clone, Debug)]
enum Step {
    Push(End, Vec<Vec<u8>>),
    Pop(End, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Replace(prop::sample::Index, Vec<u8>),
    RemoveRange(prop::sample::Index, usize),
    RemoveEqual(prop::sample::Index),
    Trim(prop::sample::Index, prop::sample::Index),
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Left), Just(End::Right)]
}

fn element() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (0..4_i64).prop_map(|number| number.to_string().into_bytes()),
        2 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        2 => (-10_000..10_000_i64).prop_map(|number| number.to_string().into_bytes()),
        4 => proptest::collection::vec(any::<u8>(), 0..40),
        2 => (0..600_usize).prop_map(|len| vec![b'x'; len]),
        1 => (4000..20_000_usize).prop_map(|len| vec![b'y'; len]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        8 => (end(), proptest::collection::vec(element(), 1..40)).prop_map(|(end, all)| Step::Push(end, all)),
        4 => (end(), 0..60_usize).prop_map(|(end, count)| Step::Pop(end, count)),
        2 => (index(), element()).prop_map(|(at, element)| Step::Insert(at, element)),
        2 => (index(), element()).prop_map(|(at, element)| Step::Replace(at, element)),
        1 => (index(), 0..200_usize).prop_map(|(at, count)| Step::RemoveRange(at, count)),
        1 => index().prop_map(Step::RemoveEqual),
        1 => (index(), index()).prop_map(|(from, to)| Step::Trim(from, to)),
    ]
}

fn shapes(list_size: i32) -> Shapes {
    let compact = CompactLimits { list_size, ..CompactLimits::of(&Config::default()) };
    Shapes { compact, hasher: KeyHasher::new(1) }
}

fn take(list: &mut List, model: &mut VecDeque<Vec<u8>>, step: Step, shapes: &Shapes) {
    match step {
        Step::Push(end, elements) => {
            list.prepare(elements.len(), elements.iter().map(Vec::len).sum(), shapes);
            for element in elements {
                list.push(end, &element);
                match end {
                    End::Left => model.push_front(element),
                    End::Right => model.push_back(element),
                }
            }
        }
        Step::Pop(end, count) => {
            drop(list.pop(end, count));
            let kept = model.len().saturating_sub(count);
            match end {
                End::Left => drop(model.drain(..model.len() - kept)),
                End::Right => model.truncate(kept),
            }
        }
        Step::Insert(at, element) => {
            let at = at.index(model.len() + 1);
            list.prepare(1, element.len(), shapes);
            list.insert(at, &element);
            model.insert(at, element);
        }
        Step::Replace(at, element) => {
            let at = at.index(model.len() + 1);
            list.prepare(1, element.len(), shapes);
            list.replace(at, &element);
            if let Some(old) = model.get_mut(at) {
                *old = element;
            }
        }
        Step::RemoveRange(at, count) => {
            let at = at.index(model.len() + 1);
            drop(list.remove_range(at, count));
            drop(model.drain(at..model.len().min(at + count)));
        }
        Step::RemoveEqual(at) => {
            let Some(element) = model.get(at.index(model.len() + 1)).cloned() else { return };
            let equal = list.as_ref().iter(0).zip(0..).filter(|(other, _)| *other == Element::of(&element));
            drop(list.remove_all(equal.map(|(_, index)| index).collect()));
            model.retain(|other| *other != element);
        }
        Step::Trim(from, to) => {
            let (from, to) = (from.index(model.len() + 1), to.index(model.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            let mut offcut = list.remove_range(to, model.len() - to);
            offcut.join(list.remove_range(0, from));
            model.truncate(to);
            drop(model.drain(..from));
        }
    }
    list.settle(shapes);
}

fn check(list: &List, model: &VecDeque<Vec<u8>>) {
    let list = list.as_ref();
    assert_eq!(list.len(), model.len());
    assert!(list.iter(0).map(Element::to_vec).eq(model.iter().cloned()));
    assert!(list.iter_back(list.len()).map(Element::to_vec).eq(model.iter().rev().cloned()));
    for index in [0, 1, model.len() / 2, model.len().saturating_sub(1), model.len()] {
        assert_eq!(list.get(index).map(Element::to_vec), model.get(index).cloned());
        assert_eq!(list.iter(index).next().map(Element::to_vec), model.get(index).cloned());
        assert_eq!(
            list.iter_back(index + 1).next().map(Element::to_vec),
            model.iter().take(index + 1).next_back().cloned()
        );
    }
}

proptest! {
    #[test]
    fn a_list_is_a_deque(
        list_size in prop_oneof![Just(-2), Just(-1), Just(-5), Just(3), Just(50)],
        steps in proptest::collection::vec(step(), 0..60),
    ) {
        let shapes = shapes(list_size);
        let (mut list, mut model) = (List::default(), VecDeque::new());
        for step in steps {
            take(&mut list, &mut model, step, &shapes);
            check(&list, &model);
            check(&list.as_ref().to_list(), &model);
        }
    }
}

fn is_compact(list: &List) -> bool {
    matches!(list, List::Compact(_))
}

#[test]
fn the_form_changes_where_that_of_redis_does() {
    // An element of 9 bytes takes 11 in a listpack, and an empty listpack 7.
    let shapes = shapes(-2);
    let mut list = List::default();
    let mut count = 0;
    while is_compact(&list) {
        list.prepare(1, 9, &shapes);
        list.push(End::Right, b"123456789");
        list.push(End::Left, b"abcdefghi");
        drop(list.pop(End::Right, 1));
        count += 1;
    }
    // The size of what is there and the bare length of what comes.
    assert_eq!(count - 1, (8192 - 7 - 9) / 11 + 1);
    while !is_compact(&list) {
        drop(list.pop(End::Right, 1));
        list.settle(&shapes);
    }
    assert_eq!(list.len(), (4096 - 7) / 11);
}

#[test]
fn elements_are_counted_where_the_setting_says_so() {
    let shapes = shapes(4);
    let mut list = List::default();
    for count in 1..=5 {
        list.prepare(1, 1, &shapes);
        list.push(End::Left, b"x");
        assert_eq!(is_compact(&list), count < 5);
    }
    for count in (0..5).rev() {
        drop(list.pop(End::Left, 1));
        list.settle(&shapes);
        assert_eq!(is_compact(&list), count <= 2);
    }
}

#[test]
fn what_is_cut_off_is_dropped_in_slices() {
    let mut list = List::default();
    (0..100_000).for_each(|number: i32| list.push(End::Right, format!("element {number}").as_bytes()));
    let mut offcut = list.pop(End::Left, 99_990);
    assert_eq!(list.len(), 10);
    let (mut slices, before) = (1, offcut.heap_bytes());
    assert!(before > 1_000_000);
    while offcut.drop_some(100_000) {
        slices += 1;
    }
    assert!((before / 200_000..=before / 50_000).contains(&slices), "{slices} slices of {before} bytes");
}

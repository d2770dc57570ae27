//! Sequences against vectors, with leaves so small that they split and join all the time.

use proptest::prelude::*;

use super::*;
use crate::base::Rng;
use crate::keyspace::collection::pack::{Element, element_of, push_score};

fn small(width: usize) -> Shape {
    Shape { width, leaf_bytes: 40, leaf_items: 6 }
}

/// An item of a number and, if it has two elements, a score.
fn item(width: usize, number: u64) -> Vec<u8> {
    // Every thirteenth is too large for a leaf.
    let text = if number.is_multiple_of(13) { "x".repeat(20 + number as usize % 60) } else { number.to_string() };
    let mut item = element_of(text.as_bytes());
    if width > 1 {
        push_score(&mut item, number as f64);
    }
    item
}

fn written((first, second): Item<'_>) -> Vec<u8> {
    let mut item = element_of(&first.to_vec());
    if let Some(second) = second {
        push_score(&mut item, second.score());
    }
    item
}

/// Recounts items and bytes of a node, and looks at what must be true of every one; answers its height.
fn audit(child: &Child, shape: &Shape, is_root: bool) -> usize {
    assert!(is_root || child.items > 0, "an empty child");
    match &child.node {
        Node::Leaf(bytes) => {
            assert_eq!(Pack::new(bytes).count(), child.items * shape.width);
            assert_eq!(allocation(bytes.capacity()), child.heap);
            assert!(child.items <= shape.leaf_items);
            assert!(
                child.items <= 1 || bytes.len() <= shape.leaf_bytes,
                "{} items of {} bytes",
                child.items,
                bytes.len()
            );
            0
        }
        Node::Inner(inner) => {
            let children = &inner.children;
            assert!(!children.is_empty() && children.len() <= 64);
            let heights: Vec<usize> = children.iter().map(|child| audit(child, shape, false)).collect();
            assert!(heights.iter().all(|height| *height == heights[0]), "leaves of one distance");
            assert_eq!(children.iter().map(|child| child.items).sum::<usize>(), child.items);
            let own = allocation(24) + allocation(children.capacity() * size_of::<Child>());
            assert_eq!(own + children.iter().map(|child| child.heap).sum::<usize>(), child.heap);
            heights[0] + 1
        }
    }
}

fn check(sequence: &Sequence, model: &[Vec<u8>]) {
    audit(&sequence.root, &sequence.shape, true);
    assert_eq!(sequence.len(), model.len());
    assert!(sequence.iter(0).map(written).eq(model.iter().cloned()));
    assert!(sequence.iter_back(model.len()).map(written).eq(model.iter().rev().cloned()));
}

/// Drops all of it in slices of 100 bytes; answers how many it took.
fn drop_all(mut offcut: Offcut) -> usize {
    let mut slices = 1;
    while offcut.drop_some(100) {
        let (items, heap) = offcut.parts.iter().fold((0, 0), |sum, part| (sum.0 + part.items, sum.1 + part.heap));
        assert_eq!(offcut.len(), items);
        assert_eq!(offcut.heap_bytes(), heap + allocation(offcut.parts.capacity() * size_of::<Child>()));
        slices += 1;
    }
    assert_eq!((offcut.len(), offcut.heap_bytes(), offcut.is_empty()), (0, 0, true));
    slices
}

#[derive(Clone, Debug)]
enum Step {
    Insert(prop::sample::Index, u64),
    Replace(prop::sample::Index, u64),
    Remove(prop::sample::Index),
    Ends(u8, u64),
    RemoveRange(prop::sample::Index, u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (any::<prop::sample::Index>(), 0..1000_u64).prop_map(|(at, number)| Step::Insert(at, number)),
        2 => (any::<prop::sample::Index>(), 0..1000_u64).prop_map(|(at, number)| Step::Replace(at, number)),
        3 => any::<prop::sample::Index>().prop_map(Step::Remove),
        4 => (any::<u8>(), 0..1000_u64).prop_map(|(end, number)| Step::Ends(end, number)),
        1 => (any::<prop::sample::Index>(), any::<u8>()).prop_map(|(at, count)| Step::RemoveRange(at, count)),
    ];
    proptest::collection::vec(step, 0..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_sequence_is_a_vector(width in 1..=2_usize, start in 0..2000_u64, steps in steps()) {
        let mut sequence = Sequence::new(small(width));
        let mut model: Vec<Vec<u8>> = (0..start).map(|number| item(width, number)).collect();
        model.iter().for_each(|item| sequence.push_back(item));
        check(&sequence, &model);
        for step in steps {
            match step {
                Step::Insert(at, number) => {
                    let at = at.index(model.len() + 1);
                    sequence.insert(at, &item(width, number));
                    model.insert(at, item(width, number));
                }
                Step::Replace(at, number) if !model.is_empty() => {
                    let at = at.index(model.len());
                    sequence.replace(at, &item(width, number));
                    model[at] = item(width, number);
                }
                Step::Remove(at) if !model.is_empty() => {
                    let at = at.index(model.len());
                    sequence.remove(at);
                    model.remove(at);
                }
                Step::Ends(end, number) => match end % 4 {
                    0 => {
                        sequence.push_front(&item(width, number));
                        model.insert(0, item(width, number));
                    }
                    1 => {
                        sequence.push_back(&item(width, number));
                        model.push(item(width, number));
                    }
                    2 => {
                        sequence.pop_front();
                        model.drain(..model.len().min(1));
                    }
                    _ => {
                        sequence.pop_back();
                        model.pop();
                    }
                },
                Step::RemoveRange(at, count) => {
                    let at = at.index(model.len() + 1);
                    drop_all(sequence.remove_range(at, count.into()));
                    model.drain(at..(at + usize::from(count)).min(model.len()));
                }
                _ => {}
            }
            audit(&sequence.root, &sequence.shape, true);
            prop_assert_eq!(sequence.len(), model.len());
        }
        check(&sequence, &model);
        for (at, item) in model.iter().enumerate() {
            prop_assert_eq!(sequence.get(at).map(written), Some(item.clone()));
        }
        for at in (0..model.len() + 3).step_by(7) {
            prop_assert!(sequence.iter(at).map(written).eq(model.iter().skip(at).cloned()));
            prop_assert!(sequence.iter_back(at).map(written).eq(model.iter().take(at).rev().cloned()));
        }
        check(&sequence.clone(), &model);
        drop_all(Offcut::from(sequence));
    }

    #[test]
    fn an_ordered_sequence_finds_places(numbers in proptest::collection::vec(0..500_u64, 0..600)) {
        let mut sequence = Sequence::new(small(2));
        let mut model = Vec::new();
        let score = |item: Item<'_>| item.1.map_or(0.0, Element::score);
        for number in numbers {
            let rank = sequence.partition_point(|item| score(item) < number as f64);
            prop_assert_eq!(rank, model.partition_point(|other| *other < number));
            sequence.insert(rank, &item(2, number));
            model.insert(rank, number);
        }
        prop_assert!(sequence.iter(0).map(score).eq(model.iter().map(|number| *number as f64)));
    }
}

/// The account, per item of one element of 8 bytes (10 as it is written), beyond the item.
fn overhead(shape: Shape, items: usize, place: impl Fn(&mut Rng, usize) -> usize) -> f64 {
    let mut sequence = Sequence::new(shape);
    let mut rng = Rng::with_seed(3);
    for number in 0..items {
        let item = element_of(format!("x{number:07x}").as_bytes());
        sequence.insert(place(&mut rng, number), &item);
    }
    assert_eq!(sequence.len(), items);
    sequence.heap_bytes() as f64 / items as f64 - 10.0
}

#[test]
fn an_item_costs_few_bytes_beyond_itself() {
    let leaves = [Shape::LIST, Shape { width: 1, ..Shape::SORTED }];
    let [list, sorted] = leaves.map(|shape| overhead(shape, 1_000_000, |rng, len| rng.usize(..=len)));
    assert!(list < 1.5 && sorted < 2.0, "at random places: {list:.2} and {sorted:.2} bytes");
    let [list, sorted] = leaves.map(|shape| overhead(shape, 1_000_000, |_, len| len));
    assert!(list < 0.1 && sorted < 0.8, "at the end: {list:.2} and {sorted:.2} bytes");
    let list = overhead(Shape::LIST, 1_000_000, |_, _| 0);
    assert!(list < 0.1, "at the front: {list:.2} bytes");
}

/// Removals at random places leave leaves that are at least about three eighths full, and little room in them.
#[test]
fn what_goes_gives_its_memory_back() {
    let mut rng = Rng::with_seed(7);
    let mut sequence = Sequence::new(Shape::SORTED);
    (0..100_000).for_each(|_| sequence.insert(rng.usize(..=sequence.len()), &item(2, 1000)));
    while sequence.len() > 10_000 {
        sequence.remove(rng.usize(..sequence.len()));
    }
    audit(&sequence.root, &sequence.shape, true);
    let overhead = sequence.heap_bytes() as f64 / 10_000.0 - item(2, 1000).len() as f64;
    assert!(overhead < 2.5, "{overhead:.2} bytes");
    (0..10_000).for_each(|_| sequence.pop_front());
    assert_eq!((sequence.len(), sequence.heap_bytes()), (0, 0));
}

/// A range takes as long to cut off as the tree is high: what is cut off has few parts, however much it is.
#[test]
fn cutting_off_takes_whole_subtrees() {
    let mut sequence = Sequence::new(Shape::LIST);
    (0..300_000_u64).for_each(|number| sequence.push_back(&item(1, number)));
    let before = sequence.heap_bytes();
    let offcut = sequence.remove_range(1000, 298_000);
    audit(&sequence.root, &sequence.shape, true);
    assert_eq!(sequence.len(), 2000);
    assert!(offcut.parts.len() < 4 * 64, "{} parts", offcut.parts.len());
    assert!(offcut.len() > 290_000 && offcut.heap_bytes() > before * 9 / 10);
    assert!(sequence.iter(0).map(written).eq((0..1000).chain(299_000..300_000).map(|number| item(1, number))));
    assert!(drop_all(offcut) > 300);
}

/// Small ranges cut off again and again, as LTRIM does, leave no crumbs at the seams.
#[test]
fn cutting_off_again_and_again_leaves_a_tree_of_full_leaves() {
    let mut rng = Rng::with_seed(4);
    let mut sequence = Sequence::new(small(1));
    for round in 0..3000 {
        (0..20).for_each(|_| sequence.insert(rng.usize(..=sequence.len()), &item(1, 101)));
        let start = rng.usize(..sequence.len());
        let count = if round < 500 { 10 } else { 20 };
        drop_all(sequence.remove_range(start, count));
    }
    let height = audit(&sequence.root, &sequence.shape, true);
    let per_item = sequence.heap_bytes() as f64 / sequence.len() as f64;
    assert!(height <= 3 && per_item < 40.0, "{} items, height {height}, {per_item:.1} bytes", sequence.len());
}

#[test]
fn a_huge_item_has_a_leaf_of_its_own_and_is_dropped_in_slices() {
    let mut sequence = Sequence::new(Shape::LIST);
    (0..1000).for_each(|number| sequence.push_back(&item(1, number)));
    let huge = element_of(&vec![b'x'; 10 * BURIAL_BYTES]);
    sequence.insert(500, &huge);
    audit(&sequence.root, &sequence.shape, true);
    // Neither a neighbour's coming nor its going moves it: its leaf is as large as the item.
    let account = sequence.heap_bytes();
    sequence.insert(501, &item(1, 1));
    sequence.remove(501);
    assert!(sequence.heap_bytes().abs_diff(account) < 2 * Shape::LIST.leaf_bytes);
    assert_eq!(sequence.get(500).map(|item| item.0.len()), Some(10 * BURIAL_BYTES));
    let mut offcut = Offcut::from(sequence);
    let mut slices = 0;
    while offcut.drop_some(BURIAL_BYTES) {
        slices += 1;
    }
    assert!((9..13).contains(&slices), "{slices}");
    assert_eq!(offcut.heap_bytes(), 0);
}

#[test]
fn nothing_is_found_beyond_the_ends() {
    let mut sequence = Sequence::new(Shape::SORTED);
    sequence.pop_back();
    sequence.pop_front();
    sequence.replace(0, &item(2, 1));
    assert_eq!((sequence.get(0), sequence.front(), sequence.back()), (None, None, None));
    assert_eq!((sequence.iter(0).count(), sequence.iter_back(9).count()), (0, 0));
    assert_eq!(sequence.partition_point(|_| true), 0);
    assert!(sequence.remove_range(0, usize::MAX).is_empty() && sequence.heap_bytes() == 0);
    sequence.insert(7, &item(2, 1));
    assert!(sequence.remove_range(1, 1).is_empty() && sequence.len() == 1);
    assert_eq!((sequence.iter(1).count(), sequence.iter_back(0).count()), (0, 0));
    assert_eq!(sequence.front(), sequence.back());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is done at the ends of a leaf, and now and then in between, it holds little more than its items.
    #[test]
    fn a_leaf_has_little_room_at_either_end(seed: u64, growth in 1..6_u8) {
        let (mut rng, mut model) = (Rng::with_seed(seed), std::collections::VecDeque::new());
        let mut sequence = Sequence::new(Shape::LIST);
        for number in 0..1000 {
            let bits = rng.u32(1..40);
            let item = item(1, rng.u64(..1 << bits));
            match rng.u8(..10) {
                0 if !model.is_empty() => {
                    let at = rng.usize(..model.len());
                    sequence.replace(at, &item);
                    model[at] = item;
                }
                action @ 1..7 if action <= growth => match number % 2 {
                    0 => {
                        sequence.push_front(&item);
                        model.push_front(item);
                    }
                    _ => {
                        sequence.push_back(&item);
                        model.push_back(item);
                    }
                },
                action => match action % 2 {
                    0 => {
                        sequence.pop_front();
                        model.pop_front();
                    }
                    _ => {
                        sequence.pop_back();
                        model.pop_back();
                    }
                },
            }
            let bytes: Vec<u8> = model.iter().flatten().copied().collect();
            prop_assert_eq!(sequence.only_leaf(), Some(&bytes[..]));
            prop_assert!(sequence.heap_bytes() <= allocation(bytes.len() + bytes.len() / 8 + 64));
        }
    }
}

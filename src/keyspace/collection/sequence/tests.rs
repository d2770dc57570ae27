//! Sequences against vectors, with leaves so small that they split and join all the time.

use proptest::prelude::*;

use super::*;
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
        for at in 0..model.len() {
            prop_assert_eq!(sequence.get(at).map(written), Some(model[at].clone()));
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

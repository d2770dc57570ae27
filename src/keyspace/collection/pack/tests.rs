//! Packs against lists of strings.

use proptest::prelude::*;

use super::*;

fn strings() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        (-70_000..70_000_i64).prop_map(|number| number.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..10),
        (0..400_usize).prop_map(|len| vec![b'x'; len]),
        Just(vec![b'y'; 70_000]),
    ]
}

fn check(pack: &[u8], model: &[Vec<u8>]) {
    let view = Pack::new(pack);
    assert_eq!(view.count(), model.len());
    assert_eq!(view.iter().map(|(_, element)| element.to_vec()).collect::<Vec<_>>(), model);
    let mut back: Vec<Vec<u8>> = view.iter_back().map(|(_, element)| element.to_vec()).collect();
    back.reverse();
    assert_eq!(back, model);
}

proptest! {
    #[test]
    fn a_pack_is_a_vector(
        strings in proptest::collection::vec(strings(), 0..20),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), strings(), any::<bool>()), 0..20),
    ) {
        let (mut pack, mut model) = (Vec::new(), strings.clone());
        strings.iter().for_each(|string| push(&mut pack, string));
        check(&pack, &model);
        for (at, string, remove) in edits {
            let at = at.index(model.len() + 1);
            let start = Pack::new(&pack).place(at);
            if remove && at < model.len() {
                let range = Pack::new(&pack).range(start);
                replace(&mut pack, range, &[]);
                model.remove(at);
            } else {
                replace(&mut pack, start..start, &element_of(&string));
                model.insert(at, string);
            }
            check(&pack, &model);
        }
        for string in &model {
            let at = Pack::new(&pack).find(&element_of(string), 0, 1).expect("it is there");
            prop_assert_eq!(Pack::new(&pack).get(at).to_vec(), string.clone());
            let needle = Needle::new(string);
            let mut element = vec![0; needle.element_len()];
            needle.write(&mut element);
            prop_assert_eq!(&element, &Bare::element_of(string));
            let mut element = vec![0; needle.backed_len()];
            needle.write_backed(&mut element);
            prop_assert_eq!(&element, &element_of(string));
            prop_assert!(Pack::new(&pack).matches(at, &needle));
            prop_assert_eq!(Pack::new(&pack).hashed(at), needle.hashed());
        }
    }

    #[test]
    fn scores_come_back(score in any::<f64>()) {
        let mut pack = Vec::new();
        push_score(&mut pack, score);
        let back = Pack::new(&pack).get(0).score();
        prop_assert!(back.to_bits() == score.to_bits() || score.is_nan());
    }
}

#[test]
fn small_things_are_small() {
    for (string, bytes) in [("0", 2), ("127", 2), ("128", 4), ("-1", 3), ("-129", 4), ("32767", 4), ("8388607", 5)] {
        assert_eq!(element_of(string.as_bytes()).len(), bytes, "{string}");
    }
    assert_eq!((element_of(b"").len(), element_of(b"12345678x").len()), (2, 11));
    for score in [0.0, -0.0, 999.0, 0.1, f64::INFINITY, -1e300] {
        let mut pack = Vec::new();
        push_score(&mut pack, score);
        assert_eq!(Pack::new(&pack).get(0).score().to_bits(), f64::to_bits(score));
    }
}

#[test]
fn without_backs_a_pack_is_smaller_and_read_from_the_front() {
    let strings = ["a", "", "77", "-70000", &"x".repeat(300)];
    let (mut bare, mut backed) = (Vec::new(), Vec::new());
    strings.iter().for_each(|string| Bare::push(&mut bare, string.as_bytes()));
    Bare::new(&bare).iter().for_each(|(_, element)| Pack::push_element(&mut backed, element));
    assert_eq!(bare.len() + 4 + 5, backed.len());
    let read: Vec<Vec<u8>> = Bare::new(&bare).iter().map(|(_, element)| element.to_vec()).collect();
    assert_eq!(read, strings.map(|string| string.as_bytes().to_vec()));
    assert_eq!(Bare::new(&bare).find(&Bare::element_of(b"77"), 0, 1), Some(3));
}

#[test]
fn a_search_by_step_sees_only_what_it_should() {
    let mut pack = Vec::new();
    ["a", "b", "b", "c"].iter().for_each(|string| push(&mut pack, string.as_bytes()));
    let view = Pack::new(&pack);
    assert_eq!(view.find(&element_of(b"b"), 0, 2), Some(view.place(2)));
    assert_eq!(view.find(&element_of(b"b"), 1, 2), Some(view.place(1)));
    assert_eq!(view.find(&element_of(b"a"), 1, 2), None);
}

//! Values in all their encodings: what is read is what was written, and the account is exact.

use std::collections::BTreeMap;

use super::{at, every_seed, text, unlimited};
use crate::base::Rng;
use crate::config::{Compression, Config};
use crate::keyspace::*;
use crate::limits::BURIAL_BYTES;

#[test]
fn only_an_edit_that_changes_something_is_a_write() {
    let mut shard = unlimited();
    shard.keys(0, at(1)).set_string(b"k", b"value", None);
    assert_eq!(shard.keys(0, at(1)).edit(b"k").map(|edit| edit.value().string_len()), Some(5));
    assert_eq!(shard.stats().changes, 1);
    shard.keys(0, at(1)).edit(b"k").expect("there").append(b"x");
    assert_eq!(shard.stats().changes, 2);
}

#[test]
fn a_part_is_read_without_a_change_of_encoding() {
    let mut shard = unlimited();
    let mut keys = shard.keys(0, at(1));
    keys.set(b"k", Value::Raw(vec![7; 20_000]), Deadline::NEVER);
    assert!(matches!(keys.read_part(b"k"), Some(ValueRef::Raw(_))));
    assert_eq!(keys.share(b"k").map(|bytes| bytes.len()), Some(20_000));
    assert!(matches!(keys.read_part(b"k"), Some(ValueRef::Large(_))));
    assert!(keys.share(b"missing").is_none());
    assert_eq!((shard.stats().hits, shard.stats().misses), (2, 0));
}

/// Lengths at which an entry is written in another way: of texts, of values in their entry, and of shared ones.
const LENGTHS: [usize; 16] =
    [0, 1, 20, 43, 44, 45, 255, 1023, 1024, 1025, 16_382, 16_383, 16_384, 16_385, 21_900, 40_000];
/// The same for keys.
const KEY_LENGTHS: [usize; 9] = [0, 1, 253, 254, 255, 256, 4095, 4096, 4097];

fn length(rng: &mut Rng) -> usize {
    let near = LENGTHS[rng.usize(..LENGTHS.len())] + rng.usize(..3);
    near.saturating_sub(1)
}

/// A string that packs well, one that does not, or a number of any width.
fn string(rng: &mut Rng) -> Vec<u8> {
    match rng.u8(..8) {
        0 => (rng.i64(..) >> rng.u32(..64)).to_string().into(),
        1 => [i64::MIN, i64::MAX, 0, -1, 127, 128, -128, -129, 255, 256][rng.usize(..10)].to_string().into(),
        2 | 3 => (0..length(rng)).map(|_| rng.u8(..)).collect(),
        _ => vec![b'a' + rng.u8(..26); length(rng)],
    }
}

fn with_compression(compression: Compression, threshold: u64) -> Rules {
    Rules::of(&Config { compression, compression_threshold_bytes: threshold, ..Config::default() })
}

/// With compression on, a string that was to be changed in place was packed again on its way there, and the change was
/// written into the packed bytes.
#[test]
fn every_encoding_becomes_every_other() {
    every_seed(24, |rng| {
        let mut shard = unlimited();
        let keys: Vec<Vec<u8>> = KEY_LENGTHS.iter().map(|len| vec![b'k'; *len]).collect();
        let mut model: BTreeMap<&[u8], Vec<u8>> = BTreeMap::new();
        let mut shared = Vec::new();
        for step in 0..1500 {
            if step % 300 == 0 {
                let compression = [Compression::None, Compression::Lz4, Compression::Zstd][rng.usize(..3)];
                shard.set_rules(&with_compression(compression, [64, 1024, 16_384][rng.usize(..3)]));
            }
            let key = keys[rng.usize(..keys.len())].as_slice();
            let mut handle = shard.keys(0, at(1));
            match rng.u8(..16) {
                0..4 => {
                    let value = string(rng);
                    handle.set_string(key, &value, Some(Deadline::NEVER));
                    model.insert(key, value);
                }
                4 | 5 => {
                    let more = if rng.bool() { string(rng) } else { vec![7; rng.usize(..3)] };
                    assert_eq!(handle.edit(key).map(|mut edit| edit.append(&more)).is_some(), model.contains_key(key));
                    if let Some(value) = model.get_mut(key).filter(|value| value.len() + more.len() < 100_000) {
                        value.extend(more);
                    } else if model.contains_key(key) {
                        handle.delete(key);
                        model.remove(key);
                    }
                }
                6 | 7 => {
                    if let (Some(mut edit), Some(value)) = (handle.edit(key), model.get_mut(key)) {
                        let (offset, piece) = (length(rng), vec![rng.u8(..); rng.usize(1..60)]);
                        let end = offset + piece.len();
                        edit.string_mut(end)[offset..end].copy_from_slice(&piece);
                        value.resize(value.len().max(end), 0);
                        value[offset..end].copy_from_slice(&piece);
                    }
                }
                8 => {
                    if let (Some(edit), Some(value)) = (handle.edit(key), model.get_mut(key)) {
                        let number = rng.i64(..) >> rng.u32(..64);
                        edit.set_number(number);
                        *value = number.to_string().into();
                    }
                }
                9 => {
                    if let (Some(edit), Some(value)) = (handle.edit(key), model.get_mut(key)) {
                        *value = string(rng);
                        edit.set_text(value);
                    }
                }
                10 => {
                    let deadline = if rng.bool() { Deadline::at(1 << 40) } else { Deadline::NEVER };
                    assert_eq!(handle.set_deadline(key, deadline), model.contains_key(key));
                }
                11 => assert_eq!(handle.delete(key), model.remove(key).is_some()),
                12 => {
                    // As RENAME does it: out of one place and into another.
                    let target = keys[rng.usize(..keys.len())].as_slice();
                    if let Some(entry) = handle.take(key) {
                        handle.put(target, entry);
                        let value = model.remove(key).expect("the shard had it");
                        model.insert(target, value);
                    }
                }
                13 => {
                    // A reply that is on its way keeps what it has, whatever is written meanwhile.
                    if let Some(bytes) = handle.share(key) {
                        shared.push((bytes.clone(), model[key].clone()));
                    }
                    shared.truncate(20);
                }
                14 => {
                    let copy = handle.copy(key).map(|entry| text(entry.value.as_ref()));
                    assert_eq!(copy.as_ref(), model.get(key));
                }
                _ => assert_eq!(handle.peek(key).map(|entry| entry.value().string_len()), model.get(key).map(Vec::len)),
            }
            assert_eq!(handle.read_part(key).map(text).as_ref(), model.get(key));
            if rng.bool() {
                assert_eq!(handle.read(key).map(text).as_ref(), model.get(key));
            }
            shard.databases()[0].check();
            assert!(shared.iter().all(|(bytes, value)| bytes == value));
        }
        keys.iter().for_each(|key| _ = shard.keys(0, at(1)).delete(key));
        while shard.bury_some(|| true) {}
        assert_eq!(shard.databases()[0].dataset_bytes(), 0);
    });
}

#[test]
fn numbers_of_all_widths_come_back() {
    let mut shard = unlimited();
    for shift in 0..64 {
        for number in [1i64 << shift, !(1 << shift), (1i64 << shift).wrapping_sub(1), (1i64 << shift).wrapping_neg()] {
            shard.keys(0, at(1)).set_string(b"n", number.to_string().as_bytes(), None);
            assert!(matches!(shard.keys(0, at(1)).read(b"n"), Some(ValueRef::Int(read)) if read == number));
            shard.keys(0, at(1)).edit(b"n").expect("there").set_number(!number);
            assert!(matches!(shard.keys(0, at(1)).read(b"n"), Some(ValueRef::Int(read)) if read == !number));
            shard.databases()[0].check();
        }
    }
}

#[test]
fn what_is_overwritten_leaves_no_trace_in_the_account() {
    let mut shard = unlimited();
    shard.keys(0, at(1)).set_string(b"k", b"small", None);
    // The list of objects keeps its room.
    shard.keys(0, at(1)).set_string(b"k", &[1; 20_000], None);
    shard.keys(0, at(1)).set_string(b"k", b"small", None);
    let before = shard.used_bytes();
    for len in [16_384, 100_000, 3 << 20, 5 << 20] {
        shard.keys(0, at(1)).set_string(b"k", &vec![2; len], None);
        assert!(shard.used_bytes() >= before + len);
        shard.keys(0, at(1)).set_string(b"other", &vec![2; len], None);
        assert!(shard.keys(0, at(1)).delete(b"other"));
        shard.keys(0, at(1)).set_string(b"k", b"small", None);
        while shard.bury_some(|| true) {}
        shard.databases()[0].check();
        assert!(shard.used_bytes() <= before + 256, "{len}: {} after {before}", shard.used_bytes());
    }
}

#[test]
fn a_large_value_is_freed_in_slices() {
    let mut shard = unlimited();
    const LEN: usize = 64 << 20;
    shard.keys(0, at(1)).set(b"k", Value::Raw(vec![1; LEN]), Deadline::NEVER);
    let full = shard.used_bytes();
    assert!(shard.keys(0, at(1)).delete(b"k"));
    assert_eq!(shard.databases()[0].dataset_bytes(), 0);
    let (mut slices, mut before) = (0, shard.used_bytes());
    assert!(before >= full - 8192, "what waits to be dropped is still in the account");
    while shard.bury_some(|| true) {
        let after = shard.used_bytes();
        assert!(before - after <= BURIAL_BYTES, "{} bytes at once", before - after);
        (slices, before) = (slices + 1, after);
    }
    assert!(slices >= LEN / BURIAL_BYTES - 1, "{slices} slices");
    assert!(shard.used_bytes() < 64 * 1024);
}

#[test]
fn a_flushed_database_is_dropped_in_slices() {
    let mut shard = unlimited();
    for number in 0..3000u32 {
        shard.keys(0, at(1)).set_string(&number.to_le_bytes(), &vec![3; 200 + number as usize * 8], None);
    }
    shard.flush(0);
    let mut slices = 0;
    assert!(shard.databases()[0].is_empty() && shard.has_remains());
    while shard.bury_some(|| true) {
        slices += 1;
        shard.keys(0, at(1)).set_string(&[slices as u8], b"new", None);
    }
    assert!(slices > 8, "{slices} slices");
    shard.databases()[0].check();
    assert_eq!(shard.used_bytes(), shard.databases()[0].dataset_bytes() + shard.overhead_bytes());
}

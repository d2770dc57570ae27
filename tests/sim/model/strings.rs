//! Commands on strings.

use std::rc::Rc;

use super::{Database, Expected, Outcome, Value, Window, WrongType};
use crate::reply::Reply;

/// Runs a command if it is one on strings.
pub(super) fn run(keys: &mut Database, name: &str, words: &[Vec<u8>], window: Window) -> Option<Outcome> {
    Some(match name {
        "GET" | "GETSET" | "GETDEL" | "STRLEN" => take(keys, name, words),
        "SET" => set(keys, words, window),
        "SETNX" | "MSETNX" => {
            let free = words[1..].chunks(2).all(|pair| keys.get(&pair[0]).is_none());
            if free {
                set_all(keys, &words[1..]);
            }
            Ok(Expected::flag(free))
        }
        "MSET" => {
            set_all(keys, &words[1..]);
            Ok(Expected::Exactly(Reply::ok()))
        }
        "MGET" => {
            let values = words[1..].iter().map(|key| bulk(keys.text(key).ok().flatten()));
            Ok(Expected::Exactly(Reply::Array(values.collect())))
        }
        "INCR" => add(keys, &words[1], 1),
        "DECR" => add(keys, &words[1], -1),
        "APPEND" => append(keys, words),
        "SETRANGE" => set_range(keys, words),
        "BITOP" => bit_or_xor(keys, words),
        _ => return None,
    })
}

fn text(value: &[u8]) -> Value {
    Value::Text(value.into())
}

fn bulk(value: Option<Rc<[u8]>>) -> Reply {
    value.map_or(Reply::Null, |value| Reply::bulk(&value))
}

fn set_all(keys: &mut Database, pairs: &[Vec<u8>]) {
    for pair in pairs.chunks(2) {
        keys.put(&pair[0], text(&pair[1]), None);
    }
}

/// Commands that answer what was there.
fn take(keys: &mut Database, name: &str, words: &[Vec<u8>]) -> Outcome {
    let key = &words[1];
    let before = keys.text(key)?;
    match name {
        "STRLEN" => return Ok(Expected::integer(before.map_or(0, |value| value.len()))),
        "GETSET" => keys.put(key, text(&words[2]), None),
        "GETDEL" => drop(keys.remove(key)),
        _ => {}
    }
    Ok(Expected::Exactly(bulk(before)))
}

fn append(keys: &mut Database, words: &[Vec<u8>]) -> Outcome {
    let mut bytes = keys.text(&words[1])?.map_or(Vec::new(), |value| value.to_vec());
    bytes.extend_from_slice(&words[2]);
    keys.change(&words[1], text(&bytes));
    Ok(Expected::integer(bytes.len()))
}

fn set_range(keys: &mut Database, words: &[Vec<u8>]) -> Outcome {
    let offset: usize = String::from_utf8_lossy(&words[2]).parse().expect("an offset");
    let mut bytes = keys.text(&words[1])?.map_or(Vec::new(), |value| value.to_vec());
    let end = offset + words[3].len();
    if bytes.len() < end {
        bytes.resize(end, 0);
    }
    bytes[offset..end].copy_from_slice(&words[3]);
    keys.change(&words[1], text(&bytes));
    Ok(Expected::integer(bytes.len()))
}

/// `SET key value [NX | XX] [GET] [EX s | PX ms | KEEPTTL]`
fn set(keys: &mut Database, words: &[Vec<u8>], window: Window) -> Outcome {
    let (mut wanted, mut get, mut keep, mut deadline) = (None, false, false, None);
    let mut at = 3;
    while at < words.len() {
        match words[at].as_slice() {
            b"NX" => wanted = Some(false),
            b"XX" => wanted = Some(true),
            b"GET" => get = true,
            b"KEEPTTL" => keep = true,
            unit => {
                at += 1;
                let time: i64 = String::from_utf8_lossy(&words[at]).parse().expect("a time");
                deadline = Some(window.ahead(if unit == b"EX" { time * 1000 } else { time }));
            }
        }
        at += 1;
    }
    let before = if get { keys.text(&words[1])? } else { None };
    let there = keys.get(&words[1]).map(|item| item.deadline);
    let sets = wanted.is_none_or(|wanted| wanted == there.is_some());
    if sets {
        let kept = there.flatten().filter(|_| keep);
        keys.put(&words[1], text(&words[2]), deadline.or(kept));
    }
    Ok(Expected::Exactly(match before {
        _ if get => bulk(before),
        _ if sets => Reply::ok(),
        _ => Reply::Null,
    }))
}

fn add(keys: &mut Database, key: &[u8], by: i64) -> Outcome {
    let before = match keys.text(key)? {
        None => Some(0),
        // As Redis has it: no leading zero, no plus.
        Some(value) => std::str::from_utf8(&value)
            .ok()
            .and_then(|text| text.parse::<i64>().ok().filter(|number| number.to_string() == text)),
    };
    let Some(before) = before else {
        return Ok(Expected::error("ERR value is not an integer or out of range"));
    };
    keys.change(key, text((before + by).to_string().as_bytes()));
    Ok(Expected::Exactly(Reply::Integer(before + by)))
}

/// `BITOP OR | XOR destination key [key ...]`
fn bit_or_xor(keys: &mut Database, words: &[Vec<u8>]) -> Outcome {
    let sources = words[3..].iter().map(|key| keys.text(key)).collect::<Result<Vec<_>, WrongType>>()?;
    let mut result: Vec<u8> = Vec::new();
    for value in sources.into_iter().flatten() {
        if result.len() < value.len() {
            result.resize(value.len(), 0);
        }
        for (into, byte) in result.iter_mut().zip(value.iter()) {
            *into = if words[1] == b"OR" { *into | byte } else { *into ^ byte };
        }
    }
    keys.remove(&words[2]);
    if !result.is_empty() {
        keys.put(&words[2], text(&result), None);
    }
    Ok(Expected::integer(result.len()))
}

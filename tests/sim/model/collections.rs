//! Commands on lists, sets and sorted sets. Those that wait are run here as they are within MULTI: if there is nothing,
//! they say so.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Database, Expected, Outcome, Value, WrongType};
use crate::reply::Reply;

/// Runs a command if it is one on collections.
pub(super) fn run(keys: &mut Database, name: &str, words: &[Vec<u8>]) -> Option<Outcome> {
    let (key, last) = (words.get(1)?, words.len() - 1);
    let is_left = |word: &[u8]| word == b"LEFT";
    Some(match name {
        "LPUSH" | "RPUSH" => push(keys, key, &words[2..], name == "LPUSH"),
        "LPOP" | "RPOP" => pop_element(keys, key, name == "LPOP").map(|element| Expected::Exactly(bulk(element))),
        "LLEN" => keys.list(key).map(|list| Expected::integer(list.len())),
        "LRANGE" => keys.list(key).map(|list| Expected::Exactly(bulks(&list))),
        "LMOVE" | "BLMOVE" => move_element(keys, (key, is_left(&words[3])), (&words[2], is_left(&words[4]))),
        "RPOPLPUSH" | "BRPOPLPUSH" => move_element(keys, (key, false), (&words[2], true)),
        "BLPOP" | "BRPOP" => pop_from_one(keys, &words[1..last], name == "BLPOP"),
        "LMPOP" => pop_elements(keys, &words[1..]),
        "BLMPOP" => pop_elements(keys, &words[2..]),
        "SADD" => add_members(keys, key, &words[2..]),
        "SREM" => remove_members(keys, key, &words[2..]),
        "SCARD" => keys.set(key).map(|set| Expected::integer(set.len())),
        "SMEMBERS" => {
            keys.set(key).map(|set| Expected::Members(set.iter().map(|member| Reply::bulk(member)).collect()))
        }
        "SMOVE" => move_member(keys, words),
        "SINTERSTORE" | "SUNIONSTORE" => combine(keys, name == "SINTERSTORE", key, &words[2..]),
        "ZADD" => add_scores(keys, key, &words[2..]),
        "ZCARD" => keys.sorted_set(key).map(|set| Expected::integer(set.len())),
        "ZRANGE" => keys.sorted_set(key).map(|set| Expected::Exactly(flat(in_order(&set, true)))),
        "ZPOPMIN" | "ZPOPMAX" => {
            pop_scores(keys, key, name == "ZPOPMIN", 1).map(|popped| Expected::Exactly(flat(popped)))
        }
        "BZPOPMIN" | "BZPOPMAX" => pop_score_from_one(keys, &words[1..last], name == "BZPOPMIN"),
        "ZMPOP" => pop_members(keys, &words[1..]),
        "BZMPOP" => pop_members(keys, &words[2..]),
        _ => return None,
    })
}

fn bulk(element: Option<Vec<u8>>) -> Reply {
    element.map_or(Reply::Null, Reply::Bulk)
}

fn bulks(elements: &[Vec<u8>]) -> Reply {
    Reply::Array(elements.iter().map(|element| Reply::bulk(element)).collect())
}

/// `numkeys key [key ...] LEFT | RIGHT | MIN | MAX [COUNT count]`: the keys, the end, the count.
fn from_several(words: &[Vec<u8>]) -> (&[Vec<u8>], &[u8], usize) {
    let number = |word: &[u8]| String::from_utf8_lossy(word).parse::<usize>().expect("a count");
    let count = number(&words[0]);
    (&words[1..=count], &words[count + 1], words.get(count + 3).map_or(1, |word| number(word)))
}

fn keep_list(keys: &mut Database, key: &[u8], list: Vec<Vec<u8>>) {
    keys.keep(key, Value::List(Rc::new(list)));
}

fn push(keys: &mut Database, key: &[u8], elements: &[Vec<u8>], left: bool) -> Outcome {
    let mut list = keys.list(key)?;
    for element in elements {
        list.insert(if left { 0 } else { list.len() }, element.clone());
    }
    let len = list.len();
    keep_list(keys, key, list);
    Ok(Expected::integer(len))
}

fn pop_element(keys: &mut Database, key: &[u8], left: bool) -> Result<Option<Vec<u8>>, WrongType> {
    let mut list = keys.list(key)?;
    if list.is_empty() {
        return Ok(None);
    }
    let element = list.remove(if left { 0 } else { list.len() - 1 });
    keep_list(keys, key, list);
    Ok(Some(element))
}

fn pop_from_one(keys: &mut Database, names: &[Vec<u8>], left: bool) -> Outcome {
    for key in names {
        if let Some(element) = pop_element(keys, key, left)? {
            return Ok(Expected::Exactly(bulks(&[key.clone(), element])));
        }
    }
    Ok(Expected::Exactly(Reply::Null))
}

fn pop_elements(keys: &mut Database, words: &[Vec<u8>]) -> Outcome {
    let (names, end, count) = from_several(words);
    for key in names {
        let mut popped = Vec::new();
        while popped.len() < count
            && let Some(element) = pop_element(keys, key, end == b"LEFT")?
        {
            popped.push(element);
        }
        if !popped.is_empty() {
            return Ok(Expected::Exactly(Reply::Array(vec![Reply::bulk(key), bulks(&popped)])));
        }
    }
    Ok(Expected::Exactly(Reply::Null))
}

fn move_element(keys: &mut Database, from: (&[u8], bool), to: (&[u8], bool)) -> Outcome {
    if keys.list(from.0)?.is_empty() {
        return Ok(Expected::Exactly(Reply::Null));
    }
    keys.list(to.0)?;
    if from.0 == to.0 {
        // The list is never empty, so it keeps its deadline.
        let mut list = keys.list(from.0)?;
        let element = list.remove(if from.1 { 0 } else { list.len() - 1 });
        list.insert(if to.1 { 0 } else { list.len() }, element.clone());
        keep_list(keys, from.0, list);
        return Ok(Expected::Exactly(Reply::Bulk(element)));
    }
    let element = pop_element(keys, from.0, from.1)?;
    push(keys, to.0, element.as_slice(), to.1)?;
    Ok(Expected::Exactly(bulk(element)))
}

fn add_members(keys: &mut Database, key: &[u8], members: &[Vec<u8>]) -> Outcome {
    let mut set = keys.set(key)?;
    let before = set.len();
    set.extend(members.iter().cloned());
    let added = set.len() - before;
    if added > 0 {
        keys.keep(key, Value::Set(Rc::new(set)));
    }
    Ok(Expected::integer(added))
}

fn remove_members(keys: &mut Database, key: &[u8], members: &[Vec<u8>]) -> Outcome {
    let mut set = keys.set(key)?;
    let removed = members.iter().filter(|member| set.remove(*member)).count();
    if removed > 0 {
        keys.keep(key, Value::Set(Rc::new(set)));
    }
    Ok(Expected::integer(removed))
}

/// `SMOVE source destination member`
fn move_member(keys: &mut Database, words: &[Vec<u8>]) -> Outcome {
    let [_, source, destination, member] = words else { panic!("SMOVE has three arguments") };
    if keys.get(source).is_none() {
        return Ok(Expected::flag(false));
    }
    let from = keys.set(source)?;
    keys.set(destination)?;
    if source == destination {
        return Ok(Expected::flag(from.contains(member)));
    }
    let member = std::slice::from_ref(member);
    let moved = from.contains(&member[0]);
    if moved {
        remove_members(keys, source, member)?;
        add_members(keys, destination, member)?;
    }
    Ok(Expected::flag(moved))
}

fn combine(keys: &mut Database, common: bool, destination: &[u8], names: &[Vec<u8>]) -> Outcome {
    let sets = names.iter().map(|key| keys.set(key)).collect::<Result<Vec<_>, WrongType>>()?;
    let join = |first: BTreeSet<Vec<u8>>, second: BTreeSet<Vec<u8>>| match common {
        true => first.intersection(&second).cloned().collect(),
        false => first.union(&second).cloned().collect(),
    };
    let result = sets.into_iter().reduce(join).unwrap_or_default();
    let len = result.len();
    keys.remove(destination);
    keys.keep(destination, Value::Set(Rc::new(result)));
    Ok(Expected::integer(len))
}

fn add_scores(keys: &mut Database, key: &[u8], pairs: &[Vec<u8>]) -> Outcome {
    let mut set = keys.sorted_set(key)?;
    let before = set.clone();
    for pair in pairs.chunks(2) {
        set.insert(pair[1].clone(), String::from_utf8_lossy(&pair[0]).parse().expect("a score"));
    }
    let added = set.len() - before.len();
    if set != before {
        keys.keep(key, Value::SortedSet(Rc::new(set)));
    }
    Ok(Expected::integer(added))
}

/// Members with their scores in the order of the scores, or backwards.
fn in_order(set: &BTreeMap<Vec<u8>, i64>, lowest_first: bool) -> Vec<(Vec<u8>, i64)> {
    let mut members: Vec<(Vec<u8>, i64)> = set.iter().map(|(member, score)| (member.clone(), *score)).collect();
    members.sort_by(|(a, a_score), (b, b_score)| (a_score, a).cmp(&(b_score, b)));
    if !lowest_first {
        members.reverse();
    }
    members
}

fn pair((member, score): (Vec<u8>, i64)) -> [Reply; 2] {
    [Reply::Bulk(member), Reply::Bulk(score.to_string().into_bytes())]
}

fn flat(members: Vec<(Vec<u8>, i64)>) -> Reply {
    Reply::Array(members.into_iter().flat_map(pair).collect())
}

fn pop_scores(keys: &mut Database, key: &[u8], lowest: bool, count: usize) -> Result<Vec<(Vec<u8>, i64)>, WrongType> {
    let mut set = keys.sorted_set(key)?;
    let mut popped = in_order(&set, lowest);
    popped.truncate(count);
    for (member, _) in &popped {
        set.remove(member);
    }
    if !popped.is_empty() {
        keys.keep(key, Value::SortedSet(Rc::new(set)));
    }
    Ok(popped)
}

fn pop_score_from_one(keys: &mut Database, names: &[Vec<u8>], lowest: bool) -> Outcome {
    for key in names {
        if let Some(popped) = pop_scores(keys, key, lowest, 1)?.pop() {
            let [member, score] = pair(popped);
            return Ok(Expected::Exactly(Reply::Array(vec![Reply::bulk(key), member, score])));
        }
    }
    Ok(Expected::Exactly(Reply::Null))
}

fn pop_members(keys: &mut Database, words: &[Vec<u8>]) -> Outcome {
    let (names, end, count) = from_several(words);
    for key in names {
        let popped = pop_scores(keys, key, end == b"MIN", count)?;
        if !popped.is_empty() {
            let pairs = popped.into_iter().map(|popped| Reply::Array(pair(popped).to_vec()));
            return Ok(Expected::Exactly(Reply::Array(vec![Reply::bulk(key), Reply::Array(pairs.collect())])));
        }
    }
    Ok(Expected::Exactly(Reply::Null))
}

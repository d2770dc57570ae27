//! SORT: the elements of a list, set or sorted set in order of their own or of what other keys say of them.
//!
//! The elements are copied one behind the other into one buffer, and what is sorted are their places in it. Patterns read
//! other keys, which no key specification names. A handler finds them on its shard; where they may lie on other cores the
//! command runs as a transaction on all of them, which fetches the elements first and then the keys that follow from them
//! ([`reads_elsewhere`], [`named_keys`]).

mod options;

use std::cmp::Ordering;
use std::ops::Range;

use super::Cx;
use crate::command::{Args, CommandId, number};
use crate::keyspace::collection::list::End;
use crate::keyspace::collection::pack::{Digits, Element};
use crate::keyspace::collection::{Collection, CollectionRef, HashRef, List, zset};
use crate::keyspace::{Event, Keys, Scratch, Shard, ValueRef};
use crate::resp::{Reply, ReplyError, Request};
use options::{Options, Pattern};
pub use options::{reads_by_pattern, reads_elsewhere};

/// `SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC] [ALPHA] [STORE destination]`
pub(super) fn sort(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    run(CommandId::Sort, shard, args, cx, reply)
}

/// `SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC] [ALPHA]`
pub(super) fn sort_ro(
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    run(CommandId::SortRo, shard, args, cx, reply)
}

fn run(
    command: CommandId,
    shard: &mut Shard,
    args: &mut Args<'_>,
    cx: &mut Cx<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), ReplyError> {
    let key = args.next()?;
    let mut options = Options::parse(command, args)?;
    let mut keys = shard.keys(cx.database, cx.now);
    let collection = match keys.read_part(key) {
        None => None,
        Some(ValueRef::Collection(CollectionRef::Hash(_))) => return Err(ReplyError::WrongType),
        Some(ValueRef::Collection(collection)) => Some(collection),
        Some(_) => return Err(ReplyError::WrongType),
    };
    if options.is_unsorted && options.store.is_some() && matches!(collection, Some(CollectionRef::Set(_))) {
        // A set has no order that could be kept, and what is stored must not depend on chance.
        (options.is_unsorted, options.alpha, options.by) = (false, true, None);
    }
    let len = collection.map_or(0, CollectionRef::len);
    let range = limited(options.limit, len);
    let (mut table, range) = match collection {
        // What stays in its order is read no further than it is answered.
        Some(collection) if options.is_unsorted && !matches!(collection, CollectionRef::Set(_)) => {
            let count = range.len();
            (Table::of_range(collection, range, options.descending), 0..count)
        }
        Some(collection) => (Table::of_range(collection, 0..len, false), range),
        None => (Table::default(), 0..0),
    };
    if !options.is_unsorted {
        table.sort(&mut keys, &options)?;
    }
    let answered = range.len() * options.gets.len().max(1);
    match options.store {
        None => {
            reply.array(answered);
            table.visit(&mut keys, &options, range, |found| match found {
                Some(bytes) => reply.bulk(bytes),
                None => reply.null(),
            });
        }
        Some(store) => {
            let mut list = List::default();
            table.visit(&mut keys, &options, range, |found| list.push(End::Right, found.unwrap_or_default()));
            list.prepare(0, 0, keys.shapes());
            list.settle_anew(keys.shapes());
            keys.set_collection(store, Collection::List(list), Event::SORTSTORE);
            reply.integer(answered as i64);
        }
    }
    Ok(())
}

/// The elements that are answered of `len` in order.
fn limited(limit: Option<(i64, i64)>, len: usize) -> Range<usize> {
    let Some((offset, count)) = limit else { return 0..len };
    let start = usize::try_from(offset).unwrap_or(0).min(len);
    let end = usize::try_from(count).map_or(len, |count| start.saturating_add(count).min(len));
    start..end
}

/// Calls `visit` with every key that the patterns of a SORT read, given the value of the key that it sorts. Some come
/// more than once.
pub fn named_keys(command: CommandId, request: Request<'_>, value: ValueRef<'_>, mut visit: impl FnMut(&[u8])) {
    let Some(collection) = value.collection() else { return };
    let mut name = Vec::new();
    each(collection, 0..collection.len(), false, |element| {
        options::visit_named(command, request, element, &mut name, &mut visit);
    });
}

/// The elements in a range of a collection in its own order, forward or backward.
fn each(collection: CollectionRef<'_>, range: Range<usize>, backward: bool, mut visit: impl FnMut(&[u8])) {
    let mut digits = Digits::new();
    let see = |element: Element<'_>| visit(element.bytes(&mut digits));
    match collection {
        CollectionRef::List(list) if backward => {
            list.iter_back(list.len() - range.start).take(range.len()).for_each(see);
        }
        CollectionRef::List(list) => list.iter(range.start).take(range.len()).for_each(see),
        CollectionRef::Set(set) => set.iter().skip(range.start).take(range.len()).for_each(see),
        CollectionRef::ZSet(zset) if backward => {
            let (len, mut see) = (zset.len(), see);
            zset.visit(len - range.end..len - range.start, zset::End::Highest, |member, _| see(member));
        }
        CollectionRef::ZSet(zset) => {
            let mut see = see;
            zset.visit(range, zset::End::Lowest, |member, _| see(member));
        }
        CollectionRef::Hash(_) => {}
    }
}

/// A stretch of the buffer of a table.
type Stretch = Range<usize>;

/// What is sorted.
#[derive(Default)]
struct Table {
    /// Elements, and texts to sort by, one behind the other.
    bytes: Vec<u8>,
    rows: Vec<Row>,
}

/// One element.
#[derive(Clone, Debug)]
struct Row {
    element: Stretch,
    weight: f64,
    /// The text to sort by, if it is not the element.
    text: Option<Stretch>,
}

impl Table {
    fn of_range(collection: CollectionRef<'_>, range: Range<usize>, backward: bool) -> Self {
        let mut table = Self { bytes: Vec::new(), rows: Vec::with_capacity(range.len()) };
        each(collection, range, backward, |element| {
            let element = table.add(element);
            table.rows.push(Row { element, weight: 0.0, text: None });
        });
        table
    }

    fn add(&mut self, bytes: &[u8]) -> Stretch {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn sort(&mut self, keys: &mut Keys<'_>, options: &Options<'_>) -> Result<(), ReplyError> {
        let (mut name, mut unreadable) = (Vec::new(), false);
        for at in 0..self.rows.len() {
            let element = self.rows[at].element.clone();
            let Some(by) = options.by else {
                if !options.alpha {
                    let weight = number_of(&self.bytes[element]);
                    unreadable |= weight.is_none();
                    self.rows[at].weight = weight.unwrap_or_default();
                }
                continue;
            };
            // What is not there weighs nothing, and as a text comes first.
            let alpha = options.alpha;
            let mut text = None;
            look_up(keys, by, &self.bytes[element], &mut name, |found| match found {
                Some(found) if alpha => text = Some(found.to_vec()),
                Some(found) => {
                    let weight = number_of(found);
                    unreadable |= weight.is_none();
                    self.rows[at].weight = weight.unwrap_or_default();
                }
                None => {}
            });
            self.rows[at].text = text.map(|text| self.add(&text));
        }
        if unreadable {
            return Err(ReplyError::SortNotNumber);
        }
        let bytes = &self.bytes;
        let by_text = options.alpha && options.by.is_some();
        self.rows.sort_by(|first, second| {
            let text_of = |row: &Row| row.text.clone().map(|text| &bytes[text]);
            let by_element = || bytes[first.element.clone()].cmp(&bytes[second.element.clone()]);
            let order = if by_text {
                text_of(first).cmp(&text_of(second))
            } else if options.alpha {
                by_element()
            } else {
                first.weight.partial_cmp(&second.weight).unwrap_or(Ordering::Equal).then_with(by_element)
            };
            if options.descending { order.reverse() } else { order }
        });
        Ok(())
    }

    /// Calls `answer` with what is to be answered for the elements of a range.
    fn visit(
        &self,
        keys: &mut Keys<'_>,
        options: &Options<'_>,
        range: Range<usize>,
        mut answer: impl FnMut(Option<&[u8]>),
    ) {
        let mut name = Vec::new();
        for row in &self.rows[range] {
            let element = &self.bytes[row.element.clone()];
            if options.gets.is_empty() {
                answer(Some(element));
            }
            for get in &options.gets {
                look_up(keys, *get, element, &mut name, &mut answer);
            }
        }
    }
}

/// Calls `answer` with what a pattern stands for at an element; `name` is a buffer.
fn look_up(
    keys: &mut Keys<'_>,
    pattern: Pattern<'_>,
    element: &[u8],
    name: &mut Vec<u8>,
    answer: impl FnOnce(Option<&[u8]>),
) {
    if pattern == Pattern::Element {
        return answer(Some(element));
    }
    if !pattern.name_for(element, name) {
        return answer(None);
    }
    let Pattern::Key { field, .. } = pattern else { return answer(None) };
    match (keys.read_part(name), field) {
        (Some(value), None) if value.is_string() => answer(Some(value.string_bytes(&mut Scratch::default()))),
        (Some(ValueRef::Collection(CollectionRef::Hash(hash))), Some(field)) => {
            field_of(hash, field, answer);
        }
        _ => answer(None),
    }
}

fn field_of(hash: HashRef<'_>, field: &[u8], answer: impl FnOnce(Option<&[u8]>)) {
    match hash.get(field) {
        None => answer(None),
        Some(value) => answer(Some(value.bytes(&mut Digits::new()))),
    }
}

/// A text as a number, by the rules of C: what is behind a zero byte does not count, spaces in front do not matter, and
/// nothing at all is zero.
fn number_of(text: &[u8]) -> Option<f64> {
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let is_space = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0x0B;
    let start = text.iter().position(|byte| !is_space(byte))?;
    // What is too small for all its digits to be kept is out of range, too.
    number::float(&text[start..]).filter(|number| *number == 0.0 || number.abs() >= f64::MIN_POSITIVE)
}

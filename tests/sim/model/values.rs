//! Keys and what they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Window, WrongType};
use crate::reply::{Reply, show};

/// What a key holds. A collection is never empty.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Value {
    Text(Rc<[u8]>),
    List(Rc<Vec<Vec<u8>>>),
    Set(Rc<BTreeSet<Vec<u8>>>),
    /// Members with their scores.
    SortedSet(Rc<BTreeMap<Vec<u8>, i64>>),
}

impl Value {
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Value::Text(_) => "string",
            Value::List(_) => "list",
            Value::Set(_) => "set",
            Value::SortedSet(_) => "zset",
        }
    }

    /// The value that the reply to a read of the whole of it shows; `None` if it shows that there is none.
    pub(crate) fn of(type_name: &str, reply: &Reply) -> Option<Self> {
        let bytes = |part: &Reply| match part {
            Reply::Bulk(bytes) => bytes.clone(),
            _ => Vec::new(),
        };
        Some(match (type_name, reply) {
            ("string", Reply::Bulk(text)) => Value::Text(text.as_slice().into()),
            (_, Reply::Array(parts)) if parts.is_empty() => return None,
            ("list", Reply::Array(parts)) => Value::List(Rc::new(parts.iter().map(bytes).collect())),
            ("set", Reply::Array(parts)) => Value::Set(Rc::new(parts.iter().map(bytes).collect())),
            ("zset", Reply::Array(parts)) => {
                let score = |text: &Reply| String::from_utf8_lossy(&bytes(text)).parse().ok();
                let pairs = parts.chunks(2).map(|pair| Some((bytes(&pair[0]), score(pair.get(1)?)?)));
                Value::SortedSet(Rc::new(pairs.collect::<Option<_>>()?))
            }
            _ => return None,
        })
    }

    pub(crate) fn shown(&self) -> String {
        match self {
            Value::Text(text) => show(&[text.to_vec()]),
            Value::List(elements) => format!("[{}]", show(elements)),
            Value::Set(members) => format!("{{{}}}", show(&members.iter().cloned().collect::<Vec<_>>())),
            Value::SortedSet(members) => {
                let pairs =
                    members.iter().map(|(member, score)| format!("{}={score}", show(std::slice::from_ref(member))));
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(" "))
            }
        }
    }
}

/// One key's value.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Item {
    pub(crate) value: Value,
    pub(crate) deadline: Option<Window>,
}

/// The keys of one database, and which of them have changed since somebody asked.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct Database {
    items: Rc<BTreeMap<Rc<[u8]>, Item>>,
    changed: BTreeSet<Vec<u8>>,
}

impl Database {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &Item)> {
        self.items.iter().map(|(key, item)| (&**key, item))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&Item> {
        self.items.get(key)
    }

    pub(crate) fn put(&mut self, key: &[u8], value: Value, deadline: Option<Window>) {
        self.changed.insert(key.to_vec());
        Rc::make_mut(&mut self.items).insert(key.into(), Item { value, deadline });
    }

    /// Another value with the deadline that there is.
    pub(super) fn change(&mut self, key: &[u8], value: Value) {
        let deadline = self.get(key).and_then(|item| item.deadline);
        self.put(key, value, deadline);
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<Item> {
        self.get(key)?;
        let item = Rc::make_mut(&mut self.items).remove(key)?;
        self.changed.insert(key.to_vec());
        Some(item)
    }

    pub(super) fn set_deadline(&mut self, key: &[u8], deadline: Option<Window>) {
        if let Some(item) = Rc::make_mut(&mut self.items).get_mut(key) {
            item.deadline = deadline;
            self.changed.insert(key.to_vec());
        }
    }

    /// A deadline is known more exactly: nothing has changed.
    pub(super) fn know_deadline(&mut self, key: &[u8], deadline: Window) {
        if let Some(item) = Rc::make_mut(&mut self.items).get_mut(key) {
            item.deadline = Some(deadline);
        }
    }

    pub(super) fn clear(&mut self) {
        self.changed.extend(std::mem::take(&mut self.items).keys().map(|key| key.to_vec()));
    }

    /// Keys that lie in either have changed in both: a name is watched under the number of its database.
    pub(super) fn swap(&mut self, other: &mut Self) {
        let names: Vec<Vec<u8>> = self.items.keys().chain(other.items.keys()).map(|key| key.to_vec()).collect();
        self.changed.extend(names.iter().cloned());
        other.changed.extend(names);
        std::mem::swap(&mut self.items, &mut other.items);
    }

    /// Whether nothing has changed since somebody asked.
    pub(super) fn is_unchanged(&self) -> bool {
        self.changed.is_empty()
    }

    pub(super) fn take_changed(&mut self) -> BTreeSet<Vec<u8>> {
        std::mem::take(&mut self.changed)
    }

    pub(super) fn text(&self, key: &[u8]) -> Result<Option<Rc<[u8]>>, WrongType> {
        match self.get(key).map(|item| &item.value) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text.clone())),
            Some(_) => Err(WrongType),
        }
    }

    pub(super) fn list(&self, key: &[u8]) -> Result<Vec<Vec<u8>>, WrongType> {
        match self.get(key).map(|item| &item.value) {
            None => Ok(Vec::new()),
            Some(Value::List(elements)) => Ok(elements.to_vec()),
            Some(_) => Err(WrongType),
        }
    }

    pub(super) fn set(&self, key: &[u8]) -> Result<BTreeSet<Vec<u8>>, WrongType> {
        match self.get(key).map(|item| &item.value) {
            None => Ok(BTreeSet::new()),
            Some(Value::Set(members)) => Ok(BTreeSet::clone(members)),
            Some(_) => Err(WrongType),
        }
    }

    pub(super) fn sorted_set(&self, key: &[u8]) -> Result<BTreeMap<Vec<u8>, i64>, WrongType> {
        match self.get(key).map(|item| &item.value) {
            None => Ok(BTreeMap::new()),
            Some(Value::SortedSet(members)) => Ok(BTreeMap::clone(members)),
            Some(_) => Err(WrongType),
        }
    }

    /// What is left of a collection takes its place; one that is empty is no longer there.
    pub(super) fn keep(&mut self, key: &[u8], value: Value) {
        let is_empty = match &value {
            Value::Text(_) => false,
            Value::List(elements) => elements.is_empty(),
            Value::Set(members) => members.is_empty(),
            Value::SortedSet(members) => members.is_empty(),
        };
        if is_empty {
            self.remove(key);
        } else {
            self.change(key, value);
        }
    }
}

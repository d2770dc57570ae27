//! The ways in which handlers reach a value. Whether it is of the type that a command is about is asked here and nowhere else.

use super::Cx;
use crate::keyspace::collection::{
    Collection, CollectionRef, Hash, HashRef, List, ListRef, Set, SetRef, Shapes, ZSet, ZSetRef,
};
use crate::keyspace::{Deadline, Edit, Event, Keys, Value, ValueRef};
use crate::limits::STRING_BYTES_MAX;
use crate::resp::ReplyError;

/// A string to be answered whole: large ones come ready for sharing.
#[inline]
pub(super) fn read<'k>(keys: &'k mut Keys<'_>, key: &[u8]) -> Result<Option<ValueRef<'k>>, ReplyError> {
    keys.read(key).map(string).transpose()
}

/// A string of which a part or a figure is answered.
#[inline]
pub(super) fn read_part<'k>(keys: &'k mut Keys<'_>, key: &[u8]) -> Result<Option<ValueRef<'k>>, ReplyError> {
    keys.read_part(key).map(string).transpose()
}

/// A string to be changed in place.
#[inline]
pub(super) fn edit<'k>(keys: &'k mut Keys<'_>, key: &'k [u8]) -> Result<Option<Edit<'k>>, ReplyError> {
    match keys.edit(key) {
        Some(edit) if !edit.is_string() => Err(ReplyError::WrongType),
        edit => Ok(edit),
    }
}

/// Changes a string in place after it was made at least `len` bytes long, with zero bytes where there was nothing; a
/// key that is not there is created. `change` is told whether the string has grown, and answers what has happened, if the key
/// counts as changed (if not, nobody who watches it need know), and what is passed on.
pub(super) fn edit_grown<T>(
    keys: &mut Keys<'_>,
    key: &[u8],
    len: usize,
    change: impl FnOnce(&mut [u8], bool) -> (Option<Event>, T),
) -> Result<T, ReplyError> {
    if let Some(mut value) = edit(keys, key)? {
        let grows = value.value().string_len() < len;
        let (event, result) = change(value.open_mut(len), grows);
        if let Some(event) = event {
            value.note_change();
            keys.notify(event, key);
        }
        return Ok(result);
    }
    // Zeroed by the allocator, which for large ones costs nothing until the bytes are touched.
    let mut bytes = vec![0; len];
    let (event, result) = change(&mut bytes, true);
    keys.set(key, Value::Raw(bytes), Deadline::NEVER);
    event.into_iter().for_each(|event| keys.notify(event, key));
    Ok(result)
}

/// The longest string that a command may build.
pub(super) fn bytes_max(cx: &Cx<'_>) -> usize {
    cx.bulk_bytes_max.min(STRING_BYTES_MAX)
}

/// The length of a string of `len` bytes with `more` behind it, if a command may build that.
pub(super) fn grown_len(len: usize, more: usize, cx: &Cx<'_>) -> Result<usize, ReplyError> {
    len.checked_add(more).filter(|&total| total <= bytes_max(cx)).ok_or(ReplyError::StringTooLong)
}

#[inline]
fn string(value: ValueRef<'_>) -> Result<ValueRef<'_>, ReplyError> {
    if value.is_string() { Ok(value) } else { Err(ReplyError::WrongType) }
}

/// A sorted set, or a set, which counts as one: counts a hit or a miss and notes the access.
pub(super) fn scored<'k>(keys: &'k mut Keys<'_>, key: &[u8]) -> Result<Option<CollectionRef<'k>>, ReplyError> {
    match keys.read_part(key) {
        None => Ok(None),
        Some(ValueRef::Collection(value @ (CollectionRef::ZSet(_) | CollectionRef::Set(_)))) => Ok(Some(value)),
        Some(_) => Err(ReplyError::WrongType),
    }
}

/// Makes, for one type of collection, the way to read it and the way to change it.
macro_rules! collection {
    ($kind:ident, $view:ident, $read:ident, $change:ident, $name:literal) => {
        #[doc = concat!("A ", $name, " that a command reads: counts a hit or a miss and notes the access.")]
        pub(super) fn $read<'k>(keys: &'k mut Keys<'_>, key: &[u8]) -> Result<Option<$view<'k>>, ReplyError> {
            match keys.read_part(key) {
                None => Ok(None),
                Some(ValueRef::Collection(CollectionRef::$kind(value))) => Ok(Some(value)),
                Some(_) => Err(ReplyError::WrongType),
            }
        }

        #[doc = concat!("Changes a ", $name, ". `create`: one that is not there begins empty; else nothing is answered.")]
        /// `change` answers what has happened, if it has changed anything, and what is passed on.
        pub(super) fn $change<T>(
            keys: &mut Keys<'_>,
            key: &[u8],
            create: bool,
            change: impl FnOnce(&mut $kind, &Shapes) -> (Option<Event>, T),
        ) -> Result<Option<T>, ReplyError> {
            let fresh = create.then(|| Collection::$kind($kind::default()));
            let outcome = keys.change(key, fresh, |collection, shapes| match collection {
                Collection::$kind(value) => {
                    let (event, answer) = change(value, shapes);
                    (event, Ok(answer))
                }
                _ => (None, Err(ReplyError::WrongType)),
            });
            outcome.map_err(|_| ReplyError::WrongType)?.transpose()
        }
    };
}

/// A set for a command that only looks whether to change it: no count, no access noted.
pub(super) fn peek_set<'k>(keys: &'k mut Keys<'_>, key: &[u8]) -> Result<Option<SetRef<'k>>, ReplyError> {
    match keys.peek(key).map(|entry| entry.value()) {
        None => Ok(None),
        Some(ValueRef::Collection(CollectionRef::Set(set))) => Ok(Some(set)),
        Some(_) => Err(ReplyError::WrongType),
    }
}

collection!(List, ListRef, list, change_list, "list");
collection!(Set, SetRef, set, change_set, "set");
collection!(Hash, HashRef, hash, change_hash, "hash");
collection!(ZSet, ZSetRef, zset, change_zset, "sorted set");

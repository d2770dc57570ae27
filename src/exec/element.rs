//! Elements of collections as replies.

use crate::keyspace::collection::pack::{Digits, Element};
use crate::resp::Reply;

/// Answers an element, or null.
pub(super) fn element_reply(element: Option<Element<'_>>, reply: &mut Reply<'_>) {
    match element {
        None => reply.null(),
        Some(Element::Int(number)) => reply.bulk_integer(number),
        Some(element) => reply.bulk(element.bytes(&mut Digits::new())),
    }
}

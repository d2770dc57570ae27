//! Elements of collections as replies.

use std::ops::Range;

use crate::keyspace::collection::ListRef;
use crate::keyspace::collection::pack::{Digits, Element, Pack};
use crate::resp::Reply;

/// Answers an element, or null.
pub(super) fn element_reply(element: Option<Element<'_>>, reply: &mut Reply<'_>) {
    match element {
        None => reply.null(),
        Some(Element::Int(number)) => reply.bulk_integer(number),
        Some(element) => reply.bulk(element.bytes(&mut Digits::new())),
    }
}

/// Answers the elements of a list with these numbers, which it has, one after the other.
pub(super) fn range_reply(list: ListRef<'_>, range: Range<usize>, reply: &mut Reply<'_>) {
    let mut index = range.start;
    while index < range.end {
        index += run_reply(list.run(index), range.end - index, reply);
    }
}

/// Answers elements of a pack from its beginning, at most `count` of them; answers how many there were.
fn run_reply(run: Pack<'_>, count: usize, reply: &mut Reply<'_>) -> usize {
    let (mut at, mut done) = (0, 0);
    while done < count && at < run.bytes().len() {
        at = match run.word(at) {
            Some((word, len, next)) => {
                reply.bulk_word(word, len);
                next
            }
            None => {
                element_reply(Some(run.get(at)), reply);
                run.after(at)
            }
        };
        done += 1;
    }
    debug_assert!(done > 0, "a list has the elements that it counts");
    done
}

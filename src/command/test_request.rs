//! Requests and replies as text, for the tests of this room.

use crate::resp::{Output, Protocol, Reply, Request, Span};

/// Runs `test` on the request of these arguments.
pub(super) fn with_request<T>(arguments: &[&str], test: impl FnOnce(Request<'_>) -> T) -> T {
    let data = arguments.concat();
    let mut start = 0;
    let spans: Vec<Span> = arguments
        .iter()
        .map(|argument| {
            let span = Span { start, len: argument.len() as u32 };
            start += span.len;
            span
        })
        .collect();
    test(Request::new(data.as_bytes(), &spans))
}

/// What `write` encodes.
pub(super) fn reply_text(protocol: Protocol, write: impl FnOnce(&mut Reply<'_>)) -> String {
    let mut output = Output::new();
    write(&mut Reply::new(&mut output, protocol));
    String::from_utf8(output.pieces(0).collect::<Vec<_>>().concat()).unwrap()
}

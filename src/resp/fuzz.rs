//! Entry points for fuzzers and property tests: any bytes may be given; what must hold is asserted inside.

use crate::resp::{ParserLimits, ProtocolError, RequestParser};

/// What a connection's bytes meant: its requests, and how they ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The arguments of every request that was complete, empty ones included.
    pub requests: Vec<Vec<Vec<u8>>>,
    /// How many bytes the requests were.
    pub consumed: usize,
    /// What ended the connection, if it was not merely incomplete.
    pub error: Option<ProtocolError>,
}

/// Parses `data` whole, byte by byte, and cut at `cuts`, and returns what all three agree on.
///
/// # Panics
/// If they differ, or if a cursor or an argument lies outside what was consumed.
pub fn requests(data: &[u8], cuts: &[usize], limits: &ParserLimits) -> Outcome {
    let whole = replay(data, [data.len()].into_iter(), limits);
    assert_eq!(replay(data, 0..=data.len(), limits), whole, "byte by byte");
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (data.len() + 1)).collect();
    cuts.sort_unstable();
    cuts.push(data.len());
    assert_eq!(replay(data, cuts.into_iter(), limits), whole, "cut");
    whole
}

/// One connection whose bytes arrive up to each of `ends` in turn.
fn replay(data: &[u8], ends: impl Iterator<Item = usize>, limits: &ParserLimits) -> Outcome {
    let mut parser = RequestParser::new();
    let mut outcome = Outcome { requests: Vec::new(), consumed: 0, error: None };
    for end in ends {
        loop {
            let input = &data[outcome.consumed..end];
            match parser.parse(input, limits) {
                Ok(Some(consumed)) => {
                    assert!(0 < consumed && consumed <= input.len(), "cursor {consumed} of {}", input.len());
                    outcome.requests.push(arguments(&parser, &input[..consumed], limits));
                    outcome.consumed += consumed;
                }
                Ok(None) => {
                    check_unfinished(&parser, input);
                    break;
                }
                Err(error) => {
                    assert!(error.text().starts_with("Protocol error: "));
                    outcome.error = Some(error);
                    return outcome;
                }
            }
        }
    }
    outcome
}

fn arguments(parser: &RequestParser, consumed: &[u8], limits: &ParserLimits) -> Vec<Vec<u8>> {
    let request = parser.request(consumed);
    let mut end_of_last = 0;
    for span in request.spans() {
        assert!(span.start as usize >= end_of_last, "arguments overlap");
        end_of_last = span.start as usize + span.len as usize;
    }
    assert!(end_of_last <= request.data().len(), "an argument ends behind the request");
    if consumed[0] == b'*' {
        assert!(request.len() <= limits.arguments_max);
        assert!(request.iter().all(|argument| argument.len() <= limits.bulk_bytes_max));
    }
    request.iter().map(<[u8]>::to_vec).collect()
}

/// A parser that waits holds no more than was given, and room is asked for within bounds.
fn check_unfinished(parser: &RequestParser, input: &[u8]) {
    let missing = parser.missing(input.len());
    assert!(missing <= input.len().max(crate::limits::CLAIM_BYTES_MAX));
}

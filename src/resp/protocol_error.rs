//! Broken framing: after one of these nobody knows where the next request begins, so the connection is closed.

use std::borrow::Cow;
use std::fmt;

/// Why bytes are not a request. The client gets one error reply, then the end of the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProtocolError {
    /// The number of arguments is not a number, or too large.
    InvalidMultibulkLength,
    /// The length of an argument is not a number, negative, or too large.
    InvalidBulkLength,
    /// An argument does not begin with `$` but with this byte.
    ExpectedDollar(u8),
    /// The line with the number of arguments does not end.
    MultibulkLineTooLong,
    /// The line with the length of an argument does not end.
    BulkLineTooLong,
    /// An inline request does not end.
    InlineTooLong,
    /// An inline request leaves a quote open, or goes on right behind a closing one.
    UnbalancedQuotes,
    /// More arguments than a client may send before it has authenticated.
    UnauthenticatedMultibulkLength,
    /// A longer argument than a client may send before it has authenticated.
    UnauthenticatedBulkLength,
}

impl ProtocolError {
    /// The text, without a prefix: `Protocol error: invalid bulk length`. For the reply, use
    /// [`Reply::protocol_error`](super::Reply::protocol_error), which quotes a byte as it came.
    pub fn text(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::InvalidMultibulkLength => "Protocol error: invalid multibulk length",
            Self::InvalidBulkLength => "Protocol error: invalid bulk length",
            Self::ExpectedDollar(byte) => {
                // An error is one line: here, as in the reply, a line end is shown as a space.
                let shown = if matches!(byte, b'\r' | b'\n') { ' ' } else { char::from(byte) };
                return format!("Protocol error: expected '$', got '{shown}'").into();
            }
            Self::MultibulkLineTooLong => "Protocol error: too big mbulk count string",
            Self::BulkLineTooLong => "Protocol error: too big bulk count string",
            Self::InlineTooLong => "Protocol error: too big inline request",
            Self::UnbalancedQuotes => "Protocol error: unbalanced quotes in request",
            Self::UnauthenticatedMultibulkLength => "Protocol error: unauthenticated multibulk length",
            Self::UnauthenticatedBulkLength => "Protocol error: unauthenticated bulk length",
        })
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl std::error::Error for ProtocolError {}

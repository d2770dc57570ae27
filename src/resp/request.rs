//! One request as a view: its arguments are spans of a buffer that somebody else owns.

use std::fmt;

/// Where one argument lies in the bytes of its request. 32 bits each, so that a span is one word: `limits` keeps a
/// request below 4 GiB.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Number of bytes.
    pub len: u32,
}

/// The arguments of one request as spans of a byte buffer; argument 0 is the command name.
///
/// Two slices, copied freely. It borrows the receive buffer on the local path and a mailed copy on the remote one.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    data: &'a [u8],
    spans: &'a [Span],
}

impl<'a> Request<'a> {
    /// A view of `spans`, each of which must lie within `data`.
    #[inline]
    pub fn new(data: &'a [u8], spans: &'a [Span]) -> Self {
        Self { data, spans }
    }

    /// Number of arguments, the command name included.
    #[inline]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is not even a name (`*0`, a blank line).
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Argument `index`.
    ///
    /// # Panics
    /// If there are not that many arguments.
    #[inline]
    pub fn get(&self, index: usize) -> &'a [u8] {
        self.slice(self.spans[index])
    }

    /// All arguments in order.
    #[inline]
    pub fn iter(&self) -> Arguments<'a> {
        Arguments { data: self.data, spans: self.spans.iter() }
    }

    /// The request from argument `index` on (empty if that is the end).
    ///
    /// # Panics
    /// If `index` is past the end.
    #[inline]
    pub fn slice_from(&self, index: usize) -> Request<'a> {
        Request { data: self.data, spans: &self.spans[index..] }
    }

    /// The buffer that the spans point into.
    #[inline]
    pub fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Where the arguments lie in `data`.
    #[inline]
    pub fn spans(&self) -> &'a [Span] {
        self.spans
    }

    #[inline]
    fn slice(&self, span: Span) -> &'a [u8] {
        &self.data[span.start as usize..][..span.len as usize]
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(<[u8]>::escape_ascii).map(|text| text.to_string())).finish()
    }
}

impl<'a> IntoIterator for Request<'a> {
    type Item = &'a [u8];
    type IntoIter = Arguments<'a>;

    fn into_iter(self) -> Arguments<'a> {
        self.iter()
    }
}

/// Iterates over the arguments of a [`Request`].
#[derive(Clone)]
pub struct Arguments<'a> {
    data: &'a [u8],
    spans: std::slice::Iter<'a, Span>,
}

impl<'a> Iterator for Arguments<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let span = self.spans.next()?;
        Some(&self.data[span.start as usize..][..span.len as usize])
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl ExactSizeIterator for Arguments<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    const SPANS: [Span; 3] = [Span { start: 0, len: 3 }, Span { start: 4, len: 0 }, Span { start: 4, len: 1 }];

    #[test]
    fn arguments_are_slices_of_the_data() {
        let request = Request::new(b"SET k", &SPANS);
        assert_eq!((request.len(), request.is_empty()), (3, false));
        assert_eq!(request.iter().collect::<Vec<_>>(), [&b"SET"[..], b"", b"k"]);
        assert_eq!(request.iter().len(), 3);
        assert_eq!(request.get(2), b"k");
        assert_eq!(request.slice_from(2).get(0), b"k");
        assert!(request.slice_from(3).is_empty());
        assert_eq!(format!("{request:?}"), r#"["SET", "", "k"]"#);
    }

    #[test]
    #[should_panic(expected = "out of bounds")]
    fn an_argument_that_is_not_there_is_a_bug() {
        Request::new(b"SET k", &SPANS).get(3);
    }
}

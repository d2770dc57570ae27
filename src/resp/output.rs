//! Reply bytes of one connection on their way out: one flat buffer, and large values that are not copied into it.
//!
//! ```text
//!   flat     [ $20000\r\n | \r\n:1\r\n$30000\r\n | \r\n+OK\r\n ]
//!                         ^                      ^
//!   splices             value A (20000)        value B (30000)
//!
//!   offsets  0 .. 8       8 .. 20008 is A   ...  what the socket sees: flat and splices interleaved
//! ```
//!
//! A splice remembers its place twice, in the flat buffer and in the stream that the client will see, so that a send
//! that stopped anywhere finds its place again by binary search.

use std::mem;

use bytes::Bytes;

/// A value that stands in the stream without having been copied.
#[derive(Debug, Clone)]
struct Splice {
    /// The value stands before this byte of the flat buffer.
    flat: usize,
    /// Its first byte has this offset in the stream.
    offset: usize,
    value: Bytes,
}

impl Splice {
    fn end(&self) -> usize {
        self.offset + self.value.len()
    }
}

/// The reply stream of one connection: bytes, and shared values spliced in between them.
#[derive(Debug, Default)]
pub struct Output {
    flat: Vec<u8>,
    splices: Vec<Splice>,
    spliced_bytes: usize,
}

impl Output {
    /// An empty stream without a buffer.
    pub const fn new() -> Self {
        Self { flat: Vec::new(), splices: Vec::new(), spliced_bytes: 0 }
    }

    /// An empty stream with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { flat: Vec::with_capacity(capacity), ..Self::new() }
    }

    /// Bytes in the stream, large values included.
    #[inline]
    pub fn len(&self) -> usize {
        self.flat.len() + self.spliced_bytes
    }

    /// Whether there is nothing to send.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether some of the stream lies outside the flat buffer, so that it takes more than one slice to send it.
    #[inline]
    pub fn has_large(&self) -> bool {
        !self.splices.is_empty()
    }

    /// Bytes that the flat buffer can hold without growing.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.flat.capacity()
    }

    /// Forgets the stream, lets go of the large values, and keeps the flat buffer.
    #[inline]
    pub fn clear(&mut self) {
        self.flat.clear();
        if self.has_large() {
            // A vector of splices is rare and may have become long: not worth keeping.
            self.splices = Vec::new();
            self.spliced_bytes = 0;
        }
    }

    /// Gives memory back until the flat buffer holds at most `capacity` bytes, or what the stream needs if that is
    /// more. Does nothing, cheaply, if the buffer is not larger.
    #[inline]
    pub fn shrink_to(&mut self, capacity: usize) {
        if self.flat.capacity() > capacity {
            self.flat.shrink_to(capacity);
        }
    }

    /// The flat buffer, to append to. What is in it already must not be removed or changed in length: splices count
    /// on its offsets.
    #[inline]
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.flat
    }

    /// Appends `value` without copying it, whatever its size.
    pub fn push_shared(&mut self, value: Bytes) {
        if value.is_empty() {
            return;
        }
        let offset = self.len();
        self.spliced_bytes += value.len();
        self.splices.push(Splice { flat: self.flat.len(), offset, value });
    }

    /// Moves the whole of `other` to the end of this stream; `other` is empty afterwards.
    pub fn append(&mut self, other: &mut Output) {
        if self.is_empty() && other.flat.len() > self.flat.capacity() {
            // Copying would have to allocate, so change buffers instead.
            mem::swap(self, other);
            return;
        }
        let (flat, offset) = (self.flat.len(), self.len());
        self.flat.extend_from_slice(&other.flat);
        self.splices.extend(mem::take(&mut other.splices).into_iter().map(|splice| Splice {
            flat: splice.flat + flat,
            offset: splice.offset + offset,
            value: splice.value,
        }));
        self.spliced_bytes += mem::take(&mut other.spliced_bytes);
        other.flat.clear();
    }

    /// Appends `len` bytes of `from`, beginning at its offset `start`; large values are shared, not copied.
    ///
    /// # Panics
    /// If `from` does not have these bytes.
    pub fn append_range(&mut self, from: &Output, start: usize, len: usize) {
        assert!(start <= from.len() && len <= from.len() - start, "range past the end of the output");
        if !from.has_large() {
            self.flat.extend_from_slice(&from.flat[start..start + len]);
            return;
        }
        let mut left = len;
        let mut pieces = from.pieces(start);
        while left > 0 {
            let Some(piece) = pieces.next_piece() else { unreachable!("the length was checked") };
            let len = piece.len().min(left);
            match piece {
                Piece::Flat(bytes) => self.flat.extend_from_slice(&bytes[..len]),
                Piece::Spliced(value, skip) => self.push_shared(value.slice(skip..skip + len)),
            }
            left -= len;
        }
    }

    /// The stream from offset `from` on as consecutive slices, none of them empty (for an iovec).
    ///
    /// # Panics
    /// If `from` is past the end.
    pub fn pieces(&self, from: usize) -> Pieces<'_> {
        assert!(from <= self.len(), "offset past the end of the output");
        let next = self.splices.partition_point(|splice| splice.end() <= from);
        let flat = match next.checked_sub(1).map(|last| &self.splices[last]) {
            None => from,
            Some(last) => last.flat + (from - last.end()),
        };
        let (flat, skip) = match self.splices.get(next) {
            // `from` lies inside the value: the flat bytes go on right behind it.
            Some(splice) if splice.offset < from => (splice.flat, from - splice.offset),
            _ => (flat, 0),
        };
        Pieces { output: self, flat, next, skip }
    }
}

enum Piece<'a> {
    Flat(&'a [u8]),
    /// A value without its first bytes.
    Spliced(&'a Bytes, usize),
}

impl Piece<'_> {
    fn len(&self) -> usize {
        match self {
            Piece::Flat(bytes) => bytes.len(),
            Piece::Spliced(value, skip) => value.len() - skip,
        }
    }
}

/// Iterates over the slices of an [`Output`]; see [`Output::pieces`].
#[derive(Debug, Clone)]
pub struct Pieces<'a> {
    output: &'a Output,
    /// The next byte of the flat buffer.
    flat: usize,
    /// The next splice, and how many of its bytes lie before the start.
    next: usize,
    skip: usize,
}

impl<'a> Pieces<'a> {
    fn next_piece(&mut self) -> Option<Piece<'a>> {
        let splice = self.output.splices.get(self.next);
        let flat_end = splice.map_or(self.output.flat.len(), |splice| splice.flat);
        if self.flat < flat_end {
            let bytes = &self.output.flat[self.flat..flat_end];
            self.flat = flat_end;
            return Some(Piece::Flat(bytes));
        }
        self.next += 1;
        Some(Piece::Spliced(&splice?.value, mem::take(&mut self.skip)))
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        match self.next_piece()? {
            Piece::Flat(bytes) => Some(bytes),
            Piece::Spliced(value, skip) => Some(&value[skip..]),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a test appends: flat bytes or a spliced value.
    type Part = (bool, Vec<u8>);

    fn build(parts: &[Part]) -> (Output, Vec<u8>) {
        let mut output = Output::new();
        let mut model = Vec::new();
        for (spliced, bytes) in parts {
            match spliced {
                true => output.push_shared(Bytes::copy_from_slice(bytes)),
                false => output.bytes_mut().extend_from_slice(bytes),
            }
            model.extend_from_slice(bytes);
        }
        (output, model)
    }

    fn stream(output: &Output, from: usize) -> Vec<u8> {
        let pieces: Vec<_> = output.pieces(from).collect();
        assert!(pieces.iter().all(|piece| !piece.is_empty()));
        pieces.concat()
    }

    fn parts() -> impl Strategy<Value = Vec<Part>> {
        prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..6)), 0..8)
    }

    proptest! {
        #[test]
        fn every_suffix_is_that_of_the_model(parts in parts()) {
            let (output, model) = build(&parts);
            prop_assert_eq!(output.len(), model.len());
            for from in 0..=model.len() {
                prop_assert_eq!(&stream(&output, from), &model[from..]);
            }
        }

        #[test]
        fn appending_moves_everything(parts in parts(), more in parts(), capacity in 0_usize..64) {
            let (mut output, mut model) = build(&parts);
            output.flat.reserve(capacity);
            let (mut other, other_model) = build(&more);
            output.append(&mut other);
            model.extend(other_model);
            prop_assert!(other.is_empty() && !other.has_large());
            prop_assert_eq!(output.len(), model.len());
            for from in 0..=model.len() {
                prop_assert_eq!(&stream(&output, from), &model[from..]);
            }
        }

        #[test]
        fn any_range_can_be_appended(parts in parts(), from in parts()) {
            let (from, from_model) = build(&from);
            for start in 0..=from.len() {
                for len in 0..=from.len() - start {
                    let (mut output, mut model) = build(&parts);
                    output.append_range(&from, start, len);
                    model.extend_from_slice(&from_model[start..start + len]);
                    prop_assert_eq!(output.len(), model.len());
                    prop_assert_eq!(stream(&output, 0), model);
                }
            }
        }
    }

    #[test]
    fn a_spliced_value_is_shared_and_let_go() {
        let value = Bytes::from(vec![7; 100]);
        let mut output = Output::new();
        output.push_shared(value.clone());
        let mut copy = Output::new();
        copy.append_range(&output, 10, 20);
        assert_eq!(copy.pieces(0).next().unwrap().as_ptr(), value[10..].as_ptr());
        assert!(!value.is_unique());
        output.clear();
        copy.clear();
        assert!(value.is_unique() && output.is_empty() && !copy.has_large());
    }

    #[test]
    fn appending_to_an_empty_output_changes_buffers() {
        let (mut pooled, _) = build(&[(false, vec![1; 1000])]);
        let place = pooled.flat.as_ptr();
        let mut output = Output::new();
        output.append(&mut pooled);
        assert_eq!((output.flat.as_ptr(), output.len(), pooled.len()), (place, 1000, 0));
        output.clear();
        output.shrink_to(10);
        assert!(output.capacity() < 1000);
    }
}

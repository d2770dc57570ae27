//! A pack: elements one behind the other in one run of bytes, read from either end.
//!
//! ```text
//! pack     [ element ][ element ][ element ] ...
//! element  [ tag 1 ][ payload ][ back 0, 1 or 5 ]
//!
//! tag      00..7f       the number 0..127, no payload
//!          80..bf       a string of 0..63 bytes
//!          c0 c1 c2 c3 c4   a number of 1, 2, 3, 4, 8 bytes, little-endian and signed
//!          d0 d1 d2     a string whose length follows in 1, 2, 4 bytes
//!          e0           a score: a floating point number of 8 bytes, little-endian
//! back     bytes of tag and payload: below 254 one byte, else four bytes and then 254
//! ```
//!
//! A pack is read from both ends where its elements have a back; without, it is a byte an element smaller and read from the
//! front ([`Bare`]).
//!
//! An element is written in the shortest form there is for it, so two elements are equal exactly if their bytes are:
//! searching compares bytes and decodes nothing. Whole numbers in their shortest decimal form are stored as numbers and
//! come back as the text that they were.

use std::ops::Range;

use crate::keyspace::value::{allocation, canonical_integer};

const NUMBER: u8 = 0xc0;
const STRING: u8 = 0x80;
const LONG_STRING: u8 = 0xd0;
const SCORE: u8 = 0xe0;
/// Widths of numbers in bytes, by the tag's lowest bits.
const NUMBER_BYTES: [usize; 5] = [1, 2, 3, 4, 8];
/// Largest string whose length stands in the tag.
const SHORT_MAX: usize = 63;
/// What a text of so many bytes leaves of a word.
const WORD_MASKS: [u64; 9] =
    [0, 0xFF, 0xFFFF, 0xFF_FFFF, 0xFFFF_FFFF, 0xFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF, 0xFF_FFFF_FFFF_FFFF, u64::MAX];
/// The last byte of a back that has four bytes in front of it.
const LONG_BACK: u8 = 254;

/// Whether elements have a back: not in these runs.
const BARE: bool = false;
/// In these they have.
const BACKED: bool = true;

/// What an element is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Element<'a> {
    /// A string that is a whole number in its shortest form.
    Int(i64),
    /// Any other string.
    Text(&'a [u8]),
    /// A score.
    Score(f64),
}

/// Where a number is written out that is to be seen as text.
pub type Digits = itoa::Buffer;

impl Default for Element<'_> {
    fn default() -> Self {
        Element::Text(&[])
    }
}

impl<'a> Element<'a> {
    /// The element that a string becomes.
    #[inline]
    pub fn of(bytes: &'a [u8]) -> Self {
        canonical_integer(bytes).map_or(Element::Text(bytes), Element::Int)
    }

    /// The string. A score has none: its bytes are empty.
    #[inline]
    pub fn bytes<'s>(self, digits: &'s mut Digits) -> &'s [u8]
    where
        'a: 's,
    {
        match self {
            Element::Int(number) => digits.format(number).as_bytes(),
            Element::Text(bytes) => bytes,
            Element::Score(_) => &[],
        }
    }

    /// Length of the string in bytes.
    pub fn len(self) -> usize {
        self.bytes(&mut Digits::new()).len()
    }

    /// Whether the string is empty.
    pub fn is_empty(self) -> bool {
        self == Element::Text(&[])
    }

    /// The string, owned.
    pub fn to_vec(self) -> Vec<u8> {
        self.bytes(&mut Digits::new()).to_vec()
    }

    /// The score, if it is one. Whole scores are stored as numbers.
    #[inline]
    pub fn score(self) -> f64 {
        match self {
            Element::Int(number) => number as f64,
            Element::Score(score) => score,
            Element::Text(_) => 0.0,
        }
    }
}

/// What belongs together in a pack: an element alone, or a field and its value, or a member and its score.
pub type Item<'a> = (Element<'a>, Option<Element<'a>>);

/// The size at or above `size` that leaves nothing of its allocation unused.
pub(super) fn room(size: usize) -> usize {
    // A mapping has whole pages, which are not worth filling with room for bytes that may never come.
    if size < 64 * 1024 { allocation(size) } else { size }
}

/// A pack, where it lies.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run<'a, const BACK: bool>(&'a [u8]);

/// A pack whose elements have a back.
pub type Pack<'a> = Run<'a, BACKED>;

/// A pack whose elements have none.
pub type Bare<'a> = Run<'a, BARE>;

/// Writing.
impl<const BACK: bool> Run<'_, BACK> {
    /// Appends a string as an element.
    #[inline]
    pub fn push(out: &mut Vec<u8>, bytes: &[u8]) {
        match canonical_integer(bytes) {
            Some(number) => Self::push_int(out, number),
            None => Self::push_text(out, bytes),
        }
    }

    /// Appends a score as an element.
    pub fn push_score(out: &mut Vec<u8>, score: f64) {
        let whole = score as i64;
        // The sign of a negative zero would be lost, and what a number of 64 bits cannot hold exactly.
        if whole as f64 == score && whole.unsigned_abs() < 1 << 53 && (whole != 0 || score.is_sign_positive()) {
            return Self::push_int(out, whole);
        }
        out.push(SCORE);
        out.extend_from_slice(&score.to_le_bytes());
        Self::push_back(out, 9);
    }

    /// Appends what another pack has, with or without backs.
    pub fn push_element(out: &mut Vec<u8>, element: Element<'_>) {
        match element {
            Element::Int(number) => Self::push_int(out, number),
            Element::Text(bytes) => Self::push_text(out, bytes),
            Element::Score(score) => Self::push_score(out, score),
        }
    }

    /// Appends a whole number as an element.
    pub fn push_int(out: &mut Vec<u8>, number: i64) {
        let mut head = [0; 9];
        let len = int_head(&mut head, number);
        out.extend_from_slice(&head[..len]);
        Self::push_back(out, len);
    }

    fn push_text(out: &mut Vec<u8>, bytes: &[u8]) {
        let mut head = [0; 9];
        let len = text_head(&mut head, bytes.len());
        out.extend_from_slice(&head[..len]);
        out.extend_from_slice(bytes);
        Self::push_back(out, len + bytes.len());
    }

    #[inline]
    fn push_back(out: &mut Vec<u8>, bytes: usize) {
        if !BACK {
            return;
        }
        if bytes < usize::from(LONG_BACK) {
            out.push(bytes as u8);
        } else {
            out.extend_from_slice(&(bytes as u32).to_le_bytes());
            out.push(LONG_BACK);
        }
    }

    /// The element of one string, to search for.
    pub fn element_of(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 12);
        Self::push(&mut out, bytes);
        out
    }
}

/// Writes tag and payload of a number; answers their length.
#[inline]
fn int_head(head: &mut [u8; 9], number: i64) -> usize {
    if let 0..=127 = number {
        head[0] = number as u8;
        return 1;
    }
    // Bits that are not the sign, and one for it.
    let bits = 65 - (number ^ (number >> 63)).leading_zeros() as usize;
    let class = NUMBER_BYTES.iter().position(|bytes| bytes * 8 >= bits).unwrap_or(NUMBER_BYTES.len() - 1);
    head[0] = NUMBER + class as u8;
    head[1..].copy_from_slice(&number.to_le_bytes());
    1 + NUMBER_BYTES[class]
}

/// Writes what stands in front of a text of `len` bytes; answers its length.
#[inline]
fn text_head(head: &mut [u8; 9], len: usize) -> usize {
    head[1..5].copy_from_slice(&(len as u32).to_le_bytes());
    let (tag, bytes) = match len {
        len if len <= SHORT_MAX => (STRING + len as u8, 1),
        ..256 => (LONG_STRING, 2),
        256..65_536 => (LONG_STRING + 1, 3),
        _ => (LONG_STRING + 2, 5),
    };
    head[0] = tag;
    bytes
}

/// Appends a string as an element with a back.
#[inline]
pub fn push(out: &mut Vec<u8>, bytes: &[u8]) {
    Pack::push(out, bytes);
}

/// Appends a score as an element with a back.
pub fn push_score(out: &mut Vec<u8>, score: f64) {
    Pack::push_score(out, score);
}

/// The element of one string with a back, to search for.
pub fn element_of(bytes: &[u8]) -> Vec<u8> {
    Pack::element_of(bytes)
}

/// Bytes of the back of an element of which `bytes` bytes stand in front of it.
#[inline]
fn back_len(bytes: usize) -> usize {
    if bytes < usize::from(LONG_BACK) { 1 } else { 5 }
}

/// A string to search for: its element in two parts, without an allocation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needle<'k> {
    /// A whole number in full, or what stands in front of a text.
    head: [u8; 9],
    head_len: usize,
    text: &'k [u8],
}

impl<'k> Needle<'k> {
    #[inline]
    pub(super) fn new(bytes: &'k [u8]) -> Self {
        let mut head = [0; 9];
        let (head_len, text) = match canonical_integer(bytes) {
            Some(number) => (int_head(&mut head, number), &[][..]),
            None => (text_head(&mut head, bytes.len()), bytes),
        };
        Self { head, head_len, text }
    }

    /// Bytes of the element, without a back.
    #[inline]
    pub(super) fn element_len(&self) -> usize {
        self.head_len + self.text.len()
    }

    /// Writes the element, without a back, into `out`, which has its length.
    pub(super) fn write(&self, out: &mut [u8]) {
        let (head, text) = out.split_at_mut(self.head_len);
        head.copy_from_slice(&self.head[..self.head_len]);
        text.copy_from_slice(self.text);
    }

    /// Appends the element, without a back.
    #[inline]
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.head[..self.head_len]);
        out.extend_from_slice(self.text);
    }

    /// Bytes of the element with a back.
    #[inline]
    pub(super) fn backed_len(&self) -> usize {
        self.element_len() + back_len(self.element_len())
    }

    /// Writes the element with a back into `out`, which has its length.
    #[inline]
    pub(super) fn write_backed(&self, out: &mut [u8]) {
        let len = self.element_len();
        self.write(&mut out[..len]);
        match &mut out[len..] {
            [short] => *short = len as u8,
            [long @ .., mark] => {
                long.copy_from_slice(&(len as u32).to_le_bytes());
                *mark = LONG_BACK;
            }
            [] => {}
        }
    }

    /// What is hashed: the same as [`Pack::hashed`] of the element.
    #[inline]
    pub(super) fn hashed(&self) -> &[u8] {
        if self.text.is_empty() { &self.head[..self.head_len] } else { self.text }
    }
}

/// Reading.
impl<'a, const BACK: bool> Run<'a, BACK> {
    /// The pack in these bytes, which were written by [`push`] and its like.
    #[inline]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// All bytes.
    #[inline]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// Whether there is no element.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Elements. Walks the pack.
    pub fn count(self) -> usize {
        let (mut at, mut count) = (0, 0);
        while at < self.0.len() {
            at = self.after(at);
            count += 1;
        }
        count
    }

    /// The element that begins at `at`, a place that this module has named.
    #[inline]
    pub fn get(self, at: usize) -> Element<'a> {
        match self.0[at] {
            tag @ ..STRING => Element::Int(i64::from(tag)),
            tag @ STRING..NUMBER => Element::Text(self.slice(at + 1, usize::from(tag - STRING))),
            SCORE => {
                let bytes = self.0[at + 1..].first_chunk().copied().unwrap_or_default();
                Element::Score(f64::from_le_bytes(bytes))
            }
            tag @ NUMBER..LONG_STRING => {
                let bytes = self.slice(at + 1, NUMBER_BYTES[usize::from(tag - NUMBER)]);
                let sign = if bytes[bytes.len() - 1] & 0x80 == 0 { 0 } else { u8::MAX };
                let mut wide = [sign; 8];
                wide[..bytes.len()].copy_from_slice(bytes);
                Element::Int(i64::from_le_bytes(wide))
            }
            tag => {
                let (start, len) = self.long_string(at, tag);
                Element::Text(self.slice(start, len))
            }
        }
    }

    /// A text of at most eight bytes as a word, its first byte lowest and zeroes behind its last; with its length, and where
    /// the element behind it begins. `None` for any other element, and for one so near to the end of the pack that it
    /// cannot be read in one go.
    #[inline]
    pub fn word(self, at: usize) -> Option<(u64, usize, usize)> {
        let (tag, rest) = self.0.get(at..)?.split_first()?;
        let len = usize::from(tag.wrapping_sub(STRING));
        let mask = WORD_MASKS.get(len)?;
        let word = u64::from_le_bytes(*rest.first_chunk()?) & mask;
        Some((word, len, at + 1 + len + usize::from(BACK)))
    }

    /// Where the element behind the one at `at` begins.
    #[inline]
    pub fn after(self, at: usize) -> usize {
        let bytes = match self.0[at] {
            ..STRING => 1,
            tag @ STRING..NUMBER => 1 + usize::from(tag - STRING),
            SCORE => 9,
            tag @ NUMBER..LONG_STRING => 1 + NUMBER_BYTES[usize::from(tag - NUMBER)],
            tag => {
                let (start, len) = self.long_string(at, tag);
                start + len - at
            }
        };
        at + bytes + if BACK { back_len(bytes) } else { 0 }
    }

    /// Where the element that is `count` elements behind the one at `at` begins; so many must follow.
    #[inline]
    pub(super) fn skip(self, at: usize, count: usize) -> usize {
        (0..count).fold(at, |at, _| self.after(at))
    }

    /// The item of `width` elements that begins at `at`.
    #[inline]
    pub(super) fn item(self, at: usize, width: usize) -> Item<'a> {
        (self.get(at), (width > 1).then(|| self.get(self.after(at))))
    }

    /// The same bytes for equal strings, so that they can be hashed: a text itself, or tag and payload of a number.
    #[inline]
    pub(super) fn hashed(self, at: usize) -> &'a [u8] {
        match self.get(at) {
            Element::Text(text) if !text.is_empty() => text,
            _ => &self.0[at..self.after(at) - usize::from(BACK)],
        }
    }

    /// Whether the element at `at` is the string that is searched for.
    #[inline]
    pub(super) fn matches(self, at: usize, needle: &Needle<'_>) -> bool {
        self.0[at..].strip_prefix(&needle.head[..needle.head_len]).is_some_and(|rest| rest.starts_with(needle.text))
    }

    /// The bytes that the element at `at` takes.
    #[inline]
    pub fn range(self, at: usize) -> Range<usize> {
        at..self.after(at)
    }

    /// Where the element number `index` begins; the end of the pack if there are fewer. Walks from the front.
    pub fn place(self, index: usize) -> usize {
        let mut at = 0;
        for _ in 0..index {
            if at >= self.0.len() {
                break;
            }
            at = self.after(at);
        }
        at
    }

    /// Where the element that is written as `element` (see [`element_of`]) begins. Looks at every `step`th element,
    /// from number `first` on.
    #[inline]
    pub fn find(self, element: &[u8], first: usize, step: usize) -> Option<usize> {
        let mut at = self.place(first);
        while at < self.0.len() {
            if self.0[at..].starts_with(element) {
                return Some(at);
            }
            for _ in 0..step {
                if at >= self.0.len() {
                    break;
                }
                at = self.after(at);
            }
        }
        None
    }

    /// As [`Run::find`] from the first element on, for a string that needs no element of its own.
    #[inline]
    pub(super) fn seek(self, needle: &Needle<'_>, step: usize) -> Option<usize> {
        let mut at = 0;
        while at < self.0.len() {
            if self.matches(at, needle) {
                return Some(at);
            }
            for _ in 0..step {
                if at >= self.0.len() {
                    break;
                }
                at = self.after(at);
            }
        }
        None
    }

    /// Elements with their places, from the front.
    pub fn iter(self) -> impl Iterator<Item = (usize, Element<'a>)> {
        let mut at = 0;
        std::iter::from_fn(move || {
            let here = at;
            (here < self.0.len()).then(|| {
                at = self.after(here);
                (here, self.get(here))
            })
        })
    }

    #[inline]
    fn slice(self, start: usize, len: usize) -> &'a [u8] {
        &self.0[start..start + len]
    }

    /// Where a string begins whose length does not stand in the tag, and the length.
    fn long_string(self, at: usize, tag: u8) -> (usize, usize) {
        let word = |bytes: usize| {
            let mut wide = [0; 4];
            wide[..bytes].copy_from_slice(self.slice(at + 1, bytes));
            u32::from_le_bytes(wide) as usize
        };
        match tag - LONG_STRING {
            0 => (at + 2, word(1)),
            1 => (at + 3, word(2)),
            _ => (at + 5, word(4)),
        }
    }
}

/// From the back.
impl<'a> Run<'a, BACKED> {
    /// Where the element in front of the place `at` begins; `at` may be the end of the pack, and must not be 0.
    #[inline]
    pub fn before(self, at: usize) -> usize {
        match self.0[at - 1] {
            LONG_BACK => {
                let bytes = self.0[at - 5..].first_chunk().copied().unwrap_or_default();
                at - 5 - u32::from_le_bytes(bytes) as usize
            }
            bytes => at - 1 - usize::from(bytes),
        }
    }

    /// Elements with their places, from the back.
    pub fn iter_back(self) -> impl Iterator<Item = (usize, Element<'a>)> {
        let mut at = self.0.len();
        std::iter::from_fn(move || {
            (at > 0).then(|| {
                at = self.before(at);
                (at, self.get(at))
            })
        })
    }
}

/// Puts the element `new` in place of the bytes `range` of a pack.
pub fn replace(pack: &mut Vec<u8>, range: Range<usize>, new: &[u8]) {
    let start = range.start;
    if start == pack.len() {
        return pack.extend_from_slice(new);
    }
    resize(pack, range, new.len());
    pack[start..start + new.len()].copy_from_slice(new);
}

/// Makes room for `len` bytes, yet to be written, in place of the bytes `range` of a pack.
#[inline]
pub(super) fn resize(pack: &mut Vec<u8>, range: Range<usize>, len: usize) {
    let end = range.start + len;
    if end > range.end {
        let old_len = pack.len();
        pack.resize(old_len + (end - range.end), 0);
        pack.copy_within(range.end..old_len, end);
    } else if end < range.end {
        pack.drain(end..range.end);
    }
}

#[cfg(test)]
mod tests;

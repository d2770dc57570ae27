//! Values and their encodings.
//!
//! The string encodings are those that Redis names in OBJECT ENCODING, chosen by the same rules: a whole number of at
//! most 20 characters is `int`, a string set in one go of at most 44 bytes is `embstr`, everything else is `raw`.

use bytes::Bytes;

use crate::limits::LARGE_VALUE_BYTES;

/// Longest string that Redis keeps beside its header (`OBJ_ENCODING_EMBSTR_SIZE_LIMIT`).
const EMBEDDED_BYTES_MAX: usize = 44;
/// Longest text of an `i64`.
const INTEGER_TEXT_MAX: usize = 20;

/// The value of one key.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string that is a whole number in its shortest form.
    Int(i64),
    /// A short string that was set in one go.
    Embedded(Box<[u8]>),
    /// Any other string; grows in place.
    Raw(Vec<u8>),
    /// A string above [`LARGE_VALUE_BYTES`] that has been read since it was last changed: shared with whoever sends it.
    Large(Box<Bytes>),
}

const _: () = assert!(size_of::<Value>() == 24);

impl Value {
    /// A string value in the encoding that Redis would choose for it.
    pub fn string(bytes: &[u8]) -> Self {
        if let Some(number) = canonical_integer(bytes) {
            Value::Int(number)
        } else if bytes.len() <= EMBEDDED_BYTES_MAX {
            Value::Embedded(bytes.into())
        } else if bytes.len() <= LARGE_VALUE_BYTES {
            Value::Raw(bytes.to_vec())
        } else {
            Value::Large(Box::new(Bytes::copy_from_slice(bytes)))
        }
    }

    /// A string value that is kept as text even where it is a whole number, as Redis keeps what INCRBYFLOAT answers.
    pub fn text(bytes: &[u8]) -> Self {
        if bytes.len() <= EMBEDDED_BYTES_MAX { Value::Embedded(bytes.into()) } else { Value::Raw(bytes.to_vec()) }
    }

    /// Overwrites with a string, keeping the allocation where the new one fits it.
    #[inline]
    pub fn assign(&mut self, bytes: &[u8]) {
        if canonical_integer(bytes).is_none() {
            match self {
                Value::Embedded(old) if old.len() == bytes.len() => return old.copy_from_slice(bytes),
                Value::Raw(old)
                    if bytes.len() > EMBEDDED_BYTES_MAX
                        && bytes.len() <= old.capacity()
                        && bytes.len() >= old.capacity() / 2
                        && bytes.len() <= LARGE_VALUE_BYTES =>
                {
                    old.clear();
                    return old.extend_from_slice(bytes);
                }
                _ => {}
            }
        }
        *self = Value::string(bytes);
    }

    /// Whether the value is a string, in whatever encoding.
    #[inline]
    pub fn is_string(&self) -> bool {
        match self {
            Value::Int(_) | Value::Embedded(_) | Value::Raw(_) | Value::Large(_) => true,
        }
    }

    /// The name that TYPE answers.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Int(_) | Value::Embedded(_) | Value::Raw(_) | Value::Large(_) => "string",
        }
    }

    /// The name that OBJECT ENCODING answers.
    pub fn encoding_name(&self) -> &'static str {
        match self {
            Value::Int(_) => "int",
            Value::Embedded(_) => "embstr",
            Value::Raw(_) | Value::Large(_) => "raw",
        }
    }

    /// The bytes of a string value; a number is written into `scratch`.
    #[inline]
    pub fn string_bytes<'a>(&'a self, scratch: &'a mut itoa::Buffer) -> &'a [u8] {
        match self {
            Value::Int(number) => scratch.format(*number).as_bytes(),
            Value::Embedded(bytes) => bytes,
            Value::Raw(bytes) => bytes,
            Value::Large(bytes) => bytes,
        }
    }

    /// Reads a little of what the value holds outside its entry, for [`Keys::warm`](super::Keys::warm).
    #[inline]
    pub(super) fn touch(&self) -> usize {
        let ends = |bytes: &[u8]| match bytes {
            [first, .., last] => usize::from(*first ^ *last),
            _ => 0,
        };
        match self {
            Value::Int(_) => 0,
            Value::Embedded(bytes) => ends(bytes),
            Value::Raw(bytes) => ends(bytes),
            Value::Large(bytes) => bytes.len(),
        }
    }

    /// Length of a string value in bytes.
    pub fn string_len(&self) -> usize {
        self.string_bytes(&mut itoa::Buffer::new()).len()
    }

    /// The string as a growable buffer; from here on its encoding is `raw`, as in Redis after APPEND or SETRANGE.
    pub fn make_raw(&mut self) -> &mut Vec<u8> {
        if !matches!(self, Value::Raw(_)) {
            let bytes = match std::mem::replace(self, Value::Int(0)) {
                Value::Int(number) => itoa::Buffer::new().format(number).as_bytes().to_vec(),
                Value::Embedded(bytes) => bytes.into_vec(),
                Value::Raw(bytes) => bytes,
                // Takes the buffer over where nobody else holds it, copies where a reply is still on its way.
                Value::Large(bytes) => Vec::from(*bytes),
            };
            *self = Value::Raw(bytes);
        }
        match self {
            Value::Raw(bytes) => bytes,
            _ => unreachable!("made raw above"),
        }
    }

    /// The string for sharing with the network, if it is large enough to be worth it.
    pub fn share(&mut self) -> Option<&Bytes> {
        if let Value::Raw(bytes) = self
            && bytes.len() > LARGE_VALUE_BYTES
        {
            *self = Value::Large(Box::new(Bytes::from(std::mem::take(bytes))));
        }
        match self {
            Value::Large(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Bytes that the value holds outside its entry, as the allocator rounds them.
    pub fn heap_bytes(&self) -> usize {
        match self {
            Value::Int(_) => 0,
            Value::Embedded(bytes) => allocation(bytes.len()),
            Value::Raw(bytes) => allocation(bytes.capacity()),
            Value::Large(bytes) => allocation(bytes.len()) + allocation(size_of::<Bytes>()),
        }
    }
}

/// What one allocation of `size` bytes takes: a header of 8 bytes, rounded up to 16, at least 32 (glibc malloc).
pub(super) fn allocation(size: usize) -> usize {
    if size == 0 { 0 } else { (size + 8).next_multiple_of(16).max(32) }
}

/// The number that `bytes` is the shortest decimal form of, if there is one: no sign but a minus, no leading zero.
#[inline]
fn canonical_integer(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() || bytes.len() > INTEGER_TEXT_MAX {
        return None;
    }
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        all => (false, all),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] => {}
        _ => return None,
    }
    let mut value: i64 = 0;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        let digit = i64::from(digit - b'0');
        // Counts downward, because the smallest number has no positive counterpart.
        value = value.checked_mul(10)?.checked_sub(digit)?;
    }
    if negative { Some(value) } else { value.checked_neg() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_follow_redis() {
        for (text, encoding) in [
            ("0", "int"),
            ("-1", "int"),
            ("9223372036854775807", "int"),
            ("-9223372036854775808", "int"),
            ("9223372036854775808", "embstr"),
            ("-0", "embstr"),
            ("+1", "embstr"),
            ("01", "embstr"),
            ("", "embstr"),
            ("1 ", "embstr"),
            (&"x".repeat(44), "embstr"),
            (&"x".repeat(45), "raw"),
            (&"x".repeat(20_000), "raw"),
        ] {
            let value = Value::string(text.as_bytes());
            assert_eq!(value.encoding_name(), encoding, "{text:.50}");
            assert_eq!(value.string_bytes(&mut itoa::Buffer::new()), text.as_bytes());
        }
    }

    #[test]
    fn assigning_gives_what_setting_gives() {
        let texts =
            ["", "1", "-77", "abc", "abd", &"x".repeat(44), &"y".repeat(60), &"z".repeat(50), &"w".repeat(17_000)];
        for old in texts {
            for new in texts {
                let mut value = Value::string(old.as_bytes());
                value.assign(new.as_bytes());
                assert_eq!(value.string_bytes(&mut itoa::Buffer::new()), new.as_bytes());
                assert_eq!(value.encoding_name(), Value::string(new.as_bytes()).encoding_name());
            }
        }
    }

    #[test]
    fn a_shared_value_survives_a_change_of_the_original() {
        let mut value = Value::string(&[7; 20_000]);
        let shared = value.share().expect("large").clone();
        value.make_raw().push(8);
        assert_eq!(shared.len(), 20_000);
        assert_eq!(value.string_len(), 20_001);
        assert_eq!(value.encoding_name(), "raw");
    }
}

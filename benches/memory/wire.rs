//! What goes over the wire: requests written as bytes, replies counted as they come.
//!
//! A load of a million commands a second leaves no time to build values: requests are appended to a buffer, and of the
//! replies only their kind and their end are looked at.

use std::io::Write;

/// Bytes of the random data that values are cut from: twice the largest value, so that it can start at many places.
const NOISE_BYTES: usize = 2 * VALUE_BYTES_MAX;

/// Largest value that any of the measurements stores.
pub(crate) const VALUE_BYTES_MAX: usize = 1 << 20;

/// Bytes of a key: `k:` and 14 digits.
pub(crate) const KEY_BYTES: usize = 16;

/// Time to live of a key that is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ttl {
    /// Forever.
    None,
    /// `EX`.
    Seconds(u32),
    /// `PX`.
    Millis(u32),
}

/// Random bytes, the same in every run; values are slices of it.
pub(crate) struct Noise(Vec<u8>);

impl Noise {
    /// Makes them.
    pub(crate) fn new() -> Noise {
        let mut rng = fastrand::Rng::with_seed(1);
        Noise((0..NOISE_BYTES).map(|_| rng.u8(..)).collect())
    }

    /// A value of so many bytes for this key: neighbouring keys get different ones.
    pub(crate) fn value(&self, key: u64, length: usize) -> &[u8] {
        let places = (NOISE_BYTES - length) as u64;
        let start = (key.wrapping_mul(61) % places) as usize;
        &self.0[start..start + length]
    }
}

/// Appends a request of so many words, of which these are the first bytes.
fn begin(out: &mut Vec<u8>, head: &str, key: u64) {
    // A write to a vector cannot fail.
    let _ = write!(out, "{head}${KEY_BYTES}\r\nk:{key:014}\r\n");
}

/// Appends a SET.
pub(crate) fn set(out: &mut Vec<u8>, key: u64, value: &[u8], ttl: Ttl) {
    let head = if ttl == Ttl::None { "*3\r\n$3\r\nSET\r\n" } else { "*5\r\n$3\r\nSET\r\n" };
    begin(out, head, key);
    let _ = write!(out, "${}\r\n", value.len());
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    let (unit, time) = match ttl {
        Ttl::None => return,
        Ttl::Seconds(time) => ("EX", time),
        Ttl::Millis(time) => ("PX", time),
    };
    let digits = time.checked_ilog10().unwrap_or_default() + 1;
    let _ = write!(out, "$2\r\n{unit}\r\n${digits}\r\n{time}\r\n");
}

/// Appends a request of these words.
pub(crate) fn request(out: &mut Vec<u8>, words: &[Vec<u8>]) {
    // A write to a vector cannot fail.
    let _ = write!(out, "*{}\r\n", words.len());
    for word in words {
        let _ = write!(out, "${}\r\n", word.len());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// Appends a GET.
pub(crate) fn get(out: &mut Vec<u8>, key: u64) {
    begin(out, "*2\r\n$3\r\nGET\r\n", key);
}

/// Appends a DEL.
pub(crate) fn del(out: &mut Vec<u8>, key: u64) {
    begin(out, "*2\r\n$3\r\nDEL\r\n", key);
}

/// What kinds of replies have come.
#[derive(Clone, Default, Debug)]
pub(crate) struct Tally {
    /// All of them.
    pub(crate) replies: u64,
    /// Strings that were asked for and were there.
    pub(crate) hits: u64,
    /// Those that were not.
    pub(crate) misses: u64,
    /// Refusals because the memory is full.
    pub(crate) oom: u64,
    /// All other errors.
    pub(crate) errors: u64,
    /// The first of those, for people.
    pub(crate) first_error: Option<String>,
}

/// Counts replies of a stream that may be cut anywhere.
#[derive(Default)]
pub(crate) struct Replies {
    /// A line whose end has not come.
    line: Vec<u8>,
    /// Bytes of a string that are still to come, its CRLF included.
    rest: usize,
    /// What was counted so far.
    pub(crate) tally: Tally,
}

impl Replies {
    /// Takes the next bytes of the stream.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        loop {
            if self.rest > 0 {
                let taken = self.rest.min(bytes.len());
                self.rest -= taken;
                bytes = &bytes[taken..];
                if self.rest > 0 {
                    return Ok(());
                }
                self.tally.replies += 1;
            }
            let Some(end) = memchr::memchr(b'\n', bytes) else {
                self.line.extend_from_slice(bytes);
                return Ok(());
            };
            if self.line.is_empty() {
                self.take(&bytes[..end])?;
            } else {
                let mut line = std::mem::take(&mut self.line);
                line.extend_from_slice(&bytes[..end]);
                self.take(&line)?;
            }
            bytes = &bytes[end + 1..];
        }
    }

    /// A whole line without its LF.
    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match line {
            b"$-1" | b"_" => self.tally.misses += 1,
            [b'$', digits @ ..] => {
                let length = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<usize>().ok());
                self.rest = length.ok_or_else(|| unexpected(line))? + 2;
                self.tally.hits += 1;
                return Ok(());
            }
            [b'+' | b':', ..] => {}
            [b'-', b'O', b'O', b'M', ..] => self.tally.oom += 1,
            [b'-', text @ ..] => {
                self.tally.errors += 1;
                self.tally.first_error.get_or_insert_with(|| String::from_utf8_lossy(text).into_owned());
            }
            _ => return Err(unexpected(line)),
        }
        self.tally.replies += 1;
        Ok(())
    }
}

fn unexpected(line: &[u8]) -> String {
    format!("a reply reads {:?}, which no command of this load is answered with", String::from_utf8_lossy(line))
}

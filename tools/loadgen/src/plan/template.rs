//! The commands of one kind of operation, compiled so that encoding is little more than copying.
//!
//! ```text
//!   SET __key__ __value__ EX 60
//!
//!   pieces   Text "*5\r\n$3\r\nSET\r\n$16\r\nkey:"   all that is the same each time, headers included
//!            Key 0                                   12 digits
//!            Text "\r\n"
//!            Header, Value                           "$64\r\n", and a slice of noise
//!            Text "\r\n$2\r\nEX\r\n$2\r\n60\r\n"
//! ```
//!
//! A word whose length differs between operations has its header made each time, from the sum of its parts' lengths:
//! everything is a function of the operation, so that asking twice gives the same answer.

use corewise::base;

use super::placeholder::{Drawn, Keys, Part, Reader, Word, append_value};
use super::records::Records;
use super::words::Command;
use super::{Operation, PlanError, Protocol, quantity};

/// Commands after which replies are no longer one for each request.
const UNCOUNTABLE: [&str; 10] = [
    "SUBSCRIBE",
    "PSUBSCRIBE",
    "SSUBSCRIBE",
    "UNSUBSCRIBE",
    "PUNSUBSCRIBE",
    "SUNSUBSCRIBE",
    "MONITOR",
    "SYNC",
    "PSYNC",
    "QUIT",
];

/// Commands that answer null, or an array of nulls, where nothing is.
const READS: [&str; 9] = ["GET", "MGET", "GETEX", "HGET", "HMGET", "LINDEX", "ZSCORE", "ZMSCORE", "ZRANK"];

/// Longest name of a key that memcached takes.
const MEMCACHED_KEY_BYTES_MAX: usize = 250;

/// Names of this length have their slot computed on the stack.
const SHORT_NAME_BYTES: usize = 128;

/// Commands, ready to be encoded.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Template {
    pieces: Vec<Piece>,
    /// Bytes of all texts and keys.
    fixed_bytes: usize,
    /// The key that decides about the slot.
    routed_by: Option<Vec<Part>>,
    /// If it has several keys: how many, least and most.
    pub(super) keys: Option<(u32, u32)>,
    /// Replies that it gets.
    pub(super) replies: u16,
    /// Whether a null is a miss.
    pub(super) reads: bool,
    /// Whether the salt must be a number that no other operation has.
    pub(super) counts: bool,
}

#[derive(Clone, PartialEq, Debug)]
enum Piece {
    Text(Box<[u8]>),
    /// A key without its prefix.
    Key(u64),
    /// `$`, the length of the value, and the line's end.
    Header,
    /// The length of the value, as memcached has it.
    Length,
    /// The bytes of the value.
    Value,
    /// A word with its header, without what ends it.
    Bulk(Box<[Part]>),
    /// `*`, the number of words, and the line's end: so many, and so many for each key.
    Count(usize, usize),
    /// Words for the keys. The text is the header of a key and its prefix.
    Keys(Keys, Box<[u8]>),
}

impl Template {
    /// Compiles commands whose keys begin with `prefix`.
    pub(super) fn compile(
        commands: &[Command],
        prefix: &str,
        protocol: Protocol,
        records: &Records,
    ) -> Result<Self, PlanError> {
        let mut reader = Reader::new(prefix, records);
        let mut read = Vec::with_capacity(commands.len());
        for command in commands {
            check_countable(command)?;
            let words: Result<Vec<Word>, PlanError> = command.iter().map(|word| reader.word(word)).collect();
            read.push(words?);
        }
        let mut several = read.iter().flatten().filter_map(|word| match word {
            Word::Keys(keys) => Some((keys.least, keys.most)),
            Word::Parts(_) => None,
        });
        let keys = several.next();
        if several.any(|other| Some(other) != keys) {
            return Err(PlanError("several keys must be equally many at each of their places".to_owned()));
        }
        let pieces = match protocol {
            Protocol::Redis => redis_pieces(&read, prefix, records),
            Protocol::Memcached => memcached_pieces(commands, &read, prefix)?,
        };
        let is_sequence = |part: &Part| matches!(part, Part::Sequence);
        let counts = read.iter().flatten().any(|word| match word {
            Word::Parts(parts) => parts.iter().any(is_sequence),
            Word::Keys(_) => false,
        });
        let name = |command: &Command| String::from_utf8_lossy(&command[0]).to_ascii_uppercase();
        Ok(Self {
            fixed_bytes: pieces.iter().map(|piece| piece.fixed_bytes(records)).sum(),
            pieces,
            routed_by: routed_by(&read, prefix),
            keys,
            replies: u16::try_from(commands.len()).map_err(|_| PlanError("there are too many commands".to_owned()))?,
            reads: commands.iter().any(|command| READS.contains(&name(command).as_str())),
            counts,
        })
    }

    /// Appends the requests of an operation.
    #[inline]
    pub(super) fn encode(&self, operation: &Operation, records: &Records, out: &mut Vec<u8>) {
        let (keys, size) = match self.keys {
            None => (1, operation.size),
            Some(_) => (operation.size, records.size_of(operation.key)),
        };
        let size = records.raised(size);
        out.reserve(self.fixed_bytes + size as usize + 8);
        let drawn = Drawn { operation, records, size };
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Key(index) => records.append_number(records.key(operation, *index), out),
                Piece::Header => append_header(b'$', size as usize, out),
                Piece::Value => append_value(records, operation, 0, size, out),
                Piece::Length => out.extend_from_slice(itoa::Buffer::new().format(size).as_bytes()),
                Piece::Bulk(parts) => {
                    append_header(b'$', parts.iter().map(|part| part.bytes(&drawn)).sum(), out);
                    parts.iter().for_each(|part| part.append(&drawn, out));
                }
                Piece::Count(words, each) => append_header(b'*', words + keys as usize * each, out),
                Piece::Keys(kind, front) => append_keys(&drawn, *kind, keys, front, out),
            }
        }
    }

    /// The hash slot of an operation: that of its first word with a key, or of its first argument.
    #[inline]
    pub(super) fn slot(&self, operation: &Operation, records: &Records) -> Option<u16> {
        let parts = self.routed_by.as_ref()?;
        let drawn = Drawn { operation, records, size: operation.size };
        if let [Part::Text(front), Part::Key(0)] = parts.as_slice() {
            let length = front.len() + records.number_bytes();
            if length <= SHORT_NAME_BYTES {
                let mut name = [0; SHORT_NAME_BYTES];
                name[..front.len()].copy_from_slice(front);
                records.write_number(operation.key, &mut name[front.len()..length]);
                return Some(base::slot(&name[..length]).0);
            }
        }
        let mut name = Vec::new();
        parts.iter().for_each(|part| part.append(&drawn, &mut name));
        Some(base::slot(&name).0)
    }
}

impl Piece {
    fn fixed_bytes(&self, records: &Records) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Key(_) => records.number_bytes(),
            _ => 16,
        }
    }
}

#[inline(never)]
fn append_keys(drawn: &Drawn<'_>, kind: Keys, keys: u32, front: &[u8], out: &mut Vec<u8>) {
    let Drawn { operation, records, .. } = drawn;
    for index in 0..u64::from(keys) {
        let key = if kind.range { records.neighbour(operation.key, index) } else { records.key(operation, index) };
        out.extend_from_slice(front);
        records.append_number(key, out);
        out.extend_from_slice(b"\r\n");
        if kind.values {
            let size = records.size_of(key);
            append_header(b'$', size as usize, out);
            append_value(records, operation, index, size, out);
            out.extend_from_slice(b"\r\n");
        }
    }
}

/// Appends a mark, a number, and the end of the line.
#[inline]
fn append_header(mark: u8, number: usize, out: &mut Vec<u8>) {
    let digit = |number: usize| b'0' + number as u8;
    match number {
        0..10 => out.extend_from_slice(&[mark, digit(number), b'\r', b'\n']),
        10..100 => out.extend_from_slice(&[mark, digit(number / 10), digit(number % 10), b'\r', b'\n']),
        _ => {
            out.push(mark);
            out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
            out.extend_from_slice(b"\r\n");
        }
    }
}

fn check_countable(command: &Command) -> Result<(), PlanError> {
    let name = String::from_utf8_lossy(&command[0]).to_ascii_uppercase();
    let second = command.get(1).map(|word| word.to_ascii_uppercase());
    let reply_switch = name == "CLIENT" && second.as_deref() == Some(b"REPLY");
    if UNCOUNTABLE.contains(&name.as_str()) || reply_switch {
        return Err(PlanError(format!("{name} cannot be measured: its requests do not get one reply each")));
    }
    Ok(())
}

fn redis_pieces(commands: &[Vec<Word>], prefix: &str, records: &Records) -> Vec<Piece> {
    let mut pieces = Pieces::default();
    for words in commands {
        let (mut plain, mut each, mut keys) = (0, 0, 0);
        for word in words {
            match word {
                Word::Parts(_) => plain += 1,
                Word::Keys(kind) => {
                    let per_key = 1 + usize::from(kind.values);
                    if kind.least == kind.most { keys += per_key * kind.most as usize } else { each += per_key }
                }
            }
        }
        match each {
            0 => pieces.text(format!("*{}\r\n", plain + keys).as_bytes()),
            _ => pieces.piece(Piece::Count(plain + keys, each)),
        }
        words.iter().for_each(|word| pieces.word(word, prefix, records));
    }
    pieces.end()
}

/// Collects pieces, joining texts.
#[derive(Default)]
struct Pieces {
    pieces: Vec<Piece>,
    text: Vec<u8>,
}

impl Pieces {
    fn text(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    fn piece(&mut self, piece: Piece) {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text).into()));
        }
        self.pieces.push(piece);
    }

    fn word(&mut self, word: &Word, prefix: &str, records: &Records) {
        let parts = match word {
            Word::Parts(parts) => parts,
            Word::Keys(keys) => {
                let front = format!("${}\r\n{prefix}", prefix.len() + records.number_bytes());
                return self.piece(Piece::Keys(*keys, front.into_bytes().into()));
            }
        };
        let bytes: Option<usize> = parts.iter().map(|part| part.fixed_bytes(records)).sum();
        let flat = |part: &Part| matches!(part, Part::Text(_) | Part::Key(_));
        match bytes {
            Some(bytes) if parts.iter().all(flat) => {
                self.text(format!("${bytes}\r\n").as_bytes());
                for part in parts {
                    match part {
                        Part::Text(text) => self.text(text),
                        Part::Key(index) => self.piece(Piece::Key(*index)),
                        _ => unreachable!("only texts and keys are flat"),
                    }
                }
            }
            _ if parts.as_slice() == [Part::Value] => {
                self.piece(Piece::Header);
                self.piece(Piece::Value);
            }
            _ => self.piece(Piece::Bulk(parts.as_slice().into())),
        }
        self.text(b"\r\n");
    }

    fn end(mut self) -> Vec<Piece> {
        if !self.text.is_empty() {
            self.pieces.push(Piece::Text(std::mem::take(&mut self.text).into()));
        }
        self.pieces
    }
}

/// GET and SET in memcached's words: `get KEY`, and `set KEY FLAGS EXPIRY LENGTH` before the line with the value.
fn memcached_pieces(commands: &[Command], read: &[Vec<Word>], prefix: &str) -> Result<Vec<Piece>, PlanError> {
    if prefix.len() + 14 > MEMCACHED_KEY_BYTES_MAX || prefix.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        let limit = format!("no blanks, and at most {MEMCACHED_KEY_BYTES_MAX} bytes with the number");
        return Err(PlanError(format!("the keys of memcached have {limit}")));
    }
    let mut pieces = Pieces::default();
    for (command, words) in commands.iter().zip(read) {
        let words_of_text: Vec<String> =
            command.iter().map(|word| String::from_utf8_lossy(word).to_ascii_uppercase()).collect();
        let words_of_text: Vec<&str> = words_of_text.iter().map(String::as_str).collect();
        let (verb, expiry) = match words_of_text.as_slice() {
            ["GET", _] => ("get", None),
            ["SET", _, _] => ("set", Some("0")),
            // Memcached takes more than this for a date.
            ["SET", _, _, "EX", seconds] if quantity::unsigned(seconds).is_some_and(|ttl| ttl <= 30 * 86_400) => {
                ("set", Some(*seconds))
            }
            ["SET", _, _, "EX", _] => return Err(PlanError("memcached keeps values for at most 30 days".to_owned())),
            _ => return Err(PlanError(not_for_memcached(command))),
        };
        let key_and_value =
            [Word::Parts(vec![Part::Text(prefix.as_bytes().into()), Part::Key(0)]), Word::Parts(vec![Part::Value])];
        let unprefixed = prefix.is_empty() && words[1] == Word::Parts(vec![Part::Key(0)]);
        if !(words[1] == key_and_value[0] || unprefixed) || words.get(2).is_some_and(|word| *word != key_and_value[1]) {
            return Err(PlanError(not_for_memcached(command)));
        }
        pieces.text(format!("{verb} {prefix}").as_bytes());
        pieces.piece(Piece::Key(0));
        if let Some(expiry) = expiry {
            pieces.text(format!(" 0 {expiry} ").as_bytes());
            pieces.piece(Piece::Length);
            pieces.text(b"\r\n");
            pieces.piece(Piece::Value);
        }
        pieces.text(b"\r\n");
    }
    Ok(pieces.end())
}

fn not_for_memcached(command: &Command) -> String {
    let text = command.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join(" ");
    format!(
        "{text} cannot be said to memcached: only GET __key__ and SET __key__ __value__ can (get, set, mixed, fill)"
    )
}

/// The word whose slot counts: the first one with a key, or else the first argument of all.
fn routed_by(commands: &[Vec<Word>], prefix: &str) -> Option<Vec<Part>> {
    let arguments = || commands.iter().flat_map(|words| &words[1..]);
    let with_key = arguments().find(|word| match word {
        Word::Keys(_) => true,
        Word::Parts(parts) => parts.iter().any(|part| matches!(part, Part::Key(_))),
    });
    match with_key.or_else(|| arguments().next())? {
        Word::Parts(parts) => Some(parts.clone()),
        Word::Keys(_) if prefix.is_empty() => Some(vec![Part::Key(0)]),
        Word::Keys(_) => Some(vec![Part::Text(prefix.as_bytes().into()), Part::Key(0)]),
    }
}

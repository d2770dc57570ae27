//! Transcripts: lines as a client would type them, and the replies they must get, on one shard with a clock that is
//! moved by hand.
//!
//! Replies are written as `+OK`, `-ERR ...`, `:1`, `text` (in double quotes where it would not stand out), `(nil)`,
//! `[a, :1]`, and in RESP3 `(null)`, `{key: value}`.

mod bitmap;
mod lcs;
mod number;
mod range;
mod string;

use crate::base::{KeyHasher, Now, Rng};
use crate::command::resolve;
use crate::exec::{Cx, run};
use crate::keyspace::Shard;
use crate::resp::{Output, Protocol, Reply, ReplyError, Request, Span};

const DATABASES: usize = 16;
/// 2026 or so, in milliseconds.
const START_MS: u64 = 1_780_000_000_000;

/// One client of one shard.
struct Client {
    shard: Shard,
    now_ms: u64,
    protocol: Protocol,
    bulk_bytes_max: usize,
    rng: Rng,
}

impl Client {
    fn new() -> Self {
        Client {
            shard: Shard::new(DATABASES, KeyHasher::new(1)),
            now_ms: START_MS,
            protocol: Protocol::Resp2,
            bulk_bytes_max: crate::limits::BULK_BYTES_MAX_DEFAULT,
            rng: Rng::with_seed(1),
        }
    }

    /// Lets time pass.
    fn advance(&mut self, ms: u64) {
        self.now_ms += ms;
    }

    /// Runs a line and judges its reply.
    #[track_caller]
    fn check(&mut self, line: &str, expected: &str) {
        assert_eq!(self.ask(line), expected, "{line}");
    }

    /// Runs a line; the reply in the notation of transcripts.
    fn ask(&mut self, line: &str) -> String {
        let words = words(line);
        self.command(&words.iter().map(Vec::as_slice).collect::<Vec<_>>())
    }

    fn command(&mut self, words: &[&[u8]]) -> String {
        let reply = self.command_raw(words);
        let (text, rest) = notation(&reply);
        assert!(rest.is_empty(), "one reply and no more: {}", reply.escape_ascii());
        text
    }

    /// Runs a command; the reply as bytes.
    fn command_raw(&mut self, words: &[&[u8]]) -> Vec<u8> {
        let (mut data, mut spans) = (Vec::new(), Vec::new());
        for word in words {
            spans.push(Span { start: data.len() as u32, len: word.len() as u32 });
            data.extend_from_slice(word);
        }
        let request = Request::new(&data, &spans);
        let mut output = Output::new();
        let mut reply = Reply::new(&mut output, self.protocol);
        let command = resolve(words[0], words.get(1).copied()).expect("a command");
        if !command.accepts(words.len()) {
            reply.error(ReplyError::WrongArity(command.name));
        } else {
            let mut cx = Cx {
                now: Now { unix_us: self.now_ms * 1000, mono_us: self.now_ms * 1000 },
                database: 0,
                databases: DATABASES,
                bulk_bytes_max: self.bulk_bytes_max,
                rng: &mut self.rng,
            };
            run(command, request, &mut self.shard, &mut cx, &mut reply);
        }
        output.pieces(0).collect::<Vec<_>>().concat()
    }

    /// The encoding of a key's value, as OBJECT ENCODING would say it.
    #[track_caller]
    fn check_encoding(&mut self, key: &str, expected: &str) {
        let now = Now { unix_us: self.now_ms * 1000, mono_us: 0 };
        let entry = self.shard.keys(0, now);
        assert_eq!({ entry }.peek(key.as_bytes()).map(|entry| entry.value().encoding_name()), Some(expected), "{key}");
    }

    /// The deadline of a key in milliseconds from now on.
    #[track_caller]
    fn check_ttl_ms(&mut self, key: &str, expected: Option<u64>) {
        let now = Now { unix_us: self.now_ms * 1000, mono_us: 0 };
        let mut keys = self.shard.keys(0, now);
        let deadline = keys.peek(key.as_bytes()).expect("the key is there").deadline();
        assert_eq!(deadline.unix_ms().map(|at| at - self.now_ms), expected, "{key}");
    }

    #[track_caller]
    fn check_absent(&mut self, key: &str) {
        let now = Now { unix_us: self.now_ms * 1000, mono_us: 0 };
        assert!(self.shard.keys(0, now).peek(key.as_bytes()).is_none(), "{key} should not be there");
    }
}

/// Runs `body` against a fresh shard.
fn transcript(body: impl FnOnce(&mut Client)) {
    body(&mut Client::new());
}

/// Splits at blanks; double quotes keep blanks, and know `\"`, `\\`, `\n`, `\r` and `\xHH`.
fn words(line: &str) -> Vec<Vec<u8>> {
    let (mut words, mut bytes) = (Vec::new(), line.bytes().peekable());
    while let Some(byte) = bytes.next() {
        let mut word = Vec::new();
        match byte {
            b' ' => continue,
            b'"' => loop {
                match bytes.next().expect("a closing quote") {
                    b'"' => break,
                    b'\\' => word.push(match bytes.next().expect("an escape") {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b'x' => {
                            let digits = [bytes.next(), bytes.next()].map(|digit| digit.expect("two digits"));
                            u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                        }
                        other => other,
                    }),
                    byte => word.push(byte),
                }
            },
            byte => {
                word.push(byte);
                while let Some(byte) = bytes.next_if(|byte| *byte != b' ') {
                    word.push(byte);
                }
            }
        }
        words.push(word);
    }
    words
}

/// The first reply in the notation of transcripts, and what follows it.
fn notation(reply: &[u8]) -> (String, &[u8]) {
    let end = reply.windows(2).position(|two| two == b"\r\n").expect("a line");
    let (line, rest) = (std::str::from_utf8(&reply[1..end]).unwrap(), &reply[end + 2..]);
    let number = || line.parse::<usize>().unwrap();
    match reply[0] {
        b'$' if line == "-1" => ("(nil)".to_owned(), rest),
        b'*' if line == "-1" => ("(nil array)".to_owned(), rest),
        b'_' => ("(null)".to_owned(), rest),
        b'$' => {
            let (text, rest) = rest.split_at(number());
            let bare =
                !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-+_".contains(byte));
            let text = text.escape_ascii().to_string();
            (if bare { text } else { format!("\"{text}\"") }, rest.strip_prefix(b"\r\n").expect("CRLF"))
        }
        b'*' => {
            let (items, rest) = list(rest, number());
            (format!("[{}]", items.join(", ")), rest)
        }
        b'%' => {
            let (items, rest) = list(rest, 2 * number());
            let pairs: Vec<_> = items.chunks(2).map(|pair| pair.join(": ")).collect();
            (format!("{{{}}}", pairs.join(", ")), rest)
        }
        marker => (format!("{}{line}", char::from(marker)), rest),
    }
}

fn list(mut rest: &[u8], len: usize) -> (Vec<String>, &[u8]) {
    let items = (0..len)
        .map(|_| {
            let (item, behind) = notation(rest);
            rest = behind;
            item
        })
        .collect();
    (items, rest)
}

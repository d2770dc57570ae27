//! Transcripts of strings and bitmaps: commands as a client would type them, and the replies they must get.
//!
//! Replies are written as `+OK`, `-ERR ...`, `:1`, `text` (in double quotes where it would not stand out), `(nil)`,
//! `[a, :1]`, and in RESP3 `(null)`, `{key: value}`, `~[a]`.

mod bitmap;
mod compression;
mod default_ttl;
mod events;
mod hash;
mod hash_expire;
mod lcs;
mod list;
mod number;
mod range;
mod set;
mod sort;
mod string;
mod usage;
mod zset;
mod zset_combine;
mod zset_range;

use std::ops::{Deref, DerefMut};

use super::testing::{Bench, words};

/// A bench whose replies are taken apart.
struct Client(Bench);

impl Deref for Client {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.0
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Bench {
        &mut self.0
    }
}

impl Client {
    fn new() -> Self {
        Client(Bench::new())
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

    /// Runs a command; the reply in the notation of transcripts.
    fn command(&mut self, words: &[&[u8]]) -> String {
        let reply = self.run(words);
        let (text, rest) = notation(&reply);
        assert!(rest.is_empty(), "one reply and no more: {}", reply.escape_ascii());
        text
    }

    /// What OBJECT ENCODING says of a key.
    #[track_caller]
    fn check_encoding(&mut self, key: &str, expected: &str) {
        self.check(&format!("OBJECT ENCODING {key}"), expected);
    }

    /// How many milliseconds a key has left.
    #[track_caller]
    fn check_ttl_ms(&mut self, key: &str, expected: Option<u64>) {
        let expected = expected.map_or(":-1".to_owned(), |ms| format!(":{ms}"));
        self.check(&format!("PTTL {key}"), &expected);
    }

    #[track_caller]
    fn check_absent(&mut self, key: &str) {
        self.check(&format!("EXISTS {key}"), ":0");
    }
}

/// Runs `body` against a fresh shard.
fn transcript(body: impl FnOnce(&mut Client)) {
    body(&mut Client::new());
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
        b'~' => {
            let (items, rest) = list(rest, number());
            (format!("~[{}]", items.join(", ")), rest)
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

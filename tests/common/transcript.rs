//! Transcripts: commands and the replies they must get, line by line, over a fresh server of every variant.
//!
//! A transcript does not stop at the first wrong reply: all of them are reported together, each with its source line,
//! because the second usually explains the first.

use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::glob::glob;
use crate::server::Server;
use crate::value::Value;
use crate::variant::{Kind, Variant, variants};

/// How long the server may take for what it does by itself.
const UNTIL_PATIENCE: Duration = Duration::from_secs(10);

/// One server, one client, and what went wrong between them.
pub struct Transcript {
    /// The server.
    pub server: Server,
    /// The client whose lines are checked.
    pub client: Client,
    wrong: Vec<String>,
    /// Version of the server as Redis counts, for lines that hold from some version on.
    version: (u32, u32),
}

/// Runs `body` on a fresh server of every variant, and fails with all wrong replies of all of them.
pub fn transcript(body: impl Fn(&mut Transcript)) {
    transcript_with(&[], body);
}

/// The same with flags for the server.
pub fn transcript_with(flags: &[&str], body: impl Fn(&mut Transcript)) {
    // What is wrong, and on which variants just so.
    let mut wrong: Vec<(String, Vec<&str>)> = Vec::new();
    for variant in variants() {
        let mut transcript = Transcript::start(&variant, flags);
        let outcome = catch_unwind(AssertUnwindSafe(|| body(&mut transcript)));
        let text = transcript.wrong.concat();
        match wrong.iter_mut().find(|(known, _)| *known == text) {
            _ if text.is_empty() => {}
            Some((_, names)) => names.push(variant.name),
            None => wrong.push((text, vec![variant.name])),
        }
        if let Err(panic) = outcome {
            // Tell what was gathered before the panic takes it along.
            assert!(wrong.is_empty(), "{}\nand then {} made the test panic (see above)", report(&wrong), variant.name);
            resume_unwind(panic);
        }
    }
    assert!(wrong.is_empty(), "{}", report(&wrong));
}

fn report(wrong: &[(String, Vec<&str>)]) -> String {
    wrong.iter().map(|(text, names)| format!("\nwrong on {}:\n{text}", names.join(", "))).collect()
}

impl Transcript {
    fn start(variant: &Variant, flags: &[&str]) -> Transcript {
        let server = Server::start(variant, flags);
        let client = server.connect();
        let version = match variant.kind {
            Kind::Corewise => (7, 2),
            Kind::Redis => redis_version(&server, flags),
        };
        Transcript { server, client, wrong: Vec::new(), version }
    }

    /// The variant that is running.
    pub fn variant(&self) -> &Variant {
        &self.server.variant
    }

    /// Whether the server is the one under test.
    pub fn is_corewise(&self) -> bool {
        self.server.variant.kind == Kind::Corewise
    }

    /// Sends `line` and compares its reply, in the notation of `Value`, with `expected`.
    #[track_caller]
    pub fn check(&mut self, line: &str, expected: &str) {
        let actual = self.client.ask(line).to_string();
        self.expect(line, expected, &actual, actual == expected);
    }

    /// `check` for what Redis says only from 7.2 on: sent to an older redis-server, but its reply is not judged.
    #[track_caller]
    pub fn check_7_2(&mut self, line: &str, expected: &str) {
        let actual = self.client.ask(line).to_string();
        self.expect(line, expected, &actual, actual == expected || self.version < (7, 2));
    }

    /// `check` for replies that are only partly known: `*` and `?` in `pattern` stand for any text and any character.
    #[track_caller]
    pub fn like(&mut self, line: &str, pattern: &str) {
        let actual = self.client.ask(line).to_string();
        self.expect(line, pattern, &actual, glob(pattern, &actual));
    }

    /// `check` for what only Corewise says: not sent to redis-server.
    #[track_caller]
    pub fn check_ours(&mut self, line: &str, pattern: &str) {
        if self.is_corewise() {
            self.like(line, pattern);
        }
    }

    /// `check` for replies without an order: arrays and sets are sorted before they are compared.
    #[track_caller]
    pub fn check_sorted(&mut self, line: &str, expected: &str) {
        let actual = match self.client.ask(line) {
            Value::Array(mut items) => {
                items.sort();
                Value::Array(items)
            }
            Value::Set(mut items) => {
                items.sort();
                Value::Set(items)
            }
            other => other,
        };
        let actual = actual.to_string();
        self.expect(line, expected, &actual, actual == expected);
    }

    /// `check` for a number that may be a little lower than `expected` by now, such as a TTL.
    #[track_caller]
    pub fn near(&mut self, line: &str, expected: i64, tolerance: i64) {
        let actual = self.client.ask(line);
        let holds = matches!(actual, Value::Integer(value) if (expected - tolerance..=expected).contains(&value));
        self.expect(line, &format!(":{expected} or at most {tolerance} less"), &actual.to_string(), holds);
    }

    /// Repeats `line` until it gets `expected`: for what the server does by itself, such as expiry.
    #[track_caller]
    pub fn until(&mut self, line: &str, expected: &str) {
        let deadline = Instant::now() + UNTIL_PATIENCE;
        loop {
            let actual = self.client.ask(line).to_string();
            if actual == expected || Instant::now() > deadline {
                return self.expect(line, expected, &actual, actual == expected);
            }
        }
    }

    /// Any other statement about a reply.
    #[track_caller]
    pub fn holds(&mut self, line: &str, statement: &str, holds: impl FnOnce(&Value) -> bool) {
        let actual = self.client.ask(line);
        let truth = holds(&actual);
        self.expect(line, statement, &actual.to_string(), truth);
    }

    /// `check` on another client.
    #[track_caller]
    pub fn check_on(&mut self, client: &mut Client, line: &str, expected: &str) {
        let actual = client.ask(line).to_string();
        self.expect(line, expected, &actual, actual == expected);
    }

    /// Judges the next reply of the client, to something that was sent before.
    #[track_caller]
    pub fn reply(&mut self, to: &str, expected: &str) {
        let actual = self.client.try_reply().map_or("(closed)".to_owned(), |value| value.to_string());
        self.expect(to, expected, &actual, actual == expected);
    }

    /// Sends a line without waiting for a reply.
    pub fn send(&mut self, line: &str) {
        let mut bytes = Vec::new();
        crate::client::encode(&crate::words::split_words(line), &mut bytes);
        self.client.send(&bytes);
    }

    /// The reply to a line, unjudged.
    pub fn ask(&mut self, line: &str) -> Value {
        self.client.ask(line)
    }

    /// Gives the transcript a new connection.
    pub fn reconnect(&mut self) {
        self.client = self.server.connect();
    }

    #[track_caller]
    fn expect(&mut self, line: &str, expected: &str, actual: &str, holds: bool) {
        if !holds {
            let place = Location::caller();
            let text = format!("  {}:{}  {line}\n    want {expected}\n    got  {actual}\n", place.file(), place.line());
            self.wrong.push(text);
        }
    }
}

/// The version that a redis-server reports, (0, 0) if it will not say (a password is set).
fn redis_version(server: &Server, flags: &[&str]) -> (u32, u32) {
    let mut client = server.connect();
    if let Some(at) = flags.iter().position(|flag| *flag == "--requirepass") {
        client.command(&["AUTH", flags[at + 1]]);
    }
    let reply = client.ask("INFO server");
    let info = String::from_utf8_lossy(reply.bytes().unwrap_or_default()).into_owned();
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap_or("0.0");
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

//! A shard on a bench: commands go in and replies come out as text, and the clock is moved by hand.
//!
//! A command is written as at a prompt: words parted by spaces, double quotes around what has spaces in it or is empty,
//! `\xHH` for any byte. A reply is shown with a space for each CRLF and without the last one.

use super::{Cx, run};
use crate::base::{KeyHasher, Now, Rng};
use crate::command::{Args, Command, resolve};
use crate::config::Config;
use crate::keyspace::{Limits, Rules, Shard};
use crate::limits::{BULK_BYTES_MAX_DEFAULT, DATABASES_DEFAULT};
use crate::resp::{Output, Protocol, Reply, ReplyError, Request, Span};

/// When every bench begins, in milliseconds since 1970.
pub(super) const START_MS: u64 = 1_700_000_000_000;

/// One shard, one client, one clock.
pub(super) struct Bench {
    pub(super) shard: Shard,
    pub(super) database: usize,
    pub(super) bulk_bytes_max: usize,
    pub(super) protocol: Protocol,
    config: Config,
    now: Now,
    rng: Rng,
}

impl Bench {
    pub(super) fn new() -> Self {
        Self {
            shard: Shard::new(DATABASES_DEFAULT, KeyHasher::new(1), &Limits::none(1)),
            database: 0,
            bulk_bytes_max: BULK_BYTES_MAX_DEFAULT,
            protocol: Protocol::Resp2,
            config: Config::default(),
            now: Now { unix_us: START_MS * 1000, mono_us: 0 },
            rng: Rng::with_seed(1),
        }
    }

    /// Changes what the operator has said, as CONFIG SET does while the server runs.
    pub(super) fn configure(&mut self, change: impl FnOnce(&mut Config)) {
        change(&mut self.config);
        self.shard.set_rules(&Rules::of(&self.config));
    }

    pub(super) fn now(&self) -> Now {
        self.now
    }

    pub(super) fn pass_ms(&mut self, ms: u64) {
        self.now.unix_us += ms * 1000;
        self.now.mono_us += ms * 1000;
    }

    /// Runs a command and compares its reply.
    #[track_caller]
    pub(super) fn check(&mut self, command: &str, reply: &str) {
        assert_eq!(self.run_text(command), reply, "{command:.100}");
    }

    /// Runs a command and shows its reply.
    pub(super) fn run_text(&mut self, text: &str) -> String {
        let words = words(text);
        show(&self.run(&words.iter().map(Vec::as_slice).collect::<Vec<_>>()))
    }

    /// Runs a command and answers the bytes of its reply.
    pub(super) fn run(&mut self, arguments: &[&[u8]]) -> Vec<u8> {
        with_arguments(arguments, |command, request| {
            self.reply_bytes(|shard, cx, reply| {
                if let Err(error) = run(command, request, shard, cx, reply) {
                    reply.error(error);
                }
            })
        })
    }

    /// What a handler-like function answers.
    pub(super) fn reply_of(
        &mut self,
        handler: impl FnOnce(&mut Shard, &mut Cx<'_>, &mut Reply<'_>) -> Result<(), ReplyError>,
    ) -> String {
        let bytes = self.reply_bytes(|shard, cx, reply| {
            if let Err(error) = handler(shard, cx, reply) {
                reply.error(error);
            }
        });
        show(&bytes)
    }

    fn reply_bytes(&mut self, write: impl FnOnce(&mut Shard, &mut Cx<'_>, &mut Reply<'_>)) -> Vec<u8> {
        let mut output = Output::new();
        let mut cx = Cx {
            now: self.now,
            database: self.database,
            databases: self.shard.databases().len(),
            bulk_bytes_max: self.bulk_bytes_max,
            rng: &mut self.rng,
            nothing: false,
        };
        write(&mut self.shard, &mut cx, &mut Reply::new(&mut output, self.protocol));
        output.pieces(0).collect::<Vec<_>>().concat()
    }
}

/// Runs `test` on the command and the request that `text` is.
pub(super) fn with_request<T>(text: &str, test: impl FnOnce(&'static Command, Request<'_>) -> T) -> T {
    let words = words(text);
    with_arguments(&words.iter().map(Vec::as_slice).collect::<Vec<_>>(), test)
}

/// Runs `test` on the arguments of the request that `text` is.
pub(super) fn with_args<T>(text: &str, test: impl FnOnce(&mut Args<'_>) -> T) -> T {
    with_request(text, |command, request| test(&mut Args::new(command, request)))
}

fn with_arguments<T>(arguments: &[&[u8]], test: impl FnOnce(&'static Command, Request<'_>) -> T) -> T {
    let data = arguments.concat();
    let mut start = 0;
    let mut spans = Vec::new();
    for argument in arguments {
        let len = u32::try_from(argument.len()).expect("a short request");
        spans.push(Span { start, len });
        start += len;
    }
    let command = resolve(arguments[0], arguments.get(1).copied()).expect("a command");
    assert!(command.accepts(arguments.len()), "arity of {}", command.name);
    test(command, Request::new(&data, &spans))
}

pub(super) fn words(text: &str) -> Vec<Vec<u8>> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<Vec<u8>>, false);
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match (first, rest) {
            (b' ', _) if !quoted => words.extend(word.take()),
            (b'"', _) => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            (b'\\', [b'x', high, low, behind @ ..]) => {
                let digits = [*high, *low];
                let digits = std::str::from_utf8(&digits).expect("ASCII");
                word.get_or_insert_default().push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
                rest = behind;
            }
            _ => word.get_or_insert_default().push(*first),
        }
    }
    words.extend(word);
    words
}

pub(super) fn show(reply: &[u8]) -> String {
    let text = String::from_utf8_lossy(reply).replace("\r\n", " ");
    text.strip_suffix(' ').unwrap_or(&text).to_owned()
}

//! DEBUG: what the test suites of clients use.

use super::{Ask, Gathered, Handled, Refused, Told};
use crate::command::{self, Args, CommandId};
use crate::config::DebugAccess;
use crate::engine::mail::OwnedRequest;
use crate::engine::requests::Flow;
use crate::engine::{Effect, Engine};
use crate::exec;
use crate::keyspace::{ScanPosition, Scratch, Shard};
use crate::limits::STALL_US_MAX;
use crate::resp::{Output, Protocol, Reply, ReplyError};
use crate::session::Session;

/// A digest of keys and values: equal for equal data, whatever the order and the cores. It is not Redis's.
pub(in crate::engine) type Digest = [u64; 2];

/// The sample is not meant to be pi: clients compare three digits.
#[expect(clippy::approx_constant, reason = "the sample has three digits")]
const SAMPLE_DOUBLE: f64 = 3.141;

/// Lines of DEBUG HELP, in pairs of usage and meaning.
const HELP: &[(&str, &str)] = &[
    ("CHANGE-REPL-ID", "Does nothing: there is no replication."),
    ("DIGEST", "Answers a digest of all keys and values."),
    ("DIGEST-VALUE <key> [<key> ...]", "Answers a digest of the value of each key."),
    ("ERROR <string>", "Answers an error with this text."),
    ("LOG <message>", "Writes to the server's log."),
    ("OBJECT <key> [FAST]", "Describes how the value of a key is stored."),
    (
        "PROTOCOL <type>",
        "Answers a sample of a reply type: string, integer, double, bignum, null, array, set, map, \
        attrib, push, verbatim, true or false.",
    ),
    ("SET-ACTIVE-EXPIRE <0|1>", "Whether keys that are due are removed though nobody asks for them."),
    ("SLEEP <seconds>", "Stops all cores for a time, decimals allowed."),
    ("STRINGMATCH-LEN <length> <pattern>", "Matches the pattern against a text of that many letters a."),
    ("HELP", "Prints this help."),
];

/// Asks.
impl Engine {
    pub(super) fn debug(&mut self, session: &mut Session, args: &mut Args<'_>) -> Handled {
        let allowed = match self.config.enable_debug_command {
            DebugAccess::No => false,
            DebugAccess::Yes => true,
            DebugAccess::Local => session.peer.loopback || session.peer.unix,
        };
        if !allowed {
            return Err(ReplyError::DebugNotAllowed.into());
        }
        let subcommand = args.next()?.to_ascii_lowercase();
        let flow = match (subcommand.as_slice(), args.remaining()) {
            (b"help", 0) => self.answer(session, |_, reply| help(reply)),
            (b"sleep", 1) => {
                let seconds = command::number::float(args.next()?).unwrap_or(0.0);
                // The conversion saturates, and takes what is no number for zero.
                let us = ((seconds * 1e6) as u64).min(STALL_US_MAX);
                self.ask_for_ok(session, Ask::Stall { us, rung: false })
            }
            (b"set-active-expire", 1) => {
                let active = args.int().unwrap_or(0) != 0;
                self.ask_for_ok(session, Ask::ExpireActively(active))
            }
            (b"object", 1..) => self.debug_object(session, args),
            (b"digest", 0) => self.debug_digest(session, None),
            (b"digest-value", _) => self.debug_digest(session, Some(args)),
            (b"protocol", 1) => return self.debug_protocol(session, args.next()?),
            (b"error", 1) => {
                let text = String::from_utf8_lossy(args.next()?).into_owned();
                return Err(Refused::Text(text.replace(['\r', '\n'], " ")));
            }
            (b"log", 1) => {
                tracing::warn!(message = %String::from_utf8_lossy(args.next()?).escape_debug(), "DEBUG LOG");
                self.answer(session, |_, reply| reply.ok())
            }
            (b"stringmatch-len", 2) => {
                let length = usize::try_from(args.int()?).unwrap_or(0).min(crate::limits::CLAIM_BYTES_MAX);
                let matches = crate::base::glob_matches(args.next()?, &vec![b'a'; length]);
                self.answer(session, |_, reply| reply.integer(matches.into()))
            }
            (b"change-repl-id", 0) | (b"quicklist-packed-threshold", 1) => self.answer(session, |_, reply| reply.ok()),
            (b"reload" | b"loadaof" | b"restart", _) => {
                return Err(Refused::Text("ERR There is no persistence yet: nothing could be loaded again".to_owned()));
            }
            _ => return Err(Refused::Subcommand),
        };
        Ok(flow)
    }

    fn debug_object(&mut self, session: &mut Session, args: &Args<'_>) -> Flow {
        let core = self.topology.core_of(args.rest().get(0));
        let (database, protocol) = (session.database, session.protocol);
        let request = OwnedRequest::new(args.request().iter());
        self.ask_one(session, core, Ask::Object { database, protocol, request }, Gathered::Encoded(Output::default()))
    }

    fn debug_digest(&mut self, session: &mut Session, keys: Option<&Args<'_>>) -> Flow {
        let keys: Option<std::sync::Arc<[Box<[u8]>]>> = keys.map(|args| args.rest().iter().map(Into::into).collect());
        let gathered = Gathered::Digests { digests: Vec::new(), of_values: keys.is_some() };
        self.ask_all(session, Ask::Digest { database: session.database, keys }, gathered)
    }

    fn debug_protocol(&mut self, session: &mut Session, kind: &[u8]) -> Handled {
        let kind = kind.to_ascii_lowercase();
        let is_resp3 = session.protocol == Protocol::Resp3;
        let sample: fn(&mut Reply<'_>) = match kind.as_slice() {
            b"string" => |reply| reply.bulk(b"Hello World"),
            b"integer" => |reply| reply.integer(12345),
            b"double" => |reply| reply.double(SAMPLE_DOUBLE),
            b"null" => |reply| reply.null(),
            b"array" => |reply| {
                reply.array(3);
                (0..3).for_each(|element| reply.integer(element));
            },
            b"set" => |reply| {
                reply.set(3);
                (0..3).for_each(|element| reply.integer(element));
            },
            b"map" => |reply| {
                reply.map(3);
                for key in 0..3 {
                    reply.integer(key);
                    reply.boolean(key == 1);
                }
            },
            b"attrib" if is_resp3 => |reply| {
                reply.raw(b"|1\r\n");
                reply.bulk(b"key-popularity");
                reply.array(2);
                reply.bulk(b"key:123");
                reply.integer(90);
                reply.bulk(b"Some real reply following the attribute");
            },
            b"attrib" => |reply| reply.bulk(b"Some real reply following the attribute"),
            b"push" if is_resp3 => |reply| {
                reply.push(2);
                reply.bulk(b"server-cpu-usage");
                reply.integer(42);
                // A push answers no request, so an ordinary reply follows.
                reply.bulk(b"Some real reply following the push reply");
            },
            b"push" => {
                return Err(Refused::Text("ERR RESP2 is not supported by this command".to_owned()));
            }
            b"verbatim" => |reply| reply.verbatim("txt", "This is a verbatim\nstring"),
            b"true" => |reply| reply.boolean(true),
            b"false" => |reply| reply.boolean(false),
            b"bignum" => |reply| reply.big_number("1234567999999999999999999999999999999"),
            _ => {
                return Err(Refused::Text(
                    "ERR Wrong protocol type name. Please use one of the following: \
                     string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false"
                        .to_owned(),
                ));
            }
        };
        Ok(self.answer(session, |_, reply| sample(reply)))
    }
}

/// Answers.
impl Engine {
    pub(super) fn stall(&mut self, us: u64) -> Told {
        self.effects.push_back(Effect::Stall(us));
        Told::Done
    }

    pub(super) fn object(&mut self, database: u16, protocol: Protocol, request: &OwnedRequest) -> Told {
        let mut encoded = Output::default();
        let mut reply = Reply::new(&mut encoded, protocol);
        let mut args = Args::new(CommandId::Debug.command(), request.request());
        _ = args.next();
        if let Some(mut shard) = self.shard.take() {
            let outcome = exec::debug_object(&mut shard, &mut args, &mut self.cx(self.now, database), &mut reply);
            self.shard = Some(shard);
            if let Err(error) = outcome {
                reply.error(error);
            }
        }
        Told::Encoded(encoded)
    }

    /// Of keys: a digest for each, zero where it is not here. Of everything: one for all. Stops the core for as long as it
    /// takes, as DEBUG may.
    pub(super) fn digests(&mut self, database: u16, keys: Option<&[Box<[u8]>]>) -> Told {
        let now = self.now;
        let Some(shard) = &mut self.shard else { return Told::Digests(Vec::new()) };
        let Some(keys) = keys else { return Told::Digests(vec![digest_of_all(shard, now.unix_ms())]) };
        let mut scratch = Scratch::default();
        let of_key = |key: &[u8]| match shard.keys(usize::from(database), now).peek(key) {
            Some(entry) => mix(&[entry.value().string_bytes(&mut scratch)]),
            None => Digest::default(),
        };
        Told::Digests(keys.iter().map(AsRef::as_ref).map(of_key).collect())
    }
}

fn digest_of_all(shard: &Shard, now_ms: u64) -> Digest {
    let mut sum = Digest::default();
    for (number, database) in shard.databases().iter().enumerate() {
        let mut position = Some(ScanPosition::default());
        while let Some(from) = position {
            position = database.scan(from, crate::limits::SLICE_ENTRIES, now_ms, |entry| {
                let mut scratch = Scratch::default();
                let deadline = entry.deadline().unix_ms().unwrap_or(0).to_le_bytes();
                let value = entry.value().string_bytes(&mut scratch);
                let digest = mix(&[&number.to_le_bytes(), entry.key(), value, &deadline]);
                add(&mut sum, digest);
            });
        }
    }
    sum
}

/// Adds digests of other cores, which are of other keys.
pub(super) fn join(digests: &mut Vec<Digest>, more: Vec<Digest>) {
    if digests.is_empty() {
        *digests = more;
        return;
    }
    digests.iter_mut().zip(more).for_each(|(sum, digest)| add(sum, digest));
}

fn add(sum: &mut Digest, digest: Digest) {
    *sum = [sum[0].wrapping_add(digest[0]), sum[1].wrapping_add(digest[1])];
}

/// A digest of some texts: FNV-1a twice, with the length in front of each text so that they cannot run together.
fn mix(parts: &[&[u8]]) -> Digest {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    [0xcbf2_9ce4_8422_2325, 0x6c62_272e_07bb_0142].map(|basis| {
        let bytes = parts.iter().flat_map(|part| part.len().to_le_bytes().into_iter().chain(part.iter().copied()));
        bytes.fold(basis, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME).rotate_left(5))
    })
}

pub(super) fn answer_digests(digests: &[Digest], of_values: bool, reply: &mut Reply<'_>) {
    // As many digits as Redis has.
    let text = |[first, second]: Digest| format!("{first:016x}{second:016x}{:08x}", (first ^ second) as u32);
    match digests {
        [digest] if !of_values => reply.simple(&text(*digest)),
        _ => {
            reply.array(digests.len());
            digests.iter().for_each(|digest| reply.simple(&text(*digest)));
        }
    }
}

fn help(reply: &mut Reply<'_>) {
    reply.array(1 + 2 * HELP.len());
    reply.simple("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
    for (usage, meaning) in HELP {
        reply.simple(usage);
        reply.simple(&format!("    {meaning}"));
    }
}

//! What cores write to each other.
//!
//! ```text
//! Batch   letters   Run #0   Run #1   Reply #0   Rare ...
//!         bytes     | len len len | args | len len | args |        requests, copied once
//!         replies   | reply | reply |                              encoded by the owner in the client's protocol
//! ```
//!
//! A batch is filled over one turn, posted at its end, read in place by the other core and comes back empty, so the
//! common letters cost no allocation. The uncommon ones ([`Rare`]) are boxed.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::base::ConnId;
use crate::command::CommandId;
use crate::keyspace::{Entry, KeyEvent, Outcome, Purpose, Version};
use crate::pubsub::Message;
use crate::resp::{Output, Protocol, Request, Span};
use crate::session::{NO_PLACE, Queue, Selected};
use crate::txn::{Intents, TxnId};

use super::blocking::Notice;
use super::node::{Ask, Change, Slow, Told};
use super::room::Room;
use super::transact::Scheduling;

/// Buffers of a batch above this are given back to the allocator when it has been read.
const BATCH_BYTES_KEPT: usize = 64 * 1024;

/// Letters for one core, and what they refer to.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) letters: Vec<Letter>,
    pub(super) bytes: Vec<u8>,
    pub(super) replies: Output,
}

/// The reserved place of a reply in the pipeline of a client of the core that asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) conn: ConnId,
    pub(super) place: u32,
}

impl Place {
    /// No client waits for the reply.
    pub(super) const NOBODY: Self = Self { conn: ConnId { index: 0, generation: 0 }, place: NO_PLACE };
}

/// A command to be run by the owner of its keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    pub(super) reply_to: Place,
    pub(super) command: CommandId,
    pub(super) selected: Selected,
    pub(super) protocol: Protocol,
    /// Number of arguments, and where they are packed in [`Batch::bytes`].
    pub(super) arguments: u32,
    pub(super) start: usize,
    pub(super) manner: Manner,
}

/// How a command is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Manner {
    /// When nothing lies on its keys.
    Usual,
    /// It belongs to an EXEC that holds its keys, so neither intents nor room are asked.
    InTransaction,
    /// As usual, and if there is nothing, the client gets in line; `reply_to` names its wait.
    Attempt,
}

/// One letter.
#[derive(Debug)]
pub(super) enum Letter {
    /// Run this and reply.
    Run(Run),
    /// The reply to a `Run`: a range of [`Batch::replies`].
    Reply { place: Place, start: usize, len: usize },
    /// Anything else.
    Rare(Box<Rare>),
}

/// A transaction's number in the books of the core that coordinates it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Handle(pub(super) u32);

/// Who has asked for intents.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Asker {
    /// A command over several cores.
    Command(Handle),
    /// An EXEC.
    Exec(Handle),
}

/// Letters that are seldom enough to be allocated.
#[derive(Debug)]
pub(super) enum Rare {
    /// Leave these intents. If no other core is concerned, the work comes along, as nobody else need accept.
    Schedule { id: TxnId, asker: Asker, intents: Intents, room: Option<Room>, work: Option<Box<Work>> },
    /// The answer to `Schedule`.
    Scheduled { asker: Asker, outcome: Scheduling },
    /// Forget the intents: it has run everywhere, or is not to.
    Withdraw { id: TxnId },
    /// All have accepted: do this when the transaction's turn comes.
    Execute { id: TxnId, work: Box<Work> },
    /// Do this at once: it is part of an EXEC that holds the keys.
    Perform(Box<Work>),
    /// An EXEC holds its keys from here on, and the watched ones are unchanged or not.
    Held { handle: Handle, unchanged: bool },
    /// One core's commands of an EXEC have run; none has, if a watched key has changed.
    Ran { handle: Handle, part: usize, reply: Option<PartReply> },
    /// A part of a split command has run.
    Executed { handle: Handle, part: usize, reply: PartReply },
    /// Send these entries too, to be read: they follow from what was fetched before. The transaction has begun.
    Follow { handle: Handle, part: usize, keys: Vec<Wanted> },
    /// The entries that were asked for, in the order of the keys.
    Fetched { handle: Handle, part: usize, entries: Vec<Option<Entry>> },
    /// The outcome of an assembled command, which ends this transaction, if any.
    Settle { ends: Option<TxnId>, outcomes: Outcomes },
    /// A client watches these keys no more.
    Unwatch(Vec<StoredKey>),
    /// A question to every core.
    Ask { handle: Handle, ask: Ask },
    /// Its answer.
    Told { handle: Handle, told: Told },
    /// A command that was run for a client of the core that gets this was slow.
    Slow(Slow),
    /// A command was run, for those who watch (MONITOR): its line.
    Seen(Arc<[u8]>),
    /// Nobody on the sending core watches any more.
    Unwatched,
    /// Publish this at its home, which gets this letter, and reply how many have received it.
    Publish { reply_to: Place, message: Message },
    /// It was published: give it to your subscribers, and reply with nothing, which returns the credit.
    Message(Message),
    /// Clients that are gone were subscribed to these.
    Unsubscribed(Change),
    /// About a client that waits.
    Wait(Notice),
    /// A connection that is better served by the core that gets it.
    Adopt(OwnedFd),
}

/// A key and its database.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct StoredKey {
    pub(super) database: u16,
    pub(super) name: Box<[u8]>,
}

/// A watched key, and what it was like.
#[derive(Clone, Debug)]
pub(super) struct WatchedKey {
    pub(super) key: StoredKey,
    pub(super) version: Version,
}

/// A key that a command needs on another core, and what for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) key: StoredKey,
    pub(super) purpose: Purpose,
}

/// What an assembled command comes to on one core.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    /// What has become of keys that were wanted.
    pub(super) keys: Vec<(StoredKey, Outcome)>,
    /// What has happened to keys.
    pub(super) events: Vec<KeyEvent>,
}

/// What a transaction does on one core once it is first there.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) coordinator: crate::base::CoreId,
    pub(super) handle: Handle,
    pub(super) part: usize,
    pub(super) task: Task,
}

/// See [`Work`].
#[derive(Debug)]
pub(super) enum Task {
    /// Run this part of a command, and hold its keys until it is to be forgotten.
    Run { command: CommandId, selected: Selected, protocol: Protocol, request: OwnedRequest, per_key: bool },
    /// Send these entries and wait for `Settle`.
    Fetch { keys: Vec<Wanted> },
    /// Say whether these keys are unchanged, and hold everything until `Withdraw`.
    Hold { watched: Vec<WatchedKey> },
    /// Run these commands if the watched keys are unchanged, and finish if no other core has to do with the EXEC.
    Queue {
        queue: Queue,
        conn: ConnId,
        selected: Selected,
        protocol: Protocol,
        watched: Vec<WatchedKey>,
        is_alone: bool,
    },
}

/// The reply of one part.
#[derive(Debug, Default)]
pub(super) struct PartReply {
    pub(super) bytes: Output,
    /// Where the replies of single keys end, if a command is split by key; those of single commands of an EXEC.
    pub(super) ends: Vec<usize>,
}

/// A request with bytes of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnedRequest {
    data: Vec<u8>,
    spans: Vec<Span>,
}

impl OwnedRequest {
    /// A copy of these arguments.
    pub(super) fn new<'a>(arguments: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut owned = Self::default();
        for argument in arguments {
            owned.spans.push(Span { start: owned.data.len() as u32, len: argument.len() as u32 });
            owned.data.extend_from_slice(argument);
        }
        owned
    }

    /// The request.
    pub(super) fn request(&self) -> Request<'_> {
        Request::new(&self.data, &self.spans)
    }
}

impl Batch {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Empties the batch and keeps its buffers, unless they have become large.
    pub(super) fn clear(&mut self) {
        self.letters.clear();
        self.bytes.clear();
        self.bytes.shrink_to(BATCH_BYTES_KEPT);
        self.replies.clear();
        self.replies.shrink_to(BATCH_BYTES_KEPT);
    }

    /// Adds a request; returns where its arguments are packed.
    #[inline]
    pub(super) fn pack(&mut self, request: Request<'_>) -> usize {
        pack(&mut self.bytes, request)
    }
}

/// Appends the lengths of the arguments, four bytes each, and then the arguments.
#[inline]
pub(super) fn pack(bytes: &mut Vec<u8>, request: Request<'_>) -> usize {
    let start = bytes.len();
    bytes.reserve(request.iter().map(|argument| argument.len() + 4).sum());
    for span in request.spans() {
        bytes.extend_from_slice(&span.len.to_le_bytes());
    }
    for argument in request.iter() {
        bytes.extend_from_slice(argument);
    }
    start
}

/// One argument of a packed request, if it has so many.
#[inline]
pub(super) fn packed_argument<'a>(bytes: &'a [u8], run: &Run, index: usize) -> Option<&'a [u8]> {
    let (lengths, data) = bytes[run.start..].split_at(run.arguments as usize * 4);
    let lengths = lengths.as_chunks::<4>().0;
    let length = u32::from_le_bytes(*lengths.get(index)?) as usize;
    let start: usize = lengths[..index].iter().map(|before| u32::from_le_bytes(*before) as usize).sum();
    Some(&data[start..start + length])
}

/// Reads what [`pack`] wrote; `spans` is room for the arguments' places.
#[inline]
pub(super) fn unpack<'a>(bytes: &'a [u8], start: usize, arguments: u32, spans: &'a mut Vec<Span>) -> Request<'a> {
    let packed = &bytes[start..];
    let (lengths, data) = packed.split_at(arguments as usize * 4);
    spans.clear();
    let mut at = 0;
    spans.extend(lengths.as_chunks::<4>().0.iter().map(|length| {
        let span = Span { start: at, len: u32::from_le_bytes(*length) };
        at += span.len;
        span
    }));
    Request::new(data, spans)
}

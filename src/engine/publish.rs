//! PUBLISH and SPUBLISH: from the publisher to the channel's home, and from there to the subscribers of every core.
//!
//! ```text
//!   publisher's core        home of the channel                 a core with subscribers
//!   ── Publish (credit) ──▶ counts the receivers
//!   ◀─ how many ──────────  ── Message (credit) ──────────────▶ its own subscribers get it
//!                           ◀─ nothing: the credit is back ───
//! ```
//!
//! The home sends the messages of a channel to a core in their order, so all subscribers see one order. It sends none
//! without credit: a message that one core has no credit for waits with the credit of the publisher's core, or with the
//! publisher's request if that is a client of the home, so publishers are held back by the slowest core that listens, and
//! no more messages wait than there are credits. Giving a message to subscribers waits for nothing, so credits come back.
//!
//! A subscriber that does not read holds nobody back: above the limit of its class it is closed.

use super::keyed::Outcome;
use super::mail::{Place, Rare};
use super::node::Handled;
use super::requests::Flow;
use super::{Deferred, Engine};
use crate::base::CoreId;
use crate::command::{Args, Command, CommandId};
use crate::limits::SUBSCRIBER_OUTPUT_BYTES_MAX;
use crate::pubsub::{Audience, Kind, Message, Name};
use crate::resp::{Output, Protocol, Reply};
use crate::session::{Session, State};

/// A message of another core that waits at its home.
#[derive(Debug)]
pub(super) struct Unpublished {
    from: CoreId,
    reply_to: Place,
    message: Message,
}

/// A message, and the pattern by which it was seen, if it was one.
pub(super) type OwnMessage = (Message, Option<Name>);

/// What has become of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Published {
    /// It was published, and so many have it or will have it.
    Here(u64),
    /// Its home replies.
    Mailed,
}

/// One message as each version of the protocol shows it, encoded when the first subscriber needs it.
#[derive(Debug, Default)]
pub(super) struct Frames {
    resp2: Output,
    resp3: Output,
}

impl Frames {
    fn clear(&mut self) {
        self.resp2.clear();
        self.resp3.clear();
    }

    fn get(&mut self, message: &Message, pattern: Option<&Name>, protocol: Protocol) -> &Output {
        let frame = match protocol {
            Protocol::Resp2 => &mut self.resp2,
            Protocol::Resp3 => &mut self.resp3,
        };
        if frame.is_empty() {
            message.write(pattern.map(|pattern| &**pattern), &mut Reply::new(frame, protocol));
        }
        frame
    }
}

/// Publishing.
impl Engine {
    /// PUBLISH and SPUBLISH.
    pub(super) fn publish_from(
        &mut self,
        session: &mut Session,
        command: &'static Command,
        args: &mut Args<'_>,
    ) -> Handled {
        let kind = if command.id == CommandId::Spublish { Kind::Shard } else { Kind::Channel };
        let message = Message::new(kind, args.next()?, args.next()?);
        let conn = session.conn;
        Ok(match self.publish(&message, || Place { conn, place: session.reserve_place() }) {
            Ok(Published::Here(receivers)) => self.answer(session, |_, reply| reply.integer(receivers as i64)),
            Ok(Published::Mailed) => {
                self.deferred = Deferred::Mail;
                if !session.pipeline.is_settled() {
                    // What follows could be published elsewhere, and be seen first.
                    session.state = State::Draining;
                }
                Flow::Next
            }
            Err(core) => self.after(session, Outcome::NoCredit(core)),
        })
    }

    /// Publishes a message, whether a client or this core itself has something to say. If the channel's home is another
    /// core, the number of receivers goes to the place that `reserve` makes ([`Place::NOBODY`] if nobody asks).
    ///
    /// # Errors
    /// The core that owes too many replies for the message to go on its way.
    pub(super) fn publish(&mut self, message: &Message, reserve: impl FnOnce() -> Place) -> Result<Published, CoreId> {
        let home = self.topology.core_of(message.channel());
        if home == self.core {
            let audience = self.reachable(message)?;
            self.send_to(audience, message);
            return Ok(Published::Here(audience.receivers));
        }
        let credit = self.port.reserve(home).ok_or(home)?;
        self.credits[home.index()].push(credit);
        self.stats.mail_requests += 1;
        self.write(home, Rare::Publish { reply_to: reserve(), message: message.clone() });
        Ok(Published::Mailed)
    }

    /// A message of another core has come home.
    pub(super) fn publish_for(&mut self, from: CoreId, reply_to: Place, message: Message) {
        self.unpublished.push_back(Unpublished { from, reply_to, message });
        self.publish_waiting();
    }

    /// Publishes what other cores have sent, as far as there is credit with those that have subscribers.
    pub(super) fn publish_waiting(&mut self) {
        while let Some(Unpublished { from, reply_to, message }) = self.unpublished.pop_front() {
            let Ok(audience) = self.reachable(&message) else {
                return self.unpublished.push_front(Unpublished { from, reply_to, message });
            };
            self.stats.served += 1;
            // The reply goes first: a publisher that is a subscriber too is answered before it gets its own message.
            self.reply_to(from, reply_to, |_, out| Reply::new(out, Protocol::Resp2).integer(audience.receivers as i64));
            self.send_to(audience, &message);
        }
    }

    /// Whom a message to a channel that is at home here is for.
    ///
    /// # Errors
    /// A core that has subscribers and owes too many replies.
    fn reachable(&self, message: &Message) -> Result<Audience, CoreId> {
        let audience = self.pubsub.audience(message.kind(), message.channel());
        match audience.others().find(|core| self.port.credits(*core) == 0) {
            None => Ok(audience),
            Some(core) => Err(core),
        }
    }

    /// Gives a message to subscribers of this core, and sends it to the others that have some; there is credit with them.
    fn send_to(&mut self, audience: Audience, message: &Message) {
        for core in audience.others() {
            self.credits[core.index()].extend(self.port.reserve(core));
            self.write(core, Rare::Message(message.clone()));
        }
        self.deliver(message);
    }
}

/// Receiving.
impl Engine {
    /// Gives a message to the subscribers of this core.
    pub(super) fn deliver(&mut self, message: &Message) {
        let limit = self.subscriber_output_max();
        let Self { pubsub, sessions, pool, frames, unsent, own_messages, .. } = self;
        let mut last_pattern: Option<&Name> = None;
        frames.clear();
        for (pattern, conn) in pubsub.receivers(message.kind(), message.channel()) {
            if pattern.map(|pattern| pattern.as_ptr()) != last_pattern.map(|pattern| pattern.as_ptr()) {
                last_pattern = pattern;
                frames.clear();
            }
            let Some(session) = sessions.get_mut(conn) else {
                // Whoever is neither there nor at work has left, and is about to be forgotten.
                if sessions.is_out(conn) {
                    own_messages.push((message.clone(), pattern.cloned()));
                }
                continue;
            };
            if session.overfull || session.state == State::Closing {
                continue;
            }
            session.pipeline.provide(|| Self::spare_output(pool));
            let frame = frames.get(message, pattern, session.protocol);
            session.pipeline.push(|out| out.append_range(frame, 0, frame.len()));
            session.overfull = session.output_bytes() > limit;
            if !session.listed {
                session.listed = true;
                unsent.push(conn);
            }
        }
        // A large message is shared with whoever has yet to send it, and with nobody else.
        frames.clear();
    }

    /// Gives a client the messages that came while its request was run: never in the middle of a reply, whatever the
    /// request was.
    #[cold]
    pub(super) fn take_own_messages(&mut self, session: &mut Session) {
        for (message, pattern) in self.own_messages.drain(..) {
            let (pattern, protocol) = (pattern.as_deref(), session.protocol);
            session.pipeline.push(|out| message.write(pattern, &mut Reply::new(out, protocol)));
        }
        session.overfull = session.output_bytes() > self.subscriber_output_max();
    }

    /// Output at which a subscriber is closed.
    fn subscriber_output_max(&self) -> usize {
        match self.config.output_limits.pubsub.hard_bytes {
            0 => SUBSCRIBER_OUTPUT_BYTES_MAX,
            limit => usize::try_from(limit).unwrap_or(usize::MAX),
        }
    }
}

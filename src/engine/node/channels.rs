//! PUBSUB: which channels have subscribers, and how many. Each core answers for the channels that are at home there.

use std::sync::Arc;

use super::subscribe::kind;
use super::{Ask, Gathered, Handled, Refused, Slice, Told};
use crate::base::{CoreId, glob_matches};
use crate::command::{Args, Command};
use crate::engine::Engine;
use crate::engine::mail::{Handle, Rare};
use crate::exec::scan::KeyList;
use crate::limits::SLICE_CHANNELS;
use crate::pubsub::{Kind, Name};
use crate::resp::Reply;
use crate::session::Session;

/// PUBSUB CHANNELS and SHARDCHANNELS for one core that are under way.
#[derive(Debug)]
pub(in crate::engine) struct ChannelsWalk {
    from: CoreId,
    handle: Handle,
    kind: Kind,
    pattern: Option<Box<[u8]>>,
    next: usize,
    found: KeyList,
}

/// The channels, each followed by how many subscribers it has.
pub(super) fn answer(names: &[Name], counts: &[u64], reply: &mut Reply<'_>) {
    reply.array(2 * names.len());
    for (name, count) in names.iter().zip(counts) {
        reply.bulk(name);
        reply.integer(*count as i64);
    }
}

impl Engine {
    /// `PUBSUB CHANNELS [pattern]` and SHARDCHANNELS.
    pub(super) fn channels(&mut self, session: &mut Session, command: &Command, args: &mut Args<'_>) -> Handled {
        if args.remaining() > 1 {
            return Err(Refused::Subcommand);
        }
        let ask = Ask::Channels { kind: kind(command.id), pattern: args.next().ok().map(Into::into) };
        Ok(self.ask_all(session, ask, Gathered::Keys(KeyList::default())))
    }

    /// PUBSUB NUMPAT: every core knows every pattern.
    pub(super) fn count_patterns(&mut self, session: &mut Session) -> Handled {
        let patterns = self.pubsub.names_at_home(Kind::Pattern);
        Ok(self.answer(session, |_, reply| reply.integer(patterns as i64)))
    }

    /// `PUBSUB NUMSUB [channel ...]` and SHARDNUMSUB.
    pub(super) fn count_subscribers(&mut self, session: &mut Session, command: &Command, args: &Args<'_>) -> Handled {
        let names: Arc<[Name]> = args.rest().iter().map(Name::from).collect();
        let counts = vec![0; names.len()];
        let ask = Ask::Subscribers { kind: kind(command.id), names: Arc::clone(&names) };
        Ok(self.ask_all(session, ask, Gathered::Subscribers { names, counts }))
    }

    /// Subscribers of the names that are at home here, in their order; 0 for the others.
    pub(super) fn subscribers(&self, kind: Kind, names: &[Name]) -> Told {
        Told::Subscribers(names.iter().map(|name| self.pubsub.subscribers(kind, name)).collect())
    }

    pub(super) fn begin_channels(&mut self, from: CoreId, handle: Handle, kind: Kind, pattern: Option<Box<[u8]>>) {
        let walk = ChannelsWalk { from, handle, kind, pattern, next: 0, found: KeyList::default() };
        self.slices.push_back(Slice::Channels(walk));
    }

    /// True when it is finished.
    pub(super) fn walk_channels(&mut self, walk: &mut ChannelsWalk) -> bool {
        let (names, next) = self.pubsub.range_at_home(walk.kind, walk.next, SLICE_CHANNELS);
        let matches = |name: &&Name| walk.pattern.as_ref().is_none_or(|pattern| glob_matches(pattern, name));
        names.filter(matches).for_each(|name| walk.found.push(name));
        if let Some(next) = next {
            walk.next = next;
            return false;
        }
        let told = Told::Keys(std::mem::take(&mut walk.found));
        self.write(walk.from, Rare::Told { handle: walk.handle, told });
        true
    }
}

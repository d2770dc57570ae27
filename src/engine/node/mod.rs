//! Commands that speak for the whole node: a question goes to every core, and the answers are joined.
//!
//! ```text
//! coordinator      every core, this one too
//!   ── Ask ───────▶ answers from its shard, its sessions or its counters, at once or in slices
//!   ◀─ Told ───────
//!   joins the answers; when the last has come, replies and lets the client go on
//! ```
//!
//! This file holds the questions and the answers; what each is about has a file of its own. FLUSHALL, FLUSHDB and SWAPDB
//! change every shard in one step, so they are transactions (`transact`). PUBLISH is asked of nobody (`publish`).
//!
//! Invariant: every question is answered by every core that was asked, so no client waits for ever.

mod channels;
mod clients;
#[cfg(test)]
mod collection_tests;
mod debug;
mod info;
#[cfg(test)]
mod key_event_tests;
mod keys;
mod latency;
mod memory;
#[cfg(test)]
mod memory_tests;
mod monitor;
#[cfg(test)]
mod pubsub_tests;
mod report;
mod settings;
mod shutdown;
mod slots;
mod slowlog;
mod subscribe;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::channels::ChannelsWalk;
pub(super) use self::clients::describe;
use self::clients::{ClientFilter, ClientsWalk};
use self::debug::Digest;
pub(super) use self::info::REDIS_VERSION;
use self::keys::{KeysWalk, ScanAsk};
use self::latency::LatencyTopic;
pub(super) use self::monitor::{WATCHER_REFUSED, Watchers};
use self::report::{CoreReport, Topic};
use self::settings::Pair;
pub(super) use self::slowlog::{Begun, Slow};
use self::subscribe::Leaving;
pub(super) use self::subscribe::{Change, is_for_subscribers};
use super::blocking::Ending;
use super::mail::{Handle, OwnedRequest, Place, Rare, StoredKey, WatchedKey};
use super::requests::Flow;
use super::{Engine, Pause};
use crate::base::{ClientId, CoreId, SlotId};
use crate::command::{Args, Command, CommandId};
use crate::config::Config;
use crate::exec::node::RandomKey;
use crate::exec::scan::{self, KeyList, ScanCursor};
use crate::keyspace::ScanPosition;
use crate::metrics::{Event, LatencyEvents, SlowEntry};
use crate::pubsub::{Kind, Name};
use crate::resp::{Output, Protocol, Reply, ReplyError, Request};
use crate::session::{Session, State};

/// A question to a core.
#[derive(Clone, Debug)]
pub(super) enum Ask {
    /// How many keys? (DBSIZE)
    Size { database: usize },
    /// Draw a key. (RANDOMKEY)
    RandomKey { database: usize },
    /// Which keys match? (KEYS)
    Keys { database: usize, pattern: Box<[u8]> },
    /// How many keys of a slot? Asked of its owner. (CLUSTER COUNTKEYSINSLOT)
    SlotSize { database: usize, slot: SlotId },
    /// Which keys of a slot, at most so many? Asked of its owner. (CLUSTER GETKEYSINSLOT)
    SlotKeys { database: usize, slot: SlotId, count: usize },
    /// Walk on from here. (SCAN)
    Scan(Box<ScanAsk>),
    /// Which clients match? (CLIENT LIST)
    Clients(Arc<ClientFilter>),
    /// Close the clients that match. (CLIENT KILL)
    Kill { filter: Arc<ClientFilter>, asker: ClientId },
    /// Hold commands back. (CLIENT PAUSE)
    Pause(Pause),
    /// Hold nothing back. (CLIENT UNPAUSE)
    Unpause,
    /// Let this client wait no more. (CLIENT UNBLOCK)
    Unblock { client: ClientId, ending: Ending },
    /// Apply these settings; asked of the first core alone, which decides their order. (CONFIG SET)
    Set(Arc<[Pair]>),
    /// From now on these settings hold, unless later ones do already.
    Configure(ConfigVersion),
    /// What have you counted? (INFO and its like)
    Report { clients: bool },
    /// Forget what you have counted. (CONFIG RESETSTAT)
    ResetCounters,
    /// The newest entries of your slow log. (SLOWLOG GET)
    SlowEntries { count: usize },
    /// How many entries are in it? (SLOWLOG LEN)
    SlowCount,
    /// Empty it. (SLOWLOG RESET)
    SlowReset,
    /// Which latency spikes were there? (LATENCY LATEST and its like)
    LatencyEvents,
    /// Forget those of these events, or of all. (LATENCY RESET)
    LatencyReset(Option<Box<[Event]>>),
    /// A client of the asking core wants to see every command. (MONITOR)
    Watch,
    /// Watch these keys, of which the asked core is the owner. (WATCH)
    WatchKeys(Vec<StoredKey>),
    /// Do nothing for so many microseconds. (DEBUG SLEEP)
    Stall {
        us: u64,
        /// The bells for the others have been rung.
        rung: bool,
    },
    /// Remove keys that are due without being asked for them, or do not. (DEBUG SET-ACTIVE-EXPIRE)
    ExpireActively(bool),
    /// Clients of the asking core have joined or left. (SUBSCRIBE, UNSUBSCRIBE and their like)
    Change(Change),
    /// Which channels that are at home with you have subscribers? (PUBSUB CHANNELS)
    Channels { kind: Kind, pattern: Option<Box<[u8]>> },
    /// How many subscribers do these have? (PUBSUB NUMSUB)
    Subscribers { kind: Kind, names: Arc<[Name]> },
    /// Describe the entry of a key; asked of its owner. (DEBUG OBJECT)
    Object { database: u16, protocol: Protocol, request: OwnedRequest },
    /// A digest of these keys, or of everything. (DEBUG DIGEST, DEBUG DIGEST-VALUE)
    Digest { database: u16, keys: Option<Arc<[Box<[u8]>]>> },
}

/// Settings and their number: later ones have a larger one, on every core.
#[derive(Clone, Debug)]
pub(super) struct ConfigVersion {
    pub(super) number: u64,
    pub(super) config: Arc<Config>,
}

/// An answer.
#[derive(Debug)]
pub(super) enum Told {
    /// It is done.
    Done,
    /// How many.
    Count(usize),
    /// To `RandomKey`.
    RandomKey(RandomKey),
    /// To `Keys`, `SlotKeys` and `Channels`.
    Keys(KeyList),
    /// To `Scan`: what was found, where to go on, and how many visits are left.
    Scan { found: KeyList, next: Option<ScanPosition>, left: usize },
    /// To `WatchKeys`: what they are like.
    Watching(Vec<WatchedKey>),
    /// To `Clients`: their ids and lines.
    Clients(Vec<(ClientId, String)>),
    /// To `Kill`: how many were closed, and whether the asker is to be closed too.
    Killed { count: usize, asker: bool },
    /// To `Set`: the settings, or the error's text.
    Set(Result<ConfigVersion, String>),
    /// The configuration file was rewritten, or the error's text.
    Rewritten(Result<(), String>),
    /// To `Report`.
    Report(Box<CoreReport>),
    /// To `SlowEntries`.
    SlowEntries(Vec<SlowEntry>),
    /// To `LatencyEvents`.
    LatencyEvents(LatencyEvents),
    /// To `LatencyReset`: those that were forgotten.
    Forgotten(Vec<Event>),
    /// The reply itself, encoded.
    Encoded(Output),
    /// To `Digest`.
    Digests(Vec<Digest>),
    /// To `Subscribers`: as many numbers as there are names.
    Subscribers(Vec<u64>),
}

/// A question that is under way, and what the cores have answered so far.
#[derive(Debug)]
pub(super) struct Question {
    client: Place,
    protocol: Protocol,
    awaiting: usize,
    gathered: Gathered,
    /// The command and when it began, if it is measured.
    pub(super) begun: Option<Box<Begun>>,
}

/// The answers so far, and thereby what the reply will be.
#[derive(Debug)]
pub(super) enum Gathered {
    /// OK when all have done it.
    Ok,
    /// The sum, or this if it is less.
    Sum {
        sum: usize,
        most: usize,
    },
    RandomKey(RandomKey),
    Keys(KeyList),
    Scan {
        cursor: ScanCursor,
        ask: Box<ScanAsk>,
        found: KeyList,
    },
    Clients(Vec<(ClientId, String)>),
    Watching(Vec<WatchedKey>),
    Killed {
        count: usize,
        asker: bool,
        by_address: bool,
    },
    Settings,
    Rewrite,
    Reports {
        topic: Topic,
        reports: Vec<CoreReport>,
    },
    SlowEntries {
        entries: Vec<SlowEntry>,
        count: usize,
    },
    Latency {
        topic: LatencyTopic,
        events: LatencyEvents,
    },
    Forgotten(Vec<Event>),
    Encoded(Output),
    Digests {
        digests: Vec<Digest>,
        of_values: bool,
    },
    /// What the client is told when all have heard.
    Confirmations {
        encoded: Output,
        /// The names by which it gets messages until then, if it leaves.
        leaving: Option<(Kind, Vec<Name>)>,
    },
    Subscribers {
        names: Arc<[Name]>,
        counts: Vec<u64>,
    },
}

/// Work on everything that a core has, which goes on in slices.
#[derive(Debug)]
pub(super) enum Slice {
    /// A KEYS for this core.
    Keys(KeysWalk),
    /// A CLIENT LIST.
    Clients(ClientsWalk),
    /// A PUBSUB CHANNELS.
    Channels(ChannelsWalk),
    /// A client that has left with many subscriptions.
    Leaving(Leaving),
}

/// Why a command is refused.
#[derive(Debug)]
pub(super) enum Refused {
    /// In fixed words.
    Error(ReplyError),
    /// In words that quote the client's.
    Text(String),
    /// A subcommand can make nothing of so many arguments.
    Subcommand,
}

impl From<ReplyError> for Refused {
    fn from(error: ReplyError) -> Self {
        Self::Error(error)
    }
}

impl From<String> for Refused {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// What the handler of a command has made of it.
pub(super) type Handled = Result<Flow, Refused>;

/// Asks.
impl Engine {
    /// A command that speaks for the whole node.
    pub(super) fn node_wide(&mut self, session: &mut Session, command: &'static Command, request: Request<'_>) -> Flow {
        if !self.is_alone(session) {
            return Flow::Hold;
        }
        let database = usize::from(session.database);
        let mut args = Args::new(command, request);
        let handled = match command.id {
            CommandId::Flushall | CommandId::Flushdb | CommandId::Swapdb => {
                Ok(self.on_several_shards(session, command, request))
            }
            CommandId::Exec => self.exec(session),
            CommandId::Watch => self.watch_keys(session, request),
            CommandId::Dbsize => Ok(self.ask_for_sum(session, Ask::Size { database }, usize::MAX)),
            CommandId::Randomkey => {
                Ok(self.ask_all(session, Ask::RandomKey { database }, Gathered::RandomKey(RandomKey::default())))
            }
            CommandId::Keys => {
                let pattern = args.next().unwrap_or_default().into();
                Ok(self.ask_all(session, Ask::Keys { database, pattern }, Gathered::Keys(KeyList::default())))
            }
            CommandId::Scan => self.scan(session, &mut args),
            CommandId::ClientKill => self.client_kill(session, &mut args),
            CommandId::ClientList => self.client_list(session, &mut args),
            CommandId::ClientPause => self.client_pause(session, &mut args),
            CommandId::ClientUnblock => self.client_unblock(session, &mut args),
            CommandId::ClientUnpause => Ok(self.ask_for_ok(session, Ask::Unpause)),
            CommandId::ClusterCountkeysinslot => self.count_keys_in_slot(session, &mut args),
            CommandId::ClusterGetkeysinslot => self.get_keys_in_slot(session, &mut args),
            CommandId::ConfigResetstat => Ok(self.ask_for_ok(session, Ask::ResetCounters)),
            CommandId::ConfigRewrite => self.config_rewrite(session),
            CommandId::ConfigSet => self.config_set(session, &mut args),
            CommandId::Debug => self.debug(session, &mut args),
            CommandId::Info => self.info(session, &args),
            CommandId::LatencyDoctor
            | CommandId::LatencyGraph
            | CommandId::LatencyHistogram
            | CommandId::LatencyHistory
            | CommandId::LatencyLatest
            | CommandId::LatencyReset => self.latency(session, command.id, &mut args),
            CommandId::MemoryDoctor => Ok(self.ask_reports(session, Topic::MemoryDoctor, true)),
            CommandId::MemoryStats => Ok(self.ask_reports(session, Topic::MemoryStats, true)),
            CommandId::Monitor => self.monitor(session),
            CommandId::Shutdown => self.shutdown(session, &mut args),
            CommandId::SlowlogGet => self.slowlog_get(session, &mut args),
            CommandId::SlowlogLen => {
                let most = self.slowlog_max();
                Ok(self.ask_for_sum(session, Ask::SlowCount, most))
            }
            CommandId::SlowlogReset => Ok(self.ask_for_ok(session, Ask::SlowReset)),
            CommandId::Publish | CommandId::Spublish => self.publish_from(session, command, &mut args),
            CommandId::Subscribe | CommandId::Psubscribe | CommandId::Ssubscribe => {
                self.subscribe(session, command, &args)
            }
            CommandId::Unsubscribe | CommandId::Punsubscribe | CommandId::Sunsubscribe => {
                self.unsubscribe(session, command, &args)
            }
            CommandId::PubsubChannels | CommandId::PubsubShardchannels => self.channels(session, command, &mut args),
            CommandId::PubsubNumpat => self.count_patterns(session),
            CommandId::PubsubNumsub | CommandId::PubsubShardnumsub => self.count_subscribers(session, command, &args),
            // `every_command_of_the_table_is_answered` holds that there is no other.
            _ => Err(ReplyError::Syntax.into()),
        };
        handled.unwrap_or_else(|refused| self.refuse_for(session, refused, request))
    }

    /// Asks every core; the session is busy until all have answered.
    fn ask_all(&mut self, session: &mut Session, ask: Ask, gathered: Gathered) -> Flow {
        let handle = self.question(session, self.topology.cores(), gathered);
        for core in self.topology.all() {
            self.write(core, Rare::Ask { handle, ask: ask.clone() });
        }
        Flow::Next
    }

    /// Asks one core.
    pub(super) fn ask_one(&mut self, session: &mut Session, core: CoreId, ask: Ask, gathered: Gathered) -> Flow {
        let handle = self.question(session, 1, gathered);
        self.write(core, Rare::Ask { handle, ask });
        Flow::Next
    }

    /// Has every core do something, and answers OK.
    fn ask_for_ok(&mut self, session: &mut Session, ask: Ask) -> Flow {
        self.ask_all(session, ask, Gathered::Ok)
    }

    /// Answers the sum of what every core counts, but never more than `most`.
    fn ask_for_sum(&mut self, session: &mut Session, ask: Ask, most: usize) -> Flow {
        self.ask_all(session, ask, Gathered::Sum { sum: 0, most })
    }

    /// Opens a question whose answer is the reply to the current request.
    pub(super) fn question(&mut self, session: &mut Session, awaiting: usize, gathered: Gathered) -> Handle {
        let place = session.reserve_place();
        self.open_question(session, place, awaiting, gathered)
    }

    /// The same with a place that was reserved already.
    fn open_question(&mut self, session: &mut Session, place: u32, awaiting: usize, gathered: Gathered) -> Handle {
        session.state = State::Busy;
        let client = Place { conn: session.conn, place };
        let question = Question { client, protocol: session.protocol, awaiting, gathered, begun: None };
        let handle = Handle(self.questions.insert(question) as u32);
        self.deferred = super::Deferred::Question(handle);
        handle
    }
}

/// Answers and joins.
impl Engine {
    /// A question has come.
    pub(super) fn asked(&mut self, from: CoreId, handle: Handle, ask: Ask) {
        let told = match ask {
            Ask::Size { database } => self.size(database),
            Ask::RandomKey { database } => self.draw_key(database),
            Ask::Keys { database, pattern } => {
                return self.slices.push_back(Slice::Keys(KeysWalk::new(from, handle, database, &pattern)));
            }
            Ask::SlotSize { database, slot } => self.slot_size(database, slot),
            Ask::SlotKeys { database, slot, count } => self.slot_keys(database, slot, count),
            Ask::Scan(ask) => self.scan_on(&ask),
            Ask::Clients(filter) => {
                return self.slices.push_back(Slice::Clients(ClientsWalk::new(from, handle, filter)));
            }
            Ask::Kill { filter, asker } => self.kill(&filter, asker),
            Ask::Pause(pause) => self.begin_pause(pause),
            Ask::Unpause => self.end_pause(),
            Ask::Unblock { client, ending } => match self.unblock((from, handle), client, ending) {
                Some(told) => told,
                None => return,
            },
            Ask::Set(pairs) => Told::Set(self.set(&pairs)),
            Ask::Configure(version) => self.configure(version),
            Ask::Report { clients } => self.report(clients),
            Ask::ResetCounters => self.reset_counters(),
            Ask::SlowEntries { count } => Told::SlowEntries(self.slowlog.newest(count)),
            Ask::SlowCount => Told::Count(self.slowlog.len()),
            Ask::SlowReset => {
                self.slowlog.clear();
                Told::Done
            }
            Ask::LatencyEvents => Told::LatencyEvents(self.latency_events.clone()),
            Ask::LatencyReset(events) => Told::Forgotten(
                self.latency_events.forget(|event| events.as_ref().is_none_or(|events| events.contains(&event))),
            ),
            Ask::Watch => self.watch(from),
            Ask::WatchKeys(keys) => return self.watch_for(from, handle, keys),
            Ask::Stall { us, rung } if rung || from != self.core => self.stall(us),
            // Bells leave at the end of the turn: the others are to stall at the same time, so this core waits a turn.
            Ask::Stall { us, .. } => {
                return self.write(from, Rare::Ask { handle, ask: Ask::Stall { us, rung: true } });
            }
            Ask::ExpireActively(active) => {
                self.expire_actively = active;
                Told::Done
            }
            Ask::Change(change) => {
                self.take_change(from, &change);
                Told::Done
            }
            Ask::Channels { kind, pattern } => return self.begin_channels(from, handle, kind, pattern),
            Ask::Subscribers { kind, names } => self.subscribers(kind, &names),
            Ask::Object { database, protocol, request } => self.object(database, protocol, &request),
            Ask::Digest { database, keys } => self.digests(database, keys.as_deref()),
        };
        self.write(from, Rare::Told { handle, told });
    }

    /// An answer has come.
    pub(super) fn told(&mut self, from: CoreId, handle: Handle, told: Told) {
        let Some(question) = self.questions.get_mut(handle.0 as usize) else { return };
        question.awaiting -= 1;
        match (&mut question.gathered, told) {
            (Gathered::Ok | Gathered::Confirmations { .. }, Told::Done) => {}
            (Gathered::Subscribers { counts, .. }, Told::Subscribers(more)) => {
                counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
            }
            (Gathered::Sum { sum, .. }, Told::Count(count)) => *sum += count,
            (Gathered::RandomKey(drawn), Told::RandomKey(other)) => {
                *drawn = std::mem::take(drawn).join(other, &mut self.rng);
            }
            (Gathered::Keys(keys), Told::Keys(other)) => keys.append(&other),
            (Gathered::Scan { cursor, ask, found }, Told::Scan { found: more, next, left }) => {
                found.append(&more);
                if let Some(on) = keys::scan_further(cursor, ask, next, left, self.topology.cores()) {
                    question.awaiting = 1;
                    let ask = Ask::Scan(ask.clone());
                    return self.write(on, Rare::Ask { handle, ask });
                }
            }
            (Gathered::Clients(clients), Told::Clients(more)) => clients.extend(more),
            (Gathered::Watching(watched), Told::Watching(more)) => watched.extend(more),
            (Gathered::Killed { count, asker, .. }, Told::Killed { count: more, asker: too }) => {
                *count += more;
                *asker |= too;
            }
            (Gathered::Settings, Told::Set(Ok(version))) => {
                // The first core has set them; now all the others.
                question.gathered = Gathered::Ok;
                question.awaiting = self.topology.cores() - 1;
                for core in self.topology.all().filter(|core| *core != from) {
                    self.write(core, Rare::Ask { handle, ask: Ask::Configure(version.clone()) });
                }
            }
            (Gathered::Settings, Told::Set(Err(text))) | (Gathered::Rewrite, Told::Rewritten(Err(text))) => {
                let mut error = Output::default();
                Reply::new(&mut error, question.protocol).error_text(&text);
                question.gathered = Gathered::Encoded(error);
            }
            (Gathered::Rewrite, Told::Rewritten(Ok(()))) => question.gathered = Gathered::Ok,
            (Gathered::Reports { reports, .. }, Told::Report(report)) => reports.push(*report),
            (Gathered::SlowEntries { entries, .. }, Told::SlowEntries(more)) => entries.extend(more),
            (Gathered::Latency { events, .. }, Told::LatencyEvents(more)) => events.join(&more),
            (Gathered::Forgotten(events), Told::Forgotten(more)) => events.extend(more),
            (Gathered::Encoded(reply), Told::Encoded(mut encoded)) => reply.append(&mut encoded),
            (Gathered::Digests { digests, .. }, Told::Digests(more)) => debug::join(digests, more),
            (gathered, told) => debug_assert!(false, "{told:?} does not answer {gathered:?}"),
        }
        if self.questions.get(handle.0 as usize).is_some_and(|question| question.awaiting == 0) {
            let question = self.questions.remove(handle.0 as usize);
            self.conclude_question(question);
        }
    }

    /// All answers have come: replies.
    fn conclude_question(&mut self, question: Question) {
        let Question { client, protocol, gathered, begun, .. } = question;
        let killed = matches!(gathered, Gathered::Killed { asker: true, .. });
        let mut out = std::mem::take(&mut self.scratch);
        let reply = &mut Reply::new(&mut out, protocol);
        match gathered {
            Gathered::Ok => reply.ok(),
            Gathered::Sum { sum, most } => reply.integer(i64::try_from(sum.min(most)).unwrap_or(i64::MAX)),
            Gathered::RandomKey(drawn) => drawn.answer(reply),
            Gathered::Keys(keys) => keys.answer(reply),
            Gathered::Scan { cursor, found, ask } => scan::answer(ask.goes_on().then_some(cursor), &found, reply),
            Gathered::Clients(clients) => clients::answer(clients, reply),
            Gathered::Watching(watched) => {
                self.now_watches(client.conn, watched);
                reply.ok();
            }
            Gathered::Killed { count, by_address, .. } => clients::answer_killed(count, by_address, reply),
            Gathered::Reports { topic, reports } => self.answer_reports(&topic, reports, reply),
            Gathered::SlowEntries { entries, count } => slowlog::answer(entries, count, reply),
            Gathered::Latency { topic, events } => latency::answer(topic, &events, self.now, reply),
            Gathered::Forgotten(events) => latency::answer_forgotten(events, reply),
            Gathered::Subscribers { names, counts } => channels::answer(&names, &counts, reply),
            Gathered::Confirmations { encoded, leaving } => {
                reply.raw_range(&encoded, 0, encoded.len());
                leaving.into_iter().for_each(|(kind, names)| self.unlist(client.conn, kind, &names));
            }
            Gathered::Encoded(encoded) => reply.raw_range(&encoded, 0, encoded.len()),
            Gathered::Digests { digests, of_values } => debug::answer_digests(&digests, of_values, reply),
            Gathered::Settings | Gathered::Rewrite => reply.error(ReplyError::Syntax),
        }
        self.note_error(&out, begun.as_deref());
        if let Some(begun) = begun {
            self.observe_end(client.conn, *begun);
        }
        self.conclude(client, out);
        if killed {
            self.close_after_reply(client.conn);
        }
    }

    /// Counts the reply to a question if it is an error.
    fn note_error(&mut self, reply: &Output, begun: Option<&Begun>) {
        let first = reply.pieces(0).next().unwrap_or_default();
        if let Some(line) = first.strip_prefix(b"-") {
            self.count_error(&String::from_utf8_lossy(line.trim_ascii_end()));
            if let Some(begun) = begun {
                self.stats.failures[begun.command.id.index()].failed += 1;
            }
        }
    }

    /// Goes on with work on everything that this core has, a bounded piece per turn.
    pub(super) fn work_in_slices(&mut self) {
        let Some(mut slice) = self.slices.pop_front() else { return };
        let finished = match &mut slice {
            Slice::Keys(walk) => self.walk_keys(walk),
            Slice::Clients(walk) => self.walk_clients(walk),
            Slice::Channels(walk) => self.walk_channels(walk),
            Slice::Leaving(leaving) => self.go_on_leaving(leaving),
        };
        if !finished {
            // Others get a slice before this one's next.
            self.slices.push_back(slice);
        }
    }
}

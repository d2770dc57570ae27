//! Subscribers and publishers on every core: one order per channel, nothing lost, nothing after the end.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use corewise::base::{Rng, glob_matches};
use corewise::config::Config;
use corewise::mesh::LendingMode;

use crate::node::{End, Node, Setup};
use crate::reply::{Reply, show_reply};

/// Channels, of which some core of four is the home of each, and patterns.
const CHANNELS: [&str; 6] = ["a", "b", "news", "chat", "x1", "x2"];
const PATTERNS: [&str; 3] = ["*", "?", "x*"];

/// Turns in which the node must come to rest when its clients have fallen silent.
const TURNS_TO_REST: usize = 20_000;

/// A name that a client is subscribed to; true for patterns.
type Subscription = (bool, String);

/// A subscriber, which has at most one request under way.
struct Subscriber {
    socket: usize,
    /// Since when each subscription is confirmed; 0 while it is not.
    held: BTreeMap<Subscription, u64>,
    /// Confirmations that are awaited: subscription, and whether it begins.
    awaited: VecDeque<(Subscription, bool)>,
    /// Subscriptions as its stream of frames tells.
    told: BTreeSet<Subscription>,
    /// When each subscription was confirmed, and when its end was asked for.
    spans: Vec<(Subscription, u64, u64)>,
    /// What it got: by which subscription, of which channel, which message.
    got: Vec<(Subscription, String, usize)>,
    gone: bool,
}

/// A message.
struct Published {
    channel: String,
    sent: u64,
    answered: Option<(u64, i64)>,
}

/// A publisher's socket and the messages that it has no reply for.
type Publisher = (usize, VecDeque<usize>);

struct Run {
    node: Node,
    rng: Rng,
    /// Counts what clients do and see, so that of any two things one came first.
    clock: u64,
    subscribers: Vec<Subscriber>,
    publishers: Vec<Publisher>,
    published: Vec<Published>,
    /// In some runs nobody leaves, so that every number can be checked.
    leaving: bool,
}

pub(crate) fn channels(seed: u64, traced: bool) -> Result<(), String> {
    let mut rng = Rng::with_seed(seed ^ 0x5B5C);
    let cores = rng.usize(1..=4);
    let lending = [LendingMode::Never, LendingMode::Usual, LendingMode::Always][rng.usize(..3)];
    let (lateness, leaving) = ([0, 20, 60][rng.usize(..3)], rng.bool());
    let mut node = Node::new(&Setup { seed, cores, lending, config: Config::default(), lateness });
    node.trace = traced.then(Vec::new);
    node.log(|| format!("{cores} cores, lending {lending:?}, lateness {lateness}"));
    let mut run =
        Run { node, rng, clock: 0, subscribers: Vec::new(), publishers: Vec::new(), published: Vec::new(), leaving };
    for number in 0..2 * cores {
        run.subscriber(number % cores);
        let socket = run.node.connect(number % cores);
        run.publishers.push((socket, VecDeque::new()));
    }
    let outcome = run.run(cores);
    run.node.print_trace();
    outcome
}

impl Run {
    fn run(&mut self, cores: usize) -> Result<(), String> {
        for _ in 0..400 {
            match self.rng.u8(..40) {
                0..12 => self.change(),
                12 => {
                    let core = self.rng.usize(..cores);
                    self.subscriber(core);
                }
                13 if self.leaving => self.leave(),
                _ => {
                    let (publisher, channel) =
                        (self.rng.usize(..self.publishers.len()), self.rng.usize(..CHANNELS.len()));
                    self.publish(publisher, CHANNELS[channel]);
                }
            }
            for _ in 0..self.rng.usize(..4) {
                self.step()?;
            }
        }
        self.settle()?;
        // Now that nothing changes, every number is exact.
        let first = self.published.len();
        for channel in CHANNELS {
            let publisher = self.rng.usize(..self.publishers.len());
            self.publish(publisher, channel);
        }
        self.settle()?;
        for published in &self.published[first..] {
            let held = self.subscribers.iter().filter(|subscriber| !subscriber.gone).flat_map(|one| one.held.keys());
            let receivers = held.filter(|subscription| covers(subscription, &published.channel)).count() as i64;
            if published.answered.map(|(_, count)| count) != Some(receivers) {
                return Err(format!("{} has {receivers} receivers: {:?}", published.channel, published.answered));
            }
        }
        self.check_numbers()?;
        self.check_losses()?;
        self.check_order()
    }

    fn subscriber(&mut self, core: usize) {
        let socket = self.node.connect(core);
        self.subscribers.push(Subscriber {
            socket,
            held: BTreeMap::new(),
            awaited: VecDeque::new(),
            told: BTreeSet::new(),
            spans: Vec::new(),
            got: Vec::new(),
            gone: false,
        });
    }

    /// A subscriber that has nothing under way asks for a change.
    fn change(&mut self) {
        self.clock += 1;
        let Self { rng, subscribers, node, clock, .. } = self;
        let number = rng.usize(..subscribers.len());
        let subscriber = &mut subscribers[number];
        if subscriber.gone || !subscriber.awaited.is_empty() {
            return;
        }
        let pattern = rng.u8(..4) == 0;
        let (all, joins): (&[&str], bool) = (if pattern { &PATTERNS } else { &CHANNELS }, rng.u8(..5) < 3);
        let count = if joins { rng.usize(1..=all.len()) } else { rng.usize(..=all.len()) };
        let mut names: Vec<String> =
            rng.choose_multiple(all.iter(), count).into_iter().map(|name| (*name).into()).collect();
        let verb = match (pattern, joins) {
            (false, true) => "SUBSCRIBE",
            (false, false) => "UNSUBSCRIBE",
            (true, true) => "PSUBSCRIBE",
            (true, false) => "PUNSUBSCRIBE",
        };
        node.send(subscriber.socket, format!("{verb} {}\r\n", names.join(" ")).as_bytes());
        if names.is_empty() {
            names = subscriber.held.keys().filter(|held| held.0 == pattern).map(|held| held.1.clone()).collect();
            if names.is_empty() {
                names.push(String::new());
            }
        }
        for name in names {
            let subscription = (pattern, name);
            if joins {
                subscriber.held.entry(subscription.clone()).or_insert(0);
            } else if let Some(since) = subscriber.held.remove(&subscription) {
                subscriber.spans.push((subscription.clone(), since, *clock));
            }
            subscriber.awaited.push_back((subscription, joins));
        }
    }

    fn leave(&mut self) {
        let number = self.rng.usize(..self.subscribers.len());
        let subscriber = &mut self.subscribers[number];
        if !subscriber.gone {
            subscriber.gone = true;
            self.node.end(subscriber.socket, End::Broken);
        }
    }

    fn publish(&mut self, publisher: usize, channel: &str) {
        self.clock += 1;
        let number = self.published.len();
        // Some are large enough to be shared rather than copied.
        let padding = if self.rng.u8(..20) == 0 { "x".repeat(17_000) } else { String::new() };
        let (socket, unanswered) = &mut self.publishers[publisher];
        self.node.send(*socket, format!("PUBLISH {channel} {number}:{padding}\r\n").as_bytes());
        unanswered.push_back(number);
        self.published.push(Published { channel: channel.into(), sent: self.clock, answered: None });
    }

    fn step(&mut self) -> Result<bool, String> {
        let goes_on = self.node.step()?;
        self.clock += 1;
        for (socket, unanswered) in &mut self.publishers {
            for reply in frames(&mut self.node.sockets[*socket].incoming)? {
                let (Reply::Integer(count), Some(number)) = (&reply, unanswered.pop_front()) else {
                    return Err(format!("PUBLISH answers {}", show_reply(&reply)));
                };
                self.published[number].answered = Some((self.clock, *count));
            }
        }
        for subscriber in &mut self.subscribers {
            for frame in frames(&mut self.node.sockets[subscriber.socket].incoming)? {
                subscriber.read(&frame, self.clock)?;
            }
        }
        Ok(goes_on)
    }

    fn settle(&mut self) -> Result<(), String> {
        for _ in 0..TURNS_TO_REST {
            if !self.step()? {
                self.node.check_rest()?;
                if self.subscribers.iter().any(|subscriber| !subscriber.gone && !subscriber.awaited.is_empty()) {
                    return Err("a subscriber awaits its confirmation, and the node rests".into());
                }
                return Ok(());
            }
        }
        Err(format!("the node does not come to rest: {}", self.node.describe()))
    }

    /// Whoever was counted has got the message.
    fn check_numbers(&self) -> Result<(), String> {
        if self.leaving {
            return Ok(());
        }
        let mut received = vec![0; self.published.len()];
        for (_, _, message) in self.subscribers.iter().flat_map(|subscriber| &subscriber.got) {
            received[*message] += 1;
        }
        for (message, published) in self.published.iter().enumerate() {
            let (_, counted) = published.answered.ok_or("a PUBLISH has no reply")?;
            if received[message] < counted {
                return Err(format!("PUBLISH counts {counted}, and {} have got {message}", received[message]));
            }
        }
        Ok(())
    }

    /// Whoever was subscribed all the while has got the message, once.
    fn check_losses(&self) -> Result<(), String> {
        for (number, subscriber) in self.subscribers.iter().enumerate() {
            let mut got = HashSet::new();
            for (subscription, _, message) in &subscriber.got {
                if !got.insert((subscription, *message)) {
                    return Err(format!("subscriber {number} gets {message} twice by {subscription:?}"));
                }
            }
            if subscriber.gone {
                continue;
            }
            let open = subscriber.held.iter().map(|(subscription, since)| (subscription, *since, u64::MAX));
            let closed = subscriber.spans.iter().map(|(subscription, since, end)| (subscription, *since, *end));
            for (subscription, since, end) in open.chain(closed) {
                for (message, published) in self.published.iter().enumerate() {
                    let (answered, _) = published.answered.ok_or("a PUBLISH has no reply")?;
                    let throughout = since > 0 && since < published.sent && answered < end;
                    if throughout && covers(subscription, &published.channel) && !got.contains(&(subscription, message))
                    {
                        return Err(format!("subscriber {number} misses {message} by {subscription:?}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// There is an order of each channel's messages that all subscribers agree with.
    fn check_order(&self) -> Result<(), String> {
        for channel in CHANNELS {
            let mut followers: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
            let mut leaders: BTreeMap<usize, usize> = BTreeMap::new();
            for subscriber in &self.subscribers {
                for pattern in [false, true] {
                    let seen = subscriber.got.iter().filter(|(by, of, _)| by.0 == pattern && of == channel);
                    let mut seen: Vec<usize> = seen.map(|(_, _, message)| *message).collect();
                    seen.dedup();
                    for pair in seen.windows(2) {
                        if followers.entry(pair[0]).or_default().insert(pair[1]) {
                            *leaders.entry(pair[1]).or_default() += 1;
                        }
                        leaders.entry(pair[0]).or_default();
                    }
                }
            }
            while let Some(first) = leaders.iter().find(|(_, before)| **before == 0).map(|(message, _)| *message) {
                leaders.remove(&first);
                for next in followers.remove(&first).unwrap_or_default() {
                    *leaders.entry(next).or_default() -= 1;
                }
            }
            if !leaders.is_empty() {
                return Err(format!("subscribers see messages of {channel} in different orders: {leaders:?}"));
            }
        }
        Ok(())
    }
}

impl Subscriber {
    fn read(&mut self, frame: &Reply, clock: u64) -> Result<(), String> {
        let wrong = || format!("a subscriber gets {}", show_reply(frame));
        let Reply::Array(parts) = frame else { return Err(wrong()) };
        let text = |part: &Reply| match part {
            Reply::Bulk(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => String::new(),
        };
        let kind = text(&parts[0]);
        if let "message" | "pmessage" = kind.as_str() {
            let (name, channel) = (text(&parts[1]), text(&parts[parts.len() - 2]));
            let subscription = (kind == "pmessage", name);
            let payload = text(&parts[parts.len() - 1]);
            let number = payload.split(':').next().and_then(|number| number.parse().ok()).ok_or_else(wrong)?;
            if !self.told.contains(&subscription) || !covers(&subscription, &channel) {
                return Err(format!("{} without a subscription", wrong()));
            }
            self.got.push((subscription, channel, number));
            return Ok(());
        }
        let (pattern, joins) = (kind.starts_with('p'), !kind.contains("unsub"));
        let subscription = (pattern, text(&parts[1]));
        let expected = self.awaited.iter().position(|(awaited, begins)| *awaited == subscription && *begins == joins);
        self.awaited.remove(expected.ok_or_else(wrong)?);
        if joins {
            self.told.insert(subscription.clone());
            let since = self.held.entry(subscription).or_insert(0);
            *since = if *since == 0 { clock } else { *since };
        } else {
            self.told.remove(&subscription);
        }
        if parts[2] != Reply::Integer(self.told.len() as i64) {
            return Err(format!("{} and has {:?}", wrong(), self.told));
        }
        Ok(())
    }
}

/// Whether a message to a channel comes by a subscription.
fn covers(subscription: &Subscription, channel: &str) -> bool {
    match subscription.0 {
        true => glob_matches(subscription.1.as_bytes(), channel.as_bytes()),
        false => subscription.1 == channel,
    }
}

/// The whole frames at the beginning of what a client has read.
fn frames(incoming: &mut Vec<u8>) -> Result<Vec<Reply>, String> {
    let (mut frames, mut at) = (Vec::new(), 0);
    while let Some((frame, len)) = Reply::read(&incoming[at..])? {
        at += len;
        frames.push(frame);
    }
    incoming.drain(..at);
    Ok(frames)
}

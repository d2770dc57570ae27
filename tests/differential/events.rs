//! What two servers tell of changes of keys (keyspace notifications), side by side.
//!
//! One connection to each server listens to all events. After each command, the reference is asked to publish a mark behind
//! its events; the other server, whose cores tell each for themselves, is listened to until as many events have come.
//! The events of each key must be the same in the same order, and so must all events together, in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use corewise_harness::{Client, Server, Value};

/// How long events may take that are missing.
const PATIENCE: Duration = Duration::from_secs(2);

/// What is listened to, and the channel of marks, which matches it too.
const PATTERN: &str = "__key*__:*";
const MARKS: &str = "__key marks__:";

/// Connections to each server that [`Listeners`] has.
pub(crate) const CONNECTIONS: usize = 2;

/// Channel and message of an event.
type Event = (Vec<u8>, Vec<u8>);

/// A connection to each server that listens, and one that speaks.
pub(crate) struct Listeners {
    listening: [Client; 2],
    speaking: [Client; 2],
    marks: u64,
}

impl Listeners {
    /// Has both servers tell everything.
    pub(crate) fn new(servers: &[Server; 2]) -> Self {
        let connect = || [servers[0].connect(), servers[1].connect()];
        let (mut listening, mut speaking) = (connect(), connect());
        for client in &mut speaking {
            assert_eq!(client.ask("CONFIG SET notify-keyspace-events KEAmn").to_string(), "+OK");
        }
        for client in &mut listening {
            assert!(!client.command(&["PSUBSCRIBE", PATTERN]).is_error());
        }
        Self { listening, speaking, marks: 0 }
    }

    /// What either server has told since this was last asked, if that differs.
    pub(crate) fn compare(&mut self) -> Option<[String; 2]> {
        self.marks += 1;
        let mark = self.marks.to_string();
        self.speaking[0].command(&["PUBLISH", MARKS, &mark]);
        let [theirs, ours] = &mut self.listening;
        let behind = (MARKS.as_bytes().to_vec(), mark.into_bytes());
        let expected: Vec<Event> =
            std::iter::from_fn(|| next(theirs, PATIENCE)).take_while(|event| *event != behind).collect();
        let mut told: Vec<Event> = Vec::new();
        while told.len() < expected.len()
            && let Some(event) = next(ours, PATIENCE)
        {
            told.push(event);
        }
        (order(&expected) != order(&told)).then(|| [show(&expected), show(&told)])
    }
}

fn next(client: &mut Client, patience: Duration) -> Option<Event> {
    let frame = client.try_reply_within(patience).ok().flatten()?;
    let [_, _, channel, message] = frame.items() else { panic!("a message of a pattern has four parts: {frame}") };
    let bytes = |value: &Value| value.bytes().expect("a string").to_vec();
    Some((bytes(channel), bytes(message)))
}

/// By channel of a key, its events in their order; by channel of an event, its keys in any order.
fn order(events: &[Event]) -> BTreeMap<&[u8], Vec<&[u8]>> {
    let mut by_channel: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    for (channel, message) in events {
        by_channel.entry(channel).or_default().push(message);
    }
    for (_, keys) in by_channel.iter_mut().filter(|(channel, _)| channel.starts_with(b"__keyevent")) {
        keys.sort_unstable();
    }
    by_channel
}

fn show(events: &[Event]) -> String {
    let of_keys = events.iter().filter(|(channel, _)| channel.starts_with(b"__keyspace"));
    let text = |(channel, event): &Event| format!("{} {}", channel.escape_ascii(), event.escape_ascii());
    format!("events [{}]", of_keys.map(text).collect::<Vec<_>>().join(", "))
}

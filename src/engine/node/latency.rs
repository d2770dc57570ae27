//! LATENCY: spikes of the whole node, and how the times of commands are distributed.

use std::fmt::Write;

use super::report::{Reports, Topic};
use super::{Ask, Gathered, Handled};
use crate::base::Now;
use crate::command::{Args, Command, CommandId, lookup};
use crate::engine::Engine;
use crate::metrics::{Event, EventHistory, LatencyEvents, Sample};
use crate::resp::Reply;
use crate::session::Session;

/// What the spikes are wanted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::engine) enum LatencyTopic {
    Latest,
    /// An event that does not exist has no history.
    History(Option<Event>),
    Graph(Event),
    /// Whether spikes are watched for at all.
    Doctor {
        watched: bool,
    },
}

impl Engine {
    pub(super) fn latency(&mut self, session: &mut Session, command: CommandId, args: &mut Args<'_>) -> Handled {
        let topic = match command {
            CommandId::LatencyHistogram => {
                let topic = Topic::Histogram(named_commands(args));
                return Ok(self.ask_reports(session, topic, false));
            }
            CommandId::LatencyReset => {
                let named = args.rest().iter().filter_map(Event::named).collect();
                let events = if args.is_empty() { None } else { Some(named) };
                return Ok(self.ask_all(session, Ask::LatencyReset(events), Gathered::Forgotten(Vec::new())));
            }
            CommandId::LatencyHistory => LatencyTopic::History(Event::named(args.next()?)),
            CommandId::LatencyGraph => {
                let name = args.next()?;
                let event = Event::named(name).ok_or_else(|| no_samples(&String::from_utf8_lossy(name)))?;
                LatencyTopic::Graph(event)
            }
            CommandId::LatencyLatest => LatencyTopic::Latest,
            _ => LatencyTopic::Doctor { watched: self.config.latency_threshold_ms > 0 },
        };
        let gathered = Gathered::Latency { topic, events: LatencyEvents::default() };
        Ok(self.ask_all(session, Ask::LatencyEvents, gathered))
    }
}

fn no_samples(event: &str) -> String {
    format!("ERR No samples available for event '{event}'")
}

/// The commands that are named, a container's name standing for its subcommands; all if none is.
fn named_commands(args: &Args<'_>) -> Vec<CommandId> {
    if args.is_empty() {
        return CommandId::all().collect();
    }
    let with_subcommands =
        |command: &'static Command| std::iter::once(command).chain(command.subcommands).map(|command| command.id);
    let mut commands: Vec<CommandId> = Vec::new();
    for id in args.rest().iter().filter_map(lookup).flat_map(with_subcommands) {
        if !commands.contains(&id) {
            commands.push(id);
        }
    }
    commands
}

pub(super) fn answer(topic: LatencyTopic, events: &LatencyEvents, now: Now, reply: &mut Reply<'_>) {
    match topic {
        LatencyTopic::Latest => {
            reply.array(events.iter().len());
            for history in events.iter() {
                let latest = history.samples.back().copied().unwrap_or(Sample { at_s: 0, latency_ms: 0 });
                reply.array(4);
                reply.bulk(history.event.name().as_bytes());
                reply.integer(latest.at_s as i64);
                reply.integer(latest.latency_ms as i64);
                reply.integer(history.worst_ms as i64);
            }
        }
        LatencyTopic::History(event) => {
            let samples: Vec<Sample> = event
                .and_then(|event| events.get(event))
                .iter()
                .flat_map(|history| &history.samples)
                .copied()
                .collect();
            reply.array(samples.len());
            for sample in samples {
                reply.array(2);
                reply.integer(sample.at_s as i64);
                reply.integer(sample.latency_ms as i64);
            }
        }
        LatencyTopic::Graph(event) => match events.get(event) {
            Some(history) => reply.verbatim("txt", &graph(history, now)),
            None => reply.error_text(&no_samples(event.name())),
        },
        LatencyTopic::Doctor { watched } => reply.verbatim("txt", &diagnosis(events, watched)),
    }
}

/// How many kinds of events were forgotten, on whatever cores.
pub(super) fn answer_forgotten(mut events: Vec<Event>, reply: &mut Reply<'_>) {
    events.sort_unstable();
    events.dedup();
    reply.integer(events.len() as i64);
}

pub(super) fn answer_histogram(commands: &[CommandId], reports: &Reports, reply: &mut Reply<'_>) {
    let times = reports.times();
    let measured: Vec<_> = commands.iter().filter_map(|id| Some((*id, times.of(id.index())?))).collect();
    reply.map(measured.len());
    for (id, times) in measured {
        let calls = reports.calls(id).max(times.samples());
        let rising = times.by_powers_of_two(calls);
        reply.bulk(id.command().name.as_bytes());
        reply.map(2);
        reply.bulk(b"calls");
        reply.integer(calls as i64);
        reply.bulk(b"histogram_usec");
        reply.map(rising.len());
        for (upto_us, count) in rising {
            reply.integer(upto_us as i64);
            reply.integer(count as i64);
        }
    }
}

/// Bars of the latest spikes from left to right, and under each, downwards, how long ago it was.
fn graph(history: &EventHistory, now: Now) -> String {
    const WIDTH: usize = 80;
    const ROWS: u64 = 4;
    let latencies = || history.samples.iter().map(|sample| sample.latency_ms);
    let (high, low) = (latencies().max().unwrap_or_default(), latencies().min().unwrap_or_default());
    let mut text = format!(
        "{} - high {high} ms, low {low} ms (all time high {} ms)\n{}\n",
        history.event.name(),
        history.worst_ms,
        "-".repeat(WIDTH)
    );
    let shown = history.samples.iter().skip(history.samples.len().saturating_sub(WIDTH));
    // Three marks per row, from the lowest spike to the highest.
    let levels = ROWS * 3 - 1;
    let level = |latency: u64| (latency - low) * levels / (high - low).max(1);
    for row in (0..ROWS).rev() {
        for sample in shown.clone() {
            text.push(match level(sample.latency_ms).checked_sub(row * 3) {
                None => ' ',
                Some(0) => '_',
                Some(1) => 'o',
                Some(2) => '#',
                Some(_) => '|',
            });
        }
        text.push('\n');
    }
    let ages: Vec<Vec<char>> = shown.map(|sample| age(sample.at_s, now).chars().collect()).collect();
    for row in 0..ages.iter().map(Vec::len).max().unwrap_or_default() {
        text.push('\n');
        text.extend(ages.iter().map(|age| age.get(row).copied().unwrap_or(' ')));
    }
    text.push('\n');
    text
}

fn age(at_s: u64, now: Now) -> String {
    match (now.unix_us / 1_000_000).saturating_sub(at_s) {
        seconds @ 0..60 => format!("{seconds}s"),
        seconds @ 60..3_600 => format!("{}m", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// What can be said about the spikes that were seen.
fn diagnosis(events: &LatencyEvents, watched: bool) -> String {
    if events.iter().len() == 0 {
        return if watched {
            "No latency spike was seen since the start or the last LATENCY RESET.\n".to_owned()
        } else {
            "Latency spikes are not watched for. Set latency-monitor-threshold to the milliseconds from which something \
             is a spike: CONFIG SET latency-monitor-threshold 100.\n"
                .to_owned()
        };
    }
    let mut text = "Latency spikes were seen:\n\n".to_owned();
    for (number, history) in events.iter().enumerate() {
        let spikes = history.samples.len().max(1) as u64;
        let mean = history.samples.iter().map(|sample| sample.latency_ms).sum::<u64>() / spikes;
        // Writing to a string does not fail.
        _ = writeln!(
            text,
            "{}. {}: {spikes} latency spikes (average {mean}ms). Worst all time event {}ms.",
            number + 1,
            history.event.name(),
            history.worst_ms
        );
    }
    text.push_str(
        "\nSLOWLOG GET shows which commands took long. INFO commandstats shows which are slow in general, and INFO cores \
         the longest turn of each core: if that is long although no command is, look for other work on its CPU.\n",
    );
    text
}

//! Latency spikes: LATENCY LATEST, HISTORY, GRAPH and DOCTOR.

use std::collections::VecDeque;

use crate::limits::LATENCY_SAMPLES_MAX;

/// What took long.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    /// A command.
    Command,
    /// A command that the table calls fast.
    FastCommand,
}

impl Event {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Command, Self::FastCommand];

    /// The name that clients know.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::FastCommand => "fast-command",
        }
    }

    /// The event of a name, in any case.
    pub fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|event| name.eq_ignore_ascii_case(event.name().as_bytes()))
    }
}

/// The worst spike within one second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Sample {
    /// Seconds since 1970.
    pub at_s: u64,
    /// Milliseconds that it took.
    pub latency_ms: u64,
}

/// The latest spikes of one event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventHistory {
    /// What took long.
    pub event: Event,
    /// Oldest first, one per second, at most [`LATENCY_SAMPLES_MAX`].
    pub samples: VecDeque<Sample>,
    /// The worst of all times, in milliseconds.
    pub worst_ms: u64,
}

impl EventHistory {
    fn new(event: Event) -> Self {
        Self { event, samples: VecDeque::new(), worst_ms: 0 }
    }

    fn add(&mut self, sample: Sample) {
        self.worst_ms = self.worst_ms.max(sample.latency_ms);
        match self.samples.back_mut() {
            Some(last) if last.at_s == sample.at_s => last.latency_ms = last.latency_ms.max(sample.latency_ms),
            _ => {
                if self.samples.len() == LATENCY_SAMPLES_MAX {
                    self.samples.pop_front();
                }
                self.samples.push_back(sample);
            }
        }
    }

    /// Adds what another core has seen.
    fn join(&mut self, other: &Self) {
        let mut all: Vec<Sample> = self.samples.iter().chain(&other.samples).copied().collect();
        all.sort_unstable();
        let worst_ms = self.worst_ms.max(other.worst_ms);
        *self = Self::new(self.event);
        all.into_iter().for_each(|sample| self.add(sample));
        self.worst_ms = worst_ms;
    }
}

/// The spikes of every event.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LatencyEvents {
    events: Vec<EventHistory>,
}

impl LatencyEvents {
    /// Takes note of a spike.
    pub fn add(&mut self, event: Event, sample: Sample) {
        self.history(event).add(sample);
    }

    /// Adds what another core has seen.
    pub fn join(&mut self, other: &Self) {
        other.events.iter().for_each(|history| self.history(history.event).join(history));
    }

    /// Forgets the events that `chosen` picks; returns those that there were.
    pub fn forget(&mut self, chosen: impl Fn(Event) -> bool) -> Vec<Event> {
        let gone = self.events.iter().map(|history| history.event).filter(|event| chosen(*event)).collect();
        self.events.retain(|history| !chosen(history.event));
        gone
    }

    /// The events that were seen.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &EventHistory> {
        self.events.iter()
    }

    /// One event, if it was seen.
    pub fn get(&self, event: Event) -> Option<&EventHistory> {
        self.events.iter().find(|history| history.event == event)
    }

    fn history(&mut self, event: Event) -> &mut EventHistory {
        let index = match self.events.iter().position(|history| history.event == event) {
            Some(index) => index,
            None => {
                self.events.push(EventHistory::new(event));
                self.events.len() - 1
            }
        };
        &mut self.events[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_s: u64, latency_ms: u64) -> Sample {
        Sample { at_s, latency_ms }
    }

    #[test]
    fn a_second_keeps_its_worst_and_cores_are_joined() {
        let (mut one, mut other) = (LatencyEvents::default(), LatencyEvents::default());
        one.add(Event::Command, sample(1, 5));
        one.add(Event::Command, sample(1, 9));
        one.add(Event::Command, sample(3, 2));
        other.add(Event::Command, sample(2, 7));
        other.add(Event::Command, sample(3, 4));
        other.add(Event::FastCommand, sample(2, 1));
        one.join(&other);
        let command = one.get(Event::Command).unwrap();
        assert_eq!(command.samples, [sample(1, 9), sample(2, 7), sample(3, 4)]);
        assert_eq!((command.worst_ms, one.iter().len()), (9, 2));
        assert_eq!(one.forget(|event| event == Event::Command), [Event::Command]);
        assert_eq!(one.iter().len(), 1);
    }

    #[test]
    fn a_history_is_bounded() {
        let mut events = LatencyEvents::default();
        for second in 0..3 * LATENCY_SAMPLES_MAX as u64 {
            events.add(Event::Command, sample(second, 1 + second));
        }
        let other = events.clone();
        events.join(&other);
        let history = events.get(Event::Command).unwrap();
        assert_eq!(history.samples.len(), LATENCY_SAMPLES_MAX);
        assert_eq!(history.samples.back().unwrap().latency_ms, history.worst_ms);
    }
}

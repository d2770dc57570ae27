//! The commands that a client has queued behind MULTI.

use crate::command::{Command, CommandId, Flags};
use crate::resp::{Request, Span};

/// Queued commands, their arguments copied one behind the other.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    commands: Vec<Queued>,
    data: Vec<u8>,
    spans: Vec<Span>,
    flags: Flags,
    refused: bool,
}

#[derive(Clone, Copy, Debug)]
struct Queued {
    command: CommandId,
    /// Where its arguments end in `data` and in `spans`; they begin where those of the one before it end.
    data_end: usize,
    spans_end: usize,
}

impl Queue {
    /// Adds a command.
    pub fn push(&mut self, command: &Command, request: Request<'_>) {
        let start = self.data.len();
        for argument in request.iter() {
            self.spans.push(Span { start: (self.data.len() - start) as u32, len: argument.len() as u32 });
            self.data.extend_from_slice(argument);
        }
        self.flags = self.flags.with(command.flags);
        self.commands.push(Queued { command: command.id, data_end: self.data.len(), spans_end: self.spans.len() });
    }

    /// Takes note that a command was refused: then none will run.
    pub fn refuse(&mut self) {
        self.refused = true;
    }

    /// Whether a command was refused.
    pub fn is_refused(&self) -> bool {
        self.refused
    }

    /// Queued commands.
    pub fn len(&self) -> usize {
        self.commands.len()
    }

    /// Whether nothing is queued.
    pub fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    /// Whether one of the commands may change the keyspace.
    pub fn is_write(&self) -> bool {
        self.flags.contains(Flags::WRITE)
    }

    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        self.data.capacity()
            + self.spans.capacity() * size_of::<Span>()
            + self.commands.capacity() * size_of::<Queued>()
    }

    /// A command and its arguments, if there are so many.
    pub fn get(&self, index: usize) -> Option<(&'static Command, Request<'_>)> {
        let Queued { command, data_end, spans_end } = *self.commands.get(index)?;
        let before = index.checked_sub(1).map(|before| self.commands[before]);
        let (data, spans) = before.map_or((0, 0), |before| (before.data_end, before.spans_end));
        Some((command.command(), Request::new(&self.data[data..data_end], &self.spans[spans..spans_end])))
    }

    /// The commands in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Command, Request<'_>)> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::lookup;

    fn push(queue: &mut Queue, words: &[&str]) {
        let data = words.join("\r\n");
        let mut start = 0;
        let spans: Vec<Span> = words
            .iter()
            .map(|word| {
                let span = Span { start, len: word.len() as u32 };
                start += span.len + 2;
                span
            })
            .collect();
        let command = lookup(words[0].as_bytes()).expect("a command");
        queue.push(command, Request::new(data.as_bytes(), &spans));
    }

    #[test]
    fn what_is_queued_comes_out_as_it_went_in() {
        let mut queue = Queue::default();
        let lines: [&[&str]; 4] = [&["PING"], &["SET", "key", ""], &["GET", "key"], &["MGET", "a", "", "ccc"]];
        assert!(queue.is_empty() && !queue.is_write());
        for (count, line) in lines.iter().enumerate() {
            assert_eq!(queue.len(), count);
            push(&mut queue, line);
        }
        let shown = |request: Request<'_>| -> Vec<String> {
            request.iter().map(|argument| String::from_utf8_lossy(argument).into_owned()).collect()
        };
        for ((command, request), line) in queue.iter().zip(lines) {
            assert_eq!(shown(request), line);
            assert!(command.name.eq_ignore_ascii_case(line[0]));
        }
        assert!(queue.is_write() && queue.get(4).is_none());
        assert!(queue.memory_bytes() >= "PINGSETkeyGETkeyMGETaccc".len());
    }
}

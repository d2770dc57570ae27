//! Framing and the map: the least that a GET and a SET need.

use hashbrown::HashMap;

/// All data of the floor.
#[derive(Default)]
pub(crate) struct Store {
    map: HashMap<Box<[u8]>, Box<[u8]>, ahash::RandomState>,
}

/// The first arguments of a request; the floor needs no more.
type Arguments<'a> = [&'a [u8]; 3];

impl Store {
    /// Answers every complete request at the head of `input` and says how many bytes they were.
    pub(crate) fn answer(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let mut used = 0;
        let mut arguments: Arguments<'_> = [&[]; 3];
        while let Some((count, len)) = frame(&input[used..], &mut arguments) {
            self.run(&arguments[..count.min(3)], out);
            used += len;
        }
        used
    }

    fn run(&mut self, arguments: &[&[u8]], out: &mut Vec<u8>) {
        match arguments {
            [name, key] if name.eq_ignore_ascii_case(b"get") => match self.map.get(*key) {
                Some(value) => bulk(out, value),
                None => out.extend_from_slice(b"$-1\r\n"),
            },
            [name, key, value] if name.eq_ignore_ascii_case(b"set") => {
                match self.map.get_mut(*key) {
                    Some(place) if place.len() == value.len() => place.copy_from_slice(value),
                    Some(place) => *place = (*value).into(),
                    None => drop(self.map.insert((*key).into(), (*value).into())),
                }
                out.extend_from_slice(b"+OK\r\n");
            }
            [name] if name.eq_ignore_ascii_case(b"ping") => out.extend_from_slice(b"+PONG\r\n"),
            [name, ..] if name.eq_ignore_ascii_case(b"config") => out.extend_from_slice(b"*2\r\n$0\r\n\r\n$0\r\n\r\n"),
            _ => out.extend_from_slice(b"-ERR unknown command\r\n"),
        }
    }
}

fn bulk(out: &mut Vec<u8>, value: &[u8]) {
    out.reserve(value.len() + 32);
    out.push(b'$');
    out.extend_from_slice(itoa::Buffer::new().format(value.len()).as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The request at the head of `input`: how many arguments, and how many bytes. None if it is not complete. The floor
/// trusts its clients; a line without an asterisk is a command without arguments.
fn frame<'a>(input: &'a [u8], arguments: &mut Arguments<'a>) -> Option<(usize, usize)> {
    let first = *input.first()?;
    if first != b'*' {
        let end = memchr::memchr(b'\n', input)?;
        arguments[0] = input[..end].trim_ascii();
        return Some((1, end + 1));
    }
    let (count, mut at) = number(input, 1)?;
    for index in 0..count {
        let (len, start) = number(input, at + 1)?;
        at = start + len + 2;
        if at > input.len() {
            return None;
        }
        if let Some(argument) = arguments.get_mut(index) {
            *argument = &input[start..start + len];
        }
    }
    Some((count, at))
}

/// The decimal number from `at` on, and where the line behind it begins.
fn number(input: &[u8], mut at: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    loop {
        match *input.get(at)? {
            b'\r' => break,
            digit => value = value * 10 + usize::from(digit & 15),
        }
        at += 1;
    }
    (at + 2 <= input.len()).then_some((value, at + 2))
}

//! `notify-keyspace-events`: which changes of keys are told to subscribers, and on which channels.

use super::value::{Codec, Mistake};

/// A class of events.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum EventClass {
    /// `g`: commands that any type has, such as DEL and EXPIRE.
    Generic = 1 << 0,
    /// `$`: strings.
    String = 1 << 1,
    /// `l`: lists.
    List = 1 << 2,
    /// `s`: sets.
    Set = 1 << 3,
    /// `h`: hashes.
    Hash = 1 << 4,
    /// `z`: sorted sets.
    SortedSet = 1 << 5,
    /// `x`: keys that fell due.
    Expired = 1 << 6,
    /// `e`: keys that made room.
    Evicted = 1 << 7,
    /// `t`: streams; nothing is of this class yet.
    Stream = 1 << 8,
    /// `d`: types of modules; nothing is of this class.
    Module = 1 << 9,
    /// `n`: keys that were not there before.
    New = 1 << 10,
    /// `m`: reads of keys that are not there.
    Miss = 1 << 11,
}

/// Letters of the classes that `A` stands for, in the order in which Redis prints them.
const CLASSES: [(u8, EventClass); 10] = [
    (b'g', EventClass::Generic),
    (b'$', EventClass::String),
    (b'l', EventClass::List),
    (b's', EventClass::Set),
    (b'h', EventClass::Hash),
    (b'z', EventClass::SortedSet),
    (b'x', EventClass::Expired),
    (b'e', EventClass::Evicted),
    (b't', EventClass::Stream),
    (b'd', EventClass::Module),
];

/// What `A` stands for.
const ALL: u16 = {
    let (mut all, mut at) = (0, 0);
    while at < CLASSES.len() {
        all |= CLASSES[at].1 as u16;
        at += 1;
    }
    all
};

const BY_KEY: u16 = 1 << 12;
const BY_EVENT: u16 = 1 << 13;

/// Which events are published, and where. The default is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyEvents(u16);

impl KeyEvents {
    /// Whether events of a class are published anywhere.
    #[inline]
    pub const fn has(self, class: EventClass) -> bool {
        self.0 & class as u16 != 0 && self.0 & (BY_KEY | BY_EVENT) != 0
    }

    /// Whether they go to the channel of their key (`K`).
    pub const fn by_key(self) -> bool {
        self.0 & BY_KEY != 0
    }

    /// Whether they go to the channel of their name (`E`).
    pub const fn by_event(self) -> bool {
        self.0 & BY_EVENT != 0
    }

    /// The same without one class.
    #[must_use]
    pub const fn without(self, class: EventClass) -> Self {
        Self(self.0 & !(class as u16))
    }
}

/// Letters in any order; none for no events.
pub(super) struct EventLetters;

impl Codec for EventLetters {
    type Value = KeyEvents;

    fn parse(&self, text: &str, _current: Option<&KeyEvents>) -> Result<KeyEvents, Mistake> {
        let mut flags = 0;
        for letter in text.bytes() {
            flags |= match letter {
                b'A' => ALL,
                b'K' => BY_KEY,
                b'E' => BY_EVENT,
                b'n' => EventClass::New as u16,
                b'm' => EventClass::Miss as u16,
                letter => match CLASSES.iter().find(|(other, _)| *other == letter) {
                    Some((_, class)) => *class as u16,
                    None => {
                        let reason = "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.";
                        return Err(Mistake::Refused(reason.to_owned()));
                    }
                },
            };
        }
        Ok(KeyEvents(flags))
    }

    /// As Redis prints it: behind `A` it leaves `n` out.
    fn print(&self, value: &KeyEvents) -> String {
        let has = |flag: u16| value.0 & flag == flag;
        let mut text = String::new();
        if has(ALL) {
            text.push('A');
        } else {
            text.extend(CLASSES.iter().filter(|(_, class)| has(*class as u16)).map(|(letter, _)| char::from(*letter)));
            text.extend(has(EventClass::New as u16).then_some('n'));
        }
        text.extend(has(BY_KEY).then_some('K'));
        text.extend(has(BY_EVENT).then_some('E'));
        text.extend(has(EventClass::Miss as u16).then_some('m'));
        text
    }

    /// A file has to bring `n` back too.
    fn lines(&self, value: &KeyEvents) -> Vec<String> {
        let hides_new = value.0 & ALL == ALL && value.0 & EventClass::New as u16 != 0;
        vec![self.print(value) + if hides_new { "n" } else { "" }]
    }

    fn placeholder(&self) -> &'static str {
        "CLASSES"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_printed_in_the_order_of_redis() {
        for (given, printed, line) in [
            ("", "", ""),
            ("KEA", "AKE", "AKE"),
            ("gK", "gK", "gK"),
            ("EKgxt", "gxtKE", "gxtKE"),
            ("K$g", "g$K", "g$K"),
            ("Kn", "nK", "nK"),
            ("xmtndK", "xtdnKm", "xtdnKm"),
            ("KEAmn", "AKEm", "AKEmn"),
            ("g$lshzxetdKE", "AKE", "AKE"),
        ] {
            let value = EventLetters.parse(given, None).unwrap();
            assert_eq!(EventLetters.print(&value), printed, "{given}");
            assert_eq!(EventLetters.lines(&value), [line], "{given}");
            assert_eq!(EventLetters.parse(line, None).unwrap(), value, "{given}");
        }
        for wrong in ["Q", "K E", "k", "KEé"] {
            let mistake = EventLetters.parse(wrong, None).unwrap_err();
            assert_eq!(mistake.to_string(), "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
        }
    }

    #[test]
    fn without_a_kind_of_channel_there_is_nothing_to_publish() {
        let has = |text: &str, class| EventLetters.parse(text, None).unwrap().has(class);
        assert!(!has("A", EventClass::Generic) && has("KA", EventClass::Generic) && has("Eg", EventClass::Generic));
        assert!(!has("KEA", EventClass::New) && !has("KEA", EventClass::Miss) && has("Em", EventClass::Miss));
        let value = EventLetters.parse("KA", None).unwrap().without(EventClass::Expired);
        assert!(!value.has(EventClass::Expired) && value.has(EventClass::Evicted));
    }
}

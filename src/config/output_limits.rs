//! `client-output-buffer-limit`: how much a client that does not read may leave unsent before it is closed.

use super::value::{Arguments, Codec, Mistake, memory, memory_in_words};

/// The bounds of one class of clients; 0 is no bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OutputLimit {
    /// Bytes at which the client is closed at once.
    pub hard_bytes: u64,
    /// Bytes above which the client is closed after `soft_s` seconds.
    pub soft_bytes: u64,
    /// Seconds that a client may stay above `soft_bytes`.
    pub soft_s: u32,
}

/// The bounds of every class.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OutputLimits {
    /// Clients that ask and are answered.
    pub normal: OutputLimit,
    /// Replicas.
    pub replica: OutputLimit,
    /// Clients that have a subscription.
    pub pubsub: OutputLimit,
}

impl OutputLimits {
    fn class_mut(&mut self, name: &str) -> Option<&mut OutputLimit> {
        match name.to_ascii_lowercase().as_str() {
            "normal" => Some(&mut self.normal),
            "replica" | "slave" => Some(&mut self.replica),
            "pubsub" => Some(&mut self.pubsub),
            _ => None,
        }
    }
}

/// Groups of class, hard limit, soft limit, seconds; a class that is not named stays as it was.
pub(super) struct ClassLimits;

impl Codec for ClassLimits {
    type Value = OutputLimits;

    fn parse(&self, text: &str, current: Option<&OutputLimits>) -> Result<OutputLimits, Mistake> {
        let mut limits = current.copied().unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        let (groups, rest) = words.as_chunks::<4>();
        if !rest.is_empty() {
            return Err(refused("Wrong number of arguments in buffer limit configuration."));
        }
        for [class, hard, soft, seconds] in groups {
            let class = limits
                .class_mut(class)
                .ok_or_else(|| refused("Invalid client class specified in buffer limit configuration."))?;
            let seconds = seconds.parse::<i32>().ok().and_then(|seconds| u32::try_from(seconds).ok());
            let (Some(hard_bytes), Some(soft_bytes), Some(soft_s)) = (memory(hard), memory(soft), seconds) else {
                return Err(refused("Error in hard, soft or soft_seconds setting in buffer limit configuration."));
            };
            *class = OutputLimit { hard_bytes, soft_bytes, soft_s };
        }
        Ok(limits)
    }

    fn print(&self, value: &OutputLimits) -> String {
        let classes = [("normal", value.normal), ("slave", value.replica), ("pubsub", value.pubsub)];
        let print = |(name, class): (&str, OutputLimit)| {
            format!("{name} {} {} {}", class.hard_bytes, class.soft_bytes, class.soft_s)
        };
        classes.map(print).join(" ")
    }

    fn lines(&self, value: &OutputLimits) -> Vec<String> {
        let classes = [("normal", value.normal), ("replica", value.replica), ("pubsub", value.pubsub)];
        let line = |(name, class): (&str, OutputLimit)| {
            let (hard, soft) = (memory_in_words(class.hard_bytes), memory_in_words(class.soft_bytes));
            format!("{name} {hard} {soft} {}", class.soft_s)
        };
        classes.map(line).to_vec()
    }

    fn placeholder(&self) -> &'static str {
        "CLASS HARD SOFT SECONDS"
    }

    fn arguments(&self) -> Arguments {
        Arguments::Repeated
    }
}

fn refused(text: &str) -> Mistake {
    Mistake::Refused(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_class_that_is_not_named_stays() {
        let before = ClassLimits.parse("normal 1 2 3 slave 256mb 64mb 60", None).unwrap();
        let after = ClassLimits.parse("PubSub 32mb 8mb 60 normal 0 0 0", Some(&before)).unwrap();
        assert_eq!(ClassLimits.print(&after), "normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60");
        assert_eq!(ClassLimits.lines(&after)[1], "replica 256mb 64mb 60");
        assert_eq!(ClassLimits.parse("", Some(&after)), Ok(after));
    }

    #[test]
    fn mistakes_have_the_texts_of_redis() {
        let text = |words| ClassLimits.parse(words, None).unwrap_err().to_string();
        assert_eq!(text("normal 1"), "Wrong number of arguments in buffer limit configuration.");
        assert_eq!(text("master 1mb 2mb 3"), "Invalid client class specified in buffer limit configuration.");
        for wrong in ["normal a 2mb 3", "normal -1 0 0", "normal 0 0 -1", "normal 0 0 x"] {
            assert_eq!(text(wrong), "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
        }
    }

    proptest! {
        #[test]
        fn limits_survive_printing(hard: [u64; 3], soft: [u64; 3], seconds in [0..=i32::MAX as u32, 0..=9, 0..=9]) {
            let class = |i: usize| OutputLimit { hard_bytes: hard[i], soft_bytes: soft[i], soft_s: seconds[i] };
            let limits = OutputLimits { normal: class(0), replica: class(1), pubsub: class(2) };
            prop_assert_eq!(ClassLimits.parse(&ClassLimits.print(&limits), None), Ok(limits));
            prop_assert_eq!(ClassLimits.parse(&ClassLimits.lines(&limits).join(" "), None), Ok(limits));
        }
    }
}

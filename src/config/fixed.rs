//! Settings of Redis that have one value here, because what they choose between is not there or makes no difference.

use super::value::{Arguments, Codec, Mistake, yes_or_no};

/// A setting of Redis whose value is a fact here: stock clients read it, and only the one value can be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fixed;

/// `no` alone.
pub(super) struct OnlyNo {
    /// Why it cannot be yes.
    pub(super) reason: &'static str,
}

impl Codec for OnlyNo {
    type Value = Fixed;

    fn parse(&self, text: &str, _current: Option<&Fixed>) -> Result<Fixed, Mistake> {
        match yes_or_no(text) {
            Some(false) => Ok(Fixed),
            Some(true) => Err(Mistake::Refused(self.reason.to_owned())),
            None => Err(Mistake::NotYesNo),
        }
    }

    fn print(&self, _value: &Fixed) -> String {
        "no".to_owned()
    }

    fn placeholder(&self) -> &'static str {
        "no"
    }
}

/// `yes` alone; a file may say `no`, because nobody can tell the difference from outside.
pub(super) struct OnlyYes {
    /// Why `no` makes no difference.
    pub(super) reason: &'static str,
}

impl Codec for OnlyYes {
    type Value = Fixed;

    fn parse(&self, text: &str, _current: Option<&Fixed>) -> Result<Fixed, Mistake> {
        match yes_or_no(text) {
            Some(true) => Ok(Fixed),
            Some(false) => Err(Mistake::Immaterial(self.reason)),
            None => Err(Mistake::NotYesNo),
        }
    }

    fn print(&self, _value: &Fixed) -> String {
        "yes".to_owned()
    }

    fn placeholder(&self) -> &'static str {
        "yes"
    }

    fn arguments(&self) -> Arguments {
        Arguments::Optional
    }
}

/// `save`: no save points at all.
pub(super) struct NoSavePoints;

impl Codec for NoSavePoints {
    type Value = Fixed;

    fn parse(&self, text: &str, _current: Option<&Fixed>) -> Result<Fixed, Mistake> {
        let numbers: Vec<_> = text.split_whitespace().map(str::parse::<u32>).collect();
        match numbers.len() {
            0 => Ok(Fixed),
            count if count % 2 == 0 && numbers.iter().all(Result::is_ok) => Err(Mistake::Refused(
                "it must be empty (\"\"), because there is no persistence yet: a restart empties the cache".to_owned(),
            )),
            _ => Err(Mistake::Refused("Invalid save parameters".to_owned())),
        }
    }

    fn print(&self, _value: &Fixed) -> String {
        String::new()
    }

    fn placeholder(&self) -> &'static str {
        "\"\""
    }

    fn arguments(&self) -> Arguments {
        Arguments::Several
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn save_points_are_told_from_nonsense() {
        assert_eq!(NoSavePoints.parse("", None), Ok(Fixed));
        let text = |words| NoSavePoints.parse(words, None).unwrap_err().to_string();
        assert!(text("900 1 60 10000").contains("no persistence"));
        for wrong in ["900", "foo", "900 1 5", "900 x"] {
            assert_eq!(text(wrong), "Invalid save parameters");
        }
    }
}
